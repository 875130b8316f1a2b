/* SPDX-License-Identifier: ISC */
#include "base/dns_unbound.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unbound.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dns_answer.h"
#include "base/dns_wire.h"
#include "base/str.h"

enum { CLASS_IN = 1, ESCAPED_SIZE = 4 * MG_DNS_NAME_SIZE, RCODE_NOERROR = 0, RCODE_NXDOMAIN = 3 };

/* A context that is asked anew is not older than this. */
static const int64_t fresh_for = 10 * MG_SECOND;

struct mg_unbound_context {
	struct mg_unbound *unbound;
	struct ub_ctx *library;
	int64_t opened; /* monotonic ns */
	size_t under_way; /* questions, and calls into the library; with the lock */
};

struct mg_unbound {
	char **servers; /* ended by NULL; NULL: from the root */
	const char *trust_anchor; /* or NULL */
	int wake; /* eventfd: readable when the members below have changed */
	pthread_t taker;

	pthread_mutex_t lock; /* the members below */
	struct mg_unbound_context *current;
	struct mg_unbound_context *old; /* freed by the taker, when nothing is under way in it */
	bool ending;
};

static int64_t monotonic(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

/* --- its configuration --- */

/* Bounds of memory, sockets and time. A server that does not answer is given up after some seconds
 * and then probed by one question at a time, while the others fail at once. */
static const char base_settings[] = "server:\n"
				    " verbosity: 0\n"
				    " outgoing-range: 256\n"
				    " outgoing-num-tcp: 16\n"
				    " num-queries-per-thread: 512\n"
				    " msg-cache-size: 1m\n"
				    " rrset-cache-size: 4m\n"
				    " key-cache-size: 1m\n"
				    " neg-cache-size: 256k\n"
				    " infra-cache-numhosts: 1000\n"
				    " infra-cache-max-rtt: 4000\n"
				    " infra-keep-probing: yes\n"
				    " infra-host-ttl: 60\n"
				    " cache-max-ttl: 3600\n"
				    " cache-max-negative-ttl: 300\n"
				    " do-not-query-localhost: no\n";

/* Zones that the library answers itself: a resolver that was named knows better, for it may have
 * private zones. The reverse zones of private addresses are one setting. */
static const char *const built_in_zones[] = {"localhost.", "127.in-addr.arpa.",
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", "home.arpa.",
	"onion.", "test.", "invalid."};

static void add_servers(struct mg_buf *text, char **servers)
{
	mg_buf_add_text(text, " unblock-lan-zones: yes\n insecure-lan-zones: yes\n");
	for (size_t i = 0; i < sizeof built_in_zones / sizeof built_in_zones[0]; i++)
		mg_buf_add_format(text, " local-zone: \"%s\" nodefault\n", built_in_zones[i]);
	mg_buf_add_text(text, "forward-zone:\n name: \".\"\n forward-no-cache: yes\n");
	for (size_t i = 0; servers[i] != NULL; i++)
		mg_buf_add_format(text, " forward-addr: %s\n", servers[i]);
}

/* Not every setting can be given but by a file: this one has no name. */
static int configure(struct ub_ctx *library, const struct mg_buf *text)
{
	int file = memfd_create("resolver", MFD_CLOEXEC), status = UB_READFILE;
	char path[64];

	if (file < 0)
		return status;
	mg_str_format(path, sizeof path, "/proc/self/fd/%d", file);
	if (write(file, text->data, text->length) == (ssize_t)text->length &&
		lseek(file, 0, SEEK_SET) == 0)
		status = ub_ctx_config(library, path);
	close(file);
	return status;
}

/* A context of the library, set up; NULL with error. */
static struct ub_ctx *new_library(const struct mg_unbound *unbound, struct mg_error *error)
{
	/* Its parser of configuration has global variables. */
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct ub_ctx *library = ub_ctx_create();
	struct mg_buf text = {0};
	int status;

	if (library == NULL) {
		mg_error_set(error, "libunbound: out of memory or sockets");
		return NULL;
	}
	mg_buf_add_text(&text, base_settings);
	mg_buf_add_format(&text, " module-config: \"%siterator\"\n",
		unbound->trust_anchor != NULL ? "validator " : "");
	if (unbound->servers != NULL)
		add_servers(&text, unbound->servers);
	pthread_mutex_lock(&lock);
	/* What it has to say is of single questions, and of a stranger's names. */
	ub_ctx_debugout(library, NULL);
	ub_ctx_async(library, true);
	status = text.failed ? UB_NOMEM : configure(library, &text);
	if (status == UB_NOERROR && unbound->trust_anchor != NULL)
		status = ub_ctx_add_ta_file(library, unbound->trust_anchor);
	pthread_mutex_unlock(&lock);
	mg_buf_free(&text);
	if (status == UB_NOERROR)
		return library;
	mg_error_set(error, "libunbound: %s", ub_strerror(status));
	ub_ctx_delete(library);
	return NULL;
}

static void free_context(struct mg_unbound_context *context)
{
	if (context == NULL)
		return;
	ub_ctx_delete(context->library);
	free(context);
}

static struct mg_unbound_context *new_context(struct mg_unbound *unbound, struct mg_error *error)
{
	struct mg_unbound_context *context = calloc(1, sizeof *context);

	if (context == NULL) {
		mg_error_set(error, "out of memory");
		return NULL;
	}
	context->unbound = unbound;
	context->opened = monotonic();
	context->library = new_library(unbound, error);
	if (context->library != NULL)
		return context;
	free(context);
	return NULL;
}

/* --- answers --- */

static const struct mg_dns_answer *read_result(const struct ub_result *result)
{
	if (result->bogus)
		return mg_dns_plain(MG_DNS_FAILED);
	if (result->rcode == RCODE_NXDOMAIN || result->rcode == RCODE_NOERROR) {
		const struct mg_dns_answer none = {
			.status = result->nxdomain ? MG_DNS_NO_NAME : MG_DNS_NO_DATA,
			.secure = result->secure != 0,
			.ttl = (int64_t)result->ttl * MG_SECOND};

		return result->havedata ? mg_dns_wire_found((enum mg_dns_type)result->qtype,
						  result->data, result->len, none.secure, none.ttl)
					: mg_dns_answer_new(&none);
	}
	return mg_dns_plain(MG_DNS_FAILED);
}

static void wake_taker(const struct mg_unbound *unbound)
{
	const uint64_t one = 1;

	/* Cannot fail: nothing counts up to the limit. */
	(void)!write(unbound->wake, &one, sizeof one);
}

/* Something is no longer under way in a context. */
static void leave(struct mg_unbound_context *context, size_t count)
{
	struct mg_unbound *unbound = context->unbound;
	bool unused;

	pthread_mutex_lock(&unbound->lock);
	context->under_way -= count;
	unused = context == unbound->old && context->under_way == 0;
	pthread_mutex_unlock(&unbound->lock);
	if (unused)
		wake_taker(unbound);
}

static void take(void *argument, int error, struct ub_result *result)
{
	struct mg_unbound_question *question = argument;

	leave(question->context, 1);
	question->done(question,
		error == 0 && result != NULL ? read_result(result) : mg_dns_plain(MG_DNS_FAILED));
	ub_resolve_free(result);
}

/* --- threads --- */

/* Frees the old context when nothing is under way in it; false: the end has come. */
static bool tidy(struct mg_unbound *unbound, struct mg_unbound_context *contexts[2])
{
	struct mg_unbound_context *unused = NULL;
	bool ending;

	pthread_mutex_lock(&unbound->lock);
	if (unbound->old != NULL && unbound->old->under_way == 0) {
		unused = unbound->old;
		unbound->old = NULL;
	}
	contexts[0] = unbound->current;
	contexts[1] = unbound->old;
	ending = unbound->ending;
	pthread_mutex_unlock(&unbound->lock);
	free_context(unused);
	return !ending;
}

/* Only this thread frees contexts, so those it polls stay. */
static void *taker(void *argument)
{
	struct mg_unbound *unbound = argument;
	struct mg_unbound_context *contexts[2];
	uint64_t count;

	while (tidy(unbound, contexts)) {
		struct pollfd fds[] = {{.fd = unbound->wake, .events = POLLIN},
			{.fd = ub_fd(contexts[0]->library), .events = POLLIN},
			{.fd = -1, .events = POLLIN}};

		if (contexts[1] != NULL)
			fds[2].fd = ub_fd(contexts[1]->library);
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents != 0)
			(void)!read(unbound->wake, &count, sizeof count);
		for (size_t i = 0; i < 2; i++)
			if (contexts[i] != NULL && fds[i + 1].revents != 0)
				ub_process(contexts[i]->library);
	}
	return NULL;
}

/* Threads inherit the mask: signals are for those who wait for them. */
static void block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

static int start_taker(struct mg_unbound *unbound)
{
	sigset_t before;
	int status;

	block_signals(&before);
	status = pthread_create(&unbound->taker, NULL, taker, unbound);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}

static void free_unbound(struct mg_unbound *unbound)
{
	free_context(unbound->current);
	free_context(unbound->old);
	if (unbound->wake >= 0)
		close(unbound->wake);
	pthread_mutex_destroy(&unbound->lock);
	free(unbound);
}

struct mg_unbound *mg_unbound_open(char **servers, const char *trust_anchor, struct mg_error *error)
{
	struct mg_unbound *unbound = calloc(1, sizeof *unbound);
	int status;

	if (unbound == NULL) {
		mg_error_set(error, "out of memory");
		return NULL;
	}
	unbound->servers = servers;
	unbound->trust_anchor = trust_anchor;
	pthread_mutex_init(&unbound->lock, NULL);
	unbound->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (unbound->wake < 0) {
		mg_error_system(error, errno, "eventfd");
		goto fail;
	}
	unbound->current = new_context(unbound, error);
	if (unbound->current == NULL)
		goto fail;
	status = start_taker(unbound);
	if (status == 0)
		return unbound;
	mg_error_system(error, status, "cannot start a thread");
fail:
	free_unbound(unbound);
	return NULL;
}

void mg_unbound_close(struct mg_unbound *unbound)
{
	if (unbound == NULL)
		return;
	pthread_mutex_lock(&unbound->lock);
	unbound->ending = true;
	pthread_mutex_unlock(&unbound->lock);
	wake_taker(unbound);
	pthread_join(unbound->taker, NULL);
	free_unbound(unbound);
}

/* --- questions --- */

/* The library reads names as a zone file has them: any byte is written so that it stands for
 * itself. */
static void escape(char target[ESCAPED_SIZE], const char *name)
{
	for (; *name != '\0'; name++) {
		unsigned char byte = (unsigned char)*name;

		if (byte > ' ' && byte < 0x7f && strchr("\\\"$();@", byte) == NULL) {
			*target++ = (char)byte;
			continue;
		}
		*target++ = '\\';
		*target++ = (char)('0' + byte / 100);
		*target++ = (char)('0' + byte / 10 % 10);
		*target++ = (char)('0' + byte % 10);
	}
	*target = '\0';
}

/* With the lock held. While an old context is there none more is made. */
static void renew(struct mg_unbound *unbound)
{
	struct mg_unbound_context *context;

	if (unbound->servers != NULL || unbound->old != NULL ||
		monotonic() - unbound->current->opened < fresh_for)
		return;
	context = new_context(unbound, NULL);
	if (context == NULL)
		return;
	unbound->old = unbound->current;
	unbound->current = context;
	wake_taker(unbound);
}

bool mg_unbound_ask(struct mg_unbound *unbound, const char *name, enum mg_dns_type type, bool fresh,
	struct mg_unbound_question *question)
{
	struct mg_unbound_context *context;
	char escaped[ESCAPED_SIZE];
	sigset_t before;
	int status;

	escape(escaped, name);
	pthread_mutex_lock(&unbound->lock);
	if (fresh)
		renew(unbound);
	context = unbound->current;
	/* The question, and this call, which may end after it. */
	context->under_way += 2;
	pthread_mutex_unlock(&unbound->lock);
	question->context = context;
	block_signals(&before); /* the first question of a context starts a thread */
	status = ub_resolve_async(
		context->library, escaped, (int)type, CLASS_IN, question, take, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	leave(context, status == UB_NOERROR ? 1 : 2);
	return status == UB_NOERROR;
}

/* SPDX-License-Identifier: ISC */
/* The native front: a connection's bytes, whatever they are, into a session with a filter that
 * makes every edit and, as the message says, every answer. The session must be over when the bytes
 * are. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "run/native_connection.h"
#include "run/session.h"
#include "run/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- a filter --- */

struct state {
	size_t left; /* of the body that is given out */
};

/* The first letter of a name decides. */
static void judge(const char *name, struct mg_verdict *verdict)
{
	static const char letters[] = "_arte";

	if (name[0] == 'd')
		verdict->action = MG_DISCARD;
	else if (name[0] != '\0' && strchr(letters + 1, name[0]) != NULL)
		verdict->action = (enum mg_action[]){MG_ACCEPT, MG_REJECT, MG_TEMPFAIL,
			MG_ERROR}[strchr(letters + 1, name[0]) - (letters + 1)];
}

static void fuzz_connect(struct mg_call *call, struct mg_verdict *verdict)
{
	judge(call->session->client_name, verdict);
}

static void fuzz_helo(struct mg_call *call, struct mg_verdict *verdict)
{
	judge(call->session->helo, verdict);
}

static void fuzz_mail(struct mg_call *call, struct mg_verdict *verdict)
{
	judge(call->message->sender, verdict);
}

static void fuzz_rcpt(
	struct mg_call *call, const struct mg_recipient *recipient, struct mg_verdict *verdict)
{
	judge(recipient->address, verdict);
	if (recipient->address[0] == 'h')
		mg_hold(call, "held");
}

static long read_body(void *source, unsigned char *target, size_t size)
{
	struct state *state = source;
	size_t length = state->left < size ? state->left : size;

	memset(target, 'b', length);
	state->left -= length;
	return (long)length;
}

static void fuzz_body(struct mg_call *call, const unsigned char *chunk, size_t length)
{
	(void)call;
	assert(length > 0 && chunk[length - 1] <= 255);
}

static void fuzz_eom(struct mg_call *call, struct mg_verdict *verdict)
{
	struct state *state = call->state;
	size_t count;
	const struct mg_header *headers = mg_headers(call, &count);

	for (size_t i = 0; i < count; i++) {
		mg_insert_header(call, (unsigned)i, headers[i].name, headers[i].value);
		mg_change_header(call, headers[i].name, (unsigned)i, headers[i].value);
		mg_change_header(call, headers[i].name, 1, NULL);
		mg_add_recipient(call, headers[i].value);
		mg_delete_recipient(call, headers[i].name);
		mg_change_sender(call, headers[i].value);
		if (headers[i].name[0] == 'B')
			state->left = 1000;
		if (i == 0 && headers[i].value_length > 0)
			mg_str_copy(verdict->reply, sizeof(verdict->reply), headers[i].value + 1);
	}
	if (state->left > 0)
		mg_replace_body(call, read_body, state);
	if (count > 0)
		judge(headers[0].name, verdict);
}

static const struct mg_filter filter = {
	.name = "fuzz",
	.edits = MG_EDIT_ADD | MG_EDIT_CHANGE | MG_EDIT_BODY | MG_EDIT_RCPT | MG_EDIT_SENDER |
		 MG_EDIT_HOLD,
	.needs = MG_NEED_HEADERS,
	.message_size = sizeof(struct state),
	.connect = fuzz_connect,
	.helo = fuzz_helo,
	.mail = fuzz_mail,
	.rcpt = fuzz_rcpt,
	.body = fuzz_body,
	.eom = fuzz_eom,
};

/* --- a process --- */

static struct mg_host *host(void)
{
	static const struct mg_filter *const filters[] = {&filter};
	static const char *const overrides[] = {
		"socket=unix:/run/none", "bounds.headers=20", "bounds.recipients=5", NULL};
	static struct mg_hosted hosted = {.filter = &filter, .overrides = overrides};
	static struct mg_host made;
	struct mg_errors errors = {0};

	if (made.clock != NULL)
		return &made;
	mg_str_copy(hosted.program, sizeof(hosted.program), "millgate-fuzz");
	mg_str_copy(hosted.host_name, sizeof(hosted.host_name), "localhost");
	assert(mg_settings_options(&filter, hosted.tables));
	made.clock = &mg_clock_system;
	made.metrics = mg_metrics_new(mg_host_metrics);
	made.memory.limit = SIZE_MAX;
	mg_plan_make(&made.plan, filters, 1);
	pthread_mutex_init(&made.snapshots.lock, NULL);
	made.snapshots.current = mg_snapshot_load(NULL, &hosted, 1, made.clock, &errors);
	assert(made.snapshots.current != NULL);
	return &made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The peer reads nothing: what does not fit its buffer is a time-out. */
	static const struct mg_native_timeouts timeouts = {
		.negotiation = MG_SECOND, .packet = MG_MILLISECOND, .idle = MG_SECOND};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return 0;
	if (send(ends[0], data, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && size > 0) {
		close(ends[0]);
		close(ends[1]);
		return 0;
	}
	shutdown(ends[0], SHUT_WR);
	mg_native_serve(host(), ends[1], true, &timeouts);
	close(ends[0]);
	assert(host()->sessions == 0 && host()->messages == 0 && host()->memory.used == 0);
	return 0;
}

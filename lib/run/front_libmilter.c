/* SPDX-License-Identifier: ISC */
#include "run/front_libmilter.h"

#include <errno.h>
#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "mail/milter_macros.h"
#include "run/negotiate.h"
#include "run/reply.h"
#include "run/session.h"
#include "run/wire.h"

/* One front a process, as libmilter itself. */
static struct {
	struct mg_host *host;
	int fd; /* the listening socket, by dup: libmilter's own number */
	bool unix_socket; /* only a local peer is believed {millgate_test} */
} front;

/* A connection. */
struct connection {
	SMFICTX *context;
	struct mg_run *run;
	unsigned long protocol; /* SMFIP_* agreed on */
};

static struct connection *connection_of(SMFICTX *context)
{
	return smfi_getpriv(context);
}

/* --- signals --- */

/* libmilter starts a thread that waits by sigwait for SIGTERM, SIGHUP and SIGINT and then ends
 * everything at once. A signal that comes before the thread that should have it waits, too, would
 * be taken by that one: no reload, no drain. The signals are run/serve's, so libmilter's wait lasts
 * for ever. An executable's own function goes before the C library's, also for the libraries. */
int sigwait(const sigset_t *set, int *number)
{
	(void)set;
	(void)number;
	for (;;)
		pause();
}

/* --- answers --- */

static void set_reply(SMFICTX *context, const char *text)
{
	struct mg_reply reply;

	if (mg_reply_split(text, &reply) &&
		smfi_setreply(context, reply.code,
			reply.enhanced[0] != '\0' ? reply.enhanced : NULL,
			reply.text) != MI_SUCCESS)
		mg_log(LOG_WARNING, "libmilter did not take the reply \"%s\"", reply.text);
}

static sfsistat answer(
	struct connection *connection, unsigned long no_reply, const struct mg_verdict *verdict)
{
	if ((connection->protocol & no_reply) != 0)
		return SMFIS_NOREPLY;
	switch (verdict->action) {
	case MG_ACCEPT: return SMFIS_ACCEPT;
	case MG_DISCARD: return SMFIS_DISCARD;
	case MG_REJECT: set_reply(connection->context, verdict->reply); return SMFIS_REJECT;
	case MG_TEMPFAIL:
	case MG_ERROR: set_reply(connection->context, verdict->reply); return SMFIS_TEMPFAIL;
	case MG_CONTINUE: break;
	}
	return SMFIS_CONTINUE;
}

/* --- what the session asks --- */

static const char *front_macro(void *context, const char *name)
{
	const struct connection *connection = context;
	char symbol[64];

	if (strcmp(name, "{millgate_test}") == 0 && !front.unix_socket)
		return NULL;
	return mg_str_copy(symbol, sizeof symbol, name)
		       ? smfi_getsymval(connection->context, symbol)
		       : NULL;
}

/* libmilter's parameters are char * though it only reads them. */
static char *plain(const char *text)
{
	return (char *)(uintptr_t)text;
}

static int result(int status)
{
	return status == MI_SUCCESS ? 0 : -1;
}

/* Without HDR_LEADSPC the MTA itself puts a space after the colon. */
static const char *field_value(const struct connection *connection, const char *value)
{
	return (connection->protocol & SMFIP_HDR_LEADSPC) == 0 && value[0] == ' ' ? value + 1
										  : value;
}

static int front_insert_header(
	void *context, unsigned position, const char *name, const char *value)
{
	const struct connection *connection = context;

	return result(smfi_insheader(connection->context, (int)position, plain(name),
		plain(field_value(connection, value))));
}

static int front_change_header(
	void *context, unsigned occurrence, const char *name, const char *value)
{
	const struct connection *connection = context;

	return result(smfi_chgheader(connection->context, plain(name), (int)occurrence,
		value != NULL ? plain(field_value(connection, value)) : NULL));
}

static void with_brackets(char *target, size_t size, const char *address)
{
	mg_str_format(target, size, "<%s>", address);
}

static int front_add_recipient(void *context, const char *address)
{
	char path[4096];

	with_brackets(path, sizeof path, address);
	return result(smfi_addrcpt(((struct connection *)context)->context, path));
}

static int front_delete_recipient(void *context, const char *address)
{
	char path[4096];

	with_brackets(path, sizeof path, address);
	return result(smfi_delrcpt(((struct connection *)context)->context, path));
}

static int front_change_sender(void *context, const char *address)
{
	char path[4096];

	with_brackets(path, sizeof path, address);
	return result(smfi_chgfrom(((struct connection *)context)->context, path, NULL));
}

static int front_replace_body(void *context, const unsigned char *chunk, size_t length)
{
	return result(smfi_replacebody(((struct connection *)context)->context,
		(unsigned char *)(uintptr_t)chunk, (int)length));
}

static int front_quarantine(void *context, const char *reason)
{
	return result(smfi_quarantine(((struct connection *)context)->context, plain(reason)));
}

static const struct mg_front front_functions = {
	.macro = front_macro,
	.insert_header = front_insert_header,
	.change_header = front_change_header,
	.add_recipient = front_add_recipient,
	.delete_recipient = front_delete_recipient,
	.change_sender = front_change_sender,
	.replace_body = front_replace_body,
	.quarantine = front_quarantine,
};

/* --- negotiation --- */

_Static_assert(SMFIP_NOCONNECT == MG_WIRE_NO_CONNECT && SMFIP_NR_BODY == MG_WIRE_NR_BODY &&
		       SMFIP_HDR_LEADSPC == MG_WIRE_HEADER_LEADING_SPACE &&
		       SMFIF_QUARANTINE == MG_WIRE_QUARANTINE,
	"the flags of libmilter are those of the protocol");

static void ask_for_macros(SMFICTX *context)
{
	static const int later[] = {SMFIM_ENVRCPT, SMFIM_DATA, SMFIM_EOH, SMFIM_EOM};

	smfi_setsymlist(context, SMFIM_ENVFROM, plain(mg_milter_macros_mail));
	for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
		smfi_setsymlist(context, later[i], plain(mg_milter_macros_later));
}

static sfsistat on_negotiate(SMFICTX *context, unsigned long actions, unsigned long protocol,
	unsigned long u2, unsigned long u3, unsigned long *out_actions, unsigned long *out_protocol,
	unsigned long *out_u2, unsigned long *out_u3)
{
	unsigned long wanted = mg_negotiate_actions(&front.host->plan);
	struct connection *connection;

	(void)u2;
	(void)u3;
	*out_u2 = *out_u3 = 0;
	if ((wanted & ~actions) != 0) {
		mg_log(LOG_ERR, "the MTA does not offer the actions 0x%lx, which the filters need",
			wanted & ~actions);
		return SMFIS_REJECT;
	}
	connection = calloc(1, sizeof *connection);
	if (connection == NULL)
		return SMFIS_REJECT;
	connection->context = context;
	connection->protocol = mg_negotiate_protocol(&front.host->plan) & protocol;
	connection->run = mg_run_new(front.host, &front_functions, connection);
	if (connection->run == NULL) {
		free(connection);
		return SMFIS_REJECT;
	}
	if ((actions & SMFIF_SETSYMLIST) != 0) {
		ask_for_macros(context);
		wanted |= SMFIF_SETSYMLIST;
	}
	smfi_setpriv(context, connection);
	*out_actions = wanted;
	*out_protocol = connection->protocol;
	return SMFIS_CONTINUE;
}

/* --- steps --- */

/* A peer that sends steps without negotiation has no connection here. */
#define CONNECTION_OR_FAIL(variable) \
	struct connection *variable = connection_of(context); \
	if ((variable) == NULL) \
	return SMFIS_TEMPFAIL

static sfsistat on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
	struct sockaddr_storage client = {.ss_family = AF_UNSPEC};
	struct mg_verdict verdict;
	CONNECTION_OR_FAIL(connection);

	if (address != NULL && address->sa_family == AF_INET)
		memcpy(&client, address, sizeof(struct sockaddr_in));
	if (address != NULL && address->sa_family == AF_INET6)
		memcpy(&client, address, sizeof(struct sockaddr_in6));
	mg_run_connect(connection->run, name != NULL ? name : "", &client, &verdict);
	return answer(connection, SMFIP_NR_CONN, &verdict);
}

static sfsistat on_helo(SMFICTX *context, char *name)
{
	struct mg_verdict verdict;
	CONNECTION_OR_FAIL(connection);

	mg_run_helo(connection->run, name != NULL ? name : "", &verdict);
	return answer(connection, SMFIP_NR_HELO, &verdict);
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
	struct mg_verdict verdict;
	CONNECTION_OR_FAIL(connection);

	mg_run_mail(connection->run, (const char *const *)arguments, &verdict);
	return answer(connection, SMFIP_NR_MAIL, &verdict);
}

static sfsistat on_rcpt(SMFICTX *context, char **arguments)
{
	struct mg_verdict verdict;
	CONNECTION_OR_FAIL(connection);

	mg_run_rcpt(connection->run, (const char *const *)arguments, &verdict);
	return answer(connection, SMFIP_NR_RCPT, &verdict);
}

static sfsistat on_data(SMFICTX *context)
{
	struct mg_verdict verdict;
	CONNECTION_OR_FAIL(connection);

	mg_run_data(connection->run, &verdict);
	return answer(connection, SMFIP_NR_DATA, &verdict);
}

static const struct mg_verdict go_on = {.action = MG_CONTINUE};

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
	CONNECTION_OR_FAIL(connection);

	mg_run_header(connection->run, name, value);
	return answer(connection, SMFIP_NR_HDR, &go_on);
}

static sfsistat on_eoh(SMFICTX *context)
{
	CONNECTION_OR_FAIL(connection);

	mg_run_eoh(connection->run);
	return answer(connection, SMFIP_NR_EOH, &go_on);
}

static sfsistat on_body(SMFICTX *context, unsigned char *chunk, size_t length)
{
	bool wanted;
	CONNECTION_OR_FAIL(connection);

	wanted = mg_run_body(connection->run, chunk, length);
	if (!wanted && (connection->protocol & SMFIP_SKIP) != 0)
		return SMFIS_SKIP;
	return answer(connection, SMFIP_NR_BODY, &go_on);
}

static sfsistat on_eom(SMFICTX *context)
{
	struct mg_verdict verdict;
	CONNECTION_OR_FAIL(connection);

	mg_run_eom(connection->run, &verdict);
	return answer(connection, 0, &verdict);
}

static sfsistat on_abort(SMFICTX *context)
{
	struct connection *connection = connection_of(context);

	if (connection != NULL)
		mg_run_abort(connection->run);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
	struct connection *connection = connection_of(context);

	if (connection == NULL)
		return SMFIS_CONTINUE;
	smfi_setpriv(context, NULL);
	mg_run_close(connection->run);
	free(connection);
	return SMFIS_CONTINUE;
}

/* --- the engine --- */

static int libmilter_open(struct mg_host *host, const int fds[], int count, struct mg_error *error)
{
	struct smfiDesc description = {
		.xxfi_name = plain("millgate"),
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = mg_negotiate_actions(&host->plan) | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_eoh,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_data = on_data,
		.xxfi_negotiate = on_negotiate,
	};
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof address;
	char name[32];

	if (count != 1) {
		mg_error_set(error,
			"engine libmilter listens on one address, not on %d: name one in socket",
			count);
		return -1;
	}
	front.host = host;
	front.fd = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
	front.unix_socket = getsockname(fds[0], (struct sockaddr *)&address, &length) == 0 &&
			    address.ss_family == AF_UNIX;
	mg_str_format(name, sizeof name, "fd:%d", front.fd);
	if (front.fd < 0 || smfi_register(description) != MI_SUCCESS ||
		smfi_setconn(name) != MI_SUCCESS || smfi_opensocket(false) != MI_SUCCESS) {
		mg_error_set(error,
			"libmilter does not take a socket that is already open (\"%s\")", name);
		return -1;
	}
	return 0;
}

static int libmilter_run(struct mg_error *error)
{
	mg_error_set(error, "libmilter %s",
		smfi_main() == MI_SUCCESS ? "ended by itself" : "gave up: see the lines before");
	return -1;
}

/* A listening socket that nobody knows. */
static int silent_socket(void)
{
	const struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Only the family: the kernel chooses an abstract name, unix(7) "Autobind". */
	if (fd >= 0 && (bind(fd, (const struct sockaddr *)&address, sizeof(sa_family_t)) != 0 ||
			       listen(fd, 1) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The listener, which may still wait at the old socket, then takes what comes at the new one:
 * nothing. Who connects meanwhile waits in the backlog. */
static void libmilter_stop_accepting(void)
{
	int fd = silent_socket();

	if (fd < 0 || dup3(fd, front.fd, O_CLOEXEC) < 0)
		mg_log(LOG_WARNING, "cannot stop accepting: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

const struct mg_engine mg_engine_libmilter = {
	.name = "libmilter",
	.open = libmilter_open,
	.run = libmilter_run,
	.stop_accepting = libmilter_stop_accepting,
};

/* SPDX-License-Identifier: ISC */
/* client: the MTA's side of the milter protocol: what a Postfix 3.7 does with a milter, as a
 * library. For `millgate try`, `millgate doctor`, the watchdog's probe, and the driver of the
 * tests. One thread a client; every wait ends at a deadline. */
#ifndef MG_RUN_CLIENT_H
#define MG_RUN_CLIENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/error.h"
#include "run/wire.h"

struct mg_client;

/* An answer of the filter. */
enum mg_answer {
	MG_ANSWER_CONTINUE,
	MG_ANSWER_ACCEPT,
	MG_ANSWER_REJECT,
	MG_ANSWER_TEMPFAIL,
	MG_ANSWER_DISCARD,
	MG_ANSWER_SKIP,
	MG_ANSWER_NONE, /* the step was not sent, or needs no answer */
	MG_ANSWER_LOST /* the connection is gone, timed out or said nonsense: error has it */
};

/* An edit at end of message, in the order the filter sent them. value is "" where the kind has
 * none, and always followed by a NUL that value_length does not count. */
struct mg_client_edit {
	enum mg_wire_reply kind;
	uint32_t index; /* insert and change header */
	const char *name; /* of the header field; the address of recipients and sender */
	const char *value; /* header value; ESMTP parameters; reason of a quarantine; a chunk of
				  * the new body */
	size_t value_length;
};

struct mg_client_macro {
	const char *name, *value; /* name as on the wire: "i", "{client_addr}" */
};

/* What Postfix 3.7 offers. */
enum { MG_CLIENT_PROTOCOL = 0x1fffff, MG_CLIENT_ACTIONS = 0x1ff };

/* Connects and negotiates. protocol and actions: what this MTA can do, 0 for everything that
 * Postfix 3.7 offers. timeout: ns to connect, and then for each answer. NULL with error. */
struct mg_client *mg_client_open(const struct mg_endpoint *endpoint, uint32_t protocol,
	uint32_t actions, int64_t timeout, struct mg_error *error);
/* The same over a connected stream socket, which is the client's from then on, also on failure. */
struct mg_client *mg_client_open_fd(
	int fd, uint32_t protocol, uint32_t actions, int64_t timeout, struct mg_error *error);
/* What was negotiated. */
const struct mg_wire_options *mg_client_options(const struct mg_client *client);

/* The macros that have a value from now on (copied; they replace those of the call before). With
 * each command go those that the filter asked for at that stage, or that Postfix sends there when
 * the filter asked for none. false: no memory. */
bool mg_client_macros(struct mg_client *client, const struct mg_client_macro *macros, size_t count);

/* The steps. Each sends its macros and, unless the filter declined it, the command, and reads the
 * answer when one is due. As in Postfix nothing is sent any more after an ACCEPT or a refusal at
 * CONNECT or HELO (a refusal is answered again), and, until the next message, after an ACCEPT or
 * DISCARD at a later step. */
enum mg_answer mg_client_connect(struct mg_client *client, const char *name, const char *address,
	uint16_t port, char family); /* family as SMFIA_*: '4' '6' 'L' 'U' */
enum mg_answer mg_client_helo(struct mg_client *client, const char *name);
/* arguments as SMTP has them: "<a@example.org>" "SIZE=1" */
enum mg_answer mg_client_mail(
	struct mg_client *client, const char *const arguments[], size_t count);
enum mg_answer mg_client_rcpt(
	struct mg_client *client, const char *const arguments[], size_t count);
enum mg_answer mg_client_data(struct mg_client *client);
/* value: every byte behind the colon; the first blank is taken off if the filter did not ask for
 * HDR_LEADSPC. */
enum mg_answer mg_client_header(struct mg_client *client, const char *name, const char *value);
enum mg_answer mg_client_eoh(struct mg_client *client);
/* up to 65,535 bytes */
enum mg_answer mg_client_body(struct mg_client *client, const void *chunk, size_t length);
enum mg_answer mg_client_eom(struct mg_client *client);
enum mg_answer mg_client_unknown(struct mg_client *client, const char *command);
void mg_client_abort(struct mg_client *client);

/* Of the last answer; valid until the next step. The reply is "", or "550 5.7.1 text" as the SMTP
 * client would see it (%% made %). */
const char *mg_client_reply(const struct mg_client *client);
const struct mg_client_edit *mg_client_edits(const struct mg_client *client, size_t *count);
const char *mg_client_error(const struct mg_client *client);

/* Sends the content of a message: header fields (cut at LF or CRLF, folds as LF, white space before
 * the colon dropped, as Postfix sends them), end of header, body in chunks of `chunk` bytes (0:
 * 65,535) with CRLF line ends, end of message. message is RFC 5322 text with LF or CRLF; the header
 * ends at an empty line or at the first line that is no field. Returns the answer that ended it. */
enum mg_answer mg_client_message(
	struct mg_client *client, const char *message, size_t length, size_t chunk);

/* Sends QUIT and closes; or, with quit false, just closes. NULL is allowed. */
void mg_client_close(struct mg_client *client, bool quit);

/* For tests of robustness: bytes as they are (0 or -1), and one packet as it comes, valid until the
 * next call (1; 0 on time-out; -1 when the connection ended or the packet is malformed). */
int mg_client_raw(struct mg_client *client, const void *bytes, size_t length);
int mg_client_raw_reply(struct mg_client *client, struct mg_packet *packet);

/* Connects, negotiates, quits: 0 when a filter answered within timeout ns, else -1 with error. */
int mg_client_probe(const struct mg_endpoint *endpoint, int64_t timeout, struct mg_error *error);
#endif

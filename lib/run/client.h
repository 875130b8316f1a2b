/* SPDX-License-Identifier: ISC */
/* client: the MTA's side of the milter protocol: what a Postfix does with a milter, as a library. For `millgate try`, `millgate doctor`, the
 * watchdog's probe, and the driver of the tests. One thread a client; every wait ends at a deadline. */
#ifndef MG_RUN_CLIENT_H
#define MG_RUN_CLIENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/error.h"
#include "run/wire.h"

struct mg_client;

/* An answer of the filter; reply is "" or "550 5.7.1 text" as the client of the MTA would see it (%% made %). */
enum mg_answer {
	MG_ANSWER_CONTINUE,
	MG_ANSWER_ACCEPT,
	MG_ANSWER_REJECT,
	MG_ANSWER_TEMPFAIL,
	MG_ANSWER_DISCARD,
	MG_ANSWER_SKIP,
	MG_ANSWER_NONE,		/* the step was declined or needs no answer */
	MG_ANSWER_LOST		/* the connection is gone, timed out or said nonsense: error has it */
};

/* An edit at end of message, in the order the filter sent them. */
struct mg_client_edit {
	enum mg_wire_reply kind;
	uint32_t index;		/* insert and change header */
	const char *name, *value;	/* address in name for recipients and sender; reason in value for quarantine; chunk in value for the body */
	size_t value_length;
};

struct mg_client_macro {
	const char *name, *value;	/* name as on the wire: "i", "{client_addr}" */
};

/* Connects and negotiates. offered_protocol / actions: what this "MTA" can do (0: everything Postfix 3.7 offers: facts of postfix-milter). timeout: ns
 * for each answer. NULL with error. */
struct mg_client *mg_client_open(const struct mg_endpoint *endpoint, uint32_t protocol, uint32_t actions, int64_t timeout,
	struct mg_error *error);
/* What was negotiated. */
const struct mg_wire_options *mg_client_options(const struct mg_client *client);

/* Macros for the next command: those that the filter asked for at that stage (or that Postfix sends by default there) are taken from the list. */
void mg_client_macros(struct mg_client *client, const struct mg_client_macro *macros, size_t count);

/* The steps. Each sends (unless declined) its macros and command, reads the answer when one is due. reply may be NULL. */
enum mg_answer mg_client_connect(struct mg_client *client, const char *name, const char *address, uint16_t port, char family);
enum mg_answer mg_client_helo(struct mg_client *client, const char *name);
enum mg_answer mg_client_mail(struct mg_client *client, const char *const arguments[], size_t count);	/* "<a@b>" "SIZE=1" */
enum mg_answer mg_client_rcpt(struct mg_client *client, const char *const arguments[], size_t count);
enum mg_answer mg_client_data(struct mg_client *client);
enum mg_answer mg_client_header(struct mg_client *client, const char *name, const char *value);	/* value as with HDR_LEADSPC */
enum mg_answer mg_client_eoh(struct mg_client *client);
enum mg_answer mg_client_body(struct mg_client *client, const void *chunk, size_t length);		/* up to 65,535 bytes */
enum mg_answer mg_client_eom(struct mg_client *client);
enum mg_answer mg_client_unknown(struct mg_client *client, const char *command);
void mg_client_abort(struct mg_client *client);

/* Of the last answer: its reply text, and after eom the edits. Valid until the next call. */
const char *mg_client_reply(const struct mg_client *client);
const struct mg_client_edit *mg_client_edits(const struct mg_client *client, size_t *count);
const char *mg_client_error(const struct mg_client *client);

/* Sends a whole message: headers (cut at LF or CRLF, folds as LF, as Postfix sends them), end of header, body in chunks of `chunk` bytes (0: 65,535)
 * with CRLF line ends, end of message. `message` is RFC 5322 text with LF or CRLF. */
enum mg_answer mg_client_message(struct mg_client *client, const char *message, size_t length, size_t chunk);

/* Sends QUIT and closes; or, with quit false, just closes. */
void mg_client_close(struct mg_client *client, bool quit);

/* For tests of robustness: raw bytes as they are, and reading one raw reply packet (-1 at the end, 0 on time-out, else 1). */
int mg_client_raw(struct mg_client *client, const void *bytes, size_t length);
int mg_client_raw_reply(struct mg_client *client, struct mg_packet *packet);

/* Connects, negotiates, quits: 0 when a filter answered within timeout ns. */
int mg_client_probe(const struct mg_endpoint *endpoint, int64_t timeout, struct mg_error *error);
#endif

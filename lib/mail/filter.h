/* SPDX-License-Identifier: ISC */
/* filter: a mail filter that knows no protocol. It is a table of callbacks. A *runner* (run/session
 * under a front for the MTA) feeds it one message at a time and carries out what it decided. */
#ifndef MG_MAIL_FILTER_H
#define MG_MAIL_FILTER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/conf.h"
#include "base/dns.h"
#include "base/error.h"
#include "base/metrics.h"
#include "event/event.h"
#include "mail/message.h"

struct mg_run;

/* What a callback answers. At CONNECT and HELO it judges the session, at RCPT that recipient, else
 * the message. */
enum mg_action {
	MG_CONTINUE, /* go on */
	MG_ACCEPT, /* this filter has seen enough of the message; others go on */
	MG_REJECT,
	MG_TEMPFAIL,
	MG_DISCARD,
	/* could not judge: the runner applies on_error and writes filter-error with the reply as
	 * its reason */
	MG_ERROR
};

struct mg_verdict {
	enum mg_action action;
	char reply[512]; /* "550 5.7.10 text [code ref]"; "" for the default of the action */
};

/* The world a filter may ask. Hermetic runs put a case file behind each member. */
struct mg_world {
	const struct mg_clock *clock;
	const struct mg_events *events; /* this filter's log */
	struct mg_metrics *metrics; /* of the filter's own table; NULL when it has none */
	struct mg_dns *dns; /* of the section `resolver`; never NULL */
	/* it serves: a snapshot may have threads of its own, which its release ends */
	bool serving;
};

/* What every callback gets. */
struct mg_call {
	/* the snapshot that `configure` made; the same for the whole message */
	const void *conf;
	const struct mg_world *world;
	struct mg_message *message; /* NULL before MAIL */
	const struct mg_session *session;
	/* message_size zeroed bytes, this filter's, this message's; NULL before MAIL */
	void *state;
	struct mg_run *run; /* the runner's own */
};

enum mg_end {
	/* a final answer was given: at end of message, or a refusal or discard before */
	MG_END_ANSWERED,
	MG_END_ABORTED, /* RSET, EHLO, or a new MAIL */
	MG_END_LOST /* the connection is gone */
};

/* What is not declared is neither negotiated nor allowed. */
enum {
	MG_EDIT_ADD = 1,
	MG_EDIT_CHANGE = 2, /* and delete; the runner keeps the header block */
	MG_EDIT_BODY = 4,
	MG_EDIT_RCPT = 8,
	MG_EDIT_SENDER = 16,
	MG_EDIT_HOLD = 32
};
enum {
	MG_NEED_HEADERS = 1, /* keep the header block for mg_headers() */
	/* body chunks are answered, so that mg_skip_body() reaches the MTA */
	MG_NEED_SKIP = 2
};

struct mg_filter {
	/* "log": the daemon is millgate-log, its configuration log.conf */
	const char *name;
	unsigned edits, needs;
	size_t message_size;
	/* its settings besides the common ones; ended by .name = NULL; or NULL */
	const struct mg_option *options;
	/* "name=value" of common settings whose default is another for this filter; or NULL */
	const char *const *defaults;
	const struct mg_metric *metrics; /* or NULL */

	/* Makes an immutable snapshot; on failure NULL with errors (mg_conf_error). The world lasts
	 * as long as the snapshot. Filters without settings may leave both NULL. release frees it.
	 */
	void *(*configure)(
		const struct mg_conf *, const struct mg_world *, struct mg_errors *errors);
	void (*release)(void *snapshot);

	/* connect to rcpt are for judging only: their facts are in session and message anyway.
	 * Where no filter has the callback the runner still takes the step it needs for its facts,
	 * without an answer (SMFIP_NR_*) but at MAIL; header, eoh and body are not answered; a step
	 * nobody needs is never sent (SMFIP_NO*). */
	void (*connect)(struct mg_call *, struct mg_verdict *);
	void (*helo)(struct mg_call *, struct mg_verdict *);
	void (*mail)(struct mg_call *, struct mg_verdict *);
	void (*rcpt)(struct mg_call *, const struct mg_recipient *, struct mg_verdict *);
	/* In a chain header to body come before the edits of earlier filters, which are made at
	 * eom: what matters at the end is taken from mg_headers() in eom. A callback without a
	 * verdict that fails calls mg_fail(). */
	void (*header)(struct mg_call *, const struct mg_header *);
	void (*eoh)(struct mg_call *);
	/* 1 to 65,535 bytes, CRLF line ends, cut anywhere (also between CR and LF); valid during
	 * the call only. */
	void (*body)(struct mg_call *, const unsigned char *chunk, size_t length);
	void (*eom)(struct mg_call *, struct mg_verdict *);
	/* An earlier filter of the chain has replaced the body: header, eoh and body come again,
	 * before eom, with the content as it is now; connect to rcpt do not. Forget what header,
	 * eoh and body left in state; what it keeps of the envelope stays. A failure, a hold and
	 * mg_skip_body() of the old content are void. Needed by a filter with message_size that may
	 * follow one with MG_EDIT_BODY and has one of these callbacks. */
	void (*renew)(struct mg_call *);
	/* Once for each message whose MAIL no earlier filter refused, however it ended. */
	void (*end)(struct mg_call *, enum mg_end);
};

/* Memory of this message, zeroed, freed with it; NULL when message_memory is used up: answer
 * MG_ERROR or call mg_fail(). */
void *mg_alloc(struct mg_call *, size_t bytes);
/* A copy of length bytes and a NUL, likewise. */
char *mg_copy(struct mg_call *, const char *text, size_t length);

/* The message cannot be judged: on_error at the next answer, with a filter-error event of this
 * reason. For callbacks without verdict. */
void mg_fail(struct mg_call *, const char *reason);

/* No more body chunks for this filter; eom still comes. With MG_NEED_SKIP the MTA is told
 * (SMFIS_SKIP). */
void mg_skip_body(struct mg_call *);

/* The header block top to bottom, edits of earlier filters and of this one applied; needs
 * MG_NEED_HEADERS or MG_EDIT_CHANGE. Valid until the next edit. */
const struct mg_header *mg_headers(struct mg_call *, size_t *count);

/* Edits, in eom only (mg_hold: from mail on); carried out in order after eom answered CONTINUE or
 * ACCEPT, dropped otherwise or under dry_run. A header value has its own leading space, as in
 * struct mg_header; folds are CRLF or LF and white space. position counts the MTA's own Received,
 * which no filter sees: 0 is above it, 1 below. occurrence counts from 1 in the block as this
 * filter got it, whatever it has deleted since. 0, or -1 when not declared, malformed (NUL, bare CR
 * or LF, a name that is none), no such occurrence, or out of message_memory. */
int mg_insert_header(struct mg_call *, unsigned position, const char *name, const char *value);
/* NULL deletes */
int mg_change_header(struct mg_call *, const char *name, unsigned occurrence, const char *value);
int mg_add_recipient(struct mg_call *, const char *address);
int mg_delete_recipient(struct mg_call *, const char *address);
int mg_change_sender(struct mg_call *, const char *address);
/* Carried out at end of message as the setting `hold` says (DESIGN section 4); the rest of the
 * chain goes on. code: [-a-z0-9]+, up to 60 bytes. */
int mg_hold(struct mg_call *, const char *code);
/* The new body, pulled in chunks while it is sent to the MTA and to later filters of the chain (see
 * renew): read returns bytes, 0 at the end, -1 on failure (the message is then deferred). A bare LF
 * becomes CRLF, a last line without end gets one. The last call counts. */
int mg_replace_body(
	struct mg_call *, long (*read)(void *source, unsigned char *, size_t), void *source);
#endif

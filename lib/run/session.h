/* SPDX-License-Identifier: ISC */
/* session: the state machine between a front and the filters of this process: one struct mg_run a
 * connection of the MTA, any number of messages on it. It knows nothing of a protocol or library: a
 * front calls a function a step, in whatever order a hostile or broken peer sends them, and carries
 * the answer.
 *
 * A message is over at end of message, at a final refusal, at abort, or when the connection ends;
 * each filter's `end` is called once. Local mail, hold, dry_run, on_error, on_bound and time are
 * handled here (DESIGN section 4), so no filter thinks of them.
 *
 * Threads: a struct mg_run is used by one thread at a time. */
#ifndef MG_RUN_SESSION_H
#define MG_RUN_SESSION_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "mail/filter.h"
#include "run/front.h"
#include "run/host.h"

/* A connection; NULL: no memory. host, front and context must outlive it. */
struct mg_run *mg_run_new(struct mg_host *host, const struct mg_front *front, void *context);

/* The steps. What a front must answer is put into verdict: MG_CONTINUE, MG_ACCEPT (no more steps of
 * this message), MG_REJECT and MG_TEMPFAIL with a whole reply ("550 5.7.1 text"), MG_DISCARD; never
 * MG_ERROR. At a step that the plan does not answer it is MG_CONTINUE. client may be NULL
 * (unknown). arguments of mail and rcpt are as in SMTP: the address, with or without <>, then ESMTP
 * parameters; ended by NULL. */
void mg_run_connect(struct mg_run *run, const char *client_name,
	const struct sockaddr_storage *client, struct mg_verdict *verdict);
void mg_run_helo(struct mg_run *run, const char *helo, struct mg_verdict *verdict);
void mg_run_mail(struct mg_run *run, const char *const arguments[], struct mg_verdict *verdict);
void mg_run_rcpt(struct mg_run *run, const char *const arguments[], struct mg_verdict *verdict);
void mg_run_data(struct mg_run *run, struct mg_verdict *verdict);
/* value: every byte after the colon, leading space included; folds LF or CRLF. */
void mg_run_header(struct mg_run *run, const char *name, const char *value);
void mg_run_eoh(struct mg_run *run);
/* false: no filter wants more of the body (the front may answer SKIP). */
bool mg_run_body(struct mg_run *run, const unsigned char *chunk, size_t length);
void mg_run_eom(struct mg_run *run, struct mg_verdict *verdict);
/* RSET, EHLO …: ends the message under way, if any. */
void mg_run_abort(struct mg_run *run);
/* Ends the message under way, frees the run. */
void mg_run_close(struct mg_run *run);
#endif

/* SPDX-License-Identifier: ISC */
/* signing: an outbound message, from the end of its header to its signatures. */
#ifndef MG_DKIM_SIGNING_H
#define MG_DKIM_SIGNING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/dkim_canon.h"
#include "dkim/fragile.h"
#include "dkim/own.h"
#include "mail/filter.h"

/* What is kept of a message; zeroed before. */
struct dkim_message {
	bool begun;
	struct mg_dkim_body body;
	struct dkim_body_facts facts;
	struct dkim_own *own;
	int64_t spent; /* ns, in callbacks before the end */
};

/* At the end of the header. false: no memory. */
bool dkim_signing_begin(struct mg_call *call, struct dkim_message *message);
/* A chunk of the body; begins where that was not done. */
bool dkim_signing_body(struct mg_call *call, struct dkim_message *message,
	const unsigned char *chunk, size_t length);
/* Signs the message, or says why not; began: monotonic ns of this callback. */
void dkim_signing_end(struct mg_call *call, struct dkim_message *message, int64_t began,
	struct mg_verdict *verdict);
/* Forgets everything of header and body. */
void dkim_signing_drop(struct dkim_message *message);
#endif

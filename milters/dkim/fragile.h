/* SPDX-License-Identifier: ISC */
/* fragile: what in a message may break its signature behind us, by what Postfix's smtp client does
 * when it sends. Found in one look at the header and one at the body, which only multipart messages
 * and unusual settings need. */
#ifndef MG_DKIM_FRAGILE_H
#define MG_DKIM_FRAGILE_H
#include <stdbool.h>
#include <stddef.h>

#include "auth/dkim_names.h"
#include "mail/message.h"

enum dkim_fragility {
	/* A part is declared 8bit or binary: for a next hop without 8BITMIME Postfix makes it
	 * quoted-printable, whatever its bytes. What is not declared is sent as it is. */
	DKIM_EIGHT_BIT,
	DKIM_LONG_BODY_LINE, /* it is cut, and was not hashed so */
	DKIM_LONG_HEADER_LINE, /* it is cut; there is no blank to fold it at */
	DKIM_EXPIRES, /* x= is shorter than mail may wait in the queue */
	/* A signed field has a vertical tab or a form feed, which the relaxed form keeps and verifiers
	 * take for white space. */
	DKIM_CONTROLS,
	DKIM_MANY_FIELDS, /* h= is longer than some verifiers read it */
	DKIM_FRAGILITIES
};
/* The code of an event: "eight-bit". */
const char *dkim_fragility_name(enum dkim_fragility fragility);

/* Are x= seconds less than Postfix's maximal_queue_lifetime(5)? */
bool dkim_fragile_expires(long long seconds);
/* Declares the header the body 8bit or binary? */
bool dkim_fragile_header(const struct mg_header *headers, size_t count);
/* Has a field that will be signed one of those controls? */
bool dkim_fragile_controls(
	const struct mg_header *headers, size_t count, const struct mg_dkim_names *signed_names);

/* Are so many fields signed that some verifiers do not read the end of h=? */
bool dkim_fragile_many(
	const struct mg_header *headers, size_t count, const struct mg_dkim_names *signed_names);

enum { DKIM_LOOKAHEAD = 128 };

/* A look at a body under way; its members are the module's own. */
struct dkim_body_facts {
	bool look_for_parts, eight_bit;
	size_t line_limit; /* 0: lines are not looked at */
	size_t column;
	bool long_line;
	unsigned char tail[DKIM_LOOKAHEAD];
	size_t tail_length;
};

/* headers: those of the message; line_limit: octets over which a line is long, 0 none. */
void dkim_body_facts_begin(struct dkim_body_facts *facts, const struct mg_header *headers,
	size_t count, size_t line_limit);
/* A chunk, cut anywhere. */
void dkim_body_facts_add(struct dkim_body_facts *facts, const unsigned char *chunk, size_t length);
#endif

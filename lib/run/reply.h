/* SPDX-License-Identifier: ISC */
/* reply: the text of an SMTP reply as the milter protocol takes it, the same for every front. */
#ifndef MG_RUN_REPLY_H
#define MG_RUN_REPLY_H
#include <stdbool.h>

/* Octets of a reply's text that libmilter and Postfix take (measured). */
enum { MG_REPLY_TEXT_MAX = 980 };

/* The parts of "550 5.7.1 text". */
struct mg_reply {
	char code[4];
	char enhanced[16]; /* of the code's class, RFC 3463 section 2; "" none */
	char text[MG_REPLY_TEXT_MAX + 2]; /* "%" doubled, as the protocol wants it; no controls */
};

/* false when text does not begin with a code of three digits, of class 4 or 5: then the default of
 * the answer is to be used. */
bool mg_reply_split(const char *text, struct mg_reply *reply);
#endif

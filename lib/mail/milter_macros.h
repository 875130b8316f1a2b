/* SPDX-License-Identifier: ISC */
/* milter_macros: the macros of Postfix that Millgate asks for, and what they mean. One list is
 * asked for at MAIL, where all are known and fresh (also after STARTTLS without a second EHLO);
 * the queue id comes with the later steps. Postfix: MILTER_README, "macros". */
#ifndef MG_MAIL_MILTER_MACROS_H
#define MG_MAIL_MILTER_MACROS_H
#include <stdbool.h>

#include "base/arena.h"
#include "mail/message.h"

/* What to ask for at MAIL: "i j {daemon_name} …", blank between. */
extern const char mg_milter_macros_mail[];
/* What to ask for at later steps (RCPT, DATA, end of header and message): "i". */
extern const char mg_milter_macros_later[];

/* Value of a macro ("i", "{client_addr}" — with its braces), or NULL. */
typedef const char *mg_macro_get(void *context, const char *name);

/* Fills session (but not helo, internal) from the macros at MAIL; strings are copied into arena.
 * Broken values (an address that is none, a port that is none) are as if unknown. Without
 * {client_addr}, which Postfix always sends, the client's address stays as it is. local: the mail
 * did not come by SMTP (client port 0 and a queue id at MAIL). false: the arena is full. */
bool mg_milter_macros_session(mg_macro_get *get, void *context, struct mg_arena *arena,
	struct mg_session *session, bool *local);
#endif

/* SPDX-License-Identifier: ISC */
/* judge_case: the circumstances of a message that is judged without the MTA: a JSON object, of a
 * file, of options, and of defaults, and written down again (--case, --record). */
#ifndef MG_RUN_JUDGE_CASE_H
#define MG_RUN_JUDGE_CASE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/dns.h"
#include "base/dns_record.h"
#include "base/error.h"

/* A member of the object; tls.* are those of its object tls. */
struct mg_case_member {
	const char *name;
	enum {
		MG_CASE_TEXT,
		MG_CASE_ADDRESS, /* an IP address */
		MG_CASE_LISTENER, /* ADDRESS:PORT */
		MG_CASE_TIME, /* RFC 3339 */
		MG_CASE_NUMBER, /* 0 to 65535 */
		MG_CASE_BOOLEAN,
		MG_CASE_LIST, /* of texts, at least one */
		MG_CASE_OBJECT /* kept as it is, for who knows it */
	} kind;
	const char *standard; /* the default, as text; NULL none */
	const char *meaning; /* for the manual */
};
extern const struct mg_case_member mg_case_members[]; /* ended by NULL name */

struct mg_case;

/* An empty case; NULL: no memory. */
struct mg_case *mg_case_new(void);
void mg_case_free(struct mg_case *facts);

/* Takes the members of a file. false with errors: each of a wrong type or unknown, by name and
 * nearest name; a file that is no JSON by line and column. */
bool mg_case_load(struct mg_case *facts, const char *path, struct mg_errors *errors);
/* Sets a member that is a text, over what the file says; the same checks. */
bool mg_case_set(
	struct mg_case *facts, const char *name, const char *text, struct mg_errors *errors);
/* Sets the recipients, ended by NULL; of none nothing changes. */
bool mg_case_set_recipients(
	struct mg_case *facts, const char *const recipients[], struct mg_errors *errors);
/* Gives what is missing its default; now: UTC ns. false: no memory. */
bool mg_case_complete(struct mg_case *facts, int64_t now);

/* Members of a complete case, as long as it lives. */
const char *mg_case_text(const struct mg_case *facts, const char *name); /* "" none */
int64_t mg_case_number(const struct mg_case *facts, const char *name); /* 0 none */
bool mg_case_true(const struct mg_case *facts, const char *name);
int64_t mg_case_now(const struct mg_case *facts);
size_t mg_case_recipient_count(const struct mg_case *facts);
const char *mg_case_recipient(const struct mg_case *facts, size_t index);

/* Whether there is a member dns, and a resolver that answers from it. NULL with errors: what is
 * wrong in it. */
bool mg_case_has_dns(const struct mg_case *facts);
struct mg_dns *mg_case_dns(const struct mg_case *facts, struct mg_errors *errors);
/* Puts what was asked in its place. false: no memory. */
bool mg_case_set_dns(struct mg_case *facts, struct mg_dns_notes *notes);

/* Writes it down, so that loading it gives the same. -1 with error. */
int mg_case_record(const struct mg_case *facts, const char *path, struct mg_error *error);
/* The members as mdoc for a manual page. */
void mg_case_print_mdoc(FILE *stream);
#endif

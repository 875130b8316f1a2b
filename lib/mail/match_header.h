/* SPDX-License-Identifier: ISC */
/* match_header: the entries of a condition on fields of the header: 'NAME: PATTERN' for the decoded
 * value of each field of that name, 'NAME' if there is one. Private to match. */
#ifndef MG_MAIL_MATCH_HEADER_H
#define MG_MAIL_MATCH_HEADER_H
#include <stddef.h>

#include "mail/message.h"
#include "mail/patterns.h"

struct mg_match_header;

/* One entry, as mg_option.check. */
const char *mg_match_check_header(const char *entry);

/* NULL with errors; freed by mg_match_header_free. */
struct mg_match_header *mg_match_header_new(
	const char *const entries[], size_t count, struct mg_errors *errors);
void mg_match_header_free(struct mg_match_header *header);

/* As mg_patterns_test, over all fields. */
int mg_match_header_test(const struct mg_match_header *header, const struct mg_header *fields,
	size_t count, struct mg_patterns_run *run, struct mg_error *error);
#endif

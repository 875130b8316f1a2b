/* SPDX-License-Identifier: ISC */
/* match_number: the entries of a condition on a number or size: "5", "> 5", "< 20M". Private to
 * match. */
#ifndef MG_MAIL_MATCH_NUMBER_H
#define MG_MAIL_MATCH_NUMBER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mg_match_numbers;

/* One entry, as mg_option.check. */
const char *mg_match_check_number(const char *entry);
const char *mg_match_check_size(const char *entry);

/* NULL when out of memory, or an entry is not what the check says; freed by free(3). */
struct mg_match_numbers *mg_match_numbers_new(const char *const entries[], size_t count, bool size);
bool mg_match_numbers_fit(const struct mg_match_numbers *numbers, int64_t number);
#endif

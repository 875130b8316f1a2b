/* SPDX-License-Identifier: ISC */
/* patterns: the entries of one condition of a configuration, and whether a value fits one of them.
 * An entry is
 *
 *   text             the value itself, ASCII letters without case
 *   glob             with * ? [] as in fnmatch(3) without path rules
 *   network          192.0.2.0/24 or an address alone
 *   regex:PATTERN    base/regex.h
 *   kind:/path       base/table.h
 *
 * Of domains and addresses both sides are compared in normal form (mail/address.h); a domain with
 * "*" labels is a glob of whole labels. Texts, "*.DOMAIN" and "*@DOMAIN" are looked up, so that a
 * value costs the same however many there are; other globs and expressions are tried one by one,
 * and what all this may cost a message is bounded. */
#ifndef MG_MAIL_PATTERNS_H
#define MG_MAIL_PATTERNS_H
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* What the values are. */
enum mg_patterns_kind {
	MG_PATTERNS_TEXT,
	MG_PATTERNS_DOMAIN,
	MG_PATTERNS_ADDRESS, /* "<>" is the null sender */
	MG_PATTERNS_CLIENT /* IP addresses; entries are networks, tables, regex: */
};

struct mg_patterns;

/* One entry, as mg_option.check: NULL, or what was expected. What is behind "regex:" and in tables is
 * found wrong by mg_patterns_new. */
const char *mg_patterns_check_text(const char *entry);
const char *mg_patterns_check_domain(const char *entry);
const char *mg_patterns_check_address(const char *entry);
const char *mg_patterns_check_client(const char *entry);

/* NULL with errors: a pattern that is none, a table that cannot be opened, no memory. Immutable
 * and thread safe; freed by mg_patterns_free. */
struct mg_patterns *mg_patterns_new(enum mg_patterns_kind kind, const char *const entries[],
	size_t count, struct mg_errors *errors);
void mg_patterns_free(struct mg_patterns *patterns);

/* The tests of one message: memory they share, and what they still may cost. */
struct mg_patterns_run {
	struct mg_buf normal;
	uint64_t work;
};
void mg_patterns_run_begin(struct mg_patterns_run *run);
void mg_patterns_run_end(struct mg_patterns_run *run);

/* Does value, as it stands in the message, fit an entry? 1 it does, 0 not, -1 with error: a table
 * could not be read, an expression ran into its bounds, the message into its own, no memory. */
int mg_patterns_test(const struct mg_patterns *patterns, const char *value,
	struct mg_patterns_run *run, struct mg_error *error);
#endif

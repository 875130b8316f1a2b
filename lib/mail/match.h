/* SPDX-License-Identifier: ISC */
/* match: the section `match { }` of a configuration: conditions on a message, over one table of
 * facts (match_facts). All of a section hold; `any { }` holds if one of them does, `not { }` if none
 * does; both may stand in each other. FACT = value or list: true if one value of the fact fits one
 * entry: text (no case), glob, CIDR for addresses, "> N" and "< N" for numbers and sizes,
 * 'regex:...', or a table (file: cidr: lmdb:); a fact without value fits nothing. What a test costs
 * is bounded. A compiled match is immutable and thread safe. */
#ifndef MG_MAIL_MATCH_H
#define MG_MAIL_MATCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/conf.h"
#include "base/error.h"
#include "mail/message.h"

/* The settings of a section `match`: a row a fact, and `any` and `not`. */
extern const struct mg_option mg_match_options[];

struct mg_match;

/* Compiles a section (mg_conf_section(conf, "match")); one that is not there, or empty, fits
 * everything. NULL with errors, each with file and line. */
struct mg_match *mg_match_new(const struct mg_conf *section, struct mg_errors *errors);
void mg_match_free(struct mg_match *match);

/* What facts are taken from. */
struct mg_match_facts {
	const struct mg_message *message;
	const struct mg_header *headers; /* top to bottom; of facts of the header */
	size_t header_count;
};
/* 1 it fits, 0 not, -1 with error: a table could not be read, a pattern ran into its limits. */
int mg_match_test(
	const struct mg_match *match, const struct mg_match_facts *facts, struct mg_error *error);
/* Is the header needed to know, or the size? Then it can only be tested at end of message. */
bool mg_match_needs_header(const struct mg_match *match);

/* The facts as mdoc for manual pages, .It of a tagged list. */
void mg_match_print_mdoc(FILE *stream);
#endif

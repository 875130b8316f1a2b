/* SPDX-License-Identifier: ISC */
/* conf_value: a value as written becomes one of its setting's kind, or an error. Private to
 * conf. */
#ifndef MG_BASE_CONF_VALUE_H
#define MG_BASE_CONF_VALUE_H
#include <stdbool.h>

#include "base/conf_raw.h"
#include "base/conf_tree.h"

/* The value, in the memory of the tree; NULL with errors, or when out of memory. context may be
 * NULL: then only NULL says so. */
const struct mg_conf_value *mg_conf_value_make(struct mg_conf_tree *tree,
	const struct mg_option *option, const struct mg_conf_raw *raw,
	const struct mg_conf_context *context);
/* The lists of the values (at least one), one behind the other; NULL when out of memory. */
const struct mg_conf_value *mg_conf_value_join(
	struct mg_conf_tree *tree, const struct mg_conf_value *const values[], size_t count);
bool mg_conf_value_equal(
	enum mg_kind kind, const struct mg_conf_value *a, const struct mg_conf_value *b);
/* What a setting expects, for errors and the manual: "a number from 1 to 5", "yes or no", "native
 * or libmilter". */
void mg_conf_value_expected(const struct mg_option *option, char *text, size_t size);
/* "1 to 5", "at least 1K", or "" when an option's bounds are the usual ones (not negative). */
void mg_conf_value_range(const struct mg_option *option, char *text, size_t size);
/* The words of an option, one by one: true and word (size bytes) while there is an index-th. */
bool mg_conf_word_at(const struct mg_option *option, size_t index, char *word, size_t size);
#endif

/* SPDX-License-Identifier: ISC */
/* conf_schema: tables of `struct mg_option`, indexed, with their defaults as values. Private to
 * conf. */
#ifndef MG_BASE_CONF_SCHEMA_H
#define MG_BASE_CONF_SCHEMA_H
#include "base/conf_tree.h"

/* The schema of `tables` (ended by NULL) as one, in the memory of the tree; NULL when out of
 * memory. Aborts when the tables are wrong: a name twice, a default that is none of its kind. */
struct mg_conf_schema *mg_conf_schema_new(
	struct mg_conf_tree *tree, const struct mg_option *const tables[]);
/* The index of an option; `count` of the schema when there is none. */
size_t mg_conf_schema_find(const struct mg_conf_schema *schema, const char *name, size_t length);
/* The same of those that may stand in this file. */
size_t mg_conf_schema_find_in(const struct mg_conf_schema *schema, const struct mg_conf_file *file,
	const char *name, size_t length);
/* Of the names that may stand in this file the one nearest to text; NULL when none is near. */
const char *mg_conf_schema_nearest(
	const struct mg_conf_schema *schema, const struct mg_conf_file *file, const char *text);
static inline bool mg_conf_is_section(enum mg_kind kind)
{
	return kind == MG_SECTION || kind == MG_SECTIONS;
}
#endif

/* SPDX-License-Identifier: ISC */
/* conf_parse: the grammar. Reports every error of a text and goes on behind it, so that one
 * mistake is one error. Private to conf. */
#ifndef MG_BASE_CONF_PARSE_H
#define MG_BASE_CONF_PARSE_H
#include <stddef.h>

#include "base/conf_tree.h"

/* What to do with include("path") of a file; the context is where it stands. */
typedef void mg_conf_include(void *argument, const struct mg_conf_file *from, const char *path,
	unsigned line, const struct mg_conf_context *context);

/* Assigns what text says to the tree. */
void mg_conf_parse(struct mg_conf_tree *tree, const struct mg_conf_file *file, const char *text,
	size_t length, mg_conf_include *include, void *argument, struct mg_errors *errors);
/* Assigns "name=value" or "name+=value" as -o has it; file stands for -o. */
void mg_conf_parse_override(struct mg_conf_tree *tree, const struct mg_conf_file *file,
	const char *text, struct mg_errors *errors);
#endif

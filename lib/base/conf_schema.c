/* SPDX-License-Identifier: ISC */
#include "base/conf_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_value.h"
#include "base/str.h"

enum { NAMES_MAX = 200 /* of a table, looked at for the nearest */ };

static void wrong_table(const char *name, const char *why)
{
	fprintf(stderr, "table of settings: %s: %s\n", name, why);
	abort();
}

size_t mg_conf_schema_find(const struct mg_conf_schema *schema, const char *name, size_t length)
{
	for (size_t i = 0; i < schema->count; i++)
		if (strncmp(schema->names[i], name, length) == 0 &&
			schema->names[i][length] == '\0')
			return i;
	return schema->count;
}

size_t mg_conf_schema_find_in(const struct mg_conf_schema *schema, const struct mg_conf_file *file,
	const char *name, size_t length)
{
	size_t option = mg_conf_schema_find(schema, name, length);

	return option < schema->count && file->own && schema->options[option]->foreign
		       ? schema->count
		       : option;
}

const char *mg_conf_schema_nearest(
	const struct mg_conf_schema *schema, const struct mg_conf_file *file, const char *text)
{
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < schema->count && count < NAMES_MAX; i++)
		if (!file->own || !schema->options[i]->foreign)
			names[count++] = schema->names[i];
	return mg_str_nearest(text, names, count);
}

static struct mg_conf_schema *schema_of(struct mg_conf_tree *tree,
	const struct mg_option *const tables[], const struct mg_option *key)
{
	struct mg_conf_schema *schema = mg_conf_alloc(tree, sizeof(*schema));
	size_t size = 1;

	for (size_t t = 0; tables[t]; t++)
		for (const struct mg_option *option = tables[t]; option->name; option++)
			size++;
	if (!schema)
		return NULL;
	schema->key = key;
	schema->options = mg_conf_alloc(tree, size * sizeof(struct mg_option *));
	schema->names = mg_conf_alloc(tree, size * sizeof(char *));
	schema->children = mg_conf_alloc(tree, size * sizeof(struct mg_conf_schema *));
	if (tree->out_of_memory)
		return NULL;
	for (size_t t = 0; tables[t]; t++) {
		for (const struct mg_option *option = tables[t]; option->name; option++) {
			if (mg_conf_schema_find(schema, option->name, strlen(option->name)) <
				schema->count)
				wrong_table(option->name, "declared twice");
			schema->options[schema->count] = option;
			schema->names[schema->count++] = option->name;
		}
	}
	schema->next = tree->schemas;
	tree->schemas = schema;
	return schema;
}

static bool make_default(struct mg_conf_tree *tree, struct mg_conf_schema *schema, size_t option)
{
	const struct mg_option *row = schema->options[option];
	struct mg_conf_raw raw;

	if (!row->value)
		wrong_table(row->name, "no default");
	if (!mg_conf_raw_parse(tree, row->value, row->name, &raw, NULL))
		schema->defaults->slots[option].value = NULL;
	else
		schema->defaults->slots[option].value = mg_conf_value_make(tree, row, &raw, NULL);
	if (!schema->defaults->slots[option].value && !tree->out_of_memory)
		wrong_table(row->name, "the default is no such value");
	return schema->defaults->slots[option].value != NULL;
}

/* Defaults are one section a schema, in which a section nobody wrote is that schema's defaults:
 * so a schema may contain itself. */
static bool make_defaults(struct mg_conf_tree *tree, struct mg_conf_schema *schema)
{
	for (size_t i = 0; i < schema->count; i++) {
		struct mg_conf_slot *slot = &schema->defaults->slots[i];

		if (schema->options[i]->kind == MG_SECTION)
			slot->section = schema->children[i]->defaults;
		else if (schema->options[i]->kind == MG_SECTIONS)
			slot->titled = mg_conf_alloc(tree, sizeof(*slot->titled));
		else if (!make_default(tree, schema, i))
			return false;
	}
	return !tree->out_of_memory;
}

static struct mg_conf_schema *known_schema(
	const struct mg_conf_tree *tree, const struct mg_option *key)
{
	struct mg_conf_schema *schema = tree->schemas;

	while (schema && schema->key != key)
		schema = schema->next;
	return schema;
}

/* Whether a section of schema can hold one of `wanted`; looks at each schema once. */
static bool reaches(struct mg_conf_schema *schema, const struct mg_conf_schema *wanted)
{
	schema->looked_for = wanted;
	for (size_t i = 0; i < schema->count; i++) {
		struct mg_conf_schema *child = schema->children[i];

		if (child && (child == wanted ||
				     (child->looked_for != wanted && reaches(child, wanted))))
			return true;
	}
	return false;
}

/* Adds the schemas of the sections that are not there yet. */
static bool add_children(struct mg_conf_tree *tree, struct mg_conf_schema *schema)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct mg_option *row = schema->options[i];
		const struct mg_option *const tables[] = {row->options, NULL};

		if (!mg_conf_is_section(row->kind))
			continue;
		if (!row->options)
			wrong_table(row->name, "a section without options");
		schema->children[i] = known_schema(tree, row->options);
		if (schema->children[i])
			continue;
		schema->children[i] = schema_of(tree, tables, row->options);
		if (!schema->children[i] || !add_children(tree, schema->children[i]))
			return false;
	}
	return true;
}

struct mg_conf_schema *mg_conf_schema_new(
	struct mg_conf_tree *tree, const struct mg_option *const tables[])
{
	struct mg_conf_schema *top = schema_of(tree, tables, NULL);

	if (!top || !add_children(tree, top))
		return NULL;
	for (struct mg_conf_schema *s = tree->schemas; s; s = s->next) {
		s->defaults = mg_conf_section_new(tree, s, NULL, "", "");
		if (!s->defaults)
			return NULL;
	}
	for (struct mg_conf_schema *s = tree->schemas; s; s = s->next) {
		s->recursive = reaches(s, s);
		if (!make_defaults(tree, s))
			return NULL;
	}
	return top;
}

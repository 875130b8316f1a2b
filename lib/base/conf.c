/* SPDX-License-Identifier: ISC */
/* conf: reading values of a loaded configuration. Loading is conf_load. */
#include "base/conf.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_schema.h"
#include "base/conf_tree.h"
#include "base/conf_value.h"

/* A bit a kind: what a getter takes. */
#define KIND(kind) (1U << (kind))
enum { ANY_KIND = -1 };

struct found {
	const struct mg_conf *section;
	const struct mg_conf_slot *slot;
	const struct mg_option *option;
	size_t index;
};

static void wrong_name(const char *name, const char *why)
{
	fprintf(stderr, "setting %s: %s\n", name, why);
	abort();
}

static struct found find(const struct mg_conf *conf, const char *name, unsigned kinds)
{
	struct found found = {.section = conf};
	const char *part = name;

	for (;;) {
		size_t length = strcspn(part, ".");

		found.index = mg_conf_schema_find(found.section->schema, part, length);
		if (found.index == found.section->schema->count)
			wrong_name(name, "not declared");
		found.slot = &found.section->slots[found.index];
		found.option = found.section->schema->options[found.index];
		part += length;
		if (!*part++)
			break;
		if (found.option->kind != MG_SECTION)
			wrong_name(name, "not a section");
		found.section = found.slot->section;
	}
	if (!(KIND(found.option->kind) & kinds))
		wrong_name(name, "of another kind");
	return found;
}

void mg_conf_free(struct mg_conf *conf)
{
	if (conf)
		mg_arena_free(conf->tree->arena);
}

int64_t mg_conf_number(const struct mg_conf *conf, const char *name)
{
	const unsigned kinds = KIND(MG_NUMBER) | KIND(MG_SIZE) | KIND(MG_DURATION) | KIND(MG_WORD);

	return find(conf, name, kinds).slot->value->number;
}

bool mg_conf_bool(const struct mg_conf *conf, const char *name)
{
	return find(conf, name, KIND(MG_BOOL)).slot->value->number != 0;
}

const char *mg_conf_text(const struct mg_conf *conf, const char *name)
{
	return find(conf, name, KIND(MG_TEXT) | KIND(MG_WORD)).slot->value->text;
}

const char *const *mg_conf_list(const struct mg_conf *conf, const char *name, size_t *count)
{
	const struct mg_conf_value *value =
		find(conf, name, KIND(MG_LIST) | KIND(MG_NETWORKS)).slot->value;

	*count = value->count;
	return value->list;
}

const struct mg_network *mg_conf_networks(
	const struct mg_conf *conf, const char *name, size_t *count)
{
	const struct mg_conf_value *value = find(conf, name, KIND(MG_NETWORKS)).slot->value;

	*count = value->count;
	return value->networks;
}

const struct mg_conf *mg_conf_section(const struct mg_conf *conf, const char *name)
{
	return find(conf, name, KIND(MG_SECTION)).slot->section;
}

size_t mg_conf_count(const struct mg_conf *conf, const char *name)
{
	return find(conf, name, KIND(MG_SECTIONS)).slot->titled->count;
}

const struct mg_conf *mg_conf_at(const struct mg_conf *conf, const char *name, size_t index)
{
	const struct mg_conf_titled *titled = find(conf, name, KIND(MG_SECTIONS)).slot->titled;

	if (index >= titled->count)
		wrong_name(name, "index over the count");
	return titled->list[index];
}

const char *mg_conf_title(const struct mg_conf *conf)
{
	return conf->title;
}

/* Sections of which each setting is the default are as if they were not written, but those whose
 * mere presence may mean something: what can hold its like ("not { }"). */
static bool section_is_set(const struct mg_conf *section)
{
	if (section->schema->recursive)
		return section->places != NULL;
	for (size_t i = 0; i < section->schema->count; i++)
		if (mg_conf_is_set(section, section->schema->names[i]))
			return true;
	return false;
}

bool mg_conf_is_set(const struct mg_conf *conf, const char *name)
{
	const struct found found = find(conf, name, (unsigned)ANY_KIND);
	const struct mg_conf_value *unset;

	if (found.option->kind == MG_SECTION)
		return section_is_set(found.slot->section);
	if (found.option->kind == MG_SECTIONS)
		return found.slot->titled->count > 0;
	unset = found.section->schema->defaults->slots[found.index].value;
	return !mg_conf_value_equal(found.option->kind, found.slot->value, unset);
}

/* Where a section itself stands: file "" and line 0 when nowhere. */
static void section_place(const struct mg_conf *section, const char **file, unsigned *line)
{
	*file = section->places ? section->places->file->shown : "";
	*line = section->places ? section->places->line : 0;
}

void mg_conf_place(const struct mg_conf *conf, const char *name, const char **file, unsigned *line)
{
	const struct found found = find(conf, name, (unsigned)ANY_KIND);
	const struct mg_conf_assignment *assigned = found.slot->assigned;

	if (found.option->kind == MG_SECTION) {
		section_place(found.slot->section, file, line);
	} else if (found.option->kind == MG_SECTIONS && found.slot->titled->count > 0) {
		section_place(found.slot->titled->list[0], file, line);
	} else {
		*file = assigned ? assigned->file->shown : "";
		*line = assigned ? assigned->line : 0;
	}
}

void mg_conf_error(const struct mg_conf *conf, const char *name, struct mg_errors *errors,
	const char *format, ...)
{
	struct mg_conf_context context = {.errors = errors, .shown = "", .section = conf};
	char text[sizeof(((struct mg_error *)NULL)->text)];
	const char *main_file = conf->tree->shown;
	unsigned line = 0;
	va_list arguments;

	if (name) {
		const struct found found = find(conf, name, (unsigned)ANY_KIND);

		context.section = found.section;
		mg_conf_place(conf, name, &context.shown, &line);
	}
	/* A default stands where its section does, and that, if nowhere, where the next outer one
	 * does. */
	for (const struct mg_conf *at = context.section; at && !*context.shown; at = at->parent)
		section_place(at, &context.shown, &line);
	if (!*context.shown)
		context.shown = main_file;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	mg_conf_report(&context, line, "%s", text);
}

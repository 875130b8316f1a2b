/* SPDX-License-Identifier: ISC */
#include "base/conf_tree.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf_schema.h"
#include "base/conf_value.h"
#include "base/str.h"

void mg_conf_section_name(const struct mg_conf *section, char *text, size_t size)
{
	char title[80];

	mg_str_printable(title, sizeof(title), section->title, strlen(section->title));
	if (*section->title)
		mg_str_format(text, size, "%s \"%s\"", section->name, title);
	else
		mg_str_copy(text, size, section->name);
}

/* Adds "events: redact: " to text, which has room for what fits. */
static void add_path(const struct mg_conf *section, char *text, size_t size)
{
	size_t used;

	if (!section || !*section->name)
		return;
	add_path(section->parent, text, size);
	used = strlen(text);
	mg_conf_section_name(section, text + used, size - used);
	used = strlen(text);
	mg_str_copy(text + used, size - used, ": ");
}

void mg_conf_report(const struct mg_conf_context *context, unsigned line, const char *format, ...)
{
	char path[256] = "", text[512], place[16] = "";
	va_list arguments;

	if (!context)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (line > 0)
		mg_str_format(place, sizeof(place), ":%u", line);
	add_path(context->section, path, sizeof(path));
	mg_errors_add(context->errors, "%s%s: %s%s", context->shown, place, path, text);
}

void *mg_conf_alloc(struct mg_conf_tree *tree, size_t bytes)
{
	void *memory = tree->out_of_memory ? NULL : mg_arena_alloc(tree->arena, bytes);

	tree->out_of_memory |= !memory;
	return memory;
}

static void keep_title(void *node)
{
	(void)node;
}

void mg_conf_tree_end_loading(struct mg_conf_tree *tree)
{
	for (struct mg_conf_titled *titled = tree->titled; titled; titled = titled->next) {
		tdestroy(titled->by_title, keep_title);
		titled->by_title = NULL;
	}
}

struct mg_conf *mg_conf_section_new(struct mg_conf_tree *tree, const struct mg_conf_schema *schema,
	const struct mg_conf *parent, const char *name, const char *title)
{
	struct mg_conf *section = mg_conf_alloc(tree, sizeof(*section));
	struct mg_conf_slot *slots =
		mg_conf_alloc(tree, (schema->count + 1) * sizeof(struct mg_conf_slot));

	if (!section || !slots)
		return NULL;
	*section = (struct mg_conf){.tree = tree,
		.schema = schema,
		.parent = parent,
		.name = name,
		.title = title,
		.slots = slots};
	return section;
}

struct mg_conf *mg_conf_section_open(struct mg_conf *parent, size_t option)
{
	struct mg_conf_slot *slot = &parent->slots[option];

	if (!slot->open_section)
		slot->open_section =
			mg_conf_section_new(parent->tree, parent->schema->children[option], parent,
				parent->schema->names[option], "");
	return slot->open_section;
}

static int compare_titles(const void *a, const void *b)
{
	const struct mg_conf *first = a, *second = b;

	return strcmp(first->title, second->title);
}

static bool append_titled(struct mg_conf_titled *titled, struct mg_conf *section)
{
	if (titled->count == titled->size) {
		size_t size = titled->size ? 2 * titled->size : 4;
		struct mg_conf **grown =
			mg_conf_alloc(section->tree, size * sizeof(struct mg_conf *));

		if (!grown)
			return false;
		if (titled->count > 0)
			memcpy(grown, titled->list, titled->count * sizeof(struct mg_conf *));
		titled->list = grown;
		titled->size = size;
	}
	titled->list[titled->count++] = section;
	return true;
}

static struct mg_conf_titled *titled_of(struct mg_conf *parent, size_t option)
{
	struct mg_conf_tree *tree = parent->tree;
	struct mg_conf_titled *titled = parent->slots[option].titled;

	if (titled)
		return titled;
	titled = mg_conf_alloc(tree, sizeof(*titled));
	if (titled) {
		titled->next = tree->titled;
		tree->titled = titled;
		parent->slots[option].titled = titled;
	}
	return titled;
}

struct mg_conf *mg_conf_section_titled(struct mg_conf *parent, size_t option, const char *title)
{
	struct mg_conf_tree *tree = parent->tree;
	const struct mg_conf wanted = {.title = title};
	struct mg_conf_titled *titled = titled_of(parent, option);
	struct mg_conf *section, **found;

	if (!titled)
		return NULL;
	found = tfind(&wanted, &titled->by_title, compare_titles);
	if (found)
		return *found;
	section = mg_conf_section_new(tree, parent->schema->children[option], parent,
		parent->schema->names[option], title);
	if (!section)
		return NULL;
	if (!tsearch(section, &titled->by_title, compare_titles)) {
		tree->out_of_memory = true;
		return NULL;
	}
	return append_titled(titled, section) ? section : NULL;
}

unsigned mg_conf_section_line(const struct mg_conf *section, const struct mg_conf_file *file)
{
	for (const struct mg_conf_place *place = section->places; place; place = place->next)
		if (place->file == file)
			return place->line;
	return 0;
}

void mg_conf_section_place(struct mg_conf *section, const struct mg_conf_file *file, unsigned line)
{
	struct mg_conf_place *place = mg_conf_alloc(section->tree, sizeof(*place));

	if (!place)
		return;
	*place = (struct mg_conf_place){.file = file, .line = line, .next = section->places};
	section->places = place;
}

unsigned mg_conf_assigned_line(
	const struct mg_conf *section, size_t option, const struct mg_conf_file *file)
{
	const struct mg_conf_assignment *assigned = section->slots[option].assigned;

	for (; assigned; assigned = assigned->next)
		if (assigned->file == file)
			return assigned->line;
	return 0;
}

void mg_conf_assign(struct mg_conf *section, size_t option, const struct mg_conf_file *file,
	unsigned line, bool add, const struct mg_conf_value *value)
{
	struct mg_conf_slot *slot = &section->slots[option];
	struct mg_conf_assignment *assigned = mg_conf_alloc(section->tree, sizeof(*assigned));

	if (!assigned)
		return;
	*assigned = (struct mg_conf_assignment){.file = file,
		.value = value,
		.line = line,
		.sequence = section->tree->values,
		.add = add,
		.next = slot->assigned};
	slot->assigned = assigned;
}

static int compare_assignments(const void *a, const void *b)
{
	const struct mg_conf_assignment *first = *(const struct mg_conf_assignment *const *)a;
	const struct mg_conf_assignment *second = *(const struct mg_conf_assignment *const *)b;

	if (first->file->order != second->file->order)
		return first->file->order < second->file->order ? -1 : 1;
	return first->sequence < second->sequence ? -1 : first->sequence > second->sequence;
}

/* The assignments of a slot in the order in which they count, `count` of them; free() it. NULL
 * when out of memory. */
static struct mg_conf_assignment **in_order(const struct mg_conf_slot *slot, size_t *count)
{
	struct mg_conf_assignment **order;
	size_t at;

	*count = 0;
	for (struct mg_conf_assignment *a = slot->assigned; a; a = a->next)
		++*count;
	order = calloc(*count + 1, sizeof(*order));
	if (!order)
		return NULL;
	at = *count;
	for (struct mg_conf_assignment *a = slot->assigned; a; a = a->next)
		order[--at] = a;
	qsort(order, *count, sizeof(*order), compare_assignments);
	return order;
}

/* What the last "=" (or the default) and each "+=" behind it make of a setting. */
static void resolve_value(struct mg_conf *section, size_t option, struct mg_errors *errors)
{
	struct mg_conf_slot *slot = &section->slots[option];
	struct mg_conf_assignment **order = NULL, *last;
	const struct mg_conf_value **values = NULL;
	size_t count, first, used = 0, entries = 0;

	slot->value = section->schema->defaults->slots[option].value;
	if (!slot->assigned)
		return;
	order = in_order(slot, &count);
	values = order ? calloc(count + 1, sizeof(*values)) : NULL;
	if (!values) {
		section->tree->out_of_memory = true;
		goto done;
	}
	for (first = count - 1; first > 0 && order[first]->add; first--)
		continue;
	if (order[first]->add)
		values[used++] = slot->value;
	while (first < count)
		values[used++] = order[first++]->value;
	for (size_t i = 0; i < used; i++)
		entries += values[i]->count;
	last = order[count - 1];
	slot->assigned = last;
	if (entries > MG_CONF_LIST_MAX)
		mg_errors_add(errors, "%s:%u: %s: over %d entries; put them into a table",
			last->file->shown, last->line, section->schema->names[option],
			MG_CONF_LIST_MAX);
	else
		slot->value =
			used == 1 ? values[0] : mg_conf_value_join(section->tree, values, used);
done:
	free(values);
	free(order);
}

static void resolve_section(struct mg_conf *section, size_t option, struct mg_errors *errors)
{
	struct mg_conf_slot *slot = &section->slots[option];
	const struct mg_conf_schema *schema = section->schema->children[option];

	/* A section nobody wrote is one of its own, so that errors know where it would stand; but
	 * not for ever in depth. */
	if (!slot->open_section && !schema->recursive)
		mg_conf_section_open(section, option);
	if (slot->open_section)
		mg_conf_resolve(slot->open_section, errors);
	else
		slot->section = schema->defaults;
}

void mg_conf_resolve(struct mg_conf *section, struct mg_errors *errors)
{
	for (size_t i = 0; i < section->schema->count && !section->tree->out_of_memory; i++) {
		struct mg_conf_titled *titled;

		switch (section->schema->options[i]->kind) {
		case MG_SECTION: resolve_section(section, i, errors); break;
		case MG_SECTIONS:
			titled = titled_of(section, i);
			for (size_t at = 0; titled && at < titled->count; at++)
				mg_conf_resolve(titled->list[at], errors);
			break;
		default: resolve_value(section, i, errors); break;
		}
	}
}

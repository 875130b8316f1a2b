/* SPDX-License-Identifier: ISC */
#include "base/conf_parse.h"

#include <string.h>

#include "base/conf_lex.h"
#include "base/conf_raw.h"
#include "base/conf_schema.h"
#include "base/conf_value.h"
#include "base/str.h"
#include "base/textfile.h"

enum { DEPTH_MAX = 32 };

struct parser {
	struct mg_conf_lexer lexer;
	struct mg_conf_tree *tree;
	const struct mg_conf_file *file;
	struct mg_conf_context context; /* its section is the one being read */
	mg_conf_include *include;
	void *argument;
	/* A "}" was missing: the sections up to this one end here. Each that does may have its
	 * "}" further on. */
	const struct mg_conf *back_to;
	size_t ended_early;
	bool end_reported;
};

static void next(struct parser *p)
{
	mg_conf_lex_next(&p->lexer);
}

static enum mg_conf_token_kind kind_of(const struct parser *p)
{
	return p->lexer.token.kind;
}

/* Goes on to the next token with which a setting, or the end of the section, may begin. */
static void skip_to_setting(struct parser *p)
{
	size_t open = 0;

	for (; kind_of(p) != MG_CONF_END; next(p)) {
		enum mg_conf_token_kind ahead = p->lexer.ahead.kind;

		if (open == 0 && kind_of(p) == MG_CONF_CLOSE)
			return;
		if (open == 0 && kind_of(p) == MG_CONF_WORD &&
			(ahead == MG_CONF_SET || ahead == MG_CONF_ADD || ahead == MG_CONF_OPEN ||
				ahead == MG_CONF_LEFT || ahead == MG_CONF_TEXT))
			return;
		if (kind_of(p) == MG_CONF_OPEN)
			open++;
		if (kind_of(p) == MG_CONF_CLOSE)
			open--;
	}
}

static void report_unclosed(struct parser *p, const char *name, unsigned opened)
{
	struct mg_conf_context context = p->context;

	if (p->end_reported)
		return;
	p->end_reported = true;
	context.section = NULL;
	mg_conf_report(&context, p->lexer.token.line,
		"the file ends inside %s (line %u): \"}\" missing", name, opened);
}

/* Skips "{ ... }" at the token. */
static void skip_block(struct parser *p, const char *name, unsigned line)
{
	size_t open = 0;

	do {
		if (kind_of(p) == MG_CONF_OPEN)
			open++;
		if (kind_of(p) == MG_CONF_CLOSE)
			open--;
		if (kind_of(p) == MG_CONF_END) {
			report_unclosed(p, name, line);
			return;
		}
		next(p);
	} while (open > 0);
}

static bool is_sections_name(
	const struct parser *p, const struct mg_conf_schema *schema, const char *name)
{
	size_t option = mg_conf_schema_find_in(schema, p->file, name, strlen(name));

	return option < schema->count && mg_conf_is_section(schema->options[option]->kind);
}

static void report_unknown(struct parser *p, const struct mg_conf_token *name, const char *what)
{
	const struct mg_conf *section = p->context.section, *root = p->tree->root;
	char shown[64];
	const char *nearest = mg_conf_schema_nearest(section->schema, p->file, name->text);

	if (p->tree->partial)
		return;
	mg_str_printable(shown, sizeof(shown), name->text, strlen(name->text));
	if (section != root && mg_conf_schema_find_in(root->schema, p->file, name->text,
				       strlen(name->text)) < root->schema->count)
		mg_conf_report(&p->context, name->line,
			"no %s \"%s\"; it stands outside of sections", what, shown);
	else
		mg_conf_report(&p->context, name->line, "no %s \"%s\"%s%s", what, shown,
			nearest ? "; nearest: " : "", nearest ? nearest : "");
}

/* Counts a value or section against the bound of the whole; at the bound reading ends. */
static bool count_value(struct parser *p, unsigned line)
{
	if (p->tree->values < MG_CONF_VALUES_MAX) {
		p->tree->values++;
		return true;
	}
	mg_conf_report(
		&p->context, line, "over %d values; put lists into tables", MG_CONF_VALUES_MAX);
	p->end_reported = true;
	p->lexer.at = p->lexer.end;
	next(p);
	next(p);
	return false;
}

/* Judges "=" or "+=" for an option; false with an error. */
static bool may_assign(struct parser *p, size_t option, const struct mg_conf_token *name, bool add)
{
	const struct mg_conf *section = p->context.section;
	enum mg_kind kind = section->schema->options[option]->kind;
	unsigned first = mg_conf_assigned_line(section, option, p->file);

	if (add && kind != MG_LIST && kind != MG_NETWORKS) {
		mg_conf_report(
			&p->context, name->line, "%s is no list; expected \"=\"", name->text);
		return false;
	}
	if (!add && first > 0) {
		mg_conf_report(&p->context, name->line, "%s is set twice; first in line %u",
			name->text, first);
		return false;
	}
	return true;
}

/* name = value, at the "=". */
static void read_assignment(struct parser *p, struct mg_conf *section, struct mg_conf_token name)
{
	bool add = kind_of(p) == MG_CONF_ADD;
	size_t option =
		mg_conf_schema_find_in(section->schema, p->file, name.text, strlen(name.text));
	const struct mg_conf_value *value = NULL;
	struct mg_conf_raw raw;

	next(p);
	if (option == section->schema->count) {
		report_unknown(p, &name, "setting");
		mg_conf_raw_read(p->tree, &p->lexer, name.text, &raw, NULL);
		return;
	}
	if (mg_conf_is_section(section->schema->options[option]->kind)) {
		mg_conf_report(&p->context, name.line, "%s is a section; expected \"{\", not \"=\"",
			name.text);
		if (kind_of(p) == MG_CONF_OPEN)
			skip_block(p, name.text, name.line);
		return;
	}
	if (!mg_conf_raw_read(p->tree, &p->lexer, name.text, &raw, &p->context))
		return;
	if (may_assign(p, option, &name, add))
		value = mg_conf_value_make(
			p->tree, section->schema->options[option], &raw, &p->context);
	if (value && count_value(p, name.line))
		mg_conf_assign(section, option, p->file, name.line, add, value);
}

static void read_settings(struct parser *p, struct mg_conf *section, unsigned opened, int depth);

/* The section that `name "title" {` opens: a new one apart from the others when there is an error
 * with it, so that what stands in it is read all the same. NULL when out of memory. */
static struct mg_conf *open_section(struct parser *p, struct mg_conf *parent, size_t option,
	const struct mg_conf_token *name, const struct mg_conf_token *title)
{
	bool titled = parent->schema->options[option]->kind == MG_SECTIONS;
	const char *text = title ? title->text : "";
	struct mg_conf *section = NULL;
	unsigned first;

	if (title && title->problem)
		mg_conf_report(&p->context, title->line, "%s", title->problem);
	else if (titled && !*text)
		mg_conf_report(&p->context, name->line, "%s: no title; expected %s \"title\" {",
			name->text, name->text);
	else if (!titled && title)
		mg_conf_report(&p->context, name->line, "%s has no title; expected %s {",
			name->text, name->text);
	else
		section = titled ? mg_conf_section_titled(parent, option, text)
				 : mg_conf_section_open(parent, option);
	first = section ? mg_conf_section_line(section, p->file) : 0;
	if (first > 0) {
		struct mg_conf_context context = p->context;

		context.section = section;
		mg_conf_report(&context, name->line, "stands twice; first in line %u", first);
		section = NULL;
	}
	if (!section)
		section = mg_conf_section_new(
			p->tree, parent->schema->children[option], parent, name->text, text);
	if (section)
		mg_conf_section_place(section, p->file, name->line);
	return section;
}

/* A section that is not known here. If an outer one knows it, the "}" of those between is
 * missing. */
static void unknown_section(
	struct parser *p, struct mg_conf *section, const struct mg_conf_token *name)
{
	for (const struct mg_conf *outer = section->parent; outer; outer = outer->parent) {
		if (!is_sections_name(p, outer->schema, name->text))
			continue;
		mg_conf_report(&p->context, name->line, "\"}\" missing before %s", name->text);
		p->back_to = outer;
		return;
	}
	report_unknown(p, name, "section");
}

/* name { ... } or name "title" { ... }, at the name. */
static void read_section(struct parser *p, struct mg_conf *parent, int depth)
{
	struct mg_conf_token name = p->lexer.token, title = p->lexer.ahead;
	bool has_title = title.kind == MG_CONF_TEXT;
	size_t option =
		mg_conf_schema_find_in(parent->schema, p->file, name.text, strlen(name.text));
	bool known = option < parent->schema->count;
	struct mg_conf *section;

	if (!known) {
		unknown_section(p, parent, &name);
		if (p->back_to)
			return;
	}
	next(p);
	if (has_title)
		next(p);
	if (kind_of(p) != MG_CONF_OPEN) {
		if (has_title && title.problem)
			mg_conf_report(&p->context, title.line, "%s", title.problem);
		else if (known)
			mg_conf_report(&p->context, name.line, "expected \"%s\" behind %s",
				is_sections_name(p, parent->schema, name.text) ? "{" : "=",
				name.text);
		return;
	}
	if (known && !is_sections_name(p, parent->schema, name.text)) {
		mg_conf_report(&p->context, name.line, "%s is no section; expected %s = ...",
			name.text, name.text);
		known = false;
	} else if (known && depth == DEPTH_MAX) {
		mg_conf_report(&p->context, name.line, "sections over %d deep", DEPTH_MAX);
		known = false;
	}
	section = known && count_value(p, name.line)
			  ? open_section(p, parent, option, &name, has_title ? &title : NULL)
			  : NULL;
	if (!section) {
		skip_block(p, name.text, name.line);
		return;
	}
	next(p);
	p->context.section = section;
	read_settings(p, section, name.line, depth + 1);
	p->context.section = parent;
}

/* include("path"), at the word. */
static void read_include(struct parser *p, const struct mg_conf *section)
{
	unsigned line = p->lexer.token.line;
	bool left = p->lexer.ahead.kind == MG_CONF_LEFT;
	struct mg_conf_token path;

	next(p);
	if (left)
		next(p);
	path = p->lexer.token;
	if (!left || path.kind != MG_CONF_TEXT || p->lexer.ahead.kind != MG_CONF_RIGHT) {
		mg_conf_report(&p->context, line, "expected include(\"path\")");
		skip_to_setting(p);
		return;
	}
	next(p);
	next(p);
	if (path.problem)
		mg_conf_report(&p->context, line, "include: %s", path.problem);
	else if (section != p->tree->root)
		mg_conf_report(&p->context, line, "include stands outside of sections");
	else if (!p->include)
		mg_conf_report(&p->context, line, "include is not possible here");
	else
		p->include(p->argument, p->file, path.text, line, &p->context);
}

/* What begins with a word. */
static void read_setting(struct parser *p, struct mg_conf *section, int depth)
{
	struct mg_conf_token name = p->lexer.token;
	enum mg_conf_token_kind ahead = p->lexer.ahead.kind;
	char shown[64];

	if (strcmp(name.text, "include") == 0 && (ahead == MG_CONF_LEFT || ahead == MG_CONF_TEXT)) {
		read_include(p, section);
		return;
	}
	switch (ahead) {
	case MG_CONF_SET:
	case MG_CONF_ADD:
		next(p);
		read_assignment(p, section, name);
		return;
	case MG_CONF_OPEN:
	case MG_CONF_TEXT: read_section(p, section, depth); return;
	default: break;
	}
	next(p);
	mg_conf_lex_show(&name, shown, sizeof(shown));
	mg_conf_report(&p->context, name.line, "expected \"=\" behind %s", shown);
	skip_to_setting(p);
}

/* true when the section ends with the token, which is then read. */
static bool ends_section(struct parser *p, const struct mg_conf *section, unsigned opened)
{
	unsigned line = p->lexer.token.line;
	char name[128];

	if (p->back_to && p->back_to != section) {
		p->ended_early++;
		return true;
	}
	p->back_to = NULL;
	if (kind_of(p) == MG_CONF_END) {
		mg_conf_section_name(section, name, sizeof(name));
		if (*name)
			report_unclosed(p, name, opened);
		return true;
	}
	if (kind_of(p) != MG_CONF_CLOSE)
		return false;
	next(p);
	if (section->parent)
		return true;
	if (p->ended_early > 0)
		p->ended_early--;
	else
		mg_conf_report(&p->context, line, "\"}\" without \"{\"");
	return false;
}

static void read_settings(struct parser *p, struct mg_conf *section, unsigned opened, int depth)
{
	char shown[64];

	while (!p->lexer.out_of_memory && !p->tree->out_of_memory) {
		if (ends_section(p, section, opened))
			return;
		if (kind_of(p) == MG_CONF_WORD && !p->lexer.token.problem) {
			read_setting(p, section, depth);
		} else if (kind_of(p) != MG_CONF_END && kind_of(p) != MG_CONF_CLOSE) {
			mg_conf_lex_show(&p->lexer.token, shown, sizeof(shown));
			mg_conf_report(&p->context, p->lexer.token.line,
				"expected the name of a setting before %s", shown);
			next(p);
			skip_to_setting(p);
		}
	}
	p->tree->out_of_memory = true;
}

void mg_conf_parse(struct mg_conf_tree *tree, const struct mg_conf_file *file, const char *text,
	size_t length, mg_conf_include *include, void *argument, struct mg_errors *errors)
{
	struct parser p = {.tree = tree,
		.file = file,
		.context = {.errors = errors, .shown = file->shown, .section = tree->root},
		.include = include,
		.argument = argument};

	mg_conf_lex_start(&p.lexer, text, length, 1, tree->arena);
	read_settings(&p, tree->root, 0, 0);
}

/* The section that "events.redact" of "events.redact.subject" names; NULL with an error. On
 * return *name is the last part. */
static struct mg_conf *walk_to(struct parser *p, const char **name, size_t *length)
{
	struct mg_conf *section = p->tree->root;
	const char *dot;

	while ((dot = memchr(*name, '.', *length)) != NULL) {
		size_t option = mg_conf_schema_find_in(
			section->schema, p->file, *name, (size_t)(dot - *name));

		if (option == section->schema->count ||
			section->schema->options[option]->kind != MG_SECTION) {
			mg_conf_report(&p->context, 0, "no section \"%.*s\" without title",
				(int)(dot - *name), *name);
			return NULL;
		}
		section = mg_conf_section_open(section, option);
		if (!section)
			return NULL;
		p->context.section = section;
		*length -= (size_t)(dot + 1 - *name);
		*name = dot + 1;
	}
	return section;
}

void mg_conf_parse_override(struct mg_conf_tree *tree, const struct mg_conf_file *file,
	const char *text, struct mg_errors *errors)
{
	struct parser p = {.tree = tree,
		.file = file,
		.context = {.errors = errors, .shown = file->shown, .section = tree->root}};
	const char *equals = strchr(text, '=');
	bool add = equals && equals > text && equals[-1] == '+';
	size_t length = equals ? (size_t)(equals - text) - add : 0, option;
	const struct mg_conf_value *value;
	struct mg_conf_token name = {.kind = MG_CONF_WORD};
	struct mg_conf *section;
	struct mg_conf_raw raw;
	struct mg_error error;
	unsigned line;

	if (length == 0) {
		mg_conf_report(&p.context, 0, "\"%s\"; expected name=value", text);
		return;
	}
	if (!mg_textfile_check(text, strlen(text), &line, &error)) {
		mg_conf_report(&p.context, 0, "%s", error.text);
		return;
	}
	section = walk_to(&p, &text, &length);
	name.text = section ? mg_arena_copy(tree->arena, text, length) : NULL;
	if (!name.text)
		return;
	option = mg_conf_schema_find_in(section->schema, file, name.text, length);
	if (option == section->schema->count)
		report_unknown(&p, &name, "setting");
	else if (mg_conf_is_section(section->schema->options[option]->kind))
		mg_conf_report(&p.context, 0, "%s is a section", name.text);
	else if (add && !may_assign(&p, option, &name, add))
		return;
	else if (mg_conf_raw_parse(tree, equals + 1, name.text, &raw, &p.context)) {
		value = mg_conf_value_make(
			tree, section->schema->options[option], &raw, &p.context);
		tree->values++;
		if (value)
			mg_conf_assign(section, option, file, 0, add, value);
	}
}

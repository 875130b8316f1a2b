/* SPDX-License-Identifier: ISC */
#include "base/conf_raw.h"

#include <string.h>

/* Entries of a list while it is read. */
struct entries {
	struct mg_conf_entry *list;
	size_t count, size;
};

static bool add_entry(
	struct mg_conf_tree *tree, struct entries *entries, const struct mg_conf_token *token)
{
	if (entries->count == entries->size) {
		size_t size = entries->size ? 2 * entries->size : 4;
		struct mg_conf_entry *grown = mg_conf_alloc(tree, size * sizeof(*grown));

		if (!grown)
			return false;
		if (entries->count > 0)
			memcpy(grown, entries->list, entries->count * sizeof(*grown));
		entries->list = grown;
		entries->size = size;
	}
	entries->list[entries->count++] =
		(struct mg_conf_entry){.text = token->text, .line = token->line};
	return true;
}

static bool begins_setting(const struct mg_conf_lexer *lexer)
{
	return lexer->token.kind == MG_CONF_WORD &&
	       (lexer->ahead.kind == MG_CONF_SET || lexer->ahead.kind == MG_CONF_ADD ||
		       lexer->ahead.kind == MG_CONF_OPEN);
}

/* false: this token is no entry; the error is reported. */
static bool judge_entry(
	const struct mg_conf_token *token, const char *name, const struct mg_conf_context *context)
{
	char shown[64];

	if (token->problem) {
		mg_conf_report(context, token->line, "%s", token->problem);
		return false;
	}
	if (token->kind == MG_CONF_TEXT)
		return true;
	mg_conf_lex_show(token, shown, sizeof(shown));
	if (token->kind == MG_CONF_WORD)
		mg_conf_report(
			context, token->line, "%s %s; expected quotes: \"%s\"", name, shown, shown);
	else
		mg_conf_report(
			context, token->line, "%s: %s; expected a text in quotes", name, shown);
	return false;
}

/* Behind an entry: a comma, or what closes the list. */
static bool read_comma(
	struct mg_conf_lexer *lexer, const char *name, const struct mg_conf_context *context)
{
	char shown[64];

	if (lexer->token.kind == MG_CONF_COMMA) {
		mg_conf_lex_next(lexer);
		return true;
	}
	if (lexer->token.kind != MG_CONF_TEXT && lexer->token.kind != MG_CONF_WORD)
		return true;
	if (begins_setting(lexer))
		return true;
	mg_conf_lex_show(&lexer->token, shown, sizeof(shown));
	mg_conf_report(
		context, lexer->token.line, "%s: expected \",\" or \"}\" before %s", name, shown);
	return false;
}

/* Goes on to behind the "}" of a list that is broken in the middle, if it has one. */
static void skip_list(struct mg_conf_lexer *lexer)
{
	size_t open = 0;

	for (; lexer->token.kind != MG_CONF_END && !begins_setting(lexer);
		mg_conf_lex_next(lexer)) {
		if (lexer->token.kind == MG_CONF_CLOSE && open-- == 0)
			break;
		if (lexer->token.kind == MG_CONF_OPEN)
			open++;
	}
	if (lexer->token.kind == MG_CONF_CLOSE)
		mg_conf_lex_next(lexer);
}

static void report_unclosed(const struct mg_conf_lexer *lexer, const char *name, unsigned opened,
	const struct mg_conf_context *context)
{
	if (opened > 0)
		mg_conf_report(context, lexer->token.line,
			"%s: the list that begins in line %u has no \"}\"", name, opened);
	else
		mg_conf_report(context, 0, "%s: the list has no \"}\"", name);
}

static bool read_list(struct mg_conf_tree *tree, struct mg_conf_lexer *lexer, const char *name,
	struct mg_conf_raw *raw, const struct mg_conf_context *context)
{
	struct entries entries = {0};

	mg_conf_lex_next(lexer);
	while (lexer->token.kind != MG_CONF_CLOSE) {
		if (lexer->token.kind == MG_CONF_END || begins_setting(lexer)) {
			report_unclosed(lexer, name, raw->line, context);
			return false;
		}
		if (!judge_entry(&lexer->token, name, context)) {
			skip_list(lexer);
			return false;
		}
		if (entries.count == MG_CONF_LIST_MAX) {
			mg_conf_report(context, lexer->token.line,
				"%s: over %d entries; put them into a table", name,
				MG_CONF_LIST_MAX);
			skip_list(lexer);
			return false;
		}
		if (!add_entry(tree, &entries, &lexer->token))
			return false;
		mg_conf_lex_next(lexer);
		if (!read_comma(lexer, name, context)) {
			skip_list(lexer);
			return false;
		}
	}
	mg_conf_lex_next(lexer);
	raw->entries = entries.list;
	raw->count = entries.count;
	return true;
}

bool mg_conf_raw_read(struct mg_conf_tree *tree, struct mg_conf_lexer *lexer, const char *name,
	struct mg_conf_raw *raw, const struct mg_conf_context *context)
{
	const struct mg_conf_token token = lexer->token;
	char shown[64];

	*raw = (struct mg_conf_raw){.line = token.line, .text = token.text};
	if (token.kind == MG_CONF_OPEN) {
		raw->kind = MG_CONF_RAW_LIST;
		return read_list(tree, lexer, name, raw, context);
	}
	if ((token.kind != MG_CONF_WORD && token.kind != MG_CONF_TEXT) || begins_setting(lexer)) {
		mg_conf_lex_show(&token, shown, sizeof(shown));
		mg_conf_report(context, token.line, "%s: expected a value before %s", name, shown);
		return false;
	}
	raw->kind = token.kind == MG_CONF_WORD ? MG_CONF_RAW_WORD : MG_CONF_RAW_TEXT;
	mg_conf_lex_next(lexer);
	if (token.problem)
		mg_conf_report(context, token.line, "%s", token.problem);
	return !token.problem;
}

bool mg_conf_raw_parse(struct mg_conf_tree *tree, const char *text, const char *name,
	struct mg_conf_raw *raw, const struct mg_conf_context *context)
{
	struct mg_conf_lexer lexer;
	char shown[64];

	text += strspn(text, " \t");
	if (!*text || !strchr("{\"'", *text)) {
		*raw = (struct mg_conf_raw){.kind = MG_CONF_RAW_BARE, .text = text};
		return true;
	}
	mg_conf_lex_start(&lexer, text, strlen(text), 0, tree->arena);
	if (!mg_conf_raw_read(tree, &lexer, name, raw, context))
		return false;
	if (lexer.token.kind != MG_CONF_END) {
		mg_conf_lex_show(&lexer.token, shown, sizeof(shown));
		mg_conf_report(context, 0, "%s: %s behind the value", name, shown);
		return false;
	}
	tree->out_of_memory |= lexer.out_of_memory;
	return !lexer.out_of_memory;
}

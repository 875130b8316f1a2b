/* SPDX-License-Identifier: ISC */
#include "base/conf_lex.h"

#include <string.h>

#include "base/str.h"

/* The marks, in the order of their kinds from MG_CONF_OPEN on; "+=" is made of two bytes. */
static const char marks[] = "{}=+,()";

static void skip_blank(struct mg_conf_lexer *lexer)
{
	for (; lexer->at < lexer->end; lexer->at++) {
		if (*lexer->at == '#') {
			while (lexer->at < lexer->end && *lexer->at != '\n')
				lexer->at++;
			if (lexer->at == lexer->end)
				return;
		}
		if (!strchr(" \t\r\n", *lexer->at))
			return;
		lexer->line += *lexer->at == '\n' && lexer->line > 0;
	}
}

/* The piece as text of the token; what is too long is cut, which is its problem. */
static void keep(
	struct mg_conf_lexer *lexer, struct mg_conf_token *token, const char *piece, size_t length)
{
	if (length > MG_CONF_TEXT_MAX) {
		token->problem = "text over 64 KiB";
		length = 0;
	}
	token->text = mg_arena_copy(lexer->arena, piece, length);
	if (!token->text) {
		lexer->out_of_memory = true;
		token->kind = MG_CONF_END;
		token->text = "";
	}
}

static void bad_escape(struct mg_conf_lexer *lexer, struct mg_conf_token *token, const char *escape,
	const char *end)
{
	char shown[16], problem[160];
	size_t length = 1 + mg_str_utf8_length(escape + 1, (size_t)(end - escape - 1));

	if (token->problem)
		return;
	mg_str_printable(shown, sizeof(shown), escape, length);
	mg_str_format(problem, sizeof(problem),
		"no escape \"%s\" in \"double quotes\" (only \\\\ \\\" \\n \\t); "
		"put patterns in 'single quotes'",
		shown);
	token->problem = mg_arena_copy(lexer->arena, problem, strlen(problem));
	lexer->out_of_memory |= !token->problem;
}

/* Where the text that begins behind a quote ends: its closing quote, or the end of the line. */
static const char *find_close(const char *at, const char *end, char quote)
{
	for (; at < end && *at != quote && *at != '\n'; at++)
		if (quote == '"' && *at == '\\' && at + 1 < end && at[1] != '\n')
			at++;
	return at;
}

static void unescape(struct mg_conf_lexer *lexer, struct mg_conf_token *token)
{
	static const char escapes[] = "\\\\\"\"n\nt\t"; /* pairs: as written, as meant */
	char *to = (char *)token->text;
	const char *end = token->text + strlen(token->text);

	for (const char *from = token->text; from < end; from++) {
		const char *pair = escapes;

		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		while (*pair && *pair != from[1])
			pair += 2;
		if (!*pair) {
			bad_escape(lexer, token, from, end);
			*to++ = *from;
			continue;
		}
		*to++ = pair[1];
		from++;
	}
	*to = '\0';
}

/* A text ends on its line: so a forgotten quote is one error and does not swallow what follows. */
static void quoted(struct mg_conf_lexer *lexer, struct mg_conf_token *token)
{
	char quote = *lexer->at;
	const char *start = lexer->at + 1, *close = find_close(start, lexer->end, quote);

	token->kind = MG_CONF_TEXT;
	lexer->at = close;
	if (close < lexer->end && *close == quote)
		lexer->at++;
	else
		token->problem = quote == '"' ? "text without its closing \"; it ends on its line"
					      : "text without its closing '; it ends on its line";
	keep(lexer, token, start, (size_t)(close - start));
	if (quote == '"' && token->kind == MG_CONF_TEXT && !token->problem)
		unescape(lexer, token);
}

static bool starts_add(const struct mg_conf_lexer *lexer)
{
	return lexer->end - lexer->at >= 2 && lexer->at[0] == '+' && lexer->at[1] == '=';
}

static void word(struct mg_conf_lexer *lexer, struct mg_conf_token *token)
{
	const char *start = lexer->at;

	while (lexer->at < lexer->end && !strchr(" \t\r\n{}=,()\"'#", *lexer->at) &&
		!starts_add(lexer))
		lexer->at++;
	token->kind = MG_CONF_WORD;
	keep(lexer, token, start, (size_t)(lexer->at - start));
}

static void read_token(struct mg_conf_lexer *lexer, struct mg_conf_token *token)
{
	const char *mark;

	skip_blank(lexer);
	*token = (struct mg_conf_token){.kind = MG_CONF_END, .line = lexer->line, .text = ""};
	if (lexer->at == lexer->end || lexer->out_of_memory) {
		if (token->line > 1 && lexer->at[-1] == '\n')
			token->line--;
		return;
	}
	mark = memchr(marks, *lexer->at, sizeof(marks) - 1);
	if (*lexer->at == '"' || *lexer->at == '\'') {
		quoted(lexer, token);
	} else if (!mark || (*mark == '+' && !starts_add(lexer))) {
		word(lexer, token);
	} else {
		token->kind = MG_CONF_OPEN + (enum mg_conf_token_kind)(mark - marks);
		lexer->at += *mark == '+' ? 2 : 1;
	}
}

void mg_conf_lex_start(struct mg_conf_lexer *lexer, const char *text, size_t length,
	unsigned first_line, struct mg_arena *arena)
{
	*lexer = (struct mg_conf_lexer){
		.at = text, .end = text + length, .line = first_line, .arena = arena};
	read_token(lexer, &lexer->token);
	read_token(lexer, &lexer->ahead);
}

void mg_conf_lex_next(struct mg_conf_lexer *lexer)
{
	lexer->token = lexer->ahead;
	read_token(lexer, &lexer->ahead);
}

void mg_conf_lex_show(const struct mg_conf_token *token, char *text, size_t size)
{
	char shown[48];

	mg_str_printable(shown, sizeof(shown), token->text, strlen(token->text));
	if (token->kind == MG_CONF_END)
		mg_str_copy(text, size, "the end of the file");
	else if (token->kind == MG_CONF_WORD)
		mg_str_copy(text, size, shown);
	else if (token->kind == MG_CONF_TEXT)
		mg_str_format(text, size, "\"%s\"", shown);
	else
		mg_str_format(text, size, "\"%c%s\"", marks[token->kind - MG_CONF_OPEN],
			token->kind == MG_CONF_ADD ? "=" : "");
}

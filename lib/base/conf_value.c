/* SPDX-License-Identifier: ISC */
#include "base/conf_value.h"

#include <string.h>

#include "base/conf_unit.h"
#include "base/str.h"

enum { WORDS_MAX = 64, WORD_SIZE = 64 };

/* One conversion under way. */
struct conversion {
	struct mg_conf_tree *tree;
	const struct mg_option *option;
	const struct mg_conf_raw *raw;
	const struct mg_conf_context *context;
	struct mg_conf_value *value;
};

bool mg_conf_word_at(const struct mg_option *option, size_t index, char *word, size_t size)
{
	const char *at = option->words;
	size_t length;

	for (; at && index > 0; index--) {
		at = strchr(at, '|');
		if (at)
			at++;
	}
	if (!at)
		return false;
	length = strcspn(at, "|");
	mg_str_format(word, size, "%.*s", (int)length, at);
	return true;
}

static void expected_words(const struct mg_option *option, char *text, size_t size)
{
	char word[WORD_SIZE], next[WORD_SIZE];
	size_t used = 0;
	bool more = mg_conf_word_at(option, 0, next, sizeof(next));

	*text = '\0';
	for (size_t i = 0; more && used < size; i++) {
		memcpy(word, next, sizeof(word));
		more = mg_conf_word_at(option, i + 1, next, sizeof(next));
		mg_str_format(text + used, size - used, "%s%s",
			i == 0 ? ""
			: more ? ", "
			       : " or ",
			*word ? word : "\"\"");
		used += strlen(text + used);
	}
}

void mg_conf_value_range(const struct mg_option *option, char *text, size_t size)
{
	char minimum[32], maximum[32];

	mg_conf_unit_format(option->kind, option->minimum, minimum, sizeof(minimum));
	mg_conf_unit_format(option->kind, option->maximum, maximum, sizeof(maximum));
	if (option->maximum > option->minimum)
		mg_str_format(text, size, "%s to %s", minimum, maximum);
	else if (option->minimum != 0)
		mg_str_format(text, size, "at least %s", minimum);
	else
		mg_str_copy(text, size, "");
}

void mg_conf_value_expected(const struct mg_option *option, char *text, size_t size)
{
	switch (option->kind) {
	case MG_NUMBER: mg_str_copy(text, size, "a number"); return;
	case MG_BOOL: mg_str_copy(text, size, "yes or no"); return;
	case MG_TEXT: mg_str_copy(text, size, "a text in quotes"); return;
	case MG_WORD: expected_words(option, text, size); return;
	case MG_SIZE: mg_str_copy(text, size, "a number and K, M, G or T"); return;
	case MG_DURATION: mg_str_copy(text, size, "a number and s, m, h or d"); return;
	case MG_LIST:
		if (option->words)
			expected_words(option, text, size);
		else
			mg_str_copy(text, size, "a list of texts");
		return;
	case MG_NETWORKS: mg_str_copy(text, size, "a list of networks"); return;
	case MG_SECTION: mg_str_copy(text, size, "a section"); return;
	case MG_SECTIONS: mg_str_copy(text, size, "sections with titles"); return;
	}
}

/* "; nearest: WORD" of the option's words into hint, or "". */
static void nearest_word(const struct mg_option *option, const char *text, char *hint, size_t size)
{
	char words[WORDS_MAX][WORD_SIZE];
	const char *names[WORDS_MAX], *nearest;
	size_t count = 0;

	while (count < WORDS_MAX && mg_conf_word_at(option, count, words[count], WORD_SIZE)) {
		names[count] = words[count];
		count++;
	}
	nearest = mg_str_nearest(text, names, count);
	mg_str_format(hint, size, "%s%s", nearest ? "; nearest: " : "", nearest ? nearest : "");
}

/* Reports that text (as written: in quotes or not) is not what was expected: a sentence that
 * begins with "expected", or says what is wrong. */
static bool refuse(const struct conversion *c, unsigned line, bool in_quotes, const char *text,
	const char *expected)
{
	char shown[80], hint[WORD_SIZE + 16];
	const char *quote = in_quotes ? "\"" : "";

	mg_str_printable(shown, sizeof(shown), text, strlen(text));
	nearest_word(c->option, text, hint, sizeof(hint));
	mg_conf_report(c->context, line, "%s %s%s%s%s %s%s", c->option->name, quote, shown, quote,
		strncmp(expected, "expected", 8) == 0 ? ";" : ":", expected, hint);
	return false;
}

static bool refuse_raw(const struct conversion *c)
{
	char what[256], expected[280];

	mg_conf_value_expected(c->option, what, sizeof(what));
	mg_str_format(expected, sizeof(expected), "expected %s", what);
	return refuse(c, c->raw->line, c->raw->kind != MG_CONF_RAW_WORD, c->raw->text, expected);
}

static bool refuse_without_quotes(const struct conversion *c)
{
	char shown[64];

	mg_str_printable(shown, sizeof(shown), c->raw->text, strlen(c->raw->text));
	mg_conf_report(c->context, c->raw->line, "%s %s; expected quotes: \"%s\"", c->option->name,
		shown, shown);
	return false;
}

static bool make_number(const struct conversion *c)
{
	const struct mg_option *option = c->option;
	char range[80], expected[96];
	int64_t number;

	if (!mg_conf_unit_parse(option->kind, c->raw->text, &number))
		return refuse_raw(c);
	if (c->raw->kind == MG_CONF_RAW_TEXT && option->kind == MG_NUMBER)
		return refuse(
			c, c->raw->line, true, c->raw->text, "expected a number without quotes");
	if (c->raw->kind == MG_CONF_RAW_WORD &&
		strspn(c->raw->text, "-0123456789") != strlen(c->raw->text))
		return refuse_without_quotes(c);
	if (number < option->minimum ||
		(option->maximum > option->minimum && number > option->maximum)) {
		mg_conf_value_range(option, range, sizeof(range));
		mg_str_format(
			expected, sizeof(expected), "expected %s", *range ? range : "no minus");
		return refuse(
			c, c->raw->line, c->raw->kind != MG_CONF_RAW_WORD, c->raw->text, expected);
	}
	c->value->number = number;
	return true;
}

static bool make_bool(const struct conversion *c)
{
	bool yes = strcmp(c->raw->text, "yes") == 0;

	if (!yes && strcmp(c->raw->text, "no") != 0)
		return refuse_raw(c);
	if (c->raw->kind == MG_CONF_RAW_TEXT)
		return refuse(
			c, c->raw->line, true, c->raw->text, "expected yes or no, without quotes");
	c->value->number = yes;
	return true;
}

static bool make_text(const struct conversion *c)
{
	if (c->raw->kind == MG_CONF_RAW_WORD)
		return refuse_without_quotes(c);
	c->value->text = c->raw->text;
	return true;
}

static bool is_yes_or_no(const char *text)
{
	return strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
}

static bool find_word(const struct mg_option *option, const char *text, int64_t *index)
{
	char word[WORD_SIZE];

	for (*index = 0; mg_conf_word_at(option, (size_t)*index, word, sizeof(word)); ++*index)
		if (strcmp(word, text) == 0)
			return true;
	return false;
}

static bool make_word(const struct conversion *c)
{
	if (!find_word(c->option, c->raw->text, &c->value->number))
		return refuse_raw(c);
	if (c->raw->kind == MG_CONF_RAW_WORD && !is_yes_or_no(c->raw->text))
		return refuse_without_quotes(c);
	c->value->text = c->raw->text;
	return true;
}

/* One entry of a list: what the option's words, kind and check ask of it. */
static bool judge_entry(
	const struct conversion *c, const struct mg_conf_entry *entry, struct mg_network *network)
{
	const struct mg_option *option = c->option;
	struct mg_error error = {""};
	const char *problem;
	int64_t index;
	char words[256], expected[280];

	if (network && !mg_network_parse(entry->text, network, &error)) {
		mg_conf_report(c->context, entry->line, "%s: %s", option->name, error.text);
		return false;
	}
	if (option->words && !option->check && !find_word(option, entry->text, &index)) {
		expected_words(option, words, sizeof(words));
		mg_str_format(expected, sizeof(expected), "expected %s", words);
		return refuse(c, entry->line, true, entry->text, expected);
	}
	problem = option->check ? option->check(entry->text) : NULL;
	return !problem || refuse(c, entry->line, true, entry->text, problem);
}

static bool make_list(const struct conversion *c)
{
	const struct mg_conf_entry single = {.text = c->raw->text, .line = c->raw->line};
	bool is_list = c->raw->kind == MG_CONF_RAW_LIST, good = true;
	const struct mg_conf_entry *entries = is_list ? c->raw->entries : &single;
	size_t count = is_list ? c->raw->count : 1;
	struct mg_network *networks = NULL;
	const char **list;
	int64_t index;

	if (c->raw->kind == MG_CONF_RAW_WORD &&
		!(is_yes_or_no(c->raw->text) && find_word(c->option, c->raw->text, &index)))
		return refuse_without_quotes(c);
	if (c->raw->kind == MG_CONF_RAW_BARE && !*c->raw->text)
		count = 0;
	list = mg_conf_alloc(c->tree, (count + 1) * sizeof(*list));
	if (c->option->kind == MG_NETWORKS)
		networks = mg_conf_alloc(c->tree, (count + 1) * sizeof(*networks));
	if (c->tree->out_of_memory)
		return false;
	for (size_t i = 0; i < count; i++) {
		list[i] = entries[i].text;
		good &= judge_entry(c, &entries[i], networks ? &networks[i] : NULL);
	}
	c->value->list = list;
	c->value->networks = networks;
	c->value->count = count;
	return good;
}

/* The option's own check, but not of its default: -T writes that too, and it may say "none". */
static bool check_scalar(const struct conversion *c)
{
	const char *problem = NULL;

	if (c->option->check && strcmp(c->raw->text, c->option->value) != 0)
		problem = c->option->check(c->raw->text);
	return !problem ||
	       refuse(c, c->raw->line, c->raw->kind != MG_CONF_RAW_WORD, c->raw->text, problem);
}

const struct mg_conf_value *mg_conf_value_make(struct mg_conf_tree *tree,
	const struct mg_option *option, const struct mg_conf_raw *raw,
	const struct mg_conf_context *context)
{
	static bool (*const makers[])(const struct conversion *) = {
		[MG_NUMBER] = make_number,
		[MG_BOOL] = make_bool,
		[MG_TEXT] = make_text,
		[MG_WORD] = make_word,
		[MG_SIZE] = make_number,
		[MG_DURATION] = make_number,
		[MG_LIST] = make_list,
		[MG_NETWORKS] = make_list,
	};
	bool wants_list = option->kind == MG_LIST || option->kind == MG_NETWORKS;
	struct conversion c = {.tree = tree,
		.option = option,
		.raw = raw,
		.context = context,
		.value = mg_conf_alloc(tree, sizeof(*c.value))};
	char expected[256];

	if (!c.value)
		return NULL;
	if (raw->kind == MG_CONF_RAW_LIST && !wants_list) {
		mg_conf_value_expected(option, expected, sizeof(expected));
		mg_conf_report(
			context, raw->line, "%s: a list; expected %s", option->name, expected);
		return NULL;
	}
	if (!makers[option->kind](&c) || (!wants_list && !check_scalar(&c)))
		return NULL;
	return c.value;
}

const struct mg_conf_value *mg_conf_value_join(
	struct mg_conf_tree *tree, const struct mg_conf_value *const values[], size_t count)
{
	struct mg_conf_value *joined = mg_conf_alloc(tree, sizeof(*joined));
	struct mg_network *networks = NULL;
	const char **list;
	size_t entries = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		entries += values[i]->count;
	list = mg_conf_alloc(tree, (entries + 1) * sizeof(*list));
	if (values[0]->networks)
		networks = mg_conf_alloc(tree, (entries + 1) * sizeof(*networks));
	if (tree->out_of_memory)
		return NULL;
	for (size_t i = 0; i < count; at += values[i++]->count) {
		memcpy(list + at, values[i]->list, values[i]->count * sizeof(*list));
		if (networks)
			memcpy(networks + at, values[i]->networks,
				values[i]->count * sizeof(*networks));
	}
	*joined = (struct mg_conf_value){.list = list, .networks = networks, .count = entries};
	return joined;
}

bool mg_conf_value_equal(
	enum mg_kind kind, const struct mg_conf_value *a, const struct mg_conf_value *b)
{
	if (kind == MG_TEXT)
		return strcmp(a->text, b->text) == 0;
	if (kind != MG_LIST && kind != MG_NETWORKS)
		return a->number == b->number;
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	return true;
}

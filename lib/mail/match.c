/* SPDX-License-Identifier: ISC */
#include "mail/match.h"

#include <inttypes.h>
#include <stdlib.h>

#include "mail/match_facts.h"
#include "mail/match_header.h"
#include "mail/match_number.h"
#include "mail/patterns.h"

/* One setting of a section. */
struct condition {
	const struct mg_fact *fact;
	void *entries; /* made and freed as the kind of the fact says */
};

struct mg_match {
	struct condition *conditions; /* in the order of mg_facts */
	size_t count;
	struct mg_match *any, *not ; /* NULL: not there */
	bool late;
};

/* One test under way. */
struct test {
	const struct mg_match_facts *facts;
	const struct condition *condition;
	struct mg_patterns_run run;
	struct mg_error *error;
};

/* What is done with the entries of a fact. */
struct kind {
	void *(*new)(enum mg_fact_kind kind, const char *const entries[], size_t count,
		struct mg_errors *errors);
	void (*free)(void *entries);
	int (*test)(struct test *test); /* as mg_match_test */
	const char *entry; /* what an entry can be, for the manual; NULL: one of words */
};

static enum mg_patterns_kind patterns_kind(enum mg_fact_kind kind)
{
	static const enum mg_patterns_kind kinds[MG_FACT_KINDS] = {
		[MG_FACT_WORD] = MG_PATTERNS_TEXT,
		[MG_FACT_TEXT] = MG_PATTERNS_TEXT,
		[MG_FACT_DOMAIN] = MG_PATTERNS_DOMAIN,
		[MG_FACT_ADDRESS] = MG_PATTERNS_ADDRESS,
		[MG_FACT_CLIENT] = MG_PATTERNS_CLIENT,
	};

	return kinds[kind];
}

static void *new_patterns(
	enum mg_fact_kind kind, const char *const entries[], size_t count, struct mg_errors *errors)
{
	return mg_patterns_new(patterns_kind(kind), entries, count, errors);
}

static void free_patterns(void *entries)
{
	mg_patterns_free(entries);
}

static int fits_patterns(void *context, const char *value)
{
	struct test *test = context;

	return mg_patterns_test(test->condition->entries, value, &test->run, test->error);
}

static int test_patterns(struct test *test)
{
	return test->condition->fact->values(test->facts, fits_patterns, test);
}

static void *new_numbers(
	enum mg_fact_kind kind, const char *const entries[], size_t count, struct mg_errors *errors)
{
	void *numbers = mg_match_numbers_new(entries, count, kind == MG_FACT_SIZE);

	if (numbers == NULL)
		mg_errors_add(errors, "out of memory");
	return numbers;
}

static int test_numbers(struct test *test)
{
	const struct condition *condition = test->condition;

	return mg_match_numbers_fit(condition->entries, condition->fact->number(test->facts));
}

static void *new_header(
	enum mg_fact_kind kind, const char *const entries[], size_t count, struct mg_errors *errors)
{
	(void)kind;
	return mg_match_header_new(entries, count, errors);
}

static void free_header(void *entries)
{
	mg_match_header_free(entries);
}

static int test_header(struct test *test)
{
	return mg_match_header_test(test->condition->entries, test->facts->headers,
		test->facts->header_count, &test->run, test->error);
}

static const struct kind kinds[MG_FACT_KINDS] = {
	[MG_FACT_WORD] = {new_patterns, free_patterns, test_patterns, NULL},
	[MG_FACT_TEXT] = {new_patterns, free_patterns, test_patterns, "text"},
	[MG_FACT_DOMAIN] = {new_patterns, free_patterns, test_patterns, "domain"},
	[MG_FACT_ADDRESS] = {new_patterns, free_patterns, test_patterns, "address"},
	[MG_FACT_CLIENT] = {new_patterns, free_patterns, test_patterns, "network"},
	[MG_FACT_NUMBER] = {new_numbers, free, test_numbers, "number"},
	[MG_FACT_SIZE] = {new_numbers, free, test_numbers, "size"},
	[MG_FACT_HEADER] = {new_header, free_header, test_header, "field"},
};

/* Adds the condition of a fact that is set, and what is wrong with it to errors. */
static void add_condition(struct mg_match *match, const struct mg_conf *section,
	const struct mg_fact *fact, struct mg_errors *errors)
{
	struct condition *condition = &match->conditions[match->count];
	struct mg_errors wrong = {.count = 0};
	const char *const *entries, *file;
	unsigned line;
	size_t count;

	mg_conf_place(section, fact->name, &file, &line);
	if (*file == '\0')
		return;
	entries = mg_conf_list(section, fact->name, &count);
	if (count == 0) {
		mg_conf_error(section, fact->name, errors, "%s: an empty list, which nothing fits",
			fact->name);
		return;
	}
	*condition = (struct condition){
		.fact = fact, .entries = kinds[fact->kind].new(fact->kind, entries, count, &wrong)};
	for (size_t i = 0; i < wrong.kept; i++)
		mg_conf_error(
			section, fact->name, errors, "%s: %s", fact->name, wrong.list[i].text);
	mg_errors_clear(&wrong);
	if (condition->entries == NULL)
		return;
	match->count++;
	match->late |= fact->late;
}

/* The section of that name in this one; NULL when it is not there, or with errors. */
static struct mg_match *inner_section(struct mg_match *match, const struct mg_conf *section,
	const char *name, struct mg_errors *errors)
{
	struct mg_match *inner;

	if (!mg_conf_is_set(section, name))
		return NULL;
	inner = mg_match_new(mg_conf_section(section, name), errors);
	if (inner != NULL)
		match->late |= inner->late;
	return inner;
}

struct mg_match *mg_match_new(const struct mg_conf *section, struct mg_errors *errors)
{
	struct mg_match *match = calloc(1, sizeof(*match));
	size_t before = errors->count, facts = 0;

	while (mg_facts[facts].name != NULL)
		facts++;
	if (match != NULL)
		match->conditions = calloc(facts + 1, sizeof(*match->conditions));
	if (match == NULL || match->conditions == NULL) {
		mg_errors_add(errors, "out of memory");
		mg_match_free(match);
		return NULL;
	}
	for (size_t i = 0; i < facts; i++)
		add_condition(match, section, &mg_facts[i], errors);
	match->any = inner_section(match, section, "any", errors);
	match->not = inner_section(match, section, "not", errors);
	if (errors->count == before)
		return match;
	mg_match_free(match);
	return NULL;
}

void mg_match_free(struct mg_match *match)
{
	if (match == NULL)
		return;
	for (size_t i = 0; i < match->count; i++)
		kinds[match->conditions[i].fact->kind].free(match->conditions[i].entries);
	free(match->conditions);
	mg_match_free(match->any);
	mg_match_free(match->not );
	free(match);
}

/* Goes through the parts of a section until one answers `wanted`, or an error: that; else the
 * other of 0 and 1. A section is nested at most as deep as a configuration. */
static int test_section(const struct mg_match *match, int wanted, struct test *test)
{
	int result = !wanted;

	for (size_t i = 0; i < match->count && result == !wanted; i++) {
		test->condition = &match->conditions[i];
		result = kinds[match->conditions[i].fact->kind].test(test);
	}
	if (result == !wanted && match->any != NULL)
		result = test_section(match->any, 1, test);
	if (result == !wanted && match->not != NULL) {
		result = test_section(match->not, 1, test);
		if (result >= 0)
			result = !result;
	}
	return result;
}

int mg_match_test(
	const struct mg_match *match, const struct mg_match_facts *facts, struct mg_error *error)
{
	struct mg_error inner;
	struct test test = {.facts = facts, .error = &inner};
	int result;

	mg_patterns_run_begin(&test.run);
	result = test_section(match, 0, &test);
	mg_patterns_run_end(&test.run);
	if (result < 0)
		mg_error_set(error, "match: %s: %s", test.condition->fact->name, inner.text);
	return result;
}

bool mg_match_needs_header(const struct mg_match *match)
{
	return match->late;
}

void mg_match_print_mdoc(FILE *stream)
{
	for (size_t i = 0; mg_facts[i].name != NULL; i++) {
		const struct mg_option *option = &mg_match_options[i];
		const char *entry = kinds[mg_facts[i].kind].entry;

		fprintf(stream, ".It Ic %s", option->name);
		if (entry != NULL)
			fprintf(stream, " Pq Em %s", entry);
		fprintf(stream, "\n%s", option->help);
		fputs(entry == NULL ? ": one of\n.Cm " : ".\n", stream);
		for (const char *at = option->words; entry == NULL && *at != '\0'; at++)
			*at == '|' ? fputs(" , ", stream) : fputc(*at, stream);
		if (entry == NULL)
			fputs(" .\n", stream);
	}
}

/* SPDX-License-Identifier: ISC */
#include "mail/patterns.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"
#include "base/regex.h"
#include "base/str.h"
#include "base/table.h"
#include "mail/address.h"
#include "mail/message.h"

/* Costs, in units of about a tenth of a microsecond; a message may cost about a second. */
enum { WORK_MAX = 10000000, LOOKUP = 2, GLOB = 1, REGEX = 5, TABLE = 20, BYTES_A_UNIT = 64 };

static const char wildcards[] = "*?[\\";
static const char regex_prefix[] = "regex:";

struct expression {
	struct mg_regex *regex;
	char *entry; /* for errors */
};

struct mg_patterns {
	enum mg_patterns_kind kind;
	/* Texts in normal form, and of "*.DOMAIN" and "*@DOMAIN" what follows the star: no domain
	 * or address begins so. */
	struct mg_table *texts;
	size_t longest_suffix; /* 0: there is none in texts */
	struct mg_table *outside;
	struct mg_network *networks;
	char **globs; /* lower case */
	struct expression *expressions;
	size_t network_count, glob_count, expression_count;
};

/* What is being made. */
struct making {
	struct mg_patterns *patterns;
	char **texts;
	const char **outside;
	size_t text_count, outside_count;
	struct mg_errors *errors;
};

static bool is_regex(const char *entry)
{
	return strncmp(entry, regex_prefix, strlen(regex_prefix)) == 0;
}

/* Is it the same for all kinds of values? */
static bool is_foreign(const char *entry)
{
	return is_regex(entry) || mg_table_is_outside(entry);
}

static bool is_glob(const char *text)
{
	return strpbrk(text, wildcards) != NULL;
}

/* An entry in normal form. */
struct normal {
	struct mg_buf text;
	bool glob;
};

/* What is no glob is made lower case by the table, when it is known to be no table of its own. */
static bool normalize_text(const char *entry, struct normal *normal)
{
	mg_buf_add_text(&normal->text, entry);
	normal->glob = is_glob(entry);
	if (normal->glob && normal->text.data != NULL)
		mg_str_lower(normal->text.data);
	return normal->text.length > 0;
}

static bool normalize_domain(const char *entry, struct normal *normal)
{
	normal->glob = strchr(entry, '*') != NULL;
	return mg_domain_glob_normalize(entry, &normal->text);
}

/* A local part with wildcards, and a domain as entries for domains have it or none. */
static bool normalize_address_glob(const char *entry, const char *domain, struct normal *normal)
{
	size_t local = *domain != '\0' ? (size_t)(domain - entry) : strlen(entry);

	normal->glob = true;
	mg_buf_add(&normal->text, entry, local);
	if (normal->text.data != NULL)
		mg_str_lower(normal->text.data);
	return *domain == '\0' || mg_domain_glob_normalize(domain, &normal->text);
}

static bool normalize_address(const char *entry, struct normal *normal)
{
	const char *domain = mg_address_domain_part(entry);
	size_t length = strlen(entry);

	if (strcmp(entry, "<>") == 0) {
		mg_buf_add_text(&normal->text, entry);
		return true;
	}
	if (entry[0] != '"' &&
		(strcspn(entry, wildcards) < length - strlen(domain) || strchr(domain, '*')))
		return normalize_address_glob(entry, domain, normal);
	/* "example.org" as a local part is a mistake. */
	if (*domain == '\0' && strchr(entry, '.') != NULL)
		return false;
	return mg_address_normalize(entry, length, &normal->text);
}

static bool normalize_none(const char *entry, struct normal *normal)
{
	(void)entry;
	(void)normal;
	return false;
}

static bool (*const normalizers[])(const char *, struct normal *) = {
	[MG_PATTERNS_TEXT] = normalize_text,
	[MG_PATTERNS_DOMAIN] = normalize_domain,
	[MG_PATTERNS_ADDRESS] = normalize_address,
	[MG_PATTERNS_CLIENT] = normalize_none,
};

static bool check(enum mg_patterns_kind kind, const char *entry)
{
	struct normal normal = {.glob = false};
	bool good = is_foreign(entry) || normalizers[kind](entry, &normal);

	mg_buf_free(&normal.text);
	return good;
}

const char *mg_patterns_check_text(const char *entry)
{
	return check(MG_PATTERNS_TEXT, entry) ? NULL
					      : "expected a text, a glob, regex:PATTERN or a table";
}

const char *mg_patterns_check_domain(const char *entry)
{
	return check(MG_PATTERNS_DOMAIN, entry)
		       ? NULL
		       : "expected a domain, \"*.\" and a domain, regex:PATTERN or a table";
}

const char *mg_patterns_check_address(const char *entry)
{
	return check(MG_PATTERNS_ADDRESS, entry)
		       ? NULL
		       : "expected an address, \"*@\" and a domain, regex:PATTERN or a table";
}

const char *mg_patterns_check_client(const char *entry)
{
	struct mg_network network;

	return is_foreign(entry) || mg_network_parse(entry, &network, NULL)
		       ? NULL
		       : "expected an address, a network (192.0.2.0/24), regex:PATTERN or a table";
}

static void out_of_memory(const struct making *making)
{
	mg_errors_add(making->errors, "out of memory");
}

static void add_expression(const struct making *making, const char *entry)
{
	struct mg_patterns *patterns = making->patterns;
	struct expression *expression = &patterns->expressions[patterns->expression_count];
	struct mg_error error;
	char shown[80];

	expression->regex = mg_regex_new(entry + strlen(regex_prefix), &error);
	if (expression->regex == NULL) {
		mg_str_printable(shown, sizeof(shown), entry, strlen(entry));
		mg_errors_add(making->errors, "\"%s\": %s", shown, error.text);
		return;
	}
	expression->entry = strdup(entry);
	patterns->expression_count++;
	if (expression->entry == NULL)
		out_of_memory(making);
}

/* "*.example.org" and "*@example.org", but for addresses also "*@*.example.org": the beginning of
 * what can be looked up in a value; NULL for globs that have to be tried. */
static const char *suffix_of(enum mg_patterns_kind kind, const char *glob)
{
	const char *suffix = glob;

	if (kind == MG_PATTERNS_ADDRESS && strncmp(glob, "*@", 2) == 0)
		suffix = strncmp(glob, "*@*.", 4) == 0 ? glob + 3 : glob + 1;
	else if (kind == MG_PATTERNS_DOMAIN && strncmp(glob, "*.", 2) == 0)
		suffix = glob + 1;
	return suffix != glob && !is_glob(suffix) ? suffix : NULL;
}

/* A text with characters that are wildcards elsewhere, as a glob. */
static void escape(struct mg_buf *text)
{
	struct mg_buf escaped = {.limit = 0};

	for (size_t i = 0; i < text->length; i++) {
		if (strchr(wildcards, text->data[i]) != NULL)
			mg_buf_add_char(&escaped, '\\');
		mg_buf_add_char(&escaped, text->data[i]);
	}
	mg_buf_free(text);
	*text = escaped;
}

static void add_normal(struct making *making, struct normal *normal)
{
	struct mg_patterns *patterns = making->patterns;
	const char *suffix = NULL;

	if (normal->glob) {
		suffix = suffix_of(patterns->kind, normal->text.data);
	} else if (is_glob(normal->text.data)) {
		escape(&normal->text);
		normal->glob = true;
	}
	if (normal->text.failed)
		return;
	if (suffix != NULL) {
		size_t length = strlen(suffix);

		if (length > patterns->longest_suffix)
			patterns->longest_suffix = length;
		memmove(normal->text.data, suffix, length + 1);
	}
	if (normal->glob && suffix == NULL)
		patterns->globs[patterns->glob_count++] = normal->text.data;
	else
		making->texts[making->text_count++] = normal->text.data;
	normal->text.data = NULL;
}

static void add_entry(struct making *making, const char *entry)
{
	struct mg_patterns *patterns = making->patterns;
	struct normal normal = {.glob = false};

	if (is_regex(entry)) {
		add_expression(making, entry);
	} else if (mg_table_is_outside(entry)) {
		making->outside[making->outside_count++] = entry;
	} else if (patterns->kind == MG_PATTERNS_CLIENT) {
		struct mg_error error;

		if (mg_network_parse(entry, &patterns->networks[patterns->network_count], &error))
			patterns->network_count++;
		else
			mg_errors_add(making->errors, "%s", error.text);
	} else if (normalizers[patterns->kind](entry, &normal) && normal.text.data != NULL) {
		add_normal(making, &normal);
		if (normal.text.failed)
			out_of_memory(making);
	} else {
		mg_errors_add(making->errors, "\"%s\" is no such entry", entry);
	}
	mg_buf_free(&normal.text);
}

static void add_all(struct making *making, const char *const entries[], size_t count)
{
	struct mg_patterns *patterns = making->patterns;

	patterns->networks = calloc(count + 1, sizeof(*patterns->networks));
	patterns->globs = calloc(count + 1, sizeof(*patterns->globs));
	patterns->expressions = calloc(count + 1, sizeof(*patterns->expressions));
	making->texts = calloc(count + 1, sizeof(*making->texts));
	making->outside = calloc(count + 1, sizeof(*making->outside));
	if (patterns->networks == NULL || patterns->globs == NULL ||
		patterns->expressions == NULL || making->texts == NULL || making->outside == NULL) {
		out_of_memory(making);
		return;
	}
	for (size_t i = 0; i < count; i++)
		add_entry(making, entries[i]);
	if (making->text_count > 0)
		patterns->texts = mg_table_open(
			(const char *const *)making->texts, making->text_count, making->errors);
	if (making->outside_count > 0)
		patterns->outside =
			mg_table_open(making->outside, making->outside_count, making->errors);
}

struct mg_patterns *mg_patterns_new(enum mg_patterns_kind kind, const char *const entries[],
	size_t count, struct mg_errors *errors)
{
	struct mg_patterns *patterns = calloc(1, sizeof(*patterns));
	struct making making = {.patterns = patterns, .errors = errors};
	size_t before = errors->count;

	if (patterns == NULL) {
		out_of_memory(&making);
		return NULL;
	}
	patterns->kind = kind;
	add_all(&making, entries, count);
	for (size_t i = 0; i < making.text_count; i++)
		free(making.texts[i]);
	free(making.texts);
	free(making.outside);
	if (errors->count == before)
		return patterns;
	mg_patterns_free(patterns);
	return NULL;
}

void mg_patterns_free(struct mg_patterns *patterns)
{
	if (patterns == NULL)
		return;
	mg_table_close(patterns->texts);
	mg_table_close(patterns->outside);
	for (size_t i = 0; i < patterns->glob_count; i++)
		free(patterns->globs[i]);
	for (size_t i = 0; i < patterns->expression_count; i++) {
		mg_regex_free(patterns->expressions[i].regex);
		free(patterns->expressions[i].entry);
	}
	free(patterns->networks);
	free(patterns->globs);
	free(patterns->expressions);
	free(patterns);
}

void mg_patterns_run_begin(struct mg_patterns_run *run)
{
	*run = (struct mg_patterns_run){.work = WORK_MAX};
}

void mg_patterns_run_end(struct mg_patterns_run *run)
{
	mg_buf_free(&run->normal);
}

/* false with error when the message may cost no more. */
static bool spend(struct mg_patterns_run *run, uint64_t work, struct mg_error *error)
{
	if (work > run->work) {
		mg_error_set(error, "too much to compare: many values, and many patterns that can "
				    "only be tried one by one");
		return false;
	}
	run->work -= work;
	return true;
}

static bool normalize_value(enum mg_patterns_kind kind, const char *value, struct mg_buf *normal)
{
	size_t length = strlen(value);

	mg_buf_reset(normal);
	if ((kind == MG_PATTERNS_DOMAIN && mg_domain_normalize(value, length, normal)) ||
		(kind == MG_PATTERNS_ADDRESS && mg_address_normalize(value, length, normal)))
		return !normal->failed;
	mg_buf_add(normal, value, length + 1);
	if (normal->failed)
		return false;
	normal->data[--normal->length] = '\0';
	mg_str_lower_n(normal->data, normal->length);
	return true;
}

static int find_text(const struct mg_patterns *patterns, const char *key,
	struct mg_patterns_run *run, struct mg_error *error)
{
	if (!spend(run, LOOKUP, error))
		return -1;
	return mg_table_find(patterns->texts, key, NULL, 0, NULL, error);
}

/* The value itself, then what of it "*@DOMAIN" and "*.DOMAIN" may have left in the table. */
static int test_texts(const struct mg_patterns *patterns, const struct mg_buf *normal,
	struct mg_patterns_run *run, struct mg_error *error)
{
	const char *at = normal->data, *end = normal->data + normal->length;
	const char *domain = patterns->kind == MG_PATTERNS_ADDRESS ? strrchr(at, '@') : at;
	int result = find_text(patterns, at, run, error);

	if (patterns->longest_suffix == 0 || domain == NULL)
		return result;
	if ((size_t)(end - domain) > patterns->longest_suffix)
		domain = end - patterns->longest_suffix;
	for (at = domain; result == 0 && at < end; at++)
		if (*at == '.' || *at == '@')
			result = find_text(patterns, at, run, error);
	return result;
}

static int test_networks(const struct mg_patterns *patterns, const char *value,
	struct mg_patterns_run *run, struct mg_error *error)
{
	struct sockaddr_storage address;

	if (!spend(run, 1 + patterns->network_count / 8, error))
		return -1;
	return mg_net_parse(value, 0, &address) &&
	       mg_networks_contain(patterns->networks, patterns->network_count, &address);
}

static int test_globs(const struct mg_patterns *patterns, const struct mg_buf *normal,
	struct mg_patterns_run *run, struct mg_error *error)
{
	for (size_t i = 0; i < patterns->glob_count; i++) {
		if (!spend(run, GLOB + normal->length / BYTES_A_UNIT, error))
			return -1;
		if (fnmatch(patterns->globs[i], normal->data, 0) == 0)
			return 1;
	}
	return 0;
}

static int test_expressions(const struct mg_patterns *patterns, const char *value,
	struct mg_patterns_run *run, struct mg_error *error)
{
	size_t length = strlen(value);

	for (size_t i = 0; i < patterns->expression_count; i++) {
		const struct expression *expression = &patterns->expressions[i];
		struct mg_error inner;
		char shown[80];
		int result;

		if (!spend(run, REGEX + length / BYTES_A_UNIT, error))
			return -1;
		result = mg_regex_test(expression->regex, value, length, &inner);
		if (result > 0)
			return 1;
		if (result < 0) {
			mg_str_printable(
				shown, sizeof(shown), expression->entry, strlen(expression->entry));
			mg_error_set(error, "\"%s\": %s", shown, inner.text);
			return -1;
		}
	}
	return 0;
}

int mg_patterns_test(const struct mg_patterns *patterns, const char *value,
	struct mg_patterns_run *run, struct mg_error *error)
{
	bool as_it_stands = patterns->kind == MG_PATTERNS_TEXT;
	const struct mg_buf *normal = &run->normal;
	int result = 0;

	if (!normalize_value(patterns->kind, value, &run->normal)) {
		mg_error_set(error, "out of memory");
		return -1;
	}
	if (patterns->texts != NULL)
		result = test_texts(patterns, normal, run, error);
	if (result == 0 && patterns->network_count > 0)
		result = test_networks(patterns, normal->data, run, error);
	if (result == 0)
		result = test_globs(patterns, normal, run, error);
	if (result == 0 && patterns->outside != NULL)
		result = spend(run, TABLE, error) ? mg_table_find(patterns->outside, normal->data,
							    NULL, 0, NULL, error)
						  : -1;
	if (result == 0)
		result =
			test_expressions(patterns, as_it_stands ? value : normal->data, run, error);
	return result;
}

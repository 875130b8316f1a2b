/* SPDX-License-Identifier: ISC */
#include "base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum {
	MATCH_LIMIT = 200000, /* pcre2api(3): calls of match(), or as many points of going back */
	DEPTH_LIMIT = 20000,
	HEAP_LIMIT = 8192 /* KiB */
};

struct mg_regex {
	pcre2_code *code;
	pcre2_match_context *limits;
};

static void describe(int number, PCRE2_UCHAR *text, size_t size)
{
	if (pcre2_get_error_message(number, text, size) < 0 && number != PCRE2_ERROR_NOMEMORY)
		memcpy(text, "unknown error", sizeof("unknown error"));
}

static pcre2_code *compile(const char *pattern, struct mg_error *error)
{
	/* Text that is no UTF-8 is no error, and \C, which could cut a character, is one. */
	const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
	PCRE2_UCHAR message[256];
	PCRE2_SIZE offset;
	int number;
	pcre2_code *code = pcre2_compile(
		(PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &number, &offset, NULL);

	if (code == NULL) {
		describe(number, message, sizeof(message));
		mg_error_set(error, "%s at column %zu", (const char *)message, (size_t)offset + 1);
		return NULL;
	}
	/* Where there is no JIT the interpreter does the same. */
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return code;
}

struct mg_regex *mg_regex_new(const char *pattern, struct mg_error *error)
{
	pcre2_code *code = compile(pattern, error);
	struct mg_regex *regex;

	if (code == NULL)
		return NULL;
	regex = calloc(1, sizeof(*regex));
	if (regex != NULL)
		regex->limits = pcre2_match_context_create(NULL);
	if (regex == NULL || regex->limits == NULL) {
		free(regex);
		pcre2_code_free(code);
		mg_error_set(error, "out of memory");
		return NULL;
	}
	regex->code = code;
	pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(regex->limits, HEAP_LIMIT);
	return regex;
}

void mg_regex_free(struct mg_regex *regex)
{
	if (regex == NULL)
		return;
	pcre2_match_context_free(regex->limits);
	pcre2_code_free(regex->code);
	free(regex);
}

int mg_regex_test(
	const struct mg_regex *regex, const char *text, size_t length, struct mg_error *error)
{
	/* Nobody asks where it fits: room for one pair. */
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	PCRE2_UCHAR message[256];
	int result;

	if (data == NULL) {
		mg_error_set(error, "out of memory");
		return -1;
	}
	result = pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, 0, data, regex->limits);
	/* The JIT's stack is small; the interpreter has the heap, up to its limit. */
	if (result == PCRE2_ERROR_JIT_STACKLIMIT)
		result = pcre2_match(regex->code, (PCRE2_SPTR)text, length, 0, PCRE2_NO_JIT, data,
			regex->limits);
	pcre2_match_data_free(data);
	if (result >= 0)
		return 1;
	if (result == PCRE2_ERROR_NOMATCH)
		return 0;
	describe(result, message, sizeof(message));
	mg_error_set(error, "%s", (const char *)message);
	return -1;
}

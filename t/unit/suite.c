/* SPDX-License-Identifier: ISC */
#include "suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

void suite_needed(void)
{
	if (getenv("SUITES") != NULL)
		return;
	printf("1..0 # SKIP SUITES is not set\n");
	exit(0);
}

void suite_read(const char *path, struct mg_buf *text)
{
	char name[512], piece[4096];
	size_t length;
	FILE *file;

	snprintf(name, sizeof(name), "%s/%s", getenv("SUITES"), path);
	file = fopen(name, "re");
	if (file == NULL)
		fail_msg("%s cannot be read", name);
	while ((length = fread(piece, 1, sizeof(piece), file)) > 0)
		mg_buf_add(text, piece, length);
	fclose(file);
	assert_false(text->failed);
}

json_t *suite_load(const char *path, bool first)
{
	struct mg_buf text = {.limit = 0};
	json_error_t error;
	json_t *json;
	const char *start;

	suite_read(path, &text);
	start = first ? strchr(mg_buf_text(&text), '{') : mg_buf_text(&text);
	assert_non_null(start);
	json = json_loads(start, JSON_ALLOW_NUL | (first ? JSON_DISABLE_EOF_CHECK : 0), &error);
	if (json == NULL)
		fail_msg("%s:%d: %s", path, error.line, error.text);
	mg_buf_free(&text);
	return json;
}

/* The row of a kept difference, -1 for none. */
static int find_kept(const struct suite *suite, const char *name)
{
	for (int i = 0; suite->kept[i].name != NULL; i++)
		if (strcmp(suite->kept[i].name, name) == 0)
			return i;
	return -1;
}

void suite_case(struct suite *suite, const char *name, bool agreed, const char *format, ...)
{
	int kept = find_kept(suite, name);
	va_list arguments;
	char text[2048];

	suite->cases++;
	suite->agreed += agreed;
	if (kept >= 0)
		suite->used |= 1ULL << kept;
	if (agreed == (kept < 0))
		return;
	suite->failed++;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_error("%s: %s%s\n", name, text, agreed ? " (kept as a difference, but none)" : "");
}

void suite_end(const struct suite *suite)
{
	for (int i = 0; suite->kept[i].name != NULL; i++) {
		if ((suite->used >> i & 1) == 0)
			fail_msg("%s: kept as a difference, but no case", suite->kept[i].name);
		print_message("# kept: %s: %s\n", suite->kept[i].name, suite->kept[i].reason);
	}
	print_message("# %u cases, %u agreed\n", suite->cases, suite->agreed);
	assert_true(suite->cases > 0);
	assert_int_equal(suite->failed, 0);
}

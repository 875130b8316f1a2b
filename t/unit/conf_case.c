/* SPDX-License-Identifier: ISC */
#include "conf_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/conf_load.h"

enum { MATCH_ROWS = 6 };

static const char *check_rate(const char *text)
{
	return strchr(text, '/') ? NULL
				 : "no time; expected NUMBER/s, /m, /h or /d, e.g. \"200/h\"";
}

static const char *check_form(const char *text)
{
	return strcmp(text, "simple") == 0 || strcmp(text, "relaxed") == 0
		       ? NULL
		       : "expected simple or relaxed, twice: \"relaxed/relaxed\"";
}

/* A section that can stand in itself. */
static const struct mg_option match_options[MATCH_ROWS] = {
	{.name = "direction", .kind = MG_WORD, .value = "any", .words = "any|inbound|outbound"},
	{.name = "client", .kind = MG_NETWORKS, .value = "{ }"},
	{.name = "tls", .kind = MG_WORD, .value = "any", .words = "any|no|yes"},
	{.name = "header", .kind = MG_LIST, .value = "{ }"},
	{.name = "not", .kind = MG_SECTION, .options = match_options},
};
static const struct mg_option redact_options[] = {
	{.name = "subject", .kind = MG_WORD, .value = "clear", .words = "clear|hmac|mask|drop"},
	{.name = NULL}};
static const struct mg_option events_options[] = {
	{.name = "keep", .kind = MG_SIZE, .value = "10G", .minimum = 1024, .help = "bytes kept"},
	{.name = "keep_age", .kind = MG_DURATION, .value = "90d"},
	{.name = "durable", .kind = MG_BOOL, .value = "no"},
	{.name = "redact", .kind = MG_SECTION, .options = redact_options}, {.name = NULL}};
static const struct mg_option limit_options[] = {
	{.name = "rate", .kind = MG_TEXT, .value = "", .check = check_rate},
	{.name = "burst",
		.kind = MG_NUMBER,
		.value = "10",
		.minimum = 1,
		.maximum = 1000,
		.unit = "messages",
		.help = "how many at once"},
	{.name = "key", .kind = MG_LIST, .value = "{ \"user\" }", .words = "user|client"},
	{.name = "match", .kind = MG_SECTION, .options = match_options}, {.name = NULL}};
static const struct mg_option common_options[] = {
	{.name = "internal_networks", .kind = MG_NETWORKS, .value = "{ \"127.0.0.0/8\", \"::1\" }"},
	{.name = "engine", .kind = MG_WORD, .value = "native", .words = "native|libmilter"},
	{.name = "gateway", .kind = MG_TEXT, .value = ""},
	{.name = "form",
		.kind = MG_TEXT,
		.value = "simple",
		.words = "simple|relaxed",
		.check = check_form},
	{.name = "events", .kind = MG_SECTION, .options = events_options}, {.name = NULL}};
static const struct mg_option policy_options[] = {
	{.name = "headers", .kind = MG_LIST, .value = "{ }", .help = "a back\\slash. 'quoted'"},
	{.name = "offset", .kind = MG_NUMBER, .value = "0", .minimum = -5, .maximum = 5},
	{.name = "limit", .kind = MG_SECTIONS, .options = limit_options}, {.name = NULL}};
const struct mg_option *const conf_tables[] = {common_options, policy_options, NULL};

bool read_memory(void *argument, const char *path, size_t maximum, struct mg_textfile *file,
	struct mg_error *error)
{
	const struct memory_file *files = argument;

	for (size_t i = 0; files[i].path; i++) {
		if (strcmp(files[i].path, path) != 0)
			continue;
		assert_true(strlen(files[i].text) <= maximum);
		*file = (struct mg_textfile){.data = strdup(files[i].text),
			.length = strlen(files[i].text),
			.inode = i + 1};
		return true;
	}
	mg_error_set(error, "No such file or directory");
	return false;
}

struct mg_conf *load_files(
	const struct memory_file *files, const char *const overrides[], struct mg_errors *errors)
{
	const struct mg_conf_source source = {.read = read_memory, .argument = (void *)files};

	*errors = (struct mg_errors){0};
	return mg_conf_load_from(&source, files[0].path, conf_tables, overrides, errors);
}

struct mg_conf *must_load(const struct memory_file *files, const char *const overrides[])
{
	struct mg_errors errors;
	struct mg_conf *conf = load_files(files, overrides, &errors);

	if (!conf)
		fail_msg("%s", errors.list[0].text);
	return conf;
}

struct mg_conf *must_load_text(const char *text)
{
	const struct memory_file files[] = {{"/etc/x/policy.conf", text}, {NULL, NULL}};

	return must_load(files, NULL);
}

/* The errors of files, a line each, are just those of `expected`. */
void expect_errors_of(
	const struct memory_file *files, const char *const overrides[], const char *expected)
{
	struct mg_errors errors;
	struct mg_conf *conf = load_files(files, overrides, &errors);
	struct mg_buf text = {0};

	for (size_t i = 0; i < errors.kept; i++)
		mg_buf_add_format(&text, "%s\n", errors.list[i].text);
	assert_string_equal(mg_buf_text(&text), expected);
	mg_buf_free(&text);
	assert_null(conf);
	mg_errors_clear(&errors);
}

void expect_errors(const char *text, const char *expected)
{
	const struct memory_file files[] = {{"/etc/x/policy.conf", text}, {NULL, NULL}};

	expect_errors_of(files, NULL, expected);
}

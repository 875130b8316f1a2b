/* SPDX-License-Identifier: ISC */
#include "base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
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
static const struct mg_option *const tables[] = {common_options, policy_options, NULL};

/* Files that are only in memory; the first one is the main file. */
struct memory_file {
	const char *path, *text;
};

static bool read_memory(void *argument, const char *path, size_t maximum, struct mg_textfile *file,
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

static struct mg_conf *load_files(
	const struct memory_file *files, const char *const overrides[], struct mg_errors *errors)
{
	const struct mg_conf_source source = {.read = read_memory, .argument = (void *)files};

	*errors = (struct mg_errors){0};
	return mg_conf_load_from(&source, files[0].path, tables, overrides, errors);
}

static struct mg_conf *must_load(const struct memory_file *files, const char *const overrides[])
{
	struct mg_errors errors;
	struct mg_conf *conf = load_files(files, overrides, &errors);

	if (!conf)
		fail_msg("%s", errors.list[0].text);
	return conf;
}

static struct mg_conf *must_load_text(const char *text)
{
	const struct memory_file files[] = {{"/etc/x/policy.conf", text}, {NULL, NULL}};

	return must_load(files, NULL);
}

/* The errors of files, a line each, are just those of `expected`. */
static void expect_errors_of(
	const struct memory_file *files, const char *const overrides[], const char *expected)
{
	struct mg_errors errors;
	struct mg_conf *conf = load_files(files, overrides, &errors);
	char text[8192] = "";

	for (size_t i = 0; i < errors.kept; i++) {
		strcat(text, errors.list[i].text);
		strcat(text, "\n");
	}
	assert_string_equal(text, expected);
	assert_null(conf);
	mg_errors_clear(&errors);
}

static void expect_errors(const char *text, const char *expected)
{
	const struct memory_file files[] = {{"/etc/x/policy.conf", text}, {NULL, NULL}};

	expect_errors_of(files, NULL, expected);
}

/* The entries of a list with a space behind each. */
static void expect_list(const struct mg_conf *conf, const char *name, const char *expected)
{
	char text[1024] = "";
	size_t count;
	const char *const *list = mg_conf_list(conf, name, &count);

	for (size_t i = 0; i < count; i++) {
		strcat(text, list[i]);
		strcat(text, " ");
	}
	assert_string_equal(text, expected);
}

static void without_a_file_every_setting_has_its_default(void **state)
{
	struct mg_errors errors = {0};
	struct mg_conf *conf = mg_conf_load(NULL, tables, NULL, &errors);
	const char *file;
	unsigned line;

	(void)state;
	assert_non_null(conf);
	assert_string_equal(mg_conf_text(conf, "engine"), "native");
	assert_int_equal(mg_conf_number(conf, "engine"), 0);
	assert_int_equal(mg_conf_number(conf, "events.keep"), INT64_C(10) << 30);
	assert_int_equal(mg_conf_number(conf, "events.keep_age"), 90 * 86400 * MG_SECOND);
	assert_false(mg_conf_bool(conf, "events.durable"));
	expect_list(conf, "internal_networks", "127.0.0.0/8 ::1 ");
	assert_int_equal(mg_conf_count(conf, "limit"), 0);
	assert_false(mg_conf_is_set(conf, "engine"));
	assert_false(mg_conf_is_set(conf, "events"));
	mg_conf_place(conf, "events.keep", &file, &line);
	assert_string_equal(file, "");
	assert_int_equal(line, 0);
	mg_conf_free(conf);
}

static void values_of_every_kind_are_read(void **state)
{
	struct mg_conf *conf =
		must_load_text("engine = \"libmilter\" # a comment = { \"\n"
			       "gateway=\"a\\\\b\\\"c\\nd\\te\"offset = -3\r\n"
			       "headers = { 'X: \\d+ \"#\"', \"two\", }\n"
			       "internal_networks = \"192.0.2.0/24\"\n"
			       "events { keep = \"64M\" keep_age = 0 durable = yes }\n"
			       "limit \"a b\" { burst = 5 match { tls = no not { } } }");
	const struct mg_conf *limit = mg_conf_at(conf, "limit", 0);
	const struct mg_network *networks;
	size_t count;

	(void)state;
	assert_string_equal(mg_conf_text(conf, "engine"), "libmilter");
	assert_int_equal(mg_conf_number(conf, "engine"), 1);
	assert_string_equal(mg_conf_text(conf, "gateway"), "a\\b\"c\nd\te");
	assert_int_equal(mg_conf_number(conf, "offset"), -3);
	expect_list(conf, "headers", "X: \\d+ \"#\" two ");
	networks = mg_conf_networks(conf, "internal_networks", &count);
	assert_int_equal(count, 1);
	assert_int_equal(networks[0].bits, 24);
	assert_int_equal(mg_conf_number(conf, "events.keep"), 64 << 20);
	assert_int_equal(mg_conf_number(conf, "events.keep_age"), 0);
	assert_true(mg_conf_bool(conf, "events.durable"));
	assert_string_equal(mg_conf_title(limit), "a b");
	assert_int_equal(mg_conf_number(limit, "burst"), 5);
	assert_string_equal(mg_conf_text(limit, "match.tls"), "no");
	assert_true(mg_conf_is_set(limit, "match.not"));
	assert_false(mg_conf_is_set(limit, "match.not.not"));
	assert_string_equal(mg_conf_text(limit, "match.not.not.not.tls"), "any");
	mg_conf_free(conf);
}

static void a_setting_with_the_value_of_its_default_is_not_set(void **state)
{
	struct mg_conf *conf =
		must_load_text("engine = \"native\" events { redact { subject = \"hmac\" } }\n"
			       "internal_networks = { \"127.0.0.0/8\", \"::1\" }");

	(void)state;
	assert_false(mg_conf_is_set(conf, "engine"));
	assert_false(mg_conf_is_set(conf, "internal_networks"));
	assert_false(mg_conf_is_set(conf, "events.keep"));
	assert_true(mg_conf_is_set(conf, "events.redact.subject"));
	assert_true(mg_conf_is_set(conf, "events"));
	mg_conf_free(conf);
}

static void sizes_and_durations_have_their_units(void **state)
{
	static const struct {
		const char *text;
		int64_t size;
	} sizes[] = {{"\"1K\"", 1024}, {"\"2M\"", 2 << 20}, {"\"3G\"", INT64_C(3) << 30},
		{"\"4T\"", INT64_C(4) << 40}, {"\"2000\"", 2000}, {"2000", 2000}};
	static const struct {
		const char *text;
		int64_t seconds;
	} durations[] = {{"\"7s\"", 7}, {"\"2m\"", 120}, {"\"3h\"", 10800}, {"\"4d\"", 345600},
		{"\"0s\"", 0}, {"\"0\"", 0}, {"0", 0}};
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct mg_conf *conf;

		snprintf(text, sizeof(text), "events { keep = %s }", sizes[i].text);
		conf = must_load_text(text);
		assert_int_equal(mg_conf_number(conf, "events.keep"), sizes[i].size);
		mg_conf_free(conf);
	}
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		struct mg_conf *conf;

		snprintf(text, sizeof(text), "events { keep_age = %s }", durations[i].text);
		conf = must_load_text(text);
		assert_int_equal(
			mg_conf_number(conf, "events.keep_age"), durations[i].seconds * MG_SECOND);
		mg_conf_free(conf);
	}
}

/* Each row is one file with one error, in the form operators see. */
static void an_error_says_where_what_was_expected_and_the_nearest_name(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"\nlimit \"per user\" {\n rat = \"200/h\" }",
			"3: limit \"per user\": no setting \"rat\"; nearest: rate"},
		{"limit \"per user\" {\n\n rate = \"200\" }",
			"3: limit \"per user\": rate \"200\": no time; expected NUMBER/s, /m, /h or /d, "
			"e.g. \"200/h\""},
		{"limit \"numbers\" { rate = \"\\d/s\" }",
			"1: limit \"numbers\": no escape \"\\d\" in \"double quotes\" (only \\\\ \\\" \\n "
			"\\t); put patterns in 'single quotes'"},
		{"limit \"x\" {\n rate = \"1/s\"\n\n\n",
			"4: the file ends inside limit \"x\" (line 1): "
			"\"}\" missing"},
		{"form = \"relaxd\"", "1: form \"relaxd\"; expected simple or relaxed, twice: "
				      "\"relaxed/relaxed\"; nearest: relaxed"},
		{"events { keep = \"10GB\" }",
			"1: events: keep \"10GB\"; expected a number and K, M, G or T"},
		{"events { keep = 10G }", "1: events: keep 10G; expected quotes: \"10G\""},
		{"events { keep = \"5\" }", "1: events: keep \"5\"; expected at least 1K"},
		{"events { keep = \"9999999999T\" }",
			"1: events: keep \"9999999999T\"; expected a number and K, M, G or T"},
		{"events { keep_age = \"20\" }",
			"1: events: keep_age \"20\"; expected a number and s, m, h or d"},
		{"events { keep_age = 20 }",
			"1: events: keep_age 20; expected a number and s, m, h or d"},
		{"events { durable = true }", "1: events: durable true; expected yes or no"},
		{"events { durable = \"yes\" }",
			"1: events: durable \"yes\"; expected yes or no, without quotes"},
		{"events { redact { subject = \"hmc\" } }",
			"1: events: redact: subject \"hmc\"; expected clear, hmac, mask or drop; nearest: "
			"hmac"},
		{"events { redact { } } events { }", "1: events: stands twice; first in line 1"},
		{"events \"a\" { }", "1: events has no title; expected events {"},
		{"events = { }", "1: events is a section; expected \"{\", not \"=\""},
		{"limit { }", "1: limit: no title; expected limit \"title\" {"},
		{"limit \"\" { }", "1: limit: no title; expected limit \"title\" {"},
		{"limit \"x\" { }\nlimit \"x\" { }",
			"2: limit \"x\": stands twice; first in line 1"},
		{"limt \"x\" { a = 1 b { } }", "1: no section \"limt\"; nearest: limit"},
		{"limit \"x\" { burst = 5000 }", "1: limit \"x\": burst 5000; expected 1 to 1000"},
		{"limit \"x\" { burst = \"5\" }",
			"1: limit \"x\": burst \"5\"; expected a number without quotes"},
		{"limit \"x\" { burst = five }", "1: limit \"x\": burst five; expected a number"},
		{"limit \"x\" { key = \"usr\" }",
			"1: limit \"x\": key \"usr\"; expected user or client; nearest: user"},
		{"limit \"x\" { engine = \"native\" }",
			"1: limit \"x\": no setting \"engine\"; it stands outside of sections"},
		{"offset = -6", "1: offset -6; expected -5 to 5"},
		{"engine = native", "1: engine native; expected quotes: \"native\""},
		{"engine = { \"native\" }", "1: engine: a list; expected native or libmilter"},
		{"engine = \"native\"\n\nengine = \"native\"",
			"3: engine is set twice; first in line 1"},
		{"engine += \"native\"", "1: engine is no list; expected \"=\""},
		{"engine \"native\"", "1: expected \"=\" behind engine"},
		{"engine { }", "1: engine is no section; expected engine = ..."},
		{"engine =\ngateway = \"x\"", "2: engine: expected a value before gateway"},
		{"headers = { \"a\" \"b\" }", "1: headers: expected \",\" or \"}\" before \"b\""},
		{"headers = { a }", "1: headers a; expected quotes: \"a\""},
		{"headers = { \"a\",\n { } }", "2: headers: \"{\"; expected a text in quotes"},
		{"headers = {\n \"a\",\n\nengine = \"native\"",
			"4: headers: the list that begins in line 1 has no \"}\""},
		{"internal_networks = { \"192.0.2.1/24\" }",
			"1: internal_networks: network \"192.0.2.1/24\": bits are set below the mask; "
			"nearest: 192.0.2.0/24"},
		{"gateway = \"abc\nengine = \"native\"",
			"1: text without its closing \"; it ends on its "
			"line"},
		{"gateway = 'abc\n", "1: text without its closing '; it ends on its line"},
		{"}", "1: \"}\" without \"{\""},
		{"= 5", "1: expected the name of a setting before \"=\""},
		{"include \"x\"", "1: expected include(\"path\")"},
		{"events { include(\"x\") }", "1: events: include stands outside of sections"},
		{"include(\"x\")", "1: include(\"x\"): No such file or directory"},
		{"include(\"policy.conf\")",
			"1: include(\"policy.conf\"): a cycle: policy.conf is included by policy.conf"},
		{"gateway = \"\xff\"", "1: byte 0xff is not UTF-8"},
		{"no\x1bsuch = 1", "1: no setting \"no\\x1bsuch\""},
	};
	char expected[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(expected, sizeof(expected), "policy.conf:%s\n", rows[i].error);
		expect_errors(rows[i].text, expected);
	}
}

static void every_error_of_every_file_is_reported_once(void **state)
{
	const struct memory_file files[] = {
		{"/etc/x/policy.conf", "engine = \"natve\"\n"
				       "include(\"/etc/x/common.conf\")\n"
				       "include(\"/srv/other.conf\")\n"
				       "limit \"x\" { burst = 0 rat = 5\n"
				       "  match { tls = \"maybe\"\n"
				       "          client = \"nowhere\" }\n"
				       "  key = { \"usr\", \"clent\" } }\n"
				       "offset = 6\n"},
		{"/etc/x/common.conf", "foo\nbar = { 'x', }\ngateway = 5"},
		{"/srv/other.conf", "\n\nbaz { qux { } }"}, {NULL, NULL}};

	(void)state;
	expect_errors_of(files, NULL,
		"policy.conf:1: engine \"natve\"; expected native or libmilter; nearest: native\n"
		"common.conf:1: expected \"=\" behind foo\n"
		"common.conf:2: no setting \"bar\"\n"
		"common.conf:3: gateway 5; expected quotes: \"5\"\n"
		"/srv/other.conf:3: no section \"baz\"\n"
		"policy.conf:4: limit \"x\": burst 0; expected 1 to 1000\n"
		"policy.conf:4: limit \"x\": no setting \"rat\"; nearest: rate\n"
		"policy.conf:5: limit \"x\": match: tls \"maybe\"; expected any, no or yes\n"
		"policy.conf:6: limit \"x\": match: client: network \"nowhere\": expected ADDRESS or ADDRESS/BITS\n"
		"policy.conf:7: limit \"x\": key \"usr\"; expected user or client; nearest: user\n"
		"policy.conf:7: limit \"x\": key \"clent\"; expected user or client; nearest: client\n"
		"policy.conf:8: offset 6; expected -5 to 5\n");
}

static void a_missing_brace_is_one_error_and_what_follows_is_read(void **state)
{
	(void)state;
	expect_errors("events { keep = \"1G\"\n"
		      "limit \"x\" { match { tls = no\n"
		      "limit \"y\" { burst = 0 }\n"
		      "offset = 7\n",
		"policy.conf:2: events: \"}\" missing before limit\n"
		"policy.conf:3: limit \"x\": match: \"}\" missing before limit\n"
		"policy.conf:3: limit \"y\": burst 0; expected 1 to 1000\n"
		"policy.conf:4: offset 7; expected -5 to 5\n");
}

static void a_section_that_belongs_outside_is_one_error_though_its_brace_comes_later(void **state)
{
	(void)state;
	expect_errors("events {\n limit \"x\" { }\n}\noffset = 7\n",
		"policy.conf:2: events: \"}\" missing before limit\n"
		"policy.conf:4: offset 7; expected -5 to 5\n");
}

static void a_file_overrides_what_it_includes_wherever_the_include_stands(void **state)
{
	const struct memory_file files[] = {{"/etc/x/policy.conf", "engine = \"libmilter\"\n"
								   "events { keep = \"2G\" }\n"
								   "include(\"sub/common.conf\")\n"
								   "headers += { \"c\" }\n"
								   "limit \"x\" { burst = 7 }\n"},
		{"/etc/x/sub/common.conf",
			"engine = \"native\" gateway = \"common\"\n"
			"include(\"base.conf\")\n"
			"events { keep = \"3G\" durable = yes }\n"
			"headers += { \"b\" }\n"
			"internal_networks += { \"10.0.0.0/8\" }\n"
			"limit \"first\" { } limit \"x\" { rate = \"1/s\" burst = 3 }"},
		{"/etc/x/sub/base.conf", "headers = { \"a\" } gateway = \"base\""}, {NULL, NULL}};
	struct mg_conf *conf = must_load(files, NULL);
	const struct mg_conf *limit = mg_conf_at(conf, "limit", 1);
	const char *file;
	unsigned line;

	(void)state;
	assert_string_equal(mg_conf_text(conf, "engine"), "libmilter");
	assert_string_equal(mg_conf_text(conf, "gateway"), "common");
	assert_int_equal(mg_conf_number(conf, "events.keep"), INT64_C(2) << 30);
	assert_true(mg_conf_bool(conf, "events.durable"));
	expect_list(conf, "headers", "a b c ");
	expect_list(conf, "internal_networks", "127.0.0.0/8 ::1 10.0.0.0/8 ");
	assert_int_equal(mg_conf_count(conf, "limit"), 2);
	assert_string_equal(mg_conf_title(mg_conf_at(conf, "limit", 0)), "first");
	assert_string_equal(mg_conf_title(limit), "x");
	assert_int_equal(mg_conf_number(limit, "burst"), 7);
	assert_string_equal(mg_conf_text(limit, "rate"), "1/s");
	mg_conf_place(limit, "rate", &file, &line);
	assert_string_equal(file, "sub/common.conf");
	assert_int_equal(line, 6);
	mg_conf_place(limit, "burst", &file, &line);
	assert_string_equal(file, "policy.conf");
	assert_int_equal(line, 5);
	mg_conf_free(conf);
}

static void an_equals_sign_replaces_a_list_that_an_included_file_extended(void **state)
{
	const struct memory_file files[] = {
		{"policy.conf",
			"headers += { \"b\" } include(\"common.conf\") "
			"internal_networks = { \"10.0.0.0/8\" } internal_networks += \"::2\""},
		{"common.conf", "headers = { \"a\" } internal_networks += { \"192.0.2.0/24\" }"},
		{NULL, NULL}};
	struct mg_conf *conf = must_load(files, NULL);
	const struct mg_network *networks;
	size_t count;

	(void)state;
	expect_list(conf, "headers", "a b ");
	expect_list(conf, "internal_networks", "10.0.0.0/8 ::2 ");
	networks = mg_conf_networks(conf, "internal_networks", &count);
	assert_int_equal(count, 2);
	assert_int_equal(networks[1].bits, 128);
	mg_conf_free(conf);
}

static void a_file_that_two_others_include_is_read_once_and_before_both(void **state)
{
	const struct memory_file files[] = {
		{"/a/main.conf", "include(\"one.conf\") include(\"two.conf\")"},
		{"/a/one.conf",
			"include(\"common.conf\") gateway = \"one\" headers += { \"one\" }"},
		{"/a/two.conf", "headers += { \"two\" } include(\"common.conf\")"},
		{"/a/common.conf", "gateway = \"common\" headers = { \"common\" }"}, {NULL, NULL}};
	struct mg_conf *conf = must_load(files, NULL);

	(void)state;
	assert_string_equal(mg_conf_text(conf, "gateway"), "one");
	expect_list(conf, "headers", "common one two ");
	mg_conf_free(conf);
}

static void a_cycle_of_includes_names_both_files(void **state)
{
	const struct memory_file files[] = {{"/etc/x/a.conf", "\ninclude(\"b.conf\")"},
		{"/etc/x/b.conf", "include(\"a.conf\")"}, {NULL, NULL}};

	(void)state;
	expect_errors_of(files, NULL,
		"b.conf:1: include(\"a.conf\"): a cycle: b.conf is included by a.conf\n");
}

static void options_of_the_command_line_come_last(void **state)
{
	const struct memory_file files[] = {
		{"policy.conf", "engine = \"native\" events { durable = no } headers = { \"a\" }"},
		{NULL, NULL}};
	const char *const overrides[] = {"engine=libmilter", "events.durable=yes",
		"events.redact.subject=hmac", "events.keep=64M", "gateway=a b\\c", "offset=-1",
		"headers+={ \"b\", 'c' }", "internal_networks=10.0.0.0/8", "form=\"relaxed\"",
		NULL};
	struct mg_conf *conf = must_load(files, overrides);
	const char *file;
	unsigned line;

	(void)state;
	assert_string_equal(mg_conf_text(conf, "engine"), "libmilter");
	assert_true(mg_conf_bool(conf, "events.durable"));
	assert_string_equal(mg_conf_text(conf, "events.redact.subject"), "hmac");
	assert_int_equal(mg_conf_number(conf, "events.keep"), 64 << 20);
	assert_string_equal(mg_conf_text(conf, "gateway"), "a b\\c");
	assert_string_equal(mg_conf_text(conf, "form"), "relaxed");
	assert_int_equal(mg_conf_number(conf, "offset"), -1);
	expect_list(conf, "headers", "a b c ");
	expect_list(conf, "internal_networks", "10.0.0.0/8 ");
	mg_conf_place(conf, "events.keep", &file, &line);
	assert_string_equal(file, "-o");
	assert_int_equal(line, 0);
	mg_conf_free(conf);
}

static void errors_of_the_command_line_are_in_the_same_form(void **state)
{
	const struct memory_file files[] = {{"policy.conf", ""}, {NULL, NULL}};
	const char *const overrides[] = {"engine=natve", "events.keep=10GB", "evnts.keep=1",
		"events.kep=1G", "durable", "=x", "limit.x=1", "events=1", "headers={ \"a\"",
		"headers={ } x", "engine+=native", NULL};

	(void)state;
	expect_errors_of(files, overrides,
		"-o: engine \"natve\"; expected native or libmilter; nearest: native\n"
		"-o: events: keep \"10GB\"; expected a number and K, M, G or T\n"
		"-o: no section \"evnts\" without title\n"
		"-o: events: no setting \"kep\"; nearest: keep\n"
		"-o: \"durable\"; expected name=value\n"
		"-o: \"=x\"; expected name=value\n"
		"-o: no section \"limit\" without title\n"
		"-o: events is a section\n"
		"-o: headers: the list has no \"}\"\n"
		"-o: headers: x behind the value\n"
		"-o: engine is no list; expected \"=\"\n");
}

static void a_program_reports_errors_of_its_own_in_the_same_form(void **state)
{
	struct mg_conf *conf =
		must_load_text("gateway = \"x\"\nlimit \"per user\" {\n burst = 5\n}");
	struct mg_errors errors = {0};

	(void)state;
	mg_conf_error(conf, "gateway", &errors, "no host %d", 1);
	mg_conf_error(mg_conf_at(conf, "limit", 0), "burst", &errors, "too few");
	mg_conf_error(mg_conf_at(conf, "limit", 0), "rate", &errors, "no rate");
	mg_conf_error(mg_conf_at(conf, "limit", 0), NULL, &errors, "never reached");
	mg_conf_error(conf, "events.redact.subject", &errors, "no key");
	mg_conf_error(mg_conf_section(conf, "events"), NULL, &errors, "no folder");
	assert_int_equal(errors.count, 6);
	assert_string_equal(errors.list[0].text, "policy.conf:1: no host 1");
	assert_string_equal(errors.list[1].text, "policy.conf:3: limit \"per user\": too few");
	assert_string_equal(errors.list[2].text, "policy.conf:2: limit \"per user\": no rate");
	assert_string_equal(
		errors.list[3].text, "policy.conf:2: limit \"per user\": never reached");
	assert_string_equal(errors.list[4].text, "policy.conf: events: redact: no key");
	assert_string_equal(errors.list[5].text, "policy.conf: events: no folder");
	mg_errors_clear(&errors);
	mg_conf_free(conf);
}

static char *print(const struct mg_conf *conf)
{
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	assert_non_null(stream);
	assert_int_equal(mg_conf_print(conf, stream), 0);
	fclose(stream);
	return text;
}

static void what_was_printed_loads_and_prints_as_the_same(void **state)
{
	const char *const overrides[] = {"gateway=\"\"", "form=simple", NULL};
	const struct memory_file files[] = {
		{"policy.conf",
			"gateway = \"a\\\\b'\\\"c\\nd\\te\"\n"
			"headers = { '\\d+', \"it's \\\\d\", 'say \"x\"', \"\xc3\xa4#\" }\n"
			"events { keep = \"1536M\" keep_age = \"36h\" durable = yes }\n"
			"limit \"a \\\"b\\\"\" { match { tls = no not { client = \"::1\" not { } } } }\n"
			"limit 'c' { rate = \"\" burst = 1000 key = { } }"},
		{NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mg_conf *first = must_load(files, i == 0 ? NULL : overrides), *second;
		char *printed = print(first), *again;

		second = must_load_text(printed);
		again = print(second);
		assert_string_equal(again, printed);
		assert_true(mg_conf_is_set(mg_conf_at(second, "limit", 0), "match.not.not"));
		assert_false(mg_conf_is_set(mg_conf_at(second, "limit", 1), "match"));
		assert_string_equal(
			mg_conf_text(second, "gateway"), mg_conf_text(first, "gateway"));
		free(printed);
		free(again);
		mg_conf_free(first);
		mg_conf_free(second);
	}
}

static void the_manual_lists_every_setting_once(void **state)
{
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	(void)state;
	assert_int_equal(mg_conf_print_mdoc(tables, stream), 0);
	fclose(stream);
	assert_non_null(
		strstr(text, "\n.It Ic engine\nNative or libmilter.\nDefault: \"native\".\n"));
	assert_non_null(strstr(text, "\nHow many at once.\nA number, messages, 1 to 1000.\n"));
	assert_non_null(strstr(text, "\nA back\\eslash. 'quoted'.\n"));
	assert_non_null(strstr(text, ".It Ic not Brq ...\nTakes the same settings"));
	free(text);
}

/* Real files, in a folder of their own. */
struct folder {
	char path[64], file[80], other[80];
};

static void write_file(const char *path, const char *text, size_t length, mode_t mode)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(text, 1, length, stream), length);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/tmp/mg-conf-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof(folder->file), "%s/log.conf", folder->path);
	snprintf(folder->other, sizeof(folder->other), "%s/other.conf", folder->path);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	unlink(folder->file);
	rmdir(folder->file);
	unlink(folder->other);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static void expect_load_error(const char *path, const char *format, const char *argument)
{
	struct mg_errors errors = {0};
	char expected[512];

	snprintf(expected, sizeof(expected), format, argument);
	assert_null(mg_conf_load(path, tables, NULL, &errors));
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].text, expected);
	mg_errors_clear(&errors);
}

static void a_file_is_loaded_with_its_includes_by_relative_path(void **state)
{
	const struct folder *folder = *state;
	struct mg_errors errors = {0};
	struct mg_conf *conf;

	write_file(folder->file, "include(\"other.conf\")", 21, 0640);
	write_file(folder->other, "\xef\xbb\xbfoffset = 3", 13, 0600);
	conf = mg_conf_load(folder->file, tables, NULL, &errors);
	assert_non_null(conf);
	assert_int_equal(mg_conf_number(conf, "offset"), 3);
	mg_conf_free(conf);
}

static void a_file_that_others_can_write_is_refused_with_the_mend(void **state)
{
	const struct folder *folder = *state;
	char expected[256];

	write_file(folder->file, "", 0, 0646);
	snprintf(expected, sizeof(expected), "%s: others can write it (646); mend: chmod go-w %%s",
		folder->file);
	expect_load_error(folder->file, expected, folder->file);
	write_file(folder->file, "include(\"other.conf\")", 21, 0644);
	write_file(folder->other, "", 0, 0666);
	expect_load_error(folder->file,
		"log.conf:1: include(\"other.conf\"): others can write it (666); mend: chmod go-w %s",
		folder->other);
}

static void only_a_group_other_than_roots_may_not_write(void **state)
{
	const struct folder *folder = *state;
	char expected[256];

	write_file(folder->file, "", 0, 0664);
	if (getuid() == 0) {
		struct mg_errors errors = {0};
		struct mg_conf *conf = mg_conf_load(folder->file, tables, NULL, &errors);

		assert_non_null(conf);
		mg_conf_free(conf);
		assert_int_equal(chown(folder->file, 0, 12345), 0);
	}
	snprintf(expected, sizeof(expected), "%s: others can write it (664); mend: chmod go-w %%s",
		folder->file);
	expect_load_error(folder->file, expected, folder->file);
}

static void what_is_no_regular_file_is_refused_at_once(void **state)
{
	const struct folder *folder = *state;

	expect_load_error(folder->file, "%s: No such file or directory", folder->file);
	assert_int_equal(mkdir(folder->file, 0700), 0);
	expect_load_error(folder->file, "%s: is a directory; expected a file", folder->file);
	assert_int_equal(rmdir(folder->file), 0);
	assert_int_equal(mkfifo(folder->file, 0600), 0);
	expect_load_error(folder->file, "%s: is no regular file", folder->file);
	expect_load_error("/dev/zero", "%s: is no regular file", "/dev/zero");
}

static void a_NUL_byte_is_an_error_with_its_line(void **state)
{
	const struct folder *folder = *state;

	write_file(folder->file, "offset = 1\n\0", 12, 0600);
	expect_load_error(folder->file, "%s:2: a NUL byte; expected text", "log.conf");
}

static void a_symbolic_link_to_a_file_that_is_read_is_a_cycle(void **state)
{
	const struct folder *folder = *state;

	write_file(folder->file, "include(\"other.conf\")", 21, 0600);
	assert_int_equal(symlink("log.conf", folder->other), 0);
	expect_load_error(folder->file,
		"log.conf:1: include(\"%s\"): a cycle: log.conf is included by log.conf",
		"other.conf");
}

/* text repeated; free() it. */
static char *repeat(const char *head, const char *text, size_t times, const char *tail)
{
	char *all = malloc(strlen(head) + strlen(text) * times + strlen(tail) + 1), *at = all;

	at = stpcpy(at, head);
	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, text);
	strcpy(at, tail);
	return all;
}

static void what_is_over_a_bound_is_an_error(void **state)
{
	static const struct {
		const char *head, *text, *tail, *error;
		size_t times;
	} rows[] = {
		{"gateway = \"", "x", "\"", "1: text over 64 KiB", 64 * 1024 + 1},
		{"headers = { ", "'x',", "}",
			"1: headers: over 100000 entries; put them into a table", 100001},
		{"", "headers+='x'\n", "",
			"100001: headers: over 100000 entries; put them into a table", 100001},
		{"limit \"x\" { match { ", "not { ", "",
			"1: the file ends inside not (line 1): \"}\" missing", 30},
		{"", "limit 'x", "", "1: text without its closing '; it ends on its line", 1},
	};
	char expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = repeat(rows[i].head, rows[i].text, rows[i].times, rows[i].tail);

		snprintf(expected, sizeof(expected), "policy.conf:%s\n", rows[i].error);
		expect_errors(text, expected);
		free(text);
	}
}

static void sections_are_nested_to_their_bound_and_no_deeper(void **state)
{
	const char *const open = "limit \"x\" { match { ", *const deeper = "not { ";
	char *text = repeat(open, deeper, 30,
		"} } } } } } } } } } } } } } } } } } } } } } } } } } } } } } "
		"} }");
	struct mg_errors errors;
	struct memory_file files[] = {{"policy.conf", text}, {NULL, NULL}};
	struct mg_conf *conf = load_files(files, NULL, &errors);

	(void)state;
	assert_non_null(conf);
	mg_conf_free(conf);
	free(text);
	text = repeat(open, deeper, 100000, "");
	files[0].text = text;
	assert_null(load_files(files, NULL, &errors));
	assert_int_equal(errors.count, 2);
	assert_non_null(strstr(errors.list[0].text, "sections over 32 deep"));
	assert_non_null(strstr(errors.list[1].text, "the file ends inside"));
	mg_errors_clear(&errors);
	free(text);
}

static void includes_have_a_bound_in_depth(void **state)
{
	struct memory_file files[20] = {{NULL, NULL}};
	struct mg_errors errors;
	char paths[19][16], texts[19][32];

	(void)state;
	for (size_t i = 0; i < 18; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%zu.conf", i);
		snprintf(texts[i], sizeof(texts[i]), "include(\"%zu.conf\")", i + 1);
		files[i] = (struct memory_file){paths[i], texts[i]};
	}
	assert_null(load_files(files, NULL, &errors));
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].text,
		"16.conf:1: include(\"17.conf\"): over 16 deep or 1000 in all");
	mg_errors_clear(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_every_setting_has_its_default),
		cmocka_unit_test(values_of_every_kind_are_read),
		cmocka_unit_test(a_setting_with_the_value_of_its_default_is_not_set),
		cmocka_unit_test(sizes_and_durations_have_their_units),
		cmocka_unit_test(an_error_says_where_what_was_expected_and_the_nearest_name),
		cmocka_unit_test(every_error_of_every_file_is_reported_once),
		cmocka_unit_test(a_missing_brace_is_one_error_and_what_follows_is_read),
		cmocka_unit_test(
			a_section_that_belongs_outside_is_one_error_though_its_brace_comes_later),
		cmocka_unit_test(a_file_overrides_what_it_includes_wherever_the_include_stands),
		cmocka_unit_test(an_equals_sign_replaces_a_list_that_an_included_file_extended),
		cmocka_unit_test(a_file_that_two_others_include_is_read_once_and_before_both),
		cmocka_unit_test(a_cycle_of_includes_names_both_files),
		cmocka_unit_test(options_of_the_command_line_come_last),
		cmocka_unit_test(errors_of_the_command_line_are_in_the_same_form),
		cmocka_unit_test(a_program_reports_errors_of_its_own_in_the_same_form),
		cmocka_unit_test(what_was_printed_loads_and_prints_as_the_same),
		cmocka_unit_test(the_manual_lists_every_setting_once),
		cmocka_unit_test_setup_teardown(a_file_is_loaded_with_its_includes_by_relative_path,
			make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			a_file_that_others_can_write_is_refused_with_the_mend, make_folder,
			remove_folder),
		cmocka_unit_test_setup_teardown(
			only_a_group_other_than_roots_may_not_write, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			what_is_no_regular_file_is_refused_at_once, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			a_NUL_byte_is_an_error_with_its_line, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_symbolic_link_to_a_file_that_is_read_is_a_cycle,
			make_folder, remove_folder),
		cmocka_unit_test(what_is_over_a_bound_is_an_error),
		cmocka_unit_test(sections_are_nested_to_their_bound_and_no_deeper),
		cmocka_unit_test(includes_have_a_bound_in_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

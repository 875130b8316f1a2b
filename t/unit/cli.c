/* SPDX-License-Identifier: ISC */
/* The pieces of the operator's command: its command line, what it shows and how, what it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/screen.h"
#include "cli/sheet.h"
#include "cli/tally.h"
#include "cli/when.h"
#include "cli/zone.h"

/* What a function prints, read back. */
struct print {
	FILE *stream;
	char *text;
	size_t length;
};

static FILE *print_begin(struct print *print)
{
	print->stream = open_memstream(&print->text, &print->length);
	assert_non_null(print->stream);
	return print->stream;
}

static void print_expect(struct print *print, const char *expected)
{
	fclose(print->stream);
	assert_string_equal(print->text, expected);
	free(print->text);
}

/* --- the command line --- */

static void options_may_stand_anywhere(void **state)
{
	char *const argv[] = {"millgate", "--config", "/x", "key", "--json", "new",
		"--type=ed25519", "a.example", "--", "--s1", NULL};
	struct cli_call call;

	(void)state;
	assert_int_equal(cli_call_read(&call, cli_commands, argv), CLI_GOOD);
	assert_string_equal(call.command->name, "key");
	assert_string_equal(call.command->verb, "new");
	assert_string_equal(call.config, "/x");
	assert_true(call.json);
	assert_string_equal(cli_value(&call, "type"), "ed25519");
	assert_string_equal(cli_argument(&call, 0), "a.example");
	assert_string_equal(cli_argument(&call, 1), "--s1");
	assert_null(cli_argument(&call, 2));
}

static void an_option_that_is_not_given_has_its_default(void **state)
{
	char *const argv[] = {"millgate", "key", "new", "a.example", NULL};
	struct cli_call call;

	(void)state;
	assert_int_equal(cli_call_read(&call, cli_commands, argv), CLI_GOOD);
	assert_string_equal(cli_value(&call, "type"), "rsa:2048");
	assert_false(cli_given(&call, "type"));
	assert_string_equal(call.config, MG_SYSCONFDIR);
}

static void a_dash_is_an_argument(void **state)
{
	char *const argv[] = {"millgate", "dkim", "-", NULL};
	struct cli_call call;

	(void)state;
	assert_int_equal(cli_call_read(&call, cli_commands, argv), CLI_GOOD);
	assert_string_equal(cli_argument(&call, 0), "-");
}

static void the_table_is_sound(void **state)
{
	(void)state;
	for (const struct cli_command *row = cli_commands; row->name != NULL; row++) {
		size_t options = 0;

		assert_true(row->least <= row->most && row->most <= CLI_ARGUMENTS_MAX);
		assert_true(row->help[0] != '\0' && row->run != NULL && row->arguments != NULL);
		for (const struct cli_option *option = row->options;
			option != NULL && option->name != NULL; option++)
			options++;
		assert_true(options <= CLI_OPTIONS_MAX);
		/* Verbs of one name stand together. */
		if (row > cli_commands)
			assert_true(strcmp(row[-1].name, row->name) <= 0);
	}
}

/* --- what is shown --- */

static void text_of_strangers_is_quoted_and_bounded(void **state)
{
	char shown[CLI_QUOTED_MAX], longer[1000];

	(void)state;
	assert_string_equal(cli_screen_quoted(shown, "a\x1b[1m\xff", 6), "\"a\\x1b[1m\\xff\"");
	memset(longer, 1, sizeof(longer));
	cli_screen_quoted(shown, longer, sizeof(longer));
	assert_int_equal(strlen(shown), 200 * 4 + 2 + strlen("…"));
}

static void a_time_has_its_offset(void **state)
{
	struct cli_call call = {.utc = false};
	char text[CLI_TIME_MAX];

	(void)state;
	setenv("TZ", "CET-1", 1);
	assert_string_equal(
		cli_screen_time(&call, 1764000000 * MG_SECOND, text), "2025-11-24 17:00 +01:00");
	assert_int_equal(cli_screen_midnight(&call, 1764000000 * MG_SECOND) / MG_SECOND,
		1764000000 - 17 * 3600);
	call.utc = true;
	assert_string_equal(
		cli_screen_time(&call, 1764000000 * MG_SECOND, text), "2025-11-24 16:00 +00:00");
}

static void a_time_can_be_named_in_several_ways(void **state)
{
	/* 2025-11-24 17:00 in Berlin's winter */
	const int64_t now = 1764000000, day = 86400;
	const struct {
		const char *text;
		int64_t utc;
	} times[] = {{"0s", now}, {"90s", now - 90}, {"10m", now - 600}, {"2h", now - 7200},
		{"3d", now - 3 * day}, {"1w", now - 7 * day}, {"16:59", now - 60}, {"17:00", now},
		{"17:01", now - day + 60}, {"00:00:30", now - 17 * 3600 + 30},
		{"2025-11-24", now - 17 * 3600}, {"2025-11-24 16:00", now - 3600},
		{"2025-11-24T16:00:01", now - 3599}, {"2025-11-24T16:00:00Z", now},
		{"2025-11-24T17:00:00+01:00", now}, {"2025-11-25", now + 7 * 3600}};
	static const char *const wrong[] = {"", "h", "2", "2x", "-2h", "2.5h", "25:00", "9",
		"today", "2025-13-01", "2025-11-24 9", "99999999999h", "2025-11-24Z"};
	struct cli_call call = {.utc = false};
	int64_t utc;

	(void)state;
	setenv("TZ", "CET-1", 1);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (!cli_when(&call, times[i].text, now * MG_SECOND, &utc))
			fail_msg("%s", times[i].text);
		assert_int_equal(utc / MG_SECOND, times[i].utc);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (cli_when(&call, wrong[i], now * MG_SECOND, &utc))
			fail_msg("%s", wrong[i]);
	call.utc = true;
	assert_true(cli_when(&call, "16:00", now * MG_SECOND, &utc));
	assert_int_equal(utc / MG_SECOND, now);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	static const char *const headings[] = {"a", "b", "c"};
	struct cli_sheet *sheet = cli_sheet_new(headings, 3);
	struct print print;

	(void)state;
	cli_sheet_add(sheet, (const char *const[]){"long…", "", "x"}, CLI_RED);
	assert_int_equal(cli_sheet_print(sheet, print_begin(&print), false), 0);
	print_expect(&print, "a      b  c\nlong…     x\n");
	sheet = cli_sheet_new(headings, 3);
	cli_sheet_add(sheet, (const char *const[]){"1", "2", "3"}, CLI_RED);
	assert_int_equal(cli_sheet_print(sheet, print_begin(&print), true), 0);
	print_expect(&print, "a  b  c\n\033[31m1  2  3\033[0m\n");
}

static void json_has_the_names_of_events(void **state)
{
	struct cli_json *json = cli_json_new();
	struct print print;

	(void)state;
	cli_json_text(json, "millgate.dkim.domain", "a.example");
	cli_json_text(json, "millgate.dkim.selector", NULL);
	cli_json_list_open(json, "keys");
	cli_json_item_open(json);
	cli_json_number(json, "used", 3);
	cli_json_bool(json, "x", true);
	cli_json_close(json);
	cli_json_close(json);
	cli_json_text_n(json, "raw", "\xff", 1);
	assert_int_equal(cli_json_print(json, print_begin(&print)), 0);
	print_expect(&print,
		"{\"millgate\":{\"dkim\":{\"domain\":\"a.example\",\"selector\":null}},"
		"\"keys\":[{\"used\":3,\"x\":true}],\"raw\":\"\\\\xff\"}\n");
}

static void strings_of_a_record_have_255_octets_at_most(void **state)
{
	char text[1024] = "v=DKIM1; k=rsa; p=", expected[2048];
	struct print print;

	(void)state;
	memset(text + strlen(text), 'A', 300);
	snprintf(
		expected, sizeof(expected), "n. 3600 IN TXT \"%.255s\" \"%s\"\n", text, text + 255);
	cli_zone_line(print_begin(&print), "n", text);
	print_expect(&print, expected);
	snprintf(expected, sizeof(expected),
		"n. 3600 IN TXT ( \"v=DKIM1; k=rsa; \"\n  \"%.255s\"\n  \"%s\" )\n", text + 16,
		text + 16 + 255);
	cli_zone_lines(print_begin(&print), "n", text);
	print_expect(&print, expected);
}

/* --- what is counted --- */

static void only_signatures_of_today_are_counted(void **state)
{
	char folder[] = "/tmp/millgate-tally-XXXXXX", path[64];
	struct cli_tally *tally;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_null(cli_tally_read(folder, 0));
	snprintf(path, sizeof(path), "%s/dkim.jsonl", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	for (int i = 0; i < 4; i++)
		fprintf(file,
			"{\"@timestamp\":\"2025-11-2%dT12:00:00.000000Z\",\"email\":{\"subject\":"
			"\"\\\"dkim\\\":{\\\"domain\\\":\\\"evil\"},\"millgate\":{\"dkim\":{\"domain\":"
			"\"a.example\",\"selector\":\"S1\",\"algorithm\":\"rsa-sha256\"}},\"event\":{"
			"\"action\":\"message-%s\"}}\n",
			i == 0 ? 3 : 4, i == 3 ? "unsigned" : "signed");
	fclose(file);
	tally = cli_tally_read(folder, 1763942400 * MG_SECOND);
	assert_non_null(tally);
	assert_int_equal(cli_tally_of(tally, "a.example", "s1"), 2);
	assert_int_equal(cli_tally_of(tally, "evil", "s1"), 0);
	assert_int_equal(cli_tally_of(NULL, "a.example", "s1"), -1);
	cli_tally_free(tally);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(an_option_that_is_not_given_has_its_default),
		cmocka_unit_test(a_dash_is_an_argument),
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(text_of_strangers_is_quoted_and_bounded),
		cmocka_unit_test(a_time_has_its_offset),
		cmocka_unit_test(a_time_can_be_named_in_several_ways),
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(json_has_the_names_of_events),
		cmocka_unit_test(strings_of_a_record_have_255_octets_at_most),
		cmocka_unit_test(only_signatures_of_today_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

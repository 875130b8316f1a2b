/* SPDX-License-Identifier: ISC */
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder with one file, made for each test. */
struct folder {
	char path[64], file[80], entry[96];
};

static int make_folder(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/tmp/mg-table-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->file, sizeof(folder->file), "%s/list", folder->path);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	unlink(folder->file);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static void write_file(const struct folder *folder, const char *text)
{
	FILE *stream = fopen(folder->file, "w");

	assert_non_null(stream);
	assert_int_equal(fputs(text, stream) < 0, 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(chmod(folder->file, 0640), 0);
}

static struct mg_table *must_open(const char *const entries[], size_t count)
{
	struct mg_errors errors = {0};
	struct mg_table *table = mg_table_open(entries, count, &errors);

	if (!table)
		fail_msg("%s", errors.list[0].text);
	return table;
}

/* A table of one entry: kind and the folder's file, with this text. */
static struct mg_table *open_file(struct folder *folder, const char *kind, const char *text)
{
	const char *const entries[] = {folder->entry};

	write_file(folder, text);
	snprintf(folder->entry, sizeof(folder->entry), "%s%s", kind, folder->file);
	return must_open(entries, 1);
}

static void expect_errors(const char *const entries[], size_t count, const char *const expected[],
	size_t errors_count)
{
	struct mg_errors errors = {0};

	assert_null(mg_table_open(entries, count, &errors));
	assert_int_equal(errors.count, errors_count);
	for (size_t i = 0; i < errors_count; i++)
		assert_string_equal(errors.list[i].text, expected[i]);
	mg_errors_clear(&errors);
}

static void expect_file_error(
	struct folder *folder, const char *kind, const char *text, const char *format)
{
	const char *const entries[] = {folder->entry};
	char expected[256];
	const char *const errors[] = {expected};

	write_file(folder, text);
	snprintf(folder->entry, sizeof(folder->entry), "%s%s", kind, folder->file);
	snprintf(expected, sizeof(expected), "%s%s", folder->file, format);
	expect_errors(entries, 1, errors, 1);
}

/* value NULL: not found. */
static void expect_found(const struct mg_table *table, const char *key, const char *value)
{
	char found[64] = "unchanged";
	struct mg_error error = {""};
	int result = mg_table_find(table, key, found, sizeof(found), NULL, &error);

	if (result != (value ? 1 : 0))
		fail_msg("%s: %d %s", key, result, error.text);
	if (value)
		assert_string_equal(found, value);
}

static void expect_entry(const struct mg_table *table, const char *key, size_t expected)
{
	size_t entry = SIZE_MAX;

	assert_int_equal(mg_table_find(table, key, NULL, 0, &entry, NULL), 1);
	assert_int_equal(entry, expected);
}

static void an_inline_text_is_found_whatever_its_case(void **state)
{
	const char *const entries[] = {"Example.ORG", "alice@example.net", "example.org"};
	struct mg_table *table = must_open(entries, 3);

	(void)state;
	expect_entry(table, "example.org", 0);
	expect_entry(table, "EXAMPLE.org", 0);
	expect_entry(table, "Alice@Example.Net", 1);
	expect_found(table, "example.com", NULL);
	expect_found(table, "", NULL);
	mg_table_close(table);
}

static void a_glob_matches_over_dots_and_slashes(void **state)
{
	const char *const entries[] = {"*.example.org", "acme-*", "Q?[0-9]"};
	struct mg_table *table = must_open(entries, 3);

	(void)state;
	expect_entry(table, "a.b.EXAMPLE.org", 0);
	expect_entry(table, "acme-a/b", 1);
	expect_entry(table, "qx7", 2);
	expect_found(table, "example.org", NULL);
	expect_found(table, "qx", NULL);
	mg_table_close(table);
}

static void a_hostile_key_costs_no_time_however_many_stars_a_glob_has(void **state)
{
	const char *const entries[] = {"*a*a*a*a*a*a*a*a*a*a*b"};
	struct mg_table *table = must_open(entries, 1);
	char key[4001];

	(void)state;
	memset(key, 'a', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	expect_found(table, key, NULL);
	mg_table_close(table);
}

static void the_first_entry_that_has_the_key_gives_the_value(void **state)
{
	struct folder *folder = *state;
	const char *const entries[] = {"*.net", folder->entry, "alice", "bob"};
	struct mg_table *table;

	write_file(folder, "bob from the file\na.net never\n");
	snprintf(folder->entry, sizeof(folder->entry), "file:%s", folder->file);
	table = must_open(entries, 4);
	expect_entry(table, "a.net", 0);
	expect_entry(table, "bob", 1);
	expect_entry(table, "alice", 2);
	expect_found(table, "bob", "from the file");
	expect_found(table, "a.net", "");
	mg_table_close(table);
}

static void a_file_has_keys_values_and_comments(void **state)
{
	struct mg_table *table = open_file(*state, "file:",
		"# a comment\n\n  Alice@Example.org \t the value  # since May\r\n"
		"bob\nc#d value#1\n \t \n#x y\nlast one");

	expect_found(table, "alice@example.org", "the value");
	expect_found(table, "BOB", "");
	expect_found(table, "c#d", "value#1");
	expect_found(table, "last", "one");
	expect_found(table, "#x", NULL);
	expect_found(table, "", NULL);
	mg_table_close(table);
}

static void an_empty_file_has_nothing(void **state)
{
	struct mg_table *table = open_file(*state, "file:", "");

	expect_found(table, "x", NULL);
	mg_table_close(table);
	table = open_file(*state, "cidr:", "# nothing\n");
	expect_found(table, "192.0.2.1", NULL);
	mg_table_close(table);
}

static void a_key_may_stand_twice_with_one_value_but_not_with_two(void **state)
{
	struct mg_table *table = open_file(*state, "file:", "a 1\nA 1\n");

	expect_found(table, "a", "1");
	mg_table_close(table);
	expect_file_error(*state, "file:", "a 1\nb\nA 2\n", ":3: a has another value in line 1");
}

static void a_value_that_does_not_fit_is_an_error(void **state)
{
	struct mg_table *table = open_file(*state, "file:", "key 123456789\n");
	struct mg_error error;
	char value[10];

	assert_int_equal(mg_table_find(table, "key", value, 10, NULL, &error), 1);
	assert_int_equal(mg_table_find(table, "key", value, 9, NULL, &error), -1);
	assert_non_null(strstr(error.text, "list: the value has 9 bytes; at most 8 are possible"));
	assert_int_equal(mg_table_find(table, "key", NULL, 0, NULL, &error), 1);
	mg_table_close(table);
}

static void the_network_with_the_longest_prefix_wins(void **state)
{
	struct mg_table *table = open_file(*state, "cidr:",
		"10.0.0.0/8 eight\n10.1.0.0/16 sixteen # the lab\n10.1.2.3 host\n"
		"2001:db8::/32 v6\n2001:db8::1 v6 host\n::/0 any6\n");

	expect_found(table, "10.9.9.9", "eight");
	expect_found(table, "10.1.9.9", "sixteen");
	expect_found(table, "10.1.2.3", "host");
	expect_found(table, "11.0.0.0", NULL);
	expect_found(table, "2001:DB8::1", "v6 host");
	expect_found(table, "IPv6:2001:db8::2", "v6");
	expect_found(table, "2001:db9::", "any6");
	expect_found(table, "::ffff:10.1.2.3", "host");
	expect_found(table, "example.org", NULL);
	mg_table_close(table);
}

static void a_network_of_all_addresses_is_the_last_resort(void **state)
{
	struct mg_table *table = open_file(*state, "cidr:", "0.0.0.0/0 all\n128.0.0.0/1 half\n");

	expect_found(table, "127.255.255.255", "all");
	expect_found(table, "255.255.255.255", "half");
	expect_found(table, "::1", NULL);
	mg_table_close(table);
}

static void errors_of_a_file_have_file_and_line(void **state)
{
	char text[5000] = "a\n";

	expect_file_error(*state, "cidr:", "10.0.0.0/8\n\n10.0.0.1/8\n",
		":3: network \"10.0.0.1/8\": bits are set below the mask; nearest: 10.0.0.0/8");
	expect_file_error(*state, "cidr:", "10.0.0.0/8 a\n10.0.0.0/8 b\n",
		":2: the network has another value in line 1");
	expect_file_error(*state, "file:", "a\nb\xff\n", ":2: byte 0xff is not UTF-8");
	memset(text + 2, 'x', sizeof(text) - 3);
	expect_file_error(*state, "file:", text, ":2: a line over 4 KiB");
}

static void all_errors_of_all_entries_are_reported(void **state)
{
	const char *const entries[] = {
		"good", "file:relative", "fiel:/etc/x", "lmdb:/none/there", "file:/none/there"};
	const char *const errors[] = {"\"file:relative\"; expected an absolute path: \"file:/...\"",
		"\"fiel:/etc/x\": no such kind of table; expected file:, cidr: or lmdb:; nearest: file",
		"/none/there.lmdb: No such file or directory",
		"/none/there: No such file or directory"};

	(void)state;
	expect_errors(entries, 5, errors, 4);
}

static void a_table_that_others_can_write_is_refused(void **state)
{
	struct folder *folder = *state;
	const char *const entries[] = {folder->entry};
	char expected[256];
	const char *const errors[] = {expected};

	write_file(folder, "a\n");
	assert_int_equal(chmod(folder->file, 0666), 0);
	snprintf(folder->entry, sizeof(folder->entry), "file:%s", folder->file);
	snprintf(expected, sizeof(expected), "%s: others can write it (666); mend: chmod go-w %s",
		folder->file, folder->file);
	expect_errors(entries, 1, errors, 1);
}

static void an_open_table_does_not_change_with_its_file(void **state)
{
	struct mg_table *table = open_file(*state, "file:", "a 1\n");

	write_file(*state, "a 2\n");
	expect_found(table, "a", "1");
	mg_table_close(table);
}

static void a_million_networks_are_opened_and_found(void **state)
{
	struct folder *folder = *state;
	const char *const entries[] = {folder->entry};
	FILE *stream = fopen(folder->file, "w");
	struct mg_table *table;

	assert_non_null(stream);
	for (unsigned i = 0; i < 1000000; i++)
		fprintf(stream, "10.%u.%u.%u/30 %u\n", i >> 14 & 255, i >> 6 & 255, i << 2 & 255,
			i);
	assert_int_equal(fclose(stream), 0);
	snprintf(folder->entry, sizeof(folder->entry), "cidr:%s", folder->file);
	table = must_open(entries, 1);
	expect_found(table, "10.0.0.7", "1");
	expect_found(table, "10.61.8.3", "999936");
	mg_table_close(table);
	stream = fopen(folder->file, "a");
	fputs("192.0.2.1\n", stream);
	fclose(stream);
	{
		struct mg_errors errors = {0};

		assert_null(mg_table_open(entries, 1, &errors));
		assert_non_null(strstr(errors.list[0].text, "list:1000001: over 1000000 entries"));
		mg_errors_clear(&errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_inline_text_is_found_whatever_its_case),
		cmocka_unit_test(a_glob_matches_over_dots_and_slashes),
		cmocka_unit_test(a_hostile_key_costs_no_time_however_many_stars_a_glob_has),
		cmocka_unit_test(the_first_entry_that_has_the_key_gives_the_value),
		cmocka_unit_test(a_file_has_keys_values_and_comments),
		cmocka_unit_test(an_empty_file_has_nothing),
		cmocka_unit_test(a_key_may_stand_twice_with_one_value_but_not_with_two),
		cmocka_unit_test(a_value_that_does_not_fit_is_an_error),
		cmocka_unit_test(the_network_with_the_longest_prefix_wins),
		cmocka_unit_test(a_network_of_all_addresses_is_the_last_resort),
		cmocka_unit_test(errors_of_a_file_have_file_and_line),
		cmocka_unit_test(all_errors_of_all_entries_are_reported),
		cmocka_unit_test(a_table_that_others_can_write_is_refused),
		cmocka_unit_test(an_open_table_does_not_change_with_its_file),
		cmocka_unit_test(a_million_networks_are_opened_and_found),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* SPDX-License-Identifier: ISC */
/* Configuration in real files: who may write them, and what they may be. */
#include "base/conf.h"

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

#include "conf_case.h"

/* A folder with the files of a test. */
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
	assert_null(mg_conf_load(path, conf_tables, NULL, &errors));
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
	conf = mg_conf_load(folder->file, conf_tables, NULL, &errors);
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
		struct mg_conf *conf = mg_conf_load(folder->file, conf_tables, NULL, &errors);

		assert_non_null(conf);
		mg_conf_free(conf);
		assert_int_equal(chown(folder->file, 0, 12345), 0);
	}
	snprintf(expected, sizeof(expected), "%s: others can write it (664); mend: chmod go-w %%s",
		folder->file);
	expect_load_error(folder->file, expected, folder->file);
}

/* Only root can make such a file. */
static void a_file_of_another_user_is_refused_with_the_mend(void **state)
{
	const struct folder *folder = *state;
	char expected[256];

	if (getuid() != 0)
		return;
	write_file(folder->file, "", 0, 0644);
	assert_int_equal(chown(folder->file, 12345, 0), 0);
	snprintf(expected, sizeof(expected),
		"%s: user 12345 can write it, whose file it is; mend: chown root %%s",
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

/* A program that has no `socket`, which others have, and `engine` sections neither. */
static const struct mg_option shared_section[] = {
	{.name = "size", .kind = MG_NUMBER, .value = "1", .maximum = 9}, {.name = NULL}};
static const struct mg_option shared_options[] = {
	{.name = "gateway", .kind = MG_TEXT, .value = "", .help = "Its name"},
	{.name = "socket", .kind = MG_TEXT, .value = "", .foreign = true},
	{.name = "bounds", .kind = MG_SECTION, .options = shared_section, .foreign = true},
	{.name = NULL}};
static const struct mg_option *const shared_tables[] = {shared_options, NULL};

static void load_shared(const struct folder *folder, const char *file, const char *other,
	const char *const overrides[], const char *expected)
{
	struct mg_errors errors = {0};
	struct mg_conf *conf;

	write_file(folder->file, file, strlen(file), 0640);
	write_file(folder->other, other, strlen(other), 0640);
	conf = mg_conf_load(folder->file, shared_tables, overrides, &errors);
	if (expected == NULL) {
		assert_non_null(conf);
		assert_string_equal(mg_conf_text(conf, "gateway"), "mx1");
	} else {
		assert_null(conf);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.list[0].text, expected);
	}
	mg_conf_free(conf);
	mg_errors_clear(&errors);
}

static void settings_of_other_programs_are_passed_over_in_a_file_that_is_included(void **state)
{
	load_shared(*state, "include(\"other.conf\") gateway = \"mx1\"",
		"socket = \"x\" bounds { size = 2 } socket = \"y\"", NULL,
		"other.conf:1: socket is set twice; first in line 1");
	load_shared(*state, "include(\"other.conf\") gateway = \"mx1\"",
		"socket = \"x\" bounds { size = 2 }", NULL, NULL);
}

static void they_are_checked_there_all_the_same(void **state)
{
	load_shared(*state, "include(\"other.conf\")", "bounds { size = 10 }", NULL,
		"other.conf:1: bounds: size 10; expected 0 to 9");
	load_shared(*state, "include(\"other.conf\")", "sockte = \"x\"", NULL,
		"other.conf:1: no setting \"sockte\"; nearest: socket");
}

static void in_the_programs_own_file_they_are_no_settings(void **state)
{
	load_shared(*state, "socket = \"x\"", "", NULL, "log.conf:1: no setting \"socket\"");
	load_shared(*state, "bounds { size = 2 }", "", NULL, "log.conf:1: no section \"bounds\"");
	load_shared(*state, "gatewya = \"x\"", "", NULL,
		"log.conf:1: no setting \"gatewya\"; nearest: gateway");
	load_shared(*state, "sockte = \"x\"", "", NULL, "log.conf:1: no setting \"sockte\"");
	load_shared(*state, "", "", (const char *const[]){"socket=x", NULL},
		"-o: no setting \"socket\"");
	load_shared(*state, "", "", (const char *const[]){"bounds.size=2", NULL},
		"-o: no section \"bounds\" without title");
}

static void what_is_of_other_programs_is_not_printed(void **state)
{
	const struct folder *folder = *state;
	struct mg_errors errors = {0};
	char *text = NULL, *list = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);
	struct mg_conf *conf;

	write_file(folder->file, "include(\"other.conf\")", 21, 0640);
	write_file(folder->other, "socket = \"x\"", 12, 0640);
	conf = mg_conf_load(folder->file, shared_tables, NULL, &errors);
	assert_non_null(conf);
	assert_int_equal(mg_conf_print(conf, stream), 0);
	fclose(stream);
	assert_string_equal(text, "gateway = \"\"  # Its name\n");
	stream = open_memstream(&list, &length);
	assert_int_equal(mg_conf_print_mdoc(shared_tables, stream), 0);
	fclose(stream);
	assert_non_null(strstr(list, "gateway"));
	assert_null(strstr(list, "socket"));
	assert_null(strstr(list, "bounds"));
	free(text);
	free(list);
	mg_conf_free(conf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_loaded_with_its_includes_by_relative_path),
		TEST(a_file_that_others_can_write_is_refused_with_the_mend),
		TEST(only_a_group_other_than_roots_may_not_write),
		TEST(a_file_of_another_user_is_refused_with_the_mend),
		TEST(what_is_no_regular_file_is_refused_at_once),
		TEST(a_NUL_byte_is_an_error_with_its_line),
		TEST(settings_of_other_programs_are_passed_over_in_a_file_that_is_included),
		TEST(they_are_checked_there_all_the_same),
		TEST(in_the_programs_own_file_they_are_no_settings),
		TEST(what_is_of_other_programs_is_not_printed),
		TEST(a_symbolic_link_to_a_file_that_is_read_is_a_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

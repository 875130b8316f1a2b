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
		TEST(a_symbolic_link_to_a_file_that_is_read_is_a_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

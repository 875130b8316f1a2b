/* SPDX-License-Identifier: ISC */
#include "base/metrics.h"

#include <dirent.h>
#include <pthread.h>
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

enum { MESSAGES, ACCEPTED, REJECTED, SESSIONS };

static const struct mg_metric table[] = {
	{"millgate_messages_total", "", "Messages judged.", MG_COUNTER},
	{"millgate_verdicts_total", "verdict=\"accept\"", "Verdicts given.", MG_COUNTER},
	{"millgate_verdicts_total", "verdict=\"reject\"", "Verdicts given.", MG_COUNTER},
	{"millgate_sessions", "", "Sessions\nopen \\ now.", MG_GAUGE},
	{.name = NULL},
};

static char folder[] = "/tmp/millgate-metrics-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/test.prom", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static const char *written(void)
{
	static char text[4096];
	FILE *file = fopen(path, "re");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	return text;
}

static void all_values_begin_at_zero(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);

	(void)state;
	for (size_t row = MESSAGES; row <= SESSIONS; row++)
		assert_int_equal(mg_metrics_get(metrics, row), 0);
	mg_metrics_free(metrics);
}

static void values_are_added_and_set(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);

	(void)state;
	mg_metrics_add(metrics, MESSAGES, 2);
	mg_metrics_add(metrics, MESSAGES, INT64_C(5000000000));
	mg_metrics_set(metrics, SESSIONS, 7);
	mg_metrics_add(metrics, SESSIONS, -9);
	assert_int_equal(mg_metrics_get(metrics, MESSAGES), INT64_C(5000000002));
	assert_int_equal(mg_metrics_get(metrics, SESSIONS), -2);
	assert_int_equal(mg_metrics_get(metrics, ACCEPTED), 0);
	mg_metrics_free(metrics);
}

static void the_file_has_help_and_type_once_a_name(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);
	struct mg_error error;

	(void)state;
	mg_metrics_add(metrics, MESSAGES, 3);
	mg_metrics_add(metrics, ACCEPTED, 2);
	mg_metrics_add(metrics, REJECTED, 1);
	mg_metrics_set(metrics, SESSIONS, -1);
	assert_int_equal(
		mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "", path, &error),
		0);
	assert_string_equal(written(), "# HELP millgate_messages_total Messages judged.\n"
				       "# TYPE millgate_messages_total counter\n"
				       "millgate_messages_total 3\n"
				       "# HELP millgate_verdicts_total Verdicts given.\n"
				       "# TYPE millgate_verdicts_total counter\n"
				       "millgate_verdicts_total{verdict=\"accept\"} 2\n"
				       "millgate_verdicts_total{verdict=\"reject\"} 1\n"
				       "# HELP millgate_sessions Sessions\\nopen \\\\ now.\n"
				       "# TYPE millgate_sessions gauge\n"
				       "millgate_sessions -1\n");
	mg_metrics_free(metrics);
}

static void each_row_bears_the_label_of_the_file_before_its_own(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);

	(void)state;
	assert_int_equal(mg_metrics_write((const struct mg_metrics *[]){metrics, NULL},
				 "daemon=\"log\"", path, NULL),
		0);
	assert_non_null(strstr(written(), "\nmillgate_messages_total{daemon=\"log\"} 0\n"));
	assert_non_null(strstr(
		written(), "\nmillgate_verdicts_total{daemon=\"log\",verdict=\"accept\"} 0\n"));
	mg_metrics_free(metrics);
}

static void a_table_without_rows_writes_an_empty_file(void **state)
{
	static const struct mg_metric none[] = {{.name = NULL}};
	struct mg_metrics *metrics = mg_metrics_new(none);

	(void)state;
	assert_int_equal(
		mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "", path, NULL), 0);
	assert_string_equal(written(), "");
	mg_metrics_free(metrics);
}

static int is_no_dot(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int count_files(void)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_no_dot, NULL);

	assert_true(count >= 0);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return count;
}

static void everybody_may_read_the_file_whatever_the_umask(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);
	struct stat status;
	mode_t mask = umask(077);

	(void)state;
	assert_int_equal(
		mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "", path, NULL), 0);
	umask(mask);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	mg_metrics_free(metrics);
}

static void a_write_replaces_the_file_as_a_whole(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);
	struct stat before, after;
	FILE *reader;
	char line[128];

	(void)state;
	assert_int_equal(
		mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "", path, NULL), 0);
	assert_int_equal(stat(path, &before), 0);
	reader = fopen(path, "re");
	assert_non_null(reader);
	mg_metrics_add(metrics, MESSAGES, 8);
	assert_int_equal(
		mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "", path, NULL), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	/* Who opened the old one goes on reading the old one. */
	for (int i = 0; i < 3; i++)
		assert_non_null(fgets(line, sizeof(line), reader));
	assert_string_equal(line, "millgate_messages_total 0\n");
	fclose(reader);
	assert_non_null(strstr(written(), "millgate_messages_total 8\n"));
	assert_int_equal(count_files(), 1);
	mg_metrics_free(metrics);
}

static void a_failed_write_names_the_file_and_leaves_nothing(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);
	struct mg_error error;
	char target[96];

	(void)state;
	assert_int_equal(mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "",
				 "/nonexistent/x.prom", &error),
		-1);
	assert_string_equal(error.text, "/nonexistent/x.prom: No such file or directory");

	/* The rename fails: a folder has the name. */
	unlink(path);
	snprintf(target, sizeof(target), "%s/folder.prom", folder);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(
		mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "", target, &error),
		-1);
	assert_non_null(strstr(error.text, "folder.prom: Is a directory"));
	assert_int_equal(count_files(), 1);
	assert_int_equal(rmdir(target), 0);
	mg_metrics_free(metrics);
}

static void a_name_too_long_is_an_error(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);
	static char longest[5000];
	struct mg_error error;

	(void)state;
	memset(longest, '/', sizeof(longest) - 1);
	assert_int_equal(
		mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "", longest, &error),
		-1);
	mg_metrics_free(metrics);
}

enum { ADDITIONS = 20000 };

static void *add_many(void *metrics)
{
	for (int i = 0; i < ADDITIONS; i++) {
		mg_metrics_add(metrics, MESSAGES, 1);
		mg_metrics_set(metrics, SESSIONS, i);
	}
	return NULL;
}

static void no_addition_of_a_thread_is_lost(void **state)
{
	struct mg_metrics *metrics = mg_metrics_new(table);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, metrics), 0);
	assert_int_equal(
		mg_metrics_write((const struct mg_metrics *[]){metrics, NULL}, "", path, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(mg_metrics_get(metrics, MESSAGES), 4 * ADDITIONS);
	mg_metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_values_begin_at_zero),
		cmocka_unit_test(values_are_added_and_set),
		cmocka_unit_test(the_file_has_help_and_type_once_a_name),
		cmocka_unit_test(each_row_bears_the_label_of_the_file_before_its_own),
		cmocka_unit_test(a_table_without_rows_writes_an_empty_file),
		cmocka_unit_test(everybody_may_read_the_file_whatever_the_umask),
		cmocka_unit_test(a_write_replaces_the_file_as_a_whole),
		cmocka_unit_test(a_failed_write_names_the_file_and_leaves_nothing),
		cmocka_unit_test(a_name_too_long_is_an_error),
		cmocka_unit_test(no_addition_of_a_thread_is_lost),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

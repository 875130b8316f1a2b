/* SPDX-License-Identifier: ISC */
/* A log file that is written, rotated, compressed, damaged: each line once, in order, whether the
 * reader looks on or comes back later. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "log_place.h"

static struct log_place place;

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	log_make(&place);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_remove(&place);
	return 0;
}

/* --- one file ----------------------------------------------------------------- */

static void a_file_is_read_from_its_first_line(void **state)
{
	struct track_record record;

	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_int_equal(record.identifier_length, strlen("postfix/smtpd"));
	assert_memory_equal(record.identifier, "postfix/smtpd", record.identifier_length);
	assert_int_equal(record.pid, 1);
	assert_int_equal(record.length, 3);
	assert_memory_equal(record.text, "one", 3);
	assert_int_equal(record.utc / MG_SECOND % 60, 2);
	assert_false(record.cut);
	assert_int_equal(record.lost, 0);
	assert_string_equal(log_read(&place), "two|");
	assert_string_equal(log_read(&place), "");
}

static void what_is_appended_is_read(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	log_open(&place);
	assert_string_equal(log_read(&place), "one|");
	log_put(&place, "mail.log", "two|three");
	assert_string_equal(log_read(&place), "two|three|");
}

static void a_line_without_its_end_is_waited_for(void **state)
{
	static const char half[] = "Nov 25 09:01:02 mx postfix/smtpd[1]: tw";

	(void)state;
	log_put(&place, "mail.log", "one");
	log_put_bytes(&place, "mail.log", half, strlen(half));
	log_open(&place);
	assert_string_equal(log_read(&place), "one|");
	log_put_bytes(&place, "mail.log", "o", 1);
	assert_string_equal(log_read(&place), "");
	log_put_bytes(&place, "mail.log", "!\n", 2);
	assert_string_equal(log_read(&place), "two!|");
}

static void a_reader_goes_on_where_the_last_one_ended(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one|two|three");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	log_close(&place);
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "two|");
	log_close(&place);
	log_put(&place, "mail.log", "four");
	assert_string_equal(log_read_anew(&place), "three|four|");
	assert_string_equal(log_read_anew(&place), "");
}

static void a_reader_on_its_way_through_an_old_file_is_not_at_the_end(void **state)
{
	struct track_record record;
	char line[1024];
	int waits = 0, status;

	(void)state;
	/* More than is gone through at once. */
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\n';
	for (int i = 0; i < 200 * 1024; i++)
		log_put_bytes(&place, "mail.log", line, sizeof line);
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	while (track_source_next(place.source, &record, NULL) > 0 && record.length != 3)
		;
	log_close(&place);
	log_rename(&place, "mail.log", "mail.log.1");
	log_gzip(&place, "mail.log.1");
	log_open(&place);
	while ((status = track_source_next(place.source, &record, NULL)) == 0) {
		assert_false(track_source_at_end(place.source));
		assert_true(track_source_timeout(place.source) <= 100 * MG_MILLISECOND);
		waits++;
	}
	assert_int_equal(status, 1);
	assert_memory_equal(record.text, "two", 3);
	assert_true(waits >= 2);
	assert_string_equal(log_read(&place), "");
	assert_true(track_source_at_end(place.source));
}

static void a_file_that_is_not_there_is_waited_for(void **state)
{
	(void)state;
	log_open(&place);
	assert_string_equal(log_read(&place), "");
	log_put(&place, "mail.log", "one");
	assert_string_equal(log_read(&place), "one|");
	log_put(&place, "mail.log", "two");
	assert_string_equal(log_read(&place), "two|");
}

static void an_empty_file_has_no_identity(void **state)
{
	(void)state;
	log_put_bytes(&place, "mail.log", "", 0);
	assert_string_equal(log_read_anew(&place), "");
	/* Replaced by another, which is renamed, before anybody comes back. */
	log_unlink(&place, "mail.log");
	log_put(&place, "mail.log", "one");
	log_rename(&place, "mail.log", "mail.log.1");
	log_put(&place, "mail.log", "two");
	assert_string_equal(log_read_anew(&place), "one|two|");
}

static void what_was_rotated_before_the_first_start_is_not_read(void **state)
{
	(void)state;
	log_put(&place, "mail.log.1", "old");
	usleep(20000);
	assert_string_equal(log_read_anew(&place), "");
	log_put(&place, "mail.log", "new");
	assert_string_equal(log_read_anew(&place), "new|");
}

static void a_position_of_another_kind_of_source_begins_anew(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	strcpy(place.position, "journal 1 1 s=1;i=2");
	assert_string_equal(log_read_anew(&place), "one|");
	assert_string_equal(log_read_anew(&place), "");
}

static void bytes_are_given_as_they_stand(void **state)
{
	static const char line[] = "Nov 25 09:01:02 mx a: b\0c\xff#011\r\n";
	struct track_record record;

	(void)state;
	log_put_bytes(&place, "mail.log", line, sizeof line - 1);
	log_open(&place);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_int_equal(record.length, 8);
	assert_memory_equal(record.text, "b\0c\xff#011", 8);
}

static void a_line_that_is_too_long_is_cut_and_passed(void **state)
{
	static const char head[] = "Nov 25 09:01:02 mx a: ";
	size_t long_one = 3 * TRACK_LINE_MAX;
	char *line = malloc(long_one + 1);
	struct track_record record;

	(void)state;
	assert_non_null(line);
	memset(line, 'x', long_one);
	line[long_one] = '\n';
	memcpy(line, head, strlen(head));
	log_put_bytes(&place, "mail.log", line, long_one + 1);
	line[TRACK_LINE_MAX] = '\n';
	log_put_bytes(&place, "mail.log", line, TRACK_LINE_MAX + 1);
	log_put(&place, "mail.log", "next");
	log_open(&place);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_true(record.cut);
	assert_int_equal(record.length, TRACK_LINE_MAX - strlen(head));
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_false(record.cut);
	assert_int_equal(record.length, TRACK_LINE_MAX - strlen(head));
	assert_string_equal(log_read(&place), "next|");
	free(line);
}

/* --- rotation while the reader looks on --------------------------------------- */

static void after_a_rename_the_rest_of_the_old_file_comes_first(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	log_open(&place);
	assert_string_equal(log_read(&place), "one|");
	log_put(&place, "mail.log", "two");
	log_rename(&place, "mail.log", "mail.log.1");
	log_put(&place, "mail.log.1", "three");
	assert_string_equal(log_read(&place), "two|three|");
	/* syslogd has not yet been told; the new file is there. */
	log_put_bytes(&place, "mail.log", "", 0);
	assert_string_equal(log_read(&place), "");
	log_put(&place, "mail.log.1", "four");
	assert_string_equal(log_read(&place), "four|");
	log_put(&place, "mail.log.1", "five");
	log_put(&place, "mail.log", "six");
	assert_string_equal(log_read(&place), "five|six|");
	log_put(&place, "mail.log", "seven");
	assert_string_equal(log_read(&place), "seven|");
}

static void after_copytruncate_the_rest_is_read_from_the_copy(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 2), "one|two|");
	log_put(&place, "mail.log", "three");
	log_copy(&place, "mail.log", "mail.log.1");
	log_truncate(&place, "mail.log", 0);
	assert_string_equal(log_read(&place), "three|");
	log_put(&place, "mail.log", "four");
	assert_string_equal(log_read(&place), "four|");
	/* More than it had, before anybody looks. */
	log_put(&place, "mail.log", "five");
	log_rename(&place, "mail.log.1", "mail.log.2");
	log_copy(&place, "mail.log", "mail.log.1");
	log_truncate(&place, "mail.log", 0);
	log_put(&place, "mail.log", "a line|and another|and one|and one more");
	assert_string_equal(log_read(&place), "five|a line|and another|and one|and one more|");
}

static void several_rotations_at_once_are_read_in_order(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	log_open(&place);
	assert_string_equal(log_read(&place), "one|");
	log_put(&place, "mail.log", "two");
	log_rename(&place, "mail.log", "mail.log.2");
	log_put(&place, "mail.log", "three");
	log_rename(&place, "mail.log", "mail.log.1");
	log_put(&place, "mail.log", "four");
	assert_string_equal(log_read(&place), "two|three|four|");
}

static void a_file_that_is_compressed_while_it_is_read_is_read_to_its_end(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	log_rename(&place, "mail.log", "mail.log.1");
	log_gzip(&place, "mail.log.1");
	log_put(&place, "mail.log", "three");
	assert_string_equal(log_read(&place), "two|three|");
}

static void a_file_that_is_deleted_is_read_to_its_end(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	log_unlink(&place, "mail.log");
	assert_string_equal(log_read(&place), "two|");
	log_put(&place, "mail.log", "three");
	assert_string_equal(log_read(&place), "three|");
}

static void half_a_line_at_the_end_of_an_old_file_is_cut(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	log_put_bytes(&place, "mail.log", "Nov 25 09:01:02 mx a: tw", 24);
	log_open(&place);
	assert_string_equal(log_read(&place), "one|");
	log_rename(&place, "mail.log", "mail.log.1");
	assert_string_equal(log_read(&place), "");
	log_put(&place, "mail.log", "three");
	assert_string_equal(log_read(&place), "tw(cut)|three|");
	log_close(&place);
	assert_string_equal(log_read_anew(&place), "");
}

static void a_file_written_anew_by_an_editor_goes_on(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_string_equal(log_read(&place), "one|two|");
	log_copy(&place, "mail.log", "mail.log~");
	log_rename(&place, "mail.log~", "mail.log");
	log_put(&place, "mail.log", "three");
	assert_string_equal(log_read(&place), "three|");
}

/* --- what happened while nobody read ------------------------------------------ */

static void after_downtime_every_generation_is_read_in_order(void **state)
{
	static const char *const names[] = {"mail.log.12", "mail.log.11", "mail.log.10",
		"mail.log.9", "mail.log.2", "mail.log.1", "mail.log"};

	(void)state;
	log_put(&place, "mail.log.12", "0|1");
	log_copy(&place, "mail.log.12", "mail.log");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "0|");
	log_close(&place);
	log_unlink(&place, "mail.log");
	for (int i = 1; i < 7; i++) {
		char texts[8];

		snprintf(texts, sizeof texts, "%d|%d", 2 * i, 2 * i + 1);
		log_put(&place, names[i], texts);
	}
	for (int i = 0; i < 5; i++)
		log_gzip(&place, names[i]);
	/* Empty ones are no generations. */
	log_put_bytes(&place, "mail.log.3", "", 0);
	assert_string_equal(log_read_anew(&place), "1|2|3|4|5|6|7|8|9|10|11|12|13|");
	assert_string_equal(log_read_anew(&place), "");
}

static void names_with_dates_are_in_their_order(void **state)
{
	static const char *const names[][4] = {
		{"mail.log-20251231.gz", "mail.log-20260101.gz", "mail.log-20260102", "mail.log"},
		{"mail.log.20251231-235959.gz", "mail.log.20260101-000000.gz",
			"mail.log.20260101-000001", "mail.log"},
		{"mail.log-20260101.gz", "mail.log-2026010113.gz", "mail.log-2026010114",
			"mail.log"},
		{"mail.log-1795598400.gz", "mail.log-1795598401.gz", "mail.log-1795598402",
			"mail.log"},
	};

	for (size_t form = 0; form < sizeof names / sizeof names[0]; form++) {
		tear_down(state);
		set_up(state);
		log_put(&place, "mail.log", "0|1");
		log_open(&place);
		assert_string_equal(log_read_some(&place, 1), "0|");
		log_close(&place);
		for (int i = 0; i < 3; i++) {
			char name[64], texts[8];

			snprintf(name, sizeof name, "%s", names[form][i]);
			if (strstr(name, ".gz") != NULL)
				*strstr(name, ".gz") = '\0';
			log_rename(&place, "mail.log", name);
			if (strcmp(name, names[form][i]) != 0)
				log_gzip(&place, name);
			snprintf(texts, sizeof texts, "%d", i + 2);
			log_put(&place, "mail.log", texts);
		}
		assert_string_equal(log_read_anew(&place), "1|2|3|4|");
	}
}

static void other_files_of_the_folder_are_not_read(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	log_close(&place);
	log_rename(&place, "mail.log", "mail.log.1");
	log_put(&place, "mail.log.old", "x");
	log_put(&place, "mail.log2", "x");
	log_put(&place, "mail.logs.1", "x");
	log_put(&place, "mail.err.1", "x");
	assert_int_equal(mkdir(log_path(&place, "mail.log.0"), 0755), 0);
	assert_int_equal(mkfifo(log_path(&place, "mail.log.3"), 0644), 0);
	log_put(&place, "mail.log", "three");
	assert_string_equal(log_read_anew(&place), "two|three|");
}

static void an_event_has_the_same_name_from_a_gzipped_file(void **state)
{
	char names[sizeof place.names];

	(void)state;
	for (int i = 0; i < 200; i++) {
		char text[16];

		snprintf(text, sizeof text, "line %d", i);
		log_put(&place, "mail.log", text);
		/* Read while the file is still short, and when it is long. */
		if (i == 0)
			log_open(&place);
		if (i == 3)
			log_read(&place);
	}
	memcpy(names, place.names, sizeof names);
	log_read(&place);
	memcpy(names + strlen(names), place.names, strlen(place.names) + 1);
	track_source_close(place.source);
	place.source = NULL;
	log_rename(&place, "mail.log", "mail.log.1");
	log_copy(&place, "mail.log.1", "mail.log");
	log_open(&place);
	log_read_some(&place, 1);
	assert_memory_equal(names, place.names, strlen(place.names));
	log_close(&place);
	log_unlink(&place, "mail.log");
	log_gzip(&place, "mail.log.1");
	log_read_anew(&place);
	assert_string_equal(strchr(names, '\n') + 1, place.names);
}

static void a_number_of_an_inode_that_is_used_again_is_no_identity(void **state)
{
	struct stat first, second;

	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	assert_int_equal(stat(place.log, &first), 0);
	log_close(&place);
	/* As good as another file with that number: the same one, written anew. */
	log_copy(&place, "mail.log", "mail.log.1");
	log_truncate(&place, "mail.log", 0);
	log_put(&place, "mail.log", "three|four|five");
	assert_int_equal(stat(place.log, &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	assert_string_equal(log_read_anew(&place), "two|three|four|five|");
}

static void a_generation_that_is_gone_is_a_loss(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	log_close(&place);
	log_unlink(&place, "mail.log");
	usleep(20000);
	log_put(&place, "mail.log.2", "three");
	log_put(&place, "mail.log.1", "four");
	log_put(&place, "mail.log", "five");
	assert_string_equal(log_read_anew(&place), "(lost ?)|three|four|five|");
	assert_non_null(strstr(place.loss, "mail.log: the file that was read before is gone"));
	assert_string_equal(log_read_anew(&place), "");
}

static void older_generations_are_not_read_again_after_a_loss(void **state)
{
	(void)state;
	log_put(&place, "mail.log.1", "old");
	usleep(20000);
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	assert_string_equal(log_read(&place), "one|two|");
	/* By hand: "> mail.log". */
	log_truncate(&place, "mail.log", 0);
	assert_string_equal(log_read(&place), "");
	log_put(&place, "mail.log", "three");
	assert_string_equal(log_read(&place), "(lost ?)|three|");
	log_close(&place);
	assert_string_equal(log_read_anew(&place), "");
}

/* Of two lines, or of a hundred. */
static void check_shrinking(int lines)
{
	struct stat status;
	char first[sizeof place.names];

	for (int i = 0; i < lines; i++)
		log_put(&place, "mail.log", "one|two|three|four");
	log_open(&place);
	log_read(&place);
	strcpy(first, place.names);
	assert_int_equal(stat(place.log, &status), 0);
	log_truncate(&place, "mail.log", status.st_size / 2);
	assert_string_equal(log_read(&place), "(lost ?)|");
	log_put(&place, "mail.log", "five|six");
	assert_string_equal(log_read(&place), "five|six|");
	/* They stand where others stood, and have other names. */
	assert_null(strstr(first, place.names));
}

static void a_file_that_shrinks_is_a_loss_and_goes_on(void **state)
{
	(void)state;
	check_shrinking(25);
}

static void a_small_file_that_shrinks_is_a_loss_and_goes_on(void **state)
{
	(void)state;
	check_shrinking(1);
}

static void a_file_that_shrank_meanwhile_is_a_loss_and_goes_on(void **state)
{
	(void)state;
	for (int i = 0; i < 25; i++)
		log_put(&place, "mail.log", "one|two|three|four");
	log_read_anew(&place);
	log_truncate(&place, "mail.log", 2000);
	log_put_bytes(&place, "mail.log", "\n", 1);
	assert_string_equal(log_read_anew(&place), "(lost ?)|");
	log_put(&place, "mail.log", "five");
	assert_string_equal(log_read_anew(&place), "five|");
}

static void a_damaged_file_is_a_loss_of_its_rest(void **state)
{
	struct stat status;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		char text[32];

		snprintf(text, sizeof text, "%d %d", i, rand());
		log_put(&place, "mail.log", text);
	}
	log_open(&place);
	log_read_some(&place, 1);
	log_close(&place);
	log_rename(&place, "mail.log", "mail.log.1");
	log_gzip(&place, "mail.log.1");
	assert_int_equal(stat(log_path(&place, "mail.log.1.gz"), &status), 0);
	log_truncate(&place, "mail.log.1.gz", status.st_size - 100);
	log_put(&place, "mail.log", "next");
	log_read_anew(&place);
	assert_memory_equal(place.told, "1 ", 2);
	assert_non_null(strstr(place.told, "(lost ?)|"));
	assert_non_null(strstr(place.loss, "mail.log.1.gz: damaged"));
	assert_string_equal(place.told + strlen(place.told) - 5, "next|");
	assert_string_equal(log_read_anew(&place), "");
}

static void a_file_compressed_in_another_way_is_a_loss(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	assert_string_equal(log_read_anew(&place), "one|");
	log_rename(&place, "mail.log", "mail.log.3");
	log_put(&place, "mail.log.2.xz", "two");
	log_put(&place, "mail.log.1", "three");
	log_put(&place, "mail.log", "four");
	assert_string_equal(log_read_anew(&place), "(lost ?)|three|four|");
	assert_non_null(strstr(place.loss, "mail.log.2.xz: "));
}

static void a_file_of_several_gzip_members_is_one(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	assert_string_equal(log_read_anew(&place), "one|");
	log_rename(&place, "mail.log", "a");
	log_put(&place, "b", "two");
	log_gzip(&place, "a");
	log_gzip(&place, "b");
	log_copy(&place, "a.gz", "mail.log.1.gz");
	{
		char command[400];

		snprintf(command, sizeof command, "cat '%s' >>'%s'", log_path(&place, "b.gz"),
			log_path(&place, "mail.log.1.gz"));
		assert_int_equal(system(command), 0);
	}
	log_put(&place, "mail.log", "three");
	assert_string_equal(log_read_anew(&place), "two|three|");
}

/* --- repeated lines ----------------------------------------------------------- */

#define REPEATED "Nov 25 09:01:05 mx last message repeated 3 times\n"

static void a_repeated_line_becomes_as_many(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	log_put_bytes(&place, "mail.log", REPEATED, strlen(REPEATED));
	log_put_bytes(&place, "mail.log", REPEATED, strlen(REPEATED));
	log_put(&place, "mail.log", "message repeated 2 times: [ two]|three");
	log_open(&place);
	assert_string_equal(log_read(&place), "one|one|one|one|one|one|one|two|two|three|");
	/* Each has a name of its own. */
	assert_non_null(strstr(place.names, "+1\n"));
	assert_non_null(strstr(place.names, "+3\n"));
}

static void a_reader_that_comes_back_finds_the_line_that_is_repeated(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_put_bytes(&place, "mail.log", REPEATED, strlen(REPEATED));
	log_put(&place, "mail.log", "three");
	log_open(&place);
	assert_string_equal(log_read_some(&place, 3), "one|two|two|");
	log_close(&place);
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "two|");
	assert_non_null(strstr(place.names, "+2\n"));
	log_close(&place);
	log_rename(&place, "mail.log", "mail.log.1");
	log_gzip(&place, "mail.log.1");
	assert_string_equal(log_read_anew(&place), "two|three|");
}

static void a_repeated_line_whose_text_nobody_knows_is_a_loss(void **state)
{
	(void)state;
	log_put_bytes(&place, "mail.log", REPEATED, strlen(REPEATED));
	log_put(&place, "mail.log", "one");
	assert_string_equal(log_read_anew(&place), "(lost 3)|one|");
}

static void a_number_of_repeats_is_not_believed_without_bounds(void **state)
{
	int64_t lines = 0, lost = 0;
	struct track_record record;

	(void)state;
	log_put(&place, "mail.log", "message repeated 999999999 times: [ x]|end");
	log_open(&place);
	while (track_source_next(place.source, &record, NULL) > 0)
		*(record.lost > 0 ? &lost : &lines) += record.lost > 0 ? record.lost : 1;
	assert_int_equal(lines, 1001);
	assert_int_equal(lost, 999999999 - 1000);
}

/* --- rights, waking ----------------------------------------------------------- */

static int try_as_nobody(const char *path)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct mg_error error = {""};

		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(2);
		if (track_source_open(path, "", &mg_clock_system, &error) != NULL)
			_exit(1);
		_exit(strstr(error.text, "Permission denied") != NULL &&
					strstr(error.text, "group adm") != NULL
				? 0
				: 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_file_that_may_not_be_read_is_an_error_that_names_the_group(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	assert_int_equal(chmod(place.folder, 0755), 0);
	assert_int_equal(chmod(place.log, 0), 0);
	assert_int_equal(try_as_nobody(place.log), 0);
}

static void what_is_no_file_is_an_error(void **state)
{
	struct mg_error error = {""};

	(void)state;
	assert_null(track_source_open(place.folder, "", &mg_clock_system, &error));
	assert_non_null(strstr(error.text, "not a regular file"));
	assert_null(
		track_source_open(log_path(&place, "none/mail.log"), "", &mg_clock_system, &error));
	assert_non_null(strstr(error.text, "none/: No such file or directory"));
	assert_null(track_source_open("mail.log", "", &mg_clock_system, &error));
	assert_non_null(strstr(error.text, "expected \"journal\""));
}

static void the_setting_is_checked(void **state)
{
	(void)state;
	assert_null(track_source_check("journal"));
	assert_null(track_source_check("journal:/var/log/journal/remote"));
	assert_null(track_source_check("/var/log/mail.log"));
	assert_non_null(track_source_check(""));
	assert_non_null(track_source_check("/"));
	assert_non_null(track_source_check("/var/log/"));
	assert_non_null(track_source_check("mail.log"));
	assert_non_null(track_source_check("journald"));
	assert_non_null(track_source_check("journal:mail"));
}

/* Whether the reader is woken; it must not be when nothing happens. */
static bool wakes(void)
{
	struct pollfd wait = {track_source_descriptor(place.source), POLLIN, 0};

	return poll(&wait, 1, 0) == 1;
}

static void every_change_wakes_the_reader(void **state)
{
	(void)state;
	log_put(&place, "mail.log", "one");
	log_open(&place);
	assert_string_equal(log_read(&place), "one|");
	assert_false(wakes());
	assert_true(track_source_timeout(place.source) >= MG_SECOND);
	log_put(&place, "mail.log", "two");
	assert_true(wakes());
	assert_string_equal(log_read(&place), "two|");
	assert_false(wakes());
	log_rename(&place, "mail.log", "mail.log.1");
	log_put(&place, "mail.log.1", "three");
	assert_true(wakes());
	assert_string_equal(log_read(&place), "three|");
	assert_false(wakes());
	log_put_bytes(&place, "mail.log", "", 0);
	assert_true(wakes());
	assert_string_equal(log_read(&place), "");
	assert_false(wakes());
	log_put(&place, "mail.log", "four");
	assert_true(wakes());
	assert_string_equal(log_read(&place), "four|");
	log_copy(&place, "mail.log", "mail.log.0");
	assert_string_equal(log_read(&place), "");
	assert_false(wakes());
	log_truncate(&place, "mail.log", 0);
	assert_true(wakes());
	assert_string_equal(log_read(&place), "");
	assert_false(wakes());
	log_put(&place, "mail.log", "five");
	assert_true(wakes());
	assert_string_equal(log_read(&place), "five|");
}

static void the_backlog_counts_what_is_not_read(void **state)
{
	struct stat status;

	(void)state;
	log_put(&place, "mail.log", "one|two");
	log_open(&place);
	log_read_some(&place, 1);
	assert_int_equal(stat(place.log, &status), 0);
	assert_int_equal(track_source_backlog(place.source), status.st_size / 2);
	log_read(&place);
	assert_int_equal(track_source_backlog(place.source), 0);
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(a_file_is_read_from_its_first_line),
		FILE_TEST(what_is_appended_is_read),
		FILE_TEST(a_line_without_its_end_is_waited_for),
		FILE_TEST(a_reader_goes_on_where_the_last_one_ended),
		FILE_TEST(a_reader_on_its_way_through_an_old_file_is_not_at_the_end),
		FILE_TEST(a_file_that_is_not_there_is_waited_for),
		FILE_TEST(an_empty_file_has_no_identity),
		FILE_TEST(what_was_rotated_before_the_first_start_is_not_read),
		FILE_TEST(a_position_of_another_kind_of_source_begins_anew),
		FILE_TEST(bytes_are_given_as_they_stand),
		FILE_TEST(a_line_that_is_too_long_is_cut_and_passed),
		FILE_TEST(after_a_rename_the_rest_of_the_old_file_comes_first),
		FILE_TEST(after_copytruncate_the_rest_is_read_from_the_copy),
		FILE_TEST(several_rotations_at_once_are_read_in_order),
		FILE_TEST(a_file_that_is_compressed_while_it_is_read_is_read_to_its_end),
		FILE_TEST(a_file_that_is_deleted_is_read_to_its_end),
		FILE_TEST(half_a_line_at_the_end_of_an_old_file_is_cut),
		FILE_TEST(a_file_written_anew_by_an_editor_goes_on),
		FILE_TEST(after_downtime_every_generation_is_read_in_order),
		FILE_TEST(names_with_dates_are_in_their_order),
		FILE_TEST(other_files_of_the_folder_are_not_read),
		FILE_TEST(an_event_has_the_same_name_from_a_gzipped_file),
		FILE_TEST(a_number_of_an_inode_that_is_used_again_is_no_identity),
		FILE_TEST(a_generation_that_is_gone_is_a_loss),
		FILE_TEST(older_generations_are_not_read_again_after_a_loss),
		FILE_TEST(a_file_that_shrinks_is_a_loss_and_goes_on),
		FILE_TEST(a_small_file_that_shrinks_is_a_loss_and_goes_on),
		FILE_TEST(a_file_that_shrank_meanwhile_is_a_loss_and_goes_on),
		FILE_TEST(a_damaged_file_is_a_loss_of_its_rest),
		FILE_TEST(a_file_compressed_in_another_way_is_a_loss),
		FILE_TEST(a_file_of_several_gzip_members_is_one),
		FILE_TEST(a_repeated_line_becomes_as_many),
		FILE_TEST(a_reader_that_comes_back_finds_the_line_that_is_repeated),
		FILE_TEST(a_repeated_line_whose_text_nobody_knows_is_a_loss),
		FILE_TEST(a_number_of_repeats_is_not_believed_without_bounds),
		FILE_TEST(a_file_that_may_not_be_read_is_an_error_that_names_the_group),
		FILE_TEST(what_is_no_file_is_an_error),
		FILE_TEST(the_setting_is_checked),
		FILE_TEST(every_change_wakes_the_reader),
		FILE_TEST(the_backlog_counts_what_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

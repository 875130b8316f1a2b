/* SPDX-License-Identifier: ISC */
/* Real journal files, made by systemd-journal-remote of the journal export format. */
#include <fcntl.h>
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

#define MAKER "/usr/lib/systemd/systemd-journal-remote"
#define DROPPED "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e\n"
#define SMTPD "SYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=postfix/smtpd\nSYSLOG_PID=4711\n"

/* 2026-11-25 09:46:40 UTC, us: of entry 0; the next is a second later. */
static const int64_t begin = INT64_C(1795600000000000);
static struct log_place place;

static int set_up(void **state)
{
	(void)state;
	log_make(&place);
	/* The log is the folder. */
	snprintf(place.log, sizeof place.log, "journal:%s", place.folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_remove(&place);
	return 0;
}

/* --- journals ----------------------------------------------------------------- */

struct exporter {
	FILE *stream;
	char file[32];
	int next;
};

static struct exporter exporter;

/* Begins the file that make_journal makes a journal of; entries are numbered from `first` on. */
static void begin_journal(const char *file, int first)
{
	snprintf(exporter.file, sizeof exporter.file, "%s", file);
	exporter.next = first;
	exporter.stream = fopen(log_path(&place, "export"), "w");
	assert_non_null(exporter.stream);
}

static void add_head(void)
{
	int64_t number = exporter.next++;

	fprintf(exporter.stream,
		"__REALTIME_TIMESTAMP=%lld\n__MONOTONIC_TIMESTAMP=%lld\n"
		"_BOOT_ID=fedcba9876543210fedcba9876543210\n"
		"_MACHINE_ID=0123456789abcdef0123456789abcdef\n",
		(long long)(begin + number * 1000000), (long long)(1 + number) * 1000000);
}

static void add_entry(const char *fields)
{
	add_head();
	fprintf(exporter.stream, "%s\n", fields);
}

/* An entry of smtpd with this text. */
static void add_line(const char *text)
{
	add_head();
	fprintf(exporter.stream, "_TRANSPORT=syslog\n" SMTPD "_PID=4711\nMESSAGE=%s\n\n", text);
}

static void add_binary(const char *fields, const char *text, size_t length)
{
	add_head();
	fprintf(exporter.stream, "%sMESSAGE\n", fields);
	for (int i = 0; i < 8; i++)
		fputc((int)(length >> (8 * i) & 0xff), exporter.stream);
	fwrite(text, 1, length, exporter.stream);
	fputs("\n\n", exporter.stream);
}

static void make_journal(void)
{
	char command[512];

	fclose(exporter.stream);
	if (access(MAKER, X_OK) != 0) {
		print_message("# %s is missing: apt-get install systemd-journal-remote\n", MAKER);
		skip();
	}
	/* Made elsewhere and moved, it is there at once, as after a rotation. */
	snprintf(command, sizeof command,
		"mkdir -p '%s/new' && " MAKER
		" -o '%s/new/%s' '%s' 2>/dev/null && mv '%s/new/%s' '%s'",
		place.folder, place.folder, exporter.file, log_path(&place, "export"), place.folder,
		exporter.file, place.folder);
	assert_int_equal(system(command), 0);
}

/* --- entries ------------------------------------------------------------------ */

static void an_entry_has_time_program_pid_and_text(void **state)
{
	struct track_record record;

	(void)state;
	begin_journal("a.journal", 0);
	add_line("connect from a[::1]");
	add_entry("_TRANSPORT=syslog\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=postfix/qmgr\n_PID=5\n"
		  "_SOURCE_REALTIME_TIMESTAMP=1795599999123456\nMESSAGE=A: removed\n");
	make_journal();
	log_open(&place);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_true(record.utc == begin * 1000);
	assert_int_equal(record.pid, 4711);
	assert_int_equal(record.identifier_length, strlen("postfix/smtpd"));
	assert_memory_equal(record.identifier, "postfix/smtpd", record.identifier_length);
	assert_int_equal(record.length, strlen("connect from a[::1]"));
	assert_memory_equal(record.text, "connect from a[::1]", record.length);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_true(record.utc == INT64_C(1795599999123456000));
	assert_int_equal(record.pid, 5);
	assert_int_equal(track_source_next(place.source, &record, NULL), 0);
}

static void only_what_can_be_of_postfix_is_read(void **state)
{
	(void)state;
	begin_journal("a.journal", 0);
	add_entry("SYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=sshd\nMESSAGE=x\n");
	add_entry("PRIORITY=6\nMESSAGE=kernel\n");
	add_line("one");
	/* syslog_facility = local0 */
	add_entry("SYSLOG_FACILITY=16\n_SYSTEMD_UNIT=postfix@-.service\nMESSAGE=two\n");
	add_entry("SYSLOG_FACILITY=16\n_SYSTEMD_UNIT=postfix.service\nMESSAGE=three\n");
	add_entry("SYSLOG_FACILITY=16\n_SYSTEMD_UNIT=cron.service\nMESSAGE=x\n");
	make_journal();
	assert_string_equal(log_read_anew(&place), "one|two|three|");
}

static void a_line_in_the_name_of_postfix_by_who_can_log_in_is_not_read(void **state)
{
	struct track_record record;

	(void)state;
	begin_journal("a.journal", 0);
	add_entry(SMTPD "_UID=1000\nMESSAGE=forged\n");
	add_entry(SMTPD "_UID=106\nMESSAGE=one\n");
	add_entry(
		"SYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=postfix/postdrop\n_UID=1000\nMESSAGE=two\n");
	make_journal();
	log_open(&place);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_string_equal(record.text, "one");
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_string_equal(record.text, "two");
	assert_int_equal(track_source_next(place.source, &record, NULL), 0);
}

static void bytes_are_given_as_they_stand_and_long_ones_are_cut(void **state)
{
	size_t length = 2 * TRACK_LINE_MAX;
	char *text = malloc(length);
	struct track_record record;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', length);
	begin_journal("a.journal", 0);
	add_binary(SMTPD, "a\0b\xff\nc", 6);
	add_binary(SMTPD, text, length);
	add_binary(SMTPD, text, TRACK_LINE_MAX);
	make_journal();
	free(text);
	log_open(&place);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_int_equal(record.length, 6);
	assert_memory_equal(record.text, "a\0b\xff\nc", 6);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_int_equal(record.length, TRACK_LINE_MAX);
	assert_true(record.cut);
	assert_int_equal(track_source_next(place.source, &record, NULL), 1);
	assert_int_equal(record.length, TRACK_LINE_MAX);
	assert_false(record.cut);
}

/* --- places ------------------------------------------------------------------- */

static void a_reader_goes_on_where_the_last_one_ended(void **state)
{
	char names[sizeof place.names];

	(void)state;
	begin_journal("a.journal", 0);
	add_line("one");
	add_line("two");
	add_line("three");
	make_journal();
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	log_close(&place);
	log_open(&place);
	assert_string_equal(log_read(&place), "two|three|");
	strcpy(names, place.names);
	log_close(&place);
	assert_string_equal(log_read_anew(&place), "");
	begin_journal("b.journal", 3);
	add_line("four");
	make_journal();
	assert_string_equal(log_read_anew(&place), "four|");
	/* A name is for ever. */
	place.position[0] = '\0';
	log_open(&place);
	log_read_some(&place, 1);
	assert_string_equal(log_read_some(&place, 2), "two|three|");
	assert_string_equal(place.names, names);
}

static void a_journal_that_comes_wakes_the_reader(void **state)
{
	struct pollfd wait = {.events = POLLIN};

	(void)state;
	begin_journal("a.journal", 0);
	add_line("one");
	make_journal();
	log_open(&place);
	assert_string_equal(log_read(&place), "one|");
	wait.fd = track_source_descriptor(place.source);
	assert_int_equal(poll(&wait, 1, 0), 0);
	begin_journal("b.journal", 1);
	add_line("two");
	make_journal();
	assert_int_equal(poll(&wait, 1, 60000), 1);
	assert_string_equal(log_read(&place), "two|");
	assert_int_equal(poll(&wait, 1, 0), 0);
}

static void a_position_of_another_kind_of_source_begins_anew(void **state)
{
	(void)state;
	begin_journal("a.journal", 0);
	add_line("one");
	make_journal();
	strcpy(place.position, "file - 5");
	assert_string_equal(log_read_anew(&place), "one|");
	assert_string_equal(log_read_anew(&place), "");
}

/* --- losses ------------------------------------------------------------------- */

static void what_journald_suppressed_of_postfix_is_a_loss(void **state)
{
	(void)state;
	begin_journal("a.journal", 0);
	add_line("one");
	add_entry("_TRANSPORT=driver\n" DROPPED "N_DROPPED=1234\n"
		  "MESSAGE=Suppressed 1234 messages from postfix@-.service\n");
	add_entry("_TRANSPORT=driver\n" DROPPED "N_DROPPED=3\n"
		  "MESSAGE=Suppressed 3 messages from /system.slice/postfix.service\n");
	add_entry("_TRANSPORT=driver\n" DROPPED "N_DROPPED=5\n"
		  "MESSAGE=Suppressed 5 messages from postfix@out.service\n");
	add_line("two");
	make_journal();
	assert_string_equal(log_read_anew(&place), "one|(lost 1234)|(lost 3)|(lost 5)|two|");
	assert_non_null(strstr(place.loss, "Suppressed 5 messages from postfix@out.service"));
	assert_string_equal(log_read_anew(&place), "");
}

static void what_journald_suppressed_of_others_is_none(void **state)
{
	static const char *const units[] = {"cron.service", "postfixadmin.service",
		"not-postfix.service", "postfix@-.socket", "", "service"};
	char entry[256];

	(void)state;
	begin_journal("a.journal", 0);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		snprintf(entry, sizeof entry,
			"_TRANSPORT=driver\n" DROPPED
			"N_DROPPED=3\nMESSAGE=Suppressed 3 messages from %s\n",
			units[i]);
		add_entry(entry);
	}
	add_line("one");
	make_journal();
	assert_string_equal(log_read_anew(&place), "one|");
}

static void nobody_but_journald_says_what_it_suppressed(void **state)
{
	(void)state;
	begin_journal("a.journal", 0);
	add_entry("_TRANSPORT=journal\n" DROPPED
		  "N_DROPPED=99\nMESSAGE=Suppressed 99 messages from postfix@-.service\n");
	make_journal();
	assert_string_equal(
		log_read_anew(&place), "Suppressed 99 messages from postfix@-.service|");
}

static void entries_that_are_vacuumed_before_they_are_read_are_a_loss(void **state)
{
	(void)state;
	begin_journal("a.journal", 0);
	add_line("one");
	add_line("two");
	make_journal();
	begin_journal("b.journal", 10);
	add_line("three");
	make_journal();
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	log_close(&place);
	log_unlink(&place, "a.journal");
	assert_string_equal(log_read_anew(&place), "(lost ?)|three|");
	assert_non_null(strstr(place.loss, "since 2026-11-25T09:46:40.000000Z are gone"));
	assert_string_equal(log_read_anew(&place), "");
}

static void entries_that_are_vacuumed_while_somebody_reads_are_a_loss(void **state)
{
	(void)state;
	begin_journal("a.journal", 0);
	add_line("one");
	add_line("two");
	make_journal();
	log_open(&place);
	assert_string_equal(log_read_some(&place, 1), "one|");
	log_unlink(&place, "a.journal");
	begin_journal("b.journal", 10);
	add_line("three");
	make_journal();
	log_read(&place);
	/* What it still has in memory it may give. */
	assert_string_equal(strncmp(place.told, "two|", 4) == 0 ? place.told + 4 : place.told,
		"(lost ?)|three|");
}

static void vacuuming_what_was_read_is_no_loss(void **state)
{
	(void)state;
	begin_journal("a.journal", 0);
	add_line("one");
	make_journal();
	/* Nothing of Postfix for a while; then the old entries go. */
	begin_journal("b.journal", 10);
	add_entry("SYSLOG_FACILITY=3\nMESSAGE=x\n");
	make_journal();
	assert_string_equal(log_read_anew(&place), "one|");
	log_unlink(&place, "a.journal");
	begin_journal("c.journal", 20);
	add_line("two");
	make_journal();
	assert_string_equal(log_read_anew(&place), "two|");
}

/* --- rights ------------------------------------------------------------------- */

static int try_as_nobody(const char *follow)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		struct mg_error error = {""};

		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(2);
		if (track_source_open(follow, "", &mg_clock_system, &error) != NULL)
			_exit(1);
		_exit(strstr(error.text, "group systemd-journal") != NULL ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_journal_that_may_not_be_read_is_an_error_that_names_the_group(void **state)
{
	(void)state;
	begin_journal("a.journal", 0);
	add_line("one");
	make_journal();
	assert_int_equal(chmod(place.folder, 0755), 0);
	assert_int_equal(chmod(log_path(&place, "a.journal"), 0), 0);
	assert_int_equal(try_as_nobody(place.log), 0);
	assert_int_equal(chmod(place.folder, 0), 0);
	assert_int_equal(try_as_nobody(place.log), 0);
	assert_int_equal(chmod(place.folder, 0755), 0);
}

static void a_journal_that_is_not_there_is_an_error(void **state)
{
	struct mg_error error = {""};

	(void)state;
	assert_null(track_source_open("journal:/nonexistent", "", &mg_clock_system, &error));
	assert_non_null(strstr(error.text, "/nonexistent: there is none"));
}

#define JOURNAL_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(an_entry_has_time_program_pid_and_text),
		JOURNAL_TEST(only_what_can_be_of_postfix_is_read),
		JOURNAL_TEST(a_line_in_the_name_of_postfix_by_who_can_log_in_is_not_read),
		JOURNAL_TEST(bytes_are_given_as_they_stand_and_long_ones_are_cut),
		JOURNAL_TEST(a_reader_goes_on_where_the_last_one_ended),
		JOURNAL_TEST(a_journal_that_comes_wakes_the_reader),
		JOURNAL_TEST(a_position_of_another_kind_of_source_begins_anew),
		JOURNAL_TEST(what_journald_suppressed_of_postfix_is_a_loss),
		JOURNAL_TEST(what_journald_suppressed_of_others_is_none),
		JOURNAL_TEST(nobody_but_journald_says_what_it_suppressed),
		JOURNAL_TEST(entries_that_are_vacuumed_before_they_are_read_are_a_loss),
		JOURNAL_TEST(entries_that_are_vacuumed_while_somebody_reads_are_a_loss),
		JOURNAL_TEST(vacuuming_what_was_read_is_no_loss),
		JOURNAL_TEST(a_journal_that_may_not_be_read_is_an_error_that_names_the_group),
		JOURNAL_TEST(a_journal_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

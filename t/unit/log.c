/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int real_stderr = -1;

/* NULL: not under systemd. No thread is running then. */
static void set_journal_stream(const char *stream)
{
	if (stream == NULL)
		unsetenv("JOURNAL_STREAM"); /* NOLINT(concurrency-mt-unsafe) */
	else
		setenv("JOURNAL_STREAM", stream, 1); /* NOLINT(concurrency-mt-unsafe) */
}

/* Standard error becomes a file in memory until captured(). */
static void capture(void)
{
	int file = memfd_create("log", MFD_CLOEXEC);

	assert_true(file >= 0);
	/* As systemd's own files for standard error: two writers never overwrite each other. */
	assert_int_equal(fcntl(file, F_SETFL, O_APPEND), 0);
	real_stderr = dup(STDERR_FILENO);
	assert_true(real_stderr >= 0);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	close(file);
}

static const char *captured(void)
{
	static char text[1 << 20];
	ssize_t length = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void a_line_begins_with_the_program(void **state)
{
	(void)state;
	set_journal_stream(NULL);
	capture();
	mg_log_open("millgate-log", 0);
	mg_log(LOG_INFO, "ready: %s, %d limits", "log.sock", 2);
	mg_log(LOG_ERR, "%s", "second");
	assert_string_equal(
		captured(), "millgate-log: ready: log.sock, 2 limits\nmillgate-log: second\n");
}

static void debug_lines_are_for_verbose_only(void **state)
{
	(void)state;
	set_journal_stream(NULL);
	capture();
	mg_log_open("p", 0);
	mg_log(LOG_DEBUG, "hidden");
	mg_log_open("p", 1);
	mg_log(LOG_DEBUG, "shown");
	assert_string_equal(captured(), "p: shown\n");
}

static void set_journal_stream_here(unsigned long inode_offset)
{
	struct stat status;
	char stream[64];

	assert_int_equal(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		(uintmax_t)status.st_ino + inode_offset);
	set_journal_stream(stream);
}

static void under_systemd_a_line_begins_with_its_level(void **state)
{
	(void)state;
	capture();
	set_journal_stream_here(0);
	mg_log_open("p", 1);
	mg_log(LOG_ERR, "a");
	mg_log(LOG_WARNING, "b");
	mg_log(LOG_NOTICE, "c");
	mg_log(LOG_INFO, "d");
	mg_log(LOG_DEBUG, "e");
	assert_string_equal(captured(), "<3>a\n<4>b\n<5>c\n<6>d\n<7>e\n");
}

static void a_journal_stream_that_is_not_standard_error_is_no_journal(void **state)
{
	(void)state;
	capture();
	set_journal_stream_here(1);
	mg_log_open("p", 0);
	mg_log(LOG_ERR, "a");
	set_journal_stream("nonsense");
	mg_log_open("p", 0);
	mg_log(LOG_ERR, "b");
	assert_string_equal(captured(), "p: a\np: b\n");
}

static void control_bytes_are_escaped(void **state)
{
	(void)state;
	set_journal_stream(NULL);
	capture();
	mg_log_open("p", 0);
	mg_log(LOG_ERR, "a\nb\x1b[2J\xff ü");
	assert_string_equal(captured(), "p: a\\x0ab\\x1b[2J\\xff ü\n");
}

static void a_line_is_cut_at_2000_bytes(void **state)
{
	static char text[5000];
	const char *line;

	(void)state;
	set_journal_stream(NULL);
	memset(text, 'a', sizeof(text) - 1);
	capture();
	mg_log_open("p", 0);
	mg_log(LOG_ERR, "%s", text);
	line = captured();
	assert_int_equal(strlen(line), 2000);
	assert_string_equal(line + 2000 - strlen("a…\n"), "a…\n");

	capture();
	text[2000 - strlen("p: \n")] = '\0';
	mg_log(LOG_ERR, "%s", text);
	line = captured();
	assert_int_equal(strlen(line), 2000);
	assert_string_equal(line + 2000 - strlen("aaa\n"), "aaa\n");
}

/* The cut must not fall into an escape or a character, wherever it comes. */
static void a_line_of_escapes_is_cut_between_them(void **state)
{
	static char text[5000];
	const char *line;

	(void)state;
	set_journal_stream(NULL);
	memset(text, '\x01', sizeof(text) - 1);
	capture();
	mg_log_open("p", 0);
	mg_log(LOG_ERR, "%s", text);
	line = captured();
	assert_in_range(strlen(line), 1990, 2000);
	assert_string_equal(line + strlen(line) - strlen("\\x01…\n"), "\\x01…\n");
}

static void errno_is_kept(void **state)
{
	(void)state;
	capture();
	mg_log_open("p", 0);
	errno = ENOTTY;
	mg_log(LOG_ERR, "text");
	assert_int_equal(errno, ENOTTY);
	captured();
}

static void a_closed_standard_error_harms_nothing(void **state)
{
	(void)state;
	real_stderr = dup(STDERR_FILENO);
	close(STDERR_FILENO);
	errno = 0;
	mg_log(LOG_ERR, "lost");
	assert_int_equal(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
	close(real_stderr);
}

enum { RECORDS = 100 };

static void a_line_is_one_write(void **state)
{
	int pair[2];
	char packet[4096];

	(void)state;
	set_journal_stream(NULL);
	/* A packet socket keeps the writes apart. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	real_stderr = dup(STDERR_FILENO);
	assert_int_equal(dup2(pair[1], STDERR_FILENO), STDERR_FILENO);
	mg_log_open("p", 0);
	mg_log(LOG_ERR, "one %s", "line");
	mg_log(LOG_ERR, "two");
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	assert_int_equal(recv(pair[0], packet, sizeof(packet), MSG_DONTWAIT), 12);
	assert_memory_equal(packet, "p: one line\n", 12);
	assert_int_equal(recv(pair[0], packet, sizeof(packet), MSG_DONTWAIT), 7);
	assert_memory_equal(packet, "p: two\n", 7);
	close(pair[0]);
	close(pair[1]);
}

static void *log_records(void *letter)
{
	for (int i = 0; i < RECORDS; i++)
		mg_log(LOG_INFO, "%s%s%s%s%s", (char *)letter, (char *)letter, (char *)letter,
			(char *)letter, (char *)letter);
	return NULL;
}

static void lines_of_threads_stay_whole(void **state)
{
	static char letters[4][2] = {"a", "b", "c", "d"};
	pthread_t threads[4];
	const char *line;
	int count = 0;

	(void)state;
	set_journal_stream(NULL);
	capture();
	mg_log_open("p", 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_records, letters[i]), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (line = captured(); *line != '\0'; line += strlen("p: aaaaa\n"), count++) {
		char expected[16];

		snprintf(expected, sizeof(expected), "p: %.1s%.1s%.1s%.1s%.1s\n", line + 3,
			line + 3, line + 3, line + 3, line + 3);
		assert_memory_equal(line, expected, strlen("p: aaaaa\n"));
	}
	assert_int_equal(count, 4 * RECORDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_begins_with_the_program),
		cmocka_unit_test(debug_lines_are_for_verbose_only),
		cmocka_unit_test(under_systemd_a_line_begins_with_its_level),
		cmocka_unit_test(a_journal_stream_that_is_not_standard_error_is_no_journal),
		cmocka_unit_test(control_bytes_are_escaped),
		cmocka_unit_test(a_line_is_cut_at_2000_bytes),
		cmocka_unit_test(a_line_of_escapes_is_cut_between_them),
		cmocka_unit_test(errno_is_kept),
		cmocka_unit_test(a_closed_standard_error_harms_nothing),
		cmocka_unit_test(a_line_is_one_write),
		cmocka_unit_test(lines_of_threads_stay_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

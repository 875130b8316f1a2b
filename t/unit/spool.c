/* SPDX-License-Identifier: ISC */
#include "event/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "spool_place.h"

#define FIRST_SEALED "log-00000000000000000001.jsonl"
#define FIRST_INDEX "log-00000000000000000001.idx"

static int set_up(void **state)
{
	static struct spool_place place;

	place_make(&place);
	*state = &place;
	return 0;
}

static int tear_down(void **state)
{
	place_remove(*state);
	return 0;
}

/* The n-th line of a text, from 0, as a copy without LF; NULL when there is none. */
static char *line_of(const char *text, size_t number)
{
	while (number-- > 0 && text != NULL)
		text = (text = strchr(text, '\n')) == NULL ? NULL : text + 1;
	return text == NULL || strchr(text, '\n') == NULL ? NULL
							  : strndup(text, strcspn(text, "\n"));
}

static size_t lines_in(const char *text)
{
	size_t count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

static void assert_contains(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" does not have \"%s\"", text, part);
}

static void assert_line_has(
	const struct spool_place *place, const char *file, size_t number, const char *part)
{
	char *text = place_read(place, file, NULL), *line;

	assert_non_null(text);
	line = line_of(text, number);
	assert_non_null(line);
	assert_contains(line, part);
	free(line);
	free(text);
}

/* --- records --- */

static void a_new_log_begins_with_log_opened(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_spool_state now;
	char *text = place_read(place, "log.jsonl", NULL);

	mg_spool_state(spool, &now);
	assert_int_equal(now.sequence, 1);
	assert_int_equal(now.segments, 1);
	assert_int_equal(now.bytes, strlen(text));
	assert_int_equal(now.lost, 0);
	assert_false(now.failing);
	assert_int_equal(lines_in(text), 1);
	assert_contains(
		text, "\"action\":\"log-opened\",\"reason\":\"start\",\"sequence\":1,\"hash\":\"");
	assert_contains(text, "\"previous_hash\":\"00000000000000000000000000000000\"");
	free(text);
	mg_spool_close(spool);
}

/* The rule of the design, computed apart from the code under test. */
static void expect_hash(const char *line, const char *previous, char hash[33])
{
	unsigned char bytes[16], full[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned size;

	for (size_t i = 0; i < sizeof bytes; i++) {
		char digits[3] = {previous[2 * i], previous[2 * i + 1]};

		bytes[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	assert_int_equal(EVP_DigestInit(context, EVP_sha256()), 1);
	assert_int_equal(EVP_DigestUpdate(context, bytes, sizeof bytes), 1);
	assert_int_equal(
		EVP_DigestUpdate(context, line, (size_t)(strstr(line, ",\"hash\":\"") - line)), 1);
	assert_int_equal(EVP_DigestFinal(context, full, &size), 1);
	EVP_MD_CTX_free(context);
	mg_str_hex(hash, full, sizeof bytes);
}

static void each_record_has_the_next_sequence_and_the_hash_of_the_chain(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	char hash[33] = "00000000000000000000000000000000", ending[128], *text;

	for (uint64_t i = 2; i <= 20; i++)
		assert_int_equal(place_append(spool, "x"), i);
	mg_spool_close(spool);
	text = place_read(place, "log.jsonl", NULL);
	assert_int_equal(lines_in(text), 20);
	for (size_t i = 0; i < 20; i++) {
		char *line = line_of(text, i);

		expect_hash(line, hash, hash);
		snprintf(ending, sizeof ending, ",\"sequence\":%zu,\"hash\":\"%s\"}}", i + 1, hash);
		assert_true(strlen(line) > strlen(ending));
		assert_string_equal(line + strlen(line) - strlen(ending), ending);
		free(line);
	}
	free(text);
}

static void files_can_be_read_by_owner_and_group_only(void **state)
{
	const struct spool_place *place = *state;
	mode_t mask = umask(077);
	struct mg_spool *spool = place_open(place);
	struct stat status;
	char path[256];

	umask(mask);
	snprintf(path, sizeof path, "%s/log.jsonl", place->directory);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	mg_spool_close(spool);
}

static void a_document_that_breaks_the_lines_or_is_too_long_is_refused(void **state)
{
	struct mg_spool *spool = place_open(*state);
	struct mg_error error = {""};
	char *document = malloc(MG_DOCUMENT_MAX + 1);

	memset(document, ' ', MG_DOCUMENT_MAX + 1);
	memcpy(document, "{\"event\":{\"a\":1", 15);
	assert_int_equal(mg_spool_append(spool, document, MG_DOCUMENT_MAX + 1, &error), 0);
	assert_contains(error.text, "no document of a record");
	assert_int_equal(mg_spool_append(spool, document, MG_DOCUMENT_MAX, &error), 2);
	document[20] = '\n';
	assert_int_equal(mg_spool_append(spool, document, 100, &error), 0);
	free(document);
	mg_spool_close(spool);
	assert_int_equal(place_verify(*state, NULL), 0);
}

static void records_are_written_in_durable_mode_too(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool *spool;

	place->settings.durable = true;
	spool = place_open(place);
	for (uint64_t i = 2; i <= 10; i++)
		assert_int_equal(place_append(spool, "x"), i);
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, NULL), 0);
}

/* --- start --- */

static void a_log_goes_on_after_a_restart(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_spool_report report;

	place_append(spool, "before");
	mg_spool_close(spool);
	spool = place_open(place);
	assert_int_equal(place_append(spool, "after"), 4);
	mg_spool_close(spool);
	assert_line_has(place, "log.jsonl", 2, "\"reason\":\"start\",\"sequence\":3,");
	assert_int_equal(place_verify(place, &report), 0);
	assert_int_equal(report.records, 4);
	assert_int_equal(report.last, 4);
	assert_false(place_has(place, "log.torn"));
}

static void a_second_writer_is_refused_with_pid_and_name(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_error error = {""};
	char owner[128];

	assert_null(mg_spool_open(&place->settings, &mg_clock_system, place_compose, NULL, &error));
	snprintf(
		owner, sizeof owner, "pid %ld (%s)", (long)getpid(), program_invocation_short_name);
	assert_contains(error.text, owner);
	mg_spool_close(spool);
	mg_spool_close(place_open(place));
}

static void a_directory_that_is_not_there_is_an_error(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_settings settings = place->settings;
	struct mg_error error = {""};

	settings.directory = "/nonexistent/millgate";
	assert_null(mg_spool_open(&settings, &mg_clock_system, place_compose, NULL, &error));
	assert_contains(error.text, "/nonexistent/millgate: No such file");
}

/* Makes a log of three records; its bytes, and where the last begins. */
static char *three_records(const struct spool_place *place, size_t *length, size_t *last)
{
	struct mg_spool *spool = place_open(place);
	char *text;

	place_append(spool, "second");
	place_append(spool, "third");
	mg_spool_close(spool);
	text = place_read(place, "log.jsonl", length);
	*last = (size_t)((char *)memrchr(text, '\n', *length - 1) - text) + 1;
	return text;
}

static void a_torn_record_of_any_length_goes_to_the_torn_file(void **state)
{
	const struct spool_place *place = *state;
	size_t length, last, torn_length;
	char *text = three_records(place, &length, &last), part[64];

	for (size_t cut = last + 1; cut < length; cut++) {
		struct mg_spool_report report;
		struct mg_spool *spool;
		char *torn;

		place_write(place, "log.torn", "", 0);
		place_write(place, "log.jsonl", text, cut);
		spool = place_open(place);
		/* What was never acknowledged used no sequence. */
		assert_int_equal(place_append(spool, "next"), 4);
		mg_spool_close(spool);
		torn = place_read(place, "log.torn", &torn_length);
		assert_int_equal(torn_length, cut - last);
		assert_memory_equal(torn, text + last, cut - last);
		free(torn);
		snprintf(part, sizeof part, "\"torn_bytes\":%zu}", cut - last);
		assert_line_has(place, "log.jsonl", 2, part);
		assert_int_equal(place_verify(place, &report), 0);
		assert_int_equal(report.last, 4);
	}
	free(text);
}

static void torn_records_are_kept_one_behind_the_other(void **state)
{
	const struct spool_place *place = *state;
	size_t length, last;
	char *text = three_records(place, &length, &last), *torn;

	for (int i = 0; i < 2; i++) {
		place_write(place, "log.jsonl", text, last + 10);
		mg_spool_close(place_open(place));
	}
	torn = place_read(place, "log.torn", &length);
	assert_int_equal(length, 20);
	assert_memory_equal(torn, text + last, 10);
	assert_memory_equal(torn + 10, text + last, 10);
	free(torn);
	free(text);
}

static void a_file_without_any_line_is_all_torn(void **state)
{
	const struct spool_place *place = *state;
	char zeros[200000] = {0}, *torn;
	size_t length;

	place_write(place, "log.jsonl", zeros, sizeof zeros);
	mg_spool_close(place_open(place));
	torn = place_read(place, "log.torn", &length);
	assert_int_equal(length, sizeof zeros);
	free(torn);
	assert_line_has(place, "log.jsonl", 0, "\"torn_bytes\":200000}");
	assert_int_equal(place_verify(place, NULL), 0);
}

static void a_sequence_never_comes_again_after_a_damaged_end(void **state)
{
	const struct spool_place *place = *state;
	size_t length, last;
	char *text = three_records(place, &length, &last);

	/* Bytes of the last record: in the text, in its sequence, in its hash; and what merges
	 * it with the one before. */
	size_t places[] = {
		last + 20, length - 50, length - 47, length - 20, length - 3, last - 1, last};

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct mg_spool_report report;
		struct mg_spool *spool;
		char kept = text[places[i]];

		text[places[i]] = 'J';
		place_write(place, "log.jsonl", text, length);
		spool = place_open(place);
		assert_true(place_append(spool, "next") >= 5);
		mg_spool_close(spool);
		assert_int_equal(place_verify(place, &report), 1);
		assert_int_equal(report.damaged, 1);
		text[places[i]] = kept;
	}
	free(text);
}

static void a_damaged_end_is_the_reason_of_log_opened(void **state)
{
	const struct spool_place *place = *state;
	size_t length, last;
	char *text = three_records(place, &length, &last);

	text[last + 20] ^= 1;
	place_write(place, "log.jsonl", text, length);
	mg_spool_close(place_open(place));
	assert_line_has(place, "log.jsonl", 3, "\"reason\":\"damaged\",\"sequence\":4,");
	free(text);
}

static void a_long_log_with_a_damaged_end_is_read_as_far_back_as_needed(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	char filler[900], *text;
	size_t length, good;

	memset(filler, 'f', sizeof filler - 1);
	filler[sizeof filler - 1] = '\0';
	for (uint64_t i = 2; i <= 4000; i++)
		assert_int_equal(place_append(spool, filler), i);
	mg_spool_close(spool);
	text = place_read(place, "log.jsonl", &length);
	/* All but the first 100 lines become lines of rubbish. */
	good = 0;
	for (int i = 0; i < 100; i++)
		good = (size_t)(strchr(text + good, '\n') - text) + 1;
	for (size_t i = good; i < length; i++)
		if (text[i] != '\n')
			text[i] = '#';
	place_write(place, "log.jsonl", text, length);
	free(text);
	spool = place_open(place);
	assert_int_equal(place_append(spool, "next"), 4002);
	mg_spool_close(spool);
}

/* --- rotation --- */

static void a_full_file_is_sealed_under_its_first_sequence(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_report report;
	struct mg_spool_state now;
	struct mg_spool *spool;
	char *sealed, *last;

	place->settings.segment_bytes = 1000;
	spool = place_open(place);
	while (!place_has(place, FIRST_SEALED))
		place_append(spool, "fill");
	mg_spool_state(spool, &now);
	assert_int_equal(now.segments, 2);
	sealed = place_read(place, FIRST_SEALED, NULL);
	assert_true(strlen(sealed) >= 1000);
	assert_true(strlen(sealed) < 2000);
	last = line_of(sealed, lines_in(sealed) - 1);
	assert_line_has(place, "log.jsonl", 0, "\"action\":\"log-opened\",\"reason\":\"size\"");
	/* The first record of the new file names the hash of the last of the old. */
	last[strlen(last) - 3] = '\0';
	assert_line_has(place, "log.jsonl", 0, last + strlen(last) - 32);
	free(last);
	free(sealed);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, &report), 0);
	assert_int_equal(report.files, 2);
}

static void a_file_is_sealed_after_a_day(void **state)
{
	const struct spool_place *place = *state;
	struct still_clock clock;
	struct mg_spool *spool;

	still_clock_set(&clock, 1000 * MG_SECOND);
	spool = mg_spool_open(&place->settings, &clock.clock, place_compose, NULL, NULL);
	clock.utc += 86399 * MG_SECOND;
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	assert_false(place_has(place, FIRST_SEALED));
	clock.utc += MG_SECOND;
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	assert_true(place_has(place, FIRST_SEALED));
	assert_line_has(place, "log.jsonl", 0, "\"reason\":\"age\",\"sequence\":2,");
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	assert_false(place_has(place, "log-00000000000000000002.jsonl"));
	mg_spool_close(spool);
}

static void the_day_of_a_file_goes_on_over_a_restart(void **state)
{
	const struct spool_place *place = *state;
	struct still_clock clock;
	struct mg_spool *spool;

	/* The first record says 2026-11-25T00:00:00Z. */
	still_clock_set(&clock, INT64_C(1795564800) * MG_SECOND);
	mg_spool_close(mg_spool_open(&place->settings, &clock.clock, place_compose, NULL, NULL));
	clock.utc += 86400 * MG_SECOND;
	spool = mg_spool_open(&place->settings, &clock.clock, place_compose, NULL, NULL);
	assert_line_has(place, "log.jsonl", 1, "\"reason\":\"start\"");
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	assert_true(place_has(place, FIRST_SEALED));
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, NULL), 0);
}

static void the_log_goes_on_when_its_open_file_is_missing_or_empty(void **state)
{
	const struct spool_place *place = *state;
	size_t length, last;
	char *text = three_records(place, &length, &last);

	/* As after a kill between sealing and the next file; then with a torn record in the
	 * sealed one. */
	for (int i = 0; i < 4; i++) {
		char open_path[256];
		struct mg_spool *spool;
		bool torn = i >= 2;

		snprintf(open_path, sizeof open_path, "%s/log.jsonl", place->directory);
		place_write(place, FIRST_SEALED, text, torn ? length - 1 : length);
		if (i % 2 == 0)
			assert_int_equal(unlink(open_path), 0);
		else
			place_write(place, "log.jsonl", "", 0);
		spool = place_open(place);
		assert_int_equal(place_append(spool, "next"), torn ? 4 : 5);
		mg_spool_close(spool);
		assert_line_has(
			place, "log.jsonl", 0, torn ? "\"torn_bytes\":142}" : "\"torn_bytes\":0}");
		assert_int_equal(place_verify(place, NULL), 0);
	}
	free(text);
}

static void a_sealed_name_that_is_taken_keeps_the_log_writing(void **state)
{
	struct spool_place *place = *state;
	struct mg_error error = {""};
	struct mg_spool *spool;
	char path[256];

	place->settings.segment_bytes = 500;
	spool = place_open(place);
	place_write(place, FIRST_SEALED, "", 0);
	for (uint64_t i = 2; i <= 10; i++)
		assert_int_equal(place_append(spool, "x"), i);
	assert_int_equal(mg_spool_tick(spool, &error), -1);
	assert_contains(error.text, "cannot begin the next file: File exists");
	assert_int_equal(mg_spool_tick(spool, &error), 0);
	snprintf(path, sizeof path, "%s/" FIRST_SEALED, place->directory);
	assert_int_equal(unlink(path), 0);
	place_append(spool, "x");
	assert_int_equal(mg_spool_tick(spool, &error), 0);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, NULL), 0);
}

static void housekeeping_builds_the_missing_indexes(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool *spool;

	place->settings.segment_bytes = 500;
	spool = place_open(place);
	while (!place_has(place, "log-00000000000000000004.jsonl"))
		place_append(spool, "x");
	for (int i = 0; i < 10; i++)
		assert_int_equal(mg_spool_tick(spool, NULL), 0);
	assert_true(place_has(place, FIRST_INDEX));
	assert_true(place_has(place, "log-00000000000000000004.idx"));
	mg_spool_close(spool);
}

/* --- trouble --- */

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_write_that_fails_leaves_nothing_and_is_told_later(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_error error = {""};
	struct mg_spool_report report;
	struct mg_spool_state now;
	char *before, *after;
	size_t length;

	place_append(spool, "good");
	before = place_read(place, "log.jsonl", &length);
	/* Room for a part of the record: a short write, then EFBIG. */
	for (rlim_t room = 0; room < 100; room += 33) {
		limit_file_size(length + room);
		assert_int_equal(place_try(spool, "bad", &error), 0);
		limit_file_size(RLIM_INFINITY);
		assert_contains(error.text, "log.jsonl: write failed: File too large");
		after = place_read(place, "log.jsonl", NULL);
		assert_string_equal(after, before);
		free(after);
	}
	free(before);
	mg_spool_state(spool, &now);
	assert_true(now.failing);
	assert_int_equal(now.lost, 4);
	assert_int_equal(now.sequence, 2);
	/* The record about the loss comes before the first that is written again. */
	assert_int_equal(place_append(spool, "again"), 4);
	mg_spool_state(spool, &now);
	assert_false(now.failing);
	mg_spool_close(spool);
	assert_line_has(place, "log.jsonl", 2, "\"lost\":{\"count\":4,\"first\":0,\"last\":0}");
	assert_line_has(place, "log.jsonl", 2,
		"\"reason\":\"write failed: File too large\",\"sequence\":3,");
	assert_int_equal(place_verify(place, &report), 0);
	assert_int_equal(report.lost, 4);
	assert_int_equal(report.last, 4);
}

static void what_its_appender_writes_again_is_not_lost(void **state)
{
	struct spool_place *place = *state;
	struct mg_error error = {""};
	struct mg_spool_report report;
	struct mg_spool_state now;
	struct mg_spool *spool;

	place->settings.written_again = true;
	spool = place_open(place);
	place_append(spool, "good");
	limit_file_size(10);
	assert_int_equal(place_try(spool, "bad", &error), 0);
	assert_contains(error.text, "File too large");
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(place_append(spool, "bad"), 3);
	mg_spool_state(spool, &now);
	assert_int_equal(now.lost, 0);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, &report), 0);
	assert_int_equal(report.lost, 0);
}

static void housekeeping_tells_trouble_once_and_the_loss_when_it_is_over(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_error error = {""};
	struct mg_spool_state now;

	limit_file_size(10);
	assert_int_equal(place_try(spool, "bad", NULL), 0);
	assert_int_equal(mg_spool_tick(spool, &error), -1);
	assert_contains(error.text, "File too large");
	assert_int_equal(mg_spool_tick(spool, &error), 0);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(mg_spool_tick(spool, &error), 0);
	mg_spool_state(spool, &now);
	assert_int_equal(now.sequence, 2);
	assert_int_equal(now.lost, 1);
	assert_line_has(place, "log.jsonl", 1, "\"action\":\"events-lost\"");
	limit_file_size(10);
	assert_int_equal(place_try(spool, "bad", NULL), 0);
	assert_int_equal(mg_spool_tick(spool, &error), -1);
	limit_file_size(RLIM_INFINITY);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, NULL), 0);
}

static void a_full_disk_does_not_keep_a_log_from_being_opened(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool_state now;
	struct mg_spool *spool;

	limit_file_size(0);
	spool = mg_spool_open(&place->settings, &mg_clock_system, place_compose, NULL, NULL);
	limit_file_size(RLIM_INFINITY);
	assert_non_null(spool);
	mg_spool_state(spool, &now);
	assert_true(now.failing);
	assert_int_equal(now.sequence, 0);
	assert_int_equal(place_append(spool, "after log-opened"), 2);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, NULL), 0);
}

/* With the append-only attribute a file cannot be cut. */
static bool forbid_cutting(const struct spool_place *place, bool yes)
{
	char path[256];
	int fd, flags = 0;
	bool done;

	snprintf(path, sizeof path, "%s/log.jsonl", place->directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	done = fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
	flags = yes ? flags | FS_APPEND_FL : flags & ~FS_APPEND_FL;
	done = done && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

static void a_file_that_cannot_be_cut_is_not_written_until_it_can(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_error error = {""};
	char *text;
	size_t length;

	if (!forbid_cutting(place, true)) {
		mg_spool_close(spool);
		skip();
	}
	text = place_read(place, "log.jsonl", &length);
	free(text);
	limit_file_size(length + 20);
	assert_int_equal(place_try(spool, "bad", NULL), 0);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(place_try(spool, "bad too", &error), 0);
	assert_contains(error.text, "cannot be cut off");
	assert_true(forbid_cutting(place, false));
	assert_int_equal(place_append(spool, "good"), 3);
	mg_spool_close(spool);
	assert_line_has(place, "log.jsonl", 1, "\"lost\":{\"count\":2,");
	assert_int_equal(place_verify(place, NULL), 0);
}

static void a_note_that_cannot_be_made_fails_the_batch_and_comes_later(void **state)
{
	const struct spool_place *place = *state;
	bool failing = true;
	struct mg_spool *spool =
		mg_spool_open(&place->settings, &mg_clock_system, place_compose, &failing, NULL);
	struct mg_error error = {""};

	assert_non_null(spool);
	assert_int_equal(place_try(spool, "bad", &error), 0);
	assert_contains(error.text, "out of memory");
	mg_spool_set_compose(spool, place_compose, NULL);
	assert_int_equal(place_append(spool, "good"), 3);
	mg_spool_close(spool);
	assert_line_has(place, "log.jsonl", 0, "log-opened");
	assert_line_has(place, "log.jsonl", 1, "events-lost");
	assert_int_equal(place_verify(place, NULL), 0);
}

/* --- a file that others touch --- */

static void touch_with(const struct spool_place *place, const char *format)
{
	char command[512];

	snprintf(command, sizeof command, format, place->directory);
	assert_int_equal(system(command), 0);
}

/* What was in the file is gone, and its sequences are missing; what comes later is not. */
static void assert_writing_begins_anew(const struct spool_place *place, const char *touch)
{
	struct mg_spool *spool = place_open(place);
	struct mg_spool_report report;

	for (uint64_t i = 2; i <= 5; i++)
		assert_int_equal(place_append(spool, "before"), i);
	touch_with(place, touch);
	assert_int_equal(place_append(spool, "after"), 7);
	mg_spool_close(spool);
	assert_line_has(place, "log.jsonl", 0, "\"reason\":\"replaced\",\"sequence\":6,");
	assert_line_has(place, "log.jsonl", 1, "\"reason\":\"after\",\"sequence\":7,");
	assert_int_equal(place_verify(place, &report), 0);
	assert_int_equal(report.records, 2);
	assert_int_equal(report.damaged, 0);
}

static void writing_begins_anew_when_the_file_was_removed(void **state)
{
	assert_writing_begins_anew(*state, "rm %s/log.jsonl");
}

static void writing_begins_anew_when_the_file_was_replaced(void **state)
{
	assert_writing_begins_anew(*state, "cd %s && mv log.jsonl other && : >log.jsonl");
}

static void writing_begins_anew_when_the_file_was_emptied(void **state)
{
	assert_writing_begins_anew(*state, ": >%s/log.jsonl");
}

static void what_others_append_or_cut_off_is_one_finding(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_spool_report report;

	place_append(spool, "before");
	touch_with(place, "printf junk >>%s/log.jsonl");
	assert_int_equal(place_append(spool, "after"), 4);
	assert_int_equal(place_verify(place, &report), 0);
	assert_true(place_has(place, "log.torn"));
	touch_with(place, "truncate -s -100 %s/log.jsonl");
	assert_int_equal(place_append(spool, "after"), 6);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, &report), 1);
	assert_int_equal(report.damaged, 0);
	assert_int_equal(report.missing, 1);
	assert_int_equal(report.last, 6);
}

static void housekeeping_finds_a_removed_file(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);

	touch_with(place, "rm %s/log.jsonl");
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	assert_line_has(place, "log.jsonl", 0, "\"reason\":\"replaced\",\"sequence\":2,");
	mg_spool_close(spool);
}

static void no_record_is_acknowledged_while_there_is_no_directory(void **state)
{
	const struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_error error = {""};
	struct mg_spool_state now;

	touch_with(place, "rm -r %s");
	assert_int_equal(place_try(spool, "lost", &error), 0);
	assert_contains(error.text, "write failed: ");
	assert_contains(error.text, "No such file or directory");
	mg_spool_state(spool, &now);
	assert_true(now.failing);
	assert_int_equal(now.lost, 1);
	mg_spool_close(spool);
	touch_with(place, "mkdir %s");
}

/* --- threads --- */

enum { THREADS = 8, EACH = 300 };

struct appender {
	struct mg_spool *spool;
	int number;
	uint64_t sequences[EACH];
	pthread_t thread;
};

static void *append_many(void *context)
{
	struct appender *appender = context;
	char reason[32];

	for (int i = 0; i < EACH; i++) {
		snprintf(reason, sizeof reason, "%d of %d", i, appender->number);
		appender->sequences[i] = place_try(appender->spool, reason, NULL);
	}
	return NULL;
}

/* Every record that was acknowledged is found under its sequence, with its text, and nothing
 * else is. */
static void check_appenders(
	const struct spool_place *place, const struct appender appenders[THREADS])
{
	struct mg_spool_reader *reader = mg_spool_reader_open(place->directory, "log", 0, NULL);
	struct mg_record record;
	uint64_t next = 1, tests = 0;

	while (mg_spool_reader_next(reader, &record, NULL) > 0) {
		const char *reason = strstr(record.line, "\"reason\":\"");
		uint64_t number, thread;
		char *end;

		assert_int_equal(record.state, MG_RECORD_GOOD);
		assert_int_equal(record.sequence, next++);
		assert_non_null(reason);
		number = strtoull(reason + strlen("\"reason\":\""), &end, 10);
		if (strncmp(end, " of ", 4) != 0)
			continue;
		thread = strtoull(end + 4, NULL, 10);
		assert_true(thread < THREADS && number < EACH);
		assert_int_equal(appenders[thread].sequences[number], record.sequence);
		tests++;
	}
	assert_int_equal(tests, THREADS * EACH);
	mg_spool_reader_close(reader);
}

static void append_by_threads(struct spool_place *place)
{
	static struct appender appenders[THREADS];
	struct mg_spool *spool;

	place->settings.segment_bytes = 4000;
	spool = place_open(place);
	for (int i = 0; i < THREADS; i++) {
		appenders[i].spool = spool;
		appenders[i].number = i;
		assert_int_equal(
			pthread_create(&appenders[i].thread, NULL, append_many, &appenders[i]), 0);
	}
	/* The housekeeper and a reload at the same time. */
	for (int i = 0; i < 20; i++) {
		struct mg_spool_state now;

		assert_int_equal(mg_spool_tick(spool, NULL), 0);
		mg_spool_set(spool, &place->settings);
		mg_spool_set_compose(spool, place_compose, NULL);
		mg_spool_state(spool, &now);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(appenders[i].thread, NULL);
	mg_spool_close(spool);
	check_appenders(place, appenders);
}

static void threads_append_while_files_are_rotated(void **state)
{
	append_by_threads(*state);
}

static void threads_append_while_files_are_rotated_in_durable_mode(void **state)
{
	struct spool_place *place = *state;

	place->settings.durable = true;
	append_by_threads(place);
}

static void *fail_some(void *context)
{
	struct appender *appender = context;

	for (int i = 0; i < 30; i++)
		appender->sequences[i] = place_try(appender->spool, "x", NULL);
	return NULL;
}

static void every_thread_of_a_failed_batch_is_told(void **state)
{
	static struct appender appenders[THREADS];
	struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	struct mg_spool_state now;

	limit_file_size(50);
	for (int i = 0; i < THREADS; i++) {
		appenders[i].spool = spool;
		assert_int_equal(
			pthread_create(&appenders[i].thread, NULL, fail_some, &appenders[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(appenders[i].thread, NULL);
	limit_file_size(RLIM_INFINITY);
	for (int i = 0; i < THREADS; i++)
		for (int j = 0; j < 30; j++)
			assert_int_equal(appenders[i].sequences[j], 0);
	mg_spool_state(spool, &now);
	assert_int_equal(now.lost, THREADS * 30);
	assert_int_equal(now.sequence, 1);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, NULL), 0);
}

#define SPOOL_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_TEST(a_new_log_begins_with_log_opened),
		SPOOL_TEST(each_record_has_the_next_sequence_and_the_hash_of_the_chain),
		SPOOL_TEST(files_can_be_read_by_owner_and_group_only),
		SPOOL_TEST(a_document_that_breaks_the_lines_or_is_too_long_is_refused),
		SPOOL_TEST(records_are_written_in_durable_mode_too),
		SPOOL_TEST(a_log_goes_on_after_a_restart),
		SPOOL_TEST(a_second_writer_is_refused_with_pid_and_name),
		SPOOL_TEST(a_directory_that_is_not_there_is_an_error),
		SPOOL_TEST(a_torn_record_of_any_length_goes_to_the_torn_file),
		SPOOL_TEST(torn_records_are_kept_one_behind_the_other),
		SPOOL_TEST(a_file_without_any_line_is_all_torn),
		SPOOL_TEST(a_sequence_never_comes_again_after_a_damaged_end),
		SPOOL_TEST(a_damaged_end_is_the_reason_of_log_opened),
		SPOOL_TEST(a_long_log_with_a_damaged_end_is_read_as_far_back_as_needed),
		SPOOL_TEST(a_full_file_is_sealed_under_its_first_sequence),
		SPOOL_TEST(a_file_is_sealed_after_a_day),
		SPOOL_TEST(the_day_of_a_file_goes_on_over_a_restart),
		SPOOL_TEST(the_log_goes_on_when_its_open_file_is_missing_or_empty),
		SPOOL_TEST(a_sealed_name_that_is_taken_keeps_the_log_writing),
		SPOOL_TEST(housekeeping_builds_the_missing_indexes),
		SPOOL_TEST(a_write_that_fails_leaves_nothing_and_is_told_later),
		SPOOL_TEST(what_its_appender_writes_again_is_not_lost),
		SPOOL_TEST(housekeeping_tells_trouble_once_and_the_loss_when_it_is_over),
		SPOOL_TEST(a_full_disk_does_not_keep_a_log_from_being_opened),
		SPOOL_TEST(a_file_that_cannot_be_cut_is_not_written_until_it_can),
		SPOOL_TEST(a_note_that_cannot_be_made_fails_the_batch_and_comes_later),
		SPOOL_TEST(writing_begins_anew_when_the_file_was_removed),
		SPOOL_TEST(writing_begins_anew_when_the_file_was_replaced),
		SPOOL_TEST(writing_begins_anew_when_the_file_was_emptied),
		SPOOL_TEST(what_others_append_or_cut_off_is_one_finding),
		SPOOL_TEST(housekeeping_finds_a_removed_file),
		SPOOL_TEST(no_record_is_acknowledged_while_there_is_no_directory),
		SPOOL_TEST(threads_append_while_files_are_rotated),
		SPOOL_TEST(threads_append_while_files_are_rotated_in_durable_mode),
		SPOOL_TEST(every_thread_of_a_failed_batch_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "event/spool_read.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool_place.h"

#define FIRST_SEALED "log-00000000000000000001.jsonl"

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

static struct mg_spool_reader *read_from(const struct spool_place *place, uint64_t from)
{
	struct mg_spool_reader *reader = mg_spool_reader_open(place->directory, "log", from, NULL);

	assert_non_null(reader);
	return reader;
}

/* The next record must be this one, good. */
static void expect_record(struct mg_spool_reader *reader, uint64_t sequence)
{
	struct mg_record record;

	assert_int_equal(mg_spool_reader_next(reader, &record, NULL), 1);
	assert_int_equal(record.sequence, sequence);
	assert_int_equal(record.state, MG_RECORD_GOOD);
	assert_int_equal(record.missing, 0);
	assert_int_equal(strlen(record.line), record.length);
}

static void expect_none(struct mg_spool_reader *reader)
{
	struct mg_record record;

	assert_int_equal(mg_spool_reader_next(reader, &record, NULL), 0);
}

/* A log of sealed segments of some records each and an open file; how many records it has. */
static uint64_t make_segments(struct spool_place *place, int appended)
{
	struct mg_spool_state state;
	struct mg_spool *spool;

	place->settings.segment_bytes = 700;
	spool = place_open(place);
	for (int i = 0; i < appended; i++)
		place_append(spool, "x");
	mg_spool_state(spool, &state);
	mg_spool_close(spool);
	return state.sequence;
}

/* --- reading --- */

static void records_come_in_order_over_all_files(void **state)
{
	struct spool_place *place = *state;
	uint64_t last = make_segments(place, 40);
	struct mg_spool_reader *reader = read_from(place, 0);

	for (uint64_t i = 1; i <= last; i++)
		expect_record(reader, i);
	expect_none(reader);
	mg_spool_reader_close(reader);
}

static void reading_begins_at_any_sequence(void **state)
{
	struct spool_place *place = *state;
	uint64_t last = make_segments(place, 40);

	for (uint64_t from = 1; from <= last; from++) {
		struct mg_spool_reader *reader = read_from(place, from);
		struct mg_record record;

		assert_int_equal(mg_spool_reader_next(reader, &record, NULL), 1);
		assert_int_equal(record.sequence, from);
		assert_int_equal(record.missing, 0);
		assert_int_not_equal(record.state, MG_RECORD_DAMAGED);
		mg_spool_reader_close(reader);
	}
}

static void a_sequence_that_is_yet_to_come_is_waited_for(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_reader *reader = read_from(place, 3);
	struct mg_spool *spool = place_open(place);

	place_append(spool, "second");
	expect_none(reader);
	place_append(spool, "third");
	expect_record(reader, 3);
	expect_none(reader);
	mg_spool_reader_close(reader);
	mg_spool_close(spool);
}

static void a_record_tells_where_it_stands(void **state)
{
	struct spool_place *place = *state;
	uint64_t last = make_segments(place, 40);
	struct mg_spool_reader *reader = read_from(place, 0);
	struct mg_record record = {0};

	for (uint64_t i = 1; i <= last; i++) {
		size_t length;
		char *text;

		assert_int_equal(mg_spool_reader_next(reader, &record, NULL), 1);
		text = place_read(place, record.file, &length);
		assert_non_null(text);
		assert_true(record.offset + record.length < length);
		assert_memory_equal(text + record.offset, record.line, record.length);
		assert_int_equal(text[record.offset + record.length], '\n');
		free(text);
	}
	assert_string_equal(record.file, "log.jsonl");
	mg_spool_reader_close(reader);
}

static void what_is_appended_meanwhile_comes_also_over_rotations(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_reader *reader;
	struct mg_spool_state now;
	struct mg_spool *spool;
	uint64_t next = 1;

	place->settings.segment_bytes = 700;
	spool = place_open(place);
	reader = read_from(place, 0);
	for (int round = 0; round < 60; round++) {
		/* Rounds of 0 to 10 records: some end within a file, some pass several. */
		for (int i = 0; i < round % 11; i++)
			place_append(spool, "x");
		mg_spool_state(spool, &now);
		while (next <= now.sequence)
			expect_record(reader, next++);
		expect_none(reader);
	}
	assert_true(now.segments > 20);
	mg_spool_close(spool);
	mg_spool_reader_close(reader);
}

static void a_log_that_is_not_there_yet_has_no_records(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_reader *reader = read_from(place, 0);
	struct mg_error error;

	expect_none(reader);
	mg_spool_close(place_open(place));
	expect_record(reader, 1);
	mg_spool_reader_close(reader);
	assert_null(mg_spool_reader_open("/nonexistent/millgate", "log", 0, &error));
	assert_non_null(strstr(error.text, "/nonexistent/millgate: No such file"));
}

static void a_torn_last_line_is_no_record_until_it_is_whole(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_reader *reader = read_from(place, 0);
	struct mg_spool *spool = place_open(place);
	char *text;
	size_t length, first;

	place_append(spool, "second");
	mg_spool_close(spool);
	text = place_read(place, "log.jsonl", &length);
	first = (size_t)(strchr(text, '\n') - text) + 1;
	place_write(place, "log.jsonl", text, first);
	expect_record(reader, 1);
	for (size_t end = first; end < length; end += 7) {
		place_write(place, "log.jsonl", text, end);
		expect_none(reader);
	}
	place_write(place, "log.jsonl", text, length);
	expect_record(reader, 2);
	free(text);
	mg_spool_reader_close(reader);
}

static void records_that_a_writer_cuts_off_again_are_followed_by_the_others(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_reader *reader = read_from(place, 0);
	struct mg_spool *spool = place_open(place);
	char *text;
	size_t length;

	place_append(spool, "second");
	text = place_read(place, "log.jsonl", &length);
	place_append(spool, "failed");
	place_append(spool, "failed too");
	mg_spool_close(spool);
	for (uint64_t i = 1; i <= 4; i++)
		expect_record(reader, i);
	expect_none(reader);
	/* Back to two records, then longer than it was. */
	place_write(place, "log.jsonl", text, length);
	spool = place_open(place);
	for (int i = 0; i < 5; i++)
		place_append(spool, "in its place");
	for (uint64_t i = 3; i <= 8; i++)
		expect_record(reader, i);
	expect_none(reader);
	mg_spool_close(spool);
	free(text);
	mg_spool_reader_close(reader);
}

static void segments_that_were_trimmed_before_are_told_as_missing_from_where_reading_began(
	void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_reader *reader;
	struct mg_record record;
	char path[256];
	uint64_t first;

	make_segments(place, 40);
	snprintf(path, sizeof path, "%s/" FIRST_SEALED, place->directory);
	assert_int_equal(unlink(path), 0);
	reader = read_from(place, 0);
	assert_int_equal(mg_spool_reader_next(reader, &record, NULL), 1);
	assert_int_equal(record.state, MG_RECORD_UNCHAINED);
	assert_int_equal(record.missing, 0);
	first = record.sequence;
	assert_true(first > 2);
	mg_spool_reader_close(reader);
	reader = read_from(place, 2);
	assert_int_equal(mg_spool_reader_next(reader, &record, NULL), 1);
	assert_int_equal(record.sequence, first);
	assert_int_equal(record.missing, first - 2);
	mg_spool_reader_close(reader);
}

/* --- damage --- */

/* The result of verify must be 1, with these counts. */
static void expect_damage(const struct spool_place *place, uint64_t damaged, uint64_t missing)
{
	struct mg_spool_report report;

	assert_int_equal(place_verify(place, &report), 1);
	assert_int_equal(report.damaged, damaged);
	assert_int_equal(report.missing, missing);
}

static void an_undamaged_log_is_complete(void **state)
{
	struct spool_place *place = *state;
	uint64_t last = make_segments(place, 12);
	char *findings, expected[128];
	struct mg_spool_report report;
	int result;

	findings = place_findings(place, &result);
	assert_int_equal(result, 0);
	assert_int_equal(place_verify(place, &report), 0);
	assert_int_equal(report.records, last);
	assert_int_equal(report.first, 1);
	assert_int_equal(report.last, last);
	assert_false(report.torn);
	snprintf(expected, sizeof expected,
		"log: %" PRIu64 " records in %" PRIu64 " files, sequences 1 to %" PRIu64
		": complete\n",
		last, report.files, last);
	assert_string_equal(findings, expected);
	free(findings);
}

/* Flips each byte of a file to something else; each time one record is damaged, or, where a line
 * end is lost, two become one damaged line. */
static void flip_each_byte(const struct spool_place *place, const char *file, char (*flip)(char))
{
	size_t length;
	char *text = place_read(place, file, &length);

	for (size_t i = 0; i < length; i++) {
		char kept = text[i];
		bool last = i + 1 == length;

		text[i] = flip(kept);
		if (text[i] == kept)
			continue;
		place_write(place, file, text, length);
		/* The last line end of the file: nothing is merged. */
		expect_damage(place, 1, kept == '\n' && !last ? 1 : 0);
		text[i] = kept;
	}
	place_write(place, file, text, length);
	assert_int_equal(place_verify(place, NULL), 0);
	free(text);
}

static char flip_all(char byte)
{
	return (char)~byte;
}

static char flip_lowest(char byte)
{
	return (char)(byte ^ 1);
}

static char to_line_end(char byte)
{
	(void)byte;
	return '\n';
}

static void a_byte_flipped_anywhere_damages_one_record(void **state)
{
	struct spool_place *place = *state;

	make_segments(place, 12);
	flip_each_byte(place, FIRST_SEALED, flip_all);
	flip_each_byte(place, FIRST_SEALED, flip_lowest);
}

static void a_byte_flipped_in_a_middle_segment_damages_one_record(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_reader *reader;
	struct mg_record record = {.file = ""};

	make_segments(place, 12);
	reader = read_from(place, 0);
	do
		assert_int_equal(mg_spool_reader_next(reader, &record, NULL), 1);
	while (strcmp(record.file, FIRST_SEALED) == 0);
	flip_each_byte(place, record.file, flip_all);
	mg_spool_reader_close(reader);
}

static void a_byte_that_becomes_a_line_end_damages_one_record(void **state)
{
	struct spool_place *place = *state;

	make_segments(place, 12);
	flip_each_byte(place, FIRST_SEALED, to_line_end);
}

static void a_byte_flipped_in_the_open_file_damages_one_record(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_report report;
	struct mg_spool *spool = place_open(place);
	size_t length;
	char *text;
	int line = 0;

	for (int i = 0; i < 3; i++)
		place_append(spool, "x");
	mg_spool_close(spool);
	text = place_read(place, "log.jsonl", &length);
	for (size_t i = 0; i + 1 < length; i++) {
		/* Two records made one are told apart from one when others stand before and
		 * behind. */
		if (text[i] == '\n')
			line++;
		text[i] ^= 1;
		place_write(place, "log.jsonl", text, length);
		expect_damage(place, 1, line == 2 && text[i] == ('\n' ^ 1));
		text[i] ^= 1;
	}
	/* Without its line end the last is as a record that was never finished. */
	text[length - 1] ^= 1;
	place_write(place, "log.jsonl", text, length);
	assert_int_equal(place_verify(place, &report), 0);
	assert_true(report.torn);
	assert_int_equal(report.last, 3);
	free(text);
}

static void a_finding_names_file_offset_and_sequence(void **state)
{
	struct spool_place *place = *state;
	uint64_t last = make_segments(place, 12);
	char *findings, *text, *second, expected[256];
	size_t length;
	int result;

	text = place_read(place, FIRST_SEALED, &length);
	second = strchr(text, '\n') + 1;
	second[30] ^= 1;
	place_write(place, FIRST_SEALED, text, length);
	findings = place_findings(place, &result);
	assert_int_equal(result, 1);
	snprintf(expected, sizeof expected,
		FIRST_SEALED ": offset %zu: hash does not follow (sequence 2)\nlog: %" PRIu64
			     " records in ",
		(size_t)(second - text), last);
	assert_memory_equal(findings, expected, strlen(expected));
	assert_non_null(strstr(findings, ": 1 damaged, 0 missing\n"));
	free(findings);
	free(text);
}

static void a_missing_segment_is_missing_sequences(void **state)
{
	struct spool_place *place = *state;
	char *findings, path[256], second[64] = "", expected[256];
	struct mg_spool_reader *reader;
	uint64_t first = 0, next = 0, last;
	struct mg_record record;
	int result;

	make_segments(place, 12);
	reader = read_from(place, 0);
	while (next == 0 && mg_spool_reader_next(reader, &record, NULL) == 1) {
		if (second[0] == '\0' && strcmp(record.file, FIRST_SEALED) != 0) {
			snprintf(second, sizeof second, "%s", record.file);
			first = record.sequence;
		}
		if (second[0] != '\0' && strcmp(record.file, second) != 0)
			next = record.sequence;
	}
	snprintf(path, sizeof path, "%s/%s", place->directory, second);
	assert_int_equal(unlink(path), 0);
	last = next - 1;
	expect_damage(place, 0, next - first);
	findings = place_findings(place, &result);
	snprintf(expected, sizeof expected,
		": offset 0: sequences %" PRIu64 " to %" PRIu64 " are missing\n", first, last);
	assert_non_null(strstr(findings, expected));
	free(findings);
	mg_spool_reader_close(reader);
}

static void records_taken_out_of_a_file_are_missing_sequences(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	size_t length;
	char *text, *second, *fifth;

	for (int i = 0; i < 8; i++)
		place_append(spool, "x");
	mg_spool_close(spool);
	text = place_read(place, "log.jsonl", &length);
	second = strchr(text, '\n') + 1;
	fifth = strchr(strchr(strchr(second, '\n') + 1, '\n') + 1, '\n') + 1;
	memmove(second, fifth, (size_t)(text + length - fifth));
	place_write(place, "log.jsonl", text, length - (size_t)(fifth - second));
	/* The record behind the gap follows from nothing that is there. */
	expect_damage(place, 1, 3);
	free(text);
}

static void a_segment_written_anew_does_not_follow(void **state)
{
	struct spool_place *place = *state;
	struct spool_place other;
	char *mine, *theirs;
	struct mg_spool *spool;
	size_t length;

	make_segments(place, 12);
	mine = place_read(place, FIRST_SEALED, NULL);
	/* As many records, whole and with good hashes, but others. */
	place_make(&other);
	spool = place_open(&other);
	for (const char *at = strchr(mine, '\n') + 1; *at != '\0'; at = strchr(at, '\n') + 1)
		place_append(spool, "y");
	mg_spool_close(spool);
	theirs = place_read(&other, "log.jsonl", &length);
	place_remove(&other);
	place_write(place, FIRST_SEALED, theirs, length);
	expect_damage(place, 1, 0);
	free(theirs);
	free(mine);
}

static void a_line_longer_than_a_record_is_one_damaged_line(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	size_t length, rubbish = 3 * MG_RECORD_MAX;
	struct mg_spool_report report;
	char *text, *whole;
	size_t first;

	place_append(spool, "second");
	mg_spool_close(spool);
	text = place_read(place, "log.jsonl", &length);
	whole = malloc(length + rubbish + 1);
	first = (size_t)(strchr(text, '\n') - text) + 1;
	memcpy(whole, text, first);
	memset(whole + first, '#', rubbish);
	whole[first + rubbish] = '\n';
	memcpy(whole + first + rubbish + 1, text + first, length - first);
	place_write(place, "log.jsonl", whole, length + rubbish + 1);
	assert_int_equal(place_verify(place, &report), 1);
	assert_int_equal(report.records, 3);
	/* The record behind it follows from the one before it. */
	assert_int_equal(report.damaged, 1);
	assert_int_equal(report.last, 2);
	free(whole);
	free(text);
}

static void the_largest_record_is_read_whole(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool *spool = place_open(place);
	char *document = malloc(MG_DOCUMENT_MAX);
	struct mg_spool_reader *reader = read_from(place, 0);
	struct mg_record record;

	memset(document, 'x', MG_DOCUMENT_MAX);
	memcpy(document, "{\"event\":{\"reason\":\"", 20);
	document[MG_DOCUMENT_MAX - 1] = '"';
	for (int i = 0; i < 4; i++)
		assert_int_not_equal(mg_spool_append(spool, document, MG_DOCUMENT_MAX, NULL), 0);
	mg_spool_close(spool);
	expect_record(reader, 1);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(mg_spool_reader_next(reader, &record, NULL), 1);
		assert_int_equal(record.state, MG_RECORD_GOOD);
		assert_memory_equal(record.line, document, MG_DOCUMENT_MAX);
	}
	free(document);
	mg_spool_reader_close(reader);
}

static void rubbish_in_place_of_the_log_is_damage_and_no_more(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_report report;
	char bytes[4096];
	unsigned random = 1;

	for (size_t i = 0; i < sizeof bytes; i++) {
		random = random * 1103515245u + 12345u;
		bytes[i] = (char)(random >> 16);
	}
	bytes[sizeof bytes - 1] = '\n';
	place_write(place, "log.jsonl", bytes, sizeof bytes);
	place_write(place, FIRST_SEALED, bytes, sizeof bytes);
	place_write(place, "log-99999999999999999999.jsonl", bytes, sizeof bytes);
	assert_int_equal(place_verify(place, &report), 1);
	assert_int_equal(report.damaged, report.records);
}

static void losses_that_the_log_tells_of_are_counted(void **state)
{
	struct spool_place *place = *state;
	struct mg_spool_report report;
	bool failing = true;
	struct mg_spool *spool =
		mg_spool_open(&place->settings, &mg_clock_system, place_compose, &failing, NULL);
	char *findings;
	int result;

	for (int i = 0; i < 3; i++)
		assert_int_equal(place_try(spool, "x", NULL), 0);
	failing = false;
	assert_int_equal(mg_spool_tick(spool, NULL), 0);
	mg_spool_close(spool);
	assert_int_equal(place_verify(place, &report), 0);
	assert_int_equal(report.lost, 3);
	findings = place_findings(place, &result);
	assert_string_equal(findings,
		"log: 2 records in 1 files, sequences 1 to 2: complete; 3 lost as events-lost tells\n");
	free(findings);
}

#define READ_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		READ_TEST(records_come_in_order_over_all_files),
		READ_TEST(reading_begins_at_any_sequence),
		READ_TEST(a_sequence_that_is_yet_to_come_is_waited_for),
		READ_TEST(a_record_tells_where_it_stands),
		READ_TEST(what_is_appended_meanwhile_comes_also_over_rotations),
		READ_TEST(a_log_that_is_not_there_yet_has_no_records),
		READ_TEST(a_torn_last_line_is_no_record_until_it_is_whole),
		READ_TEST(records_that_a_writer_cuts_off_again_are_followed_by_the_others),
		READ_TEST(
			segments_that_were_trimmed_before_are_told_as_missing_from_where_reading_began),
		READ_TEST(an_undamaged_log_is_complete),
		READ_TEST(a_byte_flipped_anywhere_damages_one_record),
		READ_TEST(a_byte_flipped_in_a_middle_segment_damages_one_record),
		READ_TEST(a_byte_that_becomes_a_line_end_damages_one_record),
		READ_TEST(a_byte_flipped_in_the_open_file_damages_one_record),
		READ_TEST(a_finding_names_file_offset_and_sequence),
		READ_TEST(a_missing_segment_is_missing_sequences),
		READ_TEST(records_taken_out_of_a_file_are_missing_sequences),
		READ_TEST(a_segment_written_anew_does_not_follow),
		READ_TEST(a_line_longer_than_a_record_is_one_damaged_line),
		READ_TEST(the_largest_record_is_read_whole),
		READ_TEST(rubbish_in_place_of_the_log_is_damage_and_no_more),
		READ_TEST(losses_that_the_log_tells_of_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* Packets of the milter protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/wire.h"

/* A packet of the data, which must be a string literal. */
#define PACKET(letter, text) \
	{ \
		.command = (letter), .data = (text), .length = sizeof(text) - 1 \
	}

static void a_packet_is_length_command_and_data(void **state)
{
	struct mg_buf out = {0};

	(void)state;
	mg_wire_put(&out, MG_WIRE_HELO, "a\0", 2);
	mg_wire_put(&out, MG_WIRE_QUIT, "", 0);
	assert_int_equal(out.length, 4 + 3 + 4 + 1);
	assert_memory_equal(out.data, "\0\0\0\3Ha\0\0\0\0\1Q", out.length);
	mg_buf_free(&out);
}

static void a_packet_is_taken_only_when_it_is_whole(void **state)
{
	char bytes[] = "\0\0\0\3Ha\0\0\0\0\1Q";
	struct mg_packet packet;
	char saved;

	(void)state;
	for (size_t length = 0; length < 7; length++)
		assert_int_equal(mg_wire_take(bytes, length, 100, &packet, &saved), 0);
	assert_int_equal(mg_wire_take(bytes, 7, 100, &packet, &saved), 7);
	assert_int_equal(packet.command, MG_WIRE_HELO);
	assert_int_equal(packet.length, 2);
	assert_string_equal(packet.data, "a");
}

static void the_byte_behind_a_packet_is_saved_and_becomes_nul(void **state)
{
	char bytes[] = "\0\0\0\3Habxyz";
	struct mg_packet packet;
	char saved;

	(void)state;
	assert_int_equal(mg_wire_take(bytes, sizeof(bytes) - 1, 100, &packet, &saved), 7);
	assert_int_equal(saved, 'x');
	assert_string_equal(packet.data, "ab");
	assert_int_equal(packet.length, 2);
}

static void a_packet_without_a_command_is_malformed(void **state)
{
	char bytes[] = "\0\0\0\0";
	struct mg_packet packet;
	char saved;

	(void)state;
	assert_int_equal(mg_wire_take(bytes, 4, 100, &packet, &saved), -1);
}

static void a_packet_over_the_maximum_is_malformed_before_its_data_came(void **state)
{
	char largest[] = "\377\377\377\377";
	char one_more[] = "\0\0\0\145", just_fits[] = "\0\0\0\144";
	struct mg_packet packet;
	char saved;

	(void)state;
	assert_int_equal(mg_wire_take(largest, 4, MG_WIRE_PACKET_MAX, &packet, &saved), -1);
	assert_int_equal(mg_wire_take(one_more, 4, 100, &packet, &saved), -1);
	assert_int_equal(mg_wire_take(just_fits, 4, 100, &packet, &saved), 0);
}

static void a_cursor_reads_texts_and_numbers_in_order(void **state)
{
	struct mg_packet packet = PACKET('C', "host\0004\0\031\1\2\3\004192.0.2.1\0");
	struct mg_wire_cursor cursor;

	(void)state;
	mg_wire_cursor_init(&cursor, &packet);
	assert_string_equal(mg_wire_text(&cursor), "host");
	assert_int_equal(mg_wire_char(&cursor), '4');
	assert_int_equal(mg_wire_number16(&cursor), 25);
	assert_int_equal(mg_wire_number32(&cursor), 0x01020304);
	assert_false(mg_wire_at_end(&cursor));
	assert_string_equal(mg_wire_text(&cursor), "192.0.2.1");
	assert_true(mg_wire_at_end(&cursor));
	assert_false(cursor.failed);
}

static void numbers_are_big_endian_and_without_sign(void **state)
{
	struct mg_packet packet = PACKET('x', "\377\376\377\376\375\374");
	struct mg_wire_cursor cursor;

	(void)state;
	mg_wire_cursor_init(&cursor, &packet);
	assert_int_equal(mg_wire_number16(&cursor), 0xfffe);
	assert_int_equal(mg_wire_number32(&cursor), 0xfffefdfc);
}

static void what_is_not_there_fails_for_good(void **state)
{
	struct mg_packet no_end = PACKET('x', "text without its NUL");
	struct mg_packet short_number = PACKET('x', "\1\2\3text\0");
	struct mg_packet empty = PACKET('x', "");
	struct mg_wire_cursor cursor;

	(void)state;
	mg_wire_cursor_init(&cursor, &no_end);
	assert_string_equal(mg_wire_text(&cursor), "");
	assert_true(cursor.failed);
	mg_wire_cursor_init(&cursor, &short_number);
	(void)mg_wire_number16(&cursor);
	(void)mg_wire_number32(&cursor);
	assert_false(cursor.failed);
	assert_int_equal(mg_wire_number32(&cursor), 0);
	assert_true(cursor.failed);
	assert_string_equal(mg_wire_text(&cursor), "");
	assert_int_equal(mg_wire_char(&cursor), 0);
	mg_wire_cursor_init(&cursor, &empty);
	assert_int_equal(mg_wire_number16(&cursor), 0);
	assert_true(cursor.failed);
}

static void options_with_macro_lists_are_read_as_they_were_put(void **state)
{
	const struct mg_wire_options options = {.version = 6,
		.actions = MG_WIRE_SET_MACROS,
		.protocol = MG_WIRE_NO_UNKNOWN | MG_WIRE_NR_BODY,
		.macros = {[MG_WIRE_STAGE_MAIL] = "i {client_addr}", [MG_WIRE_STAGE_EOM] = ""}};
	struct mg_wire_options read;
	struct mg_packet packet;
	struct mg_buf out = {0};
	char saved;

	(void)state;
	mg_wire_put_options(&out, &options);
	assert_int_equal(
		mg_wire_take(out.data, out.length, 1000, &packet, &saved), (long)out.length);
	assert_true(mg_wire_get_options(&packet, &read));
	assert_int_equal(read.version, 6);
	assert_int_equal(read.actions, options.actions);
	assert_int_equal(read.protocol, options.protocol);
	assert_string_equal(read.macros[MG_WIRE_STAGE_MAIL], "i {client_addr}");
	assert_string_equal(read.macros[MG_WIRE_STAGE_EOM], "");
	assert_null(read.macros[MG_WIRE_STAGE_CONNECT]);
	mg_buf_free(&out);
}

static void malformed_options_are_refused(void **state)
{
	const struct mg_packet malformed[] = {
		PACKET('c', "\0\0\0\6\0\0\0\0\0\0\0\0"),
		PACKET('O', ""),
		PACKET('O', "\0\0\0\6\0\0\0\0\0\0\0"),
		PACKET('O', "\0\0\0\6\0\0\0\0\0\0\0\0\0"),
		PACKET('O', "\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\1"),
		PACKET('O', "\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\1i"),
		PACKET('O', "\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\7i\0"),
		PACKET('O', "\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\1i\0\0\0\0\1j\0"),
	};
	struct mg_wire_options options;

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_false(mg_wire_get_options(&malformed[i], &options));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_is_length_command_and_data),
		cmocka_unit_test(a_packet_is_taken_only_when_it_is_whole),
		cmocka_unit_test(the_byte_behind_a_packet_is_saved_and_becomes_nul),
		cmocka_unit_test(a_packet_without_a_command_is_malformed),
		cmocka_unit_test(a_packet_over_the_maximum_is_malformed_before_its_data_came),
		cmocka_unit_test(a_cursor_reads_texts_and_numbers_in_order),
		cmocka_unit_test(numbers_are_big_endian_and_without_sign),
		cmocka_unit_test(what_is_not_there_fails_for_good),
		cmocka_unit_test(options_with_macro_lists_are_read_as_they_were_put),
		cmocka_unit_test(malformed_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* Transfer encodings. Each text is decoded whole and in every cut, by vectors and without: the same must
 * come of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/transfer.h"

struct decoded {
	struct mg_buf bytes;
	bool bad;
};

static void decode_piece(
	struct mg_transfer *transfer, const char *text, size_t length, struct mg_buf *bytes)
{
	/* Blocks of their own, so that reading or writing beyond them is seen. */
	unsigned char *piece = malloc(length + 1), *out = malloc(length + MG_TRANSFER_SLACK);

	assert_true(piece != NULL && out != NULL);
	memcpy(piece, text, length);
	mg_buf_add(bytes, out, mg_transfer_decode(transfer, piece, length, out));
	free(piece);
	free(out);
}

static struct decoded decode(enum mg_transfer_encoding encoding, bool vectors, const char *text,
	size_t length, size_t first, size_t step)
{
	struct decoded decoded = {.bytes = {.limit = 0}};
	unsigned char rest[MG_TRANSFER_SLACK];
	struct mg_transfer transfer;

	mg_transfer_begin(&transfer, encoding);
	transfer.vectors = transfer.vectors && vectors;
	for (size_t at = 0, piece = first; at < length; at += piece, piece = step) {
		if (piece == 0 || piece > length - at)
			piece = length - at;
		decode_piece(&transfer, text + at, piece, &decoded.bytes);
	}
	mg_buf_add(&decoded.bytes, rest, mg_transfer_end(&transfer, rest));
	decoded.bad = transfer.bad;
	return decoded;
}

static void assert_equal(struct decoded *decoded, const struct decoded *wanted)
{
	assert_int_equal(decoded->bytes.length, wanted->bytes.length);
	if (wanted->bytes.length > 0)
		assert_memory_equal(decoded->bytes.data, wanted->bytes.data, wanted->bytes.length);
	assert_int_equal(decoded->bad, wanted->bad);
	mg_buf_free(&decoded->bytes);
}

static void assert_decoded_same(
	enum mg_transfer_encoding encoding, const char *text, size_t length, struct decoded *wanted)
{
	for (int vectors = 0; vectors < 2; vectors++) {
		for (size_t first = 0; first < length && first < 300; first++) {
			struct decoded cut = decode(encoding, vectors, text, length, first, 0);

			assert_equal(&cut, wanted);
		}
		for (size_t step = 1; step < 9; step++) {
			struct decoded cut = decode(encoding, vectors, text, length, step, step);

			assert_equal(&cut, wanted);
		}
	}
}

static void assert_decoded(
	enum mg_transfer_encoding encoding, const char *text, const char *wanted, bool bad)
{
	struct decoded whole = decode(encoding, false, text, strlen(text), 0, 0);

	assert_string_equal(mg_buf_text(&whole.bytes), wanted);
	assert_int_equal(whole.bad, bad);
	assert_decoded_same(encoding, text, strlen(text), &whole);
	mg_buf_free(&whole.bytes);
}

static void base64_is_decoded(void **state)
{
	(void)state;
	assert_decoded(MG_TRANSFER_BASE64, "", "", false);
	assert_decoded(MG_TRANSFER_BASE64, "SGVsbG8gd29ybGQ=\r\n", "Hello world", false);
	assert_decoded(MG_TRANSFER_BASE64, "S\nG\nV\ns\nbG8=", "Hello", false);
	assert_decoded(MG_TRANSFER_BASE64,
		"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\r\n"
		"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\r\n"
		"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\r\n",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy",
		false);
}

static void characters_that_are_none_are_left_out(void **state)
{
	(void)state;
	assert_decoded(MG_TRANSFER_BASE64,
		"SG!Vs\x80"
		"bG8=",
		"Hello", true);
	assert_decoded(MG_TRANSFER_BASE64,
		"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmN-kZWZnaGlqa2xtbm9wcXJzdHV2d3h5\r\n",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy", true);
}

static void what_follows_padding_is_decoded(void **state)
{
	(void)state;
	assert_decoded(MG_TRANSFER_BASE64, "SGVsbG8=IHdvcmxk", "Hello world", true);
}

static void a_cut_last_group_is_decoded_as_far_as_it_goes(void **state)
{
	(void)state;
	assert_decoded(MG_TRANSFER_BASE64, "SGVsbG8", "Hello", true);
	assert_decoded(MG_TRANSFER_BASE64, "SGVsbA", "Hell", true);
	assert_decoded(MG_TRANSFER_BASE64, "SGVsb", "Hel", true);
	assert_decoded(MG_TRANSFER_BASE64, "SGVsbA=", "Hell", true);
}

static void quoted_printable_is_decoded(void **state)
{
	(void)state;
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE, "a=3Db=3db=\r\nc=\nd=C3=A4", "a=b=bcd\xc3\xa4",
		false);
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE,
		"<td align=3D\"left\" style=3D\"padding:0 4px\"><a href=3D\"http://www.example.com=\r\n"
		"/\">a</a>=20\r\n<td align=3D\"left\" style=3D\"padding:0 4px\">and some more of it, so "
		"that there is enough of text for what reads pair by pair\r\n",
		"<td align=\"left\" style=\"padding:0 4px\"><a href=\"http://www.example.com"
		"/\">a</a> \r\n<td align=\"left\" style=\"padding:0 4px\">and some more of it, so "
		"that there is enough of text for what reads pair by pair\r\n",
		false);
}

static void blanks_at_the_end_of_a_line_go(void **state)
{
	(void)state;
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE, "a \t\r\nb \nc  ", "a\r\nb\nc", false);
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE, "a= \t\r\nb", "ab", false);
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE, "a \rb", "a \rb", false);
}

static void too_many_blanks_in_a_row_stay(void **state)
{
	char text[MG_TRANSFER_BLANKS + 4];

	(void)state;
	memset(text, ' ', sizeof(text));
	strcpy(text + MG_TRANSFER_BLANKS, "\n");
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE, text, "\n", false);
	text[MG_TRANSFER_BLANKS] = ' ';
	strcpy(text + MG_TRANSFER_BLANKS + 1, "\n");
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE, text, text, false);
}

static void what_is_no_escape_stays(void **state)
{
	(void)state;
	assert_decoded(
		MG_TRANSFER_QUOTED_PRINTABLE, "a=zz=4z==41= x=\rb", "a=zz=4z=A= x=\rb", true);
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE, "a=4", "a=4", true);
	assert_decoded(MG_TRANSFER_QUOTED_PRINTABLE, "a=", "a", false);
}

static void uuencoded_text_is_decoded(void **state)
{
	(void)state;
	assert_decoded(MG_TRANSFER_UUENCODE, "begin 644 name\r\n+2&5L;&\\@=V]R;&0\r\n`\r\nend\r\n",
		"Hello world", false);
	assert_decoded(MG_TRANSFER_UUENCODE, "+2&5L\n", "Hel", true);
}

/* --- texts made at random --- */

static uint64_t random_state = 2045;

static unsigned random_below(unsigned limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % limit;
}

static size_t make_text(char *text, size_t size, const char *const pieces[], unsigned count)
{
	size_t length = 0;

	for (;;) {
		const char *piece = pieces[random_below(count)];
		size_t more = strlen(piece);

		if (length + more > size)
			return length;
		memcpy(text + length, piece, more);
		length += more;
	}
}

static void assert_vectors_decode_the_same(
	enum mg_transfer_encoding encoding, const char *const pieces[], unsigned count)
{
	char text[700];

	for (int round = 0; round < 3000; round++) {
		size_t length = make_text(text, 1 + random_below(sizeof(text)), pieces, count);
		size_t first = random_below((unsigned)length + 1);
		struct decoded plain = decode(encoding, false, text, length, 0, 0);
		struct decoded whole = decode(encoding, true, text, length, 0, 0);
		struct decoded cut = decode(encoding, true, text, length, first, 0);

		assert_equal(&whole, &plain);
		assert_equal(&cut, &plain);
		mg_buf_free(&plain.bytes);
	}
}

static void vectors_decode_base64_the_same(void **state)
{
	static const char *const pieces[] = {"QUJD", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY",
		"+/+/09azAZ", "\r\n", "\n", "\r", "=", "==", "!", " ", "\xff", "A",
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/abcdefghijkl\r\n",
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/abcdefghijkl\r\n",
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/abcdefghijkl\r\n",
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/\n"};

	(void)state;
	assert_vectors_decode_the_same(
		MG_TRANSFER_BASE64, pieces, sizeof(pieces) / sizeof(pieces[0]));
	assert_vectors_decode_the_same(MG_TRANSFER_BASE64, pieces + 12, 3);
}

static void vectors_decode_quoted_printable_the_same(void **state)
{
	static const char *const pieces[] = {"=3D", "=\r\n", "=\n", "\r\n", "\n", " ", "  \t", "\r",
		"=", "= \r\n", "=4", "=zz", "=e4", "word ", "a line of words that is long enough ",
		"                                                                 ", "\xff"};

	(void)state;
	assert_vectors_decode_the_same(
		MG_TRANSFER_QUOTED_PRINTABLE, pieces, sizeof(pieces) / sizeof(pieces[0]));
	assert_vectors_decode_the_same(MG_TRANSFER_QUOTED_PRINTABLE, pieces, 7);
	assert_vectors_decode_the_same(MG_TRANSFER_QUOTED_PRINTABLE, pieces + 13, 2);
}

/* Every character in every place of a block. */
static void vectors_know_every_character(void **state)
{
	char text[80];

	(void)state;
	for (int character = 0; character < 256; character++)
		for (size_t place = 0; place < 64; place++) {
			struct decoded plain, whole;

			memset(text, 'Q', sizeof(text));
			text[place] = (char)character;
			plain = decode(MG_TRANSFER_BASE64, false, text, sizeof(text), 0, 0);
			whole = decode(MG_TRANSFER_BASE64, true, text, sizeof(text), 0, 0);
			assert_equal(&whole, &plain);
			mg_buf_free(&plain.bytes);
		}
}

/* Every two characters, by themselves and behind "=", amid blocks. */
static void vectors_know_every_two_characters(void **state)
{
	char text[160];

	(void)state;
	memset(text, 'q', sizeof(text));
	for (int pair = 0; pair < 256 * 256; pair++)
		for (size_t place = 30; place < 32; place++) {
			struct decoded plain, whole;

			text[place - 1] = place == 31 ? '=' : 'q';
			text[place] = (char)(pair / 256);
			text[place + 1] = (char)(pair % 256);
			plain = decode(
				MG_TRANSFER_QUOTED_PRINTABLE, false, text, sizeof(text), 0, 0);
			whole = decode(
				MG_TRANSFER_QUOTED_PRINTABLE, true, text, sizeof(text), 0, 0);
			assert_equal(&whole, &plain);
			mg_buf_free(&plain.bytes);
			text[place - 1] = text[place] = text[place + 1] = 'q';
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_decoded),
		cmocka_unit_test(characters_that_are_none_are_left_out),
		cmocka_unit_test(what_follows_padding_is_decoded),
		cmocka_unit_test(a_cut_last_group_is_decoded_as_far_as_it_goes),
		cmocka_unit_test(quoted_printable_is_decoded),
		cmocka_unit_test(blanks_at_the_end_of_a_line_go),
		cmocka_unit_test(too_many_blanks_in_a_row_stay),
		cmocka_unit_test(what_is_no_escape_stays),
		cmocka_unit_test(uuencoded_text_is_decoded),
		cmocka_unit_test(vectors_decode_base64_the_same),
		cmocka_unit_test(vectors_decode_quoted_printable_the_same),
		cmocka_unit_test(vectors_know_every_character),
		cmocka_unit_test(vectors_know_every_two_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

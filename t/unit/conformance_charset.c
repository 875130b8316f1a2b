/* SPDX-License-Identifier: ISC */
/* Suite `charset`: every label chooses its decoder, and the decoders agree with the tables of the
 * Encoding Standard as far as iconv(3) does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "mail/charset.h"
#include "suite.h"

static bool decode(const char *label, const char *bytes, size_t length, struct mg_buf *out)
{
	mg_buf_reset(out);
	return mg_charset_decode(label, strlen(label), bytes, length, out);
}

/* Decodes all bytes by both labels. */
static bool same_decoder(const char *label, const char *other)
{
	struct mg_buf one = {.limit = 0}, two = {.limit = 0};
	char bytes[224];
	bool same;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(' ' + i);
	same = decode(label, bytes, sizeof(bytes), &one) &&
	       decode(other, bytes, sizeof(bytes), &two) &&
	       strcmp(mg_buf_text(&one), mg_buf_text(&two)) == 0;
	mg_buf_free(&one);
	mg_buf_free(&two);
	return same;
}

static void check_labels(struct suite *suite, const json_t *encoding)
{
	const char *name = json_string_value(json_object_get(encoding, "name"));
	json_t *label;
	size_t i;

	json_array_foreach(json_object_get(encoding, "labels"), i, label) suite_case(suite,
		json_string_value(label), same_decoder(json_string_value(label), name),
		"expected the decoder of %s", name);
}

static void every_label_chooses_its_decoder(void **state)
{
	static const char unused[] = "not decoded there, and in no mail";
	static const char korean[] = "not decoded there, but mail has it";
	static const struct suite_kept kept[] = {{"csiso2022kr", korean}, {"iso-2022-kr", korean},
		{"hz-gb-2312", unused}, {"iso-2022-cn", unused}, {"iso-2022-cn-ext", unused},
		{"replacement", unused}, {"x-user-defined", unused}, {NULL, NULL}};
	json_t *json = suite_load("charset/labels.json", false), *heading, *encoding;
	struct suite suite = {.kept = kept};
	size_t i, j;

	(void)state;
	json_array_foreach(json, i, heading) json_array_foreach(
		json_object_get(heading, "encodings"), j, encoding) check_labels(&suite, encoding);
	suite_end(&suite);
	json_decref(json);
}

/* The code point that text is alone; 0 for other text. */
static json_int_t code_point(const struct mg_buf *text)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	const char *bytes = mg_buf_text(text);
	size_t length = mg_str_utf8_length(bytes, text->length);
	json_int_t point;

	if (length == 0 || length != text->length)
		return 0;
	point = (unsigned char)bytes[0] & masks[length];
	for (size_t i = 1; i < length; i++)
		point = point << 6 | ((unsigned char)bytes[i] & 0x3f);
	return point;
}

/* The bytes of a pointer of an index, as the standard computes them; returns how many. */
typedef size_t encode_function(char bytes[8], size_t pointer);

static size_t encode_single(char bytes[8], size_t pointer)
{
	bytes[0] = (char)(0x80 + pointer);
	return 1;
}

static size_t encode_big5(char bytes[8], size_t pointer)
{
	size_t trail = pointer % 157;

	bytes[0] = (char)(pointer / 157 + 0x81);
	bytes[1] = (char)(trail + (trail < 0x3f ? 0x40 : 0x62));
	return 2;
}

static size_t encode_euc_kr(char bytes[8], size_t pointer)
{
	bytes[0] = (char)(pointer / 190 + 0x81);
	bytes[1] = (char)(pointer % 190 + 0x41);
	return 2;
}

static size_t encode_gb18030(char bytes[8], size_t pointer)
{
	size_t trail = pointer % 190;

	bytes[0] = (char)(pointer / 190 + 0x81);
	bytes[1] = (char)(trail + (trail < 0x3f ? 0x40 : 0x41));
	return 2;
}

static size_t encode_shift_jis(char bytes[8], size_t pointer)
{
	size_t lead = pointer / 188, trail = pointer % 188;

	bytes[0] = (char)(lead + (lead < 0x1f ? 0x81 : 0xc1));
	bytes[1] = (char)(trail + (trail < 0x3f ? 0x40 : 0x41));
	return 2;
}

static size_t encode_euc_jp_212(char bytes[8], size_t pointer)
{
	bytes[0] = (char)0x8f;
	bytes[1] = (char)(pointer / 94 + 0xa1);
	bytes[2] = (char)(pointer % 94 + 0xa1);
	return 3;
}

/* Beyond the first 94 rows there is nothing but for Shift_JIS. */
static size_t encode_euc_jp(char bytes[8], size_t pointer)
{
	bytes[0] = (char)(pointer / 94 + 0xa1);
	bytes[1] = (char)(pointer % 94 + 0xa1);
	return pointer < (size_t)94 * 94 ? 2 : 0;
}

static size_t encode_iso_2022_jp(char bytes[8], size_t pointer)
{
	memcpy(bytes, "\x1b$B", 3);
	bytes[3] = (char)(pointer / 94 + 0x21);
	bytes[4] = (char)(pointer % 94 + 0x21);
	memcpy(bytes + 5, "\x1b(B", 3);
	return pointer < (size_t)94 * 94 ? 8 : 0;
}

/* Compares a whole index; `allowed`: characters in a thousand in which libraries may differ. A
 * control of C1 where iconv has nothing is no difference: it means nothing in a text. */
static void check_index(struct suite *suite, const char *label, const json_t *index,
	encode_function *encode, unsigned allowed)
{
	struct mg_buf text = {.limit = 0};
	size_t pointer, characters = 0, differ = 0;
	json_t *expected;

	json_array_foreach(index, pointer, expected)
	{
		json_int_t wanted = json_integer_value(expected), point;
		char bytes[8];
		size_t length = encode(bytes, pointer);

		if (json_is_null(expected) || length == 0)
			continue;
		characters++;
		assert_true(decode(label, bytes, length, &text));
		point = code_point(&text);
		differ += point != wanted && !(point == 0xfffd && wanted >= 0x80 && wanted <= 0x9f);
	}
	suite_case(suite, label, differ * 1000 <= characters * allowed,
		"%zu of %zu characters differ", differ, characters);
	mg_buf_free(&text);
}

static void single_byte_sets_agree_with_their_tables(void **state)
{
	static const struct suite_kept kept[] = {
		{"koi8-u", "iconv has two box drawings where the standard has KOI8-RU's letters"},
		{"macintosh", "iconv has a delta for the increment, and a private character"},
		{"windows-1255", "iconv lacks one vowel point, U+05BA"},
		{"x-mac-cyrillic", "iconv has the currency sign where the standard has the euro"},
		{NULL, NULL}};
	json_t *json = suite_load("charset/indexes.json", false), *index;
	struct suite suite = {.kept = kept};
	const char *name;

	(void)state;
	json_object_foreach(json, name, index) if (json_array_size(index) == 128)
		check_index(&suite, name, index, encode_single, 0);
	suite_end(&suite);
	json_decref(json);
}

static void multi_byte_sets_agree_with_their_tables(void **state)
{
	static const struct {
		const char *label, *index;
		encode_function *encode;
	} sets[] = {
		{"big5", "big5", encode_big5},
		{"euc-kr", "euc-kr", encode_euc_kr},
		{"gbk", "gb18030", encode_gb18030},
		{"gb18030", "gb18030", encode_gb18030},
		{"shift_jis", "jis0208", encode_shift_jis},
		{"euc-jp", "jis0208", encode_euc_jp},
		{"x-euc-jp", "jis0212", encode_euc_jp_212},
		{"iso-2022-jp", "jis0208", encode_iso_2022_jp},
	};
	static const struct suite_kept kept[] = {
		{"euc-jp", "iconv has a user's area where the standard has NEC's copies"},
		{"iso-2022-jp", "iconv has the standard's set, without the additions of NEC"},
		{NULL, NULL}};
	json_t *json = suite_load("charset/indexes.json", false);
	struct suite suite = {.kept = kept};

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		check_index(&suite, sets[i].label, json_object_get(json, sets[i].index),
			sets[i].encode, 10);
	suite_end(&suite);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_label_chooses_its_decoder),
		cmocka_unit_test(single_byte_sets_agree_with_their_tables),
		cmocka_unit_test(multi_byte_sets_agree_with_their_tables),
	};

	suite_needed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

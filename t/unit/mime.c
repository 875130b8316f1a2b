/* SPDX-License-Identifier: ISC */
/* How a message is taken apart. Each message is fed whole, and in every cut: the story must be the
 * same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/mime.h"
#include "mime_story.h"

static void assert_story_bounded(
	const char *message, const struct mg_mime_bounds *bounds, const char *wanted)
{
	size_t length = strlen(message);
	struct mg_buf whole = {.limit = 0}, cut = {.limit = 0};

	mime_story(message, length, 0, 0, bounds, &whole);
	assert_string_equal(mg_buf_text(&whole), wanted);
	for (size_t first = 1; first < length; first++) {
		mg_buf_reset(&cut);
		mime_story(message, length, first, 0, bounds, &cut);
		assert_string_equal(mg_buf_text(&cut), wanted);
	}
	for (size_t step = 1; step < 9; step++) {
		mg_buf_reset(&cut);
		mime_story(message, length, 0, step, bounds, &cut);
		assert_string_equal(mg_buf_text(&cut), wanted);
	}
	mg_buf_free(&whole);
	mg_buf_free(&cut);
}

static void assert_story(const char *message, const char *wanted)
{
	assert_story_bounded(message, &mg_mime_bounds, wanted);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

static void a_plain_message_is_one_leaf(void **state)
{
	(void)state;
	assert_story("Subject: x\r\n\r\nHello\r\n",
		"begin 0 in 0: text/plain\nleaf 0: Hello\\r\\n\nend 0:\n");
}

static void a_multipart_has_preamble_parts_and_epilogue(void **state)
{
	(void)state;
	assert_story(MIXED "before\r\n--b\r\nContent-Type: text/HTML\r\n\r\none\r\n"
			   "--b\r\n\r\ntwo\r\n\r\n--b--\r\nafter\r\n",
		"begin 0 in 0: multipart/mixed, opened\npreamble 0: before\n"
		"field 1: Content-Type: text/HTML\nbegin 1 in 0: text/html\nleaf 1: one\nend 1:\n"
		"begin 2 in 0: text/plain\nleaf 2: two\\r\\n\nend 2:\n"
		"epilogue 0: after\\r\\n\nend 0:\n");
}

static void lines_may_end_in_lf_alone(void **state)
{
	(void)state;
	assert_story("Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\n\none\n--b--\n",
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\nleaf 1: one\n"
		"end 1:\nend 0:\n");
}

static void blanks_may_follow_a_boundary(void **state)
{
	(void)state;
	assert_story(MIXED "--b \t\r\n\r\none\r\n--b-- \t \r\n",
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\nleaf 1: one\n"
		"end 1:\nend 0:\n");
}

static void a_line_that_only_begins_as_a_boundary_is_content(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\n\r\n--bc\r\n-\r\n--\r\n--b-\r\n--b--x\r\n---b\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\n"
		"leaf 1: --bc\\r\\n-\\r\\n--\\r\\n--b-\\r\\n--b--x\\r\\n---b\nend 1:\nend 0: ambiguous\n");
}

/* RFC 2046 section 5.1.1, note to implementors. */
static void text_may_follow_a_boundary_behind_a_blank(void **state)
{
	(void)state;
	assert_story(MIXED "--b one\r\n\r\ntwo\r\n--b-- three\r\nfour",
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\nleaf 1: two\n"
		"end 1:\nepilogue 0: four\nend 0: ambiguous\n");
}

static void of_boundaries_that_begin_alike_the_whole_line_counts(void **state)
{
	(void)state;
	assert_story("Content-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\n"
		     "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\none\r\n"
		     "--ab\r\n\r\ntwo\r\n--ab--\r\n",
		"begin 0 in 0: multipart/mixed, opened\n"
		"field 1: Content-Type: multipart/mixed; boundary=a\n"
		"begin 1 in 0: multipart/mixed, opened\nbegin 2 in 1: text/plain\nleaf 2: one\n"
		"end 2:\nend 1: unclosed\nbegin 3 in 0: text/plain\nleaf 3: two\nend 3:\n"
		"end 0:\n");
}

static void the_boundary_of_an_outer_multipart_ends_the_inner_one(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
			   "--c\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--",
		"begin 0 in 0: multipart/mixed, opened\n"
		"field 1: Content-Type: multipart/alternative; boundary=c\n"
		"begin 1 in 0: multipart/alternative, opened\n"
		"begin 2 in 1: text/plain\nleaf 2: one\nend 2:\nend 1: unclosed\n"
		"begin 3 in 0: text/plain\nleaf 3: two\nend 3:\nend 0:\n");
}

static void a_missing_last_boundary_loses_nothing(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\n\r\none\r\n",
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\n"
		"leaf 1: one\\r\\n\nend 1:\nend 0: unclosed\n");
}

static void parts_behind_the_last_boundary_are_parts(void **state)
{
	(void)state;
	assert_story(MIXED "--b--\r\nafter\r\n--b\r\n\r\none\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nepilogue 0: after\n"
		"begin 1 in 0: text/plain\nleaf 1: one\nend 1:\nend 0: ambiguous\n");
}

static void a_boundary_ends_a_header(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\nContent-Type: text/html\r\n--b\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nfield 1: Content-Type: text/html\n"
		"begin 1 in 0: text/html\nend 1:\nbegin 2 in 0: text/plain\nend 2:\nend 0:\n");
}

static void a_header_line_that_is_no_field_begins_the_content(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\nX: y\r\n z\r\nno field\r\nContent-Type: text/html\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nfield 1: X: y\\r\\n z\n"
		"begin 1 in 0: text/plain\n"
		"leaf 1: no field\\r\\nContent-Type: text/html\nend 1: bad_header\nend 0:\n");
}

static void lines_that_programs_pass_over_are_fields_without_a_name(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\n x: y\r\n: z\r\nContent-Type: text/html\r\n\r\none\r\n"
			   "--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nfield 1: : x: y\nfield 1: : z\n"
		"field 1: Content-Type: text/html\nbegin 1 in 0: text/html\nleaf 1: one\n"
		"end 1: bad_header\nend 0:\n");
}

static void a_line_of_blanks_in_a_header_is_told(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\nX: y\r\n \r\nContent-Type: text/html\r\n\r\none\r\n"
			   "--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nfield 1: X: y\n"
		"field 1: Content-Type: text/html\nbegin 1 in 0: text/html\nleaf 1: one\n"
		"end 1: ambiguous\nend 0:\n");
}

static void a_multipart_may_begin_without_an_empty_line(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n--c\r\n\r\n"
			   "one\r\n--c--\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\n"
		"field 1: Content-Type: multipart/mixed; boundary=c\n"
		"begin 1 in 0: multipart/mixed, opened\nbegin 2 in 1: text/plain\n"
		"leaf 2: one\nend 2:\nend 1: bad_header\nend 0:\n");
}

static void a_message_in_a_message_is_a_part_of_its_own(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n"
			   "Content-Type: text/html\r\n\r\none\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nfield 1: Content-Type: message/rfc822\n"
		"begin 1 in 0: message/rfc822, opened\nfield 2: Subject: x\n"
		"field 2: Content-Type: text/html\nbegin 2 in 1: text/html\nleaf 2: one\n"
		"end 2:\nend 1:\nend 0:\n");
}

static void parts_of_a_digest_are_messages(void **state)
{
	(void)state;
	assert_story("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n"
		     "From x\r\nSubject: x\r\n\r\none\r\n--b--\r\n",
		"begin 0 in 0: multipart/digest, opened\nbegin 1 in 0: message/rfc822, opened\n"
		"field 2: : From x\nfield 2: Subject: x\nbegin 2 in 1: text/plain\nleaf 2: one\nend 2:\nend 1:\n"
		"end 0:\n");
}

/* "Content-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--c--\n" */
static void an_encoded_message_is_decoded_and_opened(void **state)
{
	(void)state;
	assert_story("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		     "Q29udGVudC1UeXBlOiBtdWx0aXBhcnQvbWl4ZWQ7IGJvdW5k\r\n"
		     "YXJ5PWMKCi0tYwoKb25lCi0tYy0tCg==\r\n",
		"begin 0 in 0: message/rfc822, opened\n"
		"field 1: Content-Type: multipart/mixed; boundary=c\n"
		"begin 1 in 0: multipart/mixed, opened\nbegin 2 in 1: text/plain\nleaf 2: one\n"
		"end 2:\nend 1:\nend 0:\n");
}

static void base64_is_decoded_whatever_its_lines(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\nContent-Transfer-Encoding: BASE64\r\n\r\n"
			   "SGVs\r\nb\nG8 gd29\r\n\r\nybGQ=\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\n"
		"field 1: Content-Transfer-Encoding: BASE64\nbegin 1 in 0: text/plain\n"
		"leaf 1: Hello world\nend 1:\nend 0:\n");
}

static void broken_base64_is_decoded_and_told(void **state)
{
	(void)state;
	assert_story("Content-Transfer-Encoding: base64\r\n\r\nSG!Vs\r\nbG8=IQ==",
		"begin 0 in 0: text/plain\nleaf 0: Hello!\nend 0: bad_base64\n");
	assert_story("Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8",
		"begin 0 in 0: text/plain\nleaf 0: Hello\nend 0: bad_base64\n");
}

static void quoted_printable_is_decoded(void **state)
{
	(void)state;
	assert_story("Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		     "a=3Db=\r\nc=3d \t\r\n=20 \n= \t\r\nd  e\r\n",
		"begin 0 in 0: text/plain\nleaf 0: a=bc=\\r\\n \\nd  e\\r\\n\nend 0:\n");
}

static void broken_quoted_printable_stays_and_is_told(void **state)
{
	(void)state;
	assert_story("Content-Transfer-Encoding: quoted-printable\r\n\r\na=zz= x=4\r\n=",
		"begin 0 in 0: text/plain\nleaf 0: a=zz= x=4\\r\\n\n"
		"end 0: bad_quoted_printable\n");
	assert_story("Content-Transfer-Encoding: quoted-printable\r\n\r\n=4",
		"begin 0 in 0: text/plain\nleaf 0: =4\nend 0: bad_quoted_printable\n");
}

static void an_unknown_encoding_leaves_content_as_it_is(void **state)
{
	(void)state;
	assert_story("Content-Transfer-Encoding: rot13\r\n\r\nabc",
		"begin 0 in 0: text/plain\nleaf 0: abc\nend 0: bad_encoding\n");
}

static void of_two_types_the_one_that_opens_wins(void **state)
{
	(void)state;
	assert_story("Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n"
		     "Content-Type: multipart/mixed; boundary=c\r\n\r\n"
		     "--c\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\nleaf 1: one\n"
		"end 1:\nbegin 2 in 0: text/plain\nleaf 2: two\nend 2:\nend 0: ambiguous\n");
}

static void of_two_boundaries_both_count(void **state)
{
	(void)state;
	assert_story("Content-Type: multipart/mixed; boundary=b; Boundary*=''c\r\n\r\n"
		     "--c\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\nleaf 1: one\n"
		"end 1:\nbegin 2 in 0: text/plain\nleaf 2: two\nend 2:\nend 0: ambiguous\n");
}

static void a_boundary_in_pieces_is_one(void **state)
{
	(void)state;
	assert_story("Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\r\n\r\n"
		     "--ab\r\n\r\none\r\n--b\r\n--ab--\r\n",
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\n"
		"leaf 1: one\\r\\n--b\nend 1:\nend 0:\n");
}

static void a_long_boundary_is_opened_and_told(void **state)
{
	static const struct mg_mime_bounds bounds = {.depth = 9, .parts = 9, .header = 4000};
	char boundary[994 + 1], message[4096];

	(void)state;
	memset(boundary, 'b', sizeof(boundary) - 1);
	boundary[sizeof(boundary) - 1] = '\0';
	snprintf(message, sizeof(message),
		"Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n\r\none\r\n--%s--",
		boundary, boundary, boundary);
	assert_story_bounded(message, &bounds,
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\n"
		"leaf 1: one\nend 1:\nend 0: bad_boundary\n");
}

/* As long as a boundary line may be; what follows is the header. */
static void blanks_behind_a_boundary_may_be_many(void **state)
{
	char message[4096];

	(void)state;
	snprintf(message, sizeof(message), MIXED "--b%1500s\r\nContent-Type: text/html\r\n\r\none",
		"");
	assert_story(message,
		"begin 0 in 0: multipart/mixed, opened\nfield 1: Content-Type: text/html\n"
		"begin 1 in 0: text/html\nleaf 1: one\nend 1:\nend 0: unclosed\n");
}

static void the_same_boundary_in_each_other_is_the_inner_one(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\n" MIXED "--b\r\n\r\none\r\n--b--\r\n"
			   "--b\r\n\r\ntwo\r\n--b--\r\n",
		"begin 0 in 0: multipart/mixed, opened\n"
		"field 1: Content-Type: multipart/mixed; boundary=b\n"
		"begin 1 in 0: multipart/mixed, opened\nbegin 2 in 1: text/plain\nleaf 2: one\n"
		"end 2:\nend 1:\nbegin 3 in 0: text/plain\nleaf 3: two\nend 3:\nend 0:\n");
}

static void a_first_piece_of_a_message_is_opened(void **state)
{
	(void)state;
	assert_story("Content-Type: message/partial; number=1; total=2; id=x\r\n\r\n"
		     "Subject: y\r\n\r\none",
		"begin 0 in 0: message/partial, opened\nfield 1: Subject: y\n"
		"begin 1 in 0: text/plain\nleaf 1: one\nend 1:\nend 0:\n");
	assert_story("Content-Type: message/partial; number=2; total=2; id=x\r\n\r\ntwo",
		"begin 0 in 0: message/partial\nleaf 0: two\nend 0:\n");
}

static void a_header_that_is_cut_off_loses_nothing(void **state)
{
	(void)state;
	assert_story(MIXED "--b\r\nX: y\r\nContent-",
		"begin 0 in 0: multipart/mixed, opened\nfield 1: X: y\nbegin 1 in 0: text/plain\n"
		"leaf 1: Content-\nend 1: bad_header\nend 0: unclosed\n");
}

static void of_two_encodings_the_one_that_decodes_wins(void **state)
{
	(void)state;
	assert_story("Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		     "SGVsbG8=",
		"begin 0 in 0: text/plain\nleaf 0: Hello\nend 0: ambiguous\n");
}

static void a_multipart_without_a_boundary_is_a_leaf(void **state)
{
	(void)state;
	assert_story("Content-Type: multipart/mixed\r\n\r\n--b\r\nx",
		"begin 0 in 0: multipart/mixed\nleaf 0: --b\\r\\nx\nend 0: bad_boundary\n");
}

static void parts_below_the_greatest_depth_are_content(void **state)
{
	static const struct mg_mime_bounds bounds = {.depth = 1, .parts = 100, .header = 1000};

	(void)state;
	assert_story_bounded(MIXED "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
				   "--c\r\n\r\none\r\n--b--\r\n",
		&bounds,
		"begin 0 in 0: multipart/mixed, opened\n"
		"field 1: Content-Type: multipart/mixed; boundary=c\n"
		"begin 1 in 0: multipart/mixed\nleaf 1: --c\\r\\n\\r\\none\nend 1: too_deep\n"
		"end 0:\n");
}

static void parts_after_the_greatest_number_are_content_of_their_multipart(void **state)
{
	static const struct mg_mime_bounds bounds = {.depth = 9, .parts = 2, .header = 1000};

	(void)state;
	assert_story_bounded(MIXED
		"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\nX: y\r\n\r\nthree\r\n--b--\r\n",
		&bounds,
		"begin 0 in 0: multipart/mixed, opened\nbegin 1 in 0: text/plain\nleaf 1: one\n"
		"end 1:\nepilogue 0: --b\\r\\n\\r\\ntwo--b\\r\\nX: y\\r\\n\\r\\nthree\n"
		"end 0: too_many\n");
}

static void what_is_over_the_bound_of_a_header_is_content(void **state)
{
	static const struct mg_mime_bounds bounds = {.depth = 9, .parts = 9, .header = 10};

	(void)state;
	assert_story_bounded(MIXED "--b\r\nX: y\r\nZ: abcdefg\r\n\r\none\r\n--b--\r\n", &bounds,
		"begin 0 in 0: multipart/mixed, opened\nfield 1: X: y\nfield 1: Z: a\n"
		"begin 1 in 0: text/plain\nleaf 1: bcdefg\\r\\n\\r\\none\n"
		"end 1: header_too_large\nend 0:\n");
}

static void its_size_is_bounded(void **state)
{
	(void)state;
	assert_in_range(mg_mime_size(), 1, 48 * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_message_is_one_leaf),
		cmocka_unit_test(a_multipart_has_preamble_parts_and_epilogue),
		cmocka_unit_test(lines_may_end_in_lf_alone),
		cmocka_unit_test(blanks_may_follow_a_boundary),
		cmocka_unit_test(a_line_that_only_begins_as_a_boundary_is_content),
		cmocka_unit_test(text_may_follow_a_boundary_behind_a_blank),
		cmocka_unit_test(of_boundaries_that_begin_alike_the_whole_line_counts),
		cmocka_unit_test(the_boundary_of_an_outer_multipart_ends_the_inner_one),
		cmocka_unit_test(a_missing_last_boundary_loses_nothing),
		cmocka_unit_test(parts_behind_the_last_boundary_are_parts),
		cmocka_unit_test(a_boundary_ends_a_header),
		cmocka_unit_test(a_header_line_that_is_no_field_begins_the_content),
		cmocka_unit_test(lines_that_programs_pass_over_are_fields_without_a_name),
		cmocka_unit_test(a_line_of_blanks_in_a_header_is_told),
		cmocka_unit_test(a_multipart_may_begin_without_an_empty_line),
		cmocka_unit_test(a_message_in_a_message_is_a_part_of_its_own),
		cmocka_unit_test(parts_of_a_digest_are_messages),
		cmocka_unit_test(an_encoded_message_is_decoded_and_opened),
		cmocka_unit_test(base64_is_decoded_whatever_its_lines),
		cmocka_unit_test(broken_base64_is_decoded_and_told),
		cmocka_unit_test(quoted_printable_is_decoded),
		cmocka_unit_test(broken_quoted_printable_stays_and_is_told),
		cmocka_unit_test(an_unknown_encoding_leaves_content_as_it_is),
		cmocka_unit_test(of_two_types_the_one_that_opens_wins),
		cmocka_unit_test(of_two_boundaries_both_count),
		cmocka_unit_test(a_boundary_in_pieces_is_one),
		cmocka_unit_test(a_long_boundary_is_opened_and_told),
		cmocka_unit_test(blanks_behind_a_boundary_may_be_many),
		cmocka_unit_test(the_same_boundary_in_each_other_is_the_inner_one),
		cmocka_unit_test(a_first_piece_of_a_message_is_opened),
		cmocka_unit_test(a_header_that_is_cut_off_loses_nothing),
		cmocka_unit_test(of_two_encodings_the_one_that_decodes_wins),
		cmocka_unit_test(a_multipart_without_a_boundary_is_a_leaf),
		cmocka_unit_test(parts_below_the_greatest_depth_are_content),
		cmocka_unit_test(parts_after_the_greatest_number_are_content_of_their_multipart),
		cmocka_unit_test(what_is_over_the_bound_of_a_header_is_content),
		cmocka_unit_test(its_size_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "log/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "event_value.h"

static struct log_settings settings;

static int set_up(void **state)
{
	settings = (struct log_settings){.attachments = true, .urls = true};
	return event_value_set_up(state);
}

/* Records a message of a Content-Type and a body, fed in pieces of `cut`. */
static void record(const char *type, const char *body, size_t length, size_t cut)
{
	struct log_content *content = log_content_new(&settings);
	struct mg_header header = {.name = "Content-Type",
		.value = type,
		.name_length = strlen("Content-Type"),
		.value_length = strlen(type)};

	assert_non_null(content);
	log_content_header(content, &header);
	log_content_header_end(content);
	for (size_t at = 0; at < length; at += cut)
		log_content_body(content, (const unsigned char *)body + at,
			length - at < cut ? length - at : cut);
	log_content_record(content, &settings, event_value_event);
	log_content_free(content);
}

/* SHA-256 of "abc", FIPS 180-2 appendix B.1. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void an_attachment_has_name_types_size_and_hash(void **state)
{
	static const char body[] =
		"--b\r\nContent-Type: image/png; name=x.png\r\nContent-Disposition: attachment;"
		" filename=A.Tar.GZ\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b--\r\n";

	(void)state;
	record("multipart/mixed; boundary=b", body, strlen(body), 1);
	assert_string_equal(event_value("email.attachments"),
		"[{\"file\":{\"extension\":\"gz\",\"hash\":{\"sha256\":\"" ABC "\"},"
		"\"mime_type\":\"text/plain\",\"name\":\"A.Tar.GZ\",\"size\":3}}]");
	assert_string_equal(event_value("millgate.attachments"),
		"[{\"declared_type\":\"image/png\",\"detected_type\":\"text/plain\","
		"\"disposition\":\"attachment\",\"part\":1}]");
	assert_string_equal(event_value("millgate.mime"), "{\"attachments\":1,\"parts\":2}");
	assert_string_equal(event_value("email.content_type"), "\"multipart/mixed\"");
}

static void the_text_of_a_message_is_no_attachment(void **state)
{
	static const char body[] =
		"--b\r\n\r\ntext\r\n--b\r\nContent-Type: text/html\r\nContent-Disposition: inline\r\n\r\n"
		"<p>\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nx\r\n--b--\r\n";

	(void)state;
	record("multipart/mixed; boundary=b", body, strlen(body), 100);
	assert_string_equal(event_value("email.attachments"), "");
	assert_string_equal(event_value("millgate.mime"), "{\"attachments\":0,\"parts\":4}");
}

static void a_name_or_a_type_that_is_no_text_makes_an_attachment(void **state)
{
	static const char body[] =
		"--b\r\nContent-Type: text/plain; name=notes\r\n\r\nabc\r\n--b\r\n"
		"Content-Type: application/pdf\r\n\r\nabc\r\n--b--\r\n";

	(void)state;
	record("multipart/mixed; boundary=b", body, strlen(body), 100);
	assert_string_equal(event_value("email.attachments"),
		"[{\"file\":{\"hash\":{\"sha256\":\"" ABC "\"},\"mime_type\":\"text/plain\","
		"\"name\":\"notes\",\"size\":3}},{\"file\":{\"hash\":{\"sha256\":\"" ABC
		"\"},\"mime_type\":\"text/plain\",\"size\":3}}]");
}

static void a_message_itself_can_be_an_attachment(void **state)
{
	(void)state;
	record("application/pdf; name=a.pdf", "abc", 3, 1);
	assert_string_equal(event_value("email.attachments"),
		"[{\"file\":{\"extension\":\"pdf\",\"hash\":{\"sha256\":\"" ABC
		"\"},\"mime_type\":\"text/plain\",\"name\":\"a.pdf\",\"size\":3}}]");
}

static void a_message_that_is_attached_is_told_and_so_are_its_own_attachments(void **state)
{
	static const char body[] =
		"--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"
		"Content-Type: application/x; name=i.bin\r\n\r\nabc\r\n--b--\r\n";

	(void)state;
	record("multipart/mixed; boundary=b", body, strlen(body), 3);
	assert_string_equal(event_value("email.attachments"),
		"[{\"file\":{\"mime_type\":\"message/rfc822\"}},{\"file\":{\"extension\":\"bin\","
		"\"hash\":{\"sha256\":\"" ABC
		"\"},\"mime_type\":\"text/plain\",\"name\":\"i.bin\",\"size\":3}}]");
}

static void what_is_broken_is_a_fact_of_part_and_message(void **state)
{
	static const char body[] = "--b\r\nContent-Type: application/x\r\n"
				   "Content-Transfer-Encoding: base64\r\n\r\nYW*Jj\r\n";

	(void)state;
	record("multipart/mixed; boundary=b", body, strlen(body), 3);
	assert_string_equal(event_value("millgate.mime.facts"), "[\"bad_base64\",\"unclosed\"]");
	assert_string_equal(event_value("millgate.attachments"),
		"[{\"declared_type\":\"application/x\",\"detected_type\":\"text/plain\","
		"\"facts\":[\"bad_base64\"],\"part\":1}]");
}

static void extensions_are_what_follows_the_last_dot(void **state)
{
	static const struct {
		const char *name, *extension;
	} names[] = {{"a.EXE", "\"exe\""}, {"a.exe. .", "\"exe\""}, {"a", ""}, {"a.", ""},
		{".bashrc", "\"bashrc\""}, {"a.b/c", ""}, {"a.b c", ""},
		{"a.0123456789012345678901234567890123456789", ""}};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct mg_buf type = {.limit = 0}, expected = {.limit = 0};

		event_value_tear_down(NULL);
		assert_int_equal(event_value_set_up(NULL), 0);
		mg_buf_add_format(&type, "application/x; name=\"%s\"", names[i].name);
		record(mg_buf_text(&type), "abc", 3, 3);
		mg_buf_add_format(&expected, "\"extension\":%s,", names[i].extension);
		if (names[i].extension[0] != '\0')
			assert_non_null(
				strstr(event_value("email.attachments"), mg_buf_text(&expected)));
		else
			assert_null(strstr(event_value("email.attachments"), "\"extension\""));
		mg_buf_free(&type);
		mg_buf_free(&expected);
	}
}

static void hosts_are_those_of_text_and_html_after_decoding(void **state)
{
	static const char body[] =
		"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nhttp://te=\r\nxt.example\r\n"
		"--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		"PGEgaHJlZj0iLy9o\r\ndG1sLmV4YW1wbGUiPg==\r\n"
		"--b\r\nContent-Type: application/x\r\n\r\nhttp://other.example\r\n--b--\r\n";

	(void)state;
	record("multipart/mixed; boundary=b", body, strlen(body), 1);
	assert_string_equal(
		event_value("millgate.urls.hosts"), "[\"text.example\",\"html.example\"]");
}

static void what_is_not_asked_for_is_not_recorded(void **state)
{
	static const char body[] = "http://a.example";

	(void)state;
	settings.attachments = false;
	record("text/plain; name=a.txt", body, strlen(body), 100);
	assert_string_equal(event_value("email.attachments"), "");
	assert_string_equal(event_value("millgate.mime"), "{\"parts\":1}");
	assert_string_equal(event_value("millgate.urls.hosts"), "[\"a.example\"]");
	settings.urls = false;
	event_value_tear_down(NULL);
	assert_int_equal(event_value_set_up(NULL), 0);
	record("text/plain", body, strlen(body), 100);
	assert_string_equal(event_value("millgate.urls"), "");
}

static void many_attachments_with_long_names_are_counted_and_cut(void **state)
{
	struct mg_buf body = {.limit = 0};

	(void)state;
	for (int i = 0; i < 1200; i++)
		mg_buf_add_format(&body,
			"--b\r\nContent-Type: application/x; name=%0500d.bin\r\n\r\nx\r\n", i);
	record("multipart/mixed; boundary=b", mg_buf_text(&body), body.length, 4096);
	assert_string_equal(event_value("millgate.mime.attachments"), "999");
	assert_string_equal(event_value("millgate.mime.facts"), "[\"too_many\",\"unclosed\"]");
	assert_string_equal(event_value("millgate.truncated"),
		"[\"email.attachments\",\"millgate.attachments\",\"email.attachments.file.name\"]");
	mg_buf_free(&body);
}

static void without_memory_the_event_says_what_is_missing(void **state)
{
	(void)state;
	log_content_header(NULL, NULL);
	log_content_header_end(NULL);
	log_content_body(NULL, NULL, 0);
	log_content_record(NULL, &settings, event_value_event);
	log_content_free(NULL);
	assert_string_equal(event_value("millgate.truncated"),
		"[\"email.attachments\",\"millgate.urls.hosts\"]");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, event_value_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_attachment_has_name_types_size_and_hash),
		TEST(the_text_of_a_message_is_no_attachment),
		TEST(a_name_or_a_type_that_is_no_text_makes_an_attachment),
		TEST(a_message_itself_can_be_an_attachment),
		TEST(a_message_that_is_attached_is_told_and_so_are_its_own_attachments),
		TEST(what_is_broken_is_a_fact_of_part_and_message),
		TEST(extensions_are_what_follows_the_last_dot),
		TEST(hosts_are_those_of_text_and_html_after_decoding),
		TEST(what_is_not_asked_for_is_not_recorded),
		TEST(many_attachments_with_long_names_are_counted_and_cut),
		TEST(without_memory_the_event_says_what_is_missing),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

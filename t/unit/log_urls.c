/* SPDX-License-Identifier: ISC */
#include "log/urls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

enum { AS_TEXT = 1, AS_HTML = 2 };

/* The hosts of a text fed in pieces of `cut`, blank between them; until the next call. */
static const char *hosts_of(const char *text, size_t length, bool html, size_t cut)
{
	static char told[8192];
	struct log_urls urls = {.html = false};
	const char *host = NULL;

	told[0] = '\0';
	log_urls_begin(&urls, html);
	for (size_t at = 0; at < length; at += cut)
		log_urls_add(&urls, (const unsigned char *)text + at,
			length - at < cut ? length - at : cut);
	log_urls_end(&urls);
	while ((host = log_hosts_next(&urls.hosts, host)) != NULL)
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s",
			told[0] != '\0' ? " " : "", host);
	log_hosts_free(&urls.hosts);
	return told;
}

struct pair {
	const char *text, *hosts;
};

static void check(unsigned kinds, const struct pair *pairs, size_t count)
{
	static const size_t cuts[] = {1, 2, 3, 7, SIZE_MAX};

	for (size_t i = 0; i < count; i++)
		for (unsigned kind = AS_TEXT; kind <= AS_HTML; kind *= 2)
			for (size_t cut = 0; cut < sizeof(cuts) / sizeof(cuts[0]); cut++) {
				const char *told;

				if ((kinds & kind) == 0)
					continue;
				told = hosts_of(pairs[i].text, strlen(pairs[i].text),
					kind == AS_HTML, cuts[cut]);
				if (strcmp(told, pairs[i].hosts) != 0)
					fail_msg("%s: \"%s\", expected \"%s\"", pairs[i].text, told,
						pairs[i].hosts);
			}
}

#define CHECK(kinds, ...) \
	do { \
		const struct pair pairs[] = {__VA_ARGS__}; \
		check(kinds, pairs, sizeof(pairs) / sizeof(pairs[0])); \
	} while (0)

static void hosts_of_urls_are_found_in_text_and_html(void **state)
{
	(void)state;
	CHECK(AS_TEXT | AS_HTML, {"see http://example.com/a", "example.com"},
		{"https://example.com", "example.com"}, {"ftp://example.com/", "example.com"},
		{"HTTP://Example.COM/", "example.com"}, {"<http://example.com>", "example.com"},
		{"(http://example.com).", "example.com"}, {"http://example.com.", "example.com"},
		{"http://example.com:8080/", "example.com"},
		{"http://example.com?x", "example.com"}, {"http://example.com#x", "example.com"},
		{"http://a.example/http://b.example/", "a.example b.example"},
		{"http://a.example,http://b.example", "a.example b.example"},
		{"http://192.0.2.1/", "192.0.2.1"}, {"http://[2001:DB8::1]:80/", "2001:db8::1"},
		{"http://localhost/", "localhost"}, {"http://my_site.example", "my_site.example"});
}

static void what_is_no_url_has_no_host(void **state)
{
	(void)state;
	CHECK(AS_TEXT | AS_HTML, {"", ""}, {"http: //example.com", ""}, {"http://", ""},
		{"http:///", ""}, {"http://-/", ""}, {"http://a..b/", ""}, {"example.com", ""},
		{"mailto:a@example.com", ""}, {"awww.example.com", ""}, {"www.", ""},
		{"www.example", ""}, {"http://[::x]/", ""}, {"12:30 // a comment", ""},
		{"www.joe@example.com", ""});
	CHECK(AS_TEXT, {"http:/example.com", ""}, {"=\"//example.com\"", ""},
		{"http:\\\\example.com", ""});
}

static void each_host_is_told_once(void **state)
{
	(void)state;
	CHECK(AS_TEXT | AS_HTML,
		{"http://a.example http://b.example HTTP://A.example", "a.example b.example"});
}

static void a_name_that_begins_with_www_is_one(void **state)
{
	(void)state;
	CHECK(AS_TEXT | AS_HTML, {"www.example.com", "www.example.com"},
		{"at WWW.Example.com, yes", "www.example.com"},
		{"a line\nwww.example.com", "www.example.com"},
		{"http://www.example.com", "www.example.com"});
}

static void a_user_name_is_no_host(void **state)
{
	(void)state;
	CHECK(AS_TEXT | AS_HTML, {"http://good.example@bad.example/", "bad.example"},
		{"http://good.example:x@y@bad.example/", "bad.example"},
		{"http://good.example/@bad.example/", "good.example"});
}

static void a_long_user_name_hides_no_host(void **state)
{
	char text[3000];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "http://", 7);
	memcpy(text + 2900, "@bad.example/", 14);
	CHECK(AS_TEXT | AS_HTML, {text, "bad.example"});
}

static void names_are_a_labels(void **state)
{
	(void)state;
	CHECK(AS_TEXT | AS_HTML, {"http://b\u00fccher.example/", "xn--bcher-kva.example"},
		{"http://b%C3%BCcher.example/", "xn--bcher-kva.example"},
		{"http://ex%61mple.com/", "example.com"},
		{"\u201ehttp://example.com\u201d", "example.com"},
		{"http://example\u3002com/", "example.com"});
}

static void character_references_hide_nothing(void **state)
{
	(void)state;
	CHECK(AS_HTML, {"<a href=\"http&#58;//example.com\">", "example.com"},
		{"<a href=\"&#x68;ttp:&sol;&sol;example&period;com\">", "example.com"},
		{"<a href=\"http://example.com/?a=1&amp;b=http://b.example\">",
			"example.com b.example"},
		{"<a href=\"http://b&#252;cher.example\">", "xn--bcher-kva.example"},
		{"<a href=\"http://a.example&nbsp;x\">", "a.example"},
		{"&unknown;http://a.example", "a.example"}, {"http&#58", ""},
		{"<a href=\"&#104&#116tp://a.example\">", "a.example"});
	CHECK(AS_TEXT, {"http&#58;//example.com", ""}, {"http://a.example&amp;b", "a.example"});
}

static void html_is_read_as_browsers_do(void **state)
{
	(void)state;
	CHECK(AS_HTML, {"<img src=\"//a.example/x.png\">", "a.example"},
		{"<img src='//a.example'>", "a.example"}, {"<img src=//a.example>", "a.example"},
		{"<a href=\"http:\\\\a.example\\x\">", "a.example"},
		{"<a href=\"http:/a.example\">", "a.example"},
		{"<a href=\"http:///a.example\">", "a.example"},
		{"<a href=\"ht\r\ntp://a.exa\n\tmple\">", "a.example"},
		{"<a href='http://a.example'>x</a>", "a.example"},
		{"<a href=http://a.example>x</a>", "a.example"},
		{"<p style=\"background: url(//a.example/x)\">", "a.example"},
		{"http://a.example\nhttp://b.example", "a.example b.example"});
}

static void zero_bytes_are_left_out(void **state)
{
	static const char wide[] = "h\0t\0t\0p\0:\0/\0/\0a\0.\0b\0 \0";

	(void)state;
	assert_string_equal(hosts_of(wide, sizeof(wide) - 1, false, 1), "a.b");
	assert_string_equal(hosts_of(wide, sizeof(wide) - 1, true, SIZE_MAX), "a.b");
}

static void texts_are_apart_and_hosts_stay(void **state)
{
	struct log_urls urls = {.html = false};
	const char *host;

	(void)state;
	log_urls_begin(&urls, true);
	log_urls_add(&urls, (const unsigned char *)"http://a.example/ http:", 23);
	log_urls_end(&urls);
	log_urls_begin(&urls, false);
	log_urls_add(&urls, (const unsigned char *)"//b.example", 11);
	log_urls_end(&urls);
	host = log_hosts_next(&urls.hosts, NULL);
	assert_string_equal(host, "a.example");
	assert_null(log_hosts_next(&urls.hosts, host));
	log_hosts_free(&urls.hosts);
}

static void the_number_of_hosts_is_bounded(void **state)
{
	struct log_urls urls = {.html = false};
	size_t count = 0;

	(void)state;
	log_urls_begin(&urls, false);
	for (int i = 0; i <= LOG_HOSTS_MAX; i++) {
		char text[64];

		assert_false(urls.hosts.truncated);
		mg_str_format(text, sizeof(text), "http://h%d.example/ ", i);
		log_urls_add(&urls, (const unsigned char *)text, strlen(text));
	}
	assert_true(urls.hosts.truncated);
	for (const char *host = NULL; (host = log_hosts_next(&urls.hosts, host)) != NULL;)
		count++;
	assert_int_equal(count, LOG_HOSTS_MAX);
	log_hosts_free(&urls.hosts);
}

static void a_name_that_comes_often_is_read_once(void **state)
{
	static const char url[] = "http://b\u00fccher.example/ ";
	struct log_urls urls = {.html = false};

	(void)state;
	log_urls_begin(&urls, false);
	for (int i = 0; i < 5000; i++)
		log_urls_add(&urls, (const unsigned char *)url, strlen(url));
	assert_int_equal(urls.hosts.count, 1);
	assert_false(urls.hosts.truncated);
	log_hosts_free(&urls.hosts);
}

static void names_that_cost_much_are_bounded_and_that_is_told(void **state)
{
	static const char good[] = "http://good.example/";
	struct log_urls urls = {.html = false};

	(void)state;
	log_urls_begin(&urls, false);
	for (int i = 0; i < 2000; i++) {
		char text[64];

		mg_str_format(text, sizeof(text), "http://\xff%d.example/ ", i);
		log_urls_add(&urls, (const unsigned char *)text, strlen(text));
	}
	assert_true(urls.hosts.truncated);
	/* Others are still told. */
	log_urls_add(&urls, (const unsigned char *)good, strlen(good));
	assert_string_equal(log_hosts_next(&urls.hosts, NULL), "good.example");
	log_hosts_free(&urls.hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_of_urls_are_found_in_text_and_html),
		cmocka_unit_test(what_is_no_url_has_no_host),
		cmocka_unit_test(each_host_is_told_once),
		cmocka_unit_test(a_name_that_begins_with_www_is_one),
		cmocka_unit_test(a_user_name_is_no_host),
		cmocka_unit_test(a_long_user_name_hides_no_host),
		cmocka_unit_test(names_are_a_labels),
		cmocka_unit_test(character_references_hide_nothing),
		cmocka_unit_test(html_is_read_as_browsers_do),
		cmocka_unit_test(zero_bytes_are_left_out),
		cmocka_unit_test(texts_are_apart_and_hosts_stay),
		cmocka_unit_test(the_number_of_hosts_is_bounded),
		cmocka_unit_test(a_name_that_comes_often_is_read_once),
		cmocka_unit_test(names_that_cost_much_are_bounded_and_that_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "event/redact.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

#define KEY "0123456789abcdef0123456789abcdef"

static char key_path[64];

static void write_key(const char *bytes, size_t length, mode_t mode)
{
	int fd;

	unlink(key_path);
	fd = open(key_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	strcpy(key_path, "/tmp/millgate-redact-XXXXXX");
	fd = mkostemp(key_path, O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	write_key(KEY, strlen(KEY), 0640);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(key_path);
}

/* All classes one way. */
static struct mg_redact *all(enum mg_redact_way way)
{
	enum mg_redact_way ways[MG_PRIVACY_COUNT];
	struct mg_redact *redact;
	struct mg_error error = {""};

	for (size_t i = 0; i < MG_PRIVACY_COUNT; i++)
		ways[i] = way;
	redact = mg_redact_new(ways, key_path, &error);
	if (redact == NULL)
		fail_msg("%s", error.text);
	return redact;
}

static void expect(const struct mg_redact *redact, enum mg_privacy privacy, bool is_ip,
	const char *text, const char *expected)
{
	struct mg_buf out = {0};
	bool given = mg_redact_apply(redact, privacy, is_ip, text, strlen(text), &out);

	assert_int_equal(given, expected != NULL);
	if (expected != NULL)
		assert_string_equal(mg_buf_text(&out), expected);
	mg_buf_free(&out);
}

/* "h1-<keyid>-<16 hex of HMAC-SHA-256 of text>" and `behind`, computed apart from the code under
 * test. */
static const char *pseudonym(const char *text, const char *behind)
{
	static char result[128];
	unsigned char hash[EVP_MAX_MD_SIZE], mac[EVP_MAX_MD_SIZE];
	char key_id[5], hex[17];

	EVP_Digest(KEY, strlen(KEY), hash, NULL, EVP_sha256(), NULL);
	HMAC(EVP_sha256(), KEY, (int)strlen(KEY), (const unsigned char *)text, strlen(text), mac,
		NULL);
	mg_str_hex(key_id, hash, 2);
	mg_str_hex(hex, mac, 8);
	snprintf(result, sizeof result, "h1-%s-%s%s", key_id, hex, behind);
	return result;
}

static void without_settings_all_is_clear(void **state)
{
	(void)state;
	expect(NULL, MG_PRIVACY_RECIPIENTS, false, "Ann@Example.com", "Ann@Example.com");
	assert_true(mg_redact_is_clear(NULL, MG_PRIVACY_SUBJECT));
}

static void a_class_none_is_always_clear(void **state)
{
	struct mg_redact *redact = all(MG_REDACT_DROP);

	(void)state;
	expect(redact, MG_PRIVACY_NONE, false, "x", "x");
	expect(redact, MG_PRIVACY_SUBJECT, false, "x", NULL);
	assert_true(mg_redact_is_clear(redact, MG_PRIVACY_NONE));
	assert_false(mg_redact_is_clear(redact, MG_PRIVACY_SUBJECT));
	mg_redact_free(redact);
}

static void hmac_keeps_the_domain_of_an_address(void **state)
{
	struct mg_redact *redact = all(MG_REDACT_HMAC);

	(void)state;
	expect(redact, MG_PRIVACY_RECIPIENTS, false, "Ann@Example.com",
		pseudonym("ann@example.com", "@example.com"));
	expect(redact, MG_PRIVACY_SENDERS, false, "\"a@b\"@example.com",
		pseudonym("\"a@b\"@example.com", "@example.com"));
	expect(redact, MG_PRIVACY_SENDERS, false, "acme-app", pseudonym("acme-app", ""));
	mg_redact_free(redact);
}

static void hmac_of_other_text_shows_nothing_of_it(void **state)
{
	struct mg_redact *redact = all(MG_REDACT_HMAC);

	(void)state;
	expect(redact, MG_PRIVACY_SUBJECT, false, "Invoice@2026", pseudonym("invoice@2026", ""));
	expect(redact, MG_PRIVACY_SENDERS, false, "see me @ noon, room 4",
		pseudonym("see me @ noon, room 4", ""));
	expect(redact, MG_PRIVACY_CLIENT, false, "203.0.113.5:39204",
		pseudonym("203.0.113.5:39204", ""));
	mg_redact_free(redact);
}

/* Display names are of the class of senders, too. */
static void a_name_with_an_at_sign_shows_nothing_of_it(void **state)
{
	static const char *const names[] = {"Ann Smith @AnnSmith", "@AnnSmith", "Ann@Smith Ltd",
		"Ann (home)@Smith", "\"Ann\" @Smith", "\"@Smith"};
	struct mg_redact *hmac = all(MG_REDACT_HMAC), *mask = all(MG_REDACT_MASK);

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char lower[64];

		snprintf(lower, sizeof lower, "%s", names[i]);
		mg_str_lower(lower);
		expect(hmac, MG_PRIVACY_SENDERS, false, names[i], pseudonym(lower, ""));
		expect(mask, MG_PRIVACY_SENDERS, false, names[i], "*");
	}
	mg_redact_free(hmac);
	mg_redact_free(mask);
}

static void mask_keeps_the_domain_of_an_address_and_nothing_else(void **state)
{
	struct mg_redact *redact = all(MG_REDACT_MASK);

	(void)state;
	expect(redact, MG_PRIVACY_RECIPIENTS, false, "ann@example.com", "*@example.com");
	expect(redact, MG_PRIVACY_SENDERS, false, "Ann", "*");
	expect(redact, MG_PRIVACY_SENDERS, false, "ann@", "*");
	expect(redact, MG_PRIVACY_SUBJECT, false, "to ann@example.com", "*");
	expect(redact, MG_PRIVACY_NAMES, false, "q3.csv", "*");
	mg_redact_free(redact);
}

static void mask_keeps_the_network_of_a_client(void **state)
{
	struct mg_redact *redact = all(MG_REDACT_MASK);

	(void)state;
	expect(redact, MG_PRIVACY_CLIENT, true, "203.0.113.5", "203.0.113.0");
	expect(redact, MG_PRIVACY_CLIENT, true, "2001:db8:1:2ff:3::4", "2001:db8:1:200::");
	expect(redact, MG_PRIVACY_CLIENT, false, "203.0.113.5:39204", "203.0.113.0");
	expect(redact, MG_PRIVACY_CLIENT, false, "2001:db8:1:2ff:3:4:5:6:25", "2001:db8:1:200::");
	expect(redact, MG_PRIVACY_CLIENT, false, "2001:db8::1:25", "2001:db8::");
	expect(redact, MG_PRIVACY_CLIENT, false, "[2001:db8:1:2ff::4]:25", "2001:db8:1:200::");
	expect(redact, MG_PRIVACY_CLIENT, false, "2001:db8:1:2ff:3::4", "2001:db8:1:200::");
	expect(redact, MG_PRIVACY_CLIENT, false, "app1.acme.example", "*");
	expect(redact, MG_PRIVACY_CLIENT, false, "", "*");
	mg_redact_free(redact);
}

static void an_address_field_stays_an_address_or_is_left_out(void **state)
{
	struct mg_redact *redact = all(MG_REDACT_HMAC);

	(void)state;
	expect(redact, MG_PRIVACY_CLIENT, true, "203.0.113.5", "203.0.113.0");
	expect(redact, MG_PRIVACY_CLIENT, true, "no address", NULL);
	mg_redact_free(redact);
}

static void expect_refused(const char *path, const char *part)
{
	enum mg_redact_way ways[MG_PRIVACY_COUNT] = {[MG_PRIVACY_SUBJECT] = MG_REDACT_HMAC};
	struct mg_error error = {""};

	assert_null(mg_redact_new(ways, path, &error));
	if (strstr(error.text, part) == NULL || strstr(error.text, KEY) != NULL)
		fail_msg("%s", error.text);
}

static void a_key_is_refused_when_it_is_bad_or_others_can_read_it(void **state)
{
	char long_key[4097];

	(void)state;
	write_key(KEY, strlen(KEY), 0644);
	expect_refused(key_path, ": others can read it (644); mend: chmod 640 /tmp/");
	write_key(KEY, 15, 0600);
	expect_refused(key_path, "expected a key of 16 to 4096 bytes");
	memset(long_key, 'k', sizeof long_key);
	write_key(long_key, sizeof long_key, 0600);
	expect_refused(key_path, "expected a key of 16 to 4096 bytes");
	expect_refused("file:/nonexistent/key", "/nonexistent/key: No such file");
	expect_refused("/dev/null", "no regular file");
}

static void a_key_is_not_read_when_nothing_needs_it(void **state)
{
	enum mg_redact_way ways[MG_PRIVACY_COUNT] = {[MG_PRIVACY_SUBJECT] = MG_REDACT_MASK};
	struct mg_redact *redact = mg_redact_new(ways, "/nonexistent/key", NULL);

	(void)state;
	assert_non_null(redact);
	mg_redact_free(redact);
}

static void a_key_may_be_named_as_a_file(void **state)
{
	enum mg_redact_way ways[MG_PRIVACY_COUNT] = {[MG_PRIVACY_SUBJECT] = MG_REDACT_HMAC};
	char name[80];
	struct mg_redact *redact;

	(void)state;
	snprintf(name, sizeof name, "file:%s", key_path);
	redact = mg_redact_new(ways, name, NULL);
	assert_non_null(redact);
	expect(redact, MG_PRIVACY_SUBJECT, false, "x", pseudonym("x", ""));
	mg_redact_free(redact);
}

#define REDACT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REDACT_TEST(without_settings_all_is_clear),
		REDACT_TEST(a_class_none_is_always_clear),
		REDACT_TEST(hmac_keeps_the_domain_of_an_address),
		REDACT_TEST(hmac_of_other_text_shows_nothing_of_it),
		REDACT_TEST(a_name_with_an_at_sign_shows_nothing_of_it),
		REDACT_TEST(mask_keeps_the_domain_of_an_address_and_nothing_else),
		REDACT_TEST(mask_keeps_the_network_of_a_client),
		REDACT_TEST(an_address_field_stays_an_address_or_is_left_out),
		REDACT_TEST(a_key_is_refused_when_it_is_bad_or_others_can_read_it),
		REDACT_TEST(a_key_is_not_read_when_nothing_needs_it),
		REDACT_TEST(a_key_may_be_named_as_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* What signs a domain by its files alone; what DNS has to say is in dkim_keys_dns.c. */
#include "dkim/keys.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "key_place.h"
#include "keys_case.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif

static void put(const char *domain, const char *selector, int age)
{
	key_place_put(&here.place, domain, selector, key_place_rsa(0), age);
}

static void a_file_in_the_folder_of_a_domain_signs_it(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_int_equal(json_array_size(here.taken), 0);
}

static void both_algorithms_sign_rsa_first(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	key_place_put(&here.place, "example.org", "e1", key_place_ed25519(0), 200);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"),
		"example.org/s1 rsa-sha256, example.org/e1 ed25519-sha256");
}

static void without_dns_the_oldest_signs(void **state)
{
	(void)state;
	put("example.org", "new", 100);
	put("example.org", "old", 300);
	put("example.org", "middle", 200);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "example.org/old rsa-sha256");
}

static void a_subdomain_is_signed_by_the_nearest_parent_with_a_key(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	put("b.example.org", "s2", 100);
	key_place_domain(&here.place, "c.example.org");
	put("net", "s3", 100);
	keys_case_open();
	assert_string_equal(keys_case_signs("a.example.org"), "example.org/s1 rsa-sha256");
	assert_string_equal(keys_case_signs("a.b.example.org"), "b.example.org/s2 rsa-sha256");
	assert_string_equal(keys_case_signs("b.example.org"), "b.example.org/s2 rsa-sha256");
	assert_string_equal(keys_case_signs("c.example.org"), "example.org/s1 rsa-sha256");
	assert_string_equal(keys_case_signs("example.net"), "net/s3 rsa-sha256");
}

static void subdomains_can_be_left_unsigned(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	here.settings.subdomains = false;
	keys_case_open();
	assert_string_equal(keys_case_signs("a.example.org"), "no key");
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
}

static void domains_are_compared_by_whole_labels(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	keys_case_open();
	assert_string_equal(keys_case_signs("evil-example.org"), "no key");
	assert_string_equal(keys_case_signs("notexample.org"), "no key");
	assert_string_equal(keys_case_signs("example.org.evil.net"), "no key");
	assert_string_equal(keys_case_signs("xn--exmple-cua.org"), "no key");
}

static void what_is_no_domain_of_ldh_labels_is_told_apart(void **state)
{
	static const char *const bad[] = {"", ".", "..", "../keys/example.org", "/etc",
		"example.org/", "example..org", ".example.org", "example.org.", "Example.org",
		"-example.org", "example-.org", "ex_ample.org", "ex ample.org",
		"ex\xc3\xa4mple.org", "*.example.org", "example.org\n"};
	char longest[300];

	(void)state;
	put("example.org", "s1", 100);
	keys_case_open();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(keys_case_signs(bad[i]), "bad domain");
	memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	assert_string_equal(keys_case_signs(longest), "bad domain");
	for (size_t i = 0; i < 254; i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[254] = '\0';
	assert_string_equal(keys_case_signs(longest), "bad domain");
	longest[253] = '\0';
	assert_string_equal(keys_case_signs(longest), "no key");
}

static void a_new_key_of_a_domain_without_folder_is_seen_at_once(void **state)
{
	(void)state;
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "no key");
	put("example.org", "s1", 0);
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
}

static void added_changed_and_removed_files_are_seen_after_a_second(void **state)
{
	struct mg_dkim_key *key;

	(void)state;
	put("example.org", "s1", 100);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	key_place_put(&here.place, "example.org", "e1", key_place_ed25519(0), 0);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"),
		"example.org/s1 rsa-sha256, example.org/e1 ed25519-sha256");

	key_place_put(&here.place, "example.org", "e1", key_place_ed25519(1), 0);
	keys_case_pass_a_second();
	key = dkim_keys_find(here.keys, "example.org", "e1");
	assert_string_equal(mg_dkim_key_public(key), mg_dkim_key_public(key_place_ed25519(1)));
	mg_dkim_key_release(key);

	key_place_drop(&here.place, "example.org", "s1");
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "example.org/e1 ed25519-sha256");
	key_place_drop(&here.place, "example.org", "e1");
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "gone");
	assert_int_equal(rmdir(key_place_path(&here.place, "example.org", NULL)), 0);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "no key");
}

/* Twice within a tick of the kernel's clock, without a change of size. */
static void a_change_right_after_a_look_is_seen(void **state)
{
	struct mg_dkim_key *key;

	(void)state;
	for (int i = 0; i < 50; i++) {
		key_place_put(&here.place, "example.org", "e1", key_place_ed25519(i % 2), 0);
		if (!here.keys)
			keys_case_open();
		keys_case_pass_a_second();
		key = dkim_keys_find(here.keys, "example.org", "e1");
		assert_string_equal(
			mg_dkim_key_public(key), mg_dkim_key_public(key_place_ed25519(i % 2)));
		mg_dkim_key_release(key);
	}
}

static void the_whole_folder_can_be_replaced(void **state)
{
	char old[PLACE_PATH];

	(void)state;
	put("example.org", "s1", 100);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	snprintf(old, sizeof(old), "%s/old", here.place.top);
	assert_int_equal(rename(here.place.folder, old), 0);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "unreadable");
	assert_int_equal(mkdir(here.place.folder, 0755), 0);
	put("example.org", "s2", 100);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s2 rsa-sha256");
}

static void a_folder_that_is_not_there_is_a_wrong_setting(void **state)
{
	struct mg_error error = {""};
	char missing[PLACE_PATH];

	(void)state;
	snprintf(missing, sizeof(missing), "%s/missing", here.place.top);
	here.settings.folder = missing;
	assert_null(dkim_keys_open(&here.settings, NULL, &here.clock, here.events, false, &error));
	assert_non_null(strstr(error.text, "missing: No such file or directory"));
}

static void a_key_others_can_read_is_refused_once_and_taken_when_mended(void **state)
{
	char path[PLACE_PATH], mend[2 * PLACE_PATH];

	(void)state;
	put("example.org", "e1", 100);
	snprintf(path, sizeof(path), "%s", key_place_path(&here.place, "example.org", "e1.pem"));
	assert_int_equal(chmod(path, 0644), 0);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "refused");
	assert_string_equal(
		keys_case_reason(), "keys/example.org/e1.pem: others can read it (644)");
	assert_int_equal(keys_case_events("key-refused"), 1);
	assert_string_equal(keys_case_event("key-refused", "event.code"), "key-mode");
	assert_string_equal(keys_case_event("key-refused", "millgate.dkim.domain"), "example.org");
	assert_string_equal(keys_case_event("key-refused", "millgate.dkim.selector"), "e1");
	assert_string_equal(keys_case_event("key-refused", "millgate.dkim.path"), path);
	snprintf(mend, sizeof(mend),
		"others can read it (644); owner root:root; mend: chmod 640 %s", path);
	assert_string_equal(keys_case_event("key-refused", "event.reason"), mend);

	for (int i = 0; i < 5; i++) {
		keys_case_pass_a_second();
		assert_string_equal(keys_case_signs("example.org"), "refused");
	}
	assert_int_equal(keys_case_events("key-refused"), 1);
	assert_int_equal(chmod(path, 0640), 0);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "example.org/e1 rsa-sha256");
	assert_int_equal(chmod(path, 0660 | S_IWOTH), 0);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "refused");
	assert_int_equal(keys_case_events("key-refused"), 2);
}

static void a_refused_key_leaves_the_others_of_its_domain(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	put("example.org", "s2", 200);
	assert_int_equal(chmod(key_place_path(&here.place, "example.org", "s2.pem"), 0644), 0);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_int_equal(keys_case_events("key-refused"), 1);
}

static void a_subdomain_with_a_refused_key_is_not_signed_by_its_parent(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	put("a.example.org", "s2", 100);
	assert_int_equal(chmod(key_place_path(&here.place, "a.example.org", "s2.pem"), 0644), 0);
	keys_case_open();
	assert_string_equal(keys_case_signs("a.example.org"), "refused");
}

static void a_folder_others_can_write_refuses_all_its_keys(void **state)
{
	char path[PLACE_PATH];

	(void)state;
	put("example.org", "s1", 100);
	snprintf(path, sizeof(path), "%s", key_place_path(&here.place, "example.org", NULL));
	assert_int_equal(chmod(path, 0777), 0);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "refused");
	assert_string_equal(keys_case_reason(), "keys/example.org: others can write it (777)");
	assert_int_equal(keys_case_events("key-refused"), 1);
	assert_string_equal(keys_case_event("key-refused", "millgate.dkim.path"), path);
	assert_int_equal(chmod(here.place.folder, 0777), 0);
	assert_int_equal(chmod(path, 0755), 0);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "refused");
	assert_string_equal(keys_case_reason(), "keys: others can write it (777)");
	assert_int_equal(chmod(here.place.folder, 0755), 0);
	keys_case_pass_a_second();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
}

static void a_short_rsa_key_is_refused_by_the_settings(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	here.settings.minimum_bits = 2048;
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "refused");
	assert_string_equal(
		keys_case_reason(), "example.org/s1: RSA of 1024 bits; minimum_bits is 2048");
	assert_string_equal(keys_case_signs("example.org"), "refused");
	assert_int_equal(keys_case_events("key-refused"), 1);
	assert_string_equal(keys_case_event("key-refused", "event.code"), "key-bits");
	here.settings.minimum_bits = 1024;
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
}

static void what_is_no_key_is_refused(void **state)
{
	(void)state;
	key_place_write(&here.place, "example.org", "s1.pem", "no key\n", 7, 0640);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "refused");
	assert_string_equal(keys_case_event("key-refused", "event.code"), "key-bad");
}

static void other_files_are_passed_over(void **state)
{
	(void)state;
	put("example.org", "s1", 100);
	key_place_write(&here.place, "example.org", "s1.txt", "v=DKIM1", 7, 0644);
	key_place_write(&here.place, "example.org", "no selector.pem", "x", 1, 0644);
	key_place_write(&here.place, "example.org", "-.pem", "x", 1, 0644);
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
	assert_int_equal(json_array_size(here.taken), 0);
}

static void pinned_selectors_sign_and_no_others(void **state)
{
	static const char *const pinned[] = {"old", "E1"};

	(void)state;
	put("example.org", "new", 100);
	put("example.org", "old", 300);
	key_place_put(&here.place, "example.org", "e1", key_place_ed25519(0), 0);
	put("example.net", "new", 100);
	here.settings.selectors = pinned;
	here.settings.selector_count = 2;
	keys_case_open();
	assert_string_equal(keys_case_signs("example.org"),
		"example.org/old rsa-sha256, example.org/e1 ed25519-sha256");
	assert_string_equal(keys_case_signs("example.net"), "no key");
	assert_string_equal(
		keys_case_reason(), "example.net: no key of the selectors that are set");
}

static void a_key_is_found_by_selector_in_any_case(void **state)
{
	struct mg_dkim_key *key;

	(void)state;
	put("example.org", "S2026", 100);
	keys_case_open();
	key = dkim_keys_find(here.keys, "Example.ORG", "s2026");
	assert_non_null(key);
	mg_dkim_key_release(key);
	assert_null(dkim_keys_find(here.keys, "example.org", "s2027"));
	assert_null(dkim_keys_find(here.keys, "a.example.org", "s2026"));
	assert_null(dkim_keys_find(here.keys, "../example.org", "s2026"));
}

static void stores_of_one_folder_share_what_they_know(void **state)
{
	struct dkim_keys *other;
	struct mg_dkim_key *one, *same;

	(void)state;
	put("example.org", "s1", 100);
	keys_case_open();
	one = dkim_keys_find(here.keys, "example.org", "s1");
	other = dkim_keys_open(&here.settings, NULL, &here.clock, here.events, false, NULL);
	assert_non_null(other);
	same = dkim_keys_find(other, "example.org", "s1");
	assert_ptr_equal(one, same);
	mg_dkim_key_release(one);
	mg_dkim_key_release(same);
	dkim_keys_close(other);
	assert_string_equal(keys_case_signs("example.org"), "example.org/s1 rsa-sha256");
}

static size_t open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void descriptors_do_not_grow_with_use(void **state)
{
	size_t before;
	char domain[32];

	(void)state;
	keys_case_open();
	before = open_descriptors();
	for (int i = 0; i < 100; i++) {
		snprintf(domain, sizeof(domain), "d%d.example.org", i);
		put(domain, "s1", 100);
		keys_case_pass_a_second();
		assert_string_not_equal(keys_case_signs(domain), "no key");
		assert_string_equal(keys_case_signs("example.net"), "no key");
	}
	assert_int_equal(open_descriptors(), before);
}

static long resident_pages(void)
{
	FILE *stream = fopen("/proc/self/statm", "r");
	long size, resident;

	assert_non_null(stream);
	assert_int_equal(fscanf(stream, "%ld %ld", &size, &resident), 2);
	fclose(stream);
	return resident;
}

/* The keys are links to one file, for time's sake. */
static void only_domains_in_use_take_memory(void **state)
{
	enum { FOLDERS = 1000, USED = 100, PAGES_EACH = 4 };
	char first[PLACE_PATH], domain[32];
	long before, opened;

	(void)state;
	put("first.example", "s1", 100);
	snprintf(
		first, sizeof(first), "%s", key_place_path(&here.place, "first.example", "s1.pem"));
	for (int i = 0; i < FOLDERS; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		key_place_domain(&here.place, domain);
		assert_int_equal(link(first, key_place_path(&here.place, domain, "s1.pem")), 0);
	}
	before = resident_pages();
	keys_case_open();
	opened = resident_pages();
	assert_in_range(opened - before, 0, 50);
	for (int i = 0; i < USED; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		assert_string_not_equal(keys_case_signs(domain), "no key");
	}
#ifndef WITH_ASAN
	/* AddressSanitizer keeps what is freed. */
	assert_in_range(resident_pages() - opened, 0, USED * PAGES_EACH);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYS_TEST(a_file_in_the_folder_of_a_domain_signs_it),
		KEYS_TEST(both_algorithms_sign_rsa_first),
		KEYS_TEST(without_dns_the_oldest_signs),
		KEYS_TEST(a_subdomain_is_signed_by_the_nearest_parent_with_a_key),
		KEYS_TEST(subdomains_can_be_left_unsigned),
		KEYS_TEST(domains_are_compared_by_whole_labels),
		KEYS_TEST(what_is_no_domain_of_ldh_labels_is_told_apart),
		KEYS_TEST(a_new_key_of_a_domain_without_folder_is_seen_at_once),
		KEYS_TEST(added_changed_and_removed_files_are_seen_after_a_second),
		KEYS_TEST(a_change_right_after_a_look_is_seen),
		KEYS_TEST(the_whole_folder_can_be_replaced),
		KEYS_TEST(a_folder_that_is_not_there_is_a_wrong_setting),
		KEYS_TEST(a_key_others_can_read_is_refused_once_and_taken_when_mended),
		KEYS_TEST(a_refused_key_leaves_the_others_of_its_domain),
		KEYS_TEST(a_subdomain_with_a_refused_key_is_not_signed_by_its_parent),
		KEYS_TEST(a_folder_others_can_write_refuses_all_its_keys),
		KEYS_TEST(a_short_rsa_key_is_refused_by_the_settings),
		KEYS_TEST(what_is_no_key_is_refused),
		KEYS_TEST(other_files_are_passed_over),
		KEYS_TEST(pinned_selectors_sign_and_no_others),
		KEYS_TEST(a_key_is_found_by_selector_in_any_case),
		KEYS_TEST(stores_of_one_folder_share_what_they_know),
		KEYS_TEST(descriptors_do_not_grow_with_use),
		KEYS_TEST(only_domains_in_use_take_memory),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	key_place_end();
	return failed;
}

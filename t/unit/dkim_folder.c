/* SPDX-License-Identifier: ISC */
/* The folder of keys on disk: names, who may read and write what, what is read. */
#include "auth/dkim_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/dkim_domain.h"
#include "auth/dkim_trust.h"
#include "base/str.h"
#include "key_place.h"

enum { SIGNER = 4321, SIGNERS = 8765, STRANGER = 2345, STRANGERS = 6789 };

#define PLACE_TEST(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static struct key_place place;
static struct mg_dkim_folder *folder;
static struct mg_dkim_domain *domain;

static int make_place(void **state)
{
	(void)state;
	key_place_make(&place);
	return 0;
}

static int remove_place(void **state)
{
	(void)state;
	mg_dkim_domain_free(domain);
	mg_dkim_folder_close(folder);
	domain = NULL;
	folder = NULL;
	key_place_remove(&place);
	return 0;
}

static void open_as(const struct mg_dkim_trust *trust, const char *path)
{
	struct mg_error error = {""};

	mg_dkim_folder_close(folder);
	folder = mg_dkim_folder_open(path, trust, &error);
	assert_string_equal(error.text, "");
}

static void open_folder(void)
{
	struct mg_dkim_trust self = mg_dkim_trust_self();

	open_as(&self, place.folder);
}

static void read_domain(const char *name)
{
	struct mg_error error = {""};

	mg_dkim_domain_free(domain);
	domain = NULL;
	assert_int_equal(mg_dkim_domain_read(folder, name, NULL, &domain, &error), MG_DKIM_FOUND);
}

/* "CODE: what" of a fault, "" for none. */
static const char *fault_text(const struct mg_dkim_fault *fault)
{
	static char text[512];

	mg_str_format(text, sizeof(text), "%s%s%s", fault ? fault->code : "", fault ? ": " : "",
		fault ? fault->what : "");
	return text;
}

static void put(const char *name, const char *selector, int age)
{
	key_place_put(&place, name, selector, key_place_ed25519(0), age);
}

/* --- names --- */

static void selectors_are_ldh_labels_of_64_octets(void **state)
{
	static const char *const good[] = {"s1", "S1", "2026", "a-b", "a.b.c", "x"};
	static const char *const bad[] = {
		"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b", "a/b", "\xc3\xa4", "a-.b"};
	char text[MG_DKIM_SELECTOR_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(mg_dkim_is_selector(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mg_dkim_is_selector(bad[i]));
	memset(text, 'a', sizeof(text));
	text[32] = '.';
	text[MG_DKIM_SELECTOR_MAX + 1] = '\0';
	assert_false(mg_dkim_is_selector(text));
	text[MG_DKIM_SELECTOR_MAX] = '\0';
	assert_true(mg_dkim_is_selector(text));
}

static void a_file_name_is_a_selector_and_pem(void **state)
{
	static const char *const bad[] = {
		".pem", "s1", "s1.PEM", "s1.pem~", "s1.pem.bak", "s 1.pem", "s1.txt", "-.pem", ""};
	char selector[MG_DKIM_SELECTOR_MAX + 1], name[128];

	(void)state;
	assert_true(mg_dkim_file_selector("s1.pem", selector));
	assert_string_equal(selector, "s1");
	assert_true(mg_dkim_file_selector("a.b.pem", selector));
	assert_string_equal(selector, "a.b");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(mg_dkim_file_selector(bad[i], selector));
		assert_string_equal(selector, "");
	}
	memset(name, 'a', sizeof(name));
	memcpy(name + 100, ".pem", 5);
	assert_false(mg_dkim_file_selector(name, selector));
}

/* --- who may read and write: of a file that is someone's --- */

static const struct mg_dkim_trust signer = {.user = SIGNER, .group = SIGNERS};

static struct stat status_of(mode_t mode, uid_t user, gid_t group)
{
	struct stat status = {0};

	status.st_mode = mode;
	status.st_uid = user;
	status.st_gid = group;
	return status;
}

static void a_key_is_read_by_its_owner_and_group_and_written_by_root_or_who_signs(void **state)
{
	static const struct {
		mode_t mode;
		uid_t user;
		gid_t group;
		const char *fault;
	} rows[] = {
		{0640, 0, SIGNERS, ""},
		{0600, 0, 0, ""},
		{0440, 0, STRANGERS, ""},
		{0600, SIGNER, SIGNERS, ""},
		{0660, 0, SIGNERS, ""},
		{0644, 0, SIGNERS, "key-mode: others can read it (644)"},
		{0641, 0, SIGNERS, "key-mode: others can execute it (641)"},
		{0642, 0, SIGNERS, "key-mode: others can write it (642)"},
		{0666, 0, SIGNERS, "key-mode: others can write it (666)"},
		{0660, 0, STRANGERS, "key-mode: group 6789 can write it (660)"},
		{0640, STRANGER, SIGNERS,
			"key-owner: user 2345 can read and write it, whose file it is (640)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat status = status_of(S_IFREG | rows[i].mode, rows[i].user, rows[i].group);
		struct mg_dkim_fault fault = {0};
		bool good = mg_dkim_trust_file(&signer, "/k", &status, &fault);

		assert_string_equal(fault_text(good ? NULL : &fault), rows[i].fault);
	}
}

static void a_folder_is_written_by_root_or_who_signs_and_others_in_a_sticky_one_above(void **state)
{
	static const struct {
		mode_t mode;
		uid_t user;
		gid_t group;
		bool above;
		const char *fault;
	} rows[] = {
		{0755, 0, 0, false, ""},
		{0750, 0, SIGNERS, false, ""},
		{0700, SIGNER, SIGNERS, false, ""},
		{0775, 0, SIGNERS, false, ""},
		{0777, 0, 0, false, "key-mode: others can write it (777)"},
		{01777, 0, 0, false, "key-mode: others can write it (1777)"},
		{01777, 0, 0, true, ""},
		{0777, 0, 0, true, "key-mode: others can write it (777)"},
		{0775, 0, STRANGERS, true, "key-mode: group 6789 can write it (775)"},
		{01775, 0, STRANGERS, true, ""},
		{0755, STRANGER, 0, true,
			"key-owner: user 2345 can write it, whose folder it is (755)"},
		{01777, STRANGER, 0, true,
			"key-owner: user 2345 can write it, whose folder it is (1777)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat status = status_of(S_IFDIR | rows[i].mode, rows[i].user, rows[i].group);
		struct mg_dkim_fault fault = {0};
		bool good = mg_dkim_trust_folder(&signer, "/k", &status, rows[i].above, &fault);

		assert_string_equal(fault_text(good ? NULL : &fault), rows[i].fault);
	}
}

/* What it takes until the daemon can read it, too. */
static void the_mend_is_the_commands_that_put_it_in_order(void **state)
{
	static const struct {
		mode_t mode;
		uid_t user;
		gid_t group;
		const char *mend;
	} rows[] = {
		{0644, 0, SIGNERS, "chmod 640 /k"},
		{0644, 0, 0, "chgrp 8765 /k && chmod 640 /k"},
		{0640, STRANGER, SIGNERS, "chown root /k"},
		{0666, STRANGER, STRANGERS, "chown root /k && chgrp 8765 /k && chmod 640 /k"},
		{0644, SIGNER, STRANGERS, "chmod 640 /k"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat status = status_of(S_IFREG | rows[i].mode, rows[i].user, rows[i].group);
		struct mg_dkim_fault fault = {0};

		assert_false(mg_dkim_trust_file(&signer, "/k", &status, &fault));
		assert_string_equal(fault.mend, rows[i].mend);
	}
}

static void who_signs_reads_by_its_own_user_or_group_bits(void **state)
{
	static const struct {
		mode_t mode;
		uid_t user;
		gid_t group;
		bool readable;
	} rows[] = {
		{S_IFREG | 0640, 0, SIGNERS, true},
		{S_IFREG | 0640, 0, 0, false},
		{S_IFREG | 0600, SIGNER, 0, true},
		{S_IFREG | 0040, SIGNER, SIGNERS, false},
		{S_IFREG | 0604, 0, SIGNERS, false},
		{S_IFDIR | 0750, 0, SIGNERS, true},
		{S_IFDIR | 0740, 0, SIGNERS, false},
		{S_IFDIR | 0755, 0, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stat status = status_of(rows[i].mode, rows[i].user, rows[i].group);

		assert_int_equal(mg_dkim_trust_readable(&signer, &status), rows[i].readable);
	}
}

/* --- the folder --- */

static void a_folder_above_that_others_can_write_is_named(void **state)
{
	(void)state;
	open_folder();
	assert_null(folder->fault);
	assert_int_equal(chmod(place.top, 0777), 0);
	open_folder();
	assert_non_null(folder->fault);
	assert_string_equal(fault_text(folder->fault), "key-mode: others can write it (777)");
	assert_string_equal(folder->fault->path, place.top);
	assert_string_equal(mg_dkim_folder_shown(folder, folder->fault->path), place.top);
	assert_non_null(strstr(folder->fault->mend, "chmod go-w /tmp/mg-keys-"));
	assert_int_equal(chmod(place.top, 01777), 0);
	open_folder();
	assert_null(folder->fault);
}

static void links_on_the_way_are_followed_and_judged(void **state)
{
	struct mg_dkim_trust self = mg_dkim_trust_self();
	char open[PLACE_PATH], link[PLACE_PATH], other[PLACE_PATH];

	(void)state;
	put("example.org", "s1", 10);
	snprintf(open, sizeof(open), "%s/open", place.top);
	snprintf(link, sizeof(link), "%s/open/keys", place.top);
	snprintf(other, sizeof(other), "%s/other", place.top);
	assert_int_equal(mkdir(open, 0755), 0);
	assert_int_equal(symlink("../keys", link), 0);
	assert_int_equal(symlink(link, other), 0);
	open_as(&self, other);
	assert_null(folder->fault);
	read_domain("example.org");
	assert_int_equal(domain->key_count, 1);
	/* The folder that has the second link. */
	assert_int_equal(chmod(open, 0777), 0);
	open_as(&self, other);
	assert_non_null(folder->fault);
	assert_string_equal(folder->fault->path, open);
}

static void a_circle_of_links_is_an_error(void **state)
{
	struct mg_dkim_trust self = mg_dkim_trust_self();
	struct mg_error error;
	char link[PLACE_PATH];

	(void)state;
	snprintf(link, sizeof(link), "%s/circle", place.top);
	assert_int_equal(symlink("circle", link), 0);
	assert_null(mg_dkim_folder_open(link, &self, &error));
	assert_int_equal(errno, ELOOP);
}

static void messages_name_paths_from_the_folder_of_keys_on(void **state)
{
	char path[PLACE_PATH];

	(void)state;
	open_folder();
	snprintf(path, sizeof(path), "%s/a/b.pem", place.folder);
	assert_string_equal(mg_dkim_folder_shown(folder, path), "keys/a/b.pem");
	assert_string_equal(mg_dkim_folder_shown(folder, place.folder), "keys");
	snprintf(path, sizeof(path), "%s-old", place.folder);
	assert_string_equal(mg_dkim_folder_shown(folder, path), path);
}

static bool count_name(void *context, const char *name)
{
	assert_true(name[0] != '.');
	++*(int *)context;
	return true;
}

static void a_list_has_every_name_each_time(void **state)
{
	int count = 0;
	struct mg_error error;

	(void)state;
	key_place_domain(&place, "example.org");
	key_place_domain(&place, "no domain");
	key_place_domain(&place, ".hidden");
	open_folder();
	assert_true(mg_dkim_folder_list(folder, count_name, &count, &error));
	assert_true(mg_dkim_folder_list(folder, count_name, &count, &error));
	assert_int_equal(count, 4);
}

/* --- a domain --- */

static void set_mtime(const char *name, time_t second)
{
	struct timespec times[2] = {{.tv_sec = second}, {.tv_sec = second}};

	assert_int_equal(
		utimensat(AT_FDCWD, key_place_path(&place, "example.org", name), times, 0), 0);
}

static void files_come_newest_first_and_others_last(void **state)
{
	static const char *const order[] = {
		"new.pem", "b.pem", "a.pem", "old.pem", "README", "x.txt"};

	(void)state;
	put("example.org", "old", 300);
	put("example.org", "new", 100);
	put("example.org", "a", 200);
	put("example.org", "b", 200);
	key_place_write(&place, "example.org", "x.txt", "x", 1, 0644);
	key_place_write(&place, "example.org", "README", "x", 1, 0644);
	set_mtime("a.pem", 1700000000);
	set_mtime("b.pem", 1700000000);
	set_mtime("old.pem", 1600000000);
	open_folder();
	read_domain("example.org");
	assert_int_equal(domain->count, 6);
	assert_int_equal(domain->key_count, 4);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(domain->files[i].name, order[i]);
}

static const char *only_fault(const char *name)
{
	open_folder();
	read_domain(name);
	assert_int_equal(domain->key_count, 1);
	return fault_text(domain->files[0].fault);
}

static void links_and_other_kinds_of_files_are_refused(void **state)
{
	char target[PLACE_PATH];

	(void)state;
	put("example.org", "s1", 10);
	snprintf(target, sizeof(target), "%s", key_place_path(&place, "example.org", "s1.pem"));
	key_place_domain(&place, "link.example");
	assert_int_equal(symlink(target, key_place_path(&place, "link.example", "s1.pem")), 0);
	assert_string_equal(only_fault("link.example"), "key-kind: is a symbolic link");
	key_place_domain(&place, "fifo.example");
	assert_int_equal(mkfifo(key_place_path(&place, "fifo.example", "s1.pem"), 0640), 0);
	assert_string_equal(only_fault("fifo.example"), "key-kind: is no regular file");
	key_place_domain(&place, "folder.example");
	assert_int_equal(mkdir(key_place_path(&place, "folder.example", "s1.pem"), 0750), 0);
	assert_string_equal(only_fault("folder.example"), "key-kind: is no regular file");
}

static void the_folder_of_a_domain_is_no_link(void **state)
{
	(void)state;
	put("example.org", "s1", 10);
	assert_int_equal(
		symlink("example.org", key_place_path(&place, "www.example.org", NULL)), 0);
	open_folder();
	read_domain("www.example.org");
	assert_string_equal(fault_text(domain->fault), "key-kind: is a symbolic link");
	assert_int_equal(domain->count, 0);
}

static void a_file_named_as_a_domain_is_no_folder(void **state)
{
	struct mg_error error;
	FILE *stream = fopen(key_place_path(&place, "example.org", NULL), "w");

	(void)state;
	assert_non_null(stream);
	fclose(stream);
	open_folder();
	assert_int_equal(mg_dkim_domain_look(folder, "example.org", &error), MG_DKIM_ABSENT);
	assert_int_equal(mg_dkim_domain_look(folder, "example.net", &error), MG_DKIM_ABSENT);
}

static void a_file_over_64_kib_is_no_key(void **state)
{
	char *bytes = calloc(1, MG_DKIM_PEM_MAX + 1);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, '\n', MG_DKIM_PEM_MAX + 1);
	key_place_write(&place, "example.org", "s1.pem", bytes, MG_DKIM_PEM_MAX + 1, 0640);
	free(bytes);
	assert_string_equal(only_fault("example.org"), "key-bad: over 64 KiB: no key");
}

static void an_empty_file_is_no_key(void **state)
{
	(void)state;
	key_place_write(&place, "example.org", "s1.pem", "", 0, 0640);
	only_fault("example.org");
	assert_string_equal(domain->files[0].fault->code, "key-bad");
}

static void a_refused_key_is_read_for_a_look_only(void **state)
{
	(void)state;
	put("example.org", "s1", 10);
	assert_int_equal(chmod(key_place_path(&place, "example.org", "s1.pem"), 0644), 0);
	open_folder();
	read_domain("example.org");
	assert_null(domain->files[0].key);
	folder->inspect = true;
	read_domain("example.org");
	assert_non_null(domain->files[0].key);
	assert_string_equal(fault_text(mg_dkim_file_fault(domain, &domain->files[0])),
		"key-mode: others can read it (644)");
}

static void a_key_that_the_daemon_cannot_read_is_seen_by_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	put("example.org", "s1", 10);
	open_as(&signer, place.folder);
	read_domain("example.org");
	assert_string_equal(
		fault_text(domain->files[0].fault), "key-unreadable: 4321 cannot read it (640)");
	assert_non_null(strstr(domain->files[0].fault->mend, "chgrp 8765 "));
	assert_false(domain->settled);
	assert_int_equal(chown(key_place_path(&place, "example.org", "s1.pem"), 0, SIGNERS), 0);
	read_domain("example.org");
	assert_null(domain->files[0].fault);
	assert_int_equal(
		chown(key_place_path(&place, "example.org", "s1.pem"), STRANGER, SIGNERS), 0);
	read_domain("example.org");
	assert_string_equal(domain->files[0].fault->code, "key-owner");
}

static void over_a_thousand_files_are_refused(void **state)
{
	char name[32];

	(void)state;
	key_place_domain(&place, "example.org");
	for (int i = 0; i < MG_DKIM_FILES_MAX + 1; i++) {
		snprintf(name, sizeof(name), "%d.txt", i);
		assert_int_equal(
			symlink("nothing", key_place_path(&place, "example.org", name)), 0);
	}
	open_folder();
	read_domain("example.org");
	assert_string_equal(fault_text(domain->fault), "key-kind: holds over 1,000 files");
}

static void a_key_that_has_not_changed_is_not_read_again(void **state)
{
	struct mg_dkim_domain *again = NULL;
	struct mg_error error;

	(void)state;
	put("example.org", "s1", 10);
	open_folder();
	read_domain("example.org");
	/* As if it had been read long after it was written. */
	domain->settled = domain->files[0].settled = true;
	assert_true(mg_dkim_domain_current(folder, domain));
	put("example.org", "s2", 10);
	assert_false(mg_dkim_domain_current(folder, domain));
	assert_int_equal(
		mg_dkim_domain_read(folder, "example.org", domain, &again, &error), MG_DKIM_FOUND);
	assert_int_equal(again->key_count, 2);
	assert_string_equal(again->files[1].selector, "s1");
	assert_ptr_equal(again->files[1].key, domain->files[0].key);
	assert_ptr_not_equal(again->files[0].key, domain->files[0].key);
	mg_dkim_domain_free(again);
}

static void every_change_of_a_file_is_seen(void **state)
{
	char path[PLACE_PATH];

	(void)state;
	put("example.org", "s1", 10);
	snprintf(path, sizeof(path), "%s", key_place_path(&place, "example.org", "s1.pem"));
	open_folder();
	for (int change = 0; change < 4; change++) {
		read_domain("example.org");
		domain->settled = true;
		assert_true(mg_dkim_domain_current(folder, domain));
		switch (change) {
		case 0: assert_int_equal(chmod(path, 0600), 0); break;
		case 1: put("example.org", "s1", 10); break;
		case 2: assert_int_equal(truncate(path, 10), 0); break;
		case 3: key_place_drop(&place, "example.org", "s1"); break;
		}
		assert_false(mg_dkim_domain_current(folder, domain));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_are_ldh_labels_of_64_octets),
		cmocka_unit_test(a_file_name_is_a_selector_and_pem),
		cmocka_unit_test(
			a_key_is_read_by_its_owner_and_group_and_written_by_root_or_who_signs),
		cmocka_unit_test(
			a_folder_is_written_by_root_or_who_signs_and_others_in_a_sticky_one_above),
		cmocka_unit_test(the_mend_is_the_commands_that_put_it_in_order),
		cmocka_unit_test(who_signs_reads_by_its_own_user_or_group_bits),
		PLACE_TEST(a_folder_above_that_others_can_write_is_named),
		PLACE_TEST(links_on_the_way_are_followed_and_judged),
		PLACE_TEST(a_circle_of_links_is_an_error),
		PLACE_TEST(messages_name_paths_from_the_folder_of_keys_on),
		PLACE_TEST(a_list_has_every_name_each_time),
		PLACE_TEST(files_come_newest_first_and_others_last),
		PLACE_TEST(links_and_other_kinds_of_files_are_refused),
		PLACE_TEST(the_folder_of_a_domain_is_no_link),
		PLACE_TEST(a_file_named_as_a_domain_is_no_folder),
		PLACE_TEST(a_file_over_64_kib_is_no_key),
		PLACE_TEST(an_empty_file_is_no_key),
		PLACE_TEST(a_refused_key_is_read_for_a_look_only),
		PLACE_TEST(a_key_that_the_daemon_cannot_read_is_seen_by_root),
		PLACE_TEST(over_a_thousand_files_are_refused),
		PLACE_TEST(a_key_that_has_not_changed_is_not_read_again),
		PLACE_TEST(every_change_of_a_file_is_seen),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	key_place_end();
	return failed;
}

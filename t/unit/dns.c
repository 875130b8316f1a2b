/* SPDX-License-Identifier: ISC */
/* Names and types, answers from a case, the recorder, and which servers are asked. */
#include "base/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/dns_case.h"
#include "base/dns_record.h"
#include "base/dns_servers.h"
#include "base/str.h"

static struct mg_errors errors;

/* A row of one value, or of a failure. */
#define ROW(question, value) \
	{ \
		question, NULL, (const char *const[]){value}, 1 \
	}
#define FAILURE(question, word) \
	{ \
		question, word, NULL, 0 \
	}

static struct mg_dns *case_of(const struct mg_dns_row *rows, size_t count)
{
	struct mg_dns *dns = mg_dns_case_new(rows, count, &errors);

	if (dns == NULL)
		fail_msg("%s", errors.list[0].text);
	return dns;
}

#define CASE(rows) case_of(rows, sizeof(rows) / sizeof(rows)[0])

static enum mg_dns_status status_of(struct mg_dns *dns, const char *name, enum mg_dns_type type)
{
	const struct mg_dns_answer *answer = mg_dns_ask(dns, name, type, false, 0);
	enum mg_dns_status status = answer->status;

	assert_int_equal(status == MG_DNS_FOUND, answer->count > 0);
	mg_dns_release(dns, answer);
	return status;
}

/* --- words --- */

static void types_have_names_and_back(void **state)
{
	(void)state;
	assert_string_equal(mg_dns_type_name(MG_DNS_AAAA), "AAAA");
	assert_int_equal(mg_dns_type_of("txt"), MG_DNS_TXT);
	assert_null(mg_dns_type_name((enum mg_dns_type)99));
	assert_int_equal(mg_dns_type_of("SRV"), 0);
}

static void each_status_has_a_text(void **state)
{
	(void)state;
	for (int status = MG_DNS_FOUND; status <= MG_DNS_BAD_NAME; status++)
		assert_true(strlen(mg_dns_status_text((enum mg_dns_status)status)) > 0);
}

static void a_name_is_asked_in_lower_case_without_final_dot(void **state)
{
	char name[MG_DNS_NAME_SIZE];

	(void)state;
	assert_true(mg_dns_name(name, "_DMARC.Example.ORG."));
	assert_string_equal(name, "_dmarc.example.org");
	assert_false(mg_dns_name(name, "a..b"));
}

/* --- a case --- */

static void each_type_of_record_is_read(void **state)
{
	static const char *const texts[] = {"v=spf1 -all", "second"};
	static const char *const exchanges[] = {"20 B.example.org.", "10 a.example.org", "0 ."};
	const struct mg_dns_row rows[] = {{"a.example.org TXT", NULL, texts, 2},
		{"Example.ORG. MX", NULL, exchanges, 3}, ROW("a.example.org A", "192.0.2.1"),
		ROW("a.example.org AAAA", "2001:db8::1"),
		ROW("1.2.0.192.in-addr.arpa PTR", "a.example.org")};
	struct mg_dns *dns = CASE(rows);
	const struct mg_dns_answer *answer;

	(void)state;
	answer = mg_dns_ask(dns, "A.example.org", MG_DNS_TXT, true, 0);
	assert_int_equal(answer->count, 2);
	assert_string_equal(answer->records[1].data, "second");
	mg_dns_release(dns, answer);
	answer = mg_dns_ask(dns, "example.org", MG_DNS_MX, false, 0);
	assert_int_equal(answer->records[0].preference, 20);
	assert_string_equal(answer->records[0].data, "b.example.org");
	assert_string_equal(answer->records[2].data, "");
	mg_dns_release(dns, answer);
	answer = mg_dns_ask(dns, "a.example.org", MG_DNS_A, false, 0);
	assert_int_equal(answer->records[0].length, 4);
	assert_memory_equal(answer->records[0].data, "\xc0\x00\x02\x01", 4);
	mg_dns_release(dns, answer);
	assert_int_equal(status_of(dns, "a.example.org", MG_DNS_AAAA), MG_DNS_FOUND);
	assert_int_equal(status_of(dns, "1.2.0.192.in-addr.arpa", MG_DNS_PTR), MG_DNS_FOUND);
	mg_dns_close(dns);
}

static void what_is_not_in_the_case_does_not_exist(void **state)
{
	const struct mg_dns_row rows[] = {ROW("a.example.org TXT", "x"),
		{"b.example.org TXT", NULL, NULL, 0}, FAILURE("c.example.org TXT", "NXDOMAIN"),
		FAILURE("d.example.org TXT", "SERVFAIL"), FAILURE("e.example.org TXT", "TIMEOUT")};
	static const struct {
		const char *name;
		enum mg_dns_type type;
		enum mg_dns_status status;
	} wanted[] = {{"z.example.org", MG_DNS_TXT, MG_DNS_NO_NAME},
		{"a.example.org", MG_DNS_A, MG_DNS_NO_DATA},
		{"b.example.org", MG_DNS_TXT, MG_DNS_NO_DATA},
		{"b.example.org", MG_DNS_A, MG_DNS_NO_DATA},
		{"c.example.org", MG_DNS_TXT, MG_DNS_NO_NAME},
		{"c.example.org", MG_DNS_A, MG_DNS_NO_NAME},
		{"d.example.org", MG_DNS_TXT, MG_DNS_FAILED},
		{"e.example.org", MG_DNS_TXT, MG_DNS_TIMEOUT},
		{"a..b", MG_DNS_TXT, MG_DNS_BAD_NAME}};
	struct mg_dns *dns = CASE(rows), *empty = mg_dns_case_new(NULL, 0, &errors);

	(void)state;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		assert_int_equal(status_of(dns, wanted[i].name, wanted[i].type), wanted[i].status);
	assert_int_equal(status_of(empty, "a.example.org", MG_DNS_A), MG_DNS_NO_NAME);
	mg_dns_close(dns);
	mg_dns_close(empty);
}

static void an_alias_leads_on(void **state)
{
	const struct mg_dns_row rows[] = {ROW("a.example.org CNAME", "B.example.org"),
		ROW("b.example.org CNAME", "c.example.org"), ROW("c.example.org TXT", "text"),
		ROW("l.example.org CNAME", "l.example.org"),
		ROW("n.example.org CNAME", "nowhere.example.org")};
	struct mg_dns *dns = CASE(rows);

	(void)state;
	assert_int_equal(status_of(dns, "a.example.org", MG_DNS_TXT), MG_DNS_FOUND);
	assert_int_equal(status_of(dns, "a.example.org", MG_DNS_A), MG_DNS_NO_DATA);
	assert_int_equal(status_of(dns, "a.example.org", MG_DNS_CNAME), MG_DNS_FOUND);
	assert_int_equal(status_of(dns, "l.example.org", MG_DNS_TXT), MG_DNS_FAILED);
	assert_int_equal(status_of(dns, "n.example.org", MG_DNS_TXT), MG_DNS_NO_NAME);
	mg_dns_close(dns);
}

static void a_byte_may_be_written_by_its_number(void **state)
{
	const struct mg_dns_row rows[] = {
		ROW("a\\032b.example.org TXT", "\\000\\255\\092065\\;\\9"),
		ROW("b.example.org TXT", "\\999")};
	struct mg_dns *dns = CASE(rows);
	const struct mg_dns_answer *answer =
		mg_dns_ask(dns, "a b.example.org", MG_DNS_TXT, false, 0);

	(void)state;
	assert_int_equal(answer->records[0].length, 10);
	assert_memory_equal(answer->records[0].data, "\0\xff\\065\\;\\9", 10);
	mg_dns_release(dns, answer);
	assert_int_equal(status_of(dns, "b.example.org", MG_DNS_TXT), MG_DNS_FOUND);
	mg_dns_close(dns);
}

static void each_wrong_row_is_told(void **state)
{
	const struct {
		struct mg_dns_row row;
		const char *error;
	} rows[] = {
		{ROW("example.org", "x"), "dns: example.org: expected \"NAME TYPE\""},
		{ROW("example.org SRV", "x"), "dns: example.org SRV: expected \"NAME TYPE\""},
		{ROW("a..b TXT", "x"), "dns: a..b TXT: expected \"NAME TYPE\""},
		{ROW("a A", "192.0.2"), "dns: a A: no record of this type: \"192.0.2\""},
		{ROW("a AAAA", "192.0.2.1"), "dns: a AAAA: no record of this type"},
		{ROW("a MX", "b"), "dns: a MX: no record of this type"},
		{ROW("a MX", "65536 b"), "dns: a MX: no record of this type"},
		{ROW("a MX", "10 "), "dns: a MX: no record of this type"},
		{ROW("a NS", "b..c"), "dns: a NS: no record of this type"},
		{FAILURE("a A", "REFUSED"), "dns: a A: expected a list of texts, or NXDOMAIN"},
	};
	const struct mg_dns_row twice[] = {ROW("a TXT", "x"), ROW("A. TXT", "y")};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_null(mg_dns_case_new(&rows[i].row, 1, &errors));
		assert_int_equal(errors.count, 1);
		if (strstr(errors.list[0].text, rows[i].error) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", rows[i].error, errors.list[0].text);
		mg_errors_clear(&errors);
	}
	assert_null(mg_dns_case_new(twice, 2, &errors));
	assert_string_equal(errors.list[0].text, "dns: a TXT: more than once");
	mg_errors_clear(&errors);
}

/* --- the recorder --- */

struct copy {
	char questions[16][600], values[16][4][600], failures[16][16];
	const char *lists[16][4];
	struct mg_dns_row rows[16];
	size_t count;
};

static bool copy_row(void *context, const struct mg_dns_row *row)
{
	struct copy *copy = context;
	size_t at = copy->count++;

	mg_str_copy(copy->questions[at], 600, row->question);
	copy->rows[at] = (struct mg_dns_row){
		.question = copy->questions[at], .values = copy->lists[at], .count = row->count};
	if (row->failure != NULL) {
		mg_str_copy(copy->failures[at], 16, row->failure);
		copy->rows[at].failure = copy->failures[at];
	}
	for (size_t i = 0; i < row->count; i++) {
		mg_str_copy(copy->values[at][i], 600, row->values[i]);
		copy->lists[at][i] = copy->values[at][i];
	}
	return true;
}

static const struct {
	const char *name;
	enum mg_dns_type type;
} questions[] = {{"a.example.org", MG_DNS_TXT}, {"a.example.org", MG_DNS_A},
	{"a.example.org", MG_DNS_AAAA}, {"a.example.org", MG_DNS_MX}, {"a.example.org", MG_DNS_NS},
	{"b \\.example.org", MG_DNS_TXT}, {"c.example.org", MG_DNS_TXT},
	{"d.example.org", MG_DNS_TXT}, {"e.example.org", MG_DNS_A},
	{"alias.example.org", MG_DNS_TXT}};

enum { QUESTIONS = sizeof questions / sizeof questions[0] };

static void assert_same(struct mg_dns *one, struct mg_dns *other, size_t question)
{
	const struct mg_dns_answer *a =
		mg_dns_ask(one, questions[question].name, questions[question].type, false, 0);
	const struct mg_dns_answer *b =
		mg_dns_ask(other, questions[question].name, questions[question].type, false, 0);

	assert_int_equal(a->status, b->status);
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_int_equal(a->records[i].preference, b->records[i].preference);
		assert_int_equal(a->records[i].length, b->records[i].length);
		assert_memory_equal(a->records[i].data, b->records[i].data, a->records[i].length);
	}
	mg_dns_release(one, a);
	mg_dns_release(other, b);
}

static void what_was_recorded_answers_the_same(void **state)
{
	static const char *const texts[] = {"v=spf1 \"\\000\\010\\092", ""};
	static const char *const exchanges[] = {"20 b", "10 a.example.org", "0 ."};
	const struct mg_dns_row rows[] = {{"a.example.org TXT", NULL, texts, 2},
		{"a.example.org MX", NULL, exchanges, 3}, ROW("a.example.org A", "192.0.2.1"),
		ROW("a.example.org AAAA", "2001:db8::1"),
		ROW("a.example.org NS", "\\001\\032.example"), ROW("b \\.example.org TXT", "x"),
		FAILURE("c.example.org TXT", "SERVFAIL"), FAILURE("d.example.org TXT", "TIMEOUT"),
		ROW("alias.example.org CNAME", "a.example.org")};
	struct mg_dns_notes *notes = mg_dns_notes_new();
	static struct copy copy;
	struct mg_dns *dns = CASE(rows);
	struct mg_dns *recorder = mg_dns_record_new(mg_dns_use(dns), notes), *recorded;

	(void)state;
	assert_int_equal(status_of(recorder, "a..b", MG_DNS_TXT), MG_DNS_BAD_NAME);
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < QUESTIONS; i++)
			assert_same(recorder, dns, i);
	assert_true(mg_dns_notes_each(notes, copy_row, &copy));
	assert_int_equal(copy.count, QUESTIONS);
	recorded = case_of(copy.rows, copy.count);
	for (size_t i = 0; i < QUESTIONS; i++)
		assert_same(recorded, dns, i);
	mg_dns_close(recorder);
	mg_dns_close(recorded);
	mg_dns_close(dns);
	mg_dns_notes_free(notes);
}

/* --- servers --- */

static void an_entry_is_an_address_with_or_without_port(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {{"192.0.2.1", true}, {"192.0.2.1@5353", true}, {"2001:db8::1", true},
		{"2001:db8::1@53", true}, {"fe80::1%eth0", true}, {"fe80::1%eth0@53", true},
		{"", false}, {"ns.example.org", false}, {"192.0.2.1@", false},
		{"192.0.2.1@0", false}, {"192.0.2.1@65536", false}, {"192.0.2.1@5 3", false},
		{"192.0.2.1:53", false}, {"192.0.2.1%eth0", false}, {"fe80::1%", false},
		{"fe80::1%\n", false}, {"IPv6:2001:db8::1", false}, {"192.0.2.1 ", false},
		{"192.0.2.1\nserver:", false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (mg_dns_server_is(rows[i].text) != rows[i].good)
			fail_msg("\"%s\"", rows[i].text);
}

static void assert_servers(const char *text, const char *const wanted[])
{
	char path[] = "/tmp/millgate-resolv-XXXXXX";
	int file = mkstemp(path);
	char **servers;
	size_t count = 0;

	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	close(file);
	servers = mg_dns_servers(NULL, 0, path);
	unlink(path);
	for (; wanted[count] != NULL; count++)
		assert_string_equal(servers[count], wanted[count]);
	assert_null(servers[count]);
	free(servers);
}

static void without_entries_resolv_conf_says(void **state)
{
	char **servers = mg_dns_servers(NULL, 0, "/nowhere/resolv.conf");

	(void)state;
	assert_string_equal(servers[0], "127.0.0.1");
	assert_null(servers[1]);
	free(servers);
	assert_servers(
		"# x\nsearch example.org\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 # y\n"
		"nameserver ns.example.org\nnameserver 192.0.2.1@9\noptions edns0\n",
		(const char *const[]){"192.0.2.1", "2001:db8::1", NULL});
	assert_servers("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
		       "nameserver 192.0.2.4\n",
		(const char *const[]){"192.0.2.1", "192.0.2.2", "192.0.2.3", NULL});
	assert_servers("", (const char *const[]){"127.0.0.1", NULL});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_names_and_back),
		cmocka_unit_test(each_status_has_a_text),
		cmocka_unit_test(a_name_is_asked_in_lower_case_without_final_dot),
		cmocka_unit_test(each_type_of_record_is_read),
		cmocka_unit_test(what_is_not_in_the_case_does_not_exist),
		cmocka_unit_test(an_alias_leads_on),
		cmocka_unit_test(a_byte_may_be_written_by_its_number),
		cmocka_unit_test(each_wrong_row_is_told),
		cmocka_unit_test(what_was_recorded_answers_the_same),
		cmocka_unit_test(an_entry_is_an_address_with_or_without_port),
		cmocka_unit_test(without_entries_resolv_conf_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

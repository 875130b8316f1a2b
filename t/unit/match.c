/* SPDX-License-Identifier: ISC */
#include "mail/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/net.h"

#define BUECHER \
	"b\xc3\xbc" \
	"cher.example"

static const struct mg_option options[] = {
	{.name = "match", .kind = MG_SECTION, .options = mg_match_options}, {.name = NULL}};

/* A file of this text; the name in path. */
static void write_file(char path[64], const char *text)
{
	int file;

	strcpy(path, "/tmp/millgate-match-XXXXXX");
	file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	close(file);
}

/* The section match of a configuration `text`; NULL with errors. */
static struct mg_match *load(const char *text, struct mg_errors *errors)
{
	const struct mg_option *const tables[] = {options, NULL};
	struct mg_match *match = NULL;
	struct mg_conf *conf;
	char path[64];

	write_file(path, text);
	conf = mg_conf_load(path, tables, NULL, errors);
	unlink(path);
	if (conf != NULL)
		match = mg_match_new(mg_conf_section(conf, "match"), errors);
	mg_conf_free(conf);
	return match;
}

static struct mg_match *must_load(const char *text)
{
	struct mg_errors errors = {.count = 0};
	struct mg_match *match = load(text, &errors);

	if (match == NULL)
		fail_msg("%s: %s", text, errors.list[0].text);
	return match;
}

/* A message, to be changed by a test. */
struct mail {
	struct mg_session session;
	struct mg_recipient recipients[3];
	struct mg_message message;
	struct mg_header headers[8];
	size_t header_count;
};

static void add_header(struct mail *mail, const char *name, const char *value)
{
	assert_true(mail->header_count < sizeof(mail->headers) / sizeof(mail->headers[0]));
	mail->headers[mail->header_count++] = (struct mg_header){
		.name = name,
		.value = value,
		.name_length = strlen(name),
		.value_length = strlen(value),
	};
}

static void make_mail(struct mail *mail)
{
	*mail = (struct mail){
		.session = {.client_name = "app1.acme.example",
			.helo = "app1",
			.mta_name = "mx",
			.listener = "ORIGINATING",
			.listener_address = "192.0.2.25:587",
			.user = "acme-app",
			.auth_method = "PLAIN",
			.tls_version = "TLSv1.3",
			.tls_cipher = "",
			.tls_subject = "app1 certificate",
			.tls_issuer = ""},
		.recipients = {{.address = "Ann@Example.COM", .esmtp = "", .accepted = true},
			{.address = "bob@sub.example.net", .esmtp = "", .accepted = true},
			{.address = "refused@example.info", .esmtp = "", .accepted = false}},
		.message = {.queue_id = "",
			.sender = "bounce+7@" BUECHER,
			.sender_esmtp = "",
			.recipient_count = 3,
			.direction = MG_OUTBOUND,
			.tenant = "acme",
			.header_bytes = 1024,
			.body_bytes = 1024,
			.over_bound = ""},
	};
	mail->message.session = &mail->session;
	mail->message.recipients = mail->recipients;
	assert_true(mg_net_parse("203.0.113.5", 39204, &mail->session.client));
	add_header(mail, "From", " Billing <billing@ACME.example>,\r\n other@sub.acme.example");
	add_header(mail, "Subject", " =?utf-8?q?Invoice_=C3=BC?= 118");
	add_header(mail, "X-Bulk", " yes");
	add_header(mail, "x-bulk", " later");
}

/* As mg_match_test. */
static int test_n(const struct mg_match *match, const struct mail *mail, struct mg_error *error)
{
	const struct mg_match_facts facts = {.message = &mail->message,
		.headers = mail->headers,
		.header_count = mail->header_count};

	return mg_match_test(match, &facts, error);
}

/* What the settings of a section make of the message. */
static int test(const struct mail *mail, const char *settings)
{
	struct mg_error error = {""};
	struct mg_match *match;
	char text[2048];
	int result;

	snprintf(text, sizeof(text), "match { %s }", settings);
	match = must_load(text);
	result = test_n(match, mail, &error);
	if (result < 0)
		fail_msg("%s: %s", settings, error.text);
	mg_match_free(match);
	return result;
}

struct row {
	const char *settings;
	int fits;
};

static void check(const struct mail *mail, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (test(mail, rows[i].settings) != rows[i].fits)
			fail_msg("%s: not %d", rows[i].settings, rows[i].fits);
}

#define CHECK(mail, ...) \
	do { \
		const struct row rows[] = {__VA_ARGS__}; \
		check((mail), rows, sizeof(rows) / sizeof(rows[0])); \
	} while (0)

static void no_section_and_an_empty_one_fit_everything(void **state)
{
	struct mg_error error = {""};
	struct mg_match *match = must_load("");
	struct mail mail;

	(void)state;
	make_mail(&mail);
	assert_int_equal(test_n(match, &mail, &error), 1);
	assert_false(mg_match_needs_header(match));
	mg_match_free(match);
	CHECK(&mail, {"", 1});
}

static void words_are_those_of_the_message(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"direction = \"outbound\"", 1}, {"direction = \"inbound\"", 0},
		{"direction = { \"inbound\", \"outbound\" }", 1}, {"local = no", 1},
		{"local = yes", 0}, {"tls = yes", 1}, {"tls = no", 0}, {"tls = \"TLSv1.3\"", 1},
		{"tls = { \"TLSv1.1\", \"TLSv1.2\" }", 0});
	mail.message.direction = MG_INBOUND;
	mail.message.local = true;
	mail.session.tls_version = "";
	CHECK(&mail, {"direction = \"inbound\"", 1}, {"local = yes", 1}, {"tls = no", 1},
		{"tls = yes", 0}, {"tls = \"TLSv1.3\"", 0});
}

static void texts_of_the_session_have_no_case_and_globs(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"user = \"ACME-app\"", 1}, {"user = \"Acme-*\"", 1}, {"user = \"acme\"", 0},
		{"user = { \"crm\", \"acme-?pp\" }", 1}, {"auth_method = \"plain\"", 1},
		{"auth_method = \"LOGIN\"", 0}, {"client_name = \"*.acme.example\"", 1},
		{"client_name = \"unknown\"", 0}, {"helo = \"app[0-9]\"", 1}, {"helo = \"app\"", 0},
		{"listener = \"originating\"", 1}, {"listener = \"smtpd\"", 0},
		{"listener_address = \"*:587\"", 1}, {"listener_address = \"*:25\"", 0},
		{"tls_subject = \"app1 certificate\"", 1}, {"tls_subject = \"app1\"", 0},
		{"tenant = \"Acme\"", 1}, {"tenant = \"other\"", 0});
}

static void what_is_unknown_fits_nothing(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	mail.session.user = "";
	mail.session.client = (struct sockaddr_storage){.ss_family = AF_UNSPEC};
	mail.message.tenant = "";
	CHECK(&mail, {"user = \"*\"", 0}, {"not { user = \"*\" }", 1}, {"tenant = \"*\"", 0},
		{"client = { \"0.0.0.0/0\", \"::/0\" }", 0}, {"client = 'regex:'", 0});
}

static void clients_are_told_by_their_network(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"client = \"203.0.113.0/24\"", 1}, {"client = \"203.0.113.5\"", 1},
		{"client = { \"192.0.2.0/24\", \"2001:db8::/32\" }", 0},
		{"client = 'regex:^203\\.'", 1});
	assert_true(mg_net_parse("::ffff:203.0.113.5", 1, &mail.session.client));
	CHECK(&mail, {"client = \"203.0.113.5\"", 1});
	assert_true(mg_net_parse("2001:DB8::1", 1, &mail.session.client));
	CHECK(&mail, {"client = { \"192.0.2.0/24\", \"2001:db8::/32\" }", 1},
		{"client = \"203.0.113.0/24\"", 0});
}

static void addresses_are_compared_in_normal_form(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"sender = \"Bounce+7@" BUECHER "\"", 1},
		{"sender = 'bounce+7@XN--bcher-kva.example'", 1}, {"sender = \"bounce+*@*\"", 1},
		{"sender = \"*@" BUECHER "\"", 1}, {"sender = \"*@*.example\"", 1},
		{"sender = \"*@*." BUECHER "\"", 0}, {"sender = \"bounce@" BUECHER "\"", 0},
		{"sender = '\"bounce+7\"@" BUECHER "'", 1},
		{"sender = 'regex:^bounce\\+[0-9]+@xn--'", 1}, {"sender = \"<>\"", 0});
	mail.message.sender = "\"a*b\"@example.org";
	CHECK(&mail, {"sender = '\"a*b\"@example.org'", 1});
	mail.message.sender = "axb@example.org";
	CHECK(&mail, {"sender = '\"a*b\"@example.org'", 0}, {"sender = 'a*b@example.org'", 1});
	mail.message.sender = "app@[192.0.2.1]";
	CHECK(&mail, {"sender = 'app@[192.0.2.1]'", 1}, {"sender = 'app@[192.0.2.2]'", 0});
}

static void the_null_sender_is_an_empty_pair_and_has_no_domain(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	mail.message.sender = "";
	CHECK(&mail, {"sender = \"<>\"", 1}, {"sender = \"*@*\"", 0}, {"sender_domain = \"*\"", 0},
		{"not { sender_domain = \"*\" }", 1});
}

static void domains_are_compared_by_whole_a_labels(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"sender_domain = \"" BUECHER "\"", 1},
		{"sender_domain = \"xn--bcher-kva.example\"", 1},
		{"sender_domain = \"*.example\"", 1}, {"sender_domain = \"example\"", 0},
		{"sender_domain = \"*." BUECHER "\"", 0});
	mail.message.sender = "a@deep.sub.ACME.example.";
	CHECK(&mail, {"sender_domain = \"*.acme.example\"", 1},
		{"sender_domain = \"*.sub.acme.example\"", 1},
		{"sender_domain = \"deep.*.example\"", 1}, {"sender_domain = \"acme.example\"", 0},
		{"sender_domain = \"*.me.example\"", 0},
		{"sender_domain = 'regex:\\.acme\\.example$'", 1});
	mail.message.sender = "a@notacme.example";
	CHECK(&mail, {"sender_domain = { \"acme.example\", \"*.acme.example\" }", 0});
	mail.message.sender = "\"x@acme.example\"@elsewhere.example";
	CHECK(&mail, {"sender_domain = \"acme.example\"", 0}, {"sender = \"*@acme.example\"", 0});
}

static void each_recipient_that_is_accepted_is_a_value(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"recipient = \"ann@example.com\"", 1}, {"recipient = \"bob@*\"", 1},
		{"recipient = \"*@sub.example.net\"", 1}, {"recipient = \"*@*.example.net\"", 1},
		{"recipient = \"refused@example.info\"", 0},
		{"recipient_domain = \"example.com\"", 1},
		{"recipient_domain = \"*.example.net\"", 1},
		{"recipient_domain = \"example.info\"", 0}, {"recipient_count = \"2\"", 1},
		{"recipient_count = \"> 1\"", 1}, {"recipient_count = \"> 2\"", 0},
		{"recipient_count = \"< 3\"", 1}, {"recipient_count = { \"< 2\", \"> 50\" }", 0});
	mail.message.recipient_count = 0;
	CHECK(&mail, {"recipient = \"*\"", 0}, {"recipient_domain = \"*\"", 0},
		{"recipient_count = \"0\"", 1});
}

static void every_author_is_a_value(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"author = \"billing@acme.example\"", 1},
		{"author = \"other@sub.acme.example\"", 1}, {"author = \"none@acme.example\"", 0},
		{"author_domain = \"acme.example\"", 1}, {"author_domain = \"*.acme.example\"", 1},
		{"author_domain = \"example\"", 0});
	mail.header_count = 0;
	CHECK(&mail, {"author = \"*\"", 0}, {"author_domain = \"*\"", 0});
}

static void sizes_have_units(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"size = \"2K\"", 1}, {"size = \"> 2K\"", 0}, {"size = \">2047\"", 1},
		{"size = \"< 1G\"", 1}, {"size = \"< 2048\"", 0});
}

static void fields_are_told_by_name_and_decoded_value(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"header = 'X-Bulk'", 1}, {"header = 'X-Spam'", 0},
		{"header = 'x-bulk: regex:^yes'", 1}, {"header = 'X-Bulk: regex:^YES'", 0},
		{"header = 'X-Bulk: LATER'", 1}, {"header = 'X-Bulk: la*'", 1},
		{"header = 'X-Bulk: no'", 0}, {"header = 'Subject: *\xc3\xbc 118'", 1},
		{"header = { 'X-Spam: yes', 'X-Bulk: no', 'X-Bulk:yes' }", 1},
		{"subject = \"invoice*118\"", 1}, {"subject = 'regex:Invoice .'", 1},
		{"subject = \"invoice\"", 0});
	mail.header_count = 0;
	CHECK(&mail, {"subject = 'regex:'", 0}, {"header = 'X-Bulk'", 0});
}

static void a_long_value_is_looked_at_to_its_end(void **state)
{
	struct mail mail;
	char value[20000];

	(void)state;
	make_mail(&mail);
	memset(value, 'a', sizeof(value));
	strcpy(value + sizeof(value) - 8, " secret");
	add_header(&mail, "X-Long", value);
	CHECK(&mail, {"header = 'X-Long: *secret'", 1}, {"header = 'X-Long: regex:secret$'", 1},
		{"header = 'X-Long: secret'", 0});
}

static void all_of_a_section_hold_one_of_any_and_none_of_not(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"user = \"acme-app\" tls = yes", 1}, {"user = \"acme-app\" tls = no", 0},
		{"any { user = \"x\" tls = yes }", 1}, {"any { user = \"x\" tls = no }", 0},
		{"any { }", 0}, {"not { }", 1}, {"not { user = \"x\" tls = no }", 1},
		{"not { user = \"x\" tls = yes }", 0},
		{"tls = yes any { user = \"acme-app\" } not { local = yes }", 1},
		{"tls = yes any { user = \"acme-app\" } not { local = no }", 0});
}

static void any_and_not_stand_in_each_other(void **state)
{
	struct mail mail;

	(void)state;
	make_mail(&mail);
	CHECK(&mail, {"not { not { tls = yes } }", 1}, {"not { any { tls = yes } }", 0},
		{"any { not { tls = yes } }", 0}, {"any { not { tls = no } user = \"x\" }", 1},
		{"not { any { user = \"x\" not { tls = yes } } }", 1});
}

/* The settings of the example in millgate.conf(5), the table in it at path. */
static void manual_example(const char *path, char *settings, size_t size)
{
	static const char place[] = "/etc/millgate/partners";
	static char page[100000];
	const char *source = getenv("MG_SRCDIR");
	char name[4096], *begin, *table, *end;
	FILE *file;

	snprintf(name, sizeof(name), "%s/man/millgate.conf.5", source != NULL ? source : ".");
	file = fopen(name, "r");
	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	fclose(file);
	begin = strstr(page, "\nmatch {\n");
	assert_non_null(begin);
	begin += strlen("\nmatch {\n");
	end = strstr(begin, "}\n.Ed");
	table = strstr(begin, place);
	assert_true(end != NULL && table != NULL && table < end);
	*end = '\0';
	snprintf(settings, size, "%.*s%s%s", (int)(table - begin), begin, path,
		table + strlen(place));
}

static void the_example_of_the_manual_does_what_it_says(void **state)
{
	char path[64], settings[1024];
	struct mail mail;

	(void)state;
	write_file(path, "# partners\nexample.net  TLS\n");
	manual_example(path, settings, sizeof(settings));
	make_mail(&mail);
	mail.message.direction = MG_INBOUND;
	mail.session.tls_version = "";
	mail.message.sender = "dora@Example.net";
	assert_int_equal(test(&mail, settings), 1);
	mail.message.sender = "dora@mail.example.org";
	assert_int_equal(test(&mail, settings), 1);
	mail.message.sender = "dora@example.org";
	assert_int_equal(test(&mail, settings), 0);
	mail.message.sender = "dora@example.net";
	mail.header_count = 0;
	assert_int_equal(test(&mail, settings), 0);
	mail.message.body_bytes = 20 * 1024 * 1024;
	assert_int_equal(test(&mail, settings), 1);
	assert_true(mg_net_parse("192.0.2.44", 1, &mail.session.client));
	assert_int_equal(test(&mail, settings), 0);
	unlink(path);
}

static void tables_answer_for_their_keys(void **state)
{
	char path[64], settings[256];
	struct mail mail;

	(void)state;
	make_mail(&mail);
	write_file(path, "ann@example.com\nacme-app x\n");
	snprintf(settings, sizeof(settings), "recipient = \"file:%s\" user = \"file:%s\"", path,
		path);
	assert_int_equal(test(&mail, settings), 1);
	snprintf(settings, sizeof(settings), "sender = \"file:%s\"", path);
	assert_int_equal(test(&mail, settings), 0);
	unlink(path);
	write_file(path, "203.0.113.0/24\n");
	snprintf(settings, sizeof(settings), "client = \"cidr:%s\"", path);
	assert_int_equal(test(&mail, settings), 1);
	assert_true(mg_net_parse("192.0.2.44", 1, &mail.session.client));
	assert_int_equal(test(&mail, settings), 0);
	unlink(path);
}

static void what_is_known_at_the_end_only_says_so(void **state)
{
	static const struct row rows[] = {{"user = \"a\" recipient = \"*\" tls = yes", 0},
		{"size = \"> 1\"", 1}, {"header = 'X'", 1}, {"subject = \"x\"", 1},
		{"author = \"a@b.example\"", 1}, {"author_domain = \"b.example\"", 1},
		{"any { not { header = 'X' } }", 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mg_match *match;
		char text[256];

		snprintf(text, sizeof(text), "match { %s }", rows[i].settings);
		match = must_load(text);
		assert_int_equal(mg_match_needs_header(match), rows[i].fits);
		mg_match_free(match);
	}
}

static void a_pattern_that_runs_into_its_limit_is_an_error(void **state)
{
	struct mg_match *match = must_load("match { not { subject = 'regex:^(a+)+$' } }");
	struct mg_error error = {""};
	struct mail mail;

	(void)state;
	make_mail(&mail);
	mail.header_count = 0;
	add_header(&mail, "Subject", " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
	assert_int_equal(test_n(match, &mail, &error), -1);
	assert_string_equal(error.text, "match: subject: \"regex:^(a+)+$\": match limit exceeded");
	mg_match_free(match);
}

static void mistakes_are_errors_with_file_and_line(void **state)
{
	static const struct {
		const char *settings, *says;
	} bad[] = {
		{"sendr_domain = \"a.example\"", "nearest: sender"},
		{"client = \"192.0.2.1/24\"", "client \"192.0.2.1/24\"; expected an address"},
		{"client = \"mx.example\"", "client \"mx.example\"; expected an address"},
		{"recipient_count = \"> 20X\"", "recipient_count \"> 20X\"; expected"},
		{"recipient_count = \"> 20K\"", "recipient_count \"> 20K\"; expected"},
		{"size = \"> 20X\"", "size \"> 20X\"; expected"},
		{"size = \"< 0\"", "size \"< 0\"; expected"},
		{"size = \"-1\"", "size \"-1\"; expected"},
		{"header = 'X-Bulk: regex:^(yes'",
			"header: \"regex:^(yes\": missing closing parenthesis at column 6"},
		{"header = 'regex:^yes'", "expected 'NAME' or 'NAME: PATTERN'"},
		{"header = 'X Bulk: yes'", "expected 'NAME' or 'NAME: PATTERN'"},
		{"header = 'X-Bulk:'", "header \"X-Bulk:\"; expected"},
		{"user = { }", "user: an empty list"},
		{"user = \"\"", "user \"\"; expected a text"},
		{"sender_domain = \"*example.org\"", "sender_domain \"*example.org\"; expected"},
		{"sender_domain = \"a@b.example\"", "sender_domain \"a@b.example\"; expected"},
		{"sender = \"example.org\"", "sender \"example.org\"; expected an address"},
		{"sender = \"*@*example.org\"", "sender \"*@*example.org\"; expected"},
		{"direction = \"outbund\"", "nearest: outbound"},
		{"tls = \"TLS1.3\"", "nearest: TLSv1.3"},
		{"user = yes", "expected quotes"},
		{"user = \"file:/nonexistent/users\"", "user: /nonexistent/users: "},
		{"user = \"flie:/etc/users\"", "nearest: file"},
		{"tls = no tls = yes", "tls"},
		{"any { } any { }", "any"},
		{"not { not { helo = { } } }", "helo: an empty list"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mg_errors errors = {.count = 0};
		struct mg_match *match;
		char text[512];

		snprintf(text, sizeof(text), "match {\n%s\n}\n", bad[i].settings);
		match = load(text, &errors);
		if (match != NULL)
			fail_msg("%s is taken", bad[i].settings);
		assert_int_equal(errors.count, 1);
		if (strstr(errors.list[0].text, bad[i].says) == NULL ||
			strstr(errors.list[0].text, ":2: ") == NULL)
			fail_msg("%s: %s", bad[i].settings, errors.list[0].text);
		mg_errors_clear(&errors);
	}
}

static void all_mistakes_are_told_at_once(void **state)
{
	struct mg_errors errors = {.count = 0};

	(void)state;
	assert_null(
		load("match { subject = { 'regex:(', 'regex:)' }\nany { user = { } } }", &errors));
	assert_int_equal(errors.count, 3);
	mg_errors_clear(&errors);
}

static void what_is_printed_is_what_was_set_and_loads_again(void **state)
{
	static const char text[] = "match { tls = no header = 'X-Bulk: regex:^\\d' "
				   "not { any { } client = \"192.0.2.0/24\" } }";
	const struct mg_option *const tables[] = {options, NULL};
	struct mg_errors errors = {.count = 0};
	char path[64], *printed = NULL;
	struct mg_match *match;
	struct mg_conf *conf;
	FILE *stream;
	size_t size;

	(void)state;
	write_file(path, text);
	conf = mg_conf_load(path, tables, NULL, &errors);
	unlink(path);
	assert_non_null(conf);
	stream = open_memstream(&printed, &size);
	assert_non_null(stream);
	assert_int_equal(mg_conf_print(conf, stream), 0);
	fclose(stream);
	assert_null(strstr(printed, "{ }"));
	assert_non_null(strstr(printed, "tls = { \"no\" }"));
	match = must_load(printed);
	assert_true(mg_match_needs_header(match));
	mg_match_free(match);
	mg_conf_free(conf);
	free(printed);
}

static void the_manual_has_every_setting(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assert_non_null(stream);
	mg_match_print_mdoc(stream);
	fclose(stream);
	for (const struct mg_option *option = mg_match_options; option->kind == MG_LIST; option++) {
		char item[64];

		snprintf(item, sizeof(item), ".It Ic %s", option->name);
		assert_non_null(strstr(text, item));
	}
	assert_non_null(strstr(text, "\n.Cm inbound , outbound .\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_section_and_an_empty_one_fit_everything),
		cmocka_unit_test(words_are_those_of_the_message),
		cmocka_unit_test(texts_of_the_session_have_no_case_and_globs),
		cmocka_unit_test(what_is_unknown_fits_nothing),
		cmocka_unit_test(clients_are_told_by_their_network),
		cmocka_unit_test(addresses_are_compared_in_normal_form),
		cmocka_unit_test(the_null_sender_is_an_empty_pair_and_has_no_domain),
		cmocka_unit_test(domains_are_compared_by_whole_a_labels),
		cmocka_unit_test(each_recipient_that_is_accepted_is_a_value),
		cmocka_unit_test(every_author_is_a_value),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(fields_are_told_by_name_and_decoded_value),
		cmocka_unit_test(a_long_value_is_looked_at_to_its_end),
		cmocka_unit_test(all_of_a_section_hold_one_of_any_and_none_of_not),
		cmocka_unit_test(any_and_not_stand_in_each_other),
		cmocka_unit_test(the_example_of_the_manual_does_what_it_says),
		cmocka_unit_test(tables_answer_for_their_keys),
		cmocka_unit_test(what_is_known_at_the_end_only_says_so),
		cmocka_unit_test(a_pattern_that_runs_into_its_limit_is_an_error),
		cmocka_unit_test(mistakes_are_errors_with_file_and_line),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(what_is_printed_is_what_was_set_and_loads_again),
		cmocka_unit_test(the_manual_has_every_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

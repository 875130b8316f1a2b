/* SPDX-License-Identifier: ISC */
#include "mail/origin.h"

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

/* A configuration and what is made of it. */
struct place {
	char path[64];
	struct mg_conf *conf;
	struct mg_origin *origin;
	struct mg_errors errors;
};

/* Loads `text` as a configuration file; the origin is NULL when there were errors. */
static struct place load(const char *text)
{
	const struct mg_option *const tables[] = {mg_origin_options, NULL};
	struct place place = {.path = "/tmp/millgate-origin-XXXXXX"};
	int file = mkstemp(place.path);

	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	close(file);
	place.conf = mg_conf_load(place.path, tables, NULL, &place.errors);
	unlink(place.path);
	if (place.conf != NULL)
		place.origin = mg_origin_new(place.conf, &place.errors);
	return place;
}

static void leave(struct place *place)
{
	mg_origin_free(place->origin);
	mg_conf_free(place->conf);
	mg_errors_clear(&place->errors);
}

static struct mg_session client_at(const char *address)
{
	struct mg_session session = {
		.client_name = "",
		.helo = "",
		.mta_name = "",
		.listener = "smtpd",
		.listener_address = "192.0.2.25:25",
		.user = "",
		.auth_method = "",
		.tls_version = "",
		.tls_cipher = "",
		.tls_subject = "app1",
		.tls_issuer = "",
	};

	if (address != NULL)
		assert_true(mg_net_parse(address, 1025, &session.client));
	return session;
}

static const char settings[] = "internal_networks = { \"10.0.0.0/8\", \"2001:db8::/32\" }\n"
			       "trusted_relays = { \"10.0.0.25\" }\n"
			       "outbound_daemons = { \"ORIGINATING\", \"apps\" }\n"
			       "reinject = { \"127.0.0.1:10025\", \"[::1]:10025\" }\n";

static enum mg_direction direction(
	const struct place *place, struct mg_session *session, bool local)
{
	session->internal = mg_origin_internal(place->origin, session);
	return mg_origin_direction(place->origin, session, local);
}

static void a_stranger_is_inbound_whatever_certificate_he_shows(void **state)
{
	struct place place = load(settings);
	struct mg_session session = client_at("203.0.113.5"), unknown = client_at(NULL);

	(void)state;
	assert_non_null(place.origin);
	assert_int_equal(direction(&place, &session, false), MG_INBOUND);
	assert_int_equal(direction(&place, &unknown, false), MG_INBOUND);
	leave(&place);
}

static void internal_clients_users_daemons_and_local_mail_are_outbound(void **state)
{
	struct place place = load(settings);
	struct mg_session internal = client_at("2001:db8::25"), user = client_at("203.0.113.5"),
			  listener = client_at("203.0.113.5"), local = client_at("203.0.113.5");

	(void)state;
	user.user = "acme-app";
	listener.listener = "apps";
	assert_int_equal(direction(&place, &internal, false), MG_OUTBOUND);
	assert_int_equal(direction(&place, &user, false), MG_OUTBOUND);
	assert_int_equal(direction(&place, &listener, false), MG_OUTBOUND);
	assert_int_equal(direction(&place, &local, true), MG_OUTBOUND);
	leave(&place);
}

static void a_trusted_relay_is_inbound_though_internal(void **state)
{
	struct place place = load(settings);
	struct mg_session relay = client_at("10.0.0.25"), mapped = client_at("::ffff:10.0.0.25");

	(void)state;
	relay.user = "relay";
	assert_int_equal(direction(&place, &relay, false), MG_INBOUND);
	assert_int_equal(direction(&place, &mapped, false), MG_INBOUND);
	leave(&place);
}

static void what_a_content_filter_gives_back_is_inbound(void **state)
{
	struct place place = load(settings);
	struct mg_session four = client_at("10.0.0.1"), six = client_at("10.0.0.1"),
			  other = client_at("10.0.0.1");

	(void)state;
	four.listener_address = "127.0.0.1:10025";
	six.listener_address = "[::1]:10025";
	other.listener_address = "127.0.0.1:10026";
	assert_int_equal(direction(&place, &four, false), MG_INBOUND);
	assert_int_equal(direction(&place, &six, false), MG_INBOUND);
	assert_int_equal(direction(&place, &other, false), MG_OUTBOUND);
	leave(&place);
}

static void by_default_loopback_is_internal_and_originating_is_outbound(void **state)
{
	struct place place = load("");
	struct mg_session loopback = client_at("127.0.0.1"), six = client_at("::1"),
			  submission = client_at("203.0.113.5");

	(void)state;
	submission.listener = "ORIGINATING";
	assert_int_equal(direction(&place, &loopback, false), MG_OUTBOUND);
	assert_int_equal(direction(&place, &six, false), MG_OUTBOUND);
	assert_int_equal(direction(&place, &submission, false), MG_OUTBOUND);
	leave(&place);
}

static const char tenants[] =
	"tenant \"acme\" { users = { \"acme-*\", \"Root\" } networks = { \"10.1.0.0/16\" }\n"
	"    sender_domains = { \"acme.example\", \"*.acme.example\" } }\n"
	"tenant \"second\" { users = { \"acme-x\", \"crm\" } networks = { \"10.0.0.0/8\" }\n"
	"    sender_domains = { \"b\xc3\xbc"
	"cher.example\", \"mail.*.example\", \"acme.example\" } }\n";

struct belonging {
	const char *user, *client, *sender, *tenant;
};

static void check_tenants(const struct belonging *rows, size_t count)
{
	struct place place = load(tenants);

	assert_non_null(place.origin);
	for (size_t i = 0; i < count; i++) {
		struct mg_session session = client_at(rows[i].client);

		session.user = rows[i].user;
		assert_string_equal(
			mg_origin_tenant(place.origin, &session, rows[i].sender), rows[i].tenant);
	}
	leave(&place);
}

#define CHECK(...) \
	do { \
		const struct belonging rows[] = {__VA_ARGS__}; \
		check_tenants(rows, sizeof(rows) / sizeof(rows[0])); \
	} while (0)

static void a_user_decides_before_a_network_and_that_before_a_domain(void **state)
{
	(void)state;
	CHECK({"crm", "10.1.0.1", "a@acme.example", "second"},
		{"", "10.1.0.1",
			"a@b\xc3\xbc"
			"cher.example",
			"acme"},
		{"", "203.0.113.5", "a@acme.example", "acme"},
		{"stranger", "203.0.113.5", "a@acme.example", "acme"},
		{"", "203.0.113.5", "a@elsewhere.example", ""}, {"", NULL, "", ""});
}

static void the_first_of_several_tenants_in_the_file_decides(void **state)
{
	(void)state;
	CHECK({"acme-x", NULL, "", "acme"}, {"", "10.2.0.1", "", "second"},
		{"", "10.1.2.3", "", "acme"}, {"", NULL, "a@acme.example", "acme"});
}

static void users_have_no_case(void **state)
{
	(void)state;
	CHECK({"ACME-Y", NULL, "", "acme"}, {"root", NULL, "", "acme"}, {"acme", NULL, "", ""});
}

static void domains_are_compared_by_whole_a_labels(void **state)
{
	(void)state;
	CHECK({"", NULL, "a@ACME.example", "acme"}, {"", NULL, "a@deep.sub.acme.example", "acme"},
		{"", NULL, "a@notacme.example", ""}, {"", NULL, "a@acme.example.org", ""},
		{"", NULL, "a@xn--bcher-kva.example", "second"},
		{"", NULL, "a@mail.x.example", "second"}, {"", NULL, "a@mail.example", ""},
		{"", NULL, "\"x@acme.example\"@elsewhere.example", ""},
		{"", NULL, "acme.example", ""}, {"", NULL, "a@ac me.example", ""});
}

static void many_tenants_are_told_apart(void **state)
{
	static char text[200 * 1000];
	size_t used = 0;
	struct place place;

	(void)state;
	for (int i = 0; i < 2000; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
			"tenant \"t%d\" { sender_domains = { \"d%d.example\" } }\n", i, i);
	assert_true(used < sizeof(text));
	place = load(text);
	assert_non_null(place.origin);
	for (int i = 0; i < 2000; i++) {
		struct mg_session session = client_at(NULL);
		char sender[64], title[16];

		snprintf(sender, sizeof(sender), "a@d%d.example", i);
		snprintf(title, sizeof(title), "t%d", i);
		assert_string_equal(mg_origin_tenant(place.origin, &session, sender), title);
	}
	leave(&place);
}

static void bad_entries_are_errors_of_the_configuration(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"reinject = { \"10025\" }", "ADDRESS:PORT"},
		{"reinject = { \"localhost:25\" }", "ADDRESS:PORT"},
		{"reinject = { \"127.0.0.1:0\" }", "ADDRESS:PORT"},
		{"reinject = { \"::1:25\" }", "ADDRESS:PORT"},
		{"tenant \"a\" { users = { \"\" } }", "user name"},
		{"tenant \"a\" { users = { \"file:/users\" } }", "user name"},
		{"tenant \"a\" { sender_domains = { \"a b\" } }", "domain"},
		{"tenant \"a\" { sender_domains = { \"*acme.example\" } }", "domain"},
		{"tenant \"a\" { sender_domains = { \"*.\" } }", "domain"},
		{"tenant \"a\" { sender_domains = { \"\" } }", "domain"},
		{"tenant \"a\" { networks = { \"10.0.0.1/8\" } }", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct place place = load(bad[i].text);

		assert_null(place.origin);
		assert_true(place.errors.kept > 0);
		if (strstr(place.errors.list[0].text, bad[i].says) == NULL ||
			strstr(place.errors.list[0].text, ":1:") == NULL)
			fail_msg("%s: %s", bad[i].text, place.errors.list[0].text);
		leave(&place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_is_inbound_whatever_certificate_he_shows),
		cmocka_unit_test(internal_clients_users_daemons_and_local_mail_are_outbound),
		cmocka_unit_test(a_trusted_relay_is_inbound_though_internal),
		cmocka_unit_test(what_a_content_filter_gives_back_is_inbound),
		cmocka_unit_test(by_default_loopback_is_internal_and_originating_is_outbound),
		cmocka_unit_test(a_user_decides_before_a_network_and_that_before_a_domain),
		cmocka_unit_test(the_first_of_several_tenants_in_the_file_decides),
		cmocka_unit_test(users_have_no_case),
		cmocka_unit_test(domains_are_compared_by_whole_a_labels),
		cmocka_unit_test(many_tenants_are_told_apart),
		cmocka_unit_test(bad_entries_are_errors_of_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

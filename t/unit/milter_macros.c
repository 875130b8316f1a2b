/* SPDX-License-Identifier: ISC */
#include "mail/milter_macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/net.h"

/* Macros as an MTA sends them: name, value, name, value …, NULL. */
static const char *get(void *context, const char *name)
{
	for (const char *const *macro = context; *macro != NULL; macro += 2)
		if (strcmp(macro[0], name) == 0)
			return macro[1];
	return NULL;
}

struct facts {
	struct mg_arena *arena;
	struct mg_session session;
	bool local;
};

static bool read_macros(struct facts *facts, const char *const *macros)
{
	return mg_milter_macros_session(
		get, (void *)macros, facts->arena, &facts->session, &facts->local);
}

static int start(void **state)
{
	static struct facts facts;

	memset(&facts, 0, sizeof(facts));
	facts.arena = mg_arena_new(1024 * 1024, NULL);
	*state = &facts;
	return facts.arena != NULL ? 0 : -1;
}

static int stop(void **state)
{
	struct facts *facts = *state;

	mg_arena_free(facts->arena);
	return 0;
}

static const char *address_of(const struct mg_session *session)
{
	static char text[64];

	mg_net_format(&session->client, text, sizeof(text));
	return text;
}

static void an_smtp_session_with_tls_and_login_is_read_whole(void **state)
{
	static const char *const macros[] = {"j", "mx.example.org", "{daemon_name}", "ORIGINATING",
		"{daemon_addr}", "192.0.2.25", "{daemon_port}", "587", "{client_addr}",
		"203.0.113.5", "{client_port}", "39204", "{client_name}", "app1.acme.example",
		"{tls_version}", "TLSv1.3", "{cipher}", "TLS_AES_256_GCM_SHA384", "{cipher_bits}",
		"256", "{cert_subject}", "app1", "{cert_issuer}", "Acme CA", "{auth_type}", "PLAIN",
		"{auth_authen}", "acme-app", "{millgate_test}", "1", NULL};
	struct facts *facts = *state;
	const struct mg_session *session = &facts->session;

	assert_true(read_macros(facts, macros));
	assert_string_equal(session->mta_name, "mx.example.org");
	assert_string_equal(session->listener, "ORIGINATING");
	assert_string_equal(session->listener_address, "192.0.2.25:587");
	assert_string_equal(address_of(session), "203.0.113.5");
	assert_string_equal(session->key, "203.0.113.5:39204");
	assert_string_equal(session->client_name, "app1.acme.example");
	assert_string_equal(session->tls_version, "TLSv1.3");
	assert_string_equal(session->tls_cipher, "TLS_AES_256_GCM_SHA384");
	assert_int_equal(session->tls_bits, 256);
	assert_string_equal(session->tls_subject, "app1");
	assert_string_equal(session->tls_issuer, "Acme CA");
	assert_string_equal(session->auth_method, "PLAIN");
	assert_string_equal(session->user, "acme-app");
	assert_true(session->test);
	assert_false(facts->local);
}

static void what_is_not_sent_is_unknown(void **state)
{
	static const char *const macros[] = {NULL};
	struct facts *facts = *state;
	const struct mg_session *session = &facts->session;

	assert_true(read_macros(facts, macros));
	assert_string_equal(session->mta_name, "");
	assert_string_equal(session->listener, "");
	assert_string_equal(session->listener_address, "");
	assert_string_equal(session->client_name, "");
	assert_string_equal(session->tls_version, "");
	assert_string_equal(session->user, "");
	assert_string_equal(session->key, "");
	assert_int_equal(session->client.ss_family, AF_UNSPEC);
	assert_int_equal(session->tls_bits, 0);
	assert_false(session->test);
	assert_false(facts->local);
}

static void ipv6_comes_with_a_tag_and_has_one_form(void **state)
{
	static const char *const macros[] = {"{client_addr}", "IPv6:2001:DB8:0::25",
		"{client_port}", "40000", "{daemon_addr}", "2001:db8::1", "{daemon_port}", "25",
		NULL};
	struct facts *facts = *state;

	assert_true(read_macros(facts, macros));
	assert_string_equal(address_of(&facts->session), "2001:db8::25");
	assert_string_equal(facts->session.key, "[2001:db8::25]:40000");
	assert_string_equal(facts->session.listener_address, "[2001:db8::1]:25");
}

static void a_client_whose_name_is_unknown_has_none(void **state)
{
	static const char *const macros[] = {"{client_name}", "unknown", "{client_addr}",
		"203.0.113.5", "{client_port}", "1", NULL};
	struct facts *facts = *state;

	assert_true(read_macros(facts, macros));
	assert_string_equal(facts->session.client_name, "");
}

static void broken_values_are_as_if_unknown(void **state)
{
	static const char *const macros[] = {"{client_addr}", "unknown", "{client_port}", "70000",
		"{cipher_bits}", "many", "{daemon_addr}", "127.0.0.1", "{daemon_port}", "-1", NULL};
	struct facts *facts = *state;

	facts->session.client.ss_family = AF_INET;
	assert_true(read_macros(facts, macros));
	assert_int_equal(facts->session.client.ss_family, AF_UNSPEC);
	assert_string_equal(facts->session.key, "");
	assert_string_equal(facts->session.listener_address, "");
	assert_int_equal(facts->session.tls_bits, 0);
}

static void port_0_and_a_queue_id_at_mail_are_local_mail(void **state)
{
	static const struct {
		const char *macros[7];
		bool local;
	} cases[] = {
		{{"{client_addr}", "127.0.0.1", "{client_port}", "0", "i", "4jYh1"}, true},
		{{"{client_addr}", "127.0.0.1", "{client_port}", "0", "i", ""}, false},
		{{"{client_addr}", "127.0.0.1", "{client_port}", "0"}, false},
		{{"{client_addr}", "127.0.0.1", "{client_port}", "25", "i", "4jYh1"}, false},
		{{"{client_addr}", "127.0.0.1", "i", "4jYh1"}, false},
	};
	struct facts *facts = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(read_macros(facts, cases[i].macros));
		assert_int_equal(facts->local, cases[i].local);
	}
}

static void local_mail_has_an_address_but_no_session_key(void **state)
{
	static const char *const macros[] = {
		"{client_addr}", "127.0.0.1", "{client_port}", "0", "i", "4jYh1", NULL};
	struct facts *facts = *state;

	assert_true(read_macros(facts, macros));
	assert_string_equal(address_of(&facts->session), "127.0.0.1");
	assert_string_equal(facts->session.key, "");
}

static void without_the_address_macro_the_known_one_stays(void **state)
{
	static const char *const macros[] = {NULL};
	struct facts *facts = *state;

	assert_true(mg_net_parse("203.0.113.5", 1025, &facts->session.client));
	assert_true(read_macros(facts, macros));
	assert_string_equal(facts->session.key, "203.0.113.5:1025");
}

static void facts_outlive_the_macros(void **state)
{
	char user[] = "acme-app";
	const char *macros[] = {"{auth_authen}", user, NULL};
	struct facts *facts = *state;

	assert_true(read_macros(facts, macros));
	memset(user, 'x', sizeof(user) - 1);
	assert_string_equal(facts->session.user, "acme-app");
}

static void a_full_arena_is_reported_and_leaves_no_null(void **state)
{
	static const char *const macros[] = {
		"j", "mx.example.org", "{auth_authen}", "acme-app", NULL};
	struct facts *facts = *state;

	mg_arena_free(facts->arena);
	facts->arena = mg_arena_new(1, NULL);
	assert_false(read_macros(facts, macros));
	assert_string_equal(facts->session.user, "");
	assert_string_equal(facts->session.mta_name, "");
}

/* Whoever asks for them at MAIL gets no other. */
static const char *get_listed(void *context, const char *name)
{
	char padded[600], wanted[64];

	snprintf(padded, sizeof(padded), " %s ", mg_milter_macros_mail);
	snprintf(wanted, sizeof(wanted), " %s ", name);
	if (strstr(padded, wanted) == NULL)
		++*(int *)context;
	return NULL;
}

static void every_macro_that_is_read_is_asked_for(void **state)
{
	struct facts *facts = *state;
	int missing = 0;

	assert_true(mg_milter_macros_session(
		get_listed, &missing, facts->arena, &facts->session, &facts->local));
	assert_int_equal(missing, 0);
	assert_string_equal(mg_milter_macros_later, "i");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
		TEST(an_smtp_session_with_tls_and_login_is_read_whole),
		TEST(what_is_not_sent_is_unknown),
		TEST(ipv6_comes_with_a_tag_and_has_one_form),
		TEST(a_client_whose_name_is_unknown_has_none),
		TEST(broken_values_are_as_if_unknown),
		TEST(port_0_and_a_queue_id_at_mail_are_local_mail),
		TEST(local_mail_has_an_address_but_no_session_key),
		TEST(without_the_address_macro_the_known_one_stays),
		TEST(facts_outlive_the_macros),
		TEST(a_full_arena_is_reported_and_leaves_no_null),
		TEST(every_macro_that_is_read_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

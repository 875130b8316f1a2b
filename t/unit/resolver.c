/* SPDX-License-Identifier: ISC */
/* The section resolver, and the resolver of each loading of a configuration. */
#include "run/resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/dns_case.h"
#include "base/str.h"
#include "run/settings.h"
#include "run/snapshot.h"

#include "name_server.h"

static const int64_t long_time = 100 * MG_SECOND;

/* --- a filter that keeps the world it was given --- */

static void *configure(
	const struct mg_conf *conf, const struct mg_world *world, struct mg_errors *errors)
{
	(void)conf;
	(void)errors;
	return (void *)(uintptr_t)world;
}

static const struct mg_filter filter = {.name = "test", .configure = configure};

static struct name_server server;
static struct mg_hosted hosted;
static struct mg_errors errors;
static char servers[64];

static int set_up(void **state)
{
	(void)state;
	name_server_start(&server);
	mg_str_format(servers, sizeof servers, "resolver.servers={ \"%s\" }", server.address);
	hosted = (struct mg_hosted){.filter = &filter};
	return mg_settings_options(&filter, hosted.tables) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mg_settings_options_free(hosted.tables);
	mg_errors_clear(&errors);
	name_server_stop(&server);
	return 0;
}

static struct mg_snapshot *load(const char *const overrides[])
{
	struct mg_snapshot *snapshot;

	hosted.overrides = overrides;
	snapshot = mg_snapshot_load(NULL, &hosted, 1, &mg_clock_system, &errors);
	if (snapshot == NULL)
		fail_msg("%s", errors.list[0].text);
	return snapshot;
}

static const struct mg_world *world_of(const struct mg_snapshot *snapshot)
{
	return snapshot->filters[0].snapshot;
}

static enum mg_dns_status ask(const struct mg_snapshot *snapshot, const char *name, int64_t time)
{
	struct mg_dns *dns = world_of(snapshot)->dns;
	const struct mg_dns_answer *answer = mg_dns_ask(
		dns, name, MG_DNS_TXT, false, mg_clock_system.monotonic(&mg_clock_system) + time);
	enum mg_dns_status status = answer->status;

	mg_dns_release(dns, answer);
	return status;
}

static void what_is_kept_outlives_a_reload(void **state)
{
	const char *const overrides[] = {servers, NULL};
	const char *const others[] = {servers, "dry_run=yes", NULL};
	struct mg_snapshot *before = load(overrides), *after;

	(void)state;
	assert_int_equal(ask(before, "a.example.org", long_time), MG_DNS_FOUND);
	after = load(others);
	mg_snapshot_release(before);
	server.mute = true;
	assert_int_equal(ask(after, "a.example.org", MG_MILLISECOND), MG_DNS_FOUND);
	assert_int_equal(server.queries, 1);
	mg_snapshot_release(after);
}

static void a_reload_with_other_settings_asks_anew(void **state)
{
	const char *const overrides[] = {servers, NULL};
	const char *const others[] = {servers, "resolver.timeout=4s", NULL};
	struct mg_snapshot *before = load(overrides), *after;

	(void)state;
	assert_int_equal(ask(before, "a.example.org", long_time), MG_DNS_FOUND);
	after = load(others);
	assert_int_equal(ask(after, "a.example.org", long_time), MG_DNS_FOUND);
	assert_int_equal(server.queries, 2);
	assert_int_equal(ask(before, "a.example.org", long_time), MG_DNS_FOUND);
	assert_int_equal(server.queries, 2);
	mg_snapshot_release(before);
	mg_snapshot_release(after);
}

static void a_reload_that_is_refused_leaves_the_resolver(void **state)
{
	const char *const overrides[] = {servers, NULL};
	struct mg_snapshot *before = load(overrides);

	(void)state;
	assert_int_equal(ask(before, "a.example.org", long_time), MG_DNS_FOUND);
	hosted.overrides = (const char *const[]){servers, "dry_run=perhaps", NULL};
	assert_null(mg_snapshot_load(NULL, &hosted, 1, &mg_clock_system, &errors));
	assert_int_equal(ask(before, "a.example.org", 0), MG_DNS_FOUND);
	mg_snapshot_release(before);
}

static void without_an_event_log_it_does_not_serve(void **state)
{
	struct mg_snapshot *snapshot = load(NULL);

	(void)state;
	assert_false(world_of(snapshot)->serving);
	assert_non_null(world_of(snapshot)->dns);
	mg_snapshot_release(snapshot);
}

static void a_case_goes_before_the_settings(void **state)
{
	const char *const overrides[] = {servers, NULL};
	const struct mg_dns_row rows[] = {
		{"b.example.org TXT", NULL, (const char *const[]){"text"}, 1}};
	struct mg_snapshot *snapshot;

	(void)state;
	hosted.dns = mg_dns_case_new(rows, 1, &errors);
	snapshot = load(overrides);
	assert_int_equal(ask(snapshot, "a.example.org", long_time), MG_DNS_NO_NAME);
	assert_int_equal(ask(snapshot, "b.example.org", long_time), MG_DNS_FOUND);
	assert_int_equal(server.queries, 0);
	mg_snapshot_release(snapshot);
	mg_dns_close(hosted.dns);
}

static bool count_row(void *context, const struct mg_dns_row *row)
{
	(void)row;
	++*(size_t *)context;
	return true;
}

static void what_is_asked_is_noted_where_that_is_wanted(void **state)
{
	const char *const overrides[] = {servers, NULL};
	struct mg_snapshot *snapshot;
	size_t count = 0;

	(void)state;
	hosted.dns_notes = mg_dns_notes_new();
	snapshot = load(overrides);
	assert_int_equal(ask(snapshot, "a.example.org", long_time), MG_DNS_FOUND);
	assert_int_equal(ask(snapshot, "none.example.org", long_time), MG_DNS_NO_NAME);
	mg_snapshot_release(snapshot);
	assert_true(mg_dns_notes_each(hosted.dns_notes, count_row, &count));
	assert_int_equal(count, 2);
	mg_dns_notes_free(hosted.dns_notes);
}

static void wrong_settings_are_told(void **state)
{
	static const struct {
		const char *override, *error;
	} rows[] = {
		{"resolver.servers={ \"ns.example.org\" }", "expected IP, IP@PORT or recursive"},
		{"resolver.servers={ \"192.0.2.1@0\" }", "expected IP, IP@PORT or recursive"},
		{"resolver.servers={ \"192.0.2.1\", \"recursive\" }", "\"recursive\" stands alone"},
		{"resolver.timeout=0", "timeout"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		hosted.overrides = (const char *const[]){rows[i].override, NULL};
		assert_null(mg_snapshot_load(NULL, &hosted, 1, &mg_clock_system, &errors));
		assert_int_equal(errors.count, 1);
		if (strstr(errors.list[0].text, rows[i].error) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", rows[i].error, errors.list[0].text);
		mg_errors_clear(&errors);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_outlives_a_reload),
		TEST(a_reload_with_other_settings_asks_anew),
		TEST(a_reload_that_is_refused_leaves_the_resolver),
		TEST(without_an_event_log_it_does_not_serve),
		TEST(a_case_goes_before_the_settings),
		TEST(what_is_asked_is_noted_where_that_is_wanted),
		TEST(wrong_settings_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "event/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct mg_option *const tables[] = {mg_events_options, NULL};

static struct mg_conf *load(const char *const overrides[])
{
	struct mg_errors errors = {0};
	struct mg_conf *conf = mg_conf_load(NULL, tables, overrides, &errors);

	if (conf == NULL)
		fail_msg("%s", errors.list[0].text);
	return conf;
}

static void the_defaults_are_those_of_the_manual(void **state)
{
	struct mg_conf *conf = load(NULL);
	struct mg_spool_settings settings;
	struct mg_errors errors = {0};
	struct mg_redact *redact;

	(void)state;
	mg_events_spool_settings(conf, "log", &settings);
	assert_string_equal(settings.directory, MG_LOGDIR);
	assert_string_equal(settings.name, "log");
	assert_false(settings.durable);
	assert_int_equal(settings.segment_bytes, 64 << 20);
	assert_int_equal(settings.keep_bytes, UINT64_C(10) << 30);
	assert_int_equal(settings.hard_limit_bytes, UINT64_C(20) << 30);
	assert_true(settings.keep_age == 90 * 86400 * MG_SECOND);
	redact = mg_events_redact(conf, &errors);
	assert_non_null(redact);
	for (enum mg_privacy privacy = 0; privacy < MG_PRIVACY_COUNT; privacy++)
		assert_true(mg_redact_is_clear(redact, privacy));
	mg_redact_free(redact);
	mg_conf_free(conf);
}

static void every_setting_reaches_the_spool(void **state)
{
	static const char *const overrides[] = {"events.directory=/tmp/x", "events.durable=yes",
		"events.segment=1M", "events.keep=2M", "events.hard_limit=3M", "events.keep_age=4s",
		NULL};
	struct mg_conf *conf = load(overrides);
	struct mg_spool_settings settings;

	(void)state;
	mg_events_spool_settings(conf, "log", &settings);
	assert_string_equal(settings.directory, "/tmp/x");
	assert_true(settings.durable);
	assert_int_equal(settings.segment_bytes, 1 << 20);
	assert_int_equal(settings.keep_bytes, 2 << 20);
	assert_int_equal(settings.hard_limit_bytes, 3 << 20);
	assert_true(settings.keep_age == 4 * MG_SECOND);
	mg_conf_free(conf);
}

static void the_hard_limit_is_not_below_keep(void **state)
{
	static const char *const overrides[] = {"events.keep=5G", "events.hard_limit=1G", NULL};
	struct mg_conf *conf = load(overrides);
	struct mg_spool_settings settings;

	(void)state;
	mg_events_spool_settings(conf, "log", &settings);
	assert_int_equal(settings.hard_limit_bytes, UINT64_C(5) << 30);
	mg_conf_free(conf);
}

static void each_class_is_redacted_its_own_way(void **state)
{
	static const char *const overrides[] = {
		"events.redact.subject=drop", "events.redact.client=mask", NULL};
	struct mg_conf *conf = load(overrides);
	struct mg_errors errors = {0};
	struct mg_redact *redact = mg_events_redact(conf, &errors);
	struct mg_buf out = {0};

	(void)state;
	assert_non_null(redact);
	assert_false(mg_redact_apply(redact, MG_PRIVACY_SUBJECT, false, "x", 1, &out));
	assert_true(mg_redact_apply(redact, MG_PRIVACY_CLIENT, true, "192.0.2.77", 10, &out));
	assert_string_equal(mg_buf_text(&out), "192.0.2.0");
	assert_true(mg_redact_is_clear(redact, MG_PRIVACY_SENDERS));
	assert_true(mg_redact_is_clear(redact, MG_PRIVACY_RECIPIENTS));
	assert_true(mg_redact_is_clear(redact, MG_PRIVACY_NAMES));
	mg_buf_free(&out);
	mg_redact_free(redact);
	mg_conf_free(conf);
}

static void a_key_that_cannot_be_read_is_an_error_of_its_setting(void **state)
{
	static const char *const overrides[] = {
		"events.redact.subject=hmac", "events.redact.key=/nonexistent/key", NULL};
	struct mg_conf *conf = load(overrides);
	struct mg_errors errors = {0};

	(void)state;
	assert_null(mg_events_redact(conf, &errors));
	assert_int_equal(errors.count, 1);
	if (strstr(errors.list[0].text, "key: /nonexistent/key: No such file") == NULL)
		fail_msg("%s", errors.list[0].text);
	mg_errors_clear(&errors);
	mg_conf_free(conf);
}

static void values_that_make_no_sense_are_refused(void **state)
{
	static const char *const bad[] = {"events.directory=relative", "events.segment=1K",
		"events.redact.subject=hidden", "events.keep_age=90"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *const overrides[] = {bad[i], NULL};
		struct mg_errors errors = {0};

		assert_null(mg_conf_load(NULL, tables, overrides, &errors));
		assert_int_equal(errors.count, 1);
		mg_errors_clear(&errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_those_of_the_manual),
		cmocka_unit_test(every_setting_reaches_the_spool),
		cmocka_unit_test(the_hard_limit_is_not_below_keep),
		cmocka_unit_test(each_class_is_redacted_its_own_way),
		cmocka_unit_test(a_key_that_cannot_be_read_is_an_error_of_its_setting),
		cmocka_unit_test(values_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

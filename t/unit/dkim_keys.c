/* SPDX-License-Identifier: ISC */
#include "dkim/keys.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "event/event.h"
#include "key_place.h"

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

/* A monotonic clock that is set by hand, so that a second passes at once. */
struct hand_clock {
	struct mg_clock clock;
	int64_t now;
};

static int64_t hand_now(const struct mg_clock *clock)
{
	return ((const struct hand_clock *)clock)->now;
}

static struct place {
	struct key_place keys;
	struct hand_clock clock;
	struct mg_events *events;
	json_t *taken; /* events, in order */
	struct dkim_keys_settings settings;
	struct dkim_keys *store;
} here;

static int take_event(void *context, const char *document, size_t length, struct mg_error *error)
{
	json_t *event = json_loadb(document, length, 0, NULL);

	(void)context;
	(void)error;
	assert_non_null(event);
	assert_int_equal(json_array_append_new(here.taken, event), 0);
	return 0;
}

static int make_place(void **state)
{
	static const struct mg_events_identity identity = {
		.program = "millgate-dkim", .host = "mx1.example.org", .version = "0"};

	(void)state;
	memset(&here, 0, sizeof(here));
	key_place_make(&here.keys);
	here.clock.clock.utc = hand_now;
	here.clock.clock.monotonic = hand_now;
	here.clock.now = 100 * MG_SECOND;
	here.taken = json_array();
	here.events = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	mg_events_divert(here.events, take_event, NULL);
	here.settings = (struct dkim_keys_settings){.folder = here.keys.folder,
		.subdomains = true,
		.minimum_bits = 1024,
		.check_dns = 600 * MG_SECOND};
	return 0;
}

static int remove_place(void **state)
{
	(void)state;
	dkim_keys_close(here.store);
	mg_events_free(here.events);
	json_decref(here.taken);
	key_place_remove(&here.keys);
	return 0;
}

static void open_store(void)
{
	struct mg_error error = {""};

	dkim_keys_close(here.store);
	here.store =
		dkim_keys_open(&here.settings, NULL, &here.clock.clock, here.events, false, &error);
	assert_string_equal(error.text, "");
	assert_non_null(here.store);
}

/* What signs: "example.org/s1 rsa-sha256 example.org/e1 ed25519-sha256", or the choice. */
static const char *signs(const char *domain)
{
	static const char *const names[] = {[DKIM_NO_KEY] = "no key",
		[DKIM_REFUSED] = "refused",
		[DKIM_BAD_DOMAIN] = "bad domain",
		[DKIM_UNREADABLE] = "unreadable"};
	static char text[1024];
	struct dkim_signer signers[DKIM_SIGNERS_MAX];
	struct mg_error reason;
	size_t count, length = 0;
	enum dkim_choice choice = dkim_keys_choose(here.store, domain,
		mg_clock_system.monotonic(&mg_clock_system) + 5 * MG_SECOND, signers, &count,
		&reason);

	if (choice != DKIM_CHOSEN)
		return names[choice];
	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s/%s %s",
			i ? " " : "", signers[i].domain, signers[i].selector,
			mg_dkim_algorithm_name(mg_dkim_key_algorithm(signers[i].key)));
	dkim_signers_release(signers, count);
	return text;
}

static void pass_a_second(void)
{
	here.clock.now += MG_SECOND;
}

static const char *text_at(const json_t *event, const char *path)
{
	char name[64];
	const char *dot;

	for (; (dot = strchr(path, '.')); path = dot + 1) {
		snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
		event = json_object_get(event, name);
	}
	event = json_object_get(event, path);
	return event ? json_string_value(event) : "";
}

/* The value of an event's field; "" when there is no such event or field. */
static const char *event_text(size_t index, const char *path)
{
	return text_at(json_array_get(here.taken, index), path);
}

static void a_file_in_the_folder_of_a_domain_signs_it(void **state)
{
	(void)state;
	key_place_put(&here.keys, "example.org", "s1", key_place_rsa(0), 100);
	open_store();
	assert_string_equal(signs("example.org"), "example.org/s1 rsa-sha256");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PLACE(a_file_in_the_folder_of_a_domain_signs_it),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	key_place_end();
	return failed;
}

/* SPDX-License-Identifier: ISC */
#include "keys_case.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/dns_answer.h"

struct keys_case here;

static _Thread_local struct mg_error last_reason;

/* --- DNS --- */

static const struct mg_dns_answer *hand_ask(
	struct mg_dns *dns, const char *name, enum mg_dns_type type, bool fresh, int64_t deadline)
{
	struct hand_dns *hand = (struct hand_dns *)dns;
	struct timespec until = {.tv_sec = deadline / MG_SECOND, .tv_nsec = deadline % MG_SECOND};
	const struct mg_dns_answer *answer = mg_dns_plain(MG_DNS_NO_NAME);

	(void)type;
	(void)fresh;
	hand->questions++;
	pthread_mutex_lock(&hand->lock);
	while (hand->waits && pthread_cond_timedwait(&hand->changed, &hand->lock, &until) == 0)
		;
	if (hand->waits)
		answer = mg_dns_plain(MG_DNS_TIMEOUT);
	else if (hand->down)
		answer = mg_dns_plain(MG_DNS_FAILED);
	for (size_t i = 0; !hand->waits && !hand->down && i < hand->count; i++) {
		struct mg_dns_record record = {.data = mg_buf_text(&hand->records[i].text),
			.length = hand->records[i].text.length};

		if (record.length > 0 && strcmp(hand->records[i].name, name) == 0)
			answer = mg_dns_answer_new(&(struct mg_dns_answer){.status = MG_DNS_FOUND,
				.ttl = MG_SECOND,
				.count = 1,
				.records = &record});
	}
	pthread_mutex_unlock(&hand->lock);
	return answer;
}

static void hand_close(struct mg_dns *dns)
{
	(void)dns;
}

static const struct mg_dns_kind hand_kind = {.ask = hand_ask, .close = hand_close};

static void make_dns(struct hand_dns *hand)
{
	pthread_condattr_t attributes;

	hand->dns.kind = &hand_kind;
	hand->dns.uses = 1;
	pthread_mutex_init(&hand->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&hand->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void hand_dns_text(const char *selector, const char *domain, const char *text)
{
	struct hand_dns *hand = &here.dns;
	char name[128];
	size_t at;

	snprintf(name, sizeof(name), "%s._domainkey.%s", selector, domain);
	pthread_mutex_lock(&hand->lock);
	for (at = 0; at < hand->count && strcmp(hand->records[at].name, name) != 0;)
		at++;
	assert_in_range(at, 0, HAND_RECORDS - 1);
	snprintf(hand->records[at].name, sizeof(hand->records[at].name), "%s", name);
	mg_buf_free(&hand->records[at].text);
	mg_buf_add_text(&hand->records[at].text, text);
	if (at == hand->count)
		hand->count++;
	pthread_mutex_unlock(&hand->lock);
}

void hand_dns_publish(const char *selector, const char *domain, const struct mg_dkim_key *key)
{
	struct mg_buf text = {0};

	if (key)
		mg_dkim_record_text(key, &text);
	hand_dns_text(selector, domain, mg_buf_text(&text));
	mg_buf_free(&text);
}

void hand_dns_down(bool down)
{
	pthread_mutex_lock(&here.dns.lock);
	here.dns.down = down;
	pthread_mutex_unlock(&here.dns.lock);
}

void hand_dns_wait(bool wait)
{
	pthread_mutex_lock(&here.dns.lock);
	here.dns.waits = wait;
	pthread_cond_broadcast(&here.dns.changed);
	pthread_mutex_unlock(&here.dns.lock);
}

/* --- the case --- */

static int64_t hand_now(const struct mg_clock *clock)
{
	(void)clock;
	return here.now;
}

static int take_event(void *context, const char *document, size_t length, struct mg_error *error)
{
	json_t *event = json_loadb(document, length, 0, NULL);

	(void)context;
	(void)error;
	pthread_mutex_lock(&here.lock);
	json_array_append_new(here.taken, event);
	pthread_mutex_unlock(&here.lock);
	return event ? 0 : -1;
}

int keys_case_make(void **state)
{
	static const struct mg_events_identity identity = {
		.program = "millgate-dkim", .host = "mx1.example.org", .version = "0"};

	(void)state;
	memset(&here, 0, sizeof(here));
	key_place_make(&here.place);
	here.clock = (struct mg_clock){.utc = hand_now, .monotonic = hand_now};
	here.now = 100 * MG_SECOND;
	make_dns(&here.dns);
	pthread_mutex_init(&here.lock, NULL);
	here.taken = json_array();
	here.events = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	mg_events_divert(here.events, take_event, NULL);
	here.settings = (struct dkim_keys_settings){.folder = here.place.folder,
		.subdomains = true,
		.minimum_bits = 1024,
		.check_dns = 600 * MG_SECOND};
	return 0;
}

int keys_case_remove(void **state)
{
	(void)state;
	hand_dns_wait(false);
	dkim_keys_close(here.keys);
	for (size_t i = 0; i < here.dns.count; i++)
		mg_buf_free(&here.dns.records[i].text);
	mg_events_free(here.events);
	json_decref(here.taken);
	key_place_remove(&here.place);
	return 0;
}

void keys_case_open(void)
{
	struct mg_error error = {""};

	dkim_keys_close(here.keys);
	here.keys = dkim_keys_open(&here.settings, here.with_dns ? &here.dns.dns : NULL,
		&here.clock, here.events, here.background, &error);
	assert_string_equal(error.text, "");
	assert_non_null(here.keys);
}

const char *keys_case_signs(const char *domain)
{
	static const char *const names[] = {[DKIM_NO_KEY] = "no key",
		[DKIM_GONE] = "gone",
		[DKIM_REFUSED] = "refused",
		[DKIM_BAD_DOMAIN] = "bad domain",
		[DKIM_UNREADABLE] = "unreadable"};
	static _Thread_local char text[1024];
	struct dkim_signer signers[DKIM_SIGNERS_MAX];
	size_t count, length = 0;
	int64_t deadline = mg_clock_system.monotonic(&mg_clock_system) + 20 * MG_SECOND;
	enum dkim_choice choice =
		dkim_keys_choose(here.keys, domain, deadline, signers, &count, &last_reason);

	if (choice != DKIM_CHOSEN)
		return names[choice];
	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s/%s %s",
			i ? ", " : "", signers[i].domain, signers[i].selector,
			mg_dkim_algorithm_name(mg_dkim_key_algorithm(signers[i].key)));
	dkim_signers_release(signers, count);
	return text;
}

const char *keys_case_reason(void)
{
	return last_reason.text;
}

void keys_case_pass_a_second(void)
{
	here.now += MG_SECOND;
}

/* --- events --- */

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

size_t keys_case_events(const char *action)
{
	size_t count = 0;

	pthread_mutex_lock(&here.lock);
	for (size_t i = 0; i < json_array_size(here.taken); i++)
		count +=
			strcmp(text_at(json_array_get(here.taken, i), "event.action"), action) == 0;
	pthread_mutex_unlock(&here.lock);
	return count;
}

const char *keys_case_event(const char *action, const char *field)
{
	const char *text = "";

	pthread_mutex_lock(&here.lock);
	for (size_t i = json_array_size(here.taken); i > 0 && text[0] == '\0'; i--) {
		const json_t *event = json_array_get(here.taken, i - 1);

		if (strcmp(text_at(event, "event.action"), action) != 0)
			continue;
		text = text_at(event, field);
		break;
	}
	pthread_mutex_unlock(&here.lock);
	return text;
}

bool keys_case_await_events(const char *action, size_t count)
{
	static const struct timespec moment = {.tv_nsec = 5000000};
	int64_t end = mg_clock_system.monotonic(&mg_clock_system) + 60 * MG_SECOND;

	while (keys_case_events(action) < count) {
		if (mg_clock_system.monotonic(&mg_clock_system) > end)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}

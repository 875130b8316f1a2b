/* SPDX-License-Identifier: ISC */
/* keys_case: a folder of keys with a store over it, a DNS that is written by hand, a clock that is
 * set by hand, and the events that were written. */
#ifndef MG_T_UNIT_KEYS_CASE_H
#define MG_T_UNIT_KEYS_CASE_H
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/dns.h"
#include "dkim/keys.h"
#include "event/event.h"
#include "key_place.h"

enum { HAND_RECORDS = 32 };

/* A resolver whose one record a name is set by the test. */
struct hand_dns {
	struct mg_dns dns; /* first: it is one */
	pthread_mutex_t lock;
	struct {
		char name[128];
		struct mg_buf text;
	} records[HAND_RECORDS];
	size_t count;
	bool down; /* nothing is answered */
	bool waits; /* an answer waits for its deadline, or until this is set back */
	pthread_cond_t changed;
	atomic_uint questions;
};

struct keys_case {
	struct key_place place;
	struct mg_clock clock;
	_Atomic int64_t now; /* monotonic */
	struct hand_dns dns;
	struct mg_events *events;
	pthread_mutex_t lock; /* of taken */
	json_t *taken; /* events, in order */
	struct dkim_keys_settings settings; /* minimum_bits 1024, check_dns 10m, subdomains */
	bool with_dns, background;
	struct dkim_keys *keys;
};

/* The one of the test that runs. */
extern struct keys_case here;

/* cmocka's setup and teardown. */
int keys_case_make(void **state);
int keys_case_remove(void **state);
#define KEYS_TEST(test) cmocka_unit_test_setup_teardown(test, keys_case_make, keys_case_remove)

/* Opens here.keys by the settings, after closing what was. */
void keys_case_open(void);
/* What signs: "example.org/s1 rsa-sha256, example.org/e1 ed25519-sha256", or the choice: "no key",
 * "refused", … */
const char *keys_case_signs(const char *domain);
/* The reason of the last keys_case_signs. */
const char *keys_case_reason(void);
/* The next look at files is due. */
void keys_case_pass_a_second(void);

/* How many events of an action were written. */
size_t keys_case_events(const char *action);
/* A field of the last one of that action; "" when there is none. The caller frees nothing. */
const char *keys_case_event(const char *action, const char *field);
/* Waits until there are as many; false: not within a minute. */
bool keys_case_await_events(const char *action, size_t count);

/* The record of the key, in place of what is there; key NULL: none. */
void hand_dns_publish(const char *selector, const char *domain, const struct mg_dkim_key *key);
void hand_dns_text(const char *selector, const char *domain, const char *text);
void hand_dns_down(bool down);
void hand_dns_wait(bool wait);
#endif

/* SPDX-License-Identifier: ISC */
/* Threads that choose while files and DNS change under them. */
#include "dkim/keys.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "key_place.h"
#include "keys_case.h"

enum { THREADS = 8, ROUNDS = 20, DOMAINS = 4 };

static atomic_bool ended;
static atomic_uint signatures, failures;

static void sign_with(const struct dkim_signer *signer)
{
	static const unsigned char digest[MG_SHA256_SIZE] = {1};
	unsigned char signature[MG_DKIM_SIGNATURE_MAX];

	if (mg_dkim_key_sign(signer->key, digest, signature) > 0)
		signatures++;
	else
		failures++;
}

static void *choose(void *context)
{
	struct dkim_signer signers[DKIM_SIGNERS_MAX];
	struct mg_dkim_key *key;
	struct mg_error reason;
	char domain[32];
	size_t count;

	for (unsigned i = 0; !ended; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i % DOMAINS);
		here.now += MG_SECOND / 2;
		if (dkim_keys_choose(here.keys, domain,
			    mg_clock_system.monotonic(&mg_clock_system) + MG_SECOND, signers,
			    &count, &reason) == DKIM_BAD_DOMAIN)
			failures++;
		for (size_t s = 0; s < count; s++)
			sign_with(&signers[s]);
		dkim_signers_release(signers, count);
		key = dkim_keys_find(here.keys, domain, "s1");
		if (key)
			mg_dkim_key_release(key);
	}
	(void)context;
	return NULL;
}

/* d0 always has its oldest key: it is never without a signature. */
static void *insist(void *context)
{
	while (!ended)
		if (strncmp(keys_case_signs("d0.example"), "d0.example/s", 12) != 0)
			failures++;
	return context;
}

static void change_domain(const char *domain, int round)
{
	char path[PLACE_PATH];

	key_place_put(&here.place, domain, "s1", key_place_ed25519((size_t)round % 3), 50);
	key_place_put(&here.place, domain, "s2", key_place_rsa((size_t)round % 3), 0);
	hand_dns_publish("s2", domain, round % 2 ? key_place_rsa((size_t)round % 3) : NULL);
	snprintf(path, sizeof(path), "%s", key_place_path(&here.place, domain, "s2.pem"));
	assert_int_equal(chmod(path, round % 3 ? 0640 : 0644), 0);
	if (round % 2)
		key_place_drop(&here.place, domain, "s2");
	if (round % 5 == 4 && strcmp(domain, "d0.example") != 0) {
		key_place_drop(&here.place, domain, "s1");
		if (round % 2 == 0)
			key_place_drop(&here.place, domain, "s2");
		key_place_drop(&here.place, domain, "s0");
		assert_int_equal(remove(key_place_path(&here.place, domain, NULL)), 0);
	}
}

static void threads_choose_while_everything_changes(void **state)
{
	pthread_t threads[THREADS];
	char domain[32];

	(void)state;
	here.with_dns = true;
	here.background = true;
	here.settings.check_dns = MG_MILLISECOND;
	for (int d = 0; d < DOMAINS; d++) {
		snprintf(domain, sizeof(domain), "d%d.example", d);
		key_place_put(&here.place, domain, "s0", key_place_ed25519(0), 100);
	}
	keys_case_open();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i ? choose : insist, NULL), 0);
	for (int round = 0; round < ROUNDS; round++)
		for (int d = 0; d < DOMAINS; d++) {
			snprintf(domain, sizeof(domain), "d%d.example", d);
			key_place_put(&here.place, domain, "s0", key_place_ed25519(0), 100);
			change_domain(domain, round);
			hand_dns_down(round % 7 == 0);
		}
	ended = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(failures, 0);
	assert_true(signatures > 0);
}

static void *reopen(void *context)
{
	for (int i = 0; i < 50; i++) {
		struct dkim_keys *keys = dkim_keys_open(
			&here.settings, &here.dns.dns, &here.clock, here.events, true, NULL);

		if (!keys)
			failures++;
		dkim_keys_close(keys);
	}
	return context;
}

static void reloads_go_on_beside_messages(void **state)
{
	pthread_t threads[3];

	(void)state;
	ended = false;
	here.with_dns = true;
	here.background = true;
	here.settings.check_dns = MG_MILLISECOND;
	key_place_put(&here.place, "d0.example", "s0", key_place_ed25519(0), 100);
	keys_case_open();
	assert_int_equal(pthread_create(&threads[0], NULL, insist, NULL), 0);
	for (int i = 1; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reopen, NULL), 0);
	for (int i = 1; i < 3; i++)
		pthread_join(threads[i], NULL);
	ended = true;
	pthread_join(threads[0], NULL);
	assert_int_equal(failures, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYS_TEST(threads_choose_while_everything_changes),
		KEYS_TEST(reloads_go_on_beside_messages),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	key_place_end();
	return failed;
}

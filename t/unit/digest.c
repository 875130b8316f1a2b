/* SPDX-License-Identifier: ISC */
#include "base/digest.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static void expect_hex(const unsigned char digest[MG_SHA256_SIZE], const char *hex)
{
	char text[2 * MG_SHA256_SIZE + 1];

	mg_str_hex(text, digest, MG_SHA256_SIZE);
	assert_string_equal(text, hex);
}

#define OF_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OF_TWO_BLOCKS "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void the_examples_of_fips_180_are_met(void **state)
{
	unsigned char digest[MG_SHA256_SIZE];

	(void)state;
	assert_true(mg_sha256_of("", 0, digest));
	expect_hex(digest, OF_EMPTY);
	assert_true(mg_sha256_of("abc", 3, digest));
	expect_hex(digest, OF_ABC);
	assert_true(mg_sha256_of(two_blocks, strlen(two_blocks), digest));
	expect_hex(digest, OF_TWO_BLOCKS);
}

static void pieces_give_the_hash_of_the_whole(void **state)
{
	struct mg_sha256 *hash = mg_sha256_new();
	unsigned char digest[MG_SHA256_SIZE];

	(void)state;
	assert_non_null(hash);
	for (size_t i = 0; i < strlen(two_blocks); i++)
		mg_sha256_add(hash, two_blocks + i, 1);
	assert_true(mg_sha256_finish(hash, digest));
	expect_hex(digest, OF_TWO_BLOCKS);
	mg_sha256_free(hash);
}

static void a_finished_hash_begins_anew(void **state)
{
	struct mg_sha256 *hash = mg_sha256_new();
	unsigned char digest[MG_SHA256_SIZE];

	(void)state;
	assert_non_null(hash);
	mg_sha256_add(hash, two_blocks, 20);
	assert_true(mg_sha256_finish(hash, digest));
	mg_sha256_add(hash, "abc", 3);
	assert_true(mg_sha256_finish(hash, digest));
	expect_hex(digest, OF_ABC);
	assert_true(mg_sha256_finish(hash, digest));
	expect_hex(digest, OF_EMPTY);
	mg_sha256_free(hash);
}

static void nothing_is_left_of_a_hash_that_was_freed_half_way(void **state)
{
	unsigned char digest[MG_SHA256_SIZE];

	(void)state;
	for (int round = 0; round < 3; round++) {
		struct mg_sha256 *hash = mg_sha256_new();

		assert_non_null(hash);
		mg_sha256_add(hash, "left", 4);
		mg_sha256_free(hash);
		assert_true(mg_sha256_of("abc", 3, digest));
		expect_hex(digest, OF_ABC);
	}
}

static void many_hashes_under_way_do_not_mix(void **state)
{
	enum { MANY = 12 };
	struct mg_sha256 *hashes[MANY];
	unsigned char digest[MG_SHA256_SIZE], wanted[MG_SHA256_SIZE];
	char text[MANY];

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t i = 0; i < MANY; i++)
		assert_non_null(hashes[i] = mg_sha256_new());
	for (size_t i = 0; i < MANY; i++)
		for (size_t j = i; j < MANY; j++)
			mg_sha256_add(hashes[j], text, 1);
	for (size_t i = 0; i < MANY; i++) {
		assert_true(mg_sha256_finish(hashes[i], digest));
		assert_true(mg_sha256_of(text, i + 1, wanted));
		assert_memory_equal(digest, wanted, sizeof digest);
		mg_sha256_free(hashes[i]);
	}
}

static void *hash_apart(void *good)
{
	unsigned char digest[MG_SHA256_SIZE], wanted[MG_SHA256_SIZE];
	struct mg_sha256 *hash = mg_sha256_new();

	for (int i = 0; i < 1000 && hash != NULL; i++)
		mg_sha256_add(hash, "ab", 2);
	*(bool *)good = hash != NULL && mg_sha256_finish(hash, digest);
	mg_sha256_free(hash);
	hash = mg_sha256_new();
	for (int i = 0; i < 2000 && hash != NULL; i++)
		mg_sha256_add(hash, i % 2 == 0 ? "a" : "b", 1);
	*(bool *)good = *(bool *)good && hash != NULL && mg_sha256_finish(hash, wanted) &&
			memcmp(digest, wanted, sizeof digest) == 0;
	mg_sha256_free(hash);
	return NULL;
}

static void threads_hash_side_by_side(void **state)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	bool good[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_apart, &good[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(good[i]);
	}
}

static void the_examples_of_rfc_4231_are_met(void **state)
{
	unsigned char digest[MG_SHA256_SIZE], key[131];
	static const char large[] = "Test Using Larger Than Block-Size Key - Hash Key First";

	(void)state;
	assert_true(mg_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest));
	expect_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	assert_true(mg_hmac_sha256(key, sizeof key, large, strlen(large), digest));
	expect_hex(digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_fips_180_are_met),
		cmocka_unit_test(pieces_give_the_hash_of_the_whole),
		cmocka_unit_test(a_finished_hash_begins_anew),
		cmocka_unit_test(nothing_is_left_of_a_hash_that_was_freed_half_way),
		cmocka_unit_test(many_hashes_under_way_do_not_mix),
		cmocka_unit_test(threads_hash_side_by_side),
		cmocka_unit_test(the_examples_of_rfc_4231_are_met),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

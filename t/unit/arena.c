/* SPDX-License-Identifier: ISC */
#include "base/arena.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

static bool is_zero(const unsigned char *piece, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (piece[i] != 0)
			return false;
	return true;
}

static void pieces_are_zeroed_and_aligned_for_any_type(void **state)
{
	struct mg_arena *arena = mg_arena_new(MIB, NULL);

	(void)state;
	for (size_t length = 0; length < 500; length++) {
		unsigned char *piece = mg_arena_alloc(arena, length);

		assert_non_null(piece);
		assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
		assert_true(is_zero(piece, length));
		memset(piece, 0xa5, length);
	}
	mg_arena_free(arena);
}

static void pieces_do_not_overlap(void **state)
{
	struct mg_arena *arena = mg_arena_new(4 * MIB, NULL);
	unsigned char *pieces[300];

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		pieces[i] = mg_arena_alloc(arena, 1 + i * 37);
		assert_non_null(pieces[i]);
		memset(pieces[i], (int)(i % 251), 1 + i * 37);
	}
	for (size_t i = 0; i < 300; i++)
		for (size_t j = 0; j < 1 + i * 37; j++)
			assert_int_equal(pieces[i][j], i % 251);
	mg_arena_free(arena);
}

static void zero_bytes_are_a_piece_of_their_own(void **state)
{
	struct mg_arena *arena = mg_arena_new(KIB, NULL);
	void *first = mg_arena_alloc(arena, 0);

	(void)state;
	assert_non_null(first);
	assert_ptr_not_equal(first, mg_arena_alloc(arena, 0));
	mg_arena_free(arena);
}

static void a_copy_ends_in_nul(void **state)
{
	struct mg_arena *arena = mg_arena_new(KIB, NULL);

	(void)state;
	assert_string_equal(mg_arena_copy(arena, "abcdef", 3), "abc");
	assert_memory_equal(mg_arena_copy(arena, "a\0b", 3), "a\0b", 4);
	assert_string_equal(mg_arena_copy(arena, NULL, 0), "");
	mg_arena_free(arena);
}

static void the_whole_limit_can_be_handed_out_and_no_more(void **state)
{
	struct mg_arena *arena = mg_arena_new(100, NULL);

	(void)state;
	assert_null(mg_arena_alloc(arena, 101));
	assert_non_null(mg_arena_alloc(arena, 100));
	assert_int_equal(mg_arena_used(arena), 100);
	assert_null(mg_arena_alloc(arena, 1));
	mg_arena_free(arena);
}

static void many_small_pieces_stop_at_the_limit(void **state)
{
	struct mg_arena *arena = mg_arena_new(100 * KIB, NULL);
	size_t count = 0;

	(void)state;
	while (count <= 100 * KIB && mg_arena_alloc(arena, 64) != NULL)
		count++;
	/* Blocks cost some; under AddressSanitizer the pieces stand apart. */
	assert_in_range(count, 70 * KIB / 64, 100 * KIB / 64);
	assert_true(mg_arena_used(arena) <= 100 * KIB);
	mg_arena_free(arena);
}

static void a_limit_of_0_hands_out_nothing(void **state)
{
	struct mg_arena *arena = mg_arena_new(0, NULL);

	(void)state;
	assert_null(mg_arena_alloc(arena, 1));
	assert_null(mg_arena_alloc(arena, 0));
	assert_int_equal(mg_arena_used(arena), 0);
	mg_arena_free(arena);
}

static void a_size_that_overflows_is_refused(void **state)
{
	struct mg_arena_total total = {.limit = SIZE_MAX};
	struct mg_arena *arena = mg_arena_new(SIZE_MAX, &total);

	(void)state;
	assert_null(mg_arena_alloc(arena, SIZE_MAX));
	assert_null(mg_arena_alloc(arena, SIZE_MAX - 16));
	assert_null(mg_arena_copy(arena, "x", SIZE_MAX));
	assert_non_null(mg_arena_alloc(arena, 16));
	assert_null(mg_arena_alloc(arena, SIZE_MAX - 16));
	mg_arena_free(arena);
	assert_int_equal(atomic_load(&total.used), 0);
}

static void a_large_piece_leaves_the_block_before_in_use(void **state)
{
	struct mg_arena *arena = mg_arena_new(MIB, NULL);
	size_t used;

	(void)state;
	assert_non_null(mg_arena_alloc(arena, 10));
	assert_non_null(mg_arena_alloc(arena, 500 * KIB));
	used = mg_arena_used(arena);
	assert_non_null(mg_arena_alloc(arena, 10));
	assert_int_equal(mg_arena_used(arena), used);
	mg_arena_free(arena);
}

static void a_reset_keeps_one_block_and_forgets_the_pieces(void **state)
{
	struct mg_arena *arena = mg_arena_new(MIB, NULL);
	unsigned char *piece;
	size_t used;

	(void)state;
	piece = mg_arena_alloc(arena, 100);
	memset(piece, 0xff, 100);
	used = mg_arena_used(arena);
	assert_non_null(mg_arena_alloc(arena, 300 * KIB));
	for (int i = 0; i < 100; i++)
		assert_non_null(mg_arena_alloc(arena, KIB));
	mg_arena_reset(arena);
	assert_int_equal(mg_arena_used(arena), used);
	piece = mg_arena_alloc(arena, 100);
	assert_true(is_zero(piece, 100));
	assert_int_equal(mg_arena_used(arena), used);
	mg_arena_free(arena);
}

static void after_a_reset_the_whole_limit_is_there_again(void **state)
{
	struct mg_arena *arena = mg_arena_new(MIB, NULL);

	(void)state;
	mg_arena_reset(arena);
	for (int i = 0; i < 50; i++) {
		assert_non_null(mg_arena_alloc(arena, KIB));
		assert_non_null(mg_arena_alloc(arena, 900 * KIB));
		assert_null(mg_arena_alloc(arena, 200 * KIB));
		mg_arena_reset(arena);
	}
	mg_arena_free(arena);
}

static void the_total_holds_for_all_arenas_together(void **state)
{
	struct mg_arena_total total = {.limit = 100 * KIB};
	struct mg_arena *first = mg_arena_new(MIB, &total);
	struct mg_arena *second = mg_arena_new(MIB, &total);

	(void)state;
	assert_non_null(mg_arena_alloc(first, 60 * KIB));
	assert_null(mg_arena_alloc(second, 60 * KIB));
	assert_int_equal(mg_arena_used(second), 0);
	assert_int_equal(atomic_load(&total.used), mg_arena_used(first));
	mg_arena_free(first);
	assert_int_equal(atomic_load(&total.used), 0);
	assert_non_null(mg_arena_alloc(second, 60 * KIB));
	mg_arena_free(second);
	assert_int_equal(atomic_load(&total.used), 0);
}

static void a_total_smaller_than_a_block_is_still_of_use(void **state)
{
	struct mg_arena_total total = {.limit = 200};
	struct mg_arena *arena = mg_arena_new(MIB, &total);

	(void)state;
	assert_non_null(mg_arena_alloc(arena, 150));
	assert_null(mg_arena_alloc(arena, 150));
	mg_arena_free(arena);
}

static void a_total_that_shrinks_refuses_from_then_on(void **state)
{
	struct mg_arena_total total = {.limit = MIB};
	struct mg_arena *arena = mg_arena_new(MIB, &total);

	(void)state;
	assert_non_null(mg_arena_alloc(arena, 100 * KIB));
	atomic_store(&total.limit, 10 * KIB);
	assert_null(mg_arena_alloc(arena, 200 * KIB));
	mg_arena_free(arena);
	assert_int_equal(atomic_load(&total.used), 0);
}

static struct mg_arena_total shared;

/* Returns NULL when the total was always kept. */
static void *fill_and_free(void *argument)
{
	for (int round = 0; round < 200; round++) {
		struct mg_arena *arena = mg_arena_new(MIB, &shared);

		if (arena == NULL)
			return argument;
		for (int i = 0; i < 20; i++)
			mg_arena_alloc(arena, 10 * KIB);
		if (atomic_load(&shared.used) > 300 * KIB)
			return argument;
		if (round % 3 == 0)
			mg_arena_reset(arena);
		mg_arena_free(arena);
	}
	return NULL;
}

static void threads_never_exceed_the_total_and_give_all_back(void **state)
{
	pthread_t threads[4];
	void *result;

	(void)state;
	atomic_store(&shared.limit, 300 * KIB);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fill_and_free, &shared), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	assert_int_equal(atomic_load(&shared.used), 0);
}

static void freeing_no_arena_is_nothing(void **state)
{
	(void)state;
	mg_arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_and_aligned_for_any_type),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(zero_bytes_are_a_piece_of_their_own),
		cmocka_unit_test(a_copy_ends_in_nul),
		cmocka_unit_test(the_whole_limit_can_be_handed_out_and_no_more),
		cmocka_unit_test(many_small_pieces_stop_at_the_limit),
		cmocka_unit_test(a_limit_of_0_hands_out_nothing),
		cmocka_unit_test(a_size_that_overflows_is_refused),
		cmocka_unit_test(a_large_piece_leaves_the_block_before_in_use),
		cmocka_unit_test(a_reset_keeps_one_block_and_forgets_the_pieces),
		cmocka_unit_test(after_a_reset_the_whole_limit_is_there_again),
		cmocka_unit_test(the_total_holds_for_all_arenas_together),
		cmocka_unit_test(a_total_smaller_than_a_block_is_still_of_use),
		cmocka_unit_test(a_total_that_shrinks_refuses_from_then_on),
		cmocka_unit_test(threads_never_exceed_the_total_and_give_all_back),
		cmocka_unit_test(freeing_no_arena_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

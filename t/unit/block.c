/* SPDX-License-Identifier: ISC */
#include "run/block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static struct mg_arena *arena;

static struct mg_header field(const char *name, const char *value)
{
	return (struct mg_header){.name = name,
		.value = value,
		.name_length = strlen(name),
		.value_length = strlen(value)};
}

/* A block of fields "A:1 B:2 …" from names and values alternating, ended by NULL. */
static void make(struct mg_block *block, const char *const texts[])
{
	mg_block_init(block, arena);
	for (size_t i = 0; texts[i] != NULL; i += 2) {
		struct mg_header header = field(texts[i], texts[i + 1]);

		assert_true(mg_block_append(block, &header));
	}
	mg_block_turn(block);
}

static void insert(struct mg_block *block, unsigned position, const char *name, const char *value)
{
	struct mg_header header = field(name, value);

	assert_true(mg_block_insert(block, position, &header));
}

static void assert_is(struct mg_block *block, const char *expected)
{
	struct mg_buf text = {0};
	size_t count;
	const struct mg_header *view = mg_block_view(block, &count);

	assert_non_null(view);
	for (size_t i = 0; i < count; i++)
		mg_buf_add_format(&text, "%s%s:%s", i > 0 ? " " : "", view[i].name, view[i].value);
	assert_string_equal(mg_buf_text(&text), expected);
	mg_buf_free(&text);
}

static const char *const three[] = {"A", "1", "B", "2", "A", "3", NULL};

static void fields_are_seen_top_to_bottom(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	assert_is(&block, "A:1 B:2 A:3");
}

static void an_empty_block_is_seen_as_none(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, (const char *const[]){NULL});
	assert_is(&block, "");
}

static void a_change_is_told_by_its_number_among_fields_of_the_name(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	assert_int_equal(mg_block_change(&block, "a", 2, "x"), 2);
	assert_is(&block, "A:1 B:2 A:x");
}

static void after_a_deletion_later_fields_are_told_by_lower_numbers(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	assert_int_equal(mg_block_change(&block, "A", 1, NULL), 1);
	assert_int_equal(mg_block_change(&block, "A", 2, NULL), 1);
	assert_is(&block, "B:2");
}

static void deletions_from_the_last_one_up_keep_their_numbers(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	assert_int_equal(mg_block_change(&block, "A", 2, NULL), 2);
	assert_int_equal(mg_block_change(&block, "A", 1, NULL), 1);
	assert_is(&block, "B:2");
}

static void a_field_is_deleted_once(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	assert_int_equal(mg_block_change(&block, "B", 1, NULL), 1);
	assert_int_equal(mg_block_change(&block, "B", 1, NULL), 0);
	assert_int_equal(mg_block_change(&block, "B", 1, "x"), 0);
}

static void what_is_not_there_cannot_be_changed(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	assert_int_equal(mg_block_change(&block, "A", 3, "x"), 0);
	assert_int_equal(mg_block_change(&block, "A", 0, "x"), 0);
	assert_int_equal(mg_block_change(&block, "AA", 1, "x"), 0);
	assert_is(&block, "A:1 B:2 A:3");
}

static void an_own_insertion_is_not_counted_as_an_occurrence_but_told_in_the_number(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	insert(&block, 0, "A", "new");
	assert_int_equal(mg_block_change(&block, "A", 1, "x"), 2);
	assert_is(&block, "A:new A:x B:2 A:3");
}

static void the_next_filter_counts_the_block_as_it_is_then(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	insert(&block, 0, "A", "new");
	mg_block_change(&block, "A", 1, NULL);
	mg_block_turn(&block);
	assert_int_equal(mg_block_change(&block, "A", 1, "x"), 1);
	assert_int_equal(mg_block_change(&block, "A", 2, "y"), 2);
	assert_is(&block, "A:x B:2 A:y");
}

/* The MTA's own Received, R, is hidden: position 0 is above it, 1 below. */
static void position_0_and_1_are_above_and_below_the_hidden_received(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	insert(&block, 1, "I", "below");
	assert_is(&block, "I:below A:1 B:2 A:3");
	insert(&block, 0, "I", "above");
	assert_is(&block, "I:above I:below A:1 B:2 A:3");
	/* Now: above, R, below, A … : 1 is between "above" and R. */
	insert(&block, 1, "I", "second");
	assert_is(&block, "I:above I:second I:below A:1 B:2 A:3");
	/* above, second, R, below: 3 is just below R. */
	insert(&block, 3, "I", "third");
	assert_is(&block, "I:above I:second I:third I:below A:1 B:2 A:3");
}

static void a_position_beyond_the_end_is_last(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	insert(&block, 4, "I", "4");
	insert(&block, 1000, "I", "1000");
	assert_is(&block, "A:1 B:2 A:3 I:4 I:1000");
}

static void deleted_fields_have_no_position(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	mg_block_change(&block, "A", 1, NULL);
	insert(&block, 2, "I", "2");
	assert_is(&block, "B:2 I:2 A:3");
}

static void a_block_grows_as_far_as_its_memory(void **state)
{
	struct mg_arena *small = mg_arena_new(64 * 1024, NULL);
	struct mg_header header = field("A", "1");
	struct mg_block block;
	size_t count = 0;

	(void)state;
	mg_block_init(&block, small);
	while (mg_block_append(&block, &header))
		count++;
	assert_in_range(count, 100, 64 * 1024);
	assert_int_equal(block.count, count);
	mg_arena_free(small);
}

static int set_up(void **state)
{
	(void)state;
	arena = mg_arena_new(1024 * 1024, NULL);
	return arena == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	mg_arena_free(arena);
	return 0;
}

static void an_undo_takes_back_the_changes_of_the_turn_alone(void **state)
{
	struct mg_block block;

	(void)state;
	make(&block, three);
	insert(&block, 0, "Top", "0");
	mg_block_change(&block, "B", 1, NULL);
	mg_block_turn(&block);
	insert(&block, 0, "Higher", "0");
	insert(&block, 1, "Middle", "0");
	mg_block_change(&block, "A", 1, "x");
	mg_block_change(&block, "A", 1, "y");
	mg_block_change(&block, "A", 2, NULL);
	mg_block_change(&block, "Top", 1, NULL);
	mg_block_undo(&block);
	assert_is(&block, "Top:0 A:1 A:3");
	/* Below the one field above the MTA's own Received. */
	insert(&block, 2, "Below", "0");
	assert_is(&block, "Top:0 Below:0 A:1 A:3");
	assert_int_equal(mg_block_change(&block, "A", 2, NULL), 2);
}

/* What the number of a change must be, counted from the top; the fields of the name that are there. */
static unsigned number_of(const bool *there, const bool *named, unsigned occurrence, size_t count)
{
	unsigned live = 0, original = 0;

	for (size_t i = 0; i < count; i++) {
		live += named[i] && there[i];
		original += named[i];
		if (named[i] && original == occurrence)
			return there[i] ? live : 0;
	}
	return 0;
}

static void deletions_in_any_order_are_told_as_if_counted_from_the_top(void **state)
{
	enum { FIELDS = 40, DELETIONS = 60 };
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		bool there[FIELDS], named[FIELDS];
		struct mg_block block;

		mg_block_init(&block, arena);
		for (size_t i = 0; i < FIELDS; i++) {
			struct mg_header header;

			random = random * 1103515245 + 12345;
			there[i] = true;
			named[i] = (random >> 16) % 3 != 0;
			header = field(named[i] ? "A" : "B", "x");
			assert_true(mg_block_append(&block, &header));
		}
		mg_block_turn(&block);
		for (int i = 0; i < DELETIONS; i++) {
			unsigned occurrence, wanted, original = 0;

			random = random * 1103515245 + 12345;
			occurrence = (random >> 16) % (FIELDS + 2);
			wanted = number_of(there, named, occurrence, FIELDS);
			assert_int_equal(mg_block_change(&block, "A", occurrence, NULL), wanted);
			for (size_t at = 0; at < FIELDS; at++)
				if (named[at] && ++original == occurrence)
					there[at] = false;
		}
		mg_arena_reset(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_seen_top_to_bottom),
		cmocka_unit_test(an_empty_block_is_seen_as_none),
		cmocka_unit_test(a_change_is_told_by_its_number_among_fields_of_the_name),
		cmocka_unit_test(after_a_deletion_later_fields_are_told_by_lower_numbers),
		cmocka_unit_test(deletions_from_the_last_one_up_keep_their_numbers),
		cmocka_unit_test(a_field_is_deleted_once),
		cmocka_unit_test(what_is_not_there_cannot_be_changed),
		cmocka_unit_test(
			an_own_insertion_is_not_counted_as_an_occurrence_but_told_in_the_number),
		cmocka_unit_test(the_next_filter_counts_the_block_as_it_is_then),
		cmocka_unit_test(position_0_and_1_are_above_and_below_the_hidden_received),
		cmocka_unit_test(a_position_beyond_the_end_is_last),
		cmocka_unit_test(deleted_fields_have_no_position),
		cmocka_unit_test(a_block_grows_as_far_as_its_memory),
		cmocka_unit_test(deletions_in_any_order_are_told_as_if_counted_from_the_top),
		cmocka_unit_test(an_undo_takes_back_the_changes_of_the_turn_alone),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

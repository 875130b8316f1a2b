/* SPDX-License-Identifier: ISC */
#include "mail/delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct mg_delivery carl = {
	.queue_id = "4jYh153qZyz1bkdK",
	.recipient = "Carl@example.net",
	.orig_recipient = "sales@example.org",
	.sender = "bounce+7@acme.example",
	.tenant = "acme",
	.trace_id = "5f0c6be2a91d4c1e8a7733c2d9e4b016",
	.state = MG_DELIVERY_WAITING,
	.accepted = INT64_C(1795520960541392000),
	.last = INT64_C(1795520963000000000),
	.attempts = 3,
	.host = "mx.example.net",
	.dsn = "4.2.0",
	.reply = "450 4.2.0 try again later",
	.reply_code = 450,
	.reply_command = "RCPT TO",
	.hold_code = "",
};

struct packed {
	struct mg_buf key, value, scratch;
};

static struct mg_store_value value_of(const struct packed *packed)
{
	return (struct mg_store_value){packed->value.data, packed->value.length};
}

static void drop(struct packed *packed)
{
	mg_buf_free(&packed->key);
	mg_buf_free(&packed->value);
	mg_buf_free(&packed->scratch);
}

static bool unpack(struct packed *packed, enum mg_track_table table, struct mg_delivery *delivery)
{
	const struct mg_store_value value = value_of(packed);

	return mg_delivery_unpack(
		table, packed->key.data, packed->key.length, &value, &packed->scratch, delivery);
}

static void assert_same_but_recipient(
	const struct mg_delivery *one, const struct mg_delivery *other)
{
	assert_string_equal(one->queue_id, other->queue_id);
	assert_string_equal(one->orig_recipient, other->orig_recipient);
	assert_string_equal(one->sender, other->sender);
	assert_string_equal(one->tenant, other->tenant);
	assert_string_equal(one->trace_id, other->trace_id);
	assert_int_equal(one->state, other->state);
	assert_int_equal(one->accepted, other->accepted);
	assert_int_equal(one->last, other->last);
	assert_int_equal(one->attempts, other->attempts);
	assert_string_equal(one->host, other->host);
	assert_string_equal(one->dsn, other->dsn);
	assert_string_equal(one->reply, other->reply);
	assert_int_equal(one->reply_code, other->reply_code);
	assert_string_equal(one->reply_command, other->reply_command);
	assert_string_equal(one->hold_code, other->hold_code);
}

static void what_is_packed_comes_back(void **state)
{
	struct packed packed = {0};
	struct mg_delivery delivery;

	(void)state;
	assert_true(mg_delivery_pack(&carl, MG_TABLE_RECIPIENTS, &packed.key, &packed.value));
	assert_int_equal(packed.key.length, strlen("4jYh153qZyz1bkdK") + 1 + 16);
	assert_memory_equal(
		packed.key.data, "4jYh153qZyz1bkdK\0Carl@example.net", packed.key.length);
	assert_true(unpack(&packed, MG_TABLE_RECIPIENTS, &delivery));
	assert_same_but_recipient(&delivery, &carl);
	assert_string_equal(delivery.recipient, "Carl@example.net");
	drop(&packed);
}

static void the_key_of_an_end_is_the_address_in_lower_case_and_the_time(void **state)
{
	struct packed packed = {0};
	struct mg_delivery delivery;

	(void)state;
	assert_true(mg_delivery_pack(&carl, MG_TABLE_REPLIES, &packed.key, &packed.value));
	assert_memory_equal(packed.key.data, "carl@example.net\0\x18\xea\xf8", 20);
	assert_true(unpack(&packed, MG_TABLE_REPLIES, &delivery));
	assert_same_but_recipient(&delivery, &carl);
	assert_string_equal(delivery.recipient, "carl@example.net");
	drop(&packed);
}

static void texts_that_are_not_known_are_empty(void **state)
{
	const struct mg_delivery little = {
		.queue_id = "A1", .recipient = "a", .state = MG_DELIVERY_ACCEPTED};
	struct packed packed = {0};
	struct mg_delivery delivery;

	(void)state;
	assert_true(mg_delivery_pack(&little, MG_TABLE_RECIPIENTS, &packed.key, &packed.value));
	assert_true(unpack(&packed, MG_TABLE_RECIPIENTS, &delivery));
	assert_string_equal(delivery.sender, "");
	assert_string_equal(delivery.host, "");
	assert_string_equal(delivery.hold_code, "");
	assert_int_equal(delivery.reply_code, 0);
	drop(&packed);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	static char address[1000], reply[1000];
	struct mg_delivery longest = carl, delivery;
	struct packed packed = {0};

	(void)state;
	memset(address, 'a', sizeof(address) - 1);
	memset(reply, 'x', 199);
	strcpy(reply + 199, "\xc3\xa4 and more");
	longest.recipient = longest.sender = longest.queue_id = longest.host = address;
	longest.reply = reply;
	assert_true(mg_delivery_pack(&longest, MG_TABLE_REPLIES, &packed.key, &packed.value));
	assert_true(packed.key.length <= MG_STORE_KEY_MAX);
	assert_true(unpack(&packed, MG_TABLE_REPLIES, &delivery));
	assert_int_equal(strlen(delivery.recipient), 320);
	assert_int_equal(strlen(delivery.sender), 320);
	assert_int_equal(strlen(delivery.host), 255);
	assert_int_equal(strlen(delivery.queue_id), 100);
	assert_int_equal(strlen(delivery.reply), 199);
	drop(&packed);
}

static void what_has_no_queue_id_or_recipient_cannot_be_packed(void **state)
{
	struct mg_delivery delivery = carl;
	struct packed packed = {0};

	(void)state;
	delivery.queue_id = "";
	assert_false(mg_delivery_pack(&delivery, MG_TABLE_RECIPIENTS, &packed.key, &packed.value));
	delivery = carl;
	delivery.recipient = NULL;
	assert_false(mg_delivery_pack(&delivery, MG_TABLE_RECIPIENTS, &packed.key, &packed.value));
	assert_false(packed.key.failed || packed.value.failed);
	drop(&packed);
}

static void a_prefix_is_the_begin_of_the_keys(void **state)
{
	struct packed packed = {0};
	struct mg_buf prefix = {0};

	(void)state;
	mg_delivery_pack(&carl, MG_TABLE_RECIPIENTS, &packed.key, &packed.value);
	mg_delivery_prefix(MG_TABLE_RECIPIENTS, carl.queue_id, &prefix);
	assert_int_equal(prefix.length, strlen(carl.queue_id) + 1);
	assert_memory_equal(prefix.data, packed.key.data, prefix.length);
	mg_buf_reset(&prefix);
	mg_buf_reset(&packed.key);
	mg_delivery_pack(&carl, MG_TABLE_REPLIES, &packed.key, &packed.value);
	mg_delivery_prefix(MG_TABLE_REPLIES, "CARL@Example.NET", &prefix);
	assert_int_equal(prefix.length, strlen("carl@example.net") + 1);
	assert_memory_equal(prefix.data, packed.key.data, prefix.length);
	mg_buf_free(&prefix);
	drop(&packed);
}

static void a_record_of_another_version_or_that_is_cut_is_none(void **state)
{
	struct packed packed = {0};
	struct mg_delivery delivery;
	size_t key_length, length;

	(void)state;
	mg_delivery_pack(&carl, MG_TABLE_RECIPIENTS, &packed.key, &packed.value);
	length = packed.value.length;
	for (size_t i = 0; i < length; i++) {
		packed.value.length = i;
		assert_false(unpack(&packed, MG_TABLE_RECIPIENTS, &delivery));
	}
	packed.value.length = length;
	mg_buf_add_char(&packed.value, 'x');
	assert_false(unpack(&packed, MG_TABLE_RECIPIENTS, &delivery));
	packed.value.length = length;
	packed.value.data[0]++;
	assert_false(unpack(&packed, MG_TABLE_RECIPIENTS, &delivery));
	packed.value.data[0]--;
	packed.value.data[1] = MG_DELIVERY_GIVEN_UP + 1;
	assert_false(unpack(&packed, MG_TABLE_RECIPIENTS, &delivery));
	packed.value.data[1] = MG_DELIVERY_WAITING;
	key_length = packed.key.length;
	packed.key.length = strlen(carl.queue_id) + 1;
	assert_false(unpack(&packed, MG_TABLE_RECIPIENTS, &delivery));
	packed.key.length = key_length;
	packed.key.data[0] = '\0';
	assert_false(unpack(&packed, MG_TABLE_RECIPIENTS, &delivery));
	drop(&packed);
}

static struct mg_store_tx *begin(struct mg_store **store)
{
	const struct mg_store_settings settings = {.url = "memory:", .tables = mg_track_tables};
	struct mg_store_tx *tx;

	*store = mg_store_open(&settings, NULL, NULL);
	assert_non_null(*store);
	tx = mg_store_begin(*store, NULL);
	assert_non_null(tx);
	return tx;
}

static void the_sweep_deletes_what_is_old_and_keeps_the_rest(void **state)
{
	struct mg_store *store;
	struct mg_store_tx *tx = begin(&store);
	struct mg_delivery delivery = carl;
	char recipient[32];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(recipient, sizeof(recipient), "r%d@example.net", i % 10);
		delivery.recipient = recipient;
		delivery.last = MG_SECOND * (i / 2 + 1);
		assert_int_equal(mg_delivery_end(tx, &delivery, NULL), 0);
	}
	assert_int_equal(mg_store_count(tx, MG_TABLE_REPLIES, NULL), 100);
	assert_int_equal(mg_delivery_sweep(tx, MG_SECOND * 21, 30, NULL), 30);
	assert_int_equal(mg_delivery_sweep(tx, MG_SECOND * 21, 30, NULL), 10);
	assert_int_equal(mg_delivery_sweep(tx, MG_SECOND * 21, 30, NULL), 0);
	assert_int_equal(mg_store_count(tx, MG_TABLE_REPLIES, NULL), 60);
	assert_int_equal(mg_store_count(tx, MG_TABLE_REPLY_TIMES, NULL), 60);
	assert_int_equal(mg_delivery_sweep(tx, INT64_MAX, 1000, NULL), 60);
	assert_int_equal(mg_store_count(tx, MG_TABLE_REPLIES, NULL), 0);
	mg_store_end(tx);
	mg_store_close(store);
}

static void two_ends_of_an_address_in_one_second_are_two(void **state)
{
	struct mg_store *store;
	struct mg_store_tx *tx = begin(&store);
	struct mg_delivery delivery = carl;

	(void)state;
	assert_int_equal(mg_delivery_end(tx, &delivery, NULL), 0);
	delivery.queue_id = "4jYh176Sfnz1bkdT";
	assert_int_equal(mg_delivery_end(tx, &delivery, NULL), 0);
	assert_int_equal(mg_store_count(tx, MG_TABLE_REPLIES, NULL), 2);
	assert_int_equal(mg_delivery_sweep(tx, INT64_MAX, 1000, NULL), 2);
	assert_int_equal(mg_store_count(tx, MG_TABLE_REPLIES, NULL), 0);
	mg_store_end(tx);
	mg_store_close(store);
}

static bool add_recipient(void *context, const struct mg_delivery *delivery)
{
	strcat(context, delivery->recipient);
	strcat(context, " ");
	return strcmp(delivery->recipient, "stop") != 0;
}

static void a_walk_gives_open_recipients_and_counts_what_it_cannot_read(void **state)
{
	static const char *const recipients[] = {"a", "b", "stop", "z"};
	struct mg_store *store;
	struct mg_store_tx *tx = begin(&store);
	struct mg_delivery delivery = carl;
	struct packed packed = {0};
	char seen[64] = "";
	size_t unreadable;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		delivery.recipient = recipients[i];
		mg_buf_reset(&packed.key);
		mg_buf_reset(&packed.value);
		mg_delivery_pack(&delivery, MG_TABLE_RECIPIENTS, &packed.key, &packed.value);
		mg_store_put(tx, MG_TABLE_RECIPIENTS, packed.key.data, packed.key.length,
			packed.value.data, i == 1 ? 5 : packed.value.length, NULL);
	}
	assert_int_equal(mg_delivery_walk(tx, add_recipient, seen, &unreadable, NULL), 0);
	assert_string_equal(seen, "a stop ");
	assert_int_equal(unreadable, 1);
	drop(&packed);
	mg_store_end(tx);
	mg_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(the_key_of_an_end_is_the_address_in_lower_case_and_the_time),
		cmocka_unit_test(texts_that_are_not_known_are_empty),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(what_has_no_queue_id_or_recipient_cannot_be_packed),
		cmocka_unit_test(a_prefix_is_the_begin_of_the_keys),
		cmocka_unit_test(a_record_of_another_version_or_that_is_cut_is_none),
		cmocka_unit_test(the_sweep_deletes_what_is_old_and_keeps_the_rest),
		cmocka_unit_test(two_ends_of_an_address_in_one_second_are_two),
		cmocka_unit_test(a_walk_gives_open_recipients_and_counts_what_it_cannot_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

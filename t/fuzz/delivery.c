/* SPDX-License-Identifier: ISC */
/* A record of track's store as it may be found: the first byte is the table, the next two the length
 * of the key, then key and value. What is unpacked is text within bounds and packs into the same
 * record. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mail/delivery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t total(const struct mg_delivery *delivery)
{
	return strlen(delivery->queue_id) + strlen(delivery->recipient) +
	       strlen(delivery->orig_recipient) + strlen(delivery->sender) +
	       strlen(delivery->tenant) + strlen(delivery->trace_id) + strlen(delivery->host) +
	       strlen(delivery->dsn) + strlen(delivery->reply) + strlen(delivery->reply_command) +
	       strlen(delivery->hold_code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum mg_track_table table;
	struct mg_buf scratch = {0}, key = {0}, value = {0};
	struct mg_delivery delivery;
	struct mg_store_value packed;
	size_t key_length;

	if (size < 3)
		return 0;
	table = data[0] % 2 ? MG_TABLE_REPLIES : MG_TABLE_RECIPIENTS;
	key_length = ((size_t)data[1] << 8 | data[2]) % (size - 2);
	packed = (struct mg_store_value){data + 3 + key_length, size - 3 - key_length};
	if (mg_delivery_unpack(table, data + 3, key_length, &packed, &scratch, &delivery)) {
		assert(total(&delivery) <= key_length + packed.length);
		assert(mg_delivery_pack(&delivery, table, &key, &value));
		if (table == MG_TABLE_RECIPIENTS && strlen(delivery.queue_id) <= 100 &&
			strlen(delivery.recipient) <= 320)
			assert(key.length == key_length &&
				memcmp(key.data, data + 3, key_length) == 0);
		assert(value.length == packed.length &&
			memcmp(value.data, packed.bytes, value.length) == 0);
	}
	mg_buf_free(&scratch);
	mg_buf_free(&key);
	mg_buf_free(&value);
	return 0;
}

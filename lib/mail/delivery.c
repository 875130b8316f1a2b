/* SPDX-License-Identifier: ISC */
#include "mail/delivery.h"

#include <string.h>

#include "base/str.h"

enum {
	FORMAT = 1, /* of a value */
	QUEUE_ID_MAX = 100,
	ADDRESS_MAX = 320,
	TIME_BYTES = 8,
	TEXTS = 9,
	/* Version, state, accepted, last, attempts, reply code. */
	FIXED_BYTES = 1 + 1 + 8 + 8 + 4 + 2,
	REPLY_CODE_MAX = 999,
	VALUE_MAX = 2048 /* more than all of it at its longest */
};

const char *const mg_track_tables[] = {"recipients", "replies", "reply-times", "sessions",
	"messages", "due", "lines", "positions", NULL};
_Static_assert(sizeof(mg_track_tables) / sizeof(mg_track_tables[0]) == MG_TABLE_COUNT + 1,
	"each table has its name");

/* The texts of a value, in their order there. */
static const struct {
	size_t offset; /* in struct mg_delivery */
	size_t maximum;
} texts[TEXTS] = {
	{offsetof(struct mg_delivery, orig_recipient), ADDRESS_MAX},
	{offsetof(struct mg_delivery, sender), ADDRESS_MAX},
	{offsetof(struct mg_delivery, tenant), 100},
	{offsetof(struct mg_delivery, trace_id), 100},
	{offsetof(struct mg_delivery, host), 255},
	{offsetof(struct mg_delivery, dsn), 100},
	{offsetof(struct mg_delivery, reply), 200},
	{offsetof(struct mg_delivery, reply_command), 100},
	{offsetof(struct mg_delivery, hold_code), 100},
};

static const char *const *text_of(const struct mg_delivery *delivery, size_t index)
{
	return (const char *const *)(const void *)((const char *)delivery + texts[index].offset);
}

static void add_number(struct mg_buf *buf, uint64_t number, size_t bytes)
{
	while (bytes > 0)
		mg_buf_add_char(buf, (char)(number >> 8 * --bytes));
}

/* Length of text, cut at maximum and not within a character. */
static size_t cut_length(const char *text, size_t maximum)
{
	size_t length = strnlen(text, maximum + 1);

	if (length <= maximum)
		return length;
	for (length = maximum; length > maximum - 4; length--)
		if (((unsigned char)text[length] & 0xc0) != 0x80)
			return length;
	return maximum;
}

static void add_text(struct mg_buf *buf, const char *text, size_t maximum)
{
	size_t length = text ? cut_length(text, maximum) : 0;

	add_number(buf, length, 2);
	mg_buf_add(buf, text, length);
}

static int64_t end_time(const struct mg_delivery *delivery)
{
	return delivery->last ? delivery->last : delivery->accepted;
}

/* ADDRESS in lower case NUL; cut as in the key of a recipient. */
static void add_address(struct mg_buf *key, const char *address)
{
	size_t before = key->length;

	mg_buf_add(key, address, strnlen(address, ADDRESS_MAX));
	if (!key->failed)
		mg_str_lower_n(key->data + before, key->length - before);
	mg_buf_add_char(key, '\0');
}

static void add_queue_id(struct mg_buf *key, const char *queue_id)
{
	mg_buf_add(key, queue_id, strnlen(queue_id, QUEUE_ID_MAX));
}

void mg_delivery_prefix(enum mg_track_table table, const char *text, struct mg_buf *key)
{
	if (table == MG_TABLE_REPLIES) {
		add_address(key, text);
		return;
	}
	add_queue_id(key, text);
	mg_buf_add_char(key, '\0');
}

/* Whether it has what a key is made of. */
static bool has_key(const struct mg_delivery *delivery)
{
	return delivery->queue_id && *delivery->queue_id && delivery->recipient &&
	       *delivery->recipient;
}

static void add_key(
	const struct mg_delivery *delivery, enum mg_track_table table, struct mg_buf *key)
{
	uint64_t time = (uint64_t)end_time(delivery);

	switch (table) {
	case MG_TABLE_REPLIES:
		add_address(key, delivery->recipient);
		add_number(key, time, TIME_BYTES);
		add_queue_id(key, delivery->queue_id);
		break;
	case MG_TABLE_REPLY_TIMES:
		add_number(key, time, TIME_BYTES);
		add_address(key, delivery->recipient);
		add_queue_id(key, delivery->queue_id);
		break;
	default:
		mg_delivery_prefix(table, delivery->queue_id, key);
		mg_buf_add(key, delivery->recipient, strnlen(delivery->recipient, ADDRESS_MAX));
	}
}

bool mg_delivery_pack(const struct mg_delivery *delivery, enum mg_track_table table,
	struct mg_buf *key, struct mg_buf *value)
{
	int code = delivery->reply_code;

	if (!has_key(delivery))
		return false;
	add_key(delivery, table, key);
	add_number(value, FORMAT, 1);
	add_number(value, (uint64_t)delivery->state, 1);
	add_number(value, (uint64_t)delivery->accepted, 8);
	add_number(value, (uint64_t)delivery->last, 8);
	add_number(value, delivery->attempts, 4);
	add_number(value, code > 0 && code <= REPLY_CODE_MAX ? (uint64_t)code : 0, 2);
	for (size_t i = 0; i < TEXTS; i++)
		add_text(value, *text_of(delivery, i), texts[i].maximum);
	return !key->failed && !value->failed;
}

static uint64_t take_number(const unsigned char **at, size_t bytes)
{
	uint64_t number = 0;

	while (bytes-- > 0)
		number = number << 8 | *(*at)++;
	return number;
}

/* Copies a text, which has no NUL in it, and a NUL. The buffer has room. */
static bool copy_text(struct mg_buf *scratch, const void *bytes, size_t length, const char **text)
{
	if (memchr(bytes, '\0', length))
		return false;
	*text = scratch->data + scratch->length;
	mg_buf_add(scratch, bytes, length);
	mg_buf_add_char(scratch, '\0');
	return true;
}

static bool unpack_key(enum mg_track_table table, const char *key, size_t length,
	struct mg_buf *scratch, struct mg_delivery *delivery)
{
	const char *nul = memchr(key, '\0', length), *rest;
	size_t first, second;

	if (!nul || nul == key)
		return false;
	first = (size_t)(nul - key);
	rest = nul + 1;
	second = length - first - 1;
	if (table != MG_TABLE_REPLIES)
		return second > 0 && copy_text(scratch, key, first, &delivery->queue_id) &&
		       copy_text(scratch, rest, second, &delivery->recipient);
	return second > TIME_BYTES && copy_text(scratch, key, first, &delivery->recipient) &&
	       copy_text(scratch, rest + TIME_BYTES, second - TIME_BYTES, &delivery->queue_id);
}

static bool unpack_value(const unsigned char *at, size_t length, struct mg_buf *scratch,
	struct mg_delivery *delivery)
{
	const unsigned char *end = at + length;
	uint64_t state;

	if (length < FIXED_BYTES || take_number(&at, 1) != FORMAT)
		return false;
	state = take_number(&at, 1);
	if (state > MG_DELIVERY_GIVEN_UP)
		return false;
	delivery->state = (enum mg_delivery_state)state;
	delivery->accepted = (int64_t)take_number(&at, 8);
	delivery->last = (int64_t)take_number(&at, 8);
	delivery->attempts = (uint32_t)take_number(&at, 4);
	delivery->reply_code = (int)take_number(&at, 2);
	for (size_t i = 0; i < TEXTS; i++) {
		size_t text_length;

		if (end - at < 2)
			return false;
		text_length = (size_t)take_number(&at, 2);
		if (text_length > texts[i].maximum || text_length > (size_t)(end - at) ||
			!copy_text(scratch, at, text_length, (const char **)text_of(delivery, i)))
			return false;
		at += text_length;
	}
	return at == end && delivery->reply_code <= REPLY_CODE_MAX;
}

/* Makes room for `size` bytes, so that nothing that is added moves what is there. */
static bool reserve(struct mg_buf *scratch, size_t size)
{
	static const char nothing[256];

	mg_buf_reset(scratch);
	while (scratch->length < size && !scratch->failed)
		mg_buf_add(scratch, nothing,
			size - scratch->length < sizeof(nothing) ? size - scratch->length
								 : sizeof(nothing));
	if (scratch->failed)
		return false;
	mg_buf_reset(scratch);
	return true;
}

bool mg_delivery_unpack(enum mg_track_table table, const void *key, size_t key_length,
	const struct mg_store_value *value, struct mg_buf *scratch, struct mg_delivery *delivery)
{
	/* Texts take no more than what they are read from, and a NUL each. */
	if (key_length > MG_STORE_KEY_MAX || value->length > VALUE_MAX ||
		!reserve(scratch, key_length + value->length + TEXTS + 2))
		return false;
	*delivery = (struct mg_delivery){0};
	return unpack_key(table, key, key_length, scratch, delivery) &&
	       unpack_value(value->bytes, value->length, scratch, delivery);
}

int mg_delivery_end(
	struct mg_store_tx *tx, const struct mg_delivery *delivery, struct mg_error *error)
{
	struct mg_buf key = {0}, value = {0}, time = {0};
	int result = 0;

	if (!has_key(delivery))
		return 0;
	mg_delivery_pack(delivery, MG_TABLE_REPLIES, &key, &value);
	add_key(delivery, MG_TABLE_REPLY_TIMES, &time);
	if (key.failed || value.failed || time.failed) {
		mg_error_set(error, "out of memory");
		result = -1;
	}
	if (result == 0)
		result = mg_store_put(tx, MG_TABLE_REPLIES, key.data, key.length, value.data,
			value.length, error);
	if (result == 0)
		result = mg_store_put(
			tx, MG_TABLE_REPLY_TIMES, time.data, time.length, "", 0, error);
	mg_buf_free(&key);
	mg_buf_free(&value);
	mg_buf_free(&time);
	return result;
}

struct sweep {
	int64_t before;
	size_t most;
	int64_t deleted;
	struct mg_error *error;
	bool failed;
};

static bool sweep_one(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	struct sweep *sweep = context;
	const unsigned char *at = key;
	const char *address, *nul;
	unsigned char reply[MG_STORE_KEY_MAX];
	size_t address_length;

	(void)value;
	if (key_length > TIME_BYTES && (int64_t)take_number(&at, TIME_BYTES) >= sweep->before)
		return false;
	address = (const char *)key + TIME_BYTES;
	nul = key_length > TIME_BYTES ? memchr(address, '\0', key_length - TIME_BYTES) : NULL;
	if (nul) {
		/* ADDRESS NUL, time, QUEUE-ID. */
		address_length = (size_t)(nul + 1 - address);
		memcpy(reply, address, address_length);
		memcpy(reply + address_length, key, TIME_BYTES);
		memcpy(reply + address_length + TIME_BYTES, nul + 1,
			key_length - TIME_BYTES - address_length);
		sweep->failed =
			mg_store_delete(tx, MG_TABLE_REPLIES, reply, key_length, sweep->error) < 0;
	}
	sweep->failed = sweep->failed || mg_store_delete(tx, MG_TABLE_REPLY_TIMES, key, key_length,
						 sweep->error) < 0;
	sweep->deleted++;
	return !sweep->failed && (size_t)sweep->deleted < sweep->most;
}

int64_t mg_delivery_sweep(
	struct mg_store_tx *tx, int64_t before, size_t most, struct mg_error *error)
{
	struct sweep sweep = {.before = before, .most = most, .error = error};

	if (most == 0)
		return 0;
	if (mg_store_walk(tx, MG_TABLE_REPLY_TIMES, "", 0, sweep_one, &sweep, error) < 0)
		return -1;
	return sweep.failed ? -1 : sweep.deleted;
}

struct walk {
	mg_delivery_each *each;
	void *context;
	size_t unreadable;
	struct mg_buf scratch;
	bool failed;
};

static bool walk_one(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	struct walk *walk = context;
	struct mg_delivery delivery;

	(void)tx;
	if (mg_delivery_unpack(
		    MG_TABLE_RECIPIENTS, key, key_length, value, &walk->scratch, &delivery))
		return walk->each(walk->context, &delivery);
	walk->unreadable++;
	walk->failed = walk->scratch.failed;
	return !walk->failed;
}

int mg_delivery_walk(struct mg_store_tx *tx, mg_delivery_each *each, void *context,
	size_t *unreadable, struct mg_error *error)
{
	struct walk walk = {.each = each, .context = context};
	int64_t calls = mg_store_walk(tx, MG_TABLE_RECIPIENTS, "", 0, walk_one, &walk, error);

	if (walk.failed)
		mg_error_set(error, "out of memory");
	mg_buf_free(&walk.scratch);
	*unreadable = walk.unreadable;
	return calls < 0 || walk.failed ? -1 : 0;
}

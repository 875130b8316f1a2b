/* SPDX-License-Identifier: ISC */
/* delivery: what millgate-track's store holds for others to read: recipients that are accepted and
 * not finished (`millgate stuck`), and how recipients ended, for 30 days (millgate-policy). The
 * layout of those records is here alone.
 *
 * Texts are bounded when packed: addresses 320 bytes, host names 255, replies 200, others 100; longer
 * ones are cut. Who reads has the records as they are now, by mg_delivery_walk or by the prefix of
 * their keys. */
#ifndef MG_MAIL_DELIVERY_H
#define MG_MAIL_DELIVERY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/store.h"

/* Tables of the store. */
enum mg_track_table {
	MG_TABLE_RECIPIENTS, /* open: key QUEUE-ID NUL ADDRESS */
	MG_TABLE_REPLIES, /* ended: key ADDRESS (lower case) NUL time (8 bytes, big endian) QUEUE-ID */
	MG_TABLE_REPLY_TIMES, /* of each of those: key time ADDRESS NUL QUEUE-ID, for the sweep */
	MG_TABLE_PRIVATE, /* from here on track's own: sessions, messages, due, lines, positions */
	MG_TABLE_COUNT = MG_TABLE_PRIVATE + 5
};
/* The names of all tables, track's own with them, ended by NULL; as of mg_store_settings.tables. */
extern const char *const mg_track_tables[];

enum mg_delivery_state {
	MG_DELIVERY_ACCEPTED, /* nothing tried yet */
	MG_DELIVERY_WAITING, /* deferred */
	MG_DELIVERY_HELD,
	MG_DELIVERY_DONE, /* this and the next: of ends */
	MG_DELIVERY_BOUNCED,
	MG_DELIVERY_GIVEN_UP
};

/* A recipient. Unpacked texts point into the record and are NUL-ended; "" unknown. */
struct mg_delivery {
	const char *queue_id, *recipient, *orig_recipient; /* recipient as it was sent on */
	const char *sender, *tenant, *trace_id;
	enum mg_delivery_state state;
	int64_t accepted, last; /* UTC ns; last attempt, 0 none */
	uint32_t attempts;
	const char *host; /* of the last attempt: "mx.example.com", "" none */
	const char *dsn; /* "4.2.0" */
	const char *reply; /* the text; a stranger's */
	int reply_code; /* 0 none */
	const char *reply_command; /* "RCPT TO" */
	const char *hold_code; /* while held */
};

/* Packs it: key and value (both are added to) for mg_store_put in MG_TABLE_RECIPIENTS; those of
 * MG_TABLE_REPLIES are put by mg_delivery_end. false: no memory, or a key that cannot be one (no queue
 * id, no recipient); then neither buffer has failed. */
bool mg_delivery_pack(const struct mg_delivery *delivery, enum mg_track_table table,
	struct mg_buf *key, struct mg_buf *value);
/* Of a record of MG_TABLE_RECIPIENTS or MG_TABLE_REPLIES. false: it is none of this version, or no
 * memory. scratch is overwritten and keeps the texts. */
bool mg_delivery_unpack(enum mg_track_table table, const void *key, size_t key_length,
	const struct mg_store_value *value, struct mg_buf *scratch, struct mg_delivery *delivery);
/* Adds the key's begin of all recipients of a queue id, or of all ends of an address. */
void mg_delivery_prefix(enum mg_track_table table, const char *text, struct mg_buf *key);

/* Puts an end (its time: last, or accepted) into MG_TABLE_REPLIES, so that the sweep finds it. 0, or
 * -1 with error. One that cannot be a key is left out. */
int mg_delivery_end(
	struct mg_store_tx *tx, const struct mg_delivery *delivery, struct mg_error *error);
/* Deletes ends older than `before` (UTC ns), oldest first, `most` at a time. Number deleted, fewer
 * than `most` when there are no more; -1 with error. */
int64_t mg_delivery_sweep(
	struct mg_store_tx *tx, int64_t before, size_t most, struct mg_error *error);

/* Calls `each` for the open recipients, by queue id, until it returns false. Records of another
 * version are counted in `unreadable` and left out. 0, or -1 with error. */
typedef bool mg_delivery_each(void *context, const struct mg_delivery *delivery);
int mg_delivery_walk(struct mg_store_tx *tx, mg_delivery_each *each, void *context,
	size_t *unreadable, struct mg_error *error);
#endif

/* SPDX-License-Identifier: ISC */
/* spool: the event log on disk, writing side. DESIGN section 5, "Record and chain".
 *
 * DIRECTORY/NAME.jsonl is being written; sealed segments are NAME-<first sequence, 20 digits>.jsonl
 * with NAME-….idx beside them; NAME.torn holds torn tails. A record is a line of compact JSON whose
 * end the spool makes: …,"sequence":N,"hash":"<32 hex>"}}LF.
 *
 * Group commit: threads that append queue up; the first becomes the writer, gives the queue its
 * sequences and hashes, writes it with one write, syncs it once when durable, and wakes the others;
 * what came meanwhile is the next batch. So an appender returns only when its record is in the
 * file: kill -9 afterwards loses nothing. A failed or short write is cut back to the last record,
 * no sequence is used, every waiter of that batch gets the error, and what was lost is counted; the
 * first batch that succeeds again begins with an events-lost record. Thread safe; one mutex, never
 * held over I/O but by the one writer's own flag. A lock on DIRECTORY/NAME.lock keeps a second
 * process out. */
#ifndef MG_EVENT_SPOOL_H
#define MG_EVENT_SPOOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

enum {
	MG_RECORD_MAX = 256 * 1024, /* bytes of a record with its LF */
	/* of a document given to mg_spool_append: the end is the spool's */
	MG_DOCUMENT_MAX = MG_RECORD_MAX - 80,
	MG_HASH_BYTES = 16
};

struct mg_spool_settings {
	const char *directory, *name; /* name: "log" */
	/* sync before append returns; else within a second, by mg_spool_tick */
	bool durable;
	/* who appends keeps what failed and appends it again: it does not count as lost */
	bool written_again;
	uint64_t segment_bytes, keep_bytes, hard_limit_bytes;
	int64_t keep_age; /* ns */
};

/* Records that the spool itself writes. */
enum mg_spool_note_kind { MG_NOTE_OPENED, MG_NOTE_LOST };
struct mg_spool_note {
	enum mg_spool_note_kind kind;
	/* opened: "start", "size", "age", "damaged", "replaced" (others removed or changed the
	 * file); lost: "write failed: No space left on device", "limit" … */
	const char *reason;
	char previous_hash[2 * MG_HASH_BYTES + 1]; /* opened */
	uint64_t torn_bytes; /* opened: cut off at start, now in NAME.torn */
	uint64_t lost_count; /* lost: records */
	/* lost: their sequences when they had some (trimmed), else 0 */
	uint64_t first, last;
	int64_t start, end; /* lost: UTC ns of the first and last failure; 0 unknown */
};
/* Makes the document of a note as mg_spool_append wants it (malloc'ed, freed by the spool); NULL:
 * no memory. Called by the writer. That of an opened note has a member "previous_hash": readers
 * look for it in the first record of a file. */
typedef char *mg_spool_compose(void *context, const struct mg_spool_note *note);

struct mg_spool;

/* Opens or makes the log: recovers a torn tail, finds sequence and hash of the last record, writes
 * log-opened as the first record of a new file and, after a start, also into a continued one. Files
 * 0640; the directory must exist. NULL with error (another writer: its pid and name). settings are
 * copied. A disk that is full does not keep a log from being opened: its first records wait
 * (mg_spool_tick). */
struct mg_spool *mg_spool_open(const struct mg_spool_settings *settings,
	const struct mg_clock *clock, mg_spool_compose *compose, void *context,
	struct mg_error *error);
/* Other limits and durability from now on (reload); directory and name cannot change. */
void mg_spool_set(struct mg_spool *spool, const struct mg_spool_settings *settings);
/* Who makes the notes from now on (a new configuration snapshot). Waits until no note is being
 * made. */
void mg_spool_set_compose(struct mg_spool *spool, mg_spool_compose *compose, void *context);

/* Appends a document: `length` bytes of a JSON object that ends in `"event":{…` with its last two
 * braces left out, at least one member in event. Returns its sequence when it is in the file, 0
 * with error. */
uint64_t mg_spool_append(
	struct mg_spool *spool, const char *document, size_t length, struct mg_error *error);

/* What was appended so far is on disk when it returns 0; -1 with error. For who keeps elsewhere how
 * far it came. */
int mg_spool_sync(struct mg_spool *spool, struct mg_error *error);

/* Housekeeping, once a second by one thread: sync, rotation by age, missing indexes of sealed
 * segments, a pending events-lost record, new limits. 0, or -1 with error (once a change of state,
 * not each second). */
int mg_spool_tick(struct mg_spool *spool, struct mg_error *error);

struct mg_spool_state {
	uint64_t sequence; /* of the last record */
	uint64_t bytes, segments; /* on disk, the open one included */
	/* since open: records that could not be written or were trimmed before a sink had them */
	uint64_t lost;
	bool failing; /* the last write failed */
};
void mg_spool_state(struct mg_spool *spool, struct mg_spool_state *state);

/* Syncs and closes; appenders must be gone. */
void mg_spool_close(struct mg_spool *spool);
#endif

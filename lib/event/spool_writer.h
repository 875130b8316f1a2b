/* SPDX-License-Identifier: ISC */
/* spool_writer: the file side of a spool: records and their chain into the open file, notes that
 * are due before them, rotation, trimming. It knows no threads: one at a time may use it. */
#ifndef MG_EVENT_SPOOL_WRITER_H
#define MG_EVENT_SPOOL_WRITER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "event/spool.h"
#include "event/spool_trim.h"

/* A document to write, and the sequence it got. */
struct mg_spool_document {
	const char *text;
	size_t length;
	uint64_t sequence;
	struct mg_spool_document *next;
};

enum mg_writer_trouble { MG_TROUBLE_WRITE, MG_TROUBLE_ROTATE, MG_TROUBLE_TRIM, MG_TROUBLE_COUNT };

struct mg_spool_writer {
	/* Set by the owner; path is of the directory. */
	int directory;
	const char *path, *name;
	const struct mg_clock *clock;
	struct mg_spool_settings settings;
	mg_spool_compose *compose;
	void *context;

	/* For the owner to look at. */
	int fd; /* the open file */
	uint64_t bytes; /* of it */
	uint64_t sequence; /* of the last record */
	uint64_t sealed_bytes, sealed_segments;
	uint64_t lost; /* records, since the start */
	bool rotated; /* a file was sealed; the owner resets it */
	struct mg_error troubles[MG_TROUBLE_COUNT]; /* "" none */

	/* Its own. */
	unsigned char hash[MG_HASH_BYTES];
	struct mg_buf batch;
	uint64_t first; /* sequence of the first record of the open file; 0: it has none */
	int64_t begun; /* UTC ns of that */
	const char *opened; /* reason of a log-opened record that is due, or NULL */
	uint64_t torn_bytes; /* for it */
	uint64_t lost_count; /* records that could not be written, not yet told */
	int64_t lost_start, lost_end;
	char lost_reason[160];
	uint64_t trimmed_count, trimmed_first,
		trimmed_last; /* likewise, removed before every sink had them */
	bool uncut; /* the file may have half a batch behind `bytes` */
	bool renamed; /* it has its sealed name already, the next could not be made */
};

/* Recovers the log and opens it; log-opened is due then. false with error. */
bool mg_spool_writer_start(struct mg_spool_writer *writer, struct mg_error *error);
/* Goes on to the next file when this one is full or a day old, and trims. */
void mg_spool_writer_rotate(struct mg_spool_writer *writer);
/* Whether notes are due, or a failed write has left something to cut off. */
bool mg_spool_writer_due(const struct mg_spool_writer *writer);
/* Writes the notes that are due and the documents, in one write, and syncs them when durable. 0,
 * or -1: then nothing of it is in the file, no sequence is used, the documents count as lost,
 * and troubles[MG_TROUBLE_WRITE] says why. */
int mg_spool_writer_write(struct mg_spool_writer *writer, struct mg_spool_document *documents);
/* Closes the file; what is due is not written. */
void mg_spool_writer_close(struct mg_spool_writer *writer);
#endif

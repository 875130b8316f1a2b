/* SPDX-License-Identifier: ISC */
/* spool_start: what a spool does before its first record: keeps other writers out, cuts off a
 * torn record, finds where the chain ends. */
#ifndef MG_EVENT_SPOOL_START_H
#define MG_EVENT_SPOOL_START_H
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "event/chain.h"

struct mg_spool_start {
	int fd; /* NAME.jsonl, for appending */
	uint64_t sequence; /* of the last record; 0 in a new log */
	unsigned char hash[MG_CHAIN_HASH]; /* that the next record follows from */
	uint64_t bytes; /* of NAME.jsonl */
	uint64_t first; /* sequence of its first record; 0 when it has none */
	int64_t begun; /* UTC ns of its first record */
	uint64_t torn_bytes; /* cut off, now in NAME.torn */
	bool damaged; /* the last record is damaged */
};

/* The descriptor that holds the lock as long as it is open; -1 with error (the other writer's
 * pid and name). path: of the directory, for messages. */
int mg_spool_lock(int directory, const char *path, const char *name, struct mg_error *error);
/* Opens or makes NAME.jsonl. 0, or -1 with error. */
int mg_spool_recover(int directory, const char *path, const char *name,
	struct mg_spool_start *start, struct mg_error *error);
#endif

/* SPDX-License-Identifier: ISC */
/* chain: the hash chain of an event log and the end of a line that carries it (DESIGN section 5,
 * "Record and chain").
 *
 * A line ends in ,"sequence":N,"hash":"<32 hex>"}} and LF; hash(n) is the first 16 bytes of
 * SHA-256(hash(n-1), the line before ,"hash":"), hash(0) is zero. A reader follows the chain
 * line by line. A line may follow from the previous one's written hash or from the hash
 * recomputed over it, so that one damaged line costs only itself; the first line of a file also
 * names the hash it follows from ("previous_hash" of log-opened), so that a lost file costs only
 * itself. */
#ifndef MG_EVENT_CHAIN_H
#define MG_EVENT_CHAIN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	MG_CHAIN_HASH = 16, /* bytes of a hash */
	MG_CHAIN_TRAILER = 44, /* bytes of ,"hash":"<32 hex>"}} */
	MG_CHAIN_OVERHEAD = 77, /* most that mg_chain_seal adds, LF included */
	MG_CHAIN_CANDIDATES = 4
};

/* SHA-256 of previous and content, its first bytes: hash(n) of hash(n-1) and a line up to its
 * hash member. False when the digest fails. */
bool mg_chain_digest(const unsigned char previous[MG_CHAIN_HASH], const char *content,
	size_t length, unsigned char hash[MG_CHAIN_HASH]);

/* Adds the end of a record to `line`, which holds the document from `start` on: sequence, hash,
 * braces, LF. previous becomes the hash of this record. False when out of memory (the buffer's
 * failed is set) or the digest fails. */
bool mg_chain_seal(struct mg_buf *line, size_t start, uint64_t sequence,
	unsigned char previous[MG_CHAIN_HASH]);

/* The sequence that the end of a line names; 0 when it cannot be read. */
uint64_t mg_chain_sequence(const char *line, size_t length);

/* Where a reader is in the chain. */
struct mg_chain {
	unsigned char candidates[MG_CHAIN_CANDIDATES]
				[MG_CHAIN_HASH]; /* what the next line may follow from */
	size_t candidate_count;
	uint64_t sequence; /* of the last line, counted on over damaged ones */
	uint64_t
		/* the same, but with what damaged lines say of themselves, when that is possible */
		highest;
	bool known; /* sequence is known */
	bool begun; /* a line was read */
	bool damaged; /* the last line was damaged */
	bool fragment; /* and had no proper end: the next may be its other half */
};

enum mg_link {
	MG_LINK_FOLLOWS, /* its hash follows */
	MG_LINK_STANDS, /* begins the chain anew: nothing before it to follow from */
	MG_LINK_BROKEN, /* damaged, or what was before it is not what it was */
	MG_LINK_REST /* the other half of the damaged line before, told by a line end in it */
};

/* The begin of a chain: hash(0). */
void mg_chain_init(struct mg_chain *chain);
/* A line, without LF. whole: all of it is there, else `line` is its end only (a line that is too
 * long). first: of its file. sequence: of the line, 0 when it cannot be read; missing: sequences
 * left out before it. */
enum mg_link mg_chain_follow(struct mg_chain *chain, const char *line, size_t length, bool whole,
	bool first, uint64_t *sequence, uint64_t *missing);
#endif

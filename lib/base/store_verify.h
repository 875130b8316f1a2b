/* SPDX-License-Identifier: ISC */
/* store_verify: whether a file is a sound LMDB database, so that LMDB, which maps it and trusts every
 * byte of it, can be let near. Reads the file's format (LMDB 0.9, format version 1; pages are of this
 * machine) by read(2): damage, a read error or a cut file is an answer here and a signal there.
 *
 * What is looked at: both meta pages; every page that the tables, their names and the list of free
 * pages have (kind, place, records that tile it, keys in order and within what the page above says,
 * counts, each page used once). Not the contents of values: there are no checksums in the format. */
#ifndef MG_BASE_STORE_VERIFY_H
#define MG_BASE_STORE_VERIFY_H
#include <stdint.h>

#include "base/error.h"

enum mg_store_soundness {
	MG_STORE_SOUND,
	MG_STORE_SOUND_SO_FAR, /* the time was over; all but some pages of records were read */
	MG_STORE_EMPTY, /* no byte in it: LMDB makes a new one of it */
	MG_STORE_FOREIGN, /* of another version or machine */
	MG_STORE_DAMAGED,
	MG_STORE_GONE, /* the state asked for is not there any more */
	MG_STORE_UNKNOWN /* cannot be read, or no memory */
};

/* descriptor: of data.mdb. state: the number of the transaction whose state is looked at, which a
 * reader holds (mdb_txn_id); UINT64_MAX: the newest, and nobody writes. deadline: monotonic time, ns,
 * after which pages of records are no longer read, but for the first 8,192; INT64_MAX: none. error is set where the answer is
 * not that it is sound or empty. */
enum mg_store_soundness mg_store_verify(
	int descriptor, uint64_t state, int64_t deadline, struct mg_error *error);
/* Only the meta pages, each by itself: what LMDB reads to open the file, also while another process
 * writes it. */
enum mg_store_soundness mg_store_verify_metas(int descriptor, struct mg_error *error);
#endif

/* SPDX-License-Identifier: ISC */
/* store_place: the directory of a store on disk, and whose it is. Its file `owner` is locked by the
 * process that may write the store, and says how the one before left it: after a crash nothing in the
 * store is to be believed until it was looked at. */
#ifndef MG_BASE_STORE_PLACE_H
#define MG_BASE_STORE_PLACE_H
#include <stdbool.h>

#include "base/error.h"

struct mg_store_place {
	int owner; /* descriptor; -1: not taken */
	unsigned crashes; /* uses one after the other that did not end by mg_store_place_leave */
	bool distrusted; /* mg_store_place_distrust was the last that was said of it */
};

/* Makes the directory (0750) if it is missing and takes it. false with error: another process has it,
 * or it cannot be made or opened. */
bool mg_store_place_take(struct mg_store_place *place, const char *path, struct mg_error *error);
/* Gives it back; sound: nothing was wrong with it, else it counts as two crashes. */
void mg_store_place_leave(struct mg_store_place *place, bool sound);
/* What is in it is no store: to be moved aside next time. May be called when the process is about to
 * die. */
void mg_store_place_distrust(const struct mg_store_place *place);
/* Gives it back and renames it to PATH.damaged-N, the first that is free, which `moved` then says.
 * false with error. */
bool mg_store_place_move_aside(struct mg_store_place *place, const char *path,
	struct mg_error *moved, struct mg_error *error);
/* Has a process taken it? */
bool mg_store_place_is_taken(const char *path);
/* What was made in it is there after a power loss, too. */
void mg_store_place_sync(const char *path);
#endif

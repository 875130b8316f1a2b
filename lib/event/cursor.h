/* SPDX-License-Identifier: ISC */
/* cursor: how far a sink has come in a log: DIRECTORY/NAME.SINK.cursor, two slots with a checksum;
 * the older one is written, then synced, so that a crash leaves one good slot. Written by
 * millgate-ship, read by the spool before it trims. */
#ifndef MG_EVENT_CURSOR_H
#define MG_EVENT_CURSOR_H
#include <stdint.h>

#include "base/error.h"

struct mg_cursor {
	uint64_t sequence; /* all up to this one are done */
	uint64_t offset; /* behind it, in file */
	char file[128]; /* name of the segment, a hint */
};

/* 1 read, 0 there is none, -1 with error (both slots bad). */
int mg_cursor_read(const char *path, struct mg_cursor *cursor, struct mg_error *error);
int mg_cursor_write(const char *path, const struct mg_cursor *cursor, struct mg_error *error);
/* The lowest sequence that all cursors NAME.*.cursor in directory have passed; UINT64_MAX when
 * there is no cursor. */
int mg_cursor_lowest(
	const char *directory, const char *name, uint64_t *sequence, struct mg_error *error);
#endif

/* SPDX-License-Identifier: ISC */
/* front: what stands between the MTA and a session, as structs of functions. A front speaks the
 * milter protocol (front_libmilter) and calls the steps of run/session.h; the session calls back
 * through `struct mg_front` to read macros and make edits. */
#ifndef MG_RUN_FRONT_H
#define MG_RUN_FRONT_H
#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/error.h"

/* A connection of the MTA, as the session sees it. context is the front's. Header values have their
 * own leading space and folds as the MTA wants them (LF); edits only while the end of message is
 * answered; 0 or -1. */
struct mg_front {
	const char *(*macro)(void *context, const char *name); /* NULL: not told */
	int (*insert_header)(void *context, unsigned position, const char *name, const char *value);
	int (*change_header)(void *context, unsigned occurrence, const char *name,
		const char *value); /* NULL deletes */
	int (*add_recipient)(void *context, const char *address);
	int (*delete_recipient)(void *context, const char *address);
	int (*change_sender)(void *context, const char *address);
	int (*replace_body)(void *context, const unsigned char *chunk, size_t length);
	int (*quarantine)(void *context, const char *reason);
};

struct mg_host;

/* A way to serve the MTA, chosen by the setting `engine`. */
struct mg_engine {
	const char *name;
	/* Takes over the listening descriptors: prepares, but serves nobody yet. -1 with error. */
	int (*open)(struct mg_host *host, const int fds[], int count, struct mg_error *error);
	/* Serves in a thread of its own; returns 0 after stop_accepting (or never), -1 with error
	 * when it cannot go on. */
	int (*run)(struct mg_error *error);
	/* From another thread: takes no new connection from now on, and none is lost that was not
	 * taken. Sessions go on. */
	void (*stop_accepting)(void);
};
#endif

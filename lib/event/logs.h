/* SPDX-License-Identifier: ISC */
/* logs: what the event logs of a directory say together, in order of time, from some time on; also
 * while they are written and rotated. What is older is passed over by the first records of its
 * files, so that the last minutes of a log of many gigabytes are one file to read.
 *
 * Events of one log come in the order they were written, and no later than those of another log
 * that have a later time; those of a daemon's own life (log-opened, config-loaded, events-lost) come
 * with what stands before them. Reads only; one thread. */
#ifndef MG_EVENT_LOGS_H
#define MG_EVENT_LOGS_H
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event/segment.h"

/* Names of the logs of which a directory has a file ("dkim", "log", "track"), sorted. */
struct mg_log_names {
	char (*list)[MG_SEGMENT_NAME];
	size_t count;
};

/* 0, or -1 with error. Free it with mg_log_names_free. */
int mg_log_names_read(const char *directory, struct mg_log_names *names, struct mg_error *error);
void mg_log_names_free(struct mg_log_names *names);

struct mg_logs_event {
	const char *name; /* of its log */
	const char *line; /* without LF, NUL behind it */
	size_t length;
	int64_t utc; /* its @timestamp, ns */
};

struct mg_logs;

/* name: of one log; NULL: all, and those that are begun later. since: UTC ns. NULL with error: no
 * such directory, no right to read one of them. */
struct mg_logs *mg_logs_open(
	const char *directory, const char *name, int64_t since, struct mg_error *error);
/* 1 an event, valid until the next call; 0 no more now, -1 with error. Lines that are damaged or
 * have no time are left out. */
int mg_logs_next(struct mg_logs *logs, struct mg_logs_event *event, struct mg_error *error);
/* After 0: waits until there may be more, at most `timeout` ns. */
void mg_logs_wait(struct mg_logs *logs, int64_t timeout);
void mg_logs_close(struct mg_logs *logs);
#endif

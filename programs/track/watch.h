/* SPDX-License-Identifier: ISC */
/* watch: a descriptor that becomes readable when a log file or its folder changes (inotify(7)). Where
 * inotify cannot be had it is -1, and the reader looks again by time. */
#ifndef MG_TRACK_WATCH_H
#define MG_TRACK_WATCH_H
#include <stdbool.h>

struct track_watch {
	int fd; /* -1 none */
};

/* Of the folder of path: files that come. */
void track_watch_open(struct track_watch *watch, const char *path);
void track_watch_close(struct track_watch *watch);
/* Writes to this open file, wherever it is moved. Once for each. false: it cannot be watched. */
bool track_watch_file(const struct track_watch *watch, int fd);
/* Writes to the file that is at path now; no matter if it is watched. false likewise. */
bool track_watch_path(const struct track_watch *watch, const char *path);
/* Forgets what was told. What is read after that shows every change told before. */
void track_watch_drain(const struct track_watch *watch);
#endif

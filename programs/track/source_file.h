/* SPDX-License-Identifier: ISC */
/* source_file: a log file that syslogd, rsyslog or postlogd writes, as a source: its lines are taken
 * apart by stamp, found by trail, and what was written as "repeated" becomes as many lines again. */
#ifndef MG_TRACK_SOURCE_FILE_H
#define MG_TRACK_SOURCE_FILE_H
#include "track/source_private.h"

extern const struct track_source_kind track_source_file;
#endif

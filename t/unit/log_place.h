/* SPDX-License-Identifier: ISC */
/* log_place: a temporary folder with a log file as syslogd writes it, what logrotate makes of it, and
 * a reader of it. A line is "Nov 25 09:01:02 mx postfix/smtpd[1]: TEXT". */
#ifndef MG_T_UNIT_LOG_PLACE_H
#define MG_T_UNIT_LOG_PLACE_H
#include <stdint.h>

#include "track/source.h"

struct log_place {
	char folder[64];
	char log[96]; /* its "mail.log" */
	struct track_source *source;
	char position[TRACK_POSITION_MAX]; /* where the next reader begins */
	char error[512]; /* of the last reader */
	char names[1 << 16]; /* of the records read last, a line each */
	char told[1 << 16]; /* their texts, "|" behind each; a loss is "(lost N)" */
	char loss[512]; /* what the last loss said */
};

void log_make(struct log_place *place);
void log_remove(struct log_place *place);

/* The path of a file of the folder; valid until the fourth call after. */
const char *log_path(const struct log_place *place, const char *file);
/* Appends lines of these texts, which are divided by "|". */
void log_put(const struct log_place *place, const char *file, const char *texts);
/* Appends bytes as they are. */
void log_put_bytes(
	const struct log_place *place, const char *file, const char *bytes, size_t length);
void log_rename(const struct log_place *place, const char *from, const char *to);
void log_copy(const struct log_place *place, const char *from, const char *to);
void log_truncate(const struct log_place *place, const char *file, long size);
void log_unlink(const struct log_place *place, const char *file);
/* gzip(1), which takes the file away, and keeps its time. */
void log_gzip(const struct log_place *place, const char *file);

/* Opens a reader at place->position; ends the test when it cannot. */
void log_open(struct log_place *place);
/* Reads to the end of what there is now: the texts, told. */
const char *log_read(struct log_place *place);
/* Reads `count` records. */
const char *log_read_some(struct log_place *place, int count);
/* Ends the reader, its position is kept. */
void log_close(struct log_place *place);
/* What a new reader reads. */
const char *log_read_anew(struct log_place *place);
#endif

/* SPDX-License-Identifier: ISC */
/* stamp: how a line of a log file begins: when it was written, by which program, and whether it
 * stands for several equal ones. Stamps are those of RFC 3164 ("Nov 25 09:01:02": syslogd, postlogd)
 * and RFC 3339 ("2026-11-25T09:01:02.539112+01:00": rsyslog, syslog-ng).
 *
 * An RFC 3164 stamp has no year and no zone. It is local time, of the last year in which it lies at
 * most a week ahead of now: a log is not of the future, but clocks differ. In the hour that comes
 * twice when daylight saving ends, the line before and the present decide.
 *
 * One thread. */
#ifndef MG_TRACK_STAMP_H
#define MG_TRACK_STAMP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a reader keeps from line to line; zeroed at first. */
struct track_stamp {
	char minute[13]; /* "Nov 25 09:01:" */
	bool known; /* minute_utc is its begin */
	int64_t minute_utc; /* ns */
	/* Likewise "2026-11-25T09:01:" and "+01:00"; long_utc is 0 at first. */
	char long_minute[17], zone[6];
	size_t zone_length;
	int64_t long_utc;
	int64_t last; /* ns, of the line before; 0 none */
};

/* The begin of a line, taken apart. Texts are parts of the line. */
struct track_heading {
	int64_t utc; /* ns; of a line without stamp: that of the line before, else now */
	const char *identifier; /* "postfix/smtpd"; length 0: the line has none */
	size_t identifier_length;
	uint32_t pid; /* 0 none */
	const char *text;
	size_t length;
	/* Above 0: so many more lines like the one before ("last message repeated N times", where
	 * text is that), or like text (rsyslog: "message repeated N times: [ text]"). */
	int64_t repeated;
	bool before; /* repeated: the line before, not text */
	bool cut; /* rsyslog cuts a repeated text at 800 bytes */
};

/* now: UTC ns, decides the year. */
void track_stamp_read(struct track_stamp *stamp, const char *line, size_t length, int64_t now,
	struct track_heading *heading);
#endif

/* SPDX-License-Identifier: ISC */
/* log: a program's own life, to standard error; no line a message. One call, thread safe (one
 * write a line). Under systemd (JOURNAL_STREAM is standard error) a line begins with "<N>"
 * (sd-daemon(3)), else with "PROGRAM: ". Control bytes are escaped, a line is cut at 2,000 bytes,
 * errno is kept. */
#ifndef MG_BASE_LOG_H
#define MG_BASE_LOG_H
#include <syslog.h>

/* program: "millgate-log"; kept, not copied. verbose: LOG_DEBUG lines too. Before the first
 * thread. */
void mg_log_open(const char *program, int verbose);
/* level: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG of syslog(3). */
void mg_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#endif

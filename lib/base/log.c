/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum { LINE_MAX_BYTES = 2000 };

static struct {
	const char *program;
	int verbose;
	bool journal;
} state = {.program = "millgate"};

/* JOURNAL_STREAM is "DEVICE:INODE" of the journal's socket (systemd.exec(5)). */
static bool is_journal(void)
{
	const char *stream = secure_getenv("JOURNAL_STREAM");
	char own[64];
	struct stat status;

	if (stream == NULL || fstat(STDERR_FILENO, &status) != 0)
		return false;
	mg_str_format(
		own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(stream, own) == 0;
}

void mg_log_open(const char *program, int verbose)
{
	state.program = program;
	state.verbose = verbose;
	state.journal = is_journal();
}

void mg_log(int level, const char *format, ...)
{
	/* Longer than a line, so that mg_str_printable() sees that there was more. */
	char text[LINE_MAX_BYTES + 1], line[LINE_MAX_BYTES + 1];
	va_list arguments;
	int saved = errno;
	size_t length;
	ssize_t written;

	if (level == LOG_DEBUG && !state.verbose)
		return;
	va_start(arguments, format);
	if (vsnprintf(text, sizeof(text), format, arguments) < 0)
		text[0] = '\0';
	va_end(arguments);
	if (state.journal)
		mg_str_format(line, sizeof(line), "<%d>", LOG_PRI(level));
	else
		mg_str_format(line, sizeof(line) / 2, "%s: ", state.program);
	length = strlen(line);
	mg_str_printable(line + length, sizeof(line) - 1 - length, text, strlen(text));
	length = strlen(line);
	line[length++] = '\n';
	do
		written = write(STDERR_FILENO, line, length);
	while (written < 0 && errno == EINTR);
	errno = saved;
}

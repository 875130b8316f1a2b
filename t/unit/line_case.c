/* SPDX-License-Identifier: ISC */
#include "line_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "line_fields.h"

enum { HEAD_FIELDS = 3 }; /* instance, service, program */

enum track_reading line_read(const char *program, const char *text, struct track_line *line)
{
	static const char *const instances[] = {"postfix", NULL};
	/* The line points into it. */
	static char identifier[64];
	struct track_record record = {.text = text, .length = strlen(text)};

	snprintf(identifier, sizeof(identifier), "postfix/%s", program);
	record.identifier = identifier;
	record.identifier_length = strlen(identifier);
	return track_line_read(&record, instances, line);
}

static void show(const struct track_line *line, struct mg_buf *out)
{
	const char *name, *separator = " ";
	char value[2048];

	mg_buf_add_format(out, "%s", track_kind_name(line->kind));
	for (size_t i = HEAD_FIELDS; (name = line_field_name(i)) != NULL; i++)
		if (line_field(line, name, value, sizeof(value))) {
			mg_buf_add_format(out, "%s%s=%s", separator, name, value);
			separator = " | ";
		}
}

void line_check(const struct line_case *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct mg_buf out = {.limit = 0};
		struct track_line line;

		if (line_read(rows[i].program, rows[i].text, &line) != TRACK_READ)
			fail_msg("%s: not understood: %s", rows[i].program, rows[i].text);
		show(&line, &out);
		if (strcmp(mg_buf_text(&out), rows[i].expected) != 0)
			fail_msg("%s: %s\nfound    %s\nexpected %s", rows[i].program, rows[i].text,
				mg_buf_text(&out), rows[i].expected);
		mg_buf_free(&out);
	}
}

void line_check_unknown(const char *program, const char *text)
{
	struct track_line line;

	if (line_read(program, text, &line) != TRACK_UNKNOWN)
		fail_msg("%s: understood: %s", program, text);
}

/* SPDX-License-Identifier: ISC */
/* read_lines LOG: each line of a log of Postfix as track reads it, a JSON object a line: reading
 * ("read", "unknown", "foreign"), kind, line (as it stands), and its fields by name. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../unit/line_fields.h"
#include "base/buf.h"
#include "base/clock.h"
#include "event/json_text.h"
#include "track/line.h"
#include "track/source.h"

static const char *const readings[] = {
	[TRACK_READ] = "read",
	[TRACK_FOREIGN] = "foreign",
	[TRACK_UNKNOWN] = "unknown",
};

static void add(struct mg_buf *out, const char *name, const char *text, size_t length)
{
	mg_buf_add_text(out, out->length == 0 ? "{" : ",");
	mg_json_text(out, name, strlen(name));
	mg_buf_add_text(out, ":");
	mg_json_text(out, text, length);
}

static int print_line(const struct track_record *record)
{
	static const char *const instances[] = {"postfix", NULL};
	static char value[TRACK_LINE_MAX];
	struct mg_buf out = {.limit = 0};
	struct track_line line;
	enum track_reading reading = track_line_read(record, instances, &line);
	const char *name = track_kind_name(line.kind);
	int status;

	add(&out, "reading", readings[reading], strlen(readings[reading]));
	add(&out, "line", record->text, record->length);
	add(&out, "kind", name, strlen(name));
	for (size_t i = 0; (name = line_field_name(i)) != NULL; i++)
		if (line_field(&line, name, value, sizeof(value)))
			add(&out, name, value, strlen(value));
	mg_buf_add_text(&out, "}");
	status = out.failed || puts(mg_buf_text(&out)) == EOF ? -1 : 0;
	mg_buf_free(&out);
	return status;
}

/* Whether the source wants to be asked again at once: a log that was just made, or is being rotated,
 * is looked for once more. */
static bool wait_a_little(struct track_source *source)
{
	int64_t left = track_source_timeout(source);
	struct timespec time = {.tv_nsec = (long)left};

	return left < MG_SECOND && nanosleep(&time, NULL) == 0;
}

int main(int argc, char **argv)
{
	struct mg_error error = {.text = ""};
	struct track_source *source;
	struct track_record record;
	int status;

	if (argc != 2) {
		fprintf(stderr, "usage: read_lines LOG\n");
		return 64;
	}
	source = track_source_open(argv[1], "", &mg_clock_system, &error);
	if (source == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return 66;
	}
	do {
		while ((status = track_source_next(source, &record, &error)) > 0)
			if (record.lost == 0 && print_line(&record) != 0)
				break;
	} while (status == 0 && wait_a_little(source));
	if (status != 0)
		fprintf(stderr, "%s\n", error.text);
	track_source_close(source);
	return status != 0 ? 74 : 0;
}

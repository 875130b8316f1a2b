/* SPDX-License-Identifier: ISC */
/* reading: an event as it stands in a line of a log, and its fields by their dotted names. Lines are
 * checked as what a stranger may have written. Hides the parser.
 *
 * A reading is never changed: threads may share one. */
#ifndef MG_EVENT_READING_H
#define MG_EVENT_READING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mg_reading;

/* NULL: no JSON object, or no memory. The line may go. */
struct mg_reading *mg_reading_new(const char *line, size_t length);
/* NULL is none. */
void mg_reading_free(struct mg_reading *reading);

/* The text of a field ("email.local_id"), of a list its first; "" where there is none, and for a
 * text with a NUL in it. As long as the reading. */
const char *mg_reading_text(const struct mg_reading *reading, const char *name);
/* Values of a list; of a single value 1; 0 none. */
size_t mg_reading_count(const struct mg_reading *reading, const char *name);
/* The index-th text of it, "" none. Members of a list of objects: name "email.attachments", member
 * "file.name"; member NULL for a list of texts. */
const char *mg_reading_text_at(
	const struct mg_reading *reading, const char *name, size_t index, const char *member);
/* A whole number of it; false when there is none. */
bool mg_reading_number(const struct mg_reading *reading, const char *name, int64_t *number);
bool mg_reading_number_at(const struct mg_reading *reading, const char *name, size_t index,
	const char *member, int64_t *number);
/* A number, with a point or without; none where there is none. */
double mg_reading_float(const struct mg_reading *reading, const char *name, double none);
/* Whether it is there and true. */
bool mg_reading_bool(const struct mg_reading *reading, const char *name);
/* UTC ns of a date; false when it is none. */
bool mg_reading_time(const struct mg_reading *reading, const char *name, int64_t *utc);
#endif

/* SPDX-License-Identifier: ISC */
/* line_fields: the fields of a line that track_line_read has read, by name ("relay.address"), as
 * text. For tests. */
#ifndef MG_T_UNIT_LINE_FIELDS_H
#define MG_T_UNIT_LINE_FIELDS_H
#include <stdbool.h>
#include <stddef.h>

#include "track/line.h"

/* Whether the line has that field; its value, cut to size. A name that is none: false, with value
 * "no such field". */
bool line_field(const struct track_line *line, const char *name, char *value, size_t size);
/* Name of field n, NULL after the last. */
const char *line_field_name(size_t n);
/* The texts among them, for invariants; NULL after the last. */
const struct track_text *line_field_text(const struct track_line *line, size_t n);
#endif

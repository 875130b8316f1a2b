/* SPDX-License-Identifier: ISC */
/* A line of a log file and a saved position: parts of a line are within it, a place that was read is
 * written as it was. The first line of the input is a position, the others are a log. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "track/place.h"
#include "track/stamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 2026-11-25 */
static const int64_t now = INT64_C(1795600000000000000);

static void check_part(const char *line, size_t size, const char *part, size_t length)
{
	assert(part >= line && length <= size && (size_t)(part - line) <= size - length);
}

static void check_line(struct track_stamp *stamp, const char *text, size_t length)
{
	/* In memory of its own, so that a byte too far is seen. */
	char *line = malloc(length > 0 ? length : 1);
	struct track_heading heading;

	assert(line != NULL);
	memcpy(line, text, length);
	track_stamp_read(stamp, line, length, now, &heading);
	check_part(line, length, heading.text, heading.length);
	check_part(line, length, heading.identifier, heading.identifier_length);
	assert(heading.repeated >= 0);
	assert(!heading.before || heading.repeated > 0);
	free(line);
}

static void check_position(const char *text, size_t length)
{
	char *position = strndup(text, length);
	char written[TRACK_POSITION_MAX], again[TRACK_POSITION_MAX];
	struct track_place place, same;

	assert(position != NULL);
	if (track_place_read(position, &place)) {
		track_place_write(&place, written);
		assert(track_place_read(written, &same));
		track_place_write(&same, again);
		assert(strcmp(written, again) == 0);
		assert(track_place_name(&place, again) < sizeof again);
	}
	free(position);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct track_stamp stamp = {0};
	bool first = true;

	for (;;) {
		const char *end = size == 0 ? NULL : memchr(text, '\n', size);
		size_t length = end == NULL ? size : (size_t)(end - text);

		if (first)
			check_position(text, length);
		else
			check_line(&stamp, text, length);
		first = false;
		if (end == NULL)
			return 0;
		text = end + 1;
		size -= length + 1;
	}
}

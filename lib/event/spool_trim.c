/* SPDX-License-Identifier: ISC */
#include "event/spool_trim.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "event/cursor.h"
#include "event/segment.h"

/* Removes a segment with its index; the index may be missing. */
static int remove_segment(int directory, const char *name, uint64_t first)
{
	char file[MG_SEGMENT_NAME];

	mg_segment_name(file, name, first, ".idx");
	if (unlinkat(directory, file, 0) != 0 && errno != ENOENT)
		return -1;
	mg_segment_name(file, name, first, ".jsonl");
	return unlinkat(directory, file, 0) == 0 || errno == ENOENT ? 0 : -1;
}

static void count_lost(struct mg_trimmed *trimmed, uint64_t first, uint64_t last)
{
	if (trimmed->lost_count == 0)
		trimmed->lost_first = first;
	trimmed->lost_last = last;
	trimmed->lost_count += last - first + 1;
}

int mg_spool_trim(int directory, const struct mg_spool_settings *settings, int64_t now,
	uint64_t open_first, uint64_t open_bytes, struct mg_trimmed *trimmed,
	struct mg_error *error)
{
	struct mg_segments segments;
	uint64_t passed = 0, total = open_bytes;
	size_t gone = 0;
	int result = 0;

	*trimmed = (struct mg_trimmed){0};
	if (mg_segments_list(directory, settings->name, &segments, error) != 0)
		return -1;
	for (size_t i = 0; i < segments.count; i++)
		total += segments.list[i].bytes;
	/* A cursor that cannot be read has passed nothing. */
	if (mg_cursor_lowest(settings->directory, settings->name, &passed, error) != 0) {
		passed = 0;
		result = -1;
	}
	for (; gone < segments.count; gone++) {
		const struct mg_segment *segment = &segments.list[gone];
		uint64_t next =
			gone + 1 < segments.count ? segments.list[gone + 1].first : open_first;
		uint64_t last = next > segment->first ? next - 1 : segment->first;

		if (total <= settings->keep_bytes && now - segment->modified <= settings->keep_age)
			break;
		if (last > passed && total <= settings->hard_limit_bytes)
			break;
		if (remove_segment(directory, settings->name, segment->first) != 0) {
			mg_error_system(error, errno,
				"%s/%s: cannot remove the segment of sequence %llu",
				settings->directory, settings->name,
				(unsigned long long)segment->first);
			result = -1;
			break;
		}
		total -= segment->bytes;
		if (last > passed)
			count_lost(trimmed, segment->first > passed ? segment->first : passed + 1,
				last);
	}
	if (gone > 0 && fsync(directory) != 0) {
		mg_error_system(error, errno, "%s", settings->directory);
		result = -1;
	}
	trimmed->segments = segments.count - gone;
	trimmed->bytes = total - open_bytes;
	mg_segments_free(&segments);
	return result;
}

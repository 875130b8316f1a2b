/* SPDX-License-Identifier: ISC */
#include "track/source.h"

#include <string.h>

#include "track/source_file.h"
#include "track/source_journal.h"
#include "track/source_private.h"

const char *track_source_check(const char *follow)
{
	static const char expected[] =
		"expected \"journal\", \"journal:/DIRECTORY\", or the path of a file";
	size_t length = strlen(follow);

	if (strcmp(follow, "journal") == 0 || strncmp(follow, "journal:/", 9) == 0)
		return NULL;
	return follow[0] == '/' && follow[length - 1] != '/' ? NULL : expected;
}

struct track_source *track_source_open(const char *follow, const char *position,
	const struct mg_clock *clock, struct mg_error *error)
{
	const char *expected = track_source_check(follow);
	const struct track_source_kind *kind =
		follow[0] == '/' ? &track_source_file : &track_source_journal;
	struct track_source *source;

	if (expected != NULL) {
		mg_error_set(error, "follow = \"%.200s\": %s", follow, expected);
		return NULL;
	}
	source = kind->open(follow, position, clock, error);
	if (source != NULL)
		source->kind = kind;
	return source;
}

int track_source_next(
	struct track_source *source, struct track_record *record, struct mg_error *error)
{
	return source->kind->next(source, record, error);
}

int track_source_descriptor(struct track_source *source)
{
	return source->kind->descriptor(source);
}

int64_t track_source_timeout(struct track_source *source)
{
	return source->kind->timeout(source);
}

bool track_source_at_end(struct track_source *source)
{
	return source->kind->at_end(source);
}

void track_source_position(struct track_source *source, char position[TRACK_POSITION_MAX])
{
	source->kind->position(source, position);
}

int64_t track_source_backlog(struct track_source *source)
{
	return source->kind->backlog(source);
}

void track_source_close(struct track_source *source)
{
	if (source != NULL)
		source->kind->close(source);
}

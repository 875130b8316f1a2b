/* SPDX-License-Identifier: ISC */
/* source_private: what a kind of source is. Each begins its own struct with a struct track_source. */
#ifndef MG_TRACK_SOURCE_PRIVATE_H
#define MG_TRACK_SOURCE_PRIVATE_H
#include "track/source.h"

/* Functions as those of track/source.h. */
struct track_source_kind {
	struct track_source *(*open)(const char *follow, const char *position,
		const struct mg_clock *clock, struct mg_error *error);
	int (*next)(
		struct track_source *source, struct track_record *record, struct mg_error *error);
	int (*descriptor)(struct track_source *source);
	int64_t (*timeout)(struct track_source *source);
	bool (*at_end)(struct track_source *source);
	void (*position)(struct track_source *source, char position[TRACK_POSITION_MAX]);
	int64_t (*backlog)(struct track_source *source);
	void (*close)(struct track_source *source);
};

struct track_source {
	const struct track_source_kind *kind;
};
#endif

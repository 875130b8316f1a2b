/* SPDX-License-Identifier: ISC */
#include "track/unknown.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "mail/fields.h"

enum { EACH_MINUTE = 60 };

static int64_t minute_of(int64_t utc)
{
	return utc / (60 * MG_SECOND);
}

bool track_unknown_tell(struct track_unknown *unknown, const struct track_record *record)
{
	/* Lines of one minute in the order of their time; an older one counts as of this minute. */
	if (minute_of(record->utc) > unknown->minute && unknown->left_out == 0) {
		unknown->minute = minute_of(record->utc);
		unknown->told = 0;
	}
	if (unknown->told < EACH_MINUTE) {
		unknown->told++;
		return true;
	}
	unknown->left_out++;
	unknown->utc = record->utc;
	mg_str_copy(unknown->position, sizeof unknown->position, record->position);
	return false;
}

int track_unknown_sum_up(struct track_unknown *unknown, int64_t now, const struct mg_events *events,
	track_emit *emit, void *context, struct mg_error *error)
{
	struct mg_buf seed = {0};
	struct mg_event *event;

	if (unknown->left_out == 0 || minute_of(now) <= unknown->minute)
		return 0;
	mg_buf_add_format(&seed, "%s left out", unknown->position);
	event = seed.failed ? NULL
			    : mg_event_new_of(events, MG_LINE_UNKNOWN, unknown->utc, seed.data,
				      seed.length);
	mg_buf_free(&seed);
	mg_event_set_text(event, &mg_fields[MG_FIELD_EVENT_REASON],
		"more lines that were not understood in this minute");
	mg_event_set_number(event, &mg_fields[MG_FIELD_LOST_COUNT], unknown->left_out);
	if (emit(context, event, error) != 0)
		return -1;
	unknown->left_out = 0;
	unknown->told = 0;
	unknown->minute = minute_of(now);
	return 0;
}

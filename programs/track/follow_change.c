/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/log.h"
#include "track/follow_private.h"
#include "track/line.h"

/* How long lines are taken into one change. */
static const int64_t batch_time = 200 * MG_MILLISECOND;

static const char source_key[] = "source", oldest_key[] = "oldest";

struct change {
	struct track_follow *follow;
	struct mg_store_tx *tx; /* begun when the first thing needs it */
	bool end; /* of Postfix's log */
	int64_t events_until; /* UTC ns: up to then the events of filters are read */
	bool full; /* there is more than went into it */
	struct mg_error
		trouble; /* of the source or the logs of filters: what came before is kept */
	struct mg_error *error;
};

static int64_t utc_now(const struct track_follow *follow)
{
	return follow->world->clock->utc(follow->world->clock);
}

static int64_t monotonic(const struct track_follow *follow)
{
	return follow->world->clock->monotonic(follow->world->clock);
}

static bool begin(struct change *change)
{
	if (change->tx == NULL)
		change->tx = mg_store_begin(change->follow->store, change->error);
	return change->tx != NULL;
}

static void count(const struct track_follow *follow, enum track_metric metric, int64_t amount)
{
	mg_metrics_add(follow->world->metrics, metric, amount);
}

/* --- events of filters --- */

/* Those up to a time: what a filter says of a message comes before Postfix's line of its end. None of
 * before the first line there ever was: the ends of those messages are not known, and will not be. */
static int take_events(struct change *change, int64_t until)
{
	struct track_follow *follow = change->follow;

	for (size_t events = 0; events < TRACK_LINES_MAX; events++) {
		const struct mg_reading *event;
		const char *name;
		int64_t utc;
		int got = track_logs_next(follow->logs, until, &name, &event, &change->trouble);

		if (got <= 0)
			return 0;
		if (mg_reading_time(event, "@timestamp", &utc) && utc < follow->oldest)
			continue;
		if (!begin(change) ||
			track_join_event(follow->join, change->tx, name, event, change->error) != 0)
			return -1;
		count(follow, TRACK_METRIC_FILTER_EVENTS, 1);
	}
	change->full = true;
	return 0;
}

/* --- lines --- */

/* The time by which what is not in the log did not happen: the log's own while it is behind. */
static int64_t log_time(const struct change *change)
{
	return change->end ? utc_now(change->follow) : change->follow->newest;
}

static int take_loss(struct change *change, const struct track_record *record)
{
	struct track_follow *follow = change->follow;
	const struct track_line none = {.kind = TRACK_NONE};

	mg_log(LOG_WARNING, "lines of the log were lost: %s", record->text);
	count(follow, TRACK_METRIC_LOST, record->lost < INT64_MAX ? record->lost : 1);
	/* What ended in them is known by what is no longer in the queue. */
	follow->queue_wanted = true;
	return begin(change) ? track_join_line(follow->join, change->tx, record, TRACK_READ, &none,
				       change->error)
			     : -1;
}

static int take_line(struct change *change, const struct track_record *record)
{
	static const enum track_metric metrics[] = {[TRACK_READ] = TRACK_METRIC_READ,
		[TRACK_FOREIGN] = TRACK_METRIC_FOREIGN,
		[TRACK_UNKNOWN] = TRACK_METRIC_UNKNOWN};
	struct track_follow *follow = change->follow;
	struct track_line line;
	enum track_reading reading;

	if (record->utc > follow->newest)
		follow->newest = record->utc;
	/* A line may bear the second alone: others of the same may stand in an older file. */
	if (follow->oldest == 0) {
		follow->oldest = record->utc + MG_SECOND;
		track_follow_rule(follow);
	}
	if (record->utc >= change->events_until) {
		change->events_until = record->utc + MG_SECOND;
		if (take_events(change, change->events_until) != 0)
			return -1;
	}
	if (record->lost > 0)
		return take_loss(change, record);
	reading = track_line_read(record, follow->rules.instances, &line);
	count(follow, metrics[reading], 1);
	if (reading == TRACK_FOREIGN || (reading == TRACK_READ && line.kind == TRACK_NONE))
		return 0;
	return begin(change) ? track_join_line(follow->join, change->tx, record, reading, &line,
				       change->error)
			     : -1;
}

static int take_lines(struct change *change)
{
	struct track_follow *follow = change->follow;
	int64_t deadline = monotonic(follow) + batch_time;

	for (size_t lines = 0; lines < TRACK_LINES_MAX && !change->full; lines++) {
		struct track_record record;
		int got;

		if (lines % 64 == 63 && monotonic(follow) >= deadline)
			break;
		got = track_source_next(follow->source, &record, &change->trouble);
		if (got < 0)
			return 0;
		if (got == 0) {
			change->end = track_source_at_end(follow->source);
			follow->ended |= change->end;
			return 0;
		}
		if (take_line(change, &record) != 0)
			return -1;
		if (follow->repeated < TRACK_LINES_MAX)
			follow->repeated++;
	}
	change->full = true;
	/* Also lines that nothing became of are not read again. */
	return begin(change) ? 0 : -1;
}

/* --- the queue --- */

static void end_queue(struct track_follow *follow)
{
	track_postqueue_free(follow->queue);
	follow->queue = NULL;
	follow->queue_row = 0;
}

/* Asks the next Postfix; when all have answered, ends the comparison. */
static int next_queue(struct change *change)
{
	struct track_follow *follow = change->follow;
	const char *directory = follow->settings->queues[follow->queue_row];
	struct mg_error error;
	int result = 0;

	if (directory != NULL) {
		follow->queue = track_postqueue_ask(directory, follow->world->clock, &error);
		follow->queue_row++;
		if (follow->queue != NULL)
			return 0;
		mg_log(LOG_WARNING, "the queue is not compared: %s: %s", directory, error.text);
	} else if (follow->queue_row > 0) {
		result = begin(change) ? track_join_queue_end(follow->join, change->tx,
						 follow->queue_began, change->error)
				       : -1;
	}
	end_queue(follow);
	return result;
}

static int read_queue(struct change *change)
{
	struct track_follow *follow = change->follow;

	for (size_t messages = 0; messages < TRACK_LINES_MAX; messages++) {
		struct track_queued queued;
		struct mg_error error;

		switch (track_postqueue_next(follow->queue, &queued, &error)) {
		case TRACK_POSTQUEUE_WAIT: return 0;
		case TRACK_POSTQUEUE_MESSAGE:
			if (!begin(change) || track_join_queued(follow->join, change->tx, &queued,
						      change->error) != 0)
				return -1;
			break;
		case TRACK_POSTQUEUE_END:
			track_postqueue_free(follow->queue);
			follow->queue = NULL;
			return next_queue(change);
		case TRACK_POSTQUEUE_FAILED:
			mg_log(LOG_WARNING, "the queue is not compared: %s: %s",
				follow->settings->queues[follow->queue_row - 1], error.text);
			end_queue(follow);
			return 0;
		}
	}
	change->full = true;
	return 0;
}

/* Compares the queue with the store, once the log is read to its end: at the start, and after lines
 * were lost, but then not all the time. */
static int take_queue(struct change *change)
{
	static const int64_t rest = 300 * MG_SECOND;
	struct track_follow *follow = change->follow;
	int64_t now = monotonic(follow);

	if (follow->queue != NULL)
		return read_queue(change);
	if (!follow->queue_wanted || !change->end ||
		(follow->queue_asked > 0 && now - follow->queue_asked < rest))
		return 0;
	follow->queue_wanted = false;
	follow->queue_row = 0;
	follow->queue_began = utc_now(follow);
	follow->queue_asked = now;
	return next_queue(change);
}

/* --- what is due, and the end --- */

static int take_due(struct change *change)
{
	struct track_follow *follow = change->follow;
	int64_t now = log_time(change);

	if (now == 0 || (change->tx == NULL && now < follow->next_due))
		return 0;
	if (!begin(change) || track_join_due(follow->join, change->tx, now, &follow->next_due,
				      change->error) != 0)
		return -1;
	change->full = change->full || follow->next_due <= now;
	return 0;
}

int track_follow_load(struct track_follow *follow, struct mg_store_tx *tx,
	char position[TRACK_POSITION_MAX], struct mg_error *error)
{
	struct mg_store_value value;
	int found =
		mg_store_get(tx, follow->table, source_key, sizeof source_key - 1, &value, error);

	position[0] = '\0';
	if (found > 0 && value.length < TRACK_POSITION_MAX) {
		memcpy(position, value.bytes, value.length);
		position[value.length] = '\0';
	}
	follow->oldest = 0;
	if (found >= 0)
		found = mg_store_get(
			tx, follow->table, oldest_key, sizeof oldest_key - 1, &value, error);
	if (found > 0 && value.length == sizeof follow->oldest)
		memcpy(&follow->oldest, value.bytes, sizeof follow->oldest);
	return found < 0 ? -1 : track_logs_load(follow->logs, tx, error);
}

/* Keeps how far all was read, and commits. */
static int keep(struct change *change)
{
	struct track_follow *follow = change->follow;
	bool again = follow->repeated >= TRACK_LINES_MAX || follow->ended;
	char position[TRACK_POSITION_MAX];
	struct mg_store_tx *tx = change->tx;

	track_source_position(follow->source, position);
	if (mg_store_put(tx, follow->table, oldest_key, sizeof oldest_key - 1, &follow->oldest,
		    sizeof follow->oldest, change->error) != 0 ||
		mg_store_put(tx, follow->table, source_key, sizeof source_key - 1, position,
			strlen(position), change->error) != 0 ||
		track_logs_save(follow->logs, tx, change->error) != 0 ||
		track_output_save(follow->output, tx, again, change->end && !change->full,
			change->error) != 0)
		return -1;
	change->tx = NULL;
	if (mg_store_commit(tx, change->error) != 0)
		return -1;
	track_output_kept(follow->output, true);
	return 0;
}

/* Goes back to what was committed. */
static void give_up(struct change *change)
{
	struct track_follow *follow = change->follow;

	mg_store_end(change->tx);
	track_output_kept(follow->output, false);
	track_source_close(follow->source);
	follow->source = NULL;
	if (follow->queue != NULL || follow->queue_row > 0)
		follow->queue_wanted = true;
	follow->queue_asked = 0;
	end_queue(follow);
	follow->newest = follow->next_due = 0;
	follow->repeated = 0;
	follow->ended = false;
	count(follow, TRACK_METRIC_FAILURES, 1);
}

int track_follow_change(struct track_follow *follow, struct mg_error *error)
{
	struct change change = {.follow = follow, .error = error};
	bool committed = false;

	follow->more = false;
	if (take_lines(&change) != 0 ||
		(change.end && follow->oldest != 0 && take_events(&change, INT64_MAX) != 0) ||
		take_queue(&change) != 0 || take_due(&change) != 0 ||
		((committed = change.tx != NULL) && keep(&change) != 0)) {
		give_up(&change);
		return -1;
	}
	follow->more = change.full;
	if (committed)
		follow->changed = monotonic(follow);
	if (change.trouble.text[0] == '\0')
		return 0;
	*error = change.trouble;
	return -1;
}

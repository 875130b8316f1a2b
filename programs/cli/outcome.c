/* SPDX-License-Identifier: ISC */
#include "cli/outcome.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	enum cli_exit exit;
	enum cli_color color;
} fates[CLI_FATE_COUNT] = {
	[CLI_FATE_BOUNCED] = {"bounced", CLI_BAD, CLI_RED},
	[CLI_FATE_EXPIRED] = {"expired", CLI_BAD, CLI_RED},
	[CLI_FATE_REJECTED] = {"rejected", CLI_BAD, CLI_RED},
	[CLI_FATE_DISCARDED] = {"discarded", CLI_BAD, CLI_RED},
	[CLI_FATE_REMOVED] = {"removed", CLI_BAD, CLI_RED},
	[CLI_FATE_UNQUEUED] = {"not queued", CLI_BAD, CLI_RED},
	[CLI_FATE_LOST] = {"gone", CLI_LOOK, CLI_YELLOW},
	[CLI_FATE_OVERDUE] = {"overdue", CLI_LOOK, CLI_YELLOW},
	[CLI_FATE_REFUSED] = {"refused for now", CLI_LOOK, CLI_YELLOW},
	[CLI_FATE_HELD] = {"held", CLI_LOOK, CLI_YELLOW},
	[CLI_FATE_DEFERRED] = {"deferred", CLI_LOOK, CLI_YELLOW},
	[CLI_FATE_WAITING] = {"waiting", CLI_LOOK, CLI_YELLOW},
	[CLI_FATE_UNTRACKED] = {"accepted", CLI_LOOK, CLI_YELLOW},
	[CLI_FATE_LINKED] = {"handed on", CLI_LOOK, CLI_YELLOW},
	[CLI_FATE_HANDED_OVER] = {"handed over", CLI_GOOD, CLI_GREEN},
	[CLI_FATE_DELIVERED] = {"delivered", CLI_GOOD, CLI_GREEN},
};

const char *cli_fate_word(enum cli_fate fate)
{
	return fates[fate].word;
}

enum cli_exit cli_fate_exit(enum cli_fate fate)
{
	return fates[fate].exit;
}

enum cli_color cli_fate_color(enum cli_fate fate)
{
	return fates[fate].color;
}

/* The reading of a story from its begin to its end. */
struct telling {
	struct cli_outcome *outcome;
	struct cli_story *story;
	struct cli_story_event *event;
	bool tracked;
};

static const char *text_of(const struct telling *telling, const char *name)
{
	return mg_reading_text(telling->event->reading, name);
}

static bool is_of_message(const struct telling *telling)
{
	return text_of(telling, "trace.id")[0] != '\0';
}

/* --- recipients --- */

/* Where a recipient is, by its address: a story may have thousands. */
struct place {
	const char *address;
	size_t index;
};

static int by_address(const void *one, const void *other)
{
	return strcasecmp(
		((const struct place *)one)->address, ((const struct place *)other)->address);
}

static struct cli_recipient *find_recipient(struct cli_outcome *outcome, const char *address)
{
	struct place wanted = {.address = address};
	struct place *const *found = tfind(&wanted, &outcome->places, by_address);

	return found != NULL ? &outcome->recipients[(*found)->index] : NULL;
}

static bool add_place(struct cli_outcome *outcome, const char *address, size_t index)
{
	struct place *place = malloc(sizeof(*place)), **found;

	if (place == NULL)
		return false;
	*place = (struct place){address, index};
	found = tsearch(place, &outcome->places, by_address);
	if (found == NULL || *found != place)
		free(place);
	return found != NULL;
}

/* For one recipient more. */
static bool make_room(struct cli_outcome *outcome)
{
	size_t count = outcome->count;
	struct cli_recipient *list;

	if ((count & (count + 1)) != 0)
		return true;
	list = calloc(2 * count + 2, sizeof(*list));
	if (list == NULL)
		return false;
	if (outcome->recipients != NULL)
		memcpy(list, outcome->recipients, count * sizeof(*list));
	free(outcome->recipients);
	outcome->recipients = list;
	return true;
}

static struct cli_recipient *add_recipient(struct telling *telling, const char *address)
{
	struct cli_outcome *outcome = telling->outcome;
	struct cli_recipient *list, *found = find_recipient(outcome, address);

	if (found != NULL || address[0] == '\0')
		return found;
	if (!make_room(outcome) || !add_place(outcome, address, outcome->count)) {
		outcome->failed = true;
		return NULL;
	}
	list = &outcome->recipients[outcome->count++];
	*list = (struct cli_recipient){.address = address,
		.fate = telling->tracked ? CLI_FATE_WAITING : CLI_FATE_UNTRACKED};
	return list;
}

/* An alias that is delivered as others: these take its place, the first of them where it stood. */
static struct cli_recipient *replace(struct telling *telling, const char *given)
{
	struct cli_recipient *found = find_recipient(telling->outcome, given);

	if (found == NULL || found->last != NULL)
		return NULL;
	found->address = text_of(telling, "millgate.delivery.recipient");
	telling->outcome->failed |= !add_place(
		telling->outcome, found->address, (size_t)(found - telling->outcome->recipients));
	return found;
}

/* Whether nothing more is to come. */
static bool is_final(enum cli_fate fate)
{
	static const bool open[CLI_FATE_COUNT] = {[CLI_FATE_OVERDUE] = true,
		[CLI_FATE_HELD] = true,
		[CLI_FATE_DEFERRED] = true,
		[CLI_FATE_WAITING] = true,
		[CLI_FATE_UNTRACKED] = true};

	return !open[fate];
}

/* Of the whole message, as far as it has not ended. */
static void set_all(struct telling *telling, enum cli_fate fate)
{
	static const char to[] = "email.to.address";
	struct cli_outcome *outcome = telling->outcome;
	const struct mg_reading *event = telling->event->reading;
	size_t given = outcome->count == 0 ? mg_reading_count(event, to) : 0;

	for (size_t i = 0; i < given; i++)
		add_recipient(telling, mg_reading_text_at(event, to, i, NULL));
	for (size_t i = 0; i < outcome->count; i++)
		if (!is_final(outcome->recipients[i].fate))
			outcome->recipients[i].fate = fate;
}

/* --- what events say --- */

static void on_accepted(struct telling *telling)
{
	static const char to[] = "email.to.address";
	const struct mg_reading *event = telling->event->reading;

	for (size_t i = 0; i < mg_reading_count(event, to); i++)
		add_recipient(telling, mg_reading_text_at(event, to, i, NULL));
}

static enum cli_fate status_of(const struct telling *telling, enum cli_fate usual)
{
	static const struct {
		const char *status;
		enum cli_fate fate;
	} statuses[] = {{"handed-over", CLI_FATE_HANDED_OVER}, {"linked", CLI_FATE_LINKED},
		{"discarded", CLI_FATE_DISCARDED}};
	const char *status = text_of(telling, "millgate.delivery.status");

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(statuses[i].status, status) == 0)
			return statuses[i].fate;
	return usual;
}

static struct cli_notice *notice_of(struct telling *telling)
{
	const char *queue_id = text_of(telling, "email.local_id");

	for (size_t i = 0; i < telling->outcome->notice_count; i++)
		if (strcmp(telling->outcome->notices[i].queue_id, queue_id) == 0)
			return &telling->outcome->notices[i];
	return NULL;
}

/* Of many tries the first and the last are told. */
static void fold(struct cli_recipient *recipient, enum cli_fate fate)
{
	if (fate != CLI_FATE_DEFERRED)
		recipient->tries = 0;
	else if (++recipient->tries > 2)
		recipient->last->folded = true;
}

static void set_delivery(struct telling *telling, enum cli_fate usual)
{
	const char *address = text_of(telling, "millgate.delivery.recipient");
	const char *given = text_of(telling, "millgate.delivery.orig_recipient");
	enum cli_fate fate = status_of(telling, usual);
	struct cli_notice *notice = notice_of(telling);
	struct cli_recipient *recipient = find_recipient(telling->outcome, address);

	if (notice != NULL) {
		notice->fate = fate;
		notice->utc = telling->event->utc;
		return;
	}
	if (recipient == NULL && given[0] != '\0')
		recipient = replace(telling, given);
	if (recipient == NULL)
		recipient = add_recipient(telling, address);
	if (recipient == NULL)
		return;
	fold(recipient, fate);
	recipient->fate = fate;
	recipient->last = telling->event;
	if (fate == CLI_FATE_DEFERRED)
		telling->outcome->tried = telling->event->utc;
}

static void on_delivered(struct telling *telling)
{
	set_delivery(telling, CLI_FATE_DELIVERED);
}

static void on_bounced(struct telling *telling)
{
	set_delivery(telling, CLI_FATE_BOUNCED);
}

static void on_deferred_delivery(struct telling *telling)
{
	set_delivery(telling, CLI_FATE_DEFERRED);
}

static void on_expired(struct telling *telling)
{
	set_delivery(telling, CLI_FATE_EXPIRED);
}

static void on_overdue(struct telling *telling)
{
	struct cli_recipient *recipient =
		find_recipient(telling->outcome, text_of(telling, "millgate.delivery.recipient"));

	if (recipient != NULL && !is_final(recipient->fate))
		recipient->fate = CLI_FATE_OVERDUE;
	else if (text_of(telling, "millgate.delivery.recipient")[0] == '\0')
		set_all(telling, CLI_FATE_OVERDUE);
}

static void on_notified(struct telling *telling)
{
	struct cli_outcome *outcome = telling->outcome;

	if (outcome->notice_count < CLI_NOTICES_MAX &&
		text_of(telling, "millgate.link.child")[0] != '\0')
		outcome->notices[outcome->notice_count++] =
			(struct cli_notice){.queue_id = text_of(telling, "millgate.link.child"),
				.relation = text_of(telling, "millgate.link.relation"),
				.fate = CLI_FATE_WAITING};
}

/* A refusal: of the whole message; of a recipient, which was not among the accepted; or of what came
 * to no message. */
static void refuse(struct telling *telling, enum cli_fate fate)
{
	static const char to[] = "email.to.address";
	const struct mg_reading *event = telling->event->reading;
	const char *stage = text_of(telling, "millgate.smtp.stage");

	telling->outcome->refusal = telling->event;
	if (!is_of_message(telling)) {
		telling->outcome->refused++;
		telling->outcome->refused_for_good |= fate == CLI_FATE_REJECTED;
		return;
	}
	if (strcmp(stage, "rcpt") != 0) {
		set_all(telling, fate);
		return;
	}
	for (size_t i = 0; i < mg_reading_count(event, to); i++) {
		struct cli_recipient *recipient =
			add_recipient(telling, mg_reading_text_at(event, to, i, NULL));

		if (recipient != NULL)
			recipient->fate = fate;
	}
}

static void on_rejected(struct telling *telling)
{
	refuse(telling, CLI_FATE_REJECTED);
}

static void on_refused(struct telling *telling)
{
	refuse(telling, CLI_FATE_REFUSED);
}

static void on_held(struct telling *telling)
{
	telling->outcome->hold = telling->event;
	set_all(telling, CLI_FATE_HELD);
}

static void on_released(struct telling *telling)
{
	set_all(telling, CLI_FATE_WAITING);
}

static void on_removed(struct telling *telling)
{
	set_all(telling, strcmp(text_of(telling, "event.outcome"), "unknown") == 0
				 ? CLI_FATE_LOST
				 : CLI_FATE_REMOVED);
}

static void on_discarded(struct telling *telling)
{
	set_all(telling, CLI_FATE_DISCARDED);
}

static void on_unqueued(struct telling *telling)
{
	set_all(telling, CLI_FATE_UNQUEUED);
}

static void on_auth_failed(struct telling *telling)
{
	telling->outcome->auth_failed++;
}

static void on_hold_missed(struct telling *telling)
{
	telling->outcome->hold_missed = true;
	set_all(telling, CLI_FATE_WAITING);
}

static void on_filter_missed(struct telling *telling)
{
	telling->outcome->filter_missed = true;
}

static const struct {
	const char *action;
	void (*tell)(struct telling *telling);
} tellers[] = {
	{"message-accepted", on_accepted},
	{"delivery-succeeded", on_delivered},
	{"delivery-failed", on_bounced},
	{"delivery-deferred", on_deferred_delivery},
	{"delivery-expired", on_expired},
	{"delivery-overdue", on_overdue},
	{"notification-sent", on_notified},
	{"message-rejected", on_rejected},
	{"message-deferred", on_refused},
	{"message-held", on_held},
	{"message-released", on_released},
	{"message-removed", on_removed},
	{"message-discarded", on_discarded},
	{"message-unqueued", on_unqueued},
	{"auth-failed", on_auth_failed},
	{"hold-missed", on_hold_missed},
	{"filter-missed", on_filter_missed},
};

/* Who was given comes first, whatever was written first. */
static void tell_all(struct telling *telling, bool accepted)
{
	for (size_t i = 0; i < telling->story->count; i++) {
		const char *action;

		telling->event = &telling->story->events[i];
		action = text_of(telling, "event.action");
		if (mg_reading_bool(telling->event->reading, "millgate.dry_run") && !accepted)
			continue; /* nothing was done */
		for (size_t row = accepted ? 0 : 1;
			row < (accepted ? 1 : sizeof(tellers) / sizeof(tellers[0])); row++)
			if (strcmp(tellers[row].action, action) == 0)
				tellers[row].tell(telling);
	}
}

void cli_outcome_of(struct cli_story *story, bool tracked, struct cli_outcome *outcome)
{
	struct telling telling = {.outcome = outcome, .story = story, .tracked = tracked};

	*outcome = (struct cli_outcome){.count = 0};
	if (story->count > 0)
		outcome->begun = story->events[0].utc;
	tell_all(&telling, true);
	tell_all(&telling, false);
	for (size_t i = 0; i < outcome->count; i++)
		outcome->fates[outcome->recipients[i].fate]++;
}

void cli_outcome_free(struct cli_outcome *outcome)
{
	free(outcome->recipients);
	tdestroy(outcome->places, free);
	*outcome = (struct cli_outcome){.count = 0};
}

enum cli_fate cli_outcome_worst(const struct cli_outcome *outcome)
{
	for (size_t i = 0; i < CLI_FATE_COUNT; i++)
		if (outcome->fates[i] > 0)
			return (enum cli_fate)i;
	if (outcome->refused > 0)
		return outcome->refused_for_good ? CLI_FATE_REJECTED : CLI_FATE_REFUSED;
	return outcome->auth_failed > 0 ? CLI_FATE_REJECTED : CLI_FATE_WAITING;
}

enum cli_exit cli_outcome_exit(const struct cli_outcome *outcome)
{
	enum cli_exit worst = CLI_GOOD;

	if (outcome->hold_missed)
		return CLI_BAD;
	if (outcome->filter_missed)
		worst = CLI_LOOK;
	for (size_t i = 0; i < CLI_FATE_COUNT; i++)
		if (outcome->fates[i] > 0 && fates[i].exit > worst)
			worst = fates[i].exit;
	return outcome->count > 0 ? worst : fates[cli_outcome_worst(outcome)].exit;
}

const struct cli_notice *cli_outcome_notice(const struct cli_outcome *outcome, const char *queue_id)
{
	for (size_t i = 0; i < outcome->notice_count; i++)
		if (strcmp(outcome->notices[i].queue_id, queue_id) == 0)
			return &outcome->notices[i];
	return NULL;
}

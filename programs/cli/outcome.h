/* SPDX-License-Identifier: ISC */
/* outcome: what became of a message and of each of its recipients, by the events of its story. */
#ifndef MG_CLI_OUTCOME_H
#define MG_CLI_OUTCOME_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"
#include "cli/sheet.h"
#include "cli/story.h"

/* The worst first. */
enum cli_fate {
	CLI_FATE_BOUNCED,
	CLI_FATE_EXPIRED,
	CLI_FATE_REJECTED,
	CLI_FATE_DISCARDED,
	CLI_FATE_REMOVED,
	CLI_FATE_UNQUEUED, /* it never came into the queue */
	CLI_FATE_LOST, /* it left the queue, and nobody knows how */
	CLI_FATE_OVERDUE,
	CLI_FATE_REFUSED, /* for now: the client will try again */
	CLI_FATE_HELD,
	CLI_FATE_DEFERRED,
	CLI_FATE_WAITING, /* accepted, and nothing more is known yet */
	CLI_FATE_UNTRACKED, /* accepted, and nobody follows it */
	CLI_FATE_LINKED, /* it goes on under another queue id, of which nothing is known */
	CLI_FATE_HANDED_OVER,
	CLI_FATE_DELIVERED,
	CLI_FATE_COUNT
};
/* "bounced", "handed over", its exit code alone, and its colour. */
const char *cli_fate_word(enum cli_fate fate);
enum cli_exit cli_fate_exit(enum cli_fate fate);
enum cli_color cli_fate_color(enum cli_fate fate);

struct cli_recipient {
	const char *address; /* of a reading */
	enum cli_fate fate;
	struct cli_story_event *last; /* of its delivery; NULL none */
	size_t tries; /* deferred, one behind the other */
};

/* A bounce or notice that tells the sender: a message of its own. */
struct cli_notice {
	const char *queue_id, *relation;
	enum cli_fate fate;
	int64_t utc; /* when it ended or was tried last; 0 not yet */
};
enum { CLI_NOTICES_MAX = 100 };

struct cli_outcome {
	struct cli_recipient *recipients; /* in the order they were given */
	size_t count;
	size_t fates[CLI_FATE_COUNT]; /* recipients of each */
	struct cli_notice notices[CLI_NOTICES_MAX];
	size_t notice_count;
	/* Of the session: refusals before there was a queue id, failed log-ins. */
	size_t refused, auth_failed;
	bool refused_for_good;
	const struct cli_story_event
		*refusal; /* the last of them; of the message when it was that */
	const struct cli_story_event *hold; /* the last one */
	bool hold_missed, filter_missed;
	int64_t begun, tried; /* the first event; the last attempt of what is deferred, 0 none */
	bool failed; /* no memory */
	void *places; /* its own */
};

/* tracked: there is a log of millgate-track. Free it with cli_outcome_free; it points into the
 * story. */
void cli_outcome_of(struct cli_story *story, bool tracked, struct cli_outcome *outcome);
void cli_outcome_free(struct cli_outcome *outcome);
/* The worst fate there is, and the exit code of all. */
enum cli_fate cli_outcome_worst(const struct cli_outcome *outcome);
enum cli_exit cli_outcome_exit(const struct cli_outcome *outcome);
/* The notice of this queue id; NULL: it is none. */
const struct cli_notice *cli_outcome_notice(
	const struct cli_outcome *outcome, const char *queue_id);
#endif

/* SPDX-License-Identifier: ISC */
#include "dkim/key_ask.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "dkim/key_choice.h"
#include "dkim/key_tell.h"
#include "dkim/publish.h"

#define FIRST_WAIT (2 * MG_SECOND)
#define QUESTION_WAIT (3 * MG_SECOND)

/* One key, on its way without the lock. */
struct question {
	struct dkim_signer signer;
	bool ended;
	enum dkim_published published;
	struct dkim_publication publication;
};

static int64_t now(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

bool key_asks(const struct key_asker *asker)
{
	return asker->dns && asker->settings->check_dns > 0;
}

/* The keys that could sign, newest first; of the algorithms whose choice depends on DNS, or all.
 * NULL: no memory. */
static struct question *gather(const struct key_asker *asker, const struct key_entry *entry,
	const bool depends[MG_DKIM_ALGORITHM_COUNT], size_t *count)
{
	const struct mg_dkim_domain *domain = entry->domain;
	struct question *questions = calloc(domain->key_count + 1, sizeof(*questions));

	*count = 0;
	for (size_t i = 0; questions && i < domain->key_count; i++) {
		const struct mg_dkim_file *file = &domain->files[i];
		struct dkim_signer *signer = &questions[*count].signer;

		if (!key_is_usable(asker->settings, domain, i) ||
			(depends && !depends[mg_dkim_key_algorithm(file->key)]))
			continue;
		mg_str_copy(signer->domain, sizeof(signer->domain), domain->name);
		mg_str_copy(signer->selector, sizeof(signer->selector), file->selector);
		signer->key = mg_dkim_key_use(file->key);
		++*count;
	}
	return questions;
}

/* Takes an answer over, if the key is still there; its index, -1 not. */
static int take_answer(struct key_entry *entry, const struct question *question)
{
	int index = key_entry_find(entry, question->signer.selector);
	struct key_state *state;

	if (index < 0 || !entry->domain->files[index].key ||
		strcmp(mg_dkim_key_public(entry->domain->files[index].key),
			mg_dkim_key_public(question->signer.key)) != 0)
		return -1;
	state = &entry->states[index];
	state->asked = true;
	state->answered = question->published != DKIM_UNKNOWN;
	if (question->published == DKIM_PUBLISHED) {
		state->seen = MG_DKIM_SEEN;
		state->strict = question->publication.strict;
	} else if (question->published == DKIM_NOT_PUBLISHED) {
		state->seen =
			question->publication.no_record ? MG_DKIM_SEEN_ABSENT : MG_DKIM_SEEN_OTHER;
	}
	return index;
}

static void take_answers(const struct key_asker *asker, struct key_entry *entry,
	const struct question questions[], size_t count, struct key_notices *notices)
{
	struct mg_dkim_choice choice;

	for (size_t i = 0; i < count; i++)
		if (questions[i].ended)
			take_answer(entry, &questions[i]);
	choice = key_choose(asker->settings, entry->domain, entry->states, true);
	for (size_t i = 0; i < count; i++) {
		int index = questions[i].ended ? take_answer(entry, &questions[i]) : -1;

		if (index >= 0 && key_is_usable(asker->settings, entry->domain, (size_t)index))
			key_tell_seen(asker->settings, entry, index, &choice,
				questions[i].publication.dns, questions[i].publication.why,
				notices);
	}
	key_tell_switch(asker->settings, entry, &choice, notices);
}

/* Asks them one after the other, without the lock. first: what is known of the newest that is seen
 * is enough. */
static void ask_all(const struct key_asker *asker, struct question questions[], size_t count,
	bool first, int64_t deadline, const atomic_bool *stop)
{
	bool seen[MG_DKIM_ALGORITHM_COUNT] = {false};

	for (size_t i = 0; i < count; i++) {
		struct question *question = &questions[i];
		enum mg_dkim_algorithm algorithm = mg_dkim_key_algorithm(question->signer.key);
		int64_t until = first ? deadline : now() + QUESTION_WAIT;

		if (stop && atomic_load(stop))
			return;
		if (first && seen[algorithm])
			continue;
		question->published = dkim_publish_check(
			asker->dns, &question->signer, !first, until, &question->publication);
		question->ended = true;
		seen[algorithm] |= question->published == DKIM_PUBLISHED;
	}
}

static void ask(const struct key_asker *asker, struct key_entry *entry,
	const bool depends[MG_DKIM_ALGORITHM_COUNT], int64_t deadline, const atomic_bool *stop,
	struct key_notices *notices)
{
	size_t count;
	struct question *questions = gather(asker, entry, depends, &count);

	if (!questions)
		return;
	entry->asking = true;
	pthread_mutex_unlock(&asker->store->lock);
	ask_all(asker, questions, count, depends != NULL, deadline, stop);
	pthread_mutex_lock(&asker->store->lock);
	entry->asking = false;
	entry->asked = now();
	take_answers(asker, entry, questions, count, notices);
	key_store_queue(asker->store, entry);
	pthread_cond_broadcast(&asker->store->changed);
	for (size_t i = 0; i < count; i++)
		mg_dkim_key_release(questions[i].signer.key);
	free(questions);
}

/* Of which algorithms DNS must say more before a key is chosen: it could be one that was never asked
 * for. With a watch only while nothing is known of any. */
static bool needs_answer(const struct key_asker *asker, const struct key_entry *entry,
	bool depends[MG_DKIM_ALGORITHM_COUNT])
{
	struct mg_dkim_choice choice =
		key_choose(asker->settings, entry->domain, entry->states, true);
	bool settled[MG_DKIM_ALGORITHM_COUNT] = {false}, any = false;

	memset(depends, 0, MG_DKIM_ALGORITHM_COUNT * sizeof(*depends));
	for (size_t i = 0; i < entry->domain->key_count; i++) {
		const struct key_state *state = &entry->states[i];
		enum mg_dkim_algorithm algorithm;

		if (!key_is_usable(asker->settings, entry->domain, i))
			continue;
		algorithm = mg_dkim_key_algorithm(entry->domain->files[i].key);
		if (state->seen == MG_DKIM_SEEN || (asker->background && state->asked))
			settled[algorithm] = true;
		else if (!state->asked && !settled[algorithm])
			depends[algorithm] = choice.depends[algorithm];
	}
	for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++) {
		depends[i] = depends[i] && !(asker->background && settled[i]);
		any |= depends[i];
	}
	return any;
}

static void wait_for_asker(
	const struct key_asker *asker, const struct key_entry *entry, int64_t deadline)
{
	struct timespec until = {
		.tv_sec = deadline / MG_SECOND, .tv_nsec = (long)(deadline % MG_SECOND)};

	while (entry->asking && now() < deadline)
		pthread_cond_timedwait(&asker->store->changed, &asker->store->lock, &until);
}

void key_ask_first(const struct key_asker *asker, struct key_entry *entry, int64_t deadline,
	struct key_notices *notices)
{
	bool depends[MG_DKIM_ALGORITHM_COUNT];
	int64_t limit;

	if (!key_asks(asker) || asker->settings->selector_count ||
		!needs_answer(asker, entry, depends))
		return;
	limit = now() + FIRST_WAIT;
	if (deadline > limit)
		deadline = limit;
	if (entry->asking)
		wait_for_asker(asker, entry, deadline);
	else
		ask(asker, entry, depends, deadline, NULL, notices);
}

void key_ask_again(const struct key_asker *asker, struct key_entry *entry, const atomic_bool *stop,
	struct key_notices *notices)
{
	if (!entry->asking)
		ask(asker, entry, NULL, 0, stop, notices);
}

/* SPDX-License-Identifier: ISC */
#include "base/dns_record.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/dns_answer.h"

struct note {
	TAILQ_ENTRY(note) next;
	const struct mg_dns_answer *answer;
	enum mg_dns_type type;
	char name[MG_DNS_NAME_SIZE];
};

struct mg_dns_notes {
	pthread_mutex_t lock; /* the members below */
	TAILQ_HEAD(, note) list;
	bool failed;
};

struct recorder {
	struct mg_dns dns; /* first */
	struct mg_dns *inner;
	struct mg_dns_notes *notes;
};

struct mg_dns_notes *mg_dns_notes_new(void)
{
	struct mg_dns_notes *notes = calloc(1, sizeof *notes);

	if (notes == NULL)
		return NULL;
	pthread_mutex_init(&notes->lock, NULL);
	TAILQ_INIT(&notes->list);
	return notes;
}

void mg_dns_notes_free(struct mg_dns_notes *notes)
{
	struct note *note;

	if (notes == NULL)
		return;
	while ((note = TAILQ_FIRST(&notes->list)) != NULL) {
		TAILQ_REMOVE(&notes->list, note, next);
		mg_dns_answer_release(note->answer);
		free(note);
	}
	pthread_mutex_destroy(&notes->lock);
	free(notes);
}

/* --- an answer as a row --- */

static void add_value(
	struct mg_buf *text, enum mg_dns_type type, const struct mg_dns_record *record)
{
	char address[INET6_ADDRSTRLEN] = "";

	switch (type) {
	case MG_DNS_A:
	case MG_DNS_AAAA:
		inet_ntop(type == MG_DNS_A ? AF_INET : AF_INET6, record->data, address,
			sizeof address);
		mg_buf_add_text(text, address);
		break;
	case MG_DNS_TXT: mg_dns_case_escape(text, record->data, record->length); break;
	case MG_DNS_MX: mg_buf_add_format(text, "%u ", record->preference); /* fall through */
	default: mg_buf_add_text(text, record->length > 0 ? record->data : "."); break;
	}
	mg_buf_add_char(text, '\0');
}

static const char *failure_of(enum mg_dns_status status)
{
	static const char *const words[] = {[MG_DNS_NO_NAME] = "NXDOMAIN",
		[MG_DNS_FAILED] = "SERVFAIL",
		[MG_DNS_TIMEOUT] = "TIMEOUT",
		[MG_DNS_BAD_NAME] = "NXDOMAIN"};

	return words[status];
}

static bool give(
	const struct note *note, bool (*each)(void *, const struct mg_dns_row *), void *context)
{
	const struct mg_dns_answer *answer = note->answer;
	const char *values[MG_DNS_RECORDS_MAX];
	struct mg_buf question = {0}, texts = {0};
	struct mg_dns_row row = {
		.failure = failure_of(answer->status), .values = values, .count = answer->count};
	const char *text;
	bool good;

	mg_dns_case_escape(&question, note->name, strlen(note->name));
	mg_buf_add_format(&question, " %s", mg_dns_type_name(note->type));
	row.question = mg_buf_text(&question);
	for (size_t i = 0; i < answer->count; i++)
		add_value(&texts, note->type, &answer->records[i]);
	text = mg_buf_text(&texts);
	for (size_t i = 0; i < answer->count && !texts.failed; i++) {
		values[i] = text;
		text += strlen(text) + 1;
	}
	good = !question.failed && !texts.failed && each(context, &row);
	mg_buf_free(&question);
	mg_buf_free(&texts);
	return good;
}

bool mg_dns_notes_each(struct mg_dns_notes *notes,
	bool (*each)(void *context, const struct mg_dns_row *row), void *context)
{
	const struct note *note;
	bool good;

	pthread_mutex_lock(&notes->lock);
	good = !notes->failed;
	TAILQ_FOREACH(note, &notes->list, next)
	good = good && give(note, each, context);
	pthread_mutex_unlock(&notes->lock);
	return good;
}

/* --- questions --- */

/* A question is rare and of one message: a list does. */
static struct note *find_note(
	const struct mg_dns_notes *notes, const char *name, enum mg_dns_type type)
{
	struct note *note;

	TAILQ_FOREACH(note, &notes->list, next)
	if (note->type == type && strcmp(note->name, name) == 0)
		return note;
	return NULL;
}

static void write_note(struct mg_dns_notes *notes, const char *name, enum mg_dns_type type,
	const struct mg_dns_answer *answer)
{
	struct note *note;

	pthread_mutex_lock(&notes->lock);
	note = find_note(notes, name, type);
	if (note == NULL) {
		note = calloc(1, sizeof *note);
		if (note == NULL) {
			notes->failed = true;
		} else {
			note->type = type;
			memcpy(note->name, name, strlen(name) + 1);
			TAILQ_INSERT_TAIL(&notes->list, note, next);
		}
	}
	if (note != NULL) {
		mg_dns_answer_release(note->answer);
		note->answer = mg_dns_answer_use(answer);
	}
	pthread_mutex_unlock(&notes->lock);
}

static const struct mg_dns_answer *ask(
	struct mg_dns *dns, const char *name, enum mg_dns_type type, bool fresh, int64_t deadline)
{
	struct recorder *recorder = (struct recorder *)dns;
	const struct mg_dns_answer *answer =
		recorder->inner->kind->ask(recorder->inner, name, type, fresh, deadline);

	write_note(recorder->notes, name, type, answer);
	return answer;
}

static void close_recorder(struct mg_dns *dns)
{
	struct recorder *recorder = (struct recorder *)dns;

	mg_dns_close(recorder->inner);
	free(recorder);
}

static const struct mg_dns_kind kind = {.ask = ask, .close = close_recorder};

struct mg_dns *mg_dns_record_new(struct mg_dns *dns, struct mg_dns_notes *notes)
{
	struct recorder *recorder = malloc(sizeof *recorder);

	if (recorder == NULL) {
		mg_dns_close(dns);
		return NULL;
	}
	*recorder =
		(struct recorder){.dns = {.kind = &kind, .uses = 1}, .inner = dns, .notes = notes};
	return &recorder->dns;
}

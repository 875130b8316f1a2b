/* SPDX-License-Identifier: ISC */
/* Event logs as a gateway of some weeks has them: `eventlogs DIRECTORY EVENTS` writes that many
 * events, chained and rotated by the spool itself: of each message what millgate-log, -dkim and
 * -track have of it, 30 days in all. Prints one JSON object: the bytes, and the ids of a message in
 * the middle. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "event/spool.h"

enum { EVENTS_A_MESSAGE = 5, DAYS = 30, DOCUMENT = 4096 };
enum { LOG, DKIM, TRACK, LOGS };
static const char *const names[LOGS] = {"log", "dkim", "track"};

/* The time of the event that is being written. */
struct pace {
	struct mg_clock clock;
	int64_t utc;
};

static int64_t pace_utc(const struct mg_clock *clock)
{
	return ((const struct pace *)clock)->utc;
}

static struct pace pace = {{pace_utc, pace_utc}, 0};
static struct mg_spool *spools[LOGS];
static uint64_t bytes, events;

/* A number without pattern, of a number. */
static uint64_t mix(uint64_t number)
{
	number = (number ^ number >> 31) * UINT64_C(0x9e3779b97f4a7c15);
	number = (number ^ number >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return number ^ number >> 32;
}

static char *compose(void *context, const struct mg_spool_note *note)
{
	char *document = NULL, time[32];

	(void)context;
	mg_clock_format(time, sizeof time, pace.utc);
	if (asprintf(&document,
		    "{\"@timestamp\":\"%s\",\"ecs\":{\"version\":\"8.11.0\"},\"host\":{\"name\":\"mx1\"},"
		    "\"millgate\":{\"log\":{\"previous_hash\":\"%s\"}},\"event\":{\"action\":\"log-opened\","
		    "\"reason\":\"%s\"",
		    time, note->previous_hash, note->reason) < 0)
		return NULL;
	return document;
}

/* What the events of a message share. */
struct message {
	uint64_t number;
	char time[32], common[1024], event[256], queue_id[20], trace_id[33], recipient[64];
};

static void begin_message(struct message *message, uint64_t number)
{
	uint64_t random = mix(number);

	*message = (struct message){.number = number};
	mg_clock_format(message->time, sizeof message->time, pace.utc);
	snprintf(message->queue_id, sizeof message->queue_id, "4jY%07" PRIx64 "z%04x",
		number & 0xfffffff, (unsigned)(random & 0xffff));
	snprintf(message->trace_id, sizeof message->trace_id, "%016" PRIx64 "%016" PRIx64, random,
		mix(random));
	snprintf(message->recipient, sizeof message->recipient,
		"user%" PRIu64 "@host%" PRIu64 ".example.com", random % 1000000, random % 5000);
	snprintf(message->common, sizeof message->common,
		"{\"@timestamp\":\"%s\",\"ecs\":{\"version\":\"8.11.0\"},\"host\":{\"name\":\"mx1.example.org\"},"
		"\"observer\":{\"vendor\":\"millgate\",\"product\":\"millgate\",\"version\":\"0.1.0\",\"type\":"
		"\"mail-gateway\",\"hostname\":\"mx1.example.org\"},\"source\":{\"address\":\"app1.acme.example\","
		"\"domain\":\"app1.acme.example\",\"ip\":\"203.0.113.%u\",\"port\":%u},\"user\":{\"name\":\"app-%u\"},"
		"\"organization\":{\"id\":\"acme\"},\"trace\":{\"id\":\"%s\"}",
		message->time, (unsigned)(random % 250), (unsigned)(number % 60000 + 1024),
		(unsigned)(random % 100), message->trace_id);
}

/* Writes an event: `between` are its own members, `action` those of "event". */
static bool write_event(
	const struct message *message, int log, const char *between, const char *action)
{
	char document[DOCUMENT];
	int length = snprintf(document, sizeof document,
		"%s%s,\"event\":{\"id\":\"01a210da-99c6-7%03x-a887-%012" PRIx64
		"\",\"kind\":\"event\",\"category\":[\"email\"],\"type\":[\"info\"],%s,\"provider\":\"millgate-%s\","
		"\"dataset\":\"millgate.%s\",\"duration\":310000",
		message->common, between, (unsigned)log, mix(++events) & UINT64_C(0xffffffffffff),
		action, names[log], names[log]);

	bytes += (uint64_t)length + 64;
	return length < DOCUMENT &&
	       mg_spool_append(spools[log], document, (size_t)length, NULL) > 0;
}

static bool write_delivery(const struct message *message, const char *status, const char *action)
{
	char between[1024];

	snprintf(between, sizeof between,
		",\"email\":{\"local_id\":\"%s\"},\"destination\":{\"address\":\"mx.example.com\",\"domain\":"
		"\"mx.example.com\",\"ip\":\"198.51.100.9\",\"port\":25},\"millgate\":{\"postfix\":{\"instance\":"
		"\"postfix\",\"program\":\"smtp\"},\"delivery\":{\"recipient\":\"%s\",\"status\":\"%s\",\"dsn\":\"2.0.0\","
		"\"attempt\":1,\"service\":\"smtp\",\"tls\":\"Trusted\",\"tls_version\":\"1.3\",\"delay_s\":1.9,"
		"\"delays_s\":{\"before_qmgr\":0.05,\"in_qmgr\":0,\"conn_setup\":1.1,\"transmission\":0.71},"
		"\"reply\":{\"code\":250,\"enhanced_code\":\"2.0.0\",\"text\":\"250 2.0.0 Ok: queued as "
		"4jYh176Sfnz1bkdT\"}}}",
		message->queue_id, message->recipient, status);
	return write_event(message, TRACK, between, action);
}

static bool write_message(const struct message *message)
{
	char email[1024], between[2048];

	snprintf(email, sizeof email,
		",\"email\":{\"local_id\":\"%s\",\"direction\":\"outbound\",\"message_id\":\"%" PRIu64
		".7@acme.example\",\"sender\":{\"address\":\"bounce+%" PRIu64
		"@acme.example\"},\"from\":{\"address\":[\"billing@acme.example\"]},\"to\":{\"address\":[\"%s\"]},"
		"\"subject\":\"Invoice 2026-%" PRIu64 "\"}",
		message->queue_id, message->number, message->number % 1000, message->recipient,
		message->number);
	snprintf(between, sizeof between,
		"%s,\"millgate\":{\"session\":{\"key\":\"203.0.113.5:%" PRIu64
		"\"},\"smtp\":{\"helo\":\"app1.acme.example\",\"from\":\"bounce+7@acme.example\",\"recipient_count\":1,"
		"\"size\":45781},\"listener\":\"ORIGINATING\",\"local\":false,\"header\":{\"from_name\":[\"Billing\"],"
		"\"to\":[\"%s\"]}}",
		email, message->number, message->recipient);
	if (!write_event(message, LOG, between,
		    "\"action\":\"message-accepted\",\"outcome\":\"success\""))
		return false;
	snprintf(between, sizeof between,
		"%s,\"millgate\":{\"session\":{\"key\":\"203.0.113.5:%" PRIu64
		"\"},\"dkim\":{\"domain\":\"acme.example\",\"selector\":\"s2026\",\"algorithm\":\"rsa-sha256\"}}",
		email, message->number);
	if (!write_event(message, DKIM, between,
		    "\"action\":\"message-signed\",\"outcome\":\"success\""))
		return false;
	snprintf(between, sizeof between,
		",\"millgate\":{\"session\":{\"key\":\"203.0.113.5:%" PRIu64
		"\",\"traces\":[\"%s\"]}}",
		message->number, message->trace_id);
	return write_delivery(message, "deferred",
		       "\"action\":\"delivery-deferred\",\"outcome\":\"failure\"") &&
	       write_delivery(message, "delivered",
		       "\"action\":\"delivery-succeeded\",\"outcome\":\"success\"") &&
	       write_event(message, TRACK, between,
		       "\"action\":\"session-linked\",\"outcome\":\"success\"");
}

static bool open_spools(const char *directory)
{
	for (int i = 0; i < LOGS; i++) {
		struct mg_spool_settings settings = {.directory = directory,
			.name = names[i],
			.segment_bytes = UINT64_C(64) << 20,
			.keep_bytes = UINT64_C(1) << 50,
			.hard_limit_bytes = UINT64_C(1) << 50,
			.keep_age = INT64_MAX};

		spools[i] = mg_spool_open(&settings, &pace.clock, compose, NULL, NULL);
		if (spools[i] == NULL)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	uint64_t messages = argc == 3 ? strtoull(argv[2], NULL, 10) / EVENTS_A_MESSAGE : 0;
	int64_t begin = mg_clock_system.utc(&mg_clock_system) - DAYS * 86400 * MG_SECOND;
	struct message message, middle = {.number = 0};
	bool good = messages > 0;

	pace.utc = begin;
	if (!good || !open_spools(argv[1])) {
		fprintf(stderr, "usage: eventlogs DIRECTORY EVENTS\n");
		return 64;
	}
	for (uint64_t i = 0; i < messages && good; i++) {
		pace.utc = begin + (int64_t)((double)i / (double)messages * DAYS * 86400e9);
		begin_message(&message, i);
		good = write_message(&message);
		if (i == messages / 2)
			middle = message;
	}
	for (int i = 0; i < LOGS; i++)
		mg_spool_close(spools[i]);
	printf("{\"bytes\": %" PRIu64 ", \"events\": %" PRIu64
	       ", \"queue_id\": \"%s\", \"trace_id\": \"%s\", \"message_id\": \"%" PRIu64
	       ".7@acme.example\", \"recipient\": \"%s\"}\n",
		bytes, events, middle.queue_id, middle.trace_id, middle.number, middle.recipient);
	return good ? 0 : 74;
}

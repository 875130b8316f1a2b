/* SPDX-License-Identifier: ISC */
/* lines [COUNT]: how fast lines of Postfix's log are read. A log of COUNT lines (default a million)
 * is made in memory, of messages as they go through a busy gateway; then it is read, five times.
 * Prints one JSON object: lines, bytes, lines_per_second (of CPU time, the median), unknown. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "track/line.h"

enum { ROUNDS = 5, ID_SIZE = 32 };

/* Of one message; {id} is its queue id, {n} a number. As often as they come: seven to eight lines a
 * message, some deferrals, refusals, bounces. */
static const struct {
	const char *identifier, *text;
	unsigned every; /* of every so many messages one has it */
} templates[] = {
	{"postfix/smtpd", "connect from mail{n}.example.net[198.51.100.{n}]:38670", 1},
	{"postfix/smtpd",
		"Anonymous TLS connection established from mail{n}.example.net[198.51.100.{n}]:38670: "
		"TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
		"server-signature RSA-PSS (2048 bits) server-digest SHA256",
		2},
	{"postfix/submission/smtpd",
		"{id}: client=mail{n}.example.net[198.51.100.{n}]:38670, sasl_method=PLAIN, "
		"sasl_username=app{n}@example.net",
		1},
	{"postfix/cleanup", "{id}: message-id=<20261124114913.{n}.015179@example.net>", 1},
	{"postfix/qmgr",
		"{id}: from=<bounce+{n}@example.net>, size=4578{n}, nrcpt=1 (queue active)", 1},
	{"postfix/smtpd",
		"NOQUEUE: reject: RCPT from unknown[203.0.113.{n}]:40264: 550 5.1.1 "
		"<u{n}@example.org>: Recipient address rejected: User unknown in relay recipient table; "
		"from=<s{n}@spam.example> to=<u{n}@example.org> proto=ESMTP helo=<mail{n}.example>",
		4},
	{"postfix/smtpd",
		"disconnect from mail{n}.example.net[198.51.100.{n}]:38670 ehlo=2 starttls=1 auth=1 "
		"mail=1 rcpt=1 data=1 quit=1 commands=8",
		1},
	{"postfix/smtp",
		"{id}: to=<user{n}@example.com>, relay=mx.example.com[203.0.113.9]:25, delay=2.6, "
		"delays=0.05/0/1.1/0.71, dsn=4.2.0, status=deferred (host mx.example.com[203.0.113.9] "
		"said: 450 4.2.0 try again later (in reply to RCPT TO command))",
		5},
	{"postfix/smtp",
		"{id}: to=<user{n}@example.com>, orig_to=<list{n}@example.org>, "
		"relay=mx.example.com[2001:db8::{n}]:25, delay=1.9, delays=0.05/0/1.1/0.71, dsn=2.0.0, "
		"status=sent (250 2.0.0 Ok: queued as 4jYh176Sfnz1bkdT)",
		1},
	{"postfix/bounce", "{id}: sender non-delivery notification: 4jYh184tWVz1bkdW", 20},
	{"postfix/qmgr", "{id}: removed", 1},
};

static const char *const instances[] = {"postfix", NULL};

struct place {
	const char *identifier;
	size_t start, length;
};

/* As mail_queue.h makes them: consonants and digits. */
static void write_id(char id[ID_SIZE], uint64_t number)
{
	static const char digits[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxy";

	strcpy(id, "4jYh100000z1bkdK");
	for (size_t i = 9; i > 3; i--, number /= 51)
		id[i] = digits[number % 51];
}

static void add_line(struct mg_buf *log, const char *text, const char *id, unsigned number)
{
	for (size_t length; *text != '\0'; text += length) {
		length = strcspn(text, "{");
		mg_buf_add(log, text, length);
		if (strncmp(text + length, "{id}", 4) == 0) {
			mg_buf_add_text(log, id);
			length += 4;
		} else if (text[length] != '\0') {
			mg_buf_add_format(log, "%u", number);
			length += 3;
		}
	}
}

static size_t make_log(struct mg_buf *log, struct place *places, size_t count)
{
	char id[ID_SIZE];
	size_t made = 0;

	for (uint64_t message = 0; made < count && !log->failed; message++) {
		write_id(id, message);
		for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]) && made < count;
			i++) {
			if (message % templates[i].every != 0)
				continue;
			places[made].identifier = templates[i].identifier;
			places[made].start = log->length;
			add_line(log, templates[i].text, id, (unsigned)(message % 250));
			places[made].length = log->length - places[made].start;
			made++;
		}
	}
	return made;
}

/* CPU time of this process, ns: whatever else runs on the machine. */
static int64_t cpu_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int64_t read_log(
	const struct mg_buf *log, const struct place *places, size_t count, size_t *unknown)
{
	int64_t start = cpu_time();

	*unknown = 0;
	for (size_t i = 0; i < count; i++) {
		struct track_line line;
		const struct track_record record = {
			.identifier = places[i].identifier,
			.identifier_length = strlen(places[i].identifier),
			.text = log->data + places[i].start,
			.length = places[i].length,
		};

		*unknown += track_line_read(&record, instances, &line) != TRACK_READ;
	}
	return cpu_time() - start;
}

static int compare(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return (first > second) - (first < second);
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 1000000, unknown = 0;
	struct place *places = calloc(count > 0 ? count : 1, sizeof(*places));
	struct mg_buf log = {.limit = 0};
	int64_t times[ROUNDS];

	if (places == NULL || make_log(&log, places, count) < count) {
		fprintf(stderr, "lines: no memory\n");
		return 1;
	}
	for (size_t i = 0; i < ROUNDS; i++)
		times[i] = read_log(&log, places, count, &unknown);
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	printf("{\"lines\":%zu,\"bytes\":%zu,\"lines_per_second\":%.0f,\"unknown\":%zu}\n", count,
		log.length, (double)count * 1e9 / (double)times[ROUNDS / 2], unknown);
	mg_buf_free(&log);
	free(places);
	return unknown > 0;
}

/* SPDX-License-Identifier: ISC */
/* A header of control fields gives an event that is JSON, whatever the fields say. The input: one
 * byte for the name of a field, its value up to a NUL, and so on. */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "log/auth.h"
#include "log/tags.h"

enum { FIELDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"X-SES-MESSAGE-TAGS", "X-PM-Tag", "X-PM-Metadata-name",
	"X-SMTPAPI", "X-Mailgun-Tag", "X-Mailgun-Variables", "X-Postal-Tag", "DKIM-Signature",
	"Authentication-Results"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static void check(struct mg_event *event)
{
	char *text = mg_event_text(event);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

	assert(json != NULL);
	json_decref(json);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mg_events_identity identity = {"millgate-log", "mx.example.org", "1"};
	struct mg_events *events = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	struct mg_event *event = events == NULL ? NULL : mg_event_new(events, MG_MESSAGE_ACCEPTED);
	struct mg_header headers[FIELDS_MAX];
	size_t count = 0;

	while (event != NULL && size > 1 && count < FIELDS_MAX) {
		const uint8_t *end = memchr(data + 1, '\0', size - 1);
		size_t length = end != NULL ? (size_t)(end - data - 1) : size - 1;
		const char *name = names[data[0] % NAMES];

		headers[count++] = (struct mg_header){.name = name,
			.value = (const char *)data + 1,
			.name_length = strlen(name),
			.value_length = length};
		size -= length + 1 < size ? length + 2 : size;
		data += length + 2;
	}
	if (event != NULL) {
		log_tags_record(event, headers, count);
		log_auth_record(event, headers, count, "mx.example.org");
		check(event);
	}
	mg_event_free(event);
	mg_events_free(events);
	return 0;
}

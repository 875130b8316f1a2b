/* SPDX-License-Identifier: ISC */
/* An event of a log: whatever the line, a field is a text of it, a list has the texts that it
 * counts, and a name that nobody has is none. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"@timestamp", "event.id", "email.to.address",
	"email.attachments", "millgate.smtp.from", "a", "a.a", "a.a.a", ""};

static void look_at(const struct mg_reading *reading, const char *name)
{
	size_t count = mg_reading_count(reading, name);
	int64_t number = 0, other = 0;

	if (count == 0)
		assert(mg_reading_text(reading, name)[0] == '\0');
	assert(strcmp(mg_reading_text(reading, name), mg_reading_text_at(reading, name, 0, NULL)) ==
		0);
	for (size_t i = 0; i < count && i < 100; i++)
		assert(mg_reading_text_at(reading, name, i, "file.name") != NULL);
	assert(mg_reading_text_at(reading, name, count + 1, NULL)[0] == '\0');
	if (mg_reading_number(reading, name, &number)) {
		assert(mg_reading_number_at(reading, name, 0, NULL, &other) && number == other);
		assert(mg_reading_float(reading, name, -1) == (double)number);
	}
	if (mg_reading_time(reading, name, &number))
		assert(number >= 0);
	if (mg_reading_bool(reading, name))
		assert(count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size > 0 ? size : 1);
	struct mg_reading *reading;

	if (line == NULL)
		return 0;
	memcpy(line, data, size); /* no NUL behind it: reading on is seen */
	reading = mg_reading_new(line, size);
	memset(line, 'x', size);
	for (size_t i = 0; reading != NULL && i < sizeof names / sizeof names[0]; i++)
		look_at(reading, names[i]);
	mg_reading_free(reading);
	free(line);
	return 0;
}

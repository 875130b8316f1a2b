/* SPDX-License-Identifier: ISC */
#include "track/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "track/stream.h"

size_t track_place_name(const struct track_place *place, char text[TRACK_POSITION_MAX])
{
	char hex[2 * TRACK_FINGERPRINT + 1];
	int length;

	mg_str_hex(hex, place->fingerprint, sizeof place->fingerprint);
	if (place->shrunk > 0)
		length = snprintf(text, TRACK_POSITION_MAX, "%s-%" PRIu32 ".%" PRIu32 "-%" PRIu64,
			hex, place->length, place->shrunk, place->offset);
	else
		length = snprintf(text, TRACK_POSITION_MAX, "%s-%" PRIu32 "-%" PRIu64, hex,
			place->length, place->offset);
	return (size_t)length;
}

void track_place_write(const struct track_place *place, char text[TRACK_POSITION_MAX])
{
	char hex[2 * TRACK_FINGERPRINT + 1];

	if (!place->known) {
		snprintf(text, TRACK_POSITION_MAX, "file - %" PRId64, place->modified);
		return;
	}
	mg_str_hex(hex, place->fingerprint, sizeof place->fingerprint);
	snprintf(text, TRACK_POSITION_MAX,
		"file %s %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64
		" %" PRId64,
		hex, place->length, place->offset, place->shrunk, place->repeated, place->device,
		place->inode, place->modified);
}

static int hex_value(char character)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = character == '\0' ? NULL : strchr(digits, character);

	return found == NULL ? -1 : (int)(found - digits);
}

static bool read_fingerprint(const char **text, unsigned char fingerprint[TRACK_FINGERPRINT])
{
	for (size_t i = 0; i < TRACK_FINGERPRINT; i++) {
		int high = hex_value(**text);
		int low = high < 0 ? -1 : hex_value((*text)[1]);

		if (low < 0)
			return false;
		fingerprint[i] = (unsigned char)(16 * high + low);
		*text += 2;
	}
	return true;
}

/* A blank and a number. */
static bool read_number(const char **text, uint64_t maximum, uint64_t *number)
{
	char digits[24];
	size_t length;

	if (**text != ' ')
		return false;
	++*text;
	length = strspn(*text, "0123456789");
	if (length >= sizeof digits)
		return false;
	memcpy(digits, *text, length);
	digits[length] = '\0';
	*text += length;
	return mg_str_number(digits, maximum, number);
}

bool track_place_read(const char *text, struct track_place *place)
{
	uint64_t length, shrunk, repeated, modified;

	*place = (struct track_place){.known = true};
	if (strncmp(text, "file ", 5) != 0)
		return false;
	text += 5;
	if (text[0] == '-') {
		text++;
		place->known = false;
		if (!read_number(&text, INT64_MAX, &modified) || *text != '\0')
			return false;
		place->modified = (int64_t)modified;
		return true;
	}
	if (!read_fingerprint(&text, place->fingerprint) ||
		!read_number(&text, TRACK_HEAD_MAX, &length) || length == 0 ||
		!read_number(&text, INT64_MAX, &place->offset) ||
		!read_number(&text, UINT32_MAX, &shrunk) ||
		!read_number(&text, UINT32_MAX, &repeated) ||
		!read_number(&text, UINT64_MAX, &place->device) ||
		!read_number(&text, UINT64_MAX, &place->inode) ||
		!read_number(&text, INT64_MAX, &modified) || *text != '\0')
		return false;
	place->length = (uint32_t)length;
	place->shrunk = (uint32_t)shrunk;
	place->repeated = (uint32_t)repeated;
	place->modified = (int64_t)modified;
	return true;
}

bool track_place_is_enough(const char *head, size_t length)
{
	return length == TRACK_HEAD_MAX || memchr(head, '\n', length) != NULL;
}

bool track_place_identify(struct track_place *place, const char *head, size_t length)
{
	unsigned char digest[MG_SHA256_SIZE];

	if (!mg_sha256_of(head, length, digest))
		return false;
	memcpy(place->fingerprint, digest, sizeof place->fingerprint);
	place->length = (uint32_t)length;
	return true;
}

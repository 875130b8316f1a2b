/* SPDX-License-Identifier: ISC */
#include "auth/dkim_names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "mail/header.h"

/* A table with at least half of its slots empty: a look-up ends soon. */
enum { SLOTS = 2 * MG_DKIM_NAMES_MAX, EMPTY = UINT16_MAX };

struct mg_dkim_names {
	struct mg_dkim_name list[MG_DKIM_NAMES_MAX];
	size_t count, longest;
	uint16_t slots[SLOTS];
};

/* RFC 6376 section 5.4.1, all of MIME and List-* (RFC 8058), and what came later and is acted on:
 * Feedback-ID, CFBL (RFC 9477 demands it), Autocrypt, BIMI. From comes before them. */
static const char *const usual[] = {
	"Reply-To",
	"Subject",
	"Date",
	"To",
	"Cc",
	"Sender",
	"Message-ID",
	"In-Reply-To",
	"References",
	"Resent-Date",
	"Resent-From",
	"Resent-Sender",
	"Resent-To",
	"Resent-Cc",
	"Resent-Message-ID",
	"MIME-Version",
	"Content-Type",
	"Content-Transfer-Encoding",
	"Content-ID",
	"Content-Description",
	"Content-Disposition",
	"Content-Language",
	"Content-Location",
	"List-Id",
	"List-Help",
	"List-Unsubscribe",
	"List-Unsubscribe-Post",
	"List-Subscribe",
	"List-Post",
	"List-Owner",
	"List-Archive",
	"Feedback-ID",
	"CFBL-Address",
	"CFBL-Feedback-ID",
	"Autocrypt",
	"BIMI-Selector",
};

/* What cannot be signed, and why. */
static const struct {
	const char *name, *why;
} never[] = {
	{"DKIM-Signature", "it is the signature"},
	{"Received", "each hop adds one"},
	{"Return-Path", "the last hop writes it"},
	{"Authentication-Results", "receivers remove it"},
	{"Bcc", "it is removed before mail is sent"},
	{"Resent-Bcc", "it is removed before mail is sent"},
	{"X-Millgate-Hold", "it is removed before mail is sent"},
};

static size_t slot_of(const char *name, size_t length)
{
	uint32_t hash = (uint32_t)length;

	for (size_t i = 0; i < length; i++)
		hash = hash * 31 + ((unsigned char)name[i] | 0x20);
	return (hash ^ hash >> 15) % SLOTS;
}

/* The slot that has the name, or the empty one where it would be. */
static size_t find_slot(const struct mg_dkim_names *names, const char *name, size_t length)
{
	size_t slot = slot_of(name, length);

	while (names->slots[slot] != EMPTY) {
		const struct mg_dkim_name *there = &names->list[names->slots[slot]];

		if (there->length == length && strncasecmp(there->text, name, length) == 0)
			break;
		slot = (slot + 1) % SLOTS;
	}
	return slot;
}

static bool check_name(const char *text, struct mg_error *error)
{
	char shown[128];

	if (!mg_header_name_valid(text, strlen(text)) || strchr(text, ';') != NULL) {
		mg_error_set(error, "\"%s\" is no name of a header field",
			mg_str_printable(shown, sizeof(shown), text, strlen(text)));
		return false;
	}
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (mg_str_equal_nocase(never[i].name, text)) {
			mg_error_set(error, "%s cannot be signed: %s", never[i].name, never[i].why);
			return false;
		}
	return true;
}

static bool add_name(
	struct mg_dkim_names *names, const char *text, bool oversigned, struct mg_error *error)
{
	size_t length = strlen(text), slot;
	char *copy;

	if (!check_name(text, error))
		return false;
	slot = find_slot(names, text, length);
	if (names->slots[slot] != EMPTY) {
		names->list[names->slots[slot]].oversigned |= oversigned;
		return true;
	}
	if (names->count == MG_DKIM_NAMES_MAX) {
		mg_error_set(error, "over %d names of header fields", MG_DKIM_NAMES_MAX);
		return false;
	}
	copy = strdup(text);
	if (copy == NULL) {
		mg_error_set(error, "no memory for the names of header fields");
		return false;
	}
	names->list[names->count] = (struct mg_dkim_name){copy, length, names->count, oversigned};
	names->slots[slot] = (uint16_t)names->count++;
	if (length > names->longest)
		names->longest = length;
	return true;
}

static bool add_names(struct mg_dkim_names *names, const char *const list[], size_t count,
	bool oversigned, struct mg_error *error)
{
	for (size_t i = 0; i < count; i++)
		if (!add_name(names, list[i], oversigned, error))
			return false;
	return true;
}

struct mg_dkim_names *mg_dkim_names_new(const char *const headers[], size_t header_count,
	const char *const oversign[], size_t oversign_count, struct mg_error *error)
{
	struct mg_dkim_names *names = calloc(1, sizeof(*names));

	if (names == NULL) {
		mg_error_set(error, "no memory for the names of header fields");
		return NULL;
	}
	for (size_t i = 0; i < SLOTS; i++)
		names->slots[i] = EMPTY;
	if (header_count == 0) {
		headers = usual;
		header_count = sizeof(usual) / sizeof(usual[0]);
	}
	if (!add_name(names, "From", true, error) ||
		!add_names(names, headers, header_count, false, error) ||
		!add_names(names, oversign, oversign_count, true, error)) {
		mg_dkim_names_free(names);
		return NULL;
	}
	return names;
}

void mg_dkim_names_free(struct mg_dkim_names *names)
{
	if (names == NULL)
		return;
	for (size_t i = 0; i < names->count; i++)
		free((char *)names->list[i].text);
	free(names);
}

const struct mg_dkim_name *mg_dkim_names_find(
	const struct mg_dkim_names *names, const char *name, size_t length)
{
	size_t slot;

	while (length > 0 && (name[length - 1] == ' ' || name[length - 1] == '\t'))
		length--;
	if (length > names->longest)
		return NULL;
	slot = find_slot(names, name, length);
	return names->slots[slot] != EMPTY ? &names->list[names->slots[slot]] : NULL;
}

bool mg_dkim_names_has(const struct mg_dkim_names *names, const char *name, size_t length)
{
	return mg_dkim_names_find(names, name, length) != NULL;
}

const struct mg_dkim_name *mg_dkim_names_at(const struct mg_dkim_names *names, size_t number)
{
	return number < names->count ? &names->list[number] : NULL;
}

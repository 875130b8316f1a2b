/* SPDX-License-Identifier: ISC */
#include "auth/dkim_signature.h"

#include <string.h>
#include <strings.h>

#include "auth/dkim_tags.h"
#include "base/buf.h"
#include "base/str.h"
#include "mail/address.h"

enum {
	AHEAD = 300, /* seconds that clocks may differ */
	NAME_MAX_BYTES = 253,
	LABEL_MAX_BYTES = 63,
	DIGITS_MAX = 12, /* of t= and x= (section 3.5) */
	LENGTH_DIGITS_MAX = 18, /* of l=: no body is longer */
	BODY_HASH_TEXT = 44, /* SHA-256 in base64 */
	WHY = 160
};

/* One reading: the tags without their white space are asked for by name. */
struct reading {
	struct mg_dkim_tags tags;
	struct mg_buf value; /* of the tag that was asked for last */
	struct mg_dkim_signature *signature;
	char *why;
	int64_t now, signed_at; /* signed_at: -1 unknown */
};

/* The first refusal is told. */
static bool refuse(struct reading *reading, const char *why)
{
	if (reading->why[0] == '\0')
		mg_str_copy(reading->why, WHY, why);
	return false;
}

/* The value of a tag without white space; NULL: not there, or no memory. */
static const char *value_of(struct reading *reading, const char *name)
{
	const struct mg_dkim_tag *tag = mg_dkim_tag_find(&reading->tags, name);

	if (tag == NULL)
		return NULL;
	mg_buf_reset(&reading->value);
	mg_dkim_tag_compact(tag, &reading->value);
	return reading->value.failed ? NULL : mg_buf_text(&reading->value);
}

static bool is_name_character(char character)
{
	char folded = (char)(character | 0x20);

	return (folded >= 'a' && folded <= 'z') || (character >= '0' && character <= '9') ||
	       character == '-' || character == '_';
}

/* Labels of letters, digits, "-", and "_", which selectors in use have. */
static bool is_name(const char *text)
{
	size_t label = 0, length = strlen(text);

	for (const char *at = text; *at != '\0'; at++) {
		bool dot = *at == '.';

		if (dot ? label == 0 : !is_name_character(*at))
			return false;
		label = dot ? 0 : label + 1;
		if (label > LABEL_MAX_BYTES)
			return false;
	}
	return label > 0 && length <= NAME_MAX_BYTES;
}

/* A name in UTF-8 (RFC 8616) is taken as A-labels. */
static bool take_name(const char *text, char name[256])
{
	struct mg_buf normal = {0};
	bool good = is_name(text);

	if (good)
		mg_str_copy(name, 256, text);
	else
		good = mg_domain_normalize(text, strlen(text), &normal) &&
		       mg_str_copy(name, 256, mg_buf_text(&normal));
	mg_buf_free(&normal);
	mg_str_lower(name);
	return good;
}

static bool read_version(struct reading *reading)
{
	const char *value = value_of(reading, "v");

	if (value == NULL)
		return refuse(reading, "no v=");
	return strcmp(value, "1") == 0 || refuse(reading, "v= is not 1");
}

static bool read_domain(struct reading *reading)
{
	const char *value = value_of(reading, "d");

	if (value == NULL)
		return refuse(reading, "no d=");
	return take_name(value, reading->signature->domain) || refuse(reading, "d= is no domain");
}

static bool read_selector(struct reading *reading)
{
	const char *value = value_of(reading, "s");

	if (value == NULL)
		return refuse(reading, "no s=");
	return take_name(value, reading->signature->selector) ||
	       refuse(reading, "s= is no selector");
}

static bool read_algorithm(struct reading *reading)
{
	struct mg_dkim_signature *signature = reading->signature;
	const char *value = value_of(reading, "a");

	if (value == NULL)
		return refuse(reading, "no a=");
	mg_str_printable(
		signature->algorithm_name, sizeof(signature->algorithm_name), value, strlen(value));
	mg_str_lower(signature->algorithm_name);
	for (int i = 0; i < MG_DKIM_ALGORITHM_COUNT; i++) {
		signature->algorithm = (enum mg_dkim_algorithm)i;
		if (strcmp(signature->algorithm_name,
			    mg_dkim_algorithm_name(signature->algorithm)) == 0)
			return true;
	}
	/* RFC 8301 section 3.1. */
	if (strcmp(signature->algorithm_name, "rsa-sha1") == 0)
		return refuse(reading, "rsa-sha1 is not good enough any more (RFC 8301)");
	return refuse(reading, "unknown algorithm");
}

static bool read_forms(struct reading *reading)
{
	static const char *const words[] = {"simple", "relaxed"};
	const char *value = value_of(reading, "c");
	const char *body = value != NULL ? strchr(value, '/') : NULL;
	size_t header_length = value == NULL ? 0 : strcspn(value, "/");
	int header = value == NULL ? 0 : -1, rest = body == NULL ? 0 : -1;

	for (int i = 0; i < 2; i++) {
		if (value != NULL && header_length == strlen(words[i]) &&
			strncasecmp(value, words[i], header_length) == 0)
			header = i;
		if (body != NULL && mg_str_equal_nocase(body + 1, words[i]))
			rest = i;
	}
	if (header < 0 || rest < 0)
		return refuse(reading, "c= names no canonical form");
	reading->signature->body_form = rest == 0 ? MG_DKIM_SIMPLE : MG_DKIM_RELAXED;
	return mg_str_format(reading->signature->forms, sizeof(reading->signature->forms), "%s/%s",
		words[header], words[rest]);
}

/* h= has to have From, RFC 6376 section 6.1.1. */
static bool read_names(struct reading *reading)
{
	const char *at = value_of(reading, "h");
	size_t count = 0;
	bool from = false;

	if (at == NULL)
		return refuse(reading, "no h=");
	for (;; at++) {
		size_t length = strcspn(at, ":");

		if (length == 0)
			return refuse(reading, "h= has an empty name");
		from = from || (length == strlen("From") && strncasecmp(at, "From", length) == 0);
		if (++count > MG_DKIM_SIGNED_NAMES_MAX)
			return refuse(reading, "h= has too many names");
		at += length;
		if (*at == '\0')
			break;
	}
	return from || refuse(reading, "h= has no From");
}

/* i= is of d= or of a domain below it. */
static bool read_identity(struct reading *reading)
{
	const char *domain = reading->signature->domain;
	const char *value = value_of(reading, "i");
	const char *at = value != NULL ? strrchr(value, '@') : NULL;
	char identity[256] = "";
	size_t below, length;

	if (value == NULL)
		return true;
	if (at == NULL || !take_name(at + 1, identity))
		return refuse(reading, "i= is no identity");
	length = strlen(identity);
	below = strlen(domain);
	if (length < below || strcmp(identity + length - below, domain) != 0 ||
		(length > below && identity[length - below - 1] != '.'))
		return refuse(reading, "i= is of another domain than d=");
	reading->signature->identity_below = length > below;
	return true;
}

static bool read_query(struct reading *reading)
{
	const char *at = value_of(reading, "q");

	if (at == NULL)
		return true;
	for (;; at++) {
		size_t length = strcspn(at, ":");

		if (length == strlen("dns/txt") && strncasecmp(at, "dns/txt", length) == 0)
			return true;
		at += length;
		if (*at == '\0')
			return refuse(reading, "q= names no way to the key that is known");
	}
}

/* A number of at most `most` digits; false with a refusal. */
static bool read_digits(
	struct reading *reading, const char *value, size_t most, const char *why, int64_t *number)
{
	uint64_t read;

	if (strlen(value) > most || !mg_str_number(value, INT64_MAX, &read))
		return refuse(reading, why);
	*number = (int64_t)read;
	return true;
}

static bool read_length(struct reading *reading)
{
	const char *value = value_of(reading, "l");
	int64_t number;

	reading->signature->has_length = value != NULL;
	return value == NULL ||
	       read_digits(reading, value, LENGTH_DIGITS_MAX, "l= is no length", &number);
}

static bool read_time(struct reading *reading)
{
	const char *value = value_of(reading, "t");

	reading->signed_at = -1;
	if (value == NULL)
		return true;
	if (!read_digits(reading, value, DIGITS_MAX, "t= is no time", &reading->signed_at))
		return false;
	if (reading->signed_at < MG_DKIM_TIME_LEAST)
		return refuse(reading, "t= is before there was DKIM");
	return reading->signed_at <= reading->now + AHEAD ||
	       refuse(reading, "signed in the future (t=)");
}

static bool read_expiry(struct reading *reading)
{
	const char *value = value_of(reading, "x");
	int64_t expires;

	if (value == NULL)
		return true;
	if (!read_digits(reading, value, DIGITS_MAX, "x= is no time", &expires))
		return false;
	if (expires < reading->signed_at)
		return refuse(reading, "x= is before t=");
	return expires >= reading->now || refuse(reading, "expired (x=)");
}

static bool is_base64(const char *text)
{
	size_t length =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	size_t padding = strspn(text + length, "=");

	return length > 0 && padding <= 2 && text[length + padding] == '\0';
}

static bool read_hashes(struct reading *reading)
{
	const char *value = value_of(reading, "bh");

	if (value == NULL || value[0] == '\0')
		return refuse(reading, "no bh=");
	if (!is_base64(value) || strlen(value) != BODY_HASH_TEXT)
		return refuse(reading, "bh= is no SHA-256 in base64");
	mg_str_copy(reading->signature->body_hash, sizeof(reading->signature->body_hash), value);
	value = value_of(reading, "b");
	if (value == NULL || value[0] == '\0')
		return refuse(reading, "no b=");
	return is_base64(value) || refuse(reading, "b= is no base64");
}

bool mg_dkim_signature_read(const char *value, size_t length, int64_t now,
	struct mg_dkim_signature *signature, char why[160])
{
	/* Names first: they are told even if the rest is refused. */
	static bool (*const steps[])(struct reading *) = {read_domain, read_selector,
		read_algorithm, read_forms, read_version, read_names, read_identity, read_query,
		read_length, read_time, read_expiry, read_hashes};
	struct reading reading = {.signature = signature, .why = why, .now = now};
	bool good = true;

	*signature = (struct mg_dkim_signature){.domain = ""};
	why[0] = '\0';
	if (length > MG_DKIM_SIGNATURE_VALUE_MAX)
		return refuse(&reading, "longer than 16 KiB");
	if (!mg_dkim_tags_read(value, length, &reading.tags))
		return refuse(&reading, "not a list of tags");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		good = steps[i](&reading) && good;
	if (reading.value.failed)
		good = refuse(&reading, "out of memory");
	mg_buf_free(&reading.value);
	return good;
}

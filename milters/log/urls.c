/* SPDX-License-Identifier: ISC */
#include "log/urls.h"

#include <string.h>

#include "log/references.h"

/* Bytes that matter outside of a URL; the others are only remembered. */
static const bool special[256] = {['\0'] = true,
	['\t'] = true,
	['\n'] = true,
	['\r'] = true,
	['&'] = true,
	['.'] = true,
	['/'] = true,
	[':'] = true,
	['\\'] = true};

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

static void remember(struct log_urls *urls, char byte)
{
	urls->recent = urls->recent << 8 | (unsigned char)byte;
	urls->gaps = urls->gaps << 1 | urls->gap;
	urls->gap = false;
}

/* The last byte but `back`. */
static char recent(const struct log_urls *urls, unsigned back)
{
	return (char)(urls->recent >> (8 * back) & 0xff);
}

static bool is_quote(char byte)
{
	return byte == '"' || byte == '\'';
}

static bool is_gap(char byte)
{
	return byte == '\n' || byte == '\r' || byte == '\t';
}

static bool is_slash(const struct log_urls *urls, char byte)
{
	return byte == '/' || (urls->html && byte == '\\');
}

/* Whether what was fed last is the text. */
static bool ends_in(const struct log_urls *urls, const char *text)
{
	unsigned length = (unsigned)strlen(text);

	for (unsigned i = 0; i < length; i++)
		if (lower(recent(urls, length - 1 - i)) != text[i])
			return false;
	return true;
}

/* Bytes of "http:" and its like, when they were fed last; 0 when not. */
static unsigned scheme_length(const struct log_urls *urls)
{
	static const char *const schemes[] = {"http:", "https:", "ftp:"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (ends_in(urls, schemes[i]))
			return (unsigned)strlen(schemes[i]);
	return 0;
}

/* Slashes follow, `have` of them are there; the URL began `length` bytes ago. */
static void begin_slashes(struct log_urls *urls, unsigned length, unsigned have)
{
	char before = recent(urls, length);

	urls->state = LOG_URLS_SLASHES;
	urls->slashes = have;
	urls->quote = urls->html && is_quote(before) ? before : '\0';
}

static void begin_authority(struct log_urls *urls, bool web)
{
	urls->state = LOG_URLS_AUTHORITY;
	urls->web = web;
	urls->length = 0;
}

/* --- bytes, character references resolved --- */

/* "www." at the begin of a word. */
static bool is_web(const struct log_urls *urls)
{
	char before = lower(recent(urls, 4));

	if (!ends_in(urls, "www."))
		return false;
	return (urls->gaps >> 3 & 1) != 0 ||
	       !((before >= 'a' && before <= 'z') || (before >= '0' && before <= '9') ||
		       before == '.' || before == '-');
}

/* "//" at the begin of an attribute, or of an argument. */
static bool is_relative(const struct log_urls *urls)
{
	char before = recent(urls, 2);

	return urls->html && is_slash(urls, recent(urls, 0)) && is_slash(urls, recent(urls, 1)) &&
	       (is_quote(before) || before == '=' || before == '(');
}

static void seek(struct log_urls *urls, char byte)
{
	unsigned length = byte == ':' ? scheme_length(urls) : 0;

	if (length > 0) {
		begin_slashes(urls, length, 0);
	} else if (byte == '.' && is_web(urls)) {
		begin_authority(urls, true);
		memcpy(urls->authority, "www.", 4);
		urls->length = 4;
		urls->quote = '\0';
	} else if (is_relative(urls)) {
		begin_slashes(urls, 2, 2);
	}
}

/* Does the byte end what stands between the slashes of a URL? */
static bool is_end(const struct log_urls *urls, char byte)
{
	if ((unsigned char)byte <= ' ' || byte == 0x7f || is_slash(urls, byte))
		return true;
	if (byte == '\'')
		return !urls->html || urls->quote == '\'';
	return strchr("?#\"<>`\\", byte) != NULL;
}

static void end_authority(struct log_urls *urls)
{
	urls->state = LOG_URLS_SEEK;
	log_hosts_add(&urls->hosts, urls->authority, urls->length, urls->web ? 3 : 1);
}

static void add_to_authority(struct log_urls *urls, char byte)
{
	unsigned scheme;

	if (byte == '@' && urls->web) {
		urls->state = LOG_URLS_SEEK; /* a mail address */
	} else if (byte == '@') {
		begin_authority(urls, false); /* it was a user name, and a password */
	} else if (!is_end(urls, byte)) {
		if (urls->length < LOG_AUTHORITY_MAX)
			urls->authority[urls->length++] = byte;
	} else {
		bool slash = is_slash(urls, byte);
		uint64_t kept = urls->recent;

		/* "http://a,http://b": the byte itself is not of the scheme. */
		urls->recent >>= 8;
		scheme = slash ? scheme_length(urls) : 0;
		urls->recent = kept;
		urls->length -= scheme < urls->length ? scheme : urls->length;
		end_authority(urls);
		if (scheme > 0)
			begin_slashes(urls, scheme + 1, 1);
		else
			seek(urls, byte);
	}
}

static void take_byte(struct log_urls *urls, char byte)
{
	if (is_gap(byte) && urls->html && (urls->state == LOG_URLS_SEEK || urls->quote != '\0')) {
		urls->gap = true;
		return;
	}
	remember(urls, byte);
	switch (urls->state) {
	case LOG_URLS_SEEK: seek(urls, byte); break;
	case LOG_URLS_SLASHES:
		if (is_slash(urls, byte)) {
			urls->slashes++;
		} else if (urls->slashes >= (urls->html ? 1 : 2)) {
			begin_authority(urls, false);
			add_to_authority(urls, byte);
		} else {
			urls->state = LOG_URLS_SEEK;
			seek(urls, byte);
		}
		break;
	case LOG_URLS_AUTHORITY: add_to_authority(urls, byte); break;
	}
}

/* --- character references --- */

/* The reference has ended: takes what it means, or what it is made of. false: it is none. */
static bool end_reference(struct log_urls *urls)
{
	char character[LOG_CHARACTER_MAX];
	size_t length = log_reference(urls->reference, urls->reference_length, character);

	urls->referring = false;
	if (length == 0) {
		take_byte(urls, '&');
		for (size_t i = 0; i < urls->reference_length; i++)
			take_byte(urls, urls->reference[i]);
	}
	for (size_t i = 0; i < length; i++)
		take_byte(urls, character[i]);
	return length > 0;
}

/* Whether the byte may stand at this place of a reference: "amp", "#38", "#x26". */
static bool is_of_reference(const struct log_urls *urls, char byte)
{
	size_t at = urls->reference_length;
	char letter = lower(byte);
	bool digit = byte >= '0' && byte <= '9';
	bool hex = at > 1 && lower(urls->reference[1]) == 'x';

	if (at == 0)
		return byte == '#' || (letter >= 'a' && letter <= 'z');
	if (urls->reference[0] != '#')
		return digit || (letter >= 'a' && letter <= 'z');
	return digit || (at == 1 && letter == 'x') || (hex && letter >= 'a' && letter <= 'f');
}

/* Whether the byte is one more of the reference. */
static bool add_to_reference(struct log_urls *urls, char byte)
{
	if (urls->reference_length == LOG_REFERENCE_MAX || !is_of_reference(urls, byte))
		return false;
	urls->reference[urls->reference_length++] = byte;
	return true;
}

static void take(struct log_urls *urls, char byte)
{
	if (byte == '\0')
		return;
	if (urls->referring) {
		if (add_to_reference(urls, byte))
			return;
		if (end_reference(urls) && byte == ';')
			return;
	}
	if (urls->html && byte == '&') {
		urls->referring = true;
		urls->reference_length = 0;
		return;
	}
	take_byte(urls, byte);
}

/* --- text --- */

void log_urls_begin(struct log_urls *urls, bool html)
{
	urls->html = html;
	urls->state = LOG_URLS_SEEK;
	urls->recent = 0;
	urls->gaps = 0;
	urls->gap = urls->referring = false;
	urls->quote = '\0';
}

/* Whether a byte of those may begin something, by the one before it. */
static bool matters(const struct log_urls *urls, char byte, char before)
{
	switch (byte) {
	case ':': return lower(before) == 'p' || lower(before) == 's';
	case '.': return lower(before) == 'w';
	case '/':
	case '\\': return urls->html && is_slash(urls, before);
	case '\0': return true;
	default: return urls->html;
	}
}

/* Passes over bytes that do not matter here; the last of them are remembered. */
static const unsigned char *skip(
	struct log_urls *urls, const unsigned char *at, const unsigned char *end)
{
	const unsigned char *from = at;

	for (; at < end; at++)
		if (special[*at] &&
			matters(urls, (char)*at, (char)(at > from ? at[-1] : urls->recent)))
			break;
	if ((size_t)(at - from) >= sizeof(urls->recent)) {
		urls->gap = false;
		from = at - sizeof(urls->recent);
	}
	while (from < at)
		remember(urls, (char)*from++);
	return at;
}

void log_urls_add(struct log_urls *urls, const unsigned char *bytes, size_t length)
{
	const unsigned char *at = bytes, *end = bytes + length;

	while (at < end && !urls->hosts.full) {
		if (urls->state == LOG_URLS_SEEK && !urls->referring)
			at = skip(urls, at, end);
		if (at < end)
			take(urls, (char)*at++);
	}
}

void log_urls_end(struct log_urls *urls)
{
	if (urls->referring)
		(void)end_reference(urls);
	if (urls->state == LOG_URLS_AUTHORITY)
		end_authority(urls);
	urls->state = LOG_URLS_SEEK;
}

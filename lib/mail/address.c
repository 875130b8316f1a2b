/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <idn2.h>
#include <stdint.h>
#include <string.h>

#include "base/net.h"
#include "base/str.h"

enum {
	ADDRESS_MAX = 1024,
	DOMAIN_MAX = 253, /* RFC 1035 section 2.3.4, less the root */
	LABEL_MAX = 63
};

static bool is_letter_or_digit(unsigned char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z');
}

/* RFC 5322 section 3.2.3. */
static bool is_atext(unsigned char byte)
{
	return is_letter_or_digit(byte) ||
	       (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", byte) != NULL);
}

/* RFC 5321 section 2.3.5, RFC 1035 section 2.3.4: letters, digits, hyphens between them. */
static bool is_ldh_domain(const char *domain, size_t length)
{
	size_t label = 0;

	if (length == 0 || length > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)domain[i];

		if (byte == '.') {
			if (label == 0 || domain[i - 1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_letter_or_digit(byte) && (byte != '-' || label == 0))
			return false;
		if (++label > LABEL_MAX)
			return false;
	}
	return label > 0 && domain[length - 1] != '-';
}

static bool is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

/* U-labels to A-labels (IDNA 2008 with the mapping of UTS 46); false when they are none. domain is
 * no longer than ADDRESS_MAX. */
static bool to_alabels(const char *domain, size_t length, struct mg_buf *out)
{
	uint8_t text[ADDRESS_MAX + 1];
	uint8_t *alabels = NULL;
	bool done = false;

	if (memchr(domain, '\0', length) != NULL)
		return false;
	memcpy(text, domain, length);
	text[length] = '\0';
	if (idn2_lookup_u8(text, &alabels, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
		is_ldh_domain((const char *)alabels, strlen((const char *)alabels))) {
		mg_str_lower((char *)alabels);
		mg_buf_add_text(out, (const char *)alabels);
		done = true;
	}
	idn2_free(alabels);
	return done;
}

bool mg_domain_normalize(const char *domain, size_t length, struct mg_buf *out)
{
	size_t start = out->length;

	if (length > 0 && domain[length - 1] == '.')
		length--;
	if (length > ADDRESS_MAX)
		return false;
	if (!is_ascii(domain, length))
		return to_alabels(domain, length, out);
	if (!is_ldh_domain(domain, length))
		return false;
	mg_buf_add(out, domain, length);
	if (out->length > start)
		mg_str_lower_n(out->data + start, out->length - start);
	return true;
}

bool mg_domain_glob_normalize(const char *text, struct mg_buf *out)
{
	if (strchr(text, '*') == NULL)
		return mg_domain_normalize(text, strlen(text), out);
	while (*text != '\0') {
		size_t length = strcspn(text, ".");

		if (length == 1 && text[0] == '*')
			mg_buf_add_char(out, '*');
		else if (!mg_domain_normalize(text, length, out))
			return false;
		text += length;
		if (*text == '.') {
			mg_buf_add_char(out, '.');
			text++;
			if (*text == '\0')
				return false;
		}
	}
	return true;
}

/* Length of the character at text if it may stand in an atom (RFC 6531 section 3.3), else 0. */
static size_t atom_character(const char *text, size_t length)
{
	if ((unsigned char)text[0] >= 0x80)
		return mg_str_utf8_length(text, length);
	return is_atext((unsigned char)text[0]) ? 1 : 0;
}

/* Length of the Dot-string at the start of text, 0 for none. */
static size_t dot_string(const char *text, size_t length)
{
	size_t used = 0;
	bool dot = true; /* a dot must not come now */

	while (used < length) {
		size_t step = text[used] == '.' ? !dot : atom_character(text + used, length - used);

		if (step == 0)
			break;
		dot = text[used] == '.';
		used += step;
	}
	return dot ? 0 : used;
}

/* Reads the Quoted-string at the start of text (RFC 5321 section 4.1.2), adds what it quotes to
 * content; its length with quotes, 0 when it is none. */
static size_t quoted_string(const char *text, size_t length, struct mg_buf *content)
{
	size_t used = 1;

	if (length < 2 || text[0] != '"')
		return 0;
	while (used < length && text[used] != '"') {
		size_t step;

		if (text[used] == '\\') {
			used++;
			if (used == length || (unsigned char)text[used] >= 0x80)
				return 0;
		}
		step = mg_str_utf8_length(text + used, length - used);
		if (step == 0 || (unsigned char)text[used] < ' ' || text[used] == 0x7f)
			return 0;
		mg_buf_add(content, text + used, step);
		used += step;
	}
	return used < length ? used + 1 : 0;
}

static void add_local_part(struct mg_buf *out, const char *content, size_t length)
{
	size_t start = out->length;

	if (length > 0 && dot_string(content, length) == length) {
		mg_buf_add(out, content, length);
	} else {
		mg_buf_add_char(out, '"');
		for (size_t i = 0; i < length; i++) {
			if (content[i] == '"' || content[i] == '\\')
				mg_buf_add_char(out, '\\');
			mg_buf_add_char(out, content[i]);
		}
		mg_buf_add_char(out, '"');
	}
	if (out->length > start)
		mg_str_lower_n(out->data + start, out->length - start);
}

/* Adds the local part at the start of text in normal form; its length in text, 0 for none. */
static size_t normalize_local_part(const char *text, size_t length, struct mg_buf *out)
{
	struct mg_buf content = {.limit = ADDRESS_MAX};
	size_t used = dot_string(text, length);

	if (used > 0) {
		add_local_part(out, text, used);
		return used;
	}
	used = quoted_string(text, length, &content);
	if (used > 0)
		add_local_part(out, mg_buf_text(&content), content.length);
	out->failed |= content.failed;
	mg_buf_free(&content);
	return used;
}

/* Address-literal of RFC 5321 section 4.1.3; of the tagged ones only IPv6 is registered. */
static bool normalize_literal(const char *text, size_t length, struct mg_buf *out)
{
	struct sockaddr_storage address;
	char inner[64], host[64];
	bool tagged;

	if (length < 3 || length - 2 >= sizeof(inner) || text[0] != '[' || text[length - 1] != ']')
		return false;
	memcpy(inner, text + 1, length - 2);
	inner[length - 2] = '\0';
	tagged = mg_str_starts_nocase(inner, "IPv6:");
	if (strlen(inner) != length - 2 || !mg_net_parse(inner, 0, &address))
		return false;
	if (!tagged && strchr(inner, ':') != NULL)
		return false;
	mg_net_format(&address, host, sizeof(host));
	mg_buf_add_format(out, strchr(host, ':') != NULL ? "[IPv6:%s]" : "[%s]", host);
	return true;
}

/* Adds the normal form; domain_needed: a bare local part is none. */
static bool normalize(const char *address, size_t length, bool domain_needed, struct mg_buf *out)
{
	size_t used;

	if (length == 0 || length > ADDRESS_MAX)
		return false;
	used = normalize_local_part(address, length, out);
	if (used == 0)
		return false;
	if (used == length)
		return !domain_needed;
	if (address[used++] != '@' || used == length || address[length - 1] == '.')
		return false;
	mg_buf_add_char(out, '@');
	if (address[used] == '[')
		return normalize_literal(address + used, length - used, out);
	return mg_domain_normalize(address + used, length - used, out);
}

bool mg_address_normalize(const char *address, size_t length, struct mg_buf *out)
{
	struct mg_buf normal = {.limit = 0};
	bool is_address = normalize(address, length, false, &normal) && !normal.failed;

	if (is_address)
		mg_buf_add(out, normal.data, normal.length);
	mg_buf_free(&normal);
	return is_address;
}

bool mg_address_valid(const char *address, size_t length)
{
	struct mg_buf normal = {.limit = 0};
	bool valid = normalize(address, length, true, &normal) && !normal.failed;

	mg_buf_free(&normal);
	return valid;
}

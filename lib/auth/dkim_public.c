/* SPDX-License-Identifier: ISC */
#include "auth/dkim_public.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/dkim_tags.h"
#include "base/base64.h"
#include "base/str.h"

enum { WHY = 160, SEQUENCE = 0x30, INTEGER = 0x02, BIT_STRING = 0x03 };

static bool refuse(char why[WHY], const char *text)
{
	mg_str_copy(why, WHY, text);
	return false;
}

/* The value of a tag without white space, in `value`; NULL: not there. */
static const char *value_of(const struct mg_dkim_tags *tags, const char *name, struct mg_buf *value)
{
	const struct mg_dkim_tag *tag = mg_dkim_tag_find(tags, name);

	if (tag == NULL)
		return NULL;
	mg_buf_reset(value);
	mg_dkim_tag_compact(tag, value);
	return mg_buf_text(value);
}

/* Is one of the words of "a:b:c" this one? */
static bool has_word(const char *words, const char *word)
{
	size_t wanted = strlen(word);

	for (const char *at = words;; at++) {
		size_t length = strcspn(at, ":");

		if (length == wanted && strncasecmp(at, word, length) == 0)
			return true;
		at += length;
		if (*at == '\0')
			return false;
	}
}

/* --- base64 (RFC 4648), as far as it is needed to look at a key --- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool decode(const char *text, struct mg_buf *out)
{
	unsigned long bits = 0;
	unsigned count = 0;

	for (; *text != '\0' && *text != '='; text++) {
		const char *found = strchr(alphabet, *text);

		if (found == NULL)
			return false;
		bits = (bits << 6 | (unsigned long)(found - alphabet)) & 0xffffff;
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		mg_buf_add_char(out, (char)(bits >> count & 0xff));
	}
	return text[strspn(text, "=")] == '\0' && !out->failed;
}

static void encode(const struct mg_buf *bytes, struct mg_buf *out)
{
	size_t length = MG_BASE64_LENGTH(bytes->length);
	char *text = malloc(length + 1);

	if (text == NULL) {
		out->failed = true;
		return;
	}
	mg_base64_encode(text, (const unsigned char *)bytes->data, bytes->length);
	mg_buf_add(out, text, length);
	free(text);
}

/* --- the two forms of an RSA key (RFC 8017 appendix A.1.1, RFC 5280 section 4.1) --- */

/* Bytes of type and length; lengths are below 64 KiB. */
static size_t head_size(size_t length)
{
	return length > 0xff ? 4 : length > 0x7f ? 3 : 2;
}

static void add_head(struct mg_buf *out, unsigned char type, size_t length)
{
	size_t more = head_size(length) - 2;

	mg_buf_add_char(out, (char)type);
	if (more > 0)
		mg_buf_add_char(out, (char)(0x80 + more));
	if (more > 1)
		mg_buf_add_char(out, (char)(length >> 8));
	mg_buf_add_char(out, (char)length);
}

/* Is it RSAPublicKey, a sequence that begins with an integer? */
static bool is_bare_rsa(const struct mg_buf *der)
{
	const unsigned char *byte = (const unsigned char *)der->data;
	size_t head;

	if (der->length < 8 || der->length > 0xff00 || byte[0] != SEQUENCE)
		return false;
	head = byte[1] < 0x80 ? 2 : 2 + (byte[1] & 3U);
	return byte[head] == INTEGER;
}

/* SubjectPublicKeyInfo of an RSAPublicKey. */
static void add_algorithm(const struct mg_buf *der, struct mg_buf *out)
{
	/* SEQUENCE { OBJECT IDENTIFIER rsaEncryption, NULL } */
	static const unsigned char algorithm[] = {
		0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0};
	size_t bits = der->length + 1;

	add_head(out, SEQUENCE, sizeof(algorithm) + head_size(bits) + bits);
	mg_buf_add(out, algorithm, sizeof(algorithm));
	add_head(out, BIT_STRING, bits);
	mg_buf_add_char(out, 0);
	mg_buf_add(out, der->data, der->length);
}

/* Adds p= as libopendkim takes it. */
static bool add_key(const char *text, bool rsa, struct mg_buf *record)
{
	struct mg_buf der = {0}, whole = {0};
	bool good = decode(text, &der) && der.length > 0;

	if (good && rsa && is_bare_rsa(&der))
		add_algorithm(&der, &whole);
	if (good && whole.length > 0)
		encode(&whole, record);
	else if (good)
		encode(&der, record);
	good = good && !whole.failed;
	mg_buf_free(&der);
	mg_buf_free(&whole);
	return good;
}

/* What the tags besides p= say. */
static bool check(const struct mg_dkim_tags *tags, const struct mg_dkim_signature *signature,
	struct mg_buf *value, char why[WHY])
{
	const char *type = mg_dkim_key_type_name(signature->algorithm);
	const char *text = value_of(tags, "v", value);

	if (text != NULL && strcmp(text, "DKIM1") != 0)
		return refuse(why, "the key record is of another version");
	text = value_of(tags, "k", value);
	if (!mg_str_equal_nocase(text != NULL ? text : "rsa", type))
		return refuse(why, "the key is of another type than the signature");
	text = value_of(tags, "h", value);
	if (text != NULL && !has_word(text, "sha256"))
		return refuse(why, "the key is not for SHA-256 (h=)");
	text = value_of(tags, "s", value);
	if (text != NULL && !has_word(text, "*") && !has_word(text, "email"))
		return refuse(why, "the key is not for mail (s=)");
	text = value_of(tags, "t", value);
	if (text != NULL && has_word(text, "s") && signature->identity_below)
		return refuse(why, "the key is not for subdomains (t=s)");
	return true;
}

bool mg_dkim_public_read(const char *text, size_t length, const struct mg_dkim_signature *signature,
	struct mg_buf *record, char why[160])
{
	bool rsa = signature->algorithm == MG_DKIM_RSA_SHA256, good = false;
	struct mg_buf value = {0};
	struct mg_dkim_tags tags;
	const char *key;

	why[0] = '\0';
	if (!mg_dkim_tags_read(text, length, &tags))
		return refuse(why, "the TXT record is no key record");
	key = value_of(&tags, "p", &value);
	if (key == NULL) {
		refuse(why, "the TXT record has no key (p=)");
	} else if (key[0] == '\0') {
		refuse(why, "the key is revoked");
	} else if (check(&tags, signature, &value, why)) {
		key = value_of(&tags, "p", &value);
		mg_buf_add_format(
			record, "v=DKIM1; k=%s; p=", mg_dkim_key_type_name(signature->algorithm));
		good = add_key(key, rsa, record) && !record->failed;
		if (!good)
			refuse(why, "the key is no base64");
	}
	if (value.failed)
		good = refuse(why, "out of memory");
	mg_buf_free(&value);
	return good;
}

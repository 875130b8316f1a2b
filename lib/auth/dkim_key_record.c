/* SPDX-License-Identifier: ISC */
/* The key record in DNS (RFC 6376 section 3.6.1, RFC 8463 section 4). Its text is a stranger's. */
#include <string.h>
#include <strings.h>

#include "auth/dkim_key.h"
#include "auth/dkim_key_private.h"
#include "auth/dkim_tags.h"
#include "base/buf.h"
#include "base/str.h"

enum { WHY_SIZE = 128, SHOWN_SIZE = 40, STRING_MAX = 255 /* of a TXT record */ };

/* A value of the record, fit to be shown. */
struct shown {
	char text[SHOWN_SIZE];
};

static const char *show(struct shown *shown, const struct mg_dkim_tag *tag)
{
	return mg_str_printable(shown->text, sizeof(shown->text), tag->value, tag->value_length);
}

static bool is_word(const char *text, size_t length, const char *word)
{
	return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

static size_t blanks(const char *text, size_t length)
{
	size_t count = 0;

	while (count < length && strchr(" \t\r\n", text[count]) != NULL && text[count] != '\0')
		count++;
	return count;
}

/* Has the list (colons, white space around them) one of the words? */
static bool list_has(const struct mg_dkim_tag *tag, const char *word, const char *other)
{
	const char *text = tag->value;
	size_t left = tag->value_length;

	for (;;) {
		const char *colon = memchr(text, ':', left);
		size_t size = colon != NULL ? (size_t)(colon - text) : left;
		size_t first = blanks(text, size), length = size - first;

		while (length > 0 && strchr(" \t\r\n", text[first + length - 1]) != NULL)
			length--;
		if (is_word(text + first, length, word) ||
			(other != NULL && is_word(text + first, length, other)))
			return true;
		if (colon == NULL)
			return false;
		text += size + 1;
		left -= size + 1;
	}
}

/* Marks of a zone file that got into the text; NULL none. */
static const char *stray_marks(const char *text, size_t length)
{
	if (memchr(text, '"', length) != NULL)
		return "quotes inside the text";
	if (memchr(text, '\\', length) != NULL)
		return "backslashes inside the text";
	return NULL;
}

/* Notes (n=) may hold any of them. */
static const char *stray_marks_of_tags(const struct mg_dkim_tags *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		const struct mg_dkim_tag *tag = &tags->list[i];
		const char *marks = stray_marks(tag->value, tag->value_length);

		if (marks != NULL && !is_word(tag->name, tag->name_length, "n"))
			return marks;
	}
	return NULL;
}

/* Is it a key record, by its form? */
static bool check_form(const char *text, size_t length, struct mg_dkim_tags *tags, char *why)
{
	const struct mg_dkim_tag *version;
	const char *marks;
	struct shown shown;

	if (!mg_dkim_tags_read(text, length, tags)) {
		marks = stray_marks(text, length);
		mg_str_copy(why, WHY_SIZE,
			marks != NULL ? marks : "not a list of tag=value; other text");
		return false;
	}
	marks = stray_marks_of_tags(tags);
	if (marks != NULL) {
		mg_str_copy(why, WHY_SIZE, marks);
		return false;
	}
	version = mg_dkim_tag_find(tags, "v");
	if (version != NULL &&
		(version->value_length != strlen("DKIM1") ||
			memcmp(version->value, "DKIM1", version->value_length) != 0)) {
		mg_str_format(why, WHY_SIZE, "v=%s; expected v=DKIM1", show(&shown, version));
		return false;
	}
	if (version != NULL && version != &tags->list[0]) {
		mg_str_copy(why, WHY_SIZE, "v=DKIM1 is not the first tag");
		return false;
	}
	if (mg_dkim_tag_find(tags, "p") == NULL) {
		mg_str_copy(why, WHY_SIZE, "no p=: it has no key");
		return false;
	}
	return true;
}

/* Does it let anyone verify mail with this key? */
static bool check_use(const struct mg_dkim_tags *tags, char *why)
{
	const struct mg_dkim_tag *hashes = mg_dkim_tag_find(tags, "h");
	const struct mg_dkim_tag *services = mg_dkim_tag_find(tags, "s");
	struct shown shown;

	if (hashes != NULL && !list_has(hashes, "sha256", NULL)) {
		mg_str_format(why, WHY_SIZE, "h=%s: sha256 is not allowed", show(&shown, hashes));
		return false;
	}
	if (services != NULL && !list_has(services, "*", "email")) {
		mg_str_format(why, WHY_SIZE, "s=%s: not for email", show(&shown, services));
		return false;
	}
	return true;
}

/* The result for what p= says, without white space. */
static enum mg_dkim_record compare_public(
	const struct mg_dkim_key *key, const struct mg_buf *p, size_t text_length, char *why)
{
	const char *ours = mg_dkim_key_public(key);

	switch (mg_dkim_key_compare(key, p->data, p->length)) {
	case MG_DKIM_PUBLIC_SAME: return MG_DKIM_RECORD_SAME;
	case MG_DKIM_PUBLIC_OTHER:
		mg_str_copy(why, WHY_SIZE, "another key");
		return MG_DKIM_RECORD_OTHER;
	case MG_DKIM_PUBLIC_WRONG_FORM:
		mg_str_copy(
			why, WHY_SIZE, "this key in another form; expected its 32 octets alone");
		return MG_DKIM_RECORD_UNUSABLE;
	case MG_DKIM_PUBLIC_NONE: break;
	}
	if (text_length == STRING_MAX || strncmp(p->data, ours, p->length) == 0)
		mg_str_format(why, WHY_SIZE, "cut at %zu octets", text_length);
	else
		mg_str_format(why, WHY_SIZE, "p= is not a key of type %s in base64",
			mg_dkim_key_type_name(mg_dkim_key_algorithm(key)));
	return MG_DKIM_RECORD_BAD;
}

static enum mg_dkim_record compare_tags(const struct mg_dkim_key *key,
	const struct mg_dkim_tags *tags, size_t text_length, char *why)
{
	const char *type = mg_dkim_key_type_name(mg_dkim_key_algorithm(key));
	const struct mg_dkim_tag *kind = mg_dkim_tag_find(tags, "k");
	enum mg_dkim_record record = MG_DKIM_RECORD_BAD;
	struct mg_buf p = {.limit = 0};
	struct shown shown;

	mg_dkim_tag_compact(mg_dkim_tag_find(tags, "p"), &p);
	if (p.failed) {
		mg_str_copy(why, WHY_SIZE, "no memory to compare it");
	} else if (p.length == 0) {
		mg_str_copy(why, WHY_SIZE, "p= is empty: revoked");
		record = MG_DKIM_RECORD_REVOKED;
	} else if (kind != NULL ? !is_word(kind->value, kind->value_length, type)
				: strcmp(type, "rsa") != 0) {
		mg_str_format(why, WHY_SIZE, "%s%s; the key is %s",
			kind != NULL ? "k=" : "no k=, so rsa",
			kind != NULL ? show(&shown, kind) : "", type);
		record = MG_DKIM_RECORD_OTHER;
	} else {
		record = compare_public(key, &p, text_length, why);
		if (record == MG_DKIM_RECORD_SAME && !check_use(tags, why))
			record = MG_DKIM_RECORD_UNUSABLE;
	}
	mg_buf_free(&p);
	return record;
}

enum mg_dkim_record mg_dkim_record_compare(
	const struct mg_dkim_key *key, const char *text, size_t length, char why[128])
{
	struct mg_dkim_tags tags;

	why[0] = '\0';
	if (!check_form(text, length, &tags, why))
		return MG_DKIM_RECORD_BAD;
	return compare_tags(key, &tags, length, why);
}

bool mg_dkim_record_is_strict(const char *text, size_t length)
{
	struct mg_dkim_tags tags;
	char why[WHY_SIZE];
	const struct mg_dkim_tag *flags;

	if (!check_form(text, length, &tags, why))
		return false;
	flags = mg_dkim_tag_find(&tags, "t");
	return flags != NULL && list_has(flags, "s", NULL);
}

void mg_dkim_record_text(const struct mg_dkim_key *key, struct mg_buf *out)
{
	mg_buf_add_text(out, "v=DKIM1; k=");
	mg_buf_add_text(out, mg_dkim_key_type_name(mg_dkim_key_algorithm(key)));
	mg_buf_add_text(out, "; p=");
	mg_buf_add_text(out, mg_dkim_key_public(key));
}

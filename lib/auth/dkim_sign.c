/* SPDX-License-Identifier: ISC */
#include "auth/dkim_sign.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"

#define FIELD_NAME "DKIM-Signature"
#define FOLD "\r\n\t"

enum {
	LINE_MAX = 78,
	FLUSH = 2048, /* octets of canonical fields that are hashed together */
	NUMBER_SIZE = 24
};

static const char *const form_names[] = {
	[MG_DKIM_SIMPLE] = "simple", [MG_DKIM_RELAXED] = "relaxed"};

/* The value of a field under way, and how long its last line is. Folds stand where other MTAs leave
 * them alone: between tags, behind a colon of h=, in base64. */
struct writer {
	struct mg_buf *out;
	size_t column;
};

static void fold(struct writer *writer)
{
	mg_buf_add(writer->out, FOLD, strlen(FOLD));
	writer->column = 1;
}

static void put(struct writer *writer, const char *text, size_t length)
{
	mg_buf_add(writer->out, text, length);
	writer->column += length;
}

/* Adds "name=value;" behind a blank or a fold. */
static void put_tag(struct writer *writer, const char *name, const char *value, size_t length)
{
	size_t name_length = strlen(name);

	if (writer->column + 1 + name_length + 1 + length + 1 > LINE_MAX)
		fold(writer);
	else
		put(writer, " ", 1);
	put(writer, name, name_length);
	put(writer, "=", 1);
	put(writer, value, length);
	put(writer, ";", 1);
}

static void put_number(struct writer *writer, const char *name, int64_t number)
{
	char text[NUMBER_SIZE];

	if (number > 0)
		put_tag(writer, name, text,
			(size_t)snprintf(text, sizeof(text), "%lld", (long long)number));
}

static void put_name(struct writer *writer, const struct mg_dkim_name *name, bool first)
{
	if (!first) {
		put(writer, ":", 1);
		if (writer->column + name->length + 1 > LINE_MAX)
			fold(writer);
	}
	put(writer, name->text, name->length);
}

static void hash_fields(struct mg_dkim_header *header, struct mg_buf *fields, size_t least)
{
	if (fields->length < least)
		return;
	mg_sha256_add(header->hash, fields->data, fields->length);
	mg_buf_reset(fields);
}

/* The header on its way to the hash. */
struct walk {
	struct mg_dkim_header *header;
	const struct mg_dkim_signing *signing;
	struct writer writer; /* of h= */
	bool first; /* no name is there */
	bool seen[MG_DKIM_NAMES_MAX]; /* by number */
	struct mg_buf fields;
};

static void sign_name(struct walk *walk, const struct mg_dkim_name *name)
{
	put_name(&walk->writer, name, walk->first);
	walk->first = false;
}

static void sign_field(
	struct walk *walk, const struct mg_dkim_name *name, const struct mg_header *field)
{
	sign_name(walk, name);
	walk->seen[name->number] = true;
	mg_dkim_field(walk->signing->header_form, walk->signing->line_limit, field->name,
		field->name_length, field->value, field->value_length, &walk->fields);
	if (!walk->fields.failed)
		hash_fields(walk->header, &walk->fields, FLUSH);
}

/* One pass from the bottom, over From or over all others: the order in which h= names the fields is
 * the one in which they are hashed, so that the n-th of a name is the n-th from the bottom. */
static void sign_fields(struct walk *walk, bool from)
{
	const struct mg_dkim_signing *signing = walk->signing;

	for (size_t i = signing->header_count; i > 0 && !walk->fields.failed; i--) {
		const struct mg_header *field = &signing->headers[i - 1];
		const struct mg_dkim_name *name =
			mg_dkim_names_find(signing->names, field->name, field->name_length);

		if (name != NULL && (name->number == 0) == from)
			sign_field(walk, name, field);
	}
}

/* From comes first: some verifiers read no more than the first 4,095 octets of h=. */
static bool walk_fields(struct mg_dkim_header *header, const struct mg_dkim_signing *signing)
{
	struct walk walk = {
		.header = header, .signing = signing, .writer = {&header->tag, 0}, .first = true};
	const struct mg_dkim_name *name;
	bool good;

	fold(&walk.writer);
	put(&walk.writer, "h=", 2);
	sign_fields(&walk, true);
	sign_name(&walk, mg_dkim_names_at(signing->names, 0));
	sign_fields(&walk, false);
	good = !walk.fields.failed;
	if (good)
		hash_fields(header, &walk.fields, 1);
	mg_buf_free(&walk.fields);
	for (size_t i = 1; (name = mg_dkim_names_at(signing->names, i)) != NULL; i++)
		if (name->oversigned && walk.seen[i])
			sign_name(&walk, name);
	put(&walk.writer, ";", 1);
	return good && !header->tag.failed;
}

int mg_dkim_header_begin(struct mg_dkim_header *header, const struct mg_dkim_signing *signing,
	struct mg_error *error)
{
	*header = (struct mg_dkim_header){.hash = mg_sha256_new()};
	if (header->hash != NULL && walk_fields(header, signing))
		return 0;
	mg_dkim_header_drop(header);
	mg_error_set(error, "no memory for the signed fields");
	return -1;
}

void mg_dkim_header_drop(struct mg_dkim_header *header)
{
	mg_sha256_free(header->hash);
	header->hash = NULL;
	mg_buf_free(&header->tag);
}

/* All of the field but the signature. Tags of a fixed place first, then one line or more each for h=,
 * bh= and b=. */
static void put_tags(struct writer *writer, const struct mg_dkim_header *header,
	const struct mg_dkim_signing *signing)
{
	const char *algorithm = mg_dkim_algorithm_name(mg_dkim_key_algorithm(signing->key));
	char forms[NUMBER_SIZE], body[MG_BASE64_LENGTH(MG_SHA256_SIZE) + 1];
	int length = snprintf(forms, sizeof(forms), "%s/%s", form_names[signing->header_form],
		form_names[signing->body_form]);

	put_tag(writer, "v", "1", 1);
	put_tag(writer, "a", algorithm, strlen(algorithm));
	put_tag(writer, "c", forms, (size_t)length);
	put_tag(writer, "d", signing->domain, strlen(signing->domain));
	put_tag(writer, "s", signing->selector, strlen(signing->selector));
	put_number(writer, "t", signing->time);
	put_number(writer, "x", signing->expires);
	if (signing->identity[0] != '\0')
		put_tag(writer, "i", signing->identity, strlen(signing->identity));
	mg_buf_add(writer->out, header->tag.data, header->tag.length);
	writer->column = LINE_MAX;
	put_tag(writer, "bh", body, mg_base64_encode(body, signing->body_hash, MG_SHA256_SIZE));
	fold(writer);
	put(writer, "b=", 2);
}

/* The hash over the signed fields and this one, whose b= is empty (section 3.7); it has no CRLF. */
static bool hash_all(const struct mg_dkim_header *header, const struct mg_dkim_signing *signing,
	const char *value, size_t length, unsigned char digest[MG_SHA256_SIZE])
{
	struct mg_sha256 *hash = mg_sha256_copy(header->hash);
	struct mg_buf field = {.limit = 0};
	bool good = false;

	mg_dkim_field(
		signing->header_form, 0, FIELD_NAME, strlen(FIELD_NAME), value, length, &field);
	if (hash != NULL && !field.failed) {
		mg_sha256_add(hash, field.data, field.length - 2);
		good = mg_sha256_finish(hash, digest);
	}
	mg_sha256_free(hash);
	mg_buf_free(&field);
	return good;
}

static void put_signature(struct writer *writer, const unsigned char *signature, size_t length)
{
	char text[MG_BASE64_LENGTH(MG_DKIM_SIGNATURE_MAX) + 1];
	size_t left = mg_base64_encode(text, signature, length);
	const char *place = text;

	while (left > 0) {
		size_t size = LINE_MAX - writer->column;

		if (size > left)
			size = left;
		put(writer, place, size);
		place += size;
		left -= size;
		if (left > 0)
			fold(writer);
	}
}

int mg_dkim_header_sign(const struct mg_dkim_header *header, const struct mg_dkim_signing *signing,
	struct mg_buf *value, struct mg_error *error)
{
	struct writer writer = {value, strlen(FIELD_NAME) + 1};
	unsigned char digest[MG_SHA256_SIZE], signature[MG_DKIM_SIGNATURE_MAX];
	size_t start = value->length, length;

	put_tags(&writer, header, signing);
	if (value->failed ||
		!hash_all(header, signing, value->data + start, value->length - start, digest)) {
		mg_error_set(error, "no memory for the signature");
		return -1;
	}
	length = mg_dkim_key_sign(signing->key, digest, signature);
	if (length == 0) {
		mg_error_set(error, "OpenSSL made no %s signature",
			mg_dkim_algorithm_name(mg_dkim_key_algorithm(signing->key)));
		return -1;
	}
	put_signature(&writer, signature, length);
	if (value->failed) {
		mg_error_set(error, "no memory for the signature");
		return -1;
	}
	return 0;
}

int mg_dkim_sign(
	const struct mg_dkim_signing *signing, struct mg_buf *value, struct mg_error *error)
{
	struct mg_dkim_header header;
	int result;

	if (mg_dkim_header_begin(&header, signing, error) != 0)
		return -1;
	result = mg_dkim_header_sign(&header, signing, value, error);
	mg_dkim_header_drop(&header);
	return result;
}

/* SPDX-License-Identifier: ISC */
#include "base/dns_wire.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/dns_answer.h"

enum { LABEL_MAX = 63 };

/* What a record was made of: its data are in one of the texts, or in the packet. */
struct made {
	struct mg_dns_record records[MG_DNS_RECORDS_MAX];
	size_t count;
	struct mg_buf text; /* the data of all, each ended by NUL */
};

/* An uncompressed name (RFC 1035 section 3.1) as text: bytes that would not be read again as they
 * stand are \DDD (section 5.1). */
static bool add_name(struct mg_buf *text, const uint8_t *wire, size_t length)
{
	size_t at = 0, begun = text->length;

	while (at < length && wire[at] != 0) {
		size_t label = wire[at++];

		if (label > LABEL_MAX || at + label >= length)
			return false;
		if (text->length > begun)
			mg_buf_add_char(text, '.');
		for (; label > 0; label--, at++) {
			int byte = tolower(wire[at]);

			if (byte > ' ' && byte < 0x7f && byte != '.' && byte != '\\')
				mg_buf_add_char(text, (char)byte);
			else
				mg_buf_add_format(text, "\\%03d", byte);
		}
	}
	return at + 1 == length && !text->failed;
}

/* The character strings of a TXT record (RFC 1035 section 3.3.14), joined. */
static bool add_strings(struct mg_buf *text, const uint8_t *wire, size_t length)
{
	size_t at = 0;

	while (at < length) {
		size_t string = wire[at++];

		if (at + string > length)
			return false;
		mg_buf_add(text, wire + at, string);
		at += string;
	}
	return length > 0 && !text->failed;
}

static bool add_address(struct mg_buf *text, const uint8_t *wire, size_t length, size_t wanted)
{
	mg_buf_add(text, wire, length);
	return length == wanted && !text->failed;
}

/* One that is malformed is left out. */
static void add_record(struct made *made, enum mg_dns_type type, const uint8_t *wire, size_t length)
{
	struct mg_dns_record *record = &made->records[made->count];
	size_t begun = made->text.length;
	bool good = false;

	record->preference = 0;
	switch (type) {
	case MG_DNS_A: good = add_address(&made->text, wire, length, 4); break;
	case MG_DNS_AAAA: good = add_address(&made->text, wire, length, 16); break;
	case MG_DNS_TXT: good = add_strings(&made->text, wire, length); break;
	case MG_DNS_MX:
		if (length < 3)
			break;
		record->preference = (unsigned)wire[0] << 8 | wire[1];
		good = add_name(&made->text, wire + 2, length - 2);
		break;
	default: good = add_name(&made->text, wire, length); break;
	}
	/* The data move while the text grows: for now where they begin. */
	record->data = NULL;
	record->length = made->text.length - begun;
	if (good)
		made->count++;
	else
		made->text.length = begun;
}

const struct mg_dns_answer *mg_dns_wire_found(
	enum mg_dns_type type, char *const data[], const int lengths[], bool secure, int64_t ttl)
{
	struct made made = {0};
	struct mg_dns_answer model = {.status = MG_DNS_FOUND, .secure = secure, .ttl = ttl};
	const struct mg_dns_answer *answer;
	size_t at = 0;

	for (size_t i = 0; data[i] != NULL && made.count < MG_DNS_RECORDS_MAX; i++)
		add_record(&made, type, (const uint8_t *)data[i], (size_t)lengths[i]);
	for (size_t i = 0; i < made.count; i++) {
		made.records[i].data = mg_buf_text(&made.text) + at;
		at += made.records[i].length;
	}
	model.count = made.count;
	model.records = made.records;
	answer = made.count > 0 && !made.text.failed ? mg_dns_answer_new(&model)
						     : mg_dns_plain(MG_DNS_FAILED);
	mg_buf_free(&made.text);
	return answer;
}

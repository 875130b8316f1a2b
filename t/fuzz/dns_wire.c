/* SPDX-License-Identifier: ISC */
/* Records of an answer: a byte for the type, then each record with its length in two bytes. */
#include "base/dns_wire.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/dns_answer.h"

enum { RECORDS = 150 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mg_dns_answer *answer, enum mg_dns_type type)
{
	if ((answer->status == MG_DNS_FOUND) != (answer->count > 0) ||
		answer->count > MG_DNS_RECORDS_MAX)
		abort();
	for (size_t i = 0; i < answer->count; i++) {
		const struct mg_dns_record *record = &answer->records[i];

		if (record->data[record->length] != '\0')
			abort();
		if (type != MG_DNS_TXT && type != MG_DNS_A && type != MG_DNS_AAAA &&
			strlen(record->data) != record->length)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum mg_dns_type types[] = {
		MG_DNS_A, MG_DNS_NS, MG_DNS_CNAME, MG_DNS_PTR, MG_DNS_MX, MG_DNS_TXT, MG_DNS_AAAA};
	char *records[RECORDS + 1] = {NULL};
	int lengths[RECORDS] = {0};
	const struct mg_dns_answer *answer;
	enum mg_dns_type type;
	size_t count = 0, at = 1;

	if (size == 0)
		return 0;
	type = types[data[0] % (sizeof types / sizeof types[0])];
	while (at + 2 <= size && count < RECORDS) {
		size_t length = (size_t)data[at] << 8 | data[at + 1];

		at += 2;
		if (length > size - at)
			length = size - at;
		records[count] = malloc(length + 1);
		if (records[count] == NULL)
			break;
		memcpy(records[count], data + at, length);
		lengths[count++] = (int)length;
		at += length;
	}
	answer = mg_dns_wire_found(type, records, lengths, false, 0);
	check(answer, type);
	mg_dns_answer_release(answer);
	for (size_t i = 0; i < count; i++)
		free(records[i]);
	return 0;
}

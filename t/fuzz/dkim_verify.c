/* SPDX-License-Identifier: ISC */
/* A key record, a NUL, and a message with signatures: every result is one, its texts can be shown, and
 * nothing passes without a key. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_verify.h"
#include "base/clock.h"
#include "mail/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct record {
	const char *text;
	size_t length;
};

static bool give_record(
	void *context, const char *domain, const char *selector, struct mg_buf *record)
{
	const struct record *given = context;

	assert(domain[0] != '\0' && selector[0] != '\0');
	mg_buf_add(record, given->text, given->length);
	return true;
}

static void check_text(const char *text, size_t size)
{
	assert(strlen(text) < size);
	for (; *text != '\0'; text++)
		assert((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check(const struct mg_dkim_verified *found, const struct record *record)
{
	assert(found->result != MG_DKIM_NONE);
	assert((found->result == MG_DKIM_PASS) == (found->reason[0] == '\0'));
	assert(found->result != MG_DKIM_PASS || record->length > 0);
	check_text(found->domain, sizeof(found->domain));
	check_text(found->selector, sizeof(found->selector));
	check_text(found->algorithm, sizeof(found->algorithm));
	check_text(found->forms, sizeof(found->forms));
	check_text(found->reason, sizeof(found->reason));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = memchr(data, 0, size);
	struct record record = {.text = text, .length = end != NULL ? (size_t)(end - text) : 0};
	struct mg_dkim_verify_options options = {.signatures = 4,
		.now = 1800000000 * MG_SECOND,
		.lookup = give_record,
		.context = &record};
	const struct mg_dkim_verified *list;
	struct mg_dkim_verify *verify;
	struct mg_letter letter;
	size_t count;

	if (end == NULL)
		return 0;
	if (mg_letter_read(&letter, end + 1, size - record.length - 1, NULL)) {
		verify = mg_dkim_verify_new(&options, letter.headers, letter.count, NULL);
		assert(verify != NULL);
		mg_dkim_verify_body(verify, (const unsigned char *)letter.body, letter.body_length);
		list = mg_dkim_verify_end(verify, &count);
		assert(count <= options.signatures);
		for (size_t i = 0; i < count; i++)
			check(&list[i], &record);
		mg_dkim_verify_free(verify);
	}
	mg_letter_free(&letter);
	return 0;
}

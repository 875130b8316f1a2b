/* SPDX-License-Identifier: ISC */
/* Addresses: normal forms are stable and within their bounds; mailboxes of a field are what the header
 * promises, however it is cut. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mail/address.h"
#include "mail/mailbox.h"
#include "mail/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_normal_form(const char *text, size_t length)
{
	struct mg_buf first = {.limit = 0}, second = {.limit = 0};

	if (mg_address_normalize(text, length, &first)) {
		assert(first.length > 0 && strlen(first.data) == first.length);
		assert(mg_address_normalize(first.data, first.length, &second));
		assert(strcmp(first.data, second.data) == 0);
		if (mg_address_valid(text, length))
			assert(mg_address_domain_part(first.data)[0] != '\0');
	} else {
		assert(first.length == 0);
		assert(!mg_address_valid(text, length));
	}
	mg_buf_free(&first);
	mg_buf_free(&second);
}

static void check_domain(const char *text, size_t length)
{
	struct mg_buf first = {.limit = 0}, second = {.limit = 0};

	if (mg_domain_normalize(text, length, &first)) {
		assert(first.length > 0 && first.length <= 253);
		assert(strspn(first.data, "abcdefghijklmnopqrstuvwxyz0123456789-.") ==
			first.length);
		assert(mg_domain_normalize(first.data, first.length, &second));
		assert(strcmp(first.data, second.data) == 0);
	}
	mg_buf_free(&first);
	mg_buf_free(&second);
}

static void check_mailbox(void *context, const struct mg_mailbox *mailbox)
{
	const char *name = mailbox->name;

	++*(int *)context;
	assert(strlen(mailbox->address) <= 1024);
	assert(mg_address_domain_part(mailbox->address)[0] != '\0');
	if (name == NULL)
		return;
	assert(name[0] != '\0' && strlen(name) <= 1024);
	for (size_t step; *name != '\0'; name += step) {
		step = mg_str_utf8_length(name, strlen(name));
		assert(step > 0 && (unsigned char)*name >= ' ' && *name != 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* No NUL behind it: reading on is seen. */
	char *text = malloc(size > 0 ? size : 1);
	int told = 0, result;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	check_normal_form(text, size);
	check_domain(text, size);
	result = mg_mailbox_list(text, size, check_mailbox, &told);
	assert(told <= 1000 && (result == -1 || result == told));
	free(text);
	return 0;
}

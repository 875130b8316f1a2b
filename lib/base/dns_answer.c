/* SPDX-License-Identifier: ISC */
#include "base/dns_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct shared {
	struct mg_dns_answer answer; /* first */
	_Atomic unsigned uses;
	size_t size;
	struct mg_dns_record records[];
	/* and their data */
};

static const struct mg_dns_answer plain[] = {
	[MG_DNS_FOUND] = {.status = MG_DNS_FAILED}, /* there is no such thing without a record */
	[MG_DNS_NO_DATA] = {.status = MG_DNS_NO_DATA},
	[MG_DNS_NO_NAME] = {.status = MG_DNS_NO_NAME},
	[MG_DNS_FAILED] = {.status = MG_DNS_FAILED},
	[MG_DNS_TIMEOUT] = {.status = MG_DNS_TIMEOUT},
	[MG_DNS_BAD_NAME] = {.status = MG_DNS_BAD_NAME}};

const struct mg_dns_answer *mg_dns_plain(enum mg_dns_status status)
{
	return &plain[status];
}

/* NULL for a plain one. */
static struct shared *shared_of(const struct mg_dns_answer *answer)
{
	uintptr_t at = (uintptr_t)answer;

	if (at >= (uintptr_t)plain && at < (uintptr_t)plain + sizeof plain)
		return NULL;
	return (struct shared *)at;
}

const struct mg_dns_answer *mg_dns_answer_new(const struct mg_dns_answer *model)
{
	size_t count = model->count < MG_DNS_RECORDS_MAX ? model->count : MG_DNS_RECORDS_MAX;
	size_t size = sizeof(struct shared) + count * sizeof(struct mg_dns_record);
	struct shared *shared;
	char *data;

	for (size_t i = 0; i < count; i++)
		size += model->records[i].length + 1;
	shared = malloc(size);
	if (shared == NULL)
		return mg_dns_plain(MG_DNS_FAILED);
	shared->answer = *model;
	shared->answer.count = count;
	shared->answer.records = shared->records;
	shared->uses = 1;
	shared->size = size;
	data = (char *)&shared->records[count];
	for (size_t i = 0; i < count; i++) {
		const struct mg_dns_record *record = &model->records[i];

		memcpy(data, record->data, record->length);
		data[record->length] = '\0';
		shared->records[i] = *record;
		shared->records[i].data = data;
		data += record->length + 1;
	}
	return &shared->answer;
}

const struct mg_dns_answer *mg_dns_answer_use(const struct mg_dns_answer *answer)
{
	struct shared *shared = shared_of(answer);

	if (shared != NULL)
		shared->uses++;
	return answer;
}

void mg_dns_answer_release(const struct mg_dns_answer *answer)
{
	struct shared *shared = answer != NULL ? shared_of(answer) : NULL;

	if (shared != NULL && --shared->uses == 0)
		free(shared);
}

size_t mg_dns_answer_size(const struct mg_dns_answer *answer)
{
	const struct shared *shared = shared_of(answer);

	return shared != NULL ? shared->size : 0;
}

/* SPDX-License-Identifier: ISC */
#include "base/dns_case.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/dns_answer.h"
#include "base/str.h"

enum {
	CHAIN_MAX = 10, /* CNAME records one after the other */
	PREFERENCE_MAX = 65535,
	PRINTABLE_SIZE = 300,
	ESCAPE_LENGTH = 4
};
/* Of every answer. */
static const int64_t ttl = 3600 * MG_SECOND;

struct entry {
	char name[MG_DNS_NAME_SIZE];
	enum mg_dns_type type;
	const struct mg_dns_answer *answer;
};

struct hermetic {
	struct mg_dns dns; /* first */
	struct entry *entries; /* by name and type */
	size_t count;
};

/* --- text --- */

void mg_dns_case_escape(struct mg_buf *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte >= ' ' && byte < 0x7f && byte != '\\')
			mg_buf_add_char(text, (char)byte);
		else
			mg_buf_add_format(text, "\\%03u", byte);
	}
}

/* The byte that \DDD at text is, or -1. */
static int escaped(const char *text)
{
	int byte = 0;

	if (text[0] != '\\')
		return -1;
	for (size_t i = 1; i < ESCAPE_LENGTH; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		byte = byte * 10 + text[i] - '0';
	}
	return byte < 256 ? byte : -1;
}

static void unescape(struct mg_buf *bytes, const char *text)
{
	while (*text != '\0') {
		int byte = escaped(text);

		mg_buf_add_char(bytes, byte >= 0 ? (char)byte : *text);
		text += byte >= 0 ? ESCAPE_LENGTH : 1;
	}
}

/* --- rows --- */

/* Adds a name in the form that records have. */
static bool add_name(struct mg_buf *data, const char *text)
{
	char name[MG_DNS_NAME_SIZE];

	if (strcmp(text, ".") == 0)
		return true;
	if (!mg_dns_name(name, text))
		return false;
	mg_buf_add_text(data, name);
	return true;
}

static bool add_address(struct mg_buf *data, int family, size_t size, const char *text)
{
	unsigned char address[16];

	if (inet_pton(family, text, address) != 1)
		return false;
	mg_buf_add(data, address, size);
	return true;
}

static bool add_exchange(struct mg_buf *data, unsigned *preference, const char *text)
{
	size_t digits = strcspn(text, " ");
	char number[8];
	uint64_t value;

	if (digits >= sizeof number || text[digits] == '\0')
		return false;
	mg_str_format(number, sizeof number, "%.*s", (int)digits, text);
	if (!mg_str_number(number, PREFERENCE_MAX, &value))
		return false;
	*preference = (unsigned)value;
	return add_name(data, text + digits + 1);
}

/* Adds the data of a record to those before. */
static bool add_value(
	struct mg_buf *data, enum mg_dns_type type, const char *text, struct mg_dns_record *record)
{
	size_t begun = data->length;
	bool good = true;

	*record = (struct mg_dns_record){0};
	switch (type) {
	case MG_DNS_A: good = add_address(data, AF_INET, 4, text); break;
	case MG_DNS_AAAA: good = add_address(data, AF_INET6, 16, text); break;
	case MG_DNS_MX: good = add_exchange(data, &record->preference, text); break;
	case MG_DNS_TXT: unescape(data, text); break;
	default: good = add_name(data, text); break;
	}
	record->length = data->length - begun;
	return good;
}

/* The answer of a row with values. NULL: one of them is wrong, and wrong is its index. */
static const struct mg_dns_answer *read_values(
	const struct mg_dns_row *row, enum mg_dns_type type, size_t *wrong)
{
	struct mg_dns_record records[MG_DNS_RECORDS_MAX];
	struct mg_dns_answer model = {.status = row->count > 0 ? MG_DNS_FOUND : MG_DNS_NO_DATA,
		.ttl = ttl,
		.count = row->count < MG_DNS_RECORDS_MAX ? row->count : MG_DNS_RECORDS_MAX,
		.records = records};
	const struct mg_dns_answer *answer = NULL;
	struct mg_buf data = {0};
	size_t at = 0;

	for (size_t i = 0; i < model.count; i++) {
		*wrong = i;
		if (!add_value(&data, type, row->values[i], &records[i]))
			goto done;
	}
	for (size_t i = 0; i < model.count; i++) {
		records[i].data = mg_buf_text(&data) + at;
		at += records[i].length;
	}
	answer = data.failed ? mg_dns_plain(MG_DNS_FAILED) : mg_dns_answer_new(&model);
done:
	mg_buf_free(&data);
	return answer;
}

static const struct mg_dns_answer *read_failure(const char *word)
{
	static const struct {
		const char *word;
		enum mg_dns_status status;
	} words[] = {{"NXDOMAIN", MG_DNS_NO_NAME}, {"SERVFAIL", MG_DNS_FAILED},
		{"TIMEOUT", MG_DNS_TIMEOUT}};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].word, word) == 0)
			return mg_dns_plain(words[i].status);
	return NULL;
}

/* "NAME TYPE" into name and type. */
static bool read_question(const char *text, struct entry *entry)
{
	const char *space = strrchr(text, ' ');
	struct mg_buf name = {0}, bytes = {0};
	bool good = false;

	if (space == NULL)
		return false;
	entry->type = mg_dns_type_of(space + 1);
	mg_buf_add(&name, text, (size_t)(space - text));
	unescape(&bytes, mg_buf_text(&name));
	good = entry->type != 0 && !bytes.failed && mg_dns_name(entry->name, mg_buf_text(&bytes));
	mg_buf_free(&name);
	mg_buf_free(&bytes);
	return good;
}

static bool read_row(const struct mg_dns_row *row, struct entry *entry, struct mg_errors *errors)
{
	char question[PRINTABLE_SIZE], value[PRINTABLE_SIZE];
	size_t wrong = 0;

	mg_str_printable(question, sizeof question, row->question, strlen(row->question));
	if (!read_question(row->question, entry)) {
		mg_errors_add(errors,
			"dns: %s: expected \"NAME TYPE\", of type A, NS, CNAME, PTR, MX, TXT or "
			"AAAA",
			question);
		return false;
	}
	entry->answer = row->failure != NULL ? read_failure(row->failure)
					     : read_values(row, entry->type, &wrong);
	if (entry->answer != NULL)
		return true;
	if (row->failure != NULL)
		mg_errors_add(errors,
			"dns: %s: expected a list of texts, or NXDOMAIN, SERVFAIL or TIMEOUT",
			question);
	else
		mg_errors_add(errors, "dns: %s: no record of this type: \"%s\"", question,
			mg_str_printable(value, sizeof value, row->values[wrong],
				strlen(row->values[wrong])));
	return false;
}

/* --- answers --- */

static int compare(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;
	int order = strcmp(one->name, other->name);

	if (order != 0)
		return order;
	return one->type < other->type ? -1 : one->type > other->type;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static const struct mg_dns_answer *ask(
	struct mg_dns *dns, const char *name, enum mg_dns_type type, bool fresh, int64_t deadline)
{
	const struct hermetic *hermetic = (struct hermetic *)dns;
	struct entry wanted = {.type = type}, *found;

	(void)fresh;
	(void)deadline;
	memcpy(wanted.name, name, strlen(name) + 1);
	for (size_t links = 0; links <= CHAIN_MAX; links++) {
		found = bsearch(
			&wanted, hermetic->entries, hermetic->count, sizeof wanted, compare);
		if (found != NULL)
			return mg_dns_answer_use(found->answer);
		wanted.type = MG_DNS_CNAME;
		found = bsearch(
			&wanted, hermetic->entries, hermetic->count, sizeof wanted, compare);
		if (found == NULL || found->answer->count == 0) {
			found = bsearch(&wanted, hermetic->entries, hermetic->count, sizeof wanted,
				compare_names);
			return mg_dns_plain(found == NULL || found->answer->status == MG_DNS_NO_NAME
						    ? MG_DNS_NO_NAME
						    : MG_DNS_NO_DATA);
		}
		wanted.type = type;
		memcpy(wanted.name, found->answer->records[0].data,
			found->answer->records[0].length + 1);
	}
	return mg_dns_plain(MG_DNS_FAILED);
}

static void close_case(struct mg_dns *dns)
{
	struct hermetic *hermetic = (struct hermetic *)dns;

	for (size_t i = 0; i < hermetic->count; i++)
		mg_dns_answer_release(hermetic->entries[i].answer);
	free(hermetic->entries);
	free(hermetic);
}

static const struct mg_dns_kind kind = {.ask = ask, .close = close_case};

struct mg_dns *mg_dns_case_new(
	const struct mg_dns_row *rows, size_t count, struct mg_errors *errors)
{
	struct hermetic *hermetic = calloc(1, sizeof *hermetic);
	struct entry *entries = calloc(count + 1, sizeof *entries);
	size_t before = errors->count;

	if (hermetic == NULL || entries == NULL) {
		mg_errors_add(errors, "dns: out of memory");
		free(hermetic);
		free(entries);
		return NULL;
	}
	*hermetic = (struct hermetic){.dns = {.kind = &kind, .uses = 1}, .entries = entries};
	for (size_t i = 0; i < count; i++)
		if (read_row(&rows[i], &entries[hermetic->count], errors))
			hermetic->count++;
	qsort(entries, hermetic->count, sizeof *entries, compare);
	for (size_t i = 1; i < hermetic->count; i++)
		if (compare(&entries[i - 1], &entries[i]) == 0)
			mg_errors_add(errors, "dns: %s %s: more than once", entries[i].name,
				mg_dns_type_name(entries[i].type));
	if (errors->count == before)
		return &hermetic->dns;
	close_case(&hermetic->dns);
	return NULL;
}

/* SPDX-License-Identifier: ISC */
#include "dkim/author.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/mailbox.h"

enum { ADDRESS_MAX = 1024, VALUE_MAX = 64 * 1024 };

/* Blanks before the colon (RFC 5322 section 4.5) make it no other field. */
static bool is_from(const struct mg_header *header)
{
	size_t length = header->name_length;

	while (length > 0 && (header->name[length - 1] == ' ' || header->name[length - 1] == '\t'))
		length--;
	return length == 4 && strncasecmp(header->name, "From", 4) == 0;
}

/* The only From field; NULL with problem. */
static const struct mg_header *find_from(
	const struct mg_header *headers, size_t count, struct dkim_problem *problem)
{
	const struct mg_header *from = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!is_from(&headers[i]))
			continue;
		if (from != NULL) {
			dkim_problem_set(problem, DKIM_SEVERAL_AUTHORS, "", "several From fields");
			return NULL;
		}
		from = &headers[i];
	}
	if (from == NULL)
		dkim_problem_set(problem, DKIM_NO_AUTHOR, "", "no From field");
	return from;
}

static void take_first(void *context, const struct mg_mailbox *mailbox)
{
	char *address = context;

	if (address[0] == '\0')
		mg_str_copy(address, ADDRESS_MAX + 1, mailbox->address);
}

/* The address of the one author, into address; several: they are no problem. */
static bool read_author(const struct mg_header *from, bool several, char address[ADDRESS_MAX + 1],
	struct dkim_problem *problem)
{
	int told = -1;

	address[0] = '\0';
	if (from->value_length <= VALUE_MAX)
		told = mg_mailbox_list(from->value, from->value_length, take_first, address);
	if (told < 0)
		dkim_problem_set(problem, DKIM_CODE_BAD_AUTHOR, "", "From is malformed");
	else if (told == 0)
		dkim_problem_set(problem, DKIM_NO_AUTHOR, "", "From has no address");
	else if (told > 1 && !several)
		dkim_problem_set(problem, DKIM_SEVERAL_AUTHORS, "", "From has %d addresses", told);
	else
		return true;
	return false;
}

/* The domain in its normal form; false with problem, which shows the text it came from. */
static bool read_domain(
	const char *part, const char *text, char domain[256], struct dkim_problem *problem)
{
	struct mg_buf normal = {0};
	bool good = mg_domain_normalize(part, strlen(part), &normal) &&
		    mg_str_copy(domain, 256, mg_buf_text(&normal));
	char shown[128];

	mg_buf_free(&normal);
	if (!good)
		dkim_problem_set(problem, DKIM_CODE_BAD_DOMAIN, "", "no domain that can sign: %s",
			mg_str_printable(shown, sizeof(shown), text, strlen(text)));
	return good;
}

/* Asks the table for one key: 1 with value, 0, -1. */
static int ask(
	const struct mg_table *table, const char *key, char value[256], struct mg_error *error)
{
	return mg_table_find(table, key, value, 256, NULL, error);
}

/* The domain that signs for the address: 1, 0 with problem, -1 with error. */
static int apply_exceptions(const struct mg_table *table, const char *address,
	struct dkim_author *author, struct dkim_problem *problem, struct mg_error *error)
{
	struct mg_buf normal = {0};
	char value[256] = "";
	int found = 0;

	memcpy(author->signing, author->domain, sizeof(author->signing));
	if (table == NULL)
		return 1;
	if (mg_address_normalize(address, strlen(address), &normal))
		found = ask(table, mg_buf_text(&normal), value, error);
	mg_buf_free(&normal);
	if (found == 0)
		found = ask(table, author->domain, value, error);
	if (found <= 0)
		return found < 0 ? -1 : 1;
	if (value[0] == '\0' || strcmp(value, "-") == 0) {
		dkim_problem_set(problem, DKIM_EXCEPTION, author->domain,
			"an exception in sign.domains leaves it unsigned");
		return 0;
	}
	author->signing[0] = '\0';
	return read_domain(value, value, author->signing, problem) ? 1 : 0;
}

int dkim_author_find(const struct dkim_settings *settings, const struct mg_message *message,
	const struct mg_header *headers, size_t count, struct dkim_author *author,
	struct dkim_problem *problem, struct mg_error *error)
{
	/* The null sender has no domain: its mail is its author's, as a bounce is the gateway's. */
	bool by_sender = settings->by == DKIM_BY_SENDER && message->sender[0] != '\0';
	const struct mg_header *from = find_from(headers, count, problem);
	char address[ADDRESS_MAX + 1];

	memset(author, 0, sizeof(*author));
	if (from == NULL || !read_author(from, by_sender, address, problem))
		return 0;
	if (by_sender)
		mg_str_copy(address, sizeof(address), message->sender);
	if (!read_domain(mg_address_domain_part(address), address, author->domain, problem))
		return 0;
	return apply_exceptions(settings->domains, address, author, problem, error);
}

void dkim_author_identity(const char *domain, const char *signing, char identity[257])
{
	size_t length = strlen(domain), above = strlen(signing);

	identity[0] = '\0';
	if (length > above + 1 && domain[length - above - 1] == '.' &&
		strcmp(domain + length - above, signing) == 0)
		snprintf(identity, 257, "@%s", domain);
}

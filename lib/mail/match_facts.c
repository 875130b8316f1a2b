/* SPDX-License-Identifier: ISC */
#include "mail/match_facts.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/net.h"
#include "mail/header.h"
#include "mail/mailbox.h"
#include "mail/match_header.h"
#include "mail/match_number.h"
#include "mail/patterns.h"

#define TLS_WORDS "yes|no|SSLv3|TLSv1|TLSv1.1|TLSv1.2|TLSv1.3"

/* ROW(name, kind, words, late, values, number, help), what is known first, and costs least, first. */
#define FACTS(ROW) \
	ROW(direction, WORD, "inbound|outbound", false, direction_of, NULL, \
		"Which way the message goes") \
	ROW(local, WORD, "yes|no", false, local_of, NULL, \
		"Whether it came without SMTP, as from sendmail(1)") \
	ROW(tls, WORD, TLS_WORDS, false, tls_of, NULL, \
		"Whether the client uses TLS, and which version") \
	ROW(tenant, TEXT, NULL, false, tenant_of, NULL, "The tenant whose message it is") \
	ROW(user, TEXT, NULL, false, user_of, NULL, "Who has logged in; no value when nobody has") \
	ROW(auth_method, TEXT, NULL, false, auth_method_of, NULL, \
		"How the user has logged in, such as PLAIN") \
	ROW(client, CLIENT, NULL, false, client_of, NULL, "Address of the client") \
	ROW(client_name, TEXT, NULL, false, client_name_of, NULL, \
		"Verified name of the client, or unknown") \
	ROW(helo, TEXT, NULL, false, helo_of, NULL, "What the client calls itself") \
	ROW(listener, TEXT, NULL, false, listener_of, NULL, \
		"Name of the listener, Postfix's milter_macro_daemon_name") \
	ROW(listener_address, TEXT, NULL, false, listener_address_of, NULL, \
		"ADDRESS:PORT of the listener") \
	ROW(tls_subject, TEXT, NULL, false, tls_subject_of, NULL, \
		"Name in the client's verified certificate") \
	ROW(recipient_count, NUMBER, NULL, false, NULL, recipient_count_of, \
		"How many recipients have been accepted") \
	ROW(size, SIZE, NULL, true, NULL, size_of, "Bytes of header and body") \
	ROW(sender, ADDRESS, NULL, false, sender_of, NULL, \
		"The envelope sender; the null sender is \"<>\"") \
	ROW(sender_domain, DOMAIN, NULL, false, sender_domain_of, NULL, \
		"Domain of the envelope sender; the null sender has none") \
	ROW(recipient, ADDRESS, NULL, false, recipient_of, NULL, \
		"The recipients that have been accepted") \
	ROW(recipient_domain, DOMAIN, NULL, false, recipient_domain_of, NULL, \
		"Domains of the recipients that have been accepted") \
	ROW(author, ADDRESS, NULL, true, author_of, NULL, "The addresses of From") \
	ROW(author_domain, DOMAIN, NULL, true, author_domain_of, NULL, \
		"Domains of the addresses of From") \
	ROW(subject, TEXT, NULL, true, subject_of, NULL, "The subject, decoded") \
	ROW(header, HEADER, NULL, true, NULL, NULL, "Fields of the header")

/* Tells one value unless it is unknown. */
static int tell(const char *value, mg_fact_fits *fits, void *context)
{
	return *value != '\0' ? fits(context, value) : 0;
}

static int tell_domain(const char *address, mg_fact_fits *fits, void *context)
{
	return tell(mg_address_domain_part(address), fits, context);
}

/* A member of the session that is its own value. */
#define SESSION_FACT(fact, member) \
	static int fact(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context) \
	{ \
		return tell(facts->message->session->member, fits, context); \
	}

SESSION_FACT(client_name_of, client_name)
SESSION_FACT(helo_of, helo)
SESSION_FACT(listener_of, listener)
SESSION_FACT(listener_address_of, listener_address)
SESSION_FACT(user_of, user)
SESSION_FACT(auth_method_of, auth_method)
SESSION_FACT(tls_subject_of, tls_subject)

static int direction_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	return fits(context, facts->message->direction == MG_OUTBOUND ? "outbound" : "inbound");
}

static int local_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	return fits(context, facts->message->local ? "yes" : "no");
}

static int tls_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	const char *version = facts->message->session->tls_version;
	int result = fits(context, *version != '\0' ? "yes" : "no");

	return result != 0 ? result : tell(version, fits, context);
}

static int tenant_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	return tell(facts->message->tenant, fits, context);
}

static int client_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	char text[64];

	mg_net_format(&facts->message->session->client, text, sizeof(text));
	return tell(text, fits, context);
}

static int sender_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	const char *sender = facts->message->sender;

	return fits(context, *sender != '\0' ? sender : "<>");
}

static int sender_domain_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	return tell_domain(facts->message->sender, fits, context);
}

typedef int tell_function(const char *address, mg_fact_fits *fits, void *context);

static int tell_recipients(const struct mg_match_facts *facts, tell_function *function,
	mg_fact_fits *fits, void *context)
{
	const struct mg_message *message = facts->message;
	int result = 0;

	for (size_t i = 0; i < message->recipient_count && result == 0; i++)
		if (message->recipients[i].accepted)
			result = function(message->recipients[i].address, fits, context);
	return result;
}

static int recipient_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	return tell_recipients(facts, tell, fits, context);
}

static int recipient_domain_of(
	const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	return tell_recipients(facts, tell_domain, fits, context);
}

static int64_t recipient_count_of(const struct mg_match_facts *facts)
{
	int64_t count = 0;

	for (size_t i = 0; i < facts->message->recipient_count; i++)
		count += facts->message->recipients[i].accepted;
	return count;
}

static int64_t size_of(const struct mg_match_facts *facts)
{
	return (int64_t)(facts->message->header_bytes + facts->message->body_bytes);
}

static bool is_named(const struct mg_header *field, const char *name)
{
	return field->name_length == strlen(name) &&
	       strncasecmp(field->name, name, field->name_length) == 0;
}

/* Authors under way. */
struct authors {
	tell_function *function;
	mg_fact_fits *fits;
	void *context;
	int result;
};

static void tell_author(void *context, const struct mg_mailbox *mailbox)
{
	struct authors *authors = context;

	if (authors->result == 0)
		authors->result =
			authors->function(mailbox->address, authors->fits, authors->context);
}

static int tell_authors(const struct mg_match_facts *facts, tell_function *function,
	mg_fact_fits *fits, void *context)
{
	struct authors authors = {.function = function, .fits = fits, .context = context};

	for (size_t i = 0; i < facts->header_count && authors.result == 0; i++)
		if (is_named(&facts->headers[i], "From"))
			mg_mailbox_list(facts->headers[i].value, facts->headers[i].value_length,
				tell_author, &authors);
	return authors.result;
}

static int author_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	return tell_authors(facts, tell, fits, context);
}

static int author_domain_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	return tell_authors(facts, tell_domain, fits, context);
}

static int subject_of(const struct mg_match_facts *facts, mg_fact_fits *fits, void *context)
{
	struct mg_buf text = {.limit = 0};
	int result = 0;

	for (size_t i = 0; i < facts->header_count && result == 0; i++) {
		const struct mg_header *field = &facts->headers[i];

		if (!is_named(field, "Subject"))
			continue;
		mg_buf_reset(&text);
		mg_header_decode(field->value, field->value_length, &text);
		result = fits(context, mg_buf_text(&text));
	}
	mg_buf_free(&text);
	return result;
}

#define CHECK_WORD NULL
#define CHECK_TEXT mg_patterns_check_text
#define CHECK_DOMAIN mg_patterns_check_domain
#define CHECK_ADDRESS mg_patterns_check_address
#define CHECK_CLIENT mg_patterns_check_client
#define CHECK_NUMBER mg_match_check_number
#define CHECK_SIZE mg_match_check_size
#define CHECK_HEADER mg_match_check_header

#define FACT(fact, of, list, at_end, tells, counts, about) \
	{.name = #fact, \
		.kind = MG_FACT_##of, \
		.late = (at_end), \
		.values = (tells), \
		.number = (counts)},
const struct mg_fact mg_facts[] = {FACTS(FACT){.name = NULL}};

#define OPTION(fact, of, list, at_end, tells, counts, about) \
	{.name = #fact, \
		.kind = MG_LIST, \
		.value = "{ }", \
		.words = (list), \
		.help = (about), \
		.check = CHECK_##of},
const struct mg_option mg_match_options[] = {
	FACTS(OPTION){.name = "any",
		.kind = MG_SECTION,
		.help = "One of the conditions in it holds",
		.options = mg_match_options},
	{.name = "not",
		.kind = MG_SECTION,
		.help = "None of the conditions in it holds",
		.options = mg_match_options},
	{.name = NULL},
};

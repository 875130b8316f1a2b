/* SPDX-License-Identifier: ISC */
#include "signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>
#include <dkim.h>

#include "base/str.h"
#include "mta_model.h"

/* What DNS has. */
static struct {
	char name[SIGNED_TEXT];
	struct mg_buf text;
} records[SIGNED_RECORDS_MAX];
static size_t record_count;

void signed_make(struct signed_place *place)
{
	memset(place, 0, sizeof(*place));
	key_place_make(&place->keys);
}

void signed_key(struct signed_place *place, const char *domain, const char *selector,
	struct mg_dkim_key *key)
{
	assert_true(record_count < SIGNED_RECORDS_MAX);
	key_place_put(&place->keys, domain, selector, key, 60);
	snprintf(records[record_count].name, SIGNED_TEXT, "%s._domainkey.%s", selector, domain);
	mg_dkim_record_text(key, &records[record_count].text);
	assert_false(records[record_count].text.failed);
	record_count++;
}

void signed_settings(const struct signed_place *place, const char *settings, struct mg_buf *lines)
{
	mg_buf_add_format(lines,
		"keys = \"%s\"\nminimum_bits = 1024\n"
		"resolver { servers = { \"127.0.0.1@1\" } timeout = \"1s\" }\n%s\n",
		place->keys.folder, settings);
	if (strstr(settings, "internal_networks") == NULL)
		mg_buf_add_text(lines, "internal_networks = { \"203.0.113.0/24\" }\n");
	assert_false(lines->failed);
}

void signed_start(struct signed_place *place, const char *program, const char *settings)
{
	struct mg_buf lines = {0};

	signed_settings(place, settings, &lines);
	driver_start(&place->driver, program, mg_buf_text(&lines));
	mg_buf_free(&lines);
}

void signed_end(struct signed_place *place)
{
	driver_stop(&place->driver);
	key_place_remove(&place->keys);
	for (; record_count > 0; record_count--)
		mg_buf_free(&records[record_count - 1].text);
	key_place_end();
}

/* --- the message as it is sent --- */

/* Postfix's smtp client puts CR LF SPACE behind `limit` octets of a line. */
static void add_cut(struct mg_buf *out, const char *text, size_t length, size_t limit)
{
	size_t column = 0;

	for (size_t i = 0; i < length; i++) {
		bool ends = text[i] == '\n' ||
			    (text[i] == '\r' && i + 1 < length && text[i + 1] == '\n');

		if (limit > 0 && column == limit && !ends) {
			mg_buf_add_text(out, "\r\n ");
			column = 1;
		}
		mg_buf_add_char(out, text[i]);
		column = text[i] == '\n' ? 0 : column + 1;
	}
}

/* LF made CRLF. */
static void add_lines(struct mg_buf *out, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			mg_buf_add_char(out, '\r');
		mg_buf_add_char(out, text[i]);
	}
}

static void make_content(const struct letter *letter, const struct mg_client_edit *edits,
	size_t count, size_t limit, struct mg_buf *content)
{
	const char *text = letter->content != NULL ? letter->content : "Subject: first\n\ntext\n";
	size_t length = letter->content_length != 0 ? letter->content_length : strlen(text);
	const char *body = text[0] == '\n' ? text : strstr(text, "\n\n") + 1;
	struct letter whole = *letter;
	struct mta_model *model;
	struct mg_buf plain = {0};
	const char *header;

	whole.content = text;
	model = mta_model_new(&whole, true);
	mta_model_apply(model, edits, count);
	header = mta_model_header(model);
	/* The body itself is never replaced: it is taken as it is, NULs included. */
	add_lines(&plain, header, strlen(header));
	add_lines(&plain, body, length - (size_t)(body - text));
	if (plain.data[plain.length - 1] != '\n')
		mg_buf_add_text(&plain, "\r\n");
	add_cut(content, plain.data, plain.length, limit);
	mg_buf_free(&plain);
	mta_model_free(model);
	assert_false(content->failed);
}

void signed_send(struct signed_place *place, const struct letter *letter, size_t limit,
	struct signed_message *message)
{
	struct mg_client *client = driver_connect(&place->driver);
	const struct mg_client_edit *edits;
	size_t count;

	memset(message, 0, sizeof(*message));
	letter_open(client, letter);
	message->answer = letter_send(client, letter);
	snprintf(message->reply, sizeof(message->reply), "%s",
		message->answer == MG_ANSWER_LOST ? mg_client_error(client)
						  : mg_client_reply(client));
	if (message->answer == MG_ANSWER_CONTINUE) {
		edits = mg_client_edits(client, &count);
		make_content(letter, edits, count, limit, &message->content);
		signed_verify(message);
	}
	mg_client_close(client, true);
}

void signed_free(struct signed_message *message)
{
	mg_buf_free(&message->content);
}

bool signed_has(const struct signed_message *message, const char *text)
{
	return memmem(message->content.data, message->content.length, text, strlen(text)) != NULL;
}

/* --- the other implementation --- */

static DKIM_CBSTAT look_up(DKIM *dkim, DKIM_SIGINFO *signature, u_char *buffer, size_t size)
{
	char name[SIGNED_TEXT];

	(void)dkim;
	snprintf(name, sizeof(name), "%s._domainkey.%s",
		(const char *)dkim_sig_getselector(signature),
		(const char *)dkim_sig_getdomain(signature));
	for (size_t i = 0; i < record_count; i++)
		if (strcasecmp(records[i].name, name) == 0 && records[i].text.length < size) {
			memcpy(buffer, records[i].text.data, records[i].text.length + 1);
			return DKIM_CBSTAT_CONTINUE;
		}
	return DKIM_CBSTAT_NOTFOUND;
}

/* Gives the fields; returns where the body begins. */
static char *give_header(DKIM *dkim, char *at)
{
	while (strncmp(at, "\r\n", 2) != 0) {
		char *end = strstr(at, "\r\n");

		while (end != NULL && (end[2] == ' ' || end[2] == '\t'))
			end = strstr(end + 2, "\r\n");
		assert_non_null(end);
		dkim_header(dkim, (u_char *)at, (size_t)(end - at));
		at = end + 2;
	}
	return at + 2;
}

static void take_results(DKIM *dkim, struct signed_message *message)
{
	DKIM_SIGINFO **list;
	int count = 0;

	assert_int_equal(dkim_getsiglist(dkim, &list, &count), DKIM_STAT_OK);
	assert_in_range(count, 0, SIGNED_SIGNATURES_MAX);
	message->count = (size_t)count;
	for (int i = 0; i < count; i++) {
		u_char identity[SIGNED_TEXT] = "";

		message->signatures[i].pass = DKIM_SIG_CHECK(list[i]);
		dkim_sig_getidentity(dkim, list[i], identity, sizeof(identity));
		mg_str_copy(message->signatures[i].identity, SIGNED_TEXT, (char *)identity);
		mg_str_copy(message->signatures[i].domain, SIGNED_TEXT,
			(char *)dkim_sig_getdomain(list[i]));
		mg_str_copy(message->signatures[i].selector, SIGNED_TEXT,
			(char *)dkim_sig_getselector(list[i]));
		mg_str_copy(message->signatures[i].algorithm, SIGNED_TEXT,
			(char *)dkim_sig_getalgorithm(list[i]));
		mg_str_copy(message->signatures[i].why, SIGNED_TEXT,
			dkim_sig_getbh(list[i]) == DKIM_SIGBH_MISMATCH
				? "the body is another"
				: dkim_sig_geterrorstr((DKIM_SIGERROR)dkim_sig_geterror(list[i])));
	}
}

void signed_verify(struct signed_message *message)
{
	static DKIM_LIB *library;
	DKIM_STAT status;
	char *body;
	DKIM *dkim;

	if (library == NULL) {
		library = dkim_init(NULL, NULL);
		assert_non_null(library);
		dkim_set_key_lookup(library, look_up);
	}
	dkim = dkim_verify(library, (const unsigned char *)"test", NULL, &status);
	assert_non_null(dkim);
	message->count = 0;
	body = give_header(dkim, message->content.data);
	if (dkim_eoh(dkim) == DKIM_STAT_OK) {
		size_t length = message->content.length - (size_t)(body - message->content.data);

		if (length > 0)
			dkim_body(dkim, (u_char *)body, length);
		dkim_eom(dkim, NULL);
		take_results(dkim, message);
	}
	dkim_free(dkim);
}

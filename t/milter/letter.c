/* SPDX-License-Identifier: ISC */
/* The sessions of an MTA: driver.h, "the MTA". */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "driver.h"

static const char default_name[] = "client.example.org";
static const char default_content[] = "Subject: first\n\ntext\n";

const char *const letter_step_names[LETTER_STEPS] = {
	"connect", "helo", "mail", "rcpt", "data", "header", "eoh", "body", "eom"};

static const char *client_name(const struct letter *letter)
{
	return letter->client_name != NULL ? letter->client_name : default_name;
}

/* What Postfix knows; the queue id of an SMTP client's message from DATA on only. */
static void tell_macros(struct mg_client *client, const struct letter *letter, bool has_queue_id)
{
	const struct mg_client_macro smtp[] = {
		{"i", letter->queue_id != NULL ? letter->queue_id : "4QUEUEID"},
		{"j", "mx.example.org"},
		{"{daemon_name}", "mx.example.org"},
		{"{daemon_addr}", "192.0.2.25"},
		{"{daemon_port}", "25"},
		{"{client_addr}", "203.0.113.5"},
		{"{client_name}", client_name(letter)},
		{"{client_port}", "39204"},
		{"{tls_version}", "TLSv1.3"},
		{"{cipher}", "TLS_AES_256_GCM_SHA384"},
		{"{cipher_bits}", "256"},
	};
	const struct mg_client_macro local[] = {
		{"i", letter->queue_id != NULL ? letter->queue_id : "4QUEUEID"},
		{"j", "mx.example.org"},
		{"{daemon_name}", "mx.example.org"},
		{"{client_addr}", "127.0.0.1"},
		{"{client_name}", "localhost"},
		{"{client_port}", "0"},
	};
	size_t skip = has_queue_id || letter->local ? 0 : 1;

	if (letter->local)
		assert_true(mg_client_macros(client, local, sizeof(local) / sizeof(local[0])));
	else
		assert_true(mg_client_macros(
			client, smtp + skip, sizeof(smtp) / sizeof(smtp[0]) - skip));
}

static bool goes_on(enum mg_answer answer)
{
	return answer == MG_ANSWER_CONTINUE || answer == MG_ANSWER_NONE;
}

enum mg_answer letter_open(struct mg_client *client, const struct letter *letter)
{
	enum mg_answer answer;

	tell_macros(client, letter, false);
	if (letter->local)
		answer = mg_client_connect(client, "localhost", "127.0.0.1", 0, '4');
	else
		answer = mg_client_connect(client, client_name(letter), "203.0.113.5", 39204, '4');
	if (!goes_on(answer))
		return answer;
	if (letter->local)
		return mg_client_helo(client, "localhost");
	return mg_client_helo(client, letter->helo != NULL ? letter->helo : default_name);
}

/* RCPT for each; the last refusal when all are refused. */
static enum mg_answer send_recipients(struct mg_client *client, const struct letter *letter)
{
	static const char *const one[] = {"<recipient@example.net>", NULL};
	const char *const *recipients = letter->recipients != NULL ? letter->recipients : one;
	enum mg_answer refusal = MG_ANSWER_CONTINUE;
	bool taken = false;

	for (size_t i = 0; recipients[i] != NULL; i++) {
		enum mg_answer answer = mg_client_rcpt(client, &recipients[i], 1);

		if (answer == MG_ANSWER_ACCEPT || answer == MG_ANSWER_DISCARD ||
			answer == MG_ANSWER_LOST)
			return answer;
		if (goes_on(answer))
			taken = true;
		else
			refusal = answer;
		/* Postfix has a queue file from the first accepted recipient on. */
		tell_macros(client, letter, taken);
	}
	return taken ? MG_ANSWER_CONTINUE : refusal;
}

enum mg_answer letter_send(struct mg_client *client, const struct letter *letter)
{
	const char *sender = letter->sender != NULL ? letter->sender : "<sender@example.org>";
	const char *content = letter->content != NULL ? letter->content : default_content;
	size_t length = letter->content_length != 0 ? letter->content_length : strlen(content);
	enum mg_answer answer;

	tell_macros(client, letter, false);
	answer = mg_client_mail(client, &sender, 1);
	if (goes_on(answer))
		answer = send_recipients(client, letter);
	if (!goes_on(answer))
		return answer;
	tell_macros(client, letter, true);
	answer = mg_client_data(client);
	return goes_on(answer) ? mg_client_message(client, content, length, letter->chunk) : answer;
}

void letter_until_again(struct mg_client *client, enum letter_step last, const char *queue_id)
{
	static const char *const sender[] = {"<sender@example.org>"};
	static const char *const recipient[] = {"<recipient@example.net>"};
	const struct letter letter = {.queue_id = queue_id};

	for (enum letter_step step = LETTER_MAIL; step <= last; step++) {
		enum mg_answer answer = MG_ANSWER_NONE;

		tell_macros(client, &letter, step >= LETTER_DATA);
		switch (step) {
		case LETTER_MAIL: answer = mg_client_mail(client, sender, 1); break;
		case LETTER_RCPT: answer = mg_client_rcpt(client, recipient, 1); break;
		case LETTER_DATA: answer = mg_client_data(client); break;
		case LETTER_HEADER: answer = mg_client_header(client, "Subject", " first"); break;
		case LETTER_EOH: answer = mg_client_eoh(client); break;
		case LETTER_BODY: answer = mg_client_body(client, "text\r\n", 6); break;
		case LETTER_EOM: answer = mg_client_eom(client); break;
		default: break;
		}
		if (!goes_on(answer) && answer != MG_ANSWER_SKIP)
			fail_msg("%s was answered %d: %s %s", letter_step_names[step], answer,
				mg_client_reply(client), mg_client_error(client));
	}
}

void letter_until(struct mg_client *client, enum letter_step last, const char *queue_id)
{
	const struct letter letter = {.queue_id = queue_id};

	tell_macros(client, &letter, false);
	mg_client_connect(client, "client.example.org", "203.0.113.5", 39204, '4');
	if (last >= LETTER_HELO)
		mg_client_helo(client, "client.example.org");
	letter_until_again(client, last, queue_id);
}

/* SPDX-License-Identifier: ISC */
/* mg_client_message: a message sent in the steps that Postfix makes of it. */
#include "run/client.h"
#include "run/cut.h"

struct sending {
	struct mg_client *client;
	size_t chunk;
	enum mg_answer answer; /* to the last step */
};

static bool goes_on(enum mg_answer answer)
{
	return answer == MG_ANSWER_CONTINUE || answer == MG_ANSWER_NONE || answer == MG_ANSWER_SKIP;
}

static bool send_header(void *context, const char *name, const char *value)
{
	struct sending *sending = context;

	sending->answer = mg_client_header(sending->client, name, value);
	return goes_on(sending->answer);
}

static bool send_eoh(void *context)
{
	struct sending *sending = context;

	sending->answer = mg_client_eoh(sending->client);
	return goes_on(sending->answer);
}

static bool send_body(void *context, const char *chunk, size_t length)
{
	struct sending *sending = context;

	sending->answer = mg_client_body(sending->client, chunk, length);
	return goes_on(sending->answer);
}

static size_t chunk_size(void *context)
{
	const struct sending *sending = context;

	return sending->chunk;
}

enum mg_answer mg_client_message(
	struct mg_client *client, const char *message, size_t length, size_t chunk)
{
	struct sending sending = {.client = client, .chunk = chunk, .answer = MG_ANSWER_NONE};
	const struct mg_cut cut = {.header = send_header,
		.eoh = send_eoh,
		.body = send_body,
		.chunk = chunk_size,
		.context = &sending};

	if (!mg_cut_message(&cut, message, length))
		return MG_ANSWER_LOST;
	return goes_on(sending.answer) ? mg_client_eom(client) : sending.answer;
}

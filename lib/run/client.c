/* SPDX-License-Identifier: ISC */
#include "run/client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/client_reply.h"
#include "run/link.h"

enum {
	PROGRESS_MAX = 1000, /* each "still at it" of a filter starts the time-out anew */
	OUT_FULL = 65536 /* unanswered steps are sent together, up to this many bytes */
};

/* How far the MTA would still talk to the filter. */
enum talk {
	TALK_ALL,
	TALK_MESSAGE_OVER, /* accepted or discarded before its end: until the next message */
	TALK_SESSION_OVER /* accepted or refused as a whole */
};

struct mg_client {
	struct mg_link link;
	struct mg_wire_options options;
	char *lists[MG_WIRE_STAGE_COUNT]; /* options.macros, own copies */
	int64_t timeout;
	enum talk talk;
	enum mg_answer session_answer; /* what each step gets when the session is over */
	char skipped; /* command that the filter wants no more of, in a row; or NUL */
	struct mg_client_macro *macros;
	size_t macro_count;
	struct mg_buf macro_texts;
	struct mg_client_reply reply;
	struct mg_error error;
};

/* A step: its command, the flags by which a filter declines it or its answer, and where its macros
 * come from. Postfix sends the macros of CONNECT to DATA even when the step itself is declined. */
struct step {
	char command;
	uint32_t declined, silent;
	int stage; /* enum mg_wire_stage, or -1 */
	bool macros_when_declined;
	bool of_session; /* judges the session, not a message */
};

static const struct step step_connect = {
	MG_WIRE_CONNECT, MG_WIRE_NO_CONNECT, MG_WIRE_NR_CONNECT, MG_WIRE_STAGE_CONNECT, true, true};
static const struct step step_helo = {
	MG_WIRE_HELO, MG_WIRE_NO_HELO, MG_WIRE_NR_HELO, MG_WIRE_STAGE_HELO, true, true};
static const struct step step_mail = {
	MG_WIRE_MAIL, MG_WIRE_NO_MAIL, MG_WIRE_NR_MAIL, MG_WIRE_STAGE_MAIL, true, false};
static const struct step step_rcpt = {
	MG_WIRE_RCPT, MG_WIRE_NO_RCPT, MG_WIRE_NR_RCPT, MG_WIRE_STAGE_RCPT, true, false};
static const struct step step_data = {
	MG_WIRE_DATA, MG_WIRE_NO_DATA, MG_WIRE_NR_DATA, MG_WIRE_STAGE_DATA, true, false};
static const struct step step_header = {
	MG_WIRE_HEADER, MG_WIRE_NO_HEADERS, MG_WIRE_NR_HEADER, MG_WIRE_STAGE_EOH, false, false};
static const struct step step_eoh = {
	MG_WIRE_HEADER_END, MG_WIRE_NO_EOH, MG_WIRE_NR_EOH, MG_WIRE_STAGE_EOH, false, false};
static const struct step step_body = {
	MG_WIRE_BODY, MG_WIRE_NO_BODY, MG_WIRE_NR_BODY, MG_WIRE_STAGE_EOM, false, false};
static const struct step step_eom = {MG_WIRE_BODY_END, 0, 0, MG_WIRE_STAGE_EOM, false, false};
static const struct step step_unknown = {
	MG_WIRE_UNKNOWN, MG_WIRE_NO_UNKNOWN, MG_WIRE_NR_UNKNOWN, -1, false, false};

/* postconf(5), milter_connect_macros and so on. */
static const char *const default_macros[MG_WIRE_STAGE_COUNT] = {
	[MG_WIRE_STAGE_CONNECT] = "j {daemon_name} {daemon_addr} v _",
	[MG_WIRE_STAGE_HELO] = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
	[MG_WIRE_STAGE_MAIL] =
		"i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
	[MG_WIRE_STAGE_RCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
	[MG_WIRE_STAGE_DATA] = "i",
	[MG_WIRE_STAGE_EOM] = "i",
	[MG_WIRE_STAGE_EOH] = "i",
};

static enum mg_answer lost(struct mg_client *client)
{
	mg_link_close(&client->link);
	return MG_ANSWER_LOST;
}

/* Takes the options that the filter answered with; false with error. */
static bool take_options(struct mg_client *client, const struct mg_packet *packet, uint32_t actions,
	struct mg_error *error)
{
	struct mg_wire_options *options = &client->options;

	if (!mg_wire_get_options(packet, options)) {
		mg_error_set(error, "the filter answered the negotiation with something else");
		return false;
	}
	if (options->version < 2 || options->version > MG_WIRE_VERSION) {
		mg_error_set(error, "the filter wants version %u of the protocol, not %d",
			(unsigned)options->version, MG_WIRE_VERSION);
		return false;
	}
	if ((options->actions & ~actions) != 0) {
		mg_error_set(error, "the filter wants actions 0x%x that were not offered",
			(unsigned)(options->actions & ~actions));
		return false;
	}
	for (size_t i = 0; i < MG_WIRE_STAGE_COUNT; i++) {
		if (options->macros[i] == NULL)
			continue;
		client->lists[i] = strdup(options->macros[i]);
		options->macros[i] = client->lists[i];
		if (client->lists[i] == NULL) {
			mg_error_set(error, "out of memory");
			return false;
		}
	}
	return true;
}

static bool negotiate(
	struct mg_client *client, uint32_t protocol, uint32_t actions, struct mg_error *error)
{
	const struct mg_wire_options offer = {.version = MG_WIRE_VERSION,
		.actions = actions != 0 ? actions : MG_CLIENT_ACTIONS,
		.protocol = protocol != 0 ? protocol : MG_CLIENT_PROTOCOL};
	int64_t deadline = mg_link_now() + client->timeout;
	struct mg_packet packet;

	mg_wire_put_options(&client->link.out, &offer);
	return mg_link_flush(&client->link, deadline, error) == 0 &&
	       mg_link_next(&client->link, deadline, &packet, error) == 1 &&
	       take_options(client, &packet, offer.actions, error);
}

struct mg_client *mg_client_open_fd(
	int fd, uint32_t protocol, uint32_t actions, int64_t timeout, struct mg_error *error)
{
	struct mg_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		mg_error_set(error, "out of memory");
		close(fd);
		return NULL;
	}
	mg_link_open(&client->link, fd);
	client->timeout = timeout;
	if (!negotiate(client, protocol, actions, error)) {
		mg_client_close(client, false);
		return NULL;
	}
	return client;
}

struct mg_client *mg_client_open(const struct mg_endpoint *endpoint, uint32_t protocol,
	uint32_t actions, int64_t timeout, struct mg_error *error)
{
	int fd = mg_connect(endpoint, timeout, error);

	return fd >= 0 ? mg_client_open_fd(fd, protocol, actions, timeout, error) : NULL;
}

const struct mg_wire_options *mg_client_options(const struct mg_client *client)
{
	return &client->options;
}

bool mg_client_macros(struct mg_client *client, const struct mg_client_macro *macros, size_t count)
{
	struct mg_buf texts = {0};
	struct mg_client_macro *copies = calloc(count + 1, sizeof(*copies));
	const char *next;

	for (size_t i = 0; i < count; i++) {
		mg_buf_add(&texts, macros[i].name, strlen(macros[i].name) + 1);
		mg_buf_add(&texts, macros[i].value, strlen(macros[i].value) + 1);
	}
	if (copies == NULL || texts.failed) {
		free(copies);
		mg_buf_free(&texts);
		return false;
	}
	next = mg_buf_text(&texts);
	for (size_t i = 0; i < count; i++) {
		copies[i].name = next;
		next += strlen(next) + 1;
		copies[i].value = next;
		next += strlen(next) + 1;
	}
	free(client->macros);
	mg_buf_free(&client->macro_texts);
	client->macros = copies;
	client->macro_count = count;
	client->macro_texts = texts;
	return true;
}

/* Whether name[0..length), braces optional, is the macro. */
static bool names_macro(const char *name, size_t length, const char *macro)
{
	size_t macro_length = strlen(macro);

	if (length >= 2 && name[0] == '{' && name[length - 1] == '}') {
		name++;
		length -= 2;
	}
	if (macro_length >= 2 && macro[0] == '{' && macro[macro_length - 1] == '}') {
		macro++;
		macro_length -= 2;
	}
	return length == macro_length && memcmp(name, macro, length) == 0;
}

/* The packet of macros before a command. Postfix sends it even when none has a value. */
static void put_macros(struct mg_client *client, const struct step *step)
{
	const char *list = client->lists[step->stage];
	struct mg_buf data = {0};

	if (list == NULL)
		list = default_macros[step->stage];
	mg_buf_add_char(&data, step->command);
	for (;;) {
		size_t length;

		list += strspn(list, " \t,");
		length = strcspn(list, " \t,");
		if (length == 0)
			break;
		for (size_t i = 0; i < client->macro_count; i++) {
			const struct mg_client_macro *macro = &client->macros[i];

			if (!names_macro(list, length, macro->name))
				continue;
			mg_buf_add(&data, list, length);
			mg_buf_add_char(&data, '\0');
			mg_buf_add(&data, macro->value, strlen(macro->value) + 1);
			break;
		}
		list += length;
	}
	if (data.failed)
		client->link.out.failed = true;
	else
		mg_wire_put(&client->link.out, MG_WIRE_MACRO, data.data, data.length);
	mg_buf_free(&data);
}

static enum mg_answer read_answer(struct mg_client *client, const struct step *step)
{
	enum mg_answer answer = MG_ANSWER_NONE;

	for (int progress = 0; answer == MG_ANSWER_NONE;) {
		size_t edits = client->reply.edit_count;
		struct mg_packet packet;

		if (mg_link_next(&client->link, mg_link_now() + client->timeout, &packet,
			    &client->error) != 1)
			return lost(client);
		answer = mg_client_reply_take(
			&client->reply, step->command, &packet, &client->error);
		if (answer == MG_ANSWER_LOST)
			return lost(client);
		if (answer == MG_ANSWER_NONE && client->reply.edit_count == edits &&
			++progress > PROGRESS_MAX) {
			mg_error_set(&client->error, "the filter does not come to an end");
			return lost(client);
		}
	}
	return answer;
}

/* What an answer means for the steps to come. */
static void heed(struct mg_client *client, const struct step *step, enum mg_answer answer)
{
	bool refused = answer == MG_ANSWER_REJECT || answer == MG_ANSWER_TEMPFAIL;

	if (answer == MG_ANSWER_SKIP)
		client->skipped = step->command;
	if (step->of_session) {
		if (refused || answer == MG_ANSWER_ACCEPT) {
			client->talk = TALK_SESSION_OVER;
			client->session_answer = refused ? answer : MG_ANSWER_NONE;
		}
	} else if (step->command != MG_WIRE_BODY_END &&
		   (answer == MG_ANSWER_ACCEPT || answer == MG_ANSWER_DISCARD)) {
		client->talk = TALK_MESSAGE_OVER;
	}
}

/* Sends a step and reads its answer, as the negotiation has it. */
static enum mg_answer take_step(
	struct mg_client *client, const struct step *step, const void *data, size_t length)
{
	bool declined = (client->options.protocol & step->declined) != 0;
	int64_t deadline = mg_link_now() + client->timeout;
	enum mg_answer answer;

	if (client->talk == TALK_SESSION_OVER)
		return client->session_answer;
	if (client->link.fd < 0)
		return MG_ANSWER_LOST;
	mg_client_reply_reset(&client->reply);
	if (client->talk == TALK_MESSAGE_OVER)
		return MG_ANSWER_NONE;
	if (client->skipped == step->command)
		return MG_ANSWER_NONE;
	client->skipped = '\0';
	if (step->stage >= 0 && (!declined || step->macros_when_declined))
		put_macros(client, step);
	if (!declined)
		mg_wire_put(&client->link.out, step->command, data, length);
	if (declined || (client->options.protocol & step->silent) != 0) {
		if (client->link.out.length >= OUT_FULL &&
			mg_link_flush(&client->link, deadline, &client->error) != 0)
			return lost(client);
		return MG_ANSWER_NONE;
	}
	if (mg_link_flush(&client->link, deadline, &client->error) != 0)
		return lost(client);
	answer = read_answer(client, step);
	heed(client, step, answer);
	return answer;
}

/* As take_step, with the data in a buffer that is freed. */
static enum mg_answer take_step_buf(
	struct mg_client *client, const struct step *step, struct mg_buf *data)
{
	enum mg_answer answer;

	if (data->failed) {
		mg_error_set(&client->error, "out of memory");
		answer = lost(client);
	} else {
		answer = take_step(client, step, mg_buf_text(data), data->length);
	}
	mg_buf_free(data);
	return answer;
}

static void add_text(struct mg_buf *data, const char *text)
{
	mg_buf_add(data, text, strlen(text) + 1);
}

enum mg_answer mg_client_connect(
	struct mg_client *client, const char *name, const char *address, uint16_t port, char family)
{
	struct mg_buf data = {0};

	add_text(&data, name);
	mg_buf_add_char(&data, family);
	if (family != 'U') {
		mg_buf_add_char(&data, (char)(port >> 8));
		mg_buf_add_char(&data, (char)(port & 0xff));
		add_text(&data, address);
	}
	return take_step_buf(client, &step_connect, &data);
}

enum mg_answer mg_client_helo(struct mg_client *client, const char *name)
{
	return take_step(client, &step_helo, name, strlen(name) + 1);
}

static enum mg_answer take_arguments(struct mg_client *client, const struct step *step,
	const char *const arguments[], size_t count)
{
	struct mg_buf data = {0};

	for (size_t i = 0; i < count; i++)
		add_text(&data, arguments[i]);
	return take_step_buf(client, step, &data);
}

enum mg_answer mg_client_mail(struct mg_client *client, const char *const arguments[], size_t count)
{
	/* Postfix resets a filter that was not told the end of the message before. */
	if (client->talk == TALK_MESSAGE_OVER)
		mg_client_abort(client);
	return take_arguments(client, &step_mail, arguments, count);
}

enum mg_answer mg_client_rcpt(struct mg_client *client, const char *const arguments[], size_t count)
{
	return take_arguments(client, &step_rcpt, arguments, count);
}

enum mg_answer mg_client_data(struct mg_client *client)
{
	return take_step(client, &step_data, "", 0);
}

enum mg_answer mg_client_header(struct mg_client *client, const char *name, const char *value)
{
	struct mg_buf data = {0};

	if ((client->options.protocol & MG_WIRE_HEADER_LEADING_SPACE) == 0 && *value == ' ')
		value++;
	add_text(&data, name);
	add_text(&data, value);
	return take_step_buf(client, &step_header, &data);
}

enum mg_answer mg_client_eoh(struct mg_client *client)
{
	return take_step(client, &step_eoh, "", 0);
}

enum mg_answer mg_client_body(struct mg_client *client, const void *chunk, size_t length)
{
	if (length > MG_WIRE_CHUNK_MAX) {
		mg_error_set(&client->error, "a body chunk of %zu bytes", length);
		return MG_ANSWER_LOST;
	}
	return take_step(client, &step_body, chunk, length);
}

enum mg_answer mg_client_eom(struct mg_client *client)
{
	return take_step(client, &step_eom, "", 0);
}

enum mg_answer mg_client_unknown(struct mg_client *client, const char *command)
{
	return take_step(client, &step_unknown, command, strlen(command) + 1);
}

void mg_client_abort(struct mg_client *client)
{
	if (client->talk == TALK_SESSION_OVER)
		return;
	client->talk = TALK_ALL;
	client->skipped = '\0';
	mg_wire_put(&client->link.out, MG_WIRE_ABORT, "", 0);
	if (mg_link_flush(&client->link, mg_link_now() + client->timeout, &client->error) != 0)
		lost(client);
}

const char *mg_client_reply(const struct mg_client *client)
{
	return client->reply.text;
}

const struct mg_client_edit *mg_client_edits(const struct mg_client *client, size_t *count)
{
	*count = client->reply.edit_count;
	return client->reply.edits;
}

const char *mg_client_error(const struct mg_client *client)
{
	return client->error.text;
}

void mg_client_close(struct mg_client *client, bool quit)
{
	if (client == NULL)
		return;
	if (client->link.fd >= 0) {
		if (quit)
			mg_wire_put(&client->link.out, MG_WIRE_QUIT, "", 0);
		mg_link_flush(&client->link, mg_link_now() + client->timeout, NULL);
	}
	mg_link_close(&client->link);
	mg_client_reply_free(&client->reply);
	free(client->macros);
	mg_buf_free(&client->macro_texts);
	for (size_t i = 0; i < MG_WIRE_STAGE_COUNT; i++)
		free(client->lists[i]);
	free(client);
}

int mg_client_raw(struct mg_client *client, const void *bytes, size_t length)
{
	mg_buf_add(&client->link.out, bytes, length);
	return mg_link_flush(&client->link, mg_link_now() + client->timeout, &client->error);
}

int mg_client_raw_reply(struct mg_client *client, struct mg_packet *packet)
{
	return mg_link_next(&client->link, mg_link_now() + client->timeout, packet, &client->error);
}

int mg_client_probe(const struct mg_endpoint *endpoint, int64_t timeout, struct mg_error *error)
{
	struct mg_client *client = mg_client_open(endpoint, 0, 0, timeout, error);

	if (client == NULL)
		return -1;
	mg_client_close(client, true);
	return 0;
}

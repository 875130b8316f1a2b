/* SPDX-License-Identifier: ISC */
#include "run/judge_case.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/net.h"
#include "base/str.h"

enum { PORT_MAX = 65535, NAME_SIZE = 64, MEMBERS_MAX = 32, RECORD_INDENT = 2 };

const struct mg_case_member mg_case_members[] = {
	{"client", MG_CASE_ADDRESS, "127.0.0.1", "IP address of the client"},
	{"client_name", MG_CASE_TEXT, NULL, "Verified name of the client"},
	{"port", MG_CASE_NUMBER, "49152", "Port of the client"},
	{"helo", MG_CASE_TEXT, "localhost", "Name that the client gives with EHLO"},
	{"user", MG_CASE_TEXT, NULL, "SASL user"},
	{"auth_method", MG_CASE_TEXT, NULL, "SASL mechanism"},
	{"tls", MG_CASE_OBJECT, NULL, "TLS of the client, none without it"},
	{"tls.version", MG_CASE_TEXT, NULL, "Such as TLSv1.3"},
	{"tls.cipher", MG_CASE_TEXT, NULL, "Such as TLS_AES_256_GCM_SHA384"},
	{"tls.bits", MG_CASE_NUMBER, NULL, "Bits of the cipher"},
	{"tls.subject", MG_CASE_TEXT, NULL, "Common name of a verified client certificate"},
	{"tls.issuer", MG_CASE_TEXT, NULL, "Common name of its issuer"},
	{"listener", MG_CASE_TEXT, NULL,
		"Name of the listening service (milter_macro_daemon_name)"},
	{"listener_address", MG_CASE_LISTENER, NULL, "Its ADDRESS:PORT"},
	{"sender", MG_CASE_TEXT, "sender@localhost", "Envelope sender; empty is the null sender"},
	{"recipients", MG_CASE_LIST, "recipient@localhost", "Envelope recipients"},
	{"queue_id", MG_CASE_TEXT, "JUDGED", "Queue id"},
	{"local", MG_CASE_BOOLEAN, "false", "The message did not come by SMTP"},
	{"now", MG_CASE_TIME, NULL, "The time, as of RFC 3339; the clock stands still"},
	{"dns", MG_CASE_OBJECT, NULL,
		"Answers of the DNS, by \"NAME TYPE\": a list of texts, such as \"10 "
		"mx.example.net\" for MX, empty for no such record; or the text NXDOMAIN, "
		"SERVFAIL or TIMEOUT; in a text, \\eDDD is a byte by its decimal number; a name "
		"that is not here does not exist; without this member the resolver is asked"},
	{"store", MG_CASE_OBJECT, NULL, "Counters and records"},
	{.name = NULL},
};

/* Objects whose members are here, too: those of the others are not looked at. */
static const char *const open_objects[] = {"tls"};

struct mg_case {
	json_t *object;
	int64_t now;
};

struct mg_case *mg_case_new(void)
{
	struct mg_case *facts = calloc(1, sizeof *facts);

	if (facts == NULL)
		return NULL;
	facts->object = json_object();
	if (facts->object != NULL)
		return facts;
	free(facts);
	return NULL;
}

void mg_case_free(struct mg_case *facts)
{
	if (facts == NULL)
		return;
	json_decref(facts->object);
	free(facts);
}

/* --- checks --- */

static const struct mg_case_member *find_member(const char *name)
{
	for (const struct mg_case_member *row = mg_case_members; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

/* "203.0.113.5:25", "[2001:db8::1]:25" into address and port. */
static bool split_listener(const char *text, char *address, size_t size, uint64_t *port)
{
	const char *colon = strrchr(text, ':');
	struct sockaddr_storage parsed;
	size_t length;

	if (colon == NULL || !mg_str_number(colon + 1, PORT_MAX, port))
		return false;
	length = (size_t)(colon - text);
	if (text[0] == '[' && length > 1 && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	return mg_str_format(address, size, "%.*s", (int)length, text) &&
	       mg_net_parse(address, 0, &parsed);
}

static bool is_address(const char *text)
{
	struct sockaddr_storage address;

	return mg_net_parse(text, 0, &address);
}

static bool is_listener(const char *text)
{
	char address[NAME_SIZE];
	uint64_t port;

	return split_listener(text, address, sizeof address, &port);
}

static bool is_time(const char *text)
{
	int64_t utc;

	return mg_clock_parse(text, &utc);
}

/* A text without what would end a line or a string of the protocol. */
static bool is_line(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) &&
	       text[strcspn(text, "\r\n")] == '\0';
}

static bool is_list(const json_t *value)
{
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!is_line(json_array_get(value, i)))
			return false;
	return json_array_size(value) > 0;
}

/* What a value of this kind is; NULL when it is one. */
static const char *expected(const struct mg_case_member *member, const json_t *value)
{
	static bool (*const checks[])(const char *) = {[MG_CASE_ADDRESS] = is_address,
		[MG_CASE_LISTENER] = is_listener,
		[MG_CASE_TIME] = is_time};
	static const char *const words[] = {[MG_CASE_TEXT] = "a text of one line",
		[MG_CASE_ADDRESS] = "an IP address",
		[MG_CASE_LISTENER] = "\"ADDRESS:PORT\"",
		[MG_CASE_TIME] = "a time, such as \"2026-11-24T11:49:20Z\"",
		[MG_CASE_NUMBER] = "a number from 0 to 65535",
		[MG_CASE_BOOLEAN] = "true or false",
		[MG_CASE_LIST] = "a list of texts, at least one",
		[MG_CASE_OBJECT] = "an object"};
	bool right = false;

	switch (member->kind) {
	case MG_CASE_TEXT: right = is_line(value); break;
	case MG_CASE_ADDRESS:
	case MG_CASE_LISTENER:
	case MG_CASE_TIME:
		right = is_line(value) && checks[member->kind](json_string_value(value));
		break;
	case MG_CASE_NUMBER:
		right = json_is_integer(value) && json_integer_value(value) >= 0 &&
			json_integer_value(value) <= PORT_MAX;
		break;
	case MG_CASE_BOOLEAN: right = json_is_boolean(value); break;
	case MG_CASE_LIST: right = is_list(value); break;
	case MG_CASE_OBJECT: right = json_is_object(value); break;
	}
	return right ? NULL : words[member->kind];
}

/* --- from a file and from options --- */

static void add_unknown(const char *place, const char *name, struct mg_errors *errors)
{
	const char *names[MEMBERS_MAX], *nearest;
	char printable[NAME_SIZE * 2];
	size_t count = 0;

	for (const struct mg_case_member *row = mg_case_members; row->name != NULL; row++)
		names[count++] = row->name;
	nearest = mg_str_nearest(name, names, count);
	mg_errors_add(errors, "%s: no member \"%s\"%s%s", place,
		mg_str_printable(printable, sizeof printable, name, strlen(name)),
		nearest != NULL ? "; nearest: " : "", nearest != NULL ? nearest : "");
}

static void check_value(
	const char *place, const char *name, const json_t *value, struct mg_errors *errors)
{
	const struct mg_case_member *member = find_member(name);
	const char *what = member != NULL ? expected(member, value) : NULL;

	if (member == NULL)
		add_unknown(place, name, errors);
	else if (what != NULL)
		mg_errors_add(errors, "%s: %s: expected %s", place, name, what);
}

static bool is_open(const char *name)
{
	for (size_t i = 0; i < sizeof open_objects / sizeof open_objects[0]; i++)
		if (strcmp(name, open_objects[i]) == 0)
			return true;
	return false;
}

static void check_object(const char *place, json_t *object, struct mg_errors *errors)
{
	const char *name, *inner;
	json_t *value, *part;

	json_object_foreach(object, name, value)
	{
		/* A dotted name is a way of naming, none of writing. */
		if (strchr(name, '.') != NULL)
			add_unknown(place, name, errors);
		else
			check_value(place, name, value, errors);
		if (!is_open(name))
			continue;
		json_object_foreach(value, inner, part)
		{
			char dotted[NAME_SIZE * 2];

			mg_str_format(dotted, sizeof dotted, "%s.%s", name, inner);
			check_value(place, dotted, part, errors);
		}
	}
}

bool mg_case_load(struct mg_case *facts, const char *path, struct mg_errors *errors)
{
	size_t before = errors->count;
	json_error_t error;
	FILE *file = fopen(path, "re");
	json_t *object;

	if (file == NULL) {
		mg_errors_add(errors, "%s: %s", path, strerror(errno));
		return false;
	}
	object = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	fclose(file);
	if (object == NULL) {
		mg_errors_add(errors, "%s:%d:%d: %s", path, error.line, error.column, error.text);
		return false;
	}
	if (json_is_object(object))
		check_object(path, object, errors);
	else
		mg_errors_add(errors, "%s: expected an object", path);
	if (errors->count == before && json_object_update(facts->object, object) != 0)
		mg_errors_add(errors, "%s: out of memory", path);
	json_decref(object);
	return errors->count == before;
}

/* Sets a member, also one of an object in it; takes the reference. */
static bool put(struct mg_case *facts, const char *name, json_t *value)
{
	const char *dot = strchr(name, '.');
	char outer[NAME_SIZE];
	json_t *object = facts->object;

	if (dot != NULL) {
		mg_str_format(outer, sizeof outer, "%.*s", (int)(dot - name), name);
		object = json_object_get(facts->object, outer);
		if (object == NULL) {
			object = json_object();
			if (json_object_set_new(facts->object, outer, object) != 0)
				object = NULL;
		}
		name = dot + 1;
	}
	return json_object_set_new(object, name, value) == 0;
}

static const json_t *get(const struct mg_case *facts, const char *name)
{
	const char *dot = strchr(name, '.');
	const json_t *object = facts->object;
	char outer[NAME_SIZE];

	if (dot != NULL) {
		mg_str_format(outer, sizeof outer, "%.*s", (int)(dot - name), name);
		object = json_object_get(object, outer);
		name = dot + 1;
	}
	return json_object_get(object, name);
}

static bool put_checked(
	struct mg_case *facts, const char *name, json_t *value, struct mg_errors *errors)
{
	size_t before = errors->count;

	if (value == NULL) {
		mg_errors_add(errors, "%s: expected text in UTF-8", name);
		return false;
	}
	check_value("command line", name, value, errors);
	if (errors->count > before) {
		json_decref(value);
		return false;
	}
	if (!put(facts, name, value))
		mg_errors_add(errors, "out of memory");
	return errors->count == before;
}

bool mg_case_set(
	struct mg_case *facts, const char *name, const char *text, struct mg_errors *errors)
{
	return put_checked(facts, name, json_string(text), errors);
}

bool mg_case_set_recipients(
	struct mg_case *facts, const char *const recipients[], struct mg_errors *errors)
{
	json_t *list;

	if (recipients[0] == NULL)
		return true;
	list = json_array();
	for (size_t i = 0; recipients[i] != NULL; i++)
		if (json_array_append_new(list, json_string(recipients[i])) != 0) {
			json_decref(list);
			list = NULL;
			break;
		}
	return put_checked(facts, "recipients", list, errors);
}

/* --- whole --- */

static json_t *standard_value(const struct mg_case_member *member)
{
	json_t *value = NULL;
	uint64_t number;

	switch (member->kind) {
	case MG_CASE_NUMBER:
		if (mg_str_number(member->standard, PORT_MAX, &number))
			value = json_integer((json_int_t)number);
		break;
	case MG_CASE_BOOLEAN: value = json_boolean(strcmp(member->standard, "true") == 0); break;
	case MG_CASE_LIST: value = json_pack("[s]", member->standard); break;
	default: value = json_string(member->standard); break;
	}
	return value;
}

bool mg_case_complete(struct mg_case *facts, int64_t now)
{
	char text[NAME_SIZE];
	bool made = true;

	/* Of the client that is given its name is not known. */
	if (get(facts, "client") == NULL && get(facts, "client_name") == NULL)
		made = put(facts, "client_name", json_string("localhost"));
	for (const struct mg_case_member *row = mg_case_members; row->name != NULL && made; row++)
		if (row->standard != NULL && get(facts, row->name) == NULL)
			made = put(facts, row->name, standard_value(row));
	if (get(facts, "now") == NULL) {
		mg_clock_format(text, sizeof text, now);
		made = made && put(facts, "now", json_string(text));
	}
	return made && mg_clock_parse(mg_case_text(facts, "now"), &facts->now);
}

const char *mg_case_text(const struct mg_case *facts, const char *name)
{
	const char *text = json_string_value(get(facts, name));

	return text != NULL ? text : "";
}

int64_t mg_case_number(const struct mg_case *facts, const char *name)
{
	return json_integer_value(get(facts, name));
}

bool mg_case_true(const struct mg_case *facts, const char *name)
{
	return json_is_true(get(facts, name));
}

int64_t mg_case_now(const struct mg_case *facts)
{
	return facts->now;
}

size_t mg_case_recipient_count(const struct mg_case *facts)
{
	return json_array_size(get(facts, "recipients"));
}

const char *mg_case_recipient(const struct mg_case *facts, size_t index)
{
	return json_string_value(json_array_get(get(facts, "recipients"), index));
}

/* --- dns --- */

bool mg_case_has_dns(const struct mg_case *facts)
{
	return json_object_get(facts->object, "dns") != NULL;
}

/* The row of a member; its values go to `values`. false with errors. */
static bool read_row(const char *question, const json_t *value, struct mg_dns_row *row,
	const char **values, struct mg_errors *errors)
{
	char printable[NAME_SIZE * 2];

	*row = (struct mg_dns_row){.question = question,
		.failure = json_string_value(value),
		.values = values,
		.count = json_array_size(value)};
	for (size_t i = 0; i < row->count; i++)
		values[i] = json_string_value(json_array_get(value, i));
	for (size_t i = 0; i < row->count; i++)
		if (values[i] == NULL)
			row->values = NULL;
	if (row->values != NULL && (row->failure != NULL || json_is_array(value)))
		return true;
	mg_errors_add(errors, "dns: %s: expected a list of texts, or NXDOMAIN, SERVFAIL or TIMEOUT",
		mg_str_printable(printable, sizeof printable, question, strlen(question)));
	return false;
}

struct mg_dns *mg_case_dns(const struct mg_case *facts, struct mg_errors *errors)
{
	json_t *object = json_object_get(facts->object, "dns"), *value;
	size_t count = 0, total = 0, before = errors->count;
	struct mg_dns_row *rows;
	struct mg_dns *dns = NULL;
	const char *question, **values;

	json_object_foreach(object, question, value) total += json_array_size(value);
	rows = calloc(json_object_size(object) + 1, sizeof *rows);
	values = calloc(total + 1, sizeof *values);
	total = 0;
	if (rows == NULL || values == NULL) {
		mg_errors_add(errors, "out of memory");
		goto done;
	}
	json_object_foreach(object, question, value)
	{
		read_row(question, value, &rows[count++], values + total, errors);
		total += json_array_size(value);
	}
	if (errors->count == before)
		dns = mg_dns_case_new(rows, count, errors);
done:
	free(rows);
	free((void *)values);
	return dns;
}

static bool add_row(void *context, const struct mg_dns_row *row)
{
	json_t *value = row->failure != NULL ? json_string(row->failure) : json_array();

	for (size_t i = 0; row->failure == NULL && i < row->count; i++)
		if (json_array_append_new(value, json_string(row->values[i])) != 0) {
			json_decref(value);
			return false;
		}
	return json_object_set_new(context, row->question, value) == 0;
}

bool mg_case_set_dns(struct mg_case *facts, struct mg_dns_notes *notes)
{
	json_t *object = json_object();

	if (object == NULL || !mg_dns_notes_each(notes, add_row, object)) {
		json_decref(object);
		return false;
	}
	return json_object_set_new(facts->object, "dns", object) == 0;
}

int mg_case_record(const struct mg_case *facts, const char *path, struct mg_error *error)
{
	FILE *file = fopen(path, "we");
	bool written;

	if (file == NULL) {
		mg_error_system(error, errno, "%s", path);
		return -1;
	}
	written = json_dumpf(facts->object, file, JSON_INDENT(RECORD_INDENT)) == 0 &&
		  fputc('\n', file) != EOF;
	if (fclose(file) == 0 && written)
		return 0;
	mg_error_system(error, errno, "%s", path);
	return -1;
}

void mg_case_print_mdoc(FILE *stream)
{
	static const char *const kinds[] = {[MG_CASE_TEXT] = "text",
		[MG_CASE_ADDRESS] = "text",
		[MG_CASE_LISTENER] = "text",
		[MG_CASE_TIME] = "text",
		[MG_CASE_NUMBER] = "number",
		[MG_CASE_BOOLEAN] = "true or false",
		[MG_CASE_LIST] = "list of texts",
		[MG_CASE_OBJECT] = "object"};

	for (const struct mg_case_member *row = mg_case_members; row->name != NULL; row++) {
		fprintf(stream, ".It Va %s\n%s", row->name, kinds[row->kind]);
		if (row->standard != NULL)
			fprintf(stream, "; default\n.Ql %s", row->standard);
		fprintf(stream, "\n.br\n%s.\n", row->meaning);
	}
}

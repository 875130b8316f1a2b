/* SPDX-License-Identifier: ISC */
#include "track/line.h"

#include <string.h>

#include "track/line_cursor.h"
#include "track/line_private.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const kind_names[TRACK_KIND_COUNT] = {
	[TRACK_NONE] = "none",
	[TRACK_CONNECT] = "connect",
	[TRACK_TLS_IN] = "tls-in",
	[TRACK_CLIENT] = "client",
	[TRACK_REFUSAL] = "refusal",
	[TRACK_HOLD] = "hold",
	[TRACK_DISCARD] = "discard",
	[TRACK_NOTICE] = "notice",
	[TRACK_AUTH_FAILED] = "auth-failed",
	[TRACK_LOST] = "lost",
	[TRACK_DISCONNECT] = "disconnect",
	[TRACK_MESSAGE_ID] = "message-id",
	[TRACK_PICKUP] = "pickup",
	[TRACK_ACTIVE] = "active",
	[TRACK_DELIVERY] = "delivery",
	[TRACK_EXPIRED] = "expired",
	[TRACK_NOTIFICATION] = "notification",
	[TRACK_NOTIFICATION_FAILED] = "notification-failed",
	[TRACK_REMOVED] = "removed",
	[TRACK_OPERATOR] = "operator",
	[TRACK_TLS_OUT] = "tls-out",
	[TRACK_SCREEN] = "screen",
	[TRACK_MILTER_DOWN] = "milter-down",
	[TRACK_WARNING] = "warning",
};

const char *track_kind_name(enum track_kind kind)
{
	return kind_names[kind];
}

/* Postfix's own programs (what master.cf and postfix(1) start); a line of another, as a policy
 * server that calls itself "postfix/policy", is not Postfix's. */
static const struct program {
	const char *name;
	line_reader *read;
} programs[] = {
	/* Sorted by how much they log. */
	{"smtpd", line_read_smtpd},
	{"cleanup", line_read_cleanup},
	{"qmgr", line_read_qmgr},
	{"smtp", line_read_smtp},
	{"lmtp", line_read_smtp},
	{"local", line_read_delivery},
	{"virtual", line_read_delivery},
	{"pipe", line_read_delivery},
	{"error", line_read_delivery},
	{"retry", line_read_delivery},
	{"discard", line_read_delivery},
	{"bounce", line_read_bounce},
	{"defer", line_read_bounce},
	{"trace", line_read_bounce},
	{"pickup", line_read_pickup},
	{"nqmgr", line_read_qmgr},
	{"oqmgr", line_read_qmgr},
	{"postsuper", line_read_postsuper},
	{"postscreen", line_read_postscreen},
	{"anvil", line_read_silent},
	{"dnsblog", line_read_silent},
	{"flush", line_read_silent},
	{"master", line_read_silent},
	{"postalias", line_read_silent},
	{"postcat", line_read_silent},
	{"postconf", line_read_silent},
	{"postdrop", line_read_silent},
	{"postfix", line_read_silent},
	{"postfix-script", line_read_silent},
	{"postfix-tls-script", line_read_silent},
	{"postkick", line_read_silent},
	{"postlock", line_read_silent},
	{"postlog", line_read_silent},
	{"postlogd", line_read_silent},
	{"postmap", line_read_silent},
	{"postmulti", line_read_silent},
	{"postqueue", line_read_silent},
	{"post-install", line_read_silent},
	{"proxymap", line_read_silent},
	{"proxywrite", line_read_silent},
	{"qmqpd", line_read_smtpd},
	{"scache", line_read_silent},
	{"sendmail", line_read_silent},
	{"showq", line_read_silent},
	{"spawn", line_read_silent},
	{"tlsmgr", line_read_silent},
	{"tlsproxy", line_read_tlsproxy},
	{"trivial-rewrite", line_read_silent},
	{"verify", line_read_silent},
};

static const struct program *find_program(struct track_text name)
{
	for (size_t i = 0; i < COUNT(programs); i++)
		if (programs[i].name[0] == name.text[0] &&
			strlen(programs[i].name) == name.length &&
			memcmp(programs[i].name, name.text, name.length) == 0)
			return &programs[i];
	return NULL;
}

static void clear_line(struct track_line *line)
{
	memset(line, 0, sizeof(*line));
	line->delay = line->delays[0] = line->delays[1] = line->delays[2] = line->delays[3] = -1;
	line->size = line->recipients = line->uid = line->conn_use = -1;
	line->auth_tried = line->auth_good = -1;
	line->mails = line->rcpts_good = line->rcpts_tried = -1;
}

void line_forget(struct track_line *line)
{
	struct track_text instance = line->instance, service = line->service;
	struct track_text program = line->program, queue_id = line->queue_id;

	clear_line(line);
	line->instance = instance;
	line->service = service;
	line->program = program;
	line->queue_id = queue_id;
}

/* The longest syslog name that the identifier begins with. */
static size_t find_instance(const char *identifier, size_t length, const char *const instances[])
{
	size_t longest = 0;

	for (; *instances != NULL; instances++) {
		size_t own = strlen(*instances);

		if (own > longest && own <= length && memcmp(*instances, identifier, own) == 0 &&
			(own == length || identifier[own] == '/'))
			longest = own;
	}
	return longest;
}

/* "postfix/submission/smtpd": instance, service, program. */
static bool read_identifier(
	const struct track_record *record, const char *const instances[], struct track_line *line)
{
	const char *identifier = record->identifier, *slash;
	size_t length = record->identifier_length;
	size_t instance = find_instance(identifier, length, instances);

	if (instance == 0)
		return false;
	line->instance = (struct track_text){.text = identifier, .length = instance};
	if (instance == length) {
		line->program = line->instance;
		return true;
	}
	identifier += instance + 1;
	length -= instance + 1;
	slash = memrchr(identifier, '/', length);
	if (slash != NULL) {
		line->service.text = identifier;
		line->service.length = (size_t)(slash - identifier);
		length -= line->service.length + 1;
		identifier = slash + 1;
	}
	line->program = (struct track_text){.text = identifier, .length = length};
	return length > 0;
}

/* What any program may write. The text of a warning is all of it. */
static const struct line_pattern levels[] = {
	{TRACK_MILTER_DOWN, "warning: connect to Milter service %.", "warning"},
	{TRACK_MILTER_DOWN, "warning: milter %.", "warning"},
	{TRACK_WARNING, "warning: AUTH command rate limit exceeded: %d from %c %.", "warning"},
	{TRACK_WARNING, "warning: Connection concurrency limit exceeded: %d from %c %.", "warning"},
	{TRACK_WARNING, "warning: Connection rate limit exceeded: %d from %c %.", "warning"},
	{TRACK_WARNING, "warning: Message delivery request rate limit exceeded: %d from %c %.",
		"warning"},
	{TRACK_WARNING, "warning: New TLS session rate limit exceeded: %d from %c %.", "warning"},
	{TRACK_WARNING, "warning: Recipient address rate limit exceeded: %d from %c %.", "warning"},
	{TRACK_WARNING, "warning: Illegal address syntax from %c in %.", "warning"},
	{TRACK_WARNING, "warning: non-SMTP command from %c: %.", "warning"},
	{TRACK_WARNING, "warning: %q: %.", "warning"},
	{TRACK_WARNING, "warning: %.", "warning"},
	{TRACK_WARNING, "error: %.", "error"},
	{TRACK_WARNING, "fatal: %.", "fatal"},
	{TRACK_WARNING, "panic: %.", "panic"},
	{TRACK_NONE, "table %* has changed -- restarting", NULL},
	{TRACK_NONE, "using backwards-compatible default setting %.", NULL},
	{0},
};

static bool read_level(struct line_cursor cursor, struct track_line *line)
{
	if (!line_by_patterns(levels, cursor, line))
		return false;
	if (line->kind != TRACK_NONE) {
		cursor.at += line->word.length;
		LINE_SKIP(&cursor, ": ");
		line->text = line_rest(&cursor);
	}
	return true;
}

static bool read_text(
	const struct program *program, struct line_cursor cursor, struct track_line *line)
{
	line_reader *const readers[] = {program->read, read_level, NULL};
	struct line_cursor at = cursor;

	if (line_queue_id(&at, &line->queue_id)) {
		if (LINE_SKIP(&at, ": "))
			cursor = at;
		else
			line->queue_id = (struct track_text){.text = NULL};
	}
	return line_by_readers(readers, cursor, line);
}

enum track_reading track_line_read(
	const struct track_record *record, const char *const instances[], struct track_line *line)
{
	struct line_cursor cursor = {.at = record->text, .end = record->text + record->length};
	const struct program *program;

	clear_line(line);
	if (!read_identifier(record, instances, line))
		return TRACK_FOREIGN;
	program = find_program(line->program);
	if (program == NULL)
		return TRACK_FOREIGN;
	if (read_text(program, cursor, line))
		return TRACK_READ;
	line_forget(line);
	line->queue_id = (struct track_text){.text = NULL};
	line->text = line_rest(&cursor);
	return TRACK_UNKNOWN;
}

/* SPDX-License-Identifier: ISC */
#include "track/source_journal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-messages.h>

#include "base/str.h"

enum {
	IDENTIFIER_MAX = 256,
	CURSOR_MAX = 384,
	FIRST_LOGIN = 1000, /* below it are users of the system, such as postfix (login.defs(5)) */
	LATE = 5 * 1000 * 1000 /* us: an entry may get into the journal so much after its time */
};

/* All of Postfix's lines have the facility "mail", unless main.cf has another syslog_facility: then
 * the unit tells them. A unit may as well be of an instance: its lines are "mail", or not seen. */
static const char *const matches[] = {
	"SYSLOG_FACILITY=2",
	"_SYSTEMD_UNIT=postfix@-.service",
	"_SYSTEMD_UNIT=postfix.service",
	"MESSAGE_ID=" SD_MESSAGE_JOURNAL_DROPPED_STR,
};

struct source_journal {
	struct track_source source;
	const struct mg_clock *clock;
	sd_journal *journal;
	int fd;
	char cursor[CURSOR_MAX]; /* of the last record; "" none */
	uint64_t last; /* us, its time in the journal */
	uint64_t until; /* us; what stood in the journal before is read */

	/* The entry under way. */
	uint64_t sent; /* us, when it was sent; 0 unknown */
	uint64_t syslog_pid, pid; /* 0 unknown */
	uint64_t dropped, uid;
	bool is_dropped, by_journald;
	size_t identifier_length, length; /* length SIZE_MAX: no message */
	bool cut;
	char identifier[IDENTIFIER_MAX];
	char text[TRACK_LINE_MAX + 1];
	char loss[256];
	char position[CURSOR_MAX + 8];
};

/* --- fields of an entry ------------------------------------------------------- */

static void read_message(struct source_journal *self, const char *value, size_t length)
{
	self->cut = length > TRACK_LINE_MAX;
	self->length = self->cut ? TRACK_LINE_MAX : length;
	memcpy(self->text, value, self->length);
	self->text[self->length] = '\0';
}

static void read_identifier(struct source_journal *self, const char *value, size_t length)
{
	self->identifier_length = length < IDENTIFIER_MAX ? length : IDENTIFIER_MAX;
	memcpy(self->identifier, value, self->identifier_length);
}

static uint64_t number_of(const char *value, size_t length, uint64_t maximum)
{
	char digits[24];
	uint64_t number;

	if (length >= sizeof digits)
		return 0;
	memcpy(digits, value, length);
	digits[length] = '\0';
	return mg_str_number(digits, maximum, &number) ? number : 0;
}

static void read_syslog_pid(struct source_journal *self, const char *value, size_t length)
{
	self->syslog_pid = number_of(value, length, UINT32_MAX);
}

static void read_pid(struct source_journal *self, const char *value, size_t length)
{
	self->pid = number_of(value, length, UINT32_MAX);
}

/* journald sets this field, too. */
static void read_uid(struct source_journal *self, const char *value, size_t length)
{
	self->uid = number_of(value, length, UINT32_MAX);
}

static void read_sent(struct source_journal *self, const char *value, size_t length)
{
	self->sent = number_of(value, length, INT64_MAX / 1000);
}

static void read_dropped(struct source_journal *self, const char *value, size_t length)
{
	self->dropped = number_of(value, length, INT64_MAX);
}

static void read_message_id(struct source_journal *self, const char *value, size_t length)
{
	static const char dropped[] = SD_MESSAGE_JOURNAL_DROPPED_STR;

	self->is_dropped = length == sizeof dropped - 1 && memcmp(value, dropped, length) == 0;
}

/* journald sets this field, nobody else can (systemd.journal-fields(7)). */
static void read_transport(struct source_journal *self, const char *value, size_t length)
{
	self->by_journald = length == 6 && memcmp(value, "driver", 6) == 0;
}

/* A field's name with "=", and its length: there are twenty fields an entry. */
#define FIELD(name) name "=", sizeof name

static const struct {
	const char *name;
	size_t length;
	void (*read)(struct source_journal *self, const char *value, size_t length);
} fields[] = {
	{FIELD("MESSAGE"), read_message},
	{FIELD("SYSLOG_IDENTIFIER"), read_identifier},
	{FIELD("SYSLOG_PID"), read_syslog_pid},
	{FIELD("_PID"), read_pid},
	{FIELD("_UID"), read_uid},
	{FIELD("_SOURCE_REALTIME_TIMESTAMP"), read_sent},
	{FIELD("MESSAGE_ID"), read_message_id},
	{FIELD("N_DROPPED"), read_dropped},
	{FIELD("_TRANSPORT"), read_transport},
};

static void read_field(struct source_journal *self, const char *data, size_t length)
{
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		size_t name = fields[i].length;

		if (length >= name && data[name - 1] == '=' && data[0] == fields[i].name[0] &&
			memcmp(data, fields[i].name, name) == 0) {
			fields[i].read(self, data + name, length - name);
			return;
		}
	}
}

/* 0, or a negative errno. */
static int read_entry(struct source_journal *self)
{
	const void *data;
	size_t length;
	char *cursor;
	int status;

	self->sent = self->syslog_pid = self->pid = self->dropped = self->uid = 0;
	self->is_dropped = self->by_journald = self->cut = false;
	self->identifier_length = self->length = 0;
	self->text[0] = '\0';
	sd_journal_restart_data(self->journal);
	while ((status = sd_journal_enumerate_available_data(self->journal, &data, &length)) > 0)
		read_field(self, data, length);
	if (status == 0)
		status = sd_journal_get_realtime_usec(self->journal, &self->last);
	if (status >= 0)
		status = sd_journal_get_cursor(self->journal, &cursor);
	if (status < 0)
		return status;
	if (!mg_str_copy(self->cursor, sizeof self->cursor, cursor))
		status = -E2BIG;
	free(cursor);
	self->until = self->last;
	return status;
}

/* --- losses ------------------------------------------------------------------- */

/* "Suppressed 3 messages from postfix@-.service", or from a group's path that ends in the unit. */
static bool is_of_postfix(const struct source_journal *self)
{
	static const char end[] = ".service";
	const char *from = memmem(self->text, self->length, " from ", 6);
	size_t length = from == NULL ? 0 : self->length - (size_t)(from + 6 - self->text);
	const char *unit = from == NULL ? NULL : from + 6;
	const char *slash = from == NULL ? NULL : memrchr(unit, '/', length);

	if (slash != NULL) {
		length -= (size_t)(slash + 1 - unit);
		unit = slash + 1;
	}
	return length >= sizeof "postfix.service" - 1 && memcmp(unit, "postfix", 7) == 0 &&
	       (unit[7] == '@' || unit[7] == '.') &&
	       memcmp(unit + length - (sizeof end - 1), end, sizeof end - 1) == 0;
}

/* Whether entries that nobody read may have been deleted: vacuuming takes the oldest files first. */
static bool is_gap(struct source_journal *self)
{
	uint64_t oldest, newest;
	int status = sd_journal_get_cutoff_realtime_usec(self->journal, &oldest, &newest);

	return self->until != 0 && (status == 0 || (status > 0 && oldest > self->until));
}

static void lose(struct source_journal *self)
{
	char since[32];

	mg_clock_format(since, sizeof since, (int64_t)self->until * 1000);
	snprintf(self->loss, sizeof self->loss,
		"the journal: entries since %s are gone, with what was not read of them", since);
	snprintf(self->position, sizeof self->position, "%s-lost", self->cursor);
}

/* --- places ------------------------------------------------------------------- */

/* "journal UNTIL LAST CURSOR", times in us; false: another source's. */
static bool read_position(struct source_journal *self, const char *position)
{
	static const char kind[] = "journal ";
	uint64_t until, last;
	const char *cursor;
	char *end;

	if (strncmp(position, kind, sizeof kind - 1) != 0)
		return false;
	until = strtoull(position + sizeof kind - 1, &end, 10);
	if (*end != ' ')
		return false;
	last = strtoull(end + 1, &end, 10);
	cursor = end + 1;
	if (*end != ' ' || *cursor == '\0' || strlen(cursor) >= CURSOR_MAX)
		return false;
	self->until = until;
	self->last = last;
	if (strcmp(cursor, "-") != 0)
		mg_str_copy(self->cursor, sizeof self->cursor, cursor);
	return true;
}

static void journal_position(struct track_source *source, char position[TRACK_POSITION_MAX])
{
	const struct source_journal *self = (struct source_journal *)source;

	snprintf(position, TRACK_POSITION_MAX, "journal %" PRIu64 " %" PRIu64 " %s", self->until,
		self->last, self->cursor[0] == '\0' ? "-" : self->cursor);
}

/* Before the entry that is wanted next. 0, or a negative errno. */
static int seek(struct source_journal *self)
{
	uint64_t oldest, newest;
	int status;

	if (self->cursor[0] == '\0')
		return self->until == 0 ? sd_journal_seek_head(self->journal)
					: sd_journal_seek_realtime_usec(self->journal, self->until);
	status = sd_journal_seek_cursor(self->journal, self->cursor);
	if (status >= 0)
		status = sd_journal_next(self->journal);
	if (status > 0 && sd_journal_test_cursor(self->journal, self->cursor) > 0)
		return 0;
	if (status < 0)
		return status;
	/* It is gone. Is it only that it was old, and nothing came after it before the end? */
	if (is_gap(self) ||
		(sd_journal_get_cutoff_realtime_usec(self->journal, &oldest, &newest) > 0 &&
			oldest < self->last))
		lose(self);
	return sd_journal_seek_cursor(self->journal, self->cursor);
}

/* --- open and close ----------------------------------------------------------- */

struct readable {
	bool folder; /* there is one */
	bool file; /* one can be read */
	bool denied; /* a file or folder cannot */
};

static void look_into(const char *folder, struct readable *readable)
{
	DIR *stream = opendir(folder);
	const struct dirent *entry;
	char path[512];

	if (stream == NULL) {
		readable->denied |= errno == EACCES;
		return;
	}
	readable->folder = true;
	while ((entry = readdir(stream)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (length < 8 || strcmp(entry->d_name + length - 8, ".journal") != 0)
			continue;
		if (mg_str_format(path, sizeof path, "%s/%s", folder, entry->d_name) &&
			access(path, R_OK) == 0)
			readable->file = true;
		else
			readable->denied |= errno == EACCES;
	}
	closedir(stream);
}

/* libsystemd opens what it can, and says nothing of what it cannot. */
static bool check_rights(const char *directory, struct mg_error *error)
{
	static const char *const roots[] = {"/var/log/journal/", "/run/log/journal/"};
	struct readable readable = {false};
	char path[64];
	sd_id128_t machine;

	if (directory[0] != '\0')
		look_into(directory, &readable);
	else if (sd_id128_get_machine(&machine) >= 0)
		for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
			snprintf(path, sizeof path, "%s" SD_ID128_FORMAT_STR, roots[i],
				SD_ID128_FORMAT_VAL(machine));
			look_into(path, &readable);
		}
	if (!readable.file && readable.denied) {
		mg_error_set(error,
			"the journal%s%s: no right to read it: the user must be in "
			"group systemd-journal",
			directory[0] == '\0' ? "" : " ", directory);
		return false;
	}
	if (!readable.folder)
		mg_error_set(error,
			"the journal%s%s: there is none (is systemd-journald "
			"running?)",
			directory[0] == '\0' ? "" : " ", directory);
	return readable.folder;
}

static int add_matches(sd_journal *journal)
{
	for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
		int status = sd_journal_add_match(journal, matches[i], 0);

		if (status >= 0)
			status = sd_journal_add_disjunction(journal);
		if (status < 0)
			return status;
	}
	return 0;
}

static void journal_close(struct track_source *source)
{
	struct source_journal *self = (struct source_journal *)source;

	if (self->journal != NULL)
		sd_journal_close(self->journal);
	free(self);
}

static struct track_source *journal_open(const char *follow, const char *position,
	const struct mg_clock *clock, struct mg_error *error)
{
	const char *directory = follow[7] == ':' ? follow + 8 : "";
	struct source_journal *self = NULL;
	int status;

	if (!check_rights(directory, error))
		return NULL;
	self = calloc(1, sizeof *self);
	if (self == NULL) {
		mg_error_set(error, "the journal: no memory");
		return NULL;
	}
	self->clock = clock;
	/* Journals of users are left out: what Postfix says is not in them, and users write them. */
	status = directory[0] == '\0' ? sd_journal_open(&self->journal,
						SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
				      : sd_journal_open_directory(&self->journal, directory, 0);
	if (status >= 0)
		status = sd_journal_set_data_threshold(
			self->journal, TRACK_LINE_MAX + sizeof "MESSAGE=");
	if (status >= 0)
		status = add_matches(self->journal);
	if (status >= 0)
		status = self->fd = sd_journal_get_fd(self->journal);
	if (status >= 0) {
		read_position(self, position);
		status = seek(self);
	}
	if (status >= 0)
		return &self->source;
	mg_error_system(
		error, -status, "the journal%s%s", directory[0] == '\0' ? "" : " ", directory);
	journal_close(&self->source);
	return NULL;
}

/* --- records ------------------------------------------------------------------ */

static int give_loss(struct source_journal *self, int64_t lost, const char *text, size_t length,
	const char *position, struct track_record *record)
{
	*record = (struct track_record){
		.utc = (int64_t)(self->last != 0 ? self->last : self->until) * 1000,
		.identifier = "",
		.text = text,
		.length = length,
		.position = position,
		.lost = lost,
	};
	return 1;
}

/* Whoever can log in may write a line in the name of smtpd (logger(1)). Of Postfix only these run as
 * the user who calls them. */
static bool is_forged(const struct source_journal *self)
{
	static const char *const programs[] = {"/postdrop", "/postqueue", "/sendmail"};

	if (self->uid < FIRST_LOGIN)
		return false;
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		size_t length = strlen(programs[i]);

		if (self->identifier_length >= length &&
			memcmp(self->identifier + self->identifier_length - length, programs[i],
				length) == 0)
			return false;
	}
	return true;
}

/* 1, or 0: the entry is not for us. */
static int give_entry(struct source_journal *self, struct track_record *record)
{
	if (self->is_dropped && self->by_journald) {
		if (self->dropped == 0 || !is_of_postfix(self))
			return 0;
		return give_loss(self, (int64_t)self->dropped, self->text, self->length,
			self->cursor, record);
	}
	if (is_forged(self))
		return 0;
	*record = (struct track_record){
		.utc = (int64_t)(self->sent != 0 ? self->sent : self->last) * 1000,
		.identifier = self->identifier,
		.identifier_length = self->identifier_length,
		.pid = (uint32_t)(self->syslog_pid != 0 ? self->syslog_pid : self->pid),
		.text = self->text,
		.length = self->length,
		.cut = self->cut,
		.position = self->cursor,
	};
	return 1;
}

/* What happened to the journal since. false: nothing. */
static bool look_again(struct source_journal *self)
{
	int change = sd_journal_process(self->journal);

	if (change == SD_JOURNAL_INVALIDATE && is_gap(self))
		lose(self);
	return change > SD_JOURNAL_NOP;
}

static int journal_next(
	struct track_source *source, struct track_record *record, struct mg_error *error)
{
	struct source_journal *self = (struct source_journal *)source;
	bool again = true;
	int status;

	for (;;) {
		if (self->loss[0] != '\0') {
			memcpy(self->text, self->loss, sizeof self->loss);
			self->loss[0] = '\0';
			return give_loss(self, INT64_MAX, self->text, strlen(self->text),
				self->position, record);
		}
		status = sd_journal_next(self->journal);
		if (status > 0)
			status = read_entry(self);
		else if (status == 0 && again) {
			again = look_again(self);
			continue;
		} else if (status == 0) {
			uint64_t now = (uint64_t)(self->clock->utc(self->clock) / 1000);

			if (now > LATE && now - LATE > self->until)
				self->until = now - LATE;
			return 0;
		}
		if (status < 0) {
			mg_error_system(error, -status, "the journal");
			return -1;
		}
		if (give_entry(self, record) > 0)
			return 1;
	}
}

/* --- the rest ----------------------------------------------------------------- */

static int journal_descriptor(struct track_source *source)
{
	return ((struct source_journal *)source)->fd;
}

static int64_t journal_timeout(struct track_source *source)
{
	const struct source_journal *self = (struct source_journal *)source;
	uint64_t at;
	int64_t left;

	if (sd_journal_get_timeout(self->journal, &at) < 0)
		return MG_SECOND;
	if (at >= (uint64_t)INT64_MAX / 1000)
		return INT64_MAX;
	left = (int64_t)at * 1000 - mg_clock_system.monotonic(&mg_clock_system);
	return left > 0 ? left : 0;
}

/* journal_next goes on until there is nothing more. */
static bool journal_at_end(struct track_source *source)
{
	(void)source;
	return true;
}

static int64_t journal_backlog(struct track_source *source)
{
	(void)source;
	return -1;
}

const struct track_source_kind track_source_journal = {
	.open = journal_open,
	.next = journal_next,
	.descriptor = journal_descriptor,
	.timeout = journal_timeout,
	.at_end = journal_at_end,
	.position = journal_position,
	.backlog = journal_backlog,
	.close = journal_close,
};

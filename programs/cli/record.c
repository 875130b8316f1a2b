/* SPDX-License-Identifier: ISC */
#include "cli/record.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "event/event.h"
#include "event/spool.h"

enum { WAIT_SECONDS = 30, MODE = 0640, PATH_SIZE = 512 };

struct cli_record {
	const struct cli_call *call;
	char directory[PATH_SIZE];
	int turn; /* descriptor of the file that is locked while the log is open */
	struct mg_spool *spool;
	struct mg_events *notes, *events; /* of the spool itself, of what is written to it */
};

/* --- the turn --- */

static bool lock_within(int fd, int seconds)
{
	static const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int64_t end = mg_clock_system.monotonic(&mg_clock_system) + seconds * MG_SECOND;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		if (mg_clock_system.monotonic(&mg_clock_system) > end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static enum cli_exit cannot_write(const struct cli_call *call, const char *path, int number)
{
	if (number == EACCES || number == EPERM)
		return (enum cli_exit)cli_fail(call, CLI_DENIED,
			"%s: %s: what is done must be recorded there; run it as root", path,
			strerror(number));
	return (enum cli_exit)cli_fail(call, CLI_FAILED, "%s: %s", path, strerror(number));
}

static enum cli_exit take_turn(struct cli_record *record)
{
	char path[PATH_SIZE + 32];

	if (access(record->directory, W_OK | X_OK) != 0)
		return cannot_write(record->call, record->directory, errno);
	snprintf(path, sizeof(path), "%s/operator.turn", record->directory);
	record->turn = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);
	if (record->turn < 0)
		return cannot_write(record->call, path, errno);
	if (!lock_within(record->turn, WAIT_SECONDS))
		return (enum cli_exit)cli_fail(record->call, CLI_FAILED,
			"%s: another command has held it for %d s; nothing was done", path,
			WAIT_SECONDS);
	return CLI_GOOD;
}

/* --- the log --- */

/* What root makes here belongs to whom the folder belongs to, who must read it (millgate-ship) and
 * make room in it. */
static void give_away(const struct cli_record *record)
{
	static const char *const names[] = {
		"operator.jsonl", "operator.lock", "operator.turn", "operator.torn"};
	int folder = open(record->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	if (folder < 0)
		return;
	for (size_t i = 0; geteuid() == 0 && i < sizeof(names) / sizeof(names[0]); i++)
		if (fstat(folder, &status) == 0 &&
			fchownat(folder, names[i], status.st_uid, status.st_gid,
				AT_SYMLINK_NOFOLLOW) != 0 &&
			errno != ENOENT)
			break;
	close(folder);
}

static bool open_log(
	struct cli_record *record, const struct cli_settings *settings, struct mg_error *error)
{
	char host[256] = "";
	struct mg_events_identity identity = {
		.program = "millgate-operator", .host = host, .version = PACKAGE_VERSION};

	if (gethostname(host, sizeof(host) - 1) != 0)
		mg_str_copy(host, sizeof(host), "localhost");
	mg_error_set(error, "out of memory");
	/* Who did what stays clear, whatever `redact` says of who sends mail: it is what this log
	 * is for. */
	record->notes = mg_events_new(&identity, NULL, NULL, &mg_clock_system);
	if (record->notes == NULL)
		return false;
	record->spool = mg_spool_open(
		&settings->operator_log, &mg_clock_system, mg_fields_compose, record->notes, error);
	if (record->spool == NULL)
		return false;
	record->events = mg_events_new(&identity, NULL, record->spool, &mg_clock_system);
	return record->events != NULL;
}

enum cli_exit cli_record_open(const struct cli_call *call, const struct cli_settings *settings,
	struct cli_record **record)
{
	struct cli_record *opened = calloc(1, sizeof(*opened));
	enum cli_exit status;
	struct mg_error error;

	*record = NULL;
	if (opened == NULL)
		return (enum cli_exit)cli_fail(call, CLI_FAILED, "out of memory");
	opened->call = call;
	opened->turn = -1;
	mg_str_copy(opened->directory, sizeof(opened->directory), settings->operator_log.directory);
	status = take_turn(opened);
	if (status == CLI_GOOD && !open_log(opened, settings, &error))
		status = (enum cli_exit)cli_fail(call, CLI_FAILED, "%s", error.text);
	if (status != CLI_GOOD) {
		cli_record_close(opened);
		return status;
	}
	give_away(opened);
	*record = opened;
	return CLI_GOOD;
}

/* Who acts: by sudo(8) who called it, else who this process is. */
static const char *acting_user(void)
{
	const char *user = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *entry = getpwuid(getuid());

	if (user != NULL && *user != '\0')
		return user;
	return entry != NULL ? entry->pw_name : "unknown";
}

struct mg_event *cli_record_event(const struct cli_record *record, const char *reason)
{
	struct mg_event *event = mg_event_new(record->events, MG_OPERATOR_ACTED);
	char text[1024];

	mg_event_set_text(event, &mg_fields[MG_FIELD_USER_NAME], acting_user());
	for (const char *const *word = record->call->words; *word != NULL; word++)
		mg_event_set_text(event, &mg_fields[MG_FIELD_OPERATOR_COMMAND],
			mg_str_printable(text, sizeof(text), *word, strlen(*word)));
	mg_event_set_text(event, &mg_fields[MG_FIELD_OPERATOR_REASON], reason);
	return event;
}

enum cli_exit cli_record_write(struct cli_record *record, struct mg_event *event)
{
	struct mg_error error;
	int status = mg_events_write(record->events, event, &error);

	mg_event_free(event);
	if (status == 0)
		return CLI_GOOD;
	return (enum cli_exit)cli_fail(
		record->call, CLI_FAILED, "it was done, but not recorded: %s", error.text);
}

void cli_record_close(struct cli_record *record)
{
	if (record == NULL)
		return;
	if (record->spool != NULL) {
		mg_spool_tick(record->spool, NULL);
		mg_spool_close(record->spool);
	}
	mg_events_free(record->events);
	mg_events_free(record->notes);
	if (record->turn >= 0)
		close(record->turn);
	free(record);
}

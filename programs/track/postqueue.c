/* SPDX-License-Identifier: ISC */
#include "track/postqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "event/reading.h"

/* A message of 50,000 recipients is a line of some 8 MB. */
enum { LINE_BYTES_MAX = 64 * 1024 * 1024, BLOCK = 64 * 1024 };

static const int64_t patience = 120 * MG_SECOND;

struct track_postqueue {
	const struct mg_clock *clock;
	int64_t deadline; /* monotonic ns */
	pid_t child; /* 0: it was waited for */
	int fd;
	bool ended; /* of what it writes */
	struct mg_buf input;
	size_t start; /* of what is not yet told */
	size_t scanned; /* up to here there is no line end */
	struct mg_reading *reading;
	const char **recipients, **reasons;
	size_t size; /* of both */
};

static int spawn(struct track_postqueue *queue, const char *directory, int output)
{
	char *arguments[] = {"postqueue", "-c", (char *)(uintptr_t)directory, "-j", NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int status;

	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGXFSZ);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	status = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (status == 0)
		status = posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	if (status == 0)
		status = posix_spawnp(
			&queue->child, arguments[0], &files, &attributes, arguments, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return status;
}

struct track_postqueue *track_postqueue_ask(
	const char *directory, const struct mg_clock *clock, struct mg_error *error)
{
	struct track_postqueue *queue = calloc(1, sizeof *queue);
	int ends[2] = {-1, -1}, status;

	if (queue == NULL || pipe2(ends, O_CLOEXEC) != 0) {
		mg_error_system(error, queue == NULL ? ENOMEM : errno, "postqueue");
		free(queue);
		return NULL;
	}
	queue->clock = clock;
	queue->deadline = clock->monotonic(clock) + patience;
	queue->fd = ends[0];
	mg_buf_init(&queue->input, LINE_BYTES_MAX);
	status =
		fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0 ? errno : spawn(queue, directory, ends[1]);
	close(ends[1]);
	if (status == 0)
		return queue;
	queue->child = 0;
	mg_error_system(error, status, "postqueue");
	track_postqueue_free(queue);
	return NULL;
}

int track_postqueue_descriptor(const struct track_postqueue *queue)
{
	return queue->fd;
}

int64_t track_postqueue_timeout(const struct track_postqueue *queue)
{
	int64_t left = queue->deadline - queue->clock->monotonic(queue->clock);

	return left > 0 ? left : 0;
}

/* --- messages --- */

static bool make_room(struct track_postqueue *queue, size_t count)
{
	const char **recipients, **reasons;

	if (count < queue->size)
		return true;
	recipients = calloc(count + 1, sizeof *recipients);
	reasons = calloc(count + 1, sizeof *reasons);
	if (recipients == NULL || reasons == NULL) {
		free(recipients);
		free(reasons);
		return false;
	}
	free(queue->recipients);
	free(queue->reasons);
	queue->recipients = recipients;
	queue->reasons = reasons;
	queue->size = count + 1;
	return true;
}

/* A line of what postqueue wrote. False: it is none. */
static bool read_message(
	struct track_postqueue *queue, const char *line, size_t length, struct track_queued *queued)
{
	int64_t seconds = 0;
	size_t count;

	mg_reading_free(queue->reading);
	queue->reading = mg_reading_new(line, length);
	if (queue->reading == NULL)
		return false;
	count = mg_reading_count(queue->reading, "recipients");
	if (!make_room(queue, count))
		return false;
	for (size_t i = 0; i < count; i++) {
		queue->recipients[i] =
			mg_reading_text_at(queue->reading, "recipients", i, "address");
		queue->reasons[i] =
			mg_reading_text_at(queue->reading, "recipients", i, "delay_reason");
	}
	queue->recipients[count] = queue->reasons[count] = NULL;
	*queued = (struct track_queued){.queue_id = mg_reading_text(queue->reading, "queue_id"),
		.queue_name = mg_reading_text(queue->reading, "queue_name"),
		.sender = mg_reading_text(queue->reading, "sender"),
		.recipients = queue->recipients,
		.reasons = queue->reasons};
	if (mg_reading_number(queue->reading, "arrival_time", &seconds) && seconds > 0 &&
		seconds < INT64_MAX / MG_SECOND)
		queued->arrival = seconds * MG_SECOND;
	return queued->queue_id[0] != '\0' && queued->arrival > 0;
}

/* Waits for the child, which has closed its output. */
static enum track_postqueue_news end(struct track_postqueue *queue, struct mg_error *error)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(queue->child, &status, 0);
	while (pid < 0 && errno == EINTR);
	queue->child = 0;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		mg_error_set(error, "postqueue: it failed");
		return TRACK_POSTQUEUE_FAILED;
	}
	if (queue->start < queue->input.length) {
		mg_error_set(error, "postqueue: what it wrote ends in a line that is not whole");
		return TRACK_POSTQUEUE_FAILED;
	}
	return TRACK_POSTQUEUE_END;
}

/* Reads once. 1 read or ended, 0 nothing now, -1 with error. */
static int read_more(struct track_postqueue *queue, struct mg_error *error)
{
	char block[BLOCK];
	ssize_t got;

	if (queue->start > 0) {
		mg_buf_consume(&queue->input, queue->start);
		queue->scanned -= queue->start;
		queue->start = 0;
	}
	got = read(queue->fd, block, sizeof block);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got < 0) {
		mg_error_system(error, errno, "postqueue");
		return -1;
	}
	queue->ended = got == 0;
	mg_buf_add(&queue->input, block, (size_t)got);
	if (queue->input.failed) {
		mg_error_set(error, "postqueue: a line over %d bytes", LINE_BYTES_MAX);
		return -1;
	}
	return 1;
}

enum track_postqueue_news track_postqueue_next(
	struct track_postqueue *queue, struct track_queued *queued, struct mg_error *error)
{
	for (;;) {
		const char *text = queue->input.data;
		char *found = NULL;
		size_t line;
		int got;

		if (queue->scanned < queue->input.length)
			found = memchr(
				text + queue->scanned, '\n', queue->input.length - queue->scanned);
		if (found != NULL) {
			line = queue->start;
			queue->start = queue->scanned = (size_t)(found - text) + 1;
			if (read_message(queue, text + line, (size_t)(found - text) - line, queued))
				return TRACK_POSTQUEUE_MESSAGE;
			mg_error_set(error, "postqueue: a line that is no message");
			return TRACK_POSTQUEUE_FAILED;
		}
		queue->scanned = queue->input.length;
		if (queue->ended)
			return end(queue, error);
		got = read_more(queue, error);
		if (got < 0)
			return TRACK_POSTQUEUE_FAILED;
		if (got == 0 && track_postqueue_timeout(queue) == 0) {
			mg_error_set(error, "postqueue: no end within %d s",
				(int)(patience / MG_SECOND));
			return TRACK_POSTQUEUE_FAILED;
		}
		if (got == 0)
			return TRACK_POSTQUEUE_WAIT;
	}
}

void track_postqueue_free(struct track_postqueue *queue)
{
	if (queue == NULL)
		return;
	close(queue->fd);
	if (queue->child > 0) {
		kill(queue->child, SIGKILL);
		while (waitpid(queue->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	mg_reading_free(queue->reading);
	mg_buf_free(&queue->input);
	free(queue->recipients);
	free(queue->reasons);
	free(queue);
}

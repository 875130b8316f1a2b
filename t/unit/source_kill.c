/* SPDX-License-Identifier: ISC */
/* A log that is written and rotated without pause in every way, and readers that are killed at any
 * moment and go on from the last place that they told: each line comes once, in order. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "log_place.h"

enum {
	KILLS = 200,
	GENERATIONS = 60, /* kept by rotation */
	LINES = 1500, /* of a generation, at most */
	AHEAD = 10 * LINES /* lines the writer is ahead at most: less than is kept */
};

/* Between the processes. */
struct shared {
	volatile uint64_t told; /* lines that readers have told */
	volatile bool stop;
};

/* --- the writer --------------------------------------------------------------- */

struct writer {
	const struct log_place *place;
	struct shared *shared;
	unsigned seed;
	int fd;
	uint64_t next;
};

static int below(struct writer *writer, int limit)
{
	return rand_r(&writer->seed) % limit;
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "# writer: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void put(const struct writer *writer, const char *bytes, size_t length)
{
	must(write(writer->fd, bytes, length) == (ssize_t)length, "write");
}

static void write_lines(struct writer *writer, int count)
{
	char line[256];

	while (count-- > 0) {
		size_t half,
			length = (size_t)snprintf(line, sizeof line,
				"Nov 25 09:01:02 mx postfix/smtpd[1]: %llu %.*s\n",
				(unsigned long long)writer->next++, below(writer, 60),
				"------------------------------------------------------------");

		half = below(writer, 10) == 0 ? (size_t)below(writer, (int)length) : 0;
		if (half > 0)
			put(writer, line, half);
		put(writer, line + half, length - half);
	}
}

static int open_new(const struct writer *writer)
{
	int fd = open(writer->place->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	must(fd >= 0, "open");
	return fd;
}

static void name_of(char name[32], int number, bool compressed)
{
	snprintf(name, 32, "mail.log.%d%s", number, compressed ? ".gz" : "");
}

/* FILE.1 is free then. */
static void shift(const struct writer *writer)
{
	char from[32], to[32];

	for (int number = GENERATIONS; number > 0; number--)
		for (int compressed = 0; compressed < 2; compressed++) {
			name_of(from, number, compressed);
			name_of(to, number + 1, compressed);
			if (number == GENERATIONS)
				unlink(log_path(writer->place, from));
			else
				rename(log_path(writer->place, from), log_path(writer->place, to));
		}
}

static void copy_to(const struct writer *writer, const char *name, bool compressed)
{
	const char *mode = compressed ? "wb1" : "wbT";
	gzFile target = gzopen(log_path(writer->place, name), mode);
	char bytes[8192];
	ssize_t got;
	int fd = open(compressed ? log_path(writer->place, "mail.log.2") : writer->place->log,
		O_RDONLY | O_CLOEXEC);

	must(fd >= 0 && target != NULL, "copy");
	while ((got = read(fd, bytes, sizeof bytes)) > 0)
		must(gzwrite(target, bytes, (unsigned)got) == got, "copy");
	close(fd);
	must(gzclose(target) == Z_OK, "copy");
}

static void compress_second(const struct writer *writer)
{
	if (access(log_path(writer->place, "mail.log.2"), F_OK) != 0)
		return;
	copy_to(writer, "mail.log.2.gz", true);
	unlink(log_path(writer->place, "mail.log.2"));
}

static void rotate_by_rename(struct writer *writer)
{
	int fd;

	must(rename(writer->place->log, log_path(writer->place, "mail.log.1")) == 0, "rename");
	write_lines(writer, below(writer, 20));
	fd = open_new(writer);
	write_lines(writer, below(writer, 20));
	close(writer->fd);
	writer->fd = fd;
}

static void rotate_by_copy(struct writer *writer)
{
	copy_to(writer, "mail.log.1", false);
	must(ftruncate(writer->fd, 0) == 0, "truncate");
}

static void write_for_ever(struct writer *writer)
{
	writer->fd = open_new(writer);
	while (!writer->shared->stop) {
		if (writer->next > writer->shared->told + AHEAD) {
			usleep(1000);
			continue;
		}
		write_lines(writer, below(writer, LINES - 50));
		shift(writer);
		if (below(writer, 2) == 0)
			rotate_by_copy(writer);
		else
			rotate_by_rename(writer);
		if (below(writer, 2) == 0)
			compress_second(writer);
	}
	_exit(0);
}

/* --- the readers -------------------------------------------------------------- */

/* What a reader tells at once: a line it has done, and the place behind it. */
struct told {
	int64_t lost;
	uint64_t number;
	char position[TRACK_POSITION_MAX];
};

_Static_assert(sizeof(struct told) <= 4096, "a write of it is not cut");

static void read_for_ever(const struct log_place *place, int pipe)
{
	struct mg_error error = {""};
	struct track_source *source =
		track_source_open(place->log, place->position, &mg_clock_system, &error);
	struct track_record record;

	while (source != NULL) {
		struct told told = {.lost = 0};
		struct pollfd wait;
		int status = track_source_next(source, &record, &error);

		if (status < 0)
			break;
		if (status == 0) {
			int64_t timeout = track_source_timeout(source) / MG_MILLISECOND;

			wait = (struct pollfd){track_source_descriptor(source), POLLIN, 0};
			poll(&wait, 1, timeout > 60000 ? 60000 : (int)timeout);
			continue;
		}
		told.lost = record.lost;
		told.number = strtoull(record.text, NULL, 10);
		if (record.cut || record.lost != 0)
			fprintf(stderr, "# %.*s\n", (int)record.length, record.text);
		track_source_position(source, told.position);
		if (write(pipe, &told, sizeof told) != (ssize_t)sizeof told)
			break;
	}
	fprintf(stderr, "# reader: %s\n", error.text);
	_exit(1);
}

/* The next thing a reader told; false at its end. */
static bool take(int pipe, struct told *told)
{
	size_t done = 0;

	while (done < sizeof *told) {
		ssize_t got = read(pipe, (char *)told + done, sizeof *told - done);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static void check(struct log_place *place, struct shared *shared, const struct told *told)
{
	assert_int_equal(told->lost, 0);
	assert_int_equal(told->number, shared->told);
	shared->told++;
	memcpy(place->position, told->position, sizeof place->position);
}

/* Lets a reader tell `some` lines, kills it at once, and takes the rest of what it told. */
static void kill_one(struct log_place *place, struct shared *shared, int some)
{
	struct told told;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		read_for_ever(place, ends[1]);
	}
	close(ends[1]);
	while (some-- > 0 && take(ends[0], &told))
		check(place, shared, &told);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (take(ends[0], &told))
		check(place, shared, &told);
	close(ends[0]);
}

static void each_line_comes_once_whenever_a_reader_is_killed(void **state)
{
	struct shared *shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned seed = (unsigned)time(NULL);
	struct log_place place;
	int status;
	pid_t child;

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_ptr_not_equal(shared, MAP_FAILED);
	log_make(&place);
	print_message("# seed %u\n", seed);
	/* The first reader comes before the first line. */
	assert_string_equal(log_read_anew(&place), "");
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct writer writer = {.place = &place, .shared = shared, .seed = seed};

		/* A test that fails ends it, too. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write_for_ever(&writer);
	}
	for (int round = 0; round < KILLS; round++)
		kill_one(&place, shared, rand_r(&seed) % (2 * LINES));
	shared->stop = true;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	print_message("# %llu lines\n", (unsigned long long)shared->told);
	log_remove(&place);
	munmap(shared, sizeof *shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_comes_once_whenever_a_reader_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

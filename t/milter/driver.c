/* SPDX-License-Identifier: ISC */
#include "driver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

enum { DRIVERS_MAX = 8, POLL_MILLISECONDS = 5, FIRST_PASSED_ON = 3 };

/* The running ones, for the end of the test program; copies, for a failed test leaves its frame. */
static struct {
	pid_t pid;
	char directory[64];
} running[DRIVERS_MAX];

static int64_t now(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

static void pause_a_little(void)
{
	poll(NULL, 0, POLL_MILLISECONDS);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void remove_directory(const char *path)
{
	if (path[0] != '\0')
		nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void kill_all(void)
{
	for (size_t i = 0; i < DRIVERS_MAX; i++) {
		if (running[i].pid <= 0)
			continue;
		kill(running[i].pid, SIGKILL);
		waitpid(running[i].pid, NULL, 0);
		remove_directory(running[i].directory);
	}
}

static void remember(const struct driver *driver)
{
	static bool registered;

	if (!registered)
		atexit(kill_all);
	registered = true;
	for (size_t i = 0; i < DRIVERS_MAX; i++) {
		if (running[i].pid != 0)
			continue;
		running[i].pid = driver->pid;
		mg_str_copy(running[i].directory, sizeof(running[i].directory), driver->directory);
		return;
	}
	kill(driver->pid, SIGKILL);
	fail_msg("more than %d daemons at once", DRIVERS_MAX);
}

static void forget(const struct driver *driver)
{
	for (size_t i = 0; i < DRIVERS_MAX; i++)
		if (running[i].pid == driver->pid)
			running[i].pid = 0;
}

/* Where the build puts the program; false when it is not there. */
static bool find_program(const char *program, char *path, size_t size)
{
	static const char *const places[] = {"milters/log", "t/milter", "."};
	const char *build = getenv("MG_BUILDDIR");

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		mg_str_format(
			path, size, "%s/%s/%s", build != NULL ? build : ".", places[i], program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

bool driver_has(const char *program)
{
	char path[1024];

	return find_program(program, path, sizeof(path));
}

void driver_configure(const struct driver *driver, const char *settings)
{
	const char *engine = getenv("MILLGATE_ENGINE");
	FILE *file = fopen(driver->configuration, "w");

	assert_non_null(file);
	if (strstr(settings, "socket = ") == NULL)
		fprintf(file, "socket = \"unix:%s\"\n", driver->endpoint.path);
	fprintf(file, "metrics = \"%s\"\n", driver->directory);
	if (engine != NULL && engine[0] != '\0')
		fprintf(file, "engine = \"%s\"\n", engine);
	/* A section given by the test itself has the directory too. */
	fprintf(file, "events { directory = \"%s\" }\n%s\n", driver->directory, settings);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(driver->configuration, 0644), 0);
}

static int bind_socket(const char *path, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(mg_str_copy(address.sun_path, sizeof(address.sun_path), path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* In the child: what the service manager tells of its watchdog and its socket. */
static void be_managed(const struct driver *driver)
{
	char text[32];

	unsetenv("WATCHDOG_USEC");
	unsetenv("LISTEN_FDS");
	if (driver->watchdog_ms > 0) {
		mg_str_format(text, sizeof(text), "%u000", driver->watchdog_ms);
		setenv("WATCHDOG_USEC", text, 1);
	}
	if (driver->passed_on < 0)
		return;
	if (dup2(driver->passed_on, FIRST_PASSED_ON) < 0 || fcntl(FIRST_PASSED_ON, F_SETFD, 0) != 0)
		_exit(127);
	mg_str_format(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "1", 1);
}

/* In the child: becomes the daemon. It dies with the test program. */
static void become(const struct driver *driver, const char *notify)
{
	int log = open(driver->log, O_WRONLY | O_CREAT | O_APPEND, 0644);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (log < 0 || dup2(log, STDERR_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0)
		_exit(127);
	setenv("NOTIFY_SOCKET", notify, 1);
	be_managed(driver);
	execl(driver->program, driver->program, "-c", driver->configuration, (char *)NULL);
	_exit(127);
}

static void print_log(const struct driver *driver)
{
	FILE *file = fopen(driver->log, "r");
	char line[512];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		print_error("%s: %s", driver->name, line);
	if (file != NULL)
		fclose(file);
}

/* Waits for a notice to the service manager; false when the daemon ended before. */
static bool wait_for_notice(struct driver *driver, const char *notice)
{
	int64_t deadline = now() + GENEROUS;
	char text[512];

	while (now() < deadline) {
		struct pollfd ready = {.fd = driver->notify, .events = POLLIN};
		ssize_t length;

		if (poll(&ready, 1, POLL_MILLISECONDS) <= 0) {
			if (waitpid(driver->pid, NULL, WNOHANG) == 0)
				continue;
			forget(driver);
			driver->pid = 0;
			return false;
		}
		length = recv(driver->notify, text, sizeof(text) - 1, 0);
		if (length <= 0)
			continue;
		text[length] = '\0';
		if (strstr(text, notice) != NULL)
			return true;
	}
	return false;
}

void driver_wait_notice(struct driver *driver, const char *notice)
{
	if (wait_for_notice(driver, notice))
		return;
	print_log(driver);
	fail_msg("%s gave no notice %s", driver->program, notice);
}

bool driver_next_notice(const struct driver *driver, int milliseconds, char *text, size_t size)
{
	struct pollfd ready = {.fd = driver->notify, .events = POLLIN};
	ssize_t length = 0;

	if (poll(&ready, 1, milliseconds) > 0)
		length = recv(driver->notify, text, size - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

void driver_start(struct driver *driver, const char *program, const char *settings)
{
	driver_start_watched(driver, program, settings, 0, false);
}

static void pass_on(struct driver *driver)
{
	driver->passed_on = bind_socket(driver->endpoint.path, SOCK_STREAM);
	assert_int_equal(listen(driver->passed_on, SOMAXCONN), 0);
}

void driver_start_watched(struct driver *driver, const char *program, const char *settings,
	unsigned watchdog_ms, bool passed_on)
{
	char notify[128];

	memset(driver, 0, sizeof(*driver));
	if (!find_program(program, driver->program, sizeof(driver->program)))
		fail_msg("%s was not found: build it, or set MG_BUILDDIR", program);
	mg_str_copy(driver->name, sizeof(driver->name), program + strlen("millgate-"));
	mg_str_copy(driver->directory, sizeof(driver->directory), "/tmp/millgate-test-XXXXXX");
	assert_non_null(mkdtemp(driver->directory));
	mg_str_format(driver->configuration, sizeof(driver->configuration), "%s/%s.conf",
		driver->directory, driver->name);
	mg_str_format(driver->events, sizeof(driver->events), "%s/%s.jsonl", driver->directory,
		driver->name);
	mg_str_format(driver->log, sizeof(driver->log), "%s/stderr", driver->directory);
	mg_str_format(notify, sizeof(notify), "%s/notify", driver->directory);
	driver->endpoint.kind = MG_ENDPOINT_UNIX;
	mg_str_format(driver->endpoint.path, sizeof(driver->endpoint.path), "%s/socket",
		driver->directory);
	driver_configure(driver, settings);
	driver->notify = bind_socket(notify, SOCK_DGRAM);
	driver->watchdog_ms = watchdog_ms;
	driver->passed_on = -1;
	if (passed_on)
		pass_on(driver);
	driver->pid = fork();
	if (driver->pid == 0)
		become(driver, notify);
	assert_true(driver->pid > 0);
	remember(driver);
	driver_wait_notice(driver, "READY=1");
}

/* Waits for the end of a process; its status as waitpid has it, killed and -1 at the deadline. */
static int wait_for_end(pid_t pid)
{
	int64_t deadline = now() + GENEROUS;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now() > deadline) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		pause_a_little();
	}
	return status;
}

static bool sanitizer_complained(const struct driver *driver)
{
	FILE *file = fopen(driver->log, "r");
	bool found = false;
	char line[4096];

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = strstr(line, "Sanitizer") != NULL || strstr(line, "runtime error") != NULL;
	if (file != NULL)
		fclose(file);
	return found;
}

void driver_stop(struct driver *driver)
{
	bool complained;
	int status, verified;

	if (driver->pid == 0)
		return;
	kill(driver->pid, SIGTERM);
	status = wait_for_end(driver->pid);
	close(driver->notify);
	if (driver->passed_on >= 0)
		close(driver->passed_on);
	forget(driver);
	driver->pid = 0;
	verified = driver_verify(driver);
	complained = sanitizer_complained(driver);
	if (status != 0 || verified != 0 || complained)
		print_log(driver);
	remove_directory(driver->directory);
	if (status != 0)
		fail_msg("%s ended with status 0x%x", driver->program, (unsigned)status);
	if (verified != 0)
		fail_msg("the event log of %s does not verify: %d", driver->program, verified);
	if (complained)
		fail_msg("a sanitizer complained about %s", driver->program);
}

int driver_setup_log(void **state)
{
	static struct driver driver;

	driver_start(&driver, "millgate-log", "");
	*state = &driver;
	return 0;
}

int driver_teardown(void **state)
{
	driver_stop(*state);
	return 0;
}

struct mg_client *driver_connect(const struct driver *driver)
{
	struct mg_error error = {""};
	struct mg_client *client = mg_client_open(&driver->endpoint, 0, 0, GENEROUS, &error);

	if (client == NULL)
		fail_msg("%s", error.text);
	return client;
}

int driver_connect_raw(const struct driver *driver)
{
	struct mg_error error = {""};
	int fd = mg_connect(&driver->endpoint, GENEROUS, &error);

	if (fd < 0)
		fail_msg("%s", error.text);
	return fd;
}

const json_t *driver_field(const json_t *event, const char *name)
{
	char part[64];

	while (event != NULL && *name != '\0') {
		size_t length = strcspn(name, ".");

		mg_str_format(part, sizeof(part), "%.*s", (int)length, name);
		event = json_object_get(event, part);
		name += length + (name[length] == '.');
	}
	return event;
}

const char *driver_text(const json_t *event, const char *name)
{
	const char *text = json_string_value(driver_field(event, name));

	return text != NULL ? text : "";
}

json_t *driver_events(const struct driver *driver, const char *action, const char *queue_id)
{
	FILE *file = fopen(driver->events, "r");
	json_t *events = json_array();
	char *line = NULL;
	size_t size = 0;

	assert_non_null(file);
	while (getline(&line, &size, file) > 0) {
		json_t *event = json_loads(line, 0, NULL);

		if (event == NULL)
			fail_msg("not JSON: %.200s", line);
		if (strcmp(driver_text(event, "event.action"), action) == 0 &&
			(queue_id == NULL ||
				strcmp(driver_text(event, "email.local_id"), queue_id) == 0))
			json_array_append(events, event);
		json_decref(event);
	}
	free(line);
	fclose(file);
	return events;
}

size_t driver_count_events(const struct driver *driver, const char *action, const char *queue_id)
{
	json_t *events = driver_events(driver, action, queue_id);
	size_t count = json_array_size(events);

	json_decref(events);
	return count;
}

void driver_wait_events(const struct driver *driver, const char *action, size_t count)
{
	int64_t deadline = now() + GENEROUS;

	while (driver_count_events(driver, action, NULL) < count) {
		if (now() > deadline)
			fail_msg("no %zu events %s", count, action);
		pause_a_little();
	}
}

int driver_verify(const struct driver *driver)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int log = open(driver->log, O_WRONLY | O_APPEND);

		if (log >= 0 && dup2(log, STDERR_FILENO) >= 0 && dup2(log, STDOUT_FILENO) >= 0)
			execl(driver->program, driver->program, "-c", driver->configuration,
				"--verify", (char *)NULL);
		_exit(127);
	}
	status = wait_for_end(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int driver_descriptors(const struct driver *driver)
{
	char path[64];
	int count = 0;
	DIR *directory;

	mg_str_format(path, sizeof(path), "/proc/%d/fd", (int)driver->pid);
	directory = opendir(path);
	if (directory == NULL)
		return -1;
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

bool driver_wait_descriptors(const struct driver *driver, int count)
{
	int64_t deadline = now() + GENEROUS;

	while (driver_descriptors(driver) > count) {
		if (now() > deadline)
			return false;
		pause_a_little();
	}
	return true;
}

size_t driver_log_lines(const struct driver *driver)
{
	FILE *file = fopen(driver->log, "r");
	size_t lines = 0;
	int character;

	assert_non_null(file);
	while ((character = getc(file)) != EOF)
		lines += character == '\n';
	fclose(file);
	return lines;
}

size_t driver_count_log(const struct driver *driver, const char *text)
{
	FILE *file = fopen(driver->log, "r");
	size_t count = 0;
	char line[1024];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

void driver_wait_log(const struct driver *driver, const char *text, size_t count)
{
	int64_t deadline = now() + GENEROUS;

	while (driver_count_log(driver, text) < count) {
		if (now() > deadline)
			fail_msg("%s did not say \"%s\" %zu times", driver->program, text, count);
		pause_a_little();
	}
}

/* SPDX-License-Identifier: ISC */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

static bool spawn(pid_t *pid, const char *const arguments[], int output)
{
	posix_spawn_file_actions_t actions;
	bool started;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	started = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0 &&
		  posix_spawn_file_actions_adddup2(&actions, output, 1) == 0 &&
		  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) == 0 &&
		  /* The arguments are not changed: POSIX, exec, Rationale. */
		  posix_spawnp(pid, arguments[0], &actions, NULL,
			  (char *const *)(uintptr_t)arguments, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return started;
}

bool cli_child_start(struct cli_child *child, const char *const arguments[])
{
	int ends[2];
	bool started;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	started = spawn(&child->pid, arguments, ends[1]);
	close(ends[1]);
	child->output = started ? fdopen(ends[0], "r") : NULL;
	if (child->output != NULL)
		return true;
	close(ends[0]);
	if (started)
		waitpid(child->pid, NULL, 0);
	return false;
}

int cli_child_end(struct cli_child *child)
{
	int status;
	pid_t ended;

	fclose(child->output);
	do
		ended = waitpid(child->pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

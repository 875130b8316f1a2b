/* SPDX-License-Identifier: ISC */
#include "base/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

#include "base/clock.h"
#include "base/net.h"

static char folder[] = "/tmp/millgate-endpoint-XXXXXX";
static struct mg_endpoint unix_endpoint;
static struct mg_error error;

static int make_folder(void **state)
{
	char text[96];

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(text, sizeof(text), "unix:%s/test.sock", folder);
	return mg_endpoint_parse(text, &unix_endpoint, NULL) ? 0 : -1;
}

static int remove_socket(void **state)
{
	(void)state;
	unlink(unix_endpoint.path);
	return 0;
}

/* Fails when a test left anything behind. */
static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void close_all(const int fds[], int count)
{
	for (int i = 0; i < count; i++)
		close(fds[i]);
}

static bool accepts(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int accepted;

	if (poll(&poll_fd, 1, 20000) != 1)
		return false;
	accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (accepted >= 0)
		close(accepted);
	return accepted >= 0;
}

static void the_three_kinds_are_read(void **state)
{
	static const struct {
		const char *text;
		struct mg_endpoint endpoint;
	} rows[] = {
		{"unix:/run/a.sock", {.kind = MG_ENDPOINT_UNIX, .path = "/run/a.sock", .fd = -1}},
		{"inet:8891@127.0.0.1",
			{.kind = MG_ENDPOINT_INET, .host = "127.0.0.1", .port = 8891, .fd = -1}},
		{"inet:1@::1", {.kind = MG_ENDPOINT_INET, .host = "::1", .port = 1, .fd = -1}},
		{"inet:65535@localhost",
			{.kind = MG_ENDPOINT_INET, .host = "localhost", .port = 65535, .fd = -1}},
		{"inet:0@", {.kind = MG_ENDPOINT_INET, .fd = -1}},
		{"inet:25", {.kind = MG_ENDPOINT_INET, .port = 25, .fd = -1}},
		{"fd:3", {.kind = MG_ENDPOINT_FD, .fd = 3}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mg_endpoint endpoint;

		assert_true(mg_endpoint_parse(rows[i].text, &endpoint, &error));
		assert_int_equal(endpoint.kind, rows[i].endpoint.kind);
		assert_string_equal(endpoint.path, rows[i].endpoint.path);
		assert_string_equal(endpoint.host, rows[i].endpoint.host);
		assert_int_equal(endpoint.port, rows[i].endpoint.port);
		assert_int_equal(endpoint.fd, rows[i].endpoint.fd);
	}
}

static void what_is_no_endpoint_is_refused_with_what_was_expected(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"", "\"\": expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"/run/a.sock", "\"/run/a.sock\": expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"local:/run/a\n",
			"\"local:/run/a\\x0a\": expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"unix:a.sock", "\"unix:\" is followed by no absolute path; "
				"expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"inet:", "\"inet:\" is followed by no port; "
			  "expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"inet:65536@", "\"inet:\" is followed by no port; "
				"expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"inet:000000000025@", "\"inet:\" is followed by no port; "
				       "expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"inet:127.0.0.1:8891", "\"inet:\" is followed by no port; "
					"expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"inet:8891@mx.example.org", "host \"mx.example.org\": expected an address, "
					     "localhost, or nothing for all"},
		{"fd:", "\"fd:\" is followed by no descriptor number; "
			"expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"fd:-1", "\"fd:\" is followed by no descriptor number; "
			  "expected unix:/PATH, inet:PORT@HOST or fd:N"},
		{"fd:2147483648", "\"fd:\" is followed by no descriptor number; "
				  "expected unix:/PATH, inet:PORT@HOST or fd:N"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mg_endpoint endpoint;

		assert_false(mg_endpoint_parse(rows[i].text, &endpoint, &error));
		assert_string_equal(error.text, rows[i].error);
	}
}

static void a_path_longer_than_a_socket_address_is_refused(void **state)
{
	char text[256] = "unix:/";
	struct mg_endpoint endpoint;

	(void)state;
	memset(text + 6, 'a', 106);
	assert_true(mg_endpoint_parse(text, &endpoint, &error));
	text[6 + 106] = 'a';
	assert_false(mg_endpoint_parse(text, &endpoint, &error));
	assert_string_equal(error.text, "the path of a socket has at most 107 bytes, this one 108");
}

static void a_daemons_path_leaves_room_for_the_temporary_name(void **state)
{
	struct mg_endpoint endpoint = {.kind = MG_ENDPOINT_UNIX};
	size_t length = strlen(folder);
	int fds[MG_LISTEN_MAX];

	(void)state;
	memcpy(endpoint.path, folder, length);
	memset(endpoint.path + length, 'a', 98 - length);
	endpoint.path[length] = '/';
	assert_int_equal(mg_listen(&endpoint, 0660, fds, &error), -1);
	assert_non_null(strstr(error.text, "a daemon's has at most 97 bytes"));
	endpoint.path[97] = '\0';
	assert_int_equal(mg_listen(&endpoint, 0660, fds, &error), 1);
	mg_unlisten(&endpoint, fds, 1);
	close(fds[0]);
	assert_int_equal(access(endpoint.path, F_OK), -1);
}

static void a_listening_socket_is_close_on_exec_and_does_not_block(void **state)
{
	int fds[MG_LISTEN_MAX];

	(void)state;
	assert_int_equal(mg_listen(&unix_endpoint, 0660, fds, &error), 1);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(accept(fds[0], NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	close(fds[0]);
}

static void a_unix_socket_has_its_mode_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 0777};
	struct stat status;
	int fds[MG_LISTEN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		mode_t old = umask(masks[i]);
		int count = mg_listen(&unix_endpoint, 0660, fds, &error);

		umask(old);
		assert_int_equal(count, 1);
		assert_int_equal(lstat(unix_endpoint.path, &status), 0);
		assert_int_equal(status.st_mode, S_IFSOCK | 0660);
		close(fds[0]);
	}
}

static void a_setgid_folder_gives_its_group(void **state)
{
	gid_t groups[NGROUPS_MAX], group = getegid();
	int count = getgroups(NGROUPS_MAX, groups), fds[MG_LISTEN_MAX];
	struct stat status;

	(void)state;
	for (int i = 0; i < count; i++)
		if (groups[i] != getegid())
			group = groups[i];
	/* root may give any group, were it not for containers that know few. */
	if (geteuid() == 0 && chown(folder, (uid_t)-1, 4711) == 0)
		group = 4711;
	assert_int_equal(chown(folder, (uid_t)-1, group), 0);
	assert_int_equal(chmod(folder, 02750), 0);
	count = mg_listen(&unix_endpoint, 0660, fds, &error);
	assert_int_equal(chown(folder, (uid_t)-1, getegid()), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(count, 1);
	assert_int_equal(lstat(unix_endpoint.path, &status), 0);
	assert_int_equal(status.st_gid, group);
	assert_int_equal(status.st_mode & 07777, 0660);
	close(fds[0]);
}

static void a_client_reaches_the_socket(void **state)
{
	int fds[MG_LISTEN_MAX], client;

	(void)state;
	assert_int_equal(mg_listen(&unix_endpoint, 0660, fds, &error), 1);
	client = mg_connect(&unix_endpoint, 10 * MG_SECOND, &error);
	assert_true(client >= 0);
	assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
	assert_false(fcntl(client, F_GETFL) & O_NONBLOCK);
	assert_true(accepts(fds[0]));
	close(client);
	close(fds[0]);
}

static void a_stale_socket_is_replaced(void **state)
{
	int fds[MG_LISTEN_MAX], client;

	(void)state;
	assert_int_equal(mg_listen(&unix_endpoint, 0660, fds, &error), 1);
	close(fds[0]);
	assert_int_equal(access(unix_endpoint.path, F_OK), 0);
	assert_int_equal(mg_listen(&unix_endpoint, 0600, fds, &error), 1);
	client = mg_connect(&unix_endpoint, 10 * MG_SECOND, &error);
	assert_true(client >= 0);
	assert_true(accepts(fds[0]));
	close(client);
	close(fds[0]);
}

/* Another process that listens on the endpoint, named so; ends when this one does. */
static pid_t start_listener(const char *name)
{
	int ready[2], fds[MG_LISTEN_MAX];
	char byte;
	pid_t child;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (mg_listen(&unix_endpoint, 0660, fds, NULL) == 1 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	/* End of file instead of a byte: the child could not listen. */
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void end_listener(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void a_live_socket_is_left_and_its_process_named(void **state)
{
	pid_t child = start_listener("millgate-dkim");
	char expected[256];
	int fds[MG_LISTEN_MAX], count, client;

	(void)state;
	count = mg_listen(&unix_endpoint, 0660, fds, &error);
	client = mg_connect(&unix_endpoint, 10 * MG_SECOND, NULL);
	end_listener(child);
	snprintf(expected, sizeof(expected),
		"%s: pid %d (millgate-dkim) answers there; stop it, or set socket",
		unix_endpoint.path, (int)child);
	assert_int_equal(count, -1);
	assert_string_equal(error.text, expected);
	assert_true(client >= 0);
	close(client);
}

static void the_name_of_the_process_that_answers_is_shown_escaped(void **state)
{
	pid_t child = start_listener("a\x1b[31mb");
	int fds[MG_LISTEN_MAX], count = mg_listen(&unix_endpoint, 0660, fds, &error);

	(void)state;
	end_listener(child);
	assert_int_equal(count, -1);
	assert_non_null(strstr(error.text, " (a\\x1b[31mb) answers there"));
}

static void a_socket_whose_queue_is_full_is_live(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int busy = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int clients[2], fds[MG_LISTEN_MAX];

	(void)state;
	memcpy(address.sun_path, unix_endpoint.path, sizeof(address.sun_path));
	assert_int_equal(bind(busy, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(busy, 0), 0);
	clients[0] = mg_connect(&unix_endpoint, 10 * MG_SECOND, &error);
	assert_true(clients[0] >= 0);
	clients[1] = mg_connect(&unix_endpoint, 10 * MG_MILLISECOND, &error);
	assert_int_equal(clients[1], -1);
	assert_non_null(strstr(error.text, "Connection timed out"));
	assert_int_equal(mg_listen(&unix_endpoint, 0660, fds, &error), -1);
	assert_non_null(strstr(error.text, ": a process answers there; stop it, or set socket"));
	close(clients[0]);
	close(busy);
}

static void what_is_no_socket_is_never_removed(void **state)
{
	struct stat status;
	int fds[MG_LISTEN_MAX];
	int file = open(unix_endpoint.path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	(void)state;
	assert_true(file >= 0);
	close(file);
	assert_int_equal(mg_listen(&unix_endpoint, 0660, fds, &error), -1);
	assert_non_null(strstr(error.text, ": there is a file that is no socket; move it"));
	assert_int_equal(lstat(unix_endpoint.path, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	unlink(unix_endpoint.path);

	assert_int_equal(symlink("elsewhere", unix_endpoint.path), 0);
	assert_int_equal(mg_listen(&unix_endpoint, 0660, fds, &error), -1);
	assert_int_equal(lstat(unix_endpoint.path, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
}

static void a_missing_folder_is_an_error_that_names_the_path(void **state)
{
	struct mg_endpoint endpoint = {.kind = MG_ENDPOINT_UNIX, .path = "/nonexistent/a.sock"};
	int fds[MG_LISTEN_MAX];

	(void)state;
	assert_int_equal(mg_listen(&endpoint, 0660, fds, &error), -1);
	assert_string_equal(error.text, "/nonexistent/a.sock: No such file or directory");
	assert_int_equal(mg_connect(&endpoint, MG_SECOND, &error), -1);
	assert_string_equal(error.text, "unix:/nonexistent/a.sock: No such file or directory");
}

static void unlisten_removes_the_file_it_made(void **state)
{
	int fds[MG_LISTEN_MAX];

	(void)state;
	assert_int_equal(mg_listen(&unix_endpoint, 0660, fds, &error), 1);
	mg_unlisten(&unix_endpoint, fds, 1);
	close(fds[0]);
	assert_int_equal(access(unix_endpoint.path, F_OK), -1);
}

static void unlisten_leaves_the_file_of_another(void **state)
{
	int first[MG_LISTEN_MAX], second[MG_LISTEN_MAX];

	(void)state;
	assert_int_equal(mg_listen(&unix_endpoint, 0660, first, &error), 1);
	assert_int_equal(unlink(unix_endpoint.path), 0);
	assert_int_equal(mg_listen(&unix_endpoint, 0660, second, &error), 1);
	mg_unlisten(&unix_endpoint, first, 1);
	assert_int_equal(access(unix_endpoint.path, F_OK), 0);
	assert_true(accepts(second[0]));
	mg_unlisten(&unix_endpoint, second, 1);
	assert_int_equal(access(unix_endpoint.path, F_OK), -1);
	mg_unlisten(&unix_endpoint, second, 1);
	close(first[0]);
	close(second[0]);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return mg_net_port(&address);
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	if (fd >= 0)
		close(fd);
	return bound;
}

static bool reaches(const char *host, uint16_t port, int fd)
{
	struct mg_endpoint endpoint = {.kind = MG_ENDPOINT_INET, .port = port};
	int client;
	bool accepted;

	snprintf(endpoint.host, sizeof(endpoint.host), "%s", host);
	client = mg_connect(&endpoint, 10 * MG_SECOND, &error);
	if (client < 0)
		return false;
	accepted = accepts(fd);
	close(client);
	return accepted;
}

static void localhost_is_one_port_of_both_families(void **state)
{
	struct mg_endpoint endpoint;
	int fds[MG_LISTEN_MAX], count = -1;

	(void)state;
	assert_true(mg_endpoint_parse("inet:0@localhost", &endpoint, &error));
	/* The port that is free for one family may be taken for the other. */
	for (int tries = 0; count < 0 && tries < 20; tries++)
		count = mg_listen(&endpoint, 0, fds, &error);
	assert_int_equal(count, has_ipv6() ? 2 : 1);
	assert_true(reaches("127.0.0.1", port_of(fds[0]), fds[0]));
	if (count == 2) {
		assert_int_equal(port_of(fds[0]), port_of(fds[1]));
		assert_true(reaches("::1", port_of(fds[1]), fds[1]));
	}
	mg_unlisten(&endpoint, fds, count);
	close_all(fds, count);
}

static void an_address_listens_on_itself_only(void **state)
{
	struct mg_endpoint endpoint;
	int fds[MG_LISTEN_MAX];

	(void)state;
	assert_true(mg_endpoint_parse("inet:0@127.0.0.1", &endpoint, &error));
	assert_int_equal(mg_listen(&endpoint, 0, fds, &error), 1);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	assert_true(reaches("127.0.0.1", port_of(fds[0]), fds[0]));
	assert_false(reaches("::1", port_of(fds[0]), fds[0]));
	close(fds[0]);
}

static void no_host_is_one_socket_for_all_addresses(void **state)
{
	struct mg_endpoint endpoint;
	int fds[MG_LISTEN_MAX];

	(void)state;
	assert_true(mg_endpoint_parse("inet:0@", &endpoint, &error));
	assert_int_equal(mg_listen(&endpoint, 0, fds, &error), 1);
	assert_true(reaches("127.0.0.1", port_of(fds[0]), fds[0]));
	assert_true(reaches("", port_of(fds[0]), fds[0]));
	if (has_ipv6())
		assert_true(reaches("::1", port_of(fds[0]), fds[0]));
	close(fds[0]);
}

static void localhost_is_connected_to_by_the_family_that_answers(void **state)
{
	struct mg_endpoint endpoint;
	int fds[MG_LISTEN_MAX];

	(void)state;
	assert_true(mg_endpoint_parse(
		has_ipv6() ? "inet:0@::1" : "inet:0@127.0.0.1", &endpoint, &error));
	assert_int_equal(mg_listen(&endpoint, 0, fds, &error), 1);
	assert_true(reaches("localhost", port_of(fds[0]), fds[0]));
	close(fds[0]);
}

static void a_port_in_use_is_an_error(void **state)
{
	struct mg_endpoint endpoint;
	int fds[MG_LISTEN_MAX], others[MG_LISTEN_MAX];
	char expected[64];

	(void)state;
	assert_true(mg_endpoint_parse("inet:0@127.0.0.1", &endpoint, &error));
	assert_int_equal(mg_listen(&endpoint, 0, fds, &error), 1);
	endpoint.port = port_of(fds[0]);
	assert_int_equal(mg_listen(&endpoint, 0, others, &error), -1);
	snprintf(expected, sizeof(expected), "inet:%u@127.0.0.1: Address already in use",
		(unsigned)endpoint.port);
	assert_string_equal(error.text, expected);
	close(fds[0]);
}

static void a_refused_connection_is_an_error(void **state)
{
	struct sockaddr_storage address;
	struct mg_endpoint endpoint;
	char expected[64];
	int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	/* A socket that has the port but does not listen: nobody else can. */
	assert_true(mg_net_parse("127.0.0.1", 0, &address));
	assert_int_equal(bind(bound, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
	assert_true(mg_endpoint_parse("inet:0@127.0.0.1", &endpoint, &error));
	endpoint.port = port_of(bound);
	assert_int_equal(mg_connect(&endpoint, 10 * MG_SECOND, &error), -1);
	snprintf(expected, sizeof(expected), "inet:%u@127.0.0.1: Connection refused",
		(unsigned)endpoint.port);
	assert_string_equal(error.text, expected);
	close(bound);
}

static void a_descriptor_must_be_a_listening_socket(void **state)
{
	struct mg_endpoint endpoint = {.kind = MG_ENDPOINT_FD};
	int fds[MG_LISTEN_MAX], pipes[2], sockets[2];

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	endpoint.fd = pipes[0];
	assert_int_equal(mg_listen(&endpoint, 0, fds, &error), -1);
	assert_non_null(strstr(error.text, ": Socket operation on non-socket"));
	close_all(pipes, 2);
	assert_int_equal(mg_listen(&endpoint, 0, fds, &error), -1);
	assert_non_null(strstr(error.text, ": Bad file descriptor"));

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	endpoint.fd = sockets[0];
	assert_int_equal(mg_listen(&endpoint, 0, fds, &error), -1);
	assert_non_null(strstr(error.text, ": this socket does not listen"));
	close_all(sockets, 2);
}

static void a_listening_descriptor_is_taken_as_it_is(void **state)
{
	struct mg_endpoint inet, endpoint = {.kind = MG_ENDPOINT_FD};
	int fds[MG_LISTEN_MAX], taken[MG_LISTEN_MAX];

	(void)state;
	assert_true(mg_endpoint_parse("inet:0@127.0.0.1", &inet, &error));
	assert_int_equal(mg_listen(&inet, 0, fds, &error), 1);
	/* As systemd hands it over: blocking, open over exec. */
	assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
	assert_int_equal(fcntl(fds[0], F_SETFD, 0), 0);
	endpoint.fd = fds[0];
	assert_int_equal(mg_listen(&endpoint, 0, taken, &error), 1);
	assert_int_equal(taken[0], fds[0]);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	mg_unlisten(&endpoint, taken, 1);
	assert_true(reaches("127.0.0.1", port_of(fds[0]), fds[0]));
	assert_int_equal(mg_connect(&endpoint, MG_SECOND, &error), -1);
	close(fds[0]);
}

#define SOCKET_TEST(test) cmocka_unit_test_teardown(test, remove_socket)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_kinds_are_read),
		cmocka_unit_test(what_is_no_endpoint_is_refused_with_what_was_expected),
		cmocka_unit_test(a_path_longer_than_a_socket_address_is_refused),
		cmocka_unit_test(a_daemons_path_leaves_room_for_the_temporary_name),
		SOCKET_TEST(a_listening_socket_is_close_on_exec_and_does_not_block),
		SOCKET_TEST(a_unix_socket_has_its_mode_whatever_the_umask),
		SOCKET_TEST(a_setgid_folder_gives_its_group),
		SOCKET_TEST(a_client_reaches_the_socket),
		SOCKET_TEST(a_stale_socket_is_replaced),
		SOCKET_TEST(a_live_socket_is_left_and_its_process_named),
		SOCKET_TEST(the_name_of_the_process_that_answers_is_shown_escaped),
		SOCKET_TEST(a_socket_whose_queue_is_full_is_live),
		SOCKET_TEST(what_is_no_socket_is_never_removed),
		SOCKET_TEST(a_missing_folder_is_an_error_that_names_the_path),
		SOCKET_TEST(unlisten_removes_the_file_it_made),
		SOCKET_TEST(unlisten_leaves_the_file_of_another),
		cmocka_unit_test(localhost_is_one_port_of_both_families),
		cmocka_unit_test(an_address_listens_on_itself_only),
		cmocka_unit_test(no_host_is_one_socket_for_all_addresses),
		cmocka_unit_test(localhost_is_connected_to_by_the_family_that_answers),
		cmocka_unit_test(a_port_in_use_is_an_error),
		cmocka_unit_test(a_refused_connection_is_an_error),
		cmocka_unit_test(a_descriptor_must_be_a_listening_socket),
		cmocka_unit_test(a_listening_descriptor_is_taken_as_it_is),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

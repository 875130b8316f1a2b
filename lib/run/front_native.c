/* SPDX-License-Identifier: ISC */
#include "run/front_native.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "run/host.h"
#include "run/idle.h"
#include "run/native_connection.h"

enum { STACK_SIZE = 512 * 1024 };

static struct {
	struct mg_host *host;
	int fds[MG_LISTEN_MAX];
	int count;
	int stop; /* eventfd: readable once nothing is to be accepted any more */
	bool local; /* only processes of this machine connect */
	_Atomic size_t connections;
	int64_t refused_told; /* monotonic ns: one line a minute */
} front;

static int64_t monotonic(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

/* --- connections --- */

/* argument: the descriptor */
static void *serve_connection(void *argument)
{
	for (int fd = (int)(intptr_t)argument; fd >= 0; fd = mg_idle_wait()) {
		mg_native_serve(front.host, fd, front.local, &mg_native_timeouts);
		front.connections--;
	}
	return NULL;
}

static void tell_refused(const char *why)
{
	int64_t now = monotonic(), told = front.refused_told;

	if (told != 0 && now - told < 60 * MG_SECOND)
		return;
	front.refused_told = now;
	mg_log(LOG_WARNING, "connections are refused: %s", why);
}

static size_t connections_bound(void)
{
	struct mg_snapshot *snapshot = mg_snapshot_current(&front.host->snapshots);
	size_t bound = snapshot->settings->connections;

	mg_snapshot_release(snapshot);
	return bound;
}

static void start_connection(int fd, const pthread_attr_t *attributes)
{
	pthread_t thread;
	int status;

	if (front.connections >= connections_bound()) {
		tell_refused("bounds.connections are open");
		close(fd);
		return;
	}
	front.connections++;
	if (mg_idle_give(fd))
		return;
	status = pthread_create(&thread, attributes, serve_connection, (void *)(intptr_t)fd);
	if (status == 0)
		return;
	front.connections--;
	tell_refused(strerror(status));
	close(fd);
}

/* --- the engine --- */

static int native_open(struct mg_host *host, const int fds[], int count, struct mg_error *error)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	front.host = host;
	front.count = count;
	memcpy(front.fds, fds, (size_t)count * sizeof(fds[0]));
	front.local = getsockname(fds[0], (struct sockaddr *)&address, &length) == 0 &&
		      address.ss_family == AF_UNIX;
	front.stop = eventfd(0, EFD_CLOEXEC);
	if (front.stop >= 0)
		return 0;
	mg_error_system(error, errno, "eventfd");
	return -1;
}

static void accept_one(int listener, const pthread_attr_t *attributes)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0) {
		const int yes = 1;

		/* A new body and the answer after it are two writes: over TCP the second is not to
		 * wait until the first is acknowledged. */
		if (!front.local)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		start_connection(fd, attributes);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		/* The client waits in the backlog until a connection ends. */
		tell_refused(strerror(errno));
		poll(NULL, 0, 100);
	}
}

static int native_run(struct mg_error *error)
{
	struct pollfd waits[MG_LISTEN_MAX + 1] = {{.fd = front.stop, .events = POLLIN}};
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (int i = 0; i < front.count; i++)
		waits[i + 1] = (struct pollfd){.fd = front.fds[i], .events = POLLIN};
	while (waits[0].revents == 0) {
		if (poll(waits, (nfds_t)front.count + 1, -1) < 0 && errno != EINTR) {
			mg_error_system(error, errno, "poll");
			pthread_attr_destroy(&attributes);
			return -1;
		}
		for (int i = 1; waits[0].revents == 0 && i <= front.count; i++)
			if (waits[i].revents != 0)
				accept_one(waits[i].fd, &attributes);
	}
	pthread_attr_destroy(&attributes);
	return 0;
}

static void native_stop_accepting(void)
{
	const uint64_t one = 1;

	if (write(front.stop, &one, sizeof(one)) != sizeof(one))
		mg_log(LOG_WARNING, "cannot stop accepting: %s", strerror(errno));
}

const struct mg_engine mg_engine_native = {
	.name = "native",
	.open = native_open,
	.run = native_run,
	.stop_accepting = native_stop_accepting,
};

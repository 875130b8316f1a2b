/* SPDX-License-Identifier: ISC */
#include "run/watchdog.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/net.h"
#include "base/str.h"
#include "run/client.h"
#include "run/notify.h"

static struct {
	struct mg_endpoint endpoint;
	int64_t interval; /* ns between two questions */
	_Atomic bool stopped;
} watchdog;

static bool is_any(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

/* Where to ask: a socket that was passed on has its own name, and port 0 has become another. */
static void find_endpoint(const struct mg_endpoint *endpoint, int listener)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);
	struct mg_endpoint *target = &watchdog.endpoint;

	*target = *endpoint;
	if (endpoint->kind == MG_ENDPOINT_UNIX ||
		getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		return;
	if (address.ss_family == AF_UNIX) {
		target->kind = MG_ENDPOINT_UNIX;
		mg_str_copy(target->path, sizeof(target->path),
			((const struct sockaddr_un *)&address)->sun_path);
		return;
	}
	target->kind = MG_ENDPOINT_INET;
	target->port = mg_net_port(&address);
	mg_net_format(&address, target->host, sizeof(target->host));
	if (is_any(target->host))
		target->host[0] = '\0';
}

static void *feed(void *unused)
{
	struct timespec next;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!watchdog.stopped) {
		struct mg_error error;
		bool served = mg_client_probe(&watchdog.endpoint, watchdog.interval, &error) == 0;

		if (watchdog.stopped)
			break;
		if (served)
			mg_notify("WATCHDOG=1");
		else
			mg_log(LOG_WARNING, "watchdog: no session can be served: %s", error.text);
		next.tv_nsec += watchdog.interval % MG_SECOND;
		next.tv_sec += watchdog.interval / MG_SECOND + next.tv_nsec / MG_SECOND;
		next.tv_nsec %= MG_SECOND;
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0)
			;
	}
	return NULL;
}

int mg_watchdog_start(const struct mg_endpoint *endpoint, int listener)
{
	int64_t limit = mg_notify_watchdog();
	pthread_attr_t attributes;
	pthread_t thread;
	int status;

	if (limit == 0)
		return 0;
	watchdog.interval = limit / 3;
	find_endpoint(endpoint, listener);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	status = pthread_create(&thread, &attributes, feed, NULL);
	pthread_attr_destroy(&attributes);
	return status;
}

void mg_watchdog_stop(void)
{
	watchdog.stopped = true;
}

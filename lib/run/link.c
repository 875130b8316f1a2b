/* SPDX-License-Identifier: ISC */
#include "run/link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"

enum { READ_SIZE = 65536 };

void mg_link_open(struct mg_link *link, int fd)
{
	*link = (struct mg_link){.fd = fd};
}

void mg_link_close(struct mg_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	mg_buf_free(&link->in);
	mg_buf_free(&link->out);
	link->start = link->taken = 0;
}

int64_t mg_link_now(void)
{
	return mg_clock_system.monotonic(&mg_clock_system);
}

/* 1 when the socket is ready for events (or broken: the next call says how), 0 at the deadline. */
static int wait_until(int fd, short events, int64_t deadline)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline - mg_link_now();
		int64_t milliseconds = (left + MG_MILLISECOND - 1) / MG_MILLISECOND;
		int ready;

		if (left <= 0)
			milliseconds = 0;
		if (milliseconds > INT_MAX)
			milliseconds = INT_MAX;
		ready = poll(&poll_fd, 1, (int)milliseconds);
		if (ready > 0)
			return 1;
		if (ready == 0 && left <= 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return 1;
	}
}

int mg_link_flush(struct mg_link *link, int64_t deadline, struct mg_error *error)
{
	size_t sent = 0;
	int result = -1;

	if (link->out.failed) {
		mg_error_set(error, "out of memory");
		goto done;
	}
	if (link->fd < 0) {
		mg_error_set(error, "the connection is closed");
		goto done;
	}
	while (sent < link->out.length) {
		ssize_t length = send(link->fd, link->out.data + sent, link->out.length - sent,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (length >= 0) {
			sent += (size_t)length;
		} else if (errno == EAGAIN) {
			if (wait_until(link->fd, POLLOUT, deadline) == 0) {
				mg_error_set(error, "timed out while sending");
				goto done;
			}
		} else if (errno != EINTR) {
			mg_error_system(error, errno, "cannot send");
			goto done;
		}
	}
	result = 0;
done:
	mg_buf_reset(&link->out);
	return result;
}

/* Makes recv(2) itself wait about as long as is left: one call where poll would need three. Returns
 * the flag it needs. */
static int receive_flag(struct mg_link *link, int64_t left)
{
	struct timeval wait = {
		.tv_sec = left / MG_SECOND, .tv_usec = (left % MG_SECOND) * 1000 / MG_MILLISECOND};

	/* A wait much like the last one's has its time-out already. */
	if (llabs(link->patience - left) <= left / 8)
		return 0;
	if (left < MG_MILLISECOND ||
		setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0)
		return MSG_DONTWAIT;
	link->patience = left;
	return 0;
}

/* Reads what is there into in: 1, 0 at the deadline, -1 at the end or on failure. */
static int read_more(struct mg_link *link, int64_t deadline, struct mg_error *error)
{
	char bytes[READ_SIZE];

	for (;;) {
		ssize_t length = recv(link->fd, bytes, sizeof(bytes),
			receive_flag(link, deadline - mg_link_now()));

		if (length > 0) {
			mg_buf_add(&link->in, bytes, (size_t)length);
			if (!link->in.failed)
				return 1;
			mg_error_set(error, "out of memory");
			return -1;
		}
		if (length == 0) {
			mg_error_set(error, "the connection was closed");
			return -1;
		}
		if (errno != EAGAIN && errno != EINTR) {
			mg_error_system(error, errno, "cannot read");
			return -1;
		}
		if (wait_until(link->fd, POLLIN, deadline) == 0) {
			mg_error_set(error, "timed out while waiting for an answer");
			return 0;
		}
	}
}

int mg_link_next(
	struct mg_link *link, int64_t deadline, struct mg_packet *packet, struct mg_error *error)
{
	if (link->fd < 0) {
		mg_error_set(error, "the connection is closed");
		return -1;
	}
	if (link->taken > 0) {
		link->in.data[link->start + link->taken] = link->saved;
		link->start += link->taken;
		link->taken = 0;
	}
	for (;;) {
		long taken = 0;
		int more;

		if (link->in.length > link->start)
			taken = mg_wire_take(link->in.data + link->start,
				link->in.length - link->start, MG_WIRE_PACKET_MAX, packet,
				&link->saved);
		if (taken > 0) {
			link->taken = (size_t)taken;
			return 1;
		}
		if (taken < 0) {
			mg_error_set(error, "a packet of a forbidden length came");
			return -1;
		}
		mg_buf_consume(&link->in, link->start);
		link->start = 0;
		more = read_more(link, deadline, error);
		if (more <= 0)
			return more;
	}
}

bool mg_link_is_partial(const struct mg_link *link)
{
	return link->in.length > link->start;
}

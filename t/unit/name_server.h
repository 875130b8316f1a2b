/* SPDX-License-Identifier: ISC */
/* A name server in this process, on a loopback port, that answers every question for TXT with one
 * text, the number of the answer ("1", "2", …). By the first label of the name: "silent…" no
 * answer, "servfail…" a failure, "none…" no such name, "torn…" a string longer
 * than its record, "short…" a TTL of one second, else 60. */
#ifndef T_UNIT_NAME_SERVER_H
#define T_UNIT_NAME_SERVER_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct name_server {
	int socket, end[2];
	char address[32]; /* "127.0.0.1@PORT" */
	pthread_t thread;
	_Atomic unsigned queries; /* that came */
	_Atomic bool mute; /* answers nothing, for now */
	pthread_mutex_t lock; /* the last question, as on the wire */
	uint8_t name[256];
};

void name_server_start(struct name_server *server);
void name_server_stop(struct name_server *server);
/* Waits until so many queries came in all. */
void name_server_wait(struct name_server *server, unsigned queries);
#endif

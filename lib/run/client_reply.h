/* SPDX-License-Identifier: ISC */
/* client_reply: what the packets of a filter mean to the MTA: the answer of a step with its reply
 * text, and the edits of end of message. A part of `client`. */
#ifndef MG_RUN_CLIENT_REPLY_H
#define MG_RUN_CLIENT_REPLY_H
#include <stddef.h>

#include "base/error.h"
#include "run/client.h"
#include "run/wire.h"

/* A zeroed struct is empty. */
struct mg_client_reply {
	char text[4096]; /* "" or "550 5.7.1 text", cut at its size */
	struct mg_client_edit *edits;
	char **edit_data; /* what each edit's texts point into */
	size_t edit_count, edit_room, edit_bytes;
};

/* Takes a packet that came after `command`: the answer, MG_ANSWER_NONE when it was an edit or a
 * sign of life and more will come, MG_ANSWER_LOST with error when it makes no sense there. */
enum mg_answer mg_client_reply_take(struct mg_client_reply *reply, char command,
	const struct mg_packet *packet, struct mg_error *error);

/* Empty again, for the next step. */
void mg_client_reply_reset(struct mg_client_reply *reply);
/* Frees what it points to. */
void mg_client_reply_free(struct mg_client_reply *reply);
#endif

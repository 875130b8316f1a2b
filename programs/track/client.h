/* SPDX-License-Identifier: ISC */
/* client: who sends: what sessions and messages know of a client, and how it is packed. */
#ifndef MG_TRACK_CLIENT_H
#define MG_TRACK_CLIENT_H
#include <stdint.h>

#include "base/buf.h"
#include "track/line.h"
#include "track/pack.h"

enum track_client_text {
	TRACK_CLIENT_NAME,
	TRACK_CLIENT_ADDRESS,
	TRACK_CLIENT_HELO,
	TRACK_CLIENT_USER,
	TRACK_CLIENT_METHOD,
	TRACK_CLIENT_TLS_VERSION,
	TRACK_CLIENT_TLS_CIPHER,
	TRACK_CLIENT_TEXT_COUNT
};

struct track_client {
	struct track_text texts[TRACK_CLIENT_TEXT_COUNT];
	uint16_t port; /* 0 unknown */
};

void track_client_pack(struct mg_buf *record, const struct track_client *client);
void track_client_unpack(struct track_unpacking *from, struct track_client *client);
/* What a line tells of the client, over what was known. */
void track_client_learn(struct track_client *client, const struct track_line *line);
/* Whether a line is about this client: the same address, and no other port. */
bool track_client_is(const struct track_client *client, const struct track_peer *peer);
#endif

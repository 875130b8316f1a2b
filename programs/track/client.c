/* SPDX-License-Identifier: ISC */
#include "track/client.h"

/* Bytes that are kept of each text. */
static const size_t most[TRACK_CLIENT_TEXT_COUNT] = {
	[TRACK_CLIENT_NAME] = 255,
	[TRACK_CLIENT_ADDRESS] = 46,
	[TRACK_CLIENT_HELO] = 255,
	[TRACK_CLIENT_USER] = 255,
	[TRACK_CLIENT_METHOD] = 32,
	[TRACK_CLIENT_TLS_VERSION] = 16,
	[TRACK_CLIENT_TLS_CIPHER] = 64,
};

void track_client_pack(struct mg_buf *record, const struct track_client *client)
{
	track_pack_number(record, client->port);
	for (size_t i = 0; i < TRACK_CLIENT_TEXT_COUNT; i++)
		track_pack_text(record, client->texts[i], most[i]);
}

void track_client_unpack(struct track_unpacking *from, struct track_client *client)
{
	client->port = (uint16_t)track_unpack_number(from);
	for (size_t i = 0; i < TRACK_CLIENT_TEXT_COUNT; i++)
		client->texts[i] = track_unpack_text(from);
}

static void learn(struct track_text *known, struct track_text told)
{
	if (told.text != NULL && told.length > 0)
		*known = told;
}

void track_client_learn(struct track_client *client, const struct track_line *line)
{
	learn(&client->texts[TRACK_CLIENT_NAME], line->client.name);
	learn(&client->texts[TRACK_CLIENT_ADDRESS], line->client.address);
	learn(&client->texts[TRACK_CLIENT_HELO], line->helo);
	learn(&client->texts[TRACK_CLIENT_USER], line->sasl_username);
	learn(&client->texts[TRACK_CLIENT_METHOD], line->sasl_method);
	learn(&client->texts[TRACK_CLIENT_TLS_VERSION], line->tls_version);
	learn(&client->texts[TRACK_CLIENT_TLS_CIPHER], line->tls_cipher);
	if (line->client.port != 0)
		client->port = line->client.port;
}

bool track_client_is(const struct track_client *client, const struct track_peer *peer)
{
	return track_text_same(client->texts[TRACK_CLIENT_ADDRESS], peer->address) &&
	       (peer->port == 0 || client->port == 0 || peer->port == client->port);
}

/* SPDX-License-Identifier: ISC */
#include "mail/milter_macros.h"

#include <stddef.h>
#include <string.h>

#include "base/net.h"
#include "base/str.h"

const char mg_milter_macros_mail[] =
	"i j {daemon_name} {daemon_addr} {daemon_port} {client_addr} {client_name} {client_port} "
	"{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer} {auth_type} "
	"{auth_authen} {millgate_test}";
const char mg_milter_macros_later[] = "i";

/* Macros that are taken as they are. */
static const struct {
	const char *name;
	size_t offset;
} texts[] = {
	{"j", offsetof(struct mg_session, mta_name)},
	{"{daemon_name}", offsetof(struct mg_session, listener)},
	{"{client_name}", offsetof(struct mg_session, client_name)},
	{"{tls_version}", offsetof(struct mg_session, tls_version)},
	{"{cipher}", offsetof(struct mg_session, tls_cipher)},
	{"{cert_subject}", offsetof(struct mg_session, tls_subject)},
	{"{cert_issuer}", offsetof(struct mg_session, tls_issuer)},
	{"{auth_type}", offsetof(struct mg_session, auth_method)},
	{"{auth_authen}", offsetof(struct mg_session, user)},
};

/* "" stands for a macro that is not there. */
static const char *macro(mg_macro_get *get, void *context, const char *name)
{
	const char *value = get(context, name);

	return value != NULL ? value : "";
}

static bool copy_text(struct mg_arena *arena, const char *text, const char **target)
{
	*target = text[0] != '\0' ? mg_arena_copy(arena, text, strlen(text)) : "";
	if (*target != NULL)
		return true;
	*target = "";
	return false;
}

static bool copy_texts(
	mg_macro_get *get, void *context, struct mg_arena *arena, struct mg_session *session)
{
	bool copied = true;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char **target = (const char **)(void *)((char *)session + texts[i].offset);

		if (!copy_text(arena, macro(get, context, texts[i].name), target))
			copied = false;
	}
	/* Postfix: no name, or one whose address does not lead back. */
	if (strcmp(session->client_name, "unknown") == 0)
		session->client_name = "";
	return copied;
}

static unsigned number(const char *text, unsigned maximum)
{
	uint64_t value;

	return mg_str_number(text, maximum, &value) ? (unsigned)value : 0;
}

bool mg_milter_macros_session(mg_macro_get *get, void *context, struct mg_arena *arena,
	struct mg_session *session, bool *local)
{
	const char *client_port = macro(get, context, "{client_port}");
	const char *client = get(context, "{client_addr}");
	const char *daemon = macro(get, context, "{daemon_addr}");
	struct sockaddr_storage daemon_address;
	char daemon_key[64] = "";
	bool copied = copy_texts(get, context, arena, session);

	if (client != NULL &&
		!mg_net_parse(client, (uint16_t)number(client_port, UINT16_MAX), &session->client))
		memset(&session->client, 0, sizeof(session->client));
	session->key[0] = '\0';
	if (mg_net_port(&session->client) != 0)
		mg_net_key(&session->client, session->key, sizeof(session->key));
	if (mg_net_parse(daemon, (uint16_t)number(macro(get, context, "{daemon_port}"), UINT16_MAX),
		    &daemon_address) &&
		mg_net_port(&daemon_address) != 0)
		mg_net_key(&daemon_address, daemon_key, sizeof(daemon_key));
	if (!copy_text(arena, daemon_key, &session->listener_address))
		copied = false;
	session->tls_bits = number(macro(get, context, "{cipher_bits}"), UINT16_MAX);
	session->test = macro(get, context, "{millgate_test}")[0] != '\0';
	*local = strcmp(client_port, "0") == 0 && macro(get, context, "i")[0] != '\0';
	return copied;
}

/* SPDX-License-Identifier: ISC */
/* origin: which way a message goes and whose it is: direction and tenant, from settings and the
 * facts of its session. */
#ifndef MG_MAIL_ORIGIN_H
#define MG_MAIL_ORIGIN_H
#include "base/conf.h"
#include "base/error.h"
#include "mail/message.h"

/* internal_networks, trusted_relays, outbound_daemons, reinject, tenant "…" { users networks
 * sender_domains }; ended by NULL name. */
extern const struct mg_option mg_origin_options[];

struct mg_origin;
/* conf: the top level, kept until mg_origin_free; bad entries were errors when it was loaded. NULL
 * with errors: no memory. */
struct mg_origin *mg_origin_new(const struct mg_conf *conf, struct mg_errors *errors);
void mg_origin_free(struct mg_origin *origin);

bool mg_origin_internal(const struct mg_origin *origin, const struct mg_session *session);
/* inbound if the client is in trusted_relays or came in by a `reinject` listener; else outbound
 * if it authenticated, its listener is in outbound_daemons, the mail is local, or the client is
 * internal; else inbound. */
enum mg_direction mg_origin_direction(const struct mg_origin *origin,
	const struct mg_session *session, bool local);
/* Title of the first tenant, in the order of the file, that has this user (glob), client
 * network, or sender domain (glob, A-label, lower case; whole labels); "" for none. A user
 * decides before a network, a network before a domain. */
const char *mg_origin_tenant(const struct mg_origin *origin,
	const struct mg_session *session, const char *sender);
#endif

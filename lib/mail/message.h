/* SPDX-License-Identifier: ISC */
/* message: what is known of a connection and of one message on it, as a filter sees them. Filled
 * by a runner, read by filters. */
#ifndef MG_MAIL_MESSAGE_H
#define MG_MAIL_MESSAGE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Facts of the connection, renewed at each MAIL and unchanged between; strings are never NULL,
 * "" is unknown. */
struct mg_session {
	struct sockaddr_storage client;	/* family AF_UNSPEC: unknown */
	const char *client_name;	/* verified name, macro {client_name} */
	const char *helo;
	const char *mta_name;		/* macro j */
	const char *listener;		/* macro {daemon_name} */
	const char *listener_address;	/* "address:port" of the MTA's side */
	const char *user, *auth_method; /* SASL: {auth_authen} alone, {auth_type} */
	const char *tls_version, *tls_cipher;	/* "TLSv1.3"; "" without TLS */
	const char *tls_subject, *tls_issuer;	/* names of a verified certificate */
	unsigned tls_bits;
	bool internal;			/* client is in internal_networks */
	bool test;			/* sent by `millgate try` (macro {millgate_test}) */
	char key[64];			/* "address:port": joins events before there is a queue id;
					 * "" when unknown, and for local mail */
};

/* A header field as it stands in the message: value is every byte after the colon, leading white
 * space and folds (CRLF) included, without the final CRLF. */
struct mg_header {
	const char *name;
	const char *value;
	size_t name_length, value_length;
};

struct mg_recipient {
	const char *address;		/* without <> */
	const char *esmtp;		/* parameters of RCPT, blank between, "" none */
	bool accepted;			/* false once a filter of this hop refused it */
};

enum mg_direction { MG_INBOUND, MG_OUTBOUND };

struct mg_message {
	const struct mg_session *session;
	const char *queue_id;		/* "" before the MTA tells it: by SMTP not before the second
					 * recipient or DATA */
	char trace_id[33];		/* "" as long as queue_id is */
	const char *sender;		/* without <>; "" is the null sender */
	const char *sender_esmtp;	/* parameters of MAIL, blank between, "" none */
	const struct mg_recipient *recipients;
	size_t recipient_count;
	enum mg_direction direction;
	bool local;			/* not by SMTP (sendmail(1), bounces): no recipient is
					 * refused */
	const char *tenant;		/* "" none */
	uint64_t header_bytes;		/* of the fields seen so far, with CRLF */
	uint64_t body_bytes;		/* seen so far */
	bool dry_run;			/* decided and logged, nothing changed */
	const char *over_bound;		/* the setting whose bound this message went over
					 * ("bounds.headers"), "" none: with on_bound = "accept" a
					 * filter sees no more than the bound allows */
	int64_t received;		/* UTC ns of MAIL */
	int64_t deadline;		/* monotonic ns, set before each callback; every wait in it
					 * ends by then */
};

/* trace.id: the first 16 bytes of SHA-256 over gateway NUL queue_id, in hex; "" for an empty
 * queue id. */
void mg_trace_id(const char *gateway, const char *queue_id, char trace_id[33]);

/* The domain of an address: what follows the last "@" outside quotes, as it stands; "" without. */
const char *mg_address_domain_part(const char *address);
#endif

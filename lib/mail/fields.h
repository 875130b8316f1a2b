/* SPDX-License-Identifier: ISC */
/* fields: the one table of the fields that an event may have, and how the facts of a session and
 * a message become fields. From the table come the manual page millgate-events(5), index
 * templates, and the test that an event has only these. */
#ifndef MG_MAIL_FIELDS_H
#define MG_MAIL_FIELDS_H
#include <stddef.h>
#include <stdio.h>

#include "event/event.h"
#include "mail/message.h"

/* X(identifier, name, type, array, privacy, by, meaning); in the order of the manual: ECS first,
 * then millgate.* */
#define MG_FIELDS(X) \
	X(EVENT_CODE, "event.code", KEYWORD, false, NONE, "all", \
		"Code of the rule or state that decided, public: the CODE of a reply") \
	X(EVENT_REASON, "event.reason", KEYWORD, false, NONE, "all", "Why, in plain words") \
	X(EVENT_DURATION, "event.duration", LONG, false, NONE, "all", \
		"Own work of this filter for the message, nanoseconds") \
	X(EVENT_START, "event.start", DATE, false, NONE, "all", \
		"Begin of what the event is about") \
	X(EVENT_END, "event.end", DATE, false, NONE, "all", "End of what the event is about") \
	X(TRACE_ID, "trace.id", KEYWORD, false, NONE, "all", \
		"The message, on this gateway: hash of gateway and queue id") \
	X(EMAIL_LOCAL_ID, "email.local_id", KEYWORD, false, NONE, "all", "Queue id of Postfix") \
	X(EMAIL_MESSAGE_ID, "email.message_id", KEYWORD, false, NONE, "all", \
		"Message-ID without angle brackets") \
	X(EMAIL_DIRECTION, "email.direction", KEYWORD, false, NONE, "all", "inbound or outbound") \
	X(EMAIL_SENDER, "email.sender.address", KEYWORD, false, SENDERS, "all", \
		"Envelope sender (MAIL FROM); absent for the null sender") \
	X(EMAIL_TO, "email.to.address", KEYWORD, true, RECIPIENTS, "all", \
		"Envelope recipients (RCPT TO)") \
	X(EMAIL_FROM, "email.from.address", KEYWORD, true, SENDERS, "all", \
		"Author addresses (From:)") \
	X(EMAIL_REPLY_TO, "email.reply_to.address", KEYWORD, true, SENDERS, "log", \
		"Addresses of the Reply-To field") \
	X(EMAIL_SUBJECT, "email.subject", KEYWORD, false, SUBJECT, "log", "Subject, decoded") \
	X(EMAIL_ORIGINATION, "email.origination_timestamp", DATE, false, NONE, "log", \
		"Date field of the message") \
	X(EMAIL_X_MAILER, "email.x_mailer", KEYWORD, false, NONE, "log", \
		"Program that wrote the message (X-Mailer, else User-Agent)") \
	X(EMAIL_CONTENT_TYPE, "email.content_type", KEYWORD, false, NONE, "log", \
		"Media type of the message, as its header says") \
	X(EMAIL_ATTACHMENTS, "email.attachments", NESTED, true, NONE, "log", \
		"Attachments, in their order") \
	X(ATTACHMENT_NAME, "email.attachments.file.name", KEYWORD, false, NAMES, "log", \
		"Name, decoded: of Content-Disposition, else of Content-Type") \
	X(ATTACHMENT_EXTENSION, "email.attachments.file.extension", KEYWORD, false, NONE, "log", \
		"Extension of the name, lower case, without the dot") \
	X(ATTACHMENT_TYPE, "email.attachments.file.mime_type", KEYWORD, false, NONE, "log", \
		"Media type by the first bytes of the content, whatever the sender calls it") \
	X(ATTACHMENT_SIZE, "email.attachments.file.size", LONG, false, NONE, "log", \
		"Size of the content, transfer encoding taken off, bytes") \
	X(ATTACHMENT_SHA256, "email.attachments.file.hash.sha256", KEYWORD, false, NONE, "log", \
		"SHA-256 of the content") \
	X(EMAIL_DELIVERY, "email.delivery_timestamp", DATE, false, NONE, "track", \
		"When the next hop took the message") \
	X(DESTINATION_ADDRESS, "destination.address", KEYWORD, false, NONE, "track", \
		"Name of the next hop, else its address") \
	X(DESTINATION_DOMAIN, "destination.domain", KEYWORD, false, NONE, "track", \
		"Name of the next hop") \
	X(DESTINATION_IP, "destination.ip", IP, false, NONE, "track", "Address of the next hop") \
	X(DESTINATION_PORT, "destination.port", LONG, false, NONE, "track", \
		"Port of the next hop") \
	X(SOURCE_ADDRESS, "source.address", KEYWORD, false, CLIENT, "all", \
		"Verified name of the client, else its address") \
	X(SOURCE_DOMAIN, "source.domain", KEYWORD, false, CLIENT, "all", \
		"Verified name of the client") \
	X(SOURCE_IP, "source.ip", IP, false, CLIENT, "all", "Address of the client") \
	X(SOURCE_PORT, "source.port", LONG, false, CLIENT, "all", "Port of the client") \
	X(USER_NAME, "user.name", KEYWORD, false, SENDERS, "all", \
		"SASL user who sent the message") \
	X(TLS_ESTABLISHED, "tls.established", BOOLEAN, false, NONE, "all", \
		"Whether the client's connection was encrypted") \
	X(TLS_VERSION, "tls.version", KEYWORD, false, NONE, "all", "Version of TLS, such as 1.3") \
	X(TLS_PROTOCOL, "tls.version_protocol", KEYWORD, false, NONE, "all", "tls") \
	X(TLS_CIPHER, "tls.cipher", KEYWORD, false, NONE, "all", "Cipher of the connection") \
	X(TLS_CLIENT_SUBJECT, "tls.client.subject", KEYWORD, false, NAMES, "all", \
		"Common name of a verified client certificate") \
	X(TLS_CLIENT_ISSUER, "tls.client.issuer", KEYWORD, false, NAMES, "all", \
		"Common name of its issuer") \
	X(ORGANIZATION_ID, "organization.id", KEYWORD, false, NONE, "all", "Tenant") \
	X(NETWORK_PROTOCOL, "network.protocol", KEYWORD, false, NONE, "all", \
		"smtp; absent for mail that did not come by SMTP") \
	X(TAGS, "tags", KEYWORD, true, NONE, "all", "test: sent by millgate try") \
	X(SESSION_KEY, "millgate.session.key", KEYWORD, false, CLIENT, "all", \
		"address:port of the client: joins events before there is a queue id") \
	X(SMTP_HELO, "millgate.smtp.helo", KEYWORD, false, CLIENT, "all", \
		"Name the client gave with HELO or EHLO") \
	X(SMTP_FROM, "millgate.smtp.from", KEYWORD, false, SENDERS, "all", \
		"Envelope sender; empty for the null sender") \
	X(SMTP_SIZE, "millgate.smtp.size", LONG, false, NONE, "log", \
		"Size of the message as the filter saw it, header and body, bytes") \
	X(SMTP_RECIPIENT_COUNT, "millgate.smtp.recipient_count", LONG, false, NONE, "all", \
		"Number of envelope recipients") \
	X(SMTP_STAGE, "millgate.smtp.stage", KEYWORD, false, NONE, "all", \
		"Step of SMTP: connect, helo, mail, rcpt, data, eom") \
	X(SMTP_AUTH_METHOD, "millgate.smtp.auth_method", KEYWORD, false, NONE, "log", \
		"SASL mechanism") \
	X(LISTENER, "millgate.listener", KEYWORD, false, NONE, "all", \
		"Name of the listening service (milter_macro_daemon_name)") \
	X(LOCAL, "millgate.local", BOOLEAN, false, NONE, "all", \
		"The message did not come by SMTP: sendmail(1), a bounce or notice") \
	X(HEADER_TO, "millgate.header.to", KEYWORD, true, RECIPIENTS, "log", \
		"Addresses of the To field") \
	X(HEADER_CC, "millgate.header.cc", KEYWORD, true, RECIPIENTS, "log", \
		"Addresses of the Cc field") \
	X(HEADER_FROM_NAME, "millgate.header.from_name", KEYWORD, true, SENDERS, "log", \
		"Display names of the From field, decoded") \
	X(HEADERS, "millgate.headers", NESTED, true, NONE, "log", \
		"Further header fields, those of the setting headers; each occurrence an object") \
	X(HEADERS_NAME, "millgate.headers.name", KEYWORD, false, NONE, "log", \
		"Name of the field, in lower case") \
	X(HEADERS_VALUE, "millgate.headers.value", KEYWORD, false, SUBJECT, "log", \
		"Its value, decoded") \
	X(ATTACHMENTS, "millgate.attachments", NESTED, true, NONE, "log", \
		"What ECS has no fields for: an object for each of email.attachments, in the same " \
		"order") \
	X(ATTACHMENTS_PART, "millgate.attachments.part", LONG, false, NONE, "log", \
		"Number of the MIME part; 0 is the message itself") \
	X(ATTACHMENTS_DECLARED, "millgate.attachments.declared_type", KEYWORD, false, NONE, "log", \
		"Media type as the sender says") \
	X(ATTACHMENTS_DETECTED, "millgate.attachments.detected_type", KEYWORD, false, NONE, "log", \
		"Media type by the first bytes of the content: file.mime_type again, for a search " \
		"of both in one object") \
	X(ATTACHMENTS_DISPOSITION, "millgate.attachments.disposition", KEYWORD, false, NONE, \
		"log", "attachment, inline or what the sender says") \
	X(ATTACHMENTS_FACTS, "millgate.attachments.facts", KEYWORD, true, NONE, "log", \
		"What is broken in this part; words as in millgate.mime.facts") \
	X(MIME_PARTS, "millgate.mime.parts", LONG, false, NONE, "log", \
		"MIME parts of the message, itself included") \
	X(MIME_ATTACHMENTS, "millgate.mime.attachments", LONG, false, NONE, "log", \
		"Number of attachments, also of those that the event has no room for") \
	X(MIME_FACTS, "millgate.mime.facts", KEYWORD, true, NONE, "log", \
		"What is over a bound or broken in the structure of the message: too_deep, " \
		"too_many, header_too_large, bad_base64, bad_quoted_printable, bad_encoding, " \
		"bad_boundary, unclosed, bad_header, ambiguous") \
	X(URLS_HOSTS, "millgate.urls.hosts", KEYWORD, true, NONE, "log", \
		"Hosts of the URLs in text and HTML parts, each once, lower case, names as A-labels") \
	X(MESSAGE_TAGS, "millgate.tags", KEYWORD, true, NONE, "log", \
		"Tags that the application gave the message by control fields: X-PM-Tag, " \
		"X-Mailgun-Tag, X-Postal-Tag, category of X-SMTPAPI") \
	X(MESSAGE_METADATA, "millgate.metadata", FLATTENED, false, NAMES, "log", \
		"Names and values it gave likewise: X-SES-MESSAGE-TAGS, X-PM-Metadata-NAME, " \
		"X-Mailgun-Variables, unique_args of X-SMTPAPI") \
	X(AUTH_RESULTS, "millgate.authentication_results", KEYWORD, true, SENDERS, "log", \
		"Results of this gateway's Authentication-Results fields (RFC 8601), one a value: " \
		"spf=pass smtp.mailfrom=example.org") \
	X(HOLD_CODE, "millgate.hold.code", KEYWORD, false, NONE, "all", \
		"Code of a hold: in message-accepted that of the field X-Millgate-Hold, which only " \
		"the hold queue proves to be a filter's") \
	X(DKIM_DOMAIN, "millgate.dkim.domain", KEYWORD, false, NONE, "dkim", \
		"Domain of the signature or key (d=)") \
	X(DKIM_SELECTOR, "millgate.dkim.selector", KEYWORD, false, NONE, "dkim", \
		"Selector of the signature or key (s=)") \
	X(DKIM_ALGORITHM, "millgate.dkim.algorithm", KEYWORD, false, NONE, "dkim", \
		"rsa-sha256 or ed25519-sha256 (a=)") \
	X(DKIM_FRAGILE, "millgate.dkim.fragile", KEYWORD, true, NONE, "dkim", \
		"What may break the signature on its way, by code") \
	X(DKIM_PATH, "millgate.dkim.path", KEYWORD, false, NONE, "dkim", \
		"File or folder of a key that is refused") \
	X(DKIM_RECORD, "millgate.dkim.record", KEYWORD, false, NONE, "dkim", \
		"The record to publish: name, TXT, text") \
	X(DKIM_DNS, "millgate.dkim.dns", KEYWORD, false, NONE, "dkim", \
		"What DNS has of the key: same, other, revoked, unusable, bad, no record, no answer") \
	X(DKIM_SIGNATURES, "millgate.dkim.signatures", NESTED, true, NONE, "log", \
		"DKIM signatures that the message has, top to bottom, not verified") \
	X(SIGNATURES_DOMAIN, "millgate.dkim.signatures.domain", KEYWORD, false, NONE, "log", \
		"Domain that signed, as it says (d=)") \
	X(SIGNATURES_SELECTOR, "millgate.dkim.signatures.selector", KEYWORD, false, NONE, "log", \
		"Selector (s=)") \
	X(SIGNATURES_ALGORITHM, "millgate.dkim.signatures.algorithm", KEYWORD, false, NONE, "log", \
		"Algorithm (a=)") \
	X(BY, "millgate.by", KEYWORD, false, NONE, "track", \
		"Who did it: postfix, milter (one that is not ours, as far as Postfix tells), " \
		"operator (postsuper), or a filter's name") \
	X(POSTFIX_INSTANCE, "millgate.postfix.instance", KEYWORD, false, NONE, "track", \
		"syslog_name of the Postfix that wrote the line") \
	X(POSTFIX_PROGRAM, "millgate.postfix.program", KEYWORD, false, NONE, "track", \
		"Program of Postfix that wrote the line, with its service: submission/smtpd") \
	X(REPLY_CODE, "millgate.smtp.reply.code", LONG, false, NONE, "track", \
		"Code of the reply that the client got") \
	X(REPLY_ENHANCED, "millgate.smtp.reply.enhanced_code", KEYWORD, false, NONE, "track", \
		"Enhanced status code of it") \
	X(REPLY_TEXT, "millgate.smtp.reply.text", KEYWORD, false, RECIPIENTS, "track", \
		"Its text, without codes") \
	X(DELIVERY_RECIPIENT, "millgate.delivery.recipient", KEYWORD, false, RECIPIENTS, "track", \
		"The recipient this is about, as it was sent on") \
	X(DELIVERY_ORIG_RECIPIENT, "millgate.delivery.orig_recipient", KEYWORD, false, RECIPIENTS, \
		"track", "As the client gave it, where it was another") \
	X(DELIVERY_ADDED, "millgate.delivery.added", BOOLEAN, false, NONE, "track", \
		"The client did not give this recipient: always_bcc, an alias, a filter") \
	X(DELIVERY_STATUS, "millgate.delivery.status", KEYWORD, false, NONE, "track", \
		"delivered, handed-over (to a smart host: the end is not known), linked (to another " \
		"queue id), discarded, deferred, bounced, expired, overdue") \
	X(DELIVERY_DSN, "millgate.delivery.dsn", KEYWORD, false, NONE, "track", \
		"Enhanced status code of Postfix for the recipient") \
	X(DELIVERY_ATTEMPT, "millgate.delivery.attempt", LONG, false, NONE, "track", \
		"Number of the attempt for this recipient, from 1") \
	X(DELIVERY_FINAL, "millgate.delivery.final", BOOLEAN, false, NONE, "track", \
		"Nothing more is tried for this recipient") \
	X(DELIVERY_SERVICE, "millgate.delivery.service", KEYWORD, false, NONE, "track", \
		"Delivery agent: smtp, lmtp, local, virtual, pipe, error, discard") \
	X(DELIVERY_TLS, "millgate.delivery.tls", KEYWORD, false, NONE, "track", \
		"Encryption to the next hop: None, Anonymous, Untrusted, Trusted, Verified") \
	X(DELIVERY_TLS_VERSION, "millgate.delivery.tls_version", KEYWORD, false, NONE, "track", \
		"Version of TLS to the next hop, such as 1.3") \
	X(DELIVERY_DELAY, "millgate.delivery.delay_s", FLOAT, false, NONE, "track", \
		"Seconds since the message came") \
	X(DELIVERY_BEFORE_QMGR, "millgate.delivery.delays_s.before_qmgr", FLOAT, false, NONE, \
		"track", "Of them before the queue manager had it") \
	X(DELIVERY_IN_QMGR, "millgate.delivery.delays_s.in_qmgr", FLOAT, false, NONE, "track", \
		"In the queue manager") \
	X(DELIVERY_CONN_SETUP, "millgate.delivery.delays_s.conn_setup", FLOAT, false, NONE, \
		"track", "For the connection: DNS, HELO, TLS") \
	X(DELIVERY_TRANSMISSION, "millgate.delivery.delays_s.transmission", FLOAT, false, NONE, \
		"track", "For the message itself") \
	X(DELIVERY_REPLY_CODE, "millgate.delivery.reply.code", LONG, false, NONE, "track", \
		"Code of the reply of the next hop") \
	X(DELIVERY_REPLY_ENHANCED, "millgate.delivery.reply.enhanced_code", KEYWORD, false, NONE, \
		"track", "Enhanced status code of it") \
	X(DELIVERY_REPLY_TEXT, "millgate.delivery.reply.text", KEYWORD, false, RECIPIENTS, \
		"track", "The whole reply, or why there was none; a stranger's text") \
	X(DELIVERY_REPLY_COMMAND, "millgate.delivery.reply.command", KEYWORD, false, NONE, \
		"track", "The SMTP command it answered") \
	X(LINK_RELATION, "millgate.link.relation", KEYWORD, false, NONE, "track", \
		"How two queue ids belong together: bounce, delay-notice, success-notice, " \
		"postmaster-notice, forward, reinject, requeue") \
	X(LINK_PARENT, "millgate.link.parent", KEYWORD, false, NONE, "track", \
		"Queue id of the message this one comes of; trace.id is that of the first") \
	X(LINK_CHILD, "millgate.link.child", KEYWORD, false, NONE, "track", \
		"Queue id of the message that comes of this one") \
	X(SESSION_TRACES, "millgate.session.traces", KEYWORD, true, NONE, "track", \
		"trace.id of each message of the session") \
	X(SESSION_REFUSALS, "millgate.session.refusals", LONG, false, NONE, "track", \
		"Refusals in the session") \
	X(FILTERS_MISSING, "millgate.filters.missing", KEYWORD, true, NONE, "track", \
		"Daemons that have no event of the message") \
	X(LINE_TEXT, "millgate.line", KEYWORD, false, RECIPIENTS, "track", \
		"A line of Postfix that was not understood") \
	X(OPERATOR_COMMAND, "millgate.operator.command", KEYWORD, true, NONE, "millgate", \
		"The command as it was given, a word a value") \
	X(OPERATOR_REASON, "millgate.operator.reason", KEYWORD, false, NONE, "millgate", \
		"Why, as the operator said") \
	X(BOUND, "millgate.bound", KEYWORD, false, NONE, "all", \
		"The setting whose bound the message went over") \
	X(DRY_RUN, "millgate.dry_run", BOOLEAN, false, NONE, "all", \
		"Decided and logged, nothing changed") \
	X(TRUNCATED, "millgate.truncated", KEYWORD, true, NONE, "all", \
		"Fields that were cut to fit") \
	X(LOG_PREVIOUS_HASH, "millgate.log.previous_hash", KEYWORD, false, NONE, "all", \
		"Hash of the record before this file") \
	X(LOG_TORN_BYTES, "millgate.log.torn_bytes", LONG, false, NONE, "all", \
		"Bytes of an unfinished record, moved to NAME.torn") \
	X(LOST_COUNT, "millgate.lost.count", LONG, false, NONE, "all", "Events that were lost") \
	X(LOST_FIRST, "millgate.lost.first", LONG, false, NONE, "all", "First lost sequence") \
	X(LOST_LAST, "millgate.lost.last", LONG, false, NONE, "all", "Last lost sequence") \
	X(CONFIG_FILE, "millgate.config.file", KEYWORD, false, NONE, "all", \
		"Configuration file that was loaded or refused") \
	X(CONFIG_ERRORS, "millgate.config.errors", KEYWORD, true, NONE, "all", \
		"Errors of a refused configuration")

enum mg_field_id {
#define MG_FIELD_ID(identifier, name, type, array, privacy, by, meaning) MG_FIELD_##identifier,
	MG_FIELDS(MG_FIELD_ID)
#undef MG_FIELD_ID
		MG_FIELD_COUNT
};

/* The rows, by identifier: &mg_fields[MG_FIELD_EMAIL_SUBJECT]. */
extern const struct mg_field mg_fields[MG_FIELD_COUNT];

/* Sets what is known of a session: client, TLS, user, listener, session key, test tag. */
void mg_fields_session(struct mg_event *event, const struct mg_session *session);
/* Sets what is known of a message and its session: trace and queue id, direction, envelope,
 * tenant, local. */
void mg_fields_message(struct mg_event *event, const struct mg_message *message);

/* The documents of the notes that a spool writes itself (event/spool.h): log-opened and
 * events-lost; context is a struct mg_events. */
char *mg_fields_compose(void *context, const struct mg_spool_note *note);

/* Prints the table as mdoc for millgate-events(5). */
void mg_fields_print_mdoc(FILE *stream);
#endif

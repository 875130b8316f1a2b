/* SPDX-License-Identifier: ISC */
/* line: what a line of Postfix's log says. Read from left to right by the grammar of the program
 * that wrote it (Postfix 3.7 to 3.11), quotes honoured; what stands behind status=…, in a reply, or
 * in any text that came from outside is `text` as a whole and never looked into for fields. Nothing
 * is copied and nothing allocated: texts point into the line, but for words that are ours.
 *
 * Addresses are read in the form info_log_address_format = external, the default; with `internal` a
 * local part that needs quotes makes a line that is not understood. */
#ifndef MG_TRACK_LINE_H
#define MG_TRACK_LINE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "track/source.h"

struct track_text {
	const char
		*text; /* NULL: the line has no such thing; "" with length 0: it is there, empty */
	size_t length;
};

enum { TRACK_QUEUE_ID_MAX = 64 };

enum track_kind {
	/* Known, but tells nothing of a message or session: start-up, statistics, anvil. */
	TRACK_NONE,
	TRACK_CONNECT, /* smtpd: client */
	/* smtpd, tlsproxy: client, tls_version, tls_cipher, tls_level "Anonymous", "Trusted" … */
	TRACK_TLS_IN,
	TRACK_CLIENT, /* smtpd Q, or none with a proxy before the queue: client, sasl_*, orig_* */
	/* reject, milter-reject, proxy-reject: word, stage, client, reply_code, dsn, text (without
	 * them), from, to, proto, helo, sasl_*; Q or NOQUEUE. Of header and body checks: word
	 * "reject" or "milter-header-reject", stage "header" or "body", content, text, client,
	 * from, to; where two readings are possible, content alone. */
	TRACK_REFUSAL,
	TRACK_HOLD, /* likewise: hold, milter-hold, milter-header-hold, hold: header */
	TRACK_DISCARD, /* likewise */
	/* Likewise, other actions of access maps and checks: warning, redirect, filter, prepend,
	 * replace, permit, reject_warning, proxy-accept … Also of sessions: word "SSL_accept
	 * error", "improper command pipelining"; and what smtp and lmtp met on the way to a
	 * delivery: relay, text, reply_*, Q or none. */
	TRACK_NOTICE,
	TRACK_AUTH_FAILED, /* smtpd: client, sasl_method, sasl_username (as claimed), text */
	/* smtpd Q, NOQUEUE or none: word "lost connection", "timeout", "too many errors", stage,
	 * client, size (bytes of DATA or BDAT) */
	TRACK_LOST,
	TRACK_DISCONNECT, /* client, counters */
	TRACK_MESSAGE_ID, /* cleanup Q: message_id; word "resent" of a Resent-Message-ID */
	TRACK_PICKUP, /* pickup Q: uid, from, orig_id */
	TRACK_ACTIVE, /* qmgr Q: from, size, recipients */
	/* Q: to, orig_to, relay, conn_use, delay, delays, tls_level (3.11), dsn, status, text … */
	TRACK_DELIVERY,
	TRACK_EXPIRED, /* qmgr Q: from, word "expired" or "force-expired" */
	/* bounce Q: word "non-delivery", "delay", "delivery status"; child; addressee "sender" or
	 * "postmaster" */
	TRACK_NOTIFICATION,
	TRACK_NOTIFICATION_FAILED, /* bounce Q (3.11): to, text */
	TRACK_REMOVED, /* qmgr Q; word "", or of cleanup "canceled", "discarded" (3.10) */
	/* postsuper Q: word "held", "released", "requeued", "removed", "expired" */
	TRACK_OPERATOR,
	/* smtp, lmtp, tlsproxy: relay, tls_version, tls_cipher, tls_level (joined by pid) */
	TRACK_TLS_OUT,
	/* postscreen: client, word "CONNECT", "PASS NEW", "PREGREET" …; "reject" with stage,
	 * reply_code, dsn, text, from, to, proto, helo */
	TRACK_SCREEN,
	TRACK_MILTER_DOWN, /* warning: connect to Milter service …, milter …: text */
	/* Any other warning:, error:, fatal:, panic: word, text (all of it), client of some */
	TRACK_WARNING,
	TRACK_KIND_COUNT
};

/* "host[address]:port" as Postfix writes a client or a relay. */
struct track_peer {
	struct track_text name; /* "unknown" as it stands */
	struct track_text address; /* without "IPv6:" */
	uint16_t port; /* 0 unknown */
};

struct track_line {
	enum track_kind kind;
	struct track_text instance; /* syslog_name: "postfix", "postfix-out" */
	struct track_text service; /* "submission" of "postfix/submission/smtpd"; none: NULL */
	struct track_text program; /* "smtpd" */
	struct track_text queue_id; /* NULL: none, or NOQUEUE */
	struct track_peer client, relay;
	struct track_text word, stage; /* see the kinds; stage "RCPT", "END-OF-MESSAGE" … */
	struct track_text from, to, orig_to, message_id, helo, proto;
	struct track_text sasl_method, sasl_username, sasl_sender;
	struct track_text orig_queue_id, orig_client, orig_id; /* XFORWARD; postsuper -r */
	/* A queue id: of a notification, or of what local(8) forwarded the message as. */
	struct track_text child;
	/* Of a delivery by SMTP: the queue id in "250 2.0.0 Ok: queued as ID" at the very end of
	 * the reply. It is the next hop's word: use it only where the relay is an own listener. */
	struct track_text queued_as;
	struct track_text status; /* "sent", "deferred", "bounced", "undeliverable" … */
	struct track_text addressee;
	struct track_text dsn; /* "5.1.1" */
	struct track_text tls_version, tls_cipher; /* "TLSv1.3" */
	struct track_text tls_level; /* of tls=… (3.11) or of TLS_OUT: "Trusted", "Verified" … */
	struct track_text text; /* reason, reply: a stranger's */
	/* Of header and body checks: what matched, a stranger's; text is then what the check's rule
	 * says, if anything. */
	struct track_text content;
	/* "RCPT TO", of "(in reply to RCPT TO command)" at the end of a reason that a remote server
	 * gave; text is without it. */
	struct track_text reply_command;
	bool remote; /* text is the reply of a remote server ("host … said: "), from its code on */
	int reply_code; /* "550"; 0 none */
	struct track_text reply_enhanced; /* "5.1.1" behind it; NULL none */
	double delay, delays[4]; /* seconds; -1 none */
	int64_t size, recipients, uid, conn_use; /* -1 none */
	int64_t auth_tried, auth_good; /* of DISCONNECT auth=1/3; -1 none */
	int64_t mails, rcpts_good, rcpts_tried; /* of DISCONNECT; -1 none */
};

enum track_reading {
	TRACK_READ,
	TRACK_FOREIGN, /* not of Postfix, or of an instance not asked for */
	TRACK_UNKNOWN /* of Postfix, and not understood: line has instance, program and text */
};

/* instances: syslog names that count, "postfix" is one of them; ended by NULL. */
enum track_reading track_line_read(
	const struct track_record *record, const char *const instances[], struct track_line *line);

/* A name of a kind, for tests and metrics: "delivery". */
const char *track_kind_name(enum track_kind kind);
/* Whether text is a queue id, short or long (Postfix, mail_queue.h). */
bool track_is_queue_id(const char *text, size_t length);
#endif

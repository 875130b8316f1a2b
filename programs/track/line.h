/* SPDX-License-Identifier: ISC */
/* line: what a line of Postfix's log says. Read from left to right by the grammar of the program
 * that wrote it (Postfix 3.7 to 3.11), quotes honoured; what stands behind status=…, in a reply, or in
 * any text that came from outside is `text` as a whole and never looked into for fields. Nothing is
 * copied and nothing allocated: texts point into the line. */
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
	TRACK_NONE, /* known, but tells nothing of a message or session (start-up, statistics, anvil) */
	TRACK_CONNECT, /* smtpd: client */
	TRACK_TLS_IN, /* smtpd: client, tls */
	TRACK_CLIENT, /* smtpd Q: client, sasl_*, orig_* */
	TRACK_REFUSAL, /* reject, milter-reject: stage, client, code, dsn, text, from, to, proto, helo;
			* Q or NOQUEUE; also cleanup's reject: header */
	TRACK_HOLD, /* hold: action, milter-hold, milter-header-hold, cleanup's hold: header; stage,
		     * text, from, to */
	TRACK_DISCARD, /* likewise */
	TRACK_NOTICE, /* warning:, redirect:, filter:, prepend:, replace: … of access and header checks:
		       * word, stage, text */
	TRACK_AUTH_FAILED, /* smtpd warning: client, sasl_method, sasl_username, text */
	TRACK_LOST, /* lost connection, timeout, too many errors: word, stage, client, size (bytes of
		     * DATA or BDAT) */
	TRACK_DISCONNECT, /* client, counters */
	TRACK_MESSAGE_ID, /* cleanup Q: message_id (resent: word) */
	TRACK_PICKUP, /* pickup Q: uid, from, orig_id */
	TRACK_ACTIVE, /* qmgr Q: from, size, nrcpt (queue active) */
	TRACK_DELIVERY, /* to, orig_to, relay, conn_use, delay, delays, tls, dsn, status, text */
	TRACK_EXPIRED, /* qmgr Q: from, word "expired" or "force-expired" */
	TRACK_NOTIFICATION, /* bounce Q: word "non-delivery", "delay", "delivery status"; child;
			     * addressee "sender" or "postmaster" */
	TRACK_NOTIFICATION_FAILED, /* 3.11 */
	TRACK_REMOVED, /* qmgr Q; word "" or "canceled" */
	TRACK_OPERATOR, /* postsuper Q: word "held", "released", "requeued", "removed", "expired" */
	TRACK_TLS_OUT, /* smtp, lmtp: relay, tls, word "Trusted" … (joined by pid) */
	TRACK_SCREEN, /* postscreen: word "CONNECT", "PASS NEW", "NOQUEUE: reject" …; client, text */
	TRACK_MILTER_DOWN, /* warning: connect to Milter service …, milter …: text */
	TRACK_WARNING, /* any other warning:, error:, fatal:, panic: word, text */
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
	struct track_text child; /* queue id: of a notification; of "queued as", "forwarded as" only
				  * where Postfix itself said so (local, or the `forwarded` form) */
	/* Of a delivery by SMTP: the queue id in "250 2.0.0 Ok: queued as ID" at the very end of the
	 * reply. It is the next hop's word: use it only where the relay is an own listener. */
	struct track_text queued_as;
	struct track_text status; /* "sent", "deferred", "bounced", "undeliverable" … */
	struct track_text addressee;
	struct track_text dsn; /* "5.1.1" */
	struct track_text tls_version, tls_cipher; /* "TLSv1.3" */
	struct track_text tls_level; /* of tls=… (3.11) or of TLS_OUT: "Trusted", "Verified" … */
	struct track_text text; /* reason, reply: a stranger's */
	struct track_text content; /* of header and body checks: what matched, a stranger's; text is
				    * then what the check's rule says, if anything */
	struct track_text
		reply_command; /* "RCPT TO", of "(in reply to RCPT TO command)" at the end of
					  * a reason that a remote server gave; text is without it */
	bool remote; /* text is the reply of a remote server ("host … said: "): text begins with the
		      * reply */
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

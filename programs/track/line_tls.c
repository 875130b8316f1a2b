/* SPDX-License-Identifier: ISC */
/* Lines about TLS (Postfix, tls_misc.c, tls_verify.c, tls_client.c, tls_server.c), as smtpd, smtp,
 * lmtp and tlsproxy write them. */
#include "track/line_private.h"

/* "Anonymous TLS connection established from CLIENT to NAME: TLSv1.3 with cipher X (256/256 bits)";
 * "to NAME" is the name the client asked for (SNI), as the server found it valid. */
static bool read_connection(struct line_cursor cursor, struct track_line *line)
{
	struct track_text name;

	if (!line_word(&cursor, &line->tls_level) || !LINE_SKIP(&cursor, " TLS connection ") ||
		(!LINE_SKIP(&cursor, "established ") && !LINE_SKIP(&cursor, "reused ")))
		return false;
	if (LINE_SKIP(&cursor, "from ")) {
		line->kind = TRACK_TLS_IN;
		if (!line_peer(&cursor, &line->client))
			return false;
	} else {
		line->kind = TRACK_TLS_OUT;
		line->word = line->tls_level;
		if (!LINE_SKIP(&cursor, "to ") || !line_peer(&cursor, &line->relay))
			return false;
	}
	if (LINE_SKIP(&cursor, " to ") && !line_word(&cursor, &name))
		return false;
	return LINE_SKIP(&cursor, ": ") && line_word(&cursor, &line->tls_version) &&
	       LINE_SKIP(&cursor, " with cipher ") && line_word(&cursor, &line->tls_cipher);
}

static bool read_lines(struct line_cursor cursor, struct track_line *line)
{
	static const struct line_pattern lines[] = {
		{TRACK_NOTICE, "SSL_accept error from %c: %x", "SSL_accept error"},
		{TRACK_NOTICE, "SSL_connect error to %r: %x", "SSL_connect error"},
		{TRACK_NOTICE, "certificate verification failed for %r: %x",
			"certificate verification failed"},
		{TRACK_NOTICE, "CA certificate verification failed for %r: %x",
			"certificate verification failed"},
		{TRACK_NOTICE, "%w certificate verification failed for %r: %x",
			"certificate verification failed"},
		/* With a log level of 2 and more. */
		{TRACK_NONE, "setting up TLS connection %.", NULL},
		{TRACK_NONE, "SSL_accept:%.", NULL},
		{TRACK_NONE, "SSL_connect:%.", NULL},
		{TRACK_NONE, "SSL3 alert %.", NULL},
		{TRACK_NONE, "initializing the %* TLS engine", NULL},
		{TRACK_NONE, "save session %.", NULL},
		{TRACK_NONE, "put %* session id=%.", NULL},
		{TRACK_NONE, "write %* TLS cache entry %.", NULL},
		{TRACK_NONE, "read %* TLS cache entry %.", NULL},
		{TRACK_NONE, "remove session %.", NULL},
		{TRACK_NONE, "looking for session %.", NULL},
		{TRACK_NONE, "reloaded session %.", NULL},
		{TRACK_NONE, "delete %* session %.", NULL},
		{TRACK_NONE, "%*: subject_CN=%.", NULL},
		{TRACK_NONE, "%*: depth=%.", NULL},
		{TRACK_NONE, "%*: Issuing session ticket%.", NULL},
		{TRACK_NONE, "%*: Decrypting session ticket%.", NULL},
		{TRACK_NONE, "%*: looking up session %.", NULL},
		{TRACK_NONE, "%*: save session %.", NULL},
		{TRACK_NONE, "%*: reloaded session %.", NULL},
		{TRACK_NONE, "%*: remove session %.", NULL},
		{TRACK_NONE, "%*: re-using session with untrusted certificate%.", NULL},
		{TRACK_NONE, "%*: Matched %.", NULL},
		{TRACK_NONE, "%*: all TLSA records unusable%.", NULL},
		{TRACK_NONE, "%*: all trust anchors unusable%.", NULL},
		{TRACK_NONE, "TLS SNI %.", NULL},
		{0},
	};

	if (!line_by_patterns(lines, cursor, line))
		return false;
	if (line_text_is(line->program, "smtpd") && line->relay.name.text != NULL) {
		line->client = line->relay;
		line->relay = (struct track_peer){.port = 0};
	}
	return true;
}

bool line_tls(struct line_cursor cursor, struct track_line *line)
{
	static line_reader *const readers[] = {read_connection, read_lines, NULL};

	return line->queue_id.text == NULL && line_by_readers(readers, cursor, line);
}

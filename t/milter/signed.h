/* SPDX-License-Identifier: ISC */
/* signed: millgate-dkim under test with a folder of keys, and what another implementation,
 * libopendkim, says of a message as the next hop gets it. */
#ifndef T_MILTER_SIGNED_H
#define T_MILTER_SIGNED_H
#include <stdbool.h>
#include <stddef.h>

#include "../unit/key_place.h"
#include "base/buf.h"
#include "driver.h"

enum { SIGNED_RECORDS_MAX = 16, SIGNED_SIGNATURES_MAX = 8, SIGNED_TEXT = 256 };

struct signed_place {
	struct key_place keys;
	struct driver driver;
};

/* A folder without keys. */
void signed_make(struct signed_place *place);
/* Puts a key there; DNS, as the verifier sees it, has its record. */
void signed_key(struct signed_place *place, const char *domain, const char *selector,
	struct mg_dkim_key *key);
/* Starts a daemon on the folder: mail of the letters' client is outbound, nobody answers its
 * questions to the DNS. settings: further lines. */
void signed_start(struct signed_place *place, const char *program, const char *settings);
/* Adds those lines, for a daemon that is started otherwise. */
void signed_settings(const struct signed_place *place, const char *settings, struct mg_buf *lines);
/* Ends the daemon, if there is one, and removes the folder. */
void signed_end(struct signed_place *place);

/* What became of a letter. */
struct signed_message {
	enum mg_answer answer;
	char reply[SIGNED_TEXT];
	/* As Postfix's smtp client sends it: the edits made, lines over the limit cut. */
	struct mg_buf content;
	size_t count; /* signatures, from the top */
	struct {
		bool pass;
		char domain[SIGNED_TEXT], selector[SIGNED_TEXT], algorithm[SIGNED_TEXT];
		char identity[SIGNED_TEXT], why[SIGNED_TEXT];
	} signatures[SIGNED_SIGNATURES_MAX];
};

/* Sends it on a session of its own. limit: of a line, 0 none. The content has LF line ends; in the
 * body, no CR before them. */
void signed_send(struct signed_place *place, const struct letter *letter, size_t limit,
	struct signed_message *message);
void signed_free(struct signed_message *message);
/* Verifies content, CRLF line ends, into signatures. */
void signed_verify(struct signed_message *message);
/* Does the content have this text? */
bool signed_has(const struct signed_message *message, const char *text);
#endif

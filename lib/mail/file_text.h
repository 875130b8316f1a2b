/* SPDX-License-Identifier: ISC */
/* file_text: what text is by how it begins: HTML, XML and its languages, mails, calendars, scripts,
 * armoured keys and messages, or plain text. */
#ifndef MG_MAIL_FILE_TEXT_H
#define MG_MAIL_FILE_TEXT_H
#include <stdbool.h>
#include <stddef.h>

/* The begin of some content. */
struct mg_file_head {
	const unsigned char *bytes;
	size_t length;
};

/* NULL: it is no text. whole: the head is all of it; else its last character may be cut. */
const char *mg_file_text(const struct mg_file_head *head, bool whole);
#endif

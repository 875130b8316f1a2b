/* SPDX-License-Identifier: ISC */
/* file_compound: what a compound file (MS-CFB, "OLE2") is: documents of the old Office, mails of
 * Outlook, packages of Windows Installer, by the class of its root, or else by names of its streams
 * in its first bytes. */
#ifndef MG_MAIL_FILE_COMPOUND_H
#define MG_MAIL_FILE_COMPOUND_H
#include <stdint.h>

#include "mail/file_text.h"

enum {
	MG_FILE_COMPOUND_HEADER = 512, /* bytes that must be there to tell where the class is */
	MG_FILE_COMPOUND_CLASS = 16 /* bytes of a class */
};

/* Where the class of the root stands, behind the header; 0: this is no header of a compound file. */
uint64_t mg_file_compound_class(const unsigned char *header);
/* The type; NULL: it is no compound file. class: what stands there, NULL when the content ends
 * before. */
const char *mg_file_compound(const struct mg_file_head *head, const unsigned char *class);
#endif

/* SPDX-License-Identifier: ISC */
/* file_zip: what a ZIP archive (APPNOTE 6.3.10) is by the names of its first members: office
 * documents, books, programs of Java and Android, or an archive. */
#ifndef MG_MAIL_FILE_ZIP_H
#define MG_MAIL_FILE_ZIP_H
#include "mail/file_text.h"

/* Of content that begins with a local file header. Never NULL. */
const char *mg_file_zip(const struct mg_file_head *head);
#endif

/* SPDX-License-Identifier: ISC */
/* textfile: a file an operator writes (configuration, tables), read whole. It is refused when it
 * is no regular file, when it is over its bound, when others can write it, and when it is not
 * text: NUL or bytes that are not UTF-8. */
#ifndef MG_BASE_TEXTFILE_H
#define MG_BASE_TEXTFILE_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"

struct mg_textfile {
	char *data; /* length bytes and a NUL; without a byte order mark */
	size_t length;
	dev_t device; /* these two say whether two paths are one file */
	ino_t inode;
};

/* Reads path, at most `maximum` bytes; free with mg_textfile_free. false with error, a text that
 * does not begin with the path: "No such file or directory", or "others can write it (666); mend:
 * chmod go-w /etc/millgate/log.conf". Others are all but root, its group, and who runs this. */
bool mg_textfile_read(
	const char *path, size_t maximum, struct mg_textfile *file, struct mg_error *error);
/* Only opens it, with the same checks: a descriptor (close-on-exec) and its status, or -1 with
 * error. */
int mg_textfile_open(const char *path, size_t maximum, struct stat *status, struct mg_error *error);
void mg_textfile_free(struct mg_textfile *file);

/* true when data is UTF-8 (RFC 3629) without NUL; else error says which byte is not, and line,
 * counted from 1, where. */
bool mg_textfile_check(const char *data, size_t length, unsigned *line, struct mg_error *error);
#endif

/* SPDX-License-Identifier: ISC */
#include "base/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

static bool judge_status(
	const char *path, const struct stat *status, size_t maximum, struct mg_error *error)
{
	if (S_ISDIR(status->st_mode)) {
		mg_error_set(error, "is a directory; expected a file");
		return false;
	}
	if (!S_ISREG(status->st_mode)) {
		mg_error_set(error, "is no regular file");
		return false;
	}
	if ((status->st_mode & S_IWOTH) || ((status->st_mode & S_IWGRP) && status->st_gid != 0)) {
		mg_error_set(error, "others can write it (%o); mend: chmod go-w %s",
			(unsigned)(status->st_mode & 07777), path);
		return false;
	}
	if (status->st_uid != 0 && status->st_uid != geteuid()) {
		mg_error_set(error, "user %ju can write it, whose file it is; mend: chown root %s",
			(uintmax_t)status->st_uid, path);
		return false;
	}
	if ((uintmax_t)status->st_size > maximum) {
		mg_error_set(error, "over %zu bytes", maximum);
		return false;
	}
	return true;
}

/* Reads to the end of the file, which may have grown or shrunk since its size was asked. */
static bool read_all(
	int descriptor, size_t maximum, struct mg_textfile *file, struct mg_error *error)
{
	size_t size = file->length + 1;

	file->length = 0;
	file->data = malloc(size + 1);
	while (file->data) {
		ssize_t got = read(descriptor, file->data + file->length, size - file->length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			mg_error_set(error, "%s", strerror(errno));
			return false;
		}
		file->length += (size_t)got;
		if (file->length > maximum) {
			mg_error_set(error, "over %zu bytes", maximum);
			return false;
		}
		if (got == 0) {
			file->data[file->length] = '\0';
			return true;
		}
		if (file->length == size) {
			char *grown = realloc(file->data, 2 * size + 1);

			if (!grown)
				break;
			file->data = grown;
			size *= 2;
		}
	}
	mg_error_set(error, "out of memory");
	return false;
}

int mg_textfile_open(const char *path, size_t maximum, struct stat *status, struct mg_error *error)
{
	/* Without O_NONBLOCK a FIFO would hold the program here before it can be refused. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (descriptor >= 0 && fstat(descriptor, status) == 0) {
		if (judge_status(path, status, maximum, error))
			return descriptor;
	} else {
		mg_error_set(error, "%s", strerror(errno));
	}
	if (descriptor >= 0)
		close(descriptor);
	return -1;
}

bool mg_textfile_read(
	const char *path, size_t maximum, struct mg_textfile *file, struct mg_error *error)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	struct stat status;
	bool good;
	int descriptor = mg_textfile_open(path, maximum, &status, error);

	memset(file, 0, sizeof(*file));
	if (descriptor < 0)
		return false;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->length = (size_t)status.st_size;
	good = read_all(descriptor, maximum, file, error);
	close(descriptor);
	if (!good)
		mg_textfile_free(file);
	else if (file->length >= 3 && memcmp(file->data, byte_order_mark, 3) == 0) {
		file->length -= 3;
		memmove(file->data, file->data + 3, file->length + 1);
	}
	return good;
}

void mg_textfile_free(struct mg_textfile *file)
{
	free(file->data);
	memset(file, 0, sizeof(*file));
}

bool mg_textfile_check(const char *data, size_t length, unsigned *line, struct mg_error *error)
{
	*line = 1;
	for (size_t at = 0; at < length;) {
		size_t step = mg_str_utf8_length(data + at, length - at);

		if (data[at] == '\0') {
			mg_error_set(error, "a NUL byte; expected text");
			return false;
		}
		if (step == 0) {
			mg_error_set(error, "byte 0x%02x is not UTF-8", (unsigned char)data[at]);
			return false;
		}
		*line += data[at] == '\n';
		at += step;
	}
	return true;
}

/* SPDX-License-Identifier: ISC */
#include "event/cursor.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "event/chain.h"

enum {
	FILE_MODE = 0640,
	SLOTS = 2,
	SLOT_BYTES = 512 /* a sector: written whole or not */
};

static const char magic[8] = "MGCURS1\n";

/* A slot on disk; numbers little endian. check: SHA-256 over what stands before, its first
 * bytes. */
struct slot {
	char magic[sizeof magic];
	uint64_t generation, sequence, offset;
	char file[sizeof((struct mg_cursor *)0)->file];
	unsigned char check[MG_CHAIN_HASH];
};
_Static_assert(sizeof(struct slot) <= SLOT_BYTES, "a slot fits its place");

static bool make_check(const struct slot *slot, unsigned char check[MG_CHAIN_HASH])
{
	static const unsigned char zero[MG_CHAIN_HASH];

	return mg_chain_digest(zero, (const char *)slot, offsetof(struct slot, check), check);
}

static bool good_slot(const struct slot *slot)
{
	unsigned char check[MG_CHAIN_HASH];

	return memcmp(slot->magic, magic, sizeof magic) == 0 && make_check(slot, check) &&
	       memcmp(check, slot->check, MG_CHAIN_HASH) == 0 &&
	       memchr(slot->file, '\0', sizeof slot->file) != NULL;
}

/* Reads both slots of an open cursor; the index of the newer good one, -1 when both are bad, -2
 * with errno. */
static int read_slots(int fd, struct slot slots[SLOTS])
{
	int newer = -1;

	for (int i = 0; i < SLOTS; i++) {
		ssize_t got = pread(fd, &slots[i], sizeof slots[i], (off_t)i * SLOT_BYTES);

		if (got < 0)
			return -2;
		if (got != (ssize_t)sizeof slots[i] || !good_slot(&slots[i]))
			continue;
		if (newer < 0 || le64toh(slots[i].generation) > le64toh(slots[newer].generation))
			newer = i;
	}
	return newer;
}

int mg_cursor_read(const char *path, struct mg_cursor *cursor, struct mg_error *error)
{
	struct slot slots[SLOTS];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), newer;

	if (fd < 0 && errno == ENOENT)
		return 0;
	newer = fd < 0 ? -2 : read_slots(fd, slots);
	if (newer == -2)
		mg_error_system(error, errno, "%s", path);
	else if (newer == -1)
		mg_error_set(error, "%s: damaged, both slots", path);
	if (fd >= 0)
		close(fd);
	if (newer < 0)
		return -1;
	cursor->sequence = le64toh(slots[newer].sequence);
	cursor->offset = le64toh(slots[newer].offset);
	memcpy(cursor->file, slots[newer].file, sizeof cursor->file);
	return 1;
}

/* Syncs the directory of a file that is new in it. */
static bool sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
	int fd = directory == NULL ? -1 : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	free(directory);
	return good;
}

int mg_cursor_write(const char *path, const struct mg_cursor *cursor, struct mg_error *error)
{
	struct slot slots[SLOTS],
		slot = {.sequence = htole64(cursor->sequence), .offset = htole64(cursor->offset)};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE), newer = -2,
	    older;

	if (fd >= 0)
		newer = read_slots(fd, slots);
	if (newer == -2)
		goto failed;
	older = newer < 0 ? 0 : 1 - newer;
	memcpy(slot.magic, magic, sizeof magic);
	slot.generation = htole64(newer < 0 ? 1 : le64toh(slots[newer].generation) + 1);
	mg_str_copy(slot.file, sizeof slot.file, cursor->file);
	errno = EIO;
	if (!make_check(&slot, slot.check) ||
		pwrite(fd, &slot, sizeof slot, (off_t)older * SLOT_BYTES) != (ssize_t)sizeof slot ||
		fdatasync(fd) != 0 || (newer < 0 && !sync_directory(path)))
		goto failed;
	close(fd);
	return 0;
failed:
	mg_error_system(error, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Whether a file of the directory is NAME.SINK.cursor. */
static bool is_cursor_of(const char *file, const char *name)
{
	size_t length = strlen(file), own = strlen(name), end = strlen(".cursor");

	return length > own + 1 + end && strncmp(file, name, own) == 0 && file[own] == '.' &&
	       strcmp(file + length - end, ".cursor") == 0;
}

int mg_cursor_lowest(
	const char *directory, const char *name, uint64_t *sequence, struct mg_error *error)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	int result = 0;

	*sequence = UINT64_MAX;
	if (stream == NULL) {
		mg_error_system(error, errno, "%s", directory);
		return -1;
	}
	while (errno = 0, result == 0 && (entry = readdir(stream)) != NULL) {
		struct mg_cursor cursor;
		char *path = NULL;
		int got;

		if (!is_cursor_of(entry->d_name, name))
			continue;
		if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0) {
			mg_error_set(error, "%s: out of memory", directory);
			result = -1;
			break;
		}
		got = mg_cursor_read(path, &cursor, error);
		free(path);
		if (got < 0)
			result = -1;
		else if (got > 0 && cursor.sequence < *sequence)
			*sequence = cursor.sequence;
	}
	if (result == 0 && errno != 0) {
		mg_error_system(error, errno, "%s", directory);
		result = -1;
	}
	closedir(stream);
	return result;
}

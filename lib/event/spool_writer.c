/* SPDX-License-Identifier: ISC */
#include "event/spool_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "event/chain.h"
#include "event/segment.h"
#include "event/spool_start.h"

_Static_assert(MG_DOCUMENT_MAX + MG_CHAIN_OVERHEAD <= MG_RECORD_MAX, "the end of a record fits");
_Static_assert((int)MG_HASH_BYTES == (int)MG_CHAIN_HASH, "one size of a hash");

enum { FILE_MODE = 0640 };

#define DAY (86400 * MG_SECOND)

/* --- the open file --- */

/* Whether the file that is written is still the log's, and as it was left: what is written to one
 * that was removed, replaced or cut is lost. */
static bool is_in_place(const struct mg_spool_writer *writer)
{
	char name[MG_SEGMENT_NAME];
	struct stat own, there;

	mg_segment_name(name, writer->name, writer->renamed ? writer->first : 0, ".jsonl");
	return fstat(writer->fd, &own) == 0 &&
	       fstatat(writer->directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       own.st_ino == there.st_ino && own.st_dev == there.st_dev &&
	       (writer->uncut || (uint64_t)own.st_size == writer->bytes);
}

/* Takes the open file over as it was found. */
static void adopt(struct mg_spool_writer *writer, const struct mg_spool_start *start)
{
	writer->fd = start->fd;
	writer->bytes = start->bytes;
	writer->first = start->first;
	writer->begun = start->bytes > 0 ? start->begun : writer->clock->utc(writer->clock);
	writer->torn_bytes += start->torn_bytes;
	writer->rotated = true;
}

/* Goes on with what stands in the log's directory now. No sequence comes again; in a new file the
 * chain goes on from the last record that was written, wherever that is. */
static bool begin_anew(struct mg_spool_writer *writer, struct mg_error *error)
{
	struct mg_spool_start start;
	struct mg_error why;

	if (mg_spool_recover(writer->directory, writer->path, writer->name, &start, &why) != 0) {
		mg_error_set(error, "write failed: %s", why.text);
		return false;
	}
	if (start.bytes > 0 || start.sequence > writer->sequence)
		memcpy(writer->hash, start.hash, sizeof writer->hash);
	if (start.sequence > writer->sequence)
		writer->sequence = start.sequence;
	close(writer->fd);
	adopt(writer, &start);
	writer->opened = "replaced";
	writer->uncut = writer->renamed = false;
	return true;
}

/* --- a batch --- */

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			errno = put == 0 ? EIO : errno;
			return false;
		}
		bytes += put;
		length -= (size_t)put;
	}
	return true;
}

/* Adds a record to the batch; false when out of memory. */
static bool add_record(
	struct mg_spool_writer *writer, const char *document, size_t length, uint64_t *sequence)
{
	size_t start = writer->batch.length;

	mg_buf_add(&writer->batch, document, length);
	if (!mg_chain_seal(&writer->batch, start, *sequence + 1, writer->hash))
		return false;
	++*sequence;
	return true;
}

static bool add_note(
	struct mg_spool_writer *writer, const struct mg_spool_note *note, uint64_t *sequence)
{
	char *document = writer->compose(writer->context, note);
	bool good;

	if (document == NULL)
		return false;
	good = strlen(document) <= MG_DOCUMENT_MAX &&
	       add_record(writer, document, strlen(document), sequence);
	free(document);
	return good;
}

static bool add_notes(struct mg_spool_writer *writer, uint64_t *sequence)
{
	bool good = true;

	if (writer->opened != NULL) {
		struct mg_spool_note note = {.kind = MG_NOTE_OPENED,
			.reason = writer->opened,
			.torn_bytes = writer->torn_bytes};

		mg_str_hex(note.previous_hash, writer->hash, MG_HASH_BYTES);
		good = add_note(writer, &note, sequence);
	}
	if (good && writer->lost_count > 0)
		good = add_note(writer,
			&(struct mg_spool_note){.kind = MG_NOTE_LOST,
				.reason = writer->lost_reason,
				.lost_count = writer->lost_count,
				.start = writer->lost_start,
				.end = writer->lost_end},
			sequence);
	if (good && writer->trimmed_count > 0)
		good = add_note(writer,
			&(struct mg_spool_note){.kind = MG_NOTE_LOST,
				.reason = "limit",
				.lost_count = writer->trimmed_count,
				.first = writer->trimmed_first,
				.last = writer->trimmed_last},
			sequence);
	return good;
}

/* The notes that are due and the documents, as records in the batch; the sequence of the last, 0
 * when out of memory. */
static uint64_t make_batch(struct mg_spool_writer *writer, struct mg_spool_document *documents)
{
	uint64_t sequence = writer->sequence;
	bool good;

	mg_buf_reset(&writer->batch);
	good = add_notes(writer, &sequence);
	for (struct mg_spool_document *next = documents; good && next != NULL; next = next->next) {
		good = add_record(writer, next->text, next->length, &sequence);
		next->sequence = sequence;
	}
	return good ? sequence : 0;
}

/* Removes what a failed write left behind the last record. */
static bool cut_back(struct mg_spool_writer *writer)
{
	writer->uncut = ftruncate(writer->fd, (off_t)writer->bytes) != 0;
	return !writer->uncut;
}

static int write_batch(
	struct mg_spool_writer *writer, struct mg_spool_document *documents, struct mg_error *error)
{
	unsigned char hash[MG_HASH_BYTES];
	uint64_t sequence;

	if (!is_in_place(writer) && !begin_anew(writer, error))
		return -1;
	if (writer->uncut && !cut_back(writer)) {
		mg_error_system(
			error, errno, "write failed: the rest of an earlier one cannot be cut off");
		return -1;
	}
	memcpy(hash, writer->hash, sizeof hash);
	sequence = make_batch(writer, documents);
	if (sequence == 0) {
		mg_error_set(error, "write failed: out of memory");
		memcpy(writer->hash, hash, sizeof hash);
		return -1;
	}
	if (!write_all(writer->fd, writer->batch.data, writer->batch.length) ||
		(writer->settings.durable && fdatasync(writer->fd) != 0)) {
		mg_error_system(error, errno, "write failed");
		cut_back(writer);
		memcpy(writer->hash, hash, sizeof hash);
		return -1;
	}
	if (writer->first == 0)
		writer->first = writer->sequence + 1;
	writer->bytes += writer->batch.length;
	writer->sequence = sequence;
	writer->opened = NULL;
	writer->torn_bytes = writer->lost_count = writer->trimmed_count = 0;
	return 0;
}

bool mg_spool_writer_due(const struct mg_spool_writer *writer)
{
	return writer->opened != NULL || writer->lost_count > 0 || writer->trimmed_count > 0 ||
	       writer->uncut;
}

/* Remembers documents that could not be written. */
static void count_lost(struct mg_spool_writer *writer, struct mg_spool_document *documents)
{
	int64_t now = writer->clock->utc(writer->clock);

	for (; documents != NULL; documents = documents->next) {
		documents->sequence = 0;
		if (writer->settings.written_again)
			continue;
		if (writer->lost_count++ == 0)
			writer->lost_start = now;
		writer->lost_end = now;
		writer->lost++;
	}
	mg_str_copy(writer->lost_reason, sizeof writer->lost_reason,
		writer->troubles[MG_TROUBLE_WRITE].text);
}

int mg_spool_writer_write(struct mg_spool_writer *writer, struct mg_spool_document *documents)
{
	struct mg_error *error = &writer->troubles[MG_TROUBLE_WRITE];

	if (documents == NULL && !mg_spool_writer_due(writer) && is_in_place(writer)) {
		error->text[0] = '\0';
		return 0;
	}
	if (write_batch(writer, documents, error) != 0) {
		count_lost(writer, documents);
		return -1;
	}
	error->text[0] = '\0';
	return 0;
}

/* --- files --- */

/* Removes old segments and counts what is left. */
static void trim(struct mg_spool_writer *writer)
{
	struct mg_error *error = &writer->troubles[MG_TROUBLE_TRIM];
	struct mg_trimmed trimmed;

	if (mg_spool_trim(writer->directory, &writer->settings, writer->clock->utc(writer->clock),
		    writer->first > 0 ? writer->first : writer->sequence + 1, writer->bytes,
		    &trimmed, error) == 0)
		error->text[0] = '\0';
	writer->sealed_bytes = trimmed.bytes;
	writer->sealed_segments = trimmed.segments;
	if (trimmed.lost_count == 0)
		return;
	if (writer->trimmed_count == 0)
		writer->trimmed_first = trimmed.lost_first;
	writer->trimmed_last = trimmed.lost_last;
	writer->trimmed_count += trimmed.lost_count;
	writer->lost += trimmed.lost_count;
}

/* Gives the open file its sealed name; false with errno. */
static bool seal(struct mg_spool_writer *writer)
{
	char open_name[MG_SEGMENT_NAME], sealed_name[MG_SEGMENT_NAME];

	mg_segment_name(open_name, writer->name, 0, ".jsonl");
	mg_segment_name(sealed_name, writer->name, writer->first, ".jsonl");
	if (faccessat(writer->directory, sealed_name, F_OK, 0) == 0) {
		errno = EEXIST;
		return false;
	}
	return fdatasync(writer->fd) == 0 &&
	       renameat(writer->directory, open_name, writer->directory, sealed_name) == 0;
}

/* Seals the open file and makes the next. False with errno: the file is written on, and this is
 * tried again. */
static bool next_file(struct mg_spool_writer *writer)
{
	char name[MG_SEGMENT_NAME];
	int fd;

	if (!writer->renamed && !seal(writer))
		return false;
	writer->renamed = true;
	mg_segment_name(name, writer->name, 0, ".jsonl");
	fd = openat(writer->directory, name,
		O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return false;
	if (fchmod(fd, FILE_MODE) != 0 || fsync(writer->directory) != 0) {
		int number = errno;

		close(fd);
		unlinkat(writer->directory, name, 0);
		errno = number;
		return false;
	}
	close(writer->fd);
	writer->fd = fd;
	writer->renamed = false;
	writer->bytes = writer->first = 0;
	return true;
}

void mg_spool_writer_rotate(struct mg_spool_writer *writer)
{
	struct mg_error *error = &writer->troubles[MG_TROUBLE_ROTATE];
	int64_t now = writer->clock->utc(writer->clock);
	bool full = writer->bytes >= writer->settings.segment_bytes;

	/* The first record of a file comes first. One that is not in place is not sealed: the next
	 * write begins anew. */
	if (writer->first == 0 || writer->opened != NULL || writer->uncut ||
		(!full && now - writer->begun < DAY) || !is_in_place(writer))
		return;
	if (!next_file(writer)) {
		mg_error_system(error, errno, "%s/%s.jsonl: cannot begin the next file",
			writer->path, writer->name);
		return;
	}
	error->text[0] = '\0';
	writer->begun = now;
	writer->opened = full ? "size" : "age";
	writer->rotated = true;
	trim(writer);
}

bool mg_spool_writer_start(struct mg_spool_writer *writer, struct mg_error *error)
{
	struct mg_spool_start start;

	if (mg_spool_recover(writer->directory, writer->path, writer->name, &start, error) != 0)
		return false;
	adopt(writer, &start);
	writer->sequence = start.sequence;
	memcpy(writer->hash, start.hash, sizeof writer->hash);
	writer->opened = start.damaged ? "damaged" : "start";
	trim(writer);
	return true;
}

void mg_spool_writer_close(struct mg_spool_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	writer->fd = -1;
	mg_buf_free(&writer->batch);
}

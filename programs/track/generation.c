/* SPDX-License-Identifier: ISC */
#include "track/generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	GENERATIONS_MAX = 4096,
	LOOKS = 4, /* at the folder, until it is the same as before */
	NUMBER_DIGITS = 5 /* FILE.12345 counts, what has more digits is a date */
};

/* --- names of rotated files --------------------------------------------------- */

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* Whether name is that of FILE or of an older generation of it: behind FILE's name stands "." or "-"
 * and what begins with a digit. */
static bool is_generation(const char *name, const char *base)
{
	size_t length = strlen(base);

	if (strncmp(name, base, length) != 0)
		return false;
	name += length;
	return name[0] == '\0' || ((name[0] == '.' || name[0] == '-') && is_digit(name[1]));
}

/* The number of FILE.N, 0 when it is none. */
static unsigned long number_of(const struct track_generation *generation, size_t stem)
{
	const char *text = generation->path + stem + 1;
	size_t digits = strspn(text, "0123456789");

	return digits <= NUMBER_DIGITS && (text[digits] == '\0' || text[digits] == '.')
		       ? strtoul(text, NULL, 10)
		       : 0;
}

/* Dates are compared digit by digit: FILE-20261125.gz, FILE.20261125-090102. */
static int compare_dates(const char *a, const char *b)
{
	for (;;) {
		while (*a != '\0' && !is_digit(*a))
			a++;
		while (*b != '\0' && !is_digit(*b))
			b++;
		if (*a != *b || *a == '\0')
			return (unsigned char)*a - (unsigned char)*b;
		a++;
		b++;
	}
}

/* The older one first. Only where numbers and dates are mixed does the time decide. */
static int compare(const void *first, const void *second, void *context)
{
	const struct track_generation *a = first, *b = second;
	size_t stem = *(const size_t *)context;
	unsigned long a_number, b_number;

	if (a->live || b->live)
		return (int)a->live - (int)b->live;
	a_number = number_of(a, stem);
	b_number = number_of(b, stem);
	if (a_number > 0 && b_number > 0 && a_number != b_number)
		return a_number > b_number ? -1 : 1;
	if (a_number == 0 && b_number == 0) {
		int dates = compare_dates(a->path + stem, b->path + stem);

		if (dates != 0)
			return dates;
	} else if ((a_number == 0) != (b_number == 0) && a->modified != b->modified)
		return a->modified < b->modified ? -1 : 1;
	return strcmp(a->path, b->path);
}

/* --- what there is ------------------------------------------------------------ */

/* Compressed in a way that is not read here. */
static bool is_foreign(const char *path)
{
	static const char *const ends[] = {".xz", ".bz2", ".zst", ".lz4", ".Z", ".lzma"};
	size_t length = strlen(path);

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		size_t end = strlen(ends[i]);

		if (length > end && strcmp(path + length - end, ends[i]) == 0)
			return true;
	}
	return false;
}

static int64_t modified_of(const struct stat *status)
{
	return (int64_t)status->st_mtim.tv_sec * MG_SECOND + status->st_mtim.tv_nsec;
}

/* Takes path. Sets error when it cannot be read; false: it is no file, or gone. */
static bool look_at(struct track_generation *generation, char *path, bool live)
{
	struct stat status;
	int fd, length;

	*generation = (struct track_generation){.path = path, .live = live};
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		generation->error = errno;
		if (errno == ENOENT || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
			return false;
	} else if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return false;
	}
	generation->device = status.st_dev;
	generation->inode = status.st_ino;
	generation->size = (uint64_t)status.st_size;
	generation->modified = modified_of(&status);
	if (fd < 0)
		return true;
	length = track_stream_head(fd, generation->head, &generation->compressed);
	if (length < 0)
		generation->error = errno;
	else if (track_place_is_enough(generation->head, (size_t)length))
		generation->head_length = (uint32_t)length;
	if (is_foreign(path))
		generation->error = ENOTSUP;
	close(fd);
	return true;
}

static struct track_generation *add_place(struct track_generations *generations)
{
	if (generations->count == generations->size) {
		size_t size = generations->size == 0 ? 16 : 2 * generations->size;
		struct track_generation *list = reallocarray(generations->list, size, sizeof *list);

		if (list == NULL)
			return NULL;
		generations->list = list;
		generations->size = size;
	}
	return &generations->list[generations->count];
}

static int add(struct track_generations *generations, const char *path, size_t stem,
	const char *name, struct mg_error *error)
{
	struct track_generation *generation = add_place(generations);
	char *own = NULL;

	if (generations->count >= GENERATIONS_MAX) {
		mg_error_set(error, "%s: more than %d files of older lines", path, GENERATIONS_MAX);
		return -1;
	}
	if (generation == NULL || asprintf(&own, "%.*s%s", (int)stem, path, name) < 0) {
		mg_error_set(error, "%s: no memory", path);
		return -1;
	}
	if (look_at(generation, own, strcmp(own, path) == 0))
		generations->count++;
	else
		free(own);
	return 0;
}

/* One generation in two files: FILE under copytruncate, between copy and truncation; a file and what
 * is being compressed from it. The first of each pair stays. */
static bool same_text(const struct track_generation *a, const struct track_generation *b)
{
	size_t length = strlen(a->path);

	/* What is compressed just now may not show its first bytes yet. */
	if (strncmp(a->path, b->path, length) == 0 && strcmp(b->path + length, ".gz") == 0)
		return true;
	if (a->error != 0 || b->error != 0 || b->head_length == 0 ||
		b->head_length > a->head_length || memcmp(a->head, b->head, b->head_length) != 0)
		return false;
	return a->live ? b->compressed || b->size <= a->size : b->compressed && !a->compressed;
}

static void drop(struct track_generations *generations, size_t index)
{
	free(generations->list[index].path);
	generations->count--;
	memmove(&generations->list[index], &generations->list[index + 1],
		(generations->count - index) * sizeof generations->list[0]);
}

static void drop_doubles(struct track_generations *generations)
{
	for (size_t i = generations->count; i-- > 1;) {
		const struct track_generation *a = &generations->list[i];
		const struct track_generation *b = &generations->list[i - 1];

		if ((a->device == b->device && a->inode == b->inode) || same_text(a, b))
			drop(generations, i - 1);
		else if (same_text(b, a))
			drop(generations, i);
	}
}

static int list_folder(struct track_generations *generations, DIR *folder, const char *path,
	size_t stem, struct mg_error *error)
{
	for (;;) {
		const struct dirent *entry = readdir(folder);

		if (entry == NULL)
			return 0;
		if (is_generation(entry->d_name, path + stem) &&
			add(generations, path, stem, entry->d_name, error) != 0)
			return -1;
	}
}

/* A list of what there is in the folder just now. 0, or -1 with error. */
static int look_around(struct track_generations *generations, const char *path, size_t stem,
	struct mg_error *error)
{
	char *folder_path = strndup(path, stem);
	DIR *folder = folder_path == NULL ? NULL : opendir(folder_path);
	size_t length = strlen(path);
	int status = -1;

	*generations = (struct track_generations){0};
	if (folder == NULL)
		mg_error_system(error, errno, "%s", folder_path == NULL ? path : folder_path);
	else
		status = list_folder(generations, folder, path, stem, error);
	if (status == 0 && generations->count > 0)
		qsort_r(generations->list, generations->count, sizeof generations->list[0], compare,
			&length);
	else
		track_generations_free(generations);
	if (folder != NULL)
		closedir(folder);
	free(folder_path);
	return status;
}

static bool are_equal(const struct track_generations *a, const struct track_generations *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->list[i].inode != b->list[i].inode ||
			a->list[i].device != b->list[i].device ||
			strcmp(a->list[i].path, b->list[i].path) != 0)
			return false;
	return true;
}

/* Rotation renames file after file, and a list that is made meanwhile may lack one: two that are
 * equal, one after the other, lack none. */
int track_generations_find(struct track_generations *generations, const char *path, bool patient,
	struct mg_error *error)
{
	size_t stem = (size_t)(strrchr(path, '/') - path) + 1;
	struct track_generations before;

	if (look_around(generations, path, stem, error) != 0)
		return -1;
	for (int i = 0; i < LOOKS; i++) {
		bool quiet;

		before = *generations;
		if (look_around(generations, path, stem, error) != 0) {
			track_generations_free(&before);
			return -1;
		}
		quiet = are_equal(&before, generations) || (i == LOOKS - 1 && !patient);
		track_generations_free(&before);
		if (quiet) {
			drop_doubles(generations);
			return 1;
		}
	}
	track_generations_free(generations);
	return 0;
}

void track_generations_free(struct track_generations *generations)
{
	for (size_t i = 0; i < generations->count; i++)
		free(generations->list[i].path);
	free(generations->list);
	*generations = (struct track_generations){0};
}

/* --- which one ---------------------------------------------------------------- */

static bool begins_as(const struct track_generation *generation, const struct track_place *place)
{
	struct track_place begin;

	return generation->error == 0 && generation->head_length >= place->length &&
	       track_place_identify(&begin, generation->head, place->length) &&
	       memcmp(begin.fingerprint, place->fingerprint, sizeof begin.fingerprint) == 0;
}

bool track_generation_look(struct track_generation *generation, const char *path)
{
	char *own = strdup(path);

	if (own != NULL && look_at(generation, own, true))
		return true;
	free(own);
	*generation = (struct track_generation){0};
	return false;
}

bool track_generation_is(const struct track_generation *generation, const struct track_place *place)
{
	return generation->device == place->device && generation->inode == place->inode &&
	       generation->size >= place->offset && begins_as(generation, place);
}

size_t track_generations_of(
	const struct track_generations *generations, const struct track_place *place)
{
	size_t best = SIZE_MAX;
	int best_score = -1;

	for (size_t i = generations->count; place->known && i-- > 0;) {
		const struct track_generation *generation = &generations->list[i];
		bool fits = generation->compressed || generation->size >= place->offset;
		bool here =
			generation->device == place->device && generation->inode == place->inode;
		int score = 2 * fits + here;

		if (score > best_score && begins_as(generation, place)) {
			best = i;
			best_score = score;
		}
	}
	return best;
}

static size_t first_after(
	const struct track_generations *generations, const struct track_place *place)
{
	size_t index = 0;

	for (; index < generations->count; index++) {
		const struct track_generation *generation = &generations->list[index];
		/* Compression may cut the time of a file to seconds. */
		int64_t slack = generation->modified % MG_SECOND == 0 ? MG_SECOND : 0;

		if (generation->live || generation->modified + slack > place->modified)
			break;
	}
	return index;
}

size_t track_generations_after(const struct track_generations *generations, size_t index,
	const struct track_place *place, const struct track_generation **unreadable)
{
	*unreadable = NULL;
	index = index == SIZE_MAX ? first_after(generations, place) : index + 1;
	for (; index < generations->count; index++) {
		if (generations->list[index].error != 0)
			*unreadable = &generations->list[index];
		else if (generations->list[index].head_length > 0)
			return index;
	}
	*unreadable = NULL;
	return SIZE_MAX;
}

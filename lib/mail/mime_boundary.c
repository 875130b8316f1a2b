/* SPDX-License-Identifier: ISC */
/* Boundaries of the open multiparts, and their lines (RFC 2046 section 5.1.1). */
#include <string.h>

#include "mail/mime_private.h"

/* Equal texts have equal hashes; unequal ones are told apart by their bytes. */
static uint64_t hash(const void *text, size_t length)
{
	const unsigned char *at = text;
	uint64_t sum = length, word;

	for (; length >= sizeof(word); at += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 32;
	}
	for (word = 0; length > 0; length--)
		word = word << 8 | *at++;
	sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 32;
}

static bool is_kept(const struct mg_mime_boundaries *boundaries, const char *text, size_t length,
	unsigned level)
{
	for (unsigned i = boundaries->active; i < boundaries->count; i++) {
		const struct mg_mime_boundary *one = &boundaries->all[i];

		if (one->level == level && one->length == length &&
			memcmp(boundaries->room + one->offset, text, length) == 0)
			return true;
	}
	return false;
}

bool mg_mime_boundary_add(
	struct mg_mime_boundaries *boundaries, const char *text, size_t length, unsigned level)
{
	/* A legal one must always find room in the levels above. */
	size_t reserved = (size_t)(MG_MIME_LEVELS - 1 - level) * MG_MIME_BOUNDARY_LEGAL;
	unsigned most = MG_MIME_BOUNDARIES - (MG_MIME_LEVELS - 1 - level);

	/* Blanks at the end of a line are none of a boundary. */
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	if (length == 0 || length > MG_MIME_BOUNDARY_MAX)
		return false;
	if (is_kept(boundaries, text, length, level))
		return true;
	if (boundaries->count >= most ||
		boundaries->used + length + reserved > MG_MIME_BOUNDARY_ROOM)
		return false;
	boundaries->all[boundaries->count++] = (struct mg_mime_boundary){.hash = hash(text, length),
		.offset = (uint16_t)boundaries->used,
		.length = (uint8_t)length,
		.level = (uint8_t)level};
	memcpy(boundaries->room + boundaries->used, text, length);
	boundaries->used += length;
	return true;
}

void mg_mime_boundary_drop(struct mg_mime_boundaries *boundaries, unsigned level)
{
	while (boundaries->count > 0 && boundaries->all[boundaries->count - 1].level >= level)
		boundaries->used -= boundaries->all[--boundaries->count].length;
	if (boundaries->active > boundaries->count)
		boundaries->active = boundaries->count;
}

/* The part of a boundary line that is a boundary: with and without "--" at its end. */
struct candidate {
	const unsigned char *text;
	size_t length;
	uint64_t hash;
};

static bool is_same(const struct mg_mime_boundaries *boundaries, const struct mg_mime_boundary *one,
	const struct candidate *candidate)
{
	return one->length == candidate->length && one->hash == candidate->hash &&
	       memcmp(boundaries->room + one->offset, candidate->text, one->length) == 0;
}

/* Reads the text of a line behind "--", blanks at its end off; false: it is no boundary line. */
static bool read_line(
	const unsigned char *line, size_t length, struct candidate *open, struct candidate *last)
{
	while (length > 2 &&
		(line[length - 1] == ' ' || line[length - 1] == '\t' || line[length - 1] == '\r'))
		length--;
	if (length <= 2 || line[0] != '-' || line[1] != '-' || length > MG_MIME_BOUNDARY_MAX + 4)
		return false;
	*open = (struct candidate){line + 2, length - 2, hash(line + 2, length - 2)};
	*last = (struct candidate){line + 2, 0, 0};
	if (length > 4 && line[length - 1] == '-' && line[length - 2] == '-')
		*last = (struct candidate){line + 2, length - 4, hash(line + 2, length - 4)};
	return true;
}

/* The innermost that is not closed is meant; then the innermost. */
bool mg_mime_boundary_find(const struct mg_mime *mime, unsigned first, unsigned end,
	const unsigned char *line, size_t length, struct mg_mime_match *match)
{
	const struct mg_mime_boundaries *boundaries = &mime->boundaries;
	struct candidate open, last;
	bool found = false;

	if (!read_line(line, length, &open, &last))
		return false;
	for (unsigned i = end; i > first; i--) {
		const struct mg_mime_boundary *one = &boundaries->all[i - 1];
		bool is_last = is_same(boundaries, one, &last);

		if (!is_last && !is_same(boundaries, one, &open))
			continue;
		if (found && mime->levels[one->level].closed)
			continue;
		*match = (struct mg_mime_match){.level = one->level, .last = is_last};
		found = true;
		if (!mime->levels[one->level].closed)
			break;
	}
	return found;
}

/* --- looking for them --- */

/* Line by line. */
static const unsigned char *seek_plain(const unsigned char *text, const unsigned char *end)
{
	while (end - text >= 3) {
		const unsigned char *found = memchr(text, '\n', (size_t)(end - text) - 2);

		if (found == NULL)
			return NULL;
		if (found[1] == '-' && found[2] == '-')
			return found;
		text = found + 1;
	}
	return NULL;
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

enum { BLOCK = 32 };

/* Three places of 32 bytes are compared at once. */
__attribute__((target("avx2,bmi"))) static const unsigned char *seek_vectors(
	const unsigned char *text, const unsigned char *end)
{
	const __m256i lf = _mm256_set1_epi8('\n'), dash = _mm256_set1_epi8('-');

	for (; end - text >= BLOCK + 2; text += BLOCK) {
		__m256i first = _mm256_loadu_si256((const __m256i *)(const void *)text);
		__m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(text + 1));
		__m256i third = _mm256_loadu_si256((const __m256i *)(const void *)(text + 2));
		__m256i found = _mm256_and_si256(_mm256_cmpeq_epi8(first, lf),
			_mm256_and_si256(
				_mm256_cmpeq_epi8(second, dash), _mm256_cmpeq_epi8(third, dash)));
		uint32_t bits = (uint32_t)_mm256_movemask_epi8(found);

		if (bits != 0)
			return text + _tzcnt_u32(bits);
	}
	return seek_plain(text, end);
}

const unsigned char *mg_mime_boundary_seek(const unsigned char *text, const unsigned char *end)
{
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
		return seek_vectors(text, end);
	return seek_plain(text, end);
}
#else
const unsigned char *mg_mime_boundary_seek(const unsigned char *text, const unsigned char *end)
{
	return seek_plain(text, end);
}
#endif

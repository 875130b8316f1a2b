/* SPDX-License-Identifier: ISC */
/* Boundaries of the open multiparts, and their lines (RFC 2046 section 5.1.1). */
#include <string.h>

#include "mail/mime_private.h"

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
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
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	if (length == 0 || length > MG_MIME_BOUNDARY_MAX)
		return false;
	if (is_kept(boundaries, text, length, level))
		return true;
	if (boundaries->count >= most ||
		boundaries->used + length + reserved > MG_MIME_BOUNDARY_ROOM)
		return false;
	boundaries->all[boundaries->count++] =
		(struct mg_mime_boundary){.offset = (uint16_t)boundaries->used,
			.length = (uint16_t)length,
			.level = (uint16_t)level};
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

/* What is behind the boundary on its line. */
static enum mg_mime_match_kind kind_of(const unsigned char *rest, size_t length, bool *last)
{
	*last = length >= 2 && rest[0] == '-' && rest[1] == '-';
	if (*last) {
		rest += 2;
		length -= 2;
	}
	if (length == 0)
		return MG_MIME_EXACT;
	return is_blank((char)rest[0]) ? MG_MIME_LOOSE : MG_MIME_NEAR;
}

/* Is the second better? Of those that are exact the innermost that is not closed is meant, then the
 * innermost; of others the longest. */
static bool is_better(const struct mg_mime *mime, const struct mg_mime_match *best,
	const struct mg_mime_match *match)
{
	if (best->kind != match->kind)
		return match->kind > best->kind;
	if (match->kind != MG_MIME_EXACT)
		return match->length > best->length;
	return mime->levels[best->level].closed && !mime->levels[match->level].closed;
}

void mg_mime_boundary_find(const struct mg_mime *mime, unsigned first, unsigned end,
	const unsigned char *line, size_t length, struct mg_mime_match *match)
{
	const struct mg_mime_boundaries *boundaries = &mime->boundaries;

	match->kind = MG_MIME_NO_MATCH;
	if (length <= 2 || line[0] != '-' || line[1] != '-')
		return;
	while (length > 2 && (is_blank((char)line[length - 1]) || line[length - 1] == '\r'))
		length--;
	line += 2;
	length -= 2;
	for (unsigned i = end; i > first; i--) {
		const struct mg_mime_boundary *one = &boundaries->all[i - 1];
		struct mg_mime_match found = {.level = one->level, .length = one->length};

		if (one->length > length ||
			memcmp(boundaries->room + one->offset, line, one->length) != 0)
			continue;
		found.kind = kind_of(line + one->length, length - one->length, &found.last);
		if (is_better(mime, match, &found))
			*match = found;
	}
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

/* Where an LF and a "-" behind it are is found at once. */
__attribute__((target("avx2,bmi"))) static const unsigned char *seek_vectors(
	const unsigned char *text, const unsigned char *end)
{
	const __m256i lf = _mm256_set1_epi8('\n'), dash = _mm256_set1_epi8('-');

	for (; end - text >= BLOCK + 2; text += BLOCK) {
		__m256i first = _mm256_loadu_si256((const __m256i *)(const void *)text);
		__m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(text + 1));
		__m256i found = _mm256_and_si256(
			_mm256_cmpeq_epi8(first, lf), _mm256_cmpeq_epi8(second, dash));
		uint32_t bits = (uint32_t)_mm256_movemask_epi8(found);

		for (; bits != 0; bits &= bits - 1)
			if (text[_tzcnt_u32(bits) + 2] == '-')
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

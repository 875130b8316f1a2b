/* SPDX-License-Identifier: ISC */
/* The inner loops by AVX2. */
#include <stdint.h>
#include <string.h>

#include "mail/transfer.h"
#include "mail/transfer_private.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi")))

enum {
	BLOCK = 32, /* characters of a vector */
	PAIR = 2 * BLOCK,
	BLOCK_DECODED = 24,
	USUAL_LINE = 76
};

bool mg_transfer_has_vectors(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

AVX2 static inline __m256i load(const unsigned char *place)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)place);
}

/* Sixteen bytes, in both halves. */
AVX2 static inline __m256i twice(const signed char bytes[16])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

/* The alphabet is five ranges. Which one a character is in follows from its high half, but that "/"
 * shares its with "+"; a character is none when the sets of its halves, a bit a set, have a bit in
 * common. */
static const signed char sets_of_low[16] = {0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
	0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a};
static const signed char sets_of_high[16] = {0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10,
	0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10};
/* What turns a character into its six bits: by high half; one less for "/". */
static const signed char offsets[16] = {0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0};

static const signed char order[16] = {2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1};

/* All that a block is decoded with, for the registers. */
struct base64 {
	__m256i nibble, low, high, slash, offset, twelve, bytes, order, places;
};

AVX2 __attribute__((always_inline)) static inline struct base64 base64_constants(void)
{
	return (struct base64){.nibble = _mm256_set1_epi8(0x0f),
		.low = twice(sets_of_low),
		.high = twice(sets_of_high),
		.slash = _mm256_set1_epi8('/'),
		.offset = twice(offsets),
		.twelve = _mm256_set1_epi32(0x01400140),
		.bytes = _mm256_set1_epi32(0x00011000),
		.order = twice(order),
		.places = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7)};
}

/* Writes 32 bytes, of which 24 are decoded ones. Returns bytes that are not zero for characters that
 * are none. */
AVX2 __attribute__((always_inline)) static inline __m256i decode_block(
	const struct base64 *with, __m256i text, unsigned char *decoded)
{
	__m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), with->nibble);
	__m256i low = _mm256_and_si256(text, with->nibble);
	__m256i slash = _mm256_cmpeq_epi8(text, with->slash);
	__m256i offset = _mm256_shuffle_epi8(with->offset, _mm256_add_epi8(slash, high));
	__m256i six = _mm256_add_epi8(text, offset);
	__m256i bytes = _mm256_madd_epi16(_mm256_maddubs_epi16(six, with->twelve), with->bytes);

	bytes = _mm256_shuffle_epi8(bytes, with->order);
	bytes = _mm256_permutevar8x32_epi32(bytes, with->places);
	_mm256_storeu_si256((__m256i *)(void *)decoded, bytes);
	return _mm256_and_si256(
		_mm256_shuffle_epi8(with->low, low), _mm256_shuffle_epi8(with->high, high));
}

AVX2 size_t mg_transfer_base64_run(const unsigned char *text, size_t length, unsigned char *decoded)
{
	struct base64 with = base64_constants();
	size_t done = 0;

	for (; length - done >= BLOCK; done += BLOCK, decoded += BLOCK_DECODED) {
		__m256i strangers = decode_block(&with, load(text + done), decoded);
		uint32_t good = (uint32_t)_mm256_movemask_epi8(
			_mm256_cmpeq_epi8(strangers, _mm256_setzero_si256()));

		if (good != UINT32_MAX)
			return done + (_tzcnt_u32(~good) & ~3U);
	}
	return done;
}

/* Decodes a line; the last block overlaps the one before. false: it has a character that is none. */
AVX2 __attribute__((always_inline)) static inline bool decode_line(
	const struct base64 *with, const unsigned char *text, size_t line, unsigned char *decoded)
{
	__m256i strangers = _mm256_setzero_si256();

	for (size_t done = 0; done + BLOCK < line; done += BLOCK)
		strangers = _mm256_or_si256(
			strangers, decode_block(with, load(text + done), decoded + done / 4 * 3));
	strangers = _mm256_or_si256(strangers,
		decode_block(with, load(text + line - BLOCK), decoded + (line - BLOCK) / 4 * 3));
	return _mm256_testz_si256(strangers, strangers);
}

AVX2 __attribute__((always_inline)) static inline size_t decode_lines(const unsigned char *text,
	size_t length, size_t line, unsigned char *decoded, size_t *groups)
{
	struct base64 with = base64_constants();
	size_t done = 0;

	*groups = 0;
	while (length - done >= line + 2) {
		const unsigned char *end = text + done + line;
		size_t line_end = end[0] == '\n' ? 1 : 2;

		if ((line_end == 2 && (end[0] != '\r' || end[1] != '\n')) ||
			!decode_line(&with, text + done, line, decoded))
			break;
		decoded += line / 4 * 3;
		*groups += line / 4;
		done += line + line_end;
	}
	return done;
}

/* Nearly all lines are of 76, for which a loop of its own is compiled. */
AVX2 size_t mg_transfer_base64_lines(const unsigned char *text, size_t length, size_t line,
	unsigned char *decoded, size_t *groups)
{
	return line == USUAL_LINE ? decode_lines(text, length, USUAL_LINE, decoded, groups)
				  : decode_lines(text, length, line, decoded, groups);
}

/* --- quoted-printable --- */

/* A bit for each character of a block that is "=", or a blank with a CR or LF behind it. Of the
 * characters sought no two have the same low half: by it each is looked up that may be there; where
 * there is none it is one of another half. */
AVX2 static inline uint32_t quoted_bits(const unsigned char *text)
{
	static const signed char blank_of_low[16] = {[0] = ' ', [9] = '\t'};
	static const signed char end_of_low[16] = {[0] = 1, [10] = '\n', [13] = '\r'};
	__m256i block = load(text), next = load(text + 1);
	__m256i blanks = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(twice(blank_of_low), block), block);
	__m256i ends = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(twice(end_of_low), next), next);
	__m256i equals = _mm256_cmpeq_epi8(block, _mm256_set1_epi8('='));

	return (uint32_t)_mm256_movemask_epi8(
		_mm256_or_si256(_mm256_and_si256(blanks, ends), equals));
}

static inline bool is_blank(unsigned char character)
{
	return character == ' ' || character == '\t';
}

/* What is read and written so far. */
struct place {
	const unsigned char *text;
	unsigned char *decoded;
};

/* What the first and the second character behind "=" say; together they are a byte, a soft line
 * break (CR, LF), or more: no escape. */
enum { A_BYTE = 0x100, A_BREAK = 0x300 };
static const uint16_t of_first[256] = {0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x100, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x0, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0,
	0xf0, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400};
static const uint16_t of_second[256] = {0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x200, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x0, 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400,
	0x400, 0x400, 0x400, 0x400, 0x400, 0x400, 0x400};

/* At "=", with two characters behind it. false: it is no escape, as far as is seen. */
static inline bool take_escape(struct place *place)
{
	const unsigned char *text = place->text;
	unsigned value = of_first[text[1]] | of_second[text[2]];

	/* Which of the two it is cannot be foretold. */
	if ((value < A_BYTE) | (value == A_BREAK)) {
		*place->decoded = (unsigned char)value;
		place->decoded += value < A_BYTE;
		place->text += 3;
		return true;
	}
	if (text[1] != '\n')
		return false;
	place->text += 2;
	return true;
}

/* Copies up to two blocks. */
AVX2 static inline void copy(struct place *place, const unsigned char *to)
{
	_mm256_storeu_si256((__m256i *)(void *)place->decoded, load(place->text));
	if (__builtin_expect(to - place->text > BLOCK, 0))
		_mm256_storeu_si256(
			(__m256i *)(void *)(place->decoded + BLOCK), load(place->text + BLOCK));
	place->decoded += to - place->text;
	place->text = to;
}

/* Takes what `bits` tell of some blocks, and the blocks. false: up to what is no escape. */
AVX2 __attribute__((always_inline)) static inline bool take_blocks(
	struct place *place, const unsigned char *at, uint64_t bits, int blocks)
{
	for (; bits != 0; bits &= bits - 1) {
		copy(place, at + _tzcnt_u64(bits));
		if (*place->text != '=' || !take_escape(place))
			return false;
	}
	if (place->text < at + blocks * BLOCK)
		copy(place, at + blocks * BLOCK);
	return true;
}

/* Takes text with its escapes, up to what is none, blanks at the end of a line, or near the end.
 * Block by block, not from escape to escape: where the next begins does not wait for what is found in
 * this one. true: it came to the end. */
AVX2 static bool take_text(struct place *to, const unsigned char *end)
{
	struct place place = *to; /* in registers */
	const unsigned char *at = place.text;
	bool good = true;

	for (; good && end - at >= 2 * PAIR + 2; at += PAIR)
		good = take_blocks(&place, at,
			quoted_bits(at) | (uint64_t)quoted_bits(at + BLOCK) << BLOCK, 2);
	for (; good && end - at >= 2 * BLOCK + 2; at += BLOCK)
		good = take_blocks(&place, at, quoted_bits(at), 1);
	*to = place;
	return good;
}

/* Takes back the blanks before the place, down to `begin`. */
static void take_back(struct place *place, const unsigned char *begin)
{
	for (; place->text > begin && is_blank(place->text[-1]); place->text--)
		place->decoded--;
}

size_t mg_transfer_quoted_run(
	const unsigned char *text, size_t length, unsigned char *decoded, size_t *written)
{
	struct place place = {text, decoded};
	const unsigned char *begin = text, *end = text + length;

	while (!take_text(&place, end) && is_blank(*place.text)) {
		const unsigned char *line_end = place.text + 1;

		take_back(&place, begin);
		if (line_end - place.text > MG_TRANSFER_BLANKS ||
			(line_end[0] == '\r' && line_end[1] != '\n'))
			break;
		place.text = begin = line_end;
	}
	/* They may be at the end of a line. */
	take_back(&place, begin);
	*written = (size_t)(place.decoded - decoded);
	return (size_t)(place.text - text);
}

#else

bool mg_transfer_has_vectors(void)
{
	return false;
}

size_t mg_transfer_base64_run(const unsigned char *text, size_t length, unsigned char *decoded)
{
	(void)text, (void)length, (void)decoded;
	return 0;
}

size_t mg_transfer_base64_lines(const unsigned char *text, size_t length, size_t line,
	unsigned char *decoded, size_t *groups)
{
	(void)text, (void)length, (void)line, (void)decoded;
	*groups = 0;
	return 0;
}

size_t mg_transfer_quoted_run(
	const unsigned char *text, size_t length, unsigned char *decoded, size_t *written)
{
	(void)text, (void)length, (void)decoded;
	*written = 0;
	return 0;
}
#endif

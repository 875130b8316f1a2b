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
	BLOCK_DECODED = 24
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

/* Bytes that are not zero: characters that are none. */
AVX2 static inline __m256i strangers(__m256i text)
{
	__m256i nibble = _mm256_set1_epi8(0x0f);
	__m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), nibble);
	__m256i low = _mm256_and_si256(text, nibble);

	return _mm256_and_si256(_mm256_shuffle_epi8(twice(sets_of_low), low),
		_mm256_shuffle_epi8(twice(sets_of_high), high));
}

/* Writes 32 bytes, of which 24 are decoded ones. */
AVX2 static inline void decode_block(__m256i text, unsigned char *decoded)
{
	static const signed char order[16] = {
		2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1};
	__m256i high = _mm256_and_si256(_mm256_srli_epi32(text, 4), _mm256_set1_epi8(0x0f));
	__m256i slash = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('/'));
	__m256i offset = _mm256_shuffle_epi8(twice(offsets), _mm256_add_epi8(slash, high));
	__m256i six = _mm256_add_epi8(text, offset);
	__m256i twelve = _mm256_maddubs_epi16(six, _mm256_set1_epi32(0x01400140));
	__m256i bytes = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x00011000));

	bytes = _mm256_shuffle_epi8(bytes, twice(order));
	bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
	_mm256_storeu_si256((__m256i *)(void *)decoded, bytes);
}

/* A bit for each character that is none. */
AVX2 static inline uint32_t stranger_bits(__m256i text)
{
	return ~(uint32_t)_mm256_movemask_epi8(
		_mm256_cmpeq_epi8(strangers(text), _mm256_setzero_si256()));
}

AVX2 size_t mg_transfer_base64_run(const unsigned char *text, size_t length, unsigned char *decoded)
{
	size_t done = 0;

	while (length - done >= BLOCK) {
		__m256i block = load(text + done);
		uint32_t bad = stranger_bits(block);

		decode_block(block, decoded);
		if (bad != 0)
			return done + (_tzcnt_u32(bad) & ~3U);
		done += BLOCK;
		decoded += BLOCK_DECODED;
	}
	return done;
}

/* Decodes a line; the last block overlaps the one before. false: it has a character that is none. */
AVX2 static inline bool decode_line(const unsigned char *text, size_t line, unsigned char *decoded)
{
	__m256i block = load(text + line - BLOCK), bad = strangers(block);
	size_t done = 0;

	for (; done + BLOCK < line; done += BLOCK) {
		__m256i first = load(text + done);

		bad = _mm256_or_si256(bad, strangers(first));
		decode_block(first, decoded + done / 4 * 3);
	}
	decode_block(block, decoded + (line - BLOCK) / 4 * 3);
	return _mm256_testz_si256(bad, bad);
}

AVX2 size_t mg_transfer_base64_lines(const unsigned char *text, size_t length, size_t line,
	unsigned char *decoded, size_t *groups)
{
	size_t done = 0;

	*groups = 0;
	while (length - done >= line + 2) {
		const unsigned char *end = text + done + line;
		size_t line_end = end[0] == '\n' ? 1 : 2;

		if ((line_end == 2 && (end[0] != '\r' || end[1] != '\n')) ||
			!decode_line(text + done, line, decoded))
			break;
		decoded += line / 4 * 3;
		*groups += line / 4;
		done += line + line_end;
	}
	return done;
}

/* --- quoted-printable --- */

AVX2 static inline __m256i equal(__m256i text, char character)
{
	return _mm256_cmpeq_epi8(text, _mm256_set1_epi8(character));
}

/* A bit for each character of a block that is "=", or a blank with a CR or LF behind it. */
AVX2 static inline uint32_t quoted_bits(const unsigned char *text)
{
	__m256i block = load(text), next = load(text + 1);
	__m256i blanks = _mm256_or_si256(equal(block, ' '), equal(block, '\t'));
	__m256i ends = _mm256_or_si256(equal(next, '\r'), equal(next, '\n'));

	return (uint32_t)_mm256_movemask_epi8(
		_mm256_or_si256(_mm256_and_si256(blanks, ends), equal(block, '=')));
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

/* At "=", with two characters behind it. false: it is no escape, as far as is seen. */
static inline bool take_escape(struct place *place)
{
	const unsigned char *text = place->text;
	unsigned high = mg_transfer_hex[text[1]], low = mg_transfer_hex[text[2]];
	bool is_byte = (high | low) < MG_TRANSFER_NO_HEX;
	bool is_break = (text[1] == '\r') & (text[2] == '\n');

	/* Which of the two it is cannot be foretold. */
	if (is_byte | is_break) {
		*place->decoded = (unsigned char)(high << 4 | low);
		place->decoded += is_byte;
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

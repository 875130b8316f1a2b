/* SPDX-License-Identifier: ISC */
#include "mail/header.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/str.h"
#include "mail/charset.h"

enum {
	NAME_MAX_BYTES = 200,
	CHARSET_MAX = 64, /* bytes of the first part of an encoded word, language included */
	YEAR_FIRST = 1970,
	YEAR_LAST = 2261 /* int64_t nanoseconds end in 2262 */
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

bool mg_header_name_valid(const char *name, size_t length)
{
	if (length == 0 || length > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] < 33 || name[i] > 126 || name[i] == ':')
			return false;
	return true;
}

/* An encoded word, RFC 2047 section 2: =?charset*language?encoding?text?= */
struct encoded_word {
	const char *charset, *text;
	size_t charset_length, text_length;
	char encoding; /* 'q' or 'b' */
	size_t length; /* of the whole */
};

/* Number of bytes at text before a "?" that follows after at most `maximum`; 0 when there is
 * none. */
static size_t part_length(const char *text, size_t length, size_t maximum)
{
	size_t used = 0;

	while (used < length && used <= maximum && text[used] != '?')
		used++;
	return used < length && text[used] == '?' ? used : 0;
}

/* Reads the encoded word at the start of text. Longer ones than the 75 bytes of the RFC, with
 * blanks or folds in the text, are taken, as senders make them. A byte is looked at by four
 * readings at most, since each ends at its fourth "?". */
static bool read_encoded_word(const char *text, size_t length, struct encoded_word *word)
{
	const char *end = text + length, *star;

	if (length < 2 || text[0] != '=' || text[1] != '?')
		return false;
	word->charset = text + 2;
	word->charset_length = part_length(word->charset, length - 2, CHARSET_MAX);
	if (word->charset_length == 0)
		return false;
	word->text = word->charset + word->charset_length + 3;
	if (word->text > end || word->text[-1] != '?')
		return false;
	word->encoding = word->text[-2] | 0x20;
	if (word->encoding != 'q' && word->encoding != 'b')
		return false;
	word->text_length = part_length(word->text, (size_t)(end - word->text), length);
	if (word->text + word->text_length + 2 > end || word->text[word->text_length] != '?' ||
		word->text[word->text_length + 1] != '=')
		return false;
	word->length = (size_t)(word->text + word->text_length + 2 - text);
	star = memchr(word->charset, '*', word->charset_length);
	if (star != NULL)
		word->charset_length = (size_t)(star - word->charset);
	return true;
}

size_t mg_header_encoded_word(const char *text, size_t length)
{
	struct encoded_word word;

	return read_encoded_word(text, length, &word) ? word.length : 0;
}

static int hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 0x20;
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* The byte of two hexadecimal digits, -1 when they are none. */
static int hex_byte(const char *text)
{
	int high = hex_digit(text[0]), low = hex_digit(text[1]);

	return high >= 0 && low >= 0 ? high * 16 + low : -1;
}

/* RFC 2047 section 4.2; "=" without two digits stays, a fold goes. */
static void decode_q(const char *text, size_t length, struct mg_buf *out)
{
	bool folded = false;

	for (size_t i = 0; i < length; i++) {
		char character = text[i] == '_' ? ' ' : text[i];
		int byte = -1;

		folded = is_blank(text[i]) && (folded || text[i] == '\r' || text[i] == '\n');
		if (folded)
			continue;
		if (character == '=' && i + 2 < length)
			byte = hex_byte(text + i + 1);
		if (byte >= 0)
			i += 2;
		mg_buf_add_char(out, byte >= 0 ? (char)byte : character);
	}
}

static int base64_digit(char character)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = character != '\0' ? strchr(digits, character) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

/* RFC 4648 section 4; missing padding and blanks are forgiven. false when it is no base64. */
static bool decode_b(const char *text, size_t length, struct mg_buf *out)
{
	unsigned bits = 0, have = 0;
	bool ended = false;

	for (size_t i = 0; i < length; i++) {
		int digit = base64_digit(text[i]);

		if (is_blank(text[i]))
			continue;
		if (text[i] == '=') {
			ended = true;
			continue;
		}
		if (digit < 0 || ended)
			return false;
		bits = (bits << 6 | (unsigned)digit) & 0xfff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			mg_buf_add_char(out, (char)(bits >> have));
		}
	}
	/* One digit left over is half of a byte: something is missing. */
	return have < 6;
}

/* Encoded words in a row are one text, for some senders cut characters over them. */
struct decoder {
	struct mg_buf *out;
	size_t start; /* of what is added to out */
	bool full; /* out took what fits */
	struct mg_buf bytes; /* of the words in a row, decoded */
	const char *charset; /* of these words; NULL when there are none */
	size_t charset_length;
	const char *from, *to; /* where they stand */
};

/* Adds UTF-8. Line ends and tabs become blanks, other controls U+FFFD; leading blanks are left
 * out. */
static void add_text(struct decoder *decoder, const char *text, size_t length)
{
	struct mg_buf *out = decoder->out;

	while (length > 0 && !decoder->full) {
		size_t step = mg_str_utf8_length(text, length);
		const char *piece = text;
		size_t piece_length = step;

		if (step == 0 || ((unsigned char)*text < ' ' && !is_blank(*text)) ||
			*text == 0x7f) {
			piece = "\xef\xbf\xbd";
			piece_length = 3;
			step = step > 0 ? step : 1;
		} else if (is_blank(*text)) {
			piece = " ";
			piece_length = out->length > decoder->start ? 1 : 0;
		}
		if (out->limit != 0 && piece_length > out->limit - out->length)
			decoder->full = true;
		else
			mg_buf_add(out, piece, piece_length);
		text += step;
		length -= step;
	}
}

static bool is_utf8(const char *text, size_t length)
{
	size_t step;

	for (; length > 0; text += step, length -= step) {
		step = mg_str_utf8_length(text, length);
		if (step == 0)
			return false;
	}
	return true;
}

/* Adds text as it stands in the field; a fold with the blanks around it is one blank. */
static void add_raw(struct decoder *decoder, const char *text, size_t length)
{
	struct mg_buf unfolded = {.limit = 0}, decoded = {.limit = 0};

	for (size_t i = 0; i < length;) {
		size_t blanks = 0;
		bool fold = false;

		for (; i + blanks < length && is_blank(text[i + blanks]); blanks++)
			fold |= text[i + blanks] == '\r' || text[i + blanks] == '\n';
		if (fold)
			mg_buf_add_char(&unfolded, ' ');
		else
			mg_buf_add(&unfolded, text + i, blanks);
		i += blanks;
		if (i < length)
			mg_buf_add_char(&unfolded, text[i++]);
	}
	if (is_utf8(mg_buf_text(&unfolded), unfolded.length)) {
		add_text(decoder, mg_buf_text(&unfolded), unfolded.length);
	} else {
		mg_charset_decode("iso-8859-1", strlen("iso-8859-1"), unfolded.data,
			unfolded.length, &decoded);
		add_text(decoder, mg_buf_text(&decoded), decoded.length);
	}
	decoder->out->failed |= unfolded.failed || decoded.failed;
	mg_buf_free(&unfolded);
	mg_buf_free(&decoded);
}

/* Takes trailing blanks off. */
static void end_text(struct decoder *decoder)
{
	struct mg_buf *out = decoder->out;

	while (out->length > decoder->start && out->data[out->length - 1] == ' ')
		out->data[--out->length] = '\0';
}

/* Adds the encoded words that were gathered. */
static void add_words(struct decoder *decoder)
{
	struct mg_buf decoded = {.limit = 0};

	if (decoder->charset == NULL)
		return;
	if (mg_charset_decode(decoder->charset, decoder->charset_length,
		    mg_buf_text(&decoder->bytes), decoder->bytes.length, &decoded))
		add_text(decoder, mg_buf_text(&decoded), decoded.length);
	else
		add_raw(decoder, decoder->from, (size_t)(decoder->to - decoder->from));
	decoder->out->failed |= decoder->bytes.failed || decoded.failed;
	mg_buf_free(&decoded);
	mg_buf_reset(&decoder->bytes);
	decoder->charset = NULL;
}

static bool is_same_charset(const struct decoder *decoder, const struct encoded_word *word)
{
	return decoder->charset != NULL && decoder->charset_length == word->charset_length &&
	       strncasecmp(decoder->charset, word->charset, word->charset_length) == 0;
}

static bool all_blank(const char *text, size_t length)
{
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	return length == 0;
}

/* Takes an encoded word at `at`, with the raw text that stands between it and what came before.
 * false: it cannot be decoded, nothing was done. */
static bool take_word(
	struct decoder *decoder, const char *raw, const char *at, const struct encoded_word *word)
{
	struct mg_buf bytes = {.limit = 0};
	bool joined = decoder->charset != NULL && all_blank(raw, (size_t)(at - raw));
	bool decoded = true;

	if (word->encoding == 'q')
		decode_q(word->text, word->text_length, &bytes);
	else
		decoded = decode_b(word->text, word->text_length, &bytes);
	if (decoded) {
		if (!joined || !is_same_charset(decoder, word))
			add_words(decoder);
		if (!joined)
			add_raw(decoder, raw, (size_t)(at - raw));
		if (decoder->charset == NULL) {
			decoder->charset = word->charset;
			decoder->charset_length = word->charset_length;
			decoder->from = at;
		}
		decoder->to = at + word->length;
		mg_buf_add(&decoder->bytes, bytes.data, bytes.length);
		decoder->out->failed |= bytes.failed;
	}
	mg_buf_free(&bytes);
	return decoded;
}

void mg_header_decode(const char *value, size_t length, struct mg_buf *out)
{
	struct decoder decoder = {.out = out, .start = out->length};
	const char *raw = value, *at = value, *end = value + length;

	while (at < end && !decoder.full && !out->failed) {
		struct encoded_word word;

		if (*at == '=' && read_encoded_word(at, (size_t)(end - at), &word) &&
			take_word(&decoder, raw, at, &word)) {
			at += word.length;
			raw = at;
		} else {
			at++;
		}
	}
	add_words(&decoder);
	add_raw(&decoder, raw, (size_t)(end - raw));
	mg_buf_free(&decoder.bytes);
	end_text(&decoder);
}

void mg_header_plain(const char *text, size_t length, struct mg_buf *out)
{
	struct decoder decoder = {.out = out, .start = out->length};

	add_raw(&decoder, text, length);
	end_text(&decoder);
}

void mg_header_message_id(const char *value, size_t length, struct mg_buf *out)
{
	const char *open = memchr(value, '<', length), *close = NULL;

	if (open != NULL)
		close = memchr(open, '>', length - (size_t)(open - value));
	if (close != NULL && !all_blank(open + 1, (size_t)(close - open - 1))) {
		value = open + 1;
		length = (size_t)(close - value);
	}
	mg_header_plain(value, length, out);
}

/* What is left of a date. */
struct cursor {
	const char *at, *end;
};

/* Blanks, folds and comments (RFC 5322 section 3.2.2). */
static void skip_blanks(struct cursor *cursor)
{
	size_t depth = 0;

	for (; cursor->at < cursor->end; cursor->at++) {
		if (*cursor->at == '(')
			depth++;
		else if (*cursor->at == ')' && depth > 0)
			depth--;
		else if (*cursor->at == '\\' && depth > 0 && cursor->end - cursor->at > 1)
			cursor->at++;
		else if (depth == 0 && !is_blank(*cursor->at))
			break;
	}
}

static bool take_char(struct cursor *cursor, char character)
{
	skip_blanks(cursor);
	if (cursor->at == cursor->end || *cursor->at != character)
		return false;
	cursor->at++;
	return true;
}

/* Up to `maximum` digits; returns how many there were. */
static unsigned take_number(struct cursor *cursor, unsigned maximum, int *number)
{
	unsigned digits = 0;

	skip_blanks(cursor);
	*number = 0;
	for (; digits < maximum && cursor->at < cursor->end && *cursor->at >= '0' &&
		*cursor->at <= '9';
		digits++)
		*number = *number * 10 + (*cursor->at++ - '0');
	return digits;
}

/* The letters that stand here, in lower case, cut to fit; returns how many there were. */
static size_t take_letters(struct cursor *cursor, char *letters, size_t size)
{
	size_t length = 0;

	skip_blanks(cursor);
	for (; cursor->at < cursor->end; cursor->at++, length++) {
		char letter = *cursor->at | 0x20;

		if (letter < 'a' || letter > 'z')
			break;
		if (length < size - 1)
			letters[length] = letter;
	}
	letters[length < size ? length : size - 1] = '\0';
	return length;
}

/* The month, 0 to 11, of its first three letters; -1 when it is none. */
static int take_month(struct cursor *cursor)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	char letters[4];
	const char *found;

	if (take_letters(cursor, letters, sizeof(letters)) < 3)
		return -1;
	found = strstr(names, letters);
	return found != NULL && (found - names) % 3 == 0 ? (int)((found - names) / 3) : -1;
}

/* Years of two and three digits: RFC 5322 section 4.3. */
static bool take_year(struct cursor *cursor, int *year)
{
	unsigned digits = take_number(cursor, 4, year);

	if (digits == 2)
		*year += *year < 50 ? 2000 : 1900;
	else if (digits == 3)
		*year += 1900;
	return digits >= 2 && *year >= YEAR_FIRST && *year <= YEAR_LAST;
}

/* [day-name ","] day month year; hyphens between them are forgiven. */
static bool take_day(struct cursor *cursor, struct tm *date)
{
	char letters[4];

	if (take_letters(cursor, letters, sizeof(letters)) > 0) {
		take_char(cursor, '.');
		take_char(cursor, ',');
	}
	if (take_number(cursor, 2, &date->tm_mday) == 0)
		return false;
	take_char(cursor, '-');
	date->tm_mon = take_month(cursor);
	if (date->tm_mon < 0)
		return false;
	take_char(cursor, '.');
	take_char(cursor, '-');
	if (!take_year(cursor, &date->tm_year))
		return false;
	date->tm_year -= 1900;
	return true;
}

static bool take_time(struct cursor *cursor, struct tm *date)
{
	if (take_number(cursor, 2, &date->tm_hour) == 0 || !take_char(cursor, ':') ||
		take_number(cursor, 2, &date->tm_min) == 0)
		return false;
	if (take_char(cursor, ':') && take_number(cursor, 2, &date->tm_sec) == 0)
		return false;
	return date->tm_hour < 24 && date->tm_min < 60 && date->tm_sec <= 60;
}

/* Seconds east of UTC. Unknown and military zones are UTC, RFC 5322 section 4.3; so is none. */
static bool take_zone(struct cursor *cursor, int *offset)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = {{"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6},
		{"pst", -8}, {"pdt", -7}};
	bool west = take_char(cursor, '-');
	char letters[4];
	int number;

	*offset = 0;
	if (west || take_char(cursor, '+')) {
		if (take_number(cursor, 4, &number) != 4 || number % 100 >= 60)
			return false;
		*offset = (number / 100 * 3600 + number % 100 * 60) * (west ? -1 : 1);
		return true;
	}
	if (take_letters(cursor, letters, sizeof(letters)) == 3)
		for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
			if (strcmp(zones[i].name, letters) == 0)
				*offset = zones[i].hours * 3600;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month] + (month == 1 && leap);
}

bool mg_header_date(const char *value, size_t length, int64_t *utc)
{
	struct cursor cursor = {value, value + length};
	struct tm date = {.tm_isdst = 0};
	int64_t seconds;
	int offset;

	if (!take_day(&cursor, &date) || !take_time(&cursor, &date) || !take_zone(&cursor, &offset))
		return false;
	if (date.tm_mday < 1 || date.tm_mday > days_in_month(date.tm_year + 1900, date.tm_mon))
		return false;
	seconds = timegm(&date) - offset;
	if (seconds < 0)
		return false;
	*utc = seconds * INT64_C(1000000000);
	return true;
}

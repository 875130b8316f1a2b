/* SPDX-License-Identifier: ISC */
#include "log/json.h"

#include <stdint.h>
#include <string.h>

static void skip_blanks(struct log_json *json)
{
	while (json->at < json->end &&
		(*json->at == ' ' || *json->at == '\t' || *json->at == '\r' || *json->at == '\n'))
		json->at++;
}

static bool take(struct log_json *json, char character)
{
	skip_blanks(json);
	if (json->at == json->end || *json->at != character)
		return false;
	json->at++;
	return true;
}

/* Skips the string at the begin; false: it is none, or has no end. */
static bool skip_string(struct log_json *json)
{
	if (!take(json, '"'))
		return false;
	for (; json->at < json->end && *json->at != '"'; json->at++)
		if (*json->at == '\\' && ++json->at == json->end)
			return false;
	return take(json, '"');
}

/* Skips a value; brackets are counted, not matched. false: there is none, or it has no end. */
static bool skip_value(struct log_json *json)
{
	const char *begin;
	size_t depth = 0;

	skip_blanks(json);
	begin = json->at;
	while (json->at < json->end) {
		char character = *json->at;

		if (character == '"') {
			if (!skip_string(json))
				return false;
			if (depth == 0)
				return true;
			continue;
		}
		if (depth == 0 && (character == ',' || character == '}' || character == ']'))
			break;
		depth += character == '{' || character == '[';
		json->at++;
		if ((character == '}' || character == ']') && --depth == 0)
			return true;
	}
	return depth == 0 && json->at > begin && json->at < json->end;
}

bool log_json_open(struct log_json *json, char open)
{
	return take(json, open);
}

bool log_json_next(struct log_json *json, struct mg_buf *name, struct log_json *value)
{
	struct log_json string;

	take(json, ',');
	skip_blanks(json);
	if (name != NULL) {
		string.at = json->at;
		if (!skip_string(json))
			return false;
		string.end = json->at;
		log_json_text(&string, name);
		if (!take(json, ':'))
			return false;
		skip_blanks(json);
	}
	value->at = json->at;
	if (!skip_value(json))
		return false;
	value->end = json->at;
	return true;
}

/* Four hexadecimal digits; -1 when they are none. */
static int32_t read_hex(const char *text, const char *end)
{
	int32_t number = 0;

	if (end - text < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char digit = text[i];

		if (digit >= '0' && digit <= '9')
			digit = (char)(digit - '0');
		else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
			digit = (char)((digit | 0x20) - 'a' + 10);
		else
			return -1;
		number = number * 16 + digit;
	}
	return number;
}

/* Adds a character; a half of a surrogate pair is U+FFFD. */
static void add_character(struct mg_buf *out, uint32_t code)
{
	if (code >= 0xd800 && code < 0xe000)
		code = 0xfffd;
	if (code < 0x80) {
		mg_buf_add_char(out, (char)code);
		return;
	}
	if (code >= 0x10000) {
		mg_buf_add_char(out, (char)(0xf0 | code >> 18));
		mg_buf_add_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
	} else if (code >= 0x800) {
		mg_buf_add_char(out, (char)(0xe0 | code >> 12));
	}
	mg_buf_add_char(
		out, code < 0x800 ? (char)(0xc0 | code >> 6) : (char)(0x80 | (code >> 6 & 0x3f)));
	mg_buf_add_char(out, (char)(0x80 | (code & 0x3f)));
}

/* Adds the character of an escape, which begins behind its backslash. Returns where it ends. */
static const char *add_escape(struct mg_buf *out, const char *at, const char *end)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *letter = *at != '\0' ? strchr(letters, *at) : NULL;
	int32_t first, second;

	if (*at != 'u' || (first = read_hex(at + 1, end)) < 0) {
		mg_buf_add_char(out, letter != NULL ? meant[letter - letters] : *at);
		return at + 1;
	}
	at += 5;
	second = first >= 0xd800 && first < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u'
			 ? read_hex(at + 2, end)
			 : -1;
	if (second < 0xdc00 || second >= 0xe000) {
		add_character(out, (uint32_t)first);
		return at;
	}
	add_character(
		out, 0x10000 + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00));
	return at + 6;
}

bool log_json_text(const struct log_json *value, struct mg_buf *out)
{
	const char *at = value->at, *end = value->end;

	while (end > at && strchr(" \t\r\n", end[-1]) != NULL && end[-1] != '\0')
		end--;
	if (end == at || (end - at == 4 && memcmp(at, "null", 4) == 0))
		return false;
	if (*at != '"') {
		mg_buf_add(out, at, (size_t)(end - at));
		return true;
	}
	for (at++, end--; at < end;) {
		if (*at == '\\' && end - at > 1)
			at = add_escape(out, at + 1, end);
		else
			mg_buf_add_char(out, *at++);
	}
	return true;
}

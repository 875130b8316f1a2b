/* SPDX-License-Identifier: ISC */
#include "event/json_text.h"

#include "base/str.h"

static void add_escape(struct mg_buf *out, unsigned char character)
{
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *form = short_forms; *form != '\0'; form += 2)
		if ((unsigned char)*form == character) {
			mg_buf_add_char(out, '\\');
			mg_buf_add_char(out, form[1]);
			return;
		}
	mg_buf_add_format(out, "\\u%04x", character);
}

void mg_json_text(struct mg_buf *out, const char *text, size_t length)
{
	size_t plain = 0, at = 0;

	mg_buf_add_char(out, '"');
	while (at < length) {
		unsigned char character = (unsigned char)text[at];
		size_t step = 1;

		if (character >= 0x80)
			step = mg_str_utf8_length(text + at, length - at);
		else if (character < 0x20 || character == '"' || character == '\\')
			step = 0;
		if (step > 0) {
			at += step;
			continue;
		}
		mg_buf_add(out, text + plain, at - plain);
		if (character >= 0x80)
			mg_buf_add_text(out, "\xef\xbf\xbd");
		else
			add_escape(out, character);
		plain = ++at;
	}
	mg_buf_add(out, text + plain, at - plain);
	mg_buf_add_char(out, '"');
}

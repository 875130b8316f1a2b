/* SPDX-License-Identifier: ISC */
#include "run/reply.h"

#include <stddef.h>
#include <string.h>

bool mg_reply_split(const char *text, struct mg_reply *reply)
{
	size_t length = strcspn(text, " "), used = 0;

	*reply = (struct mg_reply){0};
	if (length != 3 || strspn(text, "0123456789") < 3 || (text[0] != '4' && text[0] != '5'))
		return false;
	memcpy(reply->code, text, 3);
	text += length + strspn(text + length, " ");
	length = strcspn(text, " ");
	if (length > 0 && length < sizeof(reply->enhanced) &&
		strspn(text, "0123456789.") == length && text[1] == '.') {
		memcpy(reply->enhanced, text, length);
		/* Postfix takes a reply whose classes differ for a broken filter. */
		reply->enhanced[0] = reply->code[0];
		text += length + strspn(text + length, " ");
	}
	for (; *text != '\0' && used < MG_REPLY_TEXT_MAX; text++) {
		if (*text == '%')
			reply->text[used++] = '%';
		reply->text[used++] = *text >= ' ' && *text != 0x7f ? *text : ' ';
	}
	return true;
}

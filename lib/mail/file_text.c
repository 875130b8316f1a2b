/* SPDX-License-Identifier: ISC */
#include "mail/file_text.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

enum {
	LONG = 64, /* bytes */
	WIDE_LOOKED_AT = 1024 /* characters of UTF-16 */
};

#define HTML "text/html"
#define MAIL "message/rfc822"

/* How a text begins, no case, blanks before it left out. tag: of HTML, so that a blank or ">"
 * follows (WHATWG MIME Sniffing section 7.1). */
static const struct {
	const char *begin, *type;
	bool tag;
} begins[] = {
	{"<!doctype html", HTML, true},
	{"<html", HTML, true},
	{"<head", HTML, true},
	{"<body", HTML, true},
	{"<script", HTML, true},
	{"<iframe", HTML, true},
	{"<h1", HTML, true},
	{"<div", HTML, true},
	{"<font", HTML, true},
	{"<table", HTML, true},
	{"<a", HTML, true},
	{"<style", HTML, true},
	{"<title", HTML, true},
	{"<meta", HTML, true},
	{"<b", HTML, true},
	{"<br", HTML, true},
	{"<p", HTML, true},
	{"<!--", HTML, false},
	{"<svg", "image/svg+xml", true},
	{"begin:vcalendar", "text/calendar", false},
	{"begin:vcard", "text/vcard", false},
	{"-----begin pgp message", "application/pgp-encrypted", false},
	{"-----begin pgp signature", "application/pgp-signature", false},
	{"-----begin pgp signed message", "text/x-pgp-signed", false},
	{"-----begin pgp public key", "application/pgp-keys", false},
	{"-----begin pgp private key", "application/pgp-keys", false},
	{"-----begin ", "application/x-pem-file", false},
	{"#!/", "text/x-script", false},
	{"#! /", "text/x-script", false},
	{"<?php", "application/x-httpd-php", false},
	{"[internetshortcut]", "application/x-mswinurl", false},
	{"windows registry editor", "text/x-ms-regedit", false},
	{"regedit4", "text/x-ms-regedit", false},
	{"return-path:", MAIL, false},
	{"received:", MAIL, false},
	{"delivered-to:", MAIL, false},
	{"x-original-to:", MAIL, false},
	{"dkim-signature:", MAIL, false},
	{"authentication-results:", MAIL, false},
	{"message-id:", MAIL, false},
	{"mime-version:", MAIL, false},
	{"from: ", MAIL, false},
};

/* The first element of XML. */
static const struct {
	const char *element, *type;
} elements[] = {
	{"svg", "image/svg+xml"},
	{"html", "application/xhtml+xml"},
	{"rss", "application/rss+xml"},
	{"feed", "application/atom+xml"},
	{"xsl:stylesheet", "application/xslt+xml"},
};

static bool is_blank(unsigned char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\f';
}

static bool begins_with(const char *text, size_t length, const char *begin)
{
	size_t wanted = strlen(begin);

	return length >= wanted && strncasecmp(text, begin, wanted) == 0;
}

/* Skips what may stand before the first element: declarations, comments. */
static const char *xml_type(const char *text, size_t length)
{
	const char *at = text, *end = text + length;

	while (at != NULL && at < end) {
		const char *close = "<!--";

		at = memchr(at, '<', (size_t)(end - at));
		if (at == NULL || end - at < 2)
			break;
		if (at[1] != '?' && at[1] != '!') {
			for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
				if (begins_with(
					    at + 1, (size_t)(end - at - 1), elements[i].element))
					return elements[i].type;
			break;
		}
		close = begins_with(at, (size_t)(end - at), close) ? "-->" : ">";
		at = memmem(at, (size_t)(end - at), close, strlen(close));
	}
	return "application/xml";
}

/* Whether the bytes are UTF-8 without the controls that no text has. */
static bool is_text(const char *text, size_t length, bool whole)
{
	for (size_t i = 0, step; i < length; i += step) {
		unsigned char byte = (unsigned char)text[i];

		/* Bell, backspace and escape stand in text for terminals. */
		if (byte < ' ' && !is_blank(byte) && byte != '\a' && byte != '\b' && byte != 0x1b)
			return false;
		step = mg_str_utf8_length(text + i, length - i);
		if (step == 0)
			return !whole && length - i < 4;
	}
	return true;
}

/* Text in a character set of one byte: no controls, which long text would have were it none; in a
 * short one most bytes are ASCII. */
static bool is_old_text(const char *text, size_t length)
{
	size_t high = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte < ' ' && !is_blank(byte)) || byte == 0x7f)
			return false;
		high += byte >= 0x80;
	}
	return high <= length / 4 || length >= LONG;
}

/* The type of text that is UTF-8 or near it. */
static const char *by_begin(const char *text, size_t length)
{
	for (; length > 0 && is_blank((unsigned char)*text); length--)
		text++;
	if (begins_with(text, length, "<?xml"))
		return xml_type(text, length);
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		size_t wanted = strlen(begins[i].begin);

		if (begins_with(text, length, begins[i].begin) &&
			(!begins[i].tag || length == wanted || text[wanted] == '>' ||
				is_blank((unsigned char)text[wanted])))
			return begins[i].type;
	}
	return "text/plain";
}

/* The type of UTF-16 with a mark of its byte order: by its ASCII characters. */
static const char *by_wide_begin(const unsigned char *bytes, size_t length)
{
	size_t high = bytes[0] == 0xfe ? 0 : 1, count = 0;
	char text[WIDE_LOOKED_AT];

	for (size_t i = 2; i + 1 < length && count < sizeof(text); i += 2) {
		char low = (char)bytes[i + 1 - high];

		text[count++] = '?';
		if (bytes[i + high] == 0 && low > 0)
			text[count - 1] = low;
	}
	return by_begin(text, count);
}

const char *mg_file_text(const struct mg_file_head *head, bool whole)
{
	const char *text = (const char *)head->bytes;
	size_t length = head->length;

	if (begins_with(text, length, "\xff\xfe") || begins_with(text, length, "\xfe\xff"))
		return by_wide_begin(head->bytes, length);
	if (begins_with(text, length, "\xef\xbb\xbf")) {
		text += 3;
		length -= 3;
	}
	if (!is_text(text, length, whole) && !is_old_text(text, length))
		return NULL;
	return by_begin(text, length);
}

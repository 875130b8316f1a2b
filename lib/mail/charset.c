/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/str.h"

enum { LABEL_MAX = 40 };

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Character sets by the name iconv(3) has for them, and their labels in lower case, a blank before
 * and behind each: those of the WHATWG Encoding Standard and a few that only mail uses. The list is
 * closed: a label is a stranger's, and iconv has hundreds of sets that nobody sends. Where labels
 * promise less than is sent, the larger set is taken (us-ascii, gb2312, ks_c_5601-1987). */
static const struct charset {
	const char *name, *labels;
} charsets[] = {
	{"UTF-8", " utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 "},
	{"CP1252",
		" us-ascii iso-8859-1 windows-1252 ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 "
		"ibm819 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 "
		"x-cp1252 "},
	{"ISO-8859-2", " iso-8859-2 csisolatin2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 "
		       "iso_8859-2:1987 l2 latin2 "},
	{"ISO-8859-3", " iso-8859-3 csisolatin3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 "
		       "iso_8859-3:1988 l3 latin3 "},
	{"ISO-8859-4", " iso-8859-4 csisolatin4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 "
		       "iso_8859-4:1988 l4 latin4 "},
	{"ISO-8859-5", " iso-8859-5 csisolatincyrillic cyrillic iso-ir-144 iso8859-5 iso88595 "
		       "iso_8859-5 iso_8859-5:1988 "},
	{"ISO-8859-6", " iso-8859-6 arabic asmo-708 csiso88596e csiso88596i csisolatinarabic "
		       "ecma-114 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 "
		       "iso_8859-6 iso_8859-6:1987 "},
	{"ISO-8859-7", " iso-8859-7 csisolatingreek ecma-118 elot_928 greek greek8 iso-ir-126 "
		       "iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek "},
	{"ISO-8859-8", " iso-8859-8 iso-8859-8-i iso-8859-8-e csiso88598e csiso88598i "
		       "csisolatinhebrew hebrew iso-ir-138 iso8859-8 iso88598 iso_8859-8 "
		       "iso_8859-8:1988 visual logical "},
	{"ISO-8859-10", " iso-8859-10 csisolatin6 iso-ir-157 iso8859-10 iso885910 l6 latin6 "},
	{"ISO-8859-13", " iso-8859-13 iso8859-13 iso885913 "},
	{"ISO-8859-14", " iso-8859-14 iso8859-14 iso885914 "},
	{"ISO-8859-15", " iso-8859-15 csisolatin9 iso8859-15 iso885915 iso_8859-15 l9 latin9 "},
	{"ISO-8859-16", " iso-8859-16 "},
	{"CP866", " ibm866 866 cp866 csibm866 "},
	{"CP437", " ibm437 cp437 437 cspc8codepage437 "},
	{"CP850", " ibm850 cp850 850 cspc850multilingual "},
	{"CP852", " ibm852 cp852 852 cspcp852 "},
	{"KOI8-R", " koi8-r cskoi8r koi koi8 koi8_r "},
	{"KOI8-U", " koi8-u koi8-ru "},
	{"MACINTOSH", " macintosh csmacintosh mac x-mac-roman "},
	{"MAC-UK", " x-mac-cyrillic x-mac-ukrainian "},
	{"CP874", " windows-874 dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 "},
	{"CP1250", " windows-1250 cp1250 x-cp1250 "},
	{"CP1251", " windows-1251 cp1251 x-cp1251 "},
	{"CP1253", " windows-1253 cp1253 x-cp1253 "},
	{"CP1254", " windows-1254 cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 "
		   "iso_8859-9 iso_8859-9:1989 l5 latin5 x-cp1254 "},
	{"CP1255", " windows-1255 cp1255 x-cp1255 "},
	{"CP1256", " windows-1256 cp1256 x-cp1256 "},
	{"CP1257", " windows-1257 cp1257 x-cp1257 "},
	{"CP1258", " windows-1258 cp1258 x-cp1258 "},
	{"GB18030", " gb18030 gbk gb2312 gb_2312 gb_2312-80 chinese csgb2312 csiso58gb231280 "
		    "iso-ir-58 x-gbk cp936 "},
	{"BIG5-HKSCS", " big5 big5-hkscs cn-big5 csbig5 x-x-big5 "},
	{"EUC-JP-MS", " euc-jp cseucpkdfmtjapanese x-euc-jp "},
	{"ISO-2022-JP-2", " iso-2022-jp csiso2022jp iso-2022-jp-2 csiso2022jp2 "},
	{"CP932", " shift_jis csshiftjis ms932 ms_kanji shift-jis sjis windows-31j x-sjis cp932 "},
	{"CP949", " euc-kr ks_c_5601-1987 cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1989 "
		  "ksc5601 ksc_5601 windows-949 cp949 "},
	{"ISO-2022-KR", " iso-2022-kr csiso2022kr "},
	{"UTF-7", " utf-7 utf7 unicode-1-1-utf-7 csunicode11utf7 "},
	{"UTF-16", " utf-16 csunicode iso-10646-ucs-2 ucs-2 unicode "},
	{"UTF-16LE", " utf-16le unicodefeff "},
	{"UTF-16BE", " utf-16be unicodefffe "},
	{"UTF-32", " utf-32 "},
	{"UTF-32LE", " utf-32le "},
	{"UTF-32BE", " utf-32be "},
};

/* The name for iconv, NULL for an unknown label. */
static const char *find_charset(const char *label, size_t length)
{
	char wanted[LABEL_MAX + 3];

	while (length > 0 && strchr(" \t\r\n", label[0]) != NULL && label[0] != '\0') {
		label++;
		length--;
	}
	while (length > 0 && strchr(" \t\r\n", label[length - 1]) != NULL &&
		label[length - 1] != '\0')
		length--;
	if (length == 0 || length > LABEL_MAX)
		return NULL;
	for (size_t i = 0; i < length; i++)
		if (label[i] <= ' ' || label[i] > '~')
			return NULL;
	wanted[0] = wanted[length + 1] = ' ';
	wanted[length + 2] = '\0';
	memcpy(wanted + 1, label, length);
	mg_str_lower(wanted);
	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++)
		if (strstr(charsets[i].labels, wanted) != NULL)
			return charsets[i].name;
	return NULL;
}

static void decode_utf8(const char *text, size_t length, struct mg_buf *out)
{
	size_t good = 0; /* bytes before text that are not added yet */

	while (length > 0) {
		size_t step = mg_str_utf8_length(text, length);

		if (step == 0) {
			mg_buf_add(out, text - good, good);
			mg_buf_add_text(out, replacement);
			good = 0;
			step = 1;
		} else {
			good += step;
		}
		text += step;
		length -= step;
	}
	mg_buf_add(out, text - good, good);
}

static void decode_iconv(iconv_t converter, const char *text, size_t length, struct mg_buf *out)
{
	char *input = (char *)text; /* iconv(3) does not write there */
	size_t left = length;

	while (left > 0 && !out->failed) {
		char piece[2048], *output = piece;
		size_t room = sizeof(piece);
		size_t result = iconv(converter, &input, &left, &output, &room);
		int reason = errno;

		mg_buf_add(out, piece, sizeof(piece) - room);
		if (result != (size_t)-1 || reason == E2BIG)
			continue;
		mg_buf_add_text(out, replacement);
		if (reason != EILSEQ)
			break; /* a character cut at the end */
		input++;
		left--;
	}
	if (!out->failed) {
		char piece[64], *output = piece;
		size_t room = sizeof(piece);

		/* Some sets hold a character back until they know what follows. */
		iconv(converter, NULL, NULL, &output, &room);
		mg_buf_add(out, piece, sizeof(piece) - room);
	}
}

bool mg_charset_decode(
	const char *label, size_t label_length, const char *text, size_t length, struct mg_buf *out)
{
	const char *name = find_charset(label, label_length);
	iconv_t converter;

	if (name == NULL)
		return false;
	if (strcmp(name, "UTF-8") == 0) {
		decode_utf8(text, length, out);
		return true;
	}
	converter = iconv_open("UTF-8", name);
	if (converter == (iconv_t)-1)
		return false;
	decode_iconv(converter, text, length, out);
	iconv_close(converter);
	return true;
}

/* SPDX-License-Identifier: ISC */
#include "mail/file_type.h"

#include <string.h>

#include "mail/file_compound.h"
#include "mail/file_text.h"
#include "mail/file_zip.h"

enum {
	ISO_MARK = 32769, /* of the first volume descriptor, ECMA-119 section 8.4 */
	PDF_WITHIN = 1024 /* readers look for its mark in the first 1,024 bytes */
};

void mg_file_type_init(struct mg_file_type *file)
{
	file->length = file->late_at = 0;
}

/* Copies what of the bytes, which begin at `at` of the content, belongs to a window of it. */
static void copy_window(unsigned char *window, uint64_t begin, size_t size, uint64_t at,
	const unsigned char *bytes, size_t length)
{
	uint64_t from = at > begin ? at : begin;
	uint64_t to = at + length < begin + size ? at + length : begin + size;

	if (from < to)
		memcpy(window + (from - begin), bytes + (from - at), (size_t)(to - from));
}

/* The place in compound files is told by their header; it is behind it. */
static uint64_t late_place(const struct mg_file_type *file, uint64_t length)
{
	uint64_t place = length >= MG_FILE_COMPOUND_HEADER ? mg_file_compound_class(file->head) : 0;

	return place != 0 ? place : ISO_MARK;
}

void mg_file_type_add(struct mg_file_type *file, const unsigned char *bytes, size_t length)
{
	uint64_t before = file->length;

	file->length += length;
	if (before < MG_FILE_TYPE_HEAD) {
		copy_window(file->head, 0, MG_FILE_TYPE_HEAD, before, bytes, length);
		file->late_at = late_place(file, file->length);
	}
	if (before < file->late_at + MG_FILE_TYPE_LATE)
		copy_window(file->late, file->late_at, MG_FILE_TYPE_LATE, before, bytes, length);
}

/* --- what a mark alone does not tell --- */

static bool has(const struct mg_file_head *head, size_t at, const char *mark, size_t length)
{
	return head->length >= at && head->length - at >= length &&
	       memcmp(head->bytes + at, mark, length) == 0;
}
#define HAS(head, at, mark) has(head, at, mark, sizeof(mark) - 1)

static uint32_t little_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* ISO 14496-12: the brand. */
static const char *look_at_mp4(const struct mg_file_head *head)
{
	static const struct {
		const char brand[5], *type;
	} brands[] = {{"qt  ", "video/quicktime"}, {"M4A ", "audio/mp4"}, {"M4B ", "audio/mp4"},
		{"heic", "image/heic"}, {"heix", "image/heic"}, {"mif1", "image/heif"},
		{"avif", "image/avif"}, {"3gp4", "video/3gpp"}, {"3gp5", "video/3gpp"},
		{"3gp6", "video/3gpp"}};

	for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++)
		if (has(head, 8, brands[i].brand, 4))
			return brands[i].type;
	return "video/mp4";
}

/* A program for DOS, or with a header for Windows behind the one for DOS. */
static const char *look_at_exe(const struct mg_file_head *head)
{
	uint32_t at;

	if (head->length < 64)
		return NULL;
	at = little_endian(head->bytes + 60);
	return at < head->length && HAS(head, at, "PE\0\0")
		       ? "application/vnd.microsoft.portable-executable"
		       : "application/x-dosexec";
}

/* The mark of a Mach-O file for several processors is also that of a class of Java, whose version
 * stands where the number of processors does. */
static const char *look_at_cafebabe(const struct mg_file_head *head)
{
	if (head->length < 8)
		return NULL;
	return head->bytes[4] == 0 && head->bytes[5] == 0 && head->bytes[6] == 0 &&
			       head->bytes[7] < 40
		       ? "application/x-mach-binary"
		       : "application/java-vm";
}

/* Two letters are a word, too: the reserved fields must be zero and the size of the header one that
 * there is. */
static const char *look_at_bmp(const struct mg_file_head *head)
{
	static const unsigned char sizes[] = {12, 40, 52, 56, 64, 108, 124};

	if (!HAS(head, 6, "\0\0\0\0") || head->length < 18 || !HAS(head, 15, "\0\0\0"))
		return NULL;
	return memchr(sizes, head->bytes[14], sizeof(sizes)) != NULL ? "image/bmp" : NULL;
}

static const char *look_at_icon(const struct mg_file_head *head)
{
	/* Number of pictures, not 0; the reserved byte of the first is. */
	return head->length >= 10 && (head->bytes[4] != 0 || head->bytes[5] != 0) &&
			       head->bytes[9] == 0
		       ? "image/vnd.microsoft.icon"
		       : NULL;
}

/* A frame of MPEG audio without a tag before it: layer III, a bit rate and a sampling rate that
 * there are. */
static const char *look_at_mpeg_audio(const struct mg_file_head *head)
{
	if (head->length < 3 || (head->bytes[1] & 0xe6) != 0xe2 || (head->bytes[1] & 0x18) == 0x08)
		return NULL;
	return (head->bytes[2] & 0xf0) != 0xf0 && (head->bytes[2] & 0xf0) != 0 &&
			       (head->bytes[2] & 0x0c) != 0x0c
		       ? "audio/mpeg"
		       : NULL;
}

static const char *look_at_matroska(const struct mg_file_head *head)
{
	size_t within = head->length < 64 ? head->length : 64;

	return memmem(head->bytes, within, "webm", 4) != NULL ? "video/webm" : "video/matroska";
}

static const char pkcs7[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";

/* Content of PKCS #7 (RFC 5652): data that is signed, with the data or without them (a signature
 * alone, RFC 8551 section 3.5.3), or encrypted. at: of the last byte of its type. */
static const char *look_at_pkcs7(const struct mg_file_head *head, size_t at)
{
	const unsigned char *inner;

	if (at >= head->length || head->bytes[at] != 2)
		return "application/pkcs7-mime";
	at++;
	inner = memmem(head->bytes + at, head->length - at, pkcs7, sizeof(pkcs7) - 1);
	at = inner != NULL ? (size_t)(inner - head->bytes) + sizeof(pkcs7) : head->length;
	return at < head->length && head->bytes[at] == 0xa0 ? "application/pkcs7-mime"
							    : "application/pkcs7-signature";
}

/* A BER or DER sequence (X.690): the objects that mail carries. */
static const char *look_at_der(const struct mg_file_head *head)
{
	size_t at = 2;

	if (head->length < 8)
		return NULL;
	if (head->bytes[1] > 0x80)
		at += head->bytes[1] & 0x7f;
	if (has(head, at, pkcs7, sizeof(pkcs7) - 1))
		return look_at_pkcs7(head, at + sizeof(pkcs7) - 1);
	if (HAS(head, at, "\x02\x01\x03\x30"))
		return "application/x-pkcs12";
	/* A sequence in a sequence, with version 3 of a certificate in it. */
	if (HAS(head, at, "\x30\x82") && HAS(head, at + 4, "\xa0\x03\x02\x01\x02"))
		return "application/pkix-cert";
	return NULL;
}

/* --- the table --- */

struct mark {
	size_t at, length;
	const char *bytes;
};

/* Content that has a mark at a place, or two; look, where there is one, says the type or that it is
 * none. */
static const struct kind {
	struct mark mark, second;
	const char *type;
	const char *(*look)(const struct mg_file_head *head);
} kinds[] = {
/* clang-format off */
#define AT(at, mark) {at, sizeof(mark) - 1, mark}
	{AT(0, "PK\3\4"), .look = mg_file_zip},
	{AT(0, "PK\5\6"), .type = "application/zip"},
	{AT(0, "PK\7\10"), .type = "application/zip"},
	{AT(0, "\x89PNG\r\n\x1a\n"), .type = "image/png"},
	{AT(0, "\xff\xd8\xff"), .type = "image/jpeg"},
	{AT(0, "GIF87a"), .type = "image/gif"},
	{AT(0, "GIF89a"), .type = "image/gif"},
	{AT(0, "RIFF"), AT(8, "WEBP"), .type = "image/webp"},
	{AT(0, "RIFF"), AT(8, "WAVE"), .type = "audio/vnd.wave"},
	{AT(0, "RIFF"), AT(8, "AVI "), .type = "video/x-msvideo"},
	{AT(0, "II*\0"), .type = "image/tiff"},
	{AT(0, "MM\0*"), .type = "image/tiff"},
	{AT(0, "BM"), .look = look_at_bmp},
	{AT(0, "\0\0\1\0"), .look = look_at_icon},
	{AT(0, "8BPS"), AT(4, "\0"), .type = "image/vnd.adobe.photoshop"},
	{AT(0, "\xd7\xcd\xc6\x9a"), .type = "image/wmf"},
	{AT(0, "\1\0\0\0"), AT(40, " EMF"), .type = "image/emf"},
	{AT(0, "AT&TFORM"), .type = "image/vnd.djvu"},
	{AT(0, "AC10"), AT(6, "\0\0\0\0\0"), .type = "image/vnd.dwg"},
	{AT(0, "{\\rtf"), .type = "application/rtf"},
	{AT(0, "%!PS"), .type = "application/postscript"},
	{AT(0, "\xc5\xd0\xd3\xc6"), .type = "application/postscript"},
	{AT(0, "\x1f\x8b\x08"), .type = "application/gzip"},
	{AT(0, "\x1f\x9d"), .type = "application/x-compress"},
	{AT(0, "\xfd" "7zXZ\0"), .type = "application/x-xz"},
	{AT(0, "\x28\xb5\x2f\xfd"), .type = "application/zstd"},
	{AT(0, "BZh"), AT(4, "1AY&SY"), .type = "application/x-bzip2"},
	{AT(0, "BZh"), AT(4, "\x17\x72\x45\x38\x50\x90"), .type = "application/x-bzip2"},
	{AT(0, "7z\xbc\xaf\x27\x1c"), .type = "application/x-7z-compressed"},
	{AT(0, "Rar!\x1a\7"), .type = "application/vnd.rar"},
	{AT(0, "MSCF\0\0\0\0"), .type = "application/vnd.ms-cab-compressed"},
	{AT(0, "xar!\0"), .type = "application/x-xar"},
	{AT(2, "-lh"), AT(6, "-"), .type = "application/x-lzh-compressed"},
	{AT(7, "**ACE**"), .type = "application/x-ace-compressed"},
	{AT(0, "\x60\xea"), .type = "application/x-arj"},
	{AT(0, "!<arch>\ndebian"), .type = "application/vnd.debian.binary-package"},
	{AT(0, "!<arch>\n"), .type = "application/x-archive"},
	{AT(0, "\xed\xab\xee\xdb"), .type = "application/x-rpm"},
	{AT(257, "ustar"), .type = "application/x-tar"},
	{AT(0, "\x7f" "ELF"), .type = "application/x-elf"},
	{AT(0, "MZ"), .look = look_at_exe},
	{AT(0, "\xfe\xed\xfa\xce"), .type = "application/x-mach-binary"},
	{AT(0, "\xfe\xed\xfa\xcf"), .type = "application/x-mach-binary"},
	{AT(0, "\xce\xfa\xed\xfe"), .type = "application/x-mach-binary"},
	{AT(0, "\xcf\xfa\xed\xfe"), .type = "application/x-mach-binary"},
	{AT(0, "\xca\xfe\xba\xbe"), .look = look_at_cafebabe},
	{AT(0, "\0asm"), .type = "application/wasm"},
	{AT(0, "dex\n0"), AT(7, "\0"), .type = "application/x-dex"},
	{AT(0, "L\0\0\0\1\x14\2\0"), .type = "application/x-ms-shortcut"},
	{AT(0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d"), .type = "application/onenote"},
	{AT(0, "ITSF\3\0\0\0"), .type = "application/vnd.ms-htmlhelp"},
	{AT(0, "conectix"), .type = "application/x-vhd"},
	{AT(0, "vhdxfile"), .type = "application/x-vhdx"},
	{AT(0, "\x78\x9f\x3e\x22"), .type = "application/vnd.ms-tnef"},
	{AT(0, "!BDN"), .type = "application/vnd.ms-outlook-pst"},
	{AT(0, "SQLite format 3\0"), .type = "application/vnd.sqlite3"},
	{AT(0, "FWS"), AT(7, "\0"), .type = "application/vnd.adobe.flash.movie"},
	{AT(0, "CWS"), AT(7, "\0"), .type = "application/vnd.adobe.flash.movie"},
	{AT(0, "ID3"), AT(4, "\0"), .type = "audio/mpeg"},
	{AT(0, "\xff"), .look = look_at_mpeg_audio},
	{AT(0, "OggS\0"), .type = "application/ogg"},
	{AT(0, "fLaC\0"), .type = "audio/flac"},
	{AT(0, "MThd\0"), .type = "audio/midi"},
	{AT(0, "#!AMR"), .type = "audio/amr"},
	{AT(4, "ftyp"), .look = look_at_mp4},
	{AT(0, "\x1a\x45\xdf\xa3"), .look = look_at_matroska},
	{AT(0, "\0\0\1\xba"), .type = "video/mpeg"},
	{AT(0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"), .type = "video/x-ms-asf"},
	{AT(0, "FLV\1"), .type = "video/x-flv"},
	{AT(0, "wOFF"), AT(10, "\0"), .type = "font/woff"},
	{AT(0, "wOF2"), AT(10, "\0"), .type = "font/woff2"},
	{AT(0, "OTTO\0"), .type = "font/otf"},
	{AT(0, "\0\1\0\0\0"), .type = "font/ttf"},
	{AT(0, "\x30"), .look = look_at_der},
#undef AT
	/* clang-format on */
};

static bool has_mark(const struct mg_file_head *head, const struct mark *mark)
{
	return mark->length == 0 || has(head, mark->at, mark->bytes, mark->length);
}

static const char *by_mark(const struct mg_file_head *head)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *kind = &kinds[i];
		const char *type;

		if (!has_mark(head, &kind->mark) || !has_mark(head, &kind->second))
			continue;
		type = kind->look != NULL ? kind->look(head) : kind->type;
		if (type != NULL)
			return type;
	}
	return NULL;
}

const char *mg_file_type_name(const struct mg_file_type *file)
{
	struct mg_file_head head = {.bytes = file->head,
		.length = file->length < MG_FILE_TYPE_HEAD ? (size_t)file->length
							   : MG_FILE_TYPE_HEAD};
	const unsigned char *late;
	const char *type;

	if (file->length == 0)
		return "application/x-empty";
	late = file->length >= file->late_at + MG_FILE_TYPE_LATE ? file->late : NULL;
	type = mg_file_compound(&head, late);
	if (type == NULL)
		type = by_mark(&head);
	if (type == NULL && late != NULL && memcmp(late, "CD001", 5) == 0)
		type = "application/x-iso9660-image";
	if (type == NULL && memmem(head.bytes, head.length < PDF_WITHIN ? head.length : PDF_WITHIN,
				    "%PDF-", 5) != NULL)
		type = "application/pdf";
	if (type == NULL)
		type = mg_file_text(&head, file->length == head.length);
	return type != NULL ? type : "application/octet-stream";
}

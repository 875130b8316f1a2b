/* SPDX-License-Identifier: ISC */
#include "mail/file_type.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mg_file_type file;

/* The type of bytes fed in pieces of `cut`. */
static const char *type_of(const void *bytes, size_t length, size_t cut)
{
	mg_file_type_init(&file);
	for (size_t at = 0; at < length; at += cut)
		mg_file_type_add(&file, (const unsigned char *)bytes + at,
			length - at < cut ? length - at : cut);
	return mg_file_type_name(&file);
}

struct sample {
	const char *bytes;
	size_t length;
	const char *type;
};
#define SAMPLE(bytes, type) \
	{ \
		bytes, sizeof(bytes) - 1, type \
	}

static void check(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(
			type_of(samples[i].bytes, samples[i].length, SIZE_MAX), samples[i].type);
		assert_string_equal(
			type_of(samples[i].bytes, samples[i].length, 1), samples[i].type);
	}
}

#define CHECK(...) \
	do { \
		static const struct sample samples[] = {__VA_ARGS__}; \
		check(samples, sizeof(samples) / sizeof(samples[0])); \
	} while (0)

static void marks_at_the_begin_tell_the_type(void **state)
{
	(void)state;
	CHECK(SAMPLE("%PDF-1.7\n", "application/pdf"), SAMPLE("\x89PNG\r\n\x1a\n", "image/png"),
		SAMPLE("\xff\xd8\xff\xe0", "image/jpeg"), SAMPLE("GIF89a", "image/gif"),
		SAMPLE("\x1f\x8b\x08\0", "application/gzip"),
		SAMPLE("BZh91AY&SYx", "application/x-bzip2"),
		SAMPLE("\xfd"
		       "7zXZ\0\0",
			"application/x-xz"),
		SAMPLE("7z\xbc\xaf\x27\x1c\0\4", "application/x-7z-compressed"),
		SAMPLE("Rar!\x1a\7\1\0", "application/vnd.rar"),
		SAMPLE("MSCF\0\0\0\0x", "application/vnd.ms-cab-compressed"),
		SAMPLE("{\\rtf1\\ansi", "application/rtf"),
		SAMPLE("\x7f"
		       "ELF\2\1\1",
			"application/x-elf"),
		SAMPLE("\xcf\xfa\xed\xfe\7\0\0\1", "application/x-mach-binary"),
		SAMPLE("L\0\0\0\1\x14\2\0\0\0\0\0\xc0", "application/x-ms-shortcut"),
		SAMPLE("ID3\4\0\0", "audio/mpeg"), SAMPLE("\xff\xfb\x90\x64", "audio/mpeg"),
		SAMPLE("OggS\0\2", "application/ogg"), SAMPLE("II*\0\x08\0", "image/tiff"),
		SAMPLE("\0\0\1\0\1\0\x20\x20\0\0\1\0", "image/vnd.microsoft.icon"),
		SAMPLE("RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
		SAMPLE("RIFF\0\0\0\0WAVEfmt ", "audio/vnd.wave"),
		SAMPLE("\0\0\0\x18"
		       "ftypisom",
			"video/mp4"),
		SAMPLE("\0\0\0\x18"
		       "ftypqt  ",
			"video/quicktime"),
		SAMPLE("%!PS-Adobe-3.0\n", "application/postscript"));
}

static void programs_are_told_from_their_headers(void **state)
{
	static char exe[512] = "MZ\x90\0";

	(void)state;
	assert_string_equal(type_of(exe, sizeof(exe), SIZE_MAX), "application/x-dosexec");
	exe[60] = (char)0x80;
	memcpy(exe + 0x80, "PE\0\0", 4);
	assert_string_equal(
		type_of(exe, sizeof(exe), 7), "application/vnd.microsoft.portable-executable");
	CHECK(SAMPLE("\xca\xfe\xba\xbe\0\0\0\2\1\0\0\7", "application/x-mach-binary"),
		SAMPLE("\xca\xfe\xba\xbe\0\0\0\x34\1\0", "application/java-vm"),
		SAMPLE("MZ is how some word begins", "text/plain"));
}

/* A local file header with a name, and data. */
static size_t add_member(char *zip, const char *name, const char *data)
{
	char header[30] = "PK\3\4";

	header[26] = (char)strlen(name);
	memcpy(zip, header, sizeof(header));
	memcpy(zip + sizeof(header), name, strlen(name));
	memcpy(zip + sizeof(header) + strlen(name), data, strlen(data));
	return sizeof(header) + strlen(name) + strlen(data);
}

static const char *zip_of(const char *first, const char *data, const char *second)
{
	static char zip[1024];
	size_t length = add_member(zip, first, data);

	if (second != NULL)
		length += add_member(zip + length, second, "....");
	return type_of(zip, length, 5);
}

static void an_archive_is_what_its_members_say(void **state)
{
	static const char types[] = "[Content_Types].xml";

	(void)state;
	assert_string_equal(zip_of("a.txt", "hello", "b.txt"), "application/zip");
	assert_string_equal(zip_of(types, "....", "word/document.xml"),
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document");
	assert_string_equal(zip_of(types, "....", "xl/workbook.xml"),
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
	assert_string_equal(zip_of(types, "....", "xl/workbook.bin"),
		"application/vnd.ms-excel.sheet.binary.macroenabled.12");
	assert_string_equal(zip_of("ppt/slide1.xml", "....", NULL),
		"application/vnd.openxmlformats-officedocument.presentationml.presentation");
	assert_string_equal(
		zip_of("META-INF/", "", "META-INF/MANIFEST.MF"), "application/java-archive");
	assert_string_equal(
		zip_of("mimetype", "application/vnd.oasis.opendocument.text", "content.xml"),
		"application/vnd.oasis.opendocument.text");
	assert_string_equal(zip_of("mimetype", "text/evil", "content.xml"), "application/zip");
	CHECK(SAMPLE("PK\5\6\0\0\0\0", "application/zip"), SAMPLE("PK\3\4", "application/zip"));
}

/* A compound file whose directory is in a sector, with a class. */
static const char *compound_of(size_t sector, const char *class)
{
	size_t size = (sector + 2) * 512;
	char *bytes = calloc(1, size);
	const char *type;

	assert_non_null(bytes);
	memcpy(bytes, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
	bytes[30] = 9;
	bytes[48] = (char)(sector & 0xff);
	bytes[49] = (char)(sector >> 8);
	memcpy(bytes + (sector + 1) * 512 + 80, class, 16);
	type = type_of(bytes, size, 1000);
	assert_string_equal(type_of(bytes, size, SIZE_MAX), type);
	assert_string_equal(type_of(bytes, size, 1), type);
	free(bytes);
	return type;
}

static void a_compound_file_is_what_its_root_says_wherever_it_stands(void **state)
{
	(void)state;
	for (size_t sector = 0; sector < 2000; sector += 199) {
		assert_string_equal(compound_of(sector, "\x06\x09\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"),
			"application/msword");
		assert_string_equal(
			compound_of(sector, "\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"),
			"application/x-msi");
	}
	assert_string_equal(
		compound_of(1, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "application/x-ole-storage");
}

static void late_marks_are_found(void **state)
{
	static char bytes[40000];

	(void)state;
	memcpy(bytes + 32769, "CD001", 5);
	assert_string_equal(type_of(bytes, sizeof(bytes), 4096), "application/x-iso9660-image");
	assert_string_equal(type_of(bytes, sizeof(bytes), 1), "application/x-iso9660-image");
	memcpy(bytes + 257, "ustar\0", 6);
	assert_string_equal(type_of(bytes, sizeof(bytes), 11), "application/x-tar");
}

static void objects_of_cryptography_are_told(void **state)
{
	(void)state;
	CHECK(SAMPLE("\x30\x82\x01\x10\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0",
		      "application/pkcs7-mime"),
		SAMPLE("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01"
		       "\x31\x00\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80",
			"application/pkcs7-mime"),
		SAMPLE("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01"
		       "\x31\x00\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\x31\x00",
			"application/pkcs7-signature"),
		SAMPLE("-----BEGIN PGP MESSAGE-----\n", "application/pgp-encrypted"),
		SAMPLE("-----BEGIN PGP PUBLIC KEY BLOCK-----\n", "application/pgp-keys"),
		SAMPLE("-----BEGIN CERTIFICATE-----\n", "application/x-pem-file"));
}

static void text_is_told_by_how_it_begins(void **state)
{
	(void)state;
	CHECK(SAMPLE("Hello\r\n", "text/plain"), SAMPLE("  \n<HTML><body>", "text/html"),
		SAMPLE("\xef\xbb\xbf<!DOCTYPE html>", "text/html"), SAMPLE("<abbr>", "text/plain"),
		SAMPLE("<?xml version='1.0'?>\n<!-- <html> --><svg >", "image/svg+xml"),
		SAMPLE("<?xml version='1.0'?><note/>", "application/xml"),
		SAMPLE("<svg onload=x>", "image/svg+xml"),
		SAMPLE("BEGIN:VCALENDAR\r\n", "text/calendar"),
		SAMPLE("BEGIN:VCARD\r\n", "text/vcard"), SAMPLE("#!/bin/sh\n", "text/x-script"),
		SAMPLE("Received: from x by y;", "message/rfc822"),
		SAMPLE("\xff\xfe<\0h\0t\0m\0l\0>\0", "text/html"),
		SAMPLE("\xfe\xff\0H\0i", "text/plain"), SAMPLE("na\xefve", "text/plain"),
		SAMPLE("Gr\xc3\xbc\xc3\x9f", "text/plain"));
}

static void what_is_none_of_these_is_bytes(void **state)
{
	(void)state;
	CHECK(SAMPLE("", "application/x-empty"), SAMPLE("\0\1\2\3", "application/octet-stream"),
		SAMPLE("text with a \0 in it", "application/octet-stream"),
		SAMPLE("\xfa\xf0\xe1\xb2", "application/octet-stream"));
}

static void a_character_cut_at_the_end_of_what_is_looked_at_is_text(void **state)
{
	static char bytes[MG_FILE_TYPE_HEAD + 10];

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	memcpy(bytes + MG_FILE_TYPE_HEAD - 1, "\xc3\xbc", 2);
	assert_string_equal(type_of(bytes, sizeof(bytes), 100), "text/plain");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_at_the_begin_tell_the_type),
		cmocka_unit_test(programs_are_told_from_their_headers),
		cmocka_unit_test(an_archive_is_what_its_members_say),
		cmocka_unit_test(a_compound_file_is_what_its_root_says_wherever_it_stands),
		cmocka_unit_test(late_marks_are_found),
		cmocka_unit_test(objects_of_cryptography_are_told),
		cmocka_unit_test(text_is_told_by_how_it_begins),
		cmocka_unit_test(what_is_none_of_these_is_bytes),
		cmocka_unit_test(a_character_cut_at_the_end_of_what_is_looked_at_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
/* file_type: what content is, by its first bytes: a media type, whatever its sender calls it. Fed in
 * chunks of any cut; the answer is the same however it is cut. Types are those of a closed list, so
 * that no stranger's text comes out; where IANA has registered one it is that. */
#ifndef MG_MAIL_FILE_TYPE_H
#define MG_MAIL_FILE_TYPE_H
#include <stddef.h>
#include <stdint.h>

enum {
	MG_FILE_TYPE_HEAD = 8192, /* bytes that are looked at */
	MG_FILE_TYPE_LATE = 16 /* and of a place behind them that they tell */
};

struct mg_file_type {
	uint64_t length; /* bytes fed */
	uint64_t late_at; /* where `late` is from */
	/* These need not be zeroed. */
	unsigned char late[MG_FILE_TYPE_LATE], head[MG_FILE_TYPE_HEAD];
};

/* Begins with content of no bytes. */
void mg_file_type_init(struct mg_file_type *file);
void mg_file_type_add(struct mg_file_type *file, const unsigned char *bytes, size_t length);
/* The type of what was fed, a constant: "application/pdf"; "application/octet-stream" when it is
 * none that is known, "application/x-empty" for no bytes. */
const char *mg_file_type_name(const struct mg_file_type *file);
#endif

/* SPDX-License-Identifier: ISC */
/* mime: takes a message apart into its parts (RFC 2045, 2046), fed in chunks of any cut: the events
 * are the same however it is cut. Nothing is kept of a body: state is of a fixed size
 * (mg_mime_size), whatever the message; content is given on decoded from base64 and
 * quoted-printable, as it comes.
 *
 * Every byte of the body belongs to some part, or to the preamble or epilogue of a multipart, and is
 * given on: broken structure loses no text. What is over a bound or broken is a fact of the part
 * and of the message (MG_MIME_*), never silence: parts below the greatest depth and after the
 * greatest number are given on as content of the part they stand in.
 *
 * One thread at a time. */
#ifndef MG_MAIL_MIME_H
#define MG_MAIL_MIME_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Facts. */
enum {
	MG_MIME_TOO_DEEP = 1, /* parts below bounds.depth were not opened */
	MG_MIME_TOO_MANY = 2, /* parts after bounds.parts were not opened */
	MG_MIME_HEADER_TOO_LARGE = 4, /* a part header over bounds.header; the rest is content */
	MG_MIME_BAD_BASE64 = 8, /* characters that are none, or a cut last group */
	MG_MIME_BAD_QUOTED_PRINTABLE = 16,
	MG_MIME_BAD_ENCODING = 32, /* a transfer encoding nobody knows: content as it stands */
	MG_MIME_BAD_BOUNDARY = 64, /* none, or over 70 characters (RFC 2046 5.1.1); up to 994 the
				    * multipart is opened */
	MG_MIME_UNCLOSED = 128, /* the last boundary did not come */
	MG_MIME_BAD_HEADER = 256, /* a line of a part header is no field: it begins the content, or
				   * has no name */
	MG_MIME_AMBIGUOUS = 512 /* programs differ in how they read it: a field that comes twice and
				 * not the same, parts behind the last boundary, text
				 * behind a boundary on its line, a line of blanks in a header */
};
/* Names of facts for events: the bit's "too_deep", "too_many" …; NULL for no bit. */
const char *mg_mime_fact_name(unsigned fact);

struct mg_mime_bounds {
	unsigned depth; /* 32; of multiparts and messages in each other */
	unsigned parts; /* 1,000 */
	size_t header; /* 64 KiB; of a part */
};
extern const struct mg_mime_bounds mg_mime_bounds; /* the defaults */

enum mg_mime_content {
	MG_MIME_LEAF, /* decoded content of a leaf */
	MG_MIME_PREAMBLE, /* before the first boundary of a multipart */
	MG_MIME_EPILOGUE /* behind its last one */
};

/* A part as its header says. Its texts are valid until its end, those of fields of a container only
 * while its `begin` is called (then ""). The message in a message/rfc822 is a part of its own. */
struct mg_mime_part {
	unsigned number; /* 0 is the message, then in order of their begin */
	unsigned parent; /* number of the part it stands in; 0 for the message itself */
	unsigned depth; /* 0 for the message */
	bool container; /* multipart or message that was opened: message/rfc822, global, news,
			 * external-body, partial when it is the first piece */
	const char
		*type; /* "text/html", lower case; the default of RFC 2045 5.2 or 2046 5.1.5 where
			   * the field is missing or broken */
	/* Values of the fields as they stand, folds included, up to MG_MIME_FIELD_MAX bytes each; ""
	 * when missing. Parameters: mail/parameters.h. */
	const char *content_type, *disposition, *content_id;
	size_t content_type_length, disposition_length;
	unsigned facts; /* complete at its end */
	uint64_t bytes; /* decoded so far */
};
enum { MG_MIME_FIELD_MAX = 2048 };

struct mg_mime_handler {
	/* The header of the part is complete; for the message after mg_mime_header_end. */
	void (*begin)(void *context, const struct mg_mime_part *part);
	/* length >= 1 bytes; valid during the call. */
	void (*content)(void *context, const struct mg_mime_part *part, enum mg_mime_content kind,
		const unsigned char *bytes, size_t length);
	void (*end)(void *context, const struct mg_mime_part *part);
	/* A field of the header of a part or of a nested message (not of the message itself, whose
	 * fields the caller has), before its begin: number, parent and depth of the part are known;
	 * value without outer blanks, up to 16 KiB of it. name_length 0: a line that programs pass
	 * over (no name, a "From " of an mbox file, a fold of nothing). NULL: not wanted. */
	void (*field)(void *context, const struct mg_mime_part *part, const char *name,
		size_t name_length, const char *value, size_t value_length);
};

struct mg_mime;

/* Bytes of a struct mg_mime, the same for every message: 19 KiB of open parts, boundaries and text
 * that waits, and the field and the kept fields of one header (22 KiB). */
size_t mg_mime_size(void);
/* Makes one in memory of mg_mime_size() bytes, aligned for any type. handler, context and bounds
 * are kept. It owns nothing outside that memory: nothing is to be freed. */
struct mg_mime *mg_mime_init(void *memory, const struct mg_mime_handler *handler, void *context,
	const struct mg_mime_bounds *bounds);
/* The fields of the message's own header, top to bottom (those that matter are kept), then its end.
 */
void mg_mime_header(struct mg_mime *mime, const char *name, size_t name_length, const char *value,
	size_t value_length);
void mg_mime_header_end(struct mg_mime *mime);
/* The body, CRLF or LF line ends. */
void mg_mime_body(struct mg_mime *mime, const unsigned char *bytes, size_t length);
/* The end of the message: ends every open part. Returns the facts of all parts together. */
unsigned mg_mime_end(struct mg_mime *mime);
#endif

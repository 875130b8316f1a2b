/* SPDX-License-Identifier: ISC */
/* wire: packets of the milter protocol, version 6, as libmilter's mfdef.h defines it: a 4-byte
 * big-endian length, a command byte, data. Shared by `client` (the MTA's side) and the native
 * front. Knows bytes, no sockets and no meaning. */
#ifndef MG_RUN_WIRE_H
#define MG_RUN_WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Commands of the MTA. */
enum mg_wire_command {
	MG_WIRE_ABORT = 'A',
	MG_WIRE_BODY = 'B',
	MG_WIRE_CONNECT = 'C',
	MG_WIRE_MACRO = 'D',
	MG_WIRE_BODY_END = 'E',
	MG_WIRE_HELO = 'H',
	MG_WIRE_QUIT_NEW = 'K',
	MG_WIRE_HEADER = 'L',
	MG_WIRE_MAIL = 'M',
	MG_WIRE_HEADER_END = 'N',
	MG_WIRE_OPTIONS = 'O',
	MG_WIRE_QUIT = 'Q',
	MG_WIRE_RCPT = 'R',
	MG_WIRE_DATA = 'T',
	MG_WIRE_UNKNOWN = 'U'
};

/* Replies of the filter. */
enum mg_wire_reply {
	MG_REPLY_ADD_RECIPIENT = '+',
	MG_REPLY_DELETE_RECIPIENT = '-',
	MG_REPLY_ADD_RECIPIENT_PARAMETERS = '2',
	MG_REPLY_ACCEPT = 'a',
	MG_REPLY_REPLACE_BODY = 'b',
	MG_REPLY_CONTINUE = 'c',
	MG_REPLY_DISCARD = 'd',
	MG_REPLY_CHANGE_SENDER = 'e',
	MG_REPLY_ADD_HEADER = 'h',
	MG_REPLY_INSERT_HEADER = 'i',
	MG_REPLY_CHANGE_HEADER = 'm',
	MG_REPLY_PROGRESS = 'p',
	MG_REPLY_QUARANTINE = 'q',
	MG_REPLY_REJECT = 'r',
	MG_REPLY_SKIP = 's',
	MG_REPLY_TEMPFAIL = 't',
	MG_REPLY_CODE = 'y'
};

/* Protocol flags (SMFIP_*) and actions (SMFIF_*) of option negotiation. */
enum {
	MG_WIRE_NO_CONNECT = 0x1,
	MG_WIRE_NO_HELO = 0x2,
	MG_WIRE_NO_MAIL = 0x4,
	MG_WIRE_NO_RCPT = 0x8,
	MG_WIRE_NO_BODY = 0x10,
	MG_WIRE_NO_HEADERS = 0x20,
	MG_WIRE_NO_EOH = 0x40,
	MG_WIRE_NR_HEADER = 0x80,
	MG_WIRE_NO_UNKNOWN = 0x100,
	MG_WIRE_NO_DATA = 0x200,
	MG_WIRE_SKIP = 0x400,
	MG_WIRE_RCPT_REJECTED = 0x800,
	MG_WIRE_NR_CONNECT = 0x1000,
	MG_WIRE_NR_HELO = 0x2000,
	MG_WIRE_NR_MAIL = 0x4000,
	MG_WIRE_NR_RCPT = 0x8000,
	MG_WIRE_NR_DATA = 0x10000,
	MG_WIRE_NR_UNKNOWN = 0x20000,
	MG_WIRE_NR_EOH = 0x40000,
	MG_WIRE_NR_BODY = 0x80000,
	MG_WIRE_HEADER_LEADING_SPACE = 0x100000
};
enum {
	MG_WIRE_ADD_HEADERS = 0x1,
	MG_WIRE_CHANGE_BODY = 0x2,
	MG_WIRE_ADD_RECIPIENTS = 0x4,
	MG_WIRE_DELETE_RECIPIENTS = 0x8,
	MG_WIRE_CHANGE_HEADERS = 0x10,
	MG_WIRE_QUARANTINE = 0x20,
	MG_WIRE_CHANGE_SENDER = 0x40,
	MG_WIRE_ADD_RECIPIENTS_PARAMETERS = 0x80,
	MG_WIRE_SET_MACROS = 0x100
};
/* Stages of a requested macro list (SMFIM_*). */
enum mg_wire_stage {
	MG_WIRE_STAGE_CONNECT,
	MG_WIRE_STAGE_HELO,
	MG_WIRE_STAGE_MAIL,
	MG_WIRE_STAGE_RCPT,
	MG_WIRE_STAGE_DATA,
	MG_WIRE_STAGE_EOM,
	MG_WIRE_STAGE_EOH,
	MG_WIRE_STAGE_COUNT
};

enum { MG_WIRE_VERSION = 6 };
enum { MG_WIRE_PACKET_MAX = 1024 * 1024 }; /* a packet longer than this ends the connection */
enum { MG_WIRE_CHUNK_MAX = 65535 }; /* body bytes in a packet */

struct mg_packet {
	char command;
	const char
		*data; /* behind the command byte; followed by a NUL that length does not count */
	size_t length;
};

/* Appends a packet. */
void mg_wire_put(struct mg_buf *out, char command, const void *data, size_t length);

/* Takes the next packet of the length bytes at `bytes`: returns its whole size with header, 0 when
 * more bytes are needed, -1 when its length is 0 or over maximum. The data stays in place; the byte
 * behind it must be writable: it becomes NUL and *saved gets what stood there, to be put back
 * before the next packet is taken. */
long mg_wire_take(
	char *bytes, size_t length, size_t maximum, struct mg_packet *packet, char *saved);

/* Reading the data of a packet: texts ended by NUL and big-endian numbers, one after the other. */
struct mg_wire_cursor {
	const char *next, *end;
	bool failed; /* something was asked for that is not there: sticky */
};
void mg_wire_cursor_init(struct mg_wire_cursor *cursor, const struct mg_packet *packet);
/* A text and its NUL; "" and failed without. */
const char *mg_wire_text(struct mg_wire_cursor *cursor);
uint32_t mg_wire_number32(struct mg_wire_cursor *cursor);
uint16_t mg_wire_number16(struct mg_wire_cursor *cursor);
char mg_wire_char(struct mg_wire_cursor *cursor);
bool mg_wire_at_end(const struct mg_wire_cursor *cursor);

struct mg_wire_options {
	uint32_t version, actions, protocol;
	const char *macros[MG_WIRE_STAGE_COUNT]; /* lists asked for by the filter, NULL none */
};
void mg_wire_put_options(struct mg_buf *out, const struct mg_wire_options *options);
/* The macro texts point into the packet. false: no options packet, cut short, or a stage that is
 * unknown or named twice. */
bool mg_wire_get_options(const struct mg_packet *packet, struct mg_wire_options *options);
#endif

/* SPDX-License-Identifier: ISC */
/* conf: the configuration language, millgate.conf(5).
 *
 *   name = value          value: number, yes or no, "text" (escapes \\ \" \n \t), 'text' as it
 *                         stands, { list, of, texts }
 *   name += { more }      adds to a list
 *   section { ... }       section "title" { ... }
 *   include("/path")      # a comment to the end of the line
 *
 * Line ends do not matter, but a text ends on its line. A program declares its settings as tables
 * of `struct mg_option`; from them come parsing, checks, defaults, -T, and the list in the manual
 * page. The same setting twice in one file is an error; a file overrides, setting by setting,
 * what it includes, wherever the include stands. All errors of all files are reported, with file,
 * line, what was expected and the nearest name: "log.conf:14: limit \"per user\": no setting
 * \"rat\"; nearest: rate" (the file as its path was given, without its folder when that is the
 * main file's). Nothing is expanded from the environment. Bounds: a file 16 MiB, includes 16 deep
 * and 1,000 in all, sections 32 deep, a text 64 KiB, a list 100,000 entries, 1,000,000 values in
 * all.
 *
 * A loaded configuration never changes: any number of threads may read it. */
#ifndef MG_BASE_CONF_H
#define MG_BASE_CONF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/net.h"

enum mg_kind {
	MG_NUMBER, /* int64_t */
	MG_BOOL, /* yes or no */
	MG_TEXT,
	MG_WORD, /* one of .words; number is its index */
	MG_SIZE, /* "64M": bytes, K M G T are powers of 1024; a bare number is bytes */
	MG_DURATION, /* "20s": ns; s m h d; a number without unit is an error unless 0 */
	MG_LIST, /* of texts; a single text is a list of one, yes and no too if they are words */
	MG_NETWORKS, /* list of CIDR texts, parsed */
	MG_SECTION, /* name { }: at most once a file, merged over includes; .options */
	MG_SECTIONS /* name "title" { }: any number, titles unique in a file; .options. The order is
		      * that in which titles are first met */
};

/* A setting. A table ends with {.name = NULL}. */
struct mg_option {
	const char *name;
	enum mg_kind kind;
	/* The default, written as in a file ("20s" with its quotes left out; lists "{ }"); NULL for
	 * sections. check is not asked about it. */
	const char *value;
	/* MG_WORD: "tempfail|accept|reject"; yes and no may stand without quotes. MG_LIST: what its
	 * entries may be, NULL anything. With check: only for the nearest one in errors. */
	const char *words;
	/* MG_NUMBER, MG_SIZE, MG_DURATION (ns); maximum <= minimum: no upper bound. */
	int64_t minimum, maximum;
	const char *unit; /* for the manual: "bytes", "header fields"; NULL none */
	const char *help; /* one line for the manual and -T */
	const struct mg_option *options; /* of a section; may be a table this one is part of */
	/* A further check of one value (each entry of a list): NULL, or what was expected
	 * ("expected unix:PATH or inet:PORT@HOST"), or what is wrong ("no time; expected
	 * NUMBER/s"). */
	const char *(*check)(const char *text);
	/* At the top level: a setting of other programs that stands in a file both include. There it
	 * is checked and passed over; in the main file, and as an override, it is no setting. Its
	 * value is the default's and is not printed. */
	bool foreign;
};

struct mg_conf; /* the settings of one section, or of the whole file */

/* Loads path with the settings of `tables` (ended by NULL; together they are the top level).
 * overrides: "name=value" texts as of -o, dotted for sections ("events.durable=yes"), ended by
 * NULL, or NULL: numbers, words and texts need no quotes there, lists are written { "a" }. path
 * NULL: defaults and overrides only. NULL when errors has something; free with mg_conf_free. */
struct mg_conf *mg_conf_load(const char *path, const struct mg_option *const tables[],
	const char *const overrides[], struct mg_errors *errors);
/* Of a file whose settings are only in part those of `tables`, because it is another program's: the
 * others are passed over. */
struct mg_conf *mg_conf_load_part(
	const char *path, const struct mg_option *const tables[], struct mg_errors *errors);
void mg_conf_free(struct mg_conf *conf);

/* Values by name; every declared setting has one (its default), so an undeclared name or another
 * kind is a programming error and aborts, at start-up at the latest. A dotted name walks through
 * sections. What is returned lives as long as the configuration. */

/* Also size (bytes), duration (ns), word (index). */
int64_t mg_conf_number(const struct mg_conf *conf, const char *name);
bool mg_conf_bool(const struct mg_conf *conf, const char *name);
/* Also word. */
const char *mg_conf_text(const struct mg_conf *conf, const char *name);
/* Also networks, as they are written. */
const char *const *mg_conf_list(const struct mg_conf *conf, const char *name, size_t *count);
const struct mg_network *mg_conf_networks(
	const struct mg_conf *conf, const char *name, size_t *count);
/* MG_SECTION; one that stands nowhere has defaults. */
const struct mg_conf *mg_conf_section(const struct mg_conf *conf, const char *name);
/* MG_SECTIONS: how many, and the index-th. */
size_t mg_conf_count(const struct mg_conf *conf, const char *name);
const struct mg_conf *mg_conf_at(const struct mg_conf *conf, const char *name, size_t index);
const char *mg_conf_title(const struct mg_conf *conf); /* "" without */

/* False when the value is the default, and for a section when each value in it is; but a section
 * that can hold, at some depth, one of its own kind (as "not { }" does) is set when it stands in
 * a file, for there an empty one may say something. */
bool mg_conf_is_set(const struct mg_conf *conf, const char *name);
/* Adds an error found by a program itself, in the same form: "FILE:LINE: SECTION: " of that
 * setting (of the section when name is NULL). */
void mg_conf_error(const struct mg_conf *conf, const char *name, struct mg_errors *errors,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Where a setting stands: file and line; line 0 and file "" for a default, file "-o" for an
 * override. */
void mg_conf_place(const struct mg_conf *conf, const char *name, const char **file, unsigned *line);

/* Prints the effective configuration (-T) in the same language, every setting, so that loading
 * what was printed gives the same. A section that can hold one of its own kind shows only what is
 * set in it. */
int mg_conf_print(const struct mg_conf *conf, FILE *stream);
/* Prints the list of settings of `tables` as mdoc for a manual page: .It per setting with kind,
 * default, unit, words and help. Sections of conditions, which can stand in themselves, are
 * described in millgate.conf(5) alone. */
int mg_conf_print_mdoc(const struct mg_option *const tables[], FILE *stream);
#endif

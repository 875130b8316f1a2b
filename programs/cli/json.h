/* SPDX-License-Identifier: ISC */
/* json: the answer of --json, one object on one line, built from its begin to its end. Members are
 * named as the fields of events, dotted: "millgate.dkim.domain" makes the objects it stands in. A
 * failure (memory) is sticky and told by cli_json_print. Hides jansson. */
#ifndef MG_CLI_JSON_H
#define MG_CLI_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cli_json;

/* Inside its one object. Never NULL. */
struct cli_json *cli_json_new(void);
/* Sets a member of the object that is open; text NULL: null. Bytes that are no text are shown as
 * \xNN. */
void cli_json_text(struct cli_json *json, const char *name, const char *text);
void cli_json_text_n(struct cli_json *json, const char *name, const char *text, size_t length);
void cli_json_number(struct cli_json *json, const char *name, int64_t number);
void cli_json_bool(struct cli_json *json, const char *name, bool yes);
/* A member that is a list of objects: each of them is opened and closed in it. */
void cli_json_list_open(struct cli_json *json, const char *name);
void cli_json_item_open(struct cli_json *json);
/* Ends what was opened last. */
void cli_json_close(struct cli_json *json);
/* Adds a text to the list that is open. */
void cli_json_item_text(struct cli_json *json, const char *text);
/* Adds an object that is JSON already, an event of a log, to the list that is open. */
void cli_json_item_document(struct cli_json *json, const char *document, size_t length);
/* Prints it with an end of line, and frees it; -1: it failed, and nothing was printed. */
int cli_json_print(struct cli_json *json, FILE *stream);
#endif

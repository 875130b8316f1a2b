/* SPDX-License-Identifier: ISC */
/* error: what went wrong, as a value.
 *
 * A function that can fail takes a `struct mg_error *` last and returns NULL, -1 or false; the
 * text is one message with its context ("/etc/millgate/log.conf:14: …"), no line end, cut at the
 * end when it is too long. Text of strangers in it is passed through mg_str_printable() first. A
 * caller that does not want the text passes NULL. */
#ifndef MG_BASE_ERROR_H
#define MG_BASE_ERROR_H
#include <stddef.h>

struct mg_error {
	char text[512];
};

/* Sets the text; error may be NULL. */
void mg_error_set(struct mg_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* As mg_error_set, with ": " and the text of errno value `number` (strerror) behind it. */
void mg_error_system(struct mg_error *error, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Several errors in the order they were found: a configuration reports all of a file. At most 100
 * are kept; `count` goes on. */
struct mg_errors {
	struct mg_error *list;
	size_t kept, count;
};

void mg_errors_add(struct mg_errors *errors, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Frees the list and makes it empty. A zeroed struct is an empty list. */
void mg_errors_clear(struct mg_errors *errors);
#endif

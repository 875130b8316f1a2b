/* SPDX-License-Identifier: ISC */
/* str: bounded strings. ASCII rules only, whatever the locale: protocol words, domains and
 * settings are ASCII. */
#ifndef MG_BASE_STR_H
#define MG_BASE_STR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies text to target (size bytes, >= 1), always ended by NUL; false when it was cut. */
bool mg_str_copy(char *target, size_t size, const char *text);
/* printf into target; false when it was cut. */
bool mg_str_format(char *target, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Comparison without regard to the case of ASCII letters. */
bool mg_str_equal_nocase(const char *a, const char *b);
bool mg_str_starts_nocase(const char *text, const char *prefix);
/* ASCII letters to lower case, in place. */
void mg_str_lower(char *text);
void mg_str_lower_n(char *text, size_t length);
/* Text of a stranger for a terminal or a journal: printable UTF-8 stays, control and broken bytes
 * become \xNN, cut at size - 1 with "…" at the end. Returns target. */
const char *mg_str_printable(char *target, size_t size, const char *text, size_t length);
/* Length in bytes (1 to 4) of the valid UTF-8 character at text (RFC 3629: no surrogates, no
 * overlong forms), 0 when invalid. */
size_t mg_str_utf8_length(const char *text, size_t length);
/* Lower-case hex of `length` bytes into target (2 * length + 1 bytes). */
void mg_str_hex(char *target, const void *bytes, size_t length);
/* Decimal number without sign, whole text; false when empty, not a number, or over maximum. */
bool mg_str_number(const char *text, uint64_t maximum, uint64_t *number);
/* Of the `count` names the one nearest to text by edit distance, for "nearest: …" in errors; NULL
 * when none is near (distance over a third of the length, at least 2; or nothing in common). */
const char *mg_str_nearest(const char *text, const char *const names[], size_t count);
#endif

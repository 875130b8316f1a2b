/* SPDX-License-Identifier: ISC */
/* conf_case: tables of settings of every kind, and files in memory, for the tests of conf. */
#ifndef MG_UNIT_CONF_CASE_H
#define MG_UNIT_CONF_CASE_H
#include <stdbool.h>

#include "base/conf.h"
#include "base/textfile.h"

/* Files that are only in memory; the first one is the main file, {NULL, NULL} is behind the last. */
struct memory_file {
	const char *path, *text;
};

extern const struct mg_option *const conf_tables[];

/* Of a struct mg_conf_source whose argument is an array of files. */
bool read_memory(void *argument, const char *path, size_t maximum, struct mg_textfile *file,
	struct mg_error *error);
struct mg_conf *load_files(
	const struct memory_file *files, const char *const overrides[], struct mg_errors *errors);
/* These two fail the test when there are errors; the text is that of "/etc/x/policy.conf". */
struct mg_conf *must_load(const struct memory_file *files, const char *const overrides[]);
struct mg_conf *must_load_text(const char *text);
/* The errors of files, a line each, are just those of `expected`. */
void expect_errors_of(
	const struct memory_file *files, const char *const overrides[], const char *expected);
void expect_errors(const char *text, const char *expected);
#endif

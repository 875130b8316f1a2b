/* SPDX-License-Identifier: ISC */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 100 };

/* Formats aside first: a caller may put the old text of the same error into the new one. */
static void set_text(struct mg_error *error, const char *format, va_list arguments)
{
	char text[sizeof(error->text)];

	if (vsnprintf(text, sizeof(text), format, arguments) < 0)
		text[0] = '\0';
	memcpy(error->text, text, strlen(text) + 1);
}

void mg_error_set(struct mg_error *error, const char *format, ...)
{
	va_list arguments;

	if (error == NULL)
		return;
	va_start(arguments, format);
	set_text(error, format, arguments);
	va_end(arguments);
}

void mg_error_system(struct mg_error *error, int number, const char *format, ...)
{
	char reason[128];
	va_list arguments;
	size_t length;

	if (error == NULL)
		return;
	va_start(arguments, format);
	set_text(error, format, arguments);
	va_end(arguments);
	length = strlen(error->text);
	snprintf(error->text + length, sizeof(error->text) - length, ": %s",
		strerror_r(number, reason, sizeof(reason)));
}

void mg_errors_add(struct mg_errors *errors, const char *format, ...)
{
	struct mg_error *list;
	va_list arguments;

	errors->count++;
	if (errors->kept == KEPT_MAX)
		return;
	list = realloc(errors->list, (errors->kept + 1) * sizeof(*list));
	if (list == NULL)
		return;
	errors->list = list;
	va_start(arguments, format);
	set_text(&list[errors->kept], format, arguments);
	va_end(arguments);
	errors->kept++;
}

void mg_errors_clear(struct mg_errors *errors)
{
	free(errors->list);
	*errors = (struct mg_errors){0};
}

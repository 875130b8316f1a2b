/* SPDX-License-Identifier: ISC */
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"

struct mg_metrics {
	const struct mg_metric *table;
	_Atomic int64_t values[];
};

struct mg_metrics *mg_metrics_new(const struct mg_metric *table)
{
	struct mg_metrics *metrics;
	size_t count = 0;

	while (table[count].name != NULL)
		count++;
	metrics = malloc(sizeof(*metrics) + count * sizeof(metrics->values[0]));
	if (metrics == NULL)
		return NULL;
	metrics->table = table;
	for (size_t i = 0; i < count; i++)
		atomic_init(&metrics->values[i], 0);
	return metrics;
}

void mg_metrics_add(struct mg_metrics *metrics, size_t row, int64_t amount)
{
	atomic_fetch_add_explicit(&metrics->values[row], amount, memory_order_relaxed);
}

void mg_metrics_set(struct mg_metrics *metrics, size_t row, int64_t value)
{
	atomic_store_explicit(&metrics->values[row], value, memory_order_relaxed);
}

int64_t mg_metrics_get(const struct mg_metrics *metrics, size_t row)
{
	return atomic_load_explicit(&metrics->values[row], memory_order_relaxed);
}

/* Help of the text format: backslash and line end are escaped. */
static void add_help(struct mg_buf *text, const char *help)
{
	for (; *help != '\0'; help++) {
		if (*help == '\\')
			mg_buf_add_text(text, "\\\\");
		else if (*help == '\n')
			mg_buf_add_text(text, "\\n");
		else
			mg_buf_add_char(text, *help);
	}
}

/* The text format of Prometheus: HELP and TYPE once a name, then a line a row. */
static void add_rows(struct mg_buf *text, const struct mg_metrics *metrics, const char *label)
{
	const struct mg_metric *table = metrics->table;

	for (size_t i = 0; table[i].name != NULL; i++) {
		const struct mg_metric *row = &table[i];
		bool both = label[0] != '\0' && row->labels[0] != '\0';
		bool labelled = label[0] != '\0' || row->labels[0] != '\0';

		if (i == 0 || strcmp(row->name, table[i - 1].name) != 0) {
			mg_buf_add_format(text, "# HELP %s ", row->name);
			add_help(text, row->help);
			mg_buf_add_format(text, "\n# TYPE %s %s\n", row->name,
				row->kind == MG_COUNTER ? "counter" : "gauge");
		}
		mg_buf_add_format(text, "%s%s%s%s%s%s %" PRId64 "\n", row->name,
			labelled ? "{" : "", label, both ? "," : "", row->labels,
			labelled ? "}" : "", mg_metrics_get(metrics, i));
	}
}

static bool write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, text, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		text += written;
		length -= (size_t)written;
	}
	return true;
}

/* Readers see the old file or the new one. No fsync: a process does not outlive its machine. */
static int replace_file(const char *path, const struct mg_buf *text, struct mg_error *error)
{
	char temporary[PATH_MAX];
	int fd, number;

	if (!mg_str_format(temporary, sizeof(temporary), "%s.XXXXXX", path)) {
		mg_error_system(error, ENAMETOOLONG, "%s", path);
		return -1;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		mg_error_system(error, errno, "%s", path);
		return -1;
	}
	if (write_all(fd, text->data, text->length) && fchmod(fd, 0644) == 0 &&
		rename(temporary, path) == 0) {
		close(fd);
		return 0;
	}
	number = errno;
	close(fd);
	unlink(temporary);
	mg_error_system(error, number, "%s", path);
	return -1;
}

int mg_metrics_write(const struct mg_metrics *const list[], const char *label, const char *path,
	struct mg_error *error)
{
	struct mg_buf text = {0};
	int result = -1;

	for (size_t i = 0; list[i] != NULL; i++)
		add_rows(&text, list[i], label);
	if (text.failed)
		mg_error_system(error, ENOMEM, "%s", path);
	else
		result = replace_file(path, &text, error);
	mg_buf_free(&text);
	return result;
}

void mg_metrics_print_mdoc(const struct mg_metric *table, FILE *stream)
{
	for (size_t i = 0; table[i].name != NULL; i++) {
		bool first = i == 0 || strcmp(table[i].name, table[i - 1].name) != 0;

		if (first)
			fprintf(stream, ".It Sy %s\n%s.\n", table[i].name, table[i].help);
		if (first && table[i].labels[0] != '\0')
			fprintf(stream, "Labels:\n");
		if (table[i].labels[0] != '\0')
			fprintf(stream, ".Ql %s%s\n", table[i].labels,
				table[i + 1].name != NULL &&
						strcmp(table[i].name, table[i + 1].name) == 0
					? " ,"
					: " .");
	}
}

void mg_metrics_free(struct mg_metrics *metrics)
{
	free(metrics);
}

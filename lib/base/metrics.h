/* SPDX-License-Identifier: ISC */
/* metrics: NAME.prom, the textfile format of node_exporter: counters and gauges, written whole to
 * a temporary file and renamed. A value is one atomic: add and set from any thread, no lock. */
#ifndef MG_BASE_METRICS_H
#define MG_BASE_METRICS_H
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum mg_metric_kind { MG_COUNTER, MG_GAUGE };

/* A row of a table of metrics, {.name = NULL} ends it. name: "millgate_messages_total" (Prometheus
 * naming); labels: "" or "verdict=\"reject\"": rows of one name stand together in the table and
 * share its help. */
struct mg_metric {
	const char *name, *labels, *help;
	enum mg_metric_kind kind;
};

struct mg_metrics;

/* Values for the rows of `table` (kept, not copied), all zero; NULL when out of memory. */
struct mg_metrics *mg_metrics_new(const struct mg_metric *table);
void mg_metrics_add(struct mg_metrics *metrics, size_t row, int64_t amount);
void mg_metrics_set(struct mg_metrics *metrics, size_t row, int64_t value);
int64_t mg_metrics_get(const struct mg_metrics *metrics, size_t row);
/* Writes path: all of list (ended by NULL), whose tables have no name in common. label: what each
 * row has before its own labels ("daemon=\"log\""), "" none. 0, or -1 with error. */
int mg_metrics_write(const struct mg_metrics *const list[], const char *label, const char *path,
	struct mg_error *error);
/* Prints a table as mdoc for a manual page: an .It a name, with its labels and help. */
void mg_metrics_print_mdoc(const struct mg_metric *table, FILE *stream);
void mg_metrics_free(struct mg_metrics *metrics);
#endif

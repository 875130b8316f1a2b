/* SPDX-License-Identifier: ISC */
/* conf_unit: numbers with units, as the configuration writes sizes and durations. */
#ifndef MG_BASE_CONF_UNIT_H
#define MG_BASE_CONF_UNIT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"

/* "64M" as bytes (MG_SIZE), "20s" as ns (MG_DURATION), "-5" (MG_NUMBER). false when it is none,
 * or over what int64_t holds. */
bool mg_conf_unit_parse(enum mg_kind kind, const char *text, int64_t *number);
/* The shortest form that reads back as the same. size >= 32. */
void mg_conf_unit_format(enum mg_kind kind, int64_t number, char *text, size_t size);
#endif

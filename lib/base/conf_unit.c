/* SPDX-License-Identifier: ISC */
#include "base/conf_unit.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

struct unit {
	char letter; /* '\0': no unit */
	int64_t factor;
};

/* Each from the largest down. */
static const struct unit size_units[] = {{'T', INT64_C(1) << 40}, {'G', INT64_C(1) << 30},
	{'M', INT64_C(1) << 20}, {'K', INT64_C(1) << 10}, {'\0', 1}};
static const struct unit duration_units[] = {
	{'d', 86400 * MG_SECOND}, {'h', 3600 * MG_SECOND}, {'m', 60 * MG_SECOND}, {'s', MG_SECOND}};
static const struct unit number_units[] = {{'\0', 1}};

static const struct unit *units_of(enum mg_kind kind, size_t *count)
{
	switch (kind) {
	case MG_SIZE: *count = sizeof(size_units) / sizeof(size_units[0]); return size_units;
	case MG_DURATION:
		*count = sizeof(duration_units) / sizeof(duration_units[0]);
		return duration_units;
	default: *count = 1; return number_units;
	}
}

bool mg_conf_unit_parse(enum mg_kind kind, const char *text, int64_t *number)
{
	size_t count, digits;
	const struct unit *units = units_of(kind, &count);
	bool minus = kind == MG_NUMBER && *text == '-';
	int64_t value = 0;

	text += minus;
	digits = strspn(text, "0123456789");
	if (digits == 0)
		return false;
	for (; digits > 0; digits--, text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *text - '0', &value))
			return false;
	*number = minus ? -value : value;
	if (kind == MG_DURATION && value == 0 && *text == '\0')
		return true;
	for (size_t i = 0; i < count; i++)
		if (*text == units[i].letter && (*text == '\0' || text[1] == '\0'))
			return !__builtin_mul_overflow(*number, units[i].factor, number);
	return false;
}

void mg_conf_unit_format(enum mg_kind kind, int64_t number, char *text, size_t size)
{
	size_t count, i = 0;
	const struct unit *units = units_of(kind, &count);

	while (i + 1 < count && (number == 0 || number % units[i].factor != 0))
		i++;
	mg_str_format(text, size, "%" PRId64 "%.1s", number / units[i].factor, &units[i].letter);
}

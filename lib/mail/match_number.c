/* SPDX-License-Identifier: ISC */
#include "mail/match_number.h"

#include <stdlib.h>
#include <string.h>

#include "base/conf_unit.h"

/* Numbers that fit, both ends included. */
struct range {
	int64_t first, last;
};

struct mg_match_numbers {
	size_t count;
	struct range ranges[];
};

static bool parse(const char *entry, bool size, struct range *range)
{
	char sign = *entry == '>' || *entry == '<' ? *entry : '=';
	int64_t number;

	if (sign != '=')
		entry++;
	entry += strspn(entry, " ");
	if (*entry == '-' || !mg_conf_unit_parse(size ? MG_SIZE : MG_NUMBER, entry, &number))
		return false;
	/* Nothing is greater than the greatest: such a range is empty. */
	if ((sign == '>' && number == INT64_MAX) || (sign == '<' && number == 0))
		return false;
	range->first = sign == '>' ? number + 1 : sign == '<' ? 0 : number;
	range->last = sign == '>' ? INT64_MAX : sign == '<' ? number - 1 : number;
	return true;
}

const char *mg_match_check_number(const char *entry)
{
	struct range range;

	return parse(entry, false, &range) ? NULL
					   : "expected \"NUMBER\", \"> NUMBER\" or \"< NUMBER\"";
}

const char *mg_match_check_size(const char *entry)
{
	struct range range;

	return parse(entry, true, &range)
		       ? NULL
		       : "expected \"> SIZE\" or \"< SIZE\", a number and K, M, G or T";
}

struct mg_match_numbers *mg_match_numbers_new(const char *const entries[], size_t count, bool size)
{
	struct mg_match_numbers *numbers =
		calloc(1, sizeof(*numbers) + count * sizeof(numbers->ranges[0]));

	if (numbers == NULL)
		return NULL;
	for (numbers->count = 0; numbers->count < count; numbers->count++) {
		if (!parse(entries[numbers->count], size, &numbers->ranges[numbers->count])) {
			free(numbers);
			return NULL;
		}
	}
	return numbers;
}

bool mg_match_numbers_fit(const struct mg_match_numbers *numbers, int64_t number)
{
	for (size_t i = 0; i < numbers->count; i++)
		if (number >= numbers->ranges[i].first && number <= numbers->ranges[i].last)
			return true;
	return false;
}

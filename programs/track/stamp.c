/* SPDX-License-Identifier: ISC */
#include "track/stamp.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

enum {
	SHORT_STAMP = 15, /* "Nov 25 09:01:02" */
	LONG_STAMP_MAX = 40, /* with nine digits of the second and an offset it has 35 */
	YEARS_BACK = 9, /* to the last 29th of February, also over 2100 */
	REPEATED_TEXT_MAX = 800 /* rsyslog, of "message repeated" */
};

#define AHEAD (7 * 86400 * MG_SECOND)
#define SLACK (60 * MG_SECOND)

static bool is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* Two digits, the first may be a blank; -1: they are none. */
static int two_digits(const char *text)
{
	if ((!is_digit(text[0]) && text[0] != ' ') || !is_digit(text[1]))
		return -1;
	return (text[0] == ' ' ? 0 : text[0] - '0') * 10 + (text[1] - '0');
}

static int month_of(const char *text)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(text, names + 3 * i, 3) == 0)
			return i;
	return -1;
}

/* --- local time --------------------------------------------------------------- */

/* With or without daylight saving; false: there was no such time then. */
static bool local_utc(const struct tm *wanted, int is_summer_time, int64_t *utc)
{
	struct tm parts = *wanted;
	time_t seconds;

	parts.tm_isdst = is_summer_time;
	seconds = mktime(&parts);
	*utc = (int64_t)seconds * MG_SECOND;
	return seconds != (time_t)-1 && parts.tm_mon == wanted->tm_mon &&
	       parts.tm_mday == wanted->tm_mday && parts.tm_hour == wanted->tm_hour &&
	       parts.tm_min == wanted->tm_min &&
	       (is_summer_time < 0 || parts.tm_isdst == is_summer_time);
}

/* Of the two times a local time can mean, the earlier first. */
static int64_t choose(int64_t first, int64_t second, int64_t last, int64_t now)
{
	if (second > now + SLACK)
		return first;
	if (second >= now - SLACK)
		return second;
	return last == 0 || first >= last - SLACK ? first : second;
}

/* Sets *both when the time came twice. false: there is no such day in that year. */
static bool utc_in_year(
	struct tm *parts, int year, int64_t last, int64_t now, int64_t *utc, bool *both)
{
	int64_t winter, summer;
	bool is_winter, is_summer;

	parts->tm_year = year;
	is_winter = local_utc(parts, 0, &winter);
	is_summer = local_utc(parts, 1, &summer);
	*both = is_winter && is_summer && winter != summer;
	if (*both)
		*utc = winter < summer ? choose(winter, summer, last, now)
				       : choose(summer, winter, last, now);
	else if (is_winter || is_summer)
		*utc = is_winter ? winter : summer;
	else {
		struct tm day = *parts;

		/* The hour that is left out in spring is read as the clock before would show it. */
		day.tm_hour = 12;
		if (!local_utc(&day, -1, utc))
			return false;
		local_utc(parts, -1, utc);
	}
	return true;
}

/* Of the begin of a minute. */
static bool minute_utc(struct track_stamp *stamp, const char *line, int64_t now, int64_t *utc)
{
	struct tm parts = {.tm_mon = month_of(line), .tm_mday = two_digits(line + 4)};
	time_t seconds = (time_t)(now / MG_SECOND);
	struct tm today;
	bool both = false;

	parts.tm_hour = two_digits(line + 7);
	parts.tm_min = two_digits(line + 10);
	if (parts.tm_mon < 0 || parts.tm_mday < 1 || parts.tm_mday > 31 || line[6] != ' ' ||
		parts.tm_hour < 0 || parts.tm_hour > 23 || line[9] != ':' || parts.tm_min < 0 ||
		parts.tm_min > 59 || localtime_r(&seconds, &today) == NULL)
		return false;
	for (int year = today.tm_year + 1; year >= today.tm_year - YEARS_BACK; year--) {
		if (!utc_in_year(&parts, year, stamp->last, now, utc, &both) || *utc > now + AHEAD)
			continue;
		stamp->known = !both;
		stamp->minute_utc = *utc;
		memcpy(stamp->minute, line, sizeof stamp->minute);
		return true;
	}
	return false;
}

/* The length of the stamp, 0: there is none. */
static size_t short_stamp(
	struct track_stamp *stamp, const char *line, size_t length, int64_t now, int64_t *utc)
{
	int second;

	if (length <= SHORT_STAMP || line[3] != ' ' || line[12] != ':' || line[SHORT_STAMP] != ' ')
		return 0;
	second = two_digits(line + 13);
	if (second < 0 || second > 60)
		return 0;
	if (stamp->known && memcmp(stamp->minute, line, sizeof stamp->minute) == 0)
		*utc = stamp->minute_utc;
	else if (!minute_utc(stamp, line, now, utc))
		return 0;
	*utc += second * MG_SECOND;
	return SHORT_STAMP;
}

/* "02.539112" at text: ns; the length, 0: it is none. */
static size_t read_second(const char *text, size_t length, int64_t *ns)
{
	int64_t unit = MG_SECOND;
	size_t at = 2;
	int second = length < 2 || text[0] == ' ' ? -1 : two_digits(text);

	if (second < 0 || second > 60)
		return 0;
	*ns = second * MG_SECOND;
	if (at == length || text[at] != '.')
		return at;
	for (at++; at < length && is_digit(text[at]); at++) {
		unit /= 10;
		*ns += (text[at] - '0') * unit;
	}
	return at;
}

static bool parse_long(const char *line, size_t length, int64_t *utc)
{
	char text[LONG_STAMP_MAX + 1];

	if (length >= sizeof text)
		return false;
	memcpy(text, line, length);
	text[length] = '\0';
	return mg_clock_parse(text, utc);
}

/* The calendar is asked once a minute and zone. */
static size_t long_stamp(struct track_stamp *stamp, const char *line, size_t length, int64_t *utc)
{
	enum { MINUTE = sizeof stamp->long_minute };
	const char *end, *zone;
	size_t second, zone_length;
	int64_t ns;

	if (length < MINUTE + 4 || !is_digit(line[0]) || line[4] != '-' || line[10] != 'T')
		return 0;
	end = memchr(line, ' ', length < LONG_STAMP_MAX ? length : LONG_STAMP_MAX);
	if (end == NULL || end - line < MINUTE)
		return 0;
	second = read_second(line + MINUTE, (size_t)(end - line) - MINUTE, &ns);
	zone = line + MINUTE + second;
	zone_length = (size_t)(end - zone);
	if (second == 0 || zone_length > sizeof stamp->zone)
		return 0;
	if (stamp->long_utc == 0 || zone_length != stamp->zone_length ||
		memcmp(zone, stamp->zone, zone_length) != 0 ||
		memcmp(line, stamp->long_minute, MINUTE) != 0) {
		if (!parse_long(line, (size_t)(end - line), utc))
			return 0;
		stamp->long_utc = *utc - ns;
		stamp->zone_length = zone_length;
		memcpy(stamp->zone, zone, zone_length);
		memcpy(stamp->long_minute, line, MINUTE);
	}
	*utc = stamp->long_utc + ns;
	return (size_t)(end - line);
}

/* --- who wrote it ------------------------------------------------------------- */

/* "[4711]" at text; the length, 0: it is none. */
static size_t read_pid(const char *text, size_t length, uint32_t *pid)
{
	uint64_t number = 0;
	size_t at = 1;

	if (length < 3 || text[0] != '[')
		return 0;
	for (; at < length && at < 12 && is_digit(text[at]); at++)
		number = number * 10 + (uint64_t)(text[at] - '0');
	if (at == 1 || at == length || text[at] != ']' || number > UINT32_MAX)
		return 0;
	*pid = (uint32_t)number;
	return at + 1;
}

/* "tag[pid]: " or "tag: "; what is neither is text. */
static void read_tag(const char *text, size_t length, struct track_heading *heading)
{
	size_t end = 0, at;

	heading->text = text;
	heading->length = length;
	while (end < length && text[end] != '[' && text[end] != ':' && text[end] != ' ')
		end++;
	at = end + read_pid(text + end, length - end, &heading->pid);
	if (end == 0 || at == length || text[at] != ':') {
		heading->pid = 0;
		return;
	}
	at++;
	if (at < length && text[at] == ' ')
		at++;
	heading->identifier = text;
	heading->identifier_length = end;
	heading->text = text + at;
	heading->length = length - at;
}

/* --- repeated lines ----------------------------------------------------------- */

/* "PREFIX 3 times" at text: N, and what stands behind; 0: it is none. */
static int64_t read_times(
	const char *text, size_t length, const char *prefix, const char **rest, size_t *rest_length)
{
	size_t at = strlen(prefix), begin = at;
	int64_t number = 0;

	if (length < at || memcmp(text, prefix, at) != 0)
		return 0;
	for (; at < length && at < begin + 10 && is_digit(text[at]); at++)
		number = number * 10 + (text[at] - '0');
	if (at == begin || length - at < 6 || memcmp(text + at, " times", 6) != 0)
		return 0;
	*rest = text + at + 6;
	*rest_length = length - at - 6;
	return number;
}

static void read_repeated(struct track_heading *heading)
{
	const char *rest;
	size_t length;
	int64_t number;

	if (heading->identifier_length == 0) {
		number = read_times(
			heading->text, heading->length, "last message repeated ", &rest, &length);
		if (number > 0 && length == 0) {
			heading->repeated = number;
			heading->before = true;
		}
		return;
	}
	number = read_times(heading->text, heading->length, "message repeated ", &rest, &length);
	if (number == 0 || length < 4 || memcmp(rest, ": [", 3) != 0 || rest[length - 1] != ']')
		return;
	heading->cut = length - 4 >= REPEATED_TEXT_MAX;
	heading->repeated = number;
	heading->text = rest + 3;
	heading->length = length - 4;
	if (heading->length > 0 && heading->text[0] == ' ') {
		heading->text++;
		heading->length--;
	}
}

void track_stamp_read(struct track_stamp *stamp, const char *line, size_t length, int64_t now,
	struct track_heading *heading)
{
	size_t at;
	const char *host;

	*heading = (struct track_heading){.text = line, .length = length, .identifier = line};
	at = short_stamp(stamp, line, length, now, &heading->utc);
	if (at == 0)
		at = long_stamp(stamp, line, length, &heading->utc);
	if (at == 0) {
		heading->utc = stamp->last != 0 ? stamp->last : now;
		return;
	}
	stamp->last = heading->utc;
	at++;
	host = memchr(line + at, ' ', length - at);
	if (host == NULL) {
		heading->text = line + at;
		heading->length = length - at;
		return;
	}
	at = (size_t)(host - line) + 1;
	read_tag(line + at, length - at, heading);
	if (heading->length > 12 && (heading->text[0] == 'l' || heading->text[0] == 'm'))
		read_repeated(heading);
}

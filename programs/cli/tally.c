/* SPDX-License-Identifier: ISC */
#include "cli/tally.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "event/lines.h"
#include "event/segment.h"

enum { KEY_SIZE = 384, TIME_SIZE = 32 };

/* A line of the log is read by the texts that its writer makes: names and values without a quote in
 * them, in one order. Text of strangers has its quotes escaped, so it is never taken for them. */
static const char signed_mark[] = "\"action\":\"message-signed\"";
static const char key_mark[] = "\"dkim\":{\"domain\":\"";
static const char selector_mark[] = "\",\"selector\":\"";
static const char time_mark[] = "{\"@timestamp\":\"";

struct row {
	char key[KEY_SIZE]; /* "domain/selector" */
	int64_t count;
};

struct cli_tally {
	void *root; /* tsearch(3) */
	char since[TIME_SIZE];
	bool failed;
};

static int compare(const void *one, const void *other)
{
	return strcmp(((const struct row *)one)->key, ((const struct row *)other)->key);
}

static void count(struct cli_tally *tally, const char *key)
{
	struct row *entry = calloc(1, sizeof(*entry)), **found;

	if (entry == NULL) {
		tally->failed = true;
		return;
	}
	mg_str_copy(entry->key, sizeof(entry->key), key);
	found = tsearch(entry, &tally->root, compare);
	if (found == NULL)
		tally->failed = true;
	else
		(*found)->count++;
	if (found == NULL || *found != entry)
		free(entry);
}

/* One line: times of one form are in the order of their texts. */
static void look_at(struct cli_tally *tally, const struct mg_line *line)
{
	const char *domain, *selector;
	char key[KEY_SIZE];

	if (!line->whole || strncmp(line->text, time_mark, strlen(time_mark)) != 0 ||
		strncmp(line->text + strlen(time_mark), tally->since, strlen(tally->since)) < 0 ||
		strstr(line->text, signed_mark) == NULL)
		return;
	domain = strstr(line->text, key_mark);
	if (domain == NULL)
		return;
	domain += strlen(key_mark);
	selector = strchr(domain, '"');
	if (selector == NULL || strncmp(selector, selector_mark, strlen(selector_mark)) != 0)
		return;
	mg_str_format(key, sizeof(key), "%.*s/%.*s", (int)(selector - domain), domain,
		(int)strcspn(selector + strlen(selector_mark), "\""),
		selector + strlen(selector_mark));
	mg_str_lower(key);
	count(tally, key);
}

static void read_file(struct cli_tally *tally, int folder, const char *name)
{
	struct mg_lines lines;
	struct mg_line line;
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), got = 0;

	if (fd < 0) {
		tally->failed |= errno != ENOENT;
		return;
	}
	if (!mg_lines_init(&lines, fd, 0)) {
		tally->failed = true;
	} else {
		while ((got = mg_lines_next(&lines, &line)) > 0)
			look_at(tally, &line);
		tally->failed |= got < 0;
		mg_lines_free(&lines);
	}
	close(fd);
}

/* The sealed files that were written to since then, and the open one. */
static void read_log(struct cli_tally *tally, int folder, int64_t since)
{
	struct mg_segments segments;
	char name[MG_SEGMENT_NAME];

	if (mg_segments_list(folder, "dkim", &segments, NULL) != 0) {
		tally->failed = true;
		return;
	}
	for (size_t i = 0; i < segments.count; i++) {
		if (segments.list[i].modified < since)
			continue;
		mg_segment_name(name, "dkim", segments.list[i].first, ".jsonl");
		read_file(tally, folder, name);
	}
	mg_segments_free(&segments);
	mg_segment_name(name, "dkim", 0, ".jsonl");
	read_file(tally, folder, name);
}

struct cli_tally *cli_tally_read(const char *directory, int64_t since)
{
	int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cli_tally *tally = folder >= 0 ? calloc(1, sizeof(*tally)) : NULL;

	if (tally != NULL && faccessat(folder, "dkim.jsonl", R_OK, AT_EACCESS) != 0)
		tally->failed = true;
	if (tally != NULL && !tally->failed) {
		mg_clock_format(tally->since, sizeof(tally->since), since);
		read_log(tally, folder, since);
	}
	if (folder >= 0)
		close(folder);
	if (tally != NULL && tally->failed) {
		cli_tally_free(tally);
		return NULL;
	}
	return tally;
}

int64_t cli_tally_of(const struct cli_tally *tally, const char *domain, const char *selector)
{
	struct row wanted;
	void *found;

	if (tally == NULL)
		return -1;
	mg_str_format(wanted.key, sizeof(wanted.key), "%s/%s", domain, selector);
	mg_str_lower(wanted.key);
	found = tfind(&wanted, &tally->root, compare);
	return found != NULL ? (*(struct row *const *)found)->count : 0;
}

void cli_tally_free(struct cli_tally *tally)
{
	if (tally == NULL)
		return;
	tdestroy(tally->root, free);
	free(tally);
}

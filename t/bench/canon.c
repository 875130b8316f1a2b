/* SPDX-License-Identifier: ISC */
/* What canonical form costs above the hash: `canon [ROUNDS]` hashes 1 MiB of each kind of body by
 * bare SHA-256, simple and relaxed in turn, fed as a milter is (64 KiB chunks, lines cut at 998), and
 * prints one JSON object: of each kind the bytes a second of CPU time, the median of the rounds. */
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth/dkim_canon.h"

enum {
	SIZE = 1024 * 1024,
	CHUNK = 65535,
	LINE_LIMIT = 998,
	ROUNDS_MIN = 3,
	ROUNDS_MAX = 1000,
	REPEATS = 4 /* of each way in a round */
};

static unsigned char body[SIZE];

static uint64_t random_state = 7;

static size_t random_below(size_t limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(random_state >> 33) % limit;
}

static void repeat(const char *piece)
{
	size_t length = strlen(piece);

	for (size_t i = 0; i < SIZE; i++)
		body[i] = (unsigned char)piece[i % length];
}

/* A line of words: quoted, indented, flowed (a blank at its end) or plain; some sentences end in two
 * blanks. */
static size_t make_line(char *line)
{
	static const char *const begins[] = {"", "", "", "", "", "", "> ", "> > ", "  ", "\t"};
	size_t length, width = 56 + random_below(18);

	length =
		(size_t)sprintf(line, "%s", begins[random_below(sizeof begins / sizeof begins[0])]);
	if (random_below(9) == 0)
		return (size_t)sprintf(line, "\r\n");
	while (length < width) {
		for (size_t letters = 1 + random_below(9); letters > 0; letters--)
			line[length++] = (char)('a' + random_below(26));
		if (random_below(12) == 0)
			length += (size_t)sprintf(line + length, ". ");
		line[length++] = ' ';
	}
	if (random_below(8) != 0)
		length--;
	return length + (size_t)sprintf(line + length, "\r\n");
}

static void make_text(void)
{
	char line[128];

	for (size_t done = 0; done < SIZE;) {
		size_t length = make_line(line);

		if (length > SIZE - done)
			length = SIZE - done;
		memcpy(body + done, line, length);
		done += length;
	}
}

static void make_base64(void)
{
	repeat("TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBpc2NpbmcgZWxpdCwg\r\n");
}

static void make_html(void)
{
	repeat("      <tr>\r\n        <td align=\"left\" style=\"padding: 0 4px\">\r\n"
	       "          <a href=\"https://www.example.com/a/b/c?d=e\">Read more</a>\r\n"
	       "        </td>\r\n      </tr>\r\n");
}

static void make_long_lines(void)
{
	repeat("x");
}

static void make_blanks(void)
{
	repeat(" ");
}

static void make_tabs(void)
{
	repeat("\t");
}

static void make_alternating(void)
{
	repeat("a\t");
}

static void make_pairs(void)
{
	repeat("a  ");
}

static void make_blank_lines(void)
{
	repeat(" \r\n");
}

static void make_line_ends(void)
{
	repeat("\r\n");
}

static void make_lone_line_feeds(void)
{
	repeat("a\n");
}

static void make_short_lines(void)
{
	repeat("a \r\n");
}

static bool hash_bare(unsigned char digest[MG_SHA256_SIZE])
{
	return EVP_Digest(body, SIZE, digest, NULL, EVP_sha256(), NULL) == 1;
}

static bool hash_form(enum mg_dkim_form form, unsigned char digest[MG_SHA256_SIZE])
{
	static struct mg_dkim_body under_way;

	if (!mg_dkim_body_begin(&under_way, form, LINE_LIMIT))
		return false;
	for (size_t done = 0; done < SIZE; done += CHUNK)
		mg_dkim_body_add(
			&under_way, body + done, SIZE - done < CHUNK ? SIZE - done : CHUNK);
	return mg_dkim_body_end(&under_way, digest);
}

static bool hash_simple(unsigned char digest[MG_SHA256_SIZE])
{
	return hash_form(MG_DKIM_SIMPLE, digest);
}

static bool hash_relaxed(unsigned char digest[MG_SHA256_SIZE])
{
	return hash_form(MG_DKIM_RELAXED, digest);
}

static const struct {
	const char *name;
	void (*make)(void);
} kinds[] = {
	{"text", make_text},
	{"base64", make_base64},
	{"html", make_html},
	{"long lines", make_long_lines},
	{"blanks", make_blanks},
	{"tabs", make_tabs},
	{"letter, tab", make_alternating},
	{"letter, two blanks", make_pairs},
	{"lines of a letter and a blank", make_short_lines},
	{"lines of a blank", make_blank_lines},
	{"empty lines", make_line_ends},
	{"LF alone", make_lone_line_feeds},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct {
	const char *name;
	bool (*hash)(unsigned char digest[MG_SHA256_SIZE]);
} ways[] = {{"sha256", hash_bare}, {"simple", hash_simple}, {"relaxed", hash_relaxed}};
enum { WAYS = sizeof ways / sizeof ways[0] };

/* Bytes a second; 0: it failed. */
static double measure(bool (*hash)(unsigned char digest[MG_SHA256_SIZE]))
{
	unsigned char digest[MG_SHA256_SIZE];
	struct timespec start, end;
	bool good = true;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	for (int i = 0; i < REPEATS; i++)
		good = hash(digest) && good;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	return good ? (double)SIZE * REPEATS /
			       ((double)(end.tv_sec - start.tv_sec) +
				       (double)(end.tv_nsec - start.tv_nsec) / 1e9)
		    : 0;
}

static int compare(const void *one, const void *two)
{
	double difference = *(const double *)one - *(const double *)two;

	return difference < 0 ? -1 : difference > 0;
}

int main(int argc, char **argv)
{
	static double rates[WAYS][ROUNDS_MAX];
	int rounds = argc > 1 ? atoi(argv[1]) : 15;

	if (rounds < ROUNDS_MIN || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: canon [ROUNDS], %d to %d\n", ROUNDS_MIN, ROUNDS_MAX);
		return 64;
	}
	for (size_t kind = 0; kind < KINDS; kind++) {
		kinds[kind].make();
		for (int round = 0; round < rounds; round++)
			for (size_t way = 0; way < WAYS; way++)
				rates[way][round] = measure(ways[way].hash);
		printf("%s\"%s\": {", kind == 0 ? "{" : ",\n ", kinds[kind].name);
		for (size_t way = 0; way < WAYS; way++) {
			qsort(rates[way], (size_t)rounds, sizeof rates[way][0], compare);
			printf("%s\"%s\": %.0f", way == 0 ? "" : ", ", ways[way].name,
				rates[way][rounds / 2]);
		}
		printf("}");
	}
	printf("}\n");
	return 0;
}

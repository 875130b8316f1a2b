/* SPDX-License-Identifier: ISC */
#include "base/table_cidr.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"
#include "base/table_lines.h"

enum { LENGTHS = 129 };

struct row {
	struct mg_network network;
	const char *value;
	unsigned line;
};

/* Sorted by family, prefix length, address: the rows of a family and length are one piece, in
 * which one binary search finds an address cut to that length. */
struct cidr {
	struct mg_table_lines lines;
	struct row *rows;
	struct {
		size_t start, count;
	} pieces[2][LENGTHS]; /* [0] IPv4, [1] IPv6 */
};

static int compare_networks(const void *a, const void *b)
{
	const struct mg_network *first = &((const struct row *)a)->network;
	const struct mg_network *second = &((const struct row *)b)->network;

	if (first->family != second->family)
		return first->family == AF_INET ? -1 : 1;
	if (first->bits != second->bits)
		return first->bits < second->bits ? -1 : 1;
	return memcmp(first->bytes, second->bytes, sizeof(first->bytes));
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *first = a, *second = b;
	int order = compare_networks(a, b);

	return order ? order : (first->line > second->line) - (first->line < second->line);
}

static void read_rows(struct cidr *cidr, const char *path, struct mg_errors *errors)
{
	for (size_t i = 0; i < cidr->lines.count; i++) {
		const struct mg_table_line *line = &cidr->lines.list[i];
		struct row *row = &cidr->rows[i];
		struct mg_error error;

		*row = (struct row){.value = line->value, .line = line->line};
		if (!mg_network_parse(line->key, &row->network, &error))
			mg_errors_add(errors, "%s:%u: %s", path, line->line, error.text);
	}
}

static void sort_rows(struct cidr *cidr, const char *path, struct mg_errors *errors)
{
	qsort(cidr->rows, cidr->lines.count, sizeof(*cidr->rows), compare_rows);
	for (size_t i = 0; i < cidr->lines.count; i++) {
		const struct row *row = &cidr->rows[i];
		bool ipv6 = row->network.family == AF_INET6;

		if (cidr->pieces[ipv6][row->network.bits].count++ == 0)
			cidr->pieces[ipv6][row->network.bits].start = i;
		if (i > 0 && compare_networks(row, row - 1) == 0 &&
			strcmp(row->value, row[-1].value) != 0)
			mg_errors_add(errors, "%s:%u: the network has another value in line %u",
				path, row->line, row[-1].line);
	}
}

static void close_cidr(void *opened)
{
	struct cidr *cidr = opened;

	mg_table_lines_free(&cidr->lines);
	free(cidr->rows);
	free(cidr);
}

static void *open_cidr(const char *path, struct mg_errors *errors)
{
	struct cidr *cidr = calloc(1, sizeof(*cidr));
	size_t before = errors->count;

	if (!cidr) {
		mg_errors_add(errors, "%s: out of memory", path);
		return NULL;
	}
	if (mg_table_lines_read(path, &cidr->lines, errors)) {
		cidr->rows = calloc(cidr->lines.count + 1, sizeof(*cidr->rows));
		if (!cidr->rows)
			mg_errors_add(errors, "%s: out of memory", path);
		else
			read_rows(cidr, path, errors);
	}
	if (errors->count == before && cidr->rows)
		sort_rows(cidr, path, errors);
	if (errors->count == before)
		return cidr;
	close_cidr(cidr);
	return NULL;
}

/* The address as a network of all its bits; false when key is none. */
static bool network_of(const char *key, struct mg_network *network)
{
	struct sockaddr_storage address;
	char text[64];

	if (!mg_net_parse(key, 0, &address))
		return false;
	mg_net_format(&address, text, sizeof(text));
	return mg_network_parse(text, network, NULL);
}

static void cut_to(struct mg_network *network, unsigned bits)
{
	network->bits = (uint8_t)bits;
	for (unsigned byte = bits / 8; byte < sizeof(network->bytes); byte++)
		network->bytes[byte] &=
			byte == bits / 8 ? (uint8_t)(0xff00U >> (bits % 8)) : (uint8_t)0;
}

static int find_in_cidr(
	const void *opened, const char *key, char *value, size_t size, struct mg_error *error)
{
	const struct cidr *cidr = opened;
	struct row wanted = {.value = NULL};

	if (!network_of(key, &wanted.network))
		return 0;
	for (int bits = wanted.network.bits; bits >= 0; bits--) {
		bool ipv6 = wanted.network.family == AF_INET6;
		size_t start = cidr->pieces[ipv6][bits].start;
		const struct row *found = NULL;

		cut_to(&wanted.network, (unsigned)bits);
		if (cidr->pieces[ipv6][bits].count > 0)
			found = bsearch(&wanted, cidr->rows + start, cidr->pieces[ipv6][bits].count,
				sizeof(wanted), compare_networks);
		if (found)
			return mg_table_give(found->value, value, size, error);
	}
	return 0;
}

const struct mg_table_kind mg_table_cidr = {
	.prefix = "cidr:", .open = open_cidr, .find = find_in_cidr, .close = close_cidr};

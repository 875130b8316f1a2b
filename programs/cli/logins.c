/* SPDX-License-Identifier: ISC */
#include "cli/logins.h"

#include <netinet/in.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/net.h"
#include "base/str.h"

enum {
	GUESSED_NAMES = 5, /* that never worked, from one network */
	CLIENTS_MANY = 5, /* that try one user */
	NAME_MAX_BYTES = 256,
	CLIENT_BYTES = 64,
	REASON_BYTES = 128
};

/* A user at a client, or, with client "", wherever. */
struct login {
	char network[CLIENT_BYTES], client[CLIENT_BYTES];
	size_t tries;
	int64_t last, worked; /* 0 never */
	char reason[REASON_BYTES]; /* of the last failure */
	char worked_client[CLIENT_BYTES]; /* with client "" */
	bool listed; /* with client "": the user is in a row */
	char user[];
};

struct cli_logins {
	void *tree; /* of struct login, by network, user, client */
	struct login **list;
	size_t count, room;
	struct cli_login_row *rows;
	char (*names)[CLIENT_BYTES]; /* of clients of rows that are several */
	size_t row_count, working;
};

struct cli_logins *cli_logins_new(void)
{
	return calloc(1, sizeof(struct cli_logins));
}

static void keep(void *login)
{
	(void)login;
}

void cli_logins_free(struct cli_logins *logins)
{
	if (logins == NULL)
		return;
	tdestroy(logins->tree, keep);
	for (size_t i = 0; i < logins->count; i++)
		free(logins->list[i]);
	free((void *)logins->list);
	free(logins->rows);
	free(logins->names);
	free(logins);
}

/* "192.0.2.0/24", "2001:db8::/64" */
static void name_network(const char *client, char network[CLIENT_BYTES])
{
	struct sockaddr_storage address;
	char text[CLIENT_BYTES];

	mg_str_copy(network, CLIENT_BYTES, client);
	if (!mg_net_parse(client, 0, &address))
		return;
	if (address.ss_family == AF_INET) {
		struct sockaddr_in *four = (struct sockaddr_in *)&address;

		four->sin_addr.s_addr &= htonl(0xffffff00);
	} else {
		memset(((struct sockaddr_in6 *)&address)->sin6_addr.s6_addr + 8, 0, 8);
	}
	mg_net_format(&address, text, sizeof(text));
	mg_str_format(network, CLIENT_BYTES, "%.50s/%s", text,
		address.ss_family == AF_INET ? "24" : "64");
}

static int compare(const void *one, const void *other)
{
	const struct login *a = one, *b = other;
	int order = strcmp(a->network, b->network);

	if (order == 0)
		order = strcmp(a->user, b->user);
	return order != 0 ? order : strcmp(a->client, b->client);
}

/* The login of these, made when there is none. NULL: no memory. */
static struct login *take(
	struct cli_logins *logins, const char *network, const char *user, const char *client)
{
	size_t length = strnlen(user, NAME_MAX_BYTES - 1);
	struct login *login = calloc(1, sizeof(*login) + length + 1), **found;

	if (login == NULL)
		return NULL;
	memcpy(login->user, user, length);
	mg_str_copy(login->network, sizeof(login->network), network);
	mg_str_copy(login->client, sizeof(login->client), client);
	found = tfind(login, &logins->tree, compare);
	if (found != NULL) {
		free(login);
		return *found;
	}
	if (logins->count == logins->room) {
		size_t room = logins->room > 0 ? 2 * logins->room : 64;
		struct login **list = realloc((void *)logins->list, room * sizeof(*list));

		if (list == NULL) {
			free(login);
			return NULL;
		}
		logins->list = list;
		logins->room = room;
	}
	if (tsearch(login, &logins->tree, compare) == NULL) {
		free(login);
		return NULL;
	}
	logins->list[logins->count++] = login;
	return login;
}

bool cli_logins_failed(struct cli_logins *logins, const char *user, const char *client,
	const char *reason, int64_t utc)
{
	char network[CLIENT_BYTES];
	struct login *login;

	name_network(client, network);
	if (logins->count < CLI_LOGINS_MAX)
		login = take(logins, network, user, client);
	else
		login = take(logins, "", "", "others");
	if (login == NULL)
		return false;
	login->tries++;
	login->last = utc;
	mg_str_copy(login->reason, sizeof(login->reason), reason);
	return true;
}

bool cli_logins_worked(struct cli_logins *logins, const char *user, const char *client, int64_t utc)
{
	char network[CLIENT_BYTES];
	struct login *at, *anywhere;

	if (user[0] == '\0' || logins->count >= 2 * CLI_LOGINS_MAX)
		return true;
	name_network(client, network);
	at = take(logins, network, user, client);
	anywhere = take(logins, "", user, "");
	if (at == NULL || anywhere == NULL)
		return false;
	at->worked = anywhere->worked = utc;
	mg_str_copy(anywhere->worked_client, sizeof(anywhere->worked_client), client);
	return true;
}

/* The user wherever; NULL: it never worked. */
static struct login *anywhere(const struct cli_logins *logins, const struct login *login)
{
	size_t length = strlen(login->user) + 1;
	struct login *wanted = calloc(1, sizeof(*wanted) + length), **found = NULL;

	if (wanted != NULL && login->user[0] != '\0') {
		memcpy(wanted->user, login->user, length);
		found = tfind(wanted, &logins->tree, compare);
	}
	free(wanted);
	return found != NULL && (*found)->worked != 0 ? *found : NULL;
}

static bool is_failing(const struct login *login, bool all)
{
	return login->tries > 0 && (all || login->worked < login->last);
}

static void add_row(struct cli_logins *logins, const struct login *login, bool guessing)
{
	struct login *known = guessing ? NULL : anywhere(logins, login);
	struct cli_login_row *row = &logins->rows[logins->row_count++];

	*row = (struct cli_login_row){.user = guessing ? "" : login->user,
		.client = guessing ? login->network : login->client,
		.guessing = guessing,
		.works = login->worked >= login->last,
		.tries = login->tries,
		.names = 1,
		.last = login->last,
		.reason = login->reason,
		.worked_client = known != NULL ? known->worked_client : "",
		.worked = known != NULL ? known->worked : 0};
	if (known != NULL)
		known->listed = true;
}

static void add_to_row(struct cli_login_row *row, const struct login *login, bool new_name)
{
	row->tries += login->tries;
	row->names += new_name;
	if (login->last > row->last) {
		row->last = login->last;
		row->reason = login->reason;
	}
}

/* Rows of the logins of one network, which are sorted by user. */
static void add_network(
	struct cli_logins *logins, struct login *const *list, size_t count, bool all)
{
	struct cli_login_row *guess = NULL;
	const char *before = NULL;
	size_t names = 0;

	for (size_t i = 0; i < count; i++)
		if (list[i]->tries > 0 && list[i]->user[0] != '\0' &&
			anywhere(logins, list[i]) == NULL &&
			(before == NULL || strcmp(before, list[i]->user) != 0)) {
			before = list[i]->user;
			names++;
		}
	before = NULL;
	for (size_t i = 0; i < count; i++) {
		bool guessed = names >= GUESSED_NAMES && anywhere(logins, list[i]) == NULL;
		bool new_name = before == NULL || strcmp(before, list[i]->user) != 0;

		if (!is_failing(list[i], all))
			continue;
		if (guessed && guess != NULL)
			add_to_row(guess, list[i], new_name);
		else
			add_row(logins, list[i], guessed);
		if (guessed) {
			if (guess == NULL)
				guess = &logins->rows[logins->row_count - 1];
			guess->names = names;
		}
		before = list[i]->user;
	}
}

static int by_key(const void *one, const void *other)
{
	return compare(*(struct login *const *)one, *(struct login *const *)other);
}

static int by_user(const void *one, const void *other)
{
	const struct cli_login_row *a = one, *b = other;

	return a->guessing != b->guessing ? a->guessing - b->guessing : strcmp(a->user, b->user);
}

static int by_tries(const void *one, const void *other)
{
	const struct cli_login_row *a = one, *b = other;

	if (a->guessing != b->guessing)
		return a->guessing - b->guessing;
	if (a->tries != b->tries)
		return a->tries < b->tries ? 1 : -1;
	return strcmp(a->user, b->user);
}

/* A user whom many clients try becomes one row. */
static void join_clients(struct cli_logins *logins)
{
	struct cli_login_row *rows = logins->rows;
	size_t kept = 0, next;

	for (size_t i = 0; i < logins->row_count; i = next) {
		for (next = i + 1; next < logins->row_count && by_user(&rows[i], &rows[next]) == 0;)
			next++;
		if (rows[i].guessing || rows[i].user[0] == '\0' || next - i < CLIENTS_MANY) {
			while (i < next)
				rows[kept++] = rows[i++];
			continue;
		}
		mg_str_format(logins->names[kept], CLIENT_BYTES, "%zu clients", next - i);
		rows[kept] = rows[i];
		rows[kept].client = logins->names[kept];
		for (size_t k = i + 1; k < next; k++) {
			rows[kept].tries += rows[k].tries;
			if (rows[k].last > rows[kept].last) {
				rows[kept].last = rows[k].last;
				rows[kept].reason = rows[k].reason;
			}
		}
		kept++;
	}
	logins->row_count = kept;
}

const struct cli_login_row *cli_logins_rows(struct cli_logins *logins, bool all, size_t *count)
{
	size_t next;

	logins->rows = calloc(logins->count + 1, sizeof(*logins->rows));
	logins->names = calloc(logins->count + 1, sizeof(*logins->names));
	if (logins->rows == NULL || logins->names == NULL)
		return NULL;
	if (logins->count > 1)
		qsort((void *)logins->list, logins->count, sizeof(*logins->list), by_key);
	for (size_t i = 0; i < logins->count; i = next) {
		for (next = i + 1;
			next < logins->count &&
			strcmp(logins->list[i]->network, logins->list[next]->network) == 0;)
			next++;
		add_network(logins, &logins->list[i], next - i, all);
	}
	qsort(logins->rows, logins->row_count, sizeof(*logins->rows), by_user);
	join_clients(logins);
	qsort(logins->rows, logins->row_count, sizeof(*logins->rows), by_tries);
	for (size_t i = 0; i < logins->count; i++)
		logins->working += logins->list[i]->client[0] == '\0' && !logins->list[i]->listed;
	*count = logins->row_count;
	return logins->rows;
}

size_t cli_logins_working(const struct cli_logins *logins)
{
	return logins->working;
}

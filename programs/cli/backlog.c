/* SPDX-License-Identifier: ISC */
#include "cli/backlog.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/fold.h"

enum { WHERE_MAX = 384, REPLY_MAX = CLI_BACKLOG_TEXT };

/* A group and its texts. */
struct member {
	struct cli_backlog_group group;
	char dsn[16], queue_id[101];
	char texts[]; /* where NUL reply NUL */
};

struct cli_backlog {
	struct cli_backlog_group total;
	void *tree; /* of members; the first member of each is its group */
	const struct cli_backlog_group **groups; /* in the order they came */
	size_t count, room;
};

struct cli_backlog *cli_backlog_new(void)
{
	return calloc(1, sizeof(struct cli_backlog));
}

static void keep(void *member)
{
	(void)member;
}

void cli_backlog_free(struct cli_backlog *backlog)
{
	if (backlog == NULL)
		return;
	tdestroy(backlog->tree, keep);
	for (size_t i = 0; i < backlog->count; i++)
		free((void *)backlog->groups[i]);
	free((void *)backlog->groups);
	free(backlog);
}

const char *cli_backlog_domain(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL && at[1] != '\0' ? at + 1 : address;
}

static int compare(const void *one, const void *other)
{
	const struct cli_backlog_group *a = one, *b = other;
	int order = (a->wait > b->wait) - (a->wait < b->wait);

	if (order == 0)
		order = strcmp(a->where, b->where);
	return order != 0 ? order : strcmp(a->reply, b->reply);
}

/* The group that a recipient is of; texts are put into where and reply. */
static void classify(const struct mg_delivery *delivery, struct cli_backlog_group *group,
	char where[WHERE_MAX], char reply[REPLY_MAX])
{
	bool tried = delivery->attempts > 0;

	where[0] = reply[0] = '\0';
	if (delivery->state == MG_DELIVERY_HELD) {
		group->wait = CLI_WAIT_HELD;
		mg_str_copy(where, WHERE_MAX, delivery->hold_code);
	} else if (!tried) {
		group->wait = CLI_WAIT_UNTRIED;
	} else if (delivery->host[0] != '\0') {
		group->wait = CLI_WAIT_HOST;
		mg_str_copy(where, WHERE_MAX, delivery->host);
	} else {
		group->wait = strcmp(delivery->dsn, "4.4.3") == 0 ? CLI_WAIT_DNS : CLI_WAIT_DOMAIN;
		mg_str_copy(where, WHERE_MAX, cli_backlog_domain(delivery->recipient));
	}
	mg_str_lower(where);
	if (group->wait == CLI_WAIT_HOST || group->wait == CLI_WAIT_DOMAIN)
		cli_fold(reply, REPLY_MAX, delivery->reply);
	group->where = where;
	group->reply = reply;
}

static bool make_room(struct cli_backlog *backlog)
{
	size_t room = backlog->room > 0 ? backlog->room * 2 : 64;
	const struct cli_backlog_group **groups;

	if (backlog->count < backlog->room)
		return true;
	groups = realloc((void *)backlog->groups, room * sizeof(*groups));
	if (groups == NULL)
		return false;
	backlog->groups = groups;
	backlog->room = room;
	return true;
}

/* A new group like `wanted`. NULL: no memory. */
static struct member *make_member(struct cli_backlog *backlog,
	const struct cli_backlog_group *wanted, const struct mg_delivery *delivery)
{
	size_t where = strlen(wanted->where) + 1, reply = strlen(wanted->reply) + 1;
	struct member *member = calloc(1, sizeof(*member) + where + reply);

	if (member == NULL || !make_room(backlog)) {
		free(member);
		return NULL;
	}
	member->group = *wanted;
	member->group.where = memcpy(member->texts, wanted->where, where);
	member->group.reply = memcpy(member->texts + where, wanted->reply, reply);
	mg_str_copy(member->dsn, sizeof(member->dsn), delivery->dsn);
	member->group.dsn = member->dsn;
	member->group.reply_code = delivery->reply_code;
	member->group.queue_id = member->queue_id;
	if (tsearch(member, &backlog->tree, compare) == NULL) {
		free(member);
		return NULL;
	}
	backlog->groups[backlog->count++] = &member->group;
	return member;
}

static void count(struct cli_backlog_group *group, const struct mg_delivery *delivery, bool overdue)
{
	if (group->count++ == 0 || delivery->accepted < group->oldest)
		group->oldest = delivery->accepted;
	group->overdue += overdue;
}

bool cli_backlog_add(struct cli_backlog *backlog, const struct mg_delivery *delivery, bool overdue)
{
	struct cli_backlog_group wanted = {.wait = CLI_WAIT_OTHER};
	char where[WHERE_MAX], reply[REPLY_MAX];
	struct member *member, **found;

	classify(delivery, &wanted, where, reply);
	found = tfind(&wanted, &backlog->tree, compare);
	if (found == NULL && backlog->count >= CLI_BACKLOG_GROUPS) {
		wanted = (struct cli_backlog_group){
			.wait = CLI_WAIT_OTHER, .where = "", .reply = ""};
		found = tfind(&wanted, &backlog->tree, compare);
	}
	member = found != NULL ? *found : make_member(backlog, &wanted, delivery);
	if (member == NULL)
		return false;
	if (member->group.count == 0 || delivery->accepted < member->group.oldest)
		mg_str_copy(member->queue_id, sizeof(member->queue_id), delivery->queue_id);
	count(&member->group, delivery, overdue);
	count(&backlog->total, delivery, overdue);
	return true;
}

static int by_count(const void *one, const void *other)
{
	const struct cli_backlog_group *a = *(const struct cli_backlog_group *const *)one;
	const struct cli_backlog_group *b = *(const struct cli_backlog_group *const *)other;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	if (a->oldest != b->oldest)
		return a->oldest < b->oldest ? -1 : 1;
	return compare(a, b);
}

const struct cli_backlog_group *const *cli_backlog_groups(
	struct cli_backlog *backlog, size_t *number)
{
	*number = backlog->count;
	if (backlog->count > 1)
		qsort((void *)backlog->groups, backlog->count, sizeof(*backlog->groups), by_count);
	return backlog->groups;
}

const struct cli_backlog_group *cli_backlog_total(const struct cli_backlog *backlog)
{
	return &backlog->total;
}

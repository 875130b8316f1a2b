/* SPDX-License-Identifier: ISC */
#include "base/store_verify.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* The format: what LMDB 0.9 has in mdb.c, by its names there. */
#define MAGIC 0xBEEFC0DEU
#define NO_PAGE ((size_t)-1)

enum {
	FORMAT = 1,
	METAS = 2,
	BRANCH = 1,
	LEAF = 2,
	OVERFLOW = 4,
	META = 8,
	BIG_DATA = 1, /* of a node: the value is in overflow pages */
	SUB_DATA = 2, /* the value is a table */
	INTEGER_KEY = 8, /* of the table of free pages */
	KEY_MAX = 511,
	DEPTH_MAX = 32,
	TABLES_MAX = 128,
	PAGE_SIZE_MIN = 512,
	PAGE_SIZE_MAX = 32768,
	READS_MIN = 8192, /* pages of records that are always read */
	READS_A_LOOK = 64 /* at the clock */
};
#define MAP_SIZE_MAX (UINT64_C(1) << 44)

struct page_head {
	size_t number;
	uint16_t pad, flags;
	uint16_t lower, upper; /* of an overflow page: together its number of pages */
};
enum { HEAD = 2 * sizeof(uint16_t) + sizeof(size_t) + 2 * sizeof(uint16_t) };

struct node_head {
#if __BYTE_ORDER == __LITTLE_ENDIAN
	uint16_t low, high;
#else
	uint16_t high, low;
#endif
	uint16_t flags, key_length;
};

struct tree {
	uint32_t pad;
	uint16_t flags, depth;
	size_t branch_pages, leaf_pages, overflow_pages, records, root;
};

struct meta {
	uint32_t magic, version;
	void *address;
	size_t map_size;
	struct tree trees[2]; /* free pages, and the tables by name; pad of the first: page size */
	size_t last_page, state;
};

struct bytes {
	const unsigned char *at;
	size_t length;
};

struct check {
	int descriptor;
	size_t page_size, file_pages;
	struct meta meta; /* of the state that is looked at */
	unsigned char *used; /* a bit a page */
	unsigned char *pages; /* a page for each level of a tree */
	unsigned char *starts; /* for each two bytes of a page: a record begins there */
	struct tree tables[TABLES_MAX];
	size_t table_count;
	int64_t deadline;
	unsigned reads;
	bool late;
	struct mg_error *error;
	enum mg_store_soundness answer;
};

enum content { FREE_PAGES, NAMES, RECORDS };

/* A tree that is walked. */
struct walk {
	struct check *check;
	const struct tree *tree;
	struct tree seen; /* what was counted */
	enum content content;
	bool skipped; /* some pages of records were not read */
};

/* A record, or what a branch says of the page below. */
struct node {
	uint16_t flags;
	struct bytes key;
	uint32_t length; /* of the value */
	const unsigned char *value; /* or the number of its first overflow page */
	size_t child;
	size_t size; /* in the page */
};

static bool damaged(struct check *check, size_t page, const char *what)
{
	mg_error_set(check->error, "damaged: page %zu: %s", page, what);
	check->answer = MG_STORE_DAMAGED;
	return false;
}

static bool out_of_memory(struct check *check)
{
	mg_error_set(check->error, "out of memory");
	check->answer = MG_STORE_UNKNOWN;
	return false;
}

/* Page `number` from its first byte on. */
static bool read_bytes(struct check *check, size_t number, void *target, size_t length)
{
	unsigned char *to = target;
	off_t offset = (off_t)number * (off_t)check->page_size;

	while (length > 0) {
		ssize_t got = pread(check->descriptor, to, length, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			mg_error_system(check->error, errno, "damaged: page %zu", number);
			check->answer = MG_STORE_DAMAGED;
			return false;
		}
		if (got == 0)
			return damaged(check, number, "the file ends before it");
		to += got;
		offset += got;
		length -= (size_t)got;
	}
	return true;
}

static bool is_late(struct check *check)
{
	if (check->late || check->deadline == INT64_MAX || ++check->reads <= READS_MIN)
		return check->late;
	if (check->reads % READS_A_LOOK == 0)
		check->late = mg_clock_system.monotonic(&mg_clock_system) > check->deadline;
	return check->late;
}

/* Each page has one use. */
static bool claim(struct check *check, size_t number)
{
	unsigned char bit = (unsigned char)(1U << number % 8);

	if (number < METAS || number > check->meta.last_page)
		return damaged(check, number, "there is no such page");
	if (check->used[number / 8] & bit)
		return damaged(check, number, "is used twice");
	check->used[number / 8] |= bit;
	return true;
}

/* A page that is in use is in the file, too. */
static bool claim_filled(struct check *check, size_t number)
{
	if (number >= check->file_pages)
		return damaged(check, number, "the file ends before it");
	return claim(check, number);
}

static int compare(enum content content, const struct bytes *one, const struct bytes *other)
{
	size_t length = one->length < other->length ? one->length : other->length;
	size_t a, b;
	int order;

	if (content == FREE_PAGES) {
		memcpy(&a, one->at, sizeof(a));
		memcpy(&b, other->at, sizeof(b));
		return (a > b) - (a < b);
	}
	order = memcmp(one->at, other->at, length);
	return order ? order : (one->length > other->length) - (one->length < other->length);
}

/* The node that begins at `offset`; false: there is not room for one. */
static bool read_node(const struct check *check, const unsigned char *page, size_t offset,
	bool leaf, struct node *node)
{
	struct node_head head;
	size_t left = check->page_size - offset, value_size;

	if (left < sizeof(head))
		return false;
	memcpy(&head, page + offset, sizeof(head));
	left -= sizeof(head);
	if (head.key_length > left || head.key_length > KEY_MAX)
		return false;
	*node = (struct node){.flags = head.flags,
		.key = {page + offset + sizeof(head), head.key_length},
		.length = head.low | (uint32_t)head.high << 16};
	node->value = node->key.at + head.key_length;
	node->child = node->length;
	if (sizeof(size_t) > sizeof(uint32_t))
		node->child |= (size_t)((uint64_t)head.flags << 32);
	value_size = !leaf ? 0 : head.flags & BIG_DATA ? sizeof(size_t) : node->length;
	if (value_size > left - head.key_length)
		return false;
	node->size = (sizeof(head) + head.key_length + value_size + 1) & ~(size_t)1;
	return node->size <= check->page_size - offset;
}

static uint16_t place_of(const unsigned char *page, size_t index)
{
	uint16_t offset;

	memcpy(&offset, page + HEAD + index * sizeof(offset), sizeof(offset));
	return offset;
}

/* Number of nodes of a page that is what it should be, and whose nodes tile it from `upper` to the
 * end; 0 otherwise. */
static size_t check_nodes(struct check *check, const unsigned char *page, size_t number, bool leaf)
{
	struct page_head head;
	struct node node;
	size_t count, found = 0;

	memcpy(&head, page, HEAD);
	if (head.number != number || head.flags != (leaf ? LEAF : BRANCH) || head.lower <= HEAD ||
		head.lower % 2 != 0 || head.lower > head.upper || head.upper > check->page_size ||
		head.upper % 2 != 0)
		return damaged(check, number, "is not what it should be");
	count = (head.lower - (size_t)HEAD) / sizeof(uint16_t);
	memset(check->starts, 0, check->page_size / 2);
	for (size_t at = head.upper; at < check->page_size; at += node.size, found++) {
		if (!read_node(check, page, at, leaf, &node))
			return damaged(check, number, "a record does not end");
		check->starts[at / 2] = 1;
	}
	for (size_t i = 0; i < count; i++) {
		size_t at = place_of(page, i);

		if (at < head.upper || at >= check->page_size || at % 2 != 0 ||
			!check->starts[at / 2])
			return damaged(check, number, "a record is not where it should be");
		check->starts[at / 2] = 0;
	}
	if (found != count)
		return damaged(check, number, "has other records than it should");
	return count;
}

/* The list of pages that a transaction freed: a count, then their numbers, highest first. */
static bool check_free_list(
	struct check *check, size_t page, const unsigned char *list, size_t length)
{
	size_t count, before = NO_PAGE, number;

	if (length < sizeof(count))
		return damaged(check, page, "a list of free pages has no length");
	memcpy(&count, list, sizeof(count));
	if (count > length / sizeof(count) - 1)
		return damaged(check, page, "a list of free pages is longer than its record");
	for (size_t i = 1; i <= count; i++, before = number) {
		memcpy(&number, list + i * sizeof(number), sizeof(number));
		if (number >= before)
			return damaged(check, page, "a list of free pages is not in order");
		if (!claim(check, number))
			return false;
	}
	return true;
}

/* The overflow pages of a value; those of free pages are read. */
static bool check_big_value(struct walk *walk, const struct node *node)
{
	struct check *check = walk->check;
	size_t length = node->length, needed = (length + HEAD - 1) / check->page_size + 1, first;
	struct page_head head = {0};
	uint32_t pages;
	unsigned char *list;
	bool sound;

	memcpy(&first, node->value, sizeof(first));
	if (!claim_filled(check, first) || !read_bytes(check, first, &head, HEAD))
		return false;
	memcpy(&pages, (const unsigned char *)&head + offsetof(struct page_head, lower),
		sizeof(pages));
	if (head.number != first || head.flags != OVERFLOW || pages < needed ||
		pages > check->file_pages)
		return damaged(check, first, "is not what it should be");
	for (size_t i = 1; i < pages; i++)
		if (!claim_filled(check, first + i))
			return false;
	walk->seen.overflow_pages += pages;
	if (walk->content != FREE_PAGES)
		return true;
	list = malloc(HEAD + length);
	if (!list)
		return out_of_memory(check);
	sound = read_bytes(check, first, list, HEAD + length) &&
		check_free_list(check, first, list + HEAD, length);
	free(list);
	return sound;
}

static bool check_record(struct walk *walk, size_t page, const struct node *node)
{
	struct check *check = walk->check;
	size_t state;

	walk->seen.records++;
	if (walk->content == FREE_PAGES) {
		memcpy(&state, node->key.at, sizeof(state));
		if (state == 0 || state > check->meta.state)
			return damaged(check, page, "free pages of a state that was not");
	}
	if (node->flags == BIG_DATA)
		return check_big_value(walk, node);
	if (node->flags == SUB_DATA && walk->content == NAMES &&
		node->length == sizeof(struct tree) && check->table_count < TABLES_MAX) {
		memcpy(&check->tables[check->table_count++], node->value, sizeof(struct tree));
		return true;
	}
	if (node->flags != 0)
		return damaged(check, page, "a record of no known kind");
	return walk->content != FREE_PAGES ||
	       check_free_list(check, page, node->value, node->length);
}

static bool check_page(struct walk *walk, size_t number, unsigned level, const struct bytes *low,
	const struct bytes *high);

/* The keys of a page are in order, and from low to below high. */
static bool check_key(struct walk *walk, size_t number, const struct node *node,
	const struct bytes *before, bool first, const struct bytes *high)
{
	if (node->key.length == 0 ||
		(walk->content == FREE_PAGES && node->key.length != sizeof(size_t)))
		return damaged(walk->check, number, "a key of a wrong length");
	if ((before && compare(walk->content, before, &node->key) >= (first ? 1 : 0)) ||
		(high && compare(walk->content, &node->key, high) >= 0))
		return damaged(walk->check, number, "keys are not in order");
	return true;
}

/* The first key of a branch counts as the least there is. */
static bool check_branch(struct walk *walk, const unsigned char *page, size_t number, size_t count,
	unsigned level, const struct bytes *low, const struct bytes *high)
{
	struct node node, next = {0};

	if (!read_node(walk->check, page, place_of(page, 0), false, &node))
		return damaged(walk->check, number, "a record does not end");
	for (size_t i = 0; i < count; i++, node = next) {
		const struct bytes *least = i == 0 ? low : &node.key;

		if (i + 1 < count) {
			if (!read_node(walk->check, page, place_of(page, i + 1), false, &next))
				return damaged(walk->check, number, "a record does not end");
			if (!check_key(walk, number, &next, least, i == 0, high))
				return false;
		}
		if (!check_page(
			    walk, node.child, level + 1, least, i + 1 < count ? &next.key : high))
			return false;
	}
	walk->seen.branch_pages++;
	return true;
}

static bool check_leaf(struct walk *walk, const unsigned char *page, size_t number, size_t count,
	const struct bytes *low, const struct bytes *high)
{
	struct bytes before;
	struct node node;

	for (size_t i = 0; i < count; i++) {
		if (!read_node(walk->check, page, place_of(page, i), true, &node))
			return damaged(walk->check, number, "a record does not end");
		if (!check_key(walk, number, &node, i == 0 ? low : &before, i == 0, high) ||
			!check_record(walk, number, &node))
			return false;
		before = node.key;
	}
	walk->seen.leaf_pages++;
	return true;
}

static bool check_page(struct walk *walk, size_t number, unsigned level, const struct bytes *low,
	const struct bytes *high)
{
	struct check *check = walk->check;
	unsigned char *page = check->pages + level * check->page_size;
	bool leaf = level + 1U == walk->tree->depth;
	size_t count;

	if (!claim_filled(check, number))
		return false;
	if (leaf && walk->content == RECORDS && is_late(check)) {
		walk->seen.leaf_pages++;
		walk->skipped = true;
		return true;
	}
	if (!read_bytes(check, number, page, check->page_size))
		return false;
	count = check_nodes(check, page, number, leaf);
	if (count == 0)
		return false;
	return leaf ? check_leaf(walk, page, number, count, low, high)
		    : check_branch(walk, page, number, count, level, low, high);
}

static bool check_tree(struct check *check, const struct tree *tree, enum content content)
{
	struct walk walk = {.check = check, .tree = tree, .content = content};

	if (tree->depth > DEPTH_MAX || (tree->depth == 0) != (tree->root == NO_PAGE))
		return damaged(check, tree->root, "a table has no root");
	if (tree->depth > 0 && !check_page(&walk, tree->root, 0, NULL, NULL))
		return false;
	if (walk.seen.branch_pages != tree->branch_pages ||
		walk.seen.leaf_pages != tree->leaf_pages ||
		(!walk.skipped && (walk.seen.overflow_pages != tree->overflow_pages ||
					  walk.seen.records != tree->records)))
		return damaged(check, tree->root, "a table has more or less than it should");
	if (walk.skipped)
		check->answer = MG_STORE_SOUND_SO_FAR;
	return true;
}

/* What has to hold of a meta page whatever is in the file. */
static bool check_meta(
	struct check *check, const struct page_head *head, const struct meta *meta, size_t number)
{
	size_t size = meta->trees[0].pad;

	if (head->number != number || head->flags != META || meta->magic != MAGIC ||
		size < PAGE_SIZE_MIN || size > PAGE_SIZE_MAX || (size & (size - 1)) != 0 ||
		(number > 0 && size != check->page_size) || meta->trees[0].flags != INTEGER_KEY ||
		meta->trees[1].pad != 0 || meta->trees[1].flags != 0 ||
		meta->map_size > MAP_SIZE_MAX || meta->last_page < METAS - 1 ||
		meta->last_page >= meta->map_size / size)
		return damaged(check, number, "is no meta page");
	check->page_size = size;
	return true;
}

static bool read_meta(struct check *check, size_t number, struct meta *meta)
{
	struct {
		unsigned char head[HEAD];
		unsigned char meta[sizeof(struct meta)];
	} page;
	struct page_head head = {0};

	if (!read_bytes(check, number, &page, sizeof(page)))
		return false;
	memcpy(&head, page.head, HEAD);
	memcpy(meta, page.meta, sizeof(*meta));
	if (meta->magic == __builtin_bswap32(MAGIC) ||
		(meta->magic == MAGIC && meta->version != FORMAT)) {
		mg_error_set(check->error, "is of another version of LMDB, or of another machine");
		check->answer = MG_STORE_FOREIGN;
		return false;
	}
	return check_meta(check, &head, meta, number);
}

/* Chooses the meta page. A commit writes them in turn, that with an even number to page 0. */
static bool read_metas(struct check *check, uint64_t state)
{
	struct meta metas[METAS];
	size_t newest;

	if (!read_meta(check, 0, &metas[0]) || !read_meta(check, 1, &metas[1]))
		return false;
	newest = metas[1].state > metas[0].state;
	if (state != UINT64_MAX) {
		newest = state % METAS;
		if (metas[newest].state != state) {
			mg_error_set(check->error, "the state looked at is gone");
			check->answer = MG_STORE_GONE;
			return false;
		}
	} else if (metas[newest].state > 0 &&
		   (metas[newest].state % METAS != newest ||
			   metas[newest].state - metas[!newest].state != 1)) {
		return damaged(check, newest, "follows from no other");
	}
	check->meta = metas[newest];
	return true;
}

/* Pages at the end that were given back before they were written need not be in the file. */
static bool prepare(struct check *check, size_t file_size)
{
	enum { UNWRITTEN_MAX = 1 << 20 };
	size_t last = check->meta.last_page;

	check->file_pages = file_size / check->page_size;
	if (last >= check->file_pages + UNWRITTEN_MAX)
		return damaged(check, last, "the file ends before it");
	check->used = calloc(last / 8 + 1, 1);
	check->pages = malloc(DEPTH_MAX * check->page_size);
	check->starts = malloc(check->page_size / 2);
	return (check->used && check->pages && check->starts) || out_of_memory(check);
}

static void check_tables(struct check *check)
{
	for (size_t i = 0; i < check->table_count; i++) {
		const struct tree *table = &check->tables[i];

		if (table->pad != 0 || table->flags != 0)
			damaged(check, table->root, "a table of no known kind");
		else if (check_tree(check, table, RECORDS))
			continue;
		break;
	}
}

/* NULL with `answer`: it cannot be looked at, or is empty. */
static struct check *begin(
	int descriptor, size_t *size, enum mg_store_soundness *answer, struct mg_error *error)
{
	struct check *check = calloc(1, sizeof(*check));
	struct stat status;

	*answer = MG_STORE_UNKNOWN;
	if (!check) {
		mg_error_set(error, "out of memory");
		return NULL;
	}
	check->descriptor = descriptor;
	check->error = error;
	check->answer = MG_STORE_SOUND;
	if (fstat(descriptor, &status) < 0)
		mg_error_system(error, errno, "status");
	else if (status.st_size == 0)
		*answer = MG_STORE_EMPTY;
	else {
		*size = (size_t)status.st_size;
		return check;
	}
	free(check);
	return NULL;
}

static enum mg_store_soundness end(struct check *check)
{
	enum mg_store_soundness answer = check->answer;

	free(check->used);
	free(check->pages);
	free(check->starts);
	free(check);
	return answer;
}

enum mg_store_soundness mg_store_verify(
	int descriptor, uint64_t state, int64_t deadline, struct mg_error *error)
{
	enum mg_store_soundness answer;
	size_t size;
	struct check *check = begin(descriptor, &size, &answer, error);

	if (!check)
		return answer;
	check->deadline = deadline;
	if (read_metas(check, state) && prepare(check, size) &&
		check_tree(check, &check->meta.trees[0], FREE_PAGES) &&
		check_tree(check, &check->meta.trees[1], NAMES))
		check_tables(check);
	return end(check);
}

enum mg_store_soundness mg_store_verify_metas(int descriptor, struct mg_error *error)
{
	enum mg_store_soundness answer;
	struct meta meta;
	size_t size;
	struct check *check = begin(descriptor, &size, &answer, error);

	if (!check)
		return answer;
	if (read_meta(check, 0, &meta))
		read_meta(check, 1, &meta);
	return end(check);
}

/* SPDX-License-Identifier: ISC */
#include "base/store_memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT_MAX = 96 /* of an AVL tree of more nodes than there is memory for */ };

struct record {
	atomic_size_t references;
	size_t key_length, length;
	unsigned char bytes[]; /* the key, then the value */
};

/* Height-balanced (AVL); never changed once it is made. */
struct node {
	atomic_size_t references;
	struct record *record;
	struct node *left, *right;
	size_t count; /* of this subtree */
	int height;
};

struct memory_store {
	struct mg_store base;
	pthread_mutex_t writing;
	pthread_mutex_t mutex; /* of what follows */
	uint64_t bytes;
	struct node **trees;
	uint64_t limit;
};

struct memory_tx {
	struct mg_store_tx base;
	uint64_t bytes;
	struct node *trees[];
};

static struct node *retain(struct node *node)
{
	if (node)
		atomic_fetch_add_explicit(&node->references, 1, memory_order_relaxed);
	return node;
}

static void release_record(struct record *record)
{
	if (record && atomic_fetch_sub(&record->references, 1) == 1)
		free(record);
}

static void release(struct node *node)
{
	if (!node || atomic_fetch_sub(&node->references, 1) != 1)
		return;
	release(node->left);
	release(node->right);
	release_record(node->record);
	free(node);
}

static int height(const struct node *node)
{
	return node ? node->height : 0;
}

static size_t count(const struct node *node)
{
	return node ? node->count : 0;
}

static int compare(const struct record *record, const void *key, size_t length)
{
	size_t common = record->key_length < length ? record->key_length : length;
	int order = common ? memcmp(key, record->bytes, common) : 0;

	return order ? order : (length > record->key_length) - (length < record->key_length);
}

/* The functions that make a tree own the trees they are given and leave the record to the caller.
 * Without memory they set `failed` and go on: what they return then is only fit to be released. */
static struct node *make(struct node *left, struct record *record, struct node *right, bool *failed)
{
	struct node *node = malloc(sizeof(*node));

	if (!node) {
		release(left);
		release(right);
		*failed = true;
		return NULL;
	}
	atomic_init(&node->references, 1);
	atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
	node->record = record;
	node->left = left;
	node->right = right;
	node->count = count(left) + 1 + count(right);
	node->height = 1 + (height(left) > height(right) ? height(left) : height(right));
	return node;
}

static struct node *lower_left(
	struct node *left, struct record *record, struct node *right, bool *failed)
{
	struct node *middle = left->right, *result;

	if (!middle || height(left->left) >= height(middle))
		result = make(retain(left->left), left->record,
			make(retain(middle), record, right, failed), failed);
	else
		result = make(make(retain(left->left), left->record, retain(middle->left), failed),
			middle->record, make(retain(middle->right), record, right, failed), failed);
	release(left);
	return result;
}

static struct node *lower_right(
	struct node *left, struct record *record, struct node *right, bool *failed)
{
	struct node *middle = right->left, *result;

	if (!middle || height(right->right) >= height(middle))
		result = make(make(left, record, retain(middle), failed), right->record,
			retain(right->right), failed);
	else
		result = make(make(left, record, retain(middle->left), failed), middle->record,
			make(retain(middle->right), right->record, retain(right->right), failed),
			failed);
	release(right);
	return result;
}

/* left and right differ in height by at most 2. */
static struct node *balance(
	struct node *left, struct record *record, struct node *right, bool *failed)
{
	if (left && height(left) > height(right) + 1)
		return lower_left(left, record, right, failed);
	if (right && height(right) > height(left) + 1)
		return lower_right(left, record, right, failed);
	return make(left, record, right, failed);
}

static struct node *with(struct node *tree, struct record *record, bool *failed)
{
	int order;

	if (!tree)
		return make(NULL, record, NULL, failed);
	order = compare(tree->record, record->bytes, record->key_length);
	if (order < 0)
		return balance(with(tree->left, record, failed), tree->record, retain(tree->right),
			failed);
	if (order > 0)
		return balance(retain(tree->left), tree->record, with(tree->right, record, failed),
			failed);
	return make(retain(tree->left), record, retain(tree->right), failed);
}

static struct node *without_first(struct node *tree, bool *failed)
{
	if (!tree->left)
		return retain(tree->right);
	return balance(
		without_first(tree->left, failed), tree->record, retain(tree->right), failed);
}

static struct node *join(struct node *left, struct node *right, bool *failed)
{
	const struct node *first = right;

	if (!left || !right)
		return retain(left ? left : right);
	while (first->left)
		first = first->left;
	return balance(retain(left), first->record, without_first(right, failed), failed);
}

/* The key is in it. */
static struct node *without(struct node *tree, const void *key, size_t length, bool *failed)
{
	int order = compare(tree->record, key, length);

	if (order < 0)
		return balance(without(tree->left, key, length, failed), tree->record,
			retain(tree->right), failed);
	if (order > 0)
		return balance(retain(tree->left), tree->record,
			without(tree->right, key, length, failed), failed);
	return join(tree->left, tree->right, failed);
}

static const struct record *find(const struct node *tree, const void *key, size_t length)
{
	while (tree) {
		int order = compare(tree->record, key, length);

		if (order == 0)
			return tree->record;
		tree = order < 0 ? tree->left : tree->right;
	}
	return NULL;
}

static const char *check(const char *rest)
{
	return *rest ? "expected memory: and nothing behind it" : NULL;
}

static void close_store(struct mg_store *base)
{
	struct memory_store *store = (struct memory_store *)base;

	for (unsigned i = 0; i < base->tables; i++)
		release(store->trees[i]);
	free(store->trees);
	pthread_mutex_destroy(&store->writing);
	pthread_mutex_destroy(&store->mutex);
	free(store);
}

static struct mg_store *open_store(const char *rest, const struct mg_store_settings *settings,
	struct mg_error *replaced, struct mg_error *error)
{
	struct memory_store *store = calloc(1, sizeof(*store));
	unsigned tables = 0;

	(void)rest;
	(void)replaced;
	while (settings->tables[tables])
		tables++;
	if (store)
		store->trees = calloc(tables + 1, sizeof(*store->trees));
	if (!store || !store->trees || !mg_store_writing_init(&store->writing)) {
		mg_error_set(error, "memory: out of memory");
		free(store ? store->trees : NULL);
		free(store);
		return NULL;
	}
	pthread_mutex_init(&store->mutex, NULL);
	store->base.tables = tables;
	store->base.writing = &store->writing;
	store->limit = settings->limit ? settings->limit : MG_STORE_LIMIT_DEFAULT;
	return &store->base;
}

static bool has_writer(const struct mg_store *base)
{
	return !base->read_only;
}

static struct mg_store_tx *start(struct mg_store *base, bool change, struct mg_error *error)
{
	struct memory_store *store = (struct memory_store *)base;
	struct memory_tx *tx = malloc(sizeof(*tx) + base->tables * sizeof(tx->trees[0]));

	(void)change;
	if (!tx) {
		mg_error_set(error, "memory: out of memory");
		return NULL;
	}
	pthread_mutex_lock(&store->mutex);
	for (unsigned i = 0; i < base->tables; i++)
		tx->trees[i] = retain(store->trees[i]);
	tx->bytes = store->bytes;
	pthread_mutex_unlock(&store->mutex);
	return &tx->base;
}

static int finish(struct mg_store_tx *base, bool keep, struct mg_error *error)
{
	struct memory_store *store = (struct memory_store *)base->store;
	struct memory_tx *tx = (struct memory_tx *)base;

	(void)error;
	if (keep) {
		pthread_mutex_lock(&store->mutex);
		for (unsigned i = 0; i < store->base.tables; i++) {
			struct node *old = store->trees[i];

			store->trees[i] = tx->trees[i];
			tx->trees[i] = old;
		}
		store->bytes = tx->bytes;
		pthread_mutex_unlock(&store->mutex);
	}
	for (unsigned i = 0; i < store->base.tables; i++)
		release(tx->trees[i]);
	free(tx);
	return 0;
}

static int get(struct mg_store_tx *base, unsigned table, const void *key, size_t key_length,
	struct mg_store_value *value, struct mg_error *error)
{
	const struct memory_tx *tx = (const struct memory_tx *)base;
	const struct record *record = find(tx->trees[table], key, key_length);

	(void)error;
	if (!record)
		return 0;
	*value = (struct mg_store_value){record->bytes + record->key_length, record->length};
	return 1;
}

static uint64_t size_of(const struct record *record)
{
	return record ? sizeof(struct node) + sizeof(*record) + record->key_length + record->length
		      : 0;
}

/* Takes the place of the table's tree, unless it could not be made. */
static int replace(struct memory_tx *tx, unsigned table, struct node *tree, bool failed,
	struct mg_error *error)
{
	if (failed) {
		release(tree);
		mg_error_set(error, "memory: out of memory");
		return -1;
	}
	release(tx->trees[table]);
	tx->trees[table] = tree;
	return 0;
}

static int put(struct mg_store_tx *base, unsigned table, const void *key, size_t key_length,
	const void *value, size_t length, struct mg_error *error)
{
	const struct memory_store *store = (const struct memory_store *)base->store;
	struct memory_tx *tx = (struct memory_tx *)base;
	struct record *record = malloc(sizeof(*record) + key_length + length);
	uint64_t bytes;
	bool failed = false;
	int result = -1;

	if (!record) {
		mg_error_set(error, "memory: out of memory");
		return -1;
	}
	atomic_init(&record->references, 1);
	record->key_length = key_length;
	record->length = length;
	memcpy(record->bytes, key, key_length);
	if (length > 0)
		memcpy(record->bytes + key_length, value, length);
	bytes = tx->bytes - size_of(find(tx->trees[table], key, key_length)) + size_of(record);
	if (bytes > store->limit) {
		mg_error_set(error, "memory: full: limit of %llu bytes",
			(unsigned long long)store->limit);
	} else {
		struct node *tree = with(tx->trees[table], record, &failed);

		result = replace(tx, table, tree, failed, error);
	}
	if (result == 0)
		tx->bytes = bytes;
	release_record(record);
	return result;
}

static int remove_record(struct mg_store_tx *base, unsigned table, const void *key,
	size_t key_length, struct mg_error *error)
{
	struct memory_tx *tx = (struct memory_tx *)base;
	const struct record *record = find(tx->trees[table], key, key_length);
	uint64_t size = size_of(record);
	bool failed = false;
	struct node *tree;

	if (!record)
		return 0;
	tree = without(tx->trees[table], key, key_length, &failed);
	if (replace(tx, table, tree, failed, error) < 0)
		return -1;
	tx->bytes -= size;
	return 1;
}

/* Over the tree as it is now: what `each` deletes does not disturb it. */
static int64_t walk(struct mg_store_tx *base, unsigned table, const void *from, size_t from_length,
	mg_store_each *each, void *context, struct mg_error *error)
{
	struct memory_tx *tx = (struct memory_tx *)base;
	struct node *tree = retain(tx->trees[table]);
	const struct node *path[HEIGHT_MAX], *next = tree;
	size_t depth = 0;
	int64_t calls = 0;
	bool more = true;

	(void)error;
	while (next) {
		bool before = compare(next->record, from, from_length) > 0;

		if (!before)
			path[depth++] = next;
		next = before ? next->right : next->left;
	}
	while (more && depth > 0) {
		const struct node *node = path[--depth];
		const struct record *record = node->record;
		const struct mg_store_value value = {
			record->bytes + record->key_length, record->length};

		calls++;
		more = each(context, base, record->bytes, record->key_length, &value);
		for (next = node->right; next; next = next->left)
			path[depth++] = next;
	}
	release(tree);
	return calls;
}

static int64_t count_records(struct mg_store_tx *base, unsigned table, struct mg_error *error)
{
	(void)error;
	return (int64_t)count(((const struct memory_tx *)base)->trees[table]);
}

const struct mg_store_kind mg_store_memory = {
	.prefix = "memory:",
	.check = check,
	.open = open_store,
	.close = close_store,
	.has_writer = has_writer,
	.start = start,
	.finish = finish,
	.get = get,
	.put = put,
	.remove = remove_record,
	.walk = walk,
	.count = count_records,
};

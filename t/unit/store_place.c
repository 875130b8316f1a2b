/* SPDX-License-Identifier: ISC */
#include "store_place.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char *const tables[] = {"colours", "numbers", NULL};

void store_place_make(struct store_place *place)
{
	strcpy(place->folder, "/dev/shm/millgate-store-XXXXXX");
	if (!mkdtemp(place->folder)) {
		strcpy(place->folder, "/tmp/millgate-store-XXXXXX");
		assert_non_null(mkdtemp(place->folder));
	}
	snprintf(place->path, sizeof(place->path), "%s/store", place->folder);
	snprintf(place->url, sizeof(place->url), "lmdb:%s", place->path);
	place->settings = (struct mg_store_settings){.url = place->url, .tables = tables};
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void store_place_remove(struct store_place *place)
{
	assert_int_equal(nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

struct mg_store *store_place_open(const struct store_place *place)
{
	struct mg_error replaced, error = {""};
	struct mg_store *store = mg_store_open(&place->settings, &replaced, &error);

	if (!store)
		fail_msg("%s", error.text);
	assert_string_equal(replaced.text, "");
	return store;
}

struct mg_store_tx *store_begin(struct mg_store *store)
{
	struct mg_error error = {""};
	struct mg_store_tx *tx = mg_store_begin(store, &error);

	if (!tx)
		fail_msg("%s", error.text);
	return tx;
}

struct mg_store_tx *store_view(struct mg_store *store)
{
	struct mg_error error = {""};
	struct mg_store_tx *tx = mg_store_view(store, &error);

	if (!tx)
		fail_msg("%s", error.text);
	return tx;
}

void store_commit(struct mg_store_tx *tx)
{
	struct mg_error error = {""};

	if (mg_store_commit(tx, &error) != 0)
		fail_msg("%s", error.text);
}

void store_put(struct mg_store_tx *tx, unsigned table, const char *key, const char *value)
{
	struct mg_error error = {""};

	if (mg_store_put(tx, table, key, strlen(key), value, strlen(value), &error) != 0)
		fail_msg("%s", error.text);
}

bool store_delete(struct mg_store_tx *tx, unsigned table, const char *key)
{
	struct mg_error error = {""};
	int result = mg_store_delete(tx, table, key, strlen(key), &error);

	if (result < 0)
		fail_msg("%s", error.text);
	return result == 1;
}

int64_t store_count(struct mg_store_tx *tx, unsigned table)
{
	struct mg_error error = {""};
	int64_t count = mg_store_count(tx, table, &error);

	if (count < 0)
		fail_msg("%s", error.text);
	return count;
}

const char *store_get(struct mg_store_tx *tx, unsigned table, const char *key)
{
	static char text[256];
	struct mg_store_value value;
	struct mg_error error = {""};
	int result = mg_store_get(tx, table, key, strlen(key), &value, &error);

	if (result < 0)
		fail_msg("%s", error.text);
	if (result == 0)
		return NULL;
	snprintf(text, sizeof(text), "%.*s", (int)value.length, (const char *)value.bytes);
	return text;
}

static bool list_one(void *context, struct mg_store_tx *tx, const void *key, size_t key_length,
	const struct mg_store_value *value)
{
	char *text = context;
	size_t length = strlen(text);

	(void)tx;
	snprintf(text + length, 4096 - length, "%.*s=%.*s ", (int)key_length, (const char *)key,
		(int)value->length, (const char *)value->bytes);
	return true;
}

const char *store_list(struct mg_store_tx *tx, unsigned table, const char *from)
{
	static char text[4096];
	struct mg_error error = {""};

	text[0] = '\0';
	if (mg_store_walk(tx, table, from, strlen(from), list_one, text, &error) < 0)
		fail_msg("%s", error.text);
	return text;
}

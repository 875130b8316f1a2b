/* SPDX-License-Identifier: ISC */
#include "key_place.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"

static struct mg_dkim_key *keys[MG_DKIM_ALGORITHM_COUNT][PLACE_KEYS];

static struct mg_dkim_key *key_of(enum mg_dkim_algorithm algorithm, size_t index)
{
	assert_in_range(index, 0, PLACE_KEYS - 1);
	if (!keys[algorithm][index])
		keys[algorithm][index] = mg_dkim_key_make(algorithm, 1024, NULL);
	assert_non_null(keys[algorithm][index]);
	return keys[algorithm][index];
}

struct mg_dkim_key *key_place_rsa(size_t index)
{
	return key_of(MG_DKIM_RSA_SHA256, index);
}

struct mg_dkim_key *key_place_ed25519(size_t index)
{
	return key_of(MG_DKIM_ED25519_SHA256, index);
}

void key_place_end(void)
{
	for (int algorithm = 0; algorithm < MG_DKIM_ALGORITHM_COUNT; algorithm++)
		for (size_t i = 0; i < PLACE_KEYS; i++) {
			mg_dkim_key_release(keys[algorithm][i]);
			keys[algorithm][i] = NULL;
		}
}

void key_place_make(struct key_place *place)
{
	snprintf(place->top, sizeof(place->top), "/tmp/mg-keys-XXXXXX");
	assert_non_null(mkdtemp(place->top));
	assert_int_equal(chmod(place->top, 0755), 0);
	snprintf(place->folder, sizeof(place->folder), "%s/keys", place->top);
	assert_int_equal(mkdir(place->folder, 0755), 0);
	assert_int_equal(chmod(place->folder, 0755), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void key_place_remove(struct key_place *place)
{
	assert_int_equal(nftw(place->top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

const char *key_place_path(const struct key_place *place, const char *domain, const char *name)
{
	static _Thread_local char path[PLACE_PATH];

	snprintf(path, sizeof(path), "%s/%s%s%s", place->folder, domain, name ? "/" : "",
		name ? name : "");
	return path;
}

void key_place_domain(const struct key_place *place, const char *domain)
{
	const char *path = key_place_path(place, domain, NULL);

	if (mkdir(path, 0755) == 0)
		assert_int_equal(chmod(path, 0755), 0);
}

static void write_aged(const struct key_place *place, const char *domain, const char *name,
	const void *bytes, size_t length, mode_t mode, int age)
{
	char made[2 * PLACE_PATH];
	struct timespec times[2];
	int descriptor;

	key_place_domain(place, domain);
	snprintf(made, sizeof(made), "%s/.%s.new", key_place_path(place, domain, NULL), name);
	descriptor = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, bytes, length), (ssize_t)length);
	assert_int_equal(fchmod(descriptor, mode), 0);
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= age;
	times[1] = times[0];
	assert_int_equal(futimens(descriptor, times), 0);
	close(descriptor);
	assert_int_equal(rename(made, key_place_path(place, domain, name)), 0);
}

void key_place_write(const struct key_place *place, const char *domain, const char *name,
	const void *bytes, size_t length, mode_t mode)
{
	write_aged(place, domain, name, bytes, length, mode, 0);
}

void key_place_put(const struct key_place *place, const char *domain, const char *selector,
	const struct mg_dkim_key *key, int age)
{
	struct mg_buf pem = {0};
	char name[128];

	assert_true(mg_dkim_key_write(key, &pem));
	snprintf(name, sizeof(name), "%s.pem", selector);
	write_aged(place, domain, name, pem.data, pem.length, 0640, age);
	mg_dkim_key_wipe(&pem);
}

void key_place_drop(const struct key_place *place, const char *domain, const char *selector)
{
	char name[128];

	snprintf(name, sizeof(name), "%s.pem", selector);
	assert_int_equal(unlink(key_place_path(place, domain, name)), 0);
}

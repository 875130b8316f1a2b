/* SPDX-License-Identifier: ISC */
/* key_place: a temporary folder of keys for tests, and keys to put there, made once. */
#ifndef MG_T_UNIT_KEY_PLACE_H
#define MG_T_UNIT_KEY_PLACE_H
#include <stddef.h>
#include <sys/types.h>

#include "auth/dkim_key.h"

enum { PLACE_PATH = 512 };

struct key_place {
	char top[64]; /* the temporary folder, of mode 755 */
	char folder[80]; /* "keys" in it, likewise */
};

void key_place_make(struct key_place *place);
void key_place_remove(struct key_place *place);
/* The path of DOMAIN, or of DOMAIN/NAME. */
const char *key_place_path(const struct key_place *place, const char *domain, const char *name);
/* A folder of mode 755, if it is not there. */
void key_place_domain(const struct key_place *place, const char *domain);
/* The files DOMAIN/SELECTOR.pem, 640, in one step. age: seconds since it was written. */
void key_place_put(const struct key_place *place, const char *domain, const char *selector,
	const struct mg_dkim_key *key, int age);
void key_place_write(const struct key_place *place, const char *domain, const char *name,
	const void *bytes, size_t length, mode_t mode);
void key_place_drop(const struct key_place *place, const char *domain, const char *selector);

/* The keys of the tests: `count` of each, made at first use; kept until key_place_end. */
enum { PLACE_KEYS = 3 };
struct mg_dkim_key *key_place_rsa(size_t index); /* 1,024 bits */
struct mg_dkim_key *key_place_ed25519(size_t index);
void key_place_end(void);
#endif

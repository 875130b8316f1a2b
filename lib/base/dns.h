/* SPDX-License-Identifier: ISC */
/* dns: questions to the DNS, by a struct of functions: live (dns_live: libunbound, with a cache of
 * answers above it), a case file (dns_case), and a recorder before either of them (dns_record). A
 * question ends by its deadline, whatever the servers do. Every name is an A-label text without a
 * final dot; every byte of an answer is a stranger's. Thread safe; a wait holds no lock. */
#ifndef MG_BASE_DNS_H
#define MG_BASE_DNS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of RFC 1035 and 3596. */
enum mg_dns_type {
	MG_DNS_A = 1,
	MG_DNS_NS = 2,
	MG_DNS_CNAME = 5,
	MG_DNS_PTR = 12,
	MG_DNS_MX = 15,
	MG_DNS_TXT = 16,
	MG_DNS_AAAA = 28
};

enum mg_dns_status {
	MG_DNS_FOUND, /* one record at least */
	MG_DNS_NO_DATA, /* the name exists, not with this type */
	MG_DNS_NO_NAME, /* NXDOMAIN */
	MG_DNS_FAILED, /* no server gave an answer, or a wrong one (SERVFAIL, bogus): for now unknown */
	MG_DNS_TIMEOUT, /* the deadline came first: for now unknown */
	MG_DNS_BAD_NAME /* no name that can be asked (a label over 63 bytes, a name over 253) */
};

struct mg_dns_record {
	/* TXT: the strings joined, any byte; A, AAAA: 4 or 16 bytes, network order; else a name in
	 * lower case without a final dot, "" the root. A NUL follows that length does not count. */
	const char *data;
	size_t length;
	unsigned preference; /* of MX */
};

struct mg_dns_answer {
	enum mg_dns_status status;
	bool secure; /* validated, with resolver.dnssec */
	int64_t ttl; /* ns it may be kept from when it came; 0 for failures */
	size_t count;
	const struct mg_dns_record *records; /* as the server ordered them; 100 at most */
};

struct mg_dns;

/* Asks. deadline: monotonic ns of mg_clock_system; one that is over still gives what is in the
 * cache. fresh: what is in the cache does not count, it is asked anew. Never NULL. The answer is
 * shared: released by mg_dns_release, not changed. */
const struct mg_dns_answer *mg_dns_ask(
	struct mg_dns *dns, const char *name, enum mg_dns_type type, bool fresh, int64_t deadline);
void mg_dns_release(struct mg_dns *dns, const struct mg_dns_answer *answer);

/* One use more, of a resolver that snapshots share; mg_dns_close gives a use back, the last one
 * ends it: questions under way then end as MG_DNS_FAILED. NULL is none. */
struct mg_dns *mg_dns_use(struct mg_dns *dns);
void mg_dns_close(struct mg_dns *dns);

/* "TXT" and back, for case files and messages; NULL and 0: none of the above. */
const char *mg_dns_type_name(enum mg_dns_type type);
enum mg_dns_type mg_dns_type_of(const char *name);
/* "found", "no record", "no such name", "no answer", …: for messages. */
const char *mg_dns_status_text(enum mg_dns_status status);

/* --- for the dns_* modules alone --- */

enum { MG_DNS_NAME_SIZE = 254, MG_DNS_RECORDS_MAX = 100 };

/* A kind of resolver; its first member is its struct mg_dns. Answers are of dns_answer. */
struct mg_dns_kind {
	/* name: as mg_dns_name makes it */
	const struct mg_dns_answer *(*ask)(struct mg_dns *dns, const char *name,
		enum mg_dns_type type, bool fresh, int64_t deadline);
	void (*close)(struct mg_dns *dns); /* frees it */
};

struct mg_dns {
	const struct mg_dns_kind *kind;
	_Atomic unsigned uses; /* 1 when it is made */
};

/* The name as it is asked and compared: lower case, without a final dot. False when it is none:
 * an empty label or one over 63 bytes, none at all, or over 253 bytes (RFC 1035 section 2.3.4). */
bool mg_dns_name(char target[MG_DNS_NAME_SIZE], const char *name);
#endif

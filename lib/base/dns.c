/* SPDX-License-Identifier: ISC */
#include "base/dns.h"

#include <string.h>

#include "base/dns_answer.h"
#include "base/str.h"

enum { LABEL_MAX = 63 };

static const struct {
	enum mg_dns_type type;
	const char *name;
} types[] = {{MG_DNS_A, "A"}, {MG_DNS_NS, "NS"}, {MG_DNS_CNAME, "CNAME"}, {MG_DNS_PTR, "PTR"},
	{MG_DNS_MX, "MX"}, {MG_DNS_TXT, "TXT"}, {MG_DNS_AAAA, "AAAA"}};

enum { TYPE_COUNT = sizeof types / sizeof types[0] };

const char *mg_dns_type_name(enum mg_dns_type type)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

enum mg_dns_type mg_dns_type_of(const char *name)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (mg_str_equal_nocase(types[i].name, name))
			return types[i].type;
	return 0;
}

const char *mg_dns_status_text(enum mg_dns_status status)
{
	static const char *const texts[] = {[MG_DNS_FOUND] = "found",
		[MG_DNS_NO_DATA] = "no record",
		[MG_DNS_NO_NAME] = "no such name",
		[MG_DNS_FAILED] = "no answer",
		[MG_DNS_TIMEOUT] = "no answer in time",
		[MG_DNS_BAD_NAME] = "not a name"};

	return texts[status];
}

bool mg_dns_name(char target[MG_DNS_NAME_SIZE], const char *name)
{
	size_t length = strlen(name), label = 0;

	if (length > 0 && name[length - 1] == '.')
		length--;
	if (length == 0 || length >= MG_DNS_NAME_SIZE)
		return false;
	for (size_t i = 0; i <= length; i++) {
		if (i < length && name[i] != '.') {
			label++;
			continue;
		}
		if (label == 0 || label > LABEL_MAX)
			return false;
		label = 0;
	}
	memcpy(target, name, length);
	target[length] = '\0';
	mg_str_lower_n(target, length);
	return true;
}

const struct mg_dns_answer *mg_dns_ask(
	struct mg_dns *dns, const char *name, enum mg_dns_type type, bool fresh, int64_t deadline)
{
	char asked[MG_DNS_NAME_SIZE];

	if (!mg_dns_name(asked, name))
		return mg_dns_plain(MG_DNS_BAD_NAME);
	return dns->kind->ask(dns, asked, type, fresh, deadline);
}

void mg_dns_release(struct mg_dns *dns, const struct mg_dns_answer *answer)
{
	(void)dns;
	mg_dns_answer_release(answer);
}

struct mg_dns *mg_dns_use(struct mg_dns *dns)
{
	if (dns != NULL)
		dns->uses++;
	return dns;
}

void mg_dns_close(struct mg_dns *dns)
{
	if (dns != NULL && --dns->uses == 0)
		dns->kind->close(dns);
}

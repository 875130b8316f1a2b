/* SPDX-License-Identifier: ISC */
#include "dkim/publish.h"

#include "base/str.h"

enum { NAME_SIZE = 64 + sizeof("._domainkey.") + 256, STRING_MAX = 255 };

static const char *const words[] = {
	[MG_DKIM_RECORD_SAME] = "same",
	[MG_DKIM_RECORD_OTHER] = "other",
	[MG_DKIM_RECORD_REVOKED] = "revoked",
	[MG_DKIM_RECORD_UNUSABLE] = "unusable",
	[MG_DKIM_RECORD_BAD] = "bad",
};

static void record_name(const struct dkim_signer *signer, char name[NAME_SIZE])
{
	mg_str_format(name, NAME_SIZE, "%s._domainkey.%s", signer->selector, signer->domain);
}

/* Of several records one that has the key is enough: which one a verifier takes is open (RFC 6376
 * section 3.6.2.2), and while a record is replaced both may be there. */
static enum dkim_published compare(const struct mg_dns_answer *answer,
	const struct dkim_signer *signer, struct dkim_publication *publication)
{
	enum mg_dkim_record found = MG_DKIM_RECORD_BAD;
	char why[128];

	for (size_t i = 0; i < answer->count; i++) {
		const char *text = answer->records[i].data;
		size_t length = answer->records[i].length;
		enum mg_dkim_record record = mg_dkim_record_compare(signer->key, text, length, why);

		if (record == MG_DKIM_RECORD_SAME && mg_dkim_record_is_strict(text, length))
			publication->strict = true;
		if (i > 0 && record != MG_DKIM_RECORD_SAME)
			continue;
		found = record;
		mg_str_copy(publication->why, sizeof(publication->why), why);
	}
	publication->dns = words[found];
	return found == MG_DKIM_RECORD_SAME ? DKIM_PUBLISHED : DKIM_NOT_PUBLISHED;
}

enum dkim_published dkim_publish_check(struct mg_dns *dns, const struct dkim_signer *signer,
	bool fresh, int64_t deadline, struct dkim_publication *publication)
{
	const struct mg_dns_answer *answer;
	enum dkim_published published = DKIM_UNKNOWN;
	char name[NAME_SIZE];

	record_name(signer, name);
	answer = mg_dns_ask(dns, name, MG_DNS_TXT, fresh, deadline);
	mg_str_format(publication->why, sizeof(publication->why), "%s: %s", name,
		mg_dns_status_text(answer->status));
	publication->no_record = publication->strict = false;
	publication->dns = "no answer";
	switch (answer->status) {
	case MG_DNS_FOUND: published = compare(answer, signer, publication); break;
	case MG_DNS_NO_DATA:
	case MG_DNS_NO_NAME:
	case MG_DNS_BAD_NAME:
		publication->no_record = true;
		publication->dns = "no record";
		published = DKIM_NOT_PUBLISHED;
		break;
	case MG_DNS_FAILED:
	case MG_DNS_TIMEOUT: break;
	}
	mg_dns_release(dns, answer);
	return published;
}

void dkim_publish_record(const struct dkim_signer *signer, struct mg_buf *out)
{
	struct mg_buf text = {0};
	char name[NAME_SIZE];

	record_name(signer, name);
	mg_dkim_record_text(signer->key, &text);
	mg_buf_add_format(out, "%s. TXT", name);
	for (size_t at = 0; at < text.length; at += STRING_MAX) {
		size_t rest = text.length - at;

		mg_buf_add_text(out, " \"");
		mg_buf_add(out, text.data + at, rest < STRING_MAX ? rest : STRING_MAX);
		mg_buf_add_char(out, '"');
	}
	out->failed = out->failed || text.failed;
	mg_buf_free(&text);
}

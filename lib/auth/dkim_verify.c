/* SPDX-License-Identifier: ISC */
#include "auth/dkim_verify.h"

#include <opendkim/dkim.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/dkim_canon.h"
#include "auth/dkim_public.h"
#include "auth/dkim_signature.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/str.h"

enum {
	RSA_BITS_LEAST = 1024, /* RFC 8301 section 3.2 */
	RECORD_MAX = 1024, /* what the library has room for */
	RECORDS_LOOKED_AT = 4 /* of several at one name */
};

/* A signature: as it was read, and, if it was given to the library, its key and what came of it. */
struct signature {
	struct mg_dkim_signature read;
	struct mg_dkim_verified result;
	struct mg_buf record;
	DKIM_SIGINFO *info; /* of the library; NULL: it was not given to it */
	bool open; /* its result is not known yet */
	/* Of one with l=: the whole body. Is its hash the one that was signed, nothing is left out. */
	struct mg_dkim_body whole;
};

struct mg_dkim_verify {
	struct mg_dkim_verify_options options;
	DKIM *library; /* NULL: nothing is open */
	size_t count;
	bool ended;
	struct mg_dkim_verified *results; /* of mg_dkim_verify_end */
	struct signature list[];
};

const char *mg_dkim_result_name(enum mg_dkim_result result)
{
	static const char *const names[] = {
		[MG_DKIM_NONE] = "none",
		[MG_DKIM_PASS] = "pass",
		[MG_DKIM_FAIL] = "fail",
		[MG_DKIM_NEUTRAL] = "neutral",
		[MG_DKIM_TEMPERROR] = "temperror",
		[MG_DKIM_PERMERROR] = "permerror",
	};

	return names[result];
}

/* --- the library, one for the process --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static DKIM_LIB *library;

/* The key was asked for before: the library waits for no name server. */
static DKIM_CBSTAT give_key(DKIM *handle, DKIM_SIGINFO *info, u_char *buffer, size_t size)
{
	const struct mg_dkim_verify *verify = dkim_get_user_context(handle);

	for (size_t i = 0; i < verify->count; i++)
		if (verify->list[i].info == info && verify->list[i].record.length > 0)
			return mg_str_copy(
				       (char *)buffer, size, mg_buf_text(&verify->list[i].record))
				       ? DKIM_CBSTAT_CONTINUE
				       : DKIM_CBSTAT_ERROR;
	return DKIM_CBSTAT_NOTFOUND;
}

static void start_library(void)
{
	/* A list entry for each signature, so that they are told apart by their order; and keys
	 * are looked at when the body is there. */
	unsigned flags = DKIM_LIBFLAGS_BADSIGHANDLES | DKIM_LIBFLAGS_DELAYSIGPROC;
	unsigned bits = RSA_BITS_LEAST;
	/* t= and x= were compared with the time of the message; the library, which knows only the
	 * time that is now, may be as far off as it can: it takes this from t=. */
	uint64_t drift = MG_DKIM_TIME_LEAST;

	library = dkim_init(NULL, NULL);
	if (library == NULL)
		return;
	if (dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags, sizeof(flags)) !=
			DKIM_STAT_OK ||
		dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift,
			sizeof(drift)) != DKIM_STAT_OK ||
		dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_MINKEYBITS, &bits, sizeof(bits)) !=
			DKIM_STAT_OK ||
		dkim_set_key_lookup(library, give_key) != DKIM_STAT_OK) {
		dkim_close(library);
		library = NULL;
	}
}

/* --- results --- */

static void decide(struct signature *signature, enum mg_dkim_result result, const char *reason)
{
	signature->result.result = result;
	mg_str_copy(signature->result.reason, sizeof(signature->result.reason), reason);
	signature->open = false;
}

static void decide_open(struct mg_dkim_verify *verify, const char *reason)
{
	for (size_t i = 0; i < verify->count; i++)
		if (verify->list[i].open)
			decide(&verify->list[i], MG_DKIM_PERMERROR, reason);
}

/* --- the header --- */

static bool is_signature(const struct mg_header *header)
{
	static const char name[] = "DKIM-Signature";

	return header->name_length == strlen(name) &&
	       strncasecmp(header->name, name, strlen(name)) == 0;
}

static void read_signature(struct mg_dkim_verify *verify, const struct mg_header *header)
{
	struct signature *signature = &verify->list[verify->count++];
	struct mg_dkim_verified *result = &signature->result;

	signature->open = mg_dkim_signature_read(header->value, header->value_length,
		verify->options.now / MG_SECOND, &signature->read, result->reason);
	if (!signature->open)
		result->result = MG_DKIM_PERMERROR;
	else if (signature->read.has_length &&
		 !mg_dkim_body_begin(&signature->whole, signature->read.body_form, 0))
		decide(signature, MG_DKIM_TEMPERROR, "out of memory");
	mg_str_copy(result->domain, sizeof(result->domain), signature->read.domain);
	mg_str_copy(result->selector, sizeof(result->selector), signature->read.selector);
	mg_str_copy(result->algorithm, sizeof(result->algorithm), signature->read.algorithm_name);
	mg_str_copy(result->forms, sizeof(result->forms), signature->read.forms);
}

/* Adds the field with folds as CRLF, as the library wants it. */
static void write_field(const struct mg_header *header, struct mg_buf *field)
{
	mg_buf_reset(field);
	mg_buf_add(field, header->name, header->name_length);
	mg_buf_add_char(field, ':');
	for (size_t at = 0; at < header->value_length; at++) {
		if (header->value[at] == '\n' && (at == 0 || header->value[at - 1] != '\r'))
			mg_buf_add_char(field, '\r');
		mg_buf_add_char(field, header->value[at]);
	}
}

/* Gives the header to the library: of the signatures only those that are open. A field it does not
 * take is missing for it, which breaks what signed it. false: no memory. */
static bool give_header(
	struct mg_dkim_verify *verify, const struct mg_header *headers, size_t count)
{
	struct mg_buf field = {0};
	size_t seen = 0;
	bool good = true;

	for (size_t i = 0; i < count && good; i++) {
		if (is_signature(&headers[i]) &&
			(seen >= verify->count || !verify->list[seen++].open))
			continue;
		write_field(&headers[i], &field);
		good = !field.failed && dkim_header(verify->library, (u_char *)field.data,
						field.length) != DKIM_STAT_NORESOURCE;
	}
	mg_buf_free(&field);
	return good;
}

/* After the header each open signature has an entry in the library's list, in order. */
static bool end_header(struct mg_dkim_verify *verify)
{
	DKIM_STAT status = dkim_eoh(verify->library);
	DKIM_SIGINFO **infos = NULL;
	int count = 0, at = 0;

	if (status == DKIM_STAT_NORESOURCE)
		return false;
	if (status == DKIM_STAT_OK)
		status = dkim_getsiglist(verify->library, &infos, &count);
	for (size_t i = 0; i < verify->count && at < count; i++)
		if (verify->list[i].open)
			verify->list[i].info = infos[at++];
	for (size_t i = 0; i < verify->count; i++)
		if (verify->list[i].open && verify->list[i].info == NULL)
			at = -1;
	if (status != DKIM_STAT_OK || at != count)
		decide_open(verify, "the header cannot be read");
	return true;
}

static bool start(struct mg_dkim_verify *verify, const struct mg_header *headers, size_t count)
{
	DKIM_STAT status;

	pthread_once(&once, start_library);
	if (library == NULL)
		return false;
	verify->library = dkim_verify(library, (const u_char *)"message", NULL, &status);
	return verify->library != NULL &&
	       dkim_set_user_context(verify->library, verify) == DKIM_STAT_OK &&
	       give_header(verify, headers, count) && end_header(verify);
}

struct mg_dkim_verify *mg_dkim_verify_new(const struct mg_dkim_verify_options *options,
	const struct mg_header *headers, size_t count, struct mg_error *error)
{
	struct mg_dkim_verify *verify;
	size_t signatures = 0, open = 0;

	for (size_t i = 0; i < count; i++)
		signatures += is_signature(&headers[i]) && signatures < options->signatures;
	verify = calloc(1, sizeof(*verify) + signatures * sizeof(verify->list[0]));
	if (verify == NULL ||
		(verify->results = calloc(signatures + 1, sizeof(*verify->results))) == NULL) {
		mg_error_set(error, "out of memory");
		free(verify);
		return NULL;
	}
	verify->options = *options;
	for (size_t i = 0; i < count && verify->count < signatures; i++) {
		if (!is_signature(&headers[i]))
			continue;
		read_signature(verify, &headers[i]);
		open += verify->list[verify->count - 1].open;
	}
	if (open > 0 && !start(verify, headers, count)) {
		mg_error_set(error, "out of memory");
		mg_dkim_verify_free(verify);
		return NULL;
	}
	return verify;
}

void mg_dkim_verify_body(struct mg_dkim_verify *verify, const unsigned char *chunk, size_t length)
{
	if (verify->library == NULL || length == 0)
		return;
	for (size_t i = 0; i < verify->count; i++)
		if (verify->list[i].whole.hash != NULL)
			mg_dkim_body_add(&verify->list[i].whole, chunk, length);
	if (dkim_body(verify->library, (u_char *)(uintptr_t)chunk, length) != DKIM_STAT_OK)
		decide_open(verify, "the body cannot be read");
}

/* --- keys --- */

/* Takes the first of the records at a name that may verify the signature; else why of the first. */
static void take_records(struct signature *signature, const struct mg_dns_answer *answer)
{
	char first[160] = "", why[160];

	for (size_t i = 0; i < answer->count && i < RECORDS_LOOKED_AT; i++) {
		mg_buf_reset(&signature->record);
		if (mg_dkim_public_read(answer->records[i].data, answer->records[i].length,
			    &signature->read, &signature->record, i == 0 ? first : why))
			return;
	}
	decide(signature, MG_DKIM_PERMERROR, first);
}

static void take_answer(
	struct signature *signature, const struct mg_dns_answer *answer, const char *name)
{
	enum mg_dkim_result result = MG_DKIM_PERMERROR;
	char reason[160];

	if (answer->status == MG_DNS_FOUND) {
		take_records(signature, answer);
		return;
	}
	if (answer->status == MG_DNS_FAILED || answer->status == MG_DNS_TIMEOUT)
		result = MG_DKIM_TEMPERROR;
	mg_str_format(reason, sizeof(reason), "%s at %s", mg_dns_status_text(answer->status), name);
	decide(signature, result, reason);
}

static void look_up(struct mg_dkim_verify *verify, struct signature *signature)
{
	const struct mg_dkim_verify_options *options = &verify->options;
	const struct mg_dns_answer *answer;
	char name[sizeof(signature->read.selector) + sizeof("._domainkey.") +
		  sizeof(signature->read.domain)];

	mg_str_format(name, sizeof(name), "%s._domainkey.%s", signature->read.selector,
		signature->read.domain);
	answer = mg_dns_ask(options->dns, name, MG_DNS_TXT, false, options->deadline);
	take_answer(signature, answer, name);
	mg_dns_release(options->dns, answer);
}

/* The key that the caller gives, instead of DNS; false: it has none, DNS is asked. */
static bool ask_caller(struct mg_dkim_verify *verify, struct signature *signature)
{
	const struct mg_dkim_verify_options *options = &verify->options;
	struct mg_buf text = {0};
	char why[160];
	bool found =
		options->lookup != NULL && options->lookup(options->context, signature->read.domain,
						   signature->read.selector, &text);

	if (found && !mg_dkim_public_read(mg_buf_text(&text), text.length, &signature->read,
			     &signature->record, why))
		decide(signature, MG_DKIM_PERMERROR, why);
	mg_buf_free(&text);
	return found;
}

static void get_key(struct mg_dkim_verify *verify, struct signature *signature)
{
	if (!ask_caller(verify, signature)) {
		if (verify->options.dns != NULL)
			look_up(verify, signature);
		else
			decide(signature, MG_DKIM_TEMPERROR, "the key is not known");
	}
	if (signature->open && signature->record.length > RECORD_MAX)
		decide(signature, MG_DKIM_PERMERROR, "the key is too long");
}

/* --- the end --- */

/* The bits an RSA key must have (RFC 8301 section 3.2). */
static unsigned least_bits(const struct mg_dkim_verify *verify)
{
	return verify->options.minimum_bits > RSA_BITS_LEAST ? verify->options.minimum_bits
							     : RSA_BITS_LEAST;
}

/* The library's result in our words. */
static void judge(struct mg_dkim_verify *verify, struct signature *signature)
{
	struct mg_dkim_verified *result = &signature->result;
	int error = dkim_sig_geterror(signature->info);
	bool header = (dkim_sig_getflags(signature->info) & DKIM_SIGFLAG_PASSED) != 0;
	bool body = dkim_sig_getbh(signature->info) == DKIM_SIGBH_MATCH;
	const char *text = dkim_sig_geterrorstr(error);
	char bits[sizeof(result->reason)];

	mg_str_format(bits, sizeof(bits), "the key has %u bits, fewer than %u", result->key_bits,
		least_bits(verify));
	if (error == DKIM_SIGERROR_KEYTOOSMALL ||
		(header && signature->read.algorithm == MG_DKIM_RSA_SHA256 &&
			result->key_bits < least_bits(verify))) {
		decide(signature, MG_DKIM_PERMERROR, bits);
	} else if (error == DKIM_SIGERROR_TOOLARGE_L) {
		decide(signature, MG_DKIM_FAIL, "the body is shorter than l= says");
	} else if (header && body) {
		decide(signature, MG_DKIM_PASS, "");
	} else if (header) {
		result->body_changed = true;
		decide(signature, MG_DKIM_FAIL, "body changed after signing, headers did not");
	} else if (error == DKIM_SIGERROR_BADSIG || error == DKIM_SIGERROR_OK) {
		/* The library does not look at the body then. */
		decide(signature, MG_DKIM_FAIL,
			"a signed header field changed after signing, or another key signed");
	} else {
		decide(signature, MG_DKIM_PERMERROR, text != NULL ? text : "it cannot be verified");
	}
}

/* Does l= leave out a part of the body? */
static bool is_partial(struct signature *signature)
{
	unsigned char digest[MG_SHA256_SIZE];
	char text[MG_BASE64_LENGTH(MG_SHA256_SIZE) + 1];

	if (signature->whole.hash == NULL || !mg_dkim_body_end(&signature->whole, digest))
		return false;
	mg_base64_encode(text, digest, sizeof(digest));
	return strcmp(text, signature->read.body_hash) != 0;
}

static void look_at_library(struct mg_dkim_verify *verify, struct signature *signature)
{
	struct mg_dkim_verified *result = &signature->result;

	if (dkim_sig_getkeysize(signature->info, &result->key_bits) != DKIM_STAT_OK)
		result->key_bits = 0;
	judge(verify, signature);
	result->partial =
		is_partial(signature) && (result->result == MG_DKIM_PASS || result->body_changed);
}

static void end_library(struct mg_dkim_verify *verify)
{
	size_t open = 0;
	DKIM_STAT status;

	for (size_t i = 0; i < verify->count; i++) {
		struct signature *signature = &verify->list[i];

		if (signature->open)
			get_key(verify, signature);
		if (signature->info != NULL && !signature->open)
			dkim_sig_ignore(signature->info);
		open += signature->open;
	}
	if (open == 0)
		return;
	status = dkim_eom(verify->library, NULL);
	for (size_t i = 0; i < verify->count; i++) {
		if (!verify->list[i].open)
			continue;
		if (status == DKIM_STAT_NORESOURCE || status == DKIM_STAT_INTERNAL)
			decide(&verify->list[i], MG_DKIM_TEMPERROR, "out of memory");
		else
			look_at_library(verify, &verify->list[i]);
	}
}

const struct mg_dkim_verified *mg_dkim_verify_end(struct mg_dkim_verify *verify, size_t *count)
{
	if (!verify->ended && verify->library != NULL)
		end_library(verify);
	verify->ended = true;
	for (size_t i = 0; i < verify->count; i++)
		verify->results[i] = verify->list[i].result;
	*count = verify->count;
	return verify->results;
}

void mg_dkim_verify_free(struct mg_dkim_verify *verify)
{
	if (verify == NULL)
		return;
	if (verify->library != NULL)
		dkim_free(verify->library);
	for (size_t i = 0; i < verify->count; i++) {
		mg_dkim_body_drop(&verify->list[i].whole);
		mg_buf_free(&verify->list[i].record);
	}
	free(verify->results);
	free(verify);
}

/* SPDX-License-Identifier: ISC */
#include "dkim/signing.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "dkim/author.h"
#include "dkim/long_lines.h"
#include "dkim/publish.h"
#include "dkim/report.h"
#include "dkim/settings.h"

enum {
	SIGNERS_MAX = 2 * DKIM_SIGNERS_MAX, /* of the author's domain and the platform's */
	PROBLEMS_MAX = 2,
	VALUE_MAX = 64 * 1024, /* of our field */
	/* Below the Received field of this Postfix, above all others. */
	POSITION = 1
};

#define PUBLISH_WAIT (2 * MG_SECOND)

static const char hold_field[] = "X-Millgate-Hold";
static const char out_of_memory[] = "out of memory";

bool dkim_signing_begin(struct mg_call *call, struct dkim_message *message)
{
	const struct dkim_settings *settings = call->conf;
	size_t limit = settings->long_lines == DKIM_LONG_CUT ? 0 : settings->line_limit, count;
	const struct mg_header *headers = mg_headers(call, &count);
	bool failed;

	if (headers == NULL || !mg_dkim_body_begin(&message->body, settings->body_form,
				       dkim_settings_cut(settings)))
		return false;
	message->begun = true;
	dkim_body_facts_begin(&message->facts, headers, count, limit);
	message->own = dkim_own_begin(call, settings, &failed);
	return !failed;
}

bool dkim_signing_body(struct mg_call *call, struct dkim_message *message,
	const unsigned char *chunk, size_t length)
{
	if (!message->begun && !dkim_signing_begin(call, message))
		return false;
	mg_dkim_body_add(&message->body, chunk, length);
	dkim_body_facts_add(&message->facts, chunk, length);
	dkim_own_body(message->own, chunk, length);
	return true;
}

void dkim_signing_drop(struct dkim_message *message)
{
	int64_t spent = message->spent;

	if (message->begun)
		mg_dkim_body_drop(&message->body);
	dkim_own_free(message->own);
	*message = (struct dkim_message){.spent = spent};
}

/* --- the end of a message, in steps --- */

struct work {
	struct mg_call *call;
	const struct dkim_settings *settings;
	struct dkim_message *message;
	struct mg_verdict *verdict;
	struct dkim_report report;
	struct dkim_author author;
	struct dkim_signer signers[SIGNERS_MAX];
	size_t signer_count;
	struct mg_buf values[SIGNERS_MAX];
	struct dkim_problem problems[PROBLEMS_MAX]; /* the first one stops it */
	size_t problem_count;
};

enum progress {
	GO_ON,
	STOP, /* unsigned, for the first problem */
	FAIL /* the verdict is made */
};

static enum progress fail(const struct work *work, const char *reason)
{
	work->verdict->action = MG_ERROR;
	mg_str_copy(work->verdict->reply, sizeof(work->verdict->reply), reason);
	return FAIL;
}

static const struct mg_header *headers_of(const struct work *work, size_t *count)
{
	return mg_headers(work->call, count);
}

/* Before any edit: what the edits of filters before left of the signatures that came with it. */
static enum progress settle_own(struct work *work)
{
	if (!work->message->begun && !dkim_signing_begin(work->call, work->message))
		return fail(work, out_of_memory);
	dkim_own_end(work->message->own, work->call);
	return GO_ON;
}

static enum progress take_holds_off(struct work *work)
{
	unsigned holds = 0;
	size_t count;
	const struct mg_header *headers = headers_of(work, &count);

	if (headers == NULL)
		return fail(work, out_of_memory);
	for (size_t i = 0; i < count; i++)
		holds += headers[i].name_length == sizeof(hold_field) - 1 &&
			 strncasecmp(headers[i].name, hold_field, sizeof(hold_field) - 1) == 0;
	for (; holds > 0; holds--)
		if (mg_change_header(work->call, hold_field, holds, NULL) != 0)
			return fail(work, out_of_memory);
	return GO_ON;
}

/* Of a message over a bound only a part was seen. */
static enum progress check_bound(struct work *work)
{
	const char *bound = work->call->message->over_bound;

	if (bound[0] == '\0')
		return GO_ON;
	dkim_problem_set(&work->problems[0], DKIM_OVER_BOUND, "", "over %s", bound);
	return STOP;
}

static enum progress match(struct work *work)
{
	struct mg_match_facts facts = {.message = work->call->message};
	struct mg_error error = {""};
	int fits;

	facts.headers = headers_of(work, &facts.header_count);
	if (facts.headers == NULL)
		return fail(work, out_of_memory);
	fits = mg_match_test(work->settings->match, &facts, &error);
	if (fits < 0)
		return fail(work, error.text);
	if (fits > 0)
		return GO_ON;
	dkim_problem_set(&work->problems[0], DKIM_NOT_MATCHED, "", "sign.match does not fit");
	return STOP;
}

static enum progress find_author(struct work *work)
{
	struct mg_error error = {""};
	size_t count;
	const struct mg_header *headers = headers_of(work, &count);
	int found;

	if (headers == NULL)
		return fail(work, out_of_memory);
	found = dkim_author_find(work->settings, work->call->message, headers, count, &work->author,
		&work->problems[0], &error);
	if (found < 0)
		return fail(work, error.text);
	return found > 0 ? GO_ON : STOP;
}

static bool is_chosen(const struct work *work, const struct dkim_signer *signer)
{
	for (size_t i = 0; i < work->signer_count; i++)
		if (strcmp(work->signers[i].domain, signer->domain) == 0 &&
			strcmp(work->signers[i].selector, signer->selector) == 0)
			return true;
	return false;
}

static void add_problem(
	struct work *work, enum dkim_choice choice, const char *domain, const char *reason)
{
	static const enum dkim_code codes[] = {
		[DKIM_NO_KEY] = DKIM_CODE_NO_KEY,
		[DKIM_GONE] = DKIM_KEY_GONE,
		[DKIM_REFUSED] = DKIM_KEY_REFUSED,
		[DKIM_BAD_DOMAIN] = DKIM_CODE_BAD_DOMAIN,
		[DKIM_UNREADABLE] = DKIM_KEYS_UNREADABLE,
	};
	struct dkim_problem *problem = &work->problems[work->problem_count++];

	if (choice == DKIM_NO_KEY)
		dkim_problem_set(problem, codes[choice], domain, "no key for %s in %s%s", domain,
			work->settings->folder,
			work->settings->pinned ? " of the selectors set" : "");
	else
		dkim_problem_set(problem, codes[choice], domain, "%s", reason);
}

static void choose_for(struct work *work, const char *domain)
{
	struct dkim_signer signers[DKIM_SIGNERS_MAX];
	struct mg_error reason = {""};
	size_t count = 0;
	enum dkim_choice choice = dkim_keys_choose(work->settings->keys, domain,
		work->call->message->deadline, signers, &count, &reason);

	if (choice != DKIM_CHOSEN) {
		add_problem(work, choice, domain, reason.text);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (is_chosen(work, &signers[i]))
			dkim_signers_release(&signers[i], 1);
		else
			work->signers[work->signer_count++] = signers[i];
	}
}

static enum progress choose_keys(struct work *work)
{
	const char *also = work->settings->also;

	choose_for(work, work->author.signing);
	if (also[0] != '\0' && strcmp(also, work->author.signing) != 0)
		choose_for(work, also);
	for (size_t i = 0; i < work->problem_count; i++) {
		if (!dkim_problem_defers(work->settings, work->problems[i].code))
			continue;
		work->problems[0] = work->problems[i];
		return STOP;
	}
	return work->signer_count > 0 ? GO_ON : STOP;
}

static enum progress leave_out_own(struct work *work)
{
	struct dkim_signer *signers = work->signers;
	size_t kept = 0;
	char domain[256];

	mg_str_copy(domain, sizeof(domain), signers[0].domain);
	for (size_t i = 0; i < work->signer_count; i++) {
		if (dkim_own_has(work->message->own, signers[i].domain, signers[i].selector))
			dkim_signers_release(&signers[i], 1);
		else
			signers[kept++] = signers[i];
	}
	work->signer_count = kept;
	if (!dkim_own_remove_invalid(work->message->own, work->call))
		return fail(work, out_of_memory);
	if (kept > 0)
		return GO_ON;
	dkim_problem_set(&work->problems[0], DKIM_ALREADY_SIGNED, domain,
		"it came with a valid signature of %s", domain);
	return STOP;
}

static enum progress mind_long_lines(struct work *work)
{
	const struct dkim_settings *settings = work->settings;
	size_t limit = settings->line_limit, count;
	const struct mg_header *headers = headers_of(work, &count);
	bool left = false;

	if (headers == NULL)
		return fail(work, out_of_memory);
	if (limit == 0)
		return GO_ON;
	if (settings->long_lines != DKIM_LONG_CUT)
		left = dkim_long_lines_any(headers, count, settings->names, limit);
	else if (!dkim_long_lines_fold(work->call, settings->names, limit, &left))
		return fail(work, out_of_memory);
	if (settings->long_lines == DKIM_LONG_SKIP && (left || work->message->facts.long_line)) {
		dkim_problem_set(&work->problems[0], DKIM_LONG_LINE, work->signers[0].domain,
			"a line of the %s is over %zu octets", left ? "header" : "body", limit);
		return STOP;
	}
	work->report.fragile |= (unsigned)left << DKIM_LONG_HEADER_LINE;
	work->report.fragile |= (unsigned)work->message->facts.long_line << DKIM_LONG_BODY_LINE;
	return GO_ON;
}

static enum progress judge_fragile(struct work *work)
{
	size_t count;
	const struct mg_header *headers = headers_of(work, &count);
	bool eight_bit, controls, many;

	if (headers == NULL)
		return fail(work, out_of_memory);
	eight_bit = work->message->facts.eight_bit || dkim_fragile_header(headers, count);
	work->report.fragile |= (unsigned)eight_bit << DKIM_EIGHT_BIT;
	controls = work->settings->header_form == MG_DKIM_RELAXED &&
		   dkim_fragile_controls(headers, count, work->settings->names);
	work->report.fragile |= (unsigned)controls << DKIM_CONTROLS;
	many = dkim_fragile_many(headers, count, work->settings->names);
	work->report.fragile |= (unsigned)many << DKIM_MANY_FIELDS;
	work->report.fragile |= (unsigned)dkim_fragile_expires(work->settings->expire)
				<< DKIM_EXPIRES;
	if (work->report.fragile == 0 || work->settings->fragile == DKIM_FRAGILE_SIGN)
		return GO_ON;
	dkim_problem_set(&work->problems[0], DKIM_CODE_FRAGILE, work->signers[0].domain,
		"the signature may break on its way");
	return STOP;
}

static bool sign_by(struct work *work, size_t index, const unsigned char body_hash[MG_SHA256_SIZE],
	struct mg_error *error)
{
	const struct dkim_settings *settings = work->settings;
	const struct dkim_signer *signer = &work->signers[index];
	const struct mg_clock *clock = work->call->world->clock;
	char identity[257] = "";
	struct mg_dkim_signing signing = {
		.names = settings->names,
		.header_form = settings->header_form,
		.body_form = settings->body_form,
		.line_limit = dkim_settings_cut(settings),
		.body_hash = body_hash,
		.domain = signer->domain,
		.selector = signer->selector,
		.identity = identity,
		.key = signer->key,
		.time = clock->utc(clock) / MG_SECOND,
	};

	if (settings->expire > 0)
		signing.expires = signing.time + settings->expire;
	if (signer->allows_subdomains)
		dkim_author_identity(work->author.domain, signer->domain, identity);
	signing.headers = headers_of(work, &signing.header_count);
	work->values[index].limit = VALUE_MAX;
	if (signing.headers != NULL && mg_dkim_sign(&signing, &work->values[index], error) == 0 &&
		!work->values[index].failed)
		return true;
	if (error->text[0] == '\0')
		mg_error_set(error, "%s", out_of_memory);
	return false;
}

static enum progress sign(struct work *work)
{
	unsigned char body_hash[MG_SHA256_SIZE];
	struct mg_error error = {""};

	work->message->begun = false;
	if (!mg_dkim_body_end(&work->message->body, body_hash))
		return fail(work, "the body could not be hashed");
	for (size_t i = 0; i < work->signer_count; i++) {
		if (sign_by(work, i, body_hash, &error))
			continue;
		dkim_problem_set(&work->problems[0], DKIM_SIGNING_FAILED, work->signers[i].domain,
			"%s", error.text);
		return STOP;
	}
	return GO_ON;
}

/* Tells of a key that DNS has not. */
static bool tell_unpublished(const struct work *work, const struct dkim_signer *signer,
	const struct dkim_publication *publication)
{
	struct mg_buf record = {0};
	bool told;

	dkim_publish_record(signer, &record);
	told = dkim_report_mismatch(&work->report, signer, publication->dns, publication->why,
		mg_buf_text(&record), work->verdict);
	mg_buf_free(&record);
	return told;
}

/* All signers' questions together end by then: a resolver that is silent costs a message that once. */
static int64_t publish_deadline(const struct work *work)
{
	const struct mg_clock *clock = work->call->world->clock;
	int64_t deadline = clock->monotonic(clock) + PUBLISH_WAIT;

	return deadline < work->call->message->deadline ? deadline : work->call->message->deadline;
}

static enum progress check_published(struct work *work)
{
	enum progress progress = GO_ON;
	int64_t deadline;

	if (work->settings->verify_before_send == DKIM_VERIFY_OFF)
		return GO_ON;
	deadline = publish_deadline(work);
	for (size_t i = 0; i < work->signer_count; i++) {
		const struct dkim_signer *signer = &work->signers[i];
		struct dkim_publication publication;
		enum dkim_published published = dkim_publish_check(
			work->call->world->dns, signer, false, deadline, &publication);

		if (published == DKIM_PUBLISHED)
			continue;
		if (!tell_unpublished(work, signer, &publication))
			return FAIL;
		if (published == DKIM_UNKNOWN ||
			work->settings->verify_before_send != DKIM_VERIFY_TEMPFAIL)
			continue;
		dkim_problem_set(&work->problems[0], DKIM_KEY_MISMATCH, signer->domain,
			"DNS has not the key of %s/%s: %s", signer->domain, signer->selector,
			publication.why);
		progress = STOP;
	}
	return progress;
}

/* The first signer's field on top. */
static enum progress insert(struct work *work)
{
	for (size_t i = work->signer_count; i-- > 0;)
		if (mg_insert_header(work->call, POSITION, "DKIM-Signature",
			    mg_buf_text(&work->values[i])) != 0)
			return fail(work, out_of_memory);
	return GO_ON;
}

static enum progress (*const steps[])(struct work *) = {
	settle_own,
	take_holds_off,
	check_bound,
	match,
	find_author,
	choose_keys,
	leave_out_own,
	mind_long_lines,
	judge_fragile,
	sign,
	check_published,
	insert,
};

static enum progress walk(struct work *work)
{
	enum progress progress = GO_ON;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && progress == GO_ON; i++)
		progress = steps[i](work);
	return progress;
}

/* Should there have been another signature? An author may have no key, the platform was named. */
static bool is_missed(const struct work *work, const struct dkim_problem *problem)
{
	return dkim_problem_is_failure(problem->code) ||
	       strcmp(problem->domain, work->settings->also) == 0;
}

/* An event for each signature, and for a key that could not sign beside others. */
static void tell(struct work *work, enum progress progress)
{
	if (progress == STOP) {
		(void)dkim_report_unsigned(&work->report, &work->problems[0],
			dkim_problem_defers(work->settings, work->problems[0].code), work->verdict);
		return;
	}
	for (size_t i = 0; i < work->signer_count; i++)
		if (!dkim_report_signed(&work->report, &work->signers[i], work->verdict))
			return;
	for (size_t i = 0; i < work->problem_count; i++)
		if (is_missed(work, &work->problems[i]) &&
			!dkim_report_unsigned(
				&work->report, &work->problems[i], false, work->verdict))
			return;
}

void dkim_signing_end(struct mg_call *call, struct dkim_message *message, int64_t began,
	struct mg_verdict *verdict)
{
	const struct mg_clock *clock = call->world->clock;
	struct work work = {.call = call,
		.settings = call->conf,
		.message = message,
		.verdict = verdict,
		.report.call = call};
	enum progress progress = walk(&work);

	work.report.duration = message->spent + clock->monotonic(clock) - began;
	if (progress != FAIL)
		tell(&work, progress);
	for (size_t i = 0; i < SIGNERS_MAX; i++)
		mg_buf_free(&work.values[i]);
	dkim_signers_release(work.signers, work.signer_count);
}

/* SPDX-License-Identifier: ISC */
#include "dkim/settings.h"

#include <stdlib.h>
#include <string.h>

#include "auth/dkim_folder.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "mail/address.h"
#include "mail/header.h"

enum {
	LINE_LIMIT_MIN = 100, /* our own field has lines of 78 */
	LINE_LIMIT_MAX = 65535,
	BITS_MIN = 1024 /* RFC 8301 section 3.2 */
};

/* In the order of enum mg_dkim_form. */
static const char *const form_names[] = {"simple", "relaxed"};
enum { FORMS = sizeof(form_names) / sizeof(form_names[0]) };

/* The form whose name is the `length` bytes of text; false: none. */
static bool form_of(const char *text, size_t length, enum mg_dkim_form *form)
{
	for (size_t i = 0; i < FORMS; i++) {
		if (strlen(form_names[i]) != length || memcmp(form_names[i], text, length) != 0)
			continue;
		*form = (enum mg_dkim_form)i;
		return true;
	}
	return false;
}

static bool read_forms(const char *text, enum mg_dkim_form *header, enum mg_dkim_form *body)
{
	size_t length = strcspn(text, "/");

	return text[length] == '/' && form_of(text, length, header) &&
	       form_of(text + length + 1, strlen(text + length + 1), body);
}

static const char *check_forms(const char *text)
{
	enum mg_dkim_form header, body;

	return read_forms(text, &header, &body)
		       ? NULL
		       : "expected simple or relaxed, twice: \"relaxed/relaxed\"";
}

static bool read_domain(const char *text, char *domain, size_t size)
{
	struct mg_buf normal = {0};
	bool good = mg_domain_normalize(text, strlen(text), &normal) &&
		    mg_str_copy(domain, size, mg_buf_text(&normal));

	mg_buf_free(&normal);
	return good;
}

static const char *check_domain(const char *text)
{
	char domain[256];

	return read_domain(text, domain, sizeof(domain)) ? NULL : "expected a domain";
}

static const char *check_field(const char *text)
{
	return mg_header_name_valid(text, strlen(text)) ? NULL : "expected the name of a field";
}

static const char *check_selector(const char *text)
{
	return mg_dkim_is_selector(text) ? NULL
					 : "expected the name of a key's file without .pem: \"s1\"";
}

static const char *check_folder(const char *text)
{
	return text[0] == '/' ? NULL : "expected a path from the root: \"/etc/millgate/keys\"";
}

static const char *check_line_limit(const char *text)
{
	uint64_t limit;

	return mg_str_number(text, LINE_LIMIT_MAX, &limit) &&
			       (limit == 0 || limit >= LINE_LIMIT_MIN)
		       ? NULL
		       : "expected 0, for none, or at least 100";
}

/* clang-format off */
static const struct mg_option sign_options[] = {
	{.name = "canonicalization", .kind = MG_TEXT, .value = "relaxed/relaxed",
		.words = "simple|relaxed", .check = check_forms,
		.help = "Forms of header and body that are hashed: simple, in which any change breaks "
			"the signature, or relaxed, which forgives white space."},
	{.name = "headers", .kind = MG_LIST, .value = "{ }", .check = check_field,
		.help = "Fields that are signed, each as often as it is there; empty for those of "
			"RFC 6376 section 5.4.1, List-*, List-Unsubscribe-Post, Feedback-ID, "
			"Content-* and MIME-Version; From is always among them."},
	{.name = "oversign", .kind = MG_LIST, .value = "{ \"From\", \"Subject\", \"Date\", \"To\" }",
		.check = check_field,
		.help = "Fields of which none can be added without breaking the signature: From always, "
			"others if the message has them."},
	{.name = "by", .kind = MG_WORD, .value = "author", .words = "author|sender",
		.help = "Whose domain signs: that of the author, in From, or that of the envelope "
			"sender; mail with the null sender is the author's."},
	{.name = "domains", .kind = MG_LIST, .value = "{ }",
		.help = "Exceptions, a table as in millgate.conf(5): for an address, or else a domain, "
			"the domain that signs in its place; \"-\" or nothing leaves it unsigned."},
	{.name = "also", .kind = MG_TEXT, .value = "", .check = check_domain,
		.help = "A domain that signs each outbound message besides: the platform's own."},
	{.name = "expire", .kind = MG_DURATION, .value = "0s", .minimum = 0,
		.maximum = 365 * 24 * 3600 * MG_SECOND,
		.help = "How long a signature is good (x=); 0 for ever; below 5d it is fragile, for mail "
			"may be held or deferred for days."},
	{.name = "selectors", .kind = MG_LIST, .value = "{ }", .check = check_selector,
		.help = "Only keys of these selectors sign, whatever DNS has; empty for the newest that "
			"DNS has."},
	{.name = "match", .kind = MG_SECTION, .options = mg_match_options,
		.help = "Only outbound mail that fits is signed."},
	{.name = NULL},
};

const struct mg_option dkim_settings_options[] = {
	{.name = "keys", .kind = MG_TEXT, .value = MG_SYSCONFDIR "/keys", .check = check_folder,
		.help = "Folder of the keys, DOMAIN/SELECTOR.pem: a file there signs that domain."},
	{.name = "subdomains", .kind = MG_BOOL, .value = "yes",
		.help = "Sign a domain without a folder by the key of the next one above it."},
	{.name = "minimum_bits", .kind = MG_NUMBER, .value = "2048", .minimum = BITS_MIN,
		.maximum = MG_DKIM_RSA_MAX, .unit = "bits",
		.help = "Length of an RSA key; a shorter one is refused."},
	{.name = "check_dns", .kind = MG_DURATION, .value = "10m", .minimum = MG_SECOND,
		.maximum = 24 * 3600 * MG_SECOND,
		.help = "How often a key that waits for its record is looked up."},
	{.name = "unsigned", .kind = MG_WORD, .value = "send", .words = "send|tempfail",
		.help = "What becomes of outbound mail whose key is there but refused, unreadable or "
			"gone; mail of domains that never had one is sent as it is."},
	{.name = "line_limit", .kind = MG_NUMBER, .value = "998", .minimum = 0,
		.maximum = LINE_LIMIT_MAX, .unit = "octets", .check = check_line_limit,
		.help = "Postfix's smtp_line_length_limit: longer lines are cut when they are sent; 0 "
			"when it is 0 there."},
	{.name = "long_lines", .kind = MG_WORD, .value = "cut", .words = "cut|sign|skip",
		.help = "Longer lines: hash them as Postfix will cut them, fields folded at a blank "
			"before; sign them as they are; or leave the message unsigned."},
	{.name = "fragile", .kind = MG_WORD, .value = "sign", .words = "sign|skip|tempfail",
		.help = "Outbound mail whose signature may break on its way: sign it, with the reasons "
			"in the event; leave it unsigned; or defer it."},
	{.name = "verify_before_send", .kind = MG_WORD, .value = "off", .words = "off|log|tempfail",
		.help = "Compare the key in DNS with the one that signed: an event if they differ, or "
			"defer the message, too."},
	{.name = "passed", .kind = MG_BOOL, .value = "yes",
		.help = "An event message-passed for each message that is not outbound."},
	{.name = "sign", .kind = MG_SECTION, .options = sign_options,
		.help = "What is signed, and how."},
	{.name = NULL},
};
/* clang-format on */

static void read_values(const struct mg_conf *conf, struct dkim_settings *settings)
{
	settings->folder = mg_conf_text(conf, "keys");
	settings->by = (enum dkim_by)mg_conf_number(conf, "sign.by");
	settings->expire = mg_conf_number(conf, "sign.expire") / MG_SECOND;
	settings->line_limit = (size_t)mg_conf_number(conf, "line_limit");
	settings->unsigned_way = (enum dkim_unsigned)mg_conf_number(conf, "unsigned");
	settings->long_lines = (enum dkim_long_lines)mg_conf_number(conf, "long_lines");
	settings->fragile = (enum dkim_fragile)mg_conf_number(conf, "fragile");
	settings->verify_before_send = (enum dkim_verify)mg_conf_number(conf, "verify_before_send");
	settings->passed = mg_conf_bool(conf, "passed");
	/* Both were checked when they were read. */
	(void)read_forms(mg_conf_text(conf, "sign.canonicalization"), &settings->header_form,
		&settings->body_form);
	(void)read_domain(mg_conf_text(conf, "sign.also"), settings->also, sizeof(settings->also));
}

static void read_names(
	const struct mg_conf *conf, struct dkim_settings *settings, struct mg_errors *errors)
{
	size_t header_count, oversign_count;
	const char *const *headers = mg_conf_list(conf, "sign.headers", &header_count);
	const char *const *oversign = mg_conf_list(conf, "sign.oversign", &oversign_count);
	struct mg_error error = {""};

	settings->names =
		mg_dkim_names_new(headers, header_count, oversign, oversign_count, &error);
	if (settings->names == NULL)
		mg_conf_error(mg_conf_section(conf, "sign"), "headers", errors, "%s", error.text);
}

static void open_domains(
	const struct mg_conf *conf, struct dkim_settings *settings, struct mg_errors *errors)
{
	const struct mg_conf *sign = mg_conf_section(conf, "sign");
	struct mg_errors wrong = {.count = 0};
	size_t count;
	const char *const *entries = mg_conf_list(sign, "domains", &count);

	if (count > 0)
		settings->domains = mg_table_open(entries, count, &wrong);
	for (size_t i = 0; i < wrong.kept; i++)
		mg_conf_error(sign, "domains", errors, "domains: %s", wrong.list[i].text);
	mg_errors_clear(&wrong);
}

static void open_keys(const struct mg_conf *conf, const struct mg_world *world,
	struct dkim_settings *settings, struct mg_errors *errors)
{
	struct dkim_keys_settings of_keys = {
		.folder = settings->folder,
		.subdomains = mg_conf_bool(conf, "subdomains"),
		.minimum_bits = (unsigned)mg_conf_number(conf, "minimum_bits"),
		.check_dns = mg_conf_number(conf, "check_dns"),
	};
	struct mg_error error = {""};

	of_keys.selectors = mg_conf_list(conf, "sign.selectors", &of_keys.selector_count);
	settings->pinned = of_keys.selector_count > 0;
	settings->keys = dkim_keys_open(
		&of_keys, world->dns, world->clock, world->events, world->serving, &error);
	if (settings->keys == NULL)
		mg_conf_error(conf, "keys", errors, "%s", error.text);
}

struct dkim_settings *dkim_settings_new(
	const struct mg_conf *conf, const struct mg_world *world, struct mg_errors *errors)
{
	struct dkim_settings *settings = calloc(1, sizeof(*settings));
	size_t before = errors->count;

	if (settings == NULL) {
		mg_errors_add(errors, "out of memory");
		return NULL;
	}
	read_values(conf, settings);
	read_names(conf, settings, errors);
	open_domains(conf, settings, errors);
	settings->match = mg_match_new(mg_conf_section(conf, "sign.match"), errors);
	if (errors->count == before)
		open_keys(conf, world, settings, errors);
	if (errors->count == before)
		return settings;
	dkim_settings_free(settings);
	return NULL;
}

void dkim_settings_free(struct dkim_settings *settings)
{
	if (settings == NULL)
		return;
	if (settings->keys != NULL)
		dkim_keys_close(settings->keys);
	if (settings->match != NULL)
		mg_match_free(settings->match);
	if (settings->domains != NULL)
		mg_table_close(settings->domains);
	if (settings->names != NULL)
		mg_dkim_names_free(settings->names);
	free(settings);
}

size_t dkim_settings_cut(const struct dkim_settings *settings)
{
	return settings->long_lines == DKIM_LONG_CUT ? settings->line_limit : 0;
}

/* SPDX-License-Identifier: ISC */
#include "cli/key.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/postfix.h"
#include "cli/screen.h"
#include "mail/address.h"

enum cli_exit cli_key_arguments(const struct cli_call *call, char domain[MG_DKIM_DOMAIN_MAX + 1],
	char selector[MG_DKIM_SELECTOR_MAX + 1])
{
	const char *name = cli_argument(call, 0), *wanted = cli_argument(call, 1);
	struct mg_buf normal = {.limit = 0};
	char shown[CLI_QUOTED_MAX];
	bool good = true;

	domain[0] = selector[0] = '\0';
	if (name != NULL)
		good = mg_domain_normalize(name, strlen(name), &normal) &&
		       mg_str_copy(domain, MG_DKIM_DOMAIN_MAX + 1, mg_buf_text(&normal)) &&
		       mg_dkim_is_domain(domain);
	mg_buf_free(&normal);
	if (!good)
		return (enum cli_exit)cli_fail(call, CLI_USAGE, "%s is no domain",
			cli_screen_quoted(shown, name, strlen(name)));
	if (wanted == NULL)
		return CLI_GOOD;
	if (!mg_dkim_is_selector(wanted))
		return (enum cli_exit)cli_fail(call, CLI_USAGE,
			"%s is no selector; expected letters, digits and \"-\", %d at most",
			cli_screen_quoted(shown, wanted, strlen(wanted)), MG_DKIM_SELECTOR_MAX);
	mg_str_copy(selector, MG_DKIM_SELECTOR_MAX + 1, wanted);
	return CLI_GOOD;
}

const char *cli_key_type(const struct mg_dkim_key *key, char type[CLI_KEY_TYPE_MAX])
{
	if (key == NULL)
		mg_str_copy(type, CLI_KEY_TYPE_MAX, "-");
	else if (mg_dkim_key_algorithm(key) == MG_DKIM_RSA_SHA256)
		mg_str_format(type, CLI_KEY_TYPE_MAX, "rsa-%u", mg_dkim_key_bits(key));
	else
		mg_str_copy(
			type, CLI_KEY_TYPE_MAX, mg_dkim_key_type_name(mg_dkim_key_algorithm(key)));
	return type;
}

int64_t cli_key_needed_until(time_t retired)
{
	int64_t then = (int64_t)retired * MG_SECOND, lifetime = cli_postfix_lifetime();
	int64_t now = mg_clock_system.utc(&mg_clock_system);

	return then + lifetime > now || cli_postfix_held_before(then) <= 0 ? then + lifetime
									   : now + lifetime;
}

void cli_key_json(struct cli_json *json, const struct cli_key *key)
{
	char type[CLI_KEY_TYPE_MAX];

	cli_json_text(json, "millgate.dkim.domain", key->domain);
	cli_json_text(json, "millgate.dkim.selector", key->selector);
	if (key->key != NULL)
		cli_json_text(json, "millgate.dkim.algorithm",
			mg_dkim_algorithm_name(mg_dkim_key_algorithm(key->key)));
	if (key->seen.dns != CLI_DNS_NOT_ASKED)
		cli_json_text(json, "millgate.dkim.dns", key->seen.word);
	if (key->fault != NULL) {
		cli_json_text(json, "event.code", key->fault->code);
		cli_json_text(json, "event.reason", key->fault->what);
		cli_json_text(json, "millgate.dkim.path", key->fault->path);
	} else if (key->seen.why[0] != '\0') {
		cli_json_text(json, "event.reason", key->seen.why);
	}
	cli_json_text(json, "state", cli_key_state_name(key->state));
	if (key->key != NULL)
		cli_json_text(json, "type", cli_key_type(key->key, type));
}

int cli_key_json_end(const struct cli_call *call, struct cli_json *json, int status)
{
	return cli_json_print(json, stdout) == 0 ? status
						 : cli_fail(call, CLI_FAILED, "out of memory");
}

int cli_key_worse(int one, int other)
{
	/* What is bad comes before what is not known, and that before what is to be looked at. */
	static const int rank[] = {
		[CLI_GOOD] = 0, [CLI_LOOK] = 1, [CLI_UNKNOWN] = 2, [CLI_BAD] = 3};

	return rank[one] >= rank[other] ? one : other;
}

int cli_key_none(const struct cli_call *call, const struct cli_settings *settings,
	const char *domain, const char *selector)
{
	return cli_fail(call, CLI_UNKNOWN, "no key %s%s%s in %s", domain,
		selector[0] != '\0' ? "/" : "", selector, settings->keys);
}

/* SPDX-License-Identifier: ISC */
#include "cli/settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "event/settings.h"
#include "run/resolver.h"

enum { PATH_SIZE = 512 };

static const struct mg_option sign_options[] = {
	{.name = "selectors", .kind = MG_LIST, .value = "{ }"},
	{.name = NULL},
};

/* Defaults are those of dkim.conf(5) and common.conf. */
static const struct mg_option options[] = {
	{.name = "keys", .kind = MG_TEXT, .value = MG_SYSCONFDIR "/keys"},
	{.name = "minimum_bits", .kind = MG_NUMBER, .value = "2048"},
	{.name = "check_dns", .kind = MG_DURATION, .value = "10m"},
	{.name = "sign", .kind = MG_SECTION, .options = sign_options},
	{.name = "resolver", .kind = MG_SECTION, .options = mg_resolver_options},
	{.name = NULL},
};

static const struct mg_option *const tables[] = {options, mg_events_options, NULL};

void cli_settings_errors(const struct cli_call *call, struct mg_errors *errors)
{
	for (size_t i = 0; i < errors->kept; i++)
		cli_fail(call, 0, "%s", errors->list[i].text);
	if (errors->count > errors->kept)
		cli_fail(call, 0, "and %zu more errors", errors->count - errors->kept);
	mg_errors_clear(errors);
}

struct mg_conf *cli_settings_load(
	const struct cli_call *call, const char *name, const struct mg_option *const wanted[])
{
	char path[PATH_SIZE];
	struct mg_errors errors = {0};
	struct mg_conf *conf;

	if (!mg_str_format(path, sizeof(path), "%s/%s", call->config, name)) {
		cli_fail(call, 0, "--config: longer than %d bytes", PATH_SIZE);
		return NULL;
	}
	if (access(path, F_OK) != 0 && errno == ENOENT)
		conf = mg_conf_load(NULL, wanted, NULL, &errors);
	else
		conf = mg_conf_load_part(path, wanted, &errors);
	cli_settings_errors(call, &errors);
	return conf;
}

enum cli_exit cli_settings_read_common(const struct cli_call *call, struct cli_settings *settings)
{
	*settings = (struct cli_settings){.selector_count = 0};
	if (access(call->config, X_OK) != 0 &&
		(errno != ENOENT || strcmp(call->config, MG_SYSCONFDIR) != 0))
		return (enum cli_exit)cli_fail(
			call, CLI_CONFIGURATION, "%s: %s", call->config, strerror(errno));
	settings->common = cli_settings_load(call, "common.conf", tables);
	if (settings->common == NULL)
		return CLI_CONFIGURATION;
	mg_events_spool_settings(settings->common, "operator", &settings->operator_log);
	return CLI_GOOD;
}

enum cli_exit cli_settings_read(const struct cli_call *call, struct cli_settings *settings)
{
	enum cli_exit status = cli_settings_read_common(call, settings);

	if (status != CLI_GOOD)
		return status;
	settings->dkim = cli_settings_load(call, "dkim.conf", tables);
	if (settings->dkim == NULL)
		return CLI_CONFIGURATION;
	settings->keys = mg_conf_text(settings->dkim, "keys");
	settings->minimum_bits = (unsigned)mg_conf_number(settings->dkim, "minimum_bits");
	settings->asks_dns = mg_conf_number(settings->dkim, "check_dns") > 0;
	settings->selectors =
		mg_conf_list(settings->dkim, "sign.selectors", &settings->selector_count);
	settings->dkim_events = mg_conf_text(settings->dkim, "events.directory");
	return CLI_GOOD;
}

int cli_settings_unreadable(const struct cli_call *call, const struct mg_error *error)
{
	bool denied = strstr(error->text, strerror(EACCES)) != NULL;

	return cli_fail(call, denied ? CLI_DENIED : CLI_FAILED, "%s%s", error->text,
		denied ? "; root and the group adm can read event logs" : "");
}

void cli_settings_free(struct cli_settings *settings)
{
	mg_conf_free(settings->dkim);
	mg_conf_free(settings->common);
	settings->dkim = settings->common = NULL;
}

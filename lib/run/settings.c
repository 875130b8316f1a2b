/* SPDX-License-Identifier: ISC */
#include "run/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "event/settings.h"
#include "mail/origin.h"
#include "run/resolver.h"

static const char *check_socket(const char *text)
{
	struct mg_endpoint endpoint;

	return mg_endpoint_parse(text, &endpoint, NULL)
		       ? NULL
		       : "expected \"unix:/PATH\", \"inet:PORT@HOST\" or \"fd:N\"";
}

static const char *check_authserv_id(const char *text)
{
	return text[strcspn(text, " \t\r\n;()\"\\")] == '\0' && strlen(text) < 256
		       ? NULL
		       : "expected a name without blanks, such as \"mx.example.org\"";
}

static const struct mg_option bounds_options[] = {{.name = "headers",
							  .kind = MG_NUMBER,
							  .value = "1000",
							  .minimum = 1,
							  .maximum = 100000,
							  .unit = "header fields",
							  .help = "Header fields of a message."},
	{.name = "recipients",
		.kind = MG_NUMBER,
		.value = "50000",
		.minimum = 1,
		.maximum = 1000000,
		.unit = "recipients",
		.help = "Recipients of a message."},
	{.name = "connections",
		.kind = MG_NUMBER,
		.value = "1000",
		.minimum = 1,
		.maximum = 100000,
		.unit = "connections",
		.help = "Connections of Postfix at a time (engine native)."},
	{.name = "message_memory",
		.kind = MG_SIZE,
		.value = "1M",
		.minimum = 64 * 1024,
		.maximum = INT64_C(1) << 30,
		.unit = "bytes",
		.help = "Memory of one message: its header and what filters keep of it."},
	{.name = "memory",
		.kind = MG_SIZE,
		.value = "1G",
		.minimum = 1024 * 1024,
		.maximum = INT64_C(1) << 40,
		.unit = "bytes",
		.help = "Memory of all messages under way together."},
	{.name = NULL}};

static const struct mg_option common_options[] = {
	{.name = "socket",
		.kind = MG_TEXT,
		.check = check_socket,
		.help = "Where Postfix connects: unix:PATH, inet:PORT@HOST, or fd:N, a socket"
			" that is already listening; a socket "
			"unit of systemd goes before this setting."},
	{.name = "engine",
		.kind = MG_WORD,
		.value = "native",
		.words = "native|libmilter",
		.help = "What speaks the milter protocol."},
	{.name = "gateway",
		.kind = MG_TEXT,
		.value = "",
		.help = "Name of this gateway in trace.id; empty for the host name."},
	{.name = "authserv_id",
		.kind = MG_TEXT,
		.value = "",
		.check = check_authserv_id,
		.help = "Name in this gateway's Authentication-Results fields, the same on all of "
			"your gateways; empty for that of gateway."},
	{.name = "on_error",
		.kind = MG_WORD,
		.value = "tempfail",
		.words = "tempfail|accept|reject",
		.help = "What becomes of mail that cannot be judged now: memory, disk, time."},
	{.name = "on_bound",
		.kind = MG_WORD,
		.value = "reject",
		.words = "reject|accept|hold",
		.help = "What becomes of mail over a bound, which no retry changes."},
	{.name = "hold",
		.kind = MG_WORD,
		.value = "quarantine",
		.words = "quarantine|header",
		.help = "How mail is held: by the milter's quarantine, after which no later "
			"filter sees it, or by the field "
			"X-Millgate-Hold, which hold.regexp in milter_header_checks turns "
			"into a hold."},
	{.name = "dry_run",
		.kind = MG_BOOL,
		.value = "no",
		.help = "Decide and log, change nothing."},
	{.name = "message_timeout",
		.kind = MG_DURATION,
		.value = "20s",
		.minimum = 100 * MG_MILLISECOND,
		.maximum = 600 * MG_SECOND,
		.help = "Time of all work on one message together; waiting for Postfix is not"
			" counted."},
	{.name = "stop_timeout",
		.kind = MG_DURATION,
		.value = "25s",
		.minimum = 0,
		.maximum = 600 * MG_SECOND,
		.help = "How long messages under way may take to finish when the daemon ends."},
	{.name = "metrics",
		.kind = MG_TEXT,
		.value = MG_RUNDIR,
		.help = "Directory of NAME.prom for node_exporter's textfile collector; empty"
			" for none."},
	{.name = "bounds",
		.kind = MG_SECTION,
		.options = bounds_options,
		.help = "Bounds of every message."},
	{.name = "resolver",
		.kind = MG_SECTION,
		.options = mg_resolver_options,
		.help = "Who answers questions to the DNS."},
	{.name = NULL}};

enum { COMMON_COUNT = sizeof common_options / sizeof common_options[0] };

/* The default of `option` for this filter, or the general one. */
static const char *filter_default(const struct mg_filter *filter, const struct mg_option *option)
{
	size_t length = strlen(option->name);

	for (const char *const *row = filter->defaults; row != NULL && *row != NULL; row++)
		if (strncmp(*row, option->name, length) == 0 && (*row)[length] == '=')
			return *row + length + 1;
	return option->value;
}

/* The one table that is made, not declared. */
struct common {
	struct mg_option options[COMMON_COUNT];
	char socket[128]; /* the default of `socket` */
};

bool mg_settings_options(
	const struct mg_filter *filter, const struct mg_option *tables[MG_OPTION_TABLES])
{
	struct common *common = malloc(sizeof(*common));
	size_t next = 0;

	if (common == NULL)
		return false;
	memcpy(common->options, common_options, sizeof(common_options));
	mg_str_format(common->socket, sizeof(common->socket), "unix:%s/%s.sock", MG_SOCKETDIR,
		filter->name);
	for (size_t row = 0; row + 1 < COMMON_COUNT; row++)
		common->options[row].value = filter_default(filter, &common->options[row]);
	common->options[0].value = common->socket;
	tables[next++] = common->options;
	tables[next++] = mg_origin_options;
	tables[next++] = mg_events_options;
	if (filter->options != NULL)
		tables[next++] = filter->options;
	tables[next] = NULL;
	return true;
}

/* What every daemon has that serves no filter. */
static const char *const service_settings[] = {"gateway", "metrics", NULL};

static bool is_among(const char *name, const char *const names[])
{
	for (; names != NULL && *names != NULL; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

bool mg_settings_service_options(const struct mg_option *own, const char *const common[],
	const struct mg_option *tables[MG_OPTION_TABLES])
{
	const struct mg_option *const shared[] = {common_options, mg_origin_options};
	size_t count = 0, next = 0;
	struct mg_option *made;

	for (size_t table = 0; table < 2; table++)
		for (const struct mg_option *row = shared[table]; row->name != NULL; row++)
			count++;
	made = calloc(count + 1, sizeof *made);
	if (made == NULL)
		return false;
	tables[next++] = made;
	for (size_t table = 0; table < 2; table++)
		for (const struct mg_option *row = shared[table]; row->name != NULL; row++) {
			*made = *row;
			made->foreign = !is_among(row->name, service_settings) &&
					!is_among(row->name, common);
			if (made->kind == MG_TEXT && made->value == NULL)
				made->value = "";
			made++;
		}
	tables[next++] = mg_events_options;
	tables[next++] = own;
	tables[next] = NULL;
	return true;
}

void mg_settings_options_free(const struct mg_option *tables[MG_OPTION_TABLES])
{
	free((struct mg_option *)(uintptr_t)tables[0]);
	tables[0] = NULL;
}

void mg_settings_gateway(
	const struct mg_conf *conf, char *gateway, size_t size, struct mg_errors *errors)
{
	if (!mg_str_copy(gateway, size, mg_conf_text(conf, "gateway")))
		mg_conf_error(conf, "gateway", errors, "gateway: longer than %zu bytes", size - 1);
	if (gateway[0] == '\0' && gethostname(gateway, size) != 0)
		mg_str_copy(gateway, size, "localhost");
	gateway[size - 1] = '\0';
}

void mg_settings_read(
	const struct mg_conf *conf, struct mg_settings *settings, struct mg_errors *errors)
{
	struct mg_error error;

	memset(settings, 0, sizeof *settings);
	if (!mg_endpoint_parse(mg_conf_text(conf, "socket"), &settings->socket, &error))
		mg_conf_error(conf, "socket", errors, "%s", error.text);
	mg_settings_gateway(conf, settings->gateway, sizeof settings->gateway, errors);
	settings->on_error = (enum mg_on_error)mg_conf_number(conf, "on_error");
	settings->on_bound = (enum mg_on_bound)mg_conf_number(conf, "on_bound");
	settings->hold = (enum mg_hold_way)mg_conf_number(conf, "hold");
	settings->dry_run = mg_conf_bool(conf, "dry_run");
	settings->message_timeout = mg_conf_number(conf, "message_timeout");
	settings->stop_timeout = mg_conf_number(conf, "stop_timeout");
	settings->headers = (size_t)mg_conf_number(conf, "bounds.headers");
	settings->connections = (size_t)mg_conf_number(conf, "bounds.connections");
	settings->recipients = (size_t)mg_conf_number(conf, "bounds.recipients");
	settings->message_memory = (size_t)mg_conf_number(conf, "bounds.message_memory");
	settings->memory = (size_t)mg_conf_number(conf, "bounds.memory");
	settings->metrics = mg_conf_text(conf, "metrics");
}

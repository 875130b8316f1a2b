/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"

#include <stddef.h>

#include "cli/auth.h"
#include "cli/dkim.h"
#include "cli/events.h"
#include "cli/key.h"
#include "cli/stuck.h"
#include "cli/trace.h"

#define NAMESERVER \
	{ \
		.name = "nameserver", .argument = "IP@PORT", \
		.help = "ask this server, and no other" \
	}

static const struct cli_option nameserver_options[] = {
	NAMESERVER,
	{.name = NULL},
};

#define FORMAT(default_value, text) \
	{ \
		.name = "format", .argument = "bind|value", .value = (default_value), \
		.help = (text) \
	}

static const struct cli_option key_new_options[] = {
	{.name = "type",
		.argument = "rsa:2048|rsa:4096|ed25519",
		.value = "rsa:2048",
		.help = "not all receivers verify ed25519"},
	FORMAT("bind", "lines of a zone, or the text alone"),
	{.name = NULL},
};

static const struct cli_option key_dns_options[] = {
	FORMAT(NULL, "one form: lines of a zone, or the text"),
	{.name = NULL},
};

static const struct cli_option key_retire_options[] = {
	NAMESERVER,
	{.name = "reason", .argument = "TEXT", .help = "why, for the record of what was done"},
	{.name = "yes", .help = "do it; without it, show the plan"},
	{.name = NULL},
};

static const struct cli_option events_options[] = {
	{.name = "follow", .help = "go on with those that come"},
	{.name = "since", .argument = "TIME", .value = "10m", .help = "not what is older"},
	{.name = "until", .argument = "TIME", .help = "not what is newer"},
	{.name = "action",
		.argument = "ACTION",
		.help = "of this action, or this word of the list"},
	{.name = "code", .argument = "CODE", .help = "of this code"},
	{.name = "user", .argument = "USER", .help = "of this user"},
	{.name = "host",
		.argument = "HOST",
		.help = "of this client or next hop, by name or address"},
	{.name = "tenant", .argument = "TENANT", .help = "of this tenant"},
	{.name = "where",
		.argument = "FIELD=GLOB",
		.help = "where a field, by its dotted name, is like that"},
	{.name = "would", .help = "what rules that only log would have done"},
	{.name = "limit", .argument = "N", .help = "the newest N"},
	{.name = NULL},
};

static const struct cli_option trace_options[] = {
	{.name = "client", .argument = "IP", .help = "of this client only"},
	{.name = "recipient", .argument = "ADDRESS", .help = "to this recipient only"},
	{.name = "events", .help = "the events as they stand in the logs"},
	{.name = "since", .argument = "TIME", .value = "30d", .help = "not what is older"},
	{.name = NULL},
};

static const struct cli_option stuck_options[] = {
	{.name = "older",
		.argument = "SPAN",
		.value = "0s",
		.help = "accepted longer ago than that"},
	{.name = "host", .argument = "HOST", .help = "at this next hop; * and ? are wild"},
	{.name = "tenant", .argument = "TENANT", .help = "of this tenant"},
	{.name = NULL},
};

static const struct cli_option auth_options[] = {
	{.name = "client", .argument = "IP", .help = "of this client, or network, only"},
	{.name = "since", .argument = "TIME", .value = "1d", .help = "not what is older"},
	{.name = NULL},
};

const struct cli_command cli_commands[] = {
	{.name = "auth",
		.arguments = "[USER]",
		.most = 1,
		.options = auth_options,
		.help = "Lists who fails to log in, and why.",
		.run = cli_auth},
	{.name = "dkim",
		.arguments = "FILE|-",
		.least = 1,
		.most = 1,
		.options = nameserver_options,
		.help = "Verifies the DKIM signatures of a message.",
		.run = cli_dkim},
	{.name = "events",
		.arguments = "",
		.options = events_options,
		.help = "Lists events, of all daemons together.",
		.run = cli_events},
	{.name = "key",
		.verb = "new",
		.arguments = "DOMAIN [SELECTOR]",
		.least = 1,
		.most = 2,
		.options = key_new_options,
		.help = "Makes a key, and shows its DNS record.",
		.run = cli_key_new},
	{.name = "key",
		.verb = "list",
		.arguments = "[DOMAIN]",
		.most = 1,
		.options = nameserver_options,
		.help = "Lists keys: which signs, what DNS has.",
		.run = cli_key_list},
	{.name = "key",
		.verb = "check",
		.arguments = "DOMAIN [SELECTOR]",
		.least = 1,
		.most = 2,
		.options = nameserver_options,
		.help = "Compares keys with each name server.",
		.run = cli_key_check},
	{.name = "key",
		.verb = "dns",
		.arguments = "DOMAIN [SELECTOR]",
		.least = 1,
		.most = 2,
		.options = key_dns_options,
		.help = "Shows the DNS record of a key.",
		.run = cli_key_dns},
	{.name = "key",
		.verb = "retire",
		.arguments = "DOMAIN SELECTOR",
		.least = 2,
		.most = 2,
		.options = key_retire_options,
		.help = "Takes a key out of use.",
		.run = cli_key_retire},
	{.name = "stuck",
		.arguments = "",
		.options = stuck_options,
		.help = "Groups the recipients that wait, by place.",
		.run = cli_stuck},
	{.name = "trace",
		.arguments = "QUEUE-ID|MESSAGE-ID|ADDRESS|REF",
		.least = 1,
		.most = 1,
		.options = trace_options,
		.help = "Tells what became of a message.",
		.run = cli_trace},
	{.name = NULL},
};

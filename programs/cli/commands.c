/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"

#include <stddef.h>

#include "cli/dkim.h"
#include "cli/key.h"

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

const struct cli_command cli_commands[] = {
	{.name = "dkim",
		.arguments = "FILE|-",
		.least = 1,
		.most = 1,
		.options = nameserver_options,
		.help = "Verifies the DKIM signatures of a message.",
		.run = cli_dkim},
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
	{.name = NULL},
};

/* SPDX-License-Identifier: ISC */
#include "cli/commands.h"

#include <stddef.h>

#include "cli/key.h"

static const struct cli_option nameserver_options[] = {
	{.name = "nameserver", .argument = "IP@PORT", .help = "ask this name server, and no other"},
	{.name = NULL},
};

#define FORMAT(default_value, text) \
	{ \
		.name = "format", .argument = "bind|value", .value = default_value, .help = text \
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

const struct cli_command cli_commands[] = {
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
		.verb = "dns",
		.arguments = "DOMAIN [SELECTOR]",
		.least = 1,
		.most = 2,
		.options = key_dns_options,
		.help = "Shows the DNS record of a key.",
		.run = cli_key_dns},
	{.name = NULL},
};

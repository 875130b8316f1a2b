/* SPDX-License-Identifier: ISC */
#include "track/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/store.h"
#include "track/source.h"

#define DAY (86400 * MG_SECOND)

static const char first_instance[] = "postfix", automatic[] = "auto";

static const char *check_instance(const char *text)
{
	if (strcmp(text, first_instance) == 0)
		return "it is followed without saying so";
	return text[0] != '\0' && strpbrk(text, "/[ \t") == NULL
		       ? NULL
		       : "expected a syslog_name, such as \"postfix-out\"";
}

static const char *check_directory(const char *text)
{
	return text[0] == '/' ? NULL : "expected the path of a configuration directory";
}

const struct mg_option track_options[] = {
	{.name = "follow",
		.kind = MG_TEXT,
		.value = "journal",
		.check = track_source_check,
		.help = "The log of Postfix: journal, or the path of a file that syslog or postlogd "
			"writes."},
	{.name = "store",
		.kind = MG_TEXT,
		.value = "lmdb:" MG_STATEDIR "/track",
		.check = mg_store_check,
		.help = "Where open messages are kept."},
	{.name = "overdue",
		.kind = MG_DURATION,
		.value = "4h",
		.minimum = MG_SECOND,
		.maximum = 30 * DAY,
		.help = "Time after which an accepted recipient without an end is told, by "
			"delivery-overdue."},
	{.name = "instances",
		.kind = MG_LIST,
		.value = "{ }",
		.check = check_instance,
		.help = "Other instances of Postfix to follow, by syslog_name."},
	{.name = "queues",
		.kind = MG_LIST,
		.value = "{ \"/etc/postfix\" }",
		.check = check_directory,
		.help = "Configuration directories of all instances, whose queues are compared with "
			"what is open once the log is read at the start; empty for none, as it is where instances "
			"has names and this is not set."},
	{.name = "expect",
		.kind = MG_LIST,
		.value = "{ \"auto\" }",
		.words = "auto|policy|dlp|dkim|log",
		.help = "Daemons that each message is to have an event of, else filter-missed is "
			"written; auto for each whose event log exists."},
	{.name = "expect_within",
		.kind = MG_DURATION,
		.value = "1m",
		.minimum = MG_SECOND,
		.maximum = DAY,
		.help = "How long after the message became active."},
	{.name = "smart_hosts",
		.kind = MG_LIST,
		.value = "{ }",
		.help = "Next hops behind which the end is not known, by name; * and ? are wild; "
			"what they take is handed over, not delivered."},
	{.name = "keep_replies",
		.kind = MG_DURATION,
		.value = "30d",
		.minimum = DAY,
		.maximum = 3650 * DAY,
		.help = "How long the end of each recipient is kept in the store."},
	{.name = NULL}};

const char *const track_common[] = {"reinject", NULL};

/* The entries of a list, `first` before them if it is there, ended by NULL. */
static const char **copy_list(const struct mg_conf *conf, const char *name, const char *first)
{
	size_t count, next = 0;
	const char *const *list = mg_conf_list(conf, name, &count);
	const char **copy = calloc(count + 2, sizeof *copy);

	if (copy == NULL)
		return NULL;
	if (first != NULL)
		copy[next++] = first;
	for (size_t i = 0; i < count; i++)
		copy[next++] = list[i];
	return copy;
}

/* Leaves expect NULL for "auto". False when memory is short. */
static bool read_expect(
	const struct mg_conf *conf, struct track_settings *settings, struct mg_errors *errors)
{
	const char **list = copy_list(conf, "expect", NULL);
	bool found = false;

	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		found = found || strcmp(list[i], automatic) == 0;
	if (!found) {
		settings->expect = list;
		return list != NULL;
	}
	if (list[1] != NULL)
		mg_conf_error(conf, "expect", errors, "expect: \"%s\" stands alone", automatic);
	free(list);
	return true;
}

struct track_settings *track_settings_new(
	const struct mg_conf *conf, const char *gateway, struct mg_errors *errors)
{
	struct track_settings *settings = calloc(1, sizeof *settings);
	bool many;

	if (settings == NULL)
		goto failed;
	settings->gateway = gateway;
	settings->follow = mg_conf_text(conf, "follow");
	settings->store = mg_conf_text(conf, "store");
	settings->overdue = mg_conf_number(conf, "overdue");
	settings->expect_within = mg_conf_number(conf, "expect_within");
	settings->keep_replies = mg_conf_number(conf, "keep_replies");
	settings->instances = copy_list(conf, "instances", first_instance);
	settings->own_listeners = copy_list(conf, "reinject", NULL);
	settings->smart_hosts = copy_list(conf, "smart_hosts", NULL);
	settings->queues = copy_list(conf, "queues", NULL);
	if (!read_expect(conf, settings, errors) || settings->instances == NULL ||
		settings->own_listeners == NULL || settings->smart_hosts == NULL ||
		settings->queues == NULL)
		goto failed;
	/* One queue would seem to have lost the messages of the others. */
	many = settings->instances[1] != NULL;
	if (many && !mg_conf_is_set(conf, "queues"))
		settings->queues[0] = NULL;
	return settings;
failed:
	mg_errors_add(errors, "track: out of memory");
	track_settings_free(settings);
	return NULL;
}

void track_settings_free(struct track_settings *settings)
{
	if (settings == NULL)
		return;
	free(settings->instances);
	free(settings->expect);
	free(settings->own_listeners);
	free(settings->smart_hosts);
	free(settings->queues);
	free(settings);
}

/* SPDX-License-Identifier: ISC */
#include "run/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* What each filter decides for itself: common.conf has them, for the filters' files include it,
 * too, but in the file of the process they would say nothing. */
static const char *const of_a_filter[] = {"on_error", "on_bound", "hold", "dry_run", "events"};

/* Name of the process's file, without its folder, as the configuration tells places. */
static const char *own_file = "";

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void check_filters(const struct mg_conf *conf, struct mg_errors *errors)
{
	size_t count;
	const char *const *names = mg_conf_list(conf, "filters", &count);

	if (count == 0)
		mg_conf_error(conf, "filters", errors, "filters: empty; expected one at least");
	for (size_t i = 1; i < count; i++)
		for (size_t before = 0; before < i; before++)
			if (strcmp(names[i], names[before]) == 0)
				mg_conf_error(
					conf, "filters", errors, "filters: \"%s\" twice", names[i]);
}

/* The `configure` of the process: what the language cannot check. */
static void *check_process(
	const struct mg_conf *conf, const struct mg_world *world, struct mg_errors *errors)
{
	(void)world;
	check_filters(conf, errors);
	for (size_t i = 0; i < sizeof of_a_filter / sizeof of_a_filter[0]; i++) {
		const char *file;
		unsigned line;

		mg_conf_place(conf, of_a_filter[i], &file, &line);
		if (strcmp(file, own_file) == 0 || strcmp(file, "-o") == 0)
			mg_conf_error(conf, of_a_filter[i], errors,
				"%s: each filter has its own, in its file (with -o: NAME.%s)",
				of_a_filter[i], of_a_filter[i]);
	}
	return NULL;
}

static size_t count_of(const char *const texts[])
{
	size_t count = 0;

	while (texts[count] != NULL)
		count++;
	return count;
}

static bool is_for(const char *override, const char *name)
{
	size_t length = strlen(name);

	return strncmp(override, name, length) == 0 && override[length] == '.';
}

/* Sorts the overrides: rows as built_in, the last one for the process. */
static bool sort_overrides(struct mg_filter_chain *chain, const char *const all[])
{
	size_t count = count_of(all), next[MG_FILTERS_MAX + 1] = {0};

	for (size_t row = 0; row <= MG_FILTERS_MAX; row++) {
		chain->overrides[row] = calloc(count + 1, sizeof *chain->overrides[row]);
		if (chain->overrides[row] == NULL)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		size_t row = 0, skip = 0;

		while (chain->built_in[row] != NULL && !is_for(all[i], chain->built_in[row]->name))
			row++;
		if (chain->built_in[row] != NULL)
			skip = strlen(chain->built_in[row]->name) + 1;
		else
			row = MG_FILTERS_MAX;
		chain->overrides[row][next[row]++] = all[i] + skip;
	}
	return true;
}

bool mg_filter_chain_init(struct mg_filter_chain *chain, const char *name,
	const struct mg_filter *const built_in[], const char *const overrides[])
{
	size_t length = 0;

	*chain = (struct mg_filter_chain){.built_in = built_in};
	for (size_t i = 0; built_in[i] != NULL; i++) {
		mg_str_format(chain->words + length, sizeof chain->words - length, "%s%s",
			i > 0 ? "|" : "", built_in[i]->name);
		length = strlen(chain->words);
	}
	chain->options[0] = (struct mg_option){.name = "filters",
		.kind = MG_LIST,
		.value = "{ }",
		.words = chain->words,
		.help = "The filters, in their order."};
	chain->process = (struct mg_filter){
		.name = name, .options = chain->options, .configure = check_process};
	return sort_overrides(chain, overrides);
}

void mg_filter_chain_free(struct mg_filter_chain *chain)
{
	for (size_t row = 0; row <= MG_FILTERS_MAX; row++)
		free(chain->overrides[row]);
}

const char *const *mg_filter_chain_overrides(const struct mg_filter_chain *chain)
{
	return chain->overrides[MG_FILTERS_MAX];
}

/* Gives the row-th built-in filter to hosted. */
static void host(struct mg_filter_chain *chain, size_t row, const struct mg_hosted *process,
	struct mg_hosted *hosted, struct mg_errors *errors)
{
	const char *name = chain->built_in[row]->name;
	int folder = (int)(base_name(process->path) - process->path);

	hosted->filter = chain->built_in[row];
	hosted->overrides = chain->overrides[row];
	hosted->path = chain->paths[row];
	if (!mg_str_format(chain->paths[row], sizeof chain->paths[row], "%.*s%s.conf", folder,
		    process->path, name))
		mg_errors_add(errors, "%s: path too long", process->path);
}

/* A filter that keeps something of the content, and may be given a new one, can forget the old. */
static void check_order(const struct mg_hosted *hosted, size_t count, struct mg_errors *errors)
{
	bool replaced = false;

	for (size_t i = 0; i < count; i++) {
		const struct mg_filter *filter = hosted[i].filter;

		if (replaced && filter->renew == NULL && filter->message_size > 0 &&
			(filter->header != NULL || filter->eoh != NULL || filter->body != NULL))
			mg_errors_add(errors,
				"filters: \"%s\" cannot follow a filter that "
				"replaces the body",
				filter->name);
		replaced = replaced || (filter->edits & MG_EDIT_BODY) != 0;
	}
}

static size_t choose(struct mg_filter_chain *chain, const struct mg_conf *conf,
	const struct mg_hosted *process, struct mg_hosted hosted[MG_FILTERS_MAX],
	struct mg_errors *errors)
{
	bool chosen[MG_FILTERS_MAX] = {false};
	size_t count;
	const char *const *names = mg_conf_list(conf, "filters", &count);

	check_process(conf, NULL, errors);
	for (const char *const *row = process->overrides; *row != NULL; row++)
		if (is_for(*row, "events"))
			mg_errors_add(
				errors, "-o: %s: each filter has its own: NAME.%s", *row, *row);
	for (size_t i = 0; i < count && errors->count == 0; i++) {
		size_t row = 0;

		while (strcmp(chain->built_in[row]->name, names[i]) != 0)
			row++;
		chosen[row] = true;
		host(chain, row, process, &hosted[i], errors);
	}
	for (size_t row = 0; chain->built_in[row] != NULL; row++)
		if (!chosen[row] && chain->overrides[row][0] != NULL && errors->count == 0)
			mg_errors_add(errors, "-o: %s.%s: filters does not name \"%s\"",
				chain->built_in[row]->name, chain->overrides[row][0],
				chain->built_in[row]->name);
	if (errors->count == 0)
		check_order(hosted, count, errors);
	return errors->count == 0 ? count : 0;
}

size_t mg_filter_chain_choose(struct mg_filter_chain *chain, const struct mg_hosted *process,
	struct mg_hosted hosted[MG_FILTERS_MAX], struct mg_errors *errors)
{
	struct mg_conf *conf;
	size_t count;

	own_file = base_name(process->path);
	conf = mg_conf_load(process->path, process->tables, process->overrides, errors);
	if (conf == NULL)
		return 0;
	count = choose(chain, conf, process, hosted, errors);
	mg_conf_free(conf);
	return count;
}

/* SPDX-License-Identifier: ISC */
/* chain: several filters in one process and one hop of the MTA: which ones, and where the settings
 * of each are. The process has a file of its own, chain.conf, whose setting `filters` names them in
 * their order; each keeps NAME.conf in the same folder, its event log and its metrics. For the
 * configuration the process is a filter without callbacks. */
#ifndef MG_RUN_CHAIN_H
#define MG_RUN_CHAIN_H
#include "run/snapshot.h"

struct mg_filter_chain {
	const struct mg_filter *const *built_in; /* ended by NULL */
	struct mg_filter process;
	struct mg_option options[2];
	char words[256]; /* of the setting `filters` */
	char paths[MG_FILTERS_MAX][4096];
	const char **overrides[MG_FILTERS_MAX + 1]; /* the last one the process's */
};

/* A process named `name` with these filters to choose from, MG_FILTERS_MAX at most, each with its
 * header; built_in must outlive it. overrides: of the command line, ended by NULL:
 * "NAME.setting=value" is of that filter, the others of the process. One chain a program. False: no
 * memory. */
bool mg_filter_chain_init(struct mg_filter_chain *chain, const char *name,
	const struct mg_filter *const built_in[], const char *const overrides[]);
void mg_filter_chain_free(struct mg_filter_chain *chain);
/* The overrides of the process. */
const char *const *mg_filter_chain_overrides(const struct mg_filter_chain *chain);
/* Reads the file of the process; gives the filters it names, their files and overrides to hosted.
 * Returns how many, 0 when errors has something. */
size_t mg_filter_chain_choose(struct mg_filter_chain *chain, const struct mg_hosted *process,
	struct mg_hosted hosted[MG_FILTERS_MAX], struct mg_errors *errors);
#endif

/* SPDX-License-Identifier: ISC */
#include "run/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "event/settings.h"
#include "run/resolver.h"

#ifndef PACKAGE_VERSION
#error "PACKAGE_VERSION comes from configure"
#endif

/* The resolver of a filter. NULL with errors. */
static struct mg_dns *choose_dns(
	const struct mg_hosted *hosted, const struct mg_conf *conf, struct mg_errors *errors)
{
	struct mg_dns *dns =
		hosted->dns != NULL ? mg_dns_use(hosted->dns) : mg_resolver_new(conf, errors);

	if (dns == NULL || hosted->dns_notes == NULL)
		return dns;
	dns = mg_dns_record_new(dns, hosted->dns_notes);
	if (dns == NULL)
		mg_errors_add(errors, "%s: out of memory", hosted->program);
	return dns;
}

static bool configure_one(const struct mg_hosted *hosted, struct mg_configured *configured,
	const struct mg_clock *clock, struct mg_errors *errors)
{
	const struct mg_events_identity identity = {
		.program = hosted->program, .host = hosted->host_name, .version = PACKAGE_VERSION};
	size_t before = errors->count;

	configured->filter = hosted->filter;
	configured->conf = mg_conf_load(hosted->path, hosted->tables, hosted->overrides, errors);
	if (configured->conf == NULL)
		return false;
	mg_settings_read(configured->conf, &configured->settings, errors);
	configured->origin = mg_origin_new(configured->conf, errors);
	configured->redact = mg_events_redact(configured->conf, errors);
	configured->dns = choose_dns(hosted, configured->conf, errors);
	if (errors->count > before)
		return false;
	configured->events = mg_events_new(&identity, configured->redact, hosted->spool, clock);
	if (configured->events == NULL) {
		mg_errors_add(errors, "%s: out of memory", hosted->program);
		return false;
	}
	configured->world = (struct mg_world){.clock = clock,
		.events = configured->events,
		.metrics = hosted->metrics,
		.dns = configured->dns,
		.serving = hosted->spool != NULL};
	if (hosted->filter->configure != NULL)
		configured->snapshot =
			hosted->filter->configure(configured->conf, &configured->world, errors);
	return errors->count == before;
}

static void free_one(struct mg_configured *configured)
{
	if (configured->snapshot != NULL && configured->filter->release != NULL)
		configured->filter->release(configured->snapshot);
	mg_dns_close(configured->dns);
	mg_events_free(configured->events);
	mg_redact_free(configured->redact);
	mg_origin_free(configured->origin);
	mg_conf_free(configured->conf);
}

struct mg_snapshot *mg_snapshot_load(const struct mg_hosted *process,
	const struct mg_hosted *hosted, size_t count, const struct mg_clock *clock,
	struct mg_errors *errors)
{
	const struct mg_configured *owner;
	struct mg_snapshot *snapshot = calloc(1, sizeof *snapshot);
	bool good = true;

	if (snapshot == NULL) {
		mg_errors_add(errors, "%s: out of memory", hosted[0].program);
		return NULL;
	}
	snapshot->uses = 1;
	if (process != NULL)
		good = configure_one(process, &snapshot->process, clock, errors);
	for (size_t i = 0; i < count; i++) {
		snapshot->count++;
		good = configure_one(&hosted[i], &snapshot->filters[i], clock, errors) && good;
	}
	if (!good) {
		mg_snapshot_release(snapshot);
		/* Freed there; the analyzer does not follow an atomic count. */
		return NULL; /* NOLINT(clang-analyzer-unix.Malloc) */
	}
	owner = process != NULL ? &snapshot->process : &snapshot->filters[0];
	snapshot->conf = owner->conf;
	snapshot->settings = &owner->settings;
	snapshot->origin = owner->origin;
	return snapshot;
}

void mg_snapshot_release(struct mg_snapshot *snapshot)
{
	if (snapshot == NULL || --snapshot->uses > 0)
		return;
	for (size_t i = 0; i < snapshot->count; i++)
		free_one(&snapshot->filters[i]);
	free_one(&snapshot->process);
	free(snapshot);
}

struct mg_snapshot *mg_snapshot_current(struct mg_snapshot_holder *holder)
{
	struct mg_snapshot *snapshot;

	pthread_mutex_lock(&holder->lock);
	snapshot = holder->current;
	snapshot->uses++;
	pthread_mutex_unlock(&holder->lock);
	return snapshot;
}

struct mg_snapshot *mg_snapshot_swap(
	struct mg_snapshot_holder *holder, struct mg_snapshot *snapshot)
{
	struct mg_snapshot *before;

	pthread_mutex_lock(&holder->lock);
	before = holder->current;
	holder->current = snapshot;
	pthread_mutex_unlock(&holder->lock);
	return before;
}

/* SPDX-License-Identifier: ISC */
#include "track/track.h"

#include "track/follow.h"
#include "track/settings.h"

static void *configure(
	const struct mg_conf *conf, const struct mg_service_world *world, struct mg_errors *errors)
{
	return track_settings_new(conf, world->gateway, errors);
}

static void release(void *snapshot)
{
	track_settings_free(snapshot);
}

static void *open_work(const void *snapshot, const struct mg_service_world *world, int *status,
	struct mg_error *error)
{
	return track_follow_open(snapshot, world, status, error);
}

static void describe(const void *work, char *text, size_t size)
{
	track_follow_describe(work, text, size);
}

static int step(void *work, int wake, int64_t timeout, struct mg_error *error)
{
	return track_follow_step(work, wake, timeout, error);
}

static int renew(void *work, const void *snapshot, const struct mg_service_world *world,
	struct mg_error *error)
{
	return track_follow_renew(work, snapshot, world, error);
}

static void measure(void *work)
{
	track_follow_measure(work);
}

static void close_work(void *work)
{
	track_follow_close(work);
}

const struct mg_service track_service = {.name = "track",
	.options = track_options,
	.common = track_common,
	.metrics = track_metrics,
	.writes_again = true,
	.configure = configure,
	.release = release,
	.open = open_work,
	.describe = describe,
	.step = step,
	.renew = renew,
	.measure = measure,
	.close = close_work};

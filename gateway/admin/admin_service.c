/*
 * admin_service.c: where the operator's pages are served, and the pulse of their history.
 *
 * The edge is the callers' own, under their limits of heads and times; but an operator gets
 * in when callers have taken all connections, and needs no certificate.
 */
#include "admin/admin_service.h"

#include "base/clock.h"
#include "edge/limits.h"

enum { SPARE_CONNECTIONS = 64 };

static const struct listen_settings *settings_now(void *owner)
{
	struct admin_listener *l = container_of(owner, struct admin_listener, door);
	const struct snapshot *s = l->door.pages->snapshot(l->door.pages->owner);
	if (s)
		l->settings = s->settings.listen;
	l->settings.tls = NULL;
	l->settings.n_cors_origins = 0;
	l->settings.max_connections += SPARE_CONNECTIONS;
	l->settings.max_connections_per_address += SPARE_CONNECTIONS;
	return &l->settings;
}

static bool is_loopback(struct str address)
{
	return str_starts(address, STR("127.")) || str_starts(address, STR("[::1]:")) ||
	       str_starts(address, STR("localhost:")) || str_starts(address, STR("unix:"));
}

static bool open_listener(struct admin_listener *l, struct admin_pages *pages, struct str address, bool health_only,
			  struct buf *why)
{
	if (str_empty(address) || str_eq(address, STR("off")))
		return true;
	l->door = (struct admin_door){ pages, is_loopback(address), health_only };
	l->service = (struct edge_service){
		.loop = pages->loop, .owner = &l->door, .begin = admin_begin, .settings = settings_now,
	};
	if (!edge_bind(&l->socket, address, EDGE_ALONE, why))
		return false;
	l->listener = listener_open(&l->service, &l->socket);
	if (!l->listener)
		buf_addf(why, "cannot listen on %.*s", STR_FMT(address));
	return l->listener;
}

static void on_sampling(struct timer *t)
{
	struct admin_service *a = container_of(t, struct admin_service, sampling);
	status_sample(&a->pages.history);
	timer_in(t, STATUS_SAMPLE_S * SECOND_US);
}

bool admin_open(struct admin_service *a, const struct admin_options *o, const struct admin_settings *settings,
		struct buf *why)
{
	*a = (struct admin_service){
		.pages = { .loop = o->loop, .snapshot = o->snapshot,   .owner = o->owner, .explain = o->explain,
			   .keys = o->keys, .usage = o->usage, .cache = o->cache,
			   .connections = limits_connections },
	};
	timer_open(&a->sampling, o->loop, on_sampling);
	if (open_listener(&a->main, &a->pages, settings->address, false, why) &&
	    open_listener(&a->metrics, &a->pages, settings->metrics_address, true, why)) {
		status_sample(&a->pages.history);
		timer_in(&a->sampling, STATUS_SAMPLE_S * SECOND_US);
		return true;
	}
	admin_close(a);
	return false;
}

void admin_close(struct admin_service *a)
{
	timer_close(&a->sampling);
	if (a->main.listener)
		listener_close(a->main.listener);
	if (a->metrics.listener)
		listener_close(a->metrics.listener);
	a->main.listener = a->metrics.listener = NULL;
}

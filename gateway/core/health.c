/*
 * health.c: liveness and readiness, and what stands behind them.
 */
#include "core/health.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "core/breaker.h"
#include "core/snapshot.h"

static _Atomic bool draining;

static struct {
	const char *name, *(*state)(const void *store);
	const void *store;
} kept_in = { .name = "memory" };

void health_store(const char *name, const char *(*state)(const void *store), const void *store)
{
	kept_in.name = name;
	kept_in.state = state;
	kept_in.store = store;
}

void health_set_draining(void)
{
	atomic_store(&draining, true);
}

bool health_draining(void)
{
	return atomic_load_explicit(&draining, memory_order_relaxed);
}

/* Models may share a target: it is told once. */
static bool told(const struct snapshot *s, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (str_eq(s->targets[k]->name, s->targets[i]->name))
			return true;
	return false;
}

static void add_targets(const struct snapshot *s, struct buf *out)
{
	enum breaker_class open;
	int64_t back;
	buf_add(out, STR(",\"targets\":{"));
	for (unsigned i = 0; i < s->n_targets; i++) {
		const struct live_target *live = s->targets[i]->live;
		if (told(s, i))
			continue;
		bool up = !live || breakers_allow(live->breakers, clock_us(), &open, &back);
		buf_addf(out, "%s", i ? "," : "");
		buf_add_json(out, s->targets[i]->name);
		buf_add(out, STR(":"));
		buf_add_json(out, str_c(!s->targets[i]->provider->usable ? "no credential" :
					up ? "up" : breaker_class_name(open)));
	}
	buf_add(out, STR("}"));
}

bool health_readiness(const struct snapshot *s, bool verbose, struct buf *out)
{
	bool ready = s && !health_draining();
	buf_addf(out, "{\"status\":\"%s\"", ready ? "ready" : s ? "draining" : "starting");
	if (verbose && s) {
		buf_add(out, STR(",\"configuration\":"));
		buf_add_json(out, s->source);
		buf_addf(out, ",\"serial\":%llu,\"store\":", (unsigned long long)s->serial);
		buf_add_json(out, str_c(kept_in.name));
		buf_addf(out, ",\"store_state\":\"%s\"", kept_in.state ? kept_in.state(kept_in.store) : "up");
		add_targets(s, out);
	}
	buf_add(out, STR("}\n"));
	return ready;
}

/*
 * config_fuzz.c: any bytes as a configuration, without environment and files. They come to a
 * snapshot without errors or to errors without a snapshot, and what is built holds together.
 */
#include "base/digest.h"
#include "config/load.h"
#include "core/live.h"
#include "routing/route_table.h"
#include "tests/fuzz/fuzz.h"

static void check_models(const struct snapshot *s, struct arena *a)
{
	struct route r;
	for (unsigned i = 0; i < s->n_models && i < 50; i++) {
		const struct model *m = s->models[i];
		must(m->n_targets > 0);
		route_resolve(s, m->name, a, &r);
		must(r.model != NULL);
		for (unsigned t = 0; t < r.model->n_targets; t++)
			must(r.model->targets[t]->live &&
			     str_starts(r.model->targets[t]->name, r.model->targets[t]->provider->name));
	}
	for (unsigned i = 0; i < s->n_targets && i < 50; i++)
		must(snapshot_target(s, s->targets[i]->name) == s->targets[i]);
}

static void check_snapshot(const struct snapshot *s)
{
	struct arena a = ARENA_INIT;
	must(s->n_providers > 0 && s->settings.workers >= 1 && s->settings.listen.n_addresses > 0);
	for (unsigned i = 0; i < s->n_providers; i++)
		must(s->providers[i]->dialect && snapshot_provider(s, s->providers[i]->name) == s->providers[i]);
	for (unsigned i = 0; i < s->n_keys && i < 50; i++)
		must(snapshot_key(s, s->keys[i]->digest) == s->keys[i]);
	check_models(s, &a);
	arena_clear(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_report r;
	report_init(&r);
	struct snapshot *s = config_load_text("fuzz", str_of((const char *)data, size), false, &r);
	must((s != NULL) == (r.n_errors == 0));
	must((r.n_errors > 0) == (r.errors.n > 0));
	if (s)
		check_snapshot(s);
	snapshot_unref(s);
	report_free(&r);
	return 0;
}

/*
 * route_table_test.c: which model a name means, rule by rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "config/load.h"
#include "core/live.h"
#include "routing/route_table.h"

static const char text[] =
	"providers:\n"
	"  openai: {}\n"			/* no credential: not usable */
	"  backup: { preset: openai, api_key: k }\n"
	"  anthropic: { api_key: k }\n"
	"  first: { dialect: openai, base_url: \"https://a.example\", models: [listed] }\n"
	"models:\n"
	"  fast: { targets: [first/a] }\n"
	"  first/aliased: { targets: [first/other] }\n"
	"  \"fault-*\": { targets: [\"first/*\", first/a, \"backup/x-*-y\"] }\n"
	"  \"fault-long-*\": { targets: [first/long] }\n"
	"  \"gpt-9*\": { targets: [first/nine] }\n"
	"  \"first/*\": { targets: [first/never] }\n";

static struct config_report report;
static struct snapshot *snapshot;
static struct arena arena;
static struct route route;

static int load(void **state)
{
	(void)state;
	clearenv();
	report_init(&report);
	arena_init(&arena);
	snapshot = config_load_text("f", str_c(text), true, &report);
	return snapshot ? 0 : -1;
}

static int unload(void **state)
{
	(void)state;
	arena_clear(&arena);
	snapshot_unref(snapshot);
	report_free(&report);
	return 0;
}

static const struct model *resolve(const char *name)
{
	route_resolve(snapshot, str_c(name), &arena, &route);
	return route.model;
}

static void assert_goes_to(const char *name, const char *target)
{
	const struct model *m = resolve(name);
	if (!m || !str_eq(m->targets[0]->name, str_c(target)))
		fail_msg("%s: %.*s, expected %s", name, STR_FMT(m ? m->targets[0]->name : STR("nothing")), target);
	const struct target *t = m->targets[0];
	assert_true(str_ends(t->name, t->model) && t->live && m->live);
	assert_true(m->timeouts.total_us > 0 && m->n_targets > 0);
}

static void an_alias_comes_first(void **state)
{
	(void)state;
	assert_goes_to("fast", "first/a");
	assert_ptr_equal(resolve("fast"), snapshot_model(snapshot, STR("fast")));
	assert_goes_to("first/aliased", "first/other");
}

static void then_a_target_written_out(void **state)
{
	(void)state;
	assert_goes_to("first/a", "first/a");
	assert_ptr_equal(resolve("first/a")->targets[0], snapshot_target(snapshot, STR("first/a")));
	assert_goes_to("first/anything/with:slashes", "first/anything/with:slashes");
	assert_true(str_eq(resolve("first/anything/with:slashes")->targets[0]->model, STR("anything/with:slashes")));
	assert_goes_to("openai/gpt-5", "openai/gpt-5");	/* not usable: the router says what is missing */
	assert_null(resolve("backup/"));
	assert_null(resolve("/a"));
	assert_null(resolve("nobody/a"));
}

static void then_the_longest_pattern(void **state)
{
	(void)state;
	assert_goes_to("fault-x", "first/fault-x");
	const struct model *m = resolve("fault-x");
	assert_int_equal(m->n_targets, 3);
	assert_true(str_eq(m->targets[1]->name, STR("first/a")));
	assert_true(str_eq(m->targets[2]->name, STR("backup/x-fault-x-y")));
	assert_true(str_eq(m->name, STR("fault-*")));	/* in logs and metrics: what is configured */
	assert_goes_to("fault-long-x", "first/long");
	assert_goes_to("fault-", "first/fault-");
	assert_goes_to("gpt-9-mini", "first/nine");
}

static void then_the_owner_of_a_bare_name(void **state)
{
	(void)state;
	assert_goes_to("gpt-5-mini", "backup/gpt-5-mini");
	assert_goes_to("claude-haiku-4-5", "anthropic/claude-haiku-4-5");
	assert_goes_to("o3", "backup/o3");
	assert_null(resolve("mistral-large"));
	assert_true(str_eq(route.missing_variable, STR("MISTRAL_API_KEY")));
	assert_null(resolve("gemini-2.5-flash"));
	assert_true(str_eq(route.missing_variable, STR("GEMINI_API_KEY")));
}

static void else_the_nearest_names(void **state)
{
	(void)state;
	assert_null(resolve("fats"));
	assert_int_equal(route.n_nearest, 3);
	assert_true(str_eq(route.nearest[0], STR("fast")));
	assert_true(str_empty(route.missing_variable));
	assert_null(resolve(""));
	assert_null(resolve("first"));
}

/* Rows of names that callers make up are bounded, and metrics see the provider only. */
static void made_up_names_stay_bounded(void **state)
{
	(void)state;
	char name[64];
	for (int i = 0; i < 3 * LIVE_ROWS_MAX; i++) {
		snprintf(name, sizeof(name), "first/made-up-%d", i);
		const struct model *m = resolve(name);
		assert_true(m && m->targets[0]->live && str_eq(m->live->name, STR("first/*")));
		arena_clear(&arena);
	}
	assert_true(str_eq(resolve("first/made-up-1")->targets[0]->live->label, STR("first/*")));
	assert_true(str_eq(resolve(name)->targets[0]->live->name, STR("first/*")));
	assert_true(str_eq(resolve("backup/gpt-made-up")->targets[0]->live->name, STR("backup/*")));
	assert_true(str_eq(live_target(STR("first/configured-later"))->name, STR("first/configured-later")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alias_comes_first),
		cmocka_unit_test(then_a_target_written_out),
		cmocka_unit_test(then_the_longest_pattern),
		cmocka_unit_test(then_the_owner_of_a_bare_name),
		cmocka_unit_test(else_the_nearest_names),
		cmocka_unit_test(made_up_names_stay_bounded),
	};
	return cmocka_run_group_tests(tests, load, unload);
}

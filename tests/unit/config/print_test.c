/*
 * print_test.c: what is made from the option tables can be read by whom it is for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <jansson.h>

#include "config/load.h"
#include "config/options.h"
#include "config/print.h"
#include "config/tree.h"

static const struct option_table *const tables[] = { &settings_table, &provider_table, &model_table, &target_table, &key_table,
						     &breaker_table };

static struct str last_word(const char *path)
{
	struct str s = str_c(path);
	ptrdiff_t dot = str_rchr(s, '.');
	return dot < 0 ? s : str_skip(s, (size_t)dot + 1);
}

static void the_full_file_loads_and_names_every_option(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(1 << 20);
	struct config_report r;
	print_full(&text);
	report_init(&r);
	struct snapshot *s = config_load_text("full", buf_str(&text), false, &r);
	if (!s || r.n_warnings)
		fail_msg("%.*s%.*s", STR_FMT(buf_str(&r.errors)), STR_FMT(buf_str(&r.warnings)));
	for (size_t t = 0; t < array_len(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			char key[80];
			snprintf(key, sizeof(key), "%.*s:", STR_FMT(last_word(tables[t]->rows[i].path)));
			if (!str_has(buf_str(&text), str_c(key)))
				fail_msg("%s%s is not in the full file", tables[t]->name, tables[t]->rows[i].path);
		}
	snapshot_unref(s);
	report_free(&r);
	buf_free(&text);
}

/* Without comments it says the same: defaults are written as they are. */
static void its_defaults_are_the_defaults(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(1 << 20);
	struct config_report r;
	print_full(&text);
	report_init(&r);
	struct snapshot *full = config_load_text("full", buf_str(&text), false, &r);
	struct snapshot *none = config_load_text("none", STR_NONE, false, &r);
	const struct listen_settings *a = &full->settings.listen, *b = &none->settings.listen;
	assert_int_equal(a->max_body, b->max_body);
	assert_int_equal(a->header_us, b->header_us);
	assert_int_equal(a->max_connections, b->max_connections);
	assert_int_equal(full->settings.breaker.window_us, none->settings.breaker.window_us);
	assert_int_equal(full->settings.workers, none->settings.workers);
	snapshot_unref(full);
	snapshot_unref(none);
	report_free(&r);
	buf_free(&text);
}

static void the_schema_is_json_and_closed(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(1 << 20);
	print_schema(&text);
	json_t *schema = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(schema);
	json_t *top = json_array_get(json_object_get(schema, "allOf"), 0);
	assert_true(json_is_false(json_object_get(top, "additionalProperties")));
	json_t *known = json_object_get(top, "properties");
	static const char *const sections[] = { "listen", "admin", "workers", "log", "breaker", "providers", "models", "keys", "teams",
						"prices", "cache", "plugins" };
	for (size_t i = 0; i < array_len(sections); i++)
		assert_non_null(json_object_get(known, sections[i]));
	json_t *key = json_object_get(json_object_get(json_object_get(known, "keys"), "items"), "properties");
	assert_non_null(json_object_get(key, "secret"));
	assert_non_null(json_object_get(key, "budgets"));
	json_decref(schema);
	buf_free(&text);
}

static void what_init_prints_loads_and_holds_no_secret(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(1 << 20);
	struct config_report r;
	setenv("MISTRAL_API_KEY", "sk-of-mine", 1);
	print_init(&text);
	assert_true(str_has(buf_str(&text), STR("mistral: { api_key: \"${MISTRAL_API_KEY}\" }")));
	assert_false(str_has(buf_str(&text), STR("sk-of-mine")));
	report_init(&r);
	struct snapshot *s = config_load_text("init", buf_str(&text), true, &r);
	assert_true(s && snapshot_provider(s, STR("mistral"))->usable);
	snapshot_unref(s);
	report_free(&r);
	buf_free(&text);
}

int main(void)
{
	clearenv();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_full_file_loads_and_names_every_option),
		cmocka_unit_test(its_defaults_are_the_defaults),
		cmocka_unit_test(the_schema_is_json_and_closed),
		cmocka_unit_test(what_init_prints_loads_and_holds_no_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * presets_test.c: every row can be used as it stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "config/load.h"
#include "core/dialect.h"
#include "providers/presets.h"

/* As a provider with everything a placeholder may ask for. */
static void each_row_makes_a_provider(void **state)
{
	(void)state;
	const struct preset *p;
	for (size_t i = 0; (p = preset_at(i)); i++) {
		struct config_report r;
		struct buf text = BUF_INIT(1024);
		buf_addf(&text, "providers: { a: { preset: %s, api_key: k, region: r, project: p, location: l, account: c, "
			 "workspace: w.example, resource: s } }", p->name);
		report_init(&r);
		struct snapshot *s = config_load_text("f", buf_str(&text), false, &r);
		if (!s)
			fail_msg("%s: %.*s", p->name, STR_FMT(buf_str(&r.errors)));
		const struct provider *a = s->providers[0];
		assert_true(a->usable && a->n_credentials == 1 && a->scheme != CREDENTIAL_NONE);
		assert_int_equal(a->origin.tls, !p->local);
		assert_int_equal(a->origin.allow_private, p->local);
		assert_true((a->scheme == CREDENTIAL_HEADER) == (*p->scheme_name != '\0'));
		assert_false(str_ends(a->base_path, STR("/")));
		snapshot_unref(s);
		report_free(&r);
		buf_free(&text);
	}
	assert_true(preset_at(40) != NULL);
}

static void names_are_there_once(void **state)
{
	(void)state;
	const struct preset *p;
	for (size_t i = 0; (p = preset_at(i)); i++) {
		assert_ptr_equal(preset_find(str_c(p->name)), p);
		assert_true(p->local ? !*p->variable : *p->variable != '\0');
	}
	assert_null(preset_find(STR("nobody")));
	assert_null(preset_find(STR("")));
}

/* `dialect` beside a preset, or beside a name that is one, leads to the address that speaks it, with the key where it is taken. */
static void the_vendors_own_faces(void **state)
{
	(void)state;
	static const struct { const char *said, *dialect, *host, *path, *header; } rows[] = {
		{ "anthropic: { dialect: anthropic,", "anthropic", "api.anthropic.com", "/v1", "x-api-key" },
		{ "a: { preset: anthropic, dialect: anthropic,", "anthropic", "api.anthropic.com", "/v1", "x-api-key" },
		{ "gemini: { dialect: gemini,", "gemini", "generativelanguage.googleapis.com", "/v1beta", "x-goog-api-key" },
		{ "a: { preset: gemini, dialect: openai,", "openai", "generativelanguage.googleapis.com", "/v1beta/openai", "" },
		{ "vertex: { dialect: gemini, project: p, location: l,", "gemini", "l-aiplatform.googleapis.com",
		  "/v1/projects/p/locations/l/publishers/google", "" },
		{ "vertex: { dialect: anthropic, project: p, location: l,", "anthropic", "l-aiplatform.googleapis.com",
		  "/v1/projects/p/locations/l/publishers/anthropic", "" },
		{ "vertex: { dialect: anthropic, project: p, location: global,", "anthropic", "aiplatform.googleapis.com",
		  "/v1/projects/p/locations/global/publishers/anthropic", "" },
		{ "bedrock: { dialect: bedrock, region: r,", "bedrock", "bedrock-runtime.r.amazonaws.com", "", "" },
		{ "a: { preset: cohere, dialect: cohere,", "cohere", "api.cohere.com", "/v2", "" },
		{ "a: { preset: gemini, dialect: gemini, base_url: \"https://b.example/x\",", "gemini", "b.example", "/x", "x-goog-api-key" },
		{ "a: { preset: openrouter, dialect: anthropic,", "anthropic", "openrouter.ai", "/api/v1", "" },
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct config_report r;
		struct buf text = BUF_INIT(1024);
		buf_addf(&text, "providers: { %s api_key: k } }", rows[i].said);
		report_init(&r);
		struct snapshot *s = config_load_text("f", buf_str(&text), false, &r);
		if (!s)
			fail_msg("%s: %.*s", rows[i].said, STR_FMT(buf_str(&r.errors)));
		const struct provider *a = s->providers[0];
		assert_string_equal(a->dialect->name, rows[i].dialect);
		assert_true(a->usable && a->n_credentials == 1 && !str_empty(a->preset));
		assert_true(str_eq(a->origin.host, str_c(rows[i].host)) && str_eq(a->base_path, str_c(rows[i].path)));
		assert_int_equal(a->scheme, *rows[i].header ? CREDENTIAL_HEADER : CREDENTIAL_BEARER);
		assert_true(str_eq(a->scheme_name, str_c(rows[i].header)));
		snapshot_unref(s);
		report_free(&r);
		buf_free(&text);
	}
}

static void owners(void **state)
{
	(void)state;
	static const struct { struct str model; const char *owner; } rows[] = {
		{ STR_INIT("gpt-5-mini"), "openai" }, { STR_INIT("o4-mini"), "openai" }, { STR_INIT("text-embedding-3-small"), "openai" },
		{ STR_INIT("claude-opus-4-5"), "anthropic" }, { STR_INIT("gemini-2.5-pro"), "gemini" },
		{ STR_INIT("mistral-large-latest"), "mistral" }, { STR_INIT("codestral-2508"), "mistral" },
		{ STR_INIT("deepseek-chat"), "deepseek" }, { STR_INIT("grok-4"), "xai" }, { STR_INIT("command-a-03-2025"), "cohere" },
		{ STR_INIT("sonar-pro"), "perplexity" }, { STR_INIT("qwen3-max"), "alibaba" }, { STR_INIT("glm-4.6"), "zai" },
		{ STR_INIT("kimi-k2"), "moonshot" }, { STR_INIT("voyage-3"), "voyage" }, { STR_INIT("llama-3"), NULL },
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		const char *owner = NULL;
		const struct preset *p;
		for (size_t k = 0; (p = preset_at(k)) && !owner; k++)
			if (preset_owns(str_c(p->prefixes), rows[i].model))
				owner = p->name;
		if (!owner != !rows[i].owner || (owner && strcmp(owner, rows[i].owner) != 0))
			fail_msg("%.*s: %s", STR_FMT(rows[i].model), owner ? owner : "nobody");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_makes_a_provider),
		cmocka_unit_test(names_are_there_once),
		cmocka_unit_test(the_vendors_own_faces),
		cmocka_unit_test(owners),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

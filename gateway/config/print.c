/*
 * print.c: the option tables as a commented file, a JSON Schema, a reference page.
 */
#include "config/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "config/build.h"
#include "providers/presets.h"

/* --- every option as a file --- */

static struct str section_of(const char *path)
{
	const char *dot = strrchr(path, '.');
	return dot ? str_of(path, (size_t)(dot - path)) : STR_NONE;
}

static unsigned depth_of(struct str section)
{
	unsigned n = section.n ? 1 : 0;
	for (size_t i = 0; i < section.n; i++)
		n += section.p[i] == '.';
	return n;
}

static void indent(struct buf *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_add(out, STR("  "));
}

/* Opens the sections of `now` that were not open in `before`. */
static void open_sections(struct buf *out, struct str before, struct str now, unsigned base)
{
	struct str rest = now, word;
	size_t at = 0;
	unsigned level = 0;
	while (rest.n && str_split(&rest, '.', &word)) {
		struct str prefix = str_head(now, at + word.n);
		bool open = str_starts(before, prefix) && (before.n == prefix.n || before.p[prefix.n] == '.');
		if (!open) {
			indent(out, base + level);
			buf_addf(out, "%.*s:\n", STR_FMT(word));
		}
		at += word.n + 1;
		level++;
	}
}

static const char *example(const struct option *o)
{
	switch (o->type) {
	case OPTION_BOOL:     return "false";
	case OPTION_DURATION: return "10s";
	case OPTION_SIZE:     return "1MiB";
	case OPTION_STRINGS:
	case OPTION_SECRETS:
	case OPTION_NODE:     return "";
	default:              return "\"\"";
	}
}

/* ": a b c" for words, " (1 to 10)" for ranges. */
static void add_words(struct buf *out, const struct option *o)
{
	struct str most = str_c(o->words), least;
	if (o->words && o->type == OPTION_WORD)
		buf_addf(out, ": %s", o->words);
	else if (o->words && str_split(&most, ' ', &least))
		buf_addf(out, " (%.*s to %.*s)", STR_FMT(least), STR_FMT(most));
}

static void print_rows(struct buf *out, const struct option_table *t, unsigned base)
{
	struct str before = STR_NONE;
	for (size_t i = 0; i < t->n; i++) {
		const struct option *o = &t->rows[i];
		struct str section = section_of(o->path);
		if (o->type == OPTION_NODE && (!section.n || base))
			continue;	/* shown below, with its own rows */
		open_sections(out, before, section, base);
		before = section;
		unsigned level = base + depth_of(section);
		const char *name = strrchr(o->path, '.');
		indent(out, level);
		const char *value = o->fallback ? o->fallback : example(o);
		bool star = o->type == OPTION_STRINGS && o->fallback && strcmp(value, "*") == 0;
		buf_addf(out, "%s%s: %s%s%s    # %s", o->fallback ? "" : "# ", name ? name + 1 : o->path, star ? "\"" : "", value,
			 star ? "\"" : "", o->help);
		add_words(out, o);
		buf_add(out, STR("\n"));
	}
}

void print_full(struct buf *out)
{
	buf_add(out, STR("# Every option with its default; what has none stands commented out. Made by `weir config full`.\n"
			 "# Sizes take KiB, MiB, GiB; durations ms, s, m, h, d. ${NAME} and ${NAME:-default} come from the\n"
			 "# environment, \"@file:/path\" from a file; WEIR_SECTION_KEY overrides any single value.\n"));
	print_rows(out, &settings_table, 0);
	buf_add(out, STR("breaker:    # or off\n"));
	print_rows(out, &breaker_table, 1);
	buf_add(out, STR("providers:\n  example:\n    # preset: groq    # a known vendor or server; default: the provider's own name\n    dialect: openai\n    base_url: \"https://api.example.com/v1\"\n"
			 "    api_key: sk-example-only\n"));
	for (size_t i = 4; i < provider_table.n; i++) {
		struct option_table one = { "", &provider_table.rows[i], 1 };
		if (strchr(provider_table.rows[i].path, '.') == NULL)
			print_rows(out, &one, 2);
	}
	buf_add(out, STR("    # headers: { x-team: a }    # further headers sent to it\n"
			 "    # tls:\n    #   ca_file: \"\"    # PEM file of the CA to trust instead of the system's\n"
			 "    #   certificate: \"\"    # our client certificate\n    #   key: \"\"    # its private key\n"
			 "    #   insecure_no_verify: false    # for tests: trust anybody\n"));
	buf_add(out, STR("models:\n  example-model:\n    targets:\n      - target: example/some-model\n"));
	for (size_t i = 1; i < target_table.n; i++) {
		struct option_table one = { "", &target_table.rows[i], 1 };
		print_rows(out, &one, 4);
	}
	print_rows(out, &model_table, 2);
	buf_add(out, STR("    # ladder: [targets, model: another, stale, rule, error]    # instead of fallbacks; what is tried in which order\n"));
	buf_add(out, STR("keys:\n  - name: example\n    secret: sk-weir-example-0123456789abcdef    # or sha256: and 64 hexadecimal digits\n"));
	for (size_t i = 2; i < key_table.n; i++) {
		struct option_table one = { "", &key_table.rows[i], 1 };
		print_rows(out, &one, 2);
	}
	buf_add(out, STR("    # budgets:\n    #   - { usd: 50, per: month }\n    #   - { usd: 20, rolling: 7d }\n"
			 "    # limits: { requests_per_minute: 600, tokens_per_minute: 100000, concurrent: 20 }\n"
			 "    # per_model: { \"gpt-*\": { limits: { output_tokens_per_hour: 50000 } } }\n"
			 "    # per_user: { limits: { requests_per_minute: 10 } }\n"
			 "    # metadata: { owner: ann }\n"
			 "    # per_tag: { \"feature=search\": { models: [small-*], budgets: [{ usd: 5, per: day }] } }\n"
			 "teams: []    # { name, models, budgets, limits, per_model, per_user, per_tag }\nprices: {}    # provider/model: { input: 1.00, output: 4.00 }\n"
			 "plugins: []    # { name, config }\n"));
}

/* --- JSON Schema --- */

/* Any single value may come from the environment or a file. */
#define REPLACED "{\"type\":\"string\",\"pattern\":\"[$][{]|^@file:\"}"

static void schema_words(struct buf *out, const char *words)
{
	struct str rest = str_c(words), word;
	for (bool first = true; str_split(&rest, ' ', &word); first = false)
		buf_addf(out, "%s\"%.*s\"", first ? "" : ",", STR_FMT(word));
}

static void schema_number(struct buf *out, const struct option *o)
{
	struct str most = str_c(o->words), least;
	buf_add(out, STR("{\"type\":\"integer\","));
	if (str_split(&most, ' ', &least))
		buf_addf(out, "\"minimum\":%.*s,\"maximum\":%.*s}", STR_FMT(least), STR_FMT(most));
	else
		buf_add(out, STR("\"minimum\":0}"));
}

static void schema_type(struct buf *out, const struct option *o)
{
	static const char text[] = "{\"type\":[\"string\",\"number\",\"boolean\"]}";
	if (o->type == OPTION_NODE)
		return;
	buf_add(out, STR("\"anyOf\":["));
	switch (o->type) {
	case OPTION_BOOL:
		buf_add(out, STR("{\"type\":\"boolean\"}"));
		break;
	case OPTION_AUTO:
		buf_add(out, STR("{\"const\":\"auto\"},"));
		schema_number(out, o);
		break;
	case OPTION_COUNT:
	case OPTION_INT:
	case OPTION_INT64:
		schema_number(out, o);
		break;
	case OPTION_MONEY:
		buf_add(out, STR("{\"type\":\"number\",\"minimum\":0}"));
		break;
	case OPTION_SIZE:
		buf_add(out, STR("{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\","
				 "\"pattern\":\"^[0-9]+ ?(B|KiB|MiB|GiB)$\"}"));
		break;
	case OPTION_DURATION:
		buf_add(out, STR("{\"type\":\"string\",\"pattern\":\"^[0-9]+ ?(ms|s|m|h|d)$\"}"));
		break;
	case OPTION_WORD:
		buf_add(out, STR("{\"enum\":["));
		schema_words(out, o->words);
		buf_add(out, STR("]}"));
		break;
	case OPTION_STRINGS:
	case OPTION_SECRETS:
		buf_addf(out, "%s,{\"type\":\"array\",\"items\":%s}", text, text);
		break;
	case OPTION_STRING:
	case OPTION_SECRET:
		buf_add(out, str_c(text));
		break;
	case OPTION_NODE:
		break;
	}
	buf_add(out, STR("," REPLACED ",{\"type\":\"null\"}]"));
}

/* Is `name` a member of these members' text, not of an object within it? */
static bool has_member(struct str text, struct str name)
{
	unsigned depth = 0;
	for (size_t i = 0; i < text.n; i++) {
		size_t end = i + 1;
		if (text.p[i] == '{' || text.p[i] == '[')
			depth++;
		else if (text.p[i] == '}' || text.p[i] == ']')
			depth--;
		if (text.p[i] != '"')
			continue;
		while (end < text.n && text.p[end] != '"')
			end += text.p[end] == '\\' ? 2 : 1;
		if (depth == 0 && str_eq(str_of(text.p + i + 1, end - i - 1), name))
			return true;
		i = end;
	}
	return false;
}

/* Rows of one section, and the sections below it. Sections are few and shallow. */
static void schema_object(struct buf *out, const struct option_table *t, struct str section, const char *extra)
{
	bool first = true;
	struct str done = STR_NONE;
	buf_add(out, STR("{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"properties\":{"));
	for (size_t i = 0; i < t->n; i++) {
		const struct option *o = &t->rows[i];
		struct str path = str_c(o->path);
		if (section.n && !(path.n > section.n && str_starts(path, section) && path.p[section.n] == '.'))
			continue;
		struct str rest = section.n ? str_skip(path, section.n + 1) : path;
		ptrdiff_t dot = str_chr(rest, '.');
		struct str name = dot < 0 ? rest : str_head(rest, (size_t)dot);
		if (extra && has_member(str_c(extra), name))
			continue;
		if (dot >= 0 && str_eq(name, done))
			continue;
		buf_addf(out, "%s\"%.*s\":", first ? "" : ",", STR_FMT(name));
		first = false;
		if (dot >= 0) {
			done = name;
			schema_object(out, t, str_head(path, path.n - rest.n + name.n), NULL);
			continue;
		}
		buf_add(out, STR("{"));
		size_t before = out->n;
		schema_type(out, o);
		buf_addf(out, "%s\"description\":", out->n > before ? "," : "");
		buf_add_json(out, str_c(o->help));
		buf_add(out, STR("}"));
	}
	if (extra)
		buf_addf(out, "%s%s", first ? "" : ",", extra);
	buf_add(out, STR("}}"));
}

/* `"name":` and an array of records of one table. */
static void schema_list(struct buf *out, const char *name, const struct option_table *t, const char *extra)
{
	buf_addf(out, "%s\"%s\":{\"type\":[\"array\",\"null\"],\"items\":", out->n ? "," : "", name);
	schema_object(out, t, STR_NONE, extra);
	buf_add(out, STR("}"));
}

/* `"name":` and a map of names to records of one table. */
static void schema_map(struct buf *out, const char *name, const struct option_table *t, const char *extra)
{
	buf_addf(out, "%s\"%s\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":", out->n ? "," : "", name);
	schema_object(out, t, STR_NONE, extra);
	buf_add(out, STR("}"));
}

static void end_text(struct buf *b)
{
	buf_addc(b, '\0');
}

/* Budgets and limits, as keys and teams have them. */
static void schema_allowance(struct buf *out)
{
	schema_list(out, "budgets", &budget_table, NULL);
	buf_add(out, STR(",\"limits\":"));
	schema_object(out, &limits_table, STR_NONE, NULL);
	end_text(out);
}

/* And the same by model, by tag, and for each user. */
static void schema_allowances(struct buf *out)
{
	struct buf one = BUF_INIT(64 * 1024);
	schema_allowance(&one);
	buf_add(out, str_c(one.p));
	schema_map(out, "per_model", &model_part_table, one.p);
	schema_map(out, "per_tag", &part_table, one.p);
	buf_add(out, STR(",\"per_user\":"));
	schema_object(out, &part_table, STR_NONE, one.p);
	end_text(out);
	buf_free(&one);
}

static void schema_targets(struct buf *out)
{
	buf_add(out, STR("\"targets\":{\"type\":\"array\",\"minItems\":1,\"items\":{\"anyOf\":[{\"type\":\"string\"},"));
	schema_object(out, &target_table, STR_NONE, NULL);
	buf_add(out, STR("]}}"));
	end_text(out);
}

static void schema_headers(struct buf *out)
{
	buf_add(out, STR("\"headers\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}"));
	end_text(out);
}

/* So that a change of an option is a change of a line. */
static void add_indented(struct buf *out, struct str text)
{
	json_t *schema = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	char *lines = schema ? json_dumps(schema, JSON_INDENT(1)) : NULL;
	if (!lines)
		abort();	/* a table made no JSON */
	buf_addf(out, "%s\n", lines);
	free(lines);
	json_decref(schema);
}

void print_schema(struct buf *out)
{
	struct buf all = BUF_INIT(1024 * 1024), allowance = BUF_INIT(64 * 1024), targets = BUF_INIT(64 * 1024);
	struct buf headers = BUF_INIT(1024), text = BUF_INIT(2 * 1024 * 1024);
	schema_allowances(&allowance);
	schema_targets(&targets);
	schema_headers(&headers);
	buf_add(&all, STR("\"breaker\":{\"anyOf\":[{\"const\":\"off\"},"));
	schema_object(&all, &breaker_table, STR_NONE, NULL);
	buf_add(&all, STR("]}"));
	schema_map(&all, "providers", &provider_table, headers.p);
	schema_map(&all, "models", &model_table, targets.p);
	schema_map(&all, "prices", &price_table, NULL);
	schema_list(&all, "keys", &key_table, allowance.p);
	schema_list(&all, "teams", &team_table, allowance.p);
	schema_list(&all, "plugins", &plugin_table, NULL);
	end_text(&all);
	buf_add(&text, STR("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"weir configuration\",\"allOf\":["));
	schema_object(&text, &settings_table, STR_NONE, all.p);
	buf_add(&text, STR("]}"));
	add_indented(out, buf_str(&text));
	buf_free(&text);
	buf_free(&headers);
	buf_free(&targets);
	buf_free(&allowance);
	buf_free(&all);
}

/* --- reference page --- */

static const char *type_name(const struct option *o)
{
	static const char *const names[] = {
		[OPTION_BOOL] = "true/false", [OPTION_COUNT] = "number", [OPTION_INT] = "number", [OPTION_INT64] = "number",
		[OPTION_SIZE] = "size", [OPTION_DURATION] = "duration", [OPTION_STRING] = "text", [OPTION_SECRET] = "secret",
		[OPTION_STRINGS] = "list", [OPTION_WORD] = "word", [OPTION_NODE] = "section", [OPTION_MONEY] = "number",
		[OPTION_SECRETS] = "secrets", [OPTION_AUTO] = "auto or number",
	};
	return names[o->type];
}

static void reference_table(struct buf *out, const char *title, const struct option_table *t, bool variables)
{
	char variable[128];
	buf_addf(out, "\n## %s\n\n| option | type | default | meaning |\n|---|---|---|---|\n", title);
	for (size_t i = 0; i < t->n; i++) {
		const struct option *o = &t->rows[i];
		option_variable(o, variable, sizeof(variable));
		bool single = variables && o->type != OPTION_NODE;
		buf_addf(out, "| `%s`%s%s%s | %s | %s%s%s | %s", o->path, single ? "<br>`" : "", single ? variable : "",
			 single ? "`" : "", type_name(o), o->fallback ? "`" : "", o->fallback ? o->fallback : "",
			 o->fallback ? "`" : "", o->help);
		add_words(out, o);
		buf_addf(out, "%s |\n", o->at_start ? "; changes only at start" : "");
	}
}

void print_reference(struct buf *out)
{
	const struct preset *p;
	buf_add(out, STR("# Configuration reference\n\nMade by `weir config reference`.\n"));
	reference_table(out, "Settings", &settings_table, true);
	reference_table(out, "providers.NAME", &provider_table, false);
	reference_table(out, "models.NAME", &model_table, false);
	reference_table(out, "models.NAME.targets", &target_table, false);
	reference_table(out, "keys", &key_table, false);
	reference_table(out, "keys.budgets, teams.budgets", &budget_table, false);
	reference_table(out, "keys.limits, teams.limits", &limits_table, false);
	reference_table(out, "teams", &team_table, false);
	reference_table(out, "per_model.NAME, per_tag.TAG, per_user", &part_table, false);
	reference_table(out, "prices.TARGET", &price_table, false);
	reference_table(out, "plugins", &plugin_table, false);
	reference_table(out, "breaker", &breaker_table, false);
	reference_table(out, "listen.tls.certificates", &certificate_table, false);
	buf_add(out, STR("\n## Presets\n\n| name | base URL | variable |\n|---|---|---|\n"));
	for (size_t i = 0; (p = preset_at(i)); i++)
		buf_addf(out, "| `%s` | %s | %s%s%s |\n", p->name, *p->base_url ? p->base_url : "your resource's `base_url`",
			 *p->variable ? "`" : "", p->variable, *p->variable ? "`" : "");
}

/* --- weir init --- */

void print_init(struct buf *out)
{
	const struct preset *p;
	bool any = false;
	buf_add(out, STR("# Made by `weir init` from what the environment holds. Secrets stay there.\n"
			 "listen: { address: 127.0.0.1:8080 }\n\nproviders:\n"));
	for (size_t i = 0; (p = preset_at(i)); i++) {
		const char *variable;
		if (!build_preset_ready(p, &variable))
			continue;
		buf_addf(out, "  %s: { api_key: \"${%s}\" }\n", p->name, variable);
		any = true;
	}
	if (!any)
		buf_add(out, STR("  # No vendor's variable is set (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY ...).\n"
				 "  # laptop: { preset: ollama }\n  {}\n"));
	buf_add(out, STR("\n# models:\n#   assistant: { targets: [openai/gpt-5-mini] }\n"));
}

/*
 * load.c: from a file, or the environment alone, to a snapshot: whole or nothing.
 */
#include "config/load.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"
#include "config/build.h"
#include "config/probe.h"
#include "providers/presets.h"

enum { PROBE_MS = 50 };

static _Atomic uint64_t serials;

const char *config_find(const char *given)
{
	static const char *const usual[] = { "weir.yaml", "/etc/weir/weir.yaml" };
	const char *variable = getenv("WEIR_CONFIG");
	if (given)
		return given;
	if (variable && *variable)
		return variable;
	for (size_t i = 0; i < array_len(usual); i++)
		if (access(usual[i], F_OK) == 0)	/* one that cannot be read is an error, not absent */
			return usual[i];
	return NULL;
}

static void overlay_one(struct build *b, const struct option *o, const char *name, struct str value)
{
	const char *expected = "";
	bool list = o->type == OPTION_STRINGS || o->type == OPTION_SECRETS, good = true;
	struct str rest = value, part = value;
	if (list)
		*(struct option_strings *)(void *)((char *)&b->draft + o->offset) = (struct option_strings){ 0 };
	while (good && rest.n) {
		if (list)
			str_split(&rest, ',', &part);
		else
			rest = STR_NONE;
		good = option_parse(o, str_trim(part), &b->draft, b->arena, &expected);
	}
	if (!good)
		report_error(b->report, 0, 0, "the variable %s: expected %s%s%s%s", name, o->type == OPTION_WORD ? "one of: " : "",
			     expected, o->words && o->type != OPTION_WORD ? ", within " : "",
			     o->words && o->type != OPTION_WORD ? o->words : "");
}

/* WEIR_SECTION_KEY over what the file says. An empty one says nothing. */
static void overlay_environment(struct build *b)
{
	char name[128];
	for (size_t i = 0; i < settings_table.n; i++) {
		const struct option *o = &settings_table.rows[i];
		if (o->type == OPTION_NODE)
			continue;
		option_variable(o, name, sizeof(name));
		const char *value = getenv(name);
		if (value && *value)
			overlay_one(b, o, name, arena_copy(b->arena, str_c(value)));
	}
}

enum { TYPO_MOST = 2 };

/* A variable spelled nearly like this one, which is none of ours; empty: there is none so near. */
static struct str nearest_variable(struct str name, struct arena *a)
{
	char known[128];
	struct str best = STR_NONE;
	unsigned least = TYPO_MOST + 1;
	for (size_t i = 0; i < settings_table.n && least; i++) {
		if (settings_table.rows[i].type == OPTION_NODE)
			continue;
		option_variable(&settings_table.rows[i], known, sizeof(known));
		unsigned d = str_distance(str_c(known), name);
		if (d >= least)
			continue;
		least = d;
		best = arena_copy(a, str_c(known));
	}
	return least ? best : STR_NONE;
}

/* Others may begin with WEIR_, too: what a file names, what Kubernetes makes of a service's name. */
static void warn_of_typos(struct build *b)
{
	for (char **e = environ; e && *e; e++) {	/* none at all: NULL */
		struct str name, rest = str_c(*e);
		str_split(&rest, '=', &name);
		struct str meant = str_starts(name, STR("WEIR_")) ? nearest_variable(name, b->arena) : STR_NONE;
		if (meant.n)
			report_warning(b->report, 0, 0, "the variable %.*s has no meaning; did you mean %.*s?", STR_FMT(name), STR_FMT(meant));
	}
}

/* Regions of one vendor share a variable: the first row has it. */
static bool is_taken(const char *variables[], size_t n, const char *variable)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(variables[i], variable) == 0)
			return true;
	return false;
}

/* Servers whose port is nobody else's; others would be guesses. */
static void build_local(struct build *b)
{
	static const char *const names[] = { "ollama", "lmstudio" };
	static const uint16_t ports[] = { 11434, 1234 };
	bool open[PROBE_MAX];
	probe_local(ports, array_len(ports), PROBE_MS, open);
	for (size_t i = 0; i < array_len(names); i++)
		if (open[i])
			build_preset_provider(b, preset_find(str_c(names[i])));
}

/* Every vendor whose usual variable is set. */
static void build_from_environment(struct build *b)
{
	const char *variables[128], *variable;
	const struct preset *p;
	size_t n = 0;
	for (size_t i = 0; (p = preset_at(i)) && n < array_len(variables); i++) {
		if (!build_preset_ready(p, &variable) || is_taken(variables, n, variable))
			continue;
		variables[n++] = variable;
		build_preset_provider(b, p);
	}
}

static struct snapshot *snapshot_new(const char *source, struct str text)
{
	struct snapshot *s = mem_alloc(sizeof(*s));
	atomic_store(&s->refs, 1);
	arena_init(&s->arena);
	s->source = arena_copy(&s->arena, str_c(source));
	s->serial = atomic_fetch_add(&serials, 1) + 1;
	digest_sha256(text, s->digest);
	return s;
}

static void build_all(struct build *b, bool probe)
{
	options_load(&settings_table, b->root, &b->draft, &b->context);
	if (b->environment) {
		overlay_environment(b);
		warn_of_typos(b);
	}
	build_prices(b);
	build_providers(b);
	if (!b->draft.providers && b->environment)
		build_from_environment(b);
	if (!b->draft.providers && probe)
		build_local(b);
	if (b->s->n_providers == 0 || probe)	/* the first example of a guide works beside a vendor's key, too */
		build_demo_provider(b);
	build_models(b);
	build_keys(b);
	build_plugins(b);
	build_settings(b);
	snapshot_index(b->s);
	build_advise(b);
}

static void set_watched(struct build *b, const char *file, const struct tree_files *files)
{
	struct str *names = arena_array(b->arena, struct str, files->n + 2);
	unsigned n = 0;
	if (file)
		names[n++] = arena_copy(b->arena, str_c(file));
	if (!str_empty(b->draft.prices_file))
		names[n++] = arena_copy(b->arena, b->draft.prices_file);
	if (files->n)
		memcpy(names + n, files->names, files->n * sizeof(*names));
	b->s->watched_files = names;
	b->s->n_watched_files = n + files->n;
}

/* `file`: where the text came from, to be watched; NULL for none. */
static struct snapshot *load(const char *name, const char *file, struct str text, bool environment, struct config_report *r)
{
	struct snapshot *s = snapshot_new(name, text);
	struct tree_files files = { 0 };
	struct build *b = arena_new(&s->arena, struct build);
	*b = (struct build){ .s = s, .report = r, .arena = &s->arena, .environment = environment, .files = &files };
	b->context = (struct option_context){ &s->arena, r };
	r->file = name;
	b->root = tree_read(text, environment, &s->arena, &files, r);
	if (b->root)
		build_all(b, environment && !file && str_empty(text));
	set_watched(b, file, &files);
	report_finish(r);
	if (r->n_errors == 0)
		return s;
	snapshot_unref(s);
	return NULL;
}

struct snapshot *config_load_text(const char *name, struct str text, bool environment, struct config_report *r)
{
	return load(name, NULL, text, environment, r);
}

struct snapshot *config_load(const char *file, struct config_report *r)
{
	struct arena a = ARENA_INIT;
	struct str text = STR_NONE;
	struct snapshot *s = NULL;
	if (!file) {
		s = load("environment", NULL, STR_NONE, true, r);
	} else if (tree_file(file, TREE_FILE_MAX, &a, &text)) {
		s = load(file, file, text, true, r);
	} else {
		r->file = file;
		report_error(r, 0, 0, "cannot read it: %s", strerror(errno));
		report_finish(r);
	}
	arena_wipe(&a);
	return s;
}

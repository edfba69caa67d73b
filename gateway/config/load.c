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
#include "providers/presets.h"

enum { LATER_MAX = 4096 };

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
		if (access(usual[i], R_OK) == 0)
			return usual[i];
	return NULL;
}

/* WEIR_SECTION_KEY over what the file says. */
static void overlay_environment(struct build *b)
{
	char name[128];
	const char *expected = "";
	for (size_t i = 0; i < settings_table.n; i++) {
		const struct option *o = &settings_table.rows[i];
		if (o->type == OPTION_NODE || o->type == OPTION_ANY)
			continue;
		option_variable(o, name, sizeof(name));
		const char *value = getenv(name);
		if (!value || !*value)
			continue;
		if (o->type == OPTION_STRINGS)
			*(struct option_strings *)(void *)((char *)&b->draft + o->offset) = (struct option_strings){ 0 };
		struct str text = arena_copy(b->arena, str_c(value));
		if (!option_parse(o, text, &b->draft, b->arena, &expected))
			report_error(b->report, 0, 0, "the variable %s: expected %s%s", name,
				     o->type == OPTION_WORD ? "one of: " : "", expected);
	}
}

/* Every vendor whose usual variable is set; nothing at all: the demonstration. */
static void build_from_environment(struct build *b)
{
	const struct preset *p;
	for (size_t i = 0; (p = preset_at(i)); i++) {
		const char *key = *p->variable ? getenv(p->variable) : NULL;
		if (key && *key && !snapshot_provider(b->s, str_c(p->name)) && *p->base_url && !strchr(p->base_url, '{'))
			build_preset_provider(b, str_c(p->name));
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

static void tell_later(struct build *b)
{
	if (b->later.n)
		report_warning(b->report, 0, 0, "not part of this version and not enforced: %.*s", STR_FMT(buf_str(&b->later)));
}

static void build_all(struct build *b, const struct node *root)
{
	options_load(&settings_table, root, &b->draft, &b->context);
	if (b->environment)
		overlay_environment(b);
	if (b->report->n_errors)
		return;
	build_providers(b);
	if (!b->draft.providers && b->environment)
		build_from_environment(b);
	if (b->s->n_providers == 0)
		build_demo_provider(b);
	build_models(b);
	build_keys(b);
	build_settings(b);
	tell_later(b);
}

static struct snapshot *load(const char *name, struct str text, bool environment, struct config_report *r)
{
	struct snapshot *s = snapshot_new(name, text);
	struct build b = { .s = s, .report = r, .arena = &s->arena, .later = BUF_INIT(LATER_MAX), .environment = environment };
	struct tree_files files = { 0 };
	r->file = s->source.p;
	b.context = (struct option_context){ &s->arena, r, &b.later };
	struct node *root = tree_read(text, environment, &s->arena, &files, r);
	if (root)
		build_all(&b, root);
	s->watched_files = files.names;
	s->n_watched_files = files.n;
	buf_free(&b.later);
	if (r->n_errors == 0)
		return s;
	snapshot_unref(s);
	return NULL;
}

struct snapshot *config_load_text(const char *name, struct str text, bool environment, struct config_report *r)
{
	return load(name, text, environment, r);
}

static void watch_file(struct snapshot *s, const char *file)
{
	struct str *names = arena_array(&s->arena, struct str, s->n_watched_files + 1);
	names[0] = arena_copy(&s->arena, str_c(file));
	if (s->n_watched_files)
		memcpy(names + 1, s->watched_files, s->n_watched_files * sizeof(*names));
	s->watched_files = names;
	s->n_watched_files++;
}

struct snapshot *config_load(const char *file, struct config_report *r)
{
	struct arena a = ARENA_INIT;
	struct str text = STR_NONE;
	struct snapshot *s = NULL;
	r->file = file ? file : "environment";
	if (file && !tree_file(file, TREE_FILE_MAX, &a, &text))
		report_error(r, 0, 0, "cannot read it: %s", strerror(errno));
	else
		s = load(file ? file : "environment", text, true, r);
	if (s && file)
		watch_file(s, file);
	arena_clear(&a);
	return s;
}

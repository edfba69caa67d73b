/*
 * redact.c: what is personal does not leave the house. Placeholders go to the vendor in its place, and
 * in the answer they become again what they stand for.
 */
#include "redact/redact.h"

#include <stdlib.h>
#include <string.h>

struct redact {
	struct finder *finder;
	bool restore;
};

static const struct weir_host *weir;

static bool is(struct weir_text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

/* --- configuration --- */

#define WRONG(s, node, ...) (weir->tell(s, WEIR_ERROR, NULL, (node)->line, (node)->column, __VA_ARGS__), false)

static bool read_kind(struct redact *x, struct weir_setup *s, const struct weir_node *n)
{
	const char *name;
	for (unsigned i = 0; (name = builtin_kind(i)); i++)
		if (n->kind == WEIR_SCALAR && is(n->value, name))
			return finder_add_builtin(x->finder, i);
	return WRONG(s, n, "`%.*s` is none of email, iban, card, id, ip, phone", (int)n->value.n, n->value.p ? n->value.p : "");
}

static bool read_kinds(struct redact *x, struct weir_setup *s, const struct weir_node *n)
{
	bool good = n->kind == WEIR_LIST;
	if (!good)
		return WRONG(s, n, "`kinds`: expected a list");
	for (const struct weir_node *v = n->first; v; v = v->next)
		good &= read_kind(x, s, v);
	return good;
}

static bool read_patterns(struct redact *x, struct weir_setup *s, const struct weir_node *n)
{
	bool good = n->kind == WEIR_MAP;
	char why[160];
	size_t at;
	if (!good)
		return WRONG(s, n, "`patterns`: expected a map of names to patterns");
	for (const struct weir_node *v = n->first; v; v = v->next) {
		if (v->kind != WEIR_SCALAR || !v->value.n)
			good = WRONG(s, v, "expected a pattern");
		else if (!finder_add(x->finder, v->key, v->value, why, &at))
			good = WRONG(s, v, "`%.*s`: %s (at its byte %zu)", (int)v->key.n, v->key.p, why, at);
	}
	return good;
}

static bool read_restore(struct redact *x, struct weir_setup *s, const struct weir_node *n)
{
	if (n->kind != WEIR_SCALAR || (!is(n->value, "true") && !is(n->value, "false")))
		return WRONG(s, n, "`restore`: expected true or false");
	x->restore = is(n->value, "true");
	return true;
}

static const struct weir_node *member(const struct weir_node *map, const char *name)
{
	for (const struct weir_node *n = map ? map->first : NULL; n; n = n->next)
		if (is(n->key, name))
			return n;
	return NULL;
}

/* Own patterns come before the built-in ones: of two that begin at the same place they count. */
static bool read_config(struct redact *x, struct weir_setup *s, const struct weir_node *config)
{
	const struct weir_node *kinds = member(config, "kinds"), *patterns = member(config, "patterns"), *restore = member(config, "restore");
	bool good = true;
	if (config && config->kind != WEIR_MAP)
		return WRONG(s, config, "redact's `config` is a map: kinds, patterns, restore");
	for (const struct weir_node *n = config ? config->first : NULL; n; n = n->next)
		if (n != kinds && n != patterns && n != restore)
			good = WRONG(s, n, "redact has no `%.*s`: kinds, patterns, restore", (int)n->key.n, n->key.p);
	if (patterns)
		good &= read_patterns(x, s, patterns);
	for (unsigned i = 0; !kinds && builtin_kind(i); i++)
		good &= finder_add_builtin(x->finder, i);
	if (kinds)
		good &= read_kinds(x, s, kinds);
	if (restore)
		good &= read_restore(x, s, restore);
	return good;
}

static void release(void *self)
{
	struct redact *x = self;
	finder_close(x->finder);
	free(x);
}

static void *configure(const struct weir_host *host, struct weir_setup *s, const struct weir_node *config)
{
	struct redact *x = calloc(1, sizeof(*x));
	weir = host;
	x->finder = finder_open();
	x->restore = true;
	if (x->finder && read_config(x, s, config))
		return x;
	release(x);
	return NULL;
}

/* --- requests --- */

static struct names *names_of(const struct redact *x, struct weir_request *r)
{
	void **own = weir->own(r);
	if (!*own)
		*own = names_open(x->finder);
	return *own;
}

typedef int get_fn(struct weir_request *, unsigned, struct weir_piece *);
typedef int set_fn(struct weir_request *, unsigned, struct weir_text);

static void hide_all(struct names *s, struct weir_request *r, bool (*hide)(struct names *, struct weir_text, FILE *), get_fn *get, set_fn *set)
{
	struct weir_piece piece = { .size = sizeof(piece) };
	for (unsigned i = 0; get(r, i, &piece); i++) {
		char *text = NULL;
		size_t n = 0;
		FILE *out = open_memstream(&text, &n);
		bool any = out && hide(s, piece.text, out);
		s->full |= !out || fclose(out) != 0 || (any && !set(r, i, (struct weir_text){ text, n }));
		free(text);
	}
}

static void count_finds(const struct names *s, struct weir_request *r)
{
	for (unsigned k = 0; k < s->finder->n; k++)
		if (s->numbers[k])
			weir->hit(r, s->finder->kinds[k].label);
}

static enum weir_verdict request(void *self, struct weir_request *r)
{
	static const char too_many[] = "The request holds more personal data than this gateway hides.",
			  too_hard[] = "The request could not be searched for personal data.";
	struct names *s = names_of(self, r);
	if (s) {
		hide_all(s, r, names_hide, weir->piece, weir->set_piece);
		hide_all(s, r, names_hide_json, weir->argument, weir->set_argument);
	}
	if (s && !s->full && !s->cut_off) {
		count_finds(s, r);
		return WEIR_CONTINUE;
	}
	const char *why = s && s->full ? too_many : too_hard;
	weir->reject(r, 400, "not_redacted", (struct weir_text){ why, strlen(why) }, NULL);
	return WEIR_REJECT;
}

/* --- answers --- */

static void show(const struct redact *x, struct weir_request *r, const struct weir_delta *d, bool arguments)
{
	struct names *s = *weir->own(r);
	char *text = NULL;
	size_t n = 0;
	if (!s || !s->n || !x->restore)
		return;
	FILE *out = open_memstream(&text, &n);
	if (out && d->whole)
		names_show(s, d->text, arguments, out);
	else if (out)
		names_show_piece(s, d, arguments, out);
	if (out && fclose(out) == 0 && (n != d->text.n || memcmp(text, d->text.p, n) != 0))
		weir->set_delta(r, (struct weir_text){ text, n });
	free(text);
}

static enum weir_verdict delta(void *self, struct weir_request *r, const struct weir_delta *d)
{
	show(self, r, d, false);
	return WEIR_CONTINUE;
}

static enum weir_verdict arguments(void *self, struct weir_request *r, const struct weir_delta *d)
{
	show(self, r, d, true);
	return WEIR_CONTINUE;
}

static void end(void *self, struct weir_request *r, const struct weir_end *e)
{
	(void)self;
	(void)e;
	names_close(*weir->own(r));
}

WEIR_PLUGIN(redact) = {
	.abi = WEIR_PLUGIN_ABI, .size = sizeof(struct weir_plugin), .name = "redact", .version = "1", .configure = configure,
	.release = release, .request = request, .delta = delta, .end = end, .arguments = arguments,
};

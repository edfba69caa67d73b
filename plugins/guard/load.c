/*
 * load.c: from the configuration to checks; every mistake is told with its place.
 */
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

/* Steps and depth a pattern may take. */
static const uint32_t MATCH_LIMIT = 200000, DEPTH_LIMIT = 2000;
enum { WINDOW = 512, WINDOW_MAX = 65536, STATUS = 403 };

struct load {
	struct weir_setup *setup;
	struct guard *guard;
	bool bad;
};

#define WRONG(l, node, ...) ((l)->bad = true, guard_weir->tell((l)->setup, WEIR_ERROR, NULL, (node)->line, (node)->column, __VA_ARGS__))

bool guard_is(struct weir_text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

/* --- values --- */

static bool read_bool(struct load *l, const struct weir_node *n)
{
	if (n->kind != WEIR_SCALAR || (!guard_is(n->value, "true") && !guard_is(n->value, "false")))
		WRONG(l, n, "`%.*s`: expected true or false", (int)n->key.n, n->key.p);
	return n->kind == WEIR_SCALAR && guard_is(n->value, "true");
}

static uint64_t read_number(struct load *l, const struct weir_node *n, uint64_t most)
{
	char *end = NULL;
	uint64_t v = n->kind == WEIR_SCALAR && n->value.n && n->value.p[0] != '-' ? strtoull(n->value.p, &end, 10) : 0;
	if (!end || *end || v > most)
		WRONG(l, n, "`%.*s`: expected a number of at most %llu", (int)n->key.n, n->key.p, (unsigned long long)most);
	return v;
}

/* "2s", "500ms" */
static uint32_t read_milliseconds(struct load *l, const struct weir_node *n)
{
	char *end = NULL;
	unsigned long v = n->kind == WEIR_SCALAR && n->value.n && n->value.p[0] != '-' ? strtoul(n->value.p, &end, 10) : 0;
	bool seconds = end && strcmp(end, "s") == 0;
	if (!end || (!seconds && strcmp(end, "ms") != 0) || v == 0 || v > 600000) {
		WRONG(l, n, "`timeout`: expected a time such as 2s or 500ms");
		return 0;
	}
	return (uint32_t)(seconds ? v * 1000 : v);
}

/* --- checks --- */

static void add_check(struct load *l, struct side *side, const struct weir_node *at, struct weir_text name, const char *pattern, size_t n,
		      uint32_t options)
{
	int error;
	PCRE2_SIZE where;
	unsigned char why[160];
	struct check *c = &side->checks[side->n];
	if (side->n == CHECKS_MAX || name.n > NAME_MAX_BYTES) {
		WRONG(l, at, "at most %d checks, names of at most %d bytes", CHECKS_MAX, NAME_MAX_BYTES);
		return;
	}
	memcpy(c->name, name.p, name.n);
	c->name[name.n] = 0;
	c->code = pcre2_compile((PCRE2_SPTR)pattern, n, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | options, &error, &where, NULL);
	if (!c->code) {
		pcre2_get_error_message(error, why, sizeof(why));
		WRONG(l, at, "`%s` is wrong at its byte %zu: %s", c->name, (size_t)where, (char *)why);
		return;
	}
	pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
	side->n++;
}

/* How many of the phrases one pattern holds: PCRE2 has a limit, and one phrase is below it. */
static size_t fitting(const struct weir_text *phrases, size_t n)
{
	enum { BYTES = 8 * 1024, EACH = 8 };
	size_t bytes = 0, i = 0;
	while (i < n && (i == 0 || bytes + phrases[i].n + EACH <= BYTES))
		bytes += phrases[i++].n + EACH;
	return i;
}

static void add_phrases(struct load *l, struct side *side, const struct weir_node *at, struct weir_text name, const struct weir_text *phrases,
			size_t n)
{
	if (!n)
		WRONG(l, at, "`%.*s`: there is no phrase in it", (int)name.n, name.p);
	else if (n > PHRASES_MAX)
		WRONG(l, at, "`%.*s`: at most %d phrases", (int)name.n, name.p, PHRASES_MAX);
	for (size_t some; !l->bad && n > 0; phrases += some, n -= some) {
		size_t size = 0;
		some = fitting(phrases, n);
		char *pattern = phrases_pattern(phrases, some, &size);
		if (pattern)
			add_check(l, side, at, name, pattern, size, PCRE2_CASELESS | PCRE2_UCP);
		else
			WRONG(l, at, "`%.*s`: out of memory", (int)name.n, name.p);
		free(pattern);
	}
}

static void read_phrases(struct load *l, struct side *side, const struct weir_node *n)
{
	struct weir_text *list = calloc(n->count + 1, sizeof(*list));
	size_t k = 0;
	if (n->kind != WEIR_LIST)
		WRONG(l, n, "`phrases`: expected a list");
	for (const struct weir_node *v = n->kind == WEIR_LIST ? n->first : NULL; v; v = v->next) {
		if (v->kind != WEIR_SCALAR || !v->value.n)
			WRONG(l, v, "expected a text");
		else
			list[k++] = v->value;
	}
	if (!l->bad)
		add_phrases(l, side, n, n->key, list, k);
	free(list);
}

/* A phrase a line; empty lines and those that begin with # are none. */
static void read_phrases_file(struct load *l, struct side *side, const struct weir_node *n)
{
	struct weir_text text = { NULL, 0 };
	size_t k = 0, room = 0;
	struct weir_text *list = NULL;
	int error = n->kind == WEIR_SCALAR ? guard_weir->read_file(l->setup, n->value.p, &text) : 1;
	if (error)
		WRONG(l, n, "`phrases_file`: %s", n->kind == WEIR_SCALAR ? strerror(error) : "expected a file");
	for (size_t at = 0, end; !error && at < text.n; at = end + 1) {
		const char *line = text.p + at, *stop = memchr(line, '\n', text.n - at);
		end = stop ? (size_t)(stop - text.p) : text.n;
		size_t size = end - at;
		while (size && (line[size - 1] == '\r' || line[size - 1] == ' '))
			size--;
		if (!size || line[0] == '#')
			continue;
		if (k == room)
			list = realloc(list, (room = room ? 2 * room : 64) * sizeof(*list));
		list[k++] = (struct weir_text){ line, size };
	}
	if (!error)
		add_phrases(l, side, n, n->key, list, k);
	free(list);
}

static void read_patterns(struct load *l, struct side *side, const struct weir_node *n)
{
	if (n->kind != WEIR_MAP)
		WRONG(l, n, "`patterns`: expected a map of names to patterns");
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next) {
		if (v->kind != WEIR_SCALAR || !v->value.n)
			WRONG(l, v, "expected a pattern");
		else
			add_check(l, side, v, v->key, v->value.p, v->value.n, PCRE2_UCP);
	}
}

static void read_side_member(struct load *l, struct side *side, const struct weir_node *n, bool request)
{
	if (guard_is(n->key, "phrases"))
		read_phrases(l, side, n);
	else if (guard_is(n->key, "phrases_file"))
		read_phrases_file(l, side, n);
	else if (guard_is(n->key, "patterns"))
		read_patterns(l, side, n);
	else if (guard_is(n->key, "max_length"))
		side->max_length = read_number(l, n, UINT64_C(1) << 40);
	else if (guard_is(n->key, "secrets") && read_bool(l, n))
		add_check(l, side, n, n->key, guard_secrets, strlen(guard_secrets), 0);
	else if (request && guard_is(n->key, "jailbreaks") && read_bool(l, n))
		add_phrases(l, side, n, n->key, guard_jailbreaks, guard_jailbreaks_n);
	else if (request && guard_is(n->key, "max_images"))
		side->max_images = read_number(l, n, 1000000);
	else if (guard_is(n->key, "webhook"))
		side->asks = read_bool(l, n);
	else if (!guard_is(n->key, "secrets") && !(request && guard_is(n->key, "jailbreaks")))
		WRONG(l, n, "`%s` has no `%.*s`: phrases, phrases_file, patterns, max_length, secrets, webhook%s", request ? "request" : "answer",
		      (int)n->key.n, n->key.p, request ? ", max_images, jailbreaks" : "");
}

static void read_side(struct load *l, struct side *side, const struct weir_node *n, bool request)
{
	if (n->kind != WEIR_MAP)
		WRONG(l, n, "`%.*s`: expected a map of checks", (int)n->key.n, n->key.p);
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next)
		read_side_member(l, side, v, request);
}

/* --- the rest --- */

static void read_webhook(struct load *l, const struct weir_node *n)
{
	struct guard *g = l->guard;
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next) {
		bool words = v->kind == WEIR_SCALAR && (guard_is(v->value, "reject") || guard_is(v->value, "continue"));
		if (guard_is(v->key, "url") && v->kind == WEIR_SCALAR)
			l->bad |= !(g->place = guard_weir->http_place(l->setup, v, v->value));
		else if (guard_is(v->key, "timeout"))
			g->timeout_ms = read_milliseconds(l, v);
		else if (guard_is(v->key, "on_failure") && words)
			g->fail_open = guard_is(v->value, "continue");
		else
			WRONG(l, v, "`webhook` has `url`, `timeout`, and `on_failure: reject` or `continue`");
	}
	if (!g->place && !l->bad)
		WRONG(l, n, "`webhook` needs a `url`");
}

static void read_member(struct load *l, const struct weir_node *n)
{
	struct guard *g = l->guard;
	if (guard_is(n->key, "request"))
		read_side(l, &g->request, n, true);
	else if (guard_is(n->key, "answer"))
		read_side(l, &g->answer, n, false);
	else if (guard_is(n->key, "webhook"))
		read_webhook(l, n);
	else if (guard_is(n->key, "window"))
		g->window = read_number(l, n, WINDOW_MAX);
	else if (guard_is(n->key, "status"))
		g->status = (int)read_number(l, n, 599);
	else if (guard_is(n->key, "on_cut_off") && n->kind == WEIR_SCALAR && (guard_is(n->value, "reject") || guard_is(n->value, "continue")))
		g->doubt_stops = guard_is(n->value, "reject");
	else if (guard_is(n->key, "on_cut_off"))
		WRONG(l, n, "`on_cut_off`: expected reject or continue");
	else if (guard_is(n->key, "message") && n->kind == WEIR_SCALAR)
		free(g->message), g->message = strndup(n->value.p, n->value.n);
	else
		WRONG(l, n, "guard has no `%.*s`: request, answer, webhook, on_cut_off, window, status, message", (int)n->key.n, n->key.p);
	if (g->status < 400)
		WRONG(l, n, "`status`: expected 400 to 599"), g->status = STATUS;
}

static void tell_idle(struct load *l, const struct weir_node *config)
{
	const struct guard *g = l->guard;
	bool asks = g->request.asks || g->answer.asks;
	if (asks && !g->place)
		WRONG(l, config, "`webhook: true` needs guard's own `webhook: { url: ... }`");
	else if (!asks && g->place)
		WRONG(l, config, "the webhook is never asked: say `webhook: true` under `request` or `answer`");
	else if (!asks && !g->request.n && !g->answer.n && !g->request.max_length && !g->answer.max_length && g->request.max_images == UINT64_MAX)
		WRONG(l, config, "guard checks nothing: say what under `request` or `answer`");
}

/* What it will count is there from the start. */
static void count_side(struct weir_setup *s, const struct side *side)
{
	for (unsigned i = 0; i < side->n; i++)
		guard_weir->counts(s, side->checks[i].name);
	if (side->max_length)
		guard_weir->counts(s, "max_length");
}

struct guard *guard_load(struct weir_setup *s, const struct weir_node *config)
{
	struct guard *g = calloc(1, sizeof(*g));
	struct load l = { s, g, false };
	const struct weir_node nowhere = { .kind = WEIR_MAP };
	*g = (struct guard){ .window = WINDOW, .status = STATUS, .timeout_ms = 2000, .request.max_images = UINT64_MAX };
	g->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(g->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(g->limits, DEPTH_LIMIT);
	config = config ? config : &nowhere;
	if (config->kind != WEIR_MAP)
		WRONG(&l, config, "guard's `config` is a map");
	for (const struct weir_node *n = config->kind == WEIR_MAP ? config->first : NULL; n; n = n->next)
		read_member(&l, n);
	if (!l.bad)
		tell_idle(&l, config);
	if (!l.bad) {
		count_side(s, &g->request);
		count_side(s, &g->answer);
		return g;
	}
	guard_free(g);
	return NULL;
}

static void free_side(struct side *side)
{
	for (unsigned i = 0; i < side->n; i++)
		pcre2_code_free(side->checks[i].code);
}

void guard_free(struct guard *g)
{
	free_side(&g->request);
	free_side(&g->answer);
	pcre2_match_context_free(g->limits);
	free(g->message);
	free(g);
}

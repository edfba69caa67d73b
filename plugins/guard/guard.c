/*
 * guard.c: what may not be said to a model, and what a model may not say, is stopped.
 */
#include "guard/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct weir_host *guard_weir;

/* Of one request. */
struct state {
	struct streams streams;
	bool told;		/* that a pattern was cut off */
	char *about;		/* for the webhook */
};

static void *configure(const struct weir_host *host, struct weir_setup *s, const struct weir_node *config)
{
	guard_weir = host;
	return guard_load(s, config);
}

static void release(void *self)
{
	guard_free(self);
}

static struct state *state_of(struct weir_request *r)
{
	void **own = guard_weir->own(r);
	if (!*own)
		*own = calloc(1, sizeof(struct state));
	return *own;
}

/* --- verdicts --- */

static enum weir_verdict deny(const struct guard *g, struct weir_request *r, const char *why, struct weir_text said)
{
	char message[160];
	int n = snprintf(message, sizeof(message), "This gateway blocks it (%s).", why);
	struct weir_text text = said.n ? said : g->message ? (struct weir_text){ g->message, strlen(g->message) } :
				(struct weir_text){ message, (size_t)n };
	guard_weir->hit(r, why);
	guard_weir->reject(r, g->status, "blocked_by_guard", text, why);
	return WEIR_REJECT;
}

static enum weir_verdict no_opinion(const struct guard *g, struct weir_request *r)
{
	static const char text[] = "A service that this gateway asks about each request did not answer.";
	guard_weir->hit(r, "webhook_failed");
	if (g->fail_open)
		return WEIR_CONTINUE;
	guard_weir->reject(r, 503, "guard_unavailable", (struct weir_text){ text, sizeof(text) - 1 }, "webhook_failed");
	return WEIR_REJECT;
}

static void tell_cut_off(struct weir_request *r)
{
	struct state *s = state_of(r);
	if (!s || s->told)
		return;
	s->told = true;
	guard_weir->hit(r, "cut_off");
	guard_weir->cut_off(r, "guard");
	guard_weir->log(WEIR_WARNING, "guard: a pattern was cut off, it took too many steps");
}

/*
 * A pattern that takes too long is no match, unless doubt stops: told once a request, and counted. `why`: what is stopped for
 * already.
 */
static const char *judge(const struct guard *g, struct weir_request *r, const char *why, bool cut_off)
{
	if (cut_off)
		tell_cut_off(r);
	return why ? why : cut_off && g->doubt_stops ? "cut_off" : NULL;
}

/* --- requests --- */

static const char *check_texts(const struct guard *g, struct weir_request *r)
{
	struct weir_piece piece = { .size = sizeof(piece) };
	const char *why = NULL;
	uint64_t length = 0;
	bool cut_off = false;
	for (unsigned i = 0; !why && guard_weir->piece(r, i, &piece); i++) {
		length += piece.text.n;
		why = scan_whole(g, &g->request, piece.text, &cut_off);
	}
	for (unsigned i = 0; !why && g->request.n && guard_weir->argument(r, i, &piece); i++)
		why = scan_whole(g, &g->request, piece.text, &cut_off);
	why = judge(g, r, why, cut_off);
	return why ? why : g->request.max_length && length > g->request.max_length ? "max_length" : NULL;
}

static enum weir_verdict ask(const struct guard *g, struct weir_request *r)
{
	struct state *s = g->place ? state_of(r) : NULL;
	if (!g->place)
		return WEIR_CONTINUE;
	if (s)
		s->about = webhook_about(r);
	if (g->answer.asks)
		guard_weir->hold_answer(r);
	if (!g->request.asks)
		return WEIR_CONTINUE;
	return s && webhook_ask(g, r, s->about, (struct weir_text){ NULL, 0 }) ? WEIR_HOLD : no_opinion(g, r);
}

static enum weir_verdict request(void *self, struct weir_request *r)
{
	const struct guard *g = self;
	const char *why = g->request.n || g->request.max_length ? check_texts(g, r) : NULL;
	if (!why && g->request.max_images != UINT64_MAX && guard_weir->count(r, WEIR_IMAGES) > g->request.max_images)
		why = "max_images";
	if (why)
		return deny(g, r, why, (struct weir_text){ NULL, 0 });
	return guard_weir->count(r, WEIR_DRY) ? WEIR_CONTINUE : ask(g, r);
}

static enum weir_verdict result(void *self, struct weir_request *r, const struct weir_result *x)
{
	const struct guard *g = self;
	struct weir_text message;
	switch (webhook_opinion(r, x, &message)) {
	case ALLOWED: return WEIR_CONTINUE;
	case DENIED:  return deny(g, r, "webhook", message);
	case UNKNOWN: break;
	}
	return no_opinion(g, r);
}

/* --- answers --- */

static enum weir_verdict check_whole(const struct guard *g, struct weir_request *r, const struct weir_delta *d)
{
	bool cut_off = false;
	const char *why = scan_whole(g, &g->answer, d->text, &cut_off);
	if (!why && g->answer.max_length && d->text.n > g->answer.max_length)
		why = "max_length";
	why = judge(g, r, why, cut_off);
	return why ? deny(g, r, why, (struct weir_text){ NULL, 0 }) : WEIR_CONTINUE;
}

static enum weir_verdict check_piece(const struct guard *g, struct weir_request *r, const struct weir_delta *d)
{
	struct weir_text out = { NULL, 0 };
	bool cut_off = false;
	struct state *s = state_of(r);
	const char *why = s ? scan_piece(g, &s->streams, d, &out, &cut_off) : "memory";
	why = judge(g, r, why, cut_off);
	if (why)
		return deny(g, r, why, (struct weir_text){ NULL, 0 });
	if (out.n != d->text.n || (out.n && memcmp(out.p, d->text.p, out.n) != 0))
		guard_weir->set_delta(r, out);
	return WEIR_CONTINUE;
}

static enum weir_verdict delta(void *self, struct weir_request *r, const struct weir_delta *d)
{
	const struct guard *g = self;
	if (!g->answer.n && !g->answer.max_length)
		return WEIR_CONTINUE;
	return (d->whole ? check_whole : check_piece)(g, r, d);
}

/* What a model wants a tool to get: its JSON as it is spelled. Calls are numbered apart from texts. */
static enum weir_verdict arguments(void *self, struct weir_request *r, const struct weir_delta *d)
{
	struct weir_delta own = *d;
	own.choice |= 1u << 31;
	return delta(self, r, &own);
}

/* Nothing of it has gone out. */
static enum weir_verdict answered(void *self, struct weir_request *r, struct weir_text text)
{
	const struct guard *g = self;
	struct state *s = *guard_weir->own(r);
	return s && webhook_ask(g, r, s->about, text) ? WEIR_HOLD : no_opinion(g, r);
}

static void end(void *self, struct weir_request *r, const struct weir_end *e)
{
	struct state *s = *guard_weir->own(r);
	(void)self;
	(void)e;
	if (!s)
		return;
	streams_free(&s->streams);
	free(s->about);
	free(s);
}

WEIR_PLUGIN(guard) = {
	.abi = WEIR_PLUGIN_ABI, .size = sizeof(struct weir_plugin), .name = "guard", .version = "1", .configure = configure,
	.release = release, .request = request, .result = result, .delta = delta, .arguments = arguments, .end = end, .answered = answered,
};

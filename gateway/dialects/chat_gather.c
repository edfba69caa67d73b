/*
 * chat_gather.c: events gathered into one answer, and an answer said as events.
 *
 * Pieces of text grow in buffers, which last as long as the arena.
 * Arguments of calls may come interleaved, so each call has its own.
 */
#include "core/chat_event.h"

#include "dialects/spelled.h"

enum { CHOICES_MOST = 128, PIECES_MOST = 100000 };

struct growing {
	struct chat_piece piece;	/* first: its address is the piece's */
	struct growing *before;		/* the piece gathered before this one, of any choice */
	struct buf text;
	int call;
};

struct gathered_choice {
	struct chat_choice choice;
	struct growing *last;
	struct growing **calls;		/* by number */
	int n_calls, cap_calls;
	struct buf annotations;
};

struct chat_gathering {
	struct gathered_choice *choices[CHOICES_MOST];
	struct growing *all;		/* newest first */
	unsigned n_pieces;
};

static void free_gathering(void *object)
{
	struct chat_gathering *s = object;
	for (struct growing *g = s->all; g; g = g->before)
		buf_free(&g->text);
	for (size_t i = 0; i < CHOICES_MOST; i++)
		if (s->choices[i])
			buf_free(&s->choices[i]->annotations);
}

/* --- gathering --- */

static struct str keep(struct chat_gather *g, struct str s)
{
	g->used += s.n;
	g->failed |= g->used > g->max;
	return g->failed || !s.p ? STR_NONE : arena_copy(g->arena, s);
}

static void add(struct chat_gather *g, struct buf *b, struct str s)
{
	g->used += s.n;
	g->failed |= g->used > g->max || !buf_add(b, s);
}

static struct gathered_choice *choice_of(struct chat_gather *g, int index)
{
	if (index < 0 || index >= CHOICES_MOST) {
		g->failed = true;
		return NULL;
	}
	struct gathered_choice **c = &g->state->choices[index];
	if (!*c) {
		*c = arena_new(g->arena, struct gathered_choice);
		(*c)->choice.index = index;
		buf_init(&(*c)->annotations, g->max);
	}
	return *c;
}

static struct growing *new_piece(struct chat_gather *g, struct gathered_choice *c, enum chat_piece_kind kind)
{
	struct growing *p = arena_new(g->arena, struct growing);
	g->failed |= ++g->state->n_pieces > PIECES_MOST;
	p->piece.kind = kind;
	p->call = -1;
	p->before = g->state->all;
	g->state->all = p;
	buf_init(&p->text, g->max);
	*(c->last ? &c->last->piece.next : &c->choice.pieces) = &p->piece;
	return c->last = p;
}

static void add_piece(struct chat_gather *g, struct gathered_choice *c, enum chat_piece_kind kind, struct str text)
{
	/* Signed reasoning is over: what follows is another block. */
	bool over = c->last && (c->last->piece.signature.p || c->last->piece.redacted.p);
	struct growing *p = c->last && c->last->piece.kind == kind && !over ? c->last : new_piece(g, c, kind);
	add(g, &p->text, text);
}

static struct growing *call_of(const struct gathered_choice *c, int call)
{
	return call >= 0 && call < c->n_calls ? c->calls[call] : NULL;
}

static void add_call(struct chat_gather *g, struct gathered_choice *c, const struct chat_event *e)
{
	if (e->call != c->n_calls) {	/* numbers rise by one */
		g->failed = true;
		return;
	}
	if (c->n_calls == c->cap_calls) {
		int cap = c->cap_calls ? 2 * c->cap_calls : 8;
		struct growing **more = arena_array(g->arena, struct growing *, (size_t)cap);
		if (c->n_calls)
			memcpy(more, c->calls, sizeof(struct growing *) * (size_t)c->n_calls);
		c->calls = more;
		c->cap_calls = cap;
	}
	struct growing *p = new_piece(g, c, PIECE_CALL);
	p->call = e->call;
	p->piece.call.id = keep(g, e->id);
	p->piece.call.name = keep(g, e->name);
	c->calls[c->n_calls++] = p;
}

static void add_signature(struct chat_gather *g, struct gathered_choice *c, const struct chat_event *e)
{
	struct growing *call = call_of(c, e->call);
	if (call) {
		call->piece.call.signature = keep(g, e->signature);
		call->piece.call.signer = keep(g, e->signer);
		return;
	}
	struct growing *p = c->last && c->last->piece.kind == PIECE_REASONING ? c->last : new_piece(g, c, PIECE_REASONING);
	p->piece.signature = keep(g, e->signature);
	p->piece.signer = keep(g, e->signer);
}

static void add_redacted(struct chat_gather *g, struct gathered_choice *c, const struct chat_event *e)
{
	struct growing *p = new_piece(g, c, PIECE_REASONING);
	p->piece.redacted = keep(g, e->text);
	p->piece.signer = keep(g, e->signer);
}

static void finish(struct chat_gather *g, struct gathered_choice *c, const struct chat_event *e)
{
	c->choice.finish = e->finish;
	c->choice.native = keep(g, e->native);
	c->choice.stop_sequence = keep(g, e->stop_sequence);
	c->choice.finished = true;
}

static void add_annotation(struct chat_gather *g, struct gathered_choice *c, struct str json)
{
	if (c->annotations.n)
		add(g, &c->annotations, STR(","));
	add(g, &c->annotations, json);
}

static void take_whole(struct chat_gather *g, const struct chat_event *e)
{
	if (e->kind == CHAT_BEGIN) {
		g->answer.id = keep(g, e->id);
		g->answer.model = keep(g, e->model);
		if (e->choice >= 0)
			choice_of(g, e->choice);
	} else if (e->kind == CHAT_USAGE) {
		usage_merge(&g->answer.usage, e->usage);
	} else {
		g->ended = true;
	}
}

static void take(struct chat_out *out, const struct chat_event *e)
{
	struct chat_gather *g = container_of(out, struct chat_gather, in);
	bool whole = e->kind == CHAT_BEGIN || e->kind == CHAT_USAGE || e->kind == CHAT_END;
	struct gathered_choice *c = whole || g->failed ? NULL : choice_of(g, e->choice);
	struct growing *call;
	if (whole && !g->failed)
		take_whole(g, e);
	if (!c)
		return;
	switch (e->kind) {
	case CHAT_TEXT: add_piece(g, c, PIECE_TEXT, e->text); break;
	case CHAT_REASONING: add_piece(g, c, PIECE_REASONING, e->text); break;
	case CHAT_REFUSAL: add_piece(g, c, PIECE_REFUSAL, e->text); break;
	case CHAT_SIGNATURE: add_signature(g, c, e); break;
	case CHAT_REDACTED: add_redacted(g, c, e); break;
	case CHAT_CALL: add_call(g, c, e); break;
	case CHAT_ARGUMENTS:
		call = call_of(c, e->call);
		if (call)
			add(g, &call->text, e->text);
		break;
	case CHAT_CITATION: add_annotation(g, c, e->json); break;
	case CHAT_LOGPROBS: c->choice.logprobs = keep(g, e->json); break;
	case CHAT_FINISH: finish(g, c, e); break;
	default: break;
	}
}

void chat_gather_init(struct chat_gather *g, struct arena *a, size_t max)
{
	*g = (struct chat_gather){ .in.take = take, .arena = a, .max = max };
	g->state = arena_new(a, struct chat_gathering);
	arena_own(a, g->state, free_gathering);
}

/* --- the end of it --- */

static void settle_piece(struct chat_gather *g, struct growing *p)
{
	struct str text = p->text.n ? buf_str(&p->text) : STR("");
	if (p->piece.kind == PIECE_CALL)
		p->piece.call.json = spelled_arguments(g->arena, text);
	else
		p->piece.text = text;
}

static bool has_call(const struct chat_choice *c)
{
	const struct chat_piece *p = c->pieces;
	while (p && p->kind != PIECE_CALL)
		p = p->next;
	return p;
}

const struct chat_answer *chat_gather_end(struct chat_gather *g)
{
	struct chat_choice **at = &g->answer.choices;
	for (size_t i = 0; i < CHOICES_MOST && !g->failed; i++) {
		struct gathered_choice *c = g->state->choices[i];
		if (!c)
			continue;
		if (!c->choice.finished && has_call(&c->choice))
			c->choice.finish = FINISH_TOOLS;
		c->choice.annotations = arena_copy(g->arena, buf_str(&c->annotations));
		*at = &c->choice;
		at = &c->choice.next;
	}
	for (struct growing *p = g->state->all; p && !g->failed; p = p->before)
		settle_piece(g, p);
	return g->failed || !g->answer.choices ? NULL : &g->answer;
}

/* --- saying it again --- */

static void say_arguments(const struct chat_event *call, struct str json, struct chat_out *o)
{
	struct buf b = BUF_INIT(4 * json.n + 16);
	struct chat_event e = { .kind = CHAT_ARGUMENTS, .choice = call->choice, .call = call->call };
	buf_add_json(&b, json);
	e.text = b.n > 2 ? str_of(b.p + 1, b.n - 2) : STR("");
	chat_give(o, &e);
	buf_free(&b);
}

static void say_call(const struct chat_call *c, int choice, int number, struct chat_out *o)
{
	struct chat_event e = { .kind = CHAT_CALL, .choice = choice, .call = number, .id = c->id, .name = c->name };
	struct chat_event proof = { .kind = CHAT_SIGNATURE, .choice = choice, .call = number, .signature = c->signature, .signer = c->signer };
	chat_give(o, &e);
	if (c->signature.n)
		chat_give(o, &proof);
	say_arguments(&e, c->json, o);
}

static void say_piece(const struct chat_piece *p, int choice, int *calls, struct chat_out *o)
{
	static const enum chat_event_kind kinds[] = { [PIECE_TEXT] = CHAT_TEXT, [PIECE_REASONING] = CHAT_REASONING, [PIECE_REFUSAL] = CHAT_REFUSAL };
	struct chat_event e = { .choice = choice, .call = -1, .text = p->text, .signature = p->signature, .signer = p->signer };
	if (p->kind == PIECE_CALL) {
		say_call(&p->call, choice, (*calls)++, o);
		return;
	}
	if (p->redacted.n) {
		e.kind = CHAT_REDACTED;
		e.text = p->redacted;
		chat_give(o, &e);
		return;
	}
	e.kind = kinds[p->kind];
	if (p->text.n)
		chat_give(o, &e);
	e.kind = CHAT_SIGNATURE;
	if (p->signature.n)
		chat_give(o, &e);
}

static void say_choice(const struct chat_choice *c, struct chat_out *o)
{
	struct chat_event e = { .choice = c->index, .call = -1, .finish = c->finish, .native = c->native, .stop_sequence = c->stop_sequence };
	int calls = 0;
	for (const struct chat_piece *p = c->pieces; p; p = p->next)
		say_piece(p, c->index, &calls, o);
	e.kind = CHAT_LOGPROBS;
	e.json = c->logprobs;
	if (e.json.n)
		chat_give(o, &e);
	e.kind = CHAT_FINISH;
	chat_give(o, &e);
}

void chat_say(const struct chat_answer *a, struct chat_out *o)
{
	struct chat_event e = { .kind = CHAT_BEGIN, .call = -1, .id = a->id, .model = a->model, .usage = &a->usage };
	chat_give(o, &e);
	for (const struct chat_choice *c = a->choices; c; c = c->next)
		say_choice(c, o);
	e.kind = CHAT_USAGE;
	if (a->usage.known)
		chat_give(o, &e);
	e.kind = CHAT_END;
	chat_give(o, &e);
}

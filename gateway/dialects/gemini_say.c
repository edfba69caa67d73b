/*
 * gemini_say.c: an answer in generateContent's words, plain or as a stream (python-genai's types, read 2026-08).
 *
 * Calls are said whole, in their order. A proof is base64; another vendor's carries its signer inside of it. The last
 * event of a stream holds finish reasons and usage, and an empty text, as clients take no content without parts.
 */
#include "dialects/gemini_parts.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "dialects/spelled.h"
#include "wire/json_write.h"

enum { CALLS_MOST = 256, CHOICES_MOST = 8, NAME_MOST = 4096, PROOF_MOST = 1 << 20, ARGUMENTS_MOST = 1 << 20 };

struct call_said {
	int choice;
	bool said;
	struct object_place place;
	struct buf id, name, signature, signer, arguments;
};

struct saying {
	struct chat_writer w;
	struct buf id, model;
	struct call_said *calls;	/* of all choices, in their order */
	int n_calls;
	bool thinking;			/* the last piece was a thought */
	bool finished[CHOICES_MOST];
	enum chat_finish finish[CHOICES_MOST];
	struct usage usage;
};

const size_t gemini_writer_size = sizeof(struct saying);

/* --- what both have in common --- */

static const char *finish_word(enum chat_finish f)
{
	return f == FINISH_LENGTH ? "MAX_TOKENS" : f == FINISH_FILTER ? "SAFETY" : f == FINISH_OTHER ? "OTHER" : "STOP";
}

static void write_proof(struct json_write *w, struct str proof, struct str signer, const char *kind)
{
	struct buf b = BUF_INIT(PROOF_MOST);
	if (!proof.n)
		return;
	if (str_empty(signer) || str_eq(signer, STR(SIGNED_GOOGLE))) {
		json_member_escaped(w, "thoughtSignature", proof);
		return;
	}
	if (buf_addf(&b, "%.*s:%s%.*s", STR_FMT(signer), kind, STR_FMT(proof))) {
		char *text = mem_alloc(4 * ((b.n + 2) / 3) + 1);
		json_member_string(w, "thoughtSignature", str_of(text, base64_encode(buf_str(&b), text)));
		free(text);
	}
	buf_free(&b);
}

static void write_text(struct json_write *w, struct str text, bool thought, struct str proof, struct str signer)
{
	json_write_object(w);
	json_member_escaped(w, "text", text);
	if (thought)
		json_member_bool(w, "thought", true);
	write_proof(w, proof, signer, "");
	json_write_object_end(w);
}

static void write_redacted(struct json_write *w, struct str text, struct str signer)
{
	json_write_object(w);
	json_member_string(w, "text", STR(""));
	json_member_bool(w, "thought", true);
	write_proof(w, text, signer, "redacted:");
	json_write_object_end(w);
}

static void write_call(struct json_write *w, const struct chat_call *c)
{
	json_write_object(w);
	json_member_object(w, "functionCall");
	json_member_escaped(w, "id", c->id);
	json_member_escaped(w, "name", c->name);
	json_member_raw(w, "args", c->json);
	json_write_object_end(w);
	write_proof(w, c->signature, c->signer, "");
	json_write_object_end(w);
}

static void write_usage(struct json_write *w, const struct usage *u)
{
	int64_t said = u->output - u->reasoning;
	json_member_object(w, "usageMetadata");
	json_member_int(w, "promptTokenCount", u->input);
	json_member_int(w, "candidatesTokenCount", said > 0 ? said : 0);
	json_member_int(w, "totalTokenCount", u->input + u->output);
	if (u->cached)
		json_member_int(w, "cachedContentTokenCount", u->cached);
	if (u->reasoning)
		json_member_int(w, "thoughtsTokenCount", u->reasoning);
	json_write_object_end(w);
}

static void write_names(struct json_write *w, struct str id, struct str model, const struct chat_frame *f)
{
	json_write_key(w, STR("modelVersion"));
	if (model.n)
		json_write_escaped(w, model);
	else
		json_write_string(w, f->model);
	json_write_key(w, STR("responseId"));
	if (id.n)
		json_write_escaped(w, id);
	else
		json_write_string(w, f->request_id);
}

static void open_candidate(struct json_write *w)
{
	json_write_object(w);
	json_member_object(w, "content");
	json_member_string(w, "role", STR("model"));
	json_member_array(w, "parts");
}

static void close_candidate(struct json_write *w, int choice, const char *finish)
{
	json_write_array_end(w);
	json_write_object_end(w);
	if (finish)
		json_member_string(w, "finishReason", str_c(finish));
	json_member_int(w, "index", choice);
	json_write_object_end(w);
}

/* --- a plain answer --- */

static void write_piece(struct json_write *w, const struct chat_piece *p)
{
	bool thought = p->kind == PIECE_REASONING;
	if (p->kind == PIECE_CALL)
		write_call(w, &p->call);
	else if (thought && p->redacted.n)
		write_redacted(w, p->redacted, p->signer);
	else if (p->text.n || p->signature.n)
		write_text(w, p->text, thought && (p->text.n || !str_eq(p->signer, STR(SIGNED_GOOGLE))), p->signature, p->signer);
}

static void write_choice(struct json_write *w, const struct chat_choice *c)
{
	open_candidate(w);
	for (const struct chat_piece *p = c->pieces; p; p = p->next)
		write_piece(w, p);
	if (!c->pieces)
		write_text(w, STR(""), false, STR_NONE, STR_NONE);
	close_candidate(w, c->index, finish_word(c->finish));
}

void gemini_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out)
{
	struct json_write w;
	json_write_init(&w, out);
	json_write_object(&w);
	json_member_array(&w, "candidates");
	for (const struct chat_choice *c = a->choices; c; c = c->next)
		write_choice(&w, c);
	json_write_array_end(&w);
	if (a->usage.known)
		write_usage(&w, &a->usage);
	write_names(&w, a->id, a->model, f);
	json_write_object_end(&w);
	if (!json_write_end(&w))
		out->failed = true;
}

/* --- events --- */

static void begin_event(struct saying *s, struct json_write *w)
{
	buf_add(s->w.out, STR("data: "));
	json_write_init(w, s->w.out);
	json_write_object(w);
	json_member_array(w, "candidates");
}

static void end_event(struct saying *s, struct json_write *w, bool last)
{
	json_write_array_end(w);
	if (last && s->usage.known)
		write_usage(w, &s->usage);
	write_names(w, buf_str(&s->id), buf_str(&s->model), &s->w.frame);
	json_write_object_end(w);
	s->w.out->failed |= !json_write_end(w);
	buf_add(s->w.out, STR("\r\n\r\n"));
}

static void say_call(struct saying *s, struct call_said *c)
{
	struct arena a = ARENA_INIT;
	struct json_write w;
	struct chat_call call = { .id = buf_str(&c->id), .name = buf_str(&c->name), .json = spelled_arguments(&a, buf_str(&c->arguments)),
				  .signature = buf_str(&c->signature), .signer = buf_str(&c->signer) };
	c->said = true;
	begin_event(s, &w);
	open_candidate(&w);
	write_call(&w, &call);
	close_candidate(&w, c->choice, NULL);
	end_event(s, &w, false);
	arena_clear(&a);
}

/* Those of a choice that are whole, up to the first that is not; with `all`, however far they came. */
static void say_calls(struct saying *s, int choice, bool all)
{
	for (int i = 0; i < s->n_calls; i++) {
		struct call_said *c = &s->calls[i];
		if (c->choice != choice || c->said)
			continue;
		if (!all && !c->place.whole)
			return;
		say_call(s, c);
	}
}

static struct call_said *call_of(struct saying *s, const struct chat_event *e)
{
	for (int i = 0, n = 0; i < s->n_calls; i++)
		if (s->calls[i].choice == e->choice && n++ == e->call)
			return &s->calls[i];
	return NULL;
}

static void note_call(struct saying *s, const struct chat_event *e)
{
	if (s->n_calls == CALLS_MOST) {
		s->w.out->failed = true;
		return;
	}
	say_calls(s, e->choice, false);
	s->calls = mem_resize(s->calls, sizeof(*s->calls) * (size_t)(s->n_calls + 1));
	struct call_said *c = &s->calls[s->n_calls++];
	*c = (struct call_said){ .choice = e->choice, .id = BUF_INIT(NAME_MOST), .name = BUF_INIT(NAME_MOST), .signature = BUF_INIT(PROOF_MOST),
				 .signer = BUF_INIT(NAME_MOST), .arguments = BUF_INIT(ARGUMENTS_MOST) };
	buf_add(&c->id, e->id);
	buf_add(&c->name, e->name);
}

static void note_arguments(struct saying *s, const struct chat_event *e)
{
	struct call_said *c = call_of(s, e);
	if (!c || c->said)
		return;
	spelled_follow(&c->place, e->text);
	s->w.out->failed |= !buf_add(&c->arguments, e->text);
}

static void say_text(struct saying *s, const struct chat_event *e, bool thought)
{
	struct json_write w;
	say_calls(s, e->choice, false);
	begin_event(s, &w);
	open_candidate(&w);
	write_text(&w, e->text, thought, e->signature, e->signer);
	close_candidate(&w, e->choice, NULL);
	end_event(s, &w, false);
	s->thinking = thought;
}

static void say_signature(struct saying *s, const struct chat_event *e)
{
	struct call_said *c = e->call >= 0 ? call_of(s, e) : NULL;
	struct chat_event proof = *e;
	proof.text = STR("");
	if (c && !c->said) {
		buf_add(&c->signature, e->signature);
		buf_add(&c->signer, e->signer);
	} else if (e->call < 0) {
		say_text(s, &proof, s->thinking || !str_eq(e->signer, STR(SIGNED_GOOGLE)));
	}
}

static void say_redacted(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	begin_event(s, &w);
	open_candidate(&w);
	write_redacted(&w, e->text, e->signer);
	close_candidate(&w, e->choice, NULL);
	end_event(s, &w, false);
}

static void say_end(struct saying *s)
{
	struct json_write w;
	bool any = false;
	for (int i = 0; i < CHOICES_MOST; i++) {
		say_calls(s, i, true);
		any |= s->finished[i];
	}
	s->finished[0] |= !any;	/* its end is known to be proper, though no word was given for it */
	begin_event(s, &w);
	for (int i = 0; i < CHOICES_MOST; i++) {
		if (!s->finished[i])
			continue;
		open_candidate(&w);
		write_text(&w, STR(""), false, STR_NONE, STR_NONE);
		close_candidate(&w, i, finish_word(s->finish[i]));
	}
	end_event(s, &w, true);
}

void gemini_write_event(struct chat_out *out, const struct chat_event *e)
{
	struct saying *s = container_of(container_of(out, struct chat_writer, in), struct saying, w);
	if (e->choice < 0 || e->choice >= CHOICES_MOST)
		return;
	switch (e->kind) {
	case CHAT_BEGIN:
		buf_init(&s->id, NAME_MOST);
		buf_init(&s->model, NAME_MOST);
		buf_add(&s->id, e->id);
		buf_add(&s->model, e->model);
		break;
	case CHAT_TEXT:
	case CHAT_REFUSAL: say_text(s, e, false); break;
	case CHAT_REASONING: say_text(s, e, true); break;
	case CHAT_SIGNATURE: say_signature(s, e); break;
	case CHAT_REDACTED: say_redacted(s, e); break;
	case CHAT_CALL: note_call(s, e); break;
	case CHAT_ARGUMENTS: note_arguments(s, e); break;
	case CHAT_FINISH:
		s->finished[e->choice] = true;
		s->finish[e->choice] = e->finish;
		break;
	case CHAT_USAGE: usage_merge(&s->usage, e->usage); break;
	case CHAT_END: say_end(s); break;
	default: break;
	}
}

void gemini_writer_free(struct chat_writer *w)
{
	struct saying *s = container_of(w, struct saying, w);
	for (int i = 0; i < s->n_calls; i++) {
		struct call_said *c = &s->calls[i];
		struct buf *const own[] = { &c->id, &c->name, &c->signature, &c->signer, &c->arguments };
		for (size_t j = 0; j < array_len(own); j++)
			buf_free(own[j]);
	}
	free(s->calls);
	buf_free(&s->id);
	buf_free(&s->model);
}

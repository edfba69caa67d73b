/*
 * anthropic_say.c: an answer in Messages' words, plain or as a stream (API of 2023-06-01, read 2026-11).
 *
 * Blocks of a stream follow each other. Others let the arguments of several calls mix: a call waits until
 * the one before it has its whole object. The stop reason waits for the usage, which may come behind it.
 * Another vendor's signature carries its signer in front, so that it finds its way back.
 */
#include "dialects/anthropic_parts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dialects/spelled.h"
#include "wire/json_write.h"

enum { CALLS_MOST = 256, WAITING_MOST = 1 << 20, STOP_MOST = 128 };

enum block { BLOCK_NONE, BLOCK_TEXT, BLOCK_THINKING, BLOCK_CALL };

struct call_said {
	bool waits;
	struct object_place place;
	struct buf head, arguments;	/* while it waits: its content_block, and what came of its arguments */
};

struct saying {
	struct chat_writer w;
	bool begun;
	enum block block;
	int index;		/* of the open or next block */
	int open_call;
	struct call_said *calls;
	int n_calls;
	enum chat_finish finish;
	char stop[STOP_MOST];	/* the stop sequence, spelled */
	struct usage usage;
};

const size_t anthropic_writer_size = sizeof(struct saying);

/* --- what both have in common --- */

static const char *stop_word(enum chat_finish f)
{
	static const char *const words[] = {
		[FINISH_STOP] = "end_turn", [FINISH_SEQUENCE] = "stop_sequence", [FINISH_LENGTH] = "max_tokens", [FINISH_TOOLS] = "tool_use",
		[FINISH_FILTER] = "refusal", [FINISH_PAUSE] = "pause_turn", [FINISH_OTHER] = "end_turn",
	};
	return words[f];
}

static void write_usage(struct json_write *w, const struct usage *u)
{
	int64_t fresh = u->input - u->cached - u->cache_write;
	json_member_object(w, "usage");
	json_member_int(w, "input_tokens", fresh > 0 ? fresh : 0);
	json_member_int(w, "cache_creation_input_tokens", u->cache_write);
	json_member_int(w, "cache_read_input_tokens", u->cached);
	json_member_int(w, "output_tokens", u->output);
	json_write_object_end(w);
}

static void write_stop(struct json_write *w, enum chat_finish finish, struct str sequence)
{
	json_member_string(w, "stop_reason", str_c(stop_word(finish)));
	if (finish == FINISH_SEQUENCE && sequence.n)
		json_member_escaped(w, "stop_sequence", sequence);
	else
		json_member_null(w, "stop_sequence");
}

static void write_names(struct json_write *w, struct str id, struct str model, const struct chat_frame *f)
{
	json_write_key(w, STR("id"));
	if (id.n)
		json_write_escaped(w, id);
	else
		json_write_string(w, f->request_id);
	json_member_string(w, "type", STR("message"));
	json_member_string(w, "role", STR("assistant"));
	json_write_key(w, STR("model"));
	if (model.n)
		json_write_escaped(w, model);
	else
		json_write_string(w, f->model);
}

static void write_proof(struct json_write *w, const char *key, struct str proof, struct str signer)
{
	struct arena a = ARENA_INIT;
	bool own = str_empty(signer) || str_eq(signer, STR(SIGNED_ANTHROPIC));
	json_member_escaped(w, key, own ? proof : spelled_sign(&a, signer, proof));
	arena_clear(&a);
}

static void write_call_head(struct json_write *w, struct str id, struct str name, struct str input)
{
	json_write_object(w);
	json_member_string(w, "type", STR("tool_use"));
	json_member_escaped(w, "id", id);
	json_member_escaped(w, "name", name);
	json_member_raw(w, "input", input);
	json_write_object_end(w);
}

/* --- a plain answer --- */

static void write_piece(struct json_write *w, const struct chat_piece *p)
{
	if (p->kind == PIECE_CALL) {
		write_call_head(w, p->call.id, p->call.name, p->call.json);
		return;
	}
	if (str_empty(p->text) && !p->signature.n && !p->redacted.n)
		return;
	json_write_object(w);
	if (p->kind != PIECE_REASONING) {
		json_member_string(w, "type", STR("text"));
		json_member_escaped(w, "text", p->text);
	} else if (p->redacted.n) {
		json_member_string(w, "type", STR("redacted_thinking"));
		write_proof(w, "data", p->redacted, p->signer);
	} else {
		json_member_string(w, "type", STR("thinking"));
		json_member_escaped(w, "thinking", p->text);
		write_proof(w, "signature", p->signature, p->signer);
	}
	json_write_object_end(w);
}

void anthropic_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out)
{
	const struct chat_choice *c = a->choices;
	struct json_write w;
	json_write_init(&w, out);
	json_write_object(&w);
	write_names(&w, a->id, a->model, f);
	json_member_array(&w, "content");
	for (const struct chat_piece *p = c->pieces; p; p = p->next)
		write_piece(&w, p);
	json_write_array_end(&w);
	write_stop(&w, c->finish, c->stop_sequence);
	write_usage(&w, &a->usage);
	json_write_object_end(&w);
	if (!json_write_end(&w))
		out->failed = true;
}

/* --- events --- */

static void begin_event(struct saying *s, struct json_write *w, const char *type)
{
	buf_addf(s->w.out, "event: %s\ndata: ", type);
	json_write_init(w, s->w.out);
	json_write_object(w);
	json_member_string(w, "type", str_c(type));
}

static void end_event(struct saying *s, struct json_write *w)
{
	json_write_object_end(w);
	if (!json_write_end(w))
		s->w.out->failed = true;
	buf_add(s->w.out, STR("\n\n"));
}

static void say_begin(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	bool named = e->kind == CHAT_BEGIN;
	if (s->begun)
		return;
	s->begun = true;
	begin_event(s, &w, "message_start");
	json_member_object(&w, "message");
	write_names(&w, named ? e->id : STR_NONE, named ? e->model : STR_NONE, &s->w.frame);
	json_member_raw(&w, "content", STR("[]"));
	json_member_null(&w, "stop_reason");
	json_member_null(&w, "stop_sequence");
	write_usage(&w, &s->usage);
	json_write_object_end(&w);
	end_event(s, &w);
}

static void close_block(struct saying *s)
{
	struct json_write w;
	if (s->block == BLOCK_NONE)
		return;
	begin_event(s, &w, "content_block_stop");
	json_member_int(&w, "index", s->index++);
	end_event(s, &w);
	s->block = BLOCK_NONE;
}

/* `content_block` is a whole object. */
static void open_block(struct saying *s, enum block block, struct str content_block)
{
	struct json_write w;
	close_block(s);
	begin_event(s, &w, "content_block_start");
	json_member_int(&w, "index", s->index);
	json_member_raw(&w, "content_block", content_block);
	end_event(s, &w);
	s->block = block;
}

static void begin_delta(struct saying *s, struct json_write *w, const char *type)
{
	begin_event(s, w, "content_block_delta");
	json_member_int(w, "index", s->index);
	json_member_object(w, "delta");
	json_member_string(w, "type", str_c(type));
}

static void end_delta(struct saying *s, struct json_write *w)
{
	json_write_object_end(w);
	end_event(s, w);
}

static void say_delta(struct saying *s, const char *type, const char *key, struct str spelled)
{
	struct json_write w;
	begin_delta(s, &w, type);
	json_member_escaped(&w, key, spelled);
	end_delta(s, &w);
}

/* --- calls, one after the other --- */

static void open_call(struct saying *s, int call)
{
	struct call_said *c = &s->calls[call];
	open_block(s, BLOCK_CALL, buf_str(&c->head));
	s->open_call = call;
	c->waits = false;
	if (c->arguments.n)
		say_delta(s, "input_json_delta", "partial_json", buf_str(&c->arguments));
	buf_free(&c->head);
	buf_free(&c->arguments);
}

/* Those whose turn has come; with `all`, however far the one before came. */
static void open_waiting(struct saying *s, bool all)
{
	for (int i = 0; i < s->n_calls; i++) {
		bool busy = s->block == BLOCK_CALL && !s->calls[s->open_call].place.whole;
		if (s->calls[i].waits && (all || !busy))
			open_call(s, i);
	}
}

static void say_call(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	if (e->call != s->n_calls || s->n_calls == CALLS_MOST)
		return;
	s->calls = mem_resize(s->calls, sizeof(*s->calls) * (size_t)(s->n_calls + 1));
	struct call_said *c = &s->calls[s->n_calls++];
	*c = (struct call_said){ .waits = true, .head = BUF_INIT(WAITING_MOST), .arguments = BUF_INIT(WAITING_MOST) };
	json_write_init(&w, &c->head);
	write_call_head(&w, e->id, e->name, STR("{}"));
	open_waiting(s, false);
}

static void say_arguments(struct saying *s, const struct chat_event *e)
{
	if (e->call < 0 || e->call >= s->n_calls || str_empty(e->text))
		return;
	struct call_said *c = &s->calls[e->call];
	spelled_follow(&c->place, e->text);
	if (c->waits) {
		if (!buf_add(&c->arguments, e->text))
			s->w.out->failed = true;
	} else if (s->block == BLOCK_CALL && s->open_call == e->call) {
		say_delta(s, "input_json_delta", "partial_json", e->text);
		open_waiting(s, false);
	}
}

/* --- text and thoughts --- */

static void say_text(struct saying *s, struct str text)
{
	if (s->block != BLOCK_TEXT) {
		open_waiting(s, true);
		open_block(s, BLOCK_TEXT, STR("{\"type\":\"text\",\"text\":\"\"}"));
	}
	say_delta(s, "text_delta", "text", text);
}

static void open_thinking(struct saying *s)
{
	if (s->block == BLOCK_THINKING)
		return;
	open_waiting(s, true);
	open_block(s, BLOCK_THINKING, STR("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"));
}

static void say_signature(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	if (e->call >= 0)
		return;		/* a call's own proof has no place here */
	open_thinking(s);
	begin_delta(s, &w, "signature_delta");
	write_proof(&w, "signature", e->signature, e->signer);
	end_delta(s, &w);
	close_block(s);
}

static void say_redacted(struct saying *s, const struct chat_event *e)
{
	struct buf block = BUF_INIT(WAITING_MOST);
	struct json_write w;
	open_waiting(s, true);
	json_write_init(&w, &block);
	json_write_object(&w);
	json_member_string(&w, "type", STR("redacted_thinking"));
	write_proof(&w, "data", e->text, e->signer);
	json_write_object_end(&w);
	open_block(s, BLOCK_TEXT, buf_str(&block));
	close_block(s);
	buf_free(&block);
}

/* --- the end --- */

static void note_finish(struct saying *s, const struct chat_event *e)
{
	s->finish = e->finish;
	if (e->stop_sequence.n && e->stop_sequence.n < STOP_MOST)
		memcpy(s->stop, e->stop_sequence.p, e->stop_sequence.n);
}

static void say_end(struct saying *s)
{
	struct json_write w;
	open_waiting(s, true);
	close_block(s);
	begin_event(s, &w, "message_delta");
	json_member_object(&w, "delta");
	write_stop(&w, s->finish, str_c(s->stop));
	json_write_object_end(&w);
	write_usage(&w, &s->usage);
	end_event(s, &w);
	begin_event(s, &w, "message_stop");
	end_event(s, &w);
}

void anthropic_write_event(struct chat_out *out, const struct chat_event *e)
{
	struct saying *s = container_of(container_of(out, struct chat_writer, in), struct saying, w);
	if (e->kind == CHAT_USAGE)
		usage_merge(&s->usage, e->usage);
	if (e->choice != 0)
		return;
	if (e->kind != CHAT_USAGE)
		say_begin(s, e);
	switch (e->kind) {
	case CHAT_TEXT:
	case CHAT_REFUSAL: say_text(s, e->text); break;
	case CHAT_REASONING:
		open_thinking(s);
		say_delta(s, "thinking_delta", "thinking", e->text);
		break;
	case CHAT_SIGNATURE: say_signature(s, e); break;
	case CHAT_REDACTED: say_redacted(s, e); break;
	case CHAT_CALL: say_call(s, e); break;
	case CHAT_ARGUMENTS: say_arguments(s, e); break;
	case CHAT_FINISH: note_finish(s, e); break;
	case CHAT_END: say_end(s); break;
	default: break;
	}
}

void anthropic_writer_free(struct chat_writer *w)
{
	struct saying *s = container_of(w, struct saying, w);
	for (int i = 0; i < s->n_calls; i++) {
		buf_free(&s->calls[i].head);
		buf_free(&s->calls[i].arguments);
	}
	free(s->calls);
}

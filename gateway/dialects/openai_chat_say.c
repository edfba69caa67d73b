/*
 * openai_chat_say.c: an answer in chat completions' words, plain or as a stream (openai-openapi 2.3.0, read 2026-08).
 *
 * Reasoning goes by reasoning_content, its proofs by reasoning_details in OpenRouter's shape,
 * Google's proof of a tool call by extra_content as Google itself has it.
 */
#include "dialects/openai_chat_parts.h"

#include "dialects/spelled.h"
#include "wire/json_write.h"

enum { HEAD_MOST = 4096 };

struct saying {
	struct chat_writer w;
	struct buf head;	/* id, object, created, model: the same in every chunk */
	uint64_t begun[2];	/* a bit for each choice whose role was said */
	uint64_t called[2], finished[2];
	struct usage usage;
};

const size_t openai_chat_writer_size = sizeof(struct saying);

/* --- what both have in common --- */

const char *openai_finish_word(enum chat_finish f)
{
	switch (f) {
	case FINISH_LENGTH: return "length";
	case FINISH_TOOLS:  return "tool_calls";
	case FINISH_FILTER: return "content_filter";
	default:	    return "stop";
	}
}

void openai_write_usage(struct json_write *w, const struct usage *u)
{
	json_write_object(w);
	json_member_int(w, "prompt_tokens", u->input);
	json_member_int(w, "completion_tokens", u->output);
	json_member_int(w, "total_tokens", u->total ? u->total : u->input + u->output);
	json_member_object(w, "prompt_tokens_details");
	json_member_int(w, "cached_tokens", u->cached);
	if (u->cache_write)
		json_member_int(w, "cache_write_tokens", u->cache_write);
	json_member_int(w, "audio_tokens", u->audio_input);
	json_write_object_end(w);
	json_member_object(w, "completion_tokens_details");
	json_member_int(w, "reasoning_tokens", u->reasoning);
	json_member_int(w, "audio_tokens", u->audio_output);
	json_write_object_end(w);
	json_write_object_end(w);
}

void openai_write_names(struct json_write *w, struct str id, struct str model, const struct chat_frame *f, const char *object)
{
	json_write_key(w, STR("id"));
	if (id.n)
		json_write_escaped(w, id);
	else
		json_write_string(w, f->request_id);
	json_member_string(w, "object", str_c(object));
	json_member_int(w, "created", f->created_s);
	json_write_key(w, STR("model"));
	if (model.n)
		json_write_escaped(w, model);
	else
		json_write_string(w, f->model);
}

static void write_detail(struct json_write *w, const char *type, const char *key, struct str value, struct str signer)
{
	json_write_object(w);
	json_member_string(w, "type", str_c(type));
	json_member_escaped(w, key, value);
	if (signer.n)
		json_member_escaped(w, "format", signer);
	json_write_object_end(w);
}

static void write_proof(struct json_write *w, struct str signature, struct str signer)
{
	if (!str_eq(signer, STR(SIGNED_GOOGLE)) || str_empty(signature))
		return;
	json_member_object(w, "extra_content");
	json_member_object(w, "google");
	json_member_escaped(w, "thought_signature", signature);
	json_write_object_end(w);
	json_write_object_end(w);
}

/* --- a plain answer --- */

static void write_call(struct json_write *w, const struct chat_call *c)
{
	json_write_object(w);
	json_member_escaped(w, "id", c->id);
	json_member_string(w, "type", STR("function"));
	json_member_object(w, "function");
	json_member_escaped(w, "name", c->name);
	json_member_string(w, "arguments", c->json);
	json_write_object_end(w);
	write_proof(w, c->signature, c->signer);
	json_write_object_end(w);
}

void openai_write_joined(struct json_write *w, const struct chat_choice *c, enum chat_piece_kind kind, const char *key, const char *otherwise)
{
	struct buf b = BUF_INIT(64u << 20);
	struct str text = STR_NONE;
	for (const struct chat_piece *p = c->pieces; p; p = p->next) {
		if (p->kind != kind || !p->text.n)
			continue;
		if (text.n && !b.n)
			buf_add(&b, text);	/* a second one */
		if (text.n)
			buf_add(&b, p->text);
		text = b.n ? buf_str(&b) : p->text;
	}
	if (text.n)
		json_member_escaped(w, key, text);
	else if (otherwise)
		json_member_raw(w, key, str_c(otherwise));
	w->failed |= b.failed;
	buf_free(&b);
}

static void write_calls(struct json_write *w, const struct chat_choice *c)
{
	unsigned n = 0;
	for (const struct chat_piece *p = c->pieces; p; p = p->next) {
		if (p->kind != PIECE_CALL)
			continue;
		if (n++ == 0)
			json_member_array(w, "tool_calls");
		write_call(w, &p->call);
	}
	if (n)
		json_write_array_end(w);
}

static void write_details(struct json_write *w, const struct chat_choice *c)
{
	unsigned n = 0;
	for (const struct chat_piece *p = c->pieces; p; p = p->next) {
		if (p->kind != PIECE_REASONING || (!p->signature.n && !p->redacted.n))
			continue;
		if (n++ == 0)
			json_member_array(w, "reasoning_details");
		if (p->redacted.n) {
			write_detail(w, "reasoning.encrypted", "data", p->redacted, p->signer);
			continue;
		}
		json_write_object(w);
		json_member_string(w, "type", STR("reasoning.text"));
		json_member_escaped(w, "text", p->text);
		json_member_escaped(w, "signature", p->signature);
		if (p->signer.n)
			json_member_escaped(w, "format", p->signer);
		json_write_object_end(w);
	}
	if (n)
		json_write_array_end(w);
}

static void write_choice(struct json_write *w, const struct chat_choice *c)
{
	json_write_object(w);
	json_member_int(w, "index", c->index);
	json_member_object(w, "message");
	json_member_string(w, "role", STR("assistant"));
	openai_write_joined(w, c, PIECE_TEXT, "content", "null");
	openai_write_joined(w, c, PIECE_REFUSAL, "refusal", "null");
	openai_write_joined(w, c, PIECE_REASONING, "reasoning_content", NULL);
	write_details(w, c);
	write_calls(w, c);
	if (c->annotations.n) {
		json_write_key(w, STR("annotations"));
		json_write_array(w);
		json_write_raw(w, c->annotations);
		json_write_array_end(w);
	}
	json_write_object_end(w);
	json_write_key(w, STR("logprobs"));
	json_write_raw(w, c->logprobs.p ? c->logprobs : STR("null"));
	json_member_string(w, "finish_reason", str_c(openai_finish_word(c->finish)));
	if (c->native.n)
		json_member_escaped(w, "native_finish_reason", c->native);
	json_write_object_end(w);
}

void openai_write_whole(const struct chat_answer *a, const struct chat_frame *f, const char *object,
			void (*write)(struct json_write *, const struct chat_choice *), struct buf *out)
{
	struct json_write w;
	json_write_init(&w, out);
	json_write_object(&w);
	openai_write_names(&w, a->id, a->model, f, object);
	json_member_array(&w, "choices");
	for (const struct chat_choice *c = a->choices; c; c = c->next)
		write(&w, c);
	json_write_array_end(&w);
	if (a->usage.known) {
		json_write_key(&w, STR("usage"));
		openai_write_usage(&w, &a->usage);
	}
	json_write_object_end(&w);
	if (!json_write_end(&w))
		out->failed = true;
}

void openai_chat_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out)
{
	openai_write_whole(a, f, "chat.completion", write_choice, out);
}

/* --- a stream --- */

static void make_head(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	if (s->head.n)
		return;
	buf_init(&s->head, HEAD_MOST);
	json_write_init(&w, &s->head);
	json_write_object(&w);
	openai_write_names(&w, e->kind == CHAT_BEGIN ? str_head(e->id, 512) : STR_NONE, e->kind == CHAT_BEGIN ? str_head(e->model, 512) : STR_NONE,
		    &s->w.frame, "chat.completion.chunk");
}

static void begin_chunk(struct saying *s, struct json_write *w, int choice)
{
	struct buf *out = s->w.out;
	buf_add(out, STR("data: "));
	buf_add(out, buf_str(&s->head));
	buf_add(out, STR(",\"choices\":[{\"index\":"));
	buf_addd(out, choice);
	buf_add(out, STR(",\"delta\":"));
	json_write_init(w, out);
	json_write_object(w);
}

static void end_chunk(struct saying *s, struct json_write *w, struct str logprobs, const struct chat_event *finish)
{
	struct buf *out = s->w.out;
	json_write_object_end(w);
	if (!json_write_end(w))
		out->failed = true;
	buf_add(out, STR(",\"logprobs\":"));
	json_add_line(out, logprobs.p ? logprobs : STR("null"));
	if (finish)
		buf_addf(out, ",\"finish_reason\":\"%s\"", openai_finish_word(finish->finish));
	else
		buf_add(out, STR(",\"finish_reason\":null"));
	if (finish && finish->native.n)
		buf_addf(out, ",\"native_finish_reason\":\"%.*s\"", STR_FMT(finish->native));
	buf_add(out, STR("}]"));
	if (s->w.frame.usage)
		buf_add(out, STR(",\"usage\":null"));
	buf_add(out, STR("}\n\n"));
}

static void say_role(struct saying *s, int choice)
{
	struct json_write w;
	uint64_t bit = UINT64_C(1) << (choice & 63);
	if (choice < 0 || choice >= 128 || s->begun[choice >> 6] & bit)
		return;
	s->begun[choice >> 6] |= bit;
	begin_chunk(s, &w, choice);
	json_member_string(&w, "role", STR("assistant"));
	json_member_string(&w, "content", STR(""));
	end_chunk(s, &w, STR_NONE, NULL);
}

static void note(struct saying *s, const struct chat_event *e)
{
	uint64_t bit = UINT64_C(1) << (e->choice & 63);
	if (e->choice < 0 || e->choice >= 128)
		return;
	if (e->kind == CHAT_CALL)
		s->called[e->choice >> 6] |= bit;
	else if (e->kind == CHAT_FINISH)
		s->finished[e->choice >> 6] |= bit;
}

static void say_member(struct saying *s, const struct chat_event *e, const char *key)
{
	struct json_write w;
	begin_chunk(s, &w, e->choice);
	json_member_escaped(&w, key, e->text);
	end_chunk(s, &w, STR_NONE, NULL);
}

static void say_call(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	begin_chunk(s, &w, e->choice);
	json_member_array(&w, "tool_calls");
	json_write_object(&w);
	json_member_int(&w, "index", e->call);
	if (e->kind == CHAT_CALL) {
		json_member_escaped(&w, "id", e->id);
		json_member_string(&w, "type", STR("function"));
	}
	json_member_object(&w, "function");
	if (e->kind == CHAT_CALL)
		json_member_escaped(&w, "name", e->name);
	json_member_escaped(&w, "arguments", e->kind == CHAT_ARGUMENTS ? e->text : STR(""));
	json_write_object_end(&w);
	if (e->kind == CHAT_SIGNATURE)
		write_proof(&w, e->signature, e->signer);
	json_write_object_end(&w);
	json_write_array_end(&w);
	end_chunk(s, &w, STR_NONE, NULL);
}

static void say_detail(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	bool redacted = e->kind == CHAT_REDACTED;
	begin_chunk(s, &w, e->choice);
	json_member_array(&w, "reasoning_details");
	write_detail(&w, redacted ? "reasoning.encrypted" : "reasoning.text", redacted ? "data" : "signature", redacted ? e->text : e->signature, e->signer);
	json_write_array_end(&w);
	end_chunk(s, &w, STR_NONE, NULL);
}

static void say_citation(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	begin_chunk(s, &w, e->choice);
	json_member_array(&w, "annotations");
	json_write_raw(&w, e->json);
	json_write_array_end(&w);
	end_chunk(s, &w, STR_NONE, NULL);
}

static void say_empty(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	begin_chunk(s, &w, e->choice);
	end_chunk(s, &w, e->kind == CHAT_LOGPROBS ? e->json : STR_NONE, e->kind == CHAT_FINISH ? e : NULL);
}

/* Its end is known to be proper, though no word was given for it. */
static void finish_all(struct saying *s)
{
	for (int i = 0; i < 128; i++) {
		uint64_t bit = UINT64_C(1) << (i & 63);
		struct chat_event stop = { .kind = CHAT_FINISH, .choice = i, .call = -1, .finish = s->called[i >> 6] & bit ? FINISH_TOOLS : FINISH_STOP };
		if (s->begun[i >> 6] & ~s->finished[i >> 6] & bit)
			say_empty(s, &stop);
	}
}

static void say_end(struct saying *s)
{
	struct json_write w;
	finish_all(s);
	if (s->w.frame.usage) {
		buf_add(s->w.out, STR("data: "));
		buf_add(s->w.out, buf_str(&s->head));
		buf_add(s->w.out, STR(",\"choices\":[],\"usage\":"));
		json_write_init(&w, s->w.out);
		openai_write_usage(&w, &s->usage);
		buf_add(s->w.out, STR("}\n\n"));
	}
	buf_add(s->w.out, STR("data: [DONE]\n\n"));
	buf_free(&s->head);
}

void openai_chat_write_event(struct chat_out *out, const struct chat_event *e)
{
	struct saying *s = container_of(container_of(out, struct chat_writer, in), struct saying, w);
	make_head(s, e);
	if (e->kind == CHAT_USAGE) {
		usage_merge(&s->usage, e->usage);
		return;
	}
	if (e->kind == CHAT_END) {
		say_end(s);
		return;
	}
	say_role(s, e->choice);
	note(s, e);
	switch (e->kind) {
	case CHAT_TEXT: say_member(s, e, "content"); break;
	case CHAT_REASONING: say_member(s, e, "reasoning_content"); break;
	case CHAT_REFUSAL: say_member(s, e, "refusal"); break;
	case CHAT_CALL:
	case CHAT_ARGUMENTS: say_call(s, e); break;
	case CHAT_SIGNATURE:
		if (e->call < 0)
			say_detail(s, e);
		else
			say_call(s, e);
		break;
	case CHAT_REDACTED: say_detail(s, e); break;
	case CHAT_CITATION: say_citation(s, e); break;
	case CHAT_LOGPROBS:
	case CHAT_FINISH: say_empty(s, e); break;
	default: break;
	}
}

void openai_chat_writer_free(struct chat_writer *w)
{
	buf_free(&container_of(w, struct saying, w)->head);
}

/*
 * openai_completions.c: an answer to /v1/completions, plain or as a stream (API reference of 2025-10).
 *
 * A chunk of a stream looks like the whole answer, with a piece of the text in it. It is read like chat.
 */
#include "dialects/openai_chat_parts.h"

enum { HEAD_MOST = 4096 };

struct saying {
	struct chat_writer w;
	struct buf head;	/* id, object, created, model: the same in every chunk */
	struct usage usage;
};

static const size_t writer_size = sizeof(struct saying);

static void end_choice(struct json_write *w, int index, struct str finish)
{
	json_member_int(w, "index", index);
	json_member_null(w, "logprobs");
	if (finish.n)
		json_member_escaped(w, "finish_reason", finish);
	else
		json_member_null(w, "finish_reason");
	json_write_object_end(w);
}

/* The vendor's own word, which is one of this format's. */
static struct str finish_of(enum chat_finish f, struct str native)
{
	return native.n ? native : str_c(openai_finish_word(f));
}

static void write_choice(struct json_write *w, const struct chat_choice *c)
{
	json_write_object(w);
	openai_write_joined(w, c, PIECE_TEXT, "text", "\"\"");
	end_choice(w, c->index, finish_of(c->finish, c->native));
}

static void write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out)
{
	openai_write_whole(a, f, "text_completion", write_choice, out);
}

/* --- a stream --- */

static void make_head(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	buf_init(&s->head, HEAD_MOST);
	json_write_init(&w, &s->head);
	json_write_object(&w);
	openai_write_names(&w, str_head(e->id, 512), str_head(e->model, 512), &s->w.frame, "text_completion");
}

static void begin_chunk(struct saying *s)
{
	buf_add(s->w.out, STR("data: "));
	buf_add(s->w.out, buf_str(&s->head));
	buf_add(s->w.out, STR(",\"choices\":["));
}

static void say_choice(struct saying *s, const struct chat_event *e)
{
	struct json_write w;
	begin_chunk(s);
	json_write_init(&w, s->w.out);
	json_write_object(&w);
	json_member_escaped(&w, "text", e->kind == CHAT_TEXT ? e->text : STR(""));
	end_choice(&w, e->choice, e->kind == CHAT_FINISH ? finish_of(e->finish, e->native) : STR_NONE);
	if (!json_write_end(&w))
		s->w.out->failed = true;
	buf_add(s->w.out, s->w.frame.usage ? STR("],\"usage\":null}\n\n") : STR("]}\n\n"));
}

static void say_end(struct saying *s)
{
	struct json_write w;
	if (s->w.frame.usage) {
		begin_chunk(s);
		buf_add(s->w.out, STR("],\"usage\":"));
		json_write_init(&w, s->w.out);
		openai_write_usage(&w, &s->usage);
		buf_add(s->w.out, STR("}\n\n"));
	}
	buf_add(s->w.out, STR("data: [DONE]\n\n"));
	buf_free(&s->head);
}

static void write_event(struct chat_out *out, const struct chat_event *e)
{
	struct saying *s = container_of(container_of(out, struct chat_writer, in), struct saying, w);
	switch (e->kind) {
	case CHAT_BEGIN: make_head(s, e); break;
	case CHAT_TEXT:
	case CHAT_FINISH: say_choice(s, e); break;
	case CHAT_USAGE: usage_merge(&s->usage, e->usage); break;
	case CHAT_END: say_end(s); break;
	default: break;
	}
}

static void writer_free(struct chat_writer *w)
{
	buf_free(&container_of(w, struct saying, w)->head);
}

const struct chat_format openai_completions = {
	.write_answer = write_answer, .writer_size = &writer_size, .write_event = write_event, .writer_free = writer_free,
	.read_answer = openai_chat_read_answer, .reader_size = &openai_chat_reader_size, .read_event = openai_chat_read_event,
	.reader_free = openai_chat_reader_free,
};

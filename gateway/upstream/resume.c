/*
 * resume.c: continuing an answer that broke, on the next target.
 *
 * Some models begin again a little before the place they were given. The beginning of the
 * continuation is held back until RESUME_OVERLAP_LOOK bytes of it are here, and a repetition of
 * at least RESUME_OVERLAP_MIN bytes is taken off: shorter ones are chance ("Hel" + "lo").
 */
#include "upstream/resume.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/call.h"
#include "wire/json_cursor.h"

enum { EVENT_MAX = 1024 * 1024 };

struct resume *resume_new(void)
{
	struct resume *r = mem_alloc(sizeof(*r));
	*r = (struct resume){ .text = BUF_INIT(RESUME_TEXT_MAX), .first = BUF_INIT(EVENT_MAX), .lead = BUF_INIT(EVENT_MAX),
			      .event = BUF_INIT(2 * EVENT_MAX), .possible = true };
	return r;
}

void resume_free(struct resume *r)
{
	if (!r)
		return;
	buf_free(&r->text);
	buf_free(&r->first);
	buf_free(&r->lead);
	buf_free(&r->event);
	free(r);
}

void resume_note(struct resume *r, const struct event_view *v, struct str data)
{
	if (!r->possible || !v->content)
		return;
	if (!v->text_only || !buf_add(&r->text, v->text) || (r->first.n == 0 && !buf_add(&r->first, data)))
		r->possible = false;
}

bool resume_prepare(struct resume *r, struct txn *t)
{
	struct buf turn = BUF_INIT(RESUME_TEXT_MAX + 256);
	struct call *call = t->call;
	if (!r->possible || r->text.n == 0 || !call || call->messages_end == 0)
		return false;
	buf_add(&turn, STR(",{\"role\":\"assistant\",\"content\":\""));
	buf_add(&turn, buf_str(&r->text));
	buf_add(&turn, STR("\"}"));
	call->resume = (struct call_edit){ call->messages_end, 0, arena_copy(&t->arena, buf_str(&turn)) };
	buf_free(&turn);
	r->going_on = true;
	r->decided = false;
	buf_clear(&r->lead);
	return true;
}

/* How much of the beginning of `lead` repeats the end of `text`. */
static size_t overlap(struct str text, struct str lead)
{
	size_t most = text.n < lead.n ? text.n : lead.n;
	for (size_t k = most; k >= RESUME_OVERLAP_MIN; k--)
		if (memcmp(text.p + text.n - k, lead.p, k) == 0)
			return k;
	return 0;
}

/* The new text of this event, once it is known to be new. */
static struct str new_text(struct resume *r, const struct event_view *v)
{
	if (r->decided)
		return v->text;
	if (v->text_only)
		buf_add(&r->lead, v->text);
	if (r->lead.n < RESUME_OVERLAP_LOOK && !v->finish && !v->done)
		return STR_NONE;
	r->decided = true;
	return str_skip(buf_str(&r->lead), overlap(buf_str(&r->text), buf_str(&r->lead)));
}

static void add_member(struct buf *out, const char *key, struct str value)
{
	if (value.n)
		buf_addf(out, "\"%s\":%.*s,", key, STR_FMT(value));
}

static void add_event(struct resume *r, struct str text, struct str finish)
{
	struct str first = buf_str(&r->first);
	struct buf *out = &r->event;
	buf_add(out, STR("data: {"));
	add_member(out, "id", json_get(first, STR("id")));
	add_member(out, "object", json_get(first, STR("object")));
	add_member(out, "created", json_get(first, STR("created")));
	add_member(out, "model", json_get(first, STR("model")));
	buf_add(out, STR("\"choices\":[{\"index\":0,\"delta\":{"));
	if (text.n) {
		buf_add(out, STR("\"content\":\""));
		buf_add(out, text);
		buf_addc(out, '"');
	}
	buf_add(out, STR("},\"finish_reason\":"));
	buf_add(out, finish.n ? finish : STR("null"));
	buf_add(out, STR("}]}\n\n"));
}

struct str resume_rewrite(struct resume *r, const struct event_view *v, struct str data)
{
	struct json_cursor choice;
	struct str text = STR_NONE, finish = STR_NONE;
	buf_clear(&r->event);
	if (json_cursor_open(&choice, json_get(data, STR("choices"))) && json_cursor_next(&choice))
		finish = json_get(choice.value, STR("finish_reason"));
	if (json_type(finish) != JSON_STRING)
		finish = STR_NONE;
	if (v->content || v->finish || v->done)
		text = new_text(r, v);
	if (text.n || finish.n)
		add_event(r, text, finish);
	buf_add(&r->text, text);
	if (v->done)
		buf_add(&r->event, STR("data: [DONE]\n\n"));
	return buf_str(&r->event);
}

/*
 * judge.c: an answer that waits until plugins have judged the whole of it.
 *
 * It lies in r->event as it will go out. The transaction may have let go of its request by now: what is
 * shown is read from these bytes alone.
 */
#include "core/endpoint.h"
#include "plugin_host/run.h"
#include "plugin_host/spots.h"
#include "wire/json_cursor.h"
#include "wire/sse.h"

enum { TEXT_MOST = 16 * 1024 * 1024 };

/* --- what it says --- */

static void add_texts(struct weir_request *r, const struct spots *spots, bool whole, unsigned *choice, struct buf *out)
{
	for (unsigned i = 0; i < spots->n; i++) {
		const struct spot *s = &spots->s[i];
		struct str text = s->arguments || s->whole != whole || !s->value.p ? STR_NONE : json_text(&r->scratch, s->value);
		if (!text.n)
			continue;
		if (out->n && (whole || s->choice != *choice))
			buf_addc(out, '\n');
		*choice = s->choice;
		buf_add(out, text);
	}
}

static struct str texts_of(struct weir_request *r, struct buf *out)
{
	struct spots spots;
	struct sse sse;
	struct sse_event ev;
	struct str raw = buf_str(&r->event);
	unsigned choice = 0;
	if (!r->t->answer.event_stream) {
		spots_of_answer(r->t->endpoint->name, raw, &spots);
		add_texts(r, &spots, true, &choice, out);
		return buf_str(out);
	}
	sse_init(&sse);
	while (sse_feed(&sse, &raw, &ev) == SSE_EVENT) {
		spots_of_event(r->t->endpoint->name, ev.comment ? STR_NONE : ev.data, &spots);
		add_texts(r, &spots, false, &choice, out);
	}
	sse_free(&sse);
	return buf_str(out);
}

/* --- asking --- */

static enum weir_verdict first(struct weir_request *r)
{
	const struct plugin_use *u = run_use(r);
	struct buf text = BUF_INIT(TEXT_MOST);
	struct str said = texts_of(r, &text);
	hook_begin(u, "answered");
	enum weir_verdict v = u->plugin->answered(u->self, r, run_text(said.p ? said : STR("")));
	hook_end(u);
	buf_free(&text);
	return v;
}

/* What came of a hold, or that nothing came. */
static enum weir_verdict again(struct weir_request *r)
{
	const struct plugin_use *u = run_use(r);
	struct weir_result result = r->hold.result;
	struct buf body = r->hold.body;
	enum weir_on_timeout then = r->hold.then;
	bool late = r->hold.late;
	r->hold.body = (struct buf)BUF_INIT(0);
	run_hold_drop(r);
	enum weir_verdict v = WEIR_CONTINUE;
	if (u->plugin->result && (!result.failure || then == WEIR_TELL)) {
		hook_begin(u, "result");
		v = u->plugin->result(u->self, r, &result);
		hook_end(u);
	} else if (result.failure) {
		count_outcome(u, late ? OUTCOME_TIMEOUT : OUTCOME_FAILURE);
		v = then == WEIR_GO_ON || (then != WEIR_REFUSE && u->on_failure == PLUGIN_CONTINUES) ? WEIR_CONTINUE : WEIR_REJECT;
	}
	buf_free(&body);
	return v;
}

/* False: it waits. */
static bool ask(struct weir_request *r)
{
	enum weir_verdict v;
	do {
		r->in_delta = true;
		v = r->hold.kind != HOLD_NONE ? again(r) : first(r);
		r->in_delta = false;
	} while (v == WEIR_HOLD && r->hold.over);
	if (v == WEIR_HOLD && r->hold.kind != HOLD_NONE)
		return false;
	run_hold_drop(r);
	if (v == WEIR_CONTINUE)
		return true;
	count_outcome(run_use(r), OUTCOME_REJECT);
	run_break(r, "A step of this gateway that has to see each answer did not let it pass.");
	return true;
}

bool run_judge(struct weir_request *r)
{
	r->judging = true;
	for (; r->judge < r->set->n && !r->broken; r->judge++) {
		r->at = r->judge;
		if (!(r->holds >> r->judge & 1))
			continue;
		if ((r->hold.kind != HOLD_NONE && !r->hold.over) || !ask(r))
			return false;
	}
	r->judging = false;
	return true;
}

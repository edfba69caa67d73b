/*
 * plugins_stage.c: each plugin in turn, in the configuration's order, for the models and keys it is for.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/live.h"
#include "core/may_use.h"
#include "core/snapshot.h"
#include "core/target.h"
#include "plugin_host/plugin_host.h"
#include "plugin_host/run.h"

enum { ANSWER_ROOM = 16 * 1024, ANSWER_FACTOR = 40 };

/* --- whose turn --- */

static bool matches(const struct str *patterns, unsigned n, struct str name)
{
	for (unsigned i = 0; i < n; i++)
		if (str_glob(patterns[i], name))
			return true;
	return n == 0;
}

static bool is_for(const struct plugin_use *u, const struct txn *t, bool last)
{
	return u->last == last && matches(u->models, u->n_models, t->call->model) &&
	       matches(u->keys, u->n_keys, t->key ? t->key->name : STR_NONE);
}

/* Answers of weir itself have nothing in them for plugins; nor has a model that may not be used. */
static struct weir_request *begin(struct txn *t)
{
	struct plugin_set *set = t->snapshot->plugins;
	if (t->endpoint->route == ROUTE_HERE || t->call->upload || !may_use(t, t->call->model))
		return NULL;
	struct weir_request *r = mem_alloc(sizeof(*r));
	r->t = t;
	r->generation = t->generation;
	r->set = plugin_set_ref(set);
	t->plugins = r;
	return r;
}

/* --- verdicts --- */

/* What is only explained did not happen. */
static void count(const struct weir_request *r, enum plugin_outcome o)
{
	if (!r->t->dry)
		count_outcome(run_use(r), o);
}

static enum stage_result invalid(struct weir_request *r)
{
	count(r, OUTCOME_INVALID);
	return txn_error(r->t, ERR_INTERNAL, "A step of this gateway made an invalid change to the request.");
}

/* A hold came to nothing, or was never begun. */
static enum stage_result on_failure(struct weir_request *r, enum weir_on_timeout then, bool late)
{
	bool go_on = then == WEIR_GO_ON || (then != WEIR_REFUSE && run_use(r)->on_failure == PLUGIN_CONTINUES);
	count(r, late ? OUTCOME_TIMEOUT : OUTCOME_FAILURE);
	if (go_on || r->t->dry)
		return STAGE_NEXT;
	txn_error(r->t, ERR_PLUGIN_FAILED, "A step of this gateway that has to see each request %s.", late ? "did not answer in time" : "failed");
	r->t->error.status = late ? 504 : 0;
	return STAGE_FAILED;
}

static enum stage_result rejected(struct weir_request *r)
{
	count(r, OUTCOME_REJECT);
	if (r->t->error.kind != ERR_PLUGIN)
		return txn_error(r->t, ERR_INTERNAL, "A step of this gateway rejected the request and did not say why.");
	return STAGE_FAILED;
}

static enum stage_result answered(struct weir_request *r)
{
	struct txn *t = r->t;
	if (!r->answered)
		return invalid(r);
	count(r, OUTCOME_ANSWER);
	t->answered_here = true;
	t->answered_by = arena_printf(&t->arena, "%.*s%s%.*s", STR_FMT(run_use(r)->name), r->why.n ? "/" : "", STR_FMT(r->why));
	return STAGE_ANSWERED;
}

/* What the hook said; STAGE_NEXT: the next plugin. */
static enum stage_result obey(struct weir_request *r, enum weir_verdict v)
{
	bool changed = r->edits.n || r->edits.whole.p;
	if (v != WEIR_REJECT && r->t->error.kind == ERR_PLUGIN)
		r->t->error = (struct error){ .kind = ERR_NONE };
	if (v == WEIR_HOLD)
		return r->hold.kind != HOLD_NONE ? STAGE_PARKED : on_failure(r, WEIR_AS_CONFIGURED, false);
	run_hold_drop(r);
	if (v == WEIR_REJECT)
		return rejected(r);
	if (!run_apply(r))
		return invalid(r);
	if (v == WEIR_ANSWER)
		return answered(r);
	if (v != WEIR_CONTINUE)
		return invalid(r);
	count(r, changed ? OUTCOME_CHANGE : OUTCOME_CONTINUE);
	return STAGE_NEXT;
}

/* A plugin that crashed too often: as if it had failed. */
static enum stage_result switched_off(struct weir_request *r)
{
	count(r, OUTCOME_OFF);
	if (run_use(r)->on_failure == PLUGIN_CONTINUES || r->t->dry)
		return STAGE_NEXT;
	return txn_error(r->t, ERR_PLUGIN_FAILED, "A step of this gateway that has to see each request is switched off.");
}

static enum weir_verdict call_request(struct weir_request *r)
{
	const struct plugin_use *u = run_use(r);
	hook_begin(u, "request");
	r->inside = true;
	enum weir_verdict v = u->plugin->request(u->self, r);
	r->inside = false;
	hook_end(u);
	return v;
}

static enum stage_result ask(struct weir_request *r)
{
	const struct plugin_use *u = run_use(r);
	if (plugin_is_off(u))
		return switched_off(r);
	r->entered |= UINT32_C(1) << r->at;
	if (u->plugin->delta || u->plugin->arguments)
		r->deltas |= UINT32_C(1) << r->at;
	if (!u->plugin->request)
		return STAGE_NEXT;
	return obey(r, call_request(r));
}

/* The result, or that none came, is given to the plugin: it may hold again. */
static enum stage_result give_result(struct weir_request *r)
{
	const struct plugin_use *u = run_use(r);
	struct weir_result result = r->hold.result;
	struct buf body = r->hold.body;
	enum weir_on_timeout then = r->hold.then;
	r->hold.body = (struct buf)BUF_INIT(0);
	bool late = r->hold.late;
	run_hold_drop(r);
	if ((result.failure && then != WEIR_TELL) || !u->plugin->result) {
		buf_free(&body);
		if (result.failure)
			log_warn("plugin %.*s: %s", STR_FMT(u->name), result.failure);
		return result.failure ? on_failure(r, then, late) : STAGE_NEXT;
	}
	hook_begin(u, "result");
	r->inside = true;
	enum weir_verdict v = u->plugin->result(u->self, r, &result);
	r->inside = false;
	hook_end(u);
	buf_free(&body);
	return obey(r, v);
}

/* --- the stage --- */

static void cancel(struct txn *t)
{
	if (t->plugins)
		run_hold_drop(t->plugins);
}

static enum stage_result park(struct weir_request *r)
{
	if (r->t->dry) {
		run_hold_drop(r);
		return STAGE_NEXT;
	}
	r->t->cancel = cancel;
	return STAGE_PARKED;
}

static enum stage_result enter(struct txn *t)
{
	if (likely(!t->snapshot->plugins))
		return STAGE_NEXT;
	struct weir_request *r = t->plugins ? t->plugins : begin(t);
	enum stage_result s = STAGE_NEXT;
	if (!r)
		return STAGE_NEXT;
	t->cancel = NULL;
	for (; r->at < r->set->n; r->at++) {
		if (r->hold.kind != HOLD_NONE)
			s = give_result(r);
		else if (is_for(run_use(r), t, false))
			s = ask(r);
		if (s == STAGE_PARKED)
			s = park(r);
		if (s == STAGE_ANSWERED)
			return STAGE_NEXT;	/* given later, see plugin_answer_stage; r->at stays with who answered */
		if (s != STAGE_NEXT)
			return s;
	}
	if (r->deltas || r->holds)
		run_lay_sink(r);
	return STAGE_NEXT;
}

/* --- afterwards --- */

static struct weir_end end_of(const struct txn *t)
{
	return (struct weir_end){
		.size = sizeof(struct weir_end), .status = t->answer.begun ? t->answer.status : t->error.kind ? error_status(&t->error) : 0,
		.cost_nano_usd = t->cost_known && !t->cost_missing ? t->cost : -1,
		.input_tokens = t->usage.input, .output_tokens = t->usage.output, .duration_us = t->ended_us - t->began_us,
		.target = run_text(t->attempts && t->live_target ? t->live_target->name : STR_NONE),
	};
}

static void forget(struct weir_request *r)
{
	struct weir_end end = end_of(r->t);
	run_hold_drop(r);
	for (r->at = 0; r->at < r->set->n; r->at++) {
		const struct plugin_use *u = run_use(r);
		if (!(r->entered >> r->at & 1) || !u->plugin->end)
			continue;
		hook_begin(u, "end");
		u->plugin->end(u->self, r, &end);
		hook_end(u);
	}
	buf_free(&r->plain);
	buf_free(&r->replaced);
	buf_free(&r->event);
	buf_free(&r->notes);
	if (r->sink.take) {
		loop_task_cancel(&r->break_task);
		arena_clear(&r->scratch);
	}
	plugin_set_unref(r->set);
	free(r);
}

static void leave(struct txn *t)
{
	struct weir_request *r = t->plugins;
	if (likely(!r))
		return;
	t->plugins = NULL;
	if (t->live_model && !t->answered_here && t->attempts && t->cost_known && !t->cost_missing && t->error.kind == ERR_NONE)
		learn_cost(t->live_model, t->cost);
	forget(r);
}

const struct stage plugins_stage = { .name = "plugins", .enter = enter, .leave = leave };

/* --- the plan --- */

static enum stage_result enter_targets(struct txn *t)
{
	struct weir_request *r = t->plugins;
	if (likely(!r) || t->answered_here || !t->plan)
		return STAGE_NEXT;
	r->routing = true;
	for (r->at = 0; r->at < r->set->n; r->at++) {
		const struct plugin_use *u = run_use(r);
		if (!(r->entered >> r->at & 1) || !u->plugin->target)
			continue;
		hook_begin(u, "target");
		u->plugin->target(u->self, r);
		hook_end(u);
	}
	r->routing = false;
	return STAGE_NEXT;
}

const struct stage plugin_targets_stage = { .name = "plugin_targets", .enter = enter_targets };

/* --- answers --- */

static void emit(struct txn *t, enum delta_kind kind, struct str raw)
{
	struct delta d = { .kind = kind, .raw = raw, .content = kind != DELTA_HEAD };
	t->sinks->take(t->sinks, &d);
}

static enum stage_result give(struct weir_request *r)
{
	struct txn *t = r->t;
	struct buf out = BUF_INIT(ANSWER_ROOM + ANSWER_FACTOR * r->answer.n);
	if (!speak(t, r->answer, &out)) {
		buf_free(&out);
		return invalid(r);
	}
	count_avoided(run_use(r), t->live_model);
	t->cost_known = true;
	t->answer.status = 200;
	t->answer.content_type = t->stream ? STR("text/event-stream") : STR("application/json");
	t->answer.event_stream = t->stream;
	t->answer.length = t->stream ? ANSWER_CHUNKED : (int64_t)out.n;
	t->first_content_us = loop_now(t->loop);
	if (!t->answer.begun)	/* by a comment, while targets were asked */
		emit(t, DELTA_HEAD, STR_NONE);
	t->answer.content = true;
	emit(t, t->stream ? DELTA_EVENT : DELTA_BYTES, buf_str(&out));
	emit(t, DELTA_END, STR_NONE);
	buf_free(&out);
	txn_end(t);
	return STAGE_ANSWERED;
}

static enum stage_result enter_answer(struct txn *t)
{
	return likely(!t->answered_here) ? STAGE_NEXT : give(t->plugins);
}

const struct stage plugin_answer_stage = { .name = "plugin_answer", .enter = enter_answer };

/* --- the last rung --- */

/* One that is asked last: true when it has the answer. What it says of the request otherwise comes too late. */
static bool ask_last(struct weir_request *r)
{
	r->entered |= UINT32_C(1) << r->at;
	enum weir_verdict v = call_request(r);
	run_hold_drop(r);
	r->edits = (struct edits){ .n = 0 };
	if (v != WEIR_ANSWER || !r->answered) {
		count(r, v == WEIR_CONTINUE ? OUTCOME_CONTINUE : OUTCOME_INVALID);
		return false;
	}
	return answered(r) == STAGE_ANSWERED;
}

bool plugins_last(struct txn *t)
{
	struct weir_request *r = t->plugins;
	for (unsigned i = 0; r && i < r->set->n; i++) {
		struct error before = t->error;
		r->at = i;
		if (!is_for(run_use(r), t, true) || !run_use(r)->plugin->request || plugin_is_off(run_use(r)))
			continue;
		if (ask_last(r)) {
			t->error = (struct error){ .kind = ERR_NONE };
			t->live_target = NULL;	/* none of those that were tried */
			return give(r) == STAGE_ANSWERED;
		}
		t->error = before;
	}
	return false;
}

/* --- threads, explaining --- */

void plugin_host_open(struct loop *l, const struct fetch_ops *fetch)
{
	run_hold_open(l, fetch);
}

void plugin_host_close(struct loop *l)
{
	run_hold_close(l);
}

void plugins_explain(const struct txn *t, struct buf *out)
{
	const struct weir_request *r = t->plugins;
	if (!r)
		return;
	buf_add(out, buf_str(&r->notes));
	if (!t->answered_here)
		return;
	buf_addf(out, "%s{\"answered_by\":", r->notes.n ? "," : "");
	buf_add_json(out, t->answered_by);
	buf_addf(out, ",\"answer\":");
	buf_add_json(out, r->answer);
	buf_addc(out, '}');
}

void plugins_forget(struct txn *t)
{
	if (t->plugins)
		forget(t->plugins);
	t->plugins = NULL;
}

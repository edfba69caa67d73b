/*
 * hold.c: what a request waits for on behalf of a plugin: a time, an HTTP call, or work on
 * another thread. One at a time, each with a deadline; what comes too late is dropped.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/work_pool.h"
#include "plugin_host/hooks.h"
#include "plugin_host/run.h"

enum { WORK_THREADS = 4 };
enum { ANSWER_MAX = 1024 * 1024, ANSWER_MOST = 64 * 1024 * 1024 };

static _Thread_local struct loop *loop;
static _Thread_local const struct fetch_ops *fetch;

static void begin_work(const void *whose)
{
	hook_work_begin(whose);
}

static struct work_pool pool = WORK_POOL_INIT(pool, WORK_THREADS, begin_work, hook_work_end);

void run_hold_open(struct loop *l, const struct fetch_ops *ops)
{
	loop = l;
	fetch = ops;
}

void run_hold_close(struct loop *l)
{
	work_close(&pool, l);
}

static void wake(struct weir_request *r)
{
	r->hold.over = true;
	if (r->judging && !r->in_delta)
		r->t->ops->drained(r->t);
	else if (!r->judging && !r->inside)
		txn_resume(r->t, r->generation);
}

static void drop_call(struct plugin_hold *h)
{
	if (h->fetch)
		fetch->cancel(h->fetch);
	if (h->work)
		work_cancel(h->work);
	h->fetch = NULL;
	h->work = NULL;
}

static void on_timer(struct timer *timer)
{
	struct plugin_hold *h = container_of(timer, struct plugin_hold, timer);
	struct weir_request *r = container_of(h, struct weir_request, hold);
	drop_call(h);
	h->late = h->kind != HOLD_TIMER;
	if (h->late)
		h->result.failure = "no result in time";
	wake(r);
}

static bool begin(struct weir_request *r, enum hold_kind kind, int64_t us, enum weir_on_timeout then)
{
	struct plugin_hold *h = &r->hold;
	int64_t most = run_use(r)->timeout_us;
	if ((!r->inside && !r->judging) || h->kind != HOLD_NONE || r->t->dry || !loop)
		return false;
	h->kind = kind;
	h->over = false;
	h->then = then;
	h->result = (struct weir_result){ .size = sizeof(h->result) };
	timer_open(&h->timer, loop, on_timer);
	h->timer_open = true;
	timer_in(&h->timer, us > 0 && us < most ? us : most);
	return true;
}

int run_timer(struct weir_request *r, uint32_t ms)
{
	return begin(r, HOLD_TIMER, ms ? ms * (int64_t)MS_US : 1, WEIR_AS_CONFIGURED);
}

/* --- HTTP --- */

static void on_answer(void *owner, int status, struct str body, const char *failure)
{
	struct weir_request *r = owner;
	struct plugin_hold *h = &r->hold;
	h->fetch = NULL;
	h->result.failure = failure;
	h->result.status = status;
	buf_init(&h->body, ANSWER_MOST);
	buf_add(&h->body, body);
	h->result.body = run_text(buf_str(&h->body));
	wake(r);
}

static enum http_method method_of(const struct weir_http *c)
{
	struct str m = str_c(c->method);
	if (str_empty(m))
		return c->body.n ? HTTP_POST : HTTP_GET;
	return str_eq(m, STR("POST")) ? HTTP_POST : str_eq(m, STR("PUT")) ? HTTP_PUT : str_eq(m, STR("DELETE")) ? HTTP_DELETE : HTTP_GET;
}

/* Whole lines without what would end the head early, and none of those weir writes itself. */
static bool headers_are_clean(struct str lines)
{
	while (lines.n) {
		ptrdiff_t end = str_find(lines, STR("\r\n")), colon = str_chr(lines, ':');
		if (end <= 0 || colon <= 0 || colon > end)
			return false;
		struct str line = str_head(lines, (size_t)end), name = str_head(lines, (size_t)colon);
		if (str_chr(line, '\r') >= 0 || str_chr(line, '\n') >= 0 || memchr(line.p, 0, line.n) || str_ieq(name, STR("host")) ||
		    str_ieq(name, STR("content-length")) || str_ieq(name, STR("transfer-encoding")) || str_ieq(name, STR("connection")))
			return false;
		lines = str_skip(lines, (size_t)end + 2);
	}
	return true;
}

static bool path_is_clean(struct str path)
{
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] <= ' ' || path.p[i] == 0x7f)
			return false;
	return path.n > 0 && path.p[0] == '/';
}

int run_http(struct weir_request *r, const struct weir_http *c, uint32_t timeout_ms, enum weir_on_timeout then)
{
	struct str path = c->path.n ? run_str(c->path) : c->place ? c->place->path : STR_NONE;
	if (c->size < sizeof(*c) || !c->place || !fetch || !path_is_clean(path) || !headers_are_clean(run_str(c->headers)) ||
	    !begin(r, HOLD_HTTP, timeout_ms * (int64_t)MS_US, then))
		return 0;
	struct fetch_request q = {
		.origin = c->place->origin, .method = method_of(c), .path = path, .headers = run_str(c->headers),
		.body = run_str(c->body), .done = on_answer, .owner = r,
		.answer_max = c->answer_max == 0 ? ANSWER_MAX : c->answer_max < ANSWER_MOST ? c->answer_max : ANSWER_MOST,
	};
	r->hold.fetch = fetch->start(&q);
	return 1;
}

/* --- work --- */

static void on_worked(void *owner, void *output)
{
	struct weir_request *r = owner;
	r->hold.work = NULL;
	r->hold.result.work = output;
	wake(r);
}

int run_work(struct weir_request *r, void *(*run)(void *), void *input, void (*drop)(void *), uint32_t timeout_ms,
	     enum weir_on_timeout then)
{
	if (!run || !begin(r, HOLD_WORK, timeout_ms * (int64_t)MS_US, then))
		return 0;
	struct work_job job = { .whose = run_use(r)->record, .run = run, .input = input, .drop = drop, .done = on_worked, .owner = r };
	r->hold.work = work_start(&pool, loop, &job);
	if (!r->hold.work)
		run_hold_drop(r);
	return r->hold.work != NULL;
}

void run_hold_drop(struct weir_request *r)
{
	struct plugin_hold *h = &r->hold;
	drop_call(h);
	if (h->timer_open)
		timer_close(&h->timer);
	buf_free(&h->body);
	*h = (struct plugin_hold){ .kind = HOLD_NONE };
}

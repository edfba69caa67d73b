/*
 * usage_admin.c: a report may take seconds, so it is made on a thread and posted back.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/counters.h"
#include "base/mem.h"
#include "usage.h"
#include "wire/url.h"

enum { REPORT_MAX = 32 << 20 };

/* The one under way. */
static struct job {
	bool running;
	pthread_t thread;
	struct loop *loop;
	void *ticket;
	struct snapshot *snapshot;
	struct arena arena;
	struct usage_question question;
	struct buf out;
	int status;
} job;

static int fail(struct buf *out, int status, struct str text)
{
	buf_clear(out);
	buf_add(out, STR("{\"error\":{\"message\":"));
	buf_add_json(out, text);
	buf_addf(out, ",\"type\":\"%s\",\"param\":null,\"code\":null}}\n", status < 500 ? "invalid_request_error" : "api_error");
	return status;
}

static void finish(void)
{
	pthread_join(job.thread, NULL);
	snapshot_unref(job.snapshot);
	arena_wipe(&job.arena);
	buf_free(&job.out);
	job.running = false;
}

/* On the main loop. */
static void on_made(void *arg unused_arg)
{
	void *ticket = job.ticket;
	struct buf out = job.out;
	int status = job.status;
	buf_init(&job.out, 0);
	finish();
	admin_answer(ticket, status, buf_str(&out));
	buf_free(&out);
}

static void *thread_main(void *arg)
{
	struct buf why = BUF_INIT(1024);
	bool alone;
	counters_thread_begin();
	job.status = 200;
	if (!usage_read(job.snapshot, &job.question, &job.out, &alone, &why))
		job.status = fail(&job.out, 503, buf_str(&why));
	buf_free(&why);
	arena_thread_end();
	counters_thread_end();
	loop_post(job.loop, on_made, NULL);
	return arg;
}

/* NULL when good. */
static const char *read_question(struct str query, struct usage_question *q)
{
	struct str by = STR_NONE, since = STR_NONE;
	struct buf why = BUF_INIT(512);
	struct usage_report r;
	if (url_query_find(query, STR("by"), &by) && !url_decode(&job.arena, by, true, &by))
		return "`by` cannot be read.";
	url_query_find(query, STR("since"), &since);
	q->by = str_empty(by) ? STR("key,model") : arena_copy(&job.arena, by);
	q->format = USAGE_JSON;
	if (!usage_since(str_empty(since) ? STR("30d") : since, &q->since_us))
		return "`since` takes a number and m, h, d or w: 7d.";
	bool good = usage_report_begin(&r, q->by, &why);
	usage_report_free(&r);
	const char *text = good ? NULL : arena_printf(&job.arena, "%.*s.", STR_FMT(buf_str(&why))).p;
	buf_free(&why);
	return text;
}

int usage_admin(const struct snapshot *s, struct loop *l, const struct admin_call *c, struct buf *out)
{
	if (job.running)
		return fail(out, 429, STR("Another report is being made; ask again when it is done."));
	job = (struct job){ .loop = l, .ticket = c->ticket, .arena = ARENA_INIT };
	const char *wrong = read_question(c->query, &job.question);
	if (wrong) {
		int status = fail(out, 400, str_c(wrong));
		arena_wipe(&job.arena);
		return status;
	}
	buf_init(&job.out, REPORT_MAX);
	job.snapshot = snapshot_ref((struct snapshot *)(uintptr_t)s);
	job.running = pthread_create(&job.thread, NULL, thread_main, NULL) == 0;
	if (job.running)
		return ADMIN_LATER;
	snapshot_unref(job.snapshot);
	arena_wipe(&job.arena);
	return fail(out, 503, STR("No thread can be started for it."));
}

void usage_admin_close(void)
{
	if (job.running)
		finish();
}

/*
 * capture.c: the stage that chooses and copies, and the thread that writes.
 */
#include "metering/capture.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/digest.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/txn.h"
#include "metering/capture_file.h"
#include "metering/ledger_row.h"

enum { BODY_MAX = 1 << 20, WAITING_MAX = 32 << 20, LINE_MAX = 16 << 20, SHARES = 10000 };

static struct counter_family records = {
	.name = "weir_capture_records_total", .help = "Requests chosen to be captured, by what became of them.", .kind = COUNTER_SUM,
	.scale = 1, .labels = { "result" },
};
enum { WRITTEN, TOO_LARGE, LOST, RESULTS };
static const struct str results[RESULTS] = { STR_INIT("written"), STR_INIT("too_large"), STR_INIT("lost") };

/* One request under way, then what waits to be written. */
struct capture {
	struct sink sink;
	struct list link;
	struct buf request, answer;
	struct str content_type;	/* constant text */
	struct ledger_row row;
	bool whole;			/* the answer has come to its end */
};

static struct {
	bool on;
	struct capture_settings settings;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t there;
	struct list waiting;		/* under the lock, as is all below */
	size_t bytes;
	bool ending;
} capture = { .lock = PTHREAD_MUTEX_INITIALIZER, .there = PTHREAD_COND_INITIALIZER };

static void count(int result)
{
	counter_add(counter_of(&records, &results[result]), 1);
}

static size_t bytes_of(const struct capture *c)
{
	return sizeof(*c) + c->request.n + c->answer.n;
}

static void capture_free(struct capture *c)
{
	buf_free(&c->request);
	buf_free(&c->answer);
	free(c);
}

/* --- the thread --- */

/* The ledger's fields, the request as JSON, the answer's body as text. */
static void write_line(const struct capture *c, struct buf *line)
{
	struct buf answer = BUF_INIT(LINE_MAX);
	bool personal = capture.settings.redact;
	ledger_row_json(&c->row, line);
	line->n -= 2;		/* "}\n" */
	buf_add(line, STR(",\"request\":"));
	capture_redact(buf_str(&c->request), personal, true, line);
	capture_redact(buf_str(&c->answer), personal, false, &answer);
	buf_add(line, STR(",\"answer\":"));
	buf_add_json(line, buf_str(&answer));
	buf_addf(line, ",\"whole\":%s}\n", c->whole ? "true" : "false");
	line->failed |= answer.failed;
	buf_free(&answer);
}

static void put(const struct capture *c)
{
	static int64_t told_us;
	struct buf line = BUF_INIT(LINE_MAX);
	write_line(c, &line);
	bool good = !line.failed && capture_file_write(buf_str(&line), c->row.at_us);
	count(good ? WRITTEN : LOST);
	if (!good && clock_us() - told_us > 60 * SECOND_US) {
		told_us = clock_us();
		log_error("capture: a record could not be written: the disk is full, or the day's file has its capture.max_size");
	}
	buf_free(&line);
}

static struct capture *next(void)
{
	pthread_mutex_lock(&capture.lock);
	while (list_empty(&capture.waiting) && !capture.ending)
		pthread_cond_wait(&capture.there, &capture.lock);
	struct capture *c = list_empty(&capture.waiting) ? NULL : list_entry(capture.waiting.next, struct capture, link);
	if (c) {
		list_remove(&c->link);
		capture.bytes -= bytes_of(c);
	}
	pthread_mutex_unlock(&capture.lock);
	return c;
}

static void *thread_main(void *arg)
{
	counters_thread_begin();
	for (struct capture *c = next(); c; c = next()) {
		put(c);
		capture_free(c);
	}
	arena_thread_end();
	counters_thread_end();
	return arg;
}

bool capture_open(const struct capture_settings *s, struct buf *why)
{
	for (int i = 0; i < RESULTS; i++)
		counter_add(counter_of(&records, &results[i]), 0);
	if (s->share == 0)
		return true;
	capture.settings = *s;
	list_init(&capture.waiting);
	if (!capture_file_open(s, why))
		return false;
	capture.on = pthread_create(&capture.thread, NULL, thread_main, NULL) == 0;
	if (!capture.on)
		buf_addf(why, "cannot start the thread that captures");
	return capture.on;
}

bool capture_is_on(void)
{
	return capture.on;
}

void capture_close(void)
{
	if (!capture.on)
		return;
	pthread_mutex_lock(&capture.lock);
	capture.ending = true;
	pthread_cond_signal(&capture.there);
	pthread_mutex_unlock(&capture.lock);
	pthread_join(capture.thread, NULL);
	capture_file_close();
	capture.on = false;
}

/* Takes it over. False: there is no room. */
static bool hand_over(struct capture *c)
{
	pthread_mutex_lock(&capture.lock);
	bool room = capture.bytes + bytes_of(c) <= WAITING_MAX;
	if (room) {
		capture.bytes += bytes_of(c);
		list_append(&capture.waiting, &c->link);
		pthread_cond_signal(&capture.there);
	}
	pthread_mutex_unlock(&capture.lock);
	return room;
}

/* --- the stage --- */

static enum sink_result take(struct sink *s, struct delta *d)
{
	struct capture *c = container_of(s, struct capture, sink);
	enum sink_result r = sink_pass(s, d);
	if (r != SINK_TAKEN)
		return r;
	if (d->kind == DELTA_EVENT || d->kind == DELTA_BYTES)
		buf_add(&c->answer, d->raw);
	c->whole = c->whole || d->kind == DELTA_END;
	return r;
}

static enum stage_result enter(struct txn *t)
{
	const struct call *call = t->call;
	if (!capture.on || t->capture || !call || !call->json || call->upload || random_u64() % SHARES >= capture.settings.share)
		return STAGE_NEXT;
	if (call->body.n > BODY_MAX || call->whole.n > BODY_MAX) {
		count(TOO_LARGE);
		return STAGE_NEXT;
	}
	struct capture *c = mem_alloc(sizeof(*c));
	list_init(&c->link);
	buf_init(&c->request, BODY_MAX);
	buf_init(&c->answer, BODY_MAX);
	buf_add(&c->request, call->whole.n ? call->whole : call->body);
	c->sink.take = take;
	txn_lay_sink(t, &c->sink);
	t->capture = c;
	return STAGE_NEXT;
}

static void leave(struct txn *t)
{
	struct capture *c = t->capture;
	if (!c)
		return;
	t->capture = NULL;
	ledger_row_copy(&c->row, t);
	bool large = c->answer.failed || t->unrecorded;
	if (large || !hand_over(c)) {
		count(large ? TOO_LARGE : LOST);
		capture_free(c);
	}
}

const struct stage capture_stage = { .name = "capture", .enter = enter, .leave = leave };

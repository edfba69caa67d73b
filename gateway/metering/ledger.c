/*
 * ledger.c: a ring of rows for each worker, without locks, and the one thread that writes them.
 */
#include "metering/ledger.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/endpoint.h"
#include "core/snapshot.h"
#include "core/txn.h"
#include "metering/capture.h"
#include "metering/ledger_db.h"
#include "metering/shared_usage.h"

enum { BATCH = 512, WORKERS_MAX = 256, LINE_MAX = 16 * 1024 };
static const int64_t FORGET_EVERY_US = 3600 * SECOND_US, TELL_EVERY_US = 10 * SECOND_US;

static struct counter_family dropped = {
	.name = "weir_ledger_dropped_total", .help = "Rows that the ledger could not take.", .kind = COUNTER_SUM, .scale = 1,
};
static struct counter_family written = {
	.name = "weir_ledger_rows_total", .help = "Rows written to the ledger.", .kind = COUNTER_SUM, .scale = 1,
};

/* One worker's rows: it alone appends, the writer alone takes. */
struct ring {
	_Atomic unsigned begin, end;	/* rows are those between them, modulo LEDGER_QUEUE */
	struct ledger_row rows[LEDGER_QUEUE];
};

static struct {
	pthread_t thread;
	bool open;
	char *path;			/* NULL: no file */
	struct ledger_db *db;		/* NULL for a while, when the file was lost and cannot be made anew */
	struct log_sink *lines;		/* NULL: none */
	_Atomic(struct ring *) rings[WORKERS_MAX];
	_Atomic unsigned n_rings;
	_Atomic bool ending;
	_Atomic int64_t n_dropped;
	int64_t keep_us, forgot_us;
	int64_t told_us;		/* when the log last heard of a failure */
	bool failing;
	struct ledger_row rows[BATCH];	/* taken, not yet written */
	unsigned n;
} ledger;

static _Thread_local struct ring *ring;

static void count(struct counter_family *f, int64_t n)
{
	counter_add(counter_of(f, NULL), n);
}

static void count_dropped(unsigned n)
{
	count(&dropped, n);
	atomic_fetch_add_explicit(&ledger.n_dropped, n, memory_order_relaxed);
}

/* --- the thread --- */

static unsigned take(struct ring *r, struct ledger_row *to, unsigned room)
{
	unsigned begin = atomic_load_explicit(&r->begin, memory_order_relaxed);
	unsigned n = atomic_load_explicit(&r->end, memory_order_acquire) - begin;
	n = n < room ? n : room;
	for (unsigned i = 0; i < n; i++)
		to[i] = r->rows[(begin + i) % LEDGER_QUEUE];
	atomic_store_explicit(&r->begin, begin + n, memory_order_release);
	return n;
}

static void write_lines(const struct ledger_row *rows, unsigned n)
{
	struct buf line = BUF_INIT(LINE_MAX);
	for (unsigned i = 0; i < n && ledger.lines; i++) {
		buf_clear(&line);
		ledger_row_json(&rows[i], &line);
		if (!line.failed)
			log_record(ledger.lines, buf_str(&line));
	}
	buf_free(&line);
}

/* One line at the first failure, then one now and then, and one when it is over. */
static void tell(bool good, struct str why)
{
	int64_t now = clock_us(), lost = atomic_load_explicit(&ledger.n_dropped, memory_order_relaxed);
	if (good && ledger.failing)
		log_warn("the ledger takes rows again; %lld were lost so far", (long long)lost);
	if (!good && (!ledger.failing || now - ledger.told_us >= TELL_EVERY_US)) {
		ledger.told_us = now;
		log_error("the ledger %s takes no rows: %.*s. Requests go on; rows wait, and those that find no room are lost: %lld so far",
			  ledger.path, STR_FMT(why), (long long)lost);
	}
	ledger.failing = !good;
}

/* A file that was removed, replaced or could not be used is opened anew. */
static bool have_file(struct buf *why)
{
	if (ledger.db && ledger_db_lost(ledger.db)) {
		log_error("the ledger %s was removed under way: it begins anew, and what it held is gone", ledger.path);
		ledger_db_close(ledger.db);
		ledger.db = NULL;
	}
	if (!ledger.db)
		ledger.db = ledger_db_open(ledger.path, false, why);
	return ledger.db;
}

static bool write_file(const struct ledger_row *rows, unsigned n)
{
	struct buf why = BUF_INIT(1024);
	bool good = have_file(&why) && ledger_db_write(ledger.db, rows, n, &why);
	if (good)
		count(&written, n);
	tell(good, buf_str(&why));
	buf_free(&why);
	return good;
}

static void forget(void)
{
	int64_t now = clock_wall_us();
	if (!ledger.keep_us || !ledger.db || now - ledger.forgot_us < FORGET_EVERY_US)
		return;
	ledger.forgot_us = now;
	ledger_db_forget(ledger.db, now - ledger.keep_us);
}

static void let_go(struct ledger_row *rows, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(rows[i].spending);
}

/* Rows that were not written stay for the next time. True when there may be more. */
static bool write_some(void)
{
	unsigned rings = atomic_load(&ledger.n_rings), before = ledger.n;
	for (unsigned i = 0; i < rings && ledger.n < BATCH; i++) {
		struct ring *r = atomic_load_explicit(&ledger.rings[i], memory_order_acquire);
		ledger.n += r ? take(r, ledger.rows + ledger.n, BATCH - ledger.n) : 0;
	}
	write_lines(ledger.rows + before, ledger.n - before);
	if (ledger.n && ledger.path && !write_file(ledger.rows, ledger.n))
		return false;
	bool more = ledger.n == BATCH;
	let_go(ledger.rows, ledger.n);
	ledger.n = 0;
	return more;
}

static void *thread_main(void *arg)
{
	const struct timespec pause = { .tv_nsec = LEDGER_BATCH_MS / 2 * 1000000L };
	counters_thread_begin();
	while (!atomic_load(&ledger.ending)) {
		nanosleep(&pause, NULL);
		while (write_some())
			;
		forget();
	}
	while (write_some())
		;
	if (ledger.n) {
		count_dropped(ledger.n);
		log_error("the ledger %s took no rows at the end: %lld are lost", ledger.path, (long long)atomic_load(&ledger.n_dropped));
		let_go(ledger.rows, ledger.n);
	}
	counters_thread_end();
	return arg;
}

static bool open_all(const struct ledger_options *o, struct buf *why)
{
	if (!str_eq(o->lines, STR("off"))) {
		ledger.lines = log_sink_open(o->lines, why);
		if (!ledger.lines)
			return false;
	}
	if (str_eq(o->file, STR("off")))
		return true;
	ledger.path = mem_copy(o->file);
	ledger.db = ledger_db_open(ledger.path, false, why);
	return ledger.db;
}

static void close_all(void)
{
	ledger_db_close(ledger.db);
	if (ledger.lines)
		log_sink_close(ledger.lines);
	free(ledger.path);
	ledger.db = NULL;
	ledger.lines = NULL;
	ledger.path = NULL;
}

bool ledger_open(const struct ledger_options *o, struct buf *why)
{
	count(&dropped, 0);
	count(&written, 0);
	if (str_eq(o->file, STR("off")) && str_eq(o->lines, STR("off")))
		return true;
	ledger.keep_us = o->keep_us;
	ledger.open = open_all(o, why) && pthread_create(&ledger.thread, NULL, thread_main, NULL) == 0;
	if (!ledger.open && !why->n)
		buf_addf(why, "cannot start the ledger's thread");
	if (!ledger.open)
		close_all();
	return ledger.open;
}

void ledger_close(void)
{
	if (!ledger.open)
		return;
	atomic_store(&ledger.ending, true);
	pthread_join(ledger.thread, NULL);
	close_all();
	ledger.open = false;
	for (unsigned i = 0; i < atomic_load(&ledger.n_rings); i++)
		free(atomic_load(&ledger.rings[i]));
}

void ledger_thread_begin(void)
{
	unsigned i = ledger.open ? atomic_fetch_add(&ledger.n_rings, 1) : WORKERS_MAX;
	ring = i < WORKERS_MAX ? mem_alloc(sizeof(*ring)) : NULL;
	if (ring)
		atomic_store_explicit(&ledger.rings[i], ring, memory_order_release);
}

/* --- the stage --- */

static enum stage_result enter(struct txn *t)
{
	t->recorded = ring != NULL;
	struct str tags = t->req ? str_head(t->req->header[RH_WEIR_TAGS], LEDGER_TEXT - 1) : STR_NONE;
	if (tags.n && (ring || shared_usage_kept() || capture_is_on()))
		t->tags = mem_copy(tags);
	t->price_date = t->snapshot ? pricing_date(&t->snapshot->pricing) : 0;
	return STAGE_NEXT;
}

static void append(struct txn *t)
{
	unsigned end = atomic_load_explicit(&ring->end, memory_order_relaxed);
	if (end - atomic_load_explicit(&ring->begin, memory_order_acquire) == LEDGER_QUEUE) {
		count_dropped(1);
		return;
	}
	ledger_row_fill(&ring->rows[end % LEDGER_QUEUE], t);
	atomic_store_explicit(&ring->end, end + 1, memory_order_release);
}

static void leave(struct txn *t)
{
	bool counts = !(t->endpoint && t->endpoint->open);
	if (counts && shared_usage_kept())
		shared_usage_add(t);
	if (counts && ring)
		append(t);
	free(t->spending);
	free(t->tags);
	t->spending = NULL;
	t->tags = NULL;
}

const struct stage ledger_stage = { .name = "ledger", .enter = enter, .leave = leave };

/*
 * ledger.c: a ring of rows for each worker, without locks, and the one thread that writes them.
 */
#include "metering/ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/live.h"
#include "core/snapshot.h"
#include "core/txn.h"
#include "metering/ledger_db.h"

enum { BATCH = 512, WORKERS_MAX = 256 };
static const int64_t FORGET_EVERY_US = 3600 * SECOND_US;

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
	struct ledger_db *db;		/* NULL: there is no ledger */
	_Atomic(struct ring *) rings[WORKERS_MAX];
	_Atomic unsigned n_rings;
	_Atomic bool ending;
	int64_t keep_us, forgot_us;
} ledger;

static _Thread_local struct ring *ring;

static void count(struct counter_family *f, int64_t n)
{
	counter_add(counter_of(f, NULL), n);
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

static void write_rows(const struct ledger_row *rows, unsigned n)
{
	struct buf why = BUF_INIT(512);
	if (ledger_db_write(ledger.db, rows, n, &why)) {
		count(&written, n);
	} else {
		count(&dropped, n);
		log_error("the ledger took no rows, %u are lost: %.*s", n, STR_FMT(buf_str(&why)));
	}
	buf_free(&why);
}

static void forget(void)
{
	int64_t now = clock_wall_us();
	if (!ledger.keep_us || now - ledger.forgot_us < FORGET_EVERY_US)
		return;
	ledger.forgot_us = now;
	ledger_db_forget(ledger.db, now - ledger.keep_us);
}

/* True when there may be more. */
static bool write_some(struct ledger_row *rows)
{
	unsigned n = 0, rings = atomic_load(&ledger.n_rings);
	for (unsigned i = 0; i < rings && n < BATCH; i++) {
		struct ring *r = atomic_load_explicit(&ledger.rings[i], memory_order_acquire);
		n += r ? take(r, rows + n, BATCH - n) : 0;
	}
	if (n)
		write_rows(rows, n);
	return n == BATCH;
}

static void *thread_main(void *arg)
{
	const struct timespec pause = { .tv_nsec = LEDGER_BATCH_MS / 2 * 1000000L };
	counters_thread_begin();
	while (!atomic_load(&ledger.ending)) {
		nanosleep(&pause, NULL);
		while (write_some(arg))
			;
		forget();
	}
	while (write_some(arg))
		;
	free(arg);
	counters_thread_end();
	return NULL;
}

bool ledger_open(const char *path, int64_t keep_us, struct buf *why)
{
	ledger.db = ledger_db_open(path, false, why);
	if (!ledger.db)
		return false;
	ledger.keep_us = keep_us;
	count(&dropped, 0);
	count(&written, 0);
	if (pthread_create(&ledger.thread, NULL, thread_main, mem_alloc(sizeof(struct ledger_row) * BATCH)) == 0)
		return true;
	buf_addf(why, "cannot start the ledger's thread");
	ledger_db_close(ledger.db);
	ledger.db = NULL;
	return false;
}

void ledger_close(void)
{
	if (!ledger.db)
		return;
	atomic_store(&ledger.ending, true);
	pthread_join(ledger.thread, NULL);
	ledger_db_close(ledger.db);
	ledger.db = NULL;
	for (unsigned i = 0; i < atomic_load(&ledger.n_rings); i++)
		free(atomic_load(&ledger.rings[i]));
}

void ledger_thread_begin(void)
{
	unsigned i = ledger.db ? atomic_fetch_add(&ledger.n_rings, 1) : WORKERS_MAX;
	ring = i < WORKERS_MAX ? mem_alloc(sizeof(*ring)) : NULL;
	if (ring)
		atomic_store_explicit(&ledger.rings[i], ring, memory_order_release);
}

/* --- the stage --- */

static void set_text(char to[LEDGER_TEXT], struct str s)
{
	size_t n = s.n < LEDGER_TEXT - 1 ? s.n : LEDGER_TEXT - 1;
	if (n)
		memcpy(to, s.p, n);
	to[n] = 0;
}

static void fill(struct ledger_row *r, const struct txn *t)
{
	*r = (struct ledger_row){
		.at_us = clock_wall_us(), .endpoint = t->endpoint ? t->endpoint->name : "none", .attempts = t->attempts, .stream = t->stream,
		.status = t->answer.begun ? t->answer.status : error_status(&t->error),
		.error = t->error.kind == ERR_NONE ? NULL : error_row(t->error.kind)->fault,
		.estimated = t->cost_estimated, .incomplete = t->cost_missing, .input = t->usage.input, .output = t->usage.output,
		.cached = t->usage.cached, .cache_write = t->usage.cache_write, .reasoning = t->usage.reasoning, .cost = t->cost,
		.price_date = t->price_date, .took_us = t->ended_us - t->began_us,
		.first_us = t->first_content_us ? t->first_content_us - t->began_us : 0,
	};
	memcpy(r->id, t->id, sizeof(r->id));
	set_text(r->key, t->live_key ? t->live_key->name : STR_NONE);
	const struct live_team *team = t->live_key ? atomic_load_explicit(&t->live_key->team, memory_order_acquire) : NULL;
	set_text(r->team, team ? team->name : STR_NONE);
	set_text(r->tags, str_c(t->tags));
	set_text(r->model, t->live_model ? t->live_model->name : STR_NONE);
	set_text(r->target, t->live_target && t->attempts ? t->live_target->name : STR_NONE);
}

static enum stage_result enter(struct txn *t)
{
	struct str tags = ring && t->req ? str_head(t->req->header[RH_WEIR_TAGS], LEDGER_TEXT - 1) : STR_NONE;
	if (tags.n)
		t->tags = mem_copy(tags);
	t->price_date = t->snapshot ? pricing_date(&t->snapshot->pricing) : 0;
	return STAGE_NEXT;
}

static void append(const struct txn *t)
{
	unsigned end = atomic_load_explicit(&ring->end, memory_order_relaxed);
	if (end - atomic_load_explicit(&ring->begin, memory_order_acquire) == LEDGER_QUEUE) {
		count(&dropped, 1);
		return;
	}
	fill(&ring->rows[end % LEDGER_QUEUE], t);
	atomic_store_explicit(&ring->end, end + 1, memory_order_release);
}

static void leave(struct txn *t)
{
	if (ring && !(t->endpoint && t->endpoint->open))
		append(t);
	free(t->tags);
	t->tags = NULL;
}

const struct stage ledger_stage = { .name = "ledger", .enter = enter, .leave = leave };

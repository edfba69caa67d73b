/*
 * shared_usage.c: four names joined to one, and taken apart again.
 */
#include "metering/shared_usage.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/live.h"
#include "core/txn.h"
#include "metering/usage_report.h"
#include "store/worker_store.h"

enum { PART_MAX = 128, PARTS = 4, SUMS_MAX = 8, DAYS_MAX = 400, DATE_LENGTH = 10, SEPARATOR = '\x1f' };
static const int64_t DAY_US = 86400 * SECOND_US;

bool shared_usage_kept(void)
{
	return worker_store() && store_tallies(worker_store());
}

/* --- telling --- */

/* What a turn of the loop adds under one name is told once. */
struct sum {
	char name[STORE_TALLY_NAME], otherwise[STORE_TALLY_NAME];
	struct store_tally tally;
};

struct sums {
	struct loop_task task;
	unsigned n;
	struct sum at[SUMS_MAX];
};

static _Thread_local struct sums *told;		/* made when first wanted: not every thread has a store */

static void tell(struct loop_task *t)
{
	struct sums *all = container_of(t, struct sums, task);
	for (unsigned i = 0; i < all->n; i++)
		store_tally(worker_store(), &all->at[i].tally);
	all->n = 0;
}

void shared_usage_thread_end(void)
{
	if (told) {
		loop_task_cancel(&told->task);
		tell(&told->task);
	}
	free(told);
	told = NULL;
}

static struct str join(char room[STORE_TALLY_NAME], const struct str parts[PARTS])
{
	char *to = room;
	for (unsigned k = 0; k < PARTS; k++) {
		for (size_t i = 0; i < parts[k].n && i < PART_MAX; i++)
			*to++ = parts[k].p[i] == SEPARATOR ? ' ' : parts[k].p[i];
		*to++ = SEPARATOR;
	}
	return str_of(room, (size_t)(to - room));
}

/* The sum of that day and name, with room for a new one. */
static struct sum *sum_of(int64_t day, const struct str parts[PARTS])
{
	char name[STORE_TALLY_NAME];
	struct str wanted = join(name, parts);
	for (unsigned i = 0; i < told->n; i++)
		if (told->at[i].tally.day == day && str_eq(told->at[i].tally.name, wanted))
			return &told->at[i];
	if (told->n == SUMS_MAX)
		tell(&told->task);
	struct sum *s = &told->at[told->n++];
	const struct str others[PARTS] = { parts[0], parts[1], parts[2].n ? STR("(others)") : STR_NONE, parts[3] };
	s->tally = (struct store_tally){ .day = day, .name = join(s->name, parts), .otherwise = join(s->otherwise, others) };
	return s;
}

void shared_usage_add(const struct txn *t)
{
	if (!t->live_model)
		return;		/* nothing was asked of a model */
	if (!told) {
		told = mem_alloc(sizeof(*told));
		loop_task_init(&told->task, tell);
	}
	const struct live_team *team = t->live_key ? atomic_load_explicit(&t->live_key->team, memory_order_acquire) : NULL;
	int status = t->answer.begun ? t->answer.status : error_status(&t->error);
	const struct str parts[PARTS] = { t->live_key ? t->live_key->name : STR_NONE, team ? team->name : STR_NONE, str_c(t->tags),
					  t->live_model->name };
	const int64_t counts[STORE_TALLY_COUNTS] = { 1, status >= 400, t->usage.input, t->usage.output, t->cost, t->cost_estimated ? t->cost : 0 };
	struct sum *s = sum_of(store_wall_us(worker_store()) / DAY_US, parts);
	for (unsigned i = 0; i < STORE_TALLY_COUNTS; i++)
		s->tally.counts[i] += counts[i];
	loop_send(t->loop, &told->task);	/* before the turn's write to the store */
}

/* --- reading --- */

struct shared_usage_reader {
	struct store *store;
	struct store_call call;
	struct usage_report *report;
	struct buf *why;
	void (*done)(void *arg);
	void *arg;
	int64_t day, last;
};

static void cells_of(const struct usage_report *report, struct str name, int64_t day, char date[LOG_TIME_SIZE],
		     struct str cells[USAGE_BY_MAX])
{
	struct str parts[PARTS];
	for (unsigned i = 0; i < PARTS; i++)
		if (!str_split(&name, SEPARATOR, &parts[i]))
			parts[i] = STR_NONE;
	log_time(date, day * DAY_US);
	for (unsigned i = 0; i < report->n_by; i++)
		cells[i] = report->by[i] == USAGE_DAY ? str_of(date, DATE_LENGTH) : parts[report->by[i]];
}

static void add_day(const struct shared_usage_reader *r, struct str sums)
{
	struct str name, cells[USAGE_BY_MAX];
	char date[LOG_TIME_SIZE];
	int64_t n[STORE_TALLY_COUNTS];
	while (store_tally_next(&sums, &name, n)) {
		const struct usage_counts counts = { n[0], n[1], n[2], n[3], n[4], n[5] };
		cells_of(r->report, name, r->day, date, cells);
		usage_report_add(r->report, cells, &counts);
	}
}

static void finish(struct shared_usage_reader *r)
{
	void (*done)(void *) = r->done;
	void *arg = r->arg;
	free(r);
	done(arg);
}

static void on_day(struct store_call *c)
{
	struct shared_usage_reader *r = container_of(c, struct shared_usage_reader, call);
	if (c->result == STORE_OK)
		add_day(r, c->value);
	else
		buf_addf(r->why, "the shared store cannot be read just now");
	if (c->result == STORE_OK && r->day < r->last) {
		r->day++;
		store_tally_read(r->store, c, r->day);
	} else {
		finish(r);
	}
}

struct shared_usage_reader *shared_usage_read(struct store *s, int64_t since_us, struct usage_report *report, struct buf *why,
					      void (*done)(void *arg), void *arg)
{
	struct shared_usage_reader *r = mem_alloc(sizeof(*r));
	int64_t last = store_wall_us(s) / DAY_US, first = since_us / DAY_US;
	*r = (struct shared_usage_reader){
		.store = s, .call = { .done = on_day }, .report = report, .why = why, .done = done, .arg = arg,
		.day = first < last - DAYS_MAX ? last - DAYS_MAX : first, .last = last,
	};
	store_tally_read(s, &r->call, r->day);
	return r;
}

/*
 * usage.c: two sources, one report.
 */
#include "usage.h"

#include "base/clock.h"
#include "metering/ledger_db.h"
#include "metering/shared_usage.h"
#include "store/store.h"

static const int64_t LOOK_US = 10 * MS_US, WAIT_US = 3 * SECOND_US;

/* --- of all replicas --- */

struct shared {
	struct loop loop;
	struct timer look;
	struct store *store;
	struct usage_report *report;
	struct buf *why;
	int64_t since_us, until_us;
};

static void on_read(void *arg)
{
	loop_stop(&((struct shared *)arg)->loop);
}

static void on_look(struct timer *t)
{
	struct shared *s = container_of(t, struct shared, look);
	if (store_is_up(s->store)) {
		shared_usage_read(s->store, s->since_us, s->report, s->why, on_read, s);
	} else if (loop_now(&s->loop) < s->until_us) {
		timer_in(t, LOOK_US);
	} else {
		buf_addf(s->why, "the store does not answer");
		loop_stop(&s->loop);
	}
}

static bool read_shared(const struct snapshot *snapshot, int64_t since_us, struct usage_report *r, struct buf *why)
{
	struct shared s = { .report = r, .why = why, .since_us = since_us };
	struct store_options o = { .url = snapshot->settings.store, .command_ms = 1000 };
	struct store_home *home = store_home_open(&o, why);
	if (!home || !loop_open(&s.loop)) {
		store_home_close(home);
		return false;
	}
	s.store = store_open(home, &s.loop);
	s.until_us = clock_us() + WAIT_US;
	timer_open(&s.look, &s.loop, on_look);
	timer_in(&s.look, 0);
	loop_run(&s.loop);
	timer_close(&s.look);
	store_close(s.store);
	loop_close(&s.loop);
	if (why->n)
		buf_addf(why, " (%s)", store_home_name(home));
	store_home_close(home);
	return why->n == 0;
}

/* --- of this one --- */

static bool read_ledger(const struct snapshot *s, int64_t since_us, struct usage_report *r, struct buf *why)
{
	if (str_eq(s->settings.ledger, STR("off"))) {
		buf_addf(why, "there is no ledger: say `ledger: weir.db` in the configuration");
		return false;
	}
	struct ledger_db *db = ledger_db_open(s->settings.ledger.p, true, why);
	bool good = db && ledger_db_usage(db, since_us, r, why);
	ledger_db_close(db);
	return good;
}

bool usage_read(const struct snapshot *s, const struct usage_question *q, struct buf *out, bool *alone, struct buf *why)
{
	struct usage_report r;
	bool redis = !str_eq(s->settings.store, STR("memory"));
	bool good = usage_report_begin(&r, q->by, why), all = good && redis && usage_report_shared(&r);
	good = good && (all ? read_shared(s, q->since_us, &r, why) : read_ledger(s, q->since_us, &r, why));
	if (good)
		usage_report_write(&r, q->format, all ? STR("all replicas") : STR("this replica"), out);
	*alone = redis && !all;
	usage_report_free(&r);
	return good;
}

/*
 * cli_usage.c: reads the ledger's file beside a running gateway, or without one; with Redis what all replicas spent.
 */
#include "cli_usage.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log.h"
#include "config/load.h"
#include "metering/ledger_db.h"
#include "metering/shared_usage.h"
#include "store/store.h"

enum { REPORT_MAX = 64 * 1024 * 1024 };
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

static int report(const struct snapshot *s, const char *by, int64_t since_us, enum usage_format format)
{
	struct buf out = BUF_INIT(REPORT_MAX), why = BUF_INIT(1024);
	struct usage_report r;
	bool redis = !str_eq(s->settings.store, STR("memory"));
	bool good = usage_report_begin(&r, str_c(by), &why), all = good && redis && usage_report_shared(&r);
	good = good && (all ? read_shared(s, since_us, &r, &why) : read_ledger(s, since_us, &r, &why));
	if (good)
		usage_report_write(&r, format, all ? STR("all replicas") : STR("this replica"), &out);
	if (good && redis && !all)
		fprintf(stderr, "weir: of this replica alone: target, endpoint and status are not known of others\n");
	fwrite(out.p, 1, out.n, stdout);
	if (!good)
		fprintf(stderr, "weir: %.*s\n", STR_FMT(buf_str(&why)));
	usage_report_free(&r);
	buf_free(&out);
	buf_free(&why);
	return good ? 0 : 1;
}

int cli_usage(const char *config, const char *by, const char *since, bool csv, bool json)
{
	struct config_report r;
	int64_t since_us = 0;
	int status = 2;
	if (!usage_since(str_c(since ? since : "30d"), &since_us)) {
		fprintf(stderr, "weir: --since takes a number and m, h, d or w: 7d\n");
		return 2;
	}
	counters_thread_begin();
	report_init(&r);
	struct snapshot *s = config_load(config_find(config), &r);
	fprintf(stderr, "%.*s", STR_FMT(buf_str(&r.errors)));
	if (s)
		status = report(s, by ? by : "key,model", since_us, json ? USAGE_JSON : csv ? USAGE_CSV : USAGE_TABLE);
	snapshot_unref(s);
	report_free(&r);
	counters_thread_end();
	return status;
}

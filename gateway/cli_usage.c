/*
 * cli_usage.c: reads the ledger's file beside a running gateway, or without one.
 */
#include "cli_usage.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "config/load.h"
#include "metering/ledger_db.h"

enum { REPORT_MAX = 64 * 1024 * 1024 };

static bool read_since(const char *text, int64_t *since_us)
{
	static const struct { char unit; int64_t us; } units[] = {
		{ 'm', 60 * SECOND_US }, { 'h', 3600 * SECOND_US }, { 'd', 86400 * SECOND_US }, { 'w', 7 * 86400 * SECOND_US },
	};
	struct str s = str_c(text);
	uint64_t n;
	if (s.n < 2 || !str_u64(str_head(s, s.n - 1), &n) || n > 100000)
		return false;
	for (size_t i = 0; i < array_len(units); i++)
		if (units[i].unit == s.p[s.n - 1]) {
			*since_us = clock_wall_us() - (int64_t)n * units[i].us;
			return true;
		}
	return false;
}

static int report(const char *path, struct str by, int64_t since_us, enum usage_format format)
{
	struct buf out = BUF_INIT(REPORT_MAX), why = BUF_INIT(512);
	struct ledger_db *db = ledger_db_open(path, true, &why);
	bool good = db && ledger_db_usage(db, by, since_us, format, &out);
	fprintf(good ? stdout : stderr, "%s%.*s", good ? "" : "weir: ", STR_FMT(db ? buf_str(&out) : buf_str(&why)));
	if (!db)
		fprintf(stderr, "\n");
	ledger_db_close(db);
	buf_free(&out);
	buf_free(&why);
	return good ? 0 : 1;
}

int cli_usage(const char *config, const char *by, const char *since, bool csv, bool json)
{
	struct config_report r;
	int64_t since_us = 0;
	int status = 2;
	if (!read_since(since ? since : "30d", &since_us)) {
		fprintf(stderr, "weir: --since takes a number and m, h, d or w: 7d\n");
		return 2;
	}
	report_init(&r);
	struct snapshot *s = config_load(config_find(config), &r);
	fprintf(stderr, "%.*s", STR_FMT(buf_str(&r.errors)));
	if (s && str_eq(s->settings.ledger, STR("off")))
		fprintf(stderr, "weir: there is no ledger: say `ledger: weir.db` in the configuration\n");
	else if (s)
		status = report(s->settings.ledger.p, str_c(by ? by : "key,model"), since_us, json ? USAGE_JSON : csv ? USAGE_CSV : USAGE_TABLE);
	snapshot_unref(s);
	report_free(&r);
	return status;
}

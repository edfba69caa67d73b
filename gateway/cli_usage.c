/*
 * cli_usage.c: `weir usage`, beside a running gateway or without one.
 */
#include "cli_usage.h"

#include <stdio.h>

#include "base/counters.h"
#include "config/load.h"
#include "usage.h"

enum { REPORT_MAX = 64 * 1024 * 1024 };

static int report(const struct snapshot *s, const struct usage_question *q)
{
	struct buf out = BUF_INIT(REPORT_MAX), why = BUF_INIT(1024);
	bool alone, good = usage_read(s, q, &out, &alone, &why);
	if (good && alone)
		fprintf(stderr, "weir: of this replica alone: target, endpoint and status are not known of others\n");
	if (out.n)
		fwrite(out.p, 1, out.n, stdout);
	if (!good)
		fprintf(stderr, "weir: %.*s\n", STR_FMT(buf_str(&why)));
	buf_free(&out);
	buf_free(&why);
	return good ? 0 : 1;
}

int cli_usage(const char *config, const char *by, const char *since, bool csv, bool json)
{
	struct config_report r;
	struct usage_question q = { .by = str_c(by ? by : "key,model"), .format = json ? USAGE_JSON : csv ? USAGE_CSV : USAGE_TABLE };
	int status = 2;
	if (!usage_since(str_c(since ? since : "30d"), &q.since_us)) {
		fprintf(stderr, "weir: --since takes a number and m, h, d or w: 7d\n");
		return 2;
	}
	counters_thread_begin();
	report_init(&r);
	struct snapshot *s = config_load(config_find(config), &r);
	fprintf(stderr, "%.*s", STR_FMT(buf_str(&r.errors)));
	if (s)
		status = report(s, &q);
	snapshot_unref(s);
	report_free(&r);
	counters_thread_end();
	return status;
}

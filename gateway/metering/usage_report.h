/*
 * usage_report.h: spending added up by columns, as a table, CSV or JSON.
 */
#ifndef WEIR_METERING_USAGE_REPORT_H
#define WEIR_METERING_USAGE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum usage_column { USAGE_KEY, USAGE_TEAM, USAGE_TAGS, USAGE_MODEL, USAGE_DAY, USAGE_TARGET, USAGE_ENDPOINT, USAGE_STATUS, USAGE_COLUMNS };
enum usage_format { USAGE_TABLE, USAGE_CSV, USAGE_JSON };
enum { USAGE_BY_MAX = 4 };

struct usage_counts {
	int64_t requests, failed, input, output;
	int64_t cost, estimated;	/* nano-dollars */
};

struct usage_row;

struct usage_report {
	enum usage_column by[USAGE_BY_MAX];
	unsigned n_by;
	struct usage_row **rows;	/* a hash table until it is written */
	unsigned n, room;
};

/* `by` names columns: "key,model". False with a line in `why` that names those there are. */
bool usage_report_begin(struct usage_report *r, struct str by, struct buf *why);
void usage_report_free(struct usage_report *r);

/* Every column of it is known of all replicas, where they share a store. */
bool usage_report_shared(const struct usage_report *r);

/* Adds to the row with these cells, one for each column asked for; empty ones are shown as "-". */
void usage_report_add(struct usage_report *r, const struct str cells[USAGE_BY_MAX], const struct usage_counts *c);

/* The dearest first. `of` says whose requests they are: "all replicas". Once, before it is freed. */
void usage_report_write(struct usage_report *r, enum usage_format format, struct str of, struct buf *out);

/* "7d": how long ago, in m, h, d or w; as the wall clock's time then. */
bool usage_since(struct str text, int64_t *since_us);

#endif

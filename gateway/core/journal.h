/*
 * journal.h: why the latest requests went where they went.
 *
 * A ring of the last JOURNAL_REQUESTS plans with their attempts and endings, process-wide. A
 * request writes its own entry as it goes; an entry that was overtaken by newer requests
 * while its own still ran is not written any more.
 */
#ifndef WEIR_CORE_JOURNAL_H
#define WEIR_CORE_JOURNAL_H

#include "core/plan.h"
#include "core/txn.h"

enum { JOURNAL_REQUESTS = 1024, JOURNAL_TARGETS = 12, JOURNAL_ATTEMPTS = 8 };

struct journal_target {
	const struct live_target *target;
	const char *excluded, *placed;	/* constant texts, or NULL */
	double score, time_us;
	int64_t cost, input, output;	/* below 0: not worked out */
	unsigned rung;
};

struct journal_attempt {
	const struct live_target *target;
	enum error_kind kind;		/* ERR_NONE: it answered */
	int status;
	int64_t began_us, took_us;	/* the first since the request began */
};

struct journal_entry {
	char id[REQUEST_ID_SIZE];
	uint64_t serial;		/* 0: never used */
	int64_t at_us;			/* wall clock */
	const struct live_model *model;
	const struct live_key *key;
	const char *strategy, *endpoint;
	bool stream, session, over;
	unsigned n_targets, n_attempts;	/* may be more than were kept */
	struct journal_target targets[JOURNAL_TARGETS];
	struct journal_attempt attempts[JOURNAL_ATTEMPTS];
	/* When it is over. */
	int status;
	enum error_kind kind;
	int64_t took_us, first_us, cost;
	bool cost_known, cost_estimated;
	struct usage usage;
};

void journal_plan(struct txn *t, const struct plan *p, const char *strategy);
void journal_attempt(const struct txn *t, const struct live_target *target, enum error_kind kind, int status, int64_t began_us);
void journal_end(const struct txn *t);

/* A copy of the entry of this request; false when it is not remembered. */
bool journal_find(struct str id, struct journal_entry *out);

#endif

/*
 * status.h: the state of everything on one screen, gathered once and shown as a page or as JSON.
 */
#ifndef WEIR_ADMIN_STATUS_H
#define WEIR_ADMIN_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct snapshot;

enum { STATUS_SAMPLES = 13, STATUS_SAMPLE_S = 5 };

/* The last minute, a sample every STATUS_SAMPLE_S seconds. */
struct status_history {
	struct status_sample {
		int64_t at_us, requests, failed, tokens;
	} samples[STATUS_SAMPLES];
	unsigned n;		/* taken so far */
};

void status_sample(struct status_history *h);

enum status_state { STATE_UP, STATE_UNKNOWN, STATE_OPEN, STATE_TRIAL, STATE_DOWN, STATE_UNUSABLE };

struct status_target {
	struct str provider, model;
	enum status_state state;
	const char *state_text;
	int64_t since_us;		/* wall clock; 0: since the start */
	int64_t back_in_us;		/* STATE_OPEN: until the next trial */
	int64_t in_flight, attempts, failed, input, output;
	int64_t cost, cost_estimated;	/* nano-dollars; the second is part of the first */
	int64_t unpriced;		/* attempts whose price is not known */
	const char *price;		/* "listed", "free", "estimated", "unknown" */
	double p50_us, p95_us, first_p50_us, first_p95_us;	/* below zero: nothing measured */
	const char *last_error;		/* error_type, or NULL */
	int last_status;
};

struct status {
	double requests_per_s, failed_share, tokens_per_s;
	int64_t window_us;		/* that these three cover */
	int64_t requests, failed, input, output, cost, in_flight, uptime_us;
	unsigned connections;
	bool draining, reload_ok;
	int64_t reloaded_us;
	struct str source;
	uint64_t serial;
	struct status_target *targets;	/* owned; status_free() */
	unsigned n_targets;
};

void status_gather(struct status *st, const struct status_history *h, const struct snapshot *s, unsigned connections);
void status_free(struct status *st);

bool status_write_page(const struct status *st, struct buf *out);
bool status_write_json(const struct status *st, struct buf *out);
extern const struct str status_style;	/* CSS, served beside the page */

/* Text between tags, what would be markup escaped. */
void status_add_text(struct buf *b, struct str s);

#endif

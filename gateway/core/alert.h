/*
 * alert.h: what operators should hear of soon: raised where it is noticed, told elsewhere.
 */
#ifndef WEIR_CORE_ALERT_H
#define WEIR_CORE_ALERT_H

#include <stdbool.h>
#include <stdint.h>

enum { ALERT_TEXT = 192 };

/* A budget has come to `at` per cent. */
struct alert {
	char of[ALERT_TEXT], budget[ALERT_TEXT];	/* "key `web`"; "50 usd per month" */
	int at;
	bool money;			/* amounts are nano-dollars; else tokens */
	int64_t spent, limit;
	int64_t forecast;		/* at the period's end, as it goes; -1: not known */
	int64_t period_end;		/* Unix seconds; 0: none */
	uint8_t id[32];			/* of this budget, period and threshold: the same on all replicas */
};

/* From any thread, at once; where nobody listens nothing happens. */
void alert_raise(const struct alert *a);
void alert_listen(void (*heard)(const struct alert *a));

#endif

/*
 * timers.h: the loop's own side of its timers, shared by loop.c and timers.c.
 */
#ifndef WEIR_BASE_TIMERS_H
#define WEIR_BASE_TIMERS_H

#include "base/clock.h"
#include "base/loop.h"

bool timers_open(struct loop *l);
void timers_close(struct loop *l);

static inline void loop_tick(struct loop *l)
{
	l->now_us = clock_us();
}

#endif

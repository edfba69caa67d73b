/*
 * health_check.h: asking servers how they are, where asking costs nothing.
 *
 * Providers with a health path (presets of local servers have one, or `health:` says so) are
 * asked every few seconds, on the main thread's loop. A server that is loading or gone is
 * not sent requests; when it answers well again, it is. Providers without one are judged by
 * real traffic alone.
 */
#ifndef WEIR_UPSTREAM_HEALTH_CHECK_H
#define WEIR_UPSTREAM_HEALTH_CHECK_H

#include "base/loop.h"
#include "core/snapshot.h"

struct health_checks;

struct health_checks *health_checks_open(struct loop *l);
/* From now on the providers of `s`; takes a reference. */
void health_checks_follow(struct health_checks *h, struct snapshot *s);
void health_checks_close(struct health_checks *h);

#endif

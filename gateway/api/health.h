/*
 * health.h: whether this process serves, on the traffic listener. No key, no log line, no provider is asked.
 */
#ifndef WEIR_API_HEALTH_H
#define WEIR_API_HEALTH_H

#include "core/txn.h"

enum stage_result health_live(struct txn *t);
enum stage_result health_ready(struct txn *t);
enum stage_result health_root(struct txn *t);

#endif

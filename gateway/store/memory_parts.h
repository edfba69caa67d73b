/*
 * memory_parts.h: the two halves of the memory store, limits and values. Both are shared by all
 * workers, behind locks of their own which are held for as long as a table is looked at.
 */
#ifndef WEIR_STORE_MEMORY_PARTS_H
#define WEIR_STORE_MEMORY_PARTS_H

#include "base/digest.h"
#include "store/store_ops.h"

struct memory_limits;
struct memory_values;

struct memory_limits *memory_limits_new(unsigned max, int64_t ttl_us, int64_t (*clock)(void));
void memory_limits_free(struct memory_limits *m);

/* STORE_OK, STORE_REFUSED, STORE_BROKEN, or STORE_DOWN when full of limits that still count. */
enum store_result memory_reserve(struct memory_limits *m, const struct store_reservation *r, struct store_answer *a,
				 bool peek);
enum store_result memory_settle(struct memory_limits *m, const struct store_reservation *r, const int64_t *real,
				bool unreserved);
enum store_result memory_renew(struct memory_limits *m, const struct store_reservation *r);
enum store_result memory_seed(struct memory_limits *m, struct str scope, const struct store_limit *budget,
			      int64_t spent);
bool memory_limits_crowded(const struct memory_limits *m);	/* most of its room is taken by what still counts */
void memory_restore(struct memory_limits *m, struct str scope, const struct store_limit *window, int64_t spent, int64_t age_us);

struct memory_values *memory_values_new(size_t max, int64_t (*clock)(void));
void memory_values_free(struct memory_values *m);

/* A value stays readable until it is let go of, whatever becomes of its key. */
struct memory_value;
struct memory_value *memory_value_take(struct memory_values *m, struct str key);	/* NULL: none */
struct str memory_value_bytes(const struct memory_value *v);
void memory_value_release(struct memory_value *v);
void memory_value_put(struct memory_values *m, struct str key, struct str value, int64_t ttl_ms);
bool memory_value_remove(struct memory_values *m, struct str key);

#endif

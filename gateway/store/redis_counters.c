/*
 * redis_counters.c: the families, each series at zero from the start.
 */
#include "store/redis_counters.h"

static struct counter_family calls_total = {
	.name = "weir_store_calls_total", .help = "Calls of the shared store by how they ended.",
	.kind = COUNTER_SUM, .scale = 1, .labels = { "result" },
};
static struct counter_family links_up = {
	.name = "weir_store_connections", .help = "Connections to the shared store that are up.",
	.kind = COUNTER_GAUGE, .scale = 1,
};
static struct counter_family under_way = {
	.name = "weir_store_calls_in_flight", .help = "Calls that the shared store has not answered yet.",
	.kind = COUNTER_GAUGE, .scale = 1,
};
static struct counter_family owed_now = {
	.name = "weir_store_settlements_owed", .help = "Settlements, and reservations to be given back, kept until the shared store is back.",
	.kind = COUNTER_GAUGE, .scale = 1,
};
static struct counter_family owed_lost = {
	.name = "weir_store_settlements_lost_total", .help = "Settlements given up.",
	.kind = COUNTER_SUM, .scale = 1,
};

static struct counter_family told_otherwise = {
	.name = "weir_usage_others_total", .help = "Requests whose tags are added up as (others) in `weir usage`, because a day has too many.",
	.kind = COUNTER_SUM, .scale = 1,
};

struct redis_counters redis_counters;

void redis_counters_begin(void)
{
	static const struct str results[COUNTED] = {
		STR_INIT("answered"), STR_INIT("late"), STR_INIT("down"), STR_INIT("broken"),
	};
	for (unsigned i = 0; i < COUNTED; i++)
		redis_counters.ended[i] = counter_of(&calls_total, &results[i]);
	redis_counters.links_up = counter_of(&links_up, NULL);
	redis_counters.in_flight = counter_of(&under_way, NULL);
	redis_counters.owed = counter_of(&owed_now, NULL);
	redis_counters.lost = counter_of(&owed_lost, NULL);
	redis_counters.otherwise = counter_of(&told_otherwise, NULL);
}

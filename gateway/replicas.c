/*
 * replicas.c: a sorted set in the store, of replicas by when they are taken for gone.
 *
 * While the store is away the number last seen stays: a key's limits are divided by it.
 */
#include "replicas.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/digest.h"
#include "core/replicas.h"

static const int64_t BEAT_US = SECOND_US;

static struct counter_family family = {
	.name = "weir_replicas", .help = "Gateways that share the store, as last seen; 1 without a shared one.", .kind = COUNTER_GAUGE, .scale = 1,
};

static const char beat_script[] =
	"local time = redis.call('TIME')\n"
	"local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
	"redis.call('ZADD', KEYS[1], now + 10000, ARGV[1])\n"
	"redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)\n"
	"redis.call('PEXPIRE', KEYS[1], 10000)\n"
	"return tostring(redis.call('ZCARD', KEYS[1]))\n";

static struct {
	struct store *store;
	struct timer beat;
	struct store_call call;
	char name[17];
	bool fixed;			/* the configuration says how many there are */
} self;

static void note(unsigned n)
{
	replicas_set_alive(n);
	counter_set(counter_of(&family, NULL), n);
}

static void on_counted(struct store_call *c)
{
	uint64_t n;
	if (c->result == STORE_OK && str_u64(c->value, &n) && n > 0 && n < 100000 && !self.fixed)
		note((unsigned)n);
	timer_in(&self.beat, BEAT_US);
}

static void on_beat(struct timer *t)
{
	struct store_script e = { .text = beat_script, .n_keys = 1, .n_args = 1, .keys = { STR("weir:{replicas}") }, .args = { str_c(self.name) } };
	(void)t;
	self.call = (struct store_call){ .done = on_counted };
	store_eval(self.store, &self.call, &e);
}

void replicas_open(struct loop *l, const struct settings *s, struct store_home *shared)
{
	self.fixed = s->store_replicas > 0;
	note(self.fixed ? s->store_replicas : 1);
	if (!shared)
		return;
	snprintf(self.name, sizeof(self.name), "%016llx", (unsigned long long)random_u64());
	self.store = store_open(shared, l);
	timer_open(&self.beat, l, on_beat);
	timer_in(&self.beat, 0);
}

void replicas_close(void)
{
	if (!self.store)
		return;
	store_close(self.store);
	timer_close(&self.beat);
	self.store = NULL;
}

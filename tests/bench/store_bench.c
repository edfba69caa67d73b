/*
 * store_bench.c: what it takes to reserve in a dozen limits and to settle, in the store in memory: time on the core.
 *
 * One line of JSON a row: its name and the median of batches in nanoseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "store/store.h"

enum { KEYS = 1000, LIMITS = 12, ROUNDS = 50 * 1000, BATCHES = 5 };

static struct store_limit limits[KEYS][LIMITS];
static struct str scopes[KEYS];

static struct str text(const char *before, unsigned k, unsigned i)
{
	struct buf b = BUF_INIT(STORE_KEY_MAX);
	buf_addf(&b, "%s-%u/limit-%u", before, k, i);
	return buf_str(&b);
}

/* Every kind, as a key has them that is limited in every way. */
static void make_limits(void)
{
	static const int64_t spans[] = { 1, 60, 3600, 86400, 60, 3600, 86400 };
	for (unsigned k = 0; k < KEYS; k++) {
		scopes[k] = text("team", k, 0);
		for (unsigned i = 0; i < LIMITS; i++) {
			struct store_limit *l = &limits[k][i];
			*l = (struct store_limit){ .key = text("key/one", k, i), .kind = STORE_BUDGET, .amount = 700, .limit = STORE_AMOUNT_MAX,
						   .period_start = 1, .period_end = STORE_AMOUNT_MAX };
			if (i < array_len(spans)) {
				l->kind = i < 4 ? STORE_REQUESTS : STORE_WINDOW;
				l->amount = i < 4 ? 1 : 700;
				l->span_s = spans[i];
			} else if (i == array_len(spans)) {
				l->kind = STORE_CONCURRENT;
				l->amount = 1;
			}
		}
	}
}

static void done(struct store_call *c)
{
	if (c->result != STORE_OK)
		abort();
}

static void once(struct store *s, unsigned k)
{
	static const int64_t real[LIMITS] = { 1, 1, 1, 1, 500, 500, 500, 0, 500, 500, 500, 500 };
	struct store_reservation r = { .scope = scopes[k], .limits = limits[k], .n = LIMITS };
	struct store_answer answer;
	struct store_call reserve = { .done = done }, settle = { .done = done };
	store_id_make(r.id);
	store_reserve(s, &reserve, &r, &answer);
	store_settle(s, &settle, &r, real, false);
}

/* Nanoseconds of one. */
static double batch(struct store *s, unsigned keys)
{
	struct timespec from, to;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (unsigned i = 0; i < ROUNDS; i++)
		once(s, i * 7 % keys);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / ROUNDS;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void row(struct store *s, unsigned keys, const char *name)
{
	double ns[BATCHES];
	batch(s, keys);
	for (unsigned i = 0; i < BATCHES; i++)
		ns[i] = batch(s, keys);
	qsort(ns, BATCHES, sizeof(*ns), ascending);
	printf("{\"row\": \"%s\", \"ns\": %.0f}\n", name, ns[BATCHES / 2]);
}

int main(void)
{
	struct buf why = BUF_INIT(1000);
	struct loop loop;
	struct store_options o = { .url = STR("memory") };
	struct store_home *home = store_home_open(&o, &why);
	if (!home || !loop_open(&loop))
		return 1;
	struct store *s = store_open(home, &loop);
	make_limits();
	row(s, 1, "of one key");
	row(s, KEYS, "of 1,000 keys in turn");
	store_close(s);
	store_home_close(home);
	loop_close(&loop);
	return 0;
}

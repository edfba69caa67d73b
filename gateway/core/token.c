/*
 * token.c: the rows, their schedule, and the token in each.
 *
 * One lock guards the list and the schedule, and a lock of each row its token, so that workers
 * never meet each other or the threads that fetch for longer than it takes to count a reference.
 */
#include "core/token.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/list.h"
#include "base/mem.h"

static const int64_t AHEAD_MOST_US = 240 * SECOND_US, SOONEST_US = SECOND_US, PAUSE_MOST_US = 60 * SECOND_US,
		     EARLY_EVERY_US = 60 * SECOND_US, LOOK_US = 50 * MS_US;

struct live_token {
	struct list link;
	unsigned refs;			/* under the list's lock */
	uint8_t digest[DIGEST_SIZE];	/* of the source: its name */
	struct token_source source;
	struct str label;
	/* The schedule, under the list's lock. Monotonic. */
	bool fetching;
	int64_t due_us;			/* INT64_MAX: never */
	/* What requests look at. */
	pthread_mutex_t lock;
	struct token *now;		/* under `lock` */
	struct token *refused;		/* under `lock`: not to be used any more; only compared */
	_Atomic unsigned failures;	/* in a row */
	_Atomic int64_t again_us;	/* when the next fetch is due */
	_Atomic int64_t early_us;	/* when it was last fetched early */
	_Atomic int64_t skew_us;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct list rows = LIST_INIT(rows);
static bool serving;

static void init(void)
{
	pthread_condattr_t a;
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &a);
	pthread_condattr_destroy(&a);
}

/* --- tokens --- */

static struct str put(char **to, struct str s)
{
	char *p = *to;
	if (s.n)
		memcpy(p, s.p, s.n);
	*to += s.n;
	return str_of(p, s.n);
}

struct token *token_make(enum token_kind kind, struct str id, struct str secret, struct str session, int64_t expires_us)
{
	struct token *t = mem_alloc(sizeof(*t) + id.n + secret.n + session.n);
	char *to = (char *)(t + 1);
	atomic_init(&t->refs, 1);
	t->kind = kind;
	t->expires_us = expires_us;
	t->id = put(&to, id);
	t->secret = put(&to, secret);
	t->session = put(&to, session);
	return t;
}

static struct token *token_ref(struct token *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

void token_unref(struct token *t)
{
	if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	secret_wipe(t + 1, t->id.n + t->secret.n + t->session.n);
	free(t);
}

/* --- rows --- */

static void digest_source(const struct token_source *s, uint8_t out[DIGEST_SIZE])
{
	struct buf all = BUF_INIT(1024 * 1024);
	buf_addf(&all, "%d", (int)s->origin);
	for (int i = 0; i < TOKEN_FIELDS; i++) {
		buf_addf(&all, "/%zu:", s->field[i].n);
		buf_add(&all, s->field[i]);
	}
	if (all.failed)
		abort();	/* configuration is smaller */
	digest_sha256(buf_str(&all), out);
	secret_wipe(all.p, all.n);
	buf_free(&all);
}

static struct live_token *row_make(const struct token_source *s, const uint8_t digest[DIGEST_SIZE], struct str label)
{
	struct live_token *l = mem_alloc(sizeof(*l));
	memcpy(l->digest, digest, DIGEST_SIZE);
	l->source.origin = s->origin;
	for (int i = 0; i < TOKEN_FIELDS; i++)
		l->source.field[i] = str_of(mem_copy(s->field[i]), s->field[i].n);
	l->label = str_of(mem_copy(label), label.n);
	l->due_us = s->origin == TOKEN_GIVEN ? INT64_MAX : 0;
	atomic_init(&l->early_us, INT64_MIN / 2);
	pthread_mutex_init(&l->lock, NULL);
	if (s->origin == TOKEN_GIVEN)
		l->now = token_make(TOKEN_AWS, s->field[TOKEN_ID], s->field[TOKEN_SECRET], s->field[TOKEN_SESSION], TOKEN_FOREVER);
	list_append(&rows, &l->link);
	return l;
}

static void row_free(struct live_token *l)
{
	token_unref(l->now);
	for (int i = 0; i < TOKEN_FIELDS; i++) {
		secret_wipe((char *)(uintptr_t)l->source.field[i].p, l->source.field[i].n);
		free((char *)(uintptr_t)l->source.field[i].p);
	}
	free((char *)(uintptr_t)l->label.p);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

struct live_token *live_token_of(const struct token_source *s, struct str label)
{
	uint8_t digest[DIGEST_SIZE];
	struct live_token *found = NULL;
	digest_source(s, digest);
	pthread_once(&once, init);
	pthread_mutex_lock(&lock);
	list_each(link, &rows) {
		struct live_token *l = list_entry(link, struct live_token, link);
		if (!found && digest_equal(l->digest, digest))
			found = l;
	}
	if (!found) {
		found = row_make(s, digest, label);
		pthread_cond_signal(&changed);
	}
	found->refs++;
	pthread_mutex_unlock(&lock);
	return found;
}

void live_token_unref(struct live_token *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&lock);
	bool last = --l->refs == 0;
	if (last)
		list_remove(&l->link);
	pthread_mutex_unlock(&lock);
	if (last)
		row_free(l);
}

struct str live_token_label(const struct live_token *l)
{
	return l->label;
}

const struct token_source *live_token_source(const struct live_token *l)
{
	return &l->source;
}

/* --- what requests ask --- */

static bool is_valid(const struct live_token *l, int64_t wall_us)
{
	return l->now && l->now != l->refused && wall_us < l->now->expires_us;
}

struct token *live_token_take(struct live_token *l, int64_t wall_us)
{
	pthread_mutex_lock(&l->lock);
	struct token *t = is_valid(l, wall_us) ? token_ref(l->now) : NULL;
	pthread_mutex_unlock(&l->lock);
	return t;
}

bool live_token_ready(struct live_token *l, int64_t *look_us, bool *failed)
{
	pthread_mutex_lock(&l->lock);
	bool ready = is_valid(l, clock_wall_us());
	pthread_mutex_unlock(&l->lock);
	int64_t now = clock_us(), due = atomic_load_explicit(&l->again_us, memory_order_relaxed);
	*failed = atomic_load_explicit(&l->failures, memory_order_relaxed) > 0;
	*look_us = (due > now && *failed ? due : now) + LOOK_US;
	return ready;
}

static void fetch_now(struct live_token *l)
{
	pthread_mutex_lock(&lock);
	if (l->due_us != INT64_MAX) {
		l->due_us = 0;
		pthread_cond_signal(&changed);
	}
	pthread_mutex_unlock(&lock);
}

bool live_token_refuse(struct live_token *l, const struct token *used)
{
	int64_t now = clock_us(), before = atomic_load(&l->early_us);
	pthread_mutex_lock(&l->lock);
	bool newer = l->now != used || l->now == l->refused;
	bool early = !newer && l->source.origin != TOKEN_GIVEN && now - before >= EARLY_EVERY_US &&
		     atomic_compare_exchange_strong(&l->early_us, &before, now);
	if (early)
		l->refused = l->now;
	pthread_mutex_unlock(&l->lock);
	if (early)
		fetch_now(l);
	return newer || early;
}

int64_t live_token_skew(const struct live_token *l)
{
	return atomic_load_explicit(&l->skew_us, memory_order_relaxed);
}

void live_token_set_skew(struct live_token *l, int64_t us)
{
	atomic_store_explicit(&l->skew_us, us, memory_order_relaxed);
}

/* --- the schedule --- */

static void wait_until(int64_t us)
{
	struct timespec t = { .tv_sec = (time_t)(us / SECOND_US), .tv_nsec = (long)(us % SECOND_US) * 1000 };
	if (us == INT64_MAX)
		pthread_cond_wait(&changed, &lock);
	else
		pthread_cond_timedwait(&changed, &lock, &t);
}

static struct live_token *next_due(void)
{
	struct live_token *first = NULL;
	list_each(link, &rows) {
		struct live_token *l = list_entry(link, struct live_token, link);
		if (!l->fetching && (!first || l->due_us < first->due_us))
			first = l;
	}
	return first;
}

struct live_token *live_token_next(void)
{
	struct live_token *l = NULL;
	pthread_once(&once, init);
	pthread_mutex_lock(&lock);
	while (serving) {
		l = next_due();
		if (l && l->due_us <= clock_us())
			break;
		wait_until(l ? l->due_us : INT64_MAX);
		l = NULL;
	}
	if (l) {
		l->fetching = true;
		l->refs++;
	}
	pthread_mutex_unlock(&lock);
	return l;
}

static int64_t shorter(int64_t us)
{
	return us - (int64_t)(random_u64() % (uint64_t)(us / 4 + 1));
}

/* Ahead of its end by a quarter of its life, at most four minutes: metadata servers have no newer one earlier than that. */
static int64_t pause_after(const struct token *t, int64_t again_us)
{
	if (t->expires_us == TOKEN_FOREVER)
		return again_us;
	int64_t left = t->expires_us - clock_wall_us(), ahead = left / 4 < AHEAD_MOST_US ? left / 4 : AHEAD_MOST_US;
	int64_t pause = left - ahead - (ahead - shorter(ahead));
	return pause > SOONEST_US ? pause : SOONEST_US;
}

static int64_t pause_of_failure(unsigned failures)
{
	int64_t us = SOONEST_US << (failures < 7 ? failures - 1 : 6);
	return shorter(us < PAUSE_MOST_US ? us : PAUSE_MOST_US);
}

static void publish(struct live_token *l, struct token *fresh)
{
	pthread_mutex_lock(&l->lock);
	struct token *old = l->now;
	l->now = fresh;
	l->refused = NULL;
	pthread_mutex_unlock(&l->lock);
	token_unref(old);
}

/* What the provider refused is all there is: it may be used again. */
static void forgive(struct live_token *l)
{
	pthread_mutex_lock(&l->lock);
	l->refused = NULL;
	pthread_mutex_unlock(&l->lock);
}

unsigned live_token_fetched(struct live_token *l, struct token *fresh, int64_t again_us)
{
	unsigned failures = fresh ? 0 : atomic_load(&l->failures) + 1;
	int64_t pause = fresh ? pause_after(fresh, again_us) : pause_of_failure(failures), due = clock_us() + pause;
	atomic_store(&l->again_us, due);
	if (fresh)
		publish(l, fresh);
	else
		forgive(l);
	atomic_store(&l->failures, failures);
	pthread_mutex_lock(&lock);
	l->fetching = false;
	l->due_us = due;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	live_token_unref(l);
	return failures;
}

unsigned live_token_failures(const struct live_token *l)
{
	return atomic_load_explicit(&l->failures, memory_order_relaxed);
}

void live_tokens_serve(bool on)
{
	pthread_once(&once, init);
	pthread_mutex_lock(&lock);
	serving = on;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

bool live_token_left(struct live_token *l, int64_t *us)
{
	pthread_mutex_lock(&l->lock);
	int64_t end = is_valid(l, clock_wall_us()) ? l->now->expires_us : 0;
	pthread_mutex_unlock(&l->lock);
	*us = end ? end - clock_wall_us() : -1;
	return end != TOKEN_FOREVER;
}

void live_tokens_each(void (*each)(struct live_token *, void *arg), void *arg)
{
	pthread_mutex_lock(&lock);
	list_each(link, &rows)
		each(list_entry(link, struct live_token, link), arg);
	pthread_mutex_unlock(&lock);
}

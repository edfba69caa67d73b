/*
 * flight.c: the table of flights, and what is recorded of each.
 *
 * Two locks: the table's, and one a flight, taken in this order. Readers copy under the flight's; whoever waits is
 * woken by one letter a loop, however many wait there.
 */
#include "cache/flight.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cache/cache_key.h"
#include "cache/entry.h"
#include "store/store.h"

enum { BUCKETS = 1024, PIECE = 32 * 1024 };

/* Those of one loop who watch one flight. Its list is that loop's, all else is under the flight's lock. */
struct station {
	struct list link;		/* in the flight's; out of it while nobody watches here */
	struct flight *flight;		/* a reference */
	struct loop *loop;
	struct list watches;
	unsigned n;
	bool told;			/* a letter is under way to its loop */
	bool waking;			/* its watches are being called */
};

struct flight {
	struct list link;		/* in the table; under the table's lock, as is `listed` */
	bool listed;
	char key[CACHE_KEY_SIZE];
	size_t key_length;
	struct loop *leader_loop;
	struct txn *leader;		/* NULL once it ended; changed on its own loop, and under the lock */
	struct store_call put;

	pthread_mutex_t lock;		/* for what follows */
	unsigned references;
	struct list stations;
	struct buf bytes;		/* an entry: its head and type, from body_at on the answer */
	size_t body_at, keep_most;
	bool dropped;			/* too large: what was recorded is gone */
	struct buf cuts;		/* size_t each: ends of events, about PIECE apart */
	struct flight_view view;
	struct buf type, words;		/* the content type's, and the error's */
	struct error error;
};

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list table[BUCKETS];
static _Atomic unsigned landings[BUCKETS];	/* flights of the bucket that nobody joins any more */

/* --- life --- */

static struct flight *make(struct str key, struct txn *t, size_t keep_most)
{
	struct flight *f = mem_alloc(sizeof(*f));
	*f = (struct flight){ .leader = t, .leader_loop = t->loop, .references = 1, .keep_most = keep_most,
			      .key_length = key.n < CACHE_KEY_SIZE ? key.n : CACHE_KEY_SIZE, .view = { .label = "coalesced" } };
	if (key.n)
		memcpy(f->key, key.p, f->key_length);
	list_init(&f->link);
	list_init(&f->stations);
	pthread_mutex_init(&f->lock, NULL);
	buf_init(&f->bytes, ENTRY_OVERHEAD + (keep_most > FLIGHT_MOST ? keep_most : FLIGHT_MOST));
	buf_init(&f->cuts, SIZE_MAX);
	buf_init(&f->type, SIZE_MAX);
	buf_init(&f->words, SIZE_MAX);
	return f;
}

static void release(struct flight *f)
{
	pthread_mutex_destroy(&f->lock);
	buf_free(&f->bytes);
	buf_free(&f->cuts);
	buf_free(&f->type);
	buf_free(&f->words);
	free(f);
}

static void flight_unref(struct flight *f)
{
	pthread_mutex_lock(&f->lock);
	bool last = --f->references == 0;
	pthread_mutex_unlock(&f->lock);
	if (last)
		release(f);
}

static void ref(struct flight *f)
{
	pthread_mutex_lock(&f->lock);
	f->references++;
	pthread_mutex_unlock(&f->lock);
}

/* --- the table --- */

static size_t place_of(struct str key)
{
	return str_hash(key) % BUCKETS;
}

unsigned flight_landings(struct str key)
{
	return atomic_load(&landings[place_of(key)]);
}

static struct list *bucket_of(struct str key)
{
	struct list *b = &table[place_of(key)];
	if (!b->next)
		list_init(b);
	return b;
}

struct flight *flight_join(struct str key, struct txn *t, size_t keep_most, bool *leads)
{
	*leads = true;
	if (str_empty(key))
		return make(key, t, keep_most);
	struct flight *f = NULL;
	pthread_mutex_lock(&table_lock);
	struct list *bucket = bucket_of(key);
	list_each(link, bucket) {
		struct flight *g = list_entry(link, struct flight, link);
		if (str_eq(str_of(g->key, g->key_length), key))
			f = g;
	}
	if (f) {
		*leads = false;
		ref(f);
	} else {
		f = make(key, t, keep_most);
		f->listed = true;
		list_append(bucket, &f->link);
	}
	pthread_mutex_unlock(&table_lock);
	return f;
}

/* Nobody joins it from now on. */
static void retire(struct flight *f)
{
	pthread_mutex_lock(&table_lock);
	if (f->listed) {
		list_remove(&f->link);
		atomic_fetch_add(&landings[place_of(str_of(f->key, f->key_length))], 1);
	}
	f->listed = false;
	pthread_mutex_unlock(&table_lock);
}

/* --- stations --- */

/* Nobody is here, and no letter can come: under the lock. */
static bool is_left(const struct station *s)
{
	return !s->n && !s->told && !s->waking;
}

static void station_free(struct station *s)
{
	struct flight *f = s->flight;
	free(s);
	flight_unref(f);
}

static void on_told(void *arg)
{
	struct station *s = arg;
	pthread_mutex_lock(&s->flight->lock);
	s->told = false;
	s->waking = true;
	pthread_mutex_unlock(&s->flight->lock);
	list_each(link, &s->watches) {
		struct flight_watch *w = list_entry(link, struct flight_watch, link);
		w->wake(w);
	}
	pthread_mutex_lock(&s->flight->lock);
	s->waking = false;
	bool left = is_left(s);
	pthread_mutex_unlock(&s->flight->lock);
	if (left)
		station_free(s);
}

/* Under the lock. */
static void tell(struct flight *f)
{
	list_each(link, &f->stations) {
		struct station *s = list_entry(link, struct station, link);
		if (s->told)
			continue;
		s->told = true;
		loop_post(s->loop, on_told, s);
	}
}

static struct station *station_of(struct flight *f, struct loop *l)
{
	list_each(link, &f->stations) {
		struct station *s = list_entry(link, struct station, link);
		if (s->loop == l)
			return s;
	}
	struct station *s = mem_alloc(sizeof(*s));
	*s = (struct station){ .flight = f, .loop = l };
	f->references++;
	list_init(&s->watches);
	list_append(&f->stations, &s->link);
	return s;
}

void flight_watch(struct flight *f, struct flight_watch *w, struct loop *l)
{
	pthread_mutex_lock(&f->lock);
	w->station = station_of(f, l);
	w->station->n++;
	list_append(&w->station->watches, &w->link);
	pthread_mutex_unlock(&f->lock);
	flight_unref(f);	/* the station has its own */
}

/* On the leader's loop. */
static void on_abandoned(void *arg)
{
	struct flight *f = arg;
	struct txn *t = f->leader;
	if (t && !t->client && !flight_is_watched(f))
		t->ops->hangup(t);
	flight_unref(f);
}

void flight_unwatch(struct flight_watch *w)
{
	struct station *s = w->station;
	if (!s)
		return;
	struct flight *f = s->flight;
	w->station = NULL;
	pthread_mutex_lock(&f->lock);
	list_remove(&w->link);
	if (--s->n == 0)
		list_remove(&s->link);
	bool left = is_left(s);
	if (list_empty(&f->stations) && f->leader) {	/* which keeps its loop alive */
		f->references++;
		loop_post(f->leader_loop, on_abandoned, f);
	}
	pthread_mutex_unlock(&f->lock);
	if (left)
		station_free(s);
}

bool flight_is_watched(struct flight *f)
{
	pthread_mutex_lock(&f->lock);
	bool watched = !list_empty(&f->stations);
	pthread_mutex_unlock(&f->lock);
	return watched;
}

/* --- recording --- */

void flight_label(struct flight *f, const char *label)
{
	pthread_mutex_lock(&f->lock);
	f->view.label = label;
	pthread_mutex_unlock(&f->lock);
}

void flight_begin(struct flight *f, const struct answer *a, struct str tags)
{
	pthread_mutex_lock(&f->lock);
	if (!f->view.head) {
		entry_begin(&f->bytes, a->content_type, tags);
		f->body_at = f->bytes.n;
		f->view.head = true;
		f->view.status = a->status;
		f->view.event_stream = a->event_stream;
		f->view.length = a->length;
		buf_add(&f->type, a->content_type);
		f->view.type = buf_str(&f->type);
		tell(f);
	}
	pthread_mutex_unlock(&f->lock);
}

static void drop(struct flight *f)
{
	buf_free(&f->bytes);
	f->dropped = true;
	if (f->view.state != FLIGHT_OPEN)
		return;
	f->error = (struct error){ .kind = ERR_MEMORY, .message = STR("The answer is too large to be shared with others who asked the same.") };
	f->view.error = &f->error;
	f->view.state = FLIGHT_AGAIN;
}

static size_t last_cut(const struct flight *f)
{
	size_t cut = 0;
	if (f->cuts.n)
		memcpy(&cut, f->cuts.p + f->cuts.n - sizeof(cut), sizeof(cut));
	return cut;
}

static bool add(struct flight *f, struct str bytes, bool owed)
{
	size_t length = f->bytes.n - f->body_at + bytes.n;
	bool over = length > f->keep_most && list_empty(&f->stations);
	if (f->dropped || over || !buf_add(&f->bytes, bytes)) {
		if (!owed)
			drop(f);
		f->bytes.failed = false;
		return false;
	}
	if (length - last_cut(f) >= PIECE)
		buf_add(&f->cuts, str_of((const char *)&length, sizeof(length)));
	return true;
}

bool flight_add(struct flight *f, struct str bytes, bool owed, size_t *at)
{
	pthread_mutex_lock(&f->lock);
	*at = f->bytes.n - f->body_at;
	bool added = add(f, bytes, owed);
	bool dropped = f->dropped;
	tell(f);
	pthread_mutex_unlock(&f->lock);
	if (dropped)
		retire(f);
	return added;
}

void flight_comment(struct flight *f)
{
	pthread_mutex_lock(&f->lock);
	f->view.comments++;
	tell(f);
	pthread_mutex_unlock(&f->lock);
}

/* --- its end --- */

void flight_whole(struct flight *f, const struct usage *usage, int64_t cost)
{
	pthread_mutex_lock(&f->lock);
	if (f->view.state == FLIGHT_OPEN) {
		f->view.state = FLIGHT_WHOLE;
		f->view.usage = *usage;
		f->view.cost = cost;
		tell(f);
	}
	pthread_mutex_unlock(&f->lock);
}

/* The texts live in the leader's arena: they are written one behind the other, and then found again. */
static void keep_error(struct flight *f, const struct error *e)
{
	const struct str from[] = { e->message, e->param, e->code, e->relay };
	struct str *const to[] = { &f->error.message, &f->error.param, &f->error.code, &f->error.relay };
	f->error = (struct error){ .kind = e->kind, .status = e->status, .retry_after_s = e->retry_after_s, .final = e->final };
	size_t at = 0;
	for (size_t i = 0; i < array_len(from); i++)
		buf_add(&f->words, from[i]);
	for (size_t i = 0; i < array_len(from); i++) {
		*to[i] = str_of(f->words.p + at, from[i].n);
		at += from[i].n;
	}
	f->view.error = &f->error;
}

void flight_fail(struct flight *f, enum flight_state state, const struct error *e)
{
	retire(f);
	pthread_mutex_lock(&f->lock);
	if (f->view.state == FLIGHT_OPEN) {
		keep_error(f, e);
		f->view.state = state;
		tell(f);
	}
	pthread_mutex_unlock(&f->lock);
}

struct buf *flight_entry(struct flight *f)
{
	return f->dropped || f->bytes.n - f->body_at > f->keep_most ? NULL : &f->bytes;
}

static void on_put(struct store_call *call)
{
	struct flight *f = container_of(call, struct flight, put);
	retire(f);
	flight_unref(f);
}

void flight_leave(struct flight *f, struct store *s, struct str key, struct str value, int64_t ttl_ms)
{
	pthread_mutex_lock(&f->lock);
	f->leader = NULL;
	pthread_mutex_unlock(&f->lock);
	f->put = (struct store_call){ .done = on_put };
	if (s)
		store_put(s, &f->put, key, value, ttl_ms);
	else
		on_put(&f->put);
}

/* --- reading --- */

/* How far a reader at `at` may read at once: to the end of an event. */
static size_t piece_end(const struct flight *f, size_t at)
{
	size_t all = f->bytes.n - f->body_at, end = all, cut;
	if (all - at <= 2 * PIECE)
		return all;
	if (!f->view.event_stream)
		return at + PIECE;
	for (size_t i = 0; i + sizeof(cut) <= f->cuts.n; i += sizeof(cut)) {
		memcpy(&cut, f->cuts.p + i, sizeof(cut));
		if (cut > at && (end == all || cut <= at + 2 * PIECE))
			end = cut;
	}
	return end;
}

void flight_read(struct flight *f, size_t at, struct buf *piece, struct flight_view *v)
{
	pthread_mutex_lock(&f->lock);
	if (!f->dropped && f->view.head && f->bytes.n - f->body_at > at) {
		size_t end = piece_end(f, at);
		buf_add(piece, str_of(f->bytes.p + f->body_at + at, end - at));
	}
	*v = f->view;
	pthread_mutex_unlock(&f->lock);
}

/*
 * loop.h: one thread's event loop, its clock, its scratch memory and its mailbox.
 *
 * libevent's base without locks: everything but loop_post() belongs to the loop's own
 * thread. Watches and timers are embedded in the objects that own them.
 */
#ifndef WEIR_BASE_LOOP_H
#define WEIR_BASE_LOOP_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum { LOOP_SCRATCH = 256 * 1024 };

struct loop {
	struct event_base *base;
	/*
	 * LOOP_SCRATCH bytes that every reader of this loop reads into. What is
	 * complete there is handled in place; only what is not gets copied. Its
	 * contents are lost when the callback that filled it returns.
	 */
	char *scratch;
	struct list deferred;		/* struct loop_task, run once this turn's callbacks are done */
	struct list later;		/* the same, in the next turn */
	struct list sends;		/* the same, before those */
	unsigned n_sends;
	struct timer **timers;		/* those that are armed, as a heap by armed_us */
	uint32_t n_timers, cap_timers;
	struct event *alarm;		/* libevent's, for the first of them */
	struct loop_mail *mail;
	int64_t now_us;			/* monotonic, read once a turn; see loop_now() */
};

struct loop_task {
	struct list link;
	void (*run)(struct loop_task *);
};

bool loop_open(struct loop *l);		/* false: errno says why */
void loop_close(struct loop *l);
void loop_run(struct loop *l);		/* until loop_stop() */
void loop_stop(struct loop *l);
void loop_run_deferred(struct loop *l);	/* for endings: what loop_run() does after each turn */

/* Time of this turn, monotonic microseconds. */
static inline int64_t loop_now(const struct loop *l) { return l->now_us; }

/* Runs `t` after the callbacks of this turn, before the loop sleeps. Queued twice is queued once. */
void loop_defer(struct loop *l, struct loop_task *t);
/* The same in the next turn, which comes without a sleep: for work that is too long for one. */
void loop_later(struct loop *l, struct loop_task *t);
void loop_task_init(struct loop_task *t, void (*run)(struct loop_task *));
void loop_task_cancel(struct loop_task *t);

/*
 * For what leaves: sends of a turn go together, because each that wakes its peer from sleep costs several times what
 * sending does. The last of LOOP_SENDS that wait runs them all at once, so `t` may send, and nothing else: it calls nobody back.
 */
enum { LOOP_SENDS = 16 };
void loop_send(struct loop *l, struct loop_task *t);

/* The only call another thread may make: `run(arg)` on the loop's thread, in order. Never blocks on the loop. */
void loop_post(struct loop *l, void (*run)(void *arg), void *arg);

/*
 * watch: readiness of one descriptor. Reading stays armed between requests, so a
 * request in steady state makes no call to epoll; writing is armed after EAGAIN only.
 * A hang-up or an error of the peer counts as readable and writable.
 *
 * With watch_hangup() the peer's end is told while reading is off, too: ready() is called
 * with `hung_up` set, whatever still waits to be read.
 */
struct watch {
	struct event ev;
	struct loop *loop;
	void (*ready)(struct watch *, bool readable, bool writable);
	bool reading, writing, hangups;
	bool hung_up;
};

void watch_open(struct watch *w, struct loop *l, int fd,
		void (*ready)(struct watch *, bool readable, bool writable));
void watch_read(struct watch *w, bool on);
void watch_write(struct watch *w, bool on);
void watch_hangup(struct watch *w, bool on);
void watch_close(struct watch *w);	/* before the descriptor is closed */

/*
 * timer: a lazy deadline. Moving it later, or stopping it, is a store; only moving
 * it earlier touches the heap. So a deadline renewed at each byte costs nothing.
 * timer_close() must be called before the memory goes.
 */
struct timer {
	struct loop *loop;
	int64_t due_us;		/* INT64_MAX: stopped */
	int64_t armed_us;	/* when the loop will wake for it; INT64_MAX: not in the heap */
	void (*fire)(struct timer *);
	uint32_t place;		/* in the heap */
};

void timer_open(struct timer *t, struct loop *l, void (*fire)(struct timer *));
void timer_at(struct timer *t, int64_t due_us);
static inline void timer_in(struct timer *t, int64_t us) { timer_at(t, loop_now(t->loop) + us); }
static inline void timer_stop(struct timer *t) { t->due_us = INT64_MAX; }
static inline bool timer_pending(const struct timer *t) { return t->due_us != INT64_MAX; }
void timer_close(struct timer *t);

#endif

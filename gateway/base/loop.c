/*
 * loop.c: libevent's loop, with the clock read once a turn, work put off to the
 * turn's end, and a mailbox that other threads may write to.
 */
#include "base/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/timers.h"

struct letter {
	struct letter *next;
	void (*run)(void *arg);
	void *arg;
};

struct loop_mail {
	pthread_mutex_t lock;
	struct letter *first, **last;
	struct event wake;
	int fd;
	bool stopping;
};

/* --- mailbox --- */

static struct letter *mail_take(struct loop_mail *m)
{
	pthread_mutex_lock(&m->lock);
	struct letter *all = m->first;
	m->first = NULL;
	m->last = &m->first;
	pthread_mutex_unlock(&m->lock);
	return all;
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	uint64_t count;
	(void)what;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	for (struct letter *x = mail_take(l->mail), *next; x; x = next) {
		next = x->next;
		x->run(x->arg);
		free(x);
	}
}

void loop_post(struct loop *l, void (*run)(void *arg), void *arg)
{
	struct loop_mail *m = l->mail;
	struct letter *x = mem_alloc(sizeof(*x));
	x->run = run;
	x->arg = arg;
	pthread_mutex_lock(&m->lock);
	bool first = m->first == NULL;
	*m->last = x;
	m->last = &x->next;
	pthread_mutex_unlock(&m->lock);
	if (first) {
		uint64_t one = 1;
		ssize_t n = write(m->fd, &one, sizeof(one));
		(void)n;	/* a full counter wakes the loop as well */
	}
}

static bool mail_open(struct loop *l)
{
	struct loop_mail *m = mem_alloc(sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	m->last = &m->first;
	m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->mail = m;
	if (m->fd < 0)
		return false;
	event_assign(&m->wake, l->base, m->fd, EV_READ | EV_PERSIST, on_mail, l);
	event_add(&m->wake, NULL);
	return true;
}

static void mail_close(struct loop *l)
{
	struct loop_mail *m = l->mail;
	if (!m)
		return;
	if (m->fd >= 0) {
		event_del(&m->wake);
		close(m->fd);
	}
	for (struct letter *x = mail_take(m), *next; x; x = next) {
		next = x->next;
		free(x);
	}
	pthread_mutex_destroy(&m->lock);
	free(m);
	l->mail = NULL;
}

/* --- the loop --- */

bool loop_open(struct loop *l)
{
	*l = (struct loop){ 0 };
	list_init(&l->deferred);
	list_init(&l->later);
	list_init(&l->sends);
	struct event_config *c = event_config_new();
	if (!c)
		return false;
	event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK);
	l->base = event_base_new_with_config(c);
	event_config_free(c);
	if (!l->base)
		return false;
	l->scratch = mem_alloc(LOOP_SCRATCH);
	loop_tick(l);
	return timers_open(l) && mail_open(l);
}

void loop_close(struct loop *l)
{
	mail_close(l);
	timers_close(l);
	if (l->base)
		event_base_free(l->base);
	free(l->scratch);
	*l = (struct loop){ 0 };
}

static bool run_first(struct list *tasks)
{
	if (list_empty(tasks))
		return false;
	struct loop_task *t = list_entry(tasks->next, struct loop_task, link);
	list_remove(&t->link);
	t->run(t);
	return true;
}

static void run_sends(struct loop *l)
{
	l->n_sends = 0;
	while (run_first(&l->sends))
		;
}

void loop_run_deferred(struct loop *l)
{
	do
		run_sends(l);
	while (run_first(&l->deferred));
}

/* What was put off until this turn. */
static bool take_later(struct loop *l)
{
	bool any = !list_empty(&l->later);
	while (!list_empty(&l->later)) {
		struct list *link = l->later.next;
		list_remove(link);
		list_append(&l->deferred, link);
	}
	return any;
}

void loop_run(struct loop *l)
{
	l->mail->stopping = false;
	while (!l->mail->stopping) {
		loop_tick(l);
		int sleeping = take_later(l) ? EVLOOP_NONBLOCK : EVLOOP_ONCE;
		if (event_base_loop(l->base, sleeping | EVLOOP_NO_EXIT_ON_EMPTY) < 0)
			break;
		loop_run_deferred(l);
	}
}

void loop_stop(struct loop *l)
{
	l->mail->stopping = true;
	event_base_loopbreak(l->base);
}

void loop_task_init(struct loop_task *t, void (*run)(struct loop_task *))
{
	list_init(&t->link);
	t->run = run;
}

void loop_defer(struct loop *l, struct loop_task *t)
{
	if (list_empty(&t->link))
		list_append(&l->deferred, &t->link);
}

void loop_later(struct loop *l, struct loop_task *t)
{
	if (list_empty(&t->link))
		list_append(&l->later, &t->link);
}

void loop_send(struct loop *l, struct loop_task *t)
{
	if (!list_empty(&t->link))
		return;
	list_append(&l->sends, &t->link);
	if (++l->n_sends >= LOOP_SENDS)
		run_sends(l);
}

void loop_task_cancel(struct loop_task *t)
{
	list_remove(&t->link);
}

/* --- watches --- */

static bool peer_gone(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };
	return poll(&p, 1, 0) > 0;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	loop_tick(w->loop);
	if (!w->reading && w->hangups) {
		w->hung_up = (what & EV_CLOSED) || peer_gone(fd);
		if (!w->hung_up && !w->writing)
			return;
	}
	w->ready(w, (what & EV_READ) != 0, w->writing && (what & EV_WRITE) != 0);
}

void watch_open(struct watch *w, struct loop *l, int fd,
		void (*ready)(struct watch *, bool readable, bool writable))
{
	w->loop = l;
	w->ready = ready;
	w->reading = w->writing = w->hangups = w->hung_up = false;
	event_assign(&w->ev, l->base, fd, 0, on_ready, w);
}

/*
 * A reset comes from libevent as readable and writable, never as closed, and would wake the
 * loop for ever with nobody to tell: so where neither is wanted, writing is watched for its
 * edges, of which there is one at the start and one at the end.
 */
static short interest(const struct watch *w)
{
	short what = (short)((w->reading ? EV_READ : 0) | (w->writing ? EV_WRITE : 0));
	if (w->hangups && !w->reading)
		what |= (short)(w->writing ? EV_CLOSED : EV_CLOSED | EV_WRITE | EV_ET);
	return what;
}

/*
 * Rare: reading stays armed, writing is asked for after a full socket only. So libevent's list of
 * changes would save little, and it touches descriptors that were closed meanwhile.
 */
static void watch_arm(struct watch *w, bool reading, bool writing, bool hangups)
{
	short before = interest(w);
	w->reading = reading;
	w->writing = writing;
	w->hangups = hangups;
	short after = interest(w);
	if (before == after)
		return;
	if (before)
		event_del(&w->ev);
	if (!after)
		return;
	event_assign(&w->ev, w->loop->base, event_get_fd(&w->ev), (short)(EV_PERSIST | after), on_ready, w);
	event_add(&w->ev, NULL);
}

void watch_read(struct watch *w, bool on)
{
	watch_arm(w, on, w->writing, w->hangups);
}

void watch_write(struct watch *w, bool on)
{
	watch_arm(w, w->reading, on, w->hangups);
}

void watch_hangup(struct watch *w, bool on)
{
	watch_arm(w, w->reading, w->writing, on);
}

void watch_close(struct watch *w)
{
	watch_arm(w, false, false, false);
}

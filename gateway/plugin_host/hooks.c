/*
 * hooks.c: a post for each thread that runs plugins, and the watchdog that walks by them.
 */
#include "plugin_host/hooks.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugin_host/record.h"
#include "plugin_host/run.h"

enum { LOOK_MS = 250, LOOKS_TO_TELL = 4, LOOKS_TO_END = 40, STACK = 64 * 1024 };

struct post {
	struct post *next;
	_Atomic uint64_t turn;		/* odd: inside */
	_Atomic(const struct plugin_record *) record;
	_Atomic(const char *) hook;
	int64_t began;			/* of the thread alone */
	uint64_t seen;			/* of the watchdog alone, as what follows */
	unsigned looks;
};

static const char working[] = "work";

static _Thread_local struct post *mine;
static struct post *posts;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- the watchdog --- */

static void look(struct post *p)
{
	uint64_t turn = atomic_load(&p->turn);
	const struct plugin_record *r = atomic_load(&p->record);
	const char *hook = atomic_load(&p->hook);
	if (!(turn & 1) || turn != p->seen || hook == working) {
		p->seen = turn;
		p->looks = 0;
		return;
	}
	p->looks++;
	if (p->looks == LOOKS_TO_TELL) {
		log_error("plugin %.*s has kept a thread for a second in %s(), and keeps it: the requests of that thread wait", STR_FMT(r->name),
			  hook);
		count_stuck(r->name, hook);
	}
	if (p->looks == LOOKS_TO_END) {
		mine = p;	/* it is the plugin's crash */
		abort();
	}
}

static void *walk(void *arg)
{
	const struct timespec between = { .tv_nsec = LOOK_MS * 1000000L };
	(void)arg;
	for (;;) {
		nanosleep(&between, NULL);
		pthread_mutex_lock(&lock);
		for (struct post *p = posts; p; p = p->next)
			look(p);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void start_walking(void)
{
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, walk, NULL) == 0)
		pthread_detach(thread);
	else
		log_warn("no thread for the watchdog of plugins");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* --- posts --- */

/* A stack that has run over has no room for a signal's handler. */
static void lay_signal_stack(void)
{
	stack_t now, own = { .ss_size = STACK };
	if (sigaltstack(NULL, &now) < 0 || !(now.ss_flags & SS_DISABLE))
		return;
	own.ss_sp = mem_alloc(STACK);
	sigaltstack(&own, NULL);
}

/* It stays as long as the process, as its thread mostly does. */
static struct post *make_post(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct post *p = mem_alloc(sizeof(*p));
	lay_signal_stack();
	pthread_once(&once, start_walking);
	pthread_mutex_lock(&lock);
	p->next = posts;
	posts = p;
	pthread_mutex_unlock(&lock);
	return mine = p;
}

static void enter(const struct plugin_record *r, const char *hook)
{
	struct post *p = likely(mine) ? mine : make_post();
	atomic_store_explicit(&p->record, r, memory_order_relaxed);
	atomic_store_explicit(&p->hook, hook, memory_order_relaxed);
	atomic_fetch_add(&p->turn, 1);
}

void hook_begin(const struct plugin_use *u, const char *hook)
{
	enter(u->record, hook);
	mine->began = clock_us();
}

void hook_end(const struct plugin_use *u)
{
	atomic_fetch_add(&mine->turn, 1);
	count_overrun(u, atomic_load_explicit(&mine->hook, memory_order_relaxed), clock_us() - mine->began);
}

void hook_work_begin(const struct plugin_record *r)
{
	enter(r, working);
}

void hook_work_end(void)
{
	atomic_fetch_add(&mine->turn, 1);
}

const struct plugin_record *hook_now(const char **hook)
{
	if (!mine || !(atomic_load(&mine->turn) & 1))
		return NULL;
	*hook = atomic_load(&mine->hook);
	return atomic_load(&mine->record);
}

/*
 * jwks_keeper.c: look, publish, sleep. What was had last stays until there is something better.
 */
#include "jwks_keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access/jwt_key.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "upstream/token_http.h"

/* After a failure; and between looks that tokens of unknown keys ask for. */
static const int64_t AGAIN_US = 5 * SECOND_US, UNKNOWN_US = 5 * SECOND_US;

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	char *source;			/* NULL: none */
	int64_t refresh_us, due_us, looked_us;
	bool running, failed;
	_Atomic bool stop;
	_Atomic bool unknown;
} keeper = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool get(struct token_world *w, struct str source, struct str *set, struct buf *why)
{
	struct token_question q = { .method = "GET", .url = source };
	struct token_answer a = { 0 };
	if (!str_has(source, STR("://"))) {
		bool good = w->io.read_file(&w->io, source, set);
		if (!good)
			buf_addf(why, "the file cannot be read");
		return good;
	}
	w->io.ask(&w->io, &q, &a);
	*set = a.body;
	if (a.status != 200)
		buf_addf(why, "%s", a.status ? "it was answered with another status than 200" : a.error ? a.error : "no answer");
	return a.status == 200;
}

static bool look(struct str source)
{
	struct arena a = ARENA_INIT;
	struct buf why = BUF_INIT(1024);
	struct token_world w;
	struct str set;
	token_world_open(&w, &a, 0, &keeper.stop);
	bool good = get(&w, source, &set, &why) && jwt_keys_publish(set, &why);
	if (!good && !atomic_load(&keeper.stop))
		log_warn("jwt: keys of the issuer cannot be had from %.*s: %.*s", STR_FMT(source), STR_FMT(buf_str(&why)));
	else if (good && keeper.failed)
		log_info("jwt: keys of the issuer are there again");
	keeper.failed = !good;
	buf_free(&why);
	arena_clear(&a);
	return good;
}

/* Until it is time, there is another source, a token's key is not known, or the end. */
static void wait_for_work(void)
{
	while (!atomic_load(&keeper.stop)) {
		int64_t now = clock_us(), due = keeper.due_us;
		if (atomic_load(&keeper.unknown) && keeper.looked_us + UNKNOWN_US < due)
			due = keeper.looked_us + UNKNOWN_US;
		if (keeper.source && now >= due)
			return;
		int64_t at = clock_wall_us() + (keeper.source && due - now < SECOND_US ? due - now : SECOND_US);
		struct timespec t = { .tv_sec = at / SECOND_US, .tv_nsec = at % SECOND_US * 1000 };
		pthread_cond_timedwait(&keeper.wake, &keeper.lock, &t);
	}
}

static void *thread_main(void *arg)
{
	(void)arg;
	counters_thread_begin();
	pthread_mutex_lock(&keeper.lock);
	for (;;) {
		wait_for_work();
		if (atomic_load(&keeper.stop))
			break;
		char *source = mem_copy(str_c(keeper.source));
		keeper.due_us = INT64_MAX;
		atomic_store(&keeper.unknown, false);
		pthread_mutex_unlock(&keeper.lock);
		bool good = look(str_c(source));
		pthread_mutex_lock(&keeper.lock);
		if (!keeper.source || strcmp(keeper.source, source) != 0)
			jwt_keys_drop();		/* a reload named another meanwhile */
		free(source);
		keeper.looked_us = clock_us();
		if (keeper.due_us == INT64_MAX)		/* nothing else was asked for meanwhile */
			keeper.due_us = keeper.looked_us + (good || keeper.refresh_us < AGAIN_US ? keeper.refresh_us : AGAIN_US);
	}
	pthread_mutex_unlock(&keeper.lock);
	digest_thread_end();
	arena_thread_end();
	counters_thread_end();
	return NULL;
}

static void on_unknown(void)
{
	if (!atomic_exchange(&keeper.unknown, true))
		pthread_cond_signal(&keeper.wake);
}

static void follow(const struct jwt_settings *s)
{
	bool same = keeper.source && str_eq(str_c(keeper.source), s->jwks);
	keeper.refresh_us = s->refresh_us;
	keeper.due_us = 0;		/* a reload looks again */
	if (same)
		return;
	free(keeper.source);
	keeper.source = str_empty(s->jwks) ? NULL : mem_copy(s->jwks);
	jwt_keys_drop();
}

void jwks_keeper_follow(const struct snapshot *s)
{
	const struct jwt_settings *jwt = &s->settings.jwt;
	if (!keeper.running && str_empty(jwt->jwks))
		return;
	pthread_mutex_lock(&keeper.lock);
	follow(jwt);
	pthread_mutex_unlock(&keeper.lock);
	if (!keeper.running) {
		jwt_keys_on_unknown(on_unknown);
		pthread_cond_init(&keeper.wake, NULL);
		keeper.running = pthread_create(&keeper.thread, NULL, thread_main, NULL) == 0;
		if (!keeper.running)
			log_error("jwt: no thread could be started to fetch the issuer's keys");
	}
	pthread_cond_signal(&keeper.wake);
}

void jwks_keeper_close(void)
{
	if (!keeper.running)
		return;
	atomic_store(&keeper.stop, true);
	pthread_cond_signal(&keeper.wake);
	pthread_join(keeper.thread, NULL);
	keeper.running = false;
	free(keeper.source);
	keeper.source = NULL;
	jwt_keys_drop();
}

/*
 * token_keeper.c: next, fetch, hand over.
 */
#include "upstream/token_keeper.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/digest.h"
#include "base/log.h"
#include "core/families.h"
#include "core/token.h"
#include "upstream/token_http.h"

enum { THREADS = 4, WHY_MAX = 1024 };

static pthread_t threads[THREADS];
static unsigned n_threads;
static _Atomic bool stopping;

static void tell(const struct live_token *l, bool good, unsigned failures, unsigned before, struct str why)
{
	struct str label = live_token_label(l);
	families_token(label, good);
	if (!good)
		log_warn("credential %.*s cannot be fetched: %.*s (failure %u)", STR_FMT(label), STR_FMT(why), failures);
	else if (before)
		log_info("credential %.*s is fetched again, after %u failures", STR_FMT(label), before);
	else
		log_debug("credential %.*s was fetched", STR_FMT(label));
}

static void fetch(struct live_token *l)
{
	struct arena a = ARENA_INIT;
	struct buf why = BUF_INIT(WHY_MAX);
	struct token_world w;
	int64_t again_us = 0;
	unsigned before = live_token_failures(l);
	token_world_open(&w, &a, live_token_skew(l), &stopping);
	struct token *fresh = token_fetch(live_token_source(l), &w.io, &again_us, &why);
	if (!fresh && atomic_load(&stopping)) {
		live_token_fetched(l, NULL, 0);
	} else {
		live_token_set_skew(l, w.io.skew_us);
		tell(l, fresh, before + 1, before, buf_str(&why));
		live_token_fetched(l, fresh, again_us);
	}
	buf_free(&why);
	arena_wipe(&a);
}

static void *thread_main(void *arg)
{
	struct live_token *l;
	(void)arg;
	counters_thread_begin();
	while ((l = live_token_next()))
		fetch(l);
	digest_thread_end();
	arena_thread_end();
	counters_thread_end();
	return NULL;
}

static bool has_fetched(const struct snapshot *s)
{
	for (unsigned i = 0; i < s->n_providers; i++)
		for (unsigned c = 0; c < s->providers[i]->n_credentials; c++) {
			const struct live_token *l = s->providers[i]->credentials[c].token;
			if (l && live_token_source(l)->origin != TOKEN_GIVEN)
				return true;
		}
	return false;
}

void token_keeper_follow(const struct snapshot *s)
{
	if (n_threads || !has_fetched(s))
		return;
	atomic_store(&stopping, false);
	live_tokens_serve(true);
	while (n_threads < THREADS && pthread_create(&threads[n_threads], NULL, thread_main, NULL) == 0)
		n_threads++;
	if (!n_threads)
		log_error("no thread could be started to fetch credentials");
}

void token_keeper_close(void)
{
	atomic_store(&stopping, true);
	live_tokens_serve(false);
	while (n_threads)
		pthread_join(threads[--n_threads], NULL);
}

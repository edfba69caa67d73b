/*
 * reload.c: file -> checked configuration -> snapshot, or one message why not.
 *
 * Building happens on a thread of its own, so that neither requests nor the admin listener
 * wait for it. What is wrong with a file is logged, and the old configuration stays.
 */
#include "reload.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/load.h"
#include "telemetry/gauges.h"

static const int64_t LOOK_US = 500 * 1000;

struct build_job {
	struct reload *reload;
	struct snapshot *snapshot;
	struct config_report report;
};

/* --- the watched files --- */

struct watched {
	struct str *names;
	unsigned n;
};

static struct watched watched;

static uint64_t signature_of_files(void)
{
	uint64_t h = 0;
	for (unsigned i = 0; i < watched.n; i++) {
		struct stat st;
		if (stat(watched.names[i].p, &st) < 0)
			continue;
		uint64_t parts[4] = { (uint64_t)st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
				      (uint64_t)st.st_mtim.tv_nsec };
		h = h * 31 + str_hash(str_of((const char *)parts, sizeof(parts)));
	}
	return h;
}

static void forget_watched(void)
{
	for (unsigned i = 0; i < watched.n; i++)
		free((char *)(uintptr_t)watched.names[i].p);
	free(watched.names);
	watched = (struct watched){ NULL, 0 };
}

static void on_watch(struct timer *t)
{
	struct reload *r = container_of(t, struct reload, watch);
	uint64_t now = signature_of_files();
	if (now != r->signature) {
		r->signature = now;
		reload_start(r);
	}
	timer_in(t, LOOK_US);
}

void reload_watch(struct reload *r, const struct snapshot *s, bool on)
{
	forget_watched();
	if (!on) {
		timer_stop(&r->watch);
		return;
	}
	watched.names = mem_alloc(sizeof(*watched.names) * (s->n_watched_files + 1));
	for (unsigned i = 0; i < s->n_watched_files; i++)
		watched.names[watched.n++] = str_of(mem_copy(s->watched_files[i]), s->watched_files[i].n);
	r->signature = signature_of_files();
	timer_in(&r->watch, LOOK_US);
}

/* --- building --- */

static void log_report(const struct build_job *job)
{
	struct str rest = buf_str(&job->report.errors), line;
	while (str_split(&rest, '\n', &line))
		if (line.n)
			log_error("reload refused, the old configuration stays: %.*s", STR_FMT(line));
	rest = buf_str(&job->report.warnings);
	while (str_split(&rest, '\n', &line))
		if (line.n)
			log_warn("%.*s", STR_FMT(line));
}

static void on_built(void *arg)
{
	struct build_job *job = arg;
	struct reload *r = job->reload;
	log_report(job);
	r->running = false;
	gauges_reload(job->snapshot != NULL);
	if (job->snapshot)
		r->publish(r, job->snapshot);
	report_free(&job->report);
	free(job);
	if (r->again) {
		r->again = false;
		reload_start(r);
	}
}

static void *build_thread(void *arg)
{
	struct build_job *job = arg;
	job->snapshot = config_load(job->reload->file, &job->report);
	digest_thread_end();
	arena_thread_end();
	loop_post(job->reload->loop, on_built, job);
	return NULL;
}

void reload_start(struct reload *r)
{
	pthread_t thread;
	if (r->running) {
		r->again = true;
		return;
	}
	struct build_job *job = mem_alloc(sizeof(*job));
	job->reload = r;
	report_init(&job->report);
	if (pthread_create(&thread, NULL, build_thread, job) != 0) {
		log_error("reload: no thread can be started");
		report_free(&job->report);
		free(job);
		return;
	}
	pthread_detach(thread);
	r->running = true;
}

void reload_open(struct reload *r, struct loop *l, const char *file)
{
	r->loop = l;
	r->file = file;
	timer_open(&r->watch, l, on_watch);
	gauges_reload(true);
}

void reload_close(struct reload *r)
{
	timer_close(&r->watch);
	forget_watched();
}

/*
 * server.c: the serving process: workers, signals, drain.
 *
 * The main thread serves the admin listener, reloads, and waits for signals; requests are
 * the workers' business alone.
 */
#include "server.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "access/made_keys.h"
#include "admin/admin_service.h"
#include "alerts.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/resolver.h"
#include "cache_admin.h"
#include "config/load.h"
#include "core/health.h"
#include "edge/listener.h"
#include "notify.h"
#include "explain.h"
#include "jwks_keeper.h"
#include "keys.h"
#include "keys_admin.h"
#include "keys_use.h"
#include "metering/learned_file.h"
#include "metering/capture.h"
#include "metering/ledger.h"
#include "plugin_host/plugin_host.h"
#include "reload.h"
#include "replicas.h"
#include "restore.h"
#include "store/worker_store.h"
#include "telemetry/families.h"
#include "telemetry/gauges.h"
#include "telemetry/stages.h"
#include "upstream/health_check.h"
#include "upstream/token_keeper.h"
#include "usage.h"
#include "version.h"
#include "worker.h"

enum { SOCKETS_MAX = 16, WORKERS_MAX = 256 };
static const int64_t DRAIN_LOOK_US = 3 * MS_US;

static const int64_t KEEP_EVERY_US = 300 * SECOND_US;

struct server {
	struct loop loop;
	struct snapshot *snapshot;
	struct reload reload;
	struct worker *workers[WORKERS_MAX];
	unsigned n_workers;
	struct edge_socket sockets[WORKERS_MAX][SOCKETS_MAX];
	unsigned n_sockets;
	struct admin_service admin;
	struct watch signals;
	int signal_fd;
	struct timer keep_timer;
	struct store_home *shared_store, *local_store;	/* the same where the store is memory */
	struct timer drain_timer;
	int64_t drain_until_us;
	struct log_sink *access_log;
	struct health_checks *health;
	unsigned terms;		/* SIGTERM and SIGINT so far */
};

/* --- limits of the process --- */

/* A core file would hold keys and prompts. */
static void harden(void)
{
	struct rlimit none = { 0, 0 }, files;
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* Large bodies come from the heap and stay there: mapping and faulting them anew costs more than the copy. */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 128 << 20);
	mallopt(M_ARENA_MAX, 16);
}

/* --- signals --- */

static bool block_signals(struct server *s)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a file that may not grow is an error like a full disk */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signal_fd >= 0;
}

static void start_drain(struct server *s)
{
	int64_t most = s->snapshot->settings.listen.drain_us;
	log_info("draining: running answers have %lld s; a second signal ends them now", (long long)(most / SECOND_US));
	health_set_draining();
	notify_state("STOPPING=1");
	for (unsigned i = 0; i < s->n_workers; i++)
		worker_drain(s->workers[i]);
	s->drain_until_us = loop_now(&s->loop) + most;
	timer_in(&s->drain_timer, DRAIN_LOOK_US);
}

static void abort_workers(struct server *s)
{
	for (unsigned i = 0; i < s->n_workers; i++)
		if (!worker_ended(s->workers[i]))
			worker_abort(s->workers[i]);
}

static void on_drain_timer(struct timer *t)
{
	struct server *s = container_of(t, struct server, drain_timer);
	bool all = true;
	for (unsigned i = 0; i < s->n_workers; i++)
		all &= worker_ended(s->workers[i]);
	if (all) {
		loop_stop(&s->loop);
		return;
	}
	if (loop_now(&s->loop) >= s->drain_until_us) {
		s->drain_until_us = INT64_MAX;
		abort_workers(s);
	}
	timer_in(t, DRAIN_LOOK_US);
}

static void on_signal(struct watch *w, bool readable, bool writable)
{
	struct server *s = container_of(w, struct server, signals);
	struct signalfd_siginfo info;
	(void)readable, (void)writable;
	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			reload_start(&s->reload);
		} else if (s->terms++ == 0) {
			start_drain(s);
		} else {
			abort_workers(s);
		}
	}
}

/* --- configuration --- */

static void print_report(const struct config_report *r)
{
	fprintf(stderr, "%.*s%.*s", STR_FMT(buf_str(&r->warnings)), STR_FMT(buf_str(&r->errors)));
}

static void resolve_names(struct snapshot *s)
{
	for (unsigned i = 0; i < s->n_providers; i++) {
		struct provider *p = s->providers[i];
		if (!p->demo && str_empty(p->origin.unix_path))
			p->origin.resolved = resolver_row(p->origin.host, p->origin.port);
	}
}

static void open_access_log(struct server *s)
{
	struct buf why = BUF_INIT(1024);
	struct log_sink *sink = NULL;
	if (!str_eq(s->snapshot->settings.access_log, STR("off"))) {
		sink = log_sink_open(s->snapshot->settings.access_log, &why);
		if (!sink)
			log_error("access log: %.*s", STR_FMT(buf_str(&why)));
	}
	access_log_to(sink);
	s->access_log = sink;
	buf_free(&why);
}

static void publish(struct reload *r, struct snapshot *snapshot)
{
	struct server *s = r->owner;
	struct snapshot *old = s->snapshot;
	struct buf kept = BUF_INIT(1024);
	config_follow(old, snapshot, &kept);
	if (kept.n)
		log_warn("changes only at a restart, and stays as it was: %.*s", STR_FMT(buf_str(&kept)));
	if (snapshot->made_key && !old->made_key)
		log_warn("no keys are configured any more: nobody can call until there are some, or weir is started again");
	buf_free(&kept);
	resolve_names(snapshot);
	families_prepare(snapshot);
	plugin_crashes_forgive();
	plugins_prepare(snapshot);
	s->snapshot = snapshot;
	health_checks_follow(s->health, snapshot);
	token_keeper_follow(snapshot);
	jwks_keeper_follow(snapshot);
	alerts_follow(snapshot);
	for (unsigned i = 0; i < s->n_workers; i++)
		worker_reload(s->workers[i], snapshot);
	log_set_level(snapshot->settings.log_level);
	reload_watch(r, snapshot, snapshot->settings.watch);
	log_info("configuration %llu from %.*s is in force", (unsigned long long)snapshot->serial, STR_FMT(snapshot->source));
	snapshot_unref(old);
}

/* --- listening --- */

/* What did not go well stands on stderr: the log may not be open yet. */
static bool told(bool good, struct buf *why)
{
	if (!good)
		fprintf(stderr, "weir: %.*s\n", STR_FMT(buf_str(why)));
	buf_free(why);
	return good;
}

static bool bind_all(struct server *s)
{
	const struct settings *settings = &s->snapshot->settings;
	struct buf why = BUF_INIT(1024);
	bool good = true;
	s->n_sockets = settings->listen.n_addresses;
	for (unsigned a = 0; a < s->n_sockets && good; a++) {
		struct str address = settings->listen.addresses[a];
		for (unsigned w = 0; w < settings->workers && good; w++) {
			bool first_only = str_starts(address, STR("unix:"));
			if (w > 0 && first_only)
				s->sockets[w][a] = s->sockets[0][a];
			else
				good = edge_bind(&s->sockets[w][a], address, w ? EDGE_FURTHER : EDGE_FIRST, &why);
		}
	}
	return told(good, &why);
}

static bool start_workers(struct server *s)
{
	for (unsigned i = 0; i < s->snapshot->settings.workers; i++) {
		struct worker_options o = { i, s->snapshot, s->sockets[i], s->n_sockets };
		s->workers[i] = worker_start(&o);
		if (!s->workers[i])
			return false;
		s->n_workers++;
	}
	return true;
}

/* --- telling --- */

static void print_start(const struct server *s)
{
	const struct snapshot *snap = s->snapshot;
	struct str address = snap->settings.listen.addresses[0];
	struct buf names = BUF_INIT(4096);
	for (unsigned i = 0; i < snap->n_providers; i++)
		if (snap->providers[i]->usable)
			buf_addf(&names, "%s%.*s", names.n ? ", " : "", STR_FMT(snap->providers[i]->name));
	log_info("weir " WEIR_VERSION " serves on %.*s, configuration: %.*s, providers: %.*s", STR_FMT(address),
		 STR_FMT(snap->source), STR_FMT(buf_str(&names)));
	buf_free(&names);
}

/* The one time a made key is shown, with a line that can be pasted. */
static void print_key(const struct server *s)
{
	const struct snapshot *snap = s->snapshot;
	const char *model = "demo/echo";
	if (!snap->made_key)
		return;
	for (unsigned i = 0; i < snap->n_models; i++)
		if (!snap->models[i]->pattern)
			model = snap->models[i]->name.p;
	if (snap->n_models == 0 && str_eq(snap->providers[0]->name, STR("openai")))
		model = "gpt-5-mini";
	else if (snap->n_models == 0 && !snapshot_provider(snap, STR("demo")))
		model = "MODEL";
	printf("\nThis address can be reached from outside, so a key was made. It is shown only now;\n"
	       "set WEIR_KEY to choose your own.\n\n  key: %.*s\n\n"
	       "  curl http://localhost:%u/v1/chat/completions -H 'Authorization: Bearer %.*s' \\\n"
	       "    -H 'Content-Type: application/json' \\\n"
	       "    -d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n",
	       STR_FMT(snap->made_secret), edge_port(&s->sockets[0][0]), STR_FMT(snap->made_secret), model);
	fflush(stdout);
}

/* --- the process --- */

static const struct snapshot *snapshot_in_force(void *owner)
{
	return ((const struct server *)owner)->snapshot;
}

static void keep_learned(const struct server *s)
{
	struct str file = s->snapshot->settings.learned_file;
	if (!str_empty(file) && !learned_file_write(file.p))
		log_warn("cannot write %.*s: %s", STR_FMT(file), strerror(errno));
}

static void on_keep_timer(struct timer *t)
{
	keep_learned(container_of(t, struct server, keep_timer));
	timer_in(t, KEEP_EVERY_US);
}

static void open_learned(struct server *s)
{
	struct str file = s->snapshot->settings.learned_file;
	int n = str_empty(file) ? -1 : learned_file_read(file.p);
	if (n >= 0)
		log_info("%.*s: %d models are known from before", STR_FMT(file), n);
	timer_open(&s->keep_timer, &s->loop, on_keep_timer);
	if (!str_empty(file))
		timer_in(&s->keep_timer, KEEP_EVERY_US);
}

static int run(struct server *s)
{
	timer_open(&s->drain_timer, &s->loop, on_drain_timer);
	watch_open(&s->signals, &s->loop, s->signal_fd, on_signal);
	watch_read(&s->signals, true);
	s->health = health_checks_open(&s->loop);
	health_checks_follow(s->health, s->snapshot);
	token_keeper_follow(s->snapshot);
	jwks_keeper_follow(s->snapshot);
	keys_use_open(&s->loop, s->shared_store);
	alerts_open(&s->loop, s->shared_store == s->local_store ? NULL : s->shared_store);
	alerts_follow(s->snapshot);
	replicas_open(&s->loop, &s->snapshot->settings, s->shared_store == s->local_store ? NULL : s->shared_store);
	cache_admin_open(s->shared_store, &s->loop, s->shared_store != s->local_store);
	open_learned(s);
	print_start(s);
	print_key(s);
	notify_state("READY=1");
	loop_run(&s->loop);
	for (unsigned i = 0; i < s->n_workers; i++)
		worker_wait(s->workers[i]);
	replicas_close();
	alerts_close();
	jwks_keeper_close();
	token_keeper_close();
	health_checks_close(s->health);
	timer_close(&s->keep_timer);
	keep_learned(s);
	log_info("stopped");
	watch_close(&s->signals);
	timer_close(&s->drain_timer);
	return 0;
}

static const char *store_state(const void *home)
{
	return store_home_state(home);
}

static bool open_stores(struct server *s)
{
	struct buf why = BUF_INIT(1024);
	struct store_options shared = {
		.url = s->snapshot->settings.store, .memory_values_max = s->snapshot->settings.cache.max_memory,
		.ttl_ms = s->snapshot->settings.reservation_ttl_us / MS_US,
		.command_ms = s->snapshot->settings.store_timeout_us / MS_US,
	}, local = { .url = STR("memory"), .ttl_ms = shared.ttl_ms };
	s->shared_store = store_home_open(&shared, &why);
	bool memory = str_eq(shared.url, STR("memory"));
	s->local_store = memory || !s->shared_store ? s->shared_store : store_home_open(&local, &why);
	if (!s->local_store)
		fprintf(stderr, "weir: store: %.*s\n", STR_FMT(buf_str(&why)));
	else
		health_store(store_home_name(s->shared_store), store_state, s->shared_store);
	worker_store_use(s->shared_store, s->local_store);
	buf_free(&why);
	return s->local_store;
}

static bool open_ledger(struct server *s)
{
	const struct settings *settings = &s->snapshot->settings;
	const struct ledger_options o = { settings->ledger, settings->ledger_keep_us, settings->ledger_lines };
	struct buf why = BUF_INIT(1024);
	return told(ledger_open(&o, &why) && capture_open(&settings->capture, &why), &why);
}

/* What the ledger says of budgets, to a store that starts empty. */
static void restore(struct server *s)
{
	const struct settings *settings = &s->snapshot->settings;
	bool file = !str_eq(settings->ledger, STR("off")), memory = str_eq(settings->store, STR("memory"));
	if (file && memory)
		log_info("ledger %.*s: %d budgets have spent before", STR_FMT(settings->ledger),
			 restore_spending(s->snapshot, s->local_store, &s->loop));
	else if (file)
		restore_known(s->snapshot);
	else if (memory && restore_wanted(s->snapshot))
		log_warn("no ledger is configured (`ledger: weir.db`): what budgets have spent is forgotten at a restart");
}

static bool open_keys(struct server *s)
{
	struct buf why = BUF_INIT(1024);
	return told(keys_open(&s->loop, &s->snapshot->settings, s->shared_store == s->local_store ? NULL : s->shared_store, &why), &why);
}

static void close_stores(struct server *s)
{
	capture_close();
	ledger_close();
	if (s->local_store && s->local_store != s->shared_store)
		store_home_close(s->local_store);
	if (s->shared_store)
		store_home_close(s->shared_store);
}

static int on_keys(void *owner, const struct admin_call *c, struct buf *out)
{
	return keys_admin(((struct server *)owner)->snapshot, c, out);
}

static int on_usage(void *owner, const struct admin_call *c, struct buf *out)
{
	struct server *s = owner;
	return usage_admin(s->snapshot, &s->loop, c, out);
}

static int on_cache(void *owner, const struct admin_call *c, struct buf *out)
{
	(void)owner;
	return cache_admin(c, out);
}

static bool open_admin(struct server *s)
{
	struct admin_options o = { .loop = &s->loop, .snapshot = snapshot_in_force, .owner = s, .explain = explain,
				   .keys = on_keys, .usage = on_usage, .cache = on_cache };
	struct buf why = BUF_INIT(1024);
	return told(admin_open(&s->admin, &o, &s->snapshot->settings.admin, &why), &why);
}

static void open_reload(struct server *s, const char *file)
{
	reload_open(&s->reload, &s->loop, file);
	s->reload.publish = publish;
	s->reload.owner = s;
	reload_watch(&s->reload, s->snapshot, s->snapshot->settings.watch);
}

static void close_all(struct server *s)
{
	reload_close(&s->reload);
	keys_close();
	keys_use_close();
	usage_admin_close();
	cache_admin_close();
	admin_close(&s->admin);
	close_stores(s);
	access_log_to(NULL);
	if (s->access_log)
		log_sink_close(s->access_log);
}

static int serve(struct server *s, const char *file)
{
	int status = 1;
	resolve_names(s->snapshot);
	families_prepare(s->snapshot);
	gauges_build(str_c(version_text), str_c(version_commit));
	if (!open_stores(s) || !open_ledger(s) || !open_keys(s) || !bind_all(s))
		return 1;
	restore(s);
	if (!open_admin(s))
		return 1;
	open_reload(s, file);
	open_access_log(s);
	plugins_prepare(s->snapshot);
	plugin_crashes_open(s->snapshot->settings.plugin_crashes);
	if (start_workers(s))
		status = run(s);
	else
		fprintf(stderr, "weir: cannot start a worker: %s\n", strerror(errno));
	close_all(s);
	return status;
}

int server_run(const char *given)
{
	struct server *s = mem_alloc(sizeof(*s));
	struct config_report report;
	struct buf why = BUF_INIT(1024);
	const char *file = config_find(given);
	report_init(&report);
	harden();
	s->snapshot = config_load(file, &report);
	print_report(&report);
	report_free(&report);
	if (!s->snapshot) {
		free(s);
		return 2;
	}
	int status = 1;
	counters_thread_begin();
	if (!block_signals(s) || !loop_open(&s->loop) || !log_open(s->snapshot->settings.log_level, &why) || !resolver_start())
		fprintf(stderr, "weir: cannot start: %s\n", strerror(errno));
	else
		status = serve(s, file);
	resolver_stop();
	loop_close(&s->loop);
	snapshot_unref(s->snapshot);
	close(s->signal_fd);
	log_close();
	counters_thread_end();
	made_keys_thread_end();
	digest_thread_end();
	arena_thread_end();
	buf_free(&why);
	free(s);
	return status;
}

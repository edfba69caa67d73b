/*
 * gauges.c: the process, the configuration and the targets, as they are now.
 */
#include "telemetry/gauges.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/breaker.h"
#include "core/snapshot.h"
#include "telemetry/families.h"
#include "telemetry/tokens.h"

#define GAUGE(n, h, s) { .name = n, .help = h, .kind = COUNTER_GAUGE, .scale = s }

static struct counter_family build_info = {
	.name = "weir_build_info", .help = "Always 1.", .kind = COUNTER_GAUGE, .scale = 1,
	.labels = { "version", "commit" },
};
static struct counter_family reload_success =
	GAUGE("weir_config_last_reload_success", "1 when the last configuration that was read is in force.", 1);
static struct counter_family reload_time =
	GAUGE("weir_config_last_reload_success_timestamp_seconds", "When a configuration was last taken over.", 1e-6);
static struct counter_family connections_open = GAUGE("weir_connections", "Callers' connections that are open.", 1);
static struct counter_family price_age =
	GAUGE("weir_price_table_age_seconds", "Since the day of the newest table of prices in use.", 1);
static struct counter_family cpu = {
	.name = "process_cpu_seconds_total", .help = "User and system time of the process.", .kind = COUNTER_SUM,
	.scale = 1e-6,
};
static struct counter_family resident = GAUGE("process_resident_memory_bytes", "Resident memory.", 1);
static struct counter_family virtual = GAUGE("process_virtual_memory_bytes", "Virtual memory.", 1);
static struct counter_family open_fds = GAUGE("process_open_fds", "Open file descriptors.", 1);
static struct counter_family max_fds = GAUGE("process_max_fds", "Limit of open file descriptors.", 1);
static struct counter_family start_time = GAUGE("process_start_time_seconds", "Start of the process.", 1e-6);

static struct gauges_reload_state reload = { .success = true };

static void set(struct counter_family *f, int64_t value)
{
	counter_set(counter_of(f, NULL), value);
}

void gauges_build(struct str version, struct str commit)
{
	counter_set(counter_of(&build_info, (struct str[]){ version, commit }), 1);
	gauges_started_us();
}

void gauges_reload(bool success)
{
	reload.success = success;
	if (success)
		reload.at_us = clock_wall_us();
}

struct gauges_reload_state gauges_reload_state(void)
{
	return reload;
}

int64_t gauges_started_us(void)
{
	static int64_t started;
	if (!started)
		started = clock_wall_us();
	return started;
}

static int64_t count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int64_t n = -3;		/* the two dots, and the folder's own */
	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void refresh_memory(void)
{
	unsigned long long pages = 0, in_memory = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f && fscanf(f, "%llu %llu", &pages, &in_memory) == 2) {
		set(&virtual, (int64_t)pages * sysconf(_SC_PAGESIZE));
		set(&resident, (int64_t)in_memory * sysconf(_SC_PAGESIZE));
	}
	if (f)
		fclose(f);
}

static int64_t time_us(struct timeval t)
{
	return (int64_t)t.tv_sec * SECOND_US + t.tv_usec;
}

static void refresh_process(void)
{
	struct rusage u;
	struct rlimit l;
	if (getrusage(RUSAGE_SELF, &u) == 0)
		set(&cpu, time_us(u.ru_utime) + time_us(u.ru_stime));
	if (getrlimit(RLIMIT_NOFILE, &l) == 0)
		set(&max_fds, (int64_t)l.rlim_cur);
	set(&open_fds, count_descriptors());
	set(&start_time, gauges_started_us());
	refresh_memory();
}

/* Would this target be asked now? */
static bool is_up(const struct live_target *t)
{
	enum breaker_class open;
	int64_t back;
	return atomic_load_explicit(&t->healthy, memory_order_relaxed) != 0 &&
	       breakers_allow(t->breakers, clock_us(), &open, &back);
}

static void refresh_target(struct live_target *live, bool usable)
{
	struct target_counters *t = families_target(live);
	counter_set(t->up, usable && is_up(live));
	counter_set(t->in_flight, atomic_load_explicit(&live->in_flight, memory_order_relaxed));
}

static void refresh_price_age(const struct snapshot *s)
{
	int32_t date = pricing_date(&s->pricing);
	struct tm day = { .tm_year = date / 10000 - 1900, .tm_mon = date / 100 % 100 - 1, .tm_mday = date % 100 };
	if (date)
		set(&price_age, clock_wall_us() / SECOND_US - (int64_t)timegm(&day));
}

void gauges_refresh(const struct snapshot *s, unsigned connections)
{
	refresh_process();
	set(&connections_open, connections);
	set(&reload_success, reload.success);
	set(&reload_time, reload.at_us);
	tokens_refresh();
	if (s)
		refresh_price_age(s);
	for (unsigned i = 0; s && i < s->n_targets; i++)
		if (s->targets[i]->live)
			refresh_target(s->targets[i]->live, s->targets[i]->provider->usable);
}

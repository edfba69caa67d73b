/*
 * log_sink.c: records on their way to files, and the thread that writes them.
 *
 * Each sink has two buffers: callers append to one under a lock held for a copy's time,
 * the writer takes it away whole and writes it without the lock. A full buffer means
 * whoever reads the log is behind: the record is dropped and counted. Records wait up to
 * BATCH_MS for company, so a busy access log costs its callers no wake-up.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/log_writer.h"
#include "base/mem.h"

enum { SINK_BYTES = 1 << 20, SINK_HALF = SINK_BYTES / 2, BATCH_MS = 100, TICK_MS = 1000, STOP_MS = 1000 };

struct log_sink {
	struct log_sink *next;
	char *path;			/* NULL: a descriptor that stays as it is */
	bool off;			/* set for good when opened: callers read it, `fd` is the writer's */
	int fd;
	struct buf filling, writing;	/* the second one is the writer's */
	bool closed;			/* the writer lets it go when all is written */
	int64_t looked_us;		/* when the path was last compared with the descriptor */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work, idle;	/* for the writer; for those who wait for it */
static bool running, stopping, queued, hurry, wake;
static struct log_sink *sinks;
static void (*on_tick)(void);
static struct counter *dropped;

static struct counter_family dropped_family = {
	.name = "weir_log_dropped_total", .help = "Log lines dropped because their reader was behind, or the disk was full.",
	.kind = COUNTER_SUM, .scale = 1,
};

static void wait_for(pthread_cond_t *c, int ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += (long)ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	pthread_cond_timedwait(c, &lock, &t);
}

/* The file may have been moved away (rotation): then a new one is made under its name. */
static void reopen_if_moved(struct log_sink *s)
{
	struct stat there, ours;
	int64_t now = clock_us();
	if (!s->path || now - s->looked_us < SECOND_US)
		return;
	s->looked_us = now;
	if (stat(s->path, &there) == 0 && fstat(s->fd, &ours) == 0 && there.st_ino == ours.st_ino &&
	    there.st_dev == ours.st_dev)
		return;
	int fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	close(s->fd);
	s->fd = fd;
}

/* Of what a full disk does not take, each line is counted. */
static void count_lost(struct str s)
{
	struct str line;
	int64_t lines = 0;
	while (str_split(&s, '\n', &line))
		lines++;
	if (dropped)
		counter_add(dropped, lines);
}

static void write_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
			continue;
		}
		if (n <= 0) {
			count_lost(s);
			return;
		}
		s = str_skip(s, (size_t)n);
	}
}

static void sink_free(struct log_sink *s)
{
	if (s->path)
		close(s->fd);
	free(s->path);
	buf_free(&s->filling);
	buf_free(&s->writing);
	free(s);
}

static void sink_unlink(struct log_sink *s)
{
	struct log_sink **p = &sinks;
	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
}

/* Under the lock, which is let go while writing. Only the writer unlinks while it runs. */
static void write_sink(struct log_sink *s)
{
	struct buf full = s->filling;
	s->filling = s->writing;
	s->writing = full;
	pthread_mutex_unlock(&lock);
	reopen_if_moved(s);
	write_all(s->fd, buf_str(&s->writing));
	buf_clear(&s->writing);
	pthread_mutex_lock(&lock);
}

static void write_queued(void)
{
	queued = hurry = false;
	for (struct log_sink *s = sinks, *next; s; s = next) {
		if (s->filling.n)
			write_sink(s);
		next = s->next;
		if (s->closed && s->filling.n == 0) {
			sink_unlink(s);
			sink_free(s);
		} else if (s->closed) {
			queued = true;
		}
	}
	pthread_cond_broadcast(&idle);
}

static void tick(void)
{
	void (*f)(void) = on_tick;
	wake = false;
	pthread_mutex_unlock(&lock);
	if (f)
		f();
	pthread_mutex_lock(&lock);
}

static void *write_forever(void *arg)
{
	int64_t ticked = clock_us();
	(void)arg;
	pthread_mutex_lock(&lock);
	while (!stopping || queued) {
		while (!queued && !wake && !stopping)
			pthread_cond_wait(&work, &lock);
		if (!hurry && !stopping)
			wait_for(&work, queued ? BATCH_MS : TICK_MS);
		if (queued)
			write_queued();
		if (clock_us() - ticked >= TICK_MS * MS_US) {
			ticked = clock_us();
			tick();
		}
	}
	running = false;
	pthread_cond_broadcast(&idle);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Signals are for other threads. */
static bool thread_start(void)
{
	sigset_t all, before;
	pthread_t thread;
	sigfillset(&all);
	stopping = false;
	pthread_sigmask(SIG_SETMASK, &all, &before);
	running = pthread_create(&thread, NULL, write_forever, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (running)
		pthread_detach(thread);
	return running;
}

/* The writer thread, started by whoever needs it first. */
static bool start_writer(struct buf *why)
{
	static bool made;
	bool ok = true;
	pthread_mutex_lock(&lock);
	if (!made) {
		pthread_condattr_t a;
		pthread_condattr_init(&a);
		pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
		pthread_cond_init(&work, &a);
		pthread_cond_init(&idle, &a);
		dropped = counter_of(&dropped_family, NULL);
		made = true;
	}
	if (!running && !(ok = thread_start()))
		buf_addf(why, "no thread to write the log with");
	pthread_mutex_unlock(&lock);
	return ok;
}

void log_writer_stop(void)
{
	pthread_mutex_lock(&lock);
	stopping = true;
	int64_t until = clock_us() + STOP_MS * MS_US;
	if (running)
		pthread_cond_signal(&work);
	while (running && clock_us() < until)
		wait_for(&idle, STOP_MS);
	pthread_mutex_unlock(&lock);
}

void log_writer_tick(void (*f)(void))
{
	pthread_mutex_lock(&lock);
	on_tick = f;
	pthread_mutex_unlock(&lock);
}

void log_writer_wake(void)
{
	pthread_mutex_lock(&lock);
	if (running && !wake)
		pthread_cond_signal(&work);
	wake = true;
	pthread_mutex_unlock(&lock);
}

static bool sink_open_file(struct log_sink *s, struct str path, struct buf *why)
{
	s->path = mem_copy(path);
	s->fd = open(s->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (s->fd < 0)
		buf_addf(why, "cannot write to \"%.*s\": %s", STR_FMT(path), strerror(errno));
	return s->fd >= 0;
}

struct log_sink *log_sink_open(struct str where, struct buf *why)
{
	struct log_sink *s = mem_alloc(sizeof *s);
	buf_init(&s->filling, SINK_BYTES);
	buf_init(&s->writing, SINK_BYTES);
	s->fd = str_eq(where, STR("stdout")) ? STDOUT_FILENO : -1;
	s->off = str_eq(where, STR("off"));
	if (!s->off && ((s->fd < 0 && !sink_open_file(s, where, why)) || !start_writer(why))) {
		free(s->path);
		free(s);
		return NULL;
	}
	pthread_mutex_lock(&lock);
	s->next = sinks;
	sinks = s;
	pthread_mutex_unlock(&lock);
	return s;
}

static bool listed(const struct log_sink *s)
{
	const struct log_sink *at = sinks;
	while (at && at != s)
		at = at->next;
	return at;
}

void log_sink_close(struct log_sink *s)
{
	if (!s)
		return;
	int64_t until = clock_us() + STOP_MS * MS_US;
	pthread_mutex_lock(&lock);
	s->closed = queued = hurry = true;
	if (running)
		pthread_cond_signal(&work);
	while (running && listed(s) && clock_us() < until)
		wait_for(&idle, STOP_MS);
	if (!running && listed(s)) {
		sink_unlink(s);
		sink_free(s);
	}
	pthread_mutex_unlock(&lock);
}

static void record(struct log_sink *s, struct str line, bool soon)
{
	pthread_mutex_lock(&lock);
	bool taken = running && !s->off && buf_add(&s->filling, line);
	bool signal = taken && (!queued || (!hurry && (soon || s->filling.n > SINK_HALF)));
	s->filling.failed = false;
	queued |= taken;
	hurry |= taken && (soon || s->filling.n > SINK_HALF);
	pthread_mutex_unlock(&lock);
	if (signal)
		pthread_cond_signal(&work);
	if (!taken && dropped)
		counter_add(dropped, 1);
}

void log_record(struct log_sink *s, struct str line)
{
	record(s, line, false);
}

void log_record_soon(struct log_sink *s, struct str line)
{
	record(s, line, true);
}

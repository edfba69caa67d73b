/*
 * log.c: the operator's log: lines made, thinned out, and given to the writer.
 *
 * On a terminal a line is for eyes, else it is a JSON object. A format string that is
 * used more than LINES_A_SECOND times a second falls silent for the rest of it; the
 * writer's tick says how much was left out.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_writer.h"

enum { MESSAGE_MAX = 1024, LINES_A_SECOND = 10, FORMATS = 128 };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static _Atomic int least_level = LOG_INFO;
static struct log_sink *_Atomic sink;
static bool terminal;

/* One format string's second. Two formats of one place share their luck: the newer takes over. */
struct allowance {
	const char *fmt;
	int64_t since_us;
	unsigned lines;
	enum log_level level;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct allowance allowances[FORMATS];

size_t log_time(char out[LOG_TIME_SIZE], int64_t wall_us)
{
	static _Thread_local int64_t second = -1;
	static _Thread_local char text[LOG_TIME_SIZE];
	int64_t s = wall_us / SECOND_US, us = wall_us % SECOND_US;
	if (s != second) {
		struct tm tm;
		time_t t = (time_t)s;
		gmtime_r(&t, &tm);
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		second = s;
	}
	memcpy(out, text, LOG_TIME_SIZE);
	for (int i = 25; i > 19; i--, us /= 10)
		out[i] = (char)('0' + us % 10);
	return LOG_TIME_SIZE - 1;
}

static struct str clock_of(const char time[LOG_TIME_SIZE])
{
	return str_of(time + 11, 12);	/* hours to milliseconds */
}

static void format_line(struct buf *b, enum log_level level, struct str message)
{
	char time[LOG_TIME_SIZE];
	log_time(time, clock_wall_us());
	if (terminal) {
		buf_addf(b, "%.*s %-5s ", STR_FMT(clock_of(time)), level_names[level]);
		for (size_t i = 0; i < message.n; i++)
			buf_addc(b, (unsigned char)message.p[i] < 0x20 || message.p[i] == 0x7f ? ' ' : message.p[i]);
	} else {
		buf_addf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", time, level_names[level]);
		buf_add_json(b, message);
		buf_addc(b, '}');
	}
	buf_addc(b, '\n');
}

static void write_plain(enum log_level level, struct str message)
{
	struct buf b = BUF_INIT(2 * MESSAGE_MAX);
	buf_addf(&b, "weir: %s: %.*s\n", level_names[level], STR_FMT(message));
	ssize_t n = write(STDERR_FILENO, b.p, b.n);
	(void)n;	/* nobody is left to tell */
	buf_free(&b);
}

static void send_message(enum log_level level, struct str text)
{
	struct buf clean = BUF_INIT(4 * MESSAGE_MAX), line = BUF_INIT(32 * MESSAGE_MAX);
	struct log_sink *s = sink;
	log_redact(&clean, text);
	if (s) {
		format_line(&line, level, buf_str(&clean));
		log_record_soon(s, buf_str(&line));
	} else {
		write_plain(level, buf_str(&clean));
	}
	buf_free(&line);
	buf_free(&clean);
}

static void tell_suppressed(const struct allowance *a)
{
	char text[MESSAGE_MAX];
	int n = snprintf(text, sizeof text, "suppressed %u more lines like: %s", a->lines - LINES_A_SECOND, a->fmt);
	send_message(a->level, str_of(text, n < MESSAGE_MAX ? (size_t)n : MESSAGE_MAX - 1));
}

/* False when this format has had its share of the second. */
static bool allow(const char *fmt, enum log_level level)
{
	struct allowance *a = &allowances[((uintptr_t)fmt * UINT64_C(0x9E3779B97F4A7C15)) >> 57], old = { .lines = 0 };
	int64_t now = clock_us();
	pthread_mutex_lock(&lock);
	if (a->fmt != fmt || now - a->since_us >= SECOND_US) {
		old = *a;
		*a = (struct allowance){ fmt, now, 0, level };
	}
	bool ok = ++a->lines <= LINES_A_SECOND, first = a->lines == LINES_A_SECOND + 1;
	pthread_mutex_unlock(&lock);
	if (old.lines > LINES_A_SECOND)
		tell_suppressed(&old);
	if (first)
		log_writer_wake();
	return ok;
}

/* On the writer's thread: says what was left out in seconds that are over. */
static void tell_all_suppressed(void)
{
	int64_t now = clock_us();
	bool waiting = false;
	for (size_t i = 0; i < FORMATS; i++) {
		struct allowance old = { .lines = 0 };
		pthread_mutex_lock(&lock);
		if (allowances[i].lines > LINES_A_SECOND && now - allowances[i].since_us >= SECOND_US) {
			old = allowances[i];
			allowances[i].lines = 0;
			allowances[i].since_us = now;
		}
		waiting |= allowances[i].lines > LINES_A_SECOND;
		pthread_mutex_unlock(&lock);
		if (old.lines)
			tell_suppressed(&old);
	}
	if (waiting)
		log_writer_wake();
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed) || !allow(fmt, level))
		return;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0)
		send_message(level, str_of(text, n < MESSAGE_MAX ? (size_t)n : MESSAGE_MAX - 1));
}

bool log_open(enum log_level least, struct buf *why)
{
	log_set_level(least);
	terminal = isatty(STDOUT_FILENO);
	sink = log_sink_open(STR("stdout"), why);
	log_writer_tick(tell_all_suppressed);
	return sink;
}

void log_close(void)
{
	struct log_sink *s = sink;
	sink = NULL;
	log_writer_tick(NULL);
	log_writer_stop();
	log_sink_close(s);
}

void log_set_level(enum log_level least)
{
	atomic_store_explicit(&least_level, (int)least, memory_order_relaxed);
}

bool log_level_parse(struct str s, enum log_level *out)
{
	for (size_t i = 0; i < array_len(level_names); i++)
		if (str_ieq(s, str_c(level_names[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

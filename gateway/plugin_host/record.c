/*
 * record.c: plugins by name, and the file of their crashes: a line for each, "SECONDS NAME HOOK".
 */
#include "plugin_host/record.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "plugin_host/hooks.h"
#include "plugin_host/plugin_host.h"
#include "plugin_host/run.h"

enum { FILE_MOST = 64 * 1024, HOUR_S = 3600, NAME_MOST = 1024 };

static struct plugin_record *records;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int file = -1;

static struct str kept(struct str s)
{
	return str_of(mem_copy(s), s.n);
}

static struct plugin_record *make(struct str name)
{
	struct plugin_record *r = mem_alloc(sizeof(*r));
	struct buf spelled = BUF_INIT(6 * NAME_MOST);
	buf_add_json(&spelled, name);
	r->name = kept(name);
	r->spelled = spelled.n > 2 ? kept(str_of(spelled.p + 1, spelled.n - 2)) : STR("?");
	buf_free(&spelled);
	r->counts = plugin_counts_new(r->name);
	r->next = records;
	return records = r;
}

struct plugin_record *plugin_record_of(struct str name)
{
	pthread_mutex_lock(&lock);
	struct plugin_record *r = records;
	while (r && !str_eq(r->name, name))
		r = r->next;
	if (!r)
		r = make(name);
	pthread_mutex_unlock(&lock);
	return r;
}

/* --- when weir dies --- */

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
static struct sigaction before[array_len(deadly)];

#define PIECE(s) { (char *)(uintptr_t)(s).p, (s).n }

static void write_pieces(int fd, const struct iovec *pieces, int n)
{
	if (fd >= 0 && writev(fd, pieces, n) < 0)
		return;		/* nobody is left to tell */
}

/* The seconds, and a space; at `end` of the room. */
static struct str seconds_now(char *end)
{
	struct timespec now;
	char *p = end;
	clock_gettime(CLOCK_REALTIME, &now);
	*--p = ' ';
	for (time_t s = now.tv_sec; s > 0; s /= 10)
		*--p = (char)('0' + s % 10);
	return str_of(p, (size_t)(end - p));
}

/* To whoever was there before: the fault happens again when this returns. By default it is the end, also of a signal that was sent. */
static void pass_on(int signal)
{
	for (size_t i = 0; i < array_len(deadly); i++)
		if (deadly[i] == signal) {
			sigaction(signal, &before[i], NULL);
			if (before[i].sa_handler == SIG_DFL)
				raise(signal);
		}
}

/* Nothing here but what a signal's handler may do. */
static void on_crash(int signal)
{
	char room[32];
	const char *in = "";
	int error = errno;
	const struct plugin_record *r = hook_now(&in);
	if (r) {
		struct str seconds = seconds_now(room + sizeof(room)), hook = str_of(in, strlen(in));
		struct str begin = STR("{\"level\":\"error\",\"message\":\"weir ends: plugin "), of = STR(" crashed or hung in "), end = STR("()\"}\n");
		struct str space = STR(" "), newline = STR("\n");
		write_pieces(file, (struct iovec[]){ PIECE(seconds), PIECE(r->spelled), PIECE(space), PIECE(hook), PIECE(newline) }, 5);
		write_pieces(STDERR_FILENO, (struct iovec[]){ PIECE(begin), PIECE(r->spelled), PIECE(of), PIECE(hook), PIECE(end) }, 5);
	}
	pass_on(signal);
	errno = error;
}

static void watch_for_crashes(void)
{
	struct sigaction a = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };
	sigemptyset(&a.sa_mask);
	for (size_t i = 0; i < array_len(deadly); i++)
		sigaction(deadly[i], &a, &before[i]);
}

/* --- when it starts again --- */

static struct plugin_record *spelled_so(struct str spelled)
{
	struct plugin_record *r = records;
	while (r && !str_eq(r->spelled, spelled))
		r = r->next;
	return r;
}

/* True: it counts. */
static bool read_line(struct str line, uint64_t now)
{
	struct str when;
	uint64_t s = 0;
	ptrdiff_t hook = str_rchr(line, ' ');
	if (hook < 0 || !str_split(&line, ' ', &when) || !str_u64(when, &s) || s > now || now - s > HOUR_S)
		return false;
	struct plugin_record *r = spelled_so(str_head(line, (size_t)hook - when.n - 1));
	if (r)
		r->crashes++;
	return true;
}

static void read_crashes(int fd)
{
	char text[FILE_MOST];
	struct stat st;
	uint64_t now = (uint64_t)time(NULL);
	bool any = false;
	off_t from = fstat(fd, &st) == 0 && st.st_size > FILE_MOST ? st.st_size - FILE_MOST : 0;
	ssize_t n = pread(fd, text, sizeof(text), from);
	struct str rest = str_of(text, n > 0 ? (size_t)n : 0), line;
	while (str_split(&rest, '\n', &line))
		any |= read_line(line, now);
	if (!any && ftruncate(fd, 0) < 0)
		log_warn("cannot shorten the file of plugins' crashes: %s", strerror(errno));
}

static void judge(struct plugin_record *r)
{
	bool off = r->crashes >= CRASHES_MOST;
	atomic_store(&r->off, off);
	show_off(r->name, off);
	if (off)
		log_error("plugin %.*s is switched off: it ended weir %u times within the last hour; a reload (SIGHUP) gives it another chance",
			  STR_FMT(r->name), r->crashes);
	else if (r->crashes)
		log_warn("plugin %.*s ended weir %u times within the last hour; after %d it is switched off", STR_FMT(r->name), r->crashes,
			 CRASHES_MOST);
}

void plugin_crashes_open(struct str path)
{
	watch_for_crashes();
	file = str_empty(path) ? -1 : open(path.p, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 && !str_empty(path))
		log_warn("cannot open %.*s: %s; crashes of plugins are not counted", STR_FMT(path), strerror(errno));
	if (file < 0)
		return;
	read_crashes(file);
	pthread_mutex_lock(&lock);
	for (struct plugin_record *r = records; r; r = r->next)
		judge(r);
	pthread_mutex_unlock(&lock);
}

void plugin_crashes_forgive(void)
{
	if (file >= 0 && ftruncate(file, 0) < 0)
		log_warn("cannot shorten the file of plugins' crashes: %s", strerror(errno));
	pthread_mutex_lock(&lock);
	for (struct plugin_record *r = records; r; r = r->next) {
		if (atomic_exchange(&r->off, false))
			log_warn("plugin %.*s is switched on again", STR_FMT(r->name));
		r->crashes = 0;
		show_off(r->name, false);
	}
	pthread_mutex_unlock(&lock);
}

/*
 * edge_suite.h: a listener, a service behind it and callers before it, all on one thread:
 * a test says what a caller sends and pumps the loop until something is to be seen.
 * No test waits for time to pass, but for an outcome; PATIENCE_S ends a broken one.
 *
 * The service serves by path: /hello, /head (no body allowed), /echo (the body's length), /park
 * (the test answers through f->now), /early (an answer before the body).
 */
#ifndef WEIR_TESTS_EDGE_SUITE_H
#define WEIR_TESTS_EDGE_SUITE_H

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/tls.h"
#include "edge/limits.h"
#include "edge/listener.h"

enum { PATIENCE_S = 20, GOT_MAX = 64 << 20 };

struct fixture;

/* A transaction of the service. */
struct served {
	struct txn t;
	struct fixture *f;
	struct body_reader reader;
	struct buf body;
	uint64_t body_bytes;
	bool body_complete, over, take_no_more, collect;
	char *direct;			/* where space() lets bodies be read to */
	size_t direct_size, direct_used;
};

struct fixture {
	struct loop loop;
	struct listen_settings settings;
	struct edge_service service;
	struct edge_socket socket;
	struct listener *listener;
	struct txn_ops ops;
	struct served *now;		/* the latest one still alive */
	char path[256];			/* of the latest request */
	char method[16];
	unsigned started, alive, hangups, drained, refusals, failures;
	int refused_status;
	enum error_kind failed_kind;
	bool use_space;
	uint64_t reader_max;
	size_t direct_reads;
	unsigned notes;
	char note[256];
};

/* --- the service --- */

static inline void answer(struct served *s, int status, struct str body, bool close)
{
	struct answer_head h = { .status = status, .content_type = STR("text/plain"), .length = (int64_t)body.n, .close = close };
	if (!s->t.client)
		return;
	assert_true(client_begin(s->t.client, &h));
	client_write(s->t.client, &body, 1);
	client_end(s->t.client);
}

static inline void served_over(struct served *s)
{
	if (s->over)
		return;
	s->over = true;
	s->t.client = NULL;
	s->t.generation++;
	loop_defer(&s->f->loop, &s->t.recycle);
}

static inline void served_recycle(struct loop_task *task)
{
	struct served *s = container_of(task, struct served, t.recycle);
	struct fixture *f = s->f;
	if (f->now == s)
		f->now = NULL;
	f->alive--;
	arena_clear(&s->t.arena);
	buf_free(&s->body);
	free(s->direct);
	free(s);
}

static inline struct str served_space(struct body_reader *r, size_t least)
{
	struct served *s = container_of(r, struct served, reader);
	if (s->direct_size - s->direct_used < least) {
		s->direct_size = s->direct_used + least;
		s->direct = realloc(s->direct, s->direct_size);
	}
	return str_of(s->direct + s->direct_used, s->direct_size - s->direct_used);
}

static inline bool served_take(struct body_reader *r, struct str bytes)
{
	struct served *s = container_of(r, struct served, reader);
	s->body_bytes += bytes.n;
	if (s->direct && bytes.p == s->direct + s->direct_used) {
		s->direct_used += bytes.n;
		s->f->direct_reads++;
	}
	if (s->body.n + bytes.n <= s->body.max)
		buf_add(&s->body, bytes);
	return !s->take_no_more;
}

static inline void served_end(struct body_reader *r)
{
	struct served *s = container_of(r, struct served, reader);
	s->body_complete = true;
	if (!s->collect)
		return;
	char text[32];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)s->body_bytes);
	answer(s, 200, str_of(text, (size_t)n), false);
	served_over(s);
}

static inline void served_read_body(struct served *s)
{
	s->reader = (struct body_reader){ .take = served_take, .end = served_end, .max = s->f->reader_max,
					  .space = s->f->use_space ? served_space : NULL };
	client_read_body(s->t.client, &s->reader);
}

static inline struct served *served_of(struct txn *t)
{
	return container_of(t, struct served, t);
}

static inline void service_start(struct txn *t)
{
	struct served *s = served_of(t);
	struct fixture *f = s->f;
	f->started++;
	snprintf(f->path, sizeof(f->path), "%.*s", STR_FMT(t->req->path));
	snprintf(f->method, sizeof(f->method), "%.*s", STR_FMT(t->req->method_text));
	if (str_eq(t->req->path, STR("/echo"))) {
		s->collect = true;
		served_read_body(s);
	} else if (str_eq(t->req->path, STR("/upload"))) {
		served_read_body(s);	/* the test answers */
	} else if (str_eq(t->req->path, STR("/early"))) {
		answer(s, 401, STR("no"), false);
		served_over(s);
	} else if (!str_eq(t->req->path, STR("/park"))) {
		answer(s, 200, STR("hello"), false);
		served_over(s);
	}
}

static inline void service_refuse(struct txn *t, enum error_kind kind, const char *why)
{
	struct served *s = served_of(t);
	s->f->refusals++;
	s->f->failed_kind = kind;
	s->f->refused_status = t->error.status;
	answer(s, t->error.status, str_c(why), true);
	served_over(s);
}

static inline void service_hangup(struct txn *t)
{
	served_of(t)->f->hangups++;
	served_over(served_of(t));
}

static inline void service_drained(struct txn *t)
{
	served_of(t)->f->drained++;
}

static inline void service_body_failed(struct txn *t, enum error_kind kind, const char *why)
{
	struct served *s = served_of(t);
	s->f->failures++;
	s->f->failed_kind = kind;
	answer(s, error_row(kind)->status, str_c(why), true);
	served_over(s);
}

static inline void service_too_large(struct txn *t)
{
	service_body_failed(t, ERR_TOO_LARGE, "too large");
}

static inline struct txn *service_begin(void *owner, struct client *client)
{
	struct fixture *f = owner;
	struct served *s = calloc(1, sizeof(*s));
	s->f = f;
	f->now = s;
	f->alive++;
	arena_init(&s->t.arena);
	buf_init(&s->body, 1 << 20);
	list_init(&s->t.link);
	loop_task_init(&s->t.recycle, served_recycle);
	s->t.loop = &f->loop;
	s->t.ops = &f->ops;
	s->t.client = client;
	s->t.began_us = loop_now(&f->loop);
	return &s->t;
}

static inline const struct listen_settings *service_settings(void *owner)
{
	return &((struct fixture *)owner)->settings;
}

static inline void service_note(void *owner, const char *what, struct str peer)
{
	struct fixture *f = owner;
	f->notes++;
	snprintf(f->note, sizeof(f->note), "%.*s %s", STR_FMT(peer), what);
}

/* --- the fixture --- */

static inline struct fixture *fixture_at(struct str address)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct buf why = BUF_INIT(1000);
	const int64_t long_us = 60 * SECOND_US;
	signal(SIGPIPE, SIG_IGN);
	assert_true(loop_open(&f->loop));
	f->reader_max = 64 << 20;
	f->settings = (struct listen_settings){
		.max_body = 64 << 20, .max_body_memory = UINT64_C(1) << 40, .max_connections = 1000,
		.max_connections_per_address = 1000, .max_headers = 100, .max_head = 32768, .max_header = 16384,
		.max_line = 8192, .keep_alive_requests = 100000, .keep_alive_us = long_us, .header_us = long_us,
		.body_us = long_us, .write_stall_us = long_us, .handshake_us = long_us, .linger_us = SECOND_US,
		.body_min_rate = 100, .drain_us = long_us,
	};
	f->ops = (struct txn_ops){
		.start = service_start, .refuse = service_refuse, .hangup = service_hangup, .drained = service_drained,
		.body_too_large = service_too_large, .body_failed = service_body_failed,
	};
	f->service = (struct edge_service){ .loop = &f->loop, .owner = f, .begin = service_begin,
					    .settings = service_settings, .note = service_note };
	if (!edge_bind(&f->socket, address, EDGE_FIRST, &why))
		fail_msg("%.*s", STR_FMT(buf_str(&why)));
	f->listener = listener_open(&f->service, &f->socket);
	return f;
}

static inline struct fixture *fixture_open(void)
{
	return fixture_at(STR("127.0.0.1:0"));
}

static inline void pump(struct fixture *f)
{
	event_base_loop(f->loop.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	loop_run_deferred(&f->loop);
}

/* Whatever can still be seen has been seen. */
static inline void settle(struct fixture *f)
{
	for (int i = 0; i < 20; i++)
		pump(f);
}

#define until(f, condition) \
	do { \
		int64_t until_end = clock_us() + PATIENCE_S * SECOND_US; \
		while (!(condition)) { \
			if (clock_us() > until_end) \
				fail_msg("never came: %s", #condition); \
			pump(f); \
		} \
	} while (0)

static inline void fixture_close(struct fixture *f)
{
	listener_close(f->listener);
	settle(f);
	assert_int_equal(f->alive, 0);
	assert_int_equal(limits_connections(), 0);
	close(f->socket.fd);
	loop_close(&f->loop);
	free(f);
}

/* --- callers --- */

struct peer {
	struct io io;
	struct buf got;
	bool closed, reset;
};

static inline struct peer *peer_of(int fd)
{
	struct peer *p = calloc(1, sizeof(*p));
	assert_true(fd >= 0);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	buf_init(&p->got, GOT_MAX);
	io_plain(&p->io, fd);
	return p;
}

static inline struct peer *dial_small(struct fixture *f, int receive_buffer)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(edge_port(&f->socket)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (receive_buffer)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return peer_of(fd);
}

static inline struct peer *dial(struct fixture *f)
{
	return dial_small(f, 0);
}

static inline void hang_up(struct peer *p)
{
	io_close(&p->io);
	buf_free(&p->got);
	free(p);
}

static inline void reset(struct peer *p)
{
	io_reset_on_close(&p->io);
	hang_up(p);
}

/* One look at the socket; true while it is open. */
static inline bool hear_once(struct peer *p)
{
	static char bytes[65536];
	ssize_t n;
	while (!p->closed && (n = io_read(&p->io, bytes, sizeof(bytes))) != IO_WANT_READ) {
		if (n > 0) {
			assert_true(buf_add(&p->got, str_of(bytes, (size_t)n)));
			continue;
		}
		p->closed = true;
		p->reset = n == IO_BROKEN;
	}
	return !p->closed;
}

static inline void say(struct fixture *f, struct peer *p, struct str bytes)
{
	while (bytes.n) {
		struct iovec v = { (void *)(uintptr_t)bytes.p, bytes.n };
		ssize_t n = io_writev(&p->io, &v, 1);
		if (n == IO_BROKEN)
			return;
		bytes = str_skip(bytes, n > 0 ? (size_t)n : 0);
		pump(f);
	}
}

static inline void say_c(struct fixture *f, struct peer *p, const char *text)
{
	say(f, p, str_c(text));
}

static inline size_t times(struct str in, struct str needle)
{
	size_t n = 0;
	for (ptrdiff_t at; (at = str_find(in, needle)) >= 0; n++)
		in = str_skip(in, (size_t)at + needle.n);
	return n;
}

#define got_times(p, text) (hear_once(p), times(buf_str(&(p)->got), STR(text)))
#define hear(f, p, text) until(f, got_times(p, text) > 0)
#define hear_close(f, p) until(f, !hear_once(p))
#define assert_got(p, text) assert_true(got_times(p, text) > 0)
#define assert_not_got(p, text) assert_true(got_times(p, text) == 0)

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(path, headers) "POST " path " HTTP/1.1\r\nHost: x\r\n" headers "\r\n"
#define OK_HELLO "content-length: 5\r\n"

#endif

/*
 * scripted_provider.h: a provider of raw sockets on a thread of its own, which does
 * exactly what one test's script says. For tests of transports; blocking, with a timeout
 * on each socket so that a broken test ends.
 */
#ifndef WEIR_TESTS_SCRIPTED_PROVIDER_H
#define WEIR_TESTS_SCRIPTED_PROVIDER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/tls.h"

enum { PROVIDER_TIMEOUT_S = 10, REQUEST_MAX = 64 * 1024 };

struct provider_thread {
	int fd;
	uint16_t port;
	pthread_t thread;
	void (*script)(struct provider_thread *);
	struct tls_context *tls;
	const char *text;		/* for scripts that share a body */
	size_t cut;
	/* Seen by the script, read by the test after provider_join(). */
	char request[REQUEST_MAX];	/* the last one, NUL behind */
	size_t request_size;
	unsigned connections, requests;
	size_t body_bytes;
	bool saw_close;
};

static inline void provider_limit(int fd)
{
	struct timeval t = { .tv_sec = PROVIDER_TIMEOUT_S };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static inline void *provider_main(void *arg)
{
	struct provider_thread *p = arg;
	p->script(p);
	return NULL;
}

static inline void provider_listen(struct provider_thread *p)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p->fd, (struct sockaddr *)&in, n) != 0 || listen(p->fd, 16) != 0)
		abort();
	getsockname(p->fd, (struct sockaddr *)&in, &n);
	p->port = ntohs(in.sin_port);
	provider_limit(p->fd);
}

static inline void provider_listen_unix(struct provider_thread *p, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p->fd, (struct sockaddr *)&un, sizeof(un)) != 0 || listen(p->fd, 16) != 0)
		abort();
	provider_limit(p->fd);
}

static inline void provider_run(struct provider_thread *p, void (*script)(struct provider_thread *))
{
	p->script = script;
	if (pthread_create(&p->thread, NULL, provider_main, p) != 0)
		abort();
}

static inline void provider_join(struct provider_thread *p)
{
	pthread_join(p->thread, NULL);
	close(p->fd);
	p->fd = -1;
}

/* --- for scripts --- */

static inline struct io provider_accept(struct provider_thread *p)
{
	struct io io;
	int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		provider_limit(fd);
		io_tune_tcp(fd);
	}
	io_plain(&io, fd);
	p->connections++;
	if (fd >= 0 && p->tls && (!tls_accept(&io, p->tls) || io_handshake(&io) != IO_OK))
		io_close(&io);
	return io;
}

static inline bool say(struct io *io, struct str s)
{
	while (s.n && io->fd >= 0) {
		struct iovec v = { (char *)(uintptr_t)s.p, s.n };
		ssize_t n = io_writev(io, &v, 1);
		if (n <= 0)
			return false;
		s = str_skip(s, (size_t)n);
	}
	return io->fd >= 0;
}

static inline size_t announced_length(const char *head)
{
	const char *at = strcasestr(head, "content-length:");
	return at ? (size_t)strtoull(at + 15, NULL, 10) : 0;
}

/* Reads the head, and as much of the body as came with it. False when the connection ended first. */
static inline bool hear_head(struct provider_thread *p, struct io *io)
{
	size_t n = 0;
	while (io->fd >= 0 && n < sizeof(p->request) - 1) {
		ssize_t got = io_read(io, p->request + n, sizeof(p->request) - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		p->request[n] = '\0';
		p->request_size = n;
		char *end = strstr(p->request, "\r\n\r\n");
		if (end) {
			p->requests++;
			p->body_bytes = n - (size_t)(end + 4 - p->request);
			return true;
		}
	}
	return false;
}

/* The head, and the whole body by its length; of a long body only the beginning is kept. */
static inline bool hear(struct provider_thread *p, struct io *io)
{
	if (!hear_head(p, io))
		return false;
	size_t whole = announced_length(p->request);
	while (p->body_bytes < whole) {
		char some[16384];
		size_t room = sizeof(p->request) - 1 - p->request_size;
		ssize_t got = io_read(io, some, sizeof(some));
		if (got <= 0)
			return false;
		size_t keep = (size_t)got < room ? (size_t)got : room;
		memcpy(p->request + p->request_size, some, keep);
		p->request_size += keep;
		p->request[p->request_size] = '\0';
		p->body_bytes += (size_t)got;
	}
	return true;
}

/* Waits until the other side has closed. */
static inline void hear_close(struct provider_thread *p, struct io *io)
{
	char some[16384];
	ssize_t n;
	do
		n = io->fd >= 0 ? io_read(io, some, sizeof(some)) : IO_END;
	while (n > 0);
	p->saw_close = n == IO_END || n == IO_BROKEN;
}

static inline void hang_up(struct io *io)
{
	io_close(io);
}

static inline void reset(struct io *io)
{
	io_reset_on_close(io);
	io_close(io);
}

#endif

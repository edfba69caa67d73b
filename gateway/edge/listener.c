/*
 * listener.c: accepting callers, within limits.
 *
 * Without descriptors accepting pauses and a spare one is spent to turn the caller away, so
 * the loop never spins on a socket it cannot serve. At the limit the longest idle connection
 * makes room for a new caller.
 */
#include "edge/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "edge/connection.h"
#include "edge/limits.h"
#include "edge/listener_list.h"

enum { ACCEPTS_A_TURN = 64, BACKLOG = 4096 };
static const int64_t PAUSE_US = 50 * 1000, PAUSE_MAX_US = 1000 * 1000;

static const char too_many[] =
	"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 125\r\nretry-after: 1\r\n"
	"connection: close\r\n\r\n"
	"{\"error\":{\"message\":\"This gateway has as many connections as it takes.\",\"type\":\"api_error\",\"param\":null,"
	"\"code\":\"overloaded\"}}";

struct listener {
	struct edge_service *service;
	struct watch watch;
	struct timer pause;
	struct list idle, busy;
	unsigned connections;
	int fd, spare;
	int64_t pause_us;		/* the next pause's length; doubles while descriptors are lacking */
	bool unix_path, draining;
};

/* --- binding --- */

static bool bind_failed(int fd, struct str address, struct buf *why)
{
	buf_addf(why, "cannot listen on %.*s: %s%s", STR_FMT(address), strerror(errno),
		 errno == EADDRINUSE ? "; another program has it (is weir running already?)" : "");
	if (fd >= 0)
		close(fd);
	return false;
}

/* Left over from a process that was killed: nobody listens. */
static bool is_dead(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool dead = fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 && errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return dead;
}

static bool bind_unix(struct edge_socket *s, struct str path, struct buf *why)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;
	if (path.n == 0 || path.n >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return bind_failed(-1, path, why);
	}
	memcpy(sa.sun_path, path.p, path.n);
	if (lstat(sa.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && is_dead(&sa))
		unlink(sa.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, BACKLOG) < 0)
		return bind_failed(fd, path, why);
	s->fd = fd;
	s->unix_path = true;
	return true;
}

static bool split_address(struct str address, char *host, size_t host_size, char *port, size_t port_size)
{
	ptrdiff_t colon = str_rchr(address, ':');
	if (colon < 0)
		return false;
	struct str h = str_head(address, (size_t)colon), p = str_skip(address, (size_t)colon + 1);
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = str_of(h.p + 1, h.n - 2);
	if (h.n >= host_size || p.n == 0 || p.n >= port_size)
		return false;
	snprintf(host, host_size, "%.*s", STR_FMT(h));
	snprintf(port, port_size, "%.*s", STR_FMT(p));
	return true;
}

static int open_socket(const struct addrinfo *a)
{
	int one = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

/* Sharing would be granted by another weir of the same user, too, and callers would get the one or the other. */
static bool is_free(const struct addrinfo *a)
{
	int fd = open_socket(a);
	bool good = fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) == 0 || errno != EADDRINUSE;
	if (fd >= 0)
		close(fd);
	if (!good)
		errno = EADDRINUSE;
	return good;
}

static bool listen_on(struct edge_socket *s, const struct addrinfo *a, enum edge_share share)
{
	int one = 1;
	if (share == EDGE_FIRST && !is_free(a))
		return false;
	s->fd = open_socket(a);
	if (s->fd < 0)
		return false;
	if (share != EDGE_ALONE)
		setsockopt(s->fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(s->fd, a->ai_addr, a->ai_addrlen) == 0 && listen(s->fd, BACKLOG) == 0)
		return true;
	int error = errno;
	close(s->fd);
	s->fd = -1;
	errno = error;
	return false;
}

bool edge_bind(struct edge_socket *s, struct str address, enum edge_share share, struct buf *why)
{
	char host[256], port[16];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found;
	*s = (struct edge_socket){ .fd = -1, .address = address };
	if (str_starts(address, STR("unix:")))
		return bind_unix(s, str_skip(address, 5), why);
	if (!split_address(address, host, sizeof(host), port, sizeof(port))) {
		buf_addf(why, "%.*s is no address; write host:port, [v6]:port or unix:/path", STR_FMT(address));
		return false;
	}
	int e = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
	if (e) {
		buf_addf(why, "cannot listen on %.*s: %s", STR_FMT(address), gai_strerror(e));
		return false;
	}
	bool good = false;
	for (const struct addrinfo *a = found; a && !good; a = a->ai_next)
		good = listen_on(s, a, share);
	int error = errno;
	freeaddrinfo(found);
	errno = error;
	return good || bind_failed(s->fd, address, why);
}

uint16_t edge_port(const struct edge_socket *s)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	if (s->unix_path || getsockname(s->fd, (struct sockaddr *)&sa, &n) < 0)
		return 0;
	return ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&sa)->sin6_port :
		     ((struct sockaddr_in *)(void *)&sa)->sin_port);
}

/* --- the list of connections --- */

struct edge_service *listener_service(struct listener *l)
{
	return l->service;
}

bool listener_draining(const struct listener *l)
{
	return l->draining;
}

void listener_add(struct listener *l, struct caller *c)
{
	l->connections++;
	list_append(&l->busy, &c->link);
}

void listener_remove(struct listener *l, struct caller *c)
{
	l->connections--;
	list_remove(&c->link);
}

void listener_set_idle(struct listener *l, struct caller *c, bool is_idle)
{
	list_remove(&c->link);
	list_append(is_idle ? &l->idle : &l->busy, &c->link);
}

unsigned listener_connections(const struct listener *l)
{
	return l->connections;
}

/* --- accepting --- */

static void turn_away(struct listener *l, int fd)
{
	if (!l->service->settings(l->service->owner)->tls) {
		ssize_t n = send(fd, too_many, sizeof(too_many) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)n;
	}
	shutdown(fd, SHUT_WR);
	/* Closed with a request unread, the socket would send a reset, and the answer be lost. */
	ssize_t n = recv(fd, l->service->loop->scratch, LOOP_SCRATCH, MSG_DONTWAIT);
	(void)n;
	close(fd);
}

static struct str peer_text(const struct sockaddr_storage *sa, char *to, size_t size)
{
	const void *a = sa->ss_family == AF_INET6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr :
			(const void *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	if (sa->ss_family != AF_INET && sa->ss_family != AF_INET6)
		return STR("unix");
	return inet_ntop(sa->ss_family, a, to, (socklen_t)size) ? str_c(to) : STR("?");
}

static bool admit(struct listener *l, uint32_t peer_hash)
{
	const struct listen_settings *s = l->service->settings(l->service->owner);
	if (limits_connection(peer_hash, s->max_connections, s->max_connections_per_address))
		return true;
	if (list_empty(&l->idle) || limits_connections() < s->max_connections)
		return false;
	caller_close(list_entry(l->idle.next, struct caller, link));
	return limits_connection(peer_hash, s->max_connections, s->max_connections_per_address);
}

static void welcome(struct listener *l, int fd, const struct sockaddr_storage *sa)
{
	char text[INET6_ADDRSTRLEN];
	struct str peer = peer_text(sa, text, sizeof(text));
	uint32_t hash = l->unix_path ? 0 : (uint32_t)str_hash(peer) | 1;
	if (!admit(l, hash)) {
		turn_away(l, fd);
		return;
	}
	if (!l->unix_path)
		io_tune_tcp(fd);
	caller_open(l, fd, peer, hash);
}

static void out_of_descriptors(struct listener *l)
{
	log_warn("no descriptors left: accepting pauses (raise LimitNOFILE or ulimit -n)");
	if (l->spare >= 0) {
		close(l->spare);
		int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			turn_away(l, fd);
		l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	watch_read(&l->watch, false);
	timer_in(&l->pause, l->pause_us);
	l->pause_us = l->pause_us * 2 < PAUSE_MAX_US ? l->pause_us * 2 : PAUSE_MAX_US;
}

static void on_pause_over(struct timer *t)
{
	struct listener *l = container_of(t, struct listener, pause);
	if (l->spare < 0)
		l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (!l->draining && l->fd >= 0)
		watch_read(&l->watch, true);
}

static void on_acceptable(struct watch *w, bool readable, bool writable)
{
	struct listener *l = container_of(w, struct listener, watch);
	(void)readable, (void)writable;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage sa;
		socklen_t n = sizeof(sa);
		int fd = accept4(l->fd, (struct sockaddr *)&sa, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			l->pause_us = PAUSE_US;
			welcome(l, fd, &sa);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			out_of_descriptors(l);
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

struct listener *listener_open(struct edge_service *service, const struct edge_socket *socket)
{
	struct listener *l = mem_alloc(sizeof(*l));
	l->service = service;
	l->fd = socket->fd;
	l->pause_us = PAUSE_US;
	l->unix_path = socket->unix_path;
	l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	list_init(&l->idle);
	list_init(&l->busy);
	watch_open(&l->watch, service->loop, l->fd, on_acceptable);
	timer_open(&l->pause, service->loop, on_pause_over);
	watch_read(&l->watch, true);
	return l;
}

/* Stops accepting at once; connections go on. */
static void stop_accepting(struct listener *l)
{
	watch_read(&l->watch, false);
	timer_stop(&l->pause);
}

void listener_drain(struct listener *l)
{
	if (!l->draining) {
		l->draining = true;
		stop_accepting(l);
		if (!l->unix_path)
			shutdown(l->fd, SHUT_RDWR);	/* what waits in the queue is refused now, not at the end */
	}
	list_each(link, &l->idle)
		caller_drain(list_entry(link, struct caller, link));
	list_each(other, &l->busy)
		caller_drain(list_entry(other, struct caller, link));
}

void listener_close(struct listener *l)
{
	stop_accepting(l);
	while (!list_empty(&l->idle))
		caller_close(list_entry(l->idle.next, struct caller, link));
	while (!list_empty(&l->busy))
		caller_close(list_entry(l->busy.next, struct caller, link));
	timer_close(&l->pause);
	if (l->spare >= 0)
		close(l->spare);
	free(l);
}

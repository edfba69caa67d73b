/*
 * peer.h: a non-blocking socket, plain or TLS, for the bench's own ends. Header only: two small programs use it.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct peer {
	int fd;
	SSL *ssl;	/* NULL: plain */
};

/* Result of a read or write that has to wait. 0 from a read is the end, -1 a failure. */
enum { PEER_AGAIN = -2 };

static inline int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static inline struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static inline long peer_result(struct peer *p, int n)
{
	int why = SSL_get_error(p->ssl, n);

	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return PEER_AGAIN;
	return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static inline long peer_read(struct peer *p, void *to, size_t size)
{
	if (p->ssl) {
		int n = SSL_read(p->ssl, to, (int)size);
		return n > 0 ? n : peer_result(p, n);
	}
	ssize_t n = recv(p->fd, to, size, 0);
	return n >= 0 ? n : errno == EAGAIN ? PEER_AGAIN : -1;
}

static inline long peer_write(struct peer *p, const void *from, size_t size)
{
	if (p->ssl) {
		int n = SSL_write(p->ssl, from, (int)size);
		return n > 0 ? n : peer_result(p, n);
	}
	ssize_t n = send(p->fd, from, size, MSG_NOSIGNAL);
	return n >= 0 ? n : errno == EAGAIN ? PEER_AGAIN : -1;
}

static inline void peer_nodelay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

static inline void peer_tls(struct peer *p, SSL_CTX *context, bool server)
{
	p->ssl = NULL;
	if (!context)
		return;
	p->ssl = SSL_new(context);
	SSL_set_mode(p->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_set_fd(p->ssl, p->fd);
	if (server)
		SSL_set_accept_state(p->ssl);
	else
		SSL_set_connect_state(p->ssl);
}

static inline void peer_close(struct peer *p)
{
	if (p->fd < 0)
		return;
	SSL_free(p->ssl);
	close(p->fd);
	*p = (struct peer){ .fd = -1 };
}

static inline void watch(int epoll, int fd, uint32_t events, void *data, bool add)
{
	struct epoll_event e = { .events = events, .data.ptr = data };

	if (epoll_ctl(epoll, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e) < 0)
		die("epoll_ctl: %m");
}

#endif

/*
 * io.c: plain sockets behind the io contract.
 */
#include "base/io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io_error.h"

enum { KEEP_IDLE_S = 30, KEEP_EVERY_S = 10, KEEP_COUNT = 5, USER_TIMEOUT_MS = 80000 };

static _Thread_local char error_text[256];

const char *io_error(void)
{
	return error_text;
}

void io_set_error(const char *text)
{
	snprintf(error_text, sizeof(error_text), "%s", text);
}

static enum io_result classify(int error, enum io_result again)
{
	if (error == EAGAIN || error == EWOULDBLOCK)
		return again;
	char text[128];
	io_set_error(strerror_r(error, text, sizeof(text)));
	return IO_BROKEN;
}

static enum io_result plain_handshake(struct io *io)
{
	(void)io;
	return IO_OK;
}

static ssize_t plain_read(struct io *io, void *to, size_t n)
{
	for (;;) {
		ssize_t got = recv(io->fd, to, n, 0);
		if (got > 0)
			return got;
		if (got == 0)
			return IO_END;
		if (errno != EINTR)
			return classify(errno, IO_WANT_READ);
	}
}

static ssize_t plain_writev(struct io *io, const struct iovec *iov, int count)
{
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)count };
	for (;;) {
		/* A single piece, as a stream's events are, spares the kernel the reading of a header. */
		ssize_t sent = count == 1 ? send(io->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL) :
			       sendmsg(io->fd, &m, MSG_NOSIGNAL);
		if (sent >= 0)
			return sent ? sent : IO_WANT_WRITE;
		if (errno != EINTR)
			return classify(errno, IO_WANT_WRITE);
	}
}

static size_t plain_pending(struct io *io)
{
	(void)io;
	return 0;
}

static void plain_shutdown(struct io *io)
{
	shutdown(io->fd, SHUT_WR);
}

static void plain_close(struct io *io)
{
	close(io->fd);
	io->fd = -1;
}

static const struct io_ops plain_ops = {
	.handshake = plain_handshake, .read = plain_read, .writev = plain_writev, .pending = plain_pending,
	.shutdown = plain_shutdown, .close = plain_close,
};

void io_plain(struct io *io, int fd)
{
	*io = (struct io){ .fd = fd, .ops = &plain_ops };
}

void io_reset_on_close(struct io *io)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	io->reset = true;
	if (io->fd >= 0)
		setsockopt(io->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

void io_tune_tcp(int fd)
{
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT);
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
}

/*
 * io.h: bytes in and out of one connected socket, plain or TLS.
 *
 * Both kinds never block. A TLS handshake is driven by io_handshake() until it is
 * done. Pending decrypted bytes are the caller's trap with TLS: after a read that
 * filled its space, ask io_pending() and read again, no readiness will be signalled.
 * An io is owned by one connection, which closes it exactly once.
 */
#ifndef WEIR_BASE_IO_H
#define WEIR_BASE_IO_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/str.h"

enum io_result {
	IO_OK = 0,
	IO_WANT_READ = -1,	/* try again when the socket is readable */
	IO_WANT_WRITE = -2,	/* try again when it is writable */
	IO_END = -3,		/* orderly end of the peer's side (FIN; with TLS: close_notify) */
	IO_BROKEN = -4		/* reset, truncated TLS, protocol error; see io_error() */
};

struct io;

struct io_ops {
	enum io_result (*handshake)(struct io *);
	ssize_t (*read)(struct io *, void *to, size_t n);	/* > 0 bytes, else an io_result; never 0 */
	ssize_t (*writev)(struct io *, const struct iovec *iov, int count);	/* > 0 (maybe partial), else an io_result */
	size_t (*pending)(struct io *);
	void (*shutdown)(struct io *);				/* half-close of our side, best effort */
	void (*close)(struct io *);
};

struct io {
	int fd;
	const struct io_ops *ops;
	void *tls;		/* the TLS kind's state; NULL for plain */
	bool reset;		/* io_close() sends a reset */
};

/* Takes over the descriptor (non-blocking already). */
void io_plain(struct io *io, int fd);

static inline enum io_result io_handshake(struct io *io) { return io->ops->handshake(io); }
static inline ssize_t io_read(struct io *io, void *to, size_t n) { return io->ops->read(io, to, n); }
static inline ssize_t io_writev(struct io *io, const struct iovec *v, int n) { return io->ops->writev(io, v, n); }
static inline size_t io_pending(struct io *io) { return io->ops->pending(io); }
static inline void io_shutdown(struct io *io) { io->ops->shutdown(io); }
static inline void io_close(struct io *io) { if (io->fd >= 0) io->ops->close(io); }	/* fd = -1 afterwards */

/* Why the last call on this thread said IO_BROKEN: one line, no secrets. Valid until the next call. */
const char *io_error(void);

/* Makes io_close() send a reset instead of an orderly end: how a broken answer is shown to the peer. */
void io_reset_on_close(struct io *io);

/* Socket options every connection gets: TCP_NODELAY, keepalive and TCP_USER_TIMEOUT (dead peers end within 90 s). */
void io_tune_tcp(int fd);

#endif

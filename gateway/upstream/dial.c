/*
 * dial.c: resolving, connecting and the TLS handshake as one small machine.
 */
#include "upstream/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/resolver.h"
#include "base/tls.h"

enum dial_phase { RESOLVING, CONNECTING, SHAKING };

struct dial {
	struct loop *loop;
	const struct origin *origin;
	void (*done)(void *owner, const struct dial_result *r);
	void *owner;
	struct loop_task failed;
	struct timer timer;
	struct watch watch;
	struct io io;
	int64_t deadline_us;
	enum dial_phase phase;
	bool cancelled;			/* only its resolver's call is still to come */
	enum transport_failure failure;
	char why[192];
	unsigned next;			/* address to try next */
	struct address_set set;
};

static void try_next(struct dial *d);

static void dial_drop_io(struct dial *d)
{
	if (d->io.fd < 0)
		return;
	watch_close(&d->watch);
	io_close(&d->io);
}

static void dial_free(struct dial *d)
{
	timer_close(&d->timer);
	loop_task_cancel(&d->failed);
	free(d);
}

static void run_failed(struct loop_task *t)
{
	struct dial *d = container_of(t, struct dial, failed);
	struct dial_result r = { .failure = d->failure, .why = d->why };
	timer_close(&d->timer);
	d->done(d->owner, &r);
	dial_free(d);
}

/* A forbidden address is only the reason when nothing better is known. */
static void note_failure(struct dial *d, enum transport_failure f, const char *why)
{
	if (f == TRANSPORT_FORBIDDEN && d->why[0] && d->failure != TRANSPORT_FORBIDDEN)
		return;
	d->failure = f;
	snprintf(d->why, sizeof(d->why), "%s", why);
}

/* With the reason noted last. */
static void dial_fail(struct dial *d)
{
	dial_drop_io(d);
	timer_stop(&d->timer);
	loop_defer(d->loop, &d->failed);
}

static void dial_succeed(struct dial *d)
{
	struct dial_result r = { .ok = true, .io = d->io };
	void (*done)(void *, const struct dial_result *) = d->done;
	void *owner = d->owner;
	watch_close(&d->watch);
	dial_free(d);
	done(owner, &r);
}

static void shake(struct dial *d)
{
	enum io_result r = io_handshake(&d->io);
	if (r == IO_OK) {
		dial_succeed(d);
	} else if (r == IO_WANT_READ || r == IO_WANT_WRITE) {
		watch_read(&d->watch, r == IO_WANT_READ);
		watch_write(&d->watch, r == IO_WANT_WRITE);
	} else {
		note_failure(d, TRANSPORT_TLS, r == IO_END ? "closed during the TLS handshake" : io_error());
		dial_fail(d);
	}
}

static void connected(struct dial *d)
{
	if (!d->origin->tls) {
		dial_succeed(d);
		return;
	}
	d->phase = SHAKING;
	timer_at(&d->timer, d->deadline_us);
	if (tls_connect(&d->io, d->origin->tls_context, d->origin->host)) {
		shake(d);
		return;
	}
	note_failure(d, TRANSPORT_TLS, io_error());
	dial_fail(d);
}

static void fail_errno(struct dial *d, int error)
{
	char text[128];
	note_failure(d, TRANSPORT_CONNECT, strerror_r(error, text, sizeof(text)));
}

static void on_ready(struct watch *w, bool readable, bool writable)
{
	struct dial *d = container_of(w, struct dial, watch);
	int error = 0;
	socklen_t n = sizeof(error);
	(void)readable, (void)writable;
	if (d->phase == SHAKING) {
		shake(d);
		return;
	}
	if (getsockopt(d->io.fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (error == 0) {
		connected(d);
		return;
	}
	fail_errno(d, error);
	dial_drop_io(d);
	try_next(d);
}

/* False: failed at once. Otherwise on_ready() follows. */
static bool dial_connect(struct dial *d, const struct sockaddr *sa, socklen_t length)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		fail_errno(d, errno);
		return false;
	}
	if (connect(fd, sa, length) != 0 && errno != EINPROGRESS) {
		fail_errno(d, errno);
		close(fd);
		return false;
	}
	if (sa->sa_family != AF_UNIX)
		io_tune_tcp(fd);
	io_plain(&d->io, fd);
	watch_open(&d->watch, d->loop, fd, on_ready);
	watch_write(&d->watch, true);
	return true;
}

static bool try_address(struct dial *d, const struct address *a)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->sa;
	if (!d->origin->allow_private && address_is_private(sa)) {
		note_failure(d, TRANSPORT_FORBIDDEN, "a private address, which this provider may not have");
		return false;
	}
	return dial_connect(d, sa, a->length);
}

static void try_next(struct dial *d)
{
	d->phase = CONNECTING;
	while (d->next < d->set.n) {
		int64_t left = d->deadline_us - loop_now(d->loop);
		unsigned tries = d->set.n - d->next;
		if (left <= 0)
			break;
		if (!try_address(d, &d->set.a[d->next++]))
			continue;
		timer_in(&d->timer, left / tries);
		return;
	}
	dial_fail(d);
}

static void connect_unix(struct dial *d)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct str path = d->origin->unix_path;
	d->phase = CONNECTING;
	if (path.n >= sizeof(un.sun_path)) {
		note_failure(d, TRANSPORT_CONNECT, "the socket's path is too long");
		dial_fail(d);
		return;
	}
	memcpy(un.sun_path, path.p, path.n);
	if (!dial_connect(d, (const struct sockaddr *)&un, sizeof(un)))
		dial_fail(d);
}

static void on_resolved(void *arg)
{
	struct dial *d = arg;
	if (d->cancelled) {
		dial_free(d);
	} else if (resolved_addresses(d->origin->resolved, &d->set)) {
		try_next(d);
	} else {
		note_failure(d, TRANSPORT_RESOLVE, "no address for the host name");
		dial_fail(d);
	}
}

/* The memory goes now, or when the resolver's call arrives that is on its way. */
static void leave_resolver(struct dial *d)
{
	d->cancelled = true;
	timer_stop(&d->timer);
	if (resolved_unwait(d->origin->resolved, d))
		dial_free(d);
}

static void on_deadline(struct timer *t)
{
	struct dial *d = container_of(t, struct dial, timer);
	if (d->phase == RESOLVING) {
		struct dial_result r = { .failure = TRANSPORT_RESOLVE, .why = "resolving took too long" };
		void (*done)(void *, const struct dial_result *) = d->done;
		void *owner = d->owner;
		leave_resolver(d);
		done(owner, &r);
		return;
	}
	note_failure(d, TRANSPORT_CONNECT, d->phase == SHAKING ? "the TLS handshake took too long" :
		     "connecting took too long");
	dial_drop_io(d);
	if (d->phase == SHAKING)
		dial_fail(d);
	else
		try_next(d);
}

static void dial_begin(struct dial *d)
{
	if (d->origin->unix_path.n) {
		connect_unix(d);
	} else if (resolved_addresses(d->origin->resolved, &d->set)) {
		try_next(d);
	} else {
		d->phase = RESOLVING;
		resolved_wait(d->origin->resolved, d->loop, on_resolved, d);
	}
}

struct dial *dial_start(struct loop *l, const struct origin *o, int64_t budget_us,
			void (*done)(void *owner, const struct dial_result *r), void *owner)
{
	struct dial *d = mem_alloc(sizeof(*d));
	d->loop = l;
	d->origin = o;
	d->done = done;
	d->owner = owner;
	d->io.fd = -1;
	d->deadline_us = loop_now(l) + budget_us;
	d->failure = TRANSPORT_CONNECT;
	loop_task_init(&d->failed, run_failed);
	timer_open(&d->timer, l, on_deadline);
	timer_at(&d->timer, d->deadline_us);
	dial_begin(d);
	return d;
}

void dial_cancel(struct dial *d)
{
	dial_drop_io(d);
	if (d->phase == RESOLVING && list_empty(&d->failed.link)) {
		leave_resolver(d);
		return;
	}
	dial_free(d);
}

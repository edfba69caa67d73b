/*
 * fake_redis.h: something on a Unix socket that takes Redis' commands and answers as it likes.
 *
 * PING is answered properly unless `no_pings` says otherwise, so that a connection comes up; scripts, if
 * `runs_scripts`, by "done" for each of their items; everything else gets `answer`, a flood of bytes behind it, and then the end if
 * `hang_up` says so. Blocking, on a thread of its own, one connection at a time.
 */
#ifndef WEIR_TESTS_FAKE_REDIS_H
#define WEIR_TESTS_FAKE_REDIS_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_behaviour {
	const char *answer;
	size_t n;
	size_t flood;		/* so many bytes behind it */
	bool hang_up, no_pings, runs_scripts;
};

struct fake_redis {
	int listener;
	pthread_t thread;
	char folder[64], path[100];
	_Atomic(const struct fake_behaviour *) behaviour;
	atomic_bool over;
	atomic_uint connections;
};

static inline bool fake_readable(struct fake_redis *f, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	while (!f->over)
		if (poll(&p, 1, 20) > 0)
			return true;
	return false;
}

static inline bool fake_write(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static inline bool fake_flood(struct fake_redis *f, int fd, size_t n)
{
	static const char zeros[65536];
	for (; n > 0 && !f->over; n -= n < sizeof(zeros) ? n : sizeof(zeros))
		if (!fake_write(fd, zeros, n < sizeof(zeros) ? n : sizeof(zeros)))
			return false;
	return true;
}

/* The end of the first whole command in `p`, or 0. */
static inline size_t fake_command(const char *p, size_t n)
{
	const char *at = memchr(p, '\n', n);
	int args = 0, size = 0;
	if (!at || sscanf(p, "*%d", &args) != 1)
		return 0;
	for (at++; args > 0; args--) {
		const char *line = memchr(at, '\n', n - (size_t)(at - p));
		if (!line || sscanf(at, "$%d", &size) != 1 || (size_t)(line + 1 - p) + (size_t)size + 2 > n)
			return 0;
		at = line + 1 + size + 2;
	}
	return (size_t)(at - p);
}

/* The lengths of a command's last five arguments, of which the first is a script's op, told by `op`. */
static inline void fake_arguments(const char *p, int lengths[5], char *op)
{
	const char *start[5] = { 0 }, *at = strchr(p, '\n') + 1;
	int args = atoi(p + 1);
	memset(lengths, 0, 5 * sizeof(*lengths));
	for (; args > 0; args--) {
		memmove(lengths, lengths + 1, 4 * sizeof(*lengths));
		memmove(start, start + 1, 4 * sizeof(*start));
		lengths[4] = atoi(at + 1);
		start[4] = strchr(at, '\n') + 1;
		at = start[4] + lengths[4] + 2;
	}
	*op = *start[0];
}

static inline bool fake_done(int fd, const char *command)
{
	char op, answer[8192] = { 0 };
	int length[5];
	fake_arguments(command, length, &op);
	int limits = length[2] / 32, numbers = op == 'S' || op == 'C' ? 2 * limits : limits, items = length[4] / (16 + 8 * numbers);
	bool full = op == 'R' || op == 'P';
	int size = 8 * (full ? 1 + limits + items * (3 + 2 * limits) : 1 + items);
	int head = sprintf(answer, "$%d\r\n", size);
	answer[head] = '\0';
	memcpy(answer + head + size, "\r\n", 2);
	return fake_write(fd, answer, (size_t)(head + size) + 2);
}

static inline bool fake_answer(struct fake_redis *f, int fd, const char *command, size_t n)
{
	const struct fake_behaviour *b = f->behaviour;
	if (memmem(command, n, "PING", 4) && !b->no_pings)
		return fake_write(fd, "+PONG\r\n", 7);
	if (memmem(command, n, "EVAL", 4) && b->runs_scripts)
		return fake_done(fd, command);
	return fake_write(fd, b->answer, b->n) && fake_flood(f, fd, b->flood) && !b->hang_up;
}

static inline void fake_serve(struct fake_redis *f, int fd)
{
	static char in[1 << 20];
	size_t have = 0, end;
	while (fake_readable(f, fd)) {
		ssize_t n = read(fd, in + have, sizeof(in) - 1 - have);
		if (n <= 0)
			return;
		have += (size_t)n;
		in[have] = '\0';
		while ((end = fake_command(in, have)) > 0) {
			if (!fake_answer(f, fd, in, end))
				return;
			have -= end;
			memmove(in, in + end, have);
		}
	}
}

static inline void *fake_main(void *arg)
{
	struct fake_redis *f = arg;
	while (fake_readable(f, f->listener)) {
		int fd = accept(f->listener, NULL, NULL);
		if (fd < 0)
			continue;
		f->connections++;
		fake_serve(f, fd);
		close(fd);
	}
	return NULL;
}

static inline void fake_redis_open(struct fake_redis *f, const struct fake_behaviour *b)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	memset(f, 0, sizeof(*f));
	f->behaviour = b;
	snprintf(f->folder, sizeof(f->folder), "/tmp/weir-fake-XXXXXX");
	if (!mkdtemp(f->folder))
		abort();
	snprintf(f->path, sizeof(f->path), "%s/socket", f->folder);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", f->path);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(f->listener, (struct sockaddr *)&un, sizeof(un)) != 0 || listen(f->listener, 16) != 0 ||
	    pthread_create(&f->thread, NULL, fake_main, f) != 0)
		abort();
}

static inline void fake_redis_close(struct fake_redis *f)
{
	f->over = true;
	pthread_join(f->thread, NULL);
	close(f->listener);
	unlink(f->path);
	rmdir(f->folder);
}

#endif

/*
 * probe.c: connections to loopback that are closed as soon as they stand.
 */
#include "config/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

static int start(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool stands(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

/* One wait; false when there is nothing left to wait for. */
static bool wait_once(struct pollfd *p, unsigned n, int64_t until_us, bool *open)
{
	int64_t left_us = until_us - clock_us();
	unsigned pending = 0;
	for (unsigned i = 0; i < n; i++)
		pending += p[i].fd >= 0;
	if (!pending || left_us <= 0 || poll(p, n, (int)(left_us / MS_US) + 1) <= 0)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (p[i].fd < 0 || !p[i].revents)
			continue;
		open[i] = stands(p[i].fd);
		close(p[i].fd);
		p[i].fd = -1;
	}
	return true;
}

void probe_local(const uint16_t *ports, unsigned n, int budget_ms, bool open[PROBE_MAX])
{
	struct pollfd p[PROBE_MAX];
	int64_t until_us = clock_us() + budget_ms * MS_US;
	if (n > PROBE_MAX)
		n = PROBE_MAX;
	for (unsigned i = 0; i < n; i++) {
		p[i] = (struct pollfd){ .fd = start(ports[i]), .events = POLLOUT };
		open[i] = false;
	}
	while (wait_once(p, n, until_us, open))
		continue;
	for (unsigned i = 0; i < n; i++)
		if (p[i].fd >= 0)
			close(p[i].fd);
}

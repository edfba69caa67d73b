/*
 * probe_test.c: who listens on loopback, and who does not.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "config/probe.h"

static int bound(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void only_who_accepts_is_open(void **state)
{
	(void)state;
	uint16_t ports[3];
	bool open[PROBE_MAX];
	int listening = bound(&ports[0]), silent = bound(&ports[1]), other = bound(&ports[2]);
	assert_int_equal(listen(listening, 4), 0);
	assert_int_equal(listen(other, 4), 0);
	probe_local(ports, 3, 5000, open);
	assert_true(open[0] && !open[1] && open[2]);
	probe_local(ports, 0, 5000, open);
	close(listening);
	close(silent);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_who_accepts_is_open) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * redis_server.h: a real redis-server in a temporary folder, on a Unix socket and a free port, ended by its id.
 */
#ifndef WEIR_TESTS_REDIS_SERVER_H
#define WEIR_TESTS_REDIS_SERVER_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct redis_server {
	pid_t pid;
	uint16_t port;
	char folder[64], path[100];
};

static inline uint16_t free_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&in, n) != 0 || getsockname(fd, (struct sockaddr *)&in, &n) != 0)
		abort();
	close(fd);
	return ntohs(in.sin_port);
}

static inline int redis_dial(const struct redis_server *s)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", s->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval t = { .tv_sec = 10 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One command, as a person types it; the first 4 KiB of the answer, NUL behind. */
static inline const char *redis_say(const struct redis_server *s, const char *command)
{
	static char answer[4096];
	int fd = redis_dial(s);
	if (fd < 0)
		return "";
	dprintf(fd, "%s\r\n", command);
	ssize_t n = read(fd, answer, sizeof(answer) - 1);
	answer[n < 0 ? 0 : n] = '\0';
	close(fd);
	return answer;
}

static inline void redis_exec(const char *const *argv)
{
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Starts it, and waits until it listens at its path. */
static inline void redis_run(struct redis_server *s, const char *const *argv)
{
	s->pid = fork();
	if (s->pid == 0)
		redis_exec(argv);
	for (int i = 0; i < 1000 && strncmp(redis_say(s, "PING"), "+PONG", 5) != 0; i++)
		usleep(10000);
	if (strncmp(redis_say(s, "PING"), "+PONG", 5) != 0) {
		fprintf(stderr, "redis_server: redis-server does not start\n");
		abort();
	}
}

static inline void redis_start(struct redis_server *s)
{
	char port[8];
	snprintf(port, sizeof(port), "%u", s->port);
	redis_run(s, (const char *[]){ "redis-server", "--port", port, "--bind", "127.0.0.1", "--unixsocket", s->path,
				       "--dir", s->folder, "--save", "", "--appendonly", "no", NULL });
}

static inline void redis_kill(struct redis_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	unlink(s->path);
}

static inline void redis_server_open(struct redis_server *s)
{
	snprintf(s->folder, sizeof(s->folder), "/tmp/weir-redis-XXXXXX");
	if (!mkdtemp(s->folder))
		abort();
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	s->port = free_port();
	redis_start(s);
}

/* The folder, with what Redis itself may have left in it. */
static inline void redis_folder_drop(const struct redis_server *s)
{
	static const char *const left[] = { "dump.rdb", "nodes.conf", "sentinel.conf" };
	char path[128];
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->folder, left[i]);
		unlink(path);
	}
	rmdir(s->folder);
}

static inline void redis_server_close(struct redis_server *s)
{
	redis_kill(s);
	redis_folder_drop(s);
}

#endif

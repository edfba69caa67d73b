/*
 * load: the caller of the bench. One thread; closed loop over N connections to a port of 127.0.0.1.
 *
 * usage: load PORT BODY_FILE CONNECTIONS SECONDS plain|other|fresh|stream|idle [tls]
 *
 * plain asks again when an answer is whole, on the same connection; other does so with another number in each request; fresh opens a new one for each request.
 * stream counts events and their delay (see mock.c); idle opens the streams, says so and holds them until its
 * standard input ends. Prints "ready" when warm, and at the end one line of JSON.
 */
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "peer.h"

enum { IN_SIZE = 1 << 18, HEAD_MAX = 16384, SAMPLES_MAX = 1 << 21, NUMBER = 12 };
enum mode { MODE_PLAIN, MODE_OTHER, MODE_FRESH, MODE_STREAM, MODE_IDLE };

struct connection {
	struct peer peer;
	size_t sent;
	char head[HEAD_MAX];
	size_t head_length;
	int64_t body_left;	/* -1: head not complete */
	int64_t asked_ns;
	bool counted;		/* idle: its first event came */
};

static struct load {
	int epoll, port;
	enum mode mode;
	char *request;
	size_t request_length;
	char *number;		/* in the request, as digits; NULL: none */
	SSL_CTX *tls;
	bool measuring;
	int64_t done, errors, begun;
	uint32_t *samples;	/* microseconds */
	size_t n_samples;
	size_t opened;		/* idle */
} load;

static void sample(int64_t ns)
{
	if (load.measuring && load.n_samples < SAMPLES_MAX)
		load.samples[load.n_samples++] = (uint32_t)(ns / 1000);
}

static void connection_open(struct connection *c)
{
	struct sockaddr_in address = loopback(load.port);

	c->peer.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	peer_nodelay(c->peer.fd);
	if (connect(c->peer.fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
		die("load: connect: %m");
	peer_tls(&c->peer, load.tls, false);
	c->sent = c->head_length = 0;
	c->body_left = -1;
	c->asked_ns = now_ns();
	watch(load.epoll, c->peer.fd, EPOLLIN | EPOLLOUT, c, true);
}

static void connection_again(struct connection *c)
{
	peer_close(&c->peer);
	connection_open(c);
}

static void failed(struct connection *c)
{
	load.errors++;
	if (load.errors > 1000)
		die("load: too many errors");
	connection_again(c);
}

/* Requests are sent in one write, so that the next one's number may stand in the same bytes. */
static void number_next(void)
{
	char *digit = load.number + NUMBER - 1;

	while (digit > load.number && *digit == '9')
		*digit-- = '0';
	(*digit)++;
}

/* Writes what is left of the request; false when the connection failed. */
static bool request_send(struct connection *c)
{
	size_t before = c->sent;

	if (load.number && before == 0)
		number_next();
	while (c->sent < load.request_length) {
		long n = peer_write(&c->peer, load.request + c->sent, load.request_length - c->sent);
		if (n == PEER_AGAIN) {
			if (before == 0)
				watch(load.epoll, c->peer.fd, EPOLLIN | EPOLLOUT, c, false);
			return true;
		}
		if (n <= 0)
			return false;
		c->sent += (size_t)n;
	}
	return true;
}

static void request_next(struct connection *c)
{
	load.done++;
	sample(now_ns() - c->asked_ns);
	if (load.mode == MODE_FRESH) {
		connection_again(c);
		return;
	}
	c->sent = c->head_length = 0;
	c->body_left = -1;
	c->asked_ns = now_ns();
	if (!request_send(c))
		failed(c);
}

/* Status 200 and the length, -1 for no length; -2 for anything else. */
static int64_t head_read(const char *head, size_t length)
{
	static const char name[] = "\r\ncontent-length:";

	if (length < 12 || memcmp(head + 9, "200", 3) != 0)
		return -2;
	for (size_t i = 0; i + sizeof name < length; i++)
		if (head[i] == '\r' && strncasecmp(head + i, name, sizeof name - 1) == 0)
			return strtoll(head + i + sizeof name - 1, NULL, 10);
	return -1;
}

static void events_count(struct connection *c, const char *in, size_t n)
{
	int64_t now = now_ns();

	for (const char *at = in, *end = in + n; (at = memmem(at, (size_t)(end - at), "T=", 2)) != NULL; at += 2) {
		if (end - at < 21)
			break;
		if (load.measuring)
			load.done++;
		sample(now - strtoll(at + 2, NULL, 10));
		if (load.mode == MODE_IDLE && !c->counted) {
			c->counted = true;
			load.opened++;
		}
	}
}

/* False when the connection is over or was replaced. */
static bool answer_feed(struct connection *c, const char *in, size_t n)
{
	if (c->body_left < 0) {
		size_t take = n < HEAD_MAX - c->head_length ? n : HEAD_MAX - c->head_length;
		memcpy(c->head + c->head_length, in, take);
		char *end = memmem(c->head, c->head_length + take, "\r\n\r\n", 4);
		if (!end) {
			c->head_length += take;
			return true;
		}
		size_t head = (size_t)(end - c->head) + 4, used = head - c->head_length;
		int64_t length = head_read(c->head, head);
		if (length == -2) {
			fprintf(stderr, "load: %.*s\n", (int)head, c->head);
			failed(c);
			return false;
		}
		in += used, n -= used;
		c->body_left = length < 0 ? INT64_MAX : length;
	}
	if (load.mode >= MODE_STREAM) {
		events_count(c, in, n);
		return true;
	}
	c->body_left -= (int64_t)n;
	if (c->body_left > 0)
		return true;
	request_next(c);
	return false;
}

static void connection_ready(struct connection *c, uint32_t events)
{
	static char in[IN_SIZE];
	int fd = c->peer.fd;

	if (c->sent < load.request_length) {
		if (!request_send(c)) {
			failed(c);
			return;
		}
		if (c->sent == load.request_length && (events & EPOLLOUT))
			watch(load.epoll, fd, EPOLLIN, c, false);
	}
	for (;;) {
		long n = peer_read(&c->peer, in, sizeof in);
		if (n == PEER_AGAIN)
			return;
		if (n <= 0) {
			failed(c);
			return;
		}
		if (!answer_feed(c, in, (size_t)n) || (!c->peer.ssl && n < (long)sizeof in))
			return;
	}
}

static void turn(int wait_ms)
{
	struct epoll_event ready[512];
	int n = epoll_wait(load.epoll, ready, 512, wait_ms);

	for (int i = 0; i < n; i++)
		connection_ready(ready[i].data.ptr, ready[i].events);
}

static void run_until(int64_t end_ns)
{
	while (now_ns() < end_ns)
		turn(10);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(int64_t ns)
{
	qsort(load.samples, load.n_samples, sizeof *load.samples, compare);
	size_t n = load.n_samples;
	printf("{\"done\":%lld,\"errors\":%lld,\"seconds\":%.3f,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u}\n",
		(long long)load.done, (long long)load.errors, (double)ns / 1e9, n ? load.samples[n / 2] : 0,
		n ? load.samples[n * 99 / 100] : 0, n ? load.samples[n - 1] : 0);
	fflush(stdout);
}

static void request_make(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat s;

	if (fd < 0 || fstat(fd, &s) < 0)
		die("load: %s: %m", file);
	const char *begin = load.mode == MODE_OTHER ? "{\"user\":\"100000000000\"," : "{";
	long long length = s.st_size + (long long)strlen(begin) - 1;
	load.request = malloc((size_t)length + 512);
	int n = snprintf(load.request, 512, "POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\n%s"
		"Authorization: Bearer sk-weir-bench-0123456789abcdef\r\nContent-Type: application/json\r\n"
		"User-Agent: OpenAI/Python 2.8.0\r\nAccept: application/json\r\nContent-Length: %lld\r\n\r\n%s",
		load.mode == MODE_FRESH ? "Connection: close\r\n" : "", length, begin);
	if (pread(fd, load.request + n, (size_t)s.st_size - 1, 1) != s.st_size - 1)	/* behind its brace */
		die("load: %s: %m", file);
	load.number = load.mode == MODE_OTHER ? load.request + n - NUMBER - 2 : NULL;
	load.request_length = (size_t)n + (size_t)s.st_size - 1;
	close(fd);
}

/* Opens the streams a few at a time, so that no listen queue overflows. */
static void idle_hold(struct connection *all, size_t n)
{
	char end;

	for (size_t i = 0; i < n; i++) {
		connection_open(&all[i]);
		for (int64_t until = now_ns() + 30000000000; load.opened + 64 < i + 1 && now_ns() < until;)
			turn(10);
	}
	for (int64_t until = now_ns() + 30000000000; load.opened < n && now_ns() < until;)
		turn(10);
	printf("ready\n");
	fflush(stdout);
	while (read(0, &end, 1) > 0)
		;
	load.done = (int64_t)load.opened;
	report(1);
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "plain", "other", "fresh", "stream", "idle" };

	if (argc < 6)
		die("usage: load PORT BODY_FILE CONNECTIONS SECONDS plain|other|fresh|stream|idle [tls]");
	for (unsigned i = 0; i < 5; i++)
		if (strcmp(argv[5], modes[i]) == 0)
			load.mode = i;
	size_t n = strtoul(argv[3], NULL, 10);
	struct connection *all = calloc(n, sizeof *all);
	load.port = (int)strtol(argv[1], NULL, 10);
	load.tls = argc > 6 ? SSL_CTX_new(TLS_client_method()) : NULL;
	load.samples = malloc(SAMPLES_MAX * sizeof *load.samples);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	request_make(argv[2]);
	if (load.mode == MODE_IDLE) {
		idle_hold(all, n);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		connection_open(&all[i]);
	run_until(now_ns() + (load.mode == MODE_STREAM ? 700000000 : 300000000));
	load.done = 0;
	load.measuring = true;
	printf("ready\n");
	fflush(stdout);
	int64_t began = now_ns();
	run_until(began + (int64_t)(strtod(argv[4], NULL) * 1e9));
	report(now_ns() - began);
	return 0;
}

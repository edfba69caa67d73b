/*
 * mock: the provider of the bench. One thread; answers every request on a port of 127.0.0.1.
 *
 * usage: mock PORT plain|stream|idle [INTERVAL_MS] [CERTIFICATE KEY]
 *        mock PORT plain|stream:anthropic|gemini [INTERVAL_MS]
 *
 * plain answers a chat completion of about 700 bytes, or what says the same in another vendor's format. stream sends an event each INTERVAL_MS until the
 * caller leaves, streams spread evenly over the interval; each carries the nanosecond at which it was sent
 * as "T=...", so that the load program knows its delay. idle sends one event and then stays silent.
 */
#include <string.h>
#include <strings.h>
#include <sys/timerfd.h>

#include "peer.h"

enum { READ_SIZE = 1 << 20, HEAD_MAX = 8192, TICK_MS = 1 };

struct caller {
	struct peer peer;
	char head[HEAD_MAX];
	size_t head_length;
	size_t body_left;	/* of the request being read */
	bool streaming;
	unsigned phase;		/* the tick of the interval at which it is served */
	size_t index;		/* among the streaming ones */
	const char *out;	/* what of the plain answer could not be written yet */
	size_t out_left;
};

static struct mock {
	int epoll;
	bool stream, idle;
	const struct format *format;
	unsigned interval, tick;
	SSL_CTX *tls;
	struct caller **streams;
	size_t n_streams, room;
	unsigned next_phase;
	char plain[2048];
	size_t plain_length;
} mock;

static const char stream_head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

#define TEXT "The lock was opened at dawn, and by noon the meadow below the weir stood a hand deep in water. Nobody had asked" \
	" the miller, who had seen three such springs and kept his sacks upstairs ever since.\\n\\nIn short: open" \
	" it slowly, measure twice, and tell the people downstream first."

/* A vendor's answer, the first events of its stream, and the event of a delta with the nanosecond in it. */
static const struct format {
	const char *name, *answer, *opening, *delta;
} formats[] = {
	{ "chat",
	  "{\"id\":\"chatcmpl-9vX2kq0bT\",\"object\":\"chat.completion\",\"created\":1760000000,"
	  "\"model\":\"bench\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" TEXT "\","
	  "\"refusal\":null},\"logprobs\":null,"
	  "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":182,\"completion_tokens\":61,\"total_tokens\":243,"
	  "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0}},\"system_fingerprint\":\"fp_1\"}",
	  "",
	  "data: {\"id\":\"chatcmpl-9vX2kq0bT\",\"object\":\"chat.completion.chunk\","
	  "\"created\":1760000000,\"model\":\"bench\",\"system_fingerprint\":\"fp_1\",\"choices\":[{\"index\":0,\"delta\":"
	  "{\"content\":\" T=%019lld\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n" },
	{ "anthropic",
	  "{\"model\":\"claude-sonnet-4-5-20250929\",\"id\":\"msg_01PFjXXFVzzYKG2gXZqDCVVP\",\"type\":\"message\",\"role\":\"assistant\","
	  "\"content\":[{\"type\":\"text\",\"text\":\"" TEXT "\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":"
	  "{\"input_tokens\":182,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":61,"
	  "\"service_tier\":\"standard\"}}",
	  "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"claude-sonnet-4-5-20250929\",\"id\":"
	  "\"msg_01PFjXXFVzzYKG2gXZqDCVVP\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"stop_reason\":null,"
	  "\"stop_sequence\":null,\"usage\":{\"input_tokens\":182,\"output_tokens\":1}}}\n\n"
	  "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
	  "\"text\":\"\"}}\n\n",
	  "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
	  "\"text\":\" T=%019lld\"}}\n\n" },
	{ "gemini",
	  "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" TEXT "\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"index\":0}],"
	  "\"usageMetadata\":{\"promptTokenCount\":182,\"candidatesTokenCount\":61,\"totalTokenCount\":243},"
	  "\"modelVersion\":\"gemini-2.5-flash\",\"responseId\":\"Yf3xaM6LAdOAz7IP\"}",
	  "",
	  "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\" T=%019lld\"}],\"role\":\"model\"},\"index\":0}],"
	  "\"usageMetadata\":{\"promptTokenCount\":182,\"totalTokenCount\":182},"
	  "\"modelVersion\":\"gemini-2.5-flash\",\"responseId\":\"Yf3xaM6LAdOAz7IP\"}\n\n" },
};

static void format_choose(const char *mode)
{
	const char *name = strchr(mode, ':');
	mock.format = formats;
	for (size_t i = 0; name && i < sizeof formats / sizeof *formats; i++)
		if (strcmp(name + 1, formats[i].name) == 0)
			mock.format = &formats[i];
	mock.plain_length = (size_t)snprintf(mock.plain, sizeof mock.plain,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(mock.format->answer), mock.format->answer);
}

static void caller_free(struct caller *c)
{
	if (c->streaming) {
		mock.streams[c->index] = mock.streams[--mock.n_streams];
		mock.streams[c->index]->index = c->index;
	}
	peer_close(&c->peer);
	free(c);
}

/* What a full socket does not take is dropped whole or the stream ends: the bench never gets there. */
static bool chunk_send(struct caller *c, const char *event, int n)
{
	char chunk[1200];
	int m = snprintf(chunk, sizeof chunk, "%x\r\n%.*s\r\n", (unsigned)n, n, event);
	long wrote = peer_write(&c->peer, chunk, (size_t)m);

	return wrote == m || wrote == PEER_AGAIN;
}

static bool event_send(struct caller *c)
{
	char event[400];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int n = snprintf(event, sizeof event, mock.format->delta, (long long)now_ns());
#pragma GCC diagnostic pop
	return chunk_send(c, event, n);
}

static bool opening_send(struct caller *c)
{
	int n = (int)strlen(mock.format->opening);
	return n == 0 || chunk_send(c, mock.format->opening, n);
}

static bool stream_begin(struct caller *c)
{
	if (peer_write(&c->peer, stream_head, sizeof stream_head - 1) != (long)sizeof stream_head - 1 ||
	    !opening_send(c) || !event_send(c))
		return false;
	if (mock.n_streams == mock.room) {
		mock.room = mock.room ? 2 * mock.room : 1024;
		mock.streams = realloc(mock.streams, mock.room * sizeof *mock.streams);
	}
	c->streaming = true;
	c->phase = mock.next_phase++ % mock.interval;
	c->index = mock.n_streams;
	mock.streams[mock.n_streams++] = c;
	return true;
}

static bool out_flush(struct caller *c)
{
	while (c->out_left > 0) {
		long n = peer_write(&c->peer, c->out, c->out_left);
		if (n == PEER_AGAIN) {
			watch(mock.epoll, c->peer.fd, EPOLLIN | EPOLLOUT, c, false);
			return true;
		}
		if (n < 0)
			return false;
		c->out += n;
		c->out_left -= (size_t)n;
	}
	return true;
}

static bool request_done(struct caller *c)
{
	c->head_length = 0;
	if (mock.stream)
		return stream_begin(c);
	c->out = mock.plain;
	c->out_left = mock.plain_length;
	return out_flush(c);
}

static size_t content_length(const char *head, size_t length)
{
	static const char name[] = "\r\ncontent-length:";

	for (size_t i = 0; i + sizeof name < length; i++)
		if (head[i] == '\r' && strncasecmp(head + i, name, sizeof name - 1) == 0)
			return strtoul(head + i + sizeof name - 1, NULL, 10);
	return 0;
}

/* Takes bytes of requests; false when the caller is to be dropped. */
static bool caller_feed(struct caller *c, const char *in, size_t n)
{
	while (n > 0) {
		if (c->body_left > 0) {
			size_t take = n < c->body_left ? n : c->body_left;
			in += take, n -= take, c->body_left -= take;
			if (c->body_left == 0 && !request_done(c))
				return false;
			continue;
		}
		size_t take = n < HEAD_MAX - c->head_length ? n : HEAD_MAX - c->head_length;
		memcpy(c->head + c->head_length, in, take);
		char *end = memmem(c->head, c->head_length + take, "\r\n\r\n", 4);
		if (!end) {
			c->head_length += take;
			return take == n;
		}
		size_t head = (size_t)(end - c->head) + 4, used = head - c->head_length;
		in += used, n -= used;
		c->body_left = content_length(c->head, head);
		if (c->body_left == 0 && !request_done(c))
			return false;
	}
	return true;
}

static void caller_ready(struct caller *c)
{
	static char in[READ_SIZE];

	if (c->out_left > 0) {
		if (!out_flush(c)) {
			caller_free(c);
			return;
		}
		if (c->out_left == 0)
			watch(mock.epoll, c->peer.fd, EPOLLIN, c, false);
	}
	for (;;) {
		long n = peer_read(&c->peer, in, sizeof in);
		if (n == PEER_AGAIN)
			return;
		if (n <= 0 || !caller_feed(c, in, (size_t)n)) {
			caller_free(c);
			return;
		}
		if (!c->peer.ssl && n < (long)sizeof in)
			return;
	}
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct caller *c = calloc(1, sizeof *c);

		peer_nodelay(fd);
		c->peer.fd = fd;
		peer_tls(&c->peer, mock.tls, true);
		watch(mock.epoll, fd, EPOLLIN, c, true);
	}
}

static void tick(int timer)
{
	uint64_t ticks;

	if (read(timer, &ticks, sizeof ticks) != sizeof ticks || mock.idle)
		return;
	for (; ticks > 0; ticks--) {
		mock.tick = (mock.tick + 1) % mock.interval;
		for (size_t i = mock.n_streams; i-- > 0;)
			if (mock.streams[i]->phase == mock.tick && !event_send(mock.streams[i]))
				caller_free(mock.streams[i]);
	}
}

static SSL_CTX *tls_make(const char *certificate, const char *key)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		die("mock: cannot use %s and %s", certificate, key);
	return context;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("usage: mock PORT plain|stream|idle [INTERVAL_MS] [CERTIFICATE KEY]");
	struct sockaddr_in address = loopback((int)strtol(argv[1], NULL, 10));
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	mock.idle = strcmp(argv[2], "idle") == 0;
	mock.stream = mock.idle || strncmp(argv[2], "stream", 6) == 0;
	mock.interval = argc > 3 && argv[3][0] != '0' ? (unsigned)strtoul(argv[3], NULL, 10) : 20;
	mock.tls = argc > 5 ? tls_make(argv[4], argv[5]) : NULL;
	format_choose(argv[2]);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0)
		die("mock: cannot listen on %s: %m", argv[1]);
	mock.epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(mock.epoll, listener, EPOLLIN, &listener, true);
	if (mock.stream && !mock.idle) {
		struct itimerspec each = { .it_interval.tv_nsec = TICK_MS * 1000000, .it_value.tv_nsec = TICK_MS * 1000000 };
		timerfd_settime(timer, 0, &each, NULL);
		watch(mock.epoll, timer, EPOLLIN, &timer, true);
	}
	for (;;) {
		struct epoll_event ready[256];
		int n = epoll_wait(mock.epoll, ready, 256, -1);

		for (int i = 0; i < n; i++) {
			if (ready[i].data.ptr == &listener)
				accept_all(listener);
			else if (ready[i].data.ptr != &timer)
				caller_ready(ready[i].data.ptr);
		}
		for (int i = 0; i < n; i++)	/* last: it may free callers that were ready too */
			if (ready[i].data.ptr == &timer)
				tick(timer);
	}
}

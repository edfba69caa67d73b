/*
 * dialects_bench.c: what translating costs, dialect by dialect, without a gateway around.
 *
 * usage: dialects_bench REQUEST [PART]     REQUEST: a file with a chat completions request. PART: only rows whose name holds it.
 *
 * A line of JSON for each pair of a caller's dialect and a provider's, and each thing that is translated: the request, the
 * plain answer, an event of a stream (seen, checked and translated as the gateway does). Every dialect with a callers' side
 * writes its own bytes out of the same conversation; for the others they stand below. `ns` is the median of a call on the
 * core; `cycles`, where the machine counts them, likewise.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/chat_format.h"
#include "core/dialect.h"
#include "upstream/frames.h"

enum { ROUNDS = 31, CALLS = 500, TEXT_MAX = 1 << 20 };

#define SAID "The lock was opened at dawn, and by noon the meadow below the weir stood a hand deep in water. Nobody had asked the miller, " \
	"who had seen three such springs and kept his sacks upstairs ever since.\\n\\nIn short: open it slowly, measure twice, and tell the " \
	"people downstream first."

static const char bedrock_answer[] = "{\"metrics\":{\"latencyMs\":712},\"output\":{\"message\":{\"content\":[{\"text\":\"" SAID "\"}],\"role\":\"assistant\"}},"
	"\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":182,\"outputTokens\":61,\"totalTokens\":243}}";
static const char bedrock_event[] = "{\"contentBlockIndex\":0,\"delta\":{\"text\":\" and tell\"},\"p\":\"abcdefghijklmnopqrstu\"}";
static const char cohere_answer[] = "{\"id\":\"c14c80c3-18eb-4519-9460-6c92edd8cfb4\",\"finish_reason\":\"COMPLETE\",\"message\":{\"role\":\"assistant\",\"content\":"
	"[{\"type\":\"text\",\"text\":\"" SAID "\"}]},\"usage\":{\"billed_units\":{\"input_tokens\":170,\"output_tokens\":61},\"tokens\":{\"input_tokens\":182,"
	"\"output_tokens\":61}}}";
static const char cohere_event[] = "{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\" and tell\"}}}}";

/* What a dialect says, as its provider would. */
struct said {
	char answer[8192], event[4096];
	size_t answer_n, event_n;
	struct sse_event parsed;
};

struct pair {
	const struct dialect *caller, *provider;
	struct str request;
	struct said said;
	struct buf out;
	struct chat_writer *writer;
	struct chat_reader *reader;
};

static const struct chat_frame frame = { .request_id = STR_INIT("req_0123456789abcdef"), .model = STR_INIT("bench"), .created_s = 1760000000 };
static const struct chat_target target = { .model = STR_INIT("bench-large-2") };

static void give_up(const char *what, const char *name)
{
	fprintf(stderr, "dialects_bench: %s: %s\n", name, what);
	exit(1);
}

/* --- streams --- */

static void open_stream(struct pair *p)
{
	const struct chat_format *caller = p->caller->chat, *provider = p->provider->chat;
	p->writer = calloc(1, *caller->writer_size);
	*p->writer = (struct chat_writer){ .in = { caller->write_event }, .out = &p->out, .frame = frame };
	p->reader = calloc(1, *provider->reader_size);
	*p->reader = (struct chat_reader){ .out = &p->writer->in, .request_id = frame.request_id };
}

static void close_stream(struct pair *p)
{
	if (p->provider->chat->reader_free)
		p->provider->chat->reader_free(p->reader);
	if (p->caller->chat->writer_free)
		p->caller->chat->writer_free(p->writer);
	free(p->reader);
	free(p->writer);
}

/* --- what is translated --- */


static bool translate_request(struct pair *p)
{
	struct arena a = ARENA_INIT;
	struct chat c = { .arena = &a, .parallel = -1, .schema_strict = -1 };
	struct chat_fault fault = { .field = STR_NONE };
	struct chat_loss loss = { .policy = UNSUPPORTED_DROP, .arena = &a };
	buf_clear(&p->out);
	bool good = p->caller->chat->read_request(p->request, &c, &fault) && p->provider->chat->write_request(&c, &target, &p->out, &loss);
	arena_clear(&a);
	return good && !p->out.failed;
}

static bool translate_answer(struct pair *p)
{
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	struct usage u = { 0 };
	struct str body = str_of(p->said.answer, p->said.answer_n);
	chat_gather_init(&g, &a, TEXT_MAX);
	struct chat_reader r = { .out = &g.in, .request_id = frame.request_id };
	buf_clear(&p->out);
	p->provider->read_usage(body, 0, &u);
	const struct chat_answer *answer = p->provider->chat->read_answer(body, &r) ? chat_gather_end(&g) : NULL;
	if (answer)
		p->caller->chat->write_answer(answer, &frame, &p->out);
	arena_clear(&a);
	return answer && u.known && !p->out.failed;
}

static bool translate_event(struct pair *p)
{
	const struct sse_event *ev = &p->said.parsed;
	struct event_view v = { .want_content = false };
	buf_clear(&p->out);
	p->provider->read_event(ev->name, ev->data, 0, &v);
	bool whole = frames_whole(ev);
	p->provider->chat->read_event(p->reader, ev->name, ev->data);
	return whole && v.content && p->out.n;
}

/* --- what a provider says --- */

static void copy(char *to, size_t room, size_t *n, struct str s)
{
	if (s.n > room)
		give_up("is longer than there is room", "an answer");
	memcpy(to, s.p, s.n);
	*n = s.n;
}

static void write_answer(const struct dialect *d, struct said *s)
{
	struct chat_piece piece = { .kind = PIECE_TEXT, .text = STR(SAID) };
	struct chat_choice choice = { .pieces = &piece, .finish = FINISH_STOP, .finished = true };
	struct chat_answer a = { .id = STR("answer-1"), .model = STR("bench-large-2"), .choices = &choice,
				 .usage = { .known = true, .input = 182, .output = 61, .total = 243 } };
	struct buf b = BUF_INIT(TEXT_MAX);
	d->chat->write_answer(&a, &frame, &b);
	copy(s->answer, sizeof(s->answer), &s->answer_n, buf_str(&b));
	buf_free(&b);
}

/* The event of a piece in the middle. */
static void write_event(const struct dialect *d, struct said *s)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	struct pair p = { .caller = d, .provider = d };
	struct chat_event e = { .kind = CHAT_BEGIN, .call = -1, .id = STR("answer-1"), .model = STR("bench-large-2"), .text = STR(" and tell") };
	open_stream(&p);
	p.writer->out = &b;
	chat_give(&p.writer->in, &e);
	e.kind = CHAT_TEXT;
	chat_give(&p.writer->in, &e);
	buf_clear(&b);
	chat_give(&p.writer->in, &e);
	copy(s->event, sizeof(s->event), &s->event_n, buf_str(&b));
	close_stream(&p);
	buf_free(&b);
}

static void read_event(struct said *s)
{
	struct sse sse;
	struct str in = str_of(s->event, s->event_n);
	sse_init(&sse);
	if (sse_feed(&sse, &in, &s->parsed) != SSE_EVENT)
		give_up("no event", "a stream");
	sse_free(&sse);
}

static void make_provider(const struct dialect *d, struct said *s)
{
	bool bedrock = strcmp(d->name, "bedrock") == 0;
	if (d->chat->write_answer) {
		write_answer(d, s);
		write_event(d, s);
		read_event(s);
		return;
	}
	copy(s->answer, sizeof(s->answer), &s->answer_n, str_c(bedrock ? bedrock_answer : cohere_answer));
	copy(s->event, sizeof(s->event), &s->event_n, str_c(bedrock ? bedrock_event : cohere_event));
	s->parsed = (struct sse_event){ .name = bedrock ? STR("contentBlockDelta") : STR_NONE, .data = str_of(s->event, s->event_n) };
}

/* --- measuring --- */

static int counter = -1;

static void open_counter(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_HARDWARE, .size = sizeof(a), .config = PERF_COUNT_HW_CPU_CYCLES, .exclude_kernel = 1 };
	counter = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

static double core_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cycles(void)
{
	uint64_t n;
	return counter >= 0 && read(counter, &n, sizeof(n)) == sizeof(n) ? (double)n : 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *of)
{
	qsort(of, ROUNDS, sizeof(*of), by_value);
	return of[ROUNDS / 2];
}

static void measure(struct pair *p, const char *what, bool (*call)(struct pair *), size_t bytes, const char *only)
{
	char name[96];
	double ns[ROUNDS], count[ROUNDS];
	snprintf(name, sizeof(name), "%s to %s, %s", p->caller->name, p->provider->name, what);
	if (only && !strstr(name, only))
		return;
	for (int i = 0; i < ROUNDS; i++) {
		double from = core_ns(), at = cycles();
		for (int k = 0; k < CALLS; k++)
			if (!call(p))
				give_up("is not translated", name);
		count[i] = (cycles() - at) / CALLS;
		ns[i] = (core_ns() - from) / CALLS;
	}
	printf("{\"row\": \"%s\", \"bytes\": %zu, \"ns\": %.0f", name, bytes, median(ns));
	if (counter >= 0)
		printf(", \"cycles\": %.0f", median(count));
	puts("}");
}

/* The request in the caller's words. */
static struct str request_of(struct arena *a, const struct dialect *caller, struct str request)
{
	struct pair p = { .caller = dialect_find(STR("openai")), .provider = caller, .request = request, .out = BUF_INIT(TEXT_MAX) };
	if (p.caller == caller)
		return request;
	if (!translate_request(&p))
		give_up("cannot say the request", caller->name);
	struct str said = arena_copy(a, buf_str(&p.out));
	buf_free(&p.out);
	return said;
}

static void measure_pair(const struct dialect *caller, const struct dialect *provider, struct str request, const char *only)
{
	struct arena a = ARENA_INIT;
	struct pair *p = calloc(1, sizeof(*p));
	p->caller = caller;
	p->provider = provider;
	p->request = request_of(&a, caller, request);
	buf_init(&p->out, TEXT_MAX);
	make_provider(provider, &p->said);
	measure(p, "request", translate_request, p->request.n, only);
	measure(p, "answer", translate_answer, p->said.answer_n, only);
	open_stream(p);
	measure(p, "stream event", translate_event, p->said.event_n, only);
	close_stream(p);
	buf_free(&p->out);
	arena_clear(&a);
	free(p);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "openai", "openai-responses", "anthropic", "gemini", "bedrock", "cohere" };
	static char text[TEXT_MAX];
	FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
	struct str request = str_of(text, f ? fread(text, 1, sizeof(text), f) : 0);
	const char *only = argc > 2 ? argv[2] : NULL;
	if (f)
		fclose(f);
	if (!request.n) {
		fprintf(stderr, "usage: dialects_bench REQUEST [PART]\n");
		return 2;
	}
	open_counter();
	for (size_t i = 0; i < array_len(names); i++) {
		const struct dialect *other = dialect_find(str_c(names[i])), *openai = dialect_find(STR("openai"));
		if (other != openai)
			measure_pair(openai, other, request, only);
		if (other != openai && other->chat->read_request)
			measure_pair(other, openai, request, only);
	}
	return 0;
}

/*
 * linear_test.c: what translating takes of memory grows as the message does, and no faster, whatever it is made of.
 *
 * Every allocation is counted. The quadratic is seen as well by the time that it takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <malloc.h>

#include "core/chat_format.h"
#include "core/dialect.h"

/* Structs for each of many short turns, a copy of what was read, and a buffer that doubles. */
enum { SMALL = 64 << 10, MIDDLE = 1 << 20, LARGE = 8 << 20, TIMES = 24, CONSTANT = 256 << 10 };

/* --- counting --- */

static size_t live, peak;

static void took(size_t n)
{
	live += n;
	peak = live > peak ? live : peak;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *p);

static void on_malloc(const volatile void *p, size_t n)
{
	(void)p;
	took(n);
}

static void on_free(const volatile void *p)
{
	size_t n = p ? __sanitizer_get_allocated_size(p) : 0;
	live -= n < live ? n : live;
}

static int begin_counting(void **state)
{
	(void)state;
	return __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0 ? 0 : -1;
}
#else
extern void *__libc_malloc(size_t n), *__libc_calloc(size_t n, size_t size), *__libc_realloc(void *p, size_t n);
extern void __libc_free(void *p);

void *malloc(size_t n)
{
	void *p = __libc_malloc(n);
	took(malloc_usable_size(p));
	return p;
}

void *calloc(size_t n, size_t size)
{
	void *p = __libc_calloc(n, size);
	took(malloc_usable_size(p));
	return p;
}

void free(void *p)
{
	live -= malloc_usable_size(p);
	__libc_free(p);
}

/* As if nothing could grow in place: both are there for a moment. */
void *realloc(void *p, size_t n)
{
	size_t before = malloc_usable_size(p);
	void *q = __libc_realloc(p, n);
	if (q) {
		took(malloc_usable_size(q));
		live -= before;
	}
	return q;
}

static int begin_counting(void **state)
{
	(void)state;
	return 0;
}
#endif

/* --- what is said --- */

/* A piece, again and again, its number in it; `between` them. */
struct shape {
	const char *name, *before, *piece, *between, *after;
};

static const struct shape shapes[] = {
	{ "one text", "\"messages\":[{\"role\":\"user\",\"content\":\"", "The river rose by %u inches over night. ", "", "\"}]" },
	{ "escapes", "\"messages\":[{\"role\":\"user\",\"content\":\"", "\\n\\\"%u\\\"\\u00e9\\\\", "", "\"}]" },
	{ "turns", "\"messages\":[", "{\"role\":\"user\",\"content\":\"%u\"},{\"role\":\"assistant\",\"content\":\"so\"}", ",", "]" },
	{ "systems", "\"messages\":[", "{\"role\":\"user\",\"content\":\"%u\"},{\"role\":\"system\",\"content\":\"so\"}", ",", "]" },
	{ "parts", "\"messages\":[{\"role\":\"user\",\"content\":[", "{\"type\":\"text\",\"text\":\"%u\"}", ",", "]}]" },
	{ "calls", "\"messages\":[{\"role\":\"user\",\"content\":\"?\"},",
	  "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c%u\",\"type\":\"function\",\"function\":{\"name\":\"gauge\",\"arguments\":\"{\\\"gate\\\":1}\"}}]},"
	  "{\"role\":\"tool\",\"tool_call_id\":\"c%u\",\"content\":\"{\\\"cm\\\":12}\"}", ",", "]" },
	{ "tools", "\"messages\":[{\"role\":\"user\",\"content\":\"?\"}],\"tools\":[",
	  "{\"type\":\"function\",\"function\":{\"name\":\"t%u\",\"description\":\"of %u\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}", ",", "]" },
	{ "allowed tools", "\"messages\":[{\"role\":\"user\",\"content\":\"?\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"t7\"}}],"
	  "\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[", "{\"type\":\"function\",\"name\":\"t%u\"}", ",", "]}}" },
	{ "an image", "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,",
	  "iVBORw0KGgoAAAANSUhEUgAA", "", "\"}}]}]" },
	{ "unknown fields", "\"messages\":[{\"role\":\"user\",\"content\":\"?\"}],", "\"f%u\":true", ",", "" },
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
static void fill(struct buf *b, const struct shape *s, size_t size)
{
	buf_add(b, str_c(s->before));
	for (unsigned i = 0; b->n < size; i++) {
		if (i)
			buf_add(b, str_c(s->between));
		buf_addf(b, s->piece, i, i);
	}
	buf_add(b, str_c(s->after));
}
#pragma GCC diagnostic pop

static const char *const names[] = { "openai", "openai-responses", "anthropic", "gemini", "bedrock", "cohere" };

static const struct dialect *dialect(size_t i)
{
	return dialect_find(str_c(names[i]));
}

/* --- requests --- */

static const struct chat_target target = { .model = STR_INIT("m") };

static bool translate(const struct dialect *from, const struct dialect *to, struct str body, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct chat c = { .arena = &a, .parallel = -1, .schema_strict = -1 };
	struct chat_fault fault = { .field = STR_NONE };
	struct chat_loss loss = { .policy = UNSUPPORTED_DROP, .arena = &a };
	bool good = from->chat->read_request(body, &c, &fault) && to->chat->write_request(&c, &target, out, &loss) && !out->failed;
	arena_clear(&a);
	return good;
}

static void check(const char *what, const char *shape, const struct dialect *from, const struct dialect *to, size_t n, size_t most)
{
	if (most > TIMES * n + CONSTANT)
		fail_msg("%s (%s) from %s to %s: %zu bytes took %zu, %zu for each", what, shape, from->name, to->name, n, most, most / n);
}

static void measure_request(const struct shape *s, const struct dialect *from, const struct dialect *to, struct str body)
{
	struct buf out = BUF_INIT(8 * body.n + SMALL);
	size_t before = peak = live;
	if (!translate(from, to, body, &out))
		fail_msg("%s from %s to %s: not translated", s->name, from->name, to->name);
	check("a request", s->name, from, to, body.n, peak - before);
	buf_free(&out);
}

/* What other callers would send is what a target of their format gets. */
static void measure_shape(const struct shape *s, size_t size)
{
	struct buf b = BUF_INIT(2 * size + SMALL);
	buf_add(&b, STR("{\"model\":\"m\","));
	fill(&b, s, size);
	buf_add(&b, STR("}"));
	for (size_t i = 1; i < array_len(names); i++) {
		struct buf theirs = BUF_INIT(8 * size + SMALL);
		measure_request(s, dialect(0), dialect(i), buf_str(&b));
		if (dialect(i)->chat->read_request && translate(dialect(0), dialect(i), buf_str(&b), &theirs))
			measure_request(s, dialect(i), dialect(0), buf_str(&theirs));
		buf_free(&theirs);
	}
	buf_free(&b);
}

static void requests_of_every_shape(void **state)
{
	static const size_t sizes[] = { SMALL, MIDDLE, LARGE };
	(void)state;
	for (size_t k = 0; k < array_len(sizes); k++)
		for (size_t i = 0; i < array_len(shapes); i++)
			measure_shape(&shapes[i], sizes[k]);
}

/* --- answers --- */

static const struct chat_frame frame = { .request_id = STR_INIT("req_1"), .model = STR_INIT("m"), .created_s = 1760000000 };

static bool translate_answer(const struct dialect *from, const struct dialect *to, struct str body, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct chat_gather g;
	chat_gather_init(&g, &a, 2 * body.n + SMALL);
	struct chat_reader r = { .out = &g.in, .request_id = frame.request_id };
	const struct chat_answer *answer = from->chat->read_answer(body, &r) ? chat_gather_end(&g) : NULL;
	if (answer)
		to->chat->write_answer(answer, &frame, out);
	arena_clear(&a);
	return answer && !out->failed;
}

static void measure_answer(const char *shape, const struct dialect *from, const struct dialect *to, struct str body)
{
	struct buf out = BUF_INIT(8 * body.n + SMALL);
	size_t before = peak = live;
	if (!translate_answer(from, to, body, &out))
		fail_msg("an answer (%s) from %s to %s: not translated", shape, from->name, to->name);
	check("an answer", shape, from, to, body.n, peak - before);
	buf_free(&out);
}

/* Formats that callers speak; one that tells each item whole when it ends keeps 4 MiB of them. */
static bool says(const struct dialect *d, size_t size)
{
	return d->chat->write_answer && (size < LARGE || !str_eq(str_c(d->name), STR("openai-responses")));
}

static void measure_piece(const char *shape, struct chat_piece piece, size_t size)
{
	struct chat_choice choice = { .pieces = &piece, .finish = piece.kind == PIECE_CALL ? FINISH_TOOLS : FINISH_STOP, .finished = true };
	struct chat_answer answer = { .id = STR("a"), .model = STR("m"), .choices = &choice, .usage = { .known = true, .input = 1, .output = 1, .total = 2 } };
	for (size_t i = 0; i < array_len(names); i++) {
		struct buf b = BUF_INIT(8 * size + SMALL);
		for (size_t k = 0; says(dialect(i), size) && k < array_len(names); k++) {
			buf_clear(&b);
			dialect(i)->chat->write_answer(&answer, &frame, &b);
			if (says(dialect(k), size))
				measure_answer(shape, dialect(i), dialect(k), buf_str(&b));
		}
		buf_free(&b);
	}
}

static void answers_of_every_kind(void **state)
{
	static const size_t sizes[] = { SMALL, MIDDLE, LARGE };
	(void)state;
	for (size_t k = 0; k < array_len(sizes); k++) {
		struct buf text = BUF_INIT(2 * LARGE), object = BUF_INIT(2 * LARGE);
		fill(&text, &(struct shape){ "", "", "By %u inches.\\n ", "", "" }, sizes[k]);
		fill(&object, &(struct shape){ "", "{", "\"k%u\":\"\u00fc\"", ",", "}" }, sizes[k]);
		measure_piece("text", (struct chat_piece){ .kind = PIECE_TEXT, .text = buf_str(&text) }, sizes[k]);
		measure_piece("reasoning", (struct chat_piece){ .kind = PIECE_REASONING, .text = buf_str(&text) }, sizes[k]);
		measure_piece("a call", (struct chat_piece){ .kind = PIECE_CALL, .call = { .id = STR("c"), .name = STR("f"), .json = buf_str(&object) } }, sizes[k]);
		buf_free(&text);
		buf_free(&object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(requests_of_every_shape), cmocka_unit_test(answers_of_every_kind) };
	return cmocka_run_group_tests(tests, begin_counting, NULL);
}

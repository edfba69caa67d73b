/*
 * arena.c: memory that dies together.
 *
 * Blocks of the usual size go back to a per-thread pool of at most POOL_MAX, so
 * that a transaction in steady state costs no malloc; larger ones are freed.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON 1
#endif
#endif
#ifdef POISON
#include <sanitizer/asan_interface.h>
#define poison(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define unpoison(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define poison(p, n) ((void)0)
#define unpoison(p, n) ((void)0)
#endif

enum { ALIGN = 16, BLOCK = 4096, POOL_MAX = 64 };

struct arena_block {
	struct arena_block *next;
	size_t size;		/* of the whole block, this header included */
	_Alignas(ALIGN) char data[];
};

struct arena_owned {
	struct arena_owned *next;
	void *object;
	void (*release)(void *object);
};

static _Thread_local struct arena_block *pool;
static _Thread_local unsigned pooled;

static struct arena_block *block_get(size_t size)
{
	if (size == BLOCK && pool) {
		struct arena_block *b = pool;
		pool = b->next;
		pooled--;
		return b;
	}
	struct arena_block *b = malloc(size);
	if (!b) {
		b = mem_alloc(size);
	}
	b->size = size;
	return b;
}

static void block_put(struct arena_block *b)
{
	unpoison(b->data, b->size - sizeof(*b));
	if (b->size == BLOCK && pooled < POOL_MAX) {
		b->next = pool;
		pool = b;
		pooled++;
		return;
	}
	free(b);
}

void arena_init(struct arena *a)
{
	*a = (struct arena)ARENA_INIT;
}

void arena_clear(struct arena *a)
{
	while (a->owned) {
		struct arena_owned *o = a->owned;
		a->owned = o->next;
		o->release(o->object);
	}
	while (a->blocks) {
		struct arena_block *b = a->blocks;
		a->blocks = b->next;
		block_put(b);
	}
	arena_init(a);
}

void arena_wipe(struct arena *a)
{
	while (a->owned) {
		struct arena_owned *o = a->owned;
		a->owned = o->next;
		o->release(o->object);
	}
	for (struct arena_block *b = a->blocks; b; b = b->next) {
		unpoison(b->data, b->size - sizeof(*b));
		explicit_bzero(b->data, b->size - sizeof(*b));
	}
	arena_clear(a);
}

static void *take(struct arena *a, size_t n)
{
	size_t rounded;
	if (__builtin_add_overflow(n, ALIGN - 1u, &rounded))
		abort();
	rounded &= ~(size_t)(ALIGN - 1);
	if ((size_t)(a->end - a->next) < rounded || !a->next) {
		size_t size = rounded + sizeof(struct arena_block);
		struct arena_block *b = block_get(size > BLOCK ? size : BLOCK);
		b->next = a->blocks;
		a->blocks = b;
		a->next = b->data;
		a->end = (char *)b + b->size;
		poison(b->data, b->size - sizeof(*b));
	}
	void *p = a->next;
	a->next += rounded;
	unpoison(p, n);
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = take(a, n ? n : 1);
	memset(p, 0, n);
	return p;
}

struct str arena_copy(struct arena *a, struct str s)
{
	char *p = take(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return str_of(p, s.n);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char text[256] = "";
	va_start(ap, fmt);
	va_copy(again, ap);
	int wrote = vsnprintf(text, sizeof(text), fmt, ap);
	size_t n = wrote < 0 ? 0 : (size_t)wrote;
	va_end(ap);
	char *p = take(a, n + 1);
	if (n < sizeof(text))
		memcpy(p, text, n);
	else
		vsnprintf(p, n + 1, fmt, again);
	p[n] = '\0';
	va_end(again);
	return str_of(p, n);
}

void arena_own(struct arena *a, void *object, void (*release)(void *object))
{
	struct arena_owned *o = arena_alloc(a, sizeof(*o));
	*o = (struct arena_owned){ a->owned, object, release };
	a->owned = o;
}

void arena_thread_end(void)
{
	while (pool) {
		struct arena_block *b = pool;
		pool = b->next;
		free(b);
	}
	pooled = 0;
}

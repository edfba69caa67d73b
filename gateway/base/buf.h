/*
 * buf.h: a growing byte buffer whose ceiling is stated where it is born.
 *
 * Growing beyond the ceiling, or finding no memory, fails softly: the call
 * returns false, the buffer keeps what it had, and `failed` stays set so that
 * a run of appends may be checked once at its end.
 */
#ifndef WEIR_BASE_BUF_H
#define WEIR_BASE_BUF_H

#include "base/str.h"

struct buf {
	char *p;
	size_t n;	/* bytes in use */
	size_t cap;	/* bytes allocated, at most `max` */
	size_t max : 63;	/* the ceiling of n */
	size_t failed : 1;
};

#define BUF_INIT(ceiling) { NULL, 0, 0, (ceiling) & SIZE_MAX >> 1, 0 }

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);		/* releases the memory; the ceiling stays */
void buf_clear(struct buf *b);		/* n = 0, failed = false; memory stays */

/* Room for `more` further bytes at b->p + b->n; the caller then adds to n. */
bool buf_reserve(struct buf *b, size_t more);

/* Inline where the room is there: most of what is written is short. */
bool buf_add_grown(struct buf *b, struct str s);

static inline bool buf_add(struct buf *b, struct str s)
{
	if (s.n > b->cap - b->n)
		return buf_add_grown(b, s);
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
	return true;
}

static inline bool buf_addc(struct buf *b, char c)
{
	return buf_add(b, str_of(&c, 1));
}

bool buf_addd(struct buf *b, int64_t number);	/* in decimal digits */
bool buf_add_part(struct buf *b, struct str s);	/* with its length before it, so that no two lists of parts make one text */
bool buf_addf(struct buf *b, const char *fmt, ...) printf_like(2, 3);

/* `s` as a JSON string with its quotes; control bytes and invalid UTF-8 escaped or replaced. */
bool buf_add_json(struct buf *b, struct str s);

/* Drops `n` bytes from the front. */
void buf_consume(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b) { return (struct str){ b->p, b->n }; }

#endif

/*
 * learned_file.c: numbers in hexadecimal, so that they come back as they were.
 *
 *   weir-learned 1
 *   provider/model N SUMS... LENGTHS(mean n)... MEAN N FIRST TOKEN N
 */
#include "metering/learned_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/live.h"

enum { LINE_MAX_BYTES = 16 * 1024, FILE_MAX = 64 * 1024 * 1024 };
static const char head[] = "weir-learned 1\n";

#define get(x) atomic_load_explicit(&(x), memory_order_relaxed)
#define set(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)

static void add_length(struct buf *b, struct learned_length *l)
{
	buf_addf(b, " %a %u", get(l->mean), get(l->n));
}

static void write_target(struct live_target *t, void *to)
{
	struct learned *l = &t->learned;
	double sums[ESTIMATE_NUMBERS];
	struct buf *b = to;
	uint32_t n = get(l->input.n);
	if ((n == 0 && get(l->n) == 0) || str_chr(t->name, ' ') >= 0)
		return;
	estimate_save(&l->input, sums);
	buf_add(b, t->name);
	buf_addf(b, " %u", n);
	for (int i = 0; i < ESTIMATE_NUMBERS; i++)
		buf_addf(b, " %a", sums[i]);
	for (int i = 0; i < LEARNED_LENGTHS; i++)
		add_length(b, &l->lengths[i]);
	add_length(b, &l->length);
	buf_addf(b, " %a %a %u\n", get(l->first_us), get(l->token_us), get(l->n));
}

bool learned_file_write(const char *path)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(FILE_MAX);
	struct str beside = arena_printf(&a, "%s.new", path);
	buf_add(&b, str_c(head));
	live_targets_each(write_target, &b);
	FILE *f = b.failed ? NULL : fopen(beside.p, "wb");
	bool good = f && fwrite(b.p, 1, b.n, f) == b.n;
	if (f)
		good &= fclose(f) == 0;
	good = good && rename(beside.p, path) == 0;
	buf_free(&b);
	arena_clear(&a);
	return good;
}

/* --- back --- */

struct line {
	char *at;
	bool bad;
};

static double number(struct line *l)
{
	char *end;
	double x = strtod(l->at, &end);
	l->bad |= end == l->at || !isfinite(x);
	l->at = end;
	return x;
}

static uint32_t count(struct line *l)
{
	double x = number(l);
	l->bad |= !(x >= 0 && x <= UINT32_MAX);
	return l->bad ? 0 : (uint32_t)x;
}

struct kept {
	uint32_t n, answers;
	double sums[ESTIMATE_NUMBERS], means[LEARNED_LENGTHS + 1], first_us, token_us;
	uint32_t lengths[LEARNED_LENGTHS + 1];
};

static bool read_numbers(struct line *l, struct kept *k)
{
	k->n = count(l);
	for (int i = 0; i < ESTIMATE_NUMBERS && !l->bad; i++)
		k->sums[i] = number(l);
	for (int i = 0; i <= LEARNED_LENGTHS && !l->bad; i++) {
		k->means[i] = number(l);
		k->lengths[i] = count(l);
		l->bad |= !(k->means[i] >= 0);
	}
	k->first_us = number(l);
	k->token_us = number(l);
	k->answers = count(l);
	return !l->bad && k->first_us >= 0 && k->token_us >= 0;
}

static void restore(struct learned *l, const struct kept *k)
{
	if (k->n && !estimate_restore(&l->input, k->sums, k->n))
		return;
	for (int i = 0; i < LEARNED_LENGTHS; i++) {
		set(l->lengths[i].mean, k->means[i]);
		set(l->lengths[i].n, k->lengths[i]);
	}
	set(l->length.mean, k->means[LEARNED_LENGTHS]);
	set(l->length.n, k->lengths[LEARNED_LENGTHS]);
	set(l->first_us, k->first_us);
	set(l->token_us, k->token_us);
	set(l->n, k->answers);
}

static bool read_target(char *text)
{
	char *blank = strchr(text, ' ');
	struct kept k;
	if (!blank)
		return false;
	struct live_target *t = live_target_find(str_of(text, (size_t)(blank - text)));
	struct line l = { .at = blank };
	if (!t || !read_numbers(&l, &k))
		return false;
	restore(&t->learned, &k);
	return true;
}

int learned_file_read(const char *path)
{
	static char text[LINE_MAX_BYTES];
	FILE *f = fopen(path, "rb");
	int n = 0;
	if (!f)
		return -1;
	bool known = fgets(text, sizeof(text), f) && strcmp(text, head) == 0;
	while (known && fgets(text, sizeof(text), f))
		n += read_target(text);
	fclose(f);
	return n;
}

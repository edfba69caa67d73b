/*
 * samples.c: from a table to lessons.
 */
#include "rules/samples.h"

#include <stdlib.h>
#include <string.h>

#include "rules/features.h"
#include "rules/text.h"

struct reading {
	struct samples *s;
	const struct weir_host *weir;
	struct weir_setup *setup;
	const char *file;
	bool bad;
};

#define WRONG_AT(r, line, ...) ((r)->bad = true, (r)->weir->tell((r)->setup, WEIR_ERROR, (r)->file, line, 1, __VA_ARGS__))

static uint64_t hash_words(struct weir_text text)
{
	uint64_t word, h = 0;
	for (size_t at = 0; (word = next_word(text, &at, NULL));)
		h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd) + 1;
	return h;
}

static int class_of(struct reading *r, struct weir_text label, unsigned line)
{
	struct samples *s = r->s;
	for (unsigned i = 0; i < s->classes; i++)
		if (s->names[i].n == label.n && memcmp(s->names[i].p, label.p, label.n) == 0)
			return (int)i;
	if (label.n == 0 || label.n > CLASS_NAME_MAX || memchr(label.p, '\n', label.n) || memchr(label.p, 0, label.n))
		WRONG_AT(r, line, "a label has 1 to %d bytes in one line", CLASS_NAME_MAX);
	else if (s->classes == CLASSES_MAX)
		WRONG_AT(r, line, "there are more than %d labels", CLASSES_MAX);
	else
		s->names[s->classes++] = label;
	return r->bad ? -1 : (int)s->classes - 1;
}

static void add_row(struct reading *r, struct weir_text label, struct weir_text text, unsigned line)
{
	struct samples *s = r->s;
	int class = class_of(r, label, line);
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 256;
		struct sample *more = realloc(s->rows, room * sizeof(*more));
		if (!more) {
			WRONG_AT(r, line, "no memory");
			return;
		}
		s->rows = more;
		s->room = room;
	}
	uint64_t words = hash_words(text);
	if (class >= 0 && words)
		s->rows[s->n++] = (struct sample){ .text = text, .words = words, .class = (unsigned)class };
	else if (class >= 0)
		WRONG_AT(r, line, "there is no word in the text");
}

static void read_rows(struct reading *r, struct csv *csv)
{
	struct weir_text fields[CSV_FIELDS_MAX];
	size_t used = 0;
	int n = csv_row(csv, r->s->folded, &used, fields);
	int label = csv_column(fields, n, "label"), text = csv_column(fields, n, "text");
	if (!csv->error && (label < 0 || text < 0)) {
		WRONG_AT(r, 1, "the first row must name the columns `label` and `text`");
		return;
	}
	while (!r->bad && (n = csv_row(csv, r->s->folded, &used, fields)) >= 0) {
		if (n == 1 && fields[0].n == 0)
			continue;
		if (n > label && n > text)
			add_row(r, fields[label], fields[text], csv->line);
		else
			WRONG_AT(r, csv->line, "the row has too few fields");
	}
	if (csv->error)
		WRONG_AT(r, csv->line, "%s", csv->error);
}

/* --- order --- */

static int by_class(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	return x->words < y->words ? -1 : x->words > y->words;
}

static int by_name(const void *a, const void *b)
{
	const struct weir_text *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
	return c ? c : x->n < y->n ? -1 : x->n > y->n;
}

/* Classes are numbered by their names, so that rows may stand in any order. */
static void sort(struct samples *s)
{
	struct weir_text before[CLASSES_MAX];
	unsigned place[CLASSES_MAX] = { 0 };
	memcpy(before, s->names, sizeof(before));
	qsort(s->names, s->classes, sizeof(*s->names), by_name);
	for (unsigned i = 0; i < s->classes; i++)
		for (unsigned k = 0; k < s->classes; k++)
			if (before[i].p == s->names[k].p)
				place[i] = k;
	for (size_t i = 0; i < s->n; i++)
		s->rows[i].class = place[s->rows[i].class];
	qsort(s->rows, s->n, sizeof(*s->rows), by_class);
}

static void leave_out_doubles(struct samples *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (n == 0 || by_class(&s->rows[n - 1], &s->rows[i]) != 0)
			s->rows[n++] = s->rows[i];
	s->doubles = s->n - n;
	s->n = n;
}

/* At least one of each class on either side. */
static void hold_out(struct reading *r, double share)
{
	struct samples *s = r->s;
	for (size_t from = 0, to; from < s->n; from = to) {
		for (to = from; to < s->n && s->rows[to].class == s->rows[from].class; to++)
			;
		size_t count = (size_t)((double)(to - from) * share + 0.5);
		const struct weir_text *name = &s->names[s->rows[from].class];
		if (to - from < SAMPLES_PER_CLASS_MIN)
			WRONG_AT(r, 0, "`%.*s` has %zu rows; a label needs at least %d", (int)name->n, name->p, to - from, SAMPLES_PER_CLASS_MIN);
		for (size_t i = from; i < from + (count ? count : 1); i++)
			s->rows[i].held = true;
	}
	if (s->classes < 2)
		WRONG_AT(r, 0, "there have to be at least two labels");
}

bool samples_read(struct samples *s, const struct weir_host *weir, struct weir_setup *setup, const char *file, double held_out)
{
	struct reading r = { .s = s, .weir = weir, .setup = setup, .file = file };
	struct csv csv = { .text = { "", 0 } };
	int error = weir->read_file(setup, file, &csv.text);
	*s = (struct samples){ .folded = error ? NULL : malloc(csv.text.n + 1) };
	if (error)
		WRONG_AT(&r, 0, "%s", strerror(error));
	else if (!s->folded)
		WRONG_AT(&r, 0, "no memory");
	else
		read_rows(&r, &csv);
	if (r.bad)
		return false;
	sort(s);
	leave_out_doubles(s);
	hold_out(&r, held_out);
	return !r.bad;
}

bool samples_prepare(struct samples *s, unsigned bits)
{
	uint32_t found[FEATURES_MAX], *kept;
	s->lessons = calloc(s->n, sizeof(*s->lessons));
	for (size_t i = 0; s->lessons && i < s->n; i++) {
		if (s->rows[i].held)
			continue;
		unsigned n = features_of(s->rows[i].text, bits, found);
		if (!(kept = malloc((n + 1) * sizeof(*kept))))
			return false;
		memcpy(kept, found, n * sizeof(*kept));
		s->lessons[s->n_lessons++] = (struct lesson){ kept, n, s->rows[i].class };
	}
	return s->lessons;
}

void samples_free(struct samples *s)
{
	for (size_t i = 0; i < s->n_lessons; i++)
		free((void *)(uintptr_t)s->lessons[i].features);
	free(s->lessons);
	free(s->rows);
	free(s->folded);
}

/*
 * gemini_partial.c: the path of the last value says which objects and arrays are open.
 */
#include "dialects/gemini_partial.h"

#include "wire/json_cursor.h"

struct step {
	struct str name;	/* of a member, spelled; or: */
	bool index;		/* the next element of an array */
	struct str text;	/* as the path has it */
};

struct steps {
	struct step step[PARTIAL_DEPTH_MOST];
	unsigned n;
};

/* "$.a.b[0]['c d']" step by step. False: it is no such path, or too deep. */
static bool read_path(struct str path, struct steps *s)
{
	s->n = 0;
	if (!str_starts(path, STR("$")))
		return false;
	for (path = str_skip(path, 1); path.n; s->n++) {
		bool member = path.p[0] == '.';
		size_t n = 1;
		if ((!member && path.p[0] != '[') || s->n == PARTIAL_DEPTH_MOST)
			return false;
		while (n < path.n && (member ? path.p[n] != '.' && path.p[n] != '[' : path.p[n - 1] != ']'))
			n++;
		struct step *step = &s->step[s->n];
		*step = (struct step){ .text = str_head(path, n), .name = member ? str_of(path.p + 1, n - 1) : STR_NONE };
		if (!member && n > 4 && path.p[1] == '\'')
			step->name = str_of(path.p + 2, n - 4);
		step->index = !step->name.p;
		path = str_skip(path, n);
	}
	return s->n > 0;
}

static struct steps steps_of(const struct gemini_partial *p)
{
	struct steps s = { .n = 0 };
	if (p->n)
		(void)read_path(str_of(p->path, p->n), &s);
	return s;
}

static void close_string(struct gemini_partial *p, struct buf *out)
{
	if (p->in_string)
		buf_addc(out, '"');
	p->in_string = false;
}

/* Containers around the last value, but the outermost `kept`. */
static void close_to(const struct steps *s, unsigned kept, struct buf *out)
{
	for (unsigned i = s->n; i-- > kept + 1;)
		buf_addc(out, s->step[i].index ? ']' : '}');
}

/* From the container at `at` inwards, up to where the value stands. */
static void open_from(const struct steps *s, unsigned at, struct buf *out)
{
	for (unsigned i = at; i < s->n; i++) {
		if (!s->step[i].index)
			buf_addf(out, "\"%.*s\":", STR_FMT(s->step[i].name));
		if (i + 1 < s->n)
			buf_addc(out, s->step[i + 1].index ? '[' : '{');
	}
}

static void move_to(struct gemini_partial *p, struct str path, const struct steps *next, struct buf *out)
{
	struct steps last = steps_of(p);
	unsigned same = 0;
	while (same + 1 < last.n && same + 1 < next->n && str_eq(last.step[same].text, next->step[same].text))
		same++;
	close_string(p, out);
	close_to(&last, same, out);
	buf_addc(out, last.n ? ',' : '{');
	open_from(next, same, out);
	memcpy(p->path, path.p, path.n);
	p->n = path.n;
}

static void add_value(struct gemini_partial *p, struct str element, struct buf *out)
{
	static const char *const others[] = { "numberValue", "boolValue" };
	struct str text = json_get(element, STR("stringValue"));
	if (json_type(text) == JSON_STRING) {
		buf_addf(out, "\"%.*s", STR_FMT(json_raw(text)));
		p->in_string = true;
		return;
	}
	for (size_t i = 0; i < array_len(others); i++) {
		struct str v = json_get(element, str_c(others[i]));
		if (json_type(v) == JSON_NUMBER || json_type(v) == JSON_TRUE || json_type(v) == JSON_FALSE) {
			buf_add(out, v);
			return;
		}
	}
	buf_add(out, STR("null"));
}

void gemini_partial_add(struct gemini_partial *p, struct str element, struct buf *out)
{
	struct str path = json_raw(json_get(element, STR("jsonPath"))), text = json_get(element, STR("stringValue"));
	struct steps next;
	if (path.n > PARTIAL_PATH_MOST || !read_path(path, &next) || next.step[0].index)
		return;
	if (p->in_string && json_type(text) == JSON_STRING && str_eq(path, str_of(p->path, p->n))) {
		buf_add(out, json_raw(text));
	} else {
		move_to(p, path, &next, out);
		add_value(p, element, out);
	}
	if (json_type(json_get(element, STR("willContinue"))) != JSON_TRUE)
		close_string(p, out);
}

void gemini_partial_end(struct gemini_partial *p, struct buf *out)
{
	struct steps last = steps_of(p);
	close_string(p, out);
	if (!p->n)
		buf_addc(out, '{');
	close_to(&last, 0, out);
	buf_addc(out, '}');
	p->n = 0;
}

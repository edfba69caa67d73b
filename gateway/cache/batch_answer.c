/*
 * batch_answer.c: spans cut and joined; no number of a vector is ever read.
 */
#include "cache/batch_answer.h"

#include "wire/json_cursor.h"

static struct str until(const char *from, struct str next)
{
	return str_of(from, (size_t)(next.p - from));
}

static const char *end_of(struct str s)
{
	return s.p + s.n;
}

/* --- apart --- */

static int64_t size_of(struct str vector)
{
	int64_t numbers = 1;
	if (json_type(vector) == JSON_STRING)
		return vector.n > 2 ? (int64_t)vector.n : 0;
	if (json_type(vector) != JSON_ARRAY || !json_first(vector) || strchr("[{\"", json_first(vector)))
		return 0;
	for (const char *p = vector.p; (p = memchr(p, ',', (size_t)(end_of(vector) - p))); p++)
		numbers++;
	return -numbers;
}

static bool place_of(const struct batch_vector *v, unsigned n, unsigned *place)
{
	int64_t index;
	if (!v->size || !json_int(v->index, &index) || index < 0 || index >= n)
		return false;
	*place = (unsigned)index;
	return true;
}

/* Vectors are long: each is crossed once. */
static struct batch_vector read_vector(struct json_cursor *list)
{
	struct batch_vector v = { .size = 0 };
	const char *from = list->p;
	struct json_cursor c;
	if (!json_cursor_into(list, &c) || *from != '{')
		return v;
	while (json_cursor_next(&c)) {
		if (str_eq(c.key, STR("index")))
			v.index = c.value;
		else if (str_eq(c.key, STR("embedding")))
			v.size = size_of(c.value);
	}
	json_cursor_out(list, &c);
	v.element = str_of(from, (size_t)(list->p - from));
	return v;
}

static bool read_list(struct json_cursor *root, struct str *list, struct batch_vector *vectors, unsigned n)
{
	struct json_cursor c;
	unsigned count = 0, place;
	const char *from = root->p;
	if (list->p || !json_cursor_into(root, &c) || *from != '[')
		return false;
	for (; json_cursor_step(&c); count++) {
		struct batch_vector v = read_vector(&c);
		if (!place_of(&v, n, &place) || vectors[place].size)
			return false;
		vectors[place] = v;
	}
	json_cursor_out(root, &c);
	*list = str_of(from, (size_t)(root->p - from));
	return count == n;
}

bool batch_answer_read(struct str body, struct batch_frame *frame, struct batch_vector *vectors, unsigned n)
{
	struct json_cursor c;
	*frame = (struct batch_frame){ .body = json_whole(body) };
	memset(vectors, 0, n * sizeof(*vectors));
	if (json_type(frame->body) != JSON_OBJECT || !json_cursor_open(&c, frame->body))
		return false;
	while (json_cursor_step(&c)) {
		if (str_eq(c.key, STR("data"))) {
			if (!read_list(&c, &frame->list, vectors, n))
				return false;
		} else if (json_cursor_cross(&c) && str_eq(c.key, STR("usage")) && json_type(c.value) == JSON_OBJECT) {
			frame->usage = c.value;
		}
	}
	return frame->list.p;
}

/* --- together --- */

static void write_list(const struct batch_vector *const *vectors, unsigned n, struct buf *out)
{
	for (unsigned i = 0; i < n; i++) {
		const struct batch_vector *v = vectors[i];
		buf_addc(out, i ? ',' : '[');
		buf_add(out, until(v->element.p, v->index));
		buf_addd(out, i);
		buf_add(out, until(end_of(v->index), str_of(end_of(v->element), 0)));
	}
	buf_addc(out, ']');
}

/* A number that is not zero, in it or as it: said of a whole batch it is not true of its parts, nor of others. */
static bool tells_amount(struct str value)
{
	bool in_string = false;
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && c >= '1' && c <= '9')
			return true;
	}
	return false;
}

/* NULL: it is no count of tokens. */
static const int64_t *count_of(struct str key, const struct usage *u)
{
	const int64_t *total = u->total > u->input ? &u->total : &u->input;
	return str_eq(key, STR("prompt_tokens")) ? &u->input : str_eq(key, STR("total_tokens")) ? total : NULL;
}

/* `usage` with these counts; amounts of other kinds are left out. */
static void write_usage(struct str usage, const struct usage *u, struct buf *out)
{
	struct json_cursor c;
	const char *from = usage.p + 1;
	bool left_out = false, any = false;
	buf_addc(out, '{');
	for (bool open = json_cursor_open(&c, usage); open && json_cursor_next(&c); from = end_of(c.value)) {
		const int64_t *count = count_of(c.key, u);
		bool keep = count || !tells_amount(c.value);
		left_out |= !keep;
		if (!keep)
			continue;
		buf_add(out, until(left_out && !any ? c.key.p - 1 : from, c.value));
		if (count)
			buf_addd(out, *count);
		else
			buf_add(out, c.value);
		any = true;
	}
	buf_add(out, until(from, str_of(end_of(usage), 0)));
}

void batch_answer_write(const struct batch_frame *f, const struct batch_vector *const *vectors, unsigned n, const struct usage *u, struct buf *out)
{
	bool usage_first = f->usage.p && f->usage.p < f->list.p;
	const char *at = f->body.p;
	if (usage_first) {
		buf_add(out, until(at, f->usage));
		write_usage(f->usage, u, out);
		at = end_of(f->usage);
	}
	buf_add(out, until(at, f->list));
	write_list(vectors, n, out);
	at = end_of(f->list);
	if (f->usage.p && !usage_first) {
		buf_add(out, until(at, f->usage));
		write_usage(f->usage, u, out);
		at = end_of(f->usage);
	}
	buf_add(out, until(at, str_of(end_of(f->body), 0)));
}

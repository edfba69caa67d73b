/*
 * json_write.c: JSON written into a buffer value by value.
 *
 * The state is a bit for each open container and two flags. A container that has just ended
 * is a value of the one around it, so `any` needs no stack.
 */
#include "wire/json_write.h"

_Static_assert(JSON_WRITE_DEPTH <= 64, "a bit for each level");

void json_write_init(struct json_write *w, struct buf *out)
{
	*w = (struct json_write){ .out = out };
}

static bool in_object(const struct json_write *w)
{
	return w->depth && (w->objects >> (w->depth - 1) & 1);
}

static bool ready(struct json_write *w, bool fits)
{
	w->failed |= !fits || w->out->failed;
	return !w->failed;
}

static void comma(struct json_write *w)
{
	if (w->any)
		buf_addc(w->out, ',');
	w->any = true;
}

/* A value may stand here: writes what separates it from the one before. */
static bool value(struct json_write *w)
{
	if (!ready(w, in_object(w) ? w->keyed : w->depth || !w->any))
		return false;
	if (!w->keyed)
		comma(w);
	w->keyed = false;
	return true;
}

static void begin(struct json_write *w, bool object)
{
	if (!ready(w, w->depth < JSON_WRITE_DEPTH) || !value(w))
		return;
	uint64_t bit = (uint64_t)1 << w->depth++;
	w->objects = object ? w->objects | bit : w->objects & ~bit;
	w->any = false;
	buf_addc(w->out, object ? '{' : '[');
}

static void finish(struct json_write *w, bool object)
{
	if (!ready(w, w->depth && in_object(w) == object && !w->keyed))
		return;
	w->depth--;
	w->any = true;
	buf_addc(w->out, object ? '}' : ']');
}

void json_write_object(struct json_write *w)
{
	begin(w, true);
}

void json_write_object_end(struct json_write *w)
{
	finish(w, true);
}

void json_write_array(struct json_write *w)
{
	begin(w, false);
}

void json_write_array_end(struct json_write *w)
{
	finish(w, false);
}

static void add_spelled(struct buf *out, struct str spelled)
{
	buf_addc(out, '"');
	buf_add(out, spelled);
	buf_addc(out, '"');
}

static bool key(struct json_write *w)
{
	if (!ready(w, in_object(w) && !w->keyed))
		return false;
	comma(w);
	w->keyed = true;
	return true;
}

void json_write_key(struct json_write *w, struct str text)
{
	if (!key(w))
		return;
	buf_add_json(w->out, text);
	buf_addc(w->out, ':');
}

void json_write_key_escaped(struct json_write *w, struct str spelled)
{
	if (!key(w))
		return;
	add_spelled(w->out, spelled);
	buf_addc(w->out, ':');
}

void json_write_string(struct json_write *w, struct str text)
{
	if (value(w))
		buf_add_json(w->out, text);
}

void json_write_escaped(struct json_write *w, struct str spelled)
{
	if (value(w))
		add_spelled(w->out, spelled);
}

/* A line's end can only be white space here; without it the document is one line, as an event of a stream has to be. */
void json_add_line(struct buf *out, struct str json)
{
	size_t from = out->n;
	if (!buf_add(out, json) || (!memchr(json.p, '\n', json.n) && !memchr(json.p, '\r', json.n)))
		return;
	for (size_t i = from; i < out->n; i++)
		if (out->p[i] == '\n' || out->p[i] == '\r')
			out->p[i] = ' ';
}

void json_write_raw(struct json_write *w, struct str json)
{
	if (ready(w, json.n > 0) && value(w))
		json_add_line(w->out, json);
}

void json_write_int(struct json_write *w, int64_t number)
{
	if (value(w))
		buf_addd(w->out, number);
}

void json_write_bool(struct json_write *w, bool yes)
{
	if (value(w))
		buf_add(w->out, yes ? STR("true") : STR("false"));
}

void json_write_null(struct json_write *w)
{
	if (value(w))
		buf_add(w->out, STR("null"));
}

bool json_write_end(const struct json_write *w)
{
	return !w->failed && !w->out->failed && w->depth == 0 && w->any;
}

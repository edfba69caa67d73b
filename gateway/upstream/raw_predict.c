/*
 * raw_predict.c: the member is found from its value, which is where the call says (anthropic-sdk-python's vertex client, read 2026-11).
 */
#include "upstream/raw_predict.h"

#include "core/chat_format.h"
#include "core/dialect.h"
#include "wire/json_cursor.h"

#define VERSION "\"anthropic_version\":\"vertex-2023-10-16\""

static bool is_count(struct str path)
{
	return str_eq(path, STR("/messages/count_tokens"));
}

bool raw_predict_is(const struct target *target, struct str path)
{
	return (target->provider->quirks & QUIRK_RAW_PREDICT) && (str_eq(path, STR("/messages")) || is_count(path));
}

void raw_predict_path(const struct target *target, const struct call *call, struct buf *out)
{
	const struct provider *p = target->provider;
	const struct chat_target t = { .model = is_count(call->path) ? STR("count-tokens") : str_empty(target->model) ? call->model : target->model,
				       .quirks = p->quirks };
	p->dialect->chat->write_path(&t, call->stream, out);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where the key of the value at `at` begins. */
static size_t key_before(struct str body, size_t at)
{
	while (at > 0 && body.p[at - 1] != '"')
		at--;
	for (at -= at > 0; at > 0 && body.p[at - 1] != '"';)
		at--;
	return at - (at > 0);
}

/* The whole member, and one comma beside it. */
static struct call_edit without(struct str body, size_t start, size_t end)
{
	size_t behind = end;
	while (behind < body.n && is_blank(body.p[behind]))
		behind++;
	if (behind < body.n && body.p[behind] == ',')
		return (struct call_edit){ start, behind + 1 - start, STR("") };
	while (start > 0 && (is_blank(body.p[start - 1])))
		start--;
	start -= start > 0 && body.p[start - 1] == ',';
	return (struct call_edit){ start, end - start, STR("") };
}

struct call_edit raw_predict_edit(const struct call *call)
{
	size_t start = key_before(call->body, call->model_at), end = call->model_at + call->model_length;
	bool versioned = json_get(json_value(call->body), STR("anthropic_version")).p;
	if (is_count(call->path))
		return (struct call_edit){ start, 0, versioned ? STR("") : STR(VERSION ",") };
	if (versioned)
		return without(call->body, start, end);
	return (struct call_edit){ start, end - start, STR(VERSION) };
}

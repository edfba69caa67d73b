/*
 * cascade_check.c: cheap questions about an answer, the cheapest first.
 *
 * What only a whole answer can be asked (an end, JSON, a least length, patterns that must be
 * there) is not asked of a beginning.
 */
#include "upstream/cascade_check.h"

#include <math.h>

#include "base/pattern.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"
#include "wire/json_schema.h"

enum { REFUSED_WITHIN = 240 };

/* --- refusals --- */

/* Models refuse in few words, and at once. In lower case, with a plain apostrophe. */
static const struct str refusals[] = {
	STR_INIT("i'm sorry, but i can"), STR_INIT("i am sorry, but i can"), STR_INIT("i'm sorry, i can"), STR_INIT("sorry, but i can"),
	STR_INIT("sorry, i can't"), STR_INIT("sorry, i cannot"), STR_INIT("i can't assist"), STR_INIT("i cannot assist"),
	STR_INIT("i can't help with"), STR_INIT("i cannot help with"), STR_INIT("i can't fulfill"), STR_INIT("i cannot fulfill"),
	STR_INIT("i can't comply"), STR_INIT("i cannot comply"), STR_INIT("i can't provide"), STR_INIT("i cannot provide"),
	STR_INIT("i'm unable to"), STR_INIT("i am unable to"), STR_INIT("i'm not able to"), STR_INIT("i am not able to"),
	STR_INIT("i won't be able to"), STR_INIT("i'm just an ai"), STR_INIT("as an ai language model"), STR_INIT("as a large language model"),
	STR_INIT("i do not have the ability"), STR_INIT("i don't have the ability"), STR_INIT("i must decline"),
	STR_INIT("es tut mir leid, aber ich kann"), STR_INIT("ich kann dabei nicht helfen"),
	STR_INIT("je suis d\xC3\xA9sol\xC3\xA9, mais je ne peux"), STR_INIT("lo siento, pero no puedo"),
};

bool cascade_is_refusal(struct str text)
{
	char said[REFUSED_WITHIN];
	size_t n = 0;
	for (size_t i = 0; i < text.n && n < sizeof(said); i++) {
		bool curly = text.n - i >= 3 && memcmp(text.p + i, "\xE2\x80\x99", 3) == 0;
		char c = text.p[i];
		said[n++] = curly ? '\'' : c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
		i += curly ? 2 : 0;
	}
	for (size_t i = 0; i < array_len(refusals); i++)
		if (str_has(str_of(said, n), refusals[i]))
			return true;
	return false;
}

/* --- one choice --- */

struct judged {
	const struct cascade_checks *checks;
	const struct chat *asked;
	const struct chat_choice *choice;
	struct arena *arena;
	struct str text;	/* all of it, plain */
	bool whole, calls, refused;
};

static void read_choice(struct judged *j)
{
	struct buf spelled = BUF_INIT(SIZE_MAX >> 1);
	buf_addc(&spelled, '"');
	for (const struct chat_piece *p = j->choice->pieces; p; p = p->next) {
		if (p->kind == PIECE_TEXT)
			buf_add(&spelled, p->text);
		j->calls |= p->kind == PIECE_CALL;
		j->refused |= p->kind == PIECE_REFUSAL && p->text.n;
	}
	buf_addc(&spelled, '"');
	j->text = json_text(j->arena, arena_copy(j->arena, buf_str(&spelled)));	/* which may point into it */
	buf_free(&spelled);
}

static bool finished(const struct judged *j)
{
	enum chat_finish f = j->choice->finish;
	return !j->whole || (j->choice->finished && (f == FINISH_STOP || f == FINISH_SEQUENCE || f == FINISH_TOOLS));
}

static bool length_fits(const struct judged *j)
{
	const struct cascade_checks *k = j->checks;
	if (k->max_length && (int64_t)j->text.n > k->max_length)
		return false;
	return !j->whole || j->calls || (int64_t)j->text.n >= k->min_length;
}

/* JSON is wanted where it is always wanted, where a schema is configured, and where the caller asked for it. */
static bool wants_json(const struct judged *j)
{
	bool asked = j->asked && (j->asked->format == FORMAT_JSON || j->asked->format == FORMAT_SCHEMA);
	if (!j->whole || (j->calls && !j->text.n) || j->checks->json == WHEN_NEVER)
		return false;
	return j->checks->json == WHEN_ALWAYS || j->checks->schema.n || asked;
}

static bool is_json(const struct judged *j)
{
	struct json_scan scan;
	json_scan_init(&scan, j->arena);
	scan.any_root = j->checks->json == WHEN_ALWAYS;
	return json_scan_feed(&scan, j->text.p, j->text.n, true) == JSON_DONE;
}

static bool keeps_schema(const struct judged *j)
{
	const char *broken;
	struct str schema = j->checks->schema;
	if (!schema.n && j->asked && j->asked->format == FORMAT_SCHEMA)
		schema = j->asked->schema;
	return !schema.n || json_schema_holds(schema, j->text, j->arena, &broken);
}

/* Arguments that are no object come as {"_raw": ...}: see the dialects. */
static bool arguments_hold(const struct judged *j, const struct chat_call *call)
{
	const char *broken;
	const struct tool *t = j->asked->tools;
	while (t && !str_eq(t->name, call->name))
		t = t->next;
	if (!t || json_type(call->json) != JSON_OBJECT)
		return false;
	if (json_get(call->json, STR("_raw")).p && !json_get(json_get(t->json, STR("properties")), STR("_raw")).p)
		return false;
	return !t->json.n || json_schema_holds(t->json, call->json, j->arena, &broken);
}

static bool calls_hold(const struct judged *j)
{
	if (!j->whole || !j->calls || !j->asked || j->asked->freeform.n)
		return true;
	for (const struct chat_piece *p = j->choice->pieces; p; p = p->next)
		if (p->kind == PIECE_CALL && !arguments_hold(j, &p->call))
			return false;
	return true;
}

static bool finds_all(const struct judged *j)
{
	for (unsigned i = 0; j->whole && !(j->calls && !j->text.n) && i < j->checks->n_match; i++)
		if (!pattern_finds(j->checks->match[i], j->text))
			return false;
	return true;
}

static bool finds_any(const struct judged *j)
{
	for (unsigned i = 0; i < j->checks->n_deny; i++)
		if (pattern_finds(j->checks->deny[i], j->text))
			return true;
	return false;
}

static enum cascade_check choice_fails(const struct judged *j)
{
	const struct cascade_checks *k = j->checks;
	if (k->finish && !finished(j))
		return CHECK_FINISH;
	if (k->refusals && (j->refused || cascade_is_refusal(j->text)))
		return CHECK_REFUSAL;
	if (!length_fits(j))
		return CHECK_LENGTH;
	if (wants_json(j) && !is_json(j))
		return CHECK_JSON;
	if (wants_json(j) && !keeps_schema(j))
		return CHECK_SCHEMA;
	if (k->tools && !calls_hold(j))
		return CHECK_TOOLS;
	if (!finds_all(j))
		return CHECK_MATCH;
	if (finds_any(j))
		return CHECK_DENY;
	return k->rules && !(j->calls && !j->text.n) && !k->rules_pass(k->rules, j->text) ? CHECK_RULES : CASCADE_CHECKS;
}

enum cascade_check cascade_fails(const struct cascade_checks *k, const struct chat *asked, const struct cascade_answer *of, struct arena *a)
{
	for (const struct chat_choice *c = of->answer->choices; c; c = c->next) {
		struct judged j = { .checks = k, .asked = asked, .choice = c, .arena = a, .whole = of->whole };
		read_choice(&j);
		enum cascade_check failed = choice_fails(&j);
		if (failed != CASCADE_CHECKS)
			return failed;
	}
	if (k->confidence && of->log_probability <= 0 && 100 * exp(of->log_probability) < k->confidence)
		return CHECK_CONFIDENCE;
	return CASCADE_CHECKS;
}

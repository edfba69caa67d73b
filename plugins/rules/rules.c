/*
 * rules.c: what needs no model is answered by a rule; the first that matches decides.
 */
#include "rules/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/command.h"
#include "rules/stand_in.h"

/* --- templates --- */

static struct weir_text text_of(const char *s)
{
	return (struct weir_text){ s, strlen(s) };
}

/* A column that the table does not have: the braces stay. */
static struct weir_text cell(const struct match *m, struct weir_text column)
{
	size_t i;
	return table_column(m->rows, column, &i) ? table_field(m->rows, m->row, i) : (struct weir_text){ NULL, 0 };
}

static struct weir_text value_of(const struct rules *rules, struct weir_text name, struct weir_request *r, const struct match *m,
				 char *room, size_t size)
{
	const struct weir_host *weir = rules->weir;
	struct weir_time now = { .size = sizeof(now) };
	if (name.n == 1 && name.p[0] >= '0' && name.p[0] <= '9') {
		unsigned i = (unsigned)(name.p[0] - '0');
		return i < m->n ? m->captures[i] : (struct weir_text){ "", 0 };
	}
	if (name.n > 4 && memcmp(name.p, "tag.", 4) == 0)
		return weir->tag(r, (struct weir_text){ name.p + 4, name.n - 4 });
	if (text_is(name, "key") || text_is(name, "team"))
		return weir->fact(r, text_is(name, "key") ? WEIR_KEY : WEIR_TEAM);
	if (text_is(name, "question") && m->answer.question.p)
		return m->answer.question;
	if (text_is(name, "answer") && m->answer.question.p)
		return m->answer.answer;
	if (text_is(name, "class") && m->class.p)
		return m->class;
	if (text_is(name, "language") && m->language)
		return text_of(m->language);
	if (name.n > 4 && memcmp(name.p, "row.", 4) == 0 && m->rows)
		return cell(m, (struct weir_text){ name.p + 4, name.n - 4 });
	if (m->worked.asked.p && (text_is(name, "result") || text_is(name, "unit") || text_is(name, "asked")))
		return text_is(name, "asked") ? m->worked.asked : text_of(text_is(name, "unit") ? m->worked.unit : m->worked.result);
	if (text_is(name, "model"))
		return weir->fact(r, WEIR_MODEL);
	if (!text_is(name, "date") && !text_is(name, "time"))
		return (struct weir_text){ NULL, 0 };
	weir->local_time(rules->utc, weir->now(r), &now);
	int n = text_is(name, "date") ? snprintf(room, size, "%04d-%02d-%02d", now.year, now.month, now.day) :
					snprintf(room, size, "%02d:%02d", now.minute / 60, now.minute % 60);
	return (struct weir_text){ room, (size_t)n };
}

/* Empty, and yet a value. */
static bool may_be_empty(struct weir_text name)
{
	return text_is(name, "key") || text_is(name, "team") || (name.n > 4 && memcmp(name.p, "tag.", 4) == 0);
}

/* How long it is filled in; written where `out` is given. What is no name in braces stays as it is written. */
static size_t fill(const struct rules *rules, struct weir_text text, struct weir_request *r, const struct match *m, char *out)
{
	char room[32];
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		struct weir_text put = { text.p + i, 1 };
		const char *end = text.p[i] == '{' ? memchr(text.p + i, '}', text.n - i) : NULL;
		struct weir_text name = { text.p + i + 1, end ? (size_t)(end - text.p) - i - 1 : 0 };
		struct weir_text value = end ? value_of(rules, name, r, m, room, sizeof(room)) : (struct weir_text){ NULL, 0 };
		if (end && (value.p || may_be_empty(name))) {
			put = value;
			i = (size_t)(end - text.p);
		}
		if (out && put.n)
			memcpy(out + n, put.p, put.n);
		n += put.n;
	}
	return n;
}

/* False: no memory. Of a text without braces there is no copy. */
static bool template_fill(const struct rules *rules, struct weir_text text, struct weir_request *r, const struct match *m, struct filled *out)
{
	out->heap = NULL;
	out->text = text;
	if (!text.n || !memchr(text.p, '{', text.n))
		return true;
	size_t n = fill(rules, text, r, m, NULL);
	char *p = n <= sizeof(out->room) ? out->room : (out->heap = malloc(n));
	if (!p)
		return false;
	out->text = (struct weir_text){ p, fill(rules, text, r, m, p) };
	return true;
}

static void filled_free(struct filled *f)
{
	free(f->heap);
}

/* --- the hooks --- */

static void *configure(const struct weir_host *weir, struct weir_setup *s, const struct weir_node *config)
{
	const struct weir_node *file = config ? config->first : NULL;
	if (!file || !text_is(file->key, "file") || file->kind != WEIR_SCALAR || file->next) {
		weir->tell(s, WEIR_ERROR, NULL, config ? config->line : 0, config ? config->column : 0,
			   "rules needs `config: { file: ... }` and nothing else");
		return NULL;
	}
	return rules_load(weir, s, file->value.p);
}

static void release(void *self)
{
	rules_free(self);
}

static void set_tags(const struct rules *rules, const struct rule *rule, struct weir_request *r, const struct match *m)
{
	for (const struct setting *x = rule->tags; x; x = x->next) {
		struct filled value;
		if (!template_fill(rules, x->value, r, m, &value))
			continue;
		if (!rules->weir->set_tag(r, x->name, value.text))
			rules->weir->log(WEIR_WARNING, "rules: `%s` cannot set its tag `%s`: it has a comma, an equals sign, a control character or "
					 "more than 128 bytes", rule->name, x->name.p);
		filled_free(&value);
	}
}

static enum weir_verdict say(const struct rules *rules, const struct rule *rule, struct weir_request *r, const struct match *m)
{
	const struct weir_host *weir = rules->weir;
	enum weir_verdict verdict = WEIR_CONTINUE;
	struct filled said;
	if (!template_fill(rules, rule->answer.n ? rule->answer : rule->reject, r, m, &said))
		return WEIR_CONTINUE;
	if (rule->answer.n && weir->answer(r, said.text, rule->name))
		verdict = WEIR_ANSWER;
	else if (rule->reject.n && weir->reject(r, rule->status ? rule->status : 403, "rejected_by_rule", said.text, rule->name))
		verdict = WEIR_REJECT;
	filled_free(&said);
	return verdict;
}

static enum weir_verdict act(const struct rules *rules, const struct rule *rule, struct weir_request *r, const struct match *m)
{
	const struct weir_host *weir = rules->weir;
	for (const struct setting *x = rule->set; x; x = x->next)
		weir->set_parameter(r, x->name.p, x->value);
	set_tags(rules, rule, r, m);
	if (rule->cache)
		weir->set_cache(r, (enum weir_cache)rule->cache);
	if (rule->route.n)
		weir->set_model(r, rule->route);
	return rule->answer.n || rule->reject.n ? say(rules, rule, r, m) : WEIR_CONTINUE;
}

static void tell_cut_off(const struct rules *rules, const struct rule *rule, struct weir_request *r, bool exhausted)
{
	if (exhausted)
		rules->weir->log(WEIR_WARNING, "rules: the request is too long for so many rules: from `%s` on no text is looked at", rule->name);
	else
		rules->weir->log(WEIR_WARNING, "rules: a pattern of `%s` was cut off, it took too many steps", rule->name);
	rules->weir->cut_off(r, rule->name);
}

enum weir_verdict rules_request(const struct rules *rules, struct weir_request *r)
{
	struct grams grams;
	struct guesses guesses = { .grams = &grams };
	enum weir_verdict verdict = WEIR_CONTINUE;
	bool told = false;
	grams.of = (struct weir_text){ NULL, 0 };
	for (const struct rule *rule = rules->first; rule; rule = rule->next) {
		struct match m = { .guesses = &guesses };
		bool holds = !rule->when || condition_holds(rules, rule->when, r, &m);
		if (m.cut_off && !told)
			tell_cut_off(rules, rule, r, guesses.exhausted);
		told |= guesses.exhausted;
		if (!holds)
			continue;
		rules->weir->hit(r, rule->name);
		verdict = act(rules, rule, r, &m);
		break;
	}
	pcre2_match_data_free(guesses.room);
	free((char *)(uintptr_t)guesses.whole.p);
	free(guesses.any);
	return verdict;
}

static enum weir_verdict request(void *self, struct weir_request *r)
{
	return rules_request(self, r);
}

/* Of a rule only the rejection counts. */
static int check(void *self, struct weir_text text)
{
	struct stand_in s = { .text = text, .counts = { [WEIR_BODY_BYTES] = text.n, [WEIR_PIECES] = 1, [WEIR_MESSAGES] = 1 } };
	enum weir_verdict v = stand_in_ask(self, &s);
	stand_in_free(&s);
	return v != WEIR_REJECT;
}

WEIR_PLUGIN(rules) = {
	.abi = WEIR_PLUGIN_ABI, .size = sizeof(struct weir_plugin), .name = "rules", .version = "1", .configure = configure,
	.release = release, .request = request, .check = check, .command = rules_command,
};

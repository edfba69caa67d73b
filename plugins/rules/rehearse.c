/*
 * rehearse.c: `weir rules test`: the examples beside the rules, tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/command.h"
#include "rules/stand_in.h"

enum { SHOWN = 60 };

static bool is_met(const struct rule *rule, const struct example *e, const struct stand_in *s, enum weir_verdict v)
{
	bool mine = s->hit && strcmp(s->hit, rule->name) == 0;
	switch (e->expect) {
	case EXPECT_MATCH:  return mine;
	case EXPECT_ANSWER: return mine && v == WEIR_ANSWER;
	case EXPECT_REJECT: return mine && v == WEIR_REJECT;
	case EXPECT_ROUTE:  return mine && s->routed;
	case EXPECT_OTHER:  return !mine;
	case EXPECT_NONE:   return !s->hit;
	}
	return false;
}

static const char *words_of(enum expectation e)
{
	static const char *const words[] = {
		[EXPECT_MATCH] = "this rule to take it", [EXPECT_ANSWER] = "this rule to answer", [EXPECT_REJECT] = "this rule to reject it",
		[EXPECT_ROUTE] = "this rule to route it", [EXPECT_OTHER] = "this rule to leave it", [EXPECT_NONE] = "no rule to take it",
	};
	return words[e];
}

static const char *deed_of(const struct stand_in *s, enum weir_verdict v)
{
	return v == WEIR_ANSWER ? "answered" : v == WEIR_REJECT ? "rejected" : s->routed ? "routed" : "took";
}

static bool try(const struct rules *rules, const char *file, const struct rule *rule, const struct example *e)
{
	struct stand_in s = { .text = e->say, .earlier = e->earlier, .tags = e->tags, .headers = e->headers, .at = e->at };
	memcpy(s.facts, e->facts, sizeof(s.facts));
	memcpy(s.counts, e->counts, sizeof(s.counts));
	enum weir_verdict v = stand_in_ask(rules, &s);
	bool met = is_met(rule, e, &s, v), same = !e->text.n || (s.said && text_is(e->text, s.said));
	if (!met || !same)
		printf("%s:%u:%u: %s: \"%.*s%s\": ", file, e->line, e->column, rule->name, (int)(e->say.n < SHOWN ? e->say.n : SHOWN), e->say.p,
		       e->say.n > SHOWN ? "..." : "");
	if (!met && s.hit)
		printf("expected %s, but `%s` %s it\n", words_of(e->expect), s.hit, deed_of(&s, v));
	else if (!met)
		printf("expected %s, but no rule took it\n", words_of(e->expect));
	else if (!same)
		printf("expected \"%.*s\", but it said \"%s\"\n", (int)e->text.n, e->text.p, s.said ? s.said : "");
	stand_in_free(&s);
	return met && same;
}

int rules_test(const struct weir_host *weir, struct weir_setup *setup, int argc, char **argv)
{
	unsigned n = 0, failed = 0;
	struct rules *rules = argc == 2 ? rules_load(weir, setup, argv[1]) : NULL;
	if (argc != 2)
		fprintf(stderr, "usage: weir rules test RULES.yaml\n");
	if (!rules)
		return 2;
	for (const struct rule *r = rules->first; r; r = r->next)
		for (const struct example *e = r->examples; e; e = e->next) {
			n++;
			failed += !try(rules, argv[1], r, e);
		}
	printf("%s: %u examples, %u failed\n", argv[1], n, failed);
	rules_free(rules);
	return failed > 0;
}

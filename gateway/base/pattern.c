/*
 * pattern.c: PCRE2 is met here, by the gateway itself.
 */
#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, PAIRS = 1 };

struct pattern {
	pcre2_code *code;
	pcre2_match_context *limits;
};

struct pattern *pattern_new(struct str text, char *why)
{
	int error;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)(text.p ? text.p : ""), text.n, PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C |
					 PCRE2_MATCH_INVALID_UTF, &error, &at, NULL);
	if (!code) {
		PCRE2_UCHAR words[PATTERN_WHY - 32];
		pcre2_get_error_message(error, words, sizeof(words));
		snprintf(why, PATTERN_WHY, "%s, at character %zu", (const char *)words, (size_t)at + 1);
		return NULL;
	}
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	struct pattern *p = mem_alloc(sizeof(*p));
	p->code = code;
	p->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(p->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
	return p;
}

void pattern_free(void *pattern)
{
	struct pattern *p = pattern;
	if (!p)
		return;
	pcre2_code_free(p->code);
	pcre2_match_context_free(p->limits);
	free(p);
}

bool pattern_finds(const struct pattern *p, struct str text)
{
	pcre2_match_data *data = pcre2_match_data_create(PAIRS, NULL);
	int n = data ? pcre2_match(p->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0, 0, data, p->limits) : -1;
	pcre2_match_data_free(data);
	return n >= 0;
}

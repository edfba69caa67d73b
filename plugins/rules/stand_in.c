/*
 * stand_in.c: the host's functions over a struct stand_in, which is passed where a request is.
 */
#include "rules/stand_in.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct stand_in *of(struct weir_request *r)
{
	return (struct stand_in *)r;
}

static bool is_key(const struct weir_node *n, struct weir_text name)
{
	return n->key.n == name.n && memcmp(n->key.p, name.p, name.n) == 0;
}

static struct weir_text fact(struct weir_request *r, enum weir_fact f)
{
	return f == WEIR_LAST_TEXT ? of(r)->text : f < WEIR_FACTS ? of(r)->facts[f] : (struct weir_text){ NULL, 0 };
}

static uint64_t count(struct weir_request *r, enum weir_count c)
{
	return c < WEIR_COUNTS ? of(r)->counts[c] : 0;
}

static int piece(struct weir_request *r, unsigned i, struct weir_piece *out)
{
	const struct weir_node *n = of(r)->earlier ? of(r)->earlier->first : NULL;
	unsigned at = 0;
	for (; n && at < i; n = n->next)
		at++;
	if (at < i)
		return 0;
	out->role = WEIR_USER;
	out->message = i;
	out->text = n ? n->value : of(r)->text;
	return 1;
}

static struct weir_text parameter(struct weir_request *r, const char *name)
{
	(void)r;
	(void)name;
	return (struct weir_text){ NULL, 0 };
}

static struct weir_text tag(struct weir_request *r, struct weir_text name)
{
	for (unsigned i = of(r)->n_set; i > 0; i--)
		if (text_is(name, of(r)->set[i - 1].name.p) && of(r)->set[i - 1].value)
			return (struct weir_text){ of(r)->set[i - 1].value, strlen(of(r)->set[i - 1].value) };
	const struct weir_node *n = of(r)->tags ? of(r)->tags->first : NULL;
	while (n && !is_key(n, name))
		n = n->next;
	return n ? n->value : (struct weir_text){ NULL, 0 };
}

static struct weir_text header(struct weir_request *r, struct weir_text name)
{
	const struct weir_node *n = of(r)->headers ? of(r)->headers->first : NULL;
	while (n && !text_same(n->key, name))
		n = n->next;
	return n ? n->value : (struct weir_text){ NULL, 0 };
}

static int64_t now(struct weir_request *r)
{
	return of(r)->at ? of(r)->at : (int64_t)time(NULL);
}

/* --- what is done to it --- */

static int set_parameter(struct weir_request *r, const char *name, struct weir_text json)
{
	(void)r;
	(void)name;
	(void)json;
	return 1;
}

static int set_model(struct weir_request *r, struct weir_text model)
{
	of(r)->facts[WEIR_MODEL] = model;
	of(r)->routed = true;
	return 1;
}

static int set_tag(struct weir_request *r, struct weir_text name, struct weir_text value)
{
	struct stand_in *s = of(r);
	if (s->n_set == STAND_IN_TAGS)
		return 0;
	s->set[s->n_set].name = name;
	s->set[s->n_set++].value = strndup(value.p, value.n);
	return 1;
}

static int set_cache(struct weir_request *r, enum weir_cache c)
{
	(void)r;
	(void)c;
	return 1;
}

static int answer(struct weir_request *r, struct weir_text text, const char *why)
{
	(void)why;
	free(of(r)->said);
	of(r)->said = strndup(text.p, text.n);
	return 1;
}

static int reject(struct weir_request *r, int status, const char *code, struct weir_text message, const char *why)
{
	(void)status;
	(void)code;
	return answer(r, message, why);
}

static void hit(struct weir_request *r, const char *why)
{
	of(r)->hit = why;
}

void stand_in_free(struct stand_in *s)
{
	free(s->said);
	for (unsigned i = 0; i < s->n_set; i++)
		free(s->set[i].value);
}

static void cut_off(struct weir_request *r, const char *why)
{
	(void)r;
	(void)why;
}

enum weir_verdict stand_in_ask(const struct rules *rules, struct stand_in *s)
{
	struct weir_host host = *rules->weir;
	struct rules asked = *rules;
	host.fact = fact;
	host.count = count;
	host.piece = piece;
	host.parameter = parameter;
	host.tag = tag;
	host.header = header;
	host.now = now;
	host.set_parameter = set_parameter;
	host.set_model = set_model;
	host.set_tag = set_tag;
	host.set_cache = set_cache;
	host.answer = answer;
	host.reject = reject;
	host.hit = hit;
	host.cut_off = cut_off;
	asked.weir = &host;
	return rules_request(&asked, (struct weir_request *)s);
}

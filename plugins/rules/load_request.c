/*
 * load_request.c: conditions on what is not the text: a header, the time, and the language somebody writes in.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/load.h"

enum { DAY_MINUTES = 24 * 60, ALL_DAYS = 0x7f };

/* --- headers --- */

void read_header(struct load *l, struct condition *c, const struct weir_node *n)
{
	const struct weir_node *is = NULL;
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next) {
		if (text_is(v->key, "name") && v->kind == WEIR_SCALAR)
			c->name = v->value;
		else if (text_is(v->key, "is"))
			is = v;
		else
			WRONG(l, v, "`header`: expected a name, and what it `is`");
	}
	if (!c->name.n)
		WRONG(l, n, "`header`: expected { name: x-tenant, is: [acme, \"beta-*\"] }");
	if (is)
		read_values(l, c, is);
}

/* --- time --- */

static void read_day(struct load *l, struct condition *c, const struct weir_node *n)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	unsigned i = 0;
	while (i < 7 && !(n->kind == WEIR_SCALAR && text_is(n->value, days[i])))
		i++;
	if (i < 7)
		c->hours.days |= 1u << i;
	else
		WRONG(l, n, "`days`: expected mon, tue, wed, thu, fri, sat or sun");
}

static void read_days(struct load *l, struct condition *c, const struct weir_node *n)
{
	if (n->kind != WEIR_LIST)
		read_day(l, c, n);
	for (const struct weir_node *v = n->kind == WEIR_LIST ? n->first : NULL; v; v = v->next)
		read_day(l, c, v);
	if (!l->bad && !c->hours.days)
		WRONG(l, n, "`days`: the list is empty, so it never holds");
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void read_clock(struct load *l, int *to, const struct weir_node *n)
{
	const char *p = n->kind == WEIR_SCALAR && n->value.n == 5 ? n->value.p : "";
	int hour = -1, minute = -1;
	if (is_digit(p[0]) && is_digit(p[1]) && p[2] == ':' && is_digit(p[3]) && is_digit(p[4])) {
		hour = 10 * (p[0] - '0') + p[1] - '0';
		minute = 10 * (p[3] - '0') + p[4] - '0';
	}
	*to = 60 * hour + minute;
	if (hour < 0 || minute > 59 || *to > DAY_MINUTES)
		WRONG(l, n, "`%.*s`: expected a time from 00:00 to 24:00", (int)n->key.n, n->key.p);
}

static void read_zone(struct load *l, struct condition *c, const struct weir_node *n)
{
	c->hours.zone_name = n->value;
	c->hours.zone = n->kind == WEIR_SCALAR ? l->weir->zone(l->setup, n->value) : NULL;
	if (!c->hours.zone)
		WRONG(l, n, "`zone`: expected UTC, an offset such as +02:00, or a name such as Europe/Berlin");
}

void read_time(struct load *l, struct condition *c, const struct weir_node *n)
{
	c->hours = (struct hours){ .from = 0, .to = DAY_MINUTES };
	if (n->kind != WEIR_MAP || !n->first)
		WRONG(l, n, "`time`: expected { days: [mon, fri], from: \"08:00\", to: \"18:00\", zone: Europe/Berlin }");
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next) {
		if (text_is(v->key, "days"))
			read_days(l, c, v);
		else if (text_is(v->key, "from"))
			read_clock(l, &c->hours.from, v);
		else if (text_is(v->key, "to"))
			read_clock(l, &c->hours.to, v);
		else if (text_is(v->key, "zone"))
			read_zone(l, c, v);
		else
			WRONG(l, v, "`time` has no `%.*s`: days, from, to, zone", (int)v->key.n, v->key.p);
	}
	if (!c->hours.days)
		c->hours.days = ALL_DAYS;
	if (!c->hours.zone && !l->bad)
		c->hours.zone = l->weir->zone(l->setup, c->hours.zone_name = (struct weir_text){ "UTC", 3 });
	if (!l->bad && c->hours.from == c->hours.to)
		WRONG(l, n, "`time`: it ends when it begins, so it never holds");
}

/* --- languages --- */

void read_language(struct load *l, struct condition *c, const struct weir_node *n)
{
	read_values(l, c, n);
	if (!l->rules->languages)
		l->rules->languages = languages_new();
	for (unsigned i = 0; i < c->n; i++) {
		int found = language_find(c->values[i]);
		if (found < 0)
			WRONG(l, n, "`language`: `%.*s` is none that is known: %s", (int)c->values[i].n, c->values[i].p, language_codes());
		else
			c->number |= UINT64_C(1) << found;
	}
	if (!l->rules->languages)
		WRONG(l, n, "`language`: out of memory");
}

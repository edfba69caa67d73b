/*
 * load_class.c: `class: { file: ..., is: ..., at_least: ... }`. A classifier that several rules ask is read once, and asked
 * once for each request.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/load.h"

static const double LEAST = 0.8;

static struct model *find(const struct rules *rules, struct weir_text file)
{
	struct model *m = rules->models;
	while (m && !text_is(file, m->file))
		m = m->next;
	return m;
}

static struct model *open_model(struct load *l, const struct weir_node *n)
{
	struct classifier_mistake mistake;
	struct weir_text text = read_whole(l, n);
	struct classifier *c = l->bad ? NULL : classifier_read(text, &mistake);
	if (!l->bad && !c) {
		l->bad = true;
		l->weir->tell(l->setup, WEIR_ERROR, n->value.p, mistake.line, 1, "%s", mistake.what);
	}
	if (!c)
		return NULL;
	struct model *m = load_new(1, sizeof(*m));
	*m = (struct model){ n->value.p, c, l->rules->models ? l->rules->models->number + 1 : 0, l->rules->models };
	l->rules->models = m;
	if (m->number >= MODELS_MAX)
		WRONG(l, n, "the rules ask more than %d classifiers", MODELS_MAX);
	return m;
}

static void read_name(struct load *l, struct condition *c, const struct weir_node *n)
{
	char known[512] = "";
	int found = n->kind == WEIR_SCALAR ? classifier_find(c->model->classifier, n->value) : -1;
	if (found >= 0) {
		c->number |= UINT64_C(1) << found;
		return;
	}
	for (unsigned i = 0; i < classifier_classes(c->model->classifier); i++) {
		const char *name = classifier_name(c->model->classifier, i).p;
		if (strlen(known) + strlen(name) + 3 < sizeof(known))
			strcat(strcat(known, i ? ", " : ""), name);
	}
	WRONG(l, n, "`is`: the classifier knows no `%.*s`, but %s", (int)n->value.n, n->value.p ? n->value.p : "", known);
}

static void read_names(struct load *l, struct condition *c, const struct weir_node *n)
{
	if (n->kind != WEIR_LIST)
		read_name(l, c, n);
	for (const struct weir_node *v = n->kind == WEIR_LIST ? n->first : NULL; v; v = v->next)
		read_name(l, c, v);
	if (!l->bad && !c->number)
		WRONG(l, n, "`is`: the list is empty, so it never holds");
}

void read_class(struct load *l, struct condition *c, const struct weir_node *n)
{
	const struct weir_node *file = NULL, *is = NULL;
	c->least = LEAST;
	if (n->kind != WEIR_MAP)
		WRONG(l, n, "`class`: expected { file: ..., is: ..., at_least: 0.8 }");
	for (const struct weir_node *v = n->kind == WEIR_MAP ? n->first : NULL; v; v = v->next) {
		if (text_is(v->key, "file"))
			file = v;
		else if (text_is(v->key, "is"))
			is = v;
		else if (text_is(v->key, "at_least"))
			read_least(l, c, v);
		else
			WRONG(l, v, "`class` has no `%.*s`: file, is, at_least", (int)v->key.n, v->key.p);
	}
	if (!l->bad && (!file || !is))
		WRONG(l, n, "`class` needs a `file`, made by `weir rules train`, and the name it `is`");
	if (l->bad)
		return;
	if (file->kind == WEIR_SCALAR && file->value.n)
		c->model = find(l->rules, file->value);
	if (!c->model)
		c->model = open_model(l, file);
	if (c->model)
		read_names(l, c, is);
}

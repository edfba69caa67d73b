/*
 * models.c: GET /v1/models and /v1/models/{id}.
 *
 * One superset object serves both dialects: OpenAI's clients read object, created and
 * owned_by, Anthropic's read type, display_name, created_at and the outer has_more.
 * Google's clients get a list of their own shape. Shown are the aliases and the targets written out, as far as the key may use them;
 * where none are written, what the price table knows of the providers there are, for clients whose menus come from this list.
 */
#include "api/models.h"

#include <time.h>

#include "api/answer_writer.h"
#include "api/endpoints.h"
#include "core/call.h"
#include "core/may_use.h"
#include "core/snapshot.h"
#include "wire/url.h"

enum { LIST_MAX = 8 * 1024 * 1024 };

static void write_model(struct buf *out, struct str id, struct str owner, int64_t created_s)
{
	char date[32];
	struct tm tm;
	time_t when = (time_t)created_s;
	gmtime_r(&when, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_add(out, STR("{\"id\":"));
	buf_add_json(out, id);
	buf_addf(out, ",\"object\":\"model\",\"type\":\"model\",\"created\":%lld,\"created_at\":\"%s\",\"display_name\":",
		 (long long)created_s, date);
	buf_add_json(out, id);
	buf_add(out, STR(",\"owned_by\":"));
	buf_add_json(out, owner);
	buf_add(out, STR("}"));
}

/* Google's clients ask below /v1beta, or with their own header. */
static bool for_google(const struct txn *t)
{
	return str_starts(t->req->path, STR("/v1beta")) || t->req->header[RH_GOOG_API_KEY].p;
}

static void write_google(struct buf *out, struct str id)
{
	struct buf name = BUF_INIT(4096);
	buf_addf(&name, "models/%.*s", STR_FMT(id));
	buf_add(out, STR("{\"name\":"));
	buf_add_json(out, buf_str(&name));
	buf_add(out, STR(",\"displayName\":"));
	buf_add_json(out, id);
	buf_add(out, STR(",\"supportedGenerationMethods\":[\"generateContent\",\"streamGenerateContent\",\"countTokens\"]}"));
	buf_free(&name);
}

/* A target whose name is also an alias' only target is still a name of its own. */
struct listing {
	struct txn *t;
	struct buf *out;
	struct str first, last;
};

static void list_one(struct listing *l, struct str id, struct str owner, int64_t created_s)
{
	if (!may_use(l->t, id))
		return;
	if (l->first.p)
		buf_addc(l->out, ',');
	else
		l->first = id;
	l->last = id;
	if (for_google(l->t))
		write_google(l->out, id);
	else
		write_model(l->out, id, owner, created_s);
}

static bool listed_before(const struct snapshot *s, unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (str_eq(s->targets[j]->name, s->targets[i]->name))
			return true;
	return snapshot_model(s, s->targets[i]->name) != NULL;
}

static int64_t created_of(const struct snapshot *s)
{
	return s->n_models ? s->models[0]->created_s : 0;
}

/* The preset's part of a table, under the provider's own name. */
static void list_known(struct listing *l, const struct provider *p, unsigned book)
{
	const struct pricing *prices = &l->t->snapshot->pricing;
	const struct price_book *b = prices->books[book];
	struct str vendor = arena_printf(&l->t->arena, "%.*s/", STR_FMT(p->preset));
	for (size_t i = 0; i < b->n; i++) {
		struct str model = str_skip(b->rows[i].name, vendor.n);
		bool shown = !str_starts(b->rows[i].name, vendor);
		for (unsigned above = 0; above < book && !shown; above++)
			shown = price_book_find(prices->books[above], p->preset, model) != NULL;
		if (!shown)
			list_one(l, arena_printf(&l->t->arena, "%.*s/%.*s", STR_FMT(p->name), STR_FMT(model)), p->name, 0);
	}
}

static void list_all(struct listing *l)
{
	const struct snapshot *s = l->t->snapshot;
	for (unsigned i = 0; i < s->n_models; i++)
		if (!s->models[i]->pattern)
			list_one(l, s->models[i]->name, STR("weir"), s->models[i]->created_s);
	for (unsigned i = 0; i < s->n_targets; i++)
		if (s->targets[i]->provider->usable && !listed_before(s, i))
			list_one(l, s->targets[i]->name, s->targets[i]->provider->name, created_of(s));
	for (unsigned i = 0; i < s->n_providers && !s->n_models; i++)
		for (unsigned book = 0; book < s->pricing.n; book++)
			if (s->providers[i]->usable && !str_empty(s->providers[i]->preset))
				list_known(l, s->providers[i], book);
}

enum stage_result models_list(struct txn *t)
{
	struct buf out = BUF_INIT(LIST_MAX);
	struct listing l = { .t = t, .out = &out };
	if (for_google(t)) {
		buf_add(&out, STR("{\"models\":["));
		list_all(&l);
		buf_add(&out, STR("]}\n"));
		enum stage_result google = answer_json(t, 200, buf_str(&out));
		buf_free(&out);
		return google;
	}
	buf_add(&out, STR("{\"object\":\"list\",\"data\":["));
	list_all(&l);
	buf_add(&out, STR("],\"has_more\":false,\"first_id\":"));
	if (l.first.p)
		buf_add_json(&out, l.first);
	else
		buf_add(&out, STR("null"));
	buf_add(&out, STR(",\"last_id\":"));
	if (l.last.p)
		buf_add_json(&out, l.last);
	else
		buf_add(&out, STR("null"));
	buf_add(&out, STR("}\n"));
	enum stage_result r = answer_json(t, 200, buf_str(&out));
	buf_free(&out);
	return r;
}

/* "provider/model", written out or not, or a bare name that the price table knows of a provider: that one. */
static const struct provider *provider_of(const struct snapshot *s, struct str id)
{
	ptrdiff_t slash = str_chr(id, '/');
	const struct provider *p = slash > 0 && (size_t)slash + 1 < id.n ? snapshot_provider(s, str_head(id, (size_t)slash)) : NULL;
	if (p)
		return p->usable ? p : NULL;
	for (unsigned i = 0; i < s->n_providers; i++)
		if (s->providers[i]->usable && s->providers[i]->preset.n && pricing_knows(&s->pricing, s->providers[i]->preset, id))
			return s->providers[i];
	return NULL;
}

static const struct model *alias_of(const struct snapshot *s, struct str id)
{
	const struct model *m = snapshot_model(s, id);
	for (unsigned i = 0; i < s->n_models && !m; i++)
		if (s->models[i]->pattern && str_glob(s->models[i]->name, id))
			m = s->models[i];
	return m;
}

enum stage_result models_one(struct txn *t)
{
	const struct snapshot *s = t->snapshot;
	struct str id = str_skip(t->call->path, sizeof("/models/") - 1);
	if (!url_decode(&t->arena, id, false, &id))
		return txn_error(t, ERR_BAD_REQUEST, "The model's name in the path is not properly encoded.");
	const struct model *m = alias_of(s, id);
	const struct provider *p = m ? NULL : provider_of(s, id);
	if ((!m && !p) || !may_use(t, id))
		return txn_error(t, ERR_NO_MODEL, "The model `%.*s` does not exist here.", STR_FMT(str_head(id, 200)));
	struct buf out = BUF_INIT(4096);
	if (for_google(t))
		write_google(&out, id);
	else
		write_model(&out, id, m ? STR("weir") : p->name, m ? m->created_s : created_of(s));
	buf_addc(&out, '\n');
	enum stage_result r = answer_json(t, 200, buf_str(&out));
	buf_free(&out);
	return r;
}

static enum stage_result enter(struct txn *t)
{
	return t->endpoint->route == ROUTE_HERE ? t->endpoint->answer(t) : STAGE_NEXT;
}

const struct stage local_stage = { .name = "local", .enter = enter };

/*
 * build_definition.c: one digest of all in a model's or a provider's configuration that decides on answers; the cache's
 * keys are over it.
 *
 * Whatever is written counts, as it is written, options of later versions among it; but for those that are listed here.
 */
#include "config/build.h"
#include "core/dialect.h"

/*
 * When its targets are asked, how often, how long, in which order of the moment and at what price: any of them may answer
 * anyway. How long answers are kept, and apart from which others: that stands in keys by itself, as do its targets and
 * those of the models it falls back on, with each one's own definition.
 */
static const char model_apart[] = "timeouts retry max_cost_usd max_share affinity explore queue hedge cache cache_ttl cache_namespace targets fallbacks ladder";

/* Who pays, how that is proven, on which way it is reached, and how many requests it gets. */
static const char provider_apart[] = "api_key api_keys credential profile access_key_id secret_access_key session_token role_arn aws_service "
	"tenant_id client_id client_secret token_file scope token_endpoint credentials_file models free local max_concurrent health "
	"allow_private_address allow_plaintext proxy tls";

void build_add_tree(struct buf *b, const struct node *n)
{
	buf_add_part(b, n->key);
	buf_add_part(b, n->value);
	buf_addf(b, "%d%d%u ", n->kind, n->quoted, n->n);
	for (const struct node *c = n->first; c; c = c->next)
		build_add_tree(b, c);
}

static void add_written(struct buf *b, const struct node *map, const char *apart)
{
	for (const struct node *n = map && map->kind == NODE_MAP ? map->first : NULL; n; n = n->next)
		if (!str_among(n->key, apart))
			build_add_tree(b, n);
}

static void end(struct buf *b, uint8_t digest[DIGEST_SIZE])
{
	digest_sha256(buf_str(b), digest);
	buf_free(b);
}

void build_model_definition(const struct node *n, const struct buf *said, struct model *m)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	add_written(&b, n, model_apart);
	buf_add_part(&b, buf_str(said));
	for (unsigned i = 0; i < m->n_targets && (m->strategy == STRATEGY_ORDERED || m->cascade); i++)
		buf_add_part(&b, m->targets[i]->name);	/* their order is part of it */
	end(&b, m->definition);
}

/* What the preset and the environment made of it, too. */
void build_provider_definition(const struct node *n, struct provider *p)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	const struct dialect *spoken[] = { p->dialect, p->also[0], p->also[1] };
	const struct str parts[] = { p->preset, p->origin.host_header, p->origin.unix_path, p->base_path, p->api_version, p->region };
	for (size_t i = 0; i < array_len(spoken); i++)
		buf_add_part(&b, spoken[i] ? str_c(spoken[i]->name) : STR_NONE);
	for (size_t i = 0; i < array_len(parts); i++)
		buf_add_part(&b, parts[i]);
	buf_addf(&b, "%u %d %d ", p->quirks, p->origin.tls, p->demo);
	add_written(&b, n, provider_apart);
	end(&b, p->definition);
}

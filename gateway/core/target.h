/*
 * target.h: where requests can be sent, as one immutable snapshot describes it.
 *
 * Everything here is built by config/ and read by the stages; it never changes and lives
 * as long as its snapshot. What changes (health, slots, means) is in core/live.h, which
 * outlives snapshots and is reached through the `live` pointers.
 */
#ifndef WEIR_CORE_TARGET_H
#define WEIR_CORE_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"

struct cascade;
struct dialect;
struct limit_set;
struct model_list;
struct live_credential;
struct live_model;
struct live_target;
struct live_token;
struct price;
struct tls_context;

/* How a credential travels. */
enum credential_scheme {
	CREDENTIAL_NONE,
	CREDENTIAL_BEARER,	/* Authorization: Bearer SECRET */
	CREDENTIAL_HEADER,	/* a header of the preset's name: SECRET */
	CREDENTIAL_QUERY	/* a query parameter */
};

/* What a vendor of the OpenAI-compatible kind does differently. */
enum quirk {
	QUIRK_NO_STREAM_OPTIONS    = 1 << 0,	/* refuses stream_options; usage comes unasked or not at all */
	QUIRK_MAX_TOKENS_ONLY      = 1 << 1,	/* knows max_tokens, not max_completion_tokens */
	QUIRK_COMPLETION_EXCLUDES_REASONING = 1 << 2,	/* output = completion + reasoning */
	QUIRK_NO_DONE              = 1 << 3,	/* streams end without [DONE] */
	QUIRK_AZURE_DEPLOYMENTS    = 1 << 4,	/* /openai/deployments/{model}/... with api-version */
	QUIRK_MODEL_IN_BODY_ANY    = 1 << 5,	/* ignores the model's name */
	QUIRK_RERANK_ROOT          = 1 << 6,	/* /rerank outside the /v1 prefix */
	QUIRK_MESSAGES             = 1 << 7,	/* speaks Anthropic's Messages, too, at /messages under its base URL */
	QUIRK_MESSAGES_KEY         = 1 << 8,	/* with the credential in x-api-key there */
	QUIRK_TAKES_REASONING      = 1 << 9,	/* wants reasoning_content of earlier turns back */
	QUIRK_NO_RESPONSES         = 1 << 10,	/* is asked for chat where callers speak Responses */
	QUIRK_RAW_PREDICT          = 1 << 11,	/* Messages by way of Vertex: the model in the path, the version in the body */
	QUIRK_THINKING_TYPE        = 1 << 12,	/* its models stop thinking by {"thinking": {"type": "disabled"}} */
	QUIRK_EFFORT_NONE          = 1 << 13,	/* and these by reasoning_effort none */
	QUIRK_TRY_RESPONSES        = 1 << 14	/* nobody knows whether it takes Responses: its first answer tells */
};

/* scheme://host:port, resolved off the loop; shared by providers of the same place. */
struct origin {
	bool tls;
	struct str host;		/* without brackets */
	uint16_t port;
	struct str unix_path;		/* unix sockets: host and port are then for the Host header only */
	struct str host_header;		/* as it goes into Host: */
	bool allow_private;		/* loopback, RFC 1918, link-local ... may be connected */
	struct str proxy;		/* empty: direct. Otherwise the general transport is used */
	struct tls_context *tls_context;	/* owned by the snapshot; NULL for plain */
	struct resolved *resolved;	/* process-wide address set of host:port, see base/resolver.h */
};

struct credential {
	struct str secret;		/* wiped when the snapshot dies; never logged */
	struct str label;		/* "groq[1]": for logs and metrics */
	struct live_credential *live;
	struct live_token *token;	/* of one that is fetched or signs, instead of `secret`: core/token.h; NULL */
};

enum { CREDENTIALS_MAX = 16 };

struct provider_header {
	struct str name, value;
};

struct provider {
	struct str name;
	struct str preset;		/* empty for none */
	const struct dialect *dialect;	/* what callers of other dialects are translated into */
	const struct dialect *also[2];	/* further ones it speaks; NULL: none */
	struct origin origin;
	struct str base_path;		/* "/v1", "/openai/v1", "" ; no slash at the end */
	struct str api_version;		/* Azure */
	unsigned quirks;		/* enum quirk */
	enum credential_scheme scheme;
	struct str scheme_name;		/* header or parameter */
	struct str credential_variable;	/* what to set in the environment, for messages */
	struct credential credentials[CREDENTIALS_MAX];
	unsigned n_credentials;
	bool caller_credential;		/* credential: caller, the caller's own key is sent */
	bool usable;			/* has a credential, needs none, or uses the caller's */
	bool demo;			/* the built-in demonstration provider: no network */
	bool free;
	bool local;			/* a local server's preset, or said so */
	struct str owns;		/* prefixes of model names that are this vendor's own, separated by blanks */
	struct str region;
	struct str aws_service;		/* that signatures are for */
	struct str health_path;		/* empty: no active checks */
	int max_concurrent;		/* 0: no limit */
	int64_t fetch_max;		/* bytes of an image or document that is fetched for it; 0: none are */
	const struct provider_header *headers;	/* extra ones, always sent */
	unsigned n_headers;
	uint8_t definition[DIGEST_SIZE];	/* of all in the configuration that decides on what it answers */
};

struct target {
	struct provider *provider;
	struct str model;		/* the vendor's name for it */
	struct str name;		/* "provider/model" */
	int weight;			/* default 1 */
	int quality;			/* 0: not said */
	int64_t context, max_output;	/* tokens; 0: unknown */
	unsigned features;		/* enum feature, as far as features_known */
	bool features_known;
	bool responses_only;		/* it answers under /responses alone */
	bool free;
	int32_t retires;		/* yyyymmdd; 0: not known */
	const struct price *price;	/* lives as long as the process; NULL: unknown. See core/price_book.h */
	int max_concurrent;		/* 0: no limit */
	struct live_target *live;	/* NULL in a pattern's template, whose targets are made per request */
};

enum strategy_kind { STRATEGY_ORDERED, STRATEGY_WEIGHTED, STRATEGY_CHEAPEST, STRATEGY_FASTEST, STRATEGY_LEAST_BUSY,
		     STRATEGY_CASCADE };
enum stream_failure { STREAM_FAILURE_ERROR, STREAM_FAILURE_RESUME };
enum uncertain { UNCERTAIN_NEXT, UNCERTAIN_NEVER };

struct timeouts {
	int64_t connect_us, first_token_us, idle_us, total_us;
};

struct retry {
	int attempts;		/* in all, first one included */
	int same_target;	/* further tries of one target, only when provably unprocessed */
	int64_t backoff_us;
	enum uncertain uncertain;
};

/* What every target of a model must be, on its own rung and on all below it. */
struct requires {
	unsigned features;		/* enum feature */
	int64_t context;		/* tokens; 0: any */
	int quality;
	struct str region;		/* of the provider; empty: any */
};

/* How a model chooses among its targets, beside its strategy. */
struct routing_policy {
	struct requires requires;
	int64_t max_cost;		/* nano-dollars, all attempts together; 0: no ceiling */
	int max_share;			/* per cent of requests for one provider; 0: no limit */
	int on_unsupported;		/* enum on_unsupported: fields that a target's format cannot carry */
	bool cache;			/* its answers may be kept and given again */
	int64_t cache_ttl_us;		/* 0: as all */
	struct str cache_namespace;	/* empty: as all */
	bool affinity;
	int explore;			/* per cent of requests that look elsewhere */
	int64_t queue_wait_us;		/* for a place at a full target */
	int queue_length;
	int hedge_quantile;		/* per cent; 0: no second attempts */
	int hedge_share;		/* per cent of cost they may add */
};

/* What a model falls back on when none of its targets, nor of its other models', answers: in this order. */
enum ladder_rung { LADDER_STALE, LADDER_RULE };
enum { LADDER_MAX = 2 };

/* A name applications ask for. */
struct model {
	struct str name;		/* an alias, or a pattern with `*` */
	bool pattern;
	enum strategy_kind strategy;
	struct target *const *targets;
	unsigned n_targets;
	struct timeouts timeouts;
	struct retry retry;
	enum stream_failure on_stream_failure;
	struct routing_policy policy;
	bool content_policy_next;	/* a content-policy refusal may be tried elsewhere */
	struct str const *fallbacks;	/* names of other models, tried after the targets */
	unsigned n_fallbacks;
	const struct cascade *cascade;	/* of that strategy; NULL */
	uint8_t ladder[LADDER_MAX];	/* enum ladder_rung */
	unsigned n_ladder;
	uint8_t definition[DIGEST_SIZE];	/* of all in its configuration that decides on answers, beside its targets themselves */
	int64_t created_s;		/* for the model list */
	struct live_model *live;
};

/* A virtual key. The secret itself is not here. */
struct key {
	struct str name, team;
	uint8_t digest[32];
	const struct str *models;	/* patterns; none: all */
	unsigned n_models;
	const struct str *team_models;	/* what its team may use; none: all */
	unsigned n_team_models;
	const struct model_list *const *lists;	/* of tags and end users, its team's included: core/may_use.h */
	unsigned n_lists;
	bool asks_user;			/* something here is of end users: the body's `user` is read */
	const struct limit_set *limits;	/* its own and its team's; NULL: none */
	signed char cache;		/* 1, -1: its answers may be kept, or not, whatever the model says; 0: nothing is said */
	struct str cache_namespace;
	struct live_key *live;
};

#endif

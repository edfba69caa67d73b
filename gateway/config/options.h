/*
 * options.h: every option there is, in one table for each kind of record.
 *
 * A row says all there is to know about an option: its path, type, where the value goes,
 * its default, its words. Loader, `weir check`, the JSON Schema, conf/weir.full.yaml, the
 * reference page and the environment's names are read from these rows.
 */
#ifndef WEIR_CONFIG_OPTIONS_H
#define WEIR_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/tree.h"
#include "core/cascade.h"
#include "core/snapshot.h"

enum option_type {
	OPTION_BOOL,		/* bool */
	OPTION_COUNT,		/* unsigned */
	OPTION_INT,		/* int */
	OPTION_INT64,		/* int64_t */
	OPTION_SIZE,		/* uint64_t bytes */
	OPTION_DURATION,	/* int64_t microseconds */
	OPTION_STRING,		/* struct str */
	OPTION_SECRET,		/* struct str, never shown */
	OPTION_STRINGS,		/* struct option_strings; a single string is a list of one */
	OPTION_SECRETS,		/* the same, never shown; empty ones are dropped */
	OPTION_AUTO,		/* unsigned; 0 for the word auto */
	OPTION_WORD,		/* int: index in `words` */
	OPTION_NODE,		/* const struct node *: read by its own code */
	OPTION_MONEY		/* int64_t nano-dollars, of dollars with at most nine decimals */
};

struct option_strings {
	struct str *items;
	unsigned n;
};

struct option {
	const char *path;	/* dotted, below the record */
	enum option_type type;
	size_t offset;
	const char *fallback;	/* default as written; NULL: none */
	const char *words;	/* OPTION_WORD: the words, separated by blanks; numbers, sizes, durations: "least most" */
	bool at_start;		/* a reload does not change it */
	const char *help;
};

struct option_table {
	const char *name;	/* "settings", "providers.*" ... */
	const struct option *rows;
	size_t n;
};

/* Intermediate records, before they are checked against each other. */
struct tls_draft {
	struct str certificate, key, client_ca, client_crl;
	const struct node *certificates;
};

struct settings_draft {
	struct settings s;
	struct option_strings addresses, cors_origins, jwt_audiences;
	struct tls_draft tls;
	int log_level, uncertain, unpriced;
	struct str prices_file;
	int alerts_format;
	const struct node *breaker, *providers, *models, *keys, *teams, *prices, *plugins;
};

/* In the order of the option's words. */
enum credential_kind { CREDENTIAL_OWN, CREDENTIAL_CALLER, CREDENTIAL_STATIC, CREDENTIAL_AWS, CREDENTIAL_GOOGLE, CREDENTIAL_ENTRA,
		       CREDENTIAL_MANAGED };

struct provider_draft {
	int responses;			/* auto relay translate */
	struct str preset, dialect, base_url, api_key, region, project, location, account, workspace, resource;
	struct str api_version, health, proxy, ca_file, certificate, key;
	/* Who we are, where that is not a key: config/build_identity.c. */
	struct str access_key_id, secret_access_key, session_token, aws_service, profile, role_arn;
	struct str tenant_id, client_id, client_secret, token_file, scope, token_endpoint, credentials_file;
	struct option_strings api_keys, models;
	const struct node *headers;
	bool messages, free, local, allow_private_address, allow_plaintext, insecure_no_verify;
	int credential, max_concurrent;
	int64_t fetch_urls;
};

struct model_draft {
	int strategy, on_stream_failure;
	const struct node *targets, *ladder;
	struct option_strings fallbacks;
	struct timeouts timeouts;
	struct retry retry;
	int uncertain;
	bool content_policy_next;
	struct routing_policy policy;
	bool required[FEATURES];
	struct cascade cascade;
	struct option_strings match, deny;
	struct str rules;	/* a file */
};

struct target_draft {
	struct str target;
	int weight, quality, max_concurrent;
	int64_t context;
	struct option_strings features;
	int responses;			/* auto only */
	bool free;
};

struct key_draft {
	struct str name, secret, team;
	struct option_strings models;
	const struct node *budgets, *limits, *per_model, *per_user, *per_tag, *metadata;
	int on_store_failure;
	bool cache;
	struct str cache_namespace;
};

struct budget_draft {
	int64_t usd, tokens, rolling_us;
	int per, reserve;
	struct str time_zone;
	struct option_strings warn_at;
};

struct limits_draft {
	int64_t requests[4], tokens[3][3];	/* per second, minute, hour, day; both, input, output per minute, hour, day */
	int concurrent;
};

struct team_draft {
	struct str name;
	struct option_strings models;
	const struct node *budgets, *limits, *per_model, *per_user, *per_tag;
};

/* Of a model, each end user, a tag. */
struct part_draft {
	struct option_strings models;	/* not of a model */
	const struct node *budgets, *limits;
};

struct plugin_draft {
	struct str name, path, sha256;
	struct option_strings models, keys;
	int64_t timeout_us;
	int on_failure;
	bool required, last;
	const struct node *config;
};

extern const struct option_table settings_table, provider_table, model_table, target_table, key_table, breaker_table,
	certificate_table, price_table, budget_table, limits_table, team_table, part_table, model_part_table, plugin_table;

struct option_context {
	struct arena *arena;
	struct config_report *report;
};

/* The node at a dotted path, or NULL: for messages that need its place. */
const struct node *options_node(const struct node *root, struct str path);

/* Defaults of all rows, then what `map` says. Unknown keys and wrong values are reported. */
void options_load(const struct option_table *t, const struct node *map, void *record, struct option_context *c);

/* One value, as text; false with `expected` filled. */
bool option_parse(const struct option *o, struct str text, void *record, struct arena *a, const char **expected);

/* WEIR_SECTION_KEY of a scalar of the settings. */
void option_variable(const struct option *o, char *to, size_t size);

#endif

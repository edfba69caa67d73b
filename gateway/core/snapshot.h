/*
 * snapshot.h: one immutable loaded configuration.
 *
 * Built by config/ on a thread of its own, published by a reload, counted: each worker
 * holds one reference and lends it to its transactions without touching the shared count.
 */
#ifndef WEIR_CORE_SNAPSHOT_H
#define WEIR_CORE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "core/price_book.h"
#include "core/target.h"

struct node;
struct plugin_set;
struct tls_context;

struct listen_settings {
	const struct str *addresses;	/* "host:port", "[v6]:port", "unix:/path" */
	unsigned n_addresses;
	bool open;
	struct tls_context *tls;	/* NULL: plain */
	uint64_t max_body;		/* bytes */
	uint64_t max_body_memory;	/* bytes, all requests of the process together */
	unsigned max_connections, max_connections_per_address;
	unsigned max_headers, max_head, max_header, max_line;
	unsigned keep_alive_requests;
	int64_t keep_alive_us, header_us, body_us, write_stall_us, handshake_us, linger_us;
	unsigned body_min_rate;		/* bytes a second, over 15 s */
	const struct str *cors_origins;
	unsigned n_cors_origins;
	int64_t drain_us;
	int64_t keep_alive_comment_us;	/* silence in a stream before ": keep-alive" */
};

struct admin_settings {
	struct str address, metrics_address;	/* empty metrics_address: none */
	struct str token;			/* empty: admin API off */
};

struct breaker_settings {
	bool on;
	int failures;
	int64_t window_us, open_us;
};

/* Tokens of an issuer in place of keys. */
struct jwt_settings {
	struct str jwks;			/* its keys: a file, or https://...; empty: no tokens are taken */
	struct str issuer, key_claim, key;	/* `iss`; the claim that names a key; the key of tokens that name none */
	const struct str *audiences;		/* one of them must be in `aud` */
	unsigned n_audiences;
	int64_t refresh_us;
};

enum cache_scope { CACHE_KEY, CACHE_TEAM, CACHE_GLOBAL };

struct cache_settings {
	bool enabled;				/* of models that say nothing else */
	bool on_request;			/* and of requests that ask for it */
	struct str ns;				/* namespace */
	unsigned pace;				/* events a second of a kept stream; 0: all at once */
	bool coalesce;				/* one upstream call for all who ask the same at once */
	bool tools;				/* answers with tool calls, too */
	bool deterministic_only;		/* requests of temperature 0 */
	int64_t ttl_us;
	int64_t stale_us;			/* how far over its time, when providers fail */
	uint64_t max_entry, max_memory;		/* bytes */
	uint64_t compress_above;		/* bytes of a value in Redis; 0: never */
	int scope;				/* enum cache_scope: who shares answers */
};

struct capture_settings {
	struct str share_text, directory;
	unsigned share;				/* of 10,000 requests; 0: off */
	int64_t keep_us;
	uint64_t max_size;			/* bytes of a day's file */
	bool redact;				/* personal data, too */
};

struct settings {
	struct listen_settings listen;
	struct admin_settings admin;
	struct breaker_settings breaker;
	struct timeouts timeouts;		/* of models that say nothing else, and of provider/model */
	struct retry retry;
	struct routing_policy policy;		/* the same */
	struct cache_settings cache;
	struct jwt_settings jwt;
	struct str alerts_webhook;		/* empty: none */
	bool alerts_slack;
	struct capture_settings capture;
	unsigned workers;			/* resolved: at least 1 */
	bool watch;
	enum log_level log_level;
	struct str access_log;			/* "stdout", "off", or a file */
	bool log_bodies;
	struct str store, ledger, ledger_lines;
	int64_t ledger_keep_us;
	int64_t reservation_ttl_us, store_timeout_us;
	unsigned store_replicas;		/* 0: as many as are seen */
	struct str keys_file;			/* keys made while running are kept here; empty: nowhere */
	struct str learned_file;		/* empty: what is learned is not kept */
	struct str plugin_crashes;		/* empty: crashes of plugins are not counted */
	struct str files_provider;		/* files and batches without a model go here; empty: first usable */
};

struct snapshot {
	_Atomic int refs;
	struct arena arena;			/* everything below lives here */
	struct str source;			/* the file, or "environment" */
	uint8_t digest[32];			/* of the file's bytes */
	uint64_t serial;			/* rises with each reload */
	struct settings settings;
	struct pricing pricing;
	struct provider *const *providers;
	unsigned n_providers;
	struct target *const *targets;		/* those written out in models and providers' lists, each name once */
	unsigned n_targets;
	struct model *const *models;		/* configuration order */
	unsigned n_models;
	struct key *const *keys;
	unsigned n_keys;
	const struct node *teams;		/* as configured (config/): keys made later have their limits, too */
	struct plugin_set *plugins;		/* a reference; NULL: none is configured */
	const struct snapshot_tables *tables;	/* keys by digest, models by name */
	bool default_key;			/* no keys are configured: its only one is WEIR_KEY, or made */
	bool made_key;				/* `made_secret` was generated and must be shown once */
	struct str made_secret;
	const struct str *watched_files;	/* the file and every @file: */
	unsigned n_watched_files;
};

struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);	/* the last one frees; any thread */

/* (Re)builds the look-up tables of a snapshot under construction; targets named twice leave its list. */
void snapshot_index(struct snapshot *s);

/* NULL when no key has this digest. Constant-time comparison of the full digest. */
const struct key *snapshot_key(const struct snapshot *s, const uint8_t digest[32]);

/* Changes with every reload and every change of a key that was made while running. */
uint64_t snapshot_stamp(const struct snapshot *s);
void snapshot_keys_changed(void);

/* The exact alias, or NULL. */
const struct model *snapshot_model(const struct snapshot *s, struct str name);

/* By its full name "provider/model"; of several with other weights, the first. */
const struct target *snapshot_target(const struct snapshot *s, struct str name);

const struct provider *snapshot_provider(const struct snapshot *s, struct str name);

#endif

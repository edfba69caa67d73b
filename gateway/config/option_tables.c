/*
 * option_tables.c: the rows. Adding an option is adding one here and reading its member.
 */
#include "config/options.h"

#define S(member) offsetof(struct settings_draft, member)
#define L(member) offsetof(struct settings_draft, s.listen.member)
#define P(member) offsetof(struct provider_draft, member)
#define M(member) offsetof(struct model_draft, member)
#define T(member) offsetof(struct target_draft, member)
#define K(member) offsetof(struct key_draft, member)
#define B(member) offsetof(struct breaker_settings, member)
#define C(member) offsetof(struct tls_draft, member)
#define R(member) offsetof(struct price, member)
#define U(member) offsetof(struct budget_draft, member)
#define W(member) offsetof(struct limits_draft, member)
#define G(member) offsetof(struct team_draft, member)
#define D(member) offsetof(struct part_draft, member)
#define N(member) offsetof(struct plugin_draft, member)
#define NOWHERE OPTION_NOWHERE

static const struct option settings_rows[] = {
	{ "listen.address", OPTION_STRINGS, S(addresses), "127.0.0.1:8080", NULL, true,
	  "host:port, [v6]:port or unix:/path; a list for several" },
	{ "listen.open", OPTION_BOOL, L(open), "false", NULL, false, "serve without keys on a non-loopback address" },
	{ "listen.tls.certificate", OPTION_STRING, S(tls.certificate), NULL, NULL, false, "PEM file, chain included" },
	{ "listen.tls.key", OPTION_STRING, S(tls.key), NULL, NULL, false, "PEM file of the private key" },
	{ "listen.tls.client_ca", OPTION_STRING, S(tls.client_ca), NULL, NULL, false,
	  "PEM file: callers must show a certificate signed by it" },
	{ "listen.tls.client_crl", OPTION_STRING, S(tls.client_crl), NULL, NULL, false, "PEM file of revoked client certificates" },
	{ "listen.tls.certificates", OPTION_NODE, S(tls.certificates), NULL, NULL, false,
	  "further { certificate, key } pairs, chosen by the name a caller asks for" },
	{ "listen.max_body", OPTION_SIZE, L(max_body), "32MiB", "1KiB 4GiB", false, "largest request body" },
	{ "listen.max_body_memory", OPTION_SIZE, L(max_body_memory), "1GiB", "1MiB 1024GiB", false,
	  "memory of all request bodies together; beyond it callers get 503" },
	{ "listen.max_connections", OPTION_COUNT, L(max_connections), "10000", "1 1000000", false, "callers' connections in all" },
	{ "listen.max_connections_per_address", OPTION_COUNT, L(max_connections_per_address), "256", "1 1000000", false,
	  "callers' connections from one address" },
	{ "listen.max_headers", OPTION_COUNT, L(max_headers), "100", "1 100", false, "headers of a request" },
	{ "listen.max_head", OPTION_COUNT, L(max_head), "32768", "1024 65536", false, "bytes of a request's head" },
	{ "listen.max_header", OPTION_COUNT, L(max_header), "16384", "256 65536", false, "bytes of one header" },
	{ "listen.max_line", OPTION_COUNT, L(max_line), "8192", "256 65536", false, "bytes of the request line" },
	{ "listen.keep_alive_requests", OPTION_COUNT, L(keep_alive_requests), "1000", "1 1000000000", false, "requests on one connection" },
	{ "listen.body_min_rate", OPTION_COUNT, L(body_min_rate), "1024", NULL, false, "bytes a second a body must bring, over 15 s" },
	{ "listen.timeouts.keep_alive", OPTION_DURATION, L(keep_alive_us), "75s", "1ms 1d", false, "idle time between requests" },
	{ "listen.timeouts.header", OPTION_DURATION, L(header_us), "15s", "1ms 1d", false, "for a whole head, from its first byte" },
	{ "listen.timeouts.body", OPTION_DURATION, L(body_us), "60s", "1ms 1d", false, "for a whole body" },
	{ "listen.timeouts.write_stall", OPTION_DURATION, L(write_stall_us), "60s", "1ms 1d", false,
	  "without a byte taken by a caller whose answer waits" },
	{ "listen.timeouts.handshake", OPTION_DURATION, L(handshake_us), "10s", "1ms 1d", false, "for the TLS handshake" },
	{ "listen.timeouts.linger", OPTION_DURATION, L(linger_us), "1s", "0s 1d", false,
	  "reading on after an early answer, so that the caller sees it" },
	{ "listen.timeouts.drain", OPTION_DURATION, L(drain_us), "30s", "0s 1d", false, "for running answers after SIGTERM" },
	{ "listen.cors.origins", OPTION_STRINGS, S(cors_origins), NULL, NULL, false, "browsers' origins that may call, or \"*\"" },
	{ "admin.address", OPTION_STRING, S(s.admin.address), "127.0.0.1:9090", NULL, true,
	  "metrics, health, dashboard, admin API; \"off\" for none" },
	{ "admin.metrics_address", OPTION_STRING, S(s.admin.metrics_address), NULL, NULL, true,
	  "a further address for metrics and health alone" },
	{ "admin.token", OPTION_SECRET, S(s.admin.token), NULL, NULL, false, "for the admin API; empty: it is off" },
	{ "workers", OPTION_AUTO, S(s.workers), "auto", "1 256", true, "event loops: auto is one a core" },
	{ "watch", OPTION_BOOL, S(s.watch), "false", NULL, false, "reload when this file or an @file: changes" },
	{ "store", OPTION_STRING, S(s.store), "memory", NULL, true, "memory, or redis://..." },
	{ "store_timeout", OPTION_DURATION, S(s.store_timeout_us), "50ms", "1ms 10s", true,
	  "how long a request waits for Redis before its key's on_store_failure decides" },
	{ "store_replicas", OPTION_AUTO, S(s.store_replicas), "auto", "1 10000", true,
	  "among how many gateways limits are divided while Redis is away: auto is as many as were seen there" },
	{ "reservation_ttl", OPTION_DURATION, S(s.reservation_ttl_us), "120s", "1s 1h", true,
	  "when what a gateway that died had reserved is given back" },
	{ "ledger", OPTION_STRING, S(s.ledger), "off", NULL, true, "SQLite file: the durable record of every request; or off" },
	{ "ledger_lines", OPTION_STRING, S(s.ledger_lines), "off", NULL, true, "the same rows as JSON lines: stdout, or a file; or off" },
	{ "ledger_keep", OPTION_DURATION, S(s.ledger_keep_us), "90d", NULL, true, "how long its rows are kept; totals stay" },
	{ "keys_file", OPTION_STRING, S(s.keys_file), NULL, NULL, true,
	  "SQLite file of keys made by the admin API; default: weir-keys.db beside the ledger, or in systemd's state directory" },
	{ "learned_file", OPTION_STRING, S(s.learned_file), NULL, NULL, true,
	  "keeps what was learned of models over restarts; default: in systemd's state directory, else not" },
	{ "plugin_crashes", OPTION_STRING, S(s.plugin_crashes), NULL, NULL, true,
	  "keeps count of crashes in plugins over restarts; default: in systemd's state directory, else not" },
	{ "files_provider", OPTION_STRING, S(s.files_provider), NULL, NULL, false,
	  "where files and batches go that name no model; empty: the first provider with a credential" },
	{ "log.level", OPTION_WORD, S(log_level), "info", "debug info warn error", false, "least level that is logged" },
	{ "log.access", OPTION_STRING, S(s.access_log), "stdout", NULL, false, "stdout, a file, or off" },
	{ "log.bodies", OPTION_BOOL, S(s.log_bodies), "false", NULL, false, "without effect: `capture` keeps prompts and answers, in files of their own" },
	{ "unpriced", OPTION_WORD, S(unpriced), "estimate", "refuse estimate allow", false,
	  "a model without a known price: not asked, priced like its relatives, or counted as unknown" },
	{ "breaker", OPTION_NODE, S(breaker), NULL, NULL, false,
	  "{ failures, window, open } per target and class of error; \"off\" for none" },
	{ "timeouts.connect", OPTION_DURATION, S(s.timeouts.connect_us), "5s", "1ms 1d", false, "resolving, connecting, TLS" },
	{ "timeouts.first_token", OPTION_DURATION, S(s.timeouts.first_token_us), "120s", "1ms 1d", false, "first content of a stream" },
	{ "timeouts.idle", OPTION_DURATION, S(s.timeouts.idle_us), "120s", "1ms 1d", false, "silence inside an answer" },
	{ "timeouts.total", OPTION_DURATION, S(s.timeouts.total_us), "10m", "1ms 1d", false,
	  "all attempts: to the first content of a stream, the whole of a plain answer" },
	{ "retry.attempts", OPTION_INT, S(s.retry.attempts), "0", "0 100", false, "tries in all; 0: every target once" },
	{ "retry.same_target", OPTION_INT, S(s.retry.same_target), "0", NULL, false,
	  "further tries of one target, only when it did not act upon the request" },
	{ "retry.backoff", OPTION_DURATION, S(s.retry.backoff_us), "200ms", NULL, false, "before the same target is tried again" },
	{ "retry.uncertain", OPTION_WORD, S(uncertain), "next", "next never", false,
	  "another target when the first may have acted upon the request" },
	{ "providers", OPTION_NODE, S(providers), NULL, NULL, false, "accounts and servers, by name" },
	{ "models", OPTION_NODE, S(models), NULL, NULL, false, "what applications ask for, by name or pattern" },
	{ "keys", OPTION_NODE, S(keys), NULL, NULL, false, "who may call; none: anyone" },
	{ "jwt.jwks", OPTION_STRING, S(s.jwt.jwks), NULL, NULL, false,
	  "keys of an issuer whose tokens are taken in place of keys: a file, or https://...; empty: none" },
	{ "jwt.issuer", OPTION_STRING, S(s.jwt.issuer), NULL, NULL, false, "what tokens must say in iss" },
	{ "jwt.audience", OPTION_STRINGS, S(jwt_audiences), NULL, NULL, false, "one of these must be in aud" },
	{ "jwt.key_claim", OPTION_STRING, S(s.jwt.key_claim), NULL, NULL, false, "the claim that names the token's key" },
	{ "jwt.key", OPTION_STRING, S(s.jwt.key), NULL, NULL, false, "the key of tokens that name none" },
	{ "jwt.refresh", OPTION_DURATION, S(s.jwt.refresh_us), "10m", "1s 1d", false, "how often the issuer's keys are fetched" },
	{ "alerts.webhook", OPTION_SECRET, S(s.alerts_webhook), NULL, NULL, false, "https://... that is told of budgets' warn_at" },
	{ "alerts.format", OPTION_WORD, S(alerts_format), "json", "json slack", false, "what it is sent" },
	{ "teams", OPTION_NODE, S(teams), NULL, NULL, false, "groups of keys with budgets of their own" },
	{ "prices", OPTION_NODE, S(prices), NULL, NULL, false,
	  "USD per million tokens, by target" },
	{ "prices_file", OPTION_STRING, S(prices_file), NULL, NULL, false,
	  "a table of prices over the built-in one; see `weir prices`" },
	{ "cache.enabled", OPTION_BOOL, S(s.cache.enabled), "false", NULL, false, "keep answers of all models that say nothing else" },
	{ "cache.ttl", OPTION_DURATION, S(s.cache.ttl_us), "1h", "1s 365d", false, "how long an answer is kept" },
	{ "cache.max_entry", OPTION_SIZE, S(s.cache.max_entry), "1MiB", "1KiB 64MiB", false, "largest answer kept" },
	{ "cache.max_memory", OPTION_SIZE, S(s.cache.max_memory), "256MiB", "1MiB 1024GiB", true, "of all answers in memory" },
	{ "cache.compress_above", OPTION_SIZE, S(s.cache.compress_above), "4KiB", "0 64MiB", false, "answers larger than this are compressed in Redis (up to 2 MiB); 0: none" },
	{ "cache.scope", OPTION_WORD, S(s.cache.scope), "key", "key team global", false, "who shares answers" },
	{ "cache.coalesce", OPTION_BOOL, S(s.cache.coalesce), "true", NULL, false, "ask once for all who want the same at the same time" },
	{ "cache.tools", OPTION_BOOL, S(s.cache.tools), "false", NULL, false, "keep answers with tool calls, too" },
	{ "cache.deterministic_only", OPTION_BOOL, S(s.cache.deterministic_only), "false", NULL, false, "only of requests with temperature 0, and what writes no text" },
	{ "cache.stale_on_error", OPTION_DURATION, S(s.cache.stale_us), "24h", "0s 365d", false, "how far over its time an answer may be when no target answers; 0s: never given" },
	{ "capture.share", OPTION_STRING, S(s.capture.share_text), "0%", NULL, true, "of requests that are kept with their answers, for a replay: 1%" },
	{ "capture.keep", OPTION_DURATION, S(s.capture.keep_us), "7d", "1d 3650d", true, "how long a day's file is kept" },
	{ "capture.redact", OPTION_BOOL, S(s.capture.redact), "true", NULL, true, "take out e-mail addresses and long numbers; credentials always go" },
	{ "capture.directory", OPTION_STRING, S(s.capture.directory), "capture", NULL, true, "where the files are, one a day" },
	{ "capture.max_size", OPTION_SIZE, S(s.capture.max_size), "1GiB", "1MiB 1024GiB", true, "of a day's file; then no more that day" },
	{ "plugins", OPTION_NODE, S(plugins), NULL, NULL, false, "steps of your own" },
};

static const struct option provider_rows[] = {
	{ "preset", OPTION_STRING, P(preset), NULL, NULL, false, "a known vendor or server; default: the provider's own name" },
	{ "dialect", OPTION_STRING, P(dialect), NULL, NULL, false, "wire format, where there is no preset, or the vendor's own beside one: openai, openai-responses, anthropic, gemini, bedrock, cohere" },
	{ "base_url", OPTION_STRING, P(base_url), NULL, NULL, false, "http(s)://host[:port]/path, or unix:/path" },
	{ "api_key", OPTION_SECRET, P(api_key), NULL, NULL, false, "default: the preset's environment variable" },
	{ "api_keys", OPTION_SECRETS, P(api_keys), NULL, NULL, false, "several credentials, at most 16; empty ones are dropped" },
	{ "credential", OPTION_WORD, P(credential), "own", "own caller static aws google entra managed_identity", false,
	  "what is shown to it: own is a key, or else the preset's cloud identity; caller is the caller's own key" },
	{ "profile", OPTION_STRING, P(profile), NULL, NULL, false, "AWS profile; default: AWS_PROFILE, then default" },
	{ "access_key_id", OPTION_STRING, P(access_key_id), NULL, NULL, false, "AWS access key; default: AWS_ACCESS_KEY_ID" },
	{ "secret_access_key", OPTION_SECRET, P(secret_access_key), NULL, NULL, false, "its secret; default: AWS_SECRET_ACCESS_KEY" },
	{ "session_token", OPTION_SECRET, P(session_token), NULL, NULL, false, "of temporary AWS keys; default: AWS_SESSION_TOKEN" },
	{ "role_arn", OPTION_STRING, P(role_arn), NULL, NULL, false,
	  "AWS role to assume with token_file (web identity); default: AWS_ROLE_ARN" },
	{ "aws_service", OPTION_STRING, P(aws_service), NULL, NULL, false, "service that AWS signatures are for; default: the preset's, else bedrock" },
	{ "tenant_id", OPTION_STRING, P(tenant_id), NULL, NULL, false, "Entra tenant; default: AZURE_TENANT_ID" },
	{ "client_id", OPTION_STRING, P(client_id), NULL, NULL, false,
	  "Entra application, or a managed identity of several; default: AZURE_CLIENT_ID" },
	{ "client_secret", OPTION_SECRET, P(client_secret), NULL, NULL, false, "its secret; default: AZURE_CLIENT_SECRET" },
	{ "token_file", OPTION_STRING, P(token_file), NULL, NULL, false,
	  "file of a token that is exchanged, read anew each time; default: AZURE_FEDERATED_TOKEN_FILE, AWS_WEB_IDENTITY_TOKEN_FILE" },
	{ "scope", OPTION_STRING, P(scope), NULL, NULL, false,
	  "what tokens are asked for; default: Azure's cognitive services, Google's cloud platform" },
	{ "token_endpoint", OPTION_STRING, P(token_endpoint), NULL, NULL, false,
	  "who gives tokens, where that is not the vendor's usual one: Entra's authority, STS, a metadata server" },
	{ "region", OPTION_STRING, P(region), NULL, NULL, false, "for base URLs with a region, and for routing" },
	{ "project", OPTION_STRING, P(project), NULL, NULL, false, "Google Cloud project" },
	{ "location", OPTION_STRING, P(location), NULL, NULL, false, "Google Cloud location" },
	{ "credentials_file", OPTION_STRING, P(credentials_file), NULL, NULL, false,
	  "Google service account or authorised user; AWS shared credentials. Default: GOOGLE_APPLICATION_CREDENTIALS, AWS_SHARED_CREDENTIALS_FILE" },
	{ "account", OPTION_STRING, P(account), NULL, NULL, false, "Cloudflare account" },
	{ "workspace", OPTION_STRING, P(workspace), NULL, NULL, false, "Databricks host" },
	{ "resource", OPTION_STRING, P(resource), NULL, NULL, false, "Azure resource: https://RESOURCE.openai.azure.com" },
	{ "api_version", OPTION_STRING, P(api_version), NULL, NULL, false, "Azure's api-version" },
	{ "models", OPTION_STRINGS, P(models), NULL, NULL, false, "models to list as provider/model" },
	{ "headers", OPTION_NODE, P(headers), NULL, NULL, false, "further headers sent to it" },
	{ "messages", OPTION_BOOL, P(messages), "false", NULL, false, "also speaks Anthropic's Messages, at /messages under its base URL" },
	{ "responses", OPTION_WORD, P(responses), "auto", "auto relay translate", false,
	  "how /v1/responses reaches it: as it is, or as chat; auto: as the preset is known to take them, else as it is" },
	{ "free", OPTION_BOOL, P(free), "false", NULL, false, "costs nothing" },
	{ "local", OPTION_BOOL, P(local), "false", NULL, false, "a server of one's own: needs no credential, may be private and plain http" },
	{ "max_concurrent", OPTION_INT, P(max_concurrent), "0", NULL, false, "requests at a time for each model; 0: no limit" },
	{ "health", OPTION_STRING, P(health), NULL, NULL, false, "a path that costs nothing to ask" },
	{ "allow_private_address", OPTION_BOOL, P(allow_private_address), "false", NULL, false,
	  "loopback and private networks may be connected" },
	{ "allow_plaintext", OPTION_BOOL, P(allow_plaintext), "false", NULL, false, "http:// to an address that is not private" },
	{ "proxy", OPTION_STRING, P(proxy), NULL, NULL, false, "http://host:port of a proxy" },
	{ "tls.ca_file", OPTION_STRING, P(ca_file), NULL, NULL, false, "PEM file of the CA to trust instead of the system's" },
	{ "tls.certificate", OPTION_STRING, P(certificate), NULL, NULL, false, "our client certificate" },
	{ "tls.key", OPTION_STRING, P(key), NULL, NULL, false, "its private key" },
	{ "tls.insecure_no_verify", OPTION_BOOL, P(insecure_no_verify), "false", NULL, false, "for tests: trust anybody" },
};

static const struct option model_rows[] = {
	{ "strategy", OPTION_WORD, M(strategy), "ordered", "ordered weighted cheapest fastest least_busy cascade", false,
	  "how targets are ordered for a request" },
	{ "targets", OPTION_NODE, M(targets), NULL, NULL, false, "provider/model, or { target, weight, ... }" },
	{ "fallbacks", OPTION_STRINGS, M(fallbacks), NULL, NULL, false, "other models, tried when no target is left" },
	{ "ladder", OPTION_NODE, M(ladder), NULL, NULL, false,
	  "what is tried in which order: [targets, model: NAME, stale, rule, error]; default: that, with `fallbacks` for models" },
	{ "timeouts.connect", OPTION_DURATION, M(timeouts.connect_us), NULL, "1ms 1d", false, "resolving, connecting, TLS" },
	{ "timeouts.first_token", OPTION_DURATION, M(timeouts.first_token_us), NULL, "1ms 1d", false, "first content of a stream" },
	{ "timeouts.idle", OPTION_DURATION, M(timeouts.idle_us), NULL, "1ms 1d", false, "silence inside an answer" },
	{ "timeouts.total", OPTION_DURATION, M(timeouts.total_us), NULL, "1ms 1d", false,
	  "all attempts: to the first content of a stream, the whole of a plain answer" },
	{ "retry.attempts", OPTION_INT, M(retry.attempts), NULL, "0 100", false, "tries in all; 0: every target once" },
	{ "retry.same_target", OPTION_INT, M(retry.same_target), NULL, NULL, false,
	  "further tries of one target, only when it did not act upon the request" },
	{ "retry.backoff", OPTION_DURATION, M(retry.backoff_us), NULL, NULL, false, "before the same target is tried again" },
	{ "retry.uncertain", OPTION_WORD, M(uncertain), NULL, "next never", false,
	  "another target when the first may have acted upon the request" },
	{ "on_stream_failure", OPTION_WORD, M(on_stream_failure), "error", "error resume", false,
	  "a stream that breaks after content: error, or resume on the next target" },
	{ "on_unsupported", OPTION_WORD, M(policy.on_unsupported), "auto", "auto drop refuse", false,
	  "fields that a target's format cannot carry: auto drops hints and refuses what changes the meaning" },
	{ "content_policy_next", OPTION_BOOL, M(content_policy_next), "false", NULL, false,
	  "another target when one refuses for its content policy" },
	{ "requires.tools", OPTION_BOOL, M(required[0]), "false", NULL, false, "targets must know tools" },
	{ "requires.vision", OPTION_BOOL, M(required[1]), "false", NULL, false, "targets must read images" },
	{ "requires.audio", OPTION_BOOL, M(required[2]), "false", NULL, false, "targets must know audio" },
	{ "requires.json_schema", OPTION_BOOL, M(required[3]), "false", NULL, false, "targets must keep to a schema" },
	{ "requires.reasoning", OPTION_BOOL, M(required[4]), "false", NULL, false, "targets must reason" },
	{ "requires.context", OPTION_INT64, M(policy.requires.context), "0", NULL, false, "tokens of context" },
	{ "requires.quality", OPTION_INT, M(policy.requires.quality), "0", "0 100", false, "least quality" },
	{ "requires.region", OPTION_STRING, M(policy.requires.region), NULL, NULL, false, "region of the provider" },
	{ "max_cost_usd", OPTION_MONEY, M(policy.max_cost), "0", NULL, false,
	  "ceiling over all attempts: spent so far and the next one's expected cost; 0: none" },
	{ "max_share", OPTION_INT, M(policy.max_share), "0", "0 100", false,
	  "per cent of requests one vendor may get while another is up; 0: no limit" },
	{ "cache", OPTION_BOOL, M(policy.cache), NULL, NULL, false, "keep its answers; default: cache.enabled" },
	{ "cache_ttl", OPTION_DURATION, M(policy.cache_ttl_us), "0s", "0s 365d", false, "how long they are kept; 0s: cache.ttl" },
	{ "affinity", OPTION_BOOL, M(policy.affinity), "true", NULL, false,
	  "keep a session (x-weir-session, prompt_cache_key, user) where its prompt is cached" },
	{ "explore", OPTION_INT, M(policy.explore), "3", "0 20", false,
	  "per cent of requests that look whether another target has become better: cheapest, fastest" },
	{ "queue.wait", OPTION_DURATION, M(policy.queue_wait_us), "5s", "0s 10m", false,
	  "for a place where all targets are full" },
	{ "queue.length", OPTION_INT, M(policy.queue_length), "64", "0 100000", false, "requests that wait for one target" },
	{ "hedge.quantile", OPTION_INT, M(policy.hedge_quantile), "0", "0 99", false,
	  "a second attempt when the first token is later than it is in this per cent of requests; 0: never" },
	{ "hedge.max_share", OPTION_INT, M(policy.hedge_share), "5", "1 100", false, "per cent of cost that second attempts may add" },
	{ "cascade.checks.finish", OPTION_BOOL, M(cascade.checks.finish), "true", NULL, false,
	  "an answer that was cut or filtered goes on to the next target" },
	{ "cascade.checks.refusals", OPTION_BOOL, M(cascade.checks.refusals), "true", NULL, false, "so does one that begins by refusing" },
	{ "cascade.checks.min_length", OPTION_INT64, M(cascade.checks.min_length), "1", NULL, false,
	  "bytes of text an answer without tool calls has at least" },
	{ "cascade.checks.max_length", OPTION_INT64, M(cascade.checks.max_length), "0", NULL, false, "bytes of text at most; 0: any" },
	{ "cascade.checks.json", OPTION_WORD, M(cascade.checks.json), "asked", "never asked always", false,
	  "when an answer must be JSON: where the request asks for it, or always" },
	{ "cascade.checks.schema", OPTION_STRING, M(cascade.checks.schema), NULL, NULL, false,
	  "JSON Schema (text, or @file:) an answer must keep to; default: the request's own" },
	{ "cascade.checks.tools", OPTION_BOOL, M(cascade.checks.tools), "true", NULL, false,
	  "tool calls must name a tool of the request and keep to its schema" },
	{ "cascade.checks.match", OPTION_STRINGS, M(match), NULL, NULL, false, "patterns (PCRE2) that must all be found" },
	{ "cascade.checks.deny", OPTION_STRINGS, M(deny), NULL, NULL, false, "patterns of which none may be found" },
	{ "cascade.checks.rules", OPTION_STRING, M(rules), NULL, NULL, false,
	  "a file of rules (plugins/rules): an answer that one of them rejects goes on to the next target" },
	{ "cascade.checks.confidence", OPTION_INT, M(cascade.checks.confidence), "0", "0 100", false,
	  "per cent the answer's tokens were probable on average, where its log-probabilities are told; 0: any" },
	{ "cascade.window", OPTION_SIZE, M(cascade.window), "64KiB", "1KiB 1MiB", false, "bytes of a stream that are held and judged" },
	{ "cascade.window_time", OPTION_DURATION, M(cascade.window_us), "10s", "1ms 10m", false, "and how long, from its first content" },
	{ "cascade.compare", OPTION_INT, M(cascade.compare), "0", "0 100", false,
	  "per cent of the smaller targets' answers that are compared with the last target's, off the caller's path" },
	{ "cascade.large.tokens", OPTION_INT64, M(cascade.tokens), "0", NULL, false,
	  "prompts of more tokens begin at the last target; 0: any length" },
	{ "cascade.large.tools", OPTION_INT, M(cascade.tools), "0", "0 10000", false, "so do requests with more tools; 0: any number" },
	{ "cascade.large.images", OPTION_INT, M(cascade.images), "0", "0 10000", false, "with more images; 0: any number" },
	{ "cascade.large.code", OPTION_BOOL, M(cascade.code), "false", NULL, false, "and with code in them" },
};

static const struct option target_rows[] = {
	{ "target", OPTION_STRING, T(target), NULL, NULL, false, "provider/model" },
	{ "weight", OPTION_INT, T(weight), "1", "0 1000000", false, "share under strategy: weighted" },
	{ "quality", OPTION_INT, T(quality), "0", "0 100", false, "what requires.quality compares with" },
	{ "context", OPTION_INT64, T(context), "0", NULL, false, "tokens of context; 0: as the price table says" },
	{ "features", OPTION_STRINGS, T(features), NULL, NULL, false,
	  "of tools, vision, audio, json_schema, reasoning; unsaid: as the price table says" },
	{ "responses", OPTION_WORD, T(responses), "auto", "auto only", false,
	  "only: it answers under /v1/responses alone, so callers of every format reach it there; auto: as the price table says" },
	{ "max_concurrent", OPTION_INT, T(max_concurrent), "0", NULL, false, "requests at a time; 0: the provider's" },
	{ "free", OPTION_BOOL, T(free), "false", NULL, false, "costs nothing" },
};

static const struct option key_rows[] = {
	{ "name", OPTION_STRING, K(name), NULL, NULL, false, "shown in logs and metrics" },
	{ "secret", OPTION_SECRET, K(secret), NULL, NULL, false, "what callers present, or sha256: and its digest" },
	{ "team", OPTION_STRING, K(team), NULL, NULL, false, "shares that team's budgets" },
	{ "models", OPTION_STRINGS, K(models), "*", NULL, false, "models or patterns it may use" },
	{ "budgets", OPTION_NODE, K(budgets), NULL, NULL, false, "a list of { usd, per }" },
	{ "limits", OPTION_NODE, K(limits), NULL, NULL, false, "requests, tokens, concurrency" },
	{ "per_model", OPTION_NODE, K(per_model), NULL, NULL, false, "further limits and budgets by model or pattern" },
	{ "per_user", OPTION_NODE, K(per_user), NULL, NULL, false, "models, limits and budgets of each end user" },
	{ "per_tag", OPTION_NODE, K(per_tag), NULL, NULL, false, "models, limits and budgets by tag or pattern: feature=search" },
	{ "on_store_failure", OPTION_WORD, K(on_store_failure), "local", "local closed", false,
	  "when Redis is away: limits of this process alone, or no service" },
};

static const struct option breaker_rows[] = {
	{ "failures", OPTION_INT, B(failures), "5", "1 1000000", false, "in the window open it" },
	{ "window", OPTION_DURATION, B(window_us), "30s", "1ms 1d", false, "over which failures are counted" },
	{ "open", OPTION_DURATION, B(open_us), "10s", "1ms 1d", false,
	  "before a trial is let through; doubles with each failed trial" },
};

static const struct option certificate_rows[] = {
	{ "certificate", OPTION_STRING, C(certificate), NULL, NULL, false, "PEM file, chain included" },
	{ "key", OPTION_STRING, C(key), NULL, NULL, false, "PEM file of the private key" },
};

static const struct option price_rows[] = {
	{ "input", OPTION_MONEY, R(rates[RATE_INPUT]), NULL, NULL, false, "USD per million tokens read" },
	{ "output", OPTION_MONEY, R(rates[RATE_OUTPUT]), NULL, NULL, false, "USD per million tokens written" },
	{ "cached_input", OPTION_MONEY, R(rates[RATE_CACHED_INPUT]), NULL, NULL, false, "read from the vendor's prompt cache" },
	{ "cache_write", OPTION_MONEY, R(rates[RATE_CACHE_WRITE]), NULL, NULL, false, "written to it" },
	{ "cache_write_1h", OPTION_MONEY, R(rates[RATE_CACHE_WRITE_1H]), NULL, NULL, false, "written to it for an hour" },
	{ "reasoning", OPTION_MONEY, R(rates[RATE_REASONING]), NULL, NULL, false, "thought, where that has a price of its own" },
	{ "audio_input", OPTION_MONEY, R(rates[RATE_AUDIO_INPUT]), NULL, NULL, false, "audio heard" },
	{ "audio_output", OPTION_MONEY, R(rates[RATE_AUDIO_OUTPUT]), NULL, NULL, false, "audio spoken" },
	{ "image_input", OPTION_MONEY, R(rates[RATE_IMAGE_INPUT]), NULL, NULL, false, "images seen" },
	{ "request", OPTION_MONEY, R(request), NULL, NULL, false, "USD for each request" },
};

static const struct option budget_rows[] = {
	{ "usd", OPTION_MONEY, U(usd), "0", NULL, false, "US dollars" },
	{ "tokens", OPTION_INT64, U(tokens), "0", NULL, false, "or tokens" },
	{ "per", OPTION_WORD, U(per), "month", "hour day week month year total", false, "calendar period" },
	{ "rolling", OPTION_DURATION, U(rolling_us), NULL, "1m 400d", false, "instead of per: within any such span, 30d" },
	{ "time_zone", OPTION_STRING, U(time_zone), NULL, NULL, false, "where its calendar is: Europe/Berlin, +02:00; default UTC" },
	{ "warn_at", OPTION_STRINGS, U(warn_at), NULL, NULL, false, "per cent of it at which alerts.webhook is told, at most four: [50%, 80%]" },
	{ "reserve", OPTION_WORD, U(reserve), "expected", "expected worst_case", false,
	  "what a running request holds back; worst_case makes the budget a hard bound" },
};

static const struct option limits_rows[] = {
	{ "requests_per_second", OPTION_INT64, W(requests[0]), "0", NULL, false, "at most; 0: no limit" },
	{ "requests_per_minute", OPTION_INT64, W(requests[1]), "0", NULL, false, "at most" },
	{ "requests_per_hour", OPTION_INT64, W(requests[2]), "0", NULL, false, "at most" },
	{ "requests_per_day", OPTION_INT64, W(requests[3]), "0", NULL, false, "at most" },
	{ "tokens_per_minute", OPTION_INT64, W(tokens[0][0]), "0", NULL, false, "at most, input and output together" },
	{ "tokens_per_hour", OPTION_INT64, W(tokens[0][1]), "0", NULL, false, "at most" },
	{ "tokens_per_day", OPTION_INT64, W(tokens[0][2]), "0", NULL, false, "at most" },
	{ "input_tokens_per_minute", OPTION_INT64, W(tokens[1][0]), "0", NULL, false, "at most read" },
	{ "input_tokens_per_hour", OPTION_INT64, W(tokens[1][1]), "0", NULL, false, "at most read" },
	{ "input_tokens_per_day", OPTION_INT64, W(tokens[1][2]), "0", NULL, false, "at most read" },
	{ "output_tokens_per_minute", OPTION_INT64, W(tokens[2][0]), "0", NULL, false, "at most written" },
	{ "output_tokens_per_hour", OPTION_INT64, W(tokens[2][1]), "0", NULL, false, "at most written" },
	{ "output_tokens_per_day", OPTION_INT64, W(tokens[2][2]), "0", NULL, false, "at most written" },
	{ "concurrent", OPTION_INT, W(concurrent), "0", NULL, false, "requests at a time" },
};

static const struct option part_rows[] = {
	{ "models", OPTION_STRINGS, D(models), NULL, NULL, false, "tags and end users: models or patterns such requests may use; default: all that their key may" },
	{ "budgets", OPTION_NODE, D(budgets), NULL, NULL, false, "a list of { usd, per }" },
	{ "limits", OPTION_NODE, D(limits), NULL, NULL, false, "requests, tokens, concurrency" },
};

static const struct option team_rows[] = {
	{ "name", OPTION_STRING, G(name), NULL, NULL, false, "what keys call it" },
	{ "models", OPTION_STRINGS, G(models), "*", NULL, false, "models or patterns its keys may use, where theirs allow them, too" },
	{ "per_model", OPTION_NODE, G(per_model), NULL, NULL, false, "further limits and budgets by model or pattern" },
	{ "per_user", OPTION_NODE, G(per_user), NULL, NULL, false, "models, limits and budgets of each end user" },
	{ "per_tag", OPTION_NODE, G(per_tag), NULL, NULL, false, "models, limits and budgets by tag or pattern: feature=search" },
	{ "budgets", OPTION_NODE, G(budgets), NULL, NULL, false, "a list of { usd, per }" },
	{ "limits", OPTION_NODE, G(limits), NULL, NULL, false, "requests, tokens, concurrency" },
};

static const struct option plugin_rows[] = {
	{ "name", OPTION_STRING, N(name), NULL, NULL, false, "of the plugin" },
	{ "path", OPTION_STRING, N(path), NULL, NULL, false, "its shared object; default: one that comes with weir, or NAME.so where they are installed" },
	{ "sha256", OPTION_STRING, N(sha256), NULL, NULL, false, "digest of that file" },
	{ "models", OPTION_STRINGS, N(models), NULL, NULL, false, "models or patterns it is for; default: all" },
	{ "keys", OPTION_STRINGS, N(keys), NULL, NULL, false, "keys or patterns it is for; default: all" },
	{ "timeout", OPTION_DURATION, N(timeout_us), "5s", "1ms 10m", false, "the longest it may hold a request" },
	{ "on_failure", OPTION_WORD, N(on_failure), "reject", "reject continue", false, "requests it held and came to no verdict on" },
	{ "last", OPTION_BOOL, N(last), "false", NULL, false,
	  "true: asked only where no target answered, as the rung `rule` of a model's ladder" },
	{ "required", OPTION_BOOL, N(required), "false", NULL, false, "true: without it the configuration is refused" },
	{ "config", OPTION_NODE, N(config), NULL, NULL, false, "handed to the plugin as it is" },
};

#define TABLE(label, rows) { label, rows, array_len(rows) }

const struct option_table settings_table = TABLE("", settings_rows);
const struct option_table provider_table = TABLE("providers.*", provider_rows);
const struct option_table model_table = TABLE("models.*", model_rows);
const struct option_table target_table = TABLE("models.*.targets[]", target_rows);
const struct option_table key_table = TABLE("keys[]", key_rows);
const struct option_table breaker_table = TABLE("breaker", breaker_rows);
const struct option_table certificate_table = TABLE("listen.tls.certificates[]", certificate_rows);
const struct option_table price_table = TABLE("prices.*", price_rows);
const struct option_table budget_table = TABLE("keys[].budgets[]", budget_rows);
const struct option_table limits_table = TABLE("keys[].limits", limits_rows);
const struct option_table team_table = TABLE("teams[]", team_rows);
const struct option_table part_table = TABLE("keys[].per_tag.*", part_rows);
/* Without the first, `models`. */
const struct option_table model_part_table = { "keys[].per_model.*", part_rows + 1, array_len(part_rows) - 1 };
const struct option_table plugin_table = TABLE("plugins[]", plugin_rows);

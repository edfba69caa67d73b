/*
 * weir_plugin.h: what a plugin and weir say to each other. The one file a plugin includes;
 * C11, no libraries. conf/docs/plugins.md is the guide, with a plugin in forty lines.
 *
 * A plugin is a struct weir_plugin of hooks. weir calls configure() once for each entry under
 * `plugins:` and then the other hooks for each request that the entry is for, on the thread
 * that serves the request: several threads at a time, so what configure() returned is read
 * only, or guarded by the plugin itself. A hook must not block: what takes time is held for
 * (WEIR_HOLD). Plugins are trusted code in weir's own process.
 *
 * Every struct that may grow begins with its size; a member is there when `size` covers it.
 * Within one WEIR_PLUGIN_ABI members are only added, at the end.
 *
 * Text is UTF-8, is not NUL-terminated, and belongs to weir: it lives until the hook returns,
 * text of the configuration as long as the instance. What a plugin gives to weir is copied.
 */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define WEIR_PLUGIN_ABI 1u

#ifdef __cplusplus
extern "C" {
#endif

struct weir_text {
	const char *p;
	size_t n;
};

/* Is the member there? */
#define WEIR_HAS(object, member) \
	((object)->size >= offsetof(__typeof__(*(object)), member) + sizeof((object)->member))

/* --- configuration --- */

enum weir_node_kind { WEIR_SCALAR, WEIR_MAP, WEIR_LIST };

/* A value of a YAML file, with its place. Its layout is fixed. */
struct weir_node {
	enum weir_node_kind kind;
	unsigned line, column;
	int quoted;			/* a scalar in quotes */
	struct weir_text key;		/* in a map: its name there */
	unsigned key_line, key_column;
	struct weir_text value;		/* scalars; a NUL stands behind */
	const struct weir_node *first, *next;	/* children, siblings */
	unsigned count;			/* children */
};

struct weir_setup;			/* one configure() under way */
struct weir_zone;			/* a time zone; lives as long as the instance */
struct weir_place;			/* where HTTP calls go; lives as long as the instance */

enum weir_severity { WEIR_NOTE, WEIR_WARNING, WEIR_ERROR };

/* --- requests --- */

struct weir_request;			/* one request, until end() returns */

enum weir_verdict {
	WEIR_CONTINUE,			/* go on, with the changes that were made */
	WEIR_ANSWER,			/* host->answer() was called: no model is asked */
	WEIR_REJECT,			/* host->reject() was called */
	WEIR_HOLD			/* timer(), http() or work() was called: result() follows */
};

enum weir_role { WEIR_SYSTEM, WEIR_USER, WEIR_ASSISTANT, WEIR_TOOL };

/* One text of the conversation: a message's whole content, or one of its parts. */
struct weir_piece {
	uint32_t size;			/* set by the plugin */
	enum weir_role role;
	unsigned message;		/* pieces of one message share it; counted from 0 */
	struct weir_text text;		/* escapes undone */
};

/* What can be asked about a request. */
enum weir_fact {
	WEIR_MODEL,			/* as asked, or as an earlier plugin wants it */
	WEIR_KEY, WEIR_TEAM,		/* names from the configuration; empty without keys */
	WEIR_ENDPOINT,			/* chat, completions, messages, responses, embeddings ... */
	WEIR_REQUEST_ID,
	WEIR_USER_AGENT,
	WEIR_SESSION,			/* x-weir-session */
	WEIR_PEER,			/* the caller's address */
	WEIR_LAST_TEXT,			/* of the last message of a user, its parts joined by newlines */
	WEIR_BODY,			/* the body's bytes, valid JSON */
	WEIR_FACTS
};

enum weir_count {
	WEIR_BODY_BYTES, WEIR_PIECES, WEIR_MESSAGES, WEIR_TOOLS, WEIR_IMAGES,
	WEIR_STREAM,			/* 1: the caller wants a stream */
	WEIR_DRY,			/* 1: only explained; nothing is asked or kept */
	WEIR_TOKENS,			/* of the request, estimated */
	WEIR_CODE,			/* 1: there are signs of code in it */
	WEIR_COUNTS
};

enum weir_cache { WEIR_CACHE_SKIP = -1, WEIR_CACHE_FORCE = 1 };

enum weir_on_timeout {
	WEIR_AS_CONFIGURED,		/* the entry's on_failure */
	WEIR_GO_ON,
	WEIR_REFUSE,
	WEIR_TELL			/* result() is called, with `failure` */
};

/* What was held for. */
struct weir_result {
	uint32_t size;
	const char *failure;		/* constant text when nothing came of it; NULL: fine */
	int status;			/* http(): the answer's */
	struct weir_text body;		/* http(): its body, whole */
	void *work;			/* work(): what the worker returned; the plugin's own */
};

struct weir_http {
	uint32_t size;			/* set by the plugin, as the rest */
	const struct weir_place *place;
	const char *method;		/* NULL: POST where there is a body, otherwise GET */
	struct weir_text path;		/* instead of the place's own; empty: that */
	struct weir_text headers;	/* lines, each ended by CR LF; may be empty */
	struct weir_text body;
	size_t answer_max;		/* bytes; 0: 1 MiB. Beyond it the call fails */
};

/* A text of an answer on its way to the caller: the whole of it, or a piece as it came. */
struct weir_delta {
	uint32_t size;
	unsigned choice;		/* texts of one choice (block, output item) belong together */
	struct weir_text text;		/* escapes undone; may be empty where `last` is */
	int whole;			/* the complete text, also after its pieces where a format says it again */
	int last;			/* the choice is over: what was held back has to go out now */
};

struct weir_end {
	uint32_t size;
	int status;			/* that the caller got; 0: none */
	int64_t cost_nano_usd;		/* -1: not known */
	int64_t input_tokens, output_tokens;
	int64_t duration_us;
	struct weir_text target;	/* that answered, "provider/model"; empty: none */
};

struct weir_time {
	uint32_t size;			/* set by the plugin */
	int year, month, day;		/* months and days from 1 */
	int weekday;			/* 1: Monday, to 7 */
	int minute;			/* of the day */
};

/* --- what weir offers --- */

struct weir_host {
	uint32_t abi, size;
	const char *weir_version;

	/* Any time, any thread. printf's formats. */
	void (*log)(enum weir_severity s, const char *format, ...);

	/* --- in configure() --- */

	/* A message about the configuration. `file` NULL: weir's own. WEIR_ERROR: the configuration is refused. */
	void (*tell)(struct weir_setup *s, enum weir_severity how, const char *file, unsigned line, unsigned column,
		     const char *format, ...);
	/* Reads a YAML file, and tells what is wrong with it; NULL then. The file is watched as the configuration is. */
	const struct weir_node *(*read_yaml)(struct weir_setup *s, const char *file);
	/* Reads a whole file of at most 64 MiB; 0, or an errno. It is watched, too. */
	int (*read_file)(struct weir_setup *s, const char *file, struct weir_text *out);
	/* http://... or https://...; NULL after telling what is wrong with it. */
	const struct weir_place *(*http_place)(struct weir_setup *s, const struct weir_node *at, struct weir_text url);

	/* --- in request hooks --- */

	struct weir_text (*fact)(struct weir_request *r, enum weir_fact f);
	uint64_t (*count)(struct weir_request *r, enum weir_count c);
	/* The i-th text, in order; 0 beyond the last. */
	int (*piece)(struct weir_request *r, unsigned i, struct weir_piece *out);
	/* A member of the body as it is spelled in JSON; empty: absent. */
	struct weir_text (*parameter)(struct weir_request *r, const char *name);
	/* The value of a tag: of x-weir-tags, or set by a plugin. Empty: absent. */
	struct weir_text (*tag)(struct weir_request *r, struct weir_text name);

	/* Changes: 1 when taken. They are made when the hook returns, as splices: other bytes stay as they are. */
	int (*set_piece)(struct weir_request *r, unsigned i, struct weir_text text);
	int (*set_model)(struct weir_request *r, struct weir_text model);
	/* A member of the body: `json` is its value, empty takes it away. Not model, messages, input, stream. */
	int (*set_parameter)(struct weir_request *r, const char *name, struct weir_text json);
	int (*set_tag)(struct weir_request *r, struct weir_text name, struct weir_text value);
	int (*set_cache)(struct weir_request *r, enum weir_cache c);
	int (*set_body)(struct weir_request *r, struct weir_text json);	/* whole; checked */

	/* Verdicts. `why` names the rule or cause (a name from the configuration) in x-weir-answered-by and metrics; may be NULL. */
	int (*answer)(struct weir_request *r, struct weir_text text, const char *why);
	/* `status` 400...599; `code` as in an error's code, may be NULL. In the caller's dialect. */
	int (*reject)(struct weir_request *r, int status, const char *code, struct weir_text message, const char *why);
	/* Counts a use of `why` in weir_plugin_hits_total, and shows it in `weir explain`. */
	void (*hit)(struct weir_request *r, const char *why);

	/*
	 * Holding, at most one at a time: then return WEIR_HOLD. The entry's `timeout` is the ceiling of `timeout_ms` (0: that).
	 * 0: not possible.
	 */
	int (*timer)(struct weir_request *r, uint32_t ms);
	int (*http)(struct weir_request *r, const struct weir_http *call, uint32_t timeout_ms, enum weir_on_timeout then);
	/*
	 * run(input) on a thread of a pool; `input` and what it returns are the plugin's own memory and hold nothing of
	 * the request. When the request is gone first, drop(result) is called, and drop(input) where run() never was.
	 */
	int (*work)(struct weir_request *r, void *(*run)(void *input), void *input, void (*drop)(void *), uint32_t timeout_ms,
		    enum weir_on_timeout then);

	/* --- in target() --- */

	unsigned (*targets)(struct weir_request *r);
	/* "provider/model" in the order they will be asked; empty: beyond the last, or taken out. */
	struct weir_text (*target)(struct weir_request *r, unsigned i);
	int (*exclude)(struct weir_request *r, unsigned i, const char *why);	/* `why`: constant text */
	int (*prefer)(struct weir_request *r, unsigned i);			/* it is asked first */

	/* --- in delta() --- */

	/* What the caller reads instead of the text. */
	int (*set_delta)(struct weir_request *r, struct weir_text text);

	/* Memory of the plugin's own for this request: NULL at first, freed by the plugin in end(). */
	void **(*own)(struct weir_request *r);

	/*
	 * The conversation's tool calls and, where a format has them as JSON, their results: the i-th, as JSON text. 0 beyond
	 * the last. What replaces it is one JSON value.
	 */
	int (*argument)(struct weir_request *r, unsigned i, struct weir_piece *out);
	int (*set_argument)(struct weir_request *r, unsigned i, struct weir_text json);

	/* A member of a JSON object as it is spelled, and the text of a JSON string; empty: there is none. */
	struct weir_text (*json_member)(struct weir_request *r, struct weir_text object, const char *name);
	struct weir_text (*json_text)(struct weir_request *r, struct weir_text value);

	/*
	 * In request() and result(): nothing of a model's answer goes out before answered() has judged the whole of it. A
	 * stream's callers see comments until then. Not done for answers out of the cache. 0: not possible.
	 */
	int (*hold_answer)(struct weir_request *r);

	/* One JSON value and nothing else? Any time. */
	int (*is_json)(struct weir_text text);

	/*
	 * In request hooks: a header of the request, whatever its case; of several of that name the first. Empty: absent, or one that
	 * carries a credential.
	 */
	struct weir_text (*header)(struct weir_request *r, struct weir_text name);

	/* In configure(): "UTC", an offset such as "+02:00", or a name of the tz database; NULL: there is none of that name. */
	const struct weir_zone *(*zone)(struct weir_setup *s, struct weir_text name);
	/* Unix seconds, now. */
	int64_t (*now)(struct weir_request *r);
	/* What clocks show there. Any time. */
	void (*local_time)(const struct weir_zone *zone, int64_t unix_seconds, struct weir_time *out);

	/* In configure(): a name that hit(), answer() or reject() will count, so that its series is there from the start. */
	void (*counts)(struct weir_setup *s, const char *why);
	/* A pattern of `why` took more steps than it may, and counts as no match: counted, and shown in `weir explain`. */
	void (*cut_off)(struct weir_request *r, const char *why);
};

/* --- what a plugin offers --- */

struct weir_plugin {
	uint32_t abi, size;		/* WEIR_PLUGIN_ABI, sizeof(struct weir_plugin) */
	const char *name;		/* as `plugins: - name:` says it */
	const char *version;

	/*
	 * Reads `config` (NULL: none was given) and returns an instance, which the other hooks get as `self`.
	 * NULL refuses it; say why with tell().
	 */
	void *(*configure)(const struct weir_host *host, struct weir_setup *s, const struct weir_node *config);
	void (*release)(void *self);

	/* The rest may be NULL. */

	enum weir_verdict (*request)(void *self, struct weir_request *r);
	enum weir_verdict (*result)(void *self, struct weir_request *r, const struct weir_result *result);
	/* The router has made its plan. */
	void (*target)(void *self, struct weir_request *r);
	/* Each text of a model's answer: pieces of a stream, plain ones whole. WEIR_CONTINUE, or WEIR_REJECT to break it off. */
	enum weir_verdict (*delta)(void *self, struct weir_request *r, const struct weir_delta *d);
	/* Once for each request that came to request(), however it ended. Only fact(WEIR_REQUEST_ID) and own() are left. */
	void (*end)(void *self, struct weir_request *r, const struct weir_end *e);
	/*
	 * As delta(), for the arguments of a model's tool calls: `text` is JSON, whole or a piece of its text, and so is what
	 * set_delta() puts in its place. `choice` tells calls apart.
	 */
	enum weir_verdict (*arguments)(void *self, struct weir_request *r, const struct weir_delta *d);
	/*
	 * The whole answer's texts, joined by newlines, after hold_answer(): WEIR_CONTINUE, WEIR_REJECT, or WEIR_HOLD for http(),
	 * work() or timer(), after which result() follows. Of facts only WEIR_REQUEST_ID is left.
	 */
	enum weir_verdict (*answered)(void *self, struct weir_request *r, struct weir_text text);
	/*
	 * Of an answer before any of it goes out, without its request: 1 where it is good enough, 0 where the next target has to
	 * be asked. Called for rules that a cascade names in `checks: { rules: FILE }`; must not block. It may be the beginning
	 * of a longer one.
	 */
	int (*check)(void *self, struct weir_text text);
	/*
	 * `weir NAME ...`, in a process of its own that serves nobody: argv[0] is NAME, or the plugin's file. Of the host there are log()
	 * and the functions of configure(). What is returned is the exit status: 0 fine, 1 failed, 2 wrong usage.
	 */
	int (*command)(const struct weir_host *host, struct weir_setup *s, int argc, char **argv);
};

/* Before the definition: WEIR_PLUGIN(mine) = { .abi = WEIR_PLUGIN_ABI, ... }; */
#ifdef WEIR_PLUGIN_BUILT_IN
#define WEIR_PLUGIN(label) const struct weir_plugin label##_plugin
#else
#define WEIR_PLUGIN(label) __attribute__((visibility("default"))) const struct weir_plugin weir_plugin
#endif

#ifdef __cplusplus
}
#endif

#endif

/*
 * run.h: one transaction's way through its plugins. Shared by the files of this room.
 */
#ifndef WEIR_PLUGIN_HOST_RUN_H
#define WEIR_PLUGIN_HOST_RUN_H

#include "core/fetch.h"
#include "core/plugin.h"
#include "core/sink.h"
#include "core/txn.h"
#include "plugin_host/hooks.h"
#include "plugin_host/plugin_set.h"
#include "plugin_host/record.h"

enum { PIECES_MAX = 20000, WHY_MOST = 200 };

struct piece {
	enum weir_role role;
	unsigned message;
	struct str value;	/* a JSON string of the body, with its quotes; of arguments also any other JSON */
	struct str text;	/* escapes undone, when first wanted */
};

struct pieces {
	struct piece *p;
	unsigned n, cap;
};

/* The body as plugins see it. Read when first wanted, and again when it has changed. */
struct view {
	bool read, last_read;
	struct pieces texts, arguments;
	unsigned messages, images;
	struct str last;	/* WEIR_LAST_TEXT */
	bool tools_read, code_read, code;
	unsigned tools;
};

struct edit {
	size_t at, remove;
	struct str insert, name;	/* `name`: of a member that is inserted */
};

struct edits {
	struct edit *items;
	unsigned n, cap;
	struct str whole;	/* set_body() */
};

enum hold_kind { HOLD_NONE, HOLD_TIMER, HOLD_HTTP, HOLD_WORK };

struct work;

struct plugin_hold {
	enum hold_kind kind;
	bool over;		/* result is there */
	bool late;
	struct timer timer;	/* the deadline, or what was waited for */
	bool timer_open;
	struct fetch *fetch;
	struct work *work;
	enum weir_on_timeout then;
	struct weir_result result;
	struct buf body;
};

struct weir_request {
	struct txn *t;
	uint32_t generation;
	struct plugin_set *set;
	unsigned at;		/* the use whose turn it is */
	uint32_t entered;	/* bit i: use i saw the request */
	uint32_t deltas;	/* bit i: use i wants deltas, or arguments */
	uint32_t holds;		/* bit i: use i judges the whole answer before any of it goes out */
	bool inside, routing, in_delta;	/* which hook runs */
	struct view view;
	struct edits edits;
	struct plugin_hold hold;

	bool answered;		/* answer() was called */
	struct str answer;	/* in the transaction's arena */
	struct str why;		/* of the last verdict, in the arena */

	struct sink sink;	/* of deltas */
	struct buf plain;	/* a plain answer, held */
	struct buf replaced, event;	/* what a text became; the bytes that go on */
	bool was_replaced, broken;
	bool held;		/* this answer waits for its end */
	bool read;		/* its end has come: the plugins that change it are through */
	unsigned judge;		/* the use that judges, or will */
	bool judging;
	struct arena scratch;	/* of one delta */
	struct loop_task break_task;

	struct buf notes;	/* for explain: JSON objects with commas between */
	void *own[PLUGINS_MAX];
};

static inline const struct plugin_use *run_use(const struct weir_request *r) { return &r->set->uses[r->at]; }
static inline struct str run_str(struct weir_text t) { return str_of(t.p, t.n); }
static inline struct weir_text run_text(struct str s) { return (struct weir_text){ s.p, s.n }; }

/* view.c */
struct view *run_view(struct weir_request *r);
struct str run_piece_text(struct weir_request *r, struct piece *p);
struct str run_last_text(struct weir_request *r);
unsigned run_tools(struct weir_request *r);
bool run_code(struct weir_request *r);

/* edits.c: notes changes; run_apply() makes the new body. False: what came of it is no JSON. */
bool run_edit(struct weir_request *r, size_t at, size_t remove, struct str name, struct str insert);
bool run_apply(struct weir_request *r);

/* hold.c */
int run_timer(struct weir_request *r, uint32_t ms);
int run_http(struct weir_request *r, const struct weir_http *call, uint32_t timeout_ms, enum weir_on_timeout then);
int run_work(struct weir_request *r, void *(*run)(void *), void *input, void (*drop)(void *), uint32_t timeout_ms,
	     enum weir_on_timeout then);
void run_hold_drop(struct weir_request *r);
void run_hold_open(struct loop *l, const struct fetch_ops *fetch);
void run_hold_close(struct loop *l);

struct weir_place {
	struct origin *origin;
	struct str path;
};

/* configure.c: of struct weir_host */
void host_log(enum weir_severity s, const char *format, ...) printf_like(2, 3);
void host_tell(struct weir_setup *s, enum weir_severity how, const char *file, unsigned line, unsigned column, const char *format, ...)
	printf_like(6, 7);
const struct weir_node *host_read_yaml(struct weir_setup *s, const char *file);
int host_read_file(struct weir_setup *s, const char *file, struct weir_text *out);
const struct weir_place *host_place(struct weir_setup *s, const struct weir_node *at, struct weir_text url);
const struct weir_zone *host_zone(struct weir_setup *s, struct weir_text name);
void host_counts(struct weir_setup *s, const char *why);

/* speak.c: an answer of ours in the caller's dialect, plain or as a stream. False: its dialect cannot say it. */
bool can_speak(const struct txn *t);
bool speak(struct txn *t, struct str text, struct buf *out);

/* plugin_sink.c: passes the answer by the plugins that want it. */
void run_lay_sink(struct weir_request *r);
void run_break(struct weir_request *r, const char *why);	/* breaks the answer off; t->error stays where it is set */

/* judge.c: shows the whole answer, in r->event, to those who hold it. False: one of them waits, the end has to come again. */
bool run_judge(struct weir_request *r);

/* plugin_counters.c */
enum plugin_outcome { OUTCOME_CONTINUE, OUTCOME_CHANGE, OUTCOME_ANSWER, OUTCOME_REJECT, OUTCOME_TIMEOUT, OUTCOME_FAILURE, OUTCOME_INVALID, OUTCOME_OFF, OUTCOMES };
struct plugin_counts *plugin_counts_new(struct str plugin);
void count_outcome(const struct plugin_use *u, enum plugin_outcome o);
void prepare_hit(struct plugin_record *r, struct str why);
void count_hit(const struct plugin_use *u, struct str why);
void count_avoided(const struct plugin_use *u, const struct live_model *m);
void count_overrun(const struct plugin_use *u, const char *hook, int64_t took_us);
void count_cut_off(const struct plugin_use *u);
void count_stuck(struct str plugin, const char *hook);
void show_off(struct str plugin, bool off);

/* What a request of this model costs on average: kept of those that came to plugins. */
void learn_cost(struct live_model *m, int64_t cost);

#endif

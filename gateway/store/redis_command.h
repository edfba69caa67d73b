/*
 * redis_command.h: one call of a script as Redis reads it, and its answer as we do.
 */
#ifndef WEIR_STORE_REDIS_COMMAND_H
#define WEIR_STORE_REDIS_COMMAND_H

#include "store/redis_script.h"
#include "store/store_ops.h"

enum { SCRIPT_SHA_SIZE = 40 };

/* What a script is asked to do about one reservation. */
struct script_call {
	enum redis_script script;
	char op;
	struct str scope;
	const uint8_t *id;		/* NULL: none */
	const struct store_limit *limits;
	unsigned n;
	const int64_t *amounts;		/* REDIS_SETTLE: what it came to. 'D': in place of the limits' own. Else NULL */
	int64_t ttl_us;
};

/*
 * A command in memory that script_wire_size() measured, or in more, for further items. What is not written yet
 * is how many items there are: script_wire_close() does, before it is sent.
 */
struct script_wire {
	char *p;
	size_t room, n;		/* n: of the whole command, once closed */
	unsigned args;
	size_t tail;		/* where the arguments behind the script begin */
	size_t op;		/* where the op stands */
	size_t limits, names;	/* where these do */
	size_t head;		/* where the last argument, the items, begins */
	size_t items, item_size;
	unsigned n_limits, n_items;
	struct str scope;	/* as it stands in the keys */
};

enum { SCOPE_PREFIX_MAX = 6 + 3 * STORE_KEY_MAX };
/* What all keys of a scope begin with; its hash tag is open still. */
struct str script_prefix(char to[SCOPE_PREFIX_MAX], struct str scope);

size_t script_wire_size(const struct script_call *c);
void script_wire_write(struct script_wire *w, char *to, size_t room, const struct script_call *c,
		       const char sha[SCRIPT_SHA_SIZE]);

/* One item more, if `c` is about the same limits and there is room. For 'R' and 'S', before it is closed. */
bool script_wire_join(struct script_wire *w, const struct script_call *c) must_check;
void script_wire_close(struct script_wire *w);

/* Only these of a closed one's items stay. */
void script_wire_keep(struct script_wire *w, const bool *keep);

/* Asks for another script with the same arguments. */
void script_wire_change(struct script_wire *w, char op, const char sha[SCRIPT_SHA_SIZE]);

/* The same command with the script's text in place of its digest: for a Redis that has lost it. */
bool script_wire_with_text(const struct script_wire *w, const char *text, struct buf *out) must_check;

/* A day's sums: `t` is added to them, as the `serial`th that `teller` tells; or with `t` NULL they are read. */
struct tally_call {
	int64_t day;
	const struct store_tally *t;
	uint64_t teller, serial;
};

enum { TALLY_KEY_MAX = 80 };
struct str tally_key(char to[TALLY_KEY_MAX], int64_t day);
size_t tally_wire_size(const struct tally_call *c);
void tally_wire_write(struct script_wire *w, char *to, const struct tally_call *c, const char sha[SCRIPT_SHA_SIZE]);

/* An answer about `n_items` reservations of `n` limits. */
struct script_answer {
	struct str text;
	unsigned n, n_items;
	bool full;		/* also about the limits */
	int64_t now_us;
};

/* False when these bytes are none. */
bool script_answer_open(struct script_answer *a, struct str text, unsigned n, unsigned n_items, bool full) must_check;
enum script_status script_answer_item(const struct script_answer *a, unsigned item, struct store_answer *to);	/* `to` NULL: only the status */

#endif

/*
 * redis_command.h: one call of a script as Redis reads it, and its answer as we do.
 */
#ifndef WEIR_STORE_REDIS_COMMAND_H
#define WEIR_STORE_REDIS_COMMAND_H

#include "store/redis_script.h"
#include "store/store_ops.h"

enum { SCRIPT_SHA_SIZE = 40 };

/* What a script is asked to do. */
struct script_call {
	enum redis_script script;
	char op;
	struct str scope;
	const uint8_t *id;		/* NULL: none */
	const struct store_limit *limits;
	unsigned n;
	const int64_t *amounts;		/* in place of the limits' own, which then stand in place of their limit */
	int64_t ttl_us;
};

/* A command written into memory that script_wire_size() measured. */
struct script_wire {
	char *p;
	size_t n;
	unsigned args;
	size_t tail;		/* where the arguments behind the script begin */
	size_t op;		/* where the op stands */
};

enum { SCOPE_PREFIX_MAX = 6 + 3 * STORE_KEY_MAX };
/* What all keys of a scope begin with; its hash tag is open still. */
struct str script_prefix(char to[SCOPE_PREFIX_MAX], struct str scope);

size_t script_wire_size(const struct script_call *c);
void script_wire_write(struct script_wire *w, char *to, const struct script_call *c,
		       const char sha[SCRIPT_SHA_SIZE]);

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

struct script_answer {
	int64_t status, now_us;
	bool otherwise;		/* a sum was told under its other name: there are too many */
};

/* False when these bytes are no answer to a call about `n` limits. `answer` NULL: none about limits is expected. */
bool script_answer_read(struct str text, unsigned n, struct script_answer *out,
			struct store_answer *answer) must_check;

#endif

/*
 * redis_command.h: the bytes of one call of the script: keys, arguments, and the answer's reading.
 */
#ifndef WEIR_STORE_REDIS_COMMAND_H
#define WEIR_STORE_REDIS_COMMAND_H

#include "store/redis_socket.h"
#include "store/store_ops.h"

/* What redis_script.h's script is asked to do; `amounts` replace the limits' own where there are some. */
struct script_call {
	const char *op;
	struct str scope;
	const uint8_t *id;		/* NULL: none */
	const struct store_limit *limits;
	unsigned n;
	const int64_t *amounts;
	bool marks;			/* the id's mark is the last key */
	int64_t ttl_us;
};

/* Their bytes are in one block of memory; the first two (EVALSHA, its digest) are the sender's to fill. */
struct script_args {
	int n;
	int op;				/* where the op stands */
	struct str v[REDIS_ARGS_MAX];
};

size_t script_args_size(const struct script_call *c);
void script_args_write(struct script_args *a, char *bytes, const struct script_call *c);

/* The answer's numbers; false when these bytes are no answer to a call about `n` limits. */
struct script_answer {
	int64_t status, now_us;
};
bool script_answer_read(struct str text, unsigned n, struct script_answer *out,
			struct store_answer *answer) must_check;

#endif

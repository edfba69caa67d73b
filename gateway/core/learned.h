/*
 * learned.h: what answers taught about a target: how long prompts and answers are, how
 * soon the first token comes, how fast the rest.
 *
 * One row serves all workers. Writers take a lock they never wait for (an observation more
 * or less does not matter); readers take none. Old observations fade: an answer weighs
 * half of the newest one after some thirty others.
 */
#ifndef WEIR_CORE_LEARNED_H
#define WEIR_CORE_LEARNED_H

#include "core/estimate.h"

enum { LEARNED_LENGTHS = 12, LEARNED_FIRSTS = 64 };

/* Answers to prompts of about one length: bucket i holds 4^i tokens and more. */
struct learned_length {
	_Atomic double mean;		/* output tokens */
	_Atomic uint32_t n;
};

struct learned {
	struct estimator input;
	struct learned_length lengths[LEARNED_LENGTHS];
	struct learned_length length;		/* all together */
	_Atomic uint32_t outputs[LEARNED_FIRSTS], n_outputs;	/* the latest answers' lengths */
	_Atomic double first_us;		/* to the first token */
	_Atomic double token_us;		/* for each further one */
	_Atomic uint32_t n;			/* times observed */
	_Atomic int64_t seen_us;		/* when last; monotonic */
	struct {
		_Atomic uint32_t us[LEARNED_FIRSTS], n;
	} firsts[2];			/* the latest times to the first token: of streams; of plain answers, which come whole */
	atomic_flag busy;
};

/* An answer of `output` tokens to a prompt of `input`. */
void learned_note_length(struct learned *l, int64_t input, int64_t output);

/* A stream: its first token came after `first_us`, the remaining `tokens` took `rest_us` (0: not known). */
void learned_note_stream(struct learned *l, int64_t now_us, int64_t first_us, int64_t tokens, int64_t rest_us);
/* A plain answer of `tokens` came after `us`. */
void learned_note_plain(struct learned *l, int64_t now_us, int64_t us, int64_t tokens);
/* The answer was not waited for: it would have taken more than `us`. */
void learned_note_late(struct learned *l, int64_t now_us, int64_t us, bool stream);

/* Expected tokens of an answer to a prompt of `input`; below 0: nothing is known. `*n`: from so many answers. */
double learned_output(const struct learned *l, int64_t input, uint32_t *n);

/* A length that hardly any of the latest answers passed; 0: fewer than 16 are known. */
int64_t learned_output_most(const struct learned *l);

/* Expected time of an answer of `output` tokens; below 0: nothing is known. */
double learned_time(const struct learned *l, double output);

/* The time to the first token (the whole of a plain answer) that `per_cent` of the latest requests kept; 0: fewer than 16 are known. */
int64_t learned_first(const struct learned *l, bool stream, int per_cent);

#endif

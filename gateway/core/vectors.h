/*
 * vectors.h: embeddings and rerankings in nobody's words, and how a dialect says them.
 *
 * As in chat.h, text is spelled, `json` is one JSON value as it was written, and spans live as long as the request's
 * bytes, constant text or the reader's arena. Numbers of vectors and scores cross as they were spelled.
 */
#ifndef WEIR_CORE_VECTORS_H
#define WEIR_CORE_VECTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/chat_format.h"

enum { VECTOR_INPUTS_MAX = 10000 };

enum vector_kind { VECTOR_NONE, VECTOR_EMBED, VECTOR_RANK };

/* What the vectors are for, where a vendor makes a difference. */
enum vector_task { TASK_UNSAID, TASK_QUERY, TASK_DOCUMENT, TASK_SIMILARITY, TASK_CLASSIFICATION, TASK_CLUSTERING, TASKS };

struct embed {
	struct chat rest;	/* of it the arena and the extras: fields without a noun here */
	const struct str *inputs;	/* spelled texts; `tokens`: arrays of numbers as json */
	unsigned n;
	bool tokens;
	bool one;		/* the caller gave one text and expects one vector, where its format knows the difference */
	bool base64;		/* the caller wants packed numbers */
	struct str dimensions;	/* json */
	enum vector_task task;
	const char *task_field;	/* as the caller's dialect names it */
	struct str title;	/* spelled: of a document */
	struct str truncate;	/* plain: NONE START END */
};

struct embed_answer {
	struct str id, model;	/* as the provider says them, plain; may be empty */
	struct str *vectors;	/* json: arrays of numbers, in the order of the inputs */
	unsigned n;
	struct usage usage;
};

struct rank {
	struct chat rest;
	struct str query;		/* spelled */
	const struct str *documents;	/* spelled */
	unsigned n;
	struct str top;			/* json; STR_NONE: all */
	struct str tokens_each;		/* json: of a document that are read */
	bool documents_back;		/* the caller wants them in the answer */
	bool top_k;			/* the caller speaks Voyage's words */
};

struct ranked {
	int64_t index;
	struct str score;	/* json */
};

struct rank_answer {
	struct str id, model;
	struct ranked *ranked;	/* best first, as the provider had them */
	unsigned n;
	int64_t searches;	/* units the vendor counts; 0: unknown */
	struct usage usage;
};

struct vector_format {
	/* --- the callers' side --- */

	enum vector_kind (*kind)(struct str path);	/* as call.path has it */
	/* `body` is one valid JSON object; of what is read only the arena is set. False: refused. */
	bool (*read_embed)(struct str path, struct str body, struct embed *e, struct chat_fault *fault);
	void (*write_vectors)(const struct embed *e, const struct embed_answer *a, const struct chat_frame *f, struct buf *out);
	bool (*read_rank)(struct str body, struct rank *r, struct chat_fault *fault);
	void (*write_ranking)(const struct rank *r, const struct rank_answer *a, const struct chat_frame *f, struct buf *out);

	/* --- the providers' side --- */

	/* Path below the provider's base path, and body. False when a loss is refused. */
	bool (*write_embed)(const struct embed *e, const struct chat_target *t, struct buf *path, struct buf *body, struct chat_loss *loss);
	/* False when the body does not hold as many vectors as there were inputs. */
	bool (*read_vectors)(struct str body, const struct embed *e, struct embed_answer *a);
	bool (*write_rank)(const struct rank *r, const struct chat_target *t, struct buf *path, struct buf *body, struct chat_loss *loss);
	bool (*read_ranking)(struct str body, const struct rank *r, struct rank_answer *a);
};

/* --- for readers and writers: vectors.c --- */

/* Room for `n` inputs, vectors or documents. */
struct str *vectors_room(struct arena *a, unsigned n);
/* `index` within the documents, a score that is a number: added. False: it makes no sense. */
bool rank_add(struct rank_answer *a, const struct rank *r, int64_t index, struct str score);
/* Tokens instead of text; more than one text. True: there are none such. */
bool embed_refuse_tokens(const struct embed *e, struct chat_loss *loss);
bool embed_refuse_several(const struct embed *e, struct chat_loss *loss);
/* The one vector of an answer. False: it is none, or more were asked for. */
bool vectors_single(struct str vector, const struct embed *e, struct embed_answer *a);

#endif

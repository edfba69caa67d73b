/*
 * token_fetch.h: getting one token from a source: which questions are asked of whom, and what the answers mean.
 *
 * No sockets and no clock here: whoever fetches lends a `token_io`, and tests lend theirs. Blocking; all memory is
 * in io->arena, which is to be wiped. Reasons name the vendor's error, never what was sent.
 */
#ifndef WEIR_PROVIDERS_TOKEN_FETCH_H
#define WEIR_PROVIDERS_TOKEN_FETCH_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/token.h"

enum { TOKEN_ANSWER_MAX = 256 * 1024, TOKEN_FILE_MAX = 256 * 1024, TOKEN_HEADERS_MAX = 8, TOKEN_HIDDEN_MAX = 4 };

struct token_question {
	const char *method;		/* GET, POST, PUT */
	struct str url;
	struct str headers[TOKEN_HEADERS_MAX];	/* "Name: value" */
	unsigned n_headers;
	struct str body;		/* a form, of POST */
	bool near;			/* a metadata server: no proxy, and it answers soon or is not there */
	struct str proxy;		/* empty: the environment's */
};

struct token_answer {
	int status;			/* 0: none arrived, and `error` says why */
	struct str body, date, flavor;	/* flavor: Metadata-Flavor */
	const char *error;
};

struct token_io {
	void (*ask)(struct token_io *io, const struct token_question *q, struct token_answer *out);
	bool (*read_file)(struct token_io *io, struct str path, struct str *out);	/* up to TOKEN_FILE_MAX */
	struct arena *arena;
	int64_t wall_us;		/* our clock */
	int64_t skew_us;		/* the vendor's minus ours; set anew from its answers */
	struct str hidden[TOKEN_HIDDEN_MAX];	/* what was sent that no reason may repeat */
	unsigned n_hidden;
};

/*
 * One token, the caller's; NULL with `why` filled. `*again_us`: when to look again at one that does not expire; 0:
 * never.
 */
struct token *token_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why);

/* --- between the files of this room --- */

typedef struct token *token_fetcher(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why);

token_fetcher aws_files_fetch, aws_web_identity_fetch, aws_container_fetch, aws_instance_fetch;
token_fetcher google_file_fetch, google_metadata_fetch;
token_fetcher entra_fetch, azure_instance_fetch, azure_app_fetch;

/* Asks, and learns the clock's difference from the answer. */
void token_ask(struct token_io *io, const struct token_question *q, struct token_answer *out);
void token_header(struct token_io *io, struct token_question *q, const char *name, struct str value);

/* Whatever refuses us may repeat this; reasons do not. */
void token_hide(struct token_io *io, struct str secret);

/* "&name=value", encoded; the first one without its `&`. */
void token_form(struct buf *form, const char *name, struct str value);

/* Keeps the form in the arena and wipes the buffer. */
struct str token_form_end(struct token_io *io, struct buf *form);

/* The file's text without the white space around it; NULL-safe false with `why` filled. */
bool token_file(struct token_io *io, struct str path, struct str *out, struct buf *why);

struct str token_either(struct str said, struct str usual);

#endif

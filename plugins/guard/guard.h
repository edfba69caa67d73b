/*
 * guard.h: what may not pass, in requests and in answers.
 */
#ifndef GUARD_H
#define GUARD_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>

#include "weir_plugin.h"

enum {
	CHECKS_MAX = 64,	/* of one side */
	PHRASES_MAX = 2000,
	NAME_MAX_BYTES = 64,
	BEHIND = 16,		/* bytes that have gone out and are kept: what a match may look back at */
	STREAMS_MAX = 256,	/* texts of one answer that come in pieces */
};

struct check {
	char name[NAME_MAX_BYTES + 1];
	pcre2_code *code;
};

/* One side: requests, or answers. */
struct side {
	struct check checks[CHECKS_MAX];
	unsigned n;
	uint64_t max_length;	/* bytes of all texts; 0: any */
	uint64_t max_images;	/* requests; UINT64_MAX: any */
	bool asks;		/* the webhook */
};

struct guard {
	struct side request, answer;
	size_t window;		/* bytes of an answer that may wait for the rest of a match */
	int status;
	char *message;		/* NULL: one that names the check */
	const struct weir_place *place;
	uint32_t timeout_ms;
	bool fail_open;
	bool doubt_stops;	/* what a pattern was cut off at is stopped */
	pcre2_match_context *limits;
};

extern const struct weir_host *guard_weir;

bool guard_is(struct weir_text t, const char *s);

/* load.c: NULL after telling why. */
struct guard *guard_load(struct weir_setup *s, const struct weir_node *config);
void guard_free(struct guard *g);

/* words.c: the pattern of a list of phrases; the caller frees. Case and the kind of white space do not count. */
char *phrases_pattern(const struct weir_text *phrases, size_t n, size_t *size);
extern const char guard_secrets[];		/* a pattern of keys of well-known formats */
extern const struct weir_text guard_jailbreaks[];
extern const unsigned guard_jailbreaks_n;

/* --- scan.c --- */

/* The name of the check that forbids the whole text, or NULL. `cut_off`: a pattern took too many steps. */
const char *scan_whole(const struct guard *g, const struct side *side, struct weir_text text, bool *cut_off);

/* One text of an answer as it comes in pieces. */
struct stream {
	unsigned text;
	char *p;		/* what has gone out lately, then what waits */
	size_t n, gone;
	uint64_t length;
};

struct streams {
	struct stream *list;
	unsigned n;
};

void streams_free(struct streams *s);
/*
 * A further piece. NULL, with what may go out now in *out (until the next call), or the name of the check that forbids the
 * text; nothing that belongs to a match has gone out then, if it is no longer than the window.
 */
const char *scan_piece(const struct guard *g, struct streams *s, const struct weir_delta *d, struct weir_text *out, bool *cut_off);

/* --- webhook.c --- */

enum opinion { ALLOWED, DENIED, UNKNOWN };

/* Who asks whom: the first members of what is sent, kept for when the request is gone. The caller frees; NULL: no memory. */
char *webhook_about(struct weir_request *r);
/* Asks; false when it cannot be asked. `answer`: its text, or a NULL pointer: about the request. */
bool webhook_ask(const struct guard *g, struct weir_request *r, const char *about, struct weir_text answer);
/* What it said; *message is its own words, if any, spelled as plain text within the request's memory. */
enum opinion webhook_opinion(struct weir_request *r, const struct weir_result *x, struct weir_text *message);

#endif

/*
 * flight.h: one answer on its way, recorded as it comes, for all who ask the same question meanwhile.
 *
 * Flights are process-wide. The transaction that opened one, its leader, records from its own worker; others, on any
 * worker, watch it and read what is recorded, each at its own pace. A leader whose caller leaves goes on while
 * somebody watches; when the last watch goes as well, it is told. All functions may be called from any worker; a watch
 * belongs to the loop it was begun on. References are counted: the leader has one, and each watch.
 */
#ifndef WEIR_CACHE_FLIGHT_H
#define WEIR_CACHE_FLIGHT_H

#include "base/buf.h"
#include "base/list.h"
#include "base/loop.h"
#include "core/txn.h"

struct flight;
struct station;
struct store;

enum { FLIGHT_MOST = 16 * 1024 * 1024 };	/* bytes recorded for those who watch, beyond what may be kept */

enum flight_state {
	FLIGHT_OPEN,
	FLIGHT_WHOLE,	/* all of it is recorded */
	FLIGHT_FAILED,	/* by the error, which holds for everybody */
	FLIGHT_AGAIN	/* it came to nothing by the leader's own fault or luck: whoever has seen nothing of it asks anew */
};

/* What a reader has to know besides the bytes. */
struct flight_view {
	enum flight_state state;
	bool head;			/* status and headers are known; before that what follows is not */
	bool event_stream;
	int status;
	int64_t length;			/* of a plain body, or ANSWER_CHUNKED */
	struct str type;		/* lives as long as the reference */
	const char *label;		/* x-weir-cache of those who watch; static */
	unsigned comments;		/* keep-alive comments so far */
	struct usage usage;		/* FLIGHT_WHOLE */
	int64_t cost;			/* the same: nano-dollars it was bought for */
	const struct error *error;	/* FLIGHT_FAILED, FLIGHT_AGAIN; lives as long as the reference */
};

struct flight_watch {
	struct list link;
	struct station *station;	/* NULL: it watches nothing */
	void (*wake)(struct flight_watch *);	/* something is new; on its own loop, and may end the watch */
};

/*
 * The flight for `key`: one that is under way, or a new one with `t` as its leader (`*leads`). An empty key is nobody else's.
 * Beyond `keep_most` bytes of body an answer is not kept, and forgotten unless it is watched.
 */
struct flight *flight_join(struct str key, struct txn *t, size_t keep_most, bool *leads);
/* Unchanged: no flight for this key has ended meanwhile. */
unsigned flight_landings(struct str key);

/* --- the leader --- */

void flight_label(struct flight *f, const char *label);
void flight_begin(struct flight *f, const struct answer *a, struct str tags);
/*
 * Whole events, or bytes of a plain body; `*at` is where they lie. `owed`: the leader's own caller has yet to get
 * them. False: there is no room, nothing was added, and unless `owed` what was there is forgotten.
 */
bool flight_add(struct flight *f, struct str bytes, bool owed, size_t *at);
void flight_comment(struct flight *f);
/* How it ended; what comes after the first such word is ignored. */
void flight_whole(struct flight *f, const struct usage *usage, int64_t cost);
void flight_fail(struct flight *f, enum flight_state state, const struct error *e);
/* What was recorded behind entry_begin(), for entry_seal(); NULL: it is too large to be kept. After flight_whole(). */
struct buf *flight_entry(struct flight *f);
/* The leader ends; nobody joins any more once `s` has taken `value` (NULL: at once). Its reference goes with it. */
void flight_leave(struct flight *f, struct store *s, struct str key, struct str value, int64_t ttl_ms);
bool flight_is_watched(struct flight *f);

/* --- everybody --- */

/* Adds to `piece` a run of whole events, or of bytes, from `at` on; nothing when there is none yet. */
void flight_read(struct flight *f, size_t at, struct buf *piece, struct flight_view *v);

/* `w` takes over the caller's reference. */
void flight_watch(struct flight *f, struct flight_watch *w, struct loop *l);
void flight_unwatch(struct flight_watch *w);

#endif

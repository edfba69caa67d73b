/*
 * entry.h: an answer as it lies in the store: a head with format, length and checksum, what it cost,
 * then the content type and the body as the caller got it. Whatever does not fit is no entry.
 */
#ifndef WEIR_CACHE_ENTRY_H
#define WEIR_CACHE_ENTRY_H

#include "base/buf.h"
#include "core/usage.h"

struct entry {
	struct str type, tags, body;	/* tags: of the request that bought it, k=v and commas between */
	int64_t cost;			/* nano-dollars, when it was bought */
	int64_t age_us, stored_us;	/* Unix time */
	int64_t ttl_us;			/* INT64_MAX: as configured where it is read */
	struct usage usage;
	bool stream, usage_told;	/* it is one; and its usage is part of it */
	uint64_t packed;		/* `body` is compressed, from so many bytes; 0: it is not */
};

enum { ENTRY_TAGS = 1024, ENTRY_OVERHEAD = 2048 };	/* most of tags; most that a head, a content type and they take */

/* Begins an entry in `b`; the body is added behind it. Of tags that are too long none are told. */
void entry_begin(struct buf *b, struct str type, struct str tags);

/* What was added so far. */
struct str entry_body(const struct buf *b);

/* Completes what entry_begin() began by what `e` says beside type, tags, body and age. False: there is nothing whole. */
bool entry_seal(struct buf *b, const struct entry *e);

/* Adds to `out` the same entry with its body compressed. False: that is not smaller. */
bool entry_pack(struct str value, struct buf *out);
/* Makes the body whole, into `out`. False: it is damaged, or larger than `most`. */
bool entry_unpack(struct entry *e, size_t most, struct buf *out);

/* Spans point into `value`. */
bool entry_read(struct str value, struct entry *e);

#endif

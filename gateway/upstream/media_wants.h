/*
 * media_wants.h: images and documents that a request has by address, and that its target has to be given by value.
 */
#ifndef WEIR_UPSTREAM_MEDIA_WANTS_H
#define WEIR_UPSTREAM_MEDIA_WANTS_H

#include "core/chat_format.h"

enum { MEDIA_WANTS_MOST = 8 };

struct media_want {
	struct str spelled;	/* as the request has it */
	struct str url;		/* plain */
	bool image;		/* or a document */
	struct str type, data;	/* MIME and base64, once it was fetched */
};

struct media_wants {
	struct media_want want[MEDIA_WANTS_MOST];
	unsigned n;
	bool too_many;
};

/* Puts in what was fetched, and notes what is still missing. True: nothing is. The spans of what is noted are `c`'s. */
bool media_fill(struct media_wants *w, struct chat *c, const struct chat_format *target);

#endif

/*
 * spots.h: where the texts and the arguments of tool calls stand in an answer, plain or an event of a stream, in callers' formats.
 */
#ifndef WEIR_PLUGIN_HOST_SPOTS_H
#define WEIR_PLUGIN_HOST_SPOTS_H

#include <stdbool.h>

#include "base/str.h"

enum { SPOTS_MAX = 64 };

struct spot {
	struct str value;	/* a JSON string with its quotes, of arguments also an object; empty at `inserted_at` */
	const char *inserted_at;	/* no text here, but there is room: `"content":...` goes here */
	bool more_behind;	/* further members follow there */
	unsigned choice;
	bool arguments;		/* of a tool call; `choice` tells calls apart */
	bool whole;		/* the complete text, not a piece of it */
	bool last;		/* nothing of this choice's text follows */
	bool before;		/* what comes of it needs an event of its own, before this one */
};

struct spots {
	struct spot s[SPOTS_MAX];
	unsigned n;
};

/* `endpoint` as its table names it. What cannot be read has no spots. */
void spots_of_event(const char *endpoint, struct str data, struct spots *out);
void spots_of_answer(const char *endpoint, struct str body, struct spots *out);

/* The start of an event that carries the text of `s` ahead of `data`; the text's JSON string and what is returned follow. */
struct buf;
const char *spots_open_event(const char *endpoint, struct str data, const struct spot *s, struct buf *out);

#endif

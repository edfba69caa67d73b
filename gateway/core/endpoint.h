/*
 * endpoint.h: one thing callers may ask for; the table is api/endpoints.c.
 */
#ifndef WEIR_CORE_ENDPOINT_H
#define WEIR_CORE_ENDPOINT_H

#include <stdbool.h>

#include "base/str.h"
#include "core/dialect.h"
#include "core/stage.h"

struct txn;

enum endpoint_body {
	ENDPOINT_NO_BODY,
	ENDPOINT_JSON,		/* read whole, checked, edited */
	ENDPOINT_FORM,		/* multipart/form-data, read whole up to listen.max_body */
	ENDPOINT_JSON_OR_FORM,
	ENDPOINT_UPLOAD		/* passed on as it arrives, one attempt */
};

enum endpoint_route {
	ROUTE_HERE,		/* weir answers by itself: `answer` */
	ROUTE_MODEL,		/* by the model named in the body */
	ROUTE_PATH,		/* by the model named in the path, as "{id}" */
	ROUTE_PROVIDER		/* by x-weir-provider, the body's model, or configuration */
};

/* What a good answer is, beside a stream. */
enum endpoint_answer {
	ANSWER_ANY,
	ANSWER_JSON,		/* a JSON object */
	ANSWER_TEXT		/* the same, paid by tokens of text, so what was delivered can be estimated */
};

struct endpoint {
	const char *name;	/* label in logs and metrics */
	struct str path;	/* below /v1, no slash at the end; "{id}" stands for one or more segments, at the end or before a `:verb` */
	unsigned methods;	/* 1 << enum http_method */
	enum endpoint_body body;
	enum endpoint_route route;
	bool open;		/* no key is asked, no access line is written */
	enum endpoint_answer good;
	const struct dialect *dialect;
	enum stage_result (*answer)(struct txn *);
};

/* How an answer of text is read and said there; NULL: it is none. */
static inline const struct chat_format *endpoint_words(const struct endpoint *e)
{
	if (!e->dialect || e->good != ANSWER_TEXT)
		return NULL;
	return str_eq(str_c(e->name), STR("completions")) ? e->dialect->completions : e->dialect->chat;
}

#endif

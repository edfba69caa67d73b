/*
 * txn.c: setting a transaction's error.
 */
#include "core/txn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/call.h"
#include "core/dialect.h"
#include "core/endpoint.h"

static void printf_like(3, 0) set_error(struct txn *t, enum error_kind kind, const char *fmt, va_list ap)
{
	char text[512];
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	size_t length = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	t->error.kind = kind;
	t->error.message = arena_copy(&t->arena, str_of(text, length));
}

enum stage_result txn_error(struct txn *t, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set_error(t, kind, fmt, ap);
	va_end(ap);
	return STAGE_FAILED;
}

void txn_fail(struct txn *t, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set_error(t, kind, fmt, ap);
	va_end(ap);
	t->ops->fail(t);
}

const struct prompt *txn_prompt(struct txn *t)
{
	struct call *call = t->call;
	if (!call->prompt.measured && call->json && t->endpoint->dialect->measure)
		t->endpoint->dialect->measure(call->body, &call->prompt);
	return &call->prompt;
}

void txn_set_tags(struct txn *t, struct str tags)
{
	free(t->tags);
	t->tags = mem_copy(tags);
}

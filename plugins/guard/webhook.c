/*
 * webhook.c: somebody else's opinion.
 *
 * Sent: {"id", "kind": "request" or "answer", "model", "key", "texts": [{"role", "text"}]}. Expected: a 2xx, with
 * {"action": "deny", "message": "..."} to deny; another action, or no body, allows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

static void write_string(FILE *f, struct weir_text t)
{
	fputc('"', f);
	for (size_t i = 0; i < t.n; i++) {
		unsigned char c = (unsigned char)t.p[i];
		if (c < 0x20)
			fprintf(f, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void write_fact(FILE *f, const char *name, struct weir_request *r, enum weir_fact what)
{
	fprintf(f, "%s\":", name);
	write_string(f, guard_weir->fact(r, what));
}

static void write_text(FILE *f, const char *role, struct weir_text text)
{
	fprintf(f, "{\"role\":\"%s\",\"text\":", role);
	write_string(f, text);
	fputc('}', f);
}

static void write_texts(FILE *f, struct weir_request *r)
{
	static const char *const roles[] = { [WEIR_SYSTEM] = "system", [WEIR_USER] = "user", [WEIR_ASSISTANT] = "assistant", [WEIR_TOOL] = "tool" };
	struct weir_piece piece = { .size = sizeof(piece) };
	for (unsigned i = 0; guard_weir->piece(r, i, &piece); i++) {
		if (i)
			fputc(',', f);
		write_text(f, roles[piece.role], piece.text);
	}
}

char *webhook_about(struct weir_request *r)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);
	if (!f)
		return NULL;
	write_fact(f, "{\"id", r, WEIR_REQUEST_ID);
	write_fact(f, ",\"model", r, WEIR_MODEL);
	write_fact(f, ",\"key", r, WEIR_KEY);
	return fclose(f) == 0 ? out : NULL;
}

bool webhook_ask(const struct guard *g, struct weir_request *r, const char *about, struct weir_text answer)
{
	char *body = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&body, &n);
	if (!f || !about)
		return false;
	fprintf(f, "%s,\"kind\":\"%s\",\"texts\":[", about, answer.p ? "answer" : "request");
	if (answer.p)
		write_text(f, "assistant", answer);
	else
		write_texts(f, r);
	fputs("]}", f);
	struct weir_http call = {
		.size = sizeof(call), .place = g->place, .headers = { "content-type: application/json\r\n", 32 },
	};
	bool asked = fclose(f) == 0;
	call.body = (struct weir_text){ body, n };
	asked = asked && guard_weir->http(r, &call, g->timeout_ms, WEIR_TELL);
	free(body);
	return asked;
}

enum opinion webhook_opinion(struct weir_request *r, const struct weir_result *x, struct weir_text *message)
{
	*message = (struct weir_text){ NULL, 0 };
	if (x->failure || x->status < 200 || x->status > 299)
		return UNKNOWN;
	if (!x->body.n)
		return ALLOWED;
	struct weir_text action = guard_weir->json_text(r, guard_weir->json_member(r, x->body, "action"));
	if (!guard_is(action, "deny"))
		return action.p ? ALLOWED : UNKNOWN;
	*message = guard_weir->json_text(r, guard_weir->json_member(r, x->body, "message"));
	return DENIED;
}

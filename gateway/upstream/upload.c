/*
 * upload.c: a request body passed on as it arrives.
 *
 * Back-pressure is the provider's: when its socket does not take more, reading from the
 * caller stops. A body of unknown length is framed in chunks of our own.
 */
#include "upstream/upload.h"

#include <stdio.h>

#include "core/call.h"
#include "core/snapshot.h"

struct upload {
	struct body_reader reader;
	struct txn *t;
	struct attempt *attempt;
	bool chunked, begun;
};

static struct upload *upload_of(struct body_reader *r)
{
	return container_of(r, struct upload, reader);
}

static bool send_bytes(struct upload *u, struct str bytes, bool last)
{
	struct attempt *a = u->attempt;
	return !a->exchange || a->transport->send(a->exchange, bytes, last);
}

static bool take(struct body_reader *r, struct str bytes)
{
	struct upload *u = upload_of(r);
	char size[24];
	u->begun = true;
	if (!u->chunked)
		return send_bytes(u, bytes, false);
	int n = snprintf(size, sizeof(size), "%zx\r\n", bytes.n);
	send_bytes(u, str_of(size, (size_t)n), false);
	send_bytes(u, bytes, false);
	return send_bytes(u, STR("\r\n"), false);
}

static void end(struct body_reader *r)
{
	struct upload *u = upload_of(r);
	send_bytes(u, u->chunked ? STR("0\r\n\r\n") : STR_NONE, true);
}

void upload_begin(struct txn *t, struct attempt *a)
{
	struct upload *u = t->call->upload_state;
	if (u) {
		u->attempt = a;
		return;
	}
	u = arena_new(&t->arena, struct upload);
	*u = (struct upload){ .reader = { .take = take, .end = end, .max = UINT64_MAX }, .t = t, .attempt = a,
			      .chunked = !t->req->body_length_known };
	t->call->upload_state = u;
	client_read_body(t->client, &u->reader);
}

bool upload_sent(const struct txn *t)
{
	const struct upload *u = t->call->upload_state;
	return u && u->begun;
}

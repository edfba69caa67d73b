/*
 * redis_socket.h: one connection that speaks Redis' protocol, without policy: no deadlines, no
 * retries. It hides hiredis: none of its types leave redis_socket.c.
 */
#ifndef WEIR_STORE_REDIS_SOCKET_H
#define WEIR_STORE_REDIS_SOCKET_H

#include "base/list.h"
#include "base/loop.h"
#include "base/str.h"

enum { REDIS_REPLY_MAX = 32 << 20 };	/* bytes of one answer */

enum redis_answer_kind {
	REDIS_TEXT,
	REDIS_NUMBER,
	REDIS_NIL,
	REDIS_LIST,	/* its first two texts are given */
	REDIS_ERROR,	/* an error that concerns this command alone; its text is given */
	REDIS_LOST,	/* connection gone (no text), or an error that says that Redis is not able */
};

struct redis_answer {
	enum redis_answer_kind kind;
	struct str text;	/* readable within the callback only */
	struct str second;
	int64_t number;
};

/*
 * One command under way, owned by who sends it. Every one that was sent is answered() exactly
 * once, after which it is known no more. With redis_link.h expired() comes before that, at most
 * once, when its deadline passes.
 */
struct redis_link;
struct redis_command {
	struct list link;
	struct redis_link *owner;
	int64_t due_us;		/* 0 before it was first sent; kept when it is sent again */
	void (*heard)(struct redis_command *c, const struct redis_answer *a);	/* redis_link's own */
	void (*answered)(struct redis_command *c, const struct redis_answer *a);
	void (*expired)(struct redis_command *c);
};

struct redis_tls;

struct redis_endpoint {
	const char *path;	/* of a Unix socket; NULL: */
	const char *ip;		/* a literal address */
	uint16_t port;
	struct redis_tls *tls;	/* NULL: none */
};

struct redis_socket;

/*
 * Connects in the background. NULL with a reason. lost() says that the connection is gone, and the socket
 * with it; what was not answered before is answered REDIS_LOST about then.
 */
struct redis_socket *redis_socket_open(struct loop *l, const struct redis_endpoint *to, struct redis_link *owner,
				       void (*lost)(struct redis_link *owner, const char *why), char why[160]);
/*
 * `wire` is a whole command (redis_wire.h). Queued until connected, then all of a turn's commands leave
 * in one write; c->heard is called with the answer. False: it is going down.
 */
bool redis_socket_send(struct redis_socket *s, struct redis_command *c, struct str wire) must_check;
/*
 * Without a word to lost(). What was not answered is answered REDIS_LOST now, or once the running
 * callback returned.
 */
void redis_socket_drop(struct redis_socket *s);

#endif

/*
 * redis_socket.c: hiredis' asynchronous connection on our loop; the one door to hiredis.
 *
 * hiredis frees a context under its own callbacks, and calls them while it does. So a connection is an
 * object of its own which only hiredis' clean-up hook frees; whoever let go of it hears no
 * more. What hiredis takes on trust is checked where its reader makes objects: an answer
 * that nobody asked for (it would fail an assertion) and long or deep lists (of two thousand million
 * elements, if somebody says so) end the connection.
 */
#include "store/redis_socket.h"

#include <hiredis/async.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>

#include "base/mem.h"
#include "store/redis_tls.h"

/* The deepest that is asked for is ROLE: a list of lists of texts. */
enum { LIST_MAX = 256, DEPTH_MAX = 3 };

struct redis_socket {
	struct redis_link *owner;	/* NULL once let go of */
	void (*lost)(struct redis_link *owner, const char *why);
	redisAsyncContext *ac;
	struct watch watch;
	struct loop_task flush;
	const redisReplyObjectFunctions *make;
	unsigned unanswered;
	bool flushing, last;
	bool *gone;			/* set for whoever is calling hiredis when it frees us */
};

/* --- what hiredis' reader may make --- */

static const redisReplyObjectFunctions *maker(const redisReadTask *t)
{
	const struct redis_socket *s = t->privdata;
	unsigned depth = 0;
	for (const redisReadTask *p = t->parent; p; p = p->parent)
		depth++;
	return s->unanswered > 0 && depth <= DEPTH_MAX ? s->make : NULL;
}

static void *make_string(const redisReadTask *t, char *p, size_t n)
{
	return maker(t) ? maker(t)->createString(t, p, n) : NULL;
}

static void *make_integer(const redisReadTask *t, long long n)
{
	return maker(t) ? maker(t)->createInteger(t, n) : NULL;
}

static void *make_nil(const redisReadTask *t)
{
	return maker(t) ? maker(t)->createNil(t) : NULL;
}

#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *t, size_t n)
#else
static void *make_array(const redisReadTask *t, int n)
#endif
{
	return maker(t) && (size_t)n <= LIST_MAX ? maker(t)->createArray(t, n) : NULL;
}

#if HIREDIS_MAJOR >= 1
static void *make_double(const redisReadTask *t, double d, char *p, size_t n)
{
	(void)t, (void)d, (void)p, (void)n;
	return NULL;
}

static void *make_bool(const redisReadTask *t, int b)
{
	(void)t, (void)b;
	return NULL;
}
#endif

static redisReplyObjectFunctions guarded = {
	.createString = make_string,
	.createArray = make_array,
	.createInteger = make_integer,
	.createNil = make_nil,
	.freeObject = freeReplyObject,
#if HIREDIS_MAJOR >= 1
	.createDouble = make_double,
	.createBool = make_bool,
#endif
};

/* --- hiredis' hooks --- */

static void hook_read(void *arg)
{
	struct redis_socket *s = arg;
	if (s->owner)
		watch_read(&s->watch, true);
}

static void hook_read_off(void *arg)
{
	struct redis_socket *s = arg;
	if (s->owner)
		watch_read(&s->watch, false);
}

/* The turn's end writes all at once; while connecting, or when the socket was full, the descriptor says when. */
static void hook_write(void *arg)
{
	struct redis_socket *s = arg;
	if (!s->owner)
		return;
	if ((s->ac->c.flags & REDIS_CONNECTED) && !s->flushing)
		loop_defer(s->watch.loop, &s->flush);
	else
		watch_write(&s->watch, true);
}

static void hook_write_off(void *arg)
{
	struct redis_socket *s = arg;
	if (s->owner)
		watch_write(&s->watch, false);
}

static void socket_part(struct redis_socket *s)
{
	s->owner = NULL;
	watch_close(&s->watch);
	loop_task_cancel(&s->flush);
}

/* hiredis reports OpenSSL's errors by errno, which then says nothing. */
static const char *reason_of(const redisAsyncContext *ac)
{
	if (!ac->err || !ac->errstr[0])
		return "connection closed";
	return strcmp(ac->errstr, "Success") == 0 ? "the TLS handshake failed (certificate, host name or version)"
						   : ac->errstr;
}

/* The context goes, whoever wanted it. */
static void hook_cleanup(void *arg)
{
	struct redis_socket *s = arg;
	struct redis_link *owner = s->owner;
	s->ac->ev.cleanup = NULL;
	if (owner) {
		socket_part(s);
		s->lost(owner, reason_of(s->ac));
	}
	if (s->gone)
		*s->gone = true;
	free(s);
}

/* After the turn's other tasks: what they send leaves in the same write. */
static void on_flush(struct loop_task *t)
{
	struct redis_socket *s = container_of(t, struct redis_socket, flush);
	s->last = !s->last;
	if (s->last) {
		loop_defer(s->watch.loop, t);
		return;
	}
	bool gone = false;
	s->gone = &gone;
	s->flushing = true;
	redisAsyncHandleWrite(s->ac);
	if (gone)
		return;
	s->flushing = false;
	s->gone = NULL;
}

static void on_ready(struct watch *w, bool readable, bool writable)
{
	struct redis_socket *s = container_of(w, struct redis_socket, watch);
	bool gone = false;
	s->gone = &gone;
	s->flushing = true;
	if (writable)
		redisAsyncHandleWrite(s->ac);
	if (!gone)
		s->flushing = false;
	if (!gone && s->owner && readable)
		redisAsyncHandleRead(s->ac);
	if (gone)
		return;
	s->gone = NULL;
	if (s->owner && s->ac->c.reader->len > REDIS_REPLY_MAX) {
		struct redis_link *owner = s->owner;
		void (*lost)(struct redis_link *, const char *) = s->lost;
		redis_socket_drop(s);
		lost(owner, "an answer is too large");
	}
}

/* --- the contract --- */

static redisAsyncContext *connect_to(const struct redis_endpoint *to, char why[160])
{
	redisAsyncContext *ac = to->path ? redisAsyncConnectUnix(to->path) : redisAsyncConnect(to->ip, to->port);
	if (!ac || ac->err) {
		snprintf(why, 160, "%s", ac ? ac->errstr : "out of memory");
	} else if (to->tls && !redis_tls_begin(to->tls, &ac->c)) {
		snprintf(why, 160, "%s", ac->c.err ? ac->c.errstr : "TLS could not begin");
	} else {
		fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);
		return ac;
	}
	if (ac)
		redisAsyncFree(ac);
	return NULL;
}

static void socket_hook(struct redis_socket *s)
{
	redisReader *reader = s->ac->c.reader;
	s->make = reader->fn;
	reader->fn = &guarded;
	reader->privdata = s;
	s->ac->ev.data = s;
	s->ac->ev.addRead = hook_read;
	s->ac->ev.delRead = hook_read_off;
	s->ac->ev.addWrite = hook_write;
	s->ac->ev.delWrite = hook_write_off;
	s->ac->ev.cleanup = hook_cleanup;
}

struct redis_socket *redis_socket_open(struct loop *l, const struct redis_endpoint *to, struct redis_link *owner,
				       void (*lost)(struct redis_link *owner, const char *why), char why[160])
{
	redisAsyncContext *ac = connect_to(to, why);
	if (!ac)
		return NULL;
	struct redis_socket *s = mem_alloc(sizeof(*s));
	*s = (struct redis_socket){ .owner = owner, .lost = lost, .ac = ac };
	loop_task_init(&s->flush, on_flush);
	watch_open(&s->watch, l, ac->c.fd, on_ready);
	socket_hook(s);
	return s;
}

static struct str text_of(const redisReply *list, size_t i)
{
	const redisReply *r = i < list->elements ? list->element[i] : NULL;
	return r && r->type == REDIS_REPLY_STRING ? str_of(r->str, r->len) : STR_NONE;
}

static struct redis_answer answer_of(const redisReply *r)
{
	struct redis_answer a = { .kind = REDIS_LOST };
	if (!r)
		return a;
	a.kind = r->type == REDIS_REPLY_INTEGER ? REDIS_NUMBER : r->type == REDIS_REPLY_NIL ? REDIS_NIL
	       : r->type == REDIS_REPLY_ERROR ? REDIS_ERROR : r->type == REDIS_REPLY_ARRAY ? REDIS_LIST : REDIS_TEXT;
	if (a.kind == REDIS_NUMBER)
		a.number = r->integer;
	else if (a.kind == REDIS_LIST)
		a.text = text_of(r, 0), a.second = text_of(r, 1);
	else if (a.kind != REDIS_NIL)
		a.text = str_of(r->str, r->len);
	return a;
}

/* Without a reply the context is on its way out, and the socket may be gone before it. */
static void on_reply(redisAsyncContext *ac, void *reply, void *arg)
{
	struct redis_command *c = arg;
	struct redis_answer a = answer_of(reply);
	if (reply)
		((struct redis_socket *)ac->ev.data)->unanswered--;
	c->heard(c, &a);
}

bool redis_socket_send(struct redis_socket *s, struct redis_command *c, struct str wire)
{
	if (redisAsyncFormattedCommand(s->ac, on_reply, c, wire.p, wire.n) != REDIS_OK)
		return false;
	s->unanswered++;
	return true;
}

void redis_socket_drop(struct redis_socket *s)
{
	socket_part(s);
	redisAsyncFree(s->ac);
}

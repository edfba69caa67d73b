/*
 * probe.c: a plugin of the tests, built outside the tree against the installed header. It does
 * what the last message tells it to, so each promise of weir_plugin.h can be asked for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir_plugin.h>

static const struct weir_host *weir;

struct probe {
	const struct weir_place *place;
	char cut[64];		/* a word that is cut out of answers */
	size_t n_cut;
};

static int is(struct weir_text t, const char *s)
{
	return t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

static int starts(struct weir_text t, const char *s)
{
	return t.n >= strlen(s) && memcmp(t.p, s, strlen(s)) == 0;
}

static struct weir_text text(const char *s)
{
	return (struct weir_text){ s, strlen(s) };
}

static void *configure(const struct weir_host *host, struct weir_setup *s, const struct weir_node *config)
{
	struct probe *p = calloc(1, sizeof(*p));
	weir = host;
	for (const struct weir_node *n = config ? config->first : NULL; n; n = n->next) {
		if (is(n->key, "url")) {
			p->place = host->http_place(s, n, n->value);
		} else if (is(n->key, "cut")) {
			p->n_cut = n->value.n < sizeof(p->cut) ? n->value.n : 0;
			memcpy(p->cut, n->value.p, p->n_cut);
		} else {
			host->tell(s, WEIR_ERROR, NULL, n->line, n->column, "`%s`: probe knows url and cut", n->key.p);
			free(p);
			return NULL;
		}
	}
	return p;
}

static void release(void *self)
{
	free(self);
}

static void *work(void *input)
{
	char *s = input;
	if (strcmp(s, "crash") == 0)
		abort();
	if (strcmp(s, "slow") == 0)
		usleep(1500 * 1000);
	for (char *c = s; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c -= 32;
	return s;
}

static enum weir_verdict hold_work(struct weir_request *r, const char *what, enum weir_on_timeout then)
{
	char *input = strdup(what);
	if (weir->work(r, work, input, free, 300, then))
		return WEIR_HOLD;
	free(input);
	return WEIR_CONTINUE;
}

static enum weir_verdict hold_http(const struct probe *p, struct weir_request *r, enum weir_on_timeout then)
{
	struct weir_http call = { .size = sizeof(call), .place = p->place, .headers = text("x-probe: 1\r\ncontent-type: text/plain\r\n"),
				  .body = weir->fact(r, WEIR_REQUEST_ID) };
	return weir->http(r, &call, 500, then) ? WEIR_HOLD : WEIR_CONTINUE;
}

static enum weir_verdict show(struct weir_request *r)
{
	char out[2048];
	size_t n = 0;
	struct weir_piece piece = { .size = sizeof(piece) };
	for (unsigned i = 0; weir->piece(r, i, &piece) && n < sizeof(out) - 200; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%d.%u:%.*s|", piece.role, piece.message, (int)piece.text.n, piece.text.p);
	n += (size_t)snprintf(out + n, sizeof(out) - n, "model=%.*s key=%.*s endpoint=%.*s tools=%d images=%d stream=%d user=%.*s team-tag=%.*s",
			      (int)weir->fact(r, WEIR_MODEL).n, weir->fact(r, WEIR_MODEL).p, (int)weir->fact(r, WEIR_KEY).n,
			      weir->fact(r, WEIR_KEY).p, (int)weir->fact(r, WEIR_ENDPOINT).n, weir->fact(r, WEIR_ENDPOINT).p,
			      (int)weir->count(r, WEIR_TOOLS), (int)weir->count(r, WEIR_IMAGES), (int)weir->count(r, WEIR_STREAM),
			      (int)weir->parameter(r, "user").n, weir->parameter(r, "user").p,
			      (int)weir->tag(r, text("team")).n, weir->tag(r, text("team")).p);
	weir->answer(r, (struct weir_text){ out, n }, "show");
	return WEIR_ANSWER;
}

static enum weir_verdict change(struct weir_request *r)
{
	struct weir_piece piece = { .size = sizeof(piece) };
	unsigned last = (unsigned)weir->count(r, WEIR_PIECES) - 1;
	weir->piece(r, last, &piece);
	weir->set_piece(r, last, text("changed \"text\""));
	weir->set_parameter(r, "temperature", text("0.25"));
	weir->set_parameter(r, "top_p", text("0.5"));
	weir->set_parameter(r, "user", (struct weir_text){ NULL, 0 });
	weir->set_tag(r, text("probe"), text("yes"));
	return WEIR_CONTINUE;
}

/* What must not reach the wire. */
static enum weir_verdict odd(const struct probe *p, struct weir_request *r, struct weir_text how)
{
	struct weir_http call = { .size = sizeof(call), .place = p->place, .headers = text("x-a: 1\r\n\r\nGET / HTTP/1.1\r\n") };
	int taken = 0;
	if (is(how, "cause"))
		taken = weir->answer(r, text("said"), "a\r\nx-evil: 1\r\n\r\nbody");
	else if (is(how, "status"))
		return weir->reject(r, 99999, "a\r\n\"b", text("No.\r\n\"\x01"), NULL), WEIR_REJECT;
	else if (is(how, "model"))
		return weir->set_model(r, text("m\r\nx-evil: 1")), WEIR_CONTINUE;
	else if (is(how, "tag"))
		taken = weir->set_tag(r, text("a\r\nx-evil"), text("1")) || weir->set_tag(r, text("a"), text("1\nx"));
	else if (is(how, "headers"))
		taken = weir->http(r, &call, 100, WEIR_REFUSE);
	else if (is(how, "path"))
		call.headers.n = 0, call.path = text("/a HTTP/1.1\r\nx-evil: 1"), taken = weir->http(r, &call, 100, WEIR_REFUSE);
	else if (is(how, "member"))
		taken = weir->set_parameter(r, "model", text("1")) || weir->set_parameter(r, "messages", text("[]"));
	else if (is(how, "text"))
		return weir->set_piece(r, 0, text("broken \xff\xc0 utf-8 \x01")), WEIR_CONTINUE;
	else if (is(how, "body"))
		return weir->set_body(r, text("{\"model\":\"m\"} {}")), WEIR_CONTINUE;
	else if (is(how, "verdict"))
		return (enum weir_verdict)77;
	else if (is(how, "reject"))
		return WEIR_REJECT;
	else if (is(how, "answer"))
		return WEIR_ANSWER;
	if (!taken || is(how, "cause"))
		return taken ? WEIR_ANSWER : WEIR_CONTINUE;
	weir->answer(r, text("TAKEN"), NULL);
	return WEIR_ANSWER;
}

static volatile unsigned deepest = UINT32_MAX;

static char run_over(unsigned depth)
{
	volatile char frame[4096];
	frame[depth % sizeof(frame)] = (char)depth;
	return (char)(depth == deepest ? 0 : frame[0] + run_over(depth + 1) + frame[1]);
}

static void crash(struct weir_text how)
{
	if (is(how, "crash by abort"))
		abort();
	if (is(how, "crash by recursion"))
		run_over(0);
	if (is(how, "crash by free"))
		free((char *)how.p - 4);
	*(volatile int *)NULL = 1;
}

static enum weir_verdict request(void *self, struct weir_request *r)
{
	struct weir_text t = weir->fact(r, WEIR_LAST_TEXT);
	*weir->own(r) = calloc(1, 64);
	if (starts(t, "answer ")) {
		weir->answer(r, (struct weir_text){ t.p + 7, t.n - 7 }, "said");
		return WEIR_ANSWER;
	}
	if (is(t, "show"))
		return show(r);
	if (is(t, "reject")) {
		weir->reject(r, 451, "not_here", text("Not \"here\"."), "no");
		return WEIR_REJECT;
	}
	if (starts(t, "route ")) {
		weir->set_model(r, (struct weir_text){ t.p + 6, t.n - 6 });
		return WEIR_CONTINUE;
	}
	if (is(t, "change"))
		return change(r);
	if (is(t, "bad")) {
		weir->set_parameter(r, "top_p", text("}{"));
		return WEIR_CONTINUE;
	}
	if (is(t, "timer"))
		return weir->timer(r, 50) ? WEIR_HOLD : WEIR_CONTINUE;
	if (is(t, "http"))
		return hold_http(self, r, WEIR_REFUSE);
	if (is(t, "http open"))
		return hold_http(self, r, WEIR_GO_ON);
	if (is(t, "http tell"))
		return hold_http(self, r, WEIR_TELL);
	if (is(t, "http as configured"))
		return hold_http(self, r, WEIR_AS_CONFIGURED);
	if (is(t, "work"))
		return hold_work(r, "worked", WEIR_REFUSE);
	if (is(t, "slow work"))
		return hold_work(r, "slow", WEIR_REFUSE);
	if (is(t, "crash work"))
		return hold_work(r, "crash", WEIR_REFUSE);
	if (starts(t, "crash"))
		crash(t);
	if (starts(t, "odd "))
		return odd(self, r, (struct weir_text){ t.p + 4, t.n - 4 });
	if (is(t, "nap"))
		sleep(2);
	while (is(t, "for ever"))
		usleep(1000);
	if (is(t, "no verdict"))
		return WEIR_HOLD;
	return WEIR_CONTINUE;
}

static enum weir_verdict result(void *self, struct weir_request *r, const struct weir_result *x)
{
	(void)self;
	if (x->work) {
		weir->answer(r, text(x->work), "worked");
		free(x->work);
		return WEIR_ANSWER;
	}
	if (x->failure) {
		weir->answer(r, text(x->failure), "failed");
		return WEIR_ANSWER;
	}
	if (x->status == 0)
		return WEIR_CONTINUE;
	weir->answer(r, x->body, "fetched");
	return WEIR_ANSWER;
}

static void target(void *self, struct weir_request *r)
{
	(void)self;
	for (unsigned i = 0; i < weir->targets(r); i++) {
		if (is(weir->target(r, i), "second/mock"))
			weir->prefer(r, i);
	}
}

/* The word is cut out wherever it stands whole in what came so far; what may be its beginning is held back. */
static enum weir_verdict delta(void *self, struct weir_request *r, const struct weir_delta *d)
{
	const struct probe *p = self;
	char *held = *weir->own(r), *all, *out;
	size_t n_held = d->whole ? 0 : strlen(held), n, k = 0, keep = 0;
	if (!p->n_cut)
		return WEIR_CONTINUE;
	all = malloc(n_held + d->text.n + 1), out = malloc(n_held + d->text.n + 1);
	memcpy(all, held, n_held);
	memcpy(all + n_held, d->text.p, d->text.n);
	n = n_held + d->text.n;
	all[n] = 0;
	for (size_t i = 0; i < n;) {
		size_t left = n - i < p->n_cut ? n - i : p->n_cut;
		if (memcmp(all + i, p->cut, left) != 0) {
			out[k++] = all[i++];
			continue;
		}
		if (left < p->n_cut && !d->last && !d->whole) {
			keep = left;
			break;
		}
		if (left < p->n_cut)
			out[k++] = all[i++];
		else
			i += left;
	}
	if (!d->whole) {
		memcpy(held, all + n - keep, keep);
		held[keep] = 0;
	}
	weir->set_delta(r, (struct weir_text){ out, k });
	int stop = strstr(all, "STOP") != NULL;
	free(all);
	free(out);
	if (stop)
		weir->reject(r, 403, "stopped", text("Stopped."), "stop");
	return stop ? WEIR_REJECT : WEIR_CONTINUE;
}

static void end(void *self, struct weir_request *r, const struct weir_end *e)
{
	(void)self;
	free(*weir->own(r));
	weir->log(WEIR_NOTE, "probe: ended %.*s with %d at %.*s", (int)weir->fact(r, WEIR_REQUEST_ID).n, weir->fact(r, WEIR_REQUEST_ID).p,
		  e->status, (int)e->target.n, e->target.p);
}

/* Reads a file and says what it is made of. */
static int command(const struct weir_host *host, struct weir_setup *s, int argc, char **argv)
{
	struct weir_text whole;
	const struct weir_node *root = argc == 2 ? host->read_yaml(s, argv[1]) : NULL;
	if (argc != 2 || !root || host->read_file(s, argv[1], &whole) != 0)
		return 2;
	printf("%u members, %zu bytes\n", root->count, whole.n);
	if (root->count > 2)
		host->tell(s, WEIR_WARNING, argv[1], root->first->line, root->first->column, "that is %s", "much");
	return root->count == 0;
}

#ifndef PROBE_ABI
#define PROBE_ABI WEIR_PLUGIN_ABI
#endif

WEIR_PLUGIN(probe) = {
	.abi = PROBE_ABI, .size = sizeof(struct weir_plugin), .name = "probe", .version = "1", .configure = configure,
	.release = release, .request = request, .result = result, .target = target, .delta = delta, .end = end, .command = command,
};

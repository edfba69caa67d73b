/*
 * spelled.c: text as it is spelled in JSON: looked into only where its meaning decides.
 */
#include "dialects/spelled.h"

#include <stdio.h>

#include "base/digest.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"

enum { TOOL_ID_MOST = 64, CITATION_MOST = 64 * 1024 };
static const size_t TEXT_MOST = 64u << 20;

/* What the spelling says; itself where nothing is escaped. */
static struct str said(struct arena *a, struct str spelled)
{
	if (str_chr(spelled, '\\') < 0)
		return spelled;
	struct str quoted = arena_printf(a, "\"%.*s\"", STR_FMT(spelled));
	return json_text(a, quoted);
}

/* --- addresses --- */

static struct str lower(struct arena *a, struct str s)
{
	char *to = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		to[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
	return str_of(to, s.n);
}

bool spelled_url(struct arena *a, struct media *m, struct str url)
{
	if (!str_istarts(url, STR("data:"))) {
		m->url = url;
		return true;
	}
	ptrdiff_t comma = str_chr(url, ',');
	if (comma < 0)
		return false;
	struct str head = said(a, str_of(url.p + 5, (size_t)comma - 5)), type = STR_NONE, option = STR_NONE;
	bool base64 = false;
	str_split(&head, ';', &type);
	while (str_split(&head, ';', &option))
		base64 = str_ieq(option, STR("base64"));
	type = lower(a, str_trim(type));
	m->type = str_eq(type, STR("image/jpg")) ? STR("image/jpeg") : type;
	m->data = said(a, str_skip(url, (size_t)comma + 1));
	return base64 && m->data.n;
}

void spelled_write_url(struct json_write *w, const struct media *m, const char *otherwise)
{
	struct str type = str_empty(m->type) ? str_c(otherwise) : m->type;
	struct buf b = BUF_INIT(TEXT_MOST);
	if (m->url.n) {
		json_write_escaped(w, m->url);
		return;
	}
	buf_addf(&b, "data:%.*s;base64,", STR_FMT(type));
	buf_add(&b, m->data);
	json_write_escaped(w, buf_str(&b));
	w->failed |= b.failed;
	buf_free(&b);
}

/* --- arguments --- */

struct str spelled_arguments(struct arena *a, struct str spelled)
{
	struct str text = said(a, spelled);
	if (spelled_blank(spelled) || str_eq(spelled, STR("null")))
		return STR("{}");
	if (text.p && json_scan_is_object(text))
		return json_value(text);
	return arena_printf(a, "{\"_raw\":\"%.*s\"}", STR_FMT(spelled));
}

static void step(struct object_place *o, char c)
{
	if (o->escaped) {
		o->escaped = false;
	} else if (o->in_string) {
		o->escaped = c == '\\';
		o->in_string = c != '"';
	} else if (c == '"') {
		o->in_string = true;
	} else if (c == '{' || c == '[') {
		o->depth++;
	} else if ((c == '}' || c == ']') && --o->depth == 0) {
		o->whole = true;
	}
}

void spelled_follow(struct object_place *o, struct str spelled)
{
	for (size_t i = 0; i < spelled.n; i++) {
		char c = spelled.p[i];
		if (c == '\\' && i + 1 < spelled.n) {
			c = spelled.p[++i];
			if (c != '"' && c != '\\')
				c = ' ';
		}
		step(o, c);
	}
}

/* --- text --- */

struct str spelled_text(struct arena *a, const struct part *parts, const char *between)
{
	struct buf b = BUF_INIT(TEXT_MOST);
	const struct part *only = NULL;
	unsigned n = 0;
	for (const struct part *p = parts; p; p = p->next) {
		if (p->kind != PART_TEXT)
			continue;
		if (n++)
			buf_add(&b, str_c(between));
		buf_add(&b, p->text);
		only = p;
	}
	struct str text = n == 0 ? STR("") : n == 1 ? only->text : arena_copy(a, buf_str(&b));
	buf_free(&b);
	return text;
}

void spelled_wrap_system(struct chat *c)
{
	for (struct message *m = c->messages; m; m = m->next) {
		if (m->role != CHAT_SYSTEM)
			continue;
		struct str text = spelled_text(c->arena, m->parts, "\\n\\n");
		struct str cache = m->last ? m->last->cache : STR_NONE;
		m->role = CHAT_USER;
		m->parts = m->last = NULL;
		if (str_empty(text))
			continue;
		struct part *p = chat_add_part(c, m, PART_TEXT);
		p->text = arena_printf(c->arena, "<system>%.*s</system>", STR_FMT(text));
		p->cache = cache;
	}
}

bool spelled_blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool escaped = s.p[i] == '\\' && i + 1 < s.n && memchr("ntr", s.p[i + 1], 3);
		if (!escaped && s.p[i] != ' ')
			return false;
		i += escaped;
	}
	return true;
}

void spelled_read_cache(struct part *p, struct str part)
{
	p->cache = json_get(part, STR("cache_control"));
	p->breakpoint = json_get(part, STR("prompt_cache_breakpoint"));
	if (json_type(p->breakpoint) != JSON_OBJECT)
		p->breakpoint = STR_NONE;
	else if (!p->cache.p)
		p->cache = STR("{\"type\":\"ephemeral\"}");
}

/* --- ids --- */

static bool id_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

struct str spelled_tool_id(struct arena *a, struct str id)
{
	bool good = id.n > 0 && id.n <= TOOL_ID_MOST;
	for (size_t i = 0; good && i < id.n; i++)
		good = id_byte(id.p[i]);
	if (good)
		return id;
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	digest_sha256(id, digest);
	digest_to_hex(digest, hex);
	return arena_printf(a, "call_%.24s", hex);
}

struct str spelled_made_id(char to[64], struct str request_id, int choice, int n)
{
	int used = snprintf(to, 64, "call_%.*s_%d%s%.0d", (int)(request_id.n < 40 ? request_id.n : 40), request_id.p ? request_id.p : "", n,
			    choice ? "_" : "", choice);
	return str_of(to, (size_t)used);
}

/* --- signatures --- */

static const char *const signers[] = { SIGNED_ANTHROPIC, SIGNED_GOOGLE, SIGNED_OPENAI };

struct str spelled_sign(struct arena *a, struct str signer, struct str signature)
{
	return signer.n ? arena_printf(a, "%.*s:%.*s", STR_FMT(signer), STR_FMT(signature)) : signature;
}

struct str spelled_unsign(struct str spelled, struct str *signer)
{
	for (size_t i = 0; i < array_len(signers); i++) {
		size_t n = strlen(signers[i]);
		if (spelled.n > n && spelled.p[n] == ':' && str_starts(spelled, str_c(signers[i]))) {
			*signer = str_c(signers[i]);
			return str_skip(spelled, n + 1);
		}
	}
	*signer = STR("");
	return spelled;
}

/* --- citations --- */

void spelled_cite(struct chat_out *o, int choice, struct str url, struct str title, int64_t start, int64_t end)
{
	struct buf b = BUF_INIT(CITATION_MOST);
	struct json_write w;
	if (str_empty(url))
		return;
	json_write_init(&w, &b);
	json_write_object(&w);
	json_member_string(&w, "type", STR("url_citation"));
	json_member_object(&w, "url_citation");
	json_member_escaped(&w, "url", url);
	json_member_escaped(&w, "title", title.p ? title : STR(""));
	if (start >= 0 && end >= 0) {
		json_member_int(&w, "start_index", start);
		json_member_int(&w, "end_index", end);
	}
	json_write_object_end(&w);
	json_write_object_end(&w);
	if (json_write_end(&w))
		chat_give(o, &(struct chat_event){ .kind = CHAT_CITATION, .choice = choice, .call = -1, .json = buf_str(&b) });
	buf_free(&b);
}

/* --- effort --- */

int64_t effort_tokens(enum reasoning_effort e)
{
	static const int64_t tokens[] = {
		[EFFORT_MINIMAL] = 1024, [EFFORT_LOW] = 1024, [EFFORT_MEDIUM] = 4096, [EFFORT_HIGH] = 16384, [EFFORT_MOST] = 32768,
	};
	return e < array_len(tokens) ? tokens[e] : 0;
}

enum reasoning_effort effort_of_tokens(int64_t tokens)
{
	if (tokens <= 0)
		return EFFORT_NONE;
	return tokens <= 2048 ? EFFORT_LOW : tokens <= 8192 ? EFFORT_MEDIUM : tokens <= 24576 ? EFFORT_HIGH : EFFORT_MOST;
}

enum reasoning_effort effort_of_word(struct str word)
{
	static const struct { struct str word; enum reasoning_effort effort; } words[] = {
		{ STR_INIT("none"), EFFORT_NONE }, { STR_INIT("minimal"), EFFORT_MINIMAL }, { STR_INIT("low"), EFFORT_LOW },
		{ STR_INIT("medium"), EFFORT_MEDIUM }, { STR_INIT("high"), EFFORT_HIGH }, { STR_INIT("xhigh"), EFFORT_MOST },
		{ STR_INIT("max"), EFFORT_MOST },
	};
	for (size_t i = 0; i < array_len(words); i++)
		if (str_eq(words[i].word, word))
			return words[i].effort;
	return EFFORT_UNSAID;
}

/* NULL for what is not said. */
static const char *effort_word(enum reasoning_effort e)
{
	static const char *const words[] = {
		[EFFORT_NONE] = "none", [EFFORT_MINIMAL] = "minimal", [EFFORT_LOW] = "low", [EFFORT_MEDIUM] = "medium", [EFFORT_HIGH] = "high",
		[EFFORT_MOST] = "xhigh",
	};
	return e < array_len(words) ? words[e] : NULL;
}

/* gpt-5 has minimal, its successors none instead; the earlier ones and the open ones have neither. */
const char *effort_for(struct str model, enum reasoning_effort e)
{
	bool successor = str_starts(model, STR("gpt-5.")), first = !successor && str_starts(model, STR("gpt-5"));
	bool earlier = str_has(model, STR("gpt-oss")) || (model.n > 1 && model.p[0] == 'o' && model.p[1] >= '1' && model.p[1] <= '9');
	if (e == EFFORT_MOST)
		return "high";
	if (e != EFFORT_NONE && e != EFFORT_MINIMAL)
		return effort_word(e);
	if (first)
		return "minimal";
	if (successor)
		return e == EFFORT_NONE ? "none" : "low";
	return earlier || e == EFFORT_MINIMAL ? "low" : NULL;
}

void spelled_write_extras(struct json_write *w, const struct chat *c, const char *const *names)
{
	for (; *names; names++) {
		struct str said = chat_extra(c, *names);
		if (said.p)
			json_member_raw(w, *names, said);
	}
}

static void spell_path(struct buf *b, struct str s, const char *kept)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		if (plain || (c >= '0' && c <= '9') || (c && strchr(kept, c)))
			buf_addc(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

void spelled_path(struct buf *b, struct str model)
{
	spell_path(b, model, "-._~/@");
}

void spelled_segment(struct buf *b, struct str model)
{
	spell_path(b, model, "-._~");
}

void spelled_one_answer(const struct chat *c, struct chat_loss *l)
{
	int64_t n;
	if (json_int(c->n, &n) && n > 1)
		chat_drop_meaning(l, "n", "must be 1: the target's format gives one answer");
}

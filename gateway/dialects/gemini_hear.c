/*
 * gemini_hear.c: a target's generateContent answer, plain or as a stream (python-genai's types, read 2026-08).
 *
 * Calls come whole, or value by value, and often without an id; STOP is said for them, too. A blocked prompt has no candidate.
 */
#include "dialects/gemini_parts.h"

#include "dialects/gemini_partial.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"
#include "wire/json_write.h"

enum { CHOICES_MOST = 8 };

struct hearing {
	struct chat_reader r;
	bool begun;
	bool in_call;			/* whose arguments come value by value */
	int open_choice;
	struct gemini_partial partial;
	int calls[CHOICES_MOST];
};

const size_t gemini_reader_size = sizeof(struct hearing);

static void give(struct hearing *h, struct chat_event e)
{
	chat_give(h->r.out, &e);
}

/* --- calls --- */

static void begin_call(struct hearing *h, int choice, struct str call, struct str proof)
{
	char made[64];
	struct str id = json_raw(json_get(call, STR("id")));
	int number = h->calls[choice]++;
	if (str_empty(id))
		id = spelled_made_id(made, h->r.request_id, choice, number);
	give(h, (struct chat_event){ .kind = CHAT_CALL, .choice = choice, .call = number, .id = id, .name = json_raw(json_get(call, STR("name"))) });
	if (proof.n)
		give(h, (struct chat_event){ .kind = CHAT_SIGNATURE, .choice = choice, .call = number, .signature = proof, .signer = STR(SIGNED_GOOGLE) });
}

/* Of the call that began last. */
static void give_arguments(struct hearing *h, int choice, struct str json)
{
	struct buf b = BUF_INIT(4 * json.n + 16);
	if (json.n && buf_add_json(&b, json))
		give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .choice = choice, .call = h->calls[choice] - 1, .text = str_of(b.p + 1, b.n - 2) });
	buf_free(&b);
}

static void end_call(struct hearing *h)
{
	struct buf b = BUF_INIT(4 * PARTIAL_PATH_MOST);
	if (!h->in_call)
		return;
	h->in_call = false;
	gemini_partial_end(&h->partial, &b);
	give_arguments(h, h->open_choice, buf_str(&b));
	buf_free(&b);
}

static void hear_values(struct hearing *h, struct str list)
{
	struct buf b = BUF_INIT(list.n + 4 * PARTIAL_PATH_MOST);
	struct json_cursor c;
	if (json_type(list) == JSON_ARRAY && json_cursor_open(&c, list))
		while (json_cursor_next(&c)) {
			buf_clear(&b);
			gemini_partial_add(&h->partial, c.value, &b);
			give_arguments(h, h->open_choice, buf_str(&b));
		}
	buf_free(&b);
}

/* Without a name it goes on with the one before, and ends it unless it says that more will come. */
static void hear_call(struct hearing *h, int choice, struct str call, struct str proof)
{
	struct str args = json_get(call, STR("args")), values = json_get(call, STR("partialArgs"));
	bool more = json_type(json_get(call, STR("willContinue"))) == JSON_TRUE;
	bool named = json_raw(json_get(call, STR("name"))).n, goes_on = h->in_call && h->open_choice == choice && !named;
	if (!goes_on && !named && !args.p)
		return;		/* the end of one that has ended */
	if (!goes_on) {
		end_call(h);
		begin_call(h, choice, call, proof);
		h->in_call = more || values.p;
		h->open_choice = choice;
	}
	if (!h->in_call) {
		give_arguments(h, choice, json_type(args) == JSON_OBJECT ? args : STR("{}"));
		return;
	}
	hear_values(h, values);
	if (!more)
		end_call(h);
}

/* --- parts --- */

static void hear_part(struct hearing *h, int choice, struct str object)
{
	struct json_fields f, *part = &f;
	json_fields_open(part, object);
	struct str text = json_raw(json_field(part, STR("text"))), proof = json_raw(json_field(part, STR("thoughtSignature")));
	struct str call = json_field(part, STR("functionCall"));
	bool thought = json_type(json_field(part, STR("thought"))) == JSON_TRUE;
	if (json_type(call) == JSON_OBJECT) {
		hear_call(h, choice, call, proof);
		return;
	}
	if (text.n)
		give(h, (struct chat_event){ .kind = thought ? CHAT_REASONING : CHAT_TEXT, .choice = choice, .call = -1, .text = text });
	if (proof.n)
		give(h, (struct chat_event){ .kind = CHAT_SIGNATURE, .choice = choice, .call = -1, .signature = proof, .signer = STR(SIGNED_GOOGLE) });
}

/* Pages the answer rests on, in chat completions' shape. */
static void hear_page(struct hearing *h, int choice, struct str web)
{
	spelled_cite(h->r.out, choice, json_raw(json_get(web, STR("uri"))), json_raw(json_get(web, STR("title"))), -1, -1);
}

/* --- a candidate --- */

static enum chat_finish finish_of(struct str word, bool calls)
{
	static const struct str filters[] = {
		STR_INIT("SAFETY"), STR_INIT("RECITATION"), STR_INIT("BLOCKLIST"), STR_INIT("PROHIBITED_CONTENT"), STR_INIT("SPII"),
		STR_INIT("IMAGE_SAFETY"), STR_INIT("IMAGE_PROHIBITED_CONTENT"), STR_INIT("IMAGE_RECITATION"), STR_INIT("LANGUAGE"),
	};
	for (size_t i = 0; i < array_len(filters); i++)
		if (str_eq(filters[i], word))
			return FINISH_FILTER;
	if (str_eq(word, STR("MAX_TOKENS")))
		return FINISH_LENGTH;
	if (str_starts(word, STR("MALFORMED_")) || str_ends(word, STR("_TOOL_CALL")) || str_ends(word, STR("_TOOL_CALLS")))
		return FINISH_OTHER;	/* the calls are not what was meant */
	return calls ? FINISH_TOOLS : str_eq(word, STR("STOP")) ? FINISH_STOP : FINISH_OTHER;
}

static void hear_candidate(struct hearing *h, struct str object)
{
	struct json_fields f, *candidate = &f;
	json_fields_open(candidate, object);
	struct str word = json_raw(json_field(candidate, STR("finishReason")));
	int64_t n = json_field_count(candidate, STR("index"));
	int choice = n < CHOICES_MOST ? (int)n : CHOICES_MOST - 1;
	struct json_cursor c;
	if (json_cursor_open(&c, json_get(json_field(candidate, STR("content")), STR("parts"))))
		while (json_cursor_next(&c))
			hear_part(h, choice, c.value);
	if (json_cursor_open(&c, json_get(json_field(candidate, STR("groundingMetadata")), STR("groundingChunks"))))
		while (json_cursor_next(&c))
			hear_page(h, choice, json_get(c.value, STR("web")));
	if (word.n && h->open_choice == choice)
		end_call(h);
	if (word.n)
		give(h, (struct chat_event){ .kind = CHAT_FINISH, .choice = choice, .call = -1, .finish = finish_of(word, h->calls[choice] > 0), .native = word });
}

static void hear_begin(struct hearing *h, struct json_fields *root)
{
	if (h->begun)
		return;
	h->begun = true;
	give(h, (struct chat_event){ .kind = CHAT_BEGIN, .call = -1, .id = json_raw(json_field(root, STR("responseId"))),
				     .model = json_raw(json_field(root, STR("modelVersion"))) });
}

static bool hear(struct hearing *h, struct str object)
{
	struct json_fields f, *root = &f;
	json_fields_open(root, object);
	struct str blocked = json_raw(json_get(json_field(root, STR("promptFeedback")), STR("blockReason")));
	struct json_cursor c;
	struct usage u = { 0 };
	bool any = false;
	hear_begin(h, root);
	if (json_cursor_open(&c, json_field(root, STR("candidates"))))
		for (; json_cursor_next(&c); any = true)
			hear_candidate(h, c.value);
	if (!any && blocked.n)
		give(h, (struct chat_event){ .kind = CHAT_FINISH, .call = -1, .finish = FINISH_FILTER, .native = blocked });
	if (gemini_usage(json_field(root, STR("usageMetadata")), &u))
		give(h, (struct chat_event){ .kind = CHAT_USAGE, .call = -1, .usage = &u });
	return any || blocked.n;
}

bool gemini_read_answer(struct str body, const struct chat_reader *r)
{
	struct hearing h = { .r = *r };
	struct str root = json_whole(body);
	if (json_type(root) != JSON_OBJECT || !hear(&h, root))
		return false;
	give(&h, (struct chat_event){ .kind = CHAT_END, .call = -1 });
	return true;
}

void gemini_read_event(struct chat_reader *r, struct str name, struct str data)
{
	struct hearing *h = container_of(r, struct hearing, r);
	struct str root = json_whole(data);
	(void)name;
	if (json_type(root) == JSON_OBJECT)
		hear(h, root);
}

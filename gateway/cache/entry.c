/*
 * entry.c: writing and reading what is kept, trusting nothing that is read.
 */
#include "cache/entry.h"

#include "base/clock.h"

static const uint32_t FORMAT = 0x32635757;	/* "WWc2" */

struct entry_head {
	uint32_t format;
	uint32_t type_length;		/* of the content type, which stands first */
	uint64_t body_length, checksum;	/* of all behind `checksum` */
	int64_t cost, input, output, cached;
	int64_t stored_us;		/* Unix time */
};

/* Behind the checksum: it covers the head's figures, too. */
static struct str covered(struct str value)
{
	return str_skip(value, offsetof(struct entry_head, cost));
}

void entry_begin(struct buf *b, struct str type)
{
	struct entry_head head = { .format = FORMAT, .type_length = (uint32_t)type.n };
	buf_clear(b);
	buf_add(b, str_of((const char *)&head, sizeof(head)));
	buf_add(b, type);
}

/* `"key": "value"`, with or without white space; what stands in a string has its quotes escaped. */
static bool says(struct str body, struct str key, struct str value)
{
	for (ptrdiff_t at; (at = str_find(body, key)) >= 0;) {
		body = str_skip(body, (size_t)at + key.n);
		struct str rest = str_trim(str_head(body, value.n + 8));
		if (str_starts(rest, STR(":")) && str_starts(str_trim(str_skip(rest, 1)), value))
			return true;
	}
	return false;
}

static bool says_any(struct str body, const struct str (*pairs)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (says(body, pairs[i][0], pairs[i][1]))
			return true;
	return false;
}

/* Filtered answers never, tool calls only where they are wanted: their effects are not repeated by a replay. */
static bool worth_keeping(struct str body, bool tools)
{
	static const struct str filtered[][2] = {
		{ STR_INIT("\"finish_reason\""), STR_INIT("\"content_filter\"") }, { STR_INIT("\"stop_reason\""), STR_INIT("\"refusal\"") },
		{ STR_INIT("\"status\""), STR_INIT("\"incomplete\"") }, { STR_INIT("\"status\""), STR_INIT("\"failed\"") },
		{ STR_INIT("\"finishReason\""), STR_INIT("\"SAFETY\"") }, { STR_INIT("\"finishReason\""), STR_INIT("\"RECITATION\"") },
		{ STR_INIT("\"finishReason\""), STR_INIT("\"BLOCKLIST\"") }, { STR_INIT("\"finishReason\""), STR_INIT("\"PROHIBITED_CONTENT\"") },
		{ STR_INIT("\"finishReason\""), STR_INIT("\"SPII\"") }, { STR_INIT("\"finishReason\""), STR_INIT("\"OTHER\"") },
		{ STR_INIT("\"blockReason\""), STR_INIT("\"") },
	};
	static const struct str calls[][2] = {
		{ STR_INIT("\"tool_calls\""), STR_INIT("[{") }, { STR_INIT("\"type\""), STR_INIT("\"tool_use\"") },
		{ STR_INIT("\"type\""), STR_INIT("\"function_call\"") }, { STR_INIT("\"functionCall\""), STR_INIT("{") },
		{ STR_INIT("\"function_call\""), STR_INIT("{") }, { STR_INIT("\"tool_calls\""), STR_INIT("[\n") },
		{ STR_INIT("\"tool_calls\""), STR_INIT("[ ") }, { STR_INIT("\"type\""), STR_INIT("\"custom_tool_call\"") },
		{ STR_INIT("\"type\""), STR_INIT("\"computer_call\"") }, { STR_INIT("\"type\""), STR_INIT("\"server_tool_use\"") },
	};
	return body.n && !says_any(body, filtered, array_len(filtered)) && (tools || !says_any(body, calls, array_len(calls)));
}

bool entry_seal(struct buf *b, const struct txn *t, bool tools)
{
	struct entry_head head;
	if (b->failed || b->n < sizeof(head))
		return false;
	memcpy(&head, b->p, sizeof(head));
	head.body_length = b->n - sizeof(head) - head.type_length;
	head.cost = t->cost;
	head.input = t->usage.input;
	head.output = t->usage.output;
	head.cached = t->usage.cached;
	head.stored_us = clock_wall_us();
	memcpy(b->p, &head, sizeof(head));
	head.checksum = str_hash(covered(buf_str(b)));
	memcpy(b->p, &head, sizeof(head));
	return worth_keeping(str_skip(buf_str(b), sizeof(head) + head.type_length), tools);
}

bool entry_read(struct str value, struct entry *e)
{
	struct entry_head head;
	if (value.n < sizeof(head))
		return false;
	memcpy(&head, value.p, sizeof(head));
	struct str rest = str_skip(value, sizeof(head));
	if (head.format != FORMAT || head.type_length > rest.n || head.body_length != rest.n - head.type_length ||
	    head.checksum != str_hash(covered(value)))
		return false;
	int64_t age = clock_wall_us() - head.stored_us;
	*e = (struct entry){ .type = str_head(rest, head.type_length), .body = str_skip(rest, head.type_length), .cost = head.cost,
			     .age_us = age > 0 ? age : 0 };
	e->usage = (struct usage){ .known = true, .input = head.input, .output = head.output, .cached = head.cached,
				   .total = head.input + head.output };
	return true;
}

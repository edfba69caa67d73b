/*
 * entry.c: writing and reading what is kept, trusting nothing that is read.
 */
#include "cache/entry.h"

#include "base/clock.h"
#include "base/deflate.h"

static const uint32_t FORMAT = 0x35635757;	/* "WWc5": another one for whatever changes below */

struct entry_head {
	uint32_t format;
	uint32_t type_length;		/* of the content type, which stands first; then tags, then the body */
	uint64_t body_length, checksum;	/* of all behind `checksum` */
	int64_t cost;
	int64_t stored_us, ttl_us;
	uint64_t packed;		/* the body's length before it was compressed; 0: it is not */
	int64_t input, output, total, cached, cache_write, cache_write_1h, reasoning, audio_input, audio_output, image_input;
	uint32_t flags, service, tags_length, reserved;
};

enum { FLAG_STREAM = 1, FLAG_USAGE = 2, FLAG_ESTIMATED = 4, FLAG_KNOWN = 8 };

#define USAGE_FIELDS(DO) \
	DO(input) DO(output) DO(total) DO(cached) DO(cache_write) DO(cache_write_1h) DO(reasoning) DO(audio_input) DO(audio_output) DO(image_input)

/* Behind the checksum: it covers the head's figures, too. */
static struct str covered(struct str value)
{
	return str_skip(value, offsetof(struct entry_head, cost));
}

void entry_begin(struct buf *b, struct str type, struct str tags)
{
	tags = tags.n <= ENTRY_TAGS ? tags : STR_NONE;
	struct entry_head head = { .format = FORMAT, .type_length = (uint32_t)type.n, .tags_length = (uint32_t)tags.n };
	buf_clear(b);
	buf_add(b, str_of((const char *)&head, sizeof(head)));
	buf_add(b, type);
	buf_add(b, tags);
}

static size_t front_of(const struct entry_head *head)
{
	return sizeof(*head) + head->type_length + head->tags_length;
}

static void put_usage(struct entry_head *head, const struct usage *u)
{
#define PUT(field) head->field = u->field;
	USAGE_FIELDS(PUT)
#undef PUT
	head->service = u->service;
	head->flags |= (u->estimated ? FLAG_ESTIMATED : 0) | (u->known ? FLAG_KNOWN : 0);
}

/* The checksum comes last: it is over all else. */
static void put_head(struct buf *b, struct entry_head *head)
{
	memcpy(b->p, head, sizeof(*head));
	head->checksum = str_hash(covered(buf_str(b)));
	memcpy(b->p, head, sizeof(*head));
}

bool entry_seal(struct buf *b, const struct entry *e)
{
	struct entry_head head;
	if (b->failed || b->n < sizeof(head))
		return false;
	memcpy(&head, b->p, sizeof(head));
	head.body_length = b->n - front_of(&head);
	head.cost = e->cost;
	head.ttl_us = e->ttl_us;
	head.stored_us = clock_wall_us();
	head.flags = (e->stream ? FLAG_STREAM : 0) | (e->usage_told ? FLAG_USAGE : 0);
	put_usage(&head, &e->usage);
	put_head(b, &head);
	return true;
}

struct str entry_body(const struct buf *b)
{
	struct entry_head head;
	if (b->n < sizeof(head))
		return STR_NONE;
	memcpy(&head, b->p, sizeof(head));
	return str_skip(buf_str(b), front_of(&head));
}

static struct usage get_usage(const struct entry_head *head)
{
	struct usage u = { .known = head->flags & FLAG_KNOWN, .estimated = head->flags & FLAG_ESTIMATED };
#define GET(field) u.field = head->field;
	USAGE_FIELDS(GET)
#undef GET
	u.service = head->service < SERVICE_TIERS ? (uint8_t)head->service : SERVICE_UNSAID;
	return u;
}

static bool is_whole(const struct entry_head *head, struct str value)
{
	size_t front = front_of(head);	/* of 32-bit numbers: no overflow */
	return head->format == FORMAT && front <= value.n && head->body_length == value.n - front &&
	       head->checksum == str_hash(covered(value));
}

bool entry_read(struct str value, struct entry *e)
{
	struct entry_head head;
	if (value.n < sizeof(head))
		return false;
	memcpy(&head, value.p, sizeof(head));
	if (!is_whole(&head, value))
		return false;
	struct str rest = str_skip(value, sizeof(head));
	int64_t age = clock_wall_us() - head.stored_us;
	struct str behind = str_skip(rest, head.type_length);
	*e = (struct entry){ .type = str_head(rest, head.type_length), .tags = str_head(behind, head.tags_length),
			     .body = str_skip(behind, head.tags_length), .cost = head.cost, .stored_us = head.stored_us, .ttl_us = head.ttl_us,
			     .age_us = age > 0 ? age : 0, .usage = get_usage(&head), .stream = head.flags & FLAG_STREAM,
			     .usage_told = head.flags & FLAG_USAGE, .packed = head.packed };
	return true;
}

/* --- smaller --- */

bool entry_pack(struct str value, struct buf *out)
{
	struct entry_head head;
	memcpy(&head, value.p, sizeof(head));
	size_t front = front_of(&head);
	if (out->n || !buf_add(out, str_head(value, front)) || !deflate_add(str_skip(value, front), out) || out->n >= value.n)
		return false;
	head.packed = head.body_length;
	head.body_length = out->n - front;
	put_head(out, &head);
	return true;
}

bool entry_unpack(struct entry *e, size_t most, struct buf *out)
{
	if (!e->packed)
		return true;
	if (e->packed > most || !inflate_add(e->body, e->packed, out))
		return false;
	e->body = buf_str(out);
	e->packed = 0;
	return true;
}

/*
 * bedrock_parts.h: Bedrock's Converse as the providers' side of chat_format.
 */
#ifndef WEIR_DIALECTS_BEDROCK_PARTS_H
#define WEIR_DIALECTS_BEDROCK_PARTS_H

#include "core/chat_format.h"
#include "wire/json_write.h"

bool bedrock_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);
bool bedrock_reads_address(enum part_kind kind, struct str url);
void bedrock_write_path(const struct chat_target *t, bool stream, struct buf *out);
bool bedrock_read_answer(struct str body, const struct chat_reader *r);
void bedrock_read_event(struct chat_reader *r, struct str name, struct str data);
extern const size_t bedrock_reader_size;

/* A request while it is written. */
struct bedrock_writing {
	struct json_write w;
	struct chat *c;
	const struct chat_target *t;
	struct chat_loss *loss;
	bool claude, has_calls;
	int64_t thought;	/* Claude's tokens to think with; 0: it does not */
};

/* All but the conversation, and what is lost of it. */
void bedrock_write_settings(struct bedrock_writing *x);
/* Behind what may be kept; nothing where `cache` is no object. */
void bedrock_write_cache_point(struct bedrock_writing *x, struct str cache);

/* Tokens of a usage object; what was cached is not part of its input. False when it holds none. */
bool bedrock_usage(struct str object, struct usage *out);

#endif

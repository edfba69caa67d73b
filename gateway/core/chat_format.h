/*
 * chat_format.h: how a dialect says chat.h and chat_event.h. Pure, as dialects are.
 *
 * A dialect that callers speak has the callers' side, one that providers speak the providers' side.
 * What a side lacks is NULL.
 */
#ifndef WEIR_CORE_CHAT_FORMAT_H
#define WEIR_CORE_CHAT_FORMAT_H

#include <stddef.h>

#include "core/chat.h"
#include "core/chat_event.h"

/* What is wrong with a caller's request. */
struct chat_fault {
	struct str field;	/* its path in the caller's own words: messages[2].content[0].type */
	struct str message;	/* one sentence without the field; both in the arena or constant */
};

struct chat_format {
	/* --- the callers' side --- */

	/* The endpoint's path below /v1 that is chat and can be translated, as call.path has it. */
	bool (*is_chat)(struct str path);
	/* `body` is one valid JSON object. `c` is zeroed but for its arena, and `stream` where the path says it. False: refused. */
	bool (*read_request)(struct str body, struct chat *c, struct chat_fault *fault);
	void (*write_answer)(const struct chat_answer *a, const struct chat_frame *f, struct buf *out);
	const size_t *writer_size;	/* of its struct, whose first member is struct chat_writer */
	void (*write_event)(struct chat_out *writer, const struct chat_event *e);
	void (*writer_free)(struct chat_writer *);	/* what it owns; may be NULL */

	/* --- the providers' side --- */

	/* Where it is asked, below the provider's base path, with a query if it has one; percent-encoded. */
	void (*write_path)(const struct chat_target *t, bool stream, struct buf *out);
	/* Does the target itself fetch what is at this address? Otherwise it has to be given bytes. NULL: weir has none to give, or need not. */
	bool (*reads_address)(enum part_kind kind, struct str url);
	/* May put `c` in order (join turns and the like) but not change what it says. The losses are complete even if false. */
	bool (*write_request)(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);
	/* False when the body holds no answer; END is given after the last event. */
	bool (*read_answer)(struct str body, const struct chat_reader *r);
	const size_t *reader_size;	/* of its struct, whose first member is struct chat_reader */
	/* One event; `name` is empty where the framing has none. What makes no sense is passed over. */
	void (*read_event)(struct chat_reader *r, struct str name, struct str data);
	void (*reader_free)(struct chat_reader *);	/* what it owns; may be NULL */
};

#endif

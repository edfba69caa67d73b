/*
 * gemini_parts.h: Gemini's generateContent as chat_format has it, both sides.
 */
#ifndef WEIR_DIALECTS_GEMINI_PARTS_H
#define WEIR_DIALECTS_GEMINI_PARTS_H

#include "core/chat_format.h"

bool gemini_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss);
bool gemini_reads_address(enum part_kind kind, struct str url);
void gemini_write_path(const struct chat_target *t, bool stream, struct buf *out);
bool gemini_read_answer(struct str body, const struct chat_reader *r);
void gemini_read_event(struct chat_reader *r, struct str name, struct str data);
extern const size_t gemini_reader_size;

/* The callers' side. */
bool gemini_read_request(struct str body, struct chat *c, struct chat_fault *fault);
void gemini_read_settings(struct str body, struct chat *c);	/* all of it but the contents */
void gemini_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out);
void gemini_write_event(struct chat_out *writer, const struct chat_event *e);
void gemini_writer_free(struct chat_writer *w);
extern const size_t gemini_writer_size;

/* Google takes members in either spelling: the first that is there. */
struct str json_either(struct str object, const char *camel, const char *snake);
struct json_fields;
struct str json_field_either(struct json_fields *object, const char *camel, const char *snake);

/* Tokens of a usageMetadata object; false when it holds none. */
bool gemini_usage(struct str object, struct usage *out);

#endif

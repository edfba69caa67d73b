/*
 * openai_errors.h: how errors look in OpenAI's formats, written and read.
 */
#ifndef WEIR_DIALECTS_OPENAI_ERRORS_H
#define WEIR_DIALECTS_OPENAI_ERRORS_H

#include "core/dialect.h"

/* {"error":{"message","type","param","code"}} without a newline. */
void openai_write_error(struct buf *out, const struct error *e, struct str request_id);

/* The same as one `data:` event, which makes OpenAI's clients raise instead of ending quietly. */
void openai_write_error_event(struct buf *out, const struct error *e, struct str request_id);

/* Reads the shapes of every compatible vendor, HTML and nothing included. */
void openai_read_error(int status, struct str body, struct provider_error *out);

#endif

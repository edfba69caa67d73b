/*
 * answer_writer.h: the last sink: status, headers and bytes for the caller; and the
 * answers weir gives by itself.
 */
#ifndef WEIR_API_ANSWER_WRITER_H
#define WEIR_API_ANSWER_WRITER_H

#include "core/stage.h"
#include "core/txn.h"

/* Lays the writer as the innermost sink. Called for each transaction before its first stage. */
void answer_writer_lay(struct txn *t);

/* A complete answer of our own; the transaction ends. Returns STAGE_ANSWERED. */
enum stage_result answer_json(struct txn *t, int status, struct str body);
enum stage_result answer_empty(struct txn *t, int status, const struct answer_header *headers, unsigned n);

/* t->error in the caller's dialect: as a status, or inside the stream that was begun. Does not end the transaction. */
void answer_error(struct txn *t);

#endif

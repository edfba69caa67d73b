/*
 * print.h: the option tables for people and tools.
 */
#ifndef WEIR_CONFIG_PRINT_H
#define WEIR_CONFIG_PRINT_H

#include "base/buf.h"

void print_full(struct buf *out);	/* conf/weir.full.yaml: every option with its default, commented */
void print_schema(struct buf *out);	/* conf/weir.schema.json */
void print_reference(struct buf *out);	/* conf/docs/configuration.md */
void print_init(struct buf *out);	/* a file from what the environment holds, without secrets */

#endif

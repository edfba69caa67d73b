/*
 * body.h: a request body collected in memory, scanned as it arrives.
 */
#ifndef WEIR_API_BODY_H
#define WEIR_API_BODY_H

#include <stdbool.h>

#include "base/shared_bytes.h"
#include "core/client.h"
#include "core/txn.h"
#include "wire/json_scan.h"

struct body {
	struct body_reader reader;
	struct txn *t;
	char *bytes;		/* in the arena when small, else: */
	struct shared_bytes *shared;	/* held by it */
	size_t n, cap;
	bool is_json;
	bool complete, bad, reading;
	struct json_scan scan;
};

/* Begins collecting. True when the body is complete already; else the transaction parks and is resumed. */
bool body_collect(struct txn *t, struct body *b, bool is_json);

#endif

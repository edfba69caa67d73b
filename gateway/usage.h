/*
 * usage.h: what was spent, read where it is known: of all replicas in the store they share, else in this one's ledger.
 */
#ifndef WEIR_USAGE_H
#define WEIR_USAGE_H

#include "admin/admin_pages.h"
#include "core/snapshot.h"
#include "metering/usage_report.h"

struct usage_question {
	struct str by;			/* "key,model" */
	int64_t since_us;
	enum usage_format format;
};

/* Blocks, for up to some seconds. False with a line in `why`. `alone`: it is of this replica, though there may be others. */
bool usage_read(const struct snapshot *s, const struct usage_question *q, struct buf *out, bool *alone, struct buf *why);

/* GET /admin/usage?by=key,model&since=7d: answered from a thread of its own, one at a time. */
int usage_admin(const struct snapshot *s, struct loop *l, const struct admin_call *c, struct buf *out);
void usage_admin_close(void);

#endif

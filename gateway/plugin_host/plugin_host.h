/*
 * plugin_host.h: the stages at which plugins have their say.
 *
 * plugins_stage asks them about the request, plugin_targets_stage about the plan, and what one of
 * them answered is given by plugin_answer_stage, behind the limits: such an answer counts as a
 * request and costs nothing. Where no plugin is configured each of them is one test.
 */
#ifndef WEIR_PLUGIN_HOST_PLUGIN_HOST_H
#define WEIR_PLUGIN_HOST_PLUGIN_HOST_H

#include "base/buf.h"
#include "base/loop.h"
#include "core/stage.h"

struct fetch_ops;
struct txn;

extern const struct stage plugins_stage, plugin_targets_stage, plugin_answer_stage;

/*
 * No target answered: the plugins that are asked last (`last: true`), in their order. True: one of them did, and the
 * transaction is over. Nothing was passed on before. They cannot hold the request here.
 */
bool plugins_last(struct txn *t);

/* For the calling thread, a worker's. */
void plugin_host_open(struct loop *l, const struct fetch_ops *fetch);
void plugin_host_close(struct loop *l);

/* Each series of the snapshot's plugins, at zero. */
struct snapshot;
void plugins_prepare(const struct snapshot *s);

/*
 * Before the workers start: plugins that crashed weir too often, by this file (empty: not kept), are switched off, and
 * further crashes are noted in it. forgive(): at a reload they are on again, and counted anew.
 */
void plugin_crashes_open(struct str file);
void plugin_crashes_forgive(void);

/* What plugins did with a request that was only explained: JSON objects with commas between. */
void plugins_explain(const struct txn *t, struct buf *out);
/* For those that have no stages to leave. */
void plugins_forget(struct txn *t);

#endif

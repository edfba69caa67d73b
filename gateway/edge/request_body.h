/*
 * request_body.h: the body of the present request, from the connection to its reader.
 */
#ifndef WEIR_EDGE_REQUEST_BODY_H
#define WEIR_EDGE_REQUEST_BODY_H

#include "edge/connection.h"

/* Takes body bytes off `*in`. False: no more is taken now (complete, paused, or failed). */
bool request_body_feed(struct caller *c, struct str *in);

/* Where the next bytes may be read to directly; empty when they go through the scratch buffer. */
struct str request_body_space(struct caller *c);

/* Is the body slower than allowed? Asked when c->look_us has come; sets the next look. */
bool request_body_too_slow(struct caller *c);

/* Memory accounted for it goes back. */
void request_body_release(struct caller *c);

#endif

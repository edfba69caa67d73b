/*
 * frames.h: AWS event-stream messages seen as the events of a stream: the event's type is its name, the payload its data.
 */
#ifndef WEIR_UPSTREAM_FRAMES_H
#define WEIR_UPSTREAM_FRAMES_H

#include "wire/aws_eventstream.h"
#include "wire/sse.h"

struct eventstream *frames_new(void);
void frames_free(struct eventstream *s);	/* may be NULL */

/* As sse_feed(); an exception is an event of its own type. `raw` is not filled: such streams are never relayed. */
enum sse_result frames_feed(struct eventstream *s, struct str *in, struct sse_event *out);

/*
 * Is its data JSON, or [DONE]? What is written anew has to be; and of a body's last event, whose blank line never came, only
 * that was lost then. Half an event can look like a proper end.
 */
bool frames_whole(const struct sse_event *ev);

#endif

/*
 * url.h: base URLs from configuration, and percent-encoding in paths and queries.
 *
 * Strict for the sake of one meaning: what another reader might take for another host
 * (user parts, backslashes, blanks, encoded hosts) is refused.
 */
#ifndef WEIR_WIRE_URL_H
#define WEIR_WIRE_URL_H

#include "base/arena.h"
#include "base/str.h"

/* Spans point into the text that was parsed. */
struct url {
	bool tls;		/* https */
	struct str host;	/* without brackets, in the case it was written in */
	bool v6;
	uint16_t port;		/* 80 or 443 where none is written */
	bool port_written;
	struct str authority;	/* host and port as written: what Host: says */
	struct str path;	/* "" or "/...": escapes kept, slashes at the end taken off */
	struct str query;	/* behind the `?`; STR_NONE without one */
};

/* http://... or https://...; NULL when good, otherwise a constant text that says what is wrong. */
const char *url_parse(struct str text, struct url *out) must_check;

/*
 * `s` with %XX decoded: one path segment, or one value of a query (there `plus_is_space`). Without
 * escapes it is `s` itself. False for a broken escape or %00.
 */
bool url_decode(struct arena *a, struct str s, bool plus_is_space, struct str *out) must_check;

/* How often `name` occurs in a query, names compared as they stand; `*value` is the first's, undecoded. */
unsigned url_query_find(struct str query, struct str name, struct str *value);

#endif

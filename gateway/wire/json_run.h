/*
 * json_run.h: the inner loop of json_scan: how far does valid text in a string go?
 */
#ifndef WEIR_WIRE_JSON_RUN_H
#define WEIR_WIRE_JSON_RUN_H

/*
 * First byte in [p, end) that is a quote, a backslash, a control byte, or the beginning of a
 * character that is not valid UTF-8 or not whole; or end. `p` must be the beginning of a character.
 */
const char *json_run(const char *p, const char *end);

/* Length of the valid character at p; 0: invalid, -1: cut by `end`. RFC 3629, table 3-7 of Unicode. */
int json_utf8(const char *p, const char *end);

#endif

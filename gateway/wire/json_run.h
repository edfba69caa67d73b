/*
 * json_run.h: the inner loop of json_scan: how far does plain text in a string go?
 */
#ifndef WEIR_WIRE_JSON_RUN_H
#define WEIR_WIRE_JSON_RUN_H

/* First byte in [p, end) that is a quote, a backslash, a control byte or not ASCII; or end. */
const char *json_run(const char *p, const char *end);

#endif

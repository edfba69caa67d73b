/*
 * date.h: points of time as protocols write them, to seconds since 1970.
 */
#ifndef WEIR_WIRE_DATE_H
#define WEIR_WIRE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* RFC 9110's IMF-fixdate, as all servers write Date: "Sun, 06 Nov 1994 08:49:37 GMT". */
bool date_http(struct str s, int64_t *seconds) must_check;

/* RFC 3339 in UTC, fractions dropped: "2026-11-24T05:00:00Z", "2026-11-24T05:00:00.123+00:00". */
bool date_iso(struct str s, int64_t *seconds) must_check;

#endif

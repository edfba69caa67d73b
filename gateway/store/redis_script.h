/*
 * redis_script.h: the scripts that reserve and settle within Redis.
 */
#ifndef WEIR_STORE_REDIS_SCRIPT_H
#define WEIR_STORE_REDIS_SCRIPT_H

/*
 * KEYS   the scope's live and lapsed reservations (sorted sets), the limits', and for 'C' last the id's mark
 * ARGV   op; ttl in microseconds; limits; names; items
 *
 * limits for each: kind, limit, span or period's start, period's end
 * names  for each limit: kind (1), key's length (2), key within the scope; and how many they are (1)
 * items  the reservations that it is about, which have these limits in common: id (16), what is reserved of each limit,
 *        and to settle what it came to ('D': instead of what is reserved)
 *
 * Remembered, a reservation is its id, what it reserved, the names. Integers are little-endian, of 64 bits where
 * nothing is said. The answer is a string of them: the server's time; to 'R' and 'P' for each limit whether it is
 * fresh; then for each item its status, and to 'R' and 'P' the limit refused by, when to retry (-1: never), and for each
 * limit spent and reserved. A record that is none of ours is the error "WEIRBROKEN key", and nothing was changed.
 */
enum script_status {
	SCRIPT_DONE, SCRIPT_REFUSED,
	SCRIPT_MISSING,		/* no such reservation */
	SCRIPT_BROKEN,		/* done but for broken records */
	SCRIPT_OTHERWISE,	/* a sum was told under its other name: there are too many */
	SCRIPT_STATUSES
};

enum redis_script {
	REDIS_RESERVE,		/* 'R' reserve, 'P' peek */
	REDIS_SETTLE,		/* 'S' settle, 'C' settle what may not have been reserved */
	REDIS_CARE,		/* 'N' renew, 'L' let go, requests included, 'D' seed */
	REDIS_TALLY,		/* of other arguments: see its text */
	REDIS_SCRIPTS
};

extern const char *const redis_scripts[REDIS_SCRIPTS];

#endif

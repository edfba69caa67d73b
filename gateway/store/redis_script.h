/*
 * redis_script.h: the scripts that reserve and settle within Redis.
 */
#ifndef WEIR_STORE_REDIS_SCRIPT_H
#define WEIR_STORE_REDIS_SCRIPT_H

/*
 * KEYS  the scope's live and lapsed reservations (sorted sets), the limits', and for 'C' last the id's mark
 * ARGV  op; member; ttl in microseconds; limits
 *
 * member  id (16), then for each limit: kind (1), amount reserved (8), key's length (2), key within the scope
 * limits  for each: kind, amount, limit (to settle: amount reserved), span or period's start, period's end
 *
 * Integers are little-endian, of 64 bits where nothing is said. The answer is a string of them: 0 granted or
 * done, 1 refused, 2 no such reservation, 3 done but for broken records; the server's time; the limit refused
 * by; when to retry (-1: never); and to 'R' and 'P' for each limit spent, reserved, fresh. A record that is
 * none of ours is the error "WEIRBROKEN key", and nothing was changed.
 */
enum redis_script {
	REDIS_RESERVE,		/* 'R' reserve, 'P' peek */
	REDIS_SETTLE,		/* 'S' settle, 'C' settle what may not have been reserved */
	REDIS_CARE,		/* 'N' renew, 'L' let go, requests included, 'D' seed */
	REDIS_TALLY,		/* of other arguments: see its text */
	REDIS_SCRIPTS
};

extern const char *const redis_scripts[REDIS_SCRIPTS];

#endif

/*
 * redis_script.h: the script that reserves and settles within Redis.
 */
#ifndef WEIR_STORE_REDIS_SCRIPT_H
#define WEIR_STORE_REDIS_SCRIPT_H

/*
 * KEYS  the scope's live and lapsed reservations (sorted sets), the limits', and for op "charge" last the id's mark
 * ARGV  op; member; ttl in microseconds; limits
 *
 * op      reserve peek settle charge release renew seed
 * member  id (16), then for each limit: class (1), amount reserved (8), key length (2), key
 * limits  for each: kind (8), amount (8), limit (8), span or period start (8), period end (8)
 *
 * Integers are little-endian. The answer is a string of 64-bit integers: 0 granted or done, 1 refused,
 * 2 no such reservation, 3 done but for broken records; the server's time; the limit refused by; when to retry
 * (-1: never); and for each limit spent, reserved, fresh. A record that is none of ours is the error
 * "WEIRBROKEN key", and nothing was changed.
 */
extern const char redis_script_text[];

#endif

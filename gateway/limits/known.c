/*
 * known.c: a table that forgets what other budgets need room for: it is a net, not a ledger.
 */
#include "limits/known.h"

#include <pthread.h>

enum { PLACES = 1 << 14, LOCKS = 64 };

struct known {
	uint64_t name;		/* of scope and key; 0: free */
	int64_t period_start, spent;
};

static struct known places[PLACES];
static pthread_mutex_t locks[LOCKS] = { [0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER };

int64_t known_spent(struct str scope, struct str key, int64_t period_start, int64_t spent)
{
	uint64_t name = (str_hash(scope) * UINT64_C(0x9e3779b97f4a7c15) ^ str_hash(key)) | 1;
	struct known *k = &places[name >> 20 & (PLACES - 1)];
	pthread_mutex_t *lock = &locks[name >> 20 & (LOCKS - 1)];
	pthread_mutex_lock(lock);
	if (k->name != name || k->period_start != period_start)
		*k = (struct known){ name, period_start, spent };
	else if (spent > k->spent)
		k->spent = spent;
	int64_t most = k->spent;
	pthread_mutex_unlock(lock);
	return most;
}

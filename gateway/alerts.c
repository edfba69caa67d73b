/*
 * alerts.c: from a worker to the main thread, which asks the store whether another replica has told it; then to a queue, and from
 * there, tried a few times, to the webhook.
 */
#include "alerts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/alert.h"
#include "core/money.h"
#include "upstream/token_http.h"

enum { WAITING_MAX = 64, TRIES = 4 };

static struct counter_family sent = {
	.name = "weir_alerts_total", .help = "Alerts by what became of them: sent, failed, dropped, told by another replica.", .kind = COUNTER_SUM, .scale = 1,
	.labels = { "result" },
};

static const char claim[] = "return redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) and 'first' or 'again'";

struct told {
	struct store_call call;
	struct alert alert;
};

static struct {
	struct loop *loop;
	struct store *store;		/* NULL: there are no other replicas */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct alert waiting[WAITING_MAX];
	unsigned n;
	char *webhook;			/* NULL: none */
	bool slack, running;
	_Atomic bool stop;
} alerts = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static void count(struct str result, int64_t n)
{
	counter_add(counter_of(&sent, &result), n);
}

/* --- the message --- */

static void add_amount(struct buf *b, const struct alert *a, int64_t n)
{
	char text[MONEY_SIZE];
	if (a->money)
		buf_add(b, money_format(text, n));
	else
		buf_addf(b, "%lld", (long long)n);
}

static void add_moment(struct buf *b, int64_t at)
{
	struct tm tm;
	time_t t = (time_t)at;
	char text[32];
	gmtime_r(&t, &tm);
	buf_add(b, str_of(text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm)));
}

static void write_sentence(const struct alert *a, struct buf *b)
{
	const char *unit = a->money ? "$" : "";
	buf_addf(b, "%s has used %d%% of its budget %s: %s", a->of, a->at, a->budget, unit);
	add_amount(b, a, a->spent);
	buf_addf(b, " of %s", unit);
	add_amount(b, a, a->limit);
	if (a->forecast >= 0) {
		buf_addf(b, "; as it goes, %s", unit);
		add_amount(b, a, a->forecast);
	}
	if (a->period_end) {
		buf_addf(b, "%s", a->forecast >= 0 ? " by " : "; it begins anew at ");
		add_moment(b, a->period_end);
	}
}

static void write_json(const struct alert *a, struct buf *b)
{
	struct buf sentence = BUF_INIT(2048);
	write_sentence(a, &sentence);
	buf_add(b, alerts.slack ? STR("{\"text\":") : STR("{\"event\":\"budget_warning\",\"text\":"));
	buf_add_json(b, buf_str(&sentence));
	buf_free(&sentence);
	if (!alerts.slack) {
		buf_add(b, STR(",\"of\":"));
		buf_add_json(b, str_c(a->of));
		buf_add(b, STR(",\"budget\":"));
		buf_add_json(b, str_c(a->budget));
		buf_addf(b, ",\"at_percent\":%d,\"unit\":\"%s\",\"spent\":", a->at, a->money ? "usd" : "tokens");
		add_amount(b, a, a->spent);
		buf_add(b, STR(",\"limit\":"));
		add_amount(b, a, a->limit);
		buf_add(b, STR(",\"forecast\":"));
		if (a->forecast < 0)
			buf_add(b, STR("null"));
		else
			add_amount(b, a, a->forecast);
		buf_add(b, STR(",\"period_end\":"));
		buf_addc(b, a->period_end ? '"' : 'n');
		if (a->period_end)
			add_moment(b, a->period_end);
		buf_add(b, a->period_end ? STR("\"") : STR("ull"));
	}
	buf_addc(b, '}');
}

/* --- the thread --- */

static bool post(struct str url, struct str body, struct buf *why)
{
	struct arena a = ARENA_INIT;
	struct token_world w;
	struct token_question q = { .method = "POST", .url = url, .headers = { STR("Content-Type: application/json") }, .n_headers = 1, .body = body };
	struct token_answer answer = { 0 };
	token_world_open(&w, &a, 0, &alerts.stop);
	w.io.ask(&w.io, &q, &answer);
	if (answer.status / 100 != 2 && answer.status)
		buf_addf(why, "status %d", answer.status);
	else if (!answer.status)
		buf_addf(why, "%s", answer.error ? answer.error : "no answer");
	arena_wipe(&a);
	return answer.status / 100 == 2;
}

static void pause_for(int64_t us)
{
	int64_t at = clock_wall_us() + us;
	struct timespec t = { .tv_sec = at / SECOND_US, .tv_nsec = at % SECOND_US * 1000 };
	pthread_mutex_lock(&alerts.lock);
	while (!atomic_load(&alerts.stop) && clock_wall_us() < at)
		pthread_cond_timedwait(&alerts.wake, &alerts.lock, &t);
	pthread_mutex_unlock(&alerts.lock);
}

static void send_alert(const struct alert *a, struct str url, struct str body)
{
	struct buf why = BUF_INIT(512);
	bool good = false;
	for (int try = 0; try < TRIES && !good && !atomic_load(&alerts.stop); try++) {
		if (try)
			pause_for(SECOND_US << (2 * (try - 1)));
		buf_clear(&why);
		good = post(url, body, &why);
	}
	count(good ? STR("sent") : STR("failed"), 1);
	if (!good)
		log_error("the alert about %s could not be told to the webhook: %.*s", a->of, STR_FMT(buf_str(&why)));
	buf_free(&why);
}

static void *thread_main(void *arg)
{
	(void)arg;
	counters_thread_begin();
	pthread_mutex_lock(&alerts.lock);
	while (!atomic_load(&alerts.stop)) {
		if (alerts.n == 0) {
			pthread_cond_wait(&alerts.wake, &alerts.lock);
			continue;
		}
		struct alert a = alerts.waiting[0];
		struct buf body = BUF_INIT(8192);
		memmove(alerts.waiting, alerts.waiting + 1, --alerts.n * sizeof(a));
		char *url = alerts.webhook ? mem_copy(str_c(alerts.webhook)) : NULL;
		write_json(&a, &body);
		pthread_mutex_unlock(&alerts.lock);
		if (url)
			send_alert(&a, str_c(url), buf_str(&body));
		free(url);
		buf_free(&body);
		pthread_mutex_lock(&alerts.lock);
	}
	pthread_mutex_unlock(&alerts.lock);
	digest_thread_end();
	arena_thread_end();
	counters_thread_end();
	return NULL;
}

/* --- on the main thread --- */

static void enqueue(const struct alert *a)
{
	pthread_mutex_lock(&alerts.lock);
	bool fits = alerts.n < WAITING_MAX;
	if (fits)
		alerts.waiting[alerts.n++] = *a;
	pthread_cond_signal(&alerts.wake);
	pthread_mutex_unlock(&alerts.lock);
	if (!fits)
		count(STR("dropped"), 1);
}

/* A store that is away does not keep an alert back: better twice than never. */
static void on_claimed(struct store_call *c)
{
	struct told *told = container_of(c, struct told, call);
	if (c->result != STORE_OK || str_eq(c->value, STR("first")))
		enqueue(&told->alert);
	else
		count(STR("elsewhere"), 1);
	free(told);
}

static void on_main(void *arg)
{
	struct told *told = arg;
	char hex[2 * DIGEST_SIZE + 1], key[sizeof(hex) + 16] = "weir:alert:";
	log_warn("%s has used %d%% of its budget %s", told->alert.of, told->alert.at, told->alert.budget);
	if (!alerts.webhook || !alerts.running) {
		free(told);
		return;
	}
	if (!alerts.store) {
		enqueue(&told->alert);
		free(told);
		return;
	}
	digest_to_hex(told->alert.id, hex);
	memcpy(key + 11, hex, sizeof(hex));
	told->call = (struct store_call){ .done = on_claimed };
	struct store_script e = { .text = claim, .keys = { str_c(key) }, .args = { STR("34560000") }, .n_keys = 1, .n_args = 1 };
	store_eval(alerts.store, &told->call, &e);
}

static void on_alert(const struct alert *a)
{
	struct told *told = mem_alloc(sizeof(*told));
	told->alert = *a;
	loop_post(alerts.loop, on_main, told);
}

void alerts_open(struct loop *l, struct store_home *shared)
{
	alerts.loop = l;
	alerts.store = shared ? store_open(shared, l) : NULL;
	count(STR("sent"), 0);
	count(STR("failed"), 0);
	count(STR("dropped"), 0);
	count(STR("elsewhere"), 0);
	alerts.running = pthread_create(&alerts.thread, NULL, thread_main, NULL) == 0;
	if (!alerts.running)
		log_error("no thread could be started for alerts");
	alert_listen(on_alert);
}

void alerts_follow(const struct snapshot *s)
{
	pthread_mutex_lock(&alerts.lock);
	free(alerts.webhook);
	alerts.webhook = str_empty(s->settings.alerts_webhook) ? NULL : mem_copy(s->settings.alerts_webhook);
	alerts.slack = s->settings.alerts_slack;
	pthread_mutex_unlock(&alerts.lock);
}

void alerts_close(void)
{
	alert_listen(NULL);
	atomic_store(&alerts.stop, true);
	pthread_mutex_lock(&alerts.lock);
	pthread_cond_signal(&alerts.wake);
	pthread_mutex_unlock(&alerts.lock);
	if (alerts.running)
		pthread_join(alerts.thread, NULL);
	alerts.running = false;
	if (alerts.store)
		store_close(alerts.store);
	alerts.store = NULL;
	free(alerts.webhook);
	alerts.webhook = NULL;
}

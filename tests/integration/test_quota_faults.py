"""Limits where something goes wrong between reserving and settling, clocks that differ, and a Redis that comes and goes."""
import datetime
import json
import os
import random
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from mock_provider import completion, good, http
from redis_server import Redis
from test_ledger import spent
from test_limits import KEY, SECRET, fixed, limited, settled, usage
from test_quotas import hundred_bytes
from weir import Raw, free_port, post, until


def told(g):
    return {x["limit"]: (round(x["used"] * 1e9) if "usd" in x["limit"] else x["used"], x["held"]) for x in g.get("/v1/key", headers=KEY).json["limits"]}


def test_what_is_not_known_beforehand_never_passes_the_budget(gateway, provider, config, store):
    """Q3: each reserves what it could cost at most, and gives the rest back."""
    rng, costs = random.Random(3), []

    def script(r):
        prompt, out = rng.randint(1, 100), rng.randint(1, 100)
        costs.append(prompt * 1000 + out * 4000)
        return [http(200, completion(usage=usage(prompt, out)))]
    g = gateway(limited(config, provider(script), budgets=[{"usd": 0.01, "per": "day", "reserve": "worst_case"}], store=store))
    body, admitted = hundred_bytes(), 1
    while admitted:
        with ThreadPoolExecutor(20) as pool:
            admitted = list(pool.map(lambda _: g.request("POST", "/v1/chat/completions", body, KEY).status, range(40))).count(200)
        settled(g)
        assert told(g)["0.01 usd per day"] == (sum(costs), 0) and sum(costs) <= 10_000_000
    assert sum(costs) > 10_000_000 - 500_000 and len(costs) > 20       # no more fits, and more did than had reserved all


def test_who_hangs_up_before_the_first_token_is_charged_once(gateway, provider, config, store):
    """Q6."""
    p = provider(lambda r: [("hang",)])
    g = gateway(limited(config, p, limits={"requests_per_hour": 100, "concurrent": 20}, budgets=[{"usd": 1, "per": "day", "reserve": "worst_case"}],
                        store=store))
    callers = [Raw(g.port) for _ in range(20)]
    for s in callers:
        s.send(post({**hundred_bytes(), "stream": True}, headers=f"authorization: Bearer {SECRET}\r\n"))
    until(lambda: len(p.requests) == 20)
    assert g.chat(headers=KEY).status == 429
    for s in callers:
        s.close()
    until(lambda: all(r.hung_up_at for r in p.requests))
    settled(g)
    now = told(g)
    assert now["requests_per_hour"] == (20, 0) and now["concurrent"] == (0, 0) and now["1 usd per day"][0] <= 20 * 500_000
    p.script = good
    assert g.chat(headers=KEY).status == 200 and len(p.requests) == 21


def test_a_settlement_that_is_told_twice_counts_once(gateway, provider, config, redis, relay):
    """Q9: it arrived, and nobody heard so: the connection was cut."""
    tap = relay(redis.port)
    p = provider(fixed())
    g = gateway(limited(config, p, limits={"tokens_per_day": 10**6, "requests_per_hour": 100, "concurrent": 5}, budgets=[{"usd": 1, "per": "month"}],
                        workers=1, store=tap.url))
    assert g.store_up().chat(headers=KEY, max_tokens=200).status == 200
    settled(g)

    def script(r):
        tap.flowing.clear()         # nothing more is heard of Redis
        del tap.writes[:]
        return fixed()(r)
    p.script = script
    assert g.chat(headers=KEY, max_tokens=200).status == 200
    until(lambda: any(e.count(b"EVALSHA") >= 2 for e in tap.of_requests()))
    until(lambda: redis.call("ZCARD", "weir:{web}:live") == "0" or not redis.call("KEYS", "*:live"))     # it has arrived
    p.script = fixed()
    tap.break_off()
    tap.flowing.set()
    until(lambda: g.store_up().metric("weir_store_settlements_owed") == 0)
    settled(g)
    assert told(g) == {"tokens_per_day": (400, 0), "requests_per_hour": (2, 0), "concurrent": (0, 0), "1 usd per month": (1_000_000, 0)}
    assert spent(g)["usage"][0]["requests"] == 2


def test_a_settlement_after_its_reservation_lapsed_counts_once(gateway, provider, config, redis):
    """Q9."""
    p = provider(lambda r: [("hang",)])
    g = gateway(limited(config, p, limits={"requests_per_hour": 100}, budgets=[{"usd": 1, "per": "month"}], store=redis.url))
    lapsed = threading.Event()
    p.script = lambda r: [("until", lapsed.is_set), http(200, completion(usage=usage(100, 100)))]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: g.chat(headers=KEY, max_tokens=200).status)
        until(lambda: p.requests)
        (live,) = redis.call("KEYS", "*:live").splitlines()
        redis.call("EVAL", "for _, m in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZADD', KEYS[1], 1, m) end return 1", 1, live)
        assert all(held == 0 for _, held in told(g).values())       # it lapsed while it ran
        lapsed.set()
        assert running.result() == 200
    settled(g)
    assert told(g) == {"requests_per_hour": (1, 0), "1 usd per month": (500_000, 0)}


def test_no_second_holds_more_than_its_limit(gateway, provider, config, store):
    """Q11: in any second, not only in those of a clock. What surely began and ended within one is counted."""
    g = gateway(limited(config, provider(), limits={"requests_per_second": 5}, store=store))
    granted, end = [], time.monotonic() + 3

    def client(_):
        while time.monotonic() < end:
            began = time.monotonic()
            if g.chat(headers=KEY).status == 200:
                granted.append((began, time.monotonic()))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(client, range(4)))
    assert len(granted) >= 5
    for began, _ in granted:
        assert sum(began <= b and e <= began + 1 for b, e in granted) <= 5


SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	int result = real(id, t);
	if (id == CLOCK_REALTIME)
		t->tv_sec += atoi(getenv("CLOCK_AHEAD"));
	return result;
}
"""


def test_replicas_whose_clocks_differ_share_windows_and_periods(gateway, provider, config, redis, tmp_path):
    """Q13, R14: the store's clock decides."""
    (tmp_path / "ahead.c").write_text(SHIM)
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", tmp_path / "ahead.so", tmp_path / "ahead.c", "-ldl"], check=True)
    c = limited(config, provider(fixed()), limits={"requests_per_minute": 6}, budgets=[{"usd": 1, "per": "hour"}, {"usd": 1, "per": "day"}], store=redis.url)
    ahead = {"LD_PRELOAD": str(tmp_path / "ahead.so"), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    gs = [gateway(c, env={**ahead, "CLOCK_AHEAD": str(n)}).store_up() for n in (0, 3600, -3600)]
    for g in gs:
        g.wait_log('"time":.*\n')
    logged = [datetime.datetime.fromisoformat(json.loads(g.logs().splitlines()[0])["time"]) for g in gs]
    assert logged[1] - logged[0] > datetime.timedelta(minutes=50) and logged[0] - logged[2] > datetime.timedelta(minutes=50)    # it is in force
    got = []
    for i in range(9):
        got.append(gs[i % 3].chat(headers=KEY, max_tokens=200).status)
        settled(gs[i % 3])
    assert got == [200] * 6 + [429] * 3
    for g in gs:
        assert told(g) == {"requests_per_minute": (6, 0), "1 usd per hour": (6 * 500_000, 0), "1 usd per day": (6 * 500_000, 0)}


def test_redis_that_comes_after_the_start(gateway, provider, config, tmp_path):
    """R1: it is served by the key's policy, asked again and again, and told what was used without it."""
    port = free_port()
    g = gateway(limited(config, provider(fixed()), limits={"requests_per_minute": 2}, budgets=[{"usd": 1, "per": "month"}],
                        store=f"redis://127.0.0.1:{port}/0"))
    assert g.get("/readyz").status == 200 and g.get("/readyz?verbose").json["store_state"] == "down"
    assert [g.chat(headers=KEY, max_tokens=200).status for _ in range(3)] == [200, 200, 429]
    redis = Redis(tmp_path, port=port)
    try:
        until(lambda: g.store_up().metric("weir_store_settlements_owed") == 0)
        settled(g)
        assert told(g) == {"requests_per_minute": (2, 0), "1 usd per month": (1_000_000, 0)}
    finally:
        redis.stop()


def test_redis_that_is_slow(gateway, provider, config, redis, relay):
    """R4: slow within its time is waited for; slower is not, whoever asks, and nothing piles up."""
    tap = relay(redis.port)
    tap.delay = lambda: 0.02
    g = gateway(limited(config, provider(), limits={"requests_per_minute": 1000}, store=tap.url, store_timeout="2s"))
    g.store_up()
    assert {g.chat(headers=KEY).status for _ in range(5)} == {200} and g.metric("weir_store_calls_total", result="late") == 0
    assert told(g)["requests_per_minute"][0] == 5
    g.stop()
    tap.delay = lambda: 0
    g = gateway({**g.config, "store_timeout": "50ms"}).store_up()
    tap.delay = lambda: 0.3
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(lambda _: g.chat(headers=KEY).status, range(60))) == {200}
    until(lambda: g.get("/readyz?verbose").json["store_state"] != "up")
    assert g.metric("weir_store_calls_total", result="late") > 0 and g.metric("weir_store_calls_in_flight") <= 100
    tap.delay = lambda: 0
    until(lambda: g.store_up().metric("weir_store_settlements_owed") == 0)
    settled(g)
    assert told(g)["requests_per_minute"] == (65, 0)


def test_redis_that_flaps_leaves_nothing_behind(gateway, provider, config, redis):
    """R16, its beginning: there are as many descriptors as before."""
    g = gateway(limited(config, provider(), limits={"concurrent": 50}, store=redis.url, workers=1)).store_up()

    def descriptors():
        return len(os.listdir(f"/proc/{g.process.pid}/fd"))
    assert g.chat(headers=KEY).status == 200
    g.quiet()
    before = descriptors()
    for _ in range(6):
        redis.process.kill()
        redis.process.wait()
        assert g.chat(headers=KEY).status == 200
        redis.start()
        g.store_up()
        assert g.chat(headers=KEY).status == 200
    g.quiet()
    until(lambda: descriptors() <= before)
    assert told(g)["concurrent"] == (0, 0)

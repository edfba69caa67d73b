"""Quotas under concurrency: how many are admitted, what is charged, and that nothing stays behind."""
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from mock_provider import chunk, completion, delta, error, http, stream_head
from test_limits import KEY, fixed, limited, settled
from weir import Raw, post, until

ROUNDS = 20


def hundred_bytes():
    body = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "x"}]}
    body["messages"][0]["content"] += "x" * (100 - len(json.dumps(body)))
    assert len(json.dumps(body)) == 100         # at most 100 tokens
    return body


def race(gateways, config_keys, providers_requests):
    """200 clients a round, each round with a key of its own whose budget is for twenty."""
    body = hundred_bytes()
    with ThreadPoolExecutor(40) as pool:
        for name in config_keys:
            key = {"authorization": f"Bearer sk-{name}-0123456789"}
            before = len(providers_requests)

            def client(i):
                return gateways[i % len(gateways)].request("POST", "/v1/chat/completions", body, key).status
            got = list(pool.map(client, range(200)))
            for g in gateways:
                g.quiet()
            left = gateways[0].get("/v1/key", headers=key).json["limits"][0]
            assert (left["used"], left["held"]) == (pytest.approx(0.01), 0)
            assert got.count(200) == 20 and got.count(429) == 180 and len(providers_requests) - before == 20, name


def racing(config, p, **more):
    names = [f"round{i}" for i in range(ROUNDS)]
    keys = [{"name": n, "secret": f"sk-{n}-0123456789", "budgets": [{"usd": 0.0100, "per": "day", "reserve": "worst_case"}]} for n in names]
    return names, config(p, keys=keys, prices={"first/mock": {"input": 1, "output": 4}}, log={"level": "warn", "access": "off"}, **more)


def test_20_rounds_of_200_clients_over_4_workers(gateway, provider, config):
    """Q1, Q2: exactly twenty, each time."""
    p = provider(fixed(100, 100, pause=0.01))
    names, c = racing(config, p, workers=4)
    race([gateway(c)], names, p.requests)


def test_20_rounds_of_200_clients_over_3_replicas(gateway, provider, config, redis):
    """Q2."""
    p = provider(fixed(100, 100, pause=0.01))
    names, c = racing(config, p, workers=2, store=redis.url)
    race([gateway(c).store_up() for _ in range(3)], names, p.requests)


def test_answers_that_come_late_overshoot_by_no_more_than_the_parts(gateway, provider, config, redis, relay):
    """Q2, R4, R5: who is not answered in time goes on with a third of what is left; grants that came too late are given back."""
    rng = random.Random(5)
    tap = relay(redis.port)
    p = provider(fixed(100, 100, pause=0.01))
    names, c = racing(config, p, workers=2, store=tap.url, store_timeout="50ms")
    gs = [gateway(c) for _ in range(3)]
    for g in gs:
        until(lambda: g.store_up().metric("weir_replicas") == 3)
    late = 0
    for name in names[:5]:
        key = {"authorization": f"Bearer sk-{name}-0123456789"}
        before, tap.delay = len(p.requests), lambda: rng.choice((0, 0, 0.08))
        with ThreadPoolExecutor(40) as pool:
            got = list(pool.map(lambda i: gs[i % 3].request("POST", "/v1/chat/completions", hundred_bytes(), key).status, range(200)))
        tap.delay = lambda: 0
        admitted = got.count(200)
        assert admitted + got.count(429) == 200 and len(p.requests) - before == admitted
        assert 0 < admitted <= 20 + 3 * 6, admitted         # each has six of twenty, and a bit
        for g in gs:
            until(lambda: g.store_up().metric("weir_store_settlements_owed") == 0)
            g.quiet()
        until(lambda: [(x["used"], x["held"]) for x in redis_says(gs[0], key)] == [(pytest.approx(admitted * 0.0005), 0)])
        late += sum(g.metric("weir_store_calls_total", result="late") for g in gs)
    assert late > 0


def redis_says(g, key):
    """What the shared store has of a key's limits; nothing when it was this process's memory that answered."""
    before = g.metric("weir_store_calls_total", result="answered")
    limits = g.get("/v1/key", headers=key).json.get("limits", [])
    return limits if g.metric("weir_store_calls_total", result="answered") > before else []


def spent(g):
    return {x["limit"]: x["used"] for x in g.get("/v1/key", headers=KEY).json["limits"]}


def test_what_the_vendor_overshoots_is_bounded(gateway, provider, config, store):
    """Q4: it ignores max_tokens: what is under way may go beyond, the next one may not begin."""
    p = provider(fixed(100, 400, pause=0.2))
    g = gateway(limited(config, p, budgets=[{"tokens": 1000, "per": "day"}], store=store))
    with ThreadPoolExecutor(12) as pool:
        got = list(pool.map(lambda _: g.chat(headers=KEY, max_tokens=100).status, range(12)))
    settled(g)
    admitted = got.count(200)
    assert 0 < admitted < 12 and spent(g)["1000 tokens per day"] == admitted * 500
    if spent(g)["1000 tokens per day"] >= 1000:
        assert g.chat(headers=KEY, max_tokens=100).status == 429


def test_failures_cost_nothing(gateway, provider, config, store):
    """Q5: twenty that fail, then twenty that do not."""
    p = provider(lambda r: error(500))
    g = gateway(limited(config, p, budgets=[{"usd": 0.0102, "per": "day", "reserve": "worst_case"}], store=store, breaker="off"))
    body = hundred_bytes()
    for _ in range(20):
        assert g.request("POST", "/v1/chat/completions", body, KEY).status == 502
    settled(g)
    after = spent(g)["0.0102 usd per day"]
    p.script = fixed(100, 100)
    got = [(settled(g), g.request("POST", "/v1/chat/completions", body, KEY).status)[1] for _ in range(20)]
    assert after == 0 and got == [200] * 20


def test_a_second_try_is_charged_once(gateway, provider, config, store):
    """Q7."""
    first, second = provider(lambda r: error(503)), provider(fixed(100, 100))
    c = limited(config, first, second, budgets=[{"usd": 1, "per": "day"}, {"tokens": 1000, "per": "day"}], store=store)
    c["prices"]["second/mock"] = {"input": 1, "output": 4}
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=100).headers["x-weir-target"] == "second/mock"
    settled(g)
    assert spent(g) == {"1 usd per day": pytest.approx(0.0005), "1000 tokens per day": 200}


@pytest.mark.parametrize("said", [{"prompt_tokens": -5, "completion_tokens": -5, "total_tokens": -10}, {"prompt_tokens": 2**70, "completion_tokens": 1},
                                  {"prompt_tokens": "7", "completion_tokens": "7"}, None])
def test_nonsense_of_a_vendor_gives_nothing_back(gateway, provider, config, said):
    """Q10: usage that cannot be is as none: it is estimated, and never negative."""
    body = completion(usage=said) if said else {k: v for k, v in completion().items() if k != "usage"}
    g = gateway(limited(config, provider(lambda r: [http(200, body)]), budgets=[{"usd": 1, "per": "day"}]))
    before = 0
    for _ in range(3):
        assert g.chat(headers=KEY, max_tokens=100).status == 200
        settled(g)
        now = spent(g)["1 usd per day"]
        assert before < now < 0.5
        before = now


def test_never_more_than_ten_at_the_vendor(gateway, provider, config, store):
    """Q12: two hundred clients, many of whom hang up."""
    p = provider(lambda r: [stream_head()] + [x for i in range(5) for x in (("sleep", 0.02), chunk(delta("x")))])
    g = gateway(limited(config, p, limits={"concurrent": 10}, store=store, workers=2))
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    rng = random.Random(7)
    seen = []

    def client(patience):
        s = Raw(g.port)
        s.send(post(body, headers=f"Authorization: {KEY['authorization']}\r\n"))
        status, _ = s.read_head()
        if status == 200:
            seen.append(sum(x["used"] + x["held"] for x in g.get("/v1/key", headers=KEY).json["limits"] if x["limit"] == "concurrent"))
            time.sleep(patience)
        s.close()
        return status
    with ThreadPoolExecutor(50) as pool:
        got = list(pool.map(client, [rng.random() * 0.15 for _ in range(200)]))
    assert got.count(200) >= 10 and set(got) == {200, 429} and max(seen) <= 10
    settled(g)


def test_all_limits_or_none(gateway, provider, config, store):
    """Q15, Q16: one that is reached charges none of the others, and no vendor is asked."""
    p = provider(fixed(10, 10))
    g = gateway(limited(config, p, limits={"requests_per_hour": 2}, store=store,
                        team={"limits": {"requests_per_day": 100, "tokens_per_day": 100000}, "budgets": [{"usd": 1, "per": "month"}]}))
    assert [g.chat(headers=KEY, max_tokens=10).status for _ in range(2)] == [200, 200]
    settled(g)
    before = spent(g)
    for _ in range(10):
        r = g.chat(headers=KEY, max_tokens=10)
        assert r.status == 429 and "retry-after" in r.headers
    assert spent(g) == before and before["requests_per_day"] == 2 and len(p.requests) == 2

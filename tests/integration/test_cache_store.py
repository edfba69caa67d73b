"""The cache beside the limits and in Redis: one write for both, answers when money is spent, and every fault is a miss."""
import time

import pytest
from mock_provider import completion, error, good_stream, http
from test_cache import counting, expire, state
from test_ladder import RULES
from test_limits import KEY, limited
from weir import until


@pytest.fixture
def proxy(redis, relay):
    return relay(redis.port)


def kept(config, *providers, **more):
    """With a cache and the limits of a key."""
    return limited(config, *providers, cache={"enabled": True, **more.pop("cache", {})}, **more)


# --- one write, and money ---

@pytest.mark.parametrize("hit", [False, True])
def test_the_question_leaves_with_that_of_the_limits(gateway, provider, config, proxy, hit):
    p = provider(counting())
    g = gateway(kept(config, p, limits={"requests_per_minute": 1000}, store=proxy.url, workers=1)).store_up()
    for _ in range(2 if hit else 1):
        g.chat(headers=KEY)     # the script is there then, and the answer
        g.quiet()
    before = len(proxy.of_requests())
    assert state(g.chat(headers=KEY, **({} if hit else {"text": "other"}))) == ("hit" if hit else "miss")
    g.quiet()
    writes = proxy.of_requests()[before:]
    asked = [w for w in writes if b"\r\nGET\r\n" in w]
    assert len(asked) == 1 and b"EVALSHA" in asked[0], writes
    assert writes.index(asked[0]) == 0 and len(writes) == 2, writes   # and the settlement, with the answer to be kept if it is new
    assert (b"\r\nSET\r\n" in writes[1]) == (not hit)


def test_a_kept_answer_is_given_although_money_is_spent(gateway, provider, config, store):
    p = provider(counting())
    g = gateway(kept(config, p, budgets=[{"usd": "0.00003", "per": "day"}], limits={"requests_per_minute": 6}, store=store))
    ask = lambda text="hi", **more: g.chat(text=text, headers=KEY, max_tokens=3, **more)
    first = ask()
    g.quiet()
    for _ in range(4):          # each is a request, all the same
        r = ask()
        assert state(r) == "hit" and r.body == first.body and float(r.headers["x-weir-cost-usd"]) == 0
        g.quiet()
    refused = ask("other")
    assert refused.status == 429 and refused.error["code"] == "insufficient_quota" and "x-weir-budget-reset" in refused.headers
    r = ask()
    assert r.status == 429 and "requests_per_minute" in r.error["message"] and len(p.requests) == 1
    limits = {x["limit"]: x for x in g.get("/v1/key", headers=KEY).json["limits"]}
    assert limits["requests_per_minute"]["used"] == 6 and limits["0.00003 usd per day"]["used"] == pytest.approx(0.000022)


def test_a_stale_answer_is_given_although_money_is_spent(gateway, provider, config, store):
    g = gateway(kept(config, provider(counting()), budgets=[{"usd": "0.00003", "per": "day"}], store=store, cache={"ttl": "1s"}))
    first = g.chat(headers=KEY, max_tokens=3)
    expire(g)
    r = g.chat(headers=KEY, max_tokens=3)
    assert state(r) == "stale" and r.body == first.body
    assert g.chat(headers={**KEY, "cache-control": "stale-if-error=0"}, max_tokens=3).status == 429


def test_a_rule_answers_although_money_is_spent(gateway, provider, config, store, tmp_path):
    (tmp_path / "last.yaml").write_text(RULES)
    plugin = {"name": "rules", "last": True, "config": {"file": str(tmp_path / "last.yaml")}}
    g = gateway(kept(config, provider(counting()), budgets=[{"usd": "0.00003", "per": "day"}], store=store, plugins=[plugin]))
    assert "x-weir-answered-by" not in g.chat(headers=KEY, max_tokens=3).headers
    g.quiet()
    assert g.chat(headers=KEY, max_tokens=3, text="other").headers["x-weir-answered-by"] == "rules/down"
    assert state(g.chat(headers=KEY, max_tokens=3)) == "hit"


def test_what_a_rule_answers_for_want_of_a_target_is_not_kept(gateway, provider, config, store, tmp_path):
    (tmp_path / "last.yaml").write_text(RULES)
    p = provider(lambda r: error(500))
    g = gateway(kept(config, p, store=store, breaker="off", plugins=[{"name": "rules", "last": True, "config": {"file": str(tmp_path / "last.yaml")}}])).store_up()
    assert g.chat(headers=KEY).headers["x-weir-answered-by"] == "rules/down"
    g.quiet()
    p.script = counting()
    assert state(g.chat(headers=KEY)) == "miss"
    g.quiet()
    assert state(g.chat(headers=KEY)) == "hit"


def test_a_free_target_answers_what_is_not_kept(gateway, provider, config, store):
    a, b = provider(counting()), provider()
    c = kept(config, a, b, budgets=[{"usd": "0.00003", "per": "day"}], store=store)
    c["providers"]["second"]["free"] = True
    g = gateway(c)
    ask = lambda text: g.chat(text=text, headers=KEY, max_tokens=3)
    first = ask("one")
    g.quiet()
    assert ask("one").body == first.body
    assert ask("two").headers["x-weir-target"] == "second/mock" and len(a.requests) == 1


# --- Redis dies, or says something else ---

def test_redis_killed_while_it_answers_is_a_miss(gateway, provider, config, redis, proxy):
    """The connection goes in the middle of the value; later the server itself does."""
    p = provider(lambda r: [http(200, completion("x" * 300000))])
    g = gateway(kept(config, p, store=proxy.url, workers=1, cache={"compress_above": "0"})).store_up()
    g.chat(headers=KEY), g.quiet()
    assert state(g.chat(headers=KEY)) == "hit"
    proxy.cut = lambda data: len(data) // 2 if b"xxxx" in data else None
    r = g.chat(headers=KEY)
    assert r.status == 200 and state(r) == "miss" and len(p.requests) == 2
    assert g.metric("weir_cache_misses_total", model="m", reason="store") == 1
    proxy.cut = None
    g.store_up()
    g.quiet()
    assert state(g.chat(headers=KEY)) == "hit"
    proxy.cut = lambda data: redis.process.kill() or len(data) - 1 if b"xxxx" in data else None
    r = g.chat(headers=KEY)
    assert r.status == 200 and state(r) == "miss" and r.json["choices"][0]["message"]["content"] == "x" * 300000
    proxy.cut = None
    redis.process.wait()
    redis.start()
    g.store_up()


def test_a_redis_that_says_nothing_is_waited_for_once(gateway, provider, config, redis):
    """At most one deadline, then not at all until it is back."""
    import signal
    p = provider(counting())
    g = gateway(kept(config, p, store=redis.url, workers=1, store_timeout="50ms")).store_up()
    g.chat(headers=KEY), g.quiet()
    assert state(g.chat(headers=KEY)) == "hit"
    redis.process.send_signal(signal.SIGSTOP)
    late = lambda: g.metric("weir_store_calls_total", result="late")

    def waited():
        before = late()
        assert state(g.chat(headers=KEY, text=str(time.monotonic()))) == "miss"
        return late() > before
    assert waited()
    until(lambda: not waited())
    assert not any(waited() for _ in range(10))
    redis.process.send_signal(signal.SIGCONT)
    g.store_up()
    until(lambda: state(g.chat(headers=KEY)) == "hit")


def test_an_answer_bought_through_one_replica_is_served_by_another(gateway, provider, config, redis):
    p = provider(counting())
    a, b = (gateway(kept(config, p, store=redis.url)).store_up() for _ in range(2))
    for stream in (False, True):
        first = a.chat(headers=KEY, stream=stream, text=f"{stream}")
        a.quiet()
        second = b.chat(headers=KEY, stream=stream, text=f"{stream}")
        assert state(second) == "hit" and second.body == first.body and second.headers["content-type"] == first.headers["content-type"]
    assert len(p.requests) == 2 and b.metric("weir_cache_saved_usd_total", model="m") == pytest.approx(44e-6)


@pytest.mark.parametrize("above, small", [("4KiB", True), ("0", False), ("1MiB", False)])
@pytest.mark.parametrize("stream", [False, True])
def test_large_answers_are_compressed_in_redis(gateway, provider, config, redis, above, small, stream):
    def script(r):
        return good_stream(words=["hello "] * 5000) if r.stream else [http(200, completion("hello " * 50000))]
    g = gateway(kept(config, provider(script), store=redis.url, cache={"compress_above": above})).store_up()
    first = g.chat(headers=KEY, stream=stream)
    g.quiet()
    assert (int(redis.call("STRLEN", only_key(redis))) < len(first.body) / 5) == small
    second = g.chat(headers=KEY, stream=stream)
    assert state(second) == "hit" and second.body == first.body


def test_what_was_compressed_from_more_than_is_kept_is_a_miss(gateway, provider, config, redis):
    """Another replica keeps larger ones: here it is not made whole."""
    p = provider(lambda r: [http(200, completion("x" * 100000))])
    a, b = (gateway(kept(config, p, store=redis.url, cache={"max_entry": most})).store_up() for most in ("1MiB", "64KiB"))
    a.chat(headers=KEY), a.quiet()
    assert state(a.chat(headers=KEY)) == "hit" and state(b.chat(headers=KEY)) == "miss"
    assert b.metric("weir_cache_misses_total", model="m", reason="broken") == 1


def only_key(redis):
    keys = [k for k in redis.call("KEYS", "*answer*").split("\n") if k]
    assert len(keys) == 1
    return keys[0]


def lua(script):
    return lambda redis, key: redis.call("EVAL", script, 1, key)


SET = "redis.call('SET', KEYS[1], %s) return 1"
BROKEN = {
    "changed": lua("redis.call('SETRANGE', KEYS[1], 200, 'XXXX') return 1"),
    "its head changed": lua("redis.call('SETRANGE', KEYS[1], 30, 'X') return 1"),
    "of another version": lua("redis.call('SETRANGE', KEYS[1], 0, 'WWc9') return 1"),
    "cut": lua(SET % "string.sub(redis.call('GET', KEYS[1]), 1, -2)"),
    "cut inside its head": lua(SET % "string.sub(redis.call('GET', KEYS[1]), 1, 20)"),
    "empty": lua(SET % "''"),
    "longer": lua("redis.call('APPEND', KEYS[1], 'x') return 1"),
    "huge": lua(SET % "string.rep('x', 20000000)"),
    "text": lua(SET % "'hello'"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_value_that_is_none_of_ours_is_a_miss(gateway, provider, config, redis, how):
    p = provider(counting())
    g = gateway(kept(config, p, store=redis.url)).store_up()
    g.chat(headers=KEY), g.quiet()
    BROKEN[how](redis, only_key(redis))
    r = g.chat(headers=KEY)
    assert r.status == 200 and state(r) == "miss" and len(p.requests) == 2
    assert g.metric("weir_cache_misses_total", model="m", reason="broken") == 1
    g.quiet()
    assert state(g.chat(headers=KEY)) == "hit"       # it was written anew


def test_a_value_of_another_type_is_a_miss(gateway, provider, config, redis):
    p = provider(counting())
    g = gateway(kept(config, p, store=redis.url)).store_up()
    g.chat(headers=KEY), g.quiet()
    key = only_key(redis)
    redis.call("DEL", key), redis.call("RPUSH", key, "a", "b")
    r = g.chat(headers=KEY)
    assert r.status == 200 and state(r) == "miss" and len(p.requests) == 2
    assert g.metric("weir_cache_misses_total", model="m", reason="store") + g.metric("weir_cache_misses_total", model="m", reason="broken") == 1


def test_redis_away_with_stale_wanted_is_an_honest_error(gateway, provider, config, redis):
    p = provider(counting())
    g = gateway(kept(config, p, store=redis.url, breaker="off")).store_up()
    g.chat(headers=KEY), g.quiet()
    redis.stop()
    p.script = lambda r: error(500)
    r = g.chat(headers=KEY)
    assert r.status == 502 and state(r) == "miss" and r.error["message"]
    redis.start()

"""Limits and budgets of keys and teams: reserved before a request, settled after it, in memory and in Redis."""
import json
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from mock_provider import chunk, completion, delta, error, good, http, stream_head
from weir import BINARY, Raw, free_port, post, until

SECRET = "sk-web-0123456789"
KEY = {"authorization": f"Bearer {SECRET}"}


def limited(config, *providers, limits=None, budgets=None, team=None, model=None, **more):
    key = {"name": "web", "secret": SECRET, "limits": limits or {}, "budgets": budgets or []}
    if team:
        key["team"] = "shop"
        more["teams"] = [{"name": "shop", **team}]
    return config(*providers, model=model, keys=[key], prices={"first/mock": {"input": 1, "output": 4}}, **more)


def usage(prompt, out):
    return {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out}


def fixed(prompt=100, out=100, pause=0):
    return lambda r: [("sleep", pause), http(200, completion(usage=usage(prompt, out)))]


def settled(g):
    """A settlement reaches Redis after the answer has reached its caller. Nothing is held then."""
    g.quiet()
    assert not any(x["held"] for x in g.get("/v1/key", headers=KEY).json["limits"])


def test_requests_per_minute(gateway, provider, config, store):
    p = provider()
    g = gateway(limited(config, p, limits={"requests_per_minute": 5}, store=store))
    for left in (4, 3, 2, 1, 0):
        r = g.chat(headers=KEY)
        assert r.status == 200 and r.headers["x-ratelimit-limit-requests"] == "5"
        assert r.headers["x-ratelimit-remaining-requests"] == str(left)
    r = g.chat(headers=KEY)
    assert r.status == 429 and r.error["code"] == "rate_limit_exceeded" and r.error["type"] == "rate_limit_error"
    assert 0 < int(r.headers["retry-after"]) <= 64 and "requests_per_minute 5" in r.error["message"] and len(p.requests) == 5
    assert g.metric("weir_limit_refusals_total", key="web") == 1


def test_tokens_per_minute_are_settled_with_the_truth(gateway, provider, config, store):
    """Users' demands 32 and 34: streams count against the limit, and the remaining-token headers go down."""
    g = gateway(limited(config, provider(fixed(50, 50)), limits={"tokens_per_minute": 1000}, store=store))
    r = g.chat(headers=KEY, max_tokens=200)
    assert r.status == 200 and 700 < int(r.headers["x-ratelimit-remaining-tokens"]) < 800      # reserved
    for _ in range(7):
        settled(g)
        assert g.chat(headers=KEY, max_tokens=100).status == 200        # 100 each, not 200
    settled(g)
    r = g.chat(headers=KEY, max_tokens=300)
    assert r.status == 429 and "tokens_per_minute 1000" in r.error["message"]
    assert g.chat(headers=KEY, max_tokens=20).status == 200
    r = g.chat(headers=KEY, max_tokens=5000)
    assert r.status == 429 and "retry-after" not in r.headers       # it will never fit


def test_concurrency_is_exact_and_returns(gateway, provider, config, store):
    p = provider(fixed(pause=0.3))
    g = gateway(limited(config, p, limits={"concurrent": 3}, store=store, workers=2))
    with ThreadPoolExecutor(12) as pool:
        got = list(pool.map(lambda _: g.chat(headers=KEY).status, range(12)))
    assert sorted(got) == [200] * 3 + [429] * 9
    settled(g)
    assert g.chat(headers=KEY).status == 200


def test_200_clients_racing_a_budget_for_20(gateway, provider, config, store):
    """Users' demand 38: concurrent requests slip past no limit. Each request costs 0.0005 dollars at most and exactly; the budget is for twenty."""
    p = provider(fixed(100, 100, pause=0.05))
    g = gateway(limited(config, p, budgets=[{"usd": 0.0100, "per": "day", "reserve": "worst_case"}], store=store, workers=4))
    body = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "x"}]}
    pad = 100 - len(json.dumps(body))
    body["messages"][0]["content"] = "x" * (1 + pad)        # a body of 100 bytes is at most 100 tokens
    assert len(json.dumps(body)) == 100
    with ThreadPoolExecutor(50) as pool:
        got = list(pool.map(lambda _: g.request("POST", "/v1/chat/completions", body, KEY).status, range(200)))
    assert got.count(200) == 20 and got.count(429) == 180 and len(p.requests) == 20


def test_budgets_of_one_period_count_once_each(gateway, provider, config, store):
    g = gateway(limited(config, provider(fixed(100, 100)), budgets=[{"usd": 5, "per": "day"}, {"usd": 10, "per": "day"}, {"usd": 7, "rolling": "1h"},
                                                                    {"usd": 8, "rolling": "1h"}], store=store))
    assert g.chat(headers=KEY).status == 200
    settled(g)
    assert spent(g) == {"5 usd per day": 0.0005, "10 usd per day": 0.0005, "7 usd in any 1h": 0.0005, "8 usd in any 1h": 0.0005}
    g.wait_log("there is a budget of this period already")


def spent(g):
    return {x["limit"]: x["used"] for x in g.get("/v1/key", headers=KEY).json["limits"]}


def test_more_than_can_be_counted_is_told(gateway, provider, config):
    g = gateway(limited(config, provider(), budgets=[{"usd": 100000000, "per": "year"}], limits={"tokens_per_day": 2**63 - 1}))
    g.wait_log("cannot be counted")
    assert [x["remaining"] for x in g.get("/v1/key", headers=KEY).json["limits"]] == [2**53 - 1, 9007199.254740991]


def test_a_spent_budget_says_when_it_begins_anew(gateway, provider, config, store):
    p = provider(fixed(1000, 500))      # 0.003 dollars
    g = gateway(limited(config, p, budgets=[{"usd": 0.005, "per": "month"}, {"usd": 1, "per": "day"}], store=store))
    assert g.chat(headers=KEY, max_tokens=600).status == 200
    settled(g)
    r = g.chat(headers=KEY, max_tokens=600)
    assert r.status == 429 and r.error["code"] == "insufficient_quota" and r.error["type"] == "insufficient_quota"
    assert "0.005 usd per month" in r.error["message"] and "$0.003 are spent" in r.error["message"]
    assert r.headers["x-weir-budget-reset"].endswith("-01T00:00:00Z") and "retry-after" not in r.headers
    assert r.headers["x-should-retry"] == "false" and len(p.requests) == 1


def test_a_budget_of_the_team_binds_all_its_keys(gateway, provider, config, store):
    """Users' demand 35."""
    c = limited(config, provider(fixed(1000, 500)), team={"budgets": [{"usd": 0.005, "per": "total"}]}, store=store)
    c["keys"].append({"name": "other", "secret": "sk-other-0123456789", "team": "shop"})
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=600).status == 200
    settled(g)
    r = g.chat(headers={"x-api-key": "sk-other-0123456789"}, max_tokens=600)
    assert r.status == 429 and "team `shop`" in r.error["message"]


def test_free_targets_go_on_when_the_money_is_spent(gateway, provider, config, store):
    """Users' demand 28b: priced models stop, local models go on."""
    priced, local = provider(fixed(1000, 500)), provider()
    c = limited(config, priced, local, budgets=[{"usd": 0.004, "per": "day"}], store=store)
    c["providers"]["second"]["free"] = True
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=600).headers["x-weir-target"] == "first/mock"
    settled(g)
    for _ in range(3):
        r = g.chat(headers=KEY, max_tokens=600)
        assert r.status == 200 and r.headers["x-weir-target"] == "second/mock"
    assert len(priced.requests) == 1


@pytest.mark.parametrize("ending", ["error", "hang-up", "cut", "stream"])
def test_nothing_reserved_remains(gateway, provider, config, store, ending):
    scripts = {"error": lambda r: error(500), "cut": lambda r: [stream_head(), chunk(delta("x")), ("reset",)], "stream": good,
               "hang-up": lambda r: [stream_head(), chunk(delta("x")), ("hang",)]}
    p = provider(scripts[ending])
    g = gateway(limited(config, p, limits={"concurrent": 2, "tokens_per_hour": 5000}, store=store, breaker="off"))
    for _ in range(6):
        if ending == "hang-up":
            body = json.dumps({"model": "m", "stream": True, "max_tokens": 1000, "messages": [{"role": "user", "content": "hi"}]})
            s = Raw(g.port)
            s.send(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\n"
                   f"content-length: {len(body)}\r\n\r\n{body}")
            assert s.read_head()[0] == 200
            s.s.close()
            settled(g)
        else:
            assert g.chat(headers=KEY, stream=ending != "error", max_tokens=1000).status != 429
            settled(g)
    p.script = good
    settled(g)
    r = g.chat(headers=KEY, max_tokens=1000)
    assert r.status == 200 and int(r.headers["x-ratelimit-remaining-tokens"]) > 3500


def test_an_unknown_price_is_refused_where_a_budget_is(gateway, provider, config):
    c = limited(config, provider(), budgets=[{"usd": 1, "per": "day"}], unpriced="allow")
    c["prices"] = {}
    r = gateway(c).chat(headers=KEY)
    assert r.status == 503 and "its price is not known, and this key has a budget" in r.error["message"]


def test_a_key_may_ask_what_is_left(gateway, provider, config, store):
    g = gateway(limited(config, provider(fixed(1000, 500)), limits={"requests_per_minute": 5}, store=store,
                        budgets=[{"usd": 0.5, "per": "month"}], team={"limits": {"concurrent": 7}}))
    g.chat(headers=KEY, max_tokens=600)
    for _ in range(2):      # asking takes nothing
        r = g.get("/v1/key", headers=KEY)
        assert r.status == 200 and r.json["name"] == "web" and r.json["team"] == "shop"
    by = {x["limit"]: x for x in r.json["limits"]}
    assert (by["requests_per_minute"]["used"], by["requests_per_minute"]["remaining"]) == (1, 4)
    budget = by["0.5 usd per month"]
    assert budget["used"] == pytest.approx(0.003) and budget["remaining"] == pytest.approx(0.497) and budget["held"] == 0
    assert budget["begins_anew"].endswith("-01T00:00:00Z") and by["concurrent"]["of"] == "team `shop`" and by["concurrent"]["remaining"] == 7
    assert g.get("/v1/key").status == 401


def test_a_key_is_told_of_limits_of_every_kind(gateway, provider, config, store):
    c = limited(config, provider(fixed(1000, 500)), store=store, team={"budgets": [{"tokens": 90000, "per": "week"}]},
                limits={"requests_per_second": 9, "requests_per_day": 90, "tokens_per_hour": 90000, "input_tokens_per_minute": 8000,
                        "output_tokens_per_day": 7000, "concurrent": 4},
                budgets=[{"usd": 5, "per": "day", "time_zone": "Asia/Kolkata"}, {"usd": 50, "per": "month", "time_zone": "Europe/Berlin"},
                         {"usd": 9, "rolling": "7d"}, {"tokens": 99000, "per": "total"}])
    c["keys"][0].update(per_model={"m": {"limits": {"tokens_per_day": 6000}}}, per_tag={"a=b": {"budgets": [{"usd": 3, "per": "year"}]}},
                        per_user={"budgets": [{"usd": 2, "rolling": "30d"}]})
    g = gateway(c)
    ann = {**KEY, "x-weir-tags": "a=b,user=ann"}
    assert g.chat(headers=ann, max_tokens=600).status == 200
    settled(g)
    got = g.get("/v1/key", headers=ann).json["limits"]
    want = {("requests_per_day", 90): 1, ("tokens_per_hour", 90000): 1500, ("input_tokens_per_minute", 8000): 1000,
            ("output_tokens_per_day", 7000): 500, ("concurrent", 4): 0, ("5 usd per day", 5): 0.003, ("50 usd per month", 50): 0.003,
            ("9 usd in any 7d", 9): 0.003, ("99000 tokens in total", 99000): 1500, ("tokens_per_day", 6000): 1500, ("3 usd per year", 3): 0.003,
            ("2 usd in any 30d", 2): 0.003, ("90000 tokens per week", 90000): 1500}
    by = {(x["limit"], x["most"]): x for x in got}
    assert set(by) == {*want, ("requests_per_second", 9)}
    for name, used in want.items():
        assert (by[name]["used"], by[name]["held"]) == (pytest.approx(used), 0) and by[name]["remaining"] == pytest.approx(name[1] - used), name
    assert by["5 usd per day", 5]["begins_anew"].endswith("T18:30:00Z") and by["90000 tokens per week", 90000]["begins_anew"].endswith("T00:00:00Z")
    assert re.search("T2[23]:00:00Z$", by["50 usd per month", 50]["begins_anew"])
    assert not any("begins_anew" in by[n] for n in (("9 usd in any 7d", 9), ("99000 tokens in total", 99000), ("concurrent", 4)))
    assert [by[n]["of"] for n in (("tokens_per_day", 6000), ("3 usd per year", 3), ("2 usd in any 30d", 2), ("90000 tokens per week", 90000))] == [
        "key `web` for m", "key `web` tagged a=b", "key `web` for each user", "team `shop`"]


def test_headers_as_anthropic_has_them(gateway, provider, config):
    g = gateway(limited(config, provider(), limits={"requests_per_minute": 5, "tokens_per_minute": 100000}))
    r = g.request("POST", "/v1/messages", {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "x"}]}, {"x-api-key": SECRET})
    assert r.status == 200 and r.headers["anthropic-ratelimit-requests-limit"] == "5" and r.headers["anthropic-ratelimit-requests-remaining"] == "4"
    assert r.headers["anthropic-ratelimit-tokens-limit"] == "100000" and int(r.headers["anthropic-ratelimit-tokens-remaining"]) < 100000
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", r.headers["anthropic-ratelimit-requests-reset"])
    assert "anthropic-ratelimit-requests-limit" not in g.chat(headers=KEY).headers


def test_a_denied_key_is_refused_before_its_body(gateway, provider, config, store):
    g = gateway(limited(config, provider(), limits={"requests_per_minute": 2}, store=store, workers=1))
    assert [g.chat(headers=KEY).status for _ in range(3)] == [200, 200, 429]
    s = Raw(g.port)
    s.send(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
    r = s.read()            # none of its bytes was sent
    assert r.status == 429 and "requests_per_minute 2; 2 are used" in r.error["message"] and 0 < int(r.headers["retry-after"]) <= 64
    s.close()
    assert g.get("/v1/key", headers=KEY).status == 200 and g.get("/v1/models", headers=KEY).status == 200
    g.config["keys"][0]["limits"]["requests_per_minute"] = 5     # Q14
    g.write(g.config)
    g.reload()
    assert g.chat(headers=KEY).status == 200


# --- by side, model, end user and tag ---

def test_input_and_output_tokens_have_limits_of_their_own(gateway, provider, config, store):
    g = gateway(limited(config, provider(fixed(10, 300)), limits={"input_tokens_per_minute": 100000, "output_tokens_per_hour": 700}, store=store))
    for _ in range(2):
        assert g.chat(headers=KEY, max_tokens=300).status == 200
        settled(g)
    r = g.chat(headers=KEY, max_tokens=300)
    assert r.status == 429 and "output_tokens_per_hour 700; 600 are used" in r.error["message"]
    by = {x["limit"]: x["used"] for x in g.get("/v1/key", headers=KEY).json["limits"]}
    assert by == {"input_tokens_per_minute": 20, "output_tokens_per_hour": 600}


def test_limits_of_a_model_leave_others_alone(gateway, provider, config, store):
    c = limited(config, provider(), store=store)
    c["models"]["other"] = {"targets": ["first/mock"]}
    c["keys"][0]["per_model"] = {"m*": {"limits": {"requests_per_minute": 2}}}
    g = gateway(c)
    assert [g.chat(headers=KEY).status for _ in range(3)] == [200, 200, 429]
    assert "key `web` for m*" in g.chat(headers=KEY).error["message"]
    assert [g.chat(model="other", headers=KEY).status for _ in range(3)] == [200, 200, 200]


def test_each_end_user_has_a_limit(gateway, provider, config, store):
    c = limited(config, provider(), store=store, team={"per_user": {"limits": {"requests_per_minute": 2}}})
    c["keys"].append({"name": "other", "secret": "sk-other-0123456789", "team": "shop"})
    g = gateway(c)
    assert [g.chat(headers=KEY, user="ann").status for _ in range(3)] == [200, 200, 429]
    assert [g.chat(headers=KEY, user="ben").status for _ in range(2)] == [200, 200]
    assert g.chat(headers={"authorization": "Bearer sk-other-0123456789"}, user="ann").status == 429      # of the team, by any key
    tagged = {**KEY, "x-weir-tags": "feature=x, user=cat"}
    assert [g.chat(headers=tagged, user="ann").status for _ in range(3)] == [200, 200, 429]
    long = "x" * 5000
    assert [g.chat(headers=KEY, user=long).status for _ in range(3)] == [200, 200, 429]
    assert g.chat(headers=KEY, user=long[:-1]).status == 200
    assert [g.chat(headers=KEY).status for _ in range(4)] == [200] * 4


def test_a_tag_has_a_budget(gateway, provider, config, store):
    c = limited(config, provider(fixed(1000, 500)), store=store)
    c["keys"][0]["per_tag"] = {"feature=search": {"budgets": [{"usd": 0.004, "per": "day"}]}}
    g = gateway(c)
    search = {**KEY, "x-weir-tags": "team=a,feature=search"}
    assert g.chat(headers=search, max_tokens=600).status == 200
    settled(g)
    r = g.chat(headers=search, max_tokens=600)
    assert r.status == 429 and r.error["code"] == "insufficient_quota" and "tagged feature=search" in r.error["message"]
    assert g.chat(headers={**KEY, "x-weir-tags": "feature=other"}, max_tokens=600).status == 200 and g.chat(headers=KEY).status == 200


def test_a_rolling_budget_frees_itself(gateway, provider, config, store):
    g = gateway(limited(config, provider(fixed(1000, 500)), budgets=[{"usd": 0.005, "rolling": "30d"}], store=store))
    assert g.chat(headers=KEY, max_tokens=600).status == 200
    settled(g)
    r = g.chat(headers=KEY, max_tokens=600)
    assert r.status == 429 and r.error["code"] == "insufficient_quota" and "0.005 usd in any 30d" in r.error["message"]
    assert "$0.003 are spent" in r.error["message"] and "x-weir-budget-reset" not in r.headers and "x-ratelimit-limit-tokens" not in r.headers


def test_a_rolling_budget_survives_a_restart(gateway, provider, config, tmp_path):
    c = limited(config, provider(fixed(1000, 500)), budgets=[{"usd": 0.005, "rolling": "1h"}], ledger=str(tmp_path / "weir.db"))
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=600).status == 200
    g.stop()
    assert gateway(c).chat(headers=KEY, max_tokens=600).status == 429


def test_what_a_team_may_use_binds_its_keys(gateway, provider, config):
    """A9: neither by an alias, nor by a fallback, nor spelled otherwise."""
    c = limited(config, provider(), team={"models": ["m"]})
    c["models"]["other"] = {"targets": ["first/mock"]}
    c["models"]["m"]["fallbacks"] = ["other"]
    g = gateway(c)
    assert g.chat(headers=KEY).status == 200 and g.chat(model="other", headers=KEY).status == 403
    for name in ("first/mock", "OTHER", "Other"):
        assert g.chat(model=name, headers=KEY).status in (403, 404)
    assert [m["id"] for m in g.get("/v1/models", headers=KEY).json["data"]] == ["m"]
    assert g.chat(headers={**KEY, "x-weir-fallbacks": "other"}).headers["x-weir-target"] == "first/mock"


# --- Redis ---

def test_replicas_share_limits(gateway, provider, config, redis):
    p = provider(fixed(pause=0.02))
    gs = [gateway(limited(config, p, limits={"requests_per_minute": 20}, store=redis.url)) for _ in range(3)]
    with ThreadPoolExecutor(30) as pool:
        got = list(pool.map(lambda i: gs[i % 3].chat(headers=KEY).status, range(60)))
    assert got.count(200) == 20 and len(p.requests) == 20


@pytest.mark.parametrize("policy, status", [("local", 200), ("closed", 503)])
def test_redis_away_leaves_the_keys_policy(gateway, provider, config, redis, policy, status):
    c = limited(config, provider(), limits={"requests_per_minute": 6}, store=redis.url)
    c["keys"][0]["on_store_failure"] = policy
    g = gateway({**c, "store_timeout": "50ms"}).store_up()
    until(lambda: g.chat(headers=KEY).status == 200)
    redis.process.send_signal(signal.SIGSTOP)
    got = [g.chat(headers=KEY) for _ in range(10)]
    assert all(r.status == status for r in got[:3])
    if policy == "local":
        assert got[-1].status == 429        # limits of this process alone still hold
    else:
        assert got[0].headers["retry-after"] == "1"
    redis.process.send_signal(signal.SIGCONT)
    g.store_up()
    until(lambda: g.chat(headers=KEY).status in (200, 429))


def test_redis_that_was_never_there(gateway, provider, config):
    g = gateway(limited(config, provider(), limits={"requests_per_minute": 2}, store=f"redis://127.0.0.1:{free_port()}/0"))
    assert [g.chat(headers=KEY).status for _ in range(3)] == [200, 200, 429]


def test_mistakes_in_limits_are_named(tmp_path):
    file = tmp_path / "weir.yaml"
    file.write_text("""
store: redis://host:port
keys:
  - { name: a, secret: sk-a-0123456789, budgets: [{ usd: 1, tokens: 5 }, { usd: 1, time_zone: Mars/Base }], limits: { concurent: 5 } }
""")
    r = subprocess.run([BINARY, "check", "-c", str(file)], capture_output=True, text=True)
    assert r.returncode == 2
    for words in ("`store`", "one of them", "there is no `Mars/Base`", "did you mean `concurrent`"):
        assert words in r.stderr, r.stderr


@pytest.mark.parametrize("policy", ["local", "closed"])
def test_a_flushed_store_is_told_again_what_budgets_have_spent(gateway, provider, config, redis, policy):
    """R12."""
    c = limited(config, provider(fixed(1000, 500)), budgets=[{"usd": 0.0105, "per": "month"}], store=redis.url, workers=1)
    c["keys"][0]["on_store_failure"] = policy
    g = gateway(c)
    for _ in range(3):      # 0.003 dollars each
        assert g.chat(headers=KEY, max_tokens=500).status == 200
        settled(g)
    subprocess.run(["redis-cli", "-p", str(redis.port), "FLUSHALL"], check=True, capture_output=True)
    # What the store had last told is known: all but the last request.
    assert g.chat(headers=KEY, max_tokens=500).status == 200
    settled(g)
    assert g.chat(headers=KEY, max_tokens=500).status == 429
    assert g.metric("weir_store_forgotten_total") == 1
    g.wait_log("It is told what is known here")


def test_a_store_flushed_while_the_gateway_was_down(gateway, provider, config, redis, tmp_path):
    c = limited(config, provider(fixed(1000, 500)), budgets=[{"usd": 0.0045, "per": "month"}], store=redis.url,
                ledger=str(tmp_path / "weir.db"))
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=500).status == 200
    g.stop()
    subprocess.run(["redis-cli", "-p", str(redis.port), "FLUSHALL"], check=True, capture_output=True)
    r = gateway(c).chat(headers=KEY, max_tokens=500)
    assert r.status == 429 and "$0.003 are spent" in r.error["message"]


def test_what_a_killed_gateway_had_reserved_is_given_back(gateway, provider, config, redis, tmp_path):
    """Q8: A hundred requests under way when it is killed; the time of a reservation is shortened."""
    p = provider(lambda r: [("sleep", 60)])
    c = limited(config, p, limits={"concurrent": 100, "tokens_per_day": 10**7}, budgets=[{"usd": 100, "per": "month"}], store=redis.url,
                ledger=str(tmp_path / "weir.db"), reservation_ttl="3s")
    g, h = gateway(c), gateway({**c, "ledger": "off"})
    open_ones = []
    for _ in range(100):
        s = Raw(g.port)
        s.send(post({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}, headers=f"authorization: Bearer {SECRET}\r\n"))
        open_ones.append(s)

    def held():
        return {x["limit"]: x["held"] for x in h.get("/v1/key", headers=KEY).json["limits"]}
    until(lambda: len(p.requests) == 100 and held()["concurrent"] == 100)
    assert h.chat(headers=KEY).status == 429
    time.sleep(3.5)     # renewed for longer than it lives
    assert held()["concurrent"] == 100
    g.expect = None
    g.process.kill()
    g.process.wait()
    until(lambda: not any(held().values()))
    p.script = good
    g = gateway(c)      # the ledger opens clean
    assert g.chat(headers=KEY).status == 200 and "cannot" not in g.logs()
    for s in open_ones:
        s.close()


def test_one_round_trip_before_a_request_and_none_after_it(gateway, provider, config, redis, relay):
    tap = relay(redis.port)
    before = []

    def script(r):
        before[:] = tap.of_requests()
        tap.flowing.clear()         # nothing more is heard of Redis
        return good(r)
    p = provider(script)
    g = gateway(limited(config, p, limits={"requests_per_minute": 1000, "tokens_per_day": 10**8, "concurrent": 50}, workers=1,
                        budgets=[{"usd": 100, "per": "month"}, {"usd": 100, "per": "day"}], team={"budgets": [{"usd": 100, "per": "week"}]},
                        store=tap.url))
    p.script = good
    g.chat(headers=KEY)     # the scripts are there afterwards
    settled(g)
    until(lambda: redis.call("KEYS", "weir:{tally:*:sums"))
    p.script = script
    for stream in (False, True):
        del tap.writes[:]
        r = g.chat(headers=KEY, stream=stream)
        assert r.status == 200 and (not stream or b"[DONE]" in r.body)
        tap.flowing.set()
        until(lambda: len(tap.of_requests()) >= 2)
        assert len(before) == 1 and before[0].count(b"EVALSHA") == 1
        after = tap.of_requests()[1]
        # The settlement, and what reports are made of, in one write.
        assert after.count(b"EVALSHA") == 2 and b"weir:{tally:" in after
        settled(g)


@pytest.mark.parametrize("fault", ["wrong type", "garbage", "no permission", "out of memory", "scripts flushed"])
def test_what_redis_may_answer(gateway, provider, config, redis, fault):
    """R7, R8, R9: Groups of errors: each by the key's policy, told once a second at most, others unaffected."""
    redis.call("ACL", "SETUSER", "weir", "on", ">redispassword1", "~*", "+@all")
    c = limited(config, provider(), limits={"requests_per_minute": 1000}, store=f"redis://weir:redispassword1@127.0.0.1:{redis.port}/0")
    c["keys"].append({"name": "strict", "secret": "sk-strict-0123456789", "limits": {"requests_per_minute": 1000}, "on_store_failure": "closed"})
    strict = {"authorization": "Bearer sk-strict-0123456789"}
    g = gateway(c)
    assert g.chat(headers=KEY).status == 200 and g.chat(headers=strict).status == 200
    own = {k for k in redis.call("KEYS", "*").splitlines() if ":l:" in k and "web" in k}
    assert own
    if fault == "wrong type":
        for k in own:
            redis.call("DEL", k)
            redis.call("LPUSH", k, "x")
    elif fault == "garbage":
        for k in own:
            redis.call("SET", k, "NaN")
    elif fault == "no permission":
        redis.call("ACL", "SETUSER", "weir", "-evalsha", "-eval")
    elif fault == "out of memory":
        redis.call("CONFIG", "SET", "maxmemory", "1")
    else:
        redis.call("SCRIPT", "FLUSH")
    own_alone = fault in ("wrong type", "garbage")
    got = [(g.chat(headers=KEY).status, g.chat(headers=strict).status) for _ in range(30)]
    assert all(a == 200 for a, _ in got)    # on_store_failure: local
    assert all(b == (200 if own_alone or fault == "scripts flushed" else 503) for _, b in got), got
    told = [x for x in g.logs().splitlines() if '"message":"store' in x]
    assert len(told) <= 8 and "redispassword1" not in g.logs(), told
    assert told or fault == "scripts flushed"
    # What could not be told is told when it can be, also while the connection stands.
    redis.call("ACL", "SETUSER", "weir", "+@all")
    redis.call("CONFIG", "SET", "maxmemory", "0")
    until(lambda: g.metric("weir_store_settlements_owed") == 0)
    if not own_alone:
        until(lambda: g.get("/v1/key", headers=KEY).json["limits"][0]["used"] == 31)

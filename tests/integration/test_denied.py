"""A key that was denied is refused without a question to the store, until time, or whoever runs it, gives it more."""
import contextlib
import signal

import pytest
from mock_provider import completion, http
from test_limits import KEY, SECRET, fixed, limited, settled, usage
from weir import Raw, until

HEADERS = ("retry-after", "x-weir-budget-reset", "x-should-retry", "x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens")


@contextlib.contextmanager
def silent(redis):
    """A Redis that answers nothing: a key that is `closed` without it gets a 503 whenever it is asked."""
    redis.process.send_signal(signal.SIGSTOP)
    yield
    redis.process.send_signal(signal.SIGCONT)


def answers(ask):
    """When Redis is back."""
    return until(lambda: (status := ask().status) != 503 and status)


def without_body(g, path="/v1/chat/completions"):
    s = Raw(g.port)
    s.send(f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
    r = s.read()            # none of its bytes was sent
    s.close()
    return r


def closed(c):
    c["keys"][0]["on_store_failure"] = "closed"
    return c


def use_up(g, **more):
    assert g.chat(headers=KEY, max_tokens=100, **more).status == 200
    settled(g)
    r = g.chat(headers=KEY, max_tokens=100, **more)
    assert r.status == 429
    return r


def more_for(g, **fields):
    g.config["keys"][0].update(fields)
    g.write(g.config)
    g.reload()


@pytest.mark.parametrize("limits, budgets, more", [
    ({"tokens_per_minute": 200}, [], {"limits": {"tokens_per_minute": 900}}),
    ({"output_tokens_per_day": 100}, [], {"limits": {}}),
    ({}, [{"tokens": 200, "per": "day"}], {"budgets": [{"tokens": 900, "per": "day"}]}),
    ({}, [{"tokens": 200, "per": "total"}], {"budgets": []}),
    ({}, [{"tokens": 200, "rolling": "1h"}], {"budgets": [{"tokens": 900, "rolling": "1h"}]}),
])
def test_tokens_that_are_used_up_are_told_before_the_body(gateway, provider, config, redis, limits, budgets, more):
    g = gateway(closed(limited(config, provider(fixed(100, 100)), limits=limits, budgets=budgets, store=redis.url)))
    r = use_up(g)
    with silent(redis):
        early = without_body(g)
        assert g.chat(headers=KEY).status == 429
    assert early.status == 429 and early.json["error"]["code"] == r.error["code"] and early.json["error"]["type"] == r.error["type"]
    for name in HEADERS[1:]:
        assert early.headers.get(name) == r.headers.get(name), name
    if "retry-after" in r.headers:
        assert 0 <= int(r.headers["retry-after"]) - int(early.headers["retry-after"]) <= 5
    assert r.error["message"].startswith(early.json["error"]["message"].split(" used.")[0].split(" spent.")[0])
    # What needs no tokens of text is not kept from it, and more is had at once.
    assert g.get("/v1/models", headers=KEY).status == 200
    assert g.request("POST", "/v1/messages/count_tokens", {"model": "m", "messages": [{"role": "user", "content": "x"}]}, KEY).status == 200
    more_for(g, **more)
    assert answers(lambda: g.chat(headers=KEY, max_tokens=100)) == 200


def test_a_smaller_request_still_fits(gateway, provider, config, store):
    g = gateway(limited(config, provider(fixed(100, 100)), budgets=[{"tokens": 300, "per": "day"}], store=store))
    assert g.chat(headers=KEY, max_tokens=100).status == 200
    settled(g)
    assert g.chat(headers=KEY, max_tokens=150).status == 429
    assert g.chat(headers=KEY, max_tokens=50).status == 200


@pytest.mark.parametrize("most", [{"budgets": [{"tokens": 150, "per": "day"}]}, {"limits": {"tokens_per_minute": 150, "output_tokens_per_day": 90}}])
def test_a_rule_answers_when_more_than_all_tokens_are_used(gateway, provider, config, store, tmp_path, most):
    """Its answer has none."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: [{ name: ping, when: { exact: ping }, answer: pong }]")
    plugins = [{"name": "rules", "config": {"file": str(rules)}}]
    g = gateway(limited(config, provider(fixed(100, 100)), store=store, plugins=plugins, **most))
    assert g.chat(headers=KEY, max_tokens=20).status == 200     # and takes more than it said
    settled(g)
    assert g.chat(headers=KEY, max_tokens=20).status == 429
    r = g.chat(headers=KEY, text="ping")
    assert r.status == 200 and "pong" in r.body.decode(), r.body


def test_money_that_is_spent_asks_the_store_no_more(gateway, provider, config, redis):
    g = gateway(closed(limited(config, provider(fixed(100, 100)), budgets=[{"usd": 0.0005, "per": "day"}], store=redis.url)))
    r = use_up(g)
    with silent(redis):
        again = g.chat(headers=KEY, max_tokens=100)
    assert again.status == 429 and again.error["code"] == "insufficient_quota" and "$0.0005 are spent" in again.error["message"]
    assert again.headers["x-weir-budget-reset"] == r.headers["x-weir-budget-reset"] and again.headers["x-should-retry"] == "false"
    assert g.metric("weir_limit_refusals_total", key="web") == 2
    more_for(g, budgets=[{"usd": 1, "per": "day"}])
    assert answers(lambda: g.chat(headers=KEY, max_tokens=100)) == 200


def test_free_targets_and_kept_answers_go_on(gateway, provider, config, store):
    paid, free = provider(fixed(100, 100)), provider(lambda r: [http(200, completion("for nothing", usage=usage(5, 5)))])
    c = limited(config, paid, free, budgets=[{"usd": 0.0005, "per": "day"}], store=store, cache={"enabled": True})
    c["providers"]["second"]["free"] = True
    c["models"] = {"m": {"targets": ["first/mock"]}, "both": {"targets": ["first/mock", "second/mock"]}}
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=100, text="kept").status == 200
    settled(g)
    for _ in range(2):      # as the store says, and as is remembered
        assert g.chat(headers=KEY, max_tokens=100, text="other").status == 429
        r = g.chat(headers=KEY, max_tokens=100, text="kept")
        assert r.status == 200 and r.headers["x-weir-cache"] == "hit"
        r = g.chat(model="both", headers=KEY, max_tokens=100)
        assert r.status == 200 and r.headers.get("x-weir-cache") == "hit" or r.headers["x-weir-target"] == "second/mock"
    assert len(paid.requests) == 1 and len(free.requests) == 1
    r = g.chat(headers=KEY, max_tokens=100, text="other")
    assert r.error["code"] == "insufficient_quota" and "$0.0005 are spent" in r.error["message"] and "x-weir-budget-reset" in r.headers
    assert g.metric("weir_limit_refusals_total", key="web") == 3

"""Which target a request goes to: strategies, capabilities, sessions, places, second attempts, and their explanation."""
import json
import random
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from mock_provider import chunk, completion, delta, error, good, http, stream_head
from weir import BINARY, Raw, until


def config_of(providers, targets, model=None, **more):
    """Providers by name; one alias `m`."""
    c = {"providers": {n: {"dialect": "openai", "base_url": p.url, "allow_private_address": True} for n, p in providers.items()},
         "models": {"m": {"targets": targets, **(model or {})}}}
    c.update(more)
    return c


def prices(**by_name):
    return {f"{n}/mock": {"input": i, "output": o} for n, (i, o) in by_name.items()}


def target(r):
    return r.headers.get("x-weir-target", "").split("/")[0]


def admin(g, path, body=None, **more):
    return g.request("POST" if body is not None else "GET", path, body, port=g.admin_port, **more)


def explain(g, text="hi", model="m", **fields):
    return admin(g, "/admin/explain", {"model": model, "messages": [{"role": "user", "content": text}], **fields}).json


def why(g, r):
    return admin(g, f"/admin/why?id={r.headers['x-request-id']}").json


def slow(seconds, **more):
    return lambda r: [("sleep", seconds), *good(r)]


# --- cheapest ---

def test_cheapest_takes_the_cheapest_for_this_very_request(gateway, provider):
    """Users' demand 31: the cost of a request decides, not a number per model."""
    talks = lambda n: lambda r: [http(200, completion(usage={"prompt_tokens": len(r.body) // 5, "completion_tokens": n,
                                                             "total_tokens": len(r.body) // 5 + n}))]
    a, b = provider(talks(300)), provider(talks(300))
    # a is cheap to read and dear to write, b the other way round
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"], {"strategy": "cheapest", "explore": 0}, prices=prices(a=(0.5, 8), b=(3, 1))))
    for _ in range(6):
        g.chat(text="short"), g.chat(text="long text " * 3000)
    assert target(g.chat(text="short")) == "b"
    assert target(g.chat(text="long text " * 3000)) == "a"
    e = explain(g, "short")
    assert [t["target"] for t in e["targets"]] == ["b/mock", "a/mock"] and e["strategy"] == "cheapest"
    assert e["targets"][0]["expected"]["cost_usd"] < e["targets"][1]["expected"]["cost_usd"]


def test_max_cost_is_a_ceiling_over_all_attempts(gateway, provider):
    dear = provider()
    g = gateway(config_of({"a": dear}, ["a/mock"], {"max_cost_usd": 0.001}, prices=prices(a=(1, 4))))
    assert g.chat(max_tokens=10).status == 200
    r = g.chat(text="word " * 3000, max_tokens=10)
    assert r.status == 429 and r.error["code"] == "cost_ceiling" and len(dear.requests) == 1


# --- capabilities ---

def tool():
    return {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}


def test_a_target_that_cannot_makes_way(gateway, provider):
    """Users' demand 68 (capability tags): a picture never reaches a model without eyes while another can see."""
    a, b = provider(), provider()
    g = gateway(config_of({"a": a, "b": b}, [{"target": "a/mock", "features": ["tools"]}, {"target": "b/mock", "features": ["vision"]}]))
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]}]
    ask = lambda **f: g.request("POST", "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "hi"}], **f})
    assert target(ask()) == "a" and target(ask(messages=picture)) == "b" and target(ask(tools=[tool()])) == "a"
    # nobody knows schemas: it is tried all the same, because tables are not always right
    assert ask(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}).status == 200
    r = ask(messages=picture)
    assert {t["target"]: t.get("excluded") for t in why(g, r)["targets"]} == {"b/mock": None, "a/mock": "cannot see images"}


def test_what_is_required_binds_every_rung(gateway, provider):
    a, b, c = provider(lambda r: error(500)), provider(), provider()
    conf = config_of({"a": a, "b": b, "c": c}, [{"target": "a/mock", "features": ["tools"], "quality": 3}],
                     {"requires": {"tools": True, "quality": 2}, "fallbacks": ["lesser", "other"]})
    conf["models"]["lesser"] = {"targets": [{"target": "b/mock", "features": ["vision"]}]}
    conf["models"]["other"] = {"targets": [{"target": "c/mock", "features": ["tools"], "quality": 1}]}
    g = gateway(conf)
    r = g.chat()
    assert r.status == 502 and not b.requests and not c.requests
    checked = subprocess.run([BINARY, "check", "-c", str(g.file)], capture_output=True, text=True).stderr
    assert "no target of the fallback `lesser` has what `m` requires" in checked
    assert "no target of the fallback `other`" in checked


def test_region_and_context_are_required(gateway, provider):
    a, b = provider(), provider()
    conf = config_of({"us": a, "eu": b}, ["us/mock", "eu/mock"], {"requires": {"region": "eu"}})
    conf["providers"]["us"]["region"], conf["providers"]["eu"]["region"] = "us", "eu"
    conf["models"]["n"] = {"targets": [{"target": "us/mock", "context": 1000}, {"target": "eu/mock", "context": 32000}]}
    g = gateway(conf)
    assert target(g.chat()) == "eu" and not a.requests
    assert target(g.chat(model="n")) == "us" and target(g.chat(model="n", text="word " * 5000)) == "eu"


# --- shares, weights, sessions ---

def test_weights_are_shares(gateway, provider):
    a, b = provider(), provider()
    g = gateway(config_of({"a": a, "b": b}, [{"target": "a/mock", "weight": 9}, {"target": "b/mock", "weight": 1}], {"strategy": "weighted"}))
    for _ in range(100):
        g.chat()
    assert 88 <= len(a.requests) <= 92 and len(a.requests) + len(b.requests) == 100


def test_max_share_keeps_a_second_vendor_warm_and_yields(gateway, provider):
    a, b = provider(), provider()
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"], {"max_share": 80}))
    for _ in range(200):
        assert g.chat().status == 200
    assert 0.75 * 200 <= len(a.requests) <= 0.86 * 200
    b.script = lambda r: error(500)
    for _ in range(40):
        assert g.chat().status == 200       # the other is down: all of it goes to the first
    before = len(b.requests)
    for _ in range(20):
        assert target(g.chat()) == "a"
    assert len(b.requests) <= before + 1


@pytest.mark.parametrize("how", ["header", "prompt_cache_key", "user"])
def test_a_session_stays_at_one_target_but_never_at_a_dead_one(gateway, provider, how):
    """Users' demand 21: affinity keeps nobody pinned to a dead channel."""
    ps = {n: provider() for n in "abc"}
    g = gateway(config_of(ps, [f"{n}/mock" for n in ps], {"strategy": "weighted"}))

    def ask(session):
        fields = {} if how == "header" else {how: session}
        return g.chat(headers={"x-weir-session": session} if how == "header" else None, **fields)

    homes = {}
    for turn in range(6):
        for s in range(8):
            t = target(ask(f"session-{s}"))
            assert homes.setdefault(s, t) == t
    assert len(set(homes.values())) == 3
    dead = homes[0]
    ps[dead].script = lambda r: error(500)
    for _ in range(10):
        assert ask("session-0").status == 200
    moved = target(ask("session-0"))
    assert moved != dead and all(target(ask("session-0")) == moved for _ in range(5))


# --- places ---

def test_places_are_never_exceeded_and_a_queue_waits_for_them(gateway, provider, config):
    running, most = 0, 0

    def script(r):
        nonlocal running, most
        running += 1
        most = max(most, running)
        yield ("sleep", 0.05)
        running -= 1
        yield from good(r)
    p = provider(script)
    conf = config_of({"a": p}, [{"target": "a/mock", "max_concurrent": 3}], workers=2)
    g = gateway(conf)
    with ThreadPoolExecutor(24) as pool:
        results = list(pool.map(lambda _: g.chat(), range(48)))
    assert [r.status for r in results] == [200] * 48
    assert most == 3
    assert g.metric("weir_upstream_requests_in_flight", target="a/mock") == 0


def test_a_queue_has_an_end(gateway, provider):
    refused = threading.Event()
    p = provider(lambda r: [("until", refused.is_set), *good(r)])
    g = gateway(config_of({"a": p}, [{"target": "a/mock", "max_concurrent": 1}], {"queue": {"wait": "200ms", "length": 2}}))
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(g.chat) for _ in range(6)]
        until(lambda: sum(a.done() for a in asked) == 5)
        refused.set()
    assert sorted(a.result().status for a in asked) == [200, 503, 503, 503, 503, 503]
    assert g.chat().status == 200


def test_who_waits_and_leaves_takes_no_place(gateway, provider):
    left = threading.Event()
    p = provider(lambda r: [("until", left.is_set), *good(r)])
    g = gateway(config_of({"a": p}, [{"target": "a/mock", "max_concurrent": 1}]))
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
    raws = [Raw(g.port) for _ in range(5)]
    for s in raws:
        s.send(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}")
        until(lambda: p.requests)      # the first has the place
    until(lambda: g.metric("weir_requests_in_flight") == 5)
    for s in raws[1:]:
        s.close()
    until(lambda: g.metric("weir_requests_in_flight") == 1)
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(g.chat)
        until(lambda: g.metric("weir_requests_in_flight") == 2)
        left.set()
    assert later.result().status == 200 and len(p.requests) == 2
    assert raws[0].read_head()[0] == 200


def test_a_full_local_server_spills_and_traffic_comes_back(gateway, provider):
    """Users' demands 62 and 65: full and loading are told apart from failing."""
    local, cloud = provider(), provider()
    conf = config_of({"local": local, "cloud": cloud}, ["local/mock", "cloud/mock"], prices=prices(cloud=(1, 4)))
    conf["providers"]["local"].update(local=True, free=True)
    g = gateway(conf)
    local.script = lambda r: error(503, "Loading model", type="unavailable_error")
    assert target(g.chat()) == "cloud"
    assert why(g, g.chat())["targets"][1]["excluded"] == "loading"
    local.script = good
    until(lambda: target(g.chat()) == "local")
    local.script = lambda r: error(503, "no slot available", type="unavailable_error")
    assert target(g.chat()) == "cloud" and why(g, g.chat())["targets"][1]["excluded"] == "no place free"
    for _ in range(20):
        g.chat()
    local.script = good
    until(lambda: target(g.chat()) == "local")
    assert "breaker open" not in g.logs()


def test_a_request_waits_while_the_only_server_loads(gateway, provider):
    """Users' demands 16 and 65: queue during warm-up instead of failing."""
    p = provider(lambda r: good(r) if len(p.requests) == 3 else error(503, "Loading model"))
    conf = config_of({"local": p}, ["local/mock"])
    conf["providers"]["local"]["local"] = True
    assert gateway(conf).chat().status == 200


# --- second attempts ---

def hedged(gateway, provider, first, **model):
    a, b = provider(), provider()
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"], {"hedge": {"quantile": 90, "max_share": 100}, **model},
                          prices=prices(a=(1, 4), b=(1, 4))))
    for _ in range(20):
        g.chat(stream=True)      # on a busy machine some of these are late and have a second attempt too
    until(lambda: g.metric("weir_upstream_requests_in_flight") == 0)
    b.requests.clear()
    a.script = first
    g.before = {result: hedges(g, result) for result in ("won", "lost")}
    return g, a, b


def hedges(g, result):
    return g.metric("weir_hedges_total", model="m", result=result) - getattr(g, "before", {}).get(result, 0)


def test_a_late_first_token_gets_a_second_attempt(gateway, provider):
    g, a, b = hedged(gateway, provider, lambda r: [stream_head(), ("hang",)])
    r = g.chat(stream=True)
    assert r.status == 200 and b"Hel" in r.body and len(b.requests) == 1
    until(lambda: a.requests[-1].hung_up_at)       # the loser is cancelled
    assert hedges(g, "won") == 1
    until(lambda: g.access()[-1].get("target") == "b/mock")
    record = g.access()[-1]
    assert record["attempts"] == 2 and record["cost_estimated"]      # both are counted
    assert record["cost_usd"] > 10e-6 + 3 * 4e-6


def test_the_first_may_still_win(gateway, provider):
    g, a, b = hedged(gateway, provider, lambda r: [("until", lambda: b.requests), *good(r)])
    b.script = lambda r: [("hang",)]
    r = g.chat(stream=True)
    assert b"Hel" in r.body and r.body.count(b"[DONE]") == 1
    until(lambda: b.requests and b.requests[-1].hung_up_at)
    assert hedges(g, "lost") == 1
    until(lambda: g.metric("weir_upstream_requests_in_flight") == 0)


def test_either_may_fail_while_the_other_answers(gateway, provider):
    g, a, b = hedged(gateway, provider, lambda r: [("until", lambda: b.requests), *error(500)])
    b.script = lambda r: [("sleep", 0.3), *good(r)]
    assert b"Hel" in g.chat(stream=True).body and len(b.requests) == 1
    a.script, b.script = lambda r: [("until", lambda: len(b.requests) == 2), ("sleep", 0.3), *good(r)], lambda r: error(500)
    assert b"Hel" in g.chat(stream=True).body and len(b.requests) == 2
    a.script = b.script = lambda r: [("until", lambda: len(b.requests) == 3), *error(500)]
    assert g.chat(stream=True).status == 502


def test_plain_answers_are_hedged_too(gateway, provider):
    a, b = provider(), provider()
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"], {"hedge": {"quantile": 90, "max_share": 100}}, prices=prices(a=(1, 4), b=(1, 4))))
    for _ in range(20):
        g.chat()
    a.script = lambda r: [("hang",)]
    r = g.chat()
    assert r.status == 200 and target(r) == "b" and r.headers["x-weir-cost-estimated"] == "true"
    until(lambda: a.requests[-1].hung_up_at)


def test_second_attempts_stay_within_their_share(gateway, provider):
    g, a, b = hedged(gateway, provider, lambda r: [("sleep", 0.3), *good(r)], hedge={"quantile": 50, "max_share": 10})
    for _ in range(20):
        g.chat(stream=True)
    assert 1 <= len(b.requests) <= 5


def test_a_second_attempt_that_breaks_is_an_error_although_streams_are_continued(gateway, provider):
    g, a, b = hedged(gateway, provider, lambda r: [stream_head(), ("hang",)], on_stream_failure="resume")
    b.script = lambda r: [stream_head(), chunk(delta("Hel")), ("reset",)]
    r = g.chat(stream=True)
    assert r.status == 200 and b"Hel" in r.body and b'"error"' in r.body and b"[DONE]" not in r.body


def test_hang_up_during_a_hedge_cancels_both(gateway, provider):
    g, a, b = hedged(gateway, provider, lambda r: [("hang",)])
    b.script = lambda r: [("hang",)]
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
    s = Raw(g.port)
    s.send(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}")
    until(lambda: len(b.requests) == 1)
    s.s.close()
    until(lambda: a.requests[-1].hung_up_at and b.requests[-1].hung_up_at)
    assert g.metric("weir_upstream_requests_in_flight") == 0


# --- breaker ---

def test_the_same_request_failing_elsewhere_is_evidence_about_the_request(gateway, provider):
    """Users' demand 19: one bad request takes no healthy target out."""
    poison = lambda r: error(500) if b"poison" in r.body else good(r)
    a, b = provider(poison), provider(poison)
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"], breaker={"failures": 5}))
    for _ in range(4):
        assert g.chat().status == 200       # `a` is well
        assert g.chat(text="poison").status == 502
    only_b = {"x-weir-provider": "b"}
    g.chat(text="poison", headers=only_b)   # the first failure that counts against `b`
    assert len(b.requests) == 5
    assert g.chat(headers=only_b).status == 200 and g.chat().status == 200


def test_a_recovered_target_gets_its_traffic_back_bit_by_bit(gateway, provider):
    """Users' demand 18: bring a recovered vendor back gradually."""
    tried = threading.Event()
    a, b = provider(lambda r: error(500)), provider()
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"], breaker={"failures": 2, "open": "500ms"}))
    for _ in range(4):
        g.chat()
    a.script = lambda r: [("until", tried.is_set), *good(r)]
    until(lambda: g.metric("weir_upstream_up", target="a/mock") == 1)
    before = len(a.requests)
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(g.chat) for _ in range(20)]
        until(lambda: sum(x.done() for x in asked) + len(a.requests) - before == 20)
        trials = len(a.requests) - before
        tried.set()
    assert {x.result().status for x in asked} == {200}
    assert 1 <= trials <= 2       # one trial, not a crowd
    until(lambda: all(target(g.chat()) == "a" for _ in range(5)))


# --- explain ---

def random_config(rng, ps):
    c = config_of(ps, [], {"strategy": rng.choice(["ordered", "weighted", "cheapest", "fastest", "least_busy"]), "explore": 0})
    names = list(ps)
    rng.shuffle(names)
    for n in names[:rng.randint(1, 4)]:
        t = {"target": f"{n}/mock", "weight": rng.choice([0, 1, 3]) if rng.random() < .5 else 1}
        if rng.random() < .5:
            t["features"] = rng.sample(["tools", "vision", "json_schema"], rng.randint(0, 3))
        if rng.random() < .3:
            t["context"] = rng.choice([50, 4000])
        t["quality"] = rng.randint(0, 3)
        c["models"]["m"]["targets"].append(t)
    if rng.random() < .4:
        c["models"]["m"]["requires"] = {rng.choice(["tools", "vision"]): True, "quality": rng.randint(0, 2)}
    if rng.random() < .3:
        c["models"]["m"]["fallbacks"] = ["f"]
        c["models"]["f"] = {"targets": [f"{rng.choice(names)}/mock"]}
    if rng.random() < .3:
        c["models"]["m"]["max_cost_usd"] = rng.choice([0.0001, 0.01])
    c["prices"] = {f"{n}/mock": {"input": rng.randint(1, 9), "output": rng.randint(1, 9)} for n in names if rng.random() < .8}
    c["unpriced"] = rng.choice(["estimate", "allow", "refuse"])
    return c


def test_explain_agrees_with_what_happens(gateway, provider):
    rng = random.Random(11)
    broken = {"e"}
    ps = {n: provider((lambda r: error(500)) if n in broken else good) for n in "abcde"}
    g = gateway(random_config(rng, ps))
    for _ in range(40):
        g.write({**random_config(rng, ps), "breaker": "off"})
        g.reload()
        for _ in range(3):
            ask = {"model": "m", "max_tokens": rng.choice([5, 500]),
                   "messages": [{"role": "user", "content": "word " * rng.choice([1, 300])}]}
            if rng.random() < .3:
                ask["tools"] = [tool()]
            plan = admin(g, "/admin/explain", ask).json
            order = [t["target"] for t in plan["targets"] if "place" in t]
            expect = next((t for t in order if t.split("/")[0] not in broken), None)
            r = g.request("POST", "/v1/chat/completions", ask)
            assert plan["strategy"] == g.config["models"]["m"]["strategy"]
            if expect:
                assert r.status == 200 and r.headers["x-weir-target"] == expect, (plan, r.headers)
                assert int(r.headers["x-weir-attempts"]) == order.index(expect) + 1
                assert [t["target"] for t in why(g, r)["targets"]] == [t["target"] for t in plan["targets"]]
            else:
                assert r.status in (429, 502, 503), (plan, r.body)


def test_why_tells_of_attempts(gateway, provider):
    a, b = provider(lambda r: error(500)), provider()
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"], prices=prices(a=(1, 4), b=(1, 4))))
    r = g.chat()
    w = why(g, r)
    assert [(x["target"], x["result"]) for x in w["attempts"]] == [("a/mock", "provider_error"), ("b/mock", "answered")]
    assert w["status"] == 200 and w["cost_usd"] == pytest.approx(22e-6) and w["strategy"] == "ordered" and w["over"]
    env = {"WEIR_ADMIN_ADDRESS": f"127.0.0.1:{g.admin_port}", "PATH": "/usr/bin:/bin"}
    out = subprocess.run([BINARY, "why", r.headers["x-request-id"]], env=env, capture_output=True, text=True)
    assert out.returncode == 0 and "attempt 1" in out.stdout and "a/mock: provider_error 500" in out.stdout
    assert subprocess.run([BINARY, "why", "unknown"], env=env, capture_output=True).returncode == 1
    said = subprocess.run([BINARY, "explain"], env=env, capture_output=True, text=True,
                          input=json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}))
    assert said.returncode == 0 and "1. a/mock" in said.stdout and "$" in said.stdout
    cold = subprocess.run([BINARY, "explain", "-c", str(g.file)], env=env, capture_output=True, text=True,
                          input=json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}))
    assert cold.returncode == 0 and "cold" in cold.stdout and len(a.requests) == 1


def test_explain_refuses_what_would_be_refused(gateway, provider):
    g = gateway(config_of({"a": provider()}, ["a/mock"], keys=[{"name": "web", "secret": "sk-web-0123456789", "models": ["other"]}]))
    assert admin(g, "/admin/explain", {"model": "nobody", "messages": [{"role": "user", "content": "x"}]}).status == 404
    assert admin(g, "/admin/explain", {"model": "m", "messages": "x"}).error["param"] == "messages"
    assert g.request("POST", "/admin/explain", "{", port=g.admin_port).status == 400
    r = admin(g, "/admin/explain", {"key": "web", "body": {"model": "m", "messages": [{"role": "user", "content": "x"}]}})
    assert r.status == 403 and r.error["code"] == "model_not_allowed"


def test_draining_a_target_needs_the_token(gateway, provider):
    a, b = provider(), provider()
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"]))
    assert admin(g, "/admin/drain?target=a/mock", "").status == 403
    g = gateway(config_of({"a": a, "b": b}, ["a/mock", "b/mock"], admin={"token": "operator-token"}))
    token = {"authorization": "Bearer operator-token"}
    assert admin(g, "/admin/drain?target=a/mock", "").status == 401
    assert admin(g, "/admin/drain?target=a/mock", "", headers=token).json == {"target": "a/mock", "drained": True}
    assert target(g.chat()) == "b"
    admin(g, "/admin/drain?target=a/mock&off=true", "", headers=token)
    assert target(g.chat()) == "a"


def test_check_warns_of_what_would_surprise(tmp_path):
    file = tmp_path / "weir.yaml"
    file.write_text("""
providers:
  openai: { api_key: sk-x }
  box: { dialect: openai, base_url: "http://127.0.0.1:1/v1", allow_private_address: true, free: true }
models:
  free: { strategy: cheapest, targets: [openai/gpt-4o, box/small] }
  old: { targets: [{ target: openai/gpt-4o, weight: 3 }, openai/gpt-4-0314], max_share: 50, explore: 9 }
prices: { nobody/x: { input: 1, output: 1 } }
""")
    r = subprocess.run([BINARY, "check", "-c", str(file)], capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"})
    assert r.returncode == 0
    for words in ("6:40: warning: `box/small` is free, so `cheapest` always takes it", "7:53: warning: `weight` has no effect",
                  "`max_share` of model `old` has no effect", "`explore` of model `old` has no effect",
                  "a price without effect: there is no provider `nobody`"):
        assert words in r.stderr, (words, r.stderr)


def test_many_requests_between_three_priced_doubles(gateway, provider):
    """The money spent by `cheapest` is below every fixed choice, through the real binary."""
    rates = {"a": (0.2, 4.0), "b": (1.5, 1.0), "c": (0.6, 2.4)}
    lengths = {"a": 1.0, "b": 1.3, "c": 0.6}

    def answering(name):
        def script(r):
            words = r.body.count(b"word")
            n = int((40 + 3 * words ** 0.5) * lengths[name])
            return [http(200, completion(usage={"prompt_tokens": words + 8, "completion_tokens": n, "total_tokens": words + 8 + n}))]
        return script

    ps = {n: provider(answering(n)) for n in rates}
    g = gateway(config_of(ps, [f"{n}/mock" for n in ps], {"strategy": "cheapest"}, prices=prices(**rates)))
    rng = random.Random(5)
    sizes = [int(2 ** rng.uniform(1, 12)) for _ in range(800)]
    with ThreadPoolExecutor(4) as pool:
        spent = sum(pool.map(lambda n: float(g.chat(text="word " * n).headers["x-weir-cost-usd"]), sizes))
    cost = lambda name, n: ((n + 8) * rates[name][0] + int((40 + 3 * n ** 0.5) * lengths[name]) * rates[name][1]) / 1e6
    best = sum(min(cost(k, n) for k in rates) for n in sizes)
    assert spent <= 1.05 * best     # 800 requests have to learn it, too
    assert spent < min(sum(cost(k, n) for n in sizes) for k in rates)

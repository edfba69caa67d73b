"""A server of one's own first: loading, full and failing are told apart, a short queue, and the cloud under a ceiling."""
import http.client
import json
import threading

import pytest
from llama_engine import Engine
from mock_provider import good, http as answer
from weir import free_port, until

PRICES = {"cloud/mock": {"input": 1, "output": 4}}


def config_of(local, cloud, local_target=None, **model):
    return {"providers": {"local": {"dialect": "openai", "base_url": local.url, "local": True, "free": True},
                          "cloud": {"dialect": "openai", "base_url": cloud.url, "api_key": "sk-c", "allow_private_address": True}},
            "models": {"m": {"targets": [local_target or "local/mock", "cloud/mock"], **model}}, "prices": PRICES}


def target(r):
    return r.headers.get("x-weir-target", "").split("/")[0]


def excluded(g):
    r = g.request("POST", "/admin/explain", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}, port=g.admin_port)
    return {t["target"]: t.get("excluded") for t in r.json["targets"]}["local/mock"]


@pytest.mark.parametrize("server,status,body,state", [
    ("llama.cpp", 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "loading"),
    ("text-embeddings-inference", 503, {"error": "Model is loading", "error_type": "unhealthy"}, "loading"),
    ("hugging face", 503, {"error": "Model x/y is currently loading", "estimated_time": 20.0}, "loading"),
    ("vllm", 503, {"object": "error", "message": "The model is still loading", "type": "ServiceUnavailable", "code": 503}, "loading"),
    ("ollama", 503, {"error": {"message": "server busy, please try again.  maximum pending requests exceeded", "type": "api_error",
                               "param": None, "code": None}}, "no place free"),
    ("ollama, its own API", 503, {"error": "server busy, please try again.  maximum pending requests exceeded"}, "no place free"),
    ("llama.cpp, slots", 503, {"error": {"code": 503, "message": "no slot available", "type": "unavailable_error"}}, "no place free"),
    ("text-generation-inference", 429, {"error": "Model is overloaded", "error_type": "overloaded"}, "no place free"),
    ("a proxy before it", 503, "Service Unavailable", "no place free"),
    ("a crash", 500, {"error": {"message": "failed to load model", "type": "api_error"}}, None),
])
def test_loading_full_and_failing_are_told_apart(gateway, provider, server, status, body, state):
    """Loading and full pass: no breaker is charged, the cloud answers meanwhile, and it is asked again soon. Failing is counted."""
    local, cloud = provider(lambda r: [answer(status, body)]), provider()
    g = gateway(config_of(local, cloud))
    assert target(g.chat()) == "cloud"
    assert excluded(g) == state
    local.script = good
    until(lambda: target(g.chat()) == "local")
    assert "breaker open" not in g.logs()


def test_what_is_too_dear_for_the_cloud_waits_for_its_place(gateway, provider):
    """The short request spills, the long one would break the ceiling and waits in the queue instead."""
    hold = threading.Event()

    def busy(r):
        while not hold.is_set():
            yield ("sleep", 0.01)
        yield from good(r)
    local, cloud = provider(busy), provider()
    g = gateway(config_of(local, cloud, {"target": "local/mock", "max_concurrent": 1}, max_cost_usd=0.0015, queue={"wait": "20s"}))
    first, long = {}, {}
    one = threading.Thread(target=lambda: first.update(r=g.chat()))
    one.start()
    until(lambda: local.requests)
    assert target(g.chat(max_tokens=100)) == "cloud"
    two = threading.Thread(target=lambda: long.update(r=g.chat(text="word " * 3000, max_tokens=100)))
    two.start()
    until(lambda: g.metric("weir_requests_in_flight") == 2)
    hold.set()
    one.join(), two.join()
    assert target(first["r"]) == target(long["r"]) == "local" and len(cloud.requests) == 1
    assert target(g.chat()) == "local"			# there is room again


@pytest.mark.slow
def test_a_real_engine_overflows_dies_and_comes_back(gateway, provider):
    """llama.cpp with one place: the second request spills, the dead engine is passed by, the living one is asked again."""
    engine, cloud = Engine(free_port()), provider()
    try:
        g = gateway({**config_of(engine, cloud, {"target": "local/tiny", "max_concurrent": 1}), "breaker": {"failures": 2, "open": "500ms"}})
        assert target(g.chat(max_tokens=4)) == "local"
        c = http.client.HTTPConnection("127.0.0.1", g.port, timeout=60)
        c.request("POST", "/v1/chat/completions", json.dumps({"model": "m", "stream": True, "max_tokens": 400, "messages": [
            {"role": "user", "content": "Count from one to a hundred in words."}]}), {"content-type": "application/json"})
        r = c.getresponse()
        assert r.getheader("x-weir-target") == "local/tiny"
        assert target(g.chat(max_tokens=4)) == "cloud"		# its place is taken by the stream
        c.close()						# the caller hangs up: the place is free
        until(lambda: target(g.chat(max_tokens=4)) == "local")
        engine.kill()
        assert [target(g.chat(max_tokens=4)) for _ in range(4)] == ["cloud"] * 4
        engine.start()
        until(lambda: target(g.chat(max_tokens=4)) == "local", 60)
    finally:
        engine.kill()

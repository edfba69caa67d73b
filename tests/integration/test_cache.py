"""Answers that are kept: the same question costs nothing, and another one never gets its answer."""
import json
import os
import random
import re
import subprocess
import time

import openai
import pytest
import test_recordings as recordings
from mock_provider import LAST_CHUNK, chunk, completion, delta, error, event, good_stream, http, stream_head
from weir import BINARY, Raw, post, until

KEYS = [{"name": n, "secret": f"sk-{n}-0123456789", "team": t} for n, t in (("a", "x"), ("b", "x"), ("c", "y"))]


def cached(config, *providers, store="memory", **more):
    cache = {"enabled": True, **more.pop("cache", {})}
    return config(*providers, cache=cache, store=store, prices={"first/mock": {"input": 1, "output": 4}}, **more)


def counting():
    n = [0]

    def script(r):
        n[0] += 1
        if r.stream:
            return good_stream(words=[f"answer {n[0]}"], usage=bool((r.json.get("stream_options") or {}).get("include_usage")))
        return [http(200, completion(f"answer {n[0]}"))]
    return script


def settle(g):
    """A value is kept when its transaction is over."""
    g.quiet()


def expire(g):
    """What is kept for a second is kept, and over."""
    settle(g)
    time.sleep(1.1)


def state(r):
    return r.headers.get("x-weir-cache")


@pytest.mark.parametrize("stream", [False, True])
def test_the_second_time_costs_nothing(gateway, provider, config, store, stream):
    p = provider(counting())
    g = gateway(cached(config, p, store=store))
    first = g.chat(stream=stream)
    settle(g)
    second = g.chat(stream=stream)
    settle(g)
    assert (state(first), state(second)) == ("miss", "hit") and second.body == first.body and len(p.requests) == 1
    assert second.headers["content-type"] == first.headers["content-type"] and "x-weir-target" not in second.headers
    assert float(second.headers["x-weir-cost-usd"]) == 0
    assert g.metric("weir_cache_requests_total", model="m", result="hit") == 1
    assert g.metric("weir_cache_saved_usd_total", model="m") == pytest.approx(22e-6)


def test_it_is_off_until_it_is_turned_on(gateway, provider, config):
    p = provider(counting())
    g = gateway(config(p))
    assert state(g.chat()) is None and state(g.chat()) is None and len(p.requests) == 2
    g = gateway(config(p, model={"cache": True}))
    g.chat(), settle(g)
    assert state(g.chat()) == "hit"
    g = gateway(cached(config, p, model={"cache": False}))
    g.chat(), settle(g)
    assert state(g.chat()) is None


CHANGES = [{"temperature": 0.5}, {"max_tokens": 7}, {"seed": 1}, {"user": "u"}, {"tools": []}, {"top_p": 1}, {"stop": ["x"]}, {"n": 1}, {"num_ctx": 5},
           {"response_format": {"type": "json_object"}}, {"messages": [{"role": "user", "content": "hi "}]}, {"metadata": {"a": "b"}},
           {"messages": [{"role": "system", "content": "hi"}]}, {"logit_bias": {"1": 2}}, {"reasoning_effort": "low"}]


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: next(iter(c)))
def test_any_field_makes_another_question(gateway, provider, config, change):
    """A11. Users' demand 58: whatever is not understood makes another key."""
    p = provider(counting())
    g = gateway(cached(config, p))
    g.chat(), settle(g)
    assert state(g.chat(**change)) == "miss" and len(p.requests) == 2


def test_whatever_decides_on_answers_in_a_models_definition_makes_another_question(gateway, provider, config):
    """A reload keeps what is in memory: what it says of other models, of times and of weights does not count."""
    p = provider(counting())
    base = cached(config, p, p, model={"targets": ["first/mock", "second/mock"]})
    base["models"]["other"] = {"targets": ["second/mock"]}
    g = gateway(base)

    def after(change):
        conf = json.loads(json.dumps(base))
        change(conf)
        g.write(conf), g.reload()
        asked = state(g.chat())
        settle(g)
        return asked
    assert after(lambda c: None) == "miss"
    same = {
        "the same": lambda c: None, "others' order": lambda c: c.update(models=dict(reversed(c["models"].items()))),
        "another model": lambda c: c["models"].update(new={"targets": ["first/mock"]}), "times": lambda c: c["models"]["m"].update(timeouts={"total": "9s"}),
        "how long": lambda c: c["models"]["m"].update(cache_ttl="5m"), "a key": lambda c: c["providers"]["first"].update(api_key="sk-another"),
        "weights": lambda c: c["models"]["m"].update(targets=[{"target": "first/mock", "weight": 7}, "second/mock"]),
    }
    for what, change in same.items():
        assert after(change) == "hit", what
    other = {
        "targets": lambda c: c["models"]["m"].update(targets=["second/mock", "first/mock"]),
        "fewer": lambda c: c["models"]["m"].update(targets=["first/mock"]),
        "a target's model": lambda c: c["models"]["m"].update(targets=["first/mock2", "second/mock"]),
        "fallbacks": lambda c: c["models"]["m"].update(fallbacks=["other"]) or c["models"]["other"].update(targets=["second/third"]),
        "strategy": lambda c: c["models"]["m"].update(strategy="weighted"),
        "address": lambda c: c["providers"]["first"].update(base_url=p.url.replace("/v1", "/v2")),
        "headers": lambda c: c["providers"]["first"].update(headers={"openai-organization": "org-b"}),
        "region": lambda c: c["providers"]["second"].update(region="eu"),
        "what cannot be carried": lambda c: c["models"]["m"].update(on_unsupported="drop"),
        "requirements": lambda c: c["models"]["m"].update(requires={"quality": 1}) or c["models"]["m"].update(
            targets=[{"target": "first/mock", "quality": 2}, {"target": "second/mock", "quality": 2}]),
        "addresses": lambda c: c["providers"]["first"].update(fetch_urls="1MiB"),
        "a cascade": lambda c: c["models"]["m"].update(strategy="cascade", cascade={"checks": {"match": ["answer"]}}),
        "its patterns": lambda c: c["models"]["m"].update(strategy="cascade", cascade={"checks": {"match": ["swer"]}}),
        "a fallback's definition": lambda c: c["models"]["m"].update(fallbacks=["other"]) or c["models"]["other"].update(
            targets=["second/third"], on_unsupported="drop"),
    }
    for what, change in other.items():
        assert after(change) == "miss", what
        assert after(change) == "hit", what


def test_order_and_white_space_do_not(gateway, provider, config):
    g = gateway(cached(config, provider(counting())))
    g.request("POST", "/v1/chat/completions", '{"model":"m","temperature":0.5,"messages":[{"role":"user","content":"a b"}]}'), settle(g)
    r = g.request("POST", "/v1/chat/completions", '{ "messages" : [ {"role": "user",\n "content":"a b"} ], "temperature" : 0.5,"model":"m" }')
    assert state(r) == "hit"
    r = g.request("POST", "/v1/chat/completions", '{"model":"m","temperature":0.5,"messages":[{"role":"user","content":"a  b"}]}')
    assert state(r) == "miss"
    r = g.request("POST", "/v1/chat/completions", '{"model":"m","temperature":0.50,"messages":[{"role":"user","content":"a b"}]}')
    assert state(r) == "miss"


def test_a_large_question_is_kept(gateway, provider, config, store):
    """Its key is made in several turns of the loop; one who leaves meanwhile does no harm."""
    p = provider(counting())
    g = gateway(cached(config, p, store=store))
    text = "a \" b \\ c" * 200000
    first = g.chat(text=text)
    settle(g)
    assert state(first) == "miss" and state(g.chat(text=text)) == "hit" and state(g.chat(text=text + "x")) == "miss" and len(p.requests) == 2
    s = Raw(g.port)
    s.send(post({"model": "m", "messages": [{"role": "user", "content": text}]}))
    s.close()
    g.quiet()
    assert state(g.chat(text=text)) == "hit"


@pytest.mark.parametrize("scope, shared", [("key", set()), ("team", {"b"}), ("global", {"b", "c"})])
def test_who_shares_answers(gateway, provider, config, scope, shared):
    """A10."""
    g = gateway(cached(config, provider(counting()), cache={"scope": scope}, keys=KEYS, teams=[{"name": "x"}, {"name": "y"}]))
    ask = lambda k: g.chat(headers={"authorization": f"Bearer sk-{k}-0123456789"})
    ask("a"), settle(g)
    assert state(ask("a")) == "hit"
    assert {k for k in "bc" if state(ask(k)) == "hit"} == shared


def finished(reason, **message):
    return [http(200, completion("x", choices=[{"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": "x", **message}}]))]


def test_an_answer_at_the_callers_own_limit_is_whole(gateway, provider, config):
    g = gateway(cached(config, provider(lambda r: finished("length"))))
    g.chat(), g.chat(max_tokens=1), settle(g)
    assert state(g.chat()) == "miss" and state(g.chat(max_tokens=1)) == "hit"


@pytest.mark.parametrize("end, kept", [("STOP", True), ("SAFETY", False), ("LANGUAGE", False), ("MALFORMED_FUNCTION_CALL", False), ("OTHER", False),
                                       ("NEVER_HEARD_OF", False)])
@pytest.mark.parametrize("stream", [False, True])
def test_a_translated_answer_is_kept_by_how_it_truly_ended(gateway, provider, config, end, kept, stream):
    """A caller of chat is told `stop` where its format has no word for the end."""
    body = {"candidates": [{"content": {"role": "model", "parts": [{"text": "x"}]}, "finishReason": end, "index": 0}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}
    p = provider(lambda r: [stream_head(), chunk(event(body)), LAST_CHUNK] if "stream" in r.path else [http(200, body)])
    conf = cached(config, p, breaker="off")
    conf["providers"]["first"] |= {"dialect": "gemini", "base_url": p.url.removesuffix("/v1") + "/v1beta"}
    g = gateway(conf)
    assert g.chat(stream=stream).status == 200
    settle(g)
    assert state(g.chat(stream=stream)) == ("hit" if kept else "miss")


def test_a_replay_tells_every_kind_of_token(gateway, provider, config, store):
    usage = {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70, "prompt_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 9},
             "completion_tokens_details": {"reasoning_tokens": 11}}
    g = gateway(cached(config, provider(lambda r: [http(200, completion("x", usage=usage))]), store=store))
    g.chat(), settle(g)
    assert state(g.chat()) == "hit"
    records = until(lambda: len(r := [r for r in g.access() if r.get("tokens")]) >= 2 and r)
    assert records[0]["tokens"] == records[1]["tokens"] and records[1]["tokens"]["reasoning"] == 11, records


@pytest.mark.parametrize("script", [
    lambda r: error(500), lambda r: error(400), lambda r: [stream_head(), chunk(delta("x")), ("reset",)],
    lambda r: [http(200, completion("x", choices=[{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "content_filter"}]))],
    lambda r: [http(200, completion("x", choices=[{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}}]))]])
def test_what_is_never_kept(gateway, provider, config, script):
    """A13. Users' demand 61 among them: an error is not replayed."""
    p = provider(script)
    g = gateway(cached(config, p, breaker="off"))
    stream = script(None)[0] == stream_head()
    g.chat(stream=stream), settle(g)
    assert state(g.chat(stream=stream)) != "hit" and len(p.requests) == 2


def test_a_caller_who_leaves_keeps_nothing(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("x")), ("sleep", 0.3), chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK])
    g = gateway(cached(config, p))
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
    s = Raw(g.port)
    s.send(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}")
    s.read_head()
    s.s.close()
    g.wait_log('"error":"caller_gone"')
    settle(g)
    assert state(g.request("POST", "/v1/chat/completions", body)) == "miss"


def test_a_caller_who_leaves_behind_the_last_event_has_the_answer_kept(gateway, provider, config):
    """As SDKs do: they read no further than [DONE]."""
    p = provider(lambda r: [stream_head(), chunk(delta("x")), chunk(delta(finish="stop")), chunk(event("[DONE]")), ("sleep", 0.5), LAST_CHUNK])
    g = gateway(cached(config, p))
    body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]})
    s = Raw(g.port)
    s.send(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}")
    seen = b""
    while b"[DONE]" not in seen:
        seen += s.s.recv(65536)
    s.s.close()
    settle(g)
    r = g.request("POST", "/v1/chat/completions", body)
    assert state(r) == "hit" and r.body.endswith(b"data: [DONE]\n\n") and len(p.requests) == 1


def test_headers_decide(gateway, provider, config):
    p = provider(counting())
    g = gateway(cached(config, p))
    r = g.chat(headers={"cache-control": "only-if-cached"})
    assert r.status == 504 and not p.requests
    assert state(g.chat(headers={"x-weir-cache": "no-store"})) == "bypass"
    settle(g)
    assert state(g.chat()) == "miss"
    settle(g)
    assert state(g.chat(headers={"x-weir-cache": "only"})) == "hit"
    fresh = g.chat(headers={"cache-control": "no-cache"})
    settle(g)
    assert state(fresh) == "miss" and g.chat().body == fresh.body


def test_ttl_and_size(gateway, provider, config, store):
    p = provider(counting())
    g = gateway(cached(config, p, store=store, cache={"ttl": "2s", "max_entry": "1KiB"}))
    g.chat(), settle(g)
    assert state(g.chat()) == "hit"
    until(lambda: state(g.chat()) == "miss")
    p.script = lambda r: [http(200, completion("x" * 3000))]
    g.chat(text="long"), settle(g)
    assert state(g.chat(text="long")) == "miss"


def test_replicas_share_answers_in_redis(gateway, provider, config, redis):
    p = provider(counting())
    a, b = (gateway(cached(config, p, store=redis.url)) for _ in range(2))
    first = a.chat()
    settle(a)
    second = b.store_up().chat()
    assert state(second) == "hit" and second.body == first.body
    redis.stop()
    assert b.chat().status == 200       # a miss
    assert b.metric("weir_cache_misses_total", model="m", reason="store") == 1
    redis.start()


def test_values_that_were_tampered_with_are_a_miss(gateway, provider, config, redis):
    """R13."""
    import socket
    p = provider(counting())
    g = gateway(cached(config, p, store=redis.url))
    g.chat(), settle(g)
    s = socket.create_connection(("127.0.0.1", redis.port))
    s.sendall(b"EVAL \"for _,k in ipairs(redis.call('keys','*answer*')) do redis.call('setrange',k,100,'XXXX') end return 1\" 0\r\n")
    assert b":1" in s.recv(100)
    s.close()
    assert state(g.chat()) == "miss" and len(p.requests) == 2
    assert g.metric("weir_cache_misses_total", model="m", reason="broken") == 1


def whole(s, buffer):
    """The next answer of a connection, and what came behind it."""
    while True:
        head, found, rest = buffer.partition(b"\r\n\r\n")
        if found and b"content-length: " in head:
            n = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
            if len(rest) >= n:
                return head, rest[:n], rest[n:]
        elif found and rest.endswith(b"\r\n0\r\n\r\n"):
            return head, rest, b""
        data = s.recv(1 << 16)
        assert data, buffer
        buffer += data


def test_no_answer_crosses_over(gateway, provider, config):
    """A12: Two tenants interleaved, 100,000 requests of the same words; every eighth is a stream. Each answer repeats its question's
    nonce, and no answer that was bought by one of them is ever seen by the other."""
    serial = iter(range(10**9))

    def script(r):
        said = f"{r.json['messages'][0]['content']}#{next(serial)}#"
        return good_stream(words=[said], usage=False) if r.stream else [http(200, completion(said))]
    p = provider(script)
    g = gateway(cached(config, p, keys=KEYS, teams=[{"name": "x"}, {"name": "y"}], workers=2, log={"level": "warn", "access": "off"},
                       listen={"keep_alive_requests": 10**6}))
    rng = random.Random(3)
    asked = []
    for key in "ab":
        for n in range(250):
            body = {"model": "m", "messages": [{"role": "user", "content": f"nonce-{n}."}], **({"stream": True} if n % 8 == 0 else {})}
            asked.append((key, f"nonce-{n}.#".encode(), post(body, headers=f"authorization: Bearer sk-{key}-0123456789\r\n")))
    lanes = [Raw(g.port).s for _ in range(20)]
    hits, seen = 0, {"a": set(), "b": set()}
    for _ in range(100_000 // len(lanes)):
        sent = [rng.choice(asked) for _ in lanes]
        for s, (_, _, request) in zip(lanes, sent):
            s.sendall(request)
        for s, (key, nonce, _) in zip(lanes, sent):
            head, body, left = whole(s, b"")
            assert not left and nonce in body and body.count(b"nonce-") == 1 and head.startswith(b"HTTP/1.1 200"), (nonce, body)
            seen[key].add(body.split(b"#")[1])
            hits += b"x-weir-cache: hit" in head
    assert hits > 95_000 and len(p.requests) < 5000
    assert len(seen["a"]) >= 250 and len(seen["b"]) >= 250 and not seen["a"] & seen["b"]
    for s in lanes:
        s.close()


def test_the_sdk_gets_the_same_from_a_replay(gateway, provider, config):
    g = gateway(cached(config, provider(counting())))
    client = openai.OpenAI(base_url=g.url, api_key="k", max_retries=0)
    ask = dict(model="m", messages=[{"role": "user", "content": "hi"}])
    one = client.chat.completions.create(**ask)
    settle(g)
    assert client.chat.completions.create(**ask) == one
    streams = []
    for _ in range(2):
        streams.append([c.model_dump() for c in client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True})])
        settle(g)
    assert streams[0] == streams[1] and streams[0][-1]["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize("stream", [False, True])
def test_a_stale_answer_where_no_target_answers(gateway, provider, config, store, stream):
    p = provider(counting())
    g = gateway(cached(config, p, store=store, breaker="off", cache={"ttl": "1s"}))
    first = g.chat(stream=stream)
    expire(g)
    p.script = lambda r: error(500)
    stale = g.chat(stream=stream)
    assert stale.status == 200 and state(stale) == "stale" and stale.body == first.body
    assert stale.headers["x-weir-attempts"] == "1" and "x-weir-target" not in stale.headers
    honest = g.chat(stream=stream, text="never asked before")
    assert honest.status == 502 and state(honest) == "miss" and honest.json["error"]["message"]
    assert g.chat(stream=stream, headers={"cache-control": "stale-if-error=0"}).status == 502
    assert g.metric("weir_cache_requests_total", model="m", result="stale") == 1
    assert g.metric("weir_cache_misses_total", model="m", reason="expired") == 2
    assert g.metric("weir_ladder_answers_total", model="m", rung="stale") == 1
    p.script = counting()
    fresh = g.chat(stream=stream)
    settle(g)
    assert state(fresh) == "miss" and state(g.chat(stream=stream)) == "hit"     # a stale answer was not kept anew


def test_stale_answers_only_where_they_may_be_given(gateway, provider, config):
    p = provider(counting())
    for conf in ({"cache": {"ttl": "1s", "stale_on_error": "0s"}}, {"cache": {"ttl": "1s"}, "model": {"ladder": ["targets", "error"]}}):
        p.script = counting()
        g = gateway(cached(config, p, breaker="off", **conf))
        g.chat()
        expire(g)
        p.script = lambda r: error(500)
        assert g.chat().status == 502
    p.script = counting()
    g = gateway(cached(config, p, breaker="off", cache={"ttl": "1s"}))
    g.chat()
    expire(g)
    p.script = lambda r: error(400, "bad", type="invalid_request_error")
    assert g.chat().status == 400       # about the request, not about the provider


def test_max_age(gateway, provider, config):
    p = provider(counting())
    g = gateway(cached(config, p))
    g.chat(), settle(g)
    assert state(g.chat(headers={"cache-control": "max-age=60"})) == "hit"
    assert state(g.chat(headers={"cache-control": "max-age=0"})) == "miss"
    settle(g)
    assert state(g.chat(headers={"cache-control": "max-age=nonsense"})) == "miss"


def test_a_ttl_of_the_model(gateway, provider, config):
    g = gateway(cached(config, provider(counting()), model={"cache_ttl": "2s"}))
    g.chat(), settle(g)
    assert state(g.chat()) == "hit"
    until(lambda: state(g.chat()) == "miss")


@pytest.mark.parametrize("temperature, kept", [(0, True), ("0.0", True), ("-0e5", True), (0.1, False), (None, False), ("1", False)])
def test_deterministic_only(gateway, provider, config, temperature, kept):
    g = gateway(cached(config, provider(counting()), cache={"deterministic_only": True}))
    said = "" if temperature is None else f'"temperature":{temperature},'
    body = '{"model":"m",%s"messages":[{"role":"user","content":"a"}]}' % said
    states = []
    for _ in range(2):
        states.append(state(g.request("POST", "/v1/chat/completions", body)))
        settle(g)
    assert states == (["miss", "hit"] if kept else [None, None])


FILTERED = [("/v1/messages", {"type": "message", "role": "assistant", "content": [], "stop_reason": "refusal", "usage": {"input_tokens": 1, "output_tokens": 1}}),
            ("/v1/responses", {"object": "response", "status": "incomplete", "output": [], "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}})]


@pytest.mark.parametrize("path, answer", FILTERED, ids=lambda x: x if isinstance(x, str) else "")
def test_filtered_answers_of_every_dialect_are_not_kept(gateway, provider, config, path, answer):
    dialect = {"/v1/messages": "anthropic"}.get(path, "openai")
    p = provider(lambda r: [http(200, json.dumps(answer).encode())])
    conf = cached(config, p)
    conf["providers"]["first"]["dialect"] = dialect
    g = gateway(conf)
    ask = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]} if dialect == "anthropic" else {"model": "m", "input": "x"}
    for _ in range(2):
        r = g.request("POST", path, ask)
        assert r.status == 200 and state(r) == "miss", r.body
        settle(g)


# A request of every dialect and endpoint, and for each of its members another value: any change is another question.
TEXT = [{"role": "user", "content": "hi"}]
QUESTIONS = {
    "/v1/chat/completions": ({"model": "m", "messages": TEXT, "temperature": 0, "max_tokens": 5, "seed": 1, "unknown": {"a": 1, "b": 2}},
                             {"messages": TEXT * 2, "temperature": 1, "max_tokens": 6, "seed": 2, "unknown": {"b": 2, "a": 1}, "tools": [], "top_p": 1}),
    "/v1/completions": ({"model": "m", "prompt": "hi", "suffix": "a"}, {"prompt": "hi ", "suffix": "b", "echo": True, "best_of": 2}),
    "/v1/responses": ({"model": "m", "input": "hi", "instructions": "a"}, {"input": TEXT, "instructions": "b", "previous_response_id": "r", "store": False}),
    "/v1/messages": ({"model": "m", "max_tokens": 5, "messages": TEXT, "system": "a"},
                     {"max_tokens": 6, "messages": TEXT * 3, "system": [{"type": "text", "text": "a"}], "top_k": 1, "thinking": {"type": "disabled"}}),
    "/v1beta/models/m:generateContent": ({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"temperature": 0}},
                                         {"contents": [{"role": "user", "parts": [{"text": "ho"}]}], "generationConfig": {"temperature": 1}, "safetySettings": []}),
    "/v1beta/models/m:embedContent": ({"content": {"parts": [{"text": "hi"}]}, "taskType": "RETRIEVAL_QUERY"},
                                      {"content": {"parts": [{"text": "ho"}]}, "taskType": "RETRIEVAL_DOCUMENT", "title": "t", "outputDimensionality": 3}),
    "/v1beta/models/m:batchEmbedContents": ({"requests": [{"model": "models/m", "content": {"parts": [{"text": "hi"}]}}]},
                                            {"requests": [{"model": "models/m", "content": {"parts": [{"text": "ho"}]}}], "extra": 1}),
    "/v1/embeddings": ({"model": "m", "input": "hi", "dimensions": 3}, {"input": ["ho"], "dimensions": 4, "encoding_format": "base64", "user": "u"}),
    "/v1/rerank": ({"model": "m", "query": "q", "documents": ["a", "b"]}, {"query": "p", "documents": ["b", "a"], "top_n": 1}),
    "/v1/moderations": ({"model": "m", "input": "hi"}, {"input": ["hi"], "extra": 1}),
}


def every_answer(r):
    if "generateContent" in r.path:
        return [http(200, json.dumps({"candidates": [{"content": {"role": "model", "parts": [{"text": "x"}]}, "finishReason": "STOP", "index": 0}],
                                      "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}).encode())]
    if r.path.endswith("/messages"):
        return [http(200, json.dumps({"id": "a", "type": "message", "role": "assistant", "model": "mock", "content": [{"type": "text", "text": "x"}],
                                      "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}).encode())]
    return [http(200, json.dumps({"object": "any", "status": "completed", "output": [], "choices": [{"text": "x", "finish_reason": "stop", "index": 0}],
                                  "data": [], "results": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}).encode())]


@pytest.mark.parametrize("path", QUESTIONS)
def test_changing_any_field_of_any_endpoint_asks_anew(gateway, provider, config, path):
    body, changes = QUESTIONS[path]
    dialect = "gemini" if "v1beta" in path else "anthropic" if path.endswith("messages") else None
    p = provider(every_answer)
    conf = cached(config, p, breaker="off")
    if dialect:
        conf["providers"]["first"]["dialect"] = dialect
        conf["providers"]["first"]["base_url"] = p.url.removesuffix("/v1") + "/v1beta" if dialect == "gemini" else p.url
    g = gateway(conf)

    def ask(b, **headers):
        r = g.request("POST", path, b, headers=headers or None)
        assert r.status == 200, r.body
        settle(g)
        return state(r)
    assert ask(body) == "miss" and ask(body) == "hit"
    assert ask(dict(reversed(body.items()))) == "hit"           # the members' order is none of it
    assert ask(json.dumps(body, indent=3)) == "hit"
    for field, value in changes.items():
        assert ask({**body, field: value}) == "miss", field
    for field in body.keys() & {"temperature", "seed", "unknown", "suffix", "instructions", "system", "generationConfig", "dimensions"}:
        assert ask({k: v for k, v in body.items() if k != field}) == "miss", field
    for header in ("anthropic-beta", "anthropic-version"):
        assert ask(body, **{header: "other"}) == "miss", header
    assert ask(body) == "hit"


def test_verbs_of_a_path_do_not_share(gateway, provider, config):
    """The same bytes, to be embedded and to be answered; the model stands in the path, too."""
    p = provider(every_answer)
    conf = cached(config, p)
    conf["providers"]["first"] |= {"dialect": "gemini", "base_url": p.url.removesuffix("/v1") + "/v1beta"}
    conf["models"]["n"] = conf["models"]["m"]
    g = gateway(conf)
    body = {"content": {"parts": [{"text": "hi"}]}, "contents": [{"role": "user", "parts": [{"text": "hi"}]}], "requests": []}
    paths = ["m:embedContent", "m:generateContent", "m:batchEmbedContents", "n:embedContent"]
    for expected in ("miss", "hit"):
        for path in paths:
            r = g.request("POST", f"/v1beta/models/{path}", body)
            settle(g)
            assert (r.status, state(r)) == (200, expected), (path, r.body)


@pytest.mark.parametrize("stream", [False, True])
def test_a_tenant_cannot_tell_what_another_has_asked(gateway, provider, config, store, stream):
    """Not by a header, nor by an answer that comes without the provider: both are those of a question nobody asked."""
    p = provider(lambda r: [("sleep", 0.05), *(good_stream() if r.stream else [http(200, completion("x"))])])
    g = gateway(cached(config, p, store=store, keys=KEYS, teams=[{"name": "x"}, {"name": "y"}])).store_up()
    ask = lambda k, text="asked", **h: g.chat(text=text, stream=stream, headers={"authorization": f"Bearer sk-{k}-0123456789", **h})
    first = ask("a")
    settle(g)
    own = ask("a")
    assert state(own) == "hit"
    only = ask("c", **{"x-weir-cache": "only"}), ask("c", "never asked", **{"x-weir-cache": "only"})
    assert [r.status for r in only] == [504, 504] and set(only[0].headers) == set(only[1].headers)
    asked, never = ask("c"), ask("c", "never asked")
    assert state(asked) == state(never) == "miss" and set(asked.headers) == set(never.headers)
    assert asked.headers["x-weir-cache-id"] not in (first.headers["x-weir-cache-id"], own.headers["x-weir-cache-id"])
    assert len(p.requests) == 3         # each waited for the provider
    denied = g.request("DELETE", f"/admin/cache/{own.headers['x-weir-cache-id']}", headers={"authorization": "Bearer sk-c-0123456789"})
    assert denied.status in (401, 404, 405) and state(ask("a")) == "hit"


def test_dialects_do_not_share(gateway, provider, config):
    """The same bytes, asked as chat and as Messages."""
    g = gateway(cached(config, provider(counting())))
    body = {"model": "m", "max_tokens": 5, "messages": TEXT}
    states = []
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/chat/completions", "/v1/messages"):
        r = g.request("POST", path, body)
        states.append((state(r), "choices" in r.json))
        settle(g)
    assert states == [("miss", True), ("miss", False), ("hit", True), ("hit", False)]


TOKEN = {"authorization": "Bearer admin-token-0123456789"}


def test_one_answer_is_evicted_by_its_id(gateway, provider, config, store):
    g = gateway(cached(config, provider(counting()), store=store, admin={"token": "admin-token-0123456789"}))
    first = g.chat()
    g.chat(text="another"), settle(g)
    assert first.status == 200, first.body
    assert first.status == 200, first.body
    key = first.headers["x-weir-cache-id"]
    hit = g.chat()
    assert state(hit) == "hit" and hit.headers["x-weir-cache-id"] == key and len(key) == 64
    evict = lambda i, **h: g.request("DELETE", f"/admin/cache/{i}", port=g.admin_port, headers=h or TOKEN)
    assert evict(key, x="y").status == 401
    assert evict(key[:-1]).status == 400 and evict("..%2f" + key).status == 400 and state(g.chat()) == "hit"
    r = evict(key)
    assert r.status == 200 and r.json == {"evicted": True}
    assert state(g.chat()) == "miss" and state(g.chat(text="another")) == "hit"
    assert evict(key).status == 200         # twice is no error
    assert "x-weir-cache-id" not in g.chat(headers={"x-weir-cache": "no-store"}).headers


def test_the_command_evicts(gateway, provider, config):
    g = gateway(cached(config, provider(counting()), admin={"token": "admin-token-0123456789"}))
    key = g.chat().headers["x-weir-cache-id"]
    settle(g)
    run = lambda *a: subprocess.run([BINARY, "cache", *a], capture_output=True, text=True, env={
        **os.environ, "WEIR_ADMIN_URL": f"http://127.0.0.1:{g.admin_port}", "WEIR_ADMIN_TOKEN": "admin-token-0123456789"})
    assert run("evict").returncode == 2 and run("evict", "../keys").returncode == 1
    done = run("evict", key)
    assert done.returncode == 0 and "not kept any more" in done.stdout
    assert state(g.chat()) == "miss"


def test_evicting_while_redis_is_away_says_so(gateway, provider, config, redis):
    g = gateway(cached(config, provider(counting()), store=redis.url, admin={"token": "admin-token-0123456789"}))
    key = until(lambda: g.chat().headers.get("x-weir-cache-id"))    # before, Redis is not spoken to yet
    redis.stop()
    r = g.request("DELETE", f"/admin/cache/{key}", port=g.admin_port, headers=TOKEN)
    assert r.status == 503 and "cannot be reached" in r.json["error"]["message"]
    redis.start()


def ended_well(x):
    """By the words that stand in the bytes, read without weir's eyes."""
    if x["endpoint"] == "responses" and not recordings.is_stream(x) and "status" not in json.loads(x["answer"]):
        return False        # a compaction, which says of no end
    ends = re.findall(r'"finish_reason"\s*:\s*"(\w+)"', x["answer"]) or re.findall(r'"status"\s*:\s*"(\w+)"', x["answer"])[-1:]
    good = {"stop", "eos", "tool_calls", "function_call", "completed"}
    if re.search(r'"max_(completion_|output_)?tokens"\s*:\s*\d', x["request"]):
        good |= {"length"} | ({"incomplete"} if '"max_output_tokens"' in x["answer"].split('"incomplete_details"')[-1][:60] else set())
    refused = re.search(r'"refusal"\s*:\s*"[^"]', x["answer"]) or '"type":"refusal"' in x["answer"]
    return x["endpoint"] not in ("chat", "responses", "completions") or bool(ends and set(ends) <= good and not refused)


def same_but_for_prices(one, other):
    """What a vendor says a batch of embeddings cost is left out where its vectors are given again one by one."""
    def rest(r):
        return {**r.json, "usage": {k: v for k, v in r.json["usage"].items() if not k.startswith("cost")}}
    return "x-weir-cache-items" in other.headers and rest(one) == rest(other)


@pytest.mark.parametrize("vendor", sorted(p.name.split(".")[0] for p in recordings.CASES.glob("*.gz")))
def test_recorded_answers_are_replayed_byte_for_byte(gateway, provider, vendor):
    """Real traffic of every compatible vendor: what is kept is given again as it was, streams as streams; errors never."""
    current, kept = {}, {False: 0, True: 0}
    p = provider(lambda r: recordings.answer_steps(current["x"], False))
    g = gateway({"providers": {"v": {"dialect": "openai", "base_url": p.url, "api_key": "sk-x", "allow_private_address": True}},
                 "models": {"*": {"targets": ["v/*"]}}, "breaker": "off", "workers": 1, "cache": {"enabled": True, "tools": True}})
    for x in recordings.exchanges(vendor):
        current["x"] = x
        ask = lambda: g.request("POST", recordings.PATHS[x["endpoint"]], x["request"].encode())
        first = ask()
        if state(first) == "hit":
            continue        # a recording before it asked the same
        kept_at_all = first.status == 200 and not recordings.breaks_inside(x) and ended_well(x)
        settle(g)
        second = ask()
        assert (state(second) == "hit") == kept_at_all, (x["name"], first.status, x["answer"][-300:])
        if kept_at_all:
            kept[recordings.is_stream(x)] += 1
            assert second.headers["content-type"] == first.headers["content-type"], x["name"]
            assert second.body == first.body or same_but_for_prices(first, second), x["name"]
    assert sum(kept.values()) > 0


# What the other recordings are asked as: their requests are not all known.
OTHERS = {
    "chat": ("openai", "/v1/chat/completions", {"messages": TEXT, "max_tokens": 99999, "stream_options": {"include_usage": True}}),
    "responses": ("openai", "/v1/responses", {"input": "hi", "max_output_tokens": 99999}),
    "messages": ("anthropic", "/v1/messages", {"messages": TEXT, "max_tokens": 99999}),
    "generate": ("gemini", "/v1beta/models/m:", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"maxOutputTokens": 99999}}),
    "embeddings": ("openai", "/v1/embeddings", {"input": "hi"}), "rerank": ("openai", "/v1/rerank", {"query": "a", "documents": ["b"]}),
    "moderations": ("openai", "/v1/moderations", {"input": "hi"}),
    "gembed": ("gemini", "/v1beta/models/m:batchEmbedContents", {"requests": [{"content": {"parts": [{"text": "hi"}]}}]}),
}
GOOD_ENDS = {"stop", "eos", "length", "tool_calls", "function_call", "end_turn", "stop_sequence", "tool_use", "max_tokens", "STOP", "MAX_TOKENS", "completed"}


def other_recordings():
    for path in sorted([*(recordings.CASES / "more").glob("*.gz"), *(recordings.CASES / "native").glob("*.gz")]):
        for x in recordings.exchanges(f"{path.parent.name}/{path.name.split('.')[0]}"):
            kind = re.sub(r"^(gemini|vertex)\.(streamG|g)enerate$", "generate", x["endpoint"])
            if kind in OTHERS and x["status"] == 200 and x.get("answer") and not (path.name.startswith("cohere") and kind == "chat"):
                yield kind, x


def test_recordings_of_every_dialect_are_replayed_byte_for_byte(gateway, provider):
    current = {}
    p = provider(lambda r: recordings.answer_steps(current["x"], False))
    here = {"api_key": "sk-x", "allow_private_address": True}
    g = gateway({"providers": {"openai1": {"dialect": "openai", "base_url": p.url, **here}, "anthropic1": {"dialect": "anthropic", "base_url": p.url, **here},
                               "gemini1": {"dialect": "gemini", "base_url": p.url.removesuffix("/v1") + "/v1beta", **here}},
                 "models": {}, "breaker": "off", "workers": 1, "cache": {"enabled": True, "tools": True, "max_entry": "16MiB"}})
    kept = {}
    for n, (kind, x) in enumerate(other_recordings()):
        current["x"] = x
        dialect, path, body = OTHERS[kind]
        stream = recordings.is_stream(x)
        if kind == "generate":
            path = f"/v1beta/models/{dialect}1%2Fm:" + ("streamGenerateContent?alt=sse" if stream else "generateContent")
        elif dialect == "gemini":
            path = path.replace("/m:", f"/{dialect}1%2Fm:")
        else:
            body = {**body, "model": f"{dialect}1/m", **({"stream": True} if stream else {})}
        ask = lambda: g.request("POST", path, body, {"x-weir-cache": f"namespace={n}"})
        first = ask()
        settle(g)
        if first.status != 200 or b'"error":{' in first.body.replace(b" ", b""):
            continue
        second = ask()
        ends = re.findall(r'"(?:finish_reason|stop_reason|finishReason)"\s*:\s*"(\w+)"', x["answer"])
        if state(second) != "hit":
            bad = kind in ("chat", "messages", "generate") and (not ends or not set(ends) <= GOOD_ENDS)
            assert bad or '"refusal"' in x["answer"] or '"incomplete"' in x["answer"], (x["name"], first.body[-300:])
            continue
        kept[kind, stream] = kept.get((kind, stream), 0) + 1
        assert not ends or set(ends) <= GOOD_ENDS, x["name"]
        assert second.body == first.body and second.headers["content-type"] == first.headers["content-type"], x["name"]
        assert x["answer"].rstrip() in first.body.decode() or kind == "chat", x["name"]
    assert all(kept.get((k, s), 0) > 5 for k in ("chat", "messages", "generate") for s in (False, True)), kept
    assert kept["rerank", False] and kept["moderations", False] and kept["gembed", False] and kept["responses", True], kept

"""Anthropic's Messages, relayed: real traffic byte for byte, the real SDK, errors in its own shape."""
import gzip
import json
import random
import re

import anthropic
import pytest

from mock_provider import LAST_CHUNK, chunk, completion, http, stream_head
from weir import ROOT, until

CASES = ROOT / "tests/cases/recordings/native/anthropic.jsonl.gz"
ASK = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


def exchanges():
    with gzip.open(CASES, "rt", encoding="utf-8", newline="\n") as f:
        return [json.loads(line) for line in f]


def message(text="Hello", **more):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 3}, **more}


def event(type, **data):
    return chunk(f"event: {type}\ndata: {json.dumps({'type': type, **data})}\n\n")


START = event("message_start", message={**message(), "content": [], "stop_reason": None, "usage": {"input_tokens": 10, "output_tokens": 1}})


def stream(words=("Hel", "lo"), end=True):
    steps = [stream_head(), START, event("content_block_start", index=0, content_block={"type": "text", "text": ""}), event("ping")]
    steps += [event("content_block_delta", index=0, delta={"type": "text_delta", "text": w}) for w in words]
    if end:
        steps += [event("content_block_stop", index=0), event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None},
                                                              usage={"output_tokens": 3}), event("message_stop"), LAST_CHUNK]
    return steps


def good(r):
    return stream() if r.stream else [http(200, message())]


def config_of(*providers, **more):
    names = ["first", "second"]
    return {"providers": {n: {"dialect": "anthropic", "base_url": p.url, "api_key": f"sk-{n}", "allow_private_address": True}
                          for n, p in zip(names, providers)},
            "models": {"m": {"targets": [f"{n}/claude" for n in names[:len(providers)]]}}, **more}


def reported(x):
    """Input with what the cache held, and output, as the last report of each says."""
    found = {}
    texts = re.findall(r"^data: ?(\{.*)$", x["answer"].replace("\r", ""), re.M) if "event" in x["headers"]["content-type"] else [x["answer"]]
    for t in texts:
        d = json.loads(t)
        u = d.get("usage") or (d.get("message") or {}).get("usage") or {}
        turns = u.get("iterations") or [u]      # a compacted message took several turns
        u = {k: sum(t.get(k) or 0 for t in turns) for t in turns for k, v in t.items() if isinstance(v, int)}
        found.update({k: max(v, found.get(k, 0)) for k, v in u.items()})
    whole = sum(found.get(k, 0) for k in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))
    return whole, found.get("output_tokens", 0), found.get("cache_read_input_tokens", 0)


@pytest.mark.parametrize("cut", [False, True])
def test_recorded_traffic_passes_unchanged(gateway, provider, cut):
    current = {}

    def script(r):
        x = current["x"]
        body = x["answer"].encode()
        rng = random.Random(1)
        parts = [body]
        if cut and len(body) > 2:
            at = [0, *sorted(rng.sample(range(1, len(body)), min(60, len(body) - 1))), len(body)]
            parts = [body[a:b] for a, b in zip(at, at[1:])]
        head = f"HTTP/1.1 {x['status']} X\r\ncontent-type: {x['headers']['content-type']}\r\ntransfer-encoding: chunked\r\n\r\n"
        return [head.encode()] + [chunk(p) for p in parts] + [LAST_CHUNK]

    p = provider(script)
    g = gateway({"providers": {"v": {"dialect": "anthropic", "base_url": p.url, "api_key": "sk-x", "allow_private_address": True}},
                 "models": {"*": {"targets": ["v/*"]}}, "breaker": "off", "workers": 1})
    served = []
    for x in exchanges():
        current["x"] = x
        path = "/v1/messages/count_tokens?beta=true" if "count" in x["endpoint"] else "/v1/messages"
        r = g.request("POST", path, x["request"].encode())
        got = p.requests.pop()
        assert got.body.decode() == x["request"] and got.headers["x-api-key"] == "sk-x" and got.path == path.split("?")[0], x["name"]
        if x["status"] == 200:
            assert r.body.decode() == x["answer"], x["name"]
            served.append((x, r.headers["x-request-id"]))
        elif x["status"] in (400, 413):
            assert r.status == x["status"] and r.body.decode() == x["answer"], x["name"]
        else:
            assert r.json["type"] == "error", x["name"]
    assert len(served) > 100
    records = {}
    until(lambda: records.update({a["id"]: a for a in g.access()}) or all(i in records for _, i in served))
    for x, id in served:
        if "count" not in x["endpoint"]:
            t = records[id]["tokens"]
            assert (t["input"], t["output"], t["cached"]) == reported(x), x["name"]


def test_the_sdk_talks_streams_counts_and_lists(gateway, provider):
    p = provider(lambda r: [http(200, {"input_tokens": 12})] if "count" in r.path else good(r))
    g = gateway(config_of(p))
    client = anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key="sk-app", max_retries=0)
    r = client.messages.create(**ASK)
    assert r.content[0].text == "Hello" and r.usage.input_tokens == 10
    with client.messages.stream(**ASK) as s:
        assert "".join(s.text_stream) == "Hello" and s.get_final_message().usage.output_tokens == 3
    assert client.messages.count_tokens(model="m", messages=ASK["messages"]).input_tokens == 12
    assert [m.id for m in client.models.list()][0] == "m"
    sent = p.requests[0]
    assert sent.headers["x-api-key"] == "sk-first" and "sk-app" not in sent.head.decode() and sent.headers["anthropic-version"]
    assert sent.json["model"] == "claude"


def test_betas_and_version_are_the_callers(gateway, provider):
    p = provider(good)
    g = gateway(config_of(p))
    g.request("POST", "/v1/messages?beta=true", ASK, {"anthropic-version": "2026-10-21", "anthropic-beta": "a-2026,b-2026", "x-secret": "no"})
    h = p.requests[0].headers
    assert h["anthropic-version"] == "2026-10-21" and h["anthropic-beta"] == "a-2026,b-2026" and "x-secret" not in h
    g.request("POST", "/v1/messages", ASK)
    assert p.requests[1].headers["anthropic-version"] == "2023-06-01" and "anthropic-beta" not in p.requests[1].headers


@pytest.mark.parametrize("script", [
    lambda r: [http(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})],
    lambda r: [http(401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}})],
    lambda r: [http(404, {"type": "error", "error": {"type": "not_found_error", "message": "model: claude"}})],
    lambda r: [stream_head(), START, event("error", error={"type": "overloaded_error", "message": "Overloaded"}), LAST_CHUNK],
    lambda r: [stream_head(), START, ("reset",)], lambda r: [("reset",)]])
def test_what_fails_before_content_goes_to_the_next(gateway, provider, script):
    g = gateway(config_of(provider(script), provider(good)))
    r = g.request("POST", "/v1/messages", {**ASK, "stream": True})
    assert r.status == 200 and r.headers["x-weir-target"] == "second/claude" and b"message_stop" in r.body and r.body.count(b"message_start") == 2
    with_error = [m for m in re.findall(rb"event: (\w+)", r.body)]
    assert with_error.count(b"error") == 0


def test_a_break_after_content_is_an_error_event(gateway, provider):
    g = gateway(config_of(provider(lambda r: stream(end=False) + [("reset",)])))
    r = g.request("POST", "/v1/messages", {**ASK, "stream": True})
    assert r.status == 200 and b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"" in r.body
    assert b"message_stop" not in r.body


def test_errors_have_anthropics_shape_and_class(gateway, provider):
    bad = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too large"}, "request_id": "req_1"}
    g = gateway(config_of(provider(lambda r: [http(400, bad)]), keys=[{"name": "web", "secret": "sk-web-0123456789", "models": ["m"]}]))
    client = lambda key, **more: anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key=key, max_retries=0, **more)
    with pytest.raises(anthropic.BadRequestError) as e:
        client("sk-web-0123456789").messages.create(**ASK)
    assert "max_tokens: too large" in str(e.value)
    with pytest.raises(anthropic.AuthenticationError):
        client("sk-wrong-0123456789").messages.create(**ASK)
    with pytest.raises(anthropic.PermissionDeniedError):
        client("sk-web-0123456789").messages.create(**{**ASK, "model": "other"})
    r = g.request("POST", "/v1/messages", {"model": "m", "messages": "x"}, {"x-api-key": "sk-web-0123456789"})
    assert r.status == 400 and r.json["type"] == "error" and r.json["error"]["type"] == "invalid_request_error" and "messages" in r.error["message"]


def test_who_speaks_messages_only_is_not_asked_for_what_has_no_translation(gateway, provider):
    native = provider(good)
    g = gateway(config_of(native))
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": "x"})
    assert r.status == 400 and "does not speak the caller's format" in r.error["message"]
    assert not native.requests


def test_costs_hold_caches_and_tiers(gateway, provider):
    u = {"input_tokens": 100, "output_tokens": 50, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 300,
         "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}}
    price = {"input": 3, "output": 15, "cached_input": 0.3, "cache_write": 3.75, "cache_write_1h": 6}
    g = gateway(config_of(provider(lambda r: [http(200, message(usage=u))]), prices={"first/claude": price}))
    r = g.request("POST", "/v1/messages", ASK)
    cost = (100 * 3 + 50 * 15 + 1000 * 0.3 + 100 * 3.75 + 200 * 6) / 1e6
    assert float(r.headers["x-weir-cost-usd"]) == pytest.approx(cost) and "x-weir-cost-estimated" not in r.headers


# --- a target that speaks chat completions ---

TOOLS = [{"name": "weather", "description": "Of a city", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]


def over_chat(provider, gateway, script, **more):
    p = provider(script)
    g = gateway({"providers": {"chat": {"dialect": "openai", "base_url": p.url, "allow_private_address": True}},
                 "models": {"m": {"targets": ["chat/small"]}}, **more})
    return p, g, anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key="sk-app", max_retries=0)


def piece(delta, finish=None, **more):
    d = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "small",
         "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}
    return chunk("data: " + json.dumps(d) + "\n\n")


def chat_stream(*pieces, usage=True):
    steps = [stream_head(), *pieces]
    if usage:
        steps.append(chunk("data: " + json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "small", "choices": [],
                                                  "usage": {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27,
                                                            "prompt_tokens_details": {"cached_tokens": 5}}}) + "\n\n"))
    return [*steps, chunk("data: [DONE]\n\n"), LAST_CHUNK]


def call_pieces():
    return [piece({"role": "assistant", "content": "I look."}),
            piece({"tool_calls": [{"index": 0, "id": "call_a", "type": "function", "function": {"name": "weather", "arguments": ""}}]}),
            piece({"tool_calls": [{"index": 0, "function": {"arguments": "{\"city\": "}}]}),
            piece({"tool_calls": [{"index": 0, "function": {"arguments": "\"Köln\"}"}}]}),
            piece({"tool_calls": [{"index": 1, "id": "call_b", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Bonn\"}"}}]}),
            piece({}, "tool_calls")]


def test_a_whole_conversation_is_translated(gateway, provider):
    plain = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "small",
             "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "I look.", "tool_calls": [
                 {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Köln\", \"n\": 12345678901234567890123}"}}]}}],
             "usage": {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27, "prompt_tokens_details": {"cached_tokens": 5}}}
    p, g, client = over_chat(provider, gateway, lambda r: [http(200, plain)])
    r = client.messages.create(
        model="m", max_tokens=77, extra_body={"temperature": 0.7, "top_k": 5}, stop_sequences=["END"], system=[{"type": "text", "text": "Be \"brief\"."}],
        tools=TOOLS, tool_choice={"type": "any", "disable_parallel_tool_use": True}, metadata={"user_id": "u1"},
        messages=[{"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
                  {"role": "assistant", "content": [{"type": "text", "text": "one"}, {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "X"}}]},
                  {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "rain"}]}, {"type": "text", "text": "so?"}]}])
    sent = p.requests[0]
    assert sent.path == "/v1/chat/completions" and "x-api-key" not in sent.headers
    body = sent.json
    assert body["model"] == "small" and body["max_tokens"] == 77 and body["temperature"] == 0.7 and body["stop"] == ["END"] and body["user"] == "u1"
    assert body["tool_choice"] == "required" and body["parallel_tool_calls"] is False
    assert body["tools"] == [{"type": "function", "function": {"name": "weather", "description": "Of a city", "parameters": TOOLS[0]["input_schema"]}}]
    assert body["messages"] == [
        {"role": "system", "content": "Be \"brief\"."},
        {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
        {"role": "assistant", "content": "one", "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"X\"}"}}]},
        {"role": "tool", "tool_call_id": "t1", "content": "rain"}, {"role": "user", "content": [{"type": "text", "text": "so?"}]}]
    assert r.stop_reason == "tool_use" and r.content[0].text == "I look." and r.content[1].name == "weather"
    assert r.content[1].input == {"city": "Köln", "n": 12345678901234567890123} and r.content[1].id == "call_a"
    assert (r.usage.input_tokens, r.usage.cache_read_input_tokens, r.usage.output_tokens) == (15, 5, 7)
    raw = g.request("POST", "/v1/messages", {**ASK, "top_k": 5, "thinking": {"type": "enabled", "budget_tokens": 2000}})
    assert raw.headers["x-weir-dropped"] == "top_k,thinking" and raw.headers["x-weir-target"] == "chat/small"


@pytest.mark.parametrize("cut", [False, True])
def test_a_stream_is_translated_at_every_cut(gateway, provider, cut):
    def script(r):
        steps = chat_stream(*call_pieces())
        if not cut:
            return steps
        data = b"".join(re.sub(rb"^[0-9a-f]+\r\n", b"", s)[:-2] for s in steps[1:-1])
        return [steps[0], *[chunk(data[i:i + 1]) for i in range(len(data))], LAST_CHUNK]

    p, g, client = over_chat(provider, gateway, script)
    with client.messages.stream(**ASK, tools=TOOLS) as s:
        types = [e.type for e in s]
        m = s.get_final_message()
    assert p.requests[0].json["stream_options"] == {"include_usage": True}
    assert [b.type for b in m.content] == ["text", "tool_use", "tool_use"] and m.content[0].text == "I look."
    assert (m.content[1].input, m.content[2].input, m.content[2].id) == ({"city": "Köln"}, {"city": "Bonn"}, "call_b")
    assert m.stop_reason == "tool_use" and (m.usage.output_tokens, m.usage.input_tokens) == (7, 15)
    assert types[0] == "message_start" and types[-1] == "message_stop" and types.count("content_block_start") == 3


def test_breaks_and_errors_are_anthropics(gateway, provider):
    p, g, client = over_chat(provider, gateway, lambda r: [stream_head(), piece({"content": "Hel"}), ("reset",)])
    r = g.request("POST", "/v1/messages", {**ASK, "stream": True})
    assert r.status == 200 and b"event: error" in r.body and b"message_stop" not in r.body and b"[DONE]" not in r.body
    p.script = lambda r: [http(400, {"error": {"message": "no such field", "type": "invalid_request_error", "param": None, "code": None}})]
    with pytest.raises(anthropic.BadRequestError) as e:
        client.messages.create(**ASK)
    assert e.value.body["type"] == "error" and "no such field" in str(e.value)
    p.script = lambda r: [http(200, {"choices": []})]
    assert g.request("POST", "/v1/messages", ASK).status == 502


def test_what_chat_cannot_carry_is_refused_with_its_field(gateway, provider):
    p, g, client = over_chat(provider, gateway, lambda r: [http(200, completion())])
    doc = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}
    far = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    with pytest.raises(anthropic.BadRequestError) as e:
        client.messages.create(**{**ASK, "messages": [{"role": "user", "content": [far]}]})
    assert "`messages.document`" in str(e.value) and not p.requests
    client.messages.create(**{**ASK, "messages": [{"role": "user", "content": [doc]}]})
    assert p.requests.pop().json["messages"][0]["content"] == [
        {"type": "file", "file": {"filename": "document", "file_data": "data:application/pdf;base64,AAAA"}}]
    bad = [([{"type": "text"}], "messages[0].content[0].text"), ([{"type": "tool_use", "id": "t", "input": {}}], "messages[0].content[0].name"),
           (5, "messages[0].content"), ([{"text": "x"}], "messages[0].content[0].type"), ([{"type": "tool_result"}], "messages[0].content[0].tool_use_id")]
    for content, field in bad:
        r = g.request("POST", "/v1/messages", {**ASK, "messages": [{"role": "user", "content": content}]})
        assert r.status == 400 and f"`{field}`" in r.error["message"], content
    assert client.messages.create(**ASK).content[0].text == "hello"
    assert g.metric("weir_upstream_requests_in_flight") == 0


def test_tokens_are_counted_by_estimate_where_nobody_counts(gateway, provider):
    p, g, client = over_chat(provider, gateway, lambda r: [http(200, completion())])
    assert 8 <= client.messages.count_tokens(model="m", messages=ASK["messages"]).input_tokens <= 14
    r = g.request("POST", "/v1/messages/count_tokens", {"model": "m", "messages": [{"role": "user", "content": "word " * 500}]})
    assert 450 < r.json["input_tokens"] < 600 and r.headers["x-weir-estimated"] == "true" and not p.requests


def test_failover_crosses_dialects(gateway, provider):
    native = provider(lambda r: [http(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})])
    chat = provider(lambda r: chat_stream(piece({"content": "Hi"}), piece({}, "stop")))
    c = config_of(native)
    c["providers"]["chat"] = {"dialect": "openai", "base_url": chat.url, "allow_private_address": True}
    c["models"]["m"]["targets"].append("chat/small")
    g = gateway(c)
    client = anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key="k", max_retries=0)
    with client.messages.stream(**ASK) as s:
        assert s.get_final_text() == "Hi" and s.get_final_message().stop_reason == "end_turn"

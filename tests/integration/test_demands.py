"""What users of other gateways lost in translation: tools, reasoning, fields (public reports named at each test)."""
import json

import pytest

from mock_provider import chunk, completion, delta, http, stream_head
from test_matrix import CASES, PATHS, STREAMS, running  # noqa: F401  (a fixture)
from weir import Raw, post

TARGETS = list(STREAMS)


def asked(g, feature, caller, target, stream=False, **more):
    body = CASES[feature]["callers"][caller]["asks"]
    body = {**body, **more} if caller == "gemini" else {"model": target, **({"stream": True} if stream else {}), **body, **more}
    r = g.request("POST", PATHS[caller].format(target), body)
    assert r.status == 200, r.body
    return r


def data(body):
    return [json.loads(line[5:]) for line in body.decode().replace("\r", "").split("\n") if line.startswith("data:") and "[DONE]" not in line]


@pytest.mark.parametrize("target", TARGETS)
def test_streamed_calls_are_counted_from_zero(running, target):  # noqa: F811
    """litellm#5231, #33678, #7621, #15962: indexes of streamed tool calls all 0, or mixed."""
    now, p, g = running
    now.update(status=200, streams=STREAMS[target], answers=CASES["tools"]["providers"][target]["answers"])
    seen = [(k["index"], k.get("id")) for e in data(asked(g, "tools", "chat", target, stream=True).body) for c in e["choices"] for k in c["delta"].get("tool_calls", [])]
    assert [i for i, _ in seen] == sorted(i for i, _ in seen) and {i for i, _ in seen} == {0, 1}
    assert [i for i, id in seen if id] == [0, 1] and len({id for _, id in seen if id}) == 2


@pytest.mark.parametrize("target", TARGETS)
def test_a_call_is_never_the_end_of_the_turn(running, target):  # noqa: F811
    """bifrost#6123, #3638, #4065, #5206: end_turn where a tool was called."""
    now, p, g = running
    answers = json.loads(json.dumps(CASES["tools"]["providers"][target]["answers"]))
    if target == "chat":
        answers["choices"][0]["finish_reason"] = "stop"     # as some of its copies say
    now.update(status=200, streams=None, answers=answers)
    assert asked(g, "tools", "messages", target).json["stop_reason"] == "tool_use"
    if target != "chat":        # relayed as it came
        assert asked(g, "tools", "chat", target).json["choices"][0]["finish_reason"] == "tool_calls"
    now.update(streams=STREAMS[target])
    ends = [e["delta"]["stop_reason"] for e in data(asked(g, "tools", "messages", target, stream=True).body) if e["type"] == "message_delta"]
    assert ends == ["tool_use"]


NAMES = [f"tool_{chr(122 - i)}" for i in range(20)]
SCHEMA = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": ["integer", "null"]}}}


def names_of(target, body):
    if target == "gemini":
        return [(f["name"], f["parametersJsonSchema"]) for t in body["tools"] for f in t["functionDeclarations"]]
    if target == "bedrock":
        return [(t["toolSpec"]["name"], t["toolSpec"]["inputSchema"]["json"]) for t in body["toolConfig"]["tools"]]
    if target == "messages":
        return [(t["name"], t["input_schema"]) for t in body["tools"]]
    return [(f["name"], f["parameters"]) for f in (t.get("function", t) for t in body["tools"])]


@pytest.mark.parametrize("target", TARGETS)
def test_tools_keep_their_order_their_schemas_and_the_limit(running, target):  # noqa: F811
    """bifrost#3511, #3512 (definitions broken), #2347 (reordered at random), #6132 (max_tokens dropped)."""
    now, p, g = running
    now.update(status=200, streams=None, answers=CASES["plain"]["providers"][target]["answers"])
    tools = [{"type": "function", "function": {"name": n, "description": n, "parameters": SCHEMA}} for n in NAMES]
    asked(g, "plain", "chat", target, tools=tools, max_tokens=77)
    sent = p.requests[-1]
    assert names_of(target, sent.json) == [(n, SCHEMA) for n in NAMES] and b"77" in sent.body
    raw = json.dumps(SCHEMA, separators=(",", ":"))
    assert raw in sent.body.decode().replace(" ", ""), "members of a schema keep their order"


@pytest.mark.parametrize("target", [t for t in TARGETS if t in CASES["reasoning"]["providers"]])
def test_thoughts_are_thoughts(running, target):  # noqa: F811
    """litellm#15233, #9100, #33034, #29518; bifrost#974, #5887, #3688: reasoning lost, or among the text."""
    now, p, g = running
    now.update(status=200, streams=None, answers=CASES["reasoning"]["providers"][target]["answers"])
    m = asked(g, "reasoning", "chat", target).json["choices"][0]["message"]
    assert m["reasoning_content"] and m["content"] and m["reasoning_content"] not in m["content"]
    kinds = [b["type"] for b in asked(g, "reasoning", "messages", target).json["content"]]
    assert kinds[0] == "thinking" and "text" in kinds


def fields_config(p, rule):
    return {"providers": {"a": {"dialect": "anthropic", "base_url": p.url, "api_key": "k", "allow_private_address": True},
                          "o": {"dialect": "openai", "base_url": p.url, "api_key": "k", "allow_private_address": True}},
            "models": {"a": {"targets": ["a/x"], "on_unsupported": rule}, "o": {"targets": ["o/x"], "on_unsupported": rule}}}


@pytest.mark.parametrize("rule, field, value, status", [
    ("auto", "seed", 3, 200), ("auto", "n", 2, 400), ("auto", "unheard_of", {"a": 1}, 200), ("drop", "n", 2, 200), ("refuse", "seed", 3, 400),
    ("refuse", "unheard_of", 1, 400),
])
def test_what_is_dropped_forwarded_or_refused_is_foreseeable(gateway, provider, rule, field, value, status):
    """litellm#10791, #14056, #17658, #2275, #4769, #7309; new-api (bodies rebuilt, fields lost)."""
    p = provider(lambda r: [http(200, CASES["plain"]["providers"]["messages"]["answers"] if "messages" in r.path else completion())])
    g = gateway(fields_config(p, rule))
    r = g.chat("a", **{field: value})
    assert r.status == status and (r.headers["x-weir-dropped"] == field if status == 200 else r.error["param"] == field)
    r = g.chat("o", **{field: value})       # the same format on both sides: as it came
    assert r.status == 200 and p.requests[-1].json[field] == value and "x-weir-dropped" not in r.headers


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses", "/v1/chat/completions"])
def test_a_translated_stream_leaves_piece_by_piece(gateway, provider, path):
    """kong#12680, #14425: streams buffered by transformations."""
    p = provider(lambda r: [stream_head(), chunk(delta("", role="assistant")), chunk(delta("first")), ("hang",)])
    g = gateway({"providers": {"o": {"dialect": "openai", "responses": "translate", "base_url": p.url, "api_key": "k", "allow_private_address": True}},
                 "models": {"m": {"targets": ["o/x"]}}})
    body = {"model": "m", "stream": True, "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    if path.endswith("responses"):
        body = {"model": "m", "stream": True, "input": "hi"}
    c = Raw(g.port)
    c.send(post(body, path))
    status, _ = c.read_head()
    got = b""
    while b"first" not in got:      # while the provider is silent
        size = int(c.line(), 16)
        got += c.take(size)
        c.take(2)
    assert status == 200
    c.close()

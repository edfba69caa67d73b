"""Claude in Google's cloud: Messages with the model in the path and the version in the body, relayed and translated; recorded traffic."""
import gzip
import json

import pytest

from mock_provider import LAST_CHUNK, chunk, http
from weir import ROOT

CASES = ROOT / "tests/cases/recordings/more/vertex.jsonl.gz"
MODEL = "claude-3-7-sonnet@20250219"
BASE = "/v1/projects/p/locations/us-east5/publishers/anthropic"


def exchanges():
    with gzip.open(CASES, "rt", encoding="utf-8", newline="\n") as f:
        return [x for x in map(json.loads, f) if "awPredict" in x["endpoint"]]


def start(gateway, provider, script):
    p = provider(script)
    g = gateway({"providers": {"claude": {"preset": "vertex", "dialect": "anthropic", "base_url": p.url.removesuffix("/v1") + BASE, "api_key": "ya29.x",
                                          "allow_private_address": True}},
                 "models": {"m": {"targets": ["claude/" + MODEL]}}, "breaker": "off", "workers": 1})
    return p, g


def reply(x):
    return [f"HTTP/1.1 200 OK\r\ncontent-type: {x['headers']['content-type']}\r\ntransfer-encoding: chunked\r\n\r\n".encode(), chunk(x["answer"]), LAST_CHUNK]


def test_recorded_requests_reach_vertex_as_its_own_client_sends_them(gateway, provider):
    current = {}
    p, g = start(gateway, provider, lambda r: reply(current["x"]))
    n = 0
    for x in exchanges():
        current["x"] = x
        ask = {"model": "m", **json.loads(x["request"])}
        version = ask.pop("anthropic_version")
        r = g.request("POST", "/v1/messages", ask, {"anthropic-beta": "a-2026"})
        sent = p.requests.pop()
        assert r.body.decode() == x["answer"] and version == "vertex-2023-10-16"
        assert sent.json == json.loads(x["request"]) and "model" not in sent.json, x["name"]
        assert sent.path == f"{BASE}/models/{MODEL}:" + ("streamRawPredict" if ask.get("stream") else "rawPredict")
        assert sent.headers["authorization"] == "Bearer ya29.x" and "x-api-key" not in sent.headers and "anthropic-version" not in sent.headers
        assert sent.headers["anthropic-beta"] == "a-2026"
        n += 1
    assert n == 8


@pytest.mark.parametrize("spelled", [
    '{"model":"m","anthropic_version":"vertex-2023-10-16",%s}', '{"anthropic_version":"vertex-2023-10-16",%s, "model" : "m" }',
    '{%s,\n "model":\t"m",\n "anthropic_version":"vertex-2023-10-16"}', '{"mod\\u0065l":"m",%s}', '{%s,"model":"m"}'])
def test_the_model_leaves_the_body_however_it_stands_there(gateway, provider, spelled):
    p, g = start(gateway, provider, lambda r: reply(exchanges()[0]))
    rest = '"max_tokens":5,"messages":[{"role":"user","content":"\\"model\\": \\"m\\""}]'
    r = g.request("POST", "/v1/messages", (spelled % rest).encode())
    assert r.status == 200, r.body
    assert p.requests[0].json == {"anthropic_version": "vertex-2023-10-16", **json.loads("{" + rest + "}")}
    assert f"{rest}".encode() in p.requests[0].body


def test_counts_keep_their_model(gateway, provider):
    p, g = start(gateway, provider, lambda r: [http(200, {"input_tokens": 7})])
    r = g.request("POST", "/v1/messages/count_tokens", {"model": "m", "messages": [{"role": "user", "content": "hi"}]})
    assert r.json == {"input_tokens": 7} and p.requests[0].path == BASE + "/models/count-tokens:rawPredict"
    assert p.requests[0].json == {"model": MODEL, "anthropic_version": "vertex-2023-10-16", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("stream", [False, True])
def test_callers_of_chat_are_answered(gateway, provider, stream):
    x = next(x for x in exchanges() if ("stream" in x["endpoint"]) == stream and "tool" in x["name"])
    p, g = start(gateway, provider, lambda r: reply(x))
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    r = g.request("POST", "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": tools, "stream": stream})
    sent = p.requests[0]
    assert sent.path == f"{BASE}/models/{MODEL}:" + ("streamRawPredict" if stream else "rawPredict")
    assert "model" not in sent.json and sent.json["anthropic_version"] == "vertex-2023-10-16" and sent.json.get("stream", False) == stream
    assert '"weather"' in r.body.decode() and '"tool_calls"' in r.body.decode() and r.body.decode().endswith("[DONE]\n\n" if stream else "}")


def test_googles_errors_are_told_in_the_callers_words(gateway, provider):
    error = {"error": {"code": 429, "message": "Quota exceeded for aiplatform.googleapis.com", "status": "RESOURCE_EXHAUSTED"}}
    _, g = start(gateway, provider, lambda r: [http(429, error)])
    r = g.request("POST", "/v1/messages", {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})
    assert r.status == 429 and r.json["type"] == "error" and r.json["error"]["type"] == "rate_limit_error"

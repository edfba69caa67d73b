"""Callers of chat completions, Messages and generateContent over a target that speaks Responses alone."""
import gzip
import json
import re

import pytest

from mock_provider import LAST_CHUNK, chunk, http, recorded
from test_chat_over_messages import TOOLS, got
from weir import ROOT

VENDORS = ("openai", "azure", "xai", "deepseek", "bedrock-mantle", "openrouter")
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ANSWER = {"id": "resp_1", "object": "response", "status": "completed", "model": "real", "output": [
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok", "annotations": []}]}],
    "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}}


def exchanges():
    for vendor in VENDORS:
        with gzip.open(ROOT / f"tests/cases/recordings/{vendor}.jsonl.gz", "rt", encoding="utf-8", newline="\n") as f:
            for line in f:
                x = json.loads(line)
                if x["endpoint"] == "responses" and not re.search('"response.(compaction|input_tokens)"', x["answer"]):
                    yield {**x, "name": f"{vendor}/{x['name']}"}


def start(gateway, provider, script, **more):
    p = provider(script)
    g = gateway({"providers": {"r": {"dialect": "openai-responses", "base_url": p.url, "api_key": "r-key", "allow_private_address": True}},
                 "models": {"m": {"targets": [{"target": "r/gpt-5", "features": ["tools", "reasoning", "vision", "json_schema"]}]}},
                 "breaker": "off", **more})
    return p, g


def final(x):
    """The whole response: a stream's last event holds it."""
    if "event" not in x["headers"]["content-type"]:
        return json.loads(x["answer"])
    events = [json.loads(d) for d in re.findall(r"^data: ?(\{.*)$", x["answer"].replace("\r", ""), re.M)]
    return next((e["response"] for e in events if e["type"] in ("response.completed", "response.incomplete")), None)


def wanted(d):
    text = thoughts = ""
    calls = []
    for item in d["output"]:
        if item["type"] == "message":
            text += "".join(c.get("text", "") for c in item["content"])
        elif item["type"] == "reasoning":
            thoughts += "\n\n".join(s["text"] for s in item.get("summary") or [] if s["text"]) + "".join(c["text"] for c in item.get("content") or [])
        elif item["type"] == "function_call":
            calls.append((item["call_id"], item["name"], json.loads(item["arguments"] or "{}")))
    reason = (d.get("incomplete_details") or {}).get("reason")
    finish = {"max_output_tokens": "length", "content_filter": "content_filter"}.get(reason) or ("tool_calls" if calls else "stop")
    return {"text": text, "thoughts": thoughts, "calls": calls, "finish": finish}


@pytest.mark.parametrize("cut", [False, True])
def test_recorded_answers_mean_the_same_to_a_chat_caller(gateway, provider, cut):
    current = {}

    def script(r):
        x = current["x"]
        body = x["answer"].encode()
        cuts = len(body) if len(body) < 3000 else 60      # a short one at every byte
        return recorded(x["status"], x["headers"]["content-type"], body, cuts if cut else 0, 4)

    p, g = start(gateway, provider, script, workers=1)
    n, failures = 0, []
    for x in exchanges():
        current["x"] = x
        stream = "event" in x["headers"]["content-type"]
        r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})})
        if x["status"] != 200:
            assert r.status in (400, 502) and r.error["message"], x["name"]
            continue
        d = final(x)
        assert r.status == 200 and d, (x["name"], r.body[:300])
        said, usage = got(r.body, stream)
        if said != wanted(d):
            failures.append((x["name"], said, wanted(d)))
        u = d.get("usage")
        if u:
            assert (usage["prompt_tokens"], usage["completion_tokens"]) == (u["input_tokens"], u["output_tokens"]), x["name"]
            assert usage["prompt_tokens_details"]["cached_tokens"] == u["input_tokens_details"]["cached_tokens"], x["name"]
            assert usage["completion_tokens_details"]["reasoning_tokens"] == u["output_tokens_details"]["reasoning_tokens"], x["name"]
        n += 1
    assert failures == []
    assert n >= 100


def test_what_is_asked(gateway, provider):
    p, g = start(gateway, provider, lambda r: [http(200, ANSWER)])
    r = g.request("POST", "/v1/chat/completions", {
        "model": "m", "max_completion_tokens": 99, "reasoning_effort": "low", "tools": TOOLS, "tool_choice": "required", "user": "u",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}},
        "messages": [{"role": "system", "content": "be"}, {"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}]},
                     {"role": "assistant", "content": "look", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":123456789012345678901}"}}]},
                     {"role": "tool", "tool_call_id": "c1", "content": "31"}]})
    assert r.status == 200, r.body
    asked = p.requests[-1]
    d = asked.json
    assert asked.path == "/v1/responses" and asked.headers["authorization"] == "Bearer r-key"
    assert d["store"] is False and d["include"] == ["reasoning.encrypted_content"] and d["reasoning"]["effort"] == "low"
    assert d["max_output_tokens"] == 99 and d["tool_choice"] == "required" and d["user"] == "u" and d["model"] == "gpt-5"
    assert d["text"] == {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}}
    assert d["tools"][0]["type"] == "function" and d["tools"][0]["strict"] is False and d["tools"][0]["name"] == TOOLS[0]["function"]["name"]
    assert d["input"] == [
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "be"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": "https://a.example/x.png"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "look"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":123456789012345678901}"},
        {"type": "function_call_output", "call_id": "c1", "output": "31"}]
    refused = g.request("POST", "/v1/chat/completions", {**ASK, "stop": ["x"]})
    assert refused.status == 400 and refused.error["param"] == "stop"


@pytest.mark.parametrize("shown", [False, True])
def test_encrypted_reasoning_is_given_back(gateway, provider, shown):
    item = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}] if shown else [], "encrypted_content": "c2VjcmV0"}
    p, g = start(gateway, provider, lambda r: [http(200, {**ANSWER, "output": [item, *ANSWER["output"]]})])
    for path, ask in (("/v1/chat/completions", ASK), ("/v1/messages", {**ASK, "max_tokens": 50})):
        d = g.request("POST", path, ask).json
        own = d["choices"][0]["message"] if "choices" in d else {"role": "assistant", "content": d["content"]}
        assert g.request("POST", path, {**ask, "messages": [*ASK["messages"], own, {"role": "user", "content": "and?"}]}).status == 200
        given = [i for i in p.requests[-1].json["input"] if i["type"] == "reasoning"]
        assert given == [{"type": "reasoning", "summary": item["summary"], "encrypted_content": "c2VjcmV0"}], path


def test_a_failed_response_is_no_answer(gateway, provider):
    now = {}
    p, g = start(gateway, provider, lambda r: now["parts"], retry={"attempts": 1})
    for status in ("failed", "in_progress", "cancelled"):
        now["parts"] = [http(200, {**ANSWER, "status": status, "output": []})]
        assert g.request("POST", "/v1/chat/completions", ASK).status == 502
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    now["parts"] = [head, chunk('event: response.output_text.delta\ndata: {"type":"response.output_text.delta","output_index":0,"delta":"a"}\n\n'),
                    chunk('event: response.failed\ndata: {"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"no"}}}\n\n'), LAST_CHUNK]
    r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": True})
    assert b'"error"' in r.body and b"[DONE]" not in r.body

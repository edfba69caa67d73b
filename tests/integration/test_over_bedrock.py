"""Callers of chat completions and Messages over a target that speaks Bedrock's Converse: recorded answers, binary streams, real SDKs."""
import base64
import gzip
import json
import struct
import zlib

import anthropic
import openai
import pytest

from mock_provider import LAST_CHUNK, chunk, http, recorded
from test_chat_over_messages import TOOLS, got
from test_credentials import ACCESS, SECRET, is_signed
from weir import ROOT

CASES = ROOT / "tests/cases/recordings/native/bedrock.jsonl.gz"
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls", "guardrail_intervened": "content_filter",
          "content_filtered": "content_filter"}
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n\r\n"


def exchanges():
    with gzip.open(CASES, "rt", encoding="utf-8", newline="\n") as f:
        found = [json.loads(line) for line in f]
    for x in found:
        x["bytes"] = base64.b64decode(x["answer_base64"]) if "answer_base64" in x else x["answer"].encode()
    return found


def frame(payload, **headers):
    """One message of the binary stream; headers as `event_type`, `message_type`."""
    names = b"".join(bytes([len(k) + 1]) + b":" + k.replace("_", "-").encode() + b"\x07" + struct.pack(">H", len(v)) + v.encode() for k, v in headers.items())
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(names) + len(body), len(names))
    prelude += struct.pack(">I", zlib.crc32(prelude))
    return prelude + names + body + struct.pack(">I", zlib.crc32(prelude + names + body))


def event(kind, **payload):
    return frame(payload, message_type="event", event_type=kind, content_type="application/json")


def frames(data):
    """Type and payload of each message in a binary stream."""
    while data:
        total, n = struct.unpack(">II", data[:8])
        headers, at = {}, 12
        while at < 12 + n:
            k = data[at + 1:at + 1 + data[at]].decode()
            at += 2 + data[at]
            size = struct.unpack(">H", data[at:at + 2])[0]
            headers[k] = data[at + 2:at + 2 + size].decode()
            at += 2 + size
        yield headers.get(":event-type"), json.loads(data[12 + n:total - 4])
        data = data[total:]


def start(gateway, provider, script, **more):
    p = provider(script)
    g = gateway({"providers": {"b": {"dialect": "bedrock", "base_url": p.url.removesuffix("/v1"), "api_key": "b-key", "allow_private_address": True}},
                 "models": {"m": {"targets": ["b/" + MODEL]}}, "breaker": "off", **more})
    return p, g, openai.OpenAI(base_url=g.url, api_key="sk-app", max_retries=0)


def wanted(x):
    text = thoughts = ""
    calls, stop, usage = [], None, {}
    if "stream" not in x["endpoint"]:
        d = json.loads(x["bytes"])
        stop, usage = d["stopReason"], d.get("usage", {})
        for b in d["output"]["message"]["content"]:
            text += b.get("text", "")
            thoughts += b.get("reasoningContent", {}).get("reasoningText", {}).get("text", "")
            if "toolUse" in b:
                calls.append((b["toolUse"]["toolUseId"], b["toolUse"]["name"], b["toolUse"]["input"]))
    else:
        for kind, d in frames(x["bytes"]):
            delta = d.get("delta", {})
            text += delta.get("text", "")
            thoughts += delta.get("reasoningContent", {}).get("text", "")
            if kind == "contentBlockStart" and "toolUse" in d.get("start", {}):
                calls.append([d["start"]["toolUse"]["toolUseId"], d["start"]["toolUse"]["name"], ""])
            if "toolUse" in delta:
                calls[-1][2] += delta["toolUse"]["input"]
            stop, usage = d.get("stopReason", stop), d.get("usage", usage)
        calls = [(i, n, json.loads(a or "{}")) for i, n, a in calls]
    whole = sum(usage.get(k, 0) for k in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"))
    finish = FINISH[stop]
    return ({"text": text, "thoughts": thoughts, "calls": calls, "finish": "tool_calls" if calls and finish == "stop" else finish},
            (whole, usage.get("outputTokens", 0), usage.get("cacheReadInputTokens", 0)))


@pytest.mark.parametrize("cut", [False, True])
def test_recorded_answers_mean_the_same_to_a_chat_caller(gateway, provider, cut):
    current = {}

    def script(r):
        x = current["x"]
        return recorded(x["status"], x["headers"]["content-type"], x["bytes"], 60 if cut else 0, 4)

    p, g, _ = start(gateway, provider, script, workers=1)
    n = 0
    for x in exchanges():
        current["x"] = x
        stream = "stream" in x["endpoint"]
        r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})})
        if x["status"] != 200:
            assert r.status in (400, 502) and r.error["message"], x["name"]
            continue
        assert r.status == 200 and r.headers["content-type"].startswith("text/event-stream" if stream else "application/json"), (x["name"], r.body[:300])
        said, usage = got(r.body, stream)
        want, tokens = wanted(x)
        assert said == want, x["name"]
        if tokens[0]:
            assert (usage["prompt_tokens"], usage["completion_tokens"], usage["prompt_tokens_details"]["cached_tokens"]) == tokens, x["name"]
        n += 1
    assert n > 60


def plain(*blocks, stop="end_turn"):
    return {"output": {"message": {"role": "assistant", "content": list(blocks)}}, "stopReason": stop,
            "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 19, "cacheReadInputTokens": 4}}


def test_the_sdk_sends_everything_a_chat_has(gateway, provider):
    blocks = [{"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}}, {"text": "I look."},
              {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Köln", "n": 12345678901234567890123}}}]
    p, g, client = start(gateway, provider, lambda r: [http(200, plain(*blocks, stop="tool_use"))])
    r = client.chat.completions.create(
        model="m", max_completion_tokens=1900, temperature=0.5, stop="END", tools=TOOLS, tool_choice="required", reasoning_effort="low",
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}}]},
                  {"role": "assistant", "content": " ", "tool_calls": [{"id": "c:1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"X\"}"}},
                                                                       {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": ""}}]},
                  {"role": "tool", "tool_call_id": "c:1", "content": "rain"}, {"role": "tool", "tool_call_id": "c2", "content": ""}, {"role": "user", "content": "so?"}])
    sent = p.requests[0]
    body = sent.json
    assert sent.path == "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse" and sent.headers["authorization"] == "Bearer b-key"
    assert body["system"] == [{"text": "Be brief."}] and body["inferenceConfig"] == {"maxTokens": 1900, "stopSequences": ["END"]}
    assert body["toolConfig"] == {"tools": [{"toolSpec": {"name": "weather", "description": "Of a city", "inputSchema": {"json": TOOLS[0]["function"]["parameters"]}}}],
                                  "toolChoice": {"auto": {}}}     # who thinks is not forced
    assert json.loads(body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]) == {"type": "object"}
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    user, assistant, results = body["messages"]
    assert user["content"] == [{"text": "See"}, {"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}}]
    ids = [b["toolUse"]["toolUseId"] for b in assistant["content"]]
    assert [b["toolUse"]["input"] for b in assistant["content"]] == [{"city": "X"}, {}] and ":" not in ids[0]
    assert results["content"] == [{"toolResult": {"toolUseId": ids[0], "content": [{"text": "rain"}]}}, {"toolResult": {"toolUseId": "c2", "content": [{"json": {}}]}}, {"text": "so?"}]
    m = r.choices[0].message
    assert r.choices[0].finish_reason == "tool_calls" and m.content == "I look." and m.reasoning_content == "Hm." and "12345678901234567890123" in m.tool_calls[0].function.arguments
    assert (r.usage.prompt_tokens, r.usage.completion_tokens, r.usage.prompt_tokens_details.cached_tokens) == (14, 5, 4)
    client.chat.completions.create(model="m", messages=[ASK["messages"][0], m.model_dump(), {"role": "tool", "tool_call_id": "t1", "content": "x"}])
    assert p.requests[-1].json["messages"][1]["content"][0] == blocks[0]
    r = g.request("POST", "/v1/chat/completions", {**ASK, "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]})
    assert r.status == 400 and r.error["param"] == "messages.image"


def test_claude_thinks_by_its_own_rules_there_too(gateway, provider):
    """A budget below max_tokens, no temperature, no forced tool; what is given up is named."""
    p, g, _ = start(gateway, provider, lambda r: [http(200, plain({"text": "ok"}))])
    ask = {**ASK, "tools": TOOLS, "tool_choice": "required", "temperature": 0.5, "top_k": 5, "reasoning_effort": "high", "max_tokens": 3000}
    r = g.request("POST", "/v1/chat/completions", ask)
    sent = p.requests[-1].json
    assert sent["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2999}} and sent["inferenceConfig"] == {"maxTokens": 3000}
    assert set(r.headers["x-weir-dropped"].split(",")) == {"tool_choice", "temperature", "top_k"} and sent["toolConfig"]["toolChoice"] == {"auto": {}}
    r = g.request("POST", "/v1/chat/completions", {**ask, "max_tokens": 900})
    sent = p.requests[-1].json
    assert r.headers["x-weir-dropped"] == "reasoning_effort" and sent["inferenceConfig"] == {"maxTokens": 900, "temperature": 0.5}
    assert sent["toolConfig"]["toolChoice"] == {"any": {}} and sent["additionalModelRequestFields"] == {"top_k": 5}


def stream_of(*events):
    return [HEAD, *[chunk(e) for e in events], LAST_CHUNK]


WORDS = [event("messageStart", role="assistant"), event("contentBlockDelta", contentBlockIndex=1, delta={"text": "Hel"}), event("contentBlockDelta", contentBlockIndex=1, delta={"text": "lo"}),
         event("contentBlockStop", contentBlockIndex=1)]
END = [event("messageStop", stopReason="end_turn"), event("metadata", usage={"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, metrics={"latencyMs": 1})]


def test_streams_reach_messages_and_responses(gateway, provider):
    call = [event("contentBlockStart", contentBlockIndex=2, start={"toolUse": {"toolUseId": "t1", "name": "clock"}}), event("contentBlockStop", contentBlockIndex=2)]
    p, g, client = start(gateway, provider, lambda r: stream_of(*WORDS, *call, *END))
    claude = anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key="k", max_retries=0)
    with claude.messages.stream(model="m", max_tokens=50, messages=ASK["messages"]) as s:
        m = s.get_final_message()
    assert p.requests[0].path.endswith("/converse-stream") and m.content[0].text == "Hello" and m.content[1].input == {} and m.stop_reason == "tool_use"
    with client.responses.stream(model="m", input="hi") as s:
        r = s.get_final_response()
    assert r.output_text == "Hello" and r.output[1].name == "clock" and r.usage.output_tokens == 5


def test_breaks_of_binary_streams(gateway, provider):
    damaged = bytearray(WORDS[2])
    damaged[-6] ^= 1
    thrown = frame({"message": "Too many"}, message_type="exception", exception_type="throttlingException", content_type="application/json")
    p, g, _ = start(gateway, provider, None)
    for steps in (stream_of(*WORDS[:2], bytes(damaged), *END), stream_of(*WORDS[:2], thrown), stream_of(*WORDS, END[0][:20]), stream_of(*WORDS)):
        p.script = lambda r: steps
        r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": True})
        assert r.status == 200 and b"Hel" in r.body and b'"error"' in r.body and b"[DONE]" not in r.body
    for steps in (stream_of(bytes(damaged)), stream_of(thrown), stream_of(b"\0" * 40)):
        p.script = lambda r: steps
        assert g.request("POST", "/v1/chat/completions", {**ASK, "stream": True}).status in (429, 502)
    for status, message, expected in [(400, "Input is too long for requested model.", 400), (403, "The security token is invalid.", 502), (429, "Too many requests", 429),
                                      (400, "The provided model identifier is invalid.", 502), (424, "x", 502)]:
        p.script = lambda r: [http(status, {"message": message})]
        assert g.request("POST", "/v1/chat/completions", ASK).status == expected, message


def test_a_request_is_signed_with_its_encoded_path(gateway, provider):
    p = provider(lambda r: [http(200, plain({"text": "Hello"}))])
    g = gateway({"providers": {"b": {"dialect": "bedrock", "base_url": p.url.removesuffix("/v1"), "allow_private_address": True, "region": "us-east-1",
                                     "credential": "aws", "access_key_id": ACCESS, "secret_access_key": SECRET}}, "models": {"m": {"targets": ["b/" + MODEL]}}})
    r = g.request("POST", "/v1/chat/completions", ASK)
    assert r.json["choices"][0]["message"]["content"] == "Hello" and is_signed(p.requests[0])

"""Callers of chat completions, Messages, Responses and generateContent over a target that speaks Cohere's v2 chat."""
import gzip
import json
import re

import anthropic
import openai
import pytest
from google import genai

from mock_provider import LAST_CHUNK, chunk, http, recorded, stream_head
from test_chat_over_messages import TOOLS, got
from weir import ROOT

CASES = ROOT / "tests/cases/recordings/native/cohere.jsonl.gz"
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
FINISH = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}


def exchanges():
    with gzip.open(CASES, "rt", encoding="utf-8", newline="\n") as f:
        return [json.loads(line) for line in f]


def start(gateway, provider, script, **more):
    p = provider(script)
    g = gateway({"providers": {"c": {"dialect": "cohere", "base_url": p.url.removesuffix("/v1") + "/v2", "api_key": "c-key", "allow_private_address": True}},
                 "models": {"m": {"targets": [{"target": "c/command-a-03-2025", "features": ["tools", "reasoning", "vision", "json_schema"]}]}},
                 "breaker": "off", **more})
    return p, g, openai.OpenAI(base_url=g.url, api_key="sk-app", max_retries=0)


def wanted(x):
    text = thoughts = ""
    calls, usage, finish = [], {}, None
    if "event" not in x["headers"]["content-type"]:
        d = json.loads(x["answer"])
        m, usage, finish = d["message"], d["usage"], d["finish_reason"]
        text = m.get("tool_plan") or ""
        for b in m.get("content") or []:
            text += b.get("text", "")
            thoughts += b.get("thinking", "")
        calls = [(c["id"], c["function"]["name"], json.loads(c["function"]["arguments"] or "{}")) for c in m.get("tool_calls") or []]
    else:
        for line in re.findall(r"^data: ?(\{.*)$", x["answer"].replace("\r", ""), re.M):
            e = json.loads(line)
            m = (e.get("delta") or {}).get("message") or {}
            text += m.get("tool_plan") or ""
            if e["type"] in ("content-start", "content-delta"):
                text += m["content"].get("text") or ""
                thoughts += m["content"].get("thinking") or ""
            elif e["type"] == "tool-call-start":
                calls.append([m["tool_calls"]["id"], m["tool_calls"]["function"]["name"], m["tool_calls"]["function"].get("arguments") or ""])
            elif e["type"] == "tool-call-delta":
                calls[-1][2] += m["tool_calls"]["function"]["arguments"]
            elif e["type"] == "message-end":
                finish, usage = e["delta"]["finish_reason"], e["delta"].get("usage") or {}
        calls = [(i, n, json.loads(a or "{}")) for i, n, a in calls]
    tokens = usage.get("tokens") or usage.get("billed_units") or {}
    return ({"text": text, "thoughts": thoughts, "calls": calls, "finish": FINISH[finish]},
            (int(tokens.get("input_tokens", 0) + tokens.get("image_tokens", 0)), int(tokens.get("output_tokens", 0)), int(usage.get("cached_tokens") or 0)))


@pytest.mark.parametrize("cut", [False, True])
def test_recorded_answers_mean_the_same_to_a_chat_caller(gateway, provider, cut):
    current = {}

    def script(r):
        x = current["x"]
        body = x["answer"].encode()
        cuts = len(body) if len(body) < 1500 else 60      # a short one at every byte
        return recorded(x["status"], x["headers"]["content-type"], body, cuts if cut else 0, 4)

    p, g, _ = start(gateway, provider, script, workers=1)
    n = 0
    for x in exchanges():
        current["x"] = x
        stream = "event" in x["headers"]["content-type"]
        r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})})
        if x["status"] != 200:
            assert r.status in (400, 502) and r.error["message"], x["name"]
            continue
        assert r.status == 200, (x["name"], r.body[:300])
        said, usage = got(r.body, stream)
        want, tokens = wanted(x)
        assert said == want, x["name"]
        if tokens[0]:
            assert (usage["prompt_tokens"], usage["completion_tokens"], usage["prompt_tokens_details"]["cached_tokens"]) == tokens, x["name"]
        n += 1
    assert n >= 35


def text_of(content):
    if isinstance(content, str):
        return content
    return "".join(c.get("text") or "" for c in content or [] if c.get("type") in ("text", None))


def as_chat(body):
    """The request that a caller of chat completions would have sent for a recorded one."""
    messages = []
    for m in body["messages"]:
        if m["role"] == "assistant":
            messages.append({"role": "assistant", "content": text_of(m.get("content")) or m.get("tool_plan") or None,
                             **({"tool_calls": m["tool_calls"]} if m.get("tool_calls") else {})})
        elif m["role"] == "tool":
            messages.append({"role": "tool", "tool_call_id": m["tool_call_id"], "content": normal_result(m["content"])})
        elif isinstance(m["content"], str) or m["role"] == "system":
            messages.append({"role": m["role"], "content": text_of(m["content"])})
        else:
            messages.append({"role": m["role"], "content": m["content"]})
    c = {"model": "m", "messages": messages}
    for theirs, ours in (("tools", "tools"), ("max_tokens", "max_tokens"), ("temperature", "temperature"), ("p", "top_p"), ("seed", "seed"),
                         ("stop_sequences", "stop"), ("frequency_penalty", "frequency_penalty"), ("presence_penalty", "presence_penalty")):
        if body.get(theirs) is not None:
            c[ours] = body[theirs]
    choice = {"REQUIRED": "required", "NONE": "none"}.get(body.get("tool_choice"))
    if choice:
        c["tool_choice"] = choice
    schema = (body.get("response_format") or {}).get("json_schema")
    if schema:
        c["response_format"] = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    return c


def normal_result(content):
    return content if isinstance(content, str) else json.dumps(content)


def normal(body):
    """What two requests must have in common to mean the same."""
    said = []
    for m in body["messages"]:
        calls = [(c["id"], c["function"]["name"], json.loads(c["function"]["arguments"] or "{}")) for c in m.get("tool_calls") or []]
        images = [p["image_url"]["url"] for p in m.get("content") or [] if isinstance(p, dict) and p.get("type") == "image_url"]
        text = m["content"] if m["role"] == "tool" else text_of(m.get("content")) or m.get("tool_plan") or ""
        said.append((m["role"], normal_result(text), calls, images, m.get("tool_call_id")))
    tools = [(t["function"]["name"], t["function"].get("description"), t["function"].get("parameters")) for t in body.get("tools") or []]
    rest = {k: body[k] for k in ("max_tokens", "temperature", "p", "seed", "stop_sequences", "frequency_penalty", "presence_penalty", "tool_choice",
                                 "response_format") if body.get(k) is not None}
    return said, tools, rest


def test_recorded_requests_are_what_weir_writes(gateway, provider):
    p, g, _ = start(gateway, provider, lambda r: [http(200, ANSWER)], workers=1)
    n = 0
    for x in exchanges():
        if not x["request"] or x["status"] == 401:
            continue
        recorded = json.loads(x["request"])
        r = g.request("POST", "/v1/chat/completions", as_chat(recorded))
        assert r.status == 200, (x["name"], r.body)
        assert normal(p.requests[-1].json) == normal(recorded), x["name"]
        n += 1
    assert n >= 25


ANSWER = {"id": "a1", "finish_reason": "TOOL_CALL", "message": {"role": "assistant", "tool_plan": "I look.", "content": [{"type": "thinking", "thinking": "Hm."}],
          "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"K\\u00f6ln\",\"n\":12345678901234567890123}"}},
                         {"id": "t2", "type": "function", "function": {"name": "weather", "arguments": None}}]},
          "usage": {"billed_units": {"input_tokens": 1, "output_tokens": 1}, "tokens": {"input_tokens": 10, "output_tokens": 5}, "cached_tokens": 4}}


def test_the_sdk_sends_everything_a_chat_has(gateway, provider):
    p, g, client = start(gateway, provider, lambda r: [http(200, ANSWER)])
    r = client.chat.completions.with_raw_response.create(
        model="m", max_completion_tokens=900, temperature=0.5, top_p=0.9, stop="END", seed=3, tools=TOOLS, tool_choice={"type": "function", "function": {"name": "weather"}},
        reasoning_effort="low", user="u", parallel_tool_calls=False, extra_body={"top_k": 20},
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
        messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}}]},
                  {"role": "assistant", "content": "I see.", "tool_calls": [{"id": "c:1", "type": "function", "function": {"name": "weather", "arguments": ""}}]},
                  {"role": "tool", "tool_call_id": "c:1", "content": "rain"}, {"role": "user", "content": "so?"}])
    sent = p.requests[0]
    assert sent.path == "/v2/chat" and sent.headers["authorization"] == "Bearer c-key"
    assert sorted(r.headers["x-weir-dropped"].split(",")) == ["parallel_tool_calls", "user"]
    body = sent.json
    messages = body.pop("messages")
    assert body == {"model": "command-a-03-2025", "tools": TOOLS, "tool_choice": "REQUIRED", "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
                    "max_tokens": 900, "temperature": 0.5, "p": 0.9, "k": 20, "seed": 3, "stop_sequences": ["END"], "thinking": {"type": "enabled", "token_budget": 1024}}
    assert messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}}]},
        {"role": "assistant", "tool_plan": "I see.", "tool_calls": [{"id": "c:1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c:1", "content": "rain"}, {"role": "user", "content": [{"type": "text", "text": "so?"}]}]
    answer = r.parse()
    m = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls" and m.content == "I look." and m.reasoning_content == "Hm."
    assert "12345678901234567890123" in m.tool_calls[0].function.arguments and m.tool_calls[1].function.arguments == "{}"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.prompt_tokens_details.cached_tokens) == (10, 5, 4)


@pytest.mark.parametrize("fields, field", [({"n": 2}, "n"), ({"logprobs": True}, "logprobs"),
                                           ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]}]}, "messages.audio")])
def test_what_cannot_be_carried_is_refused(gateway, provider, fields, field):
    p, g, _ = start(gateway, provider, lambda r: [http(200, ANSWER)])
    r = g.request("POST", "/v1/chat/completions", {**ASK, **fields})
    assert r.status == 400 and r.error["param"] == field and p.requests == []


def event(kind, **more):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"


STREAM = [event("message-start", id="a1", delta={"message": {"role": "assistant"}}), event("content-start", index=0, delta={"message": {"content": {"type": "text", "text": ""}}}),
          event("content-delta", index=0, delta={"message": {"content": {"text": "Hel"}}}), event("content-delta", index=0, delta={"message": {"content": {"text": "lo"}}}),
          event("content-end", index=0), event("tool-call-start", index=1, delta={"message": {"tool_calls": {"id": "t1", "type": "function", "function": {"name": "clock", "arguments": ""}}}}),
          event("tool-call-end", index=1),
          event("message-end", delta={"finish_reason": "TOOL_CALL", "usage": {"tokens": {"input_tokens": 10, "output_tokens": 5}}})]


def streamed(*events):
    return lambda r: [stream_head(), *map(chunk, events), LAST_CHUNK]


def test_streams_reach_every_caller(gateway, provider):
    p, g, client = start(gateway, provider, streamed(*STREAM))
    claude = anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key="k", max_retries=0)
    with claude.messages.stream(model="m", max_tokens=50, messages=ASK["messages"]) as s:
        m = s.get_final_message()
    assert m.content[0].text == "Hello" and m.content[1].input == {} and m.stop_reason == "tool_use" and m.usage.output_tokens == 5
    with client.responses.stream(model="m", input="hi") as s:
        r = s.get_final_response()
    assert r.output_text == "Hello" and r.output[1].name == "clock"
    google = genai.Client(api_key="k", http_options={"base_url": g.url.removesuffix("/v1")})
    parts = [q for c in google.models.generate_content_stream(model="m", contents="hi") for q in c.candidates[0].content.parts or []]
    assert "".join(q.text or "" for q in parts) == "Hello" and [q.function_call.name for q in parts if q.function_call] == ["clock"]
    assert all(r.json["stream"] is True for r in p.requests)


def test_breaks_and_errors(gateway, provider):
    failed = event("message-end", delta={"finish_reason": "ERROR", "error": "no"})
    p, g, _ = start(gateway, provider, None)
    for steps in (streamed(*STREAM[:3]), streamed(*STREAM[:3], failed), streamed(*STREAM[:3], "event: content-delta\ndata: {")):
        p.script = steps
        r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": True})
        assert r.status == 200 and b"Hel" in r.body and b'"error"' in r.body and b"[DONE]" not in r.body
    for answer in ({}, {"message": 1}, {**ANSWER, "finish_reason": "ERROR"}, {**ANSWER, "finish_reason": "TIMEOUT"}):
        p.script = lambda r: [http(200, answer)]
        assert g.request("POST", "/v1/chat/completions", ASK).status == 502, answer
    for status, body, expected in [(400, {"id": "1", "message": "too many tokens: size limit exceeded", "error_type": "TOO_MANY_TOKENS"}, 400),
                                   (401, {"id": "1", "message": "invalid api token"}, 502), (429, {"message": "slow down"}, 429), (422, {"message": "no"}, 422),
                                   (404, {"message": "model 'x' not found, make sure"}, 502), (498, {"message": "blocked"}, 502)]:
        p.script = lambda r: [http(status, body)]
        r = g.request("POST", "/v1/chat/completions", ASK)
        assert r.status == expected, (status, r.body)
        if status == 400:
            assert r.error["code"] == "context_length_exceeded"

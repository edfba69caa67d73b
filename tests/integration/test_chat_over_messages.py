"""Callers of chat completions over a target that speaks Anthropic's Messages: recorded answers, the real SDK, errors."""
import json
import re

import openai
import pytest

from mock_provider import LAST_CHUNK, http, recorded, stream_head
from test_messages import config_of, event, exchanges, message, reported

TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls", "refusal": "content_filter", "pause_turn": "stop",
          "model_context_window_exceeded": "length"}


def start(gateway, provider, script, **more):
    p = provider(script)
    g = gateway(config_of(p, **more))
    return p, g, openai.OpenAI(base_url=g.url, api_key="sk-app", max_retries=0)


def events_of(x):
    return [json.loads(d) for d in re.findall(r"^data: ?(\{.*)$", x["answer"].replace("\r", ""), re.M)]


def wanted(x):
    """Text, thoughts, calls and the stop reason that a recording holds."""
    if "event" not in x["headers"]["content-type"]:
        m = json.loads(x["answer"])
        blocks, stop = m["content"], m["stop_reason"]
    else:
        blocks, stop = {}, None
        for e in events_of(x):
            if e["type"] == "content_block_start":
                blocks[e["index"]] = {**e["content_block"], "json": ""}
            elif e["type"] == "content_block_delta":
                b, d = blocks[e["index"]], e["delta"]
                for key, member in (("text", "text"), ("thinking", "thinking"), ("partial_json", "json")):
                    if key in d:
                        b[member] = b.get(member, "") + d[key]
            elif e["type"] == "message_delta":
                stop = e["delta"].get("stop_reason") or stop
        blocks = [blocks[i] for i in sorted(blocks)]
        for b in blocks:
            if b["type"] == "tool_use" and b["json"]:
                b["input"] = json.loads(b["json"])
    kinds = lambda kind: [b for b in blocks if b["type"] == kind]
    calls = [(b["id"], b["name"], b["input"]) for b in kinds("tool_use")]
    finish = FINISH[stop]
    return {"text": "".join(b["text"] for b in kinds("text")), "thoughts": "".join(b["thinking"] for b in kinds("thinking")), "calls": calls,
            "finish": "tool_calls" if calls and finish == "stop" else finish}


def got(body, stream):
    if not stream:
        d = json.loads(body)
        m, finish, usage = d["choices"][0]["message"], d["choices"][0]["finish_reason"], d.get("usage")
        calls = [(c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in m.get("tool_calls") or []]
        return {"text": m["content"] or "", "thoughts": m.get("reasoning_content", ""), "calls": calls, "finish": finish}, usage
    text = thoughts = ""
    calls, finish, usage = {}, None, None
    assert body.endswith(b"data: [DONE]\n\n")
    for line in re.findall(rb"^data: (\{.*)$", body, re.M):
        d = json.loads(line)
        usage = d.get("usage") or usage
        for c in d["choices"]:
            text += c["delta"].get("content") or ""
            thoughts += c["delta"].get("reasoning_content") or ""
            finish = c["finish_reason"] or finish
            for t in c["delta"].get("tool_calls") or []:
                call = calls.setdefault(t["index"], {"id": "", "name": "", "arguments": ""})
                call["id"] += t.get("id", "")
                call["name"] += t["function"].get("name", "")
                call["arguments"] += t["function"].get("arguments", "")
    assert sorted(calls) == list(range(len(calls)))
    return {"text": text, "thoughts": thoughts, "finish": finish,
            "calls": [(c["id"], c["name"], json.loads(c["arguments"] or "{}")) for _, c in sorted(calls.items())]}, usage


@pytest.mark.parametrize("cut", [False, True])
def test_recorded_answers_mean_the_same_to_a_chat_caller(gateway, provider, cut):
    current = {}

    def script(r):
        x = current["x"]
        return recorded(x["status"], x["headers"]["content-type"], x["answer"].encode(), 60 if cut else 0, 2)

    p, g, _ = start(gateway, provider, script, workers=1, breaker="off")
    n = 0
    for x in exchanges():
        if x["status"] != 200 or "count" in x["endpoint"]:
            continue
        current["x"] = x
        stream = "event" in x["headers"]["content-type"]
        r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})})
        assert r.status == 200, (x["name"], r.body[:300])
        said, usage = got(r.body, stream)
        assert said == wanted(x), x["name"]
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["prompt_tokens_details"]["cached_tokens"]) == reported(x), x["name"]
        n += 1
    assert n > 80


def test_the_sdk_sends_everything_a_chat_has(gateway, provider):
    blocks = [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, {"type": "text", "text": "I look."},
              {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Köln", "n": 12345678901234567890123}},
              {"type": "tool_use", "id": "t2", "name": "weather", "input": {}}]
    p, g, client = start(gateway, provider, lambda r: [http(200, {**message(), "content": blocks, "stop_reason": "tool_use"})])
    r = client.chat.completions.create(
        model="m", max_completion_tokens=9000, temperature=1.7, stop=["END", "  "], user="u1", tools=TOOLS, parallel_tool_calls=False, seed=3,
        tool_choice={"type": "function", "function": {"name": "weather"}},
        messages=[{"role": "developer", "content": "Be brief."}, {"role": "system", "content": [{"type": "text", "text": "And kind."}]},
                  {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/jpg;base64,AAAA"}},
                                               {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
                  {"role": "assistant", "content": "", "tool_calls": [
                      {"id": "call:1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"X\"}"}},
                      {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": ""}}]},
                  {"role": "tool", "tool_call_id": "call:1", "content": "rain"}, {"role": "tool", "tool_call_id": "c2", "content": "sun"},
                  {"role": "user", "content": "so?"}])
    sent = p.requests[0]
    body = sent.json
    assert sent.path == "/v1/messages" and sent.headers["x-api-key"] == "sk-first" and sent.headers["anthropic-version"]
    assert body["model"] == "claude" and body["max_tokens"] == 9000 and body["temperature"] == 1 and body["stop_sequences"] == ["END"]
    assert body["system"] == [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "And kind."}] and body["metadata"] == {"user_id": "u1"}
    assert body["tools"] == [{"name": "weather", "description": "Of a city", "input_schema": TOOLS[0]["function"]["parameters"]}]
    assert body["tool_choice"] == {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}
    user, assistant, results = body["messages"]
    assert user["content"] == [{"type": "text", "text": "See"}, {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"}},
                               {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}]
    ids = [c["id"] for c in assistant["content"]]
    assert [c["type"] for c in assistant["content"]] == ["tool_use"] * 2 and [c["input"] for c in assistant["content"]] == [{"city": "X"}, {}]
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", ids[0]) and ids[1] == "c2"
    assert results["content"] == [{"type": "tool_result", "tool_use_id": ids[0], "content": "rain"}, {"type": "tool_result", "tool_use_id": "c2", "content": "sun"},
                                  {"type": "text", "text": "so?"}]
    m = r.choices[0].message
    assert r.choices[0].finish_reason == "tool_calls" and m.content == "I look." and m.reasoning_content == "Hm."
    assert [(c.id, c.function.name) for c in m.tool_calls] == [("t1", "weather"), ("t2", "weather")]
    assert "12345678901234567890123" in m.tool_calls[0].function.arguments and m.tool_calls[1].function.arguments == "{}"
    assert m.reasoning_details == [{"type": "reasoning.text", "text": "Hm.", "signature": "c2ln", "format": "anthropic-claude-v1"}]
    again = [{"role": "user", "content": "hi"}, m.model_dump(), {"role": "tool", "tool_call_id": "t1", "content": "1"}, {"role": "tool", "tool_call_id": "t2", "content": "2"}]
    raw = g.request("POST", "/v1/chat/completions", {**ASK, "messages": again, "seed": 3, "frequency_penalty": 1})
    assert raw.headers["x-weir-dropped"] == "seed,frequency_penalty" and g.metric("weir_fields_dropped_total", model="m") == 3
    assert p.requests[-1].json["messages"][1]["content"][0] == blocks[0], "the thought goes back with its signature"


def test_schemas_thoughts_and_stops(gateway, provider):
    answer = {**message("{}"), "stop_reason": "stop_sequence", "stop_sequence": "END"}
    p, g, client = start(gateway, provider, lambda r: [http(200, answer)])
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    r = client.chat.completions.create(**ASK, response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}})
    assert p.requests[-1].json["output_config"] == {"format": {"type": "json_schema", "schema": schema}} and p.requests[-1].json["max_tokens"] >= 4096
    assert r.choices[0].finish_reason == "stop"
    client.chat.completions.create(**ASK, reasoning_effort="high", temperature=0.3, tools=TOOLS, tool_choice="required")
    body = p.requests[-1].json
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 16384} and body["max_tokens"] > 16384
    assert "temperature" not in body and body["tool_choice"]["type"] == "auto"
    client.chat.completions.create(**ASK, reasoning_effort="high", max_completion_tokens=3000)
    assert p.requests[-1].json["thinking"]["budget_tokens"] < p.requests[-1].json["max_tokens"] == 3000


def test_a_stream_keeps_indexes_ids_and_usage(gateway, provider):
    steps = [stream_head(), event("message_start", message={**message(), "content": [], "stop_reason": None, "usage": {"input_tokens": 10, "output_tokens": 1}}),
             event("content_block_start", index=0, content_block={"type": "text", "text": ""}), event("ping"),
             event("content_block_delta", index=0, delta={"type": "text_delta", "text": "I look."}), event("content_block_stop", index=0),
             event("content_block_start", index=1, content_block={"type": "tool_use", "id": "t1", "name": "weather", "input": {}}),
             event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": "{\"city\": \"K"}),
             event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": "\\u0000\"}"}), event("content_block_stop", index=1),
             event("content_block_start", index=2, content_block={"type": "tool_use", "id": "t2", "name": "clock", "input": {}}), event("content_block_stop", index=2),
             event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 33}), event("message_stop"), LAST_CHUNK]
    p, g, client = start(gateway, provider, lambda r: steps)
    calls, text, finish, usage = {}, "", [], None
    for c in client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True}):
        usage = c.usage or usage
        for choice in c.choices:
            text += choice.delta.content or ""
            finish += [choice.finish_reason] if choice.finish_reason else []
            for t in choice.delta.tool_calls or []:
                call = calls.setdefault(t.index, ["", "", ""])
                call[0] += t.id or ""
                call[1] += t.function.name or ""
                call[2] += t.function.arguments or ""
    assert calls == {0: ["t1", "weather", "{\"city\": \"K\\u0000\"}"], 1: ["t2", "clock", "{}"]} and text == "I look." and finish == ["tool_calls"]
    assert (usage.prompt_tokens, usage.completion_tokens) == (10, 33)
    quiet = g.request("POST", "/v1/chat/completions", {**ASK, "stream": True})
    assert b'"usage"' not in quiet.body and quiet.body.endswith(b"data: [DONE]\n\n")


def test_errors_and_breaks_have_openais_shape(gateway, provider):
    broken = [stream_head(), event("message_start", message={**message(), "content": []}),
              event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"}), event("error", error={"type": "overloaded_error", "message": "Overloaded"}), LAST_CHUNK]
    p, g, client = start(gateway, provider, lambda r: broken)
    r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": True})
    assert b'"error"' in r.body and b"[DONE]" not in r.body and b"Hel" in r.body
    p.script = lambda r: [http(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 300000 tokens > 200000 maximum"}})]
    with pytest.raises(openai.BadRequestError) as e:
        client.chat.completions.create(**ASK)
    assert e.value.code == "context_length_exceeded"
    p.script = lambda r: [http(200, {"type": "message", "content": "nonsense"})]
    assert g.request("POST", "/v1/chat/completions", ASK).status == 502
    n = len(p.requests)
    for messages, field in [([{"role": "owner", "content": "x"}], "messages[0].role"), ([{"role": "user", "content": [{"type": "odd"}]}], "messages[0].content[0].type"),
                            ([{"role": "user", "content": 7}], "messages[0].content"), ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id"),
                            ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png,xx"}}]}], "messages[0].content[0].image_url.url")]:
        r = g.request("POST", "/v1/chat/completions", {**ASK, "messages": messages})
        assert r.status == 400 and f"`{field}`" in r.error["message"] and r.error["param"] == field, messages
    r = g.request("POST", "/v1/chat/completions", {**ASK, "n": 2})
    assert r.status == 400 and r.error["param"] == "n" and len(p.requests) == n


def test_what_a_model_says_of_unsupported_fields(gateway, provider):
    p = provider(lambda r: [http(200, message())])
    c = config_of(p)
    c["models"] = {m: {"targets": ["first/claude"], "on_unsupported": m} for m in ("drop", "refuse")}
    g = gateway(c)
    r = g.request("POST", "/v1/chat/completions", {**ASK, "model": "drop", "n": 2, "seed": 1})
    assert r.status == 200 and r.headers["x-weir-dropped"] == "seed,n"
    r = g.request("POST", "/v1/chat/completions", {**ASK, "model": "refuse", "seed": 1})
    assert r.status == 400 and r.error["param"] == "seed"


def test_failover_from_chat_to_messages(gateway, provider):
    chat = provider(lambda r: [http(503, {"error": {"message": "busy"}})])
    native = provider(lambda r: [http(200, message("Hi"))])
    c = config_of(native)
    c["providers"]["chat"] = {"dialect": "openai", "base_url": chat.url, "allow_private_address": True}
    c["models"]["m"]["targets"] = ["chat/small", "first/claude"]
    r = gateway(c).chat()
    assert r.json["choices"][0]["message"]["content"] == "Hi" and r.headers["x-weir-target"] == "first/claude"

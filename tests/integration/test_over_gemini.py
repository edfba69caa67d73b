"""Callers of chat completions, Messages and Responses over a target that speaks Google's generateContent: recorded answers, real SDKs."""
import gzip
import json
import re

import anthropic
import openai
import pytest

from mock_provider import LAST_CHUNK, chunk, http, recorded, stream_head
from test_chat_over_messages import got
from weir import ROOT

CASES = ROOT / "tests/cases/recordings/native/gemini.jsonl.gz"
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
KINDS = (("promptTokenCount", "toolUsePromptTokenCount"), ("candidatesTokenCount", "thoughtsTokenCount"), ("cachedContentTokenCount",))
FILTERED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "LANGUAGE")


def exchanges():
    with gzip.open(CASES, "rt", encoding="utf-8", newline="\n") as f:
        found = [json.loads(line) for line in f]
    for x in found:
        if "stream" in x["endpoint"] and x["answer"].startswith("["):   # recorded without alt=sse, which weir never asks for
            x["answer"] = "".join(f"data: {json.dumps(e, ensure_ascii=False)}\r\n\r\n" for e in json.loads(x["answer"]))
            x["headers"]["content-type"] = "text/event-stream"
    return found


def start(gateway, provider, script, model="gemini-2.5-flash", **more):
    p = provider(script)
    g = gateway({"providers": {"g": {"dialect": "gemini", "base_url": p.url.removesuffix("/v1") + "/v1beta", "api_key": "g-key", "allow_private_address": True}},
                 "models": {"m": {"targets": ["g/" + model]}}, "breaker": "off", **more})
    return p, g, openai.OpenAI(base_url=g.url, api_key="sk-app", max_retries=0)


def answer(*parts, finish="STOP", **more):
    return {"candidates": [{"index": 0, "content": {"role": "model", "parts": list(parts)}, "finishReason": finish}], "modelVersion": "gemini-2.5-flash", "responseId": "r1",
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 22, "cachedContentTokenCount": 4}, **more}


def data(d):
    return chunk(f"data: {json.dumps(d)}\r\n\r\n")


def wanted(x):
    """What a recording of the first candidate says, and its tokens: prompt, answer with thoughts, cached."""
    stream = "stream" in x["endpoint"]
    pieces = [json.loads(d) for d in re.findall(r"^data: ?(\{.*)$", x["answer"].replace("\r", ""), re.M)] if stream else [json.loads(x["answer"])]
    text = thoughts = ""
    calls, word, tokens = [], None, [0, 0, 0]
    for d in pieces:
        u = d.get("usageMetadata", {})
        now = [sum(u.get(k, 0) for k in kind) for kind in KINDS]
        tokens = [max(a, b) for a, b in zip(tokens, now)]       # the largest of each, should events contradict each other
        for c in d.get("candidates", []):
            word = c.get("finishReason") or word
            for p in c.get("content", {}).get("parts", []):
                if "functionCall" in p:
                    calls.append((p["functionCall"]["name"], p["functionCall"].get("args") or {}))
                elif p.get("thought"):
                    thoughts += p.get("text", "")
                else:
                    text += p.get("text", "")
        word = word or d.get("promptFeedback", {}).get("blockReason")
    finish = "length" if word == "MAX_TOKENS" else "content_filter" if word in FILTERED or word == "MODEL_ARMOR" else "tool_calls" if calls else "stop"
    return {"text": text, "thoughts": thoughts, "calls": calls, "finish": finish}, tuple(tokens)


@pytest.mark.parametrize("cut", [False, True])
def test_recorded_answers_mean_the_same_to_a_chat_caller(gateway, provider, cut):
    current = {}

    def script(r):
        x = current["x"]
        return recorded(x["status"], x["headers"]["content-type"], x["answer"].encode(), 40 if cut else 0, 3)

    p, g, _ = start(gateway, provider, script, workers=1)
    n = 0
    for x in exchanges():
        current["x"] = x
        stream = "stream" in x["endpoint"]
        r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})})
        if x["status"] != 200:
            assert r.status in (400, 429, 502) and r.error["message"], x["name"]
            continue
        assert r.status == 200, (x["name"], r.body[:300])
        said, usage = got(r.body, stream)
        want, tokens = wanted(x)
        ids = [i for i, _, _ in said["calls"]]
        assert len(set(ids)) == len(ids) and all(ids), x["name"]
        said["calls"] = [(name, args) for _, name, args in said["calls"]]
        assert said == want, x["name"]
        if any(tokens):
            assert (usage["prompt_tokens"], usage["completion_tokens"], usage["prompt_tokens_details"]["cached_tokens"]) == tokens, x["name"]
        n += 1
    assert n > 150


def test_the_sdk_sends_everything_a_chat_has(gateway, provider):
    said = [{"text": "Hm.", "thought": True}, {"text": "I look."},
            {"functionCall": {"name": "weather", "args": {"city": "Köln", "n": 12345678901234567890123}}, "thoughtSignature": "c2ln"}, {"functionCall": {"name": "weather"}}]
    p, g, client = start(gateway, provider, lambda r: [http(200, answer(*said))])
    r = client.chat.completions.create(
        model="m", max_completion_tokens=900, temperature=1.7, stop=["END"], seed=3, tools=TOOLS, tool_choice={"type": "function", "function": {"name": "weather"}},
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}, reasoning_effort="low",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
                  {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"X\"}"}},
                                                                         {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]},
                  {"role": "tool", "tool_call_id": "c1", "content": "rain"}, {"role": "tool", "tool_call_id": "c2", "content": "{\"hour\": 7}"}, {"role": "user", "content": "so?"}])
    sent = p.requests[0]
    body = sent.json
    assert sent.path == "/v1beta/models/gemini-2.5-flash:generateContent" and sent.headers["x-goog-api-key"] == "g-key" and "authorization" not in sent.headers
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]} and body["toolConfig"]["functionCallingConfig"] == {"mode": "ANY", "allowedFunctionNames": ["weather"]}
    assert body["tools"] == [{"functionDeclarations": [{"name": "weather", "description": "Of a city", "parametersJsonSchema": TOOLS[0]["function"]["parameters"]}]}]
    assert body["generationConfig"] == {"temperature": 1.7, "maxOutputTokens": 900, "seed": 3, "stopSequences": ["END"], "responseMimeType": "application/json",
                                        "responseJsonSchema": {"type": "object"}, "thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": True}}
    assert body["contents"] == [
        {"role": "user", "parts": [{"text": "See"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "X"}}}, {"functionCall": {"name": "clock", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "weather", "response": {"result": "rain"}}}, {"functionResponse": {"name": "clock", "response": {"hour": 7}}},
                                   {"text": "so?"}]}]
    m = r.choices[0].message
    assert r.choices[0].finish_reason == "tool_calls" and m.content == "I look." and m.reasoning_content == "Hm." and len(m.tool_calls) == 2
    assert "12345678901234567890123" in m.tool_calls[0].function.arguments and m.tool_calls[1].function.arguments == "{}"
    assert (r.usage.prompt_tokens, r.usage.completion_tokens, r.usage.completion_tokens_details.reasoning_tokens) == (10, 12, 7)
    again = [ASK["messages"][0], m.model_dump(), *[{"role": "tool", "tool_call_id": c.id, "content": "x"} for c in m.tool_calls]]
    client.chat.completions.create(model="m", messages=again)
    assert p.requests[-1].json["contents"][1]["parts"][1]["thoughtSignature"] == "c2ln", "the signature goes back on the part it came with"


def test_history_of_other_models_passes_gemini_3(gateway, provider):
    p, g, client = start(gateway, provider, lambda r: [http(200, answer({"text": "ok"}))], model="gemini-3-flash")
    calls = [{"id": f"c{i}", "type": "function", "function": {"name": "weather", "arguments": "{}"}} for i in range(2)]
    client.chat.completions.create(model="m", reasoning_effort="high", messages=[
        ASK["messages"][0], {"role": "assistant", "tool_calls": calls}, *[{"role": "tool", "tool_call_id": c["id"], "content": "x"} for c in calls]])
    parts = p.requests[0].json["contents"][1]["parts"]
    assert parts[0]["thoughtSignature"] == "skip_thought_signature_validator" and "thoughtSignature" not in parts[1]
    assert p.requests[0].json["generationConfig"]["thinkingConfig"]["thinkingLevel"] == "HIGH"


def test_messages_and_responses_reach_it(gateway, provider):
    def script(r):
        if ":stream" not in r.path:
            return [http(200, answer({"functionCall": {"name": "weather", "args": {"city": "X"}}}))]
        assert r.path.endswith(":streamGenerateContent") and r.query == "alt=sse" or "alt=sse" in r.path
        return [stream_head(), data(answer({"text": "Hm.", "thought": True}, finish=None)), data(answer({"text": "Hel"}, finish=None)), data(answer({"text": "lo"})), LAST_CHUNK]

    p, g, client = start(gateway, provider, script)
    claude = anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key="k", max_retries=0)
    r = claude.messages.create(model="m", max_tokens=50, messages=ASK["messages"], tools=[{"name": "weather", "input_schema": {"type": "object"}}])
    assert r.stop_reason == "tool_use" and r.content[0].input == {"city": "X"} and (r.usage.input_tokens, r.usage.cache_read_input_tokens) == (6, 4)
    with claude.messages.stream(model="m", max_tokens=50, messages=ASK["messages"]) as s:
        m = s.get_final_message()
    assert [b.type for b in m.content] == ["thinking", "text"] and m.content[1].text == "Hello" and m.stop_reason == "end_turn"
    with client.responses.stream(model="m", input="hi") as s:
        final = s.get_final_response()
    assert final.output_text == "Hello" and final.usage.output_tokens == 12


def test_refusals_and_errors(gateway, provider):
    p, g, client = start(gateway, provider, lambda r: [http(200, {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}})])
    r = client.chat.completions.create(**ASK)
    assert r.choices[0].finish_reason == "content_filter" and r.choices[0].message.content is None
    for status, body, expected in [
        (400, {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}, 502),
        (400, {"error": {"code": 400, "message": "The input token count (1) exceeds the maximum", "status": "INVALID_ARGUMENT"}}, 400),
        (429, {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}}, 429),
        (404, {"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}}, 502), (200, {"candidates": "x"}, 502), (200, {}, 502)]:
        p.script = lambda r: [http(status, body)]
        r = g.request("POST", "/v1/chat/completions", ASK)
        assert r.status == expected, (status, body, r.body)
        assert "API key" not in r.error["message"]
    p.script = lambda r: [stream_head(), data(answer({"text": "Hel"}, finish=None)), data({"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}}), LAST_CHUNK]
    r = g.request("POST", "/v1/chat/completions", {**ASK, "stream": True})
    assert b'"error"' in r.body and b"[DONE]" not in r.body
    r = g.request("POST", "/v1/chat/completions", {**ASK, "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}]})
    assert r.status == 400 and r.error["param"] == "messages.image"


@pytest.mark.parametrize("delay, seconds", [("34.07s", "35"), ("7s", "7"), ("soon", None), ("-1s", None), ("1e9s", None)])
def test_the_wait_that_google_asks_for_in_the_body_is_told(gateway, provider, delay, seconds):
    details = [{"@type": "type.googleapis.com/google.rpc.QuotaFailure"}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]
    body = {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED", "details": details}}
    p, g, _ = start(gateway, provider, lambda r: [http(429, body)])
    r = g.request("POST", "/v1/chat/completions", ASK)
    assert r.status == 429 and (r.headers.get("retry-after") == seconds if seconds else True)

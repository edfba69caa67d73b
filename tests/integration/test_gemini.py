"""Callers of Google's generateContent, with Google's own SDK: over chat completions, over Messages, and relayed."""
import base64
import json
import re
import urllib.error
import urllib.request

import pytest
from google import genai
from google.genai import errors, types

from mock_provider import LAST_CHUNK, chunk, http, stream_head
from test_over_gemini import exchanges

PNG = b"\x89PNG\xff\xfe\xfb\xef"      # spelled with - and _ by the SDK
WEATHER = types.Tool(function_declarations=[types.FunctionDeclaration(
    name="weather", description="Of a city", parameters=types.Schema(
        type="OBJECT", properties={"city": types.Schema(type="STRING", nullable=True)}, required=["city"]))])
USAGE = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19, "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}


def said(message, finish="stop"):
    return http(200, {"id": "c1", "object": "chat.completion", "model": "gpt-x", "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}], "usage": USAGE})


def streamed(*deltas, finish="stop"):
    events = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
    events += [{"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, {"choices": [], "usage": USAGE}]
    body = "".join(f"data: {json.dumps({'id': 'c1', 'object': 'chat.completion.chunk', 'model': 'gpt-x', **e})}\n\n" for e in events)
    return [stream_head(), chunk(body + "data: [DONE]\n\n"), LAST_CHUNK]


def start(gateway, provider, script, dialect="openai", vertex=False, **more):
    p = provider(script)
    base = p.url.removesuffix("/v1") + "/v1beta" if dialect == "gemini" else p.url
    g = gateway({"providers": {"p": {"dialect": dialect, "base_url": base, "api_key": "k", "allow_private_address": True}},
                 "models": {"m": {"targets": ["p/real"]}}, "breaker": "off", **more})
    root = g.url.removesuffix("/v1")
    if vertex:
        import google.auth.credentials
        return p, g, genai.Client(vertexai=True, project="p", location="l", http_options={"base_url": root}, credentials=Token())
    return p, g, genai.Client(api_key="sk-app", http_options={"base_url": root})


def Token():
    from google.oauth2.credentials import Credentials
    return Credentials(token="sk-app")


@pytest.mark.parametrize("vertex", [False, True])
def test_a_plain_answer_over_chat(gateway, provider, vertex):
    p, _, c = start(gateway, provider, lambda r: [said({"content": "Hello"})], vertex=vertex)
    r = c.models.generate_content(model="m", contents="hi", config={
        "system_instruction": "Be short", "temperature": 0.5, "top_k": 40, "max_output_tokens": 50, "stop_sequences": ["END"]})
    assert r.text == "Hello" and r.candidates[0].finish_reason == "STOP" and r.model_version == "gpt-x"
    u = r.usage_metadata
    assert (u.prompt_token_count, u.candidates_token_count, u.thoughts_token_count, u.cached_content_token_count, u.total_token_count) == (12, 5, 2, 4, 19)
    sent = p.requests[0].json
    assert sent["model"] == "real" and sent["stop"] == ["END"] and sent["temperature"] == 0.5 and sent["max_tokens"] == 50
    assert [m["role"] for m in sent["messages"]] == ["system", "user"]
    assert "authorization" in p.requests[0].headers and "sk-app" not in p.requests[0].head.decode()


def test_a_stream_over_chat(gateway, provider):
    p, _, c = start(gateway, provider, lambda r: streamed({"role": "assistant", "content": ""}, {"reasoning_content": "hm"}, {"content": "Hel"}, {"content": "lo"}, finish="length"))
    got = list(c.models.generate_content_stream(model="m", contents="hi", config={"thinking_config": {"include_thoughts": True}}))
    parts = [q for r in got for q in r.candidates[0].content.parts]
    assert "".join(q.text for q in parts if not q.thought) == "Hello" and "".join(q.text for q in parts if q.thought) == "hm"
    assert got[-1].candidates[0].finish_reason == "MAX_TOKENS" and got[-1].usage_metadata.total_token_count == 19
    assert p.requests[0].json["stream"] is True


CALLS = [{"id": "a1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}},
         {"id": "a2", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}]


@pytest.mark.parametrize("stream", [False, True])
def test_parallel_calls_and_their_results(gateway, provider, stream):
    def script(r):
        if len(r.json["messages"]) > 1:
            return streamed({"content": "Warm"}) if stream else [said({"content": "Warm"})]
        if not stream:
            return [said({"content": None, "tool_calls": CALLS}, "tool_calls")]
        pieces = [{"tool_calls": [{"index": i, **call, "function": {**call["function"], "arguments": ""}}]} for i, call in enumerate(CALLS)]
        for at in range(0, 15, 5):    # the arguments of both come mixed
            pieces += [{"tool_calls": [{"index": i, "function": {"arguments": call["function"]["arguments"][at:at + 5]}}]} for i, call in enumerate(CALLS)]
        return streamed(*pieces, finish="tool_calls")

    p, _, c = start(gateway, provider, script)
    config = types.GenerateContentConfig(tools=[WEATHER], tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": ["weather"]}})

    def ask(contents):
        if not stream:
            return [c.models.generate_content(model="m", contents=contents, config=config)]
        return list(c.models.generate_content_stream(model="m", contents=contents, config=config))

    got = ask("weather?")
    calls = [f for r in got for f in r.function_calls or []]
    assert [(f.id, f.name, f.args) for f in calls] == [("a1", "weather", {"city": "Rome"}), ("a2", "weather", {"city": "Oslo"})]
    assert got[-1].candidates[0].finish_reason == "STOP"
    tool = p.requests[0].json["tools"][0]["function"]
    assert tool["parameters"] == {"type": "object", "properties": {"city": {"type": ["string", "null"]}}, "required": ["city"]}
    assert p.requests[0].json["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    history = [types.UserContent("weather?"), *(r.candidates[0].content for r in got),
               types.Content(role="user", parts=[types.Part.from_function_response(name="weather", response={"result": d}) for d in ("31", "4")])]
    assert "".join(r.text or "" for r in ask(history)) == "Warm"
    sent = p.requests[1].json["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "tool", "tool"]
    assert [(m["tool_call_id"], m["content"]) for m in sent[2:]] == [("a1", "31"), ("a2", "4")]


def test_images_and_a_schema(gateway, provider):
    p, _, c = start(gateway, provider, lambda r: [said({"content": '{"n":1}'})])
    r = c.models.generate_content(model="m", contents=["what", types.Part.from_bytes(data=PNG, mime_type="image/png")], config={
        "response_mime_type": "application/json", "response_schema": {"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}})
    assert json.loads(r.text) == {"n": 1}
    sent = p.requests[0].json
    assert sent["messages"][0]["content"][1]["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object", "properties": {"n": {"type": "integer"}}}


def test_thoughts_of_another_vendor_find_their_way_back(gateway, provider):
    def script(r):
        return [http(200, {"id": "m1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn", "stop_sequence": None,
                           "content": [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "redacted_thinking", "data": "cmVk"}, {"type": "text", "text": "Hi"}],
                           "usage": {"input_tokens": 3, "output_tokens": 2}})]

    p, _, c = start(gateway, provider, script, "anthropic")
    ask = {"thinking_config": {"include_thoughts": True, "thinking_budget": 2048}, "max_output_tokens": 4096}
    r = c.models.generate_content(model="m", contents="hi", config=ask)
    assert r.text == "Hi" and r.candidates[0].content.parts[0].thought
    assert p.requests[0].json["thinking"]["type"] == "enabled"
    c.models.generate_content(model="m", contents=[types.UserContent("hi"), r.candidates[0].content, types.UserContent("more")], config=ask)
    assert p.requests[1].json["messages"][1]["content"] == [{"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "redacted_thinking", "data": "cmVk"}, {"type": "text", "text": "Hi"}]


@pytest.mark.parametrize("status,of", [(429, errors.ClientError), (500, errors.ServerError)])
def test_errors_have_googles_shape(gateway, provider, status, of):
    _, _, c = start(gateway, provider, lambda r: [http(status, {"error": {"message": "no", "type": "x"}})])
    with pytest.raises(of) as e:
        c.models.generate_content(model="m", contents="hi")
    assert e.value.status in ("RESOURCE_EXHAUSTED", "INTERNAL")
    with pytest.raises(errors.ClientError) as e:
        c.models.generate_content(model="nobody", contents="hi")
    assert (e.value.code, e.value.status) == (404, "NOT_FOUND")
    with pytest.raises(errors.ClientError) as e:
        c.models.generate_content(model="m", contents="hi", config={"cached_content": "cachedContents/x"})
    assert e.value.code == 400 and "cachedContent" in e.value.message


def test_a_broken_stream_ends_with_googles_error(gateway, provider):
    _, _, c = start(gateway, provider, lambda r: streamed({"content": "Hel"})[:1] + [chunk('data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n'), ("close",)])
    with pytest.raises(errors.APIError):
        for _ in c.models.generate_content_stream(model="m", contents="hi"):
            pass


def test_google_to_google_is_relayed(gateway, provider):
    answer = {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "Hi", "thoughtSignature": "c2ln"}]}, "finishReason": "STOP", "new": 1}],
              "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}, "modelVersion": "real"}

    def script(r):
        if "countTokens" in r.path:
            return [http(200, {"totalTokens": 9})]
        if "stream" in r.path:
            return [stream_head(), chunk(f"data: {json.dumps(answer)}\r\n\r\n"), LAST_CHUNK]
        return [http(200, answer)]

    p, _, c = start(gateway, provider, script, "gemini")
    assert c.models.generate_content(model="m", contents="hi", config={"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]}).text == "Hi"
    assert [r.text for r in c.models.generate_content_stream(model="m", contents="hi")] == ["Hi"]
    assert c.models.count_tokens(model="m", contents="hi").total_tokens == 9
    assert [r.path for r in p.requests] == [f"/v1beta/models/real:{v}" for v in ("generateContent", "streamGenerateContent?alt=sse", "countTokens")]
    assert p.requests[0].json["safetySettings"] and p.requests[0].headers["x-goog-api-key"] == "k"


def test_tokens_are_estimated_where_nobody_counts(gateway, provider):
    _, _, c = start(gateway, provider, lambda r: [said({"content": "x"})])
    few, many = (c.models.count_tokens(model="m", contents="word " * n).total_tokens for n in (2, 400))
    assert 0 < few < 100 < many


def test_models_are_listed_as_google_does(gateway, provider):
    _, g, c = start(gateway, provider, lambda r: [said({"content": "x"})])
    assert "models/m" in [m.name for m in c.models.list()]
    assert c.models.get(model="m").name == "models/m"


def test_the_key_in_the_query_counts_on_googles_paths_alone(gateway, provider):
    p, g, _ = start(gateway, provider, lambda r: [said({"content": "x"})], keys=[{"name": "app", "secret": "sk-weir-0123456789abcdef"}])
    root = g.url.removesuffix("/v1")

    def ask(path, body):
        try:
            return urllib.request.urlopen(urllib.request.Request(root + path, json.dumps(body).encode(), {"content-type": "application/json"})).status
        except urllib.error.HTTPError as e:
            return e.code

    contents = {"contents": [{"parts": [{"text": "hi"}]}]}
    assert ask("/v1beta/models/m:generateContent?key=sk-weir-0123456789abcdef", contents) == 200
    assert ask("/v1beta/models/m:generateContent?key=wrong", contents) == 401
    assert ask("/v1/chat/completions?key=sk-weir-0123456789abcdef", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}) == 401
    assert ask("/v1beta/models/m:streamGenerateContent?key=sk-weir-0123456789abcdef", contents) == 400
    assert "sk-weir" not in p.requests[0].head.decode()


@pytest.mark.parametrize("body,field", [
    ({"contents": []}, "contents"), ({"contents": [{"role": "bot", "parts": []}]}, "contents[0].role"),
    ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0]"), ({"contents": [{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}]}, "contents[0].parts[0].functionResponse"),
    ({"contents": [{"parts": [{"inlineData": {"data": "AA=="}}]}]}, "contents[0].parts[0].inlineData"),
    ({"contents": [{"parts": [{"text": "x"}]}], "generationConfig": {"maxOutputTokens": "many"}}, "generationConfig.maxOutputTokens")])
def test_what_is_wrong_is_named(gateway, provider, body, field):
    _, g, _ = start(gateway, provider, lambda r: [said({"content": "x"})])
    asked = urllib.request.Request(g.url.removesuffix("/v1") + "/v1beta/models/m:generateContent", json.dumps(body).encode(), {"content-type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(asked)
    error = json.loads(e.value.read())["error"]
    assert e.value.code == error["code"] == 400 and error["status"] == "INVALID_ARGUMENT" and f"`{field}`" in error["message"]


def test_recorded_requests_are_read(gateway, provider):
    """What real clients sent to Google goes to a chat target; only what it cannot carry is refused, and named."""
    p, g, _ = start(gateway, provider, lambda r: [said({"content": "x"})], models={"m": {"targets": ["p/real"], "on_unsupported": "drop"}})
    url = g.url.removesuffix("/v1") + "/v1beta/models/m:generateContent"
    read = 0
    for x in exchanges():
        asked = x["request"] if isinstance(x["request"], dict) else json.loads(x["request"])
        request = urllib.request.Request(url, json.dumps(asked).encode(), {"content-type": "application/json"})
        try:
            urllib.request.urlopen(request).read()
        except urllib.error.HTTPError as e:
            if asked["contents"][0].get("role") == "invalid_role":    # Google refused it, too
                continue
            pytest.fail(f"{e.read().decode()}: {json.dumps(asked)[:600]}")
        read += 1
        sent = p.requests[-1].json
        parts = [{re.sub("_(.)", lambda m: m[1].upper(), k): v for k, v in q.items()} for c in asked["contents"] for q in c.get("parts", [])]
        assert sum(len(m.get("tool_calls") or []) for m in sent["messages"]) == sum("functionCall" in q for q in parts)
        assert sum(m["role"] == "tool" for m in sent["messages"]) == sum("functionResponse" in q for q in parts)
        texts = "".join(q["text"] for q in parts if "text" in q and not q.get("thought"))
        said_there = "".join(m["content"] if isinstance(m["content"], str) else "".join(c.get("text", "") for c in m["content"] or [])
                             for m in sent["messages"] if m["role"] in ("user", "assistant"))
        assert said_there.replace("\n", "") == texts.replace("\n", "")
        assert len(sent.get("tools", [])) == sum(len(t.get("functionDeclarations") or t.get("function_declarations") or []) for t in asked.get("tools", []))
    assert read > 50

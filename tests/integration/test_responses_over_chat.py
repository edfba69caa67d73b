"""Callers of OpenAI's Responses over targets that speak something else: the real SDK, its own gathering of events, errors."""
import json

import openai
import pytest

from mock_provider import LAST_CHUNK, chunk, completion, good_stream, http, stream_head
from test_messages import call_pieces, chat_stream, config_of, event, message, piece

TOOLS = [{"type": "function", "name": "weather", "description": "Of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}, "strict": False},
         {"type": "custom", "name": "patch", "description": "Any text"}, {"type": "web_search"}]
ASK = {"model": "m", "input": "hi"}


def start(gateway, provider, script, **more):
    p = provider(script)
    g = gateway({"providers": {"chat": {"dialect": "openai", "responses": "translate", "base_url": p.url, "allow_private_address": True}},
                 "models": {"m": {"targets": ["chat/small"]}}, **more})
    return p, g, openai.OpenAI(base_url=g.url, api_key="sk-app", max_retries=0)


def events(body):
    found = [json.loads(line[6:]) for line in body.decode().split("\n") if line.startswith("data: ")]
    assert [e["sequence_number"] for e in found] == list(range(len(found)))
    return found


def test_a_whole_conversation(gateway, provider):
    calls = [{"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"K\\u0000\"}"}},
             {"id": "call_b", "type": "function", "function": {"name": "patch", "arguments": "{\"input\": \"*** Begin\\n+a\"}"}}]
    answer = {**completion(), "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "I look.", "tool_calls": calls}}],
              "usage": {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27, "prompt_tokens_details": {"cached_tokens": 5}}}
    p, g, client = start(gateway, provider, lambda r: [http(200, answer)])
    r = client.responses.create(
        model="m", instructions="Be brief.", max_output_tokens=99, temperature=0.2, tools=TOOLS, tool_choice="required", parallel_tool_calls=False, store=False,
        text={"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}},
        input=[{"role": "user", "content": [{"type": "input_text", "text": "See"}, {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}]},
               {"type": "reasoning", "id": "rs_1", "summary": []},
               {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "one", "annotations": []}]},
               {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{\"city\":\"X\"}"},
               {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "say \"a\""},
               {"type": "function_call_output", "call_id": "c1", "output": "rain"}, {"type": "custom_tool_call_output", "call_id": "c2", "output": "done"},
               {"role": "user", "content": "so?"}])
    body = p.requests[0].json
    assert p.requests[0].path == "/v1/chat/completions" and body["max_tokens"] == 99 and body["tool_choice"] == "required" and body["parallel_tool_calls"] is False
    assert [t["function"]["name"] for t in body["tools"]] == ["weather", "patch"] and body["response_format"]["json_schema"]["strict"] is True
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}]},
        {"role": "assistant", "content": "one", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"X\"}"}},
            {"id": "c2", "type": "function", "function": {"name": "patch", "arguments": "{\"input\":\"say \\\"a\\\"\"}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"}, {"role": "tool", "tool_call_id": "c2", "content": "done"}, {"role": "user", "content": "so?"}]
    assert [o.type for o in r.output] == ["message", "function_call", "custom_tool_call"] and r.output_text == "I look." and r.status == "completed"
    assert r.output[1].call_id == "call_a" and json.loads(r.output[1].arguments) == {"city": "K\0"} and r.output[2].input == "*** Begin\n+a"
    assert (r.usage.input_tokens, r.usage.output_tokens, r.usage.total_tokens, r.usage.input_tokens_details.cached_tokens) == (20, 7, 27, 5)
    raw = g.request("POST", "/v1/responses", {**ASK, "tools": TOOLS, "truncation": "auto"})
    assert raw.headers["x-weir-dropped"] == "tools,truncation" and raw.json["id"].startswith("resp_")


@pytest.mark.parametrize("cut", [False, True])
def test_the_sdks_own_gathering_of_a_stream(gateway, provider, cut):
    def script(r):
        steps = chat_stream(*call_pieces())
        if not cut:
            return steps
        data = b"".join(s.split(b"\r\n", 1)[1][:-2] for s in steps[1:-1])
        return [steps[0], *[chunk(data[i:i + 1]) for i in range(len(data))], LAST_CHUNK]

    p, g, client = start(gateway, provider, script)
    with client.responses.stream(**ASK) as s:
        types = [e.type for e in s]
        r = s.get_final_response()
    assert types[:2] == ["response.created", "response.in_progress"] and types[-1] == "response.completed"
    assert r.output_text == "I look." and [(o.call_id, json.loads(o.arguments)) for o in r.output[1:]] == [("call_a", {"city": "Köln"}), ("call_b", {"city": "Bonn"})]
    assert (r.usage.input_tokens, r.usage.output_tokens) == (20, 7)
    found = events(g.request("POST", "/v1/responses", {**ASK, "stream": True}).body)
    done = [e["item"] for e in found if e["type"] == "response.output_item.done"]
    assert done == found[-1]["response"]["output"] and [e["output_index"] for e in found if e["type"] == "response.output_item.added"] == [0, 1, 2]
    deltas = "".join(e["delta"] for e in found if e["type"] == "response.function_call_arguments.delta" and e["output_index"] == 1)
    assert deltas == done[1]["arguments"]


def test_thoughts_cross_to_anthropic_and_back(gateway, provider):
    def script(r):
        steps = [event("message_start", message={**message(), "content": [], "stop_reason": None}),
                 event("content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""}),
                 event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "Hm."}),
                 event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "c2ln"}), event("content_block_stop", index=0),
                 event("content_block_start", index=1, content_block={"type": "text", "text": ""}),
                 event("content_block_delta", index=1, delta={"type": "text_delta", "text": "Hello"}), event("content_block_stop", index=1),
                 event("message_delta", delta={"stop_reason": "max_tokens", "stop_sequence": None}, usage={"output_tokens": 9}), event("message_stop")]
        return [stream_head(), *steps, LAST_CHUNK]

    p = provider(script)
    g = gateway(config_of(p))
    client = openai.OpenAI(base_url=g.url, api_key="k", max_retries=0)
    with client.responses.stream(**ASK, reasoning={"effort": "low", "summary": "auto"}) as s:
        types = [e.type for e in s]
        final = [e for e in types if e.startswith("response.incomplete")]
    assert final and p.requests[0].json["thinking"]["budget_tokens"] == 1024
    found = events(g.request("POST", "/v1/responses", {**ASK, "stream": True}).body)
    response = found[-1]["response"]
    assert found[-1]["type"] == "response.incomplete" and response["incomplete_details"] == {"reason": "max_output_tokens"}
    thought, text = response["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "Hm."}] and text["content"][0]["text"] == "Hello"
    g.request("POST", "/v1/responses", {"model": "m", "stream": True, "input": [{"role": "user", "content": "hi"}, thought, text, {"role": "user", "content": "on"}]})
    assert p.requests[-1].json["messages"][1]["content"] == [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, {"type": "text", "text": "Hello"}]


def test_what_needs_a_keeper_is_refused(gateway, provider):
    p, g, client = start(gateway, provider, lambda r: [http(200, completion())])
    for more, field in [({"previous_response_id": "resp_1"}, "previous_response_id"), ({"background": True}, "background"), ({"conversation": "c"}, "conversation"),
                        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"), ({"input": 5}, "input"),
                        ({"input": [{"role": "user", "content": [{"type": "odd"}]}]}, "input[0].content[0].type"),
                        ({"input": [{"type": "function_call", "name": "x", "arguments": ""}]}, "input[0].call_id")]:
        r = g.request("POST", "/v1/responses", {**ASK, **more})
        assert r.status == 400 and r.error["param"] == field and f"`{field}`" in r.error["message"], more
    assert not p.requests and g.request("GET", "/v1/responses/resp_1").status == 400


def test_breaks_and_errors(gateway, provider):
    p, g, client = start(gateway, provider, lambda r: [stream_head(), piece({"content": "Hel"}), ("reset",)])
    r = g.request("POST", "/v1/responses", {**ASK, "stream": True})
    assert b"event: response.failed" in r.body and b"response.completed" not in r.body
    p.script = lambda r: [http(200, {"choices": []})]
    assert g.request("POST", "/v1/responses", ASK).status == 502
    p.script = lambda r: [http(400, {"error": {"message": "no such field", "type": "invalid_request_error", "param": "x", "code": None}})]
    with pytest.raises(openai.BadRequestError) as e:
        client.responses.create(**ASK)
    assert "no such field" in str(e.value)


@pytest.mark.parametrize("pieces, whole", [(3, True), (12, False)])
def test_an_answer_too_large_for_the_last_event_is_no_success(gateway, provider, pieces, whole):
    """The last events of Responses repeat the whole answer, which has a ceiling of 4 MiB."""
    words = "word " * 80000
    p, g, _ = start(gateway, provider, lambda r: good_stream([words] * pieces))
    r = g.request("POST", "/v1/responses", {"model": "m", "input": "hi", "stream": True}, timeout=60)
    assert r.status == 200 and r.body.count(b"response.output_text.delta\"") >= min(pieces, 8)
    assert (b'"type":"response.completed"' in r.body) is whole
    assert (b'"type":"response.failed"' in r.body or b'"type":"error"' in r.body) is not whole

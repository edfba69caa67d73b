"""Answers that break where it is hard to see: what is not whole is never told as whole, relayed or translated."""
import json

import pytest

from mock_provider import LAST_CHUNK, chunk, stream_head

ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True, "max_tokens": 50}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "openai-responses": "/v1/responses"}


def event(d, name=None):
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(d)}\n\n"


def delta(text=None, index=0, finish=None):
    return event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                  "choices": [{"index": index, "delta": {"content": text} if text else {}, "finish_reason": finish}]})


RESPONSE = {"id": "r", "object": "response", "status": "completed", "model": "m", "output": [], "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}
# What a provider says, without its last event; and that event.
STREAMS = {
    "openai": (delta("Hel") + delta("lo"), delta(finish="stop")),
    "anthropic": (event({"type": "message_start", "message": {"id": "x", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None,
                                                             "usage": {"input_tokens": 1, "output_tokens": 1}}}, "message_start") +
                  event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}, "content_block_start") +
                  event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}}, "content_block_delta"),
                  event({"type": "message_stop"}, "message_stop")),
    "openai-responses": (event({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "i", "delta": "Hello"}, "response.output_text.delta"),
                         event({"type": "response.completed", "response": RESPONSE}, "response.completed")),
}


def talk(gateway, provider, dialect, body):
    p = provider(lambda r: [stream_head(), chunk(body), LAST_CHUNK])
    g = gateway({"providers": {"v": {"dialect": dialect, "base_url": p.url, "api_key": "sk-x", "allow_private_address": True,
                                   **({"responses": "translate"} if dialect == "openai" else {})}},
                 "models": {"m": {"targets": ["v/m"]}}, "breaker": "off", "workers": 1})

    def ask(path, **more):
        a = {**ASK, **more}
        if path == "/v1/responses":
            a = {"model": "m", "input": "hi", "stream": True}
        return g.request("POST", path, a)
    return ask


def is_good(text):
    """As a client reads it: events are parted by blank lines."""
    last = [e for e in text.split("\n\n") if e.strip()][-1].split("\n")
    names, data = [x[7:] for x in last if x.startswith("event: ")], [x[6:] for x in last if x.startswith("data: ")]
    assert len(names) < 2 and len(data) == 1, last
    return data[0] == "[DONE]" or json.loads(data[0]).get("type") in ("message_stop", "response.completed")


@pytest.mark.parametrize("caller", PATHS)
@pytest.mark.parametrize("dialect", STREAMS)
def test_half_a_last_event_is_no_end(gateway, provider, dialect, caller):
    said, last = STREAMS[dialect]
    for cut in (len(last) - 6, len(last) // 2, len(last.split("data")[0]) + 2 if "event" in last else 3):
        text = talk(gateway, provider, dialect, said + last[:cut])(PATHS[caller]).body.decode()
        assert "lo" in text and "error" in text or "response.failed" in text, text
        assert not is_good(text), text
    text = talk(gateway, provider, dialect, said + last.rstrip())(PATHS[caller]).body.decode()
    assert is_good(text) and "error" not in text.replace('"error":null', ""), "only the blank line is missing"


def test_one_finish_of_several_is_no_end(gateway, provider):
    two = delta("a") + delta("b", 1) + delta(index=0, finish="stop")
    ask = talk(gateway, provider, "openai", two)
    text = ask("/v1/chat/completions", n=2).body.decode()
    assert '"error"' in text and "[DONE]" not in text
    whole = talk(gateway, provider, "openai", two + delta(index=1, finish="stop") + "data: [DONE]\n\n")
    assert "[DONE]" in whole("/v1/chat/completions", n=2).body.decode()


def test_arguments_over_several_lines_stay_in_their_event(gateway, provider):
    """A provider's own line ends in a call's arguments are white space, and no end of a caller's event."""
    arguments = json.dumps(json.dumps({"city": "Köln", "days": [1, 2]}, indent=2))
    call = event({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": "@"}}]},
                               "finish_reason": None}]}).replace('"@"', arguments)
    p = provider(lambda r: [stream_head(), chunk(call + delta(finish="tool_calls") + "data: [DONE]\n\n"), LAST_CHUNK])
    g = gateway({"providers": {"v": {"dialect": "openai", "base_url": p.url, "api_key": "sk-x", "allow_private_address": True}}, "models": {"m": {"targets": ["v/m"]}}})
    r = g.request("POST", "/v1beta/models/m:streamGenerateContent?alt=sse", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    events = [json.loads(e.removeprefix("data: ")) for e in r.body.decode().split("\r\n\r\n") if e]
    calls = [p["functionCall"] for e in events for c in e["candidates"] for p in c["content"]["parts"] if "functionCall" in p]
    assert calls[0]["args"] == {"city": "Köln", "days": [1, 2]}


@pytest.mark.parametrize("wrong", ['{"choices":[{"delta":{"content":"x}]}', '{"id":"a\x04b","choices":[]}', "[1,", '{"a":' * 100 + "1" + "}" * 100])
def test_an_event_that_is_no_json_is_a_break_for_whom_it_is_translated(gateway, provider, wrong):
    ask = talk(gateway, provider, "openai", delta("Hel") + f"data: {wrong}\n\n" + delta("lo") + delta(finish="stop") + "data: [DONE]\n\n")
    text = ask("/v1/responses").body.decode()
    assert "response.failed" in text and "response.completed" not in text


PLAIN = {
    "openai": {"id": "c", "object": "chat.completion", "created": 1, "model": "m",
               "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]},
    "anthropic": {"id": "x", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn",
                  "usage": {"input_tokens": 1, "output_tokens": 1}},
    "openai-responses": {**RESPONSE, "output": [{"type": "message", "id": "i", "role": "assistant", "status": "completed",
                                                "content": [{"type": "output_text", "text": "Hello", "annotations": []}]}]},
    "gemini": {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP"}]},
    "bedrock": {"output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}}, "stopReason": "end_turn"},
    "cohere": {"id": "x", "message": {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}, "finish_reason": "COMPLETE"},
}
HOLDERS = {"openai": "choices", "anthropic": "content", "openai-responses": "output", "gemini": "candidates", "bedrock": "output", "cohere": "message"}


@pytest.mark.parametrize("dialect", PLAIN)
def test_plain_answers_that_make_no_sense_are_a_502(gateway, provider, dialect):
    good = json.dumps(PLAIN[dialect])
    bad = [good[:n] for n in (1, len(good) // 3, len(good) - 1)] + ["[]", "null", '"Hello"', "7", good + "}", "[" * 100 + "]" * 100, '{"a":' * 100 + "1" + "}" * 100]
    bad += [json.dumps({**PLAIN[dialect], HOLDERS[dialect]: v}) for v in ("Hello", 7, None, True)]
    current = {}
    p = provider(lambda r: [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(current["body"]), current["body"].encode()])
    g = gateway({"providers": {"v": {"dialect": dialect, "base_url": p.url, "api_key": "sk-x", "allow_private_address": True}},
                 "models": {"m": {"targets": ["v/m"]}}, "breaker": "off", "workers": 1})
    for body in bad:
        current["body"] = body
        r = g.request("POST", "/v1/chat/completions", {"model": "m", "messages": ASK["messages"]})
        assert r.status == 502 and r.error["message"], (body[:80], r.status, r.body[:200])
    current["body"] = good
    r = g.request("POST", "/v1/chat/completions", {"model": "m", "messages": ASK["messages"]})
    assert r.status == 200 and r.json["choices"][0]["message"]["content"] == "Hello"

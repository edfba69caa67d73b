"""Plain answers and streams through one provider: bytes arrive as they were sent."""
import json
import socket
import time

import pytest

from mock_provider import (LAST_CHUNK, chunk, completion, delta, event, http, stream_head, usage_event)
from weir import CHAT, Raw, post, until


def test_plain_answer_is_relayed_byte_for_byte(gateway, provider, config):
    answer = b'{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"\\u00e9\\ud83d\\ude00"}}],  "n":1.0E+2,"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}'
    p = provider(lambda r: [http(200, answer)])
    g = gateway(config(p))
    r = g.chat()
    assert r.status == 200 and r.body == answer
    assert r.headers["content-type"] == "application/json"
    assert r.headers["x-request-id"] == r.headers["request-id"]
    assert r.headers["x-weir-target"] == "first/mock" and r.headers["x-weir-attempts"] == "1"


def test_request_body_keeps_its_bytes_but_for_the_model(gateway, provider, config):
    """Users' demands 33 and 54: cache_control and unknown fields arrive."""
    p = provider()
    g = gateway(config(p))
    body = '{ "zeta" : 18446744073709551617, "model":"m" ,"messages":[{"role":"user","content":"h\\u0069 \\ud800"}],"t":0.70,"o":{"b":1,"a":-0.0}}'
    assert g.request("POST", "/v1/chat/completions", body).status == 200
    assert p.requests[0].body.decode() == body.replace('"m"', '"mock"')


def test_our_credential_goes_out_and_nothing_of_the_callers_head(gateway, provider, config):
    p = provider()
    g = gateway(config(p))
    g.chat(headers={"Authorization": "Bearer sk-callers-own", "Cookie": "a=b", "X-Forwarded-For": "6.6.6.6",
                    "OpenAI-Organization": "org", "X-Api-Base": "http://evil"})
    head = p.requests[0].head.decode()
    assert p.requests[0].headers["authorization"] == "Bearer sk-first-vendor"
    for word in ("callers-own", "6.6.6.6", "cookie", "evil", "org"):
        assert word not in head.lower()


def test_stream_is_relayed_event_by_event(gateway, provider, config):
    p = provider()
    g = gateway(config(p))
    r = g.chat(stream=True, stream_options={"include_usage": True})
    expected = "".join([delta("", role="assistant"), delta("Hel"), delta("lo"), delta(finish="stop"), usage_event(),
                        event("[DONE]")])
    assert r.status == 200 and r.body.decode() == expected
    assert r.headers["content-type"].startswith("text/event-stream")
    assert r.headers["x-accel-buffering"] == "no"


@pytest.mark.parametrize("options, sent", [
    ('', '"stream_options":{"include_usage":true},'),
    (',"stream_options":null', None),
    (',"stream_options":{}', None),
    (',"stream_options":{"include_usage":false,"x":1}', None),
    (',"stream_options":{"include_obfuscation":false}', None),
])
def test_usage_is_always_asked_for_and_withheld_when_the_caller_did_not(gateway, provider, config, options, sent):
    """Users' demand 27."""
    p = provider()
    g = gateway(config(p))
    body = '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true%s}' % options
    r = g.request("POST", "/v1/chat/completions", body)
    assert p.requests[0].json["stream_options"]["include_usage"] is True
    assert "usage" not in r.body.decode() and r.body.endswith(b"data: [DONE]\n\n")
    record = g.access()[-1]
    assert record["tokens"]["input"] == 10 and record["tokens"]["output"] == 3


def test_stream_cut_at_every_byte_arrives_unchanged(gateway, provider, config):
    events = (delta("", role="assistant") + ": ping\r\n\r\n" + delta("é→😀").replace("\n\n", "\r\n\r\n") + delta("x").replace("\n\n", "\r\r")
              + delta(finish="stop") + event("[DONE]")).encode()
    p = provider(lambda r: [stream_head()] + [chunk(events[i:i + 1]) for i in range(len(events))] + [LAST_CHUNK])
    g = gateway(config(p))
    assert g.chat(stream=True, stream_options={"include_usage": True}).body == events


def test_first_token_leaves_at_once(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("one")), ("sleep", 0.5), chunk(delta("two", finish="stop")),
                            chunk(event("[DONE]")), LAST_CHUNK])
    g = gateway(config(p))
    c = Raw(g.port)
    c.send(post({**CHAT, "stream": True}))
    status, _ = c.read_head()
    size = int(c.line(), 16)
    first = c.take(size)
    assert status == 200 and b"one" in first and b"two" not in first


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions", "/v1/v1/chat/completions",
                                  "/v1/chat/completions/"])
def test_wrong_base_urls_are_forgiven(gateway, provider, config, path):
    p = provider()
    g = gateway(config(p))
    assert g.chat(path=path).status == 200
    assert p.requests[0].path == "/v1/chat/completions"


@pytest.mark.parametrize("path, body", [
    ("/v1/completions", {"model": "m", "prompt": "hi"}),
    ("/v1/embeddings", {"model": "m", "input": "hi"}),
    ("/v1/responses", {"model": "m", "input": "hi"}),
    ("/v1/moderations", {"model": "m", "input": "hi"}),
    ("/v1/rerank", {"model": "m", "query": "q", "documents": ["a"]}),
    ("/v1/images/generations", {"model": "m", "prompt": "a cat"}),
    ("/v1/audio/speech", {"model": "m", "input": "hi", "voice": "a"}),
])
def test_every_json_endpoint_is_relayed(gateway, provider, config, path, body):
    p = provider(lambda r: [http(200, '{"ok":true,"usage":{"total_tokens":3}}')])
    g = gateway(config(p))
    r = g.request("POST", path, body)
    assert r.status == 200 and r.json["ok"] is True
    assert p.requests[0].path == path and p.requests[0].json["model"] == "mock"


def test_audio_bytes_come_through(gateway, provider, config):
    sound = bytes(range(256)) * 9000
    p = provider(lambda r: [http(200, sound, "audio/mpeg")])
    g = gateway(config(p))
    r = g.request("POST", "/v1/audio/speech", {"model": "m", "input": "hi", "voice": "a"})
    assert r.body == sound and r.headers["content-type"] == "audio/mpeg"


def test_multipart_finds_the_model_and_replaces_it(gateway, provider, config):
    p = provider(lambda r: [http(200, {"text": "words"})])
    g = gateway(config(p))
    b = "xxBOUNDxx"
    body = (f'--{b}\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n\r\nRIFF\r\n--{b}\r\n'
            f'Content-Disposition: form-data; name="model"\r\n\r\nm\r\n--{b}--\r\n')
    r = g.request("POST", "/v1/audio/transcriptions", body, {"content-type": f"multipart/form-data; boundary={b}"})
    assert r.status == 200
    assert p.requests[0].body.decode() == body.replace("\r\n\r\nm\r\n", "\r\n\r\nmock\r\n")


def test_files_are_streamed_to_the_provider(gateway, provider, config):
    p = provider(lambda r: [http(200, {"id": "file-1"})])
    g = gateway(config(p))
    b = "BOUND"
    content = b"0123456789abcdef" * 65536 * 4
    body = (f'--{b}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n').encode() + content + f"\r\n--{b}--\r\n".encode()
    r = g.request("POST", "/v1/files", body, {"content-type": f"multipart/form-data; boundary={b}"})
    assert r.status == 200 and r.json["id"] == "file-1"
    assert p.requests[0].body == body
    assert g.request("GET", "/v1/files/file-1/content").status == 200
    assert p.requests[1].path == "/v1/files/file-1/content"


def test_embeddings_become_base64_when_asked(gateway, provider, config):
    import base64
    import struct
    p = provider(lambda r: [http(200, {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1.25, 3]}],
                                       "usage": {"prompt_tokens": 2, "total_tokens": 2}})])
    g = gateway(config(p))
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": "x", "encoding_format": "base64"})
    assert struct.unpack("<3f", base64.b64decode(r.json["data"][0]["embedding"])) == (0.5, -1.25, 3.0)
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": "x"})
    assert r.json["data"][0]["embedding"] == [0.5, -1.25, 3]


def test_models_are_listed_for_both_dialects(gateway, provider, config):
    g = gateway(config(provider()))
    listed = g.get("/v1/models").json
    assert [m["id"] for m in listed["data"]] == ["m", "first/mock"]
    assert listed["has_more"] is False and listed["first_id"] == "m"
    assert listed["data"][0]["type"] == "model" and listed["data"][0]["created_at"]
    assert g.get("/v1/models/first%2Fmock").json["id"] == "first/mock"
    assert g.get("/v1/models/first/mock").json["id"] == "first/mock"
    assert g.get("/v1/models/none").status == 404


def test_large_plain_answer_is_passed_on_as_it_comes(gateway, provider, config):
    text = "x" * (3 << 20)
    p = provider(lambda r: [http(200, completion(text))])
    g = gateway(config(p))
    r = g.chat()
    assert r.json["choices"][0]["message"]["content"] == text
    assert g.access()[-1]["tokens"]["input"] == 10


def test_slow_reader_pauses_the_provider(gateway, provider, config):
    big = delta("y" * 20000)

    def script(r):
        return [stream_head()] + [chunk(big)] * 1000 + [chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK]
    p = provider(script)
    g = gateway(config(p))
    before = g.rss()
    c = Raw(g.port)
    c.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    c.send(post({**CHAT, "stream": True}))
    time.sleep(1)
    assert g.rss() - before < 12 << 20
    c.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)  # else a tiny window makes the rest crawl
    r = c.read()
    assert r.body.count(b"yyyy") and r.body.endswith(b"data: [DONE]\n\n") and len(r.body) > 20000000


def test_demo_answers_without_any_provider(gateway):
    g = gateway(env={"WEIR_LOG_LEVEL": "debug"})
    r = g.chat("demo/echo", "Good morning")
    assert "Good morning" in r.json["choices"][0]["message"]["content"]
    r = g.chat("demo/echo", "Good morning", stream=True)
    text = "".join(json.loads(line[6:])["choices"][0]["delta"].get("content", "") for line in r.body.decode().split("\n\n")
                   if line.startswith("data: {"))
    assert text.endswith("Good morning") and r.body.endswith(b"data: [DONE]\n\n")
    r = g.request("POST", "/v1/responses", {"model": "demo/echo", "input": "Good morning"})
    assert r.json["object"] == "response" and r.json["output"][0]["content"][0]["text"].endswith("Good morning")
    r = g.request("POST", "/v1/messages", {"model": "demo/echo", "max_tokens": 9, "messages": [{"role": "user", "content": "Good morning"}]})
    assert r.json["type"] == "message" and r.json["content"][0]["text"].endswith("Good morning")


def test_metrics_and_health(gateway, provider, config):
    g = gateway(config(provider()))
    g.chat()
    until(lambda: g.metric("weir_requests_total", endpoint="chat", model="m"))      # counted once the answer has left
    assert g.metric("weir_requests_total", endpoint="chat", model="m") == 1
    assert g.metric("weir_tokens_total", type="input") == 10
    for path in ("/livez", "/readyz", "/readyz?verbose"):
        assert g.get(path).status == 200
        assert g.get(path, port=g.admin_port).status == 200
    assert g.get("/", port=g.admin_port).status == 200

"""Bodies of 16 MB translated beside small requests on one worker: a thread has them meanwhile, and what comes too late is dropped."""
import json
import socket
import threading
import time

import pytest

from mock_provider import completion, http
from weir import Raw, until

MB = 1 << 20
ASK = {"model": "big", "messages": [{"role": "user", "content": "How high is the water?"}]}


class Slow:
    """A provider that tells when each request's first byte came, and answers when the test says so."""

    def __init__(self, answer):
        self.answer, self.began, self.bodies = answer, [], []
        self.rest = threading.Event()       # the last byte of the answer may go
        self.rest.set()
        self.gone = threading.Event()       # a caller left in the middle
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        with s:
            try:
                while True:
                    got = s.recv(65536)
                    if not got:
                        return
                    self.began.append(time.monotonic())
                    while b"\r\n\r\n" not in got:
                        got += s.recv(65536)
                    head, body = got.split(b"\r\n\r\n", 1)
                    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split(b":")[1])
                    pieces = [body]
                    left = length - len(body)
                    while left and (piece := s.recv(min(left, MB))):
                        pieces.append(piece)
                        left -= len(piece)
                    if left:
                        self.gone.set()
                        return
                    self.bodies.append(b"".join(pieces))
                    out = http(200, self.answer)
                    s.sendall(out[:-1])
                    self.rest.wait(60)
                    self.told = time.monotonic()
                    s.sendall(out[-1:])
            except OSError:
                self.gone.set()


class Small:
    """Small requests, one after the other, each with its beginning and its end."""

    def __init__(self, gateway):
        self.gateway, self.times, self.over = gateway, [], False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        self.more(3)

    def run(self):
        body = json.dumps({"model": "small", "messages": [{"role": "user", "content": "x" * 900}]}).encode()
        raw = Raw(self.gateway.port, timeout=60)
        while not self.over:
            began = time.monotonic()
            raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            assert raw.read().status == 200
            self.times.append((began, time.monotonic()))
        raw.close()

    def more(self, n):
        n += len(self.times)
        until(lambda: len(self.times) >= n)

    def within(self, began, ended):
        return sum(began < a and b < ended for a, b in self.times)

    def stop(self):
        self.over = True
        self.thread.join(60)


def request_of(size):
    """Many short turns: what a byte of it costs is much."""
    turns = [{"role": ("user", "assistant")[i % 2], "content": f"turn {i}"} for i in range(size // 90 * 2)]
    return {**ASK, "messages": turns + ASK["messages"]}


def answer_of(size):
    parts = [{"text": f"part {i}\n"} for i in range(size // 26)]
    return {"candidates": [{"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": "STOP"}], "modelVersion": "g", "responseId": "r1",
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}}


@pytest.fixture
def both(gateway, provider):
    """A gateway of one worker between a small provider that is relayed to and a large one that is translated for."""
    made = []

    def start(answer=None, **more):
        big, small = Slow(answer or answer_of(100)), provider(lambda r: [http(200, completion())])
        made.append(big)
        g = gateway({"workers": 1, "log": {"level": "info"}, "listen": {"keep_alive_requests": 10**9}, "breaker": {"failures": 1},
                     "providers": {"g": {"dialect": "gemini", "base_url": f"http://127.0.0.1:{big.port}/v1beta", "api_key": "k-gemini-0001", "allow_private_address": True},
                                   "o": {"dialect": "openai", "base_url": small.url, "api_key": "k-openai-0001", "allow_private_address": True}},
                     "models": {"big": {"targets": ["g/g"], "retry": {"attempts": 1}}, "small": {"targets": ["o/o"]}}, **more})
        return g, big
    yield start
    for big in made:
        big.rest.set()
        big.listener.close()


def send(g, body, headers=b""):
    """All of a request but its last byte."""
    raw = Raw(g.port, timeout=120)
    raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" + headers + b"content-length: %d\r\n\r\n" % len(body) + body[:-1])
    return raw


def test_small_requests_are_answered_while_a_large_one_is_translated(both):
    g, big = both()
    body = json.dumps(request_of(16 * MB)).encode()
    small = Small(g)
    try:
        raw = send(g, body)
        small.more(100)                     # the loop has read all that there is
        began = time.monotonic()
        raw.send(body[-1:])
        assert raw.read().status == 200
        assert small.within(began, big.began[0]) >= 3
    finally:
        small.stop()
    sent = json.loads(big.bodies[0])
    assert len(sent["contents"]) == len(json.loads(body)["messages"]) and sent["contents"][-1]["parts"][0]["text"] == ASK["messages"][0]["content"]


def test_small_requests_are_answered_while_a_large_answer_is_translated(both):
    said = answer_of(16 * MB)
    g, big = both(said)
    body = json.dumps(ASK).encode()
    big.rest.clear()
    small = Small(g)
    try:
        raw = send(g, body)
        raw.send(body[-1:])
        until(lambda: big.bodies)
        small.more(100)
        big.rest.set()
        head = raw.read_head()
        ended = time.monotonic()
        assert small.within(big.told, ended) >= 3
    finally:
        small.stop()
    assert head[0] == 200
    raw.close()


def test_nothing_is_left_of_large_requests_whose_callers_leave(both):
    g, big = both()
    body = json.dumps(request_of(16 * MB)).encode()
    for _ in range(3):
        raw = send(g, body)
        raw.send(body[-1:])
        raw.close()
    g.quiet()
    assert g.chat("small").status == 200 and g.chat("big").status == 200


def test_nothing_is_left_of_large_answers_whose_callers_leave(both):
    g, big = both(answer_of(16 * MB))
    body = json.dumps(ASK).encode()
    big.rest.clear()
    for i in range(3):
        raw = send(g, body)
        raw.send(body[-1:])
        until(lambda: len(big.bodies) == i + 1)
        big.rest.set()
        until(lambda: getattr(big, "told", None))
        raw.close()
        big.rest.clear()
        big.told = None
    g.quiet()
    assert g.chat("small").status == 200


def test_a_deadline_holds_while_a_request_is_translated(both):
    """Its time is over before the work begins: the caller is told at once, and the target, which was never asked, is not blamed."""
    g, big = both()
    body = json.dumps(request_of(16 * MB)).encode()
    began = time.monotonic()
    raw = send(g, body, b"x-weir-timeout-ms: 500\r\n")
    until(lambda: time.monotonic() > began + 0.6)
    raw.send(body[-1:])
    answer = raw.read()
    assert (answer.status, answer.error["code"]) == (504, "timeout")
    assert not big.began
    g.quiet()
    assert g.chat("big").status == 200 and len(big.began) == 1


def test_a_deadline_holds_while_an_answer_is_translated(both):
    g, big = both(answer_of(16 * MB))
    body = json.dumps(ASK).encode()
    big.rest.clear()
    began = time.monotonic()
    raw = send(g, body, b"x-weir-timeout-ms: 1000\r\n")
    raw.send(body[-1:])
    until(lambda: big.bodies)
    until(lambda: time.monotonic() > began + 0.97)
    big.rest.set()
    answer = raw.read()
    assert (answer.status, answer.error["code"]) == (504, "timeout")
    g.quiet()
    assert g.chat("small").status == 200


def test_what_is_wrong_with_a_large_request_is_told_by_its_field(both):
    g, big = both()
    ask = request_of(MB)
    ask["messages"][7] = {"role": "nobody", "content": "?"}
    answer = g.request("POST", "/v1/chat/completions", ask)
    assert answer.status == 400 and answer.error["param"] == "messages[7].role"
    answer = g.request("POST", "/v1/chat/completions", {**request_of(MB), "audio": {"voice": "x"}})
    assert answer.status == 400 and answer.error["param"] == "audio"
    assert not big.began


@pytest.mark.parametrize("size", (300 << 10, 4 * MB))
def test_large_answers_say_what_small_ones_say(both, size):
    said = answer_of(size)
    g, big = both(said)
    answer = g.chat("big")
    assert answer.status == 200 and answer.headers["x-weir-target"] == "g/g"
    assert answer.json["choices"][0]["message"]["content"] == "".join(p["text"] for p in said["candidates"][0]["content"]["parts"])
    assert answer.json["usage"]["total_tokens"] == 15


def test_a_large_answer_that_is_no_answer_is_a_502(both):
    g, big = both({"candidates": "x" * MB})
    answer = g.chat("big")
    assert answer.status == 502 and answer.error["code"] == "provider_error"

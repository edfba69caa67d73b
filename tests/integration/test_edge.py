"""What reaches the edge that no proper client sends: refused, closed, and nothing goes upstream."""
import json
import time

import pytest

from weir import CHAT, Raw, post, until

OK_BODY = json.dumps(CHAT)
N = len(OK_BODY)


def request(head, body=OK_BODY):
    return (head.replace("\n", "\r\n") + "\r\n" + body).encode("latin-1")


HEAD = f"POST /v1/chat/completions HTTP/1.1\nHost: x\nContent-Type: application/json\n"

BAD = {
    "P1": HEAD + f"Content-Length: {N}\nTransfer-Encoding: chunked\n",
    "P1b": HEAD + f"Transfer-Encoding: chunked\nContent-Length: {N}\n",
    "P2": HEAD + "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n",
    "P2b": HEAD + "Transfer-Encoding: identity, chunked\n",
    "P3": HEAD + "Transfer-Encoding: xchunked\n",
    "P3b": HEAD + "Transfer-Encoding: \"chunked\"\n",
    "P3c": HEAD + "Transfer-Encoding: chunked,\n",
    "P4": HEAD + f"Content-Length : {N}\n",
    "P5": HEAD.replace("1.1", "1.0") + "Transfer-Encoding: chunked\n",
    "P6": HEAD + f"Content-Length: {N}\nContent-Length: {N + 1}\n",
    "P6b": HEAD + f"Content-Length: {N}\nContent-Length: {N}\n",
    "P7": HEAD + f"Content-Length: +{N}\n",
    "P7b": HEAD + f"Content-Length: 0x10\n",
    "P8": HEAD + f"Content-Length: {2 ** 64 + N}\n",
    "P13": f"POST /v1/chat/completions HTTP/1.1\nHost: x\n folded: y\nContent-Length: {N}\n",
    "P14": HEAD + f"Bad Name: y\nContent-Length: {N}\n",
    "P14b": HEAD + f"no colon\nContent-Length: {N}\n",
    "P15": HEAD + f"X: a\0b\nContent-Length: {N}\n",
    "P17": f"POST /v1/chat/completions HTTP/1.1\nContent-Length: {N}\n",
    "P17b": f"POST /v1/chat/completions HTTP/1.1\nHost: x\nHost: y\nContent-Length: {N}\n",
    "P18": f"POST  /v1/chat/completions HTTP/1.1\nHost: x\nContent-Length: {N}\n",
    "P18b": f"POST /v1/chat/completions HTTP/2.0\nHost: x\nContent-Length: {N}\n",
    "P19": f"POST /v1/chat/\x01 HTTP/1.1\nHost: x\nContent-Length: {N}\n",
    "P20": f"POST /v1/../admin HTTP/1.1\nHost: x\nContent-Length: {N}\n",
    "P20b": f"POST /v1/%2e%2e/x HTTP/1.1\nHost: x\nContent-Length: {N}\n",
    "P27": "PRI * HTTP/2.0\n",
}


@pytest.fixture
def served(gateway, provider, config):
    p = provider()
    return gateway(config(p)), p


def test_refused_heads(served):
    g, p = served
    for name, head in BAD.items():
        c = Raw(g.port)
        c.send(request(head) + request(HEAD + f"Content-Length: {N}\n"))
        r = c.read()
        assert r.status in (400, 413, 501, 505), (name, r.status)
        assert r.json["error"]["message"] and r.headers["connection"] == "close", name
        assert c.closed(), name
        c.close()
    assert not p.requests
    assert g.chat().status == 200
    until(lambda: len(g.access()) >= len(BAD))


@pytest.mark.parametrize("chunks", ["0x5\r\n", "+5\r\n", "-1\r\n", "5 \r\nhello\r\n", "5\nhello\r\n", "5\r\nhelloX\r\n",
                                    "ffffffffffffffff1\r\n", "5;" + "e" * 300 + "\r\n"])
def test_bad_chunks_are_refused(served, chunks):
    g, p = served
    c = Raw(g.port)
    c.send((HEAD + "Transfer-Encoding: chunked\n\n").replace("\n", "\r\n") + chunks)
    assert c.read().status == 400 and c.closed() and not p.requests


def test_chunked_request_with_extension_and_trailers(served):
    g, p = served
    half = N // 2
    c = Raw(g.port)
    c.send((HEAD + "Transfer-Encoding: chunked\n\n").replace("\n", "\r\n") +
           f"{half:x};a=b\r\n{OK_BODY[:half]}\r\n{N - half:x}\r\n{OK_BODY[half:]}\r\n0\r\nAuthorization: x\r\n\r\n")
    assert c.read().status == 200 and "authorization: x" not in p.requests[0].head.decode().lower()


def test_a_request_split_at_every_byte_gets_the_same_answer(served):
    g, _ = served
    whole = post(CHAT)
    c = Raw(g.port)
    for i in range(1, len(whole), 7):
        c.send(whole[:i])
        time.sleep(0.001)
        c.send(whole[i:])
        assert c.read().status == 200
    for b in whole:
        c.send(bytes([b]))
    assert c.read().status == 200


def test_pipelined_requests_are_answered_in_order(served):
    g, p = served
    c = Raw(g.port)
    c.send(b"".join(post({**CHAT, "n": 1, "user": str(i)}) for i in range(200)))
    for _ in range(200):
        assert c.read().status == 200
    assert [r.json["user"] for r in p.requests] == [str(i) for i in range(200)]


def test_expect(served):
    g, p = served
    c = Raw(g.port)
    c.send(HEAD.replace("\n", "\r\n") + f"Expect: 100-continue\r\nContent-Length: {N}\r\n\r\n")
    assert c.read().status == 100
    c.send(OK_BODY)
    assert c.read().status == 200
    c = Raw(g.port)
    c.send(HEAD.replace("\n", "\r\n") + f"Expect: 200-ok\r\nContent-Length: {N}\r\n\r\n")
    assert c.read().status == 417
    c = Raw(g.port)
    c.send(HEAD.replace("\n", "\r\n") + f"Expect: 100-continue\r\nContent-Length: {1 << 40}\r\n\r\n")
    assert c.read().status == 413 and c.closed()


def test_head_options_and_methods(served):
    g, _ = served
    c = Raw(g.port)
    c.send("HEAD /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
    assert c.read(head_only=True).status == 200
    c.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert c.read().status == 200
    assert g.request("DELETE", "/v1/chat/completions").status == 405
    assert g.request("OPTIONS", "/v1/chat/completions", headers={"Origin": "https://evil"}).headers.get(
        "access-control-allow-origin") is None
    assert g.request("TRACE", "/v1/models").status in (400, 405, 501)
    assert g.get("//admin").status in (400, 404)


def test_cors_for_listed_origins(gateway, provider, config):
    g = gateway(config(provider(), listen={"cors": {"origins": ["https://app"]}}))
    r = g.request("OPTIONS", "/v1/chat/completions", headers={
        "Origin": "https://app", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-stainless-os"})
    assert r.status == 204 and r.headers["access-control-allow-origin"] == "https://app"
    assert "authorization" in r.headers["access-control-allow-headers"]
    assert g.chat(headers={"Origin": "https://app"}).headers["access-control-allow-origin"] == "https://app"
    assert "access-control-allow-origin" not in g.chat(headers={"Origin": "https://other"}).headers


def test_size_limits(gateway, provider, config):
    p = provider()
    g = gateway(config(p, listen={"max_body": "64KiB"}))
    c = Raw(g.port)
    c.send("GET /v1/models HTTP/1.1\r\nHost: x\r\n" + "".join(f"x-{i}: y\r\n" for i in range(1000)) + "\r\n")
    assert c.read().status == 431
    c = Raw(g.port)
    c.send("GET /v1/" + "a" * 65536 + " HTTP/1.1\r\nHost: x\r\n\r\n")
    assert c.read().status == 414
    c = Raw(g.port)
    c.send(HEAD.replace("\n", "\r\n") + f"Content-Length: {1 << 40}\r\n\r\n")
    assert c.read().status == 413
    c = Raw(g.port)
    c.send(HEAD.replace("\n", "\r\n") + "Transfer-Encoding: chunked\r\n\r\n")
    try:
        for _ in range(100):
            c.send(b"1000\r\n" + b"{" + b" " * 4095 + b"\r\n")
    except ConnectionError:
        pass
    assert not p.requests
    assert g.request("POST", "/v1/chat/completions", OK_BODY, {"content-encoding": "gzip"}).status == 415
    assert g.request("POST", "/v1/chat/completions", OK_BODY, {"content-type": "text/plain"}).status == 415


def test_no_body_is_read_without_a_key(gateway, provider, config):
    g = gateway(config(provider(), keys=[{"name": "a", "secret": "sk-weir-0123456789"}]))
    c = Raw(g.port)
    c.send(HEAD.replace("\n", "\r\n") + f"Expect: 100-continue\r\nContent-Length: {1 << 20}\r\n\r\n")
    assert c.read().status == 401


def test_connection_limits(gateway, provider, config):
    g = gateway(config(provider(), listen={"max_connections_per_address": 8}))
    held = []

    def are_full():     # one that was let in while an earlier one had not quite gone is refused: another takes its place
        held.append(Raw(g.port))
        return len(held) >= 8 and g.metric("weir_connections") == 9     # and the one that asks
    until(are_full)
    c = Raw(g.port)
    c.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert c.read().status == 503
    for h in held:
        h.close()
    until(lambda: g.get("/livez").status == 200)


SLOW_CALLERS = {"header": "300ms", "body": "300ms", "keep_alive": "300ms"}


def test_slow_callers_are_cut_off(gateway, provider, config):
    g = gateway(config(provider(), listen={"timeouts": SLOW_CALLERS}))
    silent, half, body, idle = Raw(g.port), Raw(g.port), Raw(g.port), Raw(g.port)
    half.send("POST /v1/chat")
    body.send(HEAD.replace("\n", "\r\n") + f"Content-Length: {N}\r\n\r\n{{")
    idle.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert idle.read().status == 200
    assert half.read().status == 408 and body.read().status == 408
    for c in (silent, half, body, idle):
        assert c.closed()


JSON_BAD = [
    '{"model":"m","model":"x","messages":[{}]}', '{"mod\\u0065l":"x","model":"m","messages":[{}]}',
    '{"model":"m","messages":[{"a":1,"a":2}]}', '{"model":"m","messages":' + "[" * 100000,
    '{"model":"m","messages":[NaN]}', '{"model":"m","messages":[01]}', "{'model':'m'}", '{"model":"m",}',
    '{"model":"m","messages":[{}]} x', "", "null", "[1]", '{"model":"m\x00","messages":[{}]}', '{"model":7,"messages":[{}]}',
    '{"model":"","messages":[{}]}', '{"model":"m","messages":null}', '{"model":"m","messages":"x"}', '{"model":"m","messages":[1]}',
    '{"model":"m","messages":[{}],"stream":"true"}', '{"model":"m","messages":[{}],"max_tokens":-1}',
    '{"model":"m","messages":[{}],"max_tokens":1e20}', '{"model":"m","messages":[{}],"n":1000000}',
    '{"model":"a\\r\\nb","messages":[{}]}', '{"model":"m","messages":[{"content":"\\x"}]}',
]


@pytest.mark.parametrize("body", JSON_BAD)
def test_bad_json_is_a_400_with_the_field_named(served, body):
    g, p = served
    r = g.request("POST", "/v1/chat/completions", body.encode("latin-1"))
    assert r.status == 400 and r.error["type"] == "invalid_request_error" and not p.requests
    assert g.request("POST", "/v1/chat/completions", b'{"model":"m","messages":[{"content":"\xff"}]}').status == 400


@pytest.mark.parametrize("model", ["../m", "http://evil/x", "%n%n", "m" * 500, "{m}", "nul\\u0000"])
def test_strange_model_names(served, model):
    g, p = served
    r = g.request("POST", "/v1/chat/completions", '{"model":"%s","messages":[{}]}' % model)
    assert r.status in (400, 404) and not p.requests


def test_many_keys_and_long_strings(served):
    g, p = served
    big = '{"model":"m","messages":[{"role":"user","content":"%s"}],%s}' % (
        "\\u00e9" * 150000, ",".join('"k%d":%d' % (i, i) for i in range(9000)))
    assert g.request("POST", "/v1/chat/completions", big).status == 200
    too_many = '{"model":"m","messages":[{}],%s}' % ",".join('"k%d":1' % i for i in range(20000))
    assert g.request("POST", "/v1/chat/completions", too_many).status == 400

"""Images and documents by address, for a target that takes bytes alone: fetched where its provider says so, by rules that hold for every hop.

Names are answered by a proxy that leads all of them to one server of ours, as none of the outside can be reached here.
"""
import base64
import http.server
import json
import ssl
import threading

import pytest

from certificates import Authority
from relay import Relay
from weir import Raw, post, until

PNG = b"\x89PNG\r\n\x1a\nzebra"
LIMIT = 4096
ANSWER = {"output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}, "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}


class Site(http.server.BaseHTTPRequestHandler):
    """The outside, and Bedrock."""
    protocol_version = "HTTP/1.1"
    pages = {
        "/a.png": (200, {"content-type": "image/png"}, PNG), "/b.jpg?x=1&y=%20": (200, {"content-type": "image/jpg; q=1"}, PNG), "/": (200, {"content-type": "image/gif"}, PNG),
        "/a.pdf": (200, {"content-type": "application/pdf"}, b"%PDF-1"), "/big.png": (200, {"content-type": "image/png"}, b"x" * (LIMIT + 1)),
        "/most.png": (200, {"content-type": "image/png"}, b"x" * LIMIT), "/page": (200, {"content-type": "text/html"}, b"<html>"), "/none": (200, {}, PNG),
        "/empty.png": (200, {"content-type": "image/png"}, b""), "/gone": (404, {"content-type": "image/png"}, PNG), "/moved": (302, {"location": "/a.png"}, b"elsewhere"),
        "/far": (301, {"location": "https://other.example.com/moved"}, b""), "/loop": (307, {"location": "/loop"}, b""), "/plain": (302, {"location": "http://example.com/a.png"}, b""),
        "/inside": (302, {"location": "https://127.0.0.1/a.png"}, b""), "/metadata": (302, {"location": "https://169.254.169.254/latest"}, b""),
        "/inside6": (302, {"location": "https://[::ffff:10.0.0.1]/a.png"}, b""), "/lost": (302, {}, b""), "/local": (302, {"location": "https://localhost/a.png"}, b""),
    }

    def do_GET(self):
        self.server.asked.append((self.headers["host"], self.path, dict(self.headers)))
        if self.path == "/slow.png":
            self.send_response(200)
            self.send_header("content-type", "image/png")
            self.send_header("content-length", "100")
            self.end_headers()
            self.wfile.write(b"x")
            self.wfile.flush()
            self.server.over.wait(60)
            return
        if self.path == "/endless.png":
            self.send_response(200)
            self.send_header("content-type", "image/png")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                while not self.server.over.is_set():
                    self.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
            except OSError:
                pass
            return
        status, headers, body = self.pages[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.server.sent.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        body = json.dumps(ANSWER).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def tunnel(s):
    """What a proxy does with CONNECT, wherever it should lead."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += s.recv(4096)
    s.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    Authority(folder).make("site", "*.example.com", ip=False)
    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    site.daemon_threads = True
    site.asked, site.sent, site.over = [], [], threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "site.pem", folder / "site.key")
    site.socket = context.wrap_socket(site.socket, server_side=True)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    proxy = Relay(site.server_port, tunnel)
    site.ca, site.proxy = str(folder / "ca.pem"), f"http://127.0.0.1:{proxy.port}"
    yield site
    site.over.set()
    proxy.stop()
    site.shutdown()
    site.server_close()


@pytest.fixture
def outside(world):
    """Nobody has asked it yet."""
    world.asked.clear(), world.sent.clear()
    return world


@pytest.fixture
def weir(gateway, outside):
    def start(fetch="4KiB", policy="auto"):
        outside.asked.clear(), outside.sent.clear()
        p = {"dialect": "bedrock", "base_url": "https://bedrock.example.com", "api_key": "b-key-secret", "proxy": outside.proxy, "tls": {"ca_file": outside.ca}}
        if fetch:
            p["fetch_urls"] = fetch
        return gateway({"providers": {"b": p}, "models": {"m": {"targets": ["b/us.anthropic.claude-sonnet-4-5"], "on_unsupported": policy}}, "breaker": "off", "workers": 1})
    return start


def image(url):
    return {"type": "image_url", "image_url": {"url": url}}


def ask(g, *parts, **more):
    return g.request("POST", "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, *parts]}], **more}, timeout=60)


def blocks(site):
    return site.sent[-1]["messages"][0]["content"][1:]


@pytest.mark.parametrize("path, form", [("/a.png", "png"), ("/b.jpg?x=1&y=%20#part", "jpeg"), ("", "gif"), ("/moved", "png"), ("/far", "png")])
def test_an_image_is_given_by_value(weir, outside, path, form):
    g = weir()
    r = ask(g, image("https://www.example.com" + path))
    assert r.status == 200, r.body
    assert blocks(outside) == [{"image": {"format": form, "source": {"bytes": base64.b64encode(PNG).decode()}}}]
    for _, _, headers in outside.asked:     # nothing of the caller's, and nothing of the provider's
        assert not {k.lower() for k in headers} & {"authorization", "cookie", "x-api-key", "referer"}
    assert outside.asked[0][0] == "www.example.com" and (path != "/far" or outside.asked[-1][:2] == ("other.example.com", "/a.png"))


def test_several_of_one_request_in_their_order(weir, outside):
    g = weir()
    body = {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "see"}, {"type": "image", "source": {"type": "url", "url": "https://www.example.com/a.png"}},
        {"type": "document", "title": "d", "source": {"type": "url", "url": "https://www.example.com/a.pdf"}},
        {"type": "image", "source": {"type": "url", "url": "https://www.example.com/most.png"}}, {"type": "image", "source": {"type": "url", "url": "https://www.example.com/a.png"}}]}]}
    assert g.request("POST", "/v1/messages", body).status == 200
    kinds = [(k, v["format"], len(base64.b64decode(v["source"]["bytes"]))) for b in blocks(outside) for k, v in b.items()]
    assert kinds == [("image", "png", len(PNG)), ("document", "pdf", 6), ("image", "png", LIMIT), ("image", "png", len(PNG))]
    large = "x" * 400_000       # translated by a thread
    assert ask(g, {"type": "text", "text": large}, image("https://www.example.com/a.png")).status == 200 and "image" in blocks(outside)[1]


@pytest.mark.parametrize("url, why", [
    ("https://www.example.com/big.png", "larger"), ("https://www.example.com/endless.png", "larger"), ("https://www.example.com/page", "no image"), ("https://www.example.com/none", "no image"),
    ("https://www.example.com/empty.png", "empty"), ("https://www.example.com/gone", "another status"), ("https://www.example.com/loop", "on and on"), ("https://www.example.com/lost", "nowhere"),
    ("https://www.example.com/plain", "not https"), ("https://www.example.com/inside", "private"), ("https://www.example.com/metadata", "private"), ("https://www.example.com/inside6", "private"),
    ("https://www.example.com/local", "private"), ("https://127.0.0.1/a.png", "private"), ("https://[::1]/a.png", "private"), ("https://10.1.2.3/a.png", "private"), ("https://localhost/x", "private"),
    ("https://wrong.example.org/a.png", "reached"), ("https://user@www.example.com/a.png", "no address"), ("https://www.example.com/a b", "no address"), ("https:/x", "no address"),
])
def test_what_is_not_taken(weir, outside, url, why):
    g = weir()
    r = ask(g, image("https://www.example.com/a.png"), image(url))
    assert r.status == 400 and r.error["param"] == "messages.image" and why in r.error["message"] and outside.sent == [], r.body
    assert not any(h.startswith(("127.", "10.", "169.", "localhost", "[")) for h, _, _ in outside.asked)
    assert ask(g, image("https://www.example.com/a.png")).status == 200


def test_what_is_slow_ends_and_a_caller_who_leaves_ends_it(weir, outside):
    g = weir()
    r = ask(g, image("https://www.example.com/slow.png"))
    assert r.status == 400 and "too long" in r.error["message"]
    before = len(outside.asked)
    c = Raw(g.port)
    c.send(post({"model": "m", "messages": [{"role": "user", "content": [image("https://www.example.com/slow.png")]}]}))
    until(lambda: len(outside.asked) > before)
    c.close()
    assert ask(g, image("https://www.example.com/a.png")).status == 200


def test_off_unless_said_and_at_most_eight(weir, outside):
    r = ask(weir(fetch=None), image("https://www.example.com/a.png"))
    assert r.status == 400 and r.error["param"] == "messages.image" and outside.asked == []
    g = weir()
    r = ask(g, *[image(f"https://www.example.com/a.png?{i}") for i in range(9)])
    assert r.status == 400 and "eight" in r.error["message"] and outside.asked == []
    r = ask(g, image("http://www.example.com/a.png"))
    assert r.status == 400 and r.error["param"] == "messages.image" and outside.asked == []


def test_without_a_proxy_the_address_that_is_connected_is_judged(gateway, outside):
    """A name that leads to a private address is refused where it is connected."""
    g = gateway({"providers": {"b": {"dialect": "bedrock", "base_url": "https://bedrock.example.com", "api_key": "b-key-secret", "fetch_urls": "1MiB"}}, "models": {"m": {"targets": ["b/us.anthropic.x"]}}, "breaker": "off"})
    r = ask(g, image(f"https://localhost.localdomain:{outside.server_port}/a.png"))
    assert r.status == 400 and ("private" in r.error["message"] or "reached" in r.error["message"])
    r = ask(g, image(f"https://127.0.0.1:{outside.server_port}/a.png"))
    assert r.status == 400 and "private" in r.error["message"] and outside.asked == []

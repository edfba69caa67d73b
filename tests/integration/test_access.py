"""Who is let in: keys that are wrong in every way, and what they may not reach."""
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from mock_provider import completion, error, good_stream, http
from weir import CHAT, SLOW, Raw, post

SECRET = "sk-weir-K7d0vQmZ2nX9pL4sT8wB1cF6gH3jR5yA0uE2iO"
ADMIN = "admin-canary-0123456789"


@pytest.fixture
def guarded(gateway, provider, config):
    g = gateway(config(provider(), keys=[{"name": "web", "secret": SECRET, "models": ["m"]}], admin={"token": ADMIN}))
    g.p = g
    return g


def raw(g, headers, path="/v1/chat/completions"):
    s = Raw(g.port)
    s.send(post(CHAT, path=path, headers=headers))
    try:
        return s.read()
    finally:
        s.close()


WRONG = ["", "Bearer", "Bearer ", "Bearer wrong", f"Bearer {SECRET[:-1]}", f"Bearer {SECRET}x", f"Bearer {SECRET.swapcase()}", f"Bearer {SECRET[:20]}",
         f"Bearer {SECRET[:20]}{'x' * 22}", f"Basic {SECRET}", SECRET, f"Bearer {SECRET}, Bearer {SECRET}", f"Bearer {SECRET} {SECRET}", f"Bearer x {SECRET}",
         "Bearer ' OR 1=1 --", "Bearer *", "Bearer %s%n%x", "Bearer *1\\r\\n$8\\r\\nFLUSHALL", "Bearer [a-z]*", "Bearer ../../etc/passwd", f"Token {SECRET}"]


def test_wrong_keys_are_all_alike(guarded):
    """A1, A2, A4: no answer tells how near a guess was."""
    bodies = set()
    for value in WRONG:
        r = raw(guarded, f"Authorization: {value}\r\n")
        assert r.status == 401 and r.error["code"] == "invalid_api_key" and SECRET not in r.body.decode(), value
        if value.startswith("Bearer ") and " " not in value[7:] and "," not in value and value != "Bearer ":
            bodies.add(r.body)
    assert len(bodies) == 1
    assert raw(guarded, "").status == 401
    assert raw(guarded, f"Cookie: key={SECRET}\r\n").status == 401
    assert raw(guarded, "", path=f"/v1/chat/completions?key={SECRET}").status == 401        # Gemini's paths alone
    assert raw(guarded, f"Authorization: Bearer {SECRET}\0\r\n").status in (400, 401)
    assert raw(guarded, f"Authorization: Bearer {SECRET}\r\nAuthorization: Bearer {SECRET}\r\n").status in (400, 401)
    assert raw(guarded, f"Authorization: Bearer {'x' * 100_000}\r\n").status in (401, 431)
    assert raw(guarded, f"Authorization: Bearer {SECRET}\r\n").status == 200


def test_two_different_keys_are_none(guarded):
    """A3."""
    assert raw(guarded, f"Authorization: Bearer bad-key-0123\r\nX-Api-Key: {SECRET}\r\n").status == 401
    assert raw(guarded, f"Authorization: Bearer {SECRET}\r\nX-Api-Key: bad-key-0123\r\n").status == 401
    assert raw(guarded, f"X-Goog-Api-Key: bad-key-0123\r\nX-Api-Key: {SECRET}\r\n").status == 401
    assert raw(guarded, f"Authorization: Bearer {SECRET}\r\nX-Api-Key: {SECRET}\r\n").status == 200


def test_many_wrong_keys_cost_little(guarded):
    """A6: unknown keys ask nobody and leave nothing behind."""
    def wrong(i):
        return guarded.request("GET", "/v1/models", headers={"authorization": f"Bearer sk-guess-{i}"}).status
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(wrong, range(500)))
        before = guarded.rss()
        assert set(pool.map(wrong, range(3000))) == {401}
    if SLOW == 1:
        assert guarded.rss() - before < 4 << 20
    assert guarded.get("/v1/models", headers={"authorization": f"Bearer {SECRET}"}).status == 200


def test_a_key_opens_nothing_of_the_operators(guarded):
    """A7."""
    key = {"authorization": f"Bearer {SECRET}"}
    for path in ("/admin/keys", "/admin", "/debug/pprof", "/metrics", "/.env", "/status.json", "/../weir.yaml", "/v1/../admin/keys", "/admin/explain"):
        r = guarded.get(path, headers=key)
        assert r.status in (400, 401, 403, 404), path
    for path in ("/", "/status.json", "/admin/keys", "/admin/why?id=x"):
        assert guarded.get(path, headers=key, port=guarded.admin_port).status == 401
    assert guarded.request("POST", "/v1/chat/completions", CHAT, {"authorization": f"Bearer {ADMIN}"}).status == 401
    assert SECRET not in guarded.logs() and ADMIN not in guarded.logs()


def test_a_key_stays_with_its_models(gateway, provider, config):
    """A9: by no alias, fallback, pattern, provider, header or spelling."""
    mine, others = provider(), provider()
    c = config(mine, others, keys=[{"name": "web", "secret": SECRET, "models": ["m"]}])
    c["models"] = {"m": {"targets": ["first/mock"], "fallbacks": ["secret"]}, "secret": {"targets": ["second/mock"]}, "any-*": {"targets": ["second/mock"]}}
    g = gateway(c)
    key = {"authorization": f"Bearer {SECRET}"}
    for model in ("secret", "any-thing", "second/mock", "first/mock", "SECRET", "M", " m", "m ", "secret\u0000"):
        assert g.chat(model=model, headers=key).status in (400, 403, 404), model
    from mock_provider import error
    mine.script = lambda r: error(500)
    for headers in ({}, {"x-weir-fallbacks": "secret"}, {"x-weir-provider": "second"}):
        assert g.chat(headers={**key, **headers}).status >= 400
    assert others.requests == []


if os.environ.get("WEIR_SOAK"):         # a matter of many samples on a quiet machine
    @pytest.mark.soak
    def test_time_tells_nothing_of_a_key(guarded):
        """A5: a right beginning takes no longer than a wrong one."""
        def sample(secret):
            began = time.perf_counter()
            assert guarded.request("GET", "/v1/models", headers={"authorization": f"Bearer {secret}"}).status == 401
            return time.perf_counter() - began
        right, wrong = [], []
        for _ in range(10_000):
            right.append(sample(SECRET[:20] + "x" * 22))
            wrong.append(sample("y" * 42))
        cut = statistics.quantiles(right + wrong, n=20)[-1]
        right, wrong = [x for x in right if x < cut], [x for x in wrong if x < cut]
        error = (statistics.variance(right) / len(right) + statistics.variance(wrong) / len(wrong)) ** 0.5
        assert abs(statistics.mean(right) - statistics.mean(wrong)) / error < 4


def test_no_cache_on_the_way_keeps_an_answer(gateway, provider, config):
    """A13: whatever a vendor says."""
    p = provider(lambda r: good_stream() if r.json.get("stream") else error(500) if b"fail" in r.body else
                 [http(200, completion(), headers=(("cache-control", "public, max-age=60"),))])
    g = gateway(config(p))
    answers = [g.chat(), g.chat(stream=True), g.chat(text="fail"), g.chat(model="none"), g.get("/v1/models"), g.get("/v1/key"), g.get("/nothing")]
    assert [r.status for r in answers] == [200, 200, 502, 404, 200, 200, 404]
    assert {r.headers["cache-control"] for r in answers} == {"private, no-store"}

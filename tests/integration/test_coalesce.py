"""Many ask the same at once: one upstream call, and every one of them gets the whole answer."""
import asyncio
import json
import socket

import pytest
from mock_provider import LAST_CHUNK, chunk, completion, delta, error, event, good, good_stream, http, stream_head, usage_event
from test_cache import KEYS, cached, expire, state
from weir import until

WORDS = [f"word{i} " for i in range(20)]


class Asker:
    """One caller on a connection of its own."""

    def __init__(self, g, stream=True, headers=None, path="/v1/chat/completions", **fields):
        body = json.dumps({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "hi"}], **fields})
        lines = "".join(f"{n}: {v}\r\n" for n, v in (headers or {}).items())
        self.port, self.status, self.headers, self.body, self.begun = g.port, None, {}, b"", asyncio.Event()
        self.opened = False
        self.request = (f"POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n{lines}"
                        f"content-length: {len(body)}\r\n\r\n{body}").encode()

    async def open(self, window=None):
        s = socket.socket()
        if window:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        s.setblocking(False)
        await asyncio.get_running_loop().sock_connect(s, ("127.0.0.1", self.port))
        self.reader, self.writer = await asyncio.open_connection(sock=s, limit=window or 65536)
        self.writer.write(self.request)
        self.opened = True

    async def head(self):
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in lines[1:] if line)}
        self.begun.set()

    async def ask(self, window=None, pause=0):
        await self.open(window)
        await self.head()
        raw = b""
        while part := await self.reader.read(window or 65536):
            raw += part
            await asyncio.sleep(pause)
        self.writer.close()
        self.body = dechunk(raw) if self.headers.get("transfer-encoding") == "chunked" else raw
        return self

    def leave(self):
        self.writer.transport.abort()

    @property
    def state(self):
        return self.headers.get("x-weir-cache")


def dechunk(raw):
    out = b""
    while raw:
        size, raw = raw.split(b"\r\n", 1)
        n = int(size, 16)
        out, raw = out + raw[:n], raw[n + 2:]
        if n == 0:
            return out
    raise AssertionError("the answer was cut")


async def crowd(askers, **more):
    return await asyncio.gather(*(a.ask(**more) for a in askers))


def slowly(pause=0.05, words=WORDS, **more):
    return lambda r: good_stream(words, pause=pause, **more) if r.stream else [("sleep", pause * len(words)), http(200, completion(" ".join(words)))]


def text(body):
    return "".join(e["choices"][0]["delta"].get("content") or "" for e in
                   (json.loads(line[6:]) for line in body.decode().splitlines() if line.startswith("data: {")) if e["choices"])


@pytest.mark.parametrize("stream", [True, False])
def test_a_thousand_at_once_are_one_call(gateway, provider, config, store, stream):
    p = provider(lambda r: [("until", lambda: all(a.opened for a in all_of_them)), *slowly(0.02)(r)])
    g = gateway(cached(config, p, store=store, workers=4, listen={"max_connections_per_address": 2000}))
    all_of_them = [Asker(g, stream) for _ in range(1000)]
    asyncio.run(crowd(all_of_them))
    assert len(p.requests) == 1 and {a.status for a in all_of_them} == {200}, [a.body for a in all_of_them if a.status != 200][:1]
    assert len({a.body for a in all_of_them}) == 1 and "word19" in all_of_them[0].body.decode()
    states = [a.state for a in all_of_them]
    assert states.count("miss") == 1 and states.count("coalesced") + states.count("hit") == 999 and states.count("coalesced") > 100
    assert g.metric("weir_cache_requests_total", model="m", result="coalesced") == states.count("coalesced")
    assert g.metric("weir_cost_usd_total", model="m") == pytest.approx(22e-6)         # the opener paid
    assert g.metric("weir_cache_saved_usd_total", model="m") == pytest.approx(999 * 22e-6)
    assert until(lambda: g.metric("weir_requests_in_flight") == 0)
    assert state(g.chat(stream=stream)) == "hit"


def test_a_thousand_of_whom_the_first_leaves_and_half_read_slowly(gateway, provider, config):
    p = provider(slowly(0.05, [f"{i:03} " * 125 for i in range(40)]))
    g = gateway(cached(config, p, workers=4, listen={"max_connections_per_address": 2000}))

    async def go():
        first = Asker(g)
        await first.open()
        await first.head()
        fast, slow = [Asker(g) for _ in range(500)], [Asker(g) for _ in range(499)]
        waiting = [asyncio.ensure_future(crowd(fast)), asyncio.ensure_future(crowd(slow, window=4096, pause=0.01))]
        await fast[-1].begun.wait()
        first.leave()
        await asyncio.gather(*waiting)
        return fast + slow

    others = asyncio.run(go())
    assert len(p.requests) == 1 and p.requests[0].hung_up_at is None
    assert {a.state for a in others} <= {"coalesced", "hit"} and len({a.body for a in others}) == 1
    assert text(others[0].body).endswith("039 ") and others[0].body.endswith(b"data: [DONE]\n\n")


def test_followers_cost_nothing_and_are_flagged(gateway, provider, config):
    p = provider(slowly())
    g = gateway(cached(config, p))
    one, two = asyncio.run(crowd([Asker(g), Asker(g)]))
    leader, follower = (one, two) if one.state == "miss" else (two, one)
    assert follower.state == "coalesced" and float(follower.headers["x-weir-cost-usd"]) == 0
    assert "x-weir-target" not in follower.headers and follower.headers["x-weir-cache-id"] == leader.headers["x-weir-cache-id"]
    assert until(lambda: len(g.access()) == 2)
    rows = {r["cache"]: r for r in g.access()}
    assert rows["coalesced"]["cost_usd"] == 0 and rows["miss"]["cost_usd"] > 0
    assert rows["coalesced"]["tokens"]["output"] == rows["miss"]["tokens"]["output"] == 3


@pytest.mark.parametrize("stream", [True, False])
def test_the_first_leaves(gateway, provider, config, store, stream):
    """The others get the whole answer all the same, and the one who left pays."""
    p = provider(slowly())
    g = gateway(cached(config, p, store=store, workers=4))

    async def go():
        first = Asker(g, stream)
        await first.open()
        while not p.requests:
            await asyncio.sleep(0.01)
        others = [Asker(g, stream) for _ in range(100)]
        waiting = asyncio.ensure_future(crowd(others))
        while g.metric("weir_requests_in_flight") < 101:
            await asyncio.sleep(0.02)
        first.leave()
        await waiting
        return others

    others = asyncio.run(go())
    assert len(p.requests) == 1 and p.requests[0].hung_up_at is None
    assert {a.state for a in others} == {"coalesced"} and len({a.body for a in others}) == 1 and "word19" in others[0].body.decode()
    assert until(lambda: len(g.access()) == 101)
    gone = [r for r in g.access() if r.get("caller_gone")]
    assert len(gone) == 1 and gone[0]["cost_usd"] == pytest.approx(22e-6)
    assert until(lambda: state(g.chat(stream=stream)) == "hit")


def test_the_last_to_leave_cancels_the_call(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("x")), ("hang",)])
    g = gateway(cached(config, p, workers=4))

    async def go():
        askers = [Asker(g) for _ in range(20)]
        for a in askers:
            await a.open()
            await a.head()
        for a in askers[:-1]:
            a.leave()
        await asyncio.sleep(0.3)
        assert p.requests[0].hung_up_at is None
        askers[-1].leave()

    asyncio.run(go())
    assert until(lambda: p.requests[0].hung_up_at) and len(p.requests) == 1
    assert until(lambda: g.metric("weir_requests_in_flight") == 0 and g.metric("weir_upstream_requests_in_flight") == 0)


def test_half_of_them_read_slowly(gateway, provider, config):
    """800 KB through windows of 4 KB: nobody waits for the slow ones, who read what is recorded. The opener may be one of them."""
    words = [f"{i:06} " * 600 for i in range(200)]
    p = provider(lambda r: good_stream(words))
    g = gateway(cached(config, p, workers=2))

    async def go():
        first = Asker(g)
        waiting = [asyncio.ensure_future(first.ask(window=4096, pause=0.001))]
        while not p.requests:
            await asyncio.sleep(0.01)
        fast, slow = [Asker(g) for _ in range(15)], [Asker(g) for _ in range(15)]
        waiting += [asyncio.ensure_future(a.ask(window=4096, pause=0.001)) for a in slow]
        await crowd(fast)
        late = [first, *slow]
        pending = sum(not w.done() for w in waiting)
        await asyncio.gather(*waiting)
        return fast + late, pending

    askers, pending = asyncio.run(go())
    assert len(p.requests) == 1 and {text(a.body) for a in askers} == {"".join(words)}
    assert pending > 0      # the fast ones had all of it before
    assert until(lambda: g.metric("weir_requests_in_flight") == 0)


def test_who_comes_late_gets_what_was_said_and_follows(gateway, provider, config):
    more = []
    p = provider(lambda r: [stream_head(), chunk(delta("one ")), ("sleep", 0.5), chunk(delta("two")), chunk(delta(finish="stop")),
                            chunk(usage_event()), chunk(event("[DONE]")), LAST_CHUNK])
    g = gateway(cached(config, p))

    async def go():
        first = Asker(g)
        await first.open()
        await first.head()
        more.append(await Asker(g).ask())

    asyncio.run(go())
    assert more[0].state == "coalesced" and text(more[0].body) == "one two" and len(p.requests) == 1


def test_all_of_them_are_kept_alive(gateway, provider, config):
    """Ten seconds of silence: a comment opens every stream, and a failure after it is an event."""
    p = provider(lambda r: [("sleep", 10.5), *error(500)])
    g = gateway(cached(config, p))
    askers = asyncio.run(crowd([Asker(g) for _ in range(5)]))
    assert all(a.status == 200 and a.body.startswith(b": keep-alive") and b'"error"' in a.body for a in askers) and len(p.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
def test_a_failure_is_everybodys(gateway, provider, config, stream):
    p = provider(lambda r: [("sleep", 0.4), *error(500, "broken")])
    g = gateway(cached(config, p))
    askers = asyncio.run(crowd([Asker(g, stream) for _ in range(50)]))
    assert {a.status for a in askers} == {502} and len({json.loads(a.body)["error"]["message"] for a in askers}) == 1
    assert len(p.requests) == 1
    p.script = good
    assert g.chat(stream=stream).status == 200      # nothing of it is kept


def test_a_break_is_everybodys(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("half ")), ("sleep", 0.5), ("reset",)])
    g = gateway(cached(config, p))
    askers = asyncio.run(crowd([Asker(g) for _ in range(20)]))
    assert all(b"half" in a.body and b'"error"' in a.body and b"[DONE]" not in a.body for a in askers) and len(p.requests) == 1
    p.script = good
    assert state(g.chat(stream=True)) == "miss"


def test_the_openers_own_time_is_not_the_others(gateway, provider, config):
    p = provider(lambda r: [("sleep", 1), *good(r)])
    g = gateway(cached(config, p))

    async def go():
        hasty, patient = Asker(g, headers={"x-weir-timeout-ms": "400"}), Asker(g)
        first = asyncio.ensure_future(hasty.ask())
        while not p.requests:
            await asyncio.sleep(0.01)
        await asyncio.gather(first, patient.ask())
        return hasty, patient

    hasty, patient = asyncio.run(go())
    assert hasty.status == 504 and patient.status == 200 and patient.state == "miss" and text(patient.body) == "Hello"


def test_a_follower_has_its_own_time(gateway, provider, config):
    p = provider(lambda r: [("sleep", 1), *good(r)])
    g = gateway(cached(config, p))

    async def go():
        patient, hasty = Asker(g), Asker(g, headers={"x-weir-timeout-ms": "300"})
        first = asyncio.ensure_future(patient.ask())
        while not p.requests:
            await asyncio.sleep(0.01)
        await asyncio.gather(first, hasty.ask())
        return hasty, patient

    hasty, patient = asyncio.run(go())
    assert hasty.status == 504 and patient.status == 200 and len(p.requests) == 1


@pytest.mark.parametrize("change", [{"headers": {"cache-control": "no-cache"}}, {"headers": {"cache-control": "no-store"}}, {"temperature": 1},
                                    {"tools": [{"type": "function", "function": {"name": "f"}}]}, {"headers": {"cache-control": "stale-if-error=1"}}])
def test_who_does_not_share(gateway, provider, config, change):
    p = provider(slowly(0.02))
    g = gateway(cached(config, p))
    asyncio.run(crowd([Asker(g), Asker(g, **change)]))
    assert len(p.requests) == 2
    if "tools" in change:
        asyncio.run(crowd([Asker(g, user="other", **change), Asker(g, user="other", **change)]))
        assert len(p.requests) == 4


def test_tenants_do_not_follow_each_other(gateway, provider, config):
    p = provider(slowly(0.02))
    g = gateway(cached(config, p, keys=KEYS))
    asyncio.run(crowd([Asker(g, headers={"authorization": f"Bearer {k['secret']}"}) for k in KEYS for _ in range(10)]))
    assert len(p.requests) == 3


def test_it_can_be_turned_off(gateway, provider, config):
    p = provider(slowly(0.02))
    g = gateway(cached(config, p, cache={"coalesce": False}))
    asyncio.run(crowd([Asker(g) for _ in range(5)]))
    assert len(p.requests) == 5


def test_a_stale_answer_is_everybodys_too(gateway, provider, config):
    p = provider(good)
    g = gateway(cached(config, p, cache={"ttl": "1s"}, model={"ladder": ["targets", "stale"]}))
    kept = g.chat(stream=True).body
    expire(g)
    p.script = lambda r: [("sleep", 0.5), *error(500)]
    askers = asyncio.run(crowd([Asker(g) for _ in range(20)]))
    assert {a.state for a in askers} == {"stale"} and {a.body for a in askers} == {kept}


def test_an_answer_too_large_to_keep_is_shared_all_the_same(gateway, provider, config):
    words = ["x" * 4000 for _ in range(100)]
    p = provider(lambda r: good_stream(words, pause=0.005))
    g = gateway(cached(config, p, cache={"max_entry": "64KiB"}))
    askers = asyncio.run(crowd([Asker(g) for _ in range(10)]))
    assert {text(a.body) for a in askers} == {"".join(words)} and len(p.requests) == 1
    assert state(g.chat(stream=True)) == "miss"


def test_shutting_down_ends_all_of_them(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("x")), ("hang",)])
    g = gateway(cached(config, p, workers=4, listen={"timeouts": {"drain": "1s"}}))
    askers = [Asker(g) for _ in range(20)]

    async def go():
        waiting = [asyncio.ensure_future(a.ask()) for a in askers]
        for a in askers:
            await a.begun.wait()
        g.process.terminate()
        await asyncio.gather(*waiting)

    asyncio.run(go())
    assert all(b'"error"' in a.body for a in askers)

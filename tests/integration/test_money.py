"""What providers served, what callers got, and what the ledger says of it: requests of every ending at once."""
import collections
import random
import socket
import sqlite3
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from mock_provider import LAST_CHUNK, chunk, completion, delta, error, event, http, stream_head, usage_event
from test_ledger import spent
from weir import Raw, post, until

SECRET = "sk-web-0123456789"
KEY = {"authorization": f"Bearer {SECRET}"}
REQUESTS = 10000
IN, OUT = 1000, 4000      # nano-dollars a token
ENDINGS = ["plain", "plain", "stream", "stream", "busy", "failed", "cut", "silent", "reset", "hangup", "hangup_early", "refused"]


class Double:
    """Both providers; keeps what each request was served, by its number."""

    def __init__(self):
        self.lock = threading.Lock()
        self.told = collections.Counter()       # nano-dollars of usage that was reported whole
        self.words = collections.Counter()      # delivered without a report

    def script(self, second):
        def play(r):
            kind, n = r.json["messages"][-1]["content"].split()
            n = int(n)
            prompt, out = n % 97 + 1, n % 53 + 1
            cost = prompt * IN + out * OUT

            def told():
                with self.lock:
                    self.told[n] += cost
            usage = {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out}
            if kind == "failed" or kind == "busy" and not second:
                return error(503)
            if kind == "reset" and not second:
                return [("reset",)]
            if kind == "refused":
                return error(400, type="invalid_request_error")
            if not r.stream:
                told()
                return [http(200, completion(usage=usage))]
            words = [chunk(delta("word ")) for _ in range(out)]
            if kind in ("cut", "silent", "hangup"):
                with self.lock:
                    self.words[n] = out
            if kind == "cut":
                return [stream_head(), *words, ("close",)]
            if kind == "silent":
                return [stream_head(), *words, chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK]
            if kind == "hangup":
                return [stream_head(), *words, ("hang",)]
            if kind == "hangup_early":
                return [("hang",)]
            told()
            return [stream_head(), *words, chunk(delta(finish="stop")), chunk(usage_event(prompt, out)), chunk(event("[DONE]")), LAST_CHUNK]
        return play


def ask(g, kind, n):
    stream = kind in ("stream", "cut", "silent", "hangup") or kind == "hangup_early" and n % 2 == 0
    body = {"model": "m", "max_tokens": 100, "stream": stream, "messages": [{"role": "user", "content": f"{kind} {n}"}]}
    headers = f"authorization: Bearer {SECRET}\r\nx-weir-tags: n={n}\r\n"
    s = Raw(g.port, 60)
    s.send(post(body, headers=headers))
    if kind == "hangup":        # with content in hand
        s.read_head()
        while s.buffer.count(b"word") < n % 53 + 1:
            s._fill()
    elif kind == "hangup_early":
        time.sleep(0.02)
    if kind.startswith("hangup"):
        if n % 3 == 0:
            s.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
        return
    try:
        s.read()
    except (EOFError, ConnectionError):
        assert kind == "cut"
    s.close()


@pytest.mark.parametrize("shared", [False, True], ids=["memory", "redis"])
def test_the_ledger_is_what_providers_served(gateway, provider, config, tmp_path, redis, shared):
    double = Double()
    c = config(provider(double.script(False)), provider(double.script(True)), ledger=str(tmp_path / "weir.db"), breaker="off",
               store=redis.url if shared else "memory", prices={f"{p}/mock": {"input": IN / 1000, "output": OUT / 1000} for p in ("first", "second")},
               keys=[{"name": "web", "secret": SECRET, "limits": {"concurrent": 1000, "tokens_per_day": 10**9, "requests_per_day": 10**6},
                      "budgets": [{"usd": 1000, "per": "month"}, {"usd": 1000, "per": "total"}]}], log={"level": "info"})
    g = gateway(c)
    kinds = [(random.Random(n).choice(ENDINGS), n) for n in range(REQUESTS)]
    with ThreadPoolExecutor(24) as pool:
        list(pool.map(lambda k: ask(g, *k), kinds))
    db = sqlite3.connect(f"file:{tmp_path}/weir.db?mode=ro", uri=True)
    count = lambda: db.execute("SELECT count(*) FROM requests").fetchone()[0]
    until(lambda: count() >= REQUESTS)
    assert count() == REQUESTS and g.metric("weir_ledger_dropped_total") == 0
    rows = {int(tags[2:]): rest for tags, *rest in db.execute("SELECT tags, cost, cost_estimated, attempts, status, output FROM requests")}
    assert len(rows) == REQUESTS
    for kind, n in kinds:
        cost, estimated, *rest = rows[n]
        if kind in ("cut", "silent", "hangup"):
            # No report came: flagged, and at least the words that were delivered.
            assert estimated and cost >= double.words[n] * OUT, (kind, n, rows[n], double.words[n])
        elif kind == "reset":       # the first may have acted upon it
            assert cost >= double.told[n] > 0 and estimated == (cost > double.told[n]), (kind, n, rows[n], double.told[n])
        elif kind == "hangup_early":
            assert estimated or cost == double.told[n], (kind, n, rows[n])
        else:
            assert (cost, estimated) == (double.told[n], 0), (kind, n, rows[n], double.told[n])
    # What the budget says is what the ledger says, and nothing is held.
    total = db.execute("SELECT sum(cost) FROM requests").fetchone()[0]
    g.quiet()
    limits = g.get("/v1/key", headers=KEY).json["limits"]
    assert not any(x["held"] for x in limits)
    for x in limits:
        if "usd" in x["limit"]:
            assert round(x["used"] * 1e9) == total, (x, total)
    (total_tokens,) = [x["used"] for x in limits if x["limit"].startswith("tokens")]
    assert total_tokens > 0
    assert [a for a, in db.execute("SELECT amount FROM periods")] == [total, total]
    if shared:
        assert [(x["requests"], round(x["cost_usd"] * 1e9)) for x in spent(g, "--by", "model")["usage"] if x["model"] == "m"] == [(REQUESTS, total)]

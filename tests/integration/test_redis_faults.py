"""Redis killed, stopped, restarted and failing over under load: no caller of a `local` key sees it."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from redis_server import Watched
from test_ledger import spent
from weir import LOAD, until

pytestmark = [pytest.mark.slow, pytest.mark.soak]
PART = int(os.environ.get("WEIR_SOAK_PART", 60)) if os.environ.get("WEIR_SOAK") else 2     # seconds of each state
RATE = 1000 if os.environ.get("WEIR_SOAK") else 300
SECRET = "sk-web-0123456789"


def under_load(gateway, port, url, steps, tmp_path):
    """Runs the steps, a while apart, under load, each a word and what to do; prints what callers saw of each. No time is asserted."""
    g = gateway({"providers": {"first": {"dialect": "openai", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": "k-0123456789",
                                         "allow_private_address": True}},
                 "models": {"m": {"targets": ["first/mock"]}}, "log": {"level": "info"}, "prices": {"first/mock": {"input": 1, "output": 4}},
                 "listen": {"max_connections_per_address": 1000}, "store": url, "store_timeout": "50ms", "ledger": str(tmp_path / "weir.db"),
                 "keys": [{"name": "web", "secret": SECRET, "limits": {"requests_per_minute": 10**8, "concurrent": 10**6, "tokens_per_day": 10**11},
                           "budgets": [{"usd": 10**6, "per": "month"}]}]})
    seconds = PART * (len(steps) + 2)
    callers = [sys.executable, LOAD, "callers", str(g.port), str(seconds), str(RATE), "10", SECRET, str(PART)]
    with subprocess.Popen(callers, stdout=subprocess.PIPE, text=True) as load:
        began = time.monotonic()
        for _, step in steps:
            time.sleep(PART)
            step()
        counts = json.loads(load.stdout.read())
    lines = [x for x in g.logs().splitlines() if '"message":"store' in x]
    parts = ["Redis answers", *(word for word, _ in steps)]
    print(f"{RATE} requests/s, {PART} s of each state; 99th percentile in ms, as callers see it:")
    print(*(f"  {word:28}{ms:8}" for word, ms in zip(parts, counts["p99_ms_by_part"])), counts, *lines, sep="\n")
    assert counts["failed"] == 0 and counts["cut"] == 0, counts
    assert len(lines) <= time.monotonic() - began + 1, lines
    seconds = [json.loads(x)["time"][:19] for x in lines]
    assert all(seconds.count(s) <= 2 for s in seconds), lines       # its end, and what was lost meanwhile
    return g, counts


def settled_everywhere(g, counts, lost=0):
    """What was told while Redis was away has arrived, as far as it may be kept; nothing is held."""
    until(lambda: g.metric("weir_store_settlements_owed") == 0 and spent(g)["usage"][0]["requests"] >= counts["requests"])
    by = {x["limit"]: x for x in g.get("/v1/key", headers={"authorization": f"Bearer {SECRET}"}).json["limits"]}
    assert by["concurrent"]["held"] == 0, by
    assert g.metric("weir_store_settlements_lost_total") <= lost
    return by


def test_killed_stopped_and_restarted_under_load(gateway, steady_provider, redis, tmp_path):
    """R2, R3, R5."""
    def kill():
        redis.process.kill()
        redis.process.wait()
    g, counts = under_load(gateway, steady_provider, redis.url, [
        ("stopped (SIGSTOP)", lambda: redis.process.send_signal(signal.SIGSTOP)), ("goes on", lambda: redis.process.send_signal(signal.SIGCONT)),
        ("killed", kill), ("restarted, empty", redis.start)], tmp_path)
    assert counts["requests"] > RATE * PART
    # The server that was killed had kept nothing: what was settled before is gone from limits per minute, not from the budget.
    by = settled_everywhere(g, {"requests": 1})
    assert by["1000000 usd per month"]["used"] > 0


def test_a_master_that_dies_under_load(gateway, steady_provider, tmp_path):
    """R6."""
    watched = Watched(tmp_path)
    try:
        g, counts = under_load(gateway, steady_provider, watched.url, [("master killed, failover", watched.master.stop), ("new master", lambda: None)], tmp_path)
        until(lambda: "role:master" in watched.replica.call("INFO", "replication"))
        by = settled_everywhere(g, {"requests": counts["requests"] - RATE})
        # At most a second's requests are lost with the master that died.
        assert by["1000000 usd per month"]["used"] >= (counts["requests"] - RATE) * 22e-6
    finally:
        watched.stop()

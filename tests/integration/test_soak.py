"""Long runs. `make soak` gives them minutes; `make test` the half minute that shows the thing at all."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from weir import LOAD

pytestmark = [pytest.mark.slow, pytest.mark.soak]
SECONDS = 600 if os.environ.get("WEIR_SOAK") else 30


def test_reload_each_100_ms_under_load_fails_and_cuts_nothing(gateway, steady_provider):
    c = {"providers": {"first": {"dialect": "openai", "base_url": f"http://127.0.0.1:{steady_provider}/v1", "api_key": "k-0123456789",
                                 "allow_private_address": True}},
         "models": {"m": {"targets": ["first/mock"]}}, "log": {"level": "info"},
         "listen": {"max_connections_per_address": 1000}}
    g = gateway(c)
    load = subprocess.Popen([sys.executable, LOAD, "callers", str(g.port), str(SECONDS), "1000", "200"],
                            stdout=subprocess.PIPE, text=True)
    began, early, reloads = time.monotonic(), 0, 0
    while load.poll() is None:
        reloads += 1
        c["models"]["extra"] = {"targets": [f"first/mock-{reloads}"]}
        g.write(c)
        g.process.send_signal(signal.SIGHUP)
        if not early and time.monotonic() - began > SECONDS / 3:
            early = g.rss()
        time.sleep(0.1)
    r = json.loads(load.stdout.read())
    late = g.rss()
    print(r, "reloads", reloads, "memory", early, late)
    assert r["failed"] == 0 and r["cut"] == 0, r
    assert r["requests"] > 20 * reloads and r["streams"] >= 200
    assert late < early * 1.05 + (1 << 20)
    assert g.metric("weir_config_last_reload_success") == 1

"""The durable record: what it holds, what it survives, and what `weir usage` says of it."""
import csv
import io
import json
import os
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from mock_provider import completion, error, good, http
from weir import BINARY, SLOW

SECRET = "sk-web-0123456789"
KEY = {"authorization": f"Bearer {SECRET}"}


def usage(prompt, out):
    return {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out}


def with_ledger(config, tmp_path, *providers, key=None, **more):
    return config(*providers, keys=[{"name": "web", "secret": SECRET, "team": "shop", **(key or {})}], teams=[{"name": "shop"}],
                  prices={"first/mock": {"input": 1, "output": 4}}, ledger=str(tmp_path / "weir.db"), **more)


def rows(tmp_path, n=0):
    end = time.monotonic() + 5 * SLOW
    while True:
        with sqlite3.connect(f"file:{tmp_path}/weir.db?mode=ro", uri=True) as db:
            db.row_factory = sqlite3.Row
            got = [dict(r) for r in db.execute("SELECT * FROM requests ORDER BY time")]
        if len(got) >= n or time.monotonic() > end:
            return got
        time.sleep(0.02)


def run(g, *args):
    return subprocess.run([BINARY, "usage", "-c", str(g.file), *args], capture_output=True, text=True)


def test_every_request_has_its_row(gateway, provider, config, tmp_path):
    p = provider(lambda r: error(500) if b"fail" in r.body else good(r))
    g = gateway(with_ledger(config, tmp_path, p))
    a = g.chat(headers={**KEY, "x-weir-tags": "team=blue,feature=search"})
    b = g.chat(headers=KEY, stream=True)
    c = g.chat(headers=KEY, text="fail")
    d = g.chat()
    got = {r["id"]: r for r in rows(tmp_path, 4)}
    ra, rb, rc, rd = (got[x.headers["x-request-id"]] for x in (a, b, c, d))
    assert (ra["key"], ra["team"], ra["tags"], ra["model"], ra["target"]) == ("web", "shop", "team=blue,feature=search", "m", "first/mock")
    assert (ra["input"], ra["output"], ra["cost"], ra["status"], ra["stream"]) == (10, 3, 22000, 200, 0)
    assert (rb["cost"], rb["stream"], rb["team"]) == (22000, 1, "shop") and ra["price_date"] >= 20260801
    assert (rc["status"], rc["error"], rc["cost"]) == (502, "provider_error", 0) and rd["status"] == 401 and rd["key"] is None


def test_the_sum_is_what_the_provider_served_to_the_nano_dollar(gateway, provider, config, tmp_path):
    served = []

    def script(r):
        n = len(served) % 97 + 1
        served.append(n)
        return error(503) if n % 13 == 0 else [http(200, completion(usage=usage(n, 2 * n)))]

    g = gateway(with_ledger(config, tmp_path, provider(script), breaker="off", workers=2))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: g.chat(headers=KEY), range(600)))
    got = rows(tmp_path, 600)
    assert len(got) == 600
    assert sum(r["cost"] for r in got) == sum(n * 1000 + 2 * n * 4000 for n in served if n % 13)


def test_spending_survives_a_restart_without_redis(gateway, provider, config, tmp_path):
    p = provider(lambda r: [http(200, completion(usage=usage(1000, 500)))])
    c = with_ledger(config, tmp_path, p, key={"budgets": [{"usd": 0.005, "per": "month"}, {"usd": 9, "per": "total"}]})
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=600).status == 200
    rows(tmp_path, 1)
    g.process.kill()
    g.process.wait()
    g.expect = None
    g = gateway(c)
    r = g.chat(headers=KEY, max_tokens=600)
    assert r.status == 429 and "$0.003 are spent" in r.error["message"]
    by = {x["limit"]: x for x in g.get("/v1/key", headers=KEY).json["limits"]}
    assert by["9 usd in total"]["used"] == pytest.approx(0.003)


def test_usage_reports(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider()))
    for tag in ("a", "a", "b"):
        g.chat(headers={**KEY, "x-weir-tags": f"feature={tag}"})
    rows(tmp_path, 3)
    table = run(g).stdout.splitlines()
    assert table[0].split() == ["key", "model", "requests", "failed", "input", "output", "cost_usd", "estimated_usd"]
    assert table[1].split() == ["web", "m", "3", "0", "30", "9", "0.000066", "0"]
    got = list(csv.DictReader(io.StringIO(run(g, "--by", "tags,day", "--csv").stdout)))
    assert [(r["tags"], r["requests"]) for r in got] == [("feature=a", "2"), ("feature=b", "1")]
    assert json.loads(run(g, "--by", "team", "--json", "--since", "1h").stdout)["usage"][0]["cost_usd"] == pytest.approx(66e-6)
    bad = run(g, "--by", "colour")
    assert bad.returncode == 1 and "there are key, team" in bad.stderr
    assert run(g, "--since", "soon").returncode == 2


def test_a_ledger_that_cannot_be_written_is_told_at_the_start(gateway, provider, config, tmp_path):
    c = with_ledger(config, tmp_path, provider())
    c["ledger"] = str(tmp_path / "nowhere" / "weir.db")
    g = gateway(c, wait=False, expect=1)
    g.process.wait(10)
    assert "Make its folder writable, name another file, or say `ledger: off`" in g.logs()


def test_a_ledger_that_is_lost_or_locked_costs_rows_and_no_request(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider()))
    assert g.chat(headers=KEY).status == 200
    rows(tmp_path, 1)
    lock = sqlite3.connect(tmp_path / "weir.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    assert all(g.chat(headers=KEY).status == 200 for _ in range(5))
    g.wait_log("the ledger took no rows", 10)
    lock.execute("ROLLBACK")
    lock.close()
    assert g.metric("weir_ledger_dropped_total") == 5
    assert g.chat(headers=KEY).status == 200
    assert len(rows(tmp_path, 2)) == 2

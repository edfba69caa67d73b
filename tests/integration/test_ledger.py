"""The durable record: what it holds, what it survives, and what `weir usage` says of it."""
import csv
import http.client as http_client
import io
import json
import resource
import signal
import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from mock_provider import completion, error, good, http
from weir import BINARY, Raw, SLOW, post, until

SECRET = "sk-web-0123456789"
KEY = {"authorization": f"Bearer {SECRET}"}


def usage(prompt, out):
    return {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out}


def with_ledger(config, tmp_path, *providers, key=None, **more):
    return config(*providers, keys=[{"name": "web", "secret": SECRET, "team": "shop", **(key or {})}], teams=[{"name": "shop"}],
                  prices={"first/mock": {"input": 1, "output": 4}}, ledger=str(tmp_path / "weir.db"), **more)


def rows(tmp_path, n=0):
    def written():
        with sqlite3.connect(f"file:{tmp_path}/weir.db?mode=ro", uri=True) as db:
            db.row_factory = sqlite3.Row
            made = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'requests'").fetchone()[0]
            return [dict(r) for r in db.execute("SELECT * FROM requests ORDER BY time")] if made else []
    until(lambda: len(written()) >= n)
    return written()


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


def test_periods_and_rows_of_a_clock_that_was_ahead_are_not_restored(gateway, provider, config, tmp_path):
    """They would bind until their time is there."""
    c = with_ledger(config, tmp_path, provider(), key={"budgets": [{"usd": 1, "per": "day"}]})
    g = gateway(c)
    assert g.chat(headers=KEY).status == 200
    rows(tmp_path, 1)
    g.stop()
    with sqlite3.connect(tmp_path / "weir.db") as db:
        year = 365 * 86400
        db.execute("INSERT INTO periods SELECT scope, name, began + ?1, ends + ?1, 1000000000, 1000000000, span FROM periods", (year,))
        db.execute("INSERT INTO requests(time, key, team, cost) SELECT time + ?, key, team, 1000000000 FROM requests", (year * 1000000,))
    g = gateway(c)
    assert [x["used"] for x in g.get("/v1/key", headers=KEY).json["limits"]] == [pytest.approx(0.000022)]
    assert g.chat(headers=KEY).status == 200


def test_killed_with_a_hundred_requests_in_flight(gateway, provider, config, tmp_path):
    """Without Redis: what is in the file is whole and is what budgets have spent, all that was written before is in it, nothing is held."""
    p = provider(lambda r: [("hang",)] if b"hang" in r.body else [http(200, completion(usage=usage(1000, 500)))])
    c = with_ledger(config, tmp_path, p, key={"budgets": [{"usd": 100, "per": "month"}, {"usd": 100, "per": "total"}, {"usd": 100, "rolling": "30d"}],
                                              "limits": {"concurrent": 1000}})
    g = gateway(c)
    body = {"model": "m", "max_tokens": 600, "messages": [{"role": "user", "content": "hang"}]}
    waiting = []
    for _ in range(100):
        waiting.append(Raw(g.port))
        waiting[-1].send(post(body, headers=f"authorization: Bearer {SECRET}\r\n"))
    until(lambda: sum(b"hang" in r.body for r in p.requests) == 100)
    busy = threading.Event()

    def keep_busy():
        while not busy.is_set():
            try:
                g.chat(headers=KEY, max_tokens=600)
            except (OSError, http_client.HTTPException):
                return
    threads = [threading.Thread(target=keep_busy) for _ in range(4)]
    for t in threads:
        t.start()
    until(lambda: len(rows(tmp_path)) > 200)        # and goes on
    before = len(rows(tmp_path))
    g.process.kill()
    g.process.wait()
    busy.set()
    for t in threads:
        t.join()
    g.expect = None
    with sqlite3.connect(tmp_path / "weir.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        n, total = db.execute("SELECT count(*), sum(cost) FROM requests").fetchone()
    assert n >= before and total == n * 3_000_000
    g = gateway(c)
    by = {x["limit"]: (round(x["used"] * 1e9), x["held"]) for x in g.get("/v1/key", headers=KEY).json["limits"] if "usd" in x["limit"]}
    assert by == {"100 usd per month": (total, 0), "100 usd in total": (total, 0), "100 usd in any 30d": (total, 0)}
    assert g.chat(headers=KEY, max_tokens=600).status == 200 and len(rows(tmp_path, n + 2)) == n + 2      # and the question
    assert not [x for x in g.logs().splitlines() if '"level":"error"' in x]
    for s in waiting:
        s.close()


OF = {"key": lambda b: {"budgets": [b]}, "model": lambda b: {"per_model": {"m*": {"budgets": [b]}}},
      "tag": lambda b: {"per_tag": {"feature=*": {"budgets": [b]}}}, "user": lambda b: {"per_user": {"budgets": [b]}}}
SPANS = {"calendar": {"per": "year"}, "rolling": {"rolling": "2h"}, "total": {"per": "total"}}
ASKS = {"x-weir-tags": "feature=search,user=ann"}


def budgets_of_every_kind():
    """Keys and teams, each with one budget that one request leaves too little of."""
    keys, teams = [], []
    for kind, of in {**OF, "team": OF["key"], "team-user": OF["user"]}.items():
        for span, words in SPANS.items():
            name, budget = f"{kind}-{span}", of({"usd": 0.005, **words})
            keys.append({"name": name, "secret": f"sk-{name}-0123456789", **({"team": name} if "team" in kind else budget)})
            teams += [{"name": name, **budget}] if "team" in kind else []
    return keys, teams


def test_budgets_of_every_kind_survive_being_killed(gateway, provider, config, tmp_path):
    """Of keys, teams, models, tags and end users; of calendar periods, rolling, in total."""
    p = provider(lambda r: [http(200, completion(usage=usage(1000, 500)))])
    keys, teams = budgets_of_every_kind()
    c = config(p, keys=keys, teams=teams, prices={"first/mock": {"input": 1, "output": 4}}, ledger=str(tmp_path / "weir.db"))
    auth = {k["name"]: {"authorization": f"Bearer {k['secret']}", **ASKS} for k in keys}
    g = gateway(c)
    assert {n: g.chat(headers=h, max_tokens=600).status for n, h in auth.items()} == dict.fromkeys(auth, 200)
    rows(tmp_path, len(keys))
    for _ in range(2):      # and again: what was restored is not counted twice
        g.expect = None
        g.process.kill()
        g.process.wait()
        g = gateway(c)
        for name, h in auth.items():
            r = g.chat(headers=h, max_tokens=600)
            assert r.status == 429 and "$0.003 are spent" in r.error["message"], (name, r.body)
            (limit,) = g.get("/v1/key", headers=h).json["limits"]
            assert limit["used"] == pytest.approx(0.003) and limit["held"] == 0, name
    other = {**auth["user-rolling"], "x-weir-tags": "user=ben"}
    assert g.chat(headers=other, max_tokens=600).status == 200


def test_rows_of_before_a_rolling_budget_count_in_it(gateway, provider, config, tmp_path):
    p = provider(lambda r: [http(200, completion(usage=usage(1000, 500)))])
    c = with_ledger(config, tmp_path, p)
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=600).status == 200
    g.stop()
    c["keys"][0]["budgets"] = [{"usd": 0.009, "rolling": "1d"}]
    g = gateway(c)
    assert g.chat(headers=KEY, max_tokens=600).status == 200
    rows(tmp_path, 2)
    for spent in ("$0.006", "$0.006"):
        g.stop()
        g = gateway(c)
        assert f"{spent} are spent" in g.chat(headers=KEY, max_tokens=1200).error["message"]


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
    g.process.wait(30 * SLOW)
    assert "Make its folder writable, name another file, or say `ledger: off`" in g.logs()


def test_a_locked_ledger_costs_no_request_and_no_row(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider()))
    assert g.chat(headers=KEY).status == 200
    rows(tmp_path, 1)
    lock = sqlite3.connect(tmp_path / "weir.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    assert all(g.chat(headers=KEY).status == 200 for _ in range(5))
    g.wait_log("takes no rows: database is locked")
    lock.execute("ROLLBACK")
    lock.close()
    assert len(rows(tmp_path, 6)) == 6 and g.metric("weir_ledger_dropped_total") == 0
    g.wait_log("takes rows again")


def test_a_ledger_locked_until_the_end_says_what_is_lost(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider()))
    g.chat(headers=KEY)
    rows(tmp_path, 1)
    lock = sqlite3.connect(tmp_path / "weir.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    assert all(g.chat(headers=KEY).status == 200 for _ in range(5))
    g.stop()
    lock.close()
    assert "took no rows at the end: 5 are lost" in g.logs()


def test_a_full_disk_costs_no_request(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider()))
    assert g.chat(headers=KEY).status == 200
    rows(tmp_path, 1)
    most = max(f.stat().st_size for f in tmp_path.glob("weir.db*"))
    resource.prlimit(g.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    assert all(g.chat(headers={**KEY, "x-weir-tags": f"n={i}" + "x" * 100}).status == 200 for i in range(20))
    g.wait_log("takes no rows: .*Requests go on")
    resource.prlimit(g.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert len(rows(tmp_path, 21)) == 21
    assert g.logs().count("takes no rows") <= 2


def test_a_ledger_that_was_removed_begins_anew(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider()))
    g.chat(headers=KEY)
    rows(tmp_path, 1)
    for f in tmp_path.glob("weir.db*"):
        f.unlink()
    assert all(g.chat(headers=KEY).status == 200 for _ in range(3))
    g.wait_log("was removed under way: it begins anew")
    assert len(rows(tmp_path, 3)) == 3


def test_a_ledger_that_broke_costs_no_request(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider()))
    g.chat(headers=KEY)
    rows(tmp_path, 1)
    for f in tmp_path.glob("weir.db*"):
        f.write_bytes(b"no database at all " * 4000)
    assert all(g.chat(headers=KEY).status == 200 for _ in range(10))
    g.wait_log("takes no rows: ")
    g.stop()
    assert "lost" in g.logs()
    h = gateway(g.config, wait=False, expect=1)
    h.process.wait(30 * SLOW)
    assert "cannot use the ledger" in h.logs() and "name another file" in h.logs()


def test_a_file_of_an_older_weir_is_gone_on_with(gateway, provider, config, tmp_path):
    with sqlite3.connect(tmp_path / "weir.db") as db:
        db.execute("CREATE TABLE requests( time INTEGER NOT NULL, id TEXT, key TEXT, team TEXT, tags TEXT, model TEXT, target TEXT,"
                   " endpoint TEXT, status INTEGER, error TEXT, attempts INTEGER, stream INTEGER, input INTEGER, output INTEGER,"
                   " cached INTEGER, cache_write INTEGER, reasoning INTEGER, cost INTEGER, cost_estimated INTEGER,"
                   " cost_incomplete INTEGER, price_date INTEGER, us INTEGER, first_us INTEGER)")
        db.execute("CREATE TABLE periods(scope TEXT, name TEXT, began INTEGER, ends INTEGER, amount INTEGER, seen INTEGER,"
                   " PRIMARY KEY(scope, name, began)) WITHOUT ROWID")
        db.execute("INSERT INTO periods VALUES('team/shop', 'key/web/budget/usd/total/', 0, 0, 20000000, 0)")
    g = gateway(with_ledger(config, tmp_path, provider(), key={"budgets": [{"usd": 1, "per": "total"}]}))
    assert g.get("/v1/key", headers=KEY).json["limits"][0]["used"] == pytest.approx(0.02)
    g.chat(headers=KEY)
    assert rows(tmp_path, 1)[0]["cache"] is None


def test_the_cache_and_rules_have_their_columns(gateway, provider, config, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules:\n  - { name: greeting, when: { exact: [hello] }, answer: Good day }\n")
    c = with_ledger(config, tmp_path, provider(), cache={"enabled": True}, plugins=[{"name": "rules", "config": {"file": str(rules)}}],
                    workers=1)     # rows are made just after their answers: those of several workers may change places
    g = gateway(c)
    for text in ("hi", "hi", "hello"):
        assert g.chat(headers=KEY, text=text).status == 200
    assert [(r["cache"], r["rule"], r["target"]) for r in rows(tmp_path, 3)] == [
        ("miss", None, "first/mock"), ("hit", None, None), (None, "rules/greeting", None)]


def test_rows_as_json_lines(gateway, provider, config, tmp_path):
    c = with_ledger(config, tmp_path, provider(), ledger_lines=str(tmp_path / "rows.jsonl"))
    c["ledger"] = "off"
    g = gateway(c)
    r = g.chat(headers={**KEY, "x-weir-tags": "feature=search"}, stream=True)
    g.stop()
    (line,) = [json.loads(x) for x in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert line["id"] == r.headers["x-request-id"] and line["tags"] == "feature=search" and line["target"] == "first/mock"
    assert (line["input"], line["output"], line["cost_usd"], line["stream"], line["status"]) == (10, 3, 0.000022, True, 200)


def test_rows_go_to_stdout_beside_the_file(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider(), ledger_lines="stdout", log={"access": "off", "level": "warn"}))
    r = g.chat(headers=KEY)
    assert len(rows(tmp_path, 1)) == 1
    g.stop()
    (line,) = [json.loads(x) for x in g.logs().splitlines()]
    assert (line["id"], line["key"], line["cost_usd"], line["price_date"]) == (r.headers["x-request-id"], "web", 0.000022, rows(tmp_path)[0]["price_date"])


def test_without_a_ledger_it_is_said_that_nothing_is_restored(gateway, provider, config, tmp_path):
    c = with_ledger(config, tmp_path, provider(), key={"budgets": [{"usd": 1, "per": "day"}]})
    c["ledger"] = "off"
    gateway(c).wait_log("what budgets have spent is forgotten at a restart")


# --- all replicas ---

def spent(g, *args):
    r = run(g, "--json", *args)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def test_usage_of_three_replicas_one_killed_for_good(gateway, provider, config, tmp_path, redis):
    """Each request's spending is in the shared store when its caller has the answer, or very shortly after."""
    served = []

    def script(r):
        served.append(len(served) % 50 + 1)
        return [http(200, completion(usage=usage(served[-1], 2 * served[-1])))]

    p = provider(script)
    c = with_ledger(config, tmp_path, p, store=redis.url, key={"budgets": [{"usd": 100, "per": "month"}]})
    gs = []
    for i in range(3):
        gs.append(gateway({**c, "ledger": str(tmp_path / f"weir{i}.db")}))
    with ThreadPoolExecutor(12) as pool:
        assert {pool.submit(lambda i=i: gs[i % 3].chat(headers=KEY, max_tokens=200).status).result() for i in range(300)} == {200}
    total = sum(n * 1000 + 2 * n * 4000 for n in served)
    gs[0].expect = None
    gs[0].process.kill()
    for g in gs[1:]:
        until(lambda: spent(g)["usage"][0]["requests"] >= 300)
        got = spent(g, "--by", "key,model,day")
        assert got["of"] == "all replicas"
        assert sum(round(x["cost_usd"] * 1e9) for x in got["usage"]) == total and sum(x["requests"] for x in got["usage"]) == 300
        assert got["usage"][0]["key"] == "web" and got["usage"][0]["model"] == "m"
        assert g.get("/admin/usage?by=key%2Cmodel,day&since=1d", port=g.admin_port).json == got
    alone = run(gs[1], "--by", "target")
    assert "of this replica alone" in alone.stderr
    assert sum(int(x.split()[1]) for x in alone.stdout.splitlines()[1:]) == 100


def test_a_day_with_too_many_tags_adds_further_ones_up(gateway, provider, config, tmp_path, redis):
    g = gateway(with_ledger(config, tmp_path, provider(), store=redis.url))
    g.chat(headers={**KEY, "x-weir-tags": "feature=a"})
    rows = until(lambda: redis.call("KEYS", "weir:{tally:*}:sums"))
    redis.call("EVAL", "for i = 1, 19999 do redis.call('HSET', KEYS[1], 'x' .. i, string.rep('\\0', 48)) end", 1, rows)
    for tag in ("b", "a", "c"):
        g.chat(headers={**KEY, "x-weir-tags": f"feature={tag}"})
    until(lambda: g.metric("weir_usage_others_total") >= 2)
    assert g.metric("weir_usage_others_total") == 2
    got = {x["tags"]: x["requests"] for x in spent(g, "--by", "key,tags")["usage"] if x["key"] == "web"}
    assert got == {"feature=a": 2, "(others)": 2}


def test_the_admin_api_reports_usage(gateway, provider, config, tmp_path):
    g = gateway(with_ledger(config, tmp_path, provider()))
    g.chat(headers=KEY)
    rows(tmp_path, 1)

    def ask(query):
        return g.get("/admin/usage" + query, port=g.admin_port)
    assert ask("").json == {"of": "this replica", "usage": [{
        "key": "web", "model": "m", "requests": 1, "failed": 0, "input": 10, "output": 3, "cost_usd": 0.000022, "estimated_usd": 0}]}
    assert ask("?by=target&since=1h").json["usage"][0]["target"] == "first/mock"
    for query, words in (("?by=colour", "there are key, team"), ("?since=soon", "takes a number")):
        r = ask(query)
        assert r.status == 400 and words in r.error["message"]
    assert g.get("/admin/usage").status == 404


def test_usage_says_that_the_store_is_away(gateway, provider, config, tmp_path, redis):
    g = gateway(with_ledger(config, tmp_path, provider(), store=redis.url))
    redis.stop()
    r = run(g)
    assert r.returncode == 1 and "the store does not answer (redis at 127.0.0.1" in r.stderr


def test_what_is_told_while_redis_is_away_arrives_when_it_is_back(gateway, provider, config, tmp_path, redis):
    g = gateway(with_ledger(config, tmp_path, provider(), store=redis.url))
    g.chat(headers={**KEY, "x-weir-tags": "feature=a"})
    redis.process.send_signal(signal.SIGSTOP)
    for _ in range(20):
        assert g.chat(headers={**KEY, "x-weir-tags": "feature=a"}).status == 200
    redis.process.send_signal(signal.SIGCONT)
    until(lambda: run(g).returncode == 0 and spent(g, "--by", "tags")["usage"][0]["requests"] >= 21)
    assert [(x["tags"], x["requests"]) for x in spent(g, "--by", "tags")["usage"]] == [("feature=a", 21)]

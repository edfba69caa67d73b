"""A Redis Cluster of six: what the store does is done through a gateway, while slots move and a master dies."""
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from mock_provider import completion, http
from redis_server import Cluster
from weir import BINARY, until

TOKEN = "admin-token-0123456789"
ADMIN = {"authorization": f"Bearer {TOKEN}"}
TEAMS = [f"team{i}" for i in range(12)]
COST = 0.0005


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    c = Cluster(tmp_path_factory.mktemp("cluster"))
    yield c
    c.stop()


@pytest.fixture
def fleet(gateway, provider, config, cluster):
    """Two gateways with a key of each team; all that an earlier test left in the cluster is gone."""
    for n in cluster.masters():
        n.call("FLUSHALL")
    p = provider(lambda r: [http(200, completion(usage={"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200}))])
    c = config(p, store=cluster.url, teams=[{"name": t} for t in TEAMS], admin={"token": TOKEN}, keys_file="keys.db", cache={"enabled": True},
               prices={"first/mock": {"input": 1, "output": 4}}, keys=[{"name": t, "secret": secret(t), "team": t, "limits": {
                   "requests_per_hour": 6, "concurrent": 50}, "budgets": [{"usd": 1, "per": "month"}]} for t in TEAMS])
    gs = [gateway(c) for _ in range(2)]
    for g in gs:
        g.store_up()
    return gs, p


def secret(name):
    return f"sk-{name}-0123456789"


def ask(g, team, text="hi", store=False):
    return g.chat(text=text, headers={"authorization": f"Bearer {secret(team)}", **({} if store else {"x-weir-cache": "no-store"})})


def told(g, team):
    """Used and held by limit; nothing while the store is away."""
    r = g.get("/v1/key", headers={"authorization": f"Bearer {secret(team)}"})
    return {x["limit"]: (x["used"], x["held"]) for x in r.json["limits"]} if r.status == 200 else {}


def all_settled(gs):
    for g in gs:
        until(lambda: g.metric("weir_store_settlements_owed") == 0)
        g.quiet()


def test_keys_limits_cache_and_usage(fleet, cluster):
    (a, b), p = fleet
    # Limits of teams, spread over the masters, are exact over both gateways.
    with ThreadPoolExecutor(24) as pool:
        got = list(pool.map(lambda i: (TEAMS[i % 12], ask((a, b)[i // 12 % 2], TEAMS[i % 12]).status), range(120)))
    all_settled((a, b))
    for t in TEAMS:
        assert sorted(s for name, s in got if name == t) == [200] * 6 + [429] * 4, t
        for g in (a, b):
            assert told(g, t) == {"requests_per_hour": (6, 0), "concurrent": (0, 0), "1 usd per month": (pytest.approx(6 * COST), 0)}
    assert {n for n, k in cluster.keys("weir:{*}:l:*")} == set(cluster.masters())
    # Spending, of both.
    usage = json.loads(subprocess.run([BINARY, "usage", "-c", str(b.file), "--json", "--by", "key"], capture_output=True, text=True, check=True).stdout)
    assert usage["of"] == "all replicas" and {x["key"]: x["requests"] - x["failed"] for x in usage["usage"] if x["key"] in TEAMS} == {t: 6 for t in TEAMS}
    assert sum(x["cost_usd"] for x in usage["usage"]) == pytest.approx(72 * COST)
    # Keys that one makes serve at the other, and answers that one keeps are given by the other.
    made = a.request("POST", "/admin/keys", {"name": "made"}, ADMIN, port=a.admin_port).json["secret"]
    mine = {"authorization": f"Bearer {made}"}
    until(lambda: b.chat(headers=mine).status == 200)
    for i in range(8):
        first = a.chat(text=f"question {i}", headers=mine)
        a.quiet()
        again = b.chat(text=f"question {i}", headers=mine)
        assert (first.headers["x-weir-cache"], again.headers["x-weir-cache"]) == ("miss", "hit") and again.body == first.body
    a.request("DELETE", "/admin/keys/made", headers=ADMIN, port=a.admin_port)
    until(lambda: b.chat(headers=mine).status == 401)


def test_slots_that_move(fleet, cluster):
    """R10: an answer is found where ASK says, counts where MOVED says, and what could not be told meanwhile is told afterwards."""
    (a, b), p = fleet
    t = TEAMS[0]
    assert [ask(a, t, store=True).headers["x-weir-cache"], ask(a, t).status] == ["miss", 200]
    all_settled((a, b))
    (answer,) = [k for _, k in cluster.keys("weir:v:*")]
    (limit,) = [k for _, k in cluster.keys(f"weir:{{*{t}*}}:l:*requests*")]
    moving = [cluster.migrating(k) for k in (answer, limit)]
    assert ask(b, t, store=True).headers["x-weir-cache"] == "hit"       # it has not moved yet
    for m in moving:
        cluster.migrate_keys(*m)
    assert a.chat(headers={"authorization": f"Bearer {secret(t)}"}).headers["x-weir-cache"] == "hit"   # ASK
    assert ask(b, t).status == 200
    for slot, _, target in moving:
        cluster.migrated(slot, target)
    all_settled((a, b))
    before = until(lambda: told(a, t))
    until(lambda: told(b, t) == before)
    assert all(held == 0 for _, held in before.values())
    assert before["1 usd per month"][0] == pytest.approx(3 * COST)      # those out of the cache cost nothing
    assert b.chat(headers={"authorization": f"Bearer {secret(t)}"}).headers["x-weir-cache"] == "hit"   # MOVED
    all_settled((a, b))
    used = int(told(a, t)["requests_per_hour"][0])
    assert used == 6 and [ask(g, t).status for g in (a, b)] == [429, 429]
    assert "nonsense" not in a.logs() and a.metric("weir_store_calls_total", result="broken") == 0


def test_a_master_that_dies(fleet, cluster):
    """Its replica takes over: no caller sees it, and what was spent is as it was, but for what its last second granted."""
    (a, b), p = fleet
    for t in TEAMS:
        assert ask(a, t).status == 200
    all_settled((a, b))
    (victim,) = {n for n, k in cluster.keys(f"weir:{{*{TEAMS[3]}*}}:l:*requests*")}
    until(lambda: any(f"port={n.port},state=online" in victim.call("INFO", "replication") for n in cluster.alive()))
    assert victim.call("WAIT", 1, 5000) == "1"
    victim.process.kill()
    victim.process.wait()
    assert [ask(g, t).status for t in TEAMS for g in (a, b)] == [200] * 24      # within their parts where Redis is not asked
    until(lambda: len(cluster.masters()) == 3 and all("cluster_state:ok" in n.call("CLUSTER", "INFO") for n in cluster.masters()))
    until(lambda: all(told(g, t) for g in (a, b) for t in TEAMS))
    all_settled((a, b))
    for t in TEAMS:
        for g in (a, b):
            # Each worker finds the new master by itself.
            until(lambda: told(g, t) == {"requests_per_hour": (3, 0), "concurrent": (0, 0), "1 usd per month": (pytest.approx(3 * COST), 0)})
    victim.start()      # comes back as a replica
    until(lambda: "role:slave" in victim.call("INFO", "replication"))
    assert all(ask(a, t).status == 200 for t in TEAMS)

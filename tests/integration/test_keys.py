"""Keys made by the admin API: what they may do, how they end, where they are kept, and who hears of it."""
import hashlib
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess

import pytest
from test_limits import fixed
from weir import BINARY, SLOW, until

TOKEN = "admin-token-0123456789"
ADMIN = {"authorization": f"Bearer {TOKEN}"}


def admin(g, method, path, body=None, headers=ADMIN):
    return g.request(method, "/admin/keys" + path, body, headers, port=g.admin_port)


def made(g, name, **fields):
    r = admin(g, "POST", "", {"name": name, **fields})
    assert r.status == 201, r.body
    return r.json["secret"]


def ask(g, secret, **more):
    return g.chat(headers={"authorization": f"Bearer {secret}"}, **more)


@pytest.fixture
def keyed(gateway, provider, config, tmp_path):
    def start(p=None, keys_file="keys.db", **more):
        more.setdefault("admin", {"token": TOKEN})
        return gateway(config(p or provider(), keys_file=keys_file, **more))
    return start


def test_a_key_lives_and_ends(keyed):
    g = keyed()
    assert g.chat().status == 200           # with no keys at all everybody may call
    secret = made(g, "web", models=["m"])
    assert re.fullmatch(r"sk-weir-[0-9A-Za-z]{40}", secret)
    check = hashlib.sha256(secret[:-6].encode()).digest()[:6]
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    assert secret[-6:] == "".join(letters[b % 62] for b in check)
    assert g.chat().status == 401 and ask(g, secret).status == 200
    shown = admin(g, "GET", "/web")
    assert shown.status == 200 and shown.json["status"] == "active" and shown.json["models"] == ["m"] and "secret" not in shown.json
    assert secret not in json.dumps(admin(g, "GET", "").json) and secret not in g.logs()

    r = admin(g, "POST", "/web/rotate")
    assert r.status == 200 and ask(g, secret).status == 401 and ask(g, r.json["secret"]).status == 200
    secret = r.json["secret"]
    assert admin(g, "PATCH", "/web", {"disabled": True}).json["status"] == "disabled" and ask(g, secret).status == 401
    assert admin(g, "PATCH", "/web", {"disabled": False, "models": ["other-*"]}).status == 200
    assert ask(g, secret).status == 403
    assert admin(g, "PATCH", "/web", {"models": None}).status == 200 and ask(g, secret).status == 200
    assert admin(g, "PATCH", "/web", {"expires": "1s"}).status == 200
    until(lambda: ask(g, secret).status == 401)
    assert admin(g, "GET", "/web").json["status"] == "expired"
    assert admin(g, "PATCH", "/web", {"expires": None}).status == 200 and ask(g, secret).status == 200

    assert admin(g, "DELETE", "/web").json["status"] == "revoked" and ask(g, secret).status == 401
    assert g.chat().status == 401           # the last key's end opens nothing
    assert admin(g, "PATCH", "/web", {"disabled": False}).status == 404
    assert admin(g, "GET", "").json["data"] == [] and len(admin(g, "GET", "?revoked=true").json["data"]) == 1
    assert ask(g, made(g, "web")).status == 200 and ask(g, secret).status == 401


def test_limits_and_team_are_those_of_the_configuration(keyed):
    g = keyed(teams=[{"name": "shop", "limits": {"requests_per_minute": 3}}])
    a, b = made(g, "a", team="shop", limits={"requests_per_minute": 2}), made(g, "b", team="shop")
    assert [ask(g, a).status for _ in range(3)] == [200, 200, 429]
    assert [ask(g, b).status for _ in range(2)] == [200, 429]
    g.config["teams"][0]["limits"]["requests_per_minute"] = 10      # Q14: at once, and what was used stays used
    g.write(g.config)
    g.reload()
    until(lambda: ask(g, b).status == 200)
    admin(g, "PATCH", "/a", {"limits": {"requests_per_minute": 4}})
    assert [ask(g, a).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("body, says", [
    ({}, "`name`"), ({"name": "a b"}, "`name`"), ({"name": "x" * 129}, "`name`"), ({"name": 'a"b'}, "`name`"),
    ({"name": "a", "limit": {}}, "did you mean `limits`"), ({"name": "a", "limits": {"requests_per_minute": "x"}}, "requests_per_minute"),
    ({"name": "a", "budgets": [{"usd": -1}]}, "usd"), ({"name": "a", "expires": "soon"}, "`expires`"), ({"name": "a", "team": "none"}, "team"),
    ({"name": "a", "secret": "sk-mine-0123456789"}, "`secret` cannot be set"), ({"name": "a", "models": {"x": 1}}, "models"),
    ({"name": "a#b"}, "`name`"), ({"name": ".."}, "`name`"), ({"name": "."}, "`name`"),
    ({"name": "a", "team": "t" * 129}, "`team`"), ({"name": "a", "team": "a\nb"}, "`team`"), ({"name": "a", "team": "a\0b"}, "`team`"),
    ({"name": "a", "disabled": 1}, "`disabled`"), ("{", "JSON"), ("[1]", "JSON"), ({"name": "a", "models": ["x" * 9000]}, "8 KiB"),
])
def test_mistakes_are_named(keyed, body, says):
    teams = {} if "`team`" in says else {"teams": [{"name": "shop"}]}
    g = keyed(**teams)
    r = admin(g, "POST", "", body)
    assert r.status in (400, 413) and says in r.error["message"]
    assert g.chat().status == 200 and admin(g, "GET", "").json["data"] == []


def test_a_moment_that_is_long_past_is_not_never(keyed):
    g = keyed()
    secret = made(g, "old", expires="1970-01-01T00:00:00Z", disabled=True)
    assert admin(g, "PATCH", "/old", {"disabled": None}).json["status"] == "expired" and ask(g, secret).status == 401
    assert admin(g, "PATCH", "/old", {"expires": None}).json["status"] == "active" and ask(g, secret).status == 200


def test_only_the_admin_token_makes_keys(keyed):
    g = keyed(keys=[{"name": "conf", "secret": "sk-conf-0123456789"}])
    secret = made(g, "web")
    for headers in ({}, {"authorization": "Bearer " + secret}, {"authorization": "Bearer sk-conf-0123456789"}, {"x-api-key": TOKEN}):
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/web"), ("PATCH", "/web"), ("DELETE", "/web"), ("POST", "/web/rotate")):
            assert admin(g, method, path, {"name": "x"} if method != "GET" else None, headers).status == 401
    assert admin(g, "POST", "", {"name": "web"}).status == 409 and admin(g, "POST", "", {"name": "conf"}).status == 409
    assert admin(g, "DELETE", "/conf").status == 409 and admin(g, "DELETE", "/nobody").status == 404
    assert admin(g, "PUT", "/web", {}).status == 405 and admin(g, "POST", "/web/other").status == 404
    assert g.request("GET", "/admin/keys", headers=ADMIN).status == 404     # not on the callers' side


def test_pages_of_a_list(keyed):
    g = keyed()
    for i in range(7):
        made(g, f"k{i}", **({"team": "t"} if i % 2 else {}))
    first = admin(g, "GET", "?limit=3").json
    assert [k["name"] for k in first["data"]] == ["k0", "k1", "k2"] and first["has_more"]
    rest = admin(g, "GET", "?limit=10&after=k2").json
    assert [k["name"] for k in rest["data"]] == ["k3", "k4", "k5", "k6"] and not rest["has_more"]
    assert [k["name"] for k in admin(g, "GET", "?team=t").json["data"]] == ["k1", "k3", "k5"]


def test_keys_survive_a_restart_as_digests(keyed, gateway, provider, config):
    g = keyed()
    secret = made(g, "web", models=["m"])
    gone = made(g, "gone")
    admin(g, "DELETE", "/gone")
    g.process.kill()
    g.process.wait()
    g.expect = None
    path = g.tmp / "keys.db"
    assert os.stat(path).st_mode & 0o077 == 0
    for name in os.listdir(g.tmp):
        if name.startswith("keys.db"):
            assert secret.encode() not in (g.tmp / name).read_bytes()
    again = gateway(config(provider(), keys_file=str(path), admin={"token": TOKEN}))
    assert ask(again, secret).status == 200 and ask(again, gone).status == 401 and again.chat().status == 401


def test_a_file_that_cannot_be_used_is_an_error_at_start(keyed, gateway, config, provider, tmp_path):
    (tmp_path / "bad.db").write_text("this is no database, and it is long enough to be seen as none" * 20)
    for path, says in (("/nowhere/keys.db", "unable to open"), (str(tmp_path / "bad.db"), "not a database")):
        g = gateway(config(provider(), keys_file=path, admin={"token": TOKEN}), wait=False, expect=1)
        g.wait_log("cannot use the file of keys")
        g.process.wait(10 * SLOW)
        assert says in g.logs() and "keys_file" in g.logs()


def test_a_file_that_is_locked_or_full_is_told_to_who_makes_a_key(keyed):
    g = keyed()
    secret = made(g, "web")
    lock = sqlite3.connect(g.tmp / "keys.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    r = admin(g, "POST", "", {"name": "other"})
    assert r.status == 503 and "takes nothing" in r.error["message"]
    g.wait_log("database is locked")
    lock.execute("ROLLBACK")
    lock.close()
    most = max(f.stat().st_size for f in g.tmp.glob("keys.db*"))
    resource.prlimit(g.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    statuses = [admin(g, "POST", "", {"name": f"k{i}", "models": ["m" * 1000]}).status for i in range(8)]
    assert statuses[-1] == 503 and set(statuses) <= {201, 503}
    assert ask(g, secret).status == 200 and admin(g, "GET", "/other").status == 404
    resource.prlimit(g.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert ask(g, made(g, "other")).status == 200


@pytest.mark.parametrize("how", ["removed", "replaced by garbage"])
def test_a_file_that_is_gone_is_written_anew(keyed, gateway, provider, config, how):
    g = keyed()
    first, gone = made(g, "web"), made(g, "gone")
    admin(g, "DELETE", "/gone")
    path = g.tmp / "keys.db"
    for f in g.tmp.glob("keys.db*"):
        f.unlink()
    if how != "removed":
        path.write_bytes(b"no database at all " * 4000)
        assert admin(g, "POST", "", {"name": "second"}).status == 503 and ask(g, first).status == 200
        path.unlink()
    second = made(g, "second")
    g.wait_log("was removed under way: it is written anew")
    assert ask(g, first).status == 200
    g.stop()
    again = gateway(config(provider(), keys_file=str(path), admin={"token": TOKEN}))
    assert [ask(again, s).status for s in (first, second, gone)] == [200, 200, 401]


def test_without_a_place_to_keep_them_there_are_none(gateway, provider, config):
    g = gateway(config(provider(), admin={"token": TOKEN}))
    r = admin(g, "POST", "", {"name": "web"})
    assert r.status == 409 and "keys_file" in r.error["message"] and g.chat().status == 200


def test_running_streams_finish_when_their_key_ends(keyed, provider):
    """A8."""
    from mock_provider import LAST_CHUNK, chunk, delta, stream_head
    import http.client
    g = keyed(provider(lambda r: [stream_head(), chunk(delta("a")), ("sleep", 1.0), chunk(delta("b")), LAST_CHUNK]))
    secret = made(g, "web")
    c = http.client.HTTPConnection("127.0.0.1", g.port, timeout=20)
    c.request("POST", "/v1/chat/completions", json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}),
              {"authorization": "Bearer " + secret, "content-type": "application/json"})
    r = c.getresponse()
    assert r.status == 200 and r.readline()
    admin(g, "DELETE", "/web")
    assert ask(g, secret).status == 401
    assert b'"b"' in r.read()


def test_spending_of_made_keys_survives_a_restart(keyed, provider, config, gateway, tmp_path):
    prices = {"first/mock": {"input": 1, "output": 4}}
    g = keyed(provider(fixed(1000, 500)), ledger=str(tmp_path / "ledger.db"), keys_file=str(tmp_path / "k.db"), prices=prices)
    secret = made(g, "web", budgets=[{"usd": 0.005, "per": "day"}])
    assert ask(g, secret, max_tokens=600).status == 200
    g.stop()
    again = keyed(provider(fixed(1000, 500)), ledger=str(tmp_path / "ledger.db"), keys_file=str(tmp_path / "k.db"), prices=prices)
    r = ask(again, secret, max_tokens=600)
    assert r.status == 429 and "$0.003 are spent" in r.error["message"]
    explained = again.request("POST", "/admin/explain", {"key": "web", "body": {"model": "m", "messages": [{"role": "user", "content": "x"}]}}, ADMIN, port=again.admin_port)
    assert explained.status == 200


# --- replicas ---

def test_replicas_hear_within_a_second(keyed, redis):
    """R15: nothing is published that could be lost, each asks."""
    a, b = keyed(store=redis.url), keyed(store=redis.url)
    secret = made(a, "web")
    until(lambda: admin(b, "GET", "/web").status == 200)
    assert ask(b, secret).status == 200
    assert admin(b, "POST", "", {"name": "web"}).status == 409
    new = admin(b, "POST", "/web/rotate").json["secret"]
    assert ask(b, secret).status == 401
    until(lambda: ask(a, secret).status == 401 and ask(a, new).status == 200)
    admin(a, "DELETE", "/web")
    until(lambda: ask(b, new).status == 401)
    everything = subprocess.run(["redis-cli", "-p", str(redis.port), "hgetall", "weir:{keys}:records"], capture_output=True, text=True).stdout
    assert '"name":"web"' in everything and secret not in everything and new not in everything


def test_keys_serve_while_redis_is_away_and_come_back_to_it(keyed, redis, gateway, config, provider):
    a = keyed(store=redis.url)
    secret = made(a, "web")
    redis.stop()
    assert ask(a, secret).status == 200
    r = admin(a, "POST", "", {"name": "other"})
    assert r.status == 503 and "cannot be reached" in r.error["message"]
    path = a.tmp / "keys.db"
    a.stop()
    again = gateway(config(provider(), keys_file=str(path), store=redis.url, admin={"token": TOKEN}))
    assert ask(again, secret).status == 200         # from the local copy
    redis.start()                                   # empty: what is known is put back
    other = keyed(store=redis.url)
    until(lambda: admin(other, "GET", "/web").status == 200)
    assert ask(other, secret).status == 200
    until(lambda: admin(again, "POST", "", {"name": "other"}).status == 201)
    until(lambda: len(admin(other, "GET", "").json["data"]) == 2)


def test_nobody_is_let_in_before_it_is_known_whether_there_are_keys(keyed, redis):
    redis.process.send_signal(signal.SIGSTOP)
    g = keyed(store=redis.url)
    r = g.chat()
    assert r.status == 503 and "has not answered yet" in r.error["message"] and r.headers["retry-after"] == "1"
    redis.process.send_signal(signal.SIGCONT)
    until(lambda: g.chat().status == 200)


# --- many ---

def test_100000_keys_take_little_and_are_found_at_once(gateway, provider, config, tmp_path):
    """At most 64 MiB for all of them; any of them works."""
    path = tmp_path / "many.db"
    few = gateway(config(provider(), keys_file=str(tmp_path / "few.db"), admin={"token": TOKEN}, workers=1))
    made(few, "first")
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE keys(name TEXT PRIMARY KEY, version INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID")
    rows = []
    for i in range(100_000):
        record = {"name": f"customer-{i}", "digest": hashlib.sha256(f"sk-many-{i:08}".encode()).hexdigest(), "created": 1, "expires": 0,
                  "disabled": False, "revoked": False, "of": {"team": f"team-{i % 1000}", "models": ["m"], "limits": {"requests_per_minute": 60}}}
        rows.append((record["name"], i + 1, json.dumps(record, separators=(",", ":"))))
    db.executemany("INSERT INTO keys VALUES(?,?,?)", rows)
    db.commit()
    db.close()
    many = gateway(config(provider(), keys_file=str(path), admin={"token": TOKEN}, workers=1))
    for i in (0, 1, 50_000, 99_999):
        assert ask(many, f"sk-many-{i:08}").status == 200
    assert ask(many, "sk-many-00100000").status == 401
    if SLOW == 1:
        assert many.rss() - few.rss() < 64 << 20
    assert many.get("/v1/key", headers={"authorization": "Bearer sk-many-00004321"}).json["team"] == "team-321"


# --- commands ---

def run(g, *args, token=TOKEN):
    env = {**g.env, "WEIR_ADMIN_TOKEN": token, "WEIR_ADMIN_URL": f"http://127.0.0.1:{g.admin_port}"}
    return subprocess.run([BINARY, "keys", *args], capture_output=True, text=True, env=env, timeout=30)


def test_commands(keyed):
    g = keyed()
    r = run(g, "create", "web", "--team", "shop", "--models", "m,other-*", "--usd", "50/month", "--expires", "30d")
    assert r.returncode == 0 and re.search(r"sk-weir-\w{40}", r.stdout), r.stderr
    secret = re.search(r"sk-weir-\w{40}", r.stdout).group()
    assert ask(g, secret).status in (200, 503)      # its price may be unknown
    k = admin(g, "GET", "/web").json
    assert k["team"] == "shop" and k["models"] == ["m", "other-*"] and k["budgets"] == [{"usd": 50, "per": "month"}] and k["expires"]
    assert "web" in run(g, "list").stdout and "shop" in run(g, "list").stdout
    assert json.loads(run(g, "list", "--json").stdout)["data"][0]["name"] == "web"
    assert json.loads(run(g, "show", "web").stdout)["name"] == "web"
    assert run(g, "update", "web", "--models", "m").returncode == 0 and admin(g, "GET", "/web").json["models"] == ["m"]
    rotated = run(g, "rotate", "web").stdout
    assert secret not in rotated and ask(g, secret).status == 401
    assert run(g, "revoke", "web").returncode == 0 and admin(g, "GET", "/web").json["status"] == "revoked"
    assert run(g, "revoke", "web").returncode == 1 and "revoked" in run(g, "revoke", "web").stderr
    assert run(g, "create").returncode == 2 and run(g, "nonsense").returncode == 2 and run(g).returncode == 2
    assert run(g, "list", token="wrong").returncode == 1


def test_commands_mean_the_key_that_is_named(keyed):
    """Signs that a URL has of its own are not the end of a name."""
    g = keyed()
    kept, other = made(g, "web"), made(g, "a+b")
    for args in (("revoke", "web#old"), ("revoke", "web?x=1"), ("revoke", "web/../web"), ("revoke", "./web"), ("revoke", "web", "old")):
        assert run(g, *args).returncode in (1, 2), args
    assert ask(g, kept).status == 200
    assert run(g, "revoke", "a+b").returncode == 0 and ask(g, other).status == 401
    assert [admin(g, "GET", path).status for path in ("/w%65b", "/web%", "/web%00")] == [200, 400, 400]


def test_a_list_as_json_is_whole(keyed):
    g = keyed()
    for i in range(1001):
        made(g, f"k{i:04}", **({"team": "a+b"} if i < 2 else {}))
    names = [k["name"] for k in json.loads(run(g, "list", "--json").stdout)["data"]]
    assert names == [f"k{i:04}" for i in range(1001)]
    assert [k["name"] for k in json.loads(run(g, "list", "--team", "a+b", "--json").stdout)["data"]] == ["k0000", "k0001"]
    assert json.loads(run(g, "list", "--team", "none", "--json").stdout)["data"] == []


@pytest.mark.parametrize("shared", [False, True])
def test_an_operator_sees_what_a_key_has_left(keyed, provider, request, shared):
    more = {"store": request.getfixturevalue("redis").url} if shared else {}
    g = keyed(provider(fixed(100, 100)), keys=[{"name": "conf", "secret": "sk-conf-0123456789", "team": "shop", "limits": {"requests_per_minute": 9}}],
              teams=[{"name": "shop", "budgets": [{"usd": 1, "per": "day"}], "per_user": {"limits": {"concurrent": 3}}}],
              prices={"first/mock": {"input": 1, "output": 4}}, **more)
    secret = made(g, "a+b", team="shop", budgets=[{"tokens": 500, "per": "total"}], metadata={"owner": "ann", "n": [1, {"x": None}]})
    assert admin(g, "GET", "/a%2Bb").json["metadata"] == {"owner": "ann", "n": [1, {"x": None}]}
    assert ask(g, secret, max_tokens=100).status == 200 and ask(g, "sk-conf-0123456789", max_tokens=100).status == 200
    g.quiet()
    for name, key in (("a+b", secret), ("conf", "sk-conf-0123456789")):
        told = json.loads(run(g, "use", name).stdout)
        assert (told["object"], told["name"]) == ("key_use", name)
        assert told["limits"] == g.get("/v1/key", headers={"authorization": "Bearer " + key}).json["limits"] and len(told["limits"]) == 2
    assert [x["used"] for x in told["limits"]] == [1, 0.001]
    made(g, "free")
    assert admin(g, "GET", "/free/use").json["limits"] == []
    assert admin(g, "DELETE", "/free").status == 200
    assert [admin(g, "GET", path).status for path in ("/free/use", "/nobody/use", "/conf/used")] == [404] * 3
    assert admin(g, "GET", "/conf/use", headers={"authorization": "Bearer " + secret}).status == 401
    if shared:
        request.getfixturevalue("redis").stop()
        until(lambda: admin(g, "GET", "/conf/use").status == 503)

"""Canaries: a secret of every kind, and everything weir writes, searched for them."""
import json
import os
import pathlib
import resource
import signal
import sqlite3
import subprocess

import pytest
from mock_provider import error, good, http
from redis_server import Redis
from weir import BINARY, Raw, until

SECRETS = {
    "virtual key": "sk-weir-canary-virtual-0123456789",
    "virtual key of another": "plainwordscanaryvirtual0123456789",
    "provider": "sk-canary-provider-0123456789abcdef",
    "provider in an odd form": "canaryodd0123456789provider",
    "fallback's provider": "gsk_canaryfallback0123456789",
    "aws secret": "canaryAwsSecret/0123456789abcdefghijklmno",
    "admin token": "canary-admin-token-0123456789",
    "redis password": "canaryRedisPassword0123456789",
    "wrong key": "sk-canary-wrong-0123456789",
    "wrong key in the query": "canaryquery0123456789",
    "caller's own": "sk-canary-caller-0123456789",
    "header of a provider": "canaryheader0123456789",
    "made-up token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5c2lnbmF0dXJl",
}


def found(where, data, more=()):
    data = data.encode() if isinstance(data, str) else data
    return [(where, name) for name, s in (*SECRETS.items(), *more) if s.encode() in data]


def failed_response(r):
    """A stream of Responses that fails after content, and says why, slashes escaped."""
    text = f"no: {r.headers.get('authorization')} {SECRETS['header of a provider'] if 'canary-provider' in str(r.headers) else ''}"
    events = [{"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}},
              {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "so far"},
              {"type": "response.failed", "sequence_number": 2, "response": {"id": "resp_1", "object": "response", "status": "failed", "output": [],
                                                                            "error": {"code": "server_error", "message": text}}}]
    body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
    return [http(200, body.replace("/", "\\/"), "text/event-stream")]


def vendor(r):
    """One that says its credential back, as some do."""
    text = r.body.decode(errors="replace")
    if "echo" in text:
        return error(401, f"Incorrect API key provided: {r.headers.get('authorization')} {SECRETS['provider']}")
    if "broken" in text:
        return [http(500, f"<html>{r.headers.get('authorization')}</html>", "text/html")]
    if "breaks off" in text and r.path.endswith("/responses"):
        return failed_response(r)
    if "refused" in text:
        return error(400, f"no: {r.headers.get('authorization')}", type="invalid_request_error")
    return good(r)


@pytest.fixture
def guarded_redis(tmp_path):
    r = Redis(tmp_path)
    r.call("ACL", "SETUSER", "weir", "on", ">" + SECRETS["redis password"], "~*", "+@all")
    yield r
    r.stop()


def everything(g, made):
    """Asks for all there is in all the ways there are; returns what came back."""
    key = {"authorization": f"Bearer {SECRETS['virtual key']}"}
    admin = {"authorization": f"Bearer {SECRETS['admin token']}"}
    out = []

    def keep(r):
        out.append(json.dumps(r.headers) + r.body.decode(errors="replace"))
        return r
    for model in ("m", "odd/mock", "cloud/mock", "own/mock"):
        for text in ("hi", "echo", "broken", "refused"):
            for stream in (False, True):
                keep(g.chat(model=model, text=text, stream=stream, headers=key))
    for model in ("m", "odd/mock"):
        r = keep(g.request("POST", "/v1/responses", {"model": model, "input": "breaks off", "stream": True}, key))
        if r.status == 200:
            assert b"so far" in r.body and b"response.failed" in r.body
    keep(g.chat(model="own/mock", headers={"authorization": "Bearer " + SECRETS["caller's own"]}))
    keep(g.chat(headers={"x-api-key": SECRETS["virtual key of another"]}))
    for h in ({"authorization": f"Bearer {SECRETS['wrong key']}"}, {"x-api-key": SECRETS["wrong key"]}, {},
              {"authorization": f"Bearer {SECRETS['made-up token']}"}, {"authorization": SECRETS["virtual key"]},
              {**key, "x-api-key": SECRETS["wrong key"]}):
        keep(g.chat(headers=h))
        keep(g.get("/v1/key", headers=h))
    keep(g.request("POST", f"/v1beta/models/m:generateContent?key={SECRETS['wrong key in the query']}", {"contents": []}))
    keep(g.get(f"/v1/models?key={SECRETS['wrong key in the query']}"))
    keep(g.get("/v1/key", headers=key))
    keep(g.get("/v1/models", headers=key))
    r = g.request("POST", "/admin/keys", {"name": "made"}, {**admin}, port=g.admin_port)
    if r.status < 300:      # shown here, and nowhere else
        made["key made at run time"] = r.json["secret"]
        keep(g.chat(headers={"authorization": f"Bearer {r.json['secret']}"}))
        keep(g.get("/admin/keys", headers=admin, port=g.admin_port))
        keep(g.get("/admin/keys/made", headers=admin, port=g.admin_port))
    for path in ("/", "/metrics", "/status.json", "/readyz?verbose", "/admin/usage", "/admin/why?id=x", "/nothing"):
        keep(g.get(path, headers=admin, port=g.admin_port))
        keep(g.get(path, headers={"authorization": f"Bearer {SECRETS['wrong key']}"}, port=g.admin_port))
    raw = Raw(g.port)
    raw.send(f"GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRETS['wrong key']}\r\nbad header {SECRETS['virtual key']}\r\n\r\n")
    out.append(raw.read().body.decode())
    raw.close()
    return out


def command_lines():
    for f in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = f.read_bytes()
        except OSError:
            continue
        if b"redis-server" not in text and b"pytest" not in text:     # the test's own
            yield str(f), text


def test_no_secret_is_found_anywhere(gateway, provider, config, tmp_path, guarded_redis):
    """A14."""
    p = provider(vendor)
    common = {"base_url": p.url, "allow_private_address": True, "dialect": "openai"}
    c = config(p, store=f"redis://weir:{SECRETS['redis password']}@127.0.0.1:{guarded_redis.port}/0", store_timeout="50ms", admin={"token": SECRETS["admin token"]},
               ledger=str(tmp_path / "weir.db"), ledger_lines=str(tmp_path / "rows.jsonl"), log={"level": "debug"},
               capture={"share": "100%", "redact": False, "directory": str(tmp_path / "kept")}, breaker="off",
               learned_file=str(tmp_path / "learned.json"), prices={"first/mock": {"input": 1, "output": 4}},
               keys=[{"name": "web", "secret": SECRETS["virtual key"], "budgets": [{"usd": 100, "per": "month"}]},
                     {"name": "other", "secret": SECRETS["virtual key of another"], "limits": {"requests_per_minute": 1000}}])
    c["providers"]["first"]["api_key"] = SECRETS["provider"]
    c["providers"]["first"]["headers"] = {"x-extra": SECRETS["header of a provider"]}
    c["providers"] |= {
        "odd": {**common, "api_key": SECRETS["provider in an odd form"]}, "second": {**common, "api_key": SECRETS["fallback's provider"]},
        "own": {**common, "credential": "caller"},
        "cloud": {**common, "credential": "aws", "region": "eu-west-3", "access_key_id": "AKIAEXAMPLE", "secret_access_key": SECRETS["aws secret"]}}
    c["models"]["m"]["targets"].append("second/mock")
    g = gateway(c)
    made = {}
    said = everything(g, made)
    found_in = []
    # Redis away, back, and with another password.
    guarded_redis.process.send_signal(signal.SIGSTOP)
    said += everything(g, {})
    guarded_redis.process.send_signal(signal.SIGCONT)
    guarded_redis.call("ACL", "SETUSER", "weir", "resetpass", ">another")
    guarded_redis.call("CLIENT", "KILL", "TYPE", "normal")
    said += everything(g, {})
    g.write({**c, "keys": [{"name": "web", "secrt": SECRETS["virtual key"]}, {"name": "b", "secret": [SECRETS["virtual key"]]}]})
    g.process.send_signal(signal.SIGHUP)
    g.wait_log("unknown key `secrt`")
    for args in (["check"], ["usage"], ["explain"]):
        r = subprocess.run([BINARY, *args, "-c", str(g.file)], capture_output=True, text=True, env={**g.env}, input="{}")
        said.append(r.stdout + r.stderr)
    g.write(c)
    for args in (["check"], ["usage"], ["usage", "--by", "target"], ["config", "full"]):
        r = subprocess.run([BINARY, *args, "-c", str(g.file)], capture_output=True, text=True, env={**g.env})
        said.append(r.stdout + r.stderr)
    for text in said:
        found_in += found("answers: " + text[:2000], text, made.items())
    for where, text in command_lines():
        found_in += found(where, text, made.items())
    # A core file would hold all of them: there is none, even where the limit would let it be.
    try:
        resource.prlimit(g.process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except PermissionError:
        pass    # its hard limit is none, and who runs this may not raise that
    g.quiet()
    until(lambda: sqlite3.connect(tmp_path / "weir.db").execute("SELECT count(*) FROM requests").fetchone()[0] > 60)
    until(lambda: g.metric("weir_capture_records_total"))
    g.expect = None
    g.process.send_signal(signal.SIGABRT)
    ended = os.waitid(os.P_PID, g.process.pid, os.WEXITED | os.WNOWAIT)
    assert ended.si_code == os.CLD_KILLED
    g.process.wait()
    files = [f for f in tmp_path.rglob("*") if f.is_file() and f != g.file]
    assert {"weir.db", "rows.jsonl", "weir.log"} <= {f.name for f in files} and any(f.name.startswith("capture-") for f in files)
    assert sqlite3.connect(tmp_path / "weir.db").execute("SELECT count(*) FROM requests").fetchone()[0] > 60
    for f in files:
        found_in += found(str(f), f.read_bytes(), made.items())
    assert not found_in, found_in
    # The vendors had what is theirs, and nothing else.
    for r in p.requests:
        theirs = [n for w, n in found("", r.head)]
        assert set(theirs) <= {"provider", "provider in an odd form", "fallback's provider", "header of a provider", "caller's own", "virtual key"}, theirs
        assert "virtual key" not in theirs or "own" in r.head.decode("latin-1") or len(theirs) == 1

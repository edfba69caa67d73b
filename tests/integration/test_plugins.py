"""Plugins built outside the tree against the installed header, as anybody would."""
import json
import os
import re
import sqlite3
import subprocess
import time
from http.client import HTTPException

import anthropic
import openai
import pytest

from conftest import config_for
from mock_provider import LAST_CHUNK, chunk, delta, event, http, stream_head
from weir import BINARY, ROOT, SLOW, Raw, post, until


@pytest.fixture(scope="module")
def header(tmp_path_factory):
    """The header where `make install` puts it, and nothing else."""
    d = tmp_path_factory.mktemp("include")
    (d / "weir_plugin.h").write_bytes((ROOT / "plugins/weir_plugin.h").read_bytes())
    return d


def build(header, source, out, *flags):
    sanitize = ["-fsanitize=address"] if "address" in BINARY else []
    subprocess.run(["gcc", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-shared", "-fPIC", "-g", f"-I{header}", *sanitize, *flags,
                    "-o", str(out), str(source)], check=True)
    return out


@pytest.fixture(scope="module")
def probe(header, tmp_path_factory):
    return build(header, ROOT / "tests/cases/plugins/probe.c", tmp_path_factory.mktemp("probe") / "probe.so")


def with_probe(probe, *providers, entry=None, **more):
    return config_for(*providers, plugins=[{"name": "probe", "path": str(probe), **(entry or {})}], **more)


def text_of(r):
    return r.json["choices"][0]["message"]["content"]


def test_an_answer_in_every_format(gateway, provider, probe):
    p = provider()
    g = gateway(with_probe(probe, p))
    r = g.chat(text="answer it is \"so\"")
    assert r.status == 200 and text_of(r) == 'it is "so"'
    assert r.headers["x-weir-answered-by"] == "probe/said" and float(r.headers["x-weir-cost-usd"]) == 0
    client = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0)
    chunks = list(client.chat.completions.create(model="m", stream=True, stream_options={"include_usage": True},
                                                 messages=[{"role": "user", "content": "answer streamed"}]))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "streamed"
    assert chunks[-1].usage.total_tokens == 0
    assert client.completions.create(model="m", prompt="answer old").choices[0].text == "old"
    assert "".join(c.choices[0].text for c in client.completions.create(model="m", prompt="answer old", stream=True)) == "old"
    assert client.responses.create(model="m", input="answer new").output_text == "new"
    with client.responses.stream(model="m", input=[{"role": "user", "content": "answer new"}]) as s:
        assert s.get_final_response().output_text == "new"
    a = anthropic.Anthropic(base_url=g.url[:-3], api_key="x", max_retries=0)
    ask = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": [{"type": "text", "text": "answer hello"}]}]}
    assert a.messages.create(**ask).content[0].text == "hello"
    with a.messages.stream(**ask) as s:
        assert s.get_final_text() == "hello"
    assert p.requests == []
    until(lambda: [x.get("answered_by") for x in g.access()] == ["probe/said"] * 8)
    assert g.metric("weir_plugin_requests_total", plugin="probe", outcome="answer") == 8
    assert g.metric("weir_plugin_calls_avoided_total", plugin="probe", model="m") == 8


def test_a_plugin_sees_the_request(gateway, provider, probe):
    g = gateway(with_probe(probe, provider(), keys=[{"name": "shop", "secret": "sk-shop-secret"}]))
    body = {"model": "m", "user": "u1", "tools": [{"type": "function", "function": {"name": "f"}}], "messages": [
        {"role": "system", "content": "be \u00e9"}, {"role": "assistant", "content": None},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "show"}]}]}
    r = g.request("POST", "/v1/chat/completions", body, {"authorization": "Bearer sk-shop-secret", "x-weir-tags": "a=b, team=blue"})
    assert text_of(r) == ("0.0:be \u00e9|1.2:show|model=m key=shop endpoint=chat tools=1 images=1 stream=0 "
                          "user=\"u1\" team-tag=blue")


def test_thousands_of_parts_are_read_and_changed_in_one_go(gateway, provider, probe):
    """What takes time by the square of their number would keep the thread for minutes: six times as many take some six times as long."""
    p = provider()
    g = gateway(with_probe(probe, p) | {"plugins": [{"name": "probe", "path": str(probe)}, {"name": "redact"}]})
    part = {"type": "text", "text": "word " * 100 + "ada@example.org"}
    took = []
    for n in (2500, 15000):
        before = g.cpu_seconds()
        r = g.request("POST", "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": [part] * n}]}, timeout=60 * SLOW)
        assert r.status == 200, r.body[:300]
        took.append(g.cpu_seconds() - before)
        sent = p.requests[-1].json["messages"][0]["content"]
        assert len(sent) == n and all(x["text"] == "word " * 100 + "[EMAIL_1]" for x in sent)
    assert took[1] < 15 * took[0] + 0.3, took


def test_a_rejection_has_the_callers_shape(gateway, provider, probe):
    p = provider()
    g = gateway(with_probe(probe, p))
    r = g.chat(text="reject")
    assert r.status == 451 and r.error["code"] == "not_here" and r.error["message"] == 'Not "here".'
    assert r.headers["x-should-retry"] == "false"
    r = g.request("POST", "/v1/messages", {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "reject"}]})
    assert r.status == 451 and r.json["type"] == "error" and r.error["message"] == 'Not "here".'
    assert g.metric("weir_requests_total", error_type="policy_plugin") == 2
    assert p.requests == []


def test_changes_are_splices(gateway, provider, probe):
    p = provider()
    g = gateway(with_probe(probe, p))
    raw = b'{ "model":"m",\t"user":"gone", "top_p" : 1.50, "big":12345678901234567890.10,\n "messages":[{"role":"user","content":"a\\u0062"},{"content":"change","role":"user"}]}'
    assert g.request("POST", "/v1/chat/completions", raw).status == 200
    assert p.requests[-1].body == raw.replace(b'"m"', b'"mock"').replace(b',\t"user":"gone"', b"").replace(b"1.50", b"0.5").replace(
        b'"change"', b'"changed \\"text\\""').replace(b'{ "model"', b'{"temperature":0.25, "model"')
    assert g.chat(text="hi").status == 200
    assert p.requests[-1].json["messages"] == [{"role": "user", "content": "hi"}]
    assert g.metric("weir_plugin_requests_total", plugin="probe", outcome="change") == 1


def test_a_model_is_chosen_and_checked(gateway, provider, probe):
    p = provider()
    g = gateway(with_probe(probe, p, keys=[{"name": "k", "secret": "sk-key-secret", "models": ["m", "auto"]}]))
    h = {"authorization": "Bearer sk-key-secret"}
    assert g.chat("auto", "route m", headers=h).status == 200
    assert g.chat("auto", "route first/other", headers=h).status == 403
    assert g.chat("other", "answer no", headers=h).status == 403
    assert g.chat("auto", "answer never", headers=h).status == 404


def test_a_target_is_preferred(gateway, provider, probe):
    first, second = provider(), provider()
    g = gateway(with_probe(probe, first, second))
    assert g.chat().headers["x-weir-target"] == "second/mock"


def test_what_is_invalid_goes_nowhere(gateway, provider, probe):
    p = provider()
    g = gateway(with_probe(probe, p))
    assert g.chat(text="bad").status == 500
    assert g.chat(text="no verdict").status == 503
    assert p.requests == [] and g.chat().status == 200
    assert g.metric("weir_plugin_requests_total", plugin="probe", outcome="invalid") == 1


@pytest.mark.parametrize("how, status", [
    ("cause", 200), ("status", 403), ("model", 400), ("tag", 200), ("headers", 200), ("path", 200), ("member", 200), ("text", 200),
    ("body", 500), ("verdict", 500), ("reject", 500), ("answer", 500),
])
def test_what_is_odd_never_reaches_the_wire(gateway, provider, probe, how, status):
    """Line ends in names, causes, codes and headers, statuses that are none, text that is no UTF-8, two bodies, verdicts that are none."""
    p, hook = provider(), provider()
    g = gateway(with_probe(probe, p, entry={"config": {"url": f"http://127.0.0.1:{hook.port}/"}}))
    r = g.chat(text="odd " + how)
    assert r.status == status and "x-evil" not in r.headers and b"TAKEN" not in r.body, r.body
    assert (r.json if status == 200 else r.error["message"]) and hook.requests == []
    if how == "status":
        assert r.error["message"].startswith("No.") and r.error["code"] == 'a\r\n"b'
    if how == "cause":
        assert r.headers["x-weir-answered-by"] == "probe/a??x-evil: 1????body"
    if how == "text":
        assert p.requests[0].json["messages"][0]["content"].encode() == "broken \ufffd\ufffd utf-8 \x01".encode()
    assert len(p.requests) == (status == 200 and how != "cause")
    assert all("x-evil" not in x.headers for x in p.requests) and g.chat(text="answer still").status == 200


def test_holding(gateway, provider, probe):
    p = provider()
    hook = provider(lambda r: [http(200, "so says the hook", "text/plain")])
    g = gateway(with_probe(probe, p, entry={"config": {"url": f"http://127.0.0.1:{hook.port}/may?x=1"}}))
    assert g.chat(text="timer").status == 200 and len(p.requests) == 1
    assert text_of(g.chat(text="http")) == "so says the hook"
    assert hook.requests[0].path == "/may?x=1" and hook.requests[0].headers["x-probe"] == "1"
    assert hook.requests[0].body.startswith(b"req_")
    assert text_of(g.chat(text="work")) == "WORKED"
    r = g.chat(text="slow work")
    assert r.status == 504 and "step of this gateway" in r.error["message"]
    time.sleep(1.5)		# the late result is dropped
    assert g.chat(text="work").status == 200


@pytest.mark.parametrize("ask, status, on_failure", [
    ("http", 504, "continue"), ("http open", 200, "reject"), ("http tell", 200, "reject"),
    ("http as configured", 504, "reject"), ("http as configured", 200, "continue"),
])
def test_a_deadline_passes(gateway, provider, probe, ask, status, on_failure):
    p = provider()
    hook = provider(lambda r: [("hang",)])
    g = gateway(with_probe(probe, p, entry={"on_failure": on_failure, "timeout": "10s", "config": {"url": f"http://127.0.0.1:{hook.port}/"}}))
    r = g.chat(text=ask)
    assert r.status == status
    assert len(p.requests) == (1 if status == 200 and "tell" not in ask else 0)
    if "tell" in ask:
        assert text_of(r) == "no result in time"
    else:
        assert g.metric("weir_plugin_requests_total", plugin="probe", outcome="timeout") == 1
        assert g.wait_log("plugin probe: no result in time") and bool(g.metric("weir_requests_total", error_type="gateway_plugin")) == (status == 504)


def test_the_caller_leaves_while_it_is_held(gateway, provider, probe):
    hook = provider(lambda r: [("hang",)])
    g = gateway(with_probe(probe, provider(), entry={"config": {"url": f"http://127.0.0.1:{hook.port}/"}}))
    c = Raw(g.port)
    c.send(post({"model": "m", "messages": [{"role": "user", "content": "http"}]}))
    until(lambda: hook.requests)
    c.close()
    until(lambda: hook.requests[0].hung_up_at)
    assert g.chat().status == 200


def says(pieces, final=None):
    """A provider that says `pieces`, streamed or not."""
    def script(r):
        if not r.stream:
            return [http(200, {"id": "x", "object": "chat.completion", "model": "mock", "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "".join(pieces)}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})]
        return [stream_head()] + [chunk(delta(x)) for x in pieces] + [chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK]
    return script


def read(g, stream):
    client = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0)
    r = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=stream)
    return "".join(c.choices[0].delta.content or "" for c in r if c.choices) if stream else r.choices[0].message.content


@pytest.mark.parametrize("cut", range(1, 12))
def test_an_answer_is_changed_wherever_it_is_cut(gateway, provider, probe, cut):
    whole = "a secret, se and sec"
    p = provider(says([whole[:cut], whole[cut:]]))
    g = gateway(with_probe(probe, p, entry={"config": {"cut": "secret"}}))
    assert read(g, True) == "a , se and sec"
    assert read(g, False) == "a , se and sec"


def test_an_answer_is_broken_off(gateway, provider, probe):
    p = provider(says(["some ", "STOP ", "never"]))
    g = gateway(with_probe(probe, p, entry={"config": {"cut": "secret"}}))
    r = g.chat()
    assert r.status == 403 and r.error["code"] == "stopped"
    r = g.chat(stream=True)
    assert b"some" in r.body and b"never" not in r.body and b"[DONE]" not in r.body and b"Stopped." in r.body


def test_what_cannot_be_loaded_is_left_out(gateway, provider, header, probe, tmp_path):
    old = build(header, ROOT / "tests/cases/plugins/probe.c", tmp_path / "old.so", "-DPROBE_ABI=99")
    empty = tmp_path / "empty.c"
    empty.write_text("int nothing;\n")
    none = build(header, empty, tmp_path / "none.so")
    half = tmp_path / "half.so"
    half.write_bytes(probe.read_bytes()[:8000])
    half.chmod(0o755)
    writable = tmp_path / "writable.so"
    writable.write_bytes(probe.read_bytes())
    writable.chmod(0o777)
    files = [old, none, half, writable, tmp_path / "missing.so", tmp_path]
    if os.geteuid() == 0:
        files.append(tmp_path / "foreign.so")
        files[-1].write_bytes(probe.read_bytes())
        os.chown(files[-1], 12345, 12345)
    entries = [{"name": "probe", "path": str(x)} for x in files]
    entries += [{"name": "other", "path": str(probe)}, {"name": "probe", "path": str(probe), "sha256": "00" * 32}, {"name": "unknown"}]
    g = gateway(config_for(provider(), plugins=entries))
    assert g.chat(text="reject").status == 200
    if os.geteuid() == 0:
        g.wait_log("belongs neither to root nor")
    for why in ("version 99", "no symbol", "not the whole", "others than its owner", "No such file", "no regular file",
                "calls itself", "SHA-256", "unknown.so"):
        g.wait_log(why)


def test_required_or_refused(gateway, provider, probe, tmp_path):
    def check(entry):
        f = tmp_path / "weir.yaml"
        f.write_text(json.dumps(config_for(provider(), plugins=[entry])))
        return subprocess.run([BINARY, "check", "-c", str(f)], capture_output=True, text=True)
    r = check({"name": "unknown", "required": True})
    assert r.returncode == 2 and "unknown.so" in r.stderr
    r = check({"name": "probe", "path": str(probe), "config": {"x": 1}})
    assert r.returncode == 2 and re.search(r"weir.yaml:1:\d+: error: `x`: probe knows url and cut", r.stderr), r.stderr
    r = check({"name": "probe", "path": str(probe), "config": {"url": "ftp://x"}})
    assert r.returncode == 0 or "ftp" in r.stderr


def test_models_and_keys(gateway, provider, probe):
    g = gateway(with_probe(probe, provider(), entry={"models": ["x*"], "keys": ["shop"]}))
    assert g.chat(text="reject").status == 200


def test_a_reload_under_a_stream(gateway, provider, probe):
    p = provider(lambda r: [stream_head(), chunk(delta("a sec")), ("sleep", 0.5), chunk(delta("ret.")),
                            chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK])
    g = gateway(with_probe(probe, p, entry={"config": {"cut": "secret"}}))
    client = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0)
    r = iter(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True))
    text = next(r).choices[0].delta.content or ""
    g.reload()
    g.reload()
    assert text + "".join(c.choices[0].delta.content or "" for c in r) == "a ."


def ended_by(g, text, **more):
    """The request that ends weir; what it said last, and nothing of it but that."""
    with pytest.raises((OSError, HTTPException)):
        g.chat(text=text, **more)
    g.process.wait(30 * SLOW)
    assert g.process.returncode != 0
    said = g.logs()
    g.log_path.write_text("")	# a sanitizer's report is wanted here
    return said


@pytest.mark.parametrize("how", ["crash", "crash by free", "crash work"])
def test_a_crash_ends_weir_and_nothing_else(gateway, provider, probe, tmp_path, how):
    """In a hook or on the pool of threads: after the restart the ledger and what was spent are there, the request in flight is not."""
    key = {"name": "k", "secret": "sk-weir-k-0123456789abcdef", "budgets": [{"usd": 0.001, "per": "total"}]}
    auth = {"authorization": "Bearer " + key["secret"]}
    p = provider()
    conf = with_probe(probe, p, log={"level": "info"}, ledger=str(tmp_path / "ledger.db"), keys=[key],
                      prices={"first/mock": {"input": 10, "output": 20}})
    g = gateway(conf, expect=None)
    spent = [g.chat(max_tokens=3, headers=auth) for _ in range(3)]
    assert [r.status for r in spent] == [200] * 3
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        until(lambda: db.execute("SELECT count(*) FROM requests").fetchone()[0] == 3)
    ended_by(g, how, headers=auth)
    again = gateway(g.config)
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("SELECT count(*) FROM requests").fetchone()[0] == 3
    while again.chat(max_tokens=3, headers=auth).status == 200:
        spent.append(None)
    assert 4 <= len(spent) <= 6		# 0.00016 dollars each: what was spent before counts on


def test_a_plugin_that_crashes_three_times_is_switched_off(gateway, provider, probe, tmp_path):
    """Null, abort and a stack that runs over: named each time, and the fourth start leaves it out until a reload."""
    p, crashes = provider(), tmp_path / "crashes"
    conf = with_probe(probe, p, entry={"keys": ["shop"]}, plugin_crashes=str(crashes),
                      keys=[{"name": "shop", "secret": "sk-shop-secret-1"}, {"name": "other", "secret": "sk-other-secret"}])
    shop, other = ({"authorization": f"Bearer sk-{x}"} for x in ("shop-secret-1", "other-secret"))
    for n, how in enumerate(("crash", "crash by abort", "crash by recursion")):
        g = gateway(conf, expect=None)
        assert g.metric("weir_plugin_off", plugin="probe") == 0
        assert g.wait_log(f"ended weir {n} times") if n else "ended weir" not in g.logs()
        assert '"message":"weir ends: plugin probe crashed or hung in request()"' in ended_by(g, how, headers=shop)
    assert [line.split()[1:] for line in crashes.read_text().splitlines()] == [["probe", "request"]] * 3
    g = gateway(conf)
    assert g.metric("weir_plugin_off", plugin="probe") == 1
    g.wait_log("plugin probe is switched off: it ended weir 3 times")
    r = g.chat(text="crash", headers=shop)
    assert r.status == 503 and "switched off" in r.error["message"] and p.requests == []
    assert g.chat(text="crash", headers=other).status == 200
    assert g.metric("weir_plugin_requests_total", plugin="probe", outcome="off") == 1
    g.reload()
    assert text_of(g.chat(text="answer again", headers=shop)) == "again"
    assert g.metric("weir_plugin_off", plugin="probe") == 0 and crashes.read_text() == ""


def test_what_is_switched_off_is_passed_over_where_it_may(gateway, provider, probe, tmp_path):
    """And crashes of long ago, or of others, do not count."""
    now = int(time.time())
    crashes = tmp_path / "crashes"
    crashes.write_text(f"{now - 10} probe request\n{now - 9} probe work\nrubbish\n{now - 8} probe delta\n")
    conf = with_probe(probe, provider(), entry={"on_failure": "continue"}, plugin_crashes=str(crashes))
    assert gateway(conf).chat(text="reject").status == 200
    crashes.write_text(f"{now - 10} other request\n{now - 4000} probe work\n{now - 9} probe request\n{now - 8} probe delta\n")
    assert gateway(conf).chat(text="reject").status == 451
    crashes.write_text(f"{now - 4000} probe work\n")
    assert gateway(conf).chat(text="reject").status == 451
    assert crashes.read_text() == ""


def test_a_plugin_that_holds_its_thread_is_named(gateway, provider, probe):
    g = gateway(with_probe(probe, provider(), workers=2))
    assert g.metric("weir_plugin_stuck_total", plugin="probe", hook="request") == 0
    assert g.chat(text="nap").status == 200
    assert g.wait_log(r"plugin probe has kept a thread for a second in request\(\)")
    assert g.metric("weir_plugin_stuck_total", plugin="probe", hook="request") == 1
    assert g.metric("weir_plugin_overruns_total", plugin="probe", hook="request") == 1


def test_a_plugin_that_never_gives_its_thread_back_ends_weir(gateway, provider, probe, tmp_path):
    """It is named, and noted as its crash; the service manager starts weir again."""
    crashes = tmp_path / "crashes"
    g = gateway(with_probe(probe, provider(), plugin_crashes=str(crashes)), expect=None)
    assert "plugin probe crashed or hung in request()" in ended_by(g, "for ever")
    assert crashes.read_text().split()[1:] == ["probe", "request"]


def test_the_plugin_of_the_guide(gateway, provider, header, tmp_path):
    guide = (ROOT / "conf/docs/plugins.md").read_text()
    code = re.search(r"```c\n(.*?)```", guide, re.S).group(1)
    assert len(code.splitlines()) <= 50
    (tmp_path / "ask.c").write_text(code)
    so = build(header, tmp_path / "ask.c", tmp_path / "ask.so")
    hook = provider(lambda r: [http(200, "fine")] if b"good" in r.body else [http(403, "Not that.")])
    g = gateway(config_for(provider(), plugins=[{"name": "ask", "path": str(so), "config": {"url": f"http://127.0.0.1:{hook.port}/may"}}]))
    assert g.chat(text="good").status == 200
    r = g.chat(text="evil")
    assert r.status == 403 and r.error["message"] == "Not that." and r.error["code"] == "asked"
    assert g.request("POST", "/admin/explain", {"model": "m", "messages": [{"role": "user", "content": "evil"}]}, port=g.admin_port).status == 200
    assert [g.metric("weir_plugin_requests_total", plugin="ask", outcome=x) for x in ("continue", "reject", "failure")] == [1, 1, 0]
    hook.stop()
    r = g.chat(text="good")
    assert r.status == 503 and r.error["message"] == "A step of this gateway that has to see each request failed."
    assert r.error["code"] == "plugin_failed" and g.metric("weir_requests_total", error_type="gateway_plugin") == 1
    assert g.wait_log("plugin ask: no connection")


def test_a_command_of_its_own(probe, tmp_path):
    (tmp_path / "two.yaml").write_text("a: 1\nb: ${X:-2}\n")
    (tmp_path / "three.yaml").write_text("a: 1\nb: 2\nc: 3\n")
    (tmp_path / "bad.yaml").write_text("a: [\n")
    for args, status, out, err in ((["two.yaml"], 0, "2 members, 16 bytes\n", ""), (["three.yaml"], 0, "3 members, 15 bytes\n", "three.yaml:1:4: warning: that is much\n"),
                                   (["bad.yaml"], 2, "", "bad.yaml:2:1: error:"), (["absent.yaml"], 2, "", "absent.yaml: error: No such file"), ([], 2, "", "")):
        r = subprocess.run([BINARY, str(probe), *args], capture_output=True, text=True, cwd=tmp_path)
        assert (r.returncode, r.stdout) == (status, out) and r.stderr.startswith(err) and bool(r.stderr) == bool(err), r.stderr
    r = subprocess.run([BINARY, "./absent.so"], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 2 and "there is no command `./absent.so`, and no plugin of this name (./absent.so: No such file or directory)" in r.stderr

"""Start, check, reload, drain: what an operator does."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from mock_provider import LAST_CHUNK, chunk, delta, event, good, stream_head
from weir import BINARY, CHAT, ROOT, SLOW, Raw, post


def run(*args, env=None, cwd=None):
    e = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and not k.startswith("WEIR_")}
    e.update(env or {})
    return subprocess.run([BINARY, *args], capture_output=True, text=True, env=e, cwd=cwd, timeout=60)


def test_contract_file_loads():
    r = run("check", "-c", str(ROOT / "tests/cases/config/contract.yaml"), cwd=ROOT)
    assert r.returncode == 0, r.stderr


def test_shipped_files_load_and_are_up_to_date():
    for name in ("weir.yaml", "weir.full.yaml"):
        assert run("check", "-c", str(ROOT / "conf" / name)).returncode == 0
    for what, file in (("full", "weir.full.yaml"), ("schema", "weir.schema.json"), ("reference", "docs/configuration.md")):
        assert run("config", what).stdout == (ROOT / "conf" / file).read_text(), f"run make generate for {file}"


BROKEN = [
    ("lisen: {}", 1, 1, "did you mean `listen`"),
    ("listen:\n  adress: x", 2, 3, "did you mean `address`"),
    ("listen: { max_body: 3XB }", 1, 21, "a size such as"),
    ("breaker: { window: 5 }", 1, 20, "a duration such as"),
    ("log: { level: loud }", 1, 15, "one of: debug info"),
    ("watch: maybe", 1, 8, "true or false"),
    ("providers:\n  openai: {}\n  openai: {}", 3, 3, "given twice"),
    ("providers: { nobody: {} }", 1, 22, "no known provider"),
    ("providers: { a: { preset: opnai } }", 1, 27, "no preset; did you mean `openai`"),
    ("providers: { a: { dialect: openai } }", 1, 17, "base_url"),
    ("providers: { a: { dialect: openai, base_url: \"http://example.com/v1\" } }", 1, 46, "allow_private_address"),
    ("providers: { a: { dialect: openai, base_url: \"ftp://x\" } }", 1, 46, "base_url"),
    ("models: { m: { targets: [openai/x] } }", 1, 26, "no provider `openai`"),
    ("providers: { openai: {} }\nmodels: { m: { targets: [opnai/x] } }", 2, 26, "did you mean `openai`"),
    ("providers: { openai: {} }\nmodels: { m: { targets: [x] } }", 2, 26, "provider/model"),
    ("providers: { openai: {} }\nmodels: { m: {} }", 2, 14, "needs `targets"),
    ("providers: { openai: {} }\nmodels: { a: { targets: [openai/x], fallbacks: [b] }, b: { targets: [openai/x], fallbacks: [a] } }",
     2, 11, "lead back"),
    ("keys: [{ name: a }]", 1, 8, "needs a `secret`"),
    ("keys: [{ name: a, secret: \"sha256:12\" }]", 1, 27, "64 hexadecimal"),
    ("keys: [{ name: a, secret: 0123456789 }, { name: a, secret: 9876543210 }]", 1, 41, "have the name `a`"),
    ("admin: { token: \"${NOT_SET_ANYWHERE}\" }", 1, 17, "NOT_SET_ANYWHERE is not set"),
    ("admin: { token: \"@file:/nowhere\" }", 1, 17, "cannot read"),
    ("a: [1", 2, 1, ""),
    ("listen: [", 2, 1, ""),
    ("x: &a 1\ny: *a", 2, 4, "aliases"),
    ("providers: { openai: { api_key: ${OPENAI_API_KEY} } }", 1, 34, 'such as "${NAME}"'),
    ("providers:\n\topenai: {}", 2, 1, "not tabs"),
]


@pytest.mark.parametrize("text, line, column, says", BROKEN)
def test_mistakes_have_a_place(tmp_path, text, line, column, says):
    f = tmp_path / "w.yaml"
    f.write_text(text)
    r = run("check", "-c", str(f))
    assert r.returncode == 2
    assert f"{f}:{line}:{column}: error:" in r.stderr and says in r.stderr, r.stderr


def test_environment_names_set_scalars(tmp_path):
    assert "WEIR_LOG_LEVEL" in run("check", env={"WEIR_LOG_LEVEL": "loud"}, cwd=tmp_path).stderr
    assert run("check", env={"WEIR_LISTEN_MAX_BODY": "1MiB"}, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("name, meant", [("WEIR_LISTEN_ADDRES", "WEIR_LISTEN_ADDRESS"), ("WEIR_LOGLEVEL", "WEIR_LOG_LEVEL"), ("WEIR_LEDGER", ""),
                                         ("WEIR_KEY_WEB", ""), ("WEIR_PORT", ""), ("WEIR_PORT_80_TCP", ""), ("WEIR_KEY", ""), ("WEIR_URL", ""),
                                         ("WEIR_ADMIN_URL", ""), ("WEIR_SERVICE_HOST", ""), ("WEIR_CONFIG", "")])
def test_a_variable_that_is_mistyped_is_told(tmp_path, name, meant):
    """Names of others that begin so, such as those that Kubernetes gives every Pod for a service called weir, are let be."""
    (tmp_path / "w.yaml").write_text("")
    r = run("check", "-c", "w.yaml", env={name: "w.yaml"}, cwd=tmp_path)
    assert r.returncode == 0 and (f"{name} has no meaning; did you mean {meant}?" in r.stderr if meant else not r.stderr), r.stderr


def test_commands(tmp_path):
    assert run("--version").stdout.startswith("weir ")
    assert "serve" in run("help").stdout
    assert run("nonsense").returncode == 2
    out = run("init", env={"OPENAI_API_KEY": "sk-secret-of-mine"}).stdout
    assert "openai" in out and "sk-secret" not in out
    f = tmp_path / "i.yaml"
    f.write_text(out)
    assert run("check", "-c", str(f), env={"OPENAI_API_KEY": "x"}).returncode == 0


def test_commands_that_ask_a_gateway(gateway, provider, config):
    g = gateway(config(provider()))
    env = {"WEIR_URL": f"http://127.0.0.1:{g.port}"}
    assert run("health", env=env).returncode == 0
    assert run("models", env=env).stdout.split() == ["m", "first/mock"]
    assert run("chat", "-m", "m", "hi", env=env).stdout == "Hello\n"
    assert run("health", env={"WEIR_URL": "http://127.0.0.1:1"}).returncode == 1


def test_check_upstreams(tmp_path, provider, config):
    p = provider(lambda r: __import__("mock_provider").http(200, "{}") and [__import__("mock_provider").http(
        200 if r.headers.get("authorization") == "Bearer sk-first-vendor" else 401, "{}")])
    f = tmp_path / "w.yaml"
    f.write_text(json.dumps(config(p)))
    r = run("check", "-c", str(f), "--upstreams")
    assert r.returncode == 0 and "good" in r.stdout
    assert p.requests[0].path == "/v1/models"


def test_a_key_is_made_beyond_loopback(gateway):
    g = gateway(env={"WEIR_LISTEN_ADDRESS": "0.0.0.0:0"}, wait=False)
    for said in ("sk-weir-", r"curl http://localhost:\d+/", "shown only now"):
        g.wait_log(said)
    key = [w for w in g.logs().split() if w.startswith("sk-weir-")][0]
    g.port = int(g.logs().split("curl http://localhost:")[1].split("/")[0])
    assert g.chat("demo/echo").status == 401
    assert g.chat("demo/echo", headers={"Authorization": f"Bearer {key}"}).status == 200


def test_reload_under_load_fails_and_cuts_nothing(gateway, provider, config):
    words = [chunk(delta("w")) if i % 2 else ("sleep", 0.05) for i in range(80)]
    p = provider(lambda r: [stream_head(), *words, chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK] if r.stream else good(r))
    c = config(p)
    g = gateway(c)
    stop, failures, streams = threading.Event(), [], []

    def plain():
        while not stop.is_set():
            r = g.chat()
            if r.status != 200:
                failures.append(r.body)

    def stream():
        r = g.chat(stream=True)
        streams.append(r.body.endswith(b"data: [DONE]\n\n") and r.body.count(b'"w"') == 40)
    threads = [threading.Thread(target=plain) for _ in range(3)] + [threading.Thread(target=stream) for _ in range(10)]
    for t in threads:
        t.start()
    for i in range(20):
        c["models"]["extra%d" % i] = c["models"]["m"]
        g.write(c)
        g.process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
    stop.set()
    for t in threads:
        t.join()
    assert not failures and streams == [True] * 10
    g.wait_log("is in force")
    assert any(m["id"] == "extra19" for m in g.get("/v1/models").json["data"])
    assert g.metric("weir_config_last_reload_success") == 1


def test_bad_reload_keeps_the_old(gateway, provider, config):
    g = gateway(config(provider()))
    g.file.write_text("models: {")
    g.process.send_signal(signal.SIGHUP)
    g.wait_log("reload refused")
    assert g.chat().status == 200
    assert g.metric("weir_config_last_reload_success") == 0


def test_what_changes_only_at_a_restart_is_said(gateway, provider, config):
    c = config(provider())
    g = gateway(c)
    c["workers"] = 5
    g.write(c)
    g.process.send_signal(signal.SIGHUP)
    g.wait_log("changes only at a restart, and stays as it was: workers")
    assert g.chat().status == 200


def test_watch_reloads_by_itself(gateway, provider, config):
    c = config(provider(), watch=True)
    g = gateway(c)
    c["models"]["fresh"] = c["models"]["m"]
    g.write(c)
    g.wait_log("is in force")
    assert g.chat("fresh").status == 200


def test_sigterm_drains(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("a")), ("sleep", 1), chunk(delta("b", finish="stop")), chunk(event("[DONE]")),
                            LAST_CHUNK])
    g = gateway(config(p))
    c = Raw(g.port)
    c.send(post({**CHAT, "stream": True}))
    c.read_head()
    idle = Raw(g.port)
    time.sleep(0.2)
    g.process.terminate()
    assert idle.closed()
    body = b""
    while True:
        size = int(c.line(), 16)
        body += c.take(size)
        c.take(2)
        if not size:
            break
    assert body.endswith(b"data: [DONE]\n\n")
    g.process.wait(30 * SLOW)
    assert g.process.returncode == 0


def test_second_signal_ends_streams_with_an_error(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("a")), ("hang",)])
    g = gateway(config(p))
    c = Raw(g.port)
    c.send(post({**CHAT, "stream": True}))
    c.read_head()
    g.process.terminate()
    g.wait_log("draining")      # two signals at once would be one
    g.process.terminate()
    rest = b""
    while True:
        data = c.s.recv(65536)
        if not data:
            break
        rest += data
    assert b"shutting down" in rest and b"[DONE]" not in rest
    g.process.wait(30 * SLOW)
    assert g.process.returncode == 0


def test_unix_socket(gateway, provider, config, tmp_path):
    import socket
    path = str(tmp_path / "w.sock")
    g = gateway(config(provider()), env={"WEIR_LISTEN_ADDRESS": f"unix:{path}"}, wait=False)
    g.wait_log("serves on")
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    s.sendall(post(CHAT))
    assert s.recv(65536).startswith(b"HTTP/1.1 200")


def test_secrets_stay_inside(gateway, provider, config):
    g = gateway(config(provider(lambda r: __import__("mock_provider").error(500, "key sk-first-vendor leaked")),
                       keys=[{"name": "a", "secret": "sk-weir-canary0123456789"}]))
    seen = g.chat(headers={"Authorization": "Bearer sk-weir-canary0123456789"}).body.decode()
    g.chat(headers={"Authorization": "Bearer sk-weir-wrongcanary012345"})
    seen += g.metrics() + g.logs() + open(f"/proc/{g.process.pid}/cmdline").read()
    for secret in ("canary0123456789", "wrongcanary", "sk-first-vendor"):
        assert secret not in seen


def test_starts_in_time_and_small(gateway, provider, config):
    g = gateway(config(provider(), workers=1))
    assert SLOW > 1 or g.rss() < 16 << 20

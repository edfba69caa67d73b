"""The commands as somebody types them who does not know them yet."""
import os
import subprocess

import pytest

from weir import BINARY, free_port, until

COMMANDS = ["serve", "check", "init", "config", "models", "chat", "health", "explain", "why", "cascade", "usage", "keys", "cache", "prices", "rules",
            "version", "help"]
NOBODY = {"WEIR_URL": "http://127.0.0.1:1", "WEIR_ADMIN_URL": "http://127.0.0.1:1"}


def run(*args, env=None, cwd=None, stdout=subprocess.PIPE, stdin=""):
    e = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY") and not k.startswith("WEIR_")}
    return subprocess.run([BINARY, *args], stdout=stdout, stderr=subprocess.PIPE, text=True, env={**e, **(env or NOBODY)}, cwd=cwd, input=stdin, timeout=60)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_what_it_takes(command):
    r = run(command, "--help")
    assert r.returncode == 0 and not r.stderr and (f"usage: weir {command}" in r.stdout or command == "help"), (r.stdout, r.stderr)
    assert f"  weir {command} " in run("help").stdout


WRONG = [
    (["serve", "weir.yaml"], "what is `weir.yaml` for?", "usage: weir serve [-c FILE]"), (["check", "other.yaml"], "what is `other.yaml` for?", "-c FILE"),
    (["serve", "--csv"], "no option --csv", "usage"), (["models", "-x"], "no option -x", "usage"), (["chat", "-m"], "-m needs a value", "usage"),
    (["check", "--config"], "--config needs a value", "usage"), (["explain", "request.json"], "what is `request.json` for?", "< request.json"),
    (["chat"], "", "usage: weir chat"), (["why"], "", "usage: weir why"), (["config", "all"], "", "full|schema|reference"), (["cache", "clear"], "", "evict"),
    (["prices"], "", "usage: weir prices"), (["keys", "make", "web"], "", "create NAME"), (["keys", "create", "a", "b"], "what is `b` for?", "usage"),
    (["usage", "--since", "yesterday"], "7d", ""), (["-c", "weir.yaml"], "weir serve -c FILE", ""), (["sevre"], "no command `sevre`", "weir help"),
]


@pytest.mark.parametrize("args, says, shows", WRONG, ids=lambda x: " ".join(x) if isinstance(x, list) else "")
def test_a_wrong_command_line_is_never_taken_for_another(tmp_path, args, says, shows):
    r = run(*args, cwd=tmp_path)
    assert r.returncode == 2 and says in r.stderr and shows in r.stderr and not r.stdout, (r.stdout, r.stderr)


@pytest.mark.parametrize("args", ["models", "chat -m m hi", "health", "why x", "cascade", "keys list", "cache evict x"])
def test_where_nobody_answers_it_is_said_where_that_was(args):
    r = run(*args.split())
    assert r.returncode == 1 and "http://127.0.0.1:1: " in r.stderr and "Is weir running" in r.stderr and "_URL says where" in r.stderr, r.stderr


@pytest.mark.parametrize("args", ["help", "config full", "version", "prices list", "check --help"])
def test_what_could_not_be_written_is_a_failure(args):
    with open("/dev/full", "w") as full:
        r = run(*args.split(), stdout=full)
    assert r.returncode == 1 and "cannot write to stdout: No space left on device" in r.stderr


def test_chat_takes_words_as_they_come_and_the_first_model(gateway, provider, config):
    p = provider()
    g = gateway(config(p))
    r = run("chat", "what", "is", "a", "weir?", env={"WEIR_URL": f"http://127.0.0.1:{g.port}"})
    assert r.returncode == 0 and r.stdout == "Hello\n", r.stderr
    assert p.requests[-1].json["messages"][0]["content"] == "what is a weir?" and p.requests[-1].json["model"] == "mock"


def test_a_chat_that_breaks_off_has_failed(gateway, provider, config):
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 999\r\n\r\n"
    p = provider(lambda r: [head + b'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n', ("close",)])
    g = gateway(config(p))
    r = run("chat", "-m", "m", "hi", env={"WEIR_URL": f"http://127.0.0.1:{g.port}"})
    assert r.returncode == 1 and r.stdout.startswith("Hel") and "weir: " in r.stderr, (r.stdout, r.stderr)


def test_a_command_without_its_key_says_where_it_looks_for_it(gateway, provider, config):
    g = gateway(config(provider(), keys=[{"name": "web", "secret": "sk-weir-web-0123456789"}]))
    env = {"WEIR_URL": f"http://127.0.0.1:{g.port}", "WEIR_ADMIN_URL": f"http://127.0.0.1:{g.admin_port}"}
    r = run("models", env=env)
    assert r.returncode == 1 and "WEIR_KEY" in r.stderr
    assert run("models", env={**env, "WEIR_KEY": "sk-weir-web-0123456789"}).returncode == 0
    r = run("keys", "list", env=env)
    assert r.returncode == 1 and "WEIR_ADMIN_TOKEN" in r.stderr


@pytest.mark.parametrize("of", ["port", "admin_port"])
def test_a_taken_port_is_told_from_other_faults(gateway, provider, config, tmp_path, of):
    """Also one that another weir of the same user has: its workers share it among themselves alone."""
    g = gateway(config(provider(), workers=3))
    ports = {"port": 0, "admin_port": 0, of: getattr(g, of)}
    r = run("serve", "-c", str(g.file), env={"WEIR_LISTEN_ADDRESS": f"127.0.0.1:{ports['port']}", "WEIR_ADMIN_ADDRESS": f"127.0.0.1:{ports['admin_port']}"},
            cwd=tmp_path)
    assert r.returncode == 1 and f"127.0.0.1:{ports[of]}: Address already in use; another program has it" in r.stderr


def test_without_a_configuration_models_of_the_price_table_are_listed(gateway):
    """Clients whose menus come from this list see what they can ask for."""
    g = gateway(env={"OPENAI_API_KEY": "sk-x", "GROQ_API_KEY": "gsk-x"})
    names = [m["id"] for m in g.get("/v1/models").json["data"]]
    assert "openai/gpt-5-mini" in names and "groq/llama-3.3-70b-versatile" in names and names[0] == "demo/echo"
    assert not [n for n in names[1:] if not n.startswith(("openai/", "groq/"))]
    assert len(set(names)) == len(names)
    for name in ("gpt-5-mini", "openai/gpt-5-mini", "openai/of-tomorrow"):
        assert g.get(f"/v1/models/{name}").json["owned_by"] == "openai"
    assert g.get("/v1/models/nobody/knows").status == 404 and g.get("/v1/models/anthropic/claude-haiku-4-5").status == 404
    r = run("chat", "hi", env={"WEIR_URL": f"http://127.0.0.1:{g.port}"})
    assert r.returncode == 1 and "-m" in r.stderr and "weir models" in r.stderr
    assert "its own echo" in g.chat("demo/echo").body.decode()     # the README's first question, whatever the environment holds


def test_a_model_behind_a_pattern_is_found_by_its_name(gateway, provider, config):
    c = config(provider())
    c["models"]["gpt-*"] = {"targets": ["first/mock"]}
    g = gateway(c)
    assert g.get("/v1/models/gpt-next").json["owned_by"] == "weir" and g.get("/v1/models/other").status == 404


def test_a_body_of_another_type_is_named(gateway, provider, config):
    """curl -d says application/x-www-form-urlencoded."""
    r = gateway(config(provider())).chat(headers={"content-type": "application/x-www-form-urlencoded"})
    assert r.status == 415 and "application/json, not application/x-www-form-urlencoded" in r.error["message"]


def test_closed_streams_are_no_place_for_a_ledger(tmp_path):
    """Whoever starts it with `>&-` must not find the log in the ledger, or in an answer."""
    port = free_port()
    env = {"PATH": "/usr/bin:/bin", "WEIR_LISTEN_ADDRESS": f"127.0.0.1:{port}", "WEIR_ADMIN_ADDRESS": "off", "WEIR_LEDGER": "w.db"}
    p = subprocess.Popen(["sh", "-c", f'exec "{BINARY}" serve <&- >&- 2>&-'], env=env, cwd=tmp_path)
    try:
        until(lambda: run("health", env={"WEIR_URL": f"http://127.0.0.1:{port}"}).returncode == 0)
        for fd in range(3):
            assert os.readlink(f"/proc/{p.pid}/fd/{fd}") == "/dev/null"
        assert run("chat", "hi", env={"WEIR_URL": f"http://127.0.0.1:{port}"}).stdout.endswith("hi\n")
    finally:
        p.terminate()
        p.wait(30)


def test_a_closed_stdout_is_a_failure():
    r = subprocess.run(["sh", "-c", f'"{BINARY}" help >&-'], capture_output=True, text=True)
    assert r.returncode == 1 and "cannot write to stdout" in r.stderr


def test_nothing_to_show_is_said(gateway, provider, config):
    r = run("prices", "list", "model-of-nobody")
    assert r.returncode == 1 and "no name in the table has `model-of-nobody`" in r.stderr and not r.stdout
    assert "openai/gpt-5-mini " in run("prices", "list", "gpt-5-mini").stdout
    g = gateway(config(provider()))
    r = run("cascade", env={"WEIR_ADMIN_URL": f"http://127.0.0.1:{g.admin_port}"})
    assert r.returncode == 0 and "no model has `strategy: cascade`" in r.stderr

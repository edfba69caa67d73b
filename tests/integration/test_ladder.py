"""What comes when no target answers: another model, a rule that is asked last, an honest error."""
import json
import subprocess

import pytest
from mock_provider import chunk, delta, error, stream_head
from weir import BINARY, until

RULES = """rules:
  - name: down
    when: { model: "*" }
    answer: "We are having trouble with our models, {model} will be back soon."
"""


@pytest.fixture
def rules(tmp_path):
    f = tmp_path / "last.yaml"
    f.write_text(RULES)
    return {"name": "rules", "last": True, "config": {"file": str(f)}}


def ask(g, **more):
    return g.chat(text="hello", **more)


def explain(g):
    return g.request("POST", "/admin/explain", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}, port=g.admin_port).json


def test_a_rule_answers_when_nobody_else_does(gateway, provider, config, rules):
    a = provider()
    g = gateway(config(a, plugins=[rules], breaker="off"))
    assert "x-weir-answered-by" not in ask(g).headers and len(a.requests) == 1     # not while a target answers
    a.script = lambda r: error(500)
    r = ask(g)
    assert r.status == 200 and "having trouble" in r.json["choices"][0]["message"]["content"]
    assert r.headers["x-weir-answered-by"] == "rules/down" and r.headers["x-weir-attempts"] == "1" and "x-weir-target" not in r.headers
    r = ask(g, stream=True)
    assert b"having trouble" in r.body and r.body.endswith(b"data: [DONE]\n\n") and r.body.count(b"[DONE]") == 1
    until(lambda: g.metric("weir_ladder_answers_total", model="m", rung="rule") == 2)   # counted a moment after the answer
    assert explain(g)["ladder"] == ["targets", "rule", "error"]
    shown = subprocess.run([BINARY, "explain"], input=json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}), capture_output=True, text=True,
                           env={"WEIR_ADMIN_URL": f"http://127.0.0.1:{g.admin_port}"})
    assert "ladder: targets, rule, error" in shown.stdout


def test_a_rule_answers_when_nobody_may_be_asked(gateway, provider, config, rules):
    """All breakers open, a time that is over, a spent ceiling: the rule is there without an attempt."""
    a = provider(lambda r: [("hang",)])
    g = gateway(config(a, plugins=[rules], breaker={"failures": 1, "open": "1m"}, model={"timeouts": {"total": "200ms"}}))
    assert ask(g).headers["x-weir-answered-by"] == "rules/down"
    n = len(a.requests)
    r = ask(g)
    assert r.headers["x-weir-answered-by"] == "rules/down" and len(a.requests) == n and "x-weir-attempts" not in r.headers


def test_what_is_about_the_request_stays_an_error(gateway, provider, config, rules):
    a = provider(lambda r: error(400, "temperature is too high", type="invalid_request_error"))
    g = gateway(config(a, plugins=[rules]))
    assert ask(g).status == 400
    a.script = lambda r: [stream_head(), chunk(delta("Hel")), ("reset",)]
    assert b"having trouble" not in ask(g, stream=True).body      # nor does it follow what was already said


def test_the_ladder_is_written_as_a_list(gateway, provider, config, rules):
    a, b, c = provider(lambda r: error(500)), provider(), provider()
    conf = config(a, b, c, plugins=[rules], breaker="off")
    conf["models"] = {"m": {"targets": ["first/mock"], "ladder": ["targets", {"model": "other"}, "rule", "error"]},
                      "other": {"targets": ["second/mock"]}, "bare": {"targets": ["first/mock"], "ladder": ["targets", "error"]}}
    g = gateway(conf)
    assert explain(g)["ladder"] == ["targets", {"model": "other"}, "rule", "error"]
    assert ask(g).headers["x-weir-target"] == "second/mock"
    b.script = lambda r: error(500)
    assert ask(g).headers["x-weir-answered-by"] == "rules/down"
    assert ask(g, model="bare").status == 502       # its ladder has no such rung


@pytest.mark.parametrize("model,words", [
    ({"ladder": ["rule", "targets"]}, "begins with `targets`"),
    ({"ladder": ["targets", {"model": "nobody"}]}, "falls back to `nobody`, which does not exist"),
    ({"ladder": ["targets", {"model": "other"}]}, "lead back to it"),
    ({"ladder": ["targets", "rule", {"model": "other"}]}, "models stand before"),
    ({"ladder": ["targets", "rule", "rule"]}, "stands twice in this ladder"),
    ({"ladder": ["targets", "error", "rule"]}, "nothing comes after `error`"),
    ({"ladder": ["targets", "luck"]}, "a rung of a ladder is"),
    ({"ladder": ["targets"], "fallbacks": ["other"]}, "has `fallbacks` and a `ladder`"),
    ({"ladder": ["targets", "rule"]}, "no plugin for `m` says `last: true`"),
    ({"ladder": ["targets", "stale"]}, "are not kept"),
])
def test_mistakes_in_a_ladder_are_told(tmp_path, model, words):
    f = tmp_path / "weir.yaml"
    f.write_text(json.dumps({"providers": {"p": {"dialect": "openai", "base_url": "http://127.0.0.1:9/v1", "local": True}},
                             "models": {"m": {"targets": ["p/a"], **model}, "other": {"targets": ["p/b"], "fallbacks": ["m"]}}}))
    r = subprocess.run([BINARY, "check", "-c", str(f)], capture_output=True, text=True)
    assert words in r.stderr, r.stderr

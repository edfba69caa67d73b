"""Rules say where a cascade begins, by what a request is made of and by a classifier."""
import re
import subprocess

import pytest

from test_cascade import config_of, report, says, target
from test_rules_classifier import model as model
from weir import BINARY

RULES = """
rules:
  - name: poems
    when: { class: { file: MODEL, is: else, at_least: 0.6 } }
    tag: { cascade: large }
    examples: [ tell me a poem about rain, { say: where is my parcel, expect: none } ]
  - name: pictures
    when: { more_images_than: 1 }
    tag: { cascade: "2" }
    examples: [ { say: hi, images: 2 }, { say: hi, images: 1, expect: other } ]
  - name: picture
    when: { images: true }
    route: eyes
  - name: long
    when: { any: [ { more_tokens_than: 400 }, { more_messages_than: 3 } ] }
    tag: { cascade: large }
    examples: [ { say: hi, tokens: 401 }, { say: hi, tokens: 400, expect: none } ]
  - name: code
    when: { code: true, more_tools_than: 0 }
    tag: { cascade: large }
    examples: [ { say: hi, code: true, tools: 1 }, { say: hi, code: true, expect: none } ]
"""

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.fixture
def file(model, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES.replace("MODEL", str(model[0])))
    return tmp_path / "rules.yaml"


def test_rules_choose_the_rung(gateway, provider, file):
    a, b = provider(), provider()
    c = config_of(a, b, {"checks": {"finish": False}}, plugins=[{"name": "rules", "config": {"file": str(file)}}])
    c["models"]["eyes"] = {"targets": ["large/mock"]}
    g = gateway(c)
    ask = lambda *texts, **more: target(g.request("POST", "/v1/chat/completions", {
        "model": "m", "messages": [{"role": "user", "content": t} for t in texts], **more}))
    assert ask("where is my parcel") == "small" and ask("tell me a poem about rain in French") == "large"
    assert ask("tell me a poem about rain in French", stream=True) == "large"
    assert ask("zzz " * 50) == "small" and ask("zzz " * 500) == "large"
    assert ask("a", "b", "zzz") == "small" and ask("a", "b", "c", "zzz") == "large"
    assert ask("```zzz```") == "small" and ask("```zzz```", tools=[TOOL]) == "large" and ask("zzz", tools=[TOOL]) == "small"
    images = lambda n: ask([{"type": "text", "text": "zzz"}] + [IMAGE] * n)
    assert images(0) == "small" and images(1) == "large" and images(2) == "large"
    assert 'name="pictures"} 1' in g.metrics() and 'name="picture"} 1' in g.metrics()


def test_the_examples_hold(file):
    r = subprocess.run([BINARY, "rules", "test", file], capture_output=True, text=True)
    assert r.returncode == 0 and "8 examples, 0 failed" in r.stdout, r.stdout + r.stderr


# --- answers, judged by rules ---

CHECKS = """
rules:
  - name: long-enough
    when: { words: [sure], larger_than: 30 }
    tag: { x: y }
  - name: vague
    when: { phrases: [it depends, hard to say] }
    reject: vague
  - name: poem
    when: { class: { file: MODEL, is: else, at_least: 0.6 } }
    reject: a poem
"""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("said, by", [
    ("It   DEPENDS.", "large"), ("Well, it depends; I am sure it is not so easy.", "small"), ("Yes.", "small"),
    ("I tell you a poem about rain", "large"), ("", "large"),
])
def test_a_file_of_rules_judges_answers(gateway, provider, model, tmp_path, said, by, stream):
    (tmp_path / "checks.yaml").write_text(CHECKS.replace("MODEL", str(model[0])))
    g = gateway(config_of(provider(says(said)), provider(says("Large.")), {"checks": {"rules": str(tmp_path / "checks.yaml")}}))
    r = g.chat(stream=stream)
    assert r.status == 200 and target(r) == by
    m = report(g, 1)["m"]
    assert m["failed_checks"]["rules"] == (1 if by == "large" and said else 0), m


def test_its_mistakes_are_told(tmp_path):
    (tmp_path / "checks.yaml").write_text("rules:\n  - name: a\n    when: { wrods: x }\n    reject: x\n")
    (tmp_path / "weir.yaml").write_text("models: { m: { strategy: cascade, targets: [demo/echo, demo/slow], cascade: { checks: { rules: checks.yaml } } } }\n")
    for told in (r"checks.yaml:3:\d+: error: `wrods` is no condition", r"checks.yaml: error: No such file"):
        r = subprocess.run([BINARY, "check", "-c", "weir.yaml"], capture_output=True, text=True, cwd=tmp_path)
        assert r.returncode == 2 and re.search(told, r.stderr), r.stderr
        (tmp_path / "checks.yaml").unlink(missing_ok=True)

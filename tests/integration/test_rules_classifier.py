"""A classifier made by `weir rules train`, asked by rules."""
import csv
import itertools
import json
import re
import signal
import subprocess

import pytest

from conftest import config_for
from weir import BINARY

# What people say, put together out of pieces: every combination is a row.
SAID = {
    "order": (["where is", "please track", "when do I get", "I am still waiting for"],
              ["my order", "my parcel", "the shoes I bought", "order 4711"], ["", "please", "it is late", "it was sent on Monday"]),
    "refund": (["I want", "can I get", "please send me", "when do I get"],
               ["my money back", "a refund", "the amount paid back to my card"], ["", "please", "the shoes are broken", "I sent them back"]),
    "hours": (["when", "until what time", "from when on", "tell me whether"],
              ["do you open", "is the shop open", "are you closed"], ["", "on Sunday", "on holidays", "in the evening"]),
    "else": (["write", "tell me", "I need", "explain"],
             ["a poem about rain", "the theory of numbers", "a recipe for bread", "this piece of code"], ["", "please", "in French", "in short"]),
}


def table(path):
    with open(path, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["label", "text"])
        for label, parts in SAID.items():
            w.writerows([label, " ".join(p).strip()] for p in itertools.product(*parts))
    return path


def weir(*args, cwd=None):
    return subprocess.run([BINARY, *map(str, args)], capture_output=True, text=True, cwd=cwd)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    at = tmp_path_factory.mktemp("model")
    r = weir("rules", "train", "--from", table(at / "said.csv"), "--out", at / "model.txt")
    assert r.returncode == 0, r.stderr
    return at / "model.txt", r.stdout


RULES = """
rules:
  - name: order
    when: { class: { file: MODEL, is: order, at_least: 0.7 } }
    answer: "Taken for {class}."
  - name: money
    when: { class: { file: MODEL, is: [refund, hours] } }
    answer: "About {class}."
  - name: large
    when: { class: { file: MODEL, is: else, at_least: 0.6 } }
    route: large
"""


def test_training_reports_what_was_held_out(model):
    path, report = model
    rows = sum(len(a) * len(b) * len(c) for a, b, c in SAID.values())
    assert re.match(rf"{rows} rows of 4 labels; \d+ learned from, (\d+) held out\n", report)
    shares = {float(t): (int(n), int(right)) for t, n, right in re.findall(r"^  (\d\.\d\d) +[\d.]+ % \((\d+)\) +[\d.]+ % \((\d+)\)$", report, re.M)}
    answered, right = shares[0.8]
    assert right >= 0.95 * answered and answered >= 0.5 * shares[0.0][0]
    assert [n for n, _ in shares.values()] == sorted((n for n, _ in shares.values()), reverse=True)
    lines = path.read_text().splitlines()
    assert lines[0] == "weir-classifier 1" and lines[-1] == "end" and len(lines) < 20000


def test_the_same_rows_in_any_order_give_the_same_file(model, tmp_path):
    head, *rows = (model[0].parent / "said.csv").read_text().splitlines()
    (tmp_path / "turned.csv").write_text("\n".join([head, *reversed(rows)]))
    assert weir("rules", "train", "--from", tmp_path / "turned.csv", "--out", tmp_path / "m.txt").returncode == 0
    assert (tmp_path / "m.txt").read_bytes() == model[0].read_bytes()


def test_rules_ask_it(gateway, provider, model, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES.replace("MODEL", str(model[0])))
    p = provider()
    c = config_for(p, plugins=[{"name": "rules", "config": {"file": str(tmp_path / "rules.yaml")}}])
    c["models"]["large"] = c["models"]["m"]
    g = gateway(c)
    text = lambda t: g.chat(text=t).json["choices"][0]["message"]["content"]
    assert text("Where are the shoes I ordered? It is late!") == "Taken for order."
    assert text("please, I want a refund for the broken shoes") == "About refund."
    assert p.requests == []
    for unsure in ("", "?!", "xylophone", "Die Würde des Menschen ist unantastbar"):
        assert text(unsure) == "hello"
    assert text("tell me a poem about bread in French") == "hello"
    assert 'weir_plugin_hits_total{plugin="rules",name="large"} 1' in g.metrics()


def test_a_new_classifier_is_taken_and_a_broken_one_is_not(gateway, provider, model, tmp_path):
    (tmp_path / "rules.yaml").write_text(f"rules:\n  - name: a\n    when: {{ class: {{ file: {tmp_path}/m.txt, is: order }} }}\n    answer: yes\n")
    (tmp_path / "m.txt").write_bytes(model[0].read_bytes())
    g = gateway(config_for(provider(), plugins=[{"name": "rules", "config": {"file": str(tmp_path / "rules.yaml")}}]))
    asked = lambda t: g.chat(text=t).json["choices"][0]["message"]["content"]
    assert asked("where is my parcel") == "yes" and asked("I want my money back") == "hello"
    turned = (model[0].parent / "said.csv").read_text().replace("order,", "x,").replace("refund,", "order,").replace("x,", "refund,")
    (tmp_path / "turned.csv").write_text(turned)
    assert weir("rules", "train", "--from", tmp_path / "turned.csv", "--out", tmp_path / "m.txt").returncode == 0
    g.reload()
    assert asked("where is my parcel") == "hello" and asked("I want my money back") == "yes"
    (tmp_path / "m.txt").write_text("weir-classifier 9\n")
    g.process.send_signal(signal.SIGHUP)
    assert g.wait_log("m.txt:1:1: error: this weir reads version 1 of the format")
    assert asked("I want my money back") == "yes"


@pytest.mark.parametrize("rows, told", [
    ("text,kind\na,b\n", r"d\.csv:1:1: error: the first row must name the columns `label` and `text`"),
    ("label,text\na,b\na\n", r"d\.csv:3:1: error: the row has too few fields"),
    ("label,text\na,...\n", r"d\.csv:2:1: error: there is no word in the text"),
    ("label,text\n,b\n", r"d\.csv:2:1: error: a label has 1 to 64 bytes"),
    ("label,text\na,\"b\n", r"d\.csv:2:1: error: a quote is not closed"),
    ("label,text\n" + "".join(f"{k},one {i} {'x' * i}\n" for k, n in (("a", 6), ("b", 4)) for i in range(n)), r"d\.csv: error: `b` has 4 rows; a label needs at least 5"),
    ("label,text\n" + "".join(f"a,one {'x' * i}\n" for i in range(9)), r"d\.csv: error: there have to be at least two labels"),
])
def test_mistakes_in_the_table_are_told(tmp_path, rows, told):
    (tmp_path / "d.csv").write_text(rows)
    r = weir("rules", "train", "--from", "d.csv", "--out", "m.txt", cwd=tmp_path)
    assert r.returncode == 2 and re.search(told, r.stderr), r.stderr
    assert not (tmp_path / "m.txt").exists()


@pytest.mark.parametrize("condition, told", [
    ("{ file: said.csv, is: order }", r"said\.csv:1:1: error: this is no classifier; `weir rules train` makes one"),
    ("{ file: absent, is: order }", r"rules\.yaml:3:\d+: error: `absent`: No such file"),
    ("{ file: model.txt, is: ordre }", r"rules\.yaml:3:\d+: error: `is`: the classifier knows no `ordre`, but else, hours, order, refund"),
    ("{ file: model.txt }", r"rules\.yaml:3:\d+: error: `class` needs a `file`, made by `weir rules train`, and the name it `is`"),
    ("{ file: model.txt, is: order, at_least: 1.5 }", r"rules\.yaml:3:\d+: error: `at_least`: expected a number"),
    ("{ file: model.txt, is: [] }", r"rules\.yaml:3:\d+: error: `is`: the list is empty"),
    ("{ file: cut.txt, is: order }", r"cut\.txt:\d+:1: error: the file ends too early"),
    ("model.txt", r"rules\.yaml:3:\d+: error: `class`: expected \{ file:"),
])
def test_mistakes_in_the_condition_are_told(model, tmp_path, condition, told):
    for name in ("said.csv", "model.txt"):
        (tmp_path / name).write_bytes((model[0].parent / name).read_bytes())
    (tmp_path / "cut.txt").write_bytes(model[0].read_bytes()[:1000].rpartition(b"\n")[0])
    (tmp_path / "rules.yaml").write_text(f"rules:\n  - name: a\n    when: {{ class: {condition} }}\n    answer: x\n")
    (tmp_path / "weir.yaml").write_text(json.dumps({"plugins": [{"name": "rules", "config": {"file": "rules.yaml"}}]}))
    r = weir("check", "-c", "weir.yaml", cwd=tmp_path)
    assert r.returncode == 2 and re.search(told, r.stderr), r.stderr


def test_a_command_of_no_plugin(tmp_path):
    for args, told in ((["frobnicate"], "there is no command `frobnicate`, and no plugin of this name"), (["guard", "x"], "the plugin `guard` has no commands"),
                       (["rules"], "usage: weir rules train"), (["rules", "train", "--from", "x"], "usage: weir rules train"), (["rules", "train", "--from", "x", "--out", "y", "z"], "usage: weir rules train"),
                       (["rules", "train", "--from", "x", "--out", "y", "--held-out", "1"], "usage: weir rules train"), (["rules", "train", "--form", "x"], "--form")):
        r = weir(*args)
        assert r.returncode == 2 and told in r.stderr
    assert "weir rules" in weir("help").stdout

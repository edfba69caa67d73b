"""`weir rules test`: the examples beside the rules."""
import re
import subprocess

import pytest

from weir import BINARY

RULES = r"""
rules:
  - name: order
    when: { pattern: '\border (\d{6})\b', not: { words: [cancel] } }
    answer: "Order {1} for {tag.who} at {key}."
    examples:
      - Where is order 123456?
      - { say: "ORDER 123456", expect: answer, tags: { who: me }, key: shop, text: "Order 123456 for me at shop." }
      - { say: "cancel order 123456", expect: other }
      - { say: order 12, expect: none }
  - name: secrets
    when: { any_words: [password] }
    reject: Not here.
    examples:
      - { say: and now?, earlier: [my password is x, hello], expect: reject, text: Not here. }
      - { say: cancel the password, expect: reject }
  - name: small
    when: { model: auto*, tools: false, stream: false, larger_than: 1000 }
    route: mini
    examples:
      - { say: hi, model: auto-1, bytes: 1001, expect: route }
      - { say: hi, model: auto-1, bytes: 2000, tools: 2, expect: none }
      - { say: hi, model: auto-1, bytes: 2000, stream: true, expect: none }
      - { say: hi, model: other, bytes: 2000, expect: none }
      - { say: hi, model: auto-1, expect: none }
"""


def tried(tmp_path, text):
    (tmp_path / "rules.yaml").write_text(text)
    return subprocess.run([BINARY, "rules", "test", "rules.yaml"], capture_output=True, text=True, cwd=tmp_path)


def test_all_is_as_expected(tmp_path):
    r = tried(tmp_path, RULES)
    assert (r.returncode, r.stdout, r.stderr) == (0, "rules.yaml: 11 examples, 0 failed\n", "")


@pytest.mark.parametrize("was, now, told", [
    ("      - Where is", "      - Who is", None),
    ("{ say: order 12, expect: none }", "{ say: order 121212, expect: none }", r'rules.yaml:10:9: order: "order 121212": expected no rule to take it, but `order` answered it'),
    ("{ say: order 12, expect: none }", "order 12", r'rules.yaml:10:9: order: "order 12": expected this rule to take it, but no rule took it'),
    ("expect: other }", "expect: answer }", r'rules.yaml:9:9: order: "cancel order 123456": expected this rule to answer, but no rule took it'),
    ("at shop.\" }", "at pub.\" }", r'rules.yaml:8:9: order: "ORDER 123456": expected "Order 123456 for me at pub.", but it said "Order 123456 for me at shop."'),
    ("      - { say: cancel the password, expect: reject }", "      - { say: order 123456 is my password, expect: reject }",
     r'rules.yaml:16:9: secrets: "order 123456 is my password": expected this rule to reject it, but `order` answered it'),
    ("model: other, bytes: 2000, expect: none", "model: auto, bytes: 2000, expect: none", r'rules.yaml:24:9: small: "hi": expected no rule to take it, but `small` routed it'),
    ("    route: mini\n", "    tag: { a: b }\n", r'rules.yaml:21:9: small: "hi": expected this rule to route it, but `small` took it'),
])
def test_what_is_not_is_told_with_its_place(tmp_path, was, now, told):
    assert was in RULES
    r = tried(tmp_path, RULES.replace(was, now))
    assert r.returncode == (1 if told else 0), r.stdout + r.stderr
    assert told is None or r.stdout == told + "\nrules.yaml: 11 examples, 1 failed\n"


@pytest.mark.parametrize("example, told", [
    ("{ expect: none }", r"4:17: error: an example needs what somebody would `say`"), ("{ say: x, expect: maybe }", r"4:\d+: error: `expect`: expected match, answer"),
    ("{ say: x, tools: many }", r"4:\d+: error: `tools`: expected a number"), ("{ say: x, sya: x }", r"4:\d+: error: an example has no `sya`: say, expect"),
    ("{ say: x, tags: [x] }", r"4:\d+: error: `tags`: expected names and values"), ("{ say: x, earlier: x }", r"4:\d+: error: `earlier`: expected a list of texts"),
    ("{ say: x, expect: none, text: x }", r"4:17: error: an example has either a `text`"),
])
def test_mistakes_in_examples_are_told(tmp_path, example, told):
    r = tried(tmp_path, f"rules:\n  - name: a\n    answer: x\n    examples: [ {example} ]\n")
    assert r.returncode == 2 and re.search("rules.yaml:" + told, r.stderr), r.stderr


def test_without_a_file(tmp_path):
    r = subprocess.run([BINARY, "rules", "test"], capture_output=True, text=True)
    assert r.returncode == 2 and "usage: weir rules test RULES.yaml" in r.stderr
    r = subprocess.run([BINARY, "rules", "test", "absent.yaml"], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 2 and "absent.yaml: error: No such file" in r.stderr

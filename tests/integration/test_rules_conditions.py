"""What rules can ask of a request beside its last message: headers, the time somewhere, a language, earlier messages."""
import json
import subprocess

import pytest

from conftest import config_for
from weir import BINARY

FAQ = "question,answer\nWhen do you open?,At nine.\n"

RULES = """
rules:
  - name: closed
    when: { time: { days: [mon, tue, wed, thu, fri], from: "18:00", to: "08:00", zone: Europe/Berlin }, prefix: call }
    answer: "It is {time} UTC on {date}."
    examples:
      - { say: call me, at: "2026-07-01T16:00:00Z", text: "It is 16:00 UTC on 2026-07-01." }
      - { say: call me, at: "2026-07-01T15:59:59Z", expect: none }
      - { say: call me, at: "2026-12-01T16:59:59Z", expect: none }
      - { say: call me, at: "2026-12-01T17:00:00Z" }
      - { say: call me, at: "2026-12-05T06:59:59Z" }
      - { say: call me, at: "2026-12-05T07:00:00Z", expect: none }
      - { say: call me, at: "2026-12-05T20:00:00Z", expect: none }
      - { say: call me, at: "2026-12-07T05:00:00Z", expect: none }
  - name: weekend
    when: { time: { days: [sat, sun] }, prefix: work }
    answer: Not today.
    examples:
      - { say: work, at: "2026-11-28T00:00:00Z" }
      - { say: work, at: "2026-11-29T23:59:59Z" }
      - { say: work, at: "2026-11-30T00:00:00Z", expect: none }
  - name: half-hour-zone
    when: { time: { from: "00:00", to: "00:30", zone: "-03:30" }, exact: night }
    answer: Midnight.
    examples:
      - { say: night, at: "2026-11-28T03:30:00Z" }
      - { say: night, at: "2026-11-28T04:00:00Z", expect: none }
  - name: tenant
    when: { header: { name: X-Tenant, is: [acme, "beta-*"] }, exact: who }
    answer: One of ours.
    examples:
      - { say: who, headers: { x-tenant: acme } }
      - { say: who, headers: { X-TENANT: beta-7 } }
      - { say: who, headers: { x-tenant: gamma }, expect: none }
      - { say: who, expect: none }
  - name: whose
    when: { team: "shop*", user_agent: "*curl*", peer: "10.*", session: s1, exact: whose }
    answer: "{team} {key}"
    examples:
      - { say: whose, team: shop-1, user_agent: curl/8, peer: 10.0.0.9, session: s1, key: k, text: shop-1 k }
      - { say: whose, team: other, user_agent: curl/8, peer: 10.0.0.9, session: s1, expect: none }
  - name: debug
    when: { header: { name: x-debug }, exact: trace }
    answer: Traced.
  - name: secret
    when: { header: { name: authorization }, exact: spy }
    answer: LEAKED
  - name: german
    when: { language: [de, nl] }
    tag: { language: "{language}" }
    answer: "In {language}, {tag.language}."
    examples:
      - { say: "Wo finde ich die Rechnung zu meiner Bestellung?", text: "In de, de." }
      - { say: "Waar vind ik de factuur van mijn bestelling?" }
      - { say: "Where do I find the invoice of my order?", expect: none }
      - { say: ok, expect: none }
  - name: asked-before
    when: { any_question: { file: FAQ }, exact: and then }
    answer: "{answer}"
    examples:
      - { say: and then, earlier: [When do you open?, "Yes."], text: At nine. }
      - { say: and then, expect: none }
  - name: over-all
    when: { all_words: [refund, camera], all_pattern: 'order (\\d+)[^z]*(please)', exact: well }
    answer: "{1} {2}"
    examples:
      - { say: well, earlier: [A refund for order 77, "the camera, please"], text: "77 please" }
      - { say: well, earlier: ["A refund, please, for order 77", the camera], expect: none }
      - { say: well, earlier: [A refund for order 77 please], expect: none }
  - name: began-so
    when: { any_prefix: ["/admin"], exact: go }
    answer: Admin.
    examples:
      - { say: go, earlier: ["/admin please", hm] }
      - { say: go, earlier: ["the /admin"], expect: none }
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "faq.csv").write_text(FAQ)
    f = tmp_path / "rules.yaml"
    f.write_text(RULES.replace("FAQ", str(tmp_path / "faq.csv")))
    return f


def test_the_examples_hold(file):
    r = subprocess.run([BINARY, "rules", "test", str(file)], capture_output=True, text=True)
    assert r.returncode == 0 and "30 examples, 0 failed" in r.stdout, r.stdout + r.stderr


def test_requests_and_explain(gateway, provider, file):
    p = provider()
    g = gateway(config_for(p, plugins=[{"name": "rules", "config": {"file": str(file)}}]))
    for rule in ("closed", "tenant", "german"):
        assert f'weir_plugin_hits_total{{plugin="rules",name="{rule}"}} 0' in g.metrics()
    assert g.metric("weir_plugin_saved_usd_total", plugin="rules", model="m") == g.metric("weir_plugin_calls_avoided_total", plugin="rules", model="m") == 0

    def by(text, messages=None, **headers):
        r = g.request("POST", "/v1/chat/completions", {"model": "m", "messages": messages or [{"role": "user", "content": text}]},
                      {k.replace("_", "-"): v for k, v in headers.items()})
        assert r.status == 200
        return r.headers.get("x-weir-answered-by"), r.json["choices"][0]["message"]["content"]
    assert by("who", X_TENANT="beta-1")[0] == "rules/tenant" and by("who", x_tenant="other")[0] is None and by("who")[0] is None
    assert by("trace", x_debug="")[0] == "rules/debug" and by("trace")[0] is None
    assert by("spy", authorization="Bearer sk-whatever")[0] is None
    assert by("Können Sie mir bitte die Rechnung schicken?") == ("rules/german", "In de, de.")
    assert by("go", [{"role": "user", "content": "/admin"}, {"role": "user", "content": "go"}])[0] == "rules/began-so"
    e = g.request("POST", "/admin/explain", {"model": "m", "messages": [{"role": "user", "content": "Ich habe noch eine Frage dazu."}]}, port=g.admin_port).json
    asked = {"headers": {"x-tenant": "acme", "authorization": "Bearer x"}, "body": {"model": "m", "messages": [{"role": "user", "content": "who"}]}}
    assert {"plugin": "rules", "matched": "tenant"} in g.request("POST", "/admin/explain", asked, port=g.admin_port).json["plugins"]
    assert {"plugin": "rules", "matched": "german"} in e["plugins"] and any(x.get("answered_by") == "rules/german" for x in e["plugins"])


def test_a_long_request_and_many_rules_keep_nobody_waiting(gateway, provider, tmp_path):
    """Beyond 64 MiB of texts looked at, conditions on texts are cut off; others go on."""
    rules = [{"name": f"r{i}", "when": {"any_words": f"absent{i}"}, "answer": "x"} for i in range(100)]
    rules += [{"name": "not-there", "when": {"not": {"any_words": "absent"}}, "answer": "not so"}, {"name": "there", "when": {"any_words": "present"}, "answer": "y"},
              {"name": "by-model", "when": {"model": "m"}, "answer": "by the model"}]
    (tmp_path / "rules.yaml").write_text(json.dumps({"rules": rules}))
    g = gateway(config_for(provider(), plugins=[{"name": "rules", "config": {"file": str(tmp_path / "rules.yaml")}}]))
    assert g.chat(text="present").headers["x-weir-answered-by"] == "rules/not-there"
    part = {"type": "text", "text": "present " * 1000}
    r = g.request("POST", "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": [part] * 200}]})
    assert r.headers["x-weir-answered-by"] == "rules/by-model" and g.wait_log("too long for so many rules: from `r4[0-9]` on")
    assert g.metric("weir_plugin_cut_off_total", plugin="rules") == 1


def check(tmp_path, rules):
    (tmp_path / "faq.csv").write_text(FAQ)
    (tmp_path / "rules.yaml").write_text(rules.replace("FAQ", str(tmp_path / "faq.csv")))
    conf = {"providers": {"p": {"dialect": "openai", "base_url": "http://127.0.0.1:9/v1", "local": True}},
            "plugins": [{"name": "rules", "config": {"file": str(tmp_path / "rules.yaml")}}]}
    (tmp_path / "weir.yaml").write_text(json.dumps(conf))
    return subprocess.run([BINARY, "check", "-c", str(tmp_path / "weir.yaml")], capture_output=True, text=True)


@pytest.mark.parametrize("when, told", [
    ("{ time: { days: [monday] } }", "2:39: error: `days`: expected mon, tue"),
    ("{ time: { from: \"8:00\" } }", "error: `from`: expected a time from 00:00 to 24:00"),
    ("{ time: { from: \"24:01\" } }", "error: `from`: expected a time"),
    ("{ time: { from: \"08:60\" } }", "error: `from`: expected a time"),
    ("{ time: { from: \"08:00\", to: \"08:00\" } }", "ends when it begins"),
    ("{ time: { zone: Europe/Atlantis } }", "error: `zone`: expected UTC, an offset such as +02:00"),
    ("{ time: { zone: ../../etc/passwd } }", "error: `zone`: expected UTC"),
    ("{ time: now }", "error: `time`: expected { days"),
    ("{ header: x-tenant }", "error: `header`: expected { name"),
    ("{ header: { name: x, is: [] } }", "the list is empty"),
    ("{ header: { named: x } }", "error: `header`: expected a name"),
    ("{ language: [de, xx] }", "error: `language`: `xx` is none that is known: ar bg"),
    ("{ any_question: { file: FAQ, least: 1 } }", "`question` has no `least`"),
])
def test_mistakes_are_told_with_their_place(tmp_path, when, told):
    r = check(tmp_path, f"rules:\n  - {{ name: a, when: {when}, answer: x }}\n")
    assert r.returncode == 2 and "rules.yaml:2:" in r.stderr and told in r.stderr, r.stderr


@pytest.mark.parametrize("first, second, warned", [
    ("header: { name: x-a }", "header: { name: X-A, is: b }", True),
    ("header: { name: x-a, is: [b, c] }", "header: { name: x-a, is: c }", True),
    ("header: { name: x-a, is: c }", "header: { name: x-a }", False),
    ("header: { name: x-a }", "header: { name: x-b }", False),
    ("time: { days: [mon, tue] }", "time: { days: mon, from: \"08:00\", to: \"09:00\" }", True),
    ("time: { from: \"08:00\", to: \"09:00\" }", "time: { from: \"08:00\", to: \"09:01\" }", False),
    ("time: { days: [mon] }", "time: { days: [mon], zone: Asia/Tokyo }", False),
    ("time: { from: \"22:00\", to: \"06:00\" }", "time: { from: \"22:00\", to: \"06:00\", days: [sat] }", True),
    ("language: [de, en]", "language: en", True),
    ("language: de", "language: [de, en]", False),
    ("any_prefix: ab", "any_prefix: abc", True),
    ("any_prefix: ab", "prefix: abc", False), ("all_words: a", "all_words: [a, b]", True), ("all_words: a", "any_words: [a, b]", False),
    ("any_question: { file: FAQ, at_least: 0.5 }", "any_question: { file: FAQ, at_least: 0.7 }", True),
    ("question: { file: FAQ, at_least: 0.7 }", "question: { file: FAQ, at_least: 0.5 }", False),
])
def test_rules_that_are_never_reached(tmp_path, first, second, warned):
    r = check(tmp_path, f"rules:\n  - {{ name: a, when: {{ {first} }}, answer: x }}\n  - {{ name: b, when: {{ {second} }}, answer: y }}\n")
    assert r.returncode == 0 and ("rule `b` is never reached: `a` before it" in r.stderr) == warned, r.stderr


def test_of_very_many_rules_not_all_are_compared(tmp_path):
    """And two of the same name are found all the same."""
    rules = [f"  - {{ name: r{i}, when: {{ exact: [question {i}, number {i}] }}, answer: x }}\n" for i in range(8000)]
    rules[1] = "  - { name: r1, when: { exact: question 0 }, answer: x }\n"
    r = check(tmp_path, "rules:\n" + "".join(rules))
    assert r.returncode == 0 and "rule `r1` is never reached" in r.stderr and "too many to compare" in r.stderr, r.stderr
    r = check(tmp_path, "rules:\n" + "".join(rules) + rules[7])
    assert r.returncode == 2 and "rules.yaml:8002:5: error: there are two rules named `r7`" in r.stderr, r.stderr


@pytest.mark.parametrize("when, warned", [
    ("all: [{ language: de }, { language: [en, fr] }]", True), ("all: [{ language: de }, { language: [de, fr] }]", False),
    ("all: [{ time: { days: mon } }, { time: { days: [tue, wed] } }]", True),
    ("all: [{ time: { from: \"08:00\" } }, { time: { to: \"08:00\" } }]", True),
    ("all: [{ time: { from: \"08:00\" } }, { time: { to: \"08:01\" } }]", False),
    ("all: [{ time: { from: \"22:00\", to: \"06:00\", days: mon } }, { time: { days: tue } }]", False),
    ("language: de, not: { language: [de, en] }", True), ("header: { name: a, is: b }, not: { header: { name: A } }", True),
])
def test_rules_that_never_match(tmp_path, when, warned):
    r = check(tmp_path, f"rules:\n  - {{ name: a, when: {{ {when} }}, answer: x }}\n")
    assert r.returncode == 0 and ("rule `a` never matches" in r.stderr) == warned, r.stderr

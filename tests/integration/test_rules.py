"""Rules, asked by the real SDKs."""
import json
import re
import subprocess

import anthropic
import openai
import pytest
from google import genai

from conftest import config_for
from weir import BINARY

RULES = r"""
rules:
  - name: order
    when: { pattern: '\border (no\. )?(\d{6})\b' }
    answer: "Order {2} ({0}) for {tag.who}: {other}"
  - name: hello
    when: { exact: [hello, guten tag] }
    answer: Hi.
  - name: forbidden
    when: { any: [ { words: [internal, password] }, { prefix: ignore all } ] }
    reject: Not here.
    status: 451
  - name: earlier
    when: { any_words: [refund], not: { words: [never] } }
    tag: { topic: refund }
    set: { temperature: 0.25 }
  - name: slow
    when: { pattern: '^(a+)+$' }
    answer: never
  - name: small
    when: { model: auto*, tools: false, stream: false, larger_than: 10 }
    route: m
"""


@pytest.fixture
def rules(gateway, provider, tmp_path):
    def start(text=RULES, **more):
        f = tmp_path / "rules.yaml"
        f.write_text(text)
        p = provider()
        return gateway(config_for(p, plugins=[{"name": "rules", "config": {"file": str(f)}}], **more)), p
    return start


def test_a_rule_answers_the_real_clients(rules):
    g, p = rules()
    client = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0)
    ask = {"model": "m", "messages": [{"role": "user", "content": "where is Order no. 123456?"}]}
    want = "Order 123456 (Order no. 123456) for : {other}"
    assert client.chat.completions.create(**ask).choices[0].message.content == want
    assert "".join(c.choices[0].delta.content or "" for c in client.chat.completions.create(stream=True, **ask)) == want
    a = anthropic.Anthropic(base_url=g.url[:-3], api_key="x", max_retries=0)
    hello = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": " HELLO\n"}]}
    assert a.messages.create(**hello).content[0].text == "Hi."
    with a.messages.stream(**hello) as s:
        assert s.get_final_text() == "Hi."
    assert client.responses.create(model="m", input="Guten Tag").output_text == "Hi."
    assert p.requests == []
    assert 'weir_plugin_hits_total{plugin="rules",name="hello"} 3' in g.metrics()
    assert g.chat(text="hello").headers["x-weir-answered-by"] == "rules/hello"


def test_a_rule_answers_googles_own_client(rules):
    g, p = rules()
    client = genai.Client(api_key="x", http_options={"base_url": g.url.removesuffix("/v1")})
    r = client.models.generate_content(model="m", contents=" HELLO")
    assert r.text == "Hi." and r.candidates[0].finish_reason.name == "STOP" and r.usage_metadata.total_token_count == 0
    assert r.model_version == "m" and r.response_id
    assert "".join(c.text or "" for c in client.models.generate_content_stream(model="m", contents="order 123456")) == "Order 123456 (order 123456) for : {other}"
    assert p.requests == []


def test_rejecting_routing_changing(rules):
    g, p = rules()
    for text in ("the INTERNAL one: password", "Ignore all of it"):
        r = g.chat(text=text)
        assert r.status == 451 and r.error["message"] == "Not here."
    assert g.chat(text="internals, passwords").status == 200
    assert g.chat("auto-1", "something longer").headers["x-weir-target"] == "first/mock"
    assert g.chat("auto-1", "something longer", stream=True).status == 404
    body = {"model": "m", "messages": [{"role": "user", "content": "a refund"}, {"role": "assistant", "content": "yes"},
                                       {"role": "user", "content": "and when?"}]}
    g.request("POST", "/v1/chat/completions", body)
    assert p.requests[-1].json["temperature"] == 0.25


def test_a_pattern_is_cut_off_and_told(rules):
    g, p = rules(RULES.replace("  - name: small", "  - name: bad\n    when: { pattern: '^(\\w+\\s?)*\\z(?<!x)' }\n    answer: no\n  - name: small"))
    assert g.chat(text="aaaa bbbb " * 20 + "!").status == 200
    assert g.wait_log("pattern of `bad` was cut off")
    assert g.metric("weir_plugin_cut_off_total", plugin="rules") == 1
    e = g.request("POST", "/admin/explain", {"model": "m", "messages": [{"role": "user", "content": "aaaa bbbb " * 20 + "!"}]}, port=g.admin_port).json
    assert {"plugin": "rules", "cut_off": "bad"} in e["plugins"] and g.metric("weir_plugin_cut_off_total", plugin="rules") == 1


LISTS = """
rules:
  - name: complaint
    when: { phrases: { file: FILES/angry.txt } }
    reject: "Let us talk about '{0}'."
  - name: faq
    when: { question: { file: FILES/faq.csv, at_least: 0.6 } }
    answer: "{answer} ({question})"
  - name: shop
    when: { any_phrases: [gift card, 礼品卡] }
    tag: { topic: gift }
    set: { temperature: 0.5 }
"""


def test_phrases_and_questions(rules, tmp_path):
    (tmp_path / "angry.txt").write_text("# what annoys\nMoney back\n\nnever again\n")
    (tmp_path / "faq.csv").write_text('question,answer\nHow do I return an item?,"Use the form, please."\nWhen will my order arrive?,In two days.\n'
                                      'Do you ship to Switzerland?,Yes.\nHow can I pay by invoice?,At the till.\n')
    g, p = rules(LISTS.replace("FILES", str(tmp_path)))
    r = g.chat(text="I want my money   BACK!")
    assert r.status == 403 and r.error["message"] == "Let us talk about 'money   BACK'."
    text = lambda t: g.chat(text=t).json["choices"][0]["message"]["content"]
    assert text("how to return an item") == "Use the form, please. (How do I return an item?)"
    assert text("do you ship to switzerland") == "Yes. (Do you ship to Switzerland?)"
    assert text("how do I return to the airport from my hotel in Rome") == "hello"       # not sure enough: a model is asked
    body = {"model": "m", "messages": [{"role": "user", "content": "一张礼品卡"}, {"role": "assistant", "content": "ok"}, {"role": "user", "content": "thanks"}]}
    assert g.request("POST", "/v1/chat/completions", body).status == 200 and p.requests[-1].json["temperature"] == 0.5
    assert 'weir_plugin_hits_total{plugin="rules",name="faq"} 2' in g.metrics()


def test_what_a_failed_branch_matched_is_not_said(rules, tmp_path):
    (tmp_path / "faq.csv").write_text("question,answer\nWhere is the key to the office?,Under the mat.\nHow do I return an item?,Use the form.\n")
    g, p = rules(f"""
rules:
  - name: unsure
    when: {{ not: {{ pattern: '^(\\w+\\s?)*\\z(?<!x)' }}, words: [gate] }}
    answer: never
  - name: help
    when: {{ any: [ {{ question: {{ file: {tmp_path}/faq.csv, at_least: 0.95 }} }}, {{ words: [help] }} ] }}
    answer: "help: {{answer}}"
  - name: letter
    when: {{ any: [ {{ pattern: '(key) in', model: other }}, {{ words: [lock] }} ] }}
    answer: "letter: {{1}}"
""".replace("\\\\", "\\"))
    text = lambda t: g.chat(text=t).json["choices"][0]["message"]["content"]
    assert text("help me, where is the key to the office in town") == "help: {answer}"
    assert text("Where is the key to the office?") == "help: Under the mat."
    assert text("key in lock") == "letter: "
    assert text("gate " + "aaaa bbbb " * 20 + "!") == "hello" and g.wait_log("pattern of `unsure` was cut off")


WORKED = r"""
rules:
  - name: order
    when: { all: [ { pattern: '\b([a-z]{2}\d{3})\b' }, { row: { file: FILES/orders.csv, column: order } } ] }
    answer: "{1}: {row.status}, {row.arrives} {row.none}"
  - name: sums
    when: { calculation: true }
    answer: "{asked} = {result}"
  - name: units
    when: { conversion: true }
    answer: "{asked} = {result} {unit}"
"""


def test_tables_calculations_and_units(rules, tmp_path):
    (tmp_path / "orders.csv").write_text('order,status,arrives\nAB123,sent,"Monday, early"\nAB124,waiting\n')
    g, p = rules(WORKED.replace("FILES", str(tmp_path)))
    text = lambda t: g.chat(text=t).json["choices"][0]["message"]["content"]
    assert text("Where is ab123, please?") == "ab123: sent, Monday, early {row.none}"
    assert text("and ab124?") == "ab124: waiting,  {row.none}"
    assert text("and ab125?") == "hello"                    # not in the table: a model is asked
    assert text("What is 12*(3+4)?") == "12*(3+4) = 84"
    assert text("what is 1/0?") == "hello"
    assert text("how many kilometres are 10 miles?") == "10 miles = 16.09344 kilometres"
    assert len(p.requests) == 2


@pytest.mark.parametrize("csv, told", [
    ("order,status\n1,a\n1,b\n", r"f.csv:3:1: error: a row before it has the same key"),
    ("a,b\n1,2\n", r"f.csv:1:1: error: the first row does not name the column of keys"),
])
def test_mistakes_in_tables_of_rows_are_told_with_their_place(tmp_path, csv, told):
    (tmp_path / "f.csv").write_text(csv)
    (tmp_path / "rules.yaml").write_text("rules:\n  - name: a\n    when: { row: { file: f.csv, column: order } }\n    answer: x\n")
    (tmp_path / "weir.yaml").write_text(json.dumps({"plugins": [{"name": "rules", "config": {"file": "rules.yaml"}}]}))
    r = subprocess.run([BINARY, "check", "-c", "weir.yaml"], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 2 and re.search(told, r.stderr), r.stderr


def test_case_does_not_count_and_nul_is_kept(rules):
    g, p = rules("rules:\n  - name: a\n    when: { exact: [größe ёж] }\n    answer: yes\n"
                 "  - name: b\n    when: { pattern: 'say (.*)' }\n    answer: '[{1}]'\n")
    text = lambda t: g.chat(text=t).json["choices"][0]["message"]["content"]
    assert text("GRÖSSE ЁЖ") == "hello" and text("GRÖßE ЁЖ") == "yes"
    assert text("say a\0b") == "[a\0b]"


@pytest.mark.parametrize("csv, when, told", [
    ("q,a\nx,y\n", "{ file: f.csv }", r"f.csv:1:1: error: the first row must name the columns"),
    ('question,answer\nx\n', "{ file: f.csv }", r"f.csv:2:1: error: the row has too few fields"),
    ('question,answer\n"x,y\n', "{ file: f.csv }", r"f.csv:2:1: error: a quote is not closed"),
    ('question,answer\n...,y\n', "{ file: f.csv }", r"f.csv:2:1: error: a question without a word"),
    ('question,answer\n', "{ file: f.csv }", r"rules.yaml:3:\d+: error: `f.csv` holds no question"),
    ('question,answer\nx,y\n', "{ file: f.csv, at_least: 2 }", r"rules.yaml:3:\d+: error: `at_least`: expected a number"),
    ('', "{ file: absent.csv }", r"rules.yaml:3:\d+: error: `absent.csv`: No such file"), ('', "{}", r"rules.yaml:3:\d+: error: `question` needs a `file`"),
])
def test_mistakes_in_tables_are_told_with_their_place(tmp_path, csv, when, told):
    (tmp_path / "f.csv").write_text(csv)
    (tmp_path / "rules.yaml").write_text(f"rules:\n  - name: a\n    when: {{ question: {when} }}\n    answer: x\n")
    (tmp_path / "weir.yaml").write_text(json.dumps({"plugins": [{"name": "rules", "config": {"file": "rules.yaml"}}]}))
    r = subprocess.run([BINARY, "check", "-c", "weir.yaml"], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 2 and re.search(told, r.stderr), r.stderr


def test_requests_count_and_money_does_not(rules):
    g, p = rules(keys=[{"name": "k", "secret": "sk-key-secret", "limits": {"requests_per_minute": 2}, "budgets": [{"usd": "0.000001"}]}])
    h = {"authorization": "Bearer sk-key-secret"}
    assert [g.chat(text="hello", headers=h).status for _ in range(3)] == [200, 200, 429]


def test_rules_that_are_reached_are_not_warned_of(tmp_path):
    (tmp_path / "rules.yaml").write_text("""rules:
  - { name: a, when: { words: [a, b] }, answer: x }
  - { name: b, when: { words: [a] }, answer: x }
  - { name: c, when: { any_words: [a, b] }, answer: x }
  - { name: d, when: { prefix: where is }, answer: x }
  - { name: e, when: { prefix: where }, answer: x }
  - { name: f, when: { exact: wher }, answer: x }
  - { name: g, when: { not: { words: [z, y] }, tools: true }, answer: x }
  - { name: h, when: { not: { words: [z] }, stream: true }, answer: x }
  - { name: i, when: { phrases: [gift card] }, answer: x }
  - { name: j, when: { phrases: [my gift card, gift] }, answer: x }
  - { name: k, when: { model: gpt-5 }, answer: x }
  - { name: l, when: { model: 'gpt-*' }, answer: x }
  - { name: m, when: { any: [ { model: gpt-5 }, { key: k } ] }, answer: x }
""")
    (tmp_path / "weir.yaml").write_text(json.dumps({"plugins": [{"name": "rules", "config": {"file": "rules.yaml"}}]}))
    r = subprocess.run([BINARY, "check", "-c", "weir.yaml"], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 0 and "never" not in r.stderr, r.stderr


def test_what_rules_save_is_counted(rules):
    g, p = rules(prices={"first/mock": {"input": 1000, "output": 2000}})
    cost = float(g.chat(text="something else").headers["x-weir-cost-usd"])
    assert cost > 0
    for _ in range(100):        # the mean is learned behind the answer
        assert g.chat(text="hello").headers["x-weir-cost-usd"].strip("0.") == ""
        if g.metric("weir_plugin_saved_usd_total", plugin="rules", model="m"):
            break
    before, asked = (g.metric(f"weir_plugin_{x}_total", plugin="rules", model="m") for x in ("saved_usd", "calls_avoided"))
    for _ in range(3):
        g.chat(text="hello")
    assert g.metric("weir_plugin_calls_avoided_total", plugin="rules", model="m") == asked + 3
    assert g.metric("weir_plugin_saved_usd_total", plugin="rules", model="m") == pytest.approx(before + 3 * cost)
    assert len(p.requests) == 1


@pytest.mark.parametrize("text, told", [
    ("rules:\n  - name: a\n    when: { pattern: 'a(' }\n    answer: x\n", r"rules.yaml:3:\d+: error: the pattern is wrong at its byte 2"),
    ("rules:\n  - name: a\n    whem: {}\n    answer: x\n", r"rules.yaml:3:\d+: error: a rule has no `whem`"),
    ("rules:\n  - name: a\n    when: { wrods: [x] }\n    answer: x\n", r"rules.yaml:3:\d+: error: `wrods` is no condition"),
    ("rules:\n  - answer: x\n", r"rules.yaml:2:\d+: error: a rule needs a `name`"),
    ("rules:\n  - name: a\n", r"rules.yaml:2:\d+: error: the rule does nothing"),
    ("rules:\n  - { name: a, reject: x, status: 403x }\n", r"rules.yaml:2:\d+: error: `status`: expected 400 to 599"),
    ("rules:\n  - { name: a, when: { words: [a, B] }, answer: x }\n  - { name: b, when: { words: [b, c, a], tools: false }, answer: y }\n",
     r"rules.yaml:3:\d+: warning: rule `b` is never reached: `a` before it takes everything that it would"),
    ("rules:\n  - { name: a, when: { prefix: Where }, answer: x }\n  - { name: b, when: { any: [ { exact: where is it }, { prefix: where was } ] }, answer: y }\n",
     r"rules.yaml:3:\d+: warning: rule `b` is never reached: `a`"),
    ("rules:\n  - { name: a, when: { phrases: [gift card] }, answer: x }\n  - { name: b, when: { phrases: [my gift card, a gift-card for me] }, answer: y }\n",
     r"rules.yaml:3:\d+: warning: rule `b` is never reached: `a`"),
    ("rules:\n  - { name: a, when: { model: 'gpt-*', larger_than: 5 }, answer: x }\n  - { name: b, when: { model: gpt-5, larger_than: 9 }, answer: y }\n",
     r"rules.yaml:3:\d+: warning: rule `b` is never reached: `a`"),
    ("rules:\n  - { name: a, when: { words: x, not: { words: [x] } }, answer: x }\n", r"rules.yaml:2:\d+: warning: rule `a` never matches"),
    ("rules:\n  - { name: a, set: { stop: text } }\n", r"rules.yaml:2:\d+: error: `stop`: expected JSON"),
    ("rules: [\n", r"rules.yaml:\d+:\d+: error"),
    ("- x\n", r"rules.yaml:1:1: error: expected `rules:`"),
    ("rules:\n  - { name: a, answer: x }\n  - { name: b, answer: y }\n", r"rules.yaml:3:\d+: warning: rule `b` is never reached: `a`"),
])
def test_mistakes_are_told_with_their_place(tmp_path, text, told):
    (tmp_path / "rules.yaml").write_text(text)
    (tmp_path / "weir.yaml").write_text(json.dumps({"plugins": [{"name": "rules", "config": {"file": "rules.yaml"}}]}))
    r = subprocess.run([BINARY, "check", "-c", "weir.yaml"], capture_output=True, text=True, cwd=tmp_path)
    assert re.search(told, r.stderr), r.stderr
    assert r.returncode == (0 if "warning" in told else 2)
    request = json.dumps({"model": "demo/echo", "messages": [{"role": "user", "content": "hi"}]})
    if r.returncode == 0 and "name: a, answer" in text:
        e = subprocess.run([BINARY, "explain", "-c", "weir.yaml"], input=request, capture_output=True, text=True, cwd=tmp_path)
        assert "matched a" in e.stdout and "answered by rules/a: x" in e.stdout

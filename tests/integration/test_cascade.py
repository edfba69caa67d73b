"""Smaller targets first: their answers judged, what fails goes on to the next, and the account of it."""
import json
import random
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from http.client import HTTPConnection

import pytest
from mock_provider import LAST_CHUNK, chunk, completion, delta, error, event, http, stream_head, usage_event
from weir import BINARY, CHAT, ROOT, Raw, post, until

SMALL, LARGE = (1, 2), (10, 20)		# USD per million tokens, in and out


def config_of(small, large, cascade=None, model=None, **more):
    c = {"providers": {n: {"dialect": "openai", "base_url": p.url, "allow_private_address": True, "api_key": f"sk-{n}"}
                       for n, p in (("small", small), ("large", large))},
         "models": {"m": {"strategy": "cascade", "targets": ["small/mock", "large/mock"], **({"cascade": cascade} if cascade else {}),
                          **(model or {})}},
         "prices": {"small/mock": {"input": SMALL[0], "output": SMALL[1]}, "large/mock": {"input": LARGE[0], "output": LARGE[1]}}}
    c.update(more)
    return c


def target(r):
    return r.headers["x-weir-target"].split("/")[0]


def says(text, finish="stop", usage=(10, 3), **message):
    """An answer, plain or streamed as asked."""
    u = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}

    def other(d):
        return chunk(event({"id": "x", "object": "chat.completion.chunk", "model": "mock", "choices": [{"index": 0, "delta": d, "finish_reason": None}]}))

    def pieces():
        """What is no text: a refusal, and a tool call's name and its arguments in two pieces."""
        if message.get("refusal"):
            yield other({"refusal": message["refusal"]})
        for i, c in enumerate(message.get("tool_calls", [])):
            arguments = c["function"]["arguments"]
            yield other({"tool_calls": [{"index": i, **c, "function": {"name": c["function"]["name"], "arguments": arguments[:3]}}]})
            yield other({"tool_calls": [{"index": i, "function": {"arguments": arguments[3:]}}]})

    def script(r):
        if r.stream:
            return [stream_head(), chunk(delta("", role="assistant")), *(chunk(delta(text[i:i + 7])) for i in range(0, len(text or ""), 7)), *pieces(),
                    chunk(delta(finish=finish)), chunk(usage_event(*usage)), chunk(event("[DONE]")), LAST_CHUNK]
        return [http(200, {**completion(usage=u), "choices": [{"index": 0, "finish_reason": finish,
                                                               "message": {"role": "assistant", "content": text, **message}}]})]
    return script


def report(g, requests=0):
    """The account, once so many requests are in it: an answer's end is counted a moment after it was sent."""
    def account():
        r = g.get("/admin/cascade", port=g.admin_port)
        assert r.status == 200, r.body
        return {m["model"]: m for m in json.loads(r.body, parse_float=Decimal)["models"]}
    return until(lambda: (models := account())["m"]["requests"] >= requests and models)


def usd(tokens, price):
    return Decimal(tokens[0] * price[0] + tokens[1] * price[1]) / 1_000_000


# --- the account ---

@pytest.mark.parametrize("stream", [False, True])
def test_wrong_answers_escalate_and_the_account_is_exact(gateway, provider, stream):
    """Of 100 answers of the small one 30 are no JSON: 30 escalations, each dollar counted, every answer right."""
    lock, served = threading.Lock(), {"right": 0, "wrong": 0}

    def small(r):
        n = int(r.json["messages"][0]["content"])
        wrong = n % 10 in (1, 4, 7)
        with lock:
            served["wrong" if wrong else "right"] += 1
        return says('{"n": ' if wrong else f'{{"n": {n}}}')(r)

    def large(r):
        return says(f'{{"n": {r.json["messages"][0]["content"]}}}')(r)

    a, b = provider(small), provider(large)
    g = gateway(config_of(a, b))
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    total = Decimal(0)
    for n in range(100):
        r = g.chat(text=str(n), response_format={"type": "json_object"}, **more)
        assert r.status == 200 and target(r) == ("large" if n % 10 in (1, 4, 7) else "small")
        if stream:
            events = [json.loads(line[6:]) for line in r.body.decode().splitlines() if line.startswith("data: {")]
            text = "".join(c["delta"].get("content", "") for e in events for c in e["choices"])
            assert r.body.endswith(b"data: [DONE]\n\n")
        else:
            text = r.json["choices"][0]["message"]["content"]
            total += Decimal(r.headers["x-weir-cost-usd"])
        assert json.loads(text) == {"n": n}
    assert served == {"right": 70, "wrong": 30} and len(b.requests) == 30
    spent = 100 * usd((10, 3), SMALL) + 30 * usd((10, 3), LARGE)
    assert stream or total == spent
    m = report(g, 100)["m"]
    assert m["requests"] == 100 and m["failed_checks"]["json"] == 30 and m["unjudged"] == 0
    assert [(t["target"], t["answered"], t["escalated"]) for t in m["targets"]] == [("small/mock", 70, 30), ("large/mock", 30, 0)]
    assert Decimal(m["spent_usd"]) == spent
    # always asking the large one: what it took for the 30, and the same for the other 70 once it is known
    assert abs(Decimal(m["large_usd"]) - 100 * usd((10, 3), LARGE)) <= usd((0, 256), LARGE)
    assert Decimal(m["saved_usd"]) == Decimal(m["large_usd"]) - Decimal(m["spent_usd"])
    metrics = g.metrics()
    assert 'weir_cascade_answers_total{model="m",target="small/mock"} 70' in metrics
    assert 'weir_cascade_escalations_total{model="m",target="small/mock"} 30' in metrics
    assert 'weir_upstream_attempts_total{provider="small",target="small/mock",result="provider_check"} 30' in metrics
    assert abs(g.metric("weir_cost_usd_total") - float(spent)) < 1e-9
    assert g.metric("weir_upstream_up", target="small/mock") == 1       # it is well, and not always good enough
    shown = subprocess.run([BINARY, "cascade"], capture_output=True, text=True, env={"WEIR_ADMIN_URL": f"http://127.0.0.1:{g.admin_port}"})
    assert shown.returncode == 0 and "small/mock" in shown.stdout and "70 %" in shown.stdout, shown
    assert "m" in g.get("/", port=g.admin_port).body.decode()


def test_the_account_is_exact_under_load(gateway, provider, tmp_path):
    """300 requests of 12 callers at once, plain and streamed, each answer with its own length: 30 of 100 wrong, by lot."""
    dice, lock = random.Random(7), threading.Lock()
    wrong = {n: dice.random() < 0.3 for n in range(300)}
    tokens = {n: (dice.randint(5, 50), dice.randint(1, 30)) for n in range(300)}
    served = {"small": [], "large": []}

    def script(name, price):
        def answer(r):
            n = int(r.json["messages"][0]["content"])
            with lock:
                served[name].append(usd(tokens[n], price))
            return says('{"n": ' if name == "small" and wrong[n] else f'{{"n": {n}}}', usage=tokens[n])(r)
        return answer
    a, b = provider(script("small", SMALL)), provider(script("large", LARGE))
    g = gateway(config_of(a, b, workers=2, ledger=str(tmp_path / "ledger.db"), breaker="off"))

    def ask(n):
        more = {"stream": True, "stream_options": {"include_usage": True}} if n % 2 else {}
        r = g.chat(text=str(n), response_format={"type": "json_object"}, **more)
        assert r.status == 200 and target(r) == ("large" if wrong[n] else "small")
        return Decimal(0 if n % 2 else r.headers["x-weir-cost-usd"])
    with ThreadPoolExecutor(12) as pool:
        plain = sum(pool.map(ask, range(300)))
    n_wrong, spent = sum(wrong.values()), sum(served["small"]) + sum(served["large"])
    assert (len(served["small"]), len(served["large"])) == (300, n_wrong)
    assert plain == sum(usd(tokens[n], SMALL) + (usd(tokens[n], LARGE) if wrong[n] else 0) for n in range(0, 300, 2))
    m = report(g, 300)["m"]
    assert m["requests"] == 300 and m["failed_checks"]["json"] == n_wrong and Decimal(m["spent_usd"]) == spent
    assert [(t["answered"], t["escalated"]) for t in m["targets"]] == [(300 - n_wrong, n_wrong), (n_wrong, 0)]
    assert Decimal(m["saved_usd"]) == Decimal(m["large_usd"]) - spent
    until(lambda: abs(g.metric("weir_cost_usd_total") - float(spent)) < 1e-9)
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        until(lambda: db.execute("SELECT count(*) FROM requests").fetchone()[0] == 300)
        assert db.execute("SELECT sum(cost) FROM requests").fetchone()[0] == int(spent * 10**9)


# --- each check ---

TOOL = {"type": "function", "function": {"name": "look", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {
    "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}}}


def call(arguments, name="look"):
    return says(None, "tool_calls", tool_calls=[{"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}])


@pytest.mark.parametrize("check,script,checks,fields", [
    ("finish", says("and so on", "length"), {}, {}),
    ("finish", says("", "content_filter"), {}, {}),
    ("refusals", says("I\u2019m sorry, but I can\u2019t help with that."), {}, {}),
    ("refusals", says(None, refusal="No."), {}, {}),
    ("length", says(""), {}, {}),
    ("length", says("word " * 100), {"max_length": 100}, {}),
    ("json", says("```json\n{}\n```"), {}, {"response_format": {"type": "json_object"}}),
    ("json", says("three"), {"json": "always"}, {}),
    ("schema", says('{"n": "three"}'), {}, {"response_format": SCHEMA}),
    ("schema", says('{"n": 3}'), {"schema": '{"type": "object", "required": ["m"]}'}, {}),
    ("tools", call('{"town": "Ulm"}'), {}, {"tools": [TOOL]}),
    ("tools", call('{"city": '), {}, {"tools": [TOOL]}),
    ("tools", call('{}', name="find"), {}, {"tools": [TOOL]}),
    ("match", says("about forty"), {"match": ["^[0-9]+$"]}, {}),
    ("deny", says("TODO: fill in"), {"deny": ["(?i)todo", "lorem"]}, {}),
])
def test_each_check_sends_on(gateway, provider, check, script, checks, fields):
    a, b = provider(script), provider(says('{"n": 3}'))
    g = gateway(config_of(a, b, {"checks": checks} if checks else None))
    r = g.chat(**fields)
    assert r.status == 200 and target(r) == "large" and r.headers["x-weir-attempts"] == "2"
    until(lambda: {k: v for k, v in report(g)["m"]["failed_checks"].items() if v} == {check: 1})
    g.wait_log(check)
    r = g.chat(stream=True, **fields)
    assert r.status == 200 and target(r) == "large" and r.body.count(b"[DONE]") == 1
    until(lambda: {k: v for k, v in report(g, 2)["m"]["failed_checks"].items() if v} == {check: 2})


@pytest.mark.parametrize("script,checks,fields", [
    (says("An answer."), {}, {}),
    (says('{"n": 3}'), {"json": "always", "match": ["n"], "min_length": 8}, {"response_format": SCHEMA}),
    (call('{"city": "Ulm"}'), {"match": ["x"], "min_length": 9}, {"tools": [TOOL], "response_format": SCHEMA}),
    (says("It is sorry, but I cannot say more." , "length"), {"finish": False, "refusals": False}, {}),
])
def test_what_is_good_stays(gateway, provider, script, checks, fields):
    a, b = provider(script), provider()
    g = gateway(config_of(a, b, {"checks": checks} if checks else None))
    for stream in (False, True):
        r = g.chat(stream=stream, **fields)
        assert r.status == 200 and target(r) == "small" and not b.requests


def test_tokens_that_were_not_probable_send_on(gateway, provider):
    def script(p):
        logprobs = [{"token": "x", "logprob": p}, {"token": "y", "logprob": -0.1}]

        def answer(r):
            if not r.stream:
                return [http(200, {**completion("xy"), "choices": [{"index": 0, "finish_reason": "stop", "message": {
                    "role": "assistant", "content": "xy"}, "logprobs": {"content": logprobs}}]})]
            return [stream_head(), *(chunk(event({"id": "x", "object": "chat.completion.chunk", "model": "mock", "choices": [
                {"index": 0, "delta": {"content": t["token"]}, "logprobs": {"content": [t]}, "finish_reason": None}]})) for t in logprobs),
                chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK]
        return answer
    a, b = provider(script(-3.0)), provider()
    g = gateway(config_of(a, b, {"checks": {"confidence": 60}}))
    assert target(g.chat()) == "large" and target(g.chat(stream=True)) == "large"
    a.script = script(-0.2)
    assert target(g.chat()) == "small" and target(g.chat(stream=True)) == "small"
    a.script = says("no word of it")
    assert target(g.chat()) == "small"


# --- streams ---

def test_a_stream_is_held_no_longer_than_its_window(gateway, provider):
    """What is longer than the window is judged by its beginning, and goes out as it came."""
    sent = threading.Event()
    words = [delta(f"word {i} " * 20) for i in range(40)]

    def script(r):
        yield stream_head()
        for w in words[:20]:
            yield chunk(w)
        yield from wait()
        for w in words[20:]:
            yield chunk(w)
        yield chunk(delta(finish="length"))     # not seen any more
        yield chunk(event("[DONE]"))
        yield LAST_CHUNK

    def wait():
        while not sent.is_set():
            yield ("sleep", 0.01)
    a, b = provider(script), provider()
    g = gateway(config_of(a, b, {"window": "1KiB"}))
    c = HTTPConnection("127.0.0.1", g.port, timeout=20)
    c.request("POST", "/v1/chat/completions", json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}),
              {"content-type": "application/json"})
    r = c.getresponse()
    first = r.readline()		# here before the rest was sent
    sent.set()
    body = first + r.read()
    assert body == "".join(words).encode() + delta(finish="length").encode() + event("[DONE]").encode()
    assert not b.requests


def test_a_slow_stream_is_held_no_longer_than_its_time(gateway, provider):
    a = provider(lambda r: [stream_head(), chunk(delta("slow")), ("sleep", 0.6), chunk(delta(" but good")), chunk(delta(finish="stop")),
                            chunk(event("[DONE]")), LAST_CHUNK])
    b = provider()
    g = gateway(config_of(a, b, {"window_time": "100ms", "checks": {"min_length": 1000}}))
    r = g.chat(stream=True)
    assert target(r) == "small" and b"but good" in r.body and not b.requests


def test_a_stream_that_breaks_on_trial_fails_over_in_silence(gateway, provider):
    broken = [lambda r: [stream_head(), chunk(delta("Hel")), ("reset",)],
              lambda r: [stream_head(), chunk(delta("Hel")), LAST_CHUNK],
              lambda r: [stream_head(), chunk(delta("Hel")), chunk(event({"error": {"message": "no", "type": "server_error"}})), LAST_CHUNK]]
    a, b = provider(), provider(says("whole"))
    g = gateway(config_of(a, b, breaker="off"))
    for script in broken:
        a.script = script
        r = g.chat(stream=True)
        assert target(r) == "large" and b"Hel" not in r.body and r.body.endswith(b"[DONE]\n\n")
    assert report(g, 3)["m"]["targets"][0]["escalated"] == 0


def test_a_caller_who_leaves_during_the_trial_cancels_it(gateway, provider):
    a = provider(lambda r: [stream_head(), chunk(delta("Hel")), ("hang",)])
    b = provider()
    g = gateway(config_of(a, b))
    c = Raw(g.port)
    c.send(post({**CHAT, "stream": True}))
    until(lambda: a.requests)
    c.close()
    until(lambda: a.requests[0].hung_up_at)
    assert not b.requests


# --- other formats ---

def messages(text, reason):
    """Anthropic's format, plain or streamed as asked."""
    def script(r):
        if not r.stream:
            return [http(200, {"id": "m1", "type": "message", "role": "assistant", "model": "mock", "stop_reason": reason,
                               "content": [{"type": "text", "text": text}], "usage": {"input_tokens": 9, "output_tokens": 2}})]
        events = [("message_start", {"message": {"id": "m1", "role": "assistant", "model": "mock", "content": [],
                                                 "usage": {"input_tokens": 9, "output_tokens": 1}}}),
                  ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
                  ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}),
                  ("content_block_stop", {"index": 0}),
                  ("message_delta", {"delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}}), ("message_stop", {})]
        return [stream_head(), *(chunk(f"event: {n}\ndata: {json.dumps({'type': n, **d})}\n\n") for n, d in events), LAST_CHUNK]
    return script


def test_an_answer_in_another_format_is_judged_as_well(gateway, provider):
    """The small one speaks Messages, the caller chat: plain and as a stream."""
    a, b = provider(messages("cut", "max_tokens")), provider(says("whole"))
    c = config_of(a, b)
    c["providers"]["small"]["dialect"] = "anthropic"
    g = gateway(c)
    assert target(g.chat(max_tokens=9)) == "large" and target(g.chat(max_tokens=9, stream=True)) == "large"
    assert report(g, 2)["m"]["failed_checks"]["finish"] == 2
    assert Decimal(report(g)["m"]["spent_usd"]) == 2 * (usd((9, 2), SMALL) + usd((10, 3), LARGE))


@pytest.mark.parametrize("stream", [False, True])
def test_messages_that_are_relayed_are_judged(gateway, provider, stream):
    a, b = provider(messages("cut", "max_tokens")), provider(messages("whole", "end_turn"))
    c = config_of(a, b)
    for p in c["providers"].values():
        p["dialect"] = "anthropic"
    g = gateway(c)
    ask = lambda: g.request("POST", "/v1/messages", {"model": "m", "max_tokens": 9, "stream": stream,
                                                     "messages": [{"role": "user", "content": "hi"}]})
    r = ask()
    assert target(r) == "large" and b"whole" in r.body and b"cut" not in r.body
    a.script = messages("fine", "end_turn")
    r = ask()
    assert target(r) == "small" and b"fine" in r.body and (not stream or r.body.count(b"message_stop") == 2)


def test_what_is_no_chat_is_given_unjudged(gateway, provider):
    vectors = lambda r: [http(200, {"object": "list", "model": "mock", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
                                    "usage": {"prompt_tokens": 2, "total_tokens": 2}})]
    a, b = provider(vectors), provider(vectors)
    g = gateway(config_of(a, b))
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": "hi"})
    assert r.status == 200 and target(r) == "small" and report(g, 1)["m"]["unjudged"] == 1


# --- where it begins ---

def test_hard_requests_begin_at_the_large_one(gateway, provider):
    a, b = provider(), provider()
    g = gateway(config_of(a, b, {"large": {"tokens": 3000, "tools": 1, "images": 1, "code": True}}))
    picture = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    ask = lambda text="hi", n=0, **f: g.request("POST", "/v1/chat/completions", {
        "model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": text}] + [picture] * n}], **f})
    e = g.request("POST", "/admin/explain", {"model": "m", "messages": [{"role": "user", "content": "word " * 5000}]}, port=g.admin_port).json
    assert e["strategy"] == "cascade" and [t["target"] for t in e["targets"]] == ["large/mock", "small/mock"]
    assert e["targets"][0]["because"] == "it is long"
    assert [target(ask()), target(ask(n=1)), target(ask(tools=[TOOL]))] == ["small"] * 3
    assert [target(ask("word " * 5000)), target(ask(n=2)), target(ask(tools=[TOOL, TOOL])), target(ask("```c\nint x;\n```"))] == ["large"] * 4
    b.script = lambda r: error(500)
    a.script = says("I can't help with that")     # the last hope is not judged
    assert target(ask(n=2)) == "small"


def test_a_tag_says_where_to_begin(gateway, provider):
    a, b = provider(), provider()
    g = gateway(config_of(a, b))
    assert target(g.chat(headers={"x-weir-tags": "app=x,cascade=large"})) == "large"
    assert target(g.chat(headers={"x-weir-tags": "cascade=1"})) == "small"


def test_a_rule_says_where_to_begin(gateway, provider, tmp_path):
    f = tmp_path / "rules.yaml"
    f.write_text("rules:\n  - name: hard\n    when: { words: [prove] }\n    tag: { cascade: large }\n")
    a, b = provider(), provider()
    g = gateway(config_of(a, b, plugins=[{"name": "rules", "config": {"file": str(f)}}]))
    assert target(g.chat(text="say it")) == "small" and target(g.chat(text="prove it")) == "large"


# --- money, and no way on ---

def test_no_larger_one_to_ask_means_no_judgement(gateway, provider):
    a, b = provider(says("I can't help with that")), provider()
    g = gateway(config_of(a, b, model={"max_cost_usd": 0.0001}))
    r = g.chat(max_tokens=4)			# the large one would cost more than the ceiling
    assert target(r) == "small" and not b.requests
    assert report(g, 1)["m"]["unjudged"] == 0	# it was the largest that could be asked


@pytest.mark.parametrize("model", [{"retry": {"attempts": 1}}, {"max_cost_usd": 0.00017}])
def test_no_answer_is_refused_for_one_that_may_not_be_asked(gateway, provider, model):
    """One attempt in all, or a ceiling that both together would break: the small answer is better than none."""
    a, b = provider(says("cut", "length")), provider()
    r = gateway(config_of(a, b, model=model)).chat(max_tokens=4)
    assert r.status == 200 and target(r) == "small" and not b.requests


def test_when_the_large_one_fails_too_the_error_is_honest(gateway, provider):
    a, b = provider(says("cut", "length")), provider(lambda r: error(500))
    r = gateway(config_of(a, b)).chat()
    assert r.status == 502 and r.headers["x-weir-attempts"] == "2"


def test_a_budget_holds_both_steps(gateway, provider):
    key = {"name": "k", "secret": "sk-weir-k-0123456789abcdef", "budgets": [{"usd": 0.0002, "per": "day"}]}
    a, b = provider(says("cut", "length")), provider()
    g = gateway(config_of(a, b, keys=[key]))
    ask = lambda: g.chat(max_tokens=3, headers={"authorization": "Bearer " + key["secret"]})
    statuses = [ask().status for _ in range(3)]
    assert statuses == [200, 429, 429] or statuses == [200, 200, 429], statuses
    assert g.metric("weir_key_cost_usd_total", key="k") <= 0.0004


def test_limits_count_the_tokens_of_both_steps(gateway, provider):
    key = {"name": "k", "secret": "sk-weir-k-0123456789abcdef", "limits": {"tokens_per_day": 100000}}
    a, b = provider(says("cut", "length")), provider(says("whole"))
    g = gateway(config_of(a, b, keys=[key]))
    ask = lambda: int(g.chat(max_tokens=3, headers={"authorization": "Bearer " + key["secret"]}).headers["x-ratelimit-remaining-tokens"])
    remaining = [ask() for _ in range(40)]
    a.script = says("whole")
    alone = [ask() for _ in range(5)]
    assert remaining[-2] - remaining[-1] == 26 and alone[-2] - alone[-1] == 13, (remaining, alone)


# --- comparing ---

def test_a_share_is_compared_off_the_callers_path(gateway, provider):
    """The second answer is nobody's; it is paid, logged and limited like any other."""
    key = {"name": "k", "secret": "sk-weir-k-0123456789abcdef", "limits": {"requests_per_day": 10}}
    a, b = provider(says("The capital is Paris.")), provider(lambda r: [("sleep", 0.2), *says("the capital: is PARIS")(r)])
    g = gateway(config_of(a, b, {"compare": 100}, keys=[key]))
    ask = lambda **f: g.chat(headers={"authorization": "Bearer " + key["secret"], "x-weir-tags": "app=x"}, **f)
    began = time.monotonic()
    r = ask()
    assert target(r) == "small" and r.json["choices"][0]["message"]["content"] == "The capital is Paris."
    until(lambda: report(g)["m"]["compared"]["same"] == 1)
    assert time.monotonic() - began >= 0.2
    b.script = says("I don't know")
    assert target(ask(stream=True)) == "small"
    until(lambda: report(g)["m"]["compared"]["different"] == 1)
    b.script = says("The capital of France is Paris.")
    ask(), until(lambda: report(g)["m"]["compared"]["similar"] == 1)
    b.script = says("The capital is", "length")
    ask(), until(lambda: report(g)["m"]["compared"]["large_failed"] == 1)
    b.script = lambda r: error(500)
    ask(), until(lambda: report(g)["m"]["compared"]["not_answered"] == 1)
    m = report(g, 5)["m"]
    assert m["compared"] == {"same": 1, "similar": 1, "different": 1, "large_failed": 1, "not_answered": 1}
    assert m["requests"] == 5 and Decimal(m["compare_usd"]) == 4 * usd((10, 3), LARGE) and Decimal(m["spent_usd"]) == 5 * usd((10, 3), SMALL)
    assert [json.loads(x.body)["messages"] for x in b.requests] == [json.loads(x.body)["messages"] for x in a.requests]
    until(lambda: len([x for x in g.access() if x.get("key") == "k"]) == 10)      # written a moment after the answer
    n = len(b.requests)
    assert ask().status == 429 and len(b.requests) == n         # the ten of the day are used up, by both


def test_nothing_is_compared_unless_it_is_said(gateway, provider):
    a, b = provider(), provider()
    g = gateway(config_of(a, b))
    assert [target(g.chat()) for _ in range(5)] == ["small"] * 5
    assert not b.requests and not any(report(g)["m"]["compared"].values())


# --- mistakes ---

def test_the_example_is_good():
    r = subprocess.run([BINARY, "check", "-c", str(ROOT / "conf/local-first.yaml")], capture_output=True, text=True, env={"OPENAI_API_KEY": "sk-x"})
    assert r.returncode == 0 and "0 warnings" in r.stdout + r.stderr, r


@pytest.mark.parametrize("model,words", [
    ({"targets": ["small/mock"]}, "needs at least two targets"),
    ({"targets": ["small/mock", "small/mock"]}, "stands twice in a cascade"),
    ({"cascade": {"checks": {"match": ["a("]}}}, "is no pattern"),
    ({"cascade": {"checks": {"match": ["x"], "deny": ["x"]}}}, "demanded and denied at once"),
    ({"cascade": {"checks": {"min_length": 9, "max_length": 3}}}, "no answer has at least 9 and at most 3"),
    ({"cascade": {"checks": {"schema": "{"}}}, "is no JSON object"),
    ({"cascade": {"checks": {"min_length": 100000}}}, "no stream reaches it"),
    ({"hedge": {"quantile": 95}}, "do not go together"),
    ({"strategy": "ordered", "cascade": {"window": "2KiB"}}, "has no effect: its strategy is another"),
])
def test_nonsense_is_told(tmp_path, model, words):
    base = {"strategy": "cascade", "targets": ["small/mock", "large/mock"]}
    f = tmp_path / "weir.yaml"
    f.write_text(json.dumps({"providers": {n: {"dialect": "openai", "base_url": "http://127.0.0.1:9/v1", "local": True} for n in ("small", "large")},
                             "models": {"m": {**base, **model}}}))
    r = subprocess.run([BINARY, "check", "-c", str(f)], capture_output=True, text=True)
    assert words in r.stderr, r.stderr

"""The demonstration in conf/demo: what rules, a small local model and a large one each make of a shop's questions."""
import collections
import csv
import re
import subprocess

import openai
import pytest
from llama_engine import ROOT, Engine
from mock_provider import completion, http
from weir import BINARY, free_port

DEMO = ROOT / "conf" / "demo"
PRICE = {"input": 1.25, "output": 10}       # USD per million tokens
FAQ = {r["answer"]: r["id"] for r in csv.DictReader(open(DEMO / "faq.csv"))}
INTENTS = list(csv.DictReader(open(DEMO / "intents.csv")))
QUESTIONS = list(csv.DictReader(open(ROOT / "tests" / "cases" / "demo" / "questions.csv")))
RULES = {"order-status": "order-status", "units": "unit", "sums": "sum", "human": "human"}
NEED_A_MODEL = {"shop", "chat"}
# The model of the tests only goes on with texts: shown how, it answers.
TEMPLATE = """Question: What is the capital of England?
Answer: The capital of England is London.
Question: Hi!
Answer: Hello, how can I help you?
Question: Say something about cats.
Answer: Cats are small animals that like to sleep.
{% for m in messages %}{% if m.role == 'user' %}Question: {{ m.content }}
{% endif %}{% endfor %}Answer:"""


def test_the_questions_are_kept_apart():
    """Nothing that is asked stands in what the rules and the classifier were made from."""
    known = {r["question"].lower() for r in csv.DictReader(open(DEMO / "faq.csv"))} | {r["text"].lower() for r in INTENTS}
    asked = {r["text"].lower() for r in QUESTIONS}
    assert len(asked) >= 300 and not asked & known
    assert {r["expect"] for r in QUESTIONS} <= set(FAQ.values()) | set(RULES.values()) | NEED_A_MODEL


def test_the_classifier_is_right_where_it_answers(tmp_path):
    assert len(INTENTS) >= 500
    out = subprocess.run([BINARY, "rules", "train", "--from", DEMO / "intents.csv", "--out", tmp_path / "m", "--held-out", "0.3"],
                         capture_output=True, text=True, check=True).stdout
    print(out)
    share, right = re.search(r"^ *0\.80 +([\d.]+) % +\(\d+\) +([\d.]+) %", out, re.M).groups()
    assert float(right) >= 85 and float(share) >= 40
    labels = re.findall(r"^class \S+ (\S+)$", (DEMO / "intents.model").read_text(), re.M)
    assert sorted(labels) == sorted({r["label"] for r in INTENTS})


def test_the_rules_keep_to_their_examples():
    r = subprocess.run([BINARY, "rules", "test", "conf/demo/rules.yaml"], capture_output=True, text=True, cwd=ROOT)
    assert r.returncode == 0, r.stdout + r.stderr


def configured(tmp_path, local, large):
    rules = tmp_path / "rules.yaml"
    rules.write_text((DEMO / "rules.yaml").read_text().replace("conf/demo/", f"{DEMO}/"))
    text = (DEMO / "weir.yaml").read_text().replace("http://127.0.0.1:8081/v1", local).replace("conf/demo/rules.yaml", str(rules))
    return text.replace("  openai: {}", f"  openai: {{ base_url: \"{large}\", api_key: sk-large, allow_private_address: true }}") + \
        f"prices: {{ openai/gpt-5: {{ input: {PRICE['input']}, output: {PRICE['output']} }} }}\n"


def rung_and_verdict(question, answer):
    """Who answered, and whether it was right; None: nobody can say without reading it."""
    by, text = answer.headers.get("x-weir-answered-by"), answer.parse().choices[0].message.content
    if by:
        said = FAQ.get(text) if by == "rules/faq" else RULES.get(by.removeprefix("rules/"))
        return "rules", said == question["expect"]
    rung = "local" if answer.headers["x-weir-target"].startswith("local/") else "large"
    if rung == "large":
        return rung, True       # the double knows everything
    words = [w for w in question["says"].split(",") if w]
    return rung, any(w in text.lower() for w in words) if words else None


@pytest.mark.slow
def test_each_rung_does_its_part(gateway, provider, tmp_path):
    served = []

    def knows_everything(r):
        usage = {"prompt_tokens": 20 + len(r.body) // 4, "completion_tokens": 80}
        served.append(usage)
        return [http(200, completion("Here is what you need to know.", r.model, usage={**usage, "total_tokens": sum(usage.values())}))]
    large, engine = provider(knows_everything), Engine(free_port(), TEMPLATE)
    try:
        g = gateway(text=configured(tmp_path, engine.url, large.url))
        client = openai.OpenAI(base_url=g.url, api_key="none", max_retries=0, timeout=60)
        rungs, cost = collections.defaultdict(collections.Counter), collections.Counter()
        wrong = []
        for q in QUESTIONS:
            r = client.chat.completions.with_raw_response.create(model="support", messages=[{"role": "user", "content": q["text"]}],
                                                                      max_tokens=64, temperature=0, stop=["\n"])
            rung, right = rung_and_verdict(q, r)
            rungs[rung]["asked"] += 1
            rungs[rung]["right" if right else "wrong" if right is False else "not judged"] += 1
            cost[rung] += float(r.headers.get("x-weir-cost-usd", 0))
            if rung == "large" and int(r.headers["x-weir-attempts"]) > 1:
                rungs["local"]["abstained"] += 1        # its answer did not pass the checks
            if rung == "rules" and not right:
                wrong.append((q["text"], q["expect"], r.headers["x-weir-answered-by"], r.parse().choices[0].message.content))
            if rung != "rules" and q["expect"] not in NEED_A_MODEL:
                rungs["rules"]["abstained"] += 1
        tell(rungs, cost)
        assert len(wrong) <= rungs["rules"]["asked"] / 100, wrong
        assert rungs["rules"]["asked"] >= 0.4 * len(QUESTIONS) and rungs["local"]["asked"] and rungs["large"]["asked"]
        paid = sum(u["prompt_tokens"] * PRICE["input"] + u["completion_tokens"] * PRICE["output"] for u in served) / 1e6
        assert len(served) == rungs["large"]["asked"] and abs(g.metric("weir_cost_usd_total") - paid) < 1e-9
        assert abs(cost["large"] - paid) < 1e-6 * len(served)
    finally:
        engine.kill()


def tell(rungs, cost):
    print("\n| rung | questions | right | wrong | not judged | abstained | USD |\n|---|---|---|---|---|---|---|")
    for name in ("rules", "local", "large"):
        c = rungs[name]
        print(f"| {name} | {c['asked']} ({100 * c['asked'] / len(QUESTIONS):.0f} %) | {c['right']} | {c['wrong']} | {c['not judged']} | {c['abstained']} | {cost[name]:.6f} |")

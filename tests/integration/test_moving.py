"""Coming from another gateway: what the guide shows does what it says, and old habits get an answer (conf/docs/moving.md)."""
import hashlib
import json
import re
import subprocess

import pytest

from mock_provider import good, http
from weir import BINARY, ROOT

GUIDE = (ROOT / "conf/docs/moving.md").read_text()


def example(n):
    return re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.M | re.S)[n]


@pytest.fixture
def moved(gateway, provider):
    """The guide's configuration, its providers replaced by doubles: (gateway, doubles by name)."""
    doubles = {name: provider() for name in ("azure-eu", "openai", "anthropic", "vllm")}
    text = example(0)
    for name, p in doubles.items():
        own = f"  {name}: {{ dialect: openai, base_url: \"{p.url}\", api_key: sk-x, allow_private_address: true }}"
        text, n = re.subn(rf"^  {name}: {{.*$", lambda m: own, text, count=1, flags=re.M)
        assert n == 1
    return gateway(text=text), doubles


def test_weights_and_fallbacks(moved):
    g, p = moved
    for i in range(40):
        assert g.chat("gpt", f"question {i}").status == 200
    assert len(p["azure-eu"].requests) in (29, 30, 31) and len(p["azure-eu"].requests) + len(p["openai"].requests) == 40
    p["azure-eu"].script = p["openai"].script = lambda r: [http(500, "{}")]
    r = g.chat("gpt", "and now?")
    assert r.status == 200 and r.headers["x-weir-target"] == "anthropic/claude-haiku-4-5"


def test_own_prices_and_the_cache(moved):
    g, p = moved
    p["vllm"].script = lambda r: [http(200, json.dumps({
        "id": "x", "object": "chat.completion", "created": 1, "model": "qwen3", "usage": {"prompt_tokens": 1000, "completion_tokens": 1000},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}))]
    r = g.chat("own")
    assert float(r.headers["x-weir-cost-usd"]) == pytest.approx(0.0005)
    assert g.chat("own").headers["x-weir-cache"] == "hit" and len(p["vllm"].requests) == 1


def test_keys_that_litellm_made_go_on(gateway, provider):
    """Its table holds hashlib.sha256(key).hexdigest()."""
    p = provider(good)
    old = "sk-1234567890abcdefABCDEF"
    text = re.sub(r"sha256:\w+", "sha256:" + hashlib.sha256(old.encode()).hexdigest(), example(1))
    g = gateway(text=f'providers: {{ openai: {{ base_url: "{p.url}", api_key: sk-x, allow_private_address: true }} }}\n' + text)
    assert g.chat("gpt", headers={"authorization": f"Bearer {old}"}).status == 200
    assert g.chat("gpt", headers={"authorization": "Bearer sk-other"}).status == 401


HABITS = [
    ("model_list: []", 1, 1, "here it is `providers` and `models`"), ("general_settings: {}", 1, 1, "moving.md"),
    ("providers: { openai: { api_base: x } }", 1, 24, "here it is `base_url`"),
    ("providers: { openai: { api_key: os.environ/OPENAI_API_KEY } }", 1, 33, '"${NAME}"'),
    ("providers: { openai: { api_key: env.OPENAI_API_KEY } }", 1, 33, '"${NAME}"'),
    ("providers: { openai: { api_keys: [$OPENAI_API_KEY, sk-x] } }", 1, 35, '"${NAME}"'),
    ("admin: { token: 'env:TOKEN' }", 1, 17, '"${NAME}"'),
    ("keys: [{ name: a, secret: 0123456789abcdef, max_budget: 5 }]", 1, 45, "budgets: [{ usd:"),
    ("providers: { openai: {} }\nmodels: { m: { targets: [openai/x], num_retries: 3 } }", 2, 37, "same_target"),
]


@pytest.mark.parametrize("text, line, column, says", HABITS)
def test_habits_of_others_are_answered(tmp_path, text, line, column, says):
    (tmp_path / "w.yaml").write_text(text)
    r = subprocess.run([BINARY, "check", "-c", "w.yaml"], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 2 and f"w.yaml:{line}:{column}: error: " in r.stderr and says in r.stderr, r.stderr


@pytest.mark.parametrize("secret", ["$ecret-0123456789", "env.lower", "${{0123456789", "os.environ/", "$"])
def test_a_secret_that_only_looks_a_little_like_it_is_one(tmp_path, secret):
    (tmp_path / "w.yaml").write_text(json.dumps({"providers": {"openai": {"api_key": secret.replace("${", "$${")}}}))
    assert subprocess.run([BINARY, "check", "-c", "w.yaml"], capture_output=True, cwd=tmp_path).returncode == 0

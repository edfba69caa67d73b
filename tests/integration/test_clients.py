"""Applications' own SDKs talk to a real engine through weir, and lose nothing when an engine dies."""
import concurrent.futures
import json
import pathlib
import subprocess

import openai
import pytest

from llama_engine import ROOT, Engine
from weir import free_port, until

pytestmark = pytest.mark.slow
CLIENTS = pathlib.Path(__file__).resolve().parents[1] / "clients"
NODE = ROOT / "build" / "venv" / "bin" / "node"
KEY = "sk-proj-an-applications-own-key"


@pytest.fixture(scope="module")
def engines():
    two = [Engine(free_port()), Engine(free_port())]
    yield two
    for e in two:
        e.kill()


def engine_config(engines, **more):
    names = ["near", "far"]
    return {"providers": {n: {"dialect": "openai", "base_url": e.url, "allow_private_address": True}
                          for n, e in zip(names, engines)},
            "models": {"small": {"targets": [f"{n}/tiny" for n in names]}}, **more}


@pytest.mark.parametrize("sdk", ["openai", "vercel", "langchain"])
def test_sdks_of_npm_chat_stream_and_list(gateway, engines, sdk):
    g = gateway(engine_config(engines))
    p = subprocess.run([NODE, CLIENTS / "clients.mjs", sdk, g.url, "small"], capture_output=True, text=True, timeout=120)
    assert p.returncode == 0, p.stderr
    r = json.loads(p.stdout.splitlines()[-1])
    assert r["plain"] and r["streamed"] and r["input"] > 4 and 0 < r["output"] <= 16 and 0 < r["streamOutput"] <= 16
    if sdk == "openai":
        assert r["models"] == ["small", "near/tiny", "far/tiny"] and r["one"] == "small"


def test_sdk_of_pypi_chats_streams_and_lists(gateway, engines):
    g = gateway(engine_config(engines))
    client = openai.OpenAI(base_url=g.url, api_key=KEY, max_retries=0)
    messages = [{"role": "user", "content": "Write one sentence about rivers."}]
    plain = client.chat.completions.create(model="small", messages=messages, max_tokens=16)
    assert plain.choices[0].message.content and plain.usage.completion_tokens <= 16
    usage, text = None, ""
    for part in client.chat.completions.create(model="small", messages=messages, max_tokens=16, stream=True,
                                               stream_options={"include_usage": True}):
        usage = part.usage or usage
        text += (part.choices[0].delta.content or "") if part.choices else ""
    assert text and 0 < usage.completion_tokens <= 16
    assert [m.id for m in client.models.list()] == ["small", "near/tiny", "far/tiny"]
    assert client.models.retrieve("far/tiny").id == "far/tiny"
    with pytest.raises(openai.NotFoundError) as e:
        client.chat.completions.create(model="smal", messages=messages)
    assert e.value.code == "model_not_found" and e.value.request_id


def test_application_changes_nothing_but_its_base_url(gateway, provider, config, monkeypatch):
    """Its vendor key stays in place, and stays here."""
    p = provider()
    c = config(p)
    c["models"] = {"gpt-4o-mini": {"targets": ["first/mock"]}}
    g = gateway(c)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", g.url)
    r = openai.OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
    assert r.choices[0].message.content == "hello"
    assert KEY.encode() not in p.requests[0].head and KEY not in g.logs()


def stream_once(client):
    """(text so far, error, target)"""
    text, target = "", None
    try:
        with client.chat.completions.with_streaming_response.create(
                model="small", messages=[{"role": "user", "content": "Count: 1 2 3 4 5"}], max_tokens=24, stream=True) as r:
            target = r.headers.get("x-weir-target")
            for part in r.parse():
                text += (part.choices[0].delta.content or "") if part.choices else ""
        return text, None, target
    except openai.OpenAIError as e:
        return text, e, target


def test_engine_killed_under_load_fails_no_request_without_content(gateway, engines):
    near, _ = engines
    g = gateway(engine_config(engines, breaker={"failures": 2, "window": "30s", "open": "500ms"}))
    client = openai.OpenAI(base_url=g.url, api_key=KEY, max_retries=0, timeout=120)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        running = [pool.submit(stream_once, client) for _ in range(24)]
        concurrent.futures.wait(running[:4])
        near.kill()
        results = [f.result() for f in running]
    assert [r for r in results if r[1] and not r[0]] == []
    assert {r[2] for r in results} == {"near/tiny", "far/tiny"}
    near.start()
    until(lambda: stream_once(client)[2] == "near/tiny")      # the engine is back and gets traffic


def test_load_above_the_engines_places_spills_and_returns(gateway, provider, engines):
    """Two local engines of two places each, and a priced double behind them."""
    cloud = provider()
    c = engine_config(engines, prices={"cloud/mock": {"input": 1, "output": 4}})
    for name in ("near", "far"):
        c["providers"][name].update(local=True, free=True, max_concurrent=2)
    c["providers"]["cloud"] = {"dialect": "openai", "base_url": cloud.url, "allow_private_address": True}
    c["models"]["small"] = {"strategy": "least_busy", "targets": ["near/tiny", "far/tiny"], "fallbacks": ["cloud"], "max_cost_usd": 0.01}
    c["models"]["cloud"] = {"targets": ["cloud/mock"]}
    g = gateway(c)

    def ask(_):
        return g.chat(model="small", text="Tell a long story about rivers.", max_tokens=48)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(24)))
    assert all(r.status == 200 for r in answers)
    by = {t: [r for r in answers if r.headers["x-weir-target"] == t] for t in ("near/tiny", "far/tiny", "cloud/mock")}
    assert all(by.values())
    assert all(float(r.headers["x-weir-cost-usd"]) == 0 for r in by["near/tiny"] + by["far/tiny"])
    spent = sum(float(r.headers["x-weir-cost-usd"]) for r in by["cloud/mock"])
    assert spent == pytest.approx(len(cloud.requests) * (10e-6 + 3 * 4e-6)) and len(cloud.requests) == len(by["cloud/mock"])
    assert g.metric("weir_cost_usd_total", provider="cloud") == pytest.approx(spent)
    before = len(cloud.requests)
    assert all(ask(0).headers["x-weir-target"] in ("near/tiny", "far/tiny") for _ in range(4)) and len(cloud.requests) == before

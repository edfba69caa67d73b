"""Each caller's dialect over each provider's, feature by feature: tests/cases/matrix."""
import json

import pytest

from mock_provider import MockProvider, http
from weir import ROOT, Gateway

CASES = {f.stem: json.loads(f.read_text()) for f in sorted((ROOT / "tests/cases/matrix").glob("*.json"))}
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages", "gemini": "/v1beta/models/{}:generateContent"}
DIALECTS = {"chat": "openai", "messages": "anthropic", "gemini": "gemini", "bedrock": "bedrock"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    now = {}
    p = MockProvider(lambda r: [http(now["status"], now["answers"])])
    root = p.url.removesuffix("/v1")
    base = {"chat": p.url, "messages": p.url, "gemini": root + "/v1beta", "bedrock": root}
    g = Gateway(tmp_path_factory.mktemp("matrix"), {
        "providers": {n: {"dialect": d, "base_url": base[n], "api_key": "k", "allow_private_address": True, **({"responses": "translate"} if n == "chat" else {})} for n, d in DIALECTS.items()},
        "models": {n: {"targets": [n + "/gemini-2.5-real"], "on_unsupported": "drop"} for n in DIALECTS}, "breaker": "off", "retry": {"attempts": 1}})
    yield now, p, g
    g.stop(0)
    p.stop()


def differences(want, got, at=""):
    """Where `got` lacks what is wanted."""
    if at.endswith(".arguments") and isinstance(got, str):     # JSON, however it is spaced
        return differences(json.loads(want), json.loads(got), at + "()")
    if isinstance(want, dict) and isinstance(got, dict):
        return [d for k, v in want.items() for d in (differences(v, got[k], f"{at}.{k}") if k in got else [f"{at}.{k} is missing"])]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [d for i, (w, g) in enumerate(zip(want, got)) for d in differences(w, g, f"{at}[{i}]")]
    return [] if want == got else [f"{at}: {got!r} instead of {want!r}"]


@pytest.mark.parametrize("feature,caller,target", [(f, c, p) for f, case in CASES.items() for c in case["callers"] for p in case["providers"]])
def test_cell(running, feature, caller, target):
    now, p, g = running
    asked, answered = CASES[feature]["callers"][caller], CASES[feature]["providers"][target]
    now.update(status=CASES[feature]["status"], answers=answered["answers"])
    body = asked["asks"] if caller == "gemini" else {"model": target, **asked["asks"]}
    r = g.request("POST", PATHS[caller].format(target), body)
    assert r.status == CASES[feature]["status"], r.body
    assert differences(answered["sees"], p.requests[-1].json) == []
    assert differences(asked["gets"], r.json) == []

"""SDKs of npm, each over a vendor that it was not made for."""
import json
import subprocess

import pytest

from test_clients import CLIENTS, NODE
from test_matrix import CASES, STREAMS, running  # noqa: F401  (a fixture)

pytestmark = pytest.mark.slow
OVER = {"anthropic": "gemini", "anthropic-old": "chat", "google": "messages", "vercel-openai": "bedrock", "vercel-anthropic": "cohere", "vercel-google": "responses"}
STOP = {"anthropic": "end_turn", "google": "STOP", "vercel": "stop"}
CALLED = {"anthropic": "tool_use", "google": "STOP", "vercel": "tool-calls"}


def run(g, sdk, feature):
    p = subprocess.run([NODE, CLIENTS / "features.mjs", sdk, g.url.removesuffix("/v1"), OVER[sdk], feature], capture_output=True, text=True, timeout=120)
    assert p.returncode == 0, p.stderr
    return json.loads(p.stdout)


@pytest.mark.parametrize("sdk", OVER)
def test_an_sdk_over_another_vendor(running, sdk):  # noqa: F811
    now, p, g = running
    kind, target = sdk.split("-")[0], OVER[sdk]
    now.update(status=200, streams=None, answers=CASES["plain"]["providers"][target]["answers"])
    want = CASES["plain"]["callers"]["chat"]["gets"]["choices"][0]["message"]["content"]
    r = run(g, sdk, "plain")
    assert r.get("text") == want and r["finish"] == STOP[kind] and r["output"] > 0, r
    now.update(streams=STREAMS[target])
    r = run(g, sdk, "stream")
    assert r.get("text") == want and r["finish"] == STOP[kind] and r["output"] > 0, r
    now.update(streams=None, answers=CASES["tools"]["providers"][target]["answers"])
    r = run(g, sdk, "tools")
    assert r.get("calls") == [["weather", {"city": "Rome"}], ["weather", {"city": "Oslo"}]] and r["finish"] == CALLED[kind], r
    now.update(status=429, answers={"error": {"message": "slow down", "type": "rate_limit_error", "code": 429, "status": "RESOURCE_EXHAUSTED"}, "message": "slow down"})
    r = run(g, sdk, "error")
    assert r["status"] == 429 and "Error" in r["error"], r

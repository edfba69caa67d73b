"""Numbers of a hundred bits, lone surrogates and NUL in tool arguments cross every pair of dialects as they were spelled."""
import json

import pytest

from test_matrix import CASES, PATHS, STREAMS, running  # noqa: F401  (a fixture)

ODD = r'"\ud800 \u0000 \udc00\ud800","n":123456789012345678901234567890,"x":1.10e-400'
AS_TEXT = json.dumps(ODD)[1:-1]     # inside of a JSON string
PAIRS = [(c, p) for c in PATHS for p in STREAMS]


def odd(text):
    """With the odd values where Rome was, in JSON and in JSON inside of a string."""
    return text.replace('\\"Rome\\"', AS_TEXT).replace('"Rome"', ODD)


def ask(g, feature, caller, target, stream=False):
    body = CASES[feature]["callers"][caller]["asks"]
    body = body if caller == "gemini" else {"model": target, **({"stream": True} if stream else {}), **body}
    path = PATHS[caller].format(target)
    if stream:
        path = path.replace(":generateContent", ":streamGenerateContent?alt=sse")
    r = g.request("POST", path, odd(json.dumps(body)))
    assert r.status == 200, r.body
    return r.body.decode()


def assert_spelled(text, where):
    assert ODD in text or AS_TEXT in text, (where, text)


@pytest.mark.parametrize("caller, target", PAIRS)
def test_in_answers(running, caller, target):  # noqa: F811
    now, p, g = running
    now.update(streams=None, status=200, answers=odd(json.dumps(CASES["tools"]["providers"][target]["answers"])))
    assert_spelled(ask(g, "tools", caller, target), "answer")


@pytest.mark.parametrize("caller, target", [(c, p) for c, p in PAIRS if p != "bedrock"])     # whose frames carry checksums
def test_in_streams(running, caller, target):  # noqa: F811
    now, p, g = running
    steps = [s.decode() if isinstance(s, bytes) else s for s in STREAMS[target](CASES["tools"]["providers"][target]["answers"])]
    now.update(status=200, answers=None, streams=lambda _: [resized(odd(s)) if '"Rome' in s or 'Rome\\"' in s else s.encode() for s in steps])
    assert_spelled(ask(g, "tools", caller, target, stream=True).replace("\n", ""), "stream")


def resized(step):
    """A chunk whose data has changed."""
    data = step.split("\r\n", 1)[1].removesuffix("\r\n").encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.mark.parametrize("caller, target", PAIRS)
def test_in_requests(running, caller, target):  # noqa: F811
    now, p, g = running
    now.update(streams=None, status=200, answers=CASES["results"]["providers"][target]["answers"])
    ask(g, "results", caller, target)
    assert_spelled(p.requests[-1].body.decode(), "request")

"""Real traffic of every compatible vendor through the relay: bytes in, bytes out, and the usage that was in it."""
import base64
import gzip
import json
import random
import re

import pytest

from mock_provider import LAST_CHUNK, chunk
from weir import ROOT, until

CASES = ROOT / "tests/cases/recordings"
PATHS = {"chat": "/v1/chat/completions", "completions": "/v1/completions", "embeddings": "/v1/embeddings", "responses": "/v1/responses"}
ASKED = '"stream_options":{"include_usage":true},'
# A status that is the provider's or our own trouble becomes weir's own error (the table of core/error.c).
OURS = {401: {502}, 402: {502}, 403: {502}, 404: {404, 502}, 408: {504}, 410: {502}, 429: {429, 502, 400}}


def exchanges(vendor):
    with gzip.open(CASES / f"{vendor}.jsonl.gz", "rt", encoding="utf-8", newline="\n") as f:
        return [json.loads(line) for line in f]


def pieces(body, rng):
    """Short answers a byte at a time, long ones cut at random places."""
    if len(body) < 1500:
        return [body[i:i + 1] for i in range(len(body))]
    cuts = sorted(rng.sample(range(1, len(body)), 40))
    return [body[a:b] for a, b in zip([0] + cuts, cuts + [len(body)])]


def answer_steps(x, cut):
    body = x["answer"].encode()
    type = x["headers"].get("content-type", "application/json")
    head = f"HTTP/1.1 {x['status']} X\r\ncontent-type: {type}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    parts = pieces(body, random.Random(1)) if cut else [body]
    return [head + b"".join(chunk(p) for p in parts[:1] if p)] + [b"".join(chunk(p) for p in parts[1:] if p)] + [LAST_CHUNK]


def last_usage(x):
    """The last usage object of the answer, as the vendors' rules say: never added up."""
    found = None
    texts = [x["answer"]] if not is_stream(x) else re.findall(r"^data: ?(\{.*)$", x["answer"].replace("\r", ""), re.M)
    for t in texts:
        try:
            d = json.loads(t)
        except ValueError:
            continue
        u = d.get("usage") or (d.get("response") or {}).get("usage") or (d.get("x_groq") or {}).get("usage")
        found = u or found
    return found


def is_stream(x):
    return "event-stream" in x["headers"].get("content-type", "")


def without_usage_chunk(text):
    """What a caller who did not ask for usage gets: the chunk that says nothing else is withheld."""
    events = re.split(r"(?<=\n\n)|(?<=\r\n\r\n)", text)

    def only_usage(e):
        m = re.match(r"data: ?(\{.*\})\s*$", e, re.S)
        try:
            d = json.loads(m.group(1)) if m else {}
        except ValueError:
            return False
        return d.get("choices") == [] and isinstance(d.get("usage"), dict)
    return "".join(e for e in events if not only_usage(e))


def check_request(x, got):
    sent, got = x["request"], got.decode()
    if got == sent:
        return
    options = json.loads(got).get("stream_options")
    assert options and options["include_usage"] is True
    if '"stream_options"' not in sent:
        assert got.replace(ASKED, "", 1) == sent


def breaks_inside(x):
    """A vendor's error in the middle of a stream, of which weir makes its own error event."""
    for t in re.findall(r"^data: ?(\{.*)$", x["answer"].replace("\r", ""), re.M) if is_stream(x) else []:
        try:
            if json.loads(t).get("error"):
                return True
        except ValueError:
            pass
    return False


def check_answer(x, r, added):
    recorded = x["answer"]
    if breaks_inside(x):
        assert '"error"' in r.body.decode() and "[DONE]" not in r.body.decode()
        return
    if x["status"] >= 500 or (x["status"] in OURS and r.status != x["status"]):
        assert r.status in (OURS.get(x["status"]) or {502, 503, 504}), r.status
        assert r.error["message"]
    elif x["status"] >= 400:
        # 400s about a model that is gone or a key that is wrong are our trouble, too.
        assert r.status in (x["status"], 502), r.status
        if r.status == x["status"] and r.body.decode() != recorded:
            assert r.error["message"] and r.error["type"]
    elif is_stream(x):
        expected = without_usage_chunk(recorded) if added else recorded
        got = r.body.decode()
        # Cassettes lose the end of a body; weir ends a stream as its dialect says.
        assert got.rstrip().startswith(expected.rstrip()) and got[len(expected.rstrip()):].strip() in ("", "data: [DONE]"), got[-300:]
    else:
        assert r.body.decode() == recorded


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize("vendor", sorted(p.name.split(".")[0] for p in CASES.glob("*.gz")))
def test_recordings_of(gateway, provider, vendor, cut):
    """Users' demand 32: events split across chunks lose no tokens."""
    current = {}
    p = provider(lambda r: answer_steps(current["x"], cut))
    g = gateway({"providers": {"v": {"dialect": "openai", "base_url": p.url, "api_key": "sk-x", "allow_private_address": True}},
                 "models": {"*": {"targets": ["v/*"]}}, "breaker": "off", "workers": 1})
    usages = []
    for x in exchanges(vendor):
        current["x"] = x
        r = g.request("POST", PATHS[x["endpoint"]], x["request"].encode())
        try:
            assert p.requests, r.body
            got = p.requests.pop()
            p.requests.clear()
            check_request(x, got.body)
            check_answer(x, r, got.body.decode() != x["request"])
        except AssertionError as e:
            raise AssertionError(f"{x['name']}: {e}") from e
        if r.status == 200 and not breaks_inside(x):
            usages.append((x, r.headers["x-request-id"]))
    records = {}
    until(lambda: records.update({a["id"]: a for a in g.access()}) or all(i in records for _, i in usages))
    for x, id in usages:
        u, tokens = last_usage(x), records[id].get("tokens")
        prompt = (u or {}).get("prompt_tokens") or (u or {}).get("input_tokens")
        if not u or not prompt:
            continue
        assert tokens and tokens["input"] == prompt, (x["name"], u, tokens)
        output = u.get("completion_tokens") or u.get("output_tokens") or 0
        details = u.get("completion_tokens_details") or u.get("output_tokens_details") or {}
        reasoning = details.get("reasoning_tokens") or 0
        assert tokens["output"] in (output, output + reasoning), (x["name"], u, tokens)


CLOUD = "/v1beta1/projects/PROJECT_ID/locations/global/publishers/google"


def others():
    """Exchanges beside chat whose request is known, with the dialect and the path that a caller uses for them."""
    for path in sorted((CASES / "more").glob("*.gz")):
        for x in exchanges(f"more/{path.name.split('.')[0]}"):
            found = re.search(r"/(images/\w+|moderations|rerank|audio/\w+|chat/completions)$", "/" + x.get("url", ""))
            google = re.search(r"/models/[^/]+:(countTokens|batchEmbedContents|embedContent)$", "/" + x.get("url", ""))
            cloud = re.search(r"(/v1beta1/projects/.*)(/models/.*)", "/" + x.get("url", "")) if google else None
            x["bytes"] = x["request"].encode() if "request" in x else base64.b64decode(x.get("request_base64", ""))
            if x["bytes"] and x["status"] == 200 and x["endpoint"] != "bcount":
                if found and not (path.name.startswith("cohere") and x["endpoint"] != "rerank"):
                    yield "openai", "/v1/" + found[1], x
                elif cloud:
                    yield "vertex", cloud[0], x
                elif google:
                    yield "gemini", "/v1beta" + google[0], x


def test_what_is_no_chat_passes_as_bytes(gateway, provider):
    current = {}

    def script(r):
        body = base64.b64decode(current["x"]["answer_base64"]) if "answer_base64" in current["x"] else current["x"]["answer"].encode()
        type = current["x"]["headers"].get("content-type", "application/json")
        return [f"HTTP/1.1 200 X\r\ncontent-type: {type}\r\ncontent-length: {len(body)}\r\n\r\n".encode(), body]

    p = provider(script)
    here = {"base_url": p.url, "api_key": "sk-x", "allow_private_address": True}
    g = gateway({"providers": {"v": {"dialect": "openai", **here}, "g": {"dialect": "gemini", **here, "base_url": p.url.removesuffix("/v1") + "/v1beta"},
                               "c": {"dialect": "gemini", **here, "base_url": p.url.removesuffix("/v1") + CLOUD}},
                 "models": {"gemini*": {"targets": ["g/*"]}, "*": {"targets": ["v/*"]}}, "breaker": "off", "workers": 1})
    kinds = set()
    for dialect, path, x in others():
        current["x"] = x
        type = x.get("request_type") or "application/json"
        if x["endpoint"] == "chat":
            continue    # Google's OpenAI face; the models' names lead to its own here
        asked = path.replace("/models/", "/models/c/") if dialect == "vertex" else path
        r = g.request("POST", asked, x["bytes"], {"content-type": type})
        assert p.requests, (x["name"], r.status, r.body[:300])
        got = p.requests.pop()
        assert got.body == x["bytes"] and got.path.endswith(re.sub("^/v1(beta1?)?", "", path)), x["name"]
        assert r.status == 200 and (r.body.decode(errors="replace") == x.get("answer") or "answer_base64" in x), (x["name"], r.body[:200])
        kinds.add(path.split("/")[2] if dialect == "openai" else (dialect, path.rsplit(":")[-1]))
    assert kinds >= {"images", "moderations", "rerank", "audio", ("gemini", "countTokens"), ("gemini", "batchEmbedContents"),
                     ("vertex", "countTokens"), ("vertex", "embedContent")}, kinds

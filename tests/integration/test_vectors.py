"""Embeddings and rerankings over vendors that speak them in other words."""
import base64
import struct

import openai
import pytest
from google import genai
from google.genai import types

from mock_provider import http

VECTORS = [[0.5, -0.25, 1.0], [0.125, 2.0, -3.5]]
TEXTS = ["a river", "a \"weir\" \U0001f600"]


def gemini(r):
    if r.path.endswith(":predict"):
        n = len(r.json["instances"])
        return [http(200, {"predictions": [{"embeddings": {"values": v, "statistics": {"token_count": 3, "truncated": False}}} for v in VECTORS[:n]]})]
    if r.path.endswith(":embedContent"):
        return [http(200, {"embedding": {"values": VECTORS[0]}, "usageMetadata": {"promptTokenCount": 3}})]
    n = len(r.json["requests"])
    return [http(200, {"embeddings": [{"values": v} for v in VECTORS[:n]], "usageMetadata": {"promptTokenCount": 3 * n}})]


def titan(r):
    return [http(200, {"embedding": VECTORS[0], "inputTextTokenCount": 3})]


def cohere(r):
    n = len(r.json["texts"])
    return [http(200, {"id": "e1", "embeddings": {"float": VECTORS[:n]}, "texts": r.json["texts"], "response_type": "embeddings_by_type",
                       "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 3 * n}}})]


def openai_like(r):
    n = len(r.json["input"])
    return [http(200, {"object": "list", "model": "emb", "data": [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(VECTORS[:n])],
                       "usage": {"prompt_tokens": 3 * n, "total_tokens": 3 * n}})]


# name: dialect, base path, model, script
VENDORS = {
    "gemini": ("gemini", "/v1beta", "gemini-embedding-001", gemini),
    "vertex": ("gemini", "/v1/projects/p/locations/l/publishers/google", "text-embedding-005", gemini),
    "vertex-2": ("gemini", "/v1/projects/p/locations/l/publishers/google", "gemini-embedding-2", gemini),
    "bedrock": ("bedrock", "", "cohere.embed-v4:0", cohere),
    "titan": ("bedrock", "", "amazon.titan-embed-text-v2:0", titan),
    "cohere": ("cohere", "/v2", "embed-v4.0", cohere),
    "openai": ("openai", "/v1", "emb", openai_like),
}


@pytest.fixture
def over(gateway, provider):
    def start(vendor, script=None, **model):
        dialect, base, name, usual = VENDORS[vendor]
        p = provider(script or usual)
        more = {"region": "us-east-1", "access_key_id": "a", "secret_access_key": "s"} if dialect == "bedrock" else {"api_key": "k"}
        g = gateway({"providers": {"p": {"dialect": dialect, "base_url": p.url.removesuffix("/v1") + base, "allow_private_address": True, **more}},
                     "models": {"m": {"targets": [f"p/{name}"], **model}}, "breaker": "off", "prices": {f"p/{name}": {"input": 1}}})
        return p, g
    return start


ASKED = {
    "gemini": lambda b: [r["content"]["parts"][0]["text"] for r in b["requests"]],
    "vertex": lambda b: [i["content"] for i in b["instances"]],
    "vertex-2": lambda b: [b["content"]["parts"][0]["text"]],
    "bedrock": lambda b: b["texts"], "cohere": lambda b: b["texts"], "titan": lambda b: [b["inputText"]], "openai": lambda b: b["input"],
}
PATHS = {"gemini": "/v1beta/models/gemini-embedding-001:batchEmbedContents",
         "vertex": "/v1/projects/p/locations/l/publishers/google/models/text-embedding-005:predict",
         "vertex-2": "/v1/projects/p/locations/l/publishers/google/models/gemini-embedding-2:embedContent",
         "bedrock": "/model/cohere.embed-v4%3A0/invoke", "titan": "/model/amazon.titan-embed-text-v2%3A0/invoke", "cohere": "/v2/embed",
         "openai": "/v1/embeddings"}


@pytest.mark.parametrize("vendor", ["gemini", "vertex", "vertex-2", "bedrock", "titan", "cohere"])
@pytest.mark.parametrize("encoding", ["base64", "float"])
def test_openai_callers(over, vendor, encoding):
    p, g = over(vendor)
    texts = TEXTS[:1] if vendor in ("titan", "vertex-2") else TEXTS
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": texts if len(texts) > 1 else texts[0], "encoding_format": encoding})
    assert r.status == 200, r.body
    got = [d["embedding"] for d in r.json["data"]]
    if encoding == "base64":
        got = [list(struct.unpack(f"<{len(base64.b64decode(v)) // 4}f", base64.b64decode(v))) for v in got]
    assert got == VECTORS[:len(texts)] and [d["index"] for d in r.json["data"]] == list(range(len(texts)))
    assert ASKED[vendor](p.requests[0].json) == texts and p.requests[0].path == PATHS[vendor]
    if vendor != "bedrock":     # Cohere's models on Bedrock count in a header
        assert r.json["usage"] == {"prompt_tokens": 3 * len(texts), "total_tokens": 3 * len(texts)}
        assert float(r.headers["x-weir-cost-usd"]) == pytest.approx(3e-6 * len(texts))
    sdk = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0).embeddings.create(model="m", input=texts)
    assert [d.embedding for d in sdk.data] == VECTORS[:len(texts)]


def test_settings_cross(over):
    p, g = over("gemini")
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": "x", "dimensions": 256, "input_type": "query", "user": "u"})
    assert r.status == 200 and r.headers["x-weir-dropped"] == "user"
    assert p.requests[0].json["requests"] == [{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "x"}]},
                                               "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 256}]
    p, g = over("vertex")
    g.request("POST", "/v1/embeddings", {"model": "m", "input": "x", "dimensions": 256, "input_type": "search_document"})
    assert p.requests[0].json == {"instances": [{"content": "x", "task_type": "RETRIEVAL_DOCUMENT"}], "parameters": {"outputDimensionality": 256}}
    p, g = over("cohere")
    g.request("POST", "/v1/embeddings", {"model": "m", "input": "x", "dimensions": 256, "input_type": "classification"})
    assert p.requests[0].json == {"model": "embed-v4.0", "input_type": "classification", "texts": ["x"], "embedding_types": ["float"], "output_dimension": 256}
    p, g = over("titan")
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": "x", "dimensions": 256, "input_type": "query"})
    assert p.requests[0].json == {"inputText": "x", "dimensions": 256} and r.headers["x-weir-dropped"] == "input_type"


@pytest.mark.parametrize("vendor", ["openai", "cohere", "titan"])
def test_googles_callers(over, vendor):
    p, g = over(vendor)
    c = genai.Client(api_key="sk-app", http_options={"base_url": g.url.removesuffix("/v1")})
    r = c.models.embed_content(model="m", contents="a river", config=types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=3))
    assert [e.values for e in r.embeddings] == VECTORS[:1]
    r = g.request("POST", "/v1beta/models/m:embedContent", {"content": {"parts": [{"text": "a river"}]}})
    assert r.json["embedding"]["values"] == VECTORS[0] and ASKED[vendor](p.requests[-1].json) == ["a river"]
    if vendor != "titan":
        r = c.models.embed_content(model="m", contents=TEXTS)
        assert [e.values for e in r.embeddings] == VECTORS and ASKED[vendor](p.requests[-1].json) == TEXTS


@pytest.mark.parametrize("vendor, body, field", [
    ("gemini", {"input": [1, 2, 3]}, "input"), ("cohere", {"input": [[1], [2]]}, "input"), ("titan", {"input": ["a", "b"]}, "input"), ("vertex-2", {"input": ["a", "b"]}, "input"),
    ("gemini", {"input": []}, "input"), ("gemini", {"input": ["a", 1]}, "input"), ("gemini", {"input": {}}, "input"), ("gemini", {}, "input"),
    ("gemini", {"input": "a", "encoding_format": "hex"}, "encoding_format"), ("gemini", {"input": "a", "dimensions": "256"}, "dimensions"),
])
def test_what_cannot_be_carried_is_refused(over, vendor, body, field):
    p, g = over(vendor)
    r = g.request("POST", "/v1/embeddings", {"model": "m", **body})
    assert r.status == 400 and r.error["param"] == field and p.requests == []


@pytest.mark.parametrize("answer", [
    {}, {"embeddings": []}, {"embeddings": [{"values": [1]}, {"values": [1]}]}, {"embeddings": [{"values": []}]}, {"embeddings": [{"values": ["1"]}]},
    {"embeddings": {"values": [1]}}, {"predictions": [{"embeddings": {}}]},
])
def test_nonsense_is_no_vector(over, answer):
    p, g = over("gemini", lambda r: [http(200, answer)])
    assert g.request("POST", "/v1/embeddings", {"model": "m", "input": "a"}).status == 502


def test_numbers_stay_as_they_are_spelled_and_large_answers_pass(over):
    p, g = over("gemini", lambda r: [http(200, '{"embeddings":[{"values":[1e-3,0.10000000000000000001]}]}')])
    assert b"[1e-3,0.10000000000000000001]" in g.request("POST", "/v1/embeddings", {"model": "m", "input": "a"}).body
    big = [0.12345678901] * 3000
    p, g = over("gemini", lambda r: [http(200, {"embeddings": [{"values": big}] * len(r.json["requests"])})])
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": ["a"] * 100})
    assert len(r.body) > 3 << 20 and [d["embedding"] for d in r.json["data"]] == [big] * 100


# --- rerankings ---

QUERY = {"model": "m", "query": "ruby", "documents": ["Paris", {"text": "Ruby is \"a\" language"}, "Rails"]}
FOUND = [(1, 0.758099442), (2, 0.5)]


def ranks(r):
    n = r.json.get("top_n", 3)
    return [http(200, {"id": "r1", "results": [{"index": i, "relevance_score": s} for i, s in FOUND[:n]], "meta": {"billed_units": {"search_units": 1}}})]


RANKERS = {"cohere": "rerank-v3.5", "bedrock": "cohere.rerank-v3-5:0", "titan": "amazon.rerank-v1:0"}


@pytest.mark.parametrize("vendor", RANKERS)
def test_rerankings_in_coheres_and_jinas_words(over, vendor, monkeypatch):
    dialect, base, _, _ = VENDORS[vendor]
    monkeypatch.setitem(VENDORS, vendor, (dialect, base, RANKERS[vendor], ranks))
    p, g = over(vendor)
    r = g.request("POST", "/v1/rerank", {**QUERY, "top_n": 2, "return_documents": True, "max_tokens_per_doc": 99})
    assert r.status == 200, r.body
    assert r.json["id"] == "r1" and r.json["meta"]["billed_units"]["search_units"] == 1 and r.json["usage"]["total_tokens"] >= 0
    assert [(x["index"], x["relevance_score"]) for x in r.json["results"]] == FOUND
    assert [x["document"]["text"] for x in r.json["results"]] == ['Ruby is "a" language', "Rails"]
    sent = p.requests[0].json
    assert sent["documents"] == ["Paris", 'Ruby is "a" language', "Rails"] and sent["top_n"] == 2 and sent["query"] == "ruby"
    assert sent.get("max_tokens_per_doc") == (None if vendor == "titan" else 99)
    assert r.headers.get("x-weir-dropped") == ("max_tokens_per_doc" if vendor == "titan" else None)
    assert p.requests[0].path == ("/v2/rerank" if vendor == "cohere" else f"/model/{RANKERS[vendor].replace(':', '%3A')}/invoke")
    voyage = g.request("POST", "/v1/rerank", {**QUERY, "top_k": 1, "return_documents": True})
    assert voyage.json["object"] == "list" and [(x["index"], x["document"]) for x in voyage.json["data"]] == [(1, 'Ruby is "a" language')]


@pytest.mark.parametrize("body, field", [
    ({"query": 1}, "query"), ({"documents": []}, "documents"), ({"documents": ["a", {"title": "b"}]}, "documents[1]"), ({"top_n": 0}, "top_n"), ({"documents": "a"}, "documents"),
])
def test_wrong_rerankings_are_refused(over, body, field):
    p, g = over("cohere", ranks)
    r = g.request("POST", "/v1/rerank", {**QUERY, **body})
    assert r.status == 400 and r.error["param"] == field and p.requests == []


@pytest.mark.parametrize("results", [None, [{"index": 3, "relevance_score": 1}], [{"index": 0, "relevance_score": "1"}], [{"index": -1, "relevance_score": 1}],
                                     [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]])
def test_a_ranking_that_makes_no_sense_is_none(over, results):
    p, g = over("cohere", lambda r: [http(200, {"id": "r", "results": results})])
    assert g.request("POST", "/v1/rerank", QUERY).status == 502

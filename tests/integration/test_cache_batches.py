"""Embeddings are kept item by item: a batch of which nine inputs are known asks for one."""
import base64
import json
import random
import struct
import threading
import time

import openai
import pytest
from mock_provider import error, http
from test_cache import cached, settle, state
from test_limits import KEY, limited
from weir import until


def vector_of(item):
    """Of a text or of tokens; none is another's."""
    rng = random.Random(json.dumps(item))
    return [struct.unpack("<f", struct.pack("<f", rng.uniform(-1, 1)))[0] for _ in range(4)]


def packed(vector):
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def items_of(body):
    i = body["input"]
    return [i] if isinstance(i, str) or isinstance(i[0], int) else i


def answer(items, say=lambda v: v, **more):
    return {"object": "list", "model": "emb-1", "data": [{"object": "embedding", "index": i, "embedding": say(vector_of(x))} for i, x in enumerate(items)],
            "usage": {"prompt_tokens": 10 * len(items), "total_tokens": 10 * len(items)}, **more}


def vendor(r):
    return [http(200, answer(items_of(r.json), packed if r.json.get("encoding_format") == "base64" else list))]


def ask(g, items, headers=None, **more):
    r = g.request("POST", "/v1/embeddings", {"model": "m", "input": items, **more}, headers={"content-type": "application/json", **(headers or {})})
    settle(g)
    return r


def items(r):
    return r.headers.get("x-weir-cache-items")


def is_right(r, asked):
    """Each vector is that of its own item, at its own place, and the usage is of all of them."""
    assert r.status == 200, r.body
    assert [d["index"] for d in r.json["data"]] == list(range(len(asked))) and {d["object"] for d in r.json["data"]} == {"embedding"}
    assert [d["embedding"] for d in r.json["data"]] == [vector_of(x) for x in asked]
    assert r.json["usage"] == {"prompt_tokens": 10 * len(asked), "total_tokens": 10 * len(asked)} and r.json["model"] == "emb-1" and r.json["object"] == "list"
    return True


TEN = [f"text {n}" for n in range(10)]


def test_nine_known_inputs_ask_for_one(gateway, provider, config, store):
    p = provider(vendor)
    g = gateway(cached(config, p, store=store))
    first = ask(g, TEN[:4] + TEN[5:])
    assert (state(first), items(first)) == ("miss", "0/9") and is_right(first, TEN[:4] + TEN[5:])
    part = ask(g, TEN)
    assert (state(part), items(part)) == ("miss", "9/10") and is_right(part, TEN)
    assert p.requests[-1].json == {"model": "mock", "input": [TEN[4]]} and len(p.requests) == 2
    assert float(part.headers["x-weir-cost-usd"]) == pytest.approx(10e-6)      # what was bought
    whole = ask(g, TEN[::-1])
    assert (state(whole), items(whole)) == ("hit", "10/10") and is_right(whole, TEN[::-1]) and len(p.requests) == 2
    assert float(whole.headers["x-weir-cost-usd"]) == 0 and "x-weir-target" not in whole.headers
    assert g.metric("weir_cache_items_total", model="m", result="hit") == 19 and g.metric("weir_cache_items_total", model="m", result="miss") == 10
    assert g.metric("weir_cache_requests_total", model="m", result="hit") == 1 and g.metric("weir_cache_requests_total", model="m", result="miss") == 2
    assert g.metric("weir_cache_saved_usd_total", model="m") == pytest.approx(190e-6)
    assert g.metric("weir_tokens_total", type="input") == 100


def test_an_item_alone_and_in_a_batch_are_one_question(gateway, provider, config, store):
    p = provider(vendor)
    g = gateway(cached(config, p, store=store))
    ask(g, "text 1")
    assert state(ask(g, ["text 1"])) == "hit" and is_right(ask(g, "text 1"), ["text 1"])
    assert items(ask(g, ["text 1", "text 2"])) == "1/2" and p.requests[-1].json["input"] == ["text 2"]
    r = ask(g, "text 2")
    assert state(r) == "hit" and items(r) is None
    assert r.json["data"] == [{"object": "embedding", "index": 0, "embedding": vector_of("text 2")}] and r.json["usage"]["prompt_tokens"] == 10
    # tokens: a list of numbers is one item
    tokens = [[1, 2, 3], [4, 5]]
    ask(g, [1, 2, 3])
    r = ask(g, tokens)
    assert items(r) == "1/2" and is_right(r, tokens) and p.requests[-1].json["input"] == [[4, 5]]
    assert state(ask(g, [[4, 5]])) == "hit" and state(ask(g, [4, 5])) == "hit"
    assert items(ask(g, ["1", "[4,5]"])) == "0/2"


def test_the_same_item_twice_is_asked_once(gateway, provider, config):
    p = provider(vendor)
    g = gateway(cached(config, p))
    r = ask(g, ["a", "b", "a", "a"])
    assert items(r) == "0/4" and is_right(r, ["a", "b", "a", "a"])
    assert p.requests[-1].json["input"] == ["a", "b"] and float(r.headers["x-weir-cost-usd"]) == pytest.approx(20e-6)
    assert is_right(ask(g, ["b", "a", "b"]), ["b", "a", "b"]) and len(p.requests) == 1


@pytest.mark.parametrize("change", [{"encoding_format": "base64"}, {"dimensions": 3}, {"user": "u"}, {"input_type": "query"}], ids=lambda c: next(iter(c)))
def test_other_fields_make_other_items(gateway, provider, config, change):
    g = gateway(cached(config, provider(vendor)))
    ask(g, ["a", "b"])
    assert items(ask(g, ["a", "b"], **change)) == "0/2" and items(ask(g, ["b", "c"], **change)) == "1/2"


def test_numbers_stay_as_they_are_spelled(gateway, provider, config, store):
    say = lambda n: '{"index":%d,"embedding":[1e-3, 0.10000000000000000001],"object":"embedding","more":{"index":7}}' % n
    p = provider(lambda r: [http(200, '{"usage":{"prompt_tokens":4,"total_tokens":4},"x":1,"data":[%s]}' % ",".join(map(say, range(len(items_of(r.json))))))])
    g = gateway(cached(config, p, store=store))
    ask(g, "a")
    r = ask(g, ["b", "a", "c"])
    assert items(r) == "1/3" and r.body == ('{"usage":{"prompt_tokens":8,"total_tokens":8},"x":1,"data":[%s]}' % ",".join(map(say, range(3)))).encode()
    assert ask(g, ["b", "a", "c"]).body == r.body and len(p.requests) == 2


@pytest.mark.parametrize("form", ["float", "base64"])
def test_the_sdk_gets_the_same(gateway, provider, config, form):
    """The real SDK asks for base64 unless it is told otherwise, and makes floats of it."""
    p = provider(vendor)
    g = gateway(cached(config, p))
    client = openai.OpenAI(base_url=g.url, api_key="k", max_retries=0)
    more = {"encoding_format": "float"} if form == "float" else {}
    for asked, calls in ((TEN[:3], 1), (TEN[:6], 2), (TEN[:6], 2), (TEN[4:9], 3), (TEN[2], 3)):
        r = client.embeddings.create(model="m", input=asked, **more)
        settle(g)
        asked = [asked] if isinstance(asked, str) else asked
        assert [d.embedding for d in r.data] == [vector_of(x) for x in asked] and [d.index for d in r.data] == list(range(len(asked)))
        assert r.usage.prompt_tokens == 10 * len(asked) and r.model == "emb-1" and len(p.requests) == calls


def test_tokens_and_money_come_to_what_they_were(gateway, provider, config, tmp_path):
    """What a batch cost is shared out by length, and nothing of it is lost."""
    p = provider(lambda r: [http(200, {**answer(r.json["input"]), "usage": {"prompt_tokens": 101, "total_tokens": 101}})])
    g = gateway(cached(config, p))
    texts = ["a" * n for n in (1, 50, 7, 300)]
    assert ask(g, texts).json["usage"]["prompt_tokens"] == 101
    each = [ask(g, t) for t in texts]
    assert all(state(r) == "hit" for r in each)
    tokens = [r.json["usage"]["prompt_tokens"] for r in each]
    assert sum(tokens) == 101 and sorted(tokens) == [tokens[0], tokens[2], tokens[1], tokens[3]] and tokens[3] > 80
    assert ask(g, texts[::-1]).json["usage"]["prompt_tokens"] == 101
    assert g.metric("weir_cache_saved_usd_total", model="m") == pytest.approx(2 * 101e-6)


BROKEN = {
    "too few": lambda a: a["data"].pop(), "too many": lambda a: a["data"].append({**a["data"][0], "index": len(a["data"])}),
    "a place twice": lambda a: a["data"][1].update(index=0), "no place": lambda a: a["data"][0].pop("index"),
    "a place beyond": lambda a: a["data"][0].update(index=9), "no vector": lambda a: a["data"][0].pop("embedding"),
    "an empty vector": lambda a: a["data"][0].update(embedding=[]), "an empty text": lambda a: a["data"][0].update(embedding=""),
    "vectors of vectors": lambda a: [d.update(embedding=[[1], [2]]) for d in a["data"]], "another length": lambda a: a["data"][0].update(embedding=[1]),
    "no list": lambda a: a.update(data={"a": 1}), "an error": lambda a: a.update(error={"message": "no"}),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_answer_that_is_not_what_was_asked_for(gateway, provider, config, how):
    """As it is to who knew nothing; an error to who would get a batch with holes. It is never kept."""
    def broken(r):
        a = answer(items_of(r.json))
        BROKEN[how](a)
        return [http(200, a)]
    p = provider(vendor)
    g = gateway(cached(config, p, breaker="off"))
    ask(g, "a")
    p.script = broken
    asked = ["b", "c"]
    expected = answer(asked)
    BROKEN[how](expected)
    for _ in range(2):
        r = ask(g, asked)
        assert (r.status, items(r)) == (200, "0/2") and r.json == expected
    r = ask(g, ["a", "b", "c"])
    assert (r.status, items(r)) == (502, "1/3") and r.error["message"] and "data" not in r.json
    p.script = vendor
    r = ask(g, ["a", "b", "c"])
    assert items(r) == "1/3" and is_right(r, ["a", "b", "c"])


@pytest.mark.parametrize("script", [
    lambda r: error(400, "bad input", type="invalid_request_error"), lambda r: error(500), lambda r: [("reset",)],
    lambda r: [http(200, "nonsense")], lambda r: [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"data\":[", ("reset",)],
], ids=["refused", "failed", "gone", "no JSON", "cut"])
def test_a_provider_that_fails_for_the_rest(gateway, provider, config, script):
    p = provider(vendor)
    g = gateway(cached(config, p, breaker="off"))
    ask(g, ["a", "b"])
    p.script = script
    r = ask(g, ["a", "b", "c"])
    assert r.status >= 400 and items(r) == "2/3" and r.error["message"]
    assert is_right(ask(g, ["b", "a"]), ["b", "a"])
    p.script = vendor
    assert items(ask(g, ["a", "c"])) == "1/2"


def test_large_batches(gateway, provider, config, store):
    """Beyond what is held whole, and beyond what is taken apart."""
    big = lambda r: [http(200, answer(items_of(r.json), lambda v: v * 1500))]
    p = provider(big)
    g = gateway(cached(config, p, store=store))
    texts = [f"t{n}" for n in range(100)]
    assert items(ask(g, texts[::2])) == "0/50"
    r = ask(g, texts)
    assert items(r) == "50/100" and [d["embedding"] for d in r.json["data"]] == [vector_of(t) * 1500 for t in texts] and len(r.body) > 9 << 20
    assert p.requests[-1].json["input"] == texts[1::2]
    r = ask(g, texts)
    assert items(r) == "100/100" and [d["embedding"] for d in r.json["data"]] == [vector_of(t) * 1500 for t in texts] and len(p.requests) == 2
    p.script = vendor
    many = [f"m{n}" for n in range(257)]
    r = ask(g, many)
    assert state(r) == "miss" and items(r) is None and is_right(r, many)
    assert state(ask(g, many)) == "hit" and items(ask(g, many[:256])) == "0/256"


def test_vectors_of_another_length_are_not_mixed(gateway, provider, config):
    """The model behind the name has changed: an honest error once, then all are asked for anew."""
    p = provider(vendor)
    g = gateway(cached(config, p, breaker="off"))
    ask(g, ["a", "b"])
    p.script = lambda r: [http(200, answer(items_of(r.json), lambda v: v * 2))]
    r = ask(g, ["a", "b", "c"])
    assert r.status == 502 and "another length" in r.error["message"]
    r = ask(g, ["a", "b", "c"])
    assert items(r) == "1/3" and [len(d["embedding"]) for d in r.json["data"]] == [8, 8, 8] and p.requests[-1].json["input"] == ["a", "b"]


def test_items_that_may_read_each_other_stay_together(gateway, provider, config):
    """Jina's late_chunking reads all inputs as one text; and of a field nobody knows the same must be feared."""
    p = provider(vendor)
    g = gateway(cached(config, p))
    for more in ({"late_chunking": True}, {"unheard_of": 1}):
        ask(g, ["a", "b"], **more)
        r = ask(g, ["a", "c"], **more)
        assert state(r) == "miss" and items(r) is None and p.requests[-1].json["input"] == ["a", "c"]
        assert state(ask(g, ["a", "b"], **more)) == "hit" and state(ask(g, ["a"], **more)) == "miss"
    assert items(ask(g, ["a", "b"])) == "0/2"


def test_what_a_caller_wants_of_the_cache(gateway, provider, config):
    p = provider(vendor)
    g = gateway(cached(config, p))
    ask(g, ["a", "b"])
    r = ask(g, ["a", "b", "c"], headers={"x-weir-cache": "only"})
    assert r.status == 504 and len(p.requests) == 1
    assert state(ask(g, ["b", "a"], headers={"x-weir-cache": "only"})) == "hit"
    assert state(ask(g, ["a", "b"], headers={"x-weir-cache": "no-store"})) == "bypass"
    r = ask(g, ["a", "b", "a"], headers={"x-weir-cache": "no-cache"})
    assert items(r) == "0/3" and p.requests[-1].json["input"] == ["a", "b"]
    r = ask(g, ["a", "d"], cache={"no-store": True})
    assert items(r) == "1/2" and p.requests[-1].json == {"model": "mock", "input": ["d"]} and items(ask(g, ["a", "d"])) == "1/2"
    assert items(ask(g, ["a", "b"], headers={"x-weir-cache": "namespace=x"})) == "0/2"


def test_two_tenants(gateway, provider, config):
    keys = [{"name": n, "secret": f"sk-{n}-0123456789"} for n in "ab"]
    g = gateway(cached(config, provider(vendor), keys=keys))
    by = lambda k: {"authorization": f"Bearer sk-{k}-0123456789"}
    ask(g, ["a", "b"], headers=by("a"))
    assert items(ask(g, ["a", "b"], headers=by("b"))) == "0/2" and items(ask(g, ["a", "c"], headers=by("a"))) == "1/2"


def test_a_stale_batch(gateway, provider, config, store):
    """Where all are there, over their time or not; else the error is honest."""
    p = provider(vendor)
    g = gateway(cached(config, p, store=store, breaker="off", cache={"ttl": "1s"}))
    ask(g, ["a", "b"])
    time.sleep(1.2)
    ask(g, ["c"])
    p.script = lambda r: error(500)
    r = ask(g, ["a", "c", "b"])
    assert (state(r), items(r)) == ("stale", "3/3") and is_right(r, ["a", "c", "b"])
    r = ask(g, ["a", "b", "never"])
    assert r.status == 502 and items(r) == "0/3"


def test_items_are_let_go_of(gateway, provider, config, store):
    """A batch has no id of its own: an item's is that of its answer alone. A tag's and a model's items go, too."""
    g = gateway(cached(config, provider(vendor), store=store, admin={"token": "t" * 20}, workers=1))
    evict = lambda what: g.request("DELETE", f"/admin/cache{what}", headers={"authorization": "Bearer " + "t" * 20}, port=g.admin_port)
    first = ask(g, ["a", "b"], headers={"x-weir-tags": "x=y"})
    assert "x-weir-cache-id" not in first.headers
    assert evict("/" + ask(g, "a").headers["x-weir-cache-id"]).status == 200
    assert items(ask(g, ["a", "b"])) == "1/2"
    assert evict("?tag=x%3Dy").status == 200
    assert items(ask(g, ["a", "b"])) == "1/2"
    assert evict("?model=m").status == 200
    assert items(ask(g, ["a", "b"])) == "0/2"


def test_all_leave_in_one_write(gateway, provider, config, redis, relay):
    proxy = relay(redis.port)
    p = provider(vendor)
    g = gateway(limited(config, p, cache={"enabled": True}, limits={"requests_per_minute": 1000}, store=proxy.url, workers=1)).store_up()
    for _ in range(2):
        ask(g, TEN[:5], headers=KEY)
    before = len(proxy.of_requests())
    assert items(ask(g, TEN, headers=KEY)) == "5/10"
    writes = proxy.of_requests()[before:]
    asked = [w for w in writes if b"\r\nGET\r\n" in w]
    assert len(asked) == 1 and asked[0].count(b"\r\nGET\r\n") == 10 and b"EVALSHA" in asked[0]
    kept = [w for w in writes if b"\r\nSET\r\n" in w]
    assert len(kept) == 1 and kept[0].count(b"\r\nSET\r\n") == 5


def test_what_is_reserved_and_paid_is_for_the_rest(gateway, provider, config):
    """A budget that the whole batch would break is enough for what is missing."""
    p = provider(lambda r: [http(200, {**answer(items_of(r.json)), "usage": {"prompt_tokens": (n := 400 * len(items_of(r.json))), "total_tokens": n}})])
    long = ["word " * 400 + str(n) for n in range(8)]
    g = gateway(limited(config, p, cache={"enabled": True}, budgets=[{"usd": "0.0035", "per": "day"}]))
    for text in long[:7]:
        assert ask(g, text, headers=KEY).status == 200
    r = ask(g, long, headers=KEY)
    assert r.status == 200 and items(r) == "7/8" and float(r.headers["x-weir-cost-usd"]) == pytest.approx(400e-6)
    spent = {x["limit"]: x for x in g.get("/v1/key", headers=KEY).json["limits"]}["0.0035 usd per day"]["used"]
    assert spent == pytest.approx(3200e-6)
    assert ask(g, [t + "!" for t in long], headers=KEY).status == 429


def test_the_same_batch_at_once_is_one_call(gateway, provider, config, store):
    """Also when part of it is known: who asks what is being asked gets the answer that is put together."""
    p = provider(vendor)
    g = gateway(cached(config, p, store=store))
    ask(g, TEN[:3])
    p.script = lambda r: [("sleep", 0.5)] + vendor(r)
    got = []
    threads = [threading.Thread(target=lambda: got.append(g.request("POST", "/v1/embeddings", {"model": "m", "input": TEN}))) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(p.requests) == 2 and all(is_right(r, TEN) for r in got)
    assert sorted(state(r) for r in got).count("miss") == 1


def test_values_of_others_in_redis_are_a_miss(gateway, provider, config, redis):
    p = provider(vendor)
    g = gateway(cached(config, p, store=redis.url)).store_up()
    ask(g, ["a", "b", "c"])
    names = redis.call("KEYS", "weir:v:answer/*").split()
    assert len(names) == 3
    redis.call("SET", names[0], "nonsense")
    redis.call("LPUSH", "other", "x"), redis.call("RENAME", "other", names[1])
    r = ask(g, ["a", "b", "c"])
    assert items(r) == "1/3" and is_right(r, ["a", "b", "c"]) and is_right(ask(g, ["c", "b", "a"]), ["c", "b", "a"])
    redis.stop()
    until(lambda: is_right(ask(g, ["c", "b", "a"]), ["c", "b", "a"]))


def gemini(r):
    vectors = [{"values": vector_of(x["content"]["parts"][0]["text"])} for x in r.json["requests"]]
    return [http(200, {"embeddings": vectors, "usageMetadata": {"promptTokenCount": 10 * len(vectors)}})]


def titan(r):
    return [http(200, {"embedding": vector_of(r.json["inputText"]), "inputTextTokenCount": 10})]


def cohere(r):
    return [http(200, {"id": "e", "embeddings": {"float": [vector_of(t) for t in r.json["texts"]]}, "texts": r.json["texts"],
                       "meta": {"billed_units": {"input_tokens": 10 * len(r.json["texts"])}}})]


TRANSLATED = {
    "gemini": ("gemini", "/v1beta", "gemini-embedding-001", gemini, lambda b: [x["content"]["parts"][0]["text"] for x in b["requests"]]),
    "titan": ("bedrock", "", "amazon.titan-embed-text-v2:0", titan, lambda b: [b["inputText"]]),
    "cohere on bedrock": ("bedrock", "", "cohere.embed-v4:0", cohere, lambda b: b["texts"]),
    "cohere": ("cohere", "/v2", "embed-v4.0", cohere, lambda b: b["texts"]),
}


@pytest.mark.parametrize("form", ["float", "base64"])
@pytest.mark.parametrize("vendor", TRANSLATED)
def test_targets_of_other_dialects(gateway, provider, vendor, form):
    """What is kept is what the caller gets; of a model that embeds one text a call a batch of which one is missing can be had."""
    dialect, base, model, script, asked = TRANSLATED[vendor]
    p = provider(script)
    more = {"region": "us-east-1", "access_key_id": "a", "secret_access_key": "s"} if dialect == "bedrock" else {"api_key": "k"}
    g = gateway({"providers": {"p": {"dialect": dialect, "base_url": p.url.removesuffix("/v1") + base, "allow_private_address": True, **more}},
                 "models": {"m": {"targets": [f"p/{model}"]}}, "cache": {"enabled": True}})
    for text in ("a", "b"):
        assert state(ask(g, text, encoding_format=form)) == "miss"
    r = ask(g, ["b", "c", "a"], encoding_format=form)
    assert (r.status, items(r)) == (200, "2/3") and asked(p.requests[-1].json) == ["c"]
    say = packed if form == "base64" else list
    assert [d["embedding"] for d in r.json["data"]] == [say(vector_of(t)) for t in ("b", "c", "a")] and [d["index"] for d in r.json["data"]] == [0, 1, 2]
    if vendor != "cohere on bedrock":       # which counts in a header
        assert r.json["usage"] == {"prompt_tokens": 30, "total_tokens": 30}
    r = ask(g, ["c", "b"], encoding_format=form)
    assert (state(r), items(r)) == ("hit", "2/2") and len(p.requests) == 3

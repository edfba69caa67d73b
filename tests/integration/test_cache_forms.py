"""One kept answer in both forms, by the SDKs' eyes; namespaces, LiteLLM's object, eviction of many, pacing."""
import json
import subprocess
import time

import anthropic
import openai
import pytest
from google import genai
from mock_provider import LAST_CHUNK, chunk, completion, good_stream, http, stream_head
from test_cache import KEYS, TOKEN, cached, counting, settle, state
from test_clients import CLIENTS, NODE
from weir import until


def named(name, text):
    return f"event: {name}\ndata: {json.dumps({'type': name, **text})}\n\n"


CLAUDE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "mock", "content": [{"type": "text", "text": "hello world"}],
          "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 3}}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "mock", "error": None, "incomplete_details": None,
            "instructions": None, "parallel_tool_calls": True, "temperature": 1, "tool_choice": "auto", "tools": [], "top_p": 1, "metadata": {},
            "output": [{"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
                        "content": [{"type": "output_text", "text": "hello world", "annotations": []}]}],
            "usage": {"input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 3,
                      "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 13}}
GOOGLE = {"candidates": [{"content": {"role": "model", "parts": [{"text": "hello world"}]}, "finishReason": "STOP", "index": 0}],
          "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 3, "totalTokenCount": 13}, "modelVersion": "mock", "responseId": "r1"}


def claude_stream():
    head = {**CLAUDE, "content": [], "stop_reason": None, "usage": {"input_tokens": 10, "output_tokens": 1}}
    return "".join([named("message_start", {"message": head}), named("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
                    *(named("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": t}}) for t in ("hello", " world")),
                    named("content_block_stop", {"index": 0}),
                    named("message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 3}}), named("message_stop", {})])


def response_stream():
    part = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    empty = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    text = {"type": "output_text", "text": "hello world", "annotations": []}
    events = [("response.created", {"response": empty}), ("response.output_item.added", {"output_index": 0, "item": {**RESPONSE["output"][0], "content": [], "status": "in_progress"}}),
              ("response.content_part.added", {**part, "part": {**text, "text": ""}}),
              *(("response.output_text.delta", {**part, "delta": t, "logprobs": []}) for t in ("hello", " world")),
              ("response.output_text.done", {**part, "text": "hello world", "logprobs": []}), ("response.content_part.done", {**part, "part": text}),
              ("response.output_item.done", {"output_index": 0, "item": RESPONSE["output"][0]}), ("response.completed", {"response": RESPONSE})]
    return "".join(named(n, {**e, "sequence_number": i}) for i, (n, e) in enumerate(events))


def google_stream():
    pieces = [json.loads(json.dumps(GOOGLE)) for _ in range(2)]
    for p, t in zip(pieces, ("hello", " world")):
        p["candidates"][0]["content"]["parts"][0]["text"] = t
    del pieces[0]["candidates"][0]["finishReason"]
    return "".join(f"data: {json.dumps(p)}\r\n\r\n" for p in pieces)


TEXT = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "mock", "system_fingerprint": None,
        "choices": [{"index": i, "text": t, "logprobs": None, "finish_reason": e} for i, (t, e) in enumerate((("hello world", "stop"), ("bye", "length")))],
        "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}}


def text_stream(usage):
    one = lambda i, text, end: {**{k: v for k, v in TEXT.items() if k != "usage"}, "choices": [{"index": i, "text": text, "logprobs": None, "finish_reason": end}]}
    events = [one(0, "hello", None), one(1, "bye", None), one(0, " world", "stop"), one(1, "", "length")] + ([{**TEXT, "choices": []}] if usage else [])
    return "".join(f"data: {json.dumps(e)}\n\n" for e in events) + "data: [DONE]\n\n"


def answer(r):
    """What a vendor says, in each dialect and both forms."""
    if r.path.endswith("/v1/completions"):
        told = (r.json.get("stream_options") or {}).get("include_usage")
        return [stream_head(), chunk(text_stream(told)), LAST_CHUNK] if r.stream else [http(200, TEXT)]
    if "generateContent" in r.path or "streamGenerate" in r.path:
        return [stream_head(), chunk(google_stream()), LAST_CHUNK] if "streamGenerate" in r.path else [http(200, GOOGLE)]
    if r.path.endswith("/messages"):
        return [stream_head(), chunk(claude_stream()), LAST_CHUNK] if r.stream else [http(200, CLAUDE)]
    if r.path.endswith("/responses"):
        return [stream_head(), chunk(response_stream()), LAST_CHUNK] if r.stream else [http(200, RESPONSE)]
    if r.stream:
        return good_stream(words=["hello", " world"], usage=bool((r.json.get("stream_options") or {}).get("include_usage")))
    return [http(200, completion("hello world"))]


def served(config, p, dialect, **more):
    conf = cached(config, p, **more)
    if dialect == "gemini":
        conf["providers"]["first"] |= {"dialect": "gemini", "base_url": p.url.removesuffix("/v1") + "/v1beta"}
    elif dialect == "anthropic":
        conf["providers"]["first"]["dialect"] = "anthropic"
    return conf


class Chat:
    dialect = "openai"
    ask = dict(model="m", messages=[{"role": "user", "content": "hi"}])

    def __init__(self, g):
        self.client = openai.OpenAI(base_url=g.url, api_key="k", max_retries=0)

    def plain(self):
        return self.client.chat.completions.create(**self.ask).model_dump()

    def stream(self):
        return [c.model_dump() for c in self.client.chat.completions.create(**self.ask, stream=True, stream_options={"include_usage": True})]

    def meaning(self, said):
        if isinstance(said, dict):
            c = said["choices"][0]
            return said["id"], c["message"]["content"], c["finish_reason"], said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"]
        text = "".join(c["choices"][0]["delta"].get("content") or "" for c in said if c["choices"])
        finish = [c["choices"][0]["finish_reason"] for c in said if c["choices"] and c["choices"][0]["finish_reason"]]
        usage = [c["usage"] for c in said if c["usage"]]
        return said[0]["id"], text, finish[-1], usage[-1]["prompt_tokens"], usage[-1]["completion_tokens"]


class Completions(Chat):
    ask = dict(model="m", prompt="hi", n=2, max_tokens=9)

    def plain(self):
        return self.client.completions.create(**self.ask).model_dump()

    def stream(self):
        return [c.model_dump() for c in self.client.completions.create(**self.ask, stream=True, stream_options={"include_usage": True})]

    def meaning(self, said):
        all = [said] if isinstance(said, dict) else said
        choices = [c for a in all for c in a["choices"]]
        texts = ["".join(c["text"] for c in choices if c["index"] == i) for i in range(2)]
        ends = [next(c["finish_reason"] for c in choices if c["index"] == i and c["finish_reason"]) for i in range(2)]
        return all[0]["id"], texts, ends, all[-1]["usage"]["prompt_tokens"], all[-1]["usage"]["completion_tokens"]


class Responses(Chat):
    ask = dict(model="m", input="hi")

    def plain(self):
        return self.client.responses.create(**self.ask).model_dump()

    def stream(self):
        return [e.model_dump() for e in self.client.responses.create(**self.ask, stream=True)]

    def meaning(self, said):
        whole = said if isinstance(said, dict) else said[-1]["response"]
        if not isinstance(said, dict):
            assert "".join(e["delta"] for e in said if e["type"] == "response.output_text.delta") == "hello world"
        return whole["id"], whole["output"][0]["content"][0]["text"], whole["status"], whole["usage"]["input_tokens"], whole["usage"]["output_tokens"]


class Messages:
    dialect = "anthropic"
    ask = dict(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])

    def __init__(self, g):
        self.client = anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key="k", max_retries=0)

    def plain(self):
        return self.client.messages.create(**self.ask).model_dump()

    def stream(self):
        with self.client.messages.stream(**self.ask) as s:
            return [e.model_dump() for e in s] + [s.get_final_message().model_dump()]

    def meaning(self, said):
        m = said if isinstance(said, dict) else said[-1]
        return m["id"], m["content"][0]["text"], m["stop_reason"], m["usage"]["input_tokens"], m["usage"]["output_tokens"]


class Google:
    dialect = "gemini"

    def __init__(self, g):
        self.client = genai.Client(api_key="k", http_options={"base_url": g.url.removesuffix("/v1")})

    def plain(self):
        return self.client.models.generate_content(model="m", contents="hi").model_dump(exclude={"sdk_http_response"})

    def stream(self):
        return [c.model_dump(exclude={"sdk_http_response"}) for c in self.client.models.generate_content_stream(model="m", contents="hi")]

    def meaning(self, said):
        all = [said] if isinstance(said, dict) else said
        text = "".join(p["text"] or "" for c in all for p in c["candidates"][0]["content"]["parts"] or [])
        last = all[-1]
        return (last["response_id"], text, str(last["candidates"][0]["finish_reason"]), last["usage_metadata"]["prompt_token_count"],
                last["usage_metadata"]["candidates_token_count"])


SDKS = [Chat, Completions, Responses, Messages, Google]


@pytest.mark.parametrize("sdk", SDKS)
def test_an_sdk_gets_from_a_replay_what_it_got_first(gateway, provider, config, store, sdk):
    """Field by field: all that the SDK knows."""
    for form in ("plain", "stream"):
        p = provider(answer)
        g = gateway(served(config, p, sdk.dialect, store=store, cache={"namespace": form})).store_up()
        client = sdk(g)
        first = getattr(client, form)()
        settle(g)
        assert getattr(client, form)() == first and len(p.requests) == 1


@pytest.mark.parametrize("sdk", ["openai", "vercel", "langchain"])
def test_sdks_of_npm_get_from_a_replay_what_they_got_first(gateway, provider, config, sdk):
    p = provider(counting())
    g = gateway(cached(config, p))

    def run():
        r = subprocess.run([NODE, CLIENTS / "clients.mjs", sdk, g.url, "m"], capture_output=True, text=True, timeout=120)
        assert r.returncode == 0, r.stderr
        settle(g)
        return json.loads(r.stdout.splitlines()[-1])
    first, asked = run(), len(p.requests)
    assert run() == first and len(p.requests) == asked and first["plain"].startswith("answer") and first["streamed"].startswith("answer")


@pytest.mark.parametrize("first", ["plain", "stream"])
@pytest.mark.parametrize("sdk", SDKS)
def test_each_form_is_given_for_the_other(gateway, provider, config, store, sdk, first):
    p = provider(answer)
    g = gateway(served(config, p, sdk.dialect, store=store)).store_up()
    client = sdk(g)
    bought = getattr(client, first)()
    settle(g)
    other = getattr(client, "stream" if first == "plain" else "plain")()
    assert len(p.requests) == 1 and client.meaning(other) == client.meaning(bought)
    assert g.metric("weir_cache_requests_total", model="m", result="hit") == 1
    assert getattr(client, first)() == bought and len(p.requests) == 1      # what is kept stays as it is


def test_a_stream_is_given_with_usage_and_without(gateway, provider, config):
    p = provider(counting())
    g = gateway(cached(config, p))
    g.chat(stream=True), settle(g)
    told = g.chat(stream=True, stream_options={"include_usage": True})
    assert state(told) == "hit" and b'"prompt_tokens":10' in told.body.replace(b": ", b":") and told.body.endswith(b"data: [DONE]\n\n")
    plain = g.chat()
    assert state(plain) == "hit" and plain.json["usage"]["completion_tokens"] == 3 and plain.json["choices"][0]["message"]["content"] == "answer 1"
    untold = g.chat(stream=True)
    assert state(untold) == "hit" and b"prompt_tokens" not in untold.body and len(p.requests) == 1


PROBABLE = {"content": [{"token": "x", "logprob": -0.1, "bytes": [120], "top_logprobs": []}], "refusal": None}
LOST = {
    "probabilities": completion("x", choices=[{"index": 0, "finish_reason": "stop", "logprobs": PROBABLE, "message": {"role": "assistant", "content": "x"}}]),
    "a member nobody knows": completion("x", citations=["https://a"]),
    "audio": completion("x", choices=[{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": None, "audio": {"id": "a", "data": "AAAA"}}}]),
    "blocks": completion("x", choices=[{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": [{"type": "text", "text": "x"}]}}]),
}


def test_probabilities_of_a_text_are_asked_anew(gateway, provider, config):
    probable = {"tokens": ["hello"], "token_logprobs": [-0.1], "top_logprobs": None, "text_offset": [0]}
    said = {**TEXT, "choices": [{**TEXT["choices"][0], "logprobs": probable}]}
    g = gateway(cached(config, provider(lambda r: answer(r) if r.stream else [http(200, said)])))
    ask = lambda **more: state(g.request("POST", "/v1/completions", {"model": "m", "prompt": "hi", "max_tokens": 9, **more}))
    assert ask() == "miss"
    settle(g)
    assert ask() == "hit" and ask(stream=True) == "miss"


@pytest.mark.parametrize("what", LOST)
def test_what_would_be_lost_is_asked_anew(gateway, provider, config, what):
    p = provider(lambda r: good_stream() if r.stream else [http(200, LOST[what])])
    g = gateway(cached(config, p))
    g.chat(), settle(g)
    assert state(g.chat()) == "hit" and state(g.chat(stream=True)) == "miss"
    assert g.metric("weir_cache_misses_total", model="m", reason="form") == 1


# --- namespaces, and LiteLLM's object ---

def test_namespaces_are_apart(gateway, provider, config):
    keys = [{**KEYS[0]}, {**KEYS[1], "cache_namespace": "other"}, {**KEYS[2], "cache": False}]
    conf = cached(config, provider(counting()), keys=keys, teams=[{"name": "x"}, {"name": "y"}], cache={"scope": "global", "namespace": "one"})
    g = gateway(conf)
    ask = lambda k, **h: state(g.chat(headers={"authorization": f"Bearer sk-{k}-0123456789", **h}))
    assert ask("a") == "miss"
    settle(g)
    assert ask("a") == "hit" and ask("b") == "miss" and ask("c") is None
    settle(g)
    assert ask("b") == "hit" and ask("a", **{"x-weir-cache": "namespace=mine"}) == "miss"
    settle(g)
    assert ask("a", **{"x-weir-cache": "namespace=mine"}) == "hit" and ask("a", **{"x-weir-cache": "namespace=yours"}) == "miss"
    conf["models"]["m"]["cache_namespace"] = "new"
    g.write(conf), g.reload()
    assert ask("a") == "miss"
    conf["models"]["m"]["cache_namespace"] = "one"
    g.write(conf), g.reload()
    assert ask("a") == "hit"


def test_a_key_turns_it_on(gateway, provider, config):
    g = gateway(config(provider(counting()), keys=[{**KEYS[0], "cache": True}, KEYS[1]], teams=[{"name": "x"}]))
    assert g.metric("weir_cache_requests_total", model="m", result="hit") == 0      # there from the start
    ask = lambda k: state(g.chat(headers={"authorization": f"Bearer sk-{k}-0123456789"}))
    assert ask("a") == "miss" and ask("b") is None
    settle(g)
    assert ask("a") == "hit"


def test_litellms_object(gateway, provider, config):
    p = provider(counting())
    g = gateway(cached(config, p))
    ask = lambda **wish: state(g.chat(**({"cache": wish} if wish else {})))
    assert ask() == "miss"
    settle(g)
    assert ask(ttl=600) == "hit"        # it is no part of the question
    assert ask(**{"no-cache": True}) == "miss"
    settle(g)
    assert ask(**{"s-maxage": 600}) == "hit" and ask(**{"s-maxage": 0}) == "miss"
    assert ask(namespace="a") == "miss"
    settle(g)
    assert ask(namespace="a") == "hit" and ask(namespace="b", **{"no-store": True}) == "miss"
    settle(g)
    assert ask(namespace="b") == "miss" and ask(**{"use-cache": False}) == "bypass"
    for r in p.requests:
        assert "cache" not in r.json and r.json["messages"] == [{"role": "user", "content": "hi"}]


def test_a_ttl_of_the_caller(gateway, provider, config):
    g = gateway(cached(config, provider(counting())))
    assert state(g.chat(cache={"ttl": 2})) == "miss"
    settle(g)
    assert state(g.chat()) == "hit"
    until(lambda: state(g.chat()) == "miss")


@pytest.mark.parametrize("body", ['{"cache":{"ttl":5},"model":"m","messages":[{"role":"user","content":"a"}]}', '{"model":"m","messages":[{"role":"user","content":"a"}] , "cache" : {} }',
                                  '{"model":"m","cache":{"no-cache":true}, "messages":[{"role":"user","content":"a"}],"stream":true}'])
def test_the_object_is_cut_out_of_the_bytes(gateway, provider, config, body):
    p = provider()
    g = gateway(config(p))
    assert g.request("POST", "/v1/chat/completions", body).status == 200
    got = p.requests[0].json
    assert "cache" not in got and got["messages"] == [{"role": "user", "content": "a"}] and got["model"] == "mock"


def test_a_providers_own_cache_field_is_relayed(gateway, provider, config):
    p = provider()
    g = gateway(config(p))
    g.chat(cache={"mode": "prompt"})
    assert p.requests[0].json["cache"] == {"mode": "prompt"}


def test_on_request(gateway, provider, config):
    p = provider(counting())
    g = gateway(config(p, cache={"on_request": True}))
    assert state(g.chat()) is None
    assert state(g.chat(cache={"use-cache": True})) == "miss"
    settle(g)
    assert state(g.chat(cache={"use-cache": True})) == "hit"
    g = gateway(config(p))
    assert state(g.chat(cache={"use-cache": True})) is None


# --- letting go of many ---

def test_a_model_and_a_tag_are_evicted_for_all_replicas(gateway, provider, config, redis):
    conf = cached(config, provider(counting()), store=redis.url, admin={"token": "admin-token-0123456789"})
    conf["models"]["n"] = {"targets": ["first/mock"]}
    a, b = (gateway(conf).store_up() for _ in range(2))
    evict = lambda q: a.request("DELETE", f"/admin/cache?{q}", port=a.admin_port, headers=TOKEN)

    def ask(g, text, **more):
        return state(g.chat(text=text, **more))
    for _ in range(2):
        seen = [ask(a, "one"), ask(a, "two", headers={"x-weir-tags": "feature=search,x=y"}), ask(a, "three", model="n")]
        settle(a)
    assert seen == ["hit"] * 3 and ask(b, "one") == "hit"
    assert evict("tag=feature%3Dsearch").status == 200
    assert ask(a, "two") == "miss" and ask(a, "one") == "hit"
    settle(a)
    assert ask(a, "two") == "hit"           # what was kept since is kept
    assert evict("model=m").status == 200
    assert ask(a, "three", model="n") == "hit"
    until(lambda: ask(b, "one", headers={"x-weir-cache": "only"}) != "hit")     # it looks each second
    assert ask(a, "one") == "miss" and a.metric("weir_cache_misses_total", model="m", reason="evicted") >= 2
    assert evict("").status == 400 and evict("model=").status == 400 and evict("model=a%0Ab").status == 400


def test_a_model_is_evicted_in_memory(gateway, provider, config):
    g = gateway(cached(config, provider(counting()), admin={"token": "admin-token-0123456789"}))
    g.chat(), settle(g)
    assert g.request("DELETE", "/admin/cache?model=m", port=g.admin_port, headers=TOKEN).json == {"evicted": True}
    assert state(g.chat()) == "miss"
    settle(g)
    assert state(g.chat()) == "hit"


# --- pacing ---

def test_a_paced_replay(gateway, provider, config):
    g = gateway(cached(config, provider(lambda r: good_stream(words=["w"] * 20)), cache={"pace": 50}))
    first = g.chat(stream=True)
    settle(g)
    began = time.monotonic()
    again = g.chat(stream=True)
    assert state(again) == "hit" and again.body == first.body and time.monotonic() - began > 20 / 50
    g.quiet()
    from weir import Raw, post
    s = Raw(g.port)
    s.send(post({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}))
    s.read_head()
    s.close()       # a caller who leaves in the middle
    g.quiet()

"""Providers fail and recover; callers do not notice while a target remains."""
import time

import pytest

from mock_provider import LAST_CHUNK, chunk, completion, delta, error, event, good, good_stream, http, stream_head
from weir import CHAT, Raw, post, until

FAST = {"timeouts": {"connect": "500ms", "first_token": "400ms", "idle": "400ms", "total": "5s"}}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("failure", [
    error(500), error(502), error(503), error(529), error(429, headers=[("retry-after", "1")]), error(401), error(402),
    error(404, "The model `mock` does not exist", "model_not_found"),
    error(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
    [("reset",)], [("close",)], [b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\":", ("close",)],
    [http(200, "<html>oops</html>", "text/html")], [http(200, "")], [http(200, "[1]")], [http(302, "", headers=[("location", "http://127.0.0.1:1/")])],
    [b"not http at all\r\n\r\n", ("close",)], [http(200, '{"choices":null}')],
    [stream_head(), chunk(delta("", role="assistant")), ("close",)],
    [stream_head(), chunk(event({"error": {"message": "overloaded", "code": 503}})), LAST_CHUNK],
])
def test_any_failure_before_content_goes_to_the_next_target(gateway, provider, config, failure, stream):
    """Users' demands 1, 2, 3, 4, 7 and 9: failover that does not fire, above all on streams: cut, stalled, an error inside, 429, 503 for ever."""
    bad, fine = provider(lambda r: failure), provider()
    g = gateway(config(bad, fine))
    r = g.chat(stream=stream)
    assert r.status == 200 and r.headers["x-weir-target"] == "second/mock" and r.headers["x-weir-attempts"] == "2"
    assert (b"Hel" in r.body) if stream else r.json["choices"][0]["message"]["content"] == "hello"
    assert len(bad.requests) == 1


@pytest.mark.parametrize("status", [400, 422])
def test_errors_about_the_request_are_passed_on_once(gateway, provider, config, status):
    body = '{"error": {"message":"Unsupported parameter: \'x\'","type":"invalid_request_error","param":"x","code":"unsupported_parameter"}}'
    bad, fine = provider(lambda r: [http(status, body)]), provider()
    g = gateway(config(bad, fine))
    r = g.chat()
    assert r.status == status and r.body.decode() == body and len(fine.requests) == 0


def test_refused_credential_is_our_fault_and_is_not_shown(gateway, provider, config):
    bad = provider(lambda r: error(401, "Incorrect API key provided: sk-first-vendor", "invalid_api_key"))
    g = gateway(config(bad))
    r = g.chat()
    assert r.status == 502 and r.error["code"] == "provider_auth" and "sk-first" not in r.body.decode()
    assert r.headers["x-should-retry"] == "false"


def test_context_length_goes_to_a_target_with_more_context(gateway, provider, config):
    short = provider(lambda r: error(400, "maximum context length is 8 tokens", "context_length_exceeded"))
    same, long = provider(), provider()
    c = config(short, same, long)
    c["models"]["m"]["targets"] = [{"target": "first/mock", "context": 1000}, {"target": "second/mock", "context": 1000},
                                   {"target": "third/mock", "context": 9000}]
    g = gateway(c)
    r = g.chat()
    assert r.status == 200 and r.headers["x-weir-target"] == "third/mock" and not same.requests


def test_25_errors_take_a_target_out_within_those_requests(gateway, provider, config):
    """Users' demand 15."""
    bad, fine = provider(lambda r: error(500)), provider()
    g = gateway(config(bad, fine))
    for _ in range(25):
        assert g.chat().status == 200
    assert len(bad.requests) == 5


def test_all_down_is_a_503_at_once(gateway, provider, config):
    """Users' demand 17: with all targets cooling the answer says when to come back."""
    bad, worse = provider(lambda r: error(500)), provider(lambda r: error(500))
    g = gateway(config(bad, worse))
    for _ in range(8):
        assert g.chat().status in (502, 503)
    before = len(bad.requests)
    r = g.chat()
    assert r.status == 503 and r.error["code"] == "overloaded" and "retry-after" in r.headers
    assert len(bad.requests) == before


def test_breaker_lets_a_trial_through_and_closes(gateway, provider, config):
    state = {"bad": True}
    p, other = provider(lambda r: error(500) if state["bad"] else good(r)), provider()
    g = gateway(config(p, other, breaker={"failures": 2, "window": "30s", "open": "300ms"}))
    for _ in range(4):
        g.chat()
    assert len(p.requests) == 2
    state["bad"] = False
    until(lambda: g.chat().headers["x-weir-target"] == "first/mock")
    # That it went well is noted just after the caller had the answer.
    until(lambda: g.chat().headers["x-weir-target"] == "first/mock")
    assert g.chat().headers["x-weir-target"] == "first/mock"


def test_hung_target_costs_its_first_token_time(gateway, provider, config):
    """Users' demand 14: the next target when the first byte takes too long."""
    hung, fine = provider(lambda r: [("hang",)]), provider()
    g = gateway(config(hung, fine, model=FAST))
    r = g.chat(stream=True)
    assert r.status == 200 and r.headers["x-weir-target"] == "second/mock"
    assert hung.requests[0].hung_up_at is not None


def test_plain_answer_that_never_comes_is_a_504(gateway, provider, config):
    hung = provider(lambda r: [("hang",)])
    g = gateway(config(hung, model={"timeouts": {"total": "500ms"}}))
    r = g.chat()
    assert r.status == 504 and r.error["code"] == "timeout"


def test_rate_limit_of_the_only_target_is_a_429_with_its_hint(gateway, provider, config):
    """Users' demands 17 and 20: the vendor's own Retry-After; a rate limit is no dead key."""
    p = provider(lambda r: error(429, headers=[("retry-after", "7")]))
    g = gateway(config(p))
    r = g.chat()
    assert r.status == 429 and r.headers["retry-after"] == "7" and r.error["type"] == "rate_limit_error"
    assert g.chat().status == 429 and len(p.requests) == 1


def test_second_credential_is_used_when_the_first_is_limited(gateway, provider, config):
    """Users' demands 8 and 20: healthy credentials are tried whatever the budget for retries."""
    def script(r):
        return good(r) if r.headers["authorization"].endswith("b") else error(429, headers=[("retry-after", "9")])
    p = provider(script)
    c = config(p)
    del c["providers"]["first"]["api_key"]
    c["providers"]["first"]["api_keys"] = ["key-a", "key-b"]
    g = gateway(c)
    for _ in range(6):
        assert g.chat().status == 200
    assert sum(r.headers["authorization"].endswith("a") for r in p.requests) <= 1


def test_break_after_content_is_an_error_event_and_no_done(gateway, provider, config):
    """Users' demand 6."""
    p, fine = provider(lambda r: [stream_head(), chunk(delta("Hel")), ("reset",)]), provider()
    g = gateway(config(p, fine))
    r = g.chat(stream=True)
    text = r.body.decode()
    assert r.status == 200 and "Hel" in text and '"error"' in text and "[DONE]" not in text and not fine.requests


def test_stream_that_falls_silent_ends_with_an_error_event(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("Hel")), ("hang",)])
    g = gateway(config(p, model=FAST))
    text = g.chat(stream=True).body.decode()
    assert '"error"' in text and "[DONE]" not in text


def test_missing_done_is_added_and_what_follows_it_dropped(gateway, provider, config):
    p = provider(lambda r: [stream_head(), chunk(delta("a")), chunk(delta(finish="stop")), LAST_CHUNK])
    q = provider(lambda r: [stream_head(), chunk(delta("a", finish="stop")), chunk(event("[DONE]") + delta("late")), LAST_CHUNK])
    g = gateway(config(p))
    assert g.chat(stream=True).body.endswith(b"data: [DONE]\n\n")
    g = gateway(config(q))
    assert b"late" not in g.chat(stream=True).body


@pytest.mark.parametrize("script, stream", [
    ([("hang",)], False), ([("hang",)], True), ([stream_head(), chunk(delta("a")), ("hang",)], True),
])
def test_hang_up_cancels_the_provider(gateway, provider, config, script, stream):
    """Users' demand 24: nobody pays for an answer nobody reads."""
    p = provider(lambda r: script)
    g = gateway(config(p, provider()))
    c = Raw(g.port)
    c.send(post({**CHAT, "stream": stream}))
    until(lambda: p.requests)
    time.sleep(0.1)     # some of the way into its answer
    c.close()
    until(lambda: p.requests[0].hung_up_at is not None)
    assert len(p.requests) == 1
    g.wait_log('"error":"caller_gone"')


def test_unreachable_and_private_places(gateway, provider, config):
    fine = provider()
    c = config(fine)
    c["providers"]["dead"] = {"dialect": "openai", "base_url": "http://127.0.0.1:1/v1", "allow_private_address": True}
    c["providers"]["private"] = {"dialect": "openai", "base_url": f"http://127.0.0.1:{fine.port}/v1", "allow_plaintext": True}
    c["models"]["m"]["targets"] = ["dead/mock", "private/mock", "first/mock"]
    g = gateway(c)
    r = g.chat()
    assert r.status == 200 and r.headers["x-weir-attempts"] == "3" and len(fine.requests) == 1


def test_retry_of_the_same_target_only_when_it_did_not_act(gateway, provider, config):
    """Users' demands 8 and 12: two budgets, one for retries, one for walking on."""
    seen = []

    def script(r):
        seen.append(r)
        return good(r) if len(seen) > 2 else error(503)
    g = gateway(config(provider(script), model={"retry": {"same_target": 2, "backoff": "10ms"}}))
    assert g.chat().status == 200 and len(seen) == 3


def test_reused_connection_that_was_closed_is_tried_once_more(gateway, provider, config):
    p = provider(lambda r: [http(200, completion()), ("close",)])
    g = gateway(config(p, workers=1))
    for _ in range(10):
        assert g.chat().status == 200


def test_unknown_model_names_the_nearest(gateway, provider, config):
    g = gateway(config(provider()))
    r = g.chat("first/moc")
    r2 = g.chat("mm")
    assert r2.status == 404 and "`m`" in r2.error["message"] and r2.error["code"] == "model_not_found"
    assert r.status == 200
    r3 = g.chat("gpt-5-mini")
    assert r3.status == 404 and "OPENAI_API_KEY" in r3.error["message"]


def test_keys(gateway, provider, config):
    c = config(provider(), keys=[{"name": "a", "secret": "sk-weir-0123456789", "models": ["m"]},
                                 {"name": "b", "secret": "sk-weir-9876543210"}])
    g = gateway(c)
    ok = {"Authorization": "Bearer sk-weir-0123456789"}
    assert g.chat().status == 401
    assert g.chat(headers={"Authorization": "Bearer sk-weir-012345678"}).error["code"] == "invalid_api_key"
    assert g.chat(headers={**ok, "x-api-key": "other"}).status == 401
    assert g.chat(headers={"Authorization": "Basic abc"}).status == 401
    assert g.chat(headers=ok).status == 200
    assert g.chat(headers={"x-api-key": "sk-weir-0123456789"}).status == 200
    assert g.chat("first/mock", headers=ok).status == 403
    assert [m["id"] for m in g.get("/v1/models", headers=ok).json["data"]] == ["m"]
    assert g.get("/v1/models").status == 401
    assert "sk-weir-0123" not in g.logs()


RESUME = {"on_stream_failure": "resume", **FAST}
STORY = "The quick brown fox jumps over"


def texts(body):
    import json
    out = ""
    for line in body.decode().split("\n\n"):
        if line.startswith("data: {"):
            for c in json.loads(line[6:]).get("choices", []):
                out += c.get("delta", {}).get("content") or ""
    return out


@pytest.mark.parametrize("ending", [("reset",), ("hang",)])
@pytest.mark.parametrize("continuation, expected", [
    ((" the lazy", " dog."), STORY + " the lazy dog."),
    (("fox jumps over the", " lazy dog."), STORY + " the lazy dog."),          # it repeats the end
    ((STORY[:20], STORY[20:] + " the", " lazy dog."), STORY + " the lazy dog."),   # it begins again
])
def test_broken_stream_is_continued_on_the_next_target(gateway, provider, config, ending, continuation, expected):
    first = provider(lambda r: [stream_head(), chunk(delta("", role="assistant")), chunk(delta(STORY[:10])), chunk(delta(STORY[10:])), ending])
    second = provider(lambda r: good_stream(continuation))
    g = gateway(config(first, second, model=RESUME))
    r = g.chat(stream=True)
    assert texts(r.body) == expected and r.body.endswith(b"data: [DONE]\n\n") and b'"error"' not in r.body
    assert second.requests[0].json["messages"][-1] == {"role": "assistant", "content": STORY}
    assert r.body.count(b'"id":') == r.body.count(b'chatcmpl-1')


def test_a_tool_call_is_not_continued(gateway, provider, config):
    call = event({"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{"}}]}}]})
    first, second = provider(lambda r: [stream_head(), chunk(call), ("reset",)]), provider()
    g = gateway(config(first, second, model=RESUME))
    r = g.chat(stream=True)
    assert b'"error"' in r.body and b"[DONE]" not in r.body and not second.requests


def test_nobody_left_to_continue_is_an_error(gateway, provider, config):
    first, second = provider(lambda r: [stream_head(), chunk(delta("a")), ("reset",)]), provider(lambda r: error(500))
    g = gateway(config(first, second, model=RESUME))
    r = g.chat(stream=True)
    assert b'"error"' in r.body and b"[DONE]" not in r.body and len(second.requests) == 1


def test_a_server_that_fails_its_health_check_is_left_alone_until_it_is_well(gateway, provider, config):
    """Users' demands 22 and 23: checks cost nothing: they ask a health path, never a model."""
    state = {"well": False}

    def script(r):
        if r.path == "/health":
            return [http(200 if state["well"] else 503, '{"status":"loading"}')]
        return good(r)
    local, cloud = provider(script), provider()
    c = config(local, cloud)
    c["providers"]["first"]["health"] = "/health"
    g = gateway(c)
    g.wait_log("fails its health check")
    assert g.chat().headers["x-weir-target"] == "second/mock"
    state["well"] = True
    g.wait_log("is healthy again")
    assert g.chat().headers["x-weir-target"] == "first/mock"

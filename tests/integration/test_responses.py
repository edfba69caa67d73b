"""OpenAI's Responses: how their streams end, well and badly. They have no [DONE]."""
import json

import pytest

from mock_provider import LAST_CHUNK, chunk, http, stream_head

ASK = {"model": "m", "input": "hi", "stream": True}


def event(type, **fields):
    return f"event: {type}\ndata: {json.dumps({'type': type, **fields})}\n\n"


def response(status, **more):
    return {"id": "resp_1", "object": "response", "status": status, "output": [], **more}


CREATED = event("response.created", response=response("in_progress"))
TEXT = event("response.output_text.delta", delta="Hel")
COMPLETED = event("response.completed", response=response("completed", usage={"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}))
FAILED = event("response.failed", response=response("failed", error={"code": "server_error", "message": "oops"}))
LIMITED = event("response.failed", response=response("failed", error={"code": "rate_limit_exceeded", "message": "slow down"}))


def said(*events):
    return [stream_head(), *[chunk(e) for e in events], LAST_CHUNK]


def ask(g):
    return g.request("POST", "/v1/responses", ASK)


def test_a_stream_arrives_as_it_came_and_is_counted(gateway, provider, config):
    p = provider(lambda r: said(CREATED, TEXT, COMPLETED))
    g = gateway(config(p))
    r = ask(g)
    assert r.status == 200 and r.body.decode() == CREATED + TEXT + COMPLETED
    assert g.access()[0]["tokens"] == {"input": 5, "output": 2, "cached": 0, "reasoning": 0}


@pytest.mark.parametrize("failure", [FAILED, LIMITED, event("error", code="server_error", message="oops")])
def test_a_failure_before_content_goes_to_the_next_target(gateway, provider, config, failure):
    bad, fine = provider(lambda r: said(CREATED, failure)), provider(lambda r: said(CREATED, TEXT, COMPLETED))
    g = gateway(config(bad, fine))
    r = ask(g)
    assert r.status == 200 and r.headers["x-weir-target"] == "second/mock" and r.body.decode() == CREATED + TEXT + COMPLETED


def test_a_failure_of_every_target_is_told(gateway, provider, config):
    g = gateway(config(provider(lambda r: said(CREATED, LIMITED))))
    r = ask(g)
    assert r.status == 429 and r.error["code"] == "rate_limit_exceeded"


def test_a_failure_after_content_is_relayed_in_the_providers_words(gateway, provider, config):
    bad, fine = provider(lambda r: said(CREATED, TEXT, FAILED)), provider()
    g = gateway(config(bad, fine))
    assert ask(g).body.decode() == CREATED + TEXT + FAILED and not fine.requests


@pytest.mark.parametrize("end", [[LAST_CHUNK], [("close",)], [("reset",)]])
def test_a_stream_without_its_last_event_ends_as_failed(gateway, provider, config, end):
    p = provider(lambda r: [stream_head(), chunk(CREATED), chunk(TEXT), *end])
    g = gateway(config(p))
    events = ask(g).body.decode().split("\n\n")
    assert "\n\n".join(events[:2]) + "\n\n" == CREATED + TEXT
    last = json.loads(events[2].split("data: ", 1)[1])
    assert last["type"] == "response.failed" and last["response"]["status"] == "failed" and events[3:] == [""]


def test_words_of_a_vendor_are_unescaped_once(gateway, provider, config):
    p = provider(lambda r: [http(400, '{"code":"invalid-argument","error":"No \\"x\\" \\u00e9"}')])
    g = gateway(config(p))
    r = g.chat()
    assert r.status == 400 and r.error["message"] == 'No "x" é'

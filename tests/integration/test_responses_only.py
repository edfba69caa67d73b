"""Models that answer under /v1/responses alone, and providers that have no such path."""
import json

import anthropic
import openai
import pytest

from mock_provider import http
from test_over_responses import ANSWER

CHAT = {"id": "c", "object": "chat.completion", "model": "real", "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
NO_CHAT = {"error": {"message": "This model is only supported in v1/responses and not in v1/chat/completions.", "type": "invalid_request_error", "param": "model", "code": None}}


def openai_itself(r):
    return [http(200, ANSWER)] if r.path.startswith("/v1/responses") else [http(404, NO_CHAT)]


@pytest.mark.parametrize("model, target", [("gpt-5-pro", {}), ("new-model", {"responses": "only"})])
def test_callers_of_every_format_reach_it(gateway, provider, model, target):
    """Known by the price table, or said."""
    p = provider(openai_itself)
    here = {"preset": "openai", "base_url": p.url, "api_key": "k", "allow_private_address": True}
    g = gateway({"providers": {"openai": here}, "models": {"m": {"targets": [{"target": f"openai/{model}", **target}]}}, "breaker": "off"})
    r = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0).chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert r.choices[0].message.content == "ok" and r.usage.prompt_tokens == 3
    r = anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key="x", max_retries=0).messages.create(model="m", max_tokens=99, messages=[{"role": "user", "content": "hi"}])
    assert r.content[0].text == "ok"
    body = '{"model":"m", "input":"hi", "new_field":  1}'
    assert g.request("POST", "/v1/responses", body).json["output"] == ANSWER["output"]
    assert p.requests[-1].body.decode() == body.replace('"m"', f'"{model}"')      # relayed as it is
    assert [r.path for r in p.requests] == ["/v1/responses"] * 3
    if model == "gpt-5-pro":    # by its own name, which no configuration mentions
        assert g.request("POST", "/v1/chat/completions", {"model": "gpt-5-pro", "messages": [{"role": "user", "content": "hi"}]}).status == 200


def test_other_models_of_the_provider_are_asked_as_before(gateway, provider):
    p = provider(lambda r: [http(200, CHAT)])
    g = gateway({"providers": {"openai": {"preset": "openai", "base_url": p.url, "api_key": "k", "allow_private_address": True}}, "breaker": "off"})
    assert g.request("POST", "/v1/chat/completions", {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}).status == 200
    assert p.requests[0].path == "/v1/chat/completions"


def test_azure_has_responses_beside_its_deployments(gateway, provider):
    p = provider(openai_itself)
    p_url = p.url.removesuffix("/v1")
    g = gateway({"providers": {"azure": {"preset": "azure", "base_url": p_url + "/openai", "api_key": "k", "allow_private_address": True}}, "breaker": "off"})
    g.request("POST", "/v1/responses", {"model": "azure/gpt-5-pro", "input": "hi"})
    g.request("POST", "/v1/chat/completions", {"model": "azure/gpt-5", "messages": [{"role": "user", "content": "hi"}]})
    assert p.requests[0].path == "/openai/responses?api-version=2024-10-21" and p.requests[0].json["model"] == "gpt-5-pro"
    assert p.requests[1].path == "/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize("status, body", [(404, {"detail": "Not Found"}), (404, ""), (405, {"error": "method not allowed"}), (501, {"error": {"message": "not implemented"}})])
def test_a_provider_without_responses_is_found_out(gateway, provider, status, body):
    """A server that is only known to be compatible: its refusal is learnt, the same request is answered by chat, and no caller notices."""
    p = provider(lambda r: [http(status, body)] if r.path.endswith("/responses") else [http(200, CHAT)])
    g = gateway({"providers": {"p": {"dialect": "openai", "base_url": p.url, "api_key": "k", "allow_private_address": True}}, "models": {"m": {"targets": ["p/real"]}}, "workers": 1})
    for _ in range(3):
        r = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0).responses.create(model="m", input="hi")
        assert r.output_text == "ok"
    assert [r.path for r in p.requests] == ["/v1/responses"] + ["/v1/chat/completions"] * 3
    assert g.wait_log("the provider has no /responses") and g.logs().count("the provider has no /responses") == 1


def test_a_model_it_does_not_know_is_another_matter(gateway, provider):
    said = {"error": {"message": "The model `real` does not exist", "type": "invalid_request_error", "code": "model_not_found"}}
    p = provider(lambda r: [http(404, said)])
    here = {"dialect": "openai", "base_url": p.url, "api_key": "k", "allow_private_address": True}
    g = gateway({"providers": {"p": here, "q": {**here, "responses": "relay"}}, "models": {"m": {"targets": ["p/real"]}, "n": {"targets": ["q/real"]}}})
    assert g.request("POST", "/v1/responses", {"model": "m", "input": "hi"}).error["code"] == "provider_model_gone"
    assert g.request("POST", "/v1/responses", {"model": "n", "input": "hi"}).status == 502
    assert [r.path for r in p.requests] == ["/v1/responses"] * 2


def test_whoever_says_relay_is_asked_all_the_same(gateway, provider):
    p = provider(lambda r: [http(404, {"detail": "Not Found"})])
    g = gateway({"providers": {"p": {"dialect": "openai", "base_url": p.url, "api_key": "k", "responses": "relay", "allow_private_address": True}}, "models": {"m": {"targets": ["p/real"]}}})
    for _ in range(2):
        assert g.request("POST", "/v1/responses", {"model": "m", "input": "hi"}).status == 404
    assert [r.path for r in p.requests] == ["/v1/responses"] * 2


def test_only_needs_a_provider_that_is_asked_for_responses(check):
    code, out = check({"providers": {"p": {"dialect": "openai", "base_url": "http://127.0.0.1:1/v1", "responses": "translate", "allow_private_address": True}},
                       "models": {"m": {"targets": [{"target": "p/x", "responses": "only"}]}}})
    assert code == 2 and "`responses: only`: the provider `p` is not asked for Responses" in out, out


@pytest.fixture
def check(tmp_path):
    import subprocess

    from weir import BINARY

    def run(config):
        (tmp_path / "weir.yaml").write_text(json.dumps(config))
        r = subprocess.run([BINARY, "check", "-c", str(tmp_path / "weir.yaml")], capture_output=True, text=True)
        return r.returncode, r.stdout + r.stderr
    return run

"""Errors as each dialect's own SDK sees them: the class, the status and the words, before a stream and inside one."""
import anthropic
import openai
import pytest
from google import genai
from google.genai import errors

from mock_provider import chunk, http, stream_head

START = b'data: {"id":"c","object":"chat.completion.chunk","model":"real","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"},"finish_reason":null}]}\n\n'
CALLERS = ["chat", "responses", "messages", "google"]


class Asked:
    """One question in each dialect, by its SDK."""

    def __init__(self, caller, g, key="sk-application"):
        self.caller = caller
        if caller == "messages":
            self.client = anthropic.Anthropic(base_url=g.url.removesuffix("/v1"), api_key=key, max_retries=0)
        elif caller == "google":
            self.client = genai.Client(api_key=key, http_options={"base_url": g.url.removesuffix("/v1")})
        else:
            self.client = openai.OpenAI(base_url=g.url, api_key=key, max_retries=0)

    def ask(self, model="m", stream=False):
        if self.caller == "chat":
            r = self.client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}], stream=stream)
        elif self.caller == "responses":
            r = self.client.responses.create(model=model, input="hi", stream=stream)
        elif self.caller == "messages":
            r = self.client.messages.create(model=model, max_tokens=9, messages=[{"role": "user", "content": "hi"}], stream=stream)
        elif stream:
            r = self.client.models.generate_content_stream(model=model, contents="hi")
        else:
            r = self.client.models.generate_content(model=model, contents="hi")
        return list(r) if stream else r


def start(gateway, provider, script):
    p = provider(script)
    return gateway({"providers": {"p": {"dialect": "openai", "base_url": p.url, "api_key": "k", "responses": "translate", "allow_private_address": True}},
                    "keys": [{"name": "a", "secret": "sk-application", "models": ["m", "nobody"]}], "models": {"m": {"targets": ["p/real"]}, "other": {"targets": ["p/real"]}}, "breaker": "off"})


# What goes wrong: SDK's class of OpenAI and Anthropic, Google's status, OpenAI's code.
WRONG = {
    "key": ("AuthenticationError", "UNAUTHENTICATED", "invalid_api_key"),
    "model": ("NotFoundError", "NOT_FOUND", "model_not_found"),
    "allowed": ("PermissionDeniedError", "PERMISSION_DENIED", "model_not_allowed"),
    "429": ("RateLimitError", "RESOURCE_EXHAUSTED", "rate_limit_exceeded"),
    "401": ("InternalServerError", "INTERNAL", "provider_auth"),
    "500": ("InternalServerError", "INTERNAL", "provider_error"),
    "context": ("BadRequestError", "INVALID_ARGUMENT", "context_length_exceeded"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("caller", CALLERS)
def test_before_a_stream(gateway, provider, caller, stream):
    now = {}

    def script(r):
        if now["wrong"] == "context":
            return [http(400, {"error": {"message": "This model's maximum context length is 10 tokens.", "type": "invalid_request_error", "code": "context_length_exceeded"}})]
        return [http(int(now["wrong"]), {"error": {"message": "no", "type": "x"}})]

    g = start(gateway, provider, script)
    for wrong, (kind, status, code) in WRONG.items():
        now["wrong"] = wrong
        with pytest.raises((openai.APIStatusError, anthropic.APIStatusError, errors.APIError)) as e:
            Asked(caller, g, "sk-wrong" if wrong == "key" else "sk-application").ask({"model": "nobody", "allowed": "other"}.get(wrong, "m"), stream)
        if caller == "google":
            assert e.value.status == status and e.value.message, wrong
        else:
            assert type(e.value).__name__ == kind and str(e.value), (wrong, e.value)
            assert caller == "messages" or e.value.code == code, wrong
        if wrong == "context" and caller == "messages":
            assert "prompt is too long" in str(e.value)


@pytest.mark.parametrize("caller", CALLERS)
def test_inside_a_stream(gateway, provider, caller):
    """After a first word the SDK raises, or is told that the response failed: nobody takes half an answer for a whole one."""
    g = start(gateway, provider, lambda r: [stream_head(), chunk(START), ("close",)])
    asked = Asked(caller, g)
    if caller == "responses":
        events = asked.ask(stream=True)
        assert events[-1].type == "response.failed" and events[-1].response.status == "failed" and events[-1].response.error.code == "provider_error"
        assert "completed" not in [e.type.split(".")[-1] for e in events]
        return
    with pytest.raises((openai.APIError, anthropic.APIStatusError, errors.APIError)) as e:
        asked.ask(stream=True)
    assert "broke off" in str(e.value)


HEADERS = {"openai": {}, "anthropic": {"anthropic-version": "2023-06-01", "x-api-key": "k"}, "gemini": {"x-goog-api-key": "k"}}


@pytest.mark.parametrize("caller", HEADERS)
@pytest.mark.parametrize("path", ["/v1/vector_stores", "/v1/models/nobody", "/v1beta/cachedContents"])
def test_what_has_no_dialect_is_refused_in_the_callers(gateway, provider, config, caller, path):
    """client.models.retrieve() and services that are not here: each SDK gets the error that it can read."""
    e = gateway(config(provider())).get(path, headers=HEADERS[caller])
    shape = e.json
    assert e.status == 404 and "base URL" not in e.body.decode()
    if caller == "anthropic":
        assert shape["type"] == "error" and shape["error"]["type"] == "not_found_error"
    elif caller == "gemini":
        assert shape["error"]["status"] == "NOT_FOUND" and shape["error"]["code"] == 404
    else:
        assert shape["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path, status", [("/v1//chat/completions", 200), ("/v1/chat/completions/", 200), ("/v1/v1//chat/completions", 200),
                                          ("/api/v1/chat/completions", 404), ("/openai/deployments/m/chat/completions", 404)])
def test_a_base_url_that_is_nearly_right(gateway, provider, config, path, status):
    r = gateway(config(provider())).chat(path=path)
    assert r.status == status and (status == 200 or "The base URL of this gateway ends in /v1" in r.error["message"])

"""The doubles of Bedrock and Gemini are true: the vendors' own clients read what they send."""
import botocore.config
import botocore.session
import pytest
from google import genai

from mock_provider import http
from test_matrix import CASES, bedrock_stream, gemini_stream
from test_over_bedrock import frame, stream_of

GOOD = sorted(f for f, c in CASES.items() if c["status"] == 200)


@pytest.fixture
def bedrock(provider):
    def start(script):
        p = provider(script)
        return botocore.session.Session().create_client(
            "bedrock-runtime", region_name="us-east-1", endpoint_url=p.url.removesuffix("/v1"), aws_access_key_id="a", aws_secret_access_key="s",
            config=botocore.config.Config(retries={"max_attempts": 0}))
    return start


ASK = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "hi"}]}]}


@pytest.mark.parametrize("feature", GOOD)
def test_botocore_reads_the_double_of_bedrock(bedrock, feature):
    answer = CASES[feature]["providers"]["bedrock"]["answers"]
    r = bedrock(lambda _: [http(200, answer)]).converse(**ASK)
    assert r["output"] == answer["output"] and r["stopReason"] == answer["stopReason"]
    assert {k: r["usage"][k] for k in answer["usage"]} == answer["usage"]


@pytest.mark.parametrize("feature", [f for f in GOOD if CASES[f].get("streams", True)])
def test_botocore_reads_its_streams(bedrock, feature):
    answer = CASES[feature]["providers"]["bedrock"]["answers"]
    text, names, arguments, stop, usage = "", [], "", None, None
    for e in bedrock(lambda _: bedrock_stream(answer)).converse_stream(**ASK)["stream"]:
        kind, d = next(iter(e.items()))
        delta = d.get("delta", {})
        text += delta.get("text", "")
        arguments += delta.get("toolUse", {}).get("input", "")
        names += [d["start"]["toolUse"]["name"]] if kind == "contentBlockStart" else []
        stop, usage = d.get("stopReason", stop), d.get("usage", usage)
    blocks = answer["output"]["message"]["content"]
    assert text == "".join(b.get("text", "") for b in blocks) and names == [b["toolUse"]["name"] for b in blocks if "toolUse" in b]
    assert bool(arguments) == bool(names) and stop == answer["stopReason"] and usage["outputTokens"] == answer["usage"]["outputTokens"]


def test_botocore_knows_the_doubles_errors(bedrock):
    refused = bedrock(lambda _: [http(429, {"message": "Too many"}, headers=[("x-amzn-errortype", "ThrottlingException")])])
    with pytest.raises(refused.exceptions.ThrottlingException):
        refused.converse(**ASK)
    thrown = frame({"message": "Too many"}, message_type="exception", exception_type="throttlingException", content_type="application/json")
    with pytest.raises(botocore.exceptions.EventStreamError):
        list(bedrock(lambda _: stream_of(thrown)).converse_stream(**ASK)["stream"])


@pytest.mark.parametrize("feature", GOOD)
def test_googles_client_reads_the_double_of_gemini(provider, feature):
    answer = CASES[feature]["providers"]["gemini"]["answers"]
    p = provider(lambda r: gemini_stream(answer) if "stream" in r.path else [http(200, answer)])
    c = genai.Client(api_key="k", http_options={"base_url": p.url.removesuffix("/v1")})
    parts = answer["candidates"][0]["content"]["parts"]
    want = [(q.get("text"), q.get("functionCall", {}).get("name")) for q in parts]
    r = c.models.generate_content(model="m", contents="hi")
    said = [(q.text, q.function_call.name if q.function_call else None) for q in r.candidates[0].content.parts]
    assert said == want and r.candidates[0].finish_reason == answer["candidates"][0]["finishReason"]
    assert r.usage_metadata.prompt_token_count == answer["usageMetadata"]["promptTokenCount"]
    streamed = [(q.text, q.function_call.name if q.function_call else None) for e in c.models.generate_content_stream(model="m", contents="hi")
                for q in e.candidates[0].content.parts]
    assert streamed == want

"""What becomes of a field where a target speaks another format: every cell of the tables in conf/docs/fields.md is asked for."""
import json
import re

import pytest

from mock_provider import http
from weir import ROOT

TABLES = (ROOT / "conf/docs/fields.md").read_text()
COLUMNS = {"Responses": "r", "Messages": "a", "Gemini": "g", "Bedrock": "b", "Cohere": "c"}
PNG, PDF, WAV = "iVBORw0KGgo=", "JVBERi0=", "UklGRg=="
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "title": "ZEBRA"}}}


def image(url, **more):
    return said({"type": "image_url", "image_url": {"url": url, **more}})


def said(*parts, **more):
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, *parts], **more}]}


# What a caller of chat completions says for a row, and what of it is then found in the request to the target; a word for each target that has its own.
CHAT = {
    "max_tokens, max_completion_tokens": ({"max_completion_tokens": 7777}, "7777"),
    "max_tokens below 16": ({"max_tokens": 13}, {"r": '"max_output_tokens":16', "": "13"}),
    "temperature": ({"temperature": 0.4321}, "0.4321"),
    "top_p": ({"top_p": 0.4321}, "0.4321"),
    "top_k": ({"top_k": 4321}, "4321"),
    "stop": ({"stop": ["ZEBRA"]}, "ZEBRA"),
    "n above 1": ({"n": 2}, '"candidateCount":2'),
    "seed": ({"seed": 4321}, "4321"),
    "presence_penalty": ({"presence_penalty": 0.4321}, "0.4321"),
    "frequency_penalty": ({"frequency_penalty": 0.4321}, "0.4321"),
    "logprobs": ({"logprobs": True, "top_logprobs": 3}, {"r": "message.output_text.logprobs", "g": '"responseLogprobs":true'}),
    "logit_bias": ({"logit_bias": {"4321": 1}}, "4321"),
    "tools": ({"tools": [TOOL]}, "weather"),
    "strict of a tool": ({"tools": [{**TOOL, "function": {**TOOL["function"], "strict": True}}]}, {"c": '"strict_tools":true', "": '"strict":true'}),
    "tool_choice required": ({"tools": [TOOL], "tool_choice": "required"},
                             {"r": '"tool_choice":"required"', "a": '"tool_choice":{"type":"any"}', "g": '"mode":"ANY"', "b": '"toolChoice":{"any":{}}', "c": '"REQUIRED"'}),
    "tool_choice none": ({"tools": [TOOL], "tool_choice": "none"},
                         {"r": '"tool_choice":"none"', "a": '"tool_choice":{"type":"none"}', "g": '"mode":"NONE"', "b": "hi", "c": '"NONE"'}),
    "parallel_tool_calls false": ({"tools": [TOOL], "parallel_tool_calls": False}, {"r": '"parallel_tool_calls":false', "a": '"disable_parallel_tool_use":true'}),
    "functions": ({"functions": [TOOL["function"]]}, "weather"),
    "response_format json_schema": ({"response_format": SCHEMA}, "ZEBRA"),
    "response_format json_object": ({"response_format": {"type": "json_object"}}, {"g": "application/json", "": '"type":"json_object"'}),
    "response_format.description: of a schema": ({"response_format": {**SCHEMA, "json_schema": {**SCHEMA["json_schema"], "description": "GIRAFFE"}}}, "GIRAFFE"),
    "reasoning_effort": ({"reasoning_effort": "low"}, {"r": '"effort":"low"', "a": '"budget_tokens":1024', "g": '"thinkingBudget":1024', "b": '"budget_tokens":1024', "c": '"token_budget":1024'}),
    "reasoning_effort none": ({"reasoning_effort": "none"}, {"r": '"effort":"none"', "a": "hi", "g": '"thinkingBudget":0', "b": "hi", "c": '"type":"disabled"'}),
    "verbosity": ({"verbosity": "low"}, '"verbosity":"low"'),
    "user": ({"user": "ZEBRA"}, "ZEBRA"),
    "metadata": ({"metadata": {"k": "ZEBRA"}}, "ZEBRA"),
    "service_tier default": ({"service_tier": "default"}, {"a": '"service_tier":"standard_only"', "b": '"serviceTier":{"type":"default"}', "": '"service_tier":"default"'}),
    "service_tier flex": ({"service_tier": "flex"}, "flex"),
    "store true": ({"store": True}, '"store":true'),
    "prompt_cache_key": ({"prompt_cache_key": "ZEBRA"}, "ZEBRA"),
    "cache_control of a part": (said({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}), {"a": '"cache_control":{"type":"ephemeral"}', "b": '"cachePoint":{"type":"default"}'}),
    "cache_control: said by prompt_cache_breakpoint": (said({"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}),
                                                       {"r": '"prompt_cache_breakpoint":{"mode":"explicit"}', "a": '"cache_control":{"type":"ephemeral"}', "b": "cachePoint"}),
    "messages.name": (said(name="ZEBRA"), "ZEBRA"),
    "messages.image by value": (image(f"data:image/png;base64,{PNG}"), PNG),
    "messages.image by address": (image("https://example.com/zebra.png"), "zebra.png"),
    "messages.image in S3": (image("s3://bucket/zebra.jpg"), {"b": '"image":{"format":"jpeg","source":{"s3Location":{"uri":"s3://bucket/zebra.jpg"}}}', "": "zebra.jpg"}),
    "detail of an image": (image(f"data:image/png;base64,{PNG}", detail="low"), '"detail":"low"'),
    "messages.audio": (said({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}), WAV),
    "messages.document: a PDF by value": (said({"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}), PDF),
    "modalities with audio": ({"modalities": ["text", "audio"], "audio": None}, "modalities"),
    "web_search_options": ({"web_search_options": {"search_context_size": "low"}}, "search_context_size"),
    "prediction": ({"prediction": {"type": "content", "content": "ZEBRA"}}, "ZEBRA"),
    "guardrailConfig": ({"guardrailConfig": {"guardrailIdentifier": "ZEBRA", "guardrailVersion": "1"}}, "ZEBRA"),
    "requestMetadata": ({"requestMetadata": {"k": "ZEBRA"}}, "ZEBRA"),
    "documents": ({"documents": [{"data": {"text": "ZEBRA"}}]}, "ZEBRA"),
    "citation_options": ({"citation_options": {"mode": "ZEBRA"}}, "ZEBRA"),
    "safetySettings": ({"safetySettings": [{"category": "ZEBRA", "threshold": "OFF"}]}, "ZEBRA"),
    "cachedContent": ({"cachedContent": "cachedContents/ZEBRA"}, "ZEBRA"),
    "x_unknown, and whatever else": ({"x_unknown": "ZEBRA"}, "ZEBRA"),
}


def block(**b):
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}, b]}]}


DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
MESSAGES = {
    "max_tokens, temperature, top_p, stop_sequences": ({"max_tokens": 77, "temperature": 0.4321, "stop_sequences": ["ZEBRA"]}, "ZEBRA"),
    "top_k": ({"top_k": 4321}, "4321"),
    "metadata.user_id": ({"metadata": {"user_id": "ZEBRA"}}, '"user":"ZEBRA"'),
    "thinking": ({"thinking": {"type": "enabled", "budget_tokens": 4000}}, '"reasoning_effort":"medium"'),
    "thinking disabled, of gpt-5.1": ({"thinking": {"type": "disabled"}}, '"reasoning_effort":"none"'),
    "cache_control of a block": (block(type="text", text="x", cache_control={"type": "ephemeral"}), "cache_control"),
    "service_tier": ({"service_tier": "standard_only"}, "standard_only"),
    "container": ({"container": "ZEBRA"}, "ZEBRA"),
    "mcp_servers": ({"mcp_servers": [{"name": "ZEBRA"}]}, "ZEBRA"),
    "tools that Anthropic's servers run": ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "web_search"),
    "messages.citations of a document": (block(**DOCUMENT, citations={"enabled": True}), "citations"),
    "messages.search_result, and other blocks that are not known": (block(type="search_result", source="x", title="ZEBRA", content=[]), "ZEBRA"),
    "messages.document by address": (block(type="document", source={"type": "url", "url": "https://example.com/zebra.pdf"}), "zebra"),
}
RESPONSES = {
    "max_output_tokens, temperature, top_p": ({"max_output_tokens": 7777, "temperature": 0.5}, "7777"),
    "reasoning": ({"reasoning": {"effort": "high"}}, '"reasoning_effort":"high"'),
    "text.format": ({"text": {"format": {"type": "json_schema", "name": "a", "schema": {"title": "ZEBRA"}}}}, "ZEBRA"),
    "prompt_cache_key": ({"prompt_cache_key": "ZEBRA"}, "ZEBRA"),
    "metadata": ({"metadata": {"k": "ZEBRA"}}, "ZEBRA"),
    "text.verbosity": ({"text": {"verbosity": "low"}}, '"verbosity"'),
    "truncation": ({"truncation": "auto"}, "truncation"),
    "max_tool_calls": ({"max_tool_calls": 4321}, "4321"),
    "store true": ({"store": True}, "store"),
    "tools that OpenAI's servers run": ({"tools": [{"type": "web_search"}]}, "web_search"),
    "previous_response_id": ({"previous_response_id": "resp_ZEBRA"}, "ZEBRA"),
    "conversation": ({"conversation": "conv_ZEBRA"}, "ZEBRA"),
    "background true": ({"background": True}, "background"),
}
GOOGLE = {
    "maxOutputTokens, temperature, topP, stopSequences, seed, candidateCount": ({"generationConfig": {"maxOutputTokens": 7777, "stopSequences": ["x"], "candidateCount": 2}}, "7777"),
    "top_k": ({"generationConfig": {"topK": 4321}}, "4321"),
    "thinkingConfig": ({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}, '"reasoning_effort":"low"'),
    "responseJsonSchema": ({"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": {"title": "ZEBRA"}}}, "ZEBRA"),
    "safetySettings": ({"safetySettings": [{"category": "ZEBRA", "threshold": "OFF"}]}, "ZEBRA"),
    "labels": ({"labels": {"k": "ZEBRA"}}, "ZEBRA"),
    "generationConfig.mediaResolution": ({"generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}}, "MEDIA_RESOLUTION_LOW"),
    "generationConfig.speechConfig": ({"generationConfig": {"speechConfig": {"languageCode": "ZEBRA"}}}, "ZEBRA"),
    "tools that Google's servers run": ({"tools": [{"googleSearch": {}}]}, "googleSearch"),
    "cachedContent": ({"cachedContent": "cachedContents/ZEBRA"}, "ZEBRA"),
    "generationConfig.responseModalities": ({"generationConfig": {"responseModalities": ["AUDIO"]}}, "AUDIO"),
}
OTHERS = {"Messages": ("/v1/messages", {"max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}, MESSAGES),
          "Responses": ("/v1/responses", {"input": "hi"}, RESPONSES),
          "generateContent": ("/v1beta/models/{}:generateContent", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, GOOGLE)}


def rows(head):
    """The rows of the table whose first cell that is: the field's text without quotes, and its cells."""
    table = re.search(rf"^\| {head} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TABLES, re.M)
    for line in table[1].splitlines():
        first, *cells = [c.strip() for c in line.strip("|").split(" | ")]
        yield first.replace("`", "").strip(), [re.match(r"yes|dropped|refused( always)?", c.strip())[0] for c in cells]


ANSWERS = {
    "r": {"id": "r", "object": "response", "status": "completed", "model": "m", "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok", "annotations": []}]}]},
    "a": {"id": "a", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}},
    "g": {"candidates": [{"content": {"role": "model", "parts": [{"text": "ok"}]}, "finishReason": "STOP"}]},
    "b": {"output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}, "stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1}},
    "c": {"id": "c", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": [{"type": "text", "text": "ok"}]}},
    "o": {"id": "o", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]},
}
TARGETS = {"r": ("openai-responses", "gpt-5.1"), "a": ("anthropic", "claude-sonnet-4-5"), "g": ("gemini", "gemini-2.5-flash"), "b": ("bedrock", "us.anthropic.claude-sonnet-4-5-v1:0"),
           "c": ("cohere", "command-a-reasoning-08-2025"), "o": ("openai", "gpt-5.1")}


@pytest.fixture
def over(gateway, provider):
    """Models named by their target and policy: `g` is Gemini's, `g-drop` and `g-refuse` the same with that policy."""
    p = provider(lambda r: [http(200, ANSWERS[r.path.split("/")[1]])])
    providers = {name: {"dialect": dialect, "base_url": f"{p.url.removesuffix('/v1')}/{name}", "api_key": "k", "allow_private_address": True, "responses": "translate"}
                 for name, (dialect, _) in TARGETS.items()}
    providers["o"]["preset"] = "openai"
    providers["r"]["preset"] = "openai"
    models = {name + ("" if policy == "auto" else "-" + policy): {"targets": [{"target": f"{name}/{TARGETS[name][1]}", "features": ["tools", "reasoning", "vision", "json_schema"]}], "on_unsupported": policy}
              for name in TARGETS for policy in ("auto", "drop", "refuse")}
    return p, gateway({"providers": {k: {x: y for x, y in v.items() if k not in "or" or x != "responses" or k == "o"} for k, v in providers.items()}, "models": models, "breaker": "off", "workers": 1})


def check(p, g, row, to, cell, ask, found):
    """`ask(model)` sends it. What is carried is found in what was sent, what is dropped is named, what is refused is the parameter."""
    field = re.split("[ ,:]", row)[0]
    mark = found if isinstance(found, str) else found.get(to, found.get("", "nothing of it"))
    for policy, want in (("", cell), ("-drop", "dropped"), ("-refuse", "refused")):
        want = cell if cell in ("yes", "refused always") else want
        p.requests.clear()
        r = ask(to + policy)
        sent = json.dumps(p.requests[0].json, separators=(",", ":")) if p.requests else ""
        dropped = r.headers.get("x-weir-dropped", "").split(",")
        why = (row, to + policy, want, r.status, dropped, r.body[:200], sent[:600])
        if want.startswith("refused"):
            told = r.json["error"].get("param")
            assert r.status == 400 and not sent and (told == field if "param" in r.json["error"] else field in r.json["error"]["message"]), why
        else:
            assert r.status == 200 and (field in dropped if want == "dropped" else dropped == [""]), why
            assert mark in sent if want == "yes" else mark.startswith('"max_output') or mark not in sent, why


def test_every_field_of_chat_completions(over):
    p, g = over
    seen = set()
    for row, cells in rows("field"):
        body, found = CHAT[row]
        seen.add(row)
        for to, cell in zip(COLUMNS.values(), cells):
            ask = {"messages": [{"role": "user", "content": "hi"}], **body}
            # A document that cannot be read is named as a file by those that take none by address.
            check(p, g, row, to, cell, lambda m: g.request("POST", "/v1/chat/completions", {"model": m, **ask}), found)
    assert seen == set(CHAT)
    assert g.metric("weir_fields_dropped_total", model="a") > 10


@pytest.mark.parametrize("caller", OTHERS)
def test_every_field_of(over, caller):
    p, g = over
    path, body, table = OTHERS[caller]
    seen = set()
    for row, (cell,) in rows(f"field of {caller}"):
        more, found = table[row]
        seen.add(row)
        check(p, g, row, "o", cell, lambda m: g.request("POST", path.format(m), {**({} if "{" in path else {"model": m}), **body, **more}), found)
    assert seen == set(table)

"""Each caller's dialect over each provider's, feature by feature: tests/cases/matrix."""
import json

import pytest

from mock_provider import LAST_CHUNK, MockProvider, chunk, http, stream_head
from test_over_bedrock import HEAD as BINARY, event as frame
from weir import ROOT, Gateway

CASES = {f.stem: json.loads(f.read_text()) for f in sorted((ROOT / "tests/cases/matrix").glob("*.json"))}
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages", "gemini": "/v1beta/models/{}:generateContent"}
DIALECTS = {"chat": "openai", "responses": "openai-responses", "messages": "anthropic", "gemini": "gemini", "bedrock": "bedrock", "cohere": "cohere"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    now = {}
    p = MockProvider(lambda r: now["streams"](now["answers"]) if now.get("streams") else [http(now["status"], now["answers"])])
    root = p.url.removesuffix("/v1")
    base = {"chat": p.url, "responses": p.url, "messages": p.url, "gemini": root + "/v1beta", "bedrock": root, "cohere": root + "/v2"}
    g = Gateway(tmp_path_factory.mktemp("matrix"), {
        "providers": {n: {"dialect": d, "base_url": base[n], "api_key": "k", "allow_private_address": True, **({"responses": "translate"} if n == "chat" else {})} for n, d in DIALECTS.items()},
        "models": {n: {"targets": [n + "/gemini-2.5-real"], "on_unsupported": "drop"} for n in DIALECTS}, "breaker": "off", "retry": {"attempts": 1}})
    yield now, p, g
    g.stop(0)
    p.stop()


def differences(want, got, at=""):
    """Where `got` lacks what is wanted."""
    if at.endswith(".arguments") and isinstance(got, str):     # JSON, however it is spaced
        return differences(json.loads(want), json.loads(got), at + "()")
    if isinstance(want, dict) and isinstance(got, dict):
        return [d for k, v in want.items() for d in (differences(v, got[k], f"{at}.{k}") if k in got else [f"{at}.{k} is missing"])]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [d for i, (w, g) in enumerate(zip(want, got)) for d in differences(w, g, f"{at}[{i}]")]
    return [] if want == got else [f"{at}: {got!r} instead of {want!r}"]


@pytest.mark.parametrize("feature,caller,target", [(f, c, p) for f, case in CASES.items() for c in case["callers"] for p in case["providers"]])
def test_cell(running, feature, caller, target):
    now, p, g = running
    asked, answered = CASES[feature]["callers"][caller], CASES[feature]["providers"][target]
    now.update(streams=None, status=CASES[feature]["status"], answers=answered["answers"])
    body = asked["asks"] if caller == "gemini" else {"model": target, **asked["asks"]}
    r = g.request("POST", PATHS[caller].format(target), body)
    assert r.status == CASES[feature]["status"], r.body
    assert differences(answered["sees"], p.requests[-1].json) == []
    assert differences(asked["gets"], r.json) == []


# --- the same as streams ---

def events(*of, named=False):
    return [stream_head(), *(chunk((f"event: {e['type']}\n" if named else "") + f"data: {json.dumps(e)}\n\n") for e in of)]


def halves(text):
    return text[:len(text) // 2], text[len(text) // 2:]


def chat_stream(answer):
    c = answer["choices"][0]
    deltas = [{"content": h} for h in halves(c["message"]["content"] or "")]
    for i, call in enumerate(c["message"].get("tool_calls", [])):
        deltas.append({"tool_calls": [{**call, "index": i, "function": {"name": call["function"]["name"], "arguments": ""}}]})
        deltas += [{"tool_calls": [{"index": i, "function": {"arguments": h}}]} for h in halves(call["function"]["arguments"])]
    of = [{"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas] + [{"choices": [{"index": 0, "delta": {}, "finish_reason": c["finish_reason"]}]}]
    return [*events(*of, {"choices": [], "usage": answer["usage"]}), chunk("data: [DONE]\n\n"), LAST_CHUNK]


def messages_stream(answer):
    of = [{"type": "message_start", "message": {**answer, "content": [], "stop_reason": None}}]
    for i, b in enumerate(answer["content"]):
        call = b["type"] == "tool_use"
        of.append({"type": "content_block_start", "index": i, "content_block": {**b, **({"input": {}} if call else {"text": ""})}})
        of += [{"type": "content_block_delta", "index": i, "delta": {"type": "input_json_delta", "partial_json": h} if call else {"type": "text_delta", "text": h}}
               for h in halves(json.dumps(b["input"]) if call else b["text"])]
        of.append({"type": "content_block_stop", "index": i})
    of += [{"type": "message_delta", "delta": {"stop_reason": answer["stop_reason"]}, "usage": {"output_tokens": 5}}, {"type": "message_stop"}]
    return [*events(*of, named=True), LAST_CHUNK]


def gemini_stream(answer):
    c = answer["candidates"][0]
    of = [{**answer, "candidates": [{"index": 0, "content": {"role": "model", "parts": [p]}}]} for p in c["content"]["parts"]]
    of[-1]["candidates"][0]["finishReason"] = c["finishReason"]
    return [*events(*of), LAST_CHUNK]


def bedrock_stream(answer):
    of = [frame("messageStart", role="assistant")]
    for i, b in enumerate(answer["output"]["message"]["content"]):
        call = b.get("toolUse")
        if call:
            of.append(frame("contentBlockStart", contentBlockIndex=i, start={"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}))
        of += [frame("contentBlockDelta", contentBlockIndex=i, delta={"toolUse": {"input": h}} if call else {"text": h})
               for h in halves(json.dumps(call["input"]) if call else b["text"])]
        of.append(frame("contentBlockStop", contentBlockIndex=i))
    of += [frame("messageStop", stopReason=answer["stopReason"]), frame("metadata", usage=answer["usage"], metrics={"latencyMs": 1})]
    return [BINARY, *(chunk(x) for x in of), LAST_CHUNK]


def responses_stream(answer):
    of = [{"type": "response.created", "response": {**answer, "status": "in_progress", "output": [], "usage": None}}]
    for i, item in enumerate(answer["output"]):
        call = item["type"] == "function_call"
        of.append({"type": "response.output_item.added", "output_index": i, "item": {**item, "status": "in_progress", **({"arguments": ""} if call else {"content": []})}})
        kind, text = ("function_call_arguments", item["arguments"]) if call else ("output_text", item["content"][0]["text"])
        of += [{"type": f"response.{kind}.delta", "output_index": i, "item_id": item["id"], "delta": h} for h in halves(text)]
        of.append({"type": "response.output_item.done", "output_index": i, "item": item})
    of.append({"type": "response.completed", "response": answer})
    return [*events(*({**e, "sequence_number": i} for i, e in enumerate(of)), named=True), LAST_CHUNK]


def cohere_stream(answer):
    of = [{"type": "message-start", "id": answer["id"], "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}}]
    for i, b in enumerate(answer["message"].get("content", [])):
        of += [{"type": "content-start", "index": i, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
               *({"type": "content-delta", "index": i, "delta": {"message": {"content": {"text": h}}}} for h in halves(b["text"])), {"type": "content-end", "index": i}]
    for i, call in enumerate(answer["message"].get("tool_calls", [])):
        of += [{"type": "tool-call-start", "index": i, "delta": {"message": {"tool_calls": {**call, "function": {"name": call["function"]["name"], "arguments": ""}}}}},
               *({"type": "tool-call-delta", "index": i, "delta": {"message": {"tool_calls": {"function": {"arguments": h}}}}} for h in halves(call["function"]["arguments"])),
               {"type": "tool-call-end", "index": i}]
    of.append({"type": "message-end", "delta": {"finish_reason": answer["finish_reason"], "usage": answer["usage"]}})
    return [*events(*of, named=True), chunk("data: [DONE]\n\n"), LAST_CHUNK]


STREAMS = {"chat": chat_stream, "responses": responses_stream, "messages": messages_stream, "gemini": gemini_stream, "bedrock": bedrock_stream, "cohere": cohere_stream}


def heard(caller, body):
    """Text, and calls with id, name and arguments, of a plain answer or of a stream's events in the caller's dialect."""
    text, calls = "", {}
    for d in body:
        if caller == "chat":
            for c in d.get("choices", []):
                m = c.get("delta") or c.get("message") or {}
                text += m.get("content") or ""
                for i, k in enumerate(m.get("tool_calls") or []):
                    x = calls.setdefault(k.get("index", i), ["", "", ""])
                    x[0], x[1], x[2] = x[0] or k.get("id", ""), x[1] or k["function"].get("name", ""), x[2] + k["function"].get("arguments", "")
        elif caller == "responses":
            for i, item in enumerate((d.get("response") or {}).get("output", []) if d.get("type") == "response.completed" else d.get("output", [])):
                if item["type"] == "function_call":
                    calls[i] = [item["call_id"], item["name"], item["arguments"]]
                text += "".join(c.get("text", "") for c in item.get("content") or [])
        elif caller == "messages":
            for i, b in enumerate(d.get("content", []) if "content" in d else [d["content_block"]] if "content_block" in d else []):
                if b["type"] == "tool_use":
                    calls[d.get("index", i)] = [b["id"], b["name"], json.dumps(b["input"]) if b["input"] else ""]
                text += b.get("text", "")
            delta = d.get("delta", {})
            text += delta.get("text", "")
            if "partial_json" in delta:
                calls[d["index"]][2] += delta["partial_json"]
        else:
            for p in d["candidates"][0]["content"]["parts"]:
                text += p.get("text", "")
                if "functionCall" in p:
                    calls[len(calls)] = [p["functionCall"]["id"], p["functionCall"]["name"], json.dumps(p["functionCall"]["args"])]
    return text, [(i, n, json.loads(a)) for i, n, a in calls.values()]


@pytest.mark.parametrize("feature,caller,target", [(f, c, p) for f, case in CASES.items() if case["status"] == 200 and case.get("streams", True) for c in case["callers"] for p in case["providers"]])
def test_streamed_cell(running, feature, caller, target):
    now, p, g = running
    asked, answered = CASES[feature]["callers"][caller], CASES[feature]["providers"][target]
    now.update(streams=STREAMS[target], answers=answered["answers"])
    body = asked["asks"] if caller == "gemini" else {"model": target, "stream": True, **asked["asks"]}
    path = PATHS[caller].format(target).replace(":generateContent", ":streamGenerateContent?alt=sse")
    r = g.request("POST", path, body)
    assert r.status == 200, r.body
    text = r.body.decode() if isinstance(r.body, bytes) else r.body
    got = [json.loads(x.removeprefix("data:")) for x in text.replace("\r", "").split("\n") if x.startswith("data:") and "[DONE]" not in x]
    assert differences(answered["sees"], p.requests[-1].json) == []
    assert heard(caller, got) == heard(caller, [asked["gets"]])

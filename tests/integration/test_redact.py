"""Personal data stays in the house: the vendor sees placeholders, the caller what they stand for."""
import json
import subprocess

import anthropic
import openai
import pytest
from google import genai

from conftest import config_for
from mock_provider import LAST_CHUNK, chunk, completion, delta, event, http, stream_head
from weir import BINARY

MAIL, CARD = "ada@example.org", "4111 1111 1111 1111"
SAID = f"I am {MAIL}, my card is {CARD}."
SEEN = "I am [EMAIL_1], my card is [CARD_1]."


def said_of(request):
    """The last text of the conversation, as the vendor gets it."""
    content = request.json["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def echo(request):
    text = "You said: " + said_of(request)
    if not request.stream:
        return [http(200, completion(text))]
    return [stream_head(), *(chunk(delta(c)) for c in text), chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK]


@pytest.fixture
def redacting(gateway, provider):
    def start(script=echo, config=None, **more):
        p = provider(script)
        return gateway(config_for(p, plugins=[{"name": "redact", **({"config": config} if config else {})}], **more)), p
    return start


def test_the_vendor_sees_placeholders_in_every_format(redacting):
    g, p = redacting()
    o = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0)
    a = anthropic.Anthropic(base_url=g.url[:-3], api_key="x", max_retries=0)
    e = genai.Client(api_key="x", http_options={"base_url": g.url[:-3]})
    messages = [{"role": "user", "content": SAID}]
    want = "You said: " + SAID
    assert o.chat.completions.create(model="m", messages=messages).choices[0].message.content == want
    assert "".join(c.choices[0].delta.content or "" for c in o.chat.completions.create(model="m", messages=messages, stream=True)) == want
    assert a.messages.create(model="m", max_tokens=99, messages=messages).content[0].text == want
    with a.messages.stream(model="m", max_tokens=99, messages=messages) as s:
        assert s.get_final_text() == want
    assert e.models.generate_content(model="m", contents=SAID).text == want
    assert "".join(c.text or "" for c in e.models.generate_content_stream(model="m", contents=SAID)) == want
    assert [said_of(r) for r in p.requests] == [SEEN] * 6
    assert MAIL not in g.logs() and "1111 1111" not in g.logs()
    assert 'weir_plugin_hits_total{plugin="redact",name="EMAIL"} 6' in g.metrics()


def test_responses(gateway, provider):
    def script(request):
        text = "You said: " + request.json["input"]
        return [http(200, {"id": "r", "object": "response", "status": "completed", "model": "mock", "output": [
            {"type": "message", "id": "m", "role": "assistant", "status": "completed",
             "content": [{"type": "output_text", "text": text, "annotations": []}]},
            {"type": "function_call", "id": "f", "call_id": "c", "name": "mail", "arguments": '{"to":"[EMAIL_1]"}', "status": "completed"}]})]
    p = provider(script)
    g = gateway(config_for(p, plugins=[{"name": "redact"}]))
    r = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0).responses.create(model="m", input=SAID)
    assert r.output_text == "You said: " + SAID and r.output[1].arguments == json.dumps({"to": MAIL}, separators=(",", ":"))
    assert p.requests[-1].json["input"] == SEEN


def test_responses_as_a_stream_cut_at_each_letter(gateway, provider):
    """Text and arguments, in pieces and in the events that say them again whole."""
    def script(request):
        text, arguments = "You said: " + request.json["input"], '{"to":"[EMAIL_1]"}'
        message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]}
        call = {"type": "function_call", "id": "f", "call_id": "c", "name": "mail", "arguments": arguments, "status": "completed"}
        response = {"id": "r", "object": "response", "created_at": 1, "status": "completed", "model": "mock", "output": [message, call], "parallel_tool_calls": True,
                    "tool_choice": "auto", "tools": []}
        m, f = {"item_id": "m", "output_index": 0, "content_index": 0}, {"item_id": "f", "output_index": 1}
        events = [("created", {"response": {**response, "status": "in_progress", "output": []}}),
                  ("output_item.added", {"output_index": 0, "item": {**message, "status": "in_progress", "content": []}}),
                  ("content_part.added", {**m, "part": {"type": "output_text", "text": "", "annotations": []}}),
                  *(("output_text.delta", {**m, "delta": c}) for c in text), ("output_text.done", {**m, "text": text}),
                  ("content_part.done", {**m, "part": message["content"][0]}), ("output_item.done", {"output_index": 0, "item": message}),
                  ("output_item.added", {"output_index": 1, "item": {**call, "status": "in_progress", "arguments": ""}}),
                  *(("function_call_arguments.delta", {**f, "delta": c}) for c in arguments),
                  ("function_call_arguments.done", {**f, "arguments": arguments}), ("output_item.done", {"output_index": 1, "item": call}),
                  ("completed", {"response": response})]
        return [stream_head(), *(chunk(f"event: response.{n}\ndata: " + json.dumps({"type": "response." + n, "sequence_number": i, **d}) + "\n\n")
                                 for i, (n, d) in enumerate(events)), LAST_CHUNK]
    p = provider(script)
    g = gateway(config_for(p, plugins=[{"name": "redact"}]))
    text = arguments = ""
    with openai.OpenAI(base_url=g.url, api_key="x", max_retries=0).responses.stream(model="m", input=SAID) as s:
        for e in s:
            text += e.delta if e.type == "response.output_text.delta" else ""
            arguments += e.delta if e.type == "response.function_call_arguments.delta" else ""
            assert "[EMAIL_1]" not in repr(e) and "[CARD_1]" not in repr(e)
        r = s.get_final_response()
    assert text == r.output_text == "You said: " + SAID
    assert json.loads(arguments) == json.loads(r.output[1].arguments) == {"to": MAIL}


CALL = '{"to":"[EMAIL_1]","text":"from [EMAIL_2]"}'


def calls(request):
    whole = {"id": "c1", "type": "function", "function": {"name": "mail", "arguments": CALL}}
    if not request.stream:
        return [http(200, {**completion(None), "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": None, "tool_calls": [whole]}}]})]
    parts = [{"tool_calls": [{"index": 0, **whole, "function": {"name": "mail", "arguments": ""}}]}]
    parts += [{"tool_calls": [{"index": 0, "function": {"arguments": c}}]} for c in CALL]
    return [stream_head(), *(chunk(event({"choices": [{"index": 0, "delta": d, "finish_reason": None}]})) for d in parts),
            chunk(delta(finish="tool_calls")), chunk(event("[DONE]")), LAST_CHUNK]


def test_tools_get_the_true_values_and_their_results_are_hidden(redacting):
    g, p = redacting(calls)
    o = openai.OpenAI(base_url=g.url, api_key="x", max_retries=0)
    a = anthropic.Anthropic(base_url=g.url[:-3], api_key="x", max_retries=0)
    tools = [{"type": "function", "function": {"name": "mail", "parameters": {"type": "object"}}}]
    want = {"to": MAIL, "text": "from bob@example.org"}
    history = [{"role": "user", "content": f"mail {MAIL} from bob@example.org"},
               {"role": "assistant", "content": None, "tool_calls": [
                   {"id": "c0", "type": "function", "function": {"name": "mail", "arguments": json.dumps({"to": "carl@example.org", "pin": 4111111111111111})}}]},
               {"role": "tool", "tool_call_id": "c0", "content": "carl@example.org is gone"}]
    r = o.chat.completions.create(model="m", messages=history, tools=tools)
    assert json.loads(r.choices[0].message.tool_calls[0].function.arguments) == want
    sent = p.requests[-1].json["messages"]
    assert json.loads(sent[1]["tool_calls"][0]["function"]["arguments"]) == {"to": "[EMAIL_3]", "pin": "[CARD_1]"}
    assert sent[2]["content"] == "[EMAIL_3] is gone"
    pieces = o.chat.completions.create(model="m", messages=history, tools=tools, stream=True)
    got = "".join(c.choices[0].delta.tool_calls[0].function.arguments for c in pieces if c.choices and c.choices[0].delta.tool_calls)
    assert json.loads(got) == want
    ask = {"model": "m", "max_tokens": 99, "tools": [{"name": "mail", "input_schema": {"type": "object"}}], "messages": [
        {"role": "user", "content": f"mail {MAIL} from bob@example.org"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c0", "name": "mail", "input": {"to": "carl@example.org"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c0", "content": "carl@example.org is gone"}]}]}
    assert a.messages.create(**ask).content[-1].input == want
    assert "carl@" not in p.requests[-1].body.decode()
    with a.messages.stream(**ask) as s:
        assert s.get_final_message().content[-1].input == want
    e = genai.Client(api_key="x", http_options={"base_url": g.url[:-3]})
    ask = {"model": "m", "contents": f"mail {MAIL} from bob@example.org", "config": {
        "tools": [{"function_declarations": [{"name": "mail", "parameters": {"type": "OBJECT", "properties": {"to": {"type": "STRING"}}}}]}]}}
    assert e.models.generate_content(**ask).function_calls[0].args == want
    assert [c.args for x in e.models.generate_content_stream(**ask) for c in x.function_calls or []] == [want]


def test_a_conversation_keeps_its_placeholders(redacting):
    g, p = redacting()
    talk = [{"role": "user", "content": f"I am {MAIL}"}, {"role": "assistant", "content": f"Hello {MAIL}"},
            {"role": "user", "content": f"Tell bob@example.org that {MAIL} called"}]
    r = g.request("POST", "/v1/chat/completions", {"model": "m", "messages": talk})
    assert [m["content"] for m in p.requests[-1].json["messages"]] == [
        "I am [EMAIL_1]", "Hello [EMAIL_1]", "Tell [EMAIL_2] that [EMAIL_1] called"]
    assert r.json["choices"][0]["message"]["content"] == "You said: " + talk[-1]["content"]


def test_what_cannot_be_undone_stays_and_what_looks_like_ours_is_kept_apart(redacting):
    g, p = redacting(lambda r: [http(200, completion("[EMAIL_1] [EMAIL_2] [PHONE_1] [TEXT_1] [email_1]"))])
    r = g.chat(text=f"[EMAIL_1] is what {MAIL} wrote")
    assert said_of(p.requests[-1]) == "[TEXT_1] is what [EMAIL_1] wrote"
    assert r.json["choices"][0]["message"]["content"] == f"{MAIL} [EMAIL_2] [PHONE_1] [EMAIL_1] [email_1]"


def test_kinds_own_patterns_and_no_way_back(redacting):
    g, p = redacting(config={"kinds": ["card"], "patterns": {"badge": r"E-\d{4}"}, "restore": False})
    r = g.chat(text=f"E-1234 {MAIL} {CARD}")
    assert r.json["choices"][0]["message"]["content"] == f"You said: [BADGE_1] {MAIL} [CARD_1]"


def test_a_request_without_personal_data_is_relayed_untouched(redacting):
    g, p = redacting()
    raw = b'{ "model":"m",  "messages":[{"role":"user","content":"no\\u0020one 12.50"}]}'
    assert g.request("POST", "/v1/chat/completions", raw).status == 200
    assert p.requests[-1].body == raw.replace(b'"m"', b'"mock"')


def test_too_much_is_refused(redacting):
    g, p = redacting()
    r = g.chat(text=" ".join(f"u{i}@example.org" for i in range(5000)))
    assert r.status == 400 and r.error["code"] == "not_redacted" and p.requests == []


@pytest.mark.parametrize("config, told", [
    ({"kind": ["card"]}, "redact has no `kind`"), ({"kinds": ["cards"]}, "`cards` is none of email"), ({"kinds": "card"}, "expected a list"),
    ({"patterns": {"a": "("}}, "`a`: missing closing parenthesis"), ({"patterns": {"a b": "x"}}, "its name must be letters"),
    ({"restore": "maybe"}, "expected true or false"),
])
def test_mistakes_are_told_with_their_place(tmp_path, config, told):
    (tmp_path / "weir.yaml").write_text(json.dumps({"plugins": [{"name": "redact", "config": config}]}))
    r = subprocess.run([BINARY, "check", "-c", "weir.yaml"], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 2 and told in r.stderr and "weir.yaml:1:" in r.stderr, r.stderr

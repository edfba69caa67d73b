"""Real coding agents do a task with tools, and the model behind weir is another vendor's."""
import json
import os
import subprocess

import pytest

from mock_provider import LAST_CHUNK, chunk, http, stream_head
from weir import ROOT

pytestmark = pytest.mark.slow
BIN = ROOT / "tests" / "agents" / "node_modules" / ".bin"
NOTE = "weirs regulate rivers\n"


# --- models that use one tool and say that they have done so ---

def call_for(tools, directory):
    """Which of the tools that are offered writes the note, and how."""
    path, command = str(directory / "note.txt"), f"printf %s '{NOTE}' > {directory}/note.txt"
    known = {"Write": {"file_path": path, "content": NOTE}, "Bash": {"command": command, "description": "Write the note"},
             "shell": {"command": ["bash", "-lc", command]}, "shell_command": {"command": command}, "exec_command": {"cmd": command}}
    return next(((n, a) for n, a in known.items() if n in tools), None)


def chat_model(directory):
    def script(request):
        body = request.json
        tools = [t["function"]["name"] for t in body.get("tools", [])]
        done = any(m["role"] == "tool" for m in body["messages"])
        call = None if done else call_for(tools, directory)
        delta = {"role": "assistant", "content": "The note is written." if done else "Fine."}
        if call:
            delta = {"role": "assistant", "tool_calls": [{"index": 0, "id": "call_1", "type": "function",
                                                         "function": {"name": call[0], "arguments": json.dumps(call[1])}}]}
        usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
        finish = "tool_calls" if call else "stop"
        if not body.get("stream"):
            return [http(200, {"id": "c", "object": "chat.completion", "model": "x", "usage": usage,
                               "choices": [{"index": 0, "message": delta, "finish_reason": finish}]})]
        events = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
                  {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}, {"choices": [], "usage": usage}]
        return [stream_head(), *(chunk(f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'model': 'x', **e})}\n\n") for e in events),
                chunk("data: [DONE]\n\n"), LAST_CHUNK]
    return script


def gemini_model(directory):
    def script(request):
        body = request.json
        tools = [f["name"] for t in body.get("tools", []) for f in t.get("functionDeclarations", [])]
        done = any("functionResponse" in p for c in body["contents"] for p in c["parts"])
        call = None if done else call_for(tools, directory)
        part = {"text": "The note is written." if done else "Fine."}
        if call:
            part = {"functionCall": {"name": call[0], "args": call[1]}, "thoughtSignature": "c2lnbmVk"}
        answer = {"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}], "modelVersion": "x",
                  "usageMetadata": {"promptTokenCount": 20, "candidatesTokenCount": 5, "totalTokenCount": 25}}
        if ":stream" not in request.path:
            return [http(200, answer)]
        return [stream_head(), chunk(f"data: {json.dumps(answer)}\r\n\r\n"), LAST_CHUNK]
    return script


@pytest.fixture(params=["openai", "gemini"])
def other_vendor(request, gateway, provider, tmp_path):
    """weir before a model of that vendor's format, and the directory it writes its note into."""
    directory = tmp_path / "work"
    directory.mkdir()
    p = provider({"openai": chat_model, "gemini": gemini_model}[request.param](directory))
    base = p.url if request.param == "openai" else p.url.removesuffix("/v1") + "/v1beta"
    g = gateway({"providers": {"p": {"dialect": request.param, "base_url": base, "api_key": "k", "allow_private_address": True, "responses": "translate"}},
                 "models": {"*": {"targets": ["p/other-model"]}}})
    return g, p, directory


def run(command, directory, home, **environment):
    home.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb", **environment}
    return subprocess.run(command, cwd=directory, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150)


def assert_done(r, g, p, directory):
    assert r.returncode == 0 and "The note is written." in r.stdout, (r.stdout[-3000:], r.stderr[-3000:], g.logs()[-3000:])
    assert (directory / "note.txt").read_text() == NOTE
    assert len(p.requests) >= 2


TASK = "Write the words 'weirs regulate rivers' into note.txt in this directory."


def test_claude_code(other_vendor, tmp_path):
    g, p, directory = other_vendor
    r = run([BIN / "claude", "-p", TASK, "--allowedTools", "Write,Bash", "--permission-mode", "acceptEdits", "--model", "sonnet"],
            directory, tmp_path / "home", ANTHROPIC_BASE_URL=g.url.removesuffix("/v1"), ANTHROPIC_API_KEY="sk-app",
            CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1", DISABLE_AUTOUPDATER="1")
    assert_done(r, g, p, directory)


def test_codex(other_vendor, tmp_path):
    g, p, directory = other_vendor
    provider = f'model_providers.weir={{name="weir",base_url="{g.url}",wire_api="responses",env_key="WEIR_KEY"}}'
    r = run([BIN / "codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "-c", provider,
             "-c", 'model_provider="weir"', "-m", "gpt-5-codex", TASK], directory, tmp_path / "home", WEIR_KEY="sk-app")
    assert_done(r, g, p, directory)

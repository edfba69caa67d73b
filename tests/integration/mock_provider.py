"""A provider that does exactly what a test scripts, on raw sockets, in a thread of its own.

Each request is recorded with its bytes. What is answered is decided by `script`, a function
from the request to a list of steps, or by rules for model names:

    bytes            sent as they are
    ("sleep", s)     waits
    ("until", f)     waits for a condition
    ("hang",)        waits until the peer leaves
    ("reset",)       closes with a TCP reset
    ("close",)       closes orderly
"""
import asyncio
import json
import random
import socket
import struct
import threading
import time


class Request:
    def __init__(self, head, body, connection):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ", 2)
        self.headers = {}
        for line in lines[1:]:
            if line:
                name, value = line.split(":", 1)
                self.headers.setdefault(name.lower(), value.strip())
        self.head, self.body, self.connection = head, body, connection
        self.at = time.monotonic()
        self.hung_up_at = None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def model(self):
        try:
            return self.json.get("model", "")
        except (ValueError, AttributeError):
            return ""

    @property
    def stream(self):
        try:
            return bool(self.json.get("stream"))
        except (ValueError, AttributeError):
            return False


def http(status, body, content_type="application/json", headers=()):
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    head += "".join(f"{n}: {v}\r\n" for n, v in headers)
    return head.encode() + b"\r\n" + body


def stream_head(content_type="text/event-stream"):
    return f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n".encode()


def chunk(data):
    if isinstance(data, str):
        data = data.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def event(data):
    return "data: " + (data if isinstance(data, str) else json.dumps(data)) + "\n\n"


def delta(text=None, finish=None, role=None, **more):
    d = {}
    if role:
        d["role"] = role
    if text is not None:
        d["content"] = text
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock",
                  "choices": [{"index": 0, "delta": d, "finish_reason": finish}], **more})


def usage_event(prompt=10, completion=3):
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock", "choices": [],
                  "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}})


def completion(text="hello", model="mock", **more):
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}, **more}


def error(status, message="no", code=None, type="api_error", headers=()):
    return [http(status, {"error": {"message": message, "type": type, "param": None, "code": code}}, headers=headers)]


def good_stream(words=("Hel", "lo"), usage=True, pause=0):
    steps = [stream_head(), chunk(delta("", role="assistant"))]
    for w in words:
        if pause:
            steps.append(("sleep", pause))
        steps.append(chunk(delta(w)))
    steps.append(chunk(delta(finish="stop")))
    if usage:
        steps.append(chunk(usage_event()))
    return steps + [chunk(event("[DONE]")), LAST_CHUNK]


def good(request):
    """What a healthy vendor does."""
    if request.stream:
        options = request.json.get("stream_options") or {}
        return good_stream(usage=bool(options.get("include_usage")))
    return [http(200, completion(model=request.model))]


def recorded(status, type, body, cuts=0, seed=0):
    """An answer as it was recorded, whole or cut at so many places."""
    at = [0, *sorted(random.Random(seed).sample(range(1, len(body)), min(cuts, len(body) - 1))), len(body)]
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {type}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    return [head, *(chunk(body[a:b]) for a, b in zip(at, at[1:])), LAST_CHUNK]


class MockProvider:
    def __init__(self, script=good, ssl=None):
        self.script = script
        self.requests = []
        self.connections = 0
        self.ssl = ssl
        self._writers = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    @property
    def url(self):
        return f"http{'s' if self.ssl else ''}://127.0.0.1:{self.port}/v1"

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.ssl, limit=1 << 26, backlog=1024))
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.close()

    async def _read_body(self, reader, head):
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            body = b""
            while True:
                size = int((await reader.readline()).split(b";")[0], 16)
                data = await reader.readexactly(size + 2)
                if size == 0:
                    return body
                body += data[:-2]
        for line in lower.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return await reader.readexactly(int(line.split(b":")[1]))
        return b""

    async def _play(self, steps, reader, writer, request):
        for step in steps:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif step[0] == "sleep":
                await asyncio.sleep(step[1])
            elif step[0] == "until":
                while not step[1]():
                    await asyncio.sleep(0.005)
            elif step[0] == "hang":
                await reader.read(1)
                request.hung_up_at = time.monotonic()
                return False
            elif step[0] == "reset":
                s = writer.get_extra_info("socket")
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return False
            elif step[0] == "close":
                return False
        return True

    async def _serve(self, reader, writer):
        self.connections += 1
        number = self.connections
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = Request(head[:-4], b"", number)
                request.body = await self._read_body(reader, head)
                self.requests.append(request)
                if not await self._play(self.script(request), reader, writer, request):
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            if self.requests and self.requests[-1].connection == number:
                self.requests[-1].hung_up_at = time.monotonic()
        finally:
            writer.close()
            self._writers.discard(writer)

    def stop(self):
        async def end():
            self._server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for t in tasks:
                t.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)      # the sockets are closed with the next turn
            self._loop.stop()
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(end(), self._loop)
            self._thread.join(5)

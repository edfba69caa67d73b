"""A steady load from processes of their own: a quick provider, and callers that count what failed or was cut.

    python load.py provider                                 prints its port; serves until its parent ends
    python load.py callers PORT SECONDS RATE STREAMS [KEY [PART]]
        prints the counts, and the 99th percentile, also of each part of so many seconds, as JSON
"""
import asyncio
import json
import sys
import time

ANSWER = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "mock",
                     "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
                     "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}}).encode()
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENTS, PACE = 30, 0.1


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(delta, finish=None):
    return chunk(b"data: " + json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock",
                                         "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode() + b"\n\n")


WORD = event({"content": "word"})
END = event({}, "stop") + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Provider(asyncio.Protocol):
    def __init__(self):
        self.buffer = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        if b'"stream":true' in rest[:length]:
            self.transport.write(HEAD)
            self.tick(EVENTS)
        else:
            self.transport.write(PLAIN)

    def tick(self, left):
        if self.transport.is_closing():
            return
        self.transport.write(WORD if left else END)
        if left:
            asyncio.get_running_loop().call_later(PACE, self.tick, left - 1)


async def provide():
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # the parent's end


KEY = b"authorization: Bearer %s\r\n" % sys.argv[6].encode() if len(sys.argv) > 6 else b""
PART = float(sys.argv[7]) if len(sys.argv) > 7 else 10**9


def request(stream):
    body = b'{"model":"m","messages":[{"role":"user","content":"hi"}]%s}' % (b',"stream":true' if stream else b"")
    return (b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s"
            % (KEY, len(body), body))


class Counts:
    requests = streams = failed = cut = 0
    example = None

    def __init__(self):
        self.began, self.took = time.monotonic(), []

    @property
    def p99_ms(self):
        return p99_ms([took for _, took in self.took])

    @property
    def p99_ms_by_part(self):
        parts = {}
        for at, took in self.took:
            parts.setdefault(int((at - self.began) / PART), []).append(took)
        return [p99_ms(parts[i]) for i in sorted(parts)]


def p99_ms(took):
    return round(sorted(took)[len(took) * 99 // 100] * 1000, 1) if took else None


async def call_plain(port, end, gap, counts):
    reader = writer = None
    due = time.monotonic()
    while time.monotonic() < end:
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            began = time.monotonic()
            writer.write(request(False))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            counts.requests += 1
            counts.took.append((began, time.monotonic() - began))
            if not head.startswith(b"HTTP/1.1 200") or body != ANSWER:
                raise ValueError(head + body)
            if b"connection: close" in head.lower():
                writer.close()
                writer = None
        except (OSError, EOFError, ValueError) as e:
            counts.failed += 1
            counts.example = repr(e)
            writer = None
        due += gap
        await asyncio.sleep(max(0, due - time.monotonic()))
    if writer:
        writer.close()


async def call_stream(port, end, counts):
    while time.monotonic() < end:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request(True))
            text = await reader.readuntil(b"\r\n0\r\n\r\n")
            counts.streams += 1
            if text.count(b'"word"') != EVENTS or b"data: [DONE]" not in text:
                raise ValueError(text[-300:])
            writer.close()
        except (OSError, EOFError, ValueError) as e:
            counts.cut += 1
            counts.example = repr(e) + str(getattr(e, "partial", b"")[-600:])


async def drive(port, seconds, rate, streams):
    counts, lanes = Counts(), 20
    end = time.monotonic() + seconds
    await asyncio.gather(*(call_plain(port, end, lanes / rate, counts) for _ in range(lanes)),
                         *(call_stream(port, end, counts) for _ in range(streams)))
    print(json.dumps({n: getattr(counts, n) for n in ("requests", "streams", "failed", "cut", "example", "p99_ms", "p99_ms_by_part")}))


if __name__ == "__main__":
    if sys.argv[1] == "provider":
        asyncio.run(provide())
    else:
        asyncio.run(drive(*map(int, sys.argv[2:6])))

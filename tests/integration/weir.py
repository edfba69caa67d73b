"""The real binary, started by tests, and a raw client for what no HTTP library would send."""
import http.client
import json
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOAD = ROOT / "tests" / "integration" / "load.py"
BINARY = os.environ.get("WEIR_BINARY", str(ROOT / "build" / "weir"))
SLOW = 5 if "address" in BINARY or "thread" in BINARY else 1


def free_port():
    """A port outside the range that connections' own ends are taken from, so that none of them has it when its server starts."""
    while True:
        port = 12000 + secrets.randbelow(20000)     # whatever seed a test gives to `random`
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def until(holds, seconds=30, says=lambda: "not within the time"):
    """Waits for a condition, and gives what it said. A slow machine may take its time: nothing here measures any."""
    end, pause = time.monotonic() + seconds * SLOW, 0.001
    while not (it := holds()):
        assert time.monotonic() < end, says()
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return it


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]


class Gateway:
    """weir with a configuration from a dict. Ends with the test; a sanitizer's report fails it."""

    def __init__(self, tmp, config=None, env=None, text=None, wait=True, args=()):
        self.tmp = pathlib.Path(tmp)
        self.port, self.admin_port = free_port(), free_port()
        self.file = self.tmp / "weir.yaml"
        self.log_path = self.tmp / "weir.log"
        self.config = None
        if config is not None:
            self.write(config)
        elif text is not None:
            self.file.write_text(text)
        self.env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_TOKEN")) and not k.startswith("WEIR_")}
        self.env.update({"WEIR_LISTEN_ADDRESS": f"127.0.0.1:{self.port}", "WEIR_ADMIN_ADDRESS": f"127.0.0.1:{self.admin_port}"})
        self.env.update(env or {})
        named = ["-c", str(self.file)] if config is not None or text is not None else []
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen([BINARY, "serve", *named, *args], stdout=self.log, stderr=self.log, env=self.env,
                                        cwd=self.tmp)
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.process.kill()
                self.process.wait()
                raise

    def write(self, config):
        config = dict(config)
        config.setdefault("workers", 2)
        config.setdefault("log", {"level": "debug"})
        # A machine that is busy with other tests is not what a store's deadline is for. Tests of faults say 50ms.
        if str(config.get("store", "")).startswith("redis"):
            config.setdefault("store_timeout", "5s")
        self.config = config
        self.file.write_text(json.dumps(config))

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, "weir ended: " + self.logs()
            try:
                return self.get("/readyz").status == 200
            except OSError:
                return False
        until(ready, says=lambda: "weir is not ready: " + self.logs())

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def request(self, method, path, body=None, headers=None, port=None, timeout=30):
        c = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
            h = {"content-type": "application/json"} if body is not None else {}
            h.update(headers or {})
            c.request(method, path, body=body, headers=h)
            r = c.getresponse()
            return Response(r.status, {k.lower(): v for k, v in r.getheaders()}, r.read())
        finally:
            c.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def chat(self, model="m", text="hi", path="/v1/chat/completions", headers=None, **fields):
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return self.request("POST", path, body, headers)

    def metrics(self):
        return self.get("/metrics", port=self.admin_port).body.decode()

    def metric(self, name, **labels):
        total, seen = 0.0, False
        for line in self.metrics().splitlines():
            m = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if not m or m.group(1) != name:
                continue
            have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m.group(2) or ""))
            if all(have.get(k) == v for k, v in labels.items()):
                total += float(m.group(3))
                seen = True
        return total if seen else None

    def quiet(self):
        """Everything of the requests so far is done: their ends are counted, and what they told the store has arrived there."""
        until(lambda: self.metric("weir_requests_in_flight") == 0 and not self.metric("weir_store_calls_in_flight"))

    def store_up(self):
        """All of its connections to Redis stand."""
        until(lambda: self.get("/readyz?verbose").json["store_state"] == "up")
        return self

    def logs(self):
        return self.log_path.read_text(errors="replace")

    def access(self):
        """The access log's records so far: one at least."""
        def records():
            for line in self.logs().splitlines():
                try:
                    r = json.loads(line)
                except ValueError:
                    continue
                if r.get("endpoint") not in (None, "readyz"):
                    yield r
        return until(lambda: list(records()), says=lambda: "no request is logged: " + self.logs()[-4000:])

    def wait_log(self, pattern):
        until(lambda: re.search(pattern, self.logs()), says=lambda: f"{pattern} is not in the log:\n{self.logs()[-4000:]}")
        return True

    def reload(self):
        decided = lambda: len(re.findall("is in force|reload refused", self.logs()))
        before = decided()
        self.process.send_signal(signal.SIGHUP)
        until(lambda: decided() > before, says=lambda: "nothing was loaded anew:\n" + self.logs()[-4000:])

    def rss(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, expect=0):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40 * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError("weir did not end: " + self.logs()[-3000:])
        self.log.close()
        text = self.logs()
        assert "Sanitizer" not in text and "runtime error:" not in text, text[-8000:]
        assert expect is None or self.process.returncode == expect, (self.process.returncode, text[-3000:])


class Raw:
    """A socket that sends what it is told, and reads answers byte by byte."""

    def __init__(self, port, timeout=20):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.s.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def _fill(self):
        data = self.s.recv(65536)
        self.buffer += data
        return data

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            if not self._fill():
                raise EOFError(self.buffer)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            n, v = line.split(":", 1)
            headers[n.lower()] = v.strip()
        return int(lines[0].split()[1]), headers

    def take(self, n):
        while len(self.buffer) < n:
            if not self._fill():
                raise EOFError(self.buffer)
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self._fill():
                raise EOFError(self.buffer)
        out, self.buffer = self.buffer.split(b"\r\n", 1)
        return out

    def read(self, head_only=False):
        status, headers = self.read_head()
        if status == 100:
            return Response(100, headers, b"")
        body = b""
        if head_only or status in (204, 304):
            pass
        elif "content-length" in headers:
            body = self.take(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            while True:
                size = int(self.line(), 16)
                piece = self.take(size)
                self.take(2)
                if size == 0:
                    break
                body += piece
        return Response(status, headers, body)

    def closed(self):
        """True when the peer ends the connection; what it still sends is dropped."""
        self.s.settimeout(30 * SLOW)
        try:
            while True:
                if not self.s.recv(65536):
                    return True
        except socket.timeout:
            return False
        except ConnectionError:
            return True

    def close(self):
        self.s.close()


def post(body, path="/v1/chat/completions", headers="", host="Host: x\r\n"):
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    return (f"POST {path} HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
            .encode() + body)


CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}

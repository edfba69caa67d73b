#!/usr/bin/env python3
"""weir beside nginx and haproxy: CPU, delay and memory as ratios to nginx, all in one run.

usage: tests/bench/run.py [--rounds N] [--seconds S] [--rows NAME,NAME] [--json FILE]

The proxies share one core, the provider (mock.c) and the caller (load.c) another. Rounds are interleaved, each
figure is the median of them. Absolute times belong to the machine; only ratios travel.
"""
import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build"
WEIR = os.environ.get("WEIR_BINARY", str(BUILD / "weir"))
KEY = "sk-weir-bench-0123456789abcdef"
CORES = sorted(os.sched_getaffinity(0))
PROXY_CORE, LOAD_CORE = CORES[0], CORES[-1]

# name: mode of load, mock, size of the body, connections, TLS, aim / at the least, and which weir where it is not the plain one
ROWS = {
    "1 KB": ("plain", "plain", 1, 32, False, "0.90 / 1.1"),
    "10 KB": ("plain", "plain", 10, 32, False, "1.0 / 1.25"),
    "100 KB": ("plain", "plain", 100, 32, False, "1.4 / 1.7"),
    "1 MB": ("plain", "plain", 1000, 8, False, "1.8 / 2.2"),
    "connection per request": ("fresh", "plain", 1, 32, False, "0.95 / 1.2"),
    "stream chunk": ("stream", "stream", 1, 1000, False, "0.80 / 0.95"),
    "1 KB, all kinds of limits in memory": ("plain", "plain", 1, 32, False, "1.15", "memory"),
    "1 KB, all kinds of limits in Redis": ("plain", "plain", 1, 32, False, "1.1 / 1.4", "redis"),
    "1 KB, answered by one of 10,000 phrases": ("plain", "plain", 1, 32, False, "0.90", "rules"),
    "1 KB, out of the cache in memory": ("plain", "plain", 1, 32, False, "0.60 / 0.80", "cache"),
    "1 KB, the cache in memory, never asked before": ("other", "plain", 1, 32, False, "1.4", "cache"),
    "1 KB, TLS both sides": ("plain", "tls", 1, 32, True, "1.2"),
    "10 KB, TLS both sides": ("plain", "tls", 10, 32, True, "1.2"),
}

# Providers of other dialects, and where their API begins.
VENDORS = {"anthropic": "", "gemini": "/v1beta"}


def body(kilobytes, stream=False, model="plain"):
    """A conversation of the wanted size, of the lines in corpus.txt, the same in each run."""
    lines = (HERE / "corpus.txt").read_text().splitlines()
    dice, messages, size = random.Random(kilobytes), [{"role": "system", "content": "You help the keepers of a weir."}], 0
    while size < kilobytes * 1000 - 190:
        text = " ".join(dice.choice(lines) for _ in range(1 if kilobytes == 1 else dice.randint(1, 12))).replace("\\n", "\n").replace("\\t", "\t")
        text = text.encode()[:kilobytes * 1000 - 190 - size].decode(errors="ignore")
        messages.append({"role": "assistant" if len(messages) % 2 == 0 else "user", "content": text})
        size += len(json.dumps(messages[-1], ensure_ascii=False).encode()) + 2
    request = {"model": model, "messages": messages, "temperature": 0.7, "max_tokens": 512}
    if stream:
        request["stream"] = True
    return json.dumps(request, ensure_ascii=False)


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_open(port, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.002)
    raise SystemExit(f"bench: nothing listens on {port}")


class Bench:
    def __init__(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="weir-bench-"))
        os.chmod(self.tmp, 0o755)
        self.running = []
        for name in ("mock", "load"):
            shutil.copy(BUILD / "tests" / "bench" / name, self.tmp / name)
        self.certificate()
        pair = [f"{self.tmp}/a.pem", f"{self.tmp}/a.key"]
        self.mocks = {}
        for (kind, args), port in zip({"plain": ["plain"], "stream": ["stream", "20"], "idle": ["idle"],
                                       "tls": ["plain", "0", *pair], "tls-idle": ["idle", "0", *pair],
                                       **{f"{vendor}-{kind}": [f"{kind}:{vendor}", "20"] for vendor in VENDORS for kind in ("plain", "stream")},
                                       }.items(), free_ports(5 + 2 * len(VENDORS))):
            self.start([self.tmp / "mock", str(port), *args], LOAD_CORE)
            self.mocks[kind] = port
            wait_open(port)

    def certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", f"{self.tmp}/a.key", "-out", f"{self.tmp}/a.pem"], check=True, capture_output=True)

    def start(self, command, core, **more):
        p = subprocess.Popen(["taskset", "-c", str(core), *map(str, command)], **more)
        self.running.append(p)
        return p

    def stop(self, p):
        p.send_signal(signal.SIGTERM)
        try:
            p.wait(5)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        self.running.remove(p)

    def close(self):
        for p in list(self.running):
            self.stop(p)
        shutil.rmtree(self.tmp, ignore_errors=True)

    # Each of these starts a proxy and says at which port it serves which mock.

    def nginx(self):
        ports = dict(zip(self.mocks, free_ports(len(self.mocks))))
        servers = ""
        for kind, port in ports.items():
            tls = kind.startswith("tls")
            servers += f"""
  upstream {kind} {{ server 127.0.0.1:{self.mocks[kind]}; keepalive 1024; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port} {"ssl" if tls else ""} backlog=4096;
    {f"ssl_certificate {self.tmp}/a.pem; ssl_certificate_key {self.tmp}/a.key; ssl_protocols TLSv1.3;" if tls else ""}
    location / {{ proxy_pass {"https" if tls else "http"}://{kind}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering off; {"proxy_ssl_session_reuse on; proxy_ssl_protocols TLSv1.3;" if tls else ""} }} }}"""
        (self.tmp / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {self.tmp}/nginx.pid; error_log {self.tmp}/nginx.err; worker_rlimit_nofile 20000;
events {{ worker_connections 19500; }}
http {{ access_log {self.tmp}/nginx.log combined buffer=64k flush=1s; keepalive_requests 100000000; client_max_body_size 64m;
  client_body_temp_path {self.tmp}/n1; proxy_temp_path {self.tmp}/n2; fastcgi_temp_path {self.tmp}/n3;
  uwsgi_temp_path {self.tmp}/n4; scgi_temp_path {self.tmp}/n5; {servers} }}""")
        p = self.start(["nginx", "-p", self.tmp, "-c", "nginx.conf"], PROXY_CORE)
        wait_open(ports["plain"])
        time.sleep(0.2)
        workers = pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text().split()
        return Proxy("nginx", p, [int(w) for w in workers], ports)

    def haproxy(self):
        ports = dict(zip(self.mocks, free_ports(len(self.mocks))))
        text = "global\n nbthread 1\n maxconn 9800\ndefaults\n mode http\n option http-no-delay\n http-reuse always\n" \
               " timeout connect 5s\n timeout client 300s\n timeout server 300s\n"
        for kind, port in ports.items():
            tls, back = (f" ssl crt {self.tmp}/a.both", " ssl verify none") if kind.startswith("tls") else ("", "")
            text += f"listen {kind}\n bind 127.0.0.1:{port} backlog 4096{tls}\n server s 127.0.0.1:{self.mocks[kind]}{back}\n"
        (self.tmp / "a.both").write_text((self.tmp / "a.pem").read_text() + (self.tmp / "a.key").read_text())
        (self.tmp / "haproxy.cfg").write_text(text)
        p = self.start(["haproxy", "-db", "-f", self.tmp / "haproxy.cfg"], PROXY_CORE, stderr=subprocess.DEVNULL)
        wait_open(ports["plain"])
        return Proxy("haproxy", p, [p.pid], ports)

    def redis(self):
        (port,) = free_ports(1)
        self.start(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", self.tmp], LOAD_CORE, stdout=subprocess.DEVNULL)
        wait_open(port)
        return f"redis://127.0.0.1:{port}/0"

    def rules(self):
        """A rule of 10,000 phrases, of which one stands in the request of 1 KB."""
        asked = [m["content"] for m in json.loads(body(1))["messages"] if m["role"] == "user"][-1]
        dice, words = random.Random(1), re.findall(r"[a-z]{3,}", (HERE / "corpus.txt").read_text())
        phrases = [" ".join(dice.choice(words) for _ in range(3)) for _ in range(9999)] + [" ".join(asked.split()[-3:])]
        (self.tmp / "phrases.txt").write_text("\n".join(phrases) + "\n")
        (self.tmp / "rules.yaml").write_text(json.dumps({"rules": [{"name": "known", "when": {"phrases": {"file": f"{self.tmp}/phrases.txt"}},
                                                                    "answer": "Gate 2 will be looked at on Monday."}]}))
        return [{"name": "rules", "config": {"file": f"{self.tmp}/rules.yaml"}}]

    def weir(self, tls=False, store=None, rules=False, cache=False):
        """With a store, its key has every kind of limit, and its team a budget: twelve together."""
        port, admin = free_ports(2)
        variant = "cache" if cache else "rules" if rules else "tls" if tls else "redis" if store and store != "memory" else store or ""
        name = f"weir-{variant}" if variant else "weir"
        provider = {"dialect": "openai", "local": True, "api_key": "sk-provider"}
        config = {
            "listen": {"address": f"127.0.0.1:{port}", "max_connections": 20000, "max_connections_per_address": 20000,
                       "keep_alive_requests": 1000000000, "timeouts": {"keep_alive": "1h"}},
            "admin": {"address": f"127.0.0.1:{admin}"}, "workers": 1,
            "log": {"access": str(self.tmp / f"{name}.log")},
            "providers": {kind: {**provider, "base_url": f"http{'s' if kind.startswith('tls') else ''}://localhost:{at}/v1"}
                          for kind, at in self.mocks.items()},
            "models": {kind: {"targets": [f"{kind}/bench"]} for kind in self.mocks},
            "keys": [{"name": "bench", "secret": KEY}],
        }
        for kind in config["providers"]:
            if (vendor := kind.split("-")[0]) in VENDORS:
                config["providers"][kind] |= {"dialect": vendor, "base_url": f"http://localhost:{self.mocks[kind]}{VENDORS[vendor]}"}
        for kind in ("tls", "tls-idle"):
            config["providers"][kind]["tls"] = {"ca_file": f"{self.tmp}/a.pem"}
        if tls:
            config["listen"]["tls"] = {"certificate": f"{self.tmp}/a.pem", "key": f"{self.tmp}/a.key"}
        if rules:
            config["plugins"] = self.rules()
        if cache:
            config |= {"cache": {"enabled": True}}
        if store:
            most = 10**12
            every = {"limits": {"requests_per_second": most, "requests_per_minute": most, "requests_per_hour": most, "requests_per_day": most,
                                "tokens_per_minute": most, "tokens_per_hour": most, "tokens_per_day": most, "concurrent": 10**6},
                     "budgets": [{"usd": 10**6, "per": "month"}, {"usd": 10**6, "per": "day"}, {"tokens": most, "per": "month"}]}
            config |= {"store": store, "prices": {f"{kind}/bench": {"input": 1, "output": 4} for kind in self.mocks},
                       "teams": [{"name": "benches", "budgets": [{"usd": 10**6, "per": "month"}]}]}
            config["keys"][0] |= {"team": "benches", **every}
        (self.tmp / f"{name}.yaml").write_text(json.dumps(config))
        p = self.start([WEIR, "serve", "-c", self.tmp / f"{name}.yaml"], PROXY_CORE, stdout=subprocess.DEVNULL)
        wait_open(port)
        return Proxy("weir", p, [p.pid], {kind: port for kind in self.mocks}, variant)

    def request_file(self, kind, kilobytes):
        file = self.tmp / f"{kind}-{kilobytes}.json"
        if not file.exists():
            file.write_text(body(kilobytes, kind.endswith(("stream", "idle")), kind))
        return file

    def load(self, port, kind, kilobytes, connections, seconds, mode, tls=False):
        p = self.start([self.tmp / "load", str(port), self.request_file(kind, kilobytes), str(connections), str(seconds), mode,
                        *(["tls"] if tls else [])], LOAD_CORE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if p.stdout.readline() != "ready\n":
            raise SystemExit(f"bench: load on {kind} failed")
        return p

    def finish(self, p):
        out = json.loads(p.communicate()[0])
        self.running.remove(p)
        if out["errors"]:
            print(f"bench: {out['errors']} errors", file=sys.stderr)
        return out

    def measure(self, proxy, mode, kind, kilobytes, connections, tls, seconds):
        """CPU seconds of the proxy and what load saw in the meantime."""
        p = self.load(proxy.ports[kind], kind, kilobytes, connections, seconds, mode, tls)
        before = proxy.cpu()
        out = self.finish(p)
        out["cpu_us"] = (proxy.cpu() - before) * 1e6 / max(1, out["done"])
        return out


class Proxy:
    def __init__(self, name, process, pids, ports, variant=""):
        self.name, self.process, self.pids, self.ports, self.variant = name, process, pids, ports, variant

    def cpu(self):
        """Seconds on a core, of all threads, to the nanosecond."""
        return sum(int((t / "schedstat").read_text().split()[0]) for pid in self.pids
                   for t in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9

    def memory(self):
        """KiB that belong to the process alone."""
        return sum(int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) for pid in self.pids)

    def resident(self):
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) for pid in self.pids)


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


class Table:
    def __init__(self):
        self.rows = []
        print("| | weir / nginx (rounds) | haproxy / nginx | nginx | aim / at the least |\n|---|---|---|---|---|", flush=True)

    def add(self, name, ratio, other, base, aim):
        self.rows.append({"row": name, "weir": ratio, "haproxy": other, "nginx": base, "aim": aim})
        print(f"| {name} | {ratio} | {other} | {base} | {aim} |", flush=True)


def cpu_rows(b, table, proxies, names, rounds, seconds):
    for name in names:
        mode, kind, size, connections, tls, aim, *variant = ROWS[name]
        side = [p for p in proxies if p.name != "weir" or p.variant == (variant[0] if variant else "tls" if tls else "")]
        cpu, delay = {p.name: [] for p in side}, {p.name: [] for p in side}
        for _ in range(rounds):
            for p in side:
                out = b.measure(p, mode, kind, size, connections, tls, seconds)
                cpu[p.name].append(out["cpu_us"])
                delay[p.name].append(out["p50_us"])
        ratios = {n: [x / y for x, y in zip(cpu[n], cpu["nginx"])] for n in cpu}
        table.add(f"CPU: {name}", spread(ratios["weir"]), f"{statistics.median(ratios['haproxy']):.2f}",
                  f"{statistics.median(cpu['nginx']):.1f} us", aim)
        if mode == "stream":
            ratios = {n: [x / y for x, y in zip(delay[n], delay["nginx"])] for n in delay}
            table.add("delay of a delta, median", spread(ratios["weir"]), f"{statistics.median(ratios['haproxy']):.2f}",
                      f"{statistics.median(delay['nginx']):.0f} us", "1.0 / 1.15")


def translation_rows(b, table, nginx, weir, rounds, seconds):
    """What it costs that the provider speaks another dialect: beside the same weir that relays, in the same round."""
    for vendor in VENDORS:
        for mode, size, connections, aim in (("plain", 1, 32, "12 us"), ("stream", 1, 1000, "2 us")):
            more, ratio, base = [], [], []
            for _ in range(rounds):
                relayed = b.measure(weir, mode, mode, size, connections, False, seconds)["cpu_us"]
                translated = b.measure(weir, mode, f"{vendor}-{mode}", size, connections, False, seconds)["cpu_us"]
                base.append(b.measure(nginx, mode, f"{vendor}-{mode}", size, connections, False, seconds)["cpu_us"])
                more.append(translated - relayed)
                ratio.append(translated / base[-1])
            name = f"CPU: {'1 KB' if mode == 'plain' else 'stream chunk'}, translated for {vendor}"
            table.add(name, f"{spread(ratio)}, {statistics.median(more):+.1f} us beside relaying", "-", f"{statistics.median(base):.1f} us", aim)


def latency_row(b, table, proxies, rounds, seconds):
    """One request at a time; what each proxy adds to the provider's own answer."""
    added = {p.name: [] for p in proxies}
    direct = Proxy("direct", None, [], b.mocks)
    for _ in range(rounds + 2):
        base = b.measure(direct, "plain", "plain", 1, 1, False, seconds)["p50_us"]
        for p in proxies:
            added[p.name].append(b.measure(p, "plain", "plain", 1, 1, False, seconds)["p50_us"] - base)
    ratios = {n: [x / y for x, y in zip(added[n], added["nginx"])] for n in added}
    table.add("added latency, one at a time", spread(ratios["weir"]), f"{statistics.median(ratios['haproxy']):.2f}",
              f"{statistics.median(added['nginx']):.0f} us", "1.1 / 1.2")


def stall_row(b, table, proxies, rounds, seconds):
    """The worst delay of a delta while bodies of 10 MB pass the same loop."""
    worst = {p.name: [] for p in proxies}
    for _ in range(rounds):
        for p in proxies:
            big = b.load(p.ports["plain"], "plain", 10000, 1, seconds + 1, "plain")
            worst[p.name].append(b.measure(p, "stream", "stream", 1, 20, False, seconds)["p99_us"] / 1000)
            b.finish(big)
    mid = {n: f"{statistics.median(v):.1f} ms" for n, v in worst.items()}
    table.add("delay of a delta beside 10 MB bodies, p99", mid["weir"], mid["haproxy"], mid["nginx"], "5 / 10 ms")


def idle_row(b, table, start, name, n, tls):
    mode, kib = "tls-idle" if tls else "idle", {}
    for key, make in start.items():
        p = make()
        warm = b.load(p.ports[mode], mode, 1, 50, 0, "idle", tls)
        warm.stdin.close()
        warm.wait()
        b.running.remove(warm)
        time.sleep(0.3)
        before = p.memory()
        held = b.load(p.ports[mode], mode, 1, n, 0, "idle", tls)
        time.sleep(1)
        kib[key] = (p.memory() - before) / n
        b.finish(held)
        b.stop(p.process)
    other = f"{kib['haproxy']:.1f} KB" if "haproxy" in kib else "-"
    table.add(name, f"{kib['weir']:.2f} KB", other, f"{kib['nginx']:.1f} KB", "not more than nginx" if tls else "1.5 / 3 KB")


def start_rows(b, table, proxies):
    table.add("idle process", *(f"{next(p for p in proxies if p.name == n).resident() / 1024:.0f} MB" for n in ("weir", "haproxy", "nginx")),
              "8 / 16 MB")
    times = []
    for _ in range(5):
        began = time.monotonic()
        p = b.weir()
        times.append((time.monotonic() - began) * 1000)
        b.stop(p.process)
    table.add("start to ready", f"{statistics.median(times):.0f} ms", "-", "-", "50 ms")


RULES_AIMS = {"10,000 phrases and 1,000 patterns, 4 KB": "100 us", "BM25 over 10,000 questions, 4 KB": "200 us", "classifier of 12 classes, 4 KB": "50 us"}


def rules_rows(table):
    """The rules plugin's own hooks, without a proxy around: time on the core."""
    out = subprocess.run(["taskset", "-c", str(PROXY_CORE), BUILD / "tests" / "bench" / "rules_bench", HERE / "corpus.txt"], capture_output=True, text=True, check=True)
    for line in out.stdout.splitlines():
        row = json.loads(line)
        table.add(f"rules: {row['row']}", f"{row['us']:.0f} us", "-", "-", RULES_AIMS.get(row["row"], "-"))


def dialect_rows(b, table):
    """Reading and writing of one pair of dialects, without a proxy around: time on the core."""
    binary = BUILD / "tests" / "bench" / "dialects_bench"
    out = subprocess.run(["taskset", "-c", str(PROXY_CORE), binary, b.request_file("plain", 1)], capture_output=True, text=True, check=True)
    pairs = {}
    for row in map(json.loads, out.stdout.splitlines()):
        pair, what = row["row"].split(", ")
        pairs.setdefault(pair, []).append(f"{what} {row['ns'] / 1000:.1f}")
    for pair, figures in pairs.items():
        table.add(f"dialects: {pair}", ", ".join(figures) + " us", "-", "-", "12 us together, an event 2 us")


def store_rows(table):
    """Reserving in a dozen limits and settling, without a proxy around: time on the core."""
    out = subprocess.run(["taskset", "-c", str(PROXY_CORE), BUILD / "tests" / "bench" / "store_bench"], capture_output=True, text=True, check=True)
    for row in map(json.loads, out.stdout.splitlines()):
        table.add(f"store in memory: 12 limits {row['row']}, reserved and settled", f"{row['ns'] / 1000:.2f} us", "-", "-", "1.5 us")


def keys_rows(table):
    """Keys made while running: what they take, and finding one of them by the digest of its secret."""
    out = subprocess.run(["taskset", "-c", str(PROXY_CORE), BUILD / "tests" / "bench" / "keys_bench"], capture_output=True, text=True, check=True)
    for row in map(json.loads, out.stdout.splitlines()):
        table.add(f"{row['row']} in memory", f"{row['mib']:.1f} MiB, {row['bytes']} bytes each", "-", "-", "64 MiB for 100,000")
        table.add(f"a look-up among {row['row']}", f"{row['ns']:.0f} ns, {row['find_ns']:.0f} behind the digest, {row['steps']:.2f} records", "-", "-", "independent of their number")


def futex_row(b, table, proxy):
    if not shutil.which("strace"):
        return
    out = b.tmp / "strace"
    p = b.load(proxy.ports["plain"], "plain", 1, 32, 3, "plain")
    trace = b.start(["strace", "-f", "-c", "-o", out, "-p", str(proxy.pids[0])], LOAD_CORE, stderr=subprocess.DEVNULL)
    time.sleep(2)
    b.stop(trace)
    b.finish(p)
    lines = [line.split() for line in out.read_text().splitlines()]
    calls = {f[-1]: int(f[3]) for f in lines if len(f) >= 5 and f[3].isdigit()}
    asked = max(1, calls.get("sendmsg", calls.get("writev", 0)) // 2)
    table.add("futex calls a request", f"{calls.get('futex', 0) / asked:.3f}", "-", "-", "no contended lock")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--seconds", type=float, default=1.5)
    a.add_argument("--rows", default="", help="only the CPU rows of these names, separated with ; (translation: those of other dialects)")
    a.add_argument("--streams", type=int, default=9000)
    a.add_argument("--json")
    args = a.parse_args()
    b = Bench()
    try:
        table = Table()
        proxies = [b.nginx(), b.haproxy(), b.weir(), b.weir(tls=True), b.weir(store="memory"), b.weir(store=b.redis()), b.weir(rules=True), b.weir(cache=True)]
        if args.rows:
            names = args.rows.split(";")
            cpu_rows(b, table, proxies, [n for n in names if n in ROWS], args.rounds, args.seconds)
            if "translation" in names:
                translation_rows(b, table, proxies[0], proxies[2], args.rounds, args.seconds)
            return
        start_rows(b, table, proxies)
        rules_rows(table)
        store_rows(table)
        keys_rows(table)
        dialect_rows(b, table)
        cpu_rows(b, table, proxies, ROWS, args.rounds, args.seconds)
        translation_rows(b, table, proxies[0], proxies[2], args.rounds, args.seconds)
        latency_row(b, table, proxies[:3], args.rounds, args.seconds)
        stall_row(b, table, proxies[:3], args.rounds, args.seconds)
        futex_row(b, table, proxies[2])
        for p in proxies:
            b.stop(p.process)
        idle_row(b, table, {"nginx": b.nginx, "haproxy": b.haproxy, "weir": b.weir}, f"a quiet stream of {args.streams}", args.streams, False)
        n = args.streams // 3
        idle_row(b, table, {"nginx": b.nginx, "weir": lambda: b.weir(tls=True)}, f"a quiet TLS stream of {n}", n, True)
        if args.json:
            pathlib.Path(args.json).write_text(json.dumps(table.rows, indent=1))
    finally:
        b.close()


main()

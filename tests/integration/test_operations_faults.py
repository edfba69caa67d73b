"""What the house does to a gateway: full disks, readers that do not read, logs that are moved away, no file left to open."""
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import weir
from weir import BINARY, until

CHAT = "/v1/chat/completions"
ECHO = {"model": "demo/echo", "messages": [{"role": "user", "content": "hi"}]}

def echo(g):
    return g.request("POST", CHAT, ECHO).status


def test_a_full_disk_stops_no_request(gateway):
    g = gateway({"log": {"access": "/dev/full"}})
    assert [echo(g) for _ in range(50)] == [200] * 50
    until(lambda: g.metric("weir_log_dropped_total") >= 50)


def test_a_reader_that_does_not_read_stops_no_request(gateway, tmp_path):
    """A pipe holds 64 KiB; what comes after it waits in memory or is dropped, and the end does not wait for it."""
    fifo = tmp_path / "access"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR)
    try:
        g = gateway({"log": {"access": str(fifo)}})
        with ThreadPoolExecutor(20) as pool:
            assert list(pool.map(lambda _: echo(g), range(600))) == [200] * 600
        assert g.stop(0) is None
    finally:
        os.close(reader)


def test_a_log_that_is_moved_away_is_begun_anew(gateway, tmp_path):
    log = tmp_path / "access.log"
    g = gateway({"log": {"access": str(log)}})
    assert echo(g) == 200
    until(lambda: log.exists() and log.read_text().count("\n") == 1)
    log.rename(tmp_path / "access.log.1")
    until(lambda: echo(g) == 200 and log.exists() and log.read_text())
    lines = (log.read_text() + (tmp_path / "access.log.1").read_text()).splitlines()
    assert all(json.loads(line)["status"] == 200 for line in lines)


def test_no_file_left_to_open(gateway, tmp_path, monkeypatch):
    """Who is connected is served, nobody spins, and when there is room again others are, too."""
    few = tmp_path / "few"
    few.write_text(f'#!/bin/sh\nulimit -n 128\nexec {BINARY} "$@"\n')
    few.chmod(0o755)
    monkeypatch.setattr(weir, "BINARY", str(few))
    g = gateway({"workers": 1})
    inside = HTTPConnection("127.0.0.1", g.port, timeout=20)

    def ask():
        inside.request("POST", CHAT, json.dumps(ECHO), {"content-type": "application/json"})
        r = inside.getresponse()
        return r.status, bool(r.read())
    assert ask() == (200, True)
    others = [HTTPConnection("127.0.0.1", g.port, timeout=20) for _ in range(200)]
    try:
        for c in others:
            c.connect()
        files = f"/proc/{g.process.pid}/fd"
        until(lambda: len(os.listdir(files)) >= 120)
        began = g.cpu_seconds()
        time.sleep(1)
        assert g.cpu_seconds() - began < 0.5
        assert ask() == (200, True)
    finally:
        for c in others:
            c.close()
    until(lambda: echo(g) == 200)
    inside.close()


def test_no_certificate_authorities_at_the_start(gateway, tmp_path):
    """An image without them: weir starts, and what needs them fails honestly."""
    g = gateway({"providers": {"openai": {"api_key": "sk-x", "base_url": "https://localhost:9/v1", "allow_private_address": True}}, "models": {"m": {"targets": ["openai/gpt-5-mini"]}}},
                env={"SSL_CERT_FILE": str(tmp_path / "absent.pem"), "SSL_CERT_DIR": str(tmp_path / "absent")})
    assert g.get("/readyz").status == 200 and g.chat().status == 502

"""Requests and answers kept for a replay: what is in them, and what never is."""
import json
import resource
import subprocess

from mock_provider import completion, http
from weir import BINARY, SLOW, until

SECRET = "sk-web-0123456789"
KEY = {"authorization": f"Bearer {SECRET}"}


def capturing(config, tmp_path, *providers, **more):
    capture = {"share": "100%", "directory": str(tmp_path / "kept"), **more.pop("capture", {})}
    return config(*providers, keys=[{"name": "web", "secret": SECRET, "team": "shop"}], teams=[{"name": "shop"}],
                  prices={"first/mock": {"input": 1, "output": 4}}, capture=capture, **more)


def records(tmp_path, n):
    kept = lambda: [x for f in sorted((tmp_path / "kept").glob("*.jsonl")) for x in f.read_text().splitlines()]
    until(lambda: len(kept()) >= n)
    lines = kept()
    assert len(lines) == n
    return [json.loads(x) for x in lines]


def test_a_record_can_be_sent_again(gateway, provider, config, tmp_path):
    g = gateway(capturing(config, tmp_path, provider(), cache={"enabled": True}))
    asked = {"model": "m", "temperature": 0.70, "messages": [{"role": "user", "content": "grüße \"x\"\n\\ 42"}]}
    first = g.request("POST", "/v1/chat/completions", json.dumps(asked, indent=2), {**KEY, "x-weir-tags": "n=1"})
    again = g.request("POST", "/v1/chat/completions", asked, KEY)
    stream = g.chat(headers=KEY, stream=True)
    a, b, s = records(tmp_path, 3)
    assert a["request"] == asked and json.loads(a["answer"]) == first.json and a["whole"]
    assert (a["id"], a["key"], a["team"], a["tags"], a["model"], a["target"], a["status"], a["cost_usd"]) == (
        first.headers["x-request-id"], "web", "shop", "n=1", "m", "first/mock", 200, 0.000022)
    assert (a["endpoint"], a["cache"], b["cache"]) == ("chat", "miss", "hit") and json.loads(b["answer"]) == again.json
    assert s["stream"] and s["answer"].encode() == stream.body and s["request"]["stream"]
    assert g.request("POST", "/v1/chat/completions", a["request"], KEY).status == 200


def test_credentials_and_personal_data_are_taken_out(gateway, provider, config, tmp_path):
    answer = "write to bob@example.org or +49 30 1234567, key sk-proj-abcdefgh12345678, order 4711"
    p = provider(lambda r: [http(200, completion(answer))])
    text = "I am ann@example.com, card 4111 1111 1111 1111, in 2026; password=hunter2hunter2 \"Bearer abcdef1234567\""
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "metadata": {"api_key": "plain-words-here", "age": 20261231},
            "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"password": {"type": "string"}}}}}]}
    for redact in (True, False):
        d = tmp_path / str(redact)
        d.mkdir()
        g = gateway(capturing(config, d, p, capture={"redact": redact}))
        assert g.request("POST", "/v1/chat/completions", body, KEY).status == 200
        (r,) = records(d, 1)
        line = json.dumps(r)
        for secret in ("hunter2", "abcdef1234567", "plain-words-here", "abcdefgh12345678", SECRET, "sk-first-vendor"):
            assert secret not in line
        for person in ("ann@example.com", "4111 1111", "bob@example.org", "1234567"):
            assert (person in line) != redact, (person, line)
        assert "order 4711" in line and "in 2026" in line
        assert r["request"]["tools"] == body["tools"] and r["request"]["metadata"]["age"] == 20261231


def test_a_share_of_them(gateway, provider, config, tmp_path):
    g = gateway(capturing(config, tmp_path, provider(), capture={"share": "20%"}))
    for _ in range(200):
        g.chat(headers=KEY)
    g.stop()
    n = sum(len(f.read_text().splitlines()) for f in (tmp_path / "kept").glob("*.jsonl"))
    assert 10 <= n <= 80


def test_off_is_the_default(gateway, provider, config, tmp_path):
    g = gateway(config(provider()))
    g.chat()
    assert not (g.tmp / "capture").exists()


def test_old_days_go_and_a_full_file_costs_no_request(gateway, provider, config, tmp_path):
    (tmp_path / "kept").mkdir()
    for day in ("2020-01-01", "2999-01-01"):
        (tmp_path / "kept" / f"capture-{day}.jsonl").write_text("")
    (tmp_path / "kept" / "mine.txt").write_text("stays")
    g = gateway(capturing(config, tmp_path, provider(), capture={"max_size": "1MiB"}))
    for _ in range(12):
        assert g.chat(headers=KEY, text="x" * 100000).status == 200
    g.wait_log("capture: a record could not be written")
    lost = g.metric("weir_capture_records_total", result="lost")
    assert lost >= 1 and g.metric("weir_capture_records_total", result="written") == 10
    names = {f.name for f in (tmp_path / "kept").iterdir()}
    assert "capture-2020-01-01.jsonl" not in names and {"mine.txt", "capture-2999-01-01.jsonl"} <= names
    assert all((tmp_path / "kept" / n).stat().st_mode & 0o077 == 0 for n in names if n.startswith("capture-2026"))


def test_a_full_disk_costs_no_request(gateway, provider, config, tmp_path):
    g = gateway(capturing(config, tmp_path, provider()))
    assert g.chat(headers=KEY).status == 200
    records(tmp_path, 1)
    (file,) = (tmp_path / "kept").iterdir()
    resource.prlimit(g.process.pid, resource.RLIMIT_FSIZE, (file.stat().st_size, resource.RLIM_INFINITY))
    assert all(g.chat(headers=KEY).status == 200 for _ in range(5))
    until(lambda: g.metric("weir_capture_records_total", result="lost") == 5)
    resource.prlimit(g.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert g.chat(headers=KEY).status == 200 and len(records(tmp_path, 2)) == 2      # each a whole line
    file.unlink()
    assert g.chat(headers=KEY).status == 200 and len(records(tmp_path, 1)) == 1


def test_mistakes_are_told(gateway, provider, config, tmp_path):
    file = tmp_path / "weir.json"
    for share in ("1", "101%", "0.001%", "x%", "%"):
        file.write_text(json.dumps(config(provider(), capture={"share": share})))
        r = subprocess.run([BINARY, "check", "-c", str(file)], capture_output=True, text=True)
        assert r.returncode == 2 and "such as 1%" in r.stderr, share
    g = gateway(capturing(config, tmp_path, provider(), capture={"directory": str(tmp_path / "no" / "where")}), wait=False, expect=1)
    g.process.wait(30 * SLOW)
    assert "cannot capture into" in g.logs() and "capture.directory" in g.logs()

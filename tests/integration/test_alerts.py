"""Operators are told when budgets come near their end: once, in the shape they want, beside requests."""
import datetime
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_limits import KEY, fixed, limited, settled
from weir import SLOW, until


class Hook:
    def __init__(self):
        self.got, self.statuses = [], []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["content-length"]))
                status = self.statuses.pop(0) if self.statuses else 200
                self.got.append((handler.path, handler.headers["content-type"], json.loads(body), status))
                handler.send_response(status)
                handler.send_header("content-length", "0")
                handler.end_headers()

            def log_message(self, *a):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T0/secret-part"

    def wait(self, n, seconds=30):
        until(lambda: len(self.got) >= n, seconds)
        assert len(self.got) == n, self.got
        return [body for _, _, body, _ in self.got]


@pytest.fixture
def hook():
    h = Hook()
    yield h
    h.server.shutdown()
    h.server.server_close()


BUDGETS = [{"usd": 0.006, "per": "year", "warn_at": ["50%", "80"]}]      # each request is 0.0005


def all_told(*gs):
    """What became of each warning is known."""
    until(lambda: sum(g.metric("weir_alerts_total") for g in gs) == sum(g.metric("weir_budget_warnings_total") for g in gs))


def spend(g, n):
    for _ in range(n):
        assert g.chat(headers=KEY, max_tokens=100).status == 200
        settled(g)


def test_each_threshold_is_told_once(gateway, provider, config, hook):
    g = gateway(limited(config, provider(fixed(100, 100)), budgets=BUDGETS, alerts={"webhook": hook.url}))
    assert g.metric("weir_budget_warnings_total", at="50") == 0 and g.metric("weir_alerts_total", result="sent") == 0
    spend(g, 6)
    assert hook.got == []
    spend(g, 1)
    first = hook.wait(1)[0]
    assert first["event"] == "budget_warning" and first["of"] == "key `web`" and first["budget"] == "0.006 usd per year"
    assert first["at_percent"] == 50 and first["spent"] == 0.003 and first["limit"] == 0.006 and first["unit"] == "usd"
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = (datetime.datetime(now.year + i, 1, 1, tzinfo=datetime.timezone.utc) for i in (0, 1))
    gone = (now - begin) / (end - begin)
    assert first["period_end"] == f"{now.year + 1}-01-01T00:00:00Z"
    assert first["forecast"] == (pytest.approx(0.003 / gone, rel=0.01) if gone > 0.0101 else None)     # nothing is foretold of the first hundredth
    assert hook.got[0][1] == "application/json"
    spend(g, 4)
    assert [x["at_percent"] for x in hook.wait(2)] == [50, 80]
    spend(g, 1)
    all_told(g)
    assert len(hook.got) == 2 and g.metric("weir_budget_warnings_total") == 2
    assert "secret-part" not in g.logs() and "secret-part" not in g.metrics() and g.wait_log("has used 80% of its budget")


def test_as_slack_has_it(gateway, provider, config, hook):
    g = gateway(limited(config, provider(fixed(100, 100)), budgets=BUDGETS, alerts={"webhook": hook.url, "format": "slack"}))
    spend(g, 7)
    body = hook.wait(1)[0]
    assert list(body) == ["text"] and "key `web` has used 50% of its budget 0.006 usd per year: $0.003 of $0.006" in body["text"]


def test_a_webhook_that_fails_is_tried_again_and_requests_go_on(gateway, provider, config, hook):
    hook.statuses = [500, 503]
    g = gateway(limited(config, provider(fixed(100, 100)), budgets=BUDGETS, alerts={"webhook": hook.url}))
    spend(g, 7)
    spend(g, 1)
    assert len(hook.got) < 3        # seconds lie between its tries
    hook.wait(3)
    assert [s for *_, s in hook.got] == [500, 503, 200]


def test_replicas_tell_once(gateway, provider, config, hook, redis):
    p = provider(fixed(100, 100))
    gs = [gateway(limited(config, p, budgets=BUDGETS, alerts={"webhook": hook.url}, store=redis.url)) for _ in range(2)]
    for i in range(10):
        spend(gs[i % 2], 1)
    assert [x["at_percent"] for x in hook.wait(1)] == [50]
    all_told(*gs)
    assert len(hook.got) == 1 and sum(g.metric("weir_alerts_total", result="elsewhere") for g in gs) == 1


def test_rolling_budgets_and_those_of_models_tags_and_users_warn_too(gateway, provider, config, hook):
    c = limited(config, provider(fixed(100, 100)), budgets=[{"usd": 0.001, "rolling": "1h", "warn_at": ["50%"]}], alerts={"webhook": hook.url})
    c["keys"][0].update(per_model={"m": {"budgets": [{"tokens": 400, "per": "total", "warn_at": [50]}]}},
                        per_tag={"a=b": {"budgets": [{"usd": 0.001, "per": "day", "warn_at": [50]}]}},
                        per_user={"budgets": [{"usd": 0.001, "per": "week", "warn_at": [50]}]})
    g = gateway(c)
    for _ in range(2):
        assert g.chat(headers={**KEY, "x-weir-tags": "a=b,user=ann"}, max_tokens=80).status == 200
        settled(g)
    got = {x["of"]: x for x in hook.wait(4)}
    assert set(got) == {"key `web`", "key `web` for m", "key `web` tagged a=b", "key `web` for each user"}
    assert all(x["spent"] == x["limit"] / 2 for x in got.values())
    assert got["key `web`"]["forecast"] is None and got["key `web` for m"]["forecast"] is None and got["key `web` for m"]["unit"] == "tokens"


@pytest.mark.parametrize("budget, alerts, says", [
    ({"warn_at": ["0%"]}, {}, "warn_at"), ({"warn_at": ["101%"]}, {}, "warn_at"), ({"warn_at": ["soon"]}, {}, "warn_at"),
    ({"warn_at": [1, 2, 3, 4, 5]}, {}, "warn_at"), ({}, {"webhook": "http://example.com/x"}, "alerts.webhook"), ({}, {"webhook": "x"}, "alerts.webhook")])
def test_mistakes_are_named(gateway, provider, config, budget, alerts, says):
    g = gateway(limited(config, provider(), budgets=[{"usd": 1, **budget}], alerts=alerts), wait=False, expect=2)
    g.process.wait(10 * SLOW)
    assert says in g.logs()

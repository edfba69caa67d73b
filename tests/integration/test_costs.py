"""What requests cost: in headers, log, metrics, the status page; and what happens when nobody says it."""
import json
import subprocess

import pytest
from mock_provider import LAST_CHUNK, chunk, completion, delta, error, event, good_stream, http, stream_head
from weir import BINARY, ROOT, until

PRICES = {"first/mock": {"input": 1, "output": 4, "cached_input": 0.1}}


def usage(prompt=1000, out=500, **more):
    return {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out, **more}


def answering(u, **more):
    return lambda r: [http(200, completion(**({"usage": u} if u is not None else {"usage": None}), **more))]


def cost(r):
    return float(r.headers["x-weir-cost-usd"])


def admin(g, path, body=None, **more):
    return g.request("POST" if body is not None else "GET", path, body, port=g.admin_port, **more)


def last(g):
    return g.access()[-1]


def test_cost_is_in_the_header_the_log_and_the_metrics(gateway, provider, config):
    p = provider(answering(usage(prompt_tokens_details={"cached_tokens": 600})))
    g = gateway(config(p, prices=PRICES, keys=[{"name": "web", "secret": "sk-web-0123456789"}]))
    r = g.chat(headers={"authorization": "Bearer sk-web-0123456789"})
    # 400 at 1, 600 at 0.1, 500 at 4 dollars a million
    assert r.status == 200 and cost(r) == pytest.approx(0.0004 + 0.00006 + 0.002, abs=1e-12)
    assert "x-weir-cost-estimated" not in r.headers
    until(lambda: any("cost_usd" in x for x in g.access()))
    assert last(g)["cost_usd"] == pytest.approx(0.00246) and last(g)["tokens"]["cached"] == 600
    assert g.metric("weir_cost_usd_total", model="m", provider="first") == pytest.approx(0.00246)
    assert g.metric("weir_key_cost_usd_total", key="web") == pytest.approx(0.00246)
    assert g.metric("weir_cost_estimated_usd_total", model="m", provider="first") == 0
    assert g.metric("weir_price_table_age_seconds") > 0
    status = admin(g, "/status.json").json
    assert status["cost_usd"] == pytest.approx(0.00246)
    assert status["targets"][0]["price"] == "listed" and status["targets"][0]["cost_usd"] == pytest.approx(0.00246)


def test_a_stream_costs_what_its_usage_says(gateway, provider, config):
    p = provider()
    g = gateway(config(p, prices=PRICES))
    assert g.chat(stream=True).status == 200
    until(lambda: g.access() and "cost_usd" in last(g))
    assert last(g)["cost_usd"] == pytest.approx(10e-6 + 3 * 4e-6) and not last(g).get("cost_estimated")


def test_usage_in_every_chunk_counts_once_and_zeros_take_nothing_back(gateway, provider, config):
    """Users' demands 26, 30 and 31: no double counting of streamed usage, no overwriting by a last frame."""
    def script(r):
        u = [usage(10, 1), usage(10, 5), usage(10, 7), usage(0, 0)]
        return [stream_head()] + [chunk(delta("x", usage=x)) for x in u] + [chunk(delta(finish="stop")), chunk(event("[DONE]")), LAST_CHUNK]
    g = gateway(config(provider(script), prices=PRICES))
    g.chat(stream=True)
    until(lambda: g.access() and "cost_usd" in last(g))
    assert last(g)["tokens"] == {"input": 10, "output": 7, "cached": 0, "reasoning": 0}
    assert last(g)["cost_usd"] == pytest.approx(10e-6 + 7 * 4e-6)


@pytest.mark.parametrize("bad", [
    {"prompt_tokens": -5, "completion_tokens": 3, "total_tokens": -2}, {"prompt_tokens": "12", "completion_tokens": "3"},
    {"prompt_tokens": 10**18, "completion_tokens": 1}, {"prompt_tokens": 1.5}, {}, None])
def test_nonsense_is_counted_by_a_flagged_estimate(gateway, provider, config, bad):
    """Users' demands 27, 28 and 31: neither free nor negative nor silently wrong."""
    g = gateway(config(provider(answering(bad)), prices=PRICES))
    r = g.chat(text="word " * 200)
    assert r.status == 200 and cost(r) > 100e-6 and r.headers["x-weir-cost-estimated"] == "true"
    until(lambda: g.access() and last(g).get("cost_estimated"))
    assert last(g)["tokens"]["estimated"] and 150 < last(g)["tokens"]["input"] < 400
    assert g.metric("weir_cost_estimated_usd_total", model="m") == pytest.approx(cost(r))


def test_more_cached_than_sent_is_counted_as_not_cached(gateway, provider, config):
    """As Azure's Grok reports it."""
    u = usage(29, 6, prompt_tokens_details={"cached_tokens": 157})
    r = gateway(config(provider(answering(u)), prices=PRICES)).chat()
    assert cost(r) == pytest.approx(29e-6 + 24e-6) and r.headers["x-weir-cost-estimated"] == "true"


def test_a_stream_without_usage_is_estimated_from_what_was_delivered(gateway, provider, config):
    """Users' demand 27: output that no usage reports is not lost."""
    g = gateway(config(provider(lambda r: good_stream(words=["word "] * 300, usage=False)), prices=PRICES))
    g.chat(stream=True)
    until(lambda: g.access() and last(g).get("cost_estimated"))
    assert 250 <= last(g)["tokens"]["output"] <= 700


def test_a_hang_up_is_charged_for_what_was_delivered(gateway, provider, config):
    """Users' demand 25: a stream that dies midway costs its part, not all of it, and says so."""
    p = provider(lambda r: [stream_head()] + [chunk(delta("word ")) for _ in range(50)] + [("hang",)])
    g = gateway(config(p, prices=PRICES))
    from weir import Raw
    body = json.dumps({"model": "m", "stream": True, "max_tokens": 5000, "messages": [{"role": "user", "content": "hi"}]})
    s = Raw(g.port)
    s.send(f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}")
    s.read_head()
    while s.buffer.count(b"word") < 50:
        s._fill()
    s.s.close()
    until(lambda: g.access() and last(g).get("caller_gone"))
    record = last(g)
    assert record["cost_estimated"] and 40 <= record["tokens"]["output"] <= 200


def test_failed_attempts_cost_nothing_and_uncertain_ones_an_estimate(gateway, provider, config):
    prices = {f"{n}/mock": {"input": 1, "output": 4} for n in ("first", "second")}
    refused, g = provider(lambda r: error(500)), None
    g = gateway(config(refused, provider(), prices=prices))
    assert cost(g.chat()) == pytest.approx(10e-6 + 12e-6)
    cut = provider(lambda r: [http(200, completion())[:-20], ("reset",)])
    g = gateway(config(cut, provider(), prices=prices))
    r = g.chat(text="word " * 100)
    assert r.headers["x-weir-attempts"] == "2" and r.headers["x-weir-cost-estimated"] == "true"
    assert cost(r) > 10e-6 + 12e-6 + 90e-6


def test_what_a_vendor_says_it_charged_goes_before_the_table(gateway, provider, config):
    u = usage(1000, 500, cost=0.0123)
    mine = gateway(config(provider(answering(u)), prices=PRICES))
    assert cost(mine.chat()) == pytest.approx(0.003)      # but not before the operator's own price
    p = provider(answering(u))
    c = config(p)
    c["providers"]["first"]["preset"] = "openrouter"
    del c["providers"]["first"]["dialect"]
    c["models"]["m"]["targets"] = ["first/openai/gpt-4o"]
    assert cost(gateway(c).chat()) == pytest.approx(0.0123)


@pytest.mark.parametrize("tier, factor", [("default", 1), ("flex", 0.5), ("priority", 2)])
def test_service_tiers_have_their_price(gateway, provider, config, tmp_path, tier, factor):
    table = tmp_path / "prices.csv"
    table.write_text("# 2026-11-01\nmodel,input,output,flex,priority\nfirst/mock,1,4,0.5/2/,2/8/\n")
    p = provider(lambda r: [http(200, completion(usage=usage(), service_tier=tier))])
    g = gateway(config(p, prices_file=str(table)))
    assert cost(g.chat(service_tier=tier)) == pytest.approx(0.003 * factor)


# --- models without a price ---

def test_an_unpriced_model_is_estimated_flagged_and_listed(gateway, provider, config):
    """Users' demands 28 and 28b: a model that no table knows is never free."""
    p = provider(answering(usage()))
    c = config(p, prices={"first/other": {"input": 2, "output": 6}})
    g = gateway(c)
    r = g.chat()
    assert cost(r) == pytest.approx(0.002 + 0.003) and r.headers["x-weir-cost-estimated"] == "true"
    assert admin(g, "/status.json").json["targets"][0]["price"] == "estimated"
    assert b"price estimated" in admin(g, "/").body


def test_unpriced_allow_counts_it_as_unknown(gateway, provider, config):
    g = gateway(config(provider(), unpriced="allow"))
    r = g.chat()
    assert r.status == 200 and "x-weir-cost-usd" not in r.headers
    assert g.metric("weir_unpriced_attempts_total", target="first/mock") == 1
    until(lambda: g.access() and "cost_usd" in last(g))
    assert last(g)["cost_usd"] is None
    assert admin(g, "/status.json").json["targets"][0]["price"] == "unknown"


def test_unpriced_refuse_does_not_ask_it(gateway, provider, config):
    p = provider()
    g = gateway(config(p, unpriced="refuse"))
    r = g.chat()
    assert r.status == 503 and "its price is not known" in r.error["message"] and not p.requests


def test_free_is_free(gateway, provider, config):
    c = config(provider())
    c["providers"]["first"]["free"] = True
    r = gateway(c).chat()
    assert cost(r) == 0 and "x-weir-cost-estimated" not in r.headers


# --- tables ---

def test_a_prices_file_lies_over_the_table_and_is_read_at_reload(gateway, provider, config, tmp_path):
    table = tmp_path / "prices.csv"
    table.write_text("model,input,output\nfirst/mock,1,1\n")
    g = gateway(config(provider(), prices_file=str(table)))
    assert cost(g.chat()) == pytest.approx(13e-6)
    table.write_text("model,input,output\nfirst/mock,2,2\n")
    g.reload()
    assert cost(g.chat()) == pytest.approx(26e-6)
    table.write_text("model,input,output\nfirst/mock,-2,2\n")
    g.reload()
    g.wait_log(r"prices.csv:2:12: .input.: expected dollars")
    assert cost(g.chat()) == pytest.approx(26e-6)      # the old table stays in force


def test_prices_update_checks_compares_and_installs(tmp_path):
    installed, new = tmp_path / "prices.csv", tmp_path / "new.csv"
    old = "model,input,output\na/x,1,2\na/y,1,2\n"
    installed.write_text(old)
    run = lambda *a: subprocess.run([BINARY, "prices", *a], capture_output=True, text=True, cwd=tmp_path)
    new.write_text("model,input,output\na/x,1,2\na/y,0.5,-1\n")
    r = run("update", str(new), "--to", str(installed))
    assert r.returncode == 2 and "new.csv:3:9: error: `output`: expected dollars" in r.stderr and installed.read_text() == old
    new.write_text("model,input,output\na/x,1.5,2\na/z,1,2\n")
    r = run("update", str(new), "--to", str(installed))
    assert r.returncode == 0 and "a/x: 1/2 -> 1.5/2" in r.stdout and "a/z: new, 1/2" in r.stdout and "a/y: 1/2, gone" in r.stdout
    assert installed.read_text() == new.read_text()
    (tmp_path / "weir.yaml").write_text(f"prices_file: {installed}\nproviders: {{ a: {{ dialect: openai, base_url: 'https://a.example/v1' }} }}\n")
    assert run("list", "a/").stdout == "a/x 1.5/2\na/z 1/2\n"


def test_the_table_is_made_by_its_script(tmp_path):
    source = {"gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
                        "cache_read_input_token_cost": 1.25e-07, "max_input_tokens": 1000, "supports_function_calling": True,
                        "input_cost_per_token_flex": 6.25e-07, "output_cost_per_token_flex": 5e-06},
              "sample_spec": {"mode": "chat"}, "free": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0}}
    (tmp_path / "t.json").write_text(json.dumps(source))
    out = subprocess.run(["python3", str(ROOT / "conf/prices/from_litellm.py"), str(tmp_path / "t.json"), "2026-11-01"],
                         capture_output=True, text=True, check=True).stdout
    assert "openai/gpt-x,chat,1.25,10,0.125,,,,,,,,1000,,tools,,,0.625/5/,,\n" in out and "free,chat,,," in out
    (tmp_path / "p.csv").write_text(out)
    r = subprocess.run([BINARY, "prices", "update", str(tmp_path / "p.csv"), "--to", str(tmp_path / "q.csv")], capture_output=True, text=True)
    assert r.returncode == 0, r.stderr


# --- what was learned ---

def test_what_was_learned_survives_a_restart(gateway, provider, config, tmp_path):
    kept = tmp_path / "learned"
    p = provider(lambda r: [http(200, completion(usage=usage(2 * r.body.count(b"word") + 20, 40)))])
    c = config(p, prices=PRICES, learned_file=str(kept))
    g = gateway(c)
    for i in range(30):
        g.chat(text="word " * (i + 1))
    ask = lambda g: admin(g, "/admin/explain", {"model": "m", "messages": [{"role": "user", "content": "word " * 50}]}).json
    before = ask(g)["targets"][0]["expected"]
    assert before["output_tokens"] == 40 and abs(before["input_tokens"] - 120) < 30
    g.stop()
    g = gateway(c)
    assert ask(g)["targets"][0]["expected"] == before
    g.stop()
    kept.write_text("weir-learned 1\nfirst/mock 5 nonsense\n")
    assert ask(gateway(c))["targets"][0]["expected"]["output_tokens"] == 256

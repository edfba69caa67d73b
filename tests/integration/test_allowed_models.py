"""Which models may be asked for: by key, team, tag and end user."""
import subprocess

import pytest
from mock_provider import error, good
from test_keys import admin, keyed, made  # noqa: F401 (a fixture)
from test_limits import KEY, SECRET, limited
from weir import BINARY


def models(g, **headers):
    return [m["id"] for m in g.get("/v1/models", headers={**KEY, **headers}).json["data"]]


@pytest.fixture
def several(gateway, provider, config):
    def start(key=None, team=None, **more):
        p = provider()
        c = limited(config, p, team=team or {}, **more)
        c["keys"][0].update(key or {})
        c["models"].update({"m-large": {"targets": ["first/mock"]}, "other": {"targets": ["first/mock"]}})
        c["models"]["m"]["fallbacks"] = ["m-large"]
        g = gateway(c)
        g.provider = p
        return g
    return start


@pytest.mark.parametrize("of", ["key", "team"])
def test_a_tag_may_use_what_its_list_has(several, of):
    g = several(**{of: {"per_tag": {"feature=search": {"models": ["m", "o*"]}}}})
    search = {**KEY, "x-weir-tags": "team=blue, feature=search"}
    assert [g.chat(model=m, headers=search).status for m in ("m", "other", "m-large", "first/mock")] == [200, 200, 403, 403]
    r = g.chat(model="m-large", headers=search)
    assert r.error["code"] == "model_not_allowed" and r.error["type"] == "permission_error" and r.error["param"] == "model"
    assert "tagged feature=search does not allow it" in r.error["message"] and f"{of} `" in r.error["message"]
    assert models(g, **{"x-weir-tags": "feature=search"}) == ["m", "other"]
    assert g.get("/v1/models/m-large", headers=search).status == 404 and g.get("/v1/models/m-large", headers=KEY).status == 200
    # Others are not bound by it.
    assert g.chat(model="m-large", headers={**KEY, "x-weir-tags": "feature=other"}).status == g.chat(model="m-large", headers=KEY).status == 200
    assert models(g) == ["m", "m-large", "other", "first/mock"]


def test_an_end_user_may_use_what_the_list_has(several):
    """By the tag, by the body's `user`, by Anthropic's `metadata.user_id`; named ones by a tag's pattern."""
    g = several(key={"per_user": {"models": ["m*"]}, "per_tag": {"user=trial-*": {"models": ["m"]}}})
    assert g.chat(model="other", headers=KEY).status == 200
    for user in ({"user": "ann"}, {"metadata": {"user_id": "ann"}}):
        assert [g.chat(model=m, headers=KEY, **user).status for m in ("m", "m-large", "other")] == [200, 200, 403]
    r = g.chat(model="other", headers={**KEY, "x-weir-tags": "user=ann"})
    assert r.status == 403 and "key `web` for each user does not allow it" in r.error["message"]
    assert [g.chat(model=m, headers=KEY, user="trial-1").status for m in ("m", "m-large", "other")] == [200, 403, 403]
    assert "tagged user=trial-*" in g.chat(model="m-large", headers=KEY, user="trial-1").error["message"]
    assert models(g, **{"x-weir-tags": "user=trial-1"}) == ["m"] and models(g, **{"x-weir-tags": "user=ann"}) == ["m", "m-large"]
    r = g.request("POST", "/v1/messages", {"model": "other", "max_tokens": 5, "metadata": {"user_id": "ann"},
                                           "messages": [{"role": "user", "content": "x"}]}, {"x-api-key": SECRET})
    assert r.status == 403 and r.json["error"]["type"] == "permission_error"


def test_no_fallback_leads_out_of_a_list(several):
    g = several(key={"per_tag": {"feature=search": {"models": ["m"]}}})
    g.provider.script = lambda r: error(500)
    before = len(g.provider.requests)
    search = {**KEY, "x-weir-tags": "feature=search", "x-weir-fallbacks": "m-large,other"}
    assert g.chat(headers=search).status == 502 and len(g.provider.requests) - before == 1
    g.provider.script = good
    assert g.request("POST", "/v1/files", "x", {**search, "content-type": "multipart/form-data; boundary=x"}).status == 403


def test_a_key_is_told_its_lists(several):
    g = several(key={"models": ["m*"], "per_tag": {"feature=search": {"models": ["m"], "limits": {"requests_per_minute": 9}}}},
                team={"models": ["m*", "other"]})
    got = g.get("/v1/key", headers=KEY).json
    assert got["models"] == ["m*"] and got["models_also"] == [
        {"of": "team `shop`", "models": ["m*", "other"]}, {"of": "key `web` tagged feature=search", "models": ["m"]}]
    assert [(x["limit"], x["of"]) for x in got["limits"]] == [("requests_per_minute", "key `web` tagged feature=search")]


def test_keys_that_are_made_have_lists(keyed):  # noqa: F811
    g = keyed(models={"m": {"targets": ["first/mock"]}, "other": {"targets": ["first/mock"]}})
    auth = {"authorization": "Bearer " + made(g, "app", per_tag={"feature=search": {"models": ["m"]}}, per_user={"models": ["other"]})}
    search = {**auth, "x-weir-tags": "feature=search"}
    assert [g.chat(model=m, headers=search).status for m in ("m", "other")] == [200, 403]
    assert [g.chat(model=m, headers=auth, user="ann").status for m in ("m", "other")] == [403, 200]
    assert admin(g, "GET", "/app").json["per_user"] == {"models": ["other"]}
    assert admin(g, "PATCH", "/app", {"per_tag": None}).status == 200 and g.chat(model="other", headers=search).status == 200
    r = admin(g, "PATCH", "/app", {"per_tag": {"x=y": {"model": ["m"]}}})
    assert r.status == 400 and "did you mean `models`" in r.error["message"]


def test_mistakes_are_named(tmp_path):
    file = tmp_path / "weir.yaml"
    file.write_text("""
keys:
  - name: a
    secret: sk-a-0123456789
    per_model: { m: { models: [x] } }
    per_tag: { "a=b": { models: { x: 1 } } }
    per_user: { modles: [x] }
teams:
  - { name: t, per_tag: [x] }
""")
    r = subprocess.run([BINARY, "check", "-c", str(file)], capture_output=True, text=True)
    assert r.returncode == 2
    for words in (":5:23: ", "`models`", ":6:33: ", "did you mean `models`", ":9:25: error: `per_tag`: expected a map of tags to { models, limits, budgets }"):
        assert words in r.stderr, r.stderr

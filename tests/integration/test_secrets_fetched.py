"""Canaries among what is fetched, signed with and told to others: tokens of clouds, a sentinel's password, a webhook, callers' tokens."""
import json
import os
import pathlib
import resource
import signal
import sqlite3
import subprocess
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from mock_provider import error, good, http
from redis_server import Redis
from test_alerts import hook
from test_jwt import AUDIENCE, ISSUER, KEYS
from test_tokens import in_future, root, service_account, sts
from weir import BINARY

SECRETS = {
    "entra's client secret": "canaryEntraSecret0123456789",
    "entra's token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOiJlbnRyYSJ9.Y2FuYXJ5ZW50cmE",
    "google's token": "ya29.canaryGoogleToken0123456789",
    "google's token in an odd form": "canarygoogleodd0123456789",
    "base key of aws": "canaryAwsBase/0123456789abcdefghijklmnop",
    "secret of a role": "canaryAwsRole+0123456789abcdefghijklmno",
    "session of a role": "canarySession//IQoJb3JpZ2luX2VjEXAMPLE==",
    "password of a sentinel": "canarySentinel0123456789",
    "redis password": "canaryRedisBehind0123456789",
    "part of a webhook": "canaryHookPart0123456789",
    "query of a webhook": "canaryHookQuery0123456789",
    "gemini's key": "canaryGemini0123456789abcdef",
    "key of a caller of gemini": "canaryGoogleCaller0123456789",
    "password of a proxy": "canaryProxy0123456789",
    "admin token": "canary-admin-fetched-0123456789",
}


class Guarded:
    """A master and a sentinel that both want a password."""

    def __init__(self, directory):
        self.master = Redis(directory, ["--requirepass", SECRETS["redis password"]])
        f = directory / "sentinel.conf"
        f.write_text(f"requirepass {SECRETS['password of a sentinel']}\nsentinel monitor main 127.0.0.1 {self.master.port} 1\n"
                     f"sentinel auth-pass main {SECRETS['redis password']}\n")
        self.sentinel = Redis(directory, [str(f), "--sentinel"])
        self.own = {f}

    @property
    def url(self):
        return (f"redis+sentinel://:{SECRETS['redis password']}@127.0.0.1:{self.sentinel.port}/main"
                f"?sentinel_password={SECRETS['password of a sentinel']}")

    def stop(self):
        self.sentinel.stop()
        self.master.stop()


@pytest.fixture
def guarded(tmp_path):
    d = tmp_path / "redis"
    d.mkdir()
    g = Guarded(d)
    yield g
    g.stop()


@pytest.fixture(scope="module")
def account():
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return pem, None


def found(where, data, secrets):
    data = data.encode() if isinstance(data, str) else data
    return [(where, name) for name, s in secrets.items() if s.encode() in data or urllib.parse.quote(s, "").encode() in data]


def echoing(r):
    """A vendor that says back whatever it was shown, as some do."""
    shown = " ".join(r.headers.get(h, "") for h in ("authorization", "x-goog-api-key", "x-amz-security-token"))
    if b"hi" in r.body and r.path.endswith("/chat/completions"):
        return good(r)
    return error(401 if b"echo" in r.body else 400 if b"refused" in r.body else 500, f"no: {shown} {r.path}")


def entra_tokens(r):
    if b"bad-client" in r.body:     # refused, with all that was sent
        return [http(401, {"error": "invalid_client", "error_description": "AADSTS7000215: " + urllib.parse.unquote_plus(r.body.decode()) + r.body.decode()})]
    return [http(200, {"access_token": SECRETS["entra's token"], "expires_in": 3600, "token_type": "Bearer"})]


def google_tokens(r):
    if r.path.startswith("/bad"):
        return [http(400, {"error": "invalid_grant", "error_description": r.body.decode()})]
    name = "google's token in an odd form" if r.path.startswith("/odd") else "google's token"
    return [http(200, {"access_token": SECRETS[name], "expires_in": 3600, "token_type": "Bearer"})]


def ask_everything(g, callers, keep):
    """In all the ways there are."""
    models = [f"{p}/mock" for p in g.config["providers"]]
    for model in ["m", *models]:
        for text in ("hi", "echo", "refused", "broken"):
            for stream in (False, True):
                keep(g.chat(model=model, text=text, stream=stream, max_tokens=20, headers={"authorization": f"Bearer {callers['token of a caller']}"}))
    for secret in callers.values():
        for h in ({"authorization": f"Bearer {secret}"}, {"x-api-key": secret}, {"x-goog-api-key": secret}):
            keep(g.chat(headers=h))
            keep(g.get("/v1/key", headers=h))
    own = {"x-goog-api-key": SECRETS["key of a caller of gemini"]}
    for model in ("m", "gemini/mock"):
        keep(g.request("POST", f"/v1beta/models/{model}:generateContent", {"contents": [{"parts": [{"text": "echo"}]}]}, own))
        keep(g.request("POST", f"/v1beta/models/{model}:generateContent?key={own['x-goog-api-key']}", {"contents": []}))
    for path in ("/", "/metrics", "/status.json", "/readyz?verbose", "/admin/usage", "/admin/keys", "/admin/why?id=x", "/nothing"):
        keep(g.get(path, headers={"authorization": f"Bearer {SECRETS['admin token']}"}, port=g.admin_port))


def test_no_secret_that_is_fetched_or_told_is_found_anywhere(gateway, provider, config, tmp_path, guarded, hook, account):
    """A14."""
    jwt = KEYS["RS256"]
    callers = {"token of a caller": jwt.token(), "an expired token": jwt.token(exp=1), "a token that was altered": jwt.token(signature=b"canary"),
               "key of a caller of gemini": SECRETS["key of a caller of gemini"]}
    secrets = {**SECRETS, **callers, "google's private key": account[0].splitlines()[3]}
    vendor, entra, google = provider(echoing), provider(entra_tokens), provider(google_tokens)
    role = {"AccessKeyId": "ASIACANARY", "SecretAccessKey": SECRETS["secret of a role"], "Token": SECRETS["session of a role"],
            "Expiration": in_future(3600)}
    home = tmp_path / "home"
    home.mkdir()
    (home / "credentials").write_text(f"[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = {SECRETS['base key of aws']}\n")
    (home / "config").write_text("[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n")
    (home / "keys.json").write_text(json.dumps({"keys": [jwt.jwk]}))
    files = [service_account(home / f"{n}.json", account, f"{root(google)}/{n}") for n in ("good", "odd", "bad")]
    common = {"base_url": vendor.url, "allow_private_address": True, "dialect": "openai"}
    azure = {**common, "credential": "entra", "tenant_id": "t", "client_secret": SECRETS["entra's client secret"], "token_endpoint": root(entra)}
    c = config(vendor, store=guarded.url, store_timeout="50ms", admin={"token": SECRETS["admin token"]}, ledger=str(tmp_path / "weir.db"),
               ledger_lines=str(tmp_path / "rows.jsonl"), log={"level": "debug"}, breaker="off",
               capture={"share": "100%", "redact": False, "directory": str(tmp_path / "kept")}, learned_file=str(tmp_path / "learned.json"),
               alerts={"webhook": f"{hook.url}/{SECRETS['part of a webhook']}?token={SECRETS['query of a webhook']}"},
               jwt={"jwks": str(home / "keys.json"), "issuer": ISSUER, "audience": AUDIENCE, "key_claim": "weir_key"},
               keys=[{"name": "web", "secret": "sk-not-used-0123456789", "budgets": [{"usd": 5, "per": "year", "warn_at": ["1%"]}]},
                     {"name": "gemini", "secret": SECRETS["key of a caller of gemini"]}])
    c["providers"] |= {
        "entra": {**azure, "client_id": "a-client"}, "entra_bad": {**azure, "client_id": "bad-client"},
        **{f"google_{n}": {**common, "credential": "google", "credentials_file": f} for n, f in zip(("good", "odd", "bad"), files)},
        "aws": {**common, "region": "us-east-1", "credential": "aws", "profile": "r"},
        "gemini": {**common, "dialect": "gemini", "base_url": root(vendor), "api_key": SECRETS["gemini's key"]}}
    c["prices"] = {f"{name}/mock": {"input": 1000, "output": 4000} for name in c["providers"]}
    sts_double = provider(lambda r: [sts("AssumeRole", role)])
    hook.statuses = [500]
    g = gateway(c, env={"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": str(home / "config"),
                        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"), "AWS_ENDPOINT_URL_STS": root(sts_double)}).store_up()
    said = []

    def keep(r):
        said.append(json.dumps(r.headers) + r.body.decode(errors="replace"))
        return r
    ask_everything(g, callers, keep)
    assert hook.wait(2) and entra.requests and google.requests and sts_double.requests
    # Another password, and a server that is not there.
    guarded.master.call("-a", SECRETS["redis password"], "CONFIG", "SET", "requirepass", "another")
    guarded.master.call("-a", "another", "CLIENT", "KILL", "TYPE", "normal")
    ask_everything(g, callers, keep)
    guarded.master.stop()
    ask_everything(g, callers, keep)
    proxied = {**common, "proxy": f"http://user:{SECRETS['password of a proxy']}@127.0.0.1:1"}
    g.write({**c, "providers": {**c["providers"], "proxied": proxied}, "store": c["store"].replace("redis+sentinel:", "rediss:"), "alerts": {"webhook": c["alerts"]["webhook"].replace("127.0.0.1", "x.test")}})
    for args in (["check"], ["usage"], ["explain"], ["config", "full"], ["models"]):
        r = subprocess.run([BINARY, *args, "-c", str(g.file)], capture_output=True, text=True, env=g.env, input="{}", timeout=60)
        said.append(r.stdout + r.stderr)
    g.process.send_signal(signal.SIGHUP)
    g.wait_log("alerts.webhook")
    at_providers = [r.head.decode("latin-1") for p in (vendor, entra, google, sts_double) for r in p.requests]
    ended_without_core(g)
    hits = [x for text in said for x in found("answers: " + text[:1000], text, secrets)]
    for f in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = f.read_bytes()
        except OSError:
            continue
        if b"redis-" not in text and b"pytest" not in text:     # the test's own
            hits += found(str(f), text, secrets)
    files = [f for f in tmp_path.rglob("*") if f.is_file() and f != g.file and f not in guarded.own and home not in f.parents]
    assert {"weir.db", "rows.jsonl", "weir.log"} <= {f.name for f in files} and any(f.name.startswith("capture-") for f in files)
    assert sqlite3.connect(tmp_path / "weir.db").execute("SELECT count(*) FROM requests").fetchone()[0] > 100
    hits += [x for f in files for x in found(str(f), f.read_bytes(), secrets)]
    assert not hits, sorted(set(hits))
    # Each went where it belongs, and no caller's token anywhere.
    assert not any(found("", head, callers) for head in at_providers)
    for name in ("entra's token", "google's token", "google's token in an odd form", "session of a role", "gemini's key"):
        assert any(found("", head, {name: SECRETS[name]}) for head in at_providers), name


def ended_without_core(g):
    """Aborted where the limit would let there be a core file: none is made, for it would hold all of them."""
    try:
        resource.prlimit(g.process.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except PermissionError:
        pass    # its hard limit is none, and who runs this may not raise that
    g.expect = None
    g.process.send_signal(signal.SIGABRT)
    assert os.waitid(os.P_PID, g.process.pid, os.WEXITED | os.WNOWAIT).si_code == os.CLD_KILLED
    g.process.wait()

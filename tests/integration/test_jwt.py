"""Tokens of an issuer in place of keys: what is taken, what is refused, and how its keys change."""
import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from weir import SLOW, until

ISSUER, AUDIENCE = "https://login.example.com", "weir"


def b64(data):
    if isinstance(data, dict):
        data = json.dumps(data).encode()
    if isinstance(data, int):
        data = data.to_bytes((data.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    def __init__(self, alg, kid, bits=2048):
        self.alg, self.kid = alg, kid
        self.private = (rsa.generate_private_key(65537, bits) if alg == "RS256" else ec.generate_private_key(ec.SECP256R1()) if alg == "ES256"
                        else ed25519.Ed25519PrivateKey.generate())
        self.public = self.private.public_key()

    @property
    def jwk(self):
        k = {"kid": self.kid, "alg": self.alg, "use": "sig"}
        if self.alg == "RS256":
            n = self.public.public_numbers()
            return {**k, "kty": "RSA", "n": b64(n.n), "e": b64(n.e)}
        if self.alg == "ES256":
            n = self.public.public_numbers()
            return {**k, "kty": "EC", "crv": "P-256", "x": b64(n.x.to_bytes(32, "big")), "y": b64(n.y.to_bytes(32, "big"))}
        raw = self.public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {**k, "kty": "OKP", "crv": "Ed25519", "x": b64(raw)}

    def sign(self, data):
        if self.alg == "RS256":
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == "ES256":
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(data)

    def token(self, header=None, signature=None, **claims):
        now = int(time.time())
        body = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600, "weir_key": "web", **claims}
        body = {k: v for k, v in body.items() if v is not None}
        head = {"alg": self.alg, "typ": "JWT", "kid": self.kid, **(header or {})}
        head = {k: v for k, v in head.items() if v is not None}
        covered = f"{b64(head)}.{b64(body)}"
        return f"{covered}.{b64(self.sign(covered.encode()) if signature is None else signature)}"


KEYS = {alg: Key(alg, alg.lower()) for alg in ("RS256", "ES256", "EdDSA")}


class Issuer:
    """Serves a key set; counts who asks."""

    def __init__(self, keys):
        self.keys, self.asked, self.status = keys, 0, 200

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):
                self.asked += 1
                body = json.dumps({"keys": [k.jwk for k in self.keys]}).encode()
                handler.send_response(self.status)
                handler.send_header("content-length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *a):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def issuer():
    i = Issuer(list(KEYS.values()))
    yield i
    i.stop()


def ask(g, token, **more):
    return g.chat(headers={"authorization": f"Bearer {token}"}, **more)


@pytest.fixture
def trusting(gateway, provider, config, tmp_path):
    def start(jwks=None, ready=True, **more):
        if jwks is None:
            jwks = tmp_path / "jwks.json"
            jwks.write_text(json.dumps({"keys": [k.jwk for k in KEYS.values()] + [{"kty": "oct", "kid": "hmac", "k": b64(b"secret" * 6)}]}))
        settings = {"jwks": str(jwks), "issuer": ISSUER, "audience": [AUDIENCE, "second"], "key_claim": "weir_key", **more.pop("jwt", {})}
        more.setdefault("keys", [{"name": "web", "secret": "sk-web-0123456789", "models": ["m"]}])
        g = gateway(config(provider(), jwt=settings, **more))
        if ready:
            until(lambda: ask(g, KEYS["ES256"].token()).status == 200)
        return g
    return start


def test_tokens_of_each_kind_are_taken_as_their_key(trusting):
    g = trusting()
    for k in KEYS.values():
        token = k.token()
        for _ in range(2):
            assert ask(g, token).status == 200
        assert g.get("/v1/key", headers={"authorization": f"Bearer {token}"}).json["name"] == "web"
        assert ask(g, k.token(aud=["other", "second"])).status == 200 and ask(g, k.token({"kid": None})).status == 200
        assert ask(g, token, model="first/mock").status == 403          # the key's own models
        assert g.request("POST", "/v1/messages", {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]},
                         {"x-api-key": token}).status == 200
    assert ask(g, "sk-web-0123456789").status == 200 and g.chat().status == 401
    assert token not in g.logs()


def forged(k):
    """As HS256, with the public key as the secret."""
    pem = k.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    t = k.token({"alg": "HS256"}, signature=b"x").rsplit(".", 1)[0]
    return t + "." + b64(hmac.new(pem, t.encode(), hashlib.sha256).digest())


def test_what_is_no_good_is_refused(trusting):
    g = trusting()
    rs, es, ed = KEYS["RS256"], KEYS["ES256"], KEYS["EdDSA"]
    now, stranger = int(time.time()), Key("ES256", "es256")
    good = es.token()
    head, body, signature = good.split(".")
    bad = {
        "algorithm": [rs.token({"alg": "none"}, signature=b""), rs.token({"alg": "None"}), rs.token({"alg": ["RS256"]}), rs.token({"alg": None}),
                      forged(rs), rs.token({"alg": "RS512"}), rs.token({"alg": "HS256", "kid": "hmac"})],
        "signature": [rs.token({"alg": "ES256"}), es.token({"alg": "RS256"}), es.token({"kid": "rs256"}), stranger.token(),
                      f"{head}.{b64({'iss': ISSUER, 'aud': AUDIENCE, 'exp': now + 99, 'weir_key': 'web'})}.{signature}",
                      es.token(signature=b"\0" * 64), es.token(signature=b"\xff" * 64), es.token(signature=b"x"), ed.token(signature=b"\0" * 64),
                      rs.token(signature=b"\0" * 256)],
        "expired": [es.token(exp=now - 120), es.token(exp=0), es.token(exp=-1), es.token(exp=now - 61)],
        "no `exp`": [es.token(exp=None), es.token(exp=str(now + 99)), es.token(exp=True), es.token(exp=1e300)],
        "not valid yet": [es.token(nbf=now + 300), es.token(nbf="x")],
        "issuer": [es.token(iss="https://evil.example.com"), es.token(iss=None), es.token(iss=[ISSUER]), es.token(iss=ISSUER + "/")],
        "audience": [es.token(aud="other"), es.token(aud=None), es.token(aud=[]), es.token(aud={"a": AUDIENCE}), es.token(aud=AUDIENCE + "x")],
        "names no key": [es.token(weir_key="nobody"), es.token(weir_key=None), es.token(weir_key=["nobody"]), es.token(weir_key=[]), es.token(weir_key=5), es.token(weir_key="")],
        "signed by a key": [es.token({"kid": "unknown"})],
        "extension": [es.token({"crit": ["exp"]})],
        "header": [f"eyJ!.{body}.{signature}", f"{b64(b'[1]')}.{body}.{signature}".replace("W", "eyJ", 1),
                   b64(b'{"alg":"ES256","alg":"none"}') + f".{body}.{signature}"],
    }
    for says, tokens in bad.items():
        for token in tokens:
            r = ask(g, token)
            assert r.status == 401 and says in r.error["message"], (says, token[:60], r.body)
            assert r.error["code"] == "invalid_api_key"
    for token in (f"{head}.{body}", f"{good}.x", f"{head}.{body}.", f"{head}..{signature}", good + "=", good[:-1], good + "A", "eyJ.eyJ.eyJ", "eyJ..",
                  es.token(pad="x" * 9000)):
        assert ask(g, token).status == 401
    assert ask(g, good).status == 200 and ask(g, es.token(exp=now - 5)).status == 200     # clocks differ


def test_a_token_that_was_taken_ends(trusting):
    g = trusting()
    token = KEYS["EdDSA"].token(exp=int(time.time()) - 57)
    assert ask(g, token).status == 200
    until(lambda: ask(g, token).status == 401, 6)


def test_keys_of_a_url_change_without_a_restart(trusting, issuer):
    g = trusting(jwks=issuer.url)
    fresh = Key("ES256", "next")
    assert ask(g, fresh.token()).status == 401
    issuer.keys = [fresh]
    until(lambda: ask(g, fresh.token()).status == 200, 12)      # its id was not known: looked for again
    assert ask(g, KEYS["ES256"].token()).status == 401          # rotated out; what was remembered of it, too
    asked = issuer.asked
    for _ in range(50):
        assert ask(g, KEYS["RS256"].token()).status == 401
    assert issuer.asked - asked <= 2                            # strangers do not make it ask and ask
    issuer.status = 500
    g.reload()
    g.wait_log("keys of the issuer cannot be had")
    assert ask(g, fresh.token()).status == 200                  # what was had last stays


def test_until_the_keys_are_there_tokens_wait(trusting, issuer):
    issuer.status = 503
    g = trusting(jwks=issuer.url, ready=False, jwt={"refresh": "1s"})
    r = ask(g, KEYS["ES256"].token())
    assert r.status == 503 and "not known yet" in r.error["message"] and ask(g, "sk-web-0123456789").status == 200 and g.chat().status == 401
    issuer.status = 200
    until(lambda: ask(g, KEYS["ES256"].token()).status == 200, 8)


def test_weak_and_foreign_keys_are_no_keys(trusting, tmp_path):
    path = tmp_path / "weak.json"
    path.write_text(json.dumps({"keys": [Key("RS256", "weak", 1024).jwk, {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, 1]}))
    g = trusting(jwks=path, ready=False)
    g.wait_log("holds no key for RS256, ES256 or EdDSA")
    assert ask(g, KEYS["ES256"].token()).status == 503


def test_tokens_may_have_one_key_for_all(trusting):
    g = trusting(jwt={"key": "web", "key_claim": None})
    assert ask(g, KEYS["ES256"].token(weir_key="nobody")).status == 200


def test_a_claim_may_be_a_list_and_nothing_but_names(trusting):
    """What is said and is no name must not pass for one who says none."""
    g = trusting(jwt={"key": "everybody", "key_claim": "groups"}, keys=[{"name": "web", "secret": "sk-web-0123456789"},
                                                                       {"name": "everybody", "secret": "sk-all-0123456789"}])
    def who(**claims):
        r = g.get("/v1/key", headers={"authorization": "Bearer " + KEYS["ES256"].token(**claims)})
        return r.json["name"] if r.status == 200 else r.status
    assert [who(groups=x) for x in ("web", ["web"], ["staff", "web", "everybody"])] == ["web"] * 3
    assert [who(groups=x) for x in (None, "", [])] == ["everybody"] * 3 and who() == "everybody"
    assert [who(groups=x) for x in ("staff", ["staff"], [5], [""], 5, True, {"web": 1}, [["web"]])] == [401] * 8


@pytest.mark.parametrize("change, says", [({"issuer": None}, "`jwt.issuer` is needed"), ({"audience": []}, "`jwt.audience` is needed"),
                                          ({"key_claim": None}, "`jwt.key`"), ({"jwks": "https://"}, "jwt.jwks")])
def test_settings_that_would_let_anybody_in_are_mistakes(gateway, provider, config, change, says):
    jwt = {"jwks": "x.json", "issuer": ISSUER, "audience": AUDIENCE, "key_claim": "k", **change}
    g = gateway(config(provider(), jwt={k: v for k, v in jwt.items() if v is not None}), wait=False, expect=2)
    g.process.wait(10 * SLOW)
    assert says in g.logs()

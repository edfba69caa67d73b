"""Credentials that are fetched: small servers of the protocols of Google, Azure and AWS give tokens, fail, and are slow."""
import datetime
import json
import ssl
import time
import urllib.parse
import xml.sax.saxutils

import pytest
from certificates import Authority
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from mock_provider import good, http
from test_credentials import is_signed, signature_of
from weir import until

SECRET = "S3cretThatNobodyMaySee"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def root(p):
    return p.url.removesuffix("/v1")


def form(r):
    return dict(urllib.parse.parse_qsl(r.body.decode(), strict_parsing=True))


def query(r):
    return dict(urllib.parse.parse_qsl(r.path.partition("?")[2], strict_parsing=True))


def bearer(r):
    return r.headers["authorization"].removeprefix("Bearer ")


def gives(lives=3600, prefix="token", **more):
    """A token endpoint of OAuth: token-1, token-2 and so on."""
    count = iter(range(1, 1000))
    return lambda r: [http(200, {"access_token": f"{prefix}-{next(count)}", "expires_in": lives, "token_type": "Bearer", **more})]


def entra(p, tokens, **more):
    return {"dialect": "openai", "base_url": p.url, "allow_private_address": True, "credential": "entra", "tenant_id": "a-tenant",
            "client_id": "a-client", "client_secret": SECRET, "token_endpoint": tokens, **more}


def cloud(*providers, **more):
    names = ["cloud", "other"]
    return {"providers": dict(zip(names, providers)), "models": {"m": {"targets": [f"{n}/mock" for n, _ in zip(names, providers)],
                                                                         **more}}}


def plain(p):
    return {"dialect": "openai", "base_url": p.url, "allow_private_address": True, "api_key": "sk-other"}


@pytest.fixture
def home(tmp_path):
    """An environment in which nothing of this machine's own is found."""
    d = tmp_path / "home"
    d.mkdir()
    return {"HOME": str(d), "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": str(d / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(d / "credentials")}


# --- Azure ---

def test_entra_client_credentials(gateway, provider, home):
    tokens, p = provider(gives()), provider()
    g = gateway(cloud(entra(p, root(tokens))), env=home)
    assert [g.chat().status for _ in range(3)] == [200] * 3
    assert {bearer(r) for r in p.requests} == {"token-1"} and len(tokens.requests) == 1
    r = tokens.requests[0]
    assert (r.method, r.path) == ("POST", "/a-tenant/oauth2/v2.0/token")
    assert form(r) == {"client_id": "a-client", "client_secret": SECRET, "grant_type": "client_credentials",
                       "scope": "https://cognitiveservices.azure.com/.default"}
    assert g.metric("weir_credential_fetches_total", credential="cloud[0]", result="good") == 1
    assert 3000 < g.metric("weir_credential_left_seconds", credential="cloud[0]") <= 3600
    for hidden in (SECRET, "token-1"):
        assert hidden not in g.logs() and hidden not in g.metrics()


def test_entra_by_a_federated_token_and_variables(gateway, provider, home, tmp_path):
    tokens, p = provider(gives()), provider()
    (tmp_path / "federated").write_text("header.claims.signature\n")
    g = gateway(cloud({"preset": "azure-v1", "base_url": p.url, "allow_private_address": True, "allow_plaintext": True}),
                env={**home, "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_AUTHORITY_HOST": root(tokens) + "/",
                     "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "federated")})
    assert g.chat().status == 200 and bearer(p.requests[0]) == "token-1"
    sent = form(tokens.requests[0])
    assert sent["client_assertion"] == "header.claims.signature" and "client_secret" not in sent
    assert sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_managed_identity_of_a_machine(gateway, provider, home):
    tokens = provider(lambda r: [http(200, {"access_token": "machine", "client_id": "x", "expires_in": "86399",
                                            "expires_on": str(int(time.time()) + 86399), "token_type": "Bearer"})])
    p = provider()
    c = entra(p, root(tokens), credential="managed_identity")
    del c["client_secret"], c["tenant_id"]
    g = gateway(cloud(c), env=home)
    assert g.chat().status == 200 and bearer(p.requests[0]) == "machine"
    r = tokens.requests[0]
    assert r.path.startswith("/metadata/identity/oauth2/token?") and r.headers["metadata"] == "true"
    assert query(r) == {"api-version": "2018-02-01", "resource": "https://cognitiveservices.azure.com", "client_id": "a-client"}


def test_managed_identity_of_app_service(gateway, provider, home):
    tokens = provider(lambda r: [http(200, {"access_token": "app", "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"})])
    p = provider()
    g = gateway(cloud({"preset": "azure-v1", "base_url": p.url, "allow_private_address": True}),
                env={**home, "IDENTITY_ENDPOINT": root(tokens) + "/MSI/token/", "IDENTITY_HEADER": SECRET})
    assert g.chat().status == 200 and bearer(p.requests[0]) == "app"
    r = tokens.requests[0]
    assert r.headers["x-identity-header"] == SECRET and query(r)["api-version"] == "2019-08-01"
    assert SECRET not in g.logs()


# --- Google ---

@pytest.fixture(scope="module")
def account():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem, public


def service_account(path, account, uri):
    path.write_text(json.dumps({"type": "service_account", "project_id": "p", "private_key_id": "key-1", "private_key": account[0],
                                "client_email": "weir@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": uri}))
    return str(path)


def google(p, **more):
    return {"dialect": "openai", "base_url": p.url, "allow_private_address": True, "credential": "google", **more}


def test_a_service_account_signs_what_googles_library_verifies(gateway, provider, home, tmp_path, account):
    tokens, p = provider(gives()), provider()
    uri = root(tokens) + "/token"
    file = service_account(tmp_path / "account.json", account, uri)
    g = gateway(cloud(google(p)), env={**home, "GOOGLE_APPLICATION_CREDENTIALS": file})
    assert g.chat().status == 200 and bearer(p.requests[0]) == "token-1"
    sent = form(tokens.requests[0])
    assert sent["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = jwt.decode(sent["assertion"], certs={"key-1": account[1]}, audience=uri)
    assert claims["iss"] == "weir@p.iam.gserviceaccount.com" and claims["scope"] == SCOPE and claims["exp"] - claims["iat"] == 3600
    assert jwt.decode_header(sent["assertion"]) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert "PRIVATE KEY" not in g.logs() and sent["assertion"] not in g.logs()


def test_an_assertion_goes_by_googles_clock(gateway, provider, home, tmp_path, account):
    def script(r):
        at = jwt.decode(form(r)["assertion"], verify=False)["iat"]
        if at < 1893492000:
            return [http(400, {"error": "invalid_grant", "error_description": "Invalid JWT: Token must be a short-lived token"},
                         headers=[("date", "Tue, 01 Jan 2030 10:00:00 GMT")])]
        return [http(200, {"access_token": "late", "expires_in": 3600}, headers=[("date", "Tue, 01 Jan 2030 10:00:00 GMT")])]

    tokens, p = provider(script), provider()
    file = service_account(tmp_path / "account.json", account, root(tokens) + "/token")
    g = gateway(cloud(google(p, credentials_file=file)), env=home)
    assert g.chat().status == 200 and bearer(p.requests[0]) == "late" and len(tokens.requests) == 2


def test_an_authorised_user_at_the_well_known_place(gateway, provider, home, tmp_path):
    tokens, p = provider(gives()), provider()
    place = tmp_path / "home" / ".config" / "gcloud"
    place.mkdir(parents=True)
    (place / "application_default_credentials.json").write_text(json.dumps(
        {"type": "authorized_user", "client_id": "i", "client_secret": SECRET, "refresh_token": "1//refresh"}))
    g = gateway(cloud(google(p, token_endpoint=root(tokens) + "/token")), env=home)
    assert g.chat().status == 200 and bearer(p.requests[0]) == "token-1"
    assert form(tokens.requests[0]) == {"grant_type": "refresh_token", "client_id": "i", "client_secret": SECRET, "refresh_token": "1//refresh"}
    assert SECRET not in g.logs() and "1//refresh" not in g.logs()


def test_googles_metadata_server(gateway, provider, home):
    def script(r):
        assert r.headers["metadata-flavor"] == "Google"
        return [http(200, {"access_token": "metal", "expires_in": 3599, "token_type": "Bearer"}, headers=[("Metadata-Flavor", "Google")])]

    tokens, p = provider(script), provider()
    g = gateway(cloud(google(p)), env={**home, "GCE_METADATA_HOST": root(tokens).removeprefix("http://")})
    assert g.chat().status == 200 and bearer(p.requests[0]) == "metal"
    assert tokens.requests[0].path.startswith("/computeMetadata/v1/instance/service-accounts/default/token?")
    assert query(tokens.requests[0]) == {"scopes": SCOPE}


def test_what_is_no_metadata_server_of_google(gateway, provider, home):
    tokens, other = provider(gives()), provider()
    g = gateway(cloud(google(provider(), token_endpoint=root(tokens)), plain(other)), env=home)
    g.wait_log("no metadata server of Google")
    assert g.chat().status == 200 and len(other.requests) == 1


# --- AWS ---

def aws(p, **more):
    return {"dialect": "openai", "base_url": p.url, "allow_private_address": True, "region": "us-east-1", "credential": "aws", **more}


def in_future(seconds=3600):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def keys(n=1, lives=3600):
    return {"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": f"ASIA{n}", "SecretAccessKey": f"secret/{n}", "Token": f"session{n}",
            "Expiration": in_future(lives)}


def sts(action, k):
    return http(200, f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <{action}Result><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser><Credentials>
    <AccessKeyId>{k['AccessKeyId']}</AccessKeyId><SecretAccessKey>{k['SecretAccessKey']}</SecretAccessKey>
    <SessionToken>{xml.sax.saxutils.escape(k['Token'])}</SessionToken><Expiration>{k['Expiration']}</Expiration>
  </Credentials></{action}Result></{action}Response>""", content_type="text/xml")


def is_of(r, n):
    return is_signed(r, access=f"ASIA{n}", secret=f"secret/{n}", session=f"session{n}")


def test_shared_files_and_a_profile(gateway, provider, home, tmp_path):
    p = provider()
    (tmp_path / "home" / "credentials").write_text("[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = one\n\n"
                                                   "[work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=two # mine\n")
    (tmp_path / "home" / "config").write_text("[profile work]\nregion = eu-west-2\n")
    c = aws(p, profile="work")
    del c["region"]
    g = gateway(cloud(c), env=home)
    assert g.chat().status == 200 and is_signed(p.requests[0], access="AKIAWORK", secret="two", region="eu-west-2")
    g = gateway(cloud(aws(p)), env=home)
    assert g.chat().status == 200 and is_signed(p.requests[-1], access="AKIADEFAULT", secret="one")


def test_a_role_through_a_source_profile(gateway, provider, home, tmp_path):
    tokens, p = provider(lambda r: [sts("AssumeRole", keys())]), provider()
    (tmp_path / "home" / "credentials").write_text(f"[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = {SECRET}\n")
    (tmp_path / "home" / "config").write_text("[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nexternal_id = e-1\n")
    g = gateway(cloud(aws(p, profile="r")), env={**home, "AWS_ENDPOINT_URL_STS": root(tokens)})
    assert g.chat().status == 200 and is_of(p.requests[0], 1)
    assert form(tokens.requests[0]) == {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/r",
                                        "RoleSessionName": "weir", "ExternalId": "e-1"}
    auth, access, wanted = signature_of(tokens.requests[0], secret=SECRET, service="sts")
    assert access == "AKIABASE" and auth["Signature"] == wanted and SECRET not in g.logs()


def test_a_role_by_a_role_and_a_circle(gateway, provider, home, tmp_path):
    count = iter(range(1, 9))
    tokens, p = provider(lambda r: [sts("AssumeRole", keys(next(count)))]), provider()
    (tmp_path / "home" / "credentials").write_text(f"[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = {SECRET}\n")
    (tmp_path / "home" / "config").write_text("[profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nrole_arn = arn:b\n"
                                              "source_profile = base\n[profile c]\nrole_arn = arn:c\nsource_profile = d\n"
                                              "[profile d]\nrole_arn = arn:d\nsource_profile = c\n")
    env = {**home, "AWS_ENDPOINT_URL_STS": root(tokens)}
    g = gateway(cloud(aws(p, profile="a")), env=env)
    assert g.chat().status == 200 and is_of(p.requests[0], 2)
    assert [form(r)["RoleArn"] for r in tokens.requests] == ["arn:b", "arn:a"]
    auth, access, wanted = signature_of(tokens.requests[1], secret="secret/1", session="session1", service="sts")
    assert access == "ASIA1" and auth["Signature"] == wanted
    g = gateway(cloud(aws(p, profile="c")), env=env)
    g.wait_log("go in a circle")


def test_a_role_is_assumed_by_the_clock_of_sts(gateway, provider, home, tmp_path):
    date = [("date", "Tue, 01 Jan 2030 10:00:00 GMT")]

    def script(r):
        if r.headers["x-amz-date"] < "2030":
            return [http(403, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>", "text/xml", date)]
        return [sts("AssumeRole", {**keys(), "Expiration": "2030-01-01T11:00:00Z"}).replace(b"content-type", b"date: " + date[0][1].encode() +
                                                                                                b"\r\ncontent-type")]

    tokens, p = provider(script), provider()
    (tmp_path / "home" / "credentials").write_text("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n"
                                                   "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = x\n")
    g = gateway(cloud(aws(p, token_endpoint=root(tokens))), env=home)
    assert g.chat().status == 200 and is_of(p.requests[0], 1) and len(tokens.requests) == 2
    assert p.requests[0].headers["x-amz-date"].startswith("20300101T10")
    assert 3500 < g.metric("weir_credential_left_seconds", credential="cloud[0]") < 3700


def test_web_identity(gateway, provider, home, tmp_path):
    tokens, p = provider(lambda r: [sts("AssumeRoleWithWebIdentity", keys())]), provider()
    (tmp_path / "web").write_text("a.web.token\n")
    g = gateway(cloud(aws(p)), env={**home, "AWS_ENDPOINT_URL_STS": root(tokens), "AWS_ROLE_ARN": "arn:aws:iam::1:role/w",
                                    "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "web"), "AWS_ROLE_SESSION_NAME": "me"})
    assert g.chat().status == 200 and is_of(p.requests[0], 1)
    assert form(tokens.requests[0]) == {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "WebIdentityToken": "a.web.token",
                                        "RoleArn": "arn:aws:iam::1:role/w", "RoleSessionName": "me"}
    assert "authorization" not in tokens.requests[0].headers and "a.web.token" not in g.logs()


def test_a_container_with_its_token(gateway, provider, home, tmp_path):
    tokens, p = provider(lambda r: [http(200, keys())]), provider()
    (tmp_path / "auth").write_text("Basic abc\n")
    g = gateway(cloud(aws(p)), env={**home, "AWS_CONTAINER_CREDENTIALS_FULL_URI": root(tokens) + "/v1/credentials?x=1",
                                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "auth")})
    assert g.chat().status == 200 and is_of(p.requests[0], 1)
    assert tokens.requests[0].headers["authorization"] == "Basic abc" and tokens.requests[0].path == "/v1/credentials?x=1"


def test_instance_metadata_version_2(gateway, provider, home):
    def script(r):
        if r.path == "/latest/api/token":
            assert r.method == "PUT" and int(r.headers["x-aws-ec2-metadata-token-ttl-seconds"]) <= 21600
            return [http(200, "imds-session", content_type="text/plain")]
        assert r.headers["x-aws-ec2-metadata-token"] == "imds-session"
        if r.path == "/latest/meta-data/iam/security-credentials/":
            return [http(200, "my-role", content_type="text/plain")]
        assert r.path == "/latest/meta-data/iam/security-credentials/my-role"
        return [http(200, keys())]

    tokens, p = provider(script), provider()
    g = gateway(cloud(aws(p)), env={**home, "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": root(tokens)})
    assert g.chat().status == 200 and is_of(p.requests[0], 1) and len(tokens.requests) == 3


def test_bedrocks_bearer_key(gateway, provider, home):
    p = provider()
    g = gateway(cloud({"preset": "bedrock-mantle", "region": "us-east-1", "base_url": p.url, "allow_private_address": True}),
                env={**home, "AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-abc", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x"})
    assert g.chat().status == 200 and bearer(p.requests[0]) == "bedrock-api-key-abc"


# --- time ---

def test_tokens_are_renewed_before_they_expire(gateway, provider, home):
    tokens, p = provider(gives(lives=2)), provider()
    g = gateway(cloud(entra(p, root(tokens))), env=home)
    until(lambda: g.chat().status == 200 and bearer(p.requests[-1]) == "token-3", 15)
    assert all(r.status == 200 for r in [g.chat() for _ in range(5)])
    seen = [bearer(r) for r in p.requests]
    assert sorted(seen) == seen and len(tokens.requests) <= 5


def test_many_requests_and_providers_share_one_fetch(gateway, provider, home):
    tokens, p = provider(lambda r: [("sleep", 0.3), *gives()(r)]), provider()
    c = cloud(entra(p, root(tokens)), entra(p, root(tokens)))
    g = gateway(c, env=home)
    assert g.chat().status == 200 and g.chat().status == 200
    g.reload()
    assert g.chat().status == 200 and len(tokens.requests) == 1


def test_the_old_token_serves_while_a_new_one_is_slow_or_refused(gateway, provider, home):
    first = iter([True])

    def script(r):
        if next(first, False):
            return [http(200, {"access_token": "old", "expires_in": 8})]
        return [("hang",)]

    tokens, p = provider(script), provider()
    g = gateway(cloud(entra(p, root(tokens))), env=home)
    assert g.chat().status == 200
    until(lambda: len(tokens.requests) == 2, 15)
    assert g.chat().status == 200 and bearer(p.requests[-1]) == "old"


# --- refusals ---

def test_endpoints_with_tls_are_verified(gateway, provider, home, tmp_path):
    ca = Authority(tmp_path)
    ca.make("good", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca / "good.pem", ca / "good.key")
    tokens, p = provider(gives(), ssl=context), provider()
    g = gateway(cloud(entra(p, root(tokens))), env={**home, "SSL_CERT_FILE": str(ca / "ca.pem")})
    assert g.chat().status == 200 and bearer(p.requests[0]) == "token-1"
    g = gateway(cloud(entra(p, root(tokens))), env=home)
    g.wait_log(r"cannot be fetched: no answer: .*(SSL|certificate)")
    g = gateway(cloud(entra(p, "http://localhost.example:1")), env=home)
    g.wait_log("plain http:// is for this machine alone")


def test_refused_clients_go_to_the_next_target(gateway, provider, home):
    tokens = provider(lambda r: [http(401, {"error": "invalid_client", "error_description": f"AADSTS7000215: Invalid client secret {SECRET}"})])
    p, other = provider(), provider()
    g = gateway(cloud(entra(p, root(tokens)), plain(other)), env=home)
    g.wait_log(r"credential cloud\[0\] cannot be fetched: status 401, invalid_client")
    g.wait_log("AADSTS7000215")
    assert SECRET not in g.logs() + g.metrics()
    assert g.chat().status == 200 and len(other.requests) == 1 and not p.requests
    assert g.metric("weir_credential_fetches_total", credential="cloud[0]", result="failed") >= 1
    assert g.metric("weir_credential_left_seconds", credential="cloud[0]") < 0
    assert len(tokens.requests) <= 3


def test_a_dead_endpoint_stalls_nothing(gateway, provider, home):
    p, other = provider(), provider()
    c = {**cloud(entra(p, "http://127.0.0.1:1"), plain(other)), "admin": {"token": "admin-token-0123456789"}}
    g = gateway(c, env=home)
    g.wait_log("cannot be fetched")
    r = g.chat()
    assert r.status == 200 and len(other.requests) == 1
    journal = g.get(f"/admin/why?id={r.headers['x-request-id']}", port=g.admin_port,
                    headers={"authorization": "Bearer admin-token-0123456789"}).body.decode()
    assert "its credential could not be fetched" in journal
    g = gateway(cloud(entra(p, "http://127.0.0.1:1"), queue={"wait": "300ms"}), env=home)
    r = g.chat()
    assert r.status in (502, 503) and not p.requests
    assert SECRET not in r.body.decode() + g.logs()


def test_a_slow_endpoint_sends_requests_on(gateway, provider, home):
    tokens, p, other = provider(lambda r: [("hang",)]), provider(), provider()
    g = gateway(cloud(entra(p, root(tokens)), plain(other)), env=home)
    assert g.chat().status == 200 and len(other.requests) == 1 and not p.requests


def test_the_first_token_is_waited_for(gateway, provider, home):
    tokens, p = provider(lambda r: [("sleep", 0.5), *gives()(r)]), provider()
    g = gateway(cloud(entra(p, root(tokens)), queue={"wait": "10s"}), env=home)
    assert g.chat().status == 200 and bearer(p.requests[0]) == "token-1"


def test_a_token_that_the_provider_refuses_is_fetched_anew(gateway, provider, home):
    tokens = provider(gives())
    p = provider(lambda r: good(r) if bearer(r) != "token-1" else [http(401, {"error": {"message": "expired"}})])
    g = gateway(cloud(entra(p, root(tokens)), queue={"wait": "10s"}), env=home)
    until(lambda: g.chat().status == 200)
    assert bearer(p.requests[-1]) == "token-2" and len(tokens.requests) == 2
    g.wait_log("another is fetched")


def test_a_token_that_is_refused_again_is_the_credentials_fault(gateway, provider, home):
    tokens = provider(gives())
    p, other = provider(lambda r: [http(401, {"error": {"message": "no such role assignment"}})]), provider()
    g = gateway(cloud(entra(p, root(tokens)), plain(other)), env=home)
    until(lambda: len(tokens.requests) == 1)
    assert [g.chat().status for _ in range(6)] == [200] * 6
    until(lambda: g.chat().status == 200 and len(p.requests) == 2)
    g.wait_log("refused our credential")
    assert [g.chat().status for _ in range(6)] == [200] * 6
    assert len(p.requests) == 2 and len(tokens.requests) == 2


def test_a_rate_limit_belongs_to_the_credential(gateway, provider, home):
    tokens, other = provider(gives()), provider(gives(prefix="other"))
    p = provider(lambda r: good(r) if bearer(r).startswith("other") else [http(429, {"error": {"message": "slow"}}, headers=[("retry-after", "60")])])
    g = gateway(cloud(entra(p, root(tokens)), entra(p, root(other))), env=home)
    until(lambda: g.metric("weir_credential_fetches_total", result="good") == 2)
    assert [g.chat().status for _ in range(4)] == [200] * 4
    assert [bearer(r) for r in p.requests] == ["token-1"] + ["other-1"] * 4 and len(tokens.requests) == 1


def test_answers_that_are_none(gateway, provider, home):
    bad = [http(200, "<html>"), http(200, {"access_token": ""}), http(200, {"access_token": "a\r\nb: c", "expires_in": 60}),
           http(200, {"access_token": 5}), http(302, "", headers=[("location", "http://127.0.0.1:1/")])]
    count = iter(bad)
    tokens, p = provider(lambda r: [next(count, http(200, {"access_token": "at-last", "expires_in": "3600"}))]), provider()
    g = gateway(cloud(entra(p, root(tokens)), plain(provider())), env=home)
    g.wait_log("holds no access_token that can be used")
    assert g.chat().status == 200 and not p.requests


# --- rotation, and the command line ---

def test_keys_that_change_in_the_shared_file_are_read_when_the_old_ones_are_refused(gateway, provider, home, tmp_path):
    file = tmp_path / "home" / "credentials"
    text = "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n"
    valid = ["AKIAOLD"]

    def script(r):
        if f"Credential={valid[0]}/" in r.headers["authorization"]:
            return good(r)
        return [http(403, {"message": "The security token included in the request is invalid."})]

    p = provider(script)
    file.write_text(text.format("AKIAOLD", "old"))
    g = gateway(cloud(aws(p), queue={"wait": "10s"}), env=home)
    assert g.chat().status == 200
    file.write_text(text.format("AKIANEW", SECRET))
    valid[0] = "AKIANEW"
    until(lambda: g.chat().status == 200)
    assert is_signed(p.requests[-1], access="AKIANEW", secret=SECRET)
    assert [r.headers["authorization"].count("AKIAOLD") for r in p.requests] == [1, 1, 0] and SECRET not in g.logs()


def test_keys_of_a_container_are_renewed(gateway, provider, home):
    count = iter(range(1, 100))
    tokens, p = provider(lambda r: [http(200, keys(next(count), lives=3))]), provider()
    g = gateway(cloud(aws(p)), env={**home, "AWS_CONTAINER_CREDENTIALS_FULL_URI": root(tokens) + "/"})
    until(lambda: g.chat().status == 200 and "ASIA2" in p.requests[-1].headers["authorization"], 15)
    assert is_of(p.requests[-1], 2)


def test_a_secret_that_changes_by_reload_is_another_credential(gateway, provider, home):
    tokens = provider(lambda r: [http(200, {"access_token": "of-" + form(r)["client_secret"], "expires_in": 3600})])
    p = provider()
    g = gateway(cloud(entra(p, root(tokens), client_secret="first"), queue={"wait": "10s"}), env=home)
    assert g.chat().status == 200 and bearer(p.requests[-1]) == "of-first"
    g.write(cloud(entra(p, root(tokens), client_secret="second"), queue={"wait": "10s"}))
    g.reload()
    until(lambda: g.chat().status == 200 and bearer(p.requests[-1]) == "of-second")


def test_check_tries_them_and_names_missing_files(gateway, provider, home, tmp_path):
    import subprocess
    from weir import BINARY
    tokens, p = provider(gives()), provider(lambda r: [http(200, {"data": []})])
    f = tmp_path / "c.yaml"

    def check(c):
        f.write_text(json.dumps(c))
        r = subprocess.run([BINARY, "check", "-c", str(f), "--upstreams"], capture_output=True, text=True, env={"PATH": "/usr/bin", **home})
        return r.returncode, r.stdout + r.stderr

    status, text = check(cloud(entra(p, root(tokens))))
    assert status == 0 and "good" in text and bearer(p.requests[0]) == "token-1"
    status, text = check(cloud(entra(p, "http://127.0.0.1:1")))
    assert status == 1 and "its token cannot be fetched" in text and SECRET not in text
    status, text = check(cloud(google(p, credentials_file="/nowhere/account.json")))
    assert "/nowhere/account.json, which cannot be read" in text

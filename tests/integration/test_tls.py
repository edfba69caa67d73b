"""TLS on both sides: who is let in, who is not, and what a cut connection means."""
import concurrent.futures
import json
import socket
import ssl
import subprocess
import threading
import time

import pytest

from certificates import Authority
from mock_provider import chunk
from weir import BINARY, CHAT, SLOW, Raw, post, until

REFUSED = (ssl.SSLError, ConnectionError)


def days_from_now(n):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + n * 86400))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    a = Authority(tmp_path_factory.mktemp("tls"))
    for name, host in (("a", "localhost"), ("b", "other.test"), ("client", "client"), ("revoked", "client")):
        a.make(name, host)
    a.make("expired", "localhost", dates=("20240101000000Z", "20240201000000Z"))
    a.make("ending", "localhost", dates=("20240101000000Z", days_from_now(5.5)))
    a.make("elsewhere", "elsewhere.test", ip=False)
    a.revoke("revoked")
    a.list_revoked()
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    stranger.make("client", "client")
    a.stranger = stranger
    return a


def tls_client(ca, pair=None):
    ctx = ssl.create_default_context(cafile=str(ca / "ca.pem"))
    if pair:
        ctx.load_cert_chain(f"{pair}.pem", f"{pair}.key")
    return ctx


def tls_get(g, ctx, name="localhost"):
    with socket.create_connection(("127.0.0.1", g.port), timeout=10) as s, ctx.wrap_socket(s, server_hostname=name) as t:
        t.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        data = b""
        while True:
            more = t.recv(4096)
            if not more:
                return data, t.getpeercert()
            data += more


def names(certificate):
    return {name for _, name in certificate["subjectAltName"]}


@pytest.fixture
def served(gateway, provider, config, certificates):
    """served(**tls) starts weir with certificate `a` and waits until it answers."""
    def start(ctx=None, **tls):
        p = provider()
        tls = {"certificate": str(certificates / "a.pem"), "key": str(certificates / "a.key"), **tls}
        g = gateway(config(p, listen={"tls": tls}), wait=False)
        until(lambda: serves(g, ctx or tls_client(certificates)))
        return g, p
    return start


def serves(g, ctx):
    try:
        return tls_get(g, ctx)
    except REFUSED:
        return False


def test_certificates_by_name_and_a_reload(served, certificates):
    d, ctx = certificates, tls_client(certificates)
    g, _ = served(certificates=[{"certificate": str(d / "b.pem"), "key": str(d / "b.key")}])
    data, certificate = tls_get(g, ctx)
    assert data.startswith(b"HTTP/1.1 200") and "localhost" in names(certificate)
    assert "other.test" in names(tls_get(g, ctx, "other.test")[1])
    tls = g.config["listen"]["tls"]
    tls.update(certificate=str(d / "b.pem"))
    g.write(g.config)
    g.process.send_signal(1)
    g.wait_log("reload refused")
    assert g.process.poll() is None and "localhost" in names(tls_get(g, ctx)[1])
    tls.update(key=str(d / "b.key"))
    g.write(g.config)
    g.reload()
    until(lambda: "other.test" in names(tls_get(g, ctx, "other.test")[1]))     # a worker takes the new settings up with its next turn


def test_a_missing_or_unknown_name_gets_the_default_certificate(served, certificates):
    g, _ = served()
    ctx = tls_client(certificates)
    ctx.check_hostname = False
    for name in (None, "unknown.test"):
        assert "localhost" in names(tls_get(g, ctx, name)[1])


def test_plain_http_on_the_tls_port_is_closed(served):
    g, _ = served()
    plain = Raw(g.port)
    plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert plain.closed()


def openssl_client(g, *args, send=b"", wait=20):
    p = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{g.port}", *args], input=send, capture_output=True,
                       timeout=wait * SLOW)
    return (p.stdout + p.stderr).decode(errors="replace")


@pytest.mark.parametrize("offer", [
    ["-tls1"], ["-tls1_1"], ["-tls1_2", "-cipher", "AES128-SHA"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
    ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA"], ["-tls1_2", "-cipher", "aNULL"], ["-tls1_2", "-cipher", "eNULL"],
])
def test_old_versions_and_weak_suites_are_refused(served, offer):
    g, _ = served()
    offer = [*offer[:-1], offer[-1] + ":@SECLEVEL=0"] if "-cipher" in offer else [*offer, "-cipher", "ALL:@SECLEVEL=0"]
    said = openssl_client(g, *offer)
    assert "Cipher is (NONE)" in said or "no cipher" in said, said


def test_renegotiation_is_refused(served, certificates):
    g, _ = served()
    for _ in range(20):
        said = openssl_client(g, "-tls1_2", send=b"R\n")
        assert "RENEGOTIATING" in said and "no renegotiation" in said, said
    assert tls_get(g, tls_client(certificates))[0].startswith(b"HTTP/1.1 200")


ASK = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_early_data_is_off(served, tmp_path):
    g, _ = served()
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(ASK)
    said = openssl_client(g, "-tls1_3", "-ign_eof", "-sess_out", str(session), send=ASK)
    assert "HTTP/1.1 200" in said and "Max Early Data: 0" in said, said
    said = openssl_client(g, "-tls1_3", "-ign_eof", "-sess_in", str(session), "-early_data", str(early), send=ASK)
    assert "Reused, TLSv1.3" in said and "Early data was not sent" in said and said.count("HTTP/1.1 200") == 1, said


@pytest.mark.parametrize("part", [
    post(CHAT)[:-1],
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    + chunk(json.dumps(CHAT)),
    b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n",
])
def test_an_upload_cut_without_a_closing_alert_is_incomplete(served, certificates, part):
    g, p = served()
    s = socket.create_connection(("127.0.0.1", g.port), timeout=10)
    t = tls_client(certificates).wrap_socket(s, server_hostname="localhost")
    t.sendall(part)
    time.sleep(0.1)
    t.close()  # Python sends no alert
    assert g.access()[0]["status"] == 499
    assert not p.requests


def test_client_certificates(served, certificates):
    d = certificates
    good = tls_client(d, d / "client")
    g, _ = served(good, client_ca=str(d / "ca.pem"), client_crl=str(d / "crl.pem"))
    for pair in (None, d / "revoked", d.stranger / "client"):
        with pytest.raises(REFUSED):
            data, _ = tls_get(g, tls_client(d, pair))
            raise AssertionError(f"{pair} was served: {data}")
    assert tls_get(g, good)[0].startswith(b"HTTP/1.1 200")


def test_a_client_certificate_revoked_by_a_reload(served, certificates, tmp_path):
    d = certificates
    d.make("late", "client")
    late, good, crl = tls_client(d, d / "late"), tls_client(d, d / "client"), tmp_path / "crl.pem"
    crl.write_bytes((d / "crl.pem").read_bytes())
    g, _ = served(good, client_ca=str(d / "ca.pem"), client_crl=str(crl))
    assert tls_get(g, late)[0].startswith(b"HTTP/1.1 200")
    d.revoke("late")
    d.list_revoked()
    crl.write_bytes((d / "crl.pem").read_bytes())
    g.reload()
    until(lambda: not serves(g, late))
    assert tls_get(g, good)[0].startswith(b"HTTP/1.1 200")


def test_no_handshake_fails_while_certificates_are_replaced(served, certificates):
    d, ctx, stop = certificates, tls_client(certificates), threading.Event()
    ctx.check_hostname = False
    g, _ = served()
    tls = g.config["listen"]["tls"]

    def call():
        n = 0
        while not stop.is_set():
            assert tls_get(g, ctx)[0].startswith(b"HTTP/1.1 200")
            n += 1
        return n

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        callers = [pool.submit(call) for _ in range(4)]
        try:
            for i in range(20):
                name, host = ("b", "other.test") if i % 2 == 0 else ("a", "localhost")
                tls.update(certificate=str(d / f"{name}.pem"), key=str(d / f"{name}.key"))
                g.write(g.config)
                g.reload()
                until(lambda: host in names(tls_get(g, ctx, host)[1]))
        finally:
            stop.set()
        assert sum(c.result() for c in callers) > 20


# --- providers ---

def tls_provider(provider, certificates, pair, version=None):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates / f"{pair}.pem", certificates / f"{pair}.key")
    if version:
        server.set_ciphers("ALL:@SECLEVEL=0")
        server.minimum_version = server.maximum_version = version
    return provider(ssl=server)


def test_a_trusted_provider_is_asked(gateway, provider, config, certificates):
    p = tls_provider(provider, certificates, "a")
    c = config(p)
    c["providers"]["first"]["tls"] = {"ca_file": str(certificates / "ca.pem")}
    g = gateway(c)
    for stream in (False, True):
        assert g.chat(stream=stream).status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
@pytest.mark.parametrize("pair, version, trusted, says", [
    ("a", None, False, "certificate: "), ("expired", None, True, "certificate has expired"),
    ("elsewhere", None, True, "IP address mismatch"), ("a", "1.0", True, "TLS: "),
])
def test_a_provider_that_proves_nothing_is_sent_nothing(gateway, provider, config, certificates, pair, version, trusted, says):
    p = tls_provider(provider, certificates, pair, version and ssl.TLSVersion.TLSv1)
    c = config(p)
    if trusted:
        c["providers"]["first"]["tls"] = {"ca_file": str(certificates / "ca.pem")}
    g = gateway(c)
    assert g.chat().status == 502 and not p.requests
    g.wait_log(says)


@pytest.mark.parametrize("name, more, says", [("a", [], ""), ("ending", [], "a certificate ends in 5 days"), ("expired", [], "a certificate has ended"),
                                              ("a", ["ending"], "a certificate ends in 5 days")])
def test_check_warns_of_certificates_that_end(certificates, tmp_path, name, more, says):
    def pair(n):
        return {"certificate": str(certificates / f"{n}.pem"), "key": str(certificates / f"{n}.key")}
    (tmp_path / "w.yaml").write_text(json.dumps({"listen": {"tls": {**pair(name), "certificates": [pair(n) for n in more]}}}))
    r = subprocess.run([BINARY, "check", "-c", "w.yaml"], capture_output=True, text=True, cwd=tmp_path)
    assert r.returncode == 0 and (says in r.stderr if says else "certificate" not in r.stderr), r.stderr

"""The Dockerfile builds, and its image serves as the README says."""
import json
import re
import subprocess
import urllib.error
import urllib.request

import pytest

from image import Image, stop
from weir import free_port, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    work = tmp_path_factory.mktemp("image")
    i = Image(work)
    yield i
    i.remove()


@pytest.fixture
def served(image, tmp_path):
    """The image with a vendor's key in its environment and nothing else: (port, what it printed, environment)."""
    env = {"OPENAI_API_KEY": "sk-proj-in-the-container", "WEIR_LISTEN_ADDRESS": f"0.0.0.0:{free_port()}",
           "WEIR_ADMIN_ADDRESS": f"0.0.0.0:{free_port()}"}
    log = tmp_path / "out"
    with open(log, "wb") as out:
        p = subprocess.Popen(image.command(env), stdout=out, stderr=out)
    port = int(env["WEIR_LISTEN_ADDRESS"].rsplit(":")[-1])
    try:
        until(lambda: p.poll() is not None or "serves on" in log.read_text(), says=log.read_text)
        assert p.poll() is None, log.read_text()
        yield port, log, env
    finally:
        assert stop(p) == 0, log.read_text()


def get(url, key=None, body=None):
    r = urllib.request.Request(url, data=body and json.dumps(body).encode(), headers={"content-type": "application/json"})
    if key:
        r.add_header("authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(r, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as e:
        return e.code, json.loads(e.read())


def test_image_says_how_it_is_run(image):
    c = image.config
    assert c["User"].split(":")[0] == "65532" and c["StopSignal"] == "SIGTERM"
    assert set(c["ExposedPorts"]) == {"8080/tcp", "9090/tcp"} and "WEIR_LISTEN_ADDRESS=0.0.0.0:8080" in c["Env"]
    assert c["Healthcheck"]["Test"][-1] == "health" and c["Cmd"] == ["serve"]


def test_image_serves_with_a_key_made_and_shown_with_a_curl(image, served):
    port, log, env = served
    key = re.search(r"key: (sk-weir-\S+)", log.read_text()).group(1)
    assert f"curl http://localhost:{port}/v1/chat/completions -H 'Authorization: Bearer {key}'" in log.read_text()
    assert get(f"http://127.0.0.1:{port}/readyz")[0] == 200
    assert get(f"http://127.0.0.1:{port}/v1/models")[0] == 401
    status, models = get(f"http://127.0.0.1:{port}/v1/models", key)
    assert status == 200 and models["object"] == "list"
    assert "sk-proj-in-the-container" not in log.read_text()
    assert subprocess.run(image.command(env, "health"), capture_output=True, timeout=30).returncode == 0


def test_health_fails_where_nothing_serves(image):
    env = {"WEIR_LISTEN_ADDRESS": f"0.0.0.0:{free_port()}"}
    assert subprocess.run(image.command(env, "health"), capture_output=True, timeout=30).returncode != 0


def test_image_holds_no_tools_and_no_sources(image):
    for name in ("usr/bin/gcc", "usr/bin/make", "src"):
        assert not image.holds(name)
    assert image.holds("etc/ssl/certs/ca-certificates.crt") and image.holds("usr/local/bin/weir")

import contextlib
import itertools
import subprocess
import sys

import pytest

from mock_provider import MockProvider, good
from redis_server import Redis
from relay import Relay
from weir import LOAD, Gateway


@pytest.fixture
def provider():
    """provider(script) starts one more scripted provider."""
    with contextlib.ExitStack() as at_the_end:
        def start(script=good, **more):
            p = MockProvider(script, **more)
            at_the_end.callback(p.stop)
            return p
        yield start


@pytest.fixture
def gateway(tmp_path):
    """gateway(config) starts weir; it must end well. Each is ended, also when one before it did not end well."""
    n = itertools.count()
    with contextlib.ExitStack() as at_the_end:
        def start(config=None, expect=0, **more):
            d = tmp_path / f"weir{next(n)}"
            d.mkdir()
            g = Gateway(d, config, **more)
            g.expect = expect
            at_the_end.callback(lambda: g.stop(g.expect))
            return g
        yield start


def config_for(*providers, model=None, **more):
    """One alias `m` over the given mock providers, in order."""
    names = ["first", "second", "third", "fourth"]
    c = {"providers": {}, "models": {"m": {"targets": []}}}
    for name, p in zip(names, providers):
        c["providers"][name] = {"dialect": "openai", "base_url": p.url, "api_key": f"sk-{name}-vendor",
                                "allow_private_address": True}
        c["models"]["m"]["targets"].append(f"{name}/mock")
    c["models"]["m"].update(model or {})
    c.update(more)
    return c


@pytest.fixture
def config():
    return config_for


@pytest.fixture
def relay():
    """relay(port) stands before a server."""
    with contextlib.ExitStack() as at_the_end:
        def start(port, **more):
            r = Relay(port, **more)
            at_the_end.callback(r.stop)
            return r
        yield start


@pytest.fixture
def steady_provider():
    """The port of one that answers as fast as it can, in a process of its own."""
    p = subprocess.Popen([sys.executable, LOAD, "provider"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield int(p.stdout.readline())
    p.kill()
    p.wait()


@pytest.fixture
def redis(tmp_path):
    r = Redis(tmp_path)
    yield r
    r.stop()


@pytest.fixture(params=["memory", "redis"])
def store(request, tmp_path):
    if request.param == "memory":
        yield "memory"
        return
    r = Redis(tmp_path)
    yield r.url
    r.stop()

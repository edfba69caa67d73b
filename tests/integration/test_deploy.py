"""What conf/deploy holds fits the gateway of today: metrics, options, paths."""
import json
import re
import subprocess
import textwrap

import pytest

from weir import BINARY, ROOT

DEPLOY = ROOT / "conf/deploy"
QUERIES = ["prometheus-rules.yaml", "grafana-dashboard.json"]
SOURCES = "".join(f.read_text() for f in (ROOT / "gateway").rglob("*.c"))


@pytest.fixture
def labels(gateway, provider, config):
    """The labels of each family that has a series after a little traffic: {name: set of labels}."""
    c = config(provider(), model={"cache": True}, keys=[{"name": "web", "secret": "sk-weir-web-0123456789", "limits": {"requests_per_minute": 1},
                                                         "budgets": [{"usd": 1, "warn_at": ["50%"]}]}])
    g = gateway(c)
    for text in "ab":
        g.chat(text=text, headers={"authorization": "Bearer sk-weir-web-0123456789"})
    g.quiet()
    known = {}
    for line in g.metrics().splitlines():
        m = re.match(r"(\w+)(?:\{(.*)\})? \S+$", line)
        if m:
            known.setdefault(m.group(1), set()).update(re.findall(r'(\w+)="', m.group(2) or ""))
    return known


@pytest.mark.parametrize("file", QUERIES)
def test_queries_name_metrics_and_labels_that_exist(labels, file):
    text = (DEPLOY / file).read_text().replace('\\"', '"')
    uses = re.findall(r"\b((?:weir|process)_\w+)(?:\{([^}]*)\})?", text)
    assert len(uses) > 8
    for name, selectors in uses:
        family = re.sub("_bucket$", "", name)
        assert name in labels or f'"{family}"' in SOURCES, name
        if name in labels:
            asked = set(re.findall(r'(\w+)\s*[=!]~?"', selectors)) - {"job"}
            assert asked <= labels[name], (name, asked - labels[name])


def test_the_dashboard_is_whole():
    d = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    assert len(d["panels"]) == len({p["id"] for p in d["panels"]}) == len({(p["gridPos"]["x"], p["gridPos"]["y"]) for p in d["panels"]})
    for p in d["panels"]:
        assert p["title"] and all(t["expr"].count("(") == t["expr"].count(")") for t in p["targets"])


def test_error_types_and_results_of_the_rules_exist():
    """By the table of errors: a rule that waits for a word nobody says would never fire."""
    said = set(re.findall(r'"((?:provider|gateway|caller|policy)_\w+)"', (ROOT / "gateway/core/error.c").read_text()))
    asked = set(re.findall(r"\b(?:provider|gateway)_\w+", re.search(r'result=~"([^"]*)"', (DEPLOY / "prometheus-rules.yaml").read_text()).group(1)))
    assert asked and asked <= said
    assert {s.split("_")[0] for s in said} >= {"provider", "gateway"}


def test_the_configmap_is_a_configuration(tmp_path):
    text = textwrap.dedent(re.search(r"  weir\.yaml: \|\n((?:    .*\n|\n)+)", (DEPLOY / "kubernetes.yaml").read_text()).group(1))
    for name in ("openai", "key"):
        (tmp_path / name).write_text("sk-weir-0123456789abcdef\n")
        (tmp_path / name).chmod(int(re.search(r"defaultMode: (\d+)", (DEPLOY / "kubernetes.yaml").read_text()).group(1), 8))
    (tmp_path / "weir.yaml").write_text(text.replace("/run/secrets/weir/", f"{tmp_path}/"))
    r = subprocess.run([BINARY, "check", "-c", tmp_path / "weir.yaml"], capture_output=True, text=True)
    assert r.returncode == 0 and "warning" not in r.stderr and "1 providers, 1 models, 1 keys" in r.stdout, r.stderr


def test_variables_are_known_ones():
    known = set(re.findall(r"WEIR_\w+", (ROOT / "conf/docs/configuration.md").read_text() + (ROOT / "conf/docs/weir.1").read_text()))
    for file in DEPLOY.iterdir():
        named = set(re.findall(r"\bWEIR_\w+", file.read_text()))
        assert named <= known, (file.name, named - known)


def test_probes_ask_paths_that_answer(gateway, provider, config):
    g = gateway(config(provider()))
    paths = set(re.findall(r"path: (/\w+)", (DEPLOY / "kubernetes.yaml").read_text()))
    assert paths == {"/livez", "/readyz"} and all(g.get(p).status == 200 for p in paths)


@pytest.mark.parametrize("file, said", [("kubernetes.yaml", r"terminationGracePeriodSeconds: (\d+)"), ("compose.yaml", r"stop_grace_period: (\d+)s"),
                                        ("weir.service", r"TimeoutStopSec=(\d+)")])
def test_whoever_stops_it_waits_for_the_drain(file, said):
    drain = int(re.search(r"`listen.timeouts.drain`.*?`(\d+)s`", (ROOT / "conf/docs/configuration.md").read_text()).group(1))
    assert int(re.search(said, (DEPLOY / file).read_text()).group(1)) > drain

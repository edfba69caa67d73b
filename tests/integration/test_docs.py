"""What the guides show is true: their configurations load, their commands are understood, their links lead somewhere."""
import json
import re
import shlex
import subprocess

import pytest

from weir import BINARY, ROOT

GUIDES = [ROOT / "README.md", *sorted((ROOT / "conf").rglob("*.md")), *sorted((ROOT / "plugins").rglob("*.md"))]
# Examples of a few lines stand for themselves; the providers that they name are those of the README.
USUAL = 'providers: { openai: {}, groq: {}, laptop: { preset: ollama } }\n'
SECRETS = ["GEMINI_API_KEY", "COHERE_API_KEY", "SLACK_WEBHOOK_URL", "WEIR_KEY_WEB", "AZURE_CLIENT_SECRET"]


def blocks(language):
    """The examples of all guides, by file and line."""
    for file in GUIDES:
        text = file.read_text()
        for m in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S):
            name = f"{file.relative_to(ROOT)}:{text[:m.start()].count(chr(10)) + 1}"
            yield pytest.param(m.group(1), id=name)


def is_configuration(text):
    """Files of rules are tried where rules are."""
    return not text.lstrip().startswith(("- ", "rules:"))


@pytest.mark.parametrize("text", [p for p in blocks("yaml") if is_configuration(p.values[0])])
def test_configurations_load(tmp_path, text):
    (tmp_path / "weir.yaml").write_text(text if re.search("^providers:", text, re.M) else USUAL + text)
    for name in re.findall(r"file: ([\w./-]+)", text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("rules: [{ name: a, when: { pattern: a }, answer: a }]\n" if name.endswith("yaml") else "a phrase\n")
    r = subprocess.run([BINARY, "check", "-c", "weir.yaml"], capture_output=True, text=True, cwd=tmp_path,
                       env={"PATH": "/usr/bin:/bin", **{s: "https://a.example/secret-0123456789" for s in SECRETS}})
    own = re.search(r"there is no plugin `ask`|ask\.so", r.stderr)      # the reader's own, built in test_plugins
    assert r.returncode == 0 or own, r.stderr


def commands():
    for p in [*blocks("console"), *blocks("sh")]:
        for line in p.values[0].replace("\\\n", " ").splitlines():
            line = line.removeprefix("$ ")
            m = re.search(r"(?:^|\| )(weir .*)", line)
            if m and "serve" not in m.group(1):
                yield pytest.param(shlex.split(m.group(1), comments=True)[1:], id=m.group(1))


@pytest.mark.parametrize("args", list(commands()))
def test_commands_are_understood(tmp_path, args):
    """Nobody answers here: what is wrong is that, not the command."""
    r = subprocess.run([BINARY, *args], capture_output=True, text=True, cwd=tmp_path, input='{"model":"m"}',
                       env={"WEIR_URL": "http://127.0.0.1:1", "WEIR_ADMIN_URL": "http://127.0.0.1:1"})
    assert r.returncode in (0, 1) and "usage:" not in r.stderr, r.stderr


def anchors(file):
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", file.read_text(), re.M)}


@pytest.mark.parametrize("file", GUIDES, ids=lambda f: str(f.relative_to(ROOT)))
def test_links_lead_somewhere(file):
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        to = (file.parent / path).resolve() if path else file
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), target


def test_metrics_that_are_named_exist(gateway, provider, config):
    g = gateway(config(provider(), plugins=[{"name": "redact"}], cache={"enabled": True}, capture={"share": "1%"}))
    known = set(re.findall(r"^# TYPE (\w+)", g.metrics(), re.M))
    # Those whose labels come with traffic or a configuration are not there from the start.
    known |= set(re.findall(r'"(weir_\w+)"', "".join(f.read_text() for f in (ROOT / "gateway").rglob("*.[ch]"))))
    named = {m for f in GUIDES for m in re.findall(r"\bweir_[a-z_]+_(?:total|seconds|bytes|ratio)\b", f.read_text())}
    assert len(named) > 15 and named <= known, named - known


def test_headers_that_are_named_exist():
    sources = "".join(f.read_text() for d in ("gateway", "plugins") for f in (ROOT / d).rglob("*.[ch]"))
    header = r"x-weir-[a-z]+(?:-[a-z]+)*"
    named = {h for f in GUIDES for h in re.findall(rf"\b{header}", f.read_text())}
    assert len(named) > 12 and not [h for h in named if h not in sources]
    page = (ROOT / "conf/docs/requests.md").read_text()
    assert not [h for h in re.findall(rf'"({header})"', sources) if h not in page]
    exposed = (ROOT / "gateway/api/cors.c").read_text()     # to scripts in browsers
    answers = page.split("## What an answer says")[1].split("## Errors")[0]
    assert not [h for h in re.findall(header, answers) if h not in exposed]


def test_errors_that_are_named_exist():
    """The page for applications against the one table of errors."""
    rows = re.findall(r'\{ (\d+), [\w"]+, (?:NULL|"(\w+)"), NEXT', (ROOT / "gateway/core/error.c").read_text())
    rows = {(status, code) for status, code in rows if status not in ("200", "499")}
    errors = (ROOT / "conf/docs/requests.md").read_text().split("## Errors")[1]
    shown = {(status, code) for line in re.findall(r"^\| (\d[\d, ]+) \| (.*?) \|", errors, re.M) for status in line[0].split(", ")
             for code in re.findall(r"`(\w+)`", line[1])}
    assert {r for r in rows if r[1]} <= shown and {c for _, c in shown} == {c for _, c in rows if c}
    assert {status for status, _ in rows} == {status for status, _ in shown}


def test_figures_of_the_readme():
    readme, reference = (ROOT / "README.md").read_text(), (ROOT / "conf/docs/configuration.md").read_text()
    assert len(re.findall(r"^\| `", reference.split("## Presets")[1], re.M)) == int(re.search(r"(\d+) presets", readme).group(1))
    prices = sum(not line.startswith("#") for line in (ROOT / "conf/prices/prices.csv").open()) - 1
    assert abs(prices - int(re.search(r"([\d,]+) prices built in", readme).group(1).replace(",", ""))) < 100
    rooms = {d.name for d in (ROOT / "gateway").iterdir() if d.is_dir()}
    tree = readme.split("```text\ngateway/")[1].split("```")[0]
    assert all(f"  {room}/" in tree for room in rooms)
    table = re.findall(r"&(\w+)_stage,", (ROOT / "gateway/pipeline.c").read_text())
    shown = re.search(r"^    (access_log .* forward)$", readme, re.M).group(1).split()
    assert shown == [s for s in table if s in shown] and len(shown) > 12


def test_the_manual_page_has_each_command():
    shown = re.findall(r"^  weir (\w+) ", subprocess.run([BINARY, "help"], capture_output=True, text=True).stdout, re.M)
    page = (ROOT / "conf/docs/weir.1").read_text()
    assert len(shown) > 15 and not [c for c in shown if not re.search(rf"^\.BR? (weir )?(.*\W)?{c}\b", page, re.M) and c != "help"]


def test_the_first_question_of_the_readme(gateway):
    """As it stands there, but for the port."""
    readme = (ROOT / "README.md").read_text()
    ask, answer = re.search(r"```sh\n(curl .*?)```\s+```json\n(.*?)```", readme, re.S).groups()
    g = gateway()
    said = subprocess.run(["sh", "-c", ask.replace("8080", str(g.port))], capture_output=True, text=True, check=True).stdout
    shown, got = json.loads(answer), json.loads(said)
    shown["created"] = got["created"]
    assert got == shown

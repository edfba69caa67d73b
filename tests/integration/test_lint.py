"""The checks over the sources themselves catch what they are there for."""
import pathlib
import subprocess
import sys

import pytest

ARROWS = pathlib.Path(__file__).resolve().parents[1] / "tools" / "arrows"


def arrows(root):
    return subprocess.run([sys.executable, ARROWS, str(root)], capture_output=True, text=True)


@pytest.mark.parametrize("file, line", [
    ("base/buf.c", '#include "core/txn.h"'),
    ("core/txn.c", '#include "edge/listener.h"'),
    ("wire/sse.c", '#include "dialects/openai_usage.h"'),
    ("dialects/openai_chat.c", '#include "upstream/dial.h"'),
    ("routing/router.c", '#include "upstream/dial.h"'),
    ("edge/listener.c", '#include "pipeline.h"'),
    ("edge/connection.c", "#include <openssl/ssl.h>"),
    ("api/decode.c", "#include <yaml.h>"),
    ("telemetry/access_log.c", "#include <curl/curl.h>"),
])
def test_arrows_catches_what_runs_against_it(tmp_path, file, line):
    source = tmp_path / file
    source.parent.mkdir()
    source.write_text(f"/* a file */\n{line}\n")
    p = arrows(tmp_path)
    assert p.returncode == 1 and f"{file}:2" in p.stdout


def test_arrows_lets_the_right_direction_pass(tmp_path):
    source = tmp_path / "edge" / "listener.c"
    source.parent.mkdir()
    source.write_text('#include "edge/listener.h"\n#include "wire/http_head.h"\n#include "core/txn.h"\n#include "base/buf.h"\n#include <stdio.h>\n')
    p = arrows(tmp_path)
    assert p.returncode == 0, p.stdout


def test_our_own_sources_keep_the_arrows():
    p = arrows(ARROWS.parents[2] / "gateway")
    assert p.returncode == 0, p.stdout

"""The checks over the sources themselves catch what they are there for."""
import pathlib
import subprocess
import sys

import pytest

UNUSED = pathlib.Path(__file__).resolve().parents[1] / "tools" / "unused"
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


def test_unused_names_what_only_its_own_file_uses(tmp_path):
    room = tmp_path / "gateway" / "base"
    room.mkdir(parents=True)
    (room / "a.h").write_text("bool a_used(int x);\nstruct str *a_alone(struct buf *b,\n\t\t     int n);\nint a_macro(void);\n#define A a_macro()\n")
    (room / "a.c").write_text('bool a_used(int x)\n{\n}\n\nstruct str *a_alone(struct buf *b,\n\t\t     int n)\n{\n}\n\nint a_macro(void)\n{\n}\n')
    (room / "b.c").write_text("int b = a_used(1); /* a_alone */\n")
    p = subprocess.run([sys.executable, UNUSED], capture_output=True, text=True, cwd=tmp_path)
    assert p.returncode == 1 and p.stdout == "gateway/base/a.h: a_alone is used nowhere else\n"
    p = subprocess.run([sys.executable, UNUSED], capture_output=True, text=True, cwd=UNUSED.parents[2])
    assert p.returncode == 0, p.stdout


def test_stale_names_what_is_not_there_any_more(tmp_path):
    stale = UNUSED.parent / "stale"
    room = tmp_path / "gateway" / "base"
    room.mkdir(parents=True)
    (room / "a.c").write_text("/*\n * a.c: as old_name() did, see b.c and write().\n */\nint new_name(void); /* new_name() */\n")
    p = subprocess.run([sys.executable, stale], capture_output=True, text=True, cwd=tmp_path)
    assert p.returncode == 1 and p.stdout == "gateway/base/a.c:1: there is no old_name()\ngateway/base/a.c:1: there is no b.c\n"
    p = subprocess.run([sys.executable, stale], capture_output=True, text=True, cwd=UNUSED.parents[2])
    assert p.returncode == 0, p.stdout

"""The bench runs: every proxy answers in every mode. Figures are not judged here."""
import subprocess

import pytest

from weir import ROOT

pytestmark = pytest.mark.slow


def test_the_bench_prints_its_rows():
    out = subprocess.run(["make", "bench", "BENCH=--rounds 1 --seconds 0.3 --streams 300"], cwd=ROOT, capture_output=True,
                         text=True, timeout=300)
    assert out.returncode == 0, out.stderr
    assert "errors" not in out.stderr, out.stderr
    for row in ("CPU: 1 KB", "CPU: 100 KB", "CPU: 1 KB, all kinds of limits in Redis", "CPU: 1 KB, answered by one of 10,000 phrases", "CPU: stream chunk", "delay of a delta", "CPU: 10 KB, TLS both sides", "a quiet stream",
                "store in memory: 12 limits of one key", "rules: 10,000 phrases and 1,000 patterns, 4 KB", "rules: BM25 over 10,000 questions, 4 KB", "rules: classifier of 12 classes, 4 KB", "dialects: openai to gemini", "CPU: stream chunk, translated for gemini"):
        assert f"| {row}" in out.stdout

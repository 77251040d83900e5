"""`make bench` on a machine without Neo4j: it says what was left out, and keeps the figures it could not take."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bench_store
from benchmarks.left_out import SENTENCE

ROOT = Path(__file__).parents[2]
pytestmark = [
    *(pytest.mark.server, pytest.mark.slow),
    *(pytest.mark.xdist_group("embedded"), pytest.mark.timeout(900)),
]


def figures() -> dict[Path, bytes]:
    files = [*(ROOT / "benchmarks/results").iterdir(), ROOT / "docs/queries.md", ROOT / "docs/scaling.md"]
    return {path: path.read_bytes() for path in files}


@pytest.mark.long
def test_it_ends_with_what_was_left_out(tmp_path: Path) -> None:
    before = figures()
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "queries"],
        cwd=ROOT,
        env=os.environ | {"NEUROMFA_NEO4J_HOME": str(tmp_path), "NEUROMFA_BENCH_ROUNDS": "1"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == SENTENCE
    assert "ArcadeDB" in run.stdout
    assert figures() == before


def test_the_figures_of_a_single_server_replace_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUROMFA_NEO4J_HOME", str(tmp_path))
    for name in ("ROUNDS", "RATE_BLOCKS", "BIG_BLOCKS"):
        monkeypatch.setattr(bench_store, name, 1)
    monkeypatch.setattr(bench_store, "WIDTH", 16)
    before = figures()
    bench_store.main()
    said = capsys.readouterr().out
    assert "ArcadeDB deletion of a million edges" in said and SENTENCE in said
    assert figures() == before

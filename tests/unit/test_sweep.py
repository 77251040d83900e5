"""Sweeps: every value is an analysis of its own, and what is wrong with one is told."""

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from neuromfa.analysis import analyze
from neuromfa.app.cli.main import main
from neuromfa.checkpoints import open_series
from neuromfa.errors import AnalysisError, OptionError
from neuromfa.identity import options_hash
from neuromfa.options import AnalysisOptions
from neuromfa.results import from_json, to_json
from neuromfa.sweep import Sweep, Sweeping, sweep, sweeping_from, swept_options
from tests.made_series import write_series

OPTIONS = AnalysisOptions(nodes=16, samples=3, min_edges=3, draws=2)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_series(tmp_path_factory.mktemp("series"), (0, 100))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nodes=16,32,all", Sweeping("nodes", ("16", "32", "all"))),
        ("max-distance = 100, 150", Sweeping("max_distance", ("100", "150"))),
        ("hops=1,2,multi", Sweeping("hops", ("1", "2", "multi"))),
    ],
)
def test_what_is_asked_for_in_words(text: str, expected: Sweeping) -> None:
    assert sweeping_from(text) == expected


@pytest.mark.parametrize(
    "text", ["q=1,2", "nodes", "nodes=", "nodes=16", "nodes=16,16", "nodes=16,,32", "=1,2"]
)
def test_what_is_no_sweep_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="a sweep"):
        sweeping_from(text)


def test_values_take_the_type_of_their_option() -> None:
    options = swept_options(OPTIONS, sweeping_from("nodes=8,all"))
    assert [one.nodes for one in options.values()] == [8, None]
    assert swept_options(OPTIONS, sweeping_from("lambda=1,2.5"))["2.5"].scale == 2.5
    assert swept_options(OPTIONS, sweeping_from("grid=union,fixed"))["fixed"].grid == "fixed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nodes=8,many", "nodes"),
        ("nodes=0,8", "nodes is 1..4096 or all, not 0"),
        ("hops=1,0", "hops is 1, 2, 3"),
    ],
)
def test_a_value_the_option_may_not_hold_is_refused(text: str, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        swept_options(OPTIONS, sweeping_from(text))


def test_every_value_gives_what_its_analysis_gives(root: Path) -> None:
    series = open_series(str(root))
    found = sweep(series, OPTIONS, sweeping_from("nodes=8,16"), steps="100")
    assert [(point.value, point.step) for point in found.points] == [("8", 100), ("16", 100)]
    for point, nodes in zip(found.points, (8, 16), strict=True):
        own = replace(OPTIONS, nodes=nodes)
        [alone] = analyze(series, own, steps="100").checkpoints
        assert (point.alpha0, point.width, point.emergence) == (alone.alpha0, alone.width, alone.emergence)
        assert alone.excess is not None and point.excess["alpha0"] == alone.excess["shuffled"].alpha0
        assert alone.verdict is not None and point.structure == alone.verdict.structure
        assert point.options_hash == options_hash(own)
    assert from_json(Sweep, to_json(found)) == found


def test_a_value_without_numbers_is_told_and_the_others_stay(root: Path) -> None:
    found = sweep(open_series(str(root)), OPTIONS, sweeping_from("min_edges=3,1000"))
    assert {point.value for point in found.points} == {"3"}
    [failed] = found.failed
    assert (failed.value, failed.step) == ("1000", None) and "more than 1000 edges" in failed.sentence
    with pytest.raises(AnalysisError, match="no value of min_edges gives numbers"):
        sweep(open_series(str(root)), OPTIONS, sweeping_from("min_edges=1000,2000"))


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["neuromfa", "analyze", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_line(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ("--nodes", 16, "--samples", 3, "--draws", 2, "--steps", 100)
    files = ("--json", tmp_path / "out.json", "--csv", tmp_path / "out.csv")
    assert run(monkeypatch, root, *few, "--sweep", "min_edges=3,5,1000", *files) == 3
    told = capsys.readouterr()
    assert "how the numbers depend on min_edges" in " ".join(told.out.split())
    assert "min_edges 1000: " in told.err
    written = json.loads((tmp_path / "out.json").read_text())
    assert [point["value"] for point in written["points"]] == ["3", "5"]
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert [row["min_edges"] for row in rows] == ["3", "5"]
    assert float(rows[0]["alpha0"]) == written["points"][0]["alpha0"]["value"]
    assert run(monkeypatch, root, "--sweep", "nodes=8,16", "--plot", tmp_path / "charts") in (1, 2)

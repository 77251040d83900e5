"""`neuromfa compare` as a person uses it, on the bundled series with small options."""

import csv
import doctest
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from neuromfa.app.cli.main import main
from neuromfa.comparison import Comparison
from neuromfa.results import from_json
from tests import made_series

ROOT = Path(__file__).parents[2]
SERIES = ROOT / "series"
MAIN, DECAY, SHUFFLED = (str(SERIES / f"stdlib-14m{end}") for end in ("", "-decay1", "-shuffled"))
SMALL = ("--steps", "0,2000", "--samples", "3", "--nodes", "16", "--draws", "2")


@pytest.fixture
def neuromfa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line in this process: exit code, standard output and standard error of some words."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("neuromfa.checkpoints.transport.hub.constants.HF_HUB_OFFLINE", True)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_it_prints_warnings_first_tables_and_the_answer(neuromfa: Any) -> None:
    groups = ("--group", f"plain={MAIN},{DECAY}", "--group", f"noise={SHUFFLED}")
    code, told, _ = neuromfa("compare", MAIN, DECAY, SHUFFLED, *SMALL, *groups)
    assert code == 0
    assert max(map(len, told.splitlines())) <= 100
    told = " ".join(told.split())
    places = [
        told.index(words)
        for words in (
            "The share of kept nodes at the last step differs",
            "The last measured step of each series",
            "Two series at a time",
            "Replicates: mean",
            "Two groups at a time",
            "does not separate learning of language",
            "another choice of neurons",
        )
    ]
    assert places == sorted(places)
    assert "paired" in told


def test_it_writes_json_and_csv(neuromfa: Any, tmp_path: Path) -> None:
    record, table = tmp_path / "a.json", tmp_path / "a.csv"
    code, _, _ = neuromfa("compare", MAIN, DECAY, *SMALL, "--json", record, "--csv", table, "--by", "share")
    found = from_json(Comparison, record.read_text())
    assert (code, found.by, [one.id for one in found.series]) == (
        0,
        "share",
        ["stdlib-14m", "stdlib-14m-decay1"],
    )
    assert found.pairs[0].differences["g2"].method == "paired"
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["series"], row["step"], float(row["position"])) for row in rows] == [
        (name, step, float(step == "2000"))
        for name in ("stdlib-14m", "stdlib-14m-decay1")
        for step in ("0", "2000")
    ]
    value = found.series[1].last.values["excess_alpha0"]
    assert float(rows[3]["excess_alpha0"]) == value.value
    assert float(rows[3]["excess_alpha0_low"]) == value.low


def test_what_analyze_wrote_is_not_measured_again(neuromfa: Any, tmp_path: Path) -> None:
    written = {path: tmp_path / f"{Path(path).name}.json" for path in (MAIN, DECAY)}
    for path, file in written.items():
        assert neuromfa("analyze", path, *SMALL, "--json", file)[0] == 0
    first, second = written.values()
    code, told, err = neuromfa("compare", first, second, "--json", "-", "--group", f"both={first},{second}")
    assert (code, err) == (0, "")
    found = json.loads(told)
    code, measured, _ = neuromfa("compare", MAIN, DECAY, *SMALL, "--json", "-")
    again = json.loads(measured)
    assert (found["series"], found["pairs"]) == (again["series"], again["pairs"])
    assert found["groups"][0]["series"] == ["stdlib-14m", "stdlib-14m-decay1"]


def test_series_of_one_name_are_called_as_they_were_given(neuromfa: Any, tmp_path: Path) -> None:
    for seed in (0, 1):
        made_series.write_series(tmp_path / str(seed) / "run", (0, 100), seed=seed)
    paths = [str(tmp_path / seed / "run") for seed in "01"]
    code, told, _ = neuromfa("compare", *paths, "--samples", "3", "--nodes", "8", "--draws", "2", "--json", "-",
                             "--group", f"both={','.join(paths)}")  # fmt: skip
    found = json.loads(told)
    assert code == 0
    assert [one["id"] for one in found["series"]] == paths
    assert found["groups"][0]["series"] == paths


def test_a_source_that_fails_leaves_the_others_and_is_told_at_the_end(neuromfa: Any) -> None:
    code, told, err = neuromfa("compare", MAIN, "no/such/folder", DECAY, *SMALL)
    assert code == 3
    assert "no/such/folder could not be measured" in " ".join(told.split())
    assert "no/such/folder" in err
    code, _, err = neuromfa("compare", MAIN, "no/such/folder", DECAY, *SMALL, "--strict")
    assert (code, "no/such/folder" in err) == (1, True)


def test_a_step_that_fails_is_told_at_the_end(neuromfa: Any, tmp_path: Path) -> None:
    for seed in (0, 1):
        made_series.write_series(tmp_path / f"run{seed}", (0, 100), seed=seed)
    (tmp_path / "run1" / "step50").mkdir()
    (tmp_path / "run1" / "step50" / "model.safetensors").write_bytes(b"broken")
    words = ("--samples", "3", "--nodes", "8", "--draws", "2")
    code, told, err = neuromfa("compare", tmp_path / "run0", tmp_path / "run1", *words)
    assert (code, "Two series at a time" in told) == (3, True)
    assert f"{tmp_path / 'run1'}, step 50:" in " ".join(err.split())


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ((MAIN,), 2, "a comparison is of 2 to 16 series, not of 1"),
        ((MAIN, MAIN), 2, "is to be compared with itself"),
        ((MAIN, DECAY, "--by", "time"), 2, "series are aligned by step, tokens, share, not by 'time'"),
        ((MAIN, DECAY, "--group", "a"), 2, "a group is name=A,B"),
        ((MAIN, DECAY, "--group", "a=b"), 2, "group 'a' holds 'b', which is not compared"),
        ((MAIN, "no.json"), 2, "cannot read no.json: No such file"),
        ((MAIN, f"{MAIN}/provenance.json", *SMALL), 2, "is not what `neuromfa analyze --json` writes"),
        ((MAIN, "no/such/folder", *SMALL), 1, "1 of 2 series could be measured; no/such/folder"),
        ((MAIN, DECAY, "--profile", "other"), 2, "profile is exact, paper or shape, not 'other'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_a_code(
    words: tuple[str, ...], code: int, sentence: str, neuromfa: Any
) -> None:
    ended, _, err = neuromfa("compare", *words)
    assert ended == code
    assert sentence in " ".join(err.split())


def test_the_example_of_the_documentation_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    ran = doctest.testfile(str(ROOT / "docs" / "comparing.md"), module_relative=False)
    assert (ran.failed, ran.attempted) == (0, 7)

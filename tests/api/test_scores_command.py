"""`neuromfa scores` on a store with results in it: what is written, what is left out, and what is shown."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from neuromfa.app.cli.main import main
from neuromfa.correlations import correlate
from neuromfa.graph import GraphStore
from neuromfa.scores import Score


def neuromfa(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> str:
    monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code in (0, None)
    return " ".join(capsys.readouterr().out.split())


def test_scores_are_written_and_those_of_other_steps_are_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    store: GraphStore,
    filled_dir: Path,
) -> None:
    table = tmp_path / "scores.csv"
    table.write_text("step,task,metric,value\n-,extra,acc,.1\n9,extra,acc,.2\n7,extra,acc,.4\n")
    told = neuromfa(capsys, monkeypatch, "scores", "org/alone", table, "--data-dir", filled_dir)
    assert told.startswith("1 score written; 2 of steps that are not in the store were left out (7, 9)")
    assert "no checkpoint with a step has scores" in told
    assert Score(None, "extra", "acc", 0.1) in store.scores("org/alone")


def test_one_bad_row_is_named_and_the_rest_written_unless_strict(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    store: GraphStore,
    filled_dir: Path,
) -> None:
    table = tmp_path / "scores.csv"
    table.write_text("step,task,metric,value,stderr\n-,rest,acc,.1,N/A\n-,bad,acc,high,\n")
    words = ("scores", "org/alone", table, "--data-dir", filled_dir)
    monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words), "--strict"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "line 3: value is a finite number" in " ".join(capsys.readouterr().err.split())
    assert not any(score.task == "rest" for score in store.scores("org/alone"))
    monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    assert stopped.value.code == 3
    assert "line 3: value is a finite number, not 'high'" in " ".join(told.err.split())
    assert "1 left out, the rest is taken" in " ".join(told.err.split())
    assert Score(None, "rest", "acc", 0.1) in store.scores("org/alone")


def test_a_result_file_of_the_harness_goes_onto_its_step(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    store: GraphStore,
    filled_dir: Path,
) -> None:
    row = {"alias": "made", "acc,none": 0.61, "acc_stderr,none": 0.011}
    args = "pretrained=org/alone,revision=main"
    result = tmp_path / "results.json"
    result.write_text(json.dumps({"results": {"made": row}, "config": {"model_args": args}}))
    words = ("scores", "org/alone", result, "--step", "-", "--data-dir", filled_dir)
    assert neuromfa(capsys, monkeypatch, *words).startswith("1 score written")
    assert Score(None, "made", "acc", 0.61, 0.011) in store.scores("org/alone")


def test_stored_scores_are_shown_beside_the_nulls(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, filled_dir: Path, store: GraphStore
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    words = ("scores", "stdlib-14m", "--data-dir", filled_dir)
    found = json.loads(neuromfa(capsys, monkeypatch, *words, "--json"))
    newest = store.results("stdlib-14m", options=store.analyses("stdlib-14m")[0].options_hash)
    assert found == [asdict(one) for one in correlate(newest, store.scores("stdlib-14m"))]
    told = neuromfa(capsys, monkeypatch, *words)
    assert "next_byte loss" in told
    assert "shuffled" in told
    assert "Coefficients are description" in told

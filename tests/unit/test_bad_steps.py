"""Series as they lie about: steps that are one another's weights, of another model, not finite, or not readable."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuromfa.analysis import analyze
from neuromfa.app.cli.main import main
from neuromfa.checkpoints import open_series
from neuromfa.errors import AnalysisError, CheckpointMissing, CorruptFile, SourceError
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, Reading, SeriesResult, from_json, to_json
from neuromfa.series_check import findings
from tests.made_series import tensors, write, write_series

SMALL = AnalysisOptions(nodes=16, samples=3, min_edges=3)


def measured(root: Path, **options: object) -> SeriesResult:
    return analyze(open_series(str(root)), replace(SMALL, **options))  # type: ignore[arg-type]


def steps(result: SeriesResult) -> dict[int | None, CheckpointResult]:
    return {one.step: one for one in result.checkpoints}


# the same weights twice


def test_a_baseline_with_the_weights_of_a_later_step_gives_no_emergence(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    shutil.copy(root / "step200/model.safetensors", root / "step0/model.safetensors")
    found = steps(measured(root))
    assert found[0].flag_notes == {"same_weights": "all weights are those of step 200"}
    assert found[200].flag_notes == {"same_weights": "all weights are those of step 0"}
    assert "same_weights" not in found[100].flags
    for one in found.values():
        assert (one.emergence, one.emergence_reason) == (None, "same_weights")
        assert one.nulls and all(null.emergence is None for null in one.nulls.values())


def test_steps_0_and_1_that_are_equal_are_told_the_same_way(tmp_path: Path) -> None:
    root = write_series(tmp_path, (0, 2, 3))
    shutil.copytree(root / "step0", root / "step1")
    found = steps(measured(root))
    assert "same_weights" in found[0].flags and "same_weights" in found[1].flags
    assert found[3].emergence_reason == "same_weights"


def test_a_copy_in_another_number_format_is_seen(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    small = tensors(0.6, dtype="float16")
    write(root / "step200", small)
    write(root / "step0", {name: weights.astype(np.float32) for name, weights in small.items()})
    found = steps(measured(root))
    assert found[0].flag_notes["same_weights"] == "all weights are those of step 200"
    assert found[100].emergence_reason == "same_weights"


@pytest.mark.parametrize("options", [{}, {"baseline": "0"}])
def test_a_baseline_outside_the_chosen_steps_is_compared_too(
    tmp_path: Path, options: dict[str, object]
) -> None:
    root = write_series(tmp_path)
    shutil.copy(root / "step200/model.safetensors", root / "step0/model.safetensors")
    result = analyze(open_series(str(root)), replace(SMALL, **options), steps="100,200")  # type: ignore[arg-type]
    assert [(one.emergence, one.emergence_reason) for one in result.checkpoints] == [
        (None, "same_weights")
    ] * 2
    assert result.checkpoints[1].flag_notes == {"same_weights": "all weights are those of step 0"}


def test_steps_that_are_all_the_same_are_not_taken_for_frozen(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    for step in (100, 200):
        shutil.copy(root / "step0/model.safetensors", root / f"step{step}/model.safetensors")
    assert {one.emergence_reason for one in measured(root).checkpoints} == {"same_weights"}


def test_a_shard_of_another_step_is_seen(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    first, last = tensors(0.0), tensors(0.6)
    mixed = {name: (last if ".1." in name else first)[name] for name in first}
    write(root / "step0", mixed)
    found = steps(measured(root))
    assert found[0].flag_notes["same_weights"] == "the weights of 4 of 8 matrices are those of step 200"
    assert found[100].emergence_reason == "same_weights"


def test_equal_steps_that_are_no_baseline_leave_emergence_alone(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    shutil.copytree(root / "step200", root / "step300")
    found = steps(measured(root))
    assert "same_weights" in found[300].flags
    assert found[300].emergence is not None and found[100].emergence is not None


def test_a_frozen_matrix_is_told_and_leaves_emergence_alone(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    frozen = "gpt_neox.layers.0.mlp.dense_h_to_4h.weight"
    for place, step in enumerate((0, 100, 200)):
        write(root / f"step{step}", {**tensors(0.3 * place), frozen: tensors()[frozen]})
    found = steps(measured(root))
    assert (
        found[100].flag_notes["same_weights"].startswith("the weights of 1 of 8 matrices are those of step 0")
    )
    assert found[200].emergence is not None


def test_findings_of_readings_by_hand() -> None:
    def reading(dtype: str = "float32", **matrices: str) -> Reading:
        return Reading("x", "y", dtype, matrices)

    assert findings({}, baseline=0) == {}
    apart = {0: reading(a="1", b="2"), 1: reading(a="3", b="4")}
    assert findings(apart, baseline=0) == {}
    other = findings({0: reading(a="1"), 5: reading("float16", a="2")}, baseline=None)
    assert other[5].flags == {"other_dtype": "stored as float16, while step 0 is stored as float32"}
    assert other[5].emergence_reason is None and 0 not in other


# another model, another number format, weights that are no numbers


@pytest.mark.parametrize("other", [{"hidden": 16}, {"blocks": 3}])
def test_another_shape_among_the_steps_has_no_emergence(tmp_path: Path, other: dict[str, int]) -> None:
    root = write_series(tmp_path)
    write(root / "step200", tensors(0.6, **other))  # type: ignore[arg-type]
    found = steps(measured(root))
    assert (found[200].emergence, found[200].emergence_reason) == (None, "other_shape")
    assert found[100].emergence is not None
    matched = steps(measured(root, rms_scaled=True))
    assert matched[200].scale_matched is None and matched[100].scale_matched is not None


def test_another_number_format_is_told(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    write(root / "step200", tensors(0.6, dtype="float16"))
    found = steps(measured(root))
    assert found[200].flag_notes == {"other_dtype": "stored as float16, while step 0 is stored as float32"}
    assert found[200].emergence is not None


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_told_with_their_tensor(tmp_path: Path, wrong: float) -> None:
    root, weights = write_series(tmp_path), tensors(0.6)
    weights["gpt_neox.layers.1.attention.dense.weight"][:] = wrong
    write(root / "step200", weights)
    found = steps(measured(root))
    assert "non_finite_weights" in found[200].flags
    # 3 samples of 16 x 16 weights
    assert found[200].flag_notes["non_finite_weights"] == (
        "sampled weights are not finite: 768 of gpt_neox.layers.1.attention.dense.weight"
    )
    assert "non_finite_weights" not in found[100].flags


def test_a_baseline_with_weights_that_are_not_finite_is_told_at_every_step(tmp_path: Path) -> None:
    root, weights = write_series(tmp_path), tensors()
    weights["gpt_neox.layers.1.attention.dense.weight"][:] = np.nan
    write(root / "step0", weights)
    found = steps(measured(root))
    assert found[0].flag_notes["non_finite_weights"].startswith("sampled weights are not finite: 768 of ")
    for step in (100, 200):
        assert found[step].flag_notes["non_finite_weights"] == (
            "sampled weights of the baseline are not finite: gpt_neox.layers.1.attention.dense.weight"
        )
    assert "non_finite_weights" not in steps(measured(root, baseline="none"))[100].flags


def test_a_matrix_of_zeros_is_told(tmp_path: Path) -> None:
    """As a file has whose end was never written."""
    root, weights = write_series(tmp_path), tensors(0.6)
    weights["gpt_neox.layers.1.mlp.dense_4h_to_h.weight"][:] = 0
    weights["gpt_neox.layers.0.attention.dense.weight"][::2] = 0
    write(root / "step200", weights)
    found = steps(measured(root))
    assert found[200].flag_notes["zero_weights"] == (
        "all sampled weights of gpt_neox.layers.1.mlp.dense_4h_to_h.weight are zero"
    )
    assert "zero_weights" not in found[100].flags


def test_weights_that_are_all_zero_say_so(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    write(root / "step100", {name: np.zeros_like(w) for name, w in tensors().items()})
    assert "are zero: the file was not written to its end" in measured(root).failed[0].sentence


def test_weights_that_are_all_nan_say_so(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    write(root / "step100", {name: np.full_like(w, np.nan) for name, w in tensors().items()})
    result = measured(root)
    assert [(one.step, one.error) for one in result.failed] == [(100, "EmptyNetwork")]
    assert "no sampled weight is a finite number" in result.failed[0].sentence
    assert "max_distance" not in result.failed[0].sentence


# one bad step never ends the run


def missing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def truncated(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def empty(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def without_a_tensor(folder: Path) -> None:
    weights = tensors()
    del weights["gpt_neox.layers.1.mlp.dense_4h_to_h.weight"]
    write(folder, weights)


def rotated_away(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


BAD = pytest.mark.parametrize("spoil", [missing, truncated, empty, without_a_tensor, rotated_away])


@BAD
def test_a_bad_step_is_told_and_the_others_are_measured(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    root = write_series(tmp_path)
    whole = steps(measured(root))
    spoil(root / "step100")
    result = measured(root)
    assert (result.found, result.measured) == (3, 2)
    [failed] = result.failed
    assert (failed.step, failed.revision) == (100, "step100") and failed.sentence
    found = steps(result)
    assert found.keys() == {0, 200} and found[200] == whole[200]
    assert from_json(SeriesResult, to_json(result)) == result
    with pytest.raises(SourceError):
        analyze(open_series(str(root)), SMALL, strict=True)


@BAD
def test_a_bad_baseline_leaves_the_rest_standing(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    root = write_series(tmp_path)
    spoil(root / "step0")
    result = measured(root)
    assert [one.step for one in result.checkpoints] == [100, 200]
    assert {one.emergence_reason for one in result.checkpoints} == {"baseline_failed"}
    assert result.notes[0].startswith("The baseline could not be measured: ")
    assert result.checkpoints[0].alpha0.value


def test_a_series_without_any_good_step_says_what_the_first_lacks(tmp_path: Path) -> None:
    root = write_series(tmp_path)
    for step in (0, 100, 200):
        missing(root / f"step{step}")
    with pytest.raises(AnalysisError, match="none of 3 checkpoints could be measured; the first: .*step0"):
        measured(root)


def test_a_single_checkpoint_raises_its_own_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", tensors())
    truncated(folder)
    with pytest.raises(CorruptFile):
        measured(folder, baseline="none")


# a baseline from elsewhere


def test_another_checkpoint_or_series_is_the_baseline(tmp_path: Path) -> None:
    root, base = write_series(tmp_path / "run"), write_series(tmp_path / "base", seed=0)
    own = steps(measured(root))[200].emergence
    for source in (f"{base}@0", str(base / "step0")):
        assert steps(measured(root, baseline=source))[200].emergence == own
    last = steps(measured(root, baseline=str(base)))
    assert (
        last[200].emergence is not None and last[200].emergence.value == 0.0
    )  # the last step of the other one
    wider = write(tmp_path / "wider", tensors(hidden=16))
    assert steps(measured(root, baseline=str(wider)))[0].emergence_reason == "other_shape"
    with pytest.raises(CheckpointMissing, match="has no step 7"):
        analyze(open_series(str(root)), replace(SMALL, baseline=f"{base}@7"), strict=True)


# the command line


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_tokens_stand_beside_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_series(tmp_path / "run", (0, 100))
    (root / "step100").rename(root / "step100-tokens4B")
    table = tmp_path / "x.csv"
    words = ("analyze", root, "--nodes", 16, "--samples", 3, "--min-edges", 3, "--csv", table)
    assert run(monkeypatch, *words, "--along", "tokens") == 0
    header, *rows = (line.split(",") for line in table.read_text().splitlines())
    assert [row[header.index("tokens")] for row in rows] == ["", "4000000000"]
    (root / "step100-tokens4B").rename(root / "step100")
    assert run(monkeypatch, *words, "--along", "tokens") == 2
    assert "tell no tokens to draw along" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("name", ["[/]", "[bold red]x", "a[/b]c"])
def test_names_with_brackets_are_printed_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    root = write_series(tmp_path / "run")
    write(root / "x[b]y", tensors())
    words = ("analyze", root, "--nodes", 16, "--samples", 3, "--min-edges", 3, "--model-id", name)
    assert run(monkeypatch, *words) == 0
    out = capsys.readouterr().out
    assert f"{name}, profile" in out and "x[b]y/ holds weights" in out


def test_analyze_ends_with_what_failed_and_writes_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_series(tmp_path / "run")
    missing(root / "step100")
    table, record = tmp_path / "x.csv", tmp_path / "x.json"
    words = ("analyze", root, "--nodes", 16, "--samples", 3, "--min-edges", 3)
    assert run(monkeypatch, *words, "--csv", table, "--json", record) == 3
    error = " ".join(capsys.readouterr().err.split())
    assert "2 of 3 checkpoints measured; 1 failed" in error and "has no weights" in error
    assert len(table.read_text().splitlines()) == 3
    assert json.loads(record.read_text())["failed"][0]["step"] == 100
    assert run(monkeypatch, *words, "--strict") == 1

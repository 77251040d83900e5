"""Plain measures of whole matrices beside an analysis: by part, by kind, in files and on the command line."""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuromfa.analysis import analyze, analyze_checkpoint
from neuromfa.app.cli.main import main
from neuromfa.checkpoints import open_series
from neuromfa.exports import write_results_csv
from neuromfa.identity import options_hash
from neuromfa.mfa.matrix_measures import plain_measures
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, CurvePoint, from_json, to_json
from tests.made_series import tensors, write, write_series

OPTIONS = AnalysisOptions(nodes=16, samples=1, min_edges=3, nulls=False, shape=False, matrices=True)


def measured(folder: Path) -> CheckpointResult:
    return analyze(open_series(str(folder)), OPTIONS).checkpoints[-1]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> CheckpointResult:
    return measured(write_series(tmp_path_factory.mktemp("series"), (0, 100)))


def test_every_stored_part_is_measured_by_itself(result: CheckpointResult) -> None:
    """Queries, keys and values lie head by head in one tensor, and each is a part of 32 x 32."""
    assert result.matrices is not None
    names = [part.name for part in result.matrices.parts]
    assert names[:6] == ["B00.query", "B00.key", "B00.value", "B00.dense", "B00.mlp", "B00.output"]
    fused = tensors(0.3)["gpt_neox.layers.0.attention.query_key_value.weight"]
    keys = fused.reshape(4, 3, 8, 32)[:, 1].reshape(32, 32)
    expected, found = plain_measures(keys), result.matrices.parts[1]
    assert (found.n_targets, found.n_sources, found.kind) == (32, 32, "qkv")
    assert found.matrix == "gpt_neox.layers.0.attention.query_key_value.weight"
    assert found.effective_rank.value == pytest.approx(expected.effective_rank, rel=1e-6)
    assert found.gini_strength.value == pytest.approx(expected.gini_strength, rel=1e-12)


def test_kinds_are_means_over_their_parts(result: CheckpointResult) -> None:
    assert result.matrices is not None
    kinds = result.matrices.by_kind
    assert {kind: one.parts for kind, one in kinds.items()} == {"qkv": 6, "dense": 2, "mlp": 2, "output": 2}
    own = [part for part in result.matrices.parts if part.kind == "qkv"]
    for value in ("value", "shuffled", "rewired"):
        mean = np.mean([getattr(part.stable_rank, value) for part in own])
        assert getattr(kinds["qkv"].stable_rank, value) == pytest.approx(mean)
    assert kinds["mlp"].smaller_side == 32
    assert kinds["qkv"].tail_exponent.value is None and kinds["qkv"].tail_exponent.n == 0


def test_nulls_stand_beside_what_they_move(result: CheckpointResult) -> None:
    assert result.matrices is not None
    dense = result.matrices.by_kind["dense"]
    assert dense.rms.value == dense.rms.shuffled and dense.rms.rewired is None
    assert dense.gini_strength.value != dense.gini_strength.shuffled and dense.gini_strength.rewired is None
    assert len({dense.effective_rank.value, dense.effective_rank.shuffled, dense.effective_rank.rewired}) == 3


def test_measures_are_the_same_every_time_and_need_no_samples(
    result: CheckpointResult, tmp_path: Path
) -> None:
    again = analyze(
        open_series(str(write_series(tmp_path, (0, 100)))), replace(OPTIONS, nodes=8, profile="paper")
    )
    assert again.checkpoints[-1].matrices == result.matrices


def test_parts_without_numbers_are_told_and_not_averaged(tmp_path: Path) -> None:
    weights = tensors()
    weights["gpt_neox.layers.0.attention.dense.weight"][3, 5] = np.nan
    weights["gpt_neox.layers.1.attention.dense.weight"][:] = 0.0
    weights["gpt_neox.layers.1.mlp.dense_h_to_4h.weight"][0, 0] = np.inf
    found = measured(write(tmp_path / "step0", weights).parent).matrices
    assert found is not None
    reasons = {part.name: part.reason for part in found.parts if part.reason}
    assert reasons == {
        "B00.dense": "non_finite_weights",
        "B01.dense": "zero_weights",
        "B01.mlp": "non_finite_weights",
    }
    assert "dense" not in found.by_kind and found.by_kind["mlp"].parts == 1


def test_they_are_measured_only_where_asked_for(tmp_path: Path) -> None:
    series = open_series(str(write_series(tmp_path, (0,))))
    plain = replace(OPTIONS, matrices=False)
    without, with_them = (analyze_checkpoint(series.at(0), one, None) for one in (plain, OPTIONS))
    assert without.result is not None and without.result.matrices is None
    weights = sum(one.nbytes for one in tensors().values())
    assert with_them.bytes_read >= without.bytes_read + weights
    assert options_hash(plain) == options_hash(AnalysisOptions.from_json(plain.differing()))
    assert "matrices" not in plain.differing() and OPTIONS.differing()["matrices"] is True


def test_records_survive_json_and_curves_leave_parts_out(result: CheckpointResult) -> None:
    assert from_json(CheckpointResult, to_json(result)).matrices == result.matrices
    point = CurvePoint.of(result)
    assert result.matrices is not None and point.matrices is not None
    assert point.matrices.by_kind == result.matrices.by_kind and not point.matrices.parts


def test_exports_have_a_column_for_each_measure_of_a_kind(result: CheckpointResult, tmp_path: Path) -> None:
    write_results_csv([result], tmp_path / "out.csv")
    [row] = csv.DictReader((tmp_path / "out.csv").read_text().splitlines())
    assert result.matrices is not None
    qkv = result.matrices.by_kind["qkv"]
    assert float(row["matrix_qkv_stable_rank"]) == qkv.stable_rank.value
    assert float(row["matrix_qkv_stable_rank_shuffled"]) == qkv.stable_rank.shuffled
    assert row["matrix_qkv_rms_rewired"] == ""


def test_the_command_shows_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tensors()
    weights["gpt_neox.layers.0.attention.dense.weight"][3, 5] = np.nan
    write(tmp_path / "step0", weights)
    words = ["analyze", str(tmp_path), "--nodes", "16", "--samples", "1", "--min-edges", "3", "--matrices"]
    monkeypatch.setattr(sys, "argv", ["neuromfa", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "Whole matrices, means by kind" in told and "rank" in told
    assert "step 0: B00.dense has no plain measures: non_finite_weights" in told

"""Excess, terms, profile shape and verdict of real checkpoints: what stands where, and why something does not."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from neuromfa.analysis import analyze
from neuromfa.beyond_scale import series_verdict
from neuromfa.checkpoints import open_series
from neuromfa.exports import results_table
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, CurvePoint, SeriesResult, from_json, to_json
from neuromfa.verdict_words import CAUTION, verdict_sentence
from tests import made_series

SERIES = Path(__file__).parents[2] / "series"
FEW = AnalysisOptions(samples=3, nodes=32, draws=3)


@cache
def measured(
    options: AnalysisOptions = FEW, *, folder: str = "stdlib-14m", steps: str = "0,2000"
) -> SeriesResult:
    return analyze(open_series(str(SERIES / folder)), options, steps=steps)


def last(options: AnalysisOptions = FEW) -> CheckpointResult:
    return measured(options).checkpoints[-1]


def test_every_figure_stands_by_seed_and_draw() -> None:
    found = last()
    assert found.excess is not None and list(found.excess) == ["shuffled"]
    for one in (found, found.shape):
        by_seed = [
            sample.alpha0 - np.mean([value for value in sample.nulls["shuffled"].alpha0 if value is not None])
            for sample in one.samples
        ]
        assert one.excess["shuffled"].alpha0.value == pytest.approx(np.mean(by_seed), abs=1e-12)
        assert [len(sample.nulls["shuffled"].width) for sample in one.samples] == [3, 3, 3]
        assert [len(sample.nulls["rescaled"].width) for sample in one.samples] == [1, 1, 1]
        assert list(one.excess["shuffled"].by_matrix) == ["qkv", "dense", "mlp", "output"]


def test_terms_lead_from_the_baseline_to_here() -> None:
    start, found = measured().checkpoints
    assert found.terms is not None
    for name in ("alpha0", "width"):
        parts = [getattr(found.terms[name], part).value for part in ("scale", "distribution", "arrangement")]
        change = getattr(found, name).value - getattr(start, name).value
        assert sum(parts) == pytest.approx(change, abs=1e-9)
    total = sum(
        getattr(found.terms["emergence"], part).value for part in ("scale", "distribution", "arrangement")
    )
    assert total == pytest.approx(found.emergence.value, abs=1e-9)


def test_shape_is_what_asking_for_it_gives() -> None:
    beside, asked = last(), last(replace(FEW, profile="shape"))
    assert beside.shape is not None and asked.shape is None and asked.shape_reason == "asked"
    assert (asked.alpha0, asked.width, asked.emergence) == (
        beside.shape.alpha0,
        beside.shape.width,
        beside.shape.emergence,
    )
    assert asked.excess == beside.shape.excess and asked.verdict == beside.verdict
    assert asked.samples[0].graph_hash == beside.samples[0].graph_hash


def test_the_verdict_does_not_depend_on_the_asked_profile_or_hops() -> None:
    effects = [
        last(options).verdict.structure
        for options in (
            FEW,
            replace(FEW, grid="fixed", max_distance=90.0),
            replace(FEW, hops="multi", draws=3),
        )
    ]
    assert effects[1:] == effects[:-1]
    multi = last(replace(FEW, hops="multi", draws=3))
    assert list(multi.excess) == ["shuffled", "rewired"] == list(multi.shape.excess)


def test_the_baseline_has_not_changed() -> None:
    start = measured().checkpoints[0]
    changed = start.verdict.changed
    assert (changed.answer, changed.g2, changed.p) == ("no", 0.0, 1.0)
    assert start.emergence.value == 0.0 and start.excess["shuffled"].emergence.value is not None


@pytest.mark.parametrize(
    ("options", "reason", "shape_reason"),
    [
        (replace(FEW, nulls=False), "no_nulls", None),
        (replace(FEW, shape=False), "not_asked", "not_asked"),
        (replace(FEW, samples=2), "few_samples", None),
        (replace(FEW, draws=1), "few_draws", None),
        (replace(FEW, nodes=10), "few_edges", "few_edges"),
        (replace(FEW, nodes=10, profile="shape"), "few_edges", "few_edges"),
        (replace(FEW, nodes=None), "few_samples", None),
        (replace(FEW, nodes=512), "whole_layer", None),
    ],
)
def test_no_verdict_has_a_reason(options, reason, shape_reason) -> None:
    result = measured(options, steps="2000")
    [found] = result.checkpoints
    assert (found.verdict.structure.answer, found.verdict.structure.reason) == (None, reason)
    assert found.shape_reason == shape_reason and (found.shape is None) == (shape_reason is not None)
    assert result.verdict.sentence.startswith("No verdict: ") and result.verdict.sentence.endswith(CAUTION)


def test_without_a_baseline_there_is_structure_but_no_change() -> None:
    found = last(replace(FEW, baseline="none"))
    assert (
        found.terms is None and found.verdict.changed is None and found.excess["shuffled"].emergence is None
    )
    assert found.verdict.structure.answer is not None


def test_a_trained_baseline_asks_what_changed() -> None:
    result = measured(
        replace(FEW, baseline=f"{SERIES}/stdlib-14m@2000"), folder="stdlib-14m-decay1", steps="2000"
    )
    assert result.verdict.question == "changed"
    assert "the baseline" in result.verdict.sentence
    assert measured().verdict.question == "structure"


@pytest.mark.slow
def test_the_main_series_has_structure_since_it_learned() -> None:
    options = replace(FEW, nodes=64, samples=5, draws=4)
    result = measured(options, steps="0,128,512,2000")
    assert [one.verdict.structure.answer for one in result.checkpoints] == ["no", "no", "yes", "yes"]
    assert (
        result.verdict.answer == "yes" and result.verdict.onset == (128, 512) and result.verdict.step == 2000
    )
    assert "beginning between steps 128 and 512" in result.verdict.sentence
    points = [CurvePoint.of(one) for one in result.checkpoints]
    assert series_verdict(points, options) == result.verdict
    assert series_verdict([], options) is None


def test_records_survive_json() -> None:
    result = measured()
    assert from_json(SeriesResult, to_json(result)) == result
    point = CurvePoint.of(result.checkpoints[-1])
    assert from_json(CurvePoint, to_json(point)) == point
    assert type(point.shape).__name__ == "ShapeNumbers"


def test_exports_hold_excess_terms_and_verdict() -> None:
    row = results_table(measured().checkpoints).to_pylist()[-1]
    found = last()
    assert row["excess_shuffled_alpha0"] == found.excess["shuffled"].alpha0.value
    assert row["shape_excess_shuffled_width_p_chance"] == found.shape.excess["shuffled"].width.p_chance
    assert row["term_arrangement_emergence"] == found.terms["emergence"].arrangement.value
    assert (row["structure"], row["structure_g"]) == (
        found.verdict.structure.answer,
        found.verdict.structure.g,
    )
    assert row["changed_p"] == found.verdict.changed.p and row["shape_alpha0"] == found.shape.alpha0.value
    assert list(found.excess["shuffled"].by_block) == ["0", "1", "2", "3", "4", "5"]
    block = found.shape.excess["shuffled"].by_block["3"]
    assert row["shape_excess_shuffled_block_3_nfd_variance"] == block.nfd_variance.value
    assert row["shape_excess_shuffled_block_3_width_p"] == block.width.p


def test_results_measured_before_have_nothing_by_block() -> None:
    text = json.loads(to_json(last()))
    del text["excess"]["shuffled"]["by_block"], text["shape"]["excess"]["shuffled"]["by_block"]
    before = from_json(CheckpointResult, json.dumps(text))
    assert before.excess["shuffled"].by_block == {} == before.shape.excess["shuffled"].by_block
    [row] = results_table([before]).to_pylist()
    assert row["excess_shuffled_alpha0"] is not None and not [name for name in row if "_block_" in name]


def test_a_baseline_that_is_none_of_the_run_takes_away_what_rests_on_it(tmp_path: Path) -> None:
    """Step 0 holds the weights of the last step: nothing may be compared with it."""
    made_series.write_series(tmp_path)
    (tmp_path / "step0/model.safetensors").write_bytes((tmp_path / "step200/model.safetensors").read_bytes())
    result = analyze(open_series(str(tmp_path)), replace(FEW, nodes=16))
    for one in result.checkpoints:
        assert one.emergence is None and one.terms == {}
        assert one.excess["shuffled"].emergence.reason == "same_weights"
        assert one.shape.emergence is None and one.shape.excess["shuffled"].emergence.value is None
        assert (one.verdict.changed.answer, one.verdict.changed.reason) == (None, "same_weights")
        assert one.excess["shuffled"].alpha0.value is not None


def test_every_sentence_carries_the_caution() -> None:
    for one in measured().checkpoints:
        assert one.verdict.sentence.endswith(CAUTION)
        assert verdict_sentence(one.verdict.structure, strongest=None).count(". ") >= 1

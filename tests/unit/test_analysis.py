"""The whole way from checkpoint files to the record of a series: parity, contract, controls, identity."""

import json
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from neuromfa.analysis import Known, analyze, analyze_each, graph_hashes, measure_baseline, sample
from neuromfa.checkpoints import open_series
from neuromfa.errors import CheckpointMissing, EmptyNetwork
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, SeriesResult, from_json, to_json

ROOT = Path(__file__).parents[2]
SERIES = ROOT / "series" / "stdlib-14m"
PARITY = ROOT / "tests" / "data" / "parity"
EXPECTED = json.loads((PARITY / "expected.json").read_text())
FEW = AnalysisOptions(samples=3, nodes=32)


@cache
def measured(folder: str, *, steps: str = "all", samples: int = 10) -> dict[int | None, CheckpointResult]:
    options = AnalysisOptions(profile="paper", samples=samples)
    series = open_series(str(ROOT / "series" / folder))
    return {c.step: c for c in analyze(series, options, steps=steps).checkpoints}


@cache
def parity() -> SeriesResult:
    return analyze(open_series(str(PARITY / "neox")), AnalysisOptions(profile="paper", samples=4))


@pytest.mark.parametrize("step", [0, 256])
def test_parity_of_every_sample(step: int) -> None:
    found = next(c for c in parity().checkpoints if c.step == step)
    for sampled, expected in zip(found.samples, EXPECTED["checkpoints"][str(step)], strict=True):
        assert sampled.tau == pytest.approx(expected["tau"], abs=1e-12)
        assert sampled.width == pytest.approx(expected["width"], abs=1e-12)
        assert sampled.alpha0_tie == pytest.approx(
            (expected["alpha0_forward"], expected["alpha0_backward"]), abs=1e-12
        )
        assert (sampled.nodes_kept, sampled.nodes_total) == (
            expected["kept_nodes"],
            expected["candidate_nodes"],
        )
        assert (sampled.r_min, sampled.r_max) == (expected["r_min"], expected["r_max"])


def test_parity_of_counts_and_emergence() -> None:
    for step, found in ((c.step, c) for c in parity().checkpoints):
        expected = EXPECTED["checkpoints"][str(step)]
        assert found.coverage.edges.kept == sum(entry["kept_edges"] for entry in expected)
    last = parity().checkpoints[-1]
    assert last.emergence_tie == pytest.approx((EXPECTED["E_forward"], EXPECTED["E_backward"]), abs=1e-12)


def test_the_record_survives_json_and_holds_no_nan() -> None:
    text = to_json(parity())
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} in JSON"))
    assert from_json(SeriesResult, text) == parity()


def test_json_names_are_those_of_the_contract() -> None:
    record = json.loads(to_json(parity()))
    assert {"series", "profile", "options", "versions", "checkpoints"} <= set(record)
    checkpoint = record["checkpoints"][1]
    assert {
        "step", "revision", "alpha0", "width", "emergence", "emergence_reason", "emergence_tie", "nulls",
        "coverage", "flags", "r_squared", "spectrum", "samples",
    } <= set(checkpoint)  # fmt: skip
    assert set(checkpoint["alpha0"]) == {"value", "low", "high", "n"}
    assert {"shuffled", "gaussian", "rescaled"} == set(checkpoint["nulls"])
    assert set(checkpoint["coverage"]) == {"nodes", "edges", "tensors"}
    assert set(checkpoint["coverage"]["edges"]["dropped"]) == {
        "zero",
        "nan",
        "inf",
        "within_one",
        "beyond_range",
    }
    assert set(checkpoint["r_squared"]) == {"-3", "-1", "1", "3"}
    assert len(checkpoint["spectrum"]["q"]) == len(checkpoint["spectrum"]["tau"]) == 61
    assert len(checkpoint["spectrum"]["alpha"]) == len(checkpoint["spectrum"]["f"]) == 60


@pytest.mark.slow
def test_emergence_rises_on_the_main_series_and_its_shuffled_null_follows() -> None:
    series = measured("stdlib-14m", samples=4)
    values = [c.emergence.value for c in series.values() if c.emergence]
    assert values[0] == 0
    assert all(early < late for early, late in zip(values[:6], values[1:7], strict=True))
    last = series[2000]
    assert last.nulls is not None and last.emergence is not None
    shuffled = last.nulls["shuffled"].emergence
    assert shuffled is not None and shuffled.value == pytest.approx(last.emergence.value, abs=0.01)


@pytest.mark.slow
def test_negative_controls() -> None:
    decay = measured("stdlib-14m-decay1", steps="2000")[2000].emergence
    shuffled = measured("stdlib-14m-shuffled", steps="2000")[2000].emergence
    assert decay is not None and decay.high is not None and decay.high < 0
    assert shuffled is not None and shuffled.value is not None and abs(shuffled.value) < 0.02


def test_a_null_follows_each_control() -> None:
    for folder in ("stdlib-14m-decay1", "stdlib-14m-shuffled"):
        nulls = measured(folder, steps="2000")[2000].nulls
        assert nulls is not None
        assert all(null.emergence is not None for null in nulls.values())


def test_every_tensor_is_used_or_skipped_with_a_reason() -> None:
    checkpoint = open_series(str(SERIES)).at(2000)
    with_tensors = sample(checkpoint, FEW)
    store = checkpoint.open()
    used, skipped = with_tensors.tensors.used, [s.name for s in with_tensors.tensors.skipped]
    assert sorted([*used, *skipped]) == sorted(store.names())
    assert all(s.reason for s in with_tensors.tensors.skipped)
    store.close()


@pytest.mark.parametrize("steps", ["0,2000", "2000"])
def test_the_baseline_is_found_outside_the_chosen_steps(steps: str) -> None:
    last = analyze(open_series(str(SERIES)), FEW, steps=steps).checkpoints[-1]
    assert last.emergence is not None and last.emergence.value is not None and last.emergence.value > 0


def test_without_a_baseline_emergence_is_none_with_a_reason() -> None:
    only = analyze(open_series(str(SERIES / "step2000")), replace(FEW, nulls=False)).checkpoints[0]
    assert (only.step, only.emergence, only.emergence_reason) == (None, None, "no_baseline")
    none = analyze(open_series(str(SERIES)), replace(FEW, baseline="none"), steps="2000").checkpoints[0]
    assert (none.emergence, none.emergence_reason) == (None, "no_baseline")
    assert none.nulls is not None and set(none.nulls) == {"shuffled", "gaussian"}


def test_a_named_step_and_reinit_as_baseline() -> None:
    series = open_series(str(SERIES))
    named = analyze(series, replace(FEW, baseline="1000"), steps="1000").checkpoints[0]
    assert named.emergence is not None and named.emergence.value == 0
    reinit = analyze(series, replace(FEW, baseline="reinit", samples=5), steps="0").checkpoints[0]
    assert reinit.emergence is not None and reinit.emergence.value is not None
    assert abs(reinit.emergence.value) < 0.02
    with pytest.raises(CheckpointMissing, match="no step 7"):
        measure_baseline(series, replace(FEW, baseline="7"))


def test_scale_matched_reading_stands_beside_the_plain_one() -> None:
    series = open_series(str(SERIES))
    plain = analyze(series, replace(FEW, nulls=False), steps="2000").checkpoints[0]
    both = analyze(series, replace(FEW, nulls=False, rms_scaled=True), steps="2000").checkpoints[0]
    assert both.alpha0 == plain.alpha0 and both.emergence == plain.emergence
    assert both.scale_matched is not None and plain.scale_matched is None
    assert both.scale_matched.rms_ratio > 1
    start = analyze(series, replace(FEW, nulls=False), steps="0").checkpoints[0]
    assert plain.rms and start.rms and both.rms == plain.rms
    assert plain.rms / start.rms == pytest.approx(both.scale_matched.rms_ratio, rel=1e-3)
    assert both.scale_matched.alpha0.value != plain.alpha0.value


@pytest.mark.slow
def test_processes_give_the_same_bytes() -> None:
    series = open_series(str(SERIES))
    here = analyze(series, FEW, steps="0,2000")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        there = analyze(series, FEW, steps="0,2000", executor=pool)
    assert to_json(here) == to_json(there)


def test_progress_is_told_after_every_checkpoint() -> None:
    told: list[Any] = []
    analyze(open_series(str(SERIES)), FEW, steps="0,32", progress=lambda *report: told.append(report))
    assert told == [(1, 2, "step 0"), (2, 2, "step 32")]


def test_known_numbers_are_not_measured_again() -> None:
    series = open_series(str(SERIES))
    first = list(analyze_each(series, FEW, steps="0", graph_samples=2, baseline=None))[0]
    assert first.result is not None and len(first.graphs) == 2
    assert [graph.graph_hash for graph in first.graphs] == [s.graph_hash for s in first.result.samples[:2]]
    known = Known(frozenset([first.analysis_hash]), frozenset([first.graphs[0].graph_hash]))
    again = list(analyze_each(series, FEW, steps="0", graph_samples=2, known={0: known}, baseline=None))[0]
    assert again.result is None
    assert [graph.provenance.seed for graph in again.graphs] == [1]


def test_identity_follows_content_and_options() -> None:
    checkpoint = open_series(str(SERIES)).at(0)
    hashes = graph_hashes(sample(checkpoint, FEW), FEW)
    assert len(set(hashes)) == 3
    control = open_series(str(ROOT / "series" / "stdlib-14m-decay1")).at(0)
    assert graph_hashes(sample(control, FEW), FEW) == hashes
    scaled = replace(FEW, scale=2.0)
    assert not set(graph_hashes(sample(checkpoint, scaled), scaled)) & set(hashes)


def test_a_whole_network_has_one_sample_and_no_interval() -> None:
    options = AnalysisOptions(nodes=None, nulls=False)
    found = analyze(open_series(str(SERIES)), options, steps="0").checkpoints[0]
    assert found.alpha0.n == 1 and found.alpha0.low is None
    assert found.samples[0].nodes_total == 6 * (128 + 128 + 128 + 512)
    assert found.alpha0.value is not None and math.isfinite(found.alpha0.value)


def test_an_impossible_range_names_the_checkpoint() -> None:
    with pytest.raises(EmptyNetwork, match=r"stdlib-14m, baseline first: none of .* more than 10 edges"):
        analyze(open_series(str(SERIES)), replace(FEW, max_distance=1.0), steps="0")

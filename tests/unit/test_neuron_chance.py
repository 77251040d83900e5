"""Neurons against chance in an analysis: records, curves, since when, exports and the command line."""

import csv
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from neuromfa.analysis import analyze, analyze_checkpoint
from neuromfa.app.cli.main import main
from neuromfa.checkpoints import open_series
from neuromfa.exports import write_results_csv
from neuromfa.neuron_chance import since_when
from neuromfa.neurons import NeuronChance, NeuronDeparture, SampleDepartures
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, CurvePoint, SeriesResult, from_json, to_json
from tests.made_series import tensors, write
from tests.unit.making_results import checkpoint

OPTIONS = AnalysisOptions(nodes=32, samples=2, min_edges=3, nulls=False, shape=False, neurons=1)
PLANTED = "B01.mlp.00007"


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three steps; from the second one on one neuron has weights five times as large."""
    root = tmp_path_factory.mktemp("series")
    for step in (0, 100, 200):
        weights = tensors(hidden=32)
        if step:
            weights["gpt_neox.layers.1.mlp.dense_4h_to_h.weight"][:, 7] *= 5
            weights["gpt_neox.layers.0.attention.dense.weight"][0, 0] += step / 1e4
        write(root / f"step{step}", weights)
    return root


@pytest.fixture(scope="module")
def result(series: Path) -> SeriesResult:
    return analyze(open_series(str(series)), replace(OPTIONS, nodes=128))


def test_untrained_weights_have_none_and_it_is_said(result: SeriesResult) -> None:
    first = result.checkpoints[0].neurons
    assert first is not None
    [sample] = first.samples
    assert (sample.by_nfd, sample.by_strength, sample.neurons) == (0, 0, [])
    assert first.sentence == (
        f"No neuron of {sample.tested} tested in 1 sample departs from chance, as in weights that are not trained."
    )


def test_a_planted_neuron_departs_since_its_step(result: SeriesResult) -> None:
    last = result.checkpoints[-1].neurons
    assert last is not None
    strongest = last.samples[0].neurons[0]
    assert strongest.name == PLANTED
    assert strongest.strength_z is not None and strongest.strength_z > 10
    assert strongest.strength_p_adjusted is not None and strongest.strength_p_adjusted < 1e-3
    since = {(one.name, one.measure): one.since for one in result.neurons_since}
    assert since[PLANTED, "strength"] == (0, 100)


def test_records_survive_json_and_curves_count(result: SeriesResult) -> None:
    last = result.checkpoints[-1]
    assert from_json(CheckpointResult, to_json(last)).neurons == last.neurons
    counted = CurvePoint.of(last).neurons
    assert counted is not None and last.neurons is not None
    assert counted.samples[0].by_strength == last.neurons.samples[0].by_strength >= 1
    assert counted.samples[0].neurons == []


def test_graphs_get_the_tests_of_their_samples(series: Path) -> None:
    analysis = analyze_checkpoint(open_series(str(series)).at(200), OPTIONS, None, graph_samples=2)
    assert list(analysis.tests) == [analysis.graph_hashes[0]], "the second sample was not tested"


def test_exports_count_them(result: SeriesResult, tmp_path: Path) -> None:
    write_results_csv(result.checkpoints, tmp_path / "out.csv")
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert rows[0]["neurons_by_strength"] == "0" and int(rows[-1]["neurons_by_strength"]) >= 1


def test_the_command_shows_them(
    series: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--nodes", "128", "--samples", "1", "--min-edges", "3", "--no-nulls", "--no-shape"]
    monkeypatch.setattr(sys, "argv", ["neuromfa", "analyze", str(series), *words, "--neurons", "1"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Step 0: No neuron of" in told and PLANTED in told


def chance(*names: str, p: float) -> NeuronChance:
    """Neurons that depart by their dimension, all with one p."""
    nothing = dict.fromkeys(
        ("nfd", "nfd_z", "nfd_p", "strength", "strength_z", "strength_p", "strength_p_adjusted")
    )
    found = [NeuronDeparture(name=name, nfd_p_adjusted=p, **nothing) for name in names]  # type: ignore[arg-type]
    sample = SampleDepartures(seed=0, tested=9, by_nfd=len(names), by_strength=0, neurons=found)
    return NeuronChance(draws=99, level=0.05, samples=[sample], sentence="")


def measured_at(*steps: tuple[int, NeuronChance | None]) -> list[CheckpointResult]:
    return [replace(checkpoint(step), neurons=one) for step, one in steps]


def test_since_when_needs_every_later_step() -> None:
    steps = measured_at(
        (0, chance(p=0.001)),
        (1, chance("a", "b", p=0.001)),
        (2, chance("b", p=0.001)),
        (3, chance("a", "b", p=0.001)),
    )
    found = [(one.name, one.since) for one in since_when(steps)]
    assert found == [("b", (0, 1)), ("a", (2, 3))]


def test_since_when_is_controlled_over_the_steps() -> None:
    """.02 at one step is .04 at two and .06 at three."""
    assert [
        one.since for one in since_when(measured_at((1, chance("a", p=0.02)), (2, chance("a", p=0.02))))
    ] == [(None, 1)]
    three = measured_at(*((step, chance("a", p=0.02)) for step in (1, 2, 3)))
    assert since_when(three) == []
    assert since_when(measured_at((1, None), (2, None))) == []

"""Published and simulated initial spectra, from weights drawn by the published initialisation formulas."""

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from neuromfa import mfa
from neuromfa.options import AnalysisOptions

from .networks import transformer

REFERENCE = Path(__file__).parents[2] / "data" / "reference" / "step0_simulated.csv"
SIMULATED = [
    {name: text if name == "model" else float(text) for name, text in row.items()}
    for row in csv.DictReader(REFERENCE.read_text().splitlines())
]
PAPER = AnalysisOptions(profile="paper")
# The paper's figures label these curves step 1 (70M) and step 1000 (6.9B, 12B); they are initial spectra.
FIGURE = 0.02


@cache
def draws(model: str, nodes: int, n: int) -> tuple[mfa.SampleMeasure, ...]:
    """Measures of n draws of the initial weights of a model."""
    (row,) = (row for row in SIMULATED if row["model"] == model and row["nodes_per_layer"] == nodes)
    return tuple(
        mfa.measure(
            transformer(
                blocks=int(row["layers"]),
                nodes=nodes,
                std_in=row["std_in"],
                std_out=row["std_out"],
                seed=seed,
            ),
            PAPER,
        )
        for seed in range(n)
    )


def assert_agrees(row: dict, n: int) -> None:
    """Means within 4 sd / sqrt(draws) of the reference, counts of nodes within .5 %."""
    found = draws(row["model"], int(row["nodes_per_layer"]), n)
    for name, sd in (("alpha0", row["alpha0_sd"]), ("width", row["width_sd"])):
        mean = np.mean([getattr(measure, name) for measure in found])
        assert mean == pytest.approx(row[name], rel=0, abs=4 * sd / np.sqrt(n)), name
    for name, side in (("alpha0_forward", 0), ("alpha0_backward", 1)):
        mean = np.mean([measure.alpha0_tie[side] for measure in found])
        assert mean == pytest.approx(row[name], rel=0, abs=4 * row["alpha0_sd"] / np.sqrt(n)), name
    for name, end in (("alpha_min", -1), ("alpha_max", 0)):
        mean = np.mean([measure.alpha[end] for measure in found])
        assert mean == pytest.approx(row[name], rel=0, abs=4 * row["width_sd"] / np.sqrt(n)), name
    assert {measure.nodes_total for measure in found} == {int(row["nodes_total"])}
    assert np.mean([measure.nodes_kept for measure in found]) == pytest.approx(row["nodes_kept"], rel=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("row", SIMULATED, ids=lambda row: f"{row['model']}-{row['nodes_per_layer']:g}")
def test_all_models(row: dict) -> None:
    assert_agrees(row, 10)


def test_figure_of_70m() -> None:
    found = draws("pythia-70m", 128, 10)
    alpha = np.mean([measure.alpha for measure in found], axis=0)
    f = np.mean([measure.f for measure in found], axis=0)
    assert (alpha[-1], alpha[0]) == pytest.approx((1.325, 2.256), rel=0, abs=FIGURE)
    tie = np.mean([measure.alpha0_tie for measure in found], axis=0)
    assert tuple(tie) == pytest.approx((1.755, 1.795), rel=0, abs=FIGURE)
    assert (f[-1], f[0]) == pytest.approx((-0.405, -0.509), rel=0, abs=FIGURE)


@pytest.mark.parametrize(
    ("model", "alpha0", "width"), [("pythia-6.9b", 1.685, 0.367), ("pythia-12b", 1.691, 0.364)]
)
def test_figures_of_the_large_models(model: str, alpha0: float, width: float) -> None:
    found = draws(model, 48, 10)
    assert np.mean([measure.alpha0 for measure in found]) == pytest.approx(alpha0, rel=0, abs=FIGURE)
    assert np.mean([measure.width for measure in found]) == pytest.approx(width, rel=0, abs=FIGURE)


def test_at_step_0_of_a_large_model_two_layers_of_five_are_kept() -> None:
    found = draws("pythia-410m", 64, 3)[0]
    assert found.nodes_kept / found.nodes_total == pytest.approx(0.4, abs=1e-3)
    assert {row: count.kept for row, count in found.kept_by_layer.items()} == {
        "input": 1536,
        "attention": pytest.approx(0, abs=5),
        "dense": 1536,
        "mlp": pytest.approx(0, abs=5),
    }


@pytest.mark.parametrize(
    ("nodes", "alpha0"), [(16, 1.19), (32, 1.38), (64, 1.585), (128, 1.774), (256, 1.95)]
)
def test_alpha0_depends_on_the_size_of_the_sample(nodes: int, alpha0: float) -> None:
    network = transformer(blocks=6, nodes=nodes, std_in=0.02795, std_out=0.01473)
    assert mfa.measure(network, PAPER).alpha0 == pytest.approx(alpha0, abs=0.03)


def test_one_outlier_moves_the_union_grid_and_hardly_the_fixed_one() -> None:
    network = transformer(blocks=6, nodes=64, std_in=0.02795, std_out=0.01473)
    links = list(network.links)
    spoiled = links[0].weights.copy()
    spoiled[0, 0] = 0.8
    links[0] = type(links[0])("spoiled", spoiled)
    outlier = type(network)(network.layers, links, network.artificial, network.provenance)
    moved = {}
    for grid in ("union", "fixed"):
        options = AnalysisOptions(grid=grid)
        before, after = mfa.measure(network, options), mfa.measure(outlier, options)
        moved[grid] = abs(after.alpha0 / before.alpha0 - 1)
        assert ("single_scale_leverage" in after.flags) == (grid == "union")
    assert 0.03 < moved["union"] < 0.2
    assert moved["fixed"] < 4e-5

"""The parity set: what the released code gives, to the tolerances its README states."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from neuromfa import mfa
from neuromfa.errors import AnalysisError, EmptyNetwork, TooFewRadii
from neuromfa.mfa.distance import count_graph_radii, range_rule
from neuromfa.mfa.partition import grow_boxes
from neuromfa.network import SNIN
from neuromfa.options import AnalysisOptions

from .networks import attention, graph_of_distances, network_of

PARITY = Path(__file__).parents[2] / "data" / "parity"
EXPECTED = json.loads((PARITY / "expected.json").read_text())
CASES = json.loads((PARITY / "partition_cases.json").read_text())["cases"]
PAPER = AnalysisOptions(profile="paper")
STEPS = ("0", "256")
HIDDEN, BLOCKS, NODES = 96, 3, 64
EXACT = 1e-12


def sampled(step: str, seed: int) -> SNIN:
    """The sample that convention 1 and 2 of the README describe, drawn here without the project's reader."""
    tensors = load_file(PARITY / "neox" / f"step{step}" / "model.safetensors")
    draw = np.random.RandomState(seed)

    def choice(size: int, n: int) -> np.ndarray:
        return draw.choice(np.arange(size), n, replace=False)

    drawn = [
        [choice(HIDDEN, NODES), choice(HIDDEN, NODES), choice(HIDDEN, NODES), choice(4 * HIDDEN, 2 * NODES)]
        for _ in range(BLOCKS)
    ]
    inputs = [block[0] for block in drawn[1:]] + [choice(HIDDEN, NODES)]
    matrices = []
    for block, ((n1, unit, n4, n5), following) in enumerate(zip(drawn, inputs, strict=True)):
        fused = np.concatenate([unit, unit + HIDDEN, unit + 2 * HIDDEN])
        picks = (
            ("attention.query_key_value", fused, n1),
            ("attention.dense", n4, unit),
            ("mlp.dense_h_to_4h", n5, n4),
            ("mlp.dense_4h_to_h", following, n5),
        )
        taken = [
            tensors[f"gpt_neox.layers.{block}.{name}.weight"][np.ix_(to, frm)] for name, to, frm in picks
        ]
        matrices += [taken[0], attention(NODES), *taken[1:]]
    return network_of(matrices, seed=seed, nodes=NODES)


@pytest.fixture(scope="module")
def measures() -> dict[str, list[mfa.SampleMeasure]]:
    return {
        step: [mfa.measure(sampled(step, entry["seed"]), PAPER) for entry in EXPECTED["checkpoints"][step]]
        for step in STEPS
    }


@pytest.mark.parametrize("step", STEPS)
def test_every_seed_of_the_checkpoints(step: str, measures: dict[str, list[mfa.SampleMeasure]]) -> None:
    for found, expected in zip(measures[step], EXPECTED["checkpoints"][step], strict=True):
        assert found.q.tolist() == EXPECTED["q"]
        np.testing.assert_allclose(found.tau, expected["tau"], rtol=0, atol=EXACT)
        assert found.width == pytest.approx(expected["width"], rel=0, abs=EXACT)
        forward, backward = expected["alpha0_forward"], expected["alpha0_backward"]
        assert found.alpha0_tie == pytest.approx((forward, backward), rel=0, abs=EXACT)
        assert (forward + backward) / 2 == pytest.approx(expected["alpha0_central"], rel=0, abs=EXACT)
        assert (found.nodes_kept, found.nodes_total) == (expected["kept_nodes"], expected["candidate_nodes"])
        assert found.n_edges == expected["kept_edges"]
        assert (found.radii[0], found.radii[-1]) == (expected["r_min"], expected["r_max"])
        assert found.radii.size == expected["n_radii"]


def test_emergence(measures: dict[str, list[mfa.SampleMeasure]]) -> None:
    found = mfa.emergence_of(measures["256"], baseline=measures["0"])
    assert found.tie == pytest.approx((EXPECTED["E_forward"], EXPECTED["E_backward"]), rel=0, abs=EXACT)
    means = {step: EXPECTED["means"][step] for step in STEPS}
    ratio = means["256"]["width"] / means["0"]["width"]
    low = ratio * np.log(means["0"]["alpha0_forward"] / means["256"]["alpha0_backward"])
    high = ratio * np.log(means["0"]["alpha0_backward"] / means["256"]["alpha0_forward"])
    assert found.estimate is not None and found.estimate.value is not None
    assert low - EXACT <= found.estimate.value <= high + EXACT


def test_emergence_of_the_central_difference(measures: dict[str, list[mfa.SampleMeasure]]) -> None:
    width = {step: np.mean([m.width for m in measures[step]]) for step in STEPS}
    central = {step: np.mean([np.mean(m.alpha0_tie) for m in measures[step]]) for step in STEPS}
    found = mfa.emergence(
        width_t=float(width["256"]),
        width_0=float(width["0"]),
        alpha0_t=float(central["256"]),
        alpha0_0=float(central["0"]),
    )
    assert found == pytest.approx(EXPECTED["E_central"], rel=0, abs=EXACT)


@pytest.mark.parametrize("case", [case for case in CASES if case["expected"]], ids=lambda case: case["name"])
def test_distance_lists(case: dict) -> None:
    graph = graph_of_distances([[float(d) for d in row] for row in case["rows"]])
    found, expected = mfa.measure_graph(graph, PAPER), case["expected"]
    np.testing.assert_allclose(found.tau, expected["tau"], rtol=0, atol=EXACT)
    assert found.width == pytest.approx(expected["width"], rel=0, abs=EXACT)
    forward, backward = expected["alpha0_forward"], expected["alpha0_backward"]
    assert found.alpha0_tie == pytest.approx((forward, backward), rel=0, abs=EXACT)
    assert found.radii.tolist() == expected["radii"]
    counts = count_graph_radii(graph, rule=range_rule(PAPER))
    table = grow_boxes(counts, grid="union", longest=150.0, min_edges=10)
    assert np.flatnonzero(table.kept).tolist() == expected["kept_rows"]
    if "closed_form" in case:
        m0, m1 = case["closed_form"]["m0"], case["closed_form"]["m1"]
        np.testing.assert_allclose(found.tau, 1 - np.log2(m0**found.q + m1**found.q), rtol=0, atol=EXACT)
        assert found.alpha0 == pytest.approx(case["closed_form"]["dtau_dq_at_0"], rel=0, abs=EXACT)


@pytest.mark.parametrize(("name", "error"), [("no_node_kept", EmptyNetwork), ("single_radius", TooFewRadii)])
def test_lists_on_which_the_released_code_fails(name: str, error: type[AnalysisError]) -> None:
    (case,) = (case for case in CASES if case["name"] == name)
    assert case["expected"] is None
    with pytest.raises(error):
        mfa.measure_graph(graph_of_distances(case["rows"]), PAPER)

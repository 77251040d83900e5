"""Profile shape: no number moves with the scale of any part, and one large weight moves next to nothing."""

from dataclasses import replace

import numpy as np
import pytest

from neuromfa import mfa
from neuromfa.errors import OptionError
from neuromfa.mfa.shape import in_shape, part_scale
from neuromfa.network import SNIN
from neuromfa.options import AnalysisOptions

from .networks import stored, transformer
from .test_nulls import three_parts

SHAPE = AnalysisOptions(profile="shape")


def scaled(network: SNIN, factors: np.ndarray) -> SNIN:
    """Every stored part of every matrix times a factor of its own, in order."""
    left = iter(factors.tolist())
    links = []
    for link in network.links:
        weights = None if link.weights is None else link.weights.astype(np.float64)
        for part in link.parts if weights is not None else ():
            weights[part.rows] *= next(left)
        links.append(replace(link, weights=weights))
    return replace(network, links=tuple(links))


@pytest.mark.parametrize("power", [1, 3])
def test_the_scale_of_a_part_moves_nothing(power) -> None:
    network = transformer(blocks=3, nodes=32, std_in=0.02, std_out=0.05, dtype=np.float64)
    factors = np.random.default_rng(0).uniform(0.1, 10.0, 100) ** power
    before, after = mfa.measure(network, SHAPE), mfa.measure(scaled(network, factors), SHAPE)
    np.testing.assert_array_equal(after.tau, before.tau)
    assert (after.alpha0, after.width, after.nodes_kept) == (before.alpha0, before.width, before.nodes_kept)


def test_in_float16_the_scale_moves_a_hundred_thousandth() -> None:
    network = transformer(blocks=6, nodes=64, std_in=0.02, std_out=0.05, dtype=np.float16)
    links = [
        link if link.weights is None else replace(link, weights=(link.weights * np.float16(1.7)))
        for link in network.links
    ]
    before, after = mfa.measure(network, SHAPE), mfa.measure(replace(network, links=tuple(links)), SHAPE)
    assert 0 < abs(after.alpha0 - before.alpha0) < 2e-4


def test_fused_parts_are_scaled_apart() -> None:
    network = three_parts(np.repeat([0.01, 0.1, 1.0], 20), interleaved=True)
    [link] = in_shape(network).links
    for part in link.parts:
        assert part_scale(link.weights[part.rows]) == pytest.approx(1 / 40)


def test_one_weight_of_fifty_deviations_moves_next_to_nothing() -> None:
    network = transformer(blocks=6, nodes=64, std_in=0.02, std_out=0.05, dtype=np.float64)
    weights = network.links[0].weights.copy()
    weights[0, 0] = 50 * 0.02
    outlier = replace(network, links=(replace(network.links[0], weights=weights), *network.links[1:]))
    assert mfa.measure(outlier, SHAPE).alpha0 == pytest.approx(mfa.measure(network, SHAPE).alpha0, rel=1e-3)


def test_part_scale_is_the_deviation_of_a_normal_part() -> None:
    draw = np.random.default_rng(3)
    assert part_scale(draw.normal(0.0, 0.3, (200, 200))) == pytest.approx(0.3, rel=0.01)
    assert part_scale(np.array([[0.0, np.nan, np.inf, -0.6745]])) == 1.0
    assert part_scale(np.zeros((2, 2))) == 1.0


def test_what_the_profile_decides_by_itself() -> None:
    asked = AnalysisOptions(profile="shape", max_distance=90.0, grid="union", rms_scaled=True)
    assert (asked.max_distance, asked.grid, asked.rms_scaled) == (150.0, "fixed", False)
    assert AnalysisOptions(scale=2.0).in_shape.scale == 1.0
    with pytest.raises(OptionError, match="profile shape has no lambda"):
        AnalysisOptions(profile="shape", scale=2.0)


def test_a_stored_graph_does_not_hold_the_scale() -> None:
    graph = stored(transformer(blocks=1, nodes=16, std_in=0.05, std_out=0.05))
    with pytest.raises(OptionError, match="measure the checkpoint"):
        mfa.measure_graph(graph, SHAPE)

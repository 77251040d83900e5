"""Excess by block: that of the block's matrices alone on the radii of the whole network, counted in plain numpy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from neuromfa import mfa
from neuromfa.mfa.excess import PairedExcess, short
from neuromfa.network import SNIN
from neuromfa.options import AnalysisOptions
from neuromfa.structure import BlockExcess

from .networks import network_of, transformer

FEW = AnalysisOptions(draws=3, q=(-3.0, 0.0, 3.0))
OPTIONS = {"union": FEW, "fixed": replace(FEW, grid="fixed"), "shape": FEW.in_shape}
SEEDS = range(4)


def networks(*, blocks: int) -> list[SNIN]:
    return [transformer(blocks=blocks, nodes=16, std_in=0.05, std_out=0.04, seed=seed) for seed in SEEDS]


def measured(found: list[SNIN], options: AnalysisOptions) -> PairedExcess:
    samples = [mfa.paired_samples(network, [options])[0] for network in found]
    return PairedExcess(samples, "shuffled", rho=0.0, whole=False)


def by_hand(
    network: SNIN, real: SNIN, options: AnalysisOptions
) -> dict[int, tuple[float, float, np.ndarray]]:
    """alpha0, width and the variance within every matrix of each block, from distances of all kept nodes."""
    found = []
    for layer, link, own in zip(network.layers[:-1], network.links, real.links, strict=True):
        if link.weights is None:
            continue
        weights = link.weights.astype(np.float64)
        if options.profile == "shape":
            weights *= 0.6745 / np.median(np.abs(own.weights.astype(np.float64))) / 40.0
        distances = 1.0 / np.abs(weights)
        rounded = np.where(distances <= options.max_distance, np.round(distances), np.nan)
        kept = np.isfinite(rounded).sum(axis=0) > options.min_edges
        found.append((layer.block, rounded[:, kept]))
    radii = np.unique(np.concatenate([one.ravel() for _, one in found]))
    radii = radii[np.isfinite(radii)] if options.grid == "union" else np.arange(20.0, 151.0)
    masses = [(block, 1 + (one[:, :, None] <= radii).sum(axis=0)) for block, one in found]
    return {block: _figures([own for at, own in masses if at == block], radii) for block, _ in masses}


def _figures(masses: list[np.ndarray], radii: np.ndarray) -> tuple[float, float, np.ndarray]:
    nfd = [np.polyfit(np.log(radii), np.log(one).T, 1)[0] for one in masses]
    log_mu = np.log(np.concatenate(masses) / np.concatenate(masses)[:, -1:])
    ends = []
    for q in (-3.0, 3.0):
        weights = np.exp(q * log_mu)
        mean = (weights * log_mu).sum(axis=0) / weights.sum(axis=0)
        ends.append(np.polyfit(np.log(radii), mean, 1)[0])
    return np.concatenate(nfd).mean(), ends[0] - ends[1], np.array([one.var(ddof=1) for one in nfd])


@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
def test_a_block_has_the_excess_of_its_own_matrices(options) -> None:
    seeds = networks(blocks=3)
    own = measured(seeds, options).by_block()
    assert list(own) == ["0", "1", "2"]
    real = [by_hand(network, network, options) for network in seeds]
    draws = [
        [by_hand(mfa.null_network(network, "shuffled", number=r), network, options) for r in range(3)]
        for network in seeds
    ]
    for block in range(3):
        for place, name in enumerate(("alpha0", "width", "nfd_variance")):
            differences = [
                np.mean(one[block][place] - np.mean([draw[block][place] for draw in nulls], axis=0))
                for one, nulls in zip(real, draws, strict=True)
            ]
            expected = stats.ttest_1samp(differences, 0.0)
            interval = expected.confidence_interval(0.95)
            found = getattr(own[str(block)], name)
            assert found.value == pytest.approx(np.mean(differences), rel=1e-6, abs=1e-12)
            assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6)
            assert found.p == pytest.approx(expected.pvalue, rel=1e-5)


def test_the_only_block_is_the_network() -> None:
    found = measured(networks(blocks=1), FEW).over_null(emergence=None)
    own = found.by_block["0"]
    assert own.alpha0 == short(found.alpha0) and own.nfd_variance == short(found.nfd_variance)
    assert own.width.value == pytest.approx(found.width.value, rel=1e-9)
    assert own.width.p == pytest.approx(found.width.p_chance, rel=1e-6)


def test_blocks_come_in_their_order() -> None:
    assert list(measured(networks(blocks=12), FEW).by_block()) == [str(number) for number in range(12)]


def test_profile_paper_has_no_width_by_block() -> None:
    found = measured(networks(blocks=2), replace(FEW, profile="paper")).by_block()
    assert [one.width.reason for one in found.values()] == ["not_by_block", "not_by_block"]
    assert all(one.width.value is None and one.alpha0.value is not None for one in found.values())


def test_a_block_without_kept_neurons_is_left_out() -> None:
    draw = np.random.default_rng(3)
    weak, strong = np.full((20, 20), 1e-4), draw.normal(0.0, 0.05, (20, 20))
    layers = [strong, strong, strong, strong, strong, weak, weak]
    found = measured([network_of(layers, seed=seed) for seed in SEEDS], FEW).by_block()
    assert list(found) == ["0"]
    assert isinstance(found["0"], BlockExcess)

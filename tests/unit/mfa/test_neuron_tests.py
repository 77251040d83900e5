"""Neurons against chance: p of the pooled null, its tail, and networks with and without planted neurons."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from evidence.neurons import departing, planted, random_networks, shuffled_network, with_planted
from neuromfa import mfa
from neuromfa.analysis import sample
from neuromfa.checkpoints import open_series
from neuromfa.errors import OptionError
from neuromfa.mfa.neuron_tests import SMALLEST_P, against_pool, neuron_tests, tail_p
from neuromfa.network import SNIN
from neuromfa.options import AnalysisOptions

ROOT = Path(__file__).parents[3]
OPTIONS = AnalysisOptions(samples=1)


@pytest.fixture(scope="module")
def network() -> SNIN:
    """Two blocks of the main series after training, a sample of 64 neurons a layer."""
    source = ROOT / "neuromfa/data/series/stdlib-14m-2-blocks"
    return sample(open_series(str(source)).at(2000), OPTIONS).networks[0]


def test_p_is_the_share_of_the_pool_and_its_tail_beyond() -> None:
    pool = np.abs(np.random.default_rng(0).normal(size=20_000))
    sizes = np.array([0.0, 0.5, 1.5, 2.5, 4.0, 4.5])
    found, exact = tail_p(sizes, pool), 2 * stats.norm.sf(sizes)
    np.testing.assert_allclose(found[:4], exact[:4], rtol=0.1)
    assert np.all(found[4:] >= exact[4:] / 2), "a tail without an end is on the safe side of a normal one"
    assert np.all(np.diff(found) < 0)


def test_heavy_tails_are_seen() -> None:
    pool = np.abs(stats.t.rvs(4, size=20_000, random_state=1))
    assert tail_p(np.array([12.0]), pool)[0] == pytest.approx(2 * stats.t.sf(12.0, 4), rel=0.6)


def test_no_p_is_zero_and_what_is_missing_stays_missing() -> None:
    found = against_pool(np.array([1e6, np.nan]), np.random.default_rng(2).normal(size=(99, 64)))
    assert found.p[0] == SMALLEST_P and np.isnan(found.p[1])
    constant = against_pool(np.array([1.0, 2.0]), np.full((3, 2), 1.0))
    assert np.isnan(constant.p).all() and np.isnan(constant.z).all()


@pytest.mark.parametrize("profile", ["exact", "paper", "shape"])
def test_dimensions_are_those_of_the_measure(network: SNIN, profile: str) -> None:
    options = replace(OPTIONS, profile=profile)  # type: ignore[arg-type]
    tests, measure = neuron_tests(network, options, draws=3), mfa.measure(network, options)
    for own, expected in zip(tests.nfd.value, measure.measures.nfd, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-9)
    assert tests.strength.value[0] == pytest.approx(
        np.abs(network.links[0].weights).sum(axis=0, dtype=np.float64)
    )


def test_p_of_untrained_weights_are_spread_evenly(network: SNIN) -> None:
    tests = neuron_tests(shuffled_network(network, 3), OPTIONS)
    for measure in (tests.nfd, tests.strength):
        p = np.concatenate([column[~np.isnan(column)] for column in measure.p])
        assert stats.kstest(p, "uniform").pvalue > 0.001


def test_planted_neurons_are_found_and_no_others(network: SNIN) -> None:
    made, places = with_planted(shuffled_network(network, 1), 1.5, 1)
    tests = neuron_tests(made, OPTIONS)
    assert all(tests.strength.p_adjusted[layer][place] < 0.05 for layer, place in places)
    assert departing(tests, "strength") <= len(places) + 1
    assert departing(neuron_tests(shuffled_network(network, 1), OPTIONS), "strength") == 0


def test_the_counts_of_the_evidence_are_made_of_the_same_trials(network: SNIN) -> None:
    assert random_networks(network, 2) == {"trials": 2, "nfd": 0.0, "strength": 0.0}
    found = planted(network, 1.5, 1)
    assert found["strength"] == 1.0 and found["strength_false"] <= 0.1


def test_only_neurons_at_one_hop_are_tested() -> None:
    with pytest.raises(OptionError, match="neurons are tested at one hop, not at hops multi"):
        AnalysisOptions(neurons=1, hops="multi")

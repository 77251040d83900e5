"""Null networks: what each keeps and what it destroys, and that every matrix can be drawn alone."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from neuromfa.errors import AnalysisError, NoBaseline
from neuromfa.mfa.nulls import NULL_KINDS, gaussian, null_network, population_std, rescaled, rewired, shuffled
from neuromfa.network import SNIN, StoredPart

from .networks import network_of, transformer

SMALL = {"blocks": 2, "nodes": 12, "std_in": 0.02, "std_out": 0.03}


def weights_of(network: SNIN) -> list[np.ndarray]:
    return [link.weights for link in network.links if link.weights is not None]


def draw() -> np.random.Generator:
    return np.random.default_rng(0)


def test_shuffled_keeps_the_weights_and_loses_their_place() -> None:
    network = transformer(**SMALL)
    for real, null in zip(weights_of(network), weights_of(null_network(network, "shuffled")), strict=True):
        assert null.shape == real.shape and null.dtype == real.dtype
        np.testing.assert_array_equal(np.sort(null, axis=None), np.sort(real, axis=None))
        assert np.mean(null == real) < 0.05


@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize("kind", ["shuffled", "rewired", "gaussian", "rescaled"])
def test_every_null_keeps_queries_keys_and_values_apart(kind, interleaved) -> None:
    network = three_parts(np.repeat([1.0, 20.0, 300.0], 20), interleaved=interleaved)
    (null,) = weights_of(
        null_network(network, kind, baseline=three_parts(np.ones(60), interleaved=interleaved))
    )
    for part, size in zip(network.links[0].parts, (1.0, 20.0, 300.0), strict=True):
        assert 0.5 * size < null[part.rows].std() < 2.0 * size


def three_parts(sizes: np.ndarray, *, interleaved: bool) -> SNIN:
    """One matrix whose targets are queries, keys and values, one kind after the other or in turn."""
    part = np.arange(60) % 3 if interleaved else np.arange(60) // 20
    weights = np.sort(sizes)[20 * part][:, np.newaxis] * np.random.default_rng(1).normal(size=(60, 20))
    places = [np.flatnonzero(part == k) for k in range(3)]
    rows = [StoredPart(own if interleaved else slice(own[0], own[-1] + 1)) for own in places]
    network = network_of([weights])
    return replace(network, links=(replace(network.links[0], parts=tuple(rows)),))


def test_rewired_keeps_what_every_source_has() -> None:
    network = transformer(**SMALL)
    for real, null in zip(weights_of(network), weights_of(null_network(network, "rewired")), strict=True):
        np.testing.assert_array_equal(np.sort(null, axis=0), np.sort(real, axis=0))
        assert np.mean(null == real) < 0.3


def test_weights_and_their_codes_move_alike() -> None:
    weights = np.random.default_rng(2).permutation(1000).reshape(25, 40)
    for null in (shuffled, rewired):
        moved = null(weights.astype(np.float32), draw())
        for dtype in (np.uint16, np.uint32, np.float64):
            np.testing.assert_array_equal(null(weights.astype(dtype), draw()), moved)


def test_draws_differ_and_the_first_has_the_old_stream() -> None:
    network = transformer(**SMALL, seed=7)
    draws = [null_network(network, "shuffled", number=k).links[2].weights for k in range(3)]
    assert not np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[1], draws[2])
    second = np.random.default_rng([7, 2, 0, 1])
    np.testing.assert_array_equal(draws[1], shuffled(network.links[2].weights, second))


def test_gaussian_keeps_the_scale_of_each_matrix() -> None:
    network = transformer(blocks=1, nodes=64, std_in=0.02, std_out=0.1)
    for real, null in zip(weights_of(network), weights_of(null_network(network, "gaussian")), strict=True):
        assert null.shape == real.shape and null.dtype == np.float64
        assert null.std() == pytest.approx(float(real.std()), rel=0.05)
        assert abs(null.mean()) < 5 * null.std() / np.sqrt(null.size)
        assert abs(np.corrcoef(null.ravel(), real.ravel())[0, 1]) < 0.05


def test_gaussian_takes_the_population_deviation() -> None:
    weights = np.array([[1.0, 3.0]])
    np.testing.assert_array_equal(gaussian(weights, draw()), draw().normal(0.0, 1.0, (1, 2)))


def test_rescaled_is_the_baseline_at_the_scale_of_now() -> None:
    now, then = transformer(**SMALL, seed=1), transformer(**{**SMALL, "std_in": 0.05}, seed=2)
    found = weights_of(null_network(now, "rescaled", baseline=then))
    for null, real, base in zip(found, weights_of(now), weights_of(then), strict=True):
        assert population_std(null) == pytest.approx(population_std(real), rel=1e-12)
        factor = population_std(real) / population_std(base)
        np.testing.assert_allclose(null, base.astype(np.float64) * factor, rtol=1e-12)


def test_rescaled_of_itself_is_itself() -> None:
    network = transformer(**SMALL)
    found = weights_of(null_network(network, "rescaled", baseline=network))
    for null, real in zip(found, weights_of(network), strict=True):
        np.testing.assert_array_equal(null, real.astype(np.float64))


def test_a_baseline_without_spread_is_left_as_it_is() -> None:
    flat = np.full((3, 3), 0.25, dtype=np.float32)
    np.testing.assert_array_equal(rescaled(draw().normal(size=(3, 3)), baseline=flat), flat)


@pytest.mark.parametrize("kind", ["shuffled", "gaussian"])
def test_generators_are_named_by_seed_row_and_null(kind) -> None:
    network = transformer(**SMALL, seed=7)
    null = null_network(network, kind)
    for row in (0, 2, 9):
        alone = np.random.default_rng([7, row, NULL_KINDS.index(kind)])
        make = shuffled if kind == "shuffled" else gaussian
        np.testing.assert_array_equal(null.links[row].weights, make(network.links[row].weights, alone))
    other = null_network(replace(network, provenance=replace(network.provenance, seed=8)), kind)
    assert not np.array_equal(other.links[0].weights, null.links[0].weights)


@pytest.mark.parametrize("kind", ["shuffled", "gaussian"])
def test_a_baseline_does_not_touch_the_other_nulls(kind) -> None:
    network, baseline = transformer(**SMALL), transformer(**SMALL, seed=1)
    alone, beside = null_network(network, kind), null_network(network, kind, baseline=baseline)
    np.testing.assert_array_equal(beside.links[0].weights, alone.links[0].weights)


def test_order_of_the_kinds_is_part_of_the_numbers() -> None:
    assert NULL_KINDS == ("shuffled", "gaussian", "rescaled", "rewired")


def test_links_of_a_null() -> None:
    network = transformer(**SMALL)
    null = null_network(network, "gaussian")
    assert len(null.links) == len(network.links)
    assert [link.matrix for link in null.links] == [link.matrix for link in network.links]
    assert null.links[1] is network.links[1]
    np.testing.assert_array_equal(null.links[-1].weights, null.links[-1].weights)
    part = null.links[2:5]
    assert [link.matrix for link in part] == ["m2", "m3", "m4"]
    np.testing.assert_array_equal(part[0].weights, null.links[2].weights)
    assert null.layers is network.layers and null.provenance is network.provenance


def test_a_negative_index_names_the_same_matrix() -> None:
    null = null_network(transformer(**SMALL), "shuffled")
    np.testing.assert_array_equal(null.links[-1].weights, null.links[len(null.links) - 1].weights)


def test_rescaled_needs_a_baseline_of_the_same_shape() -> None:
    network = transformer(**SMALL)
    with pytest.raises(NoBaseline, match="^the null .* name a baseline, or leave it out$"):
        null_network(network, "rescaled")
    wired = network_of([np.ones((36, 12), dtype=np.bool_)])
    with pytest.raises(NoBaseline, match="no weights at m0"):
        _ = null_network(network, "rescaled", baseline=wired).links[0]


def test_population_std_by_hand() -> None:
    assert population_std(np.array([[1.0, 3.0], [1.0, 3.0]])) == 1.0
    assert population_std(np.array([[1.0, np.nan], [np.inf, 3.0]])) == 1.0
    assert population_std(np.array([[np.nan]])) == 0.0
    assert population_std(np.array([[5.0]])) == 0.0
    weights = draw().normal(1e6, 1.0, (300, 200))
    assert population_std(weights) == pytest.approx(float(weights.std()), rel=1e-9)
    assert population_std(weights[:0]) == 0.0


def test_a_deviation_beyond_float64_is_an_error_in_a_sentence() -> None:
    far, split = np.array([[1e300, -1e300], [1e308, 1.0]]), np.repeat([1e308, -1e308], 500)[np.newaxis]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for weights in (far, split):
            with pytest.raises(
                AnalysisError, match="^the null model gaussian needs the spread of its weights"
            ):
                _ = null_network(network_of([weights]), "gaussian").links[0]

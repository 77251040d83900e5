"""Figures of networks and draws of nulls: equal to the long way, and blind at one hop to who is wired to whom."""

from dataclasses import replace

import numpy as np
import pytest

from neuromfa import mfa
from neuromfa.mfa.figures import figures_of, matrix_kinds
from neuromfa.mfa.measure import radius_counts
from neuromfa.network import SNIN
from neuromfa.options import AnalysisOptions

from .networks import network_of, transformer
from .test_nulls import three_parts

SMALL = {"blocks": 2, "nodes": 16, "std_in": 0.05, "std_out": 0.04}
EXACT = AnalysisOptions(draws=3)
VIEWS = (EXACT, replace(EXACT, profile="paper"), replace(EXACT, grid="fixed"), EXACT.in_shape)


def figures_the_long_way(network: SNIN, options: AnalysisOptions, *, scale_of: SNIN) -> mfa.Figures:
    return figures_of(
        radius_counts(network, options, scale_of=scale_of), layers=network.layers, options=options
    )


def assert_equal(found: mfa.Draw, expected: mfa.Figures) -> None:
    assert found.figures is not None
    assert (found.figures.alpha0, found.figures.width) == (expected.alpha0, expected.width)
    assert found.figures.kinds == expected.kinds
    np.testing.assert_array_equal(found.figures.nfd_variance, expected.nfd_variance)
    assert found.figures.blocks == expected.blocks
    for own, other in (
        (found.figures.by_kind, expected.by_kind),
        (found.figures.by_block, expected.by_block),
    ):
        assert {name: (one.alpha0, one.width) for name, one in own.items()} == {
            name: (one.alpha0, one.width) for name, one in other.items()
        }


@pytest.mark.parametrize("options", VIEWS)
def test_figures_are_those_of_the_spectrum(options) -> None:
    network = transformer(**SMALL)
    [sample] = mfa.paired_samples(network, [options])
    whole = mfa.measure(network, options)
    assert sample.real.figures is not None
    assert sample.real.figures.alpha0 == pytest.approx(whole.alpha0, rel=1e-12)
    assert sample.real.figures.width == pytest.approx(whole.width, rel=1e-9)
    by_matrix = [values[~np.isnan(values)] for values in whole.measures.nfd if not np.isnan(values).all()]
    expected = [values.var(ddof=1) for values in by_matrix]
    np.testing.assert_allclose(sample.real.figures.nfd_variance, expected, rtol=1e-9)


@pytest.mark.parametrize(
    "network", [transformer(**SMALL), three_parts(np.repeat([0.01, 0.1, 1.0], 20), interleaved=True)]
)
@pytest.mark.parametrize("options", VIEWS)
def test_a_moved_code_is_a_moved_weight(options, network) -> None:
    pair = [options] if options.profile == "shape" else [options, options.in_shape]
    for view, sample in zip(pair, mfa.paired_samples(network, pair, baseline=network), strict=True):
        assert list(sample.nulls) == ["shuffled", "gaussian", "rescaled"]
        assert_equal(sample.real, figures_the_long_way(network, view, scale_of=network))
        for kind, draws in sample.nulls.items():
            for number, draw in enumerate(draws):
                null = mfa.null_network(network, kind, baseline=network, number=number)
                assert_equal(draw, figures_the_long_way(null, view, scale_of=network))
        assert [len(draws) for draws in sample.nulls.values()] == [3, 1, 1]
        assert sample.nulls["rescaled"][0].figures.width == sample.real.figures.width


@pytest.mark.parametrize("options", VIEWS)
def test_one_hop_cannot_see_who_is_wired_to_whom(options) -> None:
    """Identity I12: all strengths kept and the topology destroyed, not a number moves."""
    network = transformer(**SMALL)
    rewired = mfa.null_network(network, "rewired")
    assert not np.array_equal(rewired.links[0].weights, network.links[0].weights)
    before, after = mfa.measure(network, options), mfa.measure(rewired, options)
    assert (after.alpha0, after.width) == (before.alpha0, before.width)
    np.testing.assert_array_equal(after.tau, before.tau)
    for left, right in zip(after.measures.nfd, before.measures.nfd, strict=True):
        np.testing.assert_array_equal(left, right)


def test_paths_see_the_wiring() -> None:
    network = transformer(blocks=3, nodes=16, std_in=0.05, std_out=0.04)
    options = AnalysisOptions(hops="multi", max_distance=100.0, draws=2)
    for sample in mfa.paired_samples(network, [options, options.in_shape]):
        assert [(kind, len(draws)) for kind, draws in sample.nulls.items()] == [
            ("shuffled", 2),
            ("gaussian", 1),
            ("rewired", 2),
        ]
        widths = {draw.figures.width for draw in sample.nulls["rewired"]}
        assert len(widths | {sample.real.figures.width}) == 3


def test_draws_are_the_same_when_few_fit_into_memory(monkeypatch) -> None:
    network, views = transformer(**SMALL), [EXACT, EXACT.in_shape]
    whole = mfa.paired_samples(network, views, baseline=network)
    monkeypatch.setattr("neuromfa.mfa.paired_draws.MOST_BYTES", 1)
    monkeypatch.setattr("neuromfa.mfa.paired_draws.BLOCK_ENTRIES", 100)
    for one, again in zip(whole, mfa.paired_samples(network, views, baseline=network), strict=True):
        assert_equal(again.real, one.real.figures)
        assert list(again.nulls) == list(one.nulls)
        for kind, draws in one.nulls.items():
            for draw, other in zip(draws, again.nulls[kind], strict=True):
                assert_equal(other, draw.figures)
    assert mfa.paired_samples(network, views, kinds=())[0].nulls == {}


def test_a_whole_network_is_drawn_once() -> None:
    network = transformer(**SMALL)
    [sample] = mfa.paired_samples(network, [replace(EXACT, nodes=None)])
    assert len(sample.nulls["shuffled"]) == 1


def test_a_draw_without_a_spectrum_says_why() -> None:
    weights = np.zeros((12, 4))
    weights[:, 0] = 1 / np.arange(3.0, 15.0)
    [sample] = mfa.paired_samples(network_of([weights]), [EXACT])
    assert sample.real.figures is not None
    assert sample.nulls["shuffled"][0].figures is None
    assert "more than 10" in (sample.nulls["shuffled"][0].reason or "")
    assert sample.nulls["gaussian"][0].figures is not None


def test_radii_beyond_a_byte() -> None:
    network = transformer(**SMALL)
    options = replace(EXACT, max_distance=700.0)
    for view, sample in zip(
        (options, options.in_shape), mfa.paired_samples(network, [options, options.in_shape]), strict=True
    ):
        null = mfa.null_network(network, "shuffled", number=2)
        assert_equal(sample.nulls["shuffled"][2], figures_the_long_way(null, view, scale_of=network))


def test_the_last_matrix_of_every_block_is_one_kind() -> None:
    layers = transformer(**SMALL).layers
    kinds = matrix_kinds(layers, [k for k in range(len(layers) - 1) if k % 5 != 1])
    assert kinds == ("qkv", "dense", "mlp", "input", "qkv", "dense", "mlp", "input")
    named = [
        replace(layer, row="output") if k == len(layers) - 1 else layer for k, layer in enumerate(layers)
    ]
    assert matrix_kinds(named, [3, 4, 9]) == ("mlp", "output", "output")

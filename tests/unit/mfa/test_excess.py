"""Excess over nulls: paired by seed, with statistics that scipy and plain loops confirm; terms that add up."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from neuromfa import mfa
from neuromfa.mfa.emergence import emergence
from neuromfa.mfa.excess import PairedExcess, is_whole, shared_weights, terms_of
from neuromfa.mfa.figures import KindFigures
from neuromfa.network import SNIN, StoredPart

from .networks import network_of, transformer

N, R = 6, 4


def figures(draw: np.random.Generator, *, shift: float = 0.0) -> mfa.Figures:
    alpha0, width, dense = (float(value) for value in draw.normal((2.0, 0.5, 1.8), 0.05) + shift)
    variances = draw.uniform(0.01, 0.02, 3) + shift
    kinds = {"qkv": KindFigures(alpha0, width), "dense": KindFigures(dense, width)}
    blocks = {"0": KindFigures(alpha0, width), "10": KindFigures(dense, width)}
    return mfa.Figures(alpha0, width, kinds, blocks, ("qkv", "dense", "qkv"), ("0", "0", "10"), variances)


def samples(*, n: int = N, draws: int = R, seed: int = 0) -> list[mfa.PairedSample]:
    draw = np.random.default_rng(seed)
    return [
        mfa.PairedSample(
            k,
            mfa.Draw(figures(draw, shift=0.1)),
            {
                "shuffled": tuple(mfa.Draw(figures(draw)) for _ in range(draws)),
                "rescaled": (mfa.Draw(figures(draw)),),
            },
        )
        for k in range(n)
    ]


def excess(found: list[mfa.PairedSample], *, rho: float = 0.0, whole: bool = False) -> PairedExcess:
    return PairedExcess(found, "shuffled", rho=rho, whole=whole)


def of_kind(kind: str):
    return lambda one: np.array(one.kinds) == kind


def by_hand(found: list[mfa.PairedSample], take) -> np.ndarray:
    return np.array(
        [take(one.real.figures) - np.mean([take(d.figures) for d in one.nulls["shuffled"]]) for one in found]
    )


@pytest.mark.parametrize(
    "take", [lambda one: one.alpha0, lambda one: one.width, lambda one: one.by_kind["dense"].alpha0]
)
def test_statistics_are_those_of_a_paired_t_test(take) -> None:
    found = samples()
    differences = by_hand(found, take)
    expected = stats.ttest_1samp(differences, 0.0)
    interval = expected.confidence_interval(0.95)
    own = excess(found).of(take)
    assert own.value == pytest.approx(differences.mean(), rel=1e-12)
    assert own.t == pytest.approx(expected.statistic, rel=1e-9)
    assert own.p_sampling == pytest.approx(expected.pvalue, rel=1e-9)
    assert own.p_chance == own.p_sampling
    assert (own.low, own.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert (own.n, own.draws, own.reason) == (N, R, None)


def test_shared_weights_make_t_count_for_less() -> None:
    plain, shared = excess(samples()).nfd_variance(), excess(samples(), rho=1 / 9).nfd_variance()
    assert plain.t is not None and shared.t == plain.t
    factor = np.sqrt((8 / 9) / (1 + (N - 1) / 9))
    assert shared.p_chance == pytest.approx(2 * stats.t.sf(abs(plain.t) * factor, N - 1), rel=1e-9)
    assert shared.p_chance > shared.p_sampling == plain.p_sampling
    assert (shared.low, shared.high) == (plain.low, plain.high)


def test_variance_is_a_mean_over_matrices_that_all_networks_have() -> None:
    found = samples()
    kept = excess(found).variance_by_seed(of_kind("qkv"))
    assert kept[0] == pytest.approx(by_hand(found, lambda one: one.nfd_variance[[0, 2]].mean())[0])
    gone = replace(found[0].nulls["shuffled"][1].figures, nfd_variance=np.array([0.01, np.nan, 0.01]))
    broken = found[0].nulls["shuffled"]
    found[0].nulls["shuffled"] = (broken[0], mfa.Draw(gone), *broken[2:])
    over_all = excess(found).variance_by_seed()
    assert over_all[0] == pytest.approx(by_hand(found, lambda one: one.nfd_variance[[0, 2]].mean())[0])
    assert excess(found).nfd_variance(of_kind("dense")).reason == "no_spectrum"


def test_a_draw_without_a_spectrum_takes_the_excess_away() -> None:
    found = samples()
    found[2].nulls["shuffled"] = (*found[2].nulls["shuffled"][:-1], mfa.Draw(None, "why"))
    own = excess(found).of(lambda one: one.alpha0)
    assert (own.value, own.reason, own.n, own.draws) == (None, "no_spectrum", N, R)
    starts = {"widths_0": [0.4] * N, "alpha0s_0": [2.1] * N}
    assert excess(found).emergence(**starts).reason == "no_spectrum"
    assert terms_of(found, [(2.1, 0.4)] * N) is None


def test_too_few_samples_have_a_value_only() -> None:
    own = excess(samples(n=2)).of(lambda one: one.alpha0)
    assert own.value is not None and own.reason == "few_samples"
    assert (own.low, own.se, own.t, own.p_sampling, own.p_chance) == (None,) * 5


def test_whole_layers_have_no_chance() -> None:
    own = excess(samples(), whole=True).of(lambda one: one.alpha0)
    assert own.p_sampling is not None and own.p_chance is None and own.reason == "whole_layer"


def test_excess_of_emergence_is_jackknifed() -> None:
    found, draw = samples(), np.random.default_rng(9)
    widths_0, alpha0s_0 = draw.normal(0.4, 0.01, N), draw.normal(2.3, 0.01, N)

    def value(chosen: list[int]) -> float:
        def e(networks: list[mfa.Figures]) -> float:
            return emergence(
                width_t=np.mean([one.width for one in networks]),
                width_0=widths_0[chosen].mean(),
                alpha0_t=np.mean([one.alpha0 for one in networks]),
                alpha0_0=alpha0s_0[chosen].mean(),
            )

        nulls = [[found[k].nulls["shuffled"][r].figures for k in chosen] for r in range(R)]
        return e([found[k].real.figures for k in chosen]) - np.mean([e(one) for one in nulls])

    own = excess(found).emergence(widths_0=widths_0.tolist(), alpha0s_0=alpha0s_0.tolist())
    everyone = list(range(N))
    without = np.array([value([k for k in everyone if k != left]) for left in everyone])
    assert own.value == pytest.approx(value(everyone), rel=1e-12)
    assert own.se == pytest.approx(np.sqrt((N - 1) / N * np.sum((without - without.mean()) ** 2)), rel=1e-9)
    alone = excess(samples(n=2)).emergence(widths_0=[0.4] * 2, alpha0s_0=[2.1] * 2)
    assert alone.value is not None and alone.reason == "few_samples"
    undefined = excess(found).emergence(widths_0=[0.0] * N, alpha0s_0=[2.1] * N)
    assert (undefined.value, undefined.reason) == (None, "zero_baseline_width")


def test_terms_add_up_to_the_change() -> None:
    found, start = samples(), [(2.3, 0.4)] * N
    terms = terms_of(found, start)
    real = [one.real.figures for one in found]
    changes = {
        "alpha0": np.mean([one.alpha0 for one in real]) - 2.3,
        "width": np.mean([one.width for one in real]) - 0.4,
        "emergence": emergence(
            width_t=np.mean([one.width for one in real]),
            width_0=0.4,
            alpha0_t=np.mean([one.alpha0 for one in real]),
            alpha0_0=2.3,
        ),
    }
    assert list(terms) == list(changes)
    for name, change in changes.items():
        parts = (terms[name].scale, terms[name].distribution, terms[name].arrangement)
        assert sum(part.value for part in parts) == pytest.approx(change, rel=1e-9)
        assert all(part.low < part.value < part.high for part in parts)
    own = excess(found).of(lambda one: one.alpha0)
    arrangement = terms["alpha0"].arrangement
    assert (arrangement.value, arrangement.low) == pytest.approx((own.value, own.low), rel=1e-9)


def test_terms_without_emergence_or_intervals() -> None:
    assert list(terms_of(samples(), [(2.3, 0.0)] * N)) == ["alpha0", "width"]
    assert terms_of(samples(n=2), [(2.3, 0.4)] * 2)["width"].scale.low is None


def drawn(network: SNIN, *, source: float, target: float) -> SNIN:
    parts = (StoredPart(slice(None), target),)
    links = tuple(
        link if link.weights is None else replace(link, source_share=source, parts=parts)
        for link in network.links
    )
    return replace(network, links=links)


def test_what_seeds_share() -> None:
    network = transformer(blocks=1, nodes=8, std_in=0.1, std_out=0.1)
    assert shared_weights(drawn(network, source=0.5, target=0.5), draws=8) == pytest.approx(1 / 9)
    assert not is_whole(drawn(network, source=1.0, target=0.5))
    assert is_whole(network) and shared_weights(network, draws=1) == 0.5
    fused = network_of([np.ones((9, 4))])
    parts = (StoredPart(slice(0, 3), 1.0), StoredPart(slice(3, 9), 0.5))
    fused = replace(fused, links=(replace(fused.links[0], parts=parts, source_share=0.4),))
    assert shared_weights(fused, draws=1) == pytest.approx(0.4 * (3 * 1.0 + 6 * 0.25) / 9 / 2)
    assert not is_whole(fused)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_the_correlation_of_seeds_in_random_weights_is_rho(share) -> None:
    """What two samples of one random matrix have in common, by simulation."""
    draw = np.random.default_rng(5)
    size, taken, draws = 48, round(48 * share), 8
    products, squares = [], []
    for _ in range(300):
        weights = draw.normal(size=(size, size))
        values = []
        for _ in range(2):
            rows, columns = (draw.choice(size, taken, replace=False) for _ in range(2))
            own = weights[np.ix_(rows, columns)] ** 2
            nulls = [draw.permutation(own.ravel()).reshape(own.shape) for _ in range(draws)]
            values.append(own.mean(axis=0).var() - np.mean([one.mean(axis=0).var() for one in nulls]))
        products.append(values[0] * values[1])
        squares.append(np.square(values).mean())
    expected = draws / (draws + 1) * share**3
    assert np.mean(products) / np.mean(squares) == pytest.approx(expected, abs=0.12)

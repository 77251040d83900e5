"""Identities I1 to I11 of docs/method.md section 9, on random networks and masses."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from neuromfa import mfa
from neuromfa.mfa import partition
from neuromfa.mfa.distance import RangeRule, count_radii
from neuromfa.mfa.exponent import mass_exponent, slopes
from neuromfa.mfa.partition import grow_boxes, partition_function
from neuromfa.options import AnalysisOptions

from .networks import network_of, transformer

CLOSE = 1e-12
Q = np.array([k / 10 for k in range(-30, 31)])
EXACT, PAPER = AnalysisOptions(min_edges=0), AnalysisOptions(min_edges=0, profile="paper")


def steps(*, n: int = 8, m: int = 6) -> st.SearchStrategy[np.ndarray]:
    """Masses of up to n nodes at m radii: non-negative steps, one at least somewhere, from 1 on."""
    shapes = st.tuples(st.integers(1, n), st.just(m))
    return arrays.arrays(np.int64, shapes, elements=st.integers(0, 30)).map(
        lambda drawn: 1 + np.cumsum(drawn + np.eye(1, m, m - 1, dtype=np.int64), axis=1)
    )


RADII = np.array([2, 3, 7, 20, 60, 150])


@pytest.fixture(params=["pairs", "nodes"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which Z is summed."""
    if request.param == "nodes":
        monkeypatch.setattr(partition, "LARGEST_PAIR_TABLE", 0)
    return request.param


def random_network(seed: int, *, std: float = 0.03, heavy: bool = True) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return std * (draw.standard_t(3, (25, 12)) if heavy else draw.normal(size=(25, 12)))


@given(steps())
def test_i1_at_the_largest_radius_every_node_counts_once(masses: np.ndarray) -> None:
    log_z = partition_function(masses, q=Q).log_z
    np.testing.assert_allclose(log_z[:, -1], np.log(len(masses)), rtol=0, atol=CLOSE)


@given(steps())
def test_i2_q_0_counts_nodes(masses: np.ndarray) -> None:
    found = partition_function(masses, q=Q)
    np.testing.assert_allclose(found.log_z[30], np.log(len(masses)), rtol=0, atol=CLOSE)
    tau = mass_exponent(found.log_z, radii=RADII)
    assert tau[30] == pytest.approx(0.0, abs=CLOSE)


@pytest.mark.parametrize("options", [EXACT, PAPER])
@pytest.mark.parametrize("seed", range(5))
def test_i2_f_is_largest_at_q_0_and_0_there(options: AnalysisOptions, seed: int) -> None:
    found = mfa.measure(network_of([random_network(seed)]), options)
    at_zero = found.alpha_q.tolist().index(0.0)
    assert found.f[at_zero] == pytest.approx(0.0, abs=CLOSE)
    if "non_concave_tau" not in found.flags:
        assert found.f.max() == pytest.approx(0.0, abs=CLOSE)


@pytest.mark.parametrize("grid", ["union", "fixed"])
@pytest.mark.parametrize("seed", range(5))
def test_i3_the_sign_of_tau_is_the_sign_of_q(seed: int, grid) -> None:
    found = mfa.measure(network_of([random_network(seed)]), replace(EXACT, grid=grid))
    np.testing.assert_array_equal(np.sign(np.round(found.tau, 12)), np.sign(found.q))


@given(steps())
def test_i4_ln_z_is_convex_in_q(masses: np.ndarray) -> None:
    log_z = partition_function(masses, q=Q).log_z
    assert (np.diff(log_z, n=2, axis=0) >= -CLOSE).all()


@pytest.mark.parametrize("seed", range(5))
def test_i5_f_is_0_at_both_candidates_for_alpha0(seed: int) -> None:
    found = mfa.measure(network_of([random_network(seed)]), PAPER)
    tie = dict(zip(found.alpha_q.tolist(), found.alpha, strict=True))
    assert found.alpha0_tie == (tie[0.0], tie[-0.1])
    f = dict(zip(found.alpha_q.tolist(), found.f, strict=True))
    assert (f[0.0], f[-0.1]) == pytest.approx((0.0, 0.0), abs=CLOSE)
    low, high = sorted(found.alpha0_tie)
    assert low <= found.alpha0 <= high


@pytest.mark.parametrize("options", [EXACT, PAPER])
@pytest.mark.parametrize("seed", range(8))
def test_i6_concave_tau_means_f_below_0_and_falling_alpha(options: AnalysisOptions, seed: int) -> None:
    found = mfa.measure(network_of([random_network(seed, heavy=seed % 2 == 0)]), options)
    concave = bool((np.diff(found.tau, n=2) <= CLOSE).all())
    if concave:
        assert (found.f <= 1e-10).all() and (np.diff(found.alpha) <= 1e-10).all()
        assert "non_concave_tau" not in found.flags
    else:
        assert "non_concave_tau" in found.flags


@pytest.mark.parametrize("options", [EXACT, PAPER, replace(EXACT, grid="fixed")])
def test_i7_alpha0_is_the_mean_node_dimension(options: AnalysisOptions) -> None:
    found = mfa.measure(transformer(blocks=2, nodes=16, std_in=0.02, std_out=0.03), options)
    nfd = np.concatenate(found.measures.nfd)
    assert np.count_nonzero(~np.isnan(nfd)) == found.nodes_kept
    assert np.nanmean(nfd) == pytest.approx(found.alpha0, abs=CLOSE)


@given(steps())
def test_i8_alpha_is_the_derivative_of_tau(masses: np.ndarray) -> None:
    def tau(q: float) -> mpmath.mpf:
        x = [mpmath.log(mpmath.mpf(int(r)) / 150) for r in RADII]
        y = [
            mpmath.log(
                sum(
                    (mpmath.mpf(int(n)) / int(last)) ** q
                    for n, last in zip(column, masses[:, -1], strict=True)
                )
            )
            for column in masses.T
        ]
        mean = sum(x) / len(x)
        return sum((a - mean) * b for a, b in zip(x, y, strict=True)) / sum((a - mean) ** 2 for a in x)

    closed_form = slopes(partition_function(masses, q=Q).mean_log_mu, radii=RADII)
    with mpmath.workdps(40):
        for k in (0, 25, 30, 47, 60):
            step = mpmath.mpf(10) ** -12
            numerical = (tau(mpmath.mpf(Q[k]) + step) - tau(mpmath.mpf(Q[k]) - step)) / (2 * step)
            assert closed_form[k] == pytest.approx(float(numerical), abs=CLOSE)


@given(st.integers(0, 1000), st.sampled_from(["exact", "paper"]))
def test_i9_the_order_of_neurons_does_not_matter(seed: int, profile) -> None:
    draw = np.random.default_rng(seed)
    first, second = random_network(seed), random_network(seed + 1)[:, np.arange(25) % 12]
    there, here = draw.permutation(25), draw.permutation(12)
    options = replace(EXACT, profile=profile)
    before = mfa.measure(network_of([first, second]), options)
    after = mfa.measure(network_of([first[np.ix_(there, here)], second[:, there]]), options)
    np.testing.assert_array_equal(after.tau, before.tau)
    np.testing.assert_array_equal(after.measures.nfd[0], before.measures.nfd[0][here])
    np.testing.assert_array_equal(after.measures.nfd_own[1], before.measures.nfd_own[1][there])
    assert (after.alpha0, after.width, after.dropped) == (before.alpha0, before.width, before.dropped)


@given(steps(), st.integers(2, 5))
def test_i9_repeating_every_node_changes_nothing(masses: np.ndarray, times: int) -> None:
    once, often = partition_function(masses, q=Q), partition_function(np.repeat(masses, times, axis=0), q=Q)
    np.testing.assert_allclose(
        mass_exponent(often.log_z, radii=RADII), mass_exponent(once.log_z, radii=RADII), rtol=0, atol=CLOSE
    )
    np.testing.assert_allclose(often.mean_log_mu, once.mean_log_mu, rtol=0, atol=CLOSE)


@given(st.integers(0, 1000), st.sampled_from([0.25, 0.5, 2.0, 64.0]), st.sampled_from([0.0, 1.0]))
def test_i10_scaling_weights_range_cut_and_unit_together(seed: int, c: float, shortest: float) -> None:
    weights = random_network(seed, std=0.2)
    rule = RangeRule(longest=150.0, shortest=shortest)
    scaled = RangeRule(longest=150.0 / c, shortest=shortest / c, unit=1.0 / c)
    before = count_radii(network_of([weights]), scale=1.0, rule=rule)
    after = count_radii(network_of([weights * c]), scale=1.0, rule=scaled)
    np.testing.assert_array_equal(after.counts, before.counts)
    assert after.tally == before.tally


def test_i10_scaling_weights_and_lambda_together() -> None:
    weights = random_network(1)
    before = mfa.measure(network_of([weights]), EXACT)
    after = mfa.measure(network_of([weights * 8]), replace(EXACT, scale=8.0))
    np.testing.assert_array_equal(after.tau, before.tau)


def test_scaling_weights_alone_is_not_neutral() -> None:
    """What weight scaling does: distances shrink, radii change, alpha0 with them; shape alone does not make E."""
    weights = random_network(1, heavy=False, std=0.01)
    before = mfa.measure(network_of([weights]), EXACT)
    after = mfa.measure(network_of([weights * 2]), EXACT)
    assert abs(after.alpha0 - before.alpha0) > 0.1
    assert after.radii[0] <= (before.radii[0] + 1) // 2 + 1


@pytest.mark.parametrize("sign", [1, -1])
@settings(max_examples=30)
@given(masses=steps())
def test_i11_tau_over_q_at_large_q(sign: int, masses: np.ndarray) -> None:
    q = np.array([sign * 1000.0])
    tau = mass_exponent(partition_function(masses, q=q).log_z, radii=RADII)
    log_mu = np.log(masses / masses[:, -1:])
    extreme = log_mu.max(axis=0) if sign > 0 else log_mu.min(axis=0)
    limit = slopes(extreme[np.newaxis], radii=RADII)[0]
    assert tau[0] / q[0] == pytest.approx(limit, abs=0.02)


@settings(max_examples=25)
@given(masses=steps(n=5), moments=st.lists(st.floats(-20, 20), min_size=1, max_size=4))
def test_moments_up_to_20_against_mpmath(masses: np.ndarray, moments: list[float]) -> None:
    assert_equals_mpmath(masses, np.array(moments))


@settings(max_examples=25)
@given(masses=steps(n=5), moments=st.lists(st.sampled_from([-1000.0, -20.5, 20.0001, 333.0]), min_size=1))
def test_larger_moments_by_log_sum_exp(masses: np.ndarray, moments: list[float]) -> None:
    assert_equals_mpmath(masses, np.array(moments))


def test_even_grid_up_to_20(way: str) -> None:
    masses = np.cumsum(np.random.default_rng(0).integers(1, 9, (6, 6)), axis=1)
    assert_equals_mpmath(masses, np.arange(-40, 41) / 2)


def test_moments_beyond_20_hold_at_once_with_small_ones(way: str) -> None:
    masses = np.cumsum(np.random.default_rng(1).integers(1, 9, (40, 6)), axis=1)
    together = partition_function(masses, q=np.array([-700.0, -1.0, 0.0, 1.0, 700.0]))
    for k, q in enumerate((-700.0, -1.0, 0.0, 1.0, 700.0)):
        alone = partition_function(masses, q=np.array([q]))
        np.testing.assert_allclose(together.log_z[k], alone.log_z[0], rtol=1e-14)
    assert np.isfinite(together.log_z).all() and np.isfinite(together.mean_log_mu).all()


def assert_equals_mpmath(masses: np.ndarray, q: np.ndarray) -> None:
    found = partition_function(masses, q=q)
    with mpmath.workdps(60):
        for k, moment in enumerate(q.tolist()):
            for j, column in enumerate(masses.T):
                mu = [mpmath.mpf(int(n)) / int(last) for n, last in zip(column, masses[:, -1], strict=True)]
                z = sum(m**moment for m in mu)
                mean = sum(m**moment * mpmath.log(m) for m in mu) / z
                assert found.log_z[k, j] == pytest.approx(float(mpmath.log(z)), rel=1e-13, abs=CLOSE)
                assert found.mean_log_mu[k, j] == pytest.approx(float(mean), rel=1e-12, abs=CLOSE)


@settings(max_examples=20)
@given(steps(n=30))
def test_both_ways_of_summing_agree(masses: np.ndarray) -> None:
    by_pairs = partition_function(masses, q=Q)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "LARGEST_PAIR_TABLE", 0)
        by_nodes = partition_function(masses, q=Q)
    np.testing.assert_allclose(by_nodes.log_z, by_pairs.log_z, rtol=0, atol=CLOSE)
    np.testing.assert_allclose(by_nodes.mean_log_mu, by_pairs.mean_log_mu, rtol=0, atol=CLOSE)


def test_masses_grow_and_end_at_the_number_of_edges() -> None:
    counts = count_radii(network_of([random_network(0)]), scale=1.0, rule=RangeRule(longest=150.0))
    table = grow_boxes(counts, grid="union", longest=150.0, min_edges=0)
    assert (np.diff(table.masses.astype(int), axis=1) >= 0).all()
    np.testing.assert_array_equal(table.masses[:, -1], 1 + counts.counts.sum(axis=1))

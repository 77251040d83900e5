"""Plain measures of matrices: against decompositions in float64, planted spectra and distributions in closed form."""

import numpy as np
import pytest
from scipy import stats

from neuromfa.mfa.matrix_measures import (
    UNMOVED_BY_REWIRING,
    UNMOVED_BY_SHUFFLING,
    effective_rank,
    gini,
    plain_measures,
    singular_values,
)
from neuromfa.mfa.nulls import rewired, shuffled
from neuromfa.mfa.power_tail import power_tail

NORMAL = np.random.default_rng(7).normal(0.0, 0.02, (96, 256)).astype(np.float32)


def decomposed(weights):
    return np.linalg.svd(weights.astype(np.float64), compute_uv=False)


@pytest.mark.parametrize("shape", [(96, 256), (256, 96), (128, 128), (1, 40), (40, 1)])
def test_the_gram_way_gives_the_singular_values_of_a_decomposition(shape) -> None:
    weights = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    s, exact = singular_values(weights), decomposed(weights)
    np.testing.assert_allclose(s**2, exact**2, atol=3e-6 * exact[0] ** 2)
    assert effective_rank(s**2) == pytest.approx(effective_rank(exact**2), rel=1e-6)


def test_measures_are_those_of_the_plain_formulas() -> None:
    found, s = plain_measures(NORMAL), decomposed(NORMAL)
    wide = NORMAL.astype(np.float64)
    rms = np.sqrt(np.mean(wide**2))
    assert found.rms == pytest.approx(rms, rel=1e-12)
    assert found.spectral_norm == pytest.approx(s[0], rel=1e-6)
    assert found.stable_rank == pytest.approx((s**2).sum() / s[0] ** 2, rel=1e-6)
    assert found.kurtosis == pytest.approx(stats.kurtosis(wide, axis=None), rel=1e-9)
    for axis, name in ((0, "cv_source_norms"), (1, "cv_target_norms")):
        assert getattr(found, name) == pytest.approx(
            stats.variation(np.linalg.norm(wide, axis=axis)), rel=1e-9
        )
    assert found.gini_strength == pytest.approx(gini_of_pairs(np.abs(wide).sum(axis=0)), rel=1e-9)
    assert found.max_over_rms == pytest.approx(np.abs(wide).max() / rms, rel=1e-12)
    assert found.mp_outliers == 0


def gini_of_pairs(values):
    """Mean difference of all pairs over twice the mean."""
    return np.abs(np.subtract.outer(values, values)).mean() / (2 * values.mean())


@pytest.mark.parametrize(("values", "expected"), [([1, 1, 1, 1], 0.0), ([0, 0, 0, 1], 0.75), ([1, 3], 0.25)])
def test_gini_by_hand(values, expected) -> None:
    assert gini(np.array(values, dtype=float)) == pytest.approx(expected)


@pytest.mark.parametrize("planted", [1, 3])
def test_planted_directions_stand_out_of_the_bulk(planted) -> None:
    draw = np.random.default_rng(planted)
    left, _ = np.linalg.qr(draw.normal(size=(96, planted)))
    right, _ = np.linalg.qr(draw.normal(size=(256, planted)))
    spiked = NORMAL + 2 * decomposed(NORMAL)[0] * (left @ right.T).astype(np.float32)
    found = plain_measures(spiked)
    assert found.mp_outliers == planted
    assert plain_measures(shuffled(spiked, draw)).mp_outliers == 0


def test_a_mean_is_no_outlier() -> None:
    shifted = NORMAL + np.float32(0.02)
    assert decomposed(shifted)[0] > 2 * decomposed(NORMAL)[0]
    assert plain_measures(shifted).mp_outliers == plain_measures(NORMAL).mp_outliers == 0


@pytest.mark.parametrize(
    ("dtype", "factor"), [(np.float64, 1e200), (np.float64, 1e-200), (np.float32, 1e-36), (np.float16, 1.0)]
)
def test_scale_and_number_format_move_no_shape(dtype, factor) -> None:
    found = plain_measures(NORMAL.astype(dtype) * dtype(factor))
    plain = plain_measures(NORMAL)
    for name in ("stable_rank", "effective_rank", "gini_strength", "cv_source_norms"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=2e-4)


def test_a_constant_matrix_has_no_bulk_to_stand_out_of() -> None:
    found = plain_measures(np.full((8, 8), 0.5))
    assert found.mp_outliers is None and found.kurtosis is None and found.tail_exponent is None
    assert found.stable_rank == pytest.approx(1.0) and found.gini_strength == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("null", "unmoved"), [(shuffled, UNMOVED_BY_SHUFFLING), (rewired, UNMOVED_BY_REWIRING)]
)
def test_what_is_called_unmoved_by_a_null_is_so(null, unmoved) -> None:
    scaled = NORMAL * np.linspace(0.5, 2.0, 256, dtype=np.float32)
    real, moved = plain_measures(scaled), plain_measures(null(scaled, np.random.default_rng(3)))
    for name in ("rms", "kurtosis", "max_over_rms", "cv_source_norms", "gini_strength", "cv_target_norms"):
        same = getattr(moved, name) == pytest.approx(getattr(real, name), rel=1e-12)
        assert same == (name in unmoved), name


@pytest.mark.parametrize("exponent", [1.8, 2.5, 4.0])
def test_a_power_law_is_recovered(exponent) -> None:
    values = stats.pareto.rvs(exponent - 1, size=3000, random_state=5)
    found = power_tail(values)
    assert found is not None and found.n >= 500
    assert found.exponent == pytest.approx(exponent, abs=3 * (exponent - 1) / np.sqrt(found.n))


def test_the_tail_begins_where_the_power_law_does() -> None:
    draw = np.random.default_rng(2)
    bulk, tail = draw.uniform(0.0, 10.0, 2000), 10.0 * (1.0 + draw.pareto(1.5, 400))
    found = power_tail(np.concatenate([bulk, tail]))
    assert found is not None
    assert 300 <= found.n <= 700 and found.exponent == pytest.approx(2.5, abs=0.25)


def test_the_fit_is_the_one_that_plain_loops_find() -> None:
    values = np.round(np.random.default_rng(9).lognormal(size=60), 2)
    best = min(one for x in np.unique(values)[:-1] if (one := by_loops(values, x))[0] is not None)
    found = power_tail(values)
    assert found is not None
    assert (found.ks, found.exponent, found.n) == pytest.approx(best)


def by_loops(values, x_min):
    tail = sorted(x for x in values if x >= x_min)
    n = len(tail)
    exponent = 1 + n / sum(np.log(x / x_min) for x in tail)
    fitted = [1 - (x / x_min) ** (1 - exponent) for x in tail]
    apart = [max(abs(f - k / n), abs((k + 1) / n - f)) for k, f in enumerate(fitted)]
    return max(apart), exponent, n


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [2.0, 2.0, 2.0]])
def test_equal_values_have_no_tail(values) -> None:
    assert power_tail(np.array(values, dtype=float)) is None

"""The sandbox method and box counting: closed forms, and the identity with NeuroMFA's own exponent."""

import numpy as np
import pytest

from neuromfa.errors import AnalysisError, TooFewRadii
from neuromfa.mfa.exponent import mass_exponent
from neuromfa.mfa.partition import partition_function
from neuromfa.mfa.sandbox import box_counted_exponent, sandbox_exponent

Q = np.arange(-30, 31) / 10


def cascade(weights: list[float], depth: int) -> np.ndarray:
    """A multiplicative cascade: every cell is divided among as many cells as there are weights."""
    measure = np.ones(1)
    for _ in range(depth):
        measure = np.kron(measure, weights)
    return measure


class TestSandbox:
    def test_masses_that_grow_alike_have_one_dimension(self):
        radii = 2 ** np.arange(6)
        masses = np.tile(radii.astype(float) ** 1.7, (5, 1))
        np.testing.assert_allclose(
            sandbox_exponent(masses, radii=radii, n_total=500, q=Q), 1.7 * (Q - 1), atol=1e-12
        )

    def test_by_hand(self):
        # Two centres, masses 1 and 2 at r = 1, 4 and 4 at r = 2, N = 8: at q = 3 the mean of squares is 5/2 and 16.
        masses = np.array([[1, 4], [2, 4]])
        found = sandbox_exponent(masses, radii=np.array([1, 2]), n_total=8, q=np.array([3.0, 1.0, 0.0]))
        expected = [np.log2(16 / 2.5), 0.0, np.log2((1 / 4) / (3 / 4))]
        np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_the_size_of_the_graph_drops_out_of_the_slope(self):
        masses = np.random.default_rng(0).integers(1, 5, (9, 4)).cumsum(axis=1)
        left = sandbox_exponent(masses, radii=np.array([1, 2, 4, 8]), n_total=50, q=Q)
        right = sandbox_exponent(masses, radii=np.array([1, 2, 4, 8]), n_total=5000, q=Q)
        np.testing.assert_allclose(left, right, atol=1e-12)

    def test_identity_with_tau_where_all_last_masses_are_equal(self):
        masses = np.random.default_rng(1).integers(1, 9, (40, 6)).cumsum(axis=1)
        masses[:, -1] = 60
        radii = np.array([1, 2, 3, 5, 8, 13])
        tau = mass_exponent(partition_function(masses, q=Q).log_z, radii=radii)
        np.testing.assert_allclose(
            tau, sandbox_exponent(masses, radii=radii, n_total=99, q=Q + 1), atol=1e-12
        )

    def test_identity_fails_where_they_are_not(self):
        masses = np.array([[1, 2], [1, 8]])
        radii = np.array([1, 2])
        tau = mass_exponent(partition_function(masses, q=Q).log_z, radii=radii)
        assert np.abs(tau - sandbox_exponent(masses, radii=radii, n_total=9, q=Q + 1)).max() > 0.1

    def test_large_moments_do_not_overflow(self):
        masses = np.array([[1.0, 1e6], [10.0, 1e6]])
        found = sandbox_exponent(masses, radii=np.array([1, 10]), n_total=10**6, q=np.array([-500.0, 500.0]))
        assert np.isfinite(found).all()

    def test_refused(self):
        for mass in (0, -1):
            with pytest.raises(AnalysisError, match="a mass is 0 or less"):
                sandbox_exponent(np.array([[mass, 1]]), radii=np.array([1, 2]), n_total=4, q=Q)
        with pytest.raises(TooFewRadii, match="two radii or levels, not 1"):
            sandbox_exponent(np.array([[1]]), radii=np.array([1]), n_total=4, q=Q)


class TestBoxCounting:
    def test_cantor_measure(self):
        found = box_counted_exponent(cascade([1, 0, 2], 7), base=3, q=Q)
        expected = np.log((1 / 3) ** Q + (2 / 3) ** Q) / np.log(1 / 3)
        np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_a_uniform_measure_has_dimension_one(self):
        np.testing.assert_allclose(box_counted_exponent(np.ones(64), base=2, q=Q), Q - 1, atol=1e-12)

    def test_a_whole_that_does_not_sum_to_one(self):
        measure = cascade([0.2, 0.8], 5)
        left, right = (box_counted_exponent(m, base=2, q=Q) for m in (measure, 7.0 * measure))
        np.testing.assert_allclose(left, right, atol=1e-12)
        np.testing.assert_allclose(left, -np.log2(0.2**Q + 0.8**Q), atol=1e-12)

    def test_refused(self):
        with pytest.raises(AnalysisError, match="6 cells do not divide into boxes of 2"):
            box_counted_exponent(np.ones(6), base=2, q=Q)
        with pytest.raises(AnalysisError, match="5 cells do not divide into boxes of 2"):
            box_counted_exponent(np.ones(5), base=2, q=Q)
        for measure in (np.zeros(8), -np.ones(8), np.array([1.0, -0.5])):
            with pytest.raises(AnalysisError, match="no negative cell and some mass"):
                box_counted_exponent(measure, base=2, q=Q)
        with pytest.raises(TooFewRadii, match="not 1"):
            box_counted_exponent(np.ones(1), base=2, q=Q)
        assert box_counted_exponent(np.ones(2), base=2, q=np.array([2.0])) == pytest.approx([1.0])

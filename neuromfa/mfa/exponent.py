"""Algorithm 3, Eq. 6: the mass exponent tau(q), a least-squares slope of ln Z(q, r) on ln(r / L)."""

import numpy as np

from neuromfa.network import FloatArray, IntArray

# Below this spread ln Z is constant up to rounding, and there is no variance to explain.
CONSTANT = 1e-12


def log_radii(radii: IntArray | FloatArray) -> FloatArray:
    """Return x_k = ln(r_k / L), L the last radius."""
    x: FloatArray = np.log(radii / radii[-1])
    return x


def slope_weights(radii: IntArray | FloatArray) -> FloatArray:
    """Return c_k = (x_k - mean x) / sum (x - mean x)^2, with which a least-squares slope is sum_k c_k y_k."""
    x = log_radii(radii)
    centred = x - x.mean()
    weights: FloatArray = centred / np.sum(np.square(centred))
    return weights


def mass_exponent(log_z: FloatArray, *, radii: IntArray | FloatArray) -> FloatArray:
    """Return tau(q) = slope of ln Z(q, r) on ln(r / L) over all radii (paper, Eq. 6).

    Parameters
    ----------
    log_z : float64 array of shape (n_q, m)
    radii : array of shape (m,), ascending, at least two

    Returns
    -------
    tau : float64 array of shape (n_q,), mass exponents
    """
    return slopes(log_z, radii=radii)


def slopes(values: FloatArray, *, radii: IntArray | FloatArray) -> FloatArray:
    """Return the least-squares slope on ln r of every row of `values`, (n, m), summed in a fixed order."""
    return weighted_sums(values, slope_weights(radii))


def weighted_sums(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the slope of every row of `values`, (n, m), by what `slope_weights` gave."""
    found: FloatArray = np.einsum("nk,k->n", values, weights)
    return found


def r_squared(log_z: FloatArray, *, radii: IntArray | FloatArray) -> list[float | None]:
    """Return R2 of the line through each row of ln Z, shape (n_q, m); None where ln Z is constant."""
    x = log_radii(radii)
    centred_x, centred = x - x.mean(), log_z - log_z.mean(axis=1, keepdims=True)
    residual = centred - np.outer(slopes(log_z, radii=radii), centred_x)
    left, total = np.sum(np.square(residual), axis=1), np.sum(np.square(centred), axis=1)
    constant = np.abs(centred).max(axis=1) < CONSTANT
    shares = 1.0 - left / np.where(constant, 1.0, total)
    return [None if flat else float(share) for flat, share in zip(constant, shares, strict=True)]

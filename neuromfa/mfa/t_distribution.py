"""Student's t: quantiles and two-sided p.

scipy's functions take a tenth of a second to load: for those who test, not for those who read what is stored.
"""


def t_quantile(share: float, df: float) -> float:
    """Return the quantile of Student's t with `df` degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(df, share))


def t_two_sided(t: float, df: float) -> float:
    """Return the two-sided p of `t` with `df` degrees of freedom."""
    from scipy.special import stdtr

    return float(2.0 * stdtr(df, -abs(t)))

"""Records of the plain measures of weight matrices (ours): what stands beside the multifractal figures.

Field names are the JSON names of every output, as in `results`, whose records these stand in.
"""

from dataclasses import dataclass, field

from neuromfa.declared import DOCUMENTED


@dataclass(frozen=True)
class MatrixFigure:
    """A measure of whole stored parts, beside that of the same parts without their arrangement."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """Of the weights as they are; null where no part has one."""
    shuffled: float | None
    """Of the same parts with their entries in random order."""
    rewired: float | None
    """Of the same parts with the entries of each source in random order; null where that can change nothing."""
    n: int = 1
    """Parts that have a value, of which it is the mean."""


@dataclass(frozen=True, kw_only=True)
class MatrixFigures:
    """The plain measures of a part, or their means over the parts of a kind; s are the singular values."""

    __pydantic_config__ = DOCUMENTED

    rms: MatrixFigure
    """Root mean square of the entries."""
    spectral_norm: MatrixFigure
    """The largest s."""
    stable_rank: MatrixFigure
    """Sum of s^2 over the largest s^2."""
    effective_rank: MatrixFigure
    """exp(H), H being the entropy of the shares of s^2."""
    mp_outliers: MatrixFigure
    """Singular values of the centred part above 1.02 (sqrt m + sqrt n) times its standard deviation."""
    tail_exponent: MatrixFigure
    """Exponent of the power law of the tail of s^2 (Clauset, Shalizi and Newman); null below 50 values in the tail."""
    tail_n: MatrixFigure
    """How many s^2 lie in that tail."""
    tail_ks: MatrixFigure
    """Kolmogorov-Smirnov distance of the tail from its power law."""
    kurtosis: MatrixFigure
    """Excess kurtosis of the entries: 0 where they are normal."""
    cv_source_norms: MatrixFigure
    """Standard deviation over mean of the norms of the sources (outgoing weights)."""
    cv_target_norms: MatrixFigure
    """The same of the targets (incoming weights)."""
    gini_strength: MatrixFigure
    """Gini coefficient of the outgoing strengths, sums of |w|, of the sources."""
    max_over_rms: MatrixFigure
    """The largest |w| over the rms."""


@dataclass(frozen=True, kw_only=True)
class KindMatrices(MatrixFigures):
    """Means over the stored parts of one matrix kind."""

    parts: int
    """Stored parts of this kind."""
    smaller_side: float
    """Smaller of the two sides, mean over parts: the largest rank there can be."""


@dataclass(frozen=True, kw_only=True)
class PartMatrices(MatrixFigures):
    """One stored part."""

    name: str
    """Block and kinds of its targets, such as B03.query."""
    matrix: str
    """Name of the tensor, or of all tensors of its link."""
    kind: str
    """Matrix kind."""
    n_targets: int
    """Rows."""
    n_sources: int
    """Columns."""
    reason: str | None = None
    """Why its measures are missing: non_finite_weights or zero_weights."""


@dataclass(frozen=True, kw_only=True)
class Matrices:
    """Plain measures of the whole matrices of one checkpoint."""

    __pydantic_config__ = DOCUMENTED

    by_kind: dict[str, KindMatrices]
    """Means over the stored parts of each matrix kind that has any with measures."""
    parts: list[PartMatrices] = field(default_factory=list)
    """Every stored part, in the order of the network; left out of curves."""

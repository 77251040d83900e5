"""Excess over a null, paired by seed (ours), and the terms of a change.

For a measure x, a seed s and R draws of a null: e_s = x_s - mean_r x0_{s,r}. The interval over seeds speaks of these
weights under another choice of neurons. Seeds share weights, so for the question whether the weights are random, t is
multiplied by sqrt((1 - rho) / (1 + (n - 1) rho)); see `shared_weights`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from neuromfa.errors import UndefinedEmergence
from neuromfa.mfa.emergence import emergence
from neuromfa.mfa.figures import Figures, KindFigures
from neuromfa.mfa.paired_draws import PairedSample
from neuromfa.mfa.t_distribution import t_quantile, t_two_sided
from neuromfa.mfa.uncertainty import SMALLEST_SAMPLE, half_width, leave_one_out, student_t
from neuromfa.network import SNIN, BoolArray, FloatArray, Link
from neuromfa.structure import (
    FEW_SAMPLES,
    NO_SPECTRUM,
    NOT_BY_BLOCK,
    WHOLE_LAYER,
    BlockExcess,
    Excess,
    KindExcess,
    NullExcess,
    ShortExcess,
    Term,
    Terms,
)

Measure = Callable[[Figures], float]
Chosen = Callable[[Figures], BoolArray]


@dataclass(frozen=True)
class Grouping:
    """How the matrices of a network are grouped.

    Attributes
    ----------
    figures : gives the figures of every group that has kept nodes
    names : gives the group of every matrix
    """

    figures: Callable[[Figures], Mapping[str, KindFigures]]
    names: Callable[[Figures], tuple[str, ...]]


BY_KIND = Grouping(lambda one: one.by_kind, lambda one: one.kinds)
BY_BLOCK = Grouping(lambda one: one.by_block, lambda one: one.blocks)


def shared_weights(network: SNIN, *, draws: int) -> float:
    """Return rho, how much the excess of two seeds correlates in random weights, because they share entries.

    rho = R / (R + 1) times the mean over nodes of (source share) (target share)^2. It is 1/9 at 64 of 128 neurons and
    8 draws, and negligible where a thousandth of the entries is drawn.
    """
    weighted = [(_share(link), link.weights.shape[1]) for link in network.links if link.weights is not None]
    shares, nodes = np.array(weighted, dtype=np.float64).T
    return float(np.average(shares, weights=nodes)) * draws / (draws + 1)


def _share(link: Link) -> float:
    """Return (source share) (target share)^2 of one link, the latter a mean over its targets."""
    assert link.weights is not None
    rows = np.arange(link.weights.shape[0])
    sizes = [rows[part.rows].size for part in link.parts]
    squares = [part.share**2 for part in link.parts]
    return link.source_share * float(np.average(squares, weights=sizes))


def is_whole(network: SNIN) -> bool:
    """Return whether every sample of this network would hold the same weights: whole layers throughout."""
    weighted = [link for link in network.links if link.weights is not None]
    return all(
        link.source_share == 1.0 and all(part.share == 1.0 for part in link.parts) for link in weighted
    )


def statistics(value: float, se: float | None, *, n: int, draws: int, rho: float, whole: bool) -> Excess:
    """Return an excess with interval, t and both p from its standard error over `n` seeds."""
    if se is None or n < SMALLEST_SAMPLE:
        return Excess(value=value, n=n, draws=draws, reason=FEW_SAMPLES)
    half = student_t(n) * se
    t = value / se if se > 0.0 else 0.0 if value == 0.0 else None
    chance = None if whole else chance_factor(n, rho)
    return Excess(
        value=value,
        low=value - half,
        high=value + half,
        se=se,
        t=t,
        p_sampling=_two_sided(t, n),
        p_chance=None if t is None or chance is None else _two_sided(t * chance, n),
        n=n,
        draws=draws,
        reason=WHOLE_LAYER if whole else None,
    )


def chance_factor(n: int, rho: float) -> float:
    """Return what t is multiplied by, since n seeds that share weights are fewer than n."""
    return float(np.sqrt((1.0 - rho) / (1.0 + (n - 1) * rho)))


def short(excess: Excess) -> ShortExcess:
    """Return an excess in short."""
    return ShortExcess(
        value=excess.value, low=excess.low, high=excess.high, p=excess.p_chance, reason=excess.reason
    )


def quantile(share: float, n: int) -> float:
    """Return a quantile of Student's t with n - 1 degrees of freedom."""
    return t_quantile(share, n - 1)


def _two_sided(t: float | None, n: int) -> float | None:
    return None if t is None else t_two_sided(t, n - 1)


class PairedExcess:
    """The samples of one checkpoint in one view, from which every excess over one null is taken.

    Parameters
    ----------
    samples : one a seed
    null : which null
    rho, whole : see `shared_weights` and `is_whole`
    """

    def __init__(self, samples: Sequence[PairedSample], null: str, *, rho: float, whole: bool) -> None:
        self._real = [sample.real.figures for sample in samples]
        self._draws = [[draw.figures for draw in sample.nulls[null]] for sample in samples]  # type: ignore[index]
        self.n, self.draws = len(samples), len(self._draws[0])
        self._rho, self._whole = rho, whole

    def table(self, measure: Measure) -> FloatArray:
        """Return a measure of the real network and of every draw, shape (n, 1 + R); NaN where it does not exist."""
        return np.array(
            [
                [np.nan if one is None else measure(one) for one in (real, *draws)]
                for real, draws in zip(self._real, self._draws, strict=True)
            ]
        )

    def of(self, measure: Measure) -> Excess:
        """Return the excess of a measure; without a value where any network lacks it."""
        table = self.table(measure)
        return self.over_seeds(table[:, 0] - table[:, 1:].mean(axis=1))

    def nfd_variance(self, chosen: Chosen | None = None) -> Excess:
        """Return the excess of the within-matrix variance of NFD, over all matrices or those that are chosen."""
        return self.over_seeds(self.variance_by_seed(chosen))

    def variance_by_seed(self, chosen: Chosen | None = None) -> FloatArray:
        """Return, for each seed, the mean over matrices of var NFD (real) - mean_r var NFD (draw), shape (n,).

        A matrix counts where the real network and every draw keep two of its nodes; NaN without any.

        Parameters
        ----------
        chosen : tells of the figures of a network which of its matrices take part; all without it
        """
        return np.array(
            [
                np.nan
                if differences is None or real is None
                else _mean_of(differences, chosen and chosen(real))
                for real, differences in zip(self._real, self._variances, strict=True)
            ]
        )

    @cached_property
    def _variances(self) -> list[FloatArray | None]:
        """The excess of every matrix at each seed, shape (n_matrices,); None where a network has no spectrum."""
        return [_variance_excess(real, draws) for real, draws in zip(self._real, self._draws, strict=True)]

    def over_seeds(self, values: FloatArray) -> Excess:
        """Return the statistics of one value a seed."""
        if not np.isfinite(values).all():
            return Excess(value=None, n=self.n, draws=self.draws, reason=NO_SPECTRUM)
        se = float(values.std(ddof=1) / np.sqrt(self.n)) if self.n > 1 else None
        return self._statistics(float(values.mean()), se)

    def emergence(self, *, widths_0: Sequence[float], alpha0s_0: Sequence[float]) -> Excess:
        """Return E(means) - mean_r E(means of draw r) against the baseline's values, jackknifed over seeds."""
        columns = [self.table(lambda one: one.width), self.table(lambda one: one.alpha0)]
        starts = np.column_stack([widths_0, alpha0s_0])
        if not all(np.isfinite(column).all() for column in columns):
            return Excess(value=None, n=self.n, draws=self.draws, reason=NO_SPECTRUM)
        joined = np.hstack([*columns, starts])
        try:
            value = _emergence_excess(joined.mean(axis=0))
            if self.n < SMALLEST_SAMPLE:
                return self._statistics(value, None)
            replicates = np.array([_emergence_excess(means) for means in leave_one_out(joined)])
        except UndefinedEmergence as undefined:
            return Excess(value=None, n=self.n, draws=self.draws, reason=undefined.reason)
        return self._statistics(value, float(half_width(replicates)) / student_t(self.n))

    def by_matrix(self) -> dict[str, KindExcess]:
        """Return the excess of every matrix kind that has kept nodes in some sample."""
        return {kind: KindExcess(**self._group(kind, BY_KIND)) for kind in self._names(BY_KIND)}

    def by_block(self) -> dict[str, BlockExcess]:
        """Return the excess of every block that has kept nodes in some sample, by its number."""
        return {
            block: BlockExcess(**{name: short(one) for name, one in self._group(block, BY_BLOCK).items()})
            for block in sorted(self._names(BY_BLOCK), key=int)
        }

    def over_null(self, *, emergence: Excess | None) -> NullExcess:
        """Return every excess over this null, with that of E given."""
        return NullExcess(
            alpha0=self.of(lambda one: one.alpha0),
            width=self.of(lambda one: one.width),
            nfd_variance=self.nfd_variance(),
            emergence=emergence,
            by_matrix=self.by_matrix(),
            by_block=self.by_block(),
        )

    def _names(self, grouping: Grouping) -> list[str]:
        return list(
            dict.fromkeys(name for one in self._real if one is not None for name in grouping.figures(one))
        )

    def _group(self, name: str, grouping: Grouping) -> dict[str, Excess]:
        """Return the excess of every figure of one group of matrices."""

        def alpha0(one: Figures) -> float:
            own = grouping.figures(one).get(name)
            return np.nan if own is None else own.alpha0

        return {
            "alpha0": self.of(alpha0),
            "width": self._group_width(name, grouping),
            "nfd_variance": self.nfd_variance(lambda one: np.array(grouping.names(one)) == name),
        }

    def _group_width(self, name: str, grouping: Grouping) -> Excess:
        def width(one: Figures) -> float:
            own = grouping.figures(one).get(name)
            return np.nan if own is None or own.width is None else own.width

        found, groups = self.of(width), [grouping.figures(one) for one in self._real if one is not None]
        unmeasured = any(one.width is None for group in groups for one in group.values())
        return replace(found, reason=NOT_BY_BLOCK) if unmeasured else found

    def _statistics(self, value: float, se: float | None) -> Excess:
        return statistics(value, se, n=self.n, draws=self.draws, rho=self._rho, whole=self._whole)


def _variance_excess(real: Figures | None, draws: Sequence[Figures | None]) -> FloatArray | None:
    present = [one for one in draws if one is not None]
    if real is None or len(present) < len(draws):
        return None
    excess: FloatArray = real.nfd_variance - np.mean([one.nfd_variance for one in present], axis=0)
    return excess


def _mean_of(differences: FloatArray, chosen: BoolArray | None) -> float:
    known = np.isfinite(differences) if chosen is None else chosen & np.isfinite(differences)
    return float(differences[known].mean()) if known.any() else np.nan


def _emergence_excess(means: FloatArray) -> float:
    """Return E - mean_r E_r from means over seeds: widths and alpha0s of real and draws, then those of the baseline."""
    *networks, width_0, alpha0_0 = means.tolist()
    widths, alpha0s = networks[: len(networks) // 2], networks[len(networks) // 2 :]
    real, *draws = (
        emergence(width_t=width, width_0=width_0, alpha0_t=alpha0, alpha0_0=alpha0_0)
        for width, alpha0 in zip(widths, alpha0s, strict=True)
    )
    return float(real - np.mean(draws))


def terms_of(
    samples: Sequence[PairedSample], baseline: Sequence[tuple[float, float]]
) -> dict[str, Terms] | None:
    """Return scale, distribution and arrangement of the change of alpha0, width and E since the baseline.

    Parameters
    ----------
    samples : one a seed, with draws of `shuffled` and with `rescaled`
    baseline : (alpha0, width) of the baseline at the same seeds

    Returns
    -------
    terms : by figure, E left out where it does not exist; None where a network has no spectrum
    """
    networks = [[sample.nulls["rescaled"][0], *sample.nulls["shuffled"], sample.real] for sample in samples]
    if any(draw.figures is None for row in networks for draw in row):
        return None
    table = np.array(
        [
            [start, *((draw.figures.alpha0, draw.figures.width) for draw in row if draw.figures)]
            for start, row in zip(baseline, networks, strict=True)
        ]
    )
    found = {
        "alpha0": _terms(table, lambda means: _stages(means[:, 0])),
        "width": _terms(table, lambda means: _stages(means[:, 1])),
    }
    try:
        found["emergence"] = _terms(table, lambda means: _stages(_emergences(means)))
    except UndefinedEmergence:
        pass
    return found


def _stages(figures: FloatArray) -> FloatArray:
    """Return a figure at the baseline, rescaled, shuffled (mean of the draws) and real."""
    return np.array([figures[0], figures[1], figures[2:-1].mean(), figures[-1]])


def _emergences(means: FloatArray) -> FloatArray:
    """Return E of every network against the first one; `means` has columns alpha0 and width."""
    (alpha0_0, width_0), *_ = means.tolist()
    return np.array(
        [
            emergence(width_t=width, width_0=width_0, alpha0_t=alpha0, alpha0_0=alpha0_0)
            for alpha0, width in means.tolist()
        ]
    )


def _terms(table: FloatArray, stages: Callable[[FloatArray], FloatArray]) -> Terms:
    """Return the steps between the stages with their jackknife intervals; `table` has one sample a row."""
    values = np.diff(stages(table.mean(axis=0)))
    if len(table) < SMALLEST_SAMPLE:
        halves = [None] * values.size
    else:
        halves = half_width(np.array([np.diff(stages(means)) for means in leave_one_out(table)])).tolist()
    scale, distribution, arrangement = (
        Term(
            value=value,
            low=None if half is None else value - half,
            high=None if half is None else value + half,
        )
        for value, half in zip(values.tolist(), halves, strict=True)
    )
    return Terms(scale=scale, distribution=distribution, arrangement=arrangement)

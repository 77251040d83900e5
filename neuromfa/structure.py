"""Records of what weights hold beyond scale (ours): excess over paired nulls, terms of a change, verdicts.

Field names are the JSON names of every output, as in `results`, whose records these stand in.
"""

from dataclasses import dataclass, field
from typing import Literal

from neuromfa.declared import DOCUMENTED

FEW_SAMPLES, FEW_DRAWS, WHOLE_LAYER, NO_SPECTRUM = "few_samples", "few_draws", "whole_layer", "no_spectrum"
NO_NULLS, ASKED, NOT_ASKED, FEW_EDGES = "no_nulls", "asked", "not_asked", "few_edges"
NOT_BY_BLOCK = "not_by_block"

Answer = Literal["yes", "no", "undecided"]
Question = Literal["structure", "changed"]
Step = int | None


@dataclass(frozen=True, kw_only=True)
class Excess:
    """How far the real figure lies above its null's, paired by seed: the mean over seeds, with its statistics."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """Mean over seeds of real - mean over draws; for E the difference of the means over seeds."""
    low: float | None = None
    """Lower end of the 95 % interval, of these weights under another choice of neurons."""
    high: float | None = None
    """Upper end of the same."""
    se: float | None = None
    """Standard error, the noise of the null's mean included."""
    t: float | None = None
    """value / se, with n - 1 degrees of freedom."""
    p_sampling: float | None = None
    """Two-sided p under another choice of neurons of these weights."""
    p_chance: float | None = None
    """Two-sided p of random weights: seeds share weights, so t counts for less here."""
    n: int
    """Seeds."""
    draws: int
    """Draws of the null a seed."""
    reason: str | None = None
    """Why something is missing."""


@dataclass(frozen=True, kw_only=True)
class KindExcess:
    """Excess over one matrix kind."""

    __pydantic_config__ = DOCUMENTED

    alpha0: Excess
    """Of alpha0 over its kept nodes."""
    width: Excess
    """Of the width of the spectrum of these nodes."""
    nfd_variance: Excess
    """Of the variance of the node fractal dimension within its matrices."""


@dataclass(frozen=True, kw_only=True)
class ShortExcess:
    """An excess in short, since there are many; seeds and draws are those of the whole network."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """Mean over seeds of real - mean over draws."""
    low: float | None = None
    """Lower end of the 95 % interval, of these weights under another choice of neurons."""
    high: float | None = None
    """Upper end of the same."""
    p: float | None = None
    """Two-sided p of random weights; null where whole layers were taken."""
    reason: str | None = None
    """Why something is missing."""


@dataclass(frozen=True, kw_only=True)
class BlockExcess:
    """Excess over the matrices whose sources stand in one block, on the radii of the whole network."""

    __pydantic_config__ = DOCUMENTED

    alpha0: ShortExcess
    """Of alpha0 over its kept nodes."""
    width: ShortExcess
    """Of the width of the spectrum of these nodes; not measured in profile paper."""
    nfd_variance: ShortExcess
    """Of the variance of the node fractal dimension within its matrices."""


@dataclass(frozen=True, kw_only=True)
class NullExcess(KindExcess):
    """Excess over one null."""

    emergence: Excess | None
    """Of E; null without a baseline."""
    by_matrix: dict[str, KindExcess] = field(default_factory=dict)
    """The same by matrix kind; left out of curves."""
    by_block: dict[str, BlockExcess] = field(default_factory=dict)
    """In short by number of the block; left out of curves. Empty in results measured before it was kept."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """One part of a change, paired by seed."""

    __pydantic_config__ = DOCUMENTED

    value: float | None
    """Mean over seeds."""
    low: float | None
    """Lower end of the 95 % interval; null below 3 samples."""
    high: float | None
    """Upper end of the same."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Where the change of a figure since the baseline comes from; the three add up to it."""

    __pydantic_config__ = DOCUMENTED

    scale: Term
    """Of every part only the standard deviation changed: rescaled - baseline."""
    distribution: Term
    """Heavier or lighter tails: shuffled - rescaled."""
    arrangement: Term
    """Which weight stands where: real - shuffled."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One question answered by the rule with a fixed margin, in profile shape at one hop."""

    __pydantic_config__ = DOCUMENTED

    answer: Answer | None
    """yes, no or undecided; null where nothing can be said."""
    reason: str | None = None
    """Why nothing can be said."""
    g: float | None = None
    """Effect: the square root of g2 with its sign; does not grow with neurons, depth or samples."""
    g2: float | None = None
    """Mean over matrices of the variance of the node fractal dimension, real - shuffled."""
    low: float | None = None
    """Lower end of the 95 % interval of g2, of these weights under another choice of neurons."""
    high: float | None = None
    """Upper end of the same."""
    p: float | None = None
    """Two-sided p of random weights."""
    n: int = 0
    """Seeds."""
    draws: int = 0
    """Draws of the null a seed."""
    smallest_visible: float | None = None
    """The g2 that these seeds would find at p < .01 in four of five cases."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one checkpoint answers."""

    __pydantic_config__ = DOCUMENTED

    structure: Effect
    """Is there structure that scale does not explain?"""
    changed: Effect | None
    """Is it another one than the baseline's? Null without a baseline."""
    sentence: str
    """The answer in words."""
    strongest: str | None = None
    """The matrix kind in which the effect is largest."""


@dataclass(frozen=True, kw_only=True)
class SeriesVerdict(Effect):
    """What a series answers: its last measured step, and since when."""

    question: Question = "structure"
    """Which question leads: changed where the baseline is itself trained."""
    step: Step = None
    """The step it speaks of."""
    onset: tuple[Step, Step] | None = None
    """The last step that is not yes (null where there is none) and the first from which all later ones are."""
    strongest: str | None = None
    """The matrix kind in which the effect is largest at that step."""
    sentence: str = ""
    """The answer in words."""


@dataclass(frozen=True, kw_only=True)
class NullValues:
    """The figures of one null of one seed, one value a draw; null where a draw has no spectrum."""

    __pydantic_config__ = DOCUMENTED

    alpha0: list[float | None]
    """alpha0."""
    width: list[float | None]
    """Width."""
    nfd_variance: list[float | None]
    """Mean over matrices of the variance of the node fractal dimension."""

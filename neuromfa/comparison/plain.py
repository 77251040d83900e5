"""Plain measures of whole matrices in a comparison: means over matrix kinds, in a form that widths leave comparable."""

from collections.abc import Iterable, Mapping
from dataclasses import fields

import numpy as np

from neuromfa.comparison.records import PlainValue
from neuromfa.matrices import KindMatrices, MatrixFigure, MatrixFigures
from neuromfa.results import CheckpointNumbers

SHARES = {f"{name}_share": name for name in ("stable_rank", "effective_rank", "mp_outliers")}
"""Measures that count dimensions, as shares of the smaller side of a part."""
OF_TAILS = ("tail_n", "tail_ks")
"""What tells how good an exponent is, and is no measure by itself."""
PLAIN = (
    *SHARES,
    *(each.name for each in fields(MatrixFigures) if each.name not in (*SHARES.values(), *OF_TAILS)),
)

ByKind = Mapping[str, KindMatrices]


def plain_values(checkpoint: CheckpointNumbers) -> dict[str, PlainValue] | None:
    """Return every plain measure of a checkpoint, None where they were not asked for."""
    kinds = _kinds(checkpoint)
    if kinds is None:
        return None
    return {measure: _mean(_figure(figures, measure) for figures in kinds.values()) for measure in PLAIN}


def plain_differences(first: CheckpointNumbers, second: CheckpointNumbers) -> dict[str, PlainValue] | None:
    """Return first - second of every plain measure over the kinds that both have, None unless both were asked for."""
    own, other = _kinds(first), _kinds(second)
    if own is None or other is None:
        return None
    both = [kind for kind in own if kind in other]
    return {
        measure: _mean(_minus(_figure(own[kind], measure), _figure(other[kind], measure)) for kind in both)
        for measure in PLAIN
    }


def _kinds(checkpoint: CheckpointNumbers) -> ByKind | None:
    return None if checkpoint.matrices is None else checkpoint.matrices.by_kind


def _figure(figures: KindMatrices, measure: str) -> PlainValue:
    """Return a measure of one kind."""
    own: MatrixFigure = getattr(figures, SHARES.get(measure, measure))
    side = figures.smaller_side if measure in SHARES else 1.0
    value, mixed = (None if one is None else one / side for one in (own.value, own.shuffled))
    return PlainValue(value=value, shuffled=mixed, kinds=int(value is not None))


def _minus(first: PlainValue, second: PlainValue) -> PlainValue:
    value = _less(first.value, second.value)
    return PlainValue(
        value=value, shuffled=_less(first.shuffled, second.shuffled), kinds=int(value is not None)
    )


def _less(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


def _mean(kinds: Iterable[PlainValue]) -> PlainValue:
    """Return the mean over the kinds that have a value, each counted once."""
    present = [one for one in kinds if one.value is not None]
    mixed = [one.shuffled for one in present if one.shuffled is not None]
    return PlainValue(
        value=float(np.mean([one.value for one in present])) if present else None,
        shuffled=float(np.mean(mixed)) if mixed else None,
        kinds=len(present),
    )

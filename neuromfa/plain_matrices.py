"""Plain measures of the whole matrices of a checkpoint, one at a time: by stored part, and means by matrix kind."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import groupby

import numpy as np

from neuromfa.checkpoints import Checkpoint
from neuromfa.checkpoints.sampling.networks import ReadsDone, open_whole
from neuromfa.matrices import KindMatrices, Matrices, MatrixFigure, MatrixFigures, PartMatrices
from neuromfa.mfa.figures import matrix_kinds
from neuromfa.mfa.matrix_measures import (
    UNMOVED_BY_REWIRING,
    UNMOVED_BY_SHUFFLING,
    PlainMeasures,
    plain_measures,
)
from neuromfa.mfa.nulls import generator, rewired, shuffled
from neuromfa.network import SNIN, Link, WeightArray
from neuromfa.results import CheckpointResult
from neuromfa.weight_flags import NON_FINITE_WEIGHTS, ZERO_WEIGHTS

MEASURES = tuple(each.name for each in fields(MatrixFigures))
NOTHING = MatrixFigure(None, None, None, n=0)


def with_matrices(
    result: CheckpointResult, checkpoint: Checkpoint, *, seed: int
) -> tuple[CheckpointResult, ReadsDone]:
    """Return a result with the plain measures of its checkpoint, and what was read for them."""
    with open_whole(checkpoint, seed=seed) as whole:
        measured = replace(result, matrices=matrices_of(whole.networks[0]))
        return measured, ReadsDone(whole.bytes_read, whole.requests)


def matrices_of(network: SNIN) -> Matrices:
    """Return the plain measures of every stored part of a network; each link is taken once, in order."""
    parts = list(_parts(network))
    by_kind: dict[str, list[PartMatrices]] = {}
    for part in parts:
        if part.reason is None:
            by_kind.setdefault(part.kind, []).append(part)
    return Matrices(by_kind={kind: _mean(own) for kind, own in by_kind.items()}, parts=parts)


def _parts(network: SNIN) -> Iterator[PartMatrices]:
    sources = network.source_layers
    for row, kind in zip(sources, matrix_kinds(network.layers, sources), strict=True):
        link, target = network.links[row], network.layers[row + 1]
        assert link.weights is not None
        # what leads to the next block is named by its kind, as in the last block
        kinds = np.array(target.kinds if target.row != network.layers[0].row else [kind] * target.size)
        for place, part in enumerate(link.parts):
            own = " + ".join(name for name, _ in groupby(kinds[part.rows].tolist()))
            yield _part(
                link.weights[part.rows],
                name=f"B{network.layers[row].block:02d}.{own}",
                link=link,
                kind=kind,
                # a stream for each part, so that any of them can be drawn alone
                place=(network.provenance.seed, row, place),
            )


def _part(
    weights: WeightArray, *, name: str, link: Link, kind: str, place: tuple[int, int, int]
) -> PartMatrices:
    """Return the figures of one stored part, (n_target, n_source), and of its nulls."""
    reason = _no_measures(weights)
    figures = _without() if reason else _figures(weights, place)
    return PartMatrices(
        name=name,
        matrix=link.matrix,
        kind=kind,
        n_targets=weights.shape[0],
        n_sources=weights.shape[1],
        reason=reason,
        **figures,
    )


def _no_measures(weights: WeightArray) -> str | None:
    if not np.isfinite(weights).all():
        return NON_FINITE_WEIGHTS
    return None if weights.any() else ZERO_WEIGHTS


def _without() -> dict[str, MatrixFigure]:
    return dict.fromkeys(MEASURES, NOTHING)


def _figures(weights: WeightArray, place: tuple[int, int, int]) -> dict[str, MatrixFigure]:
    seed, row, number = place
    real = plain_measures(weights)
    mixed = plain_measures(shuffled(weights, generator(seed, row, "shuffled", number)))
    turned = plain_measures(rewired(weights, generator(seed, row, "rewired", number)))
    return {name: _figure(name, real, mixed, turned) for name in MEASURES}


def _figure(name: str, real: PlainMeasures, mixed: PlainMeasures, turned: PlainMeasures) -> MatrixFigure:
    value = getattr(real, name)
    return MatrixFigure(
        value,
        value if name in UNMOVED_BY_SHUFFLING else getattr(mixed, name),
        None if name in UNMOVED_BY_REWIRING else getattr(turned, name),
        n=int(value is not None),
    )


def _mean(parts: Sequence[PartMatrices]) -> KindMatrices:
    return KindMatrices(
        parts=len(parts),
        smaller_side=float(np.mean([min(part.n_targets, part.n_sources) for part in parts])),
        **{name: _mean_figure([getattr(part, name) for part in parts]) for name in MEASURES},
    )


def _mean_figure(figures: Sequence[MatrixFigure]) -> MatrixFigure:
    def mean(take: Callable[[MatrixFigure], float | None]) -> float | None:
        present = [value for one in figures if (value := take(one)) is not None]
        return float(np.mean(present)) if present else None

    return MatrixFigure(
        mean(lambda one: one.value),
        mean(lambda one: one.shuffled),
        mean(lambda one: one.rewired),
        n=sum(one.n for one in figures),
    )

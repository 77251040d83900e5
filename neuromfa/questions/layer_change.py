"""What training changed between one layer and the next: the edges of two steps compared."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.network import EdgeColumns, FloatArray, IntArray
from neuromfa.questions.engine.by_numpy import name_at, weighted
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import USUAL, StoredSample
from neuromfa.questions.neuron_detail import require_top


@dataclass(frozen=True)
class EdgeChange:
    """One edge at two steps; a weight is None where the edge is out of range, and counts as 0 in the change."""

    source: str
    target: str
    before: float | None
    after: float | None
    change: float


@dataclass(frozen=True)
class LayerChange:
    """One layer pair at two steps.

    Attributes
    ----------
    layer, max_distance : the question; edges leave `layer`
    edges_before, edges_after, edges_both : weighted edges in range
    largest : the largest changes of weight, equal ones by the places of source and target
    """

    layer: int
    max_distance: float
    edges_before: int
    edges_after: int
    edges_both: int
    largest: tuple[EdgeChange, ...]


@dataclass(frozen=True)
class _Request:
    layer: int
    longest: float
    top: int


def layer_change(
    before: StoredSample,
    after: StoredSample,
    layer: int,
    *,
    max_distance: float = USUAL.max_distance,
    top: int = 20,
    engine: EngineChoice = "auto",
) -> LayerChange:
    """Compare the edges that leave a layer in two samples of the same neurons.

    Parameters
    ----------
    before, after : samples of one seed and model at two steps
    layer : whose edges
    max_distance : T; an edge beyond it is none
    top : how many changes to show

    Raises
    ------
    OptionError : the samples hold different neurons, or a value outside what is allowed
    """
    for sample in (before, after):
        sample.require_layer(layer)
        sample.require_range(max_distance)
    require_top(top)
    _require_same_neurons(before, after)
    request = _Request(layer, max_distance, top)
    by_cypher, by_numpy = partial(_by_cypher, request=request), partial(_by_numpy, request=request)
    return ask("change", engine, [before, after], cypher=by_cypher, numpy=by_numpy)


def _require_same_neurons(before: StoredSample, after: StoredSample) -> None:
    """Raise `OptionError` where the draws differ; the same seed picks the same neurons at every step."""
    first, second = (
        (
            s.manifest.seed,
            s.manifest.nodes,
            s.manifest.row_rule,
            s.manifest.architecture_hash,
            s.offsets.tolist(),
        )
        for s in (before, after)
    )
    if first != second:
        raise OptionError(
            f"{before.name} and {after.name} hold different neurons: take one seed of one ingest"
        )


def _by_cypher(before: Asked, after: Asked, *, request: _Request) -> LayerChange:
    [row] = before.rows(
        "layer_pair_change",
        before=before.manifest.number,
        after=after.manifest.number,
        layer=request.layer,
        longest=request.longest,
        top=request.top,
    )
    return LayerChange(
        layer=request.layer,
        max_distance=request.longest,
        edges_before=row["edges_before"],
        edges_after=row["edges_after"],
        edges_both=row["edges_both"],
        largest=tuple(EdgeChange(*change) for change in row["largest"]),
    )


def _by_numpy(before: Asked, after: Asked, *, request: _Request) -> LayerChange:
    old, new = (weighted(asked.graph(), request.layer, longest=request.longest) for asked in (before, after))
    width = int(before.manifest.n_neurons)
    places = np.union1d(_place(old, width), _place(new, width))
    was, now = _weights(old, places, width), _weights(new, places, width)
    change = np.nan_to_num(now) - np.nan_to_num(was)
    graph, layer = before.graph(), request.layer

    def told(i: int) -> EdgeChange:
        source, target = divmod(int(places[i]), width)
        names = name_at(graph, layer, source), name_at(graph, layer + 1, target)
        return EdgeChange(*names, _or_none(was[i]), _or_none(now[i]), float(change[i]))

    return LayerChange(
        layer=layer,
        max_distance=request.longest,
        edges_before=old.size,
        edges_after=new.size,
        edges_both=int(np.count_nonzero(~np.isnan(was) & ~np.isnan(now))),
        largest=tuple(map(told, np.argsort(-np.abs(change), kind="stable")[: request.top].tolist())),
    )


def _place(columns: EdgeColumns, width: int) -> IntArray:
    """Return a number for the two ends of every edge that sorts by source, then target."""
    return columns.source * width + columns.target


def _weights(columns: EdgeColumns, places: IntArray, width: int) -> FloatArray:
    """Return the weights at the places, NaN where there is no edge."""
    weights = np.full(places.size, np.nan)
    weights[np.searchsorted(places, _place(columns, width))] = columns.weight
    return weights


def _or_none(weight: float) -> float | None:
    return None if np.isnan(weight) else float(weight)

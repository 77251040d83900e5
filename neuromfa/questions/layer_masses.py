"""The edges that leave one layer by rounded distance: the histogram of the layer, and the mass table of its neurons."""

from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np

from neuromfa.errors import OptionError
from neuromfa.mfa.distance import RadiusCounts, RangeRule, count_graph_radii, range_rule
from neuromfa.options import AnalysisOptions, Profile
from neuromfa.questions.engine.by_numpy import part_of
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import USUAL, StoredSample

LARGEST_RADIUS = 1000


@dataclass(frozen=True)
class RadiusHistogram:
    """How many weighted edges leave a layer at each radius max(1, round(d)), half to even.

    Attributes
    ----------
    layer, profile, max_distance : the question
    radii, edges : the radii that occur, and the edges at each
    """

    layer: int
    profile: Profile
    max_distance: float
    radii: tuple[int, ...]
    edges: tuple[int, ...]


@dataclass(frozen=True)
class MassTable:
    """Masses of all neurons of a layer, N_i(r) = 1 + #{ j in range : round(d_ij) <= r }.

    Attributes
    ----------
    layer, profile, max_distance : the question
    names : the neurons by position
    radii : 1 ... T rounded
    masses : one row a neuron, one column a radius
    """

    layer: int
    profile: Profile
    max_distance: float
    names: tuple[str, ...]
    radii: tuple[int, ...]
    masses: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _Request:
    layer: int
    profile: Profile
    max_distance: float

    @property
    def rule(self) -> RangeRule:
        """The range: 0 < d <= T, in profile paper 1 < d <= T."""
        return range_rule(AnalysisOptions(profile=self.profile, max_distance=self.max_distance))


def radius_histogram(
    sample: StoredSample,
    layer: int,
    *,
    profile: Profile = "exact",
    max_distance: float = USUAL.max_distance,
    engine: EngineChoice = "auto",
) -> RadiusHistogram:
    """Return the histogram of the rounded distances that leave a layer.

    Raises
    ------
    OptionError : no such layer, its edges are wiring, or a value outside what is allowed
    """
    request = _request(sample, layer, profile, max_distance)
    by_cypher, by_numpy = partial(_histogram_by_cypher, request=request), partial(_histogram, request=request)
    return ask("radii", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def mass_table(
    sample: StoredSample,
    layer: int,
    *,
    profile: Profile = "exact",
    max_distance: float = USUAL.max_distance,
    engine: EngineChoice = "auto",
) -> MassTable:
    """Return the masses of a layer's neurons at every radius, kept or not; raises as `radius_histogram`."""
    request = _request(sample, layer, profile, max_distance)
    if request.rule.largest_radius > LARGEST_RADIUS:
        raise OptionError(f"a mass table has {LARGEST_RADIUS} radii at most: lower max_distance")
    by_cypher, by_numpy = partial(_masses_by_cypher, request=request), partial(_masses, request=request)
    return ask("masses", engine, [sample], cypher=by_cypher, numpy=by_numpy)


def _request(sample: StoredSample, layer: int, profile: Profile, max_distance: float) -> _Request:
    sample.require_layer(layer)
    sample.require_range(max_distance)
    if profile not in get_args(Profile):
        raise OptionError(f"profile is {' or '.join(get_args(Profile))}, not {profile!r}")
    shape = sample.manifest.layout[layer]
    if layer == sample.last_layer or shape.artificial:
        raise OptionError(f"layer {layer} ({shape.row}) has no weighted edges out, so it has no radii")
    return _Request(layer, profile, max_distance)


def _histogram_by_cypher(asked: Asked, *, request: _Request) -> RadiusHistogram:
    rule = request.rule
    rows = asked.of_sample("layer_radii", layer=request.layer, shortest=rule.shortest, longest=rule.longest)
    radii, edges = tuple(row["radius"] for row in rows), tuple(row["edges"] for row in rows)
    return RadiusHistogram(request.layer, request.profile, request.max_distance, radii, edges)


def _histogram(asked: Asked, *, request: _Request) -> RadiusHistogram:
    totals = _counts(asked, request).counts.sum(axis=0, dtype=np.int64)
    radii = np.flatnonzero(totals)
    found = tuple(radii.tolist()), tuple(totals[radii].tolist())
    return RadiusHistogram(request.layer, request.profile, request.max_distance, *found)


def _masses_by_cypher(asked: Asked, *, request: _Request) -> MassTable:
    rule = request.rule
    rows = asked.of_sample(
        "layer_masses",
        layer=request.layer,
        shortest=rule.shortest,
        longest=rule.longest,
        largest=rule.largest_radius,
    )
    names, masses = tuple(row["name"] for row in rows), tuple(tuple(row["masses"]) for row in rows)
    return _table(request, names, masses)


def _masses(asked: Asked, *, request: _Request) -> MassTable:
    counts = _counts(asked, request).counts
    masses = 1 + np.cumsum(counts[:, 1:], axis=1, dtype=np.int64)
    names = tuple(asked.graph().layers[request.layer].names())
    return _table(request, names, tuple(map(tuple, masses.tolist())))


def _counts(asked: Asked, request: _Request) -> RadiusCounts:
    part = part_of(asked.graph(), request.layer, request.layer + 1)
    return count_graph_radii(part, rule=request.rule)


def _table(request: _Request, names: tuple[str, ...], masses: tuple[tuple[int, ...], ...]) -> MassTable:
    radii = tuple(range(1, request.rule.largest_radius + 1))
    return MassTable(request.layer, request.profile, request.max_distance, names, radii, masses)

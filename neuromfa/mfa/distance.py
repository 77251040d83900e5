"""Eq. 1, the distance along an edge: which edges are in range, at which radius, and what became of the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from neuromfa.errors import OptionError
from neuromfa.network import (
    ARTIFICIAL_DISTANCE,
    SNIN,
    BoolArray,
    EdgeColumns,
    FloatArray,
    IntArray,
    Layer,
    Link,
    SampleGraph,
    WeightArray,
)
from neuromfa.options import AnalysisOptions, Profile

CountArray = npt.NDArray[np.integer]

# A block of float64 work has about this many entries: it stays in the cache of one core.
BLOCK_ENTRIES = 2**17
LARGEST_TABLE = 2**32


@dataclass(frozen=True, kw_only=True)
class RangeRule:
    """Which edges are in range: ``shortest < d <= longest``, tested before any rounding.

    Attributes
    ----------
    longest : T, unit 1/|w|
    shortest : the cut below; 1 in the released code (paper), 0 in profile exact (ours)
    unit : what a distance is divided by before it is rounded; 1 outside tests of scaling
    """

    longest: float
    shortest: float = 0.0
    unit: float = 1.0

    @property
    def largest_radius(self) -> int:
        """The radius of an edge of distance T."""
        return max(1, int(np.rint(self.longest / self.unit)))


def range_rule(options: AnalysisOptions) -> RangeRule:
    """Return the range of the options: ``1 < d <= T`` in profile paper, ``0 < d <= T`` in profile exact."""
    return RangeRule(longest=options.max_distance, shortest=shortest_of(options.profile))


def shortest_of(profile: Profile) -> float:
    """Return the distance above which an edge counts: the released code loses its strongest links, exact does not."""
    return 1.0 if profile == "paper" else 0.0


@dataclass(frozen=True)
class EdgeTally:
    """What became of the edges that carry weights.

    Attributes
    ----------
    in_range : edges that count in masses
    zero, nan, inf : weights that are no edge; inf also where lambda/|w| underflows to 0
    within_one : edges with 0 < d <= 1; lost in profile paper, in range (and only reported) in profile exact
    beyond_range : edges with d > T
    """

    in_range: int = 0
    zero: int = 0
    nan: int = 0
    inf: int = 0
    within_one: int = 0
    beyond_range: int = 0

    def __add__(self, other: "EdgeTally") -> "EdgeTally":
        return EdgeTally(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

    @property
    def dropped(self) -> dict[str, int]:
        """Counts by reason, under their JSON names."""
        return {part.name: getattr(self, part.name) for part in fields(self) if part.name != "in_range"}


@dataclass(frozen=True, eq=False)
class RadiusCounts:
    """How many targets each source has at each integer radius: all that a mass needs to know of a network.

    Attributes
    ----------
    counts : integer array of shape (n_sources, 1 + largest radius); column r counts targets at radius r, column 0
        is empty
    layers : indices in the network of the layers the sources stand in, in order
    sizes : number of sources in each of them
    tally : what became of the weighted edges
    rms : root mean square of the finite weights, None where the weights are not at hand or it overflows
    dropped_last_rows : sources left out near the end of the network (hops multi)
    """

    counts: CountArray
    layers: tuple[int, ...]
    sizes: tuple[int, ...]
    tally: EdgeTally
    rms: float | None
    dropped_last_rows: int = 0


def edge_distances(weights: WeightArray, *, scale: float, rescale: float = 1.0) -> FloatArray:
    """Return d = lambda / |w| (Eq. 1, paper), computed in float64 whatever the dtype stored.

    Parameters
    ----------
    weights : array of shape (n_target, n_source)
    scale : lambda
    rescale : factor on every distance, rms(t) / rms(baseline) in the scale-matched reading (ours); it is applied to
        the rounded d, so that a stored graph gives the same floats

    Returns
    -------
    distances : float64 array of the same shape, unit 1/|w|; inf where w = 0, NaN where NaN, 0 where infinite
    """
    distances = weights.astype(np.float64)
    np.abs(distances, out=distances)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        np.divide(scale, distances, out=distances)
        return distances if rescale == 1.0 else np.multiply(distances, rescale, out=distances)


def edge_radii(distances: FloatArray, rule: RangeRule) -> FloatArray:
    """Return the radius of every edge: max(1, d rounded half to even) in range, 0 below it, largest + 1 beyond it.

    Returns
    -------
    radii : float64 array of whole numbers in the shape of `distances`; NaN counts as beyond
    """
    radii = np.rint(distances / rule.unit)
    np.maximum(radii, 1.0, out=radii)
    np.copyto(radii, rule.largest_radius + 1.0, where=~(distances <= rule.longest))
    np.copyto(radii, 0.0, where=distances <= rule.shortest)
    return radii


def tally_edges(weights: WeightArray, distances: FloatArray, rule: RangeRule) -> EdgeTally:
    """Return what becomes of every entry of a weight matrix under a range."""
    size = weights.size
    nan = size - int(np.count_nonzero(distances == distances))
    zero = size - int(np.count_nonzero(weights))
    inf = int(np.count_nonzero(distances == 0.0))
    short = int(np.count_nonzero(distances <= rule.unit))
    reached = int(np.count_nonzero(distances <= rule.longest))
    lost = int(np.count_nonzero(distances <= rule.shortest))
    beyond = size - nan - zero - reached
    return EdgeTally(reached - lost, zero=zero, nan=nan, inf=inf, within_one=short - inf, beyond_range=beyond)


def count_radii(network: SNIN, *, scale: float, rule: RangeRule, rescale: float = 1.0) -> RadiusCounts:
    """Count the targets of every source at every radius, over weighted edges, one matrix at a time.

    Artificial wiring never counts. Each link of the network is taken once, in order.
    """
    layers, sizes, counts = _empty_counts(network.layers, network.artificial, rule)
    tally, moments, start = EdgeTally(), Moments(), 0
    for weights in weight_matrices(network.links):
        for sources, block in source_blocks(weights):
            distances = edge_distances(block, scale=scale, rescale=rescale)
            tally = tally + tally_edges(block, distances, rule)
            moments = moments + second_moment(block)
            rows = slice(start + sources.start, start + sources.stop)
            counts[rows] = _block_histogram(edge_radii(distances, rule), rule)
        start += weights.shape[1]
    return RadiusCounts(counts, layers, sizes, tally, moments.root)


def count_graph_radii(graph: SampleGraph, *, rule: RangeRule, rescale: float = 1.0) -> RadiusCounts:
    """Count the same from a stored graph, in which weights that are no edge do not stand: their tally is 0."""
    if rule.longest > graph.max_distance * rescale:
        raise OptionError(
            f"the stored graph holds edges up to distance {graph.max_distance:g}, too few for max_distance "
            f"{rule.longest:g}: ask for less, or ingest with a larger graph_max_distance"
        )
    layers, sizes, counts = _empty_counts(graph.layers, graph.artificial, rule)
    tally, start = EdgeTally(beyond_range=graph.beyond), 0
    for layer, size in zip(layers, sizes, strict=True):
        columns = graph.edges[layer]
        distances = columns.distance if rescale == 1.0 else columns.distance * rescale
        tally = tally + tally_edges(columns.weight, distances, rule)
        counts[start : start + size] = _histogram(columns.source, edge_radii(distances, rule), size, rule)
        start += size
    return RadiusCounts(counts, layers, sizes, tally, None)


def edges_of(network: SNIN, *, scale: float, max_distance: float) -> tuple[tuple[EdgeColumns, ...], int]:
    """Return the edges of every link as columns, for a store, and how many finite edges lie beyond `max_distance`.

    Edges are ordered by source, then by target. Artificial wiring has distance 1 and a weight of NaN.
    """
    columns, beyond = [], 0
    for link in network.links:
        part, left_out = _link_edges(link, scale, max_distance)
        columns.append(part)
        beyond += left_out
    return tuple(columns), beyond


def weight_matrices(links: Sequence[Link]) -> Iterator[WeightArray]:
    """Yield the matrices of the links that carry weights; a lazy sequence reads each as it is reached."""
    for link in links:
        if link.weights is not None:
            yield link.weights


def source_blocks(weights: WeightArray) -> Iterator[tuple[slice, WeightArray]]:
    """Yield a matrix in runs of whole sources, each small enough to be worked on in cache."""
    n_target, n_source = weights.shape
    width = max(1, BLOCK_ENTRIES // max(1, n_target))
    for start in range(0, n_source, width):
        sources = slice(start, min(start + width, n_source))
        yield sources, weights[:, sources]


@dataclass(frozen=True)
class Moments:
    """Sum of squares of the finite weights and how many there are."""

    squares: float = 0.0
    count: int = 0

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.squares + other.squares, self.count + other.count)

    @property
    def root(self) -> float | None:
        """Root mean square; None without a finite weight, or where it overflows."""
        mean = self.squares / self.count if self.count else np.inf
        return float(np.sqrt(mean)) if np.isfinite(mean) else None


def second_moment(weights: WeightArray) -> Moments:
    """Return the second moment of the finite entries of a matrix."""
    values = weights.astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        squares = float(np.sum(np.square(values)))
        if np.isfinite(squares):
            return Moments(squares, values.size)
        finite = values[np.isfinite(values)]
        return Moments(float(np.sum(np.square(finite))), finite.size)


def rms_of(network: SNIN) -> float | None:
    """Return the root mean square of all finite weights of a network."""
    total = Moments()
    for weights in weight_matrices(network.links):
        for _, block in source_blocks(weights):
            total = total + second_moment(block)
    return total.root


def _empty_counts(
    layers: Sequence[Layer], artificial: Sequence[bool], rule: RangeRule
) -> tuple[tuple[int, ...], tuple[int, ...], CountArray]:
    """Return source layers, their sizes, and zeroed counts in the smallest dtype that holds any mass."""
    sources = tuple(k for k, wiring in enumerate(artificial) if not wiring)
    sizes = tuple(layers[k].size for k in sources)
    largest = max((layers[k + 1].size for k in sources), default=0)
    dtype = np.dtype(np.uint16 if largest < np.iinfo(np.uint16).max else np.int32)
    shape = (sum(sizes), 1 + rule.largest_radius)
    if shape[0] * shape[1] * dtype.itemsize > LARGEST_TABLE:
        raise OptionError(
            f"{shape[0]} neurons x {shape[1]} radii do not fit the {LARGEST_TABLE >> 30} GB allowed for their "
            "masses: lower max_distance or nodes"
        )
    return sources, sizes, np.zeros(shape, dtype=dtype)


def _block_histogram(radii: FloatArray, rule: RangeRule) -> IntArray:
    """Return counts of shape (n_source, 1 + largest radius) of a block of radii, (n_target, n_source)."""
    n_source = radii.shape[1]
    sources = np.broadcast_to(np.arange(n_source), radii.shape)
    return _histogram(sources, radii, n_source, rule)


def _histogram(sources: IntArray, radii: FloatArray, n_source: int, rule: RangeRule) -> IntArray:
    """Count radii by source; the columns of edges out of range are emptied or cut off."""
    width = rule.largest_radius + 2
    cells = sources * width + radii.astype(np.int64)
    counts = np.bincount(cells.ravel(), minlength=n_source * width).reshape(n_source, width)
    counts[:, 0] = 0
    return counts[:, :-1]


def _wiring_edges(wiring: BoolArray) -> EdgeColumns:
    source, target = np.nonzero(wiring.T)
    distance = np.full(source.size, ARTIFICIAL_DISTANCE)
    return EdgeColumns(source, target, distance, np.full(source.size, np.nan))


def _link_edges(link: Link, scale: float, max_distance: float) -> tuple[EdgeColumns, int]:
    if link.wiring is not None:
        return _wiring_edges(link.wiring), 0
    if link.weights is None:
        raise ValueError(f"link {link.matrix} has neither weights nor wiring")
    distances = edge_distances(link.weights, scale=scale).T
    written = (distances > 0.0) & (distances <= max_distance)
    source, target = np.nonzero(written)
    weight = link.weights[target, source].astype(np.float64)
    beyond = int(np.count_nonzero((distances > max_distance) & (link.weights.T != 0.0)))
    return EdgeColumns(source, target, distances[written], weight), beyond

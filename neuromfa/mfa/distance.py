"""Eq. 1, the distance along an edge: which are in range, at which radius, and what becomes of the rest."""

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
    NeuronMeasures,
    SampleGraph,
    WeightArray,
)
from neuromfa.options import AnalysisOptions

CountArray = npt.NDArray[np.integer]

# Work goes through tiles of about this many entries: their arrays stay in the cache of one core, and below the size
# from which the C library asks the system for fresh pages each time.
TILE_ENTRIES = 2**14
# Tiles are at least this wide, so that no line of memory is fetched twice.
TILE_WIDTH = 16
LARGEST_TABLE = 2**32


@dataclass(frozen=True, kw_only=True)
class RangeRule:
    """Which edges are in range: ``shortest < d <= longest``, tested before any rounding.

    Attributes
    ----------
    longest : T, unit 1/|w|
    shortest : the cut below, 0 in profile exact (ours) or `unit` as in the released code (paper)
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
    """Return the range of the options: 0 < d <= T; in profile paper 1 < d <= T, without the strongest links."""
    return RangeRule(longest=options.max_distance, shortest=1.0 if options.profile == "paper" else 0.0)


@dataclass(frozen=True)
class EdgeTally:
    """What became of the edges that carry weights.

    Attributes
    ----------
    in_range : edges that count in masses
    zero, nan, inf : weights that are no edge; inf also where lambda / |w| underflows to 0
    within_one : edges with 0 < d <= 1: lost in profile paper, in range and only reported in profile exact
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


@dataclass(frozen=True)
class Moments:
    """Sum of squares of finite weights and how many there are."""

    squares: float = 0.0
    count: int = 0

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.squares + other.squares, self.count + other.count)

    @property
    def root(self) -> float | None:
        """Root mean square; None without a finite weight, or where it overflows."""
        mean = self.squares / self.count if self.count else np.inf
        return float(np.sqrt(mean)) if np.isfinite(mean) else None


@dataclass(frozen=True, eq=False)
class RadiusCounts:
    """How many targets each source has at each integer radius: all that a mass needs to know of a network.

    Attributes
    ----------
    counts : integer array of shape (n_sources, 1 + largest radius); column r counts targets at radius r, and
        column 0 is empty
    layers : indices in the network of the layers the sources stand in, in order
    sizes : number of sources in each of them
    tally : what became of the weighted edges
    rms : root mean square of the finite weights, None where weights are not at hand or it overflows
    dropped_last_rows : sources left out near the end of the network (several hops)
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
    weights : array of any shape
    scale : lambda
    rescale : factor on every distance, rms(t) / rms(baseline) in the scale-matched reading (ours); applied to the
        rounded d, so that a stored graph gives the same floats

    Returns
    -------
    distances : float64 array of the same shape, unit 1/|w|; inf where w = 0, NaN where NaN, 0 where infinite
    """
    distances = weights.astype(np.float64)
    np.abs(distances, out=distances)
    with np.errstate(divide="ignore", over="ignore"):
        np.divide(scale, distances, out=distances)
        return distances if rescale == 1.0 else np.multiply(distances, rescale, out=distances)


def count_radii(network: SNIN, *, scale: float, rule: RangeRule, rescale: float = 1.0) -> RadiusCounts:
    """Count the targets of every source at every radius, over weighted edges, one matrix at a time.

    Artificial wiring never counts. Each link of the network is taken once, in order.
    """
    layers, sizes, counts = empty_counts(network.layers, network.artificial, rule)
    tally, moments, start = EdgeTally(), Moments(), 0
    for weights in weight_matrices(network.links):
        rows = counts[start : start + weights.shape[1]]
        for sources, tile in tiles(weights):
            values = tile.astype(np.float64)
            distances = edge_distances(values, scale=scale, rescale=rescale)
            columns = np.arange(tile.shape[1])
            rows[sources] += _count_edges(distances, columns, columns.size, rule).astype(counts.dtype)
            tally, moments = tally + tally_edges(values, distances, rule), moments + second_moment(values)
        start += weights.shape[1]
    return RadiusCounts(counts, layers, sizes, tally, moments.root)


def count_graph_radii(graph: SampleGraph, *, rule: RangeRule, rescale: float = 1.0) -> RadiusCounts:
    """Count the same from a stored graph; weights that are no edge do not stand in it, so their tally is 0."""
    if rule.longest > graph.max_distance * rescale:
        raise OptionError(
            f"the stored graph holds edges up to distance {graph.max_distance:g}, too few for max_distance "
            f"{rule.longest:g}: ask for less, or ingest with a larger graph_max_distance"
        )
    layers, sizes, counts = empty_counts(graph.layers, graph.artificial, rule)
    tally, start = EdgeTally(beyond_range=graph.beyond), 0
    for layer, size in zip(layers, sizes, strict=True):
        columns = graph.edges[layer]
        distances = columns.distance * rescale
        counts[start : start + size] = _count_edges(distances, columns.source, size, rule)
        tally, start = tally + tally_edges(columns.weight, distances, rule), start + size
    return RadiusCounts(counts, layers, sizes, tally, None)


def edges_of(network: SNIN, *, scale: float, max_distance: float) -> tuple[tuple[EdgeColumns, ...], int]:
    """Return the edges of every link as columns, and how many finite edges lie beyond `max_distance`.

    Edges are ordered by source, then by target. Artificial wiring has distance 1 and a weight of NaN.
    """
    columns, beyond = [], 0
    for link in network.links:
        part, left_out = _link_edges(link, scale, max_distance)
        columns.append(part)
        beyond += left_out
    return tuple(columns), beyond


def graph_of(
    network: SNIN,
    *,
    graph_hash: str,
    scale: float,
    max_distance: float,
    measures: NeuronMeasures | None = None,
) -> SampleGraph:
    """Return a network as it stands in a store; it needs no numbers, so one without a spectrum has a graph too.

    Parameters
    ----------
    graph_hash : identity by content
    scale : lambda
    max_distance : edges beyond it are counted, not written
    measures : node fractal dimensions, None where the network has no spectrum
    """
    edges, beyond = edges_of(network, scale=scale, max_distance=max_distance)
    return SampleGraph(
        layers=network.layers,
        edges=edges,
        artificial=network.artificial,
        max_distance=max_distance,
        beyond=beyond,
        graph_hash=graph_hash,
        provenance=network.provenance,
        measures=measures,
    )


def rms_of(network: SNIN) -> float | None:
    """Return the root mean square of all finite weights; None without any, or where it overflows."""
    matrices = weight_matrices(network.links)
    parts = (second_moment(tile) for weights in matrices for _, tile in tiles(weights))
    return sum(parts, Moments()).root


def weight_matrices(links: Sequence[Link]) -> Iterator[WeightArray]:
    """Yield the matrices of the links that carry weights; a lazy sequence reads each as it is reached."""
    for link in links:
        if link.weights is not None:
            yield link.weights


def tiles(weights: WeightArray) -> Iterator[tuple[slice, WeightArray]]:
    """Yield a matrix (n_target, n_source) in tiles, each with the slice of its sources."""
    n_target, n_source = weights.shape
    width = max(TILE_WIDTH, TILE_ENTRIES // max(n_target, 1))
    height = max(1, TILE_ENTRIES // width)
    for left in range(0, n_source, width):
        sources = slice(left, min(left + width, n_source))
        for top in range(0, n_target, height):
            yield sources, weights[top : top + height, sources]


def tally_edges(weights: WeightArray, distances: FloatArray, rule: RangeRule) -> EdgeTally:
    """Return what becomes of every entry of a weight matrix; both arrays have one shape."""
    size = weights.size
    nan = size - int(np.count_nonzero(distances == distances))
    zero = size - int(np.count_nonzero(weights))
    inf = int(np.count_nonzero(distances == 0.0))
    strong = int(np.count_nonzero(distances <= rule.unit))
    reached = int(np.count_nonzero(distances <= rule.longest))
    short = int(np.count_nonzero(distances <= rule.shortest))
    return EdgeTally(
        in_range=reached - short,
        zero=zero,
        nan=nan,
        inf=inf,
        within_one=strong - inf,
        beyond_range=size - nan - zero - reached,
    )


def second_moment(weights: WeightArray) -> Moments:
    """Return the second moment of the finite entries, summed in a fixed order."""
    values = weights.astype(np.float64, copy=False).ravel()
    squares = float(np.einsum("i,i->", values, values))
    if np.isfinite(squares):
        return Moments(squares, values.size)
    finite = values[np.isfinite(values)]
    return Moments(float(np.einsum("i,i->", finite, finite)), finite.size)


def edge_radii(distances: FloatArray, rule: RangeRule) -> FloatArray:
    """Return the radius of every edge, max(1, d rounded half to even).

    Masked assignment is slow, so the tests before rounding come in as 0 or 1: an edge that rounds into the
    range from beyond it moves one radius up, one that is too short moves from radius 1 to 0.

    Returns
    -------
    radii : float64 array of whole numbers: 0 below the range, more than the largest radius beyond it or for NaN
    """
    radii = np.rint(distances / rule.unit)
    np.fmin(radii, rule.largest_radius + 1.0, out=radii)
    np.maximum(radii, 1.0, out=radii)
    radii += distances > rule.longest
    radii -= distances <= rule.shortest
    return radii


def _count_edges(distances: FloatArray, sources: IntArray, n_sources: int, rule: RangeRule) -> IntArray:
    """Return how many edges each source has at each radius, shape (n_sources, 1 + largest radius).

    `sources` has the shape of `distances`, or stands for its columns.
    """
    width = rule.largest_radius + 3
    cells = edge_radii(distances, rule).astype(np.int64)
    cells += sources * width
    counts = np.bincount(cells.ravel(), minlength=n_sources * width).reshape(n_sources, width)
    counts[:, 0] = 0
    return counts[:, :-2]


def empty_counts(
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
            f"the masses of {shape[0]} neurons at {shape[1]} radii do not fit the {LARGEST_TABLE >> 30} GB "
            "allowed for them: lower max_distance or nodes"
        )
    return sources, sizes, np.zeros(shape, dtype=dtype)


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


def _wiring_edges(wiring: BoolArray) -> EdgeColumns:
    source, target = np.nonzero(wiring.T)
    distance = np.full(source.size, ARTIFICIAL_DISTANCE)
    return EdgeColumns(source, target, distance, np.full(source.size, np.nan))

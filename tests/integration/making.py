"""Graphs and results for the tests of the store: random, with every kind of value that must survive."""

import numpy as np

from neuromfa.network import EdgeColumns, Layer, NeuronMeasures, Part, Provenance, SampleGraph
from neuromfa.options import AnalysisOptions
from neuromfa.results import (
    CheckpointResult,
    Coverage,
    EdgeCoverage,
    Estimate,
    NodeCount,
    NodeCoverage,
    NullMetrics,
    SampleResult,
    ScaleMatched,
    SkippedTensor,
    Spectrum,
    TensorCoverage,
)

ROWS = (("input", ("input",)), ("qkv", ("query", "key", "value")), ("attention", ("attention",)))
AWKWARD = (np.nextafter(1.0, 2.0), 1e-308, 5e-324, 0.1 + 0.2, 1.7976931348623157e308, 149.99999999999997)


def make_graph(
    graph_hash: str,
    *,
    seed: int = 0,
    blocks: int = 2,
    width: int = 6,
    density: float = 0.7,
    measured: bool = True,
    kind: str = "mlp",
) -> SampleGraph:
    """Return a graph of blocks of the rows input, qkv, attention, mlp; awkward floats among its numbers."""
    rng = np.random.default_rng(seed)
    layers = [
        _layer(rng, block, row, kinds, width)
        for block in range(blocks)
        for row, kinds in (*ROWS, (kind, (kind,)))
    ]
    artificial = [layers[k].row == "qkv" for k in range(len(layers) - 1)]
    edges = [
        _wiring(layers[k], layers[k + 1]) if artificial[k] else _edges(rng, layers[k], layers[k + 1], density)
        for k in range(len(layers) - 1)
    ]
    return SampleGraph(
        layers=tuple(layers),
        edges=tuple(edges),
        artificial=tuple(artificial),
        max_distance=200.0,
        beyond=3,
        graph_hash=graph_hash,
        provenance=Provenance("", None, "", "gpt-neox", "a" * 64, "float16", seed, width, "exact"),
        measures=_measures(rng, layers) if measured else None,
    )


def _layer(rng: np.random.Generator, block: int, row: str, kinds: tuple[str, ...], width: int) -> Layer:
    units = [rng.choice(2**40, width, replace=False).astype(np.int64) for _ in kinds]
    return Layer(block, row, tuple(map(Part, kinds, units)), whole=row == "attention")


def _edges(rng: np.random.Generator, source: Layer, target: Layer, density: float) -> EdgeColumns:
    """Return edges in a random order: the store gives them back in its own."""
    tails, heads = np.nonzero(rng.random((source.size, target.size)) < density)
    order = rng.permutation(tails.size)
    distance = rng.exponential(60.0, tails.size) + 1e-3
    distance[: len(AWKWARD)] = AWKWARD[: distance.size]
    weight = rng.choice([-1.0, 1.0], tails.size) / distance.clip(1e-300)
    return EdgeColumns(
        tails[order].astype(np.int64), heads[order].astype(np.int64), distance[order], weight[order]
    )


def _wiring(source: Layer, target: Layer) -> EdgeColumns:
    """Return the edges inside attention: query to its own unit, key and value to all."""
    width = target.size
    tails = np.concatenate([np.arange(width), np.repeat(np.arange(width, 3 * width), width)])
    heads = np.concatenate([np.arange(width), np.tile(np.arange(width), 2 * width)])
    return EdgeColumns(
        tails.astype(np.int64), heads.astype(np.int64), np.ones(tails.size), np.full(tails.size, np.nan)
    )


def _measures(rng: np.random.Generator, layers: list[Layer]) -> NeuronMeasures:
    def column() -> tuple[np.ndarray, ...]:
        return tuple(
            np.where(rng.random(layer.size) < 0.3, np.nan, rng.random(layer.size)) for layer in layers
        )

    return NeuronMeasures(column(), column())


def same_graph(read: SampleGraph, written: SampleGraph) -> bool:
    """Tell whether two graphs are the same bit by bit, up to the order of edges."""
    layers = all(
        (a.block, a.row, a.whole, [p.kind for p in a.parts])
        == (b.block, b.row, b.whole, [p.kind for p in b.parts])
        and all(np.array_equal(p.units, q.units) for p, q in zip(a.parts, b.parts, strict=True))
        for a, b in zip(read.layers, written.layers, strict=True)
    )
    edges = all(_same_edges(a, b) for a, b in zip(read.edges, written.edges, strict=True))
    rest = ("artificial", "max_distance", "beyond", "graph_hash")
    return (
        layers
        and edges
        and all(getattr(read, name) == getattr(written, name) for name in rest)
        and (read.measures is None) == (written.measures is None)
        and all(_same_bits(a, b) for a, b in zip(_columns(read), _columns(written), strict=True))
    )


def _columns(graph: SampleGraph) -> list[np.ndarray]:
    return [] if graph.measures is None else [*graph.measures.nfd, *graph.measures.nfd_own]


def _same_edges(a: EdgeColumns, b: EdgeColumns) -> bool:
    order = np.lexsort((b.target, b.source))
    names = ("source", "target", "distance", "weight")
    return all(_same_bits(getattr(a, name), getattr(b, name)[order]) for name in names)


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


def make_result(
    analysis_hash: str, *, step: int | None = 0, revision: str = "step0", seed: int = 0
) -> CheckpointResult:
    """Return a result with every optional part present, and numbers that use all their bits."""
    rng = np.random.default_rng(seed)

    def numbers(n: int) -> list[float]:
        return [float(x) for x in rng.random(n)]

    def estimate() -> Estimate:
        return Estimate(*numbers(3), n=10)

    spectrum = Spectrum(
        q=[-1.0, 0.0, 1.0],
        tau=numbers(3),
        tau_low=None,
        tau_high=numbers(3),
        alpha_q=[-1.0, 0.0],
        alpha=numbers(2),
        alpha_low=numbers(2),
        alpha_high=None,
        f=numbers(2),
    )
    nulls = {name: NullMetrics(estimate(), estimate(), None) for name in ("shuffled", "gaussian")}
    samples = [
        SampleResult(
            k,
            numbers(3),
            1.5,
            (1.4, 1.6),
            0.3,
            5,
            9,
            7,
            150,
            {"-1": 0.9, "1": None},
            f"{analysis_hash}{k}",
            k,
        )
        for k in range(2)
    ]
    coverage = Coverage(
        NodeCoverage(5, 9, {"input": NodeCount(2, 3), "größe": NodeCount(3, 6)}),
        EdgeCoverage(2**53 + 1, {"zero": 1, "nan": 0, "inf": 0, "within_one": 2, "beyond_range": 3}),
        TensorCoverage(["a.weight"], [SkippedTensor("b.bias", "biases take no part")]),
    )
    return CheckpointResult(
        step=step,
        revision=revision,
        alpha0=estimate(),
        width=estimate(),
        emergence=Estimate(0.25, None, None, 2),
        emergence_reason=None,
        emergence_tie=(0.1, 0.2),
        nulls=nulls,
        coverage=coverage,
        flags=["few_nodes", "coverage_shift"],
        r_squared={"-3": None, "1": 0.99},
        spectrum=spectrum,
        samples=samples,
        analysis_hash=analysis_hash,
        scale_matched=ScaleMatched(1.25, estimate(), estimate(), None),
    )


OPTIONS = AnalysisOptions(q=(-1.0, 0.0, 1.0))

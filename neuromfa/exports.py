"""Stored graphs and results in other people's forms: networkx, scipy, GraphML, GEXF, node-link JSON, Parquet, CSV.

Only this module knows networkx (extra ``store``) and pyarrow (extra ``arrow``). Each is imported when a form of it is
asked for; where it is not installed, that is `MissingExtra`. Every number leaves with all its bits.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuromfa import extras
from neuromfa.matrices import MatrixFigures
from neuromfa.network import FloatArray, NeuronTests, SampleGraph
from neuromfa.neurons import values_at
from neuromfa.results import CheckpointResult, Estimate
from neuromfa.structure import NullExcess

if TYPE_CHECKING:
    import networkx as nx
    import pyarrow as pa
    from scipy.sparse import csr_array

    from neuromfa.comparison.records import Comparison, Point, SeriesCurve
    from neuromfa.sweep import Sweep, SweepPoint

Row = dict[str, Any]
ESTIMATES = ("alpha0", "width", "emergence")
EXCESS = ("low", "high", "t", "p_sampling", "p_chance")
TERMS = ("scale", "distribution", "arrangement")
EFFECT = ("reason", "g", "g2", "low", "high", "p")
SPECTRUM = ("q", "tau", "tau_low", "tau_high", "alpha_q", "alpha", "alpha_low", "alpha_high", "f")
NETWORKX, PARQUET, ARROW = "a graph of networkx", "a Parquet file", "a table of Arrow"


def neuron_names(graph: SampleGraph) -> list[str]:
    """Return the names of all neurons, layer after layer: the numbering of `to_sparse`."""
    return [name for layer in graph.layers for name in layer.names()]


def to_sparse(graph: SampleGraph) -> "csr_array":
    """Return the distances as a sparse matrix.

    Returns
    -------
    distances : float64 matrix of shape (n_neurons, n_neurons), unit 1/|w|; row = source, column = target, numbered
        layer after layer; where no edge stands, nothing is stored. Wiring is there with distance 1.
    """
    from scipy.sparse import coo_array  # takes time to load, and tables do without

    first = _first_numbers(graph)
    columns = [
        (edges.source + first[k], edges.target + first[k + 1], edges.distance)
        for k, edges in enumerate(graph.edges)
    ]
    source, target, distance = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    n = graph.n_neurons
    return coo_array((distance, (source, target)), shape=(n, n)).tocsr()


def to_networkx(graph: SampleGraph) -> "nx.DiGraph":
    """Return the graph with neurons under their names, such as ``B03.mlp.00127``.

    A neuron has layer, position, block, row, kind, index, and where it has them nfd and nfd_own; an edge has distance
    and, unless it is wiring, weight. The graph carries its provenance. What does not exist is left out, never NaN.
    """
    result = extras.load("networkx", what=NETWORKX).DiGraph(**_known(_provenance(graph)))
    result.add_nodes_from(_nodes(graph))
    names = neuron_names(graph)
    for source, target, distance, weight in _edges(graph):
        values = {"distance": distance} if weight is None else {"distance": distance, "weight": weight}
        result.add_edge(names[source], names[target], **values)
    return result


def edge_table(graph: SampleGraph) -> "pa.Table":
    """Return one row an edge: layer, both positions, both names, distance, weight (null for wiring).

    The schema's metadata has the provenance as JSON under ``neuromfa``.
    """
    pa = extras.load("pyarrow", what=ARROW)
    names = [np.array(layer.names()) for layer in graph.layers]
    parts = [
        {
            "layer": np.full(edges.size, k, dtype=np.int32),
            "source": edges.source,
            "target": edges.target,
            "source_name": names[k][edges.source],
            "target_name": names[k + 1][edges.target],
            "distance": edges.distance,
            "weight": pa.array(edges.weight, mask=np.isnan(edges.weight)),
        }
        for k, edges in enumerate(graph.edges)
    ]
    table = pa.concat_tables([pa.table(part) for part in parts])
    return table.replace_schema_metadata({"neuromfa": json.dumps(_provenance(graph))})


def results_table(results: Sequence[CheckpointResult]) -> "pa.Table":
    """Return one row a checkpoint: numbers with intervals, nulls, coverage, flags, and the spectrum as lists."""
    pa = extras.load("pyarrow", what=ARROW)
    rows = [plain_row(result) | _lists(result) for result in results]
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column(pa, name, [row.get(name) for row in rows]) for name in names})


def _column(pa: Any, name: str, values: list[Any]) -> "pa.Array":
    """Return a column of the type its name promises, also where none of its values exist; numbers by default."""
    types = {
        "step": pa.int64(),
        "tokens": pa.int64(),
        "emergence_reason": pa.string(),
        "flags": pa.list_(pa.string()),
    }
    types |= dict.fromkeys(SPECTRUM, pa.list_(pa.float64()))
    if name in types:
        return pa.array(values, types[name])
    column = pa.array(values)
    return column.cast(pa.float64()) if pa.types.is_null(column.type) else column


def write_results_csv(results: Sequence[CheckpointResult], path: Path) -> None:
    """Write `results_table` without its lists; flags are joined by blanks, what does not exist stays empty."""
    write_csv([plain_row(result) | {"flags": " ".join(result.flags)} for result in results], path)


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write rows with a head of all their columns; what does not exist stays empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_comparison_csv(comparison: "Comparison", path: Path) -> None:
    """Write one row per series and step: its place on the axis, and every measure with its interval.

    Plain measures of whole matrices, where they were asked for, stand in the row of the last step of their series.
    """
    rows = [
        _curve_row(series.id, point) | _plain_columns(series, point)
        for series in comparison.series
        for point in series.curve
    ]
    write_csv(rows, path)


def write_sweep_csv(sweep: "Sweep", path: Path) -> None:
    """Write one row per value of the option and step: the numbers with their intervals, excess and the effect."""
    write_csv([_sweep_row(sweep.option, point) for point in sweep.points], path)


def _sweep_row(option: str, point: "SweepPoint") -> Row:
    row: Row = {option: point.value, "step": point.step}
    for name in ESTIMATES:
        row |= _spread(name, getattr(point, name))
        own = point.excess.get(name)
        parts = ("value", "low", "high", "t")
        row |= {f"excess_{name}_{part}": getattr(own, part, None) for part in parts}
    effect = {part: getattr(point.structure, part, None) for part in ("answer", *EFFECT)}
    row |= {f"structure_{part}": value for part, value in effect.items()}
    kept = {"nodes_kept": point.nodes_kept, "nodes_total": point.nodes_total}
    return row | kept | {"flags": " ".join(point.flags), "options_hash": point.options_hash}


def _plain_columns(series: "SeriesCurve", point: "Point") -> Row:
    if series.matrices is None or point.step != series.last.step:
        return {}
    each = series.matrices.items()
    return {name: one.value for name, one in each} | {f"{name}_shuffled": one.shuffled for name, one in each}


def _curve_row(series: str, point: "Point") -> Row:
    row: Row = {"series": series, "step": point.step, "position": point.position}
    for measure, value in point.values.items():
        row |= {measure: value.value, f"{measure}_low": value.low, f"{measure}_high": value.high}
    return row


def write_results_parquet(results: Sequence[CheckpointResult], path: Path) -> None:
    """Write `results_table`."""
    extras.load("pyarrow.parquet", what=PARQUET).write_table(results_table(results), path)


def write_results_arrow(results: Sequence[CheckpointResult], path: Path) -> None:
    """Write `results_table` as an Arrow IPC file."""
    pa = extras.load("pyarrow", what=ARROW)
    table = results_table(results)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def write_graphml(graph: SampleGraph, path: Path) -> None:
    """Write GraphML, as networkx, Gephi, igraph and yEd read it."""
    nx = extras.load("networkx", what=NETWORKX)
    nx.write_graphml_xml(to_networkx(graph), path)


def write_gexf(graph: SampleGraph, path: Path) -> None:
    """Write GEXF, Gephi's own form; it has no place for the provenance."""
    nx = extras.load("networkx", what=NETWORKX)
    nx.write_gexf(to_networkx(graph), path)


def write_node_link(graph: SampleGraph, path: Path) -> None:
    """Write node-link JSON, as networkx and D3 read it."""
    nx = extras.load("networkx", what=NETWORKX)
    with path.open("w", encoding="utf-8") as file:
        json.dump(nx.node_link_data(to_networkx(graph), edges="edges"), file, allow_nan=False)


def write_edges_parquet(graph: SampleGraph, path: Path) -> None:
    """Write `edge_table`."""
    extras.load("pyarrow.parquet", what=PARQUET).write_table(edge_table(graph), path)


@dataclass(frozen=True)
class ResultFormat:
    """A form for the results of a model: the ending of its files, and what writes them."""

    suffix: str
    write: Callable[[Sequence[CheckpointResult], Path], None]


@dataclass(frozen=True)
class GraphFormat:
    """A form for one stored sample: the ending of its files, and what writes them."""

    suffix: str
    write: Callable[[SampleGraph, Path], None]


RESULT_FORMATS: Mapping[str, ResultFormat] = {
    "csv": ResultFormat(".csv", write_results_csv),
    "parquet": ResultFormat(".parquet", write_results_parquet),
    "arrow": ResultFormat(".arrow", write_results_arrow),
}
GRAPH_FORMATS: Mapping[str, GraphFormat] = {
    "graphml": GraphFormat(".graphml", write_graphml),
    "gexf": GraphFormat(".gexf", write_gexf),
    "node-link": GraphFormat(".json", write_node_link),
    "edges-parquet": GraphFormat(".edges.parquet", write_edges_parquet),
}


def _first_numbers(graph: SampleGraph) -> list[int]:
    sizes = [layer.size for layer in graph.layers]
    return [0, *np.cumsum(sizes).tolist()]


def _provenance(graph: SampleGraph) -> Row:
    identity = {"graph_hash": graph.graph_hash, "max_distance": graph.max_distance, "beyond": graph.beyond}
    return asdict(graph.provenance) | identity


def _known(values: Row) -> Row:
    return {name: value for name, value in values.items() if value is not None}


def _nodes(graph: SampleGraph) -> Iterator[tuple[str, Row]]:
    for k, layer in enumerate(graph.layers):
        names, kinds, units = layer.names(), layer.kinds, layer.units.tolist()
        measures = _measures(graph, k)
        for position, name in enumerate(names):
            place = {"layer": k, "position": position, "block": layer.block, "row": layer.row}
            own = {"kind": kinds[position], "index": units[position]}
            yield name, place | own | measures[position]


def _measures(graph: SampleGraph, layer: int) -> list[Row]:
    """Return the dimensions of a layer's neurons, those there are."""
    rows: list[Row] = [{} for _ in range(graph.layers[layer].size)]
    if graph.measures is None:
        return rows
    arrays: dict[str, FloatArray] = {
        "nfd": graph.measures.nfd[layer],
        "nfd_own": graph.measures.nfd_own[layer],
    }
    for name, values in arrays.items():
        for position in np.flatnonzero(~np.isnan(values)).tolist():
            rows[position][name] = float(values[position])
    return rows if graph.tests is None else _with_tests(rows, graph.tests, layer)


def _with_tests(rows: list[Row], tests: NeuronTests, layer: int) -> list[Row]:
    """Return what neurons have, with how they stand against chance; the dimension stays that of the graph."""
    found = (values_at(tests, layer, position) for position in range(len(rows)))
    return [
        _known({name: value for name, value in one.items() if name != "nfd"}) | row
        for one, row in zip(found, rows, strict=True)
    ]


def _edges(graph: SampleGraph) -> Iterator[tuple[int, int, float, float | None]]:
    """Yield source and target by their numbers, distance, and weight or None."""
    first = _first_numbers(graph)
    for k, edges in enumerate(graph.edges):
        weights: list[float | None] = edges.weight.tolist()
        if graph.artificial[k]:
            weights = [None] * edges.size
        sources, targets = (edges.source + first[k]).tolist(), (edges.target + first[k + 1]).tolist()
        yield from zip(sources, targets, edges.distance.tolist(), weights, strict=True)


def plain_row(result: CheckpointResult) -> Row:
    """Return the single numbers and words of a result."""
    nodes, edges = result.coverage.nodes, result.coverage.edges
    row: Row = {"step": result.step, "revision": result.revision, "tokens": result.tokens}
    for name in ESTIMATES:
        row |= _spread(name, getattr(result, name))
    row["emergence_reason"] = result.emergence_reason
    for null, metrics in (result.nulls or {}).items():
        for name in ESTIMATES:
            row |= _spread(f"{null}_{name}", getattr(metrics, name))
    row |= _beyond_scale(result)
    row |= {"samples": result.alpha0.n, "nodes_kept": nodes.kept, "nodes_total": nodes.total}
    row |= {"edges_kept": edges.kept} | {f"edges_{why}": count for why, count in edges.dropped.items()}
    row |= {f"r_squared_at_{q}": value for q, value in result.r_squared.items()}
    row |= _matrices(result)
    row |= _neurons(result)
    identity = {"analysis_hash": result.analysis_hash, "method_version": result.method_version}
    return row | {"flags": result.flags} | identity


def _beyond_scale(result: CheckpointResult) -> Row:
    """Return excess, terms, the reading in profile shape and the verdict; empty ones where there are none."""
    row: Row = {}
    for prefix, excess in (("excess", result.excess), ("shape_excess", result.shape and result.shape.excess)):
        for null, over in (excess or {}).items():
            for name in (*ESTIMATES, "nfd_variance"):
                own = getattr(over, name)
                parts = {part: getattr(own, part, None) for part in EXCESS}
                row |= {f"{prefix}_{null}_{name}": getattr(own, "value", None)}
                row |= {f"{prefix}_{null}_{name}_{part}": value for part, value in parts.items()}
            row |= _by_block(f"{prefix}_{null}", over)
    for name, terms in (result.terms or {}).items():
        row |= {f"term_{term}_{name}": getattr(terms, term).value for term in TERMS}
    for name in ESTIMATES if result.shape else ():
        row |= _spread(f"shape_{name}", getattr(result.shape, name))
    row["shape_reason"] = result.shape_reason
    for question in ("structure", "changed"):
        effect = getattr(result.verdict, question, None)
        row |= {question: getattr(effect, "answer", None)}
        row |= {f"{question}_{part}": getattr(effect, part, None) for part in EFFECT}
    return row


def _by_block(prefix: str, over: NullExcess) -> Row:
    """Return the excess of every block with its p, nothing of results measured before it was kept."""
    row: Row = {}
    for block, own in over.by_block.items():
        for each in fields(own):
            excess, column = getattr(own, each.name), f"{prefix}_block_{block}_{each.name}"
            row |= {column: excess.value, f"{column}_p": excess.p}
    return row


def _matrices(result: CheckpointResult) -> Row:
    """Return the plain measures by matrix kind, each with those of the shuffled and the rewired parts."""
    row: Row = {}
    for kind, figures in result.matrices.by_kind.items() if result.matrices else ():
        for name in (each.name for each in fields(MatrixFigures)):
            own, column = getattr(figures, name), f"matrix_{kind}_{name}"
            row |= {column: own.value, f"{column}_shuffled": own.shuffled, f"{column}_rewired": own.rewired}
    return row


def _neurons(result: CheckpointResult) -> Row:
    """Return how many neurons were tested against chance, and how many depart."""
    samples = result.neurons.samples if result.neurons else ()
    totals = {
        "neurons_tested": "tested",
        "neurons_by_nfd": "by_nfd",
        "neurons_by_strength": "by_strength",
    }
    return (
        {name: sum(getattr(one, own) for one in samples) for name, own in totals.items()} if samples else {}
    )


def _spread(name: str, estimate: Estimate | None) -> Row:
    """Return an estimate as value, low and high; empty ones where there is none."""
    parts = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), parts, strict=True))


def _lists(result: CheckpointResult) -> Row:
    """Return the spectrum and the samples of a result as lists."""
    spectrum = {name: getattr(result.spectrum, name) for name in SPECTRUM}
    samples = {
        f"sample_{name}": [getattr(sample, name) for sample in result.samples]
        for name in ("seed", "alpha0", "width")
    }
    return spectrum | samples

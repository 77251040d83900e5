"""Sampled graphs in the store: written in fenced chunks, shown when complete, read back as columns."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from neuromfa.errors import NotStored, StoreConflict, StoreError, StoreUnavailable
from neuromfa.graph.chance_io import read_tests
from neuromfa.graph.connection import Connection, Row, Transaction
from neuromfa.graph.manifest import (
    LARGEST_SAMPLE,
    LayerShape,
    Manifest,
    canonical,
    graph_from,
    sample_properties,
)
from neuromfa.graph.sample_leases import COMPLETE, LOADING, Claim, claim, lost, release, renew, wipe
from neuromfa.graph.write_chunks import Piece, chunks
from neuromfa.identity import GRAPH_VERSION
from neuromfa.network import EdgeColumns, FloatArray, IntArray, NeuronMeasures, SampleGraph

READ_EDGES = 100_000
NUMBERS = "sample"  # of samples and of their links alike: a link is newer than every sample before it
SUM_TOLERANCE = 1e-9
Progress = Callable[[int, int], None]


def write_sample(
    connection: Connection,
    checkpoint: str,
    graph: SampleGraph,
    *,
    options_hash: str | None,
    progress: Progress | None,
    graph_version: int = GRAPH_VERSION,
) -> bool:
    """Write a graph and link it to a checkpoint; False when it was already there.

    Killed at any moment it leaves nothing that a reader sees, and the next try completes.

    Parameters
    ----------
    options_hash : of the analysis that gave the graph's measures
    graph_version : another than this one only for graphs that an older version made

    Raises
    ------
    StoreConflict
        Another process is writing, or deleting, the same sample.
    """
    if graph.n_neurons > LARGEST_SAMPLE:
        raise StoreError(f"a sample holds at most {LARGEST_SAMPLE} neurons, not {graph.n_neurons}")
    held = claim(connection, graph.graph_hash, status=LOADING)
    if held is None:
        link(connection, checkpoint, graph.graph_hash)
        return False
    try:
        wipe(connection, held)
        _set_layout(
            connection, held, sample_properties(graph, options_hash=options_hash, graph_version=graph_version)
        )
        _write_all(connection, held, graph, progress)
        _check(connection, held, graph)
        _complete(connection, held, checkpoint)
    except StoreUnavailable:
        raise
    except BaseException:
        release(connection, held)
        raise
    return True


def _write_all(connection: Connection, held: Claim, graph: SampleGraph, progress: Progress | None) -> None:
    done = 0
    for number, chunk in enumerate(chunks(graph, connection.dialect), start=1):
        _write_chunk(connection, held, number, chunk)
        done += sum(piece.edges for piece in chunk)
        if progress is not None:
            progress(done, graph.n_edges)


def _set_layout(connection: Connection, held: Claim, properties: Row) -> None:
    """Keep the manifest first, so that whoever cleans up after us knows the layers."""
    own = {"id": held.id, "writer": held.writer, "properties": properties}
    if connection.write(lambda transaction: transaction.one("write/set_layout", **own)) is None:
        raise lost(held)


def _write_chunk(connection: Connection, held: Claim, number: int, chunk: list[Piece]) -> None:
    """Write one chunk once, whatever happens to the connection, if we still hold the sample."""
    fence = {"id": held.id, "writer": held.writer, "chunk": number, "lease_ms": held.lease_ms}

    def work(transaction: Transaction) -> None:
        if transaction.one("write/fence", **fence) is None:
            renew(transaction, held)  # raises when lost; else this chunk was committed and we did not hear it
            return
        for piece in chunk:
            transaction.rows_of(piece.text, piece.of_sample(held.number))

    # a long transaction that locked the unit too would be in the way of the thread that keeps its lease
    connection.write(work, fenced=False)


def _check(connection: Connection, held: Claim, graph: SampleGraph) -> None:
    """Compare counts and control sums of every layer with what was to be written, in one transaction."""

    def work(transaction: Transaction) -> None:
        for k, layer in enumerate(graph.layers):
            found = transaction.rows("read/layer_size", sample=held.number, layer=k)[0]["neurons"]
            if found != layer.size:
                raise StoreError(f"layer {k} has {found} neurons in the store, not {layer.size}; try again")
        for k, columns in enumerate(graph.edges):
            sums = transaction.rows("read/layer_sums", sample=held.number, layer=k)[0]
            total = float(columns.distance.sum())
            close = abs((sums["distance"] or 0.0) - total) <= SUM_TOLERANCE * max(abs(total), 1.0)
            if sums["edges"] != columns.size or not close:
                raise StoreError(f"the edges of layer {k} are not in the store as they were sent; try again")

    connection.read(work, timeout_s=connection.limits.longest_query_s)


def _complete(connection: Connection, held: Claim, checkpoint: str) -> None:
    """Show the sample to readers."""

    def work(transaction: Transaction) -> None:
        if transaction.one("write/complete_sample", id=held.id, writer=held.writer) is None:
            found = transaction.one("read/sample_number", id=held.id)
            if found is None or found["status"] != COMPLETE:
                raise lost(held)
        _link(transaction, checkpoint, held.id)

    connection.write(work)


def link(connection: Connection, checkpoint: str, graph_hash: str) -> None:
    """Make a complete sample the newest of a checkpoint."""
    connection.write(lambda transaction: _link(transaction, checkpoint, graph_hash))


def _link(transaction: Transaction, checkpoint: str, graph_hash: str) -> None:
    serial = transaction.rows("write/next_number", counter=NUMBERS)[0]["number"]
    if transaction.one("write/link_sample", checkpoint=checkpoint, id=graph_hash, serial=serial) is not None:
        return
    if transaction.one("read/checkpoint", id=checkpoint) is None:
        raise NotStored(f"checkpoint {checkpoint} is not in the store; write it before its samples")
    raise StoreConflict(f"sample {graph_hash[:12]} has just been deleted by another process; try again")


def read_sample(connection: Connection, manifest: Manifest, *, timeout_s: float | None = None) -> SampleGraph:
    """Read a graph as columns, a query or a few a layer, and prove it by its checksum.

    Edges come back ordered by source, then target.
    """
    layers = list(enumerate(manifest.layout))
    columns = [_read_neurons(connection, manifest, k, timeout_s=timeout_s) for k, _ in layers]
    units = [indexes for indexes, _, _ in columns]
    edges = [read_edges(connection, manifest, k, timeout_s=timeout_s) for k, _ in layers[:-1]]
    measures = NeuronMeasures(tuple(nfd for _, nfd, _ in columns), tuple(own for _, _, own in columns))
    graph = graph_from(manifest, units, edges, measures)
    return replace(graph, tests=read_tests(connection, manifest, timeout_s=timeout_s))


def read_edges(
    connection: Connection, manifest: Manifest, layer: int, *, timeout_s: float | None = None
) -> EdgeColumns:
    """Read all edges that leave one layer, in pages of about `READ_EDGES`."""
    shape = manifest.layout[layer]
    name = "read/sample_wiring" if shape.artificial else "read/sample_edges"
    pages = [
        connection.read(
            lambda transaction, page=page: transaction.rows(  # type: ignore[misc]
                name, sample=manifest.number, layer=layer, **page
            )[0],
            timeout_s=timeout_s,
        )
        for page in _pages(shape)
    ]
    return canonical(_joined([_edge_columns(page) for page in pages]))


def _pages(shape: LayerShape) -> Iterator[dict[str, int]]:
    """Yield ranges of positions with about `READ_EDGES` edges each."""
    if shape.size == 0 or shape.edges == 0:
        return
    step = max(1, READ_EDGES * shape.size // shape.edges)
    for first in range(0, shape.size, step):
        yield {"first": first, "last": min(first + step, shape.size) - 1}


def _edge_columns(row: Row) -> EdgeColumns:
    source = np.array(row["source"], dtype=np.int64)
    weight = row.get("weight")
    return EdgeColumns(
        source=source,
        target=np.array(row["target"], dtype=np.int64),
        distance=np.array(row["distance"], dtype=np.float64),
        weight=np.full(source.size, np.nan) if weight is None else np.array(weight, dtype=np.float64),
    )


def _joined(pages: list[EdgeColumns]) -> EdgeColumns:
    if len(pages) == 1:
        return pages[0]
    pages = pages or [_edge_columns({"source": [], "target": [], "distance": []})]
    names = ("source", "target", "distance", "weight")
    return EdgeColumns(*(np.concatenate([getattr(page, name) for page in pages]) for name in names))


def _read_neurons(
    connection: Connection, manifest: Manifest, layer: int, *, timeout_s: float | None
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return units, nfd and nfd_own of one layer in the order of positions."""
    number, size = manifest.number, manifest.layout[layer].size
    row = connection.read(
        lambda transaction: transaction.rows("read/sample_neurons", sample=number, layer=layer)[0],
        timeout_s=timeout_s,
    )
    table = row["neurons"]
    if [line[0] for line in table] != list(range(size)):
        raise NotStored(
            f"layer {layer} of sample {manifest.seed} is not there; it may just have been deleted"
        )
    indexes = np.array([line[1] for line in table], dtype=np.int64)
    measures = np.array([line[2:] for line in table], dtype=np.float64).reshape(-1, 2)
    return indexes, measures[:, 0].copy(), measures[:, 1].copy()

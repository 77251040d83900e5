"""Sampled graphs in the store: written in fenced chunks, shown when complete, read back as columns."""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuromfa.errors import NotStored, StoreConflict, StoreError
from neuromfa.graph.connection import Connection, Row, Transaction
from neuromfa.graph.manifest import (
    LARGEST_SAMPLE,
    SAMPLE_BITS,
    LayerShape,
    Manifest,
    canonical,
    graph_from,
    layout_from,
    properties_of,
)
from neuromfa.graph.queries import query
from neuromfa.network import EdgeColumns, FloatArray, IntArray, NeuronMeasures, SampleGraph

LEASE_MS = 20_000
LEASE_SLACK_S = 0.25
READ_EDGES = 100_000
SUM_TOLERANCE = 1e-9
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Claim:
    """The right to write or delete one sample for the time of a lease.

    Attributes
    ----------
    id : the graph's hash
    writer : who we are; a random name, so that nobody else is
    number : the sample's number
    """

    id: str
    writer: str
    number: int


def write_sample(
    connection: Connection,
    checkpoint: str,
    graph: SampleGraph,
    *,
    options_hash: str | None,
    progress: Progress | None,
) -> bool:
    """Write a graph and link it to a checkpoint; False when it was already there.

    Killed at any moment it leaves nothing that a reader sees, and the next try completes.

    Raises
    ------
    StoreConflict
        Another process is writing, or deleting, the same sample.
    """
    if graph.n_neurons > LARGEST_SAMPLE:
        raise StoreError(f"a sample holds at most {LARGEST_SAMPLE} neurons, not {graph.n_neurons}")
    claim = _claim(connection, graph.graph_hash, status="loading")
    if claim is None:
        _link(connection, checkpoint, graph.graph_hash)
        return False
    _wipe(connection, claim)
    _set_layout(connection, claim, properties_of(graph, options_hash=options_hash))
    done = 0
    for number, chunk in enumerate(_chunks(connection, graph), start=1):
        _write_chunk(connection, claim, number, chunk)
        done += sum(piece.edges for piece in chunk)
        if progress is not None:
            progress(done, graph.n_edges)
    _check(connection, claim, graph)
    _complete(connection, claim, checkpoint)
    return True


def delete_sample(connection: Connection, checkpoint: str, graph_hash: str) -> None:
    """Take a sample from a checkpoint, and delete it when no other checkpoint has it.

    Readers stop seeing it at once; its neurons go in small transactions.
    """

    def unlink(transaction: Transaction) -> bool:
        row = transaction.one("write/unlink_sample", checkpoint=checkpoint, id=graph_hash)
        return row is None or row["others"] == 0

    _delete(connection, graph_hash, unless=unlink)


def sweep(connection: Connection) -> int:
    """Delete what killed writers and deleters left behind and nobody took over; return how many samples."""
    left = connection.read(lambda transaction: transaction.rows("read/abandoned_samples"))
    for row in left:
        _delete(connection, row["id"])
    return len(left)


def read_sample(connection: Connection, manifest: Manifest, *, timeout_s: float | None = None) -> SampleGraph:
    """Read a graph as columns, one query a layer, and prove it by its checksum.

    Edges come back ordered by source, then target.
    """
    units, nfd, nfd_own = [], [], []
    for layer, shape in enumerate(manifest.layout):
        columns = _read_neurons(connection, manifest.number, layer, shape, timeout_s=timeout_s)
        units.append(columns[0])
        nfd.append(columns[1])
        nfd_own.append(columns[2])
    edges = [
        read_edges(connection, manifest.number, layer, shape, timeout_s=timeout_s)
        for layer, shape in enumerate(manifest.layout[:-1])
    ]
    return graph_from(manifest, units, edges, NeuronMeasures(tuple(nfd), tuple(nfd_own)))


def read_edges(
    connection: Connection, sample: int, layer: int, shape: LayerShape, *, timeout_s: float | None = None
) -> EdgeColumns:
    """Read all edges that leave one layer, in pages of about `READ_EDGES`."""
    name = "read/sample_wiring" if shape.artificial else "read/sample_edges"
    pages = []
    for first, last in _pages(shape):
        row = connection.read(
            lambda transaction, first=first, last=last: transaction.one(  # type: ignore[misc]
                name, sample=sample, layer=layer, first=first, last=last
            ),
            timeout_s=timeout_s,
        )
        pages.append(_edge_columns(row or {}))
    return canonical(_joined(pages))


def _pages(shape: LayerShape) -> Iterator[tuple[int, int]]:
    """Yield ranges of positions with about `READ_EDGES` edges each."""
    if shape.size == 0 or shape.edges == 0:
        return
    step = max(1, READ_EDGES * shape.size // shape.edges)
    for first in range(0, shape.size, step):
        yield first, min(first + step, shape.size) - 1


def _edge_columns(row: Row) -> EdgeColumns:
    source = np.array(row.get("source", []), dtype=np.int64)
    weight = row.get("weight")
    return EdgeColumns(
        source=source,
        target=np.array(row.get("target", []), dtype=np.int64),
        distance=np.array(row.get("distance", []), dtype=np.float64),
        weight=np.full(source.size, np.nan) if weight is None else np.array(weight, dtype=np.float64),
    )


def _joined(pages: list[EdgeColumns]) -> EdgeColumns:
    if len(pages) == 1:
        return pages[0]
    pages = pages or [_edge_columns({})]
    return EdgeColumns(
        np.concatenate([page.source for page in pages]),
        np.concatenate([page.target for page in pages]),
        np.concatenate([page.distance for page in pages]),
        np.concatenate([page.weight for page in pages]),
    )


def _read_neurons(
    connection: Connection, sample: int, layer: int, shape: LayerShape, *, timeout_s: float | None
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return units, nfd and nfd_own of one layer in the order of positions."""
    row = connection.read(
        lambda transaction: transaction.one("read/sample_neurons", sample=sample, layer=layer),
        timeout_s=timeout_s,
    )
    table = (row or {"neurons": []})["neurons"]
    if [line[0] for line in table] != list(range(shape.size)):
        raise NotStored(
            f"layer {layer} of sample number {sample} is not complete; it may just have been deleted"
        )
    numbers = np.array([line[1] for line in table], dtype=np.int64)
    measures = np.array([line[2:] for line in table], dtype=np.float64).reshape(-1, 2)
    return numbers, measures[:, 0].copy(), measures[:, 1].copy()


def _claim(
    connection: Connection,
    graph_hash: str,
    *,
    status: str,
    unless: Callable[[Transaction], bool] | None = None,
) -> Claim | None:
    """Become the one who writes or deletes; waits for the end of a lease whose holder is silent.

    Returns None when there is nothing to do: it is complete and `status` is loading, or `unless` says no.
    """
    writer = uuid.uuid4().hex
    waited_for = None
    while True:
        claim = connection.write(
            lambda transaction: _try_claim(transaction, graph_hash, writer, status, unless)
        )
        if not isinstance(claim, Held):
            return claim
        if waited_for is not None and claim.lease != waited_for:
            raise StoreConflict(
                f"another process is {claim.status} sample {graph_hash[:12]}; wait for it, or end it"
            )
        waited_for = claim.lease
        time.sleep(claim.seconds + LEASE_SLACK_S)


@dataclass(frozen=True)
class Held:
    """Somebody else's claim: what they do, until when by the server's clock, how long that is from now."""

    status: str
    lease: int
    seconds: float


def _try_claim(
    transaction: Transaction,
    graph_hash: str,
    writer: str,
    status: str,
    unless: Callable[[Transaction], bool] | None,
) -> Claim | Held | None:
    found = transaction.rows("write/claim_sample", id=graph_hash)[0]
    if found["status"] == "complete" and status == "loading":
        return None
    if unless is not None and not unless(transaction):
        return None
    # a claim of our own is met when the driver repeats a commit whose answer was lost
    if found["lease"] > found["now"] and found["writer"] != writer:
        return Held(found["status"], found["lease"], (found["lease"] - found["now"]) / 1000)
    number = found["number"] or transaction.rows("write/next_number", counter="sample")[0]["number"]
    transaction.rows(
        "write/take_sample", id=graph_hash, writer=writer, number=number, status=status, lease_ms=LEASE_MS
    )
    return Claim(graph_hash, writer, number)


def _wipe(connection: Connection, claim: Claim) -> None:
    """Delete all neurons a former writer left, a few at a time."""
    row = connection.read(lambda transaction: transaction.one("read/sample_number", id=claim.id))
    layers = len(layout_from(row["layout"] if row else None))
    for layer in range(layers):
        while _wipe_some(connection, claim, layer):
            pass


def _wipe_some(connection: Connection, claim: Claim, layer: int) -> int:
    """Delete a few neurons of a layer, if we still hold the sample."""
    limit = connection.dialect.delete_neurons

    def work(transaction: Transaction) -> int:
        _renew(transaction, claim)
        parameters = {"sample": claim.number, "layer": layer, "limit": limit}
        return int(transaction.rows("write/delete_neurons", **parameters)[0]["deleted"])

    return connection.write(work)


def _renew(transaction: Transaction, claim: Claim) -> None:
    """Prove that we still hold the sample and lengthen the lease."""
    row = transaction.one("write/renew_sample", id=claim.id, writer=claim.writer, lease_ms=LEASE_MS)
    if row is None:
        raise _lost(claim)


def _lost(claim: Claim) -> StoreConflict:
    return StoreConflict(
        f"sample {claim.id[:12]} was taken over by another process because this one was silent for more than "
        f"{LEASE_MS / 1000:.0f} s; let that one finish, or try again"
    )


def _set_layout(connection: Connection, claim: Claim, properties: Row) -> None:
    row = connection.write(
        lambda transaction: transaction.one(
            "write/set_layout", id=claim.id, writer=claim.writer, properties=properties
        )
    )
    if row is None:
        raise _lost(claim)


@dataclass(frozen=True)
class Piece:
    """One statement of a chunk.

    Attributes
    ----------
    name : query
    kind : kind of neuron for the label, or None
    parameters : without the sample's number
    edges : how many it makes
    """

    name: str
    kind: str | None
    parameters: dict[str, Any]
    edges: int


def _chunks(connection: Connection, graph: SampleGraph) -> Iterator[list[Piece]]:
    """Yield what is written in one transaction each: first the neurons, then the edges."""
    yield from _packed(_neuron_pieces(graph), connection.dialect.chunk_neurons, lambda piece: _rows(piece))
    yield from _packed(
        _edge_pieces(graph, connection.dialect.chunk_edges),
        connection.dialect.chunk_edges,
        lambda piece: piece.edges,
    )


def _rows(piece: Piece) -> int:
    return len(piece.parameters["positions"])


def _packed(pieces: Iterator[Piece], limit: int, weight: Callable[[Piece], int]) -> Iterator[list[Piece]]:
    """Put pieces together until a transaction is full."""
    chunk: list[Piece] = []
    filled = 0
    for piece in pieces:
        if chunk and filled + weight(piece) > limit:
            yield chunk
            chunk, filled = [], 0
        chunk.append(piece)
        filled += weight(piece)
    if chunk:
        yield chunk


def _neuron_pieces(graph: SampleGraph) -> Iterator[Piece]:
    running = 0
    for k, layer in enumerate(graph.layers):
        names, nfd, nfd_own = layer.names(), _measure(graph, k, "nfd"), _measure(graph, k, "nfd_own")
        position = 0
        for part in layer.parts:
            here = slice(position, position + part.units.size)
            yield Piece(
                "write/neurons",
                part.kind,
                {
                    "layer": k,
                    "block": layer.block,
                    "kind": part.kind,
                    "first_key": running,
                    "names": names[here],
                    "positions": list(range(here.start, here.stop)),
                    "indexes": part.units.tolist(),
                    "nfd": nfd[here],
                    "nfd_own": nfd_own[here],
                },
                0,
            )
            position, running = here.stop, running + part.units.size


def _measure(graph: SampleGraph, layer: int, name: str) -> list[float | None]:
    """Return one measure of a layer's neurons; the store knows null, not NaN."""
    if graph.measures is None:
        return [None] * graph.layers[layer].size
    values = getattr(graph.measures, name)[layer]
    return [None if value != value else value for value in values.tolist()]


def _edge_pieces(graph: SampleGraph, limit: int) -> Iterator[Piece]:
    for k, columns in enumerate(graph.edges):
        for first in range(0, columns.size, limit):
            here = slice(first, first + limit)
            parameters = {
                "layer": k,
                "source": columns.source[here].tolist(),
                "target": columns.target[here].tolist(),
                "distance": columns.distance[here].tolist(),
            }
            if not graph.artificial[k]:
                parameters["weight"] = columns.weight[here].tolist()
            name = "write/wiring" if graph.artificial[k] else "write/edges"
            yield Piece(name, None, parameters, len(parameters["source"]))


def _write_chunk(connection: Connection, claim: Claim, number: int, chunk: list[Piece]) -> None:
    """Write one chunk once, whatever happens to the connection, if we still hold the sample."""

    def work(transaction: Transaction) -> None:
        held = transaction.one(
            "write/fence", id=claim.id, writer=claim.writer, chunk=number, lease_ms=LEASE_MS
        )
        if held is None:
            _renew(
                transaction, claim
            )  # raises when lost; else the chunk was committed and the answer was not heard
            return
        for piece in chunk:
            transaction.rows_of(_text(piece), _parameters(piece, claim))

    connection.write(work)


def _text(piece: Piece) -> Any:
    found = query(piece.name)
    return found.text if piece.kind is None else found.of_kind(piece.kind)


def _parameters(piece: Piece, claim: Claim) -> Row:
    parameters = piece.parameters | {"sample": claim.number}
    if "first_key" in parameters:
        first = (claim.number << SAMPLE_BITS) + parameters.pop("first_key")
        parameters["keys"] = [first + k for k in range(_rows(piece))]
    return parameters


def _check(connection: Connection, claim: Claim, graph: SampleGraph) -> None:
    """Compare counts and control sums of every layer with what was to be written."""
    for k, layer in enumerate(graph.layers):
        size = connection.read(lambda t, k=k: t.rows("read/layer_size", sample=claim.number, layer=k)[0])  # type: ignore[misc]
        if size["neurons"] != layer.size:
            raise StoreError(
                f"layer {k} has {size['neurons']} neurons in the store instead of {layer.size}; try again"
            )
    for k, columns in enumerate(graph.edges):
        sums = connection.read(lambda t, k=k: t.rows("read/layer_sums", sample=claim.number, layer=k)[0])  # type: ignore[misc]
        total = float(columns.distance.sum())
        close = abs((sums["distance"] or 0.0) - total) <= SUM_TOLERANCE * max(abs(total), 1.0)
        if sums["edges"] != columns.size or not close:
            raise StoreError(f"the edges of layer {k} are not in the store as they were sent; try again")


def _complete(connection: Connection, claim: Claim, checkpoint: str) -> None:
    """Show the sample to readers."""

    def work(transaction: Transaction) -> None:
        if transaction.one("write/complete_sample", id=claim.id, writer=claim.writer) is None:
            found = transaction.one("read/sample_number", id=claim.id)
            if found is None or found["status"] != "complete":
                raise _lost(claim)
        _link_in(transaction, checkpoint, claim.id)

    connection.write(work)


def _link(connection: Connection, checkpoint: str, graph_hash: str) -> None:
    connection.write(lambda transaction: _link_in(transaction, checkpoint, graph_hash))


def _link_in(transaction: Transaction, checkpoint: str, graph_hash: str) -> None:
    if transaction.one("write/link_sample", checkpoint=checkpoint, id=graph_hash) is not None:
        return
    if transaction.one("read/checkpoint", id=checkpoint) is None:
        raise NotStored(f"checkpoint {checkpoint} is not in the store; write it before its samples")
    raise StoreConflict(f"sample {graph_hash[:12]} has just been deleted by another process; try again")


def _delete(
    connection: Connection, graph_hash: str, *, unless: Callable[[Transaction], bool] | None = None
) -> None:
    claim = _claim(connection, graph_hash, status="deleting", unless=unless)
    if claim is None:
        return
    _wipe(connection, claim)
    connection.write(
        lambda transaction: transaction.rows("write/delete_sample", id=claim.id, writer=claim.writer)
    )

"""How the neurons of stored samples stand against chance: written beside a complete graph, read with it.

It is no part of the graph: the same graph may be tested later, or again, and its checksum stays.
"""

from collections.abc import Iterator

import numpy as np

from neuromfa.errors import NotStored
from neuromfa.graph.connection import Connection, Row
from neuromfa.graph.manifest import Manifest
from neuromfa.network import FloatArray, NeuronTests, TestedMeasure

COLUMNS = (
    *(("nfd", "value"), ("nfd", "z"), ("nfd", "p"), ("nfd", "p_adjusted")),
    *(("strength", "value"), ("strength", "z"), ("strength", "p"), ("strength", "p_adjusted")),
)
"""Measure and column, in the order in which they are read."""
PARAMETERS = (
    *("nfd_tested", "nfd_z", "nfd_p", "nfd_p_adjusted"),
    *("strength", "strength_z", "strength_p", "strength_p_adjusted"),
)
"""What they are called on a neuron."""


def write_tests(connection: Connection, manifest: Manifest, tests: NeuronTests, *, options_hash: str) -> None:
    """Set the tests on the neurons of a sample, and at the end say that they are all there.

    Raises
    ------
    NotStored : the sample has just been deleted
    """
    for rows in _rows(manifest, tests, connection.dialect.chunk_neurons):
        connection.write(lambda transaction, rows=rows: transaction.rows("write/neuron_tests", **rows))  # type: ignore[misc]
    mark = {"id": manifest.graph_hash, "options_hash": options_hash, "draws": tests.draws}
    if connection.write(lambda transaction: transaction.one("write/mark_tested", **mark)) is None:
        raise NotStored(
            f"sample {manifest.graph_hash[:12]} has just been deleted by another process; try again"
        )


def _rows(manifest: Manifest, tests: NeuronTests, limit: int) -> Iterator[Row]:
    columns = [np.concatenate(getattr(getattr(tests, measure), name)) for measure, name in COLUMNS]
    for first in range(0, manifest.n_neurons, limit):
        last = min(first + limit, manifest.n_neurons)
        keys = list(range(manifest.first_key + first, manifest.first_key + last))
        values = [_with_null(column[first:last]) for column in columns]
        yield {"keys": keys} | dict(zip(PARAMETERS, values, strict=True))


def _with_null(column: FloatArray) -> list[float | None]:
    return [None if value != value else value for value in column.tolist()]


def read_tests(connection: Connection, manifest: Manifest, *, timeout_s: float | None) -> NeuronTests | None:
    """Return the tests of a sample, layer by layer; None where its neurons were not tested."""
    if manifest.tested is None:
        return None
    layers = [_read_layer(connection, manifest, k, timeout_s=timeout_s) for k in range(len(manifest.layout))]
    return tests_from(
        {pair: tuple(layer[:, i] for layer in layers) for i, pair in enumerate(COLUMNS)}, manifest
    )


def tests_from(columns: dict[tuple[str, str], tuple[FloatArray, ...]], manifest: Manifest) -> NeuronTests:
    """Put the tests of a sample together from their columns, each one array a layer."""
    measures = {
        measure: TestedMeasure(**{name: columns[own, name] for own, name in COLUMNS if own == measure})
        for measure in ("nfd", "strength")
    }
    return NeuronTests(draws=manifest.test_draws or 0, **measures)


def _read_layer(
    connection: Connection, manifest: Manifest, layer: int, *, timeout_s: float | None
) -> FloatArray:
    """Return the columns of one layer, shape (size, 8)."""
    row = connection.read(
        lambda transaction: transaction.rows("read/sample_tests", sample=manifest.number, layer=layer)[0],
        timeout_s=timeout_s,
    )
    found: FloatArray = np.array(row["neurons"], dtype=np.float64).reshape(-1, len(COLUMNS))
    if len(found) != manifest.layout[layer].size:
        raise NotStored(
            f"layer {layer} of sample {manifest.seed} is not there; it may just have been deleted"
        )
    return found

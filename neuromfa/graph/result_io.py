"""Results in the store: every record is kept whole, and its numbers can be queried."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from neuromfa.graph.codec import from_text, to_text
from neuromfa.graph.connection import Connection, Row, Transaction
from neuromfa.identity import canonical_json, content_hash
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, Estimate, NullMetrics


def options_hash(options: AnalysisOptions) -> str:
    """Return the identity of a set of options."""
    return content_hash(options.as_json())


def properties_of(result: CheckpointResult, options: AnalysisOptions) -> Row:
    """Return what stands on a Spectrum node: the whole record as text, and its numbers to query."""
    numbers = {name: getattr(result.spectrum, name) for name in asdict(result.spectrum)}
    edges, nodes = result.coverage.edges, result.coverage.nodes
    return {
        "document": to_text(result),
        "options": canonical_json(options.as_json()),
        "options_hash": options_hash(options),
        "profile": options.profile,
        "hops": options.hops,
        **numbers,
        **dict(_estimates(result)),
        "emergence_reason": result.emergence_reason,
        "flags": result.flags,
        "r_squared_q": [float(q) for q, value in result.r_squared.items() if value is not None],
        "r_squared": [value for value in result.r_squared.values() if value is not None],
        "nodes_kept": nodes.kept,
        "nodes_total": nodes.total,
        "edges_kept": edges.kept,
        **{f"edges_{reason}": count for reason, count in edges.dropped.items()},
        "sample_seeds": [sample.seed for sample in result.samples],
        "sample_alpha0": [sample.alpha0 for sample in result.samples],
        "sample_width": [sample.width for sample in result.samples],
        "sample_tau": [tau for sample in result.samples for tau in sample.tau],
    }


def _estimates(result: CheckpointResult) -> Iterator[tuple[str, float | None]]:
    """Yield alpha0, alpha0_low ... and the same of every null under its name."""
    yield from _metrics("", result)
    for name, null in (result.nulls or {}).items():
        yield from _metrics(f"{name}_", null)


def _metrics(prefix: str, record: CheckpointResult | NullMetrics) -> Iterator[tuple[str, float | None]]:
    for name in ("alpha0", "width", "emergence"):
        estimate: Estimate | None = getattr(record, name)
        if estimate is not None:
            yield f"{prefix}{name}", estimate.value
            yield f"{prefix}{name}_low", estimate.low
            yield f"{prefix}{name}_high", estimate.high


def write_result(
    connection: Connection, checkpoint: str, result: CheckpointResult, options: AnalysisOptions
) -> bool:
    """Write a result and make it the newest of its checkpoint; False when it was that already."""
    properties = properties_of(result, options)

    def work(transaction: Transaction) -> bool:
        links = transaction.rows("read/spectrum_links", checkpoint=checkpoint)
        if links and links[-1]["id"] == result.analysis_hash:
            return False
        transaction.rows("write/spectrum", id=result.analysis_hash, properties=properties)
        serial = transaction.rows("write/next_number", counter="spectrum")[0]["number"]
        transaction.rows("write/link_spectrum", checkpoint=checkpoint, id=result.analysis_hash, serial=serial)
        return result.analysis_hash not in [link["id"] for link in links]

    return connection.write(work)


def result_from(row: Row) -> CheckpointResult:
    """Return the record of a row; step and revision are those of the checkpoint it was reached through.

    Two checkpoints with the same weights share one Spectrum node.
    """
    return replace(from_text(CheckpointResult, row["document"]), step=row["step"], revision=row["revision"])


def newest(rows: list[Row]) -> list[Row]:
    """Keep the last row of every checkpoint, in order of steps."""
    return list({row["rank"]: row for row in rows}.values())


def options_from(text: str) -> AnalysisOptions:
    """Return the options an analysis was done with."""
    values: dict[str, Any] = json.loads(text)
    return AnalysisOptions.from_json(values)

"""Results in the store: every record is kept whole, and what lists, curves and queries need stands beside it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import Any

from neuromfa.graph.connection import Connection, Row, Transaction
from neuromfa.identity import canonical_json, options_hash
from neuromfa.matrices import MatrixFigures
from neuromfa.options import AnalysisOptions
from neuromfa.results import (
    CheckpointResult,
    CurvePoint,
    Estimate,
    NullMetrics,
    from_json,
    to_json,
)
from neuromfa.series_check import Finding, Numbers

DESCRIBED_AT_ONCE = 50


@dataclass(frozen=True)
class StoredPoint:
    """One step of a stored curve, decoded when it is read.

    Attributes
    ----------
    analysis_hash : identity of the numbers
    notes : what only the other steps tell of it, as JSON, or nothing
    serial : another one whenever the result was written
    """

    step: int | None
    revision: str
    analysis_hash: str
    text: str
    notes: str = ""
    serial: int = 0

    def read(self) -> CurvePoint:
        """Return the numbers; step and revision are those of the checkpoint they were reached through."""
        point = replace(from_json(CurvePoint, self.text), step=self.step, revision=self.revision)
        return noted(point, self.notes)

    def whole(self, document: str) -> CheckpointResult:
        """Return the whole record of this step from the document under its `analysis_hash`."""
        return result_from(document, step=self.step, revision=self.revision, notes=self.notes)


def noted(numbers: Numbers, notes: str | None) -> Numbers:
    """Return numbers with what only the other steps tell of them."""
    return from_json(Finding, notes).on(numbers) if notes else numbers


def result_properties(result: CheckpointResult, options: AnalysisOptions) -> Row:
    """Return what stands on a Spectrum node: the whole record as text, and its numbers to query."""
    numbers = {name: getattr(result.spectrum, name) for name in asdict(result.spectrum)}
    edges, nodes = result.coverage.edges, result.coverage.nodes
    return {
        "document": to_json(result),
        "summary": to_json(CurvePoint.of(result)),
        "reading": to_json(result.reading) if result.reading else None,
        "method_version": result.method_version,
        "options": canonical_json(options.as_json()),
        "options_hash": options_hash(options),
        "profile": options.profile,
        "hops": options.hops,
        **numbers,
        **dict(_estimates(result)),
        **_beyond_scale(result),
        **_matrices(result),
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


def _beyond_scale(result: CheckpointResult) -> Row:
    """Return the verdict and the excess over shuffled weights."""
    effect = result.verdict.structure if result.verdict else None
    excess = (result.excess or {}).get("shuffled")
    values = {"structure": effect.answer, "g": effect.g, "g2": effect.g2} if effect else {}
    for name in ("alpha0", "width", "emergence"):
        own = getattr(excess, name, None)
        values |= {f"excess_{name}": own.value, f"excess_{name}_t": own.t} if own else {}
    return {name: value for name, value in values.items() if value is not None}


def _matrices(result: CheckpointResult) -> Row:
    """Return the plain measures of whole matrices, those of the real weights by kind."""
    kinds = result.matrices.by_kind if result.matrices else {}
    names = [each.name for each in fields(MatrixFigures)]
    values = {
        f"matrix_{kind}_{name}": getattr(one, name).value for kind, one in kinds.items() for name in names
    }
    return {name: value for name, value in values.items() if value is not None}


def _metrics(prefix: str, record: CheckpointResult | NullMetrics) -> Iterator[tuple[str, float | None]]:
    for name in ("alpha0", "width", "emergence"):
        estimate: Estimate | None = getattr(record, name)
        if estimate is not None:
            yield f"{prefix}{name}", estimate.value
            yield f"{prefix}{name}_low", estimate.low
            yield f"{prefix}{name}_high", estimate.high


def writing(
    checkpoint: str, result: CheckpointResult, options: AnalysisOptions, *, again: bool
) -> Callable[[Transaction], bool]:
    """Return what writes a result and makes it the newest of its checkpoint; False when it was that already.

    Written `again` it takes the place of the one of its name, under a new serial: who knows it by that reads it anew.
    """
    properties = result_properties(result, options)

    def work(transaction: Transaction) -> bool:
        links = transaction.rows("read/spectrum_links", checkpoint=checkpoint)
        if links and links[-1]["id"] == result.analysis_hash and not again:
            return False
        transaction.rows("write/spectrum", id=result.analysis_hash, properties=properties)
        if again:
            transaction.rows("write/describe_spectrum", id=result.analysis_hash, properties=properties)
        serial = transaction.rows("write/next_number", counter="spectrum")[0]["number"]
        transaction.rows("write/link_spectrum", checkpoint=checkpoint, id=result.analysis_hash, serial=serial)
        return again or result.analysis_hash not in [link["id"] for link in links]

    return work


def result_from(document: str, *, step: int | None, revision: str, notes: str | None) -> CheckpointResult:
    """Return a whole record from its text; step and revision are those of the checkpoint it was reached through.

    Two checkpoints with the same weights share one Spectrum node.
    """
    return noted(replace(from_json(CheckpointResult, document), step=step, revision=revision), notes)


def options_from(text: str) -> AnalysisOptions:
    """Return the options an analysis was done with."""
    values: dict[str, Any] = json.loads(text)
    return AnalysisOptions.from_json(values)


def describe_older_results(connection: Connection) -> None:
    """Give every result of schema 1 the summary and the method version it lacks; harmless when done twice."""
    while True:
        rows = connection.read(
            lambda transaction: transaction.rows("read/undescribed_spectra", limit=DESCRIBED_AT_ONCE)
        )
        if not rows:
            return
        connection.write(partial(_describe, rows=rows))


def _describe(transaction: Transaction, *, rows: list[Row]) -> None:
    for row in rows:
        result = from_json(CheckpointResult, row["document"])
        lacking = {"summary": to_json(CurvePoint.of(result)), "method_version": result.method_version}
        transaction.rows("write/describe_spectrum", id=row["id"], properties=lacking)

"""Stores as large as a real run, made quickly: ten models of 154 steps, of one measured series under other names."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from neuromfa.analysis import analyze
from neuromfa.checkpoints import open_series
from neuromfa.graph import GraphStore
from neuromfa.graph.catalog import checkpoint_id
from neuromfa.graph.connection import Row, Transaction
from neuromfa.graph.result_io import result_properties
from neuromfa.identity import content_hash
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult

SERIES = Path(__file__).parents[1] / "series" / "stdlib-14m"
MODELS, STEPS, GAP = 10, 154, 1000
AT_ONCE = 40
OPTIONS = AnalysisOptions()


def measured() -> list[CheckpointResult]:
    """Return the two checkpoints that all others are copies of: the first step and a trained one."""
    return analyze(open_series(str(SERIES)), OPTIONS, steps="0,2000").checkpoints


def name_of(k: int) -> str:
    """Return the id of model number k."""
    return f"bench/run-{k}"


def hash_of(model: str, step: int) -> str:
    """Return the identity of the result of a step."""
    return content_hash(["bench", model, step])


def fill(store: GraphStore, *, models: int = MODELS, steps: int = STEPS) -> None:
    """Write series of `steps` steps, `GAP` apart."""
    start, trained = measured()
    for k in range(models):
        write_series(store, name_of(k), [start, *[trained] * (steps - 1)])


def write_series(store: GraphStore, model: str, results: Sequence[CheckpointResult]) -> None:
    """Write a model whose steps have these results, in a few large transactions."""
    store.write_model(model, source="made by a benchmark")
    for k in range(len(results)):
        store.write_checkpoint(model, GAP * k, revision=f"step{GAP * k}")
    rows = list(rows_of(model, results))
    for k in range(0, len(rows), AT_ONCE):
        store.write(partial(_write, rows=rows[k : k + AT_ONCE]))


def rows_of(model: str, results: Sequence[CheckpointResult]) -> Iterator[Row]:
    """Yield what the store keeps of each step."""
    for k, result in enumerate(results):
        own = replace(result, step=GAP * k, revision=f"step{GAP * k}", analysis_hash=hash_of(model, GAP * k))
        yield {
            "checkpoint": checkpoint_id(model, GAP * k),
            "id": own.analysis_hash,
            "properties": result_properties(own, OPTIONS),
        }


def _write(transaction: Transaction, *, rows: Sequence[Row]) -> None:
    for row in rows:
        transaction.rows("write/spectrum", id=row["id"], properties=row["properties"])
        serial = transaction.rows("write/next_number", counter="spectrum")[0]["number"]
        transaction.rows("write/link_spectrum", checkpoint=row["checkpoint"], id=row["id"], serial=serial)

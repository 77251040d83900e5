"""Several series at once: their analyses and the names of their results, in a query each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuromfa.graph.access import StoreAccess
from neuromfa.graph.result_io import StoredPoint
from neuromfa.graph.stored_results import analysis_of
from neuromfa.stored import Analysis


@dataclass(frozen=True)
class NamedPoint:
    """One step of a stored curve, without its numbers.

    Attributes
    ----------
    id : identity of the numbers
    notes : what only the other steps tell of it, as JSON, or nothing
    serial : another one whenever the result was written
    """

    model: str
    step: int | None
    revision: str
    id: str
    notes: str
    serial: int

    @property
    def name(self) -> str:
        """What is another one whenever anything that is shown of the step is."""
        return f"{self.model} {self.step} {self.revision} {self.id} {self.serial}{self.notes}"

    def with_numbers(self, summary: str) -> StoredPoint:
        """Return the point with the numbers of its name."""
        return StoredPoint(self.step, self.revision, self.id, summary, self.notes, self.serial)


def analyses_of(store: StoreAccess, models: Sequence[str]) -> dict[str, list[Analysis]]:
    """Return the analyses of models, of each the one that is served by default first."""
    rows = store.read(lambda transaction: transaction.rows("read/analyses_of_models", models=list(models)))
    found: dict[str, list[Analysis]] = {model: [] for model in models}
    for row in rows:
        found[row["model"]].append(analysis_of(row))
    return found


def failed_of(store: StoreAccess, models: Sequence[str]) -> dict[str, int]:
    """Return how many checkpoints of models could not be measured; those without any are left out."""
    rows = store.read(lambda transaction: transaction.rows("read/failed_of_models", models=list(models)))
    return {row["model"]: row["failed"] for row in rows}


def points_of(store: StoreAccess, chosen: Mapping[str, str]) -> dict[str, list[NamedPoint]]:
    """Return the points of one analysis of each model, by step.

    Parameters
    ----------
    chosen : `options_hash` by model
    """
    parts = {"models": list(chosen), "options_hashes": sorted(set(chosen.values()))}
    rows = store.read(lambda transaction: transaction.rows("read/points_of_models", **parts))
    found: dict[str, list[NamedPoint]] = {model: [] for model in chosen}
    for row in rows:
        if row["options_hash"] == chosen[row["model"]]:
            told = (row[name] for name in ("model", "step", "revision", "id", "notes", "serial"))
            point = NamedPoint(*told)
            found[point.model].append(point)
    return found

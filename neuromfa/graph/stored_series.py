"""A series for those who read it often: what stands where, known at once, and its records as the text they are kept as.

A record never changes under the name of its analysis. What does change, which record is the newest where, is in the
index; and the state of a model tells by one short look whether an index still holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

from neuromfa.errors import NotStored
from neuromfa.graph.access import Page, page_size
from neuromfa.graph.catalog import FAILED, rank_of, ranks_between
from neuromfa.graph.connection import Row, Transaction
from neuromfa.graph.stored_results import (
    Served,
    StoredResults,
    analysis_of,
    chosen_of,
)
from neuromfa.results import FailedCheckpoint
from neuromfa.scores import Score
from neuromfa.stored import Analysis, AnalysisRecord


@dataclass(frozen=True, slots=True)
class StoredStep:
    """The newest result of one analysis at one checkpoint, not read.

    Attributes
    ----------
    rank : by which checkpoints are ordered
    analysis_hash : name of the record
    notes : what only the other steps tell of it, as JSON, or nothing
    serial : another one whenever the result was written
    """

    step: int | None
    rank: int
    revision: str
    analysis_hash: str
    notes: str
    serial: int

    @property
    def name(self) -> str:
        """What is another one whenever anything that is shown of the step is."""
        return f"{self.rank} {self.revision} {self.analysis_hash} {self.serial}{self.notes}"


@dataclass(frozen=True, eq=False)
class SeriesIndex:
    """What stands where in a series.

    Attributes
    ----------
    state : of the model, seen before anything else was
    analyses : the one that is served by default first
    steps : the newest results of every analysis by its options' hash, by rank
    failed : checkpoints that could not be measured when they were last looked at
    """

    model: str
    state: str
    analyses: Sequence[Analysis]
    steps: dict[str, list[StoredStep]]
    failed: list[FailedCheckpoint]
    scores: list[Score]

    def choose(self, **asked: str | None) -> Served:
        """Return the analysis that is served where so much is asked for; `NotStored` where none fits."""
        return chosen_of(self.model, self.analyses, **asked)

    def newest(self, options_hash: str) -> Sequence[StoredStep]:
        """Return the newest results of an analysis, by step."""
        return self.steps.get(options_hash, [])

    def step(self, options_hash: str, step: int | None) -> StoredStep | None:
        """Return the newest result of a checkpoint, None where it has none of that analysis."""
        return self._by_rank.get(options_hash, {}).get(rank_of(step))

    def beginning_at(self, step: StoredStep, *, most: int) -> Sequence[StoredStep]:
        """Return some results of the analysis that a result is of, from that one on, by step."""
        whole = next(steps for steps in self.steps.values() if step in steps)
        at = whole.index(step)
        return whole[at : at + most]

    def page(
        self,
        options_hash: str,
        *,
        limit: int,
        cursor: str | None,
        from_step: int | None = None,
        to_step: int | None = None,
    ) -> Page[StoredStep]:
        """Return a page of the newest results of an analysis, or of those of some steps, by step."""
        size, (after, last) = page_size(limit), ranks_between(cursor, from_step, to_step)
        rest = [one for one in self.newest(options_hash) if after < one.rank <= last]
        return Page(rest[:size], str(rest[size - 1].rank) if len(rest) > size else None)

    @cached_property
    def _by_rank(self) -> dict[str, dict[int, StoredStep]]:
        return {name: {one.rank: one for one in steps} for name, steps in self.steps.items()}


class StoredSeries(StoredResults):
    """Series of a store, for those who read them often."""

    def states(self, models: Iterable[str]) -> dict[str, str]:
        """Return the states of those of the models that are there: the cheapest question about them, one query."""
        rows = self.rows("read/model_states", ids=list(models))
        return {row["id"]: row["state"] or "" for row in rows}

    def series_index(self, model: str) -> SeriesIndex:
        """Return what stands where in a series, in one transaction; `NotStored` without the model.

        Its state is read first: what is written meanwhile makes the index newer than its state, never older.
        """

        def work(transaction: Transaction) -> SeriesIndex | None:
            states = transaction.rows("read/model_states", ids=[model])
            rows = transaction.rows("read/series_index", model=model)
            rows.sort(key=lambda row: (row["rank"], row["serial"] or 0))
            scores = transaction.rows("read/scores", model=model)
            return (
                SeriesIndex(
                    model=model,
                    state=states[0]["state"] or "",
                    analyses=_analyses(transaction, [row for row in rows if row["id"] is not None]),
                    steps=_newest(rows),
                    failed=_failed(rows),
                    scores=[Score(*(row[each.name] for each in fields(Score))) for row in scores],
                )
                if states
                else None
            )

        index = self.read(work)
        if index is None:
            self.model(model)
            return self.series_index(model)  # it has come this moment
        return index

    def not_measured(self, model: str, step: int | None, chosen: AnalysisRecord) -> NotStored:
        """Return the error for a checkpoint that has no result of an analysis, or is not there at all."""
        self.existing(model, step)
        return self._not_measured(model, step, chosen)


def _analyses(transaction: Transaction, rows: Sequence[Row]) -> list[Analysis]:
    """Return the analyses of a series, that with most steps first, of those the one written last."""
    by_hash: dict[str, list[Row]] = {}
    for row in rows:
        by_hash.setdefault(row["options_hash"], []).append(row)
    told = transaction.rows("read/options_of", ids=[own[0]["id"] for own in by_hash.values()])
    options = {row["options_hash"]: row["options"] for row in told}
    found = [
        {
            "options_hash": options_hash,
            "options": options[options_hash],
            "method_version": min(row["method_version"] for row in own),
            "checkpoints": len({row["rank"] for row in own}),
            "serial": max(row["serial"] for row in own),
        }
        for options_hash, own in by_hash.items()
        if options_hash in options
    ]
    found.sort(key=lambda row: (row["checkpoints"], row["serial"]), reverse=True)
    return [analysis_of(row) for row in found]


def _newest(rows: Iterable[Row]) -> dict[str, list[StoredStep]]:
    """Return the last result of every checkpoint and analysis; rows come by rank and serial."""
    newest: dict[str, dict[int, StoredStep]] = {}
    for row in rows:
        if row["id"] is not None:
            notes, serial = row["notes"] or "", row["serial"] or 0
            one = StoredStep(row["step"], row["rank"], row["revision"], row["id"], notes, serial)
            newest.setdefault(row["options_hash"], {})[one.rank] = one
    return {options_hash: list(steps.values()) for options_hash, steps in newest.items()}


def _failed(rows: Iterable[Row]) -> list[FailedCheckpoint]:
    failed = {row["rank"]: row for row in rows if row["status"] == FAILED}
    return [
        FailedCheckpoint(row["step"], row["revision"], row["error"], row["sentence"])
        for row in failed.values()
    ]

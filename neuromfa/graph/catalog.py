"""What is in the store: models and their checkpoints."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from neuromfa.errors import NotStored, OptionError
from neuromfa.graph.access import LARGEST_PAGE, Page, StoreAccess, each, page_size
from neuromfa.graph.connection import Transaction
from neuromfa.model_id import check_model_id
from neuromfa.results import FailedCheckpoint, from_json, to_json
from neuromfa.stored import CheckpointRecord, ModelRecord

NO_STEP = "-"
LAST_RANK = 2**62
LONGEST_SENTENCE = 2000
NO_RANK = -1
OWN_PROPERTIES = ("id", "source", "state")
MOST_SEEN = 8
MEASURED: Literal["measured"] = "measured"
FAILED: Literal["failed"] = "failed"


@dataclass(frozen=True)
class Seen:
    """What reading a checkpoint gave.

    Attributes
    ----------
    key : hash of all that it depends on: the fingerprint of the files, the options, the baseline's files
    analysis : hash of its numbers
    graphs : hashes of the graphs of all seeds
    """

    key: str
    analysis: str
    graphs: tuple[str, ...]


class Catalog(StoreAccess):
    """Models and checkpoints of a store."""

    def write_model(self, id: str, *, source: str, **properties: Any) -> None:
        """Make or update a model.

        Parameters
        ----------
        id : with slashes, see `neuromfa.model_id`
        source : where its checkpoints come from
        properties : further facts, such as architecture; numbers, texts or lists of one kind
        """
        check_model_id(id)
        facts = {"source": source, **properties}
        self.write(lambda transaction: transaction.rows("write/model", id=id, properties=facts), changes=id)

    def claim_model(self, id: str, *, source: str, same_run: bool, **properties: Any) -> None:
        """Make or update a model, unless its checkpoints came from another source.

        Parameters
        ----------
        source : where its checkpoints come from now
        same_run : the sources are known to be of one run, which has been moved

        Raises
        ------
        OptionError : the model came from another source
        """
        try:
            known = self.model(id).source
        except NotStored:
            known = source
        if known != source and not same_run:
            raise OptionError(
                f"model {id!r} in the store came from {known}, and this is {source}: choose another name with "
                "--model-id, or say --same-run where it is the same run in another place"
            )
        self.write_model(id, source=source, **properties)

    def write_failure(self, model: str, failed: FailedCheckpoint) -> None:
        """Record that a checkpoint could not be measured; what it has from before stays."""
        facts = {"status": FAILED, "error": failed.error, "sentence": failed.sentence[:LONGEST_SENTENCE]}
        self.write_checkpoint(model, failed.step, revision=failed.revision, **facts)

    def failures(self, model: str) -> list[FailedCheckpoint]:
        """Return the checkpoints of a model that could not be measured when they were last looked at."""
        rows = self.rows("read/failed_checkpoints", model=model)
        return [FailedCheckpoint(row["step"], row["revision"], row["error"], row["sentence"]) for row in rows]

    def write_checkpoint(self, model: str, step: int | None, *, revision: str, **properties: Any) -> None:
        """Make or update a checkpoint of a model that is there."""
        facts = {"revision": revision, "status": MEASURED, "error": None, "sentence": None, **properties}
        row = self.write(
            lambda transaction: transaction.one(
                "write/checkpoint",
                model=model,
                id=checkpoint_id(model, step),
                step=step,
                rank=rank_of(step),
                properties=facts,
            ),
            changes=model,
        )
        if row is None:
            raise NotStored(f"model {model!r} is not in the store; write it before its checkpoints")

    def write_seen(self, model: str, step: int | None, seen: Seen) -> None:
        """Keep what reading a checkpoint gave, beside the latest of what other options gave."""
        checkpoint, text = checkpoint_id(model, step), to_json(seen)

        def work(transaction: Transaction) -> None:
            row = transaction.one("read/seen_of_checkpoint", checkpoint=checkpoint)
            before = (row and row["seen"]) or []
            others = [one for one in before if from_json(Seen, one).key != seen.key]
            transaction.rows("write/seen", checkpoint=checkpoint, seen=[text, *others[: MOST_SEEN - 1]])

        self.write(work)

    def seen(self, model: str) -> dict[int | None, list[Seen]]:
        """Return by step what reading the checkpoints of a model gave; nothing of a model that is not there."""
        rows = self.rows("read/seen", model=model)
        return {row["step"]: [from_json(Seen, one) for one in row["seen"]] for row in rows}

    def models(self, *, limit: int = 100, cursor: str | None = None) -> Page[ModelRecord]:
        """Return a page of the models, by id."""
        size = page_size(limit)
        rows = self.rows("read/models", after=cursor or "", limit=size + 1)
        return Page([_model(row) for row in rows[:size]], rows[size - 1]["id"] if len(rows) > size else None)

    def model(self, id: str) -> ModelRecord:
        """Return one model; `NotStored` without it."""
        row = self.row("read/model", id=id)
        if row is None:
            raise NotStored(f"model {id!r} is not in the store; `neuromfa ingest` puts one there")
        return _model(row)

    def checkpoints(
        self,
        model: str,
        *,
        limit: int = 100,
        cursor: str | None = None,
        from_step: int | None = None,
        to_step: int | None = None,
    ) -> Page[CheckpointRecord]:
        """Return a page of a model's checkpoints, by step; the one without a step comes first.

        Parameters
        ----------
        from_step, to_step : first and last step wanted; the checkpoint without a step lies between none
        """
        self.model(model)
        size, (after, last) = page_size(limit), ranks_between(cursor, from_step, to_step)
        part = {"model": model, "after": after, "last": last, "limit": size + 1}
        rows = self.rows("read/checkpoints", **part)
        return Page([_checkpoint(model, row) for row in rows[:size]], next_rank(rows, size))

    def each_checkpoint(self, model: str) -> Iterator[CheckpointRecord]:
        """Iterate over all checkpoints of a model, by step."""
        return each(partial(self.checkpoints, model, limit=LARGEST_PAGE))

    def checkpoint(self, model: str, step: int | None) -> CheckpointRecord:
        """Return one checkpoint; `NotStored` without it, naming the steps there are."""
        row = self.row("read/checkpoint", id=checkpoint_id(model, step))
        if row is None:
            raise self._missing(model, step)
        return _checkpoint(model, row)

    def existing(self, model: str, step: int | None) -> str:
        """Return the id of a checkpoint that is there; raises as `checkpoint`."""
        self.checkpoint(model, step)
        return checkpoint_id(model, step)

    def _missing(self, model: str, step: int | None) -> NotStored:
        self.model(model)
        steps = (step_name(record.step) for record in self.checkpoints(model, limit=LARGEST_PAGE).items)
        return NotStored(
            f"model {model!r} has no checkpoint at step {step_name(step)}; there are: {', '.join(steps) or 'none'}"
        )


def checkpoint_id(model: str, step: int | None) -> str:
    """Return the id of a checkpoint node."""
    return f"{model}@{step_name(step)}"


def step_name(step: int | None) -> str:
    """Return a step as routes and ids write it."""
    return NO_STEP if step is None else str(step)


def rank_of(step: int | None) -> int:
    """Return the number by which checkpoints are ordered."""
    return NO_RANK if step is None else step


def rank_after(cursor: str | None) -> int:
    """Return the rank after which the page of a cursor begins."""
    if cursor is None:
        return NO_RANK - 1
    if not cursor.removeprefix("-").isdecimal() or len(cursor) > 18:
        raise OptionError(f"{cursor[:40]!r} is no cursor; take it from `next` of the page before")
    return int(cursor)


def ranks_between(cursor: str | None, from_step: int | None, to_step: int | None) -> tuple[int, int]:
    """Return the rank after which the page of a cursor begins among some steps, and the last rank of these."""
    after = rank_after(cursor)
    if from_step is None and to_step is None:
        return after, LAST_RANK
    return max(after, (from_step or 0) - 1), LAST_RANK if to_step is None else to_step


def next_rank(rows: list[dict[str, Any]], size: int) -> str | None:
    """Return the cursor of the page that follows `size` of these rows, None where they are all."""
    return str(rows[size - 1]["rank"]) if len(rows) > size else None


def _model(row: dict[str, Any]) -> ModelRecord:
    rest = {name: value for name, value in row["properties"].items() if name not in OWN_PROPERTIES}
    return ModelRecord(row["id"], row["properties"].get("source", ""), rest, row["checkpoints"])


def _checkpoint(model: str, row: dict[str, Any]) -> CheckpointRecord:
    return CheckpointRecord(
        model,
        row["step"],
        row["revision"],
        row["spectra"],
        row["samples"],
        FAILED if row["status"] == FAILED else MEASURED,
        row["error"],
        row["sentence"],
    )

"""Whole records as they are stored, read some at a time: who asks for a step often asks for those beside it next.

Many readers of different steps would otherwise each wait for a message of their own to the store and back.
"""

import threading
from dataclasses import dataclass

from neuromfa.app.memory.held_answers import Held
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore
from neuromfa.graph.stored_series import SeriesIndex, StoredStep

RECORDS_BYTES = 8 * 2**20
AT_ONCE = 8  # a record of ten samples is about 90 kB


@dataclass(frozen=True, eq=False)
class _Text:
    text: str

    @property
    def n_bytes(self) -> int:
        """About how much it takes: nearly all of it is ASCII."""
        return len(self.text)


class RecordMemory:
    """Texts of records by the names of their analyses and when they were written; for threads."""

    def __init__(self) -> None:
        self._held: Held[_Text] = Held(max_bytes=RECORDS_BYTES)
        self._reading = threading.Lock()

    def text(self, store: GraphStore, index: SeriesIndex, step: StoredStep) -> str:
        """Return the record of a step of a series, as JSON; `NotStored` where it is gone.

        One thread reads at a time: who waits for it mostly finds what it wanted among what came.
        """
        held = self._held.get(_name(step))
        if held is None:
            with self._reading:
                held = self._held.get(_name(step)) or self._read(store, index, step)
        return held.text

    def _read(self, store: GraphStore, index: SeriesIndex, step: StoredStep) -> _Text:
        steps = index.beginning_at(step, most=AT_ONCE)
        wanted = [one for one in steps if self._held.get(_name(one)) is None]
        texts = store.documents_there([one.analysis_hash for one in wanted])
        found = {_name(one): _Text(texts[one.analysis_hash]) for one in wanted if one.analysis_hash in texts}
        for name, text in found.items():
            self._held.keep(name, text)
        if _name(step) not in found:
            raise NotStored(f"the store has no result {step.analysis_hash}; it was deleted a moment ago")
        return found[_name(step)]


def _name(step: StoredStep) -> tuple[str, int]:
    """Return under what a record is kept: one that is measured again keeps its hash, and has another serial."""
    return step.analysis_hash, step.serial

"""One question under way: which engine answers, how much time is left, and the two ways to the data."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from neuromfa.errors import NotStored, QueryTimeout
from neuromfa.graph import Manifest
from neuromfa.network import SampleGraph
from neuromfa.questions.engine.choice import EngineChoice, engine_for
from neuromfa.questions.engine.stored_sample import StoredSample

T = TypeVar("T")
Row = dict[str, Any]

COMPLETE = "complete"


class Deadline:
    """The moment by which a question has to be answered."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left; `QueryTimeout` without any."""
        left = self._until - time.monotonic()
        if left <= 0.0:
            raise QueryTimeout(
                f"the question took longer than its limit of {self.seconds:g} s: ask for less, or raise the limit"
            )
        return left


@dataclass(frozen=True, eq=False)
class Asked:
    """A sample during one question.

    Attributes
    ----------
    sample : what is asked
    deadline : of the whole question; every query gets what is left of it
    """

    sample: StoredSample
    deadline: Deadline

    @property
    def manifest(self) -> Manifest:
        """What the sample says of itself."""
        return self.sample.manifest

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run a query of ``cypher/read``, in a short transaction of its own."""
        return self.sample.store.query(name, parameters, timeout_s=self.deadline.left())

    def of_sample(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run a query with the number of this sample as ``$sample``."""
        return self.rows(name, sample=self.manifest.number, **parameters)

    def graph(self) -> SampleGraph:
        """Return the sample as arrays, from memory where they are there."""
        return self.sample.cache.get(self.manifest.graph_hash, self._read)

    def _read(self) -> SampleGraph:
        found = self.manifest
        return self.sample.store.read_sample(
            found.model, found.step, found.seed, graph_hash=found.graph_hash, timeout_s=self.deadline.left()
        )


def ask(
    question: str,
    engine: EngineChoice,
    samples: Sequence[StoredSample],
    *,
    cypher: Callable[..., T],
    numpy: Callable[..., T],
) -> T:
    """Answer a question.

    Parameters
    ----------
    question : its name in the table of engines
    samples : one or several of one store; the functions get one `Asked` for each
    cypher, numpy : the two ways to the same answer

    Raises
    ------
    QueryTimeout : the limit of the first sample ran out
    NotStored : a sample was deleted meanwhile
    """
    warm = all(sample.manifest.graph_hash in sample.cache for sample in samples)
    deadline = Deadline(samples[0].timeout_s)
    asked = [Asked(sample, deadline) for sample in samples]
    if engine_for(question, engine, warm=warm) == "numpy":
        return numpy(*asked)
    answer = cypher(*asked)
    _require_unchanged(asked)
    return answer


def _require_unchanged(asked: Sequence[Asked]) -> None:
    """Raise `NotStored` where a sample was deleted meanwhile: what several queries gave may have holes."""
    hashes = sorted({each.manifest.graph_hash for each in asked})
    rows = asked[0].rows("sample_states", ids=hashes)
    found = {row["id"]: row["number"] for row in rows if row["status"] == COMPLETE}
    for each in asked:
        if found.get(each.manifest.graph_hash) != each.manifest.number:
            raise NotStored(f"{each.sample.name} was deleted while it was read")

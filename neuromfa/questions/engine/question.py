"""A question: one record of what is asked, with two ways to the same answer; and the asking itself.

The server answers by Cypher, or this process by numpy on one columnar read. `auto` follows what every question says of
itself: ``python -m benchmarks.bench_queries`` measures it, docs/queries.md shows it, and a test compares the three.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args, get_type_hints

from neuromfa.errors import NotStored, OptionError
from neuromfa.questions.engine.explorer import OneSample, Where
from neuromfa.questions.engine.faults import Words
from neuromfa.questions.engine.subjects import StoredSample, Subject

S = TypeVar("S", bound=Subject)
A = TypeVar("A")

QueryEngine = Literal["cypher", "numpy"]
EngineChoice = Literal["auto", "cypher", "numpy"]

COMPLETE = "complete"


@dataclass(frozen=True)
class Faster:
    """The faster engine for a question.

    Attributes
    ----------
    cold : while the sample has yet to be read
    warm : once its arrays are in memory
    """

    cold: QueryEngine
    warm: QueryEngine


@dataclass(frozen=True)
class About:
    """What a question says of itself; its purpose is the first line of its docstring.

    Attributes
    ----------
    name : for callers that have words, such as ``neuromfa query``
    address : below that of what it is put to; the parts in braces are fields
    faster : the measured choice of the engine
    """

    name: str
    address: str
    faster: Faster


class Question(Words, ABC, Generic[S, A]):
    """A question to a subject S with an answer A; its fields are what can be asked, with meaning, unit and bounds."""

    about: ClassVar[About]
    where: ClassVar[type[Where[Any]]]

    @classmethod
    def purpose(cls) -> str:
        """Return the question in one sentence."""
        return (cls.__doc__ or "").strip().splitlines()[0]

    @classmethod
    def answer_type(cls) -> type[Any]:
        """Return the record of its answers."""
        found: type[Any] = get_type_hints(cls.by_cypher)["return"]
        return found

    def check(self, subject: S, /) -> None:  # noqa: B027  most have nothing to add to the bounds of their fields
        """Raise `OptionError` for what fits the bounds and not this subject."""

    def faster(self, subject: S, /) -> Faster:  # noqa: ARG002  few depend on it
        """Return the choice that `auto` follows."""
        return self.about.faster

    @abstractmethod
    def by_cypher(self, subject: S, /) -> A:
        """Return the answer of the server."""

    @abstractmethod
    def by_numpy(self, subject: S, /) -> A:
        """Return the answer from arrays in this process."""


class SampleQuestion(Question[StoredSample, A], ABC, Generic[A]):
    """A question to one sample."""

    where = OneSample


def ask(subject: S, question: Question[S, A], *, engine: EngineChoice = "auto") -> A:
    """Answer a question.

    Parameters
    ----------
    subject : what an `Explorer` gives: a sample, a pair or a series of them, or a result
    question : such as ``Ball(source="B00.input.00051", radius=20.5)``
    engine : ``cypher``, ``numpy``, or ``auto`` for the faster one

    Raises
    ------
    OptionError : a value that does not fit the subject, or no such engine
    NotStored : nothing of that name, or a sample was deleted meanwhile
    QueryTimeout : the limit of the subject ran out
    """
    question.check(subject)
    warm = all(sample.is_warm for sample in subject.samples)
    chosen = engine_for(question.faster(subject), engine, warm=warm)
    begun = subject.within(subject.limit.begun())
    if chosen == "numpy":
        return question.by_numpy(begun)
    answer = question.by_cypher(begun)
    _require_unchanged(begun.samples)
    return answer


def engine_for(faster: Faster, choice: EngineChoice, *, warm: bool) -> QueryEngine:
    """Return who answers a question.

    Parameters
    ----------
    faster : the measured choice for this question
    choice : an engine by name, or ``auto``
    warm : the arrays are in memory

    Raises
    ------
    OptionError : no such engine
    """
    if choice not in get_args(EngineChoice):
        raise OptionError(f"engine is auto, cypher or numpy, not {choice!r}")
    if choice != "auto":
        return choice
    return faster.warm if warm else faster.cold


def _require_unchanged(samples: Sequence[StoredSample]) -> None:
    """Raise `NotStored` where a sample was deleted meanwhile: what several queries gave may have holes."""
    if not samples:
        return
    hashes = sorted({each.manifest.graph_hash for each in samples})
    rows = samples[0].rows("sample_states", ids=hashes)
    found = {row["id"]: row["number"] for row in rows if row["status"] == COMPLETE}
    for each in samples:
        if found.get(each.manifest.graph_hash) != each.manifest.number:
            raise NotStored(f"{each.name} was deleted while it was read")

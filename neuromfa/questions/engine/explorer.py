"""Finds in a store what questions are put to, also by the words of an address or a command, and keeps what was read."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore, Manifest
from neuromfa.graph.manifest import manifest_from
from neuromfa.questions.engine.faults import Words
from neuromfa.questions.engine.sample_cache import SampleCache
from neuromfa.questions.engine.subjects import (
    SamplePair,
    SampleSeries,
    StoredResult,
    StoredSample,
    Subject,
    TimeLimit,
)
from neuromfa.questions.engine.words import ModelName, Seed, Step, StepOrNone

S = TypeVar("S", bound=Subject)

USUAL_SECONDS = 30.0


@dataclass(frozen=True, eq=False)
class Explorer:
    """A store with a memory for what was read of it.

    Attributes
    ----------
    store : an open store
    cache : bounded, shared by all threads
    timeout_s : for every question, in seconds

    Examples
    --------
    >>> with open_store(data_dir="var") as store:  # doctest: +SKIP
    ...     sample = Explorer(store).sample("stdlib-14m", 2000)
    ...     ask(sample, ShortestPath(source="B00.input.00017", target="B05.mlp.00123")).distance
    """

    store: GraphStore
    cache: SampleCache = field(default_factory=SampleCache)
    timeout_s: float = USUAL_SECONDS

    def sample(self, model: str, step: int | None, seed: int = 0) -> StoredSample:
        """Return a stored sample; `NotStored` without it, naming those there are."""
        return self._opened(self.store.sample(model, step, seed))

    def pair(self, model: str, before: int, after: int, seed: int = 0) -> SamplePair:
        """Return the samples of one seed at two steps; `NotStored` without one of them."""
        return SamplePair((self.sample(model, before, seed), self.sample(model, after, seed)))

    def series(self, model: str, seed: int = 0) -> SampleSeries:
        """Return the newest sample of one seed at every step of a model that has one, by step."""
        self.store.model(model)
        rows = self.store.query("samples_of_seed", {"model": model, "seed": seed}, timeout_s=self.timeout_s)
        if not rows:
            raise NotStored(f"model {model!r} has no graph of seed {seed} at any step")
        newest = {row["rank"]: row for row in rows}
        return SampleSeries(
            tuple(
                self._opened(
                    manifest_from(row["properties"], model=model, step=row["step"], revision=row["revision"])
                )
                for row in newest.values()
            )
        )

    def result(self, model: str, step: int | None, options_hash: str | None = None) -> StoredResult:
        """Return the result of a step, without a hash of the analysis that is served; what is missing, asking tells."""
        chosen = options_hash or self.store.choose(model).analysis.options_hash
        return StoredResult(
            store=self.store,
            limit=TimeLimit(self.timeout_s),
            model=model,
            step=step,
            options_hash=chosen,
        )

    def _opened(self, manifest: Manifest) -> StoredSample:
        return StoredSample(
            store=self.store, limit=TimeLimit(self.timeout_s), manifest=manifest, cache=self.cache
        )


class Where(Words, ABC, Generic[S]):
    """Words that find a subject."""

    @abstractmethod
    def find(self, explorer: Explorer) -> S:
        """Return it; `NotStored` where it is not there."""


class OneSample(Where[StoredSample]):
    """A sample of one step."""

    model: ModelName
    step: StepOrNone
    seed: Seed = 0

    def find(self, explorer: Explorer) -> StoredSample:
        """Return the sample."""
        return explorer.sample(self.model, self.step, self.seed)


class TwoSteps(Where[SamplePair]):
    """The samples of one seed at two steps."""

    model: ModelName
    before: Annotated[Step, Field(description="The earlier training step.", examples=[0])]
    after: Annotated[Step, Field(description="The later training step.")]
    seed: Seed = 0

    def find(self, explorer: Explorer) -> SamplePair:
        """Return both samples."""
        return explorer.pair(self.model, self.before, self.after, self.seed)


class EveryStep(Where[SampleSeries]):
    """The samples of one seed at every step that has one."""

    model: ModelName
    seed: Seed = 0

    def find(self, explorer: Explorer) -> SampleSeries:
        """Return the samples, by step."""
        return explorer.series(self.model, self.seed)


class OneResult(Where[StoredResult]):
    """The result of one step."""

    model: ModelName
    step: StepOrNone
    options_hash: Annotated[str | None, Field(max_length=64)] = None
    """Of the analysis; left out: the one that is served."""

    def find(self, explorer: Explorer) -> StoredResult:
        """Return the result."""
        return explorer.result(self.model, self.step, self.options_hash)

"""What questions are put to: a stored sample, samples of several steps, a stored result; each with a time limit."""

import time
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from neuromfa.errors import OptionError, QueryTimeout
from neuromfa.graph import GraphStore, Manifest
from neuromfa.graph.given_up import asking
from neuromfa.network import IntArray, SampleGraph
from neuromfa.questions.engine.sample_cache import SampleCache

Row = dict[str, Any]


@dataclass(frozen=True)
class TimeLimit:
    """Seconds for a whole question, however many queries it takes; `ends` is None before it has begun."""

    seconds: float
    ends: float | None = None

    def begun(self) -> "TimeLimit":
        """Return the limit of a question that begins now."""
        return TimeLimit(self.seconds, time.monotonic() + self.seconds)

    def left(self) -> float:
        """Return the seconds left; `QueryTimeout` without any, or where nobody waits."""
        asking.get().check()
        left = self.seconds if self.ends is None else self.ends - time.monotonic()
        if left <= 0.0:
            raise QueryTimeout(
                f"the question took longer than its limit of {self.seconds:g} s: ask for less, or raise the limit"
            )
        return left


class Subject(Protocol):
    """What a question can be put to."""

    @property
    def samples(self) -> "tuple[StoredSample, ...]":
        """The samples that the answer speaks of."""
        ...

    @property
    def limit(self) -> TimeLimit:
        """Time for one question."""
        ...

    def within(self, limit: TimeLimit) -> Self:
        """Return the same under another limit."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class _InStore:
    """Something in a store, which queries can be asked about."""

    store: GraphStore
    limit: TimeLimit

    def within(self, limit: TimeLimit) -> Self:
        """Return the same under another limit."""
        return replace(self, limit=limit)

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run a query of ``cypher/read`` in a short transaction of its own, within what is left of the limit."""
        return self.store.query(name, parameters, timeout_s=self.limit.left())


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredSample(_InStore):
    """One stored sample.

    Attributes
    ----------
    manifest : what the sample says of itself
    store : where it stands
    cache : where its arrays are kept once they were read
    limit : for every question
    """

    manifest: Manifest
    cache: SampleCache

    @property
    def samples(self) -> "tuple[StoredSample, ...]":
        """The sample alone."""
        return (self,)

    @property
    def name(self) -> str:
        """The sample in words."""
        step = "" if self.manifest.step is None else f" at step {self.manifest.step}"
        return f"sample {self.manifest.seed} of {self.manifest.model}{step}"

    @property
    def offsets(self) -> IntArray:
        """Running number of the first neuron of every layer, and the number of neurons; shape (n_layers + 1,)."""
        sizes = [shape.size for shape in self.manifest.layout]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    @property
    def last_layer(self) -> int:
        """Index of the last layer."""
        return self.manifest.n_layers - 1

    @property
    def is_warm(self) -> bool:
        """True while its arrays are in memory."""
        return self._known_as in self.cache

    def own_rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run a query with the number of this sample as ``$sample``."""
        return self.rows(name, sample=self.manifest.number, **parameters)

    def graph(self) -> SampleGraph:
        """Return the sample as arrays, from memory where they are there."""
        return self.cache.get(self._known_as, self._read)

    @property
    def _known_as(self) -> str:
        """Name of its arrays in memory: a graph whose neurons were tested, or tested anew, is read again."""
        found = self.manifest
        return f"{found.graph_hash} {found.tested}" if found.tested else found.graph_hash

    def _read(self) -> SampleGraph:
        found = self.manifest
        return self.store.read_sample(
            found.model, found.step, found.seed, graph_hash=found.graph_hash, timeout_s=self.limit.left()
        )

    def require_layer(self, layer: int) -> None:
        """Raise `OptionError` where there is no such layer."""
        if not 0 <= layer <= self.last_layer:
            raise OptionError(f"{self.name} has the layers 0 to {self.last_layer}, not {layer}")

    def layer_range(self, layer: int | None) -> tuple[int, int]:
        """Return the first and the last of one layer, or of all without one."""
        return (0, self.last_layer) if layer is None else (layer, layer)

    def require_link(self, layer: int) -> None:
        """Raise `OptionError` where no weighted edges leave a layer."""
        self.require_layer(layer)
        shape = self.manifest.layout[layer]
        if layer == self.last_layer or shape.artificial:
            raise OptionError(
                f"layer {layer} ({shape.row}) has no weighted edges out, so there is nothing to measure: take another"
            )

    def require_range(self, distance: float, *, what: str = "max_distance") -> None:
        """Raise `OptionError` for a distance beyond which edges were not stored."""
        longest = self.manifest.max_distance
        if distance > longest:
            raise OptionError(
                f"{what} is at most {longest:g}, up to which {self.name} holds edges, not {distance:g}"
            )


@dataclass(frozen=True, eq=False)
class SampleSeries:
    """Samples of one seed at several steps, by step."""

    samples: tuple[StoredSample, ...]

    @property
    def limit(self) -> TimeLimit:
        """That of its first sample."""
        return self.samples[0].limit

    def within(self, limit: TimeLimit) -> Self:
        """Return the same under another limit, shared by all samples."""
        return replace(self, samples=tuple(sample.within(limit) for sample in self.samples))


@dataclass(frozen=True, eq=False)
class SamplePair(SampleSeries):
    """Samples of one seed at two steps, the earlier first."""

    samples: tuple[StoredSample, StoredSample]


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredResult(_InStore):
    """The result of one checkpoint.

    Attributes
    ----------
    model, step : the checkpoint
    options_hash : of the analysis; None for the newest of the step
    """

    model: str
    step: int | None
    options_hash: str | None

    @property
    def samples(self) -> tuple[StoredSample, ...]:
        """None: what is kept of a result outlives the graphs it was measured on."""
        return ()

"""Finds the stored samples that questions are put to, and keeps the arrays that were read of them."""

from dataclasses import dataclass, field

import numpy as np

from neuromfa.errors import NotStored, OptionError
from neuromfa.graph import GraphStore, Manifest
from neuromfa.graph.manifest import manifest_from
from neuromfa.network import IntArray
from neuromfa.options import AnalysisOptions
from neuromfa.questions.engine.sample_cache import SampleCache

USUAL = AnalysisOptions()
USUAL_SECONDS = 30.0


@dataclass(frozen=True, eq=False)
class StoredSample:
    """One stored sample; questions take it as their first argument.

    Attributes
    ----------
    manifest : what the sample says of itself
    store : where it stands
    cache : where its arrays are kept once they were read
    timeout_s : for every question
    """

    manifest: Manifest
    store: GraphStore
    cache: SampleCache
    timeout_s: float

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

    def require_layer(self, layer: int) -> None:
        """Raise `OptionError` where there is no such layer."""
        if not 0 <= layer <= self.last_layer:
            raise OptionError(f"{self.name} has the layers 0 to {self.last_layer}, not {layer}")

    def require_range(self, distance: float, *, what: str = "max_distance") -> None:
        """Raise `OptionError` for a distance that is not positive, or beyond which edges were not stored."""
        longest = self.manifest.max_distance
        if not 0.0 < distance <= longest:
            raise OptionError(
                f"{what} is above 0 and at most {longest:g}, up to which {self.name} holds edges, not {distance:g}"
            )


@dataclass(frozen=True, eq=False)
class Explorer:
    """A store with a memory for what was read of it.

    Attributes
    ----------
    store : an open store
    cache : bounded, shared by all threads
    timeout_s : for every question

    Examples
    --------
    >>> with open_store(data_dir="var") as store:  # doctest: +SKIP
    ...     sample = Explorer(store).sample("stdlib-14m", 2000)
    ...     shortest_path(sample, "B00.input.00017", "B05.mlp.00123").distance
    """

    store: GraphStore
    cache: SampleCache = field(default_factory=SampleCache)
    timeout_s: float = USUAL_SECONDS

    def sample(self, model: str, step: int | None, seed: int = 0) -> StoredSample:
        """Return a stored sample; `NotStored` without it, naming those there are."""
        return self._opened(self.store.sample(model, step, seed))

    def samples(self, model: str, seed: int = 0) -> list[StoredSample]:
        """Return the newest sample of one seed at every step of a model that has one, by step."""
        self.store.model(model)
        rows = self.store.query("samples_of_seed", {"model": model, "seed": seed}, timeout_s=self.timeout_s)
        if not rows:
            raise NotStored(f"model {model!r} has no graph of seed {seed} at any step")
        newest = {row["rank"]: row for row in rows}
        return [
            self._opened(
                manifest_from(row["properties"], model=model, step=row["step"], revision=row["revision"])
            )
            for row in newest.values()
        ]

    def _opened(self, manifest: Manifest) -> StoredSample:
        return StoredSample(manifest, self.store, self.cache, self.timeout_s)

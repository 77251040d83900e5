"""Where a number comes from: from alpha0, width or E of a step back to options, graphs, weights and architecture."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import NotStored
from neuromfa.graph import Manifest
from neuromfa.graph.catalog import checkpoint_id
from neuromfa.graph.manifest import manifest_from
from neuromfa.graph.result_io import options_from, result_from
from neuromfa.options import BASELINE_FIRST, BASELINE_NONE, BASELINE_REINIT, AnalysisOptions
from neuromfa.questions.engine.explorer import OneResult
from neuromfa.questions.engine.question import About, Faster, Question
from neuromfa.questions.engine.subjects import StoredResult
from neuromfa.questions.engine.words import ModelName, StepOrNone
from neuromfa.results import CheckpointResult, Estimate, SampleResult

Number = Literal["alpha0", "width", "emergence"]
WhichNumber = Annotated[Number, Field(description="Which number of the step.", examples=["emergence"])]

MEANINGS: dict[Number, str] = {
    "alpha0": "mean over samples of alpha0 = tau'(0)",
    "width": "mean over samples of the width of the spectrum",
    "emergence": "E = width(t) / width(0) * ln(alpha0(0) / alpha0(t)), from means over samples",
}


@dataclass(frozen=True)
class SampleOrigin:
    """One sample behind a number."""

    __pydantic_config__ = DOCUMENTED

    seed: int
    """Seed of the draw of neurons."""
    alpha0: float
    """alpha0 of this sample alone; no unit."""
    width: float
    """Width of the spectrum of this sample alone; no unit."""
    graph_hash: str
    """Identity of its graph: the sampled weights, the architecture file and the draw."""
    stored: bool
    """The graph stands in the store, so that `neuromfa verify` can measure it again."""
    checksum: str | None
    """Of the stored graph; null without one."""


@dataclass(frozen=True)
class NetworkOrigin:
    """How the weights became a network."""

    __pydantic_config__ = DOCUMENTED

    architecture: str
    """Name of the architecture file."""
    architecture_hash: str
    """Identity of that file."""
    dtype: str
    """Type of the weights as they were read."""
    row_rule: str
    """How rows were put together, by profile."""
    nodes: int | None
    """Neurons drawn a layer; null: all of them."""


@dataclass(frozen=True)
class BaselineOrigin:
    """What E was measured against."""

    __pydantic_config__ = DOCUMENTED

    kind: str
    """`first`, `reinit`, or a step."""
    step: int | None
    """Step of the model; null for its reinitialised weights."""
    revision: str | None
    """Revision of that step; null where it is not stored."""
    analysis_hash: str | None
    """Identity of its numbers; null where they are not stored."""


@dataclass(frozen=True)
class LineageAnswer:
    """A number and all that it came from."""

    __pydantic_config__ = DOCUMENTED

    number: WhichNumber
    meaning: str
    """What the number is, as a formula."""
    estimate: Estimate | None
    """The number with its interval, no unit; null with a `reason`."""
    reason: str | None
    """Why there is no number, else null."""
    model: ModelName
    source: str
    """Where the checkpoints of the model were read."""
    step: StepOrNone
    revision: str
    """Revision of the checkpoint."""
    analysis_hash: str
    """Identity of the numbers: method version, graphs, options and baseline."""
    method_version: int
    """Version of the method that gave the number."""
    options_hash: str
    """Identity of the options."""
    options: AnalysisOptions
    """How it was measured."""
    samples: tuple[SampleOrigin, ...]
    """The seeds it is a mean of."""
    network: NetworkOrigin | None
    """How the weights became a network; null with a reason."""
    network_reason: str | None
    """Why `network` is null, else null."""
    baseline: BaselineOrigin | None
    """What E was measured against; null for other numbers, and without one."""


class Lineage(Question[StoredResult, LineageAnswer]):
    """Where alpha0, width or E of a step comes from: options, samples, graph hashes, revision, architecture, baseline.

    `cypher` walks the graph in one query, `numpy` puts the store's records together.
    """

    about = About("provenance", "provenance/{number}", Faster(cold="cypher", warm="cypher"))
    where = OneResult

    number: WhichNumber = "emergence"

    def by_cypher(self, result: StoredResult) -> LineageAnswer:
        """Walk from the model to the result, and to its samples."""
        return self._answer(result, _walked)

    def by_numpy(self, result: StoredResult) -> LineageAnswer:
        """Put the store's records together."""
        return self._answer(result, _put_together)

    def _answer(self, asked: StoredResult, find: "Find") -> LineageAnswer:
        found = find(asked)
        result = found.result
        network, why = _network(found)
        return LineageAnswer(
            number=self.number,
            meaning=MEANINGS[self.number],
            estimate=getattr(result, self.number),
            reason=result.emergence_reason if self.number == "emergence" else None,
            model=asked.model,
            source=found.source,
            step=result.step,
            revision=result.revision,
            analysis_hash=result.analysis_hash,
            method_version=result.method_version,
            options_hash=found.options_hash,
            options=found.options,
            samples=tuple(_origin(sample, found.manifests) for sample in result.samples),
            network=network,
            network_reason=why,
            baseline=_baseline(asked, found, find) if self.number == "emergence" else None,
        )


@dataclass(frozen=True)
class _Found:
    """A result with what stands around it in the store."""

    source: str
    result: CheckpointResult
    options_hash: str
    options: AnalysisOptions
    manifests: Sequence[Manifest]


Find = Callable[[StoredResult], _Found]


def _walked(asked: StoredResult) -> _Found:
    checkpoint = checkpoint_id(asked.model, asked.step)
    found = asked.rows(
        "result_origin", model=asked.model, checkpoint=checkpoint, options_hash=asked.options_hash
    )
    if not found:
        # the store's own words for what is missing: the model, the step, or a result
        asked.store.result(asked.model, asked.step, options=asked.options_hash)
        raise _just_deleted(asked)
    row = found[0]
    manifests = [
        manifest_from(each["properties"], model=asked.model, step=row["step"], revision=row["revision"])
        for each in asked.rows("samples", checkpoint=checkpoint)
    ]
    options = options_from(row["options"])
    whole = result_from(row["document"], step=row["step"], revision=row["revision"], notes=row["notes"])
    return _Found(row["source"], whole, row["options_hash"], options, manifests)


def _put_together(asked: StoredResult) -> _Found:
    store, model, step = asked.store, asked.model, asked.step
    result = store.result(model, step, options=asked.options_hash)
    links = asked.rows("spectrum_links", checkpoint=checkpoint_id(model, step))
    used = {link["id"]: link["options_hash"] for link in links}.get(result.analysis_hash, "")
    options = {record.options_hash: record.options for record in store.analyses(model)}
    if used not in options:
        raise _just_deleted(asked)
    return _Found(store.model(model).source, result, used, options[used], store.samples(model, step))


def _just_deleted(asked: StoredResult) -> NotStored:
    return NotStored(f"the result of {checkpoint_id(asked.model, asked.step)} has just been deleted")


def _origin(sample: SampleResult, manifests: Sequence[Manifest]) -> SampleOrigin:
    stored = next((one for one in manifests if one.graph_hash == sample.graph_hash), None)
    return SampleOrigin(
        seed=sample.seed,
        alpha0=sample.alpha0,
        width=sample.width,
        graph_hash=sample.graph_hash,
        stored=stored is not None,
        checksum=stored.checksum if stored else None,
    )


def _network(found: _Found) -> tuple[NetworkOrigin | None, str | None]:
    hashes = {sample.graph_hash for sample in found.result.samples}
    for one in found.manifests:
        if one.graph_hash in hashes:
            names = NetworkOrigin.__annotations__
            return NetworkOrigin(**{name: getattr(one, name) for name in names}), None
    return None, "no graph of these samples is stored; ingest with graph-samples of 1 or more"


def _baseline(asked: StoredResult, found: _Found, find: Find) -> BaselineOrigin | None:
    kind = found.options.baseline
    if kind == BASELINE_NONE or found.result.emergence is None:
        return None
    if kind == BASELINE_REINIT or found.options.baseline_source is not None:
        return BaselineOrigin(kind, None, None, None)
    step = 0 if kind == BASELINE_FIRST else int(kind)
    try:
        start = find(replace(asked, step=step, options_hash=found.options_hash)).result
    except NotStored:
        return BaselineOrigin(kind, step, None, None)
    return BaselineOrigin(kind, step, start.revision, start.analysis_hash)

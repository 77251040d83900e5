"""Where a number comes from: from alpha0, width or E of a step back to options, graphs, weights and architecture."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from neuromfa.errors import NotStored, OptionError
from neuromfa.graph import Manifest
from neuromfa.graph.catalog import checkpoint_id
from neuromfa.graph.manifest import manifest_from
from neuromfa.options import BASELINE_FIRST, BASELINE_NONE, BASELINE_REINIT, AnalysisOptions
from neuromfa.questions.engine.choice import EngineChoice, engine_for
from neuromfa.questions.engine.run import Row
from neuromfa.questions.engine.stored_sample import Explorer
from neuromfa.results import CheckpointResult, Estimate, SampleResult, from_json

Number = Literal["alpha0", "width", "emergence"]

MEANINGS: dict[Number, str] = {
    "alpha0": "mean over samples of alpha0 = tau'(0)",
    "width": "mean over samples of the width of the spectrum",
    "emergence": "E = width(t) / width(0) * ln(alpha0(0) / alpha0(t)), from means over samples",
}


@dataclass(frozen=True)
class SampleOrigin:
    """One sample behind a number.

    Attributes
    ----------
    seed : of the draw of neurons
    alpha0, width : of this sample alone
    graph_hash : identity of its graph, made of the sampled weights, the architecture file and the draw
    stored : the graph stands in the store, so that `neuromfa verify` can measure it again
    checksum : of the stored graph
    """

    seed: int
    alpha0: float
    width: float
    graph_hash: str
    stored: bool
    checksum: str | None


@dataclass(frozen=True)
class NetworkOrigin:
    """How the weights became a network; known where a graph is stored."""

    architecture: str
    architecture_hash: str
    dtype: str
    row_rule: str
    nodes: int | None


@dataclass(frozen=True)
class BaselineOrigin:
    """What E was measured against: a step of the model, or its reinitialised weights."""

    kind: str
    step: int | None
    revision: str | None
    analysis_hash: str | None


@dataclass(frozen=True)
class Provenance:
    """A number and all that it came from.

    Attributes
    ----------
    number, meaning : which number, and what it is
    estimate : the number with its interval, None with a `reason`
    model, source, step, revision : the checkpoint
    analysis_hash : identity of the numbers: graphs, options and baseline
    options_hash, options : how it was measured
    samples : the seeds it is a mean of
    network : None with a `network_reason` where no graph is stored
    baseline : of E; None for other numbers and without one
    """

    number: Number
    meaning: str
    estimate: Estimate | None
    reason: str | None
    model: str
    source: str
    step: int | None
    revision: str
    analysis_hash: str
    options_hash: str
    options: dict[str, Any]
    samples: tuple[SampleOrigin, ...]
    network: NetworkOrigin | None
    network_reason: str | None
    baseline: BaselineOrigin | None


@dataclass(frozen=True)
class _Found:
    """A result with what stands around it in the store."""

    source: str
    result: CheckpointResult
    options_hash: str
    options: AnalysisOptions
    manifests: Sequence[Manifest]


Find = Callable[[Explorer, str, int | None, str | None], _Found]


def provenance(
    explorer: Explorer,
    model: str,
    step: int | None,
    *,
    number: Number = "emergence",
    options_hash: str | None = None,
    engine: EngineChoice = "auto",
) -> Provenance:
    """Return where a number of one step comes from.

    Parameters
    ----------
    number : alpha0, width or emergence
    options_hash : of the analysis; None for the newest of the step
    engine : ``cypher`` walks the graph in one query, ``numpy`` puts the store's records together

    Raises
    ------
    NotStored : no such model, step or result
    OptionError : no such number
    """
    if number not in get_args(Number):
        raise OptionError(f"number is {', '.join(get_args(Number))}, not {number!r}")
    find = _by_cypher if engine_for("provenance", engine, warm=False) == "cypher" else _by_records
    found = find(explorer, model, step, options_hash)
    baseline = _baseline(explorer, model, found, find) if number == "emergence" else None
    return _told(model, number, found, baseline)


def _told(model: str, number: Number, found: _Found, baseline: BaselineOrigin | None) -> Provenance:
    result = found.result
    network, why = _network(found)
    return Provenance(
        number=number,
        meaning=MEANINGS[number],
        estimate=getattr(result, number),
        reason=result.emergence_reason if number == "emergence" else None,
        model=model,
        source=found.source,
        step=result.step,
        revision=result.revision,
        analysis_hash=result.analysis_hash,
        options_hash=found.options_hash,
        options=found.options.as_json(),
        samples=tuple(_origin(sample, found.manifests) for sample in result.samples),
        network=network,
        network_reason=why,
        baseline=baseline,
    )


def _by_cypher(explorer: Explorer, model: str, step: int | None, options_hash: str | None) -> _Found:
    checkpoint = checkpoint_id(model, step)

    def rows(name: str, **parameters: Any) -> list[Row]:
        return explorer.store.query(name, parameters, timeout_s=explorer.timeout_s)

    found = rows("result_origin", model=model, checkpoint=checkpoint, options_hash=options_hash)
    if not found:
        # the store's own words for what is missing: the model, the step, or a result
        explorer.store.result(model, step, options=options_hash)
        raise _just_deleted(model, step)
    row = found[0]
    manifests = [
        manifest_from(each["properties"], model=model, step=row["step"], revision=row["revision"])
        for each in rows("samples", checkpoint=checkpoint)
    ]
    result = from_json(CheckpointResult, row["document"])
    options = AnalysisOptions.from_json(json.loads(row["options"]))
    return _Found(row["source"], _at(result, row), row["options_hash"], options, manifests)


def _at(result: CheckpointResult, row: Row) -> CheckpointResult:
    """Return the record at the checkpoint it was reached through; checkpoints of equal weights share one."""
    return replace(result, step=row["step"], revision=row["revision"])


def _by_records(explorer: Explorer, model: str, step: int | None, options_hash: str | None) -> _Found:
    store = explorer.store
    result = store.result(model, step, options=options_hash)
    links = store.query("spectrum_links", {"checkpoint": checkpoint_id(model, step)})
    used = {link["id"]: link["options_hash"] for link in links}.get(result.analysis_hash, "")
    options = {record.options_hash: record.options for record in store.analyses(model)}
    if used not in options:
        raise _just_deleted(model, step)
    return _Found(store.model(model).source, result, used, options[used], store.samples(model, step))


def _just_deleted(model: str, step: int | None) -> NotStored:
    return NotStored(f"the result of {checkpoint_id(model, step)} has just been deleted")


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


def _baseline(explorer: Explorer, model: str, found: _Found, find: Find) -> BaselineOrigin | None:
    kind = found.options.baseline
    if kind == BASELINE_NONE or found.result.emergence is None:
        return None
    if kind == BASELINE_REINIT:
        return BaselineOrigin(kind, None, None, None)
    step = 0 if kind == BASELINE_FIRST else int(kind)
    try:
        start = find(explorer, model, step, found.options_hash).result
    except NotStored:
        return BaselineOrigin(kind, step, None, None)
    return BaselineOrigin(kind, step, start.revision, start.analysis_hash)

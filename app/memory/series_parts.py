"""Parts of series as JSON, made of the text they are stored as: points, spectra, metrics, whole results."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from neuromfa.app.schemas.answers import ImmutableResult
from neuromfa.declared import adapter
from neuromfa.graph import GraphStore
from neuromfa.graph.result_io import StoredPoint, result_from
from neuromfa.graph.stored_series import StoredStep
from neuromfa.results import CheckpointMetrics, CheckpointResult, CheckpointSpectrum, CurvePoint, from_json
from neuromfa.scores import Score

ITEMS = b'"items":[]'
AT_ONCE = 40


def points_of(store: GraphStore, steps: Sequence[StoredStep]) -> list[CurvePoint]:
    """Read the numbers of some steps."""
    texts = store.summaries([step.analysis_hash for step in steps])
    return [
        StoredPoint(step.step, step.revision, step.analysis_hash, text, step.notes, step.serial).read()
        for step, text in zip(steps, texts, strict=True)
    ]


def results_of(store: GraphStore, steps: Sequence[StoredStep]) -> Iterable[CheckpointResult]:
    """Read the whole records of some steps, a few at a time."""
    for k in range(0, len(steps), AT_ONCE):
        part = steps[k : k + AT_ONCE]
        texts = store.documents([step.analysis_hash for step in part])
        yield from map(_result_of, part, texts)


def _result_of(step: StoredStep, text: str) -> CheckpointResult:
    return result_from(text, step=step.step, revision=step.revision, notes=step.notes)


def spectrum_of(step: StoredStep, text: str, *, samples: bool) -> bytes:
    """Return the spectrum of a step as JSON, from its record, of which nothing else is decoded."""
    whole = from_json(CheckpointSpectrum, text)
    shown = whole.samples if samples else None
    return json_of(replace(whole, step=step.step, revision=step.revision, samples=shown))


def metrics_of(step: StoredStep, text: str, *, scores: list[Score]) -> bytes:
    """Return all single numbers of a step as JSON, from its record, beside its scores."""
    return json_of(CheckpointMetrics.of(_result_of(step, text), scores))


def spectra_of(store: GraphStore, *, steps: Sequence[StoredStep]) -> list[bytes]:
    """Return the spectra of some steps as JSON."""
    return [json_of(CheckpointSpectrum.of(result)) for result in results_of(store, steps)]


def immutable_of(store: GraphStore, analysis_hash: str) -> bytes:
    """Return what is the same wherever an analysis stands, as JSON."""
    [text] = store.documents([analysis_hash])
    return json_of(ImmutableResult.of(from_json(CheckpointResult, text)))


def listed(listing: Any, items: Iterable[bytes]) -> bytes:
    """Return a listing without items as JSON, with items that are JSON already."""
    text = json_of(listing)
    assert ITEMS in text, "the items of a listing come first"
    return text.replace(ITEMS, b'"items":[' + b",".join(items) + b"]", 1)


def json_of(record: Any) -> bytes:
    """Return a record as the service writes it."""
    return bytes(adapter(type(record)).dump_json(record, by_alias=True))

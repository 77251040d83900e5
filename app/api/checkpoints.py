"""Routes of one checkpoint: its spectrum, its numbers, and the graphs stored of it."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from neuromfa.app.dependencies import Chosen, Configured, ModelId, NumberPages, Step, Store, page_of
from neuromfa.app.etags import Tag, scores_hash
from neuromfa.app.memory.answering import Answering, Answers
from neuromfa.app.memory.series_parts import metrics_of, spectrum_of
from neuromfa.app.rooms import seated
from neuromfa.app.schemas.answers import Listing
from neuromfa.app.table_forms import table_of
from neuromfa.graph import CheckpointRecord, GraphStore, Manifest
from neuromfa.graph.stored_series import SeriesIndex, StoredStep
from neuromfa.results import CheckpointMetrics, CheckpointSpectrum

router = APIRouter(
    prefix="/v1/models/{model}/checkpoints/{step}", tags=["checkpoints"], route_class=seated("held")
)


@router.get("")
def read_checkpoint(store: Store, model: ModelId, step: Step) -> CheckpointRecord:
    """Return one checkpoint, and how many results and graphs it has."""
    return store.checkpoint(model, step)


@router.get("/spectrum", response_model=CheckpointSpectrum)
async def read_spectrum(
    model: ModelId,
    step: Step,
    choice: Chosen,
    answers: Answers,
    samples: Annotated[bool, Query(description="Give the figures of every sample too.")] = False,
) -> Response:
    """Return q, tau, alpha and f with their confidence bands: means over samples."""
    index = await answers.series(model)
    found = await answers.step(index, step, choice)
    make = _from_record(answers, index, found, partial(spectrum_of, samples=samples))
    return await answers.answer([index], [found.name], make=make)


@router.get("/metrics", response_model=CheckpointMetrics)
async def read_metrics(model: ModelId, step: Step, choice: Chosen, answers: Answers) -> Response:
    """Return alpha0, width and E, with nulls, coverage, fit, flags, node dimensions and benchmark scores."""
    index = await answers.series(model)
    found = await answers.step(index, step, choice)
    scores = [score for score in index.scores if score.step == step]
    make = _from_record(answers, index, found, partial(metrics_of, scores=scores))
    return await answers.answer([index], [found.name, scores_hash(scores)], make=make)


def _from_record(
    answers: Answering, index: SeriesIndex, step: StoredStep, make: Callable[[StoredStep, str], bytes]
) -> Callable[[GraphStore], bytes]:
    """Return what makes an answer of a step's record, in a thread."""
    records = answers.memory.series.records
    return lambda store: make(step, records.text(store, index, step))


@router.get("/samples", openapi_extra=table_of())
def list_samples(
    store: Store, model: ModelId, step: Step, pages: NumberPages, settings: Configured
) -> Listing[Manifest]:
    """List the graphs stored of this checkpoint, by seed."""
    part, following = page_of(store.samples(model, step), pages, most=settings.page_limit)
    return Listing(items=part, next=following)


@router.get("/samples/{seed}")
def read_sample(
    store: Store,
    model: ModelId,
    step: Step,
    seed: Annotated[int, Path(ge=0, lt=2**32, description="Seed of the draw of neurons.")],
    tag: Tag,
) -> Manifest:
    """Return what one stored graph says of itself: layout, provenance, counts, checksum."""
    manifest = store.sample(model, step, seed)
    tag.by([manifest.graph_hash, manifest.checksum])
    return manifest

"""Routes of one checkpoint: its spectrum, its numbers, and the graphs stored of it."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from neuromfa.app.dependencies import Chosen, Configured, ModelId, Pages, Step, Store, page_of
from neuromfa.app.etags import Tag, scores_hash
from neuromfa.app.schemas.answers import Listing
from neuromfa.graph import CheckpointRecord, Manifest
from neuromfa.results import CheckpointMetrics, CheckpointSpectrum

router = APIRouter(prefix="/v1/models/{model}/checkpoints/{step}", tags=["checkpoints"])


@router.get("")
def read_checkpoint(store: Store, model: ModelId, step: Step) -> CheckpointRecord:
    """Return one checkpoint, and how many results and graphs it has."""
    return store.checkpoint(model, step)


@router.get("/spectrum")
def read_spectrum(
    store: Store,
    model: ModelId,
    step: Step,
    choice: Chosen,
    tag: Tag,
    samples: Annotated[bool, Query(description="Give the figures of every sample too.")] = False,
) -> CheckpointSpectrum:
    """Return q, tau, alpha and f with their confidence bands: means over samples."""
    result = store.result(model, step, **asdict(choice))
    tag.by([result.analysis_hash], *result.flag_notes.values())
    return CheckpointSpectrum.of(result, samples=samples)


@router.get("/metrics")
def read_metrics(store: Store, model: ModelId, step: Step, choice: Chosen, tag: Tag) -> CheckpointMetrics:
    """Return alpha0, width and E, with nulls, coverage, fit, flags, node dimensions and benchmark scores."""
    result = store.result(model, step, **asdict(choice))
    scores = [score for score in store.scores(model) if score.step == step]
    tag.by([result.analysis_hash], scores_hash(scores), *result.flag_notes.values())
    return CheckpointMetrics.of(result, scores)


@router.get("/samples")
def list_samples(
    store: Store, model: ModelId, step: Step, pages: Pages, settings: Configured
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

"""Routes of what is stored: models, their checkpoints, and series over steps."""

from fastapi import APIRouter

from neuromfa.app.dependencies import Configured, ModelId, NamePages, Pages, Results, Store, page_of
from neuromfa.app.etags import Tag, scores_hash
from neuromfa.app.schemas.answers import (
    Analysis,
    CheckpointSummary,
    EmergenceItem,
    Listing,
    ModelDetail,
    ModelSummary,
    SpectrumAnswer,
)
from neuromfa.correlations import Correlation, correlate
from neuromfa.scores import Score

router = APIRouter(prefix="/v1/models", tags=["series"])


@router.get("")
def list_models(store: Store, pages: NamePages, settings: Configured) -> Listing[ModelSummary]:
    """List the series in the store, by id."""
    page = store.models(limit=min(pages.limit, settings.page_limit), cursor=pages.cursor)
    return Listing(items=[ModelSummary.of(record) for record in page.items], next=page.next)


@router.get("/{model}")
def read_model(store: Store, model: ModelId) -> ModelDetail:
    """Return one series, and every set of options it was measured with, newest first."""
    record = store.model(model)
    analyses = [Analysis.of(analysis) for analysis in store.analyses(model)]
    return ModelDetail(record.id, record.source, record.checkpoints, record.properties, analyses)


@router.get("/{model}/checkpoints")
def list_checkpoints(
    store: Store, model: ModelId, pages: Pages, settings: Configured
) -> Listing[CheckpointSummary]:
    """List the checkpoints of a series, by step."""
    page = store.checkpoints(model, limit=min(pages.limit, settings.page_limit), cursor=pages.cursor)
    return Listing(items=[CheckpointSummary.of(record) for record in page.items], next=page.next)


@router.get("/{model}/emergence")
def read_emergence(results: Results, pages: Pages, settings: Configured, tag: Tag) -> Listing[EmergenceItem]:
    """Return E, alpha0 and width over the steps of a series, with nulls, intervals, coverage and flags."""
    part, following = page_of(results, pages, most=settings.page_limit)
    tag.by((result.analysis_hash for result in part), following)
    return Listing(items=[EmergenceItem.of(result) for result in part], next=following)


@router.get("/{model}/spectra")
def read_spectra(results: Results, pages: Pages, settings: Configured, tag: Tag) -> Listing[SpectrumAnswer]:
    """Return the spectra of all steps of a series."""
    part, following = page_of(results, pages, most=settings.page_limit)
    tag.by((result.analysis_hash for result in part), following)
    return Listing(items=[SpectrumAnswer.of(result) for result in part], next=following)


@router.get("/{model}/scores")
def list_scores(store: Store, model: ModelId, pages: Pages, settings: Configured, tag: Tag) -> Listing[Score]:
    """List what the checkpoints of a series scored on benchmarks, by step, task and metric."""
    scores = store.scores(model)
    part, following = page_of(scores, pages, most=settings.page_limit)
    tag.by([scores_hash(part)], following)
    return Listing(items=part, next=following)


@router.get("/{model}/correlations")
def read_correlations(
    store: Store, model: ModelId, results: Results, pages: Pages, settings: Configured, tag: Tag
) -> Listing[Correlation]:
    """Return how E, alpha0 and width go along with every benchmark, and how those of the nulls do.

    The steps of one training run are not independent draws: p and the intervals are narrower than they should be.
    What tells something is the difference between `model` real and the nulls.
    """
    scores = store.scores(model)
    tag.by((result.analysis_hash for result in results), scores_hash(scores), pages.cursor, str(pages.limit))
    part, following = page_of(correlate(results, scores), pages, most=settings.page_limit)
    return Listing(items=part, next=following)

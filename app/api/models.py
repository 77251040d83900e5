"""Routes of what is stored: models, their checkpoints, and series over steps."""

from dataclasses import asdict, fields
from typing import Annotated, TypedDict, TypeVar

from fastapi import APIRouter, Query, Response

from neuromfa.app.chosen_fields import chosen_json, with_some
from neuromfa.app.dependencies import Chosen, Configured, ModelId, NamePages, Pages, Paging, Store, page_of
from neuromfa.app.etags import Tag, Tagging, scores_hash
from neuromfa.app.schemas.answers import CurveListing, Listing, ModelDetail, SeriesListing
from neuromfa.app.settings import Settings
from neuromfa.app.sifting import Sifted, Sifting
from neuromfa.beyond_scale import series_verdict
from neuromfa.change_points import change_points
from neuromfa.correlations import Correlation, correlate
from neuromfa.graph import AnalysisRecord, CheckpointRecord, GraphStore, ModelRecord
from neuromfa.graph.stored_results import Served
from neuromfa.results import CheckpointSpectrum, CurvePoint, FailedCheckpoint
from neuromfa.scores import Score

T = TypeVar("T")

FromStep = Annotated[int, Query(ge=0, le=10**15, description="First step that takes part.")]

router = APIRouter(prefix="/v1/models", tags=["series"])


@router.get("")
def list_models(store: Store, pages: NamePages, settings: Configured) -> Listing[ModelRecord]:
    """List the series in the store, by id."""
    page = store.models(**_part(pages, settings))
    return Listing(items=page.items, next=pages.follow(page.next))


@router.get("/{model}")
def read_model(store: Store, model: ModelId) -> ModelDetail:
    """Return one series, and every set of options it was measured with, the one served by default first."""
    record = store.model(model)
    return ModelDetail(**vars(record), analyses=store.analyses(model))


@router.get("/{model}/checkpoints")
def list_checkpoints(
    store: Store, model: ModelId, pages: Pages, settings: Configured
) -> Listing[CheckpointRecord]:
    """List the checkpoints of a series, by step."""
    page = store.checkpoints(model, **_part(pages, settings))
    return Listing(items=page.items, next=pages.follow(page.next))


@router.get("/{model}/emergence", response_model=CurveListing | with_some(CurveListing, items=CurvePoint))
def read_emergence(
    store: Store,
    model: ModelId,
    choice: Chosen,
    sift: Sifted,
    pages: Pages,
    settings: Configured,
    tag: Tag,
    response: Response,
) -> CurveListing | Response:
    """Return the verdict of a series, and E, alpha0 and width over its steps with nulls, excess, coverage and flags.

    With `fields`, items hold those alone; a part that was chosen or ordered is paged by number, all else by step.
    """
    served, failed = store.choose(model, **asdict(choice)), store.failures(model)
    if sift.is_asked:
        return _sifted(
            store,
            model,
            served,
            failed,
            sift=sift,
            pages=pages,
            settings=settings,
            tag=tag,
            response=response,
        )
    page = store.curve(model, options_hash=served.analysis.options_hash, **_part(pages, settings))
    tag.by((point.analysis_hash + point.notes for point in page.items), page.next, *_names(served, failed))
    points = [point.read() for point in page.items]
    listing = _series(points, pages.follow(page.next), served, failed)
    is_whole = pages.cursor is None and page.next is None
    whole = points if is_whole else _points(store, model, served)
    return CurveListing(
        **dict(listing),
        verdict=series_verdict(whole, served.analysis.options),
        change_points=change_points(whole),
    )


def _sifted(
    store: GraphStore,
    model: str,
    served: Served,
    failed: list[FailedCheckpoint],
    *,
    sift: Sifting,
    pages: Paging,
    settings: Settings,
    tag: Tagging,
    response: Response,
) -> Response:
    names = sift.names(CurvePoint)
    stored = store.points(model, options_hash=served.analysis.options_hash)
    hashes = (point.analysis_hash + point.notes for point in stored)
    tag.by(hashes, str(sift), pages.cursor, str(pages.limit), *_names(served, failed))
    points = [point.read() for point in stored]
    part, following = page_of(sift.of(points), pages, most=settings.page_limit)
    listing = CurveListing(
        **dict(_series(part, following, served, failed)),
        verdict=series_verdict(points, served.analysis.options),
    )
    return chosen_json(listing, response, {"items": {"__all__": names}} if names else None)


def _points(store: GraphStore, model: str, served: Served) -> list[CurvePoint]:
    return [point.read() for point in store.points(model, options_hash=served.analysis.options_hash)]


@router.get("/{model}/spectra")
def read_spectra(
    store: Store, model: ModelId, choice: Chosen, pages: Pages, settings: Configured, tag: Tag
) -> SeriesListing[CheckpointSpectrum]:
    """Return the spectra of all steps of a series."""
    served, failed = store.choose(model, **asdict(choice)), store.failures(model)
    page = store.results_page(model, options_hash=served.analysis.options_hash, **_part(pages, settings))
    tag.by((result.analysis_hash for result in page.items), page.next, *_names(served, failed))
    return _series(
        [CheckpointSpectrum.of(result) for result in page.items], pages.follow(page.next), served, failed
    )


@router.get("/{model}/scores")
def list_scores(store: Store, model: ModelId, pages: Pages, settings: Configured, tag: Tag) -> Listing[Score]:
    """List what the checkpoints of a series scored on benchmarks, by step, task and metric."""
    scores = store.scores(model)
    part, following = page_of(scores, pages, most=settings.page_limit)
    tag.by([scores_hash(part)], following)
    return Listing(items=part, next=following)


@router.get("/{model}/correlations")
def read_correlations(
    store: Store,
    model: ModelId,
    choice: Chosen,
    pages: Pages,
    settings: Configured,
    tag: Tag,
    from_step: FromStep = 0,
) -> Listing[Correlation]:
    """Return how E, alpha0 and width, their excess, and those of the nulls go along with every benchmark.

    Coefficients are description: whatever grows with training goes along with whatever else does. `p` asks whether two
    curves move together beyond their trends, and needs 25 steps; `q` is p over all tasks and measures of a model.
    """
    served, scores = store.choose(model, **asdict(choice)), store.scores(model)
    points = store.points(model, options_hash=served.analysis.options_hash)
    tag.by((point.analysis_hash for point in points), scores_hash(scores), *_asked(pages, from_step))
    found = correlate([point.read() for point in points], scores, from_step=from_step)
    part, following = page_of(found, pages, most=settings.page_limit)
    return Listing(items=part, next=following)


def _asked(pages: Pages, from_step: int) -> tuple[str | None, ...]:
    return pages.cursor, str(pages.limit), str(from_step)


class _Part(TypedDict):
    limit: int
    cursor: str | None


def _part(pages: Pages | NamePages, settings: Configured) -> _Part:
    return {"limit": min(pages.limit, settings.page_limit), "cursor": pages.cursor}


def _series(
    items: list[T], following: str | None, served: Served, failed: list[FailedCheckpoint]
) -> SeriesListing[T]:
    names = [each.name for each in fields(AnalysisRecord)]
    told = [AnalysisRecord(**{name: getattr(one, name) for name in names}) for one in served.analyses]
    return SeriesListing(
        items=items, next=following, options_hash=served.analysis.options_hash, analyses=told, failed=failed
    )


def _names(served: Served, failed: list[FailedCheckpoint]) -> list[str]:
    """Return what changes when an analysis is added, one of them grows, or a step fails."""
    grown = [f"{one.options_hash} {one.checkpoints}" for one in served.analyses]
    return [*grown, *(f"{one.step} {one.sentence}" for one in failed)]

"""Routes of what is stored: models, their checkpoints, and series over steps."""

from collections.abc import Iterator
from dataclasses import asdict, fields
from functools import partial
from typing import Annotated, TypedDict

from fastapi import APIRouter, Query, Response

from neuromfa.app.chosen_fields import chosen_json, with_some
from neuromfa.app.dependencies import (
    Chosen,
    Configured,
    ModelId,
    NamePages,
    NumberPages,
    Pages,
    Paging,
    Store,
    page_of,
)
from neuromfa.app.etags import scores_hash
from neuromfa.app.memory.answering import Answers
from neuromfa.app.memory.curve_memory import names_of
from neuromfa.app.memory.series_parts import json_of, listed, points_of, spectra_of
from neuromfa.app.rooms import seated
from neuromfa.app.schemas.answers import CurveListing, Listing, ModelDetail, SeriesListing
from neuromfa.app.settings import Settings
from neuromfa.app.sifting import Sifted, Sifting, Steps
from neuromfa.app.table_forms import table_of
from neuromfa.beyond_scale import series_verdict
from neuromfa.change_points import change_points
from neuromfa.correlations import Correlation, correlate
from neuromfa.graph import AnalysisRecord, CheckpointRecord, GraphStore, ModelRecord
from neuromfa.graph.stored_results import Served
from neuromfa.graph.stored_series import SeriesIndex
from neuromfa.neuron_chance import since_when
from neuromfa.neurons import NeuronSince
from neuromfa.results import CheckpointSpectrum, CurvePoint, FailedCheckpoint
from neuromfa.scores import Score

FromStep = Annotated[int, Query(ge=0, le=10**15, description="First step that takes part.")]

router = APIRouter(prefix="/v1/models", tags=["series"], route_class=seated("held"))


@router.get("", openapi_extra=table_of())
def list_models(store: Store, pages: NamePages, settings: Configured) -> Listing[ModelRecord]:
    """List the series in the store, by id."""
    page = store.models(**_part(pages, settings))
    return Listing(items=page.items, next=pages.follow(page.next))


@router.get("/{model}")
def read_model(store: Store, model: ModelId) -> ModelDetail:
    """Return one series, and every set of options it was measured with, the one served by default first."""
    record = store.model(model)
    return ModelDetail(**vars(record), analyses=store.analyses(model))


@router.get("/{model}/checkpoints", openapi_extra=table_of())
def list_checkpoints(
    store: Store, model: ModelId, steps: Steps, pages: Pages, settings: Configured
) -> Listing[CheckpointRecord]:
    """List the checkpoints of a series, or those of some steps, by step."""
    page = store.checkpoints(model, **asdict(steps), **_part(pages, settings))
    return Listing(items=page.items, next=pages.follow(page.next))


@router.get(
    "/{model}/emergence", response_model=with_some(CurveListing, items=CurvePoint), openapi_extra=table_of()
)
async def read_emergence(
    model: ModelId, choice: Chosen, sift: Sifted, pages: Pages, settings: Configured, answers: Answers
) -> Response:
    """Return the verdict of a series, and E, alpha0 and width over its steps with nulls, excess, coverage and flags.

    With `fields`, items hold those alone; a part that was chosen or ordered is paged by number, all else by step.
    """
    index = await answers.series(model)
    served = index.choose(**asdict(choice))
    chosen = served.analysis.options_hash
    if sift.is_asked:
        make = partial(_sifted, index=index, served=served, sift=sift, pages=pages, settings=settings)
        return await answers.answer([index], _names(index, chosen, str(sift)), make=make)
    page = index.page(chosen, **_part(pages, settings))

    def made(store: GraphStore) -> bytes:
        whole = answers.memory.curve(store, index, chosen)
        listing = _series(pages.follow(page.next), served, index.failed)
        items = answers.memory.points.texts(store, names_of(index, page.items))
        told = CurveListing(**dict(listing), verdict=whole.verdict, change_points=whole.change_points)
        return listed(told, items)

    return await answers.answer([index], _names(index, chosen, page.next), make=made)


def _sifted(
    store: GraphStore, *, index: SeriesIndex, served: Served, sift: Sifting, pages: Paging, settings: Settings
) -> bytes:
    names = sift.names(CurvePoint)
    points = points_of(store, index.newest(served.analysis.options_hash))
    part, following = page_of(sift.of(points), pages, most=settings.page_limit)
    listing = CurveListing(
        **dict(_series(following, served, index.failed)) | {"items": part},
        verdict=series_verdict(points, served.analysis.options),
        change_points=change_points(points),
    )
    return bytes(chosen_json(listing, Response(), {"items": {"__all__": names}} if names else None).body)


@router.get("/{model}/spectra", response_model=SeriesListing[CheckpointSpectrum], openapi_extra=table_of())
async def read_spectra(
    model: ModelId, choice: Chosen, steps: Steps, pages: Pages, settings: Configured, answers: Answers
) -> Response:
    """Return the spectra of all steps of a series, or of those that are wanted."""
    index = await answers.series(model)
    served = index.choose(**asdict(choice))
    chosen = served.analysis.options_hash
    page = index.page(chosen, **asdict(steps), **_part(pages, settings))

    def make(store: GraphStore) -> bytes:
        listing = _series(pages.follow(page.next), served, index.failed)
        return listed(listing, spectra_of(store, steps=page.items))

    return await answers.answer([index], _names(index, chosen, f"{page.next} {steps}"), make=make)


@router.get("/{model}/scores", response_model=Listing[Score], openapi_extra=table_of())
async def list_scores(model: ModelId, pages: NumberPages, settings: Configured, answers: Answers) -> Response:
    """List what the checkpoints of a series scored on benchmarks, by step, task and metric."""
    index = await answers.series(model)

    def make(_: GraphStore) -> bytes:
        part, following = page_of(index.scores, pages, most=settings.page_limit)
        return json_of(Listing[Score](items=part, next=following))

    return await answers.answer([index], [scores_hash(index.scores), *_asked(pages)], make=make)


@router.get("/{model}/correlations", response_model=Listing[Correlation], openapi_extra=table_of())
async def read_correlations(
    model: ModelId,
    choice: Chosen,
    pages: NumberPages,
    settings: Configured,
    answers: Answers,
    from_step: FromStep = 0,
) -> Response:
    """Return how E, alpha0 and width, their excess, and those of the nulls go along with every benchmark.

    Coefficients are description: whatever grows with training goes along with whatever else does. `p` asks whether two
    curves move together beyond their trends, and needs 25 steps; `q` is p over all tasks and measures of a model.
    """
    index = await answers.series(model)
    steps = index.newest(index.choose(**asdict(choice)).analysis.options_hash)

    def make(store: GraphStore) -> bytes:
        found = correlate(points_of(store, steps), index.scores, from_step=from_step)
        part, following = page_of(found, pages, most=settings.page_limit)
        return json_of(Listing[Correlation](items=part, next=following))

    names = [*(one.name for one in steps), scores_hash(index.scores), *_asked(pages), str(from_step)]
    return await answers.answer([index], names, make=make)


@router.get("/{model}/departures", response_model=Listing[NeuronSince], openapi_extra=table_of())
async def read_neurons_since(
    model: ModelId, choice: Chosen, pages: NumberPages, settings: Configured, answers: Answers
) -> Response:
    """Return since when each neuron departs from chance that does so at the last tested step, the earliest first.

    The adjusted p counts times the number of tested steps, so that testing more steps finds no more neurons.
    """
    index = await answers.series(model)
    chosen = index.choose(**asdict(choice)).analysis.options_hash

    def make(store: GraphStore) -> bytes:
        found = since_when(store.results(model, options=chosen))
        part, following = page_of(found, pages, most=settings.page_limit)
        return json_of(Listing[NeuronSince](items=part, next=following))

    names = [*(one.name for one in index.newest(chosen)), *_asked(pages)]
    return await answers.answer([index], names, make=make)


def _asked(pages: Pages) -> tuple[str | None, ...]:
    return pages.cursor, str(pages.limit)


class _Part(TypedDict):
    limit: int
    cursor: str | None


def _part(pages: Pages | NamePages, settings: Configured) -> _Part:
    return {"limit": min(pages.limit, settings.page_limit), "cursor": pages.cursor}


def _series(
    following: str | None, served: Served, failed: list[FailedCheckpoint]
) -> SeriesListing[CheckpointSpectrum]:
    """Return a listing of a series without its items."""
    names = [each.name for each in fields(AnalysisRecord)]
    told = [AnalysisRecord(**{name: getattr(one, name) for name in names}) for one in served.analyses]
    return SeriesListing(
        items=[], next=following, options_hash=served.analysis.options_hash, analyses=told, failed=failed
    )


def _names(index: SeriesIndex, options_hash: str, part: str | None) -> Iterator[str | None]:
    """Yield what changes when a step is added, an analysis grows, or a step fails; `part` tells which part it is."""
    yield from (one.name for one in index.newest(options_hash))
    yield from (f"{one.options_hash} {one.checkpoints}" for one in index.analyses)
    yield from (f"{one.step} {one.sentence}" for one in index.failed)
    yield part

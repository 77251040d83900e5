"""The route of the curves of all models in one call, in short, for pictures of many series."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from neuromfa.app.chosen_fields import chosen_json
from neuromfa.app.curve_memory import CurveMemory, Remembered
from neuromfa.app.dependencies import Chosen, Configured, NamePages, Store
from neuromfa.app.etags import Tag
from neuromfa.app.rooms import seated
from neuromfa.app.schemas.answers import Listing
from neuromfa.app.sifting import Sifted, Sifting, Words, parted
from neuromfa.beyond_scale import series_verdict
from neuromfa.curves import CompactPoint, ModelCurve
from neuromfa.graph import Analysis, GraphStore, ModelRecord
from neuromfa.graph.several_series import NamedPoint, analyses_of, failed_of, points_of
from neuromfa.graph.stored_results import first_fitting
from neuromfa.model_id import check_model_id, from_route

MOST_CURVES = 50
ANALYSIS = ("options_hash", "method_version", "profile", "hops", "baseline")

router = APIRouter(prefix="/v1", tags=["series"], route_class=seated("held"))

Models = Annotated[
    Words,
    Query(
        default_factory=list,
        max_length=MOST_CURVES,
        description="Ids of models, their `/` as it is or written `--`, repeated or with commas; all without a word.",
        examples=[["stdlib-14m"]],
    ),
]


@router.get("/emergence", response_model=Listing[ModelCurve])
def read_curves(
    request: Request,
    response: Response,
    store: Store,
    models: Models,
    choice: Chosen,
    sift: Sifted,
    pages: NamePages,
    settings: Configured,
    tag: Tag,
) -> Response:
    """Return the curves of all models in short: alpha0, width, E and excess over the steps, and each verdict.

    Of each model the analysis with most steps is taken, or the one that is asked for; a model without it has no
    points and no `options_hash`. At most 50 models a page, by id.
    """
    names = sift.names(CompactPoint)
    limit = min(pages.limit, settings.page_limit, MOST_CURVES)
    records, following = _page(store, parted(models), cursor=pages.cursor, limit=limit)
    ids = [record.id for record in records]
    analyses, failed = analyses_of(store, ids), failed_of(store, ids)
    shown = {one: first_fitting(analyses[one], **asdict(choice)) for one in ids}
    points = points_of(store, {one: analysis.options_hash for one, analysis in shown.items() if analysis})
    tag.by(_identity(points), request.url.query, following, *map(str, records), str(failed))
    memory: CurveMemory = request.app.state.curves
    read = memory.read(store, [name for names in points.values() for name in names])
    curves = [
        _curve(
            record, shown[record.id], [read[name] for name in points.get(record.id, [])], sift, failed=failed
        )
        for record in records
    ]
    listing = Listing[ModelCurve](items=curves, next=pages.follow(following))
    return chosen_json(listing, response, {"items": {"__all__": _with_points(names)}} if names else None)


def _with_points(names: set[str]) -> dict[str, Any]:
    """Return all fields of a curve, of its points those that are named."""
    return {each.name: True for each in fields(ModelCurve)} | {"points": {"__all__": names}}


def _page(
    store: GraphStore, models: list[str], *, cursor: str | None, limit: int
) -> tuple[list[ModelRecord], str | None]:
    """Return a page of the models that are named, or of all; `NotStored` for one that is not there."""
    if not models:
        page = store.models(limit=limit, cursor=cursor)
        return page.items, page.next
    ids = sorted({check_model_id(from_route(model)) for model in models})
    left = [one for one in ids if one > (cursor or "")]
    part = [store.model(one) for one in left[:limit]]
    return part, part[-1].id if len(left) > limit else None


def _identity(points: Mapping[str, Sequence[NamedPoint]]) -> list[str]:
    return [f"{one.model} {one.step} {one.id}{one.notes}" for names in points.values() for one in names]


def _curve(
    record: ModelRecord,
    analysis: Analysis | None,
    points: Sequence[Remembered],
    sift: Sifting,
    *,
    failed: Mapping[str, int],
) -> ModelCurve:
    return ModelCurve(
        model=record.id,
        **{name: getattr(analysis, name, None) for name in ANALYSIS},
        found=record.checkpoints,
        measured=len(points),
        failed=failed.get(record.id, 0),
        verdict=series_verdict(points, analysis.options) if analysis else None,
        flags=dict(Counter(flag for one in points for flag in one.point.flags)),
        points=sift.of(one.point for one in points),
    )

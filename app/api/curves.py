"""The route of the curves of all models in one call, in short, for pictures of many series."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from neuromfa.app.chosen_fields import chosen_json
from neuromfa.app.dependencies import Chosen, Configured, NamePages, Store, made_at_once
from neuromfa.app.etags import Tag
from neuromfa.app.memory.answering import Memory
from neuromfa.app.memory.curve_memory import Remembered
from neuromfa.app.rooms import seated
from neuromfa.app.schemas.answers import Listing
from neuromfa.app.sifting import Sifted, Sifting, Words, parted
from neuromfa.app.table_forms import TableForm, file_name, table_answer, table_form, table_of
from neuromfa.beyond_scale import series_verdict
from neuromfa.curves import CompactPoint, ModelCurve, curve_rows
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


@dataclass(frozen=True)
class Asked:
    """All that a request for curves says."""

    request: Request
    response: Response
    store: Store
    models: Models
    choice: Chosen
    sift: Sifted
    pages: NamePages
    settings: Configured
    tag: Tag


Asking = Annotated[Asked, Depends(made_at_once(Asked))]


@router.get("/emergence", response_model=Listing[ModelCurve], openapi_extra=table_of())
def read_curves(asked: Asking) -> Response:
    """Return the curves of all models in short: alpha0, width, E and excess over the steps, and each verdict.

    Of each model the analysis with most steps is taken, or the one that is asked for; a model without it has no
    points and no `options_hash`. At most 50 models a page, by id. As a table, a row is one step of one model.
    """
    form, listing = table_form(asked.request.scope), _listing(asked)
    return _json(asked, listing) if form is None else _table(asked, listing, form)


def _json(asked: Asked, listing: Listing[ModelCurve]) -> Response:
    names = asked.sift.names(CompactPoint)
    wanted = {"items": {"__all__": _with_points(names)}} if names else None
    return chosen_json(listing, asked.response, wanted)


def _table(asked: Asked, listing: Listing[ModelCurve], form: TableForm) -> Response:
    rows = curve_rows(listing.items, names=asked.sift.names(CompactPoint))
    name = file_name(asked.request.scope, form)
    return table_answer(rows, form, name=name, response=asked.response)


def _listing(asked: Asked) -> Listing[ModelCurve]:
    """Return the curves that are asked for; `NotModified` where the reader has them in this form."""
    store, pages = asked.store, asked.pages
    asked.sift.names(CompactPoint)
    limit = min(pages.limit, asked.settings.page_limit, MOST_CURVES)
    records, following = _page(store, parted(asked.models), cursor=pages.cursor, limit=limit)
    ids = [record.id for record in records]
    analyses, failed = analyses_of(store, ids), failed_of(store, ids)
    shown = {one: first_fitting(analyses[one], **asdict(asked.choice)) for one in ids}
    points = points_of(store, {one: analysis.options_hash for one, analysis in shown.items() if analysis})
    asked.tag.by(_identity(points), asked.request.url.query, following, *map(str, records), str(failed))
    memory: Memory = asked.request.app.state.memory
    read = memory.points.read(store, [name for names in points.values() for name in names])
    curves = [
        _curve(one, shown[one.id], [read[name] for name in points.get(one.id, [])], asked.sift, failed=failed)
        for one in records
    ]
    return Listing[ModelCurve](items=curves, next=pages.follow(following))


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
    return [one.name for names in points.values() for one in names]


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

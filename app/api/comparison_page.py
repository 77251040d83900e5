"""The page of several series; what is not stored yet is said, and the others are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints

from neuromfa.app.api.comparisons import LONGEST_GROUP, MOST_GROUPS, Axis
from neuromfa.app.dependencies import Chosen, Store
from neuromfa.app.pages import comparison, overview
from neuromfa.app.pages.answering import page
from neuromfa.app.pages.problem_pages import PageRoute
from neuromfa.app.pages.series import StoredSeries
from neuromfa.app.pages.shown import Shown
from neuromfa.app.pages.tables import CURVES, AskedChart, chart_csv, comparison_csv
from neuromfa.comparison import check_groups, check_series, compare, group_from, needed_steps
from neuromfa.comparison.compare import FEWEST_SERIES, MOST_SERIES
from neuromfa.comparison.records import By, Group
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore
from neuromfa.model_id import LARGEST_BYTES, check_model_id, from_route, in_route

AXES: tuple[By, ...] = ("step", "tokens", "share")
LONGEST_LIST = MOST_SERIES * (2 * LARGEST_BYTES + 1)

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Models = Annotated[
    list[Annotated[str, StringConstraints(max_length=LONGEST_LIST)]],
    Query(default_factory=list, max_length=MOST_SERIES),
]
Groups = Annotated[
    list[Annotated[str, StringConstraints(max_length=LONGEST_GROUP)]],
    Query(default_factory=list, max_length=MOST_GROUPS),
]


@router.get("/compare")
def comparison_page(
    request: Request,
    store: Store,
    choice: Chosen,
    models: Models,
    group: Groups,
    by: Axis = "step",
    csv: AskedChart = None,
) -> Response:
    """Show series beside one another; `models` is repeated, or holds several ids between commas."""
    asked = [check_model_id(from_route(id)) for text in models for id in text.split(",") if id]
    if len(asked) < FEWEST_SERIES:
        known = overview.known_ids(store)
        return page(
            request,
            "compare.html",
            {"here": "compare", "asked": [], "comparison": None, "known": known, "ticked": asked},
        )
    check_series(asked)
    groups = [_group(text) for text in group]
    check_groups(groups, known=asked)
    found, sentences = _stored(store, asked, **asdict(choice))
    missing = [id for id in asked if id not in {one.model.id for one in found}]
    shown_words = [("models", in_route(id)) for id in asked] + [("group", text) for text in group]
    shown_words += [(name, value) for name, value in asdict(choice).items() if value]
    context: dict[str, Any] = {
        "here": "compare",
        "asked": asked,
        "missing": comparison.missing_words(missing),
        "sentences": sentences,
        "comparison": None,
        "axes": [one for one in AXES if one != "tokens" or _told_tokens(found)],
        "link": lambda **more: f"?{urlencode([*shown_words, *({'by': by} | more).items()])}",
        "json_words": urlencode(
            [("model" if name == "models" else name, value) for name, value in shown_words]
        ),
    }
    if len(found) >= FEWEST_SERIES:
        context |= _compared(store, found, [one for one in groups if not set(one.series) & set(missing)], by)
    if csv is not None:
        return _csv(context, csv)
    return page(request, "compare.html", context)


def _csv(context: Mapping[str, Any], chart: str) -> Response:
    if chart == CURVES and context["comparison"] is not None:
        return comparison_csv(context["comparison"])
    pictures = context.get("pictures")
    return chart_csv([*pictures.together, *pictures.apart] if pictures else [], chart, page="comparison")


def _group(text: str) -> Group:
    group = group_from(text, separator=":")
    return Group(group.name, tuple(map(from_route, group.series)))


def _stored(
    store: GraphStore, asked: Sequence[str], **choice: str | None
) -> tuple[list[StoredSeries], list[str]]:
    """Return the series that have numbers, and for each other one what is missing."""
    found, sentences = [], []
    for id in asked:
        try:
            series = StoredSeries.read(store, id, **choice)
        except NotStored as error:
            sentences.append(str(error))
        else:
            found += [series] if series.points else []
    return found, sentences


def _told_tokens(found: Sequence[StoredSeries]) -> bool:
    return bool(found) and all(any(point.tokens is not None for point in one.points) for one in found)


def _compared(
    store: GraphStore, found: Sequence[StoredSeries], groups: Sequence[Group], by: By
) -> dict[str, Any]:
    shown = [one.shown() for one in found]
    needed = needed_steps([one.source for one in shown], by=by)
    whole: list[Shown] = [one.shown(one.results(store, needed[one.model.id])) for one in found]
    result = compare([one.source for one in whole], by=by, groups=groups)
    return {
        "comparison": result,
        "pictures": comparison.pictures(result, whole),
        "learned": comparison.learned_words(result, whole),
    }

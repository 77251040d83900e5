"""What a person is given in a browser: pages made from the store, at addresses that say all that is chosen."""

from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from neuromfa.app.api.assets import ASK_AGAIN, Files, mount_assets
from neuromfa.app.api.questions import explorer_of
from neuromfa.app.dependencies import Chosen, ModelId, Store
from neuromfa.app.drawing.scales import Along
from neuromfa.app.errors import KEY_NEEDED
from neuromfa.app.keys import KeyRing
from neuromfa.app.page_key import COOKIE, cookie_of
from neuromfa.app.pages import layers, overview, report, series_tabs
from neuromfa.app.pages.addresses import linker
from neuromfa.app.pages.answering import page, unchanged
from neuromfa.app.pages.problem_pages import PageRoute, problem_page
from neuromfa.app.pages.series import (
    TABS,
    StoredSeries,
    Tab,
    along_choices,
    scrub_data,
    series_panels,
    spectra_pictures,
    spread_steps,
)
from neuromfa.app.pages.tables import AskedChart, chart_csv
from neuromfa.app.pages.templating import WEB
from neuromfa.app.pages.words import NULLS, checkpoint_name
from neuromfa.errors import NotStored
from neuromfa.model_id import in_route
from neuromfa.questions import Explorer
from neuromfa.versions import versions

CHARTS = Path(str(resources.files("neuromfa").joinpath("charts")))
SHORT_HASH = 12

router = APIRouter(include_in_schema=False, route_class=PageRoute)
open_router = APIRouter(include_in_schema=False)

AskedStep = Annotated[str | None, Query(max_length=15)]
Seed = Annotated[int | None, Query(ge=0, lt=2**32)]


@open_router.get("/docs")
def reference() -> FileResponse:
    """Send the API reference."""
    return FileResponse(WEB / "docs.html", headers=ASK_AGAIN)


@router.get("/")
def first_page(
    request: Request,
    store: Store,
    choice: Chosen,
    q: Annotated[str, Query(max_length=200)] = "",
    sort: Annotated[overview.Sort, Query()] = "name",
    model: Annotated[str | None, Query(max_length=400)] = None,
    step: AskedStep = None,
) -> Response:
    """Show all series; an address of the page that once stood here leads to the series it named."""
    if model is not None:
        link = linker({**asdict(choice), "step": step})
        return RedirectResponse(f"./models/{quote(in_route(model), safe='')}{link()}", status_code=307)
    found = overview.found(store, q=q)
    if (answer := unchanged(request, found.identity)) is not None:
        return answer
    rows = overview.rows(store, found, memory=request.app.state.overview, sort=sort)
    context = {
        "here": "series",
        "rows": rows,
        "any": bool(rows or q),
        "q": q,
        "sort": sort,
        "sorts": overview.SORTS,
        "waiting": [] if q else found.waiting,
    }
    return page(request, "overview.html", context)


@open_router.get("/key")
def ask_for_key(request: Request, then: Annotated[str, Query(max_length=2000)] = "/") -> Response:
    """Ask a person for the key, for what a page does on their behalf."""
    return problem_page(request, KEY_NEEDED, "", then=then)


@open_router.post("/key")
async def take_key(request: Request) -> Response:
    """Give a browser that knows the key its cookie, and send it back to where it was asked."""
    said = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=4)
    given, then = said.get("key", [""])[0], said.get("then", ["/"])[0]
    keys: KeyRing = request.app.state.keys
    key = keys.find(given)
    if key is None:
        return problem_page(request, KEY_NEEDED, "that was another key", refused=True, then=then)
    response = RedirectResponse(f"./{then.lstrip('/')}", status_code=303)
    response.set_cookie(COOKIE, cookie_of(key, keys), httponly=True, samesite="strict")
    return response


@router.get("/models/{model}")
def series_page(
    request: Request,
    store: Store,
    explorer: Annotated[Explorer, Depends(explorer_of)],
    model: ModelId,
    choice: Chosen,
    step: AskedStep = None,
    along: Annotated[Along, Query()] = "log",
    tab: Annotated[Tab, Query()] = "layers",
    seed: Seed = None,
    csv: AskedChart = None,
) -> Response:
    """Show one series: its verdict first, its measures on one axis, the chosen step, and a tab of more."""
    series = StoredSeries.read(store, model, **asdict(choice))
    graphs = [f"{one.step} {one.samples}" for one in store.each_checkpoint(model)]
    if (answer := unchanged(request, [*series.identity, *graphs])) is not None:
        return answer
    at = series.at(step)
    context: dict[str, Any] = {"series": series, "tab": tab, "along": along, "here": "series"}
    if not series.points:
        return page(request, "empty_series.html", context)
    point = series.points[at]
    spread_over = spread_steps(series.points)
    whole = series.results(store, [point.step, *spread_over])
    result, spread = whole[point.step], [whole[one] for one in spread_over]
    data = scrub_data(series, along)
    shown = {
        "step": None if step is None else step,
        "options": choice.options and series.analysis.options_hash[:SHORT_HASH],
        "profile": choice.profile,
        "hops": choice.hops,
        "baseline": choice.baseline,
        "along": None if along == "log" else along,
        "tab": None if tab == "layers" else tab,
        "seed": seed,
    }
    context |= {
        "at": at,
        "point": point,
        "result": result,
        "name": checkpoint_name(point.step, point.revision),
        "numbers": data["numbers"][at],  # type: ignore[index]
        "data": data,
        "tabs": TABS,
        "alongs": along_choices(series.points),
        "nulls": [null for null in NULLS if any(null in (one.nulls or {}) for one in series.points)],
        "drawn": series_panels(series, along, point.step),
        "spectra": spectra_pictures(spread, result),
        "link": linker(shown),
        "here_path": quote(in_route(model), safe=""),
    }
    context |= series_tabs.context_of(tab, store, explorer, series, result, seed=seed, spread=spread)
    if csv is not None:
        charts = [*context["drawn"], *(one for name in layers.CHARTS for one in context.get(name, []))]
        return chart_csv(charts, csv, page=in_route(model))
    return page(request, "series.html", context)


@router.get("/models/{model}/report")
def report_page(store: Store, model: ModelId, choice: Chosen) -> Response:
    """Show the report of a stored series, as `neuromfa report` writes it."""
    series = StoredSeries.read(store, model, **asdict(choice))
    if not series.points:
        raise NotStored(f"nothing of {model} is measured yet")
    steps = report.needed_steps(series.shown())
    shown = series.shown(series.results(store, steps))
    text = report.report_html([shown], None, versions=versions())
    return HTMLResponse(text, headers={**ASK_AGAIN, "Content-Security-Policy": report.style_policy()})


def mount_files(app: FastAPI) -> None:
    """Serve the folders the pages load from."""
    mount_assets(app)
    app.mount("/static", Files(directory=WEB), name="static")
    app.mount("/charts", Files(directory=CHARTS), name="charts")

"""The page of one stored graph of a step."""

import logging
from collections.abc import Sequence
from contextvars import Context
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.background import BackgroundTask

from neuromfa.app.api.questions import explorer_of
from neuromfa.app.dependencies import ModelId, Step, Store
from neuromfa.app.pages import graph
from neuromfa.app.pages.addresses import linker
from neuromfa.app.pages.answering import page, unchanged
from neuromfa.app.pages.change import require_earlier
from neuromfa.app.pages.problem_pages import PageRoute
from neuromfa.app.pages.tables import AskedChart, chart_csv
from neuromfa.app.pages.words import checkpoint_name, step_name
from neuromfa.errors import NeuroMFAError, NotStored, OptionError
from neuromfa.model_id import in_route
from neuromfa.questions import Explorer, StoredSample

LONGEST_NAME = 100
EDGE_BYTES = 32
READING_AHEAD = Lock()
log = logging.getLogger("neuromfa.app")

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Name = Annotated[str | None, Query(max_length=LONGEST_NAME)]


@router.get("/models/{model}/graph/{step}")
def graph_page(
    request: Request,
    store: Store,
    explorer: Annotated[Explorer, Depends(explorer_of)],
    model: ModelId,
    step: Step,
    seed: Annotated[int | None, Query(ge=0, lt=2**32)] = None,
    block: Annotated[int | None, Query(ge=0, lt=10**6)] = None,
    neuron: Name = None,
    to: Name = None,
    boxes: Annotated[float | None, Query(gt=0)] = None,
    since: Annotated[int | None, Query(ge=0, lt=10**15)] = None,
    csv: AskedChart = None,
) -> Response:
    """Show a stored graph: one block of it, its hubs, and what is asked of one neuron."""
    graphs = store.samples(model, step)
    if not graphs:
        raise NotStored(
            f"no graph is stored of {checkpoint_name(step)} of {model}; `neuromfa ingest --graph-samples 1` keeps one"
        )
    if boxes is not None and boxes not in graph.BOX_RADII:
        raise OptionError(
            f"boxes have one of the radii {', '.join(f'{r:g}' for r in graph.BOX_RADII)}, not {boxes:g}"
        )
    sample = explorer.sample(model, step, graphs[0].seed if seed is None else seed)
    steps = [one.step for one in store.each_checkpoint(model) if one.samples]
    require_earlier(since, sample, steps)
    seeds = sorted({one.seed for one in graphs})
    if (
        csv is None
        and (answer := unchanged(request, [*identity_of(explorer, sample), f"{steps} {seeds}"])) is not None
    ):
        return answer
    words = {"seed": seed, "block": block, "neuron": neuron or None, "to": to or None, "boxes": boxes}
    link = linker({**words, "since": since})
    found = graph.view(
        explorer,
        sample,
        block=block,
        neuron=neuron or None,
        to=to or None,
        boxes=boxes,
        since=since,
        link=link,
    )
    if csv is not None:
        return chart_csv(found.charts, csv, page=f"{in_route(model)}-graph-{step_name(step)}")
    context = {
        "here": "series",
        "model": model,
        "step": "-" if step is None else step_name(step),
        "name": checkpoint_name(step),
        "sample": sample.manifest,
        "seeds": seeds,
        "steps": steps,
        "earlier": [one for one in steps if one is not None and step is not None and one < step],
        "since": since,
        "view": found,
        "radii": graph.BOX_RADII,
        "link": link,
        "neuron": neuron,
        "to": to,
    }
    response = page(request, "graph.html", context)
    # whoever has seen a block looks at another, or at a neuron, next: all of these are answered from memory then
    earlier = [] if since is None else [explorer.sample(model, since, sample.manifest.seed)]
    response.background = BackgroundTask(read_ahead, [sample, *earlier])
    return response


def identity_of(explorer: Explorer, sample: StoredSample) -> list[str]:
    """Return what changes when anything does that the page shows: the graphs of all steps of a series."""
    graphs = explorer.series(sample.manifest.model, sample.manifest.seed).samples
    manifests = [one.manifest for one in (sample, *graphs)]
    return [f"{one.step} {one.graph_hash} {one.tested}" for one in manifests]


def read_ahead(samples: Sequence[StoredSample]) -> None:
    """Read whole graphs into memory, for one page at a time; one that is too large for it stays where it is."""
    if not READING_AHEAD.acquire(blocking=False):
        return
    try:
        for sample in samples:
            if EDGE_BYTES * sample.manifest.n_edges <= sample.cache.max_bytes:
                Context().run(sample.graph)  # nobody waits for it, so that nobody who leaves ends it
    except NeuroMFAError as error:
        log.info("not every graph was read ahead: %s", error)  # whoever asks for it next is told
    finally:
        READING_AHEAD.release()

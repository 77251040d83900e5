"""Routes of one stored graph: its neurons, paths, balls, boxes, and the part of it that can be drawn."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from neuromfa.app.dependencies import Configured, ModelId, Pages, Step, Store, offset_of
from neuromfa.app.etags import Tag
from neuromfa.app.file_responses import file_answer, file_contract
from neuromfa.app.schemas.answers import Listing
from neuromfa.app.schemas.graph import BallPart, BoxPart, MassPart
from neuromfa.exports import GRAPH_FORMATS
from neuromfa.mfa.boxes import CoverMethod
from neuromfa.questions import (
    Drawing,
    EngineChoice,
    Explorer,
    Neuron,
    NeuronDetail,
    PathAnswer,
    RadiusHistogram,
    SampleCache,
    StoredSample,
    StrongestEdges,
    ball,
    boxes,
    drawing,
    mass_table,
    neuron,
    neurons,
    radius_histogram,
    shortest_path,
    strongest_edges,
)
from neuromfa.questions.neuron_list import Order
from neuromfa.questions.path import PathMethod

router = APIRouter(prefix="/v1/models/{model}/checkpoints/{step}/samples/{seed}", tags=["graph"])

LARGEST_DISTANCE = 1000.0
LARGEST_GAMMA = 1000.0
MOST_LAYERS = 10_000
FILE_TYPES = {"graphml": "application/graphml+xml", "gexf": "application/gexf+xml"}

Seed = Annotated[int, Path(ge=0, lt=2**32, description="Seed of the draw of neurons.")]
SeedQuery = Annotated[int, Query(ge=0, lt=2**32, description="Seed of the draw of neurons.")]
Engine = Annotated[
    EngineChoice, Query(description="The server by Cypher, or this process by numpy: equal answers.")
]
Profile = Annotated[Literal["exact", "paper"], Query(description="Which distances are in range.")]
NeuronName = Annotated[str, Query(min_length=1, max_length=100, description="Such as `B03.mlp.00127`.")]
Radius = Annotated[float, Query(gt=0, le=LARGEST_DISTANCE, allow_inf_nan=False, description="Path distance.")]
Layer = Annotated[int, Query(ge=0, lt=MOST_LAYERS)]
LayerPath = Annotated[int, Path(ge=0, lt=MOST_LAYERS, description="Running number of the layer.")]
Shown = Annotated[int, Query(ge=1, le=1000, description="Most of them shown.")]
Horizon = Annotated[int | None, Query(ge=1, lt=MOST_LAYERS, description="Layers that paths may reach.")]


def explorer_of(request: Request, store: Store, settings: Configured) -> Explorer:
    """Return what questions to graphs are put to; all requests share its memory."""
    cache: SampleCache = request.app.state.samples
    return Explorer(store, cache, settings.query_timeout)


Explore = Annotated[Explorer, Depends(explorer_of)]


def sample_of(explorer: Explore, model: ModelId, step: Step, seed: Seed) -> StoredSample:
    """Return the stored sample of a route."""
    return explorer.sample(model, step, seed)


def tag_graphs(tag: Tag, request: Request, *samples: StoredSample) -> None:
    """Tag an answer: the same question to the same graphs has the same answer, and so the same tag."""
    hashes = [part for sample in samples for part in (sample.manifest.graph_hash, sample.manifest.checksum)]
    tag.by(hashes, request.url.path, request.url.query)


def tagged(request: Request, sample: Annotated[StoredSample, Depends(sample_of)], tag: Tag) -> StoredSample:
    """Return the sample, and tag the answer by it."""
    tag_graphs(tag, request, sample)
    return sample


Sample = Annotated[StoredSample, Depends(tagged)]


@dataclass(frozen=True)
class Asking:
    """Who answers, and what a hop costs."""

    engine: Engine = "auto"
    gamma: Annotated[
        float,
        Query(ge=0, le=LARGEST_GAMMA, allow_inf_nan=False, description="Cost of every hop after the first."),
    ] = 5.0


How = Annotated[Asking, Depends()]


@router.get("/neurons")
def list_neurons(
    sample: Sample,
    pages: Pages,
    settings: Configured,
    layer: Annotated[int | None, Query(ge=0, lt=MOST_LAYERS, description="Only this layer.")] = None,
    kind: Annotated[str | None, Query(max_length=100, description="Only this kind, such as `mlp`.")] = None,
    order: Annotated[
        Order, Query(description="By place, or those with a fractal dimension, the highest first.")
    ] = "place",
    engine: Engine = "auto",
) -> Listing[Neuron]:
    """List the neurons of a stored graph."""
    limit, skip = min(pages.limit, settings.page_limit), offset_of(pages.cursor)
    found = neurons(sample, layer=layer, kind=kind, order=order, limit=limit, skip=skip, engine=engine)
    return Listing(items=list(found.neurons), next=str(skip + limit) if found.more else None)


@router.get("/neurons/{name}")
def read_neuron(
    sample: Sample,
    name: Annotated[str, Path(min_length=1, max_length=100, description="Such as `B03.mlp.00127`.")],
    top: Annotated[int, Query(ge=1, le=1000, description="Strongest edges shown, each way.")] = 10,
    max_distance: Radius = 150.0,
    engine: Engine = "auto",
) -> NeuronDetail:
    """Return one neuron with number and strength of its edges in range, and the strongest of them."""
    return neuron(sample, name, top=top, max_distance=max_distance, engine=engine)


@router.get("/path")
def read_path(
    sample: Sample,
    how: How,
    source: NeuronName,
    target: NeuronName,
    method: Annotated[
        PathMethod, Query(description="Algorithm 5, or Algorithm 6 within `horizon` layers.")
    ] = "exact",
    max_distance: Radius = 150.0,
    horizon: Annotated[int, Query(ge=1, lt=MOST_LAYERS, description="Layers an estimate reaches.")] = 1,
) -> PathAnswer:
    """Return the weighted shortest path between two neurons."""
    return shortest_path(
        sample,
        source,
        target,
        method=method,
        gamma=how.gamma,
        max_distance=max_distance,
        horizon=horizon,
        engine=how.engine,
    )


@router.get("/ball")
def read_ball(
    sample: Sample,
    how: How,
    source: NeuronName,
    radius: Radius = 150.0,
    horizon: Horizon = None,
    limit: Shown = 100,
) -> BallPart:
    """Return the neurons within a path distance of one, and how the mass of the ball grows."""
    found = ball(sample, source, radius=radius, gamma=how.gamma, horizon=horizon, engine=how.engine)
    return BallPart.of(found, limit=limit)


@router.get("/boxes")
def read_boxes(
    sample: Sample,
    how: How,
    radius: Radius,
    method: Annotated[CoverMethod, Query(description="How boxes are found.")] = "memb",
    first_layer: Layer = 0,
    last_layer: Annotated[
        int | None, Query(ge=0, lt=MOST_LAYERS, description="Left out: the last one.")
    ] = None,
    limit: Shown = 100,
) -> BoxPart:
    """Cover some layers by boxes on undirected path distances; all pairs of too many neurons are refused."""
    found = boxes(
        sample,
        radius=radius,
        method=method,
        gamma=how.gamma,
        first_layer=first_layer,
        last_layer=last_layer,
        engine=how.engine,
    )
    return BoxPart.of(found, limit=limit)


@router.get("/strongest")
def read_strongest(
    sample: Sample,
    layer: Annotated[int | None, Query(ge=0, lt=MOST_LAYERS, description="Only edges that leave it.")] = None,
    top: Annotated[int, Query(ge=1, le=1000, description="How many edges.")] = 20,
    engine: Engine = "auto",
) -> StrongestEdges:
    """Return the edges of largest weight; wiring inside attention has none."""
    return strongest_edges(sample, layer=layer, top=top, engine=engine)


@router.get("/layers/{layer}/radii")
def read_radii(
    sample: Sample,
    layer: LayerPath,
    profile: Profile = "exact",
    max_distance: Radius = 150.0,
    engine: Engine = "auto",
) -> RadiusHistogram:
    """Return the histogram of the rounded distances that leave a layer."""
    return radius_histogram(sample, layer, profile=profile, max_distance=max_distance, engine=engine)


@router.get("/layers/{layer}/masses")
def read_masses(
    sample: Sample,
    layer: LayerPath,
    profile: Profile = "exact",
    max_distance: Radius = 150.0,
    limit: Shown = 100,
    engine: Engine = "auto",
) -> MassPart:
    """Return the masses N(r) of a layer's neurons at every radius."""
    found = mass_table(sample, layer, profile=profile, max_distance=max_distance, engine=engine)
    return MassPart.of(found, limit=limit)


@router.get(
    "/graph",
    response_model=Drawing,
    responses=file_contract(FILE_TYPES.values()),
)
def read_graph(
    sample: Sample,
    layers: Annotated[
        str, Query(pattern=r"^[0-9]{1,4}-[0-9]{1,4}$", description="First and last layer, such as `0-5`.")
    ] = "0-5",
    top: Annotated[int, Query(ge=1, le=500, description="Strongest edges of each link.")] = 30,
    format: Annotated[Literal["json", "graphml", "gexf"], Query(description="Form of the answer.")] = "json",
    engine: Engine = "auto",
) -> Drawing | Response:
    """Return a part of a graph that can be drawn: the strongest edges of each link, and their neurons."""
    first, _, last = layers.partition("-")
    found = drawing(sample, first_layer=int(first), last_layer=int(last), top=top, engine=engine)
    return found if format == "json" else _file(sample, found, format)


def _file(sample: StoredSample, found: Drawing, kind: str) -> Response:
    """Return the drawing in a form that other programs read."""
    manifest, form = sample.manifest, GRAPH_FORMATS[kind]
    name = f"seed{manifest.seed}-layers{found.first_layer}-{found.last_layer}{form.suffix}"
    graph = found.as_graph(manifest)
    return file_answer(partial(form.write, graph), name=name, media_type=FILE_TYPES[kind])

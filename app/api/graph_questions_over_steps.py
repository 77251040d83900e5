"""Routes across steps: one neuron over training, one layer pair at two steps, where a number comes from."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from neuromfa.app.api.graph_questions import (
    MOST_LAYERS,
    Engine,
    Explore,
    NeuronName,
    Radius,
    SeedQuery,
    tag_graphs,
)
from neuromfa.app.dependencies import LARGEST_STEP_DIGITS, Chosen, ModelId, Step, Store
from neuromfa.app.etags import Tag
from neuromfa.questions import (
    LayerChange,
    Provenance,
    Trajectory,
    layer_change,
    provenance,
    trajectory,
)
from neuromfa.questions.lineage import Number

router = APIRouter(prefix="/v1/models/{model}", tags=["graph"])

StepNumber = Annotated[int, Query(ge=0, lt=10**LARGEST_STEP_DIGITS, description="Training step.")]


@router.get("/trajectory")
def read_trajectory(
    explorer: Explore,
    request: Request,
    tag: Tag,
    model: ModelId,
    neuron: NeuronName,
    seed: SeedQuery = 0,
    max_distance: Radius = 150.0,
    engine: Engine = "auto",
) -> Trajectory:
    """Follow one neuron over all steps with a stored graph: dimensions, edges in range, strength."""
    samples = explorer.samples(model, seed)
    tag_graphs(tag, request, *samples)
    return trajectory(samples, neuron, max_distance=max_distance, engine=engine)


@router.get("/change")
def read_change(
    explorer: Explore,
    request: Request,
    tag: Tag,
    model: ModelId,
    before: StepNumber,
    after: StepNumber,
    layer: Annotated[int, Query(ge=0, lt=MOST_LAYERS, description="Edges that leave this layer.")],
    seed: SeedQuery = 0,
    max_distance: Radius = 150.0,
    top: Annotated[int, Query(ge=1, le=1000, description="Largest changes shown.")] = 20,
    engine: Engine = "auto",
) -> LayerChange:
    """Compare the edges between a layer and the next at two steps."""
    earlier, later = (explorer.sample(model, step, seed) for step in (before, after))
    tag_graphs(tag, request, earlier, later)
    return layer_change(earlier, later, layer, max_distance=max_distance, top=top, engine=engine)


@router.get("/checkpoints/{step}/provenance/{number}")
def read_provenance(
    explorer: Explore,
    store: Store,
    model: ModelId,
    step: Step,
    choice: Chosen,
    number: Annotated[Number, Path(description="Which number.")],
    engine: Engine = "auto",
) -> Provenance:
    """Return where a number comes from: options, samples, graph hashes, revision, architecture, baseline."""
    store.checkpoint(model, step)
    options = store.choose(model, **asdict(choice)).analysis.options_hash
    return provenance(explorer, model, step, number=number, options_hash=options, engine=engine)

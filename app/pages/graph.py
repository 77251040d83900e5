"""The page of one stored graph: a block drawn, its hubs, and one neuron with its ball, its path and its course."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuromfa.app.drawing import network
from neuromfa.app.drawing.network import Spot, Thread
from neuromfa.app.drawing.panels import Dot, Line, Panel
from neuromfa.app.drawing.scales import StepAxis
from neuromfa.app.pages.addresses import Link
from neuromfa.app.pages.change import Change, change_since
from neuromfa.app.pages.graph_path import PathView, path_view
from neuromfa.app.pages.series import Drawn, drawn
from neuromfa.app.pages.strengths import (
    Hub,
    Layers,
    hubs,
    read_layers,
    strength_panel,
    strengths_of,
    weighted,
)
from neuromfa.errors import OptionError
from neuromfa.network import FloatArray
from neuromfa.questions import (
    Ball,
    BallAnswer,
    BoxCover,
    BoxCoverAnswer,
    Explorer,
    NeuronDetail,
    NeuronDetailAnswer,
    NeuronTrajectory,
    ShortestPath,
    StoredSample,
    Subgraph,
    SubgraphAnswer,
    ask,
)

TOP = 30
RADIUS = 60.0
MOST_MEMBERS = 1000
BOX_RADII = (5.0, 10.0, 20.0, 40.0)
BOX_COLOURS = 8
DIM_SHADES = 6


@dataclass(frozen=True)
class Block:
    """Layers that are drawn together: those of a block, and the first of the next."""

    number: int
    first: int
    last: int


def blocks_of(sample: StoredSample) -> list[Block]:
    """Return the blocks of a sample."""
    numbers = [shape.block for shape in sample.manifest.layout]
    last = sample.last_layer
    firsts = {number: numbers.index(number) for number in reversed(numbers)}
    ends = {number: last - numbers[::-1].index(number) for number in numbers}
    found = [Block(number, firsts[number], min(ends[number] + 1, last)) for number in sorted(firsts)]
    return [block for block in found if block.last > block.first]


def block_of(sample: StoredSample, asked: int | None) -> Block:
    """Return the block that is asked for, the first one without a word; `OptionError` without it."""
    blocks = blocks_of(sample)
    for block in blocks:
        if asked in (None, block.number):
            return block
    raise OptionError(
        f"{sample.name} has no block {asked}; there are {', '.join(str(one.number) for one in blocks)}"
    )


@dataclass(frozen=True, kw_only=True)
class NeuronView:
    """What is shown of the chosen neuron."""

    detail: NeuronDetailAnswer
    ball: BallAnswer
    growth: Drawn
    course: list[Drawn]
    path: PathView | None


@dataclass(frozen=True, kw_only=True)
class GraphView:
    """All that the page of a graph shows."""

    block: Block
    blocks: list[Block]
    picture: str
    elements: int
    names: list[str]
    hubs: list[Hub]
    strengths: Drawn
    neuron: NeuronView | None
    cover: BoxCoverAnswer | None
    counts: list[tuple[float, int]]
    change: Change | None

    @property
    def charts(self) -> list[Drawn | PathView]:
        """Every chart of the page, and the path."""
        own = [self.neuron.growth, *self.neuron.course] if self.neuron else []
        path = [self.neuron.path] if self.neuron and self.neuron.path else []
        return [self.strengths, *own, *path]


def view(
    explorer: Explorer,
    sample: StoredSample,
    *,
    block: int | None,
    neuron: str | None,
    to: str | None,
    boxes: float | None,
    since: int | None,
    link: Link,
) -> GraphView:
    """Return what the page shows; an unknown block, neuron or earlier step is an error that says so."""
    manifest = sample.manifest
    detail = ask(sample, NeuronDetail(name=neuron)) if neuron else None
    # a path is looked at from its start on, unless another block is asked for
    chosen = block_of(sample, detail.neuron.block if detail and to and block is None else block)
    part = ask(sample, Subgraph(layers=f"{chosen.first}-{chosen.last}", top=TOP))
    layers = read_layers(sample, chosen.first, chosen.last)
    about = _neuron_view(explorer, sample, detail, to, chosen) if detail else None
    covers = [_cover(sample, chosen, radius) for radius in BOX_RADII] if boxes else []
    cover = next((one for one in covers if one.radius == boxes), None)
    change = None
    if since is not None and manifest.step is not None:
        change = change_since(explorer.pair(manifest.model, since, manifest.step, manifest.seed), layers)
        part = _of_change(part, layers, change)
    if about and about.path:
        part = _with_path(part, layers, about.path)
    picture = _picture(sample, part, layers, chosen, about, cover, link, change)
    return GraphView(
        block=chosen,
        blocks=blocks_of(sample),
        picture=picture,
        elements=picture.count("<") - picture.count("</"),
        names=[neuron.name for layer in layers.values() for neuron in layer.neurons],
        hubs=hubs(layers),
        strengths=strength_panel(layers),
        neuron=about,
        cover=cover,
        counts=[(one.radius, one.n_boxes) for one in covers],
        change=change,
    )


def _of_change(part: SubgraphAnswer, layers: Layers, change: Change) -> SubgraphAnswer:
    """Return the part of a graph that holds the ends of the changed edges, without edges of its own."""
    ends = {end for thread in change.threads for end in (thread.source, thread.target)}
    neurons = tuple(one for layer in layers.values() for one in layer.neurons if one.name in ends)
    return replace(part, neurons=neurons, edges=())


def _with_path(part: SubgraphAnswer, layers: Layers, path: PathView) -> SubgraphAnswer:
    """Return the part of a graph with all neurons of a path."""
    lacking = path.names - {one.name for one in part.neurons}
    more = [one for layer in layers.values() for one in layer.neurons if one.name in lacking]
    return replace(part, neurons=(*part.neurons, *more))


def _cover(sample: StoredSample, block: Block, radius: float) -> BoxCoverAnswer:
    return ask(
        sample, BoxCover(radius=radius, first_layer=block.first, last_layer=block.last, limit=MOST_MEMBERS)
    )


# ---- one neuron


def _neuron_view(
    explorer: Explorer, sample: StoredSample, detail: NeuronDetailAnswer, to: str | None, block: Block
) -> NeuronView:
    manifest, neuron = sample.manifest, detail.neuron.name
    ball = ask(sample, Ball(source=neuron, radius=RADIUS, limit=MOST_MEMBERS))
    path = ask(sample, ShortestPath(source=neuron, target=to)) if to else None
    series = explorer.series(manifest.model, manifest.seed)
    points = ask(series, NeuronTrajectory(neuron=neuron)).points
    placed = [point for point in points if point.step is not None]
    axis = StepAxis.of((float(point.step or 0) for point in placed), "log")
    at = None if manifest.step is None else float(manifest.step)

    def course(name: str, title: str, values: Sequence[float | None]) -> Panel:
        dots = tuple(Dot(float(point.step or 0), value) for point, value in zip(placed, values, strict=True))
        return Panel(name=name, title=title, note="", lines=(Line(neuron, "real", dots),))

    panels = [
        course("course-nfd", "Node dimension over the steps", [point.nfd for point in placed]),
        course(
            "course-strength", "Outgoing strength over the steps", [point.strength_out for point in placed]
        ),
    ]
    return NeuronView(
        detail=detail,
        ball=ball,
        growth=_growth(ball),
        course=drawn([panel for panel in panels if panel.has_values], axis, at=at),
        path=path_view(path, sample, start=detail.neuron.layer, first=block.first, last=block.last)
        if path
        else None,
    )


def _growth(ball: BallAnswer) -> Drawn:
    dots = tuple(Dot(float(r), float(mass)) for r, mass in zip(ball.radii, ball.masses, strict=True))
    panel = Panel(
        name="ball",
        title=f"Mass of the ball of {ball.source}",
        note="N(r): neurons within a path distance r over weighted edges, itself included.",
        lines=(Line("N(r)", "real", dots),),
    )
    return drawn([panel], StepAxis.of((dot.at for dot in dots), "linear"), at=None)[0]


# ---- the drawing


def _picture(
    sample: StoredSample,
    part: SubgraphAnswer,
    layers: Layers,
    block: Block,
    about: NeuronView | None,
    cover: BoxCoverAnswer | None,
    link: Link,
    change: Change | None,
) -> str:
    near = {member.name: member.distance for member in about.ball.members} if about else {}
    box_of = _boxes(cover)
    chosen = about.detail.neuron.name if about else None
    strengths = {place: _scaled(strengths_of(layers[place])) for place in weighted(layers)}
    path = about.path if about else None
    on_path = path.names if path else set()
    shade = _shades([neuron.nfd for neuron in part.neurons if neuron.nfd is not None])
    spots = []
    for neuron in part.neurons:
        size = strengths.get(neuron.layer)
        dimension = "no dimension" if neuron.nfd is None else f"dimension {neuron.nfd:.3f}"
        spots.append(
            Spot(
                neuron.name,
                neuron.layer - block.first,
                neuron.position / max(layers[neuron.layer].size - 1, 1),
                float(size[neuron.position]) if size is not None else 0.0,
                f"box-{box_of[neuron.name]}" if neuron.name in box_of else shade(neuron.nfd),
                f"{neuron.name}, {neuron.kind}, {dimension}",
                link(neuron=neuron.name),
                near.get(neuron.name),
                neuron.name in on_path,
            )
        )
    threads = change.threads if change else _threads(part)
    rows = [sample.manifest.layout[layer].row for layer in range(block.first, block.last + 1)]
    which = f"edges that changed most since step {change.since}" if change else "strongest edges"
    spoken = f"Block {block.number}: {len(spots)} neurons in {len(rows)} layers, {len(threads)} {which}"
    if path:
        ends = {(one.source, one.target) for one in path.threads}
        threads = [*(one for one in threads if (one.source, one.target) not in ends), *path.threads]
        spoken += path.spoken
    return network.draw(rows, spots, threads, spoken=spoken, chosen=chosen)


def _threads(part: SubgraphAnswer) -> list[Thread]:
    strongest = max((abs(edge.weight) for edge in part.edges if edge.weight is not None), default=1.0) or 1.0
    return [
        Thread(edge.source, edge.target, edge.weight, abs(edge.weight or 0.0) / strongest)
        for edge in part.edges
    ]


def _shades(dimensions: Sequence[float]) -> Callable[[float | None], str]:
    """Return how a dimension is drawn: the darker, the higher it is among these; one that is not known is grey."""
    low, high = min(dimensions, default=0.0), max(dimensions, default=0.0)

    def kind(dimension: float | None) -> str:
        if dimension is None:
            return "quiet"
        return f"dim-{round((dimension - low) / (high - low) * (DIM_SHADES - 1)) if high > low else DIM_SHADES - 1}"

    return kind


def _scaled(strengths: FloatArray) -> FloatArray:
    reach = strengths.max() - strengths.min()
    return (strengths - strengths.min()) / reach if reach else np.zeros_like(strengths)


def _boxes(cover: BoxCoverAnswer | None) -> dict[str, int]:
    """Return the colour of every neuron's box: the largest boxes have one of their own, the others share the last."""
    if cover is None:
        return {}
    largest = sorted(range(len(cover.boxes)), key=lambda k: -len(cover.boxes[k].neurons))
    return {
        name: min(rank, BOX_COLOURS - 1)
        for rank, box in enumerate(largest)
        for name in cover.boxes[box].neurons
    }

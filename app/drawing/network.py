"""A part of a sampled graph: layers side by side, neurons as points, the strongest edges between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuromfa.app.drawing import svg

WIDTH, HEIGHT, SIDE, TOP = 1100.0, 740.0, 66.0, 54.0
SMALLEST, LARGEST = 2.5, 8.0
MOST_ELEMENTS = 3000


@dataclass(frozen=True)
class Spot:
    """A neuron in the drawing.

    Attributes
    ----------
    column : place of its layer
    share : its place in the layer, from 0 to 1
    size : from 0 to 1, by its strength
    kind : its class in the style sheet, such as box-3
    says : what a pointer over it shows
    address : where a click leads
    distance : from the chosen neuron, None where that is out of reach
    """

    name: str
    column: int
    share: float
    size: float
    kind: str
    says: str
    address: str
    distance: float | None = None


@dataclass(frozen=True)
class Thread:
    """An edge in the drawing; `weight` is None for wiring, `share` from 0 to 1 by its size."""

    source: str
    target: str
    weight: float | None
    share: float


def draw(
    columns: Sequence[str],
    spots: Sequence[Spot],
    threads: Sequence[Thread],
    *,
    spoken: str,
    chosen: str | None,
) -> str:
    """Return the drawing; what would be too much to draw is left out from the weakest edge on."""
    places = {spot.name: _place(spot, len(columns)) for spot in spots}
    most = MOST_ELEMENTS - 3 * len(spots) - len(columns) - 1
    shown = sorted(threads, key=lambda one: -one.share)[: max(most, 0)]
    lines = [_thread(one, places) for one in reversed(shown)]
    names = [
        svg.words(_across(k, len(columns)), 32, name, class_="tick middle") for k, name in enumerate(columns)
    ]
    points = [_spot(spot, places[spot.name], is_chosen=spot.name == chosen) for spot in spots]
    return svg.element(
        "svg",
        *names,
        *lines,
        *points,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="group",
        aria_label=spoken,
        class_="network",
    )


def _across(column: int, columns: int) -> float:
    return SIDE + (WIDTH - 2 * SIDE) * (column / max(columns - 1, 1))


def _place(spot: Spot, columns: int) -> svg.Point:
    return _across(spot.column, columns), TOP + spot.share * (HEIGHT - 2 * TOP)


def _thread(one: Thread, places: Mapping[str, svg.Point]) -> str:
    (x1, y1), (x2, y2) = places[one.source], places[one.target]
    kind = "wiring" if one.weight is None else "negative" if one.weight < 0 else "positive"
    width = f"{0.4 + 2.2 * one.share:.1f}"
    return svg.element("line", class_=f"thread is-{kind}", x1=x1, y1=y1, x2=x2, y2=y2, stroke_width=width)


def _spot(spot: Spot, place: svg.Point, *, is_chosen: bool) -> str:
    circle = svg.element(
        "circle",
        svg.title(spot.says),
        class_=f"spot is-{spot.kind}{' chosen-one' if is_chosen else ''}",
        cx=place[0],
        cy=place[1],
        r=SMALLEST + (LARGEST - SMALLEST) * spot.size,
        data_distance=None if spot.distance is None else f"{spot.distance:.3f}",
    )
    # reached by pointer here, by keyboard through the list of neurons beside the drawing
    return svg.element("a", circle, href=spot.address, tabindex=-1, aria_label=spot.name)

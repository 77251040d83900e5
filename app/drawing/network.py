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
    on_path : the marked path goes over it
    """

    name: str
    column: int
    share: float
    size: float
    kind: str
    says: str
    address: str
    distance: float | None = None
    on_path: bool = False


@dataclass(frozen=True)
class Thread:
    """An edge in the drawing.

    Attributes
    ----------
    weight : None for wiring
    share : from 0 to 1, by its size
    number : its place on the marked path, from 1; None of all others
    """

    source: str
    target: str
    weight: float | None
    share: float
    number: int | None = None


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
    path, others = [one for one in threads if one.number], [one for one in threads if not one.number]
    most = MOST_ELEMENTS - 3 * len(spots) - len(columns) - 1 - 3 * len(path)
    shown = sorted(others, key=lambda one: -one.share)[: max(most, 0)]
    lines = [_thread(one, places) for one in [*reversed(shown), *path]]
    numbers = [part for one in path for part in _number(one, places)]
    names = [
        svg.words(_across(k, len(columns)), 32, name, class_="tick middle") for k, name in enumerate(columns)
    ]
    points = [_spot(spot, places[spot.name], is_chosen=spot.name == chosen) for spot in spots]
    return svg.element(
        "svg",
        *names,
        *lines,
        *points,
        *numbers,
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
    width = f"{0.4 + 2.2 * one.share + (1.4 if one.number else 0.0):.1f}"
    marked = " on-path" if one.number else ""
    return svg.element(
        "line", class_=f"thread is-{kind}{marked}", x1=x1, y1=y1, x2=x2, y2=y2, stroke_width=width
    )


def _number(one: Thread, places: Mapping[str, svg.Point]) -> tuple[str, str]:
    """Return the number of an edge of the path, in the middle of it."""
    (x1, y1), (x2, y2) = places[one.source], places[one.target]
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return (
        svg.element("circle", class_="path-number", cx=x, cy=y, r=10.0),
        svg.words(x, y + 4.5, f"{one.number}", class_="tick middle path-label"),
    )


def _spot(spot: Spot, place: svg.Point, *, is_chosen: bool) -> str:
    circle = svg.element(
        "circle",
        svg.title(spot.says),
        class_=f"spot is-{spot.kind}{' on-path' if spot.on_path else ''}{' chosen-one' if is_chosen else ''}",
        cx=place[0],
        cy=place[1],
        r=SMALLEST + (LARGEST - SMALLEST) * spot.size,
        data_distance=None if spot.distance is None else f"{spot.distance:.3f}",
    )
    # reached by pointer here, by keyboard through the list of neurons beside the drawing
    return svg.element("a", circle, href=spot.address, tabindex=-1, aria_label=spot.name)

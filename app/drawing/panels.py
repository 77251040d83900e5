"""Small multiples: one measure over the steps, real weights over their nulls, flags on the points they concern."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from neuromfa.app.drawing import svg
from neuromfa.app.drawing.scales import Scale, StepAxis, StepScale, nice_ticks, reach, step_label, tick_label

WIDTH, HEIGHT = 420.0, 196.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 20.0, 10.0, 26.0
MOST_POINTS = 60
APART = 16.0


@dataclass(frozen=True)
class Dot:
    """One value of a line.

    Attributes
    ----------
    at : position on the axis of steps
    value : None where there is none
    low, high : ends of its interval, or None
    flags : what makes it doubtful, in words
    """

    at: float
    value: float | None
    low: float | None = None
    high: float | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A measure over steps; `kind` is its class in the style sheet (real, shuffled, run-1 ...)."""

    name: str
    kind: str
    dots: tuple[Dot, ...]

    @property
    def known(self) -> list[Dot]:
        """The dots that have a value."""
        return [dot for dot in self.dots if dot.value is not None]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One measure: its lines, the one that matters most last.

    Attributes
    ----------
    name : short name for addresses and file names
    note : what has to be known beside it
    levels : values marked by a horizontal line, with their names
    onset : two positions between which something began
    marks : positions marked by a vertical line, such as change points
    """

    name: str
    title: str
    note: str
    lines: tuple[Line, ...]
    levels: tuple[tuple[float, str], ...] = ()
    onset: tuple[float, float] | None = None
    marks: tuple[float, ...] = ()

    @property
    def has_values(self) -> bool:
        """True where something can be drawn."""
        return any(line.known for line in self.lines)

    def spoken(self) -> str:
        """Return the chart in one sentence."""
        parts = [_spoken(line) for line in reversed(self.lines) if line.known]
        return f"{self.title}: {'; '.join(parts)}." if parts else f"{self.title}: no values."


def draw(panel: Panel, axis: StepAxis, *, highlighted: float | None = None) -> str:
    """Return the drawing of a panel, as wide as its place."""
    x = axis.scale(LEFT, WIDTH - RIGHT)
    values = [one for line in panel.lines for dot in line.dots for one in (dot.value, dot.low, dot.high)]
    low, high = reach(values, also=[level for level, _ in panel.levels])
    y = Scale(low, high, HEIGHT - BOTTOM, TOP)
    parts = [
        *_grid(y),
        *_steps(axis, x),
        *([_onset(panel.onset, x)] if panel.onset else []),
        *(_mark(x(mark)) for mark in panel.marks),
        *(_level(y(level), name) for level, name in panel.levels),
        *(part for line in panel.lines for part in _line(line, x, y)),
        now_line(x(highlighted) if highlighted is not None else None),
    ]
    return drawing(panel.spoken(), *parts, width=WIDTH, height=HEIGHT, panel=panel.name)


def drawing(
    spoken: str, *parts: str, width: float, height: float, panel: str | None = None, kind: str = "panel"
) -> str:
    """Return parts as one picture with a sentence in place of it."""
    return svg.element(
        "svg",
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=spoken,
        class_=kind,
        data_panel=panel,
    )


def now_line(x: float | None) -> str:
    """Return the line at the chosen step; a script moves it."""
    place = {"transform": f"translate({svg.number(x)} 0)"} if x is not None else {"display": "none"}
    return svg.element("line", class_="now", x1=0, x2=0, y1=TOP, y2=HEIGHT - BOTTOM, **place)


def _grid(y: Scale) -> Iterable[str]:
    for tick in nice_ticks(y.low, y.high):
        yield svg.element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y(tick), y2=y(tick))
        yield svg.words(LEFT - 6, y(tick) + 3.5, tick_label(tick), class_="tick end")
    if y.low < 0.0 < y.high:
        yield svg.element("line", class_="zero", x1=LEFT, x2=WIDTH - RIGHT, y1=y(0.0), y2=y(0.0))


def _steps(axis: StepAxis, x: StepScale) -> Iterable[str]:
    for tick in axis.ticks():
        yield svg.words(x(tick), HEIGHT - 9, step_label(tick, axis.along), class_="tick middle")


def _onset(onset: tuple[float, float], x: StepScale) -> str:
    left, right = x(onset[0]), x(onset[1])
    return svg.element(
        "rect",
        svg.title("The onset lies between these steps"),
        class_="onset",
        x=left,
        y=TOP,
        width=max(right - left, 2.0),
        height=HEIGHT - TOP - BOTTOM,
    )


def _mark(x: float) -> str:
    return svg.element(
        "line", svg.title("change point"), class_="mark", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM
    )


def _level(y: float, name: str) -> str:
    line = svg.element("line", class_="level", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
    return line + svg.words(WIDTH - RIGHT - 2, y - 4, name, class_="tick end") if name else line


def _line(line: Line, x: StepScale, y: Scale) -> Iterable[str]:
    css = f"is-{line.kind}"
    for run in _runs(line.dots):
        banded = [
            (x(dot.at), y(dot.low), y(dot.high))
            for dot in run
            if dot.low is not None and dot.high is not None
        ]
        if len(banded) > 1:
            lower, upper = [(at, low) for at, low, _ in banded], [(at, high) for at, _, high in banded]
            yield svg.area(lower, upper, class_=f"band {css}")
        yield svg.path([(x(dot.at), y(dot.value or 0.0)) for dot in run], class_=f"curve {css}")
    if len(line.known) <= MOST_POINTS:
        yield from (_point(dot, x, y, css) for dot in line.known)
    else:
        yield from _doubted(line, x, y, css)


def _doubted(line: Line, x: StepScale, y: Scale, css: str) -> Iterable[str]:
    """Yield the flagged stretches of a line of many points, and triangles as far apart as they can be told apart."""
    for run in _runs([dot if dot.flags else replace(dot, value=None) for dot in line.known]):
        yield svg.path([(x(dot.at), y(dot.value or 0.0)) for dot in run], class_="curve doubted")
        shown = -math.inf
        for dot in run:
            if x(dot.at) - shown >= APART:
                shown = x(dot.at)
                yield _point(dot, x, y, css)


def _runs(dots: Sequence[Dot]) -> Iterable[list[Dot]]:
    """Yield stretches of dots with values: over a gap nothing is drawn."""
    run: list[Dot] = []
    for dot in dots:
        if dot.value is not None:
            run.append(dot)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _point(dot: Dot, x: StepScale, y: Scale, css: str) -> str:
    assert dot.value is not None
    at, height = x(dot.at), y(dot.value)
    if dot.flags:
        said = svg.title(f"{step_label(dot.at, 'linear')}: {'; '.join(dot.flags)}")
        return svg.element("path", said, class_=f"flagged {css}", d=f"M{at:.1f},{height - 5:.1f}l5,9h-10Z")
    return svg.element("circle", class_=f"point {css}", cx=at, cy=height, r=2.4)


def _spoken(line: Line) -> str:
    first, last = line.known[0], line.known[-1]
    flagged = sum(bool(dot.flags) for dot in line.dots)
    more = f", {flagged} flagged" if flagged else ""
    if first is last:
        return f"{line.name} {first.value:.4g}{more}"
    return f"{line.name} from {first.value:.4g} to {last.value:.4g} over {len(line.known)} steps{more}"

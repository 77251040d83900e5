"""A heat map: a row for each block or kind, a column for each step; every cell tells its value."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from neuromfa.app.drawing import svg
from neuromfa.app.drawing.panels import drawing
from neuromfa.app.drawing.scales import step_label

LEFT, TOP, ROW, COLUMN = 62.0, 24.0, 18.0, 44.0
SHADES = 8
DIGITS = 4
MARKED_BELOW = 0.01
"""The level of the verdict."""


@dataclass(frozen=True)
class Cell:
    """One value with what is known of it.

    Attributes
    ----------
    low, high : ends of its interval, or None
    p : how often random weights give as much, or None
    """

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def is_marked(self) -> bool:
        """True where random weights hardly ever give as much."""
        return self.p is not None and self.p < MARKED_BELOW


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Values by column and row.

    Attributes
    ----------
    name : short name for addresses and file names
    across : what its columns are
    cells : by name of the column, its cells by name of the row; rows come in the order of their first appearance
    signed : shaded from 0, in two colours, instead of from the lowest value
    chosen : name of the column that is shown in the rest of the page
    """

    name: str
    title: str
    cells: Mapping[str, Mapping[str, Cell]]
    across: str = "step"
    signed: bool = False
    chosen: str | None = None

    @property
    def rows(self) -> list[str]:
        """Names of the rows."""
        return list(dict.fromkeys(row for column in self.cells.values() for row in column))

    def each(self) -> Iterator[tuple[str, str, Cell]]:
        """Yield column, row and cell."""
        for column, cells in self.cells.items():
            yield from ((column, row, cells[row]) for row in self.rows if row in cells)

    def spoken(self) -> str:
        """Return the picture in one sentence."""
        known = list(self.each())
        low, high = min(one.value for *_, one in known), max(one.value for *_, one in known)
        size = f"{len(self.rows)} rows, {len(self.cells)} steps"
        told = f"{self.title}: {size}, from {low:.{DIGITS}f} to {high:.{DIGITS}f}"
        if all(one.p is None for *_, one in known):
            return f"{told}."
        column, row, _ = max(known, key=lambda found: found[2].value)
        marked = sum(one.is_marked for *_, one in known)
        return f"{told}, the highest in {row} at {self.across} {column}; p below .01 in {marked} of {len(known)} cells."


def draw(shown: HeatMap) -> str:
    """Return the drawing: the darker a cell, the higher its value; a dot where p is small."""
    shade = _shades(shown)
    places = {column: x for x, column in enumerate(shown.cells)}
    lines = {row: y for y, row in enumerate(shown.rows)}
    cells, dots = [], []
    for column, row, cell in shown.each():
        x, y = LEFT + places[column] * COLUMN, TOP + lines[row] * ROW
        said = svg.title(f"{row}, {shown.across} {column}: {_words(cell)}")
        size = {"width": COLUMN - 1, "height": ROW - 1}
        cells.append(svg.element("rect", said, class_=f"cell {shade(cell.value)}", x=x, y=y, **size))
        if cell.is_marked:
            dots.append(
                svg.element("circle", class_="sure", cx=x + COLUMN / 2 - 0.5, cy=y + ROW / 2 - 0.5, r=2.6)
            )
    across = [
        svg.words(LEFT + (x + 0.5) * COLUMN, TOP - 8, _short(column), class_=_tick(column == shown.chosen))
        for column, x in places.items()
    ]
    down = [svg.words(LEFT - 6, TOP + y * ROW + 12.5, row, class_="tick end") for row, y in lines.items()]
    width, height = LEFT + len(places) * COLUMN, TOP + len(lines) * ROW + 4
    return drawing(shown.spoken(), *cells, *dots, *across, *down, width=width, height=height, kind="heat")


def _short(column: str) -> str:
    """Return a step in few letters, since columns stand close; what a pointer over a cell shows has it whole."""
    return step_label(float(column), "log") if column.isdecimal() else column


def _tick(is_chosen: bool) -> str:
    return "tick middle here" if is_chosen else "tick middle"


def _words(cell: Cell) -> str:
    interval = (
        "" if cell.low is None or cell.high is None else f", {cell.low:.{DIGITS}f} to {cell.high:.{DIGITS}f}"
    )
    return f"{cell.value:.{DIGITS}f}{interval}{'' if cell.p is None else f', p {cell.p:.2g}'}"


def _shades(shown: HeatMap) -> Callable[[float], str]:
    values = [cell.value for *_, cell in shown.each()]
    low, high = min(values), max(values)
    return _from_zero(max(-low, high)) if shown.signed else _from_low(low, high)


def _from_low(low: float, high: float) -> Callable[[float], str]:
    return lambda value: f"shade-{round((value - low) / (high - low) * (SHADES - 1)) if high > low else 0}"


def _from_zero(largest: float) -> Callable[[float], str]:
    def shade(value: float) -> str:
        size = round(abs(value) / largest * (SHADES - 1)) if largest > 0 else 0
        return f"shade-{size}{' below' if value < 0 else ''}"

    return shade

"""A heat map: a row for each block, a column for each step; every cell tells its value."""

from collections.abc import Callable, Mapping

from neuromfa.app.drawing import svg
from neuromfa.app.drawing.panels import drawing

LEFT, TOP, ROW, COLUMN = 62.0, 24.0, 18.0, 44.0
SHADES = 8
DIGITS = 4


def draw(columns: Mapping[str, Mapping[str, float]], *, title: str, signed: bool = False) -> str:
    """Return the drawing: the darker a cell, the higher its value; with signs, the farther from 0, in two colours.

    Parameters
    ----------
    columns : by name of the column, its values by name of the row; rows come in the order of their first appearance
    """
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    values = [value for column in columns.values() for value in column.values()]
    low, high = min(values), max(values)
    shade = _from_zero(max(-low, high)) if signed else _from_low(low, high)
    cells = [
        svg.element(
            "rect",
            svg.title(f"{row}, step {step}: {column[row]:.{DIGITS}f}"),
            class_=f"cell {shade(column[row])}",
            x=LEFT + x * COLUMN,
            y=TOP + y * ROW,
            width=COLUMN - 1,
            height=ROW - 1,
        )
        for x, (step, column) in enumerate(columns.items())
        for y, row in enumerate(rows)
        if row in column
    ]
    across = [
        svg.words(LEFT + (x + 0.5) * COLUMN, TOP - 8, step, class_="tick middle")
        for x, step in enumerate(columns)
    ]
    down = [svg.words(LEFT - 6, TOP + y * ROW + 12.5, row, class_="tick end") for y, row in enumerate(rows)]
    spoken = f"{title}: {len(rows)} rows, {len(columns)} steps, from {low:.{DIGITS}f} to {high:.{DIGITS}f}."
    width, height = LEFT + len(columns) * COLUMN, TOP + len(rows) * ROW + 4
    return drawing(spoken, *cells, *across, *down, width=width, height=height, kind="heat")


def _from_low(low: float, high: float) -> Callable[[float], str]:
    return lambda value: f"shade-{round((value - low) / (high - low) * (SHADES - 1)) if high > low else 0}"


def _from_zero(largest: float) -> Callable[[float], str]:
    def shade(value: float) -> str:
        size = round(abs(value) / largest * (SHADES - 1)) if largest > 0 else 0
        return f"shade-{size}{' below' if value < 0 else ''}"

    return shade

"""The numbers of any chart of a page as a CSV file, at the address of the page with one word more."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import Query, Response

from neuromfa.app.drawing.heat import HeatMap
from neuromfa.app.drawing.panels import Panel
from neuromfa.app.file_responses import file_answer
from neuromfa.app.pages.graph_path import PathView
from neuromfa.app.pages.layers import DrawnHeat
from neuromfa.app.pages.series import Drawn
from neuromfa.comparison import Comparison
from neuromfa.errors import NotStored
from neuromfa.exports import Row, write_comparison_csv, write_csv

CSV_TYPE = "text/csv; charset=utf-8"
CURVES = "curves"
Charted = Drawn | DrawnHeat | PathView
AskedChart = Annotated[str | None, Query(max_length=400)]


def chart_csv(shown: Sequence[Charted], chart: str, *, page: str) -> Response:
    """Return the numbers of one of the charts of a page; `NotStored` without it, naming those there are."""
    charts = {one.name: one for one in (_chart(each) for each in shown)}
    if chart in charts:
        write = partial(write_csv, _rows(charts[chart]))
        return file_answer(write, name=f"{page}-{chart}.csv", media_type=CSV_TYPE)
    names = ", ".join(charts)
    raise NotStored(f"this page has no chart {chart[:100]!r}; there are: {names or 'none'}")


def _chart(shown: Charted) -> Panel | HeatMap | PathView:
    if isinstance(shown, PathView):
        return shown
    return shown.heat if isinstance(shown, DrawnHeat) else shown.panel


def _rows(chart: Panel | HeatMap | PathView) -> list[Row]:
    if isinstance(chart, PathView):
        return path_rows(chart)
    return heat_rows(chart) if isinstance(chart, HeatMap) else panel_rows(chart)


def path_rows(shown: PathView) -> list[Row]:
    """Return one row a term of the path's length; gamma has neither number nor edge."""
    return [
        {
            "number": term.number,
            "source": term.edge and term.edge.source,
            "target": term.edge and term.edge.target,
            "weight": term.edge and term.edge.weight,
            "length": term.length,
            "sum": term.total,
        }
        for term in shown.terms
    ]


def heat_rows(shown: HeatMap) -> list[Row]:
    """Return one row a cell, column after column."""
    return [
        {
            shown.across: column,
            "row": row,
            "value": cell.value,
            "low": cell.low,
            "high": cell.high,
            "p": cell.p,
        }
        for column, row, cell in shown.each()
    ]


def panel_rows(panel: Panel) -> list[Row]:
    """Return one row a point of every line, the line that matters most first."""
    return [
        {
            "line": line.name,
            "position": dot.at,
            "value": dot.value,
            "low": dot.low,
            "high": dot.high,
            "flags": "; ".join(dot.flags),
        }
        for line in reversed(panel.lines)
        for dot in line.dots
    ]


def comparison_csv(comparison: Comparison) -> Response:
    """Return all curves of a comparison, as `neuromfa compare --csv` writes them."""
    write = partial(write_comparison_csv, comparison)
    return file_answer(write, name="comparison.csv", media_type=CSV_TYPE)

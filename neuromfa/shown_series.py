"""A measured series in a notebook: its table and verdict, its charts, its data frame."""

from typing import Any

from neuromfa.exports import plain_row
from neuromfa.frames import Library, to_frame
from neuromfa.pictures import Chart, chart_of, short_rows, table_html
from neuromfa.results import SeriesResult


def plot_of(result: SeriesResult, name: str) -> Chart:
    """Return a chart of a series."""
    return chart_of(result.checkpoints, name, title=f"{result.series} (profile {result.profile})")


def frame_of(result: SeriesResult, *, library: Library | None) -> Any:
    """Return one row a checkpoint: numbers with intervals, nulls, coverage and flags."""
    return to_frame([plain_row(checkpoint) for checkpoint in result.checkpoints], library=library)


def html_of(result: SeriesResult) -> str:
    """Return the figures of every step as a table, with the verdict over it."""
    sentence = result.verdict.sentence if result.verdict else None
    title = f"{result.series} (profile {result.profile}): {result.measured} of {result.found} checkpoints"
    return table_html(short_rows(result.checkpoints), title=title, sentence=sentence)

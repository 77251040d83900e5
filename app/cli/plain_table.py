"""Plain measures of whole matrices in a comparison, as tables for people."""

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.table import Table

from neuromfa.app.cli.output import console
from neuromfa.comparison.records import Comparison, PlainValue, Trend

SERIES = "Whole matrices at the last step, means over kinds (in brackets: entries shuffled)"
PAIRS = "Whole matrices, first - second, means over the kinds that both have"
COLUMNS = {
    "mp_outliers_share": ("above\nMP %", "{:.2f}", 100.0),
    "effective_rank_share": ("effective\nrank %", "{:.1f}", 100.0),
    "stable_rank_share": ("stable\nrank %", "{:.1f}", 100.0),
    "tail_exponent": ("tail\nexponent", "{:.2f}", 1.0),
    "kurtosis": ("kurtosis", "{:.3f}", 1.0),
    "gini_strength": ("Gini of\nstrengths", "{:.3f}", 1.0),
}
"""Heading, form and factor of the measures that people see; shares are told in percent."""


def print_plain(found: Comparison) -> None:
    """Print the plain measures of the series and pairs that have them; nothing where none has."""
    own = {one.id: one.matrices for one in found.series if one.matrices is not None}
    if own:
        trends = None if found.by_size is None else found.by_size.matrix_trends
        console.print(_table(SERIES, own, last=trends))
    pairs = {f"{one.first} -\n{one.second}": one.matrices for one in found.pairs if one.matrices is not None}
    if pairs:
        console.print(_table(PAIRS, pairs))


def _table(
    title: str, rows: Mapping[str, Mapping[str, PlainValue]], *, last: Mapping[str, Trend] | None = None
) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    table.add_column("series", overflow="fold")
    for heading, _, _ in COLUMNS.values():
        table.add_column(heading, justify="right")
    for name, values in rows.items():
        table.add_row(name, *_cells(values))
    if last is not None:
        table.add_row("rho with size", *_rhos([last[measure] for measure in COLUMNS]))
    return table


def _cells(values: Mapping[str, PlainValue]) -> Iterator[str]:
    for measure, (_, form, factor) in COLUMNS.items():
        own = values[measure]
        told, mixed = ("-" if one is None else form.format(one * factor) for one in (own.value, own.shuffled))
        yield f"{told}\n({mixed})"


def _rhos(trends: Sequence[Trend]) -> Iterator[str]:
    return ((one.reason or "-") if one.rho is None else f"{one.rho:+.2f}" for one in trends)

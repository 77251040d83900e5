"""A comparison of several series as tables for people."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table

from neuromfa.app.cli.output import console
from neuromfa.app.cli.plain_table import print_plain
from neuromfa.comparison.records import (
    BetweenRuns,
    BySize,
    Comparison,
    Deduped,
    Difference,
    GroupPair,
    GroupValues,
    Pair,
    Position,
    SeriesCurve,
    Value,
)
from neuromfa.structure import SeriesVerdict

NAMES = {
    "g": "g",
    "g2": "g2",
    "excess_alpha0": "excess\nalpha0",
    "excess_width": "excess\nwidth",
    "excess_emergence": "excess\nE",
    "alpha0": "alpha0",
    "width": "width",
    "emergence": "E",
}
OF_SERIES = ("g", "excess_alpha0", "excess_width", "excess_emergence", "alpha0", "width", "emergence")
OF_PAIRS = ("g2", "excess_alpha0", "excess_width", "emergence")
OF_SIZES = ("g", "excess_alpha0", "excess_width", "emergence", "alpha0", "width")
OF_GROUPS = ("g", "g2", "excess_alpha0", "excess_width", "emergence")
DIGITS = {"g2": 5, "excess_alpha0": 5}


def print_comparison(found: Comparison) -> None:
    """Print what is not alike first, then tables of series, pairs and groups, then the answer."""
    for line in found.warnings:
        console.print(line, style="yellow")
    console.print(_series_table(found.series))
    console.print(_pair_table(found.pairs, found.by))
    if found.groups:
        console.print(_group_table(found.groups, found.by))
    if found.group_pairs:
        console.print(_group_pair_table(found.group_pairs, found.by))
    if found.by_size is not None:
        console.print(_size_table(found.by_size))
    if found.deduped is not None:
        console.print(_deduped_table(found.deduped))
    print_plain(found)
    console.print(found.sentence, style="bold", markup=False)
    for note in found.notes:
        console.print(note, style="dim")


def _series_table(series: Iterable[SeriesCurve]) -> Table:
    table = _table("The last measured step of each series", "series", "step", "verdict", OF_SERIES)
    for one in series:
        numbers = (_value(one.last.values[measure], measure) for measure in OF_SERIES)
        step = "-" if one.last.step is None else str(one.last.step)
        table.add_row(one.id, step, _answer(one.verdict), *numbers)
    return table


def _answer(verdict: SeriesVerdict | None) -> str:
    """Return a verdict in short, with its question where that is what has changed since a trained baseline."""
    if verdict is None:
        return "-"
    told = verdict.answer or verdict.reason or "-"
    return told if verdict.question == "structure" else f"{told}\n({verdict.question})"


def _pair_table(pairs: Iterable[Pair], by: str) -> Table:
    table = _table("Two series at a time, first - second", "series", f"at\n{by}", "differ", OF_PAIRS)
    table.add_column("samples")
    for one in pairs:
        answer = one.structure.answer or one.structure.reason or "-"
        numbers = (_difference(one.differences[measure], measure) for measure in OF_PAIRS)
        method = one.differences["excess_alpha0"].method or "-"
        table.add_row(f"{one.first} -\n{one.second}", _at(one.position), answer, *numbers, method)
    return table


def _group_table(groups: Iterable[GroupValues], by: str) -> Table:
    table = _table(
        "Replicates: mean ± half the interval, (sd) between runs", "group", f"at\n{by}", "runs", OF_GROUPS
    )
    for one in groups:
        numbers = (_between(one.values[measure], measure) for measure in OF_GROUPS)
        table.add_row(one.name, _at(one.position), str(len(one.series)), *numbers)
    return table


def _group_pair_table(pairs: Iterable[GroupPair], by: str) -> Table:
    table = _table(
        "Two groups at a time, first - second, between runs", "groups", f"at\n{by}", "runs", OF_GROUPS
    )
    for one in pairs:
        differences = [one.differences[measure] for measure in OF_GROUPS]
        numbers = (_difference(d, measure) for d, measure in zip(differences, OF_GROUPS, strict=True))
        runs = " and ".join(map(str, differences[0].n))
        table.add_row(f"{one.first} -\n{one.second}", _at(one.position), runs, *numbers)
    return table


def _size_table(found: BySize) -> Table:
    table = _table(
        "By number of parameters (last row: rank correlation)", "series", "parameters", "step", OF_SIZES
    )
    for one in found.series:
        numbers = (_value(one.values[measure], measure) for measure in OF_SIZES)
        table.add_row(one.id, f"{one.parameters:,}", "-" if one.step is None else str(one.step), *numbers)
    trends = (found.trends[measure] for measure in OF_SIZES)
    table.add_row(
        "rho", "", "", *((one.reason or "-") if one.rho is None else f"{one.rho:+.2f}" for one in trends)
    )
    return table


def _deduped_table(found: Deduped) -> Table:
    table = _table("Deduplicated - standard, over sizes", "series", "sizes", "", OF_GROUPS[1:])
    numbers = (_difference(found.differences[measure], measure) for measure in OF_GROUPS[1:])
    table.add_row("\n".join(deduped for _, deduped in found.pairs), str(len(found.pairs)), "", *numbers)
    return table


def _table(title: str, name: str, place: str, answer: str, measures: Sequence[str]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    table.add_column(name, overflow="fold")
    table.add_column(place, justify="right")
    table.add_column(answer)
    for measure in measures:
        table.add_column(NAMES[measure], justify="right", no_wrap=True)
    return table


def _value(one: Value, measure: str) -> str:
    return _with_interval(one.value, one.low, one.high, measure, one.reason)


def _between(one: BetweenRuns, measure: str) -> str:
    told = _with_interval(one.value, one.low, one.high, measure, one.reason)
    return told if one.sd is None else f"{told}\n({_number(one.sd, measure)})"


def _difference(one: Difference, measure: str) -> str:
    told = _with_interval(one.value, one.low, one.high, measure, one.reason)
    return told if one.p is None else f"{told}\np {one.p:.1g}"


def _with_interval(
    value: float | None, low: float | None, high: float | None, measure: str, reason: str | None
) -> str:
    if value is None:
        return reason or "-"
    if low is None or high is None:
        return _number(value, measure)
    return f"{_number(value, measure)}\n±{_number((high - low) / 2, measure)}"


def _number(value: float, measure: str) -> str:
    return f"{value:.{DIGITS.get(measure, 4)}f}"


def _at(position: Position) -> str:
    return "-" if position is None else f"{position:,.10g}"

"""How measures go along with benchmark scores, as a table for people."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table

from neuromfa.app.cli.output import console
from neuromfa.correlations import CAVEAT, Correlation
from neuromfa.results import REAL

NAMES = {"emergence": "E", "alpha0": "alpha0", "width": "width"}


def print_correlations(found: Iterable[Correlation]) -> None:
    """Print Spearman's coefficient of E, real, null and excess, and of alpha0 and width; then what is left of E's."""
    rows: dict[tuple[str, str, int], dict[tuple[str, str], Correlation]] = {}
    for one in found:
        rows.setdefault((one.task, one.metric, one.n), {})[one.measure, one.model] = one
    if not rows:
        console.print(
            "no correlations: no checkpoint with a step has scores; `neuromfa scores MODEL FILE` puts some there"
        )
        return
    columns = [column for column in dict.fromkeys(c for row in rows.values() for c in row) if _shown(*column)]
    heads = [NAMES[measure] if model == REAL else f"{NAMES[measure]}\n{model}" for measure, model in columns]
    # two tables, since one with all of it is cut off in a terminal of 80 columns
    coefficients = _table("Spearman's coefficient over n steps", rows, ("n", *heads))
    beyond = _table("what is left of that of E", rows, ("given\nlog step", "given\nlog rms", "p", "q"))
    for (task, metric, n), row in rows.items():
        coefficients.add_row(f"{task} {metric}", str(n), *(_cell(row.get(column)) for column in columns))
        beyond.add_row(f"{task} {metric}", *_beyond_trend(row.get(("emergence", REAL))))
    console.print(coefficients)
    console.print(beyond)
    console.print(CAVEAT, style="dim")


def _table(title: str, rows: Iterable[tuple[str, str, int]], heads: Sequence[str]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    table.add_column("benchmark", min_width=max(len(f"{task} {metric}") for task, metric, _ in rows))
    for head in heads:
        table.add_column(head, justify="right")
    return table


def _shown(measure: str, model: str) -> bool:
    return measure == "emergence" or model == REAL


def _cell(one: Correlation | None) -> str:
    # why there is none stands in the other table, which has room for words
    return "-" if one is None else _number(one.spearman, None)


def _beyond_trend(one: Correlation | None) -> tuple[str, ...]:
    if one is None:
        return ("-",) * 4
    return (
        _number(one.partial_step, one.partial_step_reason),
        _number(one.partial_rms, one.partial_rms_reason),
        _number(one.p, one.p_reason, digits=3),
        _number(one.q, None, digits=3),
    )


def _number(value: float | None, reason: str | None, *, digits: int = 2) -> str:
    return reason or "-" if value is None else f"{value:.{digits}f}"

"""How measures go along with benchmark scores, as a table for people."""

from collections.abc import Iterable

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
    table = Table(
        title="Spearman's coefficient over n steps",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("benchmark", min_width=max(len(f"{task} {metric}") for task, metric, _ in rows))
    table.add_column("n", justify="right")
    for measure, model in columns:
        table.add_column(NAMES[measure] if model == REAL else f"{NAMES[measure]}\n{model}", justify="right")
    for name in ("E given\nlog step", "E given\nlog rms", "E\np", "E\nq"):
        table.add_column(name, justify="right")
    for (task, metric, n), row in rows.items():
        table.add_row(
            f"{task} {metric}",
            str(n),
            *(_cell(row.get(column)) for column in columns),
            *_beyond_trend(row.get(("emergence", REAL))),
        )
    console.print(table)
    console.print(CAVEAT, style="dim")


def _shown(measure: str, model: str) -> bool:
    return measure == "emergence" or model == REAL


def _cell(one: Correlation | None) -> str:
    return "-" if one is None else _number(one.spearman, one.reason)


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

"""A sweep as a table for people."""

from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.table import Table

from neuromfa import exports
from neuromfa.app.cli.output import console, exported
from neuromfa.results import Estimate
from neuromfa.structure import Excess
from neuromfa.sweep import Sweep, SweepPoint

COLUMNS = ("step", "alpha0", "width", "E", "excess\nalpha0", "excess\nwidth", "g", "nodes\nkept")


def print_sweep(found: Sweep) -> None:
    """Print one row a value and step."""
    table = Table(
        title=f"{found.series}: how the numbers depend on {found.option}",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    for name in (found.option.replace("_", "\n"), *COLUMNS):
        table.add_column(name, justify="right", no_wrap=True)
    for point in found.points:
        table.add_row(point.value, *_cells(point))
    console.print(table)
    flagged = {
        flag: [p.value for p in found.points if flag in p.flags] for p in found.points for flag in p.flags
    }
    for flag, values in flagged.items():
        console.print(f"flag {flag}: {found.option} {', '.join(dict.fromkeys(values))}", style="yellow")


def written_sweep_csv(found: Sweep, path: Path) -> None:
    """Write one row a value and step."""
    exported(lambda: exports.write_sweep_csv(found, path), path)


def _cells(point: SweepPoint) -> Iterator[str]:
    yield "-" if point.step is None else str(point.step)
    yield from (_estimate(one) for one in (point.alpha0, point.width, point.emergence))
    yield from (_excess(point.excess.get(name)) for name in ("alpha0", "width"))
    effect = point.structure
    yield "-" if effect is None or effect.g is None else f"{effect.g:.3f}\n{effect.answer or '-'}"
    yield f"{100 * point.nodes_kept / point.nodes_total:.0f} %"


def _estimate(one: Estimate | None) -> str:
    if one is None or one.value is None:
        return "-"
    if one.low is None or one.high is None:
        return f"{one.value:.4f}"
    return f"{one.value:.4f}\n±{(one.high - one.low) / 2:.4f}"


def _excess(one: Excess | None) -> str:
    if one is None or one.value is None:
        return "-"
    return f"{one.value:+.4f}" if one.t is None else f"{one.value:+.4f}\n(t {one.t:.1f})"

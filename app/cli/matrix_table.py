"""Plain measures of matrices as a table for people."""

from collections.abc import Iterable, Iterator

from rich import box
from rich.table import Table

from neuromfa.app.cli.output import console
from neuromfa.matrices import KindMatrices, MatrixFigure
from neuromfa.results import CheckpointResult

TITLE = "Whole matrices, means by kind (in brackets: entries shuffled)"
COLUMNS = (
    "step",
    "kind",
    "above\nMP",
    "effective\nrank %",
    "stable\nrank %",
    "tail\nexponent",
    "kurtosis",
    "Gini of\nstrengths",
)


def print_matrices(checkpoints: Iterable[CheckpointResult]) -> None:
    """Print the plain measures of every checkpoint that has them, and which parts have none."""
    table = Table(title=TITLE, box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "kind" else "right")
    for one in checkpoints:
        for kind, figures in one.matrices.by_kind.items() if one.matrices else ():
            table.add_row("-" if one.step is None else str(one.step), kind, *_cells(figures))
        for part in one.matrices.parts if one.matrices else ():
            if part.reason is not None:
                console.print(
                    f"step {one.step}: {part.name} has no plain measures: {part.reason}", style="yellow"
                )
    if table.row_count:
        console.print(table)


def _cells(figures: KindMatrices) -> Iterator[str]:
    side = figures.smaller_side
    yield _told(figures.mp_outliers, "{:.1f}")
    yield _told(figures.effective_rank, "{:.1f}", factor=100.0 / side)
    yield _told(figures.stable_rank, "{:.1f}", factor=100.0 / side)
    yield _told(figures.tail_exponent, "{:.2f}")
    yield _told(figures.kurtosis, "{:.3f}", alone=True)
    yield _told(figures.gini_strength, "{:.3f}")


def _told(figure: MatrixFigure, form: str, *, factor: float = 1.0, alone: bool = False) -> str:
    value, null = (
        "-" if one is None else form.format(one * factor) for one in (figure.value, figure.shuffled)
    )
    return value if alone else f"{value}\n({null})"

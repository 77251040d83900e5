"""`neuromfa scores`: benchmark scores onto stored checkpoints, and how the measures go along with them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from neuromfa.app.cli.options import AsJson, DataDir
from neuromfa.app.cli.output import console, write_json
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.correlations import CAVEAT, Correlation, correlate
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from neuromfa.results import REAL
from neuromfa.scores import Score, published_scores, read_scores

NAMES = {"emergence": "E", "alpha0": "alpha0", "width": "width"}


def scores(
    model: Annotated[str, typer.Argument(help="Id of the model in the store.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV file with the columns step, task, metric, value and perhaps stderr, model."),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Take the published zero-shot scores of a Pythia model.")
    ] = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Put benchmark scores onto stored checkpoints, then show how E, alpha0 and width go along with them."""
    if file is not None and published:
        raise OptionError("give a FILE or --published, not both")
    given = read_scores(file, model=model) if file else published_scores(model) if published else []
    with open_store(load_settings(data_dir=data_dir)) as store:
        unplaced = store.write_scores(model, given)
        found = correlations(store, model)
    if as_json:
        write_json(found, "-")
        return
    if given:
        console.print(told(given, unplaced))
    print_correlations(found)


def correlations(store: GraphStore, model: str) -> list[Correlation]:
    """Correlate the analysis of a model that is served by default with the scores it has."""
    return correlate(store.results(model), store.scores(model))


def told(given: Sequence[Score], unplaced: Sequence[Score]) -> str:
    """Return one sentence on what was written, and what was not because its step is not stored."""
    count = len(given) - len(unplaced)
    written = f"{count} score{'' if count == 1 else 's'} written"
    if not unplaced:
        return written
    steps = sorted({score.step for score in unplaced}, key=lambda step: -1 if step is None else step)
    named = ", ".join("-" if step is None else str(step) for step in steps[:10])
    more = f" and {len(steps) - 10} more" if len(steps) > 10 else ""
    return f"{written}; {len(unplaced)} of steps that are not in the store were left out ({named}{more})"


def print_correlations(found: Iterable[Correlation]) -> None:
    """Print Spearman's coefficient of E, real and null, and of alpha0 and width, a row for each benchmark."""
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
    for (task, metric, n), row in rows.items():
        table.add_row(f"{task} {metric}", str(n), *(_cell(row.get(column)) for column in columns))
    console.print(table)
    console.print(CAVEAT, style="dim")


def _shown(measure: str, model: str) -> bool:
    return measure == "emergence" or model == REAL


def _cell(one: Correlation | None) -> str:
    if one is None:
        return "-"
    return one.reason or "-" if one.spearman is None else f"{one.spearman.value:.2f}"

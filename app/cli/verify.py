"""`neuromfa verify`: the numbers of a model measured again from its stored graphs."""

from typing import Annotated

import typer

from neuromfa.app.cli.options import AsJson, DataDir
from neuromfa.app.cli.output import console, write_json
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.errors import StoreError
from neuromfa.ingest.verify import Comparison
from neuromfa.ingest.verify import verify as compare


def verify(
    model: Annotated[str, typer.Argument(help="Id of the model in the store.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Measure a model again from its stored graphs and compare with the numbers that are stored."""
    with open_store(load_settings(data_dir=data_dir)) as store:
        comparisons = list(compare(store, model))
    if as_json:
        write_json(comparisons, "-")
    else:
        for comparison in comparisons:
            console.print(_line(comparison))
    wrong = [comparison for comparison in comparisons if not comparison.agrees]
    if wrong:
        raise StoreError(
            f"{len(wrong)} of {len(comparisons)} samples of {model} do not give the stored numbers: delete the model "
            "and ingest it again"
        )


def _line(comparison: Comparison) -> str:
    verdict = "same" if comparison.agrees else "DIFFERENT"
    step = "-" if comparison.step is None else comparison.step
    return (
        f"step {step} seed {comparison.seed} profile {comparison.profile}: {comparison.edges:,} relationships read, "
        f"{verdict} (largest difference {comparison.difference:.1e})"
    )

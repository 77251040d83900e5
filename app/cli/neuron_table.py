"""Neurons against chance as a table for people."""

from collections.abc import Sequence

from rich import box
from rich.table import Table

from neuromfa.app.cli.output import console
from neuromfa.neurons import LEVEL, NeuronDeparture
from neuromfa.results import SeriesResult

MOST_SHOWN = 20
COLUMNS = ("neuron", "seed", "nfd", "z", "p", "strength", "z", "p", "since")
ADJUSTED = "p of the whole network"


def print_neurons(result: SeriesResult) -> None:
    """Print of every tested step how many neurons depart from chance, and those of the last one."""
    tested = [one for one in result.checkpoints if one.neurons is not None]
    for one in tested:
        assert one.neurons is not None
        step = "The checkpoint" if one.step is None else f"Step {one.step}"
        console.print(f"{step}: {one.neurons.sentence}")
    if tested and tested[-1].neurons is not None:
        _print_last(
            result, [(sample.seed, one) for sample in tested[-1].neurons.samples for one in sample.neurons]
        )


def _print_last(result: SeriesResult, found: Sequence[tuple[int, NeuronDeparture]]) -> None:
    if not found:
        return
    title = f"Neurons that depart from chance ({ADJUSTED} < {LEVEL:g})"
    table = Table(title=title, box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "neuron" else "right")
    since = {(one.seed, one.name): one.since[1] for one in reversed(result.neurons_since)}
    for seed, one in found[:MOST_SHOWN]:
        numbers = (
            *(_number(one.nfd, ".3f"), _number(one.nfd_z, ".1f"), _number(one.nfd_p_adjusted, ".1g")),
            *(
                _number(one.strength, ".3g"),
                _number(one.strength_z, ".1f"),
                _number(one.strength_p_adjusted, ".1g"),
            ),
        )
        table.add_row(one.name, str(seed), *numbers, str(since.get((seed, one.name), "-")))
    console.print(table)
    if len(found) > MOST_SHOWN:
        console.print(f"and {len(found) - MOST_SHOWN} more: --json has all of them", style="dim")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

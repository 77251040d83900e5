"""`neuromfa delete`: take a model, one of its steps, or one of its graphs out of the store."""

from typing import Annotated

import typer

from neuromfa.app.cli.options import DataDir
from neuromfa.app.cli.output import console
from neuromfa.app.open_store import open_store
from neuromfa.app.settings import load_settings
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from neuromfa.graph.catalog import NO_STEP, step_name

LONGEST_STEP = 15


def delete(
    what: Annotated[str, typer.Argument(help="MODEL, or MODEL@STEP; @- is a checkpoint without a step.")],
    sample: Annotated[
        int | None, typer.Option(help="Only the newest graph of this seed; needs a step.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete a model, one of its steps, or one graph, with all that no other has; it asks before."""
    model, stepped, step = _parted(what)
    if sample is not None and not stepped:
        raise OptionError("--sample needs a step: neuromfa delete MODEL@STEP --sample SEED")
    with open_store(load_settings(data_dir=data_dir)) as store:
        told = _told(store, model, step, sample) if stepped else _told_model(store, model)
        if not yes:
            typer.confirm(f"delete {told}?", abort=True)
        if sample is not None:
            store.delete_sample(model, step, sample)
        elif stepped:
            store.delete_checkpoint(model, step)
        else:
            store.delete_model(model)
    console.print(f"deleted {told}")


def _parted(what: str) -> tuple[str, bool, int | None]:
    """Return the model, whether a step follows it, and which; what follows an @ and is no step belongs to the name."""
    model, _, text = what.rpartition("@")
    if model and text == NO_STEP:
        return model, True, None
    if model and text.isascii() and text.isdecimal() and len(text) <= LONGEST_STEP:
        return model, True, int(text)
    return what, False, None


def _told_model(store: GraphStore, model: str) -> str:
    """Return what is to go, in words; `NotStored` without it."""
    found = store.model(model).checkpoints
    graphs = sum(one.samples for one in store.each_checkpoint(model))
    return f"model {model} with {found} checkpoints and {graphs} graphs"


def _told(store: GraphStore, model: str, step: int | None, sample: int | None) -> str:
    if sample is not None:
        edges = store.sample(model, step, sample).n_edges
        return f"the graph of seed {sample} of {model} at step {step_name(step)}, {edges:,} relationships"
    record = store.checkpoint(model, step)
    return f"step {step_name(step)} of {model} with {record.spectra} results and {record.samples} graphs"

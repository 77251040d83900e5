"""`neuromfa export`: results as a table, or a stored graph in a form other tools read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from neuromfa.app.cli.options import DataDir
from neuromfa.app.cli.output import console, messages
from neuromfa.app.open_store import open_store
from neuromfa.app.pages.words import lacking_blocks_words
from neuromfa.app.settings import load_settings
from neuromfa.beyond_scale import lacking_blocks
from neuromfa.errors import NotStored, OptionError
from neuromfa.exports import GRAPH_FORMATS, RESULT_FORMATS
from neuromfa.graph import GraphStore
from neuromfa.model_id import in_route
from neuromfa.results import CheckpointResult

FORMATS = (*RESULT_FORMATS, *GRAPH_FORMATS)


def export(
    model: Annotated[str, typer.Argument(help="Id of the model in the store.")],
    format: Annotated[
        str,
        typer.Option(
            help="Results: csv, parquet, arrow. One stored graph: graphml, gexf, node-link, edges-parquet."
        ),
    ] = "csv",
    step: Annotated[
        str | None, typer.Option(help="Only this step; a graph needs one. - is a checkpoint without a step.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which stored sample's graph.")] = 0,
    profile: Annotated[str | None, typer.Option(help="Only results of this profile: exact or paper.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; without it a name in this folder.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write a model's results, or the graph of one of its samples, to a file."""
    if format not in FORMATS:
        raise OptionError(f"--format is one of {', '.join(FORMATS)}, not {format!r}")
    if format in GRAPH_FORMATS and step is None:
        raise OptionError(f"--format {format} writes one graph: say which with --step")
    with open_store(load_settings(data_dir=data_dir)) as store:
        if format in RESULT_FORMATS:
            results = _results(store, model, step=step, profile=profile)
            path = out or _name(model, RESULT_FORMATS[format].suffix)
            _written(path, lambda place: RESULT_FORMATS[format].write(results, place))
            told = f"{len(results)} checkpoint{'s' if len(results) != 1 else ''}"
            if lacking := lacking_blocks(results):
                messages.print(lacking_blocks_words(lacking), markup=False)
        else:
            graph = store.read_sample(model, _step(step or "-"), seed)
            path = out or _name(f"{model}-step{step}-seed{seed}", GRAPH_FORMATS[format].suffix)
            _written(path, lambda place: GRAPH_FORMATS[format].write(graph, place))
            told = f"{graph.n_neurons:,} neurons and {graph.n_edges:,} edges"
    console.print(f"wrote {path}: {told}")


def _results(
    store: GraphStore, model: str, *, step: str | None, profile: str | None
) -> list[CheckpointResult]:
    if step is not None:
        return [store.result(model, _step(step), profile=profile)]
    results = store.results(model, profile=profile)
    if not results:
        raise NotStored(f"model {model!r} has no results{f' of profile {profile}' if profile else ''}")
    return results


def _step(text: str) -> int | None:
    if text != "-" and not text.isdecimal():
        raise OptionError(f"--step is a step such as 512, or -, not {text!r}")
    return None if text == "-" else int(text)


def _name(stem: str, suffix: str) -> Path:
    """Return a file name for a model's id."""
    return Path(in_route(stem) + suffix)


def _written(path: Path, write: Callable[[Path], None]) -> None:
    """Write beside the place and move there, so that no half of a file is ever at it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(beside)
        beside.replace(path)
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)

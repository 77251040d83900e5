"""A store as one file: kept, moved to another server or to the next version of one, and put back.

The file is a zip: ``store.json`` with models, checkpoints, results and scores as they stand in the database, and
``graphs/<hash>.npz`` with the columns of every graph. Graphs are proved by their checksums on both ways.
Jobs stay behind.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neuromfa.errors import OptionError, StoreError
from neuromfa.graph import chance_io, sample_io
from neuromfa.graph.access import LARGEST_PAGE, each
from neuromfa.graph.catalog import NO_RANK, checkpoint_id
from neuromfa.graph.chance_io import COLUMNS as TESTED
from neuromfa.graph.chance_io import tests_from
from neuromfa.graph.connection import Row, Transaction
from neuromfa.graph.manifest import Manifest, graph_from, manifest_from
from neuromfa.graph.schema import current_version
from neuromfa.graph.store import GraphStore
from neuromfa.identity import canonical_json
from neuromfa.network import EdgeColumns, NeuronMeasures, NeuronTests, SampleGraph
from neuromfa.scores import Score

FORMAT = 1
INDEX = "store.json"
COLUMNS = ("source", "target", "distance", "weight")
Progress = Callable[[int, int, str], None]


def save(store: GraphStore, path: Path, *, progress: Progress) -> int:
    """Write all that a store holds into a file; return the number of graphs.

    Parameters
    ----------
    path : made anew; nothing is left at it when the store fails on the way
    progress : called with graphs done, graphs in all, and what is under way
    """
    models = [_saved_model(store, record.id) for record in each(store.models)]
    graphs = {each_hash: place for model in models for each_hash, place in _graphs_of(model)}
    beside = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as file:
            index = {"format": FORMAT, "schema_version": current_version(), "models": models}
            file.writestr(INDEX, canonical_json(index))
            for done, (graph_hash, (model, step, seed)) in enumerate(graphs.items()):
                progress(done, len(graphs), f"{model}, step {step}, seed {seed}")
                graph = store.read_sample(model, step, seed, graph_hash=graph_hash)
                with file.open(f"graphs/{graph_hash}.npz", "w", force_zip64=True) as member:
                    np.savez(member, **_arrays(graph))
        beside.replace(path)
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)
    progress(len(graphs), len(graphs), str(path))
    return len(graphs)


def restore(store: GraphStore, path: Path, *, progress: Progress) -> int:
    """Put the content of a file into a store that has none of its models; return the number of graphs.

    Raises
    ------
    OptionError : no such file, no backup, one of a newer version, or a model of it is in the store already
    StoreError : a graph of it is not what its checksum says
    """
    try:
        with zipfile.ZipFile(path) as file:
            models = _index(file, path)
            _refuse_mixing(store, models, path)
            total, done = sum(1 for model in models for _ in _graphs_of(model)), 0
            for model in models:
                for checkpoint in _restored_model(store, model):
                    for properties in checkpoint["samples"]:
                        step = checkpoint["properties"].get("step")
                        progress(done, total, f"{model['id']}, step {step}")
                        _restore_graph(store, file, model["id"], checkpoint, properties)
                        done += 1
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, KeyError) as error:
        raise OptionError(f"{path} is no backup of a store, or only part of one ({error})") from None
    progress(total, total, str(path))
    return len({graph_hash for model in models for graph_hash, _ in _graphs_of(model)})


def _saved_model(store: GraphStore, id: str) -> Row:
    model = store.model(id)
    return {
        "id": id,
        "properties": {"source": model.source, **model.properties},
        "checkpoints": [_saved_checkpoint(store, properties) for properties in _checkpoints(store, id)],
        "scores": [vars(score) for score in store.scores(id)],
    }


def _checkpoints(store: GraphStore, model: str) -> Iterator[Row]:
    after = NO_RANK - 1
    while rows := store.query("whole_checkpoints", {"model": model, "after": after, "limit": LARGEST_PAGE}):
        yield from (row["properties"] for row in rows)
        after = rows[-1]["rank"]


def _saved_checkpoint(store: GraphStore, properties: Row) -> Row:
    id = properties["id"]
    return {
        "properties": properties,
        "spectra": store.query("whole_spectra", {"checkpoint": id}),
        "samples": [row["properties"] for row in store.query("samples", {"checkpoint": id})],
    }


def _graphs_of(model: Row) -> Iterator[tuple[str, tuple[str, int | None, int]]]:
    """Yield the hash of every graph of a saved model, and where it is found."""
    for checkpoint in model["checkpoints"]:
        for sample in checkpoint["samples"]:
            yield sample["id"], (model["id"], checkpoint["properties"].get("step"), sample["seed"])


def _index(file: zipfile.ZipFile, path: Path) -> list[Row]:
    index = json.loads(file.read(INDEX))
    if index["format"] > FORMAT or index["schema_version"] > current_version():
        raise OptionError(
            f"{path} was written by a newer version of this program; install that one to read it"
        )
    models: list[Row] = index["models"]
    return models


def _refuse_mixing(store: GraphStore, models: list[Row], path: Path) -> None:
    known = {record.id for record in each(store.models)}
    both = sorted(known & {model["id"] for model in models})
    if both:
        raise OptionError(
            f"{', '.join(both[:5])} {'is' if len(both) == 1 else 'are'} in the store already: restore {path} into an "
            "empty store, such as another --data-dir"
        )


def _restored_model(store: GraphStore, model: Row) -> list[Row]:
    """Write a model with its checkpoints, results and scores; return its checkpoints."""
    store.write_model(model["id"], **model["properties"])
    checkpoints: list[Row] = model["checkpoints"]
    for checkpoint in checkpoints:
        facts = {
            key: value for key, value in checkpoint["properties"].items() if key not in ("id", "rank", "step")
        }
        store.write_checkpoint(model["id"], checkpoint["properties"].get("step"), **facts)
        _restore_spectra(store, model["id"], checkpoint)
    # what the steps tell of each other is worked out again, not kept
    for analysis in store.analyses(model["id"]):
        store.compare_steps(model["id"], analysis.options)
    store.write_scores(model["id"], [Score(**score) for score in model["scores"]])
    return checkpoints


def _restore_spectra(store: GraphStore, model: str, checkpoint: Row) -> None:
    def work(transaction: Transaction) -> None:
        for row in checkpoint["spectra"]:
            transaction.rows("write/spectrum", id=row["id"], properties=row["properties"])
            serial = transaction.rows("write/next_number", counter="spectrum")[0]["number"]
            place = {"checkpoint": checkpoint["properties"]["id"], "id": row["id"]}
            transaction.rows("write/link_spectrum", serial=serial, **place)

    store.write(work, changes=model)


def _restore_graph(
    store: GraphStore, file: zipfile.ZipFile, model: str, checkpoint: Row, properties: Row
) -> None:
    place = checkpoint["properties"]
    step, revision = place.get("step"), place.get("revision", "")
    manifest = manifest_from(properties, model=model, step=step, revision=revision)
    with file.open(f"graphs/{manifest.graph_hash}.npz") as member:
        arrays = dict(np.load(member, allow_pickle=False))
    graph = _graph(manifest, arrays)
    if graph.graph_hash != properties["id"]:
        raise StoreError(f"the graph {manifest.graph_hash[:12]} of the backup is another one")
    sample_io.write_sample(
        store._connection,
        checkpoint_id(model, step),
        graph,
        options_hash=manifest.options_hash,
        graph_version=manifest.graph_version,
        progress=None,
    )
    if manifest.tested is not None:
        [stored] = [one for one in store.samples(model, step) if one.graph_hash == graph.graph_hash]
        tests = _tests(manifest, arrays)
        chance_io.write_tests(store._connection, stored, tests, options_hash=manifest.tested)


def _arrays(graph: SampleGraph) -> dict[str, Any]:
    """Return the columns of a graph by name: units and measures of layers, ends, distances and weights of links."""
    found: dict[str, Any] = {f"units_{k}": layer.units for k, layer in enumerate(graph.layers) if layer.parts}
    for k, columns in enumerate(graph.edges):
        found |= {f"{name}_{k}": getattr(columns, name) for name in COLUMNS}
    if graph.measures is not None:
        for k in range(len(graph.layers)):
            found |= {f"nfd_{k}": graph.measures.nfd[k], f"nfd_own_{k}": graph.measures.nfd_own[k]}
    for measure, name in TESTED if graph.tests is not None else ():
        columns = getattr(getattr(graph.tests, measure), name)
        found |= {f"{measure}_test_{name}_{k}": column for k, column in enumerate(columns)}
    return found


def _tests(manifest: Manifest, arrays: dict[str, Any]) -> NeuronTests:
    """Return the tests of neurons among the columns of a graph."""
    layers = range(len(manifest.layout))
    return tests_from(
        {(one, name): tuple(arrays[f"{one}_test_{name}_{k}"] for k in layers) for one, name in TESTED},
        manifest,
    )


def _graph(manifest: Manifest, arrays: dict[str, Any]) -> SampleGraph:
    """Return the graph of the columns; `StoreError` where they are not those of the checksum."""
    layers = range(len(manifest.layout))
    nothing = np.zeros(0, dtype=np.int64)
    units = [arrays.get(f"units_{k}", nothing) for k in layers]
    edges = [EdgeColumns(*(arrays[f"{name}_{k}"] for name in COLUMNS)) for k in layers[:-1]]
    measures = None
    if manifest.measured:
        nfd, own = (tuple(arrays[f"{name}_{k}"] for k in layers) for name in ("nfd", "nfd_own"))
        measures = NeuronMeasures(nfd, own)
    return graph_from(manifest, units, edges, measures)

"""GraphStore: everything the project asks of a graph database, on either server, from any thread."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from neuromfa.errors import NotStored, OptionError
from neuromfa.graph import result_io, sample_io, sample_leases
from neuromfa.graph.connection import Connection, Transaction
from neuromfa.graph.cypher_files import query
from neuromfa.graph.limits import Limits
from neuromfa.graph.manifest import Manifest, manifest_from
from neuromfa.graph.schema import current_version, ensure_schema, stored_version
from neuromfa.graph.user_cypher import Bounds, FreeQuery, Table
from neuromfa.graph.user_cypher.child_process import ask_apart
from neuromfa.network import SampleGraph
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult
from neuromfa.scores import Score
from neuromfa.servers.arcadedb_server import EmbeddedServer

T = TypeVar("T")

NO_STEP = "-"
NO_RANK = -1
LARGEST_PAGE = 1000


@dataclass(frozen=True)
class ModelRecord:
    """A stored model: its id, what was said of it, and how many checkpoints it has."""

    id: str
    source: str
    properties: dict[str, Any]
    checkpoints: int


@dataclass(frozen=True)
class CheckpointRecord:
    """A stored checkpoint and how many spectra and complete samples it has; step is None outside a series."""

    model: str
    step: int | None
    revision: str
    spectra: int
    samples: int


@dataclass(frozen=True)
class AnalysisRecord:
    """One set of options a model was analysed with, and how many of its checkpoints have it."""

    options_hash: str
    options: AnalysisOptions
    checkpoints: int


@dataclass(frozen=True)
class Page(Generic[T]):
    """Part of a list; `next` is the cursor of the following part, or None."""

    items: list[T]
    next: str | None


class GraphStore:
    """A graph store that is open; `open_store` makes one.

    All methods are synchronous and may be called from several threads. Failures are the `StoreError` family.

    Parameters
    ----------
    connection : to the server
    embedded : the embedded server this process holds, or None
    """

    def __init__(self, connection: Connection, *, embedded: EmbeddedServer | None = None) -> None:
        self._connection = connection
        self._embedded = embedded

    def close(self) -> None:
        """Close all connections; the last user of an embedded store stops its server."""
        self._connection.close()
        if self._embedded is not None:
            self._embedded.close()

    def __enter__(self) -> "GraphStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> str:
        """Bolt address of the server."""
        return self._connection.uri

    # what the store is

    def ping(self) -> None:
        """Ask the server the shortest question; raises `StoreUnavailable` when it is away."""
        self.read(lambda transaction: transaction.rows("read/ping"), timeout_s=5.0)

    def versions(self) -> dict[str, str | int | None]:
        """Return the server's name and version, its address, and the schema version of store and program."""
        return {
            "server": self._connection.agent,
            "dialect": self._connection.dialect.name,
            "address": self.address,
            "schema_version": stored_version(self._connection),
            "schema_version_known": current_version(),
        }

    def counts(self) -> dict[str, int]:
        """Return how many models, checkpoints, samples, spectra and neurons there are."""
        return dict(self.read(lambda transaction: transaction.rows("read/counts")[0]))

    def ensure_schema(self) -> None:
        """Bring the store to this program's schema; `SchemaMismatch` for a newer one or another tool's."""
        ensure_schema(self._connection)

    def sweep(self) -> int:
        """Delete what killed writers left behind; return how many samples."""
        return sample_leases.sweep(self._connection)

    # writing

    def write_model(self, id: str, *, source: str, **properties: Any) -> None:
        """Make or update a model.

        Parameters
        ----------
        id : as in routes, with slashes; ``--`` is refused because routes write a slash so
        source : where its checkpoints come from
        properties : further facts, such as architecture; numbers, texts or lists of one kind
        """
        if not id or "--" in id:
            raise OptionError(
                f"a model id is not empty and has no -- in it, not {id!r}; choose another with --model-id"
            )
        facts = {"source": source, **properties}
        self.write(lambda transaction: transaction.rows("write/model", id=id, properties=facts))

    def write_checkpoint(self, model: str, step: int | None, *, revision: str, **properties: Any) -> None:
        """Make or update a checkpoint of a model that is there."""
        facts = {"revision": revision, **properties}
        row = self.write(
            lambda transaction: transaction.one(
                "write/checkpoint",
                model=model,
                id=checkpoint_id(model, step),
                step=step,
                rank=NO_RANK if step is None else step,
                properties=facts,
            )
        )
        if row is None:
            raise NotStored(f"model {model!r} is not in the store; write it before its checkpoints")

    def write_result(self, model: str, result: CheckpointResult, options: AnalysisOptions) -> bool:
        """Write the result of one checkpoint and make it that checkpoint's newest.

        Returns
        -------
        written : False when this checkpoint already had it
        """
        checkpoint = self._existing(model, result.step)
        return result_io.write_result(self._connection, checkpoint, result, options)

    def write_sample(
        self,
        model: str,
        step: int | None,
        graph: SampleGraph,
        *,
        options: AnalysisOptions | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> bool:
        """Write the graph of one sample.

        Readers see nothing of it before all of it is there and its counts and sums were compared. Killed at
        any moment, the next call completes it.

        Parameters
        ----------
        options : of the analysis that gave the graph's measures
        progress : called with (edges written, edges in all) after each transaction

        Returns
        -------
        written : False when the store already had the same graph
        """
        return sample_io.write_sample(
            self._connection,
            self._existing(model, step),
            graph,
            options_hash=None if options is None else result_io.options_hash(options),
            progress=progress,
        )

    def write_scores(self, model: str, scores: Iterable[Score]) -> list[Score]:
        """Write what checkpoints scored on benchmarks, over what they had; return those of steps not stored."""
        checkpoints = {
            record.step: checkpoint_id(model, record.step) for record in self.each_checkpoint(model)
        }
        placed: dict[str, list[Score]] = {}
        unplaced = []
        for score in scores:
            if score.step in checkpoints:
                placed.setdefault(checkpoints[score.step], []).append(score)
            else:
                unplaced.append(score)
        for checkpoint, own in placed.items():
            self.write(partial(_write_scores, checkpoint=checkpoint, scores=own))
        return unplaced

    # reading

    def has_result(self, model: str, step: int | None, analysis_hash: str) -> bool:
        """Tell whether a checkpoint has this analysis."""
        return analysis_hash in self.analysis_hashes(model, step)

    def analysis_hashes(self, model: str, step: int | None) -> list[str]:
        """Return the analyses a checkpoint has, in the order they were written."""
        links = self.read(
            lambda transaction: transaction.rows("read/spectrum_links", checkpoint=checkpoint_id(model, step))
        )
        return [link["id"] for link in links]

    def has_sample(self, model: str, step: int | None, graph_hash: str) -> bool:
        """Tell whether a checkpoint has this graph, complete."""
        return graph_hash in [manifest.graph_hash for manifest in self._manifests(model, step)]

    def models(self, *, limit: int = 100, cursor: str | None = None) -> Page[ModelRecord]:
        """Return a page of the models, by id."""
        size = page_size(limit)
        rows = self.read(
            lambda transaction: transaction.rows("read/models", after=cursor or "", limit=size + 1)
        )
        return Page([_model(row) for row in rows[:size]], rows[size - 1]["id"] if len(rows) > size else None)

    def model(self, id: str) -> ModelRecord:
        """Return one model; `NotStored` without it."""
        row = self.read(lambda transaction: transaction.one("read/model", id=id))
        if row is None:
            raise NotStored(f"model {id!r} is not in the store; `neuromfa ingest` puts one there")
        return _model(row)

    def checkpoints(
        self, model: str, *, limit: int = 100, cursor: str | None = None
    ) -> Page[CheckpointRecord]:
        """Return a page of a model's checkpoints, by step; the one without a step comes first."""
        self.model(model)
        size, after = page_size(limit), _rank_of(cursor)
        rows = self.read(
            lambda transaction: transaction.rows("read/checkpoints", model=model, after=after, limit=size + 1)
        )
        items = [_checkpoint(model, row) for row in rows[:size]]
        return Page(items, str(rows[size - 1]["rank"]) if len(rows) > size else None)

    def each_checkpoint(self, model: str) -> Iterator[CheckpointRecord]:
        """Yield all checkpoints of a model, by step."""
        cursor: str | None = None
        while True:
            page = self.checkpoints(model, limit=LARGEST_PAGE, cursor=cursor)
            yield from page.items
            if page.next is None:
                return
            cursor = page.next

    def checkpoint(self, model: str, step: int | None) -> CheckpointRecord:
        """Return one checkpoint; `NotStored` without it, naming the steps there are."""
        row = self.read(lambda transaction: transaction.one("read/checkpoint", id=checkpoint_id(model, step)))
        if row is None:
            raise self._missing(model, step)
        return _checkpoint(model, row)

    def result(
        self,
        model: str,
        step: int | None,
        *,
        profile: str | None = None,
        hops: str | None = None,
        options_hash: str | None = None,
    ) -> CheckpointResult:
        """Return the newest result of a checkpoint, of one profile, kind of hops or options where asked.

        The record equals the one written, field by field.
        """
        checkpoint = self._existing(model, step)
        chosen = {"profile": profile, "hops": hops, "options_hash": options_hash}
        row = self.read(lambda transaction: transaction.one("read/result", checkpoint=checkpoint, **chosen))
        if row is None:
            asked = ", ".join(f"{name} {value}" for name, value in chosen.items() if value) or "at all"
            raise NotStored(f"model {model!r} has no result at step {_named(step)} ({asked})")
        return result_io.result_from(row)

    def results(
        self,
        model: str,
        *,
        profile: str | None = None,
        hops: str | None = None,
        options_hash: str | None = None,
    ) -> list[CheckpointResult]:
        """Return the newest result of every checkpoint of a model that has one, by step."""
        self.model(model)
        chosen = {"profile": profile, "hops": hops, "options_hash": options_hash}
        rows = self.read(lambda transaction: transaction.rows("read/results", model=model, **chosen))
        return [result_io.result_from(row) for row in result_io.newest(rows)]

    def analyses(self, model: str) -> list[AnalysisRecord]:
        """Return the sets of options a model was analysed with, newest first."""
        rows = self.read(lambda transaction: transaction.rows("read/analyses", model=model))
        return [
            AnalysisRecord(row["options_hash"], result_io.options_from(row["options"]), row["checkpoints"])
            for row in rows
        ]

    def scores(self, model: str) -> list[Score]:
        """Return what a model's checkpoints scored on benchmarks, by step, task and metric."""
        self.model(model)
        rows = self.read(lambda transaction: transaction.rows("read/scores", model=model))
        return [Score(row["step"], row["task"], row["metric"], row["value"], row["stderr"]) for row in rows]

    def samples(self, model: str, step: int | None) -> list[Manifest]:
        """Return the manifests of a checkpoint's stored graphs, by seed."""
        self._existing(model, step)
        return self._manifests(model, step)

    def sample(self, model: str, step: int | None, seed: int, *, graph_hash: str | None = None) -> Manifest:
        """Return the manifest of one stored graph: the newest of that seed, or the one with that hash."""
        found = [manifest for manifest in self.samples(model, step) if manifest.seed == seed]
        wanted = [manifest for manifest in found if graph_hash in (None, manifest.graph_hash)]
        if not wanted:
            seeds = ", ".join(str(manifest.seed) for manifest in self._manifests(model, step)) or "none"
            raise NotStored(
                f"model {model!r} has no graph of seed {seed} at step {_named(step)}; stored seeds: {seeds}"
            )
        return wanted[-1]

    def read_sample(
        self,
        model: str,
        step: int | None,
        seed: int,
        *,
        graph_hash: str | None = None,
        timeout_s: float | None = None,
    ) -> SampleGraph:
        """Read one stored graph as columns and prove it by its checksum.

        Every number comes back bit by bit; edges are ordered by source, then target. The limit holds for each
        of its queries, one or a few a layer.
        """
        manifest = self.sample(model, step, seed, graph_hash=graph_hash)
        return sample_io.read_sample(self._connection, manifest, timeout_s=timeout_s)

    def query(
        self, name: str, parameters: dict[str, Any], *, timeout_s: float | None = None
    ) -> list[dict[str, Any]]:
        """Run a query of ``cypher/read`` by name, such as ``models``, behind the barrier against writes."""
        found = query(f"read/{name}")
        missing = sorted(set(found.parameters) - set(parameters))
        unknown = sorted(set(parameters) - set(found.parameters))
        if missing or unknown:
            takes = ", ".join(found.parameters) or "none"
            raise OptionError(
                f"query {name} takes the parameters {takes}; missing {missing}, unknown {unknown}"
            )
        return self.read(lambda transaction: transaction.rows_of(found.text, parameters), timeout_s=timeout_s)

    def ask(
        self,
        text: str,
        parameters: dict[str, Any] | None = None,
        *,
        bounds: Bounds | None = None,
        given_up: Callable[[], bool] = lambda: False,
    ) -> Table:
        """Run any Cypher text that only reads the graph, in a process of its own that can be ended.

        Parameters
        ----------
        bounds : most rows, bytes, seconds and memory
        given_up : asked again and again; True ends the query

        Raises
        ------
        QueryRefused : it wants more than to read the graph, or the server cannot understand it
        QueryTimeout, QueryTooLarge : it reached a bound
        """
        self.ping()  # brings back an embedded server that is gone
        query, bounds = FreeQuery(text, parameters or {}), bounds or Bounds()
        return ask_apart(self._connection.read_access, query, bounds, given_up=given_up)

    # deleting

    def delete_sample(
        self, model: str, step: int | None, seed: int, *, graph_hash: str | None = None
    ) -> None:
        """Delete one stored graph; it goes out of sight at once and in small pieces after that."""
        manifest = self.sample(model, step, seed, graph_hash=graph_hash)
        sample_leases.unlink(self._connection, checkpoint_id(model, step), manifest.graph_hash)

    def delete_model(self, model: str) -> None:
        """Delete a model with its checkpoints, spectra and graphs; what other models share stays."""
        for record in list(self.each_checkpoint(model)):
            self._delete_checkpoint(model, record.step)
        self.write(lambda transaction: transaction.rows("write/delete_model", id=model))

    def _delete_checkpoint(self, model: str, step: int | None) -> None:
        checkpoint = checkpoint_id(model, step)
        for manifest in self._manifests(model, step):
            sample_leases.unlink(self._connection, checkpoint, manifest.graph_hash)
        self.write(lambda transaction: transaction.rows("write/delete_checkpoint", id=checkpoint))

    # inside

    def read(self, work: Callable[[Transaction], T], *, timeout_s: float | None = None) -> T:
        """Run a unit of reading; the server refuses whatever else it tries."""
        return self._connection.read(work, timeout_s=timeout_s)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a unit of writing that is harmless when run twice."""
        return self._connection.write(work)

    def _manifests(self, model: str, step: int | None) -> list[Manifest]:
        checkpoint = checkpoint_id(model, step)

        def work(transaction: Transaction) -> list[Manifest]:
            record = transaction.one("read/checkpoint", id=checkpoint)
            rows = transaction.rows("read/samples", checkpoint=checkpoint)
            revision = record["revision"] if record else ""
            return [
                manifest_from(row["properties"], model=model, step=step, revision=revision) for row in rows
            ]

        return self.read(work)

    def _existing(self, model: str, step: int | None) -> str:
        self.checkpoint(model, step)
        return checkpoint_id(model, step)

    def _missing(self, model: str, step: int | None) -> NotStored:
        self.model(model)
        found = ", ".join(_named(record.step) for record in self.checkpoints(model, limit=LARGEST_PAGE).items)
        return NotStored(
            f"model {model!r} has no checkpoint at step {_named(step)}; there are: {found or 'none'}"
        )


def open_store(
    *,
    uri: str | None = None,
    user: str = "neo4j",
    password: str = "",
    database: str | None = None,
    data_dir: Path | str = "var",
    limits: Limits | None = None,
    prepare: bool = True,
) -> GraphStore:
    """Open the store at `uri`, or without one the embedded store in `data_dir`, started when need be.

    Parameters
    ----------
    uri, user, password, database : of a Neo4j server; database None is the server's default
    data_dir : folder of the embedded store, shared by all processes that name it
    limits : time limits
    prepare : make or migrate the schema and clear what killed writers left; without it nothing is written

    Examples
    --------
    >>> with open_store(data_dir="var") as store:  # doctest: +SKIP
    ...     graph = store.read_sample("stdlib-14m", 2000, 0)
    """
    limits = limits or Limits()
    if uri is not None:
        connection = Connection(uri, writer=(user, password), reader=None, database=database, limits=limits)
        return _prepared(GraphStore(connection), prepare=prepare)
    embedded = EmbeddedServer(Path(data_dir), command_timeout_s=limits.server_s)
    try:
        endpoint = embedded.open()
        connection = Connection(
            endpoint.uri,
            writer=endpoint.writer,
            reader=endpoint.reader,
            database=endpoint.database,
            limits=limits,
            revive=lambda: embedded.open().uri,
        )
    except BaseException:
        embedded.close()
        raise
    return _prepared(GraphStore(connection, embedded=embedded), prepare=prepare)


def _prepared(store: GraphStore, *, prepare: bool) -> GraphStore:
    try:
        if prepare:
            store.ensure_schema()
            store.sweep()
    except BaseException:
        store.close()
        raise
    return store


def _write_scores(transaction: Transaction, *, checkpoint: str, scores: list[Score]) -> None:
    for score in scores:
        transaction.rows(
            "write/score",
            checkpoint=checkpoint,
            task=score.task,
            metric=score.metric,
            value=score.value,
            stderr=score.stderr,
        )


def checkpoint_id(model: str, step: int | None) -> str:
    """Return the id of a checkpoint node."""
    return f"{model}@{_named(step)}"


def _named(step: int | None) -> str:
    return NO_STEP if step is None else str(step)


def page_size(limit: int) -> int:
    """Return a page's size; `OptionError` outside 1..`LARGEST_PAGE`."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise OptionError(f"limit is 1..{LARGEST_PAGE}, not {limit}")
    return limit


def _rank_of(cursor: str | None) -> int:
    if cursor is None:
        return NO_RANK - 1
    if not cursor.removeprefix("-").isdecimal() or len(cursor) > 18:
        raise OptionError(f"{cursor[:40]!r} is no cursor; take it from `next` of the page before")
    return int(cursor)


def _model(row: dict[str, Any]) -> ModelRecord:
    rest = {name: value for name, value in row["properties"].items() if name not in ("id", "source")}
    return ModelRecord(row["id"], row["properties"].get("source", ""), rest, row["checkpoints"])


def _checkpoint(model: str, row: dict[str, Any]) -> CheckpointRecord:
    return CheckpointRecord(model, row["step"], row["revision"], row["spectra"], row["samples"])

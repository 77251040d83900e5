"""Writing that is disturbed: twice, at the same time, killed, robbed of its lease, with the server killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from neuromfa.errors import NotStored, QueryTooLarge, StoreConflict, StoreUnavailable
from neuromfa.graph import GraphStore
from tests.integration.conftest import QUICK, Server, own_neo4j
from tests.integration.making import OPTIONS, make_graph, make_result, same_graph

WRITER = """
import os, signal, sys
from tests.integration.making import make_graph
from tests.integration.test_store_writing import small_chunks
from neuromfa.graph import Limits, open_store

where, model, graph_hash, seed, stop_at, lease_s = eval(sys.argv[1])

def die(done, total):
    if stop_at is not None and done >= stop_at * total:
        os.kill(os.getpid(), signal.SIGKILL)

store = open_store(**where, limits=Limits(lease_s=lease_s))
small_chunks(store)
if stop_at == "before":
    import neuromfa.graph.sample_io as samples
    samples._complete = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    stop_at = None
store.write_sample(model, 0, make_graph(graph_hash, seed=seed), progress=die)
store.close()
"""


def small_chunks(store: GraphStore) -> None:
    """Make a small graph take many transactions."""
    connection = store._connection
    connection.dialect = replace(connection.dialect, chunk_edges=20, chunk_neurons=12, delete_neurons=5)


def write_in_a_process(
    server: Server, model: str, graph_hash: str, *, seed: int, stop_at: object, lease_s: float = 1.0
) -> int:
    """Write a graph in another process, which ends itself without warning where told; return its exit code."""
    argument = repr((server.where, model, graph_hash, seed, stop_at, lease_s)).replace(
        "PosixPath", "__import__('pathlib').Path"
    )
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", WRITER, argument], cwd=root, check=False, timeout=200
    ).returncode


def test_the_same_graph_is_written_once(store: GraphStore, model: str, fresh: str) -> None:
    graph, result = make_graph(fresh), make_result(fresh)
    assert store.write_sample(model, 0, graph)
    assert store.write_result(model, result, OPTIONS)
    counts, manifest = store.counts(), store.samples(model, 0)
    assert not store.write_sample(model, 0, graph)
    assert not store.write_result(model, result, OPTIONS)
    store.write_model(model, source="made by a test")
    store.write_checkpoint(model, 0, revision="step0")
    assert (store.counts(), store.samples(model, 0)) == (counts, manifest)


def test_progress_counts_edges(store: GraphStore, model: str, fresh: str) -> None:
    small_chunks(store)
    graph = make_graph(fresh)
    seen: list[tuple[int, int]] = []
    store.write_sample(model, 0, graph, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) > 5
    assert seen == sorted(seen)
    assert seen[-1] == (graph.n_edges, graph.n_edges)


def test_deleted_and_written_again(store: GraphStore, server: Server, model: str, fresh: str) -> None:
    graph = make_graph(fresh, seed=1)
    store.write_sample(model, 0, graph)
    before = store.counts()
    store.delete_sample(model, 0, 1)
    assert store.samples(model, 0) == []
    with pytest.raises(NotStored):
        store.read_sample(model, 0, 1)
    assert store.counts()["neurons"] == before["neurons"] - graph.n_neurons
    assert store.write_sample(model, 0, graph)
    assert same_graph(store.read_sample(model, 0, 1), graph)
    assert store.counts() == before


def test_readers_see_nothing_before_all_is_there(
    store: GraphStore, server: Server, model: str, fresh: str
) -> None:
    small_chunks(store)
    with server.open(prepare=False) as other:
        seen = []
        store.write_sample(
            model, 0, make_graph(fresh), progress=lambda *_: seen.append(other.samples(model, 0))
        )
        assert seen
        assert all(found == [] for found in seen)
        assert len(other.samples(model, 0)) == 1


def test_many_writers_of_new_things_at_once(store: GraphStore, server: Server, fresh: str) -> None:
    model = f"tests/{fresh}"

    def work(k: int) -> None:
        with server.open(prepare=False) as own:
            own.write_model(model, source="many")
            own.write_checkpoint(model, k % 2, revision="r")
            own.write_sample(model, k % 2, make_graph(f"{fresh}{k}", seed=k))
            own.write_result(model, make_result(f"{fresh}{k}", step=k % 2), OPTIONS)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(6)))
    assert store.model(model).checkpoints == 2
    assert [record.samples for record in store.checkpoints(model).items] == [3, 3]
    for k in range(6):
        assert same_graph(store.read_sample(model, k % 2, k), make_graph(f"{fresh}{k}", seed=k))
    numbers = [manifest.number for step in (0, 1) for manifest in store.samples(model, step)]
    assert len(set(numbers)) == 6


def test_two_writers_of_one_graph(store: GraphStore, server: Server, model: str, fresh: str) -> None:
    graph = make_graph(fresh, seed=2)
    outcomes: list[object] = []
    barrier = threading.Barrier(2)

    def work() -> None:
        with server.open(prepare=False) as own:
            small_chunks(own)
            barrier.wait()
            try:
                outcomes.append(own.write_sample(model, 0, graph))
            except StoreConflict as error:
                outcomes.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(True) == 1, outcomes
    assert same_graph(store.read_sample(model, 0, 2), graph)
    assert server.raw("MATCH (s:Sample {id: $id}) RETURN count(s)", id=fresh) == [[1]]


@pytest.mark.parametrize("stop_at", [0.01, 0.5, "before"], ids=["at-first", "half-way", "before-the-end"])
def test_a_killed_writer_leaves_nothing_visible(
    store: GraphStore, server: Server, model: str, fresh: str, stop_at: object
) -> None:
    assert write_in_a_process(server, model, fresh, seed=3, stop_at=stop_at) == -signal.SIGKILL
    assert store.samples(model, 0) == []
    assert server.raw("MATCH (s:Sample {id: $id}) RETURN s.status", id=fresh) == [["loading"]]
    graph = make_graph(fresh, seed=3)
    small_chunks(store)
    assert store.write_sample(model, 0, graph)
    assert same_graph(store.read_sample(model, 0, 3), graph)
    [manifest] = store.samples(model, 0)
    [[neurons]] = server.raw("MATCH (n:Neuron {sample: $s}) RETURN count(n)", s=manifest.number)
    assert neurons == graph.n_neurons


def test_what_a_killed_writer_left_is_swept_away(
    store: GraphStore, server: Server, model: str, fresh: str
) -> None:
    before = store.counts()
    killed = write_in_a_process(server, model, fresh, seed=4, stop_at=0.7, lease_s=600.0)
    assert killed == -signal.SIGKILL
    assert store.sweep() == 0  # its lease still runs
    assert store.counts()["neurons"] > before["neurons"]
    server.raw("MATCH (s:Sample {id: $id}) SET s.lease = s.lease - 600000", id=fresh)
    assert store.sweep() == 1
    assert store.counts() == before


def test_a_writer_taken_for_dead_cannot_write_any_more(
    store: GraphStore, server: Server, model: str, fresh: str
) -> None:
    graph = make_graph(fresh, seed=5)
    small_chunks(store)
    with server.open(prepare=False) as other:

        def sleep_through_the_lease(done: int, total: int) -> None:
            if not other.samples(model, 0):
                time.sleep(QUICK.lease_s + 0.1)
                other.write_sample(model, 0, graph)

        with pytest.raises(StoreConflict, match="taken over"):
            store.write_sample(model, 0, graph, progress=sleep_through_the_lease)
        assert same_graph(other.read_sample(model, 0, 5), graph)


def test_a_writer_that_gives_up_lets_others_in_at_once(
    server: Server, model: str, fresh: str, store: GraphStore
) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with server.open(limits=replace(QUICK, lease_s=600.0)) as own:
        small_chunks(own)
        with pytest.raises(KeyboardInterrupt):
            own.write_sample(model, 0, make_graph(fresh, seed=6), progress=interrupt)
    assert store.write_sample(model, 0, make_graph(fresh, seed=6)), "while its lease would still run"


def test_a_chunk_whose_answer_was_lost_is_not_written_twice(
    store: GraphStore, model: str, fresh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver repeats a unit of work when the answer to its commit did not come; here every one is repeated."""
    small_chunks(store)
    connection = store._connection
    plain = connection._write_patiently

    def twice(work: object) -> object:
        first = plain(work)
        second = plain(work)
        return second if second is not None else first

    monkeypatch.setattr(connection, "_write_patiently", twice)
    graph = make_graph(fresh, seed=7)
    store.write_sample(model, 0, graph)
    assert same_graph(store.read_sample(model, 0, 7), graph)
    monkeypatch.undo()
    store.write_sample(model, 8, graph)
    monkeypatch.setattr(connection, "_write_patiently", twice)
    store.delete_sample(model, 0, 7)
    assert same_graph(store.read_sample(model, 8, 7), graph)


def test_a_server_killed_during_a_load(server: Server, model: str, store: GraphStore, fresh: str) -> None:
    graph = make_graph(fresh, seed=8, blocks=3)
    small_chunks(store)
    killed = []

    def kill_once(done: int, total: int) -> None:
        if not killed and done > total / 3:
            killed.append(done)
            if server.neo4j is not None:
                server.neo4j.kill()
            else:
                os.kill(store._embedded.open().pid, signal.SIGKILL)  # type: ignore[union-attr]

    if server.name == "neo4j":
        if server.neo4j is None:
            pytest.skip("a server of somebody else is not killed")
        with pytest.raises(StoreUnavailable, match=str(server.neo4j.bolt_port)):
            store.write_sample(model, 0, graph, progress=kill_once)
        server.neo4j.start()
        assert store.samples(model, 0) == []
        assert store.write_sample(model, 0, graph)
    else:
        assert store.write_sample(model, 0, graph, progress=kill_once)  # its users bring it back themselves
    assert killed
    assert same_graph(store.read_sample(model, 0, 8), graph)


def test_deleting_does_not_keep_readers_waiting(
    store: GraphStore, server: Server, model: str, fresh: str
) -> None:
    """One that has to wait for the end of a deletion reads at most once while it lasts."""
    graph = make_graph(fresh, seed=9, blocks=4, width=24)
    store.write_sample(model, 0, graph)
    store.write_sample(model, 8, make_graph(fresh + "other", seed=10))
    small_chunks(store)
    reads: list[tuple[float, float]] = []
    reading, over = threading.Event(), threading.Event()

    def read() -> None:
        with server.open(prepare=False) as own:
            while not over.is_set():
                begun = time.monotonic()
                own.samples(model, 8)
                reads.append((begun, time.monotonic()))
                reading.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert reading.wait(60)
    begun = time.monotonic()
    store.delete_sample(model, 0, 9)
    ended = time.monotonic()
    over.set()
    reader.join()
    assert len([one for one in reads if begun < one[0] and one[1] < ended]) > 1


@pytest.mark.neo4j
@pytest.mark.xdist_group("neo4j")
def test_want_of_memory_is_said_and_the_next_try_works(tmp_path: Path, fresh: str) -> None:
    graph, model = make_graph(fresh, seed=11, blocks=4, width=64), f"tests/{fresh}"
    with own_neo4j(tmp_path, **{"db.memory.transaction.max": "16m"}) as server, server.open() as store:
        connection = store._connection
        usual = connection.dialect
        connection.dialect = replace(usual, chunk_edges=1_000_000)
        store.write_model(model, source="made by a test")
        store.write_checkpoint(model, 0, revision="r")
        with pytest.raises(QueryTooLarge, match="memory"):
            store.write_sample(model, 0, graph)
        assert store.samples(model, 0) == []
        assert server.raw("MATCH (s:Sample {id: $id}) RETURN s.status", id=fresh) == [["loading"]]
        connection.dialect = replace(usual, chunk_edges=2_000)
        assert store.write_sample(model, 0, graph)
        assert same_graph(store.read_sample(model, 0, 11), graph)

"""Faults many times over, at moments drawn by a seed: `make test-long`; each test names the seed that failed."""

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from neuromfa.graph import GraphStore, open_store
from tests.integration.conftest import Server, wait_for
from tests.integration.making import make_graph, same_graph
from tests.integration.test_arcadedb_server import USER, is_up
from tests.integration.test_store_writing import small_chunks, write_in_a_process

TIMES = int(os.environ.get("NEUROMFA_TEST_LONG", "40"))
AT_ONCE = 4

pytestmark = [pytest.mark.long, pytest.mark.timeout(0)]


def test_a_writer_killed_at_any_moment_leaves_nothing_visible(
    store: GraphStore, server: Server, model: str, fresh: str
) -> None:
    small_chunks(store)
    for seed in range(TIMES):
        moment = random.Random(seed).uniform(0.01, 0.99)
        graph = make_graph(f"{fresh}-{seed}", seed=seed)
        code = write_in_a_process(server, model, graph.graph_hash, seed=seed, stop_at=moment)
        assert code == -signal.SIGKILL, seed
        assert graph.graph_hash not in [one.graph_hash for one in store.samples(model, 0)], seed
        assert store.write_sample(model, 0, graph), seed
        assert same_graph(store.read_sample(model, 0, seed), graph), seed


@pytest.mark.xdist_group("embedded")
def test_users_that_come_at_once_share_one_server(tmp_path: Path) -> None:
    def user(folder: Path) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", USER, str(folder)], stdout=subprocess.PIPE, text=True)

    for turn in range(TIMES):
        folder = tmp_path / f"turn{turn}"
        with ThreadPoolExecutor(AT_ONCE) as pool:
            users = list(pool.map(user, [folder] * AT_ONCE))
        pids = {one.stdout.readline() for one in users if one.stdout is not None}
        for one in users:
            one.kill()
            one.communicate()
        assert len(pids) == 1 and pids != {""}, turn
        assert wait_for(lambda folder=folder: not is_up(folder)), turn  # type: ignore[misc]


@pytest.mark.xdist_group("embedded")
def test_a_server_killed_at_any_moment_of_a_load_comes_back(tmp_path: Path) -> None:
    with open_store(data_dir=tmp_path / "data") as store:
        small_chunks(store)
        store.write_model("m", source="made by a test")
        store.write_checkpoint("m", 0, revision="-")
        for seed in range(TIMES):
            graph = make_graph(f"graph{seed}", seed=seed, blocks=3)
            assert store.write_sample(
                "m", 0, graph, progress=_killing(store, at=random.Random(seed).random())
            ), seed
            assert same_graph(store.read_sample("m", 0, seed), graph), seed


def _killing(store: GraphStore, *, at: float):  # type: ignore[no-untyped-def]
    """Return a progress function that kills the server once, after that share of the work."""
    killed: list[int] = []

    def progress(done: int, total: int) -> None:
        if not killed and done >= at * total:
            killed.append(done)
            os.kill(store._embedded.open().pid, signal.SIGKILL)  # type: ignore[union-attr]

    return progress

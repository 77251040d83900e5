"""The memory for samples: bounded, the longest unused dropped, each sample read once however many ask at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from neuromfa.errors import StoreUnavailable
from neuromfa.network import EdgeColumns, Layer, NeuronMeasures, Part, Provenance, SampleGraph
from neuromfa.questions.engine.sample_cache import SampleCache, bytes_of


def graph(n_edges: int, *, measured: bool = False) -> SampleGraph:
    """Two layers of two neurons: 32 bytes of units, 32 an edge, and 64 of measures."""
    part = Part("mlp", np.arange(2))
    columns = EdgeColumns(*(np.zeros(n_edges, np.int64),) * 2, *(np.ones(n_edges),) * 2)
    values = (np.zeros(2), np.zeros(2))
    return SampleGraph(
        layers=(Layer(0, "mlp", (part,)), Layer(1, "mlp", (part,))),
        edges=(columns,),
        artificial=(False,),
        max_distance=200.0,
        beyond=0,
        graph_hash="",
        provenance=Provenance("", None, "", "", "", "", 0, 2, "exact"),
        measures=NeuronMeasures(values, values) if measured else None,
    )


def reading(found: SampleGraph, log: list[str], name: str) -> Callable[[], SampleGraph]:
    def read() -> SampleGraph:
        log.append(name)
        return found

    return read


def test_bytes_are_those_of_the_arrays() -> None:
    assert bytes_of(graph(0)) == 32
    assert bytes_of(graph(10)) == 32 + 320
    assert bytes_of(graph(10, measured=True)) == 32 + 320 + 64


def test_a_sample_is_read_once() -> None:
    cache, log = SampleCache(), list[str]()
    first = cache.get("a", reading(graph(3), log, "a"))
    assert cache.get("a", reading(graph(3), log, "again")) is first
    assert log == ["a"]
    assert "a" in cache
    assert (len(cache), cache.n_bytes) == (1, bytes_of(first))


def test_the_longest_unused_goes_first() -> None:
    size = bytes_of(graph(10))
    cache, log = SampleCache(max_bytes=2 * size), list[str]()
    for name in "abacbac":
        cache.get(name, reading(graph(10), log, name))
        assert cache.n_bytes <= cache.max_bytes
    # c drops b, b drops a, a drops c ...
    assert log == ["a", "b", "c", "b", "a", "c"]
    assert [name in cache for name in "abc"] == [True, False, True]


def test_a_large_sample_drops_several_small_ones() -> None:
    cache, log = SampleCache(max_bytes=bytes_of(graph(100))), list[str]()
    for name in "abc":
        cache.get(name, reading(graph(30), log, name))
    cache.get("large", reading(graph(99), log, "large"))
    assert len(cache) == 1
    assert "large" in cache


def test_what_is_larger_than_the_room_is_handed_out_and_not_kept() -> None:
    cache, log = SampleCache(max_bytes=bytes_of(graph(10))), list[str]()
    cache.get("small", reading(graph(10), log, "small"))
    assert cache.get("large", reading(graph(11), log, "large")).n_edges == 11
    assert "small" in cache
    assert "large" not in cache


def test_threads_that_ask_at_once_cause_one_read() -> None:
    cache, log, enough = SampleCache(), list[str](), threading.Event()
    wanted = graph(5)

    def slow() -> SampleGraph:
        log.append("a")
        assert enough.wait(10)
        return wanted

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(cache.get, "a", slow) for _ in range(8)]
        enough.set()
        assert all(each.result() is wanted for each in waiting)
    assert log == ["a"]


def test_a_slow_read_does_not_hold_up_others() -> None:
    cache, enough = SampleCache(), threading.Event()

    def slow() -> SampleGraph:
        assert enough.wait(10)
        return graph(1)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cache.get, "slow", slow)
        assert cache.get("quick", lambda: graph(2)).n_edges == 2
        enough.set()
        assert waiting.result().n_edges == 1
    assert len(cache) == 2


def test_a_failed_read_fails_all_who_wait_and_is_tried_again() -> None:
    cache, enough = SampleCache(), threading.Event()

    def broken() -> SampleGraph:
        assert enough.wait(10)
        raise StoreUnavailable("down")

    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(cache.get, "a", broken) for _ in range(4)]
        enough.set()
        for each in waiting:
            with pytest.raises(StoreUnavailable, match="down"):
                each.result()
    assert "a" not in cache
    assert cache.get("a", lambda: graph(4)).n_edges == 4


def test_many_threads_keep_the_bound() -> None:
    cache = SampleCache(max_bytes=bytes_of(graph(10)) * 3)
    draw = np.random.default_rng(0).integers(0, 8, 2000).tolist()
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda k: (k, cache.get(str(k), lambda: graph(k + 1)).n_edges), draw)
    assert all(n_edges == k + 1 for k, n_edges in found)
    assert cache.n_bytes <= cache.max_bytes

"""One sample measured: equal to the oracle, from a network or a stored graph, in every option; bad input refused."""

import hashlib
import os
import pickle
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromfa import mfa
from neuromfa.errors import AnalysisError, EmptyNetwork, OptionError, TooFewRadii
from neuromfa.mfa import partition
from neuromfa.mfa.distance import RangeRule, count_radii
from neuromfa.network import SNIN, Link
from neuromfa.options import AnalysisOptions
from neuromfa.results import NodeCount

from . import oracle
from .networks import network_of, sources_of, stored, transformer

CLOSE = 1e-12
EXACT, PAPER = AnalysisOptions(), AnalysisOptions(profile="paper")
GRIDS_OF_Q = {
    "even": tuple(k / 2 for k in range(-6, 7)),
    "uneven": (-2.5, -1.0, -0.25, 0.0, 0.75, 2.0),
    "wide": (-60.0, -20.0, -3.0, -1.0, 0.0, 1.0, 3.0, 20.0, 60.0),
}
SMALL = {"blocks": 2, "nodes": 12, "std_in": 0.02, "std_out": 0.03}


def dirty_network(seed: int, dtype: type, heavy: bool) -> SNIN:
    """Heavy or light tails, and a share of weights that are no edge."""
    draw = np.random.default_rng(seed)
    matrices = []
    for shape in ((14, 9), (11, 14), (16, 11)):
        weights = draw.standard_t(2, shape) if heavy else draw.normal(0, 1, shape)
        weights *= 0.03
        spoiled = draw.random(shape)
        weights[spoiled < 0.04] = 0.0
        weights[spoiled > 0.98] = np.nan
        weights[(spoiled > 0.97) & (spoiled <= 0.98)] = -np.inf
        weights[(spoiled > 0.95) & (spoiled <= 0.97)] *= 100
        matrices.append(weights.astype(dtype))
    wiring = np.ones((matrices[1].shape[1], matrices[0].shape[0]), dtype=np.bool_)
    return network_of([matrices[0], wiring, *matrices[1:]], seed=seed)


def assert_equals_oracle(found: mfa.SampleMeasure, answer: oracle.Answer) -> None:
    assert found.radii.tolist() == answer.radii
    assert found.nodes_kept == len(answer.kept)
    assert found.n_edges == answer.n_edges
    assert dict(found.dropped) == answer.dropped
    for name in ("tau", "alpha_q", "alpha", "f"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(answer, name), rtol=0, atol=CLOSE, err_msg=name
        )
    for name in ("alpha0", "alpha0_tie", "width"):
        assert getattr(found, name) == pytest.approx(getattr(answer, name), rel=0, abs=CLOSE), name
    assert dict(found.r_squared) == {k: pytest.approx(v, abs=1e-9) for k, v in answer.r_squared.items()}
    nfd = np.concatenate(found.measures.nfd)
    nfd_own = np.concatenate(found.measures.nfd_own)
    np.testing.assert_allclose(nfd[~np.isnan(nfd)], answer.nfd, rtol=0, atol=CLOSE)
    own = [value for value in answer.nfd_own if value is not None]
    # A slope over two radii as close as 59 and 60 has lost two digits before it is taken.
    np.testing.assert_allclose(nfd_own[~np.isnan(nfd_own)], own, rtol=1e-11, atol=CLOSE)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    heavy=st.booleans(),
    profile=st.sampled_from(["exact", "paper"]),
    grid=st.sampled_from(["union", "fixed"]),
    min_edges=st.integers(0, 6),
    longest=st.sampled_from([60.0, 99.6, 150.0, 180.25]),
    q=st.sampled_from(sorted(GRIDS_OF_Q)),
    scale=st.sampled_from([1.0, 1.7]),
    by_pairs=st.booleans(),
)
@pytest.mark.slow
def test_fast_equals_slow(
    seed: int,
    dtype: type,
    heavy: bool,
    profile,
    grid,
    min_edges: int,
    longest: float,
    q: str,
    scale,
    by_pairs,
) -> None:
    network = dirty_network(seed, dtype, heavy)
    options = AnalysisOptions(
        profile=profile,
        grid=grid,
        min_edges=min_edges,
        max_distance=longest,
        q=GRIDS_OF_Q[q],
        scale=scale,
    )
    with pytest.MonkeyPatch.context() as patch:
        if not by_pairs:
            patch.setattr(partition, "LARGEST_PAIR_TABLE", 0)
        found = mfa.measure(network, options)
    answer = oracle.measure(
        list(sources_of(network)),
        q=options.q,
        profile=profile,
        longest=longest,
        min_edges=min_edges,
        grid=grid,
        scale=scale,
    )
    assert_equals_oracle(found, answer)
    n_weights = sum(link.weights.size for link in network.links if link.weights is not None)
    lost = [count for reason, count in found.dropped.items() if reason != "within_one" or profile == "paper"]
    assert found.edges_in_range + sum(lost) == n_weights


@pytest.mark.parametrize("q", sorted(GRIDS_OF_Q))
def test_chunks_of_nodes_do_not_show(q: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = dirty_network(3, np.float32, heavy=True)
    options = replace(EXACT, min_edges=2, q=GRIDS_OF_Q[q])
    before = mfa.measure(network, options)
    monkeypatch.setattr(partition, "LARGEST_PAIR_TABLE", 0)
    for entries in (1, 100, 10_000):
        monkeypatch.setattr(partition, "CHUNK_ENTRIES", entries)
        after = mfa.measure(network, options)
        np.testing.assert_allclose(after.tau, before.tau, rtol=0, atol=CLOSE)
        np.testing.assert_allclose(after.alpha, before.alpha, rtol=0, atol=CLOSE)


def test_tiles_and_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    network = dirty_network(3, np.float32, heavy=True)
    before = mfa.measure(network, replace(EXACT, min_edges=2))
    monkeypatch.setattr("neuromfa.mfa.distance.TILE_ENTRIES", 12)
    monkeypatch.setattr("neuromfa.mfa.distance.TILE_WIDTH", 4)
    monkeypatch.setattr(partition, "CHUNK_ENTRIES", 100)
    monkeypatch.setattr("neuromfa.mfa.dimension.CHUNK_ENTRIES", 100)
    after = mfa.measure(network, replace(EXACT, min_edges=2))
    assert after.dropped == before.dropped
    np.testing.assert_array_equal(after.tau, before.tau)
    np.testing.assert_allclose(after.measures.nfd_own[0], before.measures.nfd_own[0], rtol=1e-13)
    assert after.rms == pytest.approx(before.rms, rel=1e-14)


@pytest.mark.parametrize("options", [EXACT, PAPER, replace(EXACT, grid="fixed"), replace(EXACT, scale=1.3)])
def test_a_stored_graph_gives_the_same_floats(options: AnalysisOptions) -> None:
    network = transformer(**SMALL)
    direct = mfa.measure(network, options)
    again = mfa.measure_graph(stored(network, scale=options.scale), options)
    for name in ("tau", "alpha", "f", "radii"):
        np.testing.assert_array_equal(getattr(again, name), getattr(direct, name))
    for name in (
        "alpha0",
        "alpha0_tie",
        "width",
        "n_edges",
        "nodes_kept",
        "dropped",
        "kept_by_layer",
        "flags",
    ):
        assert getattr(again, name) == getattr(direct, name)
    for one, other in zip(again.measures.nfd, direct.measures.nfd, strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.rms is None and direct.rms is not None


def test_a_stored_graph_counts_what_was_not_written() -> None:
    weights = np.array([[0.5, 1 / 180, 1 / 300, 0.0, np.nan]] * 12)
    graph = stored(network_of([weights]))
    found = mfa.measure_graph(graph, replace(PAPER, min_edges=0, grid="fixed"))
    assert dict(found.dropped) == {"zero": 0, "nan": 0, "inf": 0, "within_one": 0, "beyond_range": 24}


def test_a_stored_graph_is_scaled_like_its_network() -> None:
    network, options = transformer(**SMALL), replace(EXACT, rms_scaled=True)
    for ratio in (0.9, 1.25):
        direct = mfa.measure(network, options, rms_ratio=ratio)
        again = mfa.measure_graph(stored(network), options, rms_ratio=ratio)
        np.testing.assert_array_equal(again.tau, direct.tau)


@pytest.mark.parametrize(("ratio", "longest"), [(None, 200.5), (0.5, 100.5)])
def test_a_stored_graph_too_short_is_refused(ratio: float | None, longest: float) -> None:
    options = replace(EXACT, max_distance=longest, rms_scaled=ratio is not None)
    with pytest.raises(OptionError, match=r"edges up to distance 200.*max_distance (200\.5|100\.5)"):
        mfa.measure_graph(stored(transformer(**SMALL)), options, rms_ratio=ratio)


def test_a_stored_graph_answers_up_to_what_it_holds() -> None:
    network, options = transformer(**SMALL), replace(EXACT, max_distance=200.0)
    assert mfa.measure_graph(stored(network), options).width == mfa.measure(network, options).width


def test_dividing_by_the_rms_ratio_is_dividing_the_weights() -> None:
    network = transformer(**SMALL, dtype=np.float64)
    halved = replace(
        network,
        links=[
            link if link.weights is None else replace(link, weights=link.weights / 2)
            for link in network.links
        ],
    )
    scaled = mfa.measure(network, replace(EXACT, rms_scaled=True), rms_ratio=2.0)
    np.testing.assert_array_equal(scaled.tau, mfa.measure(halved, EXACT).tau)
    assert scaled.rms == mfa.measure(network, EXACT).rms


@pytest.mark.parametrize(
    ("rms_scaled", "ratio", "says"),
    [
        (True, None, "^rms_scaled needs rms_ratio"),
        (False, 2.0, "rms_ratio needs rms_scaled$"),
        (True, 0.0, "above 0, not 0.0"),
        (True, np.inf, "above 0, not inf"),
        (True, np.nan, "above 0, not nan"),
    ],
)
def test_rms_options_that_do_not_go_together(rms_scaled: bool, ratio: float | None, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        mfa.measure(transformer(**SMALL), replace(EXACT, rms_scaled=rms_scaled), rms_ratio=ratio)


def test_rms_is_of_all_finite_weights() -> None:
    network = dirty_network(5, np.float32, heavy=True)
    weights = np.concatenate([np.ravel(link.weights) for link in network.links if link.weights is not None])
    expected = np.sqrt(np.mean(np.square(weights[np.isfinite(weights)].astype(np.float64))))
    assert mfa.rms_of(network) == pytest.approx(expected, rel=1e-14)
    assert mfa.measure(network, replace(EXACT, min_edges=2)).rms == mfa.rms_of(network)


def test_kept_nodes_by_row() -> None:
    strong, weak = np.full((12, 3), 0.1), np.full((3, 12), 0.001)
    strong[:, 0] = 0.05
    strong[:, 2] = 0.001
    wiring = np.ones((3, 3), dtype=np.bool_)
    found = mfa.measure(network_of([strong, weak, wiring, strong, weak, strong], seed=4), EXACT)
    assert found.kept_by_layer == {
        "input": NodeCount(4, 6),
        "qkv": NodeCount(0, 12),
        "dense": NodeCount(2, 3),
        "mlp": NodeCount(0, 12),
    }
    assert (found.nodes_kept, found.nodes_total) == (6, 33)
    assert found.seed == 4


def test_kept_nodes_by_row_follow_the_places_of_neurons() -> None:
    kept, left = np.full((12, 12), 0.1), np.full((12, 12), 0.001)
    kept[0] = 0.05
    found = mfa.measure(network_of([left[:, :3], left, kept]), EXACT)
    assert found.kept_by_layer == {
        "input": NodeCount(0, 3),
        "qkv": NodeCount(0, 12),
        "attention": NodeCount(12, 12),
    }


def test_measures_stand_on_the_neurons_of_weighted_layers() -> None:
    network = transformer(**SMALL)
    found = mfa.measure(network, replace(EXACT, min_edges=8))
    assert [nfd.size for nfd in found.measures.nfd] == [layer.size for layer in network.layers]
    for k, nfd in enumerate(found.measures.nfd):
        wired = k == len(network.artificial) or network.artificial[k]
        assert np.isnan(nfd).all() == wired


def test_every_link_is_taken_once_and_in_order() -> None:
    network, taken = transformer(**SMALL), []

    class Watched(Sequence[Link]):
        def __len__(self) -> int:
            return len(network.links)

        def __getitem__(self, k):
            link = network.links[k]
            taken.append(k)
            return link

    mfa.measure(replace(network, links=Watched()), EXACT)
    assert taken == list(range(len(network.links)))


def test_float16_weights_are_converted_before_the_reciprocal() -> None:
    weights = np.full((12, 2), 0.3, dtype=np.float16)
    weights[0] = 0.007
    found = mfa.measure(network_of([weights]), EXACT)
    assert found.radii.tolist() == [3, round(1 / float(np.float16(0.007)))]
    # The reciprocal of such a weight is out of the range of float16.
    tiny = np.full((12, 2), 1e-7, dtype=np.float16)
    tiny[0] = 2e-7
    assert mfa.measure(network_of([tiny]), replace(EXACT, scale=1e-5)).radii.size == 2


class TestDegenerateInput:
    @pytest.fixture(autouse=True)
    def warnings_are_errors(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield

    def test_a_network_of_zeros(self) -> None:
        with pytest.raises(EmptyNetwork, match="all 36 sampled weights that are finite are zero"):
            mfa.measure(network_of([np.zeros((12, 3))]), EXACT)

    @pytest.mark.parametrize("value", [5e-324, 1e-310])
    def test_a_network_of_no_edges(self, value: float) -> None:
        with pytest.raises(
            EmptyNetwork, match="none of 3 neurons has more than 10 .*the best connected has 0"
        ):
            mfa.measure(network_of([np.full((12, 3), value)]), EXACT)

    @pytest.mark.parametrize(
        ("value", "counted"), [(np.nan, "36 NaN, 0"), (np.inf, "0 NaN, 36"), (-np.inf, "0 NaN, 36")]
    )
    def test_a_network_of_no_numbers(self, value: float, counted: str) -> None:
        with pytest.raises(
            AnalysisError, match=rf"no sampled weight is a finite number \({counted} infinite"
        ):
            mfa.measure(network_of([np.full((12, 3), value)]), EXACT)

    def test_equal_weights_have_one_radius(self) -> None:
        with pytest.raises(
            TooFewRadii, match="the 3 kept .* distance 20, .* radii: change .* use the fixed grid$"
        ):
            mfa.measure(network_of([np.full((12, 3), 0.05)]), EXACT)

    @pytest.mark.parametrize(
        ("value", "reason", "n_edges"),
        [(0.05, "round to distance 20", 36), (0.0, "are zero|none of 3 neurons has more", 0)],
    )
    def test_a_network_without_a_spectrum_has_a_graph(self, value: float, reason: str, n_edges: int) -> None:
        network = network_of([np.full((12, 3), value)], seed=4)
        with pytest.raises(AnalysisError, match=reason):
            mfa.measure(network, EXACT)
        graph = mfa.graph_of(network, graph_hash="h", scale=1.0, max_distance=200.0)
        assert (graph.n_neurons, graph.n_edges, graph.beyond, graph.measures) == (15, n_edges, 0, None)
        assert set(graph.edges[0].distance.tolist()) <= {20.0}
        with pytest.raises(AnalysisError, match=reason):
            mfa.measure_graph(graph, EXACT)

    def test_a_graph_keeps_the_measures_it_is_given(self) -> None:
        network = transformer(**SMALL)
        found = mfa.measure(network, EXACT)
        graph = mfa.graph_of(network, graph_hash="h", scale=1.0, max_distance=150.0, measures=found.measures)
        assert graph.measures is found.measures
        assert mfa.measure_graph(graph, EXACT).alpha0 == found.alpha0

    def test_equal_weights_on_the_fixed_grid(self) -> None:
        found = mfa.measure(network_of([np.full((12, 3), 0.1)]), replace(EXACT, grid="fixed"))
        assert found.width == 0.0
        np.testing.assert_allclose(found.tau, 0.0, atol=1e-14)
        assert set(found.r_squared.values()) == {None}
        assert np.isnan(found.measures.nfd_own[0]).all()

    def test_one_neuron(self) -> None:
        weights = 1.0 / np.linspace(3, 100, 20)[:, np.newaxis]
        found = mfa.measure(network_of([weights]), EXACT)
        assert found.nodes_kept == 1 and found.width == pytest.approx(0.0, abs=1e-12)
        assert found.flags == ("few_nodes",)

    def test_no_weights_at_all(self) -> None:
        with pytest.raises(EmptyNetwork, match="none of 0 neurons .*.there is no neuron with weights.: "):
            mfa.measure(network_of([np.ones((3, 3), dtype=np.bool_)]), EXACT)

    @pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
    def test_empty_matrices(self, shape: tuple[int, int]) -> None:
        with pytest.raises(EmptyNetwork):
            mfa.measure(network_of([np.empty(shape)]), EXACT)

    def test_eleven_edges_are_more_than_ten_and_ten_are_not(self) -> None:
        weights = np.zeros((12, 2))
        weights[:11, 0] = 1 / np.arange(3, 14)
        weights[:10, 1] = 1 / np.arange(3, 13)
        assert mfa.measure(network_of([weights]), EXACT).nodes_kept == 1

    def test_denormal_and_huge_weights_are_counted(self) -> None:
        weights = np.tile(1 / np.arange(2.0, 22.0)[:, np.newaxis], 2)
        weights[:4, 0] = (5e-324, 1e-310, 1e300, 0.0)
        found = mfa.measure(network_of([weights]), EXACT)
        assert dict(found.dropped) == {"zero": 1, "nan": 0, "inf": 0, "within_one": 1, "beyond_range": 2}
        assert found.edges_in_range == 37
        assert found.radii[0] == 1

    def test_a_weight_too_large_for_lambda_is_infinite(self) -> None:
        weights = np.tile(1e-17 / np.arange(2.0, 22.0)[:, np.newaxis], 2)
        weights[0, 0] = 1e308
        found = mfa.measure(network_of([weights]), replace(EXACT, scale=1e-17))
        assert dict(found.dropped) == {"zero": 0, "nan": 0, "inf": 1, "within_one": 0, "beyond_range": 0}
        assert found.edges_in_range == 39

    def test_rms_that_overflows_is_none(self) -> None:
        weights = np.tile(1 / np.arange(2.0, 22.0)[:, np.newaxis], 2)
        weights[0, 0] = 1e300
        assert mfa.measure(network_of([weights]), EXACT).rms is None

    def test_a_table_too_large_is_refused(self) -> None:
        big = replace(EXACT, max_distance=1e6)
        weights = np.zeros((1, 3000), dtype=np.float32)
        with pytest.raises(
            OptionError,
            match="masses of 3000 neurons at 1000001 radii .* 4 GB allowed for them: lower .* nodes$",
        ):
            mfa.measure(network_of([weights]), big)


def test_a_long_range_is_no_trouble_for_few_neurons() -> None:
    weights = 1 / np.linspace(3, 99_000, 20)[:, np.newaxis]
    assert mfa.measure(network_of([weights]), replace(EXACT, max_distance=1e5)).radii[-1] == 99_000


def test_a_layer_wider_than_16_bits_is_counted() -> None:
    """A mass is 1 more than the number of targets: 65,535 of them are too many for 16 bits."""
    for n_target, dtype in ((65_534, np.uint16), (65_535, np.int32)):
        weights = np.full((n_target, 2), 0.05, dtype=np.float32)
        weights[0] = 0.1
        network = network_of([weights, np.zeros((1, n_target), dtype=np.float32)])
        found = mfa.measure(network, EXACT)
        assert found.n_edges == 2 * n_target
        assert found.tau[-1] == pytest.approx(3 * np.log((n_target + 1) / 2) / np.log(2), rel=1e-12)
        assert count_radii(network, scale=1.0, rule=RangeRule(longest=30.0)).counts.dtype == dtype


def test_multi_hop_shares_the_rest_of_the_pipeline() -> None:
    network = transformer(blocks=4, nodes=12, std_in=0.05, std_out=0.05)
    options = replace(EXACT, hops="multi")
    found = mfa.measure(network, options)
    assert found.dropped_last_rows == sum(
        network.layers[k].size for k in network.source_layers if k >= len(network.links) - 10
    )
    assert found.nodes_total + found.dropped_last_rows == sum(
        network.layers[k].size for k in network.source_layers
    )
    assert found.n_edges > mfa.measure(network, EXACT).n_edges
    assert "few_layers" not in found.flags
    again = mfa.measure_graph(stored(network), options)
    np.testing.assert_array_equal(again.tau, found.tau)
    assert_scales_like_one_hop(options)
    shallow = mfa.measure(transformer(blocks=2, nodes=12, std_in=0.05, std_out=0.05), options)
    assert "few_layers" in shallow.flags


def assert_scales_like_one_hop(options: AnalysisOptions) -> None:
    """Lambda and the rms ratio reach multi-hop distances too."""
    wide = transformer(blocks=4, nodes=12, std_in=0.1, std_out=0.1, dtype=np.float64)
    half = transformer(blocks=4, nodes=12, std_in=0.05, std_out=0.05, dtype=np.float64)
    expected = mfa.measure(half, options).tau
    np.testing.assert_array_equal(mfa.measure(wide, replace(options, scale=2.0)).tau, expected)
    scaled = replace(options, rms_scaled=True)
    np.testing.assert_array_equal(mfa.measure(wide, scaled, rms_ratio=2.0).tau, expected)
    np.testing.assert_array_equal(mfa.measure_graph(stored(wide), scaled, rms_ratio=2.0).tau, expected)


def test_measures_survive_a_process_boundary() -> None:
    found = mfa.measure(transformer(**SMALL), EXACT)
    again = pickle.loads(pickle.dumps(found))
    assert again.flags == found.flags
    np.testing.assert_array_equal(again.tau, found.tau)


def test_the_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import hashlib, numpy as np
        from neuromfa import mfa
        from neuromfa.options import AnalysisOptions
        from tests.unit.mfa.networks import transformer
        from tests.unit.mfa.test_measure import digest
        network = transformer(blocks=6, nodes=64, std_in=0.0559, std_out=0.0295)
        found = [mfa.measure(network, AnalysisOptions(profile=p)) for p in ("exact", "paper")]
        options = AnalysisOptions(draws=2)
        views = mfa.paired_samples(network, [options, options.in_shape], baseline=network)
        nulls = [draw.figures.width.hex() for view in views for draws in view.nulls.values() for draw in draws]
        print(*[digest(m) for m in found], *nulls)
        """
    )
    outputs = {_run(script, threads=threads) for threads in (1, 2)}
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 10


def digest(found: mfa.SampleMeasure) -> str:
    """Sha256 over every number of a measure."""
    bits = hashlib.sha256()
    for part in fields(found):
        value = getattr(found, part.name)
        arrays = [*value.nfd, *value.nfd_own] if part.name == "measures" else [value]
        for array in arrays:
            bits.update(array.tobytes() if isinstance(array, np.ndarray) else repr(array).encode())
    return bits.hexdigest()


def _run(script: str, *, threads: int) -> str:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_r_squared_is_told_on_any_grid_of_q() -> None:
    network = transformer(**SMALL)
    full = mfa.measure(network, EXACT)
    few = mfa.measure(network, replace(EXACT, q=(-0.5, 0.0, 0.5)))
    assert few.q.tolist() == [-0.5, 0.0, 0.5] and few.tau.size == 3
    for moment, share in full.r_squared.items():
        assert few.r_squared[moment] == pytest.approx(share, rel=1e-12)
    assert list(full.r_squared) == ["-3", "-1", "1", "3"]


def test_public_names() -> None:
    assert mfa.__all__ == sorted(mfa.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(mfa, name) for name in mfa.__all__)
    assert issubclass(EmptyNetwork, AnalysisError)

"""Multi-hop NeuroMFA: radius counts against the oracle of paths, the rule for last rows, and what depth does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromfa.errors import OptionError
from neuromfa.mfa.diagnostics import FEW_LAYERS
from neuromfa.mfa.distance import RangeRule, count_graph_radii, count_radii, edges_of, range_rule, rms_of
from neuromfa.mfa.measure import measure, measure_graph, radius_counts
from neuromfa.mfa.multihop import radius_histogram, source_layers
from neuromfa.mfa.products import Engine, products_of
from neuromfa.network import SNIN, SampleGraph
from neuromfa.options import AnalysisOptions
from tests.unit.mfa.graphs import INF, WIRED, graph_of, layers_of, network_of, oracle, transformer
from tests.unit.mfa.test_paths import cuts, gammas, horizons, layered

RULE = RangeRule(longest=150.0)


def stored(network: SNIN, *, max_distance: float = 200.0) -> SampleGraph:
    edges, beyond = edges_of(network, scale=1.0, max_distance=max_distance)
    return SampleGraph(
        network.layers, edges, network.artificial, max_distance, beyond, "hash", network.provenance
    )


def counts_by_oracle(graph: SampleGraph, *, gamma: float, cut: float, horizon: int | None) -> np.ndarray:
    """Rows of the sources of weighted links; layers of one block, so no row is dropped."""
    table = oracle(graph, gamma=gamma, cut=cut, horizon=horizon)
    np.fill_diagonal(table, INF)
    layer_of = np.repeat(np.arange(len(graph.layers)), [layer.size for layer in graph.layers])
    sources = [k for k, wired in enumerate(graph.artificial) if not wired]
    rows = table[np.isin(layer_of, sources)]
    counts = np.zeros((len(rows), 1 + max(1, round(cut))), dtype=int)
    for row, source in enumerate(rows):
        for distance in source[source < INF]:
            counts[row, max(1, round(distance))] += 1
    return counts


class TestCounts:
    def test_hand_computed(self, engine: Engine):
        found = radius_histogram(WIRED.graph, gamma=5.0, rule=RangeRule(longest=30.0), engine=engine)
        assert found.layers == (0, 2)
        assert found.sizes == (1, 2)
        assert found.counts.shape == (3, 31)
        assert np.flatnonzero(found.counts[0]).tolist() == [10, 16, 20, 26, 28]
        assert np.flatnonzero(found.counts[1]).tolist() == [7]
        assert np.flatnonzero(found.counts[2]).tolist() == [1]
        assert found.counts.sum() == 7
        assert found.dropped_last_rows == 0

    @settings(max_examples=50)
    @given(graph=layered(), gamma=gammas, cut=cuts, horizon=horizons)
    def test_counts_are_those_of_the_oracle(self, graph, gamma, cut, horizon):
        graph = replace(graph, layers=layers_of([layer.size for layer in graph.layers], per_block=9))
        expected = counts_by_oracle(graph, gamma=gamma, cut=cut, horizon=horizon)
        for engine in ("numba", "numpy"):
            found = radius_histogram(
                graph, gamma=gamma, rule=RangeRule(longest=cut), horizon=horizon, engine=engine
            )
            assert np.array_equal(found.counts, expected)

    @pytest.mark.parametrize("unit", [1.0, 2.0, 0.5])
    def test_radii_are_rounded_half_to_even_and_at_least_one(self, unit: float, engine: Engine):
        distances = np.array([[0.25, 0.5, 1.5, 2.5, 3.5, 4.0]]) * unit
        rule = RangeRule(longest=4.0 * unit, unit=unit)
        found = radius_histogram(graph_of([distances], [False]), gamma=0.0, rule=rule, engine=engine)
        assert found.counts.tolist() == [[0, 2, 2, 0, 2]]

    def test_a_second_count_adds_to_the_first(self, engine: Engine):
        counts = np.zeros((3, 4), dtype=np.int32)
        products = products_of(engine)
        products.count(np.array([[1.0, INF], [2.0, 3.0]]), np.array([2, 0]), unit=1.0, counts=counts)
        products.count(np.array([[1.0, 2.0]]), np.array([2]), unit=1.0, counts=counts)
        assert counts.tolist() == [[0, 0, 1, 1], [0, 0, 0, 0], [0, 2, 1, 0]]

    def test_one_hop_is_plain_box_growing(self, engine: Engine):
        network = transformer(1, 10, 0.03, seed=1)
        one = radius_histogram(network, gamma=5.0, rule=RULE, horizon=1, engine=engine)
        plain = count_radii(network, scale=1.0, rule=RULE)
        assert np.array_equal(one.counts, plain.counts)
        assert (one.layers, one.sizes) == (plain.layers, plain.sizes)

    def test_tally_and_rms_speak_of_all_weights(self):
        weights = transformer(4, 6, 0.02, seed=2)
        found = radius_histogram(weights, gamma=5.0, rule=RULE, scale=1.5)
        plain = count_radii(weights, scale=1.5, rule=RULE)
        assert found.tally == plain.tally
        assert found.tally.in_range > 0
        assert found.tally.beyond_range > 0
        assert found.rms == rms_of(weights)

    def test_lambda_and_the_rms_ratio_scale_weighted_edges_only(self, engine: Engine):
        weights = [np.array([[0.5]]), np.array([[True]]), np.array([[0.25]])]
        options = {"gamma": 1.0, "rule": RangeRule(longest=40.0), "engine": engine}
        plain = radius_histogram(network_of(weights), **options)
        assert np.flatnonzero(plain.counts[0]).tolist() == [2, 2 + 1 + 1, 2 + 1 + 1 + 1 + 4]
        scaled = radius_histogram(network_of(weights), scale=3.0, **options)
        assert np.flatnonzero(scaled.counts[0]).tolist() == [6, 6 + 1 + 1, 6 + 1 + 1 + 1 + 12]
        rescaled = radius_histogram(network_of(weights), rescale=3.0, **options)
        assert np.array_equal(rescaled.counts, scaled.counts)
        graph = stored(network_of(weights))
        assert np.array_equal(radius_histogram(graph, rescale=3.0, **options).counts, scaled.counts)

    def test_a_stored_graph_gives_the_same_counts(self, engine: Engine):
        network = transformer(3, 8, 0.03, seed=3)
        left = radius_histogram(network, gamma=5.0, rule=RULE, engine=engine)
        right = radius_histogram(stored(network), gamma=5.0, rule=RULE, engine=engine)
        assert np.array_equal(left.counts, right.counts)
        assert right.rms is None
        assert right.tally == count_graph_radii(stored(network), rule=RULE).tally
        assert right.dropped_last_rows == left.dropped_last_rows

    def test_a_stored_graph_with_too_few_edges(self):
        graph = stored(transformer(1, 4, 0.05, seed=4), max_distance=100.0)
        with pytest.raises(OptionError, match="too few for paths up to 150"):
            radius_histogram(graph, gamma=5.0, rule=RULE)

    def test_a_table_that_fits_nowhere(self, monkeypatch):
        network = network_of([np.ones((2, 3))])
        rule = RangeRule(longest=9.0)
        monkeypatch.setattr("neuromfa.mfa.multihop.LARGEST_TABLE", 3 * 10 * 4)
        assert radius_histogram(network, gamma=5.0, rule=rule).counts.dtype.itemsize == 4
        monkeypatch.setattr("neuromfa.mfa.multihop.LARGEST_TABLE", 3 * 10 * 4 - 1)
        with pytest.raises(OptionError, match="3 neurons x 10 radii do not fit"):
            radius_histogram(network, gamma=5.0, rule=rule)

    def test_the_size_that_fits_is_told_in_gb(self, monkeypatch):
        monkeypatch.setattr("neuromfa.mfa.multihop.LARGEST_TABLE", 1 << 30)
        with pytest.raises(OptionError, match="3 neurons x 100000001 radii do not fit the 1 GB"):
            radius_histogram(network_of([np.ones((2, 3))]), gamma=5.0, rule=RangeRule(longest=1e8))

    def test_numpy_does_without_compiled_code(self, monkeypatch):
        monkeypatch.setattr("neuromfa.mfa.products.CompiledProducts", None)
        found = radius_histogram(WIRED.graph, gamma=5.0, rule=RangeRule(longest=30.0), engine="numpy")
        assert found.counts.sum(axis=1).tolist() == [5, 1, 1]


class TestLastRows:
    @pytest.mark.parametrize(
        ("n_blocks", "kept"),
        [
            (1, (0, 2, 3, 4)),
            (2, (0, 2, 3, 4)),
            (3, (0, 2, 3, 4)),
            (4, (0, 2, 3, 4, 5, 7, 8, 9)),
        ],
    )
    def test_the_last_ten_rows_but_never_the_first_block(self, n_blocks: int, kept: tuple[int, ...]):
        network = transformer(n_blocks, 2, 0.05, seed=0)
        assert source_layers(network.layers, artificial=network.artificial) == kept
        found = radius_histogram(network, gamma=5.0, rule=RULE)
        assert found.layers == kept
        assert found.sizes == tuple(network.layers[k].size for k in kept)
        assert found.dropped_last_rows == 5 * 2 * n_blocks - sum(found.sizes)

    def test_rows_are_counted_where_blocks_have_no_wiring(self):
        layers = layers_of([1] * 14, per_block=1)
        assert source_layers(layers, artificial=[False] * 13) == (0, 1, 2)
        assert source_layers(layers[:6], artificial=[False] * 5) == (0,)

    def test_without_the_rule_depth_moves_alpha0(self, monkeypatch):
        depths = (3, 6, 12)
        with_rule = [alpha0(n_blocks) for n_blocks in depths]
        monkeypatch.setattr("neuromfa.mfa.multihop.TRUNCATED_ROWS", 0)
        without = [alpha0(n_blocks) for n_blocks in depths]
        assert np.ptp(with_rule) < 0.01 * np.mean(with_rule)
        assert np.ptp(without) > 0.1 * np.mean(without)
        assert without == sorted(without)
        assert max(without) < min(with_rule)


def alpha0(n_blocks: int) -> float:
    options = AnalysisOptions(hops="multi", q=(-0.5, 0.0, 0.5))
    return measure(transformer(n_blocks, 16, 0.04, seed=0), options).alpha0


class TestHorizon:
    @pytest.mark.parametrize("horizon", [2, 3, 7])
    def test_hops_are_the_horizon_of_the_balls(self, horizon):
        network, options = transformer(4, 8, 0.05, seed=3), AnalysisOptions(hops=str(horizon))
        assert (options.over_paths, options.horizon) == (True, horizon)
        found = radius_counts(network, options)
        expected = radius_histogram(network, gamma=5.0, rule=range_rule(options), horizon=horizon)
        assert np.array_equal(found.counts, expected.counts) and found.layers == expected.layers

    def test_targets_lie_within_so_many_layers(self):
        """All weights 1: at horizon k a neuron reaches every neuron of the k layers ahead, and no other."""
        network = transformer(3, 4, 0.05, seed=4)
        links = [
            link if link.weights is None else replace(link, weights=np.ones_like(link.weights))
            for link in network.links
        ]
        counts = radius_counts(replace(network, links=tuple(links)), AnalysisOptions(hops="2"))
        assert counts.counts[0].sum() == network.layers[1].size + network.layers[2].size

    @pytest.mark.parametrize(("horizon", "left_out"), [(2, 1), (4, 3), (11, 10), (50, 10)])
    def test_only_rows_that_the_horizon_looks_beyond_are_no_sources(self, horizon, left_out):
        layers = layers_of([1] * 21, per_block=1)
        assert source_layers(layers, artificial=[False] * 20, horizon=horizon) == tuple(range(20 - left_out))

    def test_a_long_horizon_is_that_of_whole_paths(self):
        network = transformer(3, 8, 0.05, seed=5)
        far, whole = (measure(network, AnalysisOptions(hops=hops)) for hops in ("99", "multi"))
        assert far.tau.tolist() == whole.tau.tolist()
        assert measure(network, AnalysisOptions(hops="2")).alpha0 != whole.alpha0

    @pytest.mark.parametrize("hops", ["0", "100", "two", "-1", "1.5", ""])
    def test_other_horizons_are_refused(self, hops):
        with pytest.raises(OptionError, match="hops is 1, 2, 3 ... up to 99, or multi, not"):
            AnalysisOptions(hops=hops)


class TestMeasure:
    def test_measure_says_what_was_dropped(self):
        network = transformer(3, 12, 0.04, seed=5)
        found = measure(network, AnalysisOptions(hops="multi"))
        assert found.nodes_total == 5 * 12
        assert found.dropped_last_rows == 2 * 5 * 12
        assert FEW_LAYERS not in found.flags
        assert found.edges_in_range == measure(network, AnalysisOptions()).edges_in_range
        assert np.isnan(np.concatenate(found.measures.nfd[5:])).all()
        assert not np.isnan(found.measures.nfd[0]).any()

    def test_few_layers_is_flagged_below_three_blocks(self):
        found = measure(transformer(2, 12, 0.04, seed=6), AnalysisOptions(hops="multi"))
        assert FEW_LAYERS in found.flags

    def test_a_stored_graph_measures_the_same(self):
        network = transformer(3, 12, 0.04, seed=7)
        options = AnalysisOptions(hops="multi", gamma=2.0)
        left, right = measure(network, options), measure_graph(stored(network), options)
        assert np.array_equal(left.tau, right.tau)
        assert left.alpha0 == right.alpha0
        assert left.alpha0 != measure(network, AnalysisOptions(hops="multi")).alpha0
        assert left.dropped_last_rows == right.dropped_last_rows

    @settings(max_examples=10)
    @given(order=st.permutations(range(12)))
    def test_relabelling_neurons_changes_nothing(self, order):
        network = transformer(3, 12, 0.04, seed=8)
        links = list(network.links)
        links[3] = replace(links[3], weights=links[3].weights[:, order])
        links[2] = replace(links[2], weights=links[2].weights[order])
        left = measure(network, AnalysisOptions(hops="multi"))
        right = measure(replace(network, links=tuple(links)), AnalysisOptions(hops="multi"))
        np.testing.assert_allclose(left.tau, right.tau, atol=1e-12)
